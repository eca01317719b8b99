// Matrix products on raw pointers, for every element kind that has arithmetic.
//
// The law of bits: an element of C is a function of its row of A, its column of B and k alone.
// Products are chained by fma in ascending k, from zero, over chunks of a fixed length; chunk sums
// are added in order within panels of a fixed length, panel sums in order to the total. Neither m,
// n, the batch, the layout, the place of the element nor the number of threads takes part, so a row
// alone equals the same row in a batch.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace kagari::provider {

enum class Kind : uint8_t { u8, i8, i16, i32, i64, f16, bf16, f32, f64, c64, c128 };
inline constexpr int kKinds = 11;

int64_t size_of(Kind kind);
const char* name_of(Kind kind);

// Distances in elements; any sign, zero where an operand is broadcast.
struct Strides {
  int64_t batch, row, col;
};

struct Epilogue {
  const void* bias = nullptr;  // n elements of the product's kind, added to every row
  bool accumulate = false;     // C + (product + bias) instead of product + bias
  bool relu = false;           // last; real kinds only
  // m elements: the sums of A's rows, with the bits of A times a column of ones. For float32 and
  // float64, and one product at a time.
  void* row_sums = nullptr;
};

// C[i] = A[i] (m, k) times B[i] (k, n) for each i < batch. C's columns are contiguous and its
// elements distinct. 16-bit floats and small integers accumulate in 32 bits and round (wrap) once,
// at the end. C overlaps neither A nor B.
void gemm(Kind kind, int64_t batch, int64_t m, int64_t n, int64_t k, const void* a,
          Strides a_strides, const void* b, Strides b_strides, void* c, Strides c_strides,
          const Epilogue& epilogue = {});

// B of a real kind in the kernels' own layout, for many products with it.
class PackedMatrix {
 public:
  PackedMatrix(Kind kind, int64_t k, int64_t n, const void* b, Strides strides);

 private:
  friend void gemm(const PackedMatrix&, int64_t, const void*, Strides, void*, Strides,
                   const Epilogue&);
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  Kind kind_;
  int64_t k_, n_;
  std::unique_ptr<void, Free> panels_;
};
// The same bits as from the plain B.
void gemm(const PackedMatrix& b, int64_t m, const void* a, Strides a_strides, void* c,
          Strides c_strides, const Epilogue& epilogue = {});

}  // namespace kagari::provider
