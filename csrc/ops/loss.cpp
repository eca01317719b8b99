// Losses on class indices: negative log likelihood and cross entropy, fused forward and backward.
#include <cmath>

#include "ops/creation.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "ops/views.h"

namespace kagari {

KG_DECLARE_ROW(nll_loss)
KG_DECLARE_ROW(nll_loss_backward)
KG_DECLARE_ROW(cross_entropy_indices)
KG_DECLARE_ROW(cross_entropy_backward)

enum Reduction : int64_t { kNone = 0, kMean = 1, kSum = 2 };

// Inputs are (C,), (N, C) or (N, C, d1, ...); targets lack the C.
static Dims target_shape(const Tensor& x) {
  Dims s(x.sizes());
  s.erase(x.dim() > 1 ? 1 : 0);
  return s;
}
static void check_targets(const Tensor& x, const Tensor& target, const Tensor& weight) {
  KG_CHECK(x.dim() >= 1, "expected an input (C,), (N, C) or (N, C, d1, ...), got a 0-d tensor");
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()), "expected a floating point input, got ", x.dtype(),
                       "; convert with .float()");
  KG_CHECK(
      target.dtype() == Dtype::i64 || target.dtype() == Dtype::u8 || target.dtype() == Dtype::i32,
      "expected scalar type Long but found ", target.dtype(),
      ": targets are class indices; convert with .long()");
  if (x.dim() > 1 && target.dim() >= 1)
    KG_CHECK_VALUE(x.sizes()[0] == target.sizes()[0], "Expected input batch_size (", x.sizes()[0],
                   ") to match target batch_size (", target.sizes()[0], ").");
  Dims want = target_shape(x);
  KG_CHECK(target.sizes() == Ints(want), "Expected target size ", Ints(want), ", got ",
           target.sizes(), " for an input of shape ", x.sizes());
  int64_t classes = x.sizes()[x.dim() > 1 ? 1 : 0];
  if (weight.defined())
    KG_CHECK(weight.dim() == 1 && weight.numel() == classes,
             "weight tensor should be defined either for all ", classes,
             " classes or no classes but got weight tensor of shape: ", weight.sizes());
}
static Dims loss_shape(const Tensor& x, int64_t reduction) {
  return reduction == kNone ? target_shape(x) : Dims();
}

static void check_loss_gradient(const Tensor& g, const Tensor& x, int64_t reduction,
                                const Tensor& total) {
  KG_CHECK(g.sizes() == Ints(loss_shape(x, reduction)), "expected a gradient of shape ",
           Ints(loss_shape(x, reduction)), ", got ", g.sizes());
  KG_CHECK(total.numel() == 1, "expected one total weight, got a tensor of shape ", total.sizes());
  for (const Tensor* t : {&g, &total})
    KG_CHECK_IMPLEMENTED(is_floating(t->dtype()) && !is_storage_only(t->dtype()),
                         "expected a floating point tensor, got ", t->dtype(),
                         "; convert with .float()");
}

static void nll_infer(Infer& o, const Tensor& x, const Tensor& target, const Tensor& weight,
                      int64_t reduction, int64_t) {
  check_targets(x, target, weight);
  o.out(loss_shape(x, reduction), x.dtype());
  o.out({}, x.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32);
}
static void nll_vjp(Vjp& v, const Tensor& x, const Tensor& target, const Tensor& weight,
                    int64_t reduction, int64_t ignore) {
  v.set(0, call(rows::nll_loss_backward, v.g(0), x, target, weight, reduction, ignore, v.out(1)));
}
KG_ROW(nll_loss,
       "_nll_loss(Tensor input, Tensor target, Tensor? weight, int reduction, int ignore_index) -> "
       "(Tensor loss, Tensor total_weight)",
       .grad = vjp<&nll_vjp>("#input target weight total_weight", 1), .infer = infer<&nll_infer>,
       .as = kInternal, .autocast = Autocast::fp32,
       .doc = "-weight[y] * x[y], reduced; also the sum of the weights.")

static void nll_backward_infer(Infer& o, const Tensor& g, const Tensor& x, const Tensor& target,
                               const Tensor& weight, int64_t reduction, int64_t,
                               const Tensor& total) {
  check_targets(x, target, weight);
  check_loss_gradient(g, x, reduction, total);
  o.out(x.sizes(), x.dtype());
}
// Linear in g: the derivative takes back what stands at the targets.
static void nll_backward_vjp(Vjp& v, const Tensor&, const Tensor&, const Tensor& target,
                             const Tensor& weight, int64_t reduction, int64_t ignore,
                             const Tensor& total) {
  Tensor picked = call_all(rows::nll_loss, v.g(), target, weight,
                           reduction == kNone ? int64_t(kNone) : int64_t(kSum), ignore)[0];
  v.set(0, reduction == kMean ? picked / to(total, picked.dtype()) : picked);
}
KG_ROW(nll_loss_backward,
       "nll_loss_backward(Tensor grad, Tensor input, Tensor target, Tensor? weight, int reduction, "
       "int ignore_index, Tensor total_weight) -> Tensor",
       .grad = vjp<&nll_backward_vjp>("target weight total_weight"),
       .infer = infer<&nll_backward_infer>, .as = kInternal, .doc = "The gradient of nll_loss.")

// Softmax and loss in one pass: the logits are read once forward and once backward.
static void cross_entropy_infer(Infer& o, const Tensor& x, const Tensor& target,
                                const Tensor& weight, int64_t reduction, int64_t, double) {
  check_targets(x, target, weight);
  Dtype wide = x.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.out(loss_shape(x, reduction), x.dtype());
  o.out(target_shape(x), wide);
  o.out({}, wide);
}
static void cross_entropy_vjp(Vjp& v, const Tensor& x, const Tensor& target, const Tensor& weight,
                              int64_t reduction, int64_t ignore, double smoothing) {
  if (!v.g(0).defined()) return;
  if (!grad_mode.enabled) {
    v.set(0, call(rows::cross_entropy_backward, v.g(0), x, target, weight, v.out(1), v.out(2),
                  reduction, ignore, smoothing));
    return;
  }
  // Recorded: through log-softmax and nll, whose derivatives are rows themselves.
  int64_t dim = x.dim() > 1 ? 1 : 0;
  Tensor p = exp(log_softmax(x, dim));
  Tensor hard =
      call(rows::nll_loss_backward, v.g(0), x, target, weight, reduction, ignore, v.out(2));
  if (smoothing > 0) {
    Tensor valid = to(ne(target, double(ignore)), x.dtype());
    Tensor g = reduction == kNone  ? v.g(0)
               : reduction == kSum ? expand(v.g(0), target.sizes())
                                   : expand(v.g(0) / to(v.out(2), x.dtype()), target.sizes());
    Tensor spread = unsqueeze(g * valid, dim) * (-smoothing / double(x.sizes()[dim]));
    if (weight.defined()) {
      Dims shape(x.dim(), 1);
      shape[dim] = weight.numel();
      spread = spread * reshape(weight, shape);
    } else {
      spread = expand(spread, x.sizes());
    }
    hard = hard * (1 - smoothing) + spread;
  }
  v.set(0, hard - p * sum(hard, {dim}, true));
}
KG_ROW(cross_entropy_indices,
       "_cross_entropy(Tensor input, Tensor target, Tensor? weight, int reduction, int "
       "ignore_index, float label_smoothing) -> (Tensor loss, Tensor "
       "lse, Tensor total_weight)",
       .grad = vjp<&cross_entropy_vjp>("input target weight lse total_weight", 1),
       .infer = infer<&cross_entropy_infer>, .as = kInternal, .autocast = Autocast::fp32,
       .doc =
           "Cross entropy of logits with class indices; also log sum exp of each row and the sum "
           "of the weights.")
static void cross_entropy_backward_infer(Infer& o, const Tensor& g, const Tensor& x,
                                         const Tensor& target, const Tensor& weight,
                                         const Tensor& lse, const Tensor& total, int64_t reduction,
                                         int64_t, double) {
  check_targets(x, target, weight);
  check_loss_gradient(g, x, reduction, total);
  KG_CHECK(
      lse.sizes() == target.sizes() && is_floating(lse.dtype()) && !is_storage_only(lse.dtype()),
      "expected log sum exp of shape ", target.sizes(), ", got ", describe(lse));
  o.out(x.sizes(), x.dtype());
}
KG_ROW(cross_entropy_backward,
       "cross_entropy_backward(Tensor grad, Tensor input, Tensor target, Tensor? weight, Tensor "
       "lse, Tensor total_weight, int reduction, int "
       "ignore_index, float label_smoothing) -> Tensor",
       .grad = nondiff("recorded backward passes use the formula"),
       .infer = infer<&cross_entropy_backward_infer>, .as = kInternal,
       .doc = "The gradient of cross entropy.")

}  // namespace kagari
