// The source of random numbers: PyTorch's CPU generator (mt19937) with the same sequence and the
// same exchangeable state.
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/device.h"

namespace kagari {

// Laws:
//  - Whoever draws holds `mutex`: kernels draw without the GIL. Who holds it must not wait for the
//  GIL.
//  - The order of draws is PyTorch's: one word per random(), the high word first in random64().
class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;
  static constexpr int kWords = 624;
  static constexpr int64_t kStateBytes = 5056;  // PyTorch's layout of a CPU generator

  std::mutex mutex;
  // The second half of a Box-Muller pair, kept for the next scalar draw.
  std::optional<double> next_normal;
  std::optional<float> next_float_normal;

  explicit Generator(uint64_t seed = kDefaultSeed) { manual_seed(seed); }
  Generator(const Generator&) = delete;

  void manual_seed(uint64_t seed);  // also forgets the kept normals
  uint64_t seed();                  // a seed from the system; returns it
  uint64_t initial_seed() const { return seed_; }
  Device device() const { return {}; }

  uint32_t random() {
    if (--left_ == 0 || next_ >= kWords) advance();
    return temper(words_[next_++]);
  }
  uint64_t random64() {
    uint64_t high = random();
    return high << 32 | random();
  }
  // The next n words of random(), for kernels that transform them in bulk.
  void fill(uint32_t* out, int64_t n);

  static inline __attribute__((always_inline)) uint32_t temper(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }

  void get_state(uint8_t* out) const;    // kStateBytes
  void set_state(const uint8_t* state);  // throws when it is not the state of such a generator
  void copy_state(const Generator& other);

 private:
  void advance();

  uint32_t words_[kWords];
  int32_t left_ = 1;  // draws until the words are renewed
  uint32_t next_ = 0;
  uint64_t seed_ = kDefaultSeed;
};

// Used where no generator is given. Seeded from the system until the user seeds it.
Generator& default_generator();
uint64_t system_seed();

}  // namespace kagari
