// Distances between all pairs of rows, distances and cosines of rows that stand side by side, and
// their gradients; the functions that users call are composed of these in
// kagari/ops/linalg/distances.py and kagari/nn/_functional/distance.py.
#include "ops/distance.h"

#include "ops/creation.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

namespace {

void check_pair(const Tensor& x, const Tensor& y) {
  bool fits = (x.dim() == 2 || x.dim() == 3) && y.dim() == x.dim() && x.dtype() == y.dtype() &&
              x.sizes()[x.dim() - 1] == y.sizes()[x.dim() - 1];
  if (fits && x.dim() == 3) fits = x.sizes()[0] == y.sizes()[0];
  KG_CHECK(fits, "expected (B, P, M) and (B, R, M), or (P, M) and (R, M), of one dtype, got ",
           describe(x), " and ", describe(y));
}
// (B, P, R)
bool are_distances(const Tensor& d, const Tensor& x, const Tensor& y) {
  const int64_t n = x.dim();
  return d.dim() == n && d.dtype() == x.dtype() && (n == 2 || d.sizes()[0] == x.sizes()[0]) &&
         d.sizes()[n - 2] == x.sizes()[n - 2] && d.sizes()[n - 1] == y.sizes()[n - 2];
}
void check_floating(const Tensor& x) {
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()), "is not implemented for ", x.dtype(),
                       "; convert with .float()");
}
int64_t pairs(const Tensor& x) {
  KG_CHECK(x.dim() == 2, "expected a matrix, got ", describe(x));
  const int64_t n = x.sizes()[0];
  return n < 2 ? 0 : n * (n - 1) / 2;
}

void cdist_infer(Infer& o, const Tensor& x, const Tensor& y, double) {
  check_pair(x, y);
  check_floating(x);
  const int64_t rows = x.sizes()[x.dim() - 2], others = y.sizes()[y.dim() - 2];
  if (x.dim() == 2)
    o.out({rows, others}, x.dtype());
  else
    o.out({x.sizes()[0], rows, others}, x.dtype());
}
void cdist_backward_infer(Infer& o, const Tensor& g, const Tensor& x, const Tensor& y, double,
                          const Tensor& distances) {
  check_pair(x, y);
  check_floating(x);
  KG_CHECK(are_distances(g, x, y) && are_distances(distances, x, y),
           "expected a gradient and distances of ", describe(x), " from ", describe(y), ", got ",
           describe(g), " and ", describe(distances));
  o.out(x.sizes(), x.dtype());
}
void pdist_infer(Infer& o, const Tensor& x, double) {
  check_floating(x);
  o.out({pairs(x)}, x.dtype());
}
void pdist_backward_infer(Infer& o, const Tensor& g, const Tensor& x, double,
                          const Tensor& distances) {
  check_floating(x);
  const int64_t n = pairs(x);
  KG_CHECK(g.dim() == 1 && distances.dim() == 1 && g.numel() == n && distances.numel() == n &&
               g.dtype() == x.dtype() && distances.dtype() == x.dtype(),
           "expected a gradient and distances of ", n, " pairs in ", x.dtype(), ", got ",
           describe(g), " and ", describe(distances));
  o.out(x.sizes(), x.dtype());
}

// ---- rows side by side --------------------------------------------------------------------------

void check_rows(const Tensor& x, const Tensor& y) {
  KG_CHECK(x.dim() >= 1 && x.sizes() == y.sizes() && x.dtype() == y.dtype() &&
               (x.dtype() == Dtype::f32 || x.dtype() == Dtype::f64),
           "expected two tensors of one shape in float32 or float64, got ", describe(x), " and ",
           describe(y));
}
Ints leading(const Tensor& x) { return {x.sizes().p, x.dim() - 1}; }
void check_of_rows(const Tensor& t, const Tensor& x, const char* what) {
  KG_CHECK(t.sizes() == leading(x) && t.dtype() == x.dtype(), "expected ", what, " of shape ",
           leading(x), " in ", x.dtype(), ", got ", describe(t));
}

void cosines_infer(Infer& o, const Tensor& x, const Tensor& y, double) {
  check_rows(x, y);
  for (int i = 0; i < 3; ++i) o.out(leading(x), x.dtype());
}
void cosines_backward_infer(Infer& o, const Tensor& g, const Tensor& x, const Tensor& y,
                            const Tensor& cosine, const Tensor& norm_x, const Tensor& norm_y,
                            double) {
  check_rows(x, y);
  for (const Tensor* t : {&g, &cosine, &norm_x, &norm_y}) check_of_rows(*t, x, "numbers");
  o.out(x.sizes(), x.dtype());
  o.out(x.sizes(), x.dtype());
}
// A row's norm, and what its elements are divided by: at least eps, with the norm's gradient.
struct Length {
  Tensor norm, divisor;
  Length(const Tensor& x, double eps)
      : norm(call(rows::vector_norm, x, Scalar(2.0), Ints{-1}, true)),
        divisor(norm + tape::detach(call(rows::clamp_min, norm, Scalar(eps)) - norm)) {}
};
void cosines_vjp(Vjp& v, const Tensor& x, const Tensor& y, double eps) {
  if (!v.g().defined()) return;
  if (!grad_mode.enabled) {
    Results r = call_all(rows::cosines_backward, v.g(), x, y, v.out(0), v.out(1), v.out(2), eps);
    for (int i = 0; i < 2; ++i)
      if (v.needs(i)) v.set(i, std::move(r[i]));
    return;
  }
  const Length a(x, eps), b(y, eps);
  const Tensor p = x / a.divisor, q = y / b.divisor, g = unsqueeze(v.g(), -1),
               slope = g * sum(p * q, Ints{-1}, true);
  auto gradient = [&](const Tensor& of, const Length& own, const Tensor& other) {
    return g * other / own.divisor - of * div_or_zero(slope / own.divisor, own.norm);
  };
  if (v.needs(0)) v.set(0, gradient(x, a, q));
  if (v.needs(1)) v.set(1, gradient(y, b, p));
}

void distances_infer(Infer& o, const Tensor& x, const Tensor& y, double) {
  check_rows(x, y);
  o.out(leading(x), x.dtype());
}
void distances_backward_infer(Infer& o, const Tensor& g, const Tensor& x, const Tensor& y,
                              const Tensor& distance, double) {
  check_rows(x, y);
  check_of_rows(g, x, "a gradient");
  check_of_rows(distance, x, "distances");
  o.out(x.sizes(), x.dtype());
}
void distances_vjp(Vjp& v, const Tensor& x, const Tensor& y, double eps) {
  Tensor dx;
  if (!grad_mode.enabled) {
    dx = call(rows::distances_backward, v.g(), x, y, v.out(0), eps);
  } else {
    const Tensor factor = div_or_zero(v.g(), v.out(0));
    dx = (x - y + eps) * unsqueeze(factor, -1);
  }
  if (v.needs(1)) v.set(1, -dx);
  if (v.needs(0)) v.set(0, std::move(dx));
}

}  // namespace

KG_ROW(cosines,
       "_cosines(Tensor x1, Tensor x2, float eps) -> (Tensor cosine, Tensor norm1, Tensor norm2)",
       .grad = vjp<&cosines_vjp>("x1 x2 cosine norm1 norm2", 1), .infer = infer<&cosines_infer>,
       .as = kInternal, .doc = "Cosines between rows of equal places, and the rows' norms.")
KG_ROW(cosines_backward,
       "_cosines_backward(Tensor grad, Tensor x1, Tensor x2, Tensor cosine, Tensor norm1, Tensor "
       "norm2, float eps) -> (Tensor dx1, Tensor dx2)",
       .grad = nondiff("recorded backward passes use the formula"),
       .infer = infer<&cosines_backward_infer>, .as = kInternal,
       .doc = "The gradients of the cosines between rows.")
KG_ROW(distances, "_distances(Tensor x1, Tensor x2, float eps) -> Tensor",
       .grad = vjp<&distances_vjp>("x1 x2 result"), .infer = infer<&distances_infer>,
       .as = kInternal, .doc = "2-norms of x1 - x2 + eps over the last dimension.")
KG_ROW(
    distances_backward,
    "_distances_backward(Tensor grad, Tensor x1, Tensor x2, Tensor distance, float eps) -> Tensor",
    .grad = nondiff("recorded backward passes use the formula"),
    .infer = infer<&distances_backward_infer>, .as = kInternal,
    .doc = "The gradient of the distances of rows by x1; x2's is its negative.")

KG_ROW(cdist_forward, "_cdist_forward(Tensor x1, Tensor x2, float p) -> Tensor",
       .grad = nondiff("the op that calls it says its gradient"), .infer = infer<&cdist_infer>,
       .as = kInternal, .doc = "p-norms of the differences of all pairs of rows, batch by batch.")
KG_ROW(cdist_backward,
       "_cdist_backward(Tensor grad, Tensor x1, Tensor x2, float p, Tensor cdist) -> Tensor",
       .grad = nondiff("the op that calls it says its gradient"),
       .infer = infer<&cdist_backward_infer>, .as = kInternal,
       .doc = "The gradient of the distances by x1.")
KG_ROW(pdist_forward, "_pdist_forward(Tensor input, float p) -> Tensor",
       .grad = nondiff("the op that calls it says its gradient"), .infer = infer<&pdist_infer>,
       .as = kInternal, .doc = "p-norms of the differences of each pair of a matrix's rows.")
KG_ROW(pdist_backward,
       "_pdist_backward(Tensor grad, Tensor input, float p, Tensor pdist) -> Tensor",
       .grad = nondiff("the op that calls it says its gradient"),
       .infer = infer<&pdist_backward_infer>, .as = kInternal,
       .doc = "The gradient of the distances by the matrix.")

}  // namespace kagari
