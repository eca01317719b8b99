// The contract between reductions (cpu/reduce.cpp) and their loops (cpu/kernels/reduce.cpp).
//
// A reduction works on [outer, n, inner], contiguous, and makes [outer, inner]. Laws of bits: n is
// cut into blocks of fixed size, each block is folded in a fixed order, and block results are
// folded left to right in the accumulator's type; neither threads nor the other rows have a say in
// it.
#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "cpu/isa.h"

namespace kagari {

enum class Fold : uint8_t {
  sum,
  prod,
  max,
  min,
  any,
  all,
  sum_abs,
  sum_squares,
  sum_abs_pow,
  nonzero,
  max_abs,
  min_abs,
  square_deviation
};

inline constexpr int64_t kRowBlock =
    4096;  // elements folded in lanes before the accumulator takes over
inline constexpr int64_t kColumnBlock =
    128;  // rows folded per column before the accumulator takes over
inline constexpr int64_t kColumnsPerTask =
    2048;                                 // whole pages of a row: memory is read in its order
inline constexpr int64_t kShortRow = 64;  // rows up to this length are folded in batches

// The dtype that a fold's loops are made for: halves are folded as float32, and small integers as int64 where
// lanes of int64 would hold them anyway. The caller widens the elements, which changes no bit.
constexpr Dtype folds_as(Fold fold, Dtype dtype) {
  if (dtype == Dtype::f16 || dtype == Dtype::bf16) return Dtype::f32;
  const bool integer = !is_floating(dtype) && !is_complex(dtype);
  if (!integer || fold == Fold::max || fold == Fold::min) return dtype;
  if (dtype == Dtype::u64) return Dtype::i64;  // sums and products wrap alike
  if (fold == Fold::sum || (dtype == Dtype::boolean && fold != Fold::prod)) return dtype;
  return Dtype::i64;
}

// Accumulators: double for floats, int64 for integers and bool, complex<double> for complex, T
// itself for max and min.
struct ReduceTable {
  // `count` rows of n <= kRowBlock contiguous elements, `stride` elements apart, into as many
  // accumulators. `p`: a parameter for each row.
  void (*rows)(Fold fold, Dtype dtype, const void* x, int64_t count, int64_t n, int64_t stride,
               const double* p, void* accumulators);
  // `rows` <= kColumnBlock rows of `columns` <= kColumnsPerTask elements, `stride` elements apart;
  // folds into `columns` accumulators. `p` has a parameter for each column (square_deviation: the
  // mean).
  void (*columns)(Fold fold, Dtype dtype, const void* x, int64_t rows, int64_t columns,
                  int64_t stride, const double* p, void* accumulators);
  // Index of the first extreme element (NaN counts as extreme) of a row of any length, and its
  // value.
  int64_t (*arg_row)(bool max, Dtype dtype, const void* x, int64_t n, void* value);
  void (*arg_columns)(bool max, Dtype dtype, const void* x, int64_t n, int64_t columns,
                      int64_t stride, void* values, int64_t* indices);
};

KG_ISA_TABLE(ReduceTable, reduce_table)

}  // namespace kagari
