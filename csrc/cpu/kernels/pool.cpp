// Loops of pooling: rows are folded into one row lane by lane, then its columns into windows.
#include "cpu/pool.h"
#include "cpu/simd/each_vector.h"
#include "cpu/wrap.h"

#include "cpu/simd/transpose.h"
#include "cpu/simd/vec.h"

namespace kagari::KG_ISA {
namespace {

// Whether v takes the place of m: larger, or NaN. Elements come in ascending order.
template <class T>
KG_INLINE bool wins(T v, T m) {
  return (v > m) | (v != v);
}
// What a window of padding alone holds: dilated windows may miss a short image.
template <class T>
constexpr T lowest() {
  if constexpr (T(0.5) != T(0))
    return -T(__builtin_inf());
  else
    return T(uint64_t(1) << (8 * sizeof(T) - 1));
}
// wins() among the columns of a folded row, whose places in the image are out of order: v stands in
// a later column.
template <class T>
KG_INLINE bool wins_at(T v, int32_t row, T m, int32_t m_row) {
  return (v > m) | ((v == m) & (row < m_row)) | ((v != v) & ((m == m) | (row >= m_row)));
}

template <class T>
struct Row {
  T* value;
  int32_t* row;
};

// Windows [o, end) from columns of a row, every window of `taps` columns from o * stride - padding
// on. A function of its own: four of them inlined take the compiler twice as long.
template <class T, int kStride>
KG_NOINLINE void max_span(const PoolAxis& a, Row<T> from, T* __restrict y, int32_t* __restrict row,
                          int32_t* __restrict col) {
  const int64_t stride = kStride ? kStride : a.stride, base = -a.padding;
  for (int64_t o = a.begin; o < a.end; ++o) y[o] = from.value[o * stride + base];
  if (!row) {
    for (int64_t t = 1; t < a.taps; ++t) {
      const T* __restrict v = from.value + base + t * a.step;
      for (int64_t o = a.begin; o < a.end; ++o)
        y[o] = wins(v[o * stride], y[o]) ? v[o * stride] : y[o];
    }
    return;
  }
  for (int64_t o = a.begin; o < a.end; ++o) {
    row[o] = from.row[o * stride + base];
    col[o] = int32_t(o * stride + base);
  }
  for (int64_t t = 1; t < a.taps; ++t) {
    const int64_t at = base + t * a.step;
    const T* __restrict v = from.value + at;
    const int32_t* __restrict r = from.row + at;
    for (int64_t o = a.begin; o < a.end; ++o) {
      bool take = wins_at(v[o * stride], r[o * stride], y[o], row[o]);
      y[o] = take ? v[o * stride] : y[o];
      row[o] = take ? r[o * stride] : row[o];
      col[o] = take ? int32_t(o * stride + at) : col[o];
    }
  }
}

template <class T>
void max_columns(const PoolAxis& a, Row<T> from, T* y, int32_t* row, int32_t* col) {
  switch (a.stride) {
    case 1:
      max_span<T, 1>(a, from, y, row, col);
      break;
    case 2:
      max_span<T, 2>(a, from, y, row, col);
      break;
    case 3:
      max_span<T, 3>(a, from, y, row, col);
      break;
    default:
      max_span<T, 0>(a, from, y, row, col);
      break;
  }
  auto one = [&](int64_t o) {
    int64_t w = a.first[o];
    bool some = w < a.last[o];
    T best = some ? from.value[w] : lowest<T>();
    int32_t best_row = row && some ? from.row[w] : 0, best_col = some ? int32_t(w) : 0;
    for (w += a.step; w < a.last[o]; w += a.step) {
      T v = from.value[w];
      bool take = row ? wins_at(v, from.row[w], best, best_row) : wins(v, best);
      if (!take) continue;
      best = v;
      best_row = row ? from.row[w] : 0;
      best_col = int32_t(w);
    }
    y[o] = best;
    if (row) {
      row[o] = best_row;
      col[o] = best_col;
    }
  };
  for (int64_t o = 0; o < a.begin; ++o) one(o);
  for (int64_t o = a.end; o < a.out; ++o) one(o);
}

// f(number of the row, its data) for each row of the image that window (od, oh) reaches.
template <class F>
KG_INLINE void each_row(const PoolShape& s, int64_t od, int64_t oh, F&& f) {
  const PoolAxis &d = s.axis[0], &h = s.axis[1];
  for (int64_t i = d.first[od]; i < d.last[od]; i += d.step)
    for (int64_t j = h.first[oh]; j < h.last[oh]; j += h.step) f(i * h.in + j);
}

template <class T>
void max_plane(const PoolShape& s, const T* x, T* y, int64_t* index, char* scratch) {
  const PoolAxis& a = s.axis[2];
  const int64_t width = a.in;
  Row<T> folded{reinterpret_cast<T*>(scratch),
                reinterpret_cast<int32_t*>(scratch + (width + 16) * int64_t(sizeof(T)))};
  int32_t* row = folded.row + width + 16;
  int32_t* col = row + a.out + 16;
  for (int64_t od = 0; od < s.axis[0].out; ++od)
    for (int64_t oh = 0; oh < s.axis[1].out; ++oh, y += a.out) {
      bool first = true;
      each_row(s, od, oh, [&](int64_t number) {
        const T* __restrict from = x + number * width;
        T* __restrict m = folded.value;
        int32_t* __restrict r = folded.row;
        const int32_t n = int32_t(number);
        if (first) {
          for (int64_t w = 0; w < width; ++w) m[w] = from[w];
          if (index)
            for (int64_t w = 0; w < width; ++w) r[w] = n;
        } else if (index) {
          for (int64_t w = 0; w < width; ++w) {
            bool take = wins(from[w], m[w]);
            m[w] = take ? from[w] : m[w];
            r[w] = take ? n : r[w];
          }
        } else {
          for (int64_t w = 0; w < width; ++w) m[w] = wins(from[w], m[w]) ? from[w] : m[w];
        }
        first = false;
      });
      if (first) {
        for (int64_t w = 0; w < width; ++w) folded.value[w] = lowest<T>();
        for (int64_t w = 0; w < width; ++w) folded.row[w] = 0;
      }
      max_columns<T>(a, folded, y, index ? row : nullptr, col);
      if (!index) continue;
      for (int64_t o = 0; o < a.out; ++o) index[o] = int64_t(row[o]) * width + col[o];
      index += a.out;
    }
}

// f(pixel of the input) for each element of window (od, oh, ow).
template <class F>
KG_INLINE void each_pixel(const PoolShape& s, int64_t od, int64_t oh, int64_t ow, F&& f) {
  const PoolAxis& a = s.axis[2];
  each_row(s, od, oh, [&](int64_t number) {
    for (int64_t w = a.first[ow]; w < a.last[ow]; w += a.step) f(number * a.in + w);
  });
}
template <class F>
KG_INLINE void each_window(const PoolShape& s, F&& f) {
  for (int64_t od = 0; od < s.axis[0].out; ++od)
    for (int64_t oh = 0; oh < s.axis[1].out; ++oh)
      for (int64_t ow = 0; ow < s.axis[2].out; ++ow) f(od, oh, ow);
}

template <class T>
void max_pixels(const PoolShape& s, const T* x, T* y, int64_t* index, int64_t channels,
                int64_t pitch) {
  each_window(s, [&](int64_t od, int64_t oh, int64_t ow) {
    bool first = true;
    T* __restrict m = y;
    int64_t* __restrict r = index;
    each_pixel(s, od, oh, ow, [&](int64_t pixel) {
      const T* __restrict from = x + pixel * pitch;
      if (first) {
        for (int64_t c = 0; c < channels; ++c) m[c] = from[c];
        if (r)
          for (int64_t c = 0; c < channels; ++c) r[c] = pixel;
      } else if (r) {
        for (int64_t c = 0; c < channels; ++c) {
          bool take = wins(from[c], m[c]);
          m[c] = take ? from[c] : m[c];
          r[c] = take ? pixel : r[c];
        }
      } else {
        for (int64_t c = 0; c < channels; ++c) m[c] = wins(from[c], m[c]) ? from[c] : m[c];
      }
      first = false;
    });
    if (first) {
      for (int64_t c = 0; c < channels; ++c) m[c] = lowest<T>();
      for (int64_t c = 0; r && c < channels; ++c) r[c] = 0;
    }
    y += pitch;
    if (index) index += pitch;
  });
}

// Planes of n pixels each, as many as there are lanes, from rows to one vector for each pixel, and
// back.
template <class T>
void lanes_of_planes(const T* x, int64_t n, T* to) {
  constexpr int L = simd::Lanes<T>::size;
  typename simd::Lanes<T>::type r[L];
  for (int64_t i = 0; n >= L && i < n; i += L) {
    const int64_t at = i + L <= n ? i : n - L;  // the last block may overlap the one before
    simd::load_transposed(x + at, n, r);
    for (int j = 0; j < L; ++j) simd::store(to + (at + j) * L, r[j]);
  }
  for (int64_t i = 0; n < L && i < n; ++i)
    for (int l = 0; l < L; ++l) to[i * L + l] = x[l * n + i];
}
template <class T, class F>
KG_INLINE void planes_of_lanes(const T* x, int64_t n, F&& put) {
  constexpr int L = simd::Lanes<T>::size;
  typename simd::Lanes<T>::type r[L];
  for (int64_t i = 0; n >= L && i < n; i += L) {
    const int64_t at = i + L <= n ? i : n - L;
    simd::load_transposed(x + at * L, L, r);
    for (int l = 0; l < L; ++l) put(l * n + at, r[l], L);
  }
  for (int64_t i = 0; n < L && i < n; ++i)
    for (int l = 0; l < L; ++l)
      put(l * n + i, simd::splat<typename simd::Lanes<T>::type>(x[i * L + l]), 1);
}

template <class T>
void max_planes(const PoolShape& s, const PoolWindows& w, const T* x, T* y, int64_t* index,
                char* scratch) {
  using V = typename simd::Lanes<T>::type;
  using Place = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  using Places = typename simd::Lanes<Place>::type;
  constexpr int L = simd::Lanes<T>::size;
  const int64_t in = s.in(), out = s.out();
  T* lanes = reinterpret_cast<T*>(scratch);
  T* best = lanes + in * L;
  Place* place = reinterpret_cast<Place*>(best + out * L);
  lanes_of_planes(x, in, lanes);
  for (int64_t o = 0; o < out; ++o) {
    int32_t i = w.start[o];
    const int32_t end = w.start[o + 1];
    V m = simd::splat<V>(lowest<T>());
    Places at{};
    if (i < end) {
      m = simd::load(lanes + int64_t(w.pixel[i]) * L);
      at = simd::splat<Places>(Place(w.pixel[i]));
    } else {  // of padding alone: where max_plane says
      const PoolAxis& a = s.axis[2];
      const int64_t c = o % a.out;
      at = simd::splat<Places>(Place(a.first[c] < a.last[c] ? a.first[c] : 0));
    }
    for (++i; i < end; ++i) {
      const V v = simd::load(lanes + int64_t(w.pixel[i]) * L);
      const auto take = (v > m) | (v != v);
      m = take ? v : m;
      at = (Places)take ? simd::splat<Places>(Place(w.pixel[i])) : at;
    }
    simd::store(best + o * L, m);
    if (index) simd::store(place + o * L, at);
  }
  planes_of_lanes(best, out, [&](int64_t at, V v, int count) KG_INLINED {
    if (count == L)
      simd::store(y + at, v);
    else
      y[at] = v[0];
  });
  if (!index) return;
  planes_of_lanes(place, out, [&](int64_t at, Places v, int count) KG_INLINED {
    for (int l = 0; l < count; ++l) index[at + l] = int64_t(v[l]);
  });
}

template <class T, int kStride>
void sum_span(const PoolAxis& a, const T* __restrict from, T* __restrict y) {
  const int64_t stride = kStride ? kStride : a.stride, base = -a.padding;
  for (int64_t o = a.begin; o < a.end; ++o) y[o] = from[o * stride + base];
  for (int64_t t = 1; t < a.taps; ++t) {
    const T* __restrict v = from + base + t * a.step;
    for (int64_t o = a.begin; o < a.end; ++o) y[o] = wrap_add(y[o], v[o * stride]);
  }
}

// Numbers that follow one another: one by one where they are few, else in eight sums.
template <class T>
KG_INLINE T sum_of(const T* x, int64_t n) {
  constexpr int64_t w = 8;
  T sum = 0;
  if (n < 4 * w) {
    for (int64_t i = 0; i < n; ++i) sum = wrap_add(sum, x[i]);
    return sum;
  }
  T part[w] = {};
  int64_t i = 0;
  for (; i + w <= n; i += w)
    for (int64_t k = 0; k < w; ++k) part[k] = wrap_add(part[k], x[i + k]);
  for (int64_t k = 0; i < n; ++i, ++k) part[k] = wrap_add(part[k], x[i]);
  for (int64_t half = w / 2; half > 0; half /= 2)
    for (int64_t k = 0; k < half; ++k) part[k] = wrap_add(part[k], part[k + half]);
  return part[0];
}

// Images of n pixels in a row, each a window of its own.
template <class T>
void mean_whole(const T* x, T* y, int64_t planes, int64_t n, T divisor) {
  using V = typename simd::Lanes<T>::type;
  constexpr int64_t w = simd::Lanes<T>::size, chains = 4;
  // Between images whole vectors can be read, whose lanes beyond the image do not count.
  const int64_t tail = n % w, whole = planes - (w + n - 1) / n;
  T within[w];
  for (int64_t k = 0; k < w; ++k) within[k] = T(k < tail);
  const auto counts = simd::load(within) != V{};
  auto load = [&](int64_t p, int64_t i) KG_INLINED {
    if (n - i >= w) return simd::load(x + i);
    if (p >= whole) return get(x + i, int(tail));
    const V v = simd::load(x + i);
    return counts ? v : V{};
  };
  for (int64_t p = 0; p < planes; ++p, x += n) {
    V sum[chains] = {};
    int64_t i = 0;
    for (; i + chains * w <= n; i += chains * w)
#pragma GCC unroll 4
      for (int64_t c = 0; c < chains; ++c) sum[c] = wrap_add(sum[c], simd::load(x + i + c * w));
#pragma GCC unroll 4
    for (int64_t c = 0; c < chains; ++c) {
      if (i >= n) break;
      sum[c] = wrap_add(sum[c], load(p, i));
      i += w;
    }
    T lane[w];
    simd::store(lane, wrap_add(wrap_add(sum[0], sum[1]), wrap_add(sum[2], sum[3])));
    for (int64_t half = w / 2; half > 0; half /= 2)
      for (int64_t k = 0; k < half; ++k) lane[k] = wrap_add(lane[k], lane[k + half]);
    y[p] = lane[0] / divisor;
  }
}

template <class T>
void mean_plane(const PoolShape& s, const T* x, T* y, char* scratch) {
  const PoolAxis& a = s.axis[2];
  const int64_t width = a.in;
  T* __restrict sums = reinterpret_cast<T*>(scratch);
  for (int64_t od = 0; od < s.axis[0].out; ++od)
    for (int64_t oh = 0; oh < s.axis[1].out; ++oh, y += a.out) {
      for (int64_t w = 0; w < width; ++w) sums[w] = 0;
      // Four rows in one pass, in the order in which one by one they would be added.
      const T* rows[4];
      int held = 0;
      each_row(s, od, oh, [&](int64_t number) {
        rows[held++] = x + number * width;
        if (held < 4) return;
        const T* __restrict r0 = rows[0], * __restrict r1 = rows[1], * __restrict r2 = rows[2], * __restrict r3 = rows[3];
        for (int64_t w = 0; w < width; ++w)
          sums[w] = wrap_add(wrap_add(wrap_add(wrap_add(sums[w], r0[w]), r1[w]), r2[w]), r3[w]);
        held = 0;
      });
      for (int i = 0; i < held; ++i) {
        const T* __restrict from = rows[i];
        for (int64_t w = 0; w < width; ++w) sums[w] = wrap_add(sums[w], from[w]);
      }
      switch (a.stride) {
        case 1:
          sum_span<T, 1>(a, sums, y);
          break;
        case 2:
          sum_span<T, 2>(a, sums, y);
          break;
        case 3:
          sum_span<T, 3>(a, sums, y);
          break;
        default:
          sum_span<T, 0>(a, sums, y);
          break;
      }
      auto one = [&](int64_t o) { y[o] = sum_of(sums + a.first[o], a.last[o] - a.first[o]); };
      for (int64_t o = 0; o < a.begin; ++o) one(o);
      for (int64_t o = a.end; o < a.out; ++o) one(o);
      if (s.divisor) {
        for (int64_t o = 0; o < a.out; ++o) y[o] = y[o] / T(s.divisor);
      } else {
        const int64_t rows = int64_t(s.axis[0].count[od]) * s.axis[1].count[oh];
        for (int64_t o = 0; o < a.out; ++o) y[o] = y[o] / T(rows * a.count[o]);
      }
    }
}

KG_INLINE int64_t divisor_of(const PoolShape& s, int64_t od, int64_t oh, int64_t ow) {
  return s.divisor ? s.divisor
                   : int64_t(s.axis[0].count[od]) * s.axis[1].count[oh] * s.axis[2].count[ow];
}

template <class T>
void mean_pixels(const PoolShape& s, const T* x, T* y, int64_t channels, int64_t pitch) {
  each_window(s, [&](int64_t od, int64_t oh, int64_t ow) {
    T* __restrict sum = y;
    for (int64_t c = 0; c < channels; ++c) sum[c] = 0;
    each_pixel(s, od, oh, ow, [&](int64_t pixel) {
      const T* __restrict from = x + pixel * pitch;
      for (int64_t c = 0; c < channels; ++c) sum[c] = wrap_add(sum[c], from[c]);
    });
    const T by = T(divisor_of(s, od, oh, ow));
    for (int64_t c = 0; c < channels; ++c) sum[c] = sum[c] / by;
    y += pitch;
  });
}

template <class T>
void mean_back_plane(const PoolShape& s, const T* g, T* dx, char* scratch) {
  const PoolAxis& a = s.axis[2];
  const int64_t width = a.in;
  T* __restrict spread = reinterpret_cast<T*>(scratch);
  for (int64_t od = 0; od < s.axis[0].out; ++od)
    for (int64_t oh = 0; oh < s.axis[1].out; ++oh, g += a.out) {
      for (int64_t w = 0; w < width; ++w) spread[w] = 0;
      for (int64_t o = 0; o < a.out; ++o) {
        T part = g[o] / T(divisor_of(s, od, oh, o));
        for (int64_t w = a.first[o]; w < a.last[o]; w += a.step) spread[w] += part;
      }
      each_row(s, od, oh, [&](int64_t number) {
        T* __restrict to = dx + number * width;
        for (int64_t w = 0; w < width; ++w) to[w] += spread[w];
      });
    }
}

template <class T>
void mean_back_pixels(const PoolShape& s, const T* g, T* dx, int64_t channels, int64_t pitch) {
  each_window(s, [&](int64_t od, int64_t oh, int64_t ow) {
    const T* __restrict from = g;
    const T by = T(divisor_of(s, od, oh, ow));
    each_pixel(s, od, oh, ow, [&](int64_t pixel) {
      T* __restrict to = dx + pixel * pitch;
      for (int64_t c = 0; c < channels; ++c) to[c] += from[c] / by;
    });
    g += pitch;
  });
}

template <class T>
constexpr PoolLoops<T> loops{simd::Lanes<T>::size, max_planes<T>,      max_plane<T>,
                             max_pixels<T>,        mean_whole<T>,      mean_plane<T>,
                             mean_pixels<T>,       mean_back_plane<T>, mean_back_pixels<T>};

}  // namespace

const PoolTable pool_table{loops<float>, loops<double>, loops<int32_t>, loops<int64_t>};

}  // namespace kagari::KG_ISA
