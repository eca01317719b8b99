// The error functions, erfinv, lgamma and digamma for vd.
#pragma once

#include "math_f64.h"

namespace kagari::KG_ISA::simd {

namespace detail {

// erf(x) for |x| <= 1 as a pair: x (c0 + z (c1 + z P(z))), all but P's part in pairs.
KG_INLINE Pair erf_near(vd x) {
  const Pair z = two_product(x, x);
  const Pair b = fast_two_sum(splat<vd>(co::kErf1_hi), z.hi * poly(z.hi, co::kErf));
  const Pair v = two_product(z.hi, b.hi);
  const vd vl = v.lo + mul_add(z.hi, b.lo + co::kErf1_lo, z.lo * b.hi);
  const Pair a = fast_two_sum(splat<vd>(co::kTwoOverRootPi_hi), v.hi);
  const vd al = a.lo + (vl + co::kTwoOverRootPi_lo);
  const Pair y = two_product(x, a.hi);
  return fast_two_sum(y.hi, mul_add(x, al, y.lo));
}

// erfc(a) for 0.74 <= a <= 28 as 2^n (hi + lo).
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
  vd y = near.hi + near.lo;
  const vi64 outside = a >= 1;
  if (any(outside)) {
    const Scaled c = erfc_far(at_most(at_least(a, 1), 6.5));
    const vd s = power_of_two(c.n + kShift);
    const Pair far = fast_two_sum(splat<vd>(1), -c.v.hi * s);
    y = where(outside, far.hi + (far.lo - c.v.lo * s), y);
  }
  return nan_of(x, copysign(where(a < 0x1p-1000, a * co::kTwoOverRootPi_hi, y), x));
}

KG_NOINLINE vd erfc(vd x) {
  using namespace detail;
  const vd a = abs(x);
  // Up to 3/4 from erf, below -3/4 as 2 - erfc(-x).
  const Pair e = erf_near(where(a < 0.75, x, vd{}));
  const Pair n = two_sum(splat<vd>(1), -e.hi);
  const vd near = n.hi + (n.lo - e.lo);
  const Scaled c = erfc_far(at_most(at_least(a, 0.75), 28));
  const vd right = scale(c.v, c.n);
  const vd s = power_of_two(at_least(c.n, -1000) + kShift);
  const Pair m = fast_two_sum(splat<vd>(2), -c.v.hi * s);
  const vd left = m.hi + (m.lo - c.v.lo * s);
  const vd y = where(a < 0.75, near, where(x < 0, left, right));
  return nan_of(x, y);
}

// gelu and its slope without sums that cancel, as math_f32.h has them.
KG_INLINE vd gelu(vd x) { return 0.5 * x * erfc(-0.70710678118654752440 * x); }
KG_INLINE vd gelu_slope(vd x) {
  x = detail::at_most(detail::at_least(x, -40), 40);
  return 0.5 * erfc(-0.70710678118654752440 * x) + 0.39894228040143267794 * x * exp(-0.5 * x * x);
}
KG_INLINE vd gelu_tanh(vd x) {
  return x * sigmoid(1.5957691216057307117 * (x + 0.044715 * x * x * x));
}
KG_INLINE vd gelu_tanh_slope(vd x) {
  x = detail::at_most(detail::at_least(x, -40), 40);
  const vd s = sigmoid(1.5957691216057307117 * (x + 0.044715 * x * x * x));
  return s + x * s * (1 - s) * (1.5957691216057307117 * (1 + 3 * 0.044715 * x * x));
}

// mish(x) = x tanh(log(1 + n)) with n = exp(x) is x w / (w + 2), w = n (n + 2): all terms positive.
namespace detail {
KG_INLINE vd mish(vd x, vd n) {
  const vd w = mul_add(n, n, n + n), d = w + 2, r = 1 / d, q = w * r;
  // What the sum and the quotient rounded off.
  const vd rest = mul_add(-q, (2 - d) + w, fused(-q, d, w));
  return x * mul_add(rest, r, q);
}
KG_INLINE vd mish_slope(vd x, vd n) {
  const vd w = n * (n + 2), r = 1 / (w + 2);
  return mul_add(4 * (x * n), (1 + n) * r * r, w * r);
}
inline constexpr double kMishEnd = 40;  // from here on it is x
}  // namespace detail
KG_INLINE vd mish(vd x) {
  using namespace detail;
  return nan_of(x, detail::mish(x, exp(at_most(x, kMishEnd))));
}
KG_INLINE vd mish_slope(vd x) {
  using namespace detail;
  const vd v = at_most(x, kMishEnd);
  return nan_of(x, detail::mish_slope(v, exp(v)));
}

// ---- powers -------------------------------------------------------------------------------------

namespace detail {

// pow's signs and special cases around `magnitude` = exp(y log |x|).
template <class V>
KG_INLINE V pow_specials(V x, V y, V magnitude) {
  const V a = abs(x);
  const double inf = __builtin_inf(), nan = __builtin_nan("");
  const auto whole = trunc(y) == y;
  const auto odd = whole & (trunc(y * splat<V>(0.5)) != y * splat<V>(0.5)) & isfinite(y);
  V r = where(odd, copysign(magnitude, x), magnitude);
  r = where((x < 0) & ~whole & (a < splat<V>(inf)), splat<V>(nan), r);
  r = nan_of(x, y, r);
  // |x| = 1 with y infinite, and the two cases that hold even for NaN.
  r = where((a == 1) & isinf(y), splat<V>(1), r);
  return where((x == 1) | (y == 0), splat<V>(1), r);
}

}  // namespace detail

KG_NOINLINE vd pow(vd x, vd y) {
  using namespace detail;
  const double inf = __builtin_inf();
  const vd a = abs(x);
  const vi64 ordinary = (a > 0) & (a < inf);
  const Pair l = log_pair<true>(where(ordinary, a, splat<vd>(1)), vd{});
  const vd lh = where(ordinary, l.hi, where(a == 0, splat<vd>(-inf), splat<vd>(inf)));
  const vd h = lh * y;
  const vi64 inside = abs(h) < 800;
  // Beyond 2^900 only log(1) = 0 stays inside, and needs no error term.
  const vd yi = where(inside & (abs(y) < 0x1p900), y, vd{});
  const vd low = mul_add(yi, l.lo, fused(yi, l.hi, -where(inside & (abs(y) < 0x1p900), h, vd{})));
  const vd e = exp_rounded<true>(at_most(at_least(h, -746), 710), low);
  return pow_specials(x, y, e);
}

KG_NOINLINE vd hypot(vd x, vd y) {
  using namespace detail;
  const double inf = __builtin_inf();
  const vd a = abs(x), b = abs(y);
  const vd top = where(a > b, a, b);
  const vi64 large = top > 0x1p500, small = top < 0x1p-400;
  const vd up = where(large, splat<vd>(0x1p-600), where(small, splat<vd>(0x1p600), splat<vd>(1)));
  const vd down = where(large, splat<vd>(0x1p600), where(small, splat<vd>(0x1p-600), splat<vd>(1)));
  const Pair a2 = two_product(a * up, a * up), b2 = two_product(b * up, b * up);
  const vi64 swap = a < b;
  const Pair sum = fast_two_sum(where(swap, b2.hi, a2.hi), where(swap, a2.hi, b2.hi));
  const Pair root = square_root({sum.hi, sum.lo + (a2.lo + b2.lo)});
  const vd r = nan_of(x, y, (root.hi + root.lo) * down);
  return where((a == inf) | (b == inf), inf, r);
}

// ---- remainders ---------------------------------------------------------------------------------

namespace detail {

// fmod of a, b > 0 where a / b < 2^52: exact, since the product is and so is the difference.
KG_INLINE vd fmod_near(vd a, vd b) {
  const vd q = trunc(a / b);
  vd r = fused(-q, b, a);
  r = where(r < 0, r + b, r);
  r = where(r >= b, r - b, r);
  return where(b == __builtin_inf(), where(a < b, a, splat<vd>(__builtin_nan(""))), r);
}

template <class V>
KG_NOINLINE V fmod_far(V x, V y, V fast) {
  const V a = abs(x), b = abs(y);
  for (int i = 0; i < Lanes<Element<V>>::size; ++i) {
    if (!(a[i] < splat<Element<V>>(0x1p50) * b[i])) {
      if constexpr (std::is_same_v<V, vf>) {
        fast[i] = __builtin_fmodf(x[i], y[i]);
      } else {
        fast[i] = __builtin_fmod(x[i], y[i]);
      }
    }
  }
  return fast;
}

template <class V>
KG_INLINE V fmod_finish(V x, V y, V fast) {
  const V a = abs(x), b = abs(y);
  V r = copysign(fast, x);
  if (__builtin_expect(any(~(a < splat<V>(0x1p50) * b)), 0)) r = fmod_far(x, y, r);
  r = where((b == 0) | isinf(x), splat<V>(__builtin_nan("")), r);
  return nan_of(x, y, r);
}

}  // namespace detail

// The rest of x / y with the sign of x; exact.
KG_INLINE vd fmod(vd x, vd y) {
  using namespace detail;
#if KG_SIMD_FMA
  return fmod_finish(x, y, fmod_near(abs(x), abs(y)));
#else
  vd r = x;
  for (int i = 0; i < Lanes<double>::size; ++i) r[i] = __builtin_fmod(x[i], y[i]);
  return nan_of(x, y, where((y == 0) | isinf(x), splat<vd>(__builtin_nan("")), r));
#endif
}
KG_INLINE vf fmod(vf x, vf y) {
  using namespace detail;
  const vf fast = in_double(x, y, [](vd a, vd b) { return fmod_near(abs(a), abs(b)); });
  return fmod_finish(x, y, fast);
}

// The rest of x / y with the sign of y, as `%` in Python: fmod, moved by y where signs differ.
KG_INLINE vd remainder(vd x, vd y) {
  const vd r = fmod(x, y);
  return where((r != 0) & ((r < 0) != (y < 0)), r + y, r);
}
KG_INLINE vf remainder(vf x, vf y) {
  const vf r = fmod(x, y);
  return where((r != 0) & ((r < 0) != (y < 0)), r + y, r);
}

// ---- erfinv -------------------------------------------------------------------------------------

namespace detail {

// erfinv(x) for |x| < 1 to 33 bits, given w = -log(1 - x^2), of which the absolute error counts;
// `end` includes the doubles too near 1 for a float.
template <bool end>
KG_INLINE vd erfinv_start(vd x, vd w) {
  const vi64 far = w >= 5;
  vd p = poly(w - 2.5, co::kErfinv);
  if (any(far)) {
    const vd s = sqrt(where(far, w, splat<vd>(9)));
    vd q = poly(s - 3, co::kErfinvFar);
    if constexpr (end) q = where(w < 16.5, q, poly(s - 5, co::kErfinvEnd));
    p = where(far, q, p);
  }
  return x * p;
}

KG_INLINE vd erfinv_specials(vd x, vd y) {
  const vd a = abs(x);
  y = where(a < 1, y,
            where(a == 1, copysign(splat<vd>(__builtin_inf()), x), splat<vd>(__builtin_nan(""))));
  return nan_of(x, y);
}

}  // namespace detail

KG_NOINLINE vd erfinv(vd x) {
  using namespace detail;
  const vd a = at_most(abs(x), 0x1.fffffffffffffp-1);
  const vd y = erfinv_start<true>(a, -log_pair<false>((1 - a) * (1 + a), vd{}).hi);
  // One step of Newton's; the distance from erf(y) to a by way of the smaller of erf and erfc.
  const vi64 near = y < 0.9;
  const Pair e = erf_near(where(near, y, vd{}));
  vd d = (e.hi - a) + e.lo;
  if (any(~near)) {
    const Scaled c = erfc_far(at_least(y, 0.9));
    const vd s = power_of_two(c.n + kShift);
    d = where(near, d, ((1 - a) - c.v.hi * s) - c.v.lo * s);
  }
  const vd slope = exp_rounded<false>(y * y, vd{}) * co::kHalfRootPi_hi;
  const vd step = d * slope;
  // Halley's correction of the step: the second derivative is -2 y times the first.
  const vd r = y - step * mul_add(y, step, splat<vd>(1));
  const vd tiny = mul_add(a, splat<vd>(co::kHalfRootPi_hi), a * co::kHalfRootPi_lo);
  return erfinv_specials(x, copysign(where(a < 0x1p-30, tiny, r), x));
}

// ---- gamma functions ----------------------------------------------------------------------------

namespace detail {

// log gamma(x) for x > 0.
KG_INLINE Pair lgamma_positive(vd x) {
  // Below 8.5, 2 + t is reached from x by factors: lgamma(x) = lgamma(2 + t) +- log(product).
  const vd xs = at_most(x, 8.5);
  const vd n = round(xs);
  const vd t = xs - where(n < 8, n, splat<vd>(8));
  const Pair first = two_product(t, splat<vd>(co::kLgamma0_hi));
  const vd rest =
      mul_add(t * t, poly(t, co::kLgamma), mul_add(t, splat<vd>(co::kLgamma0_lo), first.lo));
  const Pair q = fast_two_sum(first.hi, rest);
  Pair p = {splat<vd>(1), vd{}};
  for (int j = 2; j < 8; ++j) p = where(n > j, multiply(p, t + j), p);
  const Pair below = where(n < 1, multiply(two_sum(xs, splat<vd>(1)), xs), Pair{xs, vd{}});
  p = where(n < 2, below, p);
  const Pair l = log_pair<true>(p.hi, p.lo);
  const vi64 down = n < 2;
  const Pair near = add(q, Pair{where(down, -l.hi, l.hi), where(down, -l.lo, l.lo)});
  // Stirling: (x - 1/2)(log(x) - 1) + log(2 pi) / 2 - 1/2 + rest / x.
  const vd xl = at_least(x, 8);
  const Pair g = add(log_pair<true>(xl, vd{}), splat<vd>(-1));
  const Pair m = multiply(g, two_sum(xl, splat<vd>(-0.5)));
  const vd i = 1 / xl;
  const Pair c = {splat<vd>(co::kHalfLog2Pi_hi - 0.5), splat<vd>(co::kHalfLog2Pi_lo)};
  const Pair far = add(m, add(c, i * poly(i * i, co::kStirling)));
  return where(x < 8.5, near, far);
}

// |sin(pi a)| and cos(pi a) / sin(pi a)'s sign bearer f = a - round(a).
struct SinPi {
  Pair sin, cos;
};
KG_INLINE SinPi sin_cos_pi(vd f) {
  const vd a = abs(f);
  const vi64 swap = a > 0.25;
  const vd v = where(swap, 0.5 - a, a);
  const SinCos w = sin_cos_reduced(multiply(Pair{splat<vd>(co::kPi_hi), splat<vd>(co::kPi_lo)}, v));
  const Pair s = fast_two_sum(w.sin.hi, w.sin.lo), c = fast_two_sum(w.cos.hi, w.cos.lo);
  return {where(swap, c, s), where(swap, s, c)};
}

}  // namespace detail

KG_NOINLINE vd lgamma(vd x) {
  using namespace detail;
  const double inf = __builtin_inf();
  const vd a = abs(x);
  // A magnitude inside the range of the cores; what lies outside is settled at the end.
  const vi64 large = a >= 0x1p980;
  const vd c = where((a > 0x1p-60) & ~large, a, splat<vd>(2));
  const Pair g = lgamma_positive(c);
  vd y = g.hi + g.lo;
  if (any(large)) {
    const vd al = at_most(a, 0x1.754d9278b51a6p+1014);
    const Pair m = add(log_pair<true>(at_least(al, 1), vd{}), splat<vd>(-1));
    y = where(large, where(a > al, inf, mul_add(m.hi, al, m.lo * al)), y);
  }
  const vi64 reflect = x < 0;
  if (any(reflect)) {
    // lgamma(-a) = log(pi / (a |sin(pi a)|)) - lgamma(a)
    const vd f = c - round(c);
    const Pair s = multiply(sin_cos_pi(f).sin, c);
    const vi64 pole = s.hi == 0;
    const Pair l = log_pair<true>(where(pole, splat<vd>(1), s.hi), where(pole, vd{}, s.lo));
    const Pair sum = add(add(g, l), Pair{splat<vd>(-co::kLogPi_hi), splat<vd>(-co::kLogPi_lo)});
    const vd mirrored = where(pole | (a >= 0x1p52), inf, -(sum.hi + sum.lo));
    y = where(reflect, mirrored, y);
  }
  y = where(a <= 0x1p-60, -log(a), y);
  y = where(a == inf, inf, y);
  return nan_of(x, y);
}

KG_NOINLINE vd digamma(vd x) {
  using namespace detail;
  const double inf = __builtin_inf();
  const vd a = abs(x);
  vd v = a, num = vd{}, den = splat<vd>(1);
  // digamma(a) = digamma(a + n) - (1 / a + ... + 1 / (a + n - 1)), the sum as one quotient.
  for (int j = 0; j < 10; ++j) {
    const vi64 low = v < 10;
    num = where(low, mul_add(num, v, den), num);
    den = where(low, den * v, den);
    v = where(low, v + 1, v);
  }
  const vd i = 1 / v;
  const vd z = i * i;
  vd y = log(v) - 0.5 * i - z * poly(z, co::kDigamma) - num / den;
  const vi64 reflect = x < 0;
  if (any(reflect)) {
    // digamma(-a) = digamma(a) + 1 / a + pi cot(pi a)
    const vd f = a - round(a);
    const SinPi s = sin_cos_pi(f);
    const vd cot = flip_sign(s.cos.hi / s.sin.hi, f);
    const vd mirrored = mul_add(splat<vd>(co::kPi_hi), cot, y + 1 / a);
    y = where(reflect, where(f == 0, splat<vd>(__builtin_nan("")), mirrored), y);
  }
  y = where(a < 0x1p-60, -1 / x, y);
  y = where(x == inf, x, y);
  return nan_of(x, y);
}

KG_NOINLINE vf digamma(vf x) {
  return detail::in_double(x, [](vd v) { return simd::digamma(v); });
}

}  // namespace kagari::KG_ISA::simd
