// Embedding: rows of a table by index.
#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

KG_DECLARE_ROW(embedding)
KG_DECLARE_ROW(embedding_backward)

static void check_indices(const Tensor& indices) {
  KG_CHECK(indices.dtype() == Dtype::i64 || indices.dtype() == Dtype::i32,
           "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
           "Long, Int; but got ",
           indices.dtype(), " instead; convert with .long()");
}
static void embedding_infer(Infer& o, const Tensor& weight, const Tensor& indices, int64_t, bool,
                            bool sparse) {
  KG_CHECK(weight.dim() == 2, "'weight' must be 2-D, got ", weight.sizes());
  check_indices(indices);
  KG_CHECK_IMPLEMENTED(!sparse, "sparse gradients are not supported; pass sparse=False");
  Dims sizes(indices.sizes());
  sizes.push_back(weight.sizes()[1]);
  o.out(sizes, weight.dtype());
}
static void embedding_vjp(Vjp& v, const Tensor&, const Tensor& indices, int64_t padding, bool scale,
                          bool) {
  v.set(0, call(rows::embedding_backward, v.g(), indices, v.sizes(0)[0], padding, scale));
}
KG_ROW(embedding,
       "embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool "
       "scale_grad_by_freq=False, bool sparse=False) -> Tensor",
       .grad = vjp<&embedding_vjp>("indices"), .infer = infer<&embedding_infer>,
       .as = kFunction | kNoOut,
       .doc = "weight[indices]; the row padding_idx receives no gradient.")

static void embedding_backward_infer(Infer& o, const Tensor& g, const Tensor& indices, int64_t rows,
                                     int64_t, bool) {
  check_indices(indices);
  o.out({rows, g.sizes()[g.dim() - 1]}, g.dtype());
}
// Linear in g: the derivative looks the rows up again.
static void embedding_backward_vjp(Vjp& v, const Tensor&, const Tensor& indices, int64_t,
                                   int64_t padding, bool scale) {
  KG_CHECK_IMPLEMENTED(!scale, "scale_grad_by_freq=True has no second derivative; use False");
  Tensor again = call(rows::embedding, v.g(), indices);
  if (padding >= 0) again = again * unsqueeze(to(ne(indices, double(padding)), again.dtype()), -1);
  v.set(0, again);
}
KG_ROW(embedding_backward,
       "embedding_backward(Tensor grad, Tensor indices, int rows, int padding_idx, bool "
       "scale_grad_by_freq) -> Tensor",
       .grad = vjp<&embedding_backward_vjp>("indices"), .infer = infer<&embedding_backward_infer>,
       .as = kInternal, .doc = "The gradient of embedding: rows of grad added up by index.")

}  // namespace kagari
