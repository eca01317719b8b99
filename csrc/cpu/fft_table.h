// The contract between Fourier transforms and their loops: a line is a plan's passes over n complex
// numbers. Lines side by side share vectors, one line alone fills them by itself; a line's bits are
// the same either way.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

inline constexpr int kFftMaxPasses = 64;
inline constexpr int kFftMaxLanes = 8;
inline constexpr int kFftMaxRadix = 199;  // larger primes are transformed by convolution

// A unit is a vector of real parts and one of imaginary parts.
// One pass of a decimation: m * s butterflies of `radix` numbers.
template <class T>
struct FftPass {
  int64_t radix = 0, s = 1, m = 1;
  const T* twiddles = nullptr;  // [m][radix - 1] complex; unused by the last pass
  const T* roots = nullptr;     // [radix] complex: cosine and sine, of odd radices
};

template <class T>
struct FftPlan {
  int64_t n = 0;
  int64_t room = 0;  // units of each of the two buffers that a block needs
  int count = 0;
  FftPass<T> passes[kFftMaxPasses];
  // Twiddles of the first pass in vectors, where a line can be transformed by itself; else null.
  const T* first = nullptr;
  // By convolution: the passes are of length `padded`, filter is the chirp's spectrum.
  int64_t padded = 0;
  const T *chirp = nullptr, *filter = nullptr;
};

enum class FftKind : uint8_t {
  complex,         // n to n
  real_even,       // 2 n real numbers to n + 1: the plan is of half the length
  real_odd,        // n real numbers to n / 2 + 1
  hermitian_even,  // back
  hermitian_odd,
};

// As many lines as a vector has lanes, or fewer. Missing ones point at the first.
template <class T>
struct FftBlock {
  FftKind kind = FftKind::complex;
  const T* in[kFftMaxLanes];
  T* out[kFftMaxLanes];
  int lanes = 0;
  int64_t in_step = 0, out_step = 0;           // numbers from one element of a line to the next
  bool in_beside = false, out_beside = false;  // the lines' elements are neighbours in memory
  bool swap = false;  // real and imaginary parts change places before and after: the inverse
  T scale = 1;
  const T* rotate = nullptr;  // complex only: [n] units that multiply the result
  const T* halves = nullptr;  // even kinds: exp(-i pi k / n) / 2 for k in 0..n
};

template <class T>
struct FftLoops {
  int lanes;
  // work: 2 * room * 2 * lanes numbers
  void (*block)(const FftPlan<T>& plan, const FftBlock<T>& b, T* work);
  // One contiguous line of a plan with `first`; in may be out. work: 4 n numbers
  void (*line)(const FftPlan<T>& plan, const T* in, T* out, bool swap, T scale, T* work);
  // From the transform z[0..h] (z[h] = z[0]) of h pairs of real numbers to their spectrum out[0..h],
  // elements begin to end and their partners h - k; end is h / 2 + 1 at most.
  void (*untangle)(const T* z, T* out, int64_t h, int64_t begin, int64_t end, const T* halves,
                   T scale);
  // From a spectrum x[0..h] to twice z[0..h - 1], in the same way; begin is 1 at least.
  void (*tangle)(const T* x, T* z, int64_t h, int64_t begin, int64_t end, const T* halves);
  // out = a * b * scale, n complex numbers; the parts of a or of the result may change places.
  void (*multiply)(const T* a, const T* b, T* out, int64_t n, bool swap_in, bool swap_out, T scale);
  // n conjugates; those of from, from - 1 and so on where they turn.
  void (*conjugate)(const T* from, T* to, int64_t n, bool turn);
};

struct FftTable {
  FftLoops<float> f32;
  FftLoops<double> f64;
};

KG_ISA_TABLE(FftTable, fft_table)

}  // namespace kagari
