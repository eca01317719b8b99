// CPU kernels that only move elements: copies, joins, repetitions, padding, and the gradient of
// strided views.
#include "cpu/joining.h"

#include <algorithm>
#include <numeric>

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
void move_row(T* to, int64_t ts, const T* from, int64_t fs, int64_t n) {
  if (ts == 1 && fs == 1) {
    copy_row(reinterpret_cast<char*>(to), reinterpret_cast<const char*>(from),
             size_t(n) * sizeof(T));
  } else if (ts == 1 && fs == 0) {
    std::fill(to, to + n, *from);
  } else if (ts == 1 && fs == -1) {
    std::reverse_copy(from - n + 1, from + 1, to);
  } else if (ts == 1) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * fs];
  } else {
    for (int64_t i = 0; i < n; ++i) to[i * ts] = from[i * fs];
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
  parallel_for(0, rows, std::max<int64_t>(grain / row, 1), [&](int64_t b, int64_t e) {
    Walk w(m, 1, b);
    for (int64_t i = b; i < e; ++i, w.next())
      move_row(to + w.to, m.to[last], from + w.from, m.from[last], row);
  });
}

// The target's fastest dimension differs from the source's: both are walked in square tiles, so
// that every cache line that is touched is used while it is there.
template <class T>
void move_tiles(const Move& m, T* to, const T* from) {
  constexpr int64_t kTile = sizeof(T) >= 8 ? 16 : 32;
  int a = m.n - 2, b = m.n - 1;  // a: fast in the source, b: fast in the target
  int64_t na = m.sizes[a], nb = m.sizes[b], outer = 1;
  for (int d = 0; d < a; ++d) outer *= m.sizes[d];
  int64_t strips = (na + kTile - 1) / kTile;
  int64_t grain = std::max<int64_t>(kGrainBytes / int64_t(sizeof(T)) / (kTile * nb), 1);
  parallel_for(0, outer * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s) {
      Walk w(m, 2, s / strips);
      int64_t a0 = s % strips * kTile, a1 = std::min(na, a0 + kTile);
      for (int64_t b0 = 0; b0 < nb; b0 += kTile) {
        int64_t count = std::min(nb - b0, kTile);
        for (int64_t i = a0; i < a1; ++i)
          move_row(to + w.to + i * m.to[a] + b0 * m.to[b], m.to[b],
                   from + w.from + i * m.from[a] + b0 * m.from[b], m.from[b], count);
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
  int last = m.n - 1, fast = last;
  for (int d = 0; d < last; ++d)
    if (m.from[d] != 0 && std::abs(m.from[d]) < std::abs(m.from[fast])) fast = d;
  by_size(itemsize, [&]<class T>() {
    T* t = reinterpret_cast<T*>(to);
    const T* f = reinterpret_cast<const T*>(from);
    if (fast == last || m.sizes[fast] < 4 || m.sizes[last] < 4) return move_rows(m, t, f);
    for (int d = fast; d + 1 < last; ++d) {
      std::swap(m.sizes[d], m.sizes[d + 1]);
      std::swap(m.to[d], m.to[d + 1]);
      std::swap(m.from[d], m.from[d + 1]);
    }
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
void stack_cpu(Results& out, TensorList tensors, int64_t dim) {
  TensorImpl* o = out[0].get();
  dim = wrap_dim(dim, o->ndim);
  Dims strides(strides_of(o));
  strides.erase(dim);
  for (int64_t i = 0; i < tensors.n; ++i)
    move_into(o, i * o->strides()[dim], sizes_of(tensors.at(i)), strides, tensors.at(i));
}

void pad_cpu(Results& out, const Tensor& input, Ints pad, Scalar value) {
  TensorImpl* o = out[0].get();
  int64_t size = itemsize(o->dtype);
  alignas(16) char one[16] = {};
  store_scalar(one, o->dtype, value);
  Dims none(o->ndim, 0), sizes(input.sizes());
  move_elements(sizes_of(o), o->data, strides_of(o), one, none, size);
  char* to = o->data;
  const char* from = input.data();
  for (int64_t i = 0; i < pad.n / 2; ++i) {
    int64_t d = input.dim() - 1 - i, before = pad[2 * i], after = pad[2 * i + 1];
    to += std::max<int64_t>(before, 0) * o->strides()[d] * size;
    from += std::max<int64_t>(-before, 0) * input.strides()[d] * size;
    sizes[d] += std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
    if (sizes[d] <= 0) return;
  }
  move_elements(sizes, to, strides_of(o), from, input.strides(), size);
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

// Adds in the order of the input's elements. Leading dimensions whose windows are disjoint run in
// parallel.
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
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < split; ++d) outer *= m.sizes[d];
  for (int d = split; d < m.n; ++d) inner *= m.sizes[d];
  Move rest;
  rest.n = m.n - split;
  std::copy(m.sizes + split, m.sizes + m.n, rest.sizes);
  std::copy(m.to + split, m.to + m.n, rest.to);
  std::copy(m.from + split, m.from + m.n, rest.from);
  parallel_for(0, outer, std::max<int64_t>(8192 / inner, 1), [&](int64_t b, int64_t e) {
    Walk w(m, rest.n, b);
    for (int64_t i = b; i < e; ++i, w.next()) {
      Walk in(rest, 0, 0);
      for (int64_t k = 0; k < inner; ++k, in.next())
        add_to(to[w.to + in.to], from[w.from + in.from]);
    }
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
KG_KERNEL(constant_pad_nd, cpu, pad_cpu)
KG_KERNEL(flip, cpu, flip_cpu)
KG_KERNEL(fliplr, cpu, fliplr_cpu)
KG_KERNEL(flipud, cpu, flipud_cpu)
KG_KERNEL(roll, cpu, roll_cpu)
KG_KERNEL(repeat, cpu, repeat_cpu)
KG_KERNEL(tile, cpu, repeat_cpu)

}  // namespace kagari
