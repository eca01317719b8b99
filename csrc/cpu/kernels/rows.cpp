// Loops of the fused row-wise ops. Sums run in eight vectors that are folded in a fixed order; a
// tail runs the vector body on a padded block.
#include "cpu/rows_table.h"
#include "cpu/simd/each_vector.h"
#include "cpu/simd/math.h"
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {
namespace {

using simd::Lanes;

// A sum of vectors over a row: four running vectors, folded lane by lane in double at the end of
// each block, so that long rows keep their accuracy.
template <class T>
struct RowSum {
  using V = typename Lanes<T>::type;
  V lanes[4] = {};
  double total = 0;
  int turn = 0, filled = 0;
  KG_INLINE void add(V v) {
    lanes[turn & 3] += v;
    ++turn;
    if (++filled == 256) fold();
  }
  KG_INLINE void fold() {
    V v = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    double part = 0;
    for (int k = 0; k < Lanes<T>::size; ++k) part += double(v[k]);
    total += part;
    lanes[0] = lanes[1] = lanes[2] = lanes[3] = V{};
    filled = turn = 0;
  }
  KG_INLINE double result() {
    fold();
    return total;
  }
};

// Zero in the lanes beyond count.
template <class T>
KG_INLINE typename Lanes<T>::type keep(typename Lanes<T>::type v, int count) {
  if (count == Lanes<T>::size) return v;
  for (int k = count; k < Lanes<T>::size; ++k) v[k] = 0;
  return v;
}

template <class T>
T row_max(const T* x, int64_t n) {
  using V = typename Lanes<T>::type;
  V best = simd::splat<V>(-__builtin_inf());
  bool nan = false;
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = get(x + i, count);
    if (count < Lanes<T>::size)
      for (int k = count; k < Lanes<T>::size; ++k) v[k] = T(-__builtin_inf());
    best = v > best ? v : best;
    auto bad = v != v;
    for (int k = 0; k < Lanes<T>::size; ++k) nan = nan || bad[k];
  });
  if (nan) return T(__builtin_nan(""));
  T m = best[0];
  for (int k = 1; k < Lanes<T>::size; ++k) m = best[k] > m ? best[k] : m;
  return m;
}

template <class T>
double softmax(const T* x, T* y, int64_t n, bool log) {
  using V = typename Lanes<T>::type;
  T top = row_max(x, n);
  V shift = simd::splat<V>(top);
  RowSum<T> sum;
  if (log) {
    each_vector<T>(n, [&](int64_t i, int count) {
      sum.add(keep<T>(simd::exp(V(get(x + i, count) - shift)), count));
    });
    double total = sum.result(), log_total = __builtin_log(total);
    V back = simd::splat<V>(T(log_total));
    each_vector<T>(
        n, [&](int64_t i, int count) { put(y + i, V((get(x + i, count) - shift) - back), count); });
    return log_total + double(top);
  }
  each_vector<T>(n, [&](int64_t i, int count) {
    V e = simd::exp(V(get(x + i, count) - shift));
    put(y + i, e, count);
    sum.add(keep<T>(e, count));
  });
  double total = sum.result();
  V scale = simd::splat<V>(T(1 / total));
  each_vector<T>(n, [&](int64_t i, int count) { put(y + i, V(get(y + i, count) * scale), count); });
  return __builtin_log(total) + double(top);
}

template <class T>
double log_sum_exp(const T* x, int64_t n) {
  using V = typename Lanes<T>::type;
  T top = row_max(x, n);
  V shift = simd::splat<V>(top);
  RowSum<T> sum;
  each_vector<T>(n, [&](int64_t i, int count) {
    sum.add(keep<T>(simd::exp(V(get(x + i, count) - shift)), count));
  });
  return __builtin_log(sum.result()) + double(top);
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
  RowSum<T> sum;
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = get(g + i, count);
    sum.add(keep<T>(log ? v : V(v * get(y + i, count)), count));
  });
  V total = simd::splat<V>(T(sum.result()));
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = get(g + i, count), out = get(y + i, count);
    put(dx + i, log ? V(v - simd::exp(out) * total) : V(out * (v - total)), count);
  });
}

template <class T>
void square_deviations(const T* x, int64_t n, T mean, double* sum) {
  using V = typename Lanes<T>::type;
  V shift = simd::splat<V>(mean);
  RowSum<T> squares;
  each_vector<T>(n, [&](int64_t i, int count) {
    V d = keep<T>(V(get(x + i, count) - shift), count);
    squares.add(d * d);
  });
  *sum = squares.result();
}

template <class T>
void moments(const T* x, int64_t n, double eps, bool rms, double* mean, double* rstd) {
  double m = 0;
  if (!rms) {
    RowSum<T> sum;
    each_vector<T>(n, [&](int64_t i, int count) { sum.add(keep<T>(get(x + i, count), count)); });
    m = sum.result() / double(n);
  }
  double squares;
  square_deviations(x, n, T(m), &squares);
  // The mean was rounded to T for the differences: correct for what that moved.
  double off = double(T(m)) - m;
  double variance = squares / double(n) - off * off;
  *mean = m;
  *rstd = 1 / __builtin_sqrt((variance > 0 || variance != variance ? variance : 0) + eps);
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

template <class T>
void normalize_backward(const T* g, const T* x, T* dx, int64_t n, double mean, double rstd,
                        const T* w, bool rms) {
  using V = typename Lanes<T>::type;
  V m = simd::splat<V>(T(mean)), r = simd::splat<V>(T(rstd));
  RowSum<T> sum_h, sum_hx;
  each_vector<T>(n, [&](int64_t i, int count) {
    V h = get(g + i, count);
    if (w) h = h * get(w + i, count);
    h = keep<T>(h, count);
    sum_h.add(h);
    sum_hx.add(h * ((get(x + i, count) - m) * r));
  });
  V mean_h = simd::splat<V>(T(rms ? 0 : sum_h.result() / double(n))),
    mean_hx = simd::splat<V>(T(sum_hx.result() / double(n)));
  each_vector<T>(n, [&](int64_t i, int count) {
    V h = get(g + i, count);
    if (w) h = h * get(w + i, count);
    V xhat = (get(x + i, count) - m) * r;
    put(dx + i, V(r * ((h - mean_h) - xhat * mean_hx)), count);
  });
}

template <class T>
void normalize_weights(const T* g, const T* x, int64_t n, double mean, double rstd, T* dw, T* db) {
  using V = typename Lanes<T>::type;
  V m = simd::splat<V>(T(mean)), r = simd::splat<V>(T(rstd));
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = get(g + i, count);
    if (dw) put(dw + i, V(get(dw + i, count) + v * ((get(x + i, count) - m) * r)), count);
    if (db) put(db + i, V(get(db + i, count) + v), count);
  });
}

template <class T>
void normalize_sums(const T* g, const T* x, int64_t n, double mean, double rstd, double* sum_g,
                    double* sum_gx) {
  using V = typename Lanes<T>::type;
  V m = simd::splat<V>(T(mean)), r = simd::splat<V>(T(rstd));
  RowSum<T> a, b;
  each_vector<T>(n, [&](int64_t i, int count) {
    V v = keep<T>(get(g + i, count), count);
    a.add(v);
    b.add(v * ((get(x + i, count) - m) * r));
  });
  *sum_g = a.result();
  *sum_gx = b.result();
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

template <class T>
constexpr RowLoops<T> loops = {
    softmax<T>,           log_sum_exp<T>,       scaled_softmax<T>, softmax_backward<T>,
    moments<T>,           square_deviations<T>, normalize<T>,      normalize_backward<T>,
    normalize_weights<T>, normalize_sums<T>,    affine<T>,         affine_of_two<T>};

}  // namespace

const RowsTable rows_table = {loops<float>, loops<double>};

}  // namespace kagari::KG_ISA
