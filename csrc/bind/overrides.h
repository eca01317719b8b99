// Between overrides.cpp and overridable.cpp only.
#pragma once
#include "bind/bind.h"

namespace kagari {

void init_overridable(PyObject* module);

}  // namespace kagari
