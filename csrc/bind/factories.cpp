// Tensors from Python's data: tensor(), as_tensor(), asarray(), the legacy constructors.
#include <limits>
#include <memory>

#include "bind/interchange.h"
#include "bind/tensor_type.h"
#include "ops/creation.h"
#include "ops/views.h"

namespace kagari {

namespace {

// ---- Nested lists -------------------------------------------------------------------------------

bool is_text(PyObject* o) { return PyUnicode_Check(o) || PyBytes_Check(o); }
bool is_list(PyObject* o) { return PyList_Check(o) || PyTuple_Check(o); }

// NumPy's own dtype of a scalar such as numpy.float32(1); undefined for other objects.
Dtype own_dtype(PyObject* o) {
  if (!std::string_view(Py_TYPE(o)->tp_name).starts_with("numpy.") || is_ndarray(o))
    return Dtype::undefined;
  Ref dtype = Ref::steal(PyObject_GetAttrString(o, "dtype"));
  Dtype d;
  if (dtype && to_dtype(dtype.get(), d)) return d;
  PyErr_Clear();
  return Dtype::undefined;
}

// The dtype a number asks for; undefined when the object is no number. Tensors inside lists are
// numbers.
Dtype leaf_dtype(PyObject* o) {
  if (PyFloat_CheckExact(o)) return default_dtype();
  if (PyBool_Check(o)) return Dtype::boolean;
  if (PyLong_Check(o)) {
    int overflow = 0;
    PyLong_AsLongLongAndOverflow(o, &overflow);
    KG_CHECK_VALUE(!overflow,
                   "Overflow when unpacking long long: the int does not fit int64; pass "
                   "dtype=kagari.uint64 or a float dtype");
    return Dtype::i64;
  }
  if (is_tensor(o)) return as_impl(o)->dtype;
  if (Dtype own = own_dtype(o); own != Dtype::undefined) return own;
  if (PyFloat_Check(o)) return default_dtype();
  if (PyComplex_Check(o)) return complex_dtype(default_dtype());
  return Dtype::undefined;
}

// A sequence as a list or tuple: arrays inside lists are read as lists too.
Ref as_list(PyObject* o) {
  if (is_list(o)) return Ref::borrow(o);
  if (is_ndarray(o)) return checked(PyObject_CallMethod(o, "tolist", nullptr));
  return checked(PySequence_Fast(o, "expected a sequence"));
}
bool is_sequence(PyObject* o) {
  if (is_list(o)) return true;
  if (is_text(o) || is_tensor(o) || PyNumber_Check(o)) return is_ndarray(o) && array_ndim(o) > 0;
  return leaf_dtype(o) == Dtype::undefined && PySequence_Check(o) && !PyDict_Check(o);
}

[[noreturn]] void bad_leaf(PyObject* o, int depth) {
  if (is_text(o)) KG_FAIL(type, "new(): invalid data type '", Py_TYPE(o)->tp_name, "'");
  if (depth > 0 && is_sequence(o))
    KG_FAIL(type, "expected a number, got a sequence: the nested lists are not of equal depth");
  if (o == Py_None) KG_FAIL(runtime, "Could not infer dtype of NoneType");
  KG_FAIL(runtime, "Could not infer dtype of ", Py_TYPE(o)->tp_name);
}

// Sizes follow the first elements.
Dims sizes_of_nested(PyObject* data) {
  Dims sizes;
  Ref at = Ref::borrow(data);
  while (is_sequence(at.get())) {
    KG_CHECK_VALUE(sizes.size() < kMaxDims, "too many dimensions '", Py_TYPE(at.get())->tp_name,
                   "'");
    Ref list = as_list(at.get());
    Py_ssize_t n = PySequence_Fast_GET_SIZE(list.get());
    sizes.push_back(n);
    if (n == 0) break;
    Ref next = Ref::borrow(PySequence_Fast_GET_ITEM(list.get(), 0));
    KG_CHECK_VALUE(next.get() != at.get(), "too many dimensions '", Py_TYPE(at.get())->tp_name,
                   "'");
    at = next;
    KG_CHECK_VALUE(!PyUnicode_Check(at.get()), "too many dimensions 'str'");
  }
  return sizes;
}

Dtype join(Dtype a, Dtype b) { return a == Dtype::undefined ? b : a == b ? a : promote(a, b); }
Dtype infer_nested(PyObject* data, int depth) {
  if (!is_sequence(data)) {
    Dtype d = leaf_dtype(data);
    if (d == Dtype::undefined) bad_leaf(data, depth);
    return d;
  }
  if (is_ndarray(data)) {
    Ref dtype = checked(PyObject_GetAttrString(data, "dtype"));
    Dtype d;
    KG_CHECK_TYPE(to_dtype(dtype.get(), d), "expected an array of numbers");
    return d;
  }
  KG_CHECK_VALUE(depth < kMaxDims, "too many dimensions '", Py_TYPE(data)->tp_name, "'");
  Ref list = as_list(data);
  Dtype d = Dtype::undefined;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    Ref item = Ref::borrow(PySequence_Fast_GET_ITEM(list.get(), i));
    d = join(d, infer_nested(item.get(), depth + 1));
  }
  return d == Dtype::undefined ? default_dtype() : d;
}

template <class T>
T converted(const Scalar& s) {
  if constexpr (std::is_same_v<T, bool>) {
    return s.to_bool();
  } else if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
    c128 z = s.to_complex();
    using R = typename T::value_type;
    return T(R(z.real()), R(z.imag()));
  } else {
    KG_CHECK(!s.is_complex() || s.imag == 0, "value cannot be converted to type ",
             name(dtype_of<T>), " without overflow");
    if constexpr (std::is_integral_v<T>) {
      if (s.is_integral()) {
        T v = T(s.i);
        bool fits = s.is_u64 ? std::is_same_v<T, uint64_t>
                             : std::is_same_v<T, uint64_t> || int64_t(v) == s.i;
        if (std::is_unsigned_v<T> && !s.is_u64 && s.i < 0)  // wraps, within the range
          fits = uint64_t(-(s.i + 1)) < uint64_t(std::numeric_limits<T>::max());
        KG_CHECK(fits, "value cannot be converted to type ", name(dtype_of<T>),
                 " without overflow");
        return v;
      }
      bool fits = s.d > double(std::numeric_limits<T>::min()) - 1 &&
                  s.d < double(std::numeric_limits<T>::max()) + 1;
      KG_CHECK(fits, "value cannot be converted to type ", name(dtype_of<T>), " without overflow");
      return T(s.d);
    } else {
      return T(s.to_double());
    }
  }
}

template <class T>
inline constexpr bool kSmallFloat = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;

template <class T>
T leaf(PyObject* o, int depth) {
  if constexpr (std::is_floating_point_v<T>) {
    if (PyFloat_CheckExact(o)) return T(PyFloat_AS_DOUBLE(o));
  }
  if constexpr (std::is_same_v<T, bool>) {
    if (PyBool_Check(o)) return o == Py_True;
  }
  Scalar s;
  if (is_tensor(o)) {
    KG_CHECK_VALUE(as_impl(o)->numel == 1,
                   "only one element tensors can be converted to Python scalars");
    s = item(as_impl(o));
  } else if (PyLong_Check(o) && !PyBool_Check(o) &&
             (std::is_floating_point_v<T> || kSmallFloat<T>)) {
    double d = PyLong_AsDouble(o);
    if (d == -1 && PyErr_Occurred()) throw_python_error();
    s = Scalar(d);
  } else if (PyFloat_Check(o)) {
    s = Scalar(PyFloat_AS_DOUBLE(o));
  } else if (!to_scalar(o, s)) {
    bad_leaf(o, depth);
  }
  if constexpr (!std::is_same_v<T, c64> && !std::is_same_v<T, c128> && !std::is_same_v<T, bool>)
    KG_CHECK_TYPE(!s.is_complex(), "must be real number, not complex");
  return converted<T>(s);
}

void check_length(Py_ssize_t n, int64_t expected, int dim) {
  KG_CHECK_VALUE(n == expected, "expected sequence of length ", expected, " at dim ", dim, " (got ",
                 n, ")");
}

template <class T>
void fill_nested(PyObject* data, T*& to, Ints sizes, int dim) {
  if (dim == sizes.n) {
    *to++ = leaf<T>(data, dim);
    return;
  }
  KG_CHECK_TYPE(is_sequence(data), "expected a sequence of length ", sizes[dim], " at dim ", dim,
                ", got ", describe_object(data), "; all rows must be nested equally deep");
  Ref list = as_list(data);
  check_length(PySequence_Fast_GET_SIZE(list.get()), sizes[dim], dim);
  for (int64_t i = 0; i < sizes[dim]; ++i) {
    // Reading an element may run Python code that changes the list.
    check_length(PySequence_Fast_GET_SIZE(list.get()), sizes[dim], dim);
    Ref item = Ref::borrow(PySequence_Fast_GET_ITEM(list.get(), i));
    fill_nested(item.get(), to, sizes, dim + 1);
  }
}

// The quick way: lists of Python's own numbers of one kind, read once. False where anything else
// turns up.
template <class T, class Read>
bool fill_quickly(PyObject* data, T*& to, Ints sizes, int dim, const Read& read) {
  if (!is_list(data) || PySequence_Fast_GET_SIZE(data) != sizes[dim]) return false;
  PyObject** items = PySequence_Fast_ITEMS(data);
  if (dim + 1 < sizes.n) {
    for (int64_t i = 0; i < sizes[dim]; ++i)
      if (!fill_quickly(items[i], to, sizes, dim + 1, read)) return false;
    return true;
  }
  for (int64_t i = 0; i < sizes[dim]; ++i)
    if (!read(items[i], *to++)) return false;
  return true;
}
bool read_float(PyObject* o, float& v) {
  if (!PyFloat_CheckExact(o)) return false;
  v = float(PyFloat_AS_DOUBLE(o));
  return true;
}
bool read_double(PyObject* o, double& v) {
  if (!PyFloat_CheckExact(o)) return false;
  v = PyFloat_AS_DOUBLE(o);
  return true;
}
bool read_long(PyObject* o, int64_t& v) {
  if (!PyLong_CheckExact(o)) return false;
  int overflow = 0;
  v = PyLong_AsLongLongAndOverflow(o, &overflow);
  return !overflow;
}

PyObject* first_leaf(PyObject* o) {
  while (is_list(o) && PySequence_Fast_GET_SIZE(o)) o = PySequence_Fast_GET_ITEM(o, 0);
  return o;
}

Tensor from_nested(PyObject* data, Dtype dtype) {
  Dims sizes = sizes_of_nested(data);
  if (sizes.empty()) {
    Dtype d = dtype == Dtype::undefined ? infer_nested(data, 0) : dtype;
    if (dtype != Dtype::undefined && leaf_dtype(data) == Dtype::undefined) bad_leaf(data, 0);
    Tensor t = empty({}, is_storage_only(d) ? Dtype::f32 : d);
    visit(t.dtype(), [&]<class T>() { *t.data_as<T>() = leaf<T>(data, 0); });
    return t;
  }
  PyObject* first = first_leaf(data);
  bool floats = PyFloat_CheckExact(first), longs = PyLong_CheckExact(first);
  Dtype guess = dtype != Dtype::undefined ? dtype
                : floats                  ? default_dtype()
                : longs                   ? Dtype::i64
                                          : Dtype::undefined;
  if (is_list(data) && ((floats && (guess == Dtype::f32 || guess == Dtype::f64)) ||
                        (longs && guess == Dtype::i64))) {
    Tensor t = empty(sizes, guess);
    float* f = t.data_as<float>();
    double* d = t.data_as<double>();
    int64_t* i = t.data_as<int64_t>();
    bool done = guess == Dtype::f32   ? fill_quickly(data, f, sizes, 0, read_float)
                : guess == Dtype::f64 ? fill_quickly(data, d, sizes, 0, read_double)
                                      : fill_quickly(data, i, sizes, 0, read_long);
    if (done) return t;
  }
  Dtype d = dtype == Dtype::undefined ? infer_nested(data, 0) : dtype;
  Tensor t = empty(sizes, is_storage_only(d) ? Dtype::f32 : d);
  visit(t.dtype(), [&]<class T>() {
    T* to = t.data_as<T>();
    if (t.numel() > 0) fill_nested(data, to, sizes, 0);
  });
  return t;
}

// ---- Any data -----------------------------------------------------------------------------------

struct Options {
  Dtype dtype = Dtype::undefined;
  std::optional<Device> device;
  bool requires_grad = false;
};

Options options(PyObject* dtype, PyObject* device, PyObject* requires_grad, PyObject* pin_memory) {
  Options o;
  if (dtype && dtype != Py_None)
    KG_CHECK_TYPE(to_dtype(dtype, o.dtype), "argument 'dtype' must be kagari.dtype, not ",
                  describe_object(dtype));
  if (device && device != Py_None) {
    Device d;
    KG_CHECK_TYPE(to_device(device, d), "argument 'device' must be kagari.device, not ",
                  describe_object(device));
    o.device = d;
  }
  if (requires_grad && requires_grad != Py_None) {
    int yes = PyObject_IsTrue(requires_grad);
    checked_status(yes);
    o.requires_grad = yes == 1;
  }
  if (pin_memory && pin_memory != Py_None) {
    KG_CHECK(PyObject_IsTrue(pin_memory) != 1,
             "Cannot access accelerator device when none is available: "
             "pin_memory serves copies to a GPU; leave it out on a machine without one");
  }
  return o;
}

Tensor placed(const Tensor& t, const Options& o, Device otherwise, bool copy) {
  return to(t, o.dtype == Dtype::undefined ? t.dtype() : o.dtype, o.device.value_or(otherwise),
            copy);
}

// Objects that describe their memory: arrays of other libraries. Undefined when the object is of
// another kind.
Tensor from_array_like(PyObject* data) {
  if (is_ndarray(data)) return from_ndarray(as_ndarray(data).get(), false);
  if (is_list(data) || is_text(data) || PyNumber_Check(data)) {
    if (!PyObject_HasAttrString(data, "__array_interface__") ||
        leaf_dtype(data) != Dtype::undefined)
      return {};
  }
  if (PyObject_HasAttrString(data, "__array_interface__") ||
      PyObject_HasAttrString(data, "__array__"))
    return from_ndarray(as_ndarray(data).get(), false);
  if (PyObject_HasAttrString(data, "__dlpack__")) return from_dlpack(data, nullptr, nullptr);
  return {};
}

// Always new memory.
Tensor copy_of(PyObject* data, const Options& o, Device otherwise) {
  GradGuard off(false);
  if (is_tensor(data))
    return placed(tape::detach(as_tensor(data)), o, o.device ? otherwise : as_impl(data)->device,
                  true);
  if (!is_list(data) && !PyFloat_Check(data) && !PyLong_Check(data)) {
    Tensor array = from_array_like(data);
    if (array.defined()) return placed(array, o, otherwise, true);
  }
  Tensor t = from_nested(data, o.dtype);
  return placed(t, o, otherwise, false);
}

PyObject* finish(Tensor&& t, const Options& o) {
  if (o.requires_grad) tape::set_requires_grad(t.get(), true);
  return wrap(std::move(t));
}

// `func` for modes and subclasses: the public function.
PyObject* public_function(const char* name) {
  PyObject* f = PyDict_GetItemString(PyModule_GetDict(core_module), name);
  KG_INTERNAL(f, name);
  return f;
}
#define KG_FUNCTION_OVERRIDE(name)                                                              \
  if (__builtin_expect((thread_state.flags & kModes) ||                                         \
                           (nargs && !PyList_CheckExact(args[0]) && any_override(args, nargs)), \
                       0)) {                                                                    \
    if (any_override(args, nargs))                                                              \
      return dispatch_override(public_function(name), args, nargs, kwnames);                    \
  }

PyObject* tensor_py(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  KG_FUNCTION_OVERRIDE("tensor")
  static const char* const names[] = {"data",          "dtype",      "device",
                                      "requires_grad", "pin_memory", "names"};
  Bound<6> a(names, 1, args, nargs, kwnames, 1);
  Options o = options(a[1], a[2], a[3], a[4]);
  KG_CHECK_IMPLEMENTED(!a.given(5), "named tensors are not there; leave names out");
  if (is_tensor(a[0]))
    warn(
        "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
        "or "
        "sourceTensor.detach().clone().requires_grad_(True), rather than "
        "kagari.tensor(sourceTensor).");
  return finish(copy_of(a[0], o, default_device()), o);
  KG_BIND_CATCH("tensor", nullptr)
}

// Shares memory and history where it can.
PyObject* as_tensor_py(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  KG_FUNCTION_OVERRIDE("as_tensor")
  static const char* const names[] = {"data", "dtype", "device"};
  Bound<3> a(names, 1, args, nargs, kwnames, 3);
  Options o = options(a[1], a[2], nullptr, nullptr);
  if (is_tensor(a[0])) return wrap(placed(as_tensor(a[0]), o, as_impl(a[0])->device, false));
  if (is_ndarray(a[0])) return wrap(placed(from_ndarray(a[0]), o, default_device(), false));
  Tensor array = is_list(a[0]) ? Tensor() : from_array_like(a[0]);
  if (array.defined()) return wrap(placed(array, o, default_device(), false));
  return wrap(copy_of(a[0], o, default_device()));
  KG_BIND_CATCH("as_tensor", nullptr)
}

PyObject* asarray_py(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  KG_FUNCTION_OVERRIDE("asarray")
  static const char* const names[] = {"obj", "dtype", "device", "copy", "requires_grad"};
  Bound<5> a(names, 1, args, nargs, kwnames, 1);
  Options o = options(a[1], a[2], a[4], nullptr);
  bool must = a[3] == Py_True, never = a[3] == Py_False;
  Tensor source;
  if (is_tensor(a[0])) {
    source = as_tensor(a[0]);
  } else if (is_ndarray(a[0])) {
    source = from_ndarray(a[0], !must);
  } else if (PyCapsule_CheckExact(a[0])) {
    source = from_dlpack(a[0], nullptr, nullptr);
  } else if (!is_list(a[0])) {
    source = from_array_like(a[0]);
    if (!source.defined() && PyObject_CheckBuffer(a[0]))
      source =
          from_buffer(a[0], o.dtype == Dtype::undefined ? default_dtype() : o.dtype, -1, 0, !must);
  }
  if (!source.defined()) {
    KG_CHECK_VALUE(!never, "can't alias arbitrary sequence into a tensor.");
    return finish(copy_of(a[0], o, default_device()), o);
  }
  if (is_tensor(a[0]) && !o.requires_grad && (must || a.given(4))) source = tape::detach(source);
  Device otherwise = is_tensor(a[0]) ? source.device() : default_device();
  Tensor t = placed(source, o, otherwise, must);
  KG_CHECK_VALUE(!never || t.same(source), "can't alias tensor with dtype '", source.dtype(),
                 "' or device ", source.device(), " into dtype '", t.dtype(), "' and device ",
                 t.device(), ".");
  if (o.requires_grad && t.object() == a[0] && !t.requires_grad()) t = tape::detach(t);
  return finish(std::move(t), o);
  KG_BIND_CATCH("asarray", nullptr)
}

// ---- Methods ------------------------------------------------------------------------------------

PyObject* tensor_new_tensor(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                            PyObject* kwnames) {
  KG_BIND_TRY
  KG_OVERRIDE("new_tensor");
  static const char* const names[] = {"data",          "dtype",  "device",
                                      "requires_grad", "layout", "pin_memory"};
  Bound<6> a(names, 1, args, nargs, kwnames, 1);
  Options o = options(a[1], a[2], a[3], a[5]);
  if (o.dtype == Dtype::undefined)
    o.dtype = is_tensor(a[0]) ? as_impl(a[0])->dtype : as_impl(self)->dtype;
  if (!o.device) o.device = as_impl(self)->device;
  if (is_tensor(a[0]))
    warn(
        "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
        "or "
        "sourceTensor.detach().clone().requires_grad_(True), rather than "
        "tensor.new_tensor(sourceTensor).");
  return finish(copy_of(a[0], o, *o.device), o);
  KG_BIND_CATCH("new_tensor", nullptr)
}

// Tensor(2, 3), Tensor((2, 3) as Size), Tensor([1.0, 2.0]), Tensor(tensor), Tensor(storage).
Tensor legacy(PyObject* args, Dtype dtype, Device device, bool any_dtype = false) {
  Py_ssize_t n = PyTuple_GET_SIZE(args);
  Dims sizes;
  if (n == 0) return empty(Ints{0}, dtype, device);
  PyObject* first = PyTuple_GET_ITEM(args, 0);
  if (n == 1 && is_tensor(first)) {
    KG_CHECK_TYPE(any_dtype || as_impl(first)->dtype == dtype, "expected ", dtype, " (got ",
                  as_impl(first)->dtype, ")");
    return tape::detach(as_tensor(first));
  }
  Storage* s = nullptr;
  if (n == 1 && !is_tensor(first) && !is_list(first) && to_storage(first, s)) {
    Tensor t = Tensor::steal(impl::make());
    t->dtype = dtype;
    t->device = s->device;
    impl::set_sizes(t.get(), Ints{int64_t(s->bytes) / itemsize(dtype)});
    impl::set_storage(t.get(), s, 0);
    return t;
  }
  if (n == 1 && PyObject_TypeCheck(first, size_type)) {
    KG_CHECK_TYPE(to_dims(first, sizes), "expected sizes as ints");
    return empty(sizes, dtype, device);
  }
  bool ints = true;
  for (Py_ssize_t i = 0; i < n && ints; ++i) {
    int64_t v = 0;
    PyObject* o = PyTuple_GET_ITEM(args, i);
    ints = (PyLong_Check(o) || !is_sequence(o)) && !PyFloat_Check(o) && to_int(o, v);
    sizes.push_back(v);
  }
  if (ints) return empty(sizes, dtype, device);
  KG_CHECK_TYPE(n == 1 && (is_sequence(first) || is_ndarray(first)),
                "new(): received an invalid combination of arguments: expected sizes as ints, or "
                "one sequence, "
                "Tensor, Size or storage; for numbers use kagari.tensor(data)");
  Options o;
  o.dtype = dtype;
  return copy_of(first, o, device);
}

PyObject* tensor_legacy_new(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                            PyObject* kwnames) {
  KG_BIND_TRY
  KG_OVERRIDE("new");
  Device device = as_impl(self)->device;
  if (kwnames && PyTuple_GET_SIZE(kwnames)) {
    KG_CHECK_TYPE(
        PyTuple_GET_SIZE(kwnames) == 1 &&
            PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), "device") == 0 &&
            to_device(args[nargs], device),
        "takes no keyword but device");
  }
  Ref tuple = checked(PyTuple_New(nargs));
  for (Py_ssize_t i = 0; i < nargs; ++i) PyTuple_SET_ITEM(tuple.get(), i, Py_NewRef(args[i]));
  return wrap(legacy(tuple.get(), as_impl(self)->dtype, device));
  KG_BIND_CATCH("new", nullptr)
}

// Behind kagari.FloatTensor and its kin: (dtype, args).
PyObject* legacy_py(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  KG_BIND_TRY
  Dtype d;
  KG_CHECK_TYPE(nargs == 2 && to_dtype(args[0], d) && PyTuple_Check(args[1]),
                "expected (dtype, tuple)");
  return wrap(legacy(args[1], d, default_device()));
  KG_BIND_CATCH("new", nullptr)
}

PyMethodDef functions[] = {
    {"tensor", as_function(tensor_py), METH_FASTCALL | METH_KEYWORDS,
     "tensor($module, data, *, dtype=None, device=None, requires_grad=False, "
     "pin_memory=False)\n--\n\n"
     "A new tensor from numbers, nested lists, arrays; it always copies.\n\n"
     "Args:\n    data: a number, nested sequences of numbers, a NumPy array, or any array-like.\n"
     "    dtype: inferred from the data when None: bool, int64, the default dtype, or complex.\n"
     "    device: the default device when None.\n    requires_grad: whether operations on it are "
     "recorded.\n\n"
     "Returns:\n    A leaf tensor with its own memory.\n\n"
     "Raises:\n    ValueError: rows of unequal length.\n    RuntimeError: an element is no number "
     "or does not fit.\n\n"
     "    >>> kagari.tensor([[1, 2], [3, 4]]).shape\n    kagari.Size([2, 2])\n\n"
     "Reference: https://pytorch.org/docs/stable/generated/torch.tensor.html"},
    {"as_tensor", as_function(as_tensor_py), METH_FASTCALL | METH_KEYWORDS,
     "as_tensor($module, data, dtype=None, device=None)\n--\n\nThe data as a tensor, sharing "
     "memory and history where it can.\n\n"
     "    >>> x = kagari.zeros(2)\n    >>> kagari.as_tensor(x) is x\n    True"},
    {"asarray", as_function(asarray_py), METH_FASTCALL | METH_KEYWORDS,
     "asarray($module, obj, *, dtype=None, device=None, copy=None, requires_grad=False)\n--\n\n"
     "The object as a tensor; copy says whether memory must, must not, or may be shared.\n\n"
     "    >>> kagari.asarray([1, 2]).dtype\n    kagari.int64"},
    {"_legacy_tensor", as_function(legacy_py), METH_FASTCALL, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  Device device = default_device();
  Dtype dtype = default_dtype();
  if (kwargs && PyDict_GET_SIZE(kwargs)) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(kwargs, &at, &key, &value)) {
      bool known = PyUnicode_CompareWithASCIIString(key, "device") == 0;
      const char* text = PyUnicode_AsUTF8(key);
      KG_CHECK_TYPE(known, "got an unexpected keyword argument '", text ? text : "?",
                    "'; kagari.tensor(data, ...) takes dtype and requires_grad");
      if (value != Py_None)
        KG_CHECK_TYPE(to_device(value, device), "argument 'device' must be kagari.device, not ",
                      describe_object(value));
    }
  }
  return as_type(legacy(args, dtype, device, true), type);
  KG_BIND_CATCH("Tensor", nullptr)
}

PyMethodDef factory_methods[] = {
    {"new_tensor", as_function(tensor_new_tensor), METH_FASTCALL | METH_KEYWORDS,
     "new_tensor(data, *, dtype=None, device=None, requires_grad=False)\n--\n\nA copy of the data "
     "with this tensor's dtype and place."},
    {"new", as_function(tensor_legacy_new), METH_FASTCALL | METH_KEYWORDS,
     "A tensor of this tensor's dtype from sizes or data."},
    {nullptr, nullptr, 0, nullptr}};

void init_factories(PyObject* module) { add_functions(module, functions); }

}  // namespace kagari
