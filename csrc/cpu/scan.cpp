// Scans on the CPU: running sums, products, extremes, logarithms of sums, and linear recurrences.
//
// Every kernel converts its input into the output and scans there, but that sums and products along
// contiguous lines read where the input lies. Long lines are scanned in blocks of a fixed length, so
// that the bits do not depend on the number of threads.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/lines.h"
#include "cpu/stream.h"
#include "ops/call.h"

namespace kagari {

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
  constexpr int64_t piece = 512 / int64_t(sizeof(T));
  alignas(64) T out[count][piece];
  A running[count];
  std::fill_n(running, count, identity);
  for (int64_t at = 0; at < n; at += piece) {
    const int64_t w = std::min(piece, n - at);
    for (int64_t i = 0; i < w; ++i)
      for (int64_t k = 0; k < count; ++k) {
        running[k] = op(running[k], loaded<A>(from[k * n + at + i]));
        out[k][i] = stored<T>(running[k]);
      }
    for (int64_t k = 0; k < count; ++k)
      store_bytes(x + k * n + at, out[k], w * int64_t(sizeof(T)), stream);
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

// ---- running extremes ---------------------------------------------------------------------------

// NaN stays; of equal elements the last one counts.
template <class T, class Better>
void running_extreme(const Grid& g, T* x, int64_t* places, Better better) {
  each_strip(g, [&](int64_t first, int64_t w) {
    T best[kStrip];
    int64_t place[kStrip] = {};
    std::copy_n(x + first, w, best);
    for (int64_t r = 0; r < g.n; ++r) {
      T* at = x + first + r * g.inner;
      int64_t* to = places + first + r * g.inner;
      for (int64_t k = 0; k < w; ++k) {
        if (at[k] != at[k] || (best[k] == best[k] && better(at[k], best[k]))) {
          best[k] = at[k];
          place[k] = r;
        }
        at[k] = best[k];
        to[k] = place[k];
      }
    }
  });
}
void running_extreme(Results& out, const Tensor& x, int64_t dim, bool largest) {
  if (x.numel() == 0) return;
  convert(out[0].get(), x.get());
  Grid g(out[0], dim);
  visit(x.dtype(), [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>)) {
      T* to = out[0].data_as<T>();
      int64_t* places = out[1].data_as<int64_t>();
      if (largest)
        running_extreme(g, to, places, [](T a, T b) { return a >= b; });
      else
        running_extreme(g, to, places, [](T a, T b) { return a <= b; });
    }
  });
}
void cummax_cpu(Results& out, const Tensor& x, int64_t dim) { running_extreme(out, x, dim, true); }
void cummin_cpu(Results& out, const Tensor& x, int64_t dim) { running_extreme(out, x, dim, false); }

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
KG_KERNEL(cummax, cpu, cummax_cpu)
KG_KERNEL(cummin, cpu, cummin_cpu)
KG_KERNEL(logcumsumexp, cpu, logcumsumexp_cpu)
KG_KERNEL(linear_recurrence, cpu, linear_recurrence_cpu)

}  // namespace kagari
