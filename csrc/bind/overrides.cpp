// __torch_function__: who is asked, in which order, modes, the default for subclasses, and the
// switches that turn it off.
#include <algorithm>
#include <vector>

#include "bind/bind.h"
#include "bind/overrides.h"

namespace kagari {

namespace {

PyObject* protocol_name = nullptr;               // "__torch_function__"
PyObject* disabled_impl = nullptr;               // what a class sets to be left alone
thread_local std::vector<PyObject*> mode_stack;  // strong; the last one is asked first

// ---- Which types are asked ----------------------------------------------------------------------

// Direct-mapped by address. A type that changes gets a new version tag, which makes its entry
// stale.
struct CacheEntry {
  PyTypeObject* type = nullptr;
  unsigned version = 0;
  bool overrides = false;
};
constexpr size_t kCacheSize = 128;
CacheEntry cache[kCacheSize];

bool look_up(PyTypeObject* type) {
  PyObject* found = _PyType_Lookup(type, protocol_name);
  return found && found != disabled_impl;
}

}  // namespace

bool type_overrides(PyTypeObject* type) {
  CacheEntry& e = cache[(reinterpret_cast<uintptr_t>(type) >> 5) % kCacheSize];
  if (e.type == type && e.version != 0 && e.version == type->tp_version_tag) return e.overrides;
  bool answer = type != tensor_type && look_up(type);  // the look-up also gives the type a version
  e = {type, type->tp_version_tag, answer};
  return answer;
}

namespace {

bool object_overrides(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  if (type == tensor_type || type == &PyLong_Type || type == &PyFloat_Type || o == Py_None ||
      type == &PyUnicode_Type)
    return false;
  return type_overrides(type);
}

// A sparse tensor, or a sparse layout.
bool object_sparse(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  if (type == tensor_type) return as_impl(o)->flags & kSparse;
  if (type == &PyLong_Type || type == &PyFloat_Type || o == Py_None || type == &PyUnicode_Type)
    return false;
  if (is_tensor(o)) return as_impl(o)->flags & kSparse;
  Layout layout;
  return to_layout(o, layout) && layout != Layout::strided;
}

// Calls visit for each argument and each element of tuples and lists among them; stops when it
// returns true.
template <class F>
bool any_argument(PyObject* const* args, Py_ssize_t n, F&& visit) {
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = args[i];
    if (!o) continue;
    if (PyTuple_Check(o) || PyList_Check(o)) {
      if (type_overrides(Py_TYPE(o)) && visit(o)) return true;
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(o); ++k)
        if (visit(PySequence_Fast_GET_ITEM(o, k))) return true;
    } else if (visit(o)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool any_override(PyObject* const* args, Py_ssize_t n) {
  uint32_t flags = thread_state.flags;
  if ((flags & kModes) && !(flags & kNoModes)) return true;
  bool types = !(flags & (kNoModes | kNoSubclass));
  return any_argument(
      args, n, [=](PyObject* o) { return (types && object_overrides(o)) || object_sparse(o); });
}

// ---- Asking -------------------------------------------------------------------------------------

namespace {

// One argument of each overriding type, subclasses before their bases, else from left to right.
std::vector<Ref> overriding_arguments(PyObject* const* args, Py_ssize_t n) {
  std::vector<Ref> found;
  if (thread_state.flags & (kNoSubclass | kNoModes)) return found;
  any_argument(args, n, [&](PyObject* o) {
    if (!object_overrides(o)) return false;
    PyTypeObject* type = Py_TYPE(o);
    auto at = found.end();
    for (auto it = found.begin(); it != found.end(); ++it) {
      if (Py_TYPE(it->get()) == type) return false;
      if (at == found.end() && PyType_IsSubtype(type, Py_TYPE(it->get()))) at = it;
    }
    found.insert(at, Ref::borrow(o));
    return false;
  });
  return found;
}

// Takes the innermost mode off the stack for a scope: what it calls goes to the next one.
class ModeOff {
 public:
  ModeOff() : mode_(Ref::steal(mode_stack.back())) {
    mode_stack.pop_back();
    update_flag();
  }
  ~ModeOff() {
    mode_stack.push_back(mode_.release());
    update_flag();
  }
  PyObject* mode() const { return mode_.get(); }
  static void update_flag() {
    thread_state.flags =
        mode_stack.empty() ? thread_state.flags & ~uint32_t(kModes) : thread_state.flags | kModes;
  }

 private:
  Ref mode_;
};

Ref ask(PyObject* whom, PyObject* func, PyObject* types, PyObject* args, PyObject* kwargs) {
  Ref method = checked(PyObject_GetAttr(whom, protocol_name));
  PyObject* argv[] = {func, types, args, kwargs};
  return checked(PyObject_Vectorcall(method.get(), argv, 4, nullptr));
}

[[noreturn]] void throw_nobody(PyObject* func, const std::vector<Ref>& asked, bool modes) {
  std::string who;
  for (const Ref& o : asked)
    who += (who.empty() ? "" : ", ") + std::string(Py_TYPE(o.get())->tp_name);
  Ref name = Ref::steal(PyObject_GetAttrString(func, "__name__"));
  PyErr_Clear();
  const char* text =
      name && PyUnicode_Check(name.get()) ? PyUnicode_AsUTF8(name.get()) : "this function";
  KG_FAIL(type, "no implementation found for '", text,
          "' on types that implement __torch_function__: [", who, "]",
          modes ? " nor on the active modes" : "", "; all returned NotImplemented");
}

// The protocol itself. `asked` are looked for among `candidates`.
PyObject* dispatch(PyObject* func, PyObject* const* candidates, Py_ssize_t count, PyObject* args,
                   PyObject* kwargs) {
  std::vector<Ref> asked = overriding_arguments(candidates, count);
  Ref types = checked(PyTuple_New(Py_ssize_t(asked.size())));
  for (size_t i = 0; i < asked.size(); ++i)
    PyTuple_SET_ITEM(types.get(), Py_ssize_t(i),
                     Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(asked[i].get()))));
  bool modes = (thread_state.flags & kModes) && !(thread_state.flags & kNoModes);
  if (modes) {
    ModeOff off;
    Ref result = ask(off.mode(), func, types.get(), args, kwargs);
    if (result.get() != Py_NotImplemented) return result.release();
  }
  for (const Ref& o : asked) {
    Ref result = ask(o.get(), func, types.get(), args, kwargs);
    if (result.get() != Py_NotImplemented) return result.release();
  }
  if (any_argument(candidates, count, object_sparse)) return dispatch_sparse(func, args, kwargs);
  throw_nobody(func, asked, modes);
}

Ref tuple_of(PyObject* const* items, Py_ssize_t n) {
  Ref tuple = checked(PyTuple_New(n));
  for (Py_ssize_t i = 0; i < n; ++i) PyTuple_SET_ITEM(tuple.get(), i, Py_NewRef(items[i]));
  return tuple;
}

Ref tensor_attribute(const char* name) {
  return checked(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), name));
}

}  // namespace

PyObject* dispatch_override(PyObject* func, PyObject* const* args, Py_ssize_t nargs,
                            PyObject* kwnames) {
  KG_BIND_TRY
  Py_ssize_t named = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  Ref positional = tuple_of(args, nargs), kwargs = checked(PyDict_New());
  for (Py_ssize_t i = 0; i < named; ++i)
    checked_status(PyDict_SetItem(kwargs.get(), PyTuple_GET_ITEM(kwnames, i), args[nargs + i]));
  return dispatch(func, args, nargs + named, positional.get(), kwargs.get());
  KG_BIND_CATCH(nullptr, nullptr)
}

PyObject* dispatch_method(const char* name, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames) {
  KG_BIND_TRY
  return dispatch_override(tensor_attribute(name).get(), args, nargs, kwnames);
  KG_BIND_CATCH(name, nullptr)
}

PyObject* dispatch_getter(PyObject* self, const char* name) {
  KG_BIND_TRY
  Ref func = checked(PyObject_GetAttrString(tensor_attribute(name).get(), "__get__"));
  return dispatch_override(func.get(), &self, 1, nullptr);
  KG_BIND_CATCH(name, nullptr)
}

int dispatch_setter(PyObject* self, const char* name, PyObject* value) {
  KG_BIND_TRY
  Ref func = checked(
      PyObject_GetAttrString(tensor_attribute(name).get(), value ? "__set__" : "__delete__"));
  PyObject* args[] = {self, value};
  checked(dispatch_override(func.get(), args, value ? 2 : 1, nullptr));
  return 0;
  KG_BIND_CATCH(name, -1)
}

// ---- The default of subclasses ------------------------------------------------------------------

namespace {

class FlagGuard {
 public:
  explicit FlagGuard(uint32_t flag) : before_(thread_state.flags & flag), flag_(flag) {
    thread_state.flags |= flag;
  }
  ~FlagGuard() { thread_state.flags = (thread_state.flags & ~flag_) | before_; }

 private:
  uint32_t before_, flag_;
};

// Results of operations on a subclass are of the subclass.
Ref convert_result(Ref result, PyTypeObject* cls) {
  PyObject* o = result.get();
  if (is_tensor(o)) {
    if (PyType_IsSubtype(Py_TYPE(o), cls)) return result;
    return checked(PyObject_CallMethod(o, "as_subclass", "O", cls));
  }
  if (!PyTuple_Check(o) && !PyList_Check(o)) return result;
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  Ref list = checked(PyList_New(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    Ref element = Ref::borrow(PySequence_Fast_GET_ITEM(o, i));
    PyList_SET_ITEM(list.get(), i, convert_result(std::move(element), cls).release());
  }
  return checked(PyObject_CallOneArg(reinterpret_cast<PyObject*>(Py_TYPE(o)), list.get()));
}

// Getters whose results are handed out as they are.
PyObject* plain_getters() {
  static PyObject* set = [] {
    Ref made = checked(PySet_New(nullptr));
    for (const char* name : {"_base", "grad", "_grad"}) {
      if (!PyDict_GetItemString(tensor_type->tp_dict, name)) continue;
      Ref getter = checked(PyObject_GetAttrString(tensor_attribute(name).get(), "__get__"));
      checked_status(PySet_Add(made.get(), getter.get()));
    }
    return made.release();
  }();
  return set;
}

Ref call_plain(PyObject* func, PyObject* args, PyObject* kwargs) {
  FlagGuard off(kNoSubclass);
  return checked(PyObject_Call(func, args, kwargs));
}

PyObject* tensor_torch_function(PyObject* cls, PyObject* args, PyObject* kw) {
  KG_BIND_TRY
  static const char* const names[] = {"func", "types", "args", "kwargs", nullptr};
  PyObject *func = nullptr, *types = nullptr, *given = nullptr, *kwargs = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kw, "OO|OO:__torch_function__", const_cast<char**>(names),
                                   &func, &types, &given, &kwargs))
    return nullptr;
  Ref list =
      checked(PySequence_Fast(types, "__torch_function__: types must be a sequence of types"));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    int ok = PyObject_IsSubclass(cls, PySequence_Fast_GET_ITEM(list.get(), i));
    checked_status(ok);
    if (!ok) Py_RETURN_NOTIMPLEMENTED;
  }
  Ref positional =
      given && given != Py_None ? checked(PySequence_Tuple(given)) : checked(PyTuple_New(0));
  PyObject* named = kwargs && kwargs != Py_None ? kwargs : nullptr;
  FlagGuard off(kNoSubclass);
  Ref result = checked(PyObject_Call(func, positional.get(), named));
  auto* type = reinterpret_cast<PyTypeObject*>(cls);
  if (type == tensor_type) return result.release();
  int plain =
      PyObject_Hash(func) == -1 ? (PyErr_Clear(), 0) : PySet_Contains(plain_getters(), func);
  checked_status(plain);
  return plain ? result.release() : convert_result(std::move(result), type).release();
  KG_BIND_CATCH("__torch_function__", nullptr)
}
PyMethodDef torch_function_method = {
    "__torch_function__", (PyCFunction)(void (*)())tensor_torch_function,
    METH_VARARGS | METH_KEYWORDS | METH_CLASS,
    "Runs func without overrides; results become instances of this class."};

PyObject* disabled_torch_function(PyObject*, PyObject* args, PyObject* kw) {
  KG_BIND_TRY
  static const char* const names[] = {"func", "types", "args", "kwargs", nullptr};
  PyObject *func = nullptr, *types = nullptr, *given = nullptr, *kwargs = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kw, "OO|OO", const_cast<char**>(names), &func, &types,
                                   &given, &kwargs))
    return nullptr;
  Ref positional =
      given && given != Py_None ? checked(PySequence_Tuple(given)) : checked(PyTuple_New(0));
  return call_plain(func, positional.get(), kwargs && kwargs != Py_None ? kwargs : nullptr)
      .release();
  KG_BIND_CATCH("__torch_function__", nullptr)
}
PyMethodDef disabled_method = {
    "_disabled_torch_function_impl", (PyCFunction)(void (*)())disabled_torch_function,
    METH_VARARGS | METH_KEYWORDS,
    "Set as __torch_function__ by classes whose results are plain tensors."};

// ---- Switches and the stack of modes ------------------------------------------------------------

struct SwitchObject {
  PyObject_HEAD uint32_t before;
};
template <uint32_t flag>
PyObject* switch_enter(PyObject* self, PyObject*) {
  reinterpret_cast<SwitchObject*>(self)->before = thread_state.flags & flag;
  thread_state.flags |= flag;
  return Py_NewRef(self);
}
template <uint32_t flag>
PyObject* switch_exit(PyObject* self, PyObject*) {
  thread_state.flags = (thread_state.flags & ~flag) | reinterpret_cast<SwitchObject*>(self)->before;
  Py_RETURN_NONE;
}
void switch_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}
template <uint32_t flag>
PyMethodDef switch_methods[] = {{"__enter__", switch_enter<flag>, METH_NOARGS, nullptr},
                                {"__exit__", switch_exit<flag>, METH_VARARGS, nullptr},
                                {}};
template <uint32_t flag>
PyType_Slot switch_slots[] = {{Py_tp_methods, switch_methods<flag>},
                              {Py_tp_new, (void*)PyType_GenericNew},
                              {Py_tp_dealloc, (void*)switch_dealloc},
                              {0, nullptr}};
constexpr uint32_t kAllOff = kNoSubclass | kNoModes;
PyType_Spec no_subclass_spec = {"kagari._core.DisableTorchFunctionSubclass", sizeof(SwitchObject),
                                0, Py_TPFLAGS_DEFAULT, switch_slots<kNoSubclass>};
PyType_Spec all_off_spec = {"kagari._core.DisableTorchFunction", sizeof(SwitchObject), 0,
                            Py_TPFLAGS_DEFAULT, switch_slots<kAllOff>};

PyObject* push_mode(PyObject*, PyObject* mode) {
  KG_BIND_TRY
  mode_stack.push_back(mode);
  Py_INCREF(mode);
  ModeOff::update_flag();
  Py_RETURN_NONE;
  KG_BIND_CATCH(nullptr, nullptr)
}
PyObject* pop_mode(PyObject*, PyObject*) {
  if (mode_stack.empty()) {
    PyErr_SetString(PyExc_RuntimeError, "the stack of function modes is empty");
    return nullptr;
  }
  PyObject* mode = mode_stack.back();
  mode_stack.pop_back();
  ModeOff::update_flag();
  return mode;
}
PyObject* count_modes(PyObject*, PyObject*) { return PyLong_FromSize_t(mode_stack.size()); }
PyObject* mode_at(PyObject*, PyObject* index) {
  Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) return nullptr;
  if (i < 0 || size_t(i) >= mode_stack.size()) {
    PyErr_Format(PyExc_IndexError, "there are %zu function modes, got index %zd", mode_stack.size(),
                 i);
    return nullptr;
  }
  return Py_NewRef(mode_stack[size_t(i)]);
}

// ---- For Python ---------------------------------------------------------------------------------

PyObject* has_torch_function(PyObject*, PyObject* relevant) {
  KG_BIND_TRY
  Ref list =
      checked(PySequence_Fast(relevant, "has_torch_function: expected a sequence of arguments"));
  uint32_t flags = thread_state.flags;
  if ((flags & kModes) && !(flags & kNoModes)) Py_RETURN_TRUE;
  if (flags & (kNoSubclass | kNoModes)) Py_RETURN_FALSE;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i)
    if (object_overrides(PySequence_Fast_GET_ITEM(list.get(), i))) Py_RETURN_TRUE;
  Py_RETURN_FALSE;
  KG_BIND_CATCH(nullptr, nullptr)
}
PyObject* has_torch_function_variadic(PyObject*, PyObject* const* args, Py_ssize_t n) {
  uint32_t flags = thread_state.flags;
  if ((flags & kModes) && !(flags & kNoModes)) Py_RETURN_TRUE;
  if (flags & (kNoSubclass | kNoModes)) Py_RETURN_FALSE;
  for (Py_ssize_t i = 0; i < n; ++i)
    if (object_overrides(args[i])) Py_RETURN_TRUE;
  Py_RETURN_FALSE;
}
PyObject* has_torch_function_unary(PyObject*, PyObject* arg) {
  return has_torch_function_variadic(nullptr, &arg, 1);
}

// handle_torch_function(public_api, relevant_args, *args, **kwargs)
PyObject* handle_torch_function(PyObject*, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  Py_ssize_t n = PyTuple_GET_SIZE(args);
  KG_CHECK_TYPE(n >= 2, "expected the public function and its relevant arguments, got ", n,
                " arguments");
  Ref relevant = checked(PySequence_Tuple(PyTuple_GET_ITEM(args, 1)));
  Ref rest = checked(PyTuple_GetSlice(args, 2, n)),
      named = kwargs ? Ref::borrow(kwargs) : checked(PyDict_New());
  return dispatch(PyTuple_GET_ITEM(args, 0),
                  reinterpret_cast<PyTupleObject*>(relevant.get())->ob_item,
                  PyTuple_GET_SIZE(relevant.get()), rest.get(), named.get());
  KG_BIND_CATCH("handle_torch_function", nullptr)
}

PyObject* overloaded_args(PyObject*, PyObject* relevant) {
  KG_BIND_TRY
  Ref tuple = checked(PySequence_Tuple(relevant));
  std::vector<Ref> found = overriding_arguments(
      reinterpret_cast<PyTupleObject*>(tuple.get())->ob_item, PyTuple_GET_SIZE(tuple.get()));
  Ref list = checked(PyList_New(0));
  for (const Ref& o : found) checked_status(PyList_Append(list.get(), o.get()));
  return list.release();
  KG_BIND_CATCH(nullptr, nullptr)
}
PyObject* is_torch_function_enabled(PyObject*, PyObject*) {
  return PyBool_FromLong(!(thread_state.flags & (kNoSubclass | kNoModes)));
}

PyObject* is_mode_enabled(PyObject*, PyObject*) { return PyBool_FromLong(!mode_stack.empty()); }

template <class F>
PyCFunction as_function(F f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f));
}
PyMethodDef functions[] = {
    {"_push_on_torch_function_stack", push_mode, METH_O, nullptr},
    {"_pop_torch_function_stack", pop_mode, METH_NOARGS, nullptr},
    {"_len_torch_function_stack", count_modes, METH_NOARGS, nullptr},
    {"_get_function_stack_at", mode_at, METH_O, nullptr},
    {"_has_torch_function", has_torch_function, METH_O, nullptr},
    {"_has_torch_function_unary", has_torch_function_unary, METH_O, nullptr},
    {"_has_torch_function_variadic", as_function(has_torch_function_variadic), METH_FASTCALL,
     nullptr},
    {"_handle_torch_function", as_function(handle_torch_function), METH_VARARGS | METH_KEYWORDS,
     nullptr},
    {"_get_overloaded_args", overloaded_args, METH_O, nullptr},
    {"_is_torch_function_mode_enabled", is_mode_enabled, METH_NOARGS, nullptr},
    {"_is_torch_function_enabled", is_torch_function_enabled, METH_NOARGS, nullptr},
    {}};

}  // namespace

void init_overrides(PyObject* module) {
  protocol_name = checked(PyUnicode_InternFromString("__torch_function__")).release();
  disabled_impl = checked(PyCFunction_NewEx(&disabled_method, nullptr, nullptr)).release();
  add_object(module, "_disabled_torch_function_impl", disabled_impl);
  Ref default_impl = checked(PyDescr_NewClassMethod(tensor_type, &torch_function_method));
  checked_status(PyDict_SetItem(tensor_type->tp_dict, protocol_name, default_impl.get()));
  PyType_Modified(tensor_type);
  add_type(module, &no_subclass_spec);
  add_type(module, &all_off_spec);
  add_functions(module, functions);
  init_overridable(module);
}

}  // namespace kagari
