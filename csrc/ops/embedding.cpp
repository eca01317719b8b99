// Embedding: rows of a table by index, and sums of them by bag.
#include "core/sparse.h"
#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

KG_DECLARE_ROW(embedding)
KG_DECLARE_ROW(embedding_backward)
KG_DECLARE_ROW(bag_sum)
KG_DECLARE_ROW(bag_sum_backward)
KG_DECLARE_ROW(bag_argmax)

static void check_indices(const Tensor& indices) {
  KG_CHECK(indices.dtype() == Dtype::i64 || indices.dtype() == Dtype::i32,
           "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
           "Long, Int; but got ",
           indices.dtype(), " instead; convert with .long()");
}
static void embedding_infer(Infer& o, const Tensor& weight, const Tensor& indices, int64_t, bool,
                            bool) {
  KG_CHECK(weight.dim() == 2, "'weight' must be 2-D, got ", weight.sizes());
  check_indices(indices);
  Dims sizes(indices.sizes());
  sizes.push_back(weight.sizes()[1]);
  o.out(sizes, weight.dtype());
}
// The gradient of the table for gradients of looked up rows.
static Tensor table_gradient(const Tensor& g, const Tensor& indices, Ints sizes, int64_t padding,
                             bool scale, bool sparse) {
  if (!sparse) return call(rows::embedding_backward, g, indices, sizes[0], padding, scale);
  KG_CHECK(!scale, "scale_grad_by_freq not supported with sparse gradients; pass sparse=False");
  return sparse_gradient("embedding_gradient", g, indices, sizes, padding);
}
static void embedding_vjp(Vjp& v, const Tensor&, const Tensor& indices, int64_t padding, bool scale,
                          bool sparse) {
  v.set(0, table_gradient(v.g(), indices, v.sizes(0), padding, scale, sparse));
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
  KG_CHECK(
      g.dim() == indices.dim() + 1 && Ints(g.sizes().p, indices.dim()) == Ints(indices.sizes()),
      "expected a gradient of shape ", indices.sizes(), " and one dimension more, got ", g.sizes());
  KG_CHECK(rows >= 0, "expected a number of rows, got ", rows);
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

// ---- bags: sums of runs of rows -----------------------------------------------------------------

static void check_bags(const Tensor& weight, const Tensor& indices, const Tensor& offsets) {
  KG_CHECK(weight.dim() == 2, "'weight' must be 2-D, got ", weight.sizes());
  check_indices(indices);
  KG_CHECK(indices.dim() == 1, "indices has to be a 1D Tensor, got ", indices.sizes());
  KG_CHECK(offsets.dim() == 1 && offsets.numel() >= 1 && offsets.dtype() == Dtype::i64,
           "offsets has to be a 1D int64 Tensor with the end of the last bag, got ",
           describe(offsets));
}
static void bag_sum_infer(Infer& o, const Tensor& weight, const Tensor& indices,
                          const Tensor& offsets, const Tensor& bags, const Tensor& factors, int64_t,
                          bool, bool) {
  check_bags(weight, indices, offsets);
  KG_CHECK(bags.sizes() == indices.sizes() && is_index(bags.dtype()),
           "expected a bag for each index, got bags ", describe(bags), " and indices ",
           describe(indices));
  KG_CHECK(!factors.defined() ||
               (factors.sizes() == indices.sizes() && factors.dtype() == weight.dtype()),
           "expected per_sample_weights of indices' shape and weight's dtype");
  o.out({offsets.numel() - 1, weight.sizes()[1]}, weight.dtype());
}
// The gradient of an index's factor: what its row of the table and its bag's gradient share.
static Tensor factor_gradient(const Tensor& g, const Tensor& table, const Tensor& indices,
                              const Tensor& bags, int64_t padding) {
  Tensor by_factor = sum(index_select(g, 0, bags) * call(rows::embedding, table, indices), {-1});
  if (padding < 0) return by_factor;
  return by_factor * to(ne(indices, double(padding)), by_factor.dtype());
}
static void bag_sum_vjp(Vjp& v, const Tensor& weight, const Tensor& indices, const Tensor& offsets,
                        const Tensor& bags, const Tensor& factors, int64_t padding, bool scale,
                        bool sparse) {
  if (v.needs(0) && sparse) {
    Tensor rows = index_select(v.g(), 0, bags);
    v.set(0, table_gradient(factors.defined() ? rows * unsqueeze(factors, -1) : rows, indices,
                            v.sizes(0), padding, scale, sparse));
  } else if (v.needs(0)) {
    v.set(0, call(rows::bag_sum_backward, v.g(), indices, offsets, bags, factors, v.sizes(0)[0],
                  padding, scale));
  }
  if (v.needs(4)) v.set(4, factor_gradient(v.g(), weight, indices, bags, padding));
}
KG_ROW(bag_sum,
       "_bag_sum(Tensor weight, Tensor indices, Tensor offsets, Tensor bags, Tensor? factors, int "
       "padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor",
       .grad = vjp<&bag_sum_vjp>("weight:factors indices offsets bags factors"),
       .infer = infer<&bag_sum_infer>, .as = kInternal,
       .doc = "Sums of the rows of each bag; bag b holds the indices offsets[b] .. offsets[b + 1].")

static void bag_sum_backward_infer(Infer& o, const Tensor& g, const Tensor& indices,
                                   const Tensor& offsets, const Tensor& bags, const Tensor& factors,
                                   int64_t rows, int64_t, bool) {
  check_bags(g, indices, offsets);
  KG_CHECK(g.sizes()[0] == offsets.numel() - 1 && bags.sizes() == indices.sizes() &&
               is_index(bags.dtype()),
           "expected a gradient for each of ", offsets.numel() - 1,
           " bags and a bag for each index, got a gradient ", describe(g), ", bags ",
           describe(bags), " and indices ", describe(indices));
  KG_CHECK(
      !factors.defined() || (factors.sizes() == indices.sizes() && factors.dtype() == g.dtype()),
      "expected per_sample_weights of indices' shape and the gradient's dtype");
  KG_CHECK(rows >= 0, "expected a number of rows, got ", rows);
  o.out({rows, g.sizes()[1]}, g.dtype());
}
// Linear in g: the derivative adds the rows up by bag again.
static void bag_sum_backward_vjp(Vjp& v, const Tensor& g, const Tensor& indices,
                                 const Tensor& offsets, const Tensor& bags, const Tensor& factors,
                                 int64_t, int64_t padding, bool scale) {
  KG_CHECK_IMPLEMENTED(!scale, "scale_grad_by_freq=True has no second derivative; use False");
  if (v.needs(0))
    v.set(0, call(rows::bag_sum, v.g(), indices, offsets, bags, factors, padding, false, false));
  if (v.needs(4)) v.set(4, factor_gradient(g, v.g(), indices, bags, padding));
}
KG_ROW(bag_sum_backward,
       "_bag_sum_backward(Tensor grad, Tensor indices, Tensor offsets, Tensor bags, Tensor? "
       "factors, int rows, int padding_idx, bool scale_grad_by_freq) -> Tensor",
       .grad = vjp<&bag_sum_backward_vjp>("grad:factors indices offsets bags factors"),
       .infer = infer<&bag_sum_backward_infer>, .as = kInternal,
       .doc = "The gradient of _bag_sum: each index adds its bag's gradient to its row.")

static void bag_argmax_infer(Infer& o, const Tensor& weight, const Tensor& indices,
                             const Tensor& offsets, int64_t) {
  check_bags(weight, indices, offsets);
  o.out({offsets.numel() - 1, weight.sizes()[1]}, Dtype::i64);
}
KG_ROW(bag_argmax,
       "_bag_argmax(Tensor weight, Tensor indices, Tensor offsets, int padding_idx=-1) -> Tensor",
       .grad = nondiff("gives places"), .infer = infer<&bag_argmax_infer>, .as = kInternal,
       .doc = "For each bag and column the table's row with the largest number; -1 if it is empty.")

}  // namespace kagari
