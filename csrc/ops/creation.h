// New tensors by name, for C++: constants, which the tape never sees.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(tril)
KG_DECLARE_ROW(triu)

Tensor zeros(Ints sizes, Dtype dtype, Device device = {});
Tensor ones(Ints sizes, Dtype dtype, Device device = {});
Tensor full(Ints sizes, const Scalar& value, Dtype dtype, Device device = {});
Tensor zeros_like(const Tensor& t);
Tensor arange(int64_t end, Device device = {});  // int64

}  // namespace kagari
