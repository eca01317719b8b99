// The pointwise class in integers (uint8_t computes bool), and where() by element size.
#include "cpu/pointwise.h"
#include "cpu/pointwise_kernels.h"

namespace kagari::KG_ISA {
const SpanTable pointwise_i32 = make_table<int32_t>();
const SpanTable pointwise_i64 = make_table<int64_t>();
const SpanTable pointwise_u64 = make_table<uint64_t>();
const SpanTable pointwise_u8 = make_table<uint8_t>();

namespace {

// Bytes that select become lanes as wide as the elements.
template <class T>
void select_span(void* out, const void* const* in, const int64_t* step, const void*,
                 int64_t vectors) {
  using V = typename simd::Lanes<T>::type;
  using M = typename simd::Lanes<T>::mask;
  auto* c = static_cast<const char*>(in[0]);
  auto* a = static_cast<const char*>(in[1]);
  auto* b = static_cast<const char*>(in[2]);
  auto* o = static_cast<char*>(out);
  const int64_t sc = step[0], sa = step[1], sb = step[2];
  for (; vectors > 0; --vectors, c += sc, a += sa, b += sb, o += sizeof(V)) {
    typename Bytes<simd::Lanes<T>::size>::type bytes;
    std::memcpy(&bytes, c, sizeof bytes);
    M m = M(__builtin_convertvector(bytes, V)) != 0;
    V r = m ? simd::load(reinterpret_cast<const T*>(a)) : simd::load(reinterpret_cast<const T*>(b));
    simd::store(reinterpret_cast<T*>(o), r);
  }
}
void select_sixteen(void* out, const void* const* in, const int64_t* step, const void*,
                    int64_t vectors) {
  auto* c = static_cast<const char*>(in[0]);
  auto* a = static_cast<const char*>(in[1]);
  auto* b = static_cast<const char*>(in[2]);
  auto* o = static_cast<char*>(out);
  for (int64_t i = 0; i < vectors; ++i)
    std::memcpy(o + 16 * i, c[i * step[0]] ? a + i * step[1] : b + i * step[2], 16);
}

// Bit 15 of every element.
template <bool flip>
void sign_span(void* out, const void* const* in, const int64_t* step, const void*,
               int64_t vectors) {
  auto* a = static_cast<const char*>(in[0]);
  auto* o = static_cast<char*>(out);
  const simd::vu16 sign = simd::vu16{} + uint16_t(0x8000);
  for (; vectors > 0; --vectors, a += step[0], o += simd::kBytes) {
    const simd::vu16 x = simd::load(reinterpret_cast<const uint16_t*>(a));
    simd::store(reinterpret_cast<uint16_t*>(o), flip ? x ^ sign : x & ~sign);
  }
}

}  // namespace

const SelectTable select_table = {
    {&select_span<uint8_t>, &select_span<uint16_t>, &select_span<uint32_t>, &select_span<uint64_t>,
     &select_sixteen},
    {simd::kBytes, simd::kBytes / 2, simd::kBytes / 4, simd::kBytes / 8, 1},
    &sign_span<true>,
    &sign_span<false>};
}  // namespace kagari::KG_ISA
