// Convolutions in one, two and three dimensions on raw pointers: forward, and backward to the input
// and to the weights.
//
// They are products on an unfolded image that exists only in the packed blocks: the law of bits of
// gemm.h holds, with k running over (channel, tap) where space is contiguous, over (tap, channel)
// where channels are, and over (image, pixel) for weight gradients. An image alone therefore equals
// the same image in a batch.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>

#include "cpu/provider/gemm.h"

namespace kagari::provider {

// Space is always three axes, outermost first: fewer are led by axes of size 1, kernel 1, stride 1.
struct ConvShape {
  int64_t batch = 1, groups = 1;
  int64_t in_channels = 1, out_channels = 1;  // of all groups together
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
  int64_t padding[3] = {0, 0, 0};  // in front; what lies behind follows from `out`
};

// An image tensor (batch, channel, space): strides in elements.
struct ImageStrides {
  int64_t batch, channel, space[3];
};
// A weight tensor (out channel, in channel of its group, kernel).
struct WeightStrides {
  int64_t out, in, kernel[3];
};
ImageStrides channels_first(int64_t channels, const int64_t* space);
ImageStrides channels_last(int64_t channels, const int64_t* space);
WeightStrides contiguous_weight(const ConvShape& shape);

// A packed copy of weights kept from call to call. The owner keeps one beside the weight's storage
// and passes its write epoch.
class WeightCache {
 public:
  using Block = std::shared_ptr<char[]>;
  Block find(const void* data, uint64_t epoch, uint64_t purpose);
  void keep(const void* data, uint64_t epoch, uint64_t purpose, Block block);

 private:
  static constexpr int kKept = 2;  // one for forward, one for backward
  struct Entry {
    const void* data = nullptr;
    uint64_t epoch = 0, purpose = 0;
    Block block;
  };
  std::mutex lock_;
  Entry entries_[kKept];
  int next_ = 0;
};

struct WeightRef {
  const void* data;
  WeightStrides strides;
  WeightCache* cache = nullptr;
  uint64_t epoch = 0;
};

// Results must be dense: contiguous space (of one channel) or contiguous channels. Inputs may have
// any strides; those two need no copy.

// y = x ⋆ w (+ bias, out_channels elements or null), relu last where asked.
void conv_forward(Kind kind, const ConvShape& shape, const void* x, const ImageStrides& x_strides,
                  const WeightRef& w, const void* bias, void* y, const ImageStrides& y_strides,
                  bool relu = false);
// dx from dy: also the forward pass of a transposed convolution, whose bias (in_channels elements)
// may be given.
void conv_backward_data(Kind kind, const ConvShape& shape, const void* dy,
                        const ImageStrides& dy_strides, const WeightRef& w, const void* bias,
                        void* dx, const ImageStrides& dx_strides);
// dw, and dbias unless null: sums over all images and pixels in their order. No operand is
// conjugated.
void conv_backward_weight(Kind kind, const ConvShape& shape, const void* x,
                          const ImageStrides& x_strides, const void* dy,
                          const ImageStrides& dy_strides, void* dw, const WeightStrides& dw_strides,
                          void* dbias);

}  // namespace kagari::provider
