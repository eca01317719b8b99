// Convolutions of 3×3 windows one pixel apart, and of several such planes in three dimensions, in
// float32 with 2.25 times fewer multiplications:
// F(2×2, 3×3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016).
//
// Four by four pixels and three by three weights are transformed, multiplied point by point (a
// matrix product over channels for each of the sixteen points), and transformed into two by two
// results. The planes that a result sees are further channels. The transforms add, subtract and
// halve, so that integers stay exact and rounding stays as it is in the direct sum. Law of bits: a
// result depends on its tile and its weights alone.
//
// The weights' gradient is F(3×3, 2×2): the same tiles of the image, two by two of the result's
// gradient, and sums over tiles for each of the sixteen points. They run in an order that the shape
// alone decides.
#pragma once
#include <cstdint>

#include "cpu/provider/conv.h"

namespace kagari::provider {

// Forward, or backward to the input as a forward pass with turned weights.
struct WinogradCall {
  int64_t batch, in_channels, out_channels;
  int64_t planes;  // of a window
  int64_t in[3], out[3], padding[3];
  const float* x;
  ImageStrides x_strides;  // lines contiguous, or channels
  const float* w;
  int64_t w_out, w_in, w_kernel[3];  // strides
  const float* bias;
  float* y;
  ImageStrides y_strides;
  bool relu, last;  // last: channels are contiguous, in both images
};

// Whether it serves this shape and is worth its transforms. The batch has no say: an image alone
// is computed as it is among others.
bool winograd_serves(Kind kind, const ConvShape& shape);
void run_winograd(const WinogradCall& call);

struct WinogradWeightCall {
  int64_t batch, in_channels, out_channels;
  int64_t planes;  // of a window
  int64_t in[3], out[3], padding[3];
  const float* x;
  ImageStrides x_strides;
  const float* dy;
  ImageStrides dy_strides;
  float* dw;
  WeightStrides dw_strides;
  float* dbias;  // or null
  bool last;     // channels are contiguous, in both images
};

bool winograd_weight_serves(Kind kind, const ConvShape& shape);
void run_winograd_weight(const WinogradWeightCall& call);

}  // namespace kagari::provider
