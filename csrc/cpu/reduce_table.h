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
inline constexpr int64_t kColumnsPerTask = 256;

// Accumulators: double for floats, int64 for integers and bool, complex<double> for complex, T
// itself for max and min.
struct ReduceTable {
  // One block of a row: n <= kRowBlock contiguous elements; writes one accumulator.
  void (*row)(Fold fold, Dtype dtype, const void* x, int64_t n, double p, void* accumulator);
  // `rows` <= kColumnBlock rows of `columns` <= kColumnsPerTask elements, `stride` elements apart;
  // folds into `columns` accumulators. `p` may be a vector of one parameter per column
  // (square_deviation: the mean), as double or c128.
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
