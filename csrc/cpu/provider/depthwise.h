// Convolutions whose groups are single channels, where channels are contiguous: vectors of channels,
// each a sum over the taps that fall on the image.
//
// Law of bits: a result is one chain of fma over its taps in their order, a weight's gradient a sum
// of sums over parts of rows that the shape alone decides.
#pragma once
#include <cstdint>

#include "cpu/provider/unfold.h"

namespace kagari::provider {

struct DepthwiseCall {
  Kind kind;
  int64_t batch, channels;
  const Window* window;
  const char* image;
  const char* weights;  // (tap, channel)
  char* result;
  ImageStrides result_strides;
  const char* bias;
  bool relu;
};
bool depthwise_serves(Kind kind, const ConvShape& shape);
void run_depthwise(const DepthwiseCall& call);

// `dy`: of the window's grid. Sums (tap, channel), and unless null of the gradient itself.
struct DepthwiseWeightCall {
  Kind kind;
  int64_t batch, channels;
  const Window* window;
  const char* image;
  const char* dy;
  ImageStrides dy_strides;
  double *sums, *bias_sums;
};
void run_depthwise_weight(const DepthwiseWeightCall& call);

}  // namespace kagari::provider
