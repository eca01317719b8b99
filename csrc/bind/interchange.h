// What interchange.cpp gives to the constructors: tensors on the memory of other libraries'
// objects.
#pragma once
#include "bind/bind.h"

namespace kagari {

bool is_ndarray(PyObject* o);  // numpy.ndarray or a subclass; never imports NumPy
int array_ndim(PyObject* array);
// A tensor on the array's memory, which it keeps alive. Throws where no tensor can describe it.
Tensor from_ndarray(PyObject* array, bool warn_read_only = true);
// numpy.asarray(o), as an owned array of a dtype and layout that from_ndarray takes.
Ref as_ndarray(PyObject* o);
// A tensor on what a DLPack capsule or an object with __dlpack__ describes.
Tensor from_dlpack(PyObject* source, PyObject* device, PyObject* copy);
// A tensor on a buffer's memory.
Tensor from_buffer(PyObject* source, Dtype dtype, int64_t count, int64_t offset,
                   bool warn_read_only);
void warn(const char* text);  // UserWarning; throws when warnings are errors

}  // namespace kagari
