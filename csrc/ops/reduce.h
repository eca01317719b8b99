// Reductions by name, for C++: each records on the tape when grad mode is on.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(sum)
KG_DECLARE_ROW(sum_dim)
KG_DECLARE_ROW(mean_dim)
KG_DECLARE_ROW(amax)
KG_DECLARE_ROW(amin)
KG_DECLARE_ROW(any)
KG_DECLARE_ROW(argmax)
KG_DECLARE_ROW(cumsum)
KG_DECLARE_ROW(cumprod)
KG_DECLARE_ROW(vector_norm)

inline Tensor sum(const Tensor& x) { return call(rows::sum, x); }
inline Tensor sum(const Tensor& x, Ints dim, bool keepdim = false) {
  return call(rows::sum_dim, x, dim, keepdim);
}
inline Tensor mean(const Tensor& x, Ints dim, bool keepdim = false) {
  return call(rows::mean_dim, x, dim, keepdim);
}
inline Tensor amax(const Tensor& x, Ints dim, bool keepdim = false) {
  return call(rows::amax, x, dim, keepdim);
}

// The dimensions that `dim` names (all when it is absent or empty), as a sorted list; throws on
// repetition.
Dims reduced_dims(std::optional<Ints> dim, int64_t ndim, bool empty_is_all = true);
Dims reduced_sizes(Ints sizes, const Dims& dims, bool keepdim);
// d prod / d x_i along dim: the products of the other elements, from both sides by scans, so that
// zeros need no division.
Tensor product_of_others(const Tensor& x, int64_t dim);
// a / b, and zero with zero gradients where b is zero.
Tensor div_or_zero(const Tensor& a, const Tensor& b);
// Zeros of `sizes` with g put where `indices` points along dim: the gradient of choosing elements.
Tensor scatter_selected(const Tensor& g, const Tensor& indices, Ints sizes, int64_t dim,
                        bool keepdim);
// Puts the reduced dimensions back as ones, so that g broadcasts against the input.
Tensor unreduce(const Tensor& g, const Dims& dims, int64_t ndim, bool keepdim);

}  // namespace kagari
