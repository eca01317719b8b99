// Spans of all formulas for one computing type: included by the files of kernels/pointwise_*.cpp.
#pragma once
#include "cpu/pointwise_lanes.h"

namespace kagari::KG_ISA {

template <class T>
inline constexpr uint8_t kinds_of = is_complex_number<T>          ? pointwise::kComplex
                                    : std::is_floating_point_v<T> ? pointwise::kFloats
                                    : std::is_same_v<T, uint8_t>  ? pointwise::kBool
                                                                  : pointwise::kInts;

template <int n>
struct Bytes;
#define KG_BYTES_OF(n)                                    \
  template <>                                             \
  struct Bytes<n> {                                       \
    using type = uint8_t __attribute__((vector_size(n))); \
  };
KG_BYTES_OF(2)
KG_BYTES_OF(4)
KG_BYTES_OF(8)
KG_BYTES_OF(16)
KG_BYTES_OF(32)
KG_BYTES_OF(64)
#undef KG_BYTES_OF

// Stores a vector of results and returns how many bytes it took.
template <class T, bool real_part>
KG_INLINE int64_t put(char* out, Many<T> r) {
  if constexpr (is_complex_number<T>) {
    std::memcpy(out, &r, real_part ? sizeof(T) / 2 : sizeof(T));
    return real_part ? sizeof(T) / 2 : sizeof(T);
  } else {
    std::memcpy(out, &r.v, sizeof r.v);
    return sizeof r.v;
  }
}
// A mask becomes bytes, 0 or 1.
template <class T, bool>
KG_INLINE int64_t put(char* out, Mask<T> r) {
  if constexpr (is_complex_number<T>) {
    *out = char(r.m);
    return 1;
  } else {
#if KG_SIMD_SSE41 || KG_SIMD_AVX2
    // The compiler would take the lanes out one by one.
    if constexpr (sizeof(T) >= 4) {
#if KG_SIMD_AVX2
      __m128i b = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)r.m),
                                  _mm256_extracti128_si256((__m256i)r.m, 1));
#else
      __m128i b = _mm_packs_epi32((__m128i)r.m, (__m128i)r.m);
#endif
      if constexpr (sizeof(T) == 8) b = _mm_packs_epi32(b, b);
      b = _mm_and_si128(_mm_packs_epi16(b, b), _mm_set1_epi8(1));
      std::memcpy(out, &b, Many<T>::size);
      return Many<T>::size;
    }
#endif
    auto b = __builtin_convertvector(r.m, typename Bytes<Many<T>::size>::type) & 1;
    std::memcpy(out, &b, sizeof b);
    return sizeof b;
  }
}

template <class F, class T>
struct Attributes {
  T at[F::attributes > 0 ? F::attributes : 1];
  KG_INLINE explicit Attributes(const void* p) {
    if constexpr (F::attributes > 0) std::memcpy(at, p, sizeof at);
  }
};

template <class F, class T>
void value_span(void* out, const void* const* in, const int64_t* step, const void* attributes,
                int64_t vectors) {
  const Attributes<F, T> a(attributes);
  const char* p[F::arity];
  int64_t s[F::arity];
  for (int k = 0; k < F::arity; ++k) {
    p[k] = static_cast<const char*>(in[k]);
    s[k] = step[k];
  }
  char* o = static_cast<char*>(out);
  for (; vectors > 0; --vectors) {
    Many<T> v[F::arity];
    for (int k = 0; k < F::arity; ++k) {
      v[k] = Many<T>::load(p[k]);
      p[k] += s[k];
    }
    o += put<T, F::rule.out == pointwise::Out::real>(o, F::value(v, a.at));
  }
}

// g * conj(d) in one pass.
template <class F, class T, int i>
void gradient_span(void* out, const void* const* in, const int64_t* step, const void* attributes,
                   int64_t vectors) {
  constexpr unsigned uses = pointwise::Derivative<F, i>::uses;
  constexpr int n = F::arity + 1;
  constexpr int count = 1 + __builtin_popcount(uses);
  const Attributes<F, T> a(attributes);
  const char* p[count];
  int64_t s[count];
  for (int k = 0; k < count; ++k) {
    p[k] = static_cast<const char*>(in[k]);
    s[k] = step[k];
  }
  char* o = static_cast<char*>(out);
  for (; vectors > 0; --vectors) {
    Many<T> v[n];
    Many<T> g = Many<T>::load(p[0]);
    for (int k = 0, j = 1; k < n; ++k) {
      if (uses >> k & 1)
        v[k] = Many<T>::load(p[j++]);
      else
        v[k] = Many<T>(0);
    }
    for (int k = 0; k < count; ++k) p[k] += s[k];
    o += put<T, false>(o, g * conj_physical(F::template d<i>(v, a.at)));
  }
}

template <class F, class T, int i>
constexpr pointwise::Span gradient_of() {
  if constexpr (i < F::arity && (kinds_of<T> & (pointwise::kFloats | pointwise::kComplex)) != 0) {
    if constexpr (pointwise::Derivative<F, i>::uses != 0) return &gradient_span<F, T, i>;
  }
  return nullptr;
}

template <class F, class T>
constexpr pointwise::FormulaSpans spans_of() {
  if constexpr ((F::rule.kinds & kinds_of<T>) != 0) {
    return {&value_span<F, T>,
            {gradient_of<F, T, 0>(), gradient_of<F, T, 1>(), gradient_of<F, T, 2>()}};
  } else {
    return {};
  }
}

// One store, so that the load that follows need not wait for several.
inline void pad_vector(void* to, const void* from, int64_t bytes) {
#if KG_SIMD_AVX512
  const __mmask64 m = (uint64_t(1) << bytes) - 1;
  _mm512_store_si512(to, _mm512_mask_loadu_epi8(_mm512_set1_epi8(1), m, from));
#else
  uint8_t padded[KG_SIMD_BYTES];
  for (int i = 0; i < KG_SIMD_BYTES; ++i) padded[i] = 1;
#if KG_SIMD_AVX2
  if (bytes & 16) {
    std::memcpy(padded, from, 16);
    from = static_cast<const char*>(from) + 16;
  }
  uint8_t* rest = padded + (bytes & 16);
#else
  uint8_t* rest = padded;
#endif
  auto* p = static_cast<const uint8_t*>(from);
  if (bytes & 8) {
    std::memcpy(rest, p, 8);
    rest += 8;
    p += 8;
  }
  if (bytes & 4) {
    std::memcpy(rest, p, 4);
    rest += 4;
    p += 4;
  }
  for (int i = 0; i < (bytes & 3); ++i) rest[i] = p[i];
  std::memcpy(to, padded, sizeof padded);
#endif
}

template <class T>
constexpr pointwise::SpanTable make_table() {
  return {Many<T>::size,
          &pad_vector,
          {
#define KG_ENTRY(id, ...) spans_of<pointwise::formulas::id##_f, T>(),
#define KG_UNARY KG_ENTRY
#define KG_BINARY KG_ENTRY
#define KG_TERNARY KG_ENTRY
#define KG_UNARY_FORMULA KG_ENTRY
#define KG_BINARY_FORMULA KG_ENTRY
#define KG_TERNARY_FORMULA KG_ENTRY
#include "ops/pointwise.def"
#undef KG_ENTRY
          }};
}

}  // namespace kagari::KG_ISA
