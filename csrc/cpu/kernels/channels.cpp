// Loops of batch norm over one channel. Sums run in four vectors that are carried from row to row
// and folded in a fixed order; the tail of a row is a padded vector.
#include "cpu/channels.h"
#include "cpu/simd/each_vector.h"
#include "cpu/simd/lane_sum.h"
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {
namespace {

using simd::Lanes;

// K sums in one pass: f(offset, count, terms) gives their next vectors, zero beyond count.
template <class T, int K, class F>
KG_INLINE void channel_sums(const ChannelShape& s, double* sums, F&& f) {
  using V = typename Lanes<T>::type;
  constexpr int64_t w = Lanes<T>::size, most = 256;  // terms of a lane between two folds
  V lanes[4][K] = {};
  int64_t held = 0;
  for (int k = 0; k < K; ++k) sums[k] = 0;
  auto fold = [&]() KG_INLINED {
    for (int k = 0; k < K; ++k) {
      sums[k] += lanes_in_double<T>((lanes[0][k] + lanes[1][k]) + (lanes[2][k] + lanes[3][k]));
      for (int r = 0; r < 4; ++r) lanes[r][k] = V{};
    }
    held = 0;
  };
  auto add = [&](V* to, int64_t at, int count) KG_INLINED {
    V terms[K];
    f(at, count, terms);
    for (int k = 0; k < K; ++k) to[k] += terms[k];
  };
  for (int64_t row = 0; row < s.rows; ++row) {
    const int64_t base = row * s.pitch;
    int64_t i = 0;
    while (i + 4 * w <= s.n) {
      const int64_t fit = (s.n - i) / (4 * w), blocks = fit < most - held ? fit : most - held;
      for (int64_t b = 0; b < blocks; ++b, i += 4 * w)
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) add(lanes[r], base + i + r * w, int(w));
      held += blocks;
      if (held == most) fold();
    }
    if (i == s.n) continue;
    // Up to three whole vectors, and a part of one.
#pragma GCC unroll 3
    for (int r = 0; r < 3; ++r)
      if (i + w <= s.n) {
        add(lanes[r], base + i, int(w));
        i += w;
      }
    if (i < s.n) add(lanes[3], base + i, int(s.n - i));
    if (++held == most) fold();
  }
  if (held) fold();
}

// Zero in the lanes beyond count.
template <class T>
KG_INLINE typename Lanes<T>::type keep(typename Lanes<T>::type v, int count) {
  if (count == Lanes<T>::size) return v;
  for (int k = count; k < Lanes<T>::size; ++k) v[k] = 0;
  return v;
}

template <class T>
void moments(const T* x, const ChannelShape& s, double* mean, double* variance) {
  using V = typename Lanes<T>::type;
  double sum, squares, n = double(s.rows) * double(s.n);
  channel_sums<T, 1>(s, &sum,
                     [&](int64_t i, int count, V* term) KG_INLINED { *term = get(x + i, count); });
  *mean = sum / n;
  const V shift = simd::splat<V>(T(*mean));
  channel_sums<T, 1>(s, &squares, [&](int64_t i, int count, V* term) KG_INLINED {
    V d = keep<T>(V(get(x + i, count) - shift), count);
    *term = d * d;
  });
  // The mean was rounded to T for the differences: correct for what that moved.
  const double off = double(T(*mean)) - *mean, v = squares / n - off * off;
  *variance = v > 0 || v != v ? v : 0;
}

template <class T>
void sums(const T* g, const T* x, const ChannelShape& s, double mean, double rstd, double* sum_g,
          double* sum_gx) {
  using V = typename Lanes<T>::type;
  const V m = simd::splat<V>(T(mean)), r = simd::splat<V>(T(rstd));
  double both[2];
  channel_sums<T, 2>(s, both, [&](int64_t i, int count, V* terms) KG_INLINED {
    terms[0] = get(g + i, count);
    terms[1] = keep<T>(V(terms[0] * ((get(x + i, count) - m) * r)), count);
  });
  *sum_g = both[0];
  *sum_gx = both[1];
}

template <class T>
void affine(const T* x, T* y, const ChannelShape& s, T a, T c) {
  using V = typename Lanes<T>::type;
  const V va = simd::splat<V>(a), vc = simd::splat<V>(c);
  for (int64_t row = 0; row < s.rows; ++row, x += s.pitch, y += s.pitch)
    each_vector<T>(s.n, [&](int64_t i, int count)
                            KG_INLINED { put(y + i, V(get(x + i, count) * va + vc), count); });
}

template <class T>
void affine_of_two(const T* g, const T* x, T* dx, const ChannelShape& s, T a, T b, T c) {
  using V = typename Lanes<T>::type;
  const V va = simd::splat<V>(a), vb = simd::splat<V>(b), vc = simd::splat<V>(c);
  for (int64_t row = 0; row < s.rows; ++row, g += s.pitch, x += s.pitch, dx += s.pitch)
    each_vector<T>(s.n, [&](int64_t i, int count) KG_INLINED {
      put(dx + i, V((get(g + i, count) * va + get(x + i, count) * vb) + vc), count);
    });
}

template <class T>
constexpr ChannelLoops<T> loops = {moments<T>, affine<T>, sums<T>, affine_of_two<T>};

}  // namespace

const ChannelsTable channels_table = {loops<float>, loops<double>};

}  // namespace kagari::KG_ISA
