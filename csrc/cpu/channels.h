// The contract between batch norm (cpu/norm.cpp) and its loops (cpu/kernels/channels.cpp): one call
// handles one channel, whose numbers are rows of neighbours, one for each image. Float or double; the
// order of a sum depends on the channel's shape alone.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

struct ChannelShape {
  int64_t rows, pitch, n;  // rows of n neighbours, which start `pitch` apart
};

template <class T>
struct ChannelLoops {
  // The mean, and the mean square of what lies off it.
  void (*moments)(const T* x, const ChannelShape& s, double* mean, double* variance);
  // y = x * a + c
  void (*affine)(const T* x, T* y, const ChannelShape& s, T a, T c);
  // The sums of g and of g * (x - mean) * rstd.
  void (*sums)(const T* g, const T* x, const ChannelShape& s, double mean, double rstd,
               double* sum_g, double* sum_gx);
  // dx = g * a + x * b + c
  void (*affine_of_two)(const T* g, const T* x, T* dx, const ChannelShape& s, T a, T b, T c);
};

struct ChannelsTable {
  ChannelLoops<float> f32;
  ChannelLoops<double> f64;
};

KG_ISA_TABLE(ChannelsTable, channels_table)

}  // namespace kagari
