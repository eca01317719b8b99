// The tape's nodes: one shape for all, with inline edges, attributes and saved tensors. The tape
// knows no op.
//
// Laws:
//  - A node IS a Python object (`tensor.grad_fn`), so identity, weak references and the collector
//  need nothing special.
//  - Nodes hold no closures over tensors: what backward needs stands in `values` (attributes) and
//  `saved` (tensors).
//  - `edges[i]` leads to the node that receives gradient i; a null node means that input i needs
//  none.
#pragma once
#include <vector>

#include "core/value.h"

namespace kagari {

struct Node;

// What a kind of node does. Rows of the op table derive from it; so do AccumulateGrad, CopySlices
// and Python's Functions.
struct Rule {
  const char* node_name;  // "MulBackward0"
  // grads: one per output of the forward op (undefined where nothing arrived). results: one per
  // edge.
  void (*apply)(Node& node, Tensor* grads, Tensor* results) = nullptr;
  void (*drop_extra)(void* extra) = nullptr;
  Node* (*inner)(void* extra) =
      nullptr;  // a node kept inside `extra`: the collector and release_saved look into it
};

struct Edge {
  Node* node = nullptr;  // strong
  uint32_t slot = 0;     // which of node's outputs (= gradient inputs) this edge feeds
};

// What is known of each forward output: for zero gradients and for checking the gradients that
// arrive.
struct OutputMeta {
  Dims sizes;
  Dtype dtype = Dtype::f32;
  Device device;
};

struct Saved {
  TensorImpl* tensor = nullptr;  // strong; null when packed by a hook
  uint32_t version = 0;
  bool is_output = false;      // held detached: the history is rejoined when it is unpacked
  bool geometry_only = false;  // sizes and dtype without data
  uint32_t output_slot = 0;
  int32_t edge = -1;           // of an input that needs a gradient: where its history continues
  PyObject* packed = nullptr;  // what the pack hook returned
  PyObject* unpack_hook = nullptr;
};

// A small array with inline room, for plain types.
template <class T, int Inline>
class Few {
 public:
  Few() = default;
  Few(const Few&) = delete;
  ~Few() { clear(); }
  T& push(T v) {
    if (n_ == capacity_) grow();
    return p_[n_++] = std::move(v);
  }
  void resize(int n) {
    while (capacity_ < n) grow();
    for (int i = n_; i < n; ++i) p_[i] = T();
    n_ = n;
  }
  void clear() {
    if constexpr (!std::is_trivially_destructible_v<T>)
      for (int i = 0; i < n_; ++i) p_[i] = T();
    n_ = 0;
    if (p_ != inline_) delete[] p_;
    p_ = inline_;
    capacity_ = Inline;
  }
  int size() const { return n_; }
  T& operator[](int i) { return p_[i]; }
  const T& operator[](int i) const { return p_[i]; }
  T* begin() { return p_; }
  T* end() { return p_ + n_; }

 private:
  void grow() {
    T* q = new T[size_t(capacity_) * 2];
    for (int i = 0; i < n_; ++i) q[i] = std::move(p_[i]);
    if (p_ != inline_) delete[] p_;
    p_ = q;
    capacity_ *= 2;
  }
  T inline_[Inline];
  T* p_ = inline_;
  int n_ = 0;
  int capacity_ = Inline;
};

// While it lives, a rule that runs in this thread knows which of its node's gradients are wanted. It is
// the thread's and not the node's: other threads may differentiate the same graph for other inputs.
class WantedEdges {
 public:
  // All gradients of all nodes, whatever a run around this one wants.
  WantedEdges() : node_(nullptr), around_(current_) { current_ = this; }
  // Of one node: wanted(index of the edge).
  template <class F>
  WantedEdges(const Node& node, int count, F&& wanted) : node_(&node), around_(current_) {
    flags_.resize(count);
    for (int i = 0; i < count; ++i) flags_[i] = wanted(i);
    current_ = this;
  }
  ~WantedEdges() { current_ = around_; }
  WantedEdges(const WantedEdges&) = delete;
  WantedEdges& operator=(const WantedEdges&) = delete;

  static bool has(const Node& node, int edge) {
    const WantedEdges* w = current_;
    return !w || w->node_ != &node || w->flags_[edge];
  }

 private:
  static inline thread_local constinit const WantedEdges* current_ = nullptr;
  const Node* node_;
  const WantedEdges* around_;
  Few<bool, 8> flags_;
};

struct HookList;  // autograd/hooks.h

struct NodeData {
  const Rule* rule = nullptr;
  uint64_t sequence = 0;
  bool released = false;  // buffers were freed by a backward without retain_graph
  Few<Edge, 3> edges;
  Few<Saved, 3> saved;
  Few<Value, 8> values;  // the op's arguments; a saved tensor's place holds its index into `saved`
                         // (tag tensor)
  Few<uint16_t, 8> first_edge;  // of each parameter
  Few<OutputMeta, 1> outputs;
  std::vector<int64_t> ints;  // what `ints` values point into
  std::vector<double> reals;
  std::string text;                // what `string` values point into
  HookList* hooks = nullptr;       // pre and post hooks
  PyObject* metadata = nullptr;    // node.metadata
  PyObject* traceback = nullptr;   // anomaly mode: where the forward ran
  PyObject* python = nullptr;      // autograd.Function: the class whose backward runs
  TensorImpl* variable = nullptr;  // AccumulateGrad: the leaf (strong)
  void* extra = nullptr;           // CopySlices: geometry

  // Edges [first, last) of a parameter: none of a number, one of a tensor, one of each in a list.
  struct EdgeRange {
    int first, last;
  };
  EdgeRange edges_of(int param) const {
    const bool more = param + 1 < first_edge.size();
    return {int(first_edge[param]), more ? int(first_edge[param + 1]) : edges.size()};
  }
};

struct Node {
  PyObject_HEAD PyObject* dict;
  PyObject* weakrefs;
  NodeData d;
};

extern PyTypeObject* node_type;

class NodeRef {
 public:
  NodeRef() = default;
  NodeRef(const NodeRef& o) : p_(o.p_) {
    check_gil();
    Py_XINCREF(reinterpret_cast<PyObject*>(p_));
  }
  NodeRef(NodeRef&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  ~NodeRef() { Py_XDECREF(reinterpret_cast<PyObject*>(p_)); }
  NodeRef& operator=(NodeRef o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  static NodeRef steal(Node* p) {
    NodeRef r;
    r.p_ = p;
    return r;
  }
  static NodeRef borrow(Node* p) {
    Py_XINCREF(reinterpret_cast<PyObject*>(p));
    return steal(p);
  }
  Node* get() const { return p_; }
  Node* operator->() const { return p_; }
  Node* release() { return std::exchange(p_, nullptr); }
  explicit operator bool() const { return p_; }

 private:
  Node* p_ = nullptr;
};

namespace node {
NodeRef make(const Rule* rule);  // next sequence number
uint64_t next();                 // the next sequence number
void clear(Node* n);             // drops edges and saved tensors without recursion
void dealloc(Node* n);
void traverse(Node* n, visitproc visit, void* arg);
void release_saved(Node* n);  // after backward without retain_graph
// Keeps a tensor for backward: checks hooks, detaches outputs.
int save(Node* n, const Tensor& t, bool is_output, uint32_t output_slot, bool geometry_only);
// Returns a saved tensor; throws when it was freed or written since.
Tensor unpack(Node* n, int slot);
void add_output(Node* n, const Tensor& t);
// Remembers which op wrote a tensor, so that the version error can name it: `add` as `add_` where
// it was called in place.
void note_write(TensorImpl* t, const char* op, bool inplace = false);
std::string last_writer(TensorImpl* t);  // empty where nobody knows
}  // namespace node

}  // namespace kagari
