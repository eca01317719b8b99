// Loops of attention over the scores of a tile: the softmax that is continued from block to block
// of keys, and its gradient.
#include "cpu/attention_table.h"
#include "cpu/simd/each_vector.h"
#include "cpu/simd/math.h"

namespace kagari::KG_ISA {
namespace {

template <class T>
using Vec = typename simd::Lanes<T>::type;
template <class T>
constexpr int kLanes = simd::Lanes<T>::size;

// exp of a score less the largest one. What would be next to the subnormal numbers counts as zero:
// beside the largest weight, 1, it is nothing, and hidden scores of minus infinity stay fast.
template <class T>
KG_INLINE Vec<T> weight(Vec<T> x) {
  const Vec<T> low = simd::splat<Vec<T>>(sizeof(T) == 4 ? -87 : -700);
  return simd::where(x < low, T(0), simd::exp(simd::where(x < low, low, x)));
}

// Combines the lanes of a vector, neighbours at half the distance each time.
template <class T, class F>
KG_INLINE T fold(Vec<T> v, F&& f) {
  T t[kLanes<T>];
#pragma GCC unroll 16
  for (int k = 0; k < kLanes<T>; ++k) t[k] = v[k];
#pragma GCC unroll 4
  for (int step = kLanes<T> / 2; step; step /= 2)
#pragma GCC unroll 8
    for (int k = 0; k < step; ++k) t[k] = f(t[k], t[k + step]);
  return t[0];
}
template <class T>
KG_INLINE T fold_sum(Vec<T> v) {
  return fold<T>(v, [](T a, T b) KG_INLINED { return a + b; });
}
template <class T>
KG_INLINE T fold_max(Vec<T> v) {
  return fold<T>(v, [](T a, T b) KG_INLINED { return b > a ? b : a; });
}
template <class T>
int64_t keys_seen(const ScoreTile<T>& t, int64_t row) {
  int64_t n = t.seen + row;
  return n < 0 ? 0 : n < t.keys ? n : t.keys;
}
// Zeros in place of a row's scores from `from` on, as far as they are read.
template <class T>
void clear_hidden(const ScoreTile<T>& t, T* row, int64_t seen, int64_t from) {
  const int64_t end = seen + t.read < t.keys ? seen + t.read : t.keys;
  for (int64_t i = from; i < end; i += kLanes<T>) simd::store(row + i, Vec<T>{});
}

template <int n>
struct Bytes {
  typedef uint8_t type __attribute__((vector_size(n)));
};
// Whether weights stay, 1 or 0, of so many that may be read.
template <class T>
KG_INLINE Vec<T> stays(const uint8_t* p, int64_t readable) {
  typename Bytes<kLanes<T>>::type b{};
  if (readable >= kLanes<T>)
    __builtin_memcpy(&b, p, kLanes<T>);
  else
    for (int64_t k = 0; k < readable; ++k) b[k] = p[k];
#if KG_SIMD_BYTES == 32
  if constexpr (sizeof(T) == 4)
    return (Vec<T>)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)b)));
#endif
  return __builtin_convertvector(b, Vec<T>);
}

// Some rows of a tile, which are computed side by side: what one waits for, the others do
// meanwhile. Keys that a row does not see count as minus infinity, whose weight is exactly zero, so
// that a row sees as many vectors as the last of them.
template <class T, int rows>
struct SomeRows {
  using V = Vec<T>;
  T* s;
  int64_t pitch, inside,
      vectors;  // keys that all of them see, in whole vectors; vectors of the last
  int64_t seen[rows];
  const T* mask;
  int64_t mask_pitch;
  const uint8_t* kept;
  int64_t kept_pitch, kept_keys;

  SomeRows(const ScoreTile<T>& t, int64_t first)
      : s(t.scores + first * t.pitch),
        pitch(t.pitch),
        mask(t.mask ? t.mask + first * t.mask_pitch : nullptr),
        mask_pitch(t.mask_pitch),
        kept(t.kept ? t.kept + first * t.kept_pitch : nullptr),
        kept_pitch(t.kept_pitch),
        kept_keys(t.kept_keys) {
    for (int r = 0; r < rows; ++r) seen[r] = keys_seen(t, first + r);
    inside = seen[0] / kLanes<T> * kLanes<T>;
    vectors = (seen[rows - 1] + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
  }

  // Scales and masks the scores in place; gives the largest of each row.
  KG_INLINE void prepare(T scale, T* largest) {
    const V factor = simd::splat<V>(scale);
    V best[rows];
    for (int r = 0; r < rows; ++r) best[r] = simd::splat<V>(-__builtin_inf());
    auto at = [&](int64_t j, int r, int count) KG_INLINED {
      V v = simd::load(s + r * pitch + j) * factor;
      if (mask && count) v = v + get(mask + r * mask_pitch + j, count);
      if (count < kLanes<T>) v = only<T>(v, count, T(-__builtin_inf()));
      simd::store(s + r * pitch + j, v);
      best[r] = v > best[r] ? v : best[r];
    };
    int64_t j = 0;
    for (; j < inside; j += kLanes<T>)
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) at(j, r, kLanes<T>);
    for (; j < vectors; j += kLanes<T>)
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
        const int64_t left = seen[r] - j;
        at(j, r, left < 0 ? 0 : left < kLanes<T> ? int(left) : kLanes<T>);
      }
    for (int r = 0; r < rows; ++r) largest[r] = fold_max<T>(best[r]);
  }

  // Scores become weights below `top`, of which dropout leaves some; gives the sum of all of a row.
  KG_INLINE void weigh(const T* top, T* total) {
    V shift[rows], sum[rows];
    for (int r = 0; r < rows; ++r) {
      // A row without a score above minus infinity: zeros, or NaN where there is one.
      shift[r] = simd::splat<V>(top[r] == T(-__builtin_inf()) ? T(0) : top[r]);
      sum[r] = V{};
    }
    for (int64_t j = 0; j < vectors; j += kLanes<T>)
#pragma GCC unroll 4
      for (int r = 0; r < rows; ++r) {
        V e = weight<T>(simd::load(s + r * pitch + j) - shift[r]);
        sum[r] += e;
        if (kept) e = e * stays<T>(kept + r * kept_pitch + j, kept_keys - j);
        simd::store(s + r * pitch + j, e);
      }
    for (int r = 0; r < rows; ++r) total[r] = fold_sum<T>(sum[r]);
  }
};

template <class T, int rows>
KG_INLINE void weigh_rows(const ScoreTile<T>& t, int64_t first, T* top, T* total, T* sums,
                          int64_t sums_pitch, int64_t sums_n) {
  constexpr T nothing = T(-__builtin_inf());
  SomeRows<T, rows> some(t, first);
  T best[rows], sum[rows];
  some.prepare(t.scale, best);
  for (int r = 0; r < rows; ++r) best[r] = best[r] > top[r] ? best[r] : top[r];
  some.weigh(best, sum);
  Vec<T> step{};
  for (int r = 0; r < rows; ++r) step[r] = best[r] == nothing ? T(0) : top[r] - best[r];
  static_assert(rows <= kLanes<T>);
  const Vec<T> falls = weight<T>(step);
  for (int r = 0; r < rows; ++r) {
    clear_hidden(t, some.s + r * some.pitch, some.seen[r], some.vectors);
    const T fall = falls[r];
    total[r] = total[r] * fall + sum[r];
    const bool begins = top[r] == nothing;  // the sums are zeros
    top[r] = best[r];
    if (begins || fall == 1) continue;
    const Vec<T> factor = simd::splat<Vec<T>>(fall);
    T* a = sums + r * sums_pitch;
    for (int64_t c = 0; c < sums_n; c += kLanes<T>) simd::store(a + c, simd::load(a + c) * factor);
  }
}
template <class T>
void weigh(const ScoreTile<T>& t, T* top, T* total, T* sums, int64_t sums_pitch, int64_t sums_n) {
  constexpr int together = kLanes<T> < 4 ? kLanes<T> : 4;
  int64_t i = 0;
  for (; i + together <= t.rows; i += together)
    weigh_rows<T, together>(t, i, top + i, total + i, sums + i * sums_pitch, sums_pitch, sums_n);
  for (; i < t.rows; ++i)
    weigh_rows<T, 1>(t, i, top + i, total + i, sums + i * sums_pitch, sums_pitch, sums_n);
}

template <class T>
void finish(int64_t rows, RowsOf<const T> sums, const T* total, T share, RowsOf<T> out, int64_t n) {
  using V = Vec<T>;
  for (int64_t i = 0; i < rows; ++i) {
    const T sum = total[i];
    const V factor = simd::splat<V>(sum == 0 ? T(1) : share / sum);
    const T* from = sums.data + i * sums.row;
    T* to = out.data + i * out.row;
    each_vector<T>(n, [&](int64_t c, int count)
                          KG_INLINED { put(to + c, V(simd::load(from + c) * factor), count); });
  }
}
// In double: errors of lse are errors of every weight in backward.
template <class T>
void log_sums(const T* top, const T* total, T* lse, int64_t n) {
  constexpr int w = kLanes<double>;
  for (int64_t i = 0; i < n; i += w) {
    const int count = n - i < w ? int(n - i) : w;
    Vec<double> sum = simd::splat<Vec<double>>(1), shift{};
    for (int k = 0; k < count; ++k) sum[k] = double(total[i + k]), shift[k] = double(top[i + k]);
    const Vec<double> log = simd::log(simd::where(sum == 0, 1.0, sum)) + shift;
    for (int k = 0; k < count; ++k) lse[i + k] = T(sum[k] == 0 ? __builtin_inf() : log[k]);
  }
}

template <class T>
void weigh_backward(const ScoreTile<T>& t, T* g, const T* lse, const T* dot) {
  using V = Vec<T>;
  const V scale = simd::splat<V>(t.scale), share = simd::splat<V>(t.share);
  for (int64_t i = 0; i < t.rows; ++i) {
    T *s = t.scores + i * t.pitch, *d = g + i * t.pitch;
    const T* mask = t.mask ? t.mask + i * t.mask_pitch : nullptr;
    const uint8_t* kept = t.kept ? t.kept + i * t.kept_pitch : nullptr;
    int64_t n = keys_seen(t, i), whole = (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
    const V shift = simd::splat<V>(lse[i]), mean = simd::splat<V>(dot[i]);
    each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
      V v = simd::load(s + j) * scale;
      if (mask) v = v + get(mask + j, count);
      V w = weight<T>(v - shift), g = simd::load(d + j);
      const V scaled = w * scale;
      if (kept) {
        const V factor = stays<T>(kept + j, t.kept_keys - j) * share;
        w = w * factor, g = g * factor;
      }
      V r = scaled * (g - mean);
      if (count < kLanes<T>) w = only<T>(w, count, T(0)), r = only<T>(r, count, T(0));
      simd::store(s + j, w);
      simd::store(d + j, r);
    });
    clear_hidden(t, s, n, whole), clear_hidden(t, d, n, whole);
  }
}

template <class T>
void dots(int64_t rows, RowsOf<const T> a, RowsOf<const T> b, int64_t n, T* to) {
  for (int64_t i = 0; i < rows; ++i) {
    const T *x = a.data + i * a.row, *y = b.data + i * b.row;
    Vec<T> sum{};
    each_vector<T>(n, [&](int64_t c, int count) KG_INLINED {
      sum = simd::mul_add(get(x + c, count), get(y + c, count), sum);
    });
    to[i] = fold_sum<T>(sum);
  }
}

template <class T>
constexpr AttentionLoops<T> loops = {weigh<T>, finish<T>, log_sums<T>, weigh_backward<T>, dots<T>};

}  // namespace

const AttentionTable attention_table = {loops<float>, loops<double>};

}  // namespace kagari::KG_ISA
