// Table of the conversion kernels.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

inline constexpr int kRealDtypes = 13;  // bool to float64: complex numbers are converted as pairs of reals

struct ConvertTable {
  using Fn = void (*)(void* to, const void* from, int64_t n);
  Fn real[kRealDtypes][kRealDtypes];  // [from][to]
  // A square of 64 bytes by 64 bytes of 4- and 8-byte elements: rows of `from` become columns of `to`; strides in bytes.
  // `stream`: rows of `to` are aligned to 64 bytes and bypass the cache.
  void (*transpose4)(char* to, int64_t to_stride, const char* from, int64_t from_stride, bool stream);
  void (*transpose8)(char* to, int64_t to_stride, const char* from, int64_t from_stride, bool stream);
};
KG_ISA_TABLE(ConvertTable, convert_table)

}  // namespace kagari
