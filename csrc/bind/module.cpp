// The extension module kagari._core: its parts are made here, in the order in which they need each
// other.
#include "bind/bind.h"

namespace kagari {

PyObject* core_module = nullptr;

void add_object(PyObject* module, const char* name, PyObject* object) {
  checked_status(PyModule_AddObjectRef(module, name, object));
}

PyObject* add_submodule(PyObject* module, const char* name) {
  std::string full = std::string(PyModule_GetName(module)) + "." + name;
  PyObject* sub = PyImport_AddModule(full.c_str());  // borrowed: sys.modules holds it
  if (!sub) throw_python_error();
  add_object(module, name, sub);
  return sub;
}

PyTypeObject* add_type(PyObject* module, PyType_Spec* spec, PyObject* bases) {
  Ref type = checked(PyType_FromModuleAndSpec(module, spec, bases));
  checked_status(PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())));
  return reinterpret_cast<PyTypeObject*>(type.release());
}

void add_functions(PyObject* module, PyMethodDef* methods) {
  checked_status(PyModule_AddFunctions(module, methods));
}

namespace {

PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                          .m_name = "kagari._core",
                          .m_doc = "The compiled half of kagari.",
                          .m_size = -1,
                          .m_methods = nullptr,
                          .m_slots = nullptr,
                          .m_traverse = nullptr,
                          .m_clear = nullptr,
                          .m_free = nullptr};

}  // namespace
}  // namespace kagari

extern "C" __attribute__((visibility("default"))) PyObject* PyInit__core() {
  using namespace kagari;
  KG_BIND_TRY
  // One copy for the process: types and tables are global.
  if (core_module) return Py_NewRef(core_module);
  Ref module = checked(PyModule_Create(&definition));
  PyObject* m = core_module = module.get();
  try {
    add_object(m, "__version__", checked(PyUnicode_FromString(KG_VERSION)).get());
    init_errors(m);
    init_types(m);
    init_generator(m);
    init_tensor_type(m);
    init_overrides(m);
    init_autograd(m);
    init_module_base(m);
    init_op_function(m);
    init_indexing(m);
    init_interchange(m);
    init_factories(m);
    init_composite(m);
    init_settings(m);
    init_autocast(m);
    init_sparse(m);
  } catch (...) {
    core_module = nullptr;
    throw;
  }
  Py_INCREF(m);  // it lives for ever
  return module.release();
  KG_BIND_CATCH("kagari._core", nullptr)
}
