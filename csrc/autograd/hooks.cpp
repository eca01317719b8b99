// Running hooks.
#include "autograd/hooks.h"

#include "autograd/meta.h"

namespace kagari {

Anomaly anomaly;

HookList::~HookList() {
  Py_XDECREF(tensor);
  Py_XDECREF(post_accumulate);
  Py_XDECREF(pre);
  Py_XDECREF(post);
  for (Slot& s : slots) {
    Py_XDECREF(s.hooks);
    Py_XDECREF(s.retain);
  }
}

void HookList::traverse(visitproc visit, void* arg) {
  auto see = [&](PyObject* o) {
    if (o) visit(o, arg);
  };
  see(tensor);
  see(post_accumulate);
  see(pre);
  see(post);
  for (Slot& s : slots) {
    see(s.hooks);
    see(s.retain);
  }
}

namespace hooks {
namespace {

struct Ref {
  PyObject* p;
  explicit Ref(PyObject* o) : p(o) {
    if (!o) throw_python_error();
  }
  ~Ref() { Py_XDECREF(p); }
  Ref(const Ref&) = delete;
};

PyObject* or_none(const Tensor& t) { return Py_NewRef(t.defined() ? t.object() : Py_None); }

// Hooks may add or remove hooks: walk a copy of the callables.
template <class F>
void each(PyObject* dict, F&& f) {
  if (!dict || !PyDict_Check(dict) || PyDict_GET_SIZE(dict) == 0) return;
  Ref callables(PyDict_Values(dict));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(callables.p); ++i) f(PyList_GET_ITEM(callables.p, i));
}

Tensor expect_tensor(PyObject* o, const char* hook) {
  if (o == Py_None) return {};
  KG_CHECK_TYPE(PyObject_TypeCheck(o, tensor_type), "a ", hook,
                " must return a Tensor or None, got ", Py_TYPE(o)->tp_name);
  return Tensor::borrow(reinterpret_cast<TensorImpl*>(o));
}

PyObject* tuple_of(Tensor* list, int n) {
  PyObject* t = PyTuple_New(n);
  if (!t) throw_python_error();
  for (int i = 0; i < n; ++i) PyTuple_SET_ITEM(t, i, or_none(list[i]));
  return t;
}

void replace(PyObject* result, Tensor* list, int n, const char* hook) {
  if (result == Py_None) return;
  if (n == 1 && !PyTuple_Check(result)) {
    list[0] = expect_tensor(result, hook);
    return;
  }
  KG_CHECK_TYPE(PyTuple_Check(result) && PyTuple_GET_SIZE(result) == n, "a ", hook,
                " must return None or a tuple of ", n, " gradients");
  for (int i = 0; i < n; ++i) list[i] = expect_tensor(PyTuple_GET_ITEM(result, i), hook);
}

}  // namespace

void run_tensor(PyObject* dict, Tensor& gradient) {
  each(dict, [&](PyObject* f) {
    Ref arg(or_none(gradient));
    Ref result(PyObject_CallOneArg(f, arg.p));
    if (result.p != Py_None) {
      Tensor replaced = expect_tensor(result.p, "tensor hook");
      if (gradient.defined()) {
        KG_CHECK(replaced.sizes() == gradient.sizes(), "hook '", Py_TYPE(f)->tp_name,
                 "' has changed the size of value: expected ", gradient.sizes(), ", got ",
                 replaced.sizes());
      }
      gradient = std::move(replaced);
    }
  });
}

void run_post_accumulate(PyObject* dict, TensorImpl* variable) {
  each(dict, [&](PyObject* f) {
    Ref result(PyObject_CallOneArg(f, reinterpret_cast<PyObject*>(variable)));
  });
}

void run_pre(PyObject* dict, Tensor* gradients, int n) {
  each(dict, [&](PyObject* f) {
    Ref arg(tuple_of(gradients, n));
    Ref result(PyObject_CallOneArg(f, arg.p));
    replace(result.p, gradients, n, "node pre-hook");
  });
}

void run_post(PyObject* dict, Tensor* results, int n, Tensor* gradients, int n_gradients) {
  each(dict, [&](PyObject* f) {
    Ref in(tuple_of(results, n));
    Ref out(tuple_of(gradients, n_gradients));
    Ref result(PyObject_CallFunctionObjArgs(f, in.p, out.p, nullptr));
    replace(result.p, results, n, "node hook");
  });
}

}  // namespace hooks

namespace saved_hooks {
namespace {
struct Pair {
  PyObject* pack;
  PyObject* unpack;
};
thread_local std::vector<Pair> stack;
thread_local std::string forbidden;
thread_local bool is_forbidden = false;
}  // namespace

void push(PyObject* pack, PyObject* unpack) {
  KG_CHECK(!is_forbidden, forbidden);
  stack.push_back({Py_NewRef(pack), Py_NewRef(unpack)});
}
void pop() {
  KG_CHECK(!stack.empty(), "saved_tensors_hooks: no hooks are set");
  Pair top = stack.back();
  stack.pop_back();
  Py_DECREF(top.pack);
  Py_DECREF(top.unpack);
}
void forbid(const char* message) {
  is_forbidden = message;
  forbidden = message ? message : "";
  KG_CHECK(!message || stack.empty(), forbidden);
}
bool any() { return !stack.empty(); }

PyObject* pack(const Tensor& t, PyObject** unpack) {
  Pair top = stack.back();
  // Hooks see the tensor without history, and what they do is not recorded.
  GradGuard off(false);
  PyObject* packed = PyObject_CallOneArg(top.pack, t.object());
  if (!packed) throw_python_error();
  *unpack = Py_NewRef(top.unpack);
  return packed;
}
}  // namespace saved_hooks

}  // namespace kagari
