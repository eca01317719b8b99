// Pooling on the CPU: windows as tables, and a job for each image of one channel or for some
// channels of an image.
#include "cpu/pool.h"

#include <cstring>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/matmul.h"
#include "ops/conv.h"
#include "ops/pool.h"
#include "ops/views.h"

namespace kagari {
namespace {

const PoolTable& table() {
  static const PoolTable& t = KG_PICK(pool_table);
  return t;
}
template <class T>
const PoolLoops<T>& loops() {
  if constexpr (std::is_same_v<T, float>)
    return table().f32;
  else if constexpr (std::is_same_v<T, double>)
    return table().f64;
  else if constexpr (std::is_same_v<T, int32_t>)
    return table().i32;
  else
    return table().i64;
}

// Calls f with the type that a dtype is pooled in.
template <class F>
void visit_pool_type(Dtype d, F&& f) {
  switch (d) {
    case Dtype::f64:
      return f.template operator()<double>();
    case Dtype::i64:
      return f.template operator()<int64_t>();
    case Dtype::u8:
    case Dtype::i8:
    case Dtype::i16:
    case Dtype::i32:
      return f.template operator()<int32_t>();
    default:
      return f.template operator()<float>();
  }
}

// ---- windows ------------------------------------------------------------------------------------

class Windows {
 public:
  PoolShape shape;
  explicit Windows(int64_t dims) : lead_(3 - dims) {
    for (int64_t i = 0; i < lead_; ++i) regular(i, 1, 1, 1, 1, 0, 1, true);
  }
  void pool(Ints in, Ints out, const PoolSizes& p, bool include_padding = true) {
    for (int64_t i = 0; i < in.n; ++i)
      regular(lead_ + i, in[i], out[i], p.kernel[i], p.stride[i], p.padding[i], p.dilation[i],
              include_padding);
  }
  void adaptive(Ints in, Ints out) {
    for (int64_t i = 0; i < in.n; ++i) {
      int64_t n = in[i], m = out[i];
      if (m > 0 && n % m == 0) {
        regular(lead_ + i, n, m, n / m, n / m, 0, 1, true);
        continue;
      }
      PoolAxis& a = start(lead_ + i, n, m);
      int32_t* table = tables_[lead_ + i].data();
      for (int64_t o = 0; o < m; ++o) {
        int64_t first = o * n / m, last = ((o + 1) * n + m - 1) / m;
        table[o] = int32_t(first);
        table[m + o] = int32_t(last);
        table[2 * m + o] = int32_t(last - first);
      }
      a.taps = 1;
    }
  }

 private:
  PoolAxis& start(int64_t axis, int64_t in, int64_t out) {
    constexpr int64_t most = std::numeric_limits<int32_t>::max();
    KG_CHECK(in <= most && out <= most, "pools along at most ", most, " elements, but got ", in,
             " and ", out, "; split the input");
    PoolAxis& a = shape.axis[axis];
    std::vector<int32_t>& t = tables_[axis];
    t.resize(size_t(3 * out));
    a.in = in;
    a.out = out;
    a.first = t.data();
    a.last = t.data() + out;
    a.count = t.data() + 2 * out;
    return a;
  }
  void regular(int64_t axis, int64_t in, int64_t out, int64_t kernel, int64_t stride,
               int64_t padding, int64_t dilation, bool include) {
    PoolAxis& a = start(axis, in, out);
    int32_t* table = tables_[axis].data();
    a.step = dilation;
    a.taps = kernel;
    a.stride = stride;
    a.padding = padding;
    int64_t reach = dilation * (kernel - 1);
    a.begin = std::min(out, (padding + stride - 1) / stride);
    int64_t room = in - 1 - reach + padding;
    a.end = room < 0 ? a.begin : std::clamp(room / stride + 1, a.begin, out);
    for (int64_t o = 0; o < out; ++o) {
      int64_t from = o * stride - padding, to = from + reach + 1,
              padded = std::min(from + kernel, in + padding) - from;
      int64_t first = from < 0 ? from + (-from + dilation - 1) / dilation * dilation : from;
      int64_t last = std::min(to, in);
      table[o] = int32_t(first);
      table[out + o] = int32_t(last);
      table[2 * out + o] = int32_t(include ? padded : last - first);
    }
  }
  int64_t lead_;
  std::vector<int32_t> tables_[3];
};

// ---- images -------------------------------------------------------------------------------------

Ints spatial(const Tensor& t, int64_t dims) { return {t.sizes().p + t.dim() - dims, dims}; }

bool lies_channels_last(const TensorImpl* t, int64_t dims) {
  return dims >= 2 && t->ndim == dims + 2 && !t->is(kContiguous) &&
         is_contiguous_as(t,
                          dims == 2 ? MemoryFormat::channels_last : MemoryFormat::channels_last_3d);
}

// A tensor's elements as T in row-major or channels-last order: its own memory where it lies so,
// else a copy, which store() writes back.
template <class T>
class Images {
 public:
  Images(const Tensor& t, int64_t dims, bool pixels, bool read) : t_(t.get()) {
    bool fits =
        t.dtype() == dtype_of<T> && (pixels ? lies_channels_last(t_, dims) : t_->is(kContiguous));
    if (fits || t_->numel == 0) {
      data_ = t.data_as<T>();
      return;
    }
    copy_ = std::make_unique<Workspace>(size_t(t.numel()) * sizeof(T));
    data_ = copy_->as<T>();
    int n = t_->ndim;
    std::copy_n(t_->sizes, n, geometry_);
    Dims strides =
        !pixels ? contiguous_strides(t.sizes())
                : memory_format_strides(t.sizes(), dims == 2 ? MemoryFormat::channels_last
                                                             : MemoryFormat::channels_last_3d);
    std::copy_n(strides.data(), n, geometry_ + n);
    if (read) {
      TensorImpl mine = header();
      convert(&mine, t_);
    }
  }
  T* data() const { return data_; }
  void store() {
    if (!copy_) return;
    TensorImpl mine = header();
    convert(t_, &mine);
  }

 private:
  TensorImpl header() {
    TensorImpl mine{};
    mine.dtype = dtype_of<T>;
    mine.ndim = t_->ndim;
    mine.numel = t_->numel;
    mine.data = reinterpret_cast<char*>(data_);
    mine.sizes = geometry_;
    return mine;
  }
  TensorImpl* t_;
  T* data_;
  std::unique_ptr<Workspace> copy_;
  int64_t geometry_[2 * kMaxDims];
};

constexpr int64_t kChannels = 64;          // of one job where channels lie side by side
constexpr int64_t kLanesBytes = 64 << 10;  // of images side by side in lanes

// How a tensor's images are cut into jobs.
struct Jobs {
  bool pixels = false;
  int64_t images = 1, channels = 1, in = 1, out = 1, blocks = 1;
  Jobs(const Tensor& like, int64_t dims, const PoolShape& s) : in(s.in()), out(s.out()) {
    pixels = lies_channels_last(like.get(), dims);
    int64_t lead = like.dim() - dims;
    channels = like.sizes()[lead - 1];
    images = lead == 2 ? like.sizes()[0] : 1;
    blocks = (channels + kChannels - 1) / kChannels;
  }
  // plane(image of one channel, scratch) or some(image, first channel, channels). Planes are taken
  // from `first` on.
  template <class Plane, class Some>
  void run(int64_t first, int64_t work_per_out, int64_t scratch_bytes, Plane&& plane,
           Some&& some) const {
    int64_t cost = std::max<int64_t>(1, std::max(in, out * work_per_out));
    if (!pixels) {
      parallel_for(first, images * channels, std::max<int64_t>(1, 16384 / cost),
                   [&](int64_t begin, int64_t end) {
                     Workspace scratch{size_t(scratch_bytes)};
                     for (int64_t i = begin; i < end; ++i) plane(i, scratch.as<char>());
                   });
      return;
    }
    parallel_for(0, images * blocks,
                 std::max<int64_t>(1, 16384 / (cost * std::min(channels, kChannels))),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     int64_t c = i % blocks * kChannels;
                     some(i / blocks, c, std::min(kChannels, channels - c));
                   }
                 });
  }
};
int64_t scratch_bytes(const PoolShape& s, int64_t size) {
  return (s.axis[2].in + 64) * (size + 4) + (s.axis[2].out + 64) * 8;
}

// Windows as lists of pixels.
class Listed {
 public:
  explicit Listed(const PoolShape& s) {
    const PoolAxis *d = s.axis, *h = s.axis + 1, *w = s.axis + 2;
    start_.reserve(size_t(s.out() + 1));
    start_.push_back(0);
    for (int64_t a = 0; a < d->out; ++a)
      for (int64_t b = 0; b < h->out; ++b)
        for (int64_t c = 0; c < w->out; ++c) {
          for (int64_t i = d->first[a]; i < d->last[a]; i += d->step)
            for (int64_t j = h->first[b]; j < h->last[b]; j += h->step)
              for (int64_t k = w->first[c]; k < w->last[c]; k += w->step)
                pixel_.push_back(int32_t((i * h->in + j) * w->in + k));
          start_.push_back(int32_t(pixel_.size()));
        }
  }
  PoolWindows get() const { return {start_.data(), pixel_.data()}; }

 private:
  std::vector<int32_t> start_, pixel_;
};

int64_t taps(const PoolShape& s) { return s.axis[0].taps + s.axis[1].taps + s.axis[2].taps; }

// ---- maxima -------------------------------------------------------------------------------------

void max_windows(const Tensor& x, const Tensor& y, const Tensor* index, int64_t dims,
                 const PoolShape& s) {
  if (y.numel() == 0) return;
  Jobs jobs(x, dims, s);
  visit_pool_type(x.dtype(), [&]<class T>() {
    Images<T> from(x, dims, jobs.pixels, true), to(y, dims, jobs.pixels, false);
    const Tensor& places = index ? *index : y;
    std::unique_ptr<Images<int64_t>> at;
    if (index) at = std::make_unique<Images<int64_t>>(places, dims, jobs.pixels, false);
    const T* in = from.data();
    T* out = to.data();
    int64_t* where = at ? at->data() : nullptr;
    const int64_t planes = jobs.images * jobs.channels, lanes = loops<T>().lanes;
    int64_t done = 0;
    // Images whose lines are short: a lane for each.
    const int64_t bytes = (jobs.in + 2 * jobs.out) * lanes * int64_t(sizeof(T));
    if (!jobs.pixels && planes >= lanes && bytes <= kLanesBytes) {
      const Listed list(s);
      done = planes / lanes * lanes;
      const int64_t cost = lanes * std::max(jobs.in, jobs.out * taps(s));
      parallel_for(
          0, planes / lanes, std::max<int64_t>(1, 32768 / cost), [&](int64_t begin, int64_t end) {
            Workspace scratch(static_cast<size_t>(bytes));
            for (int64_t i = begin * lanes; i < end * lanes; i += lanes)
              loops<T>().max_planes(s, list.get(), in + i * jobs.in, out + i * jobs.out,
                                    where ? where + i * jobs.out : nullptr, scratch.as<char>());
          });
    }
    jobs.run(
        done, taps(s), scratch_bytes(s, sizeof(T)),
        [&](int64_t i, char* scratch) {
          loops<T>().max_plane(s, in + i * jobs.in, out + i * jobs.out,
                               where ? where + i * jobs.out : nullptr, scratch);
        },
        [&](int64_t image, int64_t c, int64_t n) {
          int64_t o = image * jobs.out * jobs.channels + c;
          loops<T>().max_pixels(s, in + image * jobs.in * jobs.channels + c, out + o,
                                where ? where + o : nullptr, n, jobs.channels);
        });
    to.store();
    if (at) at->store();
  });
}
template <int dims>
void max_cpu(Results& out, const Tensor& x, Ints kernel, std::optional<Ints> stride, Ints padding,
             Ints dilation, bool) {
  if (out[0].numel() == 0) return;  // its other sizes may be huge
  Windows w(dims);
  w.pool(spatial(x, dims), spatial(out[0], dims),
         pool_sizes(dims, kernel, stride, padding, dilation));
  max_windows(x, out[0], &out[1], dims, w.shape);
}
void max_values_cpu(Results& out, const Tensor& x, Ints kernel, std::optional<Ints> stride,
                    Ints padding, Ints dilation, bool) {
  if (out[0].numel() == 0) return;  // its other sizes may be huge
  int64_t dims = kernel.n;
  Windows w(dims);
  w.pool(spatial(x, dims), spatial(out[0], dims),
         pool_sizes(dims, kernel, stride, padding, dilation));
  max_windows(x, out[0], nullptr, dims, w.shape);
}
template <int dims>
void adaptive_max_cpu(Results& out, const Tensor& x, Ints) {
  if (out[0].numel() == 0) return;  // its other sizes may be huge
  Windows w(dims);
  w.adaptive(spatial(x, dims), spatial(out[0], dims));
  max_windows(x, out[0], &out[1], dims, w.shape);
}

// scatter: small[...] is added to big at its place; else small = big at the place.
template <bool scatter>
void choose(const Tensor& big, const Tensor& small, const Tensor& indices, int64_t dims) {
  if (big.numel() == 0) return;
  if (small.numel() == 0) {
    if (scatter) std::memset(big.data(), 0, size_t(big.nbytes()));
    return;
  }
  PoolShape s;
  for (int64_t i = 0; i < dims; ++i) {
    s.axis[i].in = spatial(big, dims)[i];
    s.axis[i].out = spatial(small, dims)[i];
  }
  Jobs jobs(indices, dims, s);
  visit_pool_type(big.dtype(), [&]<class T>() {
    Images<T> all(big, dims, jobs.pixels, !scatter), chosen(small, dims, jobs.pixels, scatter);
    Images<int64_t> places(indices, dims, jobs.pixels, true);
    if (scatter && jobs.pixels)
      std::memset(static_cast<void*>(all.data()), 0, size_t(big.numel()) * sizeof(T));
    auto move = [&](int64_t from, int64_t at, int64_t n, int64_t step, int64_t channels) {
      T *b = all.data() + from, *c = chosen.data() + at;
      const int64_t* place = places.data() + at;
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < channels; ++k) {
          int64_t p = place[i * step + k];
          if (p < 0 || p >= jobs.in) continue;
          if constexpr (scatter)
            b[p * step + k] += c[i * step + k];
          else
            c[i * step + k] = b[p * step + k];
        }
    };
    jobs.run(
        0, 2, 0,
        [&](int64_t plane, char*) {
          T *b = all.data() + plane * jobs.in, *c = chosen.data() + plane * jobs.out;
          const int64_t* place = places.data() + plane * jobs.out;
          if (scatter) std::fill_n(b, jobs.in, T(0));
          for (int64_t i = 0; i < jobs.out; ++i) {
            if (uint64_t(place[i]) >= uint64_t(jobs.in)) continue;
            if constexpr (scatter)
              b[place[i]] += c[i];
            else
              c[i] = b[place[i]];
          }
        },
        [&](int64_t image, int64_t c, int64_t n) {
          move(image * jobs.in * jobs.channels + c, image * jobs.out * jobs.channels + c, jobs.out,
               jobs.channels, n);
        });
    if (scatter)
      all.store();
    else
      chosen.store();
  });
}
void scatter_cpu(Results& out, const Tensor& g, const Tensor& indices, Ints size) {
  choose<true>(out[0], g, indices, size.n);
}
void gather_cpu(Results& out, const Tensor& x, const Tensor& indices, int64_t dims) {
  choose<false>(x, out[0], indices, dims);
}

// ---- means --------------------------------------------------------------------------------------

constexpr int64_t kWholeWork = 32'768;  // pixels that repay a job

// Whether each image is one window.
bool is_whole(const PoolShape& s) {
  for (const PoolAxis& a : s.axis)
    if (a.out != 1 || a.first[0] != 0 || a.last[0] != a.in || (a.step != 1 && a.in > 1))
      return false;
  return true;
}
int64_t divisor_of_whole(const PoolShape& s) {
  return s.divisor ? s.divisor
                   : int64_t(s.axis[0].count[0]) * s.axis[1].count[0] * s.axis[2].count[0];
}

void mean_windows(const Tensor& x, const Tensor& y, int64_t dims, const PoolShape& s) {
  if (y.numel() == 0) return;
  Jobs jobs(x, dims, s);
  visit_pool_type(x.dtype(), [&]<class T>() {
    Images<T> from(x, dims, jobs.pixels, true), to(y, dims, jobs.pixels, false);
    if (!jobs.pixels && is_whole(s)) {
      const T divisor = T(divisor_of_whole(s));
      parallel_for(0, jobs.images * jobs.channels, kWholeWork / jobs.in + 1,
                   [&](int64_t begin, int64_t end) {
                     loops<T>().mean_whole(from.data() + begin * jobs.in, to.data() + begin,
                                           end - begin, jobs.in, divisor);
                   });
      return to.store();
    }
    jobs.run(
        0, taps(s), scratch_bytes(s, sizeof(T)),
        [&](int64_t i, char* scratch) {
          loops<T>().mean_plane(s, from.data() + i * jobs.in, to.data() + i * jobs.out, scratch);
        },
        [&](int64_t image, int64_t c, int64_t n) {
          loops<T>().mean_pixels(s, from.data() + image * jobs.in * jobs.channels + c,
                                 to.data() + image * jobs.out * jobs.channels + c, n,
                                 jobs.channels);
        });
    to.store();
  });
}
void mean_back(const Tensor& g, const Tensor& dx, int64_t dims, const PoolShape& s) {
  if (dx.numel() == 0) return;
  if (g.numel() == 0) {
    std::memset(dx.data(), 0, size_t(dx.nbytes()));
    return;
  }
  Jobs jobs(g, dims, s);
  visit_pool_type(g.dtype(), [&]<class T>() {
    Images<T> from(g, dims, jobs.pixels, true), to(dx, dims, jobs.pixels, false);
    if (jobs.pixels) std::memset(static_cast<void*>(to.data()), 0, size_t(dx.numel()) * sizeof(T));
    const bool whole = is_whole(s);
    const T divisor = whole ? T(divisor_of_whole(s)) : T(1);
    jobs.run(
        0, whole ? 0 : taps(s), scratch_bytes(s, sizeof(T)),
        [&](int64_t i, char* scratch) {
          T* plane = to.data() + i * jobs.in;
          std::fill_n(plane, jobs.in, whole ? T(from.data()[i] / divisor) : T(0));
          if (!whole) loops<T>().mean_back_plane(s, from.data() + i * jobs.out, plane, scratch);
        },
        [&](int64_t image, int64_t c, int64_t n) {
          loops<T>().mean_back_pixels(s, from.data() + image * jobs.out * jobs.channels + c,
                                      to.data() + image * jobs.in * jobs.channels + c, n,
                                      jobs.channels);
        });
    to.store();
  });
}

void avg(const Tensor& x, const Tensor& y, int64_t dims, Ints kernel, std::optional<Ints> stride,
         Ints padding, bool include, std::optional<int64_t> divisor) {
  if (y.numel() == 0) return;
  Windows w(dims);
  w.pool(spatial(x, dims), spatial(y, dims), pool_sizes(dims, kernel, stride, padding, {1}),
         include);
  w.shape.divisor = divisor.value_or(0);
  mean_windows(x, y, dims, w.shape);
}
void avg_cpu1(Results& out, const Tensor& x, Ints kernel, std::optional<Ints> stride, Ints padding,
              bool, bool include) {
  avg(x, out[0], 1, kernel, stride, padding, include, {});
}
template <int dims>
void avg_cpu(Results& out, const Tensor& x, Ints kernel, std::optional<Ints> stride, Ints padding,
             bool, bool include, std::optional<int64_t> divisor) {
  avg(x, out[0], dims, kernel, stride, padding, include, divisor);
}
void avg_backward_cpu(Results& out, const Tensor& g, Ints size, Ints kernel, Ints stride,
                      Ints padding, bool, bool include, std::optional<int64_t> divisor) {
  if (out[0].numel() == 0) return;
  int64_t dims = size.n;
  Windows w(dims);
  w.pool(size, spatial(g, dims), pool_sizes(dims, kernel, stride, padding, {1}), include);
  w.shape.divisor = divisor.value_or(0);
  mean_back(g, out[0], dims, w.shape);
}
template <int dims>
void adaptive_avg_cpu(Results& out, const Tensor& x, Ints) {
  if (out[0].numel() == 0) return;  // its other sizes may be huge
  if (out[0].sizes() == x.sizes()) return convert(out[0].get(), x.get());  // a window per pixel
  Windows w(dims);
  w.adaptive(spatial(x, dims), spatial(out[0], dims));
  mean_windows(x, out[0], dims, w.shape);
}
void adaptive_backward_cpu(Results& out, const Tensor& g, Ints size) {
  if (out[0].numel() == 0) return;
  if (out[0].sizes() == g.sizes()) return convert(out[0].get(), g.get());
  Windows w(size.n);
  w.adaptive(size, spatial(g, size.n));
  mean_back(g, out[0], size.n, w.shape);
}

}  // namespace

KG_KERNEL(max_pool1d_with_indices, cpu, max_cpu<1>)
KG_KERNEL(max_pool2d_with_indices, cpu, max_cpu<2>)
KG_KERNEL(max_pool3d_with_indices, cpu, max_cpu<3>)
KG_KERNEL(max_pool_values, cpu, max_values_cpu)
KG_KERNEL(adaptive_max_pool1d, cpu, adaptive_max_cpu<1>)
KG_KERNEL(adaptive_max_pool2d, cpu, adaptive_max_cpu<2>)
KG_KERNEL(adaptive_max_pool3d, cpu, adaptive_max_cpu<3>)
KG_KERNEL(pool_scatter, cpu, scatter_cpu)
KG_KERNEL(pool_gather, cpu, gather_cpu)
KG_KERNEL(avg_pool1d, cpu, avg_cpu1)
KG_KERNEL(avg_pool2d, cpu, avg_cpu<2>)
KG_KERNEL(avg_pool3d, cpu, avg_cpu<3>)
KG_KERNEL(avg_pool_backward, cpu, avg_backward_cpu)
KG_KERNEL(adaptive_avg_pool1d, cpu, adaptive_avg_cpu<1>)
KG_KERNEL(adaptive_avg_pool2d, cpu, adaptive_avg_cpu<2>)
KG_KERNEL(adaptive_avg_pool3d, cpu, adaptive_avg_cpu<3>)
KG_KERNEL(adaptive_avg_pool_backward, cpu, adaptive_backward_cpu)

}  // namespace kagari
