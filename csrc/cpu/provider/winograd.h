// Convolutions in float32 with fewer multiplications: F(2×2, 3×3) of Lavin and Gray, "Fast
// Algorithms for Convolutional Neural Networks" (2016), for windows of many sizes, strides and
// dimensions.
//
// Four by four pixels and three by three weights are transformed, multiplied point by point (a
// matrix product over channels for each of the sixteen points), and transformed into two by two
// results. A window that is larger, or whose results lie further apart, is cut into pieces of up to
// three taps each way, which are further channels; and so are the planes that a result sees. The
// gradient of a stride has phases, results that see other taps of the same pixels: they are further
// results. A piece of one or two taps does not meet every point. Where windows are one pixel high,
// F(2, 3) runs along the lines alone. The transforms add, subtract and halve, so that integers stay
// exact and rounding stays as it is in the direct sum. Law of bits: a result depends on its tile and
// its weights alone.
//
// The weights' gradient is F(3×3, 2×2): the same tiles of the image, two by two of the result's
// gradient, and sums over tiles for each of the sixteen points. They run in an order that the shape
// alone decides.
#pragma once
#include <cstdint>

#include "cpu/provider/conv.h"

namespace kagari::provider {

// Forward, or backward to the input.
struct WinogradCall {
  const ConvShape& shape;
  bool backward;
  const float* x;
  ImageStrides x_strides;  // lines contiguous, or channels
  const float* w;
  WeightStrides w_strides;
  const float* bias;  // or null
  float* y;
  ImageStrides y_strides;
  bool relu, last;  // last: channels are contiguous, in both images
};

// Whether it serves this shape and is worth its transforms. The batch has no say: an image alone
// is computed as it is among others.
bool winograd_serves(Kind kind, const ConvShape& shape, bool backward);
void run_winograd(const WinogradCall& call);

// Forward with few channels in the image, lines contiguous: a vector is not channels but tiles side
// by side.
bool winograd_tiles_serves(Kind kind, const ConvShape& shape);
void run_winograd_tiles(const WinogradCall& call);

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
