// Many<T>: as many numbers of type T as a vector register holds, with the words of the pointwise
// mathematics.
//
// Floats use the vocabulary of cpu/simd. Integers wrap around as PyTorch's do; functions without a
// vector form run lane by lane. A complex Many is one number. Mask<T> is what comparisons of
// Many<T> yield.
#pragma once
#include <complex>
#include <utility>

#include "core/dtype.h"
#include "cpu/pointwise_scalar.h"
#include "cpu/simd/math.h"
#include "cpu/simd/math_bessel.h"
#include "ops/pointwise_formulas.h"

namespace kagari::KG_ISA {

template <class T>
inline constexpr bool is_complex_number = false;
template <class R>
inline constexpr bool is_complex_number<std::complex<R>> = true;
template <class T>
concept RealFloat = std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T>
concept Integer = std::is_integral_v<T>;
template <class A>
concept Arithmetic = std::is_arithmetic_v<A>;

template <class T>
struct Mask {
  using M = typename simd::Lanes<T>::mask;
  M m;
  friend KG_INLINE Mask operator&(Mask a, Mask b) { return {a.m & b.m}; }
  friend KG_INLINE Mask operator|(Mask a, Mask b) { return {a.m | b.m}; }
  friend KG_INLINE Mask operator^(Mask a, Mask b) { return {a.m ^ b.m}; }
  friend KG_INLINE Mask operator!(Mask a) { return {~a.m}; }
};
template <class R>
struct Mask<std::complex<R>> {
  bool m;
  friend KG_INLINE Mask operator&(Mask a, Mask b) { return {a.m && b.m}; }
  friend KG_INLINE Mask operator|(Mask a, Mask b) { return {a.m || b.m}; }
  friend KG_INLINE Mask operator^(Mask a, Mask b) { return {a.m != b.m}; }
  friend KG_INLINE Mask operator!(Mask a) { return {!a.m}; }
};

// Wrapping arithmetic: signed overflow is defined away by computing in the unsigned type.
template <class T>
struct ArithmeticOf {
  using type = typename simd::Lanes<T>::type;
};
template <Integer T>
struct ArithmeticOf<T> {
  using type = typename simd::Lanes<std::make_unsigned_t<T>>::type;
};

template <class T>
struct Many {
  using element = T;
  using V = typename simd::Lanes<T>::type;
  using W = typename ArithmeticOf<T>::type;
  using M = typename simd::Lanes<T>::mask;
  static constexpr int size = simd::Lanes<T>::size;
  V v;
  Many() = default;
  KG_INLINE Many(V x) : v(x) {}
  template <Arithmetic A>
  KG_INLINE Many(A a) : v(simd::splat<V>(static_cast<T>(a))) {}
  static KG_INLINE Many load(const void* p) { return simd::load(static_cast<const T*>(p)); }

  friend KG_INLINE Many operator+(Many a, Many b) { return V(W(a.v) + W(b.v)); }
  friend KG_INLINE Many operator-(Many a, Many b) { return V(W(a.v) - W(b.v)); }
  friend KG_INLINE Many operator*(Many a, Many b) { return V(W(a.v) * W(b.v)); }
  friend KG_INLINE Many operator/(Many a, Many b) { return V(a.v / b.v); }
  friend KG_INLINE Many operator-(Many a) { return V(-W(a.v)); }
  friend KG_INLINE Mask<T> operator<(Many a, Many b) { return {M(a.v < b.v)}; }
  friend KG_INLINE Mask<T> operator>(Many a, Many b) { return {M(a.v > b.v)}; }
  friend KG_INLINE Mask<T> operator<=(Many a, Many b) { return {M(a.v <= b.v)}; }
  friend KG_INLINE Mask<T> operator>=(Many a, Many b) { return {M(a.v >= b.v)}; }
  friend KG_INLINE Mask<T> operator==(Many a, Many b) { return {M(a.v == b.v)}; }
  friend KG_INLINE Mask<T> operator!=(Many a, Many b) { return {M(a.v != b.v)}; }
  friend KG_INLINE Many operator&(Many a, Many b)
    requires Integer<T>
  {
    return V(a.v & b.v);
  }
  friend KG_INLINE Many operator|(Many a, Many b)
    requires Integer<T>
  {
    return V(a.v | b.v);
  }
  friend KG_INLINE Many operator^(Many a, Many b)
    requires Integer<T>
  {
    return V(a.v ^ b.v);
  }
  // uint8_t computes bool, whose values are 0 and 1.
  friend KG_INLINE Many operator~(Many a)
    requires Integer<T>
  {
    if constexpr (sizeof(T) == 1)
      return V(a.v ^ 1);
    else
      return V(~a.v);
  }
};

template <class T>
KG_INLINE Many<T> where(Mask<T> m, std::type_identity_t<Many<T>> a,
                        std::type_identity_t<Many<T>> b) {
  return {m.m ? a.v : b.v};
}

// A derivative that is exactly zero where the mask does not hold.
template <class T>
struct When {
  Mask<T> mask;
  Many<T> d;
  friend KG_INLINE Many<T> operator*(Many<T> g, When w) { return where(w.mask, g * w.d, 0); }
};
template <class T>
KG_INLINE When<T> when(Mask<T> m, std::type_identity_t<Many<T>> d) {
  return {m, d};
}
template <class T>
KG_INLINE When<T> when(Mask<T> m, When<T> w) {
  return {m & w.mask, w.d};
}

template <class T, class F>
KG_INLINE Many<T> each(Many<T> a, F f) {
  for (int i = 0; i < Many<T>::size; ++i) a.v[i] = f(a.v[i]);
  return a;
}
template <class T, class F>
KG_INLINE Many<T> each(Many<T> a, Many<T> b, F f) {
  for (int i = 0; i < Many<T>::size; ++i) a.v[i] = f(a.v[i], b.v[i]);
  return a;
}

// ---- floats -------------------------------------------------------------------------------------

#define KG_LANES_1(f)              \
  template <RealFloat T>           \
  KG_INLINE Many<T> f(Many<T> x) { \
    return {simd::f(x.v)};         \
  }
#define KG_LANES_2(f)                                               \
  template <RealFloat T>                                            \
  KG_INLINE Many<T> f(Many<T> a, std::type_identity_t<Many<T>> b) { \
    return {simd::f(a.v, b.v)};                                     \
  }
KG_LANES_1(exp)
KG_LANES_1(exp2)
KG_LANES_1(expm1)
KG_LANES_1(log)
KG_LANES_1(log2)
KG_LANES_1(log10)
KG_LANES_1(log1p)
KG_LANES_1(sqrt)
KG_LANES_1(rsqrt)
KG_LANES_1(sin)
KG_LANES_1(cos)
KG_LANES_1(tan)
KG_LANES_1(asin)
KG_LANES_1(acos)
KG_LANES_1(atan)
KG_LANES_1(sinh)
KG_LANES_1(cosh)
KG_LANES_1(tanh)
KG_LANES_1(asinh)
KG_LANES_1(acosh)
KG_LANES_1(atanh)
KG_LANES_1(erf)
KG_LANES_1(erfc)
KG_LANES_1(erfinv)
KG_LANES_1(lgamma)
KG_LANES_1(digamma)
KG_LANES_1(bessel_i0)
KG_LANES_1(bessel_i0e)
KG_LANES_1(bessel_i1)
KG_LANES_1(bessel_i1e)
KG_LANES_1(sigmoid)
KG_LANES_1(gelu_slope)
KG_LANES_1(gelu_tanh_slope)
KG_LANES_1(mish_slope)
KG_LANES_1(abs)
KG_LANES_1(floor)
KG_LANES_1(ceil)
KG_LANES_1(trunc)
KG_LANES_1(round)
KG_LANES_2(atan2)
KG_LANES_2(maximum)
KG_LANES_2(minimum)
KG_LANES_2(fmax)
KG_LANES_2(fmin)
KG_LANES_2(copysign)
KG_LANES_2(pow)
KG_LANES_2(hypot)
KG_LANES_2(fmod)
KG_LANES_2(remainder)
#undef KG_LANES_1
#undef KG_LANES_2
template <RealFloat T>
KG_INLINE Many<T> gelu_value(Many<T> x) {
  return {simd::gelu(x.v)};
}
template <RealFloat T>
KG_INLINE Many<T> gelu_tanh_value(Many<T> x) {
  return {simd::gelu_tanh(x.v)};
}
template <RealFloat T>
KG_INLINE Many<T> mish_value(Many<T> x) {
  return {simd::mish(x.v)};
}

template <RealFloat T>
KG_INLINE Many<T> reciprocal(Many<T> x) {
  return 1 / x;
}
template <RealFloat T>
KG_INLINE Many<T> conj_physical(Many<T> x) {
  return x;
}
// The derivatives that hold by cases are real.
template <class T>
KG_INLINE When<T> conj_physical(When<T> x) {
  return x;
}
template <RealFloat T>
KG_INLINE Many<T> fma(Many<T> a, std::type_identity_t<Many<T>> b, std::type_identity_t<Many<T>> c) {
  return {simd::mul_add(a.v, b.v, c.v)};
}
template <RealFloat T>
KG_INLINE Mask<T> isnan(Many<T> x) {
  return x != x;
}
template <RealFloat T>
KG_INLINE Mask<T> isinf(Many<T> x) {
  return abs(x) == pointwise::kInf;
}
template <RealFloat T>
KG_INLINE Mask<T> isfinite(Many<T> x) {
  return abs(x) < pointwise::kInf;
}
template <RealFloat T>
KG_INLINE Mask<T> signbit(Many<T> x) {
  return {simd::bit_cast<simd::Bits<decltype(x.v)>>(x.v) < 0};
}
template <RealFloat T>
KG_INLINE Many<T> sgn(Many<T> x) {
  return where(x > 0, 1, where(x < 0, -1, 0));
}
template <RealFloat T>
KG_INLINE Many<T> angle(Many<T> x) {
  return where(x < 0, pointwise::kPi, where(x == x, 0, x));
}
template <RealFloat T>
KG_INLINE Many<T> angle_slope(Many<T> x) {
  return x * 0;
}
template <RealFloat T>
KG_INLINE Many<T> trunc_divide(Many<T> a, Many<T> b) {
  return trunc(a / b);
}

// The quotient that belongs to the remainder with b's sign, as Python computes it.
template <RealFloat T>
KG_INLINE Many<T> floor_divide(Many<T> a, Many<T> b) {
  Many<T> r = fmod(a, b);
  Many<T> q = (a - r) / b;
  q = where((r != 0) & ((b < 0) ^ (r < 0)), q - 1, q);
  Many<T> f = floor(q);
  f = where(q - f > 0.5, f + 1, f);
  f = where(q == 0, copysign(Many<T>(0), a / b), f);
  return where(b == 0, a / b, f);
}

// The bits of a float count its magnitude: one more is the next number away from zero.
template <RealFloat T>
KG_INLINE Many<T> nextafter(Many<T> a, std::type_identity_t<Many<T>> b) {
  using V = typename Many<T>::V;
  using I = simd::Bits<V>;
  const I inwards = (a < b).m ^ (a > 0).m;
  const V moved = simd::bit_cast<V>(simd::bit_cast<I>(a.v) + 1 + 2 * inwards);
  const V least = simd::bit_cast<V>(simd::splat<I>(1));
  const V r = a.v == 0 ? simd::copysign(least, b.v) : moved;
  return {simd::detail::nan_of(a.v, b.v, a.v == b.v ? b.v : r)};
}

// Functions without a vector form.
template <RealFloat T>
KG_INLINE Many<T> polygamma(std::type_identity_t<Many<T>> n, Many<T> x) {
  return each(n, x, [](T m, T v) { return T(scalar::polygamma(int(m), v)); });
}
#define KG_LANES_SPECIAL(f)                              \
  template <RealFloat T>                                 \
  KG_INLINE Many<T> f(Many<T> x) {                       \
    return each(x, [](T v) { return T(scalar::f(v)); }); \
  }
KG_WORDS_SPECIAL(KG_LANES_SPECIAL)
#undef KG_LANES_SPECIAL
#define KG_LANES_SPECIAL(f)                                         \
  template <RealFloat T>                                            \
  KG_INLINE Many<T> f(Many<T> a, std::type_identity_t<Many<T>> b) { \
    return each(a, b, [](T x, T y) { return T(scalar::f(x, y)); }); \
  }
KG_LANES_SPECIAL(zeta)
KG_LANES_SPECIAL(igamma)
KG_LANES_SPECIAL(igammac)
#undef KG_LANES_SPECIAL
template <RealFloat T>
KG_INLINE Many<T> polynomial(Many<T> x, Many<T> n, std::type_identity_t<T> kind,
                             std::type_identity_t<T> order) {
  return each(x, n, [=](T v, T m) { return T(scalar::polynomial(int(kind), m, v, int(order))); });
}
template <RealFloat T>
KG_INLINE Many<T> logaddexp(Many<T> a, Many<T> b) {
  Many<T> high = where(a > b, a, b);
  return where((a == b) & isinf(a), a, high + log1p(exp(-abs(a - b))));
}
template <RealFloat T>
KG_INLINE Many<T> logaddexp2(Many<T> a, Many<T> b) {
  Many<T> high = where(a > b, a, b);
  return where((a == b) & isinf(a), a, high + log1p(exp2(-abs(a - b))) * (1 / pointwise::kLn2));
}

// x with NaN and the infinities replaced.
template <RealFloat T>
KG_INLINE Many<T> replace(Many<T> x, Many<T> nan, Many<T> high, Many<T> low) {
  return where(isnan(x), nan,
               where(x == pointwise::kInf, high, where(x == -pointwise::kInf, low, x)));
}
// The neighbour of a in the direction of b in another format: steps through that format's bits.
template <class H, RealFloat T>
KG_INLINE Many<T> step_to(Many<T> a, Many<T> b) {
  return each(a, b, [](T x, T y) { return scalar::nextafter_as<H>(x, y); });
}

// ---- integers -----------------------------------------------------------------------------------

template <Integer T>
KG_INLINE Many<T> maximum(Many<T> a, std::type_identity_t<Many<T>> b) {
  return where(a > b, a, b);
}
template <Integer T>
KG_INLINE Many<T> minimum(Many<T> a, std::type_identity_t<Many<T>> b) {
  return where(a < b, a, b);
}
template <Integer T>
KG_INLINE Many<T> fmax(Many<T> a, Many<T> b) {
  return maximum(a, b);
}
template <Integer T>
KG_INLINE Many<T> fmin(Many<T> a, Many<T> b) {
  return minimum(a, b);
}
template <Integer T>
KG_INLINE Many<T> abs(Many<T> x) {
  if constexpr (std::is_unsigned_v<T>)
    return x;
  else
    return where(x < 0, -x, x);
}
template <Integer T>
KG_INLINE Many<T> sgn(Many<T> x) {
  return where(x > 0, 1, where(x == 0, 0, -1));
}
template <Integer T>
KG_INLINE Many<T> conj_physical(Many<T> x) {
  return x;
}
template <Integer T>
KG_INLINE Many<T> fma(Many<T> a, std::type_identity_t<Many<T>> b, std::type_identity_t<Many<T>> c) {
  return a * b + c;
}
template <Integer T>
KG_INLINE Many<T> floor(Many<T> x) {
  return x;
}
template <Integer T>
KG_INLINE Many<T> ceil(Many<T> x) {
  return x;
}
template <Integer T>
KG_INLINE Many<T> trunc(Many<T> x) {
  return x;
}
template <Integer T>
KG_INLINE Many<T> round(Many<T> x) {
  return x;
}
template <Integer T>
KG_INLINE Mask<T> isnan(Many<T> x) {
  return x != x;
}
template <Integer T>
KG_INLINE Mask<T> isinf(Many<T> x) {
  return x != x;
}
template <Integer T>
KG_INLINE Mask<T> isfinite(Many<T> x) {
  return x == x;
}
template <Integer T>
KG_INLINE Mask<T> signbit(Many<T> x) {
  return x < 0;
}

// Integers divided as doubles, which hold them and their products with the quotient exactly, and
// whose rounded quotient never reaches the next integer.
template <Integer T>
struct Division {
  Many<T> quotient, rest;
};
template <Integer T>
KG_NOINLINE Division<T> divide_each(Many<T> a, Many<T> b) {
  return {each(a, b, [](T x, T y) { return scalar::trunc_divide(x, y); }),
          each(a, b, [](T x, T y) { return scalar::fmod(x, y); })};
}

inline constexpr simd::Lane64 kDoubleBits = 0x4338000000000000ll;  // of 1.5 2^52
KG_INLINE simd::vd small_to_double(simd::vi64 x) {
  return simd::bit_cast<simd::vd>(x + kDoubleBits) - 0x1.8p52;
}
KG_INLINE simd::vi64 small_to_int(simd::vd x) {
  return simd::bit_cast<simd::vi64>(x + 0x1.8p52) - kDoubleBits;
}
// Whether all of both are below 2^51 in magnitude.
template <class T>
KG_INLINE bool all_small(Many<T> a, Many<T> b) {
  using U = simd::vu64;
  const U shift = U{} + (std::is_signed_v<T> ? uint64_t(1) << 51 : 0);
  const U high = ((U(a.v) + shift) | (U(b.v) + shift)) >> (std::is_signed_v<T> ? 52 : 51);
  return !simd::any(simd::vi64(high) != 0);
}

KG_INLINE simd::vi32_half low_half(simd::vi32 x) {
  return simd::bit_cast<simd::vi32_half>(simd::low_half(simd::bit_cast<simd::vf>(x)));
}
KG_INLINE simd::vi32_half high_half(simd::vi32 x) {
  return simd::bit_cast<simd::vi32_half>(simd::high_half(simd::bit_cast<simd::vf>(x)));
}
KG_INLINE simd::vi32 join(simd::vi32_half a, simd::vi32_half b) {
  return simd::bit_cast<simd::vi32>(
      simd::join(simd::bit_cast<simd::vf_half>(a), simd::bit_cast<simd::vf_half>(b)));
}
KG_INLINE simd::vi32_half divide_halves(simd::vi32_half a, simd::vi32_half b) {
  return __builtin_convertvector(
      __builtin_convertvector(a, simd::vd) / __builtin_convertvector(b, simd::vd), simd::vi32_half);
}

template <Integer T>
KG_INLINE Division<T> divide(Many<T> a, Many<T> b) {
  if constexpr (sizeof(T) == 8) {
    if (__builtin_expect(!all_small(a, b) || simd::any((b == 0).m), 0)) return divide_each(a, b);
    const simd::vd x = small_to_double(simd::vi64(a.v)), y = small_to_double(simd::vi64(b.v));
    const simd::vd q = simd::trunc(x / y);
    using V = typename Many<T>::V;
    return {V(small_to_int(q)), V(small_to_int(x - q * y))};
  } else if constexpr (sizeof(T) == 4) {
    // The smallest number divided by -1 has no quotient in the type.
    if (__builtin_expect(simd::any(((b == 0) | (b == -1)).m), 0)) return divide_each(a, b);
    const simd::vi32 q = join(divide_halves(low_half(a.v), low_half(b.v)),
                              divide_halves(high_half(a.v), high_half(b.v)));
    return {q, a - Many<T>(q) * b};
  } else {
    return divide_each(a, b);
  }
}
template <Integer T>
KG_INLINE Many<T> trunc_divide(Many<T> a, std::type_identity_t<Many<T>> b) {
  return divide(a, b).quotient;
}
template <Integer T>
KG_INLINE Many<T> fmod(Many<T> a, std::type_identity_t<Many<T>> b) {
  return divide(a, b).rest;
}
template <Integer T>
KG_INLINE Many<T> floor_divide(Many<T> a, std::type_identity_t<Many<T>> b) {
  const Division<T> d = divide(a, b);
  if constexpr (std::is_unsigned_v<T>) return d.quotient;
  return where((d.rest != 0) & ((d.rest ^ b) < 0), d.quotient - 1, d.quotient);
}
template <Integer T>
KG_INLINE Many<T> remainder(Many<T> a, std::type_identity_t<Many<T>> b) {
  const Division<T> d = divide(a, b);
  if constexpr (std::is_unsigned_v<T>) return d.rest;
  return where((d.rest != 0) & ((d.rest ^ b) < 0), d.rest + b, d.rest);
}

// Euclid's algorithm on whole numbers in double lanes.
KG_INLINE simd::vd gcd_of(simd::vd x, simd::vd y) {
  while (simd::any(y != 0)) {
    const simd::vi64 on = y != 0;
    const simd::vd rest = x - simd::trunc(x / simd::where(on, y, 1)) * y;
    x = simd::where(on, y, x);
    y = simd::where(on, rest, y);
  }
  return x;
}
template <Integer T>
KG_NOINLINE Many<T> gcd(Many<T> a, Many<T> b) {
  if constexpr (sizeof(T) == 8) {
    if (all_small(a, b)) {
      return {
          typename Many<T>::V(small_to_int(gcd_of(simd::abs(small_to_double(simd::vi64(a.v))),
                                                  simd::abs(small_to_double(simd::vi64(b.v))))))};
    }
  }
  return each(a, b, [](T x, T y) { return scalar::gcd(x, y); });
}

// The processor's shifts take care of counts beyond the bits as these words do.
template <Integer T>
KG_INLINE Many<T> shift_left(Many<T> a, std::type_identity_t<Many<T>> b) {
#if KG_SIMD_AVX2
  using V = typename Many<T>::V;
  if constexpr (sizeof(T) == 8) return V(_mm256_sllv_epi64((__m256i)a.v, (__m256i)b.v));
  if constexpr (sizeof(T) == 4) return V(_mm256_sllv_epi32((__m256i)a.v, (__m256i)b.v));
#endif
  return each(a, b, [](T x, T y) { return scalar::shift_left(x, y); });
}
template <Integer T>
KG_INLINE Many<T> shift_right(Many<T> a, std::type_identity_t<Many<T>> b) {
#if KG_SIMD_AVX2
  using V = typename Many<T>::V;
  if constexpr (std::is_same_v<T, uint64_t>)
    return V(_mm256_srlv_epi64((__m256i)a.v, (__m256i)b.v));
  if constexpr (std::is_same_v<T, int64_t>) {
    const simd::vi64 sign = a.v < 0;  // there is no arithmetic shift of 64 bits
    return V(_mm256_srlv_epi64((__m256i)(a.v ^ sign), (__m256i)b.v)) ^ sign;
  }
  if constexpr (std::is_same_v<T, int32_t>) return V(_mm256_srav_epi32((__m256i)a.v, (__m256i)b.v));
#endif
  return each(a, b, [](T x, T y) { return scalar::shift_right(x, y); });
}

#define KG_INTEGERS_2(name)                                            \
  template <Integer T>                                                 \
  KG_INLINE Many<T> name(Many<T> a, std::type_identity_t<Many<T>> b) { \
    return each(a, b, [](T x, T y) { return scalar::name(x, y); });    \
  }
KG_INTEGERS_2(pow)
KG_INTEGERS_2(lcm)
#undef KG_INTEGERS_2

// ---- complex numbers ------------------------------------------------------------------------

template <class R>
struct Many<std::complex<R>> {
  using element = std::complex<R>;
  static constexpr int size = 1;
  R re, im;
  Many() = default;
  KG_INLINE Many(R real, R imag) : re(real), im(imag) {}
  KG_INLINE Many(std::complex<R> z) : re(z.real()), im(z.imag()) {}
  template <Arithmetic A>
  KG_INLINE Many(A a) : re(static_cast<R>(a)), im(0) {}
  static KG_INLINE Many load(const void* p) {
    return {static_cast<const R*>(p)[0], static_cast<const R*>(p)[1]};
  }
  KG_INLINE std::complex<R> z() const { return {re, im}; }

  friend KG_INLINE Many operator+(Many a, Many b) { return {a.re + b.re, a.im + b.im}; }
  friend KG_INLINE Many operator-(Many a, Many b) { return {a.re - b.re, a.im - b.im}; }
  friend KG_INLINE Many operator*(Many a, Many b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  friend KG_INLINE Many
  operator/(Many a, Many b) {  // scaled, so that |b|^2 neither overflows nor underflows
    R s = scalar::fmax(scalar::fabs(b.re), scalar::fabs(b.im));
    if (!(s > 0)) s = 1;
    if (s == R(pointwise::kInf)) {  // a finite number by an infinite one
      b.re = scalar::copysign(R(b.re == s || b.re == -s), b.re);
      b.im = scalar::copysign(R(b.im == s || b.im == -s), b.im);
      a.re *= 0;
      a.im *= 0;
      s = 1;
    }
    R c = b.re / s, d = b.im / s, n = c * c + d * d, ar = a.re / s, ai = a.im / s;
    return {(ar * c + ai * d) / n, (ai * c - ar * d) / n};
  }
  friend KG_INLINE Many operator-(Many a) { return {-a.re, -a.im}; }
  friend KG_INLINE Mask<element> operator==(Many a, Many b) {
    return {a.re == b.re && a.im == b.im};
  }
  friend KG_INLINE Mask<element> operator!=(Many a, Many b) {
    return {a.re != b.re || a.im != b.im};
  }
  // Only formulas that select by magnitude or by a real operand compare; they mean the real part.
  friend KG_INLINE Mask<element> operator<(Many a, Many b) { return {a.re < b.re}; }
};
template <class R>
KG_INLINE Many<std::complex<R>> where(Mask<std::complex<R>> m,
                                      std::type_identity_t<Many<std::complex<R>>> a,
                                      std::type_identity_t<Many<std::complex<R>>> b) {
  return m.m ? a : b;
}
#define KG_COMPLEX_1(f, ...)                                   \
  template <class R>                                           \
  KG_INLINE Many<std::complex<R>> f(Many<std::complex<R>> x) { \
    [[maybe_unused]] const std::complex<R> z = x.z();          \
    return __VA_ARGS__;                                        \
  }
KG_COMPLEX_1(exp, std::exp(z))
KG_COMPLEX_1(log, std::log(z))
KG_COMPLEX_1(sqrt, std::sqrt(z))
KG_COMPLEX_1(sin, std::sin(z))
KG_COMPLEX_1(cos, std::cos(z))
KG_COMPLEX_1(tan, std::tan(z))
KG_COMPLEX_1(sinh, std::sinh(z))
KG_COMPLEX_1(cosh, std::cosh(z))
KG_COMPLEX_1(tanh, std::tanh(z))
KG_COMPLEX_1(asin, std::asin(z))
KG_COMPLEX_1(acos, std::acos(z))
KG_COMPLEX_1(atan, std::atan(z))
KG_COMPLEX_1(asinh, std::asinh(z))
KG_COMPLEX_1(acosh, std::acosh(z))
KG_COMPLEX_1(atanh, std::atanh(z))
KG_COMPLEX_1(exp2, std::exp(z* R(pointwise::kLn2)))
KG_COMPLEX_1(log2, std::log(z) / R(pointwise::kLn2))
KG_COMPLEX_1(log10, std::log10(z))
KG_COMPLEX_1(expm1, scalar::expm1(z))
KG_COMPLEX_1(log1p, scalar::log1p(z))
KG_COMPLEX_1(reciprocal, 1 / x)
KG_COMPLEX_1(rsqrt, 1 / sqrt(x))
KG_COMPLEX_1(sigmoid, 1 / (1 + exp(-x)))
KG_COMPLEX_1(abs, {scalar::hypot(x.re, x.im), R(0)})
KG_COMPLEX_1(angle, {R(std::atan2(x.im, x.re)), R(0)})
KG_COMPLEX_1(angle_slope, Many<std::complex<R>>(0, -1) / x)
KG_COMPLEX_1(conj_physical, {x.re, -x.im})
#undef KG_COMPLEX_1
template <class R>
KG_INLINE Many<std::complex<R>> sgn(Many<std::complex<R>> x) {
  R m = scalar::hypot(x.re, x.im);
  if (m == 0) return {0, 0};
  return {x.re / m, x.im / m};
}
template <class R>
KG_INLINE Many<std::complex<R>> pow(Many<std::complex<R>> a,
                                    std::type_identity_t<Many<std::complex<R>>> b) {
  return scalar::pow(a.z(), b.z());
}
template <class R>
KG_INLINE Many<std::complex<R>> fma(Many<std::complex<R>> a,
                                    std::type_identity_t<Many<std::complex<R>>> b,
                                    std::type_identity_t<Many<std::complex<R>>> c) {
  return a * b + c;
}
template <class R>
KG_INLINE Many<std::complex<R>> logaddexp(Many<std::complex<R>> a, Many<std::complex<R>> b) {
  if (a.re < b.re) std::swap(a, b);
  if ((a == b).m && isinf(a).m) return a;
  return a + log1p(exp(b - a));
}
template <class R>
KG_INLINE Many<std::complex<R>> replace(Many<std::complex<R>> x, Many<std::complex<R>> nan,
                                        Many<std::complex<R>> high, Many<std::complex<R>> low) {
  auto part = [&](R v) {
    return v != v                     ? nan.re
           : v == R(pointwise::kInf)  ? high.re
           : v == -R(pointwise::kInf) ? low.re
                                      : v;
  };
  return {part(x.re), part(x.im)};
}
template <class R>
KG_INLINE Mask<std::complex<R>> isnan(Many<std::complex<R>> x) {
  return {x.re != x.re || x.im != x.im};
}
template <class R>
KG_INLINE Mask<std::complex<R>> isinf(Many<std::complex<R>> x) {
  return {__builtin_isinf(x.re) || __builtin_isinf(x.im)};
}
template <class R>
KG_INLINE Mask<std::complex<R>> isfinite(Many<std::complex<R>> x) {
  return {__builtin_isfinite(x.re) && __builtin_isfinite(x.im)};
}

}  // namespace kagari::KG_ISA
