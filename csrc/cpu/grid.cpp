// Reading images at the places of a grid, adding to them there, and the gradient by the grid.
//
// Places are worked on in blocks: where each reads and with which weights is computed once for all
// channels, in loops over the block. An image of several channels is turned so that the channels of a
// pixel lie together: a place then reads whole rows of channels. Sums run over a place's elements and
// over channels in a fixed order, and the way is chosen by the shape alone.
#include <cmath>
#include <limits>
#include <memory>

#include "cpu/walked.h"
#include "ops/resample.h"

namespace kagari {
namespace {

constexpr int kBlock = 64;             // places whose weights are computed together
constexpr int kElements = 16;          // of the input that a place reads at most
constexpr int64_t kPixelChannels = 8;  // channels that are worth turning an image
constexpr int64_t kTogether = 64;      // channels of a block that are worked on at a time
constexpr int kLanes = 8;              // partial sums over channels

Ints last(Ints sizes, int64_t dims) { return {sizes.p + sizes.n - dims, dims}; }

struct GridShape {
  int64_t dims = 2, size[3] = {1, 1, 1};  // size[j]: of the axis that component j of the grid names
  int64_t batch = 1, channels = 1, in = 1, places = 1;
  GridMode mode;
  GridPadding padding;
  bool align;
  GridShape(Ints image, int64_t batch_, int64_t channels_, const Tensor& grid, int64_t mode_,
            int64_t padding_, bool align_)
      : dims(image.n),
        batch(batch_),
        channels(channels_),
        mode(GridMode(mode_)),
        padding(GridPadding(padding_)),
        align(align_) {
    for (int64_t j = 0; j < dims; ++j) {
      size[j] = image[dims - 1 - j];
      in *= size[j];
      places *= grid.sizes()[1 + j];
    }
    KG_CHECK(in <= std::numeric_limits<int32_t>::max(), "expected planes below 2^31 elements, got ",
             in);
  }
  int taps() const { return mode == GridMode::nearest ? 1 : mode == GridMode::bilinear ? 2 : 4; }
  int64_t elements() const {
    int64_t n = 1;
    for (int64_t j = 0; j < dims; ++j) n *= taps();
    return n;
  }
  int64_t blocks() const { return (places + kBlock - 1) / kBlock; }
  // Whether turning an image pays: it is read once, and a place in rows.
  bool turns() const { return channels >= kPixelChannels && places * elements() >= in; }
};

// ---- weights of a grid's places -----------------------------------------------------------------

// Turns what lies outside [low, high] back at both ends; slopes change their sign with every turn.
template <class T>
void reflect(T* x, T* slope, int n, int64_t twice_low, int64_t twice_high) {
  if (twice_low == twice_high) {
    for (int p = 0; p < n; ++p) x[p] = slope[p] = 0;
    return;
  }
  const T low = T(twice_low) / 2, span = T(twice_high - twice_low) / 2;
  for (int p = 0; p < n; ++p) {
    const T from = x[p] - low, far = std::abs(from), turns = std::floor(far / span);
    const T extra = far - turns * span;
    const bool odd = turns - 2 * std::floor(turns / 2) != 0;
    x[p] = (odd ? span - extra : extra) + low;
    slope[p] = (from < 0) != odd ? -slope[p] : slope[p];
  }
}
template <class T>
void pad(const GridShape& s, int64_t size, T* x, T* slope, int n) {
  if (s.padding == GridPadding::zeros) return;
  if (s.padding == GridPadding::reflection)
    reflect(x, slope, n, s.align ? 0 : -1, s.align ? 2 * (size - 1) : 2 * size - 1);
  const T end = T(size - 1);
  for (int p = 0; p < n; ++p) {
    const T v = x[p] > 0 ? x[p] : T(0);  // not a number is 0, too
    slope[p] = x[p] > 0 && v < end ? slope[p] : T(0);
    x[p] = v < end ? v : end;
  }
}
// The index of a whole number, or -1 where it is none of the axis.
template <class T>
int32_t index_of(T x, T size) {
  x = x >= 0 ? x : T(-1);
  x = x < size ? x : T(-1);
  return int32_t(x);
}

// The elements that a block of places reads along one axis, with the derivatives of their weights of
// the orders `order` and `order + 1`.
template <class T>
struct Taps {
  int n = 1;
  int32_t at[4][kBlock];  // -1: outside
  T weight[2][4][kBlock];

  void fill(const GridShape& s, int64_t size, const T* grid, int places, int order) {
    T x[kBlock], slope[kBlock];
    const T length = T(size), end = T(size - 1);
    for (int p = 0; p < places; ++p) {
      const T g = grid[p * s.dims];
      x[p] = s.align ? (g + 1) / 2 * end : ((g + 1) * length - 1) / 2;
      slope[p] = s.align ? end / 2 : length / 2;
    }
    n = s.taps();
    if (s.mode == GridMode::bicubic) return cubic(s, size, x, slope, places, order);
    pad(s, size, x, slope, places);
    if (n == 1) {
      for (int p = 0; p < places; ++p) at[0][p] = index_of(std::nearbyint(x[p]), length);
      for (int k = 0; k < 2; ++k) std::fill_n(weight[k][0], places, T(order + k == 0));
      return;
    }
    for (int p = 0; p < places; ++p) {
      const T low = std::floor(x[p]);
      at[0][p] = index_of(low, length);
      at[1][p] = index_of(low + 1, length);
      x[p] -= low;
    }
    for (int k = 0; k < 2; ++k)
      for (int p = 0; p < places; ++p) {
        const int m = order + k;
        weight[k][0][p] = m == 0 ? 1 - x[p] : m == 1 ? -slope[p] : T(0);
        weight[k][1][p] = m == 0 ? x[p] : m == 1 ? slope[p] : T(0);
      }
  }

 private:
  // to[p] = scale[p] times the n-th derivative of the cubic c[0] + c[1] x + ... at a + b x[p].
  static void derivative(const T (&c)[4], int n, T a, T b, const T* x, const T* scale, T* to,
                         int places) {
    T d[4] = {};
    for (int i = n; i < 4; ++i) {
      d[i - n] = c[i];
      for (int k = 0; k < n; ++k) d[i - n] *= T(i - k);
    }
    for (int p = 0; p < places; ++p) {
      const T t = a + b * x[p];
      to[p] = scale[p] * (((d[3] * t + d[2]) * t + d[1]) * t + d[0]);
    }
  }
  void cubic(const GridShape& s, int64_t size, T* x, const T* slope, int places, int order) {
    constexpr T a = T(-0.75);
    constexpr T far[4] = {-4 * a, 8 * a, -5 * a, a}, near[4] = {1, 0, -(a + 3), a + 2};
    T low[kBlock], place[kBlock], scale[kBlock], turned[kBlock];
    for (int p = 0; p < places; ++p) {
      low[p] = std::floor(x[p]);
      x[p] -= low[p];
    }
    for (int i = 0; i < 4; ++i) {
      for (int p = 0; p < places; ++p) place[p] = low[p] + T(i - 1);
      pad(s, size, place, turned, places);
      // A turn at -1/2 or at a pixel leaves whole numbers whole.
      for (int p = 0; p < places; ++p) at[i][p] = index_of(std::nearbyint(place[p]), T(size));
    }
    for (int k = 0; k < 2; ++k) {
      const int m = order + k;
      for (int p = 0; p < places; ++p) {
        scale[p] = 1;
        for (int i = 0; i < m; ++i) scale[p] *= slope[p];
        turned[p] = m % 2 ? -scale[p] : scale[p];
      }
      derivative(far, m, 1, 1, x, scale, weight[k][0], places);
      derivative(near, m, 0, 1, x, scale, weight[k][1], places);
      derivative(near, m, 1, -1, x, turned, weight[k][2], places);
      derivative(far, m, 2, -1, x, turned, weight[k][3], places);
    }
  }
};

// The elements of a block of places: offsets within a plane (those outside: -1, and `read` 0) and
// weights; slopes[j] has one more derivative by component j.
template <class T>
struct Block {
  int n = 0, elements = 0;
  int32_t at[kElements][kBlock], read[kElements][kBlock];
  T weight[kElements][kBlock], slopes[3][kElements][kBlock];

  void fill(const GridShape& s, const T* grid, int places, Ints order, bool with_slopes) {
    n = places;
    for (int64_t j = 0; j < s.dims; ++j)
      taps_[j].fill(s, s.size[j], grid + j, places, int(order[j]));
    const bool deep = s.dims == 3;
    const int32_t width = int32_t(s.size[0]), height = int32_t(s.size[1]);
    int e = 0;
    for (int z = 0; z < (deep ? taps_[2].n : 1); ++z)
      for (int y = 0; y < taps_[1].n; ++y)
        for (int x = 0; x < taps_[0].n; ++x, ++e) {
          for (int p = 0; p < n; ++p) {
            const int32_t ay = taps_[1].at[y][p], ax = taps_[0].at[x][p];
            at[e][p] = ay < 0 || ax < 0 ? -1 : ay * width + ax;
          }
          for (int p = 0; deep && p < n; ++p) {
            const int32_t az = taps_[2].at[z][p];
            at[e][p] = az < 0 || at[e][p] < 0 ? -1 : az * (width * height) + at[e][p];
          }
          for (int p = 0; p < n; ++p) read[e][p] = at[e][p] < 0 ? 0 : at[e][p];
          const T *wx = taps_[0].weight[0][x], *wy = taps_[1].weight[0][y];
          const T *sx = taps_[0].weight[1][x], *sy = taps_[1].weight[1][y];
          if (deep) {
            const T *wz = taps_[2].weight[0][z], *sz = taps_[2].weight[1][z];
            for (int p = 0; p < n; ++p) weight[e][p] = at[e][p] < 0 ? T(0) : wz[p] * wy[p] * wx[p];
            if (!with_slopes) continue;
            for (int p = 0; p < n; ++p) {
              slopes[0][e][p] = wz[p] * wy[p] * sx[p];
              slopes[1][e][p] = wz[p] * sy[p] * wx[p];
              slopes[2][e][p] = sz[p] * wy[p] * wx[p];
            }
          } else {
            for (int p = 0; p < n; ++p) weight[e][p] = at[e][p] < 0 ? T(0) : wy[p] * wx[p];
            if (!with_slopes) continue;
            for (int p = 0; p < n; ++p) {
              slopes[0][e][p] = wy[p] * sx[p];
              slopes[1][e][p] = sy[p] * wx[p];
            }
          }
        }
    elements = e;
  }

 private:
  Taps<T> taps_[3];
};

// An image in planes or, where it is turned, in pixels that hold their channels together: itself or
// a copy.
template <class T>
class Image {
 public:
  Image(const Tensor& t, const GridShape& s)
      : walked_(t, s.turns()),
        whole_(&walked_.image),
        size_(s.in * s.channels),
        channel_(s.turns() ? 1 : s.in) {}
  const T* at(int64_t image, int64_t channel) const {
    return whole_.get() + image * size_ + channel * channel_;
  }

 private:
  Walked walked_;
  Whole<T> whole_;
  int64_t size_, channel_;
};

template <class T>
void transpose(T* to, int64_t to_step, const T* from, int64_t from_step, int64_t ni, int64_t nj) {
  transpose_patch(reinterpret_cast<char*>(to), to_step * int64_t(sizeof(T)),
                  reinterpret_cast<const char*>(from), from_step * int64_t(sizeof(T)), ni, nj,
                  sizeof(T), false);
}

// ---- reading ------------------------------------------------------------------------------------

// What element e of every place reads; nothing outside.
template <class T>
void fetch(const Block<T>& b, int e, const T* plane, T* to) {
  for (int p = 0; p < b.n; ++p) to[p] = plane[b.read[e][p]];
  for (int p = 0; p < b.n; ++p) to[p] = b.at[e][p] >= 0 ? to[p] : T(0);
}
template <class T>
void read_plane(const Block<T>& b, const T* plane, T* to) {
  T sums[kBlock] = {}, some[kBlock];
  for (int e = 0; e < b.elements; ++e) {
    fetch(b, e, plane, some);
    for (int p = 0; p < b.n; ++p) sums[p] += b.weight[e][p] * some[p];
  }
  std::copy_n(sums, b.n, to);
}

// `count` channels of every place, one place after the other.
template <class T>
void read_pixels(const Block<T>& b, const T* image, int64_t step, int64_t count, T* to) {
  for (int p = 0; p < b.n; ++p, to += count) {
    int e = 0;
    for (; e < b.elements && b.at[e][p] < 0; ++e) {
    }
    if (e == b.elements) {
      std::fill_n(to, count, T(0));
      continue;
    }
    // The first starts from zero as the others go on, so that minus zero comes out as zero.
    const T *row = image + int64_t(b.at[e][p]) * step, w = b.weight[e][p];
    for (int64_t c = 0; c < count; ++c) to[c] = T(0) + w * row[c];
    for (++e; e < b.elements; ++e) {
      if (b.at[e][p] < 0) continue;
      const T *next = image + int64_t(b.at[e][p]) * step, v = b.weight[e][p];
      for (int64_t c = 0; c < count; ++c) to[c] += v * next[c];
    }
  }
}

void grid_sample_cpu(Results& out, const Tensor& x, const Tensor& grid, int64_t mode,
                     int64_t padding, bool align, Ints order) {
  if (out[0].numel() == 0) return;
  GridShape s(last(x.sizes(), order.n), x.sizes()[0], x.sizes()[1], grid, mode, padding, align);
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> places(grid), to(out[0], false);
    const Image<T> from(x, s);
    const bool turns = s.turns();
    parallel_for(0, s.batch * s.blocks(), 1 + 256 / s.channels, [&](int64_t begin, int64_t end) {
      auto block = std::make_unique<Block<T>>();
      alignas(64) T some[kBlock * kTogether];
      for (int64_t b = begin; b < end; ++b) {
        const int64_t image = b / s.blocks(), start = b % s.blocks() * kBlock;
        const int n = int(std::min<int64_t>(kBlock, s.places - start));
        block->fill(s, places.get() + (image * s.places + start) * s.dims, n, order, false);
        T* target = to.get() + image * s.channels * s.places + start;
        for (int64_t c = 0; !turns && c < s.channels; ++c)
          read_plane(*block, from.at(image, c), target + c * s.places);
        for (int64_t c = 0; turns && c < s.channels; c += kTogether) {
          const int64_t count = std::min(kTogether, s.channels - c);
          read_pixels(*block, from.at(image, c), s.channels, count, some);
          transpose(target + c * s.places, s.places, some, count, n, count);
        }
      }
    });
    to.store();
  });
}

// ---- adding -------------------------------------------------------------------------------------

template <class T>
void add_to_plane(const Block<T>& b, T* plane, const T* source) {
  for (int p = 0; p < b.n; ++p)
    for (int e = 0; e < b.elements; ++e)
      if (b.at[e][p] >= 0) plane[b.at[e][p]] += b.weight[e][p] * source[p];
}
template <class T>
void add_to_pixels(const Block<T>& b, T* image, int64_t count, const T* source) {
  for (int p = 0; p < b.n; ++p, source += count)
    for (int e = 0; e < b.elements; ++e) {
      if (b.at[e][p] < 0) continue;
      T *row = image + int64_t(b.at[e][p]) * count, w = b.weight[e][p];
      for (int64_t c = 0; c < count; ++c) row[c] += w * source[c];
    }
}

void grid_splat_cpu(Results& out, const Tensor& g, const Tensor& grid, Ints size, int64_t mode,
                    int64_t padding, bool align, Ints order) {
  if (out[0].numel() == 0) return;
  GridShape s(size, g.sizes()[0], g.sizes()[1], grid, mode, padding, align);
  visit_row_type(g.dtype(), [&]<class T>() {
    Whole<T> from(g), places(grid), to(out[0], false);
    // Several channels share the weights; a plane is added to by one job, in the order of places.
    int64_t together = std::clamp<int64_t>(s.batch * s.channels / 16, 1, 16);
    if (s.turns()) together = std::max(together, kPixelChannels);
    const bool turns = s.turns();
    const int64_t groups = (s.channels + together - 1) / together;
    parallel_for(0, s.batch * groups, 1, [&](int64_t begin, int64_t end) {
      auto block = std::make_unique<Block<T>>();
      alignas(64) T some[kBlock * kTogether];
      Workspace room(turns ? size_t(s.in * together) * sizeof(T) : 0);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t image = i / groups, first = i % groups * together;
        const int64_t count = std::min(together, s.channels - first);
        T* planes = to.get() + (image * s.channels + first) * s.in;
        std::fill_n(turns ? room.as<T>() : planes, s.in * count, T(0));
        for (int64_t start = 0; start < s.places; start += kBlock) {
          const int n = int(std::min<int64_t>(kBlock, s.places - start));
          block->fill(s, places.get() + (image * s.places + start) * s.dims, n, order, false);
          const T* source = from.get() + (image * s.channels + first) * s.places + start;
          if (turns) {
            transpose(some, count, source, s.places, count, n);
            add_to_pixels(*block, room.as<T>(), count, some);
            continue;
          }
          for (int64_t c = 0; c < count; ++c)
            add_to_plane(*block, planes + c * s.in, source + c * s.places);
        }
        if (turns) transpose(planes, s.in, room.as<T>(), count, s.in, count);
      }
    });
    to.store();
  });
}

// ---- the gradient by the grid -------------------------------------------------------------------

// dots[e][p] += the sum over channels of the gradient at a place times the element that it read.
template <class T>
void dot_planes(const Block<T>& b, const T* plane, const T* gradient, T (*dots)[kBlock]) {
  T some[kBlock];
  for (int e = 0; e < b.elements; ++e) {
    fetch(b, e, plane, some);
    for (int p = 0; p < b.n; ++p) dots[e][p] += gradient[p] * some[p];
  }
}
template <class T>
void dot_pixels(const Block<T>& b, const T* image, int64_t step, int64_t count, const T* gradient,
                T (*dots)[kBlock]) {
  for (int p = 0; p < b.n; ++p, gradient += count)
    for (int e = 0; e < b.elements; ++e) {
      if (b.at[e][p] < 0) continue;
      const T* row = image + int64_t(b.at[e][p]) * step;
      T sums[kLanes] = {};
      int64_t c = 0;
      for (; c + kLanes <= count; c += kLanes)
        for (int k = 0; k < kLanes; ++k) sums[k] += gradient[c + k] * row[c + k];
      for (int k = 0; c + k < count; ++k) sums[k] += gradient[c + k] * row[c + k];
      dots[e][p] +=
          ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
    }
}

void grid_slope_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& grid,
                    int64_t mode, int64_t padding, bool align, Ints order) {
  if (out[0].numel() == 0) return;
  GridShape s(last(x.sizes(), order.n), x.sizes()[0], x.sizes()[1], grid, mode, padding, align);
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> grads(g), places(grid), to(out[0], false);
    const Image<T> from(x, s);
    const bool turns = s.turns();
    parallel_for(0, s.batch * s.blocks(), 1, [&](int64_t begin, int64_t end) {
      auto block = std::make_unique<Block<T>>();
      alignas(64) T some[kBlock * kTogether], dots[kElements][kBlock];
      for (int64_t b = begin; b < end; ++b) {
        const int64_t image = b / s.blocks(), start = b % s.blocks() * kBlock;
        const int n = int(std::min<int64_t>(kBlock, s.places - start));
        block->fill(s, places.get() + (image * s.places + start) * s.dims, n, order, true);
        std::fill_n(dots[0], kElements * kBlock, T(0));
        const T* gradient = grads.get() + image * s.channels * s.places + start;
        for (int64_t c = 0; !turns && c < s.channels; ++c)
          dot_planes(*block, from.at(image, c), gradient + c * s.places, dots);
        for (int64_t c = 0; turns && c < s.channels; c += kTogether) {
          const int64_t count = std::min(kTogether, s.channels - c);
          transpose(some, count, gradient + c * s.places, s.places, count, n);
          dot_pixels(*block, from.at(image, c), s.channels, count, some, dots);
        }
        T* target = to.get() + (image * s.places + start) * s.dims;
        for (int p = 0; p < n; ++p)
          for (int64_t j = 0; j < s.dims; ++j) {
            T sum = 0;
            for (int e = 0; e < block->elements; ++e)
              if (block->at[e][p] >= 0) sum += block->slopes[j][e][p] * dots[e][p];
            target[p * s.dims + j] = sum;
          }
      }
    });
    to.store();
  });
}

}  // namespace

KG_KERNEL(grid_sample, cpu, grid_sample_cpu)
KG_KERNEL(grid_splat, cpu, grid_splat_cpu)
KG_KERNEL(grid_slope, cpu, grid_slope_cpu)

}  // namespace kagari
