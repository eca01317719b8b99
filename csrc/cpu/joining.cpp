// CPU kernels that only move elements: copies, joins, repetitions, padding, and the gradient of
// strided views.
#include "cpu/joining.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "ops/joining.h"
#include "ops/views.h"

namespace kagari {

namespace {

constexpr int64_t kGrainBytes = 1 << 16;

// A copy with its dimensions sorted by the target's strides and merged where both sides allow.
struct Move {
  int64_t sizes[2 * kMaxDims], to[2 * kMaxDims], from[2 * kMaxDims];
  int n = 0;
};

Move simplify(Ints sizes, Ints to, Ints from) {
  int64_t order[2 * kMaxDims];
  int n = 0;
  for (int64_t d = 0; d < sizes.n; ++d)
    if (sizes[d] != 1) order[n++] = d;
  std::stable_sort(order, order + n, [&](int64_t a, int64_t b) {
    int64_t ta = std::abs(to[a]), tb = std::abs(to[b]);
    return ta != tb ? ta > tb : std::abs(from[a]) > std::abs(from[b]);
  });
  Move m;
  for (int i = 0; i < n; ++i) {
    int64_t d = order[i];
    int last = m.n - 1;
    if (m.n && m.to[last] == to[d] * sizes[d] && m.from[last] == from[d] * sizes[d]) {
      m.sizes[last] *= sizes[d];
      m.to[last] = to[d];
      m.from[last] = from[d];
    } else {
      m.sizes[m.n] = sizes[d];
      m.to[m.n] = to[d];
      m.from[m.n++] = from[d];
    }
  }
  if (m.n == 0) {
    m.sizes[0] = m.to[0] = m.from[0] = 1;
    m.n = 1;
  }
  return m;
}

// Walks the positions of all but the innermost `inner` dimensions, starting from a flat position.
struct Walk {
  const Move& m;
  int n;
  int64_t at[2 * kMaxDims];
  int64_t to = 0, from = 0;
  Walk(const Move& move, int inner, int64_t position) : m(move), n(move.n - inner) {
    for (int d = n - 1; d >= 0; --d) {
      at[d] = position % m.sizes[d];
      position /= m.sizes[d];
      to += at[d] * m.to[d];
      from += at[d] * m.from[d];
    }
  }
  void next() {
    for (int d = n - 1; d >= 0; --d) {
      to += m.to[d];
      from += m.from[d];
      if (++at[d] < m.sizes[d]) return;
      to -= at[d] * m.to[d];
      from -= at[d] * m.from[d];
      at[d] = 0;
    }
  }
};

// memcpy uses `rep movsb` for such rows, which crawls on some processors when the target lies a few
// bytes behind the source modulo a page; then blocks are moved through registers.
void copy_row(char* to, const char* from, size_t n) {
  if (n <= 256) {  // no call for a few cache lines
    if (n >= 16) {
      for (size_t i = 0; i + 16 <= n; i += 16) __builtin_memcpy(to + i, from + i, 16);
      __builtin_memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
      __builtin_memcpy(to, from, 8);
      __builtin_memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
      __builtin_memcpy(to, from, 4);
      __builtin_memcpy(to + n - 4, from + n - 4, 4);
    } else {
      for (size_t i = 0; i < n; ++i) to[i] = from[i];
    }
    return;
  }
  if (((uintptr_t(to) - uintptr_t(from)) & 4095) >= 64) {
    std::memcpy(to, from, n);
    return;
  }
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    char block[64];
    std::memcpy(block, from + i, 64);
    std::memcpy(to + i, block, 64);
  }
  std::memcpy(to + i, from + i, n - i);
}

template <class T>
void reverse_row(T* __restrict to, const T* __restrict from, int64_t n) {
  constexpr int64_t w = 16 / int64_t(sizeof(T));
  int64_t i = 0;
  for (; i + w <= n; i += w) {
    T block[w];
    __builtin_memcpy(block, from - i - (w - 1), 16);
    for (int64_t k = 0; k < w / 2; ++k) std::swap(block[k], block[w - 1 - k]);
    __builtin_memcpy(to + i, block, 16);
  }
  for (; i < n; ++i) to[i] = from[-i];
}
template <int step, class T>
void gather_row(T* __restrict to, const T* __restrict from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
}
// n rows of `count` elements that lie `from_step` apart become columns of one block.
template <int count, class T>
void interleave_rows(T* __restrict to, const T* __restrict from, int64_t from_step, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    for (int k = 0; k < count; ++k) to[i * count + k] = from[k * from_step + i];
}

template <class T>
void move_row(T* to, int64_t ts, const T* from, int64_t fs, int64_t n) {
  if (ts != 1) {
    for (int64_t i = 0; i < n; ++i) to[i * ts] = from[i * fs];
    return;
  }
  switch (fs) {
    case 1:
      return copy_row(reinterpret_cast<char*>(to), reinterpret_cast<const char*>(from),
                      size_t(n) * sizeof(T));
    case 0: {
      const T value = *from;
      for (int64_t i = 0; i < n; ++i) to[i] = value;
      return;
    }
    case -1:
      return reverse_row(to, from, n);
    case 2:
      return gather_row<2>(to, from, n);
    case 3:
      return gather_row<3>(to, from, n);
    case 4:
      return gather_row<4>(to, from, n);
    default:
      for (int64_t i = 0; i < n; ++i) to[i] = from[i * fs];
  }
}

template <class T>
void move_rows(const Move& m, T* to, const T* from) {
  int last = m.n - 1;
  int64_t row = m.sizes[last], rows = 1;
  for (int d = 0; d < last; ++d) rows *= m.sizes[d];
  int64_t grain = std::max<int64_t>(kGrainBytes / int64_t(sizeof(T)), 1);
  if (rows == 1 || row > 16 * grain) {  // long rows: split each
    for (Walk w(m, 1, 0); rows > 0; --rows, w.next())
      parallel_for(0, row, grain, [&](int64_t b, int64_t e) {
        move_row(to + w.to + b * m.to[last], m.to[last], from + w.from + b * m.from[last],
                 m.from[last], e - b);
      });
    return;
  }
  const int64_t many = m.sizes[last - 1], ts = m.to[last - 1], fs = m.from[last - 1];
  parallel_for(0, rows, std::max<int64_t>(grain / row, 1), [&](int64_t b, int64_t e) {
    Walk w(m, 2, b / many);
    for (int64_t i = b; i < e; w.next()) {
      int64_t k = i % many, end = std::min(many, k + e - i);
      i += end - k;
      for (; k < end; ++k)
        move_row(to + w.to + k * ts, m.to[last], from + w.from + k * fs, m.from[last], row);
    }
  });
}

// The innermost dimension is short and the one before is not: its rows are written side by side, in
// pieces that stay in the first-level cache.
template <class T>
void move_side_by_side(const Move& m, T* to, const T* from) {
  const int a = m.n - 2, b = m.n - 1;
  const int64_t na = m.sizes[a], nb = m.sizes[b];
  const int64_t piece = std::max<int64_t>(16, 16384 / (nb * int64_t(sizeof(T))));
  const int64_t pieces = (na + piece - 1) / piece;
  int64_t outer = 1;
  for (int d = 0; d < a; ++d) outer *= m.sizes[d];
  const int64_t each = std::min(na, piece) * nb * int64_t(sizeof(T));
  const bool woven = m.to[b] == 1 && m.to[a] == nb && m.from[a] == 1;
  parallel_for(0, outer * pieces, std::max<int64_t>(kGrainBytes / each, 1),
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   const Walk w(m, 2, u / pieces);
                   const int64_t first = u % pieces * piece, n = std::min(piece, na - first);
                   T* t = to + w.to + first * m.to[a];
                   const T* f = from + w.from + first * m.from[a];
                   if (woven && nb == 2) {
                     interleave_rows<2>(t, f, m.from[b], n);
                   } else if (woven && nb == 3) {
                     interleave_rows<3>(t, f, m.from[b], n);
                   } else if (woven && nb == 4) {
                     interleave_rows<4>(t, f, m.from[b], n);
                   } else {
                     for (int64_t k = 0; k < nb; ++k)
                       move_row(t + k * m.to[b], m.to[a], f + k * m.from[b], m.from[a], n);
                   }
                 }
               });
}

// The target's fastest dimension differs from the source's: both are walked in square tiles, so
// that every cache line that is touched is used while it is there.
template <class T>
void move_tiles(const Move& m, T* to, const T* from) {
  constexpr int64_t size = sizeof(T);
  int a = m.n - 2, b = m.n - 1;  // a: fast in the source, b: fast in the target
  const bool turned = m.to[b] == 1 && m.from[a] == 1;
  const int64_t kTile = turned ? 512 / size : size >= 8 ? 16 : 32;
  int64_t na = m.sizes[a], nb = m.sizes[b], outer = 1;
  for (int d = 0; d < a; ++d) outer *= m.sizes[d];
  int64_t strips = (na + kTile - 1) / kTile;
  int64_t grain = std::max<int64_t>(kGrainBytes / size / (kTile * nb), 1);
  parallel_for(0, outer * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      Walk w(m, 2, s / strips);
      int64_t a0 = s % strips * kTile, a1 = std::min(na, a0 + kTile);
      for (int64_t b0 = 0; b0 < nb; b0 += kTile) {
        int64_t count = std::min(nb - b0, kTile);
        T* t = to + w.to + a0 * m.to[a] + b0 * m.to[b];
        const T* f = from + w.from + a0 * m.from[a] + b0 * m.from[b];
        if (turned) {
          transpose_patch(reinterpret_cast<char*>(t), m.to[a] * size,
                          reinterpret_cast<const char*>(f), m.from[b] * size, count, a1 - a0, size,
                          false);
          continue;
        }
        for (int64_t i = 0; i < a1 - a0; ++i)
          move_row(t + i * m.to[a], m.to[b], f + i * m.from[a], m.from[b], count);
      }
    }
  });
}

template <class F>
void by_size(int64_t itemsize, F&& f) {
  switch (itemsize) {
    case 1:
      return f.template operator()<uint8_t>();
    case 2:
      return f.template operator()<uint16_t>();
    case 4:
      return f.template operator()<uint32_t>();
    case 8:
      return f.template operator()<uint64_t>();
    default:
      return f.template operator()<Bytes16>();
  }
}

}  // namespace

void move_elements(Ints sizes, char* to, Ints to_strides, const char* from, Ints from_strides,
                   int64_t itemsize) {
  for (int64_t s : sizes)
    if (s == 0) return;
  Move m = simplify(sizes, to_strides, from_strides);
  // Bring the source's fastest dimension next to the target's.
  const int last = m.n - 1;
  int fast = last;
  for (int d = 0; d < last; ++d)
    if (m.from[d] != 0 && std::abs(m.from[d]) < std::abs(m.from[fast])) fast = d;
  auto bring_next = [&](int d) {
    for (; d + 1 < last; ++d) {
      std::swap(m.sizes[d], m.sizes[d + 1]);
      std::swap(m.to[d], m.to[d + 1]);
      std::swap(m.from[d], m.from[d + 1]);
    }
  };
  const int64_t row = m.sizes[last];
  by_size(itemsize, [&]<class T>() {
    T* t = reinterpret_cast<T*>(to);
    const T* f = reinterpret_cast<const T*>(from);
    if (row <= 16 && m.n > 1 && (row <= 4 || m.from[last] != 1)) {
      const int beside = fast != last && m.sizes[fast] > row ? fast : last - 1;
      if (m.sizes[beside] > row) {
        bring_next(beside);
        return move_side_by_side(m, t, f);
      }
    }
    if (fast == last || m.sizes[fast] < 4 || row < 4) return move_rows(m, t, f);
    bring_next(fast);
    move_tiles(m, t, f);
  });
}

void zero_bytes(char* to, int64_t bytes) {
  parallel_for(0, bytes, int64_t(1) << 20,
               [&](int64_t b, int64_t e) { std::memset(to + b, 0, size_t(e - b)); });
}

namespace {

Ints sizes_of(const TensorImpl* t) { return {t->sizes, t->ndim}; }
Ints strides_of(const TensorImpl* t) { return {t->strides(), t->ndim}; }
// The same elements in the same order under the target's (row-major) sizes.
void move_flat(TensorImpl* to, const TensorImpl* from) {
  move_elements({from->sizes, from->ndim}, to->data, contiguous_strides({from->sizes, from->ndim}),
                from->data, {from->strides(), from->ndim}, itemsize(to->dtype));
}

// ---- copies of views ----------------------------------------------------------------------------

void clone_cpu(Results& out, const Tensor& input, std::optional<MemoryFormat>) {
  convert(out[0].get(), input.get());
}
void reshape_cpu(Results& out, const Tensor& input, Ints) { move_flat(out[0].get(), input.get()); }
void flatten_cpu(Results& out, const Tensor& input, int64_t, int64_t) {
  move_flat(out[0].get(), input.get());
}
void ravel_cpu(Results& out, const Tensor& input) { move_flat(out[0].get(), input.get()); }

// ---- joins --------------------------------------------------------------------------------------

// Writes `from` into the window of `out` that starts `at` elements behind its first; other dtypes
// are converted in a row-major copy on the way.
void move_into(TensorImpl* out, int64_t at, Ints sizes, Ints strides, const TensorImpl* from) {
  int64_t size = itemsize(out->dtype);
  char* to = out->data + at * size;
  if (from->dtype == out->dtype)
    return move_elements(sizes, to, strides, from->data, strides_of(from), size);
  Dims dense = contiguous_strides(sizes);
  Workspace own(size_t(from->numel * itemsize(from->dtype))),
      converted(size_t(from -> numel * size));
  move_elements(sizes, own.as<char>(), dense, from->data, strides_of(from), itemsize(from->dtype));
  convert_block(converted.as<char>(), out->dtype, own.as<char>(), from->dtype, from->numel);
  move_elements(sizes, to, strides, converted.as<char>(), dense, size);
}

void cat_cpu(Results& out, TensorList tensors, int64_t dim) {
  TensorImpl* o = out[0].get();
  dim = wrap_dim(dim, o->ndim);
  int64_t at = 0;
  for (int64_t i = 0; i < tensors.n; ++i) {
    const TensorImpl* t = tensors.at(i);
    if (t->numel > 0) move_into(o, at, sizes_of(t), strides_of(o), t);
    if (t->ndim == o->ndim) at += t->sizes[dim] * o->strides()[dim];
  }
}
void block_diag_cpu(Results& out, TensorList tensors) {
  TensorImpl* o = out[0].get();
  zero_bytes(o->data, o->numel * itemsize(o->dtype));
  const Ints steps = strides_of(o);
  int64_t at = 0;
  for (int64_t i = 0; i < tensors.n; ++i) {
    const TensorImpl* t = tensors.at(i);
    const int64_t rows = t->ndim > 1 ? t->sizes[0] : 1,
                  columns = t->ndim > 0 ? t->sizes[t->ndim - 1] : 1;
    if (t->numel > 0) move_into(o, at, sizes_of(t), {steps.p + 2 - t->ndim, t->ndim}, t);
    at += rows * steps[0] + columns * steps[1];
  }
}
void stack_cpu(Results& out, TensorList tensors, int64_t dim) {
  TensorImpl* o = out[0].get();
  dim = wrap_dim(dim, o->ndim);
  Dims strides(strides_of(o));
  strides.erase(dim);
  for (int64_t i = 0; i < tensors.n; ++i)
    move_into(o, i * o->strides()[dim], sizes_of(tensors.at(i)), strides, tensors.at(i));
}

// Rows of the last dimension between `before` and `after` times a value; both sides are contiguous
// along it. sizes: of what is copied.
template <class T>
void pad_rows(Ints sizes, T* to, Ints to_strides, const T* from, Ints from_strides, int64_t before,
              int64_t after, T value) {
  const int64_t last = sizes.n - 1, row = sizes[last];
  const Move m = simplify({sizes.p, last}, {to_strides.p, last}, {from_strides.p, last});
  int64_t rows = 1;
  for (int d = 0; d < m.n; ++d) rows *= m.sizes[d];
  const int64_t many = m.sizes[m.n - 1], ts = m.to[m.n - 1], fs = m.from[m.n - 1];
  const int64_t bytes = (before + row + after) * int64_t(sizeof(T));
  parallel_for(0, rows, std::max<int64_t>(kGrainBytes / bytes, 1), [&](int64_t b, int64_t e) {
    Walk w(m, 1, b / many);
    for (int64_t i = b; i < e; w.next()) {
      int64_t k = i % many, end = std::min(many, k + e - i);
      i += end - k;
      for (; k < end; ++k) {
        T* t = to + w.to + k * ts;
        for (int64_t j = 0; j < before; ++j) t[j] = value;
        move_row(t + before, 1, from + w.from + k * fs, 1, row);
        for (int64_t j = 0; j < after; ++j) t[before + row + j] = value;
      }
    }
  });
}

void pad_cpu(Results& out, const Tensor& input, Ints pad, Scalar value) {
  TensorImpl* o = out[0].get();
  if (o->numel == 0) return;
  const int64_t size = itemsize(o->dtype), n = o->ndim;
  alignas(16) char one[16] = {};
  store_scalar(one, o->dtype, value);
  const Dims none(n, 0);
  Dims sizes(input.sizes()), before(n, 0), after(n, 0);
  const char* from = input.data();
  bool copied = input.numel() > 0;
  for (int64_t i = 0; i < pad.n / 2; ++i) {
    const int64_t d = n - 1 - i;
    before[d] = std::max<int64_t>(pad[2 * i], 0);
    after[d] = std::max<int64_t>(pad[2 * i + 1], 0);
    from += std::max<int64_t>(-pad[2 * i], 0) * input.strides()[d] * size;
    sizes[d] += std::min<int64_t>(pad[2 * i], 0) + std::min<int64_t>(pad[2 * i + 1], 0);
    copied = copied && sizes[d] > 0;
  }
  if (!copied || n == 0) {
    move_elements(sizes_of(o), o->data, strides_of(o), copied ? from : one, none, size);
    return;
  }
  // Around the block that is copied: along each dimension what lies before and after it, of the
  // whole width along later ones.
  const bool rows = o->strides()[n - 1] == 1 && input.strides()[n - 1] == 1;
  Dims slab(sizes_of(o));
  char* to = o->data;
  for (int64_t d = 0; d < n; ++d) {
    const int64_t step = o->strides()[d] * size;
    if (d < n - 1 || !rows) {
      auto fill = [&](int64_t at, int64_t length) {
        slab[d] = length;
        move_elements(slab, to + at * step, strides_of(o), one, none, size);
      };
      fill(0, before[d]);
      fill(before[d] + sizes[d], after[d]);
      to += before[d] * step;
    }
    slab[d] = sizes[d];
  }
  if (!rows) return move_elements(sizes, to, strides_of(o), from, input.strides(), size);
  by_size(size, [&]<class T>() {
    T v;
    std::memcpy(&v, one, sizeof(T));
    pad_rows(sizes, reinterpret_cast<T*>(to), strides_of(o), reinterpret_cast<const T*>(from),
             input.strides(), before[n - 1], after[n - 1], v);
  });
}

// ---- padding with elements of the input ---------------------------------------------------------

// Where the elements of a padded dimension come from: its middle part is a stretch of the input.
struct Places {
  std::vector<int64_t> at;
  int64_t before = 0, middle = 0, first = 0;
  Places(int64_t size) : at(size_t(size)), middle(size) { std::iota(at.begin(), at.end(), 0); }
  Places(std::string_view mode, int64_t size, int64_t low, int64_t high, int64_t dim)
      : at(size_t(size + low + high)),
        before(std::max<int64_t>(low, 0)),
        first(std::max<int64_t>(-low, 0)) {
    middle = std::max<int64_t>(int64_t(at.size()) - before - std::max<int64_t>(high, 0), 0);
    // What negative padding cuts does not come back around.
    const int64_t period = size - first - std::max<int64_t>(-high, 0);
    for (int64_t i = 0; i < int64_t(at.size()); ++i) {
      int64_t p = i - low;
      if (mode == "replicate") {
        p = std::clamp<int64_t>(p, 0, std::max<int64_t>(size - 1, 0));
      } else if (mode == "reflect") {
        p = (size - 1) - std::abs((size - 1) - std::abs(p));
      } else {
        KG_CHECK(period > 0, "expected elements to go around in dimension ", dim,
                 ", but the padding cuts all ", size);
        p = ((p - first) % period + period) % period + first;
      }
      KG_CHECK_INDEX(p >= 0 && p < size, "index ", p, " is out of bounds for dimension ", dim,
                     " with size ", size);
      at[size_t(i)] = p;
    }
  }
};
std::vector<Places> places_of(Ints sizes, Ints pad, std::string_view mode) {
  std::vector<Places> places;
  for (int64_t d = 0; d < sizes.n; ++d) {
    const int64_t i = sizes.n - 1 - d;
    if (2 * i + 1 < pad.n)
      places.emplace_back(mode, sizes[d], pad[2 * i], pad[2 * i + 1], d);
    else
      places.emplace_back(sizes[d]);
  }
  return places;
}
// Walks the places of all dimensions from `first` up to the last: where each row begins in a tensor
// of these strides.
struct PlaceWalk {
  const std::vector<Places>& places;
  const Ints strides;
  const int64_t first;
  int64_t index[kMaxDims] = {}, offset = 0;
  PlaceWalk(const std::vector<Places>& p, Ints s, int64_t from, int64_t position)
      : places(p), strides(s), first(from) {
    for (int64_t d = s.n - 2; d >= first; --d) {
      const int64_t n = int64_t(places[size_t(d)].at.size());
      index[d] = position % n;
      position /= n;
      offset += place(d);
    }
  }
  int64_t place(int64_t d) const { return places[size_t(d)].at[size_t(index[d])] * strides[d]; }
  void next() {
    for (int64_t d = strides.n - 2; d >= first; --d) {
      offset -= place(d);
      if (++index[d] == int64_t(places[size_t(d)].at.size())) index[d] = 0;
      offset += place(d);
      if (index[d] != 0) return;
    }
  }
};

void pad_inside_cpu(Results& out, const Tensor& input, Ints pad, std::string_view mode) {
  TensorImpl* o = out[0].get();
  if (o->numel == 0) return;
  const std::vector<Places> places = places_of(input.sizes(), pad, mode);
  const Places& last = places.back();
  const int64_t row = int64_t(last.at.size()), step = input.strides()[input.dim() - 1];
  by_size(input.itemsize(), [&]<class T>() {
    T* to = reinterpret_cast<T*>(o->data);
    const T* from = input.data_as<const T>();
    const int64_t grain = std::max<int64_t>(kGrainBytes / (row * int64_t(sizeof(T))), 1);
    parallel_for(0, o->numel / row, grain, [&](int64_t begin, int64_t end) {
      PlaceWalk w(places, input.strides(), 0, begin);
      for (int64_t r = begin; r < end; ++r, w.next()) {
        T* t = to + r * row;
        const T* f = from + w.offset;
        for (int64_t i = 0; i < last.before; ++i) t[i] = f[last.at[size_t(i)] * step];
        move_row(t + last.before, 1, f + last.first * step, step, last.middle);
        for (int64_t i = last.before + last.middle; i < row; ++i)
          t[i] = f[last.at[size_t(i)] * step];
      }
    });
  });
}

void flip_dims(TensorImpl* to, const Tensor& input, Ints dims) {
  if (input.numel() == 0) return;
  Dims strides(input.strides());
  const char* from = input.data();
  for (int64_t d : dims) {
    d = wrap_dim(d, input.dim());
    if (input.dim() == 0) break;
    from += (input.sizes()[d] - 1) * strides[d] * input.itemsize();
    strides[d] = -strides[d];
  }
  move_elements(input.sizes(), to->data, strides_of(to), from, strides, input.itemsize());
}
void flip_cpu(Results& out, const Tensor& input, Ints dims) {
  flip_dims(out[0].get(), input, dims);
}
void fliplr_cpu(Results& out, const Tensor& input) { flip_dims(out[0].get(), input, Ints{1}); }
void flipud_cpu(Results& out, const Tensor& input) { flip_dims(out[0].get(), input, Ints{0}); }

// Each rolled dimension falls into two stretches; their products are moved as blocks.
void roll_blocks(Dims& sizes, char* to, Ints to_strides, const char* from, Ints from_strides,
                 int64_t itemsize, const int64_t* shift, int64_t dim) {
  if (dim == sizes.size())
    return move_elements(sizes, to, to_strides, from, from_strides, itemsize);
  int64_t n = sizes[dim], s = shift[dim];
  for (int part = 0; part < 2; ++part) {
    int64_t begin = part ? n - s : 0, length = part ? s : n - s, target = part ? 0 : s;
    if (length == 0) continue;
    sizes[dim] = length;
    roll_blocks(sizes, to + target * to_strides[dim] * itemsize, to_strides,
                from + begin * from_strides[dim] * itemsize, from_strides, itemsize, shift,
                dim + 1);
  }
  sizes[dim] = n;
}
void roll_cpu(Results& out, const Tensor& input, Ints shifts, Ints dims) {
  TensorImpl* o = out[0].get();
  if (input.numel() == 0) return;
  if (dims.empty()) {  // as if it were flat
    int64_t n = input.numel(), s = (shifts[0] % n + n) % n, size = input.itemsize();
    Workspace flat(input.is_contiguous() ? 0 : size_t(n * size));
    const char* from = input.data();
    if (!input.is_contiguous()) {
      move_elements(input.sizes(), flat.as<char>(), contiguous_strides(input.sizes()), from,
                    input.strides(), size);
      from = flat.as<char>();
    }
    move_elements(Ints{n - s}, o->data + s * size, Ints{1}, from, Ints{1}, size);
    move_elements(Ints{s}, o->data, Ints{1}, from + (n - s) * size, Ints{1}, size);
    return;
  }
  int64_t shift[kMaxDims] = {};
  for (int64_t i = 0; i < dims.n; ++i) {
    int64_t d = wrap_dim(dims[i], input.dim());
    if (input.dim() == 0) break;
    shift[d] = ((shift[d] + shifts[i]) % input.sizes()[d] + input.sizes()[d]) % input.sizes()[d];
  }
  Dims sizes(input.sizes());
  roll_blocks(sizes, o->data, strides_of(o), input.data(), input.strides(), input.itemsize(), shift,
              0);
}

void repeat_into(TensorImpl* o, const Tensor& input) {
  if (o->numel == 0) return;
  Dims sizes, to, from;
  int64_t lead = o->ndim - input.dim();
  for (int64_t d = 0; d < o->ndim; ++d) {
    int64_t own = d < lead ? 1 : input.sizes()[d - lead];
    sizes.push_back(o->sizes[d] / own), to.push_back(own * o->strides()[d]), from.push_back(0);
    sizes.push_back(own), to.push_back(o->strides()[d]),
        from.push_back(d < lead ? 0 : input.strides()[d - lead]);
  }
  move_elements(sizes, o->data, to, input.data(), from, input.itemsize());
}
void repeat_cpu(Results& out, const Tensor& input, Ints) { repeat_into(out[0].get(), input); }

// ---- embed --------------------------------------------------------------------------------------

template <class T>
void add_to(T& a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    a = a || b;
  else if constexpr (std::is_same_v<T, f16> || std::is_same_v<T, bf16>)
    a = T(float(a) + float(b));
  else
    a = T(a + b);
}

// to[0], to[step], ... += from[0], from[stride], ...
template <class T>
void add_row(T* __restrict to, int64_t step, const T* __restrict from, int64_t stride, int64_t n) {
  if (step == 1 && stride == 1) {
    for (int64_t i = 0; i < n; ++i) add_to(to[i], from[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) add_to(to[i * step], from[i * stride]);
  }
}

// Adds row by row, in an order that the geometry alone decides. Leading dimensions whose windows are
// disjoint run in parallel.
template <class T>
void add_window(Ints sizes, T* to, Ints to_strides, const T* from, Ints from_strides) {
  int64_t order[2 * kMaxDims];
  Move m;
  std::iota(order, order + sizes.n, 0);
  std::stable_sort(order, order + sizes.n,
                   [&](int64_t a, int64_t b) { return to_strides[a] > to_strides[b]; });
  for (int64_t i = 0; i < sizes.n; ++i) {
    m.sizes[i] = sizes[order[i]];
    m.to[i] = to_strides[order[i]];
    m.from[i] = from_strides[order[i]];
  }
  m.n = int(sizes.n);
  if (m.n == 0) return add_to(*to, *from);
  int split = 0;  // dimensions before it step over all that the later ones span
  for (; split < m.n; ++split) {
    int64_t rest = 0;
    for (int d = split + 1; d < m.n; ++d) rest += (m.sizes[d] - 1) * m.to[d];
    if (m.to[split] <= rest) break;
  }
  split = std::min(split, m.n - 1);
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < split; ++d) outer *= m.sizes[d];
  for (int d = split; d < m.n; ++d) inner *= m.sizes[d];
  Move rest;
  rest.n = m.n - split;
  std::copy(m.sizes + split, m.sizes + m.n, rest.sizes);
  std::copy(m.to + split, m.to + m.n, rest.to);
  std::copy(m.from + split, m.from + m.n, rest.from);
  // Rows run along the input's memory.
  const int last = rest.n - 1;
  int along = last;
  for (int d = 0; d < last; ++d)
    if (rest.sizes[d] > 1 && (rest.sizes[along] == 1 || rest.from[d] < rest.from[along])) along = d;
  for (int64_t* of : {rest.sizes, rest.to, rest.from})
    std::rotate(of + along, of + along + 1, of + rest.n);
  const int64_t row = rest.sizes[last];
  parallel_for(0, outer, std::max<int64_t>(8192 / inner, 1), [&](int64_t b, int64_t e) {
    Walk w(m, rest.n, b);
    for (int64_t i = b; i < e; ++i, w.next()) {
      Walk in(rest, 1, 0);
      for (int64_t k = 0; k < inner; k += row, in.next())
        add_row(to + w.to + in.to, rest.to[last], from + w.from + in.from, rest.from[last], row);
    }
  });
}

// The transpose of pad_inside: a task per block that is padded, rows in the order of the gradient.
void pad_inside_backward_cpu(Results& out, const Tensor& g, Ints pad, std::string_view mode) {
  TensorImpl* o = out[0].get();
  zero_bytes(o->data, o->numel * itemsize(o->dtype));
  if (g.numel() == 0) return;
  const std::vector<Places> places = places_of(sizes_of(o), pad, mode);
  const Places& last = places.back();
  const int64_t lead = o->ndim - pad.n / 2, row = int64_t(last.at.size());
  Workspace own(g.is_contiguous() ? 0 : size_t(g.nbytes()));
  const char* gradients = g.data();
  if (own.as<char>()) {
    gradients = own.as<char>();
    move_elements(g.sizes(), own.as<char>(), contiguous_strides(g.sizes()), g.data(), g.strides(),
                  g.itemsize());
  }
  int64_t blocks = 1, rows = 1;
  for (int64_t d = 0; d < lead; ++d) blocks *= o->sizes[d];
  for (int64_t d = lead; d < o->ndim - 1; ++d) rows *= int64_t(places[size_t(d)].at.size());
  visit(g.dtype(), [&]<class T>() {
    const int64_t grain = std::max<int64_t>(16384 / (rows * row), 1);
    parallel_for(0, blocks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        T* to = reinterpret_cast<T*>(o->data) + b * (o->numel / blocks);
        const T* from = reinterpret_cast<const T*>(gradients) + b * rows * row;
        PlaceWalk w(places, strides_of(o), lead, 0);
        for (int64_t r = 0; r < rows; ++r, w.next(), from += row) {
          T* t = to + w.offset;
          for (int64_t i = 0; i < last.before; ++i) add_to(t[last.at[size_t(i)]], from[i]);
          for (int64_t i = 0; i < last.middle; ++i)
            add_to(t[last.first + i], from[last.before + i]);
          for (int64_t i = last.before + last.middle; i < row; ++i)
            add_to(t[last.at[size_t(i)]], from[i]);
        }
      }
    });
  });
}

bool reaches_once(Ints sizes, Ints strides) {
  int64_t order[2 * kMaxDims];
  int n = 0;
  for (int64_t d = 0; d < sizes.n; ++d)
    if (sizes[d] > 1) order[n++] = d;
  std::sort(order, order + n, [&](int64_t a, int64_t b) { return strides[a] < strides[b]; });
  int64_t span = 0;
  for (int i = 0; i < n; ++i) {
    if (strides[order[i]] <= span) return false;
    span += strides[order[i]] * (sizes[order[i]] - 1);
  }
  return true;
}

void embed_cpu(Results& out, const Tensor& input, Ints, Ints stride, int64_t offset) {
  TensorImpl* o = out[0].get();
  KG_INTERNAL(o->is(kContiguous), "embed writes row-major results");
  zero_bytes(o->data, o->numel * itemsize(o->dtype));
  if (input.numel() == 0) return;
  char* to = o->data + offset * itemsize(o->dtype);
  if (reaches_once(input.sizes(), stride)) {
    move_elements(input.sizes(), to, stride, input.data(), input.strides(), input.itemsize());
    return;
  }
  visit(input.dtype(), [&]<class T>() {
    add_window(input.sizes(), reinterpret_cast<T*>(to), stride, input.data_as<const T>(),
               input.strides());
  });
}

}  // namespace

KG_KERNEL(clone, cpu, clone_cpu)
KG_KERNEL(reshape, cpu, reshape_cpu)
KG_KERNEL(flatten, cpu, flatten_cpu)
KG_KERNEL(ravel, cpu, ravel_cpu)
KG_KERNEL(embed, cpu, embed_cpu)
KG_KERNEL(cat, cpu, cat_cpu)
KG_KERNEL(concat, cpu, cat_cpu)
KG_KERNEL(concatenate, cpu, cat_cpu)
KG_KERNEL(stack, cpu, stack_cpu)
KG_KERNEL(block_diag, cpu, block_diag_cpu)
KG_KERNEL(constant_pad_nd, cpu, pad_cpu)
KG_KERNEL(pad_inside, cpu, pad_inside_cpu)
KG_KERNEL(pad_inside_backward, cpu, pad_inside_backward_cpu)
KG_KERNEL(flip, cpu, flip_cpu)
KG_KERNEL(fliplr, cpu, fliplr_cpu)
KG_KERNEL(flipud, cpu, flipud_cpu)
KG_KERNEL(roll, cpu, roll_cpu)
KG_KERNEL(repeat, cpu, repeat_cpu)
KG_KERNEL(tile, cpu, repeat_cpu)

}  // namespace kagari
