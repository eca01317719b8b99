// The contract between recurrent layers and their loops: one call moves one sequence by one step,
// n hidden units, float or double, so a sequence's bits never depend on other sequences or on
// threads.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

// x: the input's products, p: the hidden state's, in blocks of n for each gate. Backward: `gates`
// is what the step left, `more` its own gradient or null. gh and gc come as gradients of the new
// state and leave as those of the old one, but for what flows through the hidden products.
template <class T>
struct RnnLoops {
  // gates: i, f, g, o
  void (*lstm)(const T* x, const T* p, const T* c_in, T* gates, T* c_out, T* h_out, int64_t n);
  void (*lstm_backward)(const T* gates, const T* more, const T* c_in, const T* c_out, const T* gh,
                        T* gc, T* dx, int64_t n);
  // gates: r, z, n and the hidden product of n
  void (*gru)(const T* x, const T* p, const T* h_in, T* gates, T* h_out, int64_t n);
  void (*gru_backward)(const T* gates, const T* more, const T* h_in, T* gh, T* dx, T* dp,
                       int64_t n);
  void (*plain)(const T* x, const T* p, T* h_out, int64_t n, bool relu);
  void (*plain_backward)(const T* h_out, const T* gh, T* dx, int64_t n, bool relu);
  void (*add)(T* to, const T* from, int64_t n);
};

struct RnnTable {
  RnnLoops<float> f32;
  RnnLoops<double> f64;
};

KG_ISA_TABLE(RnnTable, rnn_table)

}  // namespace kagari
