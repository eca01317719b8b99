// Loops of the optimisers: every number is independent, so the compiler's vectors need no help.
#include "cpu/optim_table.h"

namespace kagari::KG_ISA {
namespace {

template <class T>
T root(T x) {
  if constexpr (sizeof(T) == 4)
    return __builtin_sqrtf(x);
  else
    return __builtin_sqrt(x);
}

template <class T, bool top_kept>
void adam_loop(const AdamStep& s, T* __restrict p, T* __restrict gradient, T* __restrict m,
               T* __restrict v, T* __restrict top, int64_t n) {
  const T shrink = s.decoupled ? T(1 - s.lr * s.weight_decay) : T(1),
          decay = s.decoupled ? T(0) : T(s.weight_decay);
  const T sign = s.maximize ? T(-1) : T(1), inverse_scale = T(s.inverse_scale);
  const T keep1 = T(s.beta1), take1 = T(1 - s.beta1), keep2 = T(s.beta2), take2 = T(1 - s.beta2);
  const T step = T(s.step_size), correction = T(s.root_correction2), eps = T(s.eps);
  if (s.scaled)
    for (int64_t i = 0; i < n; ++i) gradient[i] *= inverse_scale;
  for (int64_t i = 0; i < n; ++i) {
    T x = p[i] * shrink;
    T g = gradient[i] * sign + x * decay;
    T mean = m[i] * keep1 + g * take1;
    T square = v[i] * keep2 + g * g * take2;
    m[i] = mean;
    v[i] = square;
    if constexpr (top_kept) {
      square = top[i] > square ? top[i] : square;
      top[i] = square;
    }
    p[i] = x - step * (mean / (root(square) / correction + eps));
  }
}
template <class T>
void adam(const AdamStep& s, T* p, T* g, T* m, T* v, T* top, int64_t n) {
  if (s.amsgrad)
    adam_loop<T, true>(s, p, g, m, v, top, n);
  else
    adam_loop<T, false>(s, p, g, m, v, top, n);
}

template <class T>
void sgd(const SgdStep& s, T* __restrict p, T* __restrict gradient, T* __restrict b, int64_t n) {
  const T decay = T(s.weight_decay), momentum = T(s.momentum), damp = T(1 - s.dampening),
          lr = T(s.lr), sign = s.maximize ? T(-1) : T(1);
  if (s.scaled)
    for (int64_t i = 0; i < n; ++i) gradient[i] *= T(s.inverse_scale);
  if (!b) {
    for (int64_t i = 0; i < n; ++i) p[i] = p[i] - lr * (gradient[i] * sign + p[i] * decay);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    T g = gradient[i] * sign + p[i] * decay;
    T buffer = s.first ? g : b[i] * momentum + g * damp;
    b[i] = buffer;
    p[i] = p[i] - lr * (s.nesterov ? g + buffer * momentum : buffer);
  }
}

}  // namespace

const OptimTable optim_table = {adam<float>, adam<double>, sgd<float>, sgd<double>};

}  // namespace kagari::KG_ISA
