// How far a geometry reaches into a storage, and storages that grow under a tensor.
#pragma once
#include "core/tensor.h"

namespace kagari {

// Elements from the first to behind the last one that a geometry reaches; 0 when it is empty,
// INT64_MAX when there are more than a count can say. Strides are not negative.
int64_t extent(Ints sizes, Ints strides);
// Bytes that a storage must have for a geometry at `offset`; SIZE_MAX when no storage can.
size_t bytes_reached(Ints sizes, Ints strides, int64_t offset, int64_t itemsize);

namespace impl {
// Gives t's storage at least `bytes`. Other tensors hold addresses into the block, so it moves only
// when there are none; otherwise t leaves it for a larger copy. Returns t's storage.
Storage* grow_storage(TensorImpl* t, size_t bytes);
}  // namespace impl

}  // namespace kagari
