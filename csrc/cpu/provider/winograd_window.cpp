// How windows are cut into pieces and phases.
#include "cpu/provider/winograd_window.h"

#include <algorithm>
#include <cstring>

#include "cpu/provider/winograd_lines.h"

namespace kagari::provider {

bool winograd_cuts(Kind kind, const ConvShape& s) {
  constexpr int64_t most_planes = 8, most_taps = 32;
  bool fits = kind == Kind::f32 && s.groups == 1 && s.stride[0] == 1 && s.kernel[2] > 1 &&
              s.kernel[0] <= most_planes;
  for (int i = 0; i < 3; ++i)
    fits = fits && s.dilation[i] == 1 && s.padding[i] >= 0 && s.padding[i] < s.kernel[i] &&
           s.kernel[i] <= most_taps;
  return fits;
}

bool WinogradAxis::meets(int phase, int piece, int point) const {
  const int8_t* slots = tap[phase][piece];
  if (flat || point == 0) return slots[0] >= 0 && (!flat || point == 0);
  return point == 3 ? slots[2] >= 0 : slots[0] >= 0 || slots[1] >= 0 || slots[2] >= 0;
}

int64_t WinogradAxis::products() const {
  int64_t n = 0;
  for (int f = 0; f < phases; ++f)
    for (int p = 0; p < pieces; ++p)
      for (int point = 0; point < 4; ++point) n += meets(f, p, point);
  return n;
}
int64_t WinogradAxis::direct_products() const {
  int64_t n = 0;
  for (int f = 0; f < phases; ++f)
    for (int p = 0; p < pieces; ++p)
      for (int8_t k : tap[f][p]) n += k >= 0;
  return flat ? n : 2 * n;
}

namespace {

using Axis = WinogradAxis;

Axis flat_axis(int64_t step, int64_t padding, int64_t results) {
  Axis a;
  a.step = step;
  a.grid = a.results = results;
  a.pieces = 1;
  a.flat = true;
  a.offset[0] = -padding;
  a.tap[0][0][1] = a.tap[0][0][2] = -1;
  return a;
}

// Taps a stride apart are neighbours. Without pieces where there would be too many.
Axis forward_axis(int64_t kernel, int64_t stride, int64_t padding, int64_t results) {
  Axis a;
  a.step = stride;
  a.grid = a.results = results;
  for (int64_t r = 0; r < std::min(stride, kernel); ++r) {
    int64_t k = r;
    for (int64_t left = parts_of(kernel - r, stride); left > 0;) {
      const int64_t some = left == 2 || left == 4 ? 2 : std::min<int64_t>(left, 3);
      const int first = some == 1;  // a single tap meets fewest points in the middle
      const size_t piece = size_t(a.pieces++);
      if (piece >= kMostPieces) return {};
      a.offset[piece] = k - padding - first * stride;
      for (int i = 0; i < 3; ++i)
        a.tap[0][piece][i] =
            i >= first && i < first + some ? int8_t(k + (i - first) * stride) : int8_t(-1);
      k += some * stride;
      left -= some;
    }
  }
  return a;
}

// Results phase, phase + stride, ... meet pixels one apart, through those taps that fall on whole
// steps. Pieces begin where they meet the fewest points.
Axis backward_axis(int64_t kernel, int64_t stride, int64_t padding, int64_t results) {
  int64_t low = kernel + padding, high = -low;
  auto each_tap = [&](int64_t phases, auto&& f) {
    for (int64_t phase = 0; phase < phases; ++phase)
      for (int64_t k = 0; k < kernel; ++k)
        if ((phase + padding - k) % stride == 0) f(phase, k, (phase + padding - k) / stride);
  };
  const int64_t phases = std::min(stride, results);
  each_tap(phases, [&](int64_t, int64_t, int64_t offset) {
    low = std::min(low, offset);
    high = std::max(high, offset);
  });
  const int64_t pieces = parts_of(high - low + 1, 3);
  if (phases > kMostPhases || pieces < 1 || pieces > kMostPieces) return {};
  Axis best;
  for (int64_t first = high - 3 * pieces + 1; first <= low; ++first) {
    Axis a;
    a.grid = parts_of(results, stride);
    a.results = results;
    a.phases = int(phases);
    a.pieces = int(pieces);
    std::memset(a.tap, -1, sizeof a.tap);
    for (int64_t p = 0; p < pieces; ++p) a.offset[p] = first + 3 * p;
    each_tap(phases, [&](int64_t phase, int64_t k, int64_t offset) {
      a.tap[phase][(offset - first) / 3][(offset - first) % 3] = int8_t(k);
    });
    if (!best.pieces || a.products() < best.products()) best = a;
  }
  return best;
}

}  // namespace

WinogradWindow::WinogradWindow(const ConvShape& s, bool backward) {
  auto axis = [&](int i) {
    if (i == 1 && s.kernel[i] == 1 && (!backward || s.stride[i] == 1))
      return flat_axis(s.stride[i], backward ? -s.padding[i] : s.padding[i],
                       backward ? s.in[i] : s.out[i]);
    return (backward ? &backward_axis : &forward_axis)(s.kernel[i], s.stride[i], s.padding[i],
                                                       backward ? s.in[i] : s.out[i]);
  };
  y = axis(1);
  x = axis(2);
}

}  // namespace kagari::provider
