// Tables of the pointwise class's kernels, one per computing type.
#pragma once
#include "cpu/isa.h"
#include "ops/pointwise_formulas.h"

namespace kagari {

using pointwise::SpanTable;
KG_ISA_TABLE(SpanTable, pointwise_f32)
KG_ISA_TABLE(SpanTable, pointwise_f64)
KG_ISA_TABLE(SpanTable, pointwise_i32)
KG_ISA_TABLE(SpanTable, pointwise_i64)
KG_ISA_TABLE(SpanTable, pointwise_u64)
KG_ISA_TABLE(SpanTable, pointwise_u8)

// where(): in[0] holds bytes that select, the others are elements of 1, 2, 4, 8 or 16 bytes.
struct SelectTable {
  pointwise::Span by_size[5];
  int lanes[5];
  // The sign of floats of 16 bits, changed or cleared where they lie.
  pointwise::Span neg16, abs16;
};
KG_ISA_TABLE(SelectTable, select_table)

// Values and gradients in floats of 16 bits, computed in float32 within registers, as many to a vector
// as of float32. Operands that step by nothing are vectors of float32.
struct ShortSpan {
  pointwise::Id id;
  int gradient;  // -1: the value
  pointwise::Span bf16, f16;
};
struct ShortTable {
  const ShortSpan* spans = nullptr;
  int count = 0;
};
KG_ISA_TABLE(ShortTable, short_table)

// In place of the formulas' own: one complex number per step, several to a vector.
struct ComplexSpans {
  pointwise::Span add, sub, mul, abs, angle;
};
KG_ISA_TABLE(ComplexSpans, complex_f32)
KG_ISA_TABLE(ComplexSpans, complex_f64)

namespace portable {  // other functions of complex numbers: one copy serves all instruction sets
extern const SpanTable pointwise_c64;
extern const SpanTable pointwise_c128;
}  // namespace portable

}  // namespace kagari
