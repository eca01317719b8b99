// Connectionist temporal classification on the CPU, a job for each sequence. States are the labels
// with blanks between and around them: state 2 i + 1 is label i.
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/rows.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(ctc_alpha)
KG_DECLARE_ROW(ctc_grad)

namespace {

template <class T>
constexpr T kNever = -std::numeric_limits<T>::infinity();

template <class T>
T log_sum(T a, T b, T c) {
  T most = std::max(a, std::max(b, c));
  if (most == kNever<T>) return most;
  return std::log(std::exp(a - most) + std::exp(b - most) + std::exp(c - most)) + most;
}

template <class T>
struct Sequence {
  const T* log_probs;  // of its first step
  int64_t step;        // elements between steps
  const int64_t* labels;
  int64_t time, states, blank;

  int64_t label(int64_t s) const { return s % 2 ? labels[s / 2] : blank; }
  T at(int64_t t, int64_t s) const { return log_probs[t * step + label(s)]; }
  // Whether an alignment may go from state s - 2 to s.
  bool skips(int64_t s) const { return s >= 2 && s % 2 && label(s) != label(s - 2); }
};

void check_labels(const Tensor& targets, Ints target_lengths, int64_t classes) {
  const int64_t* t = targets.data_as<int64_t>();
  for (int64_t n = 0; n < target_lengths.n; ++n)
    for (int64_t i = 0; i < target_lengths[n]; ++i) {
      int64_t c = t[n * targets.strides()[0] + i * targets.strides()[1]];
      KG_CHECK_INDEX(c >= 0 && c < classes, "expected targets below ", classes, ", got ", c);
    }
}

template <class T, class F>
void each_sequence(const Tensor& log_probs, const Tensor& targets, Ints input_lengths,
                   Ints target_lengths, int64_t blank, F&& f) {
  check_labels(targets, target_lengths, log_probs.sizes()[2]);
  Whole<T> probabilities(log_probs);
  int64_t batch = log_probs.sizes()[1], classes = log_probs.sizes()[2];
  parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> labels;
    for (int64_t n = begin; n < end; ++n) {
      labels.clear();
      for (int64_t i = 0; i < target_lengths[n]; ++i)
        labels.push_back(
            targets.data_as<int64_t>()[n * targets.strides()[0] + i * targets.strides()[1]]);
      f(n, Sequence<T>{probabilities.get() + n * classes, batch * classes, labels.data(),
                       input_lengths[n], 2 * target_lengths[n] + 1, blank});
    }
  });
}

void ctc_alpha_cpu(Results& out, const Tensor& log_probs, const Tensor& targets, Ints input_lengths,
                   Ints target_lengths, int64_t blank) {
  visit_row_type(log_probs.dtype(), [&]<class T>() {
    T* loss = out[0].data_as<T>();
    int64_t width = out[1].sizes()[2], size = out[1].sizes()[1] * width;
    each_sequence<T>(log_probs, targets, input_lengths, target_lengths, blank,
                     [&](int64_t n, const Sequence<T>& q) {
                       T* alpha = out[1].data_as<T>() + n * size;
                       std::fill_n(alpha, size, kNever<T>);
                       if (q.time == 0) {
                         loss[n] = q.states == 1 ? T(0) : -kNever<T>;
                         return;
                       }
                       for (int64_t s = 0; s < std::min<int64_t>(q.states, 2); ++s)
                         alpha[s] = q.at(0, s);
                       for (int64_t t = 1; t < q.time; ++t) {
                         const T* before = alpha + (t - 1) * width;
                         for (int64_t s = 0; s < q.states; ++s)
                           alpha[t * width + s] =
                               q.at(t, s) + log_sum(before[s], s >= 1 ? before[s - 1] : kNever<T>,
                                                    q.skips(s) ? before[s - 2] : kNever<T>);
                       }
                       const T* end = alpha + (q.time - 1) * width + q.states - 1;
                       loss[n] = -log_sum(end[0], q.states > 1 ? end[-1] : kNever<T>, kNever<T>);
                     });
  });
}

// By log_probs as if they were free but for their sum of one: p - (probability of passing here).
void ctc_grad_cpu(Results& out, const Tensor& grad, const Tensor& log_probs, const Tensor& targets,
                  Ints input_lengths, Ints target_lengths, int64_t blank, const Tensor& loss,
                  const Tensor& log_alpha, bool zero_infinity) {
  int64_t steps = log_probs.sizes()[0], batch = log_probs.sizes()[1],
          classes = log_probs.sizes()[2];
  visit_row_type(log_probs.dtype(), [&]<class T>() {
    Whole<T> g(grad), losses(loss), alphas(log_alpha), to(out[0], false);
    int64_t width = log_alpha.sizes()[2];
    each_sequence<T>(log_probs, targets, input_lengths, target_lengths, blank,
                     [&](int64_t n, const Sequence<T>& q) {
                       T nll = losses.get()[n], scale = g.get()[n];
                       const T* alpha = alphas.get() + n * log_alpha.sizes()[1] * width;
                       // Of the ends that begin at each state after step t.
                       std::vector<T> beta(size_t(q.states), kNever<T>), after(beta);
                       bool impossible = nll == -kNever<T>;
                       T instead = zero_infinity ? T(0) : std::numeric_limits<T>::quiet_NaN();
                       for (int64_t t = steps - 1; t >= 0; --t) {
                         T* line = to.get() + (t * batch + n) * classes;
                         if (impossible || t >= q.time) {
                           std::fill_n(line, classes, t >= q.time ? T(0) : instead);
                           continue;
                         }
                         for (int64_t c = 0; c < classes; ++c)
                           line[c] = std::exp(q.log_probs[t * q.step + c]);
                         std::swap(beta, after);
                         for (int64_t s = q.states - 1; s >= 0; --s) {
                           T next = s + 1 < q.states ? after[size_t(s) + 1] : kNever<T>;
                           T skip = s + 2 < q.states && q.skips(s + 2) ? after[size_t(s) + 2]
                                                                       : kNever<T>;
                           T rest = log_sum(after[size_t(s)], next, skip);
                           if (t == q.time - 1) rest = s >= q.states - 2 ? T(0) : kNever<T>;
                           beta[size_t(s)] = q.at(t, s) + rest;
                           line[q.label(s)] -= std::exp(alpha[t * width + s] + rest + nll);
                         }
                         for (int64_t c = 0; c < classes; ++c) line[c] *= scale;
                       }
                     });
    to.store();
  });
}

}  // namespace

KG_KERNEL(ctc_alpha, cpu, ctc_alpha_cpu)
KG_KERNEL(ctc_grad, cpu, ctc_grad_cpu)

}  // namespace kagari
