// Layer, RMS, group and batch normalisation: fused kernels, and the formula when the backward
// itself is recorded.
//
// Nothing but the inputs is saved: the moments of a row are computed again in backward, which costs
// one pass over memory that the pass has to read anyway.
#include "ops/norm.h"

#include "ops/creation.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

static void check_affine(const Tensor& t, Ints sizes, const char* what) {
  if (!t.defined()) return;
  KG_CHECK(t.sizes() == sizes, "Expected ", what, " to be of shape ", sizes, ", but got ", what,
           " of shape ", t.sizes());
  KG_CHECK(is_floating(t.dtype()) && !is_storage_only(t.dtype()), "expected a floating point ",
           what, ", got ", t.dtype(), "; convert it with .float()");
}
static void check_gradient(const Tensor& g, const Tensor& x) {
  KG_CHECK(g.sizes() == x.sizes(), "expected a gradient of shape ", x.sizes(), ", got ", g.sizes());
  for (const Tensor* t : {&g, &x})
    KG_CHECK_IMPLEMENTED(is_floating(t->dtype()) && !is_storage_only(t->dtype()),
                         "expected a floating point tensor, got ", t->dtype(),
                         "; convert with .float()");
}

// ---- layer norm and rms norm: over the last dimensions ------------------------------------------

static void check_normalized(const Tensor& x, Ints shape) {
  KG_CHECK(shape.n >= 1,
           "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
           "element, but got normalized_shape = ",
           shape);
  bool fits = x.dim() >= shape.n;
  for (int64_t i = 0; fits && i < shape.n; ++i) fits = x.sizes()[x.dim() - shape.n + i] == shape[i];
  KG_CHECK(fits, "Given normalized_shape=", shape, ", expected input with shape [*, ", shape,
           "], but got input of size ", x.sizes());
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()), "expected a floating point tensor, got ", x.dtype(),
                       "; convert with .float()");
}
static Dims last_dims(int64_t ndim, int64_t count) {
  Dims d;
  for (int64_t i = ndim - count; i < ndim; ++i) d.push_back(i);
  return d;
}
static Dims first_dims(int64_t ndim, int64_t count) {
  Dims d;
  for (int64_t i = 0; i < ndim - count; ++i) d.push_back(i);
  return d;
}
static void layer_norm_infer(Infer& o, const Tensor& x, Ints shape, const Tensor& w,
                             const Tensor& b, double, bool) {
  check_normalized(x, shape);
  check_affine(w, shape, "weight");
  check_affine(b, shape, "bias");
  o.out(x.sizes(), x.dtype());
}

// xhat = (x - mean) * rstd over the last dimensions, written in tensor ops. rms: without the mean.
struct Normalized {
  Tensor xhat, rstd;
};
static Normalized normalized(const Tensor& x, const Dims& dims, double eps, bool rms) {
  Tensor centered = rms ? x : x - mean(x, dims, true);
  Tensor rstd = rsqrt(mean(centered * centered, dims, true) + eps);
  return {centered * rstd, rstd};
}
static Tensor normalized_gradient(const Tensor& h, const Normalized& n, const Dims& dims,
                                  bool rms) {
  Tensor inner = h - n.xhat * mean(h * n.xhat, dims, true);
  if (!rms) inner = inner - mean(h, dims, true);
  return n.rstd * inner;
}

static void layer_vjp(Vjp& v, const Tensor& x, int64_t count, const Tensor& w, double eps, bool rms,
                      int weight_param, int bias_param) {
  const Tensor& g = v.g();
  bool want_w = v.needs(weight_param), want_b = bias_param >= 0 && v.needs(bias_param);
  if (!grad_mode.enabled) {
    Results r =
        call_all(rows::layer_norm_backward, g, x, count, w, eps, rms, v.needs(0), want_w, want_b);
    if (v.needs(0)) v.set(0, std::move(r[0]));
    if (want_w) v.set(weight_param, std::move(r[1]));
    if (want_b) v.set(bias_param, std::move(r[2]));
    return;
  }
  Dims dims = last_dims(x.dim(), count), outer = first_dims(x.dim(), count);
  Normalized n = normalized(x, dims, eps, rms);
  if (v.needs(0)) v.set(0, normalized_gradient(w.defined() ? g * w : g, n, dims, rms));
  auto over_rows = [&](const Tensor& t) { return outer.empty() ? t : sum(t, outer); };
  if (want_w) v.set(weight_param, over_rows(g * n.xhat));
  if (want_b) v.set(bias_param, over_rows(g));
}
static void layer_norm_vjp(Vjp& v, const Tensor& x, Ints shape, const Tensor& w, const Tensor&,
                           double eps, bool) {
  layer_vjp(v, x, shape.n, w, eps, false, 2, 3);
}
KG_ROW(layer_norm,
       "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
       "float eps=1e-05, bool cudnn_enable=True) -> Tensor",
       .grad = vjp<&layer_norm_vjp>("input weight"), .infer = infer<&layer_norm_infer>,
       .as = kFunction | kNoOut,
       .doc = "(x - mean) / sqrt(variance + eps) * weight + bias over the last dimensions.")

static void rms_norm_infer(Infer& o, const Tensor& x, Ints shape, const Tensor& w,
                           std::optional<double>) {
  check_normalized(x, shape);
  check_affine(w, shape, "weight");
  o.out(x.sizes(), x.dtype());
}
static double rms_eps(const Tensor& x, std::optional<double> eps) {
  if (eps) return *eps;
  return x.dtype() == Dtype::f64 ? 2.220446049250313e-16
                                 : 1.1920928955078125e-07;  // PyTorch's: of the type it computes in
}
static void rms_norm_vjp(Vjp& v, const Tensor& x, Ints shape, const Tensor& w,
                         std::optional<double> eps) {
  layer_vjp(v, x, shape.n, w, rms_eps(x, eps), true, 2, -1);
}
KG_ROW(rms_norm,
       "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> "
       "Tensor",
       .grad = vjp<&rms_norm_vjp>("input weight"), .infer = infer<&rms_norm_infer>,
       .as = kFunction | kNoOut,
       .doc = "x / sqrt(mean(x^2) + eps) * weight over the last dimensions.")

static void layer_norm_backward_infer(Infer& o, const Tensor& g, const Tensor& x, int64_t count,
                                      const Tensor& w, double, bool, bool dx, bool dw, bool db) {
  check_gradient(g, x);
  KG_CHECK(count >= 1 && count <= x.dim(), "expected between 1 and ", x.dim(),
           " dimensions to normalise over, got ", count);
  Ints tail{x.sizes().p + x.dim() - count, count};
  check_affine(w, tail, "weight");
  Dims zero{0};
  o.out(dx ? x.sizes() : Ints(zero), x.dtype());
  o.out(dw ? tail : Ints(zero), x.dtype());
  o.out(db ? tail : Ints(zero), x.dtype());
}
KG_ROW(layer_norm_backward,
       "layer_norm_backward(Tensor grad, Tensor input, int count, Tensor? weight, float eps, bool "
       "rms, bool need_input, bool need_weight, bool "
       "need_bias) -> (Tensor dx, Tensor dw, Tensor db)",
       .grad = nondiff("recorded backward passes use the formula"),
       .infer = infer<&layer_norm_backward_infer>, .as = kInternal,
       .doc = "The gradients of layer_norm and rms_norm over the last `count` dimensions.")

// ---- group norm ---------------------------------------------------------------------------------

static void check_groups(const Tensor& x, int64_t groups) {
  KG_CHECK(x.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ", x.dim());
  int64_t c = x.sizes()[1];
  KG_CHECK(
      groups > 0 && c % groups == 0,
      "Expected number of channels in input to be divisible by num_groups, but got input of shape ",
      x.sizes(), " and num_groups=", groups);
}
static void group_norm_infer(Infer& o, const Tensor& x, int64_t groups, const Tensor& w,
                             const Tensor& b, double, bool) {
  check_groups(x, groups);
  int64_t c = x.sizes()[1];
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()), "expected a floating point tensor, got ", x.dtype(),
                       "; convert with .float()");
  check_affine(w, {c}, "weight");
  check_affine(b, {c}, "bias");
  o.out(x.sizes(), x.dtype());
}
static Dims channel_shape(Ints sizes) {
  Dims s(sizes.n, 1);
  s[1] = sizes[1];
  return s;
}
static void group_norm_vjp(Vjp& v, const Tensor& x, int64_t groups, const Tensor& w, const Tensor&,
                           double eps, bool) {
  const Tensor& g = v.g();
  if (!grad_mode.enabled) {
    Results r = call_all(rows::group_norm_backward, g, x, groups, w, eps);
    if (v.needs(0)) v.set(0, std::move(r[0]));
    if (v.needs(2)) v.set(2, std::move(r[1]));
    if (v.needs(3)) v.set(3, std::move(r[2]));
    return;
  }
  int64_t n = x.sizes()[0];
  Dims over;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != 1) over.push_back(d);
  Dims grouped{n, groups, -1}, last{2};
  Normalized parts = normalized(reshape(x, grouped), last, eps, false);
  Tensor h = w.defined() ? g * reshape(w, channel_shape(x.sizes())) : g;
  if (v.needs(0))
    v.set(0, reshape(normalized_gradient(reshape(h, grouped), parts, last, false), x.sizes()));
  if (v.needs(2)) v.set(2, sum(g * reshape(parts.xhat, x.sizes()), over));
  if (v.needs(3)) v.set(3, sum(g, over));
}
KG_ROW(group_norm,
       "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float "
       "eps=1e-05, bool cudnn_enabled=True) -> Tensor",
       .grad = vjp<&group_norm_vjp>("input weight"), .infer = infer<&group_norm_infer>,
       .as = kFunction | kNoOut,
       .doc = "Normalises each group of channels of each sample by its own mean and variance.")
static void group_norm_backward_infer(Infer& o, const Tensor& g, const Tensor& x, int64_t groups,
                                      const Tensor& w, double) {
  check_gradient(g, x);
  check_groups(x, groups);
  check_affine(w, {x.sizes()[1]}, "weight");
  o.out(x.sizes(), x.dtype());
  o.out({x.sizes()[1]}, x.dtype());
  o.out({x.sizes()[1]}, x.dtype());
}
KG_ROW(group_norm_backward,
       "group_norm_backward(Tensor grad, Tensor input, int num_groups, Tensor? weight, float eps) "
       "-> (Tensor dx, Tensor dw, Tensor db)",
       .grad = nondiff("recorded backward passes use the formula"),
       .infer = infer<&group_norm_backward_infer>, .as = kInternal,
       .doc = "The gradients of group_norm.")

// ---- batch norm ---------------------------------------------------------------------------------

static void check_channels(const Tensor& x) {
  KG_CHECK(x.dim() >= 2, "expected an input (N, C, ...) of at least 2 dimensions, got ", x.sizes());
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()), "expected a floating point tensor, got ", x.dtype(),
                       "; convert with .float()");
}
static void batch_norm_train_infer(Infer& o, const Tensor& x, const Tensor& w, const Tensor& b,
                                   double) {
  check_channels(x);
  int64_t c = x.sizes()[1];
  check_affine(w, {c}, "weight");
  check_affine(b, {c}, "bias");
  o.like(x);
  Dtype stats = x.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.out({c}, stats);
  o.out({c}, stats);
}
static void batch_norm_train_vjp(Vjp& v, const Tensor& x, const Tensor& w, const Tensor&,
                                 double eps) {
  const Tensor& g = v.g();
  if (!g.defined()) return;
  if (!grad_mode.enabled) {
    Results r = call_all(rows::batch_norm_train_backward, g, x, w, v.out(1), v.out(2), eps, false);
    if (v.needs(0)) v.set(0, std::move(r[0]));
    if (v.needs(1)) v.set(1, std::move(r[1]));
    if (v.needs(2)) v.set(2, std::move(r[2]));
    return;
  }
  Dims over;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != 1) over.push_back(d);
  Normalized parts = normalized(x, over, eps, false);
  if (v.needs(0))
    v.set(0, normalized_gradient(w.defined() ? g * reshape(w, channel_shape(x.sizes())) : g, parts,
                                 over, false));
  if (v.needs(1)) v.set(1, sum(g * parts.xhat, over));
  if (v.needs(2)) v.set(2, sum(g, over));
}
KG_ROW(batch_norm_train,
       "batch_norm_train(Tensor input, Tensor? weight, Tensor? bias, float eps) -> (Tensor output, "
       "Tensor mean, Tensor var)",
       .grad = vjp<&batch_norm_train_vjp>("input weight mean var", 1),
       .infer = infer<&batch_norm_train_infer>, .as = kInternal,
       .doc =
           "Normalises each channel by the batch's mean and variance, which are also returned (the "
           "variance over n).")
static void batch_norm_train_backward_infer(Infer& o, const Tensor& g, const Tensor& x,
                                            const Tensor& w, const Tensor& mean, const Tensor& var,
                                            double, bool) {
  check_channels(x);
  check_gradient(g, x);
  check_affine(w, {x.sizes()[1]}, "weight");
  check_affine(mean, {x.sizes()[1]}, "mean");
  check_affine(var, {x.sizes()[1]}, "var");
  o.like(x);
  Dtype parameters = x.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  o.out({x.sizes()[1]}, parameters);
  o.out({x.sizes()[1]}, parameters);
}
KG_ROW(
    batch_norm_train_backward,
    "batch_norm_train_backward(Tensor grad, Tensor input, Tensor? weight, Tensor mean, Tensor "
    "var, float eps, bool given=False) -> (Tensor dx, Tensor dw, Tensor db)",
    .grad = nondiff("recorded backward passes use the formula"),
    .infer = infer<&batch_norm_train_backward_infer>, .as = kInternal,
    .doc = "The gradients of batch_norm_train, or of batch_norm_eval, whose statistics are given.")

static void batch_norm_eval_infer(Infer& o, const Tensor& x, const Tensor& w, const Tensor& b,
                                  const Tensor& mean, const Tensor& var, double) {
  check_channels(x);
  int64_t c = x.sizes()[1];
  check_affine(w, {c}, "weight");
  check_affine(b, {c}, "bias");
  check_affine(mean, {c}, "running_mean");
  check_affine(var, {c}, "running_var");
  o.like(x);
}
static void batch_norm_eval_vjp(Vjp& v, const Tensor& x, const Tensor& w, const Tensor&,
                                const Tensor& mean, const Tensor& var, double eps) {
  const Tensor& g = v.g();
  if (!grad_mode.enabled && (v.needs(1) || v.needs(2))) {
    Results r = call_all(rows::batch_norm_train_backward, g, x, w, mean, var, eps, true);
    for (int i = 0; i < 3; ++i)
      if (v.needs(i)) v.set(i, std::move(r[i]));
    return;
  }
  Dims shape = channel_shape(x.sizes()), over;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != 1) over.push_back(d);
  Tensor rstd = reshape(rsqrt(var + eps), shape);
  if (v.needs(0)) v.set(0, g * (w.defined() ? rstd * reshape(w, shape) : rstd));
  if (v.needs(1)) v.set(1, sum(g * ((x - reshape(mean, shape)) * rstd), over));
  if (v.needs(2)) v.set(2, sum(g, over));
}
KG_ROW(batch_norm_eval,
       "batch_norm_eval(Tensor input, Tensor? weight, Tensor? bias, Tensor mean, Tensor var, float "
       "eps) -> Tensor",
       .grad = vjp<&batch_norm_eval_vjp>("input weight mean var"),
       .infer = infer<&batch_norm_eval_infer>, .as = kInternal,
       .doc = "Normalises each channel by given statistics.")

}  // namespace kagari
