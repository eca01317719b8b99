// The tape's records on tensors: histories, leaves, views and what in-place writes do to them.
//
// The tape knows no op. The three tensor operations that views need (as_strided, a copy into a
// view, an empty tensor) are handed in by ops/ through `view_ops`.
#include <algorithm>

#include "autograd/hooks.h"
#include "autograd/meta.h"
#include "autograd/view_ops.h"
#include "core/caching.h"

namespace kagari {

__attribute__((tls_model("initial-exec"))) constinit thread_local GradMode grad_mode;
ViewOps view_ops;

namespace tape {
namespace {

constexpr int kKept = 1024;
AutogradMeta* kept[kKept];
int kept_count = 0;
const int kept_room = allocator::kept_objects(kKept);

// The engine itself adds to the leaf's .grad, so the rule has nothing to apply.
const Rule accumulate_rule{"AccumulateGrad"};

// The gradient of "write `inner` into a view of base": all of base passes but the written part,
// which inner receives.
struct CopySlices {
  Dims base_sizes, base_strides, view_sizes, view_strides;
  int64_t base_offset, view_offset;
  Node* inner;  // strong
};

void copy_slices_apply(Node& n, Tensor* grads, Tensor* results) {
  if (!grads[0].defined()) return;
  auto& c = *static_cast<CopySlices*>(n.d.extra);
  const Tensor& g = grads[0];
  Tensor result = view_ops.clone_strided(g, c.base_sizes, c.base_strides);
  Tensor slice =
      view_ops.as_strided(result, c.view_sizes, c.view_strides, c.view_offset - c.base_offset);
  Tensor slice_grad = view_ops.clone(slice);
  int k = c.inner->d.edges.size();
  std::vector<Tensor> inner(static_cast<size_t>(k));
  {
    WantedEdges as_here(*c.inner, k, [&](int i) { return WantedEdges::has(n, i); });
    c.inner->d.rule->apply(*c.inner, &slice_grad, inner.data());
  }
  if (k > 0 && c.inner->d.edges[0].node && inner[0].defined()) {
    view_ops.copy_(slice, inner[0]);
  } else {
    view_ops.zero_(slice);
  }
  results[0] = std::move(result);
  for (int i = 1; i < k; ++i) results[i] = std::move(inner[size_t(i)]);
}

void copy_slices_drop(void* extra) {
  auto* c = static_cast<CopySlices*>(extra);
  Py_XDECREF(reinterpret_cast<PyObject*>(c->inner));
  delete c;
}

const Rule copy_slices_rule{"CopySlices", copy_slices_apply, copy_slices_drop,
                            [](void* extra) { return static_cast<CopySlices*>(extra)->inner; }};

void link_hooks(TensorImpl* t, Node* n, uint32_t slot) {
  HookList* own = t->autograd->hooks;
  if (!own || !own->tensor) return;
  if (!n->d.hooks) n->d.hooks = new HookList;
  n->d.hooks->slots.push_back({slot, Py_NewRef(own->tensor), nullptr});
}

void replace_history(TensorImpl* t, NodeRef node, uint32_t slot) {
  AutogradMeta& m = meta(t);
  Node* before = m.grad_fn;
  m.grad_fn = node.release();
  m.output_slot = slot;
  m.requires_grad = false;
  t->flags |= kRequiresGrad;
  if (m.hooks) {
    // Hooks registered before an in-place write stay with the old history, as PyTorch's do;
    // retained gradients move.
    Py_CLEAR(m.hooks->tensor);
    if (m.retains_grad) hook_retain_grad(t);
  }
  track(t);
  Py_XDECREF(reinterpret_cast<PyObject*>(before));
}

}  // namespace

AutogradMeta& meta(TensorImpl* t) {
  if (!t->autograd) {
    if (kept_count) {
      t->autograd = kept[--kept_count];
      *t->autograd = AutogradMeta{};
    } else {
      t->autograd = new AutogradMeta;
    }
  }
  return *t->autograd;
}

void drop_meta(TensorImpl* t) {
  AutogradMeta* m = std::exchange(t->autograd, nullptr);
  t->flags &= ~uint32_t(kRequiresGrad);
  Node* fn = m->grad_fn;
  TensorImpl *grad = m->grad, *tangent = m->tangent;
  if (m->accumulator)
    m->accumulator->d.variable =
        nullptr;  // cannot be: the accumulator holds the variable; the collector can
  delete m->hooks;
  if (kept_count < kept_room) {
    kept[kept_count++] = m;
  } else {
    delete m;
  }
  Py_XDECREF(reinterpret_cast<PyObject*>(fn));
  Py_XDECREF(reinterpret_cast<PyObject*>(grad));
  Py_XDECREF(reinterpret_cast<PyObject*>(tangent));
}

void traverse(TensorImpl* t, visitproc visit, void* arg) {
  auto see = [&](void* o) {
    if (o) visit(static_cast<PyObject*>(o), arg);
  };
  see(t->base);
  if (AutogradMeta* m = t->autograd) {
    see(m->grad_fn);
    see(m->grad);
    see(m->tangent);
    if (m->hooks) m->hooks->traverse(visit, arg);
  }
}

void track(TensorImpl* t) {
  PyObject* o = reinterpret_cast<PyObject*>(t);
  if (!PyObject_GC_IsTracked(o)) PyObject_GC_Track(o);
}

bool is_leaf(TensorImpl* t) { return !t->autograd || !grad_fn(t); }

Node* grad_fn(TensorImpl* t) {
  AutogradMeta* m = t->autograd;
  if (!t->is(kView)) return m ? m->grad_fn : nullptr;
  TensorImpl* base = t->base;
  if (!base->is(kRequiresGrad)) return m ? m->grad_fn : nullptr;
  uint32_t now = base->current_version();
  if (m && m->grad_fn && m->view_version == now) return m->grad_fn;
  if (!(m && m->grad_fn) && t->is(kViewNoGrad)) return nullptr;
  if (base->autograd && !base->autograd->grad_fn && !(m && m->grad_fn)) {
    // A view of a leaf that came to require grad after the view was made.
    if (!base->autograd->requires_grad) return nullptr;
  }
  // The base was written in place: the view's history is "this part of the base as it is now".
  GradGuard on(true);
  Tensor again = view_ops.as_strided(Tensor::borrow(base), {t->sizes, t->ndim},
                                     {t->strides(), t->ndim}, t->offset);
  AutogradMeta& own = meta(t);
  Node* fresh = again->autograd ? again->autograd->grad_fn : nullptr;
  if (!fresh) return own.grad_fn;
  Py_INCREF(reinterpret_cast<PyObject*>(fresh));
  Py_XDECREF(reinterpret_cast<PyObject*>(own.grad_fn));
  own.grad_fn = fresh;
  own.output_slot = again->autograd->output_slot;
  own.view_version = now;
  t->flags |= kRequiresGrad;
  track(t);
  return fresh;
}

Edge gradient_edge(TensorImpl* t) {
  if (Node* fn = grad_fn(t)) return {NodeRef::borrow(fn).release(), t->autograd->output_slot};
  if (!t->is(kRequiresGrad)) return {};
  AutogradMeta& m = meta(t);
  if (m.accumulator) return {NodeRef::borrow(m.accumulator).release(), 0};
  NodeRef n = node::make(&accumulate_rule);
  n->d.sequence = UINT64_MAX;
  Tensor held = Tensor::borrow(t);
  node::add_output(n.get(), held);
  n->d.variable = held.release();
  m.accumulator = n.get();
  track(t);
  return {n.release(), 0};
}

void set_history(const Tensor& t, NodeRef node) {
  AutogradMeta& m = meta(t.get());
  m.output_slot = uint32_t(node->d.outputs.size());
  node::add_output(node.get(), t);
  if (m.grad_fn) Py_DECREF(reinterpret_cast<PyObject*>(m.grad_fn));
  m.grad_fn = node.release();
  if (t->is(kView)) m.view_version = t->current_version();
  t->flags |= kRequiresGrad;
  track(t.get());
}

void rebase_history(const Tensor& t, NodeRef node) {
  node::add_output(node.get(), t);
  if (!t->is(kView)) {
    replace_history(t.get(), std::move(node), 0);
    return;
  }
  TensorImpl* base = t->base;
  NodeRef slices = node::make(&copy_slices_rule);
  slices->d.extra = new CopySlices{Ints(base->sizes, base->ndim),
                                   Ints(base->strides(), base->ndim),
                                   t.sizes(),
                                   t.strides(),
                                   base->offset,
                                   t->offset,
                                   NodeRef(node).release()};
  slices->d.edges.push(gradient_edge(base));
  for (int i = 1; i < node->d.edges.size(); ++i) {
    const Edge& e = node->d.edges[i];
    slices->d.edges.push({NodeRef::borrow(e.node).release(), e.slot});
  }
  node::add_output(slices.get(), Tensor::borrow(base));
  replace_history(base, std::move(slices), 0);
  grad_fn(t.get());  // now a part of the new base
}

void check_inplace(TensorImpl* t, bool requires_grad) {
  KG_CHECK(!t->is(kInference) || grad_mode.inference,
           "Inplace update to inference tensor outside InferenceMode is not allowed. You can make "
           "a clone to get a normal tensor "
           "before doing inplace update.");
  KG_CHECK(!t->storage || !t->storage->read_only,
           "the tensor's memory is read-only (it belongs to a read-only array or file); clone() it "
           "and write to the copy");
  if (!requires_grad || !grad_mode.enabled) return;
  if (t->is(kView)) {
    KG_CHECK(!t->is(kViewMultiOutput),
             "Output of a function that returns multiple views is a view and is being modified "
             "inplace. Such "
             "functions do not allow the output views to be modified inplace; use an out-of-place "
             "operation, or index the tensor");
    bool base_leaf = t->base->is(kRequiresGrad) && is_leaf(t->base);
    KG_CHECK(!base_leaf,
             "a view of a leaf Variable that requires grad is being used in an in-place operation; "
             "wrap the write in "
             "kagari.no_grad(), or clone() the leaf first");
    KG_CHECK(!t->is(kViewNoGrad | kViewInference),
             "A view was created in no_grad or inference mode and is being modified inplace with "
             "grad mode enabled. Make the view outside of "
             "that block, or write inside of it");
  } else {
    KG_CHECK(!(t->is(kRequiresGrad) && is_leaf(t)),
             "a leaf Variable that requires grad is being used in an in-place operation; wrap the "
             "write in kagari.no_grad(), or clone() "
             "the tensor first");
  }
}

void set_requires_grad(TensorImpl* t, bool value) {
  if (value == t->is(kRequiresGrad)) return;
  KG_CHECK(!value || is_differentiable(t->dtype),
           "only Tensors of floating point and complex dtype can require gradients, got ", t->dtype,
           "; convert it with .float()");
  KG_CHECK(is_leaf(t),
           "you can only change requires_grad flags of leaf variables. If you want to use a "
           "computed variable in a subgraph that "
           "doesn't require differentiation use var_no_grad = var.detach().");
  KG_CHECK(!value || !t->is(kInference),
           "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed; "
           "clone() it first.");
  meta(t).requires_grad = value;
  t->flags = value ? t->flags | kRequiresGrad : t->flags & ~uint32_t(kRequiresGrad);
}

Tensor detach(const Tensor& t) {
  Tensor r = alias(t, t.sizes(), t.strides(), t->offset);
  impl::share_version(t.get(), r.get());
  if (t->is(kInference)) r->flags |= kInference;
  return r;
}

void mark_view(const Tensor& view, const Tensor& source, bool multi_output) {
  TensorImpl* base = source->is(kView) ? source->base : source.get();
  view->base = Tensor::borrow(base).release();
  uint32_t flags = kView | (source->flags & (kViewNoGrad | kViewInference | kViewMultiOutput));
  if (multi_output) flags |= kViewMultiOutput;
  if (grad_mode.inference) {
    flags |= kViewInference;
  } else if (!grad_mode.enabled) {
    flags |= kViewNoGrad;
  }
  view->flags |= flags;
  track(view.get());
}

void hook_retain_grad(TensorImpl* t) {
  Node* fn = grad_fn(t);
  if (!fn) return;
  PyObject* weak = PyWeakref_NewRef(reinterpret_cast<PyObject*>(t), nullptr);
  if (!weak) throw_python_error();
  if (!fn->d.hooks) fn->d.hooks = new HookList;
  fn->d.hooks->slots.push_back({t->autograd->output_slot, nullptr, weak});
}

void hook_tensor(TensorImpl* t, PyObject* dict) {
  AutogradMeta& m = meta(t);
  if (!m.hooks) m.hooks = new HookList;
  Py_XSETREF(m.hooks->tensor, Py_NewRef(dict));
  track(t);
  if (Node* fn = grad_fn(t)) link_hooks(t, fn, m.output_slot);
}

}  // namespace tape
}  // namespace kagari
