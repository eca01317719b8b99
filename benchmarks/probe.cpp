// What the machine can do at best: bytes per second read, written and copied, and multiply-adds per
// second on numbers that stay in registers. limits.py compiles this file for the machine it runs on.
#include <cstdint>
#include <cstring>

#include <omp.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

typedef float Floats __attribute__((vector_size(kBytes)));
typedef double Doubles __attribute__((vector_size(kBytes)));

// Past the caches, so that a line is not read before it is overwritten.
inline void stream(Floats* to, Floats value) {
#if defined(__AVX512F__)
  _mm512_stream_ps(reinterpret_cast<float*>(to), __m512(value));
#elif defined(__AVX__)
  _mm256_stream_ps(reinterpret_cast<float*>(to), __m256(value));
#elif defined(__SSE2__)
  _mm_stream_ps(reinterpret_cast<float*>(to), __m128(value));
#else
  *to = value;
#endif
}

// Runs f(first, last) on equal parts of n; seconds.
template <class F>
double in_parts(int threads, int64_t n, F f) {
  double start = omp_get_wtime();
#pragma omp parallel num_threads(threads)
  {
    int64_t me = omp_get_thread_num(), all = omp_get_num_threads();
    f(n * me / all, n * (me + 1) / all);
  }
  return omp_get_wtime() - start;
}

// Enough independent chains to hide the latency of a multiply-add.
constexpr int kChains = 10;

template <class V, class T>
double multiply_adds(int threads, int64_t rounds, T factor, T term) {
  return in_parts(threads, threads, [&](int64_t, int64_t) {
    V a = V{} + factor, b = V{} + term;
    V s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b, s6 = b, s7 = b, s8 = b, s9 = b;
    for (int64_t r = 0, n = rounds; r < n; ++r) {
      s0 = s0 * a + b, s1 = s1 * a + b, s2 = s2 * a + b, s3 = s3 * a + b, s4 = s4 * a + b;
      s5 = s5 * a + b, s6 = s6 * a + b, s7 = s7 * a + b, s8 = s8 * a + b, s9 = s9 * a + b;
      // Every value is used in every round: nothing is merged or left out.
      asm volatile("" : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4));
      asm volatile("" : "+x"(s5), "+x"(s6), "+x"(s7), "+x"(s8), "+x"(s9));
    }
  });
}

}  // namespace

extern "C" {

// Seconds for one pass over `bytes`, a multiple of 64 in blocks aligned to 64.
double read_pass(int threads, const void* from, int64_t bytes) {
  auto* p = static_cast<const Floats*>(from);
  return in_parts(threads, bytes / kBytes / 8, [&](int64_t first, int64_t last) {
    Floats sum[8] = {};
    for (int64_t i = first; i < last; ++i)
      for (int k = 0; k < 8; ++k) sum[k] += p[8 * i + k];
    for (int k = 0; k < 8; ++k) asm volatile("" : : "x"(sum[k]));
  });
}

double write_pass(int threads, void* to, int64_t bytes, int streaming) {
  auto* p = static_cast<Floats*>(to);
  return in_parts(threads, bytes / kBytes, [&](int64_t first, int64_t last) {
    if (!streaming) {
      std::memset(p + first, 1, (last - first) * kBytes);
      return;
    }
    Floats one = Floats{} + 1.0f;
    for (int64_t i = first; i < last; ++i) stream(p + i, one);
  });
}

double copy_pass(int threads, void* to, const void* from, int64_t bytes, int streaming) {
  auto* p = static_cast<Floats*>(to);
  auto* q = static_cast<const Floats*>(from);
  return in_parts(threads, bytes / kBytes, [&](int64_t first, int64_t last) {
    if (!streaming) {
      std::memcpy(p + first, q + first, (last - first) * kBytes);
      return;
    }
    for (int64_t i = first; i < last; ++i) stream(p + i, q[i]);
  });
}

// Seconds for `rounds` rounds of flops_per_round() operations in every thread.
double float32_pass(int threads, int64_t rounds) {
  return multiply_adds<Floats, float>(threads, rounds, 0.999f, 0.001f);
}
double float64_pass(int threads, int64_t rounds) {
  return multiply_adds<Doubles, double>(threads, rounds, 0.999, 0.001);
}
int64_t float32_flops(int threads) { return int64_t(threads) * kChains * 2 * (kBytes / 4); }
int64_t float64_flops(int threads) { return int64_t(threads) * kChains * 2 * (kBytes / 8); }
}
