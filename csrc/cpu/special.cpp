// Bessel, Airy, incomplete gamma and error functions, and orthogonal polynomials, in double
// precision.
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/error.h"
#include "cpu/pointwise_scalar.h"
#include "cpu/special_coefficients.h"
#include "ops/pointwise_formulas.h"

namespace kagari::scalar {

namespace {

constexpr double kPi = 3.141592653589793238462643383279502884;
constexpr double kTwoOverPi = 0.636619772367581343075535053490057448;
constexpr double kSqrtTwoOverPi = 0.797884560802865355879892119868763737;
constexpr double kSqrtPi = 1.772453850905516027298167483341145183;
constexpr double kSqrtHalf = 0.707106781186547524400844362104849039;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kEps = 0x1p-53;

// The sum of c_k T_k(t) by Clenshaw's recurrence, -1 <= t <= 1.
template <size_t n>
double sum(const double (&c)[n], double t) {
  double b1 = 0, b2 = 0;
  for (size_t k = n - 1; k > 0; --k) {
    double b = c[k] + 2 * t * b1 - b2;
    b2 = b1;
    b1 = b;
  }
  return c[0] + t * b1 - b2;
}

// exp(x^2): the rounding of x^2 would cost x^2 times the accuracy.
double exp_square(double x) {
  double high = x * x, low = std::fma(x, x, -high);
  double e = std::exp(high);
  return std::isfinite(e) ? e + e * low : e;
}

// exp(x) f without overflow of exp alone.
double times_exp(double x, double f) {
  double half = std::exp(x / 2);
  return half * f * half;
}

}  // namespace

// ---- modified Bessel functions ------------------------------------------------------------------

double bessel_i0e(double x) {
  x = std::fabs(x);
  if (x <= 8) return sum(series::kI0Near, x / 4 - 1);
  if (x == kInf) return 0;
  return sum(series::kI0Far, 16 / x - 1) / std::sqrt(x);
}
double bessel_i0(double x) {
  if (std::isinf(x)) return kInf;
  return times_exp(std::fabs(x), bessel_i0e(x));
}
double bessel_i1e(double x) {
  double a = std::fabs(x);
  if (a <= 8) return sum(series::kI1Near, a / 4 - 1) * x;
  if (a == kInf) return std::copysign(0.0, x);
  return std::copysign(sum(series::kI1Far, 16 / a - 1) / std::sqrt(a), x);
}
double bessel_i1(double x) {
  if (std::isinf(x)) return x;
  return times_exp(std::fabs(x), bessel_i1e(x));
}

double bessel_k0(double x) {
  if (x == 0) return kInf;
  if (!(x > 0)) return kNan;
  if (x <= 2) return sum(series::kK0Near, x * x / 2 - 1) - std::log(x / 2) * bessel_i0(x);
  if (x == kInf) return 0;
  return std::exp(-x) * sum(series::kK0Far, 4 / x - 1) / std::sqrt(x);
}
double bessel_k0e(double x) {
  if (!(x > 2)) return bessel_k0(x) * std::exp(x);
  if (x == kInf) return 0;
  return sum(series::kK0Far, 4 / x - 1) / std::sqrt(x);
}
double bessel_k1(double x) {
  if (x == 0) return kInf;
  if (!(x > 0)) return kNan;
  if (x <= 2) return sum(series::kK1Near, x * x / 2 - 1) / x + std::log(x / 2) * bessel_i1(x);
  if (x == kInf) return 0;
  return std::exp(-x) * sum(series::kK1Far, 4 / x - 1) / std::sqrt(x);
}
double bessel_k1e(double x) {
  if (!(x > 2)) return bessel_k1(x) * std::exp(x);
  if (x == kInf) return 0;
  return sum(series::kK1Far, 4 / x - 1) / std::sqrt(x);
}

// ---- Bessel functions ---------------------------------------------------------------------------

namespace {

// J0 and Y0 (J1 and Y1) beyond 8 from their parts in and out of phase.
struct Oscillation {
  double j, y;
};
Oscillation oscillate(double p, double q, double cos_phase, double sin_phase, double x) {
  double scale = kSqrtTwoOverPi / std::sqrt(x);
  return {scale * (p * cos_phase - q * sin_phase), scale * (p * sin_phase + q * cos_phase)};
}
Oscillation oscillate0(double x) {
  double z = 128 / (x * x) - 1, s = std::sin(x), c = std::cos(x);
  return oscillate(sum(series::kP0, z), sum(series::kQ0, z) / x, (c + s) * kSqrtHalf,
                   (s - c) * kSqrtHalf, x);
}
Oscillation oscillate1(double x) {
  double z = 128 / (x * x) - 1, s = std::sin(x), c = std::cos(x);
  return oscillate(sum(series::kP1, z), sum(series::kQ1, z) / x, (s - c) * kSqrtHalf,
                   -(s + c) * kSqrtHalf, x);
}

}  // namespace

double bessel_j0(double x) {
  x = std::fabs(x);
  if (x <= 8) return sum(series::kJ0Near, x * x / 32 - 1);
  return x == kInf ? 0 : oscillate0(x).j;
}
double bessel_j1(double x) {
  double a = std::fabs(x);
  if (a <= 8) return sum(series::kJ1Near, a * a / 32 - 1) * x;
  return a == kInf ? std::copysign(0.0, x) : std::copysign(1.0, x) * oscillate1(a).j;
}
double bessel_y0(double x) {
  if (x == 0) return -kInf;
  if (!(x > 0)) return kNan;
  if (x <= 8)
    return sum(series::kY0Near, x * x / 32 - 1) + kTwoOverPi * std::log(x / 2) * bessel_j0(x);
  return x == kInf ? 0 : oscillate0(x).y;
}
double bessel_y1(double x) {
  if (x == 0) return -kInf;
  if (!(x > 0)) return kNan;
  if (x <= 8)
    return sum(series::kY1Near, x * x / 32 - 1) / x + kTwoOverPi * std::log(x / 2) * bessel_j1(x);
  return x == kInf ? 0 : oscillate1(x).y;
}

// ---- Airy's function ----------------------------------------------------------------------------

double airy_ai(double x) {
  if (std::isnan(x)) return x;
  if (std::isinf(x)) return 0;
  if (x >= -2 && x <= 2) return sum(series::kAiryMid, x / 2);
  if (x >= -5 && x < -2) return sum(series::kAiryLow, (x + 3.5) / 1.5);
  double a = std::fabs(x), root = std::sqrt(a), zeta = 2 * a * root / 3;
  if (x > 0) {
    double f = sum(series::kAiryRight, 3.5 / zeta - 1) / (2 * kSqrtPi * std::sqrt(root));
    return times_exp(-zeta, f);
  }
  double t = 98 / (zeta * zeta) - 1, s = std::sin(zeta), c = std::cos(zeta);
  double p = sum(series::kAiryP, t), q = sum(series::kAiryQ, t) / zeta;
  return (p * (c + s) + q * (s - c)) * kSqrtHalf / (kSqrtPi * std::sqrt(root));
}

double airy_ai_prime(double x) {
  if (std::isnan(x)) return x;
  if (x == kInf) return 0;
  if (x == -kInf) return kNan;
  if (x >= -2 && x <= 2) return sum(series::kAiryPrimeMid, x / 2);
  if (x >= -5 && x < -2) return sum(series::kAiryPrimeLow, (x + 3.5) / 1.5);
  double a = std::fabs(x), root = std::sqrt(a), zeta = 2 * a * root / 3;
  if (x > 0) {
    double f = sum(series::kAiryPrimeRight, 3.5 / zeta - 1) * std::sqrt(root) / (2 * kSqrtPi);
    return times_exp(-zeta, f);
  }
  double t = 98 / (zeta * zeta) - 1, s = std::sin(zeta), c = std::cos(zeta);
  double p = sum(series::kAiryPrimeP, t), q = sum(series::kAiryPrimeQ, t) / zeta;
  return (p * (s - c) - q * (c + s)) * kSqrtHalf * std::sqrt(root) / kSqrtPi;
}

// ---- error functions ----------------------------------------------------------------------------

double erfcx(double x) {
  if (std::isnan(x)) return x;
  if (x < 0) return 2 * exp_square(x) - erfcx(-x);
  if (x == kInf) return 0;
  return sum(series::kErfcx, (x - 3) / (x + 3)) / (1 + 2 * x);
}

double ndtri(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0 || p == 1) return p == 0 ? -kInf : kInf;
  double q = p < 0.5 ? p : 1 - p;
  if (q > 0.02) return erfinv(2 * p - 1) / kSqrtHalf;
  // Newton's method for the logarithm of the tail, which is close to a parabola.
  double target = std::log(q), r = std::sqrt(-2 * target);
  double x = r - (std::log(r) + 0.918938533204672742) / r;
  for (int i = 0; i < 4; ++i) {
    double tail = erfcx(x * kSqrtHalf);
    double step = (std::log(tail / 2) - x * x / 2 - target) * tail / kSqrtTwoOverPi;
    x += step;
    if (std::fabs(step) < 4 * kEps * x) break;
  }
  return p < 0.5 ? -x : x;
}

// ---- incomplete gamma functions -----------------------------------------------------------------

namespace {

// log(x / a) - u where u = (x - a) / a.
double log_less(double a, double x) {
  double u = (x - a) / a;
  if (std::fabs(u) > 0.35) return std::log(x / a) - u;
  double term = u, total = 0;
  for (int k = 2; k < 60; ++k) {
    term *= -u;
    double add = term / k;
    total += add;
    if (std::fabs(add) < kEps * std::fabs(total)) break;
  }
  return total;
}

// x^a exp(-x) / gamma(a).
double gamma_density(double a, double x) {
  if (a < 10) {
    if (x > 750) return 0;
    double power = std::pow(x, a), scale = std::exp(-x);
    if (power > 0 && scale > 1e-290 && a > 1e-290) return power * scale / std::tgamma(a);
    return std::exp(a * std::log(x) - x - scalar::lgamma(a));
  }
  double i = 1 / a, z = i * i;
  double stirling =
      i * (1.0 / 12 -
           z * (1.0 / 360 -
                z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * 691.0 / 360360)))));
  return std::exp(a * log_less(a, x) - stirling) * std::sqrt(a / (2 * kPi));
}

// P by its power series, for x below about a + 1.
double lower_by_series(double a, double x) {
  double term = 1 / a, total = term;
  for (int n = 1; n < 5000; ++n) {
    term *= x / (a + n);
    total += term;
    if (term < kEps * total) break;
  }
  return total * gamma_density(a, x);
}

// Q by Legendre's continued fraction (Lentz), for x above about a + 1.
double upper_by_fraction(double a, double x) {
  const double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
  for (int n = 1; n < 5000; ++n) {
    double an = -n * (n - a);
    b += 2;
    d = an * d + b;
    if (std::fabs(d) < tiny) d = tiny;
    c = b + an / c;
    if (std::fabs(c) < tiny) c = tiny;
    d = 1 / d;
    double step = d * c;
    h *= step;
    if (std::fabs(step - 1) < 2 * kEps) break;
  }
  return h * gamma_density(a, x);
}

// Q for small a and x: 1 - x^a / gamma(1 + a) (1 + a sum (-x)^k / ((a + k) k!)), without the
// cancellation of its leading ones.
double upper_small(double a, double x) {
  double l = a * (a <= 1 ? sum(series::kLgamma1p, 2 * a - 1) : scalar::lgamma(1 + a) / a);
  double lead = std::expm1(a * std::log(x) - l);  // x^a / gamma(1 + a) - 1
  double term = 1, total = 0;
  for (int k = 1; k < 100; ++k) {
    term *= -x / k;
    double add = term / (a + k);
    total += add;
    if (std::fabs(add) < kEps * std::fabs(total)) break;
  }
  return -lead - (1 + lead) * a * total;
}

// Temme's uniform expansion for large a and x near a; `side` is 1 for Q and -1 for P.
double gamma_uniform(double a, double x, double side) {
  double half_square = -log_less(a, x);  // eta^2 / 2
  double eta = std::copysign(std::sqrt(2 * half_square), x - a);
  double rest = 0, power = 1;
  for (const auto& row : series::kTemme) {
    double c = 0;
    for (size_t n = std::size(row); n-- > 0;) c = c * eta + row[n];
    double add = c * power;
    rest += add;
    if (std::fabs(add) < kEps * std::fabs(rest)) break;
    power /= a;
  }
  double r = std::exp(-a * half_square) / std::sqrt(2 * kPi * a) * rest;
  return 0.5 * std::erfc(side * eta * std::sqrt(a / 2)) + side * r;
}

enum class Part { lower, upper };
double incomplete_gamma(double a, double x, Part part) {
  const bool upper = part == Part::upper;
  if (std::isnan(a) || std::isnan(x) || a < 0 || x < 0 || (a == 0 && x == 0)) return kNan;
  if (std::isinf(a)) return std::isinf(x) ? kNan : upper;
  if (a == 0 || std::isinf(x)) return !upper;
  if (x == 0) return upper;
  if (a > 20 && std::fabs(x - a) < 0.3 * a) return gamma_uniform(a, x, upper ? 1 : -1);
  if (x <= 1.1 && a <= 1.1 && upper) return upper_small(a, x);
  if (x <= 1.1 || x < a) {
    double p = lower_by_series(a, x);
    return upper ? 1 - p : p;
  }
  double q = upper_by_fraction(a, x);
  return upper ? q : 1 - q;
}

}  // namespace

double igamma(double a, double x) { return incomplete_gamma(a, x, Part::lower); }
double igammac(double a, double x) { return incomplete_gamma(a, x, Part::upper); }

// ---- orthogonal polynomials ---------------------------------------------------------------------

namespace {

// p_{k+1} = (a x + b) p_k - c p_{k-1}, from p_0 = 1; k = 0 gives p_1.
struct Step {
  double a, b, c;
};
Step recurrence(Polynomial kind, double k) {
  switch (kind) {
    case Polynomial::chebyshev_t:
      return {k == 0 ? 1.0 : 2.0, 0, 1};
    case Polynomial::chebyshev_u:
      return {2, 0, 1};
    case Polynomial::chebyshev_v:
      return {2, k == 0 ? -1.0 : 0.0, 1};
    case Polynomial::chebyshev_w:
      return {2, k == 0 ? 1.0 : 0.0, 1};
    case Polynomial::hermite_h:
      return {2, 0, 2 * k};
    case Polynomial::hermite_he:
      return {1, 0, k};
    case Polynomial::laguerre_l:
      return {-1 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1)};
    default:
      return {(2 * k + 1) / (k + 1), 0, k / (k + 1)};
  }
}

// The Chebyshev polynomials of high degree, where the recurrence would take long.
double chebyshev_closed(Polynomial kind, double n, double x) {
  if (std::fabs(x) > 1) {  // the growing solution, which all four share up to a factor
    double a = std::fabs(x), root = std::sqrt((a - 1) * (a + 1)), t = std::log(a + root);
    double sign = x < 0 && std::fmod(n, 2) != 0 ? -1 : 1, up = std::exp(n * t);
    switch (kind) {
      case Polynomial::chebyshev_t:
        return sign * (up + 1 / up) / 2;
      case Polynomial::chebyshev_u:
        return sign * (up * (a + root) - 1 / (up * (a + root))) / (2 * root);
      default: {  // V(x) = cosh((n + 1/2) t) / cosh(t / 2), W with sinh; they change places below
                  // -1
        double h = std::exp(t / 2);
        bool cosines = (kind == Polynomial::chebyshev_v) == (x > 0);
        return sign * (cosines ? (up * h + 1 / (up * h)) / (h + 1 / h)
                               : (up * h - 1 / (up * h)) / (h - 1 / h));
      }
    }
  }
  double angle = std::acos(x), half = angle / 2;
  double odd = std::fmod(n, 2) != 0 ? -1 : 1;
  switch (kind) {
    case Polynomial::chebyshev_t:
      return std::cos(n * angle);
    case Polynomial::chebyshev_u:
      return x == 1 ? n + 1 : x == -1 ? odd * (n + 1) : std::sin((n + 1) * angle) / std::sin(angle);
    case Polynomial::chebyshev_v:
      return x == -1 ? odd * (2 * n + 1) : std::cos((n + 0.5) * angle) / std::cos(half);
    default:
      return x == 1 ? 2 * n + 1 : std::sin((n + 0.5) * angle) / std::sin(half);
  }
}

// Above this degree the recurrence would take long, and leading terms are exact to 1e-7 and better.
constexpr double kLongRecurrence = 1 << 20;

// Hilb's formula with its next term: P(cos t) = sqrt(t / sin t) (J0(v t) - (1 - t cot t) / (8 t v)
// J1(v t)) with v = n + 1/2; beyond 1 with cosh and I0.
double legendre_closed(double n, double x) {
  const double sign = x < 0 && std::fmod(n, 2) != 0 ? -1 : 1, a = std::fabs(x), v = n + 0.5;
  if (a == 1) return sign;
  if (a > 1) {
    const double t = std::acosh(a);
    return sign * std::sqrt(t / std::sinh(t)) * bessel_i0(v * t);
  }
  const double t = std::acos(a), next = (1 - t / std::tan(t)) / (8 * t * v);
  return sign * std::sqrt(t / std::sin(t)) * (bessel_j0(v * t) - next * bessel_j1(v * t));
}

// The leading term of the uniform expansion below the turning point v = 4 n + 2.
double laguerre_closed(double n, double x) {
  if (x == 0) return 1;
  const double v = 4 * n + 2, a = std::fabs(x) / v, root = std::sqrt(a);
  const double sum = x > 0 ? 1 - a : 1 + a;
  const double xi = (root * std::sqrt(sum) + (x > 0 ? std::asin(root) : std::asinh(root))) / 2;
  const double wave = x > 0 ? bessel_j0(v * xi) : bessel_i0(v * xi);
  return std::exp(x / 2) * std::sqrt(xi / std::sqrt(a * sum)) * wave;
}

}  // namespace

// The recurrence, differentiated `order` times: row d holds the derivatives of p_k and p_{k-1}.
double polynomial(int kind_, double degree, double x, int order) {
  auto kind = Polynomial(kind_);
  if (std::isnan(x) || std::isnan(degree)) return kNan;
  degree = std::trunc(degree);
  if (degree < order || degree < 0) return 0;
  double scale = 1;
  if (kind >= Polynomial::shifted_chebyshev_t) {
    kind = Polynomial(int(kind) - int(Polynomial::shifted_chebyshev_t));
    scale = std::ldexp(1.0, order);
    x = 2 * x - 1;
  }
  if (order == 0 && degree > 100 && kind <= Polynomial::chebyshev_w)
    return chebyshev_closed(kind, degree, x);
  if (order == 0 && degree > kLongRecurrence) {
    if (kind == Polynomial::legendre_p) return legendre_closed(degree, x);
    // Further out every value is beyond the range of numbers, and the recurrence soon leaves it.
    if (kind == Polynomial::laguerre_l && std::fabs(x) <= degree) return laguerre_closed(degree, x);
  }
  if (order > 0 && degree > kLongRecurrence && kind != Polynomial::hermite_h &&
      kind != Polynomial::hermite_he)
    KG_FAIL(runtime, "derivatives are computed up to degree ", int64_t(kLongRecurrence),
            ", got degree ", degree, "; detach the argument or choose a smaller degree");
  double now[pointwise::kMaxDerivatives + 1] = {1}, before[pointwise::kMaxDerivatives + 1] = {};
  for (double k = 0; k < degree; k += 1) {
    const Step s = recurrence(kind, k);
    const double m = s.a * x + s.b;
    for (int d = order; d >= 0; --d) {
      double next = m * now[d] - s.c * before[d];
      if (d > 0) next += d * s.a * now[d - 1];
      before[d] = now[d];
      now[d] = next;
    }
    if (!std::isfinite(now[order])) break;
  }
  return scale * now[order];
}

}  // namespace kagari::scalar
