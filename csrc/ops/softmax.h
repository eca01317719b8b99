// Softmax by name, for C++.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(softmax)
KG_DECLARE_ROW(log_softmax)
KG_DECLARE_ROW(softmax_backward)

inline Tensor softmax(const Tensor& x, int64_t dim) { return call(rows::softmax, x, dim); }
inline Tensor log_softmax(const Tensor& x, int64_t dim) { return call(rows::log_softmax, x, dim); }

}  // namespace kagari
