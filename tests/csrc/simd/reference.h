// Reference functions in a wider type, for judging the vectorised mathematics.
#pragma once

#include <quadmath.h>

#include <cmath>
#include <cstring>

namespace kagari_test {

// For float results: libm's double functions, good to 2^-28 of a float's unit.
using Reference64 = double (*)(double, double);
// For double results: libquadmath.
using Reference128 = __float128 (*)(__float128, __float128);

struct Reference {
  const char* name;
  double bound32, bound64;  // largest error allowed, in units in the last place
  // Results smaller than this are judged in units at this magnitude: the gamma functions have zeros
  // that double arithmetic does not resolve, in PyTorch as little as here, and so has gelu's slope.
  double floor64, floor32;
  Reference64 r64;
  Reference128 r128;
};

// ---- functions the libraries lack
// ------------------------------------------------------------------

inline __float128 erf_of(__float128 x) { return erfq(x); }
inline __float128 erfc_of(__float128 x) { return erfcq(x); }
inline __float128 exp_of(__float128 x) { return expq(x); }
inline double erf_of(double x) { return std::erf(x); }
inline double erfc_of(double x) { return std::erfc(x); }
inline double exp_of(double x) { return std::exp(x); }

// Newton's iteration from a rough formula, on erf or erfc, whichever is the smaller.
template <class T>
T inverse_erf(T x, int steps) {
  if (x != x || x < -1 || x > 1) return T(NAN);
  if (x == 1 || x == -1) return x * T(INFINITY);
  if (x == 0) return x;
  const double a = std::fabs(static_cast<double>(x));
  const double left = static_cast<double>(T(1) - (x < 0 ? -x : x));
  const double l = std::log(left * (1 + a)), b = 4.3307 + l / 2;
  T y = std::sqrt(std::sqrt(b * b - l / 0.147) - b);
  if (a < 0.01) y = T(0.8862269254527580) * T(a);
  const T target = x < 0 ? -x : x;
  for (int i = 0; i < steps; ++i) {
    const T d = y < T(0.5) ? erf_of(y) - target : (T(1) - target) - erfc_of(y);
    const T step =
        d * exp_of(y * y) * T(0.886226925452758013649083741670572591398774728061193564106903Q);
    y -= step * (T(1) + y * step);
  }
  return x < 0 ? -y : y;
}

inline __float128 log_of(__float128 x) { return logq(x); }
inline __float128 tan_of(__float128 x) { return tanq(x); }
inline __float128 round_of(__float128 x) { return rintq(x); }
inline long double log_of(long double x) { return std::log(x); }
inline long double tan_of(long double x) { return std::tan(x); }
inline long double round_of(long double x) { return std::rint(x); }

// Recurrence up to 24, then the asymptotic series.
template <class T>
T digamma_of(T x) {
  if (x != x) return x;
  if (x == 0) return std::signbit(static_cast<double>(x)) ? T(INFINITY) : -T(INFINITY);
  if (x == T(INFINITY)) return x;
  T r = 0;
  if (x < 0) {
    const T f = x - round_of(x);
    if (f == 0 || x == -T(INFINITY)) return T(NAN);
    r = -T(M_PIq) / tan_of(T(M_PIq) * f) - T(1) / x;
    x = -x;
  }
  for (; x < 24; x += 1) r -= T(1) / x;
  // B(2k) / (2k) for k = 1, 2, ...
  const T b[] = {T(1) / 12,        T(-1) / 120,       T(1) / 252,     T(-1) / 240,
                 T(1) / 132,       T(-691) / 32760,   T(1) / 12,      T(-3617) / 8160,
                 T(43867) / 14364, T(-174611) / 6600, T(77683) / 276, T(-236364091) / 65520};
  const T z = T(1) / (x * x);
  T s = 0;
  for (int k = 11; k >= 0; --k) s = (s + b[k]) * z;
  return r + log_of(x) - T(1) / (2 * x) - s;
}

// The rest with the divisor's sign.
template <class T>
T python_remainder(T rest, T y) {
  return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

// gelu's derivative, and for the form with tanh the factor of x and the derivative.
template <class T>
T normal_slope(T x) {
  if (x == T(INFINITY)) return 1;
  if (x == -T(INFINITY)) return -T(0);
  const T root = T(2.506628274631000502415765284811045253006986740609938Q);
  return erfc_of(-x / T(M_SQRT2q)) / 2 + x * exp_of(-x * x / 2) / root;
}
template <class T>
T tanh_share(T x) {
  const T u = 2 * T(0.797884560802865355879892119868763736951717262329869Q) *
              (x + T(0.044715Q) * x * x * x);
  return x < 0 ? exp_of(u) / (1 + exp_of(u)) : 1 / (1 + exp_of(-u));
}
template <class T>
T tanh_slope(T x) {
  if (x == T(INFINITY)) return 1;
  if (x == -T(INFINITY)) return -T(0);
  const T a = x < 0 ? -x : x, q = tanh_share(-a);
  const T u = 2 * T(0.797884560802865355879892119868763736951717262329869Q) *
              (1 + 3 * T(0.044715Q) * x * x);
  const T d = q == 0 ? T(0) : q * (1 - a * u * (1 - q));
  return x < 0 ? d : 1 - d;
}

// mish = x w / (w + 2) with w = n (n + 2), n = exp(x), and its slope.
template <class T>
T mish_of(T x) {
  if (x > 150) return x;
  const T n = exp_of(x), w = n * (n + 2);
  return x * (w / (w + 2));
}
template <class T>
T mish_slope_of(T x) {
  if (x > 100) return 1;
  const T n = exp_of(x), w = n * (n + 2);
  return w / (w + 2) + 4 * x * n * (1 + n) / ((w + 2) * (w + 2));
}

// The modified Bessel functions of order k = 0 and 1 by their power series, whose terms are all of
// one sign, and far out by their asymptotic one; times exp(-|x|) if `scaled`.
inline __float128 sqrt_of(__float128 x) { return sqrtq(x); }
inline long double exp_of(long double x) { return std::exp(x); }
inline long double sqrt_of(long double x) { return std::sqrt(x); }
template <class T>
T bessel_of(int k, T x, bool scaled) {
  if (x != x) return x;
  const bool minus = std::signbit(static_cast<double>(x));
  const T a = minus ? -x : x;
  T sum = 1, term = 1, y;
  if (a > 800 || (a > 100 && scaled)) {
    for (int j = 1; j < 40; ++j) {
      term *= (T(2 * j - 1) * (2 * j - 1) - 4 * k) / (8 * T(j) * a);
      sum += term;
    }
    y = sum / sqrt_of(2 * T(M_PIq) * a);
    if (!scaled) y = a > 12000 ? T(INFINITY) : y * exp_of(a);
  } else {
    const T q = a * a / 4;
    for (int j = 1; j < 2000 && term > sum * T(1e-40L); ++j) {
      term *= q / (T(j) * (j + k));
      sum += term;
    }
    y = (k ? a / 2 : T(1)) * sum * (scaled ? exp_of(-a) : T(1));
  }
  return k && minus ? -y : y;
}

// ---- the table
// -------------------------------------------------------------------------------------

#define KG_REF(name, b32, b64, floor64, e64, e128) \
  KG_REF_FLOORS(name, b32, b64, floor64, 0, e64, e128)
#define KG_REF_FLOORS(name, b32, b64, floor64, floor32, e64, e128)                     \
  Reference {                                                                          \
    #name, b32, b64, floor64, floor32,                                                 \
        [](double x, [[maybe_unused]] double y) -> double { return e64; },             \
        [](__float128 x, [[maybe_unused]] __float128 y) -> __float128 { return e128; } \
  }
#define KG_LIBM(name, b32, b64) KG_REF(name, b32, b64, 0, std::name(x), name##q(x))

inline const Reference kReferences[] = {
    KG_LIBM(exp, 0.56, 0.53),
    KG_LIBM(exp2, 0.56, 0.53),
    KG_LIBM(expm1, 0.56, 0.62),
    KG_LIBM(log, 0.56, 0.54),
    KG_LIBM(log2, 0.56, 0.51),
    KG_LIBM(log10, 0.56, 0.51),
    KG_LIBM(log1p, 0.52, 0.55),
    KG_REF(sigmoid, 1.6, 1.6, 0, x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)),
           x < 0 ? expq(x) / (1 + expq(x)) : 1 / (1 + expq(-x))),
    KG_LIBM(sin, 0.501, 0.51),
    KG_LIBM(cos, 0.501, 0.51),
    KG_LIBM(tan, 0.501, 0.51),
    KG_LIBM(asin, 0.51, 0.64),
    KG_LIBM(acos, 0.51, 0.64),
    KG_LIBM(atan, 0.51, 0.64),
    KG_LIBM(sinh, 0.51, 0.58),
    KG_LIBM(cosh, 0.51, 0.53),
    KG_LIBM(tanh, 0.513, 0.58),
    KG_LIBM(asinh, 0.51, 0.54),
    KG_LIBM(acosh, 0.51, 0.54),
    KG_LIBM(atanh, 0.51, 0.51),
    KG_LIBM(erf, 0.7, 0.66),
    KG_LIBM(erfc, 0.56, 0.7),
    KG_REF(erfinv, 0.5013, 1.0, 0, inverse_erf<double>(x, 3), inverse_erf<__float128>(x, 5)),
    KG_REF(gelu, 4.6, 4, 0.1, x* std::erfc(-x / M_SQRT2) / 2, x* erfcq(-x / M_SQRT2q) / 2),
    KG_REF_FLOORS(gelu_slope, 4.6, 4, 0.25, 0.25, normal_slope(x), normal_slope(x)),
    KG_REF(gelu_tanh, 2.5, 4, 0.1, x* tanh_share(x), x* tanh_share(x)),
    KG_REF_FLOORS(gelu_tanh_slope, 3, 25, 0.25, 0.25, tanh_slope(x), tanh_slope(x)),
    KG_REF_FLOORS(mish, 0.51, 3.5, 1e-290, 0, mish_of(x), mish_of(x)),
    KG_REF_FLOORS(mish_slope, 0.51, 3.5, 0.25, 0.25, mish_slope_of(x), mish_slope_of(x)),
    KG_REF(bessel_i0, 0.51, 6, 0, double(bessel_of<long double>(0, x, false)),
           bessel_of<__float128>(0, x, false)),
    KG_REF(bessel_i0e, 0.51, 5, 0, double(bessel_of<long double>(0, x, true)),
           bessel_of<__float128>(0, x, true)),
    KG_REF(bessel_i1, 0.51, 14, 0, double(bessel_of<long double>(1, x, false)),
           bessel_of<__float128>(1, x, false)),
    KG_REF(bessel_i1e, 0.51, 9, 0, double(bessel_of<long double>(1, x, true)),
           bessel_of<__float128>(1, x, true)),
    KG_LIBM(sqrt, 0.5, 0.5),
    KG_REF(rsqrt, 0.51, 0.76, 0, 1 / std::sqrt(x), 1 / sqrtq(x)),
    KG_REF(reciprocal, 0.5, 0.5, 0, 1 / x, 1 / x),
    KG_REF(lgamma, 0.6, 0.97, 1, std::lgamma(x), lgammaq(x)),
    KG_REF(digamma, 0.51, 40.0, 1, double(digamma_of<long double>(x)), digamma_of<__float128>(x)),
    KG_LIBM(floor, 0, 0),
    KG_LIBM(ceil, 0, 0),
    KG_LIBM(trunc, 0, 0),
    KG_REF(round, 0, 0, 0, std::rint(x), rintq(x)),
    KG_REF(atan2, 0.51, 0.65, 0, std::atan2(x, y), atan2q(x, y)),
    KG_REF(pow, 0.51, 0.7, 0, std::pow(x, y), powq(x, y)),
    KG_REF(hypot, 0.51, 1.0, 0, std::hypot(x, y), hypotq(x, y)),
    KG_REF(fmod, 0, 0, 0, std::fmod(x, y), fmodq(x, y)),
    KG_REF(remainder, 0.5, 0.5, 0, python_remainder(std::fmod(x, y), y),
           python_remainder(fmodq(x, y), y)),
};

#undef KG_LIBM
#undef KG_REF_FLOORS
#undef KG_REF

inline const Reference* find_reference(const char* name) {
  for (const Reference& r : kReferences) {
    if (std::strcmp(r.name, name) == 0) return &r;
  }
  return nullptr;
}

}  // namespace kagari_test
