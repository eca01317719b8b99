// The error functions, erfinv, lgamma and digamma for vd.
#pragma once

#include "math_f64.h"

namespace kagari::KG_ISA::simd {

namespace detail {

// erf(x) for |x| <= 1/2 as a pair.
KG_INLINE Pair erf_near(vd x) {
  const vd z = x * x;
  const vd h = x * co::kTwoOverRootPi_hi;
  const vd l =
      mul_add(x, splat<vd>(co::kTwoOverRootPi_lo), fused(x, splat<vd>(co::kTwoOverRootPi_hi), -h));
  return fast_two_sum(h, mul_add(x * z, poly(z, co::kErf), l));
}

// erfc(a) for 0.45 <= a <= 28 as 2^n (hi + lo).
struct Scaled {
  Pair v;
  vd n;
};
KG_INLINE Scaled erfc_far(vd a) {
  const Pair t = divide(two_sum(a, splat<vd>(-4)), two_sum(a, splat<vd>(4)));
  // The last two steps of the scheme carry a pair: they decide the last bit.
  const vd q = poly(t.hi, co::kErfcx);
  const Pair p0 = fast_two_sum(splat<vd>(co::kErfcx0_hi), t.hi * q);
  const vd p0_lo =
      p0.lo + fused(t.hi, q, -(t.hi * q)) + mul_add(t.lo, q, splat<vd>(co::kErfcx0_lo));
  const Pair x2 = two_product(a, a);
  const ExpParts e = exp_parts<true>(-x2.hi, -x2.lo);
  const Pair m = one_plus(e.hi, e.lo);
  const Pair w = divide(multiply(fast_two_sum(p0.hi, p0_lo), fast_two_sum(m.hi, m.lo)),
                        two_sum(splat<vd>(1), a + a));
  return {w, e.n};
}

}  // namespace detail

KG_NOINLINE vd erf(vd x) {
  using namespace detail;
  const vd a = abs(x);
  const Pair near = erf_near(a);
  const Scaled c = erfc_far(at_most(at_least(a, 0.5), 6.5));
  const vd s = power_of_two(c.n + kShift);
  const Pair far = fast_two_sum(splat<vd>(1), -c.v.hi * s);
  const vd y = where(a < 0.5, near.hi + near.lo, far.hi + (far.lo - c.v.lo * s));
  return copysign(where(a < 0x1p-1000, a * co::kTwoOverRootPi_hi, y), x);
}

KG_NOINLINE vd erfc(vd x) {
  using namespace detail;
  const vd a = abs(x);
  // Up to 1/2 from erf, below -1/2 as 2 - erfc(-x).
  const Pair e = erf_near(where(a < 0.5, x, vd{}));
  const Pair n = two_sum(splat<vd>(1), -e.hi);
  const vd near = n.hi + (n.lo - e.lo);
  const Scaled c = erfc_far(at_most(at_least(a, 0.45), 28));
  const vd right = scale(c.v, c.n);
  const vd s = power_of_two(at_least(c.n, -1000) + kShift);
  const Pair m = fast_two_sum(splat<vd>(2), -c.v.hi * s);
  const vd left = m.hi + (m.lo - c.v.lo * s);
  const vd y = where(a < 0.5, near, where(x < 0, left, right));
  return nan_of(x, y);
}

}  // namespace kagari::KG_ISA::simd
