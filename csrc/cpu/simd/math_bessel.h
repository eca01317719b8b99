// The modified Bessel functions I0 and I1, alone and times exp(-|x|), for vd and vf.
#pragma once

#include <iterator>

#include "../special_coefficients.h"
#include "math_f32.h"

namespace kagari::KG_ISA::simd {

namespace detail {

namespace series = ::kagari::scalar::series;

// The sum of the first `terms` of c_k T_k(t), -1 <= t <= 1: by Clenshaw's recurrence for floats, in
// Reinsch's form otherwise, which keeps its digits at both ends.
template <bool for_float, std::size_t terms, std::size_t n>
KG_INLINE vd chebyshev(const double (&c)[n], vd t) {
  static_assert(terms <= n);
  vd b = vd{}, last = vd{};
  if constexpr (for_float) {
    const vd twice = t + t;
    for (std::size_t k = terms - 1; k > 0; --k) {
      const vd next = mul_add(twice, b, c[k] - last);
      last = b;
      b = next;
    }
    return mul_add(t, b, c[0] - last);
  } else {
    // `last` is b_k - end b_(k+1) for the nearer end of the interval.
    const vd end = where(t < 0, splat<vd>(-1), splat<vd>(1)), half = t - end;
    for (std::size_t k = terms - 1; k > 0; --k) {
      last = mul_add(half + half, b, mul_add(end, last, splat<vd>(c[k])));
      b = mul_add(end, b, last);
    }
    return mul_add(half, b, mul_add(end, last, splat<vd>(c[0])));
  }
}

// What `near` gives up to 8, beyond it what the series `far` in 16 / a - 1 gives.
template <bool for_float, std::size_t near_terms, std::size_t far_terms, std::size_t n,
          std::size_t m>
KG_INLINE vd bessel_i_scaled(vd a, vd factor, const double (&near)[n], const double (&far)[m]) {
  const vi64 beyond = a > 8;
  const vd y = chebyshev<for_float, near_terms>(
      near, mul_add(at_most(a, 8), splat<vd>(0.25), splat<vd>(-1)));
  if (!any(beyond)) return y * factor;
  const vd large = at_least(a, 8);
  return where(beyond, chebyshev<for_float, far_terms>(far, 16 / large - 1) / sqrt(large),
               y * factor);
}

// Terms below 2^-35 are nothing to a float.
template <bool for_float>
KG_INLINE vd i0e(vd a) {
  constexpr std::size_t near = for_float ? 22 : std::size(series::kI0Near);
  constexpr std::size_t far = for_float ? 10 : std::size(series::kI0Far);
  return bessel_i_scaled<for_float, near, far>(a, splat<vd>(1), series::kI0Near, series::kI0Far);
}
template <bool for_float>
KG_INLINE vd i1e(vd a) {
  constexpr std::size_t near = for_float ? 21 : std::size(series::kI1Near);
  constexpr std::size_t far = for_float ? 10 : std::size(series::kI1Far);
  return bessel_i_scaled<for_float, near, far>(a, a, series::kI1Near, series::kI1Far);
}

// exp(a) f without overflow of exp alone.
KG_INLINE vd times_exp(vd a, vd f) {
  const vd half = simd::exp(0.5 * a);
  return where(a == __builtin_inf(), a, half * f * half);
}

}  // namespace detail

KG_NOINLINE vd bessel_i0e(vd x) { return detail::nan_of(x, detail::i0e<false>(abs(x))); }
KG_NOINLINE vd bessel_i1e(vd x) {
  return detail::nan_of(x, copysign(detail::i1e<false>(abs(x)), x));
}
KG_NOINLINE vd bessel_i0(vd x) {
  const vd a = abs(x);
  return detail::nan_of(x, detail::times_exp(a, detail::i0e<false>(a)));
}
KG_NOINLINE vd bessel_i1(vd x) {
  const vd a = abs(x);
  return detail::nan_of(x, copysign(detail::times_exp(a, detail::i1e<false>(a)), x));
}

KG_NOINLINE vf bessel_i0e(vf x) {
  return detail::in_double(x, [](vd v) { return detail::i0e<true>(abs(v)); });
}
KG_NOINLINE vf bessel_i1e(vf x) {
  return detail::in_double(x, [](vd v) { return copysign(detail::i1e<true>(abs(v)), v); });
}
// Where both are infinite to a float.
inline constexpr double kBesselEnd = 150;
KG_NOINLINE vf bessel_i0(vf x) {
  return detail::in_double(x, [](vd v) {
    const vd a = detail::at_most(abs(v), kBesselEnd);
    return detail::quick::exp(a) * detail::i0e<true>(a);
  });
}
KG_NOINLINE vf bessel_i1(vf x) {
  return detail::in_double(x, [](vd v) {
    const vd a = detail::at_most(abs(v), kBesselEnd);
    return copysign(detail::quick::exp(a) * detail::i1e<true>(a), v);
  });
}

#define KG_SCALAR_BESSEL(name)                                 \
  inline float name(float x) { return name(splat<vf>(x))[0]; } \
  inline double name(double x) { return name(splat<vd>(x))[0]; }
KG_SCALAR_BESSEL(bessel_i0)
KG_SCALAR_BESSEL(bessel_i0e)
KG_SCALAR_BESSEL(bessel_i1)
KG_SCALAR_BESSEL(bessel_i1e)
#undef KG_SCALAR_BESSEL

}  // namespace kagari::KG_ISA::simd
