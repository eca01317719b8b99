// Whether two tensors are equal, and which elements of one occur in another, on the CPU.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>

#include "core/parallel.h"
#include "cpu/lines.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(equal)
KG_DECLARE_ROW(isin)

namespace {

// ---- equality -----------------------------------------------------------------------------------

constexpr int64_t kCompared = 4096;  // elements between two looks at whether all is settled

// NaN equals nothing, itself included.
template <class T>
bool all_equal(const T* a, const T* b, int64_t n) {
  if constexpr (is_complex(dtype_of<T>)) {
    using R = typename T::value_type;
    return all_equal(reinterpret_cast<const R*>(a), reinterpret_cast<const R*>(b), 2 * n);
  } else {
    int differ = 0;
    for (int64_t i = 0; i < n; ++i) differ |= !(a[i] == b[i]);
    return !differ;
  }
}

// Leaves at the first piece that differs, which is often the first of all.
template <class T>
bool all_equal_early(const T* a, const T* b, int64_t n) {
  const int64_t first = std::min(n, kCompared / 16);
  if (!all_equal(a, b, first)) return false;
  const int64_t pieces = (n - first + kCompared - 1) / kCompared;
  std::atomic<bool> same = true;
  parallel_for(0, pieces, 8, [&](int64_t p, int64_t end) {
    for (; p < end && same.load(std::memory_order_relaxed); ++p) {
      const int64_t i = first + p * kCompared;
      if (!all_equal(a + i, b + i, std::min(kCompared, n - i)))
        same.store(false, std::memory_order_relaxed);
    }
  });
  return same;
}

bool equal(const Tensor& x, const Tensor& y) {
  if (!(x.sizes() == y.sizes())) return false;
  const int64_t n = x.numel();
  if (n == 0) return true;
  const Dtype common = promote(x.dtype(), y.dtype());
  const bool alike = x.dtype() == y.dtype(), exact = !is_floating(common) && !is_complex(common);
  if (alike && exact && x.data() == y.data() && x.strides() == y.strides()) return true;
  bool same = false;
  visit(common, [&]<class T>() {
    if (alike && x.strides() == y.strides() &&
        is_non_overlapping_and_dense(x.sizes(), x.strides())) {  // in the order of memory
      same = all_equal_early(x.data_as<const T>(), y.data_as<const T>(), n);
      return;
    }
    const Lines left(x, common), right(y, common);
    same = all_equal_early(left.as<T>(), right.as<T>(), n);
  });
  return same;
}
void equal_cpu(Results& out, const Tensor& x, const Tensor& y) {
  *out[0].data_as<bool>() = equal(x, y);
}

// ---- membership ---------------------------------------------------------------------------------

constexpr int64_t kFew = 10;     // tests that are compared one by one
constexpr int64_t kPiece = 512;  // elements whose marks stay in the nearest cache
constexpr int64_t kTableBytes =
    1 << 21;  // of a mark for each number between the smallest and largest

// A number as bits that are equal where the numbers are; NaN has none.
template <class T>
bool bits_of(T x, uint64_t& bits) {
  if constexpr (is_floating(dtype_of<T>)) {
    using Bits = std::conditional_t<sizeof(T) == 8, uint64_t,
                                    std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;
    bits = x == T(0) ? 0 : std::bit_cast<Bits>(x);
    return x == x;
  } else {
    bits = uint64_t(x);
    return true;
  }
}

// f(the marks' first element, count, marks) in pieces, by several threads.
template <class T, class F>
void each_piece(const T* x, int64_t n, bool* to, F&& f) {
  const int64_t pieces = (n + kPiece - 1) / kPiece;
  parallel_for(0, pieces, 16, [&](int64_t p, int64_t end) {
    for (; p < end; ++p) f(x + p * kPiece, std::min(kPiece, n - p * kPiece), to + p * kPiece);
  });
}

template <class T>
void compare_each(const T* x, int64_t n, const T* tests, int64_t count, bool invert, bool* to) {
  each_piece(x, n, to, [=](const T* from, int64_t some, bool* marks) {
    uint8_t* found = reinterpret_cast<uint8_t*>(marks);
    std::memset(found, 0, size_t(some));
    for (int64_t t = 0; t < count; ++t) {
      const T test = tests[t];
      for (int64_t i = 0; i < some; ++i) found[i] = uint8_t(found[i] | (from[i] == test));
    }
    for (int64_t i = 0; i < some; ++i) found[i] = uint8_t(found[i] ^ uint8_t(invert));
  });
}

// Tests within a short range of integers, or of the bits of 16-bit floats: a table of marks.
template <class T>
void look_up(const T* x, int64_t n, const T* tests, int64_t count, uint64_t low, uint64_t range,
             bool invert, bool* to) {
  Workspace room(range + 1);
  uint8_t* table = room.as<uint8_t>();
  std::memset(table, invert, range + 1);  // the last one is for elements that are out of range
  uint64_t bits;
  for (int64_t t = 0; t < count; ++t)
    if (bits_of(tests[t], bits)) table[bits - low] = !invert;
  each_piece(x, n, to, [=](const T* from, int64_t some, bool* marks) {
    for (int64_t i = 0; i < some; ++i) {
      uint64_t at;
      const bool number = bits_of(from[i], at);
      at -= low;
      marks[i] = table[number && at < range ? at : range];
    }
  });
}

// A set of numbers: open addressing, half empty. Bits of zero have a mark of their own.
class NumberSet {
 public:
  explicit NumberSet(int64_t count)
      : shift_(64 - std::bit_width(uint64_t(2 * count - 1))),
        mask_((uint64_t(1) << (64 - shift_)) - 1),
        room_((mask_ + 1) * sizeof(uint64_t)),
        slot_(room_.as<uint64_t>()) {
    std::memset(slot_, 0, (mask_ + 1) * sizeof(uint64_t));
  }
  void add(uint64_t bits) {
    if (bits == 0) {
      zero_ = true;
      return;
    }
    uint64_t at = place(bits);
    while (slot_[at] != 0 && slot_[at] != bits) at = (at + 1) & mask_;
    slot_[at] = bits;
  }
  bool has(uint64_t bits) const {
    if (bits == 0) return zero_;
    uint64_t at = place(bits);
    while (slot_[at] != 0 && slot_[at] != bits) at = (at + 1) & mask_;
    return slot_[at] == bits;
  }

 private:
  uint64_t place(uint64_t bits) const {
    bits ^= bits >> 32;  // the high bits of floats that are whole numbers
    return bits * 0x9e3779b97f4a7c15u >> shift_;
  }
  int shift_;
  uint64_t mask_;
  Workspace room_;
  uint64_t* slot_;
  bool zero_ = false;
};

template <class T>
void find_in_set(const T* x, int64_t n, const T* tests, int64_t count, bool invert, bool* to) {
  NumberSet set(count);
  uint64_t bits;
  for (int64_t t = 0; t < count; ++t)
    if (bits_of(tests[t], bits)) set.add(bits);
  each_piece(x, n, to, [&](const T* from, int64_t some, bool* marks) {
    for (int64_t i = 0; i < some; ++i) {
      uint64_t at;
      marks[i] = (bits_of(from[i], at) && set.has(at)) != invert;
    }
  });
}

template <class T>
void mark_members(const T* x, int64_t n, const T* tests, int64_t count, bool invert, bool* to) {
  if (count <= kFew) return compare_each(x, n, tests, count, invert, to);
  uint64_t low = 0, range = 0;  // no range: as wide as it gets
  if constexpr (sizeof(T) <= 2) {
    low = std::is_signed_v<T> ? uint64_t(std::numeric_limits<T>::min()) : 0;
    range = uint64_t(1) << (8 * sizeof(T));
  } else if constexpr (std::is_integral_v<T>) {
    const auto [least, most] = std::minmax_element(tests, tests + count);
    low = uint64_t(*least);
    range = uint64_t(*most) - low + 1;  // 0 where all of 64 bits are spanned
  }
  const uint64_t worth = uint64_t(std::min(kTableBytes, 8 * (n + count) + 1024));
  if (range != 0 && range <= worth)
    look_up(x, n, tests, count, low, range, invert, to);
  else
    find_in_set(x, n, tests, count, invert, to);
}

void isin_cpu(Results& out, const Tensor& x, const Tensor& tests, bool invert) {
  const int64_t n = x.numel();
  if (n == 0) return;
  const Lines elements(x), others(tests);
  visit(x.dtype(), [&]<class T>() {
    if constexpr (!is_complex(dtype_of<T>) && !std::is_same_v<T, bool>)
      mark_members(elements.as<T>(), n, others.as<T>(), tests.numel(), invert,
                   out[0].data_as<bool>());
  });
}

}  // namespace

KG_KERNEL(equal, cpu, equal_cpu)
KG_KERNEL(isin, cpu, isin_cpu)

}  // namespace kagari
