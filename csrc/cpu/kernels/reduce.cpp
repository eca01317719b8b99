// Loops of the reductions: fixed lanes inside a block, so that the compiler's vectors and their
// order are the program's.
#include <cmath>
#include <limits>
#include <type_traits>

#include "cpu/reduce_table.h"
#include "cpu/simd/each_vector.h"
#include "cpu/simd/math.h"
#include "cpu/wrap.h"

namespace kagari::KG_ISA {
namespace {

constexpr int kLanes = 64;

template <class T>
inline constexpr bool is_complex_v = std::is_same_v<T, c64> || std::is_same_v<T, c128>;
template <class T>
inline constexpr bool is_half_v = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;
template <class T>
inline constexpr bool is_float_v =
    std::is_same_v<T, float> || std::is_same_v<T, double> || is_half_v<T>;

// What a lane computes in, and what blocks are folded in.
template <class T>
using Lane = std::conditional_t<
    is_half_v<T>, float,
    std::conditional_t<
        std::is_same_v<T, bool>, int64_t,
        std::conditional_t<std::is_integral_v<T>,
                           std::conditional_t<std::is_same_v<T, uint64_t>, uint64_t, int64_t>, T>>>;
template <class T>
using Wide =
    std::conditional_t<is_float_v<T>, double, std::conditional_t<is_complex_v<T>, c128, Lane<T>>>;
// Of the elements themselves, for max and min.
template <class T>
using Same = std::conditional_t<is_half_v<T>, float, T>;

template <class T>
auto absolute(T x) {
  if constexpr (is_complex_v<T>)
    return std::abs(x);
  else if constexpr (std::is_unsigned_v<T>)
    return x;
  else if constexpr (std::is_integral_v<T>)
    return x < 0 ? T(0 - uint64_t(x)) : x;
  else
    return std::fabs(x);
}
template <class T>
auto squared(T x) {
  if constexpr (is_complex_v<T>)
    return x.real() * x.real() + x.imag() * x.imag();
  else
    return x * x;
}

// Each fold: identity, map of an element (with its parameter), join of two lanes, and the widening
// into the accumulator.
template <class T>
struct Sum {
  using L = Lane<T>;
  using A = Wide<T>;
  static L identity() { return L(0); }
  static L map(T x, double) { return L(x); }
  static L join(L a, L b) { return wrap_add(a, b); }
};
template <class T>
struct Prod {
  using L = Wide<T>;  // products in the wide type: their error grows faster
  using A = Wide<T>;
  static L identity() { return L(1); }
  static L map(T x, double) { return L(Lane<T>(x)); }
  static L join(L a, L b) { return wrap_mul(a, b); }
};
template <class T, bool max>
struct Extreme {
  using L = Same<T>;
  using A = L;
  static L identity() {
    if constexpr (std::is_same_v<T, bool>)
      return !max;
    else if constexpr (is_float_v<T>)
      return max ? -std::numeric_limits<L>::infinity() : std::numeric_limits<L>::infinity();
    else
      return max ? std::numeric_limits<L>::lowest() : std::numeric_limits<L>::max();
  }
  static L map(T x, double) { return L(x); }
  static L join(L a, L b) {
    L r = max ? (b > a ? b : a) : (b < a ? b : a);
    if constexpr (is_float_v<T>) {
      r = b != b ? b : r;
      r = a != a ? a : r;
    }
    return r;
  }
};
template <class T>
struct Any {
  using L = int64_t;
  using A = int64_t;
  static L identity() { return 0; }
  static L map(T x, double) { return Lane<T>(x) != Lane<T>(0); }
  static L join(L a, L b) { return a | b; }
};
template <class T>
struct All : Any<T> {
  static int64_t identity() { return 1; }
  static int64_t join(int64_t a, int64_t b) { return a & b; }
};
template <class T>
struct Nonzero : Any<T> {
  static int64_t join(int64_t a, int64_t b) { return a + b; }
};
template <class T>
using RealLane = decltype(absolute(Lane<T>()));
template <class T>
struct SumAbs {
  using L = RealLane<T>;
  using A = double;
  static L identity() { return 0; }
  static L map(T x, double) { return absolute(Lane<T>(x)); }
  static L join(L a, L b) { return a + b; }
};
template <class T>
struct SumSquares : SumAbs<T> {
  using L = std::conditional_t<is_half_v<T> || std::is_same_v<T, float> || std::is_same_v<T, c64>,
                               double, RealLane<T>>;
  static L identity() { return 0; }
  static L map(T x, double) {
    if constexpr (is_complex_v<T>)
      return squared(c128(x));
    else
      return squared(L(Lane<T>(x)));
  }
  static L join(L a, L b) { return a + b; }
};
template <class T>
struct SumAbsPow : SumAbs<T> {
  using L = double;
  static L map(T x, double p) { return std::pow(double(absolute(Lane<T>(x))), p); }
  static L identity() { return 0; }
  static L join(L a, L b) { return a + b; }
};
template <class T, bool max>
struct ExtremeAbs {
  using L = RealLane<T>;
  using A = double;
  static L identity() { return max ? L(0) : L(std::numeric_limits<double>::infinity()); }
  static L map(T x, double) { return absolute(Lane<T>(x)); }
  static L join(L a, L b) {
    L r = max ? (b > a ? b : a) : (b < a ? b : a);
    r = b != b ? b : r;
    return a != a ? a : r;
  }
};
template <class T>
struct SquareDeviation {  // real types; complex ones are split by the caller
  using L = double;
  using A = double;
  static L identity() { return 0; }
  static L map(T x, double mean) {
    double d = double(Lane<T>(x)) - mean;
    return d * d;
  }
  static L join(L a, L b) { return a + b; }
};

// Complex numbers are summed part by part, which the compiler can put into vectors.
template <class R>
void row_complex_sum(const std::complex<R>* x, int64_t n, c128* out) {
  R lanes[kLanes] = {};
  const R* parts = reinterpret_cast<const R*>(x);
  int64_t i = 0;
  for (; i + kLanes <= 2 * n; i += kLanes)
    for (int k = 0; k < kLanes; ++k) lanes[k] += parts[i + k];
  for (int k = 0; i + k < 2 * n; ++k) lanes[k] += parts[i + k];
  double re = 0, im = 0;
  for (int k = 0; k < kLanes; k += 2) {
    re += double(lanes[k]);
    im += double(lanes[k + 1]);
  }
  *out = {re, im};
}

// Of two accumulators.
template <class F, class T>
typename F::A join_wide(typename F::A a, typename F::A b) {
  if constexpr (std::is_same_v<typename F::A, typename F::L>)
    return F::join(a, b);
  else if constexpr (std::is_same_v<F, ExtremeAbs<T, true>>)
    return Extreme<double, true>::join(a, b);
  else if constexpr (std::is_same_v<F, ExtremeAbs<T, false>>)
    return Extreme<double, false>::join(a, b);
  else
    return a + b;
}

// A tree over 2 * step accumulators.
template <class F, class T, int step>
void fold_tree(typename F::A* wide) {
  for (int k = 0; k < step; ++k) wide[k] = join_wide<F, T>(wide[k], wide[k + step]);
  if constexpr (step > 1) fold_tree<F, T, step / 2>(wide);
}
// The same of lanes, in the accumulator's type.
template <class F, class T>
typename F::A fold_lanes(const typename F::L* lanes) {
  using A = typename F::A;
  A wide[kLanes];
  for (int k = 0; k < kLanes; ++k) wide[k] = A(lanes[k]);
  fold_tree<F, T, kLanes / 2>(wide);
  return wide[0];
}

// f(k) for k < n, in eights that the compiler makes vectors of.
template <class Each>
void each_of_tail(int64_t n, Each&& f) {
  int64_t k = 0;
  for (; k + 8 <= n; k += 8)
    for (int j = 0; j < 8; ++j) f(k + j);
  for (; k < n; ++k) f(k);
}

// S rows at a time, a stretch of each in turn: the processor fetches ahead of each of them.
template <class F, class T, int S>
void rows_fold(const T* x, int64_t n, int64_t stride, const double* p, typename F::A* out) {
  using L = typename F::L;
  L lanes[S][kLanes];
  for (int s = 0; s < S; ++s)
    for (int k = 0; k < kLanes; ++k) lanes[s][k] = F::identity();
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int s = 0; s < S; ++s) {
      const T* at = x + s * stride + i;
      const double parameter = p[s];
      for (int k = 0; k < kLanes; ++k) lanes[s][k] = F::join(lanes[s][k], F::map(at[k], parameter));
    }
  for (int s = 0; s < S; ++s) {
    const T* at = x + s * stride + i;
    each_of_tail(n - i,
                 [&](int64_t k) { lanes[s][k] = F::join(lanes[s][k], F::map(at[k], p[s])); });
    out[s] = fold_lanes<F, T>(lanes[s]);
  }
}

// The same for n <= N <= kLanes, without the part of the tree that stays empty.
template <class F, class T, int N>
void short_row_fold(const T* x, int64_t n, double p, typename F::A* out) {
  using A = typename F::A;
  A wide[N];
  auto set = [&](int64_t k) { wide[k] = A(F::join(F::identity(), F::map(x[k], p))); };
  if (n == N) {
    for (int k = 0; k < N; ++k) set(k);
  } else {
    for (int k = 0; k < N; ++k) wide[k] = A(F::identity());
    if constexpr (N < 8)
      for (int64_t k = 0; k < n; ++k) set(k);
    else
      each_of_tail(n, set);
  }
  fold_tree<F, T, N / 2>(wide);
  *out = wide[0];
}

// a^p for floats a >= 0 in double lanes, to 2^-30.
KG_INLINE simd::vd float_power(simd::vd a, double p) {
  using namespace simd;
  const double inf = __builtin_inf();
  const vd h = p * detail::quick::log_positive(a);
  vd r = detail::quick::exp(h);
  r = where(h > 700, inf, where(h < -700, 0, r));
  r = where(a == 0, p > 0 ? 0 : inf, where(a == inf, p > 0 ? inf : 0, r));
  return detail::nan_of(a, r);
}
// Sums of |x|^p, whose lanes the compiler cannot fill itself.
void power_row(const float* x, int64_t n, double p, double* out) {
  using simd::vd, simd::vf;
  vd low{}, high{};
  each_vector<float>(n, [&](int64_t i, int count) KG_INLINED {
    const vf v = simd::abs(get(x + i, count));
    vd a = float_power(simd::widen_low(v), p), b = float_power(simd::widen_high(v), p);
    if (count < simd::Lanes<float>::size)
      for (int k = 0; k < simd::Lanes<double>::size; ++k) {
        if (k >= count) a[k] = 0;
        if (k + simd::Lanes<double>::size >= count) b[k] = 0;
      }
    low += a;
    high += b;
  });
  double lanes[2 * simd::Lanes<double>::size];
  for (int k = 0; k < simd::Lanes<double>::size; ++k) {
    lanes[k] = low[k];
    lanes[k + simd::Lanes<double>::size] = high[k];
  }
  for (int step = simd::Lanes<double>::size; step > 0; step /= 2)
    for (int k = 0; k < step; ++k) lanes[k] += lanes[k + step];
  *out = lanes[0];
}

// Products of floats in double. Eight running vectors stay in registers, where a block's lanes do not.
void product_row(const float* x, int64_t n, double* out) {
  using simd::vd, simd::vf;
  constexpr int64_t w = simd::Lanes<float>::size;
  vd p[8];
  for (vd& lane : p) lane = simd::splat<vd>(1);
  auto take = [&](int r, vf v) KG_INLINED {
    p[2 * r] *= simd::widen_low(v);
    p[2 * r + 1] *= simd::widen_high(v);
  };
  int64_t i = 0;
  for (; i + 4 * w <= n; i += 4 * w)
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) take(r, simd::load(x + i + r * w));
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    if (i >= n) break;
    const int count = n - i < w ? int(n - i) : int(w);
    take(r, only<float>(get(x + i, count), count, 1.0f));
    i += w;
  }
#pragma GCC unroll 4
  for (int step = 4; step > 0; step /= 2)
#pragma GCC unroll 4
    for (int r = 0; r < step; ++r) p[r] *= p[r + step];
  double product = 1;
  for (int k = 0; k < simd::Lanes<double>::size; ++k) product *= p[0][k];
  *out = product;
}

// The folds and kinds that are reduced most: for others short rows and rows in fours do not repay the code.
template <class F, class T>
inline constexpr bool is_frequent =
    (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, int64_t>) &&
    (std::is_same_v<F, Sum<T>> || std::is_same_v<F, Extreme<T, true>> ||
     std::is_same_v<F, Extreme<T, false>> || std::is_same_v<F, SumSquares<T>> ||
     std::is_same_v<F, SquareDeviation<T>>);

template <class F, class T>
void many_rows_fold(const T* x, int64_t count, int64_t n, int64_t stride, const double* p,
                    typename F::A* out) {
  int64_t row = 0;
  if constexpr (std::is_same_v<F, Sum<c64>> || std::is_same_v<F, Sum<c128>>) {
    for (; row < count; ++row) row_complex_sum(x + row * stride, n, out + row);
  } else if constexpr (std::is_same_v<F, SumAbsPow<float>>) {
    for (; row < count; ++row) power_row(x + row * stride, n, p[row], out + row);
  } else if constexpr (std::is_same_v<F, Prod<float>>) {
    for (; row < count; ++row) product_row(x + row * stride, n, out + row);
  } else {
    if constexpr (is_frequent<F, T>) {
      auto each = [&]<int N>() {
        for (; row < count; ++row) short_row_fold<F, T, N>(x + row * stride, n, p[row], out + row);
      };
      if (n <= 4) return each.template operator()<4>();
      if (n <= 8) return each.template operator()<8>();
      if (n <= 16) return each.template operator()<16>();
      if (n <= 32) return each.template operator()<32>();
      if (n >= 4 * kLanes)
        for (; row + 4 <= count; row += 4)
          rows_fold<F, T, 4>(x + row * stride, n, stride, p + row, out + row);
    }
    for (; row < count; ++row) rows_fold<F, T, 1>(x + row * stride, n, stride, p + row, out + row);
  }
}

template <class F, class T>
void column_fold(const T* x, int64_t rows, int64_t columns, int64_t stride, const double* p,
                 void* out) {
  using L = typename F::L;
  using A = typename F::A;
  L lanes[kColumnsPerTask];
  for (int64_t c = 0; c < columns; ++c) lanes[c] = F::identity();
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const T *a = x + r * stride, *b = a + stride, *u = b + stride, *v = u + stride;
    for (int64_t c = 0; c < columns; ++c) {
      L l = F::join(lanes[c], F::map(a[c], p[c]));
      l = F::join(l, F::map(b[c], p[c]));
      l = F::join(l, F::map(u[c], p[c]));
      lanes[c] = F::join(l, F::map(v[c], p[c]));
    }
  }
  for (; r < rows; ++r) {
    const T* row = x + r * stride;
    for (int64_t c = 0; c < columns; ++c) lanes[c] = F::join(lanes[c], F::map(row[c], p[c]));
  }
  A* a = static_cast<A*>(out);
  for (int64_t c = 0; c < columns; ++c) a[c] = A(lanes[c]);
}

// Calls f with the fold's struct for the element type; combinations that folds_as() widens, or that
// no row asks for, do nothing.
template <class T, class Call>
void choose_of(Fold fold, Call&& call) {
  constexpr bool wide = std::is_same_v<T, int64_t> || is_float_v<T> || is_complex_v<T>;
  if constexpr (!is_complex_v<T>) {
    if (fold == Fold::max) return call.template operator()<Extreme<T, true>, T>();
    if (fold == Fold::min) return call.template operator()<Extreme<T, false>, T>();
  }
  if constexpr (!std::is_same_v<T, uint64_t>)
    if (fold == Fold::sum) return call.template operator()<Sum<T>, T>();
  if constexpr (wide)
    if (fold == Fold::prod) return call.template operator()<Prod<T>, T>();
  if constexpr (wide || std::is_same_v<T, bool>) {
    if (fold == Fold::any) return call.template operator()<Any<T>, T>();
    if (fold == Fold::all) return call.template operator()<All<T>, T>();
    if (fold == Fold::nonzero) return call.template operator()<Nonzero<T>, T>();
  }
  if constexpr (is_float_v<T> || is_complex_v<T>) {
    if (fold == Fold::sum_abs) return call.template operator()<SumAbs<T>, T>();
    if (fold == Fold::sum_squares) return call.template operator()<SumSquares<T>, T>();
    if (fold == Fold::sum_abs_pow) return call.template operator()<SumAbsPow<T>, T>();
    if (fold == Fold::max_abs) return call.template operator()<ExtremeAbs<T, true>, T>();
    if (fold == Fold::min_abs) return call.template operator()<ExtremeAbs<T, false>, T>();
  }
  if constexpr (is_float_v<T>)
    if (fold == Fold::square_deviation) return call.template operator()<SquareDeviation<T>, T>();
}
template <class Call>
void choose(Fold fold, Dtype dtype, Call&& call) {
  visit(dtype, [&]<class T>() {
    if constexpr (!is_half_v<T>) choose_of<T>(fold, call);
  });
}

void rows(Fold fold, Dtype dtype, const void* x, int64_t count, int64_t n, int64_t stride,
          const double* p, void* out) {
  choose(fold, dtype, [&]<class F, class T>() {
    many_rows_fold<F, T>(static_cast<const T*>(x), count, n, stride, p,
                         static_cast<typename F::A*>(out));
  });
}

void columns(Fold fold, Dtype dtype, const void* x, int64_t rows, int64_t count, int64_t stride,
             const double* p, void* out) {
  choose(fold, dtype, [&]<class F, class T>() {
    column_fold<F, T>(static_cast<const T*>(x), rows, count, stride, p, out);
  });
}

template <class T, bool max>
int64_t arg_row_of(const T* x, int64_t n, T* value) {
  using S = Same<T>;
  // The extreme value first (vectors), then where it stands first: both passes run in the cache for
  // rows of usual length.
  S best = Extreme<T, max>::identity();
  for (int64_t at = 0; at < n; at += kRowBlock) {
    S block;
    const double none = 0;
    many_rows_fold<Extreme<T, max>, T>(x + at, 1, n - at < kRowBlock ? n - at : kRowBlock, 0, &none,
                                       &block);
    best = at == 0 ? block : Extreme<T, max>::join(best, block);
  }
  int64_t found = 0;
  if (best != best) {
    while (S(x[found]) == S(x[found])) ++found;
  } else {
    while (found < n - 1 && S(x[found]) != best) ++found;
  }
  *value = x[found];
  return found;
}

int64_t arg_row(bool max, Dtype dtype, const void* x, int64_t n, void* value) {
  int64_t found = 0;
  visit(dtype, [&]<class T>() {
    if constexpr (!is_complex_v<T>)
      found = max ? arg_row_of<T, true>(static_cast<const T*>(x), n, static_cast<T*>(value))
                  : arg_row_of<T, false>(static_cast<const T*>(x), n, static_cast<T*>(value));
  });
  return found;
}

template <class T, bool max>
void arg_columns_of(const T* x, int64_t n, int64_t columns, int64_t stride, T* values,
                    int64_t* indices) {
  using S = Same<T>;
  S best[kColumnsPerTask];
  for (int64_t c = 0; c < columns; ++c) {
    best[c] = S(x[c]);
    indices[c] = 0;
  }
  for (int64_t r = 1; r < n; ++r) {
    const T* row = x + r * stride;
    for (int64_t c = 0; c < columns; ++c) {
      S v = S(row[c]);
      bool better = max ? v > best[c] : v < best[c];
      better = (better || v != v) && best[c] == best[c];
      best[c] = better ? v : best[c];
      indices[c] = better ? r : indices[c];
    }
  }
  for (int64_t c = 0; c < columns; ++c) values[c] = x[indices[c] * stride + c];
}

void arg_columns(bool max, Dtype dtype, const void* x, int64_t n, int64_t count, int64_t stride,
                 void* values, int64_t* indices) {
  visit(dtype, [&]<class T>() {
    if constexpr (!is_complex_v<T>) {
      if (max)
        arg_columns_of<T, true>(static_cast<const T*>(x), n, count, stride, static_cast<T*>(values),
                                indices);
      else
        arg_columns_of<T, false>(static_cast<const T*>(x), n, count, stride,
                                 static_cast<T*>(values), indices);
    }
  });
}

}  // namespace

const ReduceTable reduce_table = {rows, columns, arg_row, arg_columns};

}  // namespace kagari::KG_ISA
