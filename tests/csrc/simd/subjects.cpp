// The vectorised functions of one instruction set as plain array functions; compiled once per set.
#include "subjects.h"

#include "cpu/simd/math.h"
#include "cpu/simd/math_bessel.h"

#define KG_TEST_CONCAT2(a, b) a##b
#define KG_TEST_CONCAT(a, b) KG_TEST_CONCAT2(a, b)
#define KG_TEST_STR2(a) #a
#define KG_TEST_STR(a) KG_TEST_STR2(a)

namespace kagari::KG_ISA::subjects {

using namespace simd;
using kagari_test::Subject;

template <class T, class F>
void map1(const T* x, T* out, std::size_t n, F f) {
  constexpr std::size_t w = Lanes<T>::size;
  std::size_t i = 0;
  for (; i + w <= n; i += w) store(out + i, f(load(x + i)));
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    store_partial(out + i, f(load_partial(x + i, rest)), rest);
  }
}

template <class T, class F>
void map2(const T* x, const T* y, T* out, std::size_t n, F f) {
  constexpr std::size_t w = Lanes<T>::size;
  std::size_t i = 0;
  for (; i + w <= n; i += w) store(out + i, f(load(x + i), load(y + i)));
  if (i < n) {
    const int rest = static_cast<int>(n - i);
    store_partial(out + i, f(load_partial(x + i, rest), load_partial(y + i, rest)), rest);
  }
}

#define KG_UNARY(name)                                            \
  {#name,                                                         \
   1,                                                             \
   [](const float* x, const float*, float* o, std::size_t n) {    \
     map1(x, o, n, [](vf v) { return name(v); });                 \
   },                                                             \
   [](const double* x, const double*, double* o, std::size_t n) { \
     map1(x, o, n, [](vd v) { return name(v); });                 \
   },                                                             \
   [](float x, float) { return name(x); },                        \
   [](double x, double) { return name(x); }}
#define KG_BINARY(name)                                             \
  {#name,                                                           \
   2,                                                               \
   [](const float* x, const float* y, float* o, std::size_t n) {    \
     map2(x, y, o, n, [](vf v, vf u) { return name(v, u); });       \
   },                                                               \
   [](const double* x, const double* y, double* o, std::size_t n) { \
     map2(x, y, o, n, [](vd v, vd u) { return name(v, u); });       \
   },                                                               \
   [](float x, float y) { return name(x, y); },                     \
   [](double x, double y) { return name(x, y); }}

const Subject kSubjects[] = {
    KG_UNARY(exp),       KG_UNARY(exp2),       KG_UNARY(expm1),      KG_UNARY(log),
    KG_UNARY(log2),      KG_UNARY(log10),      KG_UNARY(log1p),      KG_UNARY(sigmoid),
    KG_UNARY(sin),       KG_UNARY(cos),        KG_UNARY(tan),        KG_UNARY(asin),
    KG_UNARY(acos),      KG_UNARY(atan),       KG_UNARY(sinh),       KG_UNARY(cosh),
    KG_UNARY(tanh),      KG_UNARY(asinh),      KG_UNARY(acosh),      KG_UNARY(atanh),
    KG_UNARY(erf),       KG_UNARY(erfc),       KG_UNARY(erfinv),     KG_UNARY(sqrt),
    KG_UNARY(rsqrt),     KG_UNARY(reciprocal), KG_UNARY(lgamma),     KG_UNARY(digamma),
    KG_UNARY(gelu),      KG_UNARY(gelu_slope), KG_UNARY(gelu_tanh),  KG_UNARY(gelu_tanh_slope),
    KG_UNARY(mish),      KG_UNARY(mish_slope), KG_UNARY(bessel_i0),  KG_UNARY(bessel_i0e),
    KG_UNARY(bessel_i1), KG_UNARY(bessel_i1e), KG_UNARY(floor),      KG_UNARY(ceil),
    KG_UNARY(trunc),     KG_UNARY(round),      KG_BINARY(atan2),     KG_BINARY(pow),
    KG_BINARY(hypot),    KG_BINARY(fmod),      KG_BINARY(remainder),
};

}  // namespace kagari::KG_ISA::subjects

kagari_test::Build KG_TEST_CONCAT(build_, KG_ISA)() {
  using namespace kagari::KG_ISA::subjects;
  return {KG_TEST_STR(KG_ISA), kSubjects, sizeof kSubjects / sizeof kSubjects[0]};
}
