// Choosing and writing elements by index, for C++: each records on the tape when grad mode is on.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(index)
KG_DECLARE_ROW(index_put)
KG_DECLARE_ROW(nonzero)
KG_DECLARE_ROW(gather)
KG_DECLARE_ROW(scatter_src)
KG_DECLARE_ROW(scatter_value)
KG_DECLARE_ROW(scatter_add)
KG_DECLARE_ROW(scatter_reduce)
KG_DECLARE_ROW(index_select)
KG_DECLARE_ROW(index_add)
KG_DECLARE_ROW(index_copy)
KG_DECLARE_ROW(index_fill)
KG_DECLARE_ROW(take)
KG_DECLARE_ROW(put)
KG_DECLARE_ROW(masked_fill)
KG_DECLARE_ROW(masked_select)
KG_DECLARE_ROW(masked_scatter)

// indices: one per leading dimension of x, null where a dimension is kept whole.
inline Tensor index(const Tensor& x, TensorList indices) { return call(rows::index, x, indices); }
inline Tensor gather(const Tensor& x, int64_t dim, const Tensor& index) {
  return call(rows::gather, x, dim, index);
}
inline Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  return call(rows::scatter_add, x, dim, index, src);
}
inline Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index) {
  return call(rows::index_select, x, dim, index);
}
inline Tensor index_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source) {
  return call(rows::index_add, x, dim, index, source);
}
inline Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  return call(rows::masked_fill, x, mask, Scalar(value));
}
inline Tensor masked_select(const Tensor& x, const Tensor& mask) {
  return call(rows::masked_select, x, mask);
}

inline bool is_mask(const TensorImpl* t) {
  return t->dtype == Dtype::boolean || t->dtype == Dtype::u8;
}
inline bool is_index(Dtype d) { return d == Dtype::i64 || d == Dtype::i32; }

// What indexing with a list does to the shape: [pre..., block..., post...], where the block stands
// for the indexed dimensions. Masks count as `dim()` index tensors of one dimension, whose length
// only the data tells (-1 here).
struct IndexShape {
  Dims pre, block, post;     // sizes
  Dims pre_dims, post_dims;  // of x
  bool has_mask = false;
  Dims result() const;
};
IndexShape index_shape(const Tensor& x, TensorList indices, const Dims& mask_counts = {});

}  // namespace kagari
