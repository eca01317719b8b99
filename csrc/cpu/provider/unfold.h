// Sources that unfold images: what a convolution's product reads of its image, packed block by
// block.
#pragma once
#include <cstdint>
#include <vector>

#include "cpu/provider/blocks.h"
#include "cpu/provider/conv.h"

namespace kagari::provider {

// An image seen through a window at a grid of pixels: pixel q and tap t meet the image at q·step +
// offset, zero outside.
struct Tap {
  int64_t offset[3];
};
struct Window {
  int64_t grid[3], step[3];
  int64_t size[3];  // of the image
  ImageStrides strides;
  int64_t channels = 0;  // of one group
  std::vector<Tap> taps;
  uint64_t id = 0;  // id_of(*this): what thread-local maps are kept by

  int64_t pixels() const { return grid[0] * grid[1] * grid[2]; }
  int64_t depth() const { return channels * int64_t(taps.size()); }
};
uint64_t id_of(const Window& window);  // the same for windows that look alike, their channels aside

// Space is contiguous. C (out channels, pixels) of one image and group: A are weights, B the
// unfolded image. Weights lie as (out, channel, tap), or with `taps` anywhere: element (out, channel,
// tap) at out·weight_row + channel·weight_channel + taps[tap], plain kinds only.
class UnfoldedColumns final : public KindSource {
 public:
  const Window* window = nullptr;
  const char* weights = nullptr;
  const int64_t* taps = nullptr;
  int64_t weight_row = 0, weight_channel = 0;
  const char* image = nullptr;
  RowBlock a(int64_t row, int64_t rows, int64_t from, int64_t depth, void* room) const override;
  void b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
         void* room) const override;
};

// Channels are contiguous. C (images and pixels, out channels): A is the unfolded image, B are
// weights (tap, channel) × out.
class UnfoldedRows final : public KindSource {
 public:
  const Window* window = nullptr;
  const char* weights = nullptr;
  int64_t weight_row = 0, weight_col = 0;
  const char* image = nullptr;
  RowBlock a(int64_t row, int64_t rows, int64_t from, int64_t depth, void* room) const override;
  void b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
         void* room) const override;
};

// The weights' gradient; k runs over images and pixels. A last row (column) of ones sums the
// result's gradient.
struct Gradient {
  const char* data;  // of this group
  int64_t batch,
      channel;  // strides; pixels are contiguous in channels-first, `pixel` apart in channels-last
  int64_t pixel;
};
// Space is contiguous: C (channel · tap, out channels), or the same turned, C (out channels,
// channel · tap), whose gradient is seen through a window of one tap.
class WeightGradientFirst final : public KindSource {
 public:
  const Window* window = nullptr;
  const char* image = nullptr;
  Gradient gradient;
  const void* one = nullptr;
  RowBlock a(int64_t row, int64_t rows, int64_t from, int64_t depth, void* room) const override;
  void b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
         void* room) const override;
};
class WeightGradientTurned final : public KindSource {
 public:
  const Window *window = nullptr, *gradient_window = nullptr;
  const char* image = nullptr;
  Gradient gradient;
  const void* one = nullptr;
  RowBlock a(int64_t row, int64_t rows, int64_t from, int64_t depth, void* room) const override;
  void b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
         void* room) const override;
};
// Channels are contiguous: C (out channels, tap · channel).
class WeightGradientLast final : public KindSource {
 public:
  const Window* window = nullptr;
  const char* image = nullptr;
  Gradient gradient;
  const void* one = nullptr;
  RowBlock a(int64_t row, int64_t rows, int64_t from, int64_t depth, void* room) const override;
  void b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
         void* room) const override;
};

}  // namespace kagari::provider
