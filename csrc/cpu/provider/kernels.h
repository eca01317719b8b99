// The inner kernels of matrix products as a table of pointers per element kind, one set of tables
// per instruction set.
//
// Operands are packed into the kind's compute type: 16-bit floats become floats (or pairs of
// bfloat16 in 32 bits, where the processor multiplies those), integers become unsigned ones of 32
// or 64 bits, a complex number becomes two reals in A and a 2×2 real block in B, so that a complex
// product is a real one on doubled k and n.
#pragma once
#include <cstdint>

#include "cpu/provider/gemm.h"

namespace kagari::provider {

inline constexpr int kMaxRows = 12;
inline constexpr int kDotRows = 4;  // so few rows are multiplied with a transposed B in place
inline constexpr int64_t kAlign = 64;

// C (rows, n) = or += A (rows, k) × B (k, n); rows is the kernel's own, n at most its vectors'
// width. a: element (i, p) at i·a_row + p·a_col; b: row p at p·b_row, readable to the whole width.
using Micro = void (*)(int64_t k, const void* a, int64_t a_row, int64_t a_col, const void* b,
                       int64_t b_row, void* c, int64_t c_row, int64_t n, bool add);
// Rows × depth of the source into compute elements; `steps` reports where element (i, p) lies:
// i·steps[0] + p·steps[1]. Rows of the kernel's own count; more of them, up to kGroups times as
// many, where a plain A is transposed (row 1): each group of rows then lies group_step after the
// one before.
inline constexpr int64_t kGroups = 8;
inline constexpr int64_t group_step(int64_t rows, int64_t depth) { return rows * depth + 16; }
using PackA = void (*)(const void* source, int64_t row, int64_t col, int64_t rows, int64_t depth,
                       void* out, int64_t* steps);
// Depth × columns of the source into panels of two vectors' width, `pitch` bytes apart, the last
// one vector wide where that is enough; columns beyond n become zeros.
using PackB = void (*)(const void* source, int64_t row, int64_t col, int64_t depth, int64_t n,
                       int64_t pitch, void* out);
// One row of C over many columns of a B that is read in place: `sums` = or += a × B. Streams
// through rows of B, where the micro kernels would jump from row to row.
using Sweep = void (*)(int64_t k, const void* a, int64_t a_col, const void* b, int64_t b_row,
                       void* sums, int64_t n, bool add);
// At most kDotRows rows of C over the columns of a B that is read in place, each column contiguous
// along k and `b_col` after the one before. Packing would cost more than the product. `k` may be
// many chunks, which are added in order.
using Dots = void (*)(int64_t k, int64_t chunk, const void* a, int64_t a_row, int64_t a_col,
                      const void* b, int64_t b_col, void* c, int64_t c_row, int64_t n, bool add);
// out (rows, n) = sums, + bias, + out where accumulate, relu; `sums` may be `out`. A bias has an
// element for each column, or with `by_row` for each row.
using Finish = void (*)(const void* sums, int64_t sums_row, void* out, int64_t out_row,
                        int64_t rows, int64_t n, const void* bias, bool by_row, bool accumulate,
                        bool relu);
using Add = void (*)(void* total, int64_t total_row, const void* part, int64_t part_row,
                     int64_t rows, int64_t n);

// Where a group of neighbouring pixels comes from: lane l at offset + l·step, where the mask has
// bit l; other lanes are zero.
struct Piece {
  int64_t offset;
  uint32_t mask;
};
// The pieces of every group of a run of pixels, for every tap of a convolution's window.
struct PixelMap {
  const Piece* pieces;
  const int32_t* start;  // of tap t, group g: pieces [start[t·stride + g], start[t·stride + g + 1])
  int64_t stride;
  int64_t taps;
  int64_t groups;  // to gather
  int lanes;     // pixels in a group, at most 16: one vector of compute elements where that is less
  int64_t step;  // between neighbouring pixels of the source
};
// Rows of the unfolded image: row k is channel k / taps seen through tap k % taps. out: `rows` rows
// of groups·lanes elements.
using Gather = void (*)(const PixelMap& map, const void* source, int64_t channel, int64_t first,
                        int64_t rows, void* out, int64_t out_row);

// Where transformed tiles go: a point's plane, in it panels of `width` channels, in them tiles.
struct WinogradPlanes {
  int64_t plane, panel, width, tile;
  int64_t at(int64_t channel) const { return channel / width * panel + channel % width; }
};
// Products of `rows` channels of results and one or two vectors of tiles, each vector's channels
// then written to two lines. The sums run over entries of a panel, two vectors each; part of a point
// are those that a chunk adds up.
struct WinogradTiles {
  struct Part {
    int32_t point, entries;
    bool add;  // to what the parts before it have left
  };
  struct Lines {
    float *first, *second;  // or null
    int64_t n;              // results of a line
  };
  const Part* parts;
  int64_t count;
  const float* weights;  // (entry, row)
  const float* pixels;   // of the first vector
  Lines to[2];
  int64_t channel;    // from one channel of the results to the next
  const float* bias;  // an element for each row, or null
  bool relu;
};
// Winograd's transforms (winograd.h). Rows of channels: channel c of pixel x at [x·pitch + c], whole
// vectors may be read and written.
struct WinogradKernels {
  // Line of pixels, one channel each `channel` elements, into rows of channels and back.
  void (*gather)(const float* line, int64_t channel, int64_t channels, int64_t pixels, float* out,
                 int64_t pitch);
  void (*scatter)(const float* in, int64_t pitch, int64_t channels, int64_t pixels, float* line,
                  int64_t channel);
  // Tiles two pixels apart of four lines, into sixteen planes.
  void (*input)(const float* const* lines, int64_t pitch, int64_t channels, int64_t tiles,
                float* out, const WinogradPlanes& planes);
  // Back: two lines of results, with bias and relu.
  void (*output)(const float* in, int64_t plane, int64_t pitch, int64_t channels, int64_t tiles,
                 const float* bias, bool relu, float* const* lines);
  // Weights of `width` results: nine rows of `width` into sixteen, `plane` apart.
  void (*weights)(const float* in, int64_t width, float* out, int64_t plane);
  // The weights' gradient. Tiles of two lines of the result's gradient, into sixteen planes; and
  // sixteen planes of sums back into nine weights each, `step` floats from channel to channel.
  void (*gradient)(const float* const* lines, int64_t pitch, int64_t channels, int64_t tiles,
                   float* out, const WinogradPlanes& planes);
  void (*sums)(const float* in, int64_t plane, int64_t channels, float* out, int64_t step,
               const int64_t* nine);
  // Where a vector is tiles side by side (winograd_tiles.cpp): vectors [first, first + count) of one
  // row of them, from sixteen pixels of a tile, each of which lies in a line of its own. Point i of
  // vector v goes to out[v / 2·panel + place[i]], the second vector of a panel behind the first.
  void (*tiles_in)(const float* const* pixels, int64_t first, int64_t count, float* out,
                   int64_t panel, const int32_t* place);
  // Their products, back as results.
  void (*tiles[kMaxRows][2])(const WinogradTiles&);  // [rows - 1][slots - 1]
};

// Direct convolutions (direct.h). Tiles of results, `count` of them side by side: each is `rows`
// channels × `slots` vectors of neighbouring pixels. Element p of a sum is weight a[p·rows + row]
// times the pixels at b[at[p]].
struct DirectTiles {
  int64_t k;
  const void* a;
  const void* b;
  const int32_t* at;
  int64_t b_slot, b_step;  // elements from one vector of pixels to the next, from tile to tile
  void* c;
  int64_t c_row, c_slot, c_step;
  int64_t count;
  int64_t n, n_last;  // pixels that are stored in the last tile: of each slot, of the last slot
  const void* bias;   // an element for each row, or null
  bool add, relu;     // to what is there; last
};
inline constexpr int kMaxSlots = 8;
// Weight gradients of one channel of the image and some of the gradient: sum (o, t) is the product of
// `lines` lines of n pixels of the gradient's channel o with the image's from at[t] on. So many
// channels take so many taps at once.
inline constexpr int kMaxTaps = 12, kMaxGradients = 3;
constexpr int most_taps(int gradients) { return kMaxTaps / gradients; }
struct DirectWeight {
  const void* x;
  int64_t x_line;
  const void* dy;
  int64_t dy_channel, dy_line, lines, n;
  const int32_t* at;
  int64_t readable;  // elements of a channel of dy
  double* sums;      // added to: of channel o and tap t at o·sums_row + t
  int64_t sums_row;
};
// Convolutions channel by channel, channels contiguous and at least one vector of them (depthwise.h).
// n pixels, x_step elements apart, that are seen through the same taps: tap t at x[at[t]], under the
// weights at w[row[t]·channels].
struct DepthwiseRow {
  const void* x;
  int64_t x_step;
  const int64_t* at;
  const int64_t* row;
  int64_t taps;
  const void* w;
  void* y;
  int64_t y_step, n, channels;
  const void* bias;  // or null
  bool relu;
};
// The weights' gradient from such a run: added to the sums at row[t]·channels.
struct DepthwiseWeight {
  const void* x;
  int64_t x_step;
  const int64_t* at;
  const int64_t* row;
  int64_t taps;
  const void* dy;
  int64_t dy_step, n, channels;
  double* sums;
};

struct DirectKernels {
  void (*tiles[kMaxRows][kMaxSlots])(const DirectTiles&);  // [rows - 1][slots - 1]
  int slots[kMaxRows];                                     // most slots of so many rows
  // Every step-th of a line, n of them; and lines `from_line` apart woven into one of n elements.
  void (*split)(const void* line, int64_t step, int64_t n, void* to);
  void (*weave)(const void* from, int64_t from_line, int64_t lines, int64_t n, void* to);
  void (*weight[kMaxGradients][kMaxTaps])(const DirectWeight&);  // [channels - 1][taps - 1]
  void (*depthwise)(const DepthwiseRow&);
  void (*depthwise_weight)(const DepthwiseWeight&);
};

// Convolutions over lanes of images (lanes.h), float32. Pixels that follow each other in an image.
struct LaneRun {
  int64_t offset, length;
};
// Tiles of results, `count` of them side by side, as DirectTiles are; but a slot is a pixel of as
// many images as there are lanes, and which weights meet its pixels comes from the list: element p
// of a sum is weight a[steps[p].weight·rows + row] times the pixels at b[steps[p].at].
struct LaneStep {
  int32_t at, weight;
};
struct LaneTiles {
  int64_t k;
  const LaneStep* steps;
  const float* a;
  const float* b;
  int64_t b_slot, b_step;
  float* c;
  int64_t c_row, c_slot, c_step;
  int64_t count;
  const float* bias;  // an element for each row, or null
  bool add, relu;     // to what is there; last
};
inline constexpr int kLaneRows = 4, kLaneColumns = 6;
// A pixel of the gradient, and of the image where a window's tap meets it.
struct LanePixel {
  int32_t dy, x;
};
// Sums of products over pixels: row i is the gradient at dy + i·dy_row, column j the image at
// x + at[j].
struct LaneWeight {
  const float* dy;
  int64_t dy_row, dy_block;
  const float* x;
  int64_t x_block;
  const int32_t* at;
  const LanePixel* pixels;
  int64_t count, blocks;
  double* sums;  // added to: of column j and row i at j·sums_row + i
  int64_t sums_row;
};
struct LanesKernels {
  // Pixel by pixel of the runs, `live` images `stride` apart, to to[place[pixel]]; and n pixels of
  // `from`, a vector each, back. Lanes beyond `live` become zero.
  void (*gather)(const LaneRun* runs, int64_t count, const void* image, int64_t stride,
                 int64_t live, const int32_t* place, void* to);
  void (*scatter)(const void* from, int64_t n, void* image, int64_t stride, int64_t live);
  void (*tiles[kMaxRows][kMaxSlots])(const LaneTiles&);  // [rows - 1][slots - 1], as in direct.h
  int columns;
  void (*weight[kLaneRows][kLaneColumns])(const LaneWeight&);  // [rows - 1][columns - 1]
};

struct Kernels {
  int rows;           // of the largest micro kernel
  int vector;         // compute elements in one vector; the widest micro kernel has two
  int source_size;    // bytes of an element as the caller knows it
  int compute_size;   // bytes of a packed element
  int sum_size;       // bytes of an accumulator
  int per_depth_num;  // packed depth = ceil(depth · num / den): 2/1 for complex, 1/2 for pairs
  int per_depth_den;
  int per_column;            // packed columns per column of the source: 2 for complex
  bool plain;                // the source is in the compute type: operands may be read in place
  bool sums_in_place;        // C can hold the accumulators
  Micro micro[2][kMaxRows];  // [vectors - 1][rows - 1]
  Sweep sweep;
  Dots dots[kDotRows];  // [rows - 1]; of plain kinds
  PackA pack_a;
  PackB pack_b;
  Gather gather;
  Finish finish;
  Add add;
  const WinogradKernels* winograd;  // float32 alone
  const LanesKernels* lanes;        // likewise
  const DirectKernels* direct;      // float32 and float64
};

// Chosen once, by what the processor has.
const Kernels& kernels_of(Kind kind);

namespace base {
extern const Kernels kernels[kKinds];
}
#if defined(__x86_64__)
namespace v3 {
extern const Kernels kernels[kKinds];
}
namespace v4 {
extern const Kernels kernels[kKinds];
}
namespace v4_bf16 {
extern const Kernels kernels[1];
}
#endif

}  // namespace kagari::provider
