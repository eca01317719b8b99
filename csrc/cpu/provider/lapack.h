// Factorisations and decompositions on raw pointers, by OpenBLAS's LAPACK on one thread: the same
// bits for any number of threads.
//
// Kinds: f32, f64, c64, c128. Matrices may have any strides; a column-major one (row step 1) is
// worked on in place, others through a copy. Functions return LAPACK's info: 0, or the positive
// number of the step that failed. They may run on several threads at once.
#pragma once
#include <cstdint>

#include "cpu/provider/gemm.h"

namespace kagari::provider {

struct Matrix {
  void* data = nullptr;
  int64_t rows = 0, cols = 0;
  int64_t row_stride = 0, col_stride = 0;  // in elements
};

// A = P·L·U in place; pivots (min(rows, cols)): row i was exchanged with row pivots[i], counted
// from 1.
int64_t getrf(Kind kind, const Matrix& a, int32_t* pivots);
// B = A⁻¹·B from getrf's result; transpose: 'N' A, 'T' Aᵀ, 'C' Aᴴ.
int64_t getrs(Kind kind, char transpose, const Matrix& lu, const int32_t* pivots, const Matrix& b);
// B = A⁻¹·B, or B·A⁻¹ unless `left`, for a triangular A; only its triangle is read, without the
// diagonal where `unit`.
void trsm(Kind kind, bool left, bool upper, bool unit, const Matrix& a, const Matrix& b);
// A = L·D·Lᵀ, or L·D·Lᴴ where `hermitian`, in place, from the lower triangle; pivots (rows) mark
// the blocks of D as LAPACK does.
int64_t sytrf(Kind kind, bool hermitian, const Matrix& a, int32_t* pivots);
// B = A⁻¹·B from sytrf's result.
int64_t sytrs(Kind kind, bool hermitian, const Matrix& ld, const int32_t* pivots, const Matrix& b);
// A = L·Lᴴ, or Uᴴ·U, in place; the other triangle becomes zero.
int64_t potrf(Kind kind, bool upper, const Matrix& a);
// A = Q·R in place: R above the diagonal, reflectors below; tau (min(rows, cols)) of the kind.
int64_t geqrf(Kind kind, const Matrix& a, void* tau);
// The first cols columns of Q from `reflectors` reflectors, in place (unitary for complex kinds).
int64_t orgqr(Kind kind, const Matrix& a, int64_t reflectors, const void* tau);
// A = U·diag(s)·Vᴴ. job: 'N' values only, 'S' min(rows, cols) vectors, 'A' all; s is
// real.
int64_t gesdd(Kind kind, char job, const Matrix& a, void* s, const Matrix& u, const Matrix& vh);
// Eigenvalues (real, ascending) of a symmetric or Hermitian matrix; with `vectors` A becomes their
// columns.
int64_t syevd(Kind kind, bool vectors, bool upper, const Matrix& a, void* values);
// Eigenvalues of a square matrix; values and, unless null, vectors (columns) are of the complex
// kind.
int64_t geev(Kind kind, const Matrix& a, void* values, const Matrix* vectors);
// Least squares: B (max(rows, cols) of A, right sides) becomes the solution in its first cols rows.
// By singular values, s (min(rows, cols), real): those up to rcond times the largest count as zero;
// or, where s is null, by a QR decomposition whose columns are exchanged, which is quicker: its
// leading triangle of a condition below 1 / rcond counts. A negative rcond stands for the precision.
int64_t least_squares(Kind kind, const Matrix& a, const Matrix& b, void* s, double rcond,
                      int64_t* rank);

}  // namespace kagari::provider
