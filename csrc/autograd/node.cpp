// Nodes: made from a free list, freed without recursion, saving and unpacking tensors.
#include "autograd/node.h"

#include <new>

#include "autograd/hooks.h"
#include "autograd/meta.h"
#include "core/caching.h"

namespace kagari {

PyTypeObject* node_type = nullptr;

namespace node {
namespace {

constexpr int kKept = 1024;
Node* kept[kKept];
int kept_count = 0;
const int kept_room = allocator::kept_objects(kKept);
uint64_t next_sequence = 0;

// Freeing a chain of nodes would recurse once per node: while one is being freed, the others wait
// here.
bool freeing = false;
std::vector<Node*> waiting;

void drop_saved(Saved& s) {
  if (TensorImpl* t = std::exchange(s.tensor, nullptr)) Py_DECREF(reinterpret_cast<PyObject*>(t));
  Py_CLEAR(s.packed);
  Py_CLEAR(s.unpack_hook);
}

void clear_data(NodeData& d) {
  for (Saved& s : d.saved) drop_saved(s);
  d.saved.clear();
  for (Edge& e : d.edges)
    if (Node* n = std::exchange(e.node, nullptr)) Py_DECREF(reinterpret_cast<PyObject*>(n));
  d.edges.clear();
  d.values.clear();
  d.first_edge.clear();
  d.outputs.clear();
  d.ints.clear();
  d.reals.clear();
  d.text.clear();
  if (HookList* h = std::exchange(d.hooks, nullptr)) delete h;
  Py_CLEAR(d.metadata);
  Py_CLEAR(d.traceback);
  Py_CLEAR(d.python);
  if (TensorImpl* v = std::exchange(d.variable, nullptr)) {
    if (v->autograd && v->autograd->accumulator) v->autograd->accumulator = nullptr;
    Py_DECREF(reinterpret_cast<PyObject*>(v));
  }
  if (d.extra) {
    if (d.rule && d.rule->drop_extra) d.rule->drop_extra(d.extra);
    d.extra = nullptr;
  }
}

void free_one(Node* n) {
  clear_data(n->d);
  Py_CLEAR(n->dict);
  PyTypeObject* type = Py_TYPE(n);
  if (type == node_type && kept_count < kept_room) {
    kept[kept_count++] = n;  // stays constructed, keeps its reference to the type
    return;
  }
  n->d.~NodeData();
  type->tp_free(n);
  Py_DECREF(type);
}

}  // namespace

uint64_t next() { return next_sequence++; }

NodeRef make(const Rule* rule) {
  Node* n;
  if (kept_count) {
    n = kept[--kept_count];
    _Py_NewReference(reinterpret_cast<PyObject*>(n));
  } else {
    n = PyObject_GC_New(Node, node_type);
    if (!n) throw_python_error();
    n->dict = nullptr;
    n->weakrefs = nullptr;
    new (&n->d) NodeData;
  }
  n->d.rule = rule;
  n->d.sequence = next();
  n->d.released = false;
  PyObject_GC_Track(reinterpret_cast<PyObject*>(n));
  NodeRef ref = NodeRef::steal(n);
  if (anomaly.enabled && anomaly.traceback) n->d.traceback = anomaly.traceback();
  return ref;
}

void clear(Node* n) {
  clear_data(n->d);
  Py_CLEAR(n->dict);
}

void dealloc(Node* n) {
  PyObject_GC_UnTrack(n);
  if (n->weakrefs) PyObject_ClearWeakRefs(reinterpret_cast<PyObject*>(n));
  if (freeing) {
    waiting.push_back(n);
    return;
  }
  freeing = true;
  free_one(n);
  while (!waiting.empty()) {
    Node* next = waiting.back();
    waiting.pop_back();
    free_one(next);
  }
  freeing = false;
}

void traverse(Node* n, visitproc visit, void* arg) {
  auto see = [&](void* o) {
    if (o) visit(static_cast<PyObject*>(o), arg);
  };
  NodeData& d = n->d;
  for (Edge& e : d.edges) see(e.node);
  for (Saved& s : d.saved) {
    see(s.tensor);
    see(s.packed);
    see(s.unpack_hook);
  }
  see(n->dict);
  see(d.metadata);
  see(d.python);
  see(d.variable);
  if (d.hooks) d.hooks->traverse(visit, arg);
  if (d.extra && d.rule->inner) see(d.rule->inner(d.extra));
}

void release_saved(Node* n) {
  if (n->d.extra && n->d.rule->inner) release_saved(n->d.rule->inner(n->d.extra));
  for (Saved& s : n->d.saved) {
    if (s.geometry_only) continue;  // holds no memory, and suffices for another backward
    drop_saved(s);
    n->d.released = true;
  }
}

int save(Node* n, const Tensor& t, bool is_output, uint32_t output_slot, bool geometry_only) {
  Saved s;
  s.is_output = is_output;
  s.output_slot = output_slot;
  s.geometry_only = geometry_only;
  if (geometry_only) {
    Tensor shell = Tensor::steal(impl::make());
    shell->dtype = t.dtype();
    shell->device = t.device();
    impl::set_geometry(shell.get(), t.sizes(), t.strides());
    shell->offset = t.offset();
    s.tensor = shell.release();
  } else {
    KG_CHECK(!t->is(kInference),
             "Inference tensors cannot be saved for backward. To work around you can make a clone "
             "to get a normal tensor and use it in autograd.");
    s.version = t->current_version();
    if (saved_hooks::any()) {
      // Hooks see the data without history; it is rejoined through the edge when the tensor is
      // unpacked.
      s.packed = saved_hooks::pack(t->autograd ? tape::detach(t) : t, &s.unpack_hook);
    } else {
      s.tensor = is_output ? tape::detach(t).release() : Tensor(t).release();
    }
  }
  n->d.saved.push(s);
  return n->d.saved.size() - 1;
}

Tensor unpack(Node* n, int slot) {
  Saved& s = n->d.saved[slot];
  KG_CHECK(s.tensor || s.packed,
           "Trying to backward through the graph a second time (or directly access saved tensors "
           "after they have already been freed). "
           "Saved intermediate values of the graph are freed when you call .backward() or "
           "autograd.grad(). Specify "
           "retain_graph=True if you need to backward through the graph a second time or if you "
           "need to access saved tensors "
           "after calling backward.");
  Tensor t;
  if (s.packed) {
    PyObject* o = PyObject_CallOneArg(s.unpack_hook, s.packed);
    if (!o) throw_python_error();
    if (!PyObject_TypeCheck(o, tensor_type)) {
      std::string got = Py_TYPE(o)->tp_name;
      Py_DECREF(o);
      KG_FAIL(type,
              "Output of saved tensor unpack_hook expected to be a Tensor but got result of type ",
              got);
    }
    t = Tensor::steal(reinterpret_cast<TensorImpl*>(o));
  } else {
    t = Tensor::borrow(s.tensor);
    if (s.geometry_only) return t;
    uint32_t now = s.tensor->current_version();
    if (now != s.version) {
      std::string writer = last_writer(s.tensor);
      KG_FAIL(runtime,
              "one of the variables needed for gradient computation has been modified by an "
              "inplace operation: [",
              t.dtype(), " ", t.sizes(), "], which ", n->d.rule->node_name,
              " saved, is at version ", now, "; expected version ", s.version, " instead.",
              writer.empty() ? writer : concat(" It was last written by ", writer, "."),
              " Replace the in-place operation by one that returns a new tensor, or clone() the "
              "tensor before writing to it.");
    }
  }
  if (!grad_mode.enabled) return t;
  auto join = [&](Node* history, uint32_t output_slot) {
    Tensor joined = tape::detach(t);
    AutogradMeta& m = tape::meta(joined.get());
    m.grad_fn = NodeRef::borrow(history).release();
    m.output_slot = output_slot;
    joined->flags |= kRequiresGrad;
    return joined;
  };
  if (s.is_output) return is_differentiable(t.dtype()) ? join(n, s.output_slot) : t;
  if (s.packed && s.edge >= 0) {
    const Edge& e = n->d.edges[s.edge];
    return join(e.node, e.slot);
  }
  return t;
}

void add_output(Node* n, const Tensor& t) {
  OutputMeta& m = n->d.outputs.push({});
  m.sizes = t.sizes();
  m.dtype = t.dtype();
  m.device = t.device();
}

// The op that last wrote in place, by version counter, for the error above: a small ring is enough
// to name it.
namespace {
struct Written {
  const void* key;
  const char* op;
  bool inplace;
};
constexpr uint32_t kRing = 64;
Written ring[kRing];
uint32_t ring_at = 0;
const void* version_key(TensorImpl* t) {
  while (t->base) t = t->base;
  return t->versions ? static_cast<const void*>(t->versions) : t;
}
}  // namespace

void note_write(TensorImpl* t, const char* op, bool inplace) {
  ring[ring_at++ % kRing] = {version_key(t), op, inplace};
}
std::string last_writer(TensorImpl* t) {
  const void* key = version_key(t);
  for (uint32_t i = 1; i <= kRing; ++i) {
    const Written& w = ring[(ring_at - i) % kRing];
    if (w.key == key) return concat(w.op, w.inplace ? "_" : "");
  }
  return {};
}

}  // namespace node
}  // namespace kagari
