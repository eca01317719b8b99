// Reduction of trigonometric arguments modulo pi / 2: exact enough for every finite double.
#pragma once

#include "dd.h"

namespace kagari::KG_ISA::simd::detail {

// x = (quadrant + 4 j) pi / 2 + r.hi + r.lo, |r| <= pi / 4 and a little; quadrant in its low 2
// bits.
struct Reduced {
  Pair r;
  vi64 quadrant;
};

// Beyond it three parts of pi / 2 no longer give all bits.
inline constexpr double kReduceLimit = 0x1p30;

// One finite |x| >= kReduceLimit, by a product with the bits of 2 / pi that matter (Payne, Hanek).
KG_NOINLINE void reduce_huge(double x, double& hi, double& lo, std::int64_t& quadrant) {
  const std::uint64_t b = bit_cast<std::uint64_t>(x);
  const int e = static_cast<int>(b >> 52 & 0x7ff) - 1075;
  const std::uint64_t m = (b & 0x000fffffffffffffull) | 0x0010000000000000ull;
  // The word at i counts 64 bits of 2 / pi from bit 64 (i - 1); bits of weight 4 and more drop out.
  const int start = e - 2 + 64;
  const auto word = [&](int i) -> std::uint64_t { return i == 0 ? 0 : co::kTwoOverPiBits[i - 1]; };
  const auto window = [&](int i) {
    const int at = start / 64 + i, shift = start % 64;
    return shift == 0 ? word(at) : word(at) << shift | word(at + 1) >> (64 - shift);
  };
  using wide = unsigned __int128;
  const wide p2 = wide(m) * window(2);
  const wide p1 = wide(m) * window(1) + std::uint64_t(p2 >> 64);
  std::uint64_t w0 = m * window(0) + std::uint64_t(p1 >> 64);
  std::uint64_t w1 = std::uint64_t(p1), w2 = std::uint64_t(p2);
  // w0 w1 w2 is x 2 / pi modulo 4 in units of 2^-190; make the fraction signed.
  std::uint64_t q = w0 >> 62;
  w0 = w0 << 2 | w1 >> 62;
  w1 = w1 << 2 | w2 >> 62;
  w2 <<= 2;
  const bool negative = w0 >> 63;
  if (negative) {
    q += 1;
    w2 = ~w2 + 1;
    w1 = ~w1 + (w2 == 0);
    w0 = ~w0 + (w2 == 0 && w1 == 0);
  }
  int exponent = 0;
  if (w0 == 0) {
    w0 = w1, w1 = w2, w2 = 0;
    exponent = -64;
  }
  const int lead = __builtin_clzll(w0);
  if (lead > 0) {
    w0 = w0 << lead | w1 >> (64 - lead);
    w1 = w1 << lead | w2 >> (64 - lead);
  }
  exponent -= lead;
  const double unit = bit_cast<double>(std::uint64_t(1023 + exponent - 64) << 52);
  const double fh = double(w0 >> 11) * 0x1p11 * unit;
  const double fl = (double(w0 & 0x7ff) + double(w1 >> 11) * 0x1p-53) * unit;
  const Pair r = multiply({splat<vd>(fh), splat<vd>(fl)},
                          {splat<vd>(co::kHalfPi_hi), splat<vd>(co::kHalfPi_lo)});
  const bool flip = negative != (x < 0);
  hi = flip ? -r.hi[0] : r.hi[0];
  lo = flip ? -r.lo[0] : r.lo[0];
  quadrant = static_cast<std::int64_t>(x < 0 ? -q : q);
}

KG_NOINLINE Reduced reduce_huge_lanes(vd x, Reduced fast) {
  for (int i = 0; i < Lanes<double>::size; ++i) {
    const double a = __builtin_fabs(x[i]);
    if (!(a >= kReduceLimit) || a == __builtin_inf()) continue;
    double hi, lo;
    std::int64_t quadrant;
    reduce_huge(x[i], hi, lo, quadrant);
    fast.r.hi[i] = hi, fast.r.lo[i] = lo, fast.quadrant[i] = quadrant;
  }
  return fast;
}

// NaN for infinities and NaN.
KG_INLINE Reduced reduce(vd x) {
  const vd t = mul_add(x, splat<vd>(co::kTwoOverPi_hi), splat<vd>(kShift));
  const vd n = t - kShift;
  const vd a = fused(n, splat<vd>(-co::kHalfPi_hi), x);
  const Pair b = two_product(n, splat<vd>(-co::kHalfPi_lo));
  const Pair r = two_sum(a, b.hi);
  const vd low = mul_add(n, splat<vd>(-co::kHalfPi_third), b.lo) + r.lo;
  Reduced out{fast_two_sum(r.hi, low), bit_cast<vi64>(t)};
  if (__builtin_expect(any(abs(x) >= kReduceLimit), 0)) out = reduce_huge_lanes(x, out);
  return out;
}

}  // namespace kagari::KG_ISA::simd::detail
