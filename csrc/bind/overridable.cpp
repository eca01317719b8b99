// The decorator `overridable`: a Python function whose arguments are asked for __torch_function__
// first, at the cost of one look.
#include "bind/overrides.h"
// after Python.h
#include <structmember.h>

namespace kagari {
namespace {

struct OverridableObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject* function;
  PyObject* dict;
  PyObject* weakrefs;
};
OverridableObject* as_overridable(PyObject* o) { return reinterpret_cast<OverridableObject*>(o); }

PyObject* call(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  Py_ssize_t n = PyVectorcall_NARGS(nargsf);
  Py_ssize_t all = n + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  if (__builtin_expect(any_override(args, all), 0))
    return dispatch_override(self, args, n, kwnames);
  return PyObject_Vectorcall(as_overridable(self)->function, args, nargsf, kwnames);
}

// overridable(function): takes over the function's name, documentation and attributes.
PyObject* make(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  PyObject* function = nullptr;
  static const char* const names[] = {"function", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:overridable", const_cast<char**>(names),
                                   &function))
    return nullptr;
  KG_CHECK_TYPE(PyCallable_Check(function), "expected a function, got ", describe_object(function));
  Ref made = checked(type->tp_alloc(type, 0));
  OverridableObject* o = as_overridable(made.get());
  o->vectorcall = call;
  o->function = Py_NewRef(function);
  o->dict = checked(PyDict_New()).release();
  for (const char* name : {"__module__", "__name__", "__qualname__", "__doc__"}) {
    Ref value = Ref::steal(PyObject_GetAttrString(function, name));
    if (value) {
      checked_status(PyDict_SetItemString(o->dict, name, value.get()));
    } else {
      PyErr_Clear();
    }
  }
  Ref own = Ref::steal(PyObject_GetAttrString(function, "__dict__"));
  if (own) {
    checked_status(PyDict_Update(o->dict, own.get()));
  } else {
    PyErr_Clear();
  }
  checked_status(PyDict_SetItemString(o->dict, "__wrapped__", function));
  return made.release();
  KG_BIND_CATCH("overridable", nullptr)
}

PyObject* bind(PyObject* self, PyObject* object, PyObject*) {
  if (!object || object == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, object);
}
PyObject* repr(PyObject* self) {
  Ref name = Ref::steal(PyObject_GetAttrString(self, "__qualname__"));
  return name ? PyUnicode_FromFormat("<function %S at %p>", name.get(), self) : nullptr;
}
// Found by its module and name, as a function is.
PyObject* reduce(PyObject* self, PyObject*) { return PyObject_GetAttrString(self, "__qualname__"); }

// The class's own __doc__ and __module__ must not hide the function's.
PyObject* getattr(PyObject* self, PyObject* name) {
  if (PyObject* value = PyDict_GetItemWithError(as_overridable(self)->dict, name))
    return Py_NewRef(value);
  if (PyErr_Occurred()) return nullptr;
  return PyObject_GenericGetAttr(self, name);
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(as_overridable(self)->function);
  Py_VISIT(as_overridable(self)->dict);
  return 0;
}
int clear(PyObject* self) {
  Py_CLEAR(as_overridable(self)->function);
  Py_CLEAR(as_overridable(self)->dict);
  return 0;
}
void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  if (as_overridable(self)->weakrefs) PyObject_ClearWeakRefs(self);
  clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {{"__reduce__", reduce, METH_NOARGS, nullptr}, {}};
PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(OverridableObject, vectorcall), READONLY,
     nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(OverridableObject, weakrefs), READONLY, nullptr},
    {"__dictoffset__", T_PYSSIZET, offsetof(OverridableObject, dict), READONLY, nullptr},
    {}};
PyType_Slot slots[] = {
    {Py_tp_new, (void*)make},
    {Py_tp_call, (void*)PyVectorcall_Call},
    {Py_tp_repr, (void*)repr},
    {Py_tp_descr_get, (void*)bind},
    {Py_tp_getattro, (void*)getattr},
    {Py_tp_traverse, (void*)traverse},
    {Py_tp_clear, (void*)clear},
    {Py_tp_dealloc, (void*)dealloc},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_doc,
     (void*)"overridable(function)\n--\n\nLets __torch_function__ and modes take over a function."},
    {0, nullptr}};
PyType_Spec spec = {"kagari._core.overridable", sizeof(OverridableObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                        Py_TPFLAGS_METHOD_DESCRIPTOR,
                    slots};

}  // namespace

void init_overridable(PyObject* module) { add_type(module, &spec); }

}  // namespace kagari
