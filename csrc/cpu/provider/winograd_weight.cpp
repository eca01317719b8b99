// Winograd's weight gradients: tiles of the image and of the result's gradient are transformed a
// stage at a time, multiplied into the sums of sixteen points, and those transformed back at the
// end.
#include <algorithm>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "cpu/provider/blocks.h"
#include "cpu/provider/winograd.h"
#include "cpu/provider/winograd_lines.h"

namespace kagari::provider {

namespace {

constexpr int64_t kPoints = kWinogradPoints;
constexpr int64_t kCentre = 5;             // the point whose gradients are the means of tiles
constexpr int64_t kStageFloats = 2 << 20;  // transformed: they stay in the last cache
constexpr int64_t kLeastTiles = 32, kMostTiles = 2048;  // of a stage
constexpr int64_t kFewSums = 80 << 10;                  // that stay in the second cache
constexpr int64_t kPartFloats = 96 << 10;               // transformed, beside them
constexpr int64_t kPartTiles = 256;                     // that repay adding a part's sums
constexpr int64_t kMostParts = 16;
constexpr int64_t kMostHeight = 64;      // of a panel of results
constexpr int64_t kMostSums = 16 << 20;  // of all points
constexpr int64_t kSumsCost = 512;  // multiplications for which a weight's sixteen sums are handled

int64_t tiles_of(const ConvShape& s) {
  return s.batch * s.out[0] * parts_of(s.out[1], 2) * parts_of(s.out[2], 2);
}

class WeightRun {
 public:
  explicit WeightRun(const WinogradWeightCall& c)
      : c_(c),
        products_(kernels_of(Kind::f32)),
        transforms_(*products_.winograd),
        width_(2 * products_.vector),
        height_(std::lcm(products_.rows, products_.vector)),
        depth_(c.planes * c.in_channels),
        across_(parts_of(c.out[2], 2)),
        down_(parts_of(c.out[1], 2)),
        rows_(c.batch * c.out[0] * down_),
        in_panels_(parts_of(depth_, width_)),
        out_panels_(parts_of(c.out_channels, height_)),
        sums_pitch_(in_panels_ * width_),
        sums_plane_(c.out_channels * sums_pitch_ + 16) {
    KG_INTERNAL(height_ <= kMostHeight, "panels of ", height_, " results");
    const bool few = kPoints * sums_plane_ <= kFewSums;
    const int64_t of_tile = kPoints * (in_panels_ * width_ + out_panels_ * height_);
    const int64_t tiles =
        std::clamp((few ? kPartFloats : kStageFloats) / of_tile, kLeastTiles, kMostTiles);
    segments_ = parts_of(across_, tiles);
    columns_ = parts_of(across_, segments_);
    all_ = rows_ * segments_;
    pieces_ = std::min(tiles / columns_, all_);
    // Not by the number of threads: where the sums are split decides bits.
    parts_ =
        few ? std::clamp<int64_t>(all_ * columns_ / kPartTiles, 1, std::min(all_, kMostParts)) : 1;
    // Sixteen planes that are no power of two apart.
    const int64_t most = pieces_ * columns_;
    for (int64_t p = 0; p < c.planes; ++p)
      places_.push_back({{p - c.padding[0], -c.padding[1], -c.padding[2]}});
    in_ = {in_panels_ * most * width_ + 16, most * width_, width_, width_};
    out_ = {out_panels_ * most * height_ + 16, most * height_, height_, height_};
  }

  void run() {
    sums_ = floats(Room::result, parts_ * kPoints * sums_plane_);
    bias_.assign(c_.dbias ? size_t(parts_ * out_panels_ * height_) : 0, 0.0);
    auto part = [&](int64_t i) {
      Part p{floats(Room::split, kPoints * in_.plane),
             floats(Room::split_images, kPoints * out_.plane), sums_ + i * kPoints * sums_plane_,
             c_.dbias ? bias_.data() + i * out_panels_ * height_ : nullptr};
      const int64_t begin = i * all_ / parts_, end = (i + 1) * all_ / parts_;
      for (int64_t first = begin; first < end; first += pieces_)
        stage(p, first, std::min(end, first + pieces_), first > begin);
    };
    if (parts_ > 1)
      run_jobs(parts_, part);
    else
      part(0);
    run_jobs(c_.out_channels, [&](int64_t o) { finish(o); });
  }

 private:
  // Some of the tiles, whose stages follow each other: what is transformed, and its sums.
  struct Part {
    float *x, *dy, *sums;
    double* bias;  // quarters of the sums of the results' gradients
  };

  static float* floats(Room where, int64_t count) {
    return static_cast<float*>(room(where, count * int64_t(sizeof(float))));
  }

  // Pieces [first, end): segments of rows of tiles, row after row. The threads share a stage, unless
  // each has a part.
  void stage(const Part& part, int64_t first, int64_t end, bool onto) const {
    const int64_t jobs = std::min<int64_t>(end - first, 4 * threads_available());
    auto transform_some = [&](int64_t job) {
      transform(part, first, first + job * (end - first) / jobs,
                first + (job + 1) * (end - first) / jobs);
    };
    if (threads_available() == 1)
      transform(part, first, first, end);
    else
      run_jobs(jobs, transform_some);
    const int64_t tiles = (end - first) * columns_;
    run_jobs(kPoints * out_panels_, [&](int64_t job) {
      multiply(part, job / out_panels_, job % out_panels_, tiles, onto);
    });
  }

  void transform(const Part& part, int64_t stage, int64_t first, int64_t end) const {
    const int64_t in_pitch =
        pitch_of(depth_ - c_.in_channels + round_up(c_.in_channels, products_.vector), width_);
    const int64_t out_pitch = pitch_of(c_.out_channels, width_);
    static constexpr WinogradPiece whole{{0, 0, 0}};
    const WinogradLines image{transforms_, c_.x,    c_.x_strides,   c_.in_channels,
                              c_.out[0],   c_.in,   places_.data(), c_.planes,
                              {1, 1},      c_.last, in_pitch};
    const WinogradLines gradient{transforms_, c_.dy,   c_.dy_strides, c_.out_channels,
                                 c_.out[0],   c_.out,  &whole,        1,
                                 {1, 1},      c_.last, out_pitch};
    const int64_t in_line = (2 * columns_ + 2) * in_pitch, out_line = 2 * columns_ * out_pitch;
    float* lines[6];
    lines[0] = floats(Room::rows, 4 * in_line + 2 * out_line);
    for (int i = 1; i < 4; ++i) lines[i] = lines[0] + i * in_line;
    lines[4] = lines[0] + 4 * in_line;
    lines[5] = lines[4] + out_line;
    for (int64_t piece = first; piece < end; ++piece) {
      const int64_t row = piece % rows_, x = piece / rows_ * columns_ * 2;
      const int64_t of = row / down_, y = 2 * (row % down_);
      int from = 0;
      if (piece > first && row % down_) {  // the next tile of the same image shares two lines
        std::swap(lines[0], lines[2]);
        std::swap(lines[1], lines[3]);
        from = 2;
      }
      for (int i = from; i < 4; ++i) image.read(of, y + i, x, 2 * columns_ + 2, lines[i]);
      for (int i = 0; i < 2; ++i) gradient.read(of, y + i, x, 2 * columns_, lines[4 + i]);
      const int64_t at = (piece - stage) * columns_;
      transforms_.input(lines, in_pitch, depth_, columns_, part.x + at * width_, in_);
      transforms_.gradient(lines + 4, out_pitch, c_.out_channels, columns_, part.dy + at * height_,
                           out_);
    }
  }

  // The sums of one point and a panel of results.
  void multiply(const Part& part, int64_t point, int64_t panel, int64_t tiles, bool onto) const {
    const float* a = part.dy + point * out_.plane + panel * out_.panel;
    const int64_t first = panel * height_, live = std::min(height_, c_.out_channels - first);
    float* sums = part.sums + point * sums_plane_ + first * sums_pitch_;
    for (int64_t from = 0; from < tiles; from += kChunk, a += kChunk * height_) {
      const int64_t length = std::min(kChunk, tiles - from);
      for (int64_t j = 0; j < in_panels_; ++j) {
        const float* b = part.x + point * in_.plane + j * in_.panel + from * width_;
        for (int64_t i = 0; i < live; i += products_.rows) {
          int64_t rows = std::min<int64_t>(products_.rows, live - i);
          products_.micro[1][rows - 1](length, a + i, 1, height_, b, width_,
                                       sums + i * sums_pitch_ + j * width_, sums_pitch_, width_,
                                       onto || from > 0);
        }
      }
      if (point != kCentre || !part.bias) continue;
      float sum[kMostHeight] = {};
      for (int64_t t = 0; t < length; ++t)
        for (int64_t o = 0; o < live; ++o) sum[o] += a[t * height_ + o];
      for (int64_t o = 0; o < live; ++o) part.bias[first + o] += double(sum[o]);
    }
  }

  // All parts of one result's sums, in order, and their weights.
  void finish(int64_t o) const {
    const WeightStrides& t = c_.dw_strides;
    for (int64_t point = 0; parts_ > 1 && point < kPoints; ++point) {
      float* total = sums_ + point * sums_plane_ + o * sums_pitch_;
      for (int64_t i = 1; i < parts_; ++i)
        products_.add(total, sums_pitch_, total + i * kPoints * sums_plane_, sums_pitch_, 1,
                      sums_pitch_);
    }
    if (c_.dbias) {
      double sum = 0;
      for (int64_t i = 0; i < parts_; ++i) sum += bias_[size_t(i * out_panels_ * height_ + o)];
      c_.dbias[o] = float(4 * sum);
    }
    int64_t nine[9];
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 3; ++x) nine[3 * y + x] = y * t.kernel[1] + x * t.kernel[2];
    for (int64_t p = 0; p < c_.planes; ++p)
      transforms_.sums(sums_ + o * sums_pitch_ + p * c_.in_channels, sums_plane_, c_.in_channels,
                       c_.dw + o * t.out + p * t.kernel[0], t.in, nine);
  }

  const WinogradWeightCall& c_;
  const Kernels& products_;
  const WinogradKernels& transforms_;
  int64_t width_, height_;  // of panels: of the image's channels, of the gradient's
  int64_t depth_;           // channels of all planes
  int64_t across_, down_;   // tiles of an image
  int64_t rows_;            // of tiles
  int64_t in_panels_, out_panels_;
  int64_t sums_pitch_, sums_plane_;
  int64_t segments_, columns_;  // a row of tiles is cut into segments
  int64_t all_, pieces_;        // segments of rows: all of them, those of a stage
  int64_t parts_;
  WinogradPlanes in_{}, out_{};
  std::vector<WinogradPiece> places_;
  float* sums_ = nullptr;     // of each part: (point, result, channel)
  std::vector<double> bias_;  // of each part
};

}  // namespace

bool winograd_weight_serves(Kind kind, const ConvShape& s) {
  int64_t pixels = s.batch * s.out[0] * s.out[1] * s.out[2];
  return winograd_fits(kind, s) &&
         kPoints * s.in_channels * s.kernel[0] * s.out_channels <= kMostSums &&
         kPoints * tiles_of(s) + kSumsCost <= 9 * pixels;
}

void run_winograd_weight(const WinogradWeightCall& call) { WeightRun(call).run(); }

}  // namespace kagari::provider
