// Scans: running sums, products, extremes and the linear recurrence behind their derivatives. Rows,
// shapes and gradients. Kernels: cpu/scan.cpp.
#include <limits>

#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/joining.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

KG_DECLARE_ROW(linear_recurrence)

// ---- sums and products --------------------------------------------------------------------------

static bool has_zero(const Tensor& x) {
  GradGuard off(false);
  return *call(rows::any, eq(x, 0.0)).data_as<bool>();
}

static void scan_infer(Infer& o, const Tensor& x, int64_t dim, Dtype dtype) {
  wrap_dim(dim, x.dim());
  bool whole = is_integral(x.dtype()) || x.dtype() == Dtype::boolean;
  o.out(x.sizes(), dtype != Dtype::undefined ? dtype : whole ? Dtype::i64 : x.dtype());
}
static Tensor reversed_cumsum(const Tensor& g, int64_t dim) {
  if (g.dim() == 0) return g;
  return flip(call(rows::cumsum, flip(g, {dim}), dim), {dim});
}
static void cumsum_vjp(Vjp& v, const Tensor&, int64_t dim, Dtype) {
  v.set(0, reversed_cumsum(v.g(), dim));
}
KG_ROW(cumsum, "cumsum(Tensor input, int dim, *, ScalarType? dtype=None) -> Tensor",
       .grad = vjp<&cumsum_vjp>(), .infer = infer<&scan_infer>,
       .as = kFunction | kMethod | kInplace, .doc = "Running sums along a dimension.")
// d y_k / d x_i = prod of the others up to k. Without zeros that is y_k / x_i; with zeros the sums
// are taken one element at a time, as a product of prefixes and of the running products that start
// after i.
static void cumprod_vjp(Vjp& v, const Tensor& x, int64_t dim, Dtype dtype) {
  const Tensor& g = v.g();
  int64_t d = wrap_dim(dim, x.dim()), n = x.dim() ? x.size(d) : 1;
  if (n <= 1 || x.numel() == 0) {
    v.set(0, g);
    return;
  }
  Tensor in = dtype == Dtype::undefined || dtype == x.dtype() ? x : to(x, dtype);
  if (x.is_meta() || !has_zero(in)) {
    Tensor y = call(rows::cumprod, in, d);
    v.set(0, reversed_cumsum(g * conj(y), d) / conj(in));
    return;
  }
  std::vector<Tensor> parts;
  Dims edge(x.sizes());
  edge[d] = 1;
  Tensor prefix = ones(edge, in.dtype(), in.device());
  for (int64_t i = 0; i < n; ++i) {
    Tensor tail = narrow(g, d, i, 1);
    if (i + 1 < n) {
      Tensor runs = call(rows::cumprod, narrow(in, d, i + 1, n - i - 1), d);
      tail = tail + sum(narrow(g, d, i + 1, n - i - 1) * conj(runs), Ints{d}, true);
    }
    parts.push_back(conj(prefix) * tail);
    prefix = prefix * narrow(in, d, i, 1);
  }
  v.set(0, cat(parts, d));
}
KG_ROW(cumprod, "cumprod(Tensor input, int dim, *, ScalarType? dtype=None) -> Tensor",
       .grad = vjp<&cumprod_vjp>("input"), .infer = infer<&scan_infer>,
       .as = kFunction | kMethod | kInplace, .doc = "Running products along a dimension.")

// ---- running extremes ---------------------------------------------------------------------------

static void running_extreme_infer(Infer& o, const Tensor& x, int64_t dim) {
  KG_CHECK_IMPLEMENTED(!is_complex(x.dtype()), "not implemented for ", x.dtype(),
                       ": complex numbers have no order");
  wrap_dim(dim, x.dim());
  o.out(x.sizes(), x.dtype());
  o.out(x.sizes(), Dtype::i64);
}
static void running_extreme_vjp(Vjp& v, const Tensor&, int64_t dim) {
  if (!v.g(0).defined()) return;
  const Tensor& g = v.g(0);
  if (g.dim() == 0) {
    v.set(0, g);
    return;
  }
  v.set(0, scatter_add(zeros(v.sizes(0), g.dtype(), g.device()), dim, v.out(1), g));
}
KG_ROW(cummax, "cummax(Tensor input, int dim) -> (Tensor values, Tensor indices)",
       .grad = vjp<&running_extreme_vjp>("indices", 1), .infer = infer<&running_extreme_infer>,
       .as = kFunction | kMethod,
       .doc = "The largest element so far along a dimension and where it stood last.")
KG_ROW(cummin, "cummin(Tensor input, int dim) -> (Tensor values, Tensor indices)",
       .grad = vjp<&running_extreme_vjp>("indices", 1), .infer = infer<&running_extreme_infer>,
       .as = kFunction | kMethod,
       .doc = "The smallest element so far along a dimension and where it stood last.")

// ---- linear recurrence --------------------------------------------------------------------------

// y[k] = decay[k] y[k-1] + x[k]. Its derivative is the same, run backwards.
static void recurrence_infer(Infer& o, const Tensor& x, const Tensor& decay, int64_t dim) {
  wrap_dim(dim, x.dim());
  KG_CHECK(is_differentiable(x.dtype()) && decay.dtype() == x.dtype(),
           "expected input and decay of one floating point or complex dtype, got ", x.dtype(),
           " and ", decay.dtype());
  KG_CHECK(decay.sizes() == x.sizes(), "expected a decay of the input's shape ", x.sizes(),
           ", got ", decay.sizes());
  o.out(x.sizes(), x.dtype());
}
// Moves everything one place along dim, a zero coming in.
static Tensor shifted(const Tensor& x, int64_t dim, bool forward) {
  int64_t n = x.size(dim);
  Dims edge(x.sizes());
  edge[dim] = 1;
  Tensor zero = zeros(edge, x.dtype(), x.device());
  Tensor kept = narrow(x, dim, forward ? 0 : 1, n - 1);
  return forward ? cat({zero, kept}, dim) : cat({kept, zero}, dim);
}
// s[k] = x[k] + decay[k + 1] s[k + 1]
static Tensor backward_recurrence(const Tensor& x, const Tensor& decay, int64_t dim) {
  Tensor from_next = shifted(decay, dim, false);
  return flip(call(rows::linear_recurrence, flip(x, {dim}), flip(from_next, {dim}), dim), {dim});
}
static void recurrence_vjp(Vjp& v, const Tensor&, const Tensor& decay, int64_t dim) {
  const Tensor& g = v.g();
  if (g.dim() == 0 || g.numel() == 0) {
    if (v.needs(0)) v.set(0, g);
    if (v.needs(1)) v.set(1, zeros(g.sizes(), g.dtype(), g.device()));
    return;
  }
  int64_t d = wrap_dim(dim, g.dim());
  Tensor s = backward_recurrence(g, conj(decay), d);
  if (v.needs(0)) v.set(0, s);
  if (v.needs(1)) v.set(1, s * conj(shifted(v.out(0), d, true)));
}
KG_ROW(linear_recurrence, "_linear_recurrence(Tensor input, Tensor decay, int dim) -> Tensor",
       .grad = vjp<&recurrence_vjp>("decay result"), .infer = infer<&recurrence_infer>,
       .as = kInternal, .doc = "y[k] = decay[k] y[k-1] + input[k] along a dimension.")

// ---- logcumsumexp -------------------------------------------------------------------------------

static void logcumsumexp_infer(Infer& o, const Tensor& x, int64_t dim) {
  KG_CHECK_IMPLEMENTED(is_differentiable(x.dtype()), "not implemented for ", x.dtype(),
                       "; convert with .float()");
  wrap_dim(dim, x.dim());
  o.out(x.sizes(), x.dtype());
}
// exp(a - b), and 1 where both are the same infinity.
static Tensor ratio(const Tensor& a, const Tensor& b) {
  Tensor same_infinity = eq(a, b) * eq(call(rows::abs, a), std::numeric_limits<double>::infinity());
  return exp(masked_fill(a - b, same_infinity, 0.0));
}
// d y[k] / d x[i] = exp(x[i] - y[k]) for i <= k, summed from the end with factors
// exp(y[k-1] - y[k]), which do not overflow.
static void logcumsumexp_vjp(Vjp& v, const Tensor& x, int64_t dim) {
  const Tensor& g = v.g();
  if (g.dim() == 0 || g.numel() == 0) {
    v.set(0, g);
    return;
  }
  int64_t d = wrap_dim(dim, g.dim());
  Tensor y = v.out(0);
  int64_t n = y.size(d);
  Dims edge(y.sizes());
  edge[d] = 1;
  Tensor decay = cat(
      {zeros(edge, y.dtype(), y.device()), ratio(narrow(y, d, 0, n - 1), narrow(y, d, 1, n - 1))},
      d);
  v.set(0, backward_recurrence(g, conj(decay), d) * conj(ratio(x, y)));
}
KG_ROW(logcumsumexp, "logcumsumexp(Tensor input, int dim) -> Tensor",
       .grad = vjp<&logcumsumexp_vjp>("input result"), .infer = infer<&logcumsumexp_infer>,
       .as = kFunction | kMethod,
       .doc = "The logarithm of the running sums of exp(input) along a dimension.")

}  // namespace kagari
