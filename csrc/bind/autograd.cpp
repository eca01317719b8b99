// The tape seen from Python: the Node type, running the engine, hooks, modes, and the tensor's
// attributes that concern it.
#include "bind/autograd.h"

#include <structmember.h>

#include <cstring>

#include "autograd/engine.h"
#include "autograd/hooks.h"
#include "autograd/view_ops.h"
#include "bind/bind.h"
#include "ops/row.h"

namespace kagari {
namespace {

PyTypeObject* function_node_type = nullptr;

// Method tables hold one function type; the flags say which one it is.
template <class F>
PyCFunction as_function(F f) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f));
}

Node* as_node(PyObject* o) { return reinterpret_cast<Node*>(o); }

PyObject* removable_handle(PyObject* dict, PyObject* callable) {
  Ref module = checked(PyImport_ImportModule("kagari.utils.hooks"));
  Ref type = checked(PyObject_GetAttrString(module.get(), "RemovableHandle"));
  Ref handle = checked(PyObject_CallOneArg(type.get(), dict));
  Ref id = checked(PyObject_GetAttrString(handle.get(), "id"));
  // As an item of an OrderedDict: what PyDict_SetItem writes there, its pop does not find.
  checked_status(PyObject_SetItem(dict, id.get(), callable));
  return handle.release();
}

PyObject* new_hook_dict() {
  static PyObject* ordered = nullptr;
  if (!ordered) {
    Ref collections = checked(PyImport_ImportModule("collections"));
    ordered = checked(PyObject_GetAttrString(collections.get(), "OrderedDict")).release();
  }
  return checked(PyObject_CallNoArgs(ordered)).release();
}

// ---- Node ---------------------------------------------------------------------------------------

PyObject* node_name(PyObject* self, PyObject*) {
  return PyUnicode_FromString(as_node(self)->d.rule->node_name);
}

PyObject* node_repr(PyObject* self) {
  const char* name =
      Py_TYPE(self) == node_type ? as_node(self)->d.rule->node_name : Py_TYPE(self)->tp_name;
  return PyUnicode_FromFormat("<%s object at %p>", name, self);
}

PyObject* node_next_functions(PyObject* self, void*) {
  NodeData& d = as_node(self)->d;
  PyObject* t = PyTuple_New(d.edges.size());
  if (!t) return nullptr;
  for (int i = 0; i < d.edges.size(); ++i) {
    PyObject* n = d.edges[i].node ? reinterpret_cast<PyObject*>(d.edges[i].node) : Py_None;
    PyObject* pair = Py_BuildValue("(OI)", n, unsigned(d.edges[i].slot));
    if (!pair) {
      Py_DECREF(t);
      return nullptr;
    }
    PyTuple_SET_ITEM(t, i, pair);
  }
  return t;
}

PyObject* node_metadata(PyObject* self, void*) {
  NodeData& d = as_node(self)->d;
  if (!d.metadata) d.metadata = PyDict_New();
  return Py_XNewRef(d.metadata);
}

PyObject* node_sequence(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(as_node(self)->d.sequence);
}

PyObject* node_variable(PyObject* self, void*) {
  TensorImpl* v = as_node(self)->d.variable;
  if (!v) {
    PyErr_Format(PyExc_AttributeError,
                 "'%s' has no attribute 'variable': only AccumulateGrad nodes hold one",
                 as_node(self)->d.rule->node_name);
    return nullptr;
  }
  return Py_NewRef(reinterpret_cast<PyObject*>(v));
}

PyObject* node_saved_tensors(PyObject* self, void*) {
  KG_BIND_TRY
  Node* n = as_node(self);
  KG_CHECK(!n->d.released,
           "Trying to backward through the graph a second time (or directly access saved tensors "
           "after they have already been freed). Saved "
           "intermediate values of the graph are freed when you call .backward() or "
           "autograd.grad(). Specify retain_graph=True if you need to "
           "backward through the graph a second time or if you need to access saved tensors after "
           "calling backward.");
  Ref t = checked(PyTuple_New(n->d.saved.size()));
  for (int i = 0; i < n->d.saved.size(); ++i) {
    bool holds = n->d.saved[i].tensor || n->d.saved[i].packed;
    PyTuple_SET_ITEM(t.get(), i, wrap(holds ? node::unpack(n, i) : Tensor()));
  }
  return t.release();
  KG_BIND_CATCH("saved_tensors", nullptr)
}

PyObject* node_add_hook(PyObject* self, PyObject* hook, PyObject* HookList::* where) {
  KG_BIND_TRY
  NodeData& d = as_node(self)->d;
  KG_CHECK_TYPE(PyCallable_Check(hook), "expected a callable, got ", Py_TYPE(hook)->tp_name);
  if (!d.hooks) d.hooks = new HookList;
  if (!(d.hooks->*where)) d.hooks->*where = new_hook_dict();
  return removable_handle(d.hooks->*where, hook);
  KG_BIND_CATCH("register_hook", nullptr)
}
PyObject* node_register_hook(PyObject* self, PyObject* hook) {
  return node_add_hook(self, hook, &HookList::post);
}
PyObject* node_register_prehook(PyObject* self, PyObject* hook) {
  return node_add_hook(self, hook, &HookList::pre);
}

// Calling a node applies its rule to gradients: what a backward pass does at this place.
PyObject* node_call(PyObject* self, PyObject* args, PyObject*) {
  KG_BIND_TRY
  Node* n = as_node(self);
  int k = n->d.outputs.size();
  KG_CHECK_TYPE(PyTuple_GET_SIZE(args) == k, n->d.rule->node_name, " takes ", k, " gradients, got ",
                PyTuple_GET_SIZE(args));
  KG_CHECK(n->d.rule->apply, n->d.rule->node_name,
           " cannot be called: the engine itself adds to the leaf's gradient");
  std::vector<Tensor> grads, results(static_cast<size_t>(n->d.edges.size()));
  for (int i = 0; i < k; ++i) {
    PyObject* o = PyTuple_GET_ITEM(args, i);
    KG_CHECK_TYPE(o == Py_None || is_tensor(o), "gradients are Tensors or None, got ",
                  Py_TYPE(o)->tp_name);
    grads.push_back(o == Py_None ? Tensor() : as_tensor(o));
  }
  n->d.rule->apply(*n, grads.data(), results.data());
  if (results.size() == 1) return wrap(std::move(results[0]));
  Ref t = checked(PyTuple_New(Py_ssize_t(results.size())));
  for (size_t i = 0; i < results.size(); ++i)
    PyTuple_SET_ITEM(t.get(), Py_ssize_t(i), wrap(std::move(results[i])));
  return t.release();
  KG_BIND_CATCH("Node.__call__", nullptr)
}

// A new reference, or null without an exception when the node keeps nothing of that name.
PyObject* saved_attribute(Node* n, std::string_view name) {
  const Row* row = row_of(n->d.rule);
  if (!row) return nullptr;
  int i = row->sig.find(name == "self" && row->sig.find("self") < 0 ? "input" : name);
  if (i < 0) {
    int r = row->sig.find_result(name);
    for (int k = 0; r >= 0 && k < n->d.saved.size(); ++k)
      if (n->d.saved[k].is_output && int(n->d.saved[k].output_slot) == r)
        return wrap(node::unpack(n, k));
    return nullptr;
  }
  const Value& v = n->d.values[i];
  switch (v.tag) {
    case Value::Tag::tensor:
      return wrap(node::unpack(n, int(v.i)));
    case Value::Tag::scalar:
    case Value::Tag::integer:
    case Value::Tag::real:
    case Value::Tag::boolean:
      return wrap(v.scalar());
    case Value::Tag::ints:
      return wrap_ints({v.ints, v.n});
    case Value::Tag::string:
      return PyUnicode_FromStringAndSize(v.s, v.n);
    case Value::Tag::dtype:
      return wrap(Dtype(v.i));
    case Value::Tag::tensors: {
      Ref t = checked(PyTuple_New(v.n));
      for (uint32_t k = 0; k < v.n; ++k)
        PyTuple_SET_ITEM(t.get(), k, wrap(node::unpack(n, int(v.i) + int(k))));
      return t.release();
    }
    case Value::Tag::none:
      return row->sig.params[size_t(i)].type == ArgType::tensor ? nullptr : Py_NewRef(Py_None);
    default:
      return nullptr;
  }
}

// node._saved_self, node._saved_dim ...: the arguments and results that the node keeps, for tools
// that inspect graphs.
PyObject* node_getattro(PyObject* self, PyObject* name) {
  PyObject* found = PyObject_GenericGetAttr(self, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  const char* text = PyUnicode_AsUTF8(name);
  if (!text || std::strncmp(text, "_saved_", 7) != 0) return nullptr;
  PyErr_Clear();
  KG_BIND_TRY
  PyObject* value = saved_attribute(as_node(self), text + 7);
  if (value) return value;
  PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute '%s'",
               as_node(self)->d.rule->node_name, text);
  return nullptr;
  KG_BIND_CATCH(nullptr, nullptr)
}

int node_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  int stop = 0;
  struct Walk {
    visitproc visit;
    void* arg;
    int* stop;
  } walk{visit, arg, &stop};
  node::traverse(
      as_node(self),
      [](PyObject* o, void* w) {
        auto* at = static_cast<Walk*>(w);
        if (*at->stop == 0) *at->stop = at->visit(o, at->arg);
        return *at->stop;
      },
      &walk);
  return stop;
}
int node_clear(PyObject* self) {
  node::clear(as_node(self));
  return 0;
}
void node_dealloc(PyObject* self) { node::dealloc(as_node(self)); }

PyGetSetDef node_getset[] = {
    {"next_functions", node_next_functions, nullptr,
     "The nodes that receive this node's results, with their input numbers.", nullptr},
    {"metadata", node_metadata, nullptr, "A dict for the user's own notes on the node.", nullptr},
    {"variable", node_variable, nullptr, "The leaf of an AccumulateGrad node.", nullptr},
    {"saved_tensors", node_saved_tensors, nullptr, "The tensors that were saved for backward.",
     nullptr},
    {"_raw_saved_tensors", node_saved_tensors, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef node_methods[] = {
    {"name", node_name, METH_NOARGS, "The name of the node's kind, such as 'MulBackward0'."},
    {"_sequence_nr", node_sequence, METH_NOARGS, "The node's place in the order of recording."},
    {"register_hook", node_register_hook, METH_O,
     "Registers f(grad_inputs, grad_outputs), called after the node has run; it may return new "
     "grad_inputs."},
    {"register_prehook", node_register_prehook, METH_O,
     "Registers f(grad_outputs), called before the node runs; it may return new grad_outputs."},
    {nullptr, nullptr, 0, nullptr}};
PyMemberDef node_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Node, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyType_Slot node_slots[] = {
    {Py_tp_doc, const_cast<char*>("A recorded operation: what runs its derivative in backward.")},
    {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
    {Py_tp_call, reinterpret_cast<void*>(node_call)},
    {Py_tp_getattro, reinterpret_cast<void*>(node_getattro)},
    {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
    {Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
    {Py_tp_getset, node_getset},
    {Py_tp_methods, node_methods},
    {Py_tp_members, node_members},
    {0, nullptr}};
PyType_Spec node_spec{"kagari._core.Node", sizeof(Node), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
                          Py_TPFLAGS_DISALLOW_INSTANTIATION,
                      node_slots};

// ---- Functions written in Python ----------------------------------------------------------------

void apply_python(Node& n, Tensor* grads, Tensor* results) {
  PyObject* self = reinterpret_cast<PyObject*>(&n);
  int k = n.d.outputs.size();
  Ref materialize = checked(PyObject_GetAttrString(self, "materialize_grads"));
  bool fill = PyObject_IsTrue(materialize.get());
  Ref args = checked(PyTuple_New(k));
  for (int i = 0; i < k; ++i) {
    Tensor g = grads[i];
    const OutputMeta& m = n.d.outputs[i];
    if (!g.defined() && fill && m.dtype != Dtype::undefined) {
      g = empty(m.sizes, m.dtype, m.device);
      GradGuard off(false);
      view_ops.zero_(g);
    }
    PyTuple_SET_ITEM(args.get(), i, wrap(g));
  }
  Ref apply = checked(PyObject_GetAttrString(self, "apply"));
  Ref out = checked(PyObject_CallObject(apply.get(), args.get()));
  if (!PyTuple_Check(out.get())) {
    Ref one = checked(PyTuple_Pack(1, out.get()));
    out = one;
  }
  Py_ssize_t given = PyTuple_GET_SIZE(out.get());
  Py_ssize_t wanted = n.d.first_edge.size();
  for (Py_ssize_t i = wanted; i < given; ++i)
    KG_CHECK(PyTuple_GET_ITEM(out.get(), i) == Py_None, Py_TYPE(self)->tp_name,
             ": backward returned too many gradients (", given, "); forward took ", wanted,
             " arguments, so return ", wanted);
  KG_CHECK(given >= wanted, Py_TYPE(self)->tp_name, ": backward returned ", given,
           " gradients, but forward took ", wanted,
           " arguments; return one for each (None for those without)");
  for (Py_ssize_t i = 0; i < wanted; ++i) {
    PyObject* o = PyTuple_GET_ITEM(out.get(), i);
    if (o == Py_None) continue;
    KG_CHECK_TYPE(is_tensor(o), Py_TYPE(self)->tp_name,
                  ": backward must return Tensors or None, got ", Py_TYPE(o)->tp_name,
                  " for argument ", i);
    int e = n.d.first_edge[int(i)];
    if (e != 0xffff && n.d.edges[e].node) results[e] = as_tensor(o);
  }
}

// One rule per Function class, so that node names are the user's.
const Rule* rule_of(PyTypeObject* ctx_type) {
  static std::vector<std::pair<std::string, Rule*>> rules;
  for (auto& [name, rule] : rules)
    if (name == ctx_type->tp_name) return rule;
  char* name = strdup(ctx_type->tp_name);
  rules.emplace_back(name, new Rule{name, apply_python});
  return rules.back().second;
}

PyObject* function_node_new(PyTypeObject* type, PyObject*, PyObject*) {
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) return nullptr;
  Node* n = as_node(o);
  new (&n->d) NodeData;
  n->d.rule = rule_of(type);
  return o;
}

// Makes the outputs of forward the outputs of the node. `dirty` and `non_differentiable` are the
// context's marks.
void function_finish(Node* n, PyObject* args, PyObject* outputs, bool recording) {
  PyObject* self = reinterpret_cast<PyObject*>(n);
  Ref dirty = Ref::steal(PyObject_GetAttrString(self, "dirty_tensors"));
  Ref plain = Ref::steal(PyObject_GetAttrString(self, "non_differentiable"));
  Ref saved = Ref::steal(PyObject_GetAttrString(self, "to_save"));
  if (!dirty || !plain || !saved) throw_python_error();
  auto in = [](PyObject* tuple, PyObject* o) {
    if (!PyTuple_Check(tuple)) return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i)
      if (PyTuple_GET_ITEM(tuple, i) == o) return true;
    return false;
  };
  NodeRef node = NodeRef::borrow(n);
  std::vector<std::pair<PyObject*, uint32_t>> slots;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(outputs); ++i) {
    PyObject* o = PyTuple_GET_ITEM(outputs, i);
    if (!is_tensor(o)) {
      n->d.outputs.push({}).dtype = Dtype::undefined;
      continue;
    }
    Tensor t = as_tensor(o);
    bool is_input = in(args, o), is_dirty = in(dirty.get(), o),
         no_gradient = in(plain.get(), o) || !is_differentiable(t.dtype());
    if (is_dirty) {
      t->bump_version();
      node::note_write(t.get(), Py_TYPE(self)->tp_name);
    }
    if (!recording || no_gradient) {
      if (is_input && !is_dirty) {
        GradGuard off(false);
        Tensor again = tape::detach(t);
        if (recording) {
          PyTuple_SET_ITEM(outputs, i, wrap(again));
          Py_DECREF(o);
        }
      }
      if (recording) node::add_output(n, t);
      continue;
    }
    slots.emplace_back(o, uint32_t(n->d.outputs.size()));
    if (is_dirty) {
      KG_CHECK(is_input,
               "mark_dirty: a tensor that forward wrote must be one of its inputs and one of its "
               "outputs");
      if (t->is(kView) || n->d.outputs.size() > 0) {
        KG_CHECK(!t->is(kView), "mark_dirty on a view is not supported; clone() the tensor first");
      }
      tape::check_inplace(t.get(), true);
      tape::rebase_history(t, node);
      tape::meta(t.get()).output_slot = uint32_t(n->d.outputs.size() - 1);
      continue;
    }
    if (is_input || t->is(kRequiresGrad)) {  // an input returned as it is, or a tensor with another
                                             // history: a fresh alias
      t = tape::detach(t);
      PyTuple_SET_ITEM(outputs, i, wrap(t));
      slots.back().first = t.object();
      slots.emplace_back(o, slots.back().second);
      Py_DECREF(o);
    } else if (t->is(kView) && !t->base->is(kRequiresGrad)) {
      // The result is the function's, not a part of a tensor made inside forward.
      Py_DECREF(reinterpret_cast<PyObject*>(std::exchange(t->base, nullptr)));
      t->flags &= ~uint32_t(kView | kViewNoGrad | kViewInference | kViewMultiOutput);
    }
    tape::set_history(t, node);
  }
  if (recording && PyTuple_Check(saved.get())) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(saved.get()); ++i) {
      PyObject* o = PyTuple_GET_ITEM(saved.get(), i);
      if (o == Py_None) {
        n->d.saved.push({});
        continue;
      }
      KG_CHECK_TYPE(is_tensor(o), "save_for_backward can only save Tensors or None, got ",
                    Py_TYPE(o)->tp_name, "; keep other values as attributes of ctx");
      bool is_output = false;
      uint32_t slot = 0;
      for (auto& [object, at] : slots) {
        if (object == o && !in(args, o)) {
          is_output = true;
          slot = at;
        }
      }
      node::save(n, as_tensor(o), is_output, slot, false);
    }
    checked_status(PyObject_SetAttrString(self, "to_save", Py_None));
  }
}

// _function_begin(ctx, args) -> whether the call is recorded; fills the node's edges and
// ctx.needs_input_grad.
PyObject* function_begin(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  KG_BIND_TRY
  KG_CHECK_TYPE(
      nargs == 2 && PyTuple_Check(args[1]) && PyObject_TypeCheck(args[0], function_node_type),
      "expected a context and a tuple");
  Node* n = as_node(args[0]);
  n->d.sequence = node::next();
  bool any = false;
  Py_ssize_t count = PyTuple_GET_SIZE(args[1]);
  Ref needs = checked(PyTuple_New(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* o = PyTuple_GET_ITEM(args[1], i);
    bool want = is_tensor(o) && as_impl(o)->is(kRequiresGrad);
    any = any || want;
    PyTuple_SET_ITEM(needs.get(), i, Py_NewRef(want ? Py_True : Py_False));
  }
  bool recording = any && grad_mode.enabled;
  if (recording) {
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* o = PyTuple_GET_ITEM(args[1], i);
      bool tensor = is_tensor(o);
      n->d.first_edge.push(tensor ? uint16_t(n->d.edges.size()) : uint16_t(0xffff));
      if (tensor)
        n->d.edges.push(as_impl(o)->is(kRequiresGrad) ? tape::gradient_edge(as_impl(o)) : Edge{});
    }
    if (anomaly.enabled && anomaly.traceback) n->d.traceback = anomaly.traceback();
  }
  checked_status(PyObject_SetAttrString(args[0], "needs_input_grad", needs.get()));
  return PyBool_FromLong(recording);
  KG_BIND_CATCH("Function.apply", nullptr)
}

// _function_end(ctx, args, outputs, recording) -> outputs with their history
PyObject* function_end(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  KG_BIND_TRY
  KG_CHECK_TYPE(nargs == 4 && PyTuple_Check(args[1]),
                "expected a context, its arguments, outputs and a flag");
  bool single = !PyTuple_Check(args[2]);
  Ref outputs;
  if (single) {
    outputs = checked(PyTuple_Pack(1, args[2]));
  } else {  // a copy: outputs may be replaced by aliases
    Py_ssize_t k = PyTuple_GET_SIZE(args[2]);
    outputs = checked(PyTuple_New(k));
    for (Py_ssize_t i = 0; i < k; ++i)
      PyTuple_SET_ITEM(outputs.get(), i, Py_NewRef(PyTuple_GET_ITEM(args[2], i)));
  }
  function_finish(as_node(args[0]), args[1], outputs.get(), args[3] == Py_True);
  if (single) return Py_NewRef(PyTuple_GET_ITEM(outputs.get(), 0));
  return outputs.release();
  KG_BIND_CATCH("Function.apply", nullptr)
}

void function_node_dealloc(PyObject* self) {
  PyObject_GC_UnTrack(self);
  node::dealloc(as_node(self));
}

PyType_Slot function_node_slots[] = {
    {Py_tp_doc, const_cast<char*>("The node of an autograd.Function; also its context.")},
    {Py_tp_new, reinterpret_cast<void*>(function_node_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(function_node_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
    {0, nullptr}};
PyType_Spec function_node_spec{"kagari._core.FunctionNode", sizeof(Node), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
                               function_node_slots};

// ---- The engine and the modes -------------------------------------------------------------------

std::vector<Tensor> tensor_vector(PyObject* o, const char* what) {
  Ref fast = checked(PySequence_Fast(o, what));
  std::vector<Tensor> list;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    PyObject* e = PySequence_Fast_GET_ITEM(fast.get(), i);
    KG_CHECK_TYPE(is_tensor(e) || e == Py_None, what, ": expected Tensors, got ",
                  Py_TYPE(e)->tp_name);
    list.push_back(e == Py_None ? Tensor() : as_tensor(e));
  }
  return list;
}

// Gradients for the roots: None stands for one when the root has one element.
void fill_gradients(const std::vector<Tensor>& roots, std::vector<Tensor>& gradients) {
  KG_CHECK(gradients.size() == roots.size(), "got ", roots.size(), " tensors and ",
           gradients.size(), " gradients; give one for each");
  for (size_t i = 0; i < roots.size(); ++i) {
    if (!gradients[i].defined()) {
      KG_CHECK(roots[i].numel() == 1,
               "grad can be implicitly created only for scalar outputs; got an output of shape ",
               roots[i].sizes(),
               ": reduce it first, as in y.sum().backward(), or pass a gradient of its shape");
      KG_CHECK(is_floating(roots[i].dtype()),
               "grad can be implicitly created only for real scalar outputs but got ",
               roots[i].dtype());
      gradients[i] = scalar_like_one(roots[i]);
    } else {
      KG_CHECK(gradients[i].sizes() == roots[i].sizes(), "Mismatch in shape: grad_output[", i,
               "] has a shape of ", gradients[i].sizes(), " and output[", i, "] has a shape of ",
               roots[i].sizes(), ".");
      KG_CHECK(is_complex(gradients[i].dtype()) == is_complex(roots[i].dtype()),
               "For complex Tensors, both grad_output and output are required to have the same "
               "dtype. Mismatch in dtype: grad_output[",
               i, "] has a dtype of ", gradients[i].dtype(), " and output[", i, "] has a dtype of ",
               roots[i].dtype(), ".");
    }
  }
}

// _run_backward(tensors, gradients, keep_graph, create_graph, inputs, allow_unused, accumulate) ->
// tuple
PyObject* run_backward(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  KG_BIND_TRY
  KG_CHECK_TYPE(nargs == 7, "expected 7 arguments, got ", nargs);
  std::vector<Tensor> roots = tensor_vector(args[0], "tensors"),
                      gradients = tensor_vector(args[1], "gradients"),
                      inputs = tensor_vector(args[4], "inputs");
  for (size_t i = 0; i < roots.size(); ++i) {
    KG_CHECK_TYPE(roots[i].defined(), "element ", i, " of tensors is None");
    KG_CHECK(roots[i].requires_grad(), "element ", i,
             " of tensors does not require grad and does not have a grad_fn; set "
             "requires_grad=True on the inputs it is computed from, and "
             "compute it outside of no_grad()");
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    KG_CHECK_TYPE(inputs[i].defined(), "element ", i, " of inputs is None");
  fill_gradients(roots, gradients);
  engine::Options options;
  options.keep_graph = PyObject_IsTrue(args[2]);
  options.create_graph = PyObject_IsTrue(args[3]);
  options.allow_unused = PyObject_IsTrue(args[5]);
  options.accumulate = PyObject_IsTrue(args[6]);
  std::vector<Tensor> results = engine::run(roots, gradients, inputs, options);
  if (options.accumulate) Py_RETURN_NONE;
  Ref t = checked(PyTuple_New(Py_ssize_t(results.size())));
  for (size_t i = 0; i < results.size(); ++i) {
    KG_CHECK(results[i].defined() || options.allow_unused,
             "One of the differentiated Tensors appears to not have been used in the graph (input ",
             i, "). Set allow_unused=True if this is the desired behavior.");
    PyTuple_SET_ITEM(t.get(), Py_ssize_t(i), wrap(std::move(results[i])));
  }
  return t.release();
  KG_BIND_CATCH(nullptr, nullptr)
}

// tensor.backward(): without arguments straight to the engine, else through
// kagari.autograd.backward.
PyObject* tensor_backward(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                          PyObject* kwnames) {
  KG_BIND_TRY
  if (fact_needs_override(self)) {
    std::vector<PyObject*> all{self};
    Py_ssize_t total = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    all.insert(all.end(), args, args + total);
    return dispatch_method("backward", all.data(), 1 + nargs, kwnames);
  }
  if (nargs == 0 && (!kwnames || PyTuple_GET_SIZE(kwnames) == 0)) {
    std::vector<Tensor> roots{as_tensor(self)}, gradients(1);
    KG_CHECK(roots[0].requires_grad(),
             "element 0 of tensors does not require grad and does not have a grad_fn; set "
             "requires_grad=True on the "
             "inputs it is computed from, and compute it outside of no_grad()");
    fill_gradients(roots, gradients);
    engine::run(roots, gradients, {}, {});
    Py_RETURN_NONE;
  }
  Ref module = checked(PyImport_ImportModule("kagari.autograd"));
  Ref function = checked(PyObject_GetAttrString(module.get(), "_tensor_backward"));
  std::vector<PyObject*> all{self};
  Py_ssize_t total = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  all.insert(all.end(), args, args + total);
  return PyObject_Vectorcall(function.get(), all.data(), size_t(1 + nargs), kwnames);
  KG_BIND_CATCH("backward", nullptr)
}

PyObject* is_grad_enabled(PyObject*, PyObject*) { return PyBool_FromLong(grad_mode.enabled); }
PyObject* set_grad_enabled(PyObject*, PyObject* value) {
  int on = PyObject_IsTrue(value);
  if (on < 0) return nullptr;
  grad_mode.enabled = on;
  Py_RETURN_NONE;
}
PyObject* is_inference(PyObject*, PyObject*) { return PyBool_FromLong(grad_mode.inference); }
PyObject* set_inference(PyObject*, PyObject* value) {
  int on = PyObject_IsTrue(value);
  if (on < 0) return nullptr;
  grad_mode.inference = on;
  Py_RETURN_NONE;
}

PyObject* push_saved_hooks(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  KG_BIND_TRY
  KG_CHECK_TYPE(nargs == 2 && PyCallable_Check(args[0]) && PyCallable_Check(args[1]),
                "expected two callables: pack_hook and unpack_hook");
  saved_hooks::push(args[0], args[1]);
  Py_RETURN_NONE;
  KG_BIND_CATCH("saved_tensors_hooks", nullptr)
}
PyObject* pop_saved_hooks(PyObject*, PyObject*) {
  KG_BIND_TRY
  saved_hooks::pop();
  Py_RETURN_NONE;
  KG_BIND_CATCH("saved_tensors_hooks", nullptr)
}
PyObject* forbid_saved_hooks(PyObject*, PyObject* message) {
  KG_BIND_TRY
  saved_hooks::forbid(message == Py_None ? nullptr : PyUnicode_AsUTF8(message));
  Py_RETURN_NONE;
  KG_BIND_CATCH("disable_saved_tensors_hooks", nullptr)
}

PyObject* stack_text() {
  PyObject* module = PyImport_ImportModule("traceback");
  PyObject* lines = module ? PyObject_CallMethod(module, "format_stack", nullptr) : nullptr;
  Py_XDECREF(module);
  if (!lines) PyErr_Clear();
  return lines;
}
void warn_with_forward(Node& n) {
  if (!n.d.traceback) return;
  PyObject* empty_text = PyUnicode_FromString("");
  PyObject* text = PyUnicode_Join(empty_text, n.d.traceback);
  Py_DECREF(empty_text);
  if (text &&
      PyErr_WarnFormat(PyExc_UserWarning, 1,
                       "Error detected in %s. Traceback of forward call that caused the error:\n%U",
                       n.d.rule->node_name, text) < 0) {
    Py_DECREF(text);
    throw_python_error();
  }
  Py_XDECREF(text);
}
PyObject* set_anomaly(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  if (nargs != 2) {
    PyErr_SetString(PyExc_TypeError, "expected (enabled, check_nan)");
    return nullptr;
  }
  anomaly.enabled = PyObject_IsTrue(args[0]) == 1;
  anomaly.check_nan = PyObject_IsTrue(args[1]) == 1;
  anomaly.traceback = stack_text;
  anomaly.warn = warn_with_forward;
  Py_RETURN_NONE;
}
PyObject* is_anomaly(PyObject*, PyObject*) { return PyBool_FromLong(anomaly.enabled); }
PyObject* is_anomaly_nan(PyObject*, PyObject*) { return PyBool_FromLong(anomaly.check_nan); }

PyObject* bump_version(PyObject*, PyObject* o) {
  KG_BIND_TRY
  KG_CHECK_TYPE(is_tensor(o), "expected a Tensor, got ", Py_TYPE(o)->tp_name);
  as_impl(o)->bump_version();
  Py_RETURN_NONE;
  KG_BIND_CATCH("increment_version", nullptr)
}

PyMethodDef functions[] = {
    {"_bump_version", bump_version, METH_O, nullptr},
    {"_run_backward", as_function(run_backward), METH_FASTCALL, nullptr},
    {"is_grad_enabled", is_grad_enabled, METH_NOARGS,
     "Returns whether operations are recorded for backward.\n"
     "\n    >>> with kagari.no_grad():\n    ...     kagari.is_grad_enabled()\n    False"},
    {"_set_grad_enabled", set_grad_enabled, METH_O, nullptr},
    {"is_inference_mode_enabled", is_inference, METH_NOARGS,
     "Returns whether inference mode is on.\n"
     "\n    >>> kagari.is_inference_mode_enabled()\n    False"},
    {"_set_inference_mode", set_inference, METH_O, nullptr},
    {"_push_saved_tensors_hooks", as_function(push_saved_hooks), METH_FASTCALL, nullptr},
    {"_pop_saved_tensors_hooks", pop_saved_hooks, METH_NOARGS, nullptr},
    {"_forbid_saved_tensors_hooks", forbid_saved_hooks, METH_O, nullptr},
    {"_set_anomaly", as_function(set_anomaly), METH_FASTCALL, nullptr},
    {"is_anomaly_enabled", is_anomaly, METH_NOARGS, "Returns whether anomaly mode is on."},
    {"is_anomaly_check_nan_enabled", is_anomaly_nan, METH_NOARGS,
     "Returns whether anomaly mode looks for NaN."},
    {"_function_begin", as_function(function_begin), METH_FASTCALL, nullptr},
    {"_function_end", as_function(function_end), METH_FASTCALL, nullptr},
    {nullptr, nullptr, 0, nullptr}};

// ---- The tensor's side --------------------------------------------------------------------------

PyObject* get_grad_fn(PyObject* self, void*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_getter(self, "grad_fn");
  Node* n = tape::grad_fn(as_impl(self));
  return Py_NewRef(n ? reinterpret_cast<PyObject*>(n) : Py_None);
  KG_BIND_CATCH("grad_fn", nullptr)
}
PyObject* get_grad(PyObject* self, void*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_getter(self, "grad");
  TensorImpl* t = as_impl(self);
  if (t->autograd && t->autograd->grad)
    return Py_NewRef(reinterpret_cast<PyObject*>(t->autograd->grad));
  if (t->is(kRequiresGrad) && !tape::is_leaf(t) && !t->autograd->retains_grad) {
    if (PyErr_WarnEx(PyExc_UserWarning,
                     "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. "
                     "Its .grad attribute won't be populated during "
                     "autograd.backward(). If you indeed want the .grad field to be populated for "
                     "a non-leaf Tensor, use .retain_grad() on the "
                     "non-leaf Tensor.",
                     1) < 0)
      return nullptr;
  }
  Py_RETURN_NONE;
  KG_BIND_CATCH("grad", nullptr)
}
int set_grad(PyObject* self, PyObject* value, void*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_setter(self, "grad", value);
  TensorImpl* t = as_impl(self);
  if (!value || value == Py_None) {
    if (t->autograd) {
      TensorImpl* before = std::exchange(t->autograd->grad, nullptr);
      Py_XDECREF(reinterpret_cast<PyObject*>(before));
    }
    return 0;
  }
  KG_CHECK_TYPE(is_tensor(value), "assigned grad expected to be a Tensor or None but got ",
                Py_TYPE(value)->tp_name);
  TensorImpl* g = as_impl(value);
  KG_CHECK(value != self, "can't assign Variable as its own grad");
  KG_CHECK(g->dtype == t->dtype, "attempting to assign a gradient with dtype '", g->dtype,
           "' to a tensor with dtype '", t->dtype,
           "'. Please ensure that the gradient and the tensor have the same dtype");
  KG_CHECK(g->device.type == t->device.type, "attempting to assign a gradient located on device '",
           g->device, "' to a tensor located on device '", t->device,
           "'. Please ensure that the gradient and the tensor are on the same device");
  KG_CHECK(Ints(g->sizes, g->ndim) == Ints(t->sizes, t->ndim),
           "attempting to assign a gradient of size '", Ints(g->sizes, g->ndim),
           "' to a tensor of size '", Ints(t->sizes, t->ndim),
           "'. Please ensure that the gradient and the tensor are the same size");
  TensorImpl* before = std::exchange(tape::meta(t).grad, Tensor::borrow(g).release());
  tape::track(t);
  Py_XDECREF(reinterpret_cast<PyObject*>(before));
  return 0;
  KG_BIND_CATCH("grad", -1)
}
PyObject* get_requires_grad(PyObject* self, void*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_getter(self, "requires_grad");
  TensorImpl* t = as_impl(self);
  if (!t->is(kRequiresGrad) && t->is(kView) && t->base->is(kRequiresGrad)) tape::grad_fn(t);
  return PyBool_FromLong(t->is(kRequiresGrad));
  KG_BIND_CATCH("requires_grad", nullptr)
}
int set_requires_grad(PyObject* self, PyObject* value, void*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_setter(self, "requires_grad", value);
  KG_CHECK_TYPE(value && PyBool_Check(value), "requires_grad must be a bool");
  tape::set_requires_grad(as_impl(self), value == Py_True);
  return 0;
  KG_BIND_CATCH("requires_grad", -1)
}
PyObject* get_is_leaf(PyObject* self, void*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_getter(self, "is_leaf");
  return PyBool_FromLong(tape::is_leaf(as_impl(self)));
  KG_BIND_CATCH("is_leaf", nullptr)
}
PyObject* get_output_nr(PyObject* self, void*) {
  AutogradMeta* m = as_impl(self)->autograd;
  return PyLong_FromUnsignedLong(m ? m->output_slot : 0);
}
PyObject* get_retains_grad(PyObject* self, void*) {
  TensorImpl* t = as_impl(self);
  return PyBool_FromLong(t->autograd && t->autograd->retains_grad);
}
PyObject* get_version(PyObject* self, void*) {
  KG_BIND_TRY
  KG_CHECK(!as_impl(self)->is(kInference), "Inference tensors do not track version counter.");
  return PyLong_FromUnsignedLong(as_impl(self)->current_version());
  KG_BIND_CATCH("_version", nullptr)
}
PyObject* get_base(PyObject* self, void*) {
  TensorImpl* base = as_impl(self)->base;
  return Py_NewRef(base ? reinterpret_cast<PyObject*>(base) : Py_None);
}
PyObject* get_hooks(PyObject* self, PyObject* HookList::* where) {
  AutogradMeta* m = as_impl(self)->autograd;
  PyObject* d = m && m->hooks ? m->hooks->*where : nullptr;
  return Py_NewRef(d ? d : Py_None);
}
int set_hooks(PyObject* self, PyObject* value, PyObject* HookList::* where) {
  KG_BIND_TRY
  TensorImpl* t = as_impl(self);
  if (!value || value == Py_None) {
    if (t->autograd && t->autograd->hooks) Py_CLEAR(t->autograd->hooks->*where);
    return 0;
  }
  KG_CHECK_TYPE(PyDict_Check(value), "expected a dict or None, got ", Py_TYPE(value)->tp_name);
  if (where == &HookList::tensor) {
    tape::hook_tensor(t, value);
  } else {
    AutogradMeta& m = tape::meta(t);
    if (!m.hooks) m.hooks = new HookList;
    Py_XSETREF(m.hooks->*where, Py_NewRef(value));
    tape::track(t);
  }
  return 0;
  KG_BIND_CATCH("_backward_hooks", -1)
}
PyObject* get_backward_hooks(PyObject* self, void*) { return get_hooks(self, &HookList::tensor); }
int set_backward_hooks(PyObject* self, PyObject* v, void*) {
  return set_hooks(self, v, &HookList::tensor);
}
PyObject* get_post_hooks(PyObject* self, void*) {
  return get_hooks(self, &HookList::post_accumulate);
}
int set_post_hooks(PyObject* self, PyObject* v, void*) {
  return set_hooks(self, v, &HookList::post_accumulate);
}

PyObject* tensor_register_hook(PyObject* self, PyObject* hook) {
  KG_BIND_TRY
  if (fact_needs_override(self)) {
    PyObject* args[2] = {self, hook};
    return dispatch_method("register_hook", args, 2, nullptr);
  }
  TensorImpl* t = as_impl(self);
  KG_CHECK(t->is(kRequiresGrad),
           "cannot register a hook on a tensor that doesn't require gradient; set "
           "requires_grad=True first");
  KG_CHECK_TYPE(PyCallable_Check(hook), "expected a callable, got ", Py_TYPE(hook)->tp_name);
  AutogradMeta& m = tape::meta(t);
  if (!m.hooks || !m.hooks->tensor) {
    Ref dict = Ref::steal(new_hook_dict());
    tape::hook_tensor(t, dict.get());
  }
  return removable_handle(m.hooks->tensor, hook);
  KG_BIND_CATCH("register_hook", nullptr)
}
PyObject* tensor_register_post_hook(PyObject* self, PyObject* hook) {
  KG_BIND_TRY
  TensorImpl* t = as_impl(self);
  KG_CHECK(t->is(kRequiresGrad),
           "cannot register a hook on a tensor that doesn't require gradient; set "
           "requires_grad=True first");
  KG_CHECK(tape::is_leaf(t),
           "post accumulate grad hooks cannot be registered on non-leaf tensors; register_hook() "
           "sees their gradients");
  KG_CHECK_TYPE(PyCallable_Check(hook), "expected a callable, got ", Py_TYPE(hook)->tp_name);
  AutogradMeta& m = tape::meta(t);
  if (!m.hooks) m.hooks = new HookList;
  if (!m.hooks->post_accumulate) m.hooks->post_accumulate = new_hook_dict();
  tape::track(t);
  return removable_handle(m.hooks->post_accumulate, hook);
  KG_BIND_CATCH("register_post_accumulate_grad_hook", nullptr)
}
PyObject* tensor_retain_grad(PyObject* self, PyObject*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_method("retain_grad", &self, 1, nullptr);
  TensorImpl* t = as_impl(self);
  KG_CHECK(t->is(kRequiresGrad), "can't retain_grad on Tensor that has requires_grad=False");
  if (!tape::is_leaf(t) && !t->autograd->retains_grad) {
    t->autograd->retains_grad = true;
    tape::hook_retain_grad(t);
  }
  Py_RETURN_NONE;
  KG_BIND_CATCH("retain_grad", nullptr)
}
PyObject* tensor_requires_grad_(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                                PyObject* kwnames) {
  KG_BIND_TRY
  if (fact_needs_override(self)) {
    PyObject* all[3] = {self, nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0) ? args[0] : nullptr,
                        nullptr};
    return dispatch_method("requires_grad_", all, 1 + nargs, kwnames);
  }
  Py_ssize_t total = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  KG_CHECK_TYPE(total <= 1, "takes one argument, requires_grad, got ", total);
  if (kwnames && PyTuple_GET_SIZE(kwnames))
    KG_CHECK_TYPE(
        PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), "requires_grad") == 0,
        "the only argument is requires_grad");
  int value = total ? PyObject_IsTrue(args[0]) : 1;
  if (value < 0) return nullptr;
  tape::set_requires_grad(as_impl(self), value);
  return Py_NewRef(self);
  KG_BIND_CATCH("requires_grad_", nullptr)
}
PyObject* tensor_detach_(PyObject* self, PyObject*) {
  KG_BIND_TRY
  if (fact_needs_override(self)) return dispatch_method("detach_", &self, 1, nullptr);
  TensorImpl* t = as_impl(self);
  KG_CHECK(!t->is(kView), "Can't detach views in-place. Use detach() instead.");
  if (t->autograd) {
    Node* before = std::exchange(t->autograd->grad_fn, nullptr);
    t->autograd->output_slot = 0;
    t->autograd->requires_grad = false;
    Py_XDECREF(reinterpret_cast<PyObject*>(before));
  }
  t->flags &= ~uint32_t(kRequiresGrad);
  return Py_NewRef(self);
  KG_BIND_CATCH("detach_", nullptr)
}
PyObject* tensor_is_inference(PyObject* self, PyObject*) {
  return PyBool_FromLong(as_impl(self)->is(kInference));
}

}  // namespace

Tensor scalar_like_one(const Tensor& t) {
  GradGuard off(false);
  return view_ops.ones_like(t);
}

PyMethodDef autograd_methods[] = {
    {"backward", as_function(tensor_backward), METH_FASTCALL | METH_KEYWORDS,
     "Adds this tensor's gradients to the .grad of the leaves it was computed from; arguments as "
     "kagari.autograd.backward's: gradient, "
     "retain_graph, create_graph, inputs."},
    {"register_hook", tensor_register_hook, METH_O,
     "Registers f(grad), called whenever this tensor's gradient is computed; it may return another "
     "gradient."},
    {"register_post_accumulate_grad_hook", tensor_register_post_hook, METH_O,
     "Registers f(tensor), called after a gradient was added to this leaf's .grad."},
    {"retain_grad", tensor_retain_grad, METH_NOARGS,
     "Lets this non-leaf tensor keep its gradient in .grad."},
    {"requires_grad_", as_function(tensor_requires_grad_), METH_FASTCALL | METH_KEYWORDS,
     "Sets requires_grad in place and returns the tensor."},
    {"detach_", tensor_detach_, METH_NOARGS, "Drops this tensor's history in place."},
    {"is_inference", tensor_is_inference, METH_NOARGS,
     "Whether the tensor was made under inference_mode."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef autograd_getset[] = {
    {"grad_fn", get_grad_fn, nullptr, "The node that computed this tensor, None for leaves.",
     nullptr},
    {"grad", get_grad, set_grad, "The gradient that backward() adds to.", nullptr},
    {"_grad", get_grad, set_grad, nullptr, nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad,
     "Whether operations on this tensor are recorded.", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "Whether no recorded operation made this tensor.", nullptr},
    {"output_nr", get_output_nr, nullptr, "Which output of grad_fn this tensor is.", nullptr},
    {"retains_grad", get_retains_grad, nullptr, "Whether this non-leaf tensor keeps its gradient.",
     nullptr},
    {"_version", get_version, nullptr, "How often the data was written in place.", nullptr},
    {"_base", get_base, nullptr, "The tensor that this one is a view of.", nullptr},
    {"_backward_hooks", get_backward_hooks, set_backward_hooks, nullptr, nullptr},
    {"_post_accumulate_grad_hooks", get_post_hooks, set_post_hooks, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

void init_autograd(PyObject* module) {
  node_type = add_type(module, &node_spec);
  Ref bases = checked(PyTuple_Pack(1, reinterpret_cast<PyObject*>(node_type)));
  function_node_type = add_type(module, &function_node_spec, bases.get());
  add_functions(module, functions);
}

}  // namespace kagari
