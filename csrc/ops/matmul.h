// Matrix products by name, for C++: each records on the tape when grad mode is on.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(mm)
KG_DECLARE_ROW(bmm)
KG_DECLARE_ROW(mv)
KG_DECLARE_ROW(dot)
KG_DECLARE_ROW(matmul)
KG_DECLARE_ROW(linear)
KG_DECLARE_ROW(linear_backward)
KG_DECLARE_ROW(addmm)
KG_DECLARE_ROW(baddbmm)
KG_DECLARE_ROW(addmv)

inline Tensor mm(const Tensor& a, const Tensor& b) { return call(rows::mm, a, b); }
inline Tensor bmm(const Tensor& a, const Tensor& b) { return call(rows::bmm, a, b); }
inline Tensor mv(const Tensor& a, const Tensor& b) { return call(rows::mv, a, b); }
inline Tensor dot(const Tensor& a, const Tensor& b) { return call(rows::dot, a, b); }
inline Tensor matmul(const Tensor& a, const Tensor& b) { return call(rows::matmul, a, b); }
inline Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}) {
  return call(rows::linear, x, weight, bias);
}

}  // namespace kagari
