// Random numbers on the CPU: PyTorch's algorithms on its generator, so that the same seed gives the
// same numbers.
//
// The reference is PyTorch's AVX2 build without MKL: floats take 24 bits of one word, doubles 53
// bits of two; normal numbers come in blocks of 16 by Box and Muller from 16 uniform ones (float:
// with the polynomials of Cephes for log, sin and cos, whose fused multiply-adds are part of the
// result), or one by one for fewer than 16.
#include "cpu/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "ops/random.h"

namespace kagari {

KG_DECLARE_ROW(rand)
KG_DECLARE_ROW(randn)

namespace {

// ---- Cephes in eight lanes ----------------------------------------------------------------------

#pragma GCC diagnostic ignored "-Wpsabi"  // the vectors never cross a function that is not inlined
typedef float v8 __attribute__((vector_size(32)));
typedef int32_t i8 __attribute__((vector_size(32)));

#define KG_FMA_TARGET __attribute__((target("avx2,fma")))

// fma() lane by lane: one instruction where the processor has it, the same bits where it does not.
KG_FMA_TARGET inline v8 fma8_fast(v8 a, v8 b, v8 c) {
  return (v8)__builtin_ia32_vfmaddps256(a, b, c);
}
inline v8 fma8_slow(v8 a, v8 b, v8 c) {
  v8 r;
  for (int k = 0; k < 8; ++k) r[k] = std::fma(a[k], b[k], c[k]);
  return r;
}

struct Fast {
  KG_FMA_TARGET static v8 fma(v8 a, v8 b, v8 c) { return fma8_fast(a, b, c); }
};
struct Slow {
  static v8 fma(v8 a, v8 b, v8 c) { return fma8_slow(a, b, c); }
};

#define KG_BOX_MULLER(name, target_attribute, Ops)                                     \
  target_attribute void name(float* data, int64_t blocks, float mean, float std) {     \
    auto all = [](float c) target_attribute { return v8{c, c, c, c, c, c, c, c}; };    \
    for (int64_t b = 0; b < blocks; ++b, data += 16) {                                 \
      v8 first, second;                                                                \
      __builtin_memcpy(&first, data, 32);                                              \
      __builtin_memcpy(&second, data + 8, 32);                                         \
      /* log(1 - u) */                                                                 \
      v8 x = 1.0f - first;                                                             \
      x = x > all(0x1p-126f) ? x : all(0x1p-126f);                                     \
      i8 bits = (i8)x;                                                                 \
      i8 exponent = (bits >> 23) - 0x7f;                                               \
      x = (v8)((bits & 0x807fffff) | 0x3f000000);                                      \
      v8 e = __builtin_convertvector(exponent, v8) + 1.0f;                             \
      i8 small = x < 0.707106781186547524f;                                            \
      v8 extra = (v8)((i8)x & small);                                                  \
      x = x - 1.0f;                                                                    \
      e = e - (v8)((i8)all(1.0f) & small);                                             \
      x = x + extra;                                                                   \
      v8 z = x * x;                                                                    \
      v8 y = all(7.0376836292E-2f);                                                    \
      y = Ops::fma(y, x, all(-1.1514610310E-1f));                                      \
      y = Ops::fma(y, x, all(1.1676998740E-1f));                                       \
      y = Ops::fma(y, x, all(-1.2420140846E-1f));                                      \
      y = Ops::fma(y, x, all(1.4249322787E-1f));                                       \
      y = Ops::fma(y, x, all(-1.6668057665E-1f));                                      \
      y = Ops::fma(y, x, all(2.0000714765E-1f));                                       \
      y = Ops::fma(y, x, all(-2.4999993993E-1f));                                      \
      y = Ops::fma(y, x, all(3.3333331174E-1f));                                       \
      y = y * x;                                                                       \
      y = Ops::fma(y, z, e * all(-2.12194440e-4f));                                    \
      y = Ops::fma(-z, all(0.5f), y);                                                  \
      x = x + y;                                                                       \
      x = Ops::fma(e, all(0.693359375f), x);                                           \
      v8 square = x * -2.0f, radius;                                                   \
      for (int k = 0; k < 8; ++k) radius[k] = __builtin_sqrtf(square[k]);              \
      /* sin and cos of 2 pi u */                                                      \
      v8 t = second * 6.283185307179586f;                                              \
      i8 sign_sin = (i8)t & int32_t(0x80000000);                                       \
      t = (v8)((i8)t & 0x7fffffff);                                                    \
      v8 q = t * 1.27323954473516f;                                                    \
      i8 j = (__builtin_convertvector(q, i8) + 1) & ~1;                                \
      q = __builtin_convertvector(j, v8);                                              \
      sign_sin ^= (j & 4) << 29;                                                       \
      i8 sign_cos = (~(j - 2) & 4) << 29;                                              \
      i8 plain = (j & 2) == 0;                                                         \
      t = Ops::fma(q, all(-0.78515625f), t);                                           \
      t = Ops::fma(q, all(-2.4187564849853515625e-4f), t);                             \
      t = Ops::fma(q, all(-3.77489497744594108e-8f), t);                               \
      z = t * t;                                                                       \
      v8 c = Ops::fma(all(2.443315711809948E-005f), z, all(-1.388731625493765E-003f)); \
      c = Ops::fma(c, z, all(4.166664568298827E-002f));                                \
      c = c * z;                                                                       \
      c = Ops::fma(c, z, -(z * 0.5f));                                                 \
      c = c + 1.0f;                                                                    \
      v8 s = Ops::fma(all(-1.9515295891E-4f), z, all(8.3321608736E-3f));               \
      s = Ops::fma(s, z, all(-1.6666654611E-1f));                                      \
      s = s * z;                                                                       \
      s = Ops::fma(s, t, t);                                                           \
      v8 sine = (v8)((i8)(plain ? s : c) ^ sign_sin),                                  \
         cosine = (v8)((i8)(plain ? c : s) ^ sign_cos);                                \
      first = Ops::fma(radius * cosine, all(std), all(mean));                          \
      second = Ops::fma(radius * sine, all(std), all(mean));                           \
      __builtin_memcpy(data, &first, 32);                                              \
      __builtin_memcpy(data + 8, &second, 32);                                         \
    }                                                                                  \
  }

KG_BOX_MULLER(box_muller_fast, KG_FMA_TARGET, Fast)
KG_BOX_MULLER(box_muller_slow, , Slow)

bool fast_lanes() {
  static const bool fast = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return fast;
}
void box_muller(float* data, int64_t blocks, float mean, float std) {
  (fast_lanes() ? box_muller_fast : box_muller_slow)(data, blocks, mean, std);
}
void box_muller(double* data, int64_t blocks, double mean, double std) {
  for (int64_t b = 0; b < blocks; ++b, data += 16)
    for (int k = 0; k < 8; ++k) {
      double radius = std::sqrt(-2 * std::log(1 - data[k])),
             theta = 2.0 * 3.14159265358979323846 * data[k + 8];
      data[k] = std::fma(radius * std::cos(theta), std, mean);
      data[k + 8] = std::fma(radius * std::sin(theta), std, mean);
    }
}

void fill_uniform(Generator& g, float* to, int64_t n) {
  uint32_t words[512];
  for (int64_t i = 0; i < n; i += 512) {
    int64_t count = std::min<int64_t>(512, n - i);
    g.fill(words, count);
    for (int64_t k = 0; k < count; ++k) to[i + k] = float(words[k] & 0xffffff) * 0x1p-24f;
  }
}
void fill_uniform(Generator& g, double* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = uniform_double(g);
}

template <class T>
void fill_normal(Generator& g, T* to, int64_t n, double mean, double std) {
  if (n < 16) {
    for (int64_t i = 0; i < n; ++i) to[i] = T(one_normal(g, mean, std));
    return;
  }
  fill_uniform(g, to, n);
  box_muller(to, n / 16, T(mean), T(std));
  if (n % 16) {  // the last block is drawn again as a whole
    fill_uniform(g, to + n - 16, 16);
    box_muller(to + n - 16, 1, T(mean), T(std));
  }
}

// ---- filling tensors ----------------------------------------------------------------------------

// Halves are drawn as floats; a number that rounds up to `to` becomes `from`.
template <class T>
void uniform_halves(Generator& g, const Tensor& t, float from, float to) {
  float limit = float(T(to));
  store_each(t, [&] {
    float v = float(T(std::fma(uniform_float(g), to - from, from)));
    return v == limit ? from : v;
  });
}
void uniform_into(Generator& g, const Tensor& t, double from, double to) {
  switch (t.dtype()) {
    case Dtype::f64:
      return store_each(t, [&] { return std::fma(uniform_double(g), to - from, from); });
    case Dtype::f32: {
      float a = float(from), b = float(to);
      if (dense(t) && a == 0 && b == 1) return fill_uniform(g, t.data_as<float>(), t.numel());
      return store_each(t, [&] { return std::fma(uniform_float(g), b - a, a); });
    }
    case Dtype::f16:
      return uniform_halves<f16>(g, t, float(from), float(to));
    case Dtype::bf16:
      return uniform_halves<bf16>(g, t, float(from), float(to));
    default:
      KG_FAIL(not_implemented, "random numbers of dtype ", t.dtype(),
              " cannot be drawn; draw float32 and convert");
  }
}

void normal_into(Generator& g, const Tensor& t, double mean, double std) {
  int64_t n = t.numel();
  if (t.dtype() == Dtype::f32 && (t.is_contiguous() || n < 16)) {
    if (t.is_contiguous()) return fill_normal(g, t.data_as<float>(), n, mean, std);
  } else if (t.dtype() == Dtype::f64 && t.is_contiguous()) {
    return fill_normal(g, t.data_as<double>(), n, mean, std);
  } else if ((t.dtype() == Dtype::f16 || t.dtype() == Dtype::bf16) && t.is_contiguous() &&
             n >= 16) {
    // Halves go through blocks of 16 floats; unlike floats', the last block is not drawn twice.
    Workspace room(size_t(n) * 4);
    float* v = room.as<float>();
    int64_t whole = n / 16 * 16;
    fill_uniform(g, v, whole);
    box_muller(v, n / 16, float(mean), float(std));
    if (n % 16) {
      fill_uniform(g, v + n - 16, 16);
      box_muller(v + n - 16, 1, float(mean), float(std));
    }
    convert_block(t.data(), t.dtype(), v, Dtype::f32, n);
    return;
  }
  store_each(t, [&] { return one_normal(g, mean, std); });
}

// A complex tensor is drawn as its real parts, interleaved, of half the variance.
TensorImpl real_parts(const Tensor& t, int64_t* geometry) {
  int64_t n = t.dim() + 1;
  TensorImpl parts{};
  parts.data = t.data();
  parts.dtype = real_dtype(t.dtype());
  parts.ndim = uint8_t(n);
  for (int64_t d = 0; d < t.dim(); ++d) {
    geometry[d] = t.sizes()[d];
    geometry[n + d] = 2 * t.strides()[d];
  }
  geometry[n - 1] = 2;
  geometry[2 * n - 1] = 1;
  parts.sizes = geometry;
  parts.numel = 2 * t.numel();
  parts.flags = t.is_contiguous() ? uint32_t(kContiguous) : 0;
  return parts;
}
template <class F>
void through_parts(const Tensor& t, F&& f) {
  if (!is_complex(t.dtype())) return f(t, 1.0);
  int64_t geometry[2 * (kMaxDims + 1)];
  TensorImpl parts = real_parts(t, geometry);
  TensorImpl* p = &parts;
  f(as_tensor(p), 1 / std::sqrt(2.0));
}

void uniform_cpu(Results& out, const Tensor&, double from, double to, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  through_parts(out[0], [&](const Tensor& p, double) { uniform_into(g, p, from, to); });
}
void normal_cpu(Results& out, const Tensor&, double mean, double std, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  through_parts(out[0],
                [&](const Tensor& p, double share) { normal_into(g, p, mean, std * share); });
}
void rand_into(const Tensor& t, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  through_parts(t, [&](const Tensor& p, double) { uniform_into(g, p, 0, 1); });
}
void randn_into(const Tensor& t, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  through_parts(t, [&](const Tensor& p, double std) { normal_into(g, p, 0, std); });
}
void rand_cpu(Results& out, Ints, Generator* g, Dtype, Layout, std::optional<Device>,
              std::optional<bool>, std::optional<bool>) {
  rand_into(out[0], g);
}
void randn_cpu(Results& out, Ints, Generator* g, Dtype, Layout, std::optional<Device>,
               std::optional<bool>, std::optional<bool>) {
  randn_into(out[0], g);
}
void rand_like_cpu(Results& out, const Tensor&, Dtype, Layout, std::optional<Device>,
                   std::optional<bool>, std::optional<bool>, std::optional<MemoryFormat>,
                   Generator* g) {
  rand_into(out[0], g);
}
void randn_like_cpu(Results& out, const Tensor&, Dtype, Layout, std::optional<Device>,
                    std::optional<bool>, std::optional<bool>, std::optional<MemoryFormat>,
                    Generator* g) {
  randn_into(out[0], g);
}
void normal_sized_cpu(Results& out, double mean, double std, Ints, Generator* generator, Dtype,
                      Layout, std::optional<Device>, std::optional<bool>, std::optional<bool>) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  through_parts(out[0],
                [&](const Tensor& p, double share) { normal_into(g, p, mean, std * share); });
}

void integers_into(const Tensor& t, int64_t low, uint64_t range, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  // Ranges of 2^28 and more take 64 bits, or the low residues would be drawn visibly more often.
  if (range >= (uint64_t(1) << 28) || range == 0) {
    store_each(
        t, [&] { return int64_t(range ? uint64_t(low) + g.random64() % range : g.random64()); });
  } else {
    store_each(t, [&] { return low + int64_t(g.random() % range); });
  }
}
void randint_low_cpu(Results& out, int64_t low, int64_t high, Ints, Generator* g, Dtype, Layout,
                     std::optional<Device>, std::optional<bool>, std::optional<bool>) {
  integers_into(out[0], low, uint64_t(high) - uint64_t(low), g);
}
void randint_cpu(Results& out, int64_t high, Ints, Generator* g, Dtype, Layout,
                 std::optional<Device>, std::optional<bool>, std::optional<bool>) {
  integers_into(out[0], 0, uint64_t(high), g);
}
void randint_like_low_cpu(Results& out, const Tensor&, int64_t low, int64_t high, Dtype, Layout,
                          std::optional<Device>, std::optional<bool>, std::optional<bool>,
                          std::optional<MemoryFormat>, Generator* g) {
  integers_into(out[0], low, uint64_t(high) - uint64_t(low), g);
}
void randint_like_cpu(Results& out, const Tensor&, int64_t high, Dtype, Layout,
                      std::optional<Device>, std::optional<bool>, std::optional<bool>,
                      std::optional<MemoryFormat>, Generator* g) {
  integers_into(out[0], 0, uint64_t(high), g);
}
// Without bounds: every value that the dtype holds exactly.
void random_cpu(Results& out, const Tensor& x, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  switch (x.dtype()) {
    case Dtype::i64:
      return store_each(out[0], [&] { return int64_t(g.random64() & 0x7fffffffffffffff); });
    case Dtype::f64:
      return store_each(out[0], [&] { return int64_t(g.random64() % ((uint64_t(1) << 53) + 1)); });
    case Dtype::f32:
      return store_each(out[0], [&] { return int64_t(g.random() % ((uint64_t(1) << 24) + 1)); });
    case Dtype::f16:
      return store_each(out[0], [&] { return int64_t(g.random() % ((1 << 11) + 1)); });
    case Dtype::bf16:
      return store_each(out[0], [&] { return int64_t(g.random() % ((1 << 8) + 1)); });
    case Dtype::boolean:
      return store_each(out[0], [&] { return int64_t(g.random() & 1); });
    default: {
      int bits = int(8 * itemsize(x.dtype())) - (is_signed(x.dtype()) ? 1 : 0);
      uint64_t count = bits >= 63 ? 0 : uint64_t(1) << bits;
      return store_each(out[0], [&] { return int64_t(count ? g.random() % count : g.random64()); });
    }
  }
}

void random_to_cpu(Results& out, const Tensor&, int64_t to, Generator* g) {
  integers_into(out[0], 0, uint64_t(to), g);
}
void random_from_cpu(Results& out, const Tensor& x, int64_t from, std::optional<int64_t> to,
                     Generator* g) {
  // Without an upper bound: up to the largest integer that the dtype holds exactly.
  uint64_t above = to                            ? uint64_t(*to)
                   : x.dtype() == Dtype::boolean ? 2
                   : x.dtype() == Dtype::i64     ? uint64_t(1) << 63
                   : is_floating(x.dtype())
                       ? (uint64_t(1) << (x.dtype() == Dtype::f64   ? 53
                                          : x.dtype() == Dtype::f32 ? 24
                                          : x.dtype() == Dtype::f16 ? 11
                                                                    : 8)) +
                             1
                       : uint64_t(1) << (8 * itemsize(x.dtype()) - is_signed(x.dtype()));
  integers_into(out[0], from, above - uint64_t(from), g);
}

// Whether pairs of words as random64() draws them, cut to 53 bits, are below the limit: 1 or 0.
inline __attribute__((always_inline)) void pairs_below(const uint64_t* pairs, int64_t limit,
                                                       int64_t n, uint8_t* yes) {
  for (int64_t k = 0; k < n; ++k) {
    uint64_t u = pairs[k];  // the word drawn first is the high one
    if constexpr (std::endian::native == std::endian::little) u = u << 32 | u >> 32;
    yes[k] = uint8_t(uint64_t(int64_t(u & ((uint64_t(1) << 53) - 1)) - limit) >> 63);
  }
}
KG_FMA_TARGET void pairs_below_fast(const uint64_t* pairs, int64_t limit, int64_t n, uint8_t* yes) {
  pairs_below(pairs, limit, n, yes);
}
// Whether u < p for n numbers u of 53 bits, each drawn as random64() does.
void draw_below(Generator& g, double p, int64_t n, uint8_t* yes) {
  constexpr int64_t block = 256;
  uint64_t pairs[block];
  const int64_t limit = int64_t(std::ceil(p * 0x1p53));
  for (int64_t i = 0; i < n; i += block) {
    int64_t count = std::min(block, n - i);
    g.fill(reinterpret_cast<uint32_t*>(pairs), 2 * count);
    fast_lanes() ? pairs_below_fast(pairs, limit, count, yes + i)
                 : pairs_below(pairs, limit, count, yes + i);
  }
}
void bernoulli_into(Generator& g, const Tensor& t, double p) {
  int64_t n = t.numel();
  if (t.dtype() == Dtype::boolean && dense(t))
    return draw_below(g, p, n, reinterpret_cast<uint8_t*>(t.data()));
  if (t.dtype() == Dtype::f32 && dense(t)) {
    float* to = t.data_as<float>();
    uint8_t yes[1024];
    for (int64_t i = 0; i < n; i += 1024) {
      int64_t count = std::min<int64_t>(1024, n - i);
      draw_below(g, p, count, yes);
      for (int64_t k = 0; k < count; ++k) to[i + k] = float(yes[k]);
    }
    return;
  }
  store_each(t, [&] { return int64_t(uniform_double(g) < p); });
}
void bernoulli_p_cpu(Results& out, const Tensor&, double p, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  bernoulli_into(g, out[0], p);
}
// One draw for each element of `to`, in the precision of its probability.
void bernoulli_each(const Tensor& to, const Tensor& p, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  visit(p.dtype(), [&]<class P>() {
    if constexpr (is_floating(dtype_of<P>))
      visit(to.dtype(), [&]<class T>() {
        if constexpr (!is_complex(dtype_of<T>))
          each_pair(to, p, [&](char* put, const char* given) {
            using Wide = std::conditional_t<std::is_same_v<P, double>, double, float>;
            Wide limit = Wide(*reinterpret_cast<const P*>(given));
            KG_CHECK(limit >= 0 && limit <= 1,
                     "expects p to be in [0, 1], but got p=", double(limit));
            bool yes;
            if constexpr (std::is_same_v<P, double>)
              yes = uniform_double(g) < limit;
            else
              yes = uniform_float(g) < limit;
            *reinterpret_cast<T*>(put) = T(float(yes));
          });
      });
  });
}
void bernoulli_cpu(Results& out, const Tensor& x, Generator* generator) {
  bernoulli_each(out[0], x, generator);
}
void bernoulli_tensor_cpu(Results& out, const Tensor&, const Tensor& p, Generator* generator) {
  bernoulli_each(out[0], p, generator);
}
void randperm_cpu(Results& out, int64_t n, Generator* generator, Dtype, Layout,
                  std::optional<Device>, std::optional<bool>, std::optional<bool>) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  Workspace room(size_t(n) * 8 + 8);
  int64_t* p = room.as<int64_t>();
  std::iota(p, p + n, int64_t(0));
  bool wide = uint64_t(n) >= 0xffffffffull / 20;
  for (int64_t i = 0; i < n - 1; ++i) {
    int64_t z = int64_t((wide ? g.random64() : g.random()) % uint64_t(n - i));
    std::swap(p[i], p[i + z]);
  }
  convert_block(out[0].data(), out[0].dtype(), p, Dtype::i64, n);
}

// mask = 1 / (1 - p) or zero, y = x mask, in the order of memory.
template <class T>
void drop(const T* x, T* mask, T* y, int64_t n, double p, T kept) {
  Workspace room{size_t(n)};
  uint8_t* yes = room.as<uint8_t>();
  {
    Generator& g = default_generator();
    std::lock_guard hold(g.mutex);
    draw_below(g, 1 - p, n, yes);
  }
  parallel_for(0, n, 1 << 15, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      mask[i] = yes[i] ? kept : T(0.0f);
      y[i] = T(x[i] * mask[i]);
    }
  });
}
void dropout_cpu(Results& out, const Tensor& x, double p, bool) {
  const Tensor& mask = out[1];
  visit(x.dtype(), [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>)) {
      using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
      const T kept = T(Wide(1) / Wide(1 - p)), fallen = T(0.0f);
      if (dense(x) && x.strides() == mask.strides() && x.strides() == out[0].strides())
        return drop<T>(x.data_as<T>(), mask.data_as<T>(), out[0].data_as<T>(), x.numel(), p, kept);
      {
        Generator& g = default_generator();
        std::lock_guard hold(g.mutex);
        each_element(mask, [&](char* at) {
          *reinterpret_cast<T*>(at) = uniform_double(g) < 1 - p ? kept : fallen;
        });
      }
      each_pair(out[0], mask, [&](char* to, const char* m) {
        *reinterpret_cast<T*>(to) = *reinterpret_cast<const T*>(m);
      });
      each_pair(out[0], x, [&](char* to, const char* v) {
        T& y = *reinterpret_cast<T*>(to);
        y = T(*reinterpret_cast<const T*>(v) * y);
      });
    }
  });
}

}  // namespace

KG_KERNEL(uniform, cpu, uniform_cpu)
KG_KERNEL(normal, cpu, normal_cpu)
KG_KERNEL(bernoulli_p, cpu, bernoulli_p_cpu)
KG_KERNEL(bernoulli, cpu, bernoulli_cpu)
KG_KERNEL(bernoulli_tensor, cpu, bernoulli_tensor_cpu)
KG_KERNEL(random, cpu, random_cpu)
KG_KERNEL(random_to, cpu, random_to_cpu)
KG_KERNEL(random_from, cpu, random_from_cpu)
KG_KERNEL(rand, cpu, rand_cpu)
KG_KERNEL(randn, cpu, randn_cpu)
KG_KERNEL(rand_like, cpu, rand_like_cpu)
KG_KERNEL(randn_like, cpu, randn_like_cpu)
KG_KERNEL(randint, cpu, randint_cpu)
KG_KERNEL(randint_low, cpu, randint_low_cpu)
KG_KERNEL(randint_like, cpu, randint_like_cpu)
KG_KERNEL(randint_like_low, cpu, randint_like_low_cpu)
KG_KERNEL(randperm, cpu, randperm_cpu)
KG_KERNEL(normal_sized, cpu, normal_sized_cpu)
KG_KERNEL(dropout_mask, cpu, dropout_cpu)

}  // namespace kagari
