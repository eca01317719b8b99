// The engine: gradients flow from the roots in the order of descending sequence numbers (so the
// order of additions, and with it every bit, follows from the program and from nothing else).
#include "autograd/engine.h"

#include <algorithm>
#include <memory>

#include "autograd/hooks.h"
#include "autograd/view_ops.h"
#include "core/sparse.h"

namespace kagari::engine {
namespace {

struct State {
  NodeRef node;
  int waiting = 0;            // gradients still to come
  bool needed = true;         // leads to something that is wanted
  std::vector<int> captured;  // indices into `inputs` whose gradient is read here
  std::vector<uint32_t> capture_slots;
  Few<Tensor, 1> buffer;  // gradient of each output
};

// Node -> State, open addressing: graphs are small more often than large, and large ones must stay
// linear.
class States {
 public:
  State* find(Node* n) {
    if (table_.empty()) return nullptr;
    for (size_t i = hash(n) & mask_;; i = (i + 1) & mask_) {
      int32_t at = table_[i];
      if (at < 0) return nullptr;
      if (list_[size_t(at)]->node.get() == n) return list_[size_t(at)].get();
    }
  }
  State& add(Node* n) {
    if (2 * (list_.size() + 1) > table_.size()) grow();
    auto s = std::make_unique<State>();
    s->node = NodeRef::borrow(n);
    list_.push_back(std::move(s));
    place(n, int32_t(list_.size() - 1));
    return *list_.back();
  }
  std::vector<std::unique_ptr<State>>& all() { return list_; }

 private:
  static size_t hash(Node* n) {
    return (reinterpret_cast<uintptr_t>(n) >> 4) * 0x9e3779b97f4a7c15ull >> 20;
  }
  void place(Node* n, int32_t at) {
    size_t i = hash(n) & mask_;
    while (table_[i] >= 0) i = (i + 1) & mask_;
    table_[i] = at;
  }
  void grow() {
    size_t size = std::max<size_t>(32, table_.size() * 2);
    table_.assign(size, -1);
    mask_ = size - 1;
    for (size_t i = 0; i < list_.size(); ++i) place(list_[i]->node.get(), int32_t(i));
  }
  std::vector<std::unique_ptr<State>> list_;
  std::vector<int32_t> table_;
  size_t mask_ = 0;
};

// AccumulateGrad comes first in the order of needs (it has no edges) and runs as soon as it can.
bool runs_later(const State* a, const State* b) {
  return a->node->d.sequence < b->node->d.sequence;
}

class Task {
 public:
  Task(const Options& options, const std::vector<Tensor>& inputs)
      : options_(options), results_(inputs.size()), grad_(options.create_graph) {}

  std::vector<Tensor> run(const std::vector<Tensor>& roots, const std::vector<Tensor>& gradients,
                          const std::vector<Tensor>& inputs) {
    discover(roots);
    if (!inputs.empty()) mark_needed(inputs);
    for (size_t i = 0; i < roots.size(); ++i) {
      Edge e = tape::gradient_edge(roots[i].get());
      NodeRef hold = NodeRef::steal(e.node);
      State* s = states_.find(e.node);
      add_gradient(*s, e.slot, gradients[i]);
    }
    for (auto& s : states_.all())
      if (s->waiting == 0) push(s.get());
    for (uint32_t step = 1; !ready_.empty(); ++step) {
      // Ctrl-C ends a long backward between two nodes; looking costs one load.
      if (step % 64 == 0 && PyErr_CheckSignals() < 0) throw_python_error();
      State* s = ready_.front();
      std::pop_heap(ready_.begin(), ready_.end(), runs_later);
      ready_.pop_back();
      evaluate(*s);
    }
    return std::move(results_);
  }

 private:
  void discover(const std::vector<Tensor>& roots) {
    std::vector<Node*> stack;
    auto visit = [&](Node* n) {
      if (!states_.find(n)) {
        states_.add(n);
        stack.push_back(n);
      }
    };
    for (const Tensor& r : roots) {
      Edge e = tape::gradient_edge(r.get());
      NodeRef hold = NodeRef::steal(e.node);
      visit(e.node);
    }
    while (!stack.empty()) {
      Node* n = stack.back();
      stack.pop_back();
      for (Edge& e : n->d.edges) {
        if (!e.node) continue;
        visit(e.node);
        ++states_.find(e.node)->waiting;
      }
    }
  }

  void mark_needed(const std::vector<Tensor>& inputs) {
    chosen_ = true;
    only_inputs_ = !options_.accumulate;
    for (auto& s : states_.all()) s->needed = false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      Edge e = tape::gradient_edge(inputs[i].get());
      NodeRef hold = NodeRef::steal(e.node);
      if (State* s = states_.find(e.node)) {
        s->needed = true;
        s->captured.push_back(int(i));
        s->capture_slots.push_back(e.slot);
      }
    }
    // Edges lead to older nodes, so ascending sequence is children first; leaves (sequence
    // UINT64_MAX) have no edges.
    std::vector<State*> order;
    for (auto& s : states_.all()) order.push_back(s.get());
    std::sort(order.begin(), order.end(), runs_later);
    for (State* s : order)
      for (Edge& e : s->node->d.edges)
        if (e.node && states_.find(e.node)->needed) s->needed = true;
  }

  bool wanted(const Edge& e) { return e.node && states_.find(e.node)->needed; }

  void push(State* s) {
    ready_.push_back(s);
    std::push_heap(ready_.begin(), ready_.end(), runs_later);
  }

  static bool sole_owner(const Tensor& t) {
    return Py_REFCNT(t.object()) == 1 && t->storage && t->storage->refs == 1 &&
           !t->is(kView | kRequiresGrad) && !t->dict;
  }

  void add_gradient(State& s, uint32_t slot, Tensor g) {
    if (!g.defined()) return;
    if (s.buffer.size() <= int(slot))
      s.buffer.resize(std::max(s.node->d.outputs.size(), int(slot) + 1));
    Tensor& have = s.buffer[int(slot)];
    if (!have.defined()) {
      have = std::move(g);
    } else if (!grad_mode.enabled && sole_owner(have) && have.dtype() == g.dtype() &&
               have.sizes() == g.sizes()) {
      view_ops.add_(have, g);
    } else {
      have = view_ops.add(have, g);
    }
  }

  // A gradient must have the shape, dtype and device of the output it belongs to; broadcasting is
  // undone.
  Tensor fit(Tensor g, const OutputMeta& m, const Node& from, int index) {
    if (g.sizes() != Ints(m.sizes)) {
      bool expandable = g.dim() >= m.sizes.size();
      for (int64_t i = 1; expandable && i <= m.sizes.size(); ++i) {
        int64_t want = m.sizes[m.sizes.size() - i];
        expandable = want == 1 || want == g.sizes()[g.dim() - i];
      }
      KG_CHECK(expandable, "Function ", from.d.rule->node_name,
               " returned an invalid gradient at index ", index, " - got ", g.sizes(),
               " but expected shape compatible with ", Ints(m.sizes));
      g = view_ops.sum_to(g, m.sizes);
    }
    if (g.dtype() != m.dtype) {
      KG_CHECK(is_differentiable(g.dtype()), "Function ", from.d.rule->node_name,
               " returned a gradient of dtype ", g.dtype(), " at index ", index,
               "; gradients are floating point or complex");
      g = view_ops.to_dtype(g, m.dtype);
    }
    KG_CHECK(g.device().type == m.device.type, "Function ", from.d.rule->node_name,
             " returned an invalid gradient at index ", index, " - expected device ", m.device,
             " but got ", g.device());
    return g;
  }

  void run_slot_hooks(State& s) {
    HookList* h = s.node->d.hooks;
    if (!h) return;
    for (size_t i = 0; i < h->slots.size(); ++i) {
      auto slot = h->slots[i];
      if (int(slot.slot) >= s.buffer.size()) continue;
      Tensor& g = s.buffer[int(slot.slot)];
      if (slot.hooks) {
        if (!g.defined()) continue;
        PyObject* dict = Py_NewRef(slot.hooks);
        hooks::run_tensor(dict, g);
        Py_DECREF(dict);
      } else if (slot.retain && g.defined()) {
        PyObject* o = PyWeakref_GetObject(slot.retain);
        if (o && o != Py_None) {
          TensorImpl* t = reinterpret_cast<TensorImpl*>(o);
          // Only while this node still is the tensor's history.
          if (t->autograd && t->autograd->retains_grad && t->autograd->grad_fn == s.node.get())
            accumulate(t, g, true);
        }
      }
    }
  }

  static void set_grad(TensorImpl* t, Tensor g) {
    AutogradMeta& m = tape::meta(t);
    TensorImpl* before = std::exchange(m.grad, g.release());
    tape::track(t);
    Py_XDECREF(reinterpret_cast<PyObject*>(before));
  }

  // A sparse gradient stays sparse as long as only sparse ones arrive.
  static void accumulate_sparse(TensorImpl* t, const Tensor& g, bool shared) {
    AutogradMeta& m = tape::meta(t);
    if (!m.grad) {
      bool own = !shared && is_sparse(g) && Py_REFCNT(g.object()) == 1 &&
                 Py_REFCNT(sparse_parts(g.get())) == 1;
      set_grad(t, grad_mode.enabled || own ? g : view_ops.clone(g));
    } else if (!grad_mode.enabled && (is_sparse(g) || !m.grad->is(kSparse))) {
      view_ops.add_(Tensor::borrow(m.grad), g);
    } else {
      set_grad(t, view_ops.add(Tensor::borrow(m.grad), g));
    }
  }

  static void accumulate(TensorImpl* t, const Tensor& g, bool shared) {
    AutogradMeta& m = tape::meta(t);
    if (is_sparse(g) || t->is(kSparse) || (m.grad && m.grad->is(kSparse))) {
      accumulate_sparse(t, g, shared);
      return;
    }
    if (!m.grad) {
      bool dense = is_non_overlapping_and_dense({t->sizes, t->ndim}, {t->strides(), t->ndim});
      bool strides_fit = dense ? std::equal(g.strides().begin(), g.strides().end(), t->strides())
                               : g.is_contiguous();
      if (t->numel <= 1) strides_fit = g.is_contiguous();
      if (grad_mode.enabled) {
        set_grad(t, strides_fit ? g
                                : view_ops.clone_strided(
                                      g, {t->sizes, t->ndim},
                                      dense ? Ints{t->strides(), t->ndim}
                                            : Ints(contiguous_strides({t->sizes, t->ndim}))));
        return;
      }
      // Nobody else holds the gradient: take it. (One count is the buffer's.)
      if (!shared && strides_fit && sole_owner(g)) {
        set_grad(t, g);
      } else {
        Dims strides =
            dense ? Dims(Ints{t->strides(), t->ndim}) : contiguous_strides({t->sizes, t->ndim});
        set_grad(t, view_ops.clone_strided(g, {t->sizes, t->ndim}, strides));
      }
    } else if (grad_mode.enabled) {
      set_grad(t, view_ops.add(Tensor::borrow(m.grad), g));
    } else {
      view_ops.add_(Tensor::borrow(m.grad), g);
    }
  }

  void accumulate_leaf(State& s) {
    TensorImpl* t = s.node->d.variable;
    if (!t || s.buffer.size() == 0) return;
    Tensor hold = Tensor::borrow(t);
    Tensor& g = s.buffer[0];
    HookList* h = t->autograd ? t->autograd->hooks : nullptr;
    if (h && h->tensor) {
      PyObject* dict = Py_NewRef(h->tensor);
      hooks::run_tensor(dict, g);
      Py_DECREF(dict);
    }
    capture(s);
    if (!g.defined() || only_inputs_ || (!s.needed)) return;
    HookList* node_hooks = s.node->d.hooks;
    if (node_hooks && node_hooks->pre) hooks::run_pre(node_hooks->pre, &g, 1);
    accumulate(t, g, !s.captured.empty());
    if (node_hooks && node_hooks->post) hooks::run_post(node_hooks->post, nullptr, 0, &g, 1);
    if (h && (h = t->autograd->hooks) && h->post_accumulate) {
      PyObject* dict = Py_NewRef(h->post_accumulate);
      hooks::run_post_accumulate(dict, t);
      Py_DECREF(dict);
    }
  }

  void capture(State& s) {
    if (!only_inputs_) return;
    for (size_t i = 0; i < s.captured.size(); ++i) {
      uint32_t slot = s.capture_slots[i];
      if (int(slot) < s.buffer.size()) results_[size_t(s.captured[i])] = s.buffer[int(slot)];
    }
  }

  void evaluate(State& s) {
    if (s.node->d.variable) {
      accumulate_leaf(s);
      s.buffer.clear();
      return;
    }
    Node& n = *s.node.get();
    s.buffer.resize(std::max(s.buffer.size(), n.d.outputs.size()));
    run_slot_hooks(s);
    capture(s);
    int k = n.d.edges.size();
    bool onward = false;
    if (s.needed && k) {
      for (Edge& e : n.d.edges) onward = onward || wanted(e);
      bool any = false;
      for (Tensor& g : s.buffer) any = any || g.defined();
      onward = onward && (any || n.d.python);
    }
    if (onward) {
      Few<Tensor, 4> results;
      results.resize(k);
      HookList* h = n.d.hooks;
      if (h && h->pre) hooks::run_pre(h->pre, s.buffer.begin(), s.buffer.size());
      KG_CHECK(!n.d.released,
               "Trying to backward through the graph a second time (or directly access saved "
               "tensors after they have already been freed). "
               "Saved intermediate values of the graph are freed when you call .backward() or "
               "autograd.grad(). Specify "
               "retain_graph=True if you need to backward through the graph a second time or if "
               "you need to access saved tensors "
               "after calling backward.");
      if (chosen_) {
        WantedEdges only(n, k, [&](int i) { return wanted(n.d.edges[i]); });
        n.d.rule->apply(n, s.buffer.begin(), results.begin());
      } else {
        n.d.rule->apply(n, s.buffer.begin(), results.begin());
      }
      if (h && (h = n.d.hooks) && h->post)
        hooks::run_post(h->post, results.begin(), k, s.buffer.begin(), s.buffer.size());
      if (anomaly.enabled) check_anomaly(n, results.begin(), k);
      s.buffer.clear();
      if (!options_.keep_graph) node::release_saved(&n);
      for (int i = 0; i < k; ++i) {
        Edge& e = n.d.edges[i];
        if (!e.node) continue;
        State* next = states_.find(e.node);
        if (results[i].defined() && next->needed)
          add_gradient(*next, e.slot,
                       fit(std::move(results[i]), e.node->d.outputs[int(e.slot)], n, i));
        if (--next->waiting == 0) push(next);
      }
    } else {
      s.buffer.clear();
      for (int i = 0; i < k; ++i) {
        Edge& e = n.d.edges[i];
        if (!e.node) continue;
        State* next = states_.find(e.node);
        if (--next->waiting == 0) push(next);
      }
    }
  }

  void check_anomaly(Node& n, Tensor* results, int k) {
    if (!anomaly.check_nan) return;
    for (int i = 0; i < k; ++i) {
      if (!results[i].defined() || !view_ops.any_nan(results[i])) continue;
      if (anomaly.warn) anomaly.warn(n);
      KG_FAIL(runtime, "Function '", n.d.rule->node_name, "' returned nan values in its ", i,
              "th output.");
    }
  }

  Options options_;
  States states_;
  std::vector<State*> ready_;
  std::vector<Tensor> results_;
  bool chosen_ = false;       // the run has inputs: gradients of others are not wanted
  bool only_inputs_ = false;  // and are not accumulated
  GradGuard grad_;
  WantedEdges all_;  // of the run around this one, if a rule has started it, nothing holds here
};

}  // namespace

std::vector<Tensor> run(const std::vector<Tensor>& roots, const std::vector<Tensor>& gradients,
                        const std::vector<Tensor>& inputs, const Options& options) {
  for (size_t i = 0; i < roots.size(); ++i) {
    KG_CHECK(roots[i].requires_grad(), "element ", i,
             " of tensors does not require grad and does not have a grad_fn; set "
             "requires_grad=True on the inputs it is computed from, and "
             "compute it outside of no_grad()");
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    KG_CHECK(inputs[i].requires_grad(),
             "One of the differentiated Tensors does not require grad (input ", i,
             "); set requires_grad=True on it before the forward computation");
  Task task(options, inputs);
  return task.run(roots, gradients, inputs);
}

}  // namespace kagari::engine
