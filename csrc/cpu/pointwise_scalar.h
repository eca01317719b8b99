// Functions of the pointwise class that have no vector form: one number at a time, for lanes to
// call.
#pragma once
#include <complex>
#include <cstdint>
#include <type_traits>

// Always inline: a copy compiled for one instruction set must not serve another.
#define KG_SCALAR inline __attribute__((always_inline))

namespace kagari::scalar {

// ---- floats -------------------------------------------------------------------------------------

KG_SCALAR float fabs(float x) { return __builtin_fabsf(x); }
KG_SCALAR double fabs(double x) { return __builtin_fabs(x); }
KG_SCALAR float fmax(float x, float y) { return x < y ? y : x; }
KG_SCALAR double fmax(double x, double y) { return x < y ? y : x; }
KG_SCALAR float copysign(float x, float y) { return __builtin_copysignf(x, y); }
KG_SCALAR double copysign(double x, double y) { return __builtin_copysign(x, y); }
KG_SCALAR float hypot(float x, float y) { return __builtin_hypotf(x, y); }
KG_SCALAR double hypot(double x, double y) { return __builtin_hypot(x, y); }

// nextafter among the numbers of a 16-bit format H; x and y are such numbers.
template <class H, class T>
KG_SCALAR T nextafter_as(T x, T y) {
  if (x != x || y != y) return x + y;
  if (x == y) return y;
  H h = H(float(x));
  if (x == 0) {
    h.bits = uint16_t(y < 0 ? 0x8001 : 1);
  } else {
    h.bits = uint16_t(h.bits + ((x < y) == (x > 0) ? 1 : -1));
  }
  return T(float(h));
}

double lgamma(double x);  // log |gamma(x)|
double digamma(double x);
double erfinv(double x);
double zeta(double s, double q);    // Hurwitz's: the sum of (q + k)^-s over k >= 0, for s > 1
double polygamma(int n, double x);  // n >= 0

// In cpu/special.cpp. "e" marks the exponentially scaled form.
double bessel_i0(double x);
double bessel_i0e(double x);
double bessel_i1(double x);
double bessel_i1e(double x);
double bessel_k0(double x);
double bessel_k0e(double x);
double bessel_k1(double x);
double bessel_k1e(double x);
double bessel_j0(double x);
double bessel_j1(double x);
double bessel_y0(double x);
double bessel_y1(double x);
double airy_ai(double x);
double airy_ai_prime(double x);
double erfcx(double x);  // exp(x^2) erfc(x)
double ndtri(double p);  // where the normal distribution function is p
double igamma(double a, double x);
double igammac(double a, double x);

// kagari/ops/special.py numbers them in this order.
enum class Polynomial {
  chebyshev_t,
  chebyshev_u,
  chebyshev_v,
  chebyshev_w,
  hermite_h,
  hermite_he,
  laguerre_l,
  legendre_p,
  shifted_chebyshev_t,
  shifted_chebyshev_u,
  shifted_chebyshev_v,
  shifted_chebyshev_w
};
// The `order`-th derivative by x of the polynomial of a degree; 0 for negative degrees.
double polynomial(int kind, double degree, double x, int order);

// ---- complex numbers ----------------------------------------------------------------------------

template <class R>
KG_SCALAR std::complex<R> expm1(
    std::complex<R> z) {  // exact near 0: e^x cos y - 1 = expm1(x) cos y - 2 sin^2(y / 2)
  double x = z.real(), y = z.imag(), s = __builtin_sin(y / 2);
  return {R(__builtin_expm1(x) * __builtin_cos(y) - 2 * s * s),
          R(__builtin_exp(x) * __builtin_sin(y))};
}
template <class R>
KG_SCALAR std::complex<R> log1p(
    std::complex<R> z) {  // log |1 + z| from |1 + z|^2 - 1, which is exact near 0
  double x = z.real(), y = z.imag();
  double near = __builtin_fabs(x) < 0.5 && __builtin_fabs(y) < 0.5;
  double log_abs =
      near ? 0.5 * __builtin_log1p(x * (2 + x) + y * y) : __builtin_log(__builtin_hypot(1 + x, y));
  return {R(log_abs), R(__builtin_atan2(y, 1 + x))};
}
template <class R>
KG_SCALAR std::complex<R> pow(std::complex<R> a, std::complex<R> b) {
  if (b == std::complex<R>(0)) return 1;
  if (a == std::complex<R>(0)) return b.real() > 0 ? std::complex<R>(0) : std::pow(a, b);
  return std::pow(a, b);
}

// ---- integers -----------------------------------------------------------------------------------

[[noreturn]] void throw_division_by_zero();

template <class T>
concept Integer = std::is_integral_v<T>;
template <Integer T>
using Unsigned = std::make_unsigned_t<T>;

// -1 is kept apart: the smallest number divided by it overflows.
template <Integer T>
KG_SCALAR T trunc_divide(T a, T b) {
  if (b == 0) throw_division_by_zero();
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return T(-Unsigned<T>(a));
  return T(a / b);
}
template <Integer T>
KG_SCALAR T fmod(T a, T b) {
  if (b == 0) throw_division_by_zero();
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return T(a % b);
}
template <Integer T>
KG_SCALAR T pow(T base, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  }
  Unsigned<T> result = 1, square = Unsigned<T>(base);
  for (auto e = Unsigned<T>(exponent); e; e >>= 1, square *= square)
    if (e & 1) result *= square;
  return T(result);
}
template <Integer T>
KG_SCALAR T shift_left(T a, T b) {
  constexpr int bits = 8 * sizeof(T);
  return Unsigned<T>(b) >= Unsigned<T>(bits) ? T(0) : T(Unsigned<T>(a) << b);
}
template <Integer T>
KG_SCALAR T shift_right(T a, T b) {
  constexpr int bits = 8 * sizeof(T);
  if (Unsigned<T>(b) >= Unsigned<T>(bits)) return std::is_signed_v<T> ? T(a >> (bits - 1)) : T(0);
  return T(a >> b);
}
template <Integer T>
KG_SCALAR T gcd(T a, T b) {
  auto x = a < 0 ? Unsigned<T>(0) - Unsigned<T>(a) : Unsigned<T>(a);
  auto y = b < 0 ? Unsigned<T>(0) - Unsigned<T>(b) : Unsigned<T>(b);
  while (y) {
    auto r = x % y;
    x = y;
    y = r;
  }
  return T(x);
}
template <Integer T>
KG_SCALAR T lcm(T a, T b) {
  auto g = Unsigned<T>(gcd(a, b));
  if (g == 0) return 0;
  auto x = a < 0 ? Unsigned<T>(0) - Unsigned<T>(a) : Unsigned<T>(a);
  auto y = b < 0 ? Unsigned<T>(0) - Unsigned<T>(b) : Unsigned<T>(b);
  return T(x / g * y);
}

}  // namespace kagari::scalar

#undef KG_SCALAR
