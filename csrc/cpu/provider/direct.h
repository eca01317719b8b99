// Convolutions computed in place of a matrix product, where packing the unfolded image would cost
// more than it saves: few channels to a group, or few results to each pixel. Space is contiguous.
//
// The lines of the image that a block of pixels sees are copied once, with their padding and, under
// a stride, sorted by remainder; a tile of results then reads whole vectors of neighbouring pixels
// from them. Law of bits: that of gemm.h, in the same order over (channel, tap).
#pragma once
#include <cstdint>

#include "cpu/provider/unfold.h"

namespace kagari::provider {

// Windows of one convolution. A forward one has one; a gradient has one for each step of the stride
// along a row, its parts, which are woven: pixel x of the result is pixel x / parts of the grid, seen
// through window x % parts. It has such parts for each step from row to row and from plane to plane,
// its phases, whose results start at different pixels.
struct DirectPart {
  const Window* window;
  const char* weights;  // (group, out, channel, tap)
};

struct DirectCall {
  Kind kind;
  int64_t batch, groups, out;   // out: channels of a group in the result
  const DirectPart* parts;      // of each phase
  const int64_t* phase_starts;  // in the result, in elements
  int64_t phase_count, part_count;
  const char* image;
  char* result;
  ImageStrides result_strides;
  int64_t width;  // of a row of the result
  const char* bias;
  bool relu;
};

// Whether it serves and is the faster way. The batch has no say.
bool direct_serves(const DirectCall& call);
void run_direct(const DirectCall& call);

// The weights' gradient of groups of few channels. `dy`: of the window's grid, lines contiguous;
// sums (group, out, channel, tap) and, unless null, of the gradient itself (group, out).
struct DirectWeightCall {
  Kind kind;
  int64_t batch, groups, out;
  const Window* window;
  const char* image;
  const char* dy;
  ImageStrides dy_strides;
  double *sums, *bias_sums;
};
bool direct_weight_serves(const DirectWeightCall& call);
void run_direct_weight(const DirectWeightCall& call);

}  // namespace kagari::provider
