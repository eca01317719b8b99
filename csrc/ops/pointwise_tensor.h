// On: the words of the pointwise mathematics on tensors, so that a formula's derivative can be
// recorded by the tape.
#pragma once
#include "ops/pointwise.h"
#include "ops/pointwise_formulas.h"

namespace kagari::pointwise {

// A tensor, or a number that has not met one. `dtype` is the real dtype that constants take where
// no tensor gives one.
struct On {
  Tensor t;
  Scalar number;
  Dtype dtype = Dtype::undefined;
  On() = default;
  On(Tensor tensor, Dtype d) : t(std::move(tensor)), dtype(d) {}
  On(const Scalar& s, Dtype d) : number(s), dtype(d) {}
  template <class A>
    requires std::is_arithmetic_v<A>
  On(A a) : number(double(a)) {}
  bool is_tensor() const { return t.defined(); }
  Value value() const { return is_tensor() ? Value(t) : Value(number); }
};
// A tensor of truths, or one truth that comparing two numbers gave.
struct OnMask {
  Tensor t;
  Dtype dtype = Dtype::undefined;
  bool truth = false;
  bool known() const { return !t.defined(); }
};
struct OnWhen {
  OnMask mask;
  On d;
};

inline Dtype joined(const On& a, const On& b) {
  return a.dtype == Dtype::undefined ? b.dtype : a.dtype;
}

inline Scalar fold(char op, const Scalar& a, const Scalar& b) {
  auto apply = [op](auto x, auto y) {
    return op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : x / y;
  };
  if (a.is_complex() || b.is_complex()) return Scalar(apply(a.to_complex(), b.to_complex()));
  return Scalar(apply(a.to_double(), b.to_double()));
}

#define KG_ON_ARITHMETIC(op, name)                                   \
  inline On operator op(const On& a, const On& b) {                  \
    if (!a.is_tensor() && !b.is_tensor())                            \
      return On(fold(#op[0], a.number, b.number), joined(a, b));     \
    return On(call(rows::name, a.value(), b.value()), joined(a, b)); \
  }
KG_ON_ARITHMETIC(+, add)
KG_ON_ARITHMETIC(-, sub)
KG_ON_ARITHMETIC(*, mul)
KG_ON_ARITHMETIC(/, div)
#undef KG_ON_ARITHMETIC
inline On operator-(const On& a) {
  return a.is_tensor() ? On(neg(a.t), a.dtype) : On(fold('*', a.number, Scalar(-1)), a.dtype);
}

// A number becomes a 0-d tensor where a function needs one.
inline Tensor tensor_of(const On& x) {
  return x.is_tensor() ? x.t
                       : scalar_tensor(x.number.to_double(),
                                       x.dtype == Dtype::undefined ? Dtype::f64 : x.dtype);
}

#define KG_ON_COMPARE(op, name)                                                      \
  inline OnMask operator op(const On& a, const On& b) {                              \
    if (!a.is_tensor() && !b.is_tensor())                                            \
      return {Tensor(), joined(a, b), a.number.to_double() op b.number.to_double()}; \
    return {call(rows::name, a.value(), b.value()), joined(a, b)};                   \
  }
KG_ON_COMPARE(<, lt)
KG_ON_COMPARE(>, gt)
KG_ON_COMPARE(<=, le)
KG_ON_COMPARE(>=, ge)
KG_ON_COMPARE(==, eq)
KG_ON_COMPARE(!=, ne)
#undef KG_ON_COMPARE
inline OnMask operator!(const OnMask& a) {
  return a.known() ? OnMask{Tensor(), a.dtype, !a.truth} : OnMask{logical_not(a.t), a.dtype};
}
inline OnMask operator&(const OnMask& a, const OnMask& b) {
  if (a.known()) return a.truth ? b : a;
  if (b.known()) return b.truth ? a : b;
  return {logical_and(a.t, b.t), a.dtype};
}
inline OnMask operator|(const OnMask& a, const OnMask& b) { return !((!a) & (!b)); }
inline OnMask operator^(const OnMask& a, const OnMask& b) { return (a & (!b)) | ((!a) & b); }
inline OnMask isnan(const On& x) { return {isnan(tensor_of(x)), x.dtype}; }
inline OnMask isfinite(const On& x) { return {isfinite(tensor_of(x)), x.dtype}; }

inline On where(const OnMask& m, const On& a, const On& b) {
  if (m.known()) return m.truth ? a : b;
  // Two numbers have no tensor to take their dtype from.
  Value x = a.value();
  Tensor constant;
  if (!a.is_tensor() && !b.is_tensor()) {
    constant = scalar_tensor(a.number.to_double(), m.dtype);
    x = Value(constant);
  }
  return On(call(rows::where, m.t, x, b.value()), m.dtype);
}
inline OnWhen when(const OnMask& m, const On& d) { return {m, d}; }
inline OnWhen when(const OnMask& m, const OnWhen& w) { return {m & w.mask, w.d}; }

#define KG_ON_1(f) \
  inline On f(const On& x) { return On(kagari::f(tensor_of(x)), x.dtype); }
#define KG_ON_2(f, ...)                                                                     \
  inline On f(const On& a_in, const On& b) {                                                \
    On a = a_in.is_tensor() || b.is_tensor() ? a_in : On(tensor_of(a_in), joined(a_in, b)); \
    return On(call(rows::__VA_ARGS__), joined(a, b));                                       \
  }
KG_ON_1(exp)
KG_ON_1(exp2)
KG_ON_1(expm1)
KG_ON_1(log)
KG_ON_1(log2)
KG_ON_1(log10)
KG_ON_1(log1p)
KG_ON_1(sqrt)
KG_ON_1(rsqrt)
KG_ON_1(reciprocal)
KG_ON_1(sin)
KG_ON_1(cos)
KG_ON_1(tan)
KG_ON_1(asin)
KG_ON_1(acos)
KG_ON_1(atan)
KG_ON_1(sinh)
KG_ON_1(cosh)
KG_ON_1(tanh)
KG_ON_1(asinh)
KG_ON_1(acosh)
KG_ON_1(atanh)
KG_ON_1(erf)
KG_ON_1(erfc)
KG_ON_1(erfinv)
KG_ON_1(sigmoid)
KG_ON_1(lgamma)
KG_ON_1(digamma)
KG_ON_1(abs)
KG_ON_1(sgn)
KG_ON_1(floor)
KG_ON_1(ceil)
KG_ON_1(trunc)
KG_ON_1(round)
KG_ON_2(pow, pow, a.value(), b.value())
KG_ON_2(atan2, atan2, a.value(), b.value())
KG_ON_2(hypot, hypot, a.value(), b.value())
KG_ON_2(copysign, copysign, a.value(), b.value())
KG_ON_2(maximum, clamp_min, a.value(), b.value())
KG_ON_2(minimum, clamp_max, a.value(), b.value())
KG_ON_2(floor_divide, div, a.value(), b.value(), "floor")
KG_ON_2(trunc_divide, div, a.value(), b.value(), "trunc")
KG_ON_2(polygamma, polygamma, a.number.to_int(), b.t)
KG_WORDS_BESSEL_I(KG_ON_1)
KG_WORDS_SPECIAL(KG_ON_1)
KG_ON_2(zeta, zeta, a.value(), b.value())
#undef KG_ON_1
#undef KG_ON_2
inline On polynomial(const On& x, const On& n, const On& kind, const On& order) {
  return On(
      call(rows::polynomial, x.value(), n.value(), kind.number.to_int(), order.number.to_int()),
      x.dtype);
}
inline On conj_physical(const On& x) {
  return x.is_tensor()
             ? On(conj(x.t), x.dtype)
             : On(x.number.is_complex() ? Scalar(std::conj(x.number.to_complex())) : x.number,
                  x.dtype);
}
inline OnWhen conj_physical(const OnWhen& w) { return w; }
// The slope of angle() times what belongs to it: -i / x, and 0 for real x.
inline On angle_slope(const On& x) {
  return is_complex(x.t.dtype()) ? On(mul(reciprocal(x.t), Scalar(c128(0, -1))), x.dtype)
                                 : On(x.t * 0, x.dtype);
}

// g * conj(d), recorded.
using TensorDerivative = Tensor (*)(const On* v, const On* at, const Tensor& g);

inline Tensor times(const Tensor& g, const On& d) {
  On c = conj_physical(d);
  if (c.is_tensor()) return mul(g, c.t);
  return c.number.equals(1) ? g : mul(g, c.number);
}
inline Tensor times(const Tensor& g, const OnWhen& w) {
  if (w.mask.known()) return times(g, w.mask.truth ? w.d : On(0));
  return kagari::where(w.mask.t, times(g, w.d), 0);
}
template <class A>
  requires std::is_arithmetic_v<A>
Tensor times(const Tensor& g, A number) {
  return times(g, On(number));
}

template <class F, int i>
Tensor tensor_derivative(const On* v, const On* at, const Tensor& g) {
  return times(g, F::template d<i>(
                      *reinterpret_cast<const On(*)[F::arity + 1]>(v),
                      *reinterpret_cast<const On(*)[F::attributes > 0 ? F::attributes : 1]>(at)));
}

}  // namespace kagari::pointwise
