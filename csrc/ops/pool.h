// Pooling by name, for C++: each records on the tape when grad mode is on.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(max_pool1d_with_indices)
KG_DECLARE_ROW(max_pool2d_with_indices)
KG_DECLARE_ROW(max_pool3d_with_indices)
KG_DECLARE_ROW(max_pool_values)
KG_DECLARE_ROW(avg_pool1d)
KG_DECLARE_ROW(avg_pool2d)
KG_DECLARE_ROW(avg_pool3d)
KG_DECLARE_ROW(adaptive_avg_pool1d)
KG_DECLARE_ROW(adaptive_avg_pool2d)
KG_DECLARE_ROW(adaptive_avg_pool3d)
KG_DECLARE_ROW(adaptive_max_pool1d)
KG_DECLARE_ROW(adaptive_max_pool2d)
KG_DECLARE_ROW(adaptive_max_pool3d)
KG_DECLARE_ROW(pool_scatter)
KG_DECLARE_ROW(pool_gather)
KG_DECLARE_ROW(avg_pool_backward)
KG_DECLARE_ROW(adaptive_avg_pool_backward)

// A pooling's attributes, one for each spatial dimension.
struct PoolSizes {
  Dims kernel, stride, padding, dilation;
};
PoolSizes pool_sizes(int64_t dims, Ints kernel, std::optional<Ints> stride, Ints padding,
                     Ints dilation);

}  // namespace kagari
