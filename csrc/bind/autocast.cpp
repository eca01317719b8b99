// Autocast: the state of a thread, the casts of an op's arguments, and a cache of the casts of
// parameters.
#include "bind/autocast.h"

#include <unordered_map>

#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(to_copy)

namespace {

// A float32 leaf that is used again within the region is cast once.
struct Cached {
  Tensor source, result;
  uint32_t version;
};
struct State {
  Dtype dtype = Dtype::bf16;
  bool cache = true;
  int depth = 0;
  std::unordered_map<TensorImpl*, Cached> casts;
};
State& state() {
  // Behind a pointer: the library's static TLS block is small.
  static thread_local std::unique_ptr<State> mine;
  if (!mine) mine = std::make_unique<State>();
  return *mine;
}

bool eligible(const TensorImpl* t) {
  return is_floating(t->dtype) && t->dtype != Dtype::f64 && itemsize(t->dtype) > 1;
}

Tensor converted(const Tensor& t, Dtype to) {
  return call(rows::to_copy, t, to, std::optional<Layout>(), std::optional<Device>(),
              std::optional<bool>(), false, std::optional<MemoryFormat>());
}

}  // namespace

TensorImpl* Casts::cast(TensorImpl* t, Dtype to) {
  if (!t || !eligible(t) || t->dtype == to) return t;
  State& s = state();
  Tensor source = Tensor::borrow(t);
  bool keep = s.cache && grad_mode.enabled && to == s.dtype && t->dtype == Dtype::f32 &&
              source.requires_grad() && tape::is_leaf(t) && !t->is(kView);
  if (keep) {
    auto found = s.casts.find(t);
    if (found != s.casts.end() && found->second.version == t->current_version()) {
      made_.push_back(found->second.result);
      return made_.back().get();
    }
  }
  made_.push_back(converted(source, to));
  if (keep) s.casts[t] = {source, made_.back(), t->current_version()};
  return made_.back().get();
}

void Casts::apply(Autocast policy, const Signature& sig, Value* values) {
  Dtype to = policy == Autocast::fp32 ? Dtype::f32 : state().dtype;
  auto each = [&](auto&& use) {
    for (int i = 0; i < sig.count; ++i) {
      Value& v = values[i];
      if (v.tag == Value::Tag::tensor) use(v.t);
      if (v.tag == Value::Tag::tensors)
        for (uint32_t k = 0; k < v.n; ++k)
          if (v.ts[k]) use(v.ts[k]);
    }
  };
  if (policy == Autocast::promote)  // the widest of them
    each([&](TensorImpl* t) {
      if (eligible(t) && t->dtype == Dtype::f32) to = Dtype::f32;
    });
  for (int i = 0; i < sig.count; ++i) {
    Value& v = values[i];
    if (v.tag == Value::Tag::tensor) v.t = cast(v.t, to);
    if (v.tag != Value::Tag::tensors || v.n == 0) continue;
    lists_.push_back(std::make_unique<TensorImpl*[]>(v.n));
    for (uint32_t k = 0; k < v.n; ++k) lists_.back()[k] = cast(v.ts[k], to);
    v.ts = lists_.back().get();
  }
}

bool read_autocast(std::string_view name, Autocast& policy) {
  if (name == "lower") {
    policy = Autocast::lower;
  } else if (name == "fp32") {
    policy = Autocast::fp32;
  } else if (name == "promote") {
    policy = Autocast::promote;
  } else {
    return false;
  }
  return true;
}

// ---- From Python --------------------------------------------------------------------------------

namespace {

PyObject* is_enabled(PyObject*, PyObject*) { return PyBool_FromLong(autocast_active()); }
PyObject* set_enabled(PyObject*, PyObject* on) {
  int truth = PyObject_IsTrue(on);
  if (truth < 0) return nullptr;
  thread_state.flags = truth ? thread_state.flags | kAutocast : thread_state.flags & ~kAutocast;
  Py_RETURN_NONE;
}
PyObject* get_dtype(PyObject*, PyObject*) { return wrap(state().dtype); }
PyObject* set_dtype(PyObject*, PyObject* o) {
  KG_BIND_TRY
  Dtype d;
  KG_CHECK_TYPE(to_dtype(o, d), "expected a dtype, got ", describe_object(o));
  state().dtype = d;
  Py_RETURN_NONE;
  KG_BIND_CATCH("set_autocast_dtype", nullptr)
}
PyObject* is_cache_enabled(PyObject*, PyObject*) { return PyBool_FromLong(state().cache); }
PyObject* set_cache_enabled(PyObject*, PyObject* on) {
  int truth = PyObject_IsTrue(on);
  if (truth < 0) return nullptr;
  state().cache = truth;
  Py_RETURN_NONE;
}
PyObject* clear_cache(PyObject*, PyObject*) {
  auto old = std::move(state().casts);  // destroying tensors may run Python
  state().casts.clear();
  old.clear();
  Py_RETURN_NONE;
}
PyObject* enter(PyObject*, PyObject*) { return PyLong_FromLong(++state().depth); }
PyObject* leave(PyObject*, PyObject*) { return PyLong_FromLong(--state().depth); }

PyMethodDef functions[] = {
    {"_autocast_is_enabled", is_enabled, METH_NOARGS,
     "_autocast_is_enabled($module, /)\n--\n\nWhether ops cast their arguments."},
    {"_autocast_set_enabled", set_enabled, METH_O,
     "_autocast_set_enabled($module, enabled, /)\n--\n\nSwitches the casts on or off."},
    {"_autocast_get_dtype", get_dtype, METH_NOARGS,
     "_autocast_get_dtype($module, /)\n--\n\nThe dtype that ops of low precision run in."},
    {"_autocast_set_dtype", set_dtype, METH_O,
     "_autocast_set_dtype($module, dtype, /)\n--\n\nSets the dtype of ops of low precision."},
    {"_autocast_is_cache_enabled", is_cache_enabled, METH_NOARGS,
     "_autocast_is_cache_enabled($module, /)\n--\n\nWhether casts of parameters are kept."},
    {"_autocast_set_cache_enabled", set_cache_enabled, METH_O,
     "_autocast_set_cache_enabled($module, enabled, /)\n--\n\nSets whether casts are kept."},
    {"_autocast_clear_cache", clear_cache, METH_NOARGS,
     "_autocast_clear_cache($module, /)\n--\n\nForgets the kept casts."},
    {"_autocast_enter", enter, METH_NOARGS,
     "_autocast_enter($module, /)\n--\n\nCounts a region; returns how many are open."},
    {"_autocast_leave", leave, METH_NOARGS,
     "_autocast_leave($module, /)\n--\n\nEnds a region; returns how many are still open."},
    {}};

}  // namespace

void init_autocast(PyObject* module) { add_functions(module, functions); }

}  // namespace kagari
