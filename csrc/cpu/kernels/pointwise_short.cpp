// Formulas on floats of 16 bits that are widened, computed in float32 and rounded within registers:
// where a formula is cheap, passes of their own for the conversions take longer than it does.
#include "cpu/pointwise.h"
#include "cpu/pointwise_kernels.h"
#include "cpu/simd/halves.h"

namespace kagari::KG_ISA {

#ifdef KG_SIMD_HALVES
namespace {

// Operands that step by nothing are vectors of float32.
template <class H>
struct Operand16 {
  const char* p;
  int64_t step;
  Many<float> fixed;
  Operand16() = default;
  KG_INLINE Operand16(const void* from, int64_t by) : p(static_cast<const char*>(from)), step(by) {
    fixed = Many<float>(0);
    if (by == 0) fixed = Many<float>::load(from);
  }
  KG_INLINE Many<float> next() {
    if (step == 0) return fixed;
    const Many<float> v = simd::widen(reinterpret_cast<const H*>(p));
    p += step;
    return v;
  }
};

template <class F, class H>
void value_short(void* out, const void* const* in, const int64_t* step, const void* attributes,
                 int64_t vectors) {
  const Attributes<F, float> a(attributes);
  Operand16<H> operands[F::arity];
  for (int k = 0; k < F::arity; ++k) operands[k] = Operand16<H>(in[k], step[k]);
  H* o = static_cast<H*>(out);
  for (; vectors > 0; --vectors, o += Many<float>::size) {
    Many<float> v[F::arity];
    for (int k = 0; k < F::arity; ++k) v[k] = operands[k].next();
    simd::narrow(o, F::value(v, a.at).v);
  }
}

template <class F, class H, int i>
void gradient_short(void* out, const void* const* in, const int64_t* step, const void* attributes,
                    int64_t vectors) {
  constexpr unsigned uses = pointwise::Derivative<F, i>::uses;
  constexpr int n = F::arity + 1, count = 1 + __builtin_popcount(uses);
  const Attributes<F, float> a(attributes);
  Operand16<H> operands[count];
  for (int k = 0; k < count; ++k) operands[k] = Operand16<H>(in[k], step[k]);
  H* o = static_cast<H*>(out);
  for (; vectors > 0; --vectors, o += Many<float>::size) {
    Many<float> v[n];
    const Many<float> g = operands[0].next();
    for (int k = 0, j = 1; k < n; ++k) {
      if (uses >> k & 1)
        v[k] = operands[j++].next();
      else
        v[k] = Many<float>(0);
    }
    simd::narrow(o, (g * F::template d<i>(v, a.at)).v);
  }
}

using pointwise::Id;
namespace f = pointwise::formulas;

#define KG_VALUE(id) {Id::id, -1, &value_short<f::id##_f, bf16>, &value_short<f::id##_f, f16>}
#define KG_SAME(id, as) {Id::id, -1, &value_short<f::as##_f, bf16>, &value_short<f::as##_f, f16>}
#define KG_SLOPE(id, i) \
  {Id::id, i, &gradient_short<f::id##_f, bf16, i>, &gradient_short<f::id##_f, f16, i>}
// A product's derivative is a product.
#define KG_PRODUCT(id, i) {Id::id, i, &value_short<f::mul_f, bf16>, &value_short<f::mul_f, f16>}

constexpr ShortSpan kSpans[] = {
    KG_VALUE(add),
    KG_VALUE(add_plain),
    KG_VALUE(sub),
    KG_VALUE(sub_plain),
    KG_VALUE(rsub),
    KG_VALUE(mul),
    KG_VALUE(div),
    KG_VALUE(square),
    KG_SAME(pow_square, square),
    KG_VALUE(sqrt),
    KG_SAME(pow_half, sqrt),
    KG_VALUE(rsqrt),
    KG_VALUE(reciprocal),
    KG_SAME(pow_minus_one, reciprocal),
    KG_VALUE(addcmul),
    KG_VALUE(lerp),
    KG_VALUE(maximum),
    KG_VALUE(minimum),
    KG_SAME(clamp_min, maximum),
    KG_SAME(clamp_max, minimum),
    KG_VALUE(clamp),
    KG_VALUE(relu),
    KG_VALUE(hardtanh),
    KG_VALUE(leaky_relu),
    KG_VALUE(exp),
    KG_VALUE(log),
    KG_VALUE(sigmoid),
    KG_VALUE(tanh),
    KG_VALUE(sin),
    KG_VALUE(cos),
    KG_VALUE(erf),
    KG_VALUE(silu),
    KG_VALUE(gelu),
    KG_PRODUCT(mul, 0),
    KG_PRODUCT(mul, 1),
    KG_SLOPE(div, 0),
    KG_SLOPE(relu, 0),
    KG_SLOPE(sigmoid, 0),
    KG_SLOPE(tanh, 0),
    KG_SLOPE(silu, 0),
    KG_SLOPE(gelu, 0),
    KG_SLOPE(square, 0),
};
#undef KG_VALUE
#undef KG_SAME
#undef KG_SLOPE
#undef KG_PRODUCT

}  // namespace

const ShortTable short_table = {kSpans, int(sizeof kSpans / sizeof *kSpans)};
#else
const ShortTable short_table = {};
#endif

}  // namespace kagari::KG_ISA
