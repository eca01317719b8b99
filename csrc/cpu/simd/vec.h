// The lanes kagari computes in: vector types, memory access, selection and correctly rounded
// basics.
//
// Files that include this one are compiled once per instruction set, with KG_ISA naming the set.
// Everything here works for the vectors vf and vd and, under the same name, for float and double,
// so an expression written once serves both. No function contracts a product and a sum on its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef KG_ISA
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define KG_ISA v4
#elif defined(__AVX2__) && defined(__FMA__)
#define KG_ISA v3
#elif defined(__SSE4_1__)
#define KG_ISA v2
#else
#define KG_ISA plain
#endif
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define KG_SIMD_AVX512 1
#define KG_SIMD_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define KG_SIMD_AVX2 1
#define KG_SIMD_BYTES 32
#else
#define KG_SIMD_BYTES 16
#if defined(__SSE4_1__)
#define KG_SIMD_SSE41 1
#endif
#endif

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define KG_SIMD_FMA 1
#endif

#define KG_INLINE inline __attribute__((always_inline))
#define KG_NOINLINE inline __attribute__((noinline))

namespace kagari::KG_ISA::simd {

inline constexpr int kBytes = KG_SIMD_BYTES;

using vf = float __attribute__((vector_size(KG_SIMD_BYTES)));
using vd = double __attribute__((vector_size(KG_SIMD_BYTES)));
using vi8 = std::int8_t __attribute__((vector_size(KG_SIMD_BYTES)));
using vu8 = std::uint8_t __attribute__((vector_size(KG_SIMD_BYTES)));
using vi16 = std::int16_t __attribute__((vector_size(KG_SIMD_BYTES)));
using vu16 = std::uint16_t __attribute__((vector_size(KG_SIMD_BYTES)));
using vi32 = std::int32_t __attribute__((vector_size(KG_SIMD_BYTES)));
using vu32 = std::uint32_t __attribute__((vector_size(KG_SIMD_BYTES)));
// Comparing doubles gives lanes of this type, which in clang is not that of std::int64_t.
#if defined(__clang__)
using Lane64 = long long;
#else
using Lane64 = std::int64_t;
#endif
using vi64 = Lane64 __attribute__((vector_size(KG_SIMD_BYTES)));
using vu64 = std::uint64_t __attribute__((vector_size(KG_SIMD_BYTES)));
// Half as many floats (or 32-bit integers): as many as vd has lanes.
using vf_half = float __attribute__((vector_size(KG_SIMD_BYTES / 2)));
using vi32_half = std::int32_t __attribute__((vector_size(KG_SIMD_BYTES / 2)));

// Lanes<T>: the vector whose elements are T. `size` elements, `mask` is what comparisons yield.
template <class T>
struct Lanes;

namespace detail {
template <class T, class V, class M>
struct LanesOf {
  using element = T;
  using type = V;
  using mask = M;
  static constexpr int size = KG_SIMD_BYTES / static_cast<int>(sizeof(T));
  static KG_INLINE V splat(T x) { return x - V{}; }
  static KG_INLINE V zero() { return V{}; }
};
}  // namespace detail

template <>
struct Lanes<float> : detail::LanesOf<float, vf, vi32> {};
template <>
struct Lanes<double> : detail::LanesOf<double, vd, vi64> {};
template <>
struct Lanes<std::int8_t> : detail::LanesOf<std::int8_t, vi8, vi8> {};
template <>
struct Lanes<std::uint8_t> : detail::LanesOf<std::uint8_t, vu8, vi8> {};
template <>
struct Lanes<std::int16_t> : detail::LanesOf<std::int16_t, vi16, vi16> {};
template <>
struct Lanes<std::uint16_t> : detail::LanesOf<std::uint16_t, vu16, vi16> {};
template <>
struct Lanes<std::int32_t> : detail::LanesOf<std::int32_t, vi32, vi32> {};
template <>
struct Lanes<std::uint32_t> : detail::LanesOf<std::uint32_t, vu32, vi32> {};
template <>
struct Lanes<std::int64_t> : detail::LanesOf<std::int64_t, vi64, vi64> {};
template <>
struct Lanes<std::uint64_t> : detail::LanesOf<std::uint64_t, vu64, vi64> {};

template <class V>
inline constexpr bool is_lanes = false;
template <>
inline constexpr bool is_lanes<vf> = true;
template <>
inline constexpr bool is_lanes<vd> = true;

// Element<V>: the number type an expression over V is about; float for both float and vf.
namespace detail {
template <class V>
struct ElementOf {
  using type = V;
};
template <>
struct ElementOf<vf> {
  using type = float;
};
template <>
struct ElementOf<vd> {
  using type = double;
};
template <>
struct ElementOf<vi8> {
  using type = std::int8_t;
};
template <>
struct ElementOf<vu8> {
  using type = std::uint8_t;
};
template <>
struct ElementOf<vi16> {
  using type = std::int16_t;
};
template <>
struct ElementOf<vu16> {
  using type = std::uint16_t;
};
template <>
struct ElementOf<vi32> {
  using type = std::int32_t;
};
template <>
struct ElementOf<vu32> {
  using type = std::uint32_t;
};
template <>
struct ElementOf<vi64> {
  using type = std::int64_t;
};
template <>
struct ElementOf<vu64> {
  using type = std::uint64_t;
};
}  // namespace detail
template <class V>
using Element = typename detail::ElementOf<V>::type;

// splat<V>(c): c, rounded to V's element type, in every lane; for a scalar V just the rounding.
// `splat<T>(0.1)` is how an expression spells a constant that is not exact.
template <class V, class C>
KG_INLINE V splat(C c) {
  if constexpr (std::is_arithmetic_v<V>) {
    return static_cast<V>(c);
  } else {
    return Lanes<Element<V>>::splat(static_cast<Element<V>>(c));
  }
}

// ---- memory ------------------------------------------------------------------------------------

template <class T>
KG_INLINE typename Lanes<T>::type load(const T* p) {
  typename Lanes<T>::type v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
KG_INLINE void store(T* p, typename Lanes<T>::type v) {
  std::memcpy(p, &v, sizeof v);
}

// The first n (0 <= n <= Lanes<T>::size) elements at p, zeros after them; reads nothing else.
template <class T>
KG_INLINE typename Lanes<T>::type load_partial(const T* p, int n) {
#if KG_SIMD_AVX512
  if constexpr (sizeof(T) == 4) {
    return (typename Lanes<T>::type)_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
  } else if constexpr (sizeof(T) == 8) {
    return (typename Lanes<T>::type)_mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p);
  }
#endif
  typename Lanes<T>::type v{};
  std::memcpy(&v, p, static_cast<std::size_t>(n) * sizeof(T));
  return v;
}

// Writes the first n lanes of v to p and nothing else.
template <class T>
KG_INLINE void store_partial(T* p, typename Lanes<T>::type v, int n) {
#if KG_SIMD_AVX512
  if constexpr (sizeof(T) == 4) {
    return _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), (__m512)v);
  } else if constexpr (sizeof(T) == 8) {
    return _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), (__m512d)v);
  }
#endif
  std::memcpy(p, &v, static_cast<std::size_t>(n) * sizeof(T));
}

// ---- bits --------------------------------------------------------------------------------------

// Same bits, other type of the same size.
template <class To, class From>
KG_INLINE To bit_cast(From x) {
  static_assert(sizeof(To) == sizeof(From));
  To y;
  std::memcpy(&y, &x, sizeof y);
  return y;
}

// Bits<V>: the signed integers of V's size. UBits<V>: the unsigned ones.
namespace detail {
template <class V>
struct BitsOf;
template <>
struct BitsOf<float> {
  using type = std::int32_t;
  using utype = std::uint32_t;
};
template <>
struct BitsOf<double> {
  using type = std::int64_t;
  using utype = std::uint64_t;
};
template <>
struct BitsOf<vf> {
  using type = vi32;
  using utype = vu32;
};
template <>
struct BitsOf<vd> {
  using type = vi64;
  using utype = vu64;
};
}  // namespace detail
template <class V>
using Bits = typename detail::BitsOf<V>::type;
template <class V>
using UBits = typename detail::BitsOf<V>::utype;

template <class V>
inline constexpr bool is_float_like =
    std::is_same_v<V, float> || std::is_same_v<V, double> || is_lanes<V>;
template <class V>
concept FloatLike = is_float_like<V>;

namespace detail {
template <FloatLike V>
KG_INLINE Bits<V> sign_mask() {
  return splat<Bits<V>>(std::is_same_v<Element<V>, float> ? Element<Bits<V>>(INT32_MIN)
                                                          : Element<Bits<V>>(INT64_MIN));
}
}  // namespace detail

// ---- selection ----------------------------------------------------------------------------------

// where(mask, a, b): a in the lanes where mask holds, b elsewhere. Masks come from comparisons:
// `x > 0` is a vector of all-ones or zero integers, or a bool when x is a scalar.
KG_INLINE vf where(vi32 m, vf a, vf b) { return m ? a : b; }
KG_INLINE vd where(vi64 m, vd a, vd b) { return m ? a : b; }
KG_INLINE vi32 where(vi32 m, vi32 a, vi32 b) { return m ? a : b; }
KG_INLINE vi64 where(vi64 m, vi64 a, vi64 b) { return m ? a : b; }

template <class A, class B>
  requires std::is_arithmetic_v<A> && std::is_arithmetic_v<B>
KG_INLINE std::common_type_t<A, B> where(bool m, A a, B b) {
  return m ? a : b;
}
template <class C>
  requires std::is_arithmetic_v<C>
KG_INLINE vf where(vi32 m, vf a, C b) {
  return m ? a : splat<vf>(b);
}
template <class C>
  requires std::is_arithmetic_v<C>
KG_INLINE vf where(vi32 m, C a, vf b) {
  return m ? splat<vf>(a) : b;
}
template <class C>
  requires std::is_arithmetic_v<C>
KG_INLINE vd where(vi64 m, vd a, C b) {
  return m ? a : splat<vd>(b);
}
template <class C>
  requires std::is_arithmetic_v<C>
KG_INLINE vd where(vi64 m, C a, vd b) {
  return m ? splat<vd>(a) : b;
}

KG_INLINE bool any(bool m) { return m; }
KG_INLINE bool all(bool m) { return m; }
KG_INLINE bool any(vi32 m) {
#if KG_SIMD_AVX512
  return _mm512_movepi32_mask((__m512i)m) != 0;
#elif KG_SIMD_AVX2
  return _mm256_movemask_ps((__m256)m) != 0;
#elif KG_SIMD_SSE41
  return _mm_movemask_ps((__m128)m) != 0;
#else
  return (m[0] | m[1] | m[2] | m[3]) != 0;
#endif
}
KG_INLINE bool any(vi64 m) {
#if KG_SIMD_AVX512
  return _mm512_movepi64_mask((__m512i)m) != 0;
#elif KG_SIMD_AVX2
  return _mm256_movemask_pd((__m256d)m) != 0;
#elif KG_SIMD_SSE41
  return _mm_movemask_pd((__m128d)m) != 0;
#else
  return (m[0] | m[1]) != 0;
#endif
}
KG_INLINE bool all(vi32 m) { return !any(~m); }
KG_INLINE bool all(vi64 m) { return !any(~m); }

// ---- sign, classes ------------------------------------------------------------------------------

template <FloatLike V>
KG_INLINE V abs(V x) {
  return bit_cast<V>(bit_cast<Bits<V>>(x) & ~detail::sign_mask<V>());
}

template <FloatLike V>
KG_INLINE V copysign(V magnitude, std::type_identity_t<V> sign) {
  const Bits<V> m = detail::sign_mask<V>();
  return bit_cast<V>((bit_cast<Bits<V>>(magnitude) & ~m) | (bit_cast<Bits<V>>(sign) & m));
}

// x with its sign flipped where s is negative (or -0.0).
template <FloatLike V>
KG_INLINE V flip_sign(V x, std::type_identity_t<V> s) {
  return bit_cast<V>(bit_cast<Bits<V>>(x) ^ (bit_cast<Bits<V>>(s) & detail::sign_mask<V>()));
}

template <FloatLike V>
KG_INLINE auto signbit(V x) {
  return bit_cast<Bits<V>>(x) < 0;
}
template <FloatLike V>
KG_INLINE auto isnan(V x) {
  return x != x;
}
template <FloatLike V>
KG_INLINE auto isinf(V x) {
  return abs(x) == splat<V>(__builtin_inf());
}
template <FloatLike V>
KG_INLINE auto isfinite(V x) {
  return abs(x) < splat<V>(__builtin_inf());
}

// ---- correctly rounded basics -------------------------------------------------------------------

KG_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
KG_INLINE double sqrt(double x) { return __builtin_sqrt(x); }

#if KG_SIMD_AVX512
// Forms with a full mask: the plain ones make GCC 12 warn of an uninitialised pass-through.
inline constexpr __mmask16 kAll16 = 0xffff;
inline constexpr __mmask8 kAll8 = 0xff;
KG_INLINE vf sqrt(vf x) { return (vf)_mm512_maskz_sqrt_ps(kAll16, (__m512)x); }
KG_INLINE vd sqrt(vd x) { return (vd)_mm512_maskz_sqrt_pd(kAll8, (__m512d)x); }
#define KG_SIMD_ROUND(name, mode)                                                         \
  KG_INLINE vf name(vf x) {                                                               \
    return (vf)_mm512_maskz_roundscale_ps(kAll16, (__m512)x, (mode) | _MM_FROUND_NO_EXC); \
  }                                                                                       \
  KG_INLINE vd name(vd x) {                                                               \
    return (vd)_mm512_maskz_roundscale_pd(kAll8, (__m512d)x, (mode) | _MM_FROUND_NO_EXC); \
  }
#elif KG_SIMD_AVX2
KG_INLINE vf sqrt(vf x) { return (vf)_mm256_sqrt_ps((__m256)x); }
KG_INLINE vd sqrt(vd x) { return (vd)_mm256_sqrt_pd((__m256d)x); }
#define KG_SIMD_ROUND(name, mode)                                                                \
  KG_INLINE vf name(vf x) { return (vf)_mm256_round_ps((__m256)x, (mode) | _MM_FROUND_NO_EXC); } \
  KG_INLINE vd name(vd x) { return (vd)_mm256_round_pd((__m256d)x, (mode) | _MM_FROUND_NO_EXC); }
#elif KG_SIMD_SSE41
KG_INLINE vf sqrt(vf x) { return (vf)_mm_sqrt_ps((__m128)x); }
KG_INLINE vd sqrt(vd x) { return (vd)_mm_sqrt_pd((__m128d)x); }
#define KG_SIMD_ROUND(name, mode)                                                             \
  KG_INLINE vf name(vf x) { return (vf)_mm_round_ps((__m128)x, (mode) | _MM_FROUND_NO_EXC); } \
  KG_INLINE vd name(vd x) { return (vd)_mm_round_pd((__m128d)x, (mode) | _MM_FROUND_NO_EXC); }
#else
namespace detail {
template <class V, class F>
KG_INLINE V lane_by_lane(V x, F f) {
  for (int i = 0; i < int(sizeof(V) / sizeof(x[0])); ++i) x[i] = f(x[i]);
  return x;
}
}  // namespace detail
KG_INLINE vf sqrt(vf x) {
  return detail::lane_by_lane(x, [](float v) { return __builtin_sqrtf(v); });
}
KG_INLINE vd sqrt(vd x) {
  return detail::lane_by_lane(x, [](double v) { return __builtin_sqrt(v); });
}
#endif

#ifdef KG_SIMD_ROUND
KG_SIMD_ROUND(round, _MM_FROUND_TO_NEAREST_INT)
KG_SIMD_ROUND(floor, _MM_FROUND_TO_NEG_INF)
KG_SIMD_ROUND(ceil, _MM_FROUND_TO_POS_INF)
KG_SIMD_ROUND(trunc, _MM_FROUND_TO_ZERO)
#undef KG_SIMD_ROUND
#else
#define KG_SIMD_ROUND(name, builtin)                                                   \
  KG_INLINE vf name(vf x) {                                                            \
    return detail::lane_by_lane(x, [](float v) { return __builtin_##builtin##f(v); }); \
  }                                                                                    \
  KG_INLINE vd name(vd x) {                                                            \
    return detail::lane_by_lane(x, [](double v) { return __builtin_##builtin(v); });   \
  }
KG_SIMD_ROUND(round, rint)
KG_SIMD_ROUND(floor, floor)
KG_SIMD_ROUND(ceil, ceil)
KG_SIMD_ROUND(trunc, trunc)
#undef KG_SIMD_ROUND
#endif

// round: to the nearest integer, halves to even.
KG_INLINE float round(float x) { return __builtin_rintf(x); }
KG_INLINE double round(double x) { return __builtin_rint(x); }
KG_INLINE float floor(float x) { return __builtin_floorf(x); }
KG_INLINE double floor(double x) { return __builtin_floor(x); }
KG_INLINE float ceil(float x) { return __builtin_ceilf(x); }
KG_INLINE double ceil(double x) { return __builtin_ceil(x); }
KG_INLINE float trunc(float x) { return __builtin_truncf(x); }
KG_INLINE double trunc(double x) { return __builtin_trunc(x); }

// fma(a, b, c): a * b + c with one rounding, on every machine.
KG_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
KG_INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#if KG_SIMD_AVX512
KG_INLINE vf fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
KG_INLINE vd fma(vd a, vd b, vd c) {
  return (vd)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif KG_SIMD_AVX2
KG_INLINE vf fma(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
KG_INLINE vd fma(vd a, vd b, vd c) {
  return (vd)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#else
KG_INLINE vf fma(vf a, vf b, vf c) {
  for (int i = 0; i < Lanes<float>::size; ++i) a[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return a;
}
KG_INLINE vd fma(vd a, vd b, vd c) {
  for (int i = 0; i < Lanes<double>::size; ++i) a[i] = __builtin_fma(a[i], b[i], c[i]);
  return a;
}
#endif

// mul_add(a, b, c): a * b + c, rounded once or twice, whichever this machine does fast.
template <FloatLike V>
KG_INLINE V mul_add(V a, std::type_identity_t<V> b, std::type_identity_t<V> c) {
#if KG_SIMD_FMA
  return fma(a, b, c);
#else
  return a * b + c;
#endif
}

// minimum, maximum: a NaN on either side gives a NaN.
template <FloatLike V>
KG_INLINE V minimum(V a, std::type_identity_t<V> b) {
  const V m = where(a < b, a, b);
  return where(isnan(a), a, m);
}
template <FloatLike V>
KG_INLINE V maximum(V a, std::type_identity_t<V> b) {
  const V m = where(a > b, a, b);
  return where(isnan(a), a, m);
}
// fmin, fmax: a NaN on one side gives the other side.
template <FloatLike V>
KG_INLINE V fmin(V a, std::type_identity_t<V> b) {
  const V m = where(a < b, a, b);
  return where(isnan(b), a, m);
}
template <FloatLike V>
KG_INLINE V fmax(V a, std::type_identity_t<V> b) {
  const V m = where(a > b, a, b);
  return where(isnan(b), a, m);
}

template <FloatLike V>
KG_INLINE V reciprocal(V x) {
  return 1 / x;
}

// ---- conversions -------------------------------------------------------------------------------

KG_INLINE vf_half low_half(vf x) {
#if KG_SIMD_AVX512
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
#elif KG_SIMD_AVX2
  return (vf_half)_mm256_castps256_ps128((__m256)x);
#else
  return __builtin_shufflevector(x, x, 0, 1);
#endif
}
KG_INLINE vf_half high_half(vf x) {
#if KG_SIMD_AVX512
  return (vf_half)_mm512_maskz_extractf32x8_ps(kAll8, (__m512)x, 1);
#elif KG_SIMD_AVX2
  return (vf_half)_mm256_extractf128_ps((__m256)x, 1);
#else
  return __builtin_shufflevector(x, x, 2, 3);
#endif
}
KG_INLINE vf join(vf_half a, vf_half b) {
#if KG_SIMD_AVX512
  return (vf)_mm512_insertf32x8(_mm512_castps256_ps512((__m256)a), (__m256)b, 1);
#elif KG_SIMD_AVX2
  return (vf)_mm256_insertf128_ps(_mm256_castps128_ps256((__m128)a), (__m128)b, 1);
#else
  return __builtin_shufflevector(a, b, 0, 1, 2, 3);
#endif
}

// widen: as many floats as vd has lanes, exactly; narrow rounds each lane once.
KG_INLINE vd widen(vf_half x) { return __builtin_convertvector(x, vd); }
KG_INLINE vf_half narrow(vd x) { return __builtin_convertvector(x, vf_half); }
KG_INLINE vd widen_low(vf x) {
#if KG_SIMD_AVX512
  return (vd)_mm512_maskz_cvtps_pd(kAll8, (__m256)low_half(x));
#elif KG_SIMD_AVX2
  return (vd)_mm256_cvtps_pd((__m128)low_half(x));
#elif KG_SIMD_SSE41
  return (vd)_mm_cvtps_pd((__m128)x);
#else
  return widen(low_half(x));
#endif
}
KG_INLINE vd widen_high(vf x) {
#if KG_SIMD_AVX512
  return (vd)_mm512_maskz_cvtps_pd(kAll8, (__m256)high_half(x));
#elif KG_SIMD_AVX2
  return (vd)_mm256_cvtps_pd((__m128)high_half(x));
#elif KG_SIMD_SSE41
  return (vd)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x));
#else
  return widen(high_half(x));
#endif
}
KG_INLINE vf narrow(vd low, vd high) {
#if KG_SIMD_AVX512
  return join((vf_half)_mm512_maskz_cvtpd_ps(kAll8, (__m512d)low),
              (vf_half)_mm512_maskz_cvtpd_ps(kAll8, (__m512d)high));
#elif KG_SIMD_AVX2
  return join((vf_half)_mm256_cvtpd_ps((__m256d)low), (vf_half)_mm256_cvtpd_ps((__m256d)high));
#elif KG_SIMD_SSE41
  return (vf)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)low), _mm_cvtpd_ps((__m128d)high));
#else
  return join(narrow(low), narrow(high));
#endif
}

// Numbers of one lane width into the other kind: integers to floating and, truncating, back.
KG_INLINE vf to_float(vi32 x) { return __builtin_convertvector(x, vf); }
KG_INLINE vd to_double(vi64 x) { return __builtin_convertvector(x, vd); }
KG_INLINE vi32 to_int(vf x) { return __builtin_convertvector(x, vi32); }
KG_INLINE vi64 to_int(vd x) { return __builtin_convertvector(x, vi64); }

namespace detail {

// fused(a, b, c): the product is exact, the result as good as rounded once; for error terms. It is
// the hardware's fma, or Dekker's splitting without one, which wants |a|, |b| < 2^990.
#if KG_SIMD_FMA
KG_INLINE vd fused(vd a, vd b, vd c) { return fma(a, b, c); }
#else
KG_INLINE vd fused(vd a, vd b, vd c) {
  const vd split = splat<vd>(134217729.0);
  const vd p = a * b;
  const vd at = a * split, bt = b * split;
  const vd ah = at - (at - a), bh = bt - (bt - b);
  const vd al = a - ah, bl = b - bh;
  const vd e = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
  const vd s = p + c;
  const vd t = s - p;
  return s + (((p - (s - t)) + (c - t)) + e);
}
#endif

// The larger (smaller) of x and a bound; NaN stays NaN.
#if KG_SIMD_AVX512
KG_INLINE vf at_least(vf x, float b) {
  return (vf)_mm512_maskz_max_ps(kAll16, _mm512_set1_ps(b), (__m512)x);
}
KG_INLINE vf at_most(vf x, float b) {
  return (vf)_mm512_maskz_min_ps(kAll16, _mm512_set1_ps(b), (__m512)x);
}
KG_INLINE vd at_least(vd x, double b) {
  return (vd)_mm512_maskz_max_pd(kAll8, _mm512_set1_pd(b), (__m512d)x);
}
KG_INLINE vd at_most(vd x, double b) {
  return (vd)_mm512_maskz_min_pd(kAll8, _mm512_set1_pd(b), (__m512d)x);
}
#elif KG_SIMD_AVX2
KG_INLINE vf at_least(vf x, float b) { return (vf)_mm256_max_ps(_mm256_set1_ps(b), (__m256)x); }
KG_INLINE vf at_most(vf x, float b) { return (vf)_mm256_min_ps(_mm256_set1_ps(b), (__m256)x); }
KG_INLINE vd at_least(vd x, double b) { return (vd)_mm256_max_pd(_mm256_set1_pd(b), (__m256d)x); }
KG_INLINE vd at_most(vd x, double b) { return (vd)_mm256_min_pd(_mm256_set1_pd(b), (__m256d)x); }
#else
KG_INLINE vf at_least(vf x, float b) { return where(x < b, b, x); }
KG_INLINE vf at_most(vf x, float b) { return where(x > b, b, x); }
KG_INLINE vd at_least(vd x, double b) { return where(x < b, b, x); }
KG_INLINE vd at_most(vd x, double b) { return where(x > b, b, x); }
#endif

// y, or x where x is a NaN. A NaN that runs through arithmetic comes out with a sign that hangs on
// the order the compiler gives operands, so one lane could differ from another.
template <class V>
KG_INLINE V nan_of(V x, V y) {
  return where(x == x, y, x);
}
template <class V>
KG_INLINE V nan_of(V x1, V x2, V y) {
  return nan_of(x1, nan_of(x2, y));
}

// A float function computed on the two halves of x in double lanes; NaN gives the same NaN.
template <class F>
KG_INLINE vf in_double(vf x, F f) {
  return nan_of(x, narrow(f(widen_low(x)), f(widen_high(x))));
}
template <class F>
KG_INLINE vf in_double(vf x, vf y, F f) {
  return nan_of(x, y, narrow(f(widen_low(x), widen_low(y)), f(widen_high(x), widen_high(y))));
}

// c[0] + c[1] x + ... + c[n-1] x^(n-1).
template <class V, std::size_t n, std::size_t i = 0>
KG_INLINE V poly(V x, const double (&c)[n]) {
  if constexpr (i + 1 == n) {
    return splat<V>(c[i]);
  } else {
    return mul_add(poly<V, n, i + 1>(x, c), x, splat<V>(c[i]));
  }
}

}  // namespace detail

}  // namespace kagari::KG_ISA::simd
