// Direct convolutions: which lines of the image a block of pixels needs, and the tiles over them.
#include "cpu/provider/direct.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "cpu/provider/blocks.h"

namespace kagari::provider {

namespace {

constexpr int64_t kNearBytes = 24 << 10;     // of a block's lines that stay in the first cache
constexpr int64_t kBlockBytes = 160 << 10;   // in the second
constexpr int64_t kMostBytes = 512 << 10;    // of the lines of one line of results
constexpr int64_t kLeastRows = 8;            // for which lines leave the first cache
constexpr int64_t kMostWidth = 512;          // pixels of a block's line
constexpr int64_t kTileBytes = 18 << 10;     // of the lines that tiles side by side see
constexpr int64_t kJoinedBytes = 120 << 10;  // of the sums of joined rows
constexpr double kCopy = 3;                  // multiplications that cost what copying a result does
constexpr int64_t kWeightJobs = 16;          // of one pair of channels
constexpr int64_t kMostOut = 8;              // results of a group whose weights have gradients here
constexpr int64_t kFewChannels = 8, kLeastWeightTaps = 4;  // of images whose weights have, too,
constexpr double kLeastLive = 0.6;                         // of the lanes of a row's vectors,
constexpr int64_t kMostWeights = 128 << 10;  // and as many weights as sums of jobs fit
constexpr int64_t kWeightBytes = 128 << 10;  // that stay in the second cache
constexpr int64_t kFewOut = 4;    // results of a group that leave a product's tiles empty
constexpr double kLeastTaps = 3;  // that repay sorting pixels under a stride
constexpr double kSerialWork = 400e3;

constexpr int64_t parts_of(int64_t x, int64_t of) { return (x + of - 1) / of; }

// The lines that a block of pixels sees, from the pixel's own place on, sorted by remainder under
// the strides: (channel, plane, remainder of the line, remainder of the place, line, place). The next
// pixel is therefore the next place, and the next row of pixels the next line, whatever the stride.
class Lines {
 public:
  Lines(const DirectPart* parts, int64_t count) : window_(*parts[0].window) {
    const int64_t far = int64_t(1) << 62;
    int64_t low[2] = {far, far}, high[2] = {-far, -far};
    for (int64_t i = 0; i < count; ++i)
      for (const Tap& tap : parts[i].window->taps) {
        for (int axis = 0; axis < 2; ++axis) {
          low[axis] = std::min(low[axis], tap.offset[axis + 1]);
          high[axis] = std::max(high[axis], tap.offset[axis + 1]);
        }
        if (std::find(planes_.begin(), planes_.end(), tap.offset[0]) == planes_.end())
          planes_.push_back(tap.offset[0]);
      }
    for (int axis = 0; axis < 2; ++axis) {
      if (planes_.empty()) low[axis] = high[axis] = 0;
      int64_t step = window_.step[axis + 1], span = high[axis] - low[axis] + 1;
      low_[axis] = low[axis];
      remainders_[axis] = std::min(step, span);
      beyond_[axis] = (span - 1) / step;
    }
  }

  // In double: where dilations are absurd, elements are more than a machine has.
  double size(int64_t rows, int64_t width) const {
    return double(window_.channels) * double(planes_.size()) * double(remainders_[0]) *
           double(remainders_[1]) * double(rows + beyond_[0]) * double(width + beyond_[1]);
  }

  // `width` pixels may be read of each row.
  void lay_out(int64_t rows, int64_t width) {
    places_ = width + beyond_[1];
    lines_ = (rows + beyond_[0]) * places_;
    plane_ = remainders_[0] * remainders_[1] * lines_;
    // An odd number of cache lines: channels fall into different sets of the cache.
    channel_ = parts_of(int64_t(planes_.size()) * plane_, 16) / 2 * 32 + 16;
    used_.assign(size_t(remainders_[0] * remainders_[1]), false);
  }

  // Where each (channel, tap) finds the first pixel of the block.
  std::vector<int32_t> places(const Window& window) {
    std::vector<int32_t> at;
    at.reserve(size_t(window.depth()));
    for (int64_t c = 0; c < window.channels; ++c)
      for (const Tap& tap : window.taps) {
        int64_t z = std::find(planes_.begin(), planes_.end(), tap.offset[0]) - planes_.begin();
        int64_t y = tap.offset[1] - low_[0], x = tap.offset[2] - low_[1];
        int64_t which = y % window.step[1] * remainders_[1] + x % window.step[2];
        used_[size_t(which)] = true;
        at.push_back(int32_t(c * channel_ + z * plane_ + which * lines_ +
                             y / window.step[1] * places_ + x / window.step[2]));
      }
    return at;
  }

  int64_t elements() const { return window_.channels * channel_; }
  int64_t row_pitch() const { return places_; }
  int64_t beyond() const { return beyond_[1]; }
  // Elements that `pixels` of a row see.
  double seen(int64_t pixels) const {
    return double(window_.channels) * double(planes_.size()) * double(remainders_[0]) *
           double(remainders_[1]) * double(1 + beyond_[0]) * double(pixels + beyond_[1]);
  }

  // `rows` rows of pixels from (z, y, x) of the grid on, of a group whose first channel is `image`.
  template <class T>
  void fill(const DirectKernels& kernels, const T* image, int64_t z, int64_t y, int64_t x,
            int64_t rows, T* to) const {
    const Window& w = window_;
    int64_t top = y * w.step[1] + low_[0], left = x * w.step[2] + low_[1];
    for (int64_t c = 0; c < w.channels; ++c)
      for (size_t p = 0; p < planes_.size(); ++p) {
        int64_t plane = z * w.step[0] + planes_[p];
        bool inside = plane >= 0 && plane < w.size[0];
        const T* from = image + c * w.strides.channel + plane * w.strides.space[0];
        for (size_t r = 0; r < used_.size(); ++r) {
          if (!used_[r]) continue;
          T* at = to + c * channel_ + int64_t(p) * plane_ + int64_t(r) * lines_;
          int64_t line = top + int64_t(r) / remainders_[1];
          int64_t start = left + int64_t(r) % remainders_[1];
          for (int64_t i = 0; i < rows + beyond_[0]; ++i, line += w.step[1], at += places_) {
            if (inside && line >= 0 && line < w.size[1])
              fill_line(kernels, from + line * w.strides.space[1], start, at);
            else
              std::memset(at, 0, size_t(places_) * sizeof(T));
          }
        }
      }
  }

 private:
  template <class T>
  void fill_line(const DirectKernels& kernels, const T* from, int64_t x, T* to) const {
    int64_t step = window_.step[2], size = window_.size[2];
    int64_t begin = x < 0 ? std::min(places_, parts_of(-x, step)) : 0;
    int64_t end = x >= size ? begin : std::clamp((size - 1 - x) / step + 1, begin, places_);
    for (int64_t i = 0; i < begin; ++i) to[i] = 0;
    if (end > begin) kernels.split(from + x + begin * step, step, end - begin, to + begin);
    for (int64_t i = end; i < places_; ++i) to[i] = 0;
  }

  const Window& window_;
  std::vector<int64_t> planes_;                 // distinct offsets of taps between planes
  std::vector<bool> used_;                      // pairs of remainders
  int64_t low_[2], remainders_[2], beyond_[2];  // of lines, of places: least offset, and how many
  int64_t places_ = 0, lines_ = 0, plane_ = 0, channel_ = 0;
};

// A block of the grid: rows of one plane, a part of their width.
struct Blocks {
  int64_t rows, width, down, across;

  // Few enough rows for the cache, and `wanted` blocks where there are `others` of each.
  Blocks(const Lines& lines, const int64_t* grid, int64_t size, int64_t others, int64_t wanted) {
    across = parts_of(grid[2], kMostWidth);
    width = parts_of(grid[2], across);
    if (across > 1) width = parts_of(width, 16) * 16;
    across = parts_of(grid[2], width);
    auto fit = [&](int64_t bytes) {
      double one = lines.size(1, width), two = lines.size(2, width);
      double more = (double(bytes) / double(size) - one) / (two - one);
      return more > 0 ? 1 + int64_t(std::min(more, 1e9)) : 1;
    };
    rows = std::clamp<int64_t>(fit(kNearBytes), std::min(kLeastRows, fit(kBlockBytes)), grid[1]);
    wanted = parts_of(wanted, others * across);
    rows = std::min(rows, std::max<int64_t>(parts_of(grid[1], wanted), std::min<int64_t>(4, rows)));
    down = parts_of(grid[1], rows);
    rows = parts_of(grid[1], down);
    down = parts_of(grid[1], rows);
  }
};

template <class T>
class Direct {
 public:
  explicit Direct(const DirectCall& c)
      : c_(c),
        kernels_(kernels_of(c.kind)),
        direct_(*kernels_.direct),
        lanes_(kernels_.vector),
        windows_(c.phase_count * c.part_count),
        grid_(grid_of(c)),
        lines_(c.parts, windows_),
        blocks_(lines_, grid_.data(), sizeof(T), c.batch * c.groups * grid_[0],
                4 * threads_available()) {
    row_blocks_ = parts_of(c.out, kernels_.rows);
    for (int64_t i = 0; i <= row_blocks_; ++i) first_.push_back(i * c.out / row_blocks_);
  }

  void run() {
    double depth = 0;
    for (int64_t i = 0; i < windows_; ++i) depth += double(c_.parts[i].window->depth());
    // Rows of pixels end amid a vector, or are one long row with the places between them.
    double apart = double(parts_of(blocks_.width, lanes_) * lanes_);
    double joined = double(blocks_.width + lines_.beyond());
    double mean = depth / double(windows_), woven = c_.part_count > 1 ? kCopy : 0;
    joined_ = blocks_.rows > 1 && (mean + kCopy) * joined < (mean + woven) * apart;
    lines_.lay_out(blocks_.rows, int64_t(joined_ ? double(blocks_.width) : apart));
    for (int64_t i = 0; i < windows_; ++i) at_.push_back(lines_.places(*c_.parts[i].window));
    int64_t last = (blocks_.across - 1) * blocks_.width;
    for (int64_t i = 0; i < c_.phase_count; ++i) {
      int64_t rows = rows_of(i) - (blocks_.down - 1) * blocks_.rows;
      strips_.push_back({cover(blocks_.rows, blocks_.width), cover(blocks_.rows, grid_[2] - last),
                         cover(rows, blocks_.width), cover(rows, grid_[2] - last)});
    }
    pack();
    int64_t jobs = c_.batch * c_.groups * grid_[0] * blocks_.down * blocks_.across;
    auto job = [&](int64_t i) { block(i); };
    double work = double(jobs) * double(blocks_.rows * blocks_.width) * double(c_.out) * depth;
    if (work < kSerialWork)
      for (int64_t i = 0; i < jobs; ++i) job(i);
    else
      run_jobs(jobs, job);
  }

 private:
  const int64_t* phase_grid(int64_t phase) const {
    return c_.parts[phase * c_.part_count].window->grid;
  }
  int64_t rows_of(int64_t phase) const { return phase_grid(phase)[1]; }
  // The first phase's is the largest.
  static std::array<int64_t, 3> grid_of(const DirectCall& c) {
    const int64_t* grid = c.parts[0].window->grid;
    return {grid[0], grid[1], parts_of(c.width, c.part_count)};
  }

  // Weights as tiles read them: (window, group, block of rows, channel · tap, row).
  void pack() {
    int64_t total = 0;
    for (int64_t i = 0; i < windows_; ++i)
      total += c_.groups * c_.out * c_.parts[i].window->depth();
    T* to = nullptr;
    if (c_.out > 1) to = static_cast<T*>(room(Room::split, total * int64_t(sizeof(T))));
    for (int64_t i = 0; i < windows_; ++i) {
      const T* from = reinterpret_cast<const T*>(c_.parts[i].weights);
      weights_.push_back(c_.out > 1 ? to : from);
      int64_t depth = c_.parts[i].window->depth();
      for (int64_t g = 0; c_.out > 1 && g < c_.groups; ++g, from += c_.out * depth)
        for (int64_t b = 0; b < row_blocks_; ++b)
          for (int64_t p = 0; p < depth; ++p)
            for (int64_t o = first_[size_t(b)]; o < first_[size_t(b) + 1]; ++o)
              *to++ = from[o * depth + p];
    }
  }

  // Tiles side by side of a block, from row y and vector v on: along a row, from row to row, or along
  // joined rows.
  enum class Way { along, down, joined };
  struct Strip {
    int64_t y, v, slots, count;
    Way way;
    int64_t rows = 1;  // joined
  };
  using Cover = std::vector<Strip>;

  Cover cover(int64_t rows, int64_t width) const {
    Cover strips;
    int64_t most = direct_.slots[parts_of(c_.out, row_blocks_) - 1];
    if (rows <= 0) return strips;
    if (joined_) {
      int64_t pitch = lines_.row_pitch();
      int64_t fit = kJoinedBytes / (pitch * c_.out * c_.part_count * int64_t(sizeof(T)));
      int64_t pieces = parts_of(rows, std::clamp<int64_t>(fit, 1, rows));
      for (int64_t i = 0; i < pieces; ++i) {
        int64_t y = i * rows / pieces, some = (i + 1) * rows / pieces - y;
        int64_t vectors = parts_of((some - 1) * pitch + width, lanes_);
        strips.push_back({y, 0, most, parts_of(vectors, most), Way::joined, some});
      }
      return strips;
    }
    // Along rows as far as whole tiles go; the columns that are left from row to row.
    int64_t vectors = parts_of(width, lanes_), tiles = vectors / most, rest = vectors % most;
    bool turn = rest > 0 && rows >= most;
    for (int64_t y = 0; y < rows; ++y) {
      if (tiles > 0) strips.push_back({y, 0, most, tiles, Way::along});
      if (!turn && rest > 0) strips.push_back({y, tiles * most, rest, 1, Way::along});
      if (turn && (y + 1) % most == 0)
        strips.push_back({y + 1 - most, tiles * most, most, rest, Way::down});
    }
    if (turn && rows % most)
      strips.push_back({rows - rows % most, tiles * most, rows % most, rest, Way::down});
    return strips;
  }

  struct Place {
    const T* lines;
    T* result;
    int64_t group, width, phase;
  };

  void block(int64_t job) const {
    int64_t x = job % blocks_.across * blocks_.width;
    job /= blocks_.across;
    int64_t y = job % blocks_.down * blocks_.rows;
    job /= blocks_.down;
    int64_t z = job % grid_[0];
    job /= grid_[0];
    int64_t group = job % c_.groups, n = job / c_.groups;
    const Window& w = *c_.parts[0].window;
    const T* image = reinterpret_cast<const T*>(c_.image) + n * w.strides.batch +
                     group * w.channels * w.strides.channel;
    T* lines = static_cast<T*>(room(Room::b, lines_.elements() * int64_t(sizeof(T))));
    lines_.fill(direct_, image, z, y, x, std::min(blocks_.rows, grid_[1] - y), lines);
    const ImageStrides& s = c_.result_strides;
    T* result = reinterpret_cast<T*>(c_.result) + n * s.batch + group * c_.out * s.channel +
                z * s.space[0] + y * s.space[1] + x * c_.part_count;
    int64_t width = std::min(blocks_.width * c_.part_count, c_.width - x * c_.part_count);
    bool bottom = y + blocks_.rows >= grid_[1], right = x + blocks_.width >= grid_[2];
    for (int64_t phase = 0; phase < c_.phase_count; ++phase) {
      if (z >= phase_grid(phase)[0]) continue;
      Place place{lines, result + c_.phase_starts[phase], group, width, phase};
      for (const Strip& strip : strips_[size_t(phase)][size_t(2 * bottom + right)])
        tiles(place, strip);
    }
  }

  // All channels of the result along one strip.
  void tiles(const Place& place, const Strip& strip) const {
    const ImageStrides& s = c_.result_strides;
    const int64_t parts = c_.part_count, x = strip.v * lanes_ * parts, slots = strip.slots;
    const bool down = strip.way == Way::down, joined = strip.way == Way::joined;
    const int64_t run = (down ? 1 : slots) * strip.count * lanes_;  // pixels of a row
    const int64_t live = joined ? place.width : std::min(run * parts, place.width - x);
    T* to = place.result + strip.y * s.space[1] + x;
    DirectTiles t;
    t.b_slot = down ? lines_.row_pitch() : lanes_;
    t.b_step = t.c_step = down ? lanes_ : slots * lanes_;
    t.c_row = s.channel;
    t.c_slot = down ? s.space[1] : lanes_;
    T* apart = nullptr;
    if (parts > 1 || joined) {
      t.c_row = strip.count * slots * lanes_;
      t.c_slot = down ? run : lanes_;
      apart = static_cast<T*>(room(Room::sums, parts * c_.out * t.c_row * int64_t(sizeof(T))));
    }
    const T* from = place.lines + strip.y * lines_.row_pitch() + strip.v * lanes_;
    const int64_t fit = near(slots * lanes_);
    for (int64_t i = 0; i < strip.count; i += fit) {
      t.count = std::min(fit, strip.count - i);
      t.b = from + i * t.b_step;
      bool end = !apart && i + fit >= strip.count;
      t.n_last = end ? live - run + lanes_ : lanes_;
      t.n = down ? t.n_last : lanes_;
      for (int64_t b = 0; b < row_blocks_; ++b) {
        const int64_t o = first_[size_t(b)], rows = first_[size_t(b) + 1] - o;
        for (int64_t part = 0; part < parts; ++part) {
          t.c = (apart ? apart + part * c_.out * t.c_row : to) + o * t.c_row + i * t.c_step;
          sums(t, place.phase * parts + part, place.group, o, rows, slots);
        }
      }
    }
    const int64_t pieces = down ? slots : strip.rows, piece = joined ? lines_.row_pitch() : run;
    for (int64_t o = 0; apart && o < c_.out; ++o)
      for (int64_t j = 0; j < pieces; ++j)
        direct_.weave(apart + o * t.c_row + j * piece, c_.out * t.c_row, parts, live,
                      to + o * s.channel + j * s.space[1]);
  }

  // Tiles whose lines stay in the first cache while all channels of the result are computed.
  int64_t near(int64_t pixels) const {
    double one = lines_.seen(pixels), more = lines_.seen(2 * pixels) - one;
    double fit = (double(kTileBytes) / sizeof(T) - one) / more;
    return fit > 0 ? 1 + int64_t(std::min(fit, 1e9)) : 1;
  }

  // One tile of each place: chunks as long as a product's.
  void sums(DirectTiles& t, int64_t window, int64_t group, int64_t o, int64_t rows,
            int64_t slots) const {
    const std::vector<int32_t>& at = at_[size_t(window)];
    int64_t depth = int64_t(at.size());
    const T* weights = weights_[size_t(window)] + (group * c_.out + o) * depth;
    for (int64_t p = 0; p == 0 || p < depth; p += kChunk) {
      bool last = p + kChunk >= depth;
      t.k = std::min(kChunk, depth - p);
      t.a = weights + p * rows;
      t.at = at.data() + p;
      t.add = p > 0;
      t.bias = last && c_.bias ? reinterpret_cast<const T*>(c_.bias) + group * c_.out + o : nullptr;
      t.relu = last && c_.relu;
      direct_.tiles[rows - 1][slots - 1](t);
    }
  }

  const DirectCall& c_;
  const Kernels& kernels_;
  const DirectKernels& direct_;
  int64_t lanes_, windows_;
  std::array<int64_t, 3> grid_;
  Lines lines_;
  Blocks blocks_;
  int64_t row_blocks_;
  std::vector<int64_t> first_;  // row of the result in each block of rows
  bool joined_ = false;
  std::vector<std::array<Cover, 4>> strips_;  // of each phase: whole, right, bottom, corner blocks
  std::vector<std::vector<int32_t>> at_;
  std::vector<const T*> weights_;
};

// --- Weights ---
// A job is some images of one pair of group and channel, and some channels of the gradient; their
// sums are added in order.
template <class T>
class DirectWeights {
 public:
  explicit DirectWeights(const DirectWeightCall& c)
      : c_(c),
        kernels_(kernels_of(c.kind)),
        direct_(*kernels_.direct),
        seen_(*c.window),
        taps_(int64_t(seen_.taps.size())) {
    seen_.channels = 1;
  }

  void run() {
    const DirectPart part{&seen_, nullptr};
    Lines lines(&part, 1);
    // Not by the number of threads: where the sums are split decides bits.
    const int64_t* grid = seen_.grid;
    blocks_ = std::make_unique<Blocks>(lines, grid, sizeof(T), kWeightJobs, kWeightJobs);
    lines.lay_out(blocks_->rows, parts_of(blocks_->width, kernels_.vector) * kernels_.vector);
    at_ = lines.places(seen_);
    lines_ = &lines;
    parts_ = std::min(c_.batch, kWeightJobs);
    int64_t channels = c_.window->channels, pairs = c_.groups * channels;
    int64_t bias = c_.bias_sums ? c_.out : 0;
    size_ = c_.out * taps_;
    auto* sums = static_cast<double*>(
        room(Room::split, parts_ * (pairs * size_ + c_.groups * bias) * int64_t(sizeof(double))));
    // A dimension of nothing is one piece.
    const int64_t most = std::max<int64_t>(1, parts_of(c_.out, 4 * kMaxGradients));
    const int64_t pieces =
        std::clamp<int64_t>(kWeightJobs / std::max<int64_t>(1, pairs * parts_), 1, most);
    run_jobs(pairs * parts_ * pieces, [&](int64_t job) {
      int64_t i = job % parts_, piece = job / parts_ % pieces, pair = job / parts_ / pieces;
      double* to = sums + (i * pairs + pair) * size_;
      double* to_bias = sums + parts_ * pairs * size_ + (i * c_.groups + pair / channels) * c_.out;
      images(i * c_.batch / parts_, (i + 1) * c_.batch / parts_, pair / channels, pair % channels,
             piece * c_.out / pieces, (piece + 1) * c_.out / pieces, to,
             bias && pair % channels == 0 ? to_bias : nullptr);
    });
    for (int64_t g = 0; g < c_.groups; ++g)
      for (int64_t o = 0; o < c_.out; ++o) {
        for (int64_t c = 0; c < channels; ++c)
          for (int64_t t = 0; t < taps_; ++t) {
            double total = 0;
            for (int64_t i = 0; i < parts_; ++i)
              total += sums[(i * pairs + g * channels + c) * size_ + o * taps_ + t];
            c_.sums[((g * c_.out + o) * channels + c) * taps_ + t] = total;
          }
        double total = 0;
        for (int64_t i = 0; bias && i < parts_; ++i)
          total += sums[parts_ * pairs * size_ + (i * c_.groups + g) * c_.out + o];
        if (bias) c_.bias_sums[g * c_.out + o] = total;
      }
  }

 private:
  // Images [from, to) and the gradient's channels [first, end) of a group.
  void images(int64_t from, int64_t to, int64_t group, int64_t channel, int64_t first, int64_t end,
              double* sums, double* bias) const {
    std::fill_n(sums + first * taps_, (end - first) * taps_, 0.0);
    if (bias) std::fill_n(bias + first, end - first, 0.0);
    const Window& w = *c_.window;
    const ImageStrides& s = c_.dy_strides;
    const int64_t* grid = w.grid;
    T* lines = static_cast<T*>(room(Room::b, lines_->elements() * int64_t(sizeof(T))));
    for (int64_t n = from; n < to; ++n)
      for (int64_t z = 0; z < grid[0]; ++z)
        for (int64_t y = 0; y < grid[1]; y += blocks_->rows)
          for (int64_t x = 0; x < grid[2]; x += blocks_->width) {
            int64_t rows = std::min(blocks_->rows, grid[1] - y);
            lines_->fill(direct_,
                         reinterpret_cast<const T*>(c_.image) + n * w.strides.batch +
                             (group * w.channels + channel) * w.strides.channel,
                         z, y, x, rows, lines);
            DirectWeight part;
            part.x_line = lines_->row_pitch();
            part.dy_line = s.space[1];
            part.lines = rows;
            part.n = std::min(blocks_->width, grid[2] - x);
            part.readable = (grid[1] - 1 - y) * s.space[1] + grid[2] - x;
            part.dy_channel = s.channel;
            for (int64_t o = first; o < end; o += kMaxGradients) {
              part.dy = reinterpret_cast<const T*>(c_.dy) + n * s.batch +
                        (group * c_.out + o) * s.channel + z * s.space[0] + y * s.space[1] + x;
              block(part, lines, int(std::min<int64_t>(kMaxGradients, end - o)), sums + o * taps_,
                    bias ? bias + o : nullptr);
            }
          }
  }

  // So many channels of the gradient.
  void block(DirectWeight& part, const T* lines, int channels, double* sums, double* bias) const {
    part.x = lines;
    part.sums_row = taps_;
    int64_t passes = parts_of(taps_, most_taps(channels));
    for (int64_t i = 0; i < passes; ++i) {
      int64_t first = i * taps_ / passes;
      part.at = at_.data() + first;
      part.sums = sums + first;
      direct_.weight[channels - 1][(i + 1) * taps_ / passes - first - 1](part);
    }
    if (!bias) return;
    static const std::vector<T> ones(size_t(kMostWidth) + 64, T(1));
    const int32_t none = 0;
    DirectWeight total = part;
    total.x = ones.data();
    total.x_line = 0;
    total.at = &none;
    total.sums = bias;
    total.sums_row = 1;
    direct_.weight[channels - 1][0](total);
  }

  const DirectWeightCall& c_;
  const Kernels& kernels_;
  const DirectKernels& direct_;
  Window seen_;
  int64_t taps_, parts_ = 1, size_ = 0;
  std::unique_ptr<Blocks> blocks_;
  const Lines* lines_ = nullptr;
  std::vector<int32_t> at_;
};

}  // namespace

bool direct_serves(const DirectCall& c) {
  const Kernels& kernels = kernels_of(c.kind);
  if (!kernels.direct) return false;
  const Window& w = *c.parts[0].window;
  int64_t deepest = 0, depth = 0, windows = c.phase_count * c.part_count;
  for (int64_t i = 0; i < windows; ++i) {
    deepest = std::max(deepest, c.parts[i].window->depth());
    depth += c.parts[i].window->depth();
  }
  if (deepest > kPanel) return false;
  Lines lines(c.parts, windows);
  int64_t width = std::min(parts_of(c.width, c.part_count), kMostWidth);
  if (lines.size(1, width) * kernels.source_size > double(kMostBytes)) return false;
  if (c.out <= kFewOut) return true;
  // Packing pays where a pixel is seen through few taps, or the weights would not stay in the cache.
  double bytes = double(depth) * double(c.out) * kernels.source_size;
  double steps = double(w.step[0] * w.step[1] * w.step[2]);
  bool often = windows > 1 || double(w.taps.size()) >= kLeastTaps * steps * steps;
  if (w.step[2] > 2) return bytes <= double(kMostBytes);
  return often && bytes <= double(kWeightBytes) * double(c.phase_count);
}

bool direct_weight_serves(const DirectWeightCall& c) {
  const Kernels& kernels = kernels_of(c.kind);
  if (!kernels.direct || c.window->taps.empty()) return false;
  // A product packs the unfolded image: with few channels for too few rows to repay it.
  const int64_t taps = int64_t(c.window->taps.size()), width = c.window->grid[2];
  const int64_t lanes = parts_of(width, kernels.vector) * kernels.vector;
  const bool few = c.window->channels <= kFewChannels && taps >= kLeastWeightTaps &&
                   double(width) >= kLeastLive * double(lanes) &&
                   c.window->depth() * c.out <= kMostWeights;
  if (c.out > kMostOut && !few) return false;
  Window seen = *c.window;
  seen.channels = 1;
  const DirectPart part{&seen, nullptr};
  return Lines(&part, 1).size(1, std::min(seen.grid[2], kMostWidth)) * kernels.source_size <=
         double(kMostBytes);
}

void run_direct_weight(const DirectWeightCall& c) {
  if (c.kind == Kind::f32)
    DirectWeights<float>(c).run();
  else
    DirectWeights<double>(c).run();
}

void run_direct(const DirectCall& c) {
  if (c.kind == Kind::f32)
    Direct<float>(c).run();
  else
    Direct<double>(c).run();
}

}  // namespace kagari::provider
