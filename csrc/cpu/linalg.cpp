// Factorisations on the CPU: a matrix of the batch at a time through the provider, which keeps to
// one thread; threads share the batch. So bits depend on neither threads nor batch.
#include "ops/linalg.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/matmul.h"
#include "cpu/provider/lapack.h"

namespace kagari {
namespace {

using provider::Kind;
using provider::Matrix;

// ---- batches ------------------------------------------------------------------------------------

Ints batch_sizes(const Tensor& t) { return {t.sizes().p, t.dim() - 2}; }

// The matrices of a tensor by number, in a batch that its own broadcasts to.
class Stack {
 public:
  Stack(const Tensor& t, Ints batch) : size_(t.itemsize()), n_(batch.n) {
    int64_t lead = batch.n - (t.dim() - 2);
    for (int64_t d = 0; d < batch.n; ++d) {
      sizes_[d] = batch[d];
      strides_[d] = d < lead || t.sizes()[d - lead] == 1 ? 0 : t.strides()[d - lead];
    }
    int64_t row = t.dim() - 2, col = row + 1;
    first_ = {t.data(), t.sizes()[row], t.sizes()[col], t.strides()[row], t.strides()[col]};
  }
  explicit Stack(const Tensor& t) : Stack(t, batch_sizes(t)) {}
  Matrix operator[](int64_t i) const {
    Matrix m = first_;
    m.data = static_cast<char*>(m.data) + offset(i) * size_;
    return m;
  }
  Matrix transposed(int64_t i) const {
    Matrix m = (*this)[i];
    return {m.data, m.cols, m.rows, m.col_stride, m.row_stride};
  }

 private:
  int64_t offset(int64_t i) const {
    int64_t at = 0;
    for (int64_t d = n_ - 1; d >= 0; --d) {
      at += i % sizes_[d] * strides_[d];
      i /= sizes_[d];
    }
    return at;
  }
  int64_t size_, n_;
  int64_t sizes_[kMaxDims], strides_[kMaxDims];
  Matrix first_;
};

// Vectors of length n that lie one after the other, as every output does.
template <class T>
T* vector(const Tensor& t, int64_t i, int64_t n) {
  return t.data_as<T>() + i * n;
}
char* vector_bytes(const Tensor& t, int64_t i, int64_t n) {
  return t.data() + i * n * t.itemsize();
}

int64_t count_of(Ints batch) {
  int64_t n = 1;
  for (int64_t s : batch) n *= s;
  return n;
}

// f(i) for each matrix; `work` estimates the multiplications that one takes.
template <class F>
void each(Ints batch, double work, F&& f) {
  int64_t grain = std::max<int64_t>(1, int64_t(1e5 / (work + 1)));
  parallel_for(0, count_of(batch), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i);
  });
}
double cube(const Tensor& a) {
  double m = double(a.sizes()[a.dim() - 2]), n = double(a.sizes()[a.dim() - 1]);
  return m * n * std::min(m, n);
}

// f<T>() for the four kinds that matrices may have.
template <class F>
void with_type(Dtype d, F&& f) {
  switch (d) {
    case Dtype::f32:
      return f.template operator()<float>();
    case Dtype::f64:
      return f.template operator()<double>();
    case Dtype::c64:
      return f.template operator()<c64>();
    case Dtype::c128:
      return f.template operator()<c128>();
    default:
      KG_INTERNAL(false, "no factorisation of ", d);
  }
}
template <class T, class F>
void for_elements(const Matrix& m, F&& f) {
  T* p = static_cast<T*>(m.data);
  for (int64_t j = 0; j < m.cols; ++j)
    for (int64_t i = 0; i < m.rows; ++i) f(p[i * m.row_stride + j * m.col_stride], i, j);
}
template <class T>
bool finite(const T& x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isfinite(x);
  else
    return std::isfinite(x.real()) && std::isfinite(x.imag());
}
// LAPACK's iterations need not end on what is not finite.
bool is_finite(Dtype d, const Matrix& m) {
  bool all = true;
  with_type(d, [&]<class T>() {
    for_elements<T>(m, [&](const T& x, int64_t, int64_t) { all = all && finite(x); });
  });
  return all;
}
void fill_nan(Dtype d, const Matrix& m) {
  with_type(d, [&]<class T>() {
    for_elements<T>(m, [](T& x, int64_t, int64_t) {
      x = T(std::numeric_limits<decltype(std::real(x))>::quiet_NaN());
    });
  });
}
void fill_identity(Dtype d, const Matrix& m) {
  with_type(d, [&]<class T>() {
    for_elements<T>(m, [](T& x, int64_t i, int64_t j) { x = T(i == j ? 1 : 0); });
  });
}
void conjugate(Dtype d, const Matrix& m) {
  if (!is_complex(d)) return;
  with_type(d, [&]<class T>() {
    if constexpr (!std::is_floating_point_v<T>)
      for_elements<T>(m, [](T& x, int64_t, int64_t) { x = std::conj(x); });
  });
}

// Pivots come from users: LAPACK would follow them out of the matrix.
class Pivots {
 public:
  Pivots(const Tensor& t, Ints batch) : copy_(t.get()), n_(t.sizes()[t.dim() - 1]) {
    int64_t lead = batch.n - (t.dim() - 1), step = 1;
    for (int64_t d = batch.n - 1; d >= 0; --d) {
      bool own = d >= lead && t.sizes()[d - lead] != 1;
      sizes_.push_back(batch[d]);
      strides_.push_back(own ? step : 0);
      if (own) step *= batch[d];
    }
  }
  const int32_t* operator[](int64_t i) const {
    int64_t at = 0;
    for (int64_t d = 0; d < sizes_.size(); ++d) {
      at += i % sizes_[d] * strides_[d];
      i /= sizes_[d];
    }
    return reinterpret_cast<const int32_t*>(copy_.data()) + at * n_;
  }
  // Of a factorisation of `rows` rows: each from 1 to rows.
  static void check(const int32_t* p, int64_t n, int64_t rows) {
    for (int64_t i = 0; i < n; ++i)
      KG_CHECK(p[i] >= 1 && p[i] <= rows, "expected pivots from 1 to ", rows, ", got ", p[i],
               "; pass those that the factorisation returned");
  }

 private:
  Dense copy_;
  int64_t n_;
  Dims sizes_, strides_;  // from the last dimension on
};

// ---- Cholesky, LU -------------------------------------------------------------------------------

void cholesky_cpu(Results& out, const Tensor& a, bool upper) {
  convert(out[0].get(), a.get());
  Stack factors(out[0]);
  Kind kind = kind_of(a.dtype());
  each(batch_sizes(a), cube(a), [&](int64_t i) {
    *vector<int32_t>(out[1], i, 1) = int32_t(provider::potrf(kind, upper, factors[i]));
  });
}

void lu_factor_cpu(Results& out, const Tensor& a) {
  convert(out[0].get(), a.get());
  Stack factors(out[0]);
  Kind kind = kind_of(a.dtype());
  int64_t k = out[1].sizes()[out[1].dim() - 1];
  each(batch_sizes(a), cube(a), [&](int64_t i) {
    *vector<int32_t>(out[2], i, 1) =
        int32_t(provider::getrf(kind, factors[i], vector<int32_t>(out[1], i, k)));
  });
}

void pivots_to_rows_cpu(Results& out, const Tensor& pivots, int64_t rows, bool inverse) {
  if (out[0].numel() == 0) return;
  Ints batch{pivots.sizes().p, pivots.dim() - 1};
  int64_t n = pivots.sizes()[pivots.dim() - 1];
  Pivots all(pivots, batch);
  std::vector<int64_t> order(static_cast<size_t>(rows));
  for (int64_t i = 0; i < count_of(batch); ++i) {
    const int32_t* p = all[i];
    Pivots::check(p, n, rows);
    for (int64_t r = 0; r < rows; ++r) order[size_t(r)] = r;
    for (int64_t r = 0; r < n; ++r) std::swap(order[size_t(r)], order[size_t(p[r] - 1)]);
    int64_t* to = vector<int64_t>(out[0], i, rows);
    for (int64_t r = 0; r < rows; ++r) {
      if (inverse)
        to[order[size_t(r)]] = r;
      else
        to[r] = order[size_t(r)];
    }
  }
}

// X, which holds B, becomes the solution. Equations from the right are transposed.
void solve_in_place(Dtype d, const Matrix& lu, const int32_t* pivots, const Stack& x, int64_t i,
                    bool left, bool adjoint) {
  Matrix b = left ? x[i] : x.transposed(i);
  char transpose = left ? (adjoint ? 'C' : 'N') : (adjoint ? 'N' : 'T');
  bool turned = !left && adjoint;  // conj(A)·Xᵀ = Bᵀ
  if (turned) conjugate(d, b);
  provider::getrs(kind_of(d), transpose, lu, pivots, b);
  if (turned) conjugate(d, b);
}

void lu_solve_cpu(Results& out, const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left,
                  bool adjoint) {
  if (out[0].numel() == 0) return;
  convert(out[0].get(), b.get());
  Ints batch = batch_sizes(out[0]);
  Stack factors(lu, batch), x(out[0]);
  Pivots all(pivots, batch);
  int64_t n = lu.sizes()[lu.dim() - 1];
  each(batch, cube(out[0]), [&](int64_t i) {
    Pivots::check(all[i], n, n);
    solve_in_place(b.dtype(), factors[i], all[i], x, i, left, adjoint);
  });
}

void solve_triangular_cpu(Results& out, const Tensor& a, const Tensor& b, bool upper, bool left,
                          bool unit) {
  if (out[0].numel() == 0) return;
  convert(out[0].get(), b.get());
  Ints batch = batch_sizes(out[0]);
  Stack factors(a, batch), x(out[0]);
  Kind kind = kind_of(b.dtype());
  each(batch, cube(out[0]),
       [&](int64_t i) { provider::trsm(kind, left, upper, unit, factors[i], x[i]); });
}

void solve_cpu(Results& out, const Tensor& a, const Tensor& b, bool left) {
  convert(out[1].get(), a.get());
  Stack lu(out[1]);
  Kind kind = kind_of(a.dtype());
  int64_t n = a.sizes()[a.dim() - 1];
  each(batch_sizes(a), cube(a), [&](int64_t i) {
    *vector<int32_t>(out[3], i, 1) =
        int32_t(provider::getrf(kind, lu[i], vector<int32_t>(out[2], i, n)));
  });
  if (out[0].numel() == 0) return;
  convert(out[0].get(), b.get());
  Ints batch = batch_sizes(out[0]);
  Stack factors(out[1], batch), x(out[0]);
  Pivots pivots(out[2], batch);
  each(batch, cube(out[0]),
       [&](int64_t i) { solve_in_place(b.dtype(), factors[i], pivots[i], x, i, left, false); });
}

// Calls f with a column-major copy of each matrix's LU factors, their pivots and info.
template <class F>
void with_factors(const Tensor& a, F&& f) {
  int64_t n = a.sizes()[a.dim() - 1];
  Stack from(a);
  Kind kind = kind_of(a.dtype());
  each(batch_sizes(a), cube(a), [&](int64_t i) {
    Workspace room(size_t(n * n * a.itemsize())), pivots(size_t(n) * sizeof(int32_t));
    Matrix lu{room.as<char>(), n, n, 1, n}, source = from[i];
    with_type(a.dtype(), [&]<class T>() {
      T* to = room.as<T>();
      for_elements<T>(source, [&](const T& x, int64_t r, int64_t c) { to[r + c * n] = x; });
    });
    int64_t info = provider::getrf(kind, lu, pivots.as<int32_t>());
    f(i, lu, pivots.as<int32_t>(), info);
  });
}

void inv_cpu(Results& out, const Tensor& a) {
  Stack inverse(out[0]);
  with_factors(a, [&](int64_t i, const Matrix& lu, const int32_t* pivots, int64_t info) {
    *vector<int32_t>(out[1], i, 1) = int32_t(info);
    Matrix x = inverse[i];
    fill_identity(a.dtype(), x);
    provider::getrs(kind_of(a.dtype()), 'N', lu, pivots, x);
  });
}

void det_cpu(Results& out, const Tensor& a) {
  convert(out[1].get(), a.get());
  Stack factors(out[1]);
  Kind kind = kind_of(a.dtype());
  int64_t n = a.sizes()[a.dim() - 1];
  each(batch_sizes(a), cube(a), [&](int64_t i) {
    int32_t* pivots = vector<int32_t>(out[2], i, n);
    provider::getrf(kind, factors[i], pivots);
    bool odd = false;
    for (int64_t r = 0; r < n; ++r) odd = odd != (pivots[r] != r + 1);
    Matrix lu = factors[i];
    with_type(a.dtype(), [&]<class T>() {
      T product(odd ? -1 : 1);
      for (int64_t r = 0; r < n; ++r)
        product *= static_cast<T*>(lu.data)[r * (lu.row_stride + lu.col_stride)];
      *vector<T>(out[0], i, 1) = product;
    });
  });
}

// ---- QR -----------------------------------------------------------------------------------------

void geqrf_cpu(Results& out, const Tensor& a) {
  convert(out[0].get(), a.get());
  Stack factors(out[0]);
  Kind kind = kind_of(a.dtype());
  int64_t k = out[1].sizes()[out[1].dim() - 1];
  each(batch_sizes(a), cube(a),
       [&](int64_t i) { provider::geqrf(kind, factors[i], vector_bytes(out[1], i, k)); });
}

void qr_cpu(Results& out, const Tensor& a, std::string_view mode) {
  Dtype d = a.dtype();
  Kind kind = kind_of(d);
  bool wants_q = mode != "r";
  int64_t m = a.sizes()[a.dim() - 2], n = a.sizes()[a.dim() - 1], least = std::min(m, n);
  Stack from(a), rs(out[1]);
  std::unique_ptr<Stack> qs;
  if (wants_q) qs = std::make_unique<Stack>(out[0]);
  each(batch_sizes(a), cube(a), [&](int64_t i) {
    int64_t q_cols = wants_q ? (*qs)[i].cols : 0, width = std::max(n, q_cols);
    Workspace room(size_t(m * width * a.itemsize())), tau(size_t(least * a.itemsize()));
    Matrix packed{room.as<char>(), m, n, 1, m}, source = from[i], r = rs[i];
    with_type(d, [&]<class T>() {
      T* p = room.as<T>();
      std::fill_n(p, m * width, T(0));
      for_elements<T>(source, [&](const T& x, int64_t row, int64_t col) { p[row + col * m] = x; });
      provider::geqrf(kind, packed, tau.as<char>());
      for_elements<T>(
          r, [&](T& x, int64_t row, int64_t col) { x = row <= col ? p[row + col * m] : T(0); });
      if (!wants_q) return;
      packed.cols = q_cols;
      provider::orgqr(kind, packed, std::min(least, q_cols), tau.as<char>());
      for_elements<T>((*qs)[i], [&](T& x, int64_t row, int64_t col) { x = p[row + col * m]; });
    });
  });
}

// ---- eigenvalues and singular values ------------------------------------------------------------

Matrix column(const Tensor& t, int64_t i, int64_t n) {
  return {vector_bytes(t, i, n), n, 1, 1, std::max<int64_t>(n, 1)};
}

void eigh_cpu(Results& out, const Tensor& a, std::string_view uplo, bool vectors) {
  Dtype d = a.dtype();
  bool upper = uplo == "U" || uplo == "u";
  int64_t n = a.sizes()[a.dim() - 1];
  if (vectors) convert(out[1].get(), a.get());
  Stack matrices(vectors ? out[1] : a);
  each(batch_sizes(a), 4 * cube(a), [&](int64_t i) {
    Matrix x = matrices[i];
    int32_t& info = *vector<int32_t>(out[2], i, 1);
    if (!is_finite(d, x)) {
      info = -1;
      fill_nan(real_dtype(d), column(out[0], i, n));
      if (vectors) fill_nan(d, x);
      return;
    }
    info = int32_t(provider::syevd(kind_of(d), vectors, upper, x, vector_bytes(out[0], i, n)));
  });
}

void eig_cpu(Results& out, const Tensor& a, bool vectors) {
  Dtype d = a.dtype(), c = complex_dtype(d);
  int64_t n = a.sizes()[a.dim() - 1];
  Stack from(a);
  std::unique_ptr<Stack> to;
  if (vectors) to = std::make_unique<Stack>(out[1]);
  each(batch_sizes(a), 10 * cube(a), [&](int64_t i) {
    int32_t& info = *vector<int32_t>(out[2], i, 1);
    Matrix v = vectors ? (*to)[i] : Matrix{};
    if (!is_finite(d, from[i])) {
      info = -1;
      fill_nan(c, column(out[0], i, n));
      if (vectors) fill_nan(c, v);
      return;
    }
    info = int32_t(
        provider::geev(kind_of(d), from[i], vector_bytes(out[0], i, n), vectors ? &v : nullptr));
  });
}

void svd_cpu(Results& out, const Tensor& a, bool full, bool vectors) {
  Dtype d = a.dtype();
  int64_t k = out[1].sizes()[out[1].dim() - 1];
  Stack from(a);
  std::unique_ptr<Stack> u, vh;
  if (vectors) {
    u = std::make_unique<Stack>(out[0]);
    vh = std::make_unique<Stack>(out[2]);
  }
  char job = !vectors ? 'N' : full ? 'A' : 'S';
  each(batch_sizes(a), 10 * cube(a), [&](int64_t i) {
    int32_t& info = *vector<int32_t>(out[3], i, 1);
    Matrix left = vectors ? (*u)[i] : Matrix{}, right = vectors ? (*vh)[i] : Matrix{};
    if (!is_finite(d, from[i])) {
      info = -1;
      fill_nan(real_dtype(d), column(out[1], i, k));
      if (vectors) {
        fill_nan(d, left);
        fill_nan(d, right);
      }
      return;
    }
    info =
        int32_t(provider::gesdd(kind_of(d), job, from[i], vector_bytes(out[1], i, k), left, right));
  });
}

void pinv_of_cpu(Results& out, const Tensor&, const Tensor& p) { convert(out[0].get(), p.get()); }

// ---- symmetric indefinite matrices, least squares -----------------------------------------------

void ldl_factor_cpu(Results& out, const Tensor& a, bool hermitian) {
  convert(out[0].get(), a.get());
  Stack factors(out[0]);
  Kind kind = kind_of(a.dtype());
  int64_t n = a.sizes()[a.dim() - 1];
  each(batch_sizes(a), cube(a), [&](int64_t i) {
    Matrix x = factors[i];
    *vector<int32_t>(out[2], i, 1) =
        int32_t(provider::sytrf(kind, hermitian, x, vector<int32_t>(out[1], i, n)));
    // What lies above the diagonal was never read.
    with_type(a.dtype(), [&]<class T>() {
      for_elements<T>(x, [](T& e, int64_t r, int64_t c) {
        if (c > r) e = T(0);
      });
    });
  });
}

// Blocks of two rows carry the same negative pivot twice, in the lower form -row of the second.
void check_block_pivots(const int32_t* p, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    bool block = p[i] < 0;
    int64_t at = block ? -int64_t(p[i]) : p[i];
    bool paired = !block || (i + 1 < n && p[i + 1] == p[i]);
    KG_CHECK(at >= 1 && at <= n && paired, "expected pivots as ldl_factor returns them, got ", p[i],
             " at ", i, " of ", n);
    i += block;
  }
}

void ldl_solve_cpu(Results& out, const Tensor& ld, const Tensor& pivots, const Tensor& b,
                   bool hermitian) {
  if (out[0].numel() == 0) return;
  convert(out[0].get(), b.get());
  Ints batch = batch_sizes(out[0]);
  Stack factors(ld, batch), x(out[0]);
  Pivots all(pivots, batch);
  Kind kind = kind_of(b.dtype());
  int64_t n = ld.sizes()[ld.dim() - 1];
  each(batch, cube(out[0]), [&](int64_t i) {
    check_block_pivots(all[i], n);
    provider::sytrs(kind, hermitian, factors[i], all[i], x[i]);
  });
}

void lstsq_cpu(Results& out, const Tensor& a, const Tensor& b, double rcond, bool values) {
  Dtype d = a.dtype();
  int64_t k = out[2].sizes()[out[2].dim() - 1];
  Stack from(a), right(b), to(out[0]);
  each(batch_sizes(a), 10 * cube(a), [&](int64_t i) {
    Matrix x = to[i], y = right[i];
    int32_t& info = *vector<int32_t>(out[3], i, 1);
    int64_t& rank = *vector<int64_t>(out[1], i, 1);
    if (!is_finite(d, from[i]) || !is_finite(d, y)) {
      info = -1;
      rank = 0;
      fill_nan(d, x);
      if (values) fill_nan(real_dtype(d), column(out[2], i, k));
      return;
    }
    with_type(d, [&]<class T>() {
      const T* p = static_cast<const T*>(y.data);
      for_elements<T>(x, [&](T& e, int64_t r, int64_t c) {
        e = r < y.rows ? p[r * y.row_stride + c * y.col_stride] : T(0);
      });
    });
    info = int32_t(provider::least_squares(
        kind_of(d), from[i], x, values ? vector_bytes(out[2], i, k) : nullptr, rcond, &rank));
  });
}

}  // namespace

KG_KERNEL(cholesky_ex, cpu, cholesky_cpu)
KG_KERNEL(lu_factor_ex, cpu, lu_factor_cpu)
KG_KERNEL(pivots_to_rows, cpu, pivots_to_rows_cpu)
KG_KERNEL(lu_solve, cpu, lu_solve_cpu)
KG_KERNEL(solve_triangular, cpu, solve_triangular_cpu)
KG_KERNEL(solve_ex, cpu, solve_cpu)
KG_KERNEL(inv_ex, cpu, inv_cpu)
KG_KERNEL(det, cpu, det_cpu)
KG_KERNEL(qr, cpu, qr_cpu)
KG_KERNEL(geqrf, cpu, geqrf_cpu)
KG_KERNEL(eigh, cpu, eigh_cpu)
KG_KERNEL(eig, cpu, eig_cpu)
KG_KERNEL(svd, cpu, svd_cpu)
KG_KERNEL(pinv_of, cpu, pinv_of_cpu)
KG_KERNEL(ldl_factor_ex, cpu, ldl_factor_cpu)
KG_KERNEL(ldl_solve, cpu, ldl_solve_cpu)
KG_KERNEL(lstsq, cpu, lstsq_cpu)

}  // namespace kagari
