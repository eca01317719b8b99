// Conversion of contiguous elements between all real dtypes, and in-register transposition.
#include "cpu/pointwise_convert.h"

#include <type_traits>

#include "core/dtype.h"
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

#if KG_SIMD_AVX2 || KG_SIMD_AVX512
// Eight floats rounded to bf16, in 32-bit lanes; a NaN becomes the quiet one.
KG_INLINE __m256i round_to_bf16(const float* from) {
  const __m256 x = _mm256_loadu_ps(from);
  const __m256i u = _mm256_castps_si256(x);
  const __m256i last = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  const __m256i r =
      _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), last), 16);
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(r, _mm256_set1_epi32(0x7fc0), nan);
}
#endif

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
  } else if constexpr (std::is_same_v<To, f16> && std::is_same_v<From, float>) {
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= n; i += 8)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                       _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#endif
    for (; i < n; ++i) to[i] = f16(from[i]);
  } else if constexpr (std::is_same_v<To, bf16> && std::is_same_v<From, float>) {
    int64_t i = 0;
#if KG_SIMD_AVX2 || KG_SIMD_AVX512
    for (; i + 16 <= n; i += 16) {
      const __m256i both =
          _mm256_packus_epi32(round_to_bf16(from + i), round_to_bf16(from + i + 8));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_permute4x64_epi64(both, 0xd8));
    }
#endif
    for (; i < n; ++i) to[i] = bf16(from[i]);
  } else if constexpr (std::is_same_v<From, f16> && std::is_same_v<To, float>) {
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= n; i += 8)
      _mm256_storeu_ps(
          to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
#endif
    for (; i < n; ++i) to[i] = float(from[i]);
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
