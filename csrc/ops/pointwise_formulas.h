// The pointwise class without tensors: dtype rules, the words of its mathematics, and one struct
// per formula of ops/pointwise.def. Included by the kernels, so nothing here knows Python or
// Tensor.
//
// Laws:
//  - A formula's value and derivatives are written once, in the words below. They are instantiated
//  for lanes (cpu/pointwise_lanes.h),
//    for tensors (ops/pointwise.cpp, recorded by the tape) and for Probe, which finds out what a
//    derivative needs.
//  - d is the derivative by an operand; the class computes g * conj(d). `when(mask, d)` is d where
//  the mask holds and an
//    exact zero elsewhere, whatever g is.
//  - Constants may be any arithmetic type: they are rounded to the type that the expression
//  computes in.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "core/dtype.h"

namespace kagari::pointwise {

// ---- dtype rules --------------------------------------------------------------------------------

enum Kinds : uint8_t {
  kFloats = 1,
  kComplex = 2,
  kInts = 4,
  kBool = 8
};  // what a formula computes in
enum class Out : uint8_t { same, boolean, real };

struct DtypeRule {
  uint8_t kinds;               // kernels exist for these
  bool ints_to_float = false;  // integers and bool are promoted to the default dtype
  bool bool_as_int = false;    // bool computes in int32
  Out out = Out::same;
  bool round_numbers = false;  // numbers beside half floats are rounded to them; the four
                               // operations keep their precision
};

namespace rules {
inline constexpr DtypeRule Float{kFloats, true, false, Out::same, true};
inline constexpr DtypeRule FloatC{kFloats | kComplex, true};
inline constexpr DtypeRule OnlyFloat{kFloats, false, false, Out::same, true};
inline constexpr DtypeRule OnlyFloatC{kFloats | kComplex};
inline constexpr DtypeRule Any{kFloats | kComplex | kInts, false, true};
inline constexpr DtypeRule Number{kFloats | kComplex | kInts};
inline constexpr DtypeRule Real{kFloats | kInts, false, true, Out::same, true};
inline constexpr DtypeRule RealNumber{kFloats | kInts, false, false, Out::same, true};
inline constexpr DtypeRule Parts{kFloats | kComplex};
inline constexpr DtypeRule Magnitude{kFloats | kComplex | kInts, false, false, Out::real};
inline constexpr DtypeRule Angle{kFloats | kComplex, true, false, Out::real};
inline constexpr DtypeRule Compare{kFloats | kInts | kBool, false, false, Out::boolean, true};
inline constexpr DtypeRule CompareC{kFloats | kComplex | kInts | kBool, false, false, Out::boolean,
                                    true};
inline constexpr DtypeRule Bits{kInts | kBool, false, false, Out::same, true};
inline constexpr DtypeRule Ints{kInts, false, false, Out::same, true};
}  // namespace rules

// ---- the words ----------------------------------------------------------------------------------

// Functions that lanes and tensors both have (for tensors each is a row of this name).
// clang-format off
#define KG_WORDS_1(W)                                                                            \
  W(exp) W(exp2) W(expm1) W(log) W(log2) W(log10) W(log1p) W(sqrt) W(rsqrt) W(reciprocal) W(sin) \
  W(cos) W(tan) W(asin) W(acos) W(atan) W(sinh) W(cosh) W(tanh) W(asinh) W(acosh) W(atanh)       \
  W(erf) W(erfc) W(erfinv) W(sigmoid) W(lgamma) W(digamma) W(abs) W(sgn) W(floor) W(ceil)        \
  W(trunc) W(round) W(conj_physical)
#define KG_WORDS_BESSEL_I(W) W(bessel_i0) W(bessel_i0e) W(bessel_i1) W(bessel_i1e)
// Special functions of one number without a vector form.
#define KG_WORDS_SPECIAL(W)                                                                  \
  W(bessel_k0) W(bessel_k0e) W(bessel_k1) W(bessel_k1e) W(bessel_j0) W(bessel_j1)            \
  W(bessel_y0) W(bessel_y1) W(airy_ai) W(airy_ai_prime) W(erfcx) W(ndtri)
#define KG_WORDS_2(W)                                                                        \
  W(pow) W(atan2) W(maximum) W(minimum) W(hypot) W(copysign) W(floor_divide) W(trunc_divide) \
  W(polygamma) W(zeta)
// clang-format on

// The type of "has no derivative here".
struct NoGrad {
  const char* why;
};
consteval NoGrad no_grad(const char* why) { return {why}; }

// Stands for lanes when the compiler asks which operands an expression touches.
struct Probe {
  unsigned bits = 0;
  constexpr Probe() = default;
  constexpr explicit Probe(unsigned b, std::nullptr_t) : bits(b) {}
  template <class A>
    requires std::is_arithmetic_v<A>
  constexpr Probe(A) {}
  friend constexpr Probe join(Probe a, Probe b) { return Probe(a.bits | b.bits, nullptr); }
#define KG_PROBE_JOIN(op) \
  friend constexpr Probe operator op(Probe a, Probe b) { return join(a, b); }
  KG_PROBE_JOIN(+)
  KG_PROBE_JOIN(-)
  KG_PROBE_JOIN(*)
  KG_PROBE_JOIN(/)
  KG_PROBE_JOIN(<)
  KG_PROBE_JOIN(>)
  KG_PROBE_JOIN(<=)
  KG_PROBE_JOIN(>=)
  KG_PROBE_JOIN(==)
  KG_PROBE_JOIN(!=)
  KG_PROBE_JOIN(&)
  KG_PROBE_JOIN(|)
  KG_PROBE_JOIN(^)
#undef KG_PROBE_JOIN
  friend constexpr Probe operator-(Probe a) { return a; }
  friend constexpr Probe operator!(Probe a) { return a; }
  friend constexpr Probe where(Probe m, Probe a, Probe b) { return join(m, join(a, b)); }
  friend constexpr Probe when(Probe m, Probe d) { return join(m, d); }
#define KG_PROBE_1(f) \
  friend constexpr Probe f(Probe a) { return a; }
#define KG_PROBE_2(f) \
  friend constexpr Probe f(Probe a, Probe b) { return join(a, b); }
  KG_WORDS_1(KG_PROBE_1)
  KG_WORDS_BESSEL_I(KG_PROBE_1)
  KG_WORDS_SPECIAL(KG_PROBE_1)
  KG_WORDS_2(KG_PROBE_2)
  friend constexpr Probe polynomial(Probe x, Probe n, Probe, Probe) { return join(x, n); }
  friend constexpr Probe replace(Probe x, Probe, Probe, Probe) { return x; }
  KG_PROBE_1(isnan)
  KG_PROBE_1(isfinite)
  KG_PROBE_1(angle_slope)
#undef KG_PROBE_1
#undef KG_PROBE_2
};

inline constexpr double kPi = 3.141592653589793238462643383279502884;
inline constexpr double kLn2 = 0.693147180559945309417232121458176568;
inline constexpr double kLn10 = 2.302585092994045684017991454684364208;
inline constexpr double kSqrtHalf = 0.707106781186547524400844362104849039;
inline constexpr double kTwoOverSqrtPi = 1.128379167095512573896158903121545172;
inline constexpr double kHalfSqrtPi = 0.886226925452758013649083741670572591;
inline constexpr double kInvSqrtTwoPi = 0.398942280401432677939946059934381868;
inline constexpr double kSqrtTwoPi = 2.506628274631000502415765284811045253;
inline constexpr double kSqrtTwoOverPi = 0.797884560802865355879892119868763737;
inline constexpr double kGeluScale = kSqrtTwoOverPi;
inline constexpr double kGeluCubic = 0.044715;
inline constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
inline constexpr double kSeluScale = 1.0507009873554804934193349852946;
inline constexpr double kInf = __builtin_inf();
inline constexpr double kNan = __builtin_nan("");

// Expressions with a name, because they occur twice, need one of their parts twice, or have a form
// of their own in lanes (gelu's and mish's: cpu/pointwise_lanes.h).
template <class E>
constexpr E gelu_value(E x) {
  return 0.5 * x * (1 + erf(x * kSqrtHalf));
}
template <class E>
constexpr E gelu_slope(E x) {
  return 0.5 * (1 + erf(x * kSqrtHalf)) + x * (kInvSqrtTwoPi * exp(-0.5 * x * x));
}
template <class E>
constexpr E gelu_tanh_inner(E x) {
  return tanh(kGeluScale * (x + kGeluCubic * x * x * x));
}
template <class E>
constexpr E gelu_tanh_value(E x) {
  return 0.5 * x * (1 + gelu_tanh_inner(x));
}
template <class E>
constexpr E gelu_tanh_slope(E x) {
  E t = gelu_tanh_inner(x);
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (kGeluScale * (1 + 3 * kGeluCubic * x * x));
}
template <class E>
constexpr E silu_slope(E x) {
  E s = sigmoid(x);
  return s * (1 + x * (1 - s));
}
// log(1 + exp(x)) without overflow.
template <class E>
constexpr E softplus_1(E x) {
  return where(x > 0, x, 0) + log1p(exp(-abs(x)));
}
template <class E>
constexpr E glu_slope(E a, E b) {
  E s = sigmoid(b);
  return a * (s * (1 - s));
}
template <class E>
constexpr E mish_value(E x) {
  return x * tanh(softplus_1(x));
}
template <class E>
constexpr E mish_slope(E x) {
  E t = tanh(softplus_1(x));
  return t + x * sigmoid(x) * (1 - t * t);
}
// min(max(x, low), high); a NaN stays.
template <class E, class A, class B>
constexpr E limit(E x, A low, B high) {
  return minimum(maximum(x, E(low)), E(high));
}
template <class E>
constexpr E pow_slope_base(E a, E b) {
  return where(b == 0, 0, b * pow(a, b - 1));
}
template <class E>
constexpr E pow_slope_exponent(E a, E b, E y) {
  return where((a == 0) & !(b < 0), 0, y * log(a));
}
template <class E>
constexpr E atan2_norm(E a, E b) {
  E n = a * a + b * b;
  return where(n == 0, 0, 1 / n);
}
template <class E>
constexpr E lerp_value(E a, E b, E w) {
  return where(abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w));
}
// A divisor that is never zero, for quotients whose value at zero stands beside them.
template <class E>
constexpr E nonzero(E x) {
  return where(x == 0, 1, x);
}
// The derivative of sin(x) / x, by its series near zero.
template <class E>
constexpr E sin_ratio_slope(E x) {
  E z = x * x, q = nonzero(x);
  return where(
      abs(x) < 0.25,
      x * (-1.0 / 3 + z * (1.0 / 30 + z * (-1.0 / 840 + z * (1.0 / 45360 - z * (1.0 / 3991680))))),
      (cos(x) - sin(x) / q) / q);
}
template <class E>
constexpr E log_ndtr_value(E x) {
  return where(x < -1, log(0.5 * erfcx(-x * kSqrtHalf)) - 0.5 * x * x,
               log1p(-0.5 * erfc(x * kSqrtHalf)));
}
template <class E, class N>
constexpr E bce_log(E x, N low) {
  return maximum(x, E(low));
}

// ---- formulas -----------------------------------------------------------------------------------

enum class Id : uint16_t {
#define KG_UNARY(id, ...) id,
#define KG_BINARY(id, ...) id,
#define KG_TERNARY(id, ...) id,
#define KG_UNARY_FORMULA(id, ...) id,
#define KG_BINARY_FORMULA(id, ...) id,
#define KG_TERNARY_FORMULA(id, ...) id,
#include "ops/pointwise.def"
  count
};
inline constexpr int kFormulas = int(Id::count);
inline constexpr int kMaxAttributes = 4;
inline constexpr int kMaxOperands = 3;
inline constexpr int kMaxDerivatives = 31;  // of orthogonal polynomials

namespace detail {
template <class... A>
consteval int count_names(const A*...) {
  return int(sizeof...(A));
}
}  // namespace detail

// The names of attributes become references to the values passed in `at`.
#define KG_ATTRIBUTES(...) __VA_OPT__([[maybe_unused]] const auto& [__VA_ARGS__] = at;)
#define KG_COUNT(...) KG_COUNT_(__VA_ARGS__ __VA_OPT__(, ) 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define KG_COUNT_(a, b, c, d, e, f, g, h, n, ...) n
#define KG_FORMULA_HEAD(id_, rule_, arity_, ...)                  \
  static constexpr Id id = Id::id_;                               \
  static constexpr const char* name = #id_;                       \
  static constexpr DtypeRule rule = rules::rule_;                 \
  static constexpr int arity = arity_;                            \
  static constexpr int attributes = KG_COUNT(__VA_ARGS__);        \
  static constexpr const char* attribute_names = "" #__VA_ARGS__; \
  template <class N>                                              \
  using At = const N(&)[attributes > 0 ? attributes : 1];

namespace formulas {
#define KG_UNARY_FORMULA(id_, rule_, value_, d_, ...)                                        \
  struct id_##_f {                                                                           \
    KG_FORMULA_HEAD(id_, rule_, 1, __VA_ARGS__)                                              \
    template <class E, class N>                                                              \
    static constexpr __attribute__((always_inline)) auto value(const E (&v)[1],              \
                                                               [[maybe_unused]] At<N> at) {  \
      [[maybe_unused]] const E& x = v[0];                                                    \
      KG_ATTRIBUTES(__VA_ARGS__) return value_;                                              \
    }                                                                                        \
    template <int i, class E, class N>                                                       \
    static constexpr __attribute__((always_inline)) auto d([[maybe_unused]] const E (&v)[2], \
                                                           [[maybe_unused]] At<N> at) {      \
      [[maybe_unused]] const E &x = v[0], &y = v[1];                                         \
      KG_ATTRIBUTES(__VA_ARGS__) return d_;                                                  \
    }                                                                                        \
  };
#define KG_BINARY_FORMULA(id_, rule_, value_, da_, db_, ...)                                 \
  struct id_##_f {                                                                           \
    KG_FORMULA_HEAD(id_, rule_, 2, __VA_ARGS__)                                              \
    template <class E, class N>                                                              \
    static constexpr __attribute__((always_inline)) auto value(const E (&v)[2],              \
                                                               [[maybe_unused]] At<N> at) {  \
      [[maybe_unused]] const E &a = v[0], &b = v[1];                                         \
      KG_ATTRIBUTES(__VA_ARGS__) return value_;                                              \
    }                                                                                        \
    template <int i, class E, class N>                                                       \
    static constexpr __attribute__((always_inline)) auto d([[maybe_unused]] const E (&v)[3], \
                                                           [[maybe_unused]] At<N> at) {      \
      [[maybe_unused]] const E &a = v[0], &b = v[1], &y = v[2];                              \
      KG_ATTRIBUTES(__VA_ARGS__)                                                             \
      if constexpr (i == 0)                                                                  \
        return da_;                                                                          \
      else                                                                                   \
        return db_;                                                                          \
    }                                                                                        \
  };
#define KG_TERNARY_FORMULA(id_, rule_, value_, da_, db_, dc_, ...)                           \
  struct id_##_f {                                                                           \
    KG_FORMULA_HEAD(id_, rule_, 3, __VA_ARGS__)                                              \
    template <class E, class N>                                                              \
    static constexpr __attribute__((always_inline)) auto value(const E (&v)[3],              \
                                                               [[maybe_unused]] At<N> at) {  \
      [[maybe_unused]] const E &a = v[0], &b = v[1], &c = v[2];                              \
      KG_ATTRIBUTES(__VA_ARGS__) return value_;                                              \
    }                                                                                        \
    template <int i, class E, class N>                                                       \
    static constexpr __attribute__((always_inline)) auto d([[maybe_unused]] const E (&v)[4], \
                                                           [[maybe_unused]] At<N> at) {      \
      [[maybe_unused]] const E &a = v[0], &b = v[1], &c = v[2], &y = v[3];                   \
      KG_ATTRIBUTES(__VA_ARGS__)                                                             \
      if constexpr (i == 0)                                                                  \
        return da_;                                                                          \
      else if constexpr (i == 1)                                                             \
        return db_;                                                                          \
      else                                                                                   \
        return dc_;                                                                          \
    }                                                                                        \
  };
#define KG_UNARY(id, sig, as, doc, ...) KG_UNARY_FORMULA(id, __VA_ARGS__)
#define KG_BINARY(id, sig, as, doc, ...) KG_BINARY_FORMULA(id, __VA_ARGS__)
#define KG_TERNARY(id, sig, as, doc, ...) KG_TERNARY_FORMULA(id, __VA_ARGS__)
#include "ops/pointwise.def"
}  // namespace formulas

// What derivative i of a formula is, found by running it on Probes.
template <class F, int i>
struct Derivative {
  static consteval auto probe() {
    Probe v[F::arity + 1];
    for (int k = 0; k <= F::arity; ++k) v[k] = Probe(1u << k, nullptr);
    const Probe at[F::attributes > 0 ? F::attributes : 1]{};
    return F::template d<i>(v, at);
  }
  using type = decltype(probe());
  static constexpr bool exists = !std::is_same_v<type, NoGrad>;
  // Bit k: operand k; bit `arity`: the result. Nothing: a number, so nothing is saved and no kernel
  // is needed.
  static consteval unsigned find_uses() {
    if constexpr (std::is_same_v<type, Probe>)
      return probe().bits;
    else
      return 0;
  }
  static constexpr unsigned uses = find_uses();
};

// ---- what a device brings -----------------------------------------------------------------------

// Computes whole vectors: `vectors` times as many elements as the type's lanes. Operand k advances
// by step[k] bytes per vector (0: one value in all lanes). `attributes` are values of the computing
// type.
using Span = void (*)(void* out, const void* const* in, const int64_t* step, const void* attributes,
                      int64_t vectors);

struct FormulaSpans {
  Span value = nullptr;
  Span gradient[kMaxOperands] =
      {};  // in: g, then what the derivative uses of the operands, then of the result
};
// Copies `bytes` (below a vector) to a vector and fills it up with bytes that no integer division
// trips over.
using Pad = void (*)(void* to, const void* from, int64_t bytes);
struct SpanTable {
  int lanes;  // elements per vector
  Pad pad;
  FormulaSpans formulas[kFormulas];
};

}  // namespace kagari::pointwise
