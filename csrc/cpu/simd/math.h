// The mathematics vocabulary: one name per function for vf, vd, float and double.
//
// The scalar forms run the vector body on one lane, so a tail or a single number has the same bits
// as a lane. What is needed from here: `using namespace kagari::KG_ISA::simd`, and expressions such
// as `x / (1 + exp(-x))` in which constants that are not exact are written `splat<T>(0.1)`.
#pragma once

#include "math_f32.h"
#include "math_f64.h"
#include "math_special.h"

namespace kagari::KG_ISA::simd {

// 1 / sqrt(x) with one step of Newton's from the exact residual 1 - x y^2.
KG_INLINE vf rsqrt(vf x) {
#if KG_SIMD_FMA
  const vf y = 1 / sqrt(x);
  const vf h = x * y;
  const vf rest = fma(-fma(x, y, -h), y, fma(-h, y, splat<vf>(1)));
  return where((x > 0) & (x < __builtin_inff()), fma(0.5f * y, rest, y), y);
#else
  return detail::in_double(x, [](vd v) { return 1 / sqrt(v); });
#endif
}
KG_INLINE vd rsqrt(vd x) {
  using namespace detail;
#if KG_SIMD_FMA
  const vd v = x;
#else
  // Splitting a product without fma has no room for the largest numbers.
  const vi64 large = x > 0x1p900;
  const vd v = where(large, x * 0x1p-200, x);
#endif
  vd y = 1 / sqrt(v);
  const Pair h = two_product(v, y);
  const vd rest = mul_add(-h.lo, y, fused(-h.hi, y, splat<vd>(1)));
  y = where((v > 0) & (v < __builtin_inf()), mul_add(0.5 * y, rest, y), y);
#if !KG_SIMD_FMA
  y = where(large, y * 0x1p-100, y);
#endif
  return y;
}

#define KG_SCALAR_UNARY(name)                                  \
  inline float name(float x) { return name(splat<vf>(x))[0]; } \
  inline double name(double x) { return name(splat<vd>(x))[0]; }
#define KG_SCALAR_BINARY(name)                                                        \
  inline float name(float x, float y) { return name(splat<vf>(x), splat<vf>(y))[0]; } \
  inline double name(double x, double y) { return name(splat<vd>(x), splat<vd>(y))[0]; }

KG_SCALAR_UNARY(exp)
KG_SCALAR_UNARY(exp2)
KG_SCALAR_UNARY(expm1)
KG_SCALAR_UNARY(sigmoid)
KG_SCALAR_UNARY(log)
KG_SCALAR_UNARY(log2)
KG_SCALAR_UNARY(log10)
KG_SCALAR_UNARY(log1p)
KG_SCALAR_UNARY(sin)
KG_SCALAR_UNARY(cos)
KG_SCALAR_UNARY(tan)
KG_SCALAR_UNARY(asin)
KG_SCALAR_UNARY(acos)
KG_SCALAR_UNARY(atan)
KG_SCALAR_UNARY(sinh)
KG_SCALAR_UNARY(cosh)
KG_SCALAR_UNARY(tanh)
KG_SCALAR_UNARY(asinh)
KG_SCALAR_UNARY(acosh)
KG_SCALAR_UNARY(atanh)
KG_SCALAR_UNARY(erf)
KG_SCALAR_UNARY(erfc)
KG_SCALAR_UNARY(erfinv)
KG_SCALAR_UNARY(gelu)
KG_SCALAR_UNARY(gelu_slope)
KG_SCALAR_UNARY(gelu_tanh)
KG_SCALAR_UNARY(gelu_tanh_slope)
KG_SCALAR_UNARY(mish)
KG_SCALAR_UNARY(mish_slope)
KG_SCALAR_UNARY(lgamma)
KG_SCALAR_UNARY(digamma)
KG_SCALAR_UNARY(rsqrt)
KG_SCALAR_BINARY(atan2)
KG_SCALAR_BINARY(pow)
KG_SCALAR_BINARY(hypot)
KG_SCALAR_BINARY(fmod)
KG_SCALAR_BINARY(remainder)

#undef KG_SCALAR_UNARY
#undef KG_SCALAR_BINARY

}  // namespace kagari::KG_ISA::simd
