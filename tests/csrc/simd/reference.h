// Reference functions in a wider type, for judging the vectorised mathematics.
#pragma once

#include <quadmath.h>

#include <cmath>
#include <cstring>

namespace kagari_test {

// For float results: libm's double functions, good to 2^-29 of a float's unit.
using Reference64 = double (*)(double, double);
// For double results: libquadmath.
using Reference128 = __float128 (*)(__float128, __float128);

struct Reference {
  const char* name;
  Reference64 r64;
  Reference128 r128;
  double bound32, bound64;  // largest error allowed, in units in the last place
};

#define KG_REF(name, b32, b64, e64, e128)                                    \
  {#name, [](double x, [[maybe_unused]] double y) -> double { return e64; }, \
   [](__float128 x, [[maybe_unused]] __float128 y) -> __float128 { return e128; }, b32, b64},
#define KG_LIBM(name, b32, b64) KG_REF(name, b32, b64, std::name(x), name##q(x))

inline const Reference kReferences[] = {
    KG_LIBM(exp, 0.56, 0.6) KG_LIBM(exp2, 0.56, 0.6) KG_LIBM(expm1, 0.56, 0.75) KG_LIBM(
        log, 0.6, 0.6) KG_LIBM(log2, 0.6, 0.6) KG_LIBM(log10, 0.6, 0.6) KG_LIBM(log1p, 0.6, 0.6)
        KG_REF(sigmoid, 0.6, 0.6, x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)),
               x < 0 ? expq(x) / (1 + expq(x)) : 1 / (1 + expq(-x))) KG_LIBM(sin, 0.52, 0.7)
            KG_LIBM(cos, 0.52, 0.7) KG_LIBM(tan, 0.52, 0.8) KG_LIBM(asin, 0.52, 0.7)
                KG_LIBM(acos, 0.52, 0.7) KG_LIBM(atan, 0.52, 0.7) KG_LIBM(sinh, 0.52, 0.6)
                    KG_LIBM(cosh, 0.52, 0.6) KG_LIBM(tanh, 0.513, 0.6) KG_LIBM(asinh, 0.52, 0.6)
                        KG_LIBM(acosh, 0.52, 0.6) KG_LIBM(atanh, 0.52, 0.6) KG_LIBM(erf, 0.56, 0.8)
                            KG_LIBM(erfc, 0.56, 1.0) KG_LIBM(sqrt, 0.5, 0.5)
                                KG_REF(rsqrt, 0.51, 1.0, 1 / std::sqrt(x), 1 / sqrtq(x))
                                    KG_REF(reciprocal, 0.5, 0.5, 1 / x, 1 / x) KG_LIBM(floor, 0, 0)
                                        KG_LIBM(ceil, 0, 0) KG_LIBM(trunc, 0, 0)
                                            KG_REF(round, 0, 0, std::rint(x), rintq(x)) KG_REF(
                                                atan2, 0.52, 0.8, std::atan2(x, y), atan2q(x, y))};

#undef KG_LIBM
#undef KG_REF

inline const Reference* find_reference(const char* name) {
  for (const Reference& r : kReferences) {
    if (std::strcmp(r.name, name) == 0) return &r;
  }
  return nullptr;
}

}  // namespace kagari_test
