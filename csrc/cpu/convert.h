// Conversion between dtypes and copies between geometries.
#pragma once
#include "core/value.h"
#include "ops/pointwise_formulas.h"

namespace kagari {

// Converts n contiguous elements; the ranges do not overlap. Floats become integers as the
// processor truncates them (outside the range the result is some number), integers wrap, complex
// numbers lose their imaginary part, bool is "not zero".
void convert_block(void* to, Dtype to_dtype, const void* from, Dtype from_dtype, int64_t n);

// The same for elements `stride` bytes apart; storage-only dtypes move without conversion.
void gather(void* to, const char* from, int64_t stride, int64_t itemsize, int64_t n);
void scatter(char* to, int64_t stride, const void* from, int64_t itemsize, int64_t n);

// to[j][i] = from[i][j] for ni by nj elements; rows lie `to_stride` and `from_stride` bytes apart.
// stream: full lines of `to` are aligned to 64 bytes and bypass the cache (a fence must follow).
void transpose_patch(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t ni,
                     int64_t nj, int64_t itemsize, bool stream);

// to[...] = from[...], broadcasting `from`; the tensors may overlap only when they are the same.
// Needs no GIL.
void convert(const TensorImpl* to, const TensorImpl* from);

// The kernel of copies and fills for run_loop(): 64 bytes per vector.
pointwise::Span copy_span();

// A number as an element of a dtype.
void store_scalar(void* to, Dtype dtype, const Scalar& value);

}  // namespace kagari
