// Matrix products: shapes, dtypes and gradients. The products themselves read any strides, so
// transposed operands are views and nothing is copied for them.
#include "ops/matmul.h"

#include "ops/out.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {
namespace {

// "2x3"
std::string by(Ints sizes) {
  std::string s;
  for (int64_t i = 0; i < sizes.n; ++i) {
    if (i) s += 'x';
    s += std::to_string(sizes[i]);
  }
  return s;
}
std::string bracketed(Ints sizes) {
  std::string s = "[";
  for (int64_t i = 0; i < sizes.n; ++i) s += (i ? ", " : "") + std::to_string(sizes[i]);
  return s + "]";
}

void check_dtype(Dtype d) {
  bool has = d < Dtype::c32 && d != Dtype::boolean && !(d >= Dtype::u16 && d <= Dtype::u64);
  KG_CHECK_IMPLEMENTED(has, "products are not implemented for ", d,
                       "; convert the operands, for instance with .to(kagari.float32)");
}
void check_same(const Tensor& a, const Tensor& b, const char* one = "m1",
                const char* other = "m2") {
  KG_CHECK(a.dtype() == b.dtype(), "expected ", one, " and ", other,
           " to have the same dtype, but got: ", a.dtype(), " != ", b.dtype(),
           "; convert one with .to(dtype)");
  check_dtype(a.dtype());
}

// The conjugate transpose of the last two dimensions.
Tensor adjoint(const Tensor& x) { return conj(transpose(x, -2, -1)); }
Tensor scaled(const Tensor& x, const Scalar& by) { return by.equals(1) ? x : mul(x, by); }

// ---- two matrices, a matrix and a vector, two vectors -------------------------------------------

void check_matrices(const Tensor& a, const Tensor& b, const char* first = "self") {
  KG_CHECK(a.dim() == 2, first, " must be a matrix, got shape ", a.sizes());
  KG_CHECK(b.dim() == 2, "mat2 must be a matrix, got shape ", b.sizes());
  KG_CHECK(a.sizes()[1] == b.sizes()[0], "mat1 and mat2 shapes cannot be multiplied (",
           by(a.sizes()), " and ", by(b.sizes()), ")");
  check_same(a, b);
}
void mm_infer(Infer& o, const Tensor& a, const Tensor& b) {
  check_matrices(a, b);
  o.out({a.sizes()[0], b.sizes()[1]}, a.dtype());
}
void mm_vjp(Vjp& v, const Tensor& a, const Tensor& b) {
  if (v.needs(0)) v.set(0, mm(v.g(), adjoint(b)));
  if (v.needs(1)) v.set(1, mm(adjoint(a), v.g()));
}

void check_batches(const Tensor& a, const Tensor& b) {
  KG_CHECK(a.dim() == 3, "batch1 must be a 3D tensor, got shape ", a.sizes());
  KG_CHECK(b.dim() == 3, "batch2 must be a 3D tensor, got shape ", b.sizes());
  KG_CHECK(a.sizes()[0] == b.sizes()[0] && a.sizes()[2] == b.sizes()[1],
           "Expected size for first two dimensions of batch2 tensor to be: ",
           bracketed({a.sizes()[0], a.sizes()[2]}),
           " but got: ", bracketed({b.sizes()[0], b.sizes()[1]}), ".");
  check_same(a, b, "batch1", "batch2");
}
void bmm_infer(Infer& o, const Tensor& a, const Tensor& b) {
  check_batches(a, b);
  o.out({a.sizes()[0], a.sizes()[1], b.sizes()[2]}, a.dtype());
}
void bmm_vjp(Vjp& v, const Tensor& a, const Tensor& b) {
  if (v.needs(0)) v.set(0, bmm(v.g(), adjoint(b)));
  if (v.needs(1)) v.set(1, bmm(adjoint(a), v.g()));
}

void check_vector(const Tensor& mat, const Tensor& vec, const char* what) {
  KG_CHECK(mat.dim() == 2 && vec.dim() == 1, "vector + matrix @ vector expected, got ", what,
           mat.dim(), ", ", vec.dim(), " dimensions");
  KG_CHECK(mat.sizes()[1] == vec.sizes()[0], "size mismatch, got input (", mat.sizes()[0],
           "), mat (", by(mat.sizes()), "), vec (", vec.sizes()[0], ")");
  check_same(mat, vec, "mat", "vec");
}
void mv_infer(Infer& o, const Tensor& mat, const Tensor& vec) {
  check_vector(mat, vec, "");
  o.out({mat.sizes()[0]}, mat.dtype());
}
Tensor outer_product(const Tensor& a, const Tensor& b) {
  return mul(unsqueeze(a, 1), unsqueeze(b, 0));
}
void mv_vjp(Vjp& v, const Tensor& mat, const Tensor& vec) {
  if (v.needs(0)) v.set(0, outer_product(v.g(), conj(vec)));
  if (v.needs(1)) v.set(1, mv(adjoint(mat), v.g()));
}

void dot_infer(Infer& o, const Tensor& a, const Tensor& b) {
  KG_CHECK(a.dim() == 1 && b.dim() == 1, "1D tensors expected, but got ", a.dim(), "D and ",
           b.dim(), "D tensors");
  KG_CHECK(a.dtype() == b.dtype(), "expected both vectors to have same dtype, but found ",
           a.dtype(), " and ", b.dtype());
  KG_CHECK(a.numel() == b.numel(), "inconsistent tensor size, expected tensor ",
           bracketed(a.sizes()), " and src ", bracketed(b.sizes()),
           " to have the same number of elements, but got ", a.numel(), " and ", b.numel(),
           " elements respectively");
  check_dtype(a.dtype());
  o.out({}, a.dtype());
}
void dot_vjp(Vjp& v, const Tensor& a, const Tensor& b) {
  if (v.needs(0)) v.set(0, mul(v.g(), conj(b)));
  if (v.needs(1)) v.set(1, mul(v.g(), conj(a)));
}

// ---- matmul -------------------------------------------------------------------------------------

void matmul_infer(Infer& o, const Tensor& a, const Tensor& b) {
  KG_CHECK(a.dim() >= 1 && b.dim() >= 1,
           "both arguments to matmul need to be at least 1D, but they are ", a.dim(), "D and ",
           b.dim(), "D");
  Ints as = a.sizes(), bs = b.sizes();
  int64_t k = as[as.n - 1], kb = bs.n == 1 ? bs[0] : bs[bs.n - 2];
  if (as.n == 1 && bs.n == 1) {
    KG_CHECK(k == kb, "inconsistent tensor size, expected tensor ", bracketed(as), " and src ",
             bracketed(bs), " to have the same number of elements, but got ", k, " and ", kb,
             " elements respectively");
  } else {
    KG_CHECK(k == kb, "mat1 and mat2 shapes cannot be multiplied (", by(as), " and ", by(bs),
             "): the last dimension of the first, ", k, ", must equal the ",
             bs.n == 1 ? "length" : "last but one", " of the second, ", kb);
  }
  check_same(a, b);
  Dims sizes = broadcast_shapes({as.p, std::max<int64_t>(as.n - 2, 0)},
                                {bs.p, std::max<int64_t>(bs.n - 2, 0)});
  if (as.n > 1) sizes.push_back(as[as.n - 2]);
  if (bs.n > 1) sizes.push_back(bs[bs.n - 1]);
  o.out(sizes, a.dtype());
}
// With vectors as matrices of one row or column; sums over broadcast batches go into the product
// where one operand is a plain matrix.
void matmul_vjp(Vjp& v, const Tensor& a, const Tensor& b) {
  int64_t b_dim = v.needs(1) ? v.sizes(1).n : b.dim();
  bool row = (v.needs(0) ? v.sizes(0).n : a.dim()) == 1, column = b_dim == 1;
  Tensor g = v.g();
  if (column) g = unsqueeze(g, -1);
  if (row) g = unsqueeze(g, -2);
  if (v.needs(0)) {
    Tensor whole = column ? unsqueeze(b, -1) : b;
    Tensor ga = matmul(g, adjoint(whole));
    v.set(0, row ? reshape(sum_to(ga, {1, ga.size(-1)}), v.sizes(0)) : sum_to(ga, v.sizes(0)));
  }
  if (v.needs(1)) {
    Tensor whole = row ? unsqueeze(a, 0) : a;
    Tensor gb;
    if (b_dim <= 2 && whole.dim() > 2)
      gb = mm(adjoint(reshape(whole, {-1, whole.size(-1)})), reshape(g, {-1, g.size(-1)}));
    else
      gb = matmul(adjoint(whole), g);
    if (column) gb = squeeze(gb, -1);
    v.set(1, sum_to(gb, v.sizes(1)));
  }
}

// ---- linear -------------------------------------------------------------------------------------

void linear_infer(Infer& o, const Tensor& x, const Tensor& w, const Tensor& b) {
  KG_CHECK(w.dim() == 2 || w.dim() == 1,
           "expected a weight (out_features, in_features), got shape ", w.sizes());
  KG_CHECK(x.dim() >= 1, "both arguments to linear need to be at least 1D, but the input is 0D");
  Ints xs = x.sizes();
  int64_t k = xs[xs.n - 1], wk = w.sizes()[w.dim() - 1];
  if (k != wk) {
    int64_t n = w.dim() == 2 ? w.sizes()[0] : 1, rows = k ? x.numel() / k : 0;
    KG_FAIL(runtime, "mat1 and mat2 shapes cannot be multiplied (", rows, "x", k, " and ", wk, "x",
            n, "): the input has ", k, " features, the weight expects ", wk, " (input ", xs,
            ", weight ", w.sizes(), ")");
  }
  KG_CHECK(x.dtype() == w.dtype(),
           "expected m1 and m2 to have the same dtype, but got: ", x.dtype(), " != ", w.dtype(),
           " (input ", xs, ", weight ", w.sizes(), "); convert one with .to(dtype)");
  check_dtype(x.dtype());
  Dims sizes(Ints{xs.p, xs.n - 1});
  if (w.dim() == 2) sizes.push_back(w.sizes()[0]);
  if (b.defined()) {
    KG_CHECK(b.dtype() == x.dtype(), "expected a bias of the input's dtype, got: ", b.dtype(),
             " != ", x.dtype());
    bool fits = w.dim() == 2 ? (b.dim() == 0 ||
                                (b.dim() == 1 && (b.numel() == 1 || b.numel() == w.sizes()[0])))
                             : b.numel() == 1;
    KG_CHECK(fits, "expected a bias of shape (", w.dim() == 2 ? w.sizes()[0] : 1, "), got ",
             b.sizes(), " (weight ", w.sizes(), ")");
  }
  o.out(sizes, x.dtype());
}
void linear_vjp(Vjp& v, const Tensor& x, const Tensor& w, const Tensor&) {
  const Tensor& g = v.g();
  bool want_b = v.needs(2);
  auto bias_gradient = [&] {
    return g.dim() < v.sizes(2).n ? reshape(sum(g), v.sizes(2)) : sum_to(g, v.sizes(2));
  };
  if (!v.needs(0) && !v.needs(1)) {
    v.set(2, bias_gradient());
    return;
  }
  bool flat = (v.needs(1) ? v.sizes(1).n : w.dim()) == 1;  // the weight is a vector
  if (!grad_mode.enabled && !flat) {
    int64_t k = v.needs(1) ? v.sizes(1)[1] : w.sizes()[1];
    Results r = call_all(rows::linear_backward, g, x, w, k, v.needs(0), v.needs(1), want_b);
    if (v.needs(0)) v.set(0, std::move(r[0]));
    if (v.needs(1)) v.set(1, std::move(r[1]));
    if (want_b) v.set(2, sum_to(r[2], v.sizes(2)));
    return;
  }
  if (v.needs(0)) v.set(0, flat ? mul(unsqueeze(g, -1), conj(w)) : matmul(g, conj(w)));
  if (v.needs(1)) {
    Tensor by_rows = reshape(g, {-1, flat ? 1 : g.size(-1)});
    v.set(1, reshape(mm(transpose(by_rows, 0, 1), conj(reshape(x, {-1, x.size(-1)}))), v.sizes(1)));
  }
  if (want_b) v.set(2, bias_gradient());
}
void linear_backward_infer(Infer& o, const Tensor& g, const Tensor& x, const Tensor& w, int64_t k,
                           bool dx, bool dw, bool db) {
  KG_CHECK(g.dim() >= 1 && k >= 0, "expected a gradient (..., out) and a number of features, got ",
           g.sizes(), " and ", k);
  KG_CHECK((w.defined() || !dx) && (x.defined() || !dw),
           "the gradient of the input needs the weight, that of the weight the input");
  if (dx)
    KG_CHECK(w.sizes() == Ints({g.size(-1), k}) && w.dtype() == g.dtype(),
             "expected a weight of shape (", g.size(-1), ", ", k, ") and ", g.dtype(), ", got ",
             describe(w));
  if (dw)
    KG_CHECK(x.dim() == g.dim() && x.size(-1) == k && x.dtype() == g.dtype() &&
                 Ints(x.sizes().p, x.dim() - 1) == Ints(g.sizes().p, g.dim() - 1),
             "expected an input of shape (..., ", k, ") beside a gradient ", describe(g), ", got ",
             describe(x));
  int64_t n = g.sizes()[g.dim() - 1];
  Dims none{0}, sizes(g.sizes());
  sizes.back() = k;
  o.out(dx ? Ints(sizes) : Ints(none), g.dtype());
  o.out(dw ? Ints{n, k} : Ints(none), g.dtype());
  o.out(db ? Ints{n} : Ints(none), g.dtype());
}

// ---- sums with a product ------------------------------------------------------------------------

// Factors of integer sums lose their fraction, as in PyTorch.
void check_addend(const Tensor& input, const Tensor& mat, Ints sizes) {
  KG_CHECK(input.dtype() == mat.dtype(), "self and mat2 must have the same dtype, but got ",
           input.dtype(), " and ", mat.dtype());
  bool fits = input.dim() <= sizes.n;
  for (int64_t i = 0; fits && i < input.dim(); ++i) {
    int64_t have = input.sizes()[input.dim() - 1 - i];
    fits = have == 1 || have == sizes[sizes.n - 1 - i];
  }
  KG_CHECK(fits, "The expanded size of the tensor ", sizes,
           " must match the existing size of input ", input.sizes(),
           ": expected an input that broadcasts to the product");
}
void addmm_infer(Infer& o, const Tensor& input, const Tensor& a, const Tensor& b, Scalar, Scalar) {
  check_matrices(a, b, "mat1");
  Dims sizes{a.sizes()[0], b.sizes()[1]};
  check_addend(input, b, sizes);
  o.out(sizes, a.dtype());
}
// Both for matrices and for batches of them.
void addmm_vjp(Vjp& v, const Tensor&, const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) {
  auto conjugated = [&](const Scalar& s) {
    return s.is_complex() ? Scalar(std::conj(s.to_complex())) : s;
  };
  if (v.needs(0)) v.set(0, sum_to(scaled(v.g(), conjugated(beta)), v.sizes(0)));
  if (v.needs(1)) v.set(1, scaled(matmul(v.g(), adjoint(b)), conjugated(alpha)));
  if (v.needs(2)) v.set(2, scaled(matmul(adjoint(a), v.g()), conjugated(alpha)));
}
void baddbmm_infer(Infer& o, const Tensor& input, const Tensor& a, const Tensor& b, Scalar,
                   Scalar) {
  check_batches(a, b);
  Dims sizes{a.sizes()[0], a.sizes()[1], b.sizes()[2]};
  check_addend(input, b, sizes);
  o.out(sizes, a.dtype());
}
void addmv_infer(Infer& o, const Tensor& input, const Tensor& mat, const Tensor& vec, Scalar,
                 Scalar) {
  check_vector(mat, vec, "");
  Dims sizes{mat.sizes()[0]};
  KG_CHECK(input.dim() <= 1 && (input.numel() == 1 || input.numel() == sizes[0]),
           "size mismatch, got input (", by(input.sizes()), "), mat (", by(mat.sizes()), "), vec (",
           vec.numel(), ")");
  check_addend(input, mat, sizes);
  o.out(sizes, mat.dtype());
}
void addmv_vjp(Vjp& v, const Tensor&, const Tensor& mat, const Tensor& vec, Scalar beta,
               Scalar alpha) {
  auto conjugated = [&](const Scalar& s) {
    return s.is_complex() ? Scalar(std::conj(s.to_complex())) : s;
  };
  if (v.needs(0)) v.set(0, sum_to(scaled(v.g(), conjugated(beta)), v.sizes(0)));
  if (v.needs(1)) v.set(1, scaled(outer_product(v.g(), conj(vec)), conjugated(alpha)));
  if (v.needs(2)) v.set(2, scaled(mv(adjoint(mat), v.g()), conjugated(alpha)));
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

KG_ROW(mm, "mm(Tensor input, Tensor mat2) -> Tensor", .grad = vjp<&mm_vjp>("input:mat2 mat2:input"),
       .infer = infer<&mm_infer>, .as = kFunction | kMethod | kExactOut,
       .autocast = Autocast::lower, .doc = "The product of two matrices.")
KG_ROW(bmm, "bmm(Tensor input, Tensor mat2) -> Tensor",
       .grad = vjp<&bmm_vjp>("input:mat2 mat2:input"), .infer = infer<&bmm_infer>,
       .as = kFunction | kMethod | kExactOut, .autocast = Autocast::lower,
       .doc = "The products of two batches of matrices.")
KG_ROW(mv, "mv(Tensor input, Tensor vec) -> Tensor", .grad = vjp<&mv_vjp>("input:vec vec:input"),
       .infer = infer<&mv_infer>, .as = kFunction | kMethod | kExactOut,
       .doc = "A matrix times a vector.")
KG_ROW(dot, "dot(Tensor input, Tensor tensor) -> Tensor",
       .grad = vjp<&dot_vjp>("input:tensor tensor:input"), .infer = infer<&dot_infer>,
       .as = kFunction | kMethod | kExactOut,
       .doc = "The sum of the products of two vectors' elements.")
KG_ROW(matmul, "matmul(Tensor input, Tensor other) -> Tensor",
       .grad = vjp<&matmul_vjp>("input:other other:input"), .infer = infer<&matmul_infer>,
       .as = kFunction | kMethod | kExactOut, .autocast = Autocast::lower,
       .doc =
           "The matrix product of the last two dimensions; the others broadcast, and vectors count "
           "as one row or column.")
KG_ROW(linear, "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
       .grad = vjp<&linear_vjp>("input:weight weight:input"), .infer = infer<&linear_infer>,
       .as = kFunction, .autocast = Autocast::lower, .doc = "input @ weight.T + bias.")
KG_ROW(linear_backward,
       "linear_backward(Tensor grad, Tensor? input, Tensor? weight, int features, bool need_input, "
       "bool need_weight, bool need_bias) -> "
       "(Tensor dx, Tensor dw, Tensor db)",
       .grad = nondiff("recorded backward passes use the formula"),
       .infer = infer<&linear_backward_infer>, .as = kInternal, .doc = "The gradients of linear.")
KG_ROW(addmm,
       "addmm(Tensor input, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
       .grad = vjp<&addmm_vjp>("mat1:mat2 mat2:mat1"), .infer = infer<&addmm_infer>,
       .as = kFunction | kMethod | kInplace | kExactOut, .autocast = Autocast::lower,
       .doc = "beta * input + alpha * (mat1 @ mat2).")
KG_ROW(baddbmm,
       "baddbmm(Tensor input, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> "
       "Tensor",
       .grad = vjp<&addmm_vjp>("batch1:batch2 batch2:batch1"), .infer = infer<&baddbmm_infer>,
       .as = kFunction | kMethod | kInplace | kExactOut, .autocast = Autocast::lower,
       .doc = "beta * input + alpha * (batch1 @ batch2).")
KG_ROW(addmv,
       "addmv(Tensor input, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
       .grad = vjp<&addmv_vjp>("mat:vec vec:mat"), .infer = infer<&addmv_infer>,
       .as = kFunction | kMethod | kInplace | kExactOut,
       .doc = "beta * input + alpha * (mat @ vec).")

}  // namespace kagari
