// Optimisers on the CPU: all parameters are one list of pieces, shared among the threads.
#include "cpu/optim_table.h"

#include <cmath>
#include <limits>
#include <vector>

#include "cpu/rows.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(fused_adam)
KG_DECLARE_ROW(fused_adamw)
KG_DECLARE_ROW(fused_sgd)

namespace {

const OptimTable& table() {
  static const OptimTable& t = KG_PICK(optim_table);
  return t;
}
// Below this the parameters stay in the cache of the core that uses them next: what a second thread
// saves, moving its half back costs again.
constexpr int64_t kSerial = 1 << 15;
constexpr int64_t kPiece = 8192;  // numbers of one job: a large parameter's, or of some small ones

double number(const Tensor& t) {
  double r = 0;
  visit(t.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) r = double(*t.data_as<T>());
  });
  return r;
}
void check_number(const Tensor& t, const char* name) {
  KG_CHECK(!t.defined() || t.numel() == 1, "expected ", name, " to hold one number, got shape ",
           t.sizes());
}
bool skip(const Tensor& found_inf, const Tensor& grad_scale) {
  check_number(found_inf, "found_inf");
  check_number(grad_scale, "grad_scale");
  return found_inf.defined() && number(found_inf) == 1.0;
}

// The tensors of one parameter: flat when all lie the same way in T, else through contiguous copies
// that are stored back.
template <class T, int N>
class Flat {
 public:
  explicit Flat(const std::array<TensorImpl*, N>& list) {
    const TensorImpl* first = list[0];
    bool same =
        is_non_overlapping_and_dense({first->sizes, first->ndim}, {first->strides(), first->ndim});
    for (TensorImpl* t : list)
      if (t)
        same = same && t->dtype == dtype_of<T> &&
               (t == first ||
                std::equal(first->strides(), first->strides() + first->ndim, t->strides()) ||
                (t->is(kContiguous) && first->is(kContiguous)));
    for (int i = 0; i < N; ++i) {
      if (!list[size_t(i)]) continue;
      if (same) {
        p_[i] = reinterpret_cast<T*>(list[size_t(i)]->data);
      } else {
        whole_[size_t(i)] = std::make_unique<Whole<T>>(as_tensor(list[size_t(i)]));
        p_[i] = whole_[size_t(i)]->get();
      }
    }
  }
  T* operator[](int i) const { return p_[i]; }
  bool copied() const { return whole_[0] != nullptr; }
  void store() {
    for (auto& w : whole_)
      if (w) w->store();
  }

 private:
  T* p_[N] = {};
  std::array<std::unique_ptr<Whole<T>>, N> whole_;
};

// Calls f<T>(parameter index, pointers, offset, count) over all pieces.
template <int N, class F>
void over_pieces(TensorList params, const std::array<TensorList, N>& lists, F&& f) {
  struct Piece {
    int64_t tensor, offset, count;
  };
  std::vector<Piece> pieces;
  std::vector<size_t> jobs{0};  // where each job's pieces begin
  int64_t total = 0, of_job = 0;
  for (int64_t i = 0; i < params.n; ++i) {
    int64_t n = params.at(i)->numel;
    total += n;
    for (int64_t at = 0; at < n; at += kPiece) {
      int64_t count = std::min(kPiece, n - at);
      if (of_job + count > kPiece && of_job) {
        jobs.push_back(pieces.size());
        of_job = 0;
      }
      pieces.push_back({i, at, count});
      of_job += count;
    }
  }
  jobs.push_back(pieces.size());
  auto pointers = [&](int64_t i) {
    std::array<TensorImpl*, N> r;
    for (int k = 0; k < N; ++k)
      r[size_t(k)] = lists[size_t(k)].n ? lists[size_t(k)].at(i) : nullptr;
    return r;
  };
  auto run = [&](size_t begin, size_t end) {
    for (size_t k = begin; k < end; ++k) {
      const Piece& p = pieces[k];
      visit_row_type(params.at(p.tensor)->dtype, [&]<class T>() {
        Flat<T, N> flat(pointers(p.tensor));
        if (!flat.copied()) {
          f.template operator()<T>(p.tensor, flat, p.offset, p.count);
        } else if (p.offset == 0) {  // a copied tensor is one task
          f.template operator()<T>(p.tensor, flat, 0, params.at(p.tensor)->numel);
          flat.store();
        }
      });
    }
  };
  if (total < kSerial)
    run(0, pieces.size());
  else
    parallel_parts(int64_t(jobs.size()) - 1,
                   [&](int64_t job) { run(jobs[size_t(job)], jobs[size_t(job) + 1]); });
}

void adam(TensorList params, TensorList grads, TensorList means, TensorList squares,
          TensorList maxima, TensorList steps, AdamStep s, const Tensor& grad_scale,
          const Tensor& found_inf) {
  if (skip(found_inf, grad_scale)) return;
  s.scaled = grad_scale.defined();
  s.inverse_scale = s.scaled ? 1 / number(grad_scale) : 1.0;
  std::vector<AdamStep> each(static_cast<size_t>(params.n));
  double known = std::numeric_limits<double>::quiet_NaN();  // mostly all have made as many steps
  for (int64_t i = 0; i < params.n; ++i) {
    double t = number(steps[i]);
    if (t != known) {
      s.step_size = s.lr / (1 - std::pow(s.beta1, t));
      s.root_correction2 = std::sqrt(1 - std::pow(s.beta2, t));
      known = t;
    }
    each[size_t(i)] = s;
  }
  over_pieces<5>(
      params, {params, grads, means, squares, s.amsgrad ? maxima : TensorList{}},
      [&]<class T>(int64_t i, auto& p, int64_t at, int64_t n) {
        T* top = p[4] ? p[4] + at : nullptr;
        if constexpr (std::is_same_v<T, float>)
          table().adam_f32(each[size_t(i)], p[0] + at, p[1] + at, p[2] + at, p[3] + at, top, n);
        else
          table().adam_f64(each[size_t(i)], p[0] + at, p[1] + at, p[2] + at, p[3] + at, top, n);
      });
}
void adam_cpu(Results&, TensorList params, TensorList grads, TensorList means, TensorList squares,
              TensorList maxima, TensorList steps, double lr, double beta1, double beta2,
              double decay, double eps, bool amsgrad, bool maximize, const Tensor& scale,
              const Tensor& found) {
  adam(params, grads, means, squares, maxima, steps,
       {lr, beta1, beta2, decay, eps, 0, 0, 1, false, amsgrad, maximize, false}, scale, found);
}
void adamw_cpu(Results&, TensorList params, TensorList grads, TensorList means, TensorList squares,
               TensorList maxima, TensorList steps, double lr, double beta1, double beta2,
               double decay, double eps, bool amsgrad, bool maximize, const Tensor& scale,
               const Tensor& found) {
  adam(params, grads, means, squares, maxima, steps,
       {lr, beta1, beta2, decay, eps, 0, 0, 1, true, amsgrad, maximize, false}, scale, found);
}
void sgd_cpu(Results&, TensorList params, TensorList grads, TensorList buffers, double decay,
             double momentum, double lr, double dampening, bool nesterov, bool maximize, bool first,
             const Tensor& scale, const Tensor& found) {
  if (skip(found, scale)) return;
  SgdStep s{lr,       decay,    momentum, dampening,      scale.defined() ? 1 / number(scale) : 1.0,
            nesterov, maximize, first,    scale.defined()};
  over_pieces<3>(params, {params, grads, momentum != 0 ? buffers : TensorList{}},
                 [&]<class T>(int64_t, auto& p, int64_t at, int64_t n) {
                   T* b = p[2] ? p[2] + at : nullptr;
                   if constexpr (std::is_same_v<T, float>)
                     table().sgd_f32(s, p[0] + at, p[1] + at, b, n);
                   else
                     table().sgd_f64(s, p[0] + at, p[1] + at, b, n);
                 });
}

}  // namespace

KG_KERNEL(fused_adam, cpu, adam_cpu)
KG_KERNEL(fused_adamw, cpu, adamw_cpu)
KG_KERNEL(fused_sgd, cpu, sgd_cpu)

}  // namespace kagari
