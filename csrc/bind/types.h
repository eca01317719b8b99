// Between types.cpp, type_info.cpp and convert.cpp only.
#pragma once
#include "bind/bind.h"

namespace kagari {

bool to_dtype_object(PyObject* o, Dtype& out);  // a kagari.dtype, nothing else
void init_type_info(PyObject* module);          // finfo, iinfo, default dtype, promotion

}  // namespace kagari
