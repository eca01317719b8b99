// Convolutions of many small images at once: each lane of a vector is another image of the batch.
//
// As many images as a vector has lanes are transposed, so that their equal pixels lie side by side
// and padding is there in memory. Short lines then leave no vector partly filled, no step is a
// special case, and nothing is unfolded. Space is contiguous.
//
// Law of bits: the forward pass and the input's gradient are those of direct.h, so whether images
// are computed here or one by one leaves no trace. The weights' gradient is a sum over lanes, pixels
// and blocks of images that are cut by the batch alone.
#pragma once
#include <cstdint>

#include "cpu/provider/direct.h"

namespace kagari::provider {

// Whether images of this shape are small enough, were there many of them. The batch has no say:
// ways whose bits are others must not be taken for some batches only.
bool lanes_fit(Kind kind, const ConvShape& shape);

// A direct convolution whose weights are read where they are: element (group, out, channel) of the
// call at strides from `weights` on, and each of its windows' taps.
struct LanesCall {
  DirectCall direct;  // its parts' weights are not used
  const char* weights;
  int64_t group, out, channel;        // strides, in elements
  const int64_t* const* tap_offsets;  // of each window
};
bool lanes_serve(const LanesCall& call);
void run_lanes(const LanesCall& call);

struct LanesWeightCall {
  Kind kind;
  int64_t batch, groups, out;  // out: channels of a group in dy
  const Window* window;
  const char* image;
  const char* dy;  // dense
  ImageStrides dy_strides;
  void* dw;
  WeightStrides dw_strides;
  const int64_t* kernel_offsets;  // of each tap in dw
  void* dbias;                    // or null
};
bool lanes_weight_serve(const LanesWeightCall& call);
void run_lanes_weight(const LanesWeightCall& call);

}  // namespace kagari::provider
