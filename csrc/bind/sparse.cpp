// Sparse tensors for Python: kagari.sparse makes them here, reads their parts, and answers what the
// tape asks.
#include "core/sparse.h"

#include "autograd/meta.h"
#include "bind/bind.h"

namespace kagari {
namespace {

constexpr Py_ssize_t kParts = 5;  // layout, indices, plain indices or None, values, coalesced

PyObject* checked_parts(PyObject* parts) {
  KG_CHECK_TYPE(PyTuple_CheckExact(parts) && PyTuple_GET_SIZE(parts) == kParts,
                "expected the five parts of a sparse tensor, got ", describe_object(parts));
  return parts;
}

TensorImpl* checked_sparse(PyObject* o) {
  KG_CHECK_TYPE(is_tensor(o) && as_impl(o)->is(kSparse) && as_impl(o)->extension,
                "expected a sparse tensor, got ", describe_object(o));
  return as_impl(o);
}

Ref attribute_of(const char* module, const char* name) {
  Ref m = checked(PyImport_ImportModule(module));
  return checked(PyObject_GetAttrString(m.get(), name));
}

// _sparse_make(parts, size, dtype, device)
PyObject* make(PyObject*, PyObject* const* args, Py_ssize_t n) {
  KG_BIND_TRY
  KG_CHECK_TYPE(n == 4, "expected parts, size, dtype and device, got ", n, " arguments");
  Dims sizes;
  Dtype dtype;
  Device device;
  KG_CHECK_TYPE(to_dims(args[1], sizes), "expected sizes, got ", describe_object(args[1]));
  KG_CHECK_TYPE(to_dtype(args[2], dtype), "expected a dtype, got ", describe_object(args[2]));
  KG_CHECK_TYPE(to_device(args[3], device), "expected a device, got ", describe_object(args[3]));
  Tensor t = Tensor::steal(impl::make());
  t->dtype = dtype;
  t->device = device;
  impl::set_sizes(t.get(), sizes);
  t->extension = Py_NewRef(checked_parts(args[0]));
  t->flags |= kSparse | (grad_mode.inference ? uint32_t(kInference) : 0);
  tape::track(t.get());
  return wrap(std::move(t));
  KG_BIND_CATCH(nullptr, nullptr)
}

// _sparse_parts(tensor) -> tuple
PyObject* parts(PyObject*, PyObject* o) {
  KG_BIND_TRY
  return Py_NewRef(sparse_parts(checked_sparse(o)));
  KG_BIND_CATCH(nullptr, nullptr)
}

// _sparse_set(tensor, parts, size): the tensor is written in place.
PyObject* set(PyObject*, PyObject* const* args, Py_ssize_t n) {
  KG_BIND_TRY
  KG_CHECK_TYPE(n == 3, "expected a tensor, parts and a size, got ", n, " arguments");
  TensorImpl* t = checked_sparse(args[0]);
  Dims sizes;
  KG_CHECK_TYPE(to_dims(args[2], sizes), "expected sizes, got ", describe_object(args[2]));
  auto* fresh = Py_NewRef(checked_parts(args[1]));
  impl::set_sizes(t, sizes);
  auto* before = static_cast<PyObject*>(std::exchange(t->extension, fresh));
  t->bump_version();
  Py_DECREF(before);
  Py_RETURN_NONE;
  KG_BIND_CATCH(nullptr, nullptr)
}

// _sparse_check_inplace(tensor): whether the tape allows a write to it.
PyObject* check_inplace(PyObject*, PyObject* o) {
  KG_BIND_TRY
  TensorImpl* t = checked_sparse(o);
  tape::check_inplace(t, t->is(kRequiresGrad));
  Py_RETURN_NONE;
  KG_BIND_CATCH(nullptr, nullptr)
}

PyObject* is_sparse_object(PyObject*, PyObject* o) {
  return PyBool_FromLong(is_tensor(o) && as_impl(o)->is(kSparse));
}

Tensor ask(const char* what, const Tensor& a, const Tensor& b, Dtype dtype) {
  Ref function = attribute_of("kagari.sparse._tape", what);
  PyObject* args[2] = {a.object(), b.defined() ? b.object() : dtype_object(dtype)};
  Ref answer = checked(PyObject_Vectorcall(function.get(), args, 2, nullptr));
  KG_INTERNAL(is_tensor(answer.get()), what);
  return as_tensor(answer.get());
}

Tensor gradient(const char* what, const Tensor& g, const Tensor& index, Ints sizes, int64_t k) {
  Ref function = attribute_of("kagari.sparse._tape", what);
  Ref size = Ref::steal(wrap_size(sizes)), number = checked(PyLong_FromLongLong(k));
  PyObject* args[4] = {g.object(), index.object(), size.get(), number.get()};
  Ref answer = checked(PyObject_Vectorcall(function.get(), args, 4, nullptr));
  KG_INTERNAL(is_tensor(answer.get()), what);
  return as_tensor(answer.get());
}

PyMethodDef functions[] = {
    {"_sparse_make", (PyCFunction)(void (*)())make, METH_FASTCALL,
     "A sparse tensor of checked parts."},
    {"_sparse_parts", parts, METH_O, "The parts of a sparse tensor."},
    {"_sparse_set", (PyCFunction)(void (*)())set, METH_FASTCALL,
     "Puts other parts into a sparse tensor."},
    {"_sparse_check_inplace", check_inplace, METH_O,
     "Raises when the tape forbids a write to a sparse tensor."},
    {"_is_sparse", is_sparse_object, METH_O, "Whether the object is a tensor of a sparse layout."},
    {}};

}  // namespace

PyObject* dispatch_sparse(PyObject* func, PyObject* args, PyObject* kwargs) {
  static PyObject* handler = attribute_of("kagari.sparse._dispatch", "dispatch").release();
  PyObject* argv[3] = {func, args, kwargs};
  return checked(PyObject_Vectorcall(handler, argv, 3, nullptr)).release();
}

void init_sparse(PyObject* module) {
  sparse_call = ask;
  sparse_gradient = gradient;
  add_functions(module, functions);
}

}  // namespace kagari
