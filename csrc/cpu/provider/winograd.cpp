// Winograd convolutions: blocks of tiles, each transformed, multiplied and transformed back while
// it lies in the cache.
#include "cpu/provider/winograd.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "cpu/provider/blocks.h"
#include "cpu/provider/winograd_lines.h"
#include "cpu/provider/winograd_window.h"

namespace kagari::provider {

namespace {

constexpr int64_t kPoints = kWinogradPoints;
constexpr int64_t kBlockTiles = 48;         // fewer rows would not repay reading the weights
constexpr int64_t kBlockFloats = 64 << 10;  // of one block's transformed pixels and results
constexpr int64_t kLeastTiles = 16, kLeastFlatTiles = 64;  // of an image
constexpr int64_t kMostWeights = 4096;  // of each tile of an image: more cost more than they save
constexpr int64_t kMostWidth = 64;      // of a panel of weights: two vectors
constexpr int64_t kLeastChannels = 16, kLeastFlatChannels = 64;
// Of the direct sum's multiplications: the transforms cost, too.
constexpr double kMostWork = 0.72;

using Axis = WinogradAxis;
using Window = WinogradWindow;

class Run {
 public:
  explicit Run(const WinogradCall& c)
      : c_(c),
        s_(c.shape),
        window_(s_, c.backward),
        products_(kernels_of(Kind::f32)),
        transforms_(*products_.winograd),
        in_channels_(c.backward ? s_.out_channels : s_.in_channels),
        out_channels_(c.backward ? s_.in_channels : s_.out_channels),
        width_(2 * products_.vector),
        points_(window_.points()),
        panels_(parts_of(out_channels_, width_)),
        all_panels_(panels_ * window_.phases()),
        planes_(c.backward ? s_.in[0] : s_.out[0]),
        images_(s_.batch * planes_),
        height_(window_.y.flat ? 1 : 2),
        down_(parts_of(window_.y.grid, height_)),
        across_(parts_of(window_.x.grid, 2)) {
    KG_INTERNAL(width_ <= kMostWidth, "panels of ", width_, " weights");
    cut();
    depth_ = int64_t(pieces_.size()) * in_channels_;
    // Whole vectors of the last piece's channels are written.
    in_pitch_ = pitch_of(depth_ - in_channels_ + round_up(in_channels_, products_.vector), width_);
    out_pitch_ = pitch_of(all_panels_ * width_, width_);
    int64_t tiles = std::max(kBlockTiles, kBlockFloats / (points_ * (in_pitch_ + out_pitch_)));
    segments_ = parts_of(across_, tiles);
    columns_ = parts_of(across_, segments_);
    rows_ =
        std::clamp<int64_t>(tiles / columns_, 1, parts_of(images_ * down_, threads_available()));
  }

  void run() {
    weights_ = floats(Room::weight, kPoints * all_panels_ * depth_ * width_);
    bias_ = floats(Room::bias, all_panels_ * width_);
    std::fill_n(bias_, all_panels_ * width_, 0.0f);
    for (int64_t f = 0; c_.bias && f < window_.phases(); ++f)
      std::copy_n(c_.bias, out_channels_, bias_ + f * panels_ * width_);
    run_jobs(all_panels_, [&](int64_t panel) { transform_weights(panel); });
    int64_t rows = images_ * down_;
    run_jobs(parts_of(rows, rows_) * segments_, [&](int64_t job) {
      int64_t row = job / segments_ * rows_, column = job % segments_ * columns_;
      if (column < across_)
        block(row, std::min(rows, row + rows_), column, std::min(columns_, across_ - column));
    });
  }

 private:
  static float* floats(Room where, int64_t count) {
    return static_cast<float*>(room(where, count * int64_t(sizeof(float))));
  }

  // A piece of the window, and which pieces of its axes it is.
  struct Piece {
    int64_t plane;  // of the kernel
    int y, x;
  };

  // Those that meet the same points follow each other: they are one product there.
  void cut() {
    const Axis &y = window_.y, &x = window_.x;
    auto cutting = [](const Axis& a, int piece, int point) {
      bool any = false;
      for (int f = 0; f < a.phases; ++f) any |= a.meets(f, piece, point);
      return any;
    };
    auto order = [&](const Piece& p) {
      const bool high = cutting(y, p.y, 3), wide = cutting(x, p.x, 3);
      return high ? (wide ? 1 : 2) : (wide ? 0 : 3);
    };
    for (int64_t z = 0; z < s_.kernel[0]; ++z)
      for (int i = 0; i < y.pieces; ++i)
        for (int j = 0; j < x.pieces; ++j)
          pieces_.push_back({c_.backward ? s_.kernel[0] - 1 - z : z, i, j});
    std::stable_sort(pieces_.begin(), pieces_.end(),
                     [&](const Piece& a, const Piece& b) { return order(a) < order(b); });
    for (const Piece& p : pieces_)
      places_.push_back({{c_.backward ? s_.padding[0] - p.plane : p.plane - s_.padding[0],
                          y.offset[p.y], x.offset[p.x]}});
  }

  bool meets(int64_t phase, const Piece& p, int64_t point) const {
    const Axis &y = window_.y, &x = window_.x;
    return y.meets(int(phase / x.phases), p.y, int(point / 4)) &&
           x.meets(int(phase % x.phases), p.x, int(point % 4));
  }

  // (point, panel, piece · in channel, width)
  void transform_weights(int64_t panel) {
    const WeightStrides& t = c_.w_strides;
    const int64_t out = c_.backward ? t.in : t.out, in = c_.backward ? t.out : t.in;
    const int64_t plane = all_panels_ * depth_ * width_, phase = panel / panels_;
    const int64_t first = panel % panels_ * width_, live = std::min(width_, out_channels_ - first);
    float* to = weights_ + panel * depth_ * width_;
    for (const Piece& p : pieces_) {
      const int8_t* down = window_.y.tap[phase / window_.x.phases][p.y];
      const int8_t* across = window_.x.tap[phase % window_.x.phases][p.x];
      float nine[9 * kMostWidth] = {};
      for (int64_t c = 0; c < in_channels_; ++c, to += width_) {
        for (int y = 0; y < 3; ++y)
          for (int x = 0; x < 3; ++x) {
            if (down[y] < 0 || across[x] < 0) continue;
            const float* from = c_.w + first * out + p.plane * t.kernel[0] + c * in +
                                down[y] * t.kernel[1] + across[x] * t.kernel[2];
            for (int64_t o = 0; o < live; ++o) nine[(3 * y + x) * width_ + o] = from[o * out];
          }
        transforms_.weights(nine, width_, to, plane);
      }
    }
  }

  // Rows of tiles [first, end) over the whole batch, `columns` of them from `column` on.
  void block(int64_t first, int64_t end, int64_t column, int64_t columns) {
    const int64_t tiles = (end - first) * columns, line = (2 * columns + 2) * in_pitch_;
    const int64_t in_plane = tiles * in_pitch_, out_plane = tiles * out_pitch_;
    const WinogradLines image{transforms_,
                              c_.x,
                              c_.x_strides,
                              in_channels_,
                              planes_,
                              c_.backward ? s_.out : s_.in,
                              places_.data(),
                              int64_t(places_.size()),
                              {window_.y.step, window_.x.step},
                              c_.last,
                              in_pitch_};
    float* points = floats(Room::a, points_ * in_plane);
    float* results = floats(Room::sums, points_ * out_plane);
    float* lines[4] = {};
    const int count = window_.y.flat ? 1 : 4;
    lines[0] = floats(Room::rows, count * line);
    for (int i = 1; i < count; ++i) lines[i] = lines[0] + i * line;
    for (int64_t row = first; row < end; ++row) {
      int from = 0;
      if (count > 1 && row > first && row % down_) {
        std::swap(lines[0], lines[2]);  // the next tile of the same image shares two lines
        std::swap(lines[1], lines[3]);
        from = 2;
      }
      for (int i = from; i < count; ++i)
        image.read(row / down_, height_ * (row % down_) + i, 2 * column, 2 * columns + 2, lines[i]);
      transforms_.input(lines, in_pitch_, depth_, columns,
                        points + (row - first) * columns * in_pitch_,
                        {in_plane, in_pitch_, in_pitch_, in_pitch_});
    }
    for (int64_t p = 0; p < points_; ++p)
      for (int64_t panel = 0; panel < all_panels_; ++panel)
        multiply(p, panel, tiles, points + p * in_plane, results + p * out_plane + panel * width_);
    const int64_t out_line = 2 * columns * out_pitch_;
    float* out[2] = {};
    out[0] = floats(Room::part, height_ * out_line);
    if (height_ > 1) out[1] = out[0] + out_line;
    for (int64_t row = first; row < end; ++row) {
      transforms_.output(results + (row - first) * columns * out_pitch_, out_plane, out_pitch_,
                         all_panels_ * width_, columns, bias_, c_.relu, out);
      for (int64_t i = 0; i < height_; ++i)
        for (int f = 0; f < window_.y.phases; ++f)
          write_line(row / down_, (height_ * (row % down_) + i) * window_.y.phases + f,
                     2 * column * window_.x.phases, 2 * columns,
                     out[i] + f * window_.x.phases * panels_ * width_);
    }
  }

  // Line y of the results from x on: `width` of each phase along it.
  void write_line(int64_t image, int64_t y, int64_t x, int64_t width, const float* from) const {
    if (y >= window_.y.results) return;
    const ImageStrides& s = c_.y_strides;
    const int64_t phases = window_.x.phases;
    const int64_t pixels = std::min(width * phases, window_.x.results - x);
    float* to = c_.y + image / planes_ * s.batch + image % planes_ * s.space[0] + y * s.space[1] +
                x * s.space[2];
    if (c_.last) {
      for (int64_t i = 0; i < pixels; ++i)
        std::memcpy(to + i * s.space[2],
                    from + i / phases * out_pitch_ + i % phases * panels_ * width_,
                    size_t(out_channels_) * sizeof(float));
    } else if (phases == 1) {
      transforms_.scatter(from, out_pitch_, out_channels_, pixels, to, s.channel);
    } else {
      const int64_t row = round_up(width, 16), plane = out_channels_ * row;
      float* apart = floats(Room::split, phases * plane);
      for (int64_t f = 0; f < phases; ++f)
        transforms_.scatter(from + f * panels_ * width_, out_pitch_, out_channels_,
                            parts_of(pixels - f, phases), apart + f * plane, row);
      for (int64_t c = 0; c < out_channels_; ++c)
        products_.direct->weave(apart + c * row, plane, phases, pixels, to + c * s.channel);
    }
  }

  // results (tile, out channel) = pixels (tile, piece · in channel) × weights, at one point and of
  // one panel of results.
  void multiply(int64_t point, int64_t panel, int64_t tiles, const float* pixels,
                float* results) const {
    const int64_t phase = panel / panels_, count = int64_t(pieces_.size());
    const float* weights = weights_ + (point * all_panels_ + panel) * depth_ * width_;
    bool onto = false;
    for (int64_t piece = 0; piece < count;) {
      int64_t end = piece;
      while (end < count && meets(phase, pieces_[size_t(end)], point)) ++end;
      for (int64_t at = piece * in_channels_; at < end * in_channels_; at += kChunk) {
        int64_t depth = std::min(kChunk, end * in_channels_ - at);
        for (int64_t i = 0; i < tiles; i += products_.rows) {
          int64_t rows = std::min<int64_t>(products_.rows, tiles - i);
          products_.micro[1][rows - 1](depth, pixels + i * in_pitch_ + at, in_pitch_, 1,
                                       weights + at * width_, width_, results + i * out_pitch_,
                                       out_pitch_, width_, onto);
        }
        onto = true;
      }
      piece = end + 1;
    }
    for (int64_t i = 0; !onto && i < tiles; ++i)
      std::fill_n(results + i * out_pitch_, width_, 0.0f);
  }

  const WinogradCall& c_;
  const ConvShape& s_;
  Window window_;
  const Kernels& products_;
  const WinogradKernels& transforms_;
  int64_t in_channels_, out_channels_;
  int64_t width_;                // of a panel of weights
  int64_t points_;               // of a tile
  int64_t panels_, all_panels_;  // of one phase, of all
  int64_t planes_, images_;      // of results: of an image, of all
  int64_t height_;               // of a tile
  int64_t down_, across_;        // tiles of an image
  std::vector<Piece> pieces_;
  std::vector<WinogradPiece> places_;
  int64_t depth_ = 0;                     // channels of all pieces
  int64_t in_pitch_ = 0, out_pitch_ = 0;  // of rows of channels
  int64_t segments_ = 0, columns_ = 0;    // a row of tiles is cut into segments
  int64_t rows_ = 0;                      // of tiles in a block
  float *weights_ = nullptr, *bias_ = nullptr;
};

}  // namespace

bool winograd_serves(Kind kind, const ConvShape& s, bool backward) {
  if (!winograd_cuts(kind, s) || std::min(s.in_channels, s.out_channels) < kLeastChannels)
    return false;
  const Window w(s, backward);
  if (!w.y.pieces || !w.x.pieces) return false;
  const int64_t tiles = parts_of(w.y.grid, w.y.flat ? 1 : 2) * parts_of(w.x.grid, 2) *
                        (backward ? s.in[0] : s.out[0]);
  const int64_t weights =
      s.in_channels * s.out_channels * s.kernel[0] * w.phases() * w.y.pieces * w.x.pieces;
  const double direct = double(w.y.direct_products() * w.x.direct_products());
  const bool worthwhile = w.y.flat
                              ? tiles >= kLeastFlatTiles &&
                                    std::min(s.in_channels, s.out_channels) >= kLeastFlatChannels
                              : tiles >= kLeastTiles;
  return worthwhile && weights <= kMostWeights * tiles &&
         double(w.y.products() * w.x.products()) <= kMostWork * direct;
}

void run_winograd(const WinogradCall& call) { Run(call).run(); }

}  // namespace kagari::provider
