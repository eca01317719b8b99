// Factorisations of matrices and what is solved with them: shapes and gradients. Kernels:
// cpu/linalg.cpp. What is composed of these rows stands in kagari/ops/linalg.
//
// A row that may fail for its data says so in `info`, one number for each matrix: 0, or LAPACK's
// positive number of the step that failed; -1 where the matrix had elements that are not finite.
// The composites make errors of it. Results lie in column-major order, as LAPACK leaves them.
#include "ops/linalg.h"

#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/joining.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {
namespace {

// ---- shapes -------------------------------------------------------------------------------------

int64_t rows_of(const Tensor& a) { return a.sizes()[a.dim() - 2]; }
int64_t cols_of(const Tensor& a) { return a.sizes()[a.dim() - 1]; }
Ints batch_of(const Tensor& a) { return {a.sizes().p, a.dim() - 2}; }

void check_matrices(const Tensor& a) {
  KG_CHECK(a.dim() >= 2, "The input tensor A must have at least 2 dimensions, got shape ",
           a.sizes());
  Dtype d = a.dtype();
  KG_CHECK_IMPLEMENTED(d == Dtype::f32 || d == Dtype::f64 || d == Dtype::c64 || d == Dtype::c128,
                       "is implemented for float32, float64, complex64 and complex128, got ", d,
                       "; convert with .to(kagari.float32)");
}
void check_square(const Tensor& a) {
  check_matrices(a);
  KG_CHECK(rows_of(a) == cols_of(a), "A must be batches of square matrices, but they are ",
           rows_of(a), " by ", cols_of(a), " matrices");
}
// For an equation A X = B, or X A = B.
void check_sides(const Tensor& a, const Tensor& b, bool left) {
  check_square(a);
  check_matrices(b);
  KG_CHECK(a.dtype() == b.dtype(), "Expected A and B to have the same dtype, but found A of type ",
           a.dtype(), " and B of type ", b.dtype(), " instead");
  KG_CHECK(cols_of(a) == (left ? rows_of(b) : cols_of(b)),
           "Incompatible shapes of A and B for the equation ", left ? "AX = B" : "XA = B", " (",
           rows_of(a), "x", cols_of(a), " and ", rows_of(b), "x", cols_of(b), ")");
}
void check_pivots(const Tensor& a, const Tensor& pivots) {
  KG_CHECK(pivots.dtype() == Dtype::i32, "Expected pivots of dtype int32, got ", pivots.dtype());
  KG_CHECK(pivots.dim() == a.dim() - 1 && Ints(pivots.sizes()) == Ints(a.sizes().p, a.dim() - 1),
           "Expected pivots of shape ", Ints(a.sizes().p, a.dim() - 1),
           ", one for each row, got shape ", pivots.sizes());
}

Dims with(Ints batch, std::initializer_list<int64_t> more) {
  Dims d(batch);
  for (int64_t m : more) d.push_back(m);
  return d;
}
// A batch of matrices in column-major order.
Spec& matrices(Infer& o, Ints batch, int64_t m, int64_t n, Dtype dtype) {
  Dims sizes = with(batch, {m, n});
  Spec& s = o.out(sizes, dtype);
  s.strides = contiguous_strides(with(batch, {n, m}));
  std::swap(s.strides[batch.n], s.strides[batch.n + 1]);
  s.has_strides = true;
  return s;
}

// ---- the vocabulary of the gradients ------------------------------------------------------------

Tensor transposed(const Tensor& x) { return transpose(x, -2, -1); }
Tensor adjoint(const Tensor& x) { return conj(transposed(x)); }
Tensor lower(const Tensor& x, int64_t diagonal = 0) { return call(rows::tril, x, diagonal); }
Tensor upper(const Tensor& x, int64_t diagonal = 0) { return call(rows::triu, x, diagonal); }
Tensor diagonal_of(const Tensor& x) { return diagonal(x, 0, -2, -1); }
Tensor diagonal_matrix(const Tensor& x) {
  int64_t n = x.size(-1);
  Dims sizes(x.sizes());
  sizes.push_back(n);
  Dims strides = contiguous_strides(sizes);
  strides.erase(strides.size() - 1);
  strides.back() = n + 1;
  return embed(x, sizes, strides, 0);
}
// x with its columns or rows scaled.
Tensor scale_columns(const Tensor& x, const Tensor& by) { return x * unsqueeze(by, -2); }
Tensor scale_rows(const Tensor& x, const Tensor& by) { return x * unsqueeze(by, -1); }
Tensor first_rows(const Tensor& x, int64_t n) { return narrow(x, -2, 0, n); }
Tensor first_columns(const Tensor& x, int64_t n) { return narrow(x, -1, 0, n); }
// The Hermitian matrix with the real part of x's diagonal and what lies below, or above.
Tensor mirrored_lower(const Tensor& x) {
  Tensor strict = lower(x, -1), d = diagonal_of(x);
  if (is_complex(x.dtype())) d = to(call(rows::real, d), x.dtype());
  return strict + adjoint(strict) + diagonal_matrix(d);
}
Tensor add_if(const Tensor& a, const Tensor& b) {
  return !a.defined() ? b : !b.defined() ? a : a + b;
}
// Rows of x by number; `order` (..., m) comes from pivots_to_rows.
Tensor take_rows(const Tensor& x, const Tensor& order) {
  Dims sizes(x.sizes());
  sizes.back() = x.size(-1);
  return gather(x, -2, expand(unsqueeze(order, -1), sizes));
}
// Whether some element is zero, or all are small: questions to the data, outside the tape.
bool has_zero(const Tensor& x) {
  if (x.is_meta() || x.numel() == 0) return false;
  GradGuard off(false);
  return *call(rows::any, eq(x, 0.0)).data_as<bool>();
}
bool is_small(const Tensor& x) {
  if (x.is_meta() || x.numel() == 0) return true;
  GradGuard off(false);
  return !*call(rows::any, gt(abs(x), 1e-2)).data_as<bool>();
}

// ---- Cholesky -----------------------------------------------------------------------------------

void cholesky_infer(Infer& o, const Tensor& a, bool) {
  check_square(a);
  matrices(o, batch_of(a), rows_of(a), cols_of(a), a.dtype());
  o.out(batch_of(a), Dtype::i32);
}
// With Φ = Lᴴ·gL's lower triangle, its diagonal halved: gA = L⁻ᴴ·(Φ + Φᴴ)/2·L⁻¹ (Murray 2016).
void cholesky_vjp(Vjp& v, const Tensor&, bool is_upper) {
  if (!v.g(0).defined()) return;
  Tensor l = v.out(0), g = v.g(0);
  if (is_upper) {
    l = adjoint(l);
    g = adjoint(g);
  }
  Tensor half = mirrored_lower(matmul(adjoint(l), g)) * 0.5;
  Tensor left = solve_triangular(adjoint(l), half, Triangle::upper);
  v.set(0, solve_triangular(l, left, Triangle::lower, false));
}

// ---- LU -----------------------------------------------------------------------------------------

void lu_factor_infer(Infer& o, const Tensor& a) {
  check_matrices(a);
  int64_t m = rows_of(a), n = cols_of(a);
  matrices(o, batch_of(a), m, n, a.dtype());
  o.out(with(batch_of(a), {std::min(m, n)}), Dtype::i32);
  o.out(batch_of(a), Dtype::i32);
}
// A = P·L·U with packed factors. Of a square matrix
//   gA = P·L⁻ᴴ·[strictly lower(Lᴴ·gL) + upper(gU·Uᴴ)]·U⁻ᴴ;
// the rows of L below, or the columns of U beyond the square are solved from it.
void lu_factor_vjp(Vjp& v, const Tensor&) {
  if (!v.g(0).defined()) return;
  Tensor lu = v.out(0), g = v.g(0), pivots = v.out(1);
  int64_t m = rows_of(lu), n = cols_of(lu), k = std::min(m, n);
  Tensor square = first_columns(first_rows(lu, k), k), gs = first_columns(first_rows(g, k), k);
  Tensor l = lower(square, -1), gl = lower(gs, -1);
  Tensor from_l = gl + matmul(adjoint(l), gl);  // Lᴴ·gL, the ones on L's diagonal apart
  Tensor from_u = matmul(upper(gs), adjoint(upper(square)));
  Tensor rest;  // of the gradient, in permuted rows
  if (m > k) {
    Tensor below = narrow(lu, -2, k, m - k), g_below = narrow(g, -2, k, m - k);
    from_u = from_u - matmul(adjoint(below), g_below);
    rest = solve_triangular(adjoint(square), g_below, Triangle::lower, false);
  } else if (n > k) {
    Tensor beyond = narrow(lu, -1, k, n - k), g_beyond = narrow(g, -1, k, n - k);
    from_l = from_l - matmul(g_beyond, adjoint(beyond));
    rest = solve_triangular(adjoint(square), g_beyond, Triangle::unit_upper);
  }
  Tensor inner = lower(from_l, -1) + upper(from_u);
  inner = solve_triangular(adjoint(square), inner, Triangle::unit_upper);
  inner = solve_triangular(adjoint(square), inner, Triangle::lower, false);
  if (rest.defined()) inner = cat({inner, rest}, m > k ? -2 : -1);
  v.set(0, take_rows(inner, call(rows::pivots_to_rows, pivots, m, true)));
}

void pivots_infer(Infer& o, const Tensor& pivots, int64_t count, bool) {
  KG_CHECK(pivots.dtype() == Dtype::i32, "Expected pivots of dtype int32, got ", pivots.dtype());
  KG_CHECK(pivots.dim() >= 1 && pivots.sizes()[pivots.dim() - 1] <= count, "expected at most ",
           count, " pivots, got shape ", pivots.sizes());
  o.out(with({pivots.sizes().p, pivots.dim() - 1}, {count}), Dtype::i64);
}

Dims common_batch(const Tensor& a, const Tensor& b) {
  return broadcast_shapes(batch_of(a), batch_of(b));
}
void lu_solve_infer(Infer& o, const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left,
                    bool) {
  check_sides(lu, b, left);
  check_pivots(lu, pivots);
  matrices(o, common_batch(lu, b), rows_of(b), cols_of(b), b.dtype());
  if (!left) {  // solved as the transposed equation
    Spec& s = o[0];
    s.has_strides = false;
  }
}
// A·X = B with A = P·L·U; the other three equations are this one or its adjoint, transposed.
void lu_solve_vjp(Vjp& v, const Tensor& lu, const Tensor& pivots, const Tensor&, bool left,
                  bool is_adjoint) {
  const Tensor& g = v.g();
  Tensor gb;
  if (!v.needs(0)) {
    gb = lu_solve(lu, pivots, g, left, !is_adjoint);
    v.set(2, sum_to(gb, v.sizes(2)));
    return;
  }
  Tensor x = left ? v.out(0) : adjoint(v.out(0)), gx = left ? g : adjoint(g);
  Tensor gl, gu;
  Tensor order;
  auto permuted = [&](const Tensor& t, bool back) {
    Tensor rows = call(rows::pivots_to_rows, pivots, rows_of(lu), back);
    Dims sizes(batch_of(t));
    sizes.push_back(rows_of(lu));
    return take_rows(t, expand(rows, sizes));
  };
  if (is_adjoint == left) {  // X = P·L⁻ᴴ·Y, Y = U⁻ᴴ·B
    Tensor w = permuted(x, false);
    Tensor gy = solve_triangular(lu, permuted(gx, false), Triangle::unit_lower);
    gb = solve_triangular(lu, gy, Triangle::upper);
    gl = matmul(w, adjoint(gy));
    gu = matmul(w + matmul(adjoint(lower(lu, -1)), w), adjoint(gb));
  } else {  // X = U⁻¹·Y, Y = L⁻¹·Pᵀ·B
    Tensor gy = solve_triangular(adjoint(lu), gx, Triangle::lower);
    Tensor gz = solve_triangular(adjoint(lu), gy, Triangle::unit_upper);
    gl = matmul(gz, adjoint(matmul(upper(lu), x)));
    gu = matmul(gy, adjoint(x));
    gb = permuted(gz, true);
  }
  v.set(0, sum_to(neg(lower(gl, -1) + upper(gu)), v.sizes(0)));
  if (v.needs(2)) v.set(2, sum_to(left ? gb : adjoint(gb), v.sizes(2)));
}

void solve_triangular_infer(Infer& o, const Tensor& a, const Tensor& b, bool, bool left, bool) {
  check_sides(a, b, left);
  matrices(o, common_batch(a, b), rows_of(b), cols_of(b), b.dtype());
}
void solve_triangular_vjp(Vjp& v, const Tensor& a, const Tensor&, bool is_upper, bool left,
                          bool unit) {
  Tensor gb = call(rows::solve_triangular, adjoint(a), v.g(), !is_upper, left, unit);
  if (v.needs(0)) {
    Tensor x = v.out(0);
    Tensor ga = neg(left ? matmul(gb, adjoint(x)) : matmul(adjoint(x), gb));
    int64_t off = unit ? 1 : 0;
    v.set(0, sum_to(is_upper ? upper(ga, off) : lower(ga, -off), v.sizes(0)));
  }
  if (v.needs(1)) v.set(1, sum_to(gb, v.sizes(1)));
}

void solve_infer(Infer& o, const Tensor& a, const Tensor& b, bool left) {
  check_sides(a, b, left);
  Dims batch = common_batch(a, b);
  int64_t n = rows_of(a);
  matrices(o, batch, rows_of(b), cols_of(b), b.dtype()).has_strides = left;
  matrices(o, batch_of(a), n, n, a.dtype());
  o.out(with(batch_of(a), {n}), Dtype::i32);
  o.out(batch_of(a), Dtype::i32);
}
// A·X = B: gB = A⁻ᴴ·gX, gA = -gB·Xᴴ. The factorisation serves again, unless the gradient of A⁻ᴴ
// itself may be asked for.
void solve_vjp(Vjp& v, const Tensor& a, const Tensor&, bool left) {
  Tensor gb = grad_mode.enabled ? solve(adjoint(a), v.g(), left)
                                : lu_solve(v.out(1), v.out(2), v.g(), left, true);
  if (v.needs(0)) {
    Tensor x = v.out(0);
    v.set(0, sum_to(neg(left ? matmul(gb, adjoint(x)) : matmul(adjoint(x), gb)), v.sizes(0)));
  }
  if (v.needs(1)) v.set(1, sum_to(gb, v.sizes(1)));
}

void inv_infer(Infer& o, const Tensor& a) {
  check_square(a);
  matrices(o, batch_of(a), rows_of(a), cols_of(a), a.dtype());
  o.out(batch_of(a), Dtype::i32);
}
void inv_vjp(Vjp& v, const Tensor&) {
  if (!v.g(0).defined()) return;
  Tensor h = adjoint(v.out(0));
  v.set(0, neg(matmul(matmul(h, v.g(0)), h)));
}

void det_infer(Infer& o, const Tensor& a) {
  check_square(a);
  o.out(batch_of(a), a.dtype());
  matrices(o, batch_of(a), rows_of(a), cols_of(a), a.dtype());
  o.out(with(batch_of(a), {rows_of(a)}), Dtype::i32);
}
// gA = g·conj(det)·A⁻ᴴ, that is g times the conjugate cofactors, which a singular matrix has too:
// with A = U·diag(s)·Vᴴ they are conj(det U·det Vᴴ)·U·diag(products of the other s)·Vᴴ.
void det_vjp(Vjp& v, const Tensor& a) {
  if (!v.g(0).defined()) return;
  Tensor g = v.g(0), d = v.out(0);
  if (has_zero(d)) {
    Results r = call_all(rows::svd, a, true, true);
    Tensor turn = conj(call(rows::det, r[0]) * call(rows::det, r[2]));
    Tensor others = product_of_others(r[1], -1);
    Tensor cofactors = matmul(scale_columns(r[0], others), r[2]);
    v.set(0, cofactors * unsqueeze(unsqueeze(g * turn, -1), -1));
    return;
  }
  Dims sizes(a.sizes());
  sizes.erase(sizes.size() - 1);
  Tensor right = diagonal_matrix(expand(unsqueeze(g * conj(d), -1), sizes));
  v.set(0, grad_mode.enabled ? solve(adjoint(a), right)
                             : lu_solve(v.out(1), v.out(2), right, true, true));
}

// ---- QR -----------------------------------------------------------------------------------------

void qr_infer(Infer& o, const Tensor& a, std::string_view mode) {
  check_matrices(a);
  KG_CHECK(mode == "reduced" || mode == "complete" || mode == "r",
           "qr received unrecognized mode '", mode,
           "' but expected one of 'reduced' (default), 'r', or 'complete'");
  int64_t m = rows_of(a), n = cols_of(a), k = mode == "complete" ? m : std::min(m, n);
  if (mode == "r")
    o.out({0}, a.dtype());
  else
    matrices(o, batch_of(a), m, k, a.dtype());
  matrices(o, batch_of(a), k, n, a.dtype());
}
// Of a tall matrix, with M = R·gRᴴ - gQᴴ·Q: gA = (gQ + Q·mirrored(M))·R⁻ᴴ (Walter and Lehmann
// 2010). Of a wide one [A1 A2], Q·R1 = A1 is square and R2 = Qᴴ·A2.
void qr_vjp(Vjp& v, const Tensor& a, std::string_view mode) {
  KG_CHECK(mode != "r",
           "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. "
           "Please use linalg.qr(A, mode='reduced') if you are going to require gradients");
  Tensor q = v.out(0), r = v.out(1), gq = v.g(0), gr = v.g(1);
  int64_t m = rows_of(q), n = cols_of(r), k = cols_of(q);
  KG_CHECK(mode != "complete" || m <= n,
           "The QR decomposition is not differentiable when mode='complete' and nrows > ncols");
  if (!gq.defined() && !gr.defined()) return;
  Tensor g1 = gr, r1 = r, ga2;
  if (n > k) {
    r1 = first_columns(r, k);
    if (gr.defined()) {
      g1 = first_columns(gr, k);
      Tensor g2 = narrow(gr, -1, k, n - k);
      gq = add_if(gq, matmul(narrow(a, -1, k, n - k), adjoint(g2)));
      ga2 = matmul(q, g2);
    } else {
      Dims sizes(a.sizes());
      sizes.back() = n - k;
      ga2 = zeros(sizes, a.dtype(), a.device());
    }
  }
  Tensor inner = add_if(g1.defined() ? matmul(r1, adjoint(g1)) : Tensor(),
                        gq.defined() ? neg(matmul(adjoint(gq), q)) : Tensor());
  Tensor ga = add_if(gq, matmul(q, mirrored_lower(inner)));
  ga = solve_triangular(adjoint(r1), ga, Triangle::lower, false);
  v.set(0, ga2.defined() ? cat({ga, ga2}, -1) : ga);
}

void geqrf_infer(Infer& o, const Tensor& a) {
  check_matrices(a);
  int64_t m = rows_of(a), n = cols_of(a);
  matrices(o, batch_of(a), m, n, a.dtype());
  o.out(with(batch_of(a), {std::min(m, n)}), a.dtype());
}
void geqrf_vjp(Vjp&, const Tensor&) {
  KG_FAIL(not_implemented,
          "the derivative for 'geqrf' is not implemented; kagari.linalg.qr has one");
}

// ---- eigenvalues --------------------------------------------------------------------------------

void eigh_infer(Infer& o, const Tensor& a, std::string_view uplo, bool vectors) {
  check_square(a);
  KG_CHECK(uplo == "L" || uplo == "U" || uplo == "l" || uplo == "u",
           "Expected UPLO argument to be 'L' or 'U', but got ", uplo);
  o.out(with(batch_of(a), {rows_of(a)}), real_dtype(a.dtype()));
  if (vectors)
    matrices(o, batch_of(a), rows_of(a), cols_of(a), a.dtype());
  else
    o.out({0}, a.dtype());
  o.out(batch_of(a), Dtype::i32);
}
void check_phase(const Tensor& diagonal, const char* what) {
  if (!is_complex(diagonal.dtype())) return;
  KG_CHECK(is_small(call(rows::imag, diagonal)), "The ", what,
           " in the complex case are specified up to multiplication by e^{i phi}. The specified "
           "loss function depends on this quantity, so it is ill-defined.");
}
// λ_j - λ_i with ones on the diagonal.
Tensor gaps(const Tensor& values) {
  int64_t n = values.size(-1);
  Tensor one = diagonal_matrix(ones({n}, values.dtype(), values.device()));
  return unsqueeze(values, -2) - unsqueeze(values, -1) + one;
}
// x with another diagonal.
Tensor with_diagonal(const Tensor& x, const Tensor& d) {
  Tensor rest = lower(x, -1) + upper(x, 1);
  return d.defined() ? rest + diagonal_matrix(to(d, x.dtype())) : rest;
}
// gA = V·[diag(gλ) + (Vᴴ·gV) / (λ_j - λ_i)]·Vᴴ
void eigh_vjp(Vjp& v, const Tensor&, std::string_view, bool vectors) {
  Tensor gl = v.g(0), gv = v.g(1);
  if (!gl.defined() && !gv.defined()) return;
  KG_CHECK(vectors, "the eigenvectors, on which the gradient depends, were not computed");
  Tensor values = v.out(0), vs = v.out(1), h = adjoint(vs);
  if (!gv.defined()) {
    v.set(0, matmul(scale_columns(vs, gl), h));
    return;
  }
  Tensor inner = matmul(h, gv);
  check_phase(diagonal_of(inner), "eigenvectors");
  v.set(0, matmul(matmul(vs, with_diagonal(inner / gaps(values), gl)), h));
}

void eig_infer(Infer& o, const Tensor& a, bool vectors) {
  check_square(a);
  Dtype c = complex_dtype(a.dtype());
  o.out(with(batch_of(a), {rows_of(a)}), c);
  if (vectors)
    matrices(o, batch_of(a), rows_of(a), cols_of(a), c);
  else
    o.out({0}, c);
  o.out(batch_of(a), Dtype::i32);
}
// Vectors have norm one, so that only the part of gV across them counts (Boeddeker et al. 2017):
//   gA = V⁻ᴴ·[diag(gλ) + (Vᴴ·gV - Vᴴ·V·diag(Re(Vᴴ·gV))) / conj(λ_j - λ_i)]·Vᴴ
void eig_vjp(Vjp& v, const Tensor&, bool vectors) {
  Tensor gl = v.g(0), gv = v.g(1);
  if (!gl.defined() && !gv.defined()) return;
  KG_CHECK(vectors, "the eigenvectors, on which the gradient depends, were not computed");
  Tensor values = v.out(0), vs = v.out(1), h = adjoint(vs), inner;
  if (!gv.defined()) {
    inner = scale_rows(h, gl);
  } else {
    Tensor along = matmul(h, gv);
    check_phase(diagonal_of(along), "eigenvectors");
    Tensor radial = to(call(rows::real, diagonal_of(along)), vs.dtype());
    Tensor across = along - scale_columns(matmul(h, vs), radial);
    inner = matmul(with_diagonal(across / conj(gaps(values)), gl), h);
  }
  Tensor ga = solve(h, inner);
  v.set(0, is_complex(v.dtype(0)) ? ga : call(rows::real, ga));
}

// ---- singular values ----------------------------------------------------------------------------

void svd_infer(Infer& o, const Tensor& a, bool full, bool vectors) {
  check_matrices(a);
  int64_t m = rows_of(a), n = cols_of(a), k = std::min(m, n);
  if (vectors)
    matrices(o, batch_of(a), m, full ? m : k, a.dtype());
  else
    o.out({0}, a.dtype());
  o.out(with(batch_of(a), {k}), real_dtype(a.dtype()));
  if (vectors)
    matrices(o, batch_of(a), full ? n : k, n, a.dtype());
  else
    o.out({0}, a.dtype());
  o.out(batch_of(a), Dtype::i32);
}
// A = U·diag(s)·Vᴴ with k singular values. With skew(X) = X - Xᴴ and E_ij = s_j² - s_i²,
//   gA = U·[skew(Uᴴ·gU)/E·diag(s) + diag(s)·skew(Vᴴ·gV)/E + diag(gs) + i·Im(diag(Uᴴ·gU))/s]·Vᴴ
//      + (1 - U·Uᴴ)·gU/s·Vᴴ + U·(gV/s)ᴴ·(1 - V·Vᴴ).
// The last two terms are zero where U or V is square. Vectors beyond the first k are any basis of
// what is left: a gradient that comes through them is not defined and takes no part.
void svd_vjp(Vjp& v, const Tensor& a, bool, bool vectors) {
  Tensor gu = v.g(0), gs = v.g(1), gvh = v.g(2);
  if (!gu.defined() && !gs.defined() && !gvh.defined()) return;
  KG_CHECK(vectors, "the singular vectors, on which the gradient depends, were not computed");
  int64_t m = rows_of(a), n = cols_of(a), k = std::min(m, n);
  Tensor s = v.out(1), u = first_columns(v.out(0), k), vh = first_rows(v.out(2), k);
  if (!gu.defined() && !gvh.defined()) {
    v.set(0, matmul(scale_columns(u, gs), vh));
    return;
  }
  if (gu.defined()) gu = first_columns(gu, k);
  if (gvh.defined()) gvh = first_rows(gvh, k);
  auto skew = [](const Tensor& x) { return x - adjoint(x); };
  Tensor ugu = gu.defined() ? skew(matmul(adjoint(u), gu)) : Tensor();
  Tensor vgv = gvh.defined() ? skew(matmul(vh, adjoint(gvh))) : Tensor();
  Tensor inner;
  // s_j² - s_i² in two factors, which loses no digits where they are close.
  Tensor e = gaps(s) * with_diagonal(unsqueeze(s, -2) + unsqueeze(s, -1),
                                     ones(s.sizes(), s.dtype(), s.device()));
  if (gu.defined()) inner = scale_columns(ugu / e, s);
  if (gvh.defined()) inner = add_if(inner, scale_rows(vgv / e, s));
  Tensor d = gs.defined() ? to(gs, a.dtype()) : Tensor();
  if (is_complex(a.dtype())) {
    Tensor phase = add_if(gu.defined() ? diagonal_of(ugu) : Tensor(),
                          gvh.defined() ? diagonal_of(vgv) : Tensor());
    KG_CHECK(is_small(call(rows::imag, phase)),
             "The singular vectors in the complex case are specified up to multiplication by "
             "e^{i phi}. The specified loss function depends on this phase term, making it "
             "ill-defined.");
    if (gu.defined()) d = add_if(d, diagonal_of(ugu) / (s * 2.0));
  }
  inner = with_diagonal(inner, d);
  Tensor ga = matmul(u, inner);
  if (m > k && gu.defined()) {
    Tensor across = scale_columns(gu, reciprocal(s));
    ga = ga + across - matmul(u, matmul(adjoint(u), across));
  }
  ga = matmul(ga, vh);
  if (n > k && gvh.defined()) {
    Tensor across = scale_rows(gvh, reciprocal(s));
    ga = ga + matmul(u, across - matmul(matmul(across, adjoint(vh)), vh));
  }
  v.set(0, ga);
}

// ---- the pseudo-inverse -------------------------------------------------------------------------

void pinv_of_infer(Infer& o, const Tensor& a, const Tensor& p) {
  check_matrices(a);
  KG_CHECK(p.dim() == a.dim() && rows_of(p) == cols_of(a) && cols_of(p) == rows_of(a) &&
               batch_of(p) == batch_of(a) && p.dtype() == a.dtype(),
           "expected a pseudo-inverse of A's transposed shape, got ", p.sizes(), " for A ",
           a.sizes());
  o.out(p.sizes(), p.dtype());
}
// At constant rank (Golub and Pereyra 1973):
//   dP = -P·dA·P + P·Pᴴ·dAᴴ·(1 - A·P) + (1 - P·A)·dAᴴ·Pᴴ·P
void pinv_of_vjp(Vjp& v, const Tensor& a, const Tensor&) {
  const Tensor& g = v.g();
  Tensor p = v.out(0), h = adjoint(p), gh = adjoint(g);
  Tensor left = matmul(gh, matmul(p, h)), right = matmul(matmul(h, p), gh);
  Tensor ga = neg(matmul(matmul(h, g), h));
  ga = ga + left - matmul(a, matmul(p, left));
  v.set(0, ga + right - matmul(matmul(right, p), a));
}

// ---- symmetric indefinite matrices, least squares -----------------------------------------------

void ldl_factor_infer(Infer& o, const Tensor& a, bool) {
  check_square(a);
  matrices(o, batch_of(a), rows_of(a), cols_of(a), a.dtype());
  o.out(with(batch_of(a), {rows_of(a)}), Dtype::i32);
  o.out(batch_of(a), Dtype::i32);
}
void ldl_factor_vjp(Vjp&, const Tensor&, bool) {
  KG_FAIL(not_implemented,
          "the derivative for 'linalg_ldl_factor_ex' is not implemented; "
          "kagari.linalg.lu_factor and cholesky have one");
}
void ldl_solve_infer(Infer& o, const Tensor& ld, const Tensor& pivots, const Tensor& b, bool) {
  check_sides(ld, b, true);
  check_pivots(ld, pivots);
  matrices(o, common_batch(ld, b), rows_of(b), cols_of(b), b.dtype());
}
// A is symmetric, or Hermitian: gB = A⁻ᴴ·gX from the same factors, or from the conjugate ones.
void ldl_solve_vjp(Vjp& v, const Tensor& ld, const Tensor& pivots, const Tensor&, bool hermitian) {
  KG_CHECK_IMPLEMENTED(!v.needs(0),
                       "the derivative for 'linalg_ldl_solve' in LD is not implemented; "
                       "kagari.linalg.solve has one in A");
  v.set(2, sum_to(call(rows::ldl_solve, hermitian ? ld : conj(ld), pivots, v.g(), hermitian),
                  v.sizes(2)));
}

void lstsq_infer(Infer& o, const Tensor& a, const Tensor& b, double, bool values) {
  check_matrices(a);
  check_matrices(b);
  KG_CHECK(a.dtype() == b.dtype() && rows_of(a) == rows_of(b) && batch_of(a) == batch_of(b),
           "expected B with A's dtype, batch and rows, got ", describe(b), " for A ", describe(a));
  int64_t m = rows_of(a), n = cols_of(a);
  matrices(o, batch_of(a), std::max(m, n), cols_of(b), a.dtype());
  o.out(batch_of(a), Dtype::i64);
  o.out(with(batch_of(a), {values ? std::min(m, n) : 0}), real_dtype(a.dtype()));
  o.out(batch_of(a), Dtype::i32);
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

KG_ROW(cholesky_ex, "_linalg_cholesky_ex(Tensor A, bool upper) -> (Tensor L, Tensor info)",
       .grad = vjp<&cholesky_vjp>("L", 1), .infer = infer<&cholesky_infer>, .as = kInternal,
       .doc = "The Cholesky factors, from the lower triangles, or the upper ones where `upper`.")
KG_ROW(lu_factor_ex, "_linalg_lu_factor_ex(Tensor A) -> (Tensor LU, Tensor pivots, Tensor info)",
       .grad = vjp<&lu_factor_vjp>("LU pivots", 1), .infer = infer<&lu_factor_infer>,
       .as = kInternal, .doc = "LU factors in one matrix, the ones on L's diagonal left out.")
KG_ROW(pivots_to_rows,
       "_linalg_pivots_to_rows(Tensor pivots, int rows, bool inverse=False) -> Tensor",
       .grad = nondiff("row numbers have no derivative"), .infer = infer<&pivots_infer>,
       .as = kInternal,
       .doc = "Which row of A stands in each row of L U; or, inverted, where each row of A went.")
KG_ROW(lu_solve,
       "linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool "
       "adjoint=False) -> Tensor",
       .grad = vjp<&lu_solve_vjp>("LU pivots result:LU"), .infer = infer<&lu_solve_infer>,
       .as = kFunction,
       .doc =
           "Solves A X = B, or X A = B, from the factors of A; `adjoint` solves with A's "
           "conjugate transpose.")
KG_ROW(solve_triangular,
       "linalg_solve_triangular(Tensor input, Tensor B, *, bool upper, bool left=True, bool "
       "unitriangular=False) -> Tensor",
       .grad = vjp<&solve_triangular_vjp>("input result:input"),
       .infer = infer<&solve_triangular_infer>, .as = kFunction,
       .doc = "Solves A X = B, or X A = B, with a triangular A; the other triangle is not read.")
KG_ROW(solve_ex,
       "_linalg_solve_ex(Tensor A, Tensor B, bool left) -> (Tensor result, Tensor LU, Tensor "
       "pivots, Tensor info)",
       .grad = vjp<&solve_vjp>("A result:A LU pivots", 1), .infer = infer<&solve_infer>,
       .as = kInternal, .doc = "Solves A X = B, or X A = B.")
KG_ROW(inv_ex, "_linalg_inv_ex(Tensor A) -> (Tensor inverse, Tensor info)",
       .grad = vjp<&inv_vjp>("inverse", 1), .infer = infer<&inv_infer>, .as = kInternal,
       .doc = "The inverses.")
KG_ROW(det, "_linalg_det(Tensor A) -> (Tensor result, Tensor LU, Tensor pivots)",
       .grad = vjp<&det_vjp>("A result LU pivots", 1), .infer = infer<&det_infer>, .as = kInternal,
       .doc = "The determinants.")
KG_ROW(qr, "_linalg_qr(Tensor A, str mode) -> (Tensor Q, Tensor R)", .grad = vjp<&qr_vjp>("A Q R"),
       .infer = infer<&qr_infer>, .as = kInternal, .doc = "QR factors; Q is empty in mode 'r'.")
KG_ROW(geqrf, "geqrf(Tensor input) -> (Tensor a, Tensor tau)", .grad = vjp<&geqrf_vjp>(),
       .infer = infer<&geqrf_infer>, .as = kFunction | kMethod,
       .doc =
           "The QR factors as LAPACK holds them: R above, the reflectors of Q below the "
           "diagonal, and their factors.")
KG_ROW(eigh,
       "_linalg_eigh(Tensor A, str UPLO, bool compute_v) -> (Tensor eigenvalues, Tensor "
       "eigenvectors, Tensor info)",
       .grad = vjp<&eigh_vjp>("eigenvalues eigenvectors"), .infer = infer<&eigh_infer>,
       .as = kInternal,
       .doc =
           "Eigenvalues in ascending order, and eigenvectors, of symmetric or Hermitian "
           "matrices.")
KG_ROW(eig,
       "_linalg_eig(Tensor A, bool compute_v) -> (Tensor eigenvalues, Tensor eigenvectors, Tensor "
       "info)",
       .grad = vjp<&eig_vjp>("eigenvalues eigenvectors"), .infer = infer<&eig_infer>,
       .as = kInternal, .doc = "Complex eigenvalues, and eigenvectors of norm one.")
KG_ROW(svd,
       "_linalg_svd(Tensor A, bool full_matrices, bool compute_uv) -> (Tensor U, Tensor S, Tensor "
       "Vh, Tensor info)",
       .grad = vjp<&svd_vjp>("#A U S Vh"), .infer = infer<&svd_infer>, .as = kInternal,
       .doc = "Singular values in descending order, and singular vectors.")
KG_ROW(pinv_of, "_linalg_pinv_of(Tensor A, Tensor P) -> Tensor",
       .grad = vjp<&pinv_of_vjp>("A result"), .infer = infer<&pinv_of_infer>, .as = kInternal,
       .doc = "P, A's pseudo-inverse that was found outside the tape, with its derivative in A.")
KG_ROW(ldl_factor_ex,
       "_linalg_ldl_factor_ex(Tensor A, bool hermitian) -> (Tensor LD, Tensor pivots, Tensor info)",
       .grad = vjp<&ldl_factor_vjp>("", 1), .infer = infer<&ldl_factor_infer>, .as = kInternal,
       .doc = "LDL factors of symmetric or Hermitian matrices, from the lower triangles.")
KG_ROW(ldl_solve,
       "linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor",
       .grad = vjp<&ldl_solve_vjp>("LD pivots"), .infer = infer<&ldl_solve_infer>, .as = kFunction,
       .doc = "Solves A X = B from the LDL factors of A.")
KG_ROW(lstsq,
       "_linalg_lstsq(Tensor A, Tensor B, float rcond, bool values) -> (Tensor solution, Tensor "
       "rank, Tensor singular_values, Tensor info)",
       .grad = nondiff("the gradient is that of pinv(A) @ B"), .infer = infer<&lstsq_infer>,
       .as = kInternal,
       .doc =
           "The least squares solutions of least norm, in the first rows of `solution`: through "
           "singular `values`, and below are the residuals of matrices of full rank; or by QR.")

}  // namespace kagari
