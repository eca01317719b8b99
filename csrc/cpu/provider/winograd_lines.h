// What Winograd's convolutions share: which windows they serve, and lines of padded images as the
// rows of channels that the transforms read.
#pragma once
#include <algorithm>
#include <cstring>

#include "cpu/provider/conv.h"
#include "cpu/provider/kernels.h"

namespace kagari::provider {

inline constexpr int64_t kWinogradPoints = 16;  // of a tile, four by four

constexpr int64_t parts_of(int64_t x, int64_t of) { return (x + of - 1) / of; }
constexpr int64_t round_up(int64_t x, int64_t to) { return parts_of(x, to) * to; }

// Rows that are a power of two apart would fall into the same sets of the cache.
inline int64_t pitch_of(int64_t channels, int64_t width) {
  int64_t pitch = round_up(channels, width);
  return pitch % 256 ? pitch : pitch + width;
}

// Whether a window is one that the transforms know, both sides having enough channels.
inline bool winograd_fits(Kind kind, const ConvShape& s) {
  constexpr int64_t most_planes = 8, least_channels = 16;
  bool fits = kind == Kind::f32 && s.groups == 1 && s.kernel[0] <= most_planes &&
              std::min(s.in_channels, s.out_channels) >= least_channels;
  for (int i = 0; i < 3; ++i)
    fits = fits && (i == 0 || s.kernel[i] == 3) && s.stride[i] == 1 && s.dilation[i] == 1 &&
           s.padding[i] >= 0 && s.padding[i] < s.kernel[i];
  return fits;
}

// The planes that a result sees are further channels of its rows.
struct WinogradLines {
  const WinogradKernels& transforms;
  const float* data;
  ImageStrides strides;
  int64_t channels, planes, depth;  // of an image, that a result sees, of results
  const int64_t *size, *padding;
  bool last;      // channels are contiguous
  int64_t pitch;  // of the rows

  // Pixels [x, x + width) of line y, in all planes that plane `image % depth` of results sees in
  // image `image / depth`.
  void read(int64_t image, int64_t y, int64_t x, int64_t width, float* to) const {
    int64_t down = y - padding[1], across = x - padding[2];
    int64_t left = std::clamp<int64_t>(-across, 0, width), start = across + left;
    int64_t pixels = std::clamp<int64_t>(size[2] - start, 0, width - left);
    for (int64_t p = 0; p < planes; ++p, to += channels) {
      // Whole vectors may be written: what lies behind a plane's channels is the next plane's.
      int64_t plane = image % depth + p - padding[0];
      if (plane < 0 || plane >= size[0] || down < 0 || down >= size[1]) {
        clear(to, width);
        continue;
      }
      clear(to, left);
      const float* from = data + image / depth * strides.batch + plane * strides.space[0] +
                          down * strides.space[1] + start * strides.space[2];
      float* inside = to + left * pitch;
      if (last) {
        for (int64_t i = 0; i < pixels; ++i)
          std::memcpy(inside + i * pitch, from + i * strides.space[2],
                      size_t(channels) * sizeof(float));
      } else {
        transforms.gather(from, strides.channel, channels, pixels, inside, pitch);
      }
      clear(inside + pixels * pitch, width - left - pixels);
    }
  }

 private:
  // The channels of one plane of so many pixels.
  void clear(float* to, int64_t pixels) const {
    for (int64_t i = 0; i < pixels; ++i) std::fill_n(to + i * pitch, channels, 0.0f);
  }
};

}  // namespace kagari::provider
