// Floats of 16 bits in lanes of float: widened on the way from memory, rounded on the way back.
//
// A bf16 is the upper half of a float; rounding is to nearest, halves to even, and a NaN becomes the
// quiet one. KG_SIMD_HALVES is defined where registers have forms for both.
#pragma once
#include "core/dtype.h"
#include "cpu/simd/vec.h"

#if KG_SIMD_AVX512 || (KG_SIMD_AVX2 && defined(__F16C__))
#define KG_SIMD_HALVES 1

namespace kagari::KG_ISA::simd {

#if KG_SIMD_AVX512
KG_INLINE vf widen(const bf16* p) {
  const __m256i h = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return (vf)_mm512_maskz_slli_epi32(kAll16, _mm512_maskz_cvtepu16_epi32(kAll16, h), 16);
}
KG_INLINE vf widen(const f16* p) {
  const __m256i h = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return (vf)_mm512_maskz_cvtph_ps(kAll16, h);
}
KG_INLINE void narrow(bf16* to, vf x) {
  const vu32 u = bit_cast<vu32>(x);
  const vu32 r = (u + 0x7fff + (u >> 16 & 1)) >> 16;
  const vi32 h = where(vi32(x != x), splat<vi32>(0x7fc0), vi32(r));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_maskz_cvtepi32_epi16(kAll16, (__m512i)h));
}
KG_INLINE void narrow(f16* to, vf x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                      _mm512_maskz_cvtps_ph(kAll16, (__m512)x, _MM_FROUND_TO_NEAREST_INT));
}
#else
KG_INLINE vf widen(const bf16* p) {
  const __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return (vf)_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16);
}
KG_INLINE vf widen(const f16* p) {
  return (vf)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
KG_INLINE void narrow(bf16* to, vf x) {
  const __m256i u = (__m256i)x;
  const __m256i last = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  const __m256i r =
      _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(u, _mm256_set1_epi32(0x7fff)), last), 16);
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps((__m256)x, (__m256)x, _CMP_UNORD_Q));
  const __m256i h = _mm256_blendv_epi8(r, _mm256_set1_epi32(0x7fc0), nan);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm_packus_epi32(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1)));
}
KG_INLINE void narrow(f16* to, vf x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                   _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT));
}
#endif

}  // namespace kagari::KG_ISA::simd
#endif
