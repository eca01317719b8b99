// Losses on class indices on the CPU. Rows are tasks; their losses are added in the order of the
// rows.
#include <algorithm>
#include <cmath>

#include "cpu/rows.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(nll_loss)
KG_DECLARE_ROW(nll_loss_backward)
KG_DECLARE_ROW(cross_entropy_indices)
KG_DECLARE_ROW(cross_entropy_backward)

namespace {

enum Reduction : int64_t { kNone = 0, kMean = 1, kSum = 2 };

// Targets as int64, checked: an index outside of [0, classes) that is not ignored would read
// foreign memory.
class Targets {
 public:
  Targets(const Tensor& t, int64_t classes, int64_t ignore) : room_(size_t(t.numel()) * 16 + 64) {
    p_ = room_.as<int64_t>();
    int64_t geometry[2 * kMaxDims], step = 1;
    for (int64_t i = t.dim() - 1; i >= 0; --i) {
      geometry[i] = t.sizes()[i];
      geometry[t.dim() + i] = step;
      step *= t.sizes()[i];
    }
    TensorImpl mine{};
    mine.data = room_.as<char>();
    mine.dtype = Dtype::i64;
    mine.ndim = uint8_t(t.dim());
    mine.sizes = geometry;
    mine.numel = t.numel();
    mine.flags = kContiguous;
    convert(&mine, t.get());
    for (int64_t i = 0; i < t.numel(); ++i)
      KG_CHECK_INDEX(p_[i] == ignore || (p_[i] >= 0 && p_[i] < classes), "Target ", p_[i],
                     " is out of bounds: classes run from 0 to ", classes - 1, " (ignore_index is ",
                     ignore, ")");
  }
  int64_t operator[](int64_t i) const { return p_[i]; }

 private:
  Workspace room_;
  int64_t* p_;
};

std::vector<double> weights_of(const Tensor& w, int64_t classes) {
  std::vector<double> out(size_t(classes), 1.0);
  if (w.defined())
    visit(w.dtype(), [&]<class T>() {
      if constexpr (is_floating(dtype_of<T>))
        for (int64_t i = 0; i < classes; ++i)
          out[size_t(i)] = double(w.data_as<T>()[i * w.strides()[0]]);
    });
  return out;
}
template <class T>
double read(const Tensor& t, int64_t i) {
  return double(t.data_as<T>()[i]);
}
void put(const Tensor& t, int64_t i, double v) {
  visit(t.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) t.data_as<T>()[i] = T(v);
  });
}
double get(const Tensor& t, int64_t i) {
  double r = 0;
  visit(t.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) r = double(t.data_as<T>()[i]);
  });
  return r;
}

// Writes the losses of all rows, reduced, and the sum of the weights.
void reduce_losses(const Tensor& loss, const Tensor& total, const std::vector<double>& losses,
                   double weight_sum, int64_t reduction) {
  put(total, 0, weight_sum);
  if (reduction == kNone) {
    for (size_t i = 0; i < losses.size(); ++i) put(loss, int64_t(i), losses[i]);
    return;
  }
  double sum = 0;
  for (double v : losses) sum += v;
  put(loss, 0, reduction == kMean ? sum / weight_sum : sum);
}
// g per row: the incoming gradient, divided for the mean.
template <class F>
auto row_gradient(const Tensor& g, double total, int64_t reduction, F&& index_of) {
  return [&g, total, reduction, index_of](int64_t i) {
    if (reduction == kNone) return get(g, index_of(i));
    double v = get(g, 0);
    return reduction == kMean ? v / total : v;
  };
}
// Offset of element i of a strided tensor, in elements.
int64_t offset_of(const Tensor& t, int64_t i) {
  if (t.is_contiguous()) return i;
  int64_t at = 0;
  for (int64_t d = t.dim() - 1; d >= 0; --d) {
    at += i % t.sizes()[d] * t.strides()[d];
    i /= t.sizes()[d];
  }
  return at;
}

void nll_cpu(Results& out, const Tensor& x, const Tensor& target, const Tensor& weight,
             int64_t reduction, int64_t ignore) {
  int64_t dim = x.dim() > 1 ? 1 : 0, classes = x.sizes()[dim];
  Targets y(target, classes, ignore);
  std::vector<double> w = weights_of(weight, classes), losses(size_t(target.numel()), 0.0);
  double total = 0;
  for (int64_t i = 0; i < target.numel(); ++i) {
    if (y[i] == ignore) continue;
    int64_t rest = i, at = y[i] * x.strides()[dim];
    for (int64_t d = x.dim() - 1; d >= 0; --d) {
      if (d == dim) continue;
      at += rest % x.sizes()[d] * x.strides()[d];
      rest /= x.sizes()[d];
    }
    double wi = w[size_t(y[i])];
    losses[size_t(i)] = -wi * get(x, at);
    total += wi;
  }
  reduce_losses(out[0], out[1], losses, total, reduction);
}

void nll_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& target,
                      const Tensor& weight, int64_t reduction, int64_t ignore,
                      const Tensor& total) {
  int64_t dim = x.dim() > 1 ? 1 : 0, classes = x.sizes()[dim], inner = 1;
  for (int64_t d = dim + 1; d < x.dim(); ++d) inner *= x.sizes()[d];
  Targets y(target, classes, ignore);
  std::vector<double> w = weights_of(weight, classes);
  std::fill_n(out[0].data(), size_t(out[0].nbytes()), char(0));
  auto gradient =
      row_gradient(g, get(total, 0), reduction, [&](int64_t i) { return offset_of(g, i); });
  for (int64_t i = 0; i < target.numel(); ++i)
    if (y[i] != ignore)
      put(out[0], (i / inner * classes + y[i]) * inner + i % inner, -gradient(i) * w[size_t(y[i])]);
}

void cross_entropy_cpu(Results& out, const Tensor& x, const Tensor& target, const Tensor& weight,
                       int64_t reduction, int64_t ignore, double smoothing) {
  int64_t dim = x.dim() > 1 ? 1 : 0, classes = x.sizes()[dim], lines = target.numel();
  Targets y(target, classes, ignore);
  std::vector<double> w = weights_of(weight, classes), losses(size_t(lines), 0.0);
  double all_weights = 0;
  for (double v : w) all_weights += v;
  visit_row_type(x.dtype(), [&]<class T>() {
    Lines<T> in(x, dim);
    parallel_for(0, lines, std::max<int64_t>(1, 4096 / std::max<int64_t>(classes, 1)),
                 [&](int64_t begin, int64_t end) {
                   Workspace room(size_t(in.scratch()) + size_t(classes) * sizeof(T) + 64);
                   char* scratch = room.as<char>();
                   for (int64_t i = begin; i < end; ++i) {
                     const T* line = in.read(i, scratch);
                     double lse = row_loops<T>().log_sum_exp(line, classes);
                     put(out[1], i, lse);
                     if (y[i] == ignore) continue;
                     double hard = w[size_t(y[i])] * (lse - double(line[y[i]]));
                     if (smoothing > 0) {
                       double soft = 0;
                       if (weight.defined()) {
                         for (int64_t k = 0; k < classes; ++k)
                           soft += w[size_t(k)] * double(line[k]);
                       } else {
                         double unused;
                         row_loops<T>().normalize_sums(line, line, classes, 0, 1, &soft, &unused);
                       }
                       hard = hard * (1 - smoothing) +
                              smoothing / double(classes) * (all_weights * lse - soft);
                     }
                     losses[size_t(i)] = hard;
                   }
                 });
  });
  double total = 0;
  for (int64_t i = 0; i < lines; ++i)
    if (y[i] != ignore) total += w[size_t(y[i])];
  reduce_losses(out[0], out[2], losses, total, reduction);
}

void cross_entropy_backward_cpu(Results& out, const Tensor& g, const Tensor& x,
                                const Tensor& target, const Tensor& weight, const Tensor& lse,
                                const Tensor& total, int64_t reduction, int64_t ignore,
                                double smoothing) {
  int64_t dim = x.dim() > 1 ? 1 : 0, classes = x.sizes()[dim], lines = target.numel();
  Targets y(target, classes, ignore);
  std::vector<double> w = weights_of(weight, classes);
  double all_weights = 0;
  for (double v : w) all_weights += v;
  auto gradient =
      row_gradient(g, get(total, 0), reduction, [&](int64_t i) { return offset_of(g, i); });
  visit_row_type(x.dtype(), [&]<class T>() {
    Lines<T> in(x, dim), dx(out[0], dim);
    parallel_for(0, lines, std::max<int64_t>(1, 4096 / std::max<int64_t>(classes, 1)),
                 [&](int64_t begin, int64_t end) {
                   Workspace room(size_t(in.scratch() + dx.scratch()) + 64);
                   char *a = room.as<char>(), *b = a + in.scratch();
                   for (int64_t i = begin; i < end; ++i) {
                     T* to = dx.room(i, b);
                     if (y[i] == ignore) {
                       std::fill(to, to + classes, T(0));
                     } else {
                       // d loss / d x_k = q * softmax_k - (weights of the targets), q being the sum
                       // of those weights
                       double gi = gradient(i), hard = (1 - smoothing) * w[size_t(y[i])],
                              soft = smoothing / double(classes);
                       row_loops<T>().scaled_softmax(in.read(i, a), to, classes, get(lse, i),
                                                     gi * (hard + soft * all_weights));
                       if (smoothing > 0)
                         for (int64_t k = 0; k < classes; ++k)
                           to[k] = T(double(to[k]) - gi * soft * w[size_t(k)]);
                       to[y[i]] = T(double(to[y[i]]) - gi * hard);
                     }
                     dx.write(i, b);
                   }
                 });
  });
}

}  // namespace

KG_KERNEL(nll_loss, cpu, nll_cpu)
KG_KERNEL(nll_loss_backward, cpu, nll_backward_cpu)
KG_KERNEL(cross_entropy_indices, cpu, cross_entropy_cpu)
KG_KERNEL(cross_entropy_backward, cpu, cross_entropy_backward_cpu)

}  // namespace kagari
