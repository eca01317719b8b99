// The sum of a vector's lanes, for sums that run in several vectors.
#pragma once
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {

// Adds the lanes of a vector in double, neighbours at half the distance each time.
template <class T>
KG_INLINE double lanes_in_double(typename simd::Lanes<T>::type v) {
  constexpr int size = simd::Lanes<T>::size;
  double d[size];
#pragma GCC unroll 16
  for (int k = 0; k < size; ++k) d[k] = double(v[k]);
#pragma GCC unroll 4
  for (int step = size / 2; step; step /= 2)
#pragma GCC unroll 8
    for (int k = 0; k < step; ++k) d[k] += d[k + step];
  return d[0];
}

}  // namespace kagari::KG_ISA
