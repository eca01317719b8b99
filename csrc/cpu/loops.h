// The loop of the pointwise class: any dtypes, strides and broadcasting around kernels that know
// only contiguous vectors.
//
// Operands that lie contiguously in the dtype that the kernel wants go straight to it. Everything
// else passes through blocks that stay in the first-level cache: gathered, converted, computed,
// converted, scattered. An element's result depends on its operands alone, so neither blocks nor
// threads can influence bits.
#pragma once
#include "core/tensor.h"
#include "ops/pointwise_formulas.h"

namespace kagari {

struct LoopOperand {
  char* data = nullptr;
  Dtype dtype = Dtype::f32;        // in memory
  Dtype want = Dtype::f32;         // in the kernel
  Dtype via = Dtype::undefined;    // rounded to this on the way in
  Dtype splat = Dtype::undefined;  // in the kernel where one element serves all; undefined: `want`
  bool single = false;             // one element serves all
  int64_t strides[kMaxDims];       // bytes, 0 where broadcast; outermost first until prepare()
};

struct Loop {
  static constexpr int kMaxOperands = 6;
  int ndim = 0;
  int operands = 0;  // operand 0 is the output
  int64_t numel = 1;
  int64_t sizes[kMaxDims];
  LoopOperand op[kMaxOperands];

  // Sets the sizes of the result; operands are added afterwards.
  void shape(Ints s);
  // Adds a tensor, broadcast to the shape.
  LoopOperand& add(const TensorImpl* t, Dtype want);
  // Adds one number, given in the dtype `want`.
  LoopOperand& add_number(void* value, Dtype want);
};

// A kernel on whole vectors and what it is called with.
struct SpanCall {
  pointwise::Span span;
  int lanes;
  pointwise::Pad pad = nullptr;
  const void* attributes = nullptr;
};

// Computes the loop with as many threads as it is worth.
void run_loop(Loop& loop, const SpanCall& call);

// n contiguous elements: vectors, then a padded vector for the rest. sizes: bytes per element, the
// output's first. Bit k of `single`: operand k is a full vector that serves all elements.
void run_span(const SpanCall& call, void* out, const void* const* in, const int64_t* sizes,
              int operands, uint32_t single, int64_t n);

// Merges and orders the dimensions: fastest first, as the first operand lies in memory.
void simplify(Loop& loop);

}  // namespace kagari
