// Scans on the CPU: running sums, products, extremes, logarithms of sums, and linear recurrences; the
// gradient of a product.
//
// Every kernel converts its input into the output and scans there, but that sums and products along
// contiguous lines read where the input lies. Long lines are scanned in blocks of a fixed length, so
// that the bits do not depend on the number of threads.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/lines.h"
#include "cpu/stream.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(prod_backward)

namespace {

constexpr int64_t kStrip = 64;    // columns side by side share cache lines
constexpr int64_t kBlock = 4000;  // elements of a long line that are scanned in one piece; no power
                                  // of two, or blocks would compete for the same cache sets
constexpr int64_t kTogether = 4;  // blocks scanned at a time: their chains of additions overlap
constexpr int64_t kAbreast = 4;   // short lines scanned at a time, for the same reason
constexpr int64_t kTaskWork = 8192;  // elements per task

// [outer, n, inner], contiguous.
struct Grid {
  int64_t outer = 1, n = 1, inner = 1;
  bool lines() const { return inner == 1 && n > 1; }
  bool long_lines() const { return inner == 1 && n >= 2 * kBlock; }
  Grid(const Tensor& y, int64_t dim) {
    int64_t d = wrap_dim(dim, y.dim());
    for (int64_t i = 0; i < y.dim(); ++i) (i < d ? outer : i == d ? n : inner) *= y.sizes()[i];
  }
};

// f(first element, columns): a strip of columns runs down from there, `inner` elements apart.
template <class F>
void each_strip(const Grid& g, F&& f) {
  int64_t strips = (g.inner + kStrip - 1) / kStrip;
  int64_t work = std::max<int64_t>(g.n * std::min(g.inner, kStrip), 1);
  parallel_for(0, g.outer * strips, std::max<int64_t>(1, kTaskWork / work),
               [&](int64_t begin, int64_t end) {
                 for (int64_t task = begin; task < end; ++task) {
                   int64_t c = task % strips * kStrip;
                   f(task / strips * g.n * g.inner + c, std::min(kStrip, g.inner - c));
                 }
               });
}

// ---- sums and products --------------------------------------------------------------------------

template <class T, class A>
T stored(A v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>)
    return T(float(v));
  else if constexpr (std::is_same_v<T, bool>)
    return v != A(0);
  else
    return static_cast<T>(v);
}
template <class A, class T>
A loaded(T v) {
  if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>)
    return A(float(v));
  else
    return static_cast<A>(v);
}

// One line in blocks: their totals, the totals' scan, then each block from where it starts.
template <class A, class T, class Op>
void scan_long_line(const T* from, T* x, int64_t n, A identity, Op op) {
  int64_t blocks = n / kBlock;  // what is left after them belongs to no block
  Workspace memory(size_t(blocks + 1) * sizeof(A));
  A* start = memory.as<A>();
  parallel_for(0, blocks, 8, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      A part[8];
      std::fill_n(part, 8, identity);
      for (int64_t i = b * kBlock; i < (b + 1) * kBlock; i += 8)
        for (int k = 0; k < 8; ++k) part[k] = op(part[k], loaded<A>(from[i + k]));
      for (int k = 4; k > 0; k /= 2)
        for (int j = 0; j < k; ++j) part[j] = op(part[j], part[j + k]);
      start[b + 1] = part[0];
    }
  });
  start[0] = identity;
  for (int64_t b = 1; b <= blocks; ++b) start[b] = op(start[b - 1], start[b]);
  parallel_for(0, (blocks + kTogether - 1) / kTogether, 2, [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; ++q) {
      int64_t b = q * kTogether, w = std::min(kTogether, blocks - b);
      const T* in = from + b * kBlock;
      T* at = x + b * kBlock;
      A running[kTogether];
      std::copy_n(start + b, w, running);
      if (w == kTogether) {
        for (int64_t i = 0; i < kBlock; ++i)
          for (int k = 0; k < kTogether; ++k) {
            running[k] = op(running[k], loaded<A>(in[k * kBlock + i]));
            at[k * kBlock + i] = stored<T>(running[k]);
          }
      } else {
        for (int64_t k = 0; k < w; ++k)
          for (int64_t i = 0; i < kBlock; ++i) {
            running[k] = op(running[k], loaded<A>(in[k * kBlock + i]));
            at[k * kBlock + i] = stored<T>(running[k]);
          }
      }
    }
  });
  A running = start[blocks];
  for (int64_t i = blocks * kBlock; i < n; ++i) {
    running = op(running, loaded<A>(from[i]));
    x[i] = stored<T>(running);
  }
}

// Short lines from `first` on, `count` of them, side by side and a piece at a time. Each is added up
// from its start as it would be alone.
template <int64_t count, class A, class T, class Op>
void scan_lines(const T* from, T* x, int64_t n, A identity, Op op, bool stream) {
  // Floats of 16 bits are widened and rounded a piece at a time.
  constexpr bool half = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;
  using S = std::conditional_t<half, float, T>;
  constexpr int64_t piece = 512 / int64_t(sizeof(S));
  alignas(64) S in[half ? count : 1][piece], out[count][piece];
  A running[count];
  std::fill_n(running, count, identity);
  for (int64_t at = 0; at < n; at += piece) {
    const int64_t w = std::min(piece, n - at);
    for (int64_t k = 0; half && k < count; ++k)
      convert_block(in[k], dtype_of<S>, from + k * n + at, dtype_of<T>, w);
    for (int64_t i = 0; i < w; ++i)
      for (int64_t k = 0; k < count; ++k) {
        if constexpr (half)
          running[k] = op(running[k], loaded<A>(in[k][i]));
        else
          running[k] = op(running[k], loaded<A>(from[k * n + at + i]));
        out[k][i] = stored<S>(running[k]);
      }
    for (int64_t k = 0; k < count; ++k) {
      if constexpr (half)
        convert_block(x + k * n + at, dtype_of<T>, out[k], dtype_of<S>, w);
      else
        store_bytes(x + k * n + at, out[k], w * int64_t(sizeof(T)), stream);
    }
  }
}

template <class T, class A, class Op>
void scan_of(const Grid& g, const T* from, T* x, A identity, Op op) {
  if (g.long_lines()) {
    for (int64_t i = 0; i < g.outer; ++i)
      scan_long_line(from + i * g.n, x + i * g.n, g.n, identity, op);
    return;
  }
  if (g.lines()) {
    const bool stream = from != x && streams(x, g.outer * g.n * int64_t(sizeof(T)));
    const int64_t groups = (g.outer + kAbreast - 1) / kAbreast;
    parallel_for(0, groups, std::max<int64_t>(1, kTaskWork / (g.n * kAbreast)),
                 [&](int64_t begin, int64_t end) {
                   int64_t i = begin * kAbreast;
                   for (; i + kAbreast <= std::min(g.outer, end * kAbreast); i += kAbreast)
                     scan_lines<kAbreast>(from + i * g.n, x + i * g.n, g.n, identity, op, stream);
                   for (; i < std::min(g.outer, end * kAbreast); ++i)
                     scan_lines<1>(from + i * g.n, x + i * g.n, g.n, identity, op, stream);
                   if (stream) stream_end();
                 });
    return;
  }
  each_strip(g, [&](int64_t first, int64_t w) {
    A running[kStrip];
    std::fill_n(running, w, identity);
    T* at = x + first;
    for (int64_t r = 0; r < g.n; ++r, at += g.inner)
      for (int64_t k = 0; k < w; ++k) {
        running[k] = op(running[k], loaded<A>(at[k]));
        at[k] = stored<T>(running[k]);
      }
  });
}

void scan(Results& out, const Tensor& x, int64_t dim, bool product) {
  const Tensor& y = out[0];
  if (x.numel() == 0) return;
  Grid g(y, dim);
  bool there = g.lines() && x.is_contiguous() && x.dtype() == y.dtype();
  if (!there) convert(y.get(), x.get());
  visit(y.dtype(), [&]<class T>() {
    using A = std::conditional_t<
        is_complex(dtype_of<T>), c128,
        std::conditional_t<is_floating(dtype_of<T>), double,
                           std::conditional_t<std::is_same_v<T, bool>, int64_t, uint64_t>>>;
    T* to = y.data_as<T>();
    const T* from = there ? x.data_as<T>() : to;
    if (product)
      scan_of(g, from, to, A(1), [](A a, A b) { return a * b; });
    else
      scan_of(g, from, to, A(0), [](A a, A b) { return a + b; });
  });
}
void cumsum_cpu(Results& out, const Tensor& x, int64_t dim, Dtype) { scan(out, x, dim, false); }
void cumprod_cpu(Results& out, const Tensor& x, int64_t dim, Dtype) { scan(out, x, dim, true); }

// ---- the gradient of a product ------------------------------------------------------------------

// The product of a line's other elements is its result over the element, unless rounding or a zero has
// taken digits from the result.
template <class T>
bool divisible(T result) {
  const T size = std::abs(result);
  return size >= std::numeric_limits<T>::min() && size <= std::numeric_limits<T>::max();
}

// Else the product of the elements that are not zero is taken in double: where there is no zero it is
// divided by each element, one zero takes all of the gradient, two leave none.
struct Factors {
  double product = 1;
  int64_t zeros = 0;
  template <class T>
  void take(T x) {
    product *= x == T(0) ? 1.0 : double(x);
    zeros += x == T(0);
  }
  void join(const Factors& o) {
    product *= o.product;
    zeros += o.zeros;
  }
  template <class T>
  T gradient(T x, double slope) const {
    const double others = zeros ? (zeros == 1 && x == T(0) ? product : 0.0) : product / double(x);
    return T(others * slope);
  }
  // Whether that holds: what is too small for a double is nothing to a float.
  template <class T>
  bool tell() const {
    const double size = std::abs(product), least = std::numeric_limits<double>::min();
    return size <= std::numeric_limits<double>::max() && (size >= least || sizeof(T) == 4);
  }
};

// Products from both sides: infinities, NaN, and doubles beyond their range.
template <class T>
void products_from_both_sides(const T* x, T* dx, int64_t n, int64_t step, T slope) {
  double before = 1, after = double(slope);
  for (int64_t i = 0; i < n; ++i) {
    dx[i * step] = T(before);
    before *= double(x[i * step]);
  }
  for (int64_t i = n - 1; i >= 0; --i) {
    dx[i * step] = T(double(dx[i * step]) * after);
    after *= double(x[i * step]);
  }
}

constexpr int64_t kProductPiece = 8192;  // of a line, and elements of a task

// f(piece, its first element, its end)
template <class F>
void each_product_piece(int64_t n, F&& f) {
  parallel_for(0, (n + kProductPiece - 1) / kProductPiece, 1, [&](int64_t p, int64_t end) {
    for (; p < end; ++p) f(p, p * kProductPiece, std::min(n, (p + 1) * kProductPiece));
  });
}
template <class T>
void product_line(const T* x, T* dx, int64_t n, T slope, T result) {
  if (divisible(result))
    return each_product_piece(n, [=](int64_t, int64_t i, int64_t end) {
      for (; i < end; ++i) dx[i] = result / x[i] * slope;
    });
  std::vector<Factors> parts(size_t((n + kProductPiece - 1) / kProductPiece));
  each_product_piece(n, [&](int64_t p, int64_t i, int64_t end) {
    Factors lane[8];
    for (; i + 8 <= end; i += 8)
      for (int64_t k = 0; k < 8; ++k) lane[k].take(x[i + k]);
    for (; i < end; ++i) lane[0].take(x[i]);
    for (const Factors& l : lane) parts[size_t(p)].join(l);
  });
  Factors all;
  for (const Factors& p : parts) all.join(p);
  if (!all.tell<T>()) return products_from_both_sides(x, dx, n, 1, slope);
  each_product_piece(n, [=](int64_t, int64_t i, int64_t end) {
    for (; i < end; ++i) dx[i] = all.gradient(x[i], double(slope));
  });
}

// A strip of columns, each as a line alone would be.
template <class T>
void product_strip(const Grid& grid, const T* x, T* dx, int64_t w, const T* slope,
                   const T* result) {
  bool divides[kStrip];
  int64_t count = 0;
  for (int64_t c = 0; c < w; ++c) count += divides[c] = divisible(result[c]);
  if (count > 0)
    for (int64_t r = 0; r < grid.n; ++r)
      for (int64_t c = 0; c < w; ++c)
        dx[r * grid.inner + c] = result[c] / x[r * grid.inner + c] * slope[c];
  if (count == w) return;
  Factors all[kStrip];
  for (int64_t r = 0; r < grid.n; ++r)
    for (int64_t c = 0; c < w; ++c) all[c].take(x[r * grid.inner + c]);
  for (int64_t r = 0; r < grid.n; ++r)
    for (int64_t c = 0; c < w; ++c) {
      T& to = dx[r * grid.inner + c];
      const T other = all[c].gradient(x[r * grid.inner + c], double(slope[c]));
      to = divides[c] ? to : other;
    }
  for (int64_t c = 0; c < w; ++c)
    if (!divides[c] && !all[c].template tell<T>())
      products_from_both_sides(x + c, dx + c, grid.n, grid.inner, slope[c]);
}

template <class T>
void product_gradient(const Grid& grid, const T* x, const T* g, const T* result, T* dx) {
  if (grid.inner == 1 && grid.outer == 1) return product_line(x, dx, grid.n, g[0], result[0]);
  each_strip(grid, [&](int64_t first, int64_t w) {
    const int64_t line = first / (grid.n * grid.inner) * grid.inner + first % grid.inner;
    if (grid.inner == 1)
      product_line(x + first, dx + first, grid.n, g[line], result[line]);
    else
      product_strip(grid, x + first, dx + first, w, g + line, result + line);
  });
}
void prod_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& result,
                       std::optional<int64_t> dim) {
  if (x.numel() == 0) return;
  Grid grid(x, dim.value_or(0));
  if (!dim) {
    grid.outer = grid.inner = 1;
    grid.n = x.numel();
  }
  const Lines in(x), slopes(g), results(result);
  visit(x.dtype(), [&]<class T>() {
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>)
      product_gradient(grid, in.as<T>(), slopes.as<T>(), results.as<T>(), out[0].data_as<T>());
  });
}

// ---- running extremes ---------------------------------------------------------------------------

constexpr int64_t kSteady = 16;  // elements that are looked at together

// NaN stays; of equal elements the last one counts.
template <bool largest>
struct Extreme {
  // Whether b leaves the extreme a as it is.
  template <class T>
  static bool stays(T a, T b) {
    return largest ? b < a : b > a;
  }
  template <class T>
  static void take(T& best, int64_t& place, T b, int64_t at) {
    if (b != b || (best == best && !stays(best, b))) {
      best = b;
      place = at;
    }
  }
};

// The extremes of most lines change rarely: elements are looked at in pieces, and a piece that changes
// nothing only repeats what holds.
template <class E, class T>
void extreme_line(const T* from, T* x, int64_t* places, int64_t n) {
  T best = from[0];
  int64_t place = 0, i = 0;
  auto one = [&](int64_t k) {
    E::take(best, place, from[k], k);
    x[k] = best;
    places[k] = place;
  };
  for (; i + kSteady <= n; i += kSteady) {
    int changes = 0;
    for (int64_t k = 0; k < kSteady; ++k) changes += !E::stays(best, from[i + k]);
    if (changes) {
      for (int64_t k = 0; k < kSteady; ++k) one(i + k);
    } else {
      std::fill_n(x + i, kSteady, best);
      std::fill_n(places + i, kSteady, place);
    }
  }
  for (; i < n; ++i) one(i);
}
template <class E, class T>
void extreme_strip(const Grid& g, const T* from, T* x, int64_t* places, int64_t w) {
  T best[kStrip];
  int64_t place[kStrip] = {};
  std::copy_n(from, w, best);
  for (int64_t r = 0; r < g.n; ++r, from += g.inner, x += g.inner, places += g.inner) {
    int64_t k = 0;
    for (; k + kSteady <= w; k += kSteady) {
      int changes = 0;
      for (int64_t j = k; j < k + kSteady; ++j) changes += !E::stays(best[j], from[j]);
      if (changes)
        for (int64_t j = k; j < k + kSteady; ++j) E::take(best[j], place[j], from[j], r);
    }
    for (; k < w; ++k) E::take(best[k], place[k], from[k], r);
    std::copy_n(best, w, x);
    std::copy_n(place, w, places);
  }
}

template <bool largest>
void running_extreme(Results& out, const Tensor& x, int64_t dim) {
  if (x.numel() == 0) return;
  const bool there = x.is_contiguous();
  if (!there) convert(out[0].get(), x.get());
  Grid g(out[0], dim);
  visit(x.dtype(), [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>)) {
      T* to = out[0].data_as<T>();
      const T* from = there ? x.data_as<const T>() : to;
      int64_t* places = out[1].data_as<int64_t>();
      each_strip(g, [&](int64_t first, int64_t w) {
        if (g.inner == 1)
          extreme_line<Extreme<largest>>(from + first, to + first, places + first, g.n);
        else
          extreme_strip<Extreme<largest>>(g, from + first, to + first, places + first, w);
      });
    }
  });
}
void cummax_cpu(Results& out, const Tensor& x, int64_t dim) { running_extreme<true>(out, x, dim); }
void cummin_cpu(Results& out, const Tensor& x, int64_t dim) { running_extreme<false>(out, x, dim); }

// ---- logcumsumexp and recurrences ---------------------------------------------------------------

double log_add(double a, double b) {
  double high = std::max(a, b), low = std::min(a, b);
  if (a != a || b != b) return a + b;
  return std::isinf(high) ? high : high + std::log1p(std::exp(low - high));
}
c128 log_add(c128 a, c128 b) {
  c128 high = a.real() >= b.real() ? a : b, low = a.real() >= b.real() ? b : a;
  if (std::isnan(a.real()) || std::isnan(a.imag()) || std::isnan(b.real()) ||
      std::isnan(b.imag())) {
    double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan};
  }
  if (low.real() == -std::numeric_limits<double>::infinity()) return high;
  if (std::isinf(high.real())) return high;
  c128 z = std::exp(low - high);  // of magnitude at most one
  return high +
         c128(0.5 * std::log1p(2 * z.real() + std::norm(z)), std::atan2(z.imag(), 1 + z.real()));
}
void logcumsumexp_cpu(Results& out, const Tensor& x, int64_t dim) {
  if (x.numel() == 0) return;
  convert(out[0].get(), x.get());
  Grid g(out[0], dim);
  visit(x.dtype(), [&]<class T>() {
    if constexpr (is_differentiable(dtype_of<T>)) {
      using A = std::conditional_t<is_complex(dtype_of<T>), c128, double>;
      T* to = out[0].data_as<T>();
      each_strip(g, [&](int64_t first, int64_t w) {
        A running[kStrip];
        for (int64_t r = 0; r < g.n; ++r) {
          T* at = to + first + r * g.inner;
          for (int64_t k = 0; k < w; ++k) {
            running[k] = r ? log_add(running[k], loaded<A>(at[k])) : loaded<A>(at[k]);
            if (r) at[k] = stored<T>(running[k]);
          }
        }
      });
    }
  });
}

void linear_recurrence_cpu(Results& out, const Tensor& x, const Tensor& decay, int64_t dim) {
  if (x.numel() == 0) return;
  convert(out[0].get(), x.get());
  Grid g(out[0], dim);
  Lines factors(decay);
  visit(x.dtype(), [&]<class T>() {
    if constexpr (is_differentiable(dtype_of<T>)) {
      using A = std::conditional_t<is_complex(dtype_of<T>), c128, double>;
      T* to = out[0].data_as<T>();
      const T* factor = factors.as<T>();
      each_strip(g, [&](int64_t first, int64_t w) {
        A running[kStrip];
        for (int64_t r = 0; r < g.n; ++r) {
          int64_t at = first + r * g.inner;
          for (int64_t k = 0; k < w; ++k) {
            A v = loaded<A>(to[at + k]);
            running[k] = r ? v + loaded<A>(factor[at + k]) * running[k] : v;
            to[at + k] = stored<T>(running[k]);
          }
        }
      });
    }
  });
}

}  // namespace

KG_KERNEL(cumsum, cpu, cumsum_cpu)
KG_KERNEL(cumprod, cpu, cumprod_cpu)
KG_KERNEL(prod_backward, cpu, prod_backward_cpu)
KG_KERNEL(cummax, cpu, cummax_cpu)
KG_KERNEL(cummin, cpu, cummin_cpu)
KG_KERNEL(logcumsumexp, cpu, logcumsumexp_cpu)
KG_KERNEL(linear_recurrence, cpu, linear_recurrence_cpu)

}  // namespace kagari
