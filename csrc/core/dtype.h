// Element types: names, sizes, categories, promotion, and the 16-bit floats as C++ types.
#pragma once
#include <bit>
#include <complex>
#include <cstdint>
#include <cstring>
#include <ostream>

namespace kagari {

enum class Dtype : uint8_t {
  boolean,
  u8,
  i8,
  i16,
  i32,
  i64,
  u16,
  u32,
  u64,
  f16,
  bf16,
  f32,
  f64,
  c64,
  c128,
  // storage only: no arithmetic
  c32,
  f8_e4m3fn,
  f8_e5m2,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  f8_e8m0fnu,
  undefined,
};
inline constexpr int kDtypes = int(Dtype::undefined);
inline constexpr int kComputeDtypes = int(Dtype::c32);  // those with arithmetic come first

struct DtypeFacts {
  const char* name;   // "float32"
  const char* alias;  // "float", or nullptr
  uint8_t size;
};
extern const DtypeFacts dtype_facts[kDtypes + 1];

inline int64_t itemsize(Dtype d) { return dtype_facts[int(d)].size; }
inline const char* name(Dtype d) { return dtype_facts[int(d)].name; }
constexpr bool is_complex(Dtype d) {
  return d == Dtype::c64 || d == Dtype::c128 || d == Dtype::c32;
}
constexpr bool is_floating(Dtype d) {
  return (d >= Dtype::f16 && d <= Dtype::f64) || (d >= Dtype::f8_e4m3fn && d <= Dtype::f8_e8m0fnu);
}
constexpr bool is_integral(Dtype d) { return d >= Dtype::u8 && d <= Dtype::u64; }  // bool excluded
constexpr bool is_signed(Dtype d) {
  return !(d == Dtype::boolean || d == Dtype::u8 || (d >= Dtype::u16 && d <= Dtype::u64));
}
constexpr bool is_storage_only(Dtype d) { return d >= Dtype::c32; }
constexpr bool is_differentiable(Dtype d) { return is_floating(d) || is_complex(d); }
// The real dtype of a complex one's parts, and the reverse.
Dtype real_dtype(Dtype d);
Dtype complex_dtype(Dtype d);
// PyTorch's promotion of two tensor dtypes; throws where PyTorch does (float8, wide unsigned with
// signed).
Dtype promote(Dtype a, Dtype b);
// Whether a result of dtype `from` may be written into a tensor of dtype `to` (PyTorch's can_cast).
bool can_cast(Dtype from, Dtype to);

Dtype default_dtype();  // get_default_dtype()
void set_default_dtype(Dtype d);

std::ostream& operator<<(std::ostream& out, Dtype d);

// IEEE half and bfloat16 as storage; arithmetic happens in float. Conversions round to nearest even
// and are written without branches so that loops over them vectorise.
struct f16 {
  uint16_t bits;
  f16() = default;
  f16(float x) {
    uint32_t u = std::bit_cast<uint32_t>(x);
    uint32_t sign = (u >> 16) & 0x8000;
    uint32_t a = u & 0x7fffffff;
    // normal range: rebias and round; subnormals by the float adder; beyond: inf or nan
    uint32_t rounded = (a + 0xc8000fff + ((a >> 13) & 1)) >> 13;
    float shifted = std::bit_cast<float>(a) + 0.5f;
    uint32_t sub = std::bit_cast<uint32_t>(shifted) - 0x3f000000;
    uint32_t r = a < 0x38800000 ? sub : rounded;
    r = a >= 0x477ff000 ? 0x7c00 : r;
    r = a > 0x7f800000 ? 0x7e00 : r;
    bits = uint16_t(sign | (r & 0x7fff));
  }
  operator float() const {
    uint32_t sign = uint32_t(bits & 0x8000) << 16;
    uint32_t a = bits & 0x7fff;
    float normal = std::bit_cast<float>((a << 13) + 0x38000000);
    float sub = float(int32_t(a)) * 5.9604644775390625e-8f;
    float special = std::bit_cast<float>((a << 13) | 0x7f800000);
    float r = a < 0x400 ? sub : (a >= 0x7c00 ? special : normal);
    return std::bit_cast<float>(std::bit_cast<uint32_t>(r) | sign);
  }
};
struct bf16 {
  uint16_t bits;
  bf16() = default;
  bf16(float x) {
    uint32_t u = std::bit_cast<uint32_t>(x);
    uint32_t r = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
    bits = uint16_t((u & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : r);
  }
  operator float() const { return std::bit_cast<float>(uint32_t(bits) << 16); }
};
using c64 = std::complex<float>;
using c128 = std::complex<double>;

template <class T>
struct DtypeOf;
#define KG_DTYPE_OF(T, d)                    \
  template <>                                \
  struct DtypeOf<T> {                        \
    static constexpr Dtype value = Dtype::d; \
  };
KG_DTYPE_OF(bool, boolean)
KG_DTYPE_OF(uint8_t, u8)
KG_DTYPE_OF(int8_t, i8)
KG_DTYPE_OF(int16_t, i16)
KG_DTYPE_OF(int32_t, i32)
KG_DTYPE_OF(int64_t, i64)
KG_DTYPE_OF(uint16_t, u16)
KG_DTYPE_OF(uint32_t, u32)
KG_DTYPE_OF(uint64_t, u64)
KG_DTYPE_OF(f16, f16)
KG_DTYPE_OF(bf16, bf16)
KG_DTYPE_OF(float, f32)
KG_DTYPE_OF(double, f64)
KG_DTYPE_OF(c64, c64)
KG_DTYPE_OF(c128, c128)
#undef KG_DTYPE_OF
template <class T>
inline constexpr Dtype dtype_of = DtypeOf<T>::value;

// visit(dtype, [&]<class T>() { ... }) calls the lambda with the element type; storage-only dtypes
// throw.
[[noreturn]] void throw_storage_only(Dtype d);
template <class F>
decltype(auto) visit(Dtype d, F&& f) {
  switch (d) {
    case Dtype::boolean:
      return f.template operator()<bool>();
    case Dtype::u8:
      return f.template operator()<uint8_t>();
    case Dtype::i8:
      return f.template operator()<int8_t>();
    case Dtype::i16:
      return f.template operator()<int16_t>();
    case Dtype::i32:
      return f.template operator()<int32_t>();
    case Dtype::i64:
      return f.template operator()<int64_t>();
    case Dtype::u16:
      return f.template operator()<uint16_t>();
    case Dtype::u32:
      return f.template operator()<uint32_t>();
    case Dtype::u64:
      return f.template operator()<uint64_t>();
    case Dtype::f16:
      return f.template operator()<f16>();
    case Dtype::bf16:
      return f.template operator()<bf16>();
    case Dtype::f32:
      return f.template operator()<float>();
    case Dtype::f64:
      return f.template operator()<double>();
    case Dtype::c64:
      return f.template operator()<c64>();
    case Dtype::c128:
      return f.template operator()<c128>();
    default:
      throw_storage_only(d);
  }
}
// The same by element size only, for data movement: T is uint8_t, uint16_t, uint32_t, uint64_t or a
// 16-byte struct.
struct Bytes16 {
  uint64_t lo, hi;
};
template <class F>
decltype(auto) visit_size(Dtype d, F&& f) {
  switch (itemsize(d)) {
    case 1:
      return f.template operator()<uint8_t>();
    case 2:
      return f.template operator()<uint16_t>();
    case 4:
      return f.template operator()<uint32_t>();
    case 8:
      return f.template operator()<uint64_t>();
    case 16:
      return f.template operator()<Bytes16>();
    default:
      throw_storage_only(d);
  }
}

}  // namespace kagari
