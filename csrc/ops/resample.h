// Resampling of images: what rows and kernels share.
#pragma once
#include "ops/call.h"

namespace kagari {

enum class GridMode : uint8_t { bilinear, nearest, bicubic };
enum class GridPadding : uint8_t { zeros, border, reflection };

KG_DECLARE_ROW(image_resize)
KG_DECLARE_ROW(image_resize_backward)
KG_DECLARE_ROW(grid_sample)
KG_DECLARE_ROW(grid_splat)
KG_DECLARE_ROW(grid_slope)

}  // namespace kagari
