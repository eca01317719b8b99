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

KG_INLINE vd log(vd x) { return log_specials(x, vd{}, log_positive(x)); }

// log(1 + u), u > -1 finite.
KG_INLINE vd log1p_finite(vd u) {
  const vd w = 1 + u;
  const Split p = split(w);
  // What the sum lost, (u - (w - 1)) / w, matters only where w is near 1.
  const vd lost = where(abs(u) < 1, u - (w - 1), vd{}) * p.down;
  return mul_add(p.k, splat<vd>(co::kLn2_hi), log_near_one(p.m - 1 + lost));
}

}  // namespace detail::quick

KG_INLINE vf exp(vf x) {
  return detail::in_double(x, [](vd v) { return detail::quick::exp(v); });
}

KG_INLINE vf exp2(vf x) {
  using namespace detail;
  return in_double(x,
                   [](vd v) { return quick::exp(at_most(at_least(v, -200), 200) * co::kLn2_hi); });
}

KG_INLINE vf expm1(vf x) {
  const vf y = detail::in_double(x, [](vd v) { return detail::quick::expm1(v); });
  return where(x == 0, x, y);
}

KG_INLINE vf sigmoid(vf x) {
  return detail::in_double(x, [](vd v) { return 1 / (1 + detail::quick::exp(-v)); });
}

KG_INLINE vf tanh(vf x) {
  const vf y = detail::in_double(abs(x), [](vd v) {
    const vd e = detail::quick::expm1(detail::at_most(v + v, 40));
    return e / (e + 2);
  });
  return copysign(y, x);
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

KG_INLINE vf log(vf x) {
  return detail::in_double(x, [](vd v) { return detail::quick::log(v); });
}

KG_INLINE vf log2(vf x) {
  return detail::in_double(x, [](vd v) { return detail::quick::log(v) * detail::co::kInvLn2_hi; });
}

KG_INLINE vf log10(vf x) {
  return detail::in_double(x, [](vd v) { return detail::quick::log(v) * detail::co::kInvLn10_hi; });
}

KG_INLINE vf log1p(vf x) {
  const vf y = detail::in_double(x, [](vd v) {
    return detail::log_specials(v, splat<vd>(-1), detail::quick::log1p_finite(v));
  });
  return where(x == 0, x, y);
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

// ---- trigonometry
// ----------------------------------------------------------------------------------

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

// ---- error functions
// ---------------------------------------------------------------------------------

namespace detail::quick {

KG_INLINE vd erf_near(vd x, vd z) {
  return x * mul_add(z, poly(z, co::kErfQuick), splat<vd>(co::kTwoOverRootPi_hi));
}
// 0.45 <= a <= 11.
KG_INLINE vd erfc_far(vd a) {
  const vd t = (a - 4) / (a + 4);
  return poly(t, co::kErfcxQuick) * quick::exp(-(a * a)) / mul_add(splat<vd>(2), a, splat<vd>(1));
}

}  // namespace detail::quick

KG_INLINE vf erf(vf x) {
  const vf y = detail::in_double(abs(x), [](vd a) {
    a = detail::at_most(a, 5);
    const vd far = 1 - detail::quick::erfc_far(detail::at_least(a, 1));
    return where(a < 1, detail::quick::erf_near(a, a * a), far);
  });
  return copysign(y, x);
}

KG_INLINE vf erfc(vf x) {
  return detail::in_double(x, [](vd v) {
    const vd a = abs(v);
    const vd near = 1 - detail::quick::erf_near(v, v * v);
    const vd far = detail::quick::erfc_far(detail::at_most(detail::at_least(a, 0.45), 11));
    return where(a < 0.5, near, where(v < 0, 2 - far, far));
  });
}

// ---- powers
// --------------------------------------------------------------------------------------

KG_INLINE vf pow(vf x, vf y) {
  const vf magnitude = detail::in_double(
      abs(x), y, [](vd a, vd v) { return detail::quick::exp(v * detail::quick::log(a)); });
  return detail::pow_specials(x, y, magnitude);
}

KG_INLINE vf hypot(vf x, vf y) {
  const vf r = detail::in_double(x, y, [](vd a, vd b) { return sqrt(mul_add(a, a, b * b)); });
  return where(isinf(x) | isinf(y), __builtin_inff(), r);
}

}  // namespace kagari::KG_ISA::simd
