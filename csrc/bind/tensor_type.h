// Between the files that make up kagari.Tensor: its slots, methods, indexing, interchange and
// constructors.
#pragma once
#include "autograd/meta.h"
#include "bind/bind.h"
#include "ops/creation.h"

namespace kagari {

// ---- Arguments of hand-written functions --------------------------------------------------------

template <class F>
PyCFunction as_function(F f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f));
}

// Puts positional and keyword arguments into their places by name; missing ones are null. Throws
// TypeErrors.
void bind_arguments(const char* const* names, int count, int required, PyObject* const* args,
                    Py_ssize_t nargs, PyObject* kwnames, PyObject** out, int positional = 1 << 20);
template <int N>
struct Bound {
  PyObject* v[N] = {};
  Bound(const char* const (&names)[N], int required, PyObject* const* args, Py_ssize_t nargs,
        PyObject* kwnames, int positional = 1 << 20) {
    bind_arguments(names, N, required, args, nargs, kwnames, v, positional);
  }
  PyObject* operator[](int i) const { return v[i]; }
  bool given(int i) const { return v[i] && v[i] != Py_None; }
};

// Hands a method call to __torch_function__; used through KG_OVERRIDE.
PyObject* override_method(const char* name, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames);
// First statement of a method (self, args, nargs, kwnames).
#define KG_OVERRIDE(name)                        \
  if (__builtin_expect(needs_override(self), 0)) \
  return override_method(name, self, args, nargs, kwnames)
// The same for methods whose answer does not depend on the layout.
#define KG_FACT_OVERRIDE(name)                        \
  if (__builtin_expect(fact_needs_override(self), 0)) \
  return override_method(name, self, args, nargs, kwnames)
#define KG_FACT_OVERRIDE0(name)                       \
  if (__builtin_expect(fact_needs_override(self), 0)) \
  return override_method(name, self, nullptr, 0, nullptr)
// Of a method without arguments.
#define KG_OVERRIDE0(name)                       \
  if (__builtin_expect(needs_override(self), 0)) \
  return override_method(name, self, nullptr, 0, nullptr)
#define KG_OVERRIDE1(name, arg)                  \
  if (__builtin_expect(needs_override(self), 0)) \
  return override_method(name, self, &arg, 1, nullptr)

// ---- Tensors of a type --------------------------------------------------------------------------

// The tensor itself when it is of that type already; else its contents in a new object of the type.
// Only for a tensor that nothing else refers to.
PyObject* as_type(Tensor&& fresh, PyTypeObject* type);
// A view without a record on the tape: for sources that need none.
Tensor plain_view(TensorImpl* source, Ints sizes, Ints strides, int64_t offset);
// Whether operations on the tensor may skip the call path: nothing to record, no transform.
inline bool is_straight(const TensorImpl* t) {
  return !(t->flags & kTransform) && !((t->flags & kRequiresGrad) && grad_mode.enabled);
}

// ---- Parts of the type, by file -----------------------------------------------------------------

extern PyMethodDef tensor_methods[];                        // tensor_methods.cpp
extern PyMethodDef interchange_methods[];                   // interchange.cpp
extern PyMethodDef factory_methods[];                       // factories.cpp: new_tensor, new
extern PyBufferProcs* const tensor_buffer;                  // interchange.cpp
PyObject* tensor_getitem(PyObject* self, PyObject* index);  // indexing.cpp
int tensor_setitem(PyObject* self, PyObject* index, PyObject* value);  // value null: del
PyObject* tensor_tolist(PyObject* self, PyObject*);
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);  // factories.cpp

// ---- Storages -----------------------------------------------------------------------------------

extern PyTypeObject* storage_type;            // kagari.UntypedStorage
PyObject* wrap(Storage* s);                   // one object per storage while it lives
bool to_storage(PyObject* o, Storage*& out);  // UntypedStorage, or an object that has one
void init_storage_type(PyObject* module);

}  // namespace kagari
