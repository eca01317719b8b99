// What rows say of the tensors that they write into.
#pragma once
#include "core/tensor.h"

namespace kagari {

// In a row's `as`: its out= tensor must have the result's dtype. Those of other rows are cast to.
inline constexpr uint16_t kExactOut = 32;
// In a row's `as`: its out= tensor shares no memory with the inputs. Those of other rows may be an
// input, element for element.
inline constexpr uint16_t kApart = 64;
// In a row's `as`: Tensor.name_ is there although Tensor.name is not.
inline constexpr uint16_t kWritingMethod = 128;

// Throws where several elements of a tensor to be written share a place.
void check_written_once(const TensorImpl* t);

}  // namespace kagari
