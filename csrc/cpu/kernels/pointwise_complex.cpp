// The functions of complex numbers that are computed in lanes: real and imaginary parts side by
// side in one vector. Bits are those of the formulas in one number, where those have the function.
#include "cpu/pointwise.h"
#include "cpu/simd/math.h"

namespace kagari::KG_ISA {

namespace {

template <class R>
using V = typename simd::Lanes<R>::type;
template <class R>
using M = typename simd::Lanes<R>::mask;
template <class R>
inline constexpr int kWidth = simd::Lanes<R>::size;

// Lane i is lane pick(i) of a, or, from the width on, of b.
template <class R, class F>
KG_INLINE V<R> shuffle(V<R> a, V<R> b, F pick) {
  M<R> place{};
#pragma GCC unroll 16
  for (int i = 0; i < kWidth<R>; ++i) place[i] = pick(i);
  return __builtin_shuffle(a, b, place);
}
template <class R>
KG_INLINE V<R> reals_twice(V<R> x) {
  return shuffle<R>(x, x, [](int i) { return i & ~1; });
}
template <class R>
KG_INLINE V<R> imaginaries_twice(V<R> x) {
  return shuffle<R>(x, x, [](int i) { return i | 1; });
}
template <class R>
KG_INLINE V<R> swapped(V<R> x) {
  return shuffle<R>(x, x, [](int i) { return i ^ 1; });
}
template <class R>
KG_INLINE V<R> repeated(const void* p) {
  V<R> x{};
  std::memcpy(&x, p, 2 * sizeof(R));
  return shuffle<R>(x, x, [](int i) { return i & 1; });
}

struct Add {
  template <class R>
  static KG_INLINE V<R> of(V<R> a, V<R> b) {
    return a + b;
  }
};
struct Sub {
  template <class R>
  static KG_INLINE V<R> of(V<R> a, V<R> b) {
    return a - b;
  }
};
// (a.re b.re - a.im b.im, a.re b.im + a.im b.re)
struct Mul {
  template <class R>
  static KG_INLINE V<R> of(V<R> a, V<R> b) {
    const V<R> x = reals_twice<R>(a) * b, y = imaginaries_twice<R>(a) * swapped<R>(b);
    return shuffle<R>(x - y, x + y, [](int i) { return i & 1 ? i + kWidth<R> : i; });
  }
};

// A step of zero is one number for all.
template <class R, class F>
void binary(void* out, const void* const* in, const int64_t* step, const void*, int64_t numbers) {
  auto* o = static_cast<R*>(out);
  auto* a = static_cast<const R*>(in[0]);
  auto* b = static_cast<const R*>(in[1]);
  const bool every_a = step[0] != 0, every_b = step[1] != 0;
  const V<R> one_a = repeated<R>(a), one_b = repeated<R>(b);
  const int64_t n = 2 * numbers;
  int64_t i = 0;
  for (; i + kWidth<R> <= n; i += kWidth<R>)
    simd::store(o + i, F::template of<R>(every_a ? simd::load(a + i) : one_a,
                                         every_b ? simd::load(b + i) : one_b));
  if (i < n) {
    const int rest = int(n - i);
    simd::store_partial(o + i,
                        F::template of<R>(every_a ? simd::load_partial(a + i, rest) : one_a,
                                          every_b ? simd::load_partial(b + i, rest) : one_b),
                        rest);
  }
}

struct Abs {
  template <class R>
  static KG_INLINE V<R> of(V<R> re, V<R> im) {
    return simd::hypot(re, im);
  }
};
struct Angle {
  template <class R>
  static KG_INLINE V<R> of(V<R> re, V<R> im) {
    return simd::atan2(im, re);
  }
};

// A real number for each.
template <class R, class F>
void real_part(void* out, const void* const* in, const int64_t* step, const void*,
               int64_t numbers) {
  auto* o = static_cast<R*>(out);
  auto* a = static_cast<const R*>(in[0]);
  const bool every = step[0] != 0;
  const V<R> one = repeated<R>(a);
  for (int64_t i = 0; i < numbers; i += kWidth<R>) {
    const int count = int(numbers - i < kWidth<R> ? numbers - i : kWidth<R>);
    V<R> low = one, high = one;
    if (every && count == kWidth<R>) {
      low = simd::load(a + 2 * i);
      high = simd::load(a + 2 * i + kWidth<R>);
    } else if (every) {
      const int first = 2 * count < kWidth<R> ? 2 * count : kWidth<R>;
      low = simd::load_partial(a + 2 * i, first);
      high = simd::load_partial(a + 2 * i + first, 2 * count - first);
    }
    const V<R> re = shuffle<R>(low, high, [](int k) { return 2 * k; });
    const V<R> im = shuffle<R>(low, high, [](int k) { return 2 * k + 1; });
    const V<R> y = F::template of<R>(re, im);
    if (count == kWidth<R>)
      simd::store(o + i, y);
    else
      simd::store_partial(o + i, y, count);
  }
}

template <class R>
constexpr ComplexSpans spans() {
  return {&binary<R, Add>, &binary<R, Sub>, &binary<R, Mul>, &real_part<R, Abs>,
          &real_part<R, Angle>};
}

}  // namespace

const ComplexSpans complex_f32 = spans<float>();
const ComplexSpans complex_f64 = spans<double>();

}  // namespace kagari::KG_ISA
