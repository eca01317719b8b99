// The views by name, for C++: each records on the tape when grad mode is on.
#pragma once
#include <vector>

#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(view)
KG_DECLARE_ROW(view_dtype)
KG_DECLARE_ROW(reshape)
KG_DECLARE_ROW(expand)
KG_DECLARE_ROW(permute)
KG_DECLARE_ROW(transpose)
KG_DECLARE_ROW(t)
KG_DECLARE_ROW(squeeze)
KG_DECLARE_ROW(squeeze_dim)
KG_DECLARE_ROW(squeeze_dims)
KG_DECLARE_ROW(unsqueeze)
KG_DECLARE_ROW(flatten)
KG_DECLARE_ROW(select)
KG_DECLARE_ROW(slice)
KG_DECLARE_ROW(narrow)
KG_DECLARE_ROW(diagonal)
KG_DECLARE_ROW(unfold)
KG_DECLARE_ROW(as_strided)
KG_DECLARE_ROW(split)
KG_DECLARE_ROW(split_with_sizes)
KG_DECLARE_ROW(unbind)
KG_DECLARE_ROW(alias)
KG_DECLARE_ROW(real)
KG_DECLARE_ROW(imag)
KG_DECLARE_ROW(view_as_real)
KG_DECLARE_ROW(view_as_complex)
KG_DECLARE_ROW(clone)
KG_DECLARE_ROW(embed)

inline Tensor view(const Tensor& x, Ints size) { return call(rows::view, x, size); }
// A view where the strides allow one, else a copy.
inline Tensor reshape(const Tensor& x, Ints shape) { return call(rows::reshape, x, shape); }
inline Tensor expand(const Tensor& x, Ints size) { return call(rows::expand, x, size); }
inline Tensor permute(const Tensor& x, Ints dims) { return call(rows::permute, x, dims); }
inline Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1) {
  return call(rows::transpose, x, dim0, dim1);
}
inline Tensor squeeze(const Tensor& x, int64_t dim) { return call(rows::squeeze_dim, x, dim); }
inline Tensor unsqueeze(const Tensor& x, int64_t dim) { return call(rows::unsqueeze, x, dim); }
inline Tensor flatten(const Tensor& x, int64_t start = 0, int64_t end = -1) {
  return call(rows::flatten, x, start, end);
}
inline Tensor select(const Tensor& x, int64_t dim, int64_t index) {
  return call(rows::select, x, dim, index);
}
inline Tensor slice(const Tensor& x, int64_t dim, int64_t start, int64_t end, int64_t step = 1) {
  return call(rows::slice, x, dim, start, end, step);
}
inline Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  return call(rows::narrow, x, dim, start, length);
}
inline Tensor diagonal(const Tensor& x, int64_t offset = 0, int64_t dim1 = 0, int64_t dim2 = 1) {
  return call(rows::diagonal, x, offset, dim1, dim2);
}
inline Tensor as_strided(const Tensor& x, Ints size, Ints stride, int64_t offset) {
  return call(rows::as_strided, x, size, stride, offset);
}
inline Tensor clone(const Tensor& x) { return call(rows::clone, x); }
inline Tensor clone(const Tensor& x, MemoryFormat f) { return call(rows::clone, x, f); }
// x itself when it is row-major already.
inline Tensor contiguous(const Tensor& x) {
  return x.is_contiguous() ? x : call(rows::clone, x, MemoryFormat::contiguous);
}
Tensor contiguous(const Tensor& x, MemoryFormat format);
// Sums g over the dimensions along which `sizes` was broadcast to reach g's shape.
Tensor sum_to(const Tensor& g, Ints sizes);
// A zero tensor of `sizes` in which the elements that the strided window (stride, offset) reaches
// hold g; elements reached several times hold the sum. The gradient of every strided view.
inline Tensor embed(const Tensor& g, Ints sizes, Ints stride, int64_t offset) {
  return call(rows::embed, g, sizes, stride, offset);
}

// Geometry without the tape, shared with the binding's fast paths.
Dims infer_size(Ints shape, int64_t numel);  // resolves one -1; throws as PyTorch does
Dims memory_format_strides(Ints sizes,
                           MemoryFormat f);  // of a dense tensor; preserve is not a format here
bool is_contiguous_as(const TensorImpl* t, MemoryFormat f);
// Clamps start and end into [0, size] as Python's slices do; returns the length.
int64_t clamp_slice(int64_t size, int64_t& start, int64_t& end, int64_t step);
std::vector<int64_t> chunk_sizes(int64_t size, int64_t chunks);

}  // namespace kagari
