// Square blocks of one vector's width, transposed on the way from memory.
#pragma once
#include <utility>

#include "cpu/simd/vec.h"

namespace kagari::KG_ISA::simd {

namespace detail {
template <class V, std::size_t... I>
KG_INLINE V interleave_low(V x, V y, std::index_sequence<I...>) {
  constexpr int n = int(sizeof...(I));
  return __builtin_shufflevector(x, y, (int(I % 2) * n + int(I / 2))...);
}
template <class V, std::size_t... I>
KG_INLINE V interleave_high(V x, V y, std::index_sequence<I...>) {
  constexpr int n = int(sizeof...(I));
  return __builtin_shufflevector(x, y, (int(I % 2) * n + int(I / 2) + n / 2)...);
}
}  // namespace detail

// r[j] = the j-th elements of as many rows as a vector has lanes, `stride` elements apart.
template <class T>
KG_INLINE void load_transposed(const T* from, std::int64_t stride, typename Lanes<T>::type* r) {
  using V = typename Lanes<T>::type;
  constexpr int n = Lanes<T>::size;
#if KG_SIMD_AVX2
  if constexpr (sizeof(T) == 4) {
    // Halves of rows i and i + 4 meet on the way from memory: what is left stays within halves.
    const float* rows = reinterpret_cast<const float*>(from);
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      __m256 v[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        __m128 low = _mm_loadu_ps(rows + i * stride + 4 * half);
        v[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(low),
                                    _mm_loadu_ps(rows + (i + 4) * stride + 4 * half), 1);
      }
      __m256d a = (__m256d)_mm256_unpacklo_ps(v[0], v[1]);
      __m256d b = (__m256d)_mm256_unpackhi_ps(v[0], v[1]);
      __m256d c = (__m256d)_mm256_unpacklo_ps(v[2], v[3]);
      __m256d d = (__m256d)_mm256_unpackhi_ps(v[2], v[3]);
      r[4 * half] = (V)_mm256_unpacklo_pd(a, c);
      r[4 * half + 1] = (V)_mm256_unpackhi_pd(a, c);
      r[4 * half + 2] = (V)_mm256_unpacklo_pd(b, d);
      r[4 * half + 3] = (V)_mm256_unpackhi_pd(b, d);
    }
    return;
  }
#endif
  using I = std::make_index_sequence<std::size_t(n)>;
#pragma GCC unroll 16
  for (int i = 0; i < n; ++i) r[i] = load(from + i * stride);
  // Rows i and i + n / 2 are interleaved, log2(n) times.
#pragma GCC unroll 4
  for (int step = 1; step < n; step *= 2) {
    V s[n];
#pragma GCC unroll 8
    for (int i = 0; i < n / 2; ++i) {
      s[2 * i] = detail::interleave_low(r[i], r[i + n / 2], I{});
      s[2 * i + 1] = detail::interleave_high(r[i], r[i + n / 2], I{});
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) r[i] = s[i];
  }
}

}  // namespace kagari::KG_ISA::simd
