// Convolutions by name, for C++: each records on the tape when grad mode is on.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(convolution)
KG_DECLARE_ROW(conv_input)
KG_DECLARE_ROW(conv_weight)

// Whether the strides are those of channels_last (or channels_last_3d), as PyTorch decides
// ambiguous cases.
bool suggests_channels_last(const Tensor& t);

}  // namespace kagari
