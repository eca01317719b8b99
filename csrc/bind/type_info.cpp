// What is known of dtypes: finfo and iinfo, the default dtype, and the promotion functions.
#include <array>
#include <cstdio>
#include <limits>

#include "bind/types.h"

namespace kagari {
namespace {

// ---- finfo, iinfo -------------------------------------------------------------------------------

struct FloatFacts {
  Dtype dtype;
  double min, max, eps, tiny, resolution;
};
constexpr std::array<FloatFacts, 9> float_facts{{
    {Dtype::f16, -65504., 65504., 0x1p-10, 0x1p-14, 1e-3},
    {Dtype::bf16, -0x1.fep127, 0x1.fep127, 0x1p-7, 0x1p-126, 1e-2},
    {Dtype::f32, -0x1.fffffep127, 0x1.fffffep127, 0x1p-23, 0x1p-126, 1e-6},
    {Dtype::f64, -std::numeric_limits<double>::max(), std::numeric_limits<double>::max(), 0x1p-52,
     0x1p-1022, 1e-15},
    {Dtype::f8_e4m3fn, -448., 448., 0x1p-3, 0x1p-6, 1.},
    {Dtype::f8_e5m2, -57344., 57344., 0x1p-2, 0x1p-14, 1.},
    {Dtype::f8_e4m3fnuz, -240., 240., 0x1p-3, 0x1p-7, 1.},
    {Dtype::f8_e5m2fnuz, -57344., 57344., 0x1p-3, 0x1p-15, 1.},
    {Dtype::f8_e8m0fnu, 0x1p-127, 0x1p127, 1., 0x1p-127, 1.},
}};

struct InfoObject {
  PyObject_HEAD Dtype dtype;
};
PyTypeObject* finfo_type = nullptr;
PyTypeObject* iinfo_type = nullptr;

Dtype info_dtype(PyObject* self) { return reinterpret_cast<InfoObject*>(self)->dtype; }
const FloatFacts& facts_of(PyObject* self) {
  for (const FloatFacts& f : float_facts)
    if (f.dtype == info_dtype(self)) return f;
  return float_facts[2];
}

PyObject* make_info(PyTypeObject* type, Dtype d) {
  auto* o = reinterpret_cast<InfoObject*>(checked(type->tp_alloc(type, 0)).release());
  o->dtype = d;
  return reinterpret_cast<PyObject*>(o);
}
void info_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}
// The argument `type`, which both classes take; null when it was not given.
PyObject* info_argument(PyObject* args, PyObject* kwargs, const char* format) {
  static const char* const names[] = {"type", nullptr};
  PyObject* given = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, const_cast<char**>(names), &given))
    throw_python_error();
  return given;
}
PyObject* finfo_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  PyObject* given = info_argument(args, kwargs, "|O:finfo");
  Dtype d = default_dtype();
  KG_CHECK_TYPE(!given || to_dtype(given, d), "argument 'type' must be kagari.dtype, not ",
                describe_object(given));
  KG_CHECK_TYPE(is_floating(d) || is_complex(d), "requires a floating point input type, got ", d,
                "; use kagari.iinfo for integers");
  return make_info(type, real_dtype(d));
  KG_BIND_CATCH("finfo", nullptr)
}
PyObject* iinfo_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  PyObject* given = info_argument(args, kwargs, "O:iinfo");
  Dtype d = Dtype::i64;
  KG_CHECK_TYPE(to_dtype(given, d), "argument 'type' must be kagari.dtype, not ",
                describe_object(given));
  KG_CHECK_TYPE(is_integral(d), "requires an integer input type, got ", d,
                "; use kagari.finfo for floating types");
  return make_info(type, d);
  KG_BIND_CATCH("iinfo", nullptr)
}

PyObject* info_bits(PyObject* self, void*) {
  return PyLong_FromLongLong(8 * itemsize(info_dtype(self)));
}
PyObject* info_get_dtype(PyObject* self, void*) {
  return PyUnicode_FromString(name(info_dtype(self)));
}
PyObject* info_compare(PyObject* a, PyObject* b, int op) {
  if (Py_TYPE(a) != Py_TYPE(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((info_dtype(a) == info_dtype(b)) == (op == Py_EQ));
}
PyObject* info_reduce(PyObject* self, PyObject*) {
  return Py_BuildValue("(O(O))", Py_TYPE(self), dtype_object(info_dtype(self)));
}

template <double FloatFacts::* field>
PyObject* finfo_get(PyObject* self, void*) {
  return PyFloat_FromDouble(facts_of(self).*field);
}
PyObject* finfo_repr(PyObject* self) {
  const FloatFacts& f = facts_of(self);
  char text[256];
  std::snprintf(
      text, sizeof text,
      "finfo(resolution=%g, min=%g, max=%g, eps=%g, smallest_normal=%g, tiny=%g, dtype=%s)",
      f.resolution, f.min, f.max, f.eps, f.tiny, f.tiny, name(f.dtype));
  return PyUnicode_FromString(text);
}
PyObject* iinfo_min(PyObject* self, void*) {
  Dtype d = info_dtype(self);
  if (!is_signed(d)) return PyLong_FromLong(0);
  return PyLong_FromLongLong(std::numeric_limits<int64_t>::min() >> (64 - 8 * itemsize(d)));
}
PyObject* iinfo_max(PyObject* self, void*) {
  Dtype d = info_dtype(self);
  return PyLong_FromUnsignedLongLong(~uint64_t(0) >> (64 - 8 * itemsize(d) + is_signed(d)));
}
PyObject* iinfo_repr(PyObject* self) {
  Ref low = Ref::steal(iinfo_min(self, nullptr)), high = Ref::steal(iinfo_max(self, nullptr));
  if (!low || !high) return nullptr;
  return PyUnicode_FromFormat("iinfo(min=%S, max=%S, dtype=%s)", low.get(), high.get(),
                              name(info_dtype(self)));
}

PyGetSetDef finfo_getset[] = {
    {"bits", info_bits, nullptr, "bits of one element", nullptr},
    {"dtype", info_get_dtype, nullptr, "the dtype's name", nullptr},
    {"eps", finfo_get<&FloatFacts::eps>, nullptr, "the distance from 1.0 to the next larger value",
     nullptr},
    {"max", finfo_get<&FloatFacts::max>, nullptr, "the largest finite value", nullptr},
    {"min", finfo_get<&FloatFacts::min>, nullptr, "the smallest finite value", nullptr},
    {"tiny", finfo_get<&FloatFacts::tiny>, nullptr, "the smallest positive normal value", nullptr},
    {"smallest_normal", finfo_get<&FloatFacts::tiny>, nullptr, "the smallest positive normal value",
     nullptr},
    {"resolution", finfo_get<&FloatFacts::resolution>, nullptr,
     "the approximate decimal resolution", nullptr},
    {}};
PyGetSetDef iinfo_getset[] = {{"bits", info_bits, nullptr, "bits of one element", nullptr},
                              {"dtype", info_get_dtype, nullptr, "the dtype's name", nullptr},
                              {"max", iinfo_max, nullptr, "the largest value", nullptr},
                              {"min", iinfo_min, nullptr, "the smallest value", nullptr},
                              {}};
PyMethodDef info_methods[] = {{"__reduce__", info_reduce, METH_NOARGS, nullptr}, {}};
PyType_Slot finfo_slots[] = {
    {Py_tp_new, (void*)finfo_new},
    {Py_tp_repr, (void*)finfo_repr},
    {Py_tp_richcompare, (void*)info_compare},
    {Py_tp_dealloc, (void*)info_dealloc},
    {Py_tp_getset, finfo_getset},
    {Py_tp_methods, info_methods},
    {Py_tp_doc, (void*)"finfo(type=...)\n--\n\nThe limits of a floating-point dtype.\n"
                       "\n    >>> kagari.finfo(kagari.float16).max\n    65504.0\n    >>> "
                       "kagari.finfo(kagari.float32).eps\n    1.1920928955078125e-07"},
    {0, nullptr}};
PyType_Spec finfo_spec = {"kagari.finfo", sizeof(InfoObject), 0, Py_TPFLAGS_DEFAULT, finfo_slots};
PyType_Slot iinfo_slots[] = {
    {Py_tp_new, (void*)iinfo_new},
    {Py_tp_repr, (void*)iinfo_repr},
    {Py_tp_richcompare, (void*)info_compare},
    {Py_tp_dealloc, (void*)info_dealloc},
    {Py_tp_getset, iinfo_getset},
    {Py_tp_methods, info_methods},
    {Py_tp_doc, (void*)"iinfo(type)\n--\n\nThe limits of an integer dtype.\n"
                       "\n    >>> kagari.iinfo(kagari.int8).min\n    -128"},
    {0, nullptr}};
PyType_Spec iinfo_spec = {"kagari.iinfo", sizeof(InfoObject), 0, Py_TPFLAGS_DEFAULT, iinfo_slots};

// ---- Promotion ----------------------------------------------------------------------------------

// A category of higher rank (dimensioned tensors over 0-d ones over numbers) keeps its dtype within
// a kind.
Dtype combine(Dtype higher, Dtype lower) {
  if (higher == Dtype::undefined) return lower;
  if (lower == Dtype::undefined || is_complex(higher)) return higher;
  if (is_floating(higher)) return is_complex(lower) ? complex_dtype(higher) : higher;
  if (is_complex(lower)) return lower;
  bool lower_wins = higher == Dtype::boolean || is_floating(lower);
  return lower_wins ? promote(higher, lower) : higher;
}

Dtype result_type(PyObject* const* values, int n) {
  Dtype rank[3] = {Dtype::undefined, Dtype::undefined, Dtype::undefined};
  for (int i = 0; i < n; ++i) {
    Scalar number;
    if (is_tensor(values[i])) {
      const TensorImpl* t = as_impl(values[i]);
      Dtype& r = rank[t->ndim > 0 ? 0 : t->is(kWrappedNumber) ? 2 : 1];
      r = promote(r, t->dtype);
    } else {
      KG_CHECK_TYPE(to_scalar(values[i], number, false), "expected a tensor or a number, got ",
                    describe_object(values[i]));
      rank[2] = promote(rank[2], number.dtype());
    }
  }
  return combine(rank[0], combine(rank[1], rank[2]));
}

PyObject* result_type_py(PyObject*, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  static const char* const names[] = {"tensor", "other", nullptr};
  static const char* const numbers[] = {"scalar", "tensor", nullptr};
  static const char* const both[] = {"scalar1", "scalar2", nullptr};
  PyObject* v[2] = {};
  const char* const* spelling = names;
  if (kwargs && PyDict_GetItemString(kwargs, "scalar")) spelling = numbers;
  if (kwargs && PyDict_GetItemString(kwargs, "scalar2")) spelling = both;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:result_type", const_cast<char**>(spelling),
                                   &v[0], &v[1]))
    return nullptr;
  return wrap(result_type(v, 2));
  KG_BIND_CATCH("result_type", nullptr)
}

// Two dtypes, under the names that the function gives them.
void two_dtypes(PyObject* args, PyObject* kwargs, const char* format, const char* const* names,
                Dtype& a, Dtype& b) {
  PyObject *x = nullptr, *y = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, format, const_cast<char**>(names), &x, &y))
    throw_python_error();
  KG_CHECK_TYPE(to_dtype(x, a), "argument '", names[0], "' must be kagari.dtype, not ",
                describe_object(x));
  KG_CHECK_TYPE(to_dtype(y, b), "argument '", names[1], "' must be kagari.dtype, not ",
                describe_object(y));
}
PyObject* promote_types_py(PyObject*, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  static const char* const names[] = {"type1", "type2", nullptr};
  Dtype a, b;
  two_dtypes(args, kwargs, "OO:promote_types", names, a, b);
  return wrap(promote(a, b));
  KG_BIND_CATCH("promote_types", nullptr)
}
PyObject* can_cast_py(PyObject*, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  static const char* const names[] = {"from_", "to", nullptr};
  Dtype a, b;
  two_dtypes(args, kwargs, "OO:can_cast", names, a, b);
  return PyBool_FromLong(can_cast(a, b));
  KG_BIND_CATCH("can_cast", nullptr)
}

PyObject* get_default_dtype_py(PyObject*, PyObject*) { return wrap(default_dtype()); }
PyObject* set_default_dtype_py(PyObject*, PyObject* arg) {
  KG_BIND_TRY
  Dtype d;
  KG_CHECK_TYPE(to_dtype(arg, d),
                "only floating-point types are supported as the default type, got ",
                describe_object(arg));
  set_default_dtype(d);
  Py_RETURN_NONE;
  KG_BIND_CATCH("set_default_dtype", nullptr)
}

PyMethodDef functions[] = {
    {"get_default_dtype", get_default_dtype_py, METH_NOARGS,
     "get_default_dtype($module, /)\n--\n\nReturns the dtype of tensors made from Python floats.\n"
     "\n    >>> kagari.get_default_dtype()\n    kagari.float32"},
    {"set_default_dtype", set_default_dtype_py, METH_O,
     "set_default_dtype($module, d, /)\n--\n\nSets the dtype of tensors made from Python floats.\n"
     "\n    >>> kagari.set_default_dtype(kagari.float64)\n    >>> kagari.tensor([1.0]).dtype\n    "
     "kagari.float64\n    >>> kagari.set_default_dtype(kagari.float32)"},
    {"result_type", (PyCFunction)(void (*)())result_type_py, METH_VARARGS | METH_KEYWORDS,
     "result_type($module, tensor, other)\n--\n\nReturns the dtype of arithmetic between two "
     "tensors or numbers.\n"
     "\n    >>> kagari.result_type(kagari.ones(2, dtype=kagari.int32), 1.5)\n    kagari.float32"},
    {"promote_types", (PyCFunction)(void (*)())promote_types_py, METH_VARARGS | METH_KEYWORDS,
     "promote_types($module, type1, type2)\n--\n\nReturns the smallest dtype that both can be "
     "converted to.\n"
     "\n    >>> kagari.promote_types(kagari.int32, kagari.float16)\n    kagari.float16"},
    {"can_cast", (PyCFunction)(void (*)())can_cast_py, METH_VARARGS | METH_KEYWORDS,
     "can_cast($module, from_, to)\n--\n\nTells whether results of one dtype may be written into "
     "another.\n"
     "\n    >>> kagari.can_cast(kagari.float32, kagari.int64)\n    False"},
    {}};

// ---- NumPy's and Python's names for dtypes ------------------------------------------------------

bool numpy_dtype(PyObject* o, Dtype& out) {
  // Only NumPy's own objects are asked, and NumPy is loaded when there is one.
  const char* type_name = Py_TYPE(o)->tp_name;
  bool instance = std::string_view(type_name).starts_with("numpy.dtype");
  bool scalar_type =
      PyType_Check(o) &&
      std::string_view(reinterpret_cast<PyTypeObject*>(o)->tp_name).starts_with("numpy.");
  if (!instance && !scalar_type) return false;
  Ref numpy = Ref::steal(PyImport_ImportModule("numpy"));
  Ref made = numpy ? Ref::steal(PyObject_CallMethod(numpy.get(), "dtype", "O", o)) : Ref();
  Ref text = made ? Ref::steal(PyObject_GetAttrString(made.get(), "name")) : Ref();
  const char* s = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
  if (!s) {
    PyErr_Clear();
    return false;
  }
  for (int i = 0; i < kComputeDtypes; ++i) {
    if (std::string_view(s) != dtype_facts[i].name) continue;
    out = Dtype(i);
    return true;
  }
  return false;
}

}  // namespace

bool to_dtype(PyObject* o, Dtype& out) {
  if (to_dtype_object(o, out)) return true;
  if (PyType_Check(o)) {
    struct {
      PyTypeObject* type;
      Dtype dtype;
    } const known[] = {{&PyFloat_Type, Dtype::f64},
                       {&PyLong_Type, Dtype::i64},
                       {&PyBool_Type, Dtype::boolean},
                       {&PyComplex_Type, Dtype::c128}};
    for (const auto& k : known) {
      if (o != reinterpret_cast<PyObject*>(k.type)) continue;
      out = k.dtype;
      return true;
    }
  }
  return numpy_dtype(o, out);
}

void init_type_info(PyObject* module) {
  finfo_type = add_type(module, &finfo_spec);
  iinfo_type = add_type(module, &iinfo_spec);
  add_functions(module, functions);
}

}  // namespace kagari
