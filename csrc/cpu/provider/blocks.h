// The blocked loop nest around the micro kernels, shared by plain products and convolutions.
//
// Everything here counts in the kernels' packed units: `depth` in compute elements along k, columns
// in accumulators. The operands come from a Source, which packs parts of A and B on demand.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>

#include "cpu/provider/kernels.h"

namespace kagari::provider {

// The law's constants: they decide bits, nothing else here does. A chunk is one chain of fma, a
// panel a sum of chunks.
inline constexpr int64_t kChunk = 256;
inline constexpr int64_t kPanel = 8 * kChunk;

// Rows of A, packed or in place: element (i, p) at data[i·row + p·col]. Further groups of
// kernels.rows rows lie `group` after one another.
struct RowBlock {
  const void* data;
  int64_t row, col;
  int64_t group = 0;
};

class Source {
 public:
  // Rows [row, row + rows) of A, depth [from, from + depth); at most kernels.rows rows (as many
  // groups of them as Product::groups_a says), kChunk deep; `room` may hold them.
  virtual RowBlock a(int64_t row, int64_t rows, int64_t from, int64_t depth, void* room) const = 0;
  // Columns [col, col + n) of B, depth [from, from + depth), in panels as Kernels::pack_b leaves
  // them.
  virtual void b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
                 void* room) const = 0;

 protected:
  ~Source() = default;
};

// A source whose k is counted in elements of the kind, `k` of them.
class KindSource : public Source {
 public:
  const Kernels* kernels = nullptr;
  int64_t k = 0;

 protected:
  ~KindSource() = default;
  int64_t first_of(int64_t from) const {
    return from * kernels->per_depth_den / kernels->per_depth_num;
  }
  int64_t length_of(int64_t first, int64_t depth) const {
    int64_t most = depth * kernels->per_depth_den / kernels->per_depth_num;
    return most < k - first ? most : k - first;
  }
};
inline int64_t packed_depth(const Kernels& kernels, int64_t k) {
  return (k * kernels.per_depth_num + kernels.per_depth_den - 1) / kernels.per_depth_den;
}

struct Product {
  const Kernels* kernels = nullptr;
  const Source* source = nullptr;
  const void* b_plain =
      nullptr;  // B where it may be read in place: rows of contiguous compute elements
  int64_t b_row = 0;
  // Likewise where columns are contiguous along k instead; rows of A are read in place too.
  const void* b_columns = nullptr;
  int64_t b_col = 0;
  // Likewise where all of B is packed: each chunk's panels, panel_pitch() after one another.
  const void* b_panels = nullptr;
  int64_t m = 0, n = 0, depth = 0;
  void* c = nullptr;
  int64_t c_row = 0;
  const void* bias = nullptr;
  int64_t groups_a = 1;        // of rows that the source packs at once
  bool rows_in_place = false;  // of A: read where they lie, each contiguous along k
  bool bias_by_row = false;    // an element of the bias for each row instead of each column
  bool accumulate = false, relu = false;
  // One row times the transposed A, of the same depth: its columns are the rows of C, and are
  // computed beside them, while A is near.
  const Product* beside = nullptr;
};

// Bytes between the panels of B, which are two vectors wide.
int64_t panel_pitch(const Kernels& kernels, int64_t depth);

// All of B as Product::b_panels has it, packed by all threads.
int64_t panels_bytes(const Kernels& kernels, int64_t depth, int64_t n);
void pack_panels(const Kernels& kernels, const Source& source, int64_t depth, int64_t n,
                 void* panels);

// A part of C, on the calling thread.
void run_tile(const Product& product, int64_t row, int64_t rows, int64_t col, int64_t cols);

// `count` products, all of the shape of the first, over the threads. `at(context, i)` gives the
// i-th: it is called from many threads.
using ProductAt = void (*)(const void* context, int64_t i, void (*use)(const Product&, void*),
                           void* argument);
void run_products(const Product& shape, int64_t count, ProductAt at, const void* context);

// f(job) for each job < count, each on some thread; jobs must not care which. Exceptions reach the
// caller.
void run_jobs(int64_t count, void (*f)(void*, int64_t), void* context);
template <class F>
void run_jobs(int64_t count, F&& f) {
  run_jobs(
      count, [](void* c, int64_t i) { (*static_cast<std::remove_reference_t<F>*>(c))(i); },
      const_cast<void*>(static_cast<const void*>(&f)));
}
int threads_available();  // 1 inside a parallel region

// Scratch memory of the calling thread, one block per purpose, kept and only ever grown.
enum class Room {
  a,
  b,
  panels,
  sums,
  part,
  bias,
  split,
  split_beside,
  split_images,
  rows,
  image,
  other,
  weight,
  result
};
inline constexpr int kRooms = 14;
void* room(Room which, int64_t bytes);

}  // namespace kagari::provider
