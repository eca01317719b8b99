// Values: the arguments of a primitive as a flat array of tagged words, the one form that parser,
// tape, modes and replay share.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "core/tensor.h"

namespace kagari {

class Generator;  // core/random.h
enum class MemoryFormat : uint8_t { contiguous, preserve, channels_last, channels_last_3d };
enum class Layout : uint8_t { strided, sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc };

// A Python number: bool, int, float or complex.
struct Scalar {
  enum class Kind : uint8_t { boolean, integer, real, complex } kind = Kind::integer;
  bool is_u64 = false;  // the integer is above INT64_MAX and stands for its unsigned bits
  union {
    int64_t i = 0;
    double d;
  };
  double imag = 0;
  Scalar() = default;
  Scalar(bool v) : kind(Kind::boolean), i(v) {}
  Scalar(int v) : i(v) {}
  Scalar(int64_t v) : i(v) {}
  Scalar(double v) : kind(Kind::real), d(v) {}
  Scalar(c128 v) : kind(Kind::complex), d(v.real()), imag(v.imag()) {}
  bool is_integral() const { return kind <= Kind::integer; }  // bool included
  bool is_complex() const { return kind == Kind::complex; }
  double to_double() const {
    return is_integral() ? (is_u64 ? double(uint64_t(i)) : double(i)) : d;
  }
  int64_t to_int() const { return is_integral() ? i : int64_t(d); }
  bool to_bool() const { return is_integral() ? i != 0 : (d != 0 || imag != 0); }
  c128 to_complex() const { return {to_double(), imag}; }
  bool equals(double v) const { return to_double() == v && imag == 0; }
  Dtype dtype() const;  // the dtype a tensor of this number gets (default float / complex)
};

// A Tensor is one pointer, so a pointer to a TensorImpl that somebody keeps alive can be read as
// one without counting: kernels that run without the GIL must not touch counts.
static_assert(sizeof(Tensor) == sizeof(TensorImpl*));
inline const Tensor& as_tensor(TensorImpl* const& p) {
  return *reinterpret_cast<const Tensor*>(&p);
}
inline const Tensor no_tensor;

struct TensorList {
  TensorImpl* const* p = nullptr;  // entries may be null where the signature says Tensor?[]
  int64_t n = 0;
  int64_t size() const { return n; }
  bool empty() const { return n == 0; }
  const Tensor& operator[](int64_t i) const { return as_tensor(p[i]); }
  TensorImpl* at(int64_t i) const { return p[i]; }
};

struct Reals {
  const double* p = nullptr;
  int64_t n = 0;
  double operator[](int64_t i) const { return p[i]; }
};

struct Value {
  enum class Tag : uint8_t {
    none,
    tensor,
    scalar,  // a number in a Scalar or Operand position
    integer,
    real,
    boolean,
    ints,
    reals,
    tensors,
    dtype,
    device,
    memory_format,
    layout,
    string,
    generator,
  };
  Tag tag = Tag::none;
  Scalar::Kind kind = Scalar::Kind::integer;  // of a scalar
  bool is_u64 = false;
  uint32_t n = 0;  // length of lists and strings
  union {
    TensorImpl* t;
    int64_t i;
    double d;
    const int64_t* ints;
    const double* reals;
    TensorImpl* const* ts;
    const char* s;
    Generator* g;
  };
  double imag = 0;
  Value() : i(0) {}
  Value(TensorImpl* p) : tag(p ? Tag::tensor : Tag::none), t(p) {}
  Value(const Tensor& p) : Value(p.get()) {}
  Value(const Scalar& v) : tag(Tag::scalar), kind(v.kind), is_u64(v.is_u64), i(v.i), imag(v.imag) {
    if (!v.is_integral()) d = v.d;
  }
  Value(int64_t v) : tag(Tag::integer), i(v) {}
  Value(int v) : Value(int64_t(v)) {}
  Value(double v) : tag(Tag::real), d(v) {}
  Value(bool v) : tag(Tag::boolean), i(v) {}
  Value(Ints v) : tag(Tag::ints), n(uint32_t(v.n)), ints(v.p) {}
  Value(const Dims& v) : Value(Ints(v)) {}
  Value(Reals v) : tag(Tag::reals), n(uint32_t(v.n)), reals(v.p) {}
  Value(TensorList v) : tag(Tag::tensors), n(uint32_t(v.n)), ts(v.p) {}
  Value(Dtype v) : tag(v == Dtype::undefined ? Tag::none : Tag::dtype), i(int64_t(v)) {}
  Value(Device v) : tag(Tag::device), i((int64_t(v.type) << 8) | uint8_t(v.index)) {}
  Value(MemoryFormat v) : tag(Tag::memory_format), i(int64_t(v)) {}
  Value(Layout v) : tag(Tag::layout), i(int64_t(v)) {}
  Value(std::string_view v) : tag(Tag::string), n(uint32_t(v.size())), s(v.data()) {}
  Value(const char* v) : Value(std::string_view(v)) {}
  Value(Generator* v) : tag(v ? Tag::generator : Tag::none), g(v) {}
  template <class T>
  Value(const std::optional<T>& v) : Value() {
    if (v) *this = Value(*v);
  }
  bool is_none() const { return tag == Tag::none; }
  bool is_tensor() const { return tag == Tag::tensor; }
  Scalar scalar() const {
    Scalar r;
    if (tag == Tag::integer || tag == Tag::boolean) {
      r.kind = tag == Tag::boolean ? Scalar::Kind::boolean : Scalar::Kind::integer;
      r.i = i;
    } else if (tag == Tag::real) {
      r.kind = Scalar::Kind::real;
      r.d = d;
    } else {
      r.kind = kind;
      r.is_u64 = is_u64;
      r.imag = imag;
      if (r.is_integral())
        r.i = i;
      else
        r.d = d;
    }
    return r;
  }
  Device device() const { return {DeviceType(i >> 8), int8_t(i & 0xff)}; }
};

// A tensor or a number, for arguments that take both.
struct Operand {
  const Value& v;
  bool is_tensor() const { return v.is_tensor(); }
  const Tensor& tensor() const { return as_tensor(v.t); }
  Scalar scalar() const { return v.scalar(); }
};

// How a primitive's C++ functions name their parameters' types; one entry per signature type.
template <class T>
struct Unbox;
// By reference, without counting: kernels are called without the GIL.
template <>
struct Unbox<const Tensor&> {
  static const Tensor& get(const Value& v) {
    static_assert(sizeof(Tensor) == sizeof(TensorImpl*));
    static const Tensor none;
    return v.is_tensor() ? reinterpret_cast<const Tensor&>(v.t) : none;
  }
};
template <>
struct Unbox<TensorList> {
  static TensorList get(const Value& v) {
    return v.tag == Value::Tag::tensors ? TensorList{v.ts, v.n} : TensorList{};
  }
};
template <>
struct Unbox<Operand> {
  static Operand get(const Value& v) { return {v}; }
};
template <>
struct Unbox<Scalar> {
  static Scalar get(const Value& v) { return v.scalar(); }
};
template <>
struct Unbox<int64_t> {
  static int64_t get(const Value& v) { return v.i; }
};
template <>
struct Unbox<double> {
  static double get(const Value& v) {
    return v.tag == Value::Tag::real ? v.d : v.scalar().to_double();
  }
};
template <>
struct Unbox<bool> {
  static bool get(const Value& v) { return v.i != 0; }
};
template <>
struct Unbox<Ints> {
  static Ints get(const Value& v) { return v.tag == Value::Tag::ints ? Ints{v.ints, v.n} : Ints{}; }
};
template <>
struct Unbox<Reals> {
  static Reals get(const Value& v) { return {v.reals, v.n}; }
};
template <>
struct Unbox<Dtype> {
  static Dtype get(const Value& v) { return v.is_none() ? Dtype::undefined : Dtype(v.i); }
};  // undefined: not given
template <>
struct Unbox<std::optional<Device>> {
  static std::optional<Device> get(const Value& v) {
    return v.is_none() ? std::optional<Device>() : v.device();
  }
};
template <>
struct Unbox<MemoryFormat> {
  static MemoryFormat get(const Value& v) {
    return v.is_none() ? MemoryFormat::preserve : MemoryFormat(v.i);
  }
};
template <>
struct Unbox<Layout> {
  static Layout get(const Value& v) { return v.is_none() ? Layout::strided : Layout(v.i); }
};
template <>
struct Unbox<std::string_view> {
  static std::string_view get(const Value& v) {
    return v.is_none() ? std::string_view() : std::string_view(v.s, v.n);
  }
};
template <>
struct Unbox<Generator*> {
  static Generator* get(const Value& v) { return v.is_none() ? nullptr : v.g; }
};
template <class T>
struct Unbox<std::optional<T>> {
  static std::optional<T> get(const Value& v) {
    if (v.is_none()) return std::nullopt;
    return Unbox<T>::get(v);
  }
};

}  // namespace kagari
