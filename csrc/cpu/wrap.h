// Sums and products of elements: integers wrap around, which C++ leaves undefined for signed ones.
// Always inlined, since every instruction set has its own.
#pragma once
#include <cstdint>
#include <type_traits>

namespace kagari {

template <class T>
inline __attribute__((always_inline)) T wrap_add(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return T(uint64_t(a) + uint64_t(b));
  else
    return a + b;
}
template <class T>
inline __attribute__((always_inline)) T wrap_mul(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return T(uint64_t(a) * uint64_t(b));
  else
    return a * b;
}

}  // namespace kagari
