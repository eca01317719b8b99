// The contract between the fused row-wise ops (softmax, norms) and their loops over rows of n
// contiguous numbers, float or double. A row's bits never depend on other rows or on threads.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

inline constexpr int64_t kRowsTogether = 4;
inline constexpr int64_t kColumnsTogether = 32;

template <class T>
struct RowLoops {
  // y = exp(x - max) / sum, or with log: x - max - log(sum). Returns log(sum) + max.
  double (*softmax)(const T* x, T* y, int64_t n, bool log);
  double (*log_sum_exp)(const T* x, int64_t n);
  // y = exp(x - lse) * scale
  void (*scaled_softmax)(const T* x, T* y, int64_t n, double lse, double scale);
  // dx = y * (g - sum(g * y)), or with log: g - exp(y) * sum(g).
  void (*softmax_backward)(const T* g, const T* y, T* dx, int64_t n, bool log);
  // The same for up to kColumnsTogether columns of n numbers, with the bits of rows. Columns lie side
  // by side, their numbers x_step or y_step apart; t has room for n * kColumnsTogether numbers, and
  // may be x or y if that is their step.
  void (*softmax_columns)(const T* x, int64_t x_step, T* y, int64_t y_step, T* t, int64_t n,
                          int64_t columns, bool log);
  // steps: of g, y and dx. t, u: room as above, for g and y.
  void (*softmax_backward_columns)(const T* g, const T* y, T* dx, const int64_t* steps, T* t, T* u,
                                   int64_t n, int64_t columns, bool log);
  // Mean and 1 / sqrt(variance + eps) of a row (rms: mean is taken as zero). Here and below `rows`
  // counts rows that lie one after the other, at most kRowsTogether: each is computed by itself,
  // but their sums, square roots and divisions need not wait for each other.
  void (*moments)(const T* x, int64_t rows, int64_t n, double eps, bool rms, double* mean,
                  double* rstd);
  // y = (x - mean) * rstd * w + b; w and b may be null.
  void (*normalize)(const T* x, T* y, int64_t n, double mean, double rstd, const T* w, const T* b);
  // dx = rstd * (h - mean(h) - xhat * mean(h * xhat)) with h = g * w and xhat = (x - mean) * rstd
  // (rms: without mean(h)).
  void (*normalize_backward)(const T* g, const T* x, T* dx, int64_t rows, int64_t n,
                             const double* mean, const double* rstd, const T* w, bool rms);
  // dw += g * xhat, db += g, row after row; either may be null.
  void (*normalize_weights)(const T* g, const T* x, int64_t rows, int64_t n, const double* mean,
                            const double* rstd, T* dw, T* db);
  // The same with one weight for the whole row (channels of batch and group norm): sums of g and of
  // g * xhat.
  void (*normalize_sums)(const T* g, const T* x, int64_t n, double mean, double rstd, double* sum_g,
                         double* sum_gx);
  // Columns: n numbers of each of `rows` rows that are n_all apart. `to` gets n sums of x, or of
  // (x - mean)^2 where there is a mean.
  void (*column_moments)(const T* x, int64_t rows, int64_t n, int64_t n_all, const T* mean,
                         double* to);
  // The sums of g and of g * xhat.
  void (*column_sums)(const T* g, const T* x, int64_t rows, int64_t n, int64_t n_all, const T* mean,
                      const T* rstd, double* sum_g, double* sum_gx);
  // dx = g * a + x * b + c with numbers of each column
  void (*affine_columns)(const T* g, const T* x, T* dx, int64_t n, const T* a, const T* b,
                         const T* c);
  // y = x * a + c
  void (*affine)(const T* x, T* y, int64_t n, T a, T c);
  // dx = g * a + x * b + c
  void (*affine_of_two)(const T* g, const T* x, T* dx, int64_t n, T a, T b, T c);
  // The sums of x * y, x * x and y * y.
  void (*dots)(const T* x, const T* y, int64_t n, double* sums);
  // The sum of squares of x - y + eps.
  double (*squared_distance)(const T* x, const T* y, int64_t n, T eps);
  // dx = (x - y + eps) * a
  void (*scaled_difference)(const T* x, const T* y, T* dx, int64_t n, T eps, T a);
};

struct RowsTable {
  RowLoops<float> f32;
  RowLoops<double> f64;
};

KG_ISA_TABLE(RowsTable, rows_table)

}  // namespace kagari
