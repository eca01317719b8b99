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
template <class T>
void clear(T* p, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes<T>) simd::store(p + i, Vec<T>{});
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

  SomeRows(const ScoreTile<T>& t, int64_t first)
      : s(t.scores + first * t.pitch),
        pitch(t.pitch),
        mask(t.mask ? t.mask + first * t.mask_pitch : nullptr),
        mask_pitch(t.mask_pitch) {
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

  // Scores become weights below `top`; gives the sum of each row's.
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
        simd::store(s + r * pitch + j, e);
        sum[r] += e;
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
    if (some.vectors < t.keys) clear(some.s + r * some.pitch + some.vectors, t.keys - some.vectors);
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
void finish(const T* sums, T total, T* out, int64_t n) {
  using V = Vec<T>;
  const V share = simd::splat<V>(total == 0 ? T(1) : total);
  each_vector<T>(n, [&](int64_t c, int count)
                        KG_INLINED { put(out + c, V(simd::load(sums + c) / share), count); });
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
  const V scale = simd::splat<V>(t.scale);
  for (int64_t i = 0; i < t.rows; ++i) {
    T *s = t.scores + i * t.pitch, *d = g + i * t.pitch;
    const T* mask = t.mask ? t.mask + i * t.mask_pitch : nullptr;
    int64_t n = keys_seen(t, i), whole = (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
    const V shift = simd::splat<V>(lse[i]), mean = simd::splat<V>(dot[i]);
    each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
      V v = simd::load(s + j) * scale;
      if (mask) v = v + get(mask + j, count);
      V w = weight<T>(v - shift);
      V r = w * (simd::load(d + j) - mean) * scale;
      if (count < kLanes<T>) w = only<T>(w, count, T(0)), r = only<T>(r, count, T(0));
      simd::store(s + j, w);
      simd::store(d + j, r);
    });
    if (whole < t.keys) clear(s + whole, t.keys - whole), clear(d + whole, t.keys - whole);
  }
}

template <class T>
T dot(const T* a, const T* b, int64_t n) {
  Vec<T> sum{};
  each_vector<T>(n, [&](int64_t c, int count) KG_INLINED {
    sum = simd::mul_add(get(a + c, count), get(b + c, count), sum);
  });
  return fold_sum<T>(sum);
}

template <class T>
constexpr AttentionLoops<T> loops = {weigh<T>, finish<T>, log_sums<T>, weigh_backward<T>, dot<T>};

}  // namespace

const AttentionTable attention_table = {loops<float>, loops<double>};

}  // namespace kagari::KG_ISA
