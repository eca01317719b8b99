// See convert.h.
#include "cpu/convert.h"

#include <algorithm>
#include <bit>

#include "core/parallel.h"
#include "core/value.h"
#include "cpu/joining.h"
#include "cpu/loops.h"
#include "cpu/pointwise_convert.h"
#include "cpu/stream.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace kagari {

namespace {

const ConvertTable& kernels() {
  static const ConvertTable& table = KG_PICK(convert_table);
  return table;
}

constexpr int64_t kParallelBytes = 128 << 10;
constexpr int64_t kShortRow = 16;  // elements; rows so short do not go around the cache
constexpr int64_t kPatchLines =
    16;  // a patch of a transposition is this many cache lines wide and high
constexpr Dtype kRealOrder[kRealDtypes] = {
    Dtype::boolean, Dtype::u8,  Dtype::i8,  Dtype::i16,  Dtype::i32, Dtype::i64, Dtype::u16,
    Dtype::u32,     Dtype::u64, Dtype::f16, Dtype::bf16, Dtype::f32, Dtype::f64};
consteval bool in_order() {
  for (int i = 0; i < kRealDtypes; ++i)
    if (int(kRealOrder[i]) != i) return false;
  return true;
}
static_assert(in_order(), "the kernels' table follows the order of Dtype");

// Real and complex elements change places with the pairs' first halves.
template <class R>
void take_real(void* to, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<R*>(to)[i] = static_cast<const R*>(from)[2 * i];
}
template <class R>
void add_imaginary(void* to, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    static_cast<R*>(to)[2 * i] = static_cast<const R*>(from)[i];
    static_cast<R*>(to)[2 * i + 1] = 0;
  }
}
template <class R>
void complex_to_bool(void* to, const void* from, int64_t n) {
  auto* p = static_cast<const R*>(from);
  for (int64_t i = 0; i < n; ++i) static_cast<uint8_t*>(to)[i] = p[2 * i] != 0 || p[2 * i + 1] != 0;
}

void convert_complex(char* to, Dtype to_dtype, const char* from, Dtype from_dtype, int64_t n) {
  const ConvertTable& k = kernels();
  if (is_complex(from_dtype) && is_complex(to_dtype)) {
    k.real[int(real_dtype(from_dtype))][int(real_dtype(to_dtype))](to, from, 2 * n);
    return;
  }
  if (is_complex(from_dtype) && to_dtype == Dtype::boolean) {
    (from_dtype == Dtype::c64 ? complex_to_bool<float> : complex_to_bool<double>)(to, from, n);
    return;
  }
  constexpr int64_t kBlock = 512;
  alignas(64) double block[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    int64_t m = std::min(kBlock, n - i);
    if (is_complex(from_dtype)) {
      Dtype real = real_dtype(from_dtype);
      (real == Dtype::f32 ? take_real<float>
                          : take_real<double>)(block, from + i * itemsize(from_dtype), m);
      k.real[int(real)][int(to_dtype)](to + i * itemsize(to_dtype), block, m);
    } else {
      Dtype real = real_dtype(to_dtype);
      k.real[int(from_dtype)][int(real)](block, from + i * itemsize(from_dtype), m);
      (real == Dtype::f32 ? add_imaginary<float>
                          : add_imaginary<double>)(to + i * itemsize(to_dtype), block, m);
    }
  }
}

template <class T>
void gather_as(void* to, const char* from, int64_t stride, int64_t n) {
  auto* p = static_cast<T*>(to);
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(p + i, from + i * stride, sizeof(T));
}
template <class T>
void scatter_as(char* to, int64_t stride, const void* from, int64_t n) {
  auto* p = static_cast<const T*>(from);
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(to + i * stride, p + i, sizeof(T));
}

// The "computation" of a copy: 64 bytes per vector.
void copy_vectors(void* out, const void* const* in, const int64_t* step, const void*,
                  int64_t vectors) {
  if (step[0]) {
    __builtin_memcpy(out, in[0], size_t(vectors) * 64);
    return;
  }
  for (int64_t i = 0; i < vectors; ++i)
    __builtin_memcpy(static_cast<char*>(out) + 64 * i, in[0], 64);
}

template <class T>
void transpose_elements(char* to, int64_t to_stride, const char* from, int64_t from_stride,
                        int64_t ni, int64_t nj) {
  for (int64_t j = 0; j < nj; ++j)
    for (int64_t i = 0; i < ni; ++i)
      __builtin_memcpy(to + j * to_stride + i * int64_t(sizeof(T)),
                       from + i * from_stride + j * int64_t(sizeof(T)), sizeof(T));
}
// A copy whose two sides are fast along different dimensions.
void transpose(const Loop& l, int other) {
  const LoopOperand &to = l.op[0], &from = l.op[1];
  const int64_t size = itemsize(to.dtype);
  const int64_t side = kPatchLines * (64 / size);
  const int64_t patches = (l.sizes[other] + side - 1) / side;
  int64_t planes = l.numel / (l.sizes[0] * l.sizes[other]);
  bool stream = l.numel * size >= stream_bytes() && reinterpret_cast<uintptr_t>(to.data) % 64 == 0;
  for (int d = 1; d < l.ndim; ++d) stream = stream && to.strides[d] % 64 == 0;
  const int64_t per_patch = std::min(side, l.sizes[other]) * l.sizes[0] * size;
  parallel_for(0, planes * patches, (kParallelBytes + per_patch - 1) / per_patch,
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   int64_t plane = u / patches, j = u % patches * side,
                           nj = std::min(side, l.sizes[other] - j);
                   char* t = to.data + j * to.strides[other];
                   const char* f = from.data + j * size;
                   for (int d = 1; d < l.ndim; ++d) {
                     if (d == other) continue;
                     int64_t index = plane % l.sizes[d];
                     plane /= l.sizes[d];
                     t += index * to.strides[d];
                     f += index * from.strides[d];
                   }
                   for (int64_t i = 0; i < l.sizes[0]; i += side)
                     transpose_patch(t + i * size, to.strides[other], f + i * from.strides[0],
                                     from.strides[0], std::min(side, l.sizes[0] - i), nj, size,
                                     stream);
                 }
#if defined(__x86_64__)
                 if (stream) _mm_sfence();
#endif
               });
}

// The dimension along which `from` is fast, when it is another than to's and both are long enough
// for squares; else 0.
int transposed_dimension(const Loop& l) {
  const int64_t size = itemsize(l.op[0].dtype);
  if (l.ndim < 2 || l.op[0].strides[0] != size || l.op[1].strides[0] == size ||
      l.op[1].strides[0] == 0 || l.sizes[0] < 8)
    return 0;
  for (int d = 1; d < l.ndim; ++d)
    if (l.op[1].strides[d] == size && l.sizes[d] >= 8) return d;
  return 0;
}

}  // namespace

void transpose_patch(char* to, int64_t to_stride, const char* from, int64_t from_stride, int64_t ni,
                     int64_t nj, int64_t size, bool stream) {
  const int64_t side = 64 / size;
  const auto square = size < 16 ? kernels().transpose[std::countr_zero(uint64_t(size))] : nullptr;
  for (int64_t i = 0; i < ni; i += side)
    for (int64_t j = 0; j < nj; j += side) {
      int64_t mi = std::min(side, ni - i), mj = std::min(side, nj - j);
      char* t = to + j * to_stride + i * size;
      const char* f = from + i * from_stride + j * size;
      if (square && mi == side && mj == side) {
        square(t, to_stride, f, from_stride, stream);
        continue;
      }
      switch (size) {
        case 1:
          transpose_elements<uint8_t>(t, to_stride, f, from_stride, mi, mj);
          break;
        case 2:
          transpose_elements<uint16_t>(t, to_stride, f, from_stride, mi, mj);
          break;
        case 4:
          transpose_elements<uint32_t>(t, to_stride, f, from_stride, mi, mj);
          break;
        case 8:
          transpose_elements<uint64_t>(t, to_stride, f, from_stride, mi, mj);
          break;
        default:
          transpose_elements<Bytes16>(t, to_stride, f, from_stride, mi, mj);
      }
    }
}

namespace {

// complex32 only stores numbers, but converts: by way of complex64, as pairs of float16.
void convert_complex32(char* to, Dtype to_dtype, const char* from, Dtype from_dtype, int64_t n) {
  constexpr int64_t kBlock = 256;
  alignas(64) c64 block[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    const int64_t m = std::min(kBlock, n - i);
    const char* f = from + i * itemsize(from_dtype);
    char* t = to + i * itemsize(to_dtype);
    if (from_dtype == Dtype::c32)
      convert_block(block, Dtype::f32, f, Dtype::f16, 2 * m);
    else
      convert_block(block, Dtype::c64, f, from_dtype, m);
    if (to_dtype == Dtype::c32)
      convert_block(t, Dtype::f16, block, Dtype::f32, 2 * m);
    else
      convert_block(t, to_dtype, block, Dtype::c64, m);
  }
}

void check_convertible(Dtype d) {
  if (is_storage_only(d) && d != Dtype::c32) throw_storage_only(d);
}

}  // namespace

void convert_block(void* to, Dtype to_dtype, const void* from, Dtype from_dtype, int64_t n) {
  if (to_dtype == from_dtype) {
    __builtin_memcpy(to, from, size_t(n * itemsize(to_dtype)));
    return;
  }
  check_convertible(to_dtype);
  check_convertible(from_dtype);
  if (to_dtype == Dtype::c32 || from_dtype == Dtype::c32) {
    convert_complex32(static_cast<char*>(to), to_dtype, static_cast<const char*>(from), from_dtype,
                      n);
  } else if (is_complex(to_dtype) || is_complex(from_dtype)) {
    convert_complex(static_cast<char*>(to), to_dtype, static_cast<const char*>(from), from_dtype,
                    n);
  } else {
    kernels().real[int(from_dtype)][int(to_dtype)](to, from, n);
  }
}

void gather(void* to, const char* from, int64_t stride, int64_t size, int64_t n) {
  if (stride == size) {
    __builtin_memcpy(to, from, size_t(n * size));
    return;
  }
  switch (size) {
    case 1:
      return gather_as<uint8_t>(to, from, stride, n);
    case 2:
      return gather_as<uint16_t>(to, from, stride, n);
    case 4:
      return gather_as<uint32_t>(to, from, stride, n);
    case 8:
      return gather_as<uint64_t>(to, from, stride, n);
    default:
      return gather_as<Bytes16>(to, from, stride, n);
  }
}
void scatter(char* to, int64_t stride, const void* from, int64_t size, int64_t n) {
  if (stride == size) {
    __builtin_memcpy(to, from, size_t(n * size));
    return;
  }
  switch (size) {
    case 1:
      return scatter_as<uint8_t>(to, stride, from, n);
    case 2:
      return scatter_as<uint16_t>(to, stride, from, n);
    case 4:
      return scatter_as<uint32_t>(to, stride, from, n);
    case 8:
      return scatter_as<uint64_t>(to, stride, from, n);
    default:
      return scatter_as<Bytes16>(to, stride, from, n);
  }
}

void convert(const TensorImpl* to, const TensorImpl* from) {
  if (to->numel == 0) return;
  const bool same = to->dtype == from->dtype;
  if (!same) {  // before any thread starts
    check_convertible(to->dtype);
    check_convertible(from->dtype);
  }
  Loop l;
  l.shape({to->sizes, to->ndim});
  l.add(to, to->dtype);
  l.add(from, to->dtype);
  simplify(l);
  const int64_t size = itemsize(to->dtype), from_size = itemsize(from->dtype);
  const LoopOperand &a = l.op[0], &b = l.op[1];
  if (l.ndim == 1 && a.strides[0] == size && b.strides[0] == from_size) {
    if (same && a.data == b.data) return;
    if (same && l.numel * size >= stream_bytes()) {
      run_loop(l, {&copy_vectors, int(64 / size)});
      return;
    }
    parallel_for(0, l.numel, std::max<int64_t>(1, kParallelBytes / size),
                 [&](int64_t begin, int64_t end) {
                   convert_block(a.data + begin * size, a.dtype, b.data + begin * from_size,
                                 b.dtype, end - begin);
                 });
    return;
  }
  if (int other = same ? transposed_dimension(l) : 0) {
    transpose(l, other);
    return;
  }
  if (same && (l.numel * size < stream_bytes() || l.sizes[0] <= kShortRow)) {
    Dims sizes, to_strides, from_strides;  // in elements, outermost first
    bool itself = a.data == b.data;
    for (int d = l.ndim - 1; d >= 0; --d) {
      sizes.push_back(l.sizes[d]);
      to_strides.push_back(a.strides[d] / size);
      from_strides.push_back(b.strides[d] / size);
      itself = itself && a.strides[d] == b.strides[d];
    }
    if (!itself) move_elements(sizes, a.data, to_strides, b.data, from_strides, size);
    return;
  }
  run_loop(l, {&copy_vectors, int(64 / size)});
}

pointwise::Span copy_span() { return &copy_vectors; }

void store_scalar(void* to, Dtype dtype, const Scalar& value) {
  if (value.is_complex()) {
    c128 z = value.to_complex();
    convert_block(to, dtype, &z, Dtype::c128, 1);
  } else if (value.is_integral()) {
    convert_block(to, dtype, &value.i, value.is_u64 ? Dtype::u64 : Dtype::i64, 1);
  } else {
    convert_block(to, dtype, &value.d, Dtype::f64, 1);
  }
}

}  // namespace kagari
