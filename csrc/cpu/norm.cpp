// Normalisation on the CPU. Every sum runs over fixed pieces in a fixed order, so threads have no
// say in its bits.
#include "ops/norm.h"

#include <cmath>

#include "cpu/channels.h"
#include "cpu/rows.h"

namespace kagari {
namespace {

// A parameter as contiguous T; null when it is absent.
template <class T>
class Parameter {
 public:
  explicit Parameter(const Tensor& t) {
    if (!t.defined()) return;
    if (t.dtype() == dtype_of<T> && t.is_contiguous()) {
      p_ = t.data_as<T>();
    } else {
      p_ = copy_.emplace(t).get();
    }
  }
  const T* get() const { return p_; }

 private:
  const T* p_ = nullptr;
  std::optional<Whole<T>> copy_;
};

int64_t product(Ints sizes, int64_t from, int64_t to) {
  int64_t n = 1;
  for (int64_t i = from; i < to; ++i) n *= sizes[i];
  return n;
}
int64_t grain_for(int64_t n) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(n, 1)); }

void layer_forward(const Tensor& y, const Tensor& x, int64_t count, const Tensor& w,
                   const Tensor& b, double eps, bool rms) {
  int64_t n = product(x.sizes(), x.dim() - count, x.dim());
  if (x.numel() == 0) return;
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), out(y, false);
    Parameter<T> weight(w), bias(b);
    parallel_for(0, x.numel() / n, grain_for(n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        double mean, rstd;
        row_loops<T>().moments(in.get() + r * n, n, eps, rms, &mean, &rstd);
        row_loops<T>().normalize(in.get() + r * n, out.get() + r * n, n, mean, rstd, weight.get(),
                                 bias.get());
      }
    });
    out.store();
  });
}
void layer_norm_cpu(Results& out, const Tensor& x, Ints shape, const Tensor& w, const Tensor& b,
                    double eps, bool) {
  layer_forward(out[0], x, shape.n, w, b, eps, false);
}
void rms_norm_cpu(Results& out, const Tensor& x, Ints shape, const Tensor& w,
                  std::optional<double> eps) {
  double e = eps ? *eps : x.dtype() == Dtype::f64 ? 2.220446049250313e-16 : 1.1920928955078125e-07;
  layer_forward(out[0], x, shape.n, w, no_tensor, e, true);
}

void layer_norm_backward_cpu(Results& out, const Tensor& g, const Tensor& x, int64_t count,
                             const Tensor& w, double eps, bool rms, bool need_x, bool need_w,
                             bool need_b) {
  int64_t n = product(x.sizes(), x.dim() - count, x.dim());
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), grad(g), dx(out[0], false), dw(out[1], false), db(out[2], false);
    Parameter<T> weight(w);
    int64_t lines = n ? x.numel() / n : 0;
    // Rows are folded into parameters in blocks whose number depends on the shape alone.
    int64_t per = std::max<int64_t>(16, (lines + 127) / 128), blocks = (lines + per - 1) / per;
    Workspace sums(size_t(2 * blocks * n) * sizeof(T) + 64);
    parallel_for(0, blocks, std::max<int64_t>(1, grain_for(n) / per),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t block = begin; block < end; ++block) {
                     T *bw = sums.as<T>() + 2 * block * n, *bb = bw + n;
                     if (need_w) std::fill(bw, bw + n, T(0));
                     if (need_b) std::fill(bb, bb + n, T(0));
                     for (int64_t r = block * per; r < std::min(lines, (block + 1) * per); ++r) {
                       const T *xr = in.get() + r * n, *gr = grad.get() + r * n;
                       double mean, rstd;
                       row_loops<T>().moments(xr, n, eps, rms, &mean, &rstd);
                       if (need_x)
                         row_loops<T>().normalize_backward(gr, xr, dx.get() + r * n, n, mean, rstd,
                                                           weight.get(), rms);
                       if (need_w || need_b)
                         row_loops<T>().normalize_weights(
                             gr, xr, n, mean, rstd, need_w ? bw : nullptr, need_b ? bb : nullptr);
                     }
                   }
                 });
    auto fold = [&](T* to, int64_t offset) {
      parallel_for(0, n, 1024, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          double total = 0;
          for (int64_t block = 0; block < blocks; ++block)
            total += double(sums.as<T>()[(2 * block + offset) * n + i]);
          to[i] = T(total);
        }
      });
    };
    if (need_w) fold(dw.get(), 0);
    if (need_b) fold(db.get(), 1);
    if (need_x) dx.store();
    if (need_w) dw.store();
    if (need_b) db.store();
  });
}

void group_norm_cpu(Results& out, const Tensor& x, int64_t groups, const Tensor& w, const Tensor& b,
                    double eps, bool) {
  if (x.numel() == 0) return;
  int64_t c = x.sizes()[1], l = product(x.sizes(), 2, x.dim()), per = c / groups, n = per * l;
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), y(out[0], false);
    Parameter<T> weight(w), bias(b);
    parallel_for(0, x.sizes()[0] * groups, grain_for(n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        double mean, rstd;
        row_loops<T>().moments(in.get() + r * n, n, eps, false, &mean, &rstd);
        for (int64_t k = 0; k < per; ++k) {
          int64_t channel = r % groups * per + k, at = r * n + k * l;
          double scale = rstd * (weight.get() ? double(weight.get()[channel]) : 1.0);
          double shift = (bias.get() ? double(bias.get()[channel]) : 0.0) - mean * scale;
          row_loops<T>().affine(in.get() + at, y.get() + at, l, T(scale), T(shift));
        }
      }
    });
    y.store();
  });
}

void group_norm_backward_cpu(Results& out, const Tensor& g, const Tensor& x, int64_t groups,
                             const Tensor& w, double eps) {
  int64_t batch = x.sizes()[0], c = x.sizes()[1], l = product(x.sizes(), 2, x.dim()),
          per = c / groups, n = per * l;
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), grad(g), dx(out[0], false), dw(out[1], false), db(out[2], false);
    Parameter<T> weight(w);
    Workspace sums(size_t(2 * batch * c) * sizeof(double) + 64);
    double *sum_g = sums.as<double>(), *sum_gx = sum_g + batch * c;
    if (x.numel() == 0) std::fill(sum_g, sum_g + 2 * batch * c, 0.0);
    parallel_for(0, x.numel() ? batch * groups : 0, grain_for(n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        double mean, rstd, mean_h = 0, mean_hx = 0;
        row_loops<T>().moments(in.get() + r * n, n, eps, false, &mean, &rstd);
        int64_t first = r / groups * c + r % groups * per;
        for (int64_t k = 0; k < per; ++k) {
          int64_t at = r * n + k * l;
          row_loops<T>().normalize_sums(grad.get() + at, in.get() + at, l, mean, rstd,
                                        sum_g + first + k, sum_gx + first + k);
          double wk = weight.get() ? double(weight.get()[first % c + k]) : 1.0;
          mean_h += wk * sum_g[first + k];
          mean_hx += wk * sum_gx[first + k];
        }
        mean_h /= double(n);
        mean_hx /= double(n);
        for (int64_t k = 0; k < per; ++k) {
          int64_t at = r * n + k * l;
          double wk = weight.get() ? double(weight.get()[first % c + k]) : 1.0;
          double slope = -rstd * rstd * mean_hx;
          row_loops<T>().affine_of_two(grad.get() + at, in.get() + at, dx.get() + at, l,
                                       T(rstd * wk), T(slope), T(-rstd * mean_h - slope * mean));
        }
      }
    });
    for (int64_t k = 0; k < c; ++k) {
      double a = 0, b = 0;
      for (int64_t i = 0; i < batch; ++i) {
        a += sum_gx[i * c + k];
        b += sum_g[i * c + k];
      }
      dw.get()[k] = T(a);
      db.get()[k] = T(b);
    }
    dx.store();
    dw.store();
    db.store();
  });
}

// Batch norm sees [N, C, L]; where L is short (1, or channels last) a channel's numbers are gathered
// first.
constexpr int64_t kShort = 8;

const ChannelsTable& channels_loops() {
  static const ChannelsTable& t = KG_PICK(channels_table);
  return t;
}
template <class T>
const ChannelLoops<T>& channel_loops() {
  if constexpr (std::is_same_v<T, float>)
    return channels_loops().f32;
  else
    return channels_loops().f64;
}

struct Channels {
  int64_t batch, c, l;
  explicit Channels(const Tensor& x)
      : batch(x.sizes()[0]), c(x.sizes()[1]), l(product(x.sizes(), 2, x.dim())) {}

  int64_t numbers() const { return batch * l; }  // of a channel
  bool gathered() const { return l < kShort; }
  ChannelShape shape() const {
    return gathered() ? ChannelShape{1, 0, batch * l} : ChannelShape{batch, c * l, l};
  }
  // Where a channel's rows are: in the tensor, or in the line that they are gathered into.
  template <class T>
  const T* read(const T* x, int64_t channel, T* line) const {
    if (!gathered()) return x + channel * l;
    for (int64_t i = 0; i < batch; ++i)
      for (int64_t k = 0; k < l; ++k) line[i * l + k] = x[(i * c + channel) * l + k];
    return line;
  }
  template <class T>
  T* room(T* y, int64_t channel, T* line) const {
    return gathered() ? line : y + channel * l;
  }
  template <class T>
  void write(T* y, int64_t channel, const T* line) const {
    for (int64_t i = 0; gathered() && i < batch; ++i)
      for (int64_t k = 0; k < l; ++k) y[(i * c + channel) * l + k] = line[i * l + k];
  }
  // f(channel, room for `lines` lines of T) for every channel.
  template <class T, class F>
  void each(int64_t lines, F&& f) const {
    parallel_for(0, c, grain_for(numbers()), [&](int64_t begin, int64_t end) {
      Workspace scratch(gathered() ? size_t(lines * numbers()) * sizeof(T) + 64 : 0);
      for (int64_t k = begin; k < end; ++k) f(k, scratch.as<T>());
    });
  }
};

void batch_norm_train_cpu(Results& out, const Tensor& x, const Tensor& w, const Tensor& b,
                          double eps) {
  const Channels channels(x);
  const ChannelShape shape = channels.shape();
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), y(out[0], false), mean_out(out[1], false), var_out(out[2], false);
    Parameter<T> weight(w), bias(b);
    channels.each<T>(2, [&](int64_t k, T* lines) {
      const T* from = channels.read(in.get(), k, lines);
      T* to = channels.room(y.get(), k, lines + channels.numbers());
      double mean, var;
      channel_loops<T>().moments(from, shape, &mean, &var);
      double scale = 1 / std::sqrt(var + eps) * (weight.get() ? double(weight.get()[k]) : 1.0);
      double shift = (bias.get() ? double(bias.get()[k]) : 0.0) - mean * scale;
      mean_out.get()[k] = T(mean);
      var_out.get()[k] = T(var);
      channel_loops<T>().affine(from, to, shape, T(scale), T(shift));
      channels.write(y.get(), k, to);
    });
    y.store();
    mean_out.store();
    var_out.store();
  });
}

void batch_norm_train_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& w,
                                   const Tensor& mean_in, const Tensor& var_in, double eps) {
  const Channels channels(x);
  const ChannelShape shape = channels.shape();
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), grad(g), dx(out[0], false), dw(out[1], false), db(out[2], false);
    Parameter<T> weight(w), means(mean_in), vars(var_in);
    const double n = double(channels.numbers());
    channels.each<T>(3, [&](int64_t k, T* lines) {
      const T* gp = channels.read(grad.get(), k, lines);
      const T* xp = channels.read(in.get(), k, lines + channels.numbers());
      T* to = channels.room(dx.get(), k, lines + 2 * channels.numbers());
      double mean = double(means.get()[k]), rstd = 1 / std::sqrt(double(vars.get()[k]) + eps);
      double sum_g, sum_gx;
      channel_loops<T>().sums(gp, xp, shape, mean, rstd, &sum_g, &sum_gx);
      double a = rstd * (weight.get() ? double(weight.get()[k]) : 1.0);
      double slope = -a * rstd * sum_gx / n, shift = -a * sum_g / n - slope * mean;
      channel_loops<T>().affine_of_two(gp, xp, to, shape, T(a), T(slope), T(shift));
      channels.write(dx.get(), k, to);
      dw.get()[k] = T(sum_gx);
      db.get()[k] = T(sum_g);
    });
    dx.store();
    dw.store();
    db.store();
  });
}

void batch_norm_eval_cpu(Results& out, const Tensor& x, const Tensor& w, const Tensor& b,
                         const Tensor& mean, const Tensor& var, double eps) {
  int64_t c = x.sizes()[1], l = product(x.sizes(), 2, x.dim());
  if (x.numel() == 0) return;
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), y(out[0], false);
    Parameter<T> weight(w), bias(b), means(mean), vars(var);
    Workspace room(size_t(2 * c) * sizeof(T));
    T *scale = room.as<T>(), *shift = scale + c;
    for (int64_t k = 0; k < c; ++k) {
      double s = 1 / std::sqrt(double(vars.get()[k]) + eps) *
                 (weight.get() ? double(weight.get()[k]) : 1.0);
      scale[k] = T(s);
      shift[k] = T((bias.get() ? double(bias.get()[k]) : 0.0) - double(means.get()[k]) * s);
    }
    parallel_for(0, x.sizes()[0] * (l == 1 ? 1 : c), grain_for(l == 1 ? c : l),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t r = begin; r < end; ++r) {
                     if (l == 1)
                       row_loops<T>().normalize(in.get() + r * c, y.get() + r * c, c, 0, 1, scale,
                                                shift);
                     else
                       row_loops<T>().affine(in.get() + r * l, y.get() + r * l, l, scale[r % c],
                                             shift[r % c]);
                   }
                 });
    y.store();
  });
}

}  // namespace

KG_KERNEL(layer_norm, cpu, layer_norm_cpu)
KG_KERNEL(rms_norm, cpu, rms_norm_cpu)
KG_KERNEL(layer_norm_backward, cpu, layer_norm_backward_cpu)
KG_KERNEL(group_norm, cpu, group_norm_cpu)
KG_KERNEL(group_norm_backward, cpu, group_norm_backward_cpu)
KG_KERNEL(batch_norm_train, cpu, batch_norm_train_cpu)
KG_KERNEL(batch_norm_train_backward, cpu, batch_norm_train_backward_cpu)
KG_KERNEL(batch_norm_eval, cpu, batch_norm_eval_cpu)

}  // namespace kagari
