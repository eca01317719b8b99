// New tensors by name, for C++: constants, which the tape never sees.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(tril)
KG_DECLARE_ROW(triu)

KG_DECLARE_ROW(to_copy)

// t with another dtype and device, on the tape; t itself when nothing changes and no copy is asked
// for.
Tensor to(const Tensor& t, Dtype dtype, Device device, bool copy = false,
          MemoryFormat format = MemoryFormat::preserve);
inline Tensor to_dtype(const Tensor& t, Dtype dtype) { return to(t, dtype, t.device()); }

Tensor zeros(Ints sizes, Dtype dtype, Device device = {});
Tensor ones(Ints sizes, Dtype dtype, Device device = {});
Tensor full(Ints sizes, const Scalar& value, Dtype dtype, Device device = {});
Tensor zeros_like(const Tensor& t);
Tensor arange(int64_t end, Device device = {});  // int64

}  // namespace kagari
