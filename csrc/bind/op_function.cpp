// Ops as Python objects: how a call becomes invoke(), and how the rows of the table become
// functions and methods.
#include "bind/op_function.h"

#include <algorithm>
#include <map>

#include "bind/autocast.h"
#include "bind/composite.h"
#include "ops/call.h"
#include "ops/out.h"
// after Python.h
#include <structmember.h>

namespace kagari {
namespace {

// kagari.add (never binds, like a built-in function) or Tensor.add (binds, like a built-in method).
struct OpObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  Callable* callable;
  PyObject* weakrefs;
};
PyTypeObject* function_type = nullptr;
PyTypeObject* method_type = nullptr;
PyObject* ops_module = nullptr;        // kagari._core.ops: every op
PyObject* functions_module = nullptr;  // kagari._core.functions: what `kagari` offers
PyObject* public_names = nullptr;      // its __all__

std::map<std::string, std::unique_ptr<Group>, std::less<>>& groups() {
  static std::map<std::string, std::unique_ptr<Group>, std::less<>> all;
  return all;
}

Callable& callable_of(PyObject* o) { return *reinterpret_cast<OpObject*>(o)->callable; }

}  // namespace

// ---- Running ------------------------------------------------------------------------------------

PyObject* wrap_results(const Overload& o, Callable& c, Results& out) {
  const Signature& sig = *o.sig;
  if (sig.result_count == 1 && !sig.result_list) return wrap(std::move(out[0]));
  if (sig.result_count == 0) Py_RETURN_NONE;
  int n = out.size();
  if (sig.result_list || sig.results[0].empty()) {
    Ref tuple = checked(PyTuple_New(n));
    for (int i = 0; i < n; ++i) PyTuple_SET_ITEM(tuple.get(), i, wrap(std::move(out[i])));
    return tuple.release();
  }
  size_t index =
      size_t(std::find(c.overloads.begin(), c.overloads.end(), &o) - c.overloads.begin());
  if (c.result_types.size() < c.overloads.size()) c.result_types.resize(c.overloads.size());
  PyTypeObject*& type = c.result_types[index];
  if (!type) {
    std::vector<std::string> fields(sig.results.begin(), sig.results.begin() + sig.result_count);
    type = result_type(sig.name, fields);
  }
  PyObject* items[kMaxResults];
  for (int i = 0; i < n; ++i) items[i] = wrap(std::move(out[i]));
  return make_result(type, items, n);
}

namespace {

// The tensors that out= names.
int out_tensors(const Overload& o, PyObject* out, TensorImpl** into) {
  int n = o.sig->result_count;
  if (n == 1) {
    KG_CHECK_TYPE(is_tensor(out), "argument 'out' must be Tensor, not ", describe_object(out));
    into[0] = as_impl(out);
    return 1;
  }
  KG_CHECK_TYPE((PyTuple_Check(out) || PyList_Check(out)) && PySequence_Fast_GET_SIZE(out) == n,
                "argument 'out' must be a tuple of ", n, " Tensors, not ", describe_object(out));
  for (int i = 0; i < n; ++i) {
    PyObject* t = PySequence_Fast_GET_ITEM(out, i);
    KG_CHECK_TYPE(is_tensor(t), "argument 'out' must be a tuple of ", n, " Tensors, not ",
                  describe_object(out));
    into[i] = as_impl(t);
  }
  return n;
}

PyObject* run_row(const Overload& o, Callable& c, Value* v, Parsed& parsed) {
  const Row& row = *o.row;
  if (o.factory_device >= 0 && (thread_state.flags & kDefaultDevice) &&
      v[o.factory_device].is_none())
    v[o.factory_device] = Value(thread_state.default_device);
  Results results;
  if (__builtin_expect(c.form == Form::inplace, 0)) {
    const Value& self = v[o.self];
    KG_CHECK_TYPE(self.is_tensor(), "expected a Tensor to write into");
    TensorImpl* into[1] = {self.t};
    invoke_into(row, v, into, 1, true, results);
    return Py_NewRef(reinterpret_cast<PyObject*>(self.t));
  }
  if (__builtin_expect(parsed.out != nullptr, 0)) {
    TensorImpl* into[kMaxResults];
    int n = out_tensors(o, parsed.out, into);
    Tensor held[kMaxResults];  // a list may lose them meanwhile
    for (int i = 0; i < n; ++i) held[i] = Tensor::borrow(into[i]);
    invoke_into(row, v, into, n, false, results);
    Results given;
    for (int i = 0; i < n; ++i) given.add(std::move(held[i]));
    return wrap_results(o, c, given);
  }
  invoke(row, v, results);
  if (o.requires_grad >= 0 && v[o.requires_grad].tag == Value::Tag::boolean && v[o.requires_grad].i)
    tape::set_requires_grad(results[0].get(), true);
  return wrap_results(o, c, results);
}

// Tries the overloads; null without an exception when none fits.
PyObject* run_first_match(Callable& c, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  Parsed parsed;
  ValueRoom room;
  Value* v = room.get();
  for (const Overload* o : c.overloads) {
    PyObject* slots[kMaxParams];
    if (!parse(*o, c.form, args, nargs, kwnames, v, o->composite ? slots : nullptr, parsed)) {
      parsed.buffers.clear();
      parsed.out = nullptr;
      parsed.overridden = false;
      parsed.flags = 0;
      continue;
    }
    bool asked = (parsed.overridden && !(thread_state.flags & (kNoSubclass | kNoModes))) ||
                 (parsed.flags & kSparse) || (parsed.out && any_override(&parsed.out, 1));
    if (__builtin_expect(asked, 0)) return dispatch_override(c.object, args, nargs, kwnames);
    if (__builtin_expect(autocast_active(), 0) && c.form != Form::inplace && !parsed.out) {
      Autocast policy = o->row ? o->row->facts.autocast : o->composite->autocast;
      if (policy != Autocast::none) {
        Casts casts;
        casts.apply(policy, *o->sig, v);
        WithoutAutocast inside;
        return o->row ? run_row(*o, c, v, parsed) : call_composite(*o, c.form, v, slots, nullptr);
      }
    }
    if (o->row) return run_row(*o, c, v, parsed);
    return call_composite(*o, c.form, v, slots, parsed.out);
  }
  return nullptr;
}

bool modes_active() { return (thread_state.flags & kModes) && !(thread_state.flags & kNoModes); }

Py_ssize_t all_arguments(Py_ssize_t nargs, PyObject* kwnames) {
  return nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
}

}  // namespace

PyObject* run_callable(Callable& c, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  if (__builtin_expect(modes_active(), 0)) return dispatch_override(c.object, args, nargs, kwnames);
  KG_CHECK_TYPE(all_arguments(nargs, kwnames) > 0 || c.form == Form::function,
                "the method needs a tensor as its first argument");
  PyObject* result = run_first_match(c, args, nargs, kwnames);
  if (result || PyErr_Occurred()) return result;
  // Objects of other libraries may take the call through __torch_function__.
  if (any_override(args, all_arguments(nargs, kwnames)))
    return dispatch_override(c.object, args, nargs, kwnames);
  throw_mismatch(c.overloads, c.form, args, nargs, kwnames, c.name);
  KG_BIND_CATCH(c.name.c_str(), nullptr)
}

// ---- From the other files of bind/ --------------------------------------------------------------

namespace {

// The form asked for, or the nearest that the group has: `copy_` may be a group of its own or the
// in-place form of `copy`.
Callable& nearest_form(Group& g, Form form) {
  Callable* c = &g.form(form);
  if (!c->overloads.empty()) return *c;
  if (g.name.size() > 1 && g.name.back() == '_') {
    auto base = groups().find(std::string_view(g.name).substr(0, g.name.size() - 1));
    if (base != groups().end() && !base->second->form(Form::inplace).overloads.empty())
      return base->second->form(Form::inplace);
  }
  if (form == Form::inplace) return *c;
  Callable& other = g.form(form == Form::method ? Form::function : Form::method);
  return other.overloads.empty() ? *c : other;
}

// A plain tensor, or a plain number where the parameter takes one.
inline bool quick_operand(const Param& p, PyObject* o, Value& v) {
  if (is_tensor_exact(o)) {
    v = Value(as_impl(o));
    return !(as_impl(o)->flags & kSparse);
  }
  if (p.type != ArgType::operand) return false;
  if (PyFloat_CheckExact(o)) {
    v = Value(Scalar(PyFloat_AS_DOUBLE(o)));
    return true;
  }
  if (!PyLong_CheckExact(o)) return false;
  int overflow = 0;
  v = Value(Scalar(int64_t(PyLong_AsLongLongAndOverflow(o, &overflow))));
  return !overflow;
}

// The straight way for two arguments; null when it does not apply (no exception is set).
inline PyObject* run_binary(const Overload* o, Form form, PyObject* a, PyObject* b) {
  if (!o || (thread_state.flags & (kModes | kAutocast))) return nullptr;
  ValueRoom room;
  Value* v = room.get();
  const Row& row = *o->row;
  if (!quick_operand(row.sig.params[0], a, v[0]) || !quick_operand(row.sig.params[1], b, v[1]))
    return nullptr;
  for (int i = 2; i < row.sig.count; ++i) v[i] = o->defaults[i];
  Results results;
  if (form == Form::inplace) {
    TensorImpl* into[1] = {v[0].t};
    invoke_into(row, v, into, 1, true, results);
    return Py_NewRef(a);
  }
  invoke(row, v, results);
  return wrap(std::move(results[0]));
}

// A number on the left of a row whose first parameter is a tensor: a 0-d tensor that is as weak in
// promotion.
Tensor wrapped_number(const Scalar& s) {
  Tensor t = empty({}, s.is_complex()                    ? Dtype::c128
                       : !s.is_integral()                ? Dtype::f64
                       : s.kind == Scalar::Kind::boolean ? Dtype::boolean
                       : s.is_u64                        ? Dtype::u64
                                                         : Dtype::i64);
  if (s.is_complex()) {
    *t.data_as<c128>() = s.to_complex();
  } else if (!s.is_integral()) {
    *t.data_as<double>() = s.d;
  } else if (s.kind == Scalar::Kind::boolean) {
    *t.data_as<bool>() = s.i != 0;
  } else {
    *t.data_as<int64_t>() = s.i;
  }
  t->flags |= kWrappedNumber;
  return t;
}

PyObject* run_reflected(Callable& c, PyObject* a, PyObject* b) {
  Scalar number;
  if (c.form == Form::inplace || !is_tensor(b) || is_tensor(a) || !to_scalar(a, number, false))
    return nullptr;
  bool takes = false;
  for (const Overload* o : c.overloads)
    takes = takes || (o->positional > 1 && o->sig->params[0].type == ArgType::tensor &&
                      o->sig->params[1].type == ArgType::operand);
  if (!takes) return nullptr;
  Ref wrapped = Ref::steal(wrap(wrapped_number(number)));
  PyObject* args[2] = {wrapped.get(), b};
  return run_first_match(c, args, 2, nullptr);
}

PyObject* binary(Group* group, Form form, PyObject* a, PyObject* b) {
  KG_BIND_TRY
  if (PyObject* fast = run_binary(group->binary[int(form)], form, a, b)) return fast;
  Callable& c = nearest_form(*group, form);
  PyObject* args[2] = {a, b};
  if (modes_active()) return dispatch_override(c.object, args, 2, nullptr);
  PyObject* result = run_first_match(c, args, 2, nullptr);
  if (!result && !PyErr_Occurred()) result = run_reflected(c, a, b);
  if (result || PyErr_Occurred()) return result;
  if (any_override(args, 2)) return dispatch_override(c.object, args, 2, nullptr);
  Py_RETURN_NOTIMPLEMENTED;
  KG_BIND_CATCH(group->name.c_str(), nullptr)
}

}  // namespace

Group* op_group(std::string_view name) {
  auto& all = groups();
  auto found = all.find(name);
  if (found != all.end()) return found->second.get();
  auto made = std::make_unique<Group>();
  made->name = name;
  for (int f = 0; f < 3; ++f) {
    Callable& c = made->forms[f];
    c.group = made.get();
    c.form = Form(f);
    c.name = made->name + (Form(f) == Form::inplace ? "_" : "");
  }
  return all.emplace(made->name, std::move(made)).first->second.get();
}

PyObject* op_call(Group* group, Form form, PyObject* const* args, Py_ssize_t nargs,
                  PyObject* kwnames) {
  return run_callable(nearest_form(*group, form), args, nargs, kwnames);
}
PyObject* op_call_binary(Group* group, PyObject* a, PyObject* b) {
  return binary(group, Form::method, a, b);
}
PyObject* op_call_inplace(Group* group, PyObject* a, PyObject* b) {
  return binary(group, Form::inplace, a, b);
}
PyObject* op_call_unary(Group* group, PyObject* a) {
  return op_call(group, Form::method, &a, 1, nullptr);
}

void for_each_group(void (*visit)(void*, Group&), void* context) {
  for (auto& [name, group] : groups()) visit(context, *group);
}

// ---- Groups -------------------------------------------------------------------------------------

namespace {

void list_overloads(Group& g) {
  for (Callable& c : g.forms) {
    c.overloads.clear();
    c.result_types.clear();
  }
  for (const auto& o : g.all) {
    if (o->as & (kFunction | kInternal)) g.form(Form::function).overloads.push_back(o.get());
    if (o->as & kMethod) g.form(Form::method).overloads.push_back(o.get());
    if (o->as & kInplace) g.form(Form::inplace).overloads.push_back(o.get());
  }
  // Every row can be called as kagari._core.ops.name.
  auto& functions = g.form(Form::function).overloads;
  if (functions.empty())
    for (const auto& o : g.all) functions.push_back(o.get());
  for (Callable& c : g.forms)
    std::sort(c.overloads.begin(), c.overloads.end(),
              [](const Overload* a, const Overload* b) { return tried_before(*a, *b); });
}

bool may_hold_tensor(const Param& p) { return p.type <= ArgType::real || p.type == ArgType::any; }
bool holds_tensor(const Param& p) {
  return p.type == ArgType::tensor || p.type == ArgType::operand;
}

// The first overload that two tensors could go to, when they certainly do and nothing else is
// needed.
const Overload* binary_overload(const Callable& c) {
  for (const Overload* o : c.overloads) {
    const Signature& s = *o->sig;
    if (o->positional < 2 || (o->required & ~3u)) continue;
    if (!may_hold_tensor(s.params[0]) || !may_hold_tensor(s.params[1])) continue;
    bool plain = o->row && o->self == 0 && holds_tensor(s.params[0]) && holds_tensor(s.params[1]) &&
                 s.result_count == 1 && !s.result_list;
    return plain ? o : nullptr;
  }
  return nullptr;
}

PyObject* op_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  return run_callable(callable_of(self), args, PyVectorcall_NARGS(nargsf), kwnames);
}

PyObject* make_object(Callable& c, PyTypeObject* type) {
  auto* o = PyObject_New(OpObject, type);
  if (!o) throw_python_error();
  o->vectorcall = op_vectorcall;
  o->callable = &c;
  o->weakrefs = nullptr;
  return reinterpret_cast<PyObject*>(o);
}

void install_method(const std::string& name, PyObject* object) {
  // Hand-written methods of the type stand before those of rows.
  Ref key = checked(PyUnicode_InternFromString(name.c_str()));
  if (PyDict_Contains(tensor_type->tp_dict, key.get()) > 0) return;
  checked_status(PyDict_SetItem(tensor_type->tp_dict, key.get(), object));
  PyType_Modified(tensor_type);
}

// Ops of a module of their own (kagari.special.erf is the op special_erf) are reachable as names of
// kagari, but not listed there.
bool in_submodule(std::string_view name) {
  return name.starts_with("special_") || name.starts_with("linalg_") || name.starts_with("fft_");
}

void install_public(const std::string& name, PyObject* object) {
  add_object(functions_module, name.c_str(), object);
  if (name[0] == '_' || in_submodule(name)) return;  // there, but not listed
  Ref key = checked(PyUnicode_InternFromString(name.c_str()));
  checked_status(PyList_Append(public_names, key.get()));
}

// Activations and dropout work in place as functions only. Of the others, the in-place form is a
// method where the plain form is one, where there is no plain form, and where the row says so.
bool is_inplace_method(const Overload& o) {
  if (!(o.as & kInplace)) return false;
  return (o.as & (kMethod | kWritingMethod)) || !(o.as & (kFunction | kInternal));
}

void make_objects(Group& g) {
  Callable& f = g.form(Form::function);
  if (!f.object && !f.overloads.empty()) {
    f.object = make_object(f, function_type);
    add_object(ops_module, f.name.c_str(), f.object);
  }
  bool function = false;
  for (const auto& o : g.all) function = function || (o->as & kFunction);
  if (function && !PyObject_HasAttrString(functions_module, f.name.c_str()))
    install_public(f.name, f.object);
  for (Form form : {Form::method, Form::inplace}) {
    Callable& c = g.form(form);
    if (c.overloads.empty() || c.object) continue;
    c.object = make_object(c, method_type);
    auto is_method = [](const Overload* o) { return is_inplace_method(*o); };
    if (form == Form::method || std::any_of(c.overloads.begin(), c.overloads.end(), is_method))
      install_method(c.name, c.object);
    if (form != Form::inplace || PyObject_HasAttrString(ops_module, c.name.c_str())) continue;
    Ref as_function = Ref::steal(make_object(c, function_type));
    add_object(ops_module, c.name.c_str(), as_function.get());
    if (function) install_public(c.name, as_function.get());
  }
}

}  // namespace

void add_overload(std::unique_ptr<Overload> overload) {
  Group& g = *op_group(overload->sig->name);
  // A declaration that is run again (a module that is reloaded) takes the place of the one before.
  std::erase_if(g.all, [&](const auto& o) {
    if (o->sig->overload != overload->sig->overload) return false;
    const char* first = o->row ? o->row->cname : nullptr;
    KG_CHECK_VALUE(!first, "the signature ", overload->sig->text, " is taken by the primitive ",
                   first, "; give it an overload name");
    return true;
  });
  g.all.push_back(std::move(overload));
  list_overloads(g);
  for (int f = 0; f < 3; ++f) g.binary[f] = binary_overload(g.forms[f]);
  make_objects(g);
}

namespace {

// The documentation of rows lies in kagari/_docs, which is imported when it is first asked for.
// Empty where it has no entry.
std::string row_documentation(const Overload& o, const Callable& c) {
  Ref module = checked(PyImport_ImportModule("kagari._docs"));
  std::string name(o.row->sig.name);
  PyObject* function = c.form == Form::function ? Py_True : Py_False;
  Ref text = checked(PyObject_CallMethod(module.get(), "documentation", "ssO", name.c_str(),
                                         c.group->name.c_str(), function));
  const char* s = PyUnicode_AsUTF8(text.get());
  if (!s) throw_python_error();
  return s;
}

std::string documentation(const Callable& c) {
  for (const Overload* o : c.overloads) {
    std::string doc = o->row ? row_documentation(*o, c) : "";
    if (!doc.empty()) return doc;
  }
  // Among overloads one says it all, and the others their difference in a sentence.
  std::string_view longest;
  for (const Overload* o : c.overloads) {
    std::string_view doc = o->row ? std::string_view(o->row->facts.doc) : o->composite->doc;
    if (doc.size() > longest.size()) longest = doc;
  }
  return std::string(longest);
}

}  // namespace

std::string callable_doc(const Callable& c) {
  std::string text;
  for (const Overload* o : c.overloads) text += signature_text(*o, c.form, c.name) + "\n";
  std::string doc = documentation(c);
  if (doc.empty()) return text;
  return text + "\n" + doc +
         (c.form == Form::inplace ? "\n\nIn place: writes into the tensor itself." : "");
}

// ---- The Python types ---------------------------------------------------------------------------

namespace {

PyObject* op_name(PyObject* self, void*) {
  return PyUnicode_FromString(callable_of(self).name.c_str());
}
PyObject* op_qualname(PyObject* self, void*) {
  return PyUnicode_FromFormat(Py_IS_TYPE(self, method_type) ? "Tensor.%s" : "%s",
                              callable_of(self).name.c_str());
}
PyObject* op_module(PyObject* self, void*) {
  Callable& c = callable_of(self);
  if (c.module) return Py_NewRef(c.module);
  for (const Overload* o : c.overloads)
    if (o->as & (kFunction | kMethod | kInplace)) return PyUnicode_FromString("kagari");
  return PyUnicode_FromString("kagari._core.ops");
}
PyObject* op_doc(PyObject* self, void*) {
  KG_BIND_TRY
  std::string doc = callable_doc(callable_of(self));
  return PyUnicode_FromStringAndSize(doc.data(), Py_ssize_t(doc.size()));
  KG_BIND_CATCH("__doc__", nullptr)
}

// What inspect reads a default as; it knows literals only.
std::string literal(std::string_view text) {
  if (text == "None" || text == "True" || text == "False") return std::string(text);
  char c = text[0];
  bool number =
      (c >= '0' && c <= '9') || (c == '-' && text.size() > 1 && text[1] >= '0' && text[1] <= '9');
  return number || c == '\'' || c == '"' || c == '[' ? std::string(text) : "...";
}

PyObject* op_text_signature(PyObject* self, void*) {
  KG_BIND_TRY
  Callable& c = callable_of(self);
  if (c.overloads.size() != 1) Py_RETURN_NONE;
  const Overload& o = *c.overloads[0];
  bool bound = c.form != Form::function;
  std::string text = bound ? "($self" : "(";
  bool keyword_only = false, first = !bound;
  auto add = [&](const std::string& part) {
    text.append(first ? "" : ", ").append(part);
    first = false;
  };
  for (int i = 0; i < o.sig->count; ++i) {
    const Param& p = o.sig->params[size_t(i)];
    if (bound && i == o.self) continue;
    if (p.keyword_only && !keyword_only) {
      add("*");
      keyword_only = true;
    }
    std::string part(p.name);
    if (p.has_default) part.append("=").append(literal(p.default_text));
    add(part);
  }
  if (o.takes_out && !bound) {
    if (!keyword_only) add("*");
    add("out=None");
  }
  text += ")";
  return PyUnicode_FromStringAndSize(text.data(), Py_ssize_t(text.size()));
  KG_BIND_CATCH("__text_signature__", nullptr)
}
PyObject* op_wrapped(PyObject* self, void*) {
  Callable& c = callable_of(self);
  if (c.overloads.size() == 1 && c.overloads[0]->composite && c.form == Form::function)
    return Py_NewRef(c.overloads[0]->composite->function);
  PyErr_SetString(PyExc_AttributeError, "__wrapped__");
  return nullptr;
}

// The signature of a composite: that of its Python function would hide what is given by keyword
// only.
PyObject* op_signature(PyObject* self, void*) {
  KG_BIND_TRY
  Callable& c = callable_of(self);
  if (c.overloads.size() != 1 || !c.overloads[0]->composite) {
    PyErr_SetString(PyExc_AttributeError, "__signature__");
    return nullptr;
  }
  const Overload& o = *c.overloads[0];
  Ref inspect = checked(PyImport_ImportModule("inspect")), list = checked(PyList_New(0));
  Ref parameter = checked(PyObject_GetAttrString(inspect.get(), "Parameter"));
  auto add = [&](std::string_view name, const char* kind, PyObject* value) {
    Ref args = checked(Py_BuildValue("(s#O)", name.data(), Py_ssize_t(name.size()),
                                     checked(PyObject_GetAttrString(parameter.get(), kind)).get()));
    Ref named = checked(PyDict_New());
    if (value) checked_status(PyDict_SetItemString(named.get(), "default", value));
    Ref made = checked(PyObject_Call(parameter.get(), args.get(), named.get()));
    checked_status(PyList_Append(list.get(), made.get()));
  };
  if (c.form != Form::function) add("self", "POSITIONAL_OR_KEYWORD", nullptr);
  for (int i = 0; i < o.sig->count; ++i) {
    const Param& p = o.sig->params[size_t(i)];
    if (c.form != Form::function && i == o.self) continue;
    add(p.name, p.keyword_only ? "KEYWORD_ONLY" : "POSITIONAL_OR_KEYWORD",
        o.composite->defaults[i]);
  }
  if (o.takes_out && c.form == Form::function) add("out", "KEYWORD_ONLY", Py_None);
  return PyObject_CallMethod(inspect.get(), "Signature", "O", list.get());
  KG_BIND_CATCH("__signature__", nullptr)
}

PyObject* op_repr(PyObject* self) {
  const char* name = callable_of(self).name.c_str();
  if (Py_IS_TYPE(self, method_type))
    return PyUnicode_FromFormat("<method '%s' of 'kagari.Tensor' objects>", name);
  return PyUnicode_FromFormat("<built-in function %s>", name);
}
PyObject* op_reduce(PyObject* self, PyObject*) {
  const char* name = callable_of(self).name.c_str();
  if (Py_IS_TYPE(self, function_type)) {
    Ref by_name = Ref::steal(PyObject_GetAttrString(core_module, "_op"));
    return by_name ? Py_BuildValue("(O(s))", by_name.get(), name) : nullptr;
  }
  Ref builtins = Ref::steal(PyImport_ImportModule("builtins"));
  Ref getattr = builtins ? Ref::steal(PyObject_GetAttrString(builtins.get(), "getattr")) : Ref();
  return getattr ? Py_BuildValue("(O(Os))", getattr.get(), tensor_type, name) : nullptr;
}

// PyTorch's dispatcher calls the overload without a name `op.default`; here it is the op.
PyObject* op_default(PyObject* self, void*) { return Py_NewRef(self); }

PyObject* function_get(PyObject* self, PyObject*, PyObject*) { return Py_NewRef(self); }
PyObject* method_get(PyObject* self, PyObject* object, PyObject*) {
  if (!object || object == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, object);
}
void op_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  if (reinterpret_cast<OpObject*>(self)->weakrefs) PyObject_ClearWeakRefs(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyGetSetDef op_getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                           {"__qualname__", op_qualname, nullptr, nullptr, nullptr},
                           {"__module__", op_module, nullptr, nullptr, nullptr},
                           {"__doc__", op_doc, nullptr, nullptr, nullptr},
                           {"__text_signature__", op_text_signature, nullptr, nullptr, nullptr},
                           {"__wrapped__", op_wrapped, nullptr, nullptr, nullptr},
                           {"__signature__", op_signature, nullptr, nullptr, nullptr},
                           {"default", op_default, nullptr, nullptr, nullptr},
                           {}};
PyMethodDef op_methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr}, {}};
PyMemberDef op_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(OpObject, vectorcall), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(OpObject, weakrefs), READONLY, nullptr},
    {}};
PyType_Slot function_slots[] = {{Py_tp_call, (void*)PyVectorcall_Call},
                                {Py_tp_repr, (void*)op_repr},
                                {Py_tp_descr_get, (void*)function_get},
                                {Py_tp_dealloc, (void*)op_dealloc},
                                {Py_tp_getset, op_getset},
                                {Py_tp_methods, op_methods},
                                {Py_tp_members, op_members},
                                {0, nullptr}};
constexpr unsigned kOpFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                              Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE;
PyType_Spec function_spec = {"kagari._core.OpFunction", sizeof(OpObject), 0, kOpFlags,
                             function_slots};
PyType_Slot method_slots[] = {{Py_tp_call, (void*)PyVectorcall_Call},
                              {Py_tp_repr, (void*)op_repr},
                              {Py_tp_descr_get, (void*)method_get},
                              {Py_tp_dealloc, (void*)op_dealloc},
                              {Py_tp_getset, op_getset},
                              {Py_tp_methods, op_methods},
                              {Py_tp_members, op_members},
                              {0, nullptr}};
PyType_Spec method_spec = {"kagari._core.OpMethod", sizeof(OpObject), 0,
                           kOpFlags | Py_TPFLAGS_METHOD_DESCRIPTOR, method_slots};

// ---- The table as data, for stubs and docs ------------------------------------------------------

void set_item(PyObject* dict, const char* key, PyObject* value) {
  Ref held = checked(value);
  checked_status(PyDict_SetItemString(dict, key, held.get()));
}
PyObject* text_of(std::string_view s) {
  return PyUnicode_FromStringAndSize(s.data(), Py_ssize_t(s.size()));
}

PyObject* param_facts(const Param& p) {
  constexpr const char* types[] = {
      "Tensor",  "Tensor[]",   "Operand", "Scalar",       "int",    "float", "bool",      "int[]",
      "float[]", "ScalarType", "Device",  "MemoryFormat", "Layout", "str",   "Generator", "Any"};
  Ref d = checked(PyDict_New());
  set_item(d.get(), "name", text_of(p.name));
  set_item(d.get(), "type", PyUnicode_FromString(types[int(p.type)]));
  set_item(d.get(), "default", p.has_default ? text_of(p.default_text) : Py_NewRef(Py_None));
  set_item(d.get(), "optional", PyBool_FromLong(p.optional));
  set_item(d.get(), "elements_optional", PyBool_FromLong(p.elements_optional));
  set_item(d.get(), "keyword_only", PyBool_FromLong(p.keyword_only));
  set_item(d.get(), "spread", PyBool_FromLong(p.spread));
  set_item(d.get(), "repeat", PyLong_FromLong(p.repeat));
  return d.release();
}

// Where a composite is written; None for what does not say so.
PyObject* module_of(PyObject* function) {
  PyObject* name = PyObject_GetAttrString(function, "__module__");
  if (name) return name;
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw_python_error();
  PyErr_Clear();
  return Py_NewRef(Py_None);
}

PyObject* overload_facts(const Overload& o) {
  const Signature& s = *o.sig;
  Ref d = checked(PyDict_New()), params = checked(PyList_New(0)), results = checked(PyList_New(0));
  for (int i = 0; i < s.count; ++i) {
    Ref p = checked(param_facts(s.params[size_t(i)]));
    checked_status(PyList_Append(params.get(), p.get()));
  }
  for (int i = 0; i < s.result_count; ++i) {
    Ref name = checked(text_of(s.results[size_t(i)]));
    checked_status(PyList_Append(results.get(), name.get()));
  }
  set_item(d.get(), "name", text_of(s.name));
  set_item(d.get(), "overload", text_of(s.overload));
  set_item(d.get(), "signature", o.composite ? text_of(o.composite->text) : text_of(s.text));
  set_item(d.get(), "params", params.release());
  set_item(d.get(), "results", results.release());
  set_item(d.get(), "result_list", PyBool_FromLong(s.result_list));
  set_item(d.get(), "returns", o.composite ? text_of(o.composite->returns) : Py_NewRef(Py_None));
  set_item(d.get(), "function", PyBool_FromLong(o.as & kFunction));
  set_item(d.get(), "method", PyBool_FromLong(o.as & kMethod));
  set_item(d.get(), "inplace", PyBool_FromLong(o.as & kInplace));
  set_item(d.get(), "inplace_method", PyBool_FromLong(is_inplace_method(o)));
  set_item(d.get(), "internal", PyBool_FromLong(o.as & kInternal));
  set_item(d.get(), "out", PyBool_FromLong(o.takes_out));
  set_item(d.get(), "self", PyLong_FromLong(o.self));
  set_item(d.get(), "doc",
           o.row ? PyUnicode_FromString(o.row->facts.doc) : text_of(o.composite->doc));
  const char* why = o.row ? o.row->facts.grad.why : nullptr;
  set_item(d.get(), "nondiff", why ? PyUnicode_FromString(why) : Py_NewRef(Py_None));
  set_item(d.get(), "primitive", PyBool_FromLong(o.row != nullptr));
  // The row's own name, which differs from `name` where the group is another name of it.
  set_item(d.get(), "row", o.row ? text_of(o.row->sig.name) : Py_NewRef(Py_None));
  PyObject* module = o.composite ? module_of(o.composite->function) : Py_NewRef(Py_None);
  set_item(d.get(), "module", module);
  return d.release();
}

PyObject* rows_py(PyObject*, PyObject*) {
  KG_BIND_TRY
  Ref list = checked(PyList_New(0));
  for (auto& [name, group] : groups())
    for (const auto& o : group->all) {
      Ref facts = checked(overload_facts(*o));
      checked_status(PyList_Append(list.get(), facts.get()));
    }
  return list.release();
  KG_BIND_CATCH("_rows", nullptr)
}
PyObject* op_py(PyObject*, PyObject* name) { return PyObject_GetAttr(ops_module, name); }

PyMethodDef functions[] = {
    {"_rows", rows_py, METH_NOARGS,
     "_rows($module, /)\n--\n\nThe table of ops as a list of dicts."},
    {"_op", op_py, METH_O,
     "_op($module, name, /)\n--\n\nThe op of this name; how ops are unpickled."},
    {}};

}  // namespace

namespace {

void add_row(const Row& row, const Signature& signature, uint16_t as) {
  auto o = std::make_unique<Overload>(signature, as);
  o->row = &row;
  o->defaults = row.defaults.data();
  o->takes_out = (as & (kFunction | kInternal)) && !(as & kNoOut) && signature.result_count > 0 &&
                 !signature.result_list;
  add_overload(std::move(o));
}

// A row under another public name: the same row behind a signature that differs in its name.
void add_row_as(const Row& row, std::string_view name) {
  struct Renamed {
    std::string text;
    Signature signature;
  };
  auto* r = new Renamed{std::string(name), row.sig};  // lives for ever, as the rows do
  r->text += row.sig.text.substr(row.sig.name.size());
  r->signature.text = r->text;
  r->signature.name = name;
  // special.erf is a function; its method and in-place forms are those of erf.
  add_row(row, r->signature,
          in_submodule(name) ? row.facts.as & ~(kMethod | kInplace) : row.facts.as);
}

}  // namespace

void init_op_function(PyObject* module) {
  function_type = add_type(module, &function_spec);
  method_type = add_type(module, &method_spec);
  ops_module = add_submodule(module, "ops");
  functions_module = add_submodule(module, "functions");
  public_names = checked(PyList_New(0)).release();
  add_object(functions_module, "__all__", public_names);
  init_result_types(module);
  add_functions(module, functions);
  for (Row* row = first_row(); row; row = row->next) {
    add_row(*row, row->sig, row->facts.as);
    for (NameAlias* a = NameAlias::first; a; a = a->next)
      if (row->sig.name == a->of) add_row_as(*row, a->name);
  }
}

}  // namespace kagari
