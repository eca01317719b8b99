// What the provider's test programs share: random operands, counted checks, reference arithmetic.
#pragma once

#include <complex>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "core/dtype.h"
#include "core/parallel.h"
#include "cpu/provider/gemm.h"

namespace kagari::test {

inline int failures = 0;
inline int64_t checks = 0;

#define EXPECT(condition, ...)                                          \
  do {                                                                  \
    ++::kagari::test::checks;                                           \
    if (!(condition) && ++::kagari::test::failures <= 20) {             \
      std::printf("FAILED %s:%d %s: ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                         \
      std::printf("\n");                                                \
    }                                                                   \
  } while (0)

inline int report(const char* program) {
  std::printf("%s: %lld checks, %d failed\n", program, (long long)checks, failures);
  return failures ? 1 : 0;
}

inline std::mt19937& rng() {
  static std::mt19937 engine(20);
  return engine;
}
inline int64_t below(int64_t n) { return int64_t(rng()() % uint64_t(n)); }
inline double unit() { return double(rng()()) / 4294967296.0 - 0.5; }

template <class T>
constexpr bool is_complex_v = std::is_same_v<T, c64> || std::is_same_v<T, c128>;

template <class T>
T random_element() {
  if constexpr (is_complex_v<T>)
    return T(typename T::value_type(unit()), typename T::value_type(unit()));
  else if constexpr (std::is_integral_v<T>)
    return T(rng()() ^ (uint64_t(rng()()) << 32));
  else
    return T(float(unit()));
}
template <class T>
std::vector<T> random_vector(int64_t n) {
  std::vector<T> v(static_cast<size_t>(n));
  for (T& x : v) x = random_element<T>();
  return v;
}

// Where references are summed, and the relative error a chain of one rounding per step may leave.
template <class T>
struct Wide {
  using type = double;
};
template <>
struct Wide<c64> {
  using type = c128;
};
template <>
struct Wide<c128> {
  using type = c128;
};
template <>
struct Wide<double> {
  using type = long double;
};
template <class T>
constexpr double kEps = std::is_same_v<T, bf16>                              ? 1.0 / 256
                        : std::is_same_v<T, f16>                             ? 1.0 / 2048
                        : std::is_same_v<T, float> || std::is_same_v<T, c64> ? 1.2e-7
                                                                             : 2.3e-16;

template <class T>
typename Wide<T>::type widen(T x) {
  if constexpr (is_complex_v<T> || std::is_arithmetic_v<T>)
    return typename Wide<T>::type(x);
  else
    return double(float(x));
}

template <class T>
constexpr provider::Kind kind_of() {
  using provider::Kind;
  if constexpr (std::is_same_v<T, uint8_t>)
    return Kind::u8;
  else if constexpr (std::is_same_v<T, int8_t>)
    return Kind::i8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return Kind::i16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return Kind::i32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return Kind::i64;
  else if constexpr (std::is_same_v<T, f16>)
    return Kind::f16;
  else if constexpr (std::is_same_v<T, bf16>)
    return Kind::bf16;
  else if constexpr (std::is_same_v<T, float>)
    return Kind::f32;
  else if constexpr (std::is_same_v<T, double>)
    return Kind::f64;
  else if constexpr (std::is_same_v<T, c64>)
    return Kind::c64;
  else
    return Kind::c128;
}

}  // namespace kagari::test
