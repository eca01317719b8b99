// Table of the conversion kernels.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

inline constexpr int kRealDtypes =
    13;  // bool to float64: complex numbers are converted as pairs of reals

struct ConvertTable {
  using Fn = void (*)(void* to, const void* from, int64_t n);
  Fn real[kRealDtypes][kRealDtypes];  // [from][to]
  // By log2 of the element size (1, 2, 4, 8 bytes): as many lines of 64 bytes as a line has
  // elements; rows of `from` become columns of `to`. `stream`: lines of `to` are aligned to 64
  // bytes and may bypass the cache.
  using Transpose = void (*)(char* to, int64_t to_stride, const char* from, int64_t from_stride,
                             bool stream);
  Transpose transpose[4];
};
KG_ISA_TABLE(ConvertTable, convert_table)

}  // namespace kagari
