// How numbers are drawn and laid down: shared by the kernels of random numbers.
#pragma once
#include "core/random.h"

#include <algorithm>
#include <cmath>

#include "core/dtype.h"
#include "core/tensor.h"

namespace kagari {

inline Generator& pick(Generator* g) { return g ? *g : default_generator(); }

// Floats take 24 bits of one word, doubles 53 bits of two.
inline float uniform_float(Generator& g) { return float(g.random() & 0xffffff) * 0x1p-24f; }
inline double uniform_double(Generator& g) {
  return double(g.random64() & ((uint64_t(1) << 53) - 1)) * 0x1p-53;
}

// One number by Box and Muller in double; the other of the pair waits in the generator.
inline double one_normal(Generator& g, double mean, double std) {
  double r;
  if (g.next_normal) {
    r = *g.next_normal;
    g.next_normal.reset();
  } else {
    double u1 = uniform_double(g), u2 = uniform_double(g);
    double radius = std::sqrt(-2 * std::log1p(-u2)), theta = 2.0 * 3.14159265358979323846 * u1;
    g.next_normal = radius * std::sin(theta);
    r = radius * std::cos(theta);
  }
  return std::fma(r, std, mean);
}

// Whether the elements are one run of memory; then they are drawn in the order of memory, as
// PyTorch's loops do.
inline bool dense(const Tensor& t) {
  return t.is_contiguous() || is_non_overlapping_and_dense(t.sizes(), t.strides());
}

// The dimensions of t, those of larger strides first.
inline Dims outer_first(const Tensor& t) {
  Dims order;
  for (int64_t d = 0; d < t.dim(); ++d) order.push_back(d);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return t.strides()[a] > t.strides()[b]; });
  return order;
}

// Calls f(pointer into to, pointer into from) for each element, dimensions of larger strides of
// `to` outside. `from` broadcasts.
template <class F>
void each_pair(const Tensor& to, const Tensor& from, F&& f) {
  Dims order = outer_first(to), step(to.dim());
  int64_t lead = to.dim() - from.dim();
  for (int64_t d = 0; d < from.dim(); ++d)
    step[lead + d] = from.sizes()[d] == 1 ? 0 : from.strides()[d];
  int64_t wide = to.itemsize(), narrow = from.itemsize();
  for (int64_t i = 0; i < to.numel(); ++i) {
    int64_t rest = i, a = 0, b = 0;
    for (int64_t k = order.size() - 1; k >= 0; --k) {
      int64_t d = order[k], at = rest % to.sizes()[d];
      rest /= to.sizes()[d];
      a += at * to.strides()[d];
      b += at * step[d];
    }
    f(to.data() + a * wide, from.data() + b * narrow);
  }
}

// Calls f(pointer) for each element, dimensions of larger strides outside.
template <class F>
void each_element(const Tensor& t, F&& f) {
  int64_t size = t.itemsize();
  if (dense(t)) {
    for (int64_t i = 0; i < t.numel(); ++i) f(t.data() + i * size);
    return;
  }
  each_pair(t, t, [&](char* p, const char*) { f(p); });
}

// draw() per element, stored in the tensor's dtype.
template <class Draw>
void store_each(const Tensor& t, Draw&& draw) {
  visit(t.dtype(), [&]<class T>() {
    each_element(t, [&](char* p) {
      auto v = draw();
      if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>)
        *reinterpret_cast<T*>(p) = T(typename T::value_type(v));
      else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>)
        *reinterpret_cast<T*>(p) = T(float(v));
      else
        *reinterpret_cast<T*>(p) = T(v);
    });
  });
}

}  // namespace kagari
