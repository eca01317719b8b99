// Named tuples for ops with several results: tuples whose items have names, as
// kagari.return_types.max.
#include <map>

#include "bind/op_function.h"
// after Python.h
#include <structmember.h>

namespace kagari {
namespace {

PyObject* return_types_module = nullptr;

struct ResultType {
  PyTypeObject* type;
  std::vector<std::string> fields;
};
std::map<std::string, ResultType, std::less<>>& types_by_key() {
  static std::map<std::string, ResultType, std::less<>> types;
  return types;
}
const ResultType* facts_of(PyTypeObject* type) {
  for (const auto& [key, r] : types_by_key())
    if (r.type == type) return &r;
  return nullptr;
}

void result_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  for (Py_ssize_t i = Py_SIZE(self); --i >= 0;) Py_XDECREF(PyTuple_GET_ITEM(self, i));
  type->tp_free(self);
  Py_DECREF(type);
}
int result_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  for (Py_ssize_t i = Py_SIZE(self); --i >= 0;) Py_VISIT(PyTuple_GET_ITEM(self, i));
  return 0;
}

PyObject* result_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  const ResultType* r = facts_of(type);
  KG_INTERNAL(r, "an unknown result type");
  KG_CHECK_TYPE((!kwargs || PyDict_GET_SIZE(kwargs) == 0) && PyTuple_GET_SIZE(args) == 1,
                "constructor requires a sequence of ", r->fields.size(), " items");
  Ref items = checked(PySequence_Tuple(PyTuple_GET_ITEM(args, 0)));
  Py_ssize_t n = PyTuple_GET_SIZE(items.get());
  KG_CHECK_TYPE(size_t(n) == r->fields.size(), "takes a ", r->fields.size(), "-sequence (", n,
                "-sequence given)");
  auto* made = PyObject_GC_NewVar(PyTupleObject, type, n);
  if (!made) throw_python_error();
  for (Py_ssize_t i = 0; i < n; ++i) made->ob_item[i] = Py_NewRef(PyTuple_GET_ITEM(items.get(), i));
  PyObject_GC_Track(made);
  return reinterpret_cast<PyObject*>(made);
  KG_BIND_CATCH(type->tp_name, nullptr)
}

PyObject* result_repr(PyObject* self) {
  KG_BIND_TRY
  const ResultType* r = facts_of(Py_TYPE(self));
  std::string text = std::string(Py_TYPE(self)->tp_name) + "(";
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
    Ref item = checked(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
    const char* s = PyUnicode_AsUTF8(item.get());
    if (!s) throw_python_error();
    text += (i ? ",\n" : "\n") + (r ? r->fields[size_t(i)] : std::to_string(i)) + "=" + s;
  }
  text += ")";
  return PyUnicode_FromStringAndSize(text.data(), Py_ssize_t(text.size()));
  KG_BIND_CATCH("repr", nullptr)
}
PyObject* result_reduce(PyObject* self, PyObject*) {
  Ref plain = Ref::steal(PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self)));
  return plain ? Py_BuildValue("(O(O))", Py_TYPE(self), plain.get()) : nullptr;
}
PyMethodDef result_methods[] = {{"__reduce__", result_reduce, METH_NOARGS, nullptr}, {}};

PyTypeObject* make_type(const std::string& name, const std::vector<std::string>& fields) {
  // The type keeps pointing at these for ever.
  auto* full = new std::string("kagari.return_types." + name);
  auto* members = new std::vector<PyMemberDef>();
  for (size_t i = 0; i < fields.size(); ++i) {
    auto* field = new std::string(fields[i]);
    Py_ssize_t offset = Py_ssize_t(offsetof(PyTupleObject, ob_item) + i * sizeof(PyObject*));
    members->push_back(PyMemberDef{field->c_str(), T_OBJECT_EX, offset, READONLY, nullptr});
  }
  members->push_back(PyMemberDef{});
  PyType_Slot slots[] = {{Py_tp_new, (void*)result_new},
                         {Py_tp_repr, (void*)result_repr},
                         {Py_tp_dealloc, (void*)result_dealloc},
                         {Py_tp_traverse, (void*)result_traverse},
                         {Py_tp_members, members->data()},
                         {Py_tp_methods, result_methods},
                         {0, nullptr}};
  PyType_Spec spec = {full->c_str(), 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};
  Ref bases = checked(PyTuple_Pack(1, &PyTuple_Type));
  Ref type = checked(PyType_FromSpecWithBases(&spec, bases.get()));
  Ref match_args = checked(PyTuple_New(Py_ssize_t(fields.size())));
  for (size_t i = 0; i < fields.size(); ++i)
    PyTuple_SET_ITEM(match_args.get(), Py_ssize_t(i),
                     checked(PyUnicode_FromString(fields[i].c_str())).release());
  checked_status(PyObject_SetAttrString(type.get(), "__match_args__", match_args.get()));
  Ref count = checked(PyLong_FromSize_t(fields.size()));
  checked_status(PyObject_SetAttrString(type.get(), "n_fields", count.get()));
  checked_status(PyObject_SetAttrString(type.get(), "n_sequence_fields", count.get()));
  return reinterpret_cast<PyTypeObject*>(type.release());
}

}  // namespace

PyTypeObject* result_type(std::string_view name, const std::vector<std::string>& fields) {
  auto& types = types_by_key();
  std::string key(name);
  auto found = types.find(key);
  if (found != types.end() && found->second.fields != fields) {
    for (const auto& f : fields) key += "_" + f;
    found = types.find(key);
  }
  if (found != types.end()) return found->second.type;
  PyTypeObject* type = make_type(key, fields);
  types[key] = {type, fields};
  add_object(return_types_module, key.c_str(), reinterpret_cast<PyObject*>(type));
  return type;
}

PyObject* make_result(PyTypeObject* type, PyObject* const* items, Py_ssize_t n) {
  auto* made = PyObject_GC_NewVar(PyTupleObject, type, n);
  if (!made) throw_python_error();
  for (Py_ssize_t i = 0; i < n; ++i) made->ob_item[i] = items[i];
  PyObject_GC_Track(made);
  return reinterpret_cast<PyObject*>(made);
}

void init_result_types(PyObject* module) {
  return_types_module = PyImport_AddModule("kagari.return_types");
  if (!return_types_module) throw_python_error();
  checked_status(PyModule_SetDocString(return_types_module,
                                       "The named tuples that ops with several results return."));
  add_object(module, "return_types", return_types_module);
}

}  // namespace kagari
