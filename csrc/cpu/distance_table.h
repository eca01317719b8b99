// The contract between distances of all pairs of rows (cpu/distance.cpp) and their loops. A pair's
// bits depend on its two rows alone, and a gradient's on its row and the order of the others.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

enum class Order : uint8_t { zero, one, two, infinity, other };

inline Order order_of(double p) {
  return p == 0                 ? Order::zero
         : p == 1               ? Order::one
         : p == 2               ? Order::two
         : p == __builtin_inf() ? Order::infinity
                                : Order::other;
}

template <class T>
struct DistanceLoops {
  // The distances of x, m numbers, from n others: number k of other j at columns[k·pitch + j]. Whole
  // vectors of them are read.
  void (*row)(Order order, double p, const T* x, int64_t m, const T* columns, int64_t pitch,
              int64_t n, T* to);
  // The gradient to x: the sum over others, now rows of m numbers, of g times the slope of the
  // distance. `factors`: room for n numbers. Rows are read, and `to` written, in whole vectors.
  void (*gradient)(Order order, double p, const T* x, int64_t m, const T* others, int64_t pitch,
                   int64_t n, const T* g, const T* distances, T* factors, T* to);
};

struct DistanceTable {
  DistanceLoops<float> f32;
  DistanceLoops<double> f64;
};

KG_ISA_TABLE(DistanceTable, distance_table)

}  // namespace kagari
