// Loops of the distances between rows: lanes are neighbouring rows forward, numbers of a row backward.
#include "cpu/distance_table.h"
#include "cpu/simd/each_vector.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {
namespace {

using simd::Lanes;

constexpr int64_t kChain = 128;  // terms that are added up before they join the sum

template <class V>
KG_INLINE V magnitude(V x) {
  return x < V{} ? -x : x;
}
template <class V>
KG_INLINE V sign(V x) {
  return simd::where(x > V{}, simd::splat<V>(1), simd::where(x < V{}, simd::splat<V>(-1), V{}));
}

// ---- forward ------------------------------------------------------------------------------------

template <Order O, class V>
KG_INLINE V joined(V sum, V difference, V p) {
  const V d = magnitude(difference);
  if constexpr (O == Order::zero)
    return sum + simd::where(d != V{}, simd::splat<V>(1), V{});
  else if constexpr (O == Order::one)
    return sum + d;
  else if constexpr (O == Order::two)
    return sum + d * d;
  else if constexpr (O == Order::infinity)
    return simd::where((d > sum) | (d != d), d, sum);  // a NaN stays
  else
    return sum + simd::pow(d, p);
}

// N vectors of others.
template <Order O, int N, class T>
KG_INLINE void distances(double p, const T* x, int64_t m, const T* columns, int64_t pitch,
                         int64_t live, T* to) {
  using V = typename Lanes<T>::type;
  constexpr int w = Lanes<T>::size;
  const V power = simd::splat<V>(T(p));
  V total[N] = {};
  for (int64_t from = 0; from < m; from += kChain) {
    const int64_t end = m - from < kChain ? m : from + kChain;
    V part[N] = {};
    for (int64_t k = from; k < end; ++k) {
      const V here = simd::splat<V>(x[k]);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i)
        part[i] = joined<O>(part[i], V(simd::load(columns + k * pitch + i * w) - here), power);
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) {
      if constexpr (O == Order::infinity)
        total[i] = joined<O>(total[i], part[i], power);
      else
        total[i] += part[i];
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    if constexpr (O == Order::two) total[i] = simd::sqrt(total[i]);
    if constexpr (O == Order::other) total[i] = simd::pow(total[i], simd::splat<V>(T(1 / p)));
    put(to + i * w, total[i], live - i * w < w ? int(live - i * w) : w);
  }
}

template <Order O, class T>
void row(double p, const T* x, int64_t m, const T* columns, int64_t pitch, int64_t n, T* to) {
  constexpr int64_t w = Lanes<T>::size;
  int64_t j = 0;
  for (; j + 4 * w <= n; j += 4 * w) distances<O, 4>(p, x, m, columns + j, pitch, n - j, to + j);
  for (; j < n; j += w) distances<O, 1>(p, x, m, columns + j, pitch, n - j, to + j);
}

// ---- backward -----------------------------------------------------------------------------------

// What of an other's share all numbers of the row have in common; nothing where the rows are equal.
template <Order O, class T>
KG_INLINE void common(double p, int64_t n, const T* g, const T* distances, T* to) {
  using V = typename Lanes<T>::type;
  each_vector<T>(n, [&](int64_t i, int count) KG_INLINED {
    V v = get(g + i, count);
    if constexpr (O == Order::two || O == Order::other) {
      const V d = get(distances + i, count);
      const V divisor = O == Order::two ? d : simd::pow(d, simd::splat<V>(T(p - 1)));
      v = simd::where(d == V{}, V{}, v / divisor);
    }
    put(to + i, v, count);
  });
}

template <Order O, class V>
KG_INLINE V share(V difference, V factor, V distance, V p_less_one) {
  if constexpr (O == Order::one) return sign(difference) * factor;
  if constexpr (O == Order::two) return difference * factor;
  if constexpr (O == Order::infinity)
    return simd::where(magnitude(difference) == distance, sign(difference) * factor, V{});
  return simd::where(difference == V{}, V{},
                     sign(difference) * simd::pow(magnitude(difference), p_less_one) * factor);
}

template <Order O, int N, class T>
KG_INLINE void shares(double p, const T* x, const T* others, int64_t pitch, int64_t n,
                      const T* factors, const T* distances, T* to) {
  using V = typename Lanes<T>::type;
  constexpr int w = Lanes<T>::size;
  const V power = simd::splat<V>(T(p - 1));
  V total[N] = {}, here[N];
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) here[i] = simd::load(x + i * w);
  for (int64_t from = 0; from < n; from += kChain) {
    const int64_t end = n - from < kChain ? n : from + kChain;
    V part[N] = {};
    for (int64_t j = from; j < end; ++j) {
      const V factor = simd::splat<V>(factors[j]), distance = simd::splat<V>(distances[j]);
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        const V other = simd::load(others + j * pitch + i * w);
        part[i] += share<O>(V(here[i] - other), factor, distance, power);
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < N; ++i) total[i] += part[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) simd::store(to + i * w, total[i]);
}

template <Order O, class T>
void gradient(double p, const T* x, int64_t m, const T* others, int64_t pitch, int64_t n,
              const T* g, const T* distances, T* factors, T* to) {
  constexpr int64_t w = Lanes<T>::size;
  common<O>(p, n, g, distances, factors);
  int64_t k = 0;
  for (; k + 4 * w <= m; k += 4 * w)
    shares<O, 4>(p, x + k, others + k, pitch, n, factors, distances, to + k);
  for (; k < m; k += w) shares<O, 1>(p, x + k, others + k, pitch, n, factors, distances, to + k);
}

// ---- the table ----------------------------------------------------------------------------------

template <class T>
void row_of(Order order, double p, const T* x, int64_t m, const T* columns, int64_t pitch,
            int64_t n, T* to) {
  switch (order) {
    case Order::zero:
      return row<Order::zero>(p, x, m, columns, pitch, n, to);
    case Order::one:
      return row<Order::one>(p, x, m, columns, pitch, n, to);
    case Order::two:
      return row<Order::two>(p, x, m, columns, pitch, n, to);
    case Order::infinity:
      return row<Order::infinity>(p, x, m, columns, pitch, n, to);
    case Order::other:
      return row<Order::other>(p, x, m, columns, pitch, n, to);
  }
}
template <class T>
void gradient_of(Order order, double p, const T* x, int64_t m, const T* others, int64_t pitch,
                 int64_t n, const T* g, const T* distances, T* factors, T* to) {
  switch (order) {
    case Order::zero:  // flat
      for (int64_t k = 0; k < m; ++k) to[k] = 0;
      return;
    case Order::one:
      return gradient<Order::one>(p, x, m, others, pitch, n, g, distances, factors, to);
    case Order::two:
      return gradient<Order::two>(p, x, m, others, pitch, n, g, distances, factors, to);
    case Order::infinity:
      return gradient<Order::infinity>(p, x, m, others, pitch, n, g, distances, factors, to);
    case Order::other:
      return gradient<Order::other>(p, x, m, others, pitch, n, g, distances, factors, to);
  }
}

}  // namespace

const DistanceTable distance_table = {{&row_of<float>, &gradient_of<float>},
                                      {&row_of<double>, &gradient_of<double>}};

}  // namespace kagari::KG_ISA
