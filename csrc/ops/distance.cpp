// Distances between all pairs of rows, and their gradient; the functions that users call are
// composed of these in kagari/ops/linalg/distances.py.
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(cdist_forward)
KG_DECLARE_ROW(cdist_backward)
KG_DECLARE_ROW(pdist_forward)
KG_DECLARE_ROW(pdist_backward)

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

}  // namespace

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
