// Unfolding: which pixels of an image a block needs, found once per run of pixels and used for
// every channel.
#include "cpu/provider/unfold.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "core/error.h"

namespace kagari::provider {

namespace {

// Unfolded rows of A as the kernels take them: where they lie if that is plain, else packed.
RowBlock rows_of(const Kernels& kernels, const char* raw, int64_t pitch, int64_t rows,
                 int64_t length, void* room) {
  if (kernels.plain) return {raw, pitch, 1};
  int64_t steps[2];
  kernels.pack_a(raw, pitch, 1, rows, length, room, steps);
  return {room, steps[0], steps[1]};
}

// Where a pixel of the grid lies.
struct Place {
  int64_t image, at[3];
};

Place place_of(const Window& w, int64_t pixel) {
  Place p;
  p.image = pixel / w.pixels();
  pixel %= w.pixels();
  p.at[2] = pixel % w.grid[2];
  pixel /= w.grid[2];
  p.at[1] = pixel % w.grid[1];
  p.at[0] = pixel / w.grid[1];
  return p;
}

void advance(const Window& w, Place& p) {
  if (++p.at[2] < w.grid[2]) return;
  p.at[2] = 0;
  if (++p.at[1] < w.grid[1]) return;
  p.at[1] = 0;
  if (++p.at[0] < w.grid[0]) return;
  p.at[0] = 0;
  ++p.image;
}

// The offset of a tap at a place, in elements from the first image's first channel; false outside.
bool meets(const Window& w, const Place& p, const Tap& tap, int64_t* offset) {
  *offset = p.image * w.strides.batch;
  for (int i = 0; i < 3; ++i) {
    int64_t at = p.at[i] * w.step[i] + tap.offset[i];
    if (at < 0 || at >= w.size[i]) return false;
    *offset += at * w.strides.space[i];
  }
  return true;
}

// The thread's latest maps: a convolution comes back to the same runs of pixels for every image and
// chunk, and a layer to the same window in every step.
struct KeptMap {
  uint64_t id = 0;
  int64_t first = 0, count = 0;
  int lanes = 0;
  std::vector<Piece> pieces;
  std::vector<int32_t> start;
  PixelMap map;
};
constexpr int kKeptMaps = 128;
struct MapRoom {
  KeptMap kept[kKeptMaps];
};
// Behind a pointer: the static TLS block, where a library loaded at run time has its thread-locals,
// is small.
thread_local std::unique_ptr<MapRoom> map_room;

// Pixels of a group that lie in one line of the grid.
struct Run {
  int lane, length;
  Place place;
};

void add_runs(const Window& w, const Run* runs, int count, const Tap& tap,
              std::vector<Piece>& pieces, size_t group_start) {
  int64_t step = w.step[2];
  for (int r = 0; r < count; ++r) {
    const Run& run = runs[r];
    int64_t z = run.place.at[0] * w.step[0] + tap.offset[0];
    int64_t y = run.place.at[1] * w.step[1] + tap.offset[1];
    if (z < 0 || z >= w.size[0] || y < 0 || y >= w.size[1]) continue;
    int64_t x = run.place.at[2] * step + tap.offset[2];
    int64_t low = x >= 0 ? 0 : (-x + step - 1) / step;
    int64_t high =
        x >= w.size[2] ? 0 : std::min<int64_t>(run.length, (w.size[2] - 1 - x) / step + 1);
    if (low >= high) continue;
    uint32_t mask = ((1u << (high - low)) - 1) << (run.lane + low);
    int64_t offset = run.place.image * w.strides.batch + z * w.strides.space[0] +
                     y * w.strides.space[1] + x - run.lane * step;
    // Lines that follow each other in memory continue a piece.
    if (pieces.size() > group_start && pieces.back().offset == offset)
      pieces.back().mask |= mask;
    else
      pieces.push_back({offset, mask});
  }
}

// Of `count` pixels from `first` on, which lies in the first image: images look alike.
const PixelMap& map_of(const Window& w, int64_t first, int64_t count, int lanes) {
  if (!map_room) map_room = std::make_unique<MapRoom>();
  uint64_t place_in_room =
      w.id * 0x9e3779b97f4a7c15u + uint64_t(first) * 0xc2b2ae3d27d4eb4fu + uint64_t(count);
  KeptMap& m = map_room->kept[place_in_room >> 32 & (kKeptMaps - 1)];
  if (m.id == w.id && m.first == first && m.count == count && m.lanes == lanes) return m.map;
  m.id = 0;
  int64_t groups = (count + lanes - 1) / lanes;
  std::vector<Run> runs;
  std::vector<int> run_start{0};
  Place place = place_of(w, first);
  for (int64_t g = 0; g < groups; ++g) {
    int live = int(std::min<int64_t>(lanes, count - g * lanes));
    for (int lane = 0; lane < live;) {
      int length = int(std::min<int64_t>(live - lane, w.grid[2] - place.at[2]));
      runs.push_back({lane, length, place});
      lane += length;
      place.at[2] += length - 1;
      advance(w, place);
    }
    run_start.push_back(int(runs.size()));
  }
  m.pieces.clear();
  m.start.clear();
  for (const Tap& tap : w.taps) {
    for (int64_t g = 0; g < groups; ++g) {
      m.start.push_back(int32_t(m.pieces.size()));
      add_runs(w, runs.data() + run_start[size_t(g)],
               run_start[size_t(g) + 1] - run_start[size_t(g)], tap, m.pieces, m.pieces.size());
    }
    m.start.push_back(int32_t(m.pieces.size()));
  }
  m.map = {m.pieces.data(), m.start.data(), groups + 1, int64_t(w.taps.size()),
           groups,          lanes,          w.step[2]};
  m.id = w.id;
  m.first = first;
  m.count = count;
  m.lanes = lanes;
  return m.map;
}

int lanes_of(const Kernels& k) { return std::min(16, k.vector / k.per_column); }

// Pixel p's channels [first, first + count) in (tap, channel) order, from an image with contiguous
// channels.
void copy_window(const Window& w, const char* image, int64_t size, const Place& p, int64_t first,
                 int64_t count, char* to) {
  int64_t tap = first / w.channels, channel = first % w.channels;
  while (count > 0) {
    int64_t run = std::min(count, w.channels - channel), offset;
    size_t bytes = size_t(run * size);
    if (meets(w, p, w.taps[size_t(tap)], &offset))
      std::memcpy(to, image + (offset + channel) * size, bytes);
    else
      std::memset(to, 0, bytes);
    to += bytes;
    count -= run;
    channel = 0;
    ++tap;
  }
}

}  // namespace

uint64_t id_of(const Window& w) {
  std::vector<int64_t> looks{w.strides.batch, w.strides.space[0], w.strides.space[1],
                             w.strides.space[2]};
  for (const int64_t* three : {w.grid, w.step, w.size}) looks.insert(looks.end(), three, three + 3);
  for (const Tap& tap : w.taps) looks.insert(looks.end(), tap.offset, tap.offset + 3);
  static std::mutex lock;
  static std::map<std::vector<int64_t>, uint64_t> known;
  static uint64_t next = 1;
  constexpr size_t most = 1024;
  std::lock_guard hold(lock);
  if (known.size() >= most) known.clear();  // numbers are never given twice
  auto [at, fresh] = known.try_emplace(std::move(looks), next);
  next += fresh;
  return at->second;
}

// --- Forward, space contiguous ---
namespace {

// Weights that lie anywhere, as Kernels::pack_a leaves groups of R rows: (group, depth, row).
template <class E, int R>
void pack_scattered(const UnfoldedColumns& u, const E* from, int64_t first, int64_t rows,
                    int64_t length, E* to) {
  const int64_t taps = int64_t(u.window->taps.size()), group = group_step(R, length);
  const int64_t row = u.weight_row;
  for (int64_t done = 0; done < length;) {
    const int64_t begin = (first + done) % taps, run = std::min(taps - begin, length - done);
    const E* channel = from + (first + done) / taps * u.weight_channel;
    // The rows after these come next.
    for (int64_t at = 0; row <= 4 * taps && at < rows * row; at += 64 / int64_t(sizeof(E)))
      __builtin_prefetch(channel + rows * row + at, 0, 2);
    for (int64_t i = 0; i < rows; i += R, channel += R * row) {
      E* out = to + i / R * group + done * R;
      const int64_t live = std::min<int64_t>(R, rows - i);
      for (int64_t t = begin; t < begin + run; ++t, out += R) {
        const E* tap = channel + u.taps[t];
        if (live == R)
#pragma GCC unroll 12
          for (int r = 0; r < R; ++r) out[r] = tap[r * row];
        else
          for (int r = 0; r < live; ++r) out[r] = tap[r * row];
      }
    }
    done += run;
  }
}

template <class E>
void pack_scattered(const UnfoldedColumns& u, const char* from, int64_t first, int64_t rows,
                    int64_t length, void* to) {
  KG_INTERNAL(u.kernels->rows == 6 || u.kernels->rows == 12, "rows of a kernel");
  (u.kernels->rows == 6 ? &pack_scattered<E, 6>
                        : &pack_scattered<E, 12>)(u, reinterpret_cast<const E*>(from), first, rows,
                                                  length, static_cast<E*>(to));
}

}  // namespace

RowBlock UnfoldedColumns::a(int64_t row, int64_t rows, int64_t from, int64_t depth,
                            void* room) const {
  int64_t first = first_of(from), steps[2];
  if (taps) {
    int64_t size = kernels->source_size;
    (size == 4 ? &pack_scattered<uint32_t>
               : &pack_scattered<uint64_t>)(*this, weights + row * weight_row * size, first, rows,
                                            length_of(first, depth), room);
    return {room, 1, kernels->rows, group_step(kernels->rows, depth)};
  }
  kernels->pack_a(weights + (row * k + first) * kernels->source_size, k, 1, rows,
                  length_of(first, depth), room, steps);
  return {room, steps[0], steps[1]};
}

void UnfoldedColumns::b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
                        void* room_b) const {
  int64_t first = first_of(from), length = length_of(first, depth);
  if (length <= 0) return;
  col /= kernels->per_column;
  n /= kernels->per_column;
  int lanes = lanes_of(*kernels);
  int64_t vector = kernels->vector / kernels->per_column, wide = 2 * vector;
  int64_t pixels = window->pixels();
  const PixelMap& whole = map_of(*window, col % pixels, n, lanes);
  const char* seen = image + col / pixels * window->strides.batch * kernels->source_size;
  int64_t channel = window->strides.channel;
  char* panel = static_cast<char*>(room_b);
  void* raw = kernels->plain ? nullptr : room(Room::rows, length * wide * kernels->source_size);
  for (int64_t j = 0; j < n; j += wide, panel += pitch) {
    int64_t width = n - j <= vector ? vector : wide;
    PixelMap part = whole;
    part.start += j / lanes;
    // The last panel may be wider than the map: what is missing is zero.
    part.groups = std::min(width / lanes, whole.groups - j / lanes);
    if (kernels->plain) {
      if (part.groups * lanes < width)
        std::memset(panel, 0, size_t(length * width * kernels->compute_size));
      kernels->gather(part, seen, channel, first, length, panel, width);
    } else {
      int64_t live = std::min(wide, n - j);
      kernels->gather(part, seen, channel, first, length, raw, wide);
      kernels->pack_b(raw, wide, 1, length, live, pitch, panel);
    }
  }
}

// --- Forward, channels contiguous ---
RowBlock UnfoldedRows::a(int64_t row, int64_t rows, int64_t from, int64_t depth,
                         void* room_a) const {
  int64_t first = first_of(from), length = length_of(first, depth);
  if (length <= 0) return {room_a, 0, 0};
  int64_t size = kernels->source_size, pitch = (length + 15) / 16 * 16 + 16;
  char* raw = static_cast<char*>(kernels->plain ? room_a : room(Room::rows, rows * pitch * size));
  Place place = place_of(*window, row);
  for (int64_t i = 0; i < rows; ++i) {
    copy_window(*window, image, size, place, first, length, raw + i * pitch * size);
    advance(*window, place);
  }
  return rows_of(*kernels, raw, pitch, rows, length, room_a);
}

void UnfoldedRows::b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
                     void* room) const {
  int64_t first = first_of(from);
  const char* at = weights + (first * weight_row + col / kernels->per_column * weight_col) *
                                 kernels->source_size;
  kernels->pack_b(at, weight_row, weight_col, length_of(first, depth), n / kernels->per_column,
                  pitch, room);
}

// --- Weights' gradient, space contiguous ---
RowBlock WeightGradientFirst::a(int64_t row, int64_t rows, int64_t from, int64_t depth,
                                void* room_a) const {
  int64_t first = first_of(from), length = length_of(first, depth), size = kernels->source_size;
  if (length <= 0) return {room_a, 0, 0};
  int64_t pixels = window->pixels();
  const PixelMap& map = map_of(*window, first % pixels, length, lanes_of(*kernels));
  const char* seen = image + first / pixels * window->strides.batch * size;
  int64_t pitch = (length + 15) / 16 * 16 + 16;
  char* raw = static_cast<char*>(kernels->plain ? room_a : room(Room::rows, rows * pitch * size));
  int64_t unfolded = std::min(rows, window->depth() - row);
  kernels->gather(map, seen, window->strides.channel, row, unfolded, raw, pitch);
  for (int64_t p = 0; unfolded < rows && p < length; ++p)
    std::memcpy(raw + ((rows - 1) * pitch + p) * size, one, size_t(size));
  return rows_of(*kernels, raw, pitch, rows, length, room_a);
}

void WeightGradientFirst::b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
                            void* room_b) const {
  int64_t first = first_of(from), length = length_of(first, depth), size = kernels->source_size;
  if (length <= 0) return;
  int64_t pixels = window->pixels(), image_at = first / pixels, pixel = first % pixels;
  col /= kernels->per_column;
  n /= kernels->per_column;
  const char* channels = gradient.data + col * gradient.channel * size;
  if (pixel + length <= pixels) {
    kernels->pack_b(channels + (image_at * gradient.batch + pixel) * size, 1, gradient.channel,
                    length, n, pitch, room_b);
    return;
  }
  // The block spans images: their pixels are joined first.
  int64_t row = (length + 15) / 16 * 16 + 16;
  char* raw = static_cast<char*>(room(Room::rows, n * row * size));
  for (int64_t j = 0; j < n; ++j) {
    const char* from_channel = channels + j * gradient.channel * size;
    char* to = raw + j * row * size;
    int64_t i = image_at, p = pixel;
    for (int64_t done = 0; done < length; ++i, p = 0) {
      int64_t run = std::min(length - done, pixels - p);
      std::memcpy(to + done * size, from_channel + (i * gradient.batch + p) * size,
                  size_t(run * size));
      done += run;
    }
  }
  kernels->pack_b(raw, 1, row, length, n, pitch, room_b);
}

RowBlock WeightGradientTurned::a(int64_t row, int64_t rows, int64_t from, int64_t depth,
                                 void* room_a) const {
  int64_t first = first_of(from), length = length_of(first, depth), size = kernels->source_size;
  if (length <= 0) return {room_a, 0, 0};
  int64_t pixels = window->pixels();
  const PixelMap& map = map_of(*gradient_window, first % pixels, length, lanes_of(*kernels));
  const char* seen = gradient.data + first / pixels * gradient.batch * size;
  int64_t pitch = (length + 15) / 16 * 16 + 16;
  char* raw = static_cast<char*>(kernels->plain ? room_a : room(Room::rows, rows * pitch * size));
  kernels->gather(map, seen, gradient.channel, row, rows, raw, pitch);
  return rows_of(*kernels, raw, pitch, rows, length, room_a);
}

void WeightGradientTurned::b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
                             void* room_b) const {
  int64_t first = first_of(from), length = length_of(first, depth), size = kernels->source_size;
  if (length <= 0) return;
  col /= kernels->per_column;
  n /= kernels->per_column;
  int64_t pixels = window->pixels(), wide = 2 * kernels->vector / kernels->per_column;
  const PixelMap& map = map_of(*window, first % pixels, length, lanes_of(*kernels));
  const char* seen = image + first / pixels * window->strides.batch * size;
  int64_t row = (length + 15) / 16 * 16 + 16;
  char* raw = static_cast<char*>(room(Room::rows, wide * row * size));
  char* panel = static_cast<char*>(room_b);
  for (int64_t j = 0; j < n; j += wide, panel += pitch) {
    int64_t live = std::min(wide, n - j);
    int64_t unfolded = std::clamp<int64_t>(window->depth() - (col + j), 0, live);
    kernels->gather(map, seen, window->strides.channel, col + j, unfolded, raw, row);
    for (int64_t p = 0; unfolded < live && p < length; ++p)
      std::memcpy(raw + (unfolded * row + p) * size, one, size_t(size));
    kernels->pack_b(raw, 1, row, length, live, pitch, panel);
  }
}

// --- Weights' gradient, channels contiguous ---
RowBlock WeightGradientLast::a(int64_t row, int64_t rows, int64_t from, int64_t depth,
                               void* room) const {
  int64_t first = first_of(from), steps[2];
  kernels->pack_a(gradient.data + (row + first * gradient.pixel) * kernels->source_size, 1,
                  gradient.pixel, rows, length_of(first, depth), room, steps);
  return {room, steps[0], steps[1]};
}

void WeightGradientLast::b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
                           void* room_b) const {
  int64_t first = first_of(from), length = length_of(first, depth), size = kernels->source_size;
  if (length <= 0) return;
  col /= kernels->per_column;
  n /= kernels->per_column;
  int64_t vector = kernels->vector / kernels->per_column, wide = 2 * vector, k = window->depth();
  char* panel = static_cast<char*>(room_b);
  char* raw = kernels->plain ? nullptr : static_cast<char*>(room(Room::rows, length * wide * size));
  for (int64_t j = 0; j < n; j += wide, panel += pitch) {
    int64_t live = std::min(wide, n - j), width = live <= vector ? vector : wide;
    char* to = kernels->plain ? panel : raw;
    int64_t row = kernels->plain ? width : wide;
    int64_t unfolded = std::clamp<int64_t>(k - (col + j), 0, live);
    Place place = place_of(*window, first);
    for (int64_t p = 0; p < length; ++p, to += row * size) {
      copy_window(*window, image, size, place, col + j, unfolded, to);
      if (unfolded < live) std::memcpy(to + unfolded * size, one, size_t(size));
      if (kernels->plain && live < width)
        std::memset(to + live * size, 0, size_t((width - live) * size));
      advance(*window, place);
    }
    if (!kernels->plain) kernels->pack_b(raw, wide, 1, length, live, pitch, panel);
  }
}

}  // namespace kagari::provider
