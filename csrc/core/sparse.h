// Sparse tensors below the ops: a tensor without a storage whose extension holds its parts.
//
// Laws:
//  - A tensor with kSparse has sizes, a dtype, a device and records of the tape as any other; its
//  elements lie in `extension`, a tuple of Python (layout, indices or compressed indices, plain
//  indices or None, values, coalesced) that is never changed: a write to the tensor's structure
//  puts another tuple in its place, so aliases keep what they had.
//  - No kernel sees one. Calls with one are handed to kagari.sparse before they reach a row
//  (bind/overrides.cpp); a row that meets one nevertheless refuses it (ops/call.cpp).
#pragma once
#include "core/tensor.h"

namespace kagari {

// Among TensorFlags, of those that take a call off the straight path.
inline constexpr uint32_t kSparse = 1 << 3;

inline bool is_sparse(const Tensor& t) { return t->is(kSparse); }
inline PyObject* sparse_parts(const TensorImpl* t) {  // borrowed
  return static_cast<PyObject*>(t->extension);
}

// What the tape asks of sparse tensors ("add", "add_", "clone", "to_dense", "to_dtype", "values"),
// answered by kagari.sparse; bind/ fills it in. `b` may be undefined, `dtype` is read by "to_dtype".
extern Tensor (*sparse_call)(const char* what, const Tensor& a, const Tensor& b, Dtype dtype);
// The sparse gradient of a lookup in a tensor of these sizes: the elements of `g` at the places that
// `index` names. "embedding_gradient" (`k` is the padding row or -1), "gather_gradient" (`k` is the
// dimension).
extern Tensor (*sparse_gradient)(const char* what, const Tensor& g, const Tensor& index, Ints sizes,
                                 int64_t k);

}  // namespace kagari
