// Special functions without a vector form, in double precision.
#include "cpu/pointwise_scalar.h"

#include <cmath>
#include <limits>

#include "core/error.h"

namespace kagari::scalar {

namespace {
constexpr double kPi = 3.141592653589793238462643383279502884;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// B_2k / (2k)!: the coefficients of Euler and Maclaurin's formula.
constexpr double kBernoulli[] = {1.0 / 12,
                                 -1.0 / 720,
                                 1.0 / 30240,
                                 -1.0 / 1209600,
                                 1.0 / 47900160,
                                 -691.0 / 1307674368000,
                                 1.0 / 74724249600,
                                 -3617.0 / 10670622842880000,
                                 43867.0 / 5109094217170944000};
}  // namespace

void throw_division_by_zero() { KG_FAIL(runtime, "ZeroDivisionError"); }

double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

// Recurrence up to 10, then the asymptotic series; reflection below zero.
double digamma(double x) {
  if (x == 0) return std::copysign(kInf, -x);
  if (std::isnan(x) || x == -kInf) return kNan;
  if (x == kInf) return x;
  double r = 0;
  if (x < 0) {
    double part = x - std::floor(x);
    if (part == 0) return kNan;
    r = -kPi / std::tan(kPi * part);
    x = 1 - x;
  }
  double shift = 0;
  while (x < 10) {
    shift += 1 / x;
    x += 1;
  }
  double z = 1 / (x * x);
  double series =
      z * (1.0 / 12 - z * (1.0 / 120 -
                           z * (1.0 / 252 -
                                z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12))))));
  return r + (std::log(x) - 0.5 / x - series - shift);
}

// A rational start (Giles) polished by two steps of Newton's method.
double erfinv(double y) {
  if (std::isnan(y) || y < -1 || y > 1) return kNan;
  if (y == 1) return kInf;
  if (y == -1) return -kInf;
  double w = -std::log((1 - y) * (1 + y)), x;
  if (w < 5) {
    w -= 2.5;
    x = 1.50140941 +
        w * (0.246640727 + w * (-0.00417768164 +
                                w * (-0.00125372503 + w * (0.000218580870 + w * -4.39150654e-06))));
  } else {
    w = std::sqrt(w) - 3;
    x = 2.83297682 +
        w * (1.00167406 +
             w * (0.00943887047 + w * (-0.0076224613 + w * (0.00573950773 + w * -0.00367342844))));
  }
  x *= y;
  for (int i = 0; i < 3; ++i) {
    double a = std::fabs(x);
    double error = a < 0.5 ? std::erf(a) - std::fabs(y) : (1 - std::fabs(y)) - std::erfc(a);
    double slope = 2 / std::sqrt(kPi) * std::exp(-a * a);
    double step = error / slope;
    a -= step / (1 + a * step);
    x = std::copysign(a, y);
  }
  return x;
}

// Nine terms, then Euler and Maclaurin's formula for the rest.
double zeta(double s, double q) {
  if (q == kInf) return 0;
  if (s == 1) return kInf;
  if (s < 1) return kNan;
  if (q <= 0) {
    if (q == std::floor(q)) return kInf;
    if (s != std::floor(s)) return kNan;
    // The terms below zero are those of two more sums, turned around: no step for each of them.
    double steps = -std::floor(q), part = q + steps;
    double below = zeta(s, 1 - part) - zeta(s, steps + 1 - part);
    return zeta(s, part) + (std::fmod(s, 2) == 0 ? below : -below);
  }
  double sum = 0, a = q;
  for (int i = 0; i < 9 || a <= 9; ++i, a += 1) {
    double term = std::pow(a, -s);
    sum += term;
    if (std::fabs(term) < std::fabs(sum) * 1e-17) return sum;
  }
  double power = std::pow(a, -s);
  sum += power * a / (s - 1) + 0.5 * power;
  double factor = s, p = power / a;
  for (size_t k = 0; k < std::size(kBernoulli); ++k) {
    double term = kBernoulli[k] * factor * p;
    sum += term;
    if (std::fabs(term) < std::fabs(sum) * 1e-17) break;
    factor *= (s + double(2 * k + 1)) * (s + double(2 * k + 2));
    p /= a * a;
  }
  return sum;
}

double polygamma(int n, double x) {
  if (n == 0) return digamma(x);
  if (n == 1 && x < 0 && x != std::floor(x)) {  // reflection
    double s = std::sin(kPi * x);
    return kPi * kPi / (s * s) - polygamma(1, 1 - x);
  }
  return (n & 1 ? 1 : -1) * std::tgamma(double(n) + 1) * zeta(double(n) + 1, x);
}

}  // namespace kagari::scalar
