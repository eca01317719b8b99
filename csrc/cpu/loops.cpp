// See loops.h.
#include "cpu/loops.h"

#include <unistd.h>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/stream.h"

namespace kagari {

namespace {

constexpr int64_t kVector = 64;        // the widest vector, bytes
constexpr int64_t kBlockBytes = 4096;  // of one operand's buffer
constexpr int64_t kParallel = 16384;   // elements that are worth a second thread
constexpr int64_t kShortRow = 64;      // rows below this length are computed several at a time

// Up to 64 bytes without a call.
inline void copy_small(char* to, const char* from, int64_t n) {
  if (n >= 32) {
    __builtin_memcpy(to, from, 32);
    __builtin_memcpy(to + n - 32, from + n - 32, 32);
  } else if (n >= 16) {
    __builtin_memcpy(to, from, 16);
    __builtin_memcpy(to + n - 16, from + n - 16, 16);
  } else if (n >= 8) {
    __builtin_memcpy(to, from, 8);
    __builtin_memcpy(to + n - 8, from + n - 8, 8);
  } else if (n >= 4) {
    __builtin_memcpy(to, from, 4);
    __builtin_memcpy(to + n - 4, from + n - 4, 4);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

void splat(char* to, const char* value, int64_t size) {
  __builtin_memcpy(to, value, size_t(size));
  for (int64_t have = size; have < kVector; have *= 2)
    __builtin_memcpy(to + have, to, size_t(have));
}

struct alignas(kVector) Buffers {
  char bytes[Loop::kMaxOperands][kBlockBytes];
};

bool fits(const LoopOperand& o) {
  return o.dtype == o.want && (o.via == Dtype::undefined || o.via == o.want);
}

// Elements in the dtype of memory become elements in the dtype of the kernel.
void bring(char* to, const char* from, const LoopOperand& o, int64_t n) {
  if (o.via == Dtype::undefined || o.via == o.dtype || o.via == o.want) {
    convert_block(to, o.want, from, o.dtype, n);
  } else {
    alignas(kVector) char rounded[kBlockBytes];
    convert_block(rounded, o.via, from, o.dtype, n);
    convert_block(to, o.want, rounded, o.via, n);
  }
}

// One element for all: a vector of it.
void bring_single(char* to, const char* from, const LoopOperand& operand) {
  char one[16];
  LoopOperand o;
  o.dtype = operand.dtype;
  o.via = operand.via;
  o.want = operand.splat == Dtype::undefined ? operand.want : operand.splat;
  bring(one, from, o, 1);
  splat(to, one, itemsize(o.want));
}

// Everything a run needs that does not change from block to block.
struct Run {
  const Loop& loop;
  const SpanCall& call;
  int64_t sizes[Loop::kMaxOperands];     // bytes per element in the kernel
  int64_t memory[Loop::kMaxOperands];    // and in memory
  bool direct[Loop::kMaxOperands] = {};  // contiguous in the wanted dtype
  bool dense[Loop::kMaxOperands] = {};   // the same over all dimensions
  alignas(kVector) char singles[Loop::kMaxOperands][kVector];
  int64_t block;  // elements per block

  Run(const Loop& l, const SpanCall& c) : loop(l), call(c) {
    int64_t widest = 1;
    for (int k = 0; k < l.operands; ++k) {
      const LoopOperand& o = l.op[k];
      sizes[k] = itemsize(o.want);
      memory[k] = itemsize(o.dtype);
      widest =
          std::max({widest, sizes[k], memory[k], o.via == Dtype::undefined ? 1 : itemsize(o.via)});
      if (k > 0 && o.single) bring_single(singles[k], o.data, o);
      direct[k] = fits(o) && (l.ndim == 0 || o.strides[0] == memory[k]);
      int64_t expected = memory[k];
      bool follows = true;
      for (int d = 0; d < l.ndim; ++d) {
        follows = follows && o.strides[d] == expected;
        expected *= l.sizes[d];
      }
      dense[k] = follows && fits(o);
    }
    block = kBlockBytes / widest;
  }
};

void flat(const Run& r, int64_t begin, int64_t end, bool stream) {
  const Loop& l = r.loop;
  const void* in[Loop::kMaxOperands];
  uint32_t single = 0;
  for (int k = 1; k < l.operands; ++k) {
    single |= uint32_t(l.op[k].single) << (k - 1);
    in[k - 1] = l.op[k].single ? r.singles[k] : l.op[k].data + begin * r.sizes[k];
  }
  char* out = l.op[0].data + begin * r.sizes[0];
  if (!stream) {
    run_span(r.call, out, in, r.sizes, l.operands, single, end - begin);
    return;
  }
  alignas(kVector) char buffer[kBlockBytes];
  int64_t step = kBlockBytes / r.sizes[0];
  for (int64_t i = begin; i < end; i += step) {
    int64_t n = std::min(step, end - i);
    run_span(r.call, n == step ? buffer : out, in, r.sizes, l.operands, single, n);
    if (n == step) stream_out(out, buffer, kBlockBytes);
    out += n * r.sizes[0];
    for (int k = 1; k < l.operands; ++k)
      if (!l.op[k].single) in[k - 1] = static_cast<const char*>(in[k - 1]) + n * r.sizes[k];
  }
  stream_end();
}

// Where a walk over the outer dimensions stands.
struct Walk {
  const Loop& l;
  int from;
  int64_t index[kMaxDims];
  int64_t offset[Loop::kMaxOperands];
  Walk(const Loop& loop, int first_dim, int64_t position) : l(loop), from(first_dim) {
    for (int k = 0; k < l.operands; ++k) offset[k] = 0;
    for (int d = from; d < l.ndim; ++d) {
      index[d] = position % l.sizes[d];
      position /= l.sizes[d];
      for (int k = 0; k < l.operands; ++k) offset[k] += index[d] * l.op[k].strides[d];
    }
  }
  void next() {
    for (int d = from; d < l.ndim; ++d) {
      if (++index[d] < l.sizes[d]) {
        for (int k = 0; k < l.operands; ++k) offset[k] += l.op[k].strides[d];
        return;
      }
      for (int k = 0; k < l.operands; ++k) offset[k] -= l.op[k].strides[d] * (l.sizes[d] - 1);
      index[d] = 0;
    }
  }
};

// Rows long enough to be computed one by one; unit u is block u % per_row of row u / per_row.
void rows(const Run& r, int64_t begin, int64_t end, int64_t per_row, bool stream) {
  const Loop& l = r.loop;
  Buffers buffers;
  alignas(kVector) char raw[kBlockBytes];
  alignas(kVector) char splats[Loop::kMaxOperands][kVector];
  Walk w(l, 1, begin / per_row);
  int64_t at = begin % per_row;
  for (int64_t u = begin; u < end; ++u) {
    int64_t start = at * r.block, n = std::min(r.block, l.sizes[0] - start);
    const void* in[Loop::kMaxOperands];
    uint32_t single = 0;
    for (int k = 1; k < l.operands; ++k) {
      const LoopOperand& o = l.op[k];
      const char* p = o.data + w.offset[k] + start * o.strides[0];
      if (o.single) {
        in[k - 1] = r.singles[k];
        single |= 1u << (k - 1);
      } else if (o.strides[0] == 0) {
        bring_single(splats[k], p, o);
        in[k - 1] = splats[k];
        single |= 1u << (k - 1);
      } else if (r.direct[k]) {
        in[k - 1] = p;
      } else if (o.strides[0] == r.memory[k]) {
        bring(buffers.bytes[k], p, o, n);
        in[k - 1] = buffers.bytes[k];
      } else if (fits(o)) {
        gather(buffers.bytes[k], p, o.strides[0], r.memory[k], n);
        in[k - 1] = buffers.bytes[k];
      } else {
        gather(raw, p, o.strides[0], r.memory[k], n);
        bring(buffers.bytes[k], raw, o, n);
        in[k - 1] = buffers.bytes[k];
      }
    }
    const LoopOperand& o = l.op[0];
    char* out = o.data + w.offset[0] + start * o.strides[0];
    const bool around =
        stream && (reinterpret_cast<uintptr_t>(out) | uintptr_t(n * r.sizes[0])) % 16 == 0;
    run_span(r.call, r.direct[0] && !around ? out : buffers.bytes[0], in, r.sizes, l.operands,
             single, n);
    if (around) {
      stream_out(out, buffers.bytes[0], n * r.sizes[0]);
    } else if (!r.direct[0]) {
      if (o.strides[0] == r.memory[0]) {
        convert_block(out, o.dtype, buffers.bytes[0], o.want, n);
      } else {
        convert_block(raw, o.dtype, buffers.bytes[0], o.want, n);
        scatter(out, o.strides[0], raw, r.memory[0], n);
      }
    }
    if (++at == per_row) {
      at = 0;
      w.next();
    }
  }
  if (stream) stream_end();
}

// Dimension 1 is fast in some operand, dimension 0 in the output: squares of both, turned while
// they are in the cache.
struct Tiles {
  int64_t width, height, across,
      down;  // a tile's elements along dimensions 0 and 1; tiles along them
  Tiles(const Run& r) {
    width = std::min<int64_t>(64, r.loop.sizes[0]);
    height = std::max<int64_t>(1, std::min(r.block / width, r.loop.sizes[1]));
    across = (r.loop.sizes[0] + width - 1) / width;
    down = (r.loop.sizes[1] + height - 1) / height;
  }
};
void tiles(const Run& r, const Tiles& t, int64_t begin, int64_t end) {
  const Loop& l = r.loop;
  Buffers buffers;
  alignas(kVector) char raw[kBlockBytes];
  alignas(kVector) char splats[Loop::kMaxOperands][kVector];
  for (int64_t u = begin; u < end; ++u) {
    Walk w(l, 2, u / (t.across * t.down));
    const int64_t i = u % t.across * t.width, j = u / t.across % t.down * t.height;
    const int64_t ni = std::min(t.width, l.sizes[0] - i), nj = std::min(t.height, l.sizes[1] - j);
    const void* in[Loop::kMaxOperands];
    uint32_t single = 0;
    for (int k = 1; k < l.operands; ++k) {
      const LoopOperand& o = l.op[k];
      const char* p = o.data + w.offset[k] + i * o.strides[0] + j * o.strides[1];
      if (o.single) {
        in[k - 1] = r.singles[k];
        single |= 1u << (k - 1);
        continue;
      }
      if (o.strides[0] == 0 && o.strides[1] == 0) {
        bring_single(splats[k], p, o);
        in[k - 1] = splats[k];
        single |= 1u << (k - 1);
        continue;
      }
      char* to = fits(o) ? buffers.bytes[k] : raw;
      if (o.strides[1] == r.memory[k] && o.strides[0] != r.memory[k] && o.strides[0] != 0) {
        transpose_patch(to, ni * r.memory[k], p, o.strides[0], ni, nj, r.memory[k], false);
      } else {
        for (int64_t m = 0; m < nj; ++m)
          gather(to + m * ni * r.memory[k], p + m * o.strides[1], o.strides[0], r.memory[k], ni);
      }
      if (!fits(o)) bring(buffers.bytes[k], raw, o, ni * nj);
      in[k - 1] = buffers.bytes[k];
    }
    run_span(r.call, buffers.bytes[0], in, r.sizes, l.operands, single, ni * nj);
    const LoopOperand& o = l.op[0];
    const char* from = buffers.bytes[0];
    if (!fits(o)) {
      convert_block(raw, o.dtype, from, o.want, ni * nj);
      from = raw;
    }
    char* out = o.data + w.offset[0] + i * o.strides[0] + j * o.strides[1];
    for (int64_t m = 0; m < nj; ++m)
      scatter(out + m * o.strides[1], o.strides[0], from + m * ni * r.memory[0], r.memory[0], ni);
  }
}

// Moves a dimension along which an operand is fast, while the output is not, to place 1.
bool find_tiles(Loop& l) {
  if (l.ndim < 2 || l.sizes[0] < 8) return false;
  for (int k = 1; k < l.operands; ++k) {
    const LoopOperand& o = l.op[k];
    const int64_t size = itemsize(o.dtype);
    if (o.single || o.strides[0] == size || o.strides[0] == 0) continue;
    for (int d = 1; d < l.ndim; ++d) {
      if (o.strides[d] != size || l.sizes[d] < 8) continue;
      std::swap(l.sizes[1], l.sizes[d]);
      for (int m = 0; m < l.operands; ++m) std::swap(l.op[m].strides[1], l.op[m].strides[d]);
      return true;
    }
  }
  return false;
}

// Short rows: blocks of the linear index, each gathered from several rows.
void short_rows(const Run& r, int64_t begin, int64_t end, bool stream) {
  const Loop& l = r.loop;
  Buffers buffers;
  alignas(kVector) char raw[kBlockBytes];
  const int64_t row = l.sizes[0];
  const int64_t block =
      r.block / row * row;  // whole rows: what repeats with every row is gathered once
  bool repeats[Loop::kMaxOperands] = {};
  for (int k = 1; k < l.operands; ++k) {
    repeats[k] = begin % row == 0;
    for (int d = 1; d < l.ndim; ++d) repeats[k] = repeats[k] && l.op[k].strides[d] == 0;
  }
  for (int64_t at = begin; at < end; at += block) {
    int64_t n = std::min(block, end - at);
    auto move = [&](int k, char* buffer, bool out) {  // between operand k and a contiguous block
      Walk w(l, 1, at / row);
      int64_t first = at % row;
      for (int64_t done = 0; done < n;) {
        int64_t count = std::min(row - first, n - done);
        char* p = l.op[k].data + w.offset[k] + first * l.op[k].strides[0];
        char* b = buffer + done * r.memory[k];
        if (out) {
          scatter(p, l.op[k].strides[0], b, r.memory[k], count);
        } else {
          gather(b, p, l.op[k].strides[0], r.memory[k], count);
        }
        done += count;
        first = 0;
        w.next();
      }
    };
    const void* in[Loop::kMaxOperands];
    uint32_t single = 0;
    for (int k = 1; k < l.operands; ++k) {
      const LoopOperand& o = l.op[k];
      if (o.single) {
        in[k - 1] = r.singles[k];
        single |= 1u << (k - 1);
      } else if (r.dense[k]) {
        in[k - 1] = o.data + at * r.memory[k];
      } else {
        if (!repeats[k] || at == begin) {
          move(k, fits(o) ? buffers.bytes[k] : raw, false);
          if (!fits(o)) bring(buffers.bytes[k], raw, o, n);
        }
        in[k - 1] = buffers.bytes[k];
      }
    }
    const LoopOperand& o = l.op[0];
    char* out = r.dense[0] ? o.data + at * r.memory[0] : nullptr;
    const bool around =
        stream && (reinterpret_cast<uintptr_t>(out) | uintptr_t(n * r.sizes[0])) % 16 == 0;
    run_span(r.call, out && !around ? out : buffers.bytes[0], in, r.sizes, l.operands, single, n);
    if (around) {
      stream_out(out, buffers.bytes[0], n * r.sizes[0]);
    } else if (!out) {
      convert_block(raw, o.dtype, buffers.bytes[0], o.want, n);
      move(0, raw, true);
    }
  }
  if (stream) stream_end();
}

}  // namespace

void Loop::shape(Ints s) {
  ndim = int(s.size());
  numel = 1;
  for (int d = 0; d < ndim; ++d) {
    sizes[d] = s[d];
    numel *= s[d];
  }
}

LoopOperand& Loop::add(const TensorImpl* t, Dtype want) {
  LoopOperand& o = op[operands++];
  o.data = t->data;
  o.dtype = t->dtype;
  o.want = want;
  o.via = o.splat = Dtype::undefined;
  o.single = t->numel == 1 && numel != 1;
  int64_t size = itemsize(t->dtype);
  int missing = ndim - t->ndim;
  for (int d = 0; d < ndim; ++d) {
    int e = d - missing;
    o.strides[d] = e < 0 || (t->sizes[e] == 1 && sizes[d] != 1) ? 0 : t->strides()[e] * size;
  }
  return o;
}

LoopOperand& Loop::add_number(void* value, Dtype want) {
  LoopOperand& o = op[operands++];
  o.data = static_cast<char*>(value);
  o.dtype = o.want = want;
  o.via = o.splat = Dtype::undefined;
  o.single = true;
  for (int d = 0; d < ndim; ++d) o.strides[d] = 0;
  return o;
}

void simplify(Loop& l) {
  // Drop dimensions of size 1; innermost first.
  int n = 0;
  for (int d = 0; d < l.ndim; ++d) {
    if (l.sizes[d] == 1) continue;
    l.sizes[n] = l.sizes[d];
    for (int k = 0; k < l.operands; ++k) l.op[k].strides[n] = l.op[k].strides[d];
    ++n;
  }
  l.ndim = n;
  if (n == 0) {  // one element
    n = 1;
    l.sizes[0] = 1;
    for (int k = 0; k < l.operands; ++k)
      l.op[k].strides[0] = l.op[k].single ? 0 : itemsize(l.op[k].dtype);
  }
  auto exchange = [&](int a, int b) {
    std::swap(l.sizes[a], l.sizes[b]);
    for (int k = 0; k < l.operands; ++k) std::swap(l.op[k].strides[a], l.op[k].strides[b]);
  };
  for (int a = 0, b = n - 1; a < b; ++a, --b) exchange(a, b);
  // Insertion sort by the strides of the first operand that tells two dimensions apart.
  auto after = [&](int a, int b) {
    for (int k = 0; k < l.operands; ++k) {
      int64_t x = std::abs(l.op[k].strides[a]), y = std::abs(l.op[k].strides[b]);
      if (x == 0 || y == 0 || x == y) continue;
      return x > y;
    }
    return false;
  };
  for (int i = 1; i < n; ++i)
    for (int j = i; j > 0 && after(j - 1, j); --j) exchange(j - 1, j);
  // Merge neighbours that every operand steps through evenly.
  int last = 0;
  for (int d = 1; d < n; ++d) {
    bool even = true;
    for (int k = 0; k < l.operands; ++k)
      even = even && l.op[k].strides[d] == l.op[k].strides[last] * l.sizes[last];
    if (even) {
      l.sizes[last] *= l.sizes[d];
      continue;
    }
    ++last;
    l.sizes[last] = l.sizes[d];
    for (int k = 0; k < l.operands; ++k) l.op[k].strides[last] = l.op[k].strides[d];
  }
  l.ndim = last + 1;
}

void run_span(const SpanCall& call, void* out, const void* const* in, const int64_t* sizes,
              int operands, uint32_t single, int64_t n) {
  int64_t step[Loop::kMaxOperands];
  for (int k = 1; k < operands; ++k)
    step[k - 1] = single >> (k - 1) & 1 ? 0 : call.lanes * sizes[k];
  int64_t vectors = n / call.lanes, rest = n - vectors * call.lanes;
  if (vectors) call.span(out, in, step, call.attributes, vectors);
  if (rest == 0) return;
  // The rest is padded to a vector with bytes that no integer division trips over.
  alignas(kVector) char padded[Loop::kMaxOperands][kVector];
  const void* from[Loop::kMaxOperands];
  for (int k = 1; k < operands; ++k) {
    if (single >> (k - 1) & 1) {
      from[k - 1] = in[k - 1];
      continue;
    }
    const char* p = static_cast<const char*>(in[k - 1]) + vectors * step[k - 1];
    if (call.pad) {
      call.pad(padded[k], p, rest * sizes[k]);
    } else {
      __builtin_memset(padded[k], 1, kVector);
      copy_small(padded[k], p, rest * sizes[k]);
    }
    from[k - 1] = padded[k];
  }
  call.span(padded[0], from, step, call.attributes, 1);
  copy_small(static_cast<char*>(out) + vectors * call.lanes * sizes[0], padded[0], rest * sizes[0]);
}

int64_t stream_bytes() {
  static const int64_t bytes = [] {
    // What the system reports may be the cache of a whole host, of which a program has a part.
    int64_t half = sysconf(_SC_LEVEL3_CACHE_SIZE) / 2;
    return std::clamp<int64_t>(half, int64_t(4) << 20, int64_t(16) << 20);
  }();
  return bytes;
}

namespace {

// Whether the output is large, aligned and apart from all inputs: then its lines need not be read
// before they are written.
bool bypasses_cache(const Run& r) {
  const Loop& l = r.loop;
  const int64_t bytes = l.numel * r.sizes[0];
  if (!r.dense[0] || !streams(l.op[0].data, bytes)) return false;
  const char* out = l.op[0].data;
  for (int k = 1; k < l.operands; ++k) {
    int64_t last = r.memory[k];
    for (int d = 0; d < l.ndim; ++d) last += l.op[k].strides[d] * (l.sizes[d] - 1);
    if (l.op[k].data < out + bytes && l.op[k].data + last > out) return false;
  }
  return true;
}

// Whether every operand is either contiguous over all rows or the same in every row (a bias).
bool whole_or_repeating(const Run& r) {
  for (int k = 0; k < r.loop.operands; ++k) {
    bool repeats = k > 0;
    for (int d = 1; d < r.loop.ndim; ++d) repeats = repeats && r.loop.op[k].strides[d] == 0;
    if (!repeats && !r.dense[k] && !r.loop.op[k].single) return false;
  }
  return true;
}

}  // namespace

void run_loop(Loop& l, const SpanCall& call) {
  if (l.numel == 0) return;
  simplify(l);
  bool tiled = find_tiles(l);
  Run r(l, call);
  const bool stream = bypasses_cache(r);
  bool all_flat = l.ndim <= 1 && r.direct[0];
  for (int k = 1; k < l.operands; ++k) all_flat = all_flat && (l.op[k].single || r.direct[k]);
  if (all_flat) {
    // Ranges start where vectors do, so that streamed stores stay aligned.
    parallel_for(0, l.numel, kParallel, [&](int64_t b, int64_t e) { flat(r, b, e, stream); });
  } else if (tiled) {
    Tiles t(r);
    const int64_t units = l.numel / (l.sizes[0] * l.sizes[1]) * t.across * t.down;
    parallel_for(0, units, kParallel / (t.width * t.height) + 1,
                 [&](int64_t b, int64_t e) { tiles(r, t, b, e); });
  } else if (l.sizes[0] >= kShortRow && !(l.sizes[0] * 4 <= r.block && whole_or_repeating(r))) {
    int64_t per_row = (l.sizes[0] + r.block - 1) / r.block, units = l.numel / l.sizes[0] * per_row;
    int64_t per_unit = std::min(r.block, l.sizes[0]);
    parallel_for(0, units, kParallel / per_unit + 1,
                 [&](int64_t b, int64_t e) { rows(r, b, e, per_row, stream); });
  } else {
    const int64_t row = std::max<int64_t>(1, l.sizes[0]);
    parallel_for(0, l.numel, (kParallel + row - 1) / row * row,
                 [&](int64_t b, int64_t e) { short_rows(r, b, e, stream); });
  }
}

}  // namespace kagari
