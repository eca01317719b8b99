// What the files of bind/ share: counted references, errors at the boundary, and conversions
// between Python's objects and the core's.
//
// Laws:
//  - Every C function that Python calls stands between KG_BIND_TRY and KG_BIND_CATCH: no C++
//  exception crosses the boundary.
//  - A Tensor is a PyObject already: wrapping one is counting it, and identity is kept.
//  - Objects of dtype, layout and memory format are singletons; `borrowed` is said where no new
//  reference is given.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/sparse.h"
#include "core/tensor.h"
#include "core/value.h"

namespace kagari {

// ---- References ---------------------------------------------------------------------------------

// An owned reference to a Python object.
class Ref {
 public:
  Ref() = default;
  Ref(const Ref& o) : p_(o.p_) { Py_XINCREF(p_); }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  ~Ref() { Py_XDECREF(p_); }
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  static Ref steal(PyObject* p) {
    Ref r;
    r.p_ = p;
    return r;
  }
  static Ref borrow(PyObject* p) {
    Py_XINCREF(p);
    return steal(p);
  }
  PyObject* get() const { return p_; }
  PyObject* release() { return std::exchange(p_, nullptr); }
  explicit operator bool() const { return p_; }

 private:
  PyObject* p_ = nullptr;
};

// Takes a new reference that a C API function returned; throws when it is null (a Python exception
// is set).
inline Ref checked(PyObject* p) {
  if (!p) throw_python_error();
  return Ref::steal(p);
}
inline void checked_status(int status) {
  if (status < 0) throw_python_error();
}

// ---- Errors -------------------------------------------------------------------------------------

extern PyObject* out_of_memory_error;  // kagari.OutOfMemoryError, a RuntimeError
extern PyObject* linalg_error;         // kagari.linalg.LinAlgError, a RuntimeError

// Turns the C++ exception in flight into a Python one. `op` (may be null or empty) is put in front:
// "op: message".
void translate_exception(const char* op) noexcept;

#define KG_BIND_TRY try {
// KG_BIND_CATCH("add", nullptr)
#define KG_BIND_CATCH(op, failure)     \
  }                                    \
  catch (...) {                        \
    ::kagari::translate_exception(op); \
    return failure;                    \
  }

// ---- Tensors ------------------------------------------------------------------------------------

inline bool is_tensor_exact(PyObject* o) { return Py_TYPE(o) == tensor_type; }
inline bool is_tensor(PyObject* o) {
  return is_tensor_exact(o) || PyType_IsSubtype(Py_TYPE(o), tensor_type);
}
inline TensorImpl* as_impl(PyObject* o) { return reinterpret_cast<TensorImpl*>(o); }
inline Tensor as_tensor(PyObject* o) { return Tensor::borrow(as_impl(o)); }
// A new reference; None for an undefined tensor.
inline PyObject* wrap(const Tensor& t) {
  PyObject* o = t.defined() ? t.object() : Py_None;
  Py_INCREF(o);
  return o;
}
inline PyObject* wrap(Tensor&& t) {
  if (t.defined()) return reinterpret_cast<PyObject*>(t.release());
  Py_RETURN_NONE;
}
// The one element of a tensor; throws when there is not exactly one, or no data (meta).
Scalar item(const TensorImpl* t);
PyObject* wrap(const Scalar& s);  // bool, int, float or complex

// ---- Types --------------------------------------------------------------------------------------

extern PyTypeObject* dtype_type;
extern PyTypeObject* device_type;
extern PyTypeObject* layout_type;
extern PyTypeObject* memory_format_type;
extern PyTypeObject* size_type;
extern PyTypeObject* generator_type;

PyObject* dtype_object(Dtype d);                 // borrowed
PyObject* layout_object(Layout l);               // borrowed
PyObject* memory_format_object(MemoryFormat f);  // borrowed
PyObject* wrap(Dtype d);
PyObject* wrap(Device d);
PyObject* wrap(Layout l);
PyObject* wrap(MemoryFormat f);
PyObject* wrap_size(Ints sizes);   // kagari.Size
PyObject* wrap_ints(Ints values);  // tuple

// These return false when the object is of another kind; no exception is set. They accept what
// PyTorch accepts, and for dtypes Python's bool, int, float, complex and NumPy's dtypes too.
bool to_dtype(PyObject* o, Dtype& out);
bool to_device(PyObject* o, Device& out);  // device, str, int; throws when a str names no device
bool to_layout(PyObject* o, Layout& out);
bool to_memory_format(PyObject* o, MemoryFormat& out);
bool to_generator(PyObject* o, Generator*& out);
// int, bool where allow_bool, NumPy integers, one-element integer tensors, __index__. Throws on
// overflow.
bool to_int(PyObject* o, int64_t& out, bool allow_bool = true);
// Python and NumPy numbers; one-element tensors where allow_tensor.
bool to_scalar(PyObject* o, Scalar& out, bool allow_tensor = true);
bool to_real(PyObject* o, double& out);
// tuple, list or Size of ints.
bool to_dims(PyObject* o, Dims& out);

// "Tensor float32 (2, 3)", "int", "list of str": how errors speak of an argument.
std::string describe_object(PyObject* o);

// ---- State of the thread ------------------------------------------------------------------------

enum ThreadFlags : uint32_t {
  kModes = 1,          // the stack of function modes is not empty
  kDefaultDevice = 2,  // `with device(...)` or set_default_device
  kNoSubclass = 4,     // DisableTorchFunctionSubclass: __torch_function__ of arguments is not asked
  kNoModes = 8,        // DisableTorchFunction: neither are modes
  kAutocast = 16,      // ops cast their floating arguments (bind/autocast.h)
};
struct ThreadState {
  uint32_t flags = 0;
  Device default_device;  // holds when kDefaultDevice is set
};
extern constinit thread_local ThreadState thread_state __attribute__((tls_model("initial-exec")));

// Where factories put their results when no device is given.
inline Device default_device() {
  return thread_state.flags & kDefaultDevice ? thread_state.default_device : Device{};
}

// ---- Overrides (__torch_function__) -------------------------------------------------------------

// Whether the type of this tensor or foreign object defines __torch_function__ (other than the
// disabled one). Not for exact tensors, which never do. Cached by type.
bool type_overrides(PyTypeObject* type);
// Whether a call must go through dispatch_override for what a tensor knows whatever its layout: its
// shape, its dtype, its history. Asked by hand-written methods first.
inline bool fact_needs_override(PyObject* self) {
  if (__builtin_expect(is_tensor_exact(self) && !(thread_state.flags & kModes), 1)) return false;
  uint32_t flags = thread_state.flags;
  if ((flags & kModes) && !(flags & kNoModes)) return true;
  return !(flags & (kNoSubclass | kNoModes)) && !is_tensor_exact(self) &&
         type_overrides(Py_TYPE(self));
}
// The same for what touches elements, which kagari.sparse does for sparse tensors.
inline bool needs_override(PyObject* self) {
  return __builtin_expect(as_impl(self)->flags & kSparse, 0) || fact_needs_override(self);
}
// Whether any of the arguments of a call, or elements of lists among them, or a mode asks to be
// heard.
bool any_override(PyObject* const* args, Py_ssize_t n);
// Calls modes and __torch_function__ for `func` (the public object) with the arguments of a
// vectorcall.
PyObject* dispatch_override(PyObject* func, PyObject* const* args, Py_ssize_t nargs,
                            PyObject* kwnames);
// The same for a property of Tensor: func is `Tensor.<name>.__get__` (or __set__, __delete__).
PyObject* dispatch_getter(PyObject* self, const char* name);
int dispatch_setter(PyObject* self, const char* name, PyObject* value);
// The same for a method of Tensor found by name in the type: func is `Tensor.<name>`.
PyObject* dispatch_method(const char* name, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames);

// Hands a call with a sparse tensor to kagari.sparse; throws. A new reference.
PyObject* dispatch_sparse(PyObject* func, PyObject* args, PyObject* kwargs);

// ---- Calling ops --------------------------------------------------------------------------------

// All overloads of one name: rows and composites.
struct Group;
// Made when missing, so that it can be held before its overloads are registered.
Group* op_group(std::string_view name);
enum class Form : uint8_t { function, method, inplace };
// Parses and runs. `args` as in a vectorcall (nargs without flags; kwnames may be null).
PyObject* op_call(Group* group, Form form, PyObject* const* args, Py_ssize_t nargs,
                  PyObject* kwnames);
// Number slots: a or b is a tensor. Returns NotImplemented where the arguments do not fit.
PyObject* op_call_binary(Group* group, PyObject* a, PyObject* b);
PyObject* op_call_inplace(Group* group, PyObject* a, PyObject* b);
PyObject* op_call_unary(Group* group, PyObject* a);

// ---- The module ---------------------------------------------------------------------------------

extern PyObject* core_module;  // kagari._core; borrowed, lives for ever
// Makes a submodule `kagari._core.<name>` that can be imported from; borrowed.
PyObject* add_submodule(PyObject* module, const char* name);
void add_object(PyObject* module, const char* name,
                PyObject* object);  // keeps the caller's reference
// Makes a heap type and adds it to the module under its last name; a reference that lives for ever.
PyTypeObject* add_type(PyObject* module, PyType_Spec* spec, PyObject* bases = nullptr);
void add_functions(PyObject* module, PyMethodDef* methods);

// Called by PyInit__core in this order; each throws on failure.
void init_errors(PyObject* module);
void init_types(PyObject* module);
void init_generator(PyObject* module);
void init_tensor_type(PyObject* module);  // sets tensor_type
void init_overrides(PyObject* module);
void init_autograd(PyObject* module);
void init_module_base(PyObject* module);
void init_indexing(PyObject* module);
void init_interchange(PyObject* module);
void init_factories(PyObject* module);
void init_op_function(
    PyObject* module);  // methods of rows are put on tensor_type where it has none of that name
void init_composite(PyObject* module);
void init_settings(PyObject* module);
void init_autocast(PyObject* module);
void init_sparse(PyObject* module);

}  // namespace kagari
