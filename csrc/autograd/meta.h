// What the tape keeps on a tensor, and the questions asked of it.
#pragma once
#include "autograd/node.h"

namespace kagari {

struct AutogradMeta {
  bool requires_grad = false;  // of a leaf
  bool retains_grad = false;
  uint32_t output_slot = 0;
  Node* grad_fn = nullptr;      // strong
  Node* accumulator = nullptr;  // weak: AccumulateGrad of a leaf while one exists
  TensorImpl* grad = nullptr;   // strong
  HookList* hooks = nullptr;    // tensor hooks and post-accumulate-grad hooks
  uint32_t view_version = 0;    // base's version for which a view's grad_fn holds
  // Forward mode and transforms: reserved from the first day.
  TensorImpl* tangent = nullptr;
  int32_t level = 0;
  int32_t batch_dim = -1;
};

struct GradMode {
  bool enabled = true;
  bool inference = false;
};
// Read by every call: constant initialisation and the initial-exec model make it one load.
extern __attribute__((tls_model("initial-exec"))) constinit thread_local GradMode grad_mode;

class GradGuard {
 public:
  explicit GradGuard(bool enabled) : before_(grad_mode.enabled) { grad_mode.enabled = enabled; }
  ~GradGuard() { grad_mode.enabled = before_; }

 private:
  bool before_;
};

namespace tape {
AutogradMeta& meta(TensorImpl* t);  // made when missing
Edge gradient_edge(
    TensorImpl* t);  // grad_fn, or the leaf's AccumulateGrad (made when missing); strong node
Node* grad_fn(
    TensorImpl* t);  // borrowed; regenerates a view's history after in-place writes to its base
void set_history(const Tensor& t, NodeRef node);  // t becomes the next output of node
// After an in-place op: t's history becomes node; for a view the base's history is rebased.
void rebase_history(const Tensor& t, NodeRef node);
// Throws when t may not be written in place (leaf that requires grad, expanded view, view made in
// no_grad, ...).
void check_inplace(TensorImpl* t, bool requires_grad);
void set_requires_grad(TensorImpl* t, bool value);
bool is_leaf(TensorImpl* t);
Tensor detach(const Tensor& t);  // shares storage and version, no history
void drop_meta(TensorImpl* t);
void traverse(TensorImpl* t, visitproc visit,
              void* arg);   // what the tape and the view relation hold
void track(TensorImpl* t);  // hands t to the collector: it can be part of a cycle now
// Marks `view` as a view of `source` (or of source's base).
void mark_view(const Tensor& view, const Tensor& source, bool multi_output);
void hook_tensor(TensorImpl* t, PyObject* dict);  // t._backward_hooks = dict
void hook_retain_grad(TensorImpl* t);             // its node fills t.grad when the gradient passes
}  // namespace tape

}  // namespace kagari
