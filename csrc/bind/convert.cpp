// Conversions of Python objects to numbers and lists of numbers, back, and how errors speak of an
// object.
#include <cmath>

#include "bind/bind.h"

namespace kagari {
namespace {

bool is_numpy(PyObject* o) { return std::string_view(Py_TYPE(o)->tp_name).starts_with("numpy."); }
bool is_numpy_scalar(PyObject* o) {
  if (!is_numpy(o) || std::string_view(Py_TYPE(o)->tp_name) == "numpy.ndarray") return false;
  return Py_TYPE(o)->tp_as_number != nullptr && PyObject_HasAttrString(o, "item");
}

int64_t long_to_int(PyObject* o) {
  int overflow = 0;
  int64_t v = PyLong_AsLongLongAndOverflow(o, &overflow);
  KG_CHECK_VALUE(!overflow, "Overflow when unpacking long long: the int does not fit 64 bits");
  if (v == -1 && PyErr_Occurred()) throw_python_error();
  return v;
}

Scalar long_to_scalar(PyObject* o) {
  int overflow = 0;
  int64_t v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow > 0) {
    uint64_t u = PyLong_AsUnsignedLongLong(o);
    if (u != uint64_t(-1) || !PyErr_Occurred()) {
      Scalar s{int64_t(u)};
      s.is_u64 = true;
      return s;
    }
    PyErr_Clear();
  }
  if (overflow) {
    PyErr_SetString(PyExc_OverflowError,
                    "int too big to convert: it fits neither int64 nor uint64");
    throw_python_error();
  }
  if (v == -1 && PyErr_Occurred()) throw_python_error();
  return Scalar(v);
}

}  // namespace

Scalar item(const TensorImpl* t) {
  KG_CHECK(t->numel == 1, "a Tensor with ", t->numel,
           " elements cannot be converted to Scalar; pick one element first");
  KG_CHECK(t->data, "a tensor on ", t->device, " has no data to read");
  const char* p = t->data;
  return visit(t->dtype, [p]<class T>() -> Scalar {
    T v;
    std::memcpy(&v, p, sizeof v);
    if constexpr (std::is_same_v<T, bool>) {
      return Scalar(v);
    } else if constexpr (std::is_same_v<T, uint64_t>) {
      Scalar s{int64_t(v)};
      s.is_u64 = int64_t(v) < 0;
      return s;
    } else if constexpr (std::is_integral_v<T>) {
      return Scalar(int64_t(v));
    } else if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
      return Scalar(c128(v));
    } else {
      return Scalar(double(v));
    }
  });
}

PyObject* wrap(const Scalar& s) {
  switch (s.kind) {
    case Scalar::Kind::boolean:
      return PyBool_FromLong(s.i != 0);
    case Scalar::Kind::integer:
      return s.is_u64 ? PyLong_FromUnsignedLongLong(uint64_t(s.i)) : PyLong_FromLongLong(s.i);
    case Scalar::Kind::real:
      return PyFloat_FromDouble(s.d);
    case Scalar::Kind::complex:
      return PyComplex_FromDoubles(s.d, s.imag);
  }
  Py_RETURN_NONE;
}

bool to_int(PyObject* o, int64_t& out, bool allow_bool) {
  if (PyLong_Check(o)) {
    if (PyBool_Check(o) && !allow_bool) return false;
    out = long_to_int(o);
    return true;
  }
  if (is_tensor(o)) {
    const TensorImpl* t = as_impl(o);
    if (t->numel != 1 || !(is_integral(t->dtype) || (allow_bool && t->dtype == Dtype::boolean)))
      return false;
    out = item(t).i;
    return true;
  }
  if (PyFloat_Check(o) || !PyIndex_Check(o)) return false;
  Ref index = Ref::steal(PyNumber_Index(o));
  if (!index) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw_python_error();
    PyErr_Clear();
    return false;
  }
  out = long_to_int(index.get());
  return true;
}

bool to_scalar(PyObject* o, Scalar& out, bool allow_tensor) {
  if (PyFloat_Check(o)) {
    out = Scalar(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyLong_Check(o)) {
    out = PyBool_Check(o) ? Scalar(o == Py_True) : long_to_scalar(o);
    return true;
  }
  if (PyComplex_Check(o)) {
    Py_complex c = PyComplex_AsCComplex(o);
    out = Scalar(c128(c.real, c.imag));
    return true;
  }
  if (is_tensor(o)) {
    if (!allow_tensor || as_impl(o)->ndim != 0) return false;
    out = item(as_impl(o));
    return true;
  }
  if (!is_numpy_scalar(o)) return false;
  Ref python = checked(PyObject_CallMethod(o, "item", nullptr));
  return !is_numpy(python.get()) && to_scalar(python.get(), out, false);
}

bool to_real(PyObject* o, double& out) {
  if (PyFloat_Check(o)) {
    out = PyFloat_AS_DOUBLE(o);
    return true;
  }
  Scalar s;
  if (!to_scalar(o, s) || s.is_complex()) return false;
  out = s.to_double();
  return true;
}

bool to_dims(PyObject* o, Dims& out) {
  if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
  out.resize(0);
  // Converting an element may run Python code that changes a list: its length is read anew each
  // time.
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
    Ref element = Ref::borrow(PySequence_Fast_GET_ITEM(o, i));
    int64_t v = 0;
    if (!to_int(element.get(), v)) return false;
    out.push_back(v);
  }
  return true;
}

std::string describe_object(PyObject* o) {
  if (o == Py_None) return "None";
  if (is_tensor(o)) return "Tensor " + describe(as_tensor(o));
  std::string name = Py_TYPE(o)->tp_name;
  if (!PyTuple_Check(o) && !PyList_Check(o)) return name;
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  std::string parts;
  bool same = true;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* element = PySequence_Fast_GET_ITEM(o, i);
    same = same && Py_TYPE(element) == Py_TYPE(PySequence_Fast_GET_ITEM(o, 0));
    if (i < 4)
      parts +=
          (i ? ", " : "") + std::string(is_tensor(element) ? "Tensor" : Py_TYPE(element)->tp_name);
  }
  if (n == 0) return "empty " + name;
  if (same)
    return name + " of " +
           (is_tensor(PySequence_Fast_GET_ITEM(o, 0))
                ? "Tensor"
                : Py_TYPE(PySequence_Fast_GET_ITEM(o, 0))->tp_name);
  return name + " of (" + parts + (n > 4 ? ", ...)" : ")");
}

}  // namespace kagari
