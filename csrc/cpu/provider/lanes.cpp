// Convolutions over lanes of images: where each pixel lies among lanes, and the blocks of images.
#include "cpu/provider/lanes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "cpu/provider/blocks.h"

namespace kagari::provider {

namespace {

constexpr double kMostBytes = 256 << 10;     // of a block of images that stays in the second cache
constexpr int64_t kBundleBytes = 192 << 10;  // of blocks whose weight gradients are summed at once
constexpr int64_t kChain = 256;              // vectors added up before their lanes are
constexpr int64_t kMostParts = 8;            // of a batch whose weight gradients are summed apart
constexpr int64_t kMostSteps = 16 << 10;     // of all zones of a window
constexpr int64_t kMostMet = 4096;           // pixels, of all taps
constexpr double kSerialWork = 400e3;

constexpr int64_t parts_of(int64_t x, int64_t of) { return (x + of - 1) / of; }

// What windows see of an image, padding included: the least pixel of each axis, and how many.
struct Region {
  int64_t low[3] = {}, size[3] = {1, 1, 1};
  bool empty = true;

  Region(const DirectPart* parts, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      for (const Tap& tap : parts[i].window->taps) see(*parts[i].window, tap);
  }
  void see(const Window& w, const Tap& tap) {
    for (int a = 0; a < 3; ++a) {
      int64_t first = tap.offset[a], last = first + (w.grid[a] - 1) * w.step[a];
      int64_t from = empty ? first : std::min(low[a], first);
      int64_t to = empty ? last : std::max(low[a] + size[a] - 1, last);
      low[a] = from;
      size[a] = to - from + 1;
    }
    empty = false;
  }
  // In double: where dilations are absurd, pixels are more than a machine has.
  double pixels() const { return double(size[0]) * double(size[1]) * double(size[2]); }
  int64_t at(int64_t z, int64_t y, int64_t x) const {
    return ((z - low[0]) * size[1] + y - low[1]) * size[2] + x - low[2];
  }
};

// The pixels of one channel as they lie in the image, and where each goes among lanes.
class Pixels {
 public:
  // Those that a region has of an image.
  Pixels(const Region& region, const int64_t* size, const ImageStrides& strides, int64_t lanes) {
    int64_t from[3], to[3];
    for (int a = 0; a < 3; ++a) {
      from[a] = std::max<int64_t>(region.low[a], 0);
      to[a] = std::min(size[a], region.low[a] + region.size[a]);
    }
    std::vector<bool> filled(size_t(region.pixels()), false);
    for (int64_t z = from[0]; z < to[0]; ++z)
      for (int64_t y = from[1]; y < to[1]; ++y) {
        if (from[2] >= to[2]) continue;
        line(z * strides.space[0] + y * strides.space[1] + from[2], to[2] - from[2]);
        for (int64_t x = from[2]; x < to[2]; ++x) {
          int64_t at = region.at(z, y, x);
          filled[size_t(at)] = true;
          place_.push_back(int32_t(at * lanes));
        }
      }
    for (size_t i = 0; i < filled.size(); ++i)
      if (!filled[i]) blank_.push_back(int32_t(int64_t(i) * lanes));
  }

  // All channels of `live` images; `pitch` elements for each channel.
  void gather(const LanesKernels& kernels, const float* image, const ImageStrides& strides,
              int64_t live, int64_t channels, int64_t pitch, int64_t lanes, float* to) const {
    for (int64_t c = 0; c < channels; ++c, image += strides.channel, to += pitch) {
      for (int32_t at : blank_) std::fill_n(to + at, lanes, 0.0f);
      kernels.gather(runs_.data(), int64_t(runs_.size()), image, strides.batch, live, place_.data(),
                     to);
    }
  }

 private:
  void line(int64_t offset, int64_t length) {
    if (!runs_.empty() && runs_.back().offset + runs_.back().length == offset)
      runs_.back().length += length;
    else
      runs_.push_back({offset, length});
  }
  std::vector<LaneRun> runs_;
  std::vector<int32_t> place_, blank_;
};

// Parts of a window's grid whose lines of pixels meet the image through the same lines of taps: what
// padding above and below would add is left out. (Within a line it is not: tiles would be short.) It
// would add zeros, so sums keep their bits, but for the sign of one that is too small for a float;
// unless a weight is not finite, and then all taps are met.
class Zones {
 public:
  struct Zone {
    int64_t from[2], to[2];  // planes, lines
    int64_t chunks;          // where the starts of their steps are
  };

  Zones(const Window& w, const Region& region, int64_t pitch, int64_t lanes, bool padded)
      : w_(w), region_(region), pitch_(pitch), lanes_(lanes), padded_(padded) {
    std::vector<int64_t> planes = cuts_of(0), lines = cuts_of(1);
    const int64_t zones = int64_t(planes.size() - 1) * int64_t(lines.size() - 1);
    if (zones * w.depth() > kMostSteps) {
      padded_ = true;
      planes = cuts_of(0);
      lines = cuts_of(1);
    }
    steps_.reserve(size_t(padded_ ? w.depth() : zones * w.depth()));
    for (size_t z = 0; z + 1 < planes.size(); ++z)
      for (size_t y = 0; y + 1 < lines.size(); ++y)
        add({{planes[z], lines[y]}, {planes[z + 1], lines[y + 1]}, 0});
  }

  const std::vector<Zone>& all() const { return zones_; }
  int64_t chunks() const { return std::max<int64_t>(parts_of(w_.depth(), kChunk), 1); }
  // Those of a zone's chunk.
  const LaneStep* steps(const Zone& zone, int64_t chunk, int64_t* count) const {
    const int64_t* start = starts_.data() + zone.chunks + chunk;
    *count = start[1] - start[0];
    return steps_.data() + start[0];
  }

 private:
  // Where the taps that meet the image change along an axis.
  std::vector<int64_t> cuts_of(int a) const {
    std::vector<int64_t> cuts{0};
    int64_t before = -1, after = -1;
    for (int64_t q = 0; !padded_ && q < w_.grid[a]; ++q) {
      int64_t below = 0, above = 0;
      for (const Tap& tap : w_.taps) {
        int64_t at = q * w_.step[a] + tap.offset[a];
        below += at < 0;
        above += at >= w_.size[a];
      }
      if (q > 0 && (below != before || above != after)) cuts.push_back(q);
      before = below;
      after = above;
    }
    cuts.push_back(w_.grid[a]);
    return cuts;
  }

  bool meets(const Zone& zone, const Tap& tap) const {
    for (int a = 0; a < 2; ++a) {
      int64_t at = zone.from[a] * w_.step[a] + tap.offset[a];
      if (at < 0 || at >= w_.size[a]) return false;
    }
    return true;
  }

  void add(Zone zone) {
    zone.chunks = int64_t(starts_.size());
    std::vector<LaneStep> met;  // by the first channel
    for (size_t t = 0; t < w_.taps.size(); ++t) {
      const int64_t* offset = w_.taps[t].offset;
      if (padded_ || meets(zone, w_.taps[t]))
        met.push_back({int32_t(region_.at(offset[0], offset[1], offset[2]) * lanes_), int32_t(t)});
    }
    const int32_t taps = int32_t(w_.taps.size());
    starts_.push_back(int64_t(steps_.size()));
    int64_t chunk = kChunk;
    for (int64_t c = 0; c < w_.channels; ++c)
      for (const LaneStep& s : met) {
        const int32_t weight = int32_t(c) * taps + s.weight;
        for (; weight >= chunk; chunk += kChunk) starts_.push_back(int64_t(steps_.size()));
        steps_.push_back({int32_t(c * pitch_) + s.at, weight});
      }
    starts_.resize(size_t(zone.chunks + chunks() + 1), int64_t(steps_.size()));
    zones_.push_back(zone);
  }

  const Window& w_;
  const Region& region_;
  int64_t pitch_, lanes_;
  bool padded_;
  std::vector<Zone> zones_;
  std::vector<LaneStep> steps_;
  std::vector<int64_t> starts_;
};

bool all_finite(const float* x, int64_t n) {
  uint32_t broken = 0;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof bits);
    broken |= uint32_t((bits & 0x7f800000) == 0x7f800000);
  }
  return broken == 0;
}

// A block of rows of weights, by (channel, tap); where it ends.
template <int R>
float* pack_block(const float* from, int64_t row, int64_t channel, int64_t channels,
                  const int64_t* offsets, int64_t taps, float* to) {
  for (int64_t c = 0; c < channels; ++c, from += channel)
    for (int64_t t = 0; t < taps; ++t, to += R) {
      const float* at = from + offsets[t];
      for (int r = 0; r < R; ++r) to[r] = at[r * row];
    }
  return to;
}
template <size_t... R>
constexpr auto pack_blocks(std::index_sequence<R...>) {
  return std::array{&pack_block<int(R) + 1>...};
}
constexpr auto packs = pack_blocks(std::make_index_sequence<size_t(kMaxRows)>{});

class Lanes {
 public:
  explicit Lanes(const LanesCall& call)
      : call_(call),
        c_(call.direct),
        kernels_(kernels_of(c_.kind)),
        lanes_(kernels_.vector),
        windows_(c_.phase_count * c_.part_count),
        region_(c_.parts, windows_),
        seen_(*c_.parts[0].window),
        pixels_(region_, seen_.size, seen_.strides, lanes_),
        pitch_(int64_t(region_.pixels()) * lanes_) {
    row_blocks_ = parts_of(c_.out, kernels_.rows);
    for (int64_t i = 0; i <= row_blocks_; ++i) first_.push_back(i * c_.out / row_blocks_);
    for (int64_t i = 0; i < windows_; ++i) {
      const Window& w = *c_.parts[i].window;
      depth_.push_back(w.depth());
      if (w.pixels() > 0)
        plane_ = std::max(plane_, 1 + place(i, w.grid[0] - 1, w.grid[1] - 1, w.grid[2] - 1));
    }
  }

  void run() {
    const bool finite = pack();
    for (int64_t i = 0; i < windows_; ++i)
      zones_.emplace_back(*c_.parts[i].window, region_, pitch_, lanes_, !finite);
    double work = 0;
    for (int64_t i = 0; i < windows_; ++i)
      work += double(c_.parts[i].window->depth()) * double(c_.parts[i].window->pixels());
    work *= double(c_.batch) * double(c_.groups) * double(c_.out);
    int64_t blocks = parts_of(c_.batch, lanes_) * c_.groups;
    int64_t slices = std::clamp<int64_t>(parts_of(threads_available(), blocks), 1, row_blocks_);
    auto job = [&](int64_t i) {
      block(i / slices, i % slices * row_blocks_ / slices, (i % slices + 1) * row_blocks_ / slices);
    };
    if (work < kSerialWork)
      for (int64_t i = 0; i < blocks * slices; ++i) job(i);
    else
      run_jobs(blocks * slices, job);
  }

 private:
  // Of a grid's pixel in the result.
  int64_t place(int64_t window, int64_t z, int64_t y, int64_t x) const {
    return c_.phase_starts[window / c_.part_count] + z * c_.result_strides.space[0] +
           y * c_.result_strides.space[1] + x * c_.part_count + window % c_.part_count;
  }

  // Weights as tiles read them: (window, group, block of rows, channel · tap, row). Whether all are
  // finite.
  bool pack() {
    int64_t total = 0;
    for (int64_t i = 0; i < windows_; ++i)
      total += c_.groups * c_.out * c_.parts[i].window->depth();
    float* to = static_cast<float*>(room(Room::split, total * int64_t(sizeof(float))));
    for (int64_t i = 0; i < windows_; ++i) {
      const int64_t taps = int64_t(c_.parts[i].window->taps.size());
      weights_.push_back(to);
      for (int64_t g = 0; g < c_.groups; ++g)
        for (int64_t b = 0; b < row_blocks_; ++b) {
          const int64_t o = first_[size_t(b)], rows = first_[size_t(b) + 1] - o;
          const float* from =
              reinterpret_cast<const float*>(call_.weights) + g * call_.group + o * call_.out;
          to = packs[rows - 1](from, call_.out, call_.channel, seen_.channels, call_.tap_offsets[i],
                               taps, to);
        }
    }
    return all_finite(to - total, total);
  }

  // Some blocks of rows of one group, for as many images as there are lanes.
  void block(int64_t job, int64_t from, int64_t to) const {
    int64_t group = job % c_.groups, n = job / c_.groups * lanes_;
    int64_t live = std::min(lanes_, c_.batch - n), size = int64_t(sizeof(float));
    float* image = static_cast<float*>(room(Room::b, seen_.channels * pitch_ * size));
    pixels_.gather(*kernels_.lanes,
                   reinterpret_cast<const float*>(c_.image) + n * seen_.strides.batch +
                       group * seen_.channels * seen_.strides.channel,
                   seen_.strides, live, seen_.channels, pitch_, lanes_, image);
    const int64_t first = first_[size_t(from)], rows = first_[size_t(to)] - first;
    float* sums = static_cast<float*>(room(Room::sums, rows * plane_ * lanes_ * size));
    const Part part{image, sums, group, from, to};
    for (int64_t i = 0; i < windows_; ++i)
      for (const Zones::Zone& z : zones_[size_t(i)].all()) zone(i, z, part);
    const ImageStrides& s = c_.result_strides;
    for (int64_t r = 0; r < rows; ++r)
      kernels_.lanes->scatter(sums + r * plane_ * lanes_, plane_,
                              reinterpret_cast<float*>(c_.result) + n * s.batch +
                                  (group * c_.out + first + r) * s.channel,
                              s.batch, live);
  }

  struct Part {
    const float* image;
    float* sums;
    int64_t group, from, to;  // blocks of rows
  };

  // Tiles along a zone's rows, what is left of their width from row to row.
  void zone(int64_t i, const Zones::Zone& zone, const Part& part) const {
    const Window& w = *c_.parts[i].window;
    const int64_t most = kernels_.direct->slots[parts_of(c_.out, row_blocks_) - 1];
    const int64_t line = w.step[1] * region_.size[2] * lanes_, pixel = w.step[2] * lanes_;
    const int64_t to_line = c_.result_strides.space[1] * lanes_, to_pixel = c_.part_count * lanes_;
    LaneTiles t;
    t.c_row = plane_ * lanes_;
    auto tiles = [&](int64_t z, int64_t y, int64_t x, int64_t slots, int64_t count) {
      t.count = count;
      t.b = part.image +
            ((z * w.step[0] * region_.size[1] + y * w.step[1]) * region_.size[2] + x * w.step[2]) *
                lanes_;
      for (int64_t b = part.from; b < part.to; ++b) {
        t.c = part.sums + (first_[size_t(b)] - first_[size_t(part.from)]) * t.c_row +
              place(i, z, y, x) * lanes_;
        chunks(t, i, zone, part.group * c_.out, b, slots);
      }
    };
    const int64_t width = w.grid[2], whole = width / most * most;
    for (int64_t z = zone.from[0]; z < zone.to[0]; ++z) {
      t.b_slot = pixel;
      t.c_slot = to_pixel;
      t.b_step = most * pixel;
      t.c_step = most * to_pixel;
      for (int64_t y = zone.from[1]; whole > 0 && y < zone.to[1]; ++y)
        tiles(z, y, 0, most, whole / most);
      if (whole == width) continue;
      t.b_slot = line;
      t.c_slot = to_line;
      t.b_step = pixel;
      t.c_step = to_pixel;
      for (int64_t y = zone.from[1]; y < zone.to[1]; y += most)
        tiles(z, y, whole, std::min(most, zone.to[1] - y), width - whole);
    }
  }

  // Chunks as long as a product's, of a block of rows.
  void chunks(LaneTiles& t, int64_t i, const Zones::Zone& zone, int64_t group, int64_t b,
              int64_t slots) const {
    const Zones& zones = zones_[size_t(i)];
    const int64_t o = group + first_[size_t(b)], rows = first_[size_t(b) + 1] - first_[size_t(b)];
    const float* bias = reinterpret_cast<const float*>(c_.bias);
    t.a = weights_[size_t(i)] + o * depth_[size_t(i)];
    for (int64_t chunk = 0, all = zones.chunks(); chunk < all; ++chunk) {
      bool last = chunk + 1 == all;
      t.steps = zones.steps(zone, chunk, &t.k);
      t.add = chunk > 0;
      t.bias = last && bias ? bias + o : nullptr;
      t.relu = last && c_.relu;
      kernels_.lanes->tiles[rows - 1][slots - 1](t);
    }
  }

  const LanesCall& call_;
  const DirectCall& c_;
  const Kernels& kernels_;
  int64_t lanes_, windows_;
  Region region_;
  const Window& seen_;
  Pixels pixels_;
  int64_t pitch_;      // of a channel among lanes
  int64_t plane_ = 0;  // pixels of the result
  int64_t row_blocks_;
  std::vector<int64_t> first_;  // row of the result in each block of rows
  std::vector<int64_t> depth_;
  std::vector<Zones> zones_;
  std::vector<const float*> weights_;
};

// --- Weights ---
// A job is a part of the batch, a group, and some of its channels; the parts' sums are added in
// order.
class LanesWeights {
 public:
  explicit LanesWeights(const LanesWeightCall& c)
      : c_(c),
        kernels_(kernels_of(c.kind)),
        lanes_(kernels_.vector),
        window_(*c.window),
        part_{c.window, nullptr},
        region_(&part_, 1),
        image_(region_, window_.size, window_.strides, lanes_),
        grid_(grid_region()),
        gradient_(grid_, window_.grid, c.dy_strides, lanes_),
        pitch_(int64_t(region_.pixels()) * lanes_),
        plane_(window_.pixels() * lanes_),
        taps_(int64_t(window_.taps.size())),
        apart_(window_.channels > 1 && taps_ * window_.pixels() <= kMostMet) {
    for (const Tap& tap : window_.taps) {
      starts_.push_back(int64_t(met_.size()));
      if (apart_) meet(&tap, met_);
    }
    starts_.push_back(int64_t(met_.size()));
    meet(nullptr, all_);
    for (const LanePixel& p : all_) alone_.push_back({p.dy, 0});
    for (int64_t c = 0; c < window_.channels; ++c)
      for (int64_t k = 0; k < (apart_ ? 1 : taps_); ++k) {
        const int64_t* offset = window_.taps[size_t(k)].offset;
        int64_t tap = apart_ ? 0 : region_.at(offset[0], offset[1], offset[2]) * lanes_;
        at_.push_back(int32_t(c * pitch_ + tap));
      }
  }

  void run() {
    const int64_t depth = window_.depth(), columns = depth + (c_.dbias != nullptr);
    const int64_t blocks = parts_of(c_.batch, lanes_);
    // Not by the number of threads: where the sums are split decides bits.
    const int64_t parts = std::clamp<int64_t>(blocks / 2, 1, kMostParts);
    const int64_t size = columns * c_.out;
    auto* sums =
        static_cast<double*>(room(Room::split, parts * c_.groups * size * int64_t(sizeof(double))));
    int64_t jobs = parts * c_.groups;
    int64_t slices = std::clamp<int64_t>(parts_of(threads_available(), jobs), 1,
                                         std::max<int64_t>(window_.channels, 1));
    run_jobs(jobs * slices, [&](int64_t job) {
      int64_t slice = job % slices, g = job / slices % c_.groups, i = job / slices / c_.groups;
      images(i * blocks / parts, (i + 1) * blocks / parts, g, slice * window_.channels / slices,
             (slice + 1) * window_.channels / slices, slice == 0,
             sums + (i * c_.groups + g) * size);
    });
    for (int64_t g = 0; g < c_.groups; ++g) place(sums + g * size, parts, c_.groups * size, g);
  }

 private:
  Region grid_region() const {
    Region r(nullptr, 0);
    std::copy_n(window_.grid, 3, r.size);
    return r;
  }

  // Blocks [from, to) of images, channels [first, last) of a group.
  void images(int64_t from, int64_t to, int64_t group, int64_t first, int64_t last, bool bias,
              double* sums) const {
    const int64_t channels = last - first;
    std::fill_n(sums + first * taps_ * c_.out, channels * taps_ * c_.out, 0.0);
    double* bias_sums = bias && c_.dbias ? sums + window_.depth() * c_.out : nullptr;
    if (bias_sums) std::fill_n(bias_sums, c_.out, 0.0);
    const int64_t x_block = channels * pitch_, dy_block = c_.out * plane_;
    // As many blocks to a chain of sums as all channels would leave room for: bits must not tell how
    // many a job has.
    const int64_t whole = (window_.channels * pitch_ + dy_block) * int64_t(sizeof(float));
    const int64_t most = std::clamp<int64_t>(
        std::min(kBundleBytes / whole, kChain / std::max<int64_t>(window_.pixels(), 1)), 1,
        to - from);
    float* x =
        static_cast<float*>(room(Room::b, most * (x_block + dy_block) * int64_t(sizeof(float))));
    float* dy = x + most * x_block;
    for (int64_t b = from; b < to; b += most) {
      const int64_t some = std::min(most, to - b);
      for (int64_t i = 0; i < some; ++i) {
        const int64_t n = (b + i) * lanes_, live = std::min(lanes_, c_.batch - n);
        image_.gather(*kernels_.lanes,
                      reinterpret_cast<const float*>(c_.image) + n * window_.strides.batch +
                          (group * window_.channels + first) * window_.strides.channel,
                      window_.strides, live, channels, pitch_, lanes_, x + i * x_block);
        gradient_.gather(*kernels_.lanes,
                         reinterpret_cast<const float*>(c_.dy) + n * c_.dy_strides.batch +
                             group * c_.out * c_.dy_strides.channel,
                         c_.dy_strides, live, c_.out, plane_, lanes_, dy + i * dy_block);
      }
      LaneWeight w;
      w.blocks = some;
      w.dy_row = plane_;
      w.dy_block = dy_block;
      w.x_block = x_block;
      bundle(w, x, dy, first, last, sums, bias_sums);
    }
  }

  // Pixels that a tap meets, where it meets them; or all, where the region's first pixel does.
  void meet(const Tap* tap, std::vector<LanePixel>& to) const {
    const int64_t* grid = window_.grid;
    const int64_t none[3] = {region_.low[0], region_.low[1], region_.low[2]};
    const int64_t* offset = tap ? tap->offset : none;
    int64_t pixel = 0;
    for (int64_t z = 0; z < grid[0]; ++z)
      for (int64_t y = 0; y < grid[1]; ++y)
        for (int64_t x = 0; x < grid[2]; ++x, ++pixel) {
          const int64_t at[3] = {z * window_.step[0] + offset[0], y * window_.step[1] + offset[1],
                                 x * window_.step[2] + offset[2]};
          bool inside = true;
          for (int a = 0; a < 3; ++a) inside &= at[a] >= 0 && at[a] < window_.size[a];
          if (inside || !tap)
            to.push_back(
                {int32_t(pixel * lanes_), int32_t(region_.at(at[0], at[1], at[2]) * lanes_)});
        }
  }

  // Channels [first, last) and the bias, over all pixels of some blocks.
  void bundle(LaneWeight& w, const float* x, const float* dy, int64_t first, int64_t last,
              double* sums, double* bias) const {
    const int64_t row_blocks = parts_of(c_.out, kLaneRows);
    for (int64_t r = 0; r < row_blocks; ++r) {
      const int64_t o = r * c_.out / row_blocks, rows = (r + 1) * c_.out / row_blocks - o;
      w.dy = dy + o * plane_;
      w.x = x;
      double* to = sums + first * taps_ * c_.out + o;
      if (apart_) {
        w.sums_row = taps_ * c_.out;
        for (int64_t k = 0; k < taps_; ++k)
          columns(w, met_.data() + starts_[size_t(k)], starts_[size_t(k) + 1] - starts_[size_t(k)],
                  last - first, rows, to + k * c_.out);
      } else {
        w.sums_row = c_.out;
        columns(w, all_.data(), int64_t(all_.size()), (last - first) * taps_, rows, to);
      }
      if (bias) ones(w, rows, bias + o);
    }
  }

  // `count` columns over a list of pixels.
  void columns(LaneWeight& w, const LanePixel* pixels, int64_t length, int64_t count, int64_t rows,
               double* sums) const {
    const int64_t pieces = parts_of(length, kChain);
    const int64_t blocks = parts_of(count, kernels_.lanes->columns);
    for (int64_t i = 0; i < pieces; ++i) {
      w.pixels = pixels + i * length / pieces;
      w.count = (i + 1) * length / pieces - i * length / pieces;
      for (int64_t j = 0; j < blocks; ++j) {
        const int64_t column = j * count / blocks;
        w.at = at_.data() + column;
        w.sums = sums + column * w.sums_row;
        kernels_.lanes->weight[rows - 1][(j + 1) * count / blocks - column - 1](w);
      }
    }
  }

  // The gradient's own sums: products with ones.
  void ones(LaneWeight w, int64_t rows, double* sums) const {
    static const std::vector<float> one(16, 1.0f);
    const int32_t none = 0;
    w.x = one.data();
    w.x_block = 0;
    w.at = &none;
    const int64_t length = int64_t(alone_.size()), pieces = parts_of(length, kChain);
    for (int64_t i = 0; i < pieces; ++i) {
      w.pixels = alone_.data() + i * length / pieces;
      w.count = (i + 1) * length / pieces - i * length / pieces;
      w.sums = sums;
      kernels_.lanes->weight[rows - 1][0](w);
    }
  }

  // The parts' sums of a group, added and put in their place.
  void place(const double* sums, int64_t parts, int64_t part, int64_t group) const {
    const int64_t out = c_.out;
    const WeightStrides& t = c_.dw_strides;
    float* dw = static_cast<float*>(c_.dw) + group * out * t.out;
    auto total = [&](int64_t at) {
      double sum = sums[at];
      for (int64_t i = 1; i < parts; ++i) sum += sums[i * part + at];
      return float(sum);
    };
    for (int64_t c = 0; c < window_.channels; ++c)
      for (int64_t k = 0; k < taps_; ++k) {
        float* to = dw + c * t.in + c_.kernel_offsets[k];
        for (int64_t o = 0; o < out; ++o) to[o * t.out] = total((c * taps_ + k) * out + o);
      }
    float* dbias = static_cast<float*>(c_.dbias);
    for (int64_t o = 0; dbias && o < out; ++o)
      dbias[group * out + o] = total(window_.depth() * out + o);
  }

  const LanesWeightCall& c_;
  const Kernels& kernels_;
  int64_t lanes_;
  const Window& window_;
  DirectPart part_;
  Region region_;
  Pixels image_;
  Region grid_;
  Pixels gradient_;
  int64_t pitch_, plane_;  // of a channel of the image, of the gradient, among lanes
  int64_t taps_;
  bool apart_;                        // each tap over the pixels that it meets
  std::vector<LanePixel> met_, all_;  // of each tap, from starts_ on
  std::vector<LanePixel> alone_;      // the gradient's
  std::vector<int64_t> starts_;
  std::vector<int32_t> at_;  // of each channel, or (channel, tap)
};

// Enough images to fill the lanes.
bool fills(int64_t batch, int64_t lanes) { return 2 * batch > parts_of(batch, lanes) * lanes; }

}  // namespace

bool lanes_fit(Kind kind, const ConvShape& s) {
  const Kernels& kernels = kernels_of(kind);
  if (!kernels.lanes) return false;
  double in = 1, out = 1, taps = 1;
  for (int i = 0; i < 3; ++i) {
    double reach = double(s.dilation[i]) * double(s.kernel[i] - 1);
    in *= std::max(double(s.out[i] - 1) * double(s.stride[i]) + reach + 1, 1.0);
    out *= double(s.out[i]) + 2 * reach / double(s.stride[i]);
    taps *= double(s.kernel[i]);
  }
  in *= double(s.in_channels / s.groups);
  out *= double(s.out_channels / s.groups);
  return std::max(in, out) * kernels.vector * sizeof(float) <= kMostBytes;
}

bool lanes_serve(const LanesCall& call) {
  const DirectCall& c = call.direct;
  const Kernels& kernels = kernels_of(c.kind);
  if (!kernels.lanes || !fills(c.batch, kernels.vector)) return false;
  int64_t windows = c.phase_count * c.part_count;
  for (int64_t i = 0; i < windows; ++i)
    if (c.parts[i].window->depth() > kPanel) return false;
  Region region(c.parts, windows);
  double size = double(kernels.vector) * sizeof(float);
  const int64_t* grid = c.parts[0].window->grid;
  double plane = double(grid[0]) * double(grid[1]) * double(grid[2]) * double(windows);
  return double(c.parts[0].window->channels) * region.pixels() * size <= kMostBytes &&
         double(c.out) * plane * size <= kMostBytes;
}

void run_lanes(const LanesCall& c) { Lanes(c).run(); }

bool lanes_weight_serve(const LanesWeightCall& c) {
  const Kernels& kernels = kernels_of(c.kind);
  if (!kernels.lanes || !fills(c.batch, kernels.vector) || c.window->taps.empty()) return false;
  const DirectPart part{c.window, nullptr};
  double image = double(c.window->channels) * Region(&part, 1).pixels();
  double gradient = double(c.out) * double(c.window->pixels());
  return (image + gradient) * kernels.vector * sizeof(float) <= 2 * kMostBytes;
}

void run_lanes_weight(const LanesWeightCall& c) { LanesWeights(c).run(); }

}  // namespace kagari::provider
