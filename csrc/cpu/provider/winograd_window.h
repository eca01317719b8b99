// Windows as Winograd's transforms meet them: along each axis in pieces of up to three taps, and in
// phases (winograd.h).
#pragma once
#include <cstdint>

#include "cpu/provider/conv.h"

namespace kagari::provider {

inline constexpr int kMostPieces = 4, kMostPhases = 4;  // along an axis

// Whether a convolution is of those that windows can be cut for.
bool winograd_cuts(Kind kind, const ConvShape& shape);

// A window along one axis, in pieces of three slots, each a step of the image after the one before.
struct WinogradAxis {
  int64_t step = 1;               // of the image, from one result of a phase to the next
  int64_t grid = 0, results = 0;  // of the largest phase, of all
  int pieces = 0, phases = 1;
  bool flat = false;  // one tap, which is not transformed
  int64_t offset[kMostPieces] = {};
  int8_t tap[kMostPhases][kMostPieces][3] = {};  // in each slot, or -1

  bool meets(int phase, int piece, int point) const;
  // Multiplications, for one tile of each phase: of all points, and of the direct sum.
  int64_t products() const;
  int64_t direct_products() const;
};

// Of rows and of columns. Without pieces where there would be too many.
struct WinogradWindow {
  WinogradAxis y, x;
  WinogradWindow(const ConvShape& shape, bool backward);
  int64_t phases() const { return y.phases * x.phases; }
  int64_t points() const { return y.flat ? 4 : 16; }
};

}  // namespace kagari::provider
