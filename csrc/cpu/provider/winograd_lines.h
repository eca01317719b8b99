// What Winograd's convolutions share: which windows they serve, and lines of padded images as the
// rows of channels that the transforms read.
#pragma once
#include <algorithm>
#include <cstring>

#include "cpu/provider/blocks.h"
#include "cpu/provider/conv.h"

namespace kagari::provider {

inline constexpr int64_t kWinogradPoints = 16;  // of a tile, four by four

constexpr int64_t parts_of(int64_t x, int64_t of) { return (x + of - 1) / of; }
constexpr int64_t round_up(int64_t x, int64_t to) { return parts_of(x, to) * to; }

// Rows that are 512 bytes or their multiple apart would fall into few sets of the first cache.
inline int64_t pitch_of(int64_t channels, int64_t width) {
  int64_t pitch = round_up(channels, width);
  return pitch % 128 ? pitch : pitch + width;
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

// Where a piece of a window meets the image: its first pixel, for the result at (0, 0, 0).
struct WinogradPiece {
  int64_t offset[3];
};

// The pieces of a window are further channels of the rows.
struct WinogradLines {
  const WinogradKernels& transforms;
  const float* data;
  ImageStrides strides;
  int64_t channels, depth;  // of an image; planes of results
  const int64_t* size;
  const WinogradPiece* pieces;
  int64_t count;
  int64_t step[2];  // of the image, from one result to the next: between lines, along a line
  bool last;        // channels are contiguous
  int64_t pitch;    // of the rows

  // What results [x, x + width) of line y meet, of plane `image % depth` of image `image / depth`.
  void read(int64_t image, int64_t y, int64_t x, int64_t width, float* to) const {
    for (int64_t i = 0; i < count; ++i, to += channels) {
      // Whole vectors may be written: what lies behind a piece's channels is the next piece's.
      const int64_t* offset = pieces[i].offset;
      const int64_t plane = image % depth + offset[0], down = y * step[0] + offset[1];
      const int64_t across = x * step[1] + offset[2];
      const int64_t left = across < 0 ? std::min(width, parts_of(-across, step[1])) : 0;
      const int64_t start = across + left * step[1];
      const int64_t pixels =
          start >= size[2] ? 0 : std::min(width - left, (size[2] - 1 - start) / step[1] + 1);
      if (plane < 0 || plane >= size[0] || down < 0 || down >= size[1] || pixels <= 0) {
        clear(to, width);
        continue;
      }
      clear(to, left);
      pixels_of(data + image / depth * strides.batch + plane * strides.space[0] +
                    down * strides.space[1] + start * strides.space[2],
                pixels, to + left * pitch);
      clear(to + (left + pixels) * pitch, width - left - pixels);
    }
  }

 private:
  void pixels_of(const float* from, int64_t pixels, float* to) const {
    if (last) {
      for (int64_t i = 0; i < pixels; ++i)
        std::memcpy(to + i * pitch, from + i * step[1] * strides.space[2],
                    size_t(channels) * sizeof(float));
    } else if (step[1] == 1) {
      transforms.gather(from, strides.channel, channels, pixels, to, pitch);
    } else {
      const int64_t row = round_up(pixels, 16);
      float* apart =
          static_cast<float*>(room(Room::split_images, channels * row * int64_t(sizeof(float))));
      for (int64_t c = 0; c < channels; ++c)
        kernels_of(Kind::f32).direct->split(from + c * strides.channel, step[1], pixels,
                                            apart + c * row);
      transforms.gather(apart, row, channels, pixels, to, pitch);
    }
  }
  // The channels of one piece of so many pixels.
  void clear(float* to, int64_t pixels) const {
    for (int64_t i = 0; i < pixels; ++i) std::fill_n(to + i * pitch, channels, 0.0f);
  }
};

}  // namespace kagari::provider
