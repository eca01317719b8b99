// mt19937 as PyTorch's CPU generator runs it: seeding, the renewal of its words, and its state as
// bytes.
#include "core/random.h"

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <random>

#include "core/error.h"

namespace kagari {
namespace {

// The bytes of torch.Generator.get_state() on the CPU.
struct StateBytes {
  uint64_t seed;
  int32_t left;
  int32_t seeded;
  uint64_t next;
  uint64_t words[Generator::kWords];
  double normal_x;
  double normal_y;  // the kept double normal
  double normal_rho;
  int32_t normal_is_valid;
  int32_t padding;
  float float_normal;
  uint8_t float_normal_is_valid;
};
static_assert(sizeof(StateBytes) == Generator::kStateBytes &&
              offsetof(StateBytes, float_normal) == 5048);

constexpr int kShift = 397;

#define KG_INLINED inline __attribute__((always_inline))

KG_INLINED uint32_t twist(uint32_t a, uint32_t b) {
  uint32_t mixed = (a & 0x80000000u) | (b & 0x7fffffffu);
  return (mixed >> 1) ^ (-(b & 1) & 0x9908b0dfu);
}
// Reads at i + 1 and i + kShift see old words, reads at i - (kWords - kShift) = i - 227 new ones:
// up to 227 lanes are independent, which the pragma tells the vectoriser.
KG_INLINED void twist_all(uint32_t* w) {
  constexpr int n = Generator::kWords;
#pragma GCC ivdep
  for (int i = 0; i < n - kShift; ++i) w[i] = w[i + kShift] ^ twist(w[i], w[i + 1]);
#pragma GCC ivdep
  for (int i = n - kShift; i < n - 1; ++i) w[i] = w[i + kShift - n] ^ twist(w[i], w[i + 1]);
  w[n - 1] = w[kShift - 1] ^ twist(w[n - 1], w[0]);
}
KG_INLINED void temper_all(const uint32_t* w, uint32_t* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = Generator::temper(w[i]);
}

// Both loops in the vectors of AVX2 where the processor has them. Integers: the words are the same.
#if defined(__x86_64__)
#define KG_WIDE __attribute__((target("avx2")))
KG_WIDE void twist_wide(uint32_t* w) { twist_all(w); }
KG_WIDE void temper_wide(const uint32_t* w, uint32_t* out, int64_t n) { temper_all(w, out, n); }
const bool wide = __builtin_cpu_supports("avx2");
#else
void twist_wide(uint32_t* w) { twist_all(w); }
void temper_wide(const uint32_t* w, uint32_t* out, int64_t n) { temper_all(w, out, n); }
constexpr bool wide = false;
#endif

}  // namespace

void Generator::manual_seed(uint64_t seed) {
  seed_ = seed;
  words_[0] = uint32_t(seed);
  for (uint32_t i = 1; i < uint32_t(kWords); ++i)
    words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
  left_ = 1;
  next_ = 0;
  next_normal.reset();
  next_float_normal.reset();
}

uint64_t system_seed() {
  std::random_device device;
  // 53 bits, so that the seed survives a trip through a double.
  return ((uint64_t(device()) << 32) | device()) & 0x1fffffffffffffull;
}

uint64_t Generator::seed() {
  manual_seed(system_seed());
  return seed_;
}

void Generator::advance() {
  wide ? twist_wide(words_) : twist_all(words_);
  left_ = kWords;
  next_ = 0;
}

void Generator::fill(uint32_t* out, int64_t n) {
  while (n > 0) {
    if (left_ <= 1 || next_ >= kWords) {
      advance();
      left_ = kWords + 1;  // the draws below take it down
    }
    int64_t run = std::min<int64_t>({n, int64_t(kWords - next_), int64_t(left_ - 1)});
    wide ? temper_wide(words_ + next_, out, run) : temper_all(words_ + next_, out, run);
    next_ += uint32_t(run);
    left_ -= int32_t(run);
    out += run;
    n -= run;
  }
}

void Generator::get_state(uint8_t* out) const {
  StateBytes s;
  std::memset(&s, 0, sizeof s);
  s.seed = seed_;
  s.left = left_;
  s.seeded = 1;
  s.next = next_;
  std::copy(words_, words_ + kWords, s.words);
  if (next_normal) {
    s.normal_is_valid = 1;
    s.normal_y = *next_normal;
  }
  if (next_float_normal) {
    s.float_normal_is_valid = 1;
    s.float_normal = *next_float_normal;
  }
  std::memcpy(out, &s, sizeof s);
}

void Generator::set_state(const uint8_t* state) {
  StateBytes s;
  std::memcpy(&s, state, sizeof s);
  KG_CHECK(s.seeded == 1 && s.left > 0 && s.left <= kWords && s.next <= uint64_t(kWords),
           "expected the state of an mt19937 generator, got bytes that are none; pass what "
           "get_state() returned");
  std::copy(s.words, s.words + kWords, words_);
  seed_ = s.seed;
  left_ = s.left;
  next_ = uint32_t(s.next);
  next_normal = s.normal_is_valid ? std::optional<double>(s.normal_y) : std::nullopt;
  next_float_normal = s.float_normal_is_valid ? std::optional<float>(s.float_normal) : std::nullopt;
}

void Generator::copy_state(const Generator& other) {
  std::copy(other.words_, other.words_ + kWords, words_);
  seed_ = other.seed_;
  left_ = other.left_;
  next_ = other.next_;
  next_normal = other.next_normal;
  next_float_normal = other.next_float_normal;
}

Generator& default_generator() {
  // A fork waits for whoever draws, so that the child finds the mutex free and the state whole.
  static Generator* generator = [] {
    pthread_atfork([] { default_generator().mutex.lock(); },
                   [] { default_generator().mutex.unlock(); },
                   [] { default_generator().mutex.unlock(); });
    return new Generator(system_seed());
  }();
  return *generator;
}

}  // namespace kagari
