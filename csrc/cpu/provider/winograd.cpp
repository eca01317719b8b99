// Winograd convolutions: blocks of tiles, each transformed, multiplied and transformed back while
// it lies in the cache.
#include "cpu/provider/winograd.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "cpu/provider/blocks.h"
#include "cpu/provider/winograd_lines.h"

namespace kagari::provider {

namespace {

constexpr int64_t kPoints = kWinogradPoints;
constexpr int64_t kBlockTiles = 48;         // fewer rows would not repay reading the weights
constexpr int64_t kBlockFloats = 64 << 10;  // of one block's transformed pixels and results
constexpr int64_t kLeastTiles = 16;         // of an image
constexpr int64_t kMostWeights = 4096;  // of each tile of an image: more cost more than they save
constexpr int64_t kMostWidth = 64;      // of a panel of weights: two vectors

class Run {
 public:
  explicit Run(const WinogradCall& c)
      : c_(c),
        products_(kernels_of(Kind::f32)),
        transforms_(*products_.winograd),
        width_(2 * products_.vector),
        depth_(c.planes * c.in_channels),
        across_(parts_of(c.out[2], 2)),
        down_(parts_of(c.out[1], 2)),
        images_(c.batch * c.out[0]),
        // Whole vectors of the last plane's channels are written.
        in_pitch_(
            pitch_of(depth_ - c.in_channels + round_up(c.in_channels, products_.vector), width_)),
        out_pitch_(pitch_of(c.out_channels, width_)),
        panels_(parts_of(c.out_channels, width_)),
        image_{transforms_, c.x,  c.x_strides, c.in_channels, c.planes,
               c.out[0],    c.in, c.padding,   c.last,        in_pitch_} {
    KG_INTERNAL(width_ <= kMostWidth, "panels of ", width_, " weights");
    int64_t tiles = std::max(kBlockTiles, kBlockFloats / (kPoints * (in_pitch_ + out_pitch_)));
    segments_ = parts_of(across_, tiles);
    columns_ = parts_of(across_, segments_);
    rows_ =
        std::clamp<int64_t>(tiles / columns_, 1, parts_of(images_ * down_, threads_available()));
  }

  void run() {
    weights_ = static_cast<float*>(
        room(Room::weight, kPoints * panels_ * depth_ * width_ * int64_t(sizeof(float))));
    bias_ = static_cast<float*>(room(Room::bias, panels_ * width_ * int64_t(sizeof(float))));
    std::fill_n(bias_, panels_ * width_, 0.0f);
    if (c_.bias) std::copy_n(c_.bias, c_.out_channels, bias_);
    run_jobs(panels_, [&](int64_t panel) { transform_weights(panel); });
    int64_t rows = images_ * down_;
    run_jobs(parts_of(rows, rows_) * segments_, [&](int64_t job) {
      int64_t row = job / segments_ * rows_, column = job % segments_ * columns_;
      if (column < across_)
        block(row, std::min(rows, row + rows_), column, std::min(columns_, across_ - column));
    });
  }

 private:
  // (point, panel, plane · in channel, width)
  void transform_weights(int64_t panel) {
    int64_t plane = panels_ * depth_ * width_;
    int64_t first = panel * width_, live = std::min(width_, c_.out_channels - first);
    float nine[9 * kMostWidth] = {};
    for (int64_t i = 0; i < depth_; ++i) {
      const float* from = c_.w + first * c_.w_out + i / c_.in_channels * c_.w_kernel[0] +
                          i % c_.in_channels * c_.w_in;
      for (int64_t o = 0; o < live; ++o, from += c_.w_out)
        for (int64_t y = 0; y < 3; ++y)
          for (int64_t x = 0; x < 3; ++x)
            nine[(3 * y + x) * width_ + o] = from[y * c_.w_kernel[1] + x * c_.w_kernel[2]];
      transforms_.weights(nine, width_, weights_ + (panel * depth_ + i) * width_, plane);
    }
  }

  // Rows of tiles [first, end) over the whole batch, `columns` of them from `column` on.
  void block(int64_t first, int64_t end, int64_t column, int64_t columns) {
    int64_t tiles = (end - first) * columns, line = (2 * columns + 2) * in_pitch_;
    int64_t in_plane = tiles * in_pitch_, out_plane = tiles * out_pitch_;
    auto floats = [](Room where, int64_t count) {
      return static_cast<float*>(room(where, count * int64_t(sizeof(float))));
    };
    float* points = floats(Room::a, kPoints * in_plane);
    float* results = floats(Room::sums, kPoints * out_plane);
    float* lines[4];
    lines[0] = floats(Room::rows, 4 * line);
    for (int i = 1; i < 4; ++i) lines[i] = lines[0] + i * line;
    for (int64_t row = first; row < end; ++row) {
      int from = 0;
      if (row > first && row % down_) {  // the next tile of the same image shares two lines
        std::swap(lines[0], lines[2]);
        std::swap(lines[1], lines[3]);
        from = 2;
      }
      for (int i = from; i < 4; ++i)
        image_.read(row / down_, 2 * (row % down_) + i, 2 * column, 2 * columns + 2, lines[i]);
      transforms_.input(lines, in_pitch_, depth_, columns,
                        points + (row - first) * columns * in_pitch_,
                        {in_plane, in_pitch_, in_pitch_, in_pitch_});
    }
    for (int64_t p = 0; p < kPoints; ++p)
      multiply(p, tiles, points + p * in_plane, results + p * out_plane);
    int64_t out_line = 2 * columns * out_pitch_;
    float* out[2];
    out[0] = floats(Room::part, 2 * out_line);
    out[1] = out[0] + out_line;
    for (int64_t row = first; row < end; ++row) {
      transforms_.output(results + (row - first) * columns * out_pitch_, out_plane, out_pitch_,
                         c_.out_channels, columns, bias_, c_.relu, out);
      for (int64_t i = 0; i < 2; ++i)
        write_line(row / down_, 2 * (row % down_) + i, 2 * column, 2 * columns, out[i]);
    }
  }

  void write_line(int64_t image, int64_t y, int64_t x, int64_t width, const float* from) const {
    if (y >= c_.out[1]) return;
    const ImageStrides& s = c_.y_strides;
    int64_t pixels = std::min(width, c_.out[2] - x);
    float* to = c_.y + image / c_.out[0] * s.batch + image % c_.out[0] * s.space[0] +
                y * s.space[1] + x * s.space[2];
    if (c_.last) {
      for (int64_t i = 0; i < pixels; ++i)
        std::memcpy(to + i * s.space[2], from + i * out_pitch_,
                    size_t(c_.out_channels) * sizeof(float));
    } else {
      transforms_.scatter(from, out_pitch_, c_.out_channels, pixels, to, s.channel);
    }
  }

  // results (tile, out channel) = pixels (tile, in channel) × weights, at one point.
  void multiply(int64_t point, int64_t tiles, const float* pixels, float* results) const {
    for (int64_t panel = 0; panel < panels_; ++panel)
      for (int64_t at = 0; at < depth_; at += kChunk) {
        int64_t depth = std::min(kChunk, depth_ - at);
        const float* b = weights_ + ((point * panels_ + panel) * depth_ + at) * width_;
        for (int64_t i = 0; i < tiles; i += products_.rows) {
          int64_t rows = std::min<int64_t>(products_.rows, tiles - i);
          products_.micro[1][rows - 1](depth, pixels + i * in_pitch_ + at, in_pitch_, 1, b, width_,
                                       results + i * out_pitch_ + panel * width_, out_pitch_,
                                       width_, at > 0);
        }
      }
  }

  const WinogradCall& c_;
  const Kernels& products_;
  const WinogradKernels& transforms_;
  int64_t width_;                 // of a panel of weights
  int64_t depth_;                 // channels of all planes
  int64_t across_, down_;         // tiles of an image
  int64_t images_;                // planes of results
  int64_t in_pitch_, out_pitch_;  // of rows of channels
  int64_t panels_;
  WinogradLines image_;
  int64_t segments_, columns_, rows_;  // a row of tiles is cut into segments; of tiles in a block
  float *weights_ = nullptr, *bias_ = nullptr;
};

}  // namespace

bool winograd_serves(Kind kind, const ConvShape& s) {
  int64_t tiles = parts_of(s.out[1], 2) * parts_of(s.out[2], 2) * s.out[0];
  return winograd_fits(kind, s) && tiles >= kLeastTiles &&
         s.in_channels * s.out_channels * s.kernel[0] <= kMostWeights * tiles;
}

void run_winograd(const WinogradCall& call) { Run(call).run(); }

}  // namespace kagari::provider
