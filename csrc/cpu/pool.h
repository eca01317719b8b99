// The contract between pooling (cpu/pool.cpp) and its loops (cpu/kernels/pool.cpp): windows over
// three axes.
//
// Laws of bits: a window's elements are combined along the rows of each column first, then over the
// columns, in an order that the window alone decides (ascending, but in sums of long lines); an image
// that is one window is summed in vectors. Other windows, images and threads have no say in it.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

// The windows along one axis: window o holds first[o], first[o] + step, ... below last[o].
struct PoolAxis {
  int64_t in = 1, out = 1, step = 1;
  const int32_t* first = nullptr;
  const int32_t* last = nullptr;
  const int32_t* count =
      nullptr;  // what the window counts in a mean, padding included where it counts
  // Windows [begin, end) are whole: `taps` elements from o * stride - padding on.
  int64_t begin = 0, end = 0, taps = 0, stride = 1, padding = 0;
};

struct PoolShape {
  PoolAxis axis[3];     // outermost first
  int64_t divisor = 0;  // of means; 0: the product of the counts
  int64_t in() const { return axis[0].in * axis[1].in * axis[2].in; }
  int64_t out() const { return axis[0].out * axis[1].out * axis[2].out; }
};

// The same windows as lists: the pixels of window o in ascending order are pixel[start[o]] to
// pixel[start[o + 1]].
struct PoolWindows {
  const int32_t* start;
  const int32_t* pixel;
};

// Images of one channel (`plane`), and `channels` channels that lie side by side, `pitch` elements
// from pixel to pixel
// (`pixels`). Scratch: in().axis[2] elements and as many int32 rows, twice.
template <class T>
struct PoolLoops {
  int lanes;  // planes that max_planes takes side by side, one to a lane
  void (*max_planes)(const PoolShape& s, const PoolWindows& w, const T* x, T* y, int64_t* index,
                     char* scratch);
  // The first maximum of each window, the last NaN where there is one; index may be null.
  void (*max_plane)(const PoolShape& s, const T* x, T* y, int64_t* index, char* scratch);
  void (*max_pixels)(const PoolShape& s, const T* x, T* y, int64_t* index, int64_t channels,
                     int64_t pitch);
  // Of images of n pixels that are one window each.
  void (*mean_whole)(const T* x, T* y, int64_t planes, int64_t n, T divisor);
  void (*mean_plane)(const PoolShape& s, const T* x, T* y, char* scratch);
  void (*mean_pixels)(const PoolShape& s, const T* x, T* y, int64_t channels, int64_t pitch);
  // dx, which is zero at first, += each mean's gradient spread over its window.
  void (*mean_back_plane)(const PoolShape& s, const T* g, T* dx, char* scratch);
  void (*mean_back_pixels)(const PoolShape& s, const T* g, T* dx, int64_t channels, int64_t pitch);
};

struct PoolTable {
  PoolLoops<float> f32;
  PoolLoops<double> f64;
  PoolLoops<int32_t> i32;
  PoolLoops<int64_t> i64;
};

KG_ISA_TABLE(PoolTable, pool_table)

}  // namespace kagari
