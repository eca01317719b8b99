// Winograd convolutions of images of few channels: vectors of tiles side by side, so that neither
// the channels need to fill a vector nor the results to be transposed.
#include <algorithm>
#include <vector>

#include "cpu/provider/blocks.h"
#include "cpu/provider/winograd.h"
#include "cpu/provider/winograd_lines.h"
#include "cpu/provider/winograd_window.h"

namespace kagari::provider {

namespace {

constexpr int64_t kBlockBytes = 160 << 10;  // of transformed pixels: they stay in the cache
constexpr int64_t kWeightsAtOnce = 64;      // results whose weights are transformed together
constexpr int64_t kMostChannels = 15, kLeastResults = 16, kLeastTiles = 64;
// Vectors of multiplications that cost what a tile's results, or its pixels of one piece, do.
constexpr double kOutputCost = 110, kInputCost = 80;
constexpr double kDirectCost = 1.15;  // of the direct sum's multiplications

class Tiles {
 public:
  explicit Tiles(const WinogradCall& c)
      : c_(c),
        s_(c.shape),
        window_(s_, false),
        kernels_(kernels_of(Kind::f32)),
        lanes_(kernels_.vector),
        down_(parts_of(window_.y.grid, 2)),
        across_(parts_of(parts_of(window_.x.grid, 2), lanes_)) {
    row_blocks_ = parts_of(s_.out_channels, kernels_.rows);
    for (int64_t i = 0; i <= row_blocks_; ++i) first_.push_back(i * s_.out_channels / row_blocks_);
    enter();
    divide();
    lay_out();
  }

  void run() {
    transform_weights();
    run_jobs(s_.batch * s_.out[0] * parts_of(down_, rows_) * segments_,
             [&](int64_t job) { block(job); });
  }

 private:
  struct Piece {
    int64_t plane, channel;
    int y, x;
  };

  static float* floats(Room where, int64_t count) {
    return static_cast<float*>(room(where, count * int64_t(sizeof(float))));
  }

  // Each point's sum runs over the entries of the pieces that meet it.
  void enter() {
    for (int64_t z = 0; z < s_.kernel[0]; ++z)
      for (int i = 0; i < window_.y.pieces; ++i)
        for (int j = 0; j < window_.x.pieces; ++j)
          for (int64_t c = 0; c < s_.in_channels; ++c) pieces_.push_back({z, c, i, j});
    std::vector<int64_t> place(pieces_.size() * kWinogradPoints, -1);
    for (int p = 0; p < kWinogradPoints; ++p) {
      const size_t begin = entries_.size();
      for (size_t i = 0; i < pieces_.size(); ++i) {
        if (!window_.y.meets(0, pieces_[i].y, p / 4) || !window_.x.meets(0, pieces_[i].x, p % 4))
          continue;
        place[i * kWinogradPoints + size_t(p)] = int64_t(entries_.size());
        entries_.push_back(int64_t(i) * kWinogradPoints + p);
      }
      size_t at = begin;
      do {
        const size_t some = std::min(size_t(kChunk), entries_.size() - at);
        parts_.push_back({p, int32_t(some), at > begin});
        at += some;
      } while (at < entries_.size());
    }
    // Points that no sum wants lie behind the others.
    for (int64_t e : place)
      places_.push_back(int32_t((e < 0 ? int64_t(entries_.size()) : e) * 2 * lanes_));
    panel_ = (int64_t(entries_.size()) + 1) * 2 * lanes_;
  }

  // Into blocks: rows of tiles of one plane, a segment of their vectors.
  void divide() {
    const int64_t fit =
        std::max<int64_t>(2, kBlockBytes / (panel_ / 2 * int64_t(sizeof(float))));  // vectors
    segments_ = parts_of(across_, fit);
    columns_ = parts_of(across_, segments_);
    segments_ = parts_of(across_, columns_);
    const int64_t others = s_.batch * s_.out[0] * segments_;
    rows_ = std::clamp<int64_t>(fit / columns_, 1, down_);
    rows_ = std::min(rows_, std::max<int64_t>(1, down_ * others / (4 * threads_available())));
  }

  // The lines that a block sees, each sorted by remainder, since a tile's neighbour is a few pixels
  // on: (plane, channel, line, remainder, place).
  void lay_out() {
    const auto [low_y, high_y] =
        std::minmax_element(window_.y.offset, window_.y.offset + window_.y.pieces);
    const auto [low_x, high_x] =
        std::minmax_element(window_.x.offset, window_.x.offset + window_.x.pieces);
    low_[0] = *low_y;
    low_[1] = *low_x;
    lines_ = (2 * rows_ + 1) * window_.y.step + *high_y - *low_y + 1;
    const int64_t span = 3 * window_.x.step + *high_x - *low_x + 1;
    apart_ = 2 * window_.x.step;
    remainders_ = std::min(apart_, span);
    places_of_line_ = columns_ * lanes_ + (span - 1) / apart_;
    line_ = remainders_ * places_of_line_;
  }

  // Weights as tiles read them: (block of results, entry, result).
  void transform_weights() {
    const int64_t depth = int64_t(entries_.size());
    const WeightStrides& t = c_.w_strides;
    weights_ = floats(Room::weight, depth * s_.out_channels);
    for (int64_t from = 0; from < s_.out_channels; from += kWeightsAtOnce) {
      const int64_t live = std::min(kWeightsAtOnce, s_.out_channels - from);
      const int64_t width = round_up(live, lanes_);
      float* points = floats(Room::part, int64_t(pieces_.size()) * kWinogradPoints * width);
      for (size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& p = pieces_[i];
        float nine[9 * kWeightsAtOnce] = {};
        for (int64_t tap = 0; tap < 9; ++tap) {
          const int8_t y = window_.y.tap[0][p.y][tap / 3], x = window_.x.tap[0][p.x][tap % 3];
          if (y < 0 || x < 0) continue;
          const float* w = c_.w + from * t.out + p.channel * t.in + p.plane * t.kernel[0] +
                           y * t.kernel[1] + x * t.kernel[2];
          for (int64_t o = 0; o < live; ++o) nine[tap * width + o] = w[o * t.out];
        }
        kernels_.winograd->weights(nine, width, points + int64_t(i) * kWinogradPoints * width,
                                   width);
      }
      for (int64_t e = 0; e < depth; ++e)
        for (int64_t b = 0; b < row_blocks_; ++b) {
          const int64_t o = first_[size_t(b)], end = first_[size_t(b) + 1];
          for (int64_t i = std::max(o, from); i < std::min(end, from + live); ++i)
            weights_[o * depth + e * (end - o) + i - o] =
                points[entries_[size_t(e)] * width + i - from];
        }
    }
  }

  struct Block {
    int64_t image, plane, row, rows, column, columns;  // rows of tiles, columns of vectors
  };

  void block(int64_t job) const {
    const int64_t column = job % segments_ * columns_;
    job /= segments_;
    const int64_t parts = parts_of(down_, rows_), row = job % parts * rows_;
    job /= parts;
    const Block b{job / s_.out[0],
                  job % s_.out[0],
                  row,
                  std::min(rows_, down_ - row),
                  column,
                  std::min(columns_, across_ - column)};
    const int64_t vectors = b.rows * b.columns;
    float* pixels = floats(Room::a, parts_of(vectors, 2) * panel_);
    transform(b, read(b), pixels);
    for (int64_t v = 0; v < vectors; v += 2)
      results(b, v, std::min<int64_t>(2, vectors - v), pixels + v / 2 * panel_);
  }

  const float* read(const Block& b) const {
    const int64_t channels = s_.in_channels;
    float* to = floats(Room::rows, s_.kernel[0] * channels * lines_ * line_);
    const int64_t left = b.column * lanes_ * apart_ + low_[1];
    const int64_t top = 2 * b.row * window_.y.step + low_[0];
    float* at = to;
    for (int64_t z = 0; z < s_.kernel[0]; ++z) {
      const int64_t plane = b.plane + z - s_.padding[0];
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t i = 0; i < lines_; ++i, at += line_) {
          const int64_t y = top + i;
          if (plane < 0 || plane >= s_.in[0] || y < 0 || y >= s_.in[1])
            std::fill_n(at, line_, 0.0f);
          else
            split(c_.x + b.image * c_.x_strides.batch + c * c_.x_strides.channel +
                      plane * c_.x_strides.space[0] + y * c_.x_strides.space[1],
                  left, at);
        }
    }
    return to;
  }

  // A line from pixel `left` on, zeros around it.
  void split(const float* line, int64_t left, float* to) const {
    for (int64_t r = 0; r < remainders_; ++r, to += places_of_line_) {
      const int64_t x = left + r, size = s_.in[2];
      const int64_t begin = x < 0 ? std::min(places_of_line_, parts_of(-x, apart_)) : 0;
      const int64_t end =
          x >= size ? begin : std::clamp((size - 1 - x) / apart_ + 1, begin, places_of_line_);
      std::fill_n(to, begin, 0.0f);
      if (end > begin)
        kernels_.direct->split(line + x + begin * apart_, apart_, end - begin, to + begin);
      std::fill_n(to + end, places_of_line_ - end, 0.0f);
    }
  }

  void transform(const Block& b, const float* lines, float* pixels) const {
    for (int64_t r = 0; r < b.rows; ++r)
      for (size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& p = pieces_[i];
        const float* image = lines + (p.plane * s_.in_channels + p.channel) * lines_ * line_;
        const float* at[kWinogradPoints];
        for (int64_t k = 0; k < kWinogradPoints; ++k) {
          const int64_t y = (2 * r + k / 4) * window_.y.step + window_.y.offset[p.y] - low_[0];
          const int64_t x = k % 4 * window_.x.step + window_.x.offset[p.x] - low_[1];
          at[k] = image + y * line_ + x % apart_ * places_of_line_ + x / apart_;
        }
        kernels_.winograd->tiles_in(at, r * b.columns, b.columns, pixels, panel_,
                                    places_.data() + i * kWinogradPoints);
      }
  }

  // All channels of one or two vectors of tiles.
  void results(const Block& b, int64_t vector, int64_t slots, const float* pixels) const {
    const ImageStrides& s = c_.y_strides;
    WinogradTiles t{parts_.data(), int64_t(parts_.size()), weights_, pixels, {}, s.channel, c_.bias,
                    c_.relu};
    for (int64_t i = 0; i < slots; ++i, ++vector) {
      const int64_t y = 2 * (b.row + vector / b.columns);
      const int64_t x = 2 * lanes_ * (b.column + vector % b.columns);
      float* to = c_.y + b.image * s.batch + b.plane * s.space[0] + y * s.space[1] + x;
      t.to[i] = {to, y + 1 < s_.out[1] ? to + s.space[1] : nullptr,
                 std::min(2 * lanes_, s_.out[2] - x)};
    }
    for (int64_t block = 0; block < row_blocks_; ++block) {
      const int64_t rows = first_[size_t(block) + 1] - first_[size_t(block)];
      kernels_.winograd->tiles[rows - 1][slots - 1](t);
      t.weights += rows * int64_t(entries_.size());
      if (t.bias) t.bias += rows;
      for (WinogradTiles::Lines& line : t.to) {
        if (line.first) line.first += rows * s.channel;
        if (line.second) line.second += rows * s.channel;
      }
    }
  }

  const WinogradCall& c_;
  const ConvShape& s_;
  WinogradWindow window_;
  const Kernels& kernels_;
  int64_t lanes_;
  int64_t down_, across_;  // rows of tiles, vectors of a row
  int64_t row_blocks_ = 0;
  std::vector<int64_t> first_;    // result in each block of results
  std::vector<Piece> pieces_;     // a channel is a piece of its own
  std::vector<int64_t> entries_;  // piece · point of each
  std::vector<int32_t> places_;   // of a piece's points in a panel
  std::vector<WinogradTiles::Part> parts_;
  int64_t panel_ = 0;                              // floats of two vectors of tiles
  int64_t segments_ = 0, columns_ = 0, rows_ = 0;  // of a row of tiles, of a segment, of a block
  int64_t low_[2] = {}, lines_ = 0, apart_ = 0, remainders_ = 0, places_of_line_ = 0, line_ = 0;
  float* weights_ = nullptr;
};

}  // namespace

bool winograd_tiles_serves(Kind kind, const ConvShape& s) {
  if (!winograd_cuts(kind, s) || s.in_channels > kMostChannels || s.out_channels < kLeastResults)
    return false;
  const WinogradWindow w(s, false);
  if (!w.y.pieces || !w.x.pieces || w.y.flat) return false;
  if (parts_of(w.y.grid, 2) * parts_of(w.x.grid, 2) < kLeastTiles) return false;
  const double channels = double(s.in_channels * s.kernel[0]);
  const double input = channels * double(w.y.pieces * w.x.pieces) * kInputCost;
  return channels * double(w.y.products() * w.x.products()) + kOutputCost +
             input / double(s.out_channels) <
         kDirectCost * channels * double(w.y.direct_products() * w.x.direct_products());
}

void run_winograd_tiles(const WinogradCall& call) { Tiles(call).run(); }

}  // namespace kagari::provider
