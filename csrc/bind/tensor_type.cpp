// kagari.Tensor as a Python type: life, collection, attributes, the number protocol.
#include "bind/tensor_type.h"

#include <structmember.h>

#include <cmath>
#include <cstddef>

#include "bind/autograd.h"
#include "ops/creation.h"
#include "ops/views.h"

namespace kagari {

KG_DECLARE_ROW(conj)

void bind_arguments(const char* const* names, int count, int required, PyObject* const* args,
                    Py_ssize_t nargs, PyObject* kwnames, PyObject** out, int positional) {
  int most = std::min(count, positional);
  KG_CHECK_TYPE(nargs <= most, "takes at most ", most, " positional argument", most == 1 ? "" : "s",
                " but ", nargs, " were given");
  for (Py_ssize_t i = 0; i < nargs; ++i) out[i] = args[i];
  Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    PyObject* key = PyTuple_GET_ITEM(kwnames, k);
    int at = 0;
    while (at < count && PyUnicode_CompareWithASCIIString(key, names[at]) != 0) ++at;
    const char* text = PyUnicode_AsUTF8(key);
    if (!text) throw_python_error();
    KG_CHECK_TYPE(at < count, "got an unexpected keyword argument '", text, "'");
    KG_CHECK_TYPE(!out[at], "got multiple values for argument '", text, "'");
    out[at] = args[nargs + k];
  }
  for (int i = 0; i < required; ++i)
    KG_CHECK_TYPE(out[i], "missing required argument '", names[i], "' (pos ", i + 1, ")");
}

PyObject* override_method(const char* name, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames) {
  KG_BIND_TRY
  Py_ssize_t total = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  std::vector<PyObject*> all{self};
  all.insert(all.end(), args, args + total);
  return dispatch_method(name, all.data(), nargs + 1, kwnames);
  KG_BIND_CATCH(name, nullptr)
}

PyObject* as_type(Tensor&& fresh, PyTypeObject* type) {
  if (type == tensor_type || Py_TYPE(fresh.object()) == type) return wrap(std::move(fresh));
  auto* t = as_impl(type->tp_alloc(type, 0));
  if (!t) throw_python_error();
  impl::init(t);
  TensorImpl* f = fresh.get();
  impl::set_geometry(t, fresh.sizes(), fresh.strides());
  t->flags = f->flags;
  t->dtype = f->dtype;
  t->device = f->device;
  t->version = f->version;
  t->versions = std::exchange(f->versions, nullptr);
  t->storage = std::exchange(f->storage, nullptr);
  t->data = std::exchange(f->data, nullptr);
  t->offset = f->offset;
  t->base = std::exchange(f->base, nullptr);
  t->autograd = std::exchange(f->autograd, nullptr);
  t->extension = std::exchange(f->extension, nullptr);
  f->flags &= ~uint32_t(kView | kRequiresGrad | kSparse);
  if (type_overrides(type)) t->flags |= kOverride;
  return reinterpret_cast<PyObject*>(t);
}

Tensor plain_view(TensorImpl* source, Ints sizes, Ints strides, int64_t offset) {
  Tensor r = Tensor::steal(impl::make());
  r->dtype = source->dtype;
  r->device = source->device;
  impl::set_geometry(r.get(), sizes, strides);
  impl::set_storage(r.get(), source->storage, offset);
  tape::mark_view(r, Tensor::borrow(source), false);
  r->flags |= source->flags & kInference;
  return r;
}

namespace {

// ---- Life and collection ------------------------------------------------------------------------

void tensor_dealloc(PyObject* self) { impl::dealloc(as_impl(self)); }

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  TensorImpl* t = as_impl(self);
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(t->dict);
  if (t->is(kSparse)) Py_VISIT(sparse_parts(t));
  tape::traverse(t, visit, arg);
  return 0;
}

// Breaks cycles only: the memory stays, for a finaliser may still look at the tensor.
int tensor_clear(PyObject* self) {
  TensorImpl* t = as_impl(self);
  Py_CLEAR(t->dict);
  if (t->autograd) tape::drop_meta(t);
  if (t->is(kSparse)) Py_XDECREF(static_cast<PyObject*>(std::exchange(t->extension, nullptr)));
  if (TensorImpl* base = std::exchange(t->base, nullptr)) {
    t->version = base->current_version();
    t->flags &= ~uint32_t(kView);
    Py_DECREF(reinterpret_cast<PyObject*>(base));
  }
  return 0;
}

// With a dictionary a tensor can be part of a cycle.
int tensor_setattr(PyObject* self, PyObject* name, PyObject* value) {
  int status = PyObject_GenericSetAttr(self, name, value);
  if (as_impl(self)->dict) tape::track(as_impl(self));
  return status;
}
PyObject* get_dict(PyObject* self, void* context) {
  PyObject* dict = PyObject_GenericGetDict(self, context);
  if (dict) tape::track(as_impl(self));
  return dict;
}
int set_dict(PyObject* self, PyObject* value, void* context) {
  int status = PyObject_GenericSetDict(self, value, context);
  if (as_impl(self)->dict) tape::track(as_impl(self));
  return status;
}

// ---- Attributes ---------------------------------------------------------------------------------

// Getters named by their property; the body sees `t`.
#define KG_GETTER(property, ...)                                                            \
  PyObject* get_##property(PyObject* self, void*) {                                         \
    KG_BIND_TRY                                                                             \
    if (__builtin_expect(needs_override(self), 0)) return dispatch_getter(self, #property); \
    [[maybe_unused]] TensorImpl* t = as_impl(self);                                         \
    __VA_ARGS__;                                                                            \
    KG_BIND_CATCH(#property, nullptr)                                                       \
  }

// The same for facts that do not depend on the layout.
#define KG_FACT(property, ...)                                                                   \
  PyObject* get_##property(PyObject* self, void*) {                                              \
    KG_BIND_TRY                                                                                  \
    if (__builtin_expect(fact_needs_override(self), 0)) return dispatch_getter(self, #property); \
    [[maybe_unused]] TensorImpl* t = as_impl(self);                                              \
    __VA_ARGS__;                                                                                 \
    KG_BIND_CATCH(#property, nullptr)                                                            \
  }

Layout layout_of(const TensorImpl* t) {
  Layout layout = Layout::strided;
  if (t->is(kSparse) && t->extension) to_layout(PyTuple_GET_ITEM(sparse_parts(t), 0), layout);
  return layout;
}

KG_FACT(shape, return wrap_size({t->sizes, t->ndim}))
KG_FACT(ndim, return PyLong_FromLong(t->ndim))
KG_FACT(dtype, return wrap(t->dtype))
KG_FACT(device, return wrap(t->device))
KG_FACT(layout, {
  if (!t->is(kSparse) || !t->extension) return wrap(Layout::strided);
  return Py_NewRef(PyTuple_GET_ITEM(sparse_parts(t), 0));
})
KG_FACT(is_sparse, return PyBool_FromLong(layout_of(t) == Layout::sparse_coo))
KG_FACT(is_sparse_csr, return PyBool_FromLong(layout_of(t) == Layout::sparse_csr))
KG_FACT(itemsize, return PyLong_FromLongLong(itemsize(t->dtype)))
KG_GETTER(nbytes, return PyLong_FromLongLong(t->numel * itemsize(t->dtype)))
KG_FACT(is_cpu, return PyBool_FromLong(t->device.is_cpu()))
KG_FACT(is_cuda, return PyBool_FromLong(t->device.type == DeviceType::cuda))
KG_FACT(is_meta, return PyBool_FromLong(t->device.is_meta()))
KG_FACT(never, Py_RETURN_FALSE)
KG_FACT(name, Py_RETURN_NONE)

KG_GETTER(T, {
  Tensor x = as_tensor(self);
  Dims order(x.dim());
  for (int64_t d = 0; d < x.dim(); ++d) order[d] = x.dim() - 1 - d;
  return wrap(permute(x, order));
})
KG_GETTER(mT, {
  KG_CHECK(t->ndim >= 2, "tensor.mT is only supported on matrices or batches of matrices. Got ",
           int(t->ndim), "-D tensor.");
  return wrap(transpose(as_tensor(self), -2, -1));
})
// Of real tensors the adjoint is the transpose; of complex ones its conjugate.
PyObject* conjugate(Tensor&& x) {
  return wrap(is_complex(x.dtype()) ? call(rows::conj, x) : std::move(x));
}
KG_GETTER(H, {
  KG_CHECK(t->ndim == 2 || t->ndim == 0,
           "tensor.H is only supported on matrices (2-D tensors). Got ", int(t->ndim), "-D tensor.",
           t->ndim > 2 ? " For batches of matrices, consider using tensor.mH" : "");
  return conjugate(t->ndim == 2 ? transpose(as_tensor(self), 0, 1)
                                : call(rows::alias, as_tensor(self)));
})
KG_GETTER(mH, {
  KG_CHECK(t->ndim >= 2, "tensor.mH is only supported on matrices or batches of matrices. Got ",
           int(t->ndim), "-D tensor.");
  return conjugate(transpose(as_tensor(self), -2, -1));
})
KG_GETTER(real, {
  if (!is_complex(t->dtype)) return Py_NewRef(self);
  return wrap(call(rows::real, as_tensor(self)));
})
KG_GETTER(imag, return wrap(call(rows::imag, as_tensor(self))))

// The values without history; a write to them is not seen by the tape.
KG_FACT(data, {
  Tensor r = alias(as_tensor(self), {t->sizes, t->ndim}, {t->strides(), t->ndim}, t->offset);
  return as_type(std::move(r), type_overrides(Py_TYPE(self)) ? Py_TYPE(self) : tensor_type);
})

void check_type_change(PyObject* value, const char* what) {
  KG_CHECK_TYPE(is_tensor(value), "expected a Tensor for ", what, ", got ", describe_object(value));
}

int set_data(PyObject* self, PyObject* value, void*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_setter(self, "data", value);
  KG_CHECK(value, "cannot delete .data");
  check_type_change(value, ".data");
  TensorImpl *t = as_impl(self), *v = as_impl(value);
  KG_CHECK(
      !t->is(kRequiresGrad) || is_differentiable(v->dtype),
      "data set to a tensor that requires gradients must be floating point or complex dtype, got ",
      v->dtype);
  KG_CHECK(t->is(kSparse) == v->is(kSparse),
           "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have "
           "incompatible tensor type: one is sparse and the other is not; assign .to_dense() or "
           ".to_sparse()");
  if (t == v) return 0;
  if (t->is(kSparse)) {
    auto* before = static_cast<PyObject*>(t->extension);
    t->extension = Py_XNewRef(sparse_parts(v));
    Py_XDECREF(before);
  }
  t->dtype = v->dtype;
  t->device = v->device;
  impl::set_geometry(t, {v->sizes, v->ndim}, {v->strides(), v->ndim});
  impl::set_storage(t, v->storage, v->offset);
  if (t->autograd &&
      t->autograd->accumulator) {  // what a gradient for it must look like has changed
    NodeData& d = t->autograd->accumulator->d;
    d.outputs[0] = OutputMeta{Ints(t->sizes, t->ndim), t->dtype, t->device};
  }
  return 0;
  KG_BIND_CATCH("data", -1)
}

int set_part(PyObject* self, PyObject* value, const Row& row, const char* name) {
  KG_BIND_TRY
  if (needs_override(self)) return dispatch_setter(self, name, value);
  KG_CHECK(value, "cannot be deleted");
  static Group* copy = op_group("copy_");
  Tensor part = !is_complex(as_impl(self)->dtype) && &row == &rows::real
                    ? as_tensor(self)
                    : call(row, as_tensor(self));
  Ref source = Ref::borrow(value);
  Scalar s;
  if (!is_tensor(value)) {
    KG_CHECK_TYPE(to_scalar(value, s), "expected a Tensor or a number, got ",
                  describe_object(value));
    source = Ref::steal(wrap(full({}, s, part.dtype(), part.device())));
  }
  PyObject* args[2] = {part.object(), source.get()};
  return checked(op_call(copy, Form::method, args, 2, nullptr)) ? 0 : -1;
  KG_BIND_CATCH(name, -1)
}
int set_real(PyObject* self, PyObject* value, void*) {
  return set_part(self, value, rows::real, "real");
}
int set_imag(PyObject* self, PyObject* value, void*) {
  return set_part(self, value, rows::imag, "imag");
}

PyGetSetDef tensor_getset[] = {
    {"__dict__", get_dict, set_dict, nullptr, nullptr},
    {"shape", get_shape, nullptr, "The sizes of the dimensions.", nullptr},
    {"ndim", get_ndim, nullptr, "The number of dimensions.", nullptr},
    {"dtype", get_dtype, nullptr, "The type of the elements.", nullptr},
    {"device", get_device, nullptr, "Where the memory lies.", nullptr},
    {"layout", get_layout, nullptr, "How the elements are kept: kagari.strided or a sparse layout.",
     nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes of one element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {"is_cpu", get_is_cpu, nullptr, "Whether the tensor is on the CPU.", nullptr},
    {"is_cuda", get_is_cuda, nullptr, "Whether the tensor is on a CUDA device.", nullptr},
    {"is_meta", get_is_meta, nullptr, "Whether the tensor has a shape but no data.", nullptr},
    {"is_sparse", get_is_sparse, nullptr, "Whether the layout is sparse_coo.", nullptr},
    {"is_sparse_csr", get_is_sparse_csr, nullptr, "Whether the layout is sparse_csr.", nullptr},
    {"is_quantized", get_never, nullptr, "Whether the tensor is quantized: never.", nullptr},
    {"is_mkldnn", get_never, nullptr, "Whether the layout is oneDNN's: never.", nullptr},
    {"is_nested", get_never, nullptr, "Whether the tensor is nested: never.", nullptr},
    {"is_xla", get_never, nullptr, "Whether the tensor is on an XLA device: never.", nullptr},
    {"is_xpu", get_never, nullptr, "Whether the tensor is on an XPU: never.", nullptr},
    {"is_ipu", get_never, nullptr, "Whether the tensor is on an IPU: never.", nullptr},
    {"is_mps", get_never, nullptr, "Whether the tensor is on an MPS device: never.", nullptr},
    {"is_mtia", get_never, nullptr, "Whether the tensor is on an MTIA device: never.", nullptr},
    {"is_maia", get_never, nullptr, "Whether the tensor is on a MAIA device: never.", nullptr},
    {"is_vulkan", get_never, nullptr, "Whether the tensor is on a Vulkan device: never.", nullptr},
    {"name", get_name, nullptr, "None; there for programs that ask.", nullptr},
    {"T", get_T, nullptr, "The tensor with its dimensions reversed.", nullptr},
    {"mT", get_mT, nullptr, "The tensor with its last two dimensions exchanged.", nullptr},
    {"H", get_H, nullptr, "The conjugate transpose of a matrix.", nullptr},
    {"mH", get_mH, nullptr, "The conjugate transposes of a batch of matrices.", nullptr},
    {"real", get_real, set_real, "The real parts, on the same memory.", nullptr},
    {"imag", get_imag, set_imag, "The imaginary parts, on the same memory.", nullptr},
    {"data", get_data, set_data, "The values without history, on the same memory.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

// ---- Numbers ------------------------------------------------------------------------------------

#define KG_BINARY(slot, op)                  \
  PyObject* slot(PyObject* a, PyObject* b) { \
    static Group* group = op_group(op);      \
    return op_call_binary(group, a, b);      \
  }
#define KG_INPLACE(slot, op)                 \
  PyObject* slot(PyObject* a, PyObject* b) { \
    static Group* group = op_group(op);      \
    return op_call_inplace(group, a, b);     \
  }
#define KG_UNARY(slot, op)              \
  PyObject* slot(PyObject* a) {         \
    static Group* group = op_group(op); \
    return op_call_unary(group, a);     \
  }
KG_BINARY(nb_add, "add")
KG_BINARY(nb_sub, "sub")
KG_BINARY(nb_mul, "mul")
KG_BINARY(nb_div, "div")
KG_BINARY(nb_floor_divide, "floor_divide")
KG_BINARY(nb_remainder, "remainder")
KG_BINARY(nb_matmul, "matmul")
KG_BINARY(nb_and, "bitwise_and")
KG_BINARY(nb_or, "bitwise_or")
KG_BINARY(nb_xor, "bitwise_xor")
KG_BINARY(nb_lshift, "bitwise_left_shift")
KG_BINARY(nb_rshift, "bitwise_right_shift")
KG_BINARY(binary_pow, "pow")
KG_INPLACE(nb_iadd, "add")
KG_INPLACE(nb_isub, "sub")
KG_INPLACE(nb_imul, "mul")
KG_INPLACE(nb_idiv, "div")
KG_INPLACE(nb_ifloor_divide, "floor_divide")
KG_INPLACE(nb_iremainder, "remainder")
KG_INPLACE(nb_iand, "bitwise_and")
KG_INPLACE(nb_ior, "bitwise_or")
KG_INPLACE(nb_ixor, "bitwise_xor")
KG_INPLACE(nb_ilshift, "bitwise_left_shift")
KG_INPLACE(nb_irshift, "bitwise_right_shift")
KG_INPLACE(inplace_pow, "pow")
KG_UNARY(nb_negative, "neg")
KG_UNARY(nb_positive, "positive")
KG_UNARY(nb_absolute, "abs")
KG_UNARY(nb_invert, "bitwise_not")
KG_BINARY(compare_eq, "eq")
KG_BINARY(compare_ne, "ne")
KG_BINARY(compare_lt, "lt")
KG_BINARY(compare_le, "le")
KG_BINARY(compare_gt, "gt")
KG_BINARY(compare_ge, "ge")

PyObject* nb_power(PyObject* a, PyObject* b, PyObject* modulo) {
  if (modulo != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary_pow(a, b);
}
PyObject* nb_ipower(PyObject* a, PyObject* b, PyObject* modulo) {
  if (modulo != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return inplace_pow(a, b);
}
PyObject* nb_imatmul(PyObject* a, PyObject* b) { return nb_matmul(a, b); }

PyObject* tensor_compare(PyObject* a, PyObject* b, int op) {
  switch (op) {
    case Py_EQ:
      return compare_eq(a, b);
    case Py_NE:
      return compare_ne(a, b);
    case Py_LT:
      return compare_lt(a, b);
    case Py_LE:
      return compare_le(a, b);
    case Py_GT:
      return compare_gt(a, b);
    default:
      return compare_ge(a, b);
  }
}
Py_hash_t tensor_hash(PyObject* self) {
  Py_hash_t h = Py_hash_t(uintptr_t(self));  // id(self), as PyTorch's
  return h == -1 ? -2 : h;
}

int tensor_bool(PyObject* self) {
  KG_BIND_TRY
  if (needs_override(self)) {
    Ref answer = Ref::steal(override_method("__bool__", self, nullptr, 0, nullptr));
    return answer ? PyObject_IsTrue(answer.get()) : -1;
  }
  TensorImpl* t = as_impl(self);
  KG_CHECK(t->numel != 0, "Boolean value of Tensor with no values is ambiguous");
  KG_CHECK(
      t->numel == 1,
      "Boolean value of Tensor with more than one value is ambiguous; ask for x.any() or x.all()");
  return item(t).to_bool();
  KG_BIND_CATCH(nullptr, -1)
}
// The one element, for Python's conversions.
Scalar number_of(PyObject* self) {
  KG_CHECK_VALUE(as_impl(self)->numel == 1,
                 "only one element tensors can be converted to Python scalars");
  return item(as_impl(self));
}
PyObject* tensor_int(PyObject* self) {
  KG_BIND_TRY
  KG_OVERRIDE0("__int__");
  Scalar s = number_of(self);
  KG_CHECK(!s.is_complex(), "value cannot be converted to type int64_t without overflow");
  return s.is_integral() ? wrap(Scalar(s)) : PyLong_FromDouble(s.d);
  KG_BIND_CATCH(nullptr, nullptr)
}
PyObject* tensor_long(PyObject* self) {
  PyObject* r = tensor_int(self);
  if (!r || !PyBool_Check(r)) return r;
  PyObject* number = PyLong_FromLong(r == Py_True);
  Py_DECREF(r);
  return number;
}
PyObject* tensor_float(PyObject* self) {
  KG_BIND_TRY
  KG_OVERRIDE0("__float__");
  Scalar s = number_of(self);
  KG_CHECK(!s.is_complex() || s.imag == 0,
           "value cannot be converted to type double without overflow");
  return PyFloat_FromDouble(s.to_double());
  KG_BIND_CATCH(nullptr, nullptr)
}
PyObject* tensor_index(PyObject* self) {
  KG_BIND_TRY
  KG_OVERRIDE0("__index__");
  TensorImpl* t = as_impl(self);
  KG_CHECK_TYPE(t->numel == 1 && (is_integral(t->dtype) || t->dtype == Dtype::boolean),
                "only integer tensors of a single element can be converted to an index");
  Scalar s = item(t);
  return PyLong_FromLongLong(s.i);
  KG_BIND_CATCH(nullptr, nullptr)
}
PyObject* tensor_complex(PyObject* self, PyObject*) {
  KG_BIND_TRY
  KG_OVERRIDE0("__complex__");
  c128 z = number_of(self).to_complex();
  return PyComplex_FromDoubles(z.real(), z.imag());
  KG_BIND_CATCH(nullptr, nullptr)
}

// ---- Sequence -----------------------------------------------------------------------------------

Py_ssize_t tensor_length(PyObject* self) {
  KG_BIND_TRY
  if (needs_override(self)) {
    Ref answer = checked(override_method("__len__", self, nullptr, 0, nullptr));
    return PyNumber_AsSsize_t(answer.get(), PyExc_OverflowError);
  }
  KG_CHECK_TYPE(as_impl(self)->ndim > 0, "len() of a 0-d tensor");
  return Py_ssize_t(as_impl(self)->sizes[0]);
  KG_BIND_CATCH(nullptr, -1)
}

PyObject* tensor_iter(PyObject* self) {
  KG_BIND_TRY
  KG_OVERRIDE0("__iter__");
  KG_CHECK_TYPE(as_impl(self)->ndim > 0, "iteration over a 0-d tensor");
  Results parts = call_all(rows::unbind, as_tensor(self));
  Ref list = checked(PyList_New(parts.size()));
  for (int i = 0; i < parts.size(); ++i) PyList_SET_ITEM(list.get(), i, wrap(parts[i]));
  return PyObject_GetIter(list.get());
  KG_BIND_CATCH(nullptr, nullptr)
}

int tensor_contains(PyObject* self, PyObject* element) {
  KG_BIND_TRY
  Ref answer;
  if (needs_override(self)) {
    answer = checked(override_method("__contains__", self, &element, 1, nullptr));
    return PyObject_IsTrue(answer.get());
  }
  Scalar s;
  KG_CHECK(is_tensor(element) || to_scalar(element, s),
           "Tensor.__contains__ only supports Tensor or scalar, but you passed in a ",
           Py_TYPE(element)->tp_name, ".");
  static Group* any = op_group("any");
  Ref equal = checked(PyObject_RichCompare(self, element, Py_EQ));
  PyObject* args[1] = {equal.get()};
  answer = checked(op_call(any, Form::function, args, 1, nullptr));
  return PyObject_IsTrue(answer.get());
  KG_BIND_CATCH(nullptr, -1)
}

// ---- The type -----------------------------------------------------------------------------------

PyObject* tensor_repr(PyObject* self) {
  KG_BIND_TRY
  KG_OVERRIDE0("__repr__");
  static PyObject* printer = nullptr;
  if (!printer) {
    Ref module = checked(PyImport_ImportModule("kagari._tensor_str"));
    printer = checked(PyObject_GetAttrString(module.get(), "tensor_str")).release();
  }
  return PyObject_CallOneArg(printer, self);
  KG_BIND_CATCH(nullptr, nullptr)
}

PyMemberDef tensor_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(TensorImpl, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(TensorImpl, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyMethodDef protocol_methods[] = {{"__complex__", tensor_complex, METH_NOARGS, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};

constexpr const char* tensor_doc =
    "A strided array of numbers of one dtype that can record how it was computed.\n\n"
    "Made by kagari.tensor, kagari.zeros and their kin rather than by calling the class.\n\n"
    "    >>> x = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])\n"
    "    >>> x.shape, x.dtype\n"
    "    (kagari.Size([2, 2]), kagari.float32)\n\n"
    "Reference: https://pytorch.org/docs/stable/tensors.html";

void add_methods(PyMethodDef* methods) {
  for (; methods->ml_name; ++methods) {
    Ref descriptor =
        checked(methods->ml_flags & METH_STATIC  ? PyCFunction_New(methods, nullptr)
                : methods->ml_flags & METH_CLASS ? PyDescr_NewClassMethod(tensor_type, methods)
                                                 : PyDescr_NewMethod(tensor_type, methods));
    checked_status(PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type),
                                          methods->ml_name, descriptor.get()));
  }
}
void add_getset(PyGetSetDef* getset) {
  for (; getset->name; ++getset) {
    Ref descriptor = checked(PyDescr_NewGetSet(tensor_type, getset));
    checked_status(PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), getset->name,
                                          descriptor.get()));
  }
}

}  // namespace

void init_tensor_type(PyObject* module) {
  static PyType_Slot slots[] = {{Py_tp_new, (void*)tensor_new},
                                {Py_tp_dealloc, (void*)tensor_dealloc},
                                {Py_tp_traverse, (void*)tensor_traverse},
                                {Py_tp_clear, (void*)tensor_clear},
                                {Py_tp_setattro, (void*)tensor_setattr},
                                {Py_tp_repr, (void*)tensor_repr},
                                {Py_tp_hash, (void*)tensor_hash},
                                {Py_tp_richcompare, (void*)tensor_compare},
                                {Py_tp_iter, (void*)tensor_iter},
                                {Py_tp_getset, tensor_getset},
                                {Py_tp_members, tensor_members},
                                {Py_tp_methods, protocol_methods},
                                {Py_tp_doc, (void*)tensor_doc},
                                {Py_mp_length, (void*)tensor_length},
                                {Py_mp_subscript, (void*)tensor_getitem},
                                {Py_mp_ass_subscript, (void*)tensor_setitem},
                                {Py_sq_contains, (void*)tensor_contains},
                                {Py_nb_add, (void*)nb_add},
                                {Py_nb_subtract, (void*)nb_sub},
                                {Py_nb_multiply, (void*)nb_mul},
                                {Py_nb_true_divide, (void*)nb_div},
                                {Py_nb_floor_divide, (void*)nb_floor_divide},
                                {Py_nb_remainder, (void*)nb_remainder},
                                {Py_nb_power, (void*)nb_power},
                                {Py_nb_matrix_multiply, (void*)nb_matmul},
                                {Py_nb_and, (void*)nb_and},
                                {Py_nb_or, (void*)nb_or},
                                {Py_nb_xor, (void*)nb_xor},
                                {Py_nb_lshift, (void*)nb_lshift},
                                {Py_nb_rshift, (void*)nb_rshift},
                                {Py_nb_inplace_add, (void*)nb_iadd},
                                {Py_nb_inplace_subtract, (void*)nb_isub},
                                {Py_nb_inplace_multiply, (void*)nb_imul},
                                {Py_nb_inplace_true_divide, (void*)nb_idiv},
                                {Py_nb_inplace_floor_divide, (void*)nb_ifloor_divide},
                                {Py_nb_inplace_remainder, (void*)nb_iremainder},
                                {Py_nb_inplace_power, (void*)nb_ipower},
                                {Py_nb_inplace_matrix_multiply, (void*)nb_imatmul},
                                {Py_nb_inplace_and, (void*)nb_iand},
                                {Py_nb_inplace_or, (void*)nb_ior},
                                {Py_nb_inplace_xor, (void*)nb_ixor},
                                {Py_nb_inplace_lshift, (void*)nb_ilshift},
                                {Py_nb_inplace_rshift, (void*)nb_irshift},
                                {Py_nb_negative, (void*)nb_negative},
                                {Py_nb_positive, (void*)nb_positive},
                                {Py_nb_absolute, (void*)nb_absolute},
                                {Py_nb_invert, (void*)nb_invert},
                                {Py_nb_bool, (void*)tensor_bool},
                                {Py_nb_int, (void*)tensor_long},
                                {Py_nb_float, (void*)tensor_float},
                                {Py_nb_index, (void*)tensor_index},
                                {Py_bf_getbuffer, (void*)tensor_buffer->bf_getbuffer},
                                {Py_bf_releasebuffer, (void*)tensor_buffer->bf_releasebuffer},
                                {0, nullptr}};
  static PyType_Spec spec = {"kagari.Tensor", sizeof(TensorImpl), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  tensor_type = add_type(module, &spec);
  add_object(module, "TensorBase", reinterpret_cast<PyObject*>(tensor_type));
  add_object(module, "_TensorMeta", reinterpret_cast<PyObject*>(Py_TYPE(tensor_type)));
  init_storage_type(module);
  add_methods(tensor_methods);
  add_methods(interchange_methods);
  add_methods(factory_methods);
  add_methods(autograd_methods);
  add_getset(autograd_getset);
}

}  // namespace kagari
