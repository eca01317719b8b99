// Mathematics for vf. Most functions widen to double lanes, where short polynomials leave an error
// of a few thousandths of a unit in the last place before the one rounding back to float.
#pragma once

#include "math_special.h"

namespace kagari::KG_ISA::simd {

// Kernels in double lanes for results that will be rounded to float: relative error below 2^-31.
// Their arguments are floats, so subnormals and overflow of double do not occur.
namespace detail::quick {

struct Exp {
  vd n, p;  // 2^n (1 + p)
};
KG_INLINE Exp exp_parts(vd x) {
  const vd shifted = mul_add(x, splat<vd>(co::kInvLn2_hi), splat<vd>(kShift));
  const vd r = mul_add(shifted - kShift, splat<vd>(-co::kLn2_hi), x);
  return {shifted, mul_add(r * r, poly(r, co::kExpQuick), r)};
}
KG_INLINE vd scale(vd shifted) { return power_of_two(shifted); }

KG_INLINE vd exp(vd x) {
  const Exp e = exp_parts(at_most(at_least(x, -700), 700));
  const vd s = quick::scale(e.n);
  return mul_add(s, e.p, s);
}

KG_INLINE vd expm1(vd x) {
  const Exp e = exp_parts(at_most(at_least(x, -700), 700));
  const vd s = quick::scale(e.n);
  return mul_add(s, e.p, s - 1);
}

// log(1 + f) for |f| <= 0.4143.
KG_INLINE vd log_near_one(vd f) {
  const vd s = f / (f + 2);
  const vd z = s * s;
  return mul_add(s * z, poly(z, co::kLogQuick), s + s);
}

// Finite x > 0.
KG_INLINE vd log_positive(vd x) {
  const Split p = split(x);
  return mul_add(p.k, splat<vd>(co::kLn2_hi), log_near_one(p.m - 1));
}

// log(1 + u), u > -1 finite.
KG_INLINE vd log1p_finite(vd u) {
  const vd w = 1 + u;
  const Split p = split(w);
  // What the sum lost, (u - (w - 1)) / w, matters only where w is near 1.
  const vd lost = where(abs(u) < 1, u - (w - 1), vd{}) * p.down;
  return mul_add(p.k, splat<vd>(co::kLn2_hi), log_near_one(p.m - 1 + lost));
}

}  // namespace detail::quick

namespace detail {

#if KG_SIMD_AVX512 || KG_SIMD_AVX2
#define KG_SIMD_EXP_NATIVE 1

// 2^n exp(r + rl) in float lanes, |r + rl| <= ln2 / 2m, where t = n + kExpShift and n is a multiple
// of 1 / m: the fraction's power of two comes from a register. Subnormal results are rounded twice
// on AVX-512 and wrong on AVX2, as is overflow.
#if KG_SIMD_AVX512
inline constexpr float kExpShift = 0x1.8p19f;  // m = 16
#else
inline constexpr float kExpShift = 0x1.8p20f;  // m = 8
#endif
KG_INLINE vf exp_scaled(vf t, vf r, vf rl) {
  const vf s = r + rl;
  const vi32 j = bit_cast<vi32>(t);
#if KG_SIMD_AVX512
  const vf hi = (vf)_mm512_maskz_permutexvar_ps(kAll16, (__m512i)j, (__m512)load(co::kPower16_hi));
  const vf lo = (vf)_mm512_maskz_permutexvar_ps(kAll16, (__m512i)j, (__m512)load(co::kPower16_lo));
  const vf p = fma(s * s, poly(s, co::kExpFloat16), rl);
  const vf y = hi + fma(hi, r, fma(hi, p, lo));
  return (vf)_mm512_maskz_scalef_ps(kAll16, (__m512)y, (__m512)(t - kExpShift));
#else
  const vf hi = (vf)_mm256_permutevar8x32_ps((__m256)load(co::kPower8_hi), (__m256i)j);
  const vf lo = (vf)_mm256_permutevar8x32_ps((__m256)load(co::kPower8_lo), (__m256i)j);
  const vf p = fma(s * s, poly(s, co::kExpFloat8), rl);
  const vf y = hi + fma(hi, r, fma(hi, p, lo));
  return bit_cast<vf>(bit_cast<vi32>(y) + ((j >> 3) << 23));
#endif
}

// exp(-(v + vl)) for 0 <= v <= 87.
KG_INLINE vf exp_of_minus(vf v, vf vl) {
  const vf t = fma(v, splat<vf>(-co::kInvLn2_hi), splat<vf>(kExpShift));
  const vf n = t - kExpShift;
  const float ln2 = static_cast<float>(co::kLn2_hi);
  return exp_scaled(t, fma(n, splat<vf>(-ln2), -v), fma(n, splat<vf>(ln2 - co::kLn2_hi), -vl));
}

// `fast` with its ends put right: results from [zero, low) are subnormal and come from `wide`, and
// so, but for AVX-512, do those from (high, inf]; outside of these are 0 and infinity.
template <class Wide>
KG_INLINE vf exp_ends(vf x, vf fast, float zero, float low, float high, float inf, Wide wide) {
#if KG_SIMD_AVX512
  (void)high, (void)inf;
  const vi32 edge = (x < low) & (x > zero);
#else
  fast = where(x < low, splat<vf>(0), where(x > high, splat<vf>(__builtin_inff()), fast));
  const vi32 edge = ((x < low) & (x > zero)) | ((x > high) & (x < inf));
#endif
  if (__builtin_expect(any(edge), 0)) return nan_of(x, where(edge, wide(x), fast));
  return nan_of(x, fast);
}

KG_NOINLINE vf exp_wide(vf x) {
  return in_double(x, [](vd v) { return quick::exp(v); });
}
KG_NOINLINE vf exp2_wide(vf x) {
  return in_double(x,
                   [](vd v) { return quick::exp(at_most(at_least(v, -200), 200) * co::kLn2_hi); });
}
#endif

}  // namespace detail

KG_INLINE vf exp(vf x) {
  using namespace detail;
#if KG_SIMD_EXP_NATIVE
#if KG_SIMD_AVX512
  const vf c = at_most(at_least(x, -105), 89);
#else
  const vf c = at_most(at_least(x, -87.3f), 88);
#endif
  const vf t = fma(c, splat<vf>(co::kInvLn2_hi), splat<vf>(kExpShift));
  const vf n = t - kExpShift;
  const float ln2 = static_cast<float>(co::kLn2_hi);
  const vf y = exp_scaled(t, fma(n, splat<vf>(-ln2), c), n * splat<vf>(ln2 - co::kLn2_hi));
  return exp_ends(x, y, -104, -87.3f, 88, 89, [](vf v) { return exp_wide(v); });
#else
  return in_double(x, [](vd v) { return quick::exp(v); });
#endif
}

KG_INLINE vf exp2(vf x) {
  using namespace detail;
#if KG_SIMD_EXP_NATIVE
#if KG_SIMD_AVX512
  const vf c = at_most(at_least(x, -151), 129);
#else
  const vf c = at_most(at_least(x, -126), 127);
#endif
  const vf t = c + kExpShift;
  const vf d = c - (t - kExpShift);
  const float ln2 = static_cast<float>(co::kLn2_hi);
  const vf r = d * ln2;
  const vf rl = fma(d, splat<vf>(co::kLn2_hi - ln2), fma(d, splat<vf>(ln2), -r));
  return exp_ends(x, exp_scaled(t, r, rl), -150, -126, 127, 128, [](vf v) { return exp2_wide(v); });
#else
  return in_double(x,
                   [](vd v) { return quick::exp(at_most(at_least(v, -200), 200) * co::kLn2_hi); });
#endif
}

KG_INLINE vf expm1(vf x) {
  const vf y = detail::in_double(x, [](vd v) { return detail::quick::expm1(v); });
  return where(x == 0, x, y);
}

KG_INLINE vf sigmoid(vf x) {
#if KG_SIMD_EXP_NATIVE
  using namespace detail;
  const vf e = exp_of_minus(at_most(abs(x), 87.3f), vf{});
  const vf num = where(x < 0, e, 1);
  const vf d = 1 + e, dl = (1 - d) + e;
  const vf q = num / d;
  // What the division and the sum rounded off, over d; 1 / d is q or 1 - q.
  const vf rest = fma(-q, dl, fma(-q, d, num));
  const vf y = fma(where(x < 0, 1 - q, q), rest, q);
  // Results down there are subnormal, and exp(x) to within their last place.
  const vi32 low = x < -87.3f;
  if (__builtin_expect(any(low), 0)) {
    const vi32 edge = low & (x > -104);
    return nan_of(x, where(low, any(edge) ? where(edge, exp_wide(x), 0) : vf{}, y));
  }
  return nan_of(x, y);
#else
  return detail::in_double(x, [](vd v) { return 1 / (1 + detail::quick::exp(-v)); });
#endif
}

namespace detail {

#if KG_SIMD_AVX512
// Sixteen or thirty-two floats, looked up by the low bits of each index.
KG_INLINE vf lookup16(const float* table, vi32 i) {
  return (vf)_mm512_maskz_permutexvar_ps(kAll16, (__m512i)i, (__m512)load(table));
}
KG_INLINE vf lookup32(const float* table, vi32 i) {
  return (vf)_mm512_permutex2var_ps((__m512)load(table), (__m512i)i, (__m512)load(table + 16));
}

// value + r slope + p as one sum: p is small, and what rounding the first two loses is added to it.
KG_INLINE vf piece_sum(vf value, vf slope, vf r, vf p) {
  const vf h = fma(r, slope, value);
  return h + (fma(r, slope, value - h) + p);
}
#endif

}  // namespace detail

KG_INLINE vf tanh(vf x) {
#if KG_SIMD_AVX512
  using namespace detail;
  // Polynomials about centres, their coefficients looked up in registers; the pieces are eighths
  // of the octaves of |x| + 3/4.
  const vf a = at_most(abs(x), 9.2f);
  const vi32 b = bit_cast<vi32>(a + 0.75f);
  const vi32 i = (b >> 20) - 1012;
  const vf centre = bit_cast<vf>((b & ~0xfffff) | 0x80000) - 0.75f;
  const vf r = a - where(i == 0, 0, centre);
  vf p = fma(lookup32(co::kTanhC7, i), r, lookup32(co::kTanhC6, i));
  p = fma(p, r, lookup32(co::kTanhC5, i));
  p = fma(p, r, lookup32(co::kTanhC4, i));
  p = fma(p, r, lookup32(co::kTanhC3, i));
  p = fma(p, r, lookup32(co::kTanhC2, i));
  p = fma(p, r, lookup32(co::kTanhSlope_lo, i));
  p = fma(p, r, lookup32(co::kTanhValue_lo, i));
  const vf y = piece_sum(lookup32(co::kTanhValue_hi, i), lookup32(co::kTanhSlope_hi, i), r, p);
  return nan_of(x, copysign(y, x));
#else
  const vf y = detail::in_double(abs(x), [](vd v) {
    const vd e = detail::quick::expm1(detail::at_most(v + v, 40));
    return e / (e + 2);
  });
  return copysign(y, x);
#endif
}

KG_INLINE vf sinh(vf x) {
  const vf y = detail::in_double(abs(x), [](vd v) {
    const vd e = detail::quick::expm1(v);
    return 0.5 * (e + e / (e + 1));
  });
  return copysign(y, x);
}

KG_INLINE vf cosh(vf x) {
  return detail::in_double(x, [](vd v) {
    const vd e = detail::quick::exp(abs(v));
    return 0.5 * (e + 1 / e);
  });
}

namespace detail {

// What every logarithm gives where x > zero_at is not a finite number.
KG_INLINE vf log_specials(vf x, float zero_at, vf y) {
  const float inf = __builtin_inff();
  y = where(x == zero_at, -inf, y);
  y = where(x == inf, inf, y);
  return nan_of(x, where(x >= zero_at, y, __builtin_nanf("")));
}

}  // namespace detail

KG_INLINE vf log(vf x) {
  using namespace detail;
#if KG_SIMD_AVX512
  // x = 2^k m with m in [3/4, 3/2); a table of sixteen takes m near 1.
  const vi32 small = x < 0x1p-126f;
  const vi32 b = bit_cast<vi32>(where(small, x * 0x1p24f, x));
  const vi32 u = b - 0x3f400000;
  const vf k = to_float(where(small, (u >> 23) - 24, u >> 23));
  const vf m = bit_cast<vf>(b - (u & ~0x7fffff));
  const vi32 j = u >> 19;
  const vf r = fma(m, lookup16(co::kLogInverse, j), splat<vf>(-1));
  const vf h = fma(k, splat<vf>(co::kLn2Short_hi), lookup16(co::kLogPiece_hi, j));
  const vf l = fma(k, splat<vf>(co::kLn2Short_lo), lookup16(co::kLogPiece_lo, j));
  const vf s = h + r;
  const vf y = s + (((h - s) + r) + fma(r * r, poly(r, co::kLogFloat), l));
#else
  const vf y = in_double(x, [](vd v) { return quick::log_positive(v); });
#endif
  return log_specials(x, 0, y);
}

KG_INLINE vf log2(vf x) {
  using namespace detail;
  const vf y = in_double(x, [](vd v) {
    const Split p = split(v);
    return mul_add(quick::log_near_one(p.m - 1), splat<vd>(co::kInvLn2_hi), p.k);
  });
  return log_specials(x, 0, y);
}

KG_INLINE vf log10(vf x) {
  const vf y = detail::in_double(
      x, [](vd v) { return detail::quick::log_positive(v) * detail::co::kInvLn10_hi; });
  return detail::log_specials(x, 0, y);
}

KG_INLINE vf log1p(vf x) {
  const vf y = detail::in_double(x, [](vd v) { return detail::quick::log1p_finite(v); });
  return where(x == 0, x, detail::log_specials(x, -1, y));
}

KG_INLINE vf asinh(vf x) {
  const vf y = detail::in_double(abs(x), [](vd a) {
    const vd z = a * a;
    return detail::quick::log1p_finite(a + z / (1 + sqrt(1 + z)));
  });
  return copysign(where(isfinite(x), y, abs(x)), x);
}

KG_INLINE vf acosh(vf x) {
  const vf y = detail::in_double(x, [](vd v) {
    const vd t = v - 1;
    return detail::quick::log1p_finite(t + sqrt(t * (t + 2)));
  });
  return where(x == __builtin_inff(), x, where(x >= 1, y, __builtin_nanf("")));
}

KG_INLINE vf atanh(vf x) {
  const vf a = abs(x);
  vf y = detail::in_double(
      a, [](vd v) { return 0.5 * detail::quick::log1p_finite((v + v) / (1 - v)); });
  y = where(a == 1, __builtin_inff(), y);
  return copysign(where(a <= 1, y, __builtin_nanf("")), x);
}

// ---- trigonometry -------------------------------------------------------------------------------

namespace detail::quick {

// sin(x) and cos(x) for |x| < 2^30: r = x less a multiple of pi (for cos, of pi past pi / 2), and
// the sign from whether the multiple is even.
KG_INLINE vd sin_wide(vd r, vd sign) {
  const vd z = r * r;
  return flip_sign(mul_add(r * z, poly(z, co::kSinWide), r), sign);
}
KG_INLINE vd sin(vd x) {
  const vd t = mul_add(x, splat<vd>(0.5 * co::kTwoOverPi_hi), splat<vd>(kShift));
  const vd n = t - kShift;
  const vd r = fused(n, splat<vd>(-co::kPi_lo), fused(n, splat<vd>(-co::kPi_hi), x));
  return sin_wide(r, bit_cast<vd>(bit_cast<vi64>(t) << 63));
}
KG_INLINE vd cos(vd x) {
  const vd t = mul_add(x, splat<vd>(0.5 * co::kTwoOverPi_hi), splat<vd>(-0.5)) + kShift;
  const vd n = (t - kShift) + 0.5;
  const vd r = fused(n, splat<vd>(-co::kPi_lo), fused(n, splat<vd>(-co::kPi_hi), x));
  return sin_wide(r, bit_cast<vd>(~bit_cast<vi64>(t) << 63));
}
KG_INLINE vd tan(vd x) {
  const vd t = mul_add(x, splat<vd>(co::kTwoOverPi_hi), splat<vd>(kShift));
  const vd n = t - kShift;
  const vd r = fused(n, splat<vd>(-co::kHalfPi_lo), fused(n, splat<vd>(-co::kHalfPi_hi), x));
  const vd z = r * r;
  const vd s = mul_add(r * z, poly(z, co::kSinQuick), r);
  const vd c = mul_add(z, poly(z, co::kCosQuick), splat<vd>(1));
  const vi64 odd = (bit_cast<vi64>(t) & 1) != 0;
  return where(odd, -c, s) / where(odd, s, c);
}

}  // namespace detail::quick

// One of the three for lanes with |x| >= 2^30 (and the others too, to be thrown away).
namespace detail {
KG_NOINLINE vf sin_huge(vf x) {
  return in_double(x, [](vd v) { return simd::sin(v); });
}
KG_NOINLINE vf cos_huge(vf x) {
  return in_double(x, [](vd v) { return simd::cos(v); });
}
KG_NOINLINE vf tan_huge(vf x) {
  return in_double(x, [](vd v) { return simd::tan(v); });
}
}  // namespace detail

KG_INLINE vf sin(vf x) {
  vf y = detail::in_double(x, [](vd v) { return detail::quick::sin(v); });
  const vi32 huge = abs(x) >= 0x1p30f;
  if (__builtin_expect(any(huge), 0)) y = where(huge, detail::sin_huge(x), y);
  return where(x == 0, x, y);
}
KG_INLINE vf cos(vf x) {
  vf y = detail::in_double(x, [](vd v) { return detail::quick::cos(v); });
  const vi32 huge = abs(x) >= 0x1p30f;
  if (__builtin_expect(any(huge), 0)) y = where(huge, detail::cos_huge(x), y);
  return y;
}
KG_INLINE vf tan(vf x) {
  vf y = detail::in_double(x, [](vd v) { return detail::quick::tan(v); });
  const vi32 huge = abs(x) >= 0x1p30f;
  if (__builtin_expect(any(huge), 0)) y = where(huge, detail::tan_huge(x), y);
  return where(x == 0, x, y);
}

namespace detail::quick {

KG_INLINE vd asin_near(vd x, vd z) { return mul_add(x * z, poly(z, co::kAsinQuick), x); }

// atan(small / large) for 0 <= small <= large, large > 0.
KG_INLINE vd atan_quotient(vd small, vd large) {
  const vi64 mid = small > 0x1.a827999fcef32p-2 * large;
  const vd t = where(mid, small - large, small) / where(mid, small + large, large);
  const vd z = t * t;
  return mul_add(t * z, poly(z, co::kAtanQuick), t) + where(mid, co::kQuarterPi_hi, vd{});
}

}  // namespace detail::quick

KG_INLINE vf asin(vf x) {
  const vf y = detail::in_double(abs(x), [](vd a) {
    const vi64 near = a < 0.5;
    const vd z = where(near, a * a, 0.5 * (1 - a));
    const vd v = detail::quick::asin_near(where(near, a, sqrt(z)), z);
    return where(near, v, detail::co::kHalfPi_hi - 2 * v);
  });
  return copysign(y, x);
}

KG_INLINE vf acos(vf x) {
  return detail::in_double(x, [](vd v) {
    const vd a = abs(v);
    const vi64 near = a < 0.5;
    const vd z = where(near, a * a, 0.5 * (1 - a));
    const vd s = detail::quick::asin_near(where(near, v, sqrt(z)), z);
    return where(near, detail::co::kHalfPi_hi - s, where(v < 0, detail::co::kPi_hi - 2 * s, 2 * s));
  });
}

KG_INLINE vf atan(vf x) {
  const vf y = detail::in_double(abs(x), [](vd a) {
    a = detail::at_most(a, 1e30);
    const vi64 swap = a > 1;
    const vd v =
        detail::quick::atan_quotient(where(swap, splat<vd>(1), a), where(swap, a, splat<vd>(1)));
    return where(swap, detail::co::kHalfPi_hi - v, v);
  });
  return copysign(y, x);
}

KG_INLINE vf atan2(vf y, vf x) {
  const vf r = detail::in_double(y, x, [](vd v, vd u) {
    // Infinities become huge numbers, far enough from every float.
    const vd a = detail::at_most(abs(v), 1e150), b = detail::at_most(abs(u), 1e150);
    const vi64 swap = a > b;
    const vd large = where(swap, a, b);
    const vd t = detail::quick::atan_quotient(where(swap, b, a), where(large == 0, 1, large));
    const vd q = where(swap, detail::co::kHalfPi_hi - t, t);
    return where(signbit(u), detail::co::kPi_hi - q, q);
  });
  return where(isnan(x), x, copysign(r, y));
}

// ---- error functions ----------------------------------------------------------------------------

namespace detail::quick {

KG_INLINE vd erf_near(vd x, vd z) {
  return x * mul_add(z, poly(z, co::kErfQuick), splat<vd>(co::kTwoOverRootPi_hi));
}
// 0.74 <= a <= 11.
KG_INLINE vd erfc_far(vd a) {
  const vd t = (a - 4) / (a + 4);
  return (poly(t, co::kErfcxQuick) * quick::exp(-(a * a))) / mul_add(splat<vd>(2), a, splat<vd>(1));
}

}  // namespace detail::quick

#if KG_SIMD_AVX512
namespace detail {
// erf next to the subnormal numbers, where float lanes have no room for a rest.
KG_NOINLINE vf erf_tiny(vf x) {
  return in_double(x, [](vd v) { return v * co::kTwoOverRootPi_hi; });
}
}  // namespace detail
#endif

KG_INLINE vf erf(vf x) {
#if KG_SIMD_AVX512
  using namespace detail;
  // erf(k / 8 + r) by six numbers for each k, looked up in registers; beyond 3.94 it is 1.
  const vf a = at_most(abs(x), 3.93f);
  const vf shift = splat<vf>(0x1.8p20);
  const vf t = a + shift;
  const vf r = a - (t - shift);
  const vi32 k = bit_cast<vi32>(t);
  vf p = fma(lookup32(co::kErfC5, k), r, lookup32(co::kErfC4, k));
  p = fma(p, r, lookup32(co::kErfC3, k));
  p = fma(p, r, lookup32(co::kErfC2, k));
  p = fma(p, r, lookup32(co::kErfSlope_lo, k));
  p = fma(p, r, lookup32(co::kErfValue_lo, k));
  const vf y = piece_sum(lookup32(co::kErfValue_hi, k), lookup32(co::kErfSlope_hi, k), r, p);
  const vi32 tiny = (a < 0x1p-90f) & (a > 0);
  if (__builtin_expect(any(tiny), 0)) {
    return nan_of(x, where(tiny, erf_tiny(x), copysign(y, x)));
  }
  return nan_of(x, copysign(y, x));
#elif KG_SIMD_AVX2
  using namespace detail;
  const vf a = at_most(abs(x), 4);
  vf y = in_double(a, [](vd v) { return quick::erf_near(v, v * v); });
  const vi32 outside = a >= 1;
  if (any(outside)) {
    // 1 - exp(-v) with v = -log(1 - erf(a)): 1 - erf is small enough for float lanes.
    const vf u = at_least(a, 1) - 1;
    const vf slope = poly(u, co::kErfFarFloat);
    const vf first = splat<vf>(co::kErfFar1_hi);
    const vf v = fma(u, slope, first);
    const float rest = static_cast<float>(co::kErfFar1_hi - static_cast<float>(co::kErfFar1_hi));
    y = where(outside, 1 - exp_of_minus(v, fma(u, slope, first - v) + rest), y);
  }
  return nan_of(x, copysign(y, x));
#else
  const vf y = detail::in_double(abs(x), [](vd a) {
    a = detail::at_most(a, 4);
    const vd near = detail::quick::erf_near(a, a * a);
    const vi64 outside = a >= 1;
    if (!any(outside)) return near;
    const vd far = -detail::quick::expm1(-detail::poly(a - 2.5, detail::co::kErfFar));
    return where(outside, far, near);
  });
  return copysign(y, x);
#endif
}

KG_INLINE vf erfc(vf x) {
  return detail::in_double(x, [](vd v) {
    const vd a = abs(v);
    const vd near = 1 - detail::quick::erf_near(v, v * v);
    const vd far = detail::quick::erfc_far(detail::at_most(detail::at_least(a, 0.75), 11));
    return where(a < 0.75, near, where(v < 0, 2 - far, far));
  });
}

// ---- gelu ---------------------------------------------------------------------------------------

// With F(-a) the share of the normal distribution below -a, a = |x|, gelu(x) is max(x, 0) - a F(-a)
// and its slope F(-a) - a p(a), or one less that: no sum cancels, on neither side. The form with
// tanh is the same with 1 / (1 + exp(2u)) for F(-a).
namespace detail::quick {

// F(-a) for 0 <= a <= 15.5.
KG_INLINE vd normal_tail(vd a) {
  const vd s = a * 0.70710678118654752440;
  const vd near = 0.5 - 0.5 * erf_near(s, s * s);
  return where(s < 0.75, near, 0.5 * erfc_far(at_least(s, 0.75)));
}
// Above zero `a` stops where nothing is left of the tail, below zero it does not: -infinity becomes
// infinity times zero, PyTorch's NaN.
KG_INLINE vd gelu(vd x) {
  const vd a = abs(at_most(x, 15.5));
  const vd t = a * where(a < 15.5, normal_tail(at_most(a, 15.5)), vd{});
  return where(x < 0, -t, x - t);
}
KG_INLINE vd gelu_slope(vd x) {
  const vd a = at_most(abs(x), 15.5);
  const vd d = normal_tail(a) - a * (0.39894228040143267794 * exp(-0.5 * a * a));
  return where(x < 0, d, 1 - d);
}

inline constexpr double kGeluTanh1 = 1.5957691216057307117, kGeluTanh3 = kGeluTanh1 * 0.044715;
KG_INLINE vd tanh_tail(vd a) {
  const vd e = exp(-a * mul_add(splat<vd>(kGeluTanh3), a * a, splat<vd>(kGeluTanh1)));
  return e / (1 + e);
}
KG_INLINE vd gelu_tanh(vd x) {
  const vd a = abs(at_most(x, 12));
  const vd t = a * where(a < 12, tanh_tail(at_most(a, 12)), vd{});
  return where(x < 0, -t, x - t);
}
KG_INLINE vd gelu_tanh_slope(vd x) {
  const vd a = at_most(abs(x), 12), q = tanh_tail(a);
  const vd slope = mul_add(splat<vd>(3 * kGeluTanh3), a * a, splat<vd>(kGeluTanh1));
  const vd d = q * (1 - a * slope * (1 - q));
  return where(x < 0, d, 1 - d);
}

}  // namespace detail::quick

#if KG_SIMD_EXP_NATIVE
namespace detail {

KG_NOINLINE vf gelu_wide(vf x) {
  return in_double(x, [](vd v) { return quick::gelu(v); });
}
KG_NOINLINE vf gelu_slope_wide(vf x) {
  return in_double(x, [](vd v) { return quick::gelu_slope(v); });
}
KG_NOINLINE vf gelu_tanh_wide(vf x) {
  return in_double(x, [](vd v) { return quick::gelu_tanh(v); });
}
KG_NOINLINE vf gelu_tanh_slope_wide(vf x) {
  return in_double(x, [](vd v) { return quick::gelu_tanh_slope(v); });
}

KG_INLINE vf exp_of_half_square(vf a) {
  const vf s = a * a;
  return exp_of_minus(0.5f * s, 0.5f * fma(a, a, -s));
}

// 1 / (1 + exp(a (c1 + c3 a^2))) for 0 <= a <= 9.9. The exponent is a sum of two floats: its
// rounding would be up to 87 times that of the result.
KG_INLINE vf tanh_tail(vf a) {
  const float c1 = static_cast<float>(quick::kGeluTanh1),
              c3 = static_cast<float>(quick::kGeluTanh3);
  const vf s = a * a, sl = fma(a, a, -s);
  const vf m = s * c3;
  const vf ml = fma(s, splat<vf>(c3), -m) + fma(s, splat<vf>(quick::kGeluTanh3 - c3), sl * c3);
  const vf k = m + c1, back = k - m;
  const vf kl =
      ((m - (k - back)) + (c1 - back)) + (ml + static_cast<float>(quick::kGeluTanh1 - c1));
  const vf v = a * k;
  const vf e = exp_of_minus(v, fma(a, kl, fma(a, k, -v)));
  const vf d = 1 + e, q = e / d;
  // What the division and the sum rounded off, as in sigmoid.
  const vf rest = fma(-q, (1 - d) + e, fma(-q, d, e));
  return fma(1 - q, rest, q);
}

// `fast` down to `low`, where results begin to be subnormal and come from `wide`.
template <class Wide>
KG_INLINE vf gelu_ends(vf x, vf fast, float low, Wide wide) {
  const vi32 edge = x < low;
  if (__builtin_expect(any(edge), 0)) return nan_of(x, where(edge, wide(x), fast));
  return nan_of(x, fast);
}

}  // namespace detail
#endif

KG_INLINE vf gelu(vf x) {
  using namespace detail;
#if KG_SIMD_EXP_NATIVE
  const vf a = at_most(abs(x), 13.1f);
  const vf s = a / (a + 4);
  const vf tail = s * poly(s - 0.375f, co::kNormalTail);
  const vf y = fma(-exp_of_half_square(a), tail, at_least(x, 0));
  return gelu_ends(x, y, -13.1f, [](vf v) { return gelu_wide(v); });
#else
  return in_double(x, [](vd v) { return quick::gelu(v); });
#endif
}

KG_INLINE vf gelu_slope(vf x) {
  using namespace detail;
#if KG_SIMD_EXP_NATIVE
  const vf a = at_most(abs(x), 13.1f);
  const vf w = 1 / (a + 4);
  const vf ratio = w * poly(fma(a, w, splat<vf>(-0.375f)), co::kNormalTail);
  const vf d = exp_of_half_square(a) * fma(a, splat<vf>(-0.39894228040143267794), ratio);
  return gelu_ends(x, where(x < 0, d, 1 - d), -13.1f, [](vf v) { return gelu_slope_wide(v); });
#else
  return in_double(x, [](vd v) { return quick::gelu_slope(v); });
#endif
}

KG_INLINE vf gelu_tanh(vf x) {
  using namespace detail;
#if KG_SIMD_EXP_NATIVE
  const vf a = at_most(abs(x), 9.9f);
  const vf y = fma(-a, tanh_tail(a), at_least(x, 0));
  return gelu_ends(x, y, -9.9f, [](vf v) { return gelu_tanh_wide(v); });
#else
  return in_double(x, [](vd v) { return quick::gelu_tanh(v); });
#endif
}

KG_INLINE vf gelu_tanh_slope(vf x) {
  using namespace detail;
#if KG_SIMD_EXP_NATIVE
  const vf a = at_most(abs(x), 9.9f);
  const vf q = tanh_tail(a);
  const vf slope = fma(a * a, splat<vf>(3 * quick::kGeluTanh3), splat<vf>(quick::kGeluTanh1));
  const vf d = q * fma(a * slope, q - 1, splat<vf>(1));
  return gelu_ends(x, where(x < 0, d, 1 - d), -9.9f, [](vf v) { return gelu_tanh_slope_wide(v); });
#else
  return in_double(x, [](vd v) { return quick::gelu_tanh_slope(v); });
#endif
}

// ---- mish ---------------------------------------------------------------------------------------

KG_INLINE vf mish(vf x) {
  using namespace detail;
  const vf y = in_double(x, [](vd v) {
    const vd n = quick::exp(at_most(v, kMishEnd)), w = n * (n + 2);
    return v * (w / (w + 2));
  });
  return where(x == -__builtin_inff(), __builtin_nanf(""), y);
}
KG_INLINE vf mish_slope(vf x) {
  using namespace detail;
  const vf y = in_double(x, [](vd v) {
    v = at_most(v, kMishEnd);
    return detail::mish_slope(v, quick::exp(v));
  });
  return where(x == -__builtin_inff(), __builtin_nanf(""), y);
}

// ---- powers -------------------------------------------------------------------------------------

KG_INLINE vf pow(vf x, vf y) {
  const vf magnitude = detail::in_double(abs(x), y, [](vd a, vd v) {
    const vd l = detail::quick::log_positive(a);
    const double inf = __builtin_inf();
    return detail::quick::exp(v * where(a == 0, -inf, where(a == inf, inf, l)));
  });
  return detail::pow_specials(x, y, magnitude);
}

KG_INLINE vf hypot(vf x, vf y) {
  const vf r = detail::in_double(x, y, [](vd a, vd b) { return sqrt(mul_add(a, a, b * b)); });
  return where(isinf(x) | isinf(y), __builtin_inff(), r);
}

// ---- erfinv and lgamma --------------------------------------------------------------------------

KG_INLINE vf erfinv(vf x) {
  const vf y = detail::in_double(x, [](vd v) {
    const vd a = detail::at_most(abs(v), 0x1.fffffep-1);
    return detail::erfinv_start<false>(a, -detail::quick::log_positive((1 - a) * (1 + a)));
  });
  const vf a = abs(x);
  const vf r = where(a < 1, y, where(a == 1, __builtin_inff(), splat<vf>(__builtin_nanf(""))));
  return detail::nan_of(x, copysign(r, x));
}

namespace detail {

// Next to a zero between two poles, where the sum of logarithms cancels: from double's own form.
KG_NOINLINE vf lgamma_wide(vf x) {
  return in_double(x, [](vd v) { return simd::lgamma(v); });
}

namespace quick {

// Finite x > 0, as lgamma_positive in plain double lanes.
KG_INLINE vd lgamma_positive(vd x) {
  const vd xs = at_most(x, 8.5);
  const vd n = round(xs);
  const vd t = xs - where(n < 8, n, splat<vd>(8));
  vd p = splat<vd>(1);
  for (int j = 2; j < 8; ++j) p = where(n > j, p * (t + j), p);
  const vi64 down = n < 2;
  p = where(down, where(n < 1, xs * (xs + 1), xs), p);
  const vi64 far = x >= 8.5;
  const vd l = log_positive(where(far, x, p));
  const vd q = t * mul_add(t, poly(t, co::kLgammaQuick), splat<vd>(co::kLgamma0_hi));
  const vd near = q + where(down, -l, l);
  const vd i = 1 / x;
  const vd rest = mul_add(i, poly(i * i, co::kStirlingQuick), splat<vd>(co::kHalfLog2Pi_hi - 0.5));
  return where(far, mul_add(x - 0.5, l - 1, rest), near);
}

// lgamma(-a) = log(pi) - log(a |sin(pi a)|) - lgamma(a); NaN where so much cancels that digits lack.
KG_INLINE vd lgamma(vd x) {
  const vd a = at_most(abs(x), 1e40);
  const vd g = lgamma_positive(a);
  const vi64 mirror = x < 0;
  if (!any(mirror)) return where(a == 0, __builtin_inf(), g);
  const vd f = a - round(a);
  const vi64 pole = f == 0;
  const vd l = log_positive(where(pole, splat<vd>(1), a * abs(sin_wide(co::kPi_hi * f, vd{}))));
  vd m = (co::kLogPi_hi - l) - g;
  m = where(abs(m) < 0.125 * (abs(l) + abs(g)), __builtin_nan(""), m);
  m = where(pole, __builtin_inf(), m);
  return where(a == 0, __builtin_inf(), where(mirror, m, g));
}

}  // namespace quick
}  // namespace detail

KG_NOINLINE vf lgamma(vf x) {
  using namespace detail;
  const vf y = in_double(x, [](vd v) { return quick::lgamma(v); });
  const vi32 lost = (y != y) & (x == x);
  if (any(lost)) return nan_of(x, where(lost, lgamma_wide(x), y));
  return nan_of(x, y);
}

}  // namespace kagari::KG_ISA::simd
