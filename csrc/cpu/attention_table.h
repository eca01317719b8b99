// The contract between attention and its loops over scores: a call handles rows of one tile, each
// by itself, so a row's bits depend neither on the rows beside it nor on threads.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

// Products of some queries with a block of keys. Rows are `pitch` apart and may be written to a
// whole number of vectors.
template <class T>
struct ScoreTile {
  T* scores;
  int64_t pitch, rows, keys;
  T scale;
  const T* mask;  // added to the scaled scores, rows `mask_pitch` apart; may be null
  int64_t mask_pitch;
  int64_t seen;  // row i sees the first seen + i keys (none below zero, at most all)
  int64_t read;  // so many scores after those that a row sees are read: they become zeros
  // Dropout: ones where weights stay and zeros, rows `kept_pitch` apart, of which `kept_keys` may be
  // read; may be null. What stays is multiplied by `share`, forward in finish().
  const uint8_t* kept;
  int64_t kept_pitch, kept_keys;
  T share;
};
// Rows of n numbers, `row` apart.
template <class T>
struct RowsOf {
  T* data;
  int64_t row;
};

template <class T>
struct AttentionLoops {
  // Scores become exp(score - top), where top is the largest score of the row so far; `total`, the
  // sum of a row's weights, and `sums` (sums_n numbers, a multiple of the vector) are brought to
  // the new top.
  void (*weigh)(const ScoreTile<T>& tile, T* top, T* total, T* sums, int64_t sums_pitch,
                int64_t sums_n);
  // Rows of out = sums share / total, zeros where no key was seen.
  void (*finish)(int64_t rows, RowsOf<const T> sums, const T* total, T share, RowsOf<T> out,
                 int64_t n);
  // lse = log(total) + top of n rows, infinity where no key was seen.
  void (*log_sums)(const T* top, const T* total, T* lse, int64_t n);
  // Scores become weights w = exp(score - lse), those dropped zero and the others times the share;
  // g, the gradients of these, become those of the products: w (g' - dot) scale, where g' is zero or
  // g times the share.
  void (*weigh_backward)(const ScoreTile<T>& tile, T* g, const T* lse, const T* dot);
  // The products of rows.
  void (*dots)(int64_t rows, RowsOf<const T> a, RowsOf<const T> b, int64_t n, T* to);
};

struct AttentionTable {
  AttentionLoops<float> f32;
  AttentionLoops<double> f64;
};

KG_ISA_TABLE(AttentionTable, attention_table)

}  // namespace kagari
