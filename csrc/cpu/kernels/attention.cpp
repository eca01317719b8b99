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
// Lanes from `count` on become `other`.
template <class T>
KG_INLINE Vec<T> only(Vec<T> v, int count, T other) {
  for (int k = count; k < kLanes<T>; ++k) v[k] = other;
  return v;
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

// Scales and masks a row of scores in place; returns the largest.
template <class T>
KG_INLINE T prepare(T* s, int64_t n, T scale, const T* mask) {
  using V = Vec<T>;
  const V factor = simd::splat<V>(scale);
  V best = simd::splat<V>(-__builtin_inf());
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    V v = simd::load(s + j) * factor;
    if (mask) v = v + get(mask + j, count);
    simd::store(s + j, v);
    if (count < kLanes<T>) v = only<T>(v, count, T(-__builtin_inf()));
    best = v > best ? v : best;
  });
  return fold_max<T>(best);
}

// Of a row without any score above minus infinity: whether that is because of a NaN.
template <class T>
bool has_nan(const T* s, int64_t n) {
  for (int64_t j = 0; j < n; ++j)
    if (s[j] != s[j]) return true;
  return false;
}

// One row of weigh(): s becomes weights below `top`, whose sum is returned.
template <class T>
KG_INLINE T weigh_row(T* s, int64_t n, T top) {
  using V = Vec<T>;
  const V shift = simd::splat<V>(top);
  V sum{};
  each_vector<T>(n, [&](int64_t j, int count) KG_INLINED {
    V e = weight<T>(simd::load(s + j) - shift);
    if (count < kLanes<T>) e = only<T>(e, count, T(0));
    simd::store(s + j, e);
    sum += e;
  });
  return fold_sum<T>(sum);
}

template <class T>
void weigh(const ScoreTile<T>& t, T* top, T* total, T* sums, int64_t sums_pitch, int64_t sums_n) {
  for (int64_t i = 0; i < t.rows; ++i) {
    T* s = t.scores + i * t.pitch;
    int64_t n = keys_seen(t, i), whole = (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
    T best = n ? prepare(s, n, t.scale, t.mask ? t.mask + i * t.mask_pitch : nullptr) : top[i];
    best = best > top[i] ? best : top[i];
    if (best == T(-__builtin_inf())) {
      if (has_nan(s, n)) total[i] = T(__builtin_nan(""));
      clear(s, t.keys);
      continue;
    }
    if (whole < t.keys) clear(s + whole, t.keys - whole);
    if (n == 0) continue;
    T sum = weigh_row(s, n, best);
    T fall = weight<T>(simd::splat<Vec<T>>(top[i] - best))[0];
    total[i] = total[i] * fall + sum;
    top[i] = best;
    if (fall == 1) continue;
    const Vec<T> factor = simd::splat<Vec<T>>(fall);
    T* a = sums + i * sums_pitch;
    for (int64_t c = 0; c < sums_n; c += kLanes<T>) simd::store(a + c, simd::load(a + c) * factor);
  }
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
