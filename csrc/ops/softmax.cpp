// Softmax and log-softmax: one pass kernels forward and backward, the formula when the backward
// itself is recorded.
#include "ops/softmax.h"

#include "ops/creation.h"
#include "ops/out.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

static void softmax_infer(Infer& o, const Tensor& x, int64_t dim, Dtype dtype) {
  wrap_dim(dim, x.dim());
  Dtype d = dtype == Dtype::undefined ? x.dtype() : dtype;
  KG_CHECK_IMPLEMENTED(is_floating(d) && !is_storage_only(d),
                       "expected a floating point tensor, got ", d,
                       "; convert with .float() or pass dtype=");
  o.out(x.sizes(), d);
}

static void softmax_vjp(Vjp& v, const Tensor&, int64_t dim, Dtype) {
  Tensor y = v.out(0);
  const Tensor& g = v.g();
  if (grad_mode.enabled) {
    v.set(0, y * (g - (y.dim() ? sum(g * y, {dim}, true) : g * y)));
  } else {
    v.set(0, call(rows::softmax_backward, g, y, dim, false));
  }
}
KG_ROW(softmax, "softmax(Tensor input, int dim, ScalarType? dtype=None) -> Tensor",
       .grad = vjp<&softmax_vjp>("result"), .infer = infer<&softmax_infer>,
       .as = kFunction | kMethod | kExactOut, .doc = "exp(x_i) / sum_j exp(x_j) along a dimension.")

static void log_softmax_vjp(Vjp& v, const Tensor&, int64_t dim, Dtype) {
  Tensor y = v.out(0);
  const Tensor& g = v.g();
  if (grad_mode.enabled) {
    v.set(0, g - exp(y) * (y.dim() ? sum(g, {dim}, true) : g));
  } else {
    v.set(0, call(rows::softmax_backward, g, y, dim, true));
  }
}
KG_ROW(log_softmax, "log_softmax(Tensor input, int dim, ScalarType? dtype=None) -> Tensor",
       .grad = vjp<&log_softmax_vjp>("result"), .infer = infer<&softmax_infer>,
       .as = kFunction | kMethod | kExactOut, .doc = "x_i - log sum_j exp(x_j) along a dimension.")

static void softmax_backward_infer(Infer& o, const Tensor& g, const Tensor& y, int64_t dim, bool) {
  wrap_dim(dim, y.dim());
  KG_CHECK(g.sizes() == y.sizes(), "expected a gradient of shape ", y.sizes(), ", got ", g.sizes());
  for (const Tensor* t : {&g, &y})
    KG_CHECK_IMPLEMENTED(is_floating(t->dtype()) && !is_storage_only(t->dtype()),
                         "expected a floating point tensor, got ", t->dtype(),
                         "; convert with .float()");
  o.out(y.sizes(), y.dtype());
}
KG_ROW(softmax_backward,
       "softmax_backward(Tensor grad, Tensor output, int dim, bool log) -> Tensor",
       .grad = nondiff("recorded backward passes use the formula"),
       .infer = infer<&softmax_backward_infer>, .as = kInternal,
       .doc = "The gradient of softmax, or of log_softmax, from its output.")

}  // namespace kagari
