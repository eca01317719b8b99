// Hooks: Python callables in ordered dictionaries, so that handles can remove them by id.
#pragma once
#include "autograd/node.h"

namespace kagari {

// Of a tensor: `tensor` and `post_accumulate`. Of a node: `slots` (tensor hooks of its outputs),
// `pre` and `post`.
struct HookList {
  PyObject* tensor = nullptr;           // dict id -> f(grad)
  PyObject* post_accumulate = nullptr;  // dict id -> f(tensor)
  PyObject* pre = nullptr;              // dict id -> f(grad_outputs)
  PyObject* post = nullptr;             // dict id -> f(grad_inputs, grad_outputs)
  // Tensor hooks by output slot; the dictionaries are shared with the tensors. A capsule-free
  // marker of retain_grad is a weak reference to the tensor.
  struct Slot {
    uint32_t slot;
    PyObject* hooks;   // dict, or null
    PyObject* retain;  // weak reference to the tensor that retains its gradient, or null
  };
  std::vector<Slot> slots;

  ~HookList();
  void traverse(visitproc visit, void* arg);
};

namespace hooks {
// Each runs the callables of `dict` in order. A callable may return None (keep) or a replacement.
void run_tensor(PyObject* dict, Tensor& gradient);
void run_post_accumulate(PyObject* dict, TensorImpl* variable);
void run_pre(PyObject* dict, Tensor* gradients, int n);
void run_post(PyObject* dict, Tensor* results, int n, Tensor* gradients, int n_gradients);
}  // namespace hooks

// saved_tensors_hooks: a stack of (pack, unpack); null pack means that saving is forbidden with a
// message.
namespace saved_hooks {
void push(PyObject* pack, PyObject* unpack);
void pop();
void forbid(const char* message);  // null allows again
bool any();
PyObject* pack(const Tensor& t, PyObject** unpack);  // new references
}  // namespace saved_hooks

// Anomaly mode: set by bind/, asked when nodes are made and run.
struct Anomaly {
  bool enabled = false;
  bool check_nan = true;
  PyObject* (*traceback)() = nullptr;  // new reference: the Python stack as text
  void (*warn)(Node& node) = nullptr;
};
extern Anomaly anomaly;

}  // namespace kagari
