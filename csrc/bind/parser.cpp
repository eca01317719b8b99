// Reads Python arguments by signature. The fast half; what is said when nothing fits stands in
// parser_errors.cpp.
#include "bind/parser.h"

#include <cstring>

namespace kagari {

// ---- Tables -------------------------------------------------------------------------------------

namespace {

// Other spellings that mean the same: NumPy's and the array API standard's. They apply unless the
// signature uses the name itself.
struct Alias {
  const char* name;
  const char* alias;
  bool lists_only;  // only where the parameter is a list of ints
};
constexpr Alias alias_table[] = {
    {"dim", "axis", false},         {"dims", "axes", true}, {"dims", "axis", true},
    {"keepdim", "keepdims", false}, {"input", "x", false},  {"input", "a", false},
    {"input", "x1", false},         {"other", "x2", false}, {"size", "shape", true},
    {"correction", "ddof", false},
};

PyObject* intern(std::string_view s) {
  PyObject* text = PyUnicode_FromStringAndSize(s.data(), Py_ssize_t(s.size()));
  if (!text) throw_python_error();
  PyUnicode_InternInPlace(&text);
  return text;
}

bool has_tensor_argument(const Signature& sig) {
  for (int i = 0; i < sig.count; ++i) {
    ArgType t = sig.params[size_t(i)].type;
    if (t == ArgType::tensor || t == ArgType::tensors || t == ArgType::operand) return true;
  }
  return false;
}

}  // namespace

Overload::Overload(const Signature& signature, uint16_t flags) : sig(&signature), as(flags) {
  const auto& params = signature.params;
  for (int i = 0; i < signature.count; ++i) {
    const Param& p = params[size_t(i)];
    names[i] = intern(p.name);
    if (!p.has_default) required |= 1u << i;
    if (!p.keyword_only) ++positional;
    if (p.type == ArgType::boolean && p.name == "requires_grad") requires_grad = int8_t(i);
    if (p.type == ArgType::device && !has_tensor_argument(signature)) factory_device = int8_t(i);
  }
  // `Tensor? x` without a default must still be given; `int[1]? dim` without one, too.
  int input = signature.find("input");
  if (input < 0) input = signature.find("self");
  self = int8_t(input < 0 ? 0 : input);
  int k = 0;
  order[1][k++] = uint8_t(self);
  for (int i = 0; i < positional; ++i) {
    order[0][i] = uint8_t(i);
    if (i != self) order[1][k++] = uint8_t(i);
  }
  for (const Alias& a : alias_table) {
    int i = signature.find(a.name);
    if (i < 0 || signature.find(a.alias) >= 0) continue;
    if (a.lists_only && params[size_t(i)].type != ArgType::ints) continue;
    aliases.emplace_back(intern(a.alias), i);
  }
}

int Overload::find_name(PyObject* name) const {
  for (int i = 0; i < sig->count; ++i)
    if (names[i] == name) return i;
  for (const auto& [alias, i] : aliases)
    if (alias == name) return i;
  // A keyword that was made at run time may not be interned.
  for (int i = 0; i < sig->count; ++i)
    if (PyUnicode_Compare(names[i], name) == 0) return i;
  for (const auto& [alias, i] : aliases)
    if (PyUnicode_Compare(alias, name) == 0) return i;
  return -1;
}

// ---- Buffers ------------------------------------------------------------------------------------

int64_t* Buffers::ints(int64_t n) {
  if (used_ + n <= kInline) {
    int64_t* p = words_ + used_;
    used_ += int(n);
    return p;
  }
  heap_.push_back(std::make_unique<int64_t[]>(size_t(n)));
  return heap_.back().get();
}
double* Buffers::reals(int64_t n) {
  static_assert(sizeof(double) == sizeof(int64_t));
  return reinterpret_cast<double*>(ints(n));
}
TensorImpl** Buffers::tensors(int64_t n) {
  auto** p = reinterpret_cast<TensorImpl**>(ints(n));
  std::fill(p, p + n, nullptr);
  lists_.emplace_back(p, n);
  return p;
}
void Buffers::clear() {
  for (auto [p, n] : lists_)
    for (int64_t i = 0; i < n; ++i) Py_XDECREF(reinterpret_cast<PyObject*>(p[i]));
  lists_.clear();
  heap_.clear();
  used_ = 0;
}

// ---- One argument -------------------------------------------------------------------------------

namespace {

bool convert_tensor(PyObject* o, Value& v, Parsed& parsed) {
  if (!is_tensor_exact(o)) {
    if (!PyType_IsSubtype(Py_TYPE(o), tensor_type)) return false;
    if (type_overrides(Py_TYPE(o))) parsed.overridden = true;
  }
  parsed.flags |= as_impl(o)->flags;
  v = Value(as_impl(o));
  return true;
}

bool is_bool(PyObject* o) {
  if (PyBool_Check(o)) return true;
  std::string_view type = Py_TYPE(o)->tp_name;
  return type == "numpy.bool" || type == "numpy.bool_";
}

// Elements may run Python code when they are converted (__index__), which may change a list: its
// length is read anew.
bool convert_ints(const Param& p, PyObject* o, Value& v, Parsed& parsed) {
  int64_t one = 0;
  if (!PyTuple_Check(o) && !PyList_Check(o)) {
    if ((p.repeat == 0 && !p.spread) || !to_int(o, one, false)) return false;
    int64_t n = p.repeat > 0 ? p.repeat : 1;
    int64_t* list = parsed.buffers.ints(n);
    std::fill(list, list + n, one);
    v = Value(Ints(list, n));
    return true;
  }
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  int64_t* list = parsed.buffers.ints(n);
  for (Py_ssize_t i = 0; i < n; ++i) {
    if (i >= PySequence_Fast_GET_SIZE(o)) return false;
    PyObject* element = PySequence_Fast_GET_ITEM(o, i);
    if (PyLong_CheckExact(element)) {
      list[i] = PyLong_AsLongLong(element);
      if (list[i] != -1 || !PyErr_Occurred()) continue;
      PyErr_Clear();
    }
    Ref held = Ref::borrow(element);
    if (!to_int(element, list[i], false)) return false;
  }
  v = Value(Ints(list, n));
  return true;
}

bool convert_reals(const Param& p, PyObject* o, Value& v, Parsed& parsed) {
  double one = 0;
  if (!PyTuple_Check(o) && !PyList_Check(o)) {
    if ((p.repeat == 0 && !p.spread) || !to_real(o, one)) return false;
    int64_t n = p.repeat > 0 ? p.repeat : 1;
    double* list = parsed.buffers.reals(n);
    std::fill(list, list + n, one);
    v = Value(Reals{list, n});
    return true;
  }
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  double* list = parsed.buffers.reals(n);
  for (Py_ssize_t i = 0; i < n; ++i) {
    if (i >= PySequence_Fast_GET_SIZE(o)) return false;
    Ref held = Ref::borrow(PySequence_Fast_GET_ITEM(o, i));
    if (!to_real(held.get(), list[i])) return false;
  }
  v = Value(Reals{list, n});
  return true;
}

// The tensors are held: a list may lose them while the op runs without the GIL.
bool gather_tensors(const Param& p, PyObject* const* items, Py_ssize_t n, Value& v,
                    Parsed& parsed) {
  TensorImpl** list = parsed.buffers.tensors(n);
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* element = items[i];
    if (element == Py_None && p.elements_optional) continue;
    Value one;
    if (!convert_tensor(element, one, parsed)) return false;
    Py_INCREF(element);
    list[i] = one.t;
  }
  v = Value(TensorList{list, n});
  return true;
}

bool convert_scalar(PyObject* o, Value& v, bool tensors) {
  // A tensor that requires grad is not read as a number: its gradient would be lost. One on meta
  // has nothing to read.
  if (tensors && is_tensor(o)) {
    const TensorImpl* t = as_impl(o);
    if (!t->data || (t->is(kRequiresGrad) && grad_mode.enabled)) return false;
  }
  Scalar s;
  if (!to_scalar(o, s, tensors)) return false;
  v = Value(s);
  return true;
}

}  // namespace

bool convert(const Param& p, PyObject* o, Value& v, Parsed& parsed) {
  if (o == Py_None && p.type != ArgType::any) {
    if (!p.optional) return false;
    v = Value();
    return true;
  }
  switch (p.type) {
    case ArgType::tensor:
      return convert_tensor(o, v, parsed);
    case ArgType::tensors:
      if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
      return gather_tensors(p, PySequence_Fast_ITEMS(o), PySequence_Fast_GET_SIZE(o), v, parsed);
    case ArgType::operand:
      if (is_tensor_exact(o)) {
        parsed.flags |= as_impl(o)->flags;
        v = Value(as_impl(o));
        return true;
      }
      if (PyFloat_CheckExact(o)) {
        v = Value(Scalar(PyFloat_AS_DOUBLE(o)));
        return true;
      }
      return convert_tensor(o, v, parsed) || convert_scalar(o, v, false);
    case ArgType::scalar:
      return convert_scalar(o, v, true);
    case ArgType::integer: {
      int64_t i = 0;
      if (!to_int(o, i, false)) return false;
      v = Value(i);
      return true;
    }
    case ArgType::real: {
      double d = 0;
      if (!to_real(o, d)) return false;
      v = Value(d);
      return true;
    }
    case ArgType::boolean: {
      if (!is_bool(o)) return false;
      int truth = PyObject_IsTrue(o);
      checked_status(truth);
      v = Value(truth != 0);
      return true;
    }
    case ArgType::ints:
      return convert_ints(p, o, v, parsed);
    case ArgType::reals:
      return convert_reals(p, o, v, parsed);
    case ArgType::dtype: {
      Dtype d;
      if (!to_dtype(o, d)) return false;
      v = Value(d);
      return true;
    }
    case ArgType::device: {
      Device d;
      if (!to_device(o, d)) return false;
      v = Value(d);
      return true;
    }
    case ArgType::memory_format: {
      MemoryFormat f;
      if (!to_memory_format(o, f)) return false;
      v = Value(f);
      return true;
    }
    case ArgType::layout: {
      Layout l;
      if (!to_layout(o, l)) return false;
      if (l != Layout::strided) parsed.flags |= kSparse;
      v = Value(l);
      return true;
    }
    case ArgType::string: {
      if (!PyUnicode_Check(o)) return false;
      Py_ssize_t n = 0;
      const char* s = PyUnicode_AsUTF8AndSize(o, &n);
      if (!s) throw_python_error();
      v = Value(std::string_view(s, size_t(n)));
      return true;
    }
    case ArgType::generator: {
      Generator* g = nullptr;
      if (!to_generator(o, g)) return false;
      v = Value(g);
      return true;
    }
    case ArgType::any:
      v = Value();
      return true;
  }
  return false;
}

// ---- A call -------------------------------------------------------------------------------------

namespace {

// `x.view(2, 3)`: the rest of the positional arguments are the list.
bool gather(const Param& p, PyObject* const* items, Py_ssize_t n, Value& v, Parsed& parsed) {
  if (p.type == ArgType::tensors) return gather_tensors(p, items, n, v, parsed);
  if (p.type != ArgType::ints) return false;
  int64_t* list = parsed.buffers.ints(n);
  for (Py_ssize_t i = 0; i < n; ++i)
    if (!to_int(items[i], list[i], false)) return false;
  v = Value(Ints(list, n));
  return true;
}

PyObject* out_name() {
  static PyObject* name = intern("out");
  return name;
}

}  // namespace

bool parse(const Overload& o, Form form, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames,
           Value* values, PyObject** slots, Parsed& parsed) {
  const auto& params = o.sig->params;
  const uint8_t* order = o.order[form != Form::function];
  uint32_t given = 0;
  for (Py_ssize_t k = 0; k < nargs; ++k) {
    if (k >= o.positional) return false;
    int i = order[k];
    const Param& p = params[size_t(i)];
    given |= 1u << i;
    if (is_tensor_exact(args[k]) && (p.type == ArgType::tensor || p.type == ArgType::operand)) {
      parsed.flags |= as_impl(args[k])->flags;
      values[i] = Value(as_impl(args[k]));
      if (slots) slots[i] = args[k];
      continue;
    }
    if (__builtin_expect(p.spread, 0) && !PyTuple_Check(args[k]) && !PyList_Check(args[k]) &&
        args[k] != Py_None) {
      if (!gather(p, args + k, nargs - k, values[i], parsed)) return false;
      if (slots) slots[i] = nullptr;
      break;
    }
    if (!convert(p, args[k], values[i], parsed)) return false;
    if (slots) slots[i] = args[k];
  }
  if (kwnames) {
    Py_ssize_t n = PyTuple_GET_SIZE(kwnames);
    for (Py_ssize_t k = 0; k < n; ++k) {
      PyObject* name = PyTuple_GET_ITEM(kwnames, k);
      PyObject* value = args[nargs + k];
      int i = o.find_name(name);
      if (i < 0) {
        if (!o.takes_out || form != Form::function || PyUnicode_Compare(name, out_name()) != 0)
          return false;
        if (value != Py_None) parsed.out = value;
        continue;
      }
      if (given & (1u << i)) return false;
      given |= 1u << i;
      if (!convert(params[size_t(i)], value, values[i], parsed)) return false;
      if (slots) slots[i] = value;
    }
  }
  if (o.required & ~given) return false;
  uint32_t all = o.sig->count < 32 ? (1u << o.sig->count) - 1 : ~0u;
  for (uint32_t left = all & ~given; left; left &= left - 1) {
    int i = __builtin_ctz(left);
    values[i] = o.defaults ? o.defaults[i] : Value();
    if (slots) slots[i] = nullptr;
  }
  return true;
}

// ---- The order of overloads ---------------------------------------------------------------------

namespace {

// What takes less comes first. Numbers come before tensors: 0-d tensors without a gradient are read
// as numbers there.
int rank(const Param& p) {
  switch (p.type) {
    case ArgType::boolean:
      return 0;
    case ArgType::scalar:
      return 1;
    case ArgType::tensor:
      return 2;
    case ArgType::operand:
      return 3;
    case ArgType::integer:
      return 4;
    case ArgType::real:
      return 5;
    case ArgType::ints:
      return 6;
    case ArgType::reals:
      return 7;
    case ArgType::tensors:
      return 8;
    case ArgType::dtype:
      return 9;
    case ArgType::device:
      return 10;
    case ArgType::string:
      return 11;
    case ArgType::memory_format:
      return 12;
    case ArgType::layout:
      return 13;
    case ArgType::generator:
      return 14;
    case ArgType::any:
      return 15;
  }
  return 16;
}

}  // namespace

bool tried_before(const Overload& a, const Overload& b) {
  for (int i = 0; i < a.positional && i < b.positional; ++i) {
    int ra = rank(a.sig->params[size_t(i)]), rb = rank(b.sig->params[size_t(i)]);
    if (ra != rb) return ra < rb;
    bool oa = a.sig->params[size_t(i)].optional, ob = b.sig->params[size_t(i)].optional;
    if (oa != ob) return ob;
  }
  if (a.positional != b.positional) return a.positional < b.positional;
  if (a.sig->count != b.sig->count) return a.sig->count < b.sig->count;
  return a.sig->overload < b.sig->overload;
}

}  // namespace kagari
