// Loops of Fourier transforms. The passes are Stockham's: every pass reads and writes whole vectors,
// and the result comes out in order. Real and imaginary parts lie in vectors of their own.
#include <utility>

#include "cpu/fft_table.h"
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {
namespace {

// Vectors of 32 bytes at most: eight lines of a block side by side fill a cache line, and a line by
// itself starts with radix 8.
constexpr int kWide = KG_SIMD_BYTES < 32 ? KG_SIMD_BYTES : 32;
template <class T>
constexpr int W = kWide / int(sizeof(T));
using WideFloat = float __attribute__((vector_size(kWide)));
using WideDouble = double __attribute__((vector_size(kWide)));
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, WideFloat, WideDouble>;
template <class V>
using NumberOf =
    std::conditional_t<std::is_arithmetic_v<V>, V,
                       std::conditional_t<std::is_same_v<V, WideFloat>, float, double>>;

template <class T>
KG_INLINE Wide<T> get(const T* p) {
  Wide<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
KG_INLINE void put(T* p, Wide<T> v) {
  std::memcpy(p, &v, sizeof v);
}
template <class V>
KG_INLINE V fill(NumberOf<V> x) {
  if constexpr (std::is_arithmetic_v<V>)
    return x;
  else
    return x - V{};
}

// With one rounding where the instruction set has it, for vectors and single numbers alike.
template <class V>
KG_INLINE V fma(V a, V b, V c) {
#if KG_SIMD_AVX2 || KG_SIMD_AVX512
  if constexpr (std::is_same_v<V, WideFloat>)
    return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
  else if constexpr (std::is_same_v<V, WideDouble>)
    return (V)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
  else
    return simd::fma(a, b, c);
#else
  return a * b + c;
#endif
}

// A vector of complex numbers, or one.
template <class V>
struct Cx {
  V r, i;
};
template <class V>
KG_INLINE Cx<V> operator+(Cx<V> a, Cx<V> b) {
  return {a.r + b.r, a.i + b.i};
}
template <class V>
KG_INLINE Cx<V> operator-(Cx<V> a, Cx<V> b) {
  return {a.r - b.r, a.i - b.i};
}
template <class V>
KG_INLINE Cx<V> operator*(Cx<V> a, Cx<V> w) {
  return {fma<V>(a.r, w.r, -(a.i * w.i)), fma<V>(a.r, w.i, a.i * w.r)};
}
template <class V>
KG_INLINE Cx<V> times_minus_i(Cx<V> a) {
  return {a.i, -a.r};
}
template <class V>
KG_INLINE Cx<V> swapped(Cx<V> a) {
  return {a.i, a.r};
}
template <class V>
KG_INLINE Cx<V> number(const NumberOf<V>* w) {
  return {fill<V>(w[0]), fill<V>(w[1])};
}

// ---- memory -------------------------------------------------------------------------------------

template <class V, std::size_t... I>
KG_INLINE V evens(V a, V b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, int(2 * I)...);
}
template <class V, std::size_t... I>
KG_INLINE V odds(V a, V b, std::index_sequence<I...>) {
  return __builtin_shufflevector(a, b, int(2 * I + 1)...);
}
template <class V, std::size_t... I>
KG_INLINE V zip_low(V a, V b, std::index_sequence<I...>) {
  constexpr int n = int(sizeof...(I));
  return __builtin_shufflevector(a, b, (int(I % 2) * n + int(I / 2))...);
}
template <class V, std::size_t... I>
KG_INLINE V zip_high(V a, V b, std::index_sequence<I...>) {
  constexpr int n = int(sizeof...(I));
  return __builtin_shufflevector(a, b, (int(I % 2) * n + int(I / 2) + n / 2)...);
}
template <class V, std::size_t... I>
KG_INLINE V turned(V a, std::index_sequence<I...>) {
  constexpr int n = int(sizeof...(I));
  return __builtin_shufflevector(a, a, (n - 1 - int(I))...);
}
template <class T>
using Places = std::make_index_sequence<std::size_t(W<T>)>;

// As many neighbouring complex numbers as a vector has lanes.
template <class T>
KG_INLINE Cx<Wide<T>> get_pairs(const T* p) {
  using V = Wide<T>;
  V a = get(p), b = get(p + W<T>);
#if KG_SIMD_AVX2 || KG_SIMD_AVX512
  if constexpr (sizeof(T) == 4) {
    __m256 x = _mm256_permute2f128_ps((__m256)a, (__m256)b, 0x20);
    __m256 y = _mm256_permute2f128_ps((__m256)a, (__m256)b, 0x31);
    return {(V)_mm256_shuffle_ps(x, y, 0x88), (V)_mm256_shuffle_ps(x, y, 0xdd)};
  } else {
    __m256d x = _mm256_permute2f128_pd((__m256d)a, (__m256d)b, 0x20);
    __m256d y = _mm256_permute2f128_pd((__m256d)a, (__m256d)b, 0x31);
    return {(V)_mm256_unpacklo_pd(x, y), (V)_mm256_unpackhi_pd(x, y)};
  }
#else
  return {evens(a, b, Places<T>{}), odds(a, b, Places<T>{})};
#endif
}
template <class T>
KG_INLINE void put_pairs(T* p, Cx<Wide<T>> c) {
#if KG_SIMD_AVX2 || KG_SIMD_AVX512
  using V = Wide<T>;
  if constexpr (sizeof(T) == 4) {
    __m256 x = _mm256_unpacklo_ps((__m256)c.r, (__m256)c.i);
    __m256 y = _mm256_unpackhi_ps((__m256)c.r, (__m256)c.i);
    put(p, (V)_mm256_permute2f128_ps(x, y, 0x20));
    put(p + W<T>, (V)_mm256_permute2f128_ps(x, y, 0x31));
  } else {
    __m256d x = _mm256_unpacklo_pd((__m256d)c.r, (__m256d)c.i);
    __m256d y = _mm256_unpackhi_pd((__m256d)c.r, (__m256d)c.i);
    put(p, (V)_mm256_permute2f128_pd(x, y, 0x20));
    put(p + W<T>, (V)_mm256_permute2f128_pd(x, y, 0x31));
  }
#else
  put(p, zip_low(c.r, c.i, Places<T>{}));
  put(p + W<T>, zip_high(c.r, c.i, Places<T>{}));
#endif
}
template <class T>
KG_INLINE Cx<Wide<T>> turned(Cx<Wide<T>> c) {
  return {turned(c.r, Places<T>{}), turned(c.i, Places<T>{})};
}

// A square of one vector's width.
template <class T>
KG_INLINE void transpose(Wide<T>* r) {
  using V = Wide<T>;
  constexpr int n = W<T>;
#if KG_SIMD_AVX2 || KG_SIMD_AVX512
  if constexpr (sizeof(T) == 4) {
    __m256 s[8], t[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      s[i] = _mm256_unpacklo_ps((__m256)r[i], (__m256)r[i + 1]);
      s[i + 1] = _mm256_unpackhi_ps((__m256)r[i], (__m256)r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
      t[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
      t[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xee);
      t[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
      t[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      r[i] = (V)_mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
      r[i + 4] = (V)_mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
    }
    return;
  }
#endif
#pragma GCC unroll 4
  for (int step = 1; step < n; step *= 2) {
    V s[n];
#pragma GCC unroll 4
    for (int i = 0; i < n / 2; ++i) {
      s[2 * i] = zip_low(r[i], r[i + n / 2], Places<T>{});
      s[2 * i + 1] = zip_high(r[i], r[i + n / 2], Places<T>{});
    }
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i) r[i] = s[i];
  }
}

// Where passes read from and write to: units in a buffer, or complex numbers where the user has
// them, side by side in each element.
template <class T>
struct Units {
  T* p;
  KG_INLINE Cx<Wide<T>> operator()(int64_t j) const {
    const T* at = p + j * 2 * W<T>;
    return {get(at), get(at + W<T>)};
  }
  KG_INLINE void operator()(int64_t j, Cx<Wide<T>> c) const {
    T* at = p + j * 2 * W<T>;
    put(at, c.r);
    put(at + W<T>, c.i);
  }
};
template <class T, bool swap>
struct From {
  const T* p;
  int64_t step;
  KG_INLINE Cx<Wide<T>> operator()(int64_t j) const {
    Cx<Wide<T>> c = get_pairs(p + j * step);
    return swap ? swapped(c) : c;
  }
};
template <class T, bool swap>
struct Into {
  T* p;
  int64_t step;
  T scale;
  KG_INLINE void operator()(int64_t j, Cx<Wide<T>> c) const {
    Wide<T> by = fill<Wide<T>>(scale);
    c = {c.r * by, c.i * by};
    put_pairs(p + j * step, swap ? swapped(c) : c);
  }
};

// ---- butterflies --------------------------------------------------------------------------------

template <class V>
KG_INLINE void butterfly4(Cx<V>& a, Cx<V>& b, Cx<V>& c, Cx<V>& d) {
  Cx<V> s = a + c, t = a - c, u = b + d, v = times_minus_i(b - d);
  a = s + u;
  b = t + v;
  c = s - u;
  d = t - v;
}

template <int R, class T, class V>
KG_INLINE void butterfly(Cx<V>* x, const T* roots) {
  if constexpr (R == 2) {
    Cx<V> a = x[0];
    x[0] = a + x[1];
    x[1] = a - x[1];
  } else if constexpr (R == 4) {
    butterfly4(x[0], x[1], x[2], x[3]);
  } else if constexpr (R == 8) {
    Cx<V> a0 = x[0], a1 = x[2], a2 = x[4], a3 = x[6], b0 = x[1], b1 = x[3], b2 = x[5], b3 = x[7];
    butterfly4(a0, a1, a2, a3);
    butterfly4(b0, b1, b2, b3);
    const V c = fill<V>(T(0.70710678118654752440));
    Cx<V> d1{b1.r + b1.i, b1.i - b1.r}, d3{b3.i - b3.r, b3.r + b3.i};
    x[0] = a0 + b0;
    x[4] = a0 - b0;
    x[1] = {fma<V>(c, d1.r, a1.r), fma<V>(c, d1.i, a1.i)};
    x[5] = {fma<V>(-c, d1.r, a1.r), fma<V>(-c, d1.i, a1.i)};
    x[2] = {a2.r + b2.i, a2.i - b2.r};
    x[6] = {a2.r - b2.i, a2.i + b2.r};
    x[3] = {fma<V>(c, d3.r, a3.r), fma<V>(-c, d3.i, a3.i)};
    x[7] = {fma<V>(-c, d3.r, a3.r), fma<V>(c, d3.i, a3.i)};
  } else {
    // Sums and differences of x[j] and x[R - j] meet the cosines and the sines.
    constexpr int h = (R - 1) / 2;
    Cx<V> s[h], d[h], x0 = x[0], total = x0;
#pragma GCC unroll 8
    for (int j = 0; j < h; ++j) {
      s[j] = x[j + 1] + x[R - 1 - j];
      d[j] = x[j + 1] - x[R - 1 - j];
      total = total + s[j];
    }
    x[0] = total;
#pragma GCC unroll 8
    for (int k = 1; k <= h; ++k) {
      Cx<V> w = number<V>(roots + 2 * k);
      Cx<V> a{fma<V>(w.r, s[0].r, x0.r), fma<V>(w.r, s[0].i, x0.i)};
      Cx<V> b{w.i * d[0].r, w.i * d[0].i};
#pragma GCC unroll 8
      for (int j = 2; j <= h; ++j) {
        w = number<V>(roots + 2 * (j * k % R));
        a = {fma<V>(w.r, s[j - 1].r, a.r), fma<V>(w.r, s[j - 1].i, a.i)};
        b = {fma<V>(w.i, d[j - 1].r, b.r), fma<V>(w.i, d[j - 1].i, b.i)};
      }
      x[k] = {a.r + b.i, a.i - b.r};
      x[R - k] = {a.r - b.i, a.i + b.r};
    }
  }
}

// ---- passes -------------------------------------------------------------------------------------

// y[q + s (R p + k)] = w^(p k) sum over j of x[q + s (p + m j)] exp(-2 pi i j k / R); s in units.
template <int R, class T, class In, class Out>
__attribute__((noinline)) void pass(const FftPass<T>& at, int64_t s, In x, Out y) {
  using V = Wide<T>;
  const int64_t m = at.m, far = s * m;
  const T* roots = at.roots;
  if (m == 1) {
    for (int64_t q = 0; q < s; ++q) {
      Cx<V> v[R];
#pragma GCC unroll 16
      for (int k = 0; k < R; ++k) v[k] = x(q + s * k);
      butterfly<R, T>(v, roots);
#pragma GCC unroll 16
      for (int k = 0; k < R; ++k) y(q + s * k, v[k]);
    }
    return;
  }
  for (int64_t p = 0; p < m; ++p) {
    const T* w = at.twiddles + 2 * (R - 1) * p;
    for (int64_t q = 0; q < s; ++q) {
      Cx<V> v[R];
#pragma GCC unroll 16
      for (int k = 0; k < R; ++k) v[k] = x(q + s * p + far * k);
      butterfly<R, T>(v, roots);
      y(q + s * R * p, v[0]);
#pragma GCC unroll 16
      for (int k = 1; k < R; ++k) y(q + s * (R * p + k), v[k] * number<V>(w + 2 * (k - 1)));
    }
  }
}
constexpr int kSumLength = 12;

// The same for the odd primes that have no function of their own: two results and their partners at
// a time, so that sums and differences are read half as often.
template <class T>
__attribute__((noinline)) void pass_odd(const FftPass<T>& at, int64_t s, Units<T> x, Units<T> y) {
  using V = Wide<T>;
  const int radix = int(at.radix), h = (radix - 1) / 2;
  const int64_t m = at.m;
  Cx<V> sum[kFftMaxRadix / 2], difference[kFftMaxRadix / 2];
  for (int64_t p = 0; p < m; ++p) {
    const T* w = at.twiddles + 2 * (radix - 1) * p;
    for (int64_t q = 0; q < s; ++q) {
      const Cx<V> x0 = x(q + s * p);
      Cx<V> total = x0;
      for (int j = 0; j < h; ++j) {
        Cx<V> a = x(q + s * (p + m * (j + 1))), b = x(q + s * (p + m * (radix - 1 - j)));
        sum[j] = a + b;
        difference[j] = a - b;
        total = total + sum[j];
      }
      auto put_at = [&](int k, Cx<V> v) {
        y(q + s * (radix * p + k), m == 1 ? v : v * number<V>(w + 2 * (k - 1)));
      };
      auto results = [&]<int count>(int k) {
        Cx<V> a[count], b[count];
        int turn[count];
        for (int i = 0; i < count; ++i) {
          a[i] = x0;
          b[i] = Cx<V>{};
          turn[i] = 0;
        }
        // In short sums, which are then added: rounding errors grow with their length.
        for (int begin = 0; begin < h; begin += kSumLength) {
          const int end = begin + kSumLength < h ? begin + kSumLength : h;
          Cx<V> c[count], d[count];
          for (int i = 0; i < count; ++i) c[i] = d[i] = Cx<V>{};
          for (int j = begin; j < end; ++j)
#pragma GCC unroll 2
            for (int i = 0; i < count; ++i) {
              turn[i] += k + i;
              turn[i] -= turn[i] >= radix ? radix : 0;
              Cx<V> root = number<V>(at.roots + 2 * turn[i]);
              c[i] = {fma<V>(root.r, sum[j].r, c[i].r), fma<V>(root.r, sum[j].i, c[i].i)};
              d[i] = {fma<V>(root.i, difference[j].r, d[i].r),
                      fma<V>(root.i, difference[j].i, d[i].i)};
            }
          for (int i = 0; i < count; ++i) {
            a[i] = a[i] + c[i];
            b[i] = b[i] + d[i];
          }
        }
        for (int i = 0; i < count; ++i) {
          put_at(k + i, {a[i].r + b[i].i, a[i].i - b[i].r});
          put_at(radix - k - i, {a[i].r - b[i].i, a[i].i + b[i].r});
        }
      };
      y(q + s * radix * p, total);
      int k = 1;
      for (; k < h; k += 2) results.template operator()<2>(k);
      if (k == h) results.template operator()<1>(k);
    }
  }
}

template <class T>
void any_pass(const FftPass<T>& at, int64_t s, Units<T> x, Units<T> y) {
  switch (at.radix) {
    case 2:
      return pass<2, T>(at, s, x, y);
    case 3:
      return pass<3, T>(at, s, x, y);
    case 4:
      return pass<4, T>(at, s, x, y);
    case 5:
      return pass<5, T>(at, s, x, y);
    case 7:
      return pass<7, T>(at, s, x, y);
    case 8:
      return pass<8, T>(at, s, x, y);
    case 11:
      return pass<11, T>(at, s, x, y);
    case 13:
      return pass<13, T>(at, s, x, y);
    default:
      return pass_odd<T>(at, s, x, y);
  }
}
// From or to the user's memory: the radices that plans put first and last where they can.
constexpr bool starts(int64_t radix) { return radix == 8 || radix == 4; }
constexpr bool ends(int64_t radix) { return starts(radix) || radix == 2; }
template <class T, class In>
void first_from(const FftPass<T>& at, int64_t s, In x, Units<T> y) {
  at.radix == 8 ? pass<8, T>(at, s, x, y) : pass<4, T>(at, s, x, y);
}
template <class T, class Out>
void last_into(const FftPass<T>& at, int64_t s, Units<T> x, Out y) {
  if (at.radix == 8)
    pass<8, T>(at, s, x, y);
  else if (at.radix == 4)
    pass<4, T>(at, s, x, y);
  else
    pass<2, T>(at, s, x, y);
}

// Passes first to last in turn between two buffers; where the result lies.
template <class T>
T* run_passes(const FftPlan<T>& plan, int first, int last, int64_t lanes, T* from, T* to) {
  for (int i = first; i < last; ++i) {
    any_pass<T>(plan.passes[i], plan.passes[i].s / lanes, Units<T>{from}, Units<T>{to});
    std::swap(from, to);
  }
  return from;
}

// ---- one line by itself -------------------------------------------------------------------------

// The first pass, radix 8: lanes are neighbouring butterflies, whose results lie side by side.
template <class T, bool swap>
__attribute__((noinline)) void first_of_line(const FftPlan<T>& plan, const T* in, T* out) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  const int64_t groups = plan.passes[0].m / w;
  From<T, swap> x{in, 2 * w};
  Units<T> y{out};
  for (int64_t g = 0; g < groups; ++g) {
    Cx<V> v[8];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) v[k] = x(g + groups * k);
    butterfly<8, T>(v, plan.passes[0].roots);
    Units<T> twiddles{const_cast<T*>(plan.first) + g * 7 * 2 * w};
#pragma GCC unroll 8
    for (int k = 1; k < 8; ++k) v[k] = v[k] * twiddles(k - 1);
#pragma GCC unroll 4
    for (int b = 0; b < 8 / w; ++b) {
      V r[w], i[w];
#pragma GCC unroll 8
      for (int k = 0; k < w; ++k) {
        r[k] = v[b * w + k].r;
        i[k] = v[b * w + k].i;
      }
      transpose<T>(r);
      transpose<T>(i);
#pragma GCC unroll 8
      for (int k = 0; k < w; ++k) y((g * w + k) * (8 / w) + b, {r[k], i[k]});
    }
  }
}

template <class T, bool swap>
void line_as(const FftPlan<T>& plan, const T* in, T* out, T scale, T* work) {
  constexpr int w = W<T>;
  first_of_line<T, swap>(plan, in, work);
  T* done = run_passes(plan, 1, plan.count - 1, w, work, work + 2 * plan.n);
  const FftPass<T>& last = plan.passes[plan.count - 1];
  last_into<T>(last, last.s / w, Units<T>{done}, Into<T, swap>{out, 2 * w, scale});
}
template <class T>
void line(const FftPlan<T>& plan, const T* in, T* out, bool swap, T scale, T* work) {
  swap ? line_as<T, true>(plan, in, out, scale, work)
       : line_as<T, false>(plan, in, out, scale, work);
}

// ---- a block of lines ---------------------------------------------------------------------------

// Where number t of a line lies.
struct Layout {
  int64_t step;
  bool pairs;  // complex
  int64_t at(int64_t t) const { return pairs ? t / 2 * step + t % 2 : t * step; }
  bool dense() const { return step == (pairs ? 2 : 1); }
};

// `count` numbers of each line become vectors, each the first of `spread`.
template <class T>
void load_block(const FftBlock<T>& b, Layout from, int64_t count, T* to, int64_t spread) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  const int64_t flip = from.pairs && b.swap ? 1 : 0;
  auto place = [&](int64_t t) { return to + (t ^ flip) * spread * w; };
  if (b.in_beside && b.lanes == w) {
    if (from.pairs) {
      for (int64_t j = 0; j < count / 2; ++j) {
        Cx<V> c = get_pairs(b.in[0] + j * from.step);
        put(place(2 * j), c.r);
        put(place(2 * j + 1), c.i);
      }
    } else {
      for (int64_t t = 0; t < count; ++t) put(place(t), get(b.in[0] + t * from.step));
    }
    return;
  }
  int64_t t = 0;
  if (from.dense()) {
    for (; t + w <= count; t += w) {
      V r[w];
#pragma GCC unroll 8
      for (int k = 0; k < w; ++k) r[k] = get(b.in[k] + t);
      transpose<T>(r);
#pragma GCC unroll 8
      for (int k = 0; k < w; ++k) put(place(t + k), r[k]);
    }
  }
  for (; t < count; ++t) {
    T* p = place(t);
    const int64_t at = from.at(t);
    for (int k = 0; k < w; ++k) p[k] = b.in[k][at];
  }
}
template <class T>
void store_block(const FftBlock<T>& b, Layout into, int64_t count, const T* from, int64_t spread) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  const int64_t flip = into.pairs && b.swap ? 1 : 0;
  const V scale = fill<V>(b.scale);
  auto place = [&](int64_t t) { return from + (t ^ flip) * spread * w; };
  if (b.out_beside && b.lanes == w) {
    if (into.pairs) {
      for (int64_t j = 0; j < count / 2; ++j)
        put_pairs(b.out[0] + j * into.step,
                  Cx<V>{V(get(place(2 * j)) * scale), V(get(place(2 * j + 1)) * scale)});
    } else {
      for (int64_t t = 0; t < count; ++t) put(b.out[0] + t * into.step, V(get(place(t)) * scale));
    }
    return;
  }
  int64_t t = 0;
  if (into.dense()) {
    for (; t + w <= count; t += w) {
      V r[w];
#pragma GCC unroll 8
      for (int k = 0; k < w; ++k) r[k] = get(place(t + k)) * scale;
      transpose<T>(r);
      if (b.lanes == w) {
#pragma GCC unroll 8
        for (int k = 0; k < w; ++k) put(b.out[k] + t, r[k]);
      } else {
        for (int k = 0; k < b.lanes; ++k) put(b.out[k] + t, r[k]);
      }
    }
  }
  for (; t < count; ++t) {
    const T* p = place(t);
    const int64_t at = into.at(t);
    for (int k = 0; k < b.lanes; ++k) b.out[k][at] = p[k] * b.scale;
  }
}

template <class T>
void multiply_units(T* x, const T* by, int64_t n, bool swap_in, bool swap_out) {
  using V = Wide<T>;
  Units<T> u{x};
  for (int64_t j = 0; j < n; ++j) {
    Cx<V> c = swap_in ? swapped(u(j)) : u(j);
    c = c * number<V>(by + 2 * j);
    u(j, swap_out ? swapped(c) : c);
  }
}

// n units at `from`, transformed; `to` is the other buffer. Where the result lies.
template <class T>
T* transform(const FftPlan<T>& plan, T* from, T* to) {
  if (!plan.padded) return run_passes(plan, 0, plan.count, 1, from, to);
  constexpr int64_t unit = 2 * W<T>;
  multiply_units(from, plan.chirp, plan.n, false, false);
  std::memset(from + plan.n * unit, 0, size_t((plan.padded - plan.n) * unit) * sizeof(T));
  T* there = run_passes(plan, 0, plan.count, 1, from, to);
  multiply_units(there, plan.filter, plan.padded, false, true);
  T* back = run_passes(plan, 0, plan.count, 1, there, there == from ? to : from);
  multiply_units(back, plan.chirp, plan.n, true, false);
  return back;
}

// The spectra of the even and of the odd elements, from that of their pairs at k and at -k, and the
// whole spectrum from them; and back, at twice the size.
template <class V>
KG_INLINE Cx<V> untangled(Cx<V> a, Cx<V> b, Cx<V> half) {
  const V c = fill<V>(NumberOf<V>(0.5));
  Cx<V> odd = Cx<V>{a.i + b.i, b.r - a.r} * half;
  return {fma<V>(c, a.r + b.r, odd.r), fma<V>(c, a.i - b.i, odd.i)};
}
template <class V>
KG_INLINE Cx<V> tangled(Cx<V> a, Cx<V> b, Cx<V> half) {
  Cx<V> w{half.r + half.r, -(half.i + half.i)};
  Cx<V> odd = Cx<V>{a.r - b.r, a.i + b.i} * w;
  return {a.r + b.r - odd.i, a.i - b.i + odd.r};
}

// Columns whose first and last passes read and write them where they are.
template <class T, bool swap>
void columns_as(const FftPlan<T>& plan, const FftBlock<T>& b, T* work) {
  const FftPass<T>& last = plan.passes[plan.count - 1];
  first_from<T>(plan.passes[0], 1, From<T, swap>{b.in[0], b.in_step}, Units<T>{work});
  T* done = run_passes(plan, 1, plan.count - 1, 1, work, work + plan.room * 2 * W<T>);
  last_into<T>(last, last.s, Units<T>{done}, Into<T, swap>{b.out[0], b.out_step, b.scale});
}

template <class T>
void block(const FftPlan<T>& plan, const FftBlock<T>& b, T* work) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  const int64_t n = plan.n;
  T *from = work, *to = work + plan.room * 2 * w;
  switch (b.kind) {
    case FftKind::complex: {
      if (b.in_beside && b.out_beside && b.lanes == w && !b.rotate && !plan.padded &&
          plan.count > 1 && starts(plan.passes[0].radix) &&
          ends(plan.passes[plan.count - 1].radix)) {
        return b.swap ? columns_as<T, true>(plan, b, work) : columns_as<T, false>(plan, b, work);
      }
      load_block(b, {b.in_step, true}, 2 * n, from, 1);
      T* done = transform(plan, from, to);
      if (b.rotate) {
        Units<T> u{done}, by{const_cast<T*>(b.rotate)};
        for (int64_t j = 0; j < n; ++j) u(j, u(j) * by(j));
      }
      store_block(b, {b.out_step, true}, 2 * n, done, 1);
      break;
    }
    case FftKind::real_even: {
      load_block(b, {b.in_step, false}, 2 * n, from, 1);
      T* done = transform(plan, from, to);
      Units<T> z{done}, x{done == from ? to : from};
      for (int64_t k = 0; k <= n; ++k)
        x(k, untangled<V>(z(k == n ? 0 : k), z(k == 0 ? 0 : n - k), number<V>(b.halves + 2 * k)));
      store_block(b, {b.out_step, true}, 2 * (n + 1), x.p, 1);
      break;
    }
    case FftKind::real_odd: {
      load_block(b, {b.in_step, false}, n, from, 2);
      for (int64_t j = 0; j < n; ++j) put(from + (2 * j + 1) * w, V{});
      store_block(b, {b.out_step, true}, n + 1, transform(plan, from, to), 1);
      break;
    }
    case FftKind::hermitian_even: {
      load_block(b, {b.in_step, true}, 2 * (n + 1), from, 1);
      put(from + w, V{});  // real by symmetry, whatever was given
      put(from + (2 * n + 1) * w, V{});
      Units<T> x{from}, z{to};
      for (int64_t k = 0; k < n; ++k)
        z(k, swapped(tangled<V>(x(k), x(n - k), number<V>(b.halves + 2 * k))));
      Units<T> done{transform(plan, to, from)};
      for (int64_t j = 0; j < n; ++j) done(j, swapped(done(j)));
      store_block(b, {b.out_step, false}, 2 * n, done.p, 1);
      break;
    }
    case FftKind::hermitian_odd: {
      load_block(b, {b.in_step, true}, n + 1, from, 1);
      put(from + w, V{});
      // An inverse: the parts are swapped, and the other half is the conjugate.
      Units<T> x{from};
      x(0, swapped(x(0)));
      for (int64_t k = 1; k <= n / 2; ++k) {
        Cx<V> c = x(k);
        x(k, swapped(c));
        x(n - k, {-c.i, c.r});
      }
      store_block(b, {b.out_step, false}, n, transform(plan, from, to) + w, 2);
      break;
    }
  }
}

// ---- contiguous lines ---------------------------------------------------------------------------

template <class T>
KG_INLINE Cx<T> single(const T* p, int64_t j) {
  return {p[2 * j], p[2 * j + 1]};
}
// Elements k and h - k come from the same numbers: X[h - k] = conj(E - w O) where X[k] = E + w O.
template <class V>
KG_INLINE Cx<V> untangled_partner(Cx<V> a, Cx<V> b, Cx<V> half) {
  const V c = fill<V>(NumberOf<V>(0.5));
  Cx<V> odd = Cx<V>{a.i + b.i, b.r - a.r} * half;
  return {fma<V>(c, a.r + b.r, -odd.r), fma<V>(c, b.i - a.i, odd.i)};
}
template <class V>
KG_INLINE Cx<V> tangled_partner(Cx<V> a, Cx<V> b, Cx<V> half) {
  Cx<V> w{half.r + half.r, -(half.i + half.i)};
  Cx<V> odd = Cx<V>{a.r - b.r, a.i + b.i} * w;
  return {a.r + b.r + odd.i, odd.r - (a.i - b.i)};
}
template <class T>
void untangle(const T* z, T* out, int64_t h, int64_t begin, int64_t end, const T* halves, T scale) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  int64_t k = begin;
  const V by = fill<V>(scale);
  for (; k + w <= end; k += w) {
    const int64_t far = 2 * (h - k - w + 1);
    Cx<V> a = get_pairs(z + 2 * k), b = turned<T>(get_pairs(z + far));
    Cx<V> half = get_pairs(halves + 2 * k);
    Cx<V> x = untangled<V>(a, b, half), y = untangled_partner<V>(a, b, half);
    put_pairs(out + 2 * k, Cx<V>{x.r * by, x.i * by});
    put_pairs(out + far, turned<T>(Cx<V>{y.r * by, y.i * by}));
  }
  for (; k < end; ++k) {
    const int64_t far = h - k;
    Cx<T> a = single(z, k), b = single(z, far), half = single(halves, k);
    Cx<T> x = untangled<T>(a, b, half), y = untangled_partner<T>(a, b, half);
    out[2 * k] = x.r * scale;
    out[2 * k + 1] = x.i * scale;
    out[2 * far] = y.r * scale;
    out[2 * far + 1] = y.i * scale;
  }
}
template <class T>
void tangle(const T* x, T* z, int64_t h, int64_t begin, int64_t end, const T* halves) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  int64_t k = begin;
  for (; k + w <= end; k += w) {
    const int64_t far = 2 * (h - k - w + 1);
    Cx<V> a = get_pairs(x + 2 * k), b = turned<T>(get_pairs(x + far));
    Cx<V> half = get_pairs(halves + 2 * k);
    put_pairs(z + 2 * k, tangled<V>(a, b, half));
    put_pairs(z + far, turned<T>(tangled_partner<V>(a, b, half)));
  }
  for (; k < end; ++k) {
    const int64_t far = h - k;
    Cx<T> a = single(x, k), b = single(x, far), half = single(halves, k);
    Cx<T> c = tangled<T>(a, b, half), d = tangled_partner<T>(a, b, half);
    z[2 * k] = c.r;
    z[2 * k + 1] = c.i;
    z[2 * far] = d.r;
    z[2 * far + 1] = d.i;
  }
}
template <class T>
void multiply(const T* a, const T* b, T* out, int64_t n, bool swap_in, bool swap_out, T scale) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  int64_t j = 0;
  const V by = fill<V>(scale);
  for (; j + w <= n; j += w) {
    Cx<V> c = get_pairs(a + 2 * j);
    c = (swap_in ? swapped(c) : c) * get_pairs(b + 2 * j);
    c = {c.r * by, c.i * by};
    put_pairs(out + 2 * j, swap_out ? swapped(c) : c);
  }
  for (; j < n; ++j) {
    Cx<T> c = single(a, j);
    c = (swap_in ? swapped(c) : c) * single(b, j);
    out[2 * j + (swap_out ? 1 : 0)] = c.r * scale;
    out[2 * j + (swap_out ? 0 : 1)] = c.i * scale;
  }
}

template <class T>
void conjugate(const T* from, T* to, int64_t n, bool turn) {
  using V = Wide<T>;
  constexpr int w = W<T>;
  int64_t j = 0;
  for (; j + w <= n; j += w) {
    Cx<V> c = turn ? turned<T>(get_pairs(from - 2 * (j + w - 1))) : get_pairs(from + 2 * j);
    put_pairs(to + 2 * j, Cx<V>{c.r, -c.i});
  }
  for (; j < n; ++j) {
    const T* at = turn ? from - 2 * j : from + 2 * j;
    to[2 * j] = at[0];
    to[2 * j + 1] = -at[1];
  }
}

template <class T>
constexpr FftLoops<T> loops = {W<T>,      block<T>,    line<T>,     untangle<T>,
                               tangle<T>, multiply<T>, conjugate<T>};

}  // namespace

const FftTable fft_table = {loops<float>, loops<double>};

}  // namespace kagari::KG_ISA
