// Sorting on the CPU: elements as unsigned keys in the order of values, paired with where they
// stand.
//
// A stable order of (key, position) is unique, so sorts and selections give the same result however
// the work is divided.
#pragma once
#include <bit>
#include <limits>
#include <type_traits>

#include "core/dtype.h"
#include "core/storage.h"

namespace kagari {

// Keys compare as the values do: -0 equals 0, and every NaN is the largest key.
template <class T>
struct Order {
  static constexpr int kBits = int(sizeof(T)) * 8;
  using Key = std::conditional_t<
      sizeof(T) == 1, uint8_t,
      std::conditional_t<sizeof(T) == 2, uint16_t,
                         std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;
  static constexpr Key kSign = Key(Key(1) << (kBits - 1)), kAll = Key(~Key(0));
  static constexpr bool kFloat = is_floating(dtype_of<T>);
  static constexpr Key kInfinity = Key(kBits == 64                  ? 0x7ff0000000000000u
                                       : kBits == 32                ? 0x7f800000u
                                       : dtype_of<T> == Dtype::bf16 ? 0x7f80u
                                                                    : 0x7c00u);

  static Key key(T x) {
    Key b = std::bit_cast<Key>(x);
    if constexpr (kFloat) {
      Key magnitude = Key(b & ~kSign);
      Key k = b & kSign ? Key(kSign - magnitude) : Key(kSign + magnitude);
      return magnitude > kInfinity ? kAll : k;
    } else {
      return std::is_signed_v<T> ? Key(b ^ kSign) : b;
    }
  }
  static constexpr bool nan(Key k) { return kFloat && k == kAll; }
  // Whether the key alone tells the element's bits.
  static bool exact(Key k) { return !kFloat || (k != kSign && k != kAll); }
  static T value(Key k) {
    if constexpr (kFloat) {
      return std::bit_cast<T>(k < kSign ? Key((kSign - k) | kSign) : Key(k - kSign));
    } else {
      return std::bit_cast<T>(std::is_signed_v<T> ? Key(k ^ kSign) : k);
    }
  }
};

// Short keys share a word with the position; long ones stand beside it.
using Packed = uint64_t;
struct Wide {
  uint64_t key;
  int64_t place;
  bool operator<(const Wide& o) const { return key < o.key || (key == o.key && place < o.place); }
};
inline uint64_t key_of(Packed e) { return e >> 32; }
inline int64_t place_of(Packed e) { return int64_t(e & 0xffffffffu); }
inline uint64_t key_of(const Wide& e) { return e.key; }
inline int64_t place_of(const Wide& e) { return e.place; }
template <class E>
E entry(uint64_t key, int64_t place) {
  if constexpr (std::is_same_v<E, Packed>)
    return key << 32 | uint64_t(place);
  else
    return {key, place};
}

// Sorts n entries that stand in the order of their places; `room` is as long. The result lies in
// one of the two. `bits`: length of the keys.
template <class E>
E* sort_entries(E* a, E* room, int64_t n, int bits);

// f.operator()<E>() with the entry that fits elements of T in lines of n.
template <class T, class F>
decltype(auto) with_entry(int64_t n, F&& f) {
  if constexpr (sizeof(T) <= 4) {
    if (n <= std::numeric_limits<uint32_t>::max()) return f.template operator()<Packed>();
  }
  return f.template operator()<Wide>();
}

// visit() over the dtypes that have an order.
template <class F>
void visit_ordered(Dtype d, F&& f) {
  visit(d, [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>)) f.template operator()<T>();
  });
}

}  // namespace kagari
