// Conversion of contiguous elements between all real dtypes, and in-register transposition.
#include "cpu/pointwise_convert.h"

#include <type_traits>

#include "core/dtype.h"
#include "cpu/simd/halves.h"
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {

namespace {

// Sixteen elements of a kind: the unit in which floats become integers.
template <class T>
struct Sixteen;
#define KG_SIXTEEN(T)                                            \
  template <>                                                    \
  struct Sixteen<T> {                                            \
    using type = T __attribute__((vector_size(16 * sizeof(T)))); \
  };
KG_SIXTEEN(uint8_t)
KG_SIXTEEN(int8_t)
KG_SIXTEEN(int16_t)
KG_SIXTEEN(uint16_t)
KG_SIXTEEN(int32_t)
KG_SIXTEEN(uint32_t)
KG_SIXTEEN(int64_t)
KG_SIXTEEN(float)
KG_SIXTEEN(double)
#undef KG_SIXTEEN

template <class T>
inline constexpr bool is_short_float = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;
template <class T>
using Wide = std::conditional_t<is_short_float<T>, float, T>;

// The processor truncates; what does not fit becomes the smallest number, and narrower integers
// wrap.
template <class I, class F>
KG_INLINE void truncate_sixteen(I* to, const F* from) {
  using Middle =
      std::conditional_t<(sizeof(I) < 4 || std::is_same_v<I, int32_t>), int32_t, int64_t>;
  typename Sixteen<F>::type x;
  std::memcpy(&x, from, sizeof x);
  auto middle = __builtin_convertvector(x, typename Sixteen<Middle>::type);
  auto y = __builtin_convertvector(middle, typename Sixteen<I>::type);
  std::memcpy(to, &y, sizeof y);
}

KG_INLINE uint64_t to_u64(double x) {
  if (x < 9223372036854775808.0)
    return x >= -9223372036854775808.0 ? uint64_t(int64_t(x)) : uint64_t(1) << 63;
  return x < 18446744073709551616.0
             ? uint64_t(int64_t(x - 9223372036854775808.0)) + (uint64_t(1) << 63)
             : 0;
}

template <class To, class From>
void convert(void* to_, const void* from_, int64_t n) {
  auto* to = static_cast<To*>(to_);
  auto* from = static_cast<const From*>(from_);
  if constexpr (std::is_same_v<To, From>) {
    std::memcpy(to, from, size_t(n) * sizeof(To));
  } else if constexpr (std::is_same_v<To, bool>) {
    auto* bytes = static_cast<uint8_t*>(to_);
    for (int64_t i = 0; i < n; ++i) bytes[i] = Wide<From>(from[i]) != 0;
  } else if constexpr (std::is_same_v<From, bool>) {
    auto* bytes = static_cast<const uint8_t*>(from_);
    for (int64_t i = 0; i < n; ++i) to[i] = To(Wide<To>(bytes[i] != 0));
  } else if constexpr (std::is_floating_point_v<Wide<From>> && std::is_same_v<To, uint64_t>) {
    for (int64_t i = 0; i < n; ++i) to[i] = to_u64(Wide<From>(from[i]));
  } else if constexpr (std::is_floating_point_v<Wide<From>> && std::is_integral_v<To>) {
    using F = Wide<From>;
    for (int64_t i = 0; i < n; i += 16) {
      int64_t rest = n - i;
      if (!is_short_float<From> && rest >= 16) {
        truncate_sixteen(to + i, reinterpret_cast<const F*>(from + i));
        continue;
      }
      F x[16] = {};
      To y[16];
      if (rest > 16) rest = 16;
      for (int64_t k = 0; k < rest; ++k) x[k] = F(from[i + k]);
      truncate_sixteen(y, x);
      std::memcpy(to + i, y, size_t(rest) * sizeof(To));
    }
#ifdef KG_SIMD_HALVES
  } else if constexpr (is_short_float<To> && std::is_same_v<From, float>) {
    constexpr int w = simd::Lanes<float>::size;
    int64_t i = 0;
    for (; i + 4 * w <= n; i += 4 * w)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) simd::narrow(to + i + k * w, simd::load(from + i + k * w));
    for (; i < n; ++i) to[i] = To(from[i]);
  } else if constexpr (is_short_float<From> && std::is_same_v<To, float>) {
    constexpr int w = simd::Lanes<float>::size;
    int64_t i = 0;
    for (; i + 4 * w <= n; i += 4 * w)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) simd::store(to + i + k * w, simd::widen(from + i + k * w));
    for (; i < n; ++i) to[i] = float(from[i]);
#endif
  } else {
    for (int64_t i = 0; i < n; ++i)
      to[i] = To(static_cast<Wide<To>>(static_cast<Wide<From>>(from[i])));
  }
}

constexpr int kTwos = KG_SIMD_BYTES / 2, kFours = KG_SIMD_BYTES / 4, kEights = KG_SIMD_BYTES / 8;

// Interleaves: one step of the transposition network.
#define KG_ZIP(V, M, n)                                             \
  KG_INLINE V zip_low(V a, V b) {                                   \
    M m;                                                            \
    for (int i = 0; i < n; ++i) m[i] = (i & 1) * n + i / 2;         \
    return __builtin_shuffle(a, b, m);                              \
  }                                                                 \
  KG_INLINE V zip_high(V a, V b) {                                  \
    M m;                                                            \
    for (int i = 0; i < n; ++i) m[i] = (i & 1) * n + i / 2 + n / 2; \
    return __builtin_shuffle(a, b, m);                              \
  }
using Bytes16 = int8_t __attribute__((vector_size(16)));
KG_ZIP(Bytes16, Bytes16, 16)
KG_ZIP(simd::vi16, simd::vi16, kTwos)
KG_ZIP(simd::vi32, simd::vi32, kFours)
KG_ZIP(simd::vi64, simd::vi64, kEights)
#undef KG_ZIP

// n by n elements in n registers: log2(n) rounds of interleaving row i with row i + n/2.
template <class V, int n>
KG_INLINE void transpose_registers(char* to, int64_t to_stride, const char* from,
                                   int64_t from_stride, bool stream) {
  V r[n], t[n];
  for (int i = 0; i < n; ++i) std::memcpy(&r[i], from + i * from_stride, sizeof(V));
  for (int round = 1; round < n; round *= 2) {
    for (int i = 0; i < n / 2; ++i) {
      t[2 * i] = zip_low(r[i], r[i + n / 2]);
      t[2 * i + 1] = zip_high(r[i], r[i + n / 2]);
    }
    for (int i = 0; i < n; ++i) r[i] = t[i];
  }
  for (int i = 0; i < n; ++i) {
    char* p = to + i * to_stride;
#if KG_SIMD_AVX512
    if (sizeof(V) == 64 && stream) {
      if constexpr (sizeof(V) == 64)
        _mm512_stream_si512(reinterpret_cast<__m512i*>(p), (__m512i)r[i]);
      continue;
    }
#elif KG_SIMD_AVX2
    if (sizeof(V) == 32 && stream) {
      if constexpr (sizeof(V) == 32)
        _mm256_stream_si256(reinterpret_cast<__m256i*>(p), (__m256i)r[i]);
      continue;
    }
#endif
    std::memcpy(p, &r[i], sizeof(V));
  }
  (void)stream;
}

template <class V, int n, int size>
void transpose_square(char* to, int64_t to_stride, const char* from, int64_t from_stride,
                      bool stream) {
  constexpr int side = 64 / size;
  for (int i = 0; i < side; i += n)
    for (int j = 0; j < side; j += n)
      transpose_registers<V, n>(to + i * to_stride + j * size, to_stride,
                                from + j * from_stride + i * size, from_stride, stream);
}

#define KG_TO(From)                                                           \
  {convert<bool, From>,     convert<uint8_t, From>,  convert<int8_t, From>,   \
   convert<int16_t, From>,  convert<int32_t, From>,  convert<int64_t, From>,  \
   convert<uint16_t, From>, convert<uint32_t, From>, convert<uint64_t, From>, \
   convert<f16, From>,      convert<bf16, From>,     convert<float, From>,    \
   convert<double, From>}

}  // namespace

const ConvertTable convert_table = {
    {KG_TO(bool), KG_TO(uint8_t), KG_TO(int8_t), KG_TO(int16_t), KG_TO(int32_t), KG_TO(int64_t),
     KG_TO(uint16_t), KG_TO(uint32_t), KG_TO(uint64_t), KG_TO(f16), KG_TO(bf16), KG_TO(float),
     KG_TO(double)},
    {&transpose_square<Bytes16, 16, 1>, &transpose_square<simd::vi16, kTwos, 2>,
     &transpose_square<simd::vi32, kFours, 4>, &transpose_square<simd::vi64, kEights, 8>},
};

}  // namespace kagari::KG_ISA
