// Mathematics for vd: every result within one unit in the last place, most within 0.6.
//
// A lane's bits depend on that lane alone: branches on `any` only choose how a result is reached.
#pragma once

#include "dd.h"
#include "trig_reduce.h"

namespace kagari::KG_ISA::simd {

// ---- exp and its relatives ----------------------------------------------------------------------

KG_INLINE vd exp(vd x) {
  using namespace detail;
  return nan_of(x, exp_rounded<true>(at_most(at_least(x, -746), 710), vd{}));
}

KG_INLINE vd exp2(vd x) {
  using namespace detail;
  x = at_most(at_least(x, -1077), 1025);
  const vd n = round(x);
  const vd r = x - n;
  const vd h = r * co::kLn2_hi;
  const vd c = mul_add(r, splat<vd>(co::kLn2_lo), fused(r, splat<vd>(co::kLn2_hi), -h));
  const ExpParts p = exp_near_zero<true>(n, h, c);
  const Pair s = fast_two_sum(splat<vd>(1), p.hi);
  return nan_of(x, scale(Pair{s.hi, s.lo + p.lo}, n));
}

KG_INLINE vd expm1(vd x) {
  using namespace detail;
  // At half the size, so that 2^n stays finite up to the largest argument.
  const ExpParts p = exp_parts<true>(at_most(at_least(x, -40), 710), vd{});
  const Pair t = fast_two_sum(p.hi, p.lo);
  const vd s = power_of_two(p.n - 1 + kShift);
  const Pair a = two_sum(s, splat<vd>(-0.5));
  const Pair b = two_sum(a.hi, s * t.hi);
  const vd y = b.hi + (b.lo + mul_add(s, t.lo, a.lo));
  return where(abs(x) < 0x1p-54, x, y + y);
}

KG_INLINE vd sigmoid(vd x) {
  using namespace detail;
  // exp never overflows here; below -708 it is the result.
  const ExpParts p = exp_parts<false>(-at_most(abs(x), 708), vd{});
  const Pair m = fast_two_sum(splat<vd>(1), p.hi);
  const vd e = (m.hi + (m.lo + p.lo)) * power_of_two(p.n + kShift);
  const vd num = where(x < 0, e, 1);
  const vd d = 1 + e, dl = (1 - d) + e;
  const vd q = num / d;
  // What the division and the sum rounded off, over d; 1 / d is q or 1 - q.
  const vd rest = mul_add(-q, dl, fused(-q, d, num));
  const vd y = mul_add(where(x < 0, 1 - q, q), rest, q);
  const vi64 low = x < -708;
  if (__builtin_expect(any(low), 0)) return nan_of(x, where(low, exp(x), y));
  return nan_of(x, y);
}

KG_INLINE vd tanh(vd x) {
  using namespace detail;
  const vd a = at_most(abs(x), 20);
  const Pair e = expm1_pair(a + a);
  const Pair q = divide(e, add(e, splat<vd>(2)));
  return copysign(where(a < 0x1p-28, a, q.hi + q.lo), x);
}

KG_NOINLINE vd sinh(vd x) {
  using namespace detail;
  const vd a = abs(x);
  // Half of exp(a) and of -exp(-a); beyond 22 the second is nothing.
  const Pair e = expm1_pair(at_most(a, 22));
  const Pair q = add(e, divide(e, add(e, splat<vd>(1))));
  const ExpParts p = exp_parts<true>(at_most(a, 712), vd{});
  const Pair m = one_plus(p.hi, p.lo);
  const vd large = scale(m.hi + m.lo, p.n - 1);
  const vd y = where(a < 22, 0.5 * (q.hi + q.lo), large);
  return copysign(where(a < 0x1p-28, a, y), x);
}

KG_NOINLINE vd cosh(vd x) {
  using namespace detail;
  const vd a = abs(x);
  const ExpParts p = exp_parts<true>(at_most(a, 712), vd{});
  const Pair m = one_plus(p.hi, p.lo);
  const vd large = scale(m.hi + m.lo, p.n - 1);
  const Pair e = scale_exactly(m, power_of_two(at_most(p.n, 60) + kShift));
  const Pair s = add(e, divide({splat<vd>(1), vd{}}, e));
  return where(a < 22, 0.5 * (s.hi + s.lo), large);
}

// ---- log and its relatives ----------------------------------------------------------------------

KG_INLINE vd log(vd x) {
  using namespace detail;
  const Pair l = log_pair<false>(x, vd{});
  return log_specials(x, vd{}, l.hi + l.lo);
}

namespace detail {
// k a + log(m) b for x = 2^k m: logarithms to another base, exact at powers of two when a is 1.
KG_INLINE vd log_to_base(vd x, Pair a, Pair b) {
  const vi64 small = x < 0x1p-1022;
  const Split p = split(where(small, x * 0x1p54, x));
  const vd k = where(small, p.k - 54, p.k);
  const Pair l = multiply(log_near_one<true>(p.m - 1, vd{}), b);
  const Pair n = multiply(a, k);
  const Pair s = fast_two_sum(n.hi, l.hi);
  return log_specials(x, vd{}, s.hi + (s.lo + (n.lo + l.lo)));
}
}  // namespace detail

KG_INLINE vd log2(vd x) {
  using namespace detail;
  return log_to_base(x, {splat<vd>(1), vd{}},
                     {splat<vd>(co::kInvLn2_hi), splat<vd>(co::kInvLn2_lo)});
}

KG_INLINE vd log10(vd x) {
  using namespace detail;
  return log_to_base(x, {splat<vd>(co::kLog10Of2_hi), splat<vd>(co::kLog10Of2_lo)},
                     {splat<vd>(co::kInvLn10_hi), splat<vd>(co::kInvLn10_lo)});
}

KG_INLINE vd log1p(vd x) {
  using namespace detail;
  const Pair l = log1p_pair<false>(x, vd{});
  const vd y = log_specials(x, splat<vd>(-1), l.hi + l.lo);
  return where(abs(x) < 0x1p-54, x, y);
}

KG_NOINLINE vd asinh(vd x) {
  using namespace detail;
  const vd a = abs(x);
  // log1p(a + a^2 / (1 + sqrt(1 + a^2))); for large a, log(2a).
  const vi64 large = a > 0x1p30;
  const vd c = where(large, splat<vd>(1), a);
  const Pair square = two_product(c, c);
  const Pair root = square_root(add(square, splat<vd>(1)));
  const Pair u = add(divide(square, add(root, splat<vd>(1))), c);
  const Pair near = log1p_pair<false>(u.hi, u.lo);
  const vd far_in = where(large, a, splat<vd>(1));
  const Split p = split(far_in);
  const Pair far = plus_k_ln2(p.k + 1, log_near_one<false>(p.m - 1, vd{}));
  vd y = where(large, far.hi + far.lo, near.hi + near.lo);
  y = where(a < 0x1p-28, a, y);
  y = where(isfinite(a), y, a);
  return copysign(y, x);
}

KG_NOINLINE vd acosh(vd x) {
  using namespace detail;
  // log1p(t + sqrt(2t + t^2)) with t = x - 1; for large x, log(2x).
  const vi64 large = x > 0x1p30;
  const Pair t = two_sum(where(large, splat<vd>(2), x), splat<vd>(-1));
  const Pair root = square_root(multiply(t, add(t, splat<vd>(2))));
  const Pair u = add(root, t);
  const Pair near = log1p_pair<false>(u.hi, u.lo);
  const Split p = split(where(large, x, splat<vd>(1)));
  const Pair far = plus_k_ln2(p.k + 1, log_near_one<false>(p.m - 1, vd{}));
  const vd y = where(large, far.hi + far.lo, near.hi + near.lo);
  const double inf = __builtin_inf();
  return where(x == 1, 0, where(x == inf, inf, where(x > 1, y, __builtin_nan(""))));
}

KG_NOINLINE vd atanh(vd x) {
  using namespace detail;
  // log1p(2a / (1 - a)) / 2.
  const vd a = abs(x);
  const Pair u = divide({a + a, vd{}}, two_sum(splat<vd>(1), -a));
  const Pair l = log1p_pair<true>(u.hi, u.lo);
  vd y = 0.5 * (l.hi + l.lo);
  y = where(a < 0x1p-28, a, y);
  y = where(a == 1, __builtin_inf(), y);
  return copysign(where(a <= 1, y, __builtin_nan("")), x);
}

// ---- trigonometry -------------------------------------------------------------------------------

namespace detail {

struct SinCos {
  Pair sin, cos;  // of the reduced argument, not normalised
};

KG_INLINE SinCos sin_cos_reduced(Pair r) {
  // z = r^2 as a pair, and the first terms of both series too.
  const Pair square = two_product(r.hi, r.hi);
  const vd z = square.hi;
  const vd zl = mul_add(r.hi + r.hi, r.lo, square.lo);
  const vd c3 = splat<vd>(-1.0 / 6), c3_lo = splat<vd>(-0x1.5555555555555p-57);
  const Pair w = two_product(z, mul_add(z, poly(z, co::kSin7), splat<vd>(1.0 / 120)));
  const Pair v = fast_two_sum(c3, w.hi);
  const Pair q = two_product(z, v.hi);
  const vd ql = q.lo + mul_add(z, v.lo + (w.lo + c3_lo), zl * v.hi);
  const Pair p = two_product(r.hi, q.hi);
  const Pair s = fast_two_sum(r.hi, p.hi);
  const vd sl = s.lo + (mul_add(r.hi, ql, p.lo) + mul_add(r.lo, q.hi, r.lo));
  const Pair c = fast_two_sum(splat<vd>(1), -0.5 * z);
  const Pair z2 = two_product(z, z);
  const Pair f = two_product(z2.hi, splat<vd>(1.0 / 24));
  const Pair d = fast_two_sum(c.hi, f.hi);
  const vd fl = mul_add(z2.hi, splat<vd>(0x1.5555555555555p-59),
                        mul_add(z2.lo + 2 * z * zl, splat<vd>(1.0 / 24), f.lo));
  const vd cl =
      d.lo + (c.lo + mul_add(z2.hi * z, poly(z, co::kCos6), mul_add(splat<vd>(-0.5), zl, fl)));
  return {{s.hi, sl}, {d.hi, cl}};
}

// sin(x + shift pi / 2).
KG_INLINE vd sin_shifted(vd x, std::int64_t shift) {
  const Reduced a = reduce(x);
  const vi64 q = a.quadrant + shift;
  const SinCos v = sin_cos_reduced(a.r);
  const Pair y = where((q & 1) != 0, v.cos, v.sin);
  return nan_of(x, flip_sign(y.hi + y.lo, bit_cast<vd>((vi64)((vu64)q << 62))));
}

}  // namespace detail

KG_INLINE vd sin(vd x) {
  const vd y = detail::sin_shifted(x, 0);
  return where(abs(x) < 0x1p-27, x, y);
}

KG_INLINE vd cos(vd x) { return detail::sin_shifted(x, 1); }

KG_INLINE vd tan(vd x) {
  using namespace detail;
  const Reduced a = reduce(x);
  const SinCos v = sin_cos_reduced(a.r);
  const vi64 odd = (a.quadrant & 1) != 0;
  const Pair sin = fast_two_sum(v.sin.hi, v.sin.lo), cos = fast_two_sum(v.cos.hi, v.cos.lo);
  const Pair q = divide(where(odd, cos, sin), where(odd, sin, cos));
  const vd y = q.hi + q.lo;
  return where(abs(x) < 0x1p-27, x, nan_of(x, where(odd, -y, y)));
}

namespace detail {

// asin(x) for |x| <= 1/2 is x + asin_rest(x, x^2).
KG_INLINE vd asin_rest(vd x, vd z) { return x * z * poly(z, co::kAsin); }

}  // namespace detail

KG_NOINLINE vd asin(vd x) {
  using namespace detail;
  const vd a = abs(x);
  const vd near = a + asin_rest(a, a * a);
  // pi / 2 - 2 asin(sqrt((1 - a) / 2))
  const vd z = 0.5 * (1 - a);
  const Pair s = square_root({z, vd{}});
  const vd rest = s.lo + asin_rest(s.hi, z);
  const Pair h = fast_two_sum(splat<vd>(co::kHalfPi_hi), -2 * s.hi);
  const vd far = h.hi + (h.lo + (co::kHalfPi_lo - 2 * rest));
  return copysign(where(a < 0x1p-28, a, where(a < 0.5, near, far)), x);
}

KG_NOINLINE vd acos(vd x) {
  using namespace detail;
  const vd a = abs(x);
  const Pair h = fast_two_sum(splat<vd>(co::kHalfPi_hi), -x);
  const vd near = h.hi + (h.lo + (co::kHalfPi_lo - asin_rest(x, x * x)));
  const vd z = 0.5 * (1 - a);
  const Pair s = square_root({z, vd{}});
  const vd rest = s.lo + asin_rest(s.hi, z);
  const vd right = 2 * (s.hi + rest);
  const Pair l = fast_two_sum(splat<vd>(co::kPi_hi), -2 * s.hi);
  const vd left = l.hi + (l.lo + (co::kPi_lo - 2 * rest));
  return where(a < 0.5, near, where(x < 0, left, right));
}

namespace detail {

// atan(num / den) for num, den >= 0 as pairs, not both 0 or inf, quotient finite when num <= den.
KG_INLINE Pair atan_quotient(Pair num, Pair den) {
  const double limit = 0x1.a827999fcef32p-2;  // tan(pi / 8)
  const vi64 swap = num.hi > den.hi;
  const Pair small = where(swap, den, num), large = where(swap, num, den);
  const vi64 mid = small.hi > limit * large.hi;
  // (small - large) / (small + large) is the tangent less pi / 4.
  const Pair minus = add(small, Pair{-large.hi, -large.lo}), plus = add(small, large);
  const Pair t = divide(where(mid, minus, small), where(mid, plus, large));
  const vd z = t.hi * t.hi;
  const vd rest = mul_add(t.hi * z, poly(z, co::kAtan), mul_add(-z, t.lo, t.lo));
  const vd base_hi = where(mid, co::kQuarterPi_hi, vd{}),
           base_lo = where(mid, co::kQuarterPi_lo, vd{});
  const Pair s = fast_two_sum(base_hi, t.hi);
  const Pair angle = fast_two_sum(s.hi, s.lo + (rest + base_lo));
  const Pair turned = fast_two_sum(splat<vd>(co::kHalfPi_hi), -angle.hi);
  return where(swap, Pair{turned.hi, turned.lo + (co::kHalfPi_lo - angle.lo)}, angle);
}

}  // namespace detail

KG_NOINLINE vd atan(vd x) {
  using namespace detail;
  const vd a = abs(x);
  const Pair p = atan_quotient({at_most(a, 0x1p60), vd{}}, {splat<vd>(1), vd{}});
  return copysign(where(a < 0x1p-28, a, p.hi + p.lo), x);
}

KG_NOINLINE vd atan2(vd y, vd x) {
  using namespace detail;
  const double inf = __builtin_inf();
  vd a = abs(y), b = abs(x);
  const vi64 nan = isnan(x) | isnan(y);
  // Infinities become ones, both alike; then the larger magnitude is brought near 1.
  const vi64 any_inf = (a == inf) | (b == inf);
  a = where(any_inf, where(a == inf, splat<vd>(1), vd{}), a);
  b = where(any_inf, where(b == inf, splat<vd>(1), vd{}), b);
  const vd top = where(a > b, a, b);
  const vd factor = where(top > 0x1p500, splat<vd>(0x1p-600),
                          where(top < 0x1p-400, splat<vd>(0x1p600), splat<vd>(1)));
  const vd as = a * factor;
  const vd bs = where(top == 0, splat<vd>(1), b * factor);
  const Pair p = atan_quotient({as, vd{}}, {bs, vd{}});
  const Pair turned = fast_two_sum(splat<vd>(co::kPi_hi), -p.hi);
  vd r = where(signbit(x), turned.hi + (turned.lo + (co::kPi_lo - p.lo)), p.hi + p.lo);
  // A tiny quotient is its own angle; the division rounds it once where it is subnormal.
  const vi64 tiny = ~signbit(x) & (as < bs * 0x1p-60);
  r = where(tiny & (top != 0), a / b, r);
  return where(nan, __builtin_nan(""), copysign(r, y));
}

}  // namespace kagari::KG_ISA::simd
