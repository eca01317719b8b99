// Double-double arithmetic in lanes (106 bits as an unevaluated sum), and the cores built on it:
// exp and log with a few bits to spare, from which the double-precision functions are composed.
#pragma once

#include "coefficients.h"
#include "vec.h"

namespace kagari::KG_ISA::simd::detail {

namespace co = ::kagari::coefficients;

// hi + lo, |lo| at most half a unit in the last place of hi unless said otherwise.
struct Pair {
  vd hi, lo;
};

// |a| >= |b| or a == 0.
KG_INLINE Pair fast_two_sum(vd a, vd b) {
  const vd s = a + b;
  return {s, b - (s - a)};
}
KG_INLINE Pair two_sum(vd a, vd b) {
  const vd s = a + b;
  const vd t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
KG_INLINE Pair two_product(vd a, vd b) {
  const vd p = a * b;
  return {p, fused(a, b, -p)};
}
KG_INLINE Pair add(Pair a, vd b) {
  const Pair s = two_sum(a.hi, b);
  return fast_two_sum(s.hi, s.lo + a.lo);
}
KG_INLINE Pair add(Pair a, Pair b) {
  const Pair s = two_sum(a.hi, b.hi);
  return fast_two_sum(s.hi, s.lo + (a.lo + b.lo));
}
KG_INLINE Pair multiply(Pair a, Pair b) {
  const Pair p = two_product(a.hi, b.hi);
  return fast_two_sum(p.hi, p.lo + mul_add(a.hi, b.lo, a.lo * b.hi));
}
KG_INLINE Pair multiply(Pair a, vd b) {
  const Pair p = two_product(a.hi, b);
  return fast_two_sum(p.hi, mul_add(a.lo, b, p.lo));
}
KG_INLINE Pair divide(Pair a, Pair b) {
  const vd r = 1 / b.hi;
  const vd q = a.hi * r;
  const vd rest = fused(-q, b.hi, a.hi);
  return fast_two_sum(q, (rest + mul_add(-q, b.lo, a.lo)) * r);
}
// The square root of a; a.hi > 0, or exactly zero.
KG_INLINE Pair square_root(Pair a) {
  const vd s = sqrt(a.hi);
  const vd rest = fused(-s, s, a.hi) + a.lo;
  return fast_two_sum(s, where(a.hi == 0, splat<vd>(0), rest / (s + s)));
}
KG_INLINE Pair scale_exactly(Pair a, vd power_of_two) {
  return {a.hi * power_of_two, a.lo * power_of_two};
}
KG_INLINE Pair where(vi64 m, Pair a, Pair b) {
  return {simd::where(m, a.hi, b.hi), simd::where(m, a.lo, b.lo)};
}
using simd::where;

// ---- powers of two ------------------------------------------------------------------------------

// Adding and subtracting it rounds to an integer, whose low bits are the sum's low bits.
inline constexpr double kShift = 0x1.8p52;

// n + kShift with the integer |n| <= 1022 gives 2^n.
KG_INLINE vd power_of_two(vd shifted) {
  return bit_cast<vd>((bit_cast<vi64>(shifted) << 52) + 0x3ff0000000000000ll);
}

// y 2^n with one rounding; 1/4 <= |y| <= 4, integer |n| < 2046.
KG_INLINE vd scale(vd y, vd n) {
#if KG_SIMD_AVX512
  return (vd)_mm512_maskz_scalef_pd(kAll8, (__m512d)y, (__m512d)n);
#else
  const vd half = mul_add(n, splat<vd>(0.5), splat<vd>(kShift));
  const vd rest = n - (half - kShift);
  return y * power_of_two(half) * power_of_two(rest + kShift);
#endif
}

// (y.hi + y.lo) 2^n with one rounding, also where the result is subnormal; y as for `scale`, n >
// -1100.
KG_NOINLINE vd scale_subnormal(vd fast, Pair y, vd n) {
  // Adding c gives a sum between 2^m and 2^(m + 1), whose last place is that of a subnormal result.
  const vd m = at_most(at_least(-1022 - n, 0), 100);
  const vd c = where(m == 0, 0.5, power_of_two(m + kShift));
  const Pair t = two_sum(c, y.hi);
  return where(n < -1021, scale((t.hi + (t.lo + y.lo)) - c, n), fast);
}
KG_INLINE vd scale(Pair y, vd n) {
  const vd fast = scale(y.hi + y.lo, n);
  if (__builtin_expect(any(n < -1021), 0)) return scale_subnormal(fast, y, n);
  return fast;
}

// ---- exp ----------------------------------------------------------------------------------------

// exp(x + xl) = 2^n (1 + hi + lo) with |hi| <= 0.42 and |lo| < 0.07, not normalised. `exact` keeps
// some 6 bits past double; without it the error is a tenth of a unit in the last place.
struct ExpParts {
  vd n, hi, lo;
};

// exp(r + c) - 1 in parts, |r| <= 0.35, |c| tiny.
template <bool exact>
KG_INLINE ExpParts exp_near_zero(vd n, vd r, vd c) {
  const vd s = r + c;
  const vd z = s * s;
  if constexpr (exact) {
    const Pair square = two_product(r, r);
    const Pair h = fast_two_sum(r, 0.5 * square.hi);
    const vd rest = mul_add(z * s, poly(s, co::kExp3), mul_add(r, c, c));
    return {n, h.hi, h.lo + mul_add(splat<vd>(0.5), square.lo, rest)};
  } else {
    return {n, r, mul_add(z, poly(s, co::kExp), c)};
  }
}

template <bool exact>
KG_INLINE ExpParts exp_parts(vd x, vd xl) {
  const vd n = mul_add(x, splat<vd>(co::kInvLn2_hi), splat<vd>(kShift)) - kShift;
  const vd r = fused(n, splat<vd>(-co::kLn2_hi), x);
  return exp_near_zero<exact>(n, r, mul_add(n, splat<vd>(-co::kLn2_lo), xl));
}

// 1 + hi + lo as a pair.
KG_INLINE Pair one_plus(vd hi, vd lo) {
  const Pair s = fast_two_sum(splat<vd>(1), hi);
  return fast_two_sum(s.hi, s.lo + lo);
}

// exp(x + xl), one rounding at the end.
template <bool exact>
KG_INLINE vd exp_rounded(vd x, vd xl) {
  const ExpParts p = exp_parts<exact>(x, xl);
  const Pair s = fast_two_sum(splat<vd>(1), p.hi);
  return scale(Pair{s.hi, s.lo + p.lo}, p.n);
}

// exp(x + xl) as a pair, |x| <= 700.
KG_INLINE Pair exp_pair(vd x, vd xl) {
  const ExpParts p = exp_parts<true>(x, xl);
  return scale_exactly(one_plus(p.hi, p.lo), power_of_two(p.n + kShift));
}

// exp(x) - 1 as a pair, -60 <= x <= 700; the relative error stays small as x goes to 0.
KG_INLINE Pair expm1_pair(vd x) {
  const ExpParts p = exp_parts<true>(x, vd{});
  const Pair t = fast_two_sum(p.hi, p.lo);
  const vd s = power_of_two(p.n + kShift);
  const Pair a = two_sum(s, splat<vd>(-1));
  const Pair b = two_sum(a.hi, s * t.hi);
  return fast_two_sum(b.hi, b.lo + mul_add(s, t.lo, a.lo));
}

// ---- log ----------------------------------------------------------------------------------------

// x = 2^k m for normal x > 0, with sqrt(1/2) <= m < sqrt(2).
struct Split {
  vd k, m;
  vd down;  // 2^-k, or 0 for k > 1022
};

KG_INLINE Split split(vd x) {
  constexpr std::int64_t root_half = 0x3fe6a09e667f3bcdll, one = 0x3ff0000000000000ll;
  // A NaN's bits may wrap: its result is taken elsewhere.
  const vi64 u = (vi64)((vu64)bit_cast<vi64>(x) + std::uint64_t(one - root_half));
  const vi64 e = (vi64)((vu64)u >> 52);
  const vd k = bit_cast<vd>(e | 0x4330000000000000ll) - (0x1p52 + 1023);
  const vd m = bit_cast<vd>((u & 0x000fffffffffffffll) + root_half);
  return {k, m, bit_cast<vd>(where(e < 2046, (2046 - e) << 52, vi64{}))};
}

// log(1 + hi + lo) as a pair, |hi| <= 0.4143, |lo| tiny. `exact` keeps about 12 bits past double;
// without it the result is good to half a unit in the last place of the sum and a little more.
template <bool exact>
KG_INLINE Pair log_near_one(vd hi, vd lo) {
  const Pair d = fast_two_sum(splat<vd>(2), hi);
  const vd r = 1 / d.hi;
  const vd s = hi * r;
  const vd sl = (fused(-s, d.hi, hi) + mul_add(-s, d.lo + lo, lo)) * r;
  const vd z = s * s;
  const vd tail = z * poly(z, co::kLog);
  if constexpr (!exact) {
    const vd t = s * z * (co::kTwoThirds_hi + tail);
    return fast_two_sum(s + s, mul_add(splat<vd>(2), sl, t));
  } else {
    const vd zl = fused(s, s, -z) + 2 * s * sl;
    const Pair w = fast_two_sum(splat<vd>(co::kTwoThirds_hi), tail + co::kTwoThirds_lo);
    const Pair a = two_product(s, z);
    const vd al = a.lo + mul_add(s, zl, sl * z);
    const Pair t = two_product(a.hi, w.hi);
    const vd tl = t.lo + mul_add(a.hi, w.lo, al * w.hi);
    const Pair sum = fast_two_sum(s + s, t.hi);
    return fast_two_sum(sum.hi, sum.lo + mul_add(splat<vd>(2), sl, tl));
  }
}

// k ln2 + l, where l is 0 or |l| < |k| ln2.
KG_INLINE Pair plus_k_ln2(vd k, Pair l) {
  const vd h = k * co::kLn2_hi;
  const vd low = mul_add(k, splat<vd>(co::kLn2_lo), fused(k, splat<vd>(co::kLn2_hi), -h));
  const Pair s = fast_two_sum(h, l.hi);
  return fast_two_sum(s.hi, s.lo + (l.lo + low));
}

// log(x + xl) as a pair for finite x > 0, |xl| at most an ulp of x; subnormal x only with xl = 0.
template <bool exact>
KG_INLINE Pair log_pair(vd x, vd xl) {
  const vi64 small = x < 0x1p-1022;
  const Split p = split(where(small, x * 0x1p54, x));
  const vd k = where(small, p.k - 54, p.k);
  return plus_k_ln2(k, log_near_one<exact>(p.m - 1, xl * p.down));
}

// log(1 + u + ul) as a pair for u > -1, u finite; relative error small as u goes to 0.
template <bool exact>
KG_INLINE Pair log1p_pair(vd u, vd ul) {
  const Pair w = two_sum(splat<vd>(1), u);
  const Split p = split(w.hi);
  const Pair f = fast_two_sum(p.m - 1, (w.lo + ul) * p.down);
  return plus_k_ln2(p.k, log_near_one<exact>(f.hi, f.lo));
}

// The special values of every logarithm: `y` where x > 0 is finite, else -inf, inf or NaN.
KG_INLINE vd log_specials(vd x, vd zero_at, vd y) {
  const double inf = __builtin_inf();
  y = where(x == zero_at, -inf, y);
  y = where(x == inf, inf, y);
  return where(x >= zero_at, y, __builtin_nan(""));
}

}  // namespace kagari::KG_ISA::simd::detail
