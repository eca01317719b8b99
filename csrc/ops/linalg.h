// Factorisations and solvers by name, for C++: each records on the tape when grad mode is on.
// Matrices are the last two dimensions of a batch.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(cholesky_ex)
KG_DECLARE_ROW(lu_factor_ex)
KG_DECLARE_ROW(pivots_to_rows)
KG_DECLARE_ROW(lu_solve)
KG_DECLARE_ROW(solve_triangular)
KG_DECLARE_ROW(solve_ex)
KG_DECLARE_ROW(inv_ex)
KG_DECLARE_ROW(det)
KG_DECLARE_ROW(qr)
KG_DECLARE_ROW(geqrf)
KG_DECLARE_ROW(eigh)
KG_DECLARE_ROW(eig)
KG_DECLARE_ROW(svd)
KG_DECLARE_ROW(pinv_of)
KG_DECLARE_ROW(ldl_factor_ex)
KG_DECLARE_ROW(ldl_solve)
KG_DECLARE_ROW(lstsq)

// A⁻¹·B or A⁻ᴴ·B (B·A⁻¹ or B·A⁻ᴴ unless `left`) from a factorisation; batches broadcast.
inline Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left,
                       bool adjoint) {
  return call(rows::lu_solve, lu, pivots, b, left, adjoint);
}
enum class Triangle : uint8_t { lower, upper, unit_lower, unit_upper };
// A⁻¹·B, or B·A⁻¹ unless `left`; of A only the triangle is read. Batches broadcast.
inline Tensor solve_triangular(const Tensor& a, const Tensor& b, Triangle t, bool left = true) {
  return call(rows::solve_triangular, a, b, t == Triangle::upper || t == Triangle::unit_upper, left,
              t == Triangle::unit_lower || t == Triangle::unit_upper);
}
inline Tensor solve(const Tensor& a, const Tensor& b, bool left = true) {
  return call(rows::solve_ex, a, b, left);
}

}  // namespace kagari
