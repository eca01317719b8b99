// Resampling on the CPU. A change of size is a sparse matrix per axis: rows of an image are added
// up first, then elements of a row. Grids are worked on in blocks of places whose weights are
// computed once for all channels.
#include "ops/resample.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "core/parallel.h"
#include "cpu/rows.h"
#include "ops/conv.h"
#include "ops/views.h"

namespace kagari {
namespace {

constexpr int kImageDims = 5;  // batch, channels and three axes at most

Ints last(Ints sizes, int64_t dims) { return {sizes.p + sizes.n - dims, dims}; }

// ---- one axis as a sparse matrix ----------------------------------------------------------------

// Row o holds the elements first[o] .. first[o + 1]: their places in the input and their weights.
template <class T>
struct Axis {
  int64_t in = 1, out = 1;
  std::vector<int32_t> first{0, 1}, at{0};
  std::vector<T> weight{T(1)};
  bool same = true;   // the identity
  int64_t every = 1;  // elements of each row where all have as many, else 0

  static Axis empty(int64_t in, int64_t out) {
    Axis a;
    a.in = in;
    a.out = out;
    a.first.pop_back();
    a.at.clear();
    a.weight.clear();
    return a;
  }
  void add(int64_t place, T w) {
    at.push_back(int32_t(place));
    weight.push_back(w);
  }
  void end_row() { first.push_back(int32_t(at.size())); }
  void finish() {
    same = in == out && int64_t(at.size()) == out;
    every = at.size() % size_t(out) ? 0 : int64_t(at.size()) / out;
    for (int64_t o = 0; o < out; ++o) {
      same = same && first[size_t(o) + 1] == o + 1 && at[size_t(o)] == o && weight[size_t(o)] == 1;
      if (first[size_t(o) + 1] - first[size_t(o)] != every) every = 0;
    }
  }
  Axis transposed() const {
    Axis t = empty(out, in);
    std::vector<int32_t> count(size_t(in) + 1, 0);
    for (int32_t p : at) ++count[size_t(p) + 1];
    for (size_t i = 0; i < size_t(in); ++i) count[i + 1] += count[i];
    t.first = count;
    t.at.resize(at.size());
    t.weight.resize(at.size());
    for (int64_t o = 0; o < out; ++o)
      for (int32_t k = first[size_t(o)]; k < first[size_t(o) + 1]; ++k) {
        size_t to = size_t(count[size_t(at[size_t(k)])]++);
        t.at[to] = int32_t(o);
        t.weight[to] = weight[size_t(k)];
      }
    t.finish();
    return t;
  }
};

// Keys' cubic: its weights at the distances t + 1, t, 1 - t and 2 - t.
template <class T>
T cubic_far(T x, T a) {
  return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}
template <class T>
T cubic_near(T x, T a) {
  return ((a + 2) * x - (a + 3)) * x * x + 1;
}

template <class T>
T sinc(T x) {
  constexpr T pi = T(3.14159265358979323846);
  return x == 0 ? T(1) : std::sin(pi * x) / (pi * x);
}

// A kernel of `half` pixels to both sides, widened where the image shrinks.
template <class T>
void antialiased(Axis<T>& a, std::string_view mode, T scale) {
  T half = mode == "linear" ? T(1) : mode == "cubic" ? T(2) : T(3);
  T support = scale >= 1 ? half * scale : half, inverse = scale >= 1 ? 1 / scale : T(1);
  auto filter = [&](T x) {
    x = std::abs(x);
    if (x >= half) return T(0);
    if (mode == "linear") return 1 - x;
    if (mode == "lanczos") return sinc(x) * sinc(x / 3);
    return x < 1 ? cubic_near(x, T(-0.5)) : cubic_far(x, T(-0.5));
  };
  std::vector<T> w;
  for (int64_t o = 0; o < a.out; ++o) {
    T centre = scale * (T(o) + T(0.5));
    int64_t from = std::max<int64_t>(int64_t(centre - support + T(0.5)), 0);
    int64_t to = std::min<int64_t>(int64_t(centre + support + T(0.5)), a.in);
    T total = 0;
    w.clear();
    for (int64_t i = from; i < to; ++i) {
      w.push_back(filter((T(i) - centre + T(0.5)) * inverse));
      total += w.back();
    }
    for (int64_t i = from; i < to; ++i)
      a.add(i, total != 0 ? w[size_t(i - from)] / total : w[size_t(i - from)]);
    a.end_row();
  }
}

// Places are computed in the precision of the elements: in another, nearest pixels would differ.
template <class T>
Axis<T> axis(int64_t in, int64_t out, std::string_view mode, bool align_corners, double given,
             bool antialias, bool whole_steps) {
  Axis<T> a = Axis<T>::empty(in, out);
  whole_steps = whole_steps && mode == "nearest" && (out == in || out == 2 * in);
  T scale;
  if (align_corners)
    scale = out > 1 ? T(in - 1) / T(out - 1) : T(0);
  else
    scale = given > 0 ? T(1.0 / given) : T(in) / T(out);
  auto centred = [&](int64_t o) {
    return align_corners ? scale * T(o) : scale * (T(o) + T(0.5)) - T(0.5);
  };
  auto inside = [&](int64_t i) { return std::clamp<int64_t>(i, 0, in - 1); };
  if (antialias) {
    antialiased(a, mode, scale);
    a.finish();
    return a;
  }
  for (int64_t o = 0; o < out; ++o) {
    if (whole_steps) {
      a.add(out == in ? o : o / 2, 1);
    } else if (mode == "nearest") {
      a.add(inside(int64_t(std::floor(scale * T(o)))), 1);
    } else if (mode == "nearest-exact") {
      T x = std::max(scale * (T(o) + T(0.5)) - T(0.5), T(0));
      a.add(inside(int64_t(std::floor(x + T(0.5)))), 1);
    } else if (mode == "linear") {
      if (in == out) {
        a.add(o, 1);
      } else {
        T x = std::max(centred(o), T(0));
        int64_t i = std::min(int64_t(x), in - 1);
        T t = std::clamp(x - T(i), T(0), T(1));
        a.add(i, 1 - t);
        a.add(std::min(i + 1, in - 1), t);
      }
    } else {
      T x = centred(o);
      int64_t i = std::min(int64_t(std::floor(x)), in - 1);
      T t = std::clamp(x - T(i), T(0), T(1)), c = T(-0.75);
      a.add(inside(i - 1), cubic_far(t + 1, c));
      a.add(inside(i), cubic_near(t, c));
      a.add(inside(i + 1), cubic_near(1 - t, c));
      a.add(inside(i + 2), cubic_far(2 - t, c));
    }
    a.end_row();
  }
  a.finish();
  return a;
}

// ---- images through three axes ------------------------------------------------------------------

// to[x] = sum of w line[at], pixels being `c` numbers side by side.
template <class T>
void resize_line(const Axis<T>& a, const T* line, T* to, int64_t c) {
  const int32_t* first = a.first.data();
  const int32_t* at = a.at.data();
  const T* w = a.weight.data();
  if (c == 1 && a.every == 1) {
    for (int64_t x = 0; x < a.out; ++x) to[x] = w[x] * line[at[x]];
  } else if (c == 1 && a.every == 2) {
    for (int64_t x = 0; x < a.out; ++x)
      to[x] = w[2 * x] * line[at[2 * x]] + w[2 * x + 1] * line[at[2 * x + 1]];
  } else if (c == 1) {
    for (int64_t x = 0; x < a.out; ++x) {
      T sum = 0;
      for (int32_t k = first[x]; k < first[x + 1]; ++k) sum += w[k] * line[at[k]];
      to[x] = sum;
    }
  } else {
    for (int64_t x = 0; x < a.out; ++x, to += c) {
      int32_t begin = first[x], end = first[x + 1];
      if (begin == end) {
        std::fill_n(to, c, T(0));
        continue;
      }
      const T* p = line + at[begin] * c;
      for (int64_t j = 0; j < c; ++j) to[j] = w[begin] * p[j];
      for (int32_t k = begin + 1; k < end; ++k) {
        p = line + at[k] * c;
        for (int64_t j = 0; j < c; ++j) to[j] += w[k] * p[j];
      }
    }
  }
}

template <class T>
void resize_planes(const Axis<T> (&axes)[3], const T* from, T* to, int64_t planes, int64_t c) {
  const Axis<T>&depth = axes[0], &height = axes[1], &width = axes[2];
  int64_t in_line = width.in * c, out_line = width.out * c;
  int64_t in_plane = depth.in * height.in * in_line, lines = depth.out * height.out;
  int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(in_line + out_line, 1));
  parallel_for(0, planes * lines, grain, [&](int64_t begin, int64_t end) {
    std::vector<T> sum(size_t(std::max<int64_t>(in_line, 1)));
    for (int64_t r = begin; r < end; ++r) {
      const T* plane = from + r / lines * in_plane;
      size_t d = size_t(r % lines / height.out), h = size_t(r % lines % height.out);
      const T* line = sum.data();
      int terms = 0;
      for (int32_t i = depth.first[d]; i < depth.first[d + 1]; ++i)
        for (int32_t j = height.first[h]; j < height.first[h + 1]; ++j) {
          const T* p = plane + (depth.at[size_t(i)] * height.in + height.at[size_t(j)]) * in_line;
          T w = depth.weight[size_t(i)] * height.weight[size_t(j)];
          bool alone = depth.first[d + 1] - depth.first[d] == 1 &&
                       height.first[h + 1] - height.first[h] == 1 && w == 1;
          T* s = sum.data();
          if (alone)
            line = p;
          else if (terms == 0)
            for (int64_t x = 0; x < in_line; ++x) s[x] = w * p[x];
          else
            for (int64_t x = 0; x < in_line; ++x) s[x] += w * p[x];
          ++terms;
        }
      T* target = to + r * out_line;
      if (terms == 0)
        std::fill_n(target, out_line, T(0));
      else if (width.same)
        std::memcpy(target, line, size_t(out_line) * sizeof(T));
      else
        resize_line(width, line, target, c);
    }
  });
}

// The tensor as (N, ..., C) where its pixels lie so.
bool lies_in_pixels(const Tensor& t) {
  return t.dim() >= 4 && !t.is_contiguous() &&
         is_contiguous_as(
             t.get(), t.dim() == 4 ? MemoryFormat::channels_last : MemoryFormat::channels_last_3d);
}
// An image as the kernel walks it, with its channels behind where it works on pixels. It counts no
// reference: kernels run without the GIL.
struct Walked {
  int64_t geometry[2 * kImageDims];
  TensorImpl image{};
  Walked(const Tensor& t, bool pixels) {
    const TensorImpl* of = t.get();
    int n = of->ndim;
    int64_t step = 1;
    bool contiguous = true;
    for (int i = n - 1; i >= 0; --i) {
      int from = !pixels || i == 0 ? i : i == n - 1 ? 1 : i + 1;
      int64_t size = geometry[i] = of->sizes[from], stride = geometry[n + i] = of->strides()[from];
      contiguous = contiguous && (size == 1 || stride == step);
      step *= size;
    }
    image.data = of->data;
    image.dtype = of->dtype;
    image.ndim = of->ndim;
    image.sizes = geometry;
    image.numel = of->numel;
    image.flags = contiguous ? uint32_t(kContiguous) : 0;
  }
};

// ---- bytes in whole numbers ---------------------------------------------------------------------

// The weights of an axis times 2^bits, for as many bits as keep the largest below 2^15.
struct WholeAxis {
  Axis<double> axis;
  std::vector<int32_t> weight;
  int bits = 0;
  explicit WholeAxis(const Axis<double>& a) : axis(Axis<double>::empty(a.in, a.out)) {
    for (size_t o = 0; o < size_t(a.out); ++o) {
      size_t begin = axis.at.size();
      for (size_t k = size_t(a.first[o]); k < size_t(a.first[o + 1]); ++k)
        if (axis.at.size() > begin && axis.at.back() == a.at[k])
          axis.weight.back() += a.weight[k];  // beyond the edge: the edge's pixel once more
        else
          axis.add(a.at[k], a.weight[k]);
      axis.end_row();
    }
    double largest = 0;
    for (double w : axis.weight) largest = std::max(largest, w);
    while (bits < 22 && int64_t(0.5 + largest * double(2 << bits)) < 1 << 15) ++bits;
    for (double w : axis.weight) weight.push_back(int32_t(std::round(w * double(1 << bits))));
  }
  int32_t half() const { return bits ? 1 << (bits - 1) : 0; }
  uint8_t byte(int32_t sum) const { return uint8_t(std::clamp(sum >> bits, 0, 255)); }
};

// to[line][x] from lines of pixels, each `c` bytes.
void resize_byte_lines(const WholeAxis& a, const uint8_t* from, uint8_t* to, int64_t lines,
                       int64_t c) {
  int64_t in_line = a.axis.in * c, out_line = a.axis.out * c;
  parallel_for(0, lines, std::max<int64_t>(1, 16384 / (in_line + out_line)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t r = begin; r < end; ++r)
                   for (int64_t i = 0; i < out_line; ++i) {
                     size_t x = size_t(i / c);
                     const uint8_t* line = from + r * in_line + i % c;
                     int32_t sum = a.half();
                     for (int32_t k = a.axis.first[x]; k < a.axis.first[x + 1]; ++k)
                       sum += a.weight[size_t(k)] * line[a.axis.at[size_t(k)] * c];
                     to[r * out_line + i] = a.byte(sum);
                   }
               });
}

// to[plane][y] from the lines of planes.
void resize_byte_columns(const WholeAxis& a, const uint8_t* from, uint8_t* to, int64_t planes,
                         int64_t line) {
  parallel_for(0, planes * a.axis.out, std::max<int64_t>(1, 16384 / line),
               [&](int64_t begin, int64_t end) {
                 std::vector<int32_t> sum(static_cast<size_t>(line));
                 for (int64_t r = begin; r < end; ++r) {
                   size_t y = size_t(r % a.axis.out);
                   const uint8_t* plane = from + r / a.axis.out * a.axis.in * line;
                   std::fill(sum.begin(), sum.end(), a.half());
                   for (int32_t k = a.axis.first[y]; k < a.axis.first[y + 1]; ++k) {
                     const uint8_t* p = plane + a.axis.at[size_t(k)] * line;
                     int32_t w = a.weight[size_t(k)];
                     for (int64_t x = 0; x < line; ++x) sum[size_t(x)] += w * p[x];
                   }
                   for (int64_t x = 0; x < line; ++x) to[r * line + x] = a.byte(sum[size_t(x)]);
                 }
               });
}

// Images of bytes, as image libraries resize them: lines first, each pass rounded to bytes.
void resize_byte_images(const Tensor& out, const Tensor& x, const Axis<double> (&axes)[3]) {
  bool pixels = lies_in_pixels(out) || (!out.is_contiguous() && lies_in_pixels(x));
  Walked read(x, pixels), written(out, pixels);
  Whole<uint8_t> from(&read.image), to(&written.image, false);
  int64_t planes = x.sizes()[0] * (pixels ? 1 : x.sizes()[1]), c = pixels ? x.sizes()[1] : 1;
  WholeAxis height(axes[1]), width(axes[2]);
  Workspace lines(size_t(planes * height.axis.in * width.axis.out * c));
  resize_byte_lines(width, from.get(), lines.as<uint8_t>(), planes * height.axis.in, c);
  resize_byte_columns(height, lines.as<uint8_t>(), to.get(), planes, width.axis.out * c);
  to.store();
}

template <class T>
void resize_into(const Tensor& out, const Tensor& x, const Axis<T> (&axes)[3]) {
  // Inputs that do not lie as the result are read into its order.
  bool pixels = lies_in_pixels(out) || (!out.is_contiguous() && lies_in_pixels(x));
  int64_t channels = x.sizes()[1], n = x.sizes()[0];
  Walked read(x, pixels), written(out, pixels);
  Whole<T> from(&read.image), to(&written.image, false);
  resize_planes(axes, from.get(), to.get(), pixels ? n : n * channels, pixels ? channels : 1);
  if (out.dtype() == Dtype::u8)  // a store would cut off what is behind the point
    for (int64_t i = 0; i < out.numel(); ++i)
      to.get()[i] = std::floor(std::clamp(to.get()[i], T(0), T(255)) + T(0.5));
  to.store();
}

// Where PyTorch's vectorised loops would run, equal and double sizes step by whole pixels whatever
// scale is given.
bool steps_whole(const Tensor& image, Ints size) {
  bool pixels = lies_in_pixels(image) && image.sizes()[1] > 3;
  return size.n == 2 ? pixels || size[0] + size[1] <= 128 : size.n == 3 && pixels;
}

template <class T>
void fill_axes(Axis<T> (&axes)[3], const Tensor& image, Ints in, Ints out, std::string_view mode,
               bool align_corners, Reals scales, bool antialias) {
  int64_t lead = 3 - in.n;
  bool whole = steps_whole(image, out);
  for (int64_t i = 0; i < in.n; ++i)
    axes[lead + i] =
        axis<T>(in[i], out[i], mode, align_corners, i < scales.n ? scales[i] : 0, antialias, whole);
}
void resize_cpu(Results& out, const Tensor& x, Ints size, std::string_view mode, bool align_corners,
                Reals scales, bool antialias) {
  if (out[0].numel() == 0) return;
  bool smooth = mode != "nearest" && mode != "nearest-exact";
  if (x.dtype() == Dtype::u8 && size.n == 2 && smooth) {
    Axis<double> axes[3];
    fill_axes(axes, x, last(x.sizes(), 2), size, mode, align_corners, scales, antialias);
    resize_byte_images(out[0], x, axes);
    return;
  }
  visit_row_type(x.dtype(), [&]<class T>() {
    Axis<T> axes[3];
    fill_axes(axes, x, last(x.sizes(), size.n), size, mode, align_corners, scales, antialias);
    resize_into(out[0], x, axes);
  });
}
void resize_backward_cpu(Results& out, const Tensor& g, Ints size, std::string_view mode,
                         bool align_corners, Reals scales, bool antialias) {
  if (out[0].numel() == 0) return;
  visit_row_type(g.dtype(), [&]<class T>() {
    Axis<T> axes[3];
    fill_axes(axes, g, size, last(g.sizes(), size.n), mode, align_corners, scales, antialias);
    for (Axis<T>& a : axes) a = a.transposed();
    resize_into(out[0], g, axes);
  });
}

// ---- weights of a grid's places -----------------------------------------------------------------

constexpr int kBlock = 64;     // places whose weights are computed together
constexpr int kElements = 16;  // of the input that a place reads at most

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
  }
};

// x turned back at both ends, and the sign of its derivative.
template <class T>
T reflect(T x, int64_t twice_low, int64_t twice_high, T& slope) {
  if (twice_low == twice_high) {
    slope = 0;
    return 0;
  }
  T low = T(twice_low) / 2, span = T(twice_high - twice_low) / 2;
  x -= low;
  if (x < 0) {
    x = -x;
    slope = -slope;
  }
  T extra = std::fmod(x, span);
  bool odd = std::fmod(std::floor(x / span), T(2)) != 0;
  if (odd) slope = -slope;
  return odd ? span - extra + low : extra + low;
}
template <class T>
T padded(const GridShape& s, int64_t size, T x, T& slope) {
  if (s.padding == GridPadding::zeros) return x;
  if (s.padding == GridPadding::reflection)
    x = s.align ? reflect(x, 0, 2 * (size - 1), slope) : reflect(x, -1, 2 * size - 1, slope);
  if (!(x > 0)) {
    slope = 0;
    return 0;
  }
  if (x >= T(size - 1)) {
    slope = 0;
    return T(size - 1);
  }
  return x;
}
// The index of a whole number, or -1 where it is none of the axis.
template <class T>
int64_t index_of(T x, int64_t size) {
  return x >= 0 && x < T(size) ? int64_t(x) : -1;
}

// The n-th derivative of a cubic with coefficients c[0] + c[1] x + ... at x.
template <class T>
T derivative(const T (&c)[4], T x, int n) {
  T sum = 0;
  for (int i = 3; i >= n; --i) {
    T factor = c[i];
    for (int k = 0; k < n; ++k) factor *= T(i - k);
    sum = sum * x + factor;
  }
  return sum;
}

// The elements that a place reads along one axis, with the derivatives of their weights of the
// orders `order` and `order + 1`.
template <class T>
struct Taps {
  int n = 0;
  int64_t at[4];  // -1: outside
  T weight[2][4];

  void fill(const GridShape& s, int64_t size, T x, int order) {
    T slope = s.align ? T(size - 1) / 2 : T(size) / 2;
    x = s.align ? (x + 1) / 2 * T(size - 1) : ((x + 1) * T(size) - 1) / 2;
    if (s.mode == GridMode::bicubic) return cubic(s, size, x, slope, order);
    x = padded(s, size, x, slope);
    n = s.mode == GridMode::nearest ? 1 : 2;
    if (n == 1) {
      at[0] = index_of(std::nearbyint(x), size);
      for (int k = 0; k < 2; ++k) weight[k][0] = order + k == 0 ? T(1) : T(0);
      return;
    }
    T low = std::floor(x), t = x - low;
    at[0] = index_of(low, size);
    at[1] = index_of(low + 1, size);
    for (int k = 0; k < 2; ++k) {
      int m = order + k;
      weight[k][0] = m == 0 ? 1 - t : m == 1 ? -slope : T(0);
      weight[k][1] = m == 0 ? t : m == 1 ? slope : T(0);
    }
  }

 private:
  void cubic(const GridShape& s, int64_t size, T x, T slope, int order) {
    constexpr T a = T(-0.75);
    constexpr T far[4] = {-4 * a, 8 * a, -5 * a, a}, near[4] = {1, 0, -(a + 3), a + 2};
    T low = std::floor(x), t = x - low;
    n = 4;
    for (int i = 0; i < 4; ++i) {
      T unused = 1;
      T place = padded(s, size, low + T(i - 1), unused);
      // A turn at -1/2 or at a pixel leaves whole numbers whole.
      at[i] = index_of(std::nearbyint(place), size);
    }
    for (int k = 0; k < 2; ++k) {
      int m = order + k;
      T scale = 1;
      for (int i = 0; i < m; ++i) scale *= slope;
      T turned = m % 2 ? -scale : scale;
      weight[k][0] = scale * derivative(far, t + 1, m);
      weight[k][1] = scale * derivative(near, t, m);
      weight[k][2] = turned * derivative(near, 1 - t, m);
      weight[k][3] = turned * derivative(far, 2 - t, m);
    }
  }
};

// The elements of a block of places: offsets within a plane (-1: outside) and weights; slopes[j]
// has one more derivative by component j.
template <class T>
struct Block {
  int n = 0, elements = 0;
  int64_t at[kBlock][kElements];
  T weight[kBlock][kElements], slopes[3][kBlock][kElements];

  void fill(const GridShape& s, const T* grid, int places, Ints order, bool with_slopes) {
    n = places;
    Taps<T> taps[3];
    for (int p = 0; p < places; ++p) {
      for (int64_t j = 0; j < s.dims; ++j)
        taps[j].fill(s, s.size[j], grid[p * s.dims + j], int(order[j]));
      int e = 0;
      for (int z = 0; z < taps[2].n || (s.dims == 2 && z == 0); ++z)
        for (int y = 0; y < taps[1].n; ++y)
          for (int x = 0; x < taps[0].n; ++x, ++e) {
            bool deep = s.dims == 3;
            int64_t az = deep ? taps[2].at[z] : 0, ay = taps[1].at[y], ax = taps[0].at[x];
            at[p][e] = az < 0 || ay < 0 || ax < 0 ? -1 : (az * s.size[1] + ay) * s.size[0] + ax;
            T wz = deep ? taps[2].weight[0][z] : T(1);
            T wy = taps[1].weight[0][y], wx = taps[0].weight[0][x];
            weight[p][e] = wz * wy * wx;
            if (!with_slopes) continue;
            slopes[0][p][e] = wz * wy * taps[0].weight[1][x];
            slopes[1][p][e] = wz * taps[1].weight[1][y] * wx;
            if (deep) slopes[2][p][e] = taps[2].weight[1][z] * wy * wx;
          }
      elements = e;
    }
  }
};

// ---- reading and adding at a grid's places ------------------------------------------------------

void grid_sample_cpu(Results& out, const Tensor& x, const Tensor& grid, int64_t mode,
                     int64_t padding, bool align, Ints order) {
  if (out[0].numel() == 0) return;
  GridShape s(last(x.sizes(), order.n), x.sizes()[0], x.sizes()[1], grid, mode, padding, align);
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> from(x), places(grid), to(out[0], false);
    int64_t blocks = (s.places + kBlock - 1) / kBlock;
    parallel_for(0, s.batch * blocks, 1 + 256 / s.channels, [&](int64_t begin, int64_t end) {
      auto block = std::make_unique<Block<T>>();
      for (int64_t b = begin; b < end; ++b) {
        int64_t image = b / blocks, start = b % blocks * kBlock;
        int n = int(std::min<int64_t>(kBlock, s.places - start));
        block->fill(s, places.get() + (image * s.places + start) * s.dims, n, order, false);
        for (int64_t c = 0; c < s.channels; ++c) {
          const T* plane = from.get() + (image * s.channels + c) * s.in;
          T* target = to.get() + (image * s.channels + c) * s.places + start;
          for (int p = 0; p < n; ++p) {
            T sum = 0;
            for (int e = 0; e < block->elements; ++e)
              if (block->at[p][e] >= 0) sum += block->weight[p][e] * plane[block->at[p][e]];
            target[p] = sum;
          }
        }
      }
    });
    to.store();
  });
}

void grid_splat_cpu(Results& out, const Tensor& g, const Tensor& grid, Ints size, int64_t mode,
                    int64_t padding, bool align, Ints order) {
  if (out[0].numel() == 0) return;
  GridShape s(size, g.sizes()[0], g.sizes()[1], grid, mode, padding, align);
  visit_row_type(g.dtype(), [&]<class T>() {
    Whole<T> from(g), places(grid), to(out[0], false);
    std::memset(static_cast<void*>(to.get()), 0, size_t(out[0].numel()) * sizeof(T));
    // Several channels share the weights; a plane is added to by one job, in the order of places.
    int64_t together = std::max<int64_t>(1, std::min<int64_t>(16, s.batch * s.channels / 16));
    int64_t groups = (s.channels + together - 1) / together;
    parallel_for(0, s.batch * groups, 1, [&](int64_t begin, int64_t end) {
      auto block = std::make_unique<Block<T>>();
      for (int64_t i = begin; i < end; ++i) {
        int64_t image = i / groups, first = i % groups * together;
        int64_t after = std::min(first + together, s.channels);
        for (int64_t start = 0; start < s.places; start += kBlock) {
          int n = int(std::min<int64_t>(kBlock, s.places - start));
          block->fill(s, places.get() + (image * s.places + start) * s.dims, n, order, false);
          for (int64_t c = first; c < after; ++c) {
            T* plane = to.get() + (image * s.channels + c) * s.in;
            const T* source = from.get() + (image * s.channels + c) * s.places + start;
            for (int p = 0; p < n; ++p)
              for (int e = 0; e < block->elements; ++e)
                if (block->at[p][e] >= 0) plane[block->at[p][e]] += block->weight[p][e] * source[p];
          }
        }
      }
    });
    to.store();
  });
}

void grid_slope_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& grid,
                    int64_t mode, int64_t padding, bool align, Ints order) {
  if (out[0].numel() == 0) return;
  GridShape s(last(x.sizes(), order.n), x.sizes()[0], x.sizes()[1], grid, mode, padding, align);
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> grads(g), from(x), places(grid), to(out[0], false);
    int64_t blocks = (s.places + kBlock - 1) / kBlock;
    parallel_for(0, s.batch * blocks, 1, [&](int64_t begin, int64_t end) {
      auto block = std::make_unique<Block<T>>();
      for (int64_t b = begin; b < end; ++b) {
        int64_t image = b / blocks, start = b % blocks * kBlock;
        int n = int(std::min<int64_t>(kBlock, s.places - start));
        block->fill(s, places.get() + (image * s.places + start) * s.dims, n, order, true);
        T sums[kBlock][3] = {};
        for (int64_t c = 0; c < s.channels; ++c) {
          const T* plane = from.get() + (image * s.channels + c) * s.in;
          const T* gradient = grads.get() + (image * s.channels + c) * s.places + start;
          for (int p = 0; p < n; ++p)
            for (int e = 0; e < block->elements; ++e) {
              if (block->at[p][e] < 0) continue;
              T part = gradient[p] * plane[block->at[p][e]];
              for (int64_t j = 0; j < s.dims; ++j) sums[p][j] += block->slopes[j][p][e] * part;
            }
        }
        T* target = to.get() + (image * s.places + start) * s.dims;
        for (int p = 0; p < n; ++p)
          for (int64_t j = 0; j < s.dims; ++j) target[p * s.dims + j] = sums[p][j];
      }
    });
    to.store();
  });
}

}  // namespace

KG_KERNEL(image_resize, cpu, resize_cpu)
KG_KERNEL(image_resize_backward, cpu, resize_backward_cpu)
KG_KERNEL(grid_sample, cpu, grid_sample_cpu)
KG_KERNEL(grid_splat, cpu, grid_splat_cpu)
KG_KERNEL(grid_slope, cpu, grid_slope_cpu)

}  // namespace kagari
