// Other sizes of images on the CPU. A change of size is a sparse matrix per axis: rows of an image
// are added up first, then elements of a row.
#include "ops/resample.h"

#include <cmath>
#include <vector>

#include "core/parallel.h"
#include "cpu/walked.h"
#include "ops/conv.h"
#include "ops/views.h"

namespace kagari {
namespace {

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
    t.at = at;  // of the same length: all are set below
    t.weight = weight;
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

}  // namespace

KG_KERNEL(image_resize, cpu, resize_cpu)
KG_KERNEL(image_resize_backward, cpu, resize_backward_cpu)

}  // namespace kagari
