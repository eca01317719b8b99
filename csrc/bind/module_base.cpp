// The base of nn.Module: attribute access that finds parameters, submodules and buffers without a
// failed look-up first.
//
// `self.weight` is read in every forward. Python would build an AttributeError before it calls
// Module.__getattr__, which costs more than the layer's arithmetic on small tensors.
#include "bind/bind.h"

// Public in effect (exported by every CPython since 3.7); with suppress = 1 a missing attribute
// sets no exception.
extern "C" PyObject* _PyObject_GenericGetAttrWithDict(PyObject* self, PyObject* name,
                                                      PyObject* dict, int suppress);

namespace kagari {
namespace {

PyObject* stores[3];  // interned "_parameters", "_modules", "_buffers"

PyObject* module_getattro(PyObject* self, PyObject* name) {
  PyObject* found = _PyObject_GenericGetAttrWithDict(self, name, nullptr, 1);
  if (found || PyErr_Occurred()) return found;
  for (PyObject* store : stores) {
    Ref dict = Ref::steal(_PyObject_GenericGetAttrWithDict(self, store, nullptr, 1));
    if (!dict) {
      if (PyErr_Occurred()) return nullptr;
      continue;
    }
    if (!PyDict_Check(dict.get())) continue;
    PyObject* value = PyDict_GetItemWithError(dict.get(), name);
    if (value) return Py_NewRef(value);
    if (PyErr_Occurred()) return nullptr;
  }
  // Module.__getattr__ takes over and raises with the words that it has for the case.
  PyErr_SetObject(PyExc_AttributeError, name);
  return nullptr;
}

PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>("The base of nn.Module.")},
                       {Py_tp_getattro, reinterpret_cast<void*>(module_getattro)},
                       {0, nullptr}};
PyType_Spec spec{"kagari._core.ModuleBase", sizeof(PyObject), 0,
                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

}  // namespace

void init_module_base(PyObject* module) {
  const char* names[] = {"_parameters", "_modules", "_buffers"};
  for (int i = 0; i < 3; ++i) stores[i] = checked(PyUnicode_InternFromString(names[i])).release();
  add_type(module, &spec);
}

}  // namespace kagari
