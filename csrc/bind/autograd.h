// What bind/autograd.cpp gives to the other files of bind/.
#pragma once
#include "autograd/meta.h"

namespace kagari {

// Installed on the Tensor type.
extern PyMethodDef autograd_methods[];
extern PyGetSetDef autograd_getset[];
// A gradient of ones for a root of one element.
Tensor scalar_like_one(const Tensor& t);

}  // namespace kagari
