// Reductions: rows, shapes and gradients. Kernels: cpu/reduce.cpp.
#include "ops/reduce.h"

#include <cmath>

#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/joining.h"
#include "ops/out.h"
#include "ops/pointwise.h"
#include "ops/views.h"

namespace kagari {

Dims reduced_dims(std::optional<Ints> dim, int64_t ndim, bool empty_is_all) {
  Dims out;
  if (!dim || (dim->empty() && empty_is_all)) {
    for (int64_t i = 0; i < ndim; ++i) out.push_back(i);
    return out;
  }
  uint64_t seen = 0;
  for (int64_t d : *dim) {
    d = wrap_dim(d, ndim);
    KG_CHECK(!(seen >> d & 1), "dim ", d, " appears multiple times in the list of dims");
    seen |= uint64_t(1) << d;
  }
  for (int64_t i = 0; i < ndim; ++i)
    if (seen >> i & 1) out.push_back(i);
  return out;
}

Dims reduced_sizes(Ints sizes, const Dims& dims, bool keepdim) {
  Dims out;
  int64_t k = 0;
  for (int64_t i = 0; i < sizes.n; ++i) {
    if (k < dims.size() && dims[k] == i) {
      ++k;
      if (keepdim) out.push_back(1);
    } else {
      out.push_back(sizes[i]);
    }
  }
  return out;
}

Tensor unreduce(const Tensor& g, const Dims& dims, int64_t ndim, bool keepdim) {
  if (keepdim || ndim == 0) return g;
  Tensor r = g;
  for (int64_t d : dims) r = unsqueeze(r, d);
  return r;
}

Tensor div_or_zero(const Tensor& a, const Tensor& b) {
  Tensor none = eq(b, 0.0);
  return where(none, zeros_like(a), a / where(none, ones(b.sizes(), b.dtype(), b.device()), b));
}

Tensor scatter_selected(const Tensor& g, const Tensor& indices, Ints sizes, int64_t dim,
                        bool keepdim) {
  Tensor base = zeros(sizes, g.dtype(), g.device());
  if (sizes.n == 0) return g;
  if (keepdim) return call(rows::scatter_src, base, dim, indices, g);
  return call(rows::scatter_src, base, dim, unsqueeze(indices, dim), unsqueeze(g, dim));
}

using OptInts = std::optional<Ints>;

static Tensor spread(const Tensor& g, Ints sizes, const Dims& dims, bool keepdim) {
  return expand(unreduce(g, dims, sizes.n, keepdim), sizes);
}

static int64_t count_of(Ints sizes, const Dims& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= sizes.n ? sizes[d] : 1;
  return n;
}

static void check_nonempty(const Tensor& x, const Dims& dims) {
  if (x.numel() > 0) return;
  for (int64_t d : dims)
    KG_CHECK_INDEX(x.dim() == 0 || x.sizes()[d] != 0, "Expected reduction dim ", d,
                   " to have non-zero size; got shape ", x.sizes(),
                   ": an empty set has no such value");
}

// ---- sum, mean, prod ----------------------------------------------------------------------------

static Dtype sum_dtype(const Tensor& x, Dtype dtype) {
  if (dtype != Dtype::undefined) return dtype;
  return is_integral(x.dtype()) || x.dtype() == Dtype::boolean ? Dtype::i64 : x.dtype();
}

static void sum_all_infer(Infer& o, const Tensor& x, Dtype dtype) {
  o.out({}, sum_dtype(x, dtype));
}
static void sum_all_vjp(Vjp& v, const Tensor&, Dtype) { v.set(0, expand(v.g(), v.sizes(0))); }
KG_ROW(sum, "sum(Tensor input, *, ScalarType? dtype=None) -> Tensor", .grad = vjp<&sum_all_vjp>(),
       .infer = infer<&sum_all_infer>, .as = kFunction | kMethod,
       .doc = "Sums all elements; integers and bool are summed as int64.")

static void sum_infer(Infer& o, const Tensor& x, OptInts dim, bool keepdim, Dtype dtype) {
  o.out(reduced_sizes(x.sizes(), reduced_dims(dim, x.dim()), keepdim), sum_dtype(x, dtype));
}
static void sum_vjp(Vjp& v, const Tensor&, OptInts dim, bool keepdim, Dtype) {
  Ints sizes = v.sizes(0);
  v.set(0, spread(v.g(), sizes, reduced_dims(dim, sizes.n), keepdim));
}
KG_ROW(
    sum_dim,
    "sum.dim(Tensor input, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    .grad = vjp<&sum_vjp>(), .infer = infer<&sum_infer>, .as = kFunction | kMethod,
    .doc = "Sums over the given dimensions.")

static Dtype mean_dtype(const Tensor& x, Dtype dtype) {
  Dtype d = dtype == Dtype::undefined ? x.dtype() : dtype;
  KG_CHECK(is_differentiable(d), "could not infer output dtype. ",
           dtype == Dtype::undefined ? "Input" : "Optional",
           " dtype must be either a floating point or complex dtype. Got: ", d,
           "; pass dtype=kagari.float32 or convert with .float()");
  return d;
}
static void mean_all_infer(Infer& o, const Tensor& x, Dtype dtype) {
  o.out({}, mean_dtype(x, dtype));
}
static void mean_all_vjp(Vjp& v, const Tensor&, Dtype) {
  Ints sizes = v.sizes(0);
  int64_t n = checked_numel(sizes);
  v.set(0, expand(v.g() / double(n), sizes));
}
KG_ROW(mean, "mean(Tensor input, *, ScalarType? dtype=None) -> Tensor",
       .grad = vjp<&mean_all_vjp>(), .infer = infer<&mean_all_infer>, .as = kFunction | kMethod,
       .doc = "The mean of all elements.")
static void mean_infer(Infer& o, const Tensor& x, OptInts dim, bool keepdim, Dtype dtype) {
  o.out(reduced_sizes(x.sizes(), reduced_dims(dim, x.dim()), keepdim), mean_dtype(x, dtype));
}
static void mean_vjp(Vjp& v, const Tensor&, OptInts dim, bool keepdim, Dtype) {
  Ints sizes = v.sizes(0);
  Dims dims = reduced_dims(dim, sizes.n);
  v.set(0, spread(v.g() / double(count_of(sizes, dims)), sizes, dims, keepdim));
}
KG_ROW(
    mean_dim,
    "mean.dim(Tensor input, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    .grad = vjp<&mean_vjp>(), .infer = infer<&mean_infer>, .as = kFunction | kMethod,
    .doc = "The mean over the given dimensions.")

Tensor product_of_others(const Tensor& x, int64_t dim) {
  dim = wrap_dim(dim, x.dim());
  int64_t n = x.dim() ? x.size(dim) : 1;
  if (x.dim() == 0 || n <= 1) return ones(x.sizes(), x.dtype(), x.device());
  Dims edge(x.sizes());
  edge[dim] = 1;
  Tensor one = ones(edge, x.dtype(), x.device());
  Tensor before = cat({one, narrow(call(rows::cumprod, x, dim), dim, 0, n - 1)}, dim);
  Tensor after = cat({one, narrow(call(rows::cumprod, flip(x, {dim}), dim), dim, 0, n - 1)}, dim);
  return before * flip(after, {dim});
}
static void prod_all_infer(Infer& o, const Tensor& x, Dtype dtype) {
  o.out({}, sum_dtype(x, dtype));
}
// Where nothing records it: the result over each element, by a kernel that knows when it may not.
static bool divides(const Tensor& in) {
  return !grad_mode.enabled && (in.dtype() == Dtype::f32 || in.dtype() == Dtype::f64);
}
static void prod_backward_infer(Infer& o, const Tensor& g, const Tensor& x, const Tensor& result,
                                std::optional<int64_t> dim) {
  const Dims sizes =
      dim ? reduced_sizes(x.sizes(), reduced_dims(Ints{*dim}, x.dim()), true) : Dims();
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  KG_CHECK((x.dtype() == Dtype::f32 || x.dtype() == Dtype::f64) && g.dtype() == x.dtype() &&
               result.dtype() == x.dtype() && g.numel() == n && result.numel() == n,
           "expected a gradient and a result for each of ", n, " products in float32 or float64, ",
           "got ", describe(g), " and ", describe(result));
  o.out(x.sizes(), x.dtype());
}
KG_ROW(prod_backward,
       "_prod_backward(Tensor grad, Tensor input, Tensor result, int? dim=None) -> Tensor",
       .grad = nondiff("recorded backward passes use scans"), .infer = infer<&prod_backward_infer>,
       .as = kInternal, .doc = "The gradient of the product over all or one dimension.")

static void prod_all_vjp(Vjp& v, const Tensor& x, Dtype dtype) {
  Tensor in = dtype == Dtype::undefined || dtype == x.dtype() ? x : to(x, dtype);
  if (divides(in)) return v.set(0, call(rows::prod_backward, v.g(), in, v.out(0)));
  Tensor others = reshape(product_of_others(reshape(in, {-1}), 0), x.sizes());
  v.set(0, v.g() * conj(others));
}
KG_ROW(prod, "prod(Tensor input, *, ScalarType? dtype=None) -> Tensor",
       .grad = vjp<&prod_all_vjp>("input result"), .infer = infer<&prod_all_infer>,
       .as = kFunction | kMethod, .autocast = Autocast::fp32, .doc = "The product of all elements.")
static void prod_infer(Infer& o, const Tensor& x, int64_t dim, bool keepdim, Dtype dtype) {
  o.out(reduced_sizes(x.sizes(), reduced_dims(Ints{dim}, x.dim()), keepdim), sum_dtype(x, dtype));
}
static void prod_vjp(Vjp& v, const Tensor& x, int64_t dim, bool keepdim, Dtype dtype) {
  Tensor in = dtype == Dtype::undefined || dtype == x.dtype() ? x : to(x, dtype);
  int64_t d = wrap_dim(dim, x.dim());
  if (divides(in)) return v.set(0, call(rows::prod_backward, v.g(), in, v.out(0), d));
  v.set(0, unreduce(v.g(), Dims{d}, x.dim(), keepdim) * conj(product_of_others(in, d)));
}
KG_ROW(
    prod_dim,
    "prod.dim_int(Tensor input, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
    .grad = vjp<&prod_vjp>("input result"), .infer = infer<&prod_infer>, .as = kFunction | kMethod,
    .autocast = Autocast::fp32, .doc = "The product over one dimension.")

// ---- extremes -----------------------------------------------------------------------------------

static void check_real(const Tensor& x) {
  KG_CHECK(!is_complex(x.dtype()), "is not defined for complex numbers (", x.dtype(),
           "): they have no order");
}

// The gradient is shared evenly among equal extremes.
static Tensor shared_among_equals(const Tensor& g, const Tensor& x, const Tensor& extreme,
                                  const Dims& dims, bool keepdim) {
  Tensor full = unreduce(extreme, dims, x.dim(), keepdim),
         full_g = unreduce(g, dims, x.dim(), keepdim);
  Tensor mask = to(eq(x, full), g.dtype());
  return mask * (full_g / sum(mask, dims, true));
}
static void extreme_infer(Infer& o, const Tensor& x, Ints dim, bool keepdim) {
  check_real(x);
  Dims dims = reduced_dims(dim, x.dim());
  check_nonempty(x, dims);
  o.out(reduced_sizes(x.sizes(), dims, keepdim), x.dtype());
}
static void extreme_vjp(Vjp& v, const Tensor& x, Ints dim, bool keepdim) {
  v.set(0, shared_among_equals(v.g(), x, v.out(0), reduced_dims(dim, x.dim()), keepdim));
}
KG_ROW(amax, "amax(Tensor input, int[1] dim=[], bool keepdim=False) -> Tensor",
       .grad = vjp<&extreme_vjp>("input result"), .infer = infer<&extreme_infer>,
       .as = kFunction | kMethod | kExactOut,
       .doc = "The largest element over the given dimensions.")
KG_ROW(amin, "amin(Tensor input, int[1] dim=[], bool keepdim=False) -> Tensor",
       .grad = vjp<&extreme_vjp>("input result"), .infer = infer<&extreme_infer>,
       .as = kFunction | kMethod | kExactOut,
       .doc = "The smallest element over the given dimensions.")
static void extreme_all_infer(Infer& o, const Tensor& x) {
  check_real(x);
  KG_CHECK(x.numel() > 0,
           "Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
           "dim with the 'dim' argument.");
  o.out({}, x.dtype());
}
static void extreme_all_vjp(Vjp& v, const Tensor& x) {
  v.set(0, shared_among_equals(v.g(), x, v.out(0), reduced_dims({}, x.dim()), false));
}
KG_ROW(max, "max(Tensor input) -> Tensor", .grad = vjp<&extreme_all_vjp>("input result"),
       .infer = infer<&extreme_all_infer>, .as = kFunction | kMethod, .doc = "The largest element.")
KG_ROW(min, "min(Tensor input) -> Tensor", .grad = vjp<&extreme_all_vjp>("input result"),
       .infer = infer<&extreme_all_infer>, .as = kFunction | kMethod,
       .doc = "The smallest element.")

static void extreme_dim_infer(Infer& o, const Tensor& x, int64_t dim, bool keepdim) {
  check_real(x);
  Dims dims = reduced_dims(Ints{dim}, x.dim());
  check_nonempty(x, dims);
  Dims sizes = reduced_sizes(x.sizes(), dims, keepdim);
  o.out(sizes, x.dtype());
  o.out(sizes, Dtype::i64);
}
static void extreme_dim_vjp(Vjp& v, const Tensor&, int64_t dim, bool keepdim) {
  if (v.g(0).defined()) v.set(0, scatter_selected(v.g(0), v.out(1), v.sizes(0), dim, keepdim));
}
KG_ROW(max_dim,
       "max.dim(Tensor input, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
       .grad = vjp<&extreme_dim_vjp>("indices", 1), .infer = infer<&extreme_dim_infer>,
       .as = kFunction | kMethod,
       .doc = "The largest element along a dimension and where it stands first.")
KG_ROW(min_dim,
       "min.dim(Tensor input, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
       .grad = vjp<&extreme_dim_vjp>("indices", 1), .infer = infer<&extreme_dim_infer>,
       .as = kFunction | kMethod,
       .doc = "The smallest element along a dimension and where it stands first.")

static void arg_infer(Infer& o, const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  check_real(x);
  KG_CHECK(x.dtype() != Dtype::boolean,
           "is not defined for bool tensors; convert with .to(kagari.uint8)");
  Dims dims = dim ? reduced_dims(Ints{*dim}, x.dim()) : reduced_dims({}, x.dim());
  check_nonempty(x, dims);
  o.out(reduced_sizes(x.sizes(), dims, keepdim), Dtype::i64);
}
KG_ROW(argmax, "argmax(Tensor input, int? dim=None, bool keepdim=False) -> Tensor",
       .grad = nondiff("indices have no derivative"), .infer = infer<&arg_infer>,
       .as = kFunction | kMethod | kExactOut, .doc = "Where the largest element stands first.")
KG_ROW(argmin, "argmin(Tensor input, int? dim=None, bool keepdim=False) -> Tensor",
       .grad = nondiff("indices have no derivative"), .infer = infer<&arg_infer>,
       .as = kFunction | kMethod | kExactOut, .doc = "Where the smallest element stands first.")

// ---- truth --------------------------------------------------------------------------------------

static Dtype truth_dtype(const Tensor& x) {
  return x.dtype() == Dtype::u8 ? Dtype::u8 : Dtype::boolean;
}
static void truth_all_infer(Infer& o, const Tensor& x) { o.out({}, truth_dtype(x)); }
static void truth_infer(Infer& o, const Tensor& x, OptInts dim, bool keepdim) {
  o.out(reduced_sizes(x.sizes(), reduced_dims(dim, x.dim(), false), keepdim), truth_dtype(x));
}
KG_ROW(any, "any(Tensor input) -> Tensor", .grad = nondiff("truth has no derivative"),
       .infer = infer<&truth_all_infer>, .as = kFunction | kMethod,
       .doc = "Whether any element is not zero.")
KG_ROW(any_dim, "any.dims(Tensor input, int[1]? dim, bool keepdim=False) -> Tensor",
       .grad = nondiff("truth has no derivative"), .infer = infer<&truth_infer>,
       .as = kFunction | kMethod,
       .doc = "Whether any element over the given dimensions is not zero.")
KG_ROW(all, "all(Tensor input) -> Tensor", .grad = nondiff("truth has no derivative"),
       .infer = infer<&truth_all_infer>, .as = kFunction | kMethod,
       .doc = "Whether no element is zero.")
KG_ROW(all_dim, "all.dims(Tensor input, int[1]? dim, bool keepdim=False) -> Tensor",
       .grad = nondiff("truth has no derivative"), .infer = infer<&truth_infer>,
       .as = kFunction | kMethod, .doc = "Whether no element over the given dimensions is zero.")
static void equal_infer(Infer& o, const Tensor&, const Tensor&) { o.out({}, Dtype::boolean); }
KG_ROW(equal, "_equal(Tensor input, Tensor other) -> Tensor",
       .grad = nondiff("truth has no derivative"), .infer = infer<&equal_infer>, .as = kInternal,
       .doc = "Whether two tensors have one shape and equal elements.")
static void count_infer(Infer& o, const Tensor& x, OptInts dim) {
  o.out(reduced_sizes(x.sizes(), reduced_dims(dim, x.dim()), false), Dtype::i64);
}
KG_ROW(count_nonzero, "count_nonzero(Tensor input, int[1]? dim=None) -> Tensor",
       .grad = nondiff("counts have no derivative"), .infer = infer<&count_infer>,
       .as = kFunction | kMethod, .doc = "How many elements are not zero.")

// ---- variance and norms -------------------------------------------------------------------------

using OptScalar = std::optional<Scalar>;
static double correction_of(OptScalar c) { return c ? c->to_double() : 1.0; }

static void var_infer(Infer& o, const Tensor& x, OptInts dim, OptScalar, bool keepdim) {
  KG_CHECK(is_differentiable(x.dtype()),
           "std and var only support floating point and complex dtypes, got ", x.dtype(),
           "; convert with .float()");
  o.out(reduced_sizes(x.sizes(), reduced_dims(dim, x.dim()), keepdim), real_dtype(x.dtype()));
}
static Tensor var_gradient(const Tensor& full_g, const Tensor& x, const Dims& dims,
                           double correction) {
  double n = double(count_of(x.sizes(), dims)) - correction;
  return full_g * ((x - mean(x, dims, true)) * (2.0 / (n > 0 ? n : 0.0)));
}
static void var_vjp(Vjp& v, const Tensor& x, OptInts dim, OptScalar correction, bool keepdim) {
  Dims dims = reduced_dims(dim, x.dim());
  v.set(0,
        var_gradient(unreduce(v.g(), dims, x.dim(), keepdim), x, dims, correction_of(correction)));
}
KG_ROW(var_correction,
       "var.correction(Tensor input, int[1]? dim=None, *, Scalar? correction=None, bool "
       "keepdim=False) -> Tensor",
       .grad = vjp<&var_vjp>("input"), .infer = infer<&var_infer>, .as = kFunction | kMethod,
       .doc = "The variance: the sum of squared deviations over n - correction.")
static void std_vjp(Vjp& v, const Tensor& x, OptInts dim, OptScalar correction, bool keepdim) {
  Dims dims = reduced_dims(dim, x.dim());
  Tensor g = div_or_zero(v.g(), v.out(0) * 2.0);
  v.set(0, var_gradient(unreduce(g, dims, x.dim(), keepdim), x, dims, correction_of(correction)));
}
KG_ROW(std_correction,
       "std.correction(Tensor input, int[1]? dim=None, *, Scalar? correction=None, bool "
       "keepdim=False) -> Tensor",
       .grad = vjp<&std_vjp>("input result"), .infer = infer<&var_infer>, .as = kFunction | kMethod,
       .doc = "The standard deviation: the square root of the variance.")

static void norm_infer(Infer& o, const Tensor& x, Scalar ord, OptInts dim, bool keepdim,
                       Dtype dtype) {
  KG_CHECK(is_differentiable(x.dtype()),
           "Expected a floating point or complex tensor as input. Got ", x.dtype(),
           "; convert with .float()");
  Dims dims = reduced_dims(dim, x.dim());
  double p = ord.to_double();
  if ((p < 0 || std::isinf(p)) && x.numel() == 0)
    for (int64_t d : dims)
      KG_CHECK(x.sizes()[d] != 0, "cannot compute the ", p, " norm on the dimension ", d,
               " because this dimension is empty and the operation does not have an identity");
  Dtype out = dtype == Dtype::undefined ? x.dtype() : dtype;
  KG_CHECK(dtype == Dtype::undefined || is_complex(dtype) == is_complex(x.dtype()),
           "dtype should be ", is_complex(x.dtype()) ? "complex" : "real",
           " for an input of dtype ", x.dtype(), ", got ", dtype);
  o.out(reduced_sizes(x.sizes(), dims, keepdim), real_dtype(out));
}
static void norm_vjp(Vjp& v, const Tensor& x, Scalar ord, OptInts dim, bool keepdim, Dtype) {
  Dims dims = reduced_dims(dim, x.dim());
  double p = ord.to_double();
  Tensor g = unreduce(v.g(), dims, x.dim(), keepdim),
         norm = unreduce(v.out(0), dims, x.dim(), keepdim);
  if (norm.dtype() != real_dtype(x.dtype())) {
    norm = to(norm, real_dtype(x.dtype()));
    g = to(g, real_dtype(x.dtype()));
  }
  Tensor r;
  if (p == 0) {
    r = zeros(x.sizes(), x.dtype(), x.device());
  } else if (p == 1) {
    r = sgn(x) * g;
  } else if (p == 2) {
    r = x * div_or_zero(g, norm);
  } else if (std::isinf(p)) {
    Tensor equal = to(eq(abs(x), norm), norm.dtype());
    r = sgn(x) * (equal * (g / sum(equal, dims, true)));
  } else {
    // |x|^(p-1) sgn(x) / norm^(p-1), zero where x or the norm is
    Tensor a = abs(x);
    r = sgn(x) * where(eq(a, 0.0), zeros_like(a), pow(a, p - 1)) * div_or_zero(g, pow(norm, p - 1));
  }
  v.set(0, r);
}
KG_ROW(vector_norm,
       "linalg_vector_norm(Tensor input, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, "
       "ScalarType? dtype=None) -> Tensor",
       .grad = vjp<&norm_vjp>("input result"), .infer = infer<&norm_infer>,
       .as = kFunction | kExactOut,
       .doc =
           "The norm (sum |x|^ord)^(1/ord) over the given dimensions; inf and -inf give the "
           "largest and smallest magnitude.")

}  // namespace kagari
