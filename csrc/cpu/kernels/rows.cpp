// Loops of the fused row-wise ops. Sums run in four vectors that are folded in a fixed order; a
// tail runs the vector body on a padded block.
#include "cpu/rows_table.h"
#include "cpu/simd/each_vector.h"
#include "cpu/simd/lane_sum.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {
namespace {

using simd::Lanes;

// K sums over a row in one pass: f(offset, count, terms) gives their next vectors, zero beyond
// count. Four running vectors each, folded in double at the end of each block, so that long rows
// keep their accuracy.
template <class T, int K, class F>
KG_INLINE void row_sums(int64_t n, double* sums, F&& f) {
  using V = typename Lanes<T>::type;
  constexpr int64_t w = Lanes<T>::size, block = 256 * w;
  for (int k = 0; k < K; ++k) sums[k] = 0;
  for (int64_t i = 0; i < n;) {
    const int64_t end = n - i < block ? n : i + block;
    V lanes[4][K] = {};
    auto add = [&](V* to, int64_t at, int count) KG_INLINED {
      V terms[K];
      f(at, count, terms);
      for (int k = 0; k < K; ++k) to[k] += terms[k];
    };
    for (; i + 4 * w <= end; i += 4 * w)
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) add(lanes[r], i + r * w, int(w));
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      if (i >= end) break;
      int count = end - i < w ? int(end - i) : int(w);
      add(lanes[r], i, count);
      i += count;
    }
    for (int k = 0; k < K; ++k)
      sums[k] += lanes_in_double<T>((lanes[0][k] + lanes[1][k]) + (lanes[2][k] + lanes[3][k]));
  }
}
template <class T, class F>
KG_INLINE double row_sum(int64_t n, F&& f) {
  double sum;
  row_sums<T, 1>(n, &sum, [&](int64_t i, int count, typename Lanes<T>::type* term) KG_INLINED {
    *term = f(i, count);
  });
  return sum;
}

// Zero in the lanes beyond count.
template <class T>
KG_INLINE typename Lanes<T>::type keep(typename Lanes<T>::type v, int count) {
  return count == Lanes<T>::size ? v : only<T>(v, count, T(0));
}

template <class T>
T row_max(const T* x, int64_t n) {
  using V = typename Lanes<T>::type;
  V best = simd::splat<V>(-__builtin_inf());
  auto bad = best != best;
  each_vector<T>(n, [&](int64_t i, int count) KG_INLINED {
    V v = get(x + i, count);
    if (count < Lanes<T>::size) v = only<T>(v, count, T(-__builtin_inf()));
    best = v > best ? v : best;
    bad |= v != v;
  });
  for (int k = 0; k < Lanes<T>::size; ++k)
    if (bad[k]) return T(__builtin_nan(""));
  T m = best[0];
  for (int k = 1; k < Lanes<T>::size; ++k) m = best[k] > m ? best[k] : m;
  return m;
}

template <class T>
double softmax(const T* x, T* y, int64_t n, bool log) {
  using V = typename Lanes<T>::type;
  T top = row_max(x, n);
  V shift = simd::splat<V>(top);
  if (log) {
    double total = row_sum<T>(n, [&](int64_t i, int count) KG_INLINED {
      return keep<T>(simd::exp(V(get(x + i, count) - shift)), count);
    });
    double log_total = __builtin_log(total);
    V back = simd::splat<V>(T(log_total));
    each_vector<T>(
        n, [&](int64_t i, int count) { put(y + i, V((get(x + i, count) - shift) - back), count); });
    return log_total + double(top);
  }
  double total = row_sum<T>(n, [&](int64_t i, int count) KG_INLINED {
    V e = simd::exp(V(get(x + i, count) - shift));
    put(y + i, e, count);
    return keep<T>(e, count);
  });
  V scale = simd::splat<V>(T(1 / total));
  each_vector<T>(n, [&](int64_t i, int count) { put(y + i, V(get(y + i, count) * scale), count); });
  return __builtin_log(total) + double(top);
}

template <class T>
double log_sum_exp(const T* x, int64_t n) {
  using V = typename Lanes<T>::type;
  T top = row_max(x, n);
  V shift = simd::splat<V>(top);
  double total = row_sum<T>(n, [&](int64_t i, int count) KG_INLINED {
    return keep<T>(simd::exp(V(get(x + i, count) - shift)), count);
  });
  return __builtin_log(total) + double(top);
}

template <class T>
void scaled_softmax(const T* x, T* y, int64_t n, double lse, double scale) {
  using V = typename Lanes<T>::type;
  V shift = simd::splat<V>(T(lse)), factor = simd::splat<V>(T(scale));
  each_vector<T>(n, [&](int64_t i, int count) {
    put(y + i, V(simd::exp(V(get(x + i, count) - shift)) * factor), count);
  });
}

template <class T>
void softmax_backward(const T* g, const T* y, T* dx, int64_t n, bool log) {
  using V = typename Lanes<T>::type;
  V total = simd::splat<V>(T(row_sum<T>(n, [&](int64_t i, int count) KG_INLINED {
    V v = get(g + i, count);
    return keep<T>(log ? v : V(v * get(y + i, count)), count);
  })));
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = get(g + i, count), out = get(y + i, count);
    put(dx + i, log ? V(v - simd::exp(out) * total) : V(out * (v - total)), count);
  });
}

// Sums over columns that lie side by side, in the order of row_sums: f(row, k) gives the terms of
// the k-th vector of columns.
template <class T, class F>
KG_INLINE void side_by_side_sums(int64_t n, double* sums, F&& f) {
  using V = typename Lanes<T>::type;
  constexpr int w = Lanes<T>::size, vectors = kColumnsTogether / w;
  constexpr int64_t block = 256 * w;
  for (int64_t c = 0; c < kColumnsTogether; ++c) sums[c] = 0;
  for (int64_t from = 0; from < n; from += block) {
    const int64_t end = n - from < block ? n : from + block;
    V lanes[4 * w][vectors] = {};
    for (int64_t i = from; i < end; ++i) {
      V* to = lanes[(i - from) % (4 * w)];
      for (int k = 0; k < vectors; ++k) to[k] += f(i, k);
    }
    for (int k = 0; k < vectors; ++k) {
      double d[w][w];
      for (int l = 0; l < w; ++l) {
        V s = (lanes[l][k] + lanes[w + l][k]) + (lanes[2 * w + l][k] + lanes[3 * w + l][k]);
        for (int c = 0; c < w; ++c) d[l][c] = double(s[c]);
      }
      for (int step = w / 2; step; step /= 2)
        for (int l = 0; l < step; ++l)
          for (int c = 0; c < w; ++c) d[l][c] += d[l + step][c];
      for (int c = 0; c < w; ++c) sums[k * w + c] += d[0][c];
    }
  }
}
// Calls f(k, lanes) for the vectors of so many columns.
template <class T, class F>
KG_INLINE void each_column_vector(int64_t columns, F&& f) {
  constexpr int w = Lanes<T>::size, vectors = kColumnsTogether / w;
  if (columns == kColumnsTogether) {
#pragma GCC unroll 8
    for (int k = 0; k < vectors; ++k) f(k, w);
    return;
  }
  for (int k = 0; k * w < columns; ++k) f(k, columns - k * w < w ? int(columns - k * w) : w);
}

template <class T>
void softmax_columns(const T* x, int64_t x_step, T* y, int64_t y_step, T* t, int64_t n,
                     int64_t columns, bool log) {
  using V = typename Lanes<T>::type;
  constexpr int w = Lanes<T>::size, vectors = kColumnsTogether / w;
  V shift[vectors], scale[vectors];
  typename Lanes<T>::mask nan[vectors] = {};
  for (int k = 0; k < vectors; ++k) shift[k] = simd::splat<V>(-__builtin_inf());
  for (int64_t i = 0; i < n; ++i)
    each_column_vector<T>(columns, [&](int k, int count) KG_INLINED {
      V v = get(x + i * x_step + k * w, count);
      simd::store(t + i * kColumnsTogether + k * w, v);
      shift[k] = v > shift[k] ? v : shift[k];
      nan[k] |= v != v;
    });
  for (int k = 0; k < vectors; ++k)
    shift[k] = simd::where(nan[k], simd::splat<V>(__builtin_nan("")), shift[k]);
  // Vectors beyond the columns take no part in what follows but the sums, of whatever t holds.
  double totals[kColumnsTogether];
  const int64_t used = (columns + w - 1) / w;
  side_by_side_sums<T>(n, totals, [&](int64_t i, int k) KG_INLINED {
    if (k >= used) return V{};
    T* at = t + i * kColumnsTogether + k * w;
    V e = simd::exp(V(simd::load(at) - shift[k]));
    if (!log) simd::store(at, e);
    return e;
  });
  for (int64_t c = 0; c < kColumnsTogether; ++c)
    scale[c / w][c % w] = c >= columns ? T(0) : T(log ? __builtin_log(totals[c]) : 1 / totals[c]);
  for (int64_t i = 0; i < n; ++i)
    each_column_vector<T>(columns, [&](int k, int count) KG_INLINED {
      V v = simd::load(t + i * kColumnsTogether + k * w);
      put(y + i * y_step + k * w, log ? V((v - shift[k]) - scale[k]) : V(v * scale[k]), count);
    });
}

template <class T>
void softmax_backward_columns(const T* g, const T* y, T* dx, const int64_t* steps, T* t, T* u,
                              int64_t n, int64_t columns, bool log) {
  using V = typename Lanes<T>::type;
  constexpr int w = Lanes<T>::size, vectors = kColumnsTogether / w;
  for (int64_t i = 0; i < n; ++i)
    each_column_vector<T>(columns, [&](int k, int count) KG_INLINED {
      simd::store(t + i * kColumnsTogether + k * w, get(g + i * steps[0] + k * w, count));
      simd::store(u + i * kColumnsTogether + k * w, get(y + i * steps[1] + k * w, count));
    });
  double totals[kColumnsTogether];
  const int64_t used = (columns + w - 1) / w;
  side_by_side_sums<T>(n, totals, [&](int64_t i, int k) KG_INLINED {
    if (k >= used) return V{};
    V v = simd::load(t + i * kColumnsTogether + k * w);
    return log ? v : V(v * simd::load(u + i * kColumnsTogether + k * w));
  });
  V total[vectors];
  for (int64_t c = 0; c < kColumnsTogether; ++c) total[c / w][c % w] = T(totals[c]);
  for (int64_t i = 0; i < n; ++i)
    each_column_vector<T>(columns, [&](int k, int count) KG_INLINED {
      V v = simd::load(t + i * kColumnsTogether + k * w),
        out = simd::load(u + i * kColumnsTogether + k * w);
      put(dx + i * steps[2] + k * w,
          log ? V(v - simd::exp(out) * total[k]) : V(out * (v - total[k])), count);
    });
}

template <class T>
double square_deviations(const T* x, int64_t n, T mean) {
  using V = typename Lanes<T>::type;
  V shift = simd::splat<V>(mean);
  return row_sum<T>(n, [&](int64_t i, int count) KG_INLINED {
    V d = keep<T>(V(get(x + i, count) - shift), count);
    return V(d * d);
  });
}

template <class T>
void moments(const T* x, int64_t rows, int64_t n, double eps, bool rms, double* mean,
             double* rstd) {
  double squares[kRowsTogether];
  for (int64_t r = 0; r < rows; ++r)
    mean[r] = rms ? 0 : row_sum<T>(n, [&](int64_t i, int count) KG_INLINED {
                          return keep<T>(get(x + r * n + i, count), count);
                        }) / double(n);
  for (int64_t r = 0; r < rows; ++r) squares[r] = square_deviations(x + r * n, n, T(mean[r]));
  for (int64_t r = 0; r < rows; ++r) {
    // The mean was rounded to T for the differences: correct for what that moved.
    double off = double(T(mean[r])) - mean[r];
    double variance = squares[r] / double(n) - off * off;
    rstd[r] = 1 / __builtin_sqrt((variance > 0 || variance != variance ? variance : 0) + eps);
  }
}

template <class T>
void normalize(const T* x, T* y, int64_t n, double mean, double rstd, const T* w, const T* b) {
  using V = typename Lanes<T>::type;
  V m = simd::splat<V>(T(mean)), r = simd::splat<V>(T(rstd));
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = (get(x + i, count) - m) * r;
    if (w) v = v * get(w + i, count);
    if (b) v = v + get(b + i, count);
    put(y + i, v, count);
  });
}

// The sums of h and of h times the normalised x.
template <class T>
KG_INLINE void slope_sums(const T* g, const T* x, int64_t n, double mean, double rstd, const T* w,
                          double* sums) {
  using V = typename Lanes<T>::type;
  V m = simd::splat<V>(T(mean)), r = simd::splat<V>(T(rstd));
  row_sums<T, 2>(n, sums, [&](int64_t i, int count, V* terms) KG_INLINED {
    V h = get(g + i, count);
    if (w) h = h * get(w + i, count);
    terms[0] = keep<T>(h, count);
    terms[1] = terms[0] * ((get(x + i, count) - m) * r);
  });
}

template <class T>
void normalize_backward(const T* g, const T* x, T* dx, int64_t rows, int64_t n, const double* mean,
                        const double* rstd, const T* w, bool rms) {
  using V = typename Lanes<T>::type;
  double sums[kRowsTogether][2];
  for (int64_t r = 0; r < rows; ++r)
    slope_sums(g + r * n, x + r * n, n, mean[r], rstd[r], w, sums[r]);
  for (int64_t row = 0; row < rows; ++row, g += n, x += n, dx += n) {
    V m = simd::splat<V>(T(mean[row])), r = simd::splat<V>(T(rstd[row]));
    V mean_h = simd::splat<V>(T(rms ? 0 : sums[row][0] / double(n))),
      mean_hx = simd::splat<V>(T(sums[row][1] / double(n)));
    each_vector<T>(n, [&](int64_t i, int count) {
      V h = get(g + i, count);
      if (w) h = h * get(w + i, count);
      V xhat = (get(x + i, count) - m) * r;
      put(dx + i, V(r * ((h - mean_h) - xhat * mean_hx)), count);
    });
  }
}

template <class T, int rows>
KG_INLINE void rows_weights(const T* g, const T* x, int64_t n, const double* mean,
                            const double* rstd, T* dw, T* db) {
  using V = typename Lanes<T>::type;
  V m[rows], s[rows];
  for (int r = 0; r < rows; ++r)
    m[r] = simd::splat<V>(T(mean[r])), s[r] = simd::splat<V>(T(rstd[r]));
  each_vector<T>(n, [&](int64_t i, int count) KG_INLINED {
    V a{}, b{};
    if (dw) a = get(dw + i, count);
    if (db) b = get(db + i, count);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      V v = get(g + r * n + i, count);
      a = a + v * ((get(x + r * n + i, count) - m[r]) * s[r]);
      b = b + v;
    }
    if (dw) put(dw + i, a, count);
    if (db) put(db + i, b, count);
  });
}
template <class T>
void normalize_weights(const T* g, const T* x, int64_t rows, int64_t n, const double* mean,
                       const double* rstd, T* dw, T* db) {
  if (rows == kRowsTogether) return rows_weights<T, kRowsTogether>(g, x, n, mean, rstd, dw, db);
  for (int64_t r = 0; r < rows; ++r)
    rows_weights<T, 1>(g + r * n, x + r * n, n, mean + r, rstd + r, dw, db);
}

template <class T>
void normalize_sums(const T* g, const T* x, int64_t n, double mean, double rstd, double* sum_g,
                    double* sum_gx) {
  using V = typename Lanes<T>::type;
  V m = simd::splat<V>(T(mean)), r = simd::splat<V>(T(rstd));
  double sums[2];
  row_sums<T, 2>(n, sums, [&](int64_t i, int count, V* terms) KG_INLINED {
    terms[0] = keep<T>(get(g + i, count), count);
    terms[1] = terms[0] * ((get(x + i, count) - m) * r);
  });
  *sum_g = sums[0];
  *sum_gx = sums[1];
}

// Columns are added up in T over so many rows, then in double.
constexpr int64_t kRowsInLanes = 64, kColumnsInLanes = 512;

// K sums for each of n columns: f(row, column, count, terms) gives their next vectors.
template <class T, int K, class F>
KG_INLINE void column_loops(int64_t rows, int64_t n, double* const* to, F&& f) {
  using V = typename Lanes<T>::type;
  alignas(64) T lanes[K][kColumnsInLanes + Lanes<T>::size];
  for (int k = 0; k < K; ++k)
    for (int64_t c = 0; c < n; ++c) to[k][c] = 0;
  for (int64_t from = 0; from < n; from += kColumnsInLanes) {
    const int64_t width = n - from < kColumnsInLanes ? n - from : kColumnsInLanes;
    for (int64_t r0 = 0; r0 < rows; r0 += kRowsInLanes) {
      const int64_t r1 = rows - r0 < kRowsInLanes ? rows : r0 + kRowsInLanes;
      for (int k = 0; k < K; ++k)
        for (int64_t c = 0; c < width + Lanes<T>::size; ++c) lanes[k][c] = 0;
      for (int64_t r = r0; r < r1; ++r)
        each_vector<T>(width, [&](int64_t c, int count) KG_INLINED {
          V terms[K];
          f(r, from + c, count, terms);
          for (int k = 0; k < K; ++k)
            simd::store(lanes[k] + c, V(simd::load(lanes[k] + c) + terms[k]));
        });
      for (int k = 0; k < K; ++k)
        for (int64_t c = 0; c < width; ++c) to[k][from + c] += double(lanes[k][c]);
    }
  }
}

template <class T>
void column_moments(const T* x, int64_t rows, int64_t n, int64_t n_all, const T* mean, double* to) {
  using V = typename Lanes<T>::type;
  if (!mean)
    return column_loops<T, 1>(rows, n, &to,
                              [&](int64_t r, int64_t c, int count, V* terms)
                                  KG_INLINED { *terms = get(x + r * n_all + c, count); });
  column_loops<T, 1>(rows, n, &to, [&](int64_t r, int64_t c, int count, V* terms) KG_INLINED {
    const V d = get(x + r * n_all + c, count) - get(mean + c, count);
    *terms = d * d;
  });
}

template <class T>
void column_sums(const T* g, const T* x, int64_t rows, int64_t n, int64_t n_all, const T* mean,
                 const T* rstd, double* sum_g, double* sum_gx) {
  using V = typename Lanes<T>::type;
  double* to[2] = {sum_g, sum_gx};
  column_loops<T, 2>(rows, n, to, [&](int64_t r, int64_t c, int count, V* terms) KG_INLINED {
    terms[0] = get(g + r * n_all + c, count);
    terms[1] =
        terms[0] * ((get(x + r * n_all + c, count) - get(mean + c, count)) * get(rstd + c, count));
  });
}

template <class T>
void affine_columns(const T* g, const T* x, T* dx, int64_t n, const T* a, const T* b, const T* c) {
  using V = typename Lanes<T>::type;
  each_vector<T>(n, [&](int64_t i, int count) KG_INLINED {
    const V scaled = get(g + i, count) * get(a + i, count) + get(x + i, count) * get(b + i, count);
    put(dx + i, V(scaled + get(c + i, count)), count);
  });
}

template <class T>
void affine(const T* x, T* y, int64_t n, T a, T c) {
  using V = typename Lanes<T>::type;
  V va = simd::splat<V>(a), vc = simd::splat<V>(c);
  each_vector<T>(n,
                 [&](int64_t i, int count) { put(y + i, V(get(x + i, count) * va + vc), count); });
}

template <class T>
void affine_of_two(const T* g, const T* x, T* dx, int64_t n, T a, T b, T c) {
  using V = typename Lanes<T>::type;
  V va = simd::splat<V>(a), vb = simd::splat<V>(b), vc = simd::splat<V>(c);
  each_vector<T>(n, [&](int64_t i, int count) {
    put(dx + i, V((get(g + i, count) * va + get(x + i, count) * vb) + vc), count);
  });
}

// Squares of floats leave their range early: then once more in double.
template <class T>
constexpr bool in_range(double square) {
  return sizeof(T) == 8 || (square > 1e-30 && square < 1e37);
}
template <class T>
void dots(const T* x, const T* y, int64_t n, double* sums) {
  using V = typename Lanes<T>::type;
  row_sums<T, 3>(n, sums, [&](int64_t i, int count, V* terms) KG_INLINED {
    const V a = get(x + i, count), b = get(y + i, count);
    terms[0] = a * b;
    terms[1] = a * a;
    terms[2] = b * b;
  });
  if (in_range<T>(sums[1]) && in_range<T>(sums[2])) return;
  sums[0] = sums[1] = sums[2] = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double a = double(x[i]), b = double(y[i]);
    sums[0] += a * b;
    sums[1] += a * a;
    sums[2] += b * b;
  }
}
template <class T>
double squared_distance(const T* x, const T* y, int64_t n, T eps) {
  using V = typename Lanes<T>::type;
  const V shift = simd::splat<V>(eps);
  const double sum = row_sum<T>(n, [&](int64_t i, int count) KG_INLINED {
    const V d = keep<T>(V((get(x + i, count) - get(y + i, count)) + shift), count);
    return V(d * d);
  });
  if (in_range<T>(sum)) return sum;
  double again = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double d = double(T(T(x[i] - y[i]) + eps));
    again += d * d;
  }
  return again;
}
template <class T>
void scaled_difference(const T* x, const T* y, T* dx, int64_t n, T eps, T a) {
  using V = typename Lanes<T>::type;
  const V shift = simd::splat<V>(eps), scale = simd::splat<V>(a);
  each_vector<T>(n, [&](int64_t i, int count) KG_INLINED {
    put(dx + i, V(((get(x + i, count) - get(y + i, count)) + shift) * scale), count);
  });
}

template <class T>
constexpr RowLoops<T> loops = {softmax<T>,
                               log_sum_exp<T>,
                               scaled_softmax<T>,
                               softmax_backward<T>,
                               softmax_columns<T>,
                               softmax_backward_columns<T>,
                               moments<T>,
                               normalize<T>,
                               normalize_backward<T>,
                               normalize_weights<T>,
                               normalize_sums<T>,
                               column_moments<T>,
                               column_sums<T>,
                               affine_columns<T>,
                               affine<T>,
                               affine_of_two<T>,
                               dots<T>,
                               squared_distance<T>,
                               scaled_difference<T>};

}  // namespace

const RowsTable rows_table = {loops<float>, loops<double>};

}  // namespace kagari::KG_ISA
