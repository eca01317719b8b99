// Normalisation on the CPU. Every sum runs over fixed pieces in a fixed order, so threads have no
// say in its bits.
#include "ops/norm.h"

#include <cmath>
#include <initializer_list>
#include <optional>
#include <vector>

#include "cpu/channels.h"
#include "cpu/rows.h"
#include "ops/views.h"

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

// The rows of a tensor as T, a few at a time: where they lie, or converted in scratch. What does not
// lie contiguously is copied as a whole.
template <class T>
class SomeRows {
 public:
  explicit SomeRows(const Tensor& t, bool read = true) : dtype_(t.dtype()) {
    if (t.dtype() != dtype_of<T> && t.is_contiguous()) {
      converted_ = t.data();
      size_ = t.itemsize();
    } else {
      data_ = whole_.emplace(t, read).get();
    }
  }
  // Bytes that so many elements need.
  size_t scratch(int64_t count) const { return converted_ ? size_t(count) * sizeof(T) + 64 : 0; }
  T* room(int64_t at, char* scratch) const {
    if (!converted_) return data_ + at;
    return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(scratch) + 63) / 64 * 64);
  }
  const T* read(int64_t at, int64_t count, char* scratch) const {
    T* to = room(at, scratch);
    if (converted_) convert_block(to, dtype_of<T>, converted_ + at * size_, dtype_, count);
    return to;
  }
  void write(int64_t at, int64_t count, char* scratch) const {
    if (converted_)
      convert_block(converted_ + at * size_, dtype_, room(at, scratch), dtype_of<T>, count);
  }
  void store() {
    if (whole_) whole_->store();
  }

 private:
  std::optional<Whole<T>> whole_;
  T* data_ = nullptr;
  char* converted_ = nullptr;
  int64_t size_ = 0;
  Dtype dtype_;
};

int64_t product(Ints sizes, int64_t from, int64_t to) {
  int64_t n = 1;
  for (int64_t i = from; i < to; ++i) n *= sizes[i];
  return n;
}
// Rows that share a call, while they fit into the first cache.
int64_t rows_together(int64_t n) { return n <= 1024 ? kRowsTogether : 1; }
int64_t grain_for(int64_t n) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(n, 1)); }

void layer_forward(const Tensor& y, const Tensor& x, int64_t count, const Tensor& w,
                   const Tensor& b, double eps, bool rms) {
  int64_t n = product(x.sizes(), x.dim() - count, x.dim());
  if (x.numel() == 0) return;
  visit_row_type(x.dtype(), [&]<class T>() {
    SomeRows<T> in(x), out(y, false);
    Parameter<T> weight(w), bias(b);
    parallel_for(0, x.numel() / n, grain_for(n), [&](int64_t begin, int64_t end) {
      int64_t some = rows_together(n);
      Workspace ins(in.scratch(some * n)), outs(out.scratch(some * n));
      for (int64_t r = begin; r < end; r += some) {
        double mean[kRowsTogether], rstd[kRowsTogether];
        some = std::min(some, end - r);
        const T* from = in.read(r * n, some * n, ins.as<char>());
        T* to = out.room(r * n, outs.as<char>());
        row_loops<T>().moments(from, some, n, eps, rms, mean, rstd);
        for (int64_t i = 0; i < some; ++i)
          row_loops<T>().normalize(from + i * n, to + i * n, n, mean[i], rstd[i], weight.get(),
                                   bias.get());
        out.write(r * n, some * n, outs.as<char>());
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
    SomeRows<T> in(x), grad(g), dx(out[0], false);
    Whole<T> dw(out[1], false), db(out[2], false);
    Parameter<T> weight(w);
    int64_t lines = n ? x.numel() / n : 0;
    // Rows are folded into parameters in blocks whose number depends on the shape alone.
    int64_t per = std::max<int64_t>(16, (lines + 127) / 128), blocks = (lines + per - 1) / per;
    Workspace sums(size_t(2 * blocks * n) * sizeof(T) + 64);
    parallel_for(
        0, blocks, std::max<int64_t>(1, grain_for(n) / per), [&](int64_t begin, int64_t end) {
          const int64_t most = rows_together(n) * n;
          Workspace ins(in.scratch(most)), grads(grad.scratch(most)), outs(dx.scratch(most));
          for (int64_t block = begin; block < end; ++block) {
            T *bw = sums.as<T>() + 2 * block * n, *bb = bw + n;
            if (need_w) std::fill(bw, bw + n, T(0));
            if (need_b) std::fill(bb, bb + n, T(0));
            int64_t last = std::min(lines, (block + 1) * per), some = rows_together(n);
            for (int64_t r = block * per; r < last; r += some) {
              double mean[kRowsTogether], rstd[kRowsTogether];
              some = std::min(some, last - r);
              const T* xr = in.read(r * n, some * n, ins.as<char>());
              const T* gr = grad.read(r * n, some * n, grads.as<char>());
              row_loops<T>().moments(xr, some, n, eps, rms, mean, rstd);
              if (need_x) {
                row_loops<T>().normalize_backward(gr, xr, dx.room(r * n, outs.as<char>()), some, n,
                                                  mean, rstd, weight.get(), rms);
                dx.write(r * n, some * n, outs.as<char>());
              }
              if (need_w || need_b)
                row_loops<T>().normalize_weights(gr, xr, some, n, mean, rstd, need_w ? bw : nullptr,
                                                 need_b ? bb : nullptr);
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
        row_loops<T>().moments(in.get() + r * n, 1, n, eps, false, &mean, &rstd);
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
        row_loops<T>().moments(in.get() + r * n, 1, n, eps, false, &mean, &rstd);
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

// ---- batch norm ---------------------------------------------------------------------------------

// Batch norm sees [N, C, L]. Where a channel's numbers lie in long rows, each channel is a task. Where
// rows are short, or the channels lie innermost (L = 1, channels last), C * L columns are added up over
// N in the order of memory, and then the L of each channel.
constexpr int64_t kShortRow = 8;

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

struct BatchShape {
  int64_t batch, c, l;
  explicit BatchShape(const Tensor& x)
      : batch(x.sizes()[0]), c(x.sizes()[1]), l(product(x.sizes(), 2, x.dim())) {}
  int64_t columns() const { return c * l; }
  bool narrow() const { return l < kShortRow; }
  ChannelShape channel() const { return {batch, c * l, l}; }
  double count() const { return double(batch * l); }
  void pixels() {
    batch *= l;
    l = 1;
  }
};

// Whether all lie channels last, as numbers of T.
template <class T>
bool pixels(std::initializer_list<const Tensor*> all) {
  for (const Tensor* t : all) {
    const MemoryFormat format =
        t->dim() == 5 ? MemoryFormat::channels_last_3d : MemoryFormat::channels_last;
    if (t->dtype() != dtype_of<T> || t->dim() < 4 || t->dim() > 5 || t->is_contiguous() ||
        !is_contiguous_as(t->get(), format))
      return false;
  }
  return true;
}

// [N, C * L] cut into blocks of rows and strips of columns, by the shape alone.
class ColumnTasks {
 public:
  explicit ColumnTasks(const BatchShape& s)
      : s_(s),
        n_(s.columns()),
        per_(std::max<int64_t>(16, (s.batch + 127) / 128)),
        blocks_((s.batch + per_ - 1) / per_),
        strips_((n_ + kStrip - 1) / kStrip) {}
  int64_t parts() const { return blocks_ * n_; }  // numbers that hold a sum for each block
  // f(block, first row, end, first column, end)
  template <class F>
  void each(F&& f) const {
    const int64_t work = std::max<int64_t>(1, per_ * std::min(n_, kStrip));
    parallel_for(
        0, blocks_ * strips_, std::max<int64_t>(1, 16384 / work), [&](int64_t begin, int64_t end) {
          for (int64_t task = begin; task < end; ++task) {
            const int64_t b = task / strips_, c = task % strips_ * kStrip;
            f(b, b * per_, std::min(s_.batch, (b + 1) * per_), c, std::min(n_, c + kStrip));
          }
        });
  }
  // The sums of a channel's columns over all blocks.
  double total(const double* parts, int64_t channel) const {
    double sum = 0;
    for (int64_t b = 0; b < blocks_; ++b)
      for (int64_t j = 0; j < s_.l; ++j) sum += parts[b * n_ + channel * s_.l + j];
    return sum;
  }
  // One number for each column of a channel.
  template <class T>
  void fill(T* to, int64_t channel, double v) const {
    std::fill_n(to + channel * s_.l, s_.l, T(v));
  }

 private:
  static constexpr int64_t kStrip = 2048;
  const BatchShape& s_;
  int64_t n_, per_, blocks_, strips_;
};

// From the sum of squared differences to T(mean), the variance.
template <class T>
double variance_of(double squares, double mean, double n) {
  const double off = double(T(mean)) - mean, var = std::max(0.0, squares / n - off * off);
  return squares != squares ? squares : var;
}

// What a channel is multiplied by, and what is added.
template <class T>
struct Affine {
  Parameter<T> weight, bias;
  double eps;
  double scale(int64_t k, double var) const {
    return 1 / std::sqrt(var + eps) * (weight.get() ? double(weight.get()[k]) : 1.0);
  }
  double shift(int64_t k, double mean, double scale) const {
    return (bias.get() ? double(bias.get()[k]) : 0.0) - mean * scale;
  }
};

template <class T>
void train_columns(const BatchShape& s, const T* x, T* y, T* means, T* vars, const Affine<T>& p) {
  const ColumnTasks tasks(s);
  const int64_t n = s.columns();
  Workspace sums(size_t(tasks.parts()) * sizeof(double)), room(size_t(2 * n) * sizeof(T));
  double* parts = sums.as<double>();
  T *a = room.as<T>(), *c = a + n;
  auto moments = [&](const T* mean) {
    tasks.each([&](int64_t b, int64_t r0, int64_t r1, int64_t c0, int64_t c1) {
      row_loops<T>().column_moments(x + r0 * n + c0, r1 - r0, c1 - c0, n, mean ? mean + c0 : mean,
                                    parts + b * n + c0);
    });
  };
  std::vector<double> mean(static_cast<size_t>(s.c));
  moments(nullptr);
  for (int64_t k = 0; k < s.c; ++k) {
    mean[size_t(k)] = tasks.total(parts, k) / s.count();
    tasks.fill(a, k, mean[size_t(k)]);
  }
  moments(a);
  for (int64_t k = 0; k < s.c; ++k) {
    const double m = mean[size_t(k)], var = variance_of<T>(tasks.total(parts, k), m, s.count());
    const double scale = p.scale(k, var);
    means[k] = T(m);
    vars[k] = T(var);
    tasks.fill(a, k, scale);
    tasks.fill(c, k, p.shift(k, m, scale));
  }
  tasks.each([&](int64_t, int64_t r0, int64_t r1, int64_t c0, int64_t c1) {
    for (int64_t r = r0; r < r1; ++r)
      row_loops<T>().normalize(x + r * n + c0, y + r * n + c0, c1 - c0, 0, 1, a + c0, c + c0);
  });
}

template <class T>
void train_rows(const BatchShape& s, const T* x, T* y, T* means, T* vars, const Affine<T>& p) {
  parallel_for(0, s.c, grain_for(s.batch * s.l), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      double mean, var;
      channel_loops<T>().moments(x + k * s.l, s.channel(), &mean, &var);
      const double scale = p.scale(k, var);
      means[k] = T(mean);
      vars[k] = T(var);
      channel_loops<T>().affine(x + k * s.l, y + k * s.l, s.channel(), T(scale),
                                T(p.shift(k, mean, scale)));
    }
  });
}

void batch_norm_train_cpu(Results& out, const Tensor& x, const Tensor& w, const Tensor& b,
                          double eps) {
  BatchShape s(x);
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> mean(out[1], false), var(out[2], false);
    const Affine<T> p{Parameter<T>(w), Parameter<T>(b), eps};
    if (pixels<T>({&x, &out[0]})) {
      s.pixels();
      train_columns(s, x.data_as<T>(), out[0].data_as<T>(), mean.get(), var.get(), p);
    } else {
      Whole<T> in(x), y(out[0], false);
      (s.narrow() ? train_columns<T> : train_rows<T>)(s, in.get(), y.get(), mean.get(), var.get(),
                                                      p);
      y.store();
    }
    mean.store();
    var.store();
  });
}

// What a channel's gradient is made of: dx = g * a + x * slope + shift.
struct BatchSlope {
  double a, slope, shift;
  BatchSlope(double sum_g, double sum_gx, double n, double mean, double rstd, double weight) {
    a = rstd * weight;
    slope = -a * rstd * sum_gx / n;
    shift = -a * sum_g / n - slope * mean;
  }
};

// Where a backward pass reads and writes.
template <class T>
struct BatchGradient {
  const T *g, *x;
  T *dx, *dw, *db;
  const T *means, *vars, *weight;
  double eps;
  bool given;  // the statistics do not depend on x
  double rstd(int64_t k) const { return 1 / std::sqrt(double(vars[k]) + eps); }
  BatchSlope slope(int64_t k, double sum_g, double sum_gx, double n) const {
    dw[k] = T(sum_gx);
    db[k] = T(sum_g);
    return {sum_g, sum_gx, n, double(means[k]), rstd(k), weight ? double(weight[k]) : 1.0};
  }
};

template <class T>
void backward_columns(const BatchShape& s, const BatchGradient<T>& p) {
  const ColumnTasks tasks(s);
  const int64_t n = s.columns();
  Workspace sums(size_t(2 * tasks.parts()) * sizeof(double)), room(size_t(3 * n) * sizeof(T));
  double *parts = sums.as<double>(), *parts_x = parts + tasks.parts();
  T *a = room.as<T>(), *b = a + n, *c = b + n;
  for (int64_t k = 0; k < s.c; ++k) {
    tasks.fill(a, k, double(p.means[k]));
    tasks.fill(b, k, p.rstd(k));
  }
  tasks.each([&](int64_t block, int64_t r0, int64_t r1, int64_t c0, int64_t c1) {
    const int64_t at = r0 * n + c0, to = block * n + c0;
    row_loops<T>().column_sums(p.g + at, p.x + at, r1 - r0, c1 - c0, n, a + c0, b + c0, parts + to,
                               parts_x + to);
  });
  for (int64_t k = 0; k < s.c; ++k) {
    const BatchSlope d = p.slope(k, tasks.total(parts, k), tasks.total(parts_x, k), s.count());
    tasks.fill(a, k, d.a);
    tasks.fill(b, k, d.slope);
    tasks.fill(c, k, p.given ? 0.0 : d.shift);
  }
  tasks.each([&](int64_t, int64_t r0, int64_t r1, int64_t c0, int64_t c1) {
    for (int64_t at = r0 * n + c0; at < r1 * n; at += n) {
      if (p.given)
        row_loops<T>().normalize(p.g + at, p.dx + at, c1 - c0, 0, 1, a + c0, c + c0);
      else
        row_loops<T>().affine_columns(p.g + at, p.x + at, p.dx + at, c1 - c0, a + c0, b + c0,
                                      c + c0);
    }
  });
}

template <class T>
void backward_rows(const BatchShape& s, const BatchGradient<T>& p) {
  parallel_for(0, s.c, grain_for(s.batch * s.l), [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t at = k * s.l;
      double sum_g, sum_gx;
      channel_loops<T>().sums(p.g + at, p.x + at, s.channel(), double(p.means[k]), p.rstd(k),
                              &sum_g, &sum_gx);
      const BatchSlope d = p.slope(k, sum_g, sum_gx, s.count());
      if (p.given)
        channel_loops<T>().affine(p.g + at, p.dx + at, s.channel(), T(d.a), T(0));
      else
        channel_loops<T>().affine_of_two(p.g + at, p.x + at, p.dx + at, s.channel(), T(d.a),
                                         T(d.slope), T(d.shift));
    }
  });
}

void batch_norm_train_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& w,
                                   const Tensor& mean_in, const Tensor& var_in, double eps,
                                   bool given_stats) {
  BatchShape s(x);
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> dw(out[1], false), db(out[2], false);
    const Parameter<T> weight(w), means(mean_in), vars(var_in);
    auto given = [&](const T* grad, const T* in, T* dx) {
      return BatchGradient<T>{grad,        in,         dx,           dw.get(), db.get(),
                              means.get(), vars.get(), weight.get(), eps,      given_stats};
    };
    if (pixels<T>({&g, &x, &out[0]})) {
      s.pixels();
      backward_columns(s, given(g.data_as<T>(), x.data_as<T>(), out[0].data_as<T>()));
    } else {
      Whole<T> in(x), grad(g), dx(out[0], false);
      (s.narrow() ? backward_columns<T> : backward_rows<T>)(s,
                                                            given(grad.get(), in.get(), dx.get()));
      dx.store();
    }
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
