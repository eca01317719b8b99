// The decorator `composite`: a Python function declared with a signature, which the same parser,
// overrides, documentation and stubs serve as the rows of the table.
#include "bind/composite.h"

#include <charconv>
#include <limits>

#include "bind/autocast.h"
#include "bind/op_function.h"
#include "ops/call.h"
#include "ops/out.h"

namespace kagari {

KG_DECLARE_ROW(copy)
KG_DECLARE_ROW(clone)

namespace {

// ---- Declaring ----------------------------------------------------------------------------------

Ref number_of(std::string_view t) {
  if (t == "inf") return checked(PyFloat_FromDouble(std::numeric_limits<double>::infinity()));
  if (t == "-inf") return checked(PyFloat_FromDouble(-std::numeric_limits<double>::infinity()));
  bool real = t.find_first_of(".en") != std::string_view::npos;
  double d = 0;
  int64_t i = 0;
  auto end = real ? std::from_chars(t.data(), t.data() + t.size(), d)
                  : std::from_chars(t.data(), t.data() + t.size(), i);
  KG_CHECK_VALUE(end.ec == std::errc() && end.ptr == t.data() + t.size(), "the default '", t,
                 "' does not read");
  return checked(real ? PyFloat_FromDouble(d) : PyLong_FromLongLong(i));
}

Ref list_default(std::string_view t, const Param& p) {
  if (t[0] != '[') {
    Ref one = number_of(t);
    if (p.type == ArgType::reals) one = checked(PyNumber_Float(one.get()));
    Py_ssize_t n = p.repeat > 0 ? p.repeat : 1;
    Ref tuple = checked(PyTuple_New(n));
    for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(tuple.get(), i, Py_NewRef(one.get()));
    return tuple;
  }
  Ref list = checked(PyList_New(0));
  for (std::string_view rest = t.substr(1, t.size() - 2); !rest.empty();) {
    size_t comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    Ref number = number_of(item);
    if (p.type == ArgType::reals) number = checked(PyNumber_Float(number.get()));
    checked_status(PyList_Append(list.get(), number.get()));
    rest = rest.substr(std::min(comma + 1, rest.size()));
  }
  return checked(PyList_AsTuple(list.get()));
}

// What the function receives when the argument is left out.
Ref default_object(const Param& p) {
  std::string_view t = p.default_text;
  if (t == "None") return Ref::borrow(Py_None);
  if (t == "True") return Ref::borrow(Py_True);
  if (t == "False") return Ref::borrow(Py_False);
  if (t[0] == '\'' || t[0] == '"') {
    KG_CHECK_VALUE(t.size() >= 2, "the default '", t, "' does not read");
    return checked(PyUnicode_FromStringAndSize(t.data() + 1, Py_ssize_t(t.size()) - 2));
  }
  if (p.type == ArgType::string)
    return checked(PyUnicode_FromStringAndSize(t.data(), Py_ssize_t(t.size())));
  if (p.type == ArgType::ints || p.type == ArgType::reals) return list_default(t, p);
  if (p.type == ArgType::dtype || p.type == ArgType::memory_format || p.type == ArgType::layout)
    return checked(PyObject_GetAttrString(core_module, std::string(t).c_str()));
  if (p.type == ArgType::real) return checked(PyNumber_Float(number_of(t).get()));
  return number_of(t);
}

// Docstrings lose the indentation that their place in the source gave them.
std::string dedent(std::string_view text) {
  size_t indent = std::string_view::npos;
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    size_t word = text.find_first_not_of(' ', at + 1);
    if (word != std::string_view::npos && text[word] != '\n')
      indent = std::min(indent, word - at - 1);
  }
  std::string out;
  size_t begin = 0;
  for (bool first = true; begin <= text.size(); first = false) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!first) {
      out += '\n';
      if (indent != std::string_view::npos) line.remove_prefix(std::min(indent, line.size()));
    }
    out += line;
    begin = end + 1;
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

// The names in `(Tensor values, Tensor indices)`; none where a result has no name.
std::vector<std::string> result_names(std::string_view returns) {
  std::vector<std::string> names;
  if (!returns.starts_with("(") || !returns.ends_with(")")) return names;
  std::string_view rest = returns.substr(1, returns.size() - 2);
  while (!rest.empty()) {
    std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    size_t space = item.rfind(' ');
    item.remove_prefix(space == std::string_view::npos ? item.size() : space + 1);
    if (item.empty() || item == "Tensor") return {};
    names.emplace_back(item);
  }
  return names;
}

// The signature is read as a row's is; what a Python function returns is only documented.
void read(Composite& c, std::string_view text) {
  c.text = text;
  size_t arrow = c.text.rfind("->");
  KG_CHECK_VALUE(arrow != std::string::npos, "the signature '", text,
                 "' lacks '-> ...'; write for instance '-> Tensor'");
  size_t word = c.text.find_first_not_of(' ', arrow + 2);
  c.returns = word == std::string::npos ? "" : c.text.substr(word);
  c.readable = c.text.substr(0, arrow) + "-> Tensor";
  c.signature = read_signature(c.readable);
  c.fields = result_names(c.returns);
  if (!c.fields.empty()) c.result_type = result_type(c.signature.name, c.fields);
  for (int i = 0; i < c.signature.count; ++i) {
    const Param& p = c.signature.params[size_t(i)];
    if (p.has_default) c.defaults[i] = default_object(p).release();
  }
}

std::string attribute_text(PyObject* o, const char* name) {
  Ref value = Ref::steal(PyObject_GetAttrString(o, name));
  if (!value || !PyUnicode_Check(value.get())) {
    PyErr_Clear();
    return {};
  }
  const char* s = PyUnicode_AsUTF8(value.get());
  if (!s) throw_python_error();
  return s;
}

// The second half of `@composite(...)`: `state` is (signature, flags, out, doc, autocast).
PyObject* decorate(PyObject* state, PyObject* function) {
  KG_BIND_TRY
  KG_CHECK_TYPE(PyCallable_Check(function), "expected a function, got ", describe_object(function));
  auto owned = std::make_unique<Composite>();
  Composite& c = *owned;
  const char* text = PyUnicode_AsUTF8(PyTuple_GET_ITEM(state, 0));
  if (!text) throw_python_error();
  read(c, text);
  PyObject* doc = PyTuple_GET_ITEM(state, 3);
  c.doc = dedent(doc == Py_None ? attribute_text(function, "__doc__")
                                : std::string(PyUnicode_AsUTF8(doc)));
  c.autocast = Autocast(PyLong_AsLong(PyTuple_GET_ITEM(state, 4)));
  c.function = Py_NewRef(function);
  auto o =
      std::make_unique<Overload>(c.signature, uint16_t(PyLong_AsLong(PyTuple_GET_ITEM(state, 1))));
  o->composite = &c;
  o->takes_out = PyTuple_GET_ITEM(state, 2) == Py_True;
  std::string module = attribute_text(function, "__module__");
  Group& g = *op_group(c.signature.name);
  bool fresh = g.all.empty();
  add_overload(std::move(o));
  owned.release();  // lives as long as the group
  Callable& f = g.form(Form::function);
  if (fresh && !module.empty()) f.module = checked(PyUnicode_FromString(module.c_str())).release();
  return Py_NewRef(f.object);
  KG_BIND_CATCH("composite", nullptr)
}
PyMethodDef decorate_method = {"composite", decorate, METH_O, nullptr};

PyObject* composite(PyObject*, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  static const char* const names[] = {"signature", "function", "method",   "inplace",
                                      "out",       "doc",      "autocast", nullptr};
  PyObject *signature = nullptr, *doc = Py_None, *out = Py_False;
  const char* policy = nullptr;
  int function = 1, method = 0, inplace = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|$pppOOz:composite", const_cast<char**>(names),
                                   &signature, &function, &method, &inplace, &out, &doc, &policy))
    return nullptr;
  KG_CHECK_TYPE(doc == Py_None || PyUnicode_Check(doc), "argument 'doc' must be str, not ",
                describe_object(doc));
  bool exact = PyUnicode_Check(out) && PyUnicode_CompareWithASCIIString(out, "exact") == 0;
  KG_CHECK_VALUE(exact || PyBool_Check(out), "argument 'out' must be bool or 'exact', not ",
                 describe_object(out));
  int as = (function ? kFunction : 0) | (method ? kMethod : 0) | (inplace ? kInplace : 0) |
           (exact ? kExactOut : 0);
  Autocast autocast = Autocast::none;
  KG_CHECK_VALUE(!policy || read_autocast(policy, autocast),
                 "argument 'autocast' must be 'lower', 'fp32' or 'promote', not '", policy, "'");
  Ref state =
      checked(Py_BuildValue("(OiOOi)", signature, as, exact ? Py_True : out, doc, int(autocast)));
  return PyCFunction_New(&decorate_method, state.get());
  KG_BIND_CATCH("composite", nullptr)
}

PyMethodDef functions[] = {
    {"composite", (PyCFunction)(void (*)())composite, METH_VARARGS | METH_KEYWORDS,
     "composite($module, signature, *, function=True, method=False, inplace=False, out=False, "
     "doc=None, autocast=None)\n--\n\n"
     "Declares a Python function as an op.\n\n"
     "The function is called with its arguments in the signature's order, converted and with "
     "defaults filled in.\n"
     "`method` makes Tensor.name, `inplace` Tensor.name_, `out` accepts out= ('exact': in the "
     "result's dtype only), and `function` lists it in kagari. `autocast` is what it does while "
     "autocast is on: 'lower' runs in low "
     "precision, "
     "'fp32' in float32,\n'promote' in the widest dtype of its arguments."},
    {}};

// ---- Calling ------------------------------------------------------------------------------------

Ref tuple_of_ints(Ints list, PyObject* given) {
  // A tuple of plain ints is what the function gets anyway.
  if (given && PyTuple_CheckExact(given) && PyTuple_GET_SIZE(given) == list.n) {
    bool plain = true;
    for (Py_ssize_t i = 0; i < list.n; ++i)
      plain = plain && PyLong_CheckExact(PyTuple_GET_ITEM(given, i));
    if (plain) return Ref::borrow(given);
  }
  return checked(wrap_ints(list));
}

// The tensor given, or what autocast put in its place.
Ref cast_or_given(const Value& v, PyObject* given) {
  if (!v.is_tensor() || (is_tensor(given) && as_impl(given) == v.t)) return Ref::borrow(given);
  return checked(wrap(Tensor::borrow(v.t)));
}

// An argument as the function gets it: converted to the signature's type, tensors and plain numbers
// as they are.
Ref argument(const Param& p, const Value& v, PyObject* given) {
  if (given == Py_None && p.type != ArgType::any) return Ref::borrow(Py_None);
  switch (p.type) {
    case ArgType::tensor:
      return cast_or_given(v, given);
    case ArgType::string:
    case ArgType::generator:
    case ArgType::memory_format:
    case ArgType::layout:
    case ArgType::any:
      return Ref::borrow(given);
    case ArgType::operand:
    case ArgType::scalar:
      if (v.is_tensor()) return cast_or_given(v, given);
      if (PyFloat_CheckExact(given) || PyLong_Check(given) || PyComplex_CheckExact(given))
        return Ref::borrow(given);
      return checked(wrap(v.scalar()));
    case ArgType::integer:
      return PyLong_CheckExact(given) ? Ref::borrow(given) : checked(PyLong_FromLongLong(v.i));
    case ArgType::real:
      return PyFloat_CheckExact(given) ? Ref::borrow(given) : checked(PyFloat_FromDouble(v.d));
    case ArgType::boolean:
      return Ref::borrow(v.i ? Py_True : Py_False);
    case ArgType::ints:
      return tuple_of_ints({v.ints, v.n}, given);
    case ArgType::reals: {
      Ref tuple = checked(PyTuple_New(v.n));
      for (uint32_t i = 0; i < v.n; ++i)
        PyTuple_SET_ITEM(tuple.get(), i, checked(PyFloat_FromDouble(v.reals[i])).release());
      return tuple;
    }
    case ArgType::tensors: {
      Ref tuple = checked(PyTuple_New(v.n));
      for (uint32_t i = 0; i < v.n; ++i)
        PyTuple_SET_ITEM(tuple.get(), i, wrap(Tensor::borrow(v.ts[i])));
      return tuple;
    }
    case ArgType::dtype:
      return checked(wrap(Dtype(v.i)));
    case ArgType::device:
      return checked(wrap(v.device()));
  }
  return Ref::borrow(given);
}

void write_out(PyObject* out, PyObject* result, bool exact) {
  KG_CHECK_TYPE(is_tensor(out), "argument 'out' must be Tensor, not ", describe_object(out));
  KG_CHECK_TYPE(is_tensor(result), "the function returned ", describe_object(result),
                ", which cannot be written to out=");
  Tensor to = as_tensor(out), from = as_tensor(result);
  KG_CHECK(!(grad_mode.enabled && (to.requires_grad() || from.requires_grad())),
           "functions with out=... arguments don't support automatic differentiation, but one of "
           "the arguments requires grad; use the "
           "result, or wrap the call in kagari.no_grad()");
  KG_CHECK(!exact || from.dtype() == to.dtype(), "Expected out tensor to have dtype ", from.dtype(),
           ", but got ", to.dtype(), " instead");
  KG_CHECK(can_cast(from.dtype(), to.dtype()), "result type ", from.dtype(),
           " can't be cast to the desired output type ", to.dtype());
  check_written_once(to.get());
  if (to.sizes() != from.sizes()) resize_output(to.get(), from.sizes());
  call_inplace(rows::copy, to, from, false);
}

// out= of one tensor or of a tuple of them; what is returned are the tensors given.
PyObject* finish_out(PyObject* out, PyObject* result, bool exact) {
  if (!PyTuple_Check(result)) {
    write_out(out, result, exact);
    return Py_NewRef(out);
  }
  Ref given = checked(PySequence_Tuple(out));
  KG_CHECK_TYPE(PyTuple_GET_SIZE(given.get()) == PyTuple_GET_SIZE(result),
                "argument 'out' must be a tuple of ", PyTuple_GET_SIZE(result), " Tensors, not ",
                describe_object(out));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(result); ++i)
    write_out(PyTuple_GET_ITEM(given.get(), i), PyTuple_GET_ITEM(result, i), exact);
  if (PyTuple_CheckExact(result)) return given.release();
  return PyObject_CallOneArg(reinterpret_cast<PyObject*>(Py_TYPE(result)), given.get());
}

}  // namespace

PyObject* call_composite(const Overload& o, Form form, const Value* values, PyObject* const* slots,
                         PyObject* out) {
  const Composite& c = *o.composite;
  Ref held[kMaxParams];
  PyObject* argv[kMaxParams + 1];
  PyObject** args = argv + 1;  // room for what PY_VECTORCALL_ARGUMENTS_OFFSET lets the callee write
  for (int i = 0; i < o.sig->count; ++i) {
    if (!slots[i] && values[i].is_none()) {
      args[i] = c.defaults[i];
    } else {  // given as one object, or gathered from several positional arguments
      held[i] = argument(o.sig->params[size_t(i)], values[i], slots[i]);
      args[i] = held[i].get();
    }
  }
  Tensor self;
  if (form == Form::inplace) {
    KG_CHECK_TYPE(slots[o.self] && is_tensor(slots[o.self]), "expected a Tensor to write into");
    self = as_tensor(slots[o.self]);
    // The function may save its input, which the copy below writes over.
    if (self.requires_grad() && grad_mode.enabled) {
      tape::check_inplace(self.get(), true);
      held[o.self] = Ref::steal(wrap(call(rows::clone, self)));
      args[o.self] = held[o.self].get();
    }
  }
  Ref result = checked(PyObject_Vectorcall(
      c.function, args, size_t(o.sig->count) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
  if (c.result_type && PyTuple_CheckExact(result.get()) &&
      PyTuple_GET_SIZE(result.get()) == Py_ssize_t(c.fields.size())) {
    PyObject* items[kMaxResults];
    KG_INTERNAL(c.fields.size() <= size_t(kMaxResults), c.text);
    for (size_t i = 0; i < c.fields.size(); ++i)
      items[i] = Py_NewRef(PyTuple_GET_ITEM(result.get(), i));
    result = checked(make_result(c.result_type, items, Py_ssize_t(c.fields.size())));
  }
  if (out) return finish_out(out, result.get(), o.as & kExactOut);
  if (form != Form::inplace) return result.release();
  KG_CHECK_TYPE(is_tensor(result.get()), "the function returned ", describe_object(result.get()),
                ", which cannot be written in place");
  Tensor value = as_tensor(result.get());
  KG_CHECK(value.sizes() == self.sizes(), "output with shape ", self.sizes(),
           " doesn't match the broadcast shape ", value.sizes(),
           "; in-place ops keep their tensor's shape");
  KG_CHECK(can_cast(value.dtype(), self.dtype()), "result type ", value.dtype(),
           " can't be cast to the desired output type ", self.dtype());
  call_inplace(rows::copy, self, value, false);
  return wrap(self);
}

void init_composite(PyObject* module) { add_functions(module, functions); }

}  // namespace kagari
