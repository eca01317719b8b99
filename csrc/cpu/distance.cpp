// Distances and cosines of rows on the CPU: a job for some rows. Gradients of all pairs see the other
// rows padded to whole vectors.
#include <algorithm>
#include <cmath>

#include "cpu/distance_table.h"
#include "cpu/rows.h"
#include "ops/distance.h"

namespace kagari {

namespace {

constexpr int64_t kWidest = 64;        // bytes of a vector
constexpr int64_t kJobTerms = 32'768;  // differences that repay a job
constexpr int64_t kTile = 32;          // of a transposition

template <class T>
const DistanceLoops<T>& loops() {
  static const DistanceTable& table = KG_PICK(distance_table);
  if constexpr (std::is_same_v<T, float>)
    return table.f32;
  else
    return table.f64;
}
template <class T>
int64_t whole_vectors(int64_t n) {
  constexpr int64_t w = kWidest / int64_t(sizeof(T));
  return (n + w - 1) / w * w;
}
int64_t rows_of_job(int64_t terms) { return kJobTerms / std::max<int64_t>(terms, 1) + 1; }

// f(row) for each, some of them together.
template <class F>
void each_row(int64_t rows, int64_t terms, F&& f) {
  const int64_t some = rows_of_job(terms);
  parallel_parts((rows + some - 1) / some, [&](int64_t job) {
    for (int64_t i = job * some; i < std::min(rows, (job + 1) * some); ++i) f(i);
  });
}

// Matrices (m, n) from (n, m): a line may be read a vector beyond its end.
template <class T>
struct Columns {
  int64_t pitch;
  Workspace room;
  T* data;
  Columns(const T* x, int64_t batch, int64_t n, int64_t m)
      : pitch(whole_vectors<T>(n) + kWidest / int64_t(sizeof(T))),
        room(size_t(batch * m * pitch) * sizeof(T)),
        data(room.as<T>()) {
    const int64_t tiles = (n + kTile - 1) / kTile;
    each_row(batch * tiles, kTile * m, [&](int64_t job) {
      const int64_t from = job % tiles * kTile, end = std::min(n, from + kTile);
      const bool last = end == n;
      const T* in = x + job / tiles * n * m;
      T* out = data + job / tiles * m * pitch;
      for (int64_t k = 0; k < m; ++k) {
        for (int64_t j = from; j < end; ++j) out[k * pitch + j] = in[j * m + k];
        if (last) std::fill(out + k * pitch + n, out + (k + 1) * pitch, T(0));
      }
    });
  }
};

// Rows of m as rows of whole vectors, zeros behind them.
template <class T>
struct Padded {
  int64_t pitch;
  Workspace room;
  const T* data;
  Padded(const T* x, int64_t rows, int64_t m)
      : pitch(whole_vectors<T>(m)),
        room(pitch == m ? 0 : size_t(rows * pitch) * sizeof(T)),
        data(x) {
    if (pitch == m) return;
    T* to = room.as<T>();
    data = to;
    each_row(rows, m, [&](int64_t i) {
      std::copy_n(x + i * m, m, to + i * pitch);
      std::fill_n(to + i * pitch + m, pitch - m, T(0));
    });
  }
};

// Scratch of one row's gradient: its result in whole vectors, and numbers for each other row.
template <class T>
struct RowRoom {
  Workspace data;
  T *to, *factors, *g, *distances;
  RowRoom(int64_t width, int64_t n) : data(size_t(width + 3 * n) * sizeof(T)) {
    to = data.as<T>();
    factors = to + width;
    g = factors + n;
    distances = g + n;
  }
};

// Of (B, P, M) and (B, R, M), or of two matrices.
struct Sizes {
  int64_t batch, rows, others, width;
  Sizes(const Tensor& x, const Tensor& y)
      : batch(x.dim() == 3 ? x.sizes()[0] : 1),
        rows(x.sizes()[x.dim() - 2]),
        others(y.sizes()[y.dim() - 2]),
        width(x.sizes()[x.dim() - 1]) {}
};

void cdist_cpu(Results& out, const Tensor& x, const Tensor& y, double p) {
  if (out[0].numel() == 0) return;
  const Sizes sizes(x, y);
  const int64_t batch = sizes.batch, rows = sizes.rows, n = sizes.others, m = sizes.width;
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> left(x), right(y), to(out[0], false);
    const Columns<T> columns(right.get(), batch, n, m);
    each_row(batch * rows, n * m, [&](int64_t i) {
      loops<T>().row(order_of(p), p, left.get() + i * m, m,
                     columns.data + i / rows * m * columns.pitch, columns.pitch, n,
                     to.get() + i * n);
    });
    to.store();
  });
}

void cdist_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& y, double p,
                        const Tensor& distances) {
  if (out[0].numel() == 0) return;
  const Sizes sizes(x, y);
  const int64_t batch = sizes.batch, rows = sizes.rows, n = sizes.others, m = sizes.width;
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> grad(g), left(x), right(y), lengths(distances), to(out[0], false);
    const Padded<T> xs(left.get(), batch * rows, m), ys(right.get(), batch * n, m);
    const int64_t some = rows_of_job(n * m), all = batch * rows;
    parallel_parts((all + some - 1) / some, [&](int64_t job) {
      RowRoom<T> room(xs.pitch, n);
      for (int64_t i = job * some; i < std::min(all, (job + 1) * some); ++i) {
        loops<T>().gradient(order_of(p), p, xs.data + i * xs.pitch, m,
                            ys.data + i / rows * n * ys.pitch, ys.pitch, n, grad.get() + i * n,
                            lengths.get() + i * n, room.factors, room.to);
        std::copy_n(room.to, m, to.get() + i * m);
      }
    });
    to.store();
  });
}

// Pairs (i, j), i < j, in the order of i: where those of row i begin.
int64_t first_pair(int64_t i, int64_t n) { return i * (2 * n - i - 1) / 2; }

void pdist_cpu(Results& out, const Tensor& x, double p) {
  if (out[0].numel() == 0) return;
  const int64_t n = x.sizes()[0], m = x.sizes()[1];
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> in(x), to(out[0], false);
    const Columns<T> columns(in.get(), 1, n, m);
    each_row(n - 1, n * m / 2, [&](int64_t i) {
      loops<T>().row(order_of(p), p, in.get() + i * m, m, columns.data + i + 1, columns.pitch,
                     n - i - 1, to.get() + first_pair(i, n));
    });
    to.store();
  });
}

void pdist_backward_cpu(Results& out, const Tensor& g, const Tensor& x, double p,
                        const Tensor& distances) {
  if (out[0].numel() == 0) return;
  const int64_t n = x.sizes()[0], m = x.sizes()[1];
  visit_row_type(x.dtype(), [&]<class T>() {
    Whole<T> grad(g), in(x), lengths(distances), to(out[0], false);
    const Padded<T> rows(in.get(), n, m);
    const int64_t some = rows_of_job(n * m);
    parallel_parts((n + some - 1) / some, [&](int64_t job) {
      RowRoom<T> room(rows.pitch, n);
      auto take = [&](int64_t j, int64_t from, int64_t count) {
        std::copy_n(grad.get() + from, count, room.g + j);
        std::copy_n(lengths.get() + from, count, room.distances + j);
      };
      for (int64_t i = job * some; i < std::min(n, (job + 1) * some); ++i) {
        for (int64_t j = 0; j < i; ++j) take(j, first_pair(j, n) + i - j - 1, 1);
        room.g[i] = room.distances[i] = 0;
        take(i + 1, first_pair(i, n), n - i - 1);
        loops<T>().gradient(order_of(p), p, rows.data + i * rows.pitch, m, rows.data, rows.pitch, n,
                            room.g, room.distances, room.factors, room.to);
        std::copy_n(room.to, m, to.get() + i * m);
      }
    });
    to.store();
  });
}

// ---- rows side by side --------------------------------------------------------------------------

// The rows of two tensors of one shape, which may be broadcast. f(row, x, y).
template <class T, class F>
void each_pair(const Tensor& x, const Tensor& y, F&& f) {
  const int64_t last = x.dim() - 1, n = x.sizes()[last], rows = n ? x.numel() / n : 0;
  const Lines<T> left(x, last), right(y, last);
  parallel_for(0, rows, rows_of_job(n), [&](int64_t begin, int64_t end) {
    Workspace room(size_t(left.scratch() + right.scratch()));
    for (int64_t i = begin; i < end; ++i)
      f(i, left.read(i, room.as<char>()), right.read(i, room.as<char>() + left.scratch()));
  });
}

void cosines_cpu(Results& out, const Tensor& x, const Tensor& y, double eps) {
  const int64_t n = x.sizes()[x.dim() - 1];
  visit_row_type(x.dtype(), [&]<class T>() {
    T *to = out[0].data_as<T>(), *left = out[1].data_as<T>(), *right = out[2].data_as<T>();
    if (n == 0)  // nothing has no direction
      for (T* all : {to, left, right}) std::fill_n(all, out[0].numel(), T(0));
    each_pair<T>(x, y, [&](int64_t i, const T* a, const T* b) {
      double sums[3];
      row_loops<T>().dots(a, b, n, sums);
      const double norm_a = std::sqrt(sums[1]), norm_b = std::sqrt(sums[2]);
      left[i] = T(norm_a);
      right[i] = T(norm_b);
      auto bounded = [eps](double v) { return v < eps ? eps : v; };
      to[i] = T(sums[0] / bounded(norm_a) / bounded(norm_b));
    });
  });
}

void cosines_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& y,
                          const Tensor& cosine, const Tensor& norm_x, const Tensor& norm_y,
                          double eps) {
  const int64_t n = x.sizes()[x.dim() - 1];
  if (x.numel() == 0) return;
  visit_row_type(x.dtype(), [&]<class T>() {
    const Whole<T> grad(g), cosines(cosine), left(norm_x), right(norm_y);
    T *dx = out[0].data_as<T>(), *dy = out[1].data_as<T>();
    each_pair<T>(x, y, [&](int64_t i, const T* a, const T* b) {
      auto bounded = [eps](double v) { return v < eps ? eps : v; };
      const double norm_a = double(left.get()[i]), norm_b = double(right.get()[i]),
                   slope = double(grad.get()[i]), turn = slope * double(cosines.get()[i]);
      const double over_a = bounded(norm_a), over_b = bounded(norm_b);
      const T both = T(slope / over_a / over_b);
      const T own_a = norm_a == 0 ? T(0) : T(-turn / over_a / norm_a),
              own_b = norm_b == 0 ? T(0) : T(-turn / over_b / norm_b);
      row_loops<T>().affine_of_two(b, a, dx + i * n, n, both, own_a, T(0));
      row_loops<T>().affine_of_two(a, b, dy + i * n, n, both, own_b, T(0));
    });
  });
}

void distances_cpu(Results& out, const Tensor& x, const Tensor& y, double eps) {
  const int64_t n = x.sizes()[x.dim() - 1];
  visit_row_type(x.dtype(), [&]<class T>() {
    T* to = out[0].data_as<T>();
    if (n == 0) std::fill_n(to, out[0].numel(), T(0));
    each_pair<T>(x, y, [&](int64_t i, const T* a, const T* b) {
      to[i] = T(std::sqrt(row_loops<T>().squared_distance(a, b, n, T(eps))));
    });
  });
}

void distances_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& y,
                            const Tensor& distance, double eps) {
  const int64_t n = x.sizes()[x.dim() - 1];
  if (x.numel() == 0) return;
  visit_row_type(x.dtype(), [&]<class T>() {
    const Whole<T> grad(g), distances(distance);
    T* dx = out[0].data_as<T>();
    each_pair<T>(x, y, [&](int64_t i, const T* a, const T* b) {
      const T d = distances.get()[i];
      row_loops<T>().scaled_difference(a, b, dx + i * n, n, T(eps),
                                       d == 0 ? T(0) : T(grad.get()[i] / d));
    });
  });
}

}  // namespace

KG_KERNEL(cosines, cpu, cosines_cpu)
KG_KERNEL(cosines_backward, cpu, cosines_backward_cpu)
KG_KERNEL(distances, cpu, distances_cpu)
KG_KERNEL(distances_backward, cpu, distances_backward_cpu)
KG_KERNEL(cdist_forward, cpu, cdist_cpu)
KG_KERNEL(cdist_backward, cpu, cdist_backward_cpu)
KG_KERNEL(pdist_forward, cpu, pdist_cpu)
KG_KERNEL(pdist_backward, cpu, pdist_backward_cpu)

}  // namespace kagari
