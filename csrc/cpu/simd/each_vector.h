// Walking a row of numbers in vectors: whole ones first, then the tail as one padded vector.
#pragma once
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {

// Of a lambda given to each_vector: left to itself the compiler makes one function of a long body,
// and looks at `count` for every vector.
#define KG_INLINED __attribute__((always_inline))

// Calls f(offset, count): count is less than a vector at most in the last call.
template <class T, class F>
KG_INLINE void each_vector(int64_t n, F&& f) {
  constexpr int64_t w = simd::Lanes<T>::size;
  int64_t i = 0;
  for (; i + w <= n; i += w) f(i, int(w));
  if (i < n) f(i, int(n - i));
}
template <class T>
KG_INLINE typename simd::Lanes<T>::type get(const T* p, int count) {
  return count == simd::Lanes<T>::size ? simd::load(p) : simd::load_partial(p, count);
}
template <class T>
KG_INLINE void put(T* p, typename simd::Lanes<T>::type v, int count) {
  if (count == simd::Lanes<T>::size)
    simd::store(p, v);
  else
    simd::store_partial(p, v, count);
}

// Lanes from `count` on become `other`.
template <class T>
KG_INLINE typename simd::Lanes<T>::type only(typename simd::Lanes<T>::type v, int count, T other) {
  using M = typename simd::Lanes<T>::mask;
  M place{};
#pragma GCC unroll 16
  for (int k = 0; k < simd::Lanes<T>::size; ++k) place[k] = k;
  return simd::where(M(place < M{} + count), v, other);
}

}  // namespace kagari::KG_ISA
