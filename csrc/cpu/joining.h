// Movement of elements between strided blocks: what the kernels that only copy are made of.
#pragma once
#include "core/tensor.h"

namespace kagari {

// Copies the elements of one strided block to another of the same sizes and element size, in
// parallel. Strides are in elements and may be negative or, in the source, zero; the blocks must
// not overlap.
void move_elements(Ints sizes, char* to, Ints to_strides, const char* from, Ints from_strides,
                   int64_t itemsize);
void zero_bytes(char* to, int64_t bytes);  // in parallel

}  // namespace kagari
