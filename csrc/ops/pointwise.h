// The pointwise class by name, for C++: mul(a, b), exp(x), where(mask, a, 0.0), a * b + 1. Each
// call records on the tape when grad mode is on, so gradient rules written with them can be
// differentiated again. Numbers are weak in promotion, as Python's.
#pragma once
#include "ops/call.h"

namespace kagari {

#define KG_UNARY(id, ...) KG_DECLARE_ROW(id)
#define KG_BINARY(id, ...) KG_DECLARE_ROW(id)
#define KG_TERNARY(id, ...) KG_DECLARE_ROW(id)
#include "ops/pointwise.def"
KG_DECLARE_ROW(polygamma)
KG_DECLARE_ROW(where)
KG_DECLARE_ROW(sgn)
KG_DECLARE_ROW(conj)
KG_DECLARE_ROW(copy)
KG_DECLARE_ROW(to_copy)
KG_DECLARE_ROW(fill)
KG_DECLARE_ROW(zero)

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_same_v<T, Scalar>;
template <class T>
concept TensorOrNumber = std::is_same_v<T, Tensor> || Number<T>;

inline Value operand(const Tensor& t) { return Value(t); }
template <Number N>
Value operand(const N& n) {
  return Value(Scalar(n));
}

// Unary rows take their attributes in the signature's order: leaky_relu(x, 0.1).
#define KG_UNARY(id, ...)                                  \
  template <class... A>                                    \
  Tensor id(const Tensor& input, const A&... attributes) { \
    return call(rows::id, input, attributes...);           \
  }
#define KG_BINARY(id, ...)                                           \
  template <TensorOrNumber A, TensorOrNumber B, class... More>       \
    requires(std::is_same_v<A, Tensor> || std::is_same_v<B, Tensor>) \
  Tensor id(const A& a, const B& b, const More&... more) {           \
    return call(rows::id, operand(a), operand(b), more...);          \
  }
#define KG_TERNARY(id, ...)                                                 \
  template <TensorOrNumber B, TensorOrNumber C, class... More>              \
  Tensor id(const Tensor& a, const B& b, const C& c, const More&... more) { \
    return call(rows::id, a, operand(b), operand(c), more...);              \
  }
#include "ops/pointwise.def"

inline Tensor polygamma(int64_t n, const Tensor& x) { return call(rows::polygamma, n, x); }
inline Tensor sgn(const Tensor& x) { return call(rows::sgn, x); }
// Conjugates complex tensors; real ones pass as they are.
inline Tensor conj(const Tensor& x) { return is_complex(x.dtype()) ? call(rows::conj, x) : x; }
template <TensorOrNumber A, TensorOrNumber B>
Tensor where(const Tensor& condition, const A& a, const B& b) {
  return call(rows::where, condition, operand(a), operand(b));
}
inline Tensor div(const Tensor& a, const Tensor& b, const char* rounding_mode) {
  return call(rows::div, a, b, rounding_mode);
}

// x itself when it has the dtype already.
inline Tensor to(const Tensor& x, Dtype dtype) {
  return x.dtype() == dtype ? x : call(rows::to_copy, x, dtype);
}
// to[...] = from[...], broadcasting; and to[...] = value.
inline void copy_(const Tensor& to, const Tensor& from) {
  call_inplace(rows::copy, to, from, false);
}
inline void fill_(const Tensor& t, const Scalar& value) { call_inplace(rows::fill, t, value); }
inline void zero_(const Tensor& t) { call_inplace(rows::zero, t); }

#define KG_OPERATOR(op, name)                                                        \
  inline Tensor operator op(const Tensor& a, const Tensor& b) { return name(a, b); } \
  template <Number N>                                                                \
  Tensor operator op(const Tensor& a, N b) {                                         \
    return name(a, b);                                                               \
  }
KG_OPERATOR(+, add)
KG_OPERATOR(-, sub)
KG_OPERATOR(*, mul)
KG_OPERATOR(/, div)
#undef KG_OPERATOR
template <Number N>
Tensor operator+(N a, const Tensor& b) {
  return add(b, a);
}
template <Number N>
Tensor operator-(N a, const Tensor& b) {
  return rsub(b, a);
}
template <Number N>
Tensor operator*(N a, const Tensor& b) {
  return mul(b, a);
}
template <Number N>
Tensor operator/(N a, const Tensor& b) {
  return mul(reciprocal(b), a);
}
inline Tensor operator-(const Tensor& a) { return neg(a); }

}  // namespace kagari
