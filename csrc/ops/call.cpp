// The call path. In fixed order: (overrides and modes in bind/) -> transform levels -> autograd ->
// device.
#include "ops/call.h"

#include <algorithm>

#include "autograd/view_ops.h"
#include "core/geometry.h"
#include "core/parallel.h"
#include "core/sparse.h"
#include "ops/out.h"

namespace kagari {

KG_DECLARE_ROW(copy)

namespace {

#ifdef KG_SANITIZE
constexpr int64_t kReleaseAt = 0;  // always: what counts without the GIL is found by small tests
#else
constexpr int64_t kReleaseAt = 32768;  // elements from which giving up the GIL is worth its 50 ns
#endif

// The last line of defence: what kagari.sparse does not do itself never reaches a kernel.
[[noreturn]] void refuse_sparse(const Row& row) {
  KG_CHECK_IMPLEMENTED(false, row.sig.name,
                       " is not there for sparse tensors; call .to_dense() first");
}

uint32_t argument_flags(const Row& row, const Value* args) {
  uint32_t flags = 0;
  for (int i = 0; i < row.sig.count; ++i) {
    const Value& v = args[i];
    if (v.tag == Value::Tag::tensor) {
      flags |= v.t->flags;
    } else if (v.tag == Value::Tag::tensors) {
      for (uint32_t k = 0; k < v.n; ++k)
        if (v.ts[k]) flags |= v.ts[k]->flags;
    }
  }
  if (__builtin_expect(flags & kSparse, 0)) refuse_sparse(row);
  return flags;
}

// One device for all; 0-d CPU tensors go with any.
Device common_device(const Row& row, const Value* args) {
  TensorImpl* first = nullptr;
  auto see = [&](TensorImpl* t) {
    if (!t) return;
    if (!first) {
      first = t;
    } else if (t->device.type != first->device.type) {
      if (first->ndim == 0 && first->device.is_cpu()) {
        first = t;
      } else {
        KG_CHECK(t->ndim == 0 && t->device.is_cpu(),
                 "Expected all tensors to be on the same device, but found at least two devices, ",
                 first->device, " and ", t->device, "; move one with .to(device)");
      }
    }
  };
  for (int i = 0; i < row.sig.count; ++i) {
    const Value& v = args[i];
    if (v.tag == Value::Tag::tensor) see(v.t);
    if (v.tag == Value::Tag::tensors)
      for (uint32_t k = 0; k < v.n; ++k) see(v.ts[k]);
  }
  return first ? first->device : Device{};
}

int64_t work(const Row& row, const Value* args, const Results& out) {
  int64_t n = 0;
  for (int i = 0; i < row.sig.count; ++i) {
    if (args[i].tag == Value::Tag::tensor) n = std::max(n, args[i].t->numel);
    if (args[i].tag == Value::Tag::tensors)
      for (uint32_t k = 0; k < args[i].n; ++k)
        if (args[i].ts[k]) n += args[i].ts[k]->numel;
  }
  for (int i = 0; i < out.size(); ++i)
    if (out[i].defined()) n = std::max(n, out[i].numel());
  return n;
}

void run_kernel(const Row& row, const Value* args, Results& out, Device device, bool may_release) {
  RunFn run = row.kernels[int(device.type)];
  KG_CHECK_IMPLEMENTED(run, "there is no kernel for device ", device);
  GilRelease release(may_release && work(row, args, out) >= kReleaseAt);
  run(out, args);
}

Tensor allocate(const Spec& s, const Value* args, const Row& row, Device device) {
  if (s.view_of >= 0) {
    TensorImpl* source = args[s.view_of].t;
    Tensor r = Tensor::steal(impl::make());
    r->dtype = s.dtype;
    r->device = source->device;
    impl::set_geometry(r.get(), s.sizes, s.strides);
    impl::set_storage(r.get(), source->storage, s.offset);
    tape::mark_view(r, Tensor::borrow(source), row.facts.multi_view);
    if (source->is(kInference)) r->flags |= kInference;
    return r;
  }
  return s.has_strides ? empty_strided(s.sizes, s.strides, s.dtype, device)
                       : empty(s.sizes, s.dtype, device);
}

void copy_data(TensorImpl* to, TensorImpl* from) {
  if (to->device.is_meta() || to->numel == 0) return;
  Value args[3] = {Value(to), Value(from), Value(false)};
  Results out;
  out.add(Tensor::borrow(to));
  run_kernel(rows::copy, args, out, to->device, true);
}

void flag_inference(Results& out) {
  for (int i = 0; i < out.size(); ++i)
    if (out[i].defined()) out[i]->flags |= kInference;
}

// infer -> allocate -> run, without any record.
void straight(const Row& row, const Value* args, Results& out) {
  if (row.facts.direct) {
    row.facts.direct(row, args, out, nullptr);
  } else {
    Infer o;
    o.device = common_device(row, args);
    KG_INTERNAL(row.facts.infer.fn, row.cname);
    row.facts.infer.fn(o, args);
    if (o.data_dependent) {
      KG_CHECK_IMPLEMENTED(
          !o.device.is_meta(),
          "the result's shape depends on the data, which a meta tensor does not have");
      run_kernel(row, args, out, o.device, false);
    } else {
      bool all_views = o.size() > 0 || row.sig.result_list;  // a split may have no pieces
      for (int i = 0; i < o.size(); ++i) {
        out.add(allocate(o[i], args, row, o.device));
        all_views = all_views && o[i].view_of >= 0;
      }
      if (row.facts.starts_as >= 0) copy_data(out[0].get(), args[row.facts.starts_as].t);
      if (!all_views && !o.device.is_meta()) run_kernel(row, args, out, o.device, true);
    }
  }
  if (grad_mode.inference) flag_inference(out);
}

void write_check(const Row& row, TensorImpl* to, const Tensor& result, bool inplace) {
  // PyTorch casts into the out tensor of one result, never into those of several.
  bool exact = row.facts.as & kExactOut || row.sig.result_count > 1;
  KG_CHECK(inplace || !exact || result.dtype() == to->dtype, "Expected out tensor to have dtype ",
           result.dtype(), ", but got ", to->dtype, " instead");
  KG_CHECK(can_cast(result.dtype(), to->dtype), "result type ", result.dtype(),
           " can't be cast to the desired output type ", to->dtype,
           inplace ? "; use the out-of-place form, or convert the tensor first" : "");
  KG_CHECK(result.device().type == to->device.type,
           "Expected all tensors to be on the same device, but the result is on ", result.device(),
           " and the tensor to write on ", to->device, "; move one with .to(device)");
  if (inplace)
    KG_CHECK(result.sizes() == Ints(to->sizes, to->ndim), "output with shape ",
             Ints(to->sizes, to->ndim), " doesn't match the broadcast shape ", result.sizes(),
             "; in-place ops keep their tensor's shape");
}

// An out tensor is written element by element: each needs a place of its own, outside of the
// inputs.
void check_out_memory(TensorImpl* out, const Row& row, const Value* args) {
  check_written_once(out);
  bool apart = row.facts.as & kApart;
  auto check = [&](const TensorImpl* in, bool may_be_out) {
    if (!in) return;
    Overlap shared = overlap(out, in);
    KG_CHECK(shared != Overlap::partial && (may_be_out || shared != Overlap::full),
             "unsupported operation: some elements of the input tensor and the written-to tensor "
             "refer to a single memory location. Please clone() the tensor before performing the "
             "operation.");
  };
  for (int i = 0; i < row.sig.count; ++i) {
    bool may_be_out = !apart || i == row.facts.starts_as;
    if (args[i].tag == Value::Tag::tensor) check(args[i].t, may_be_out);
    if (args[i].tag == Value::Tag::tensors)
      for (uint32_t k = 0; k < args[i].n; ++k) check(args[i].ts[k], may_be_out);
  }
}

// The same, into given tensors.
void straight_into(const Row& row, const Value* args, TensorImpl* const* into, int n, bool inplace,
                   Results& out) {
  if (row.facts.direct) {
    row.facts.direct(row, args, out, into[0]);
    into[0]->bump_version();
    return;
  }
  if (inplace && row.facts.starts_as >= 0) {
    Infer o;
    o.device = common_device(row, args);
    row.facts.infer.fn(o, args);  // checks shapes and dtypes
    KG_CHECK(Ints(o[0].sizes) == Ints(into[0]->sizes, into[0]->ndim), "output with shape ",
             Ints(into[0]->sizes, into[0]->ndim), " doesn't match the broadcast shape ", o[0].sizes,
             "; in-place ops keep their tensor's shape");
    KG_CHECK(o[0].dtype == into[0]->dtype, "result type ", o[0].dtype,
             " can't be cast to the desired output type ", into[0]->dtype);
    KG_CHECK(!has_internal_overlap(into[0]),
             "unsupported operation: more than one element of the written-to tensor refers to a "
             "single memory location. Please clone() the "
             "tensor before performing the operation.");
    out.add(Tensor::borrow(into[0]));
    if (!o.device.is_meta()) run_kernel(row, args, out, o.device, true);
    into[0]->bump_version();
    return;
  }
  if (inplace) {  // a movement row changes the geometry of its tensor
    Infer o;
    o.device = common_device(row, args);
    row.facts.infer.fn(o, args);
    if (!o.data_dependent && o.size() == 1 && o[0].view_of == 0) {
      TensorImpl* t = into[0];
      impl::set_geometry(t, o[0].sizes, o[0].strides);
      impl::set_storage(t, t->storage, o[0].offset);
      t->bump_version();
      out.add(Tensor::borrow(t));
      return;
    }
  }
  for (int i = 0; i < n; ++i) {
    if (inplace)
      check_written_once(into[i]);
    else
      check_out_memory(into[i], row, args);
  }
  Results fresh;
  straight(row, args, fresh);
  for (int i = 0; i < n && i < fresh.size(); ++i) {
    write_check(row, into[i], fresh[i], inplace);
    if (!inplace && fresh[i].sizes() != Ints(into[i]->sizes, into[i]->ndim)) {
      KG_CHECK(!into[i]->is(kView), "the out tensor of shape ", Ints(into[i]->sizes, into[i]->ndim),
               " is a view and cannot be resized to ", fresh[i].sizes(),
               "; give an out tensor of that shape");
      resize_output(into[i], fresh[i].sizes());
    }
    copy_data(into[i], fresh[i].get());
    into[i]->bump_version();
    out.add(Tensor::borrow(into[i]));
  }
}

bool any_requires_grad(const Row& row, const Value* args) {
  return argument_flags(row, args) & kRequiresGrad;
}

// Copies the arguments into the node: attributes by value, tensors as edges.
NodeRef make_node(const Row& row, const Value* args) {
  NodeRef n = node::make(&row);
  NodeData& d = n->d;
  size_t ints = 0, reals = 0, text = 0;
  for (int i = 0; i < row.sig.count; ++i) {
    if (args[i].tag == Value::Tag::ints) ints += args[i].n;
    if (args[i].tag == Value::Tag::reals) reals += args[i].n;
    if (args[i].tag == Value::Tag::string) text += args[i].n;
  }
  d.ints.reserve(ints);
  d.reals.reserve(reals);
  d.text.reserve(text);
  for (int i = 0; i < row.sig.count; ++i) {
    Value v = args[i];
    d.first_edge.push(uint16_t(d.edges.size()));
    auto edge = [&](TensorImpl* t) {
      d.edges.push(t && t->is(kRequiresGrad) && is_differentiable(t->dtype) ? tape::gradient_edge(t)
                                                                            : Edge{});
    };
    // None for a tensor has an edge to nowhere: rules ask what needs a gradient by parameter.
    if (v.is_none() && row.sig.params[size_t(i)].type == ArgType::tensor) edge(nullptr);
    switch (v.tag) {
      case Value::Tag::tensor:
        edge(v.t);
        v = Value();
        break;
      case Value::Tag::tensors:
        for (uint32_t k = 0; k < v.n; ++k) edge(v.ts[k]);
        v.tag = Value::Tag::none;  // keeps n: rules ask how many there were
        v.i = 0;
        break;
      case Value::Tag::ints: {
        size_t at = d.ints.size();
        d.ints.insert(d.ints.end(), v.ints, v.ints + v.n);
        v.ints = d.ints.data() + at;
        break;
      }
      case Value::Tag::reals: {
        size_t at = d.reals.size();
        d.reals.insert(d.reals.end(), v.reals, v.reals + v.n);
        v.reals = d.reals.data() + at;
        break;
      }
      case Value::Tag::string: {
        size_t at = d.text.size();
        d.text.append(v.s, v.n);
        v.s = d.text.data() + at;
        break;
      }
      case Value::Tag::generator:
        v = Value();
        break;
      default:
        break;
    }
    d.values.push(v);
  }
  return n;
}

bool wanted(const NodeData& d, const Row& row, const SaveItem& item) {
  if (item.condition < 0) return true;
  const auto [first, last] = d.edges_of(item.condition);
  for (int e = first; e < last; ++e)
    if (d.edges[e].node) return true;
  return false;
}

void save_arguments(Node* n, const Row& row, const Value* args, TensorImpl* overwritten) {
  NodeData& d = n->d;
  for (const SaveItem& item : row.saves) {
    if (item.param < 0 || !wanted(d, row, item)) continue;
    const Value& v = args[item.param];
    auto save = [&](TensorImpl* t, int edge) {
      Tensor kept = Tensor::borrow(t);
      // The op writes what backward needs: keep the value before, with its history for higher
      // derivatives.
      if (t == overwritten && !item.geometry) kept = view_ops.clone(kept);
      int slot = node::save(n, kept, false, 0, item.geometry);
      if (d.edges[edge].node) d.saved[slot].edge = edge;
      return slot;
    };
    if (v.tag == Value::Tag::tensor) {
      int slot = save(v.t, d.first_edge[item.param]);
      d.values[item.param].tag = Value::Tag::tensor;
      d.values[item.param].i = slot;
    } else if (v.tag == Value::Tag::tensors) {
      int first = d.saved.size();
      for (uint32_t k = 0; k < v.n; ++k) {
        if (v.ts[k]) {
          save(v.ts[k], d.first_edge[item.param] + int(k));
        } else {
          d.saved.push({});
        }
      }
      d.values[item.param].tag = Value::Tag::tensors;
      d.values[item.param].i = first;
      d.values[item.param].n = v.n;
    } else if (v.tag == Value::Tag::scalar) {
      d.values[item.param] = v;  // an operand that is a number
    }
  }
}

bool carries_gradient(const Row& row, const Tensor& t, int i) {
  return t.defined() &&
         (row.sig.result_list || (row.facts.grad.diff_outputs >> std::min(i, 31) & 1)) &&
         is_differentiable(t.dtype());
}

void save_results(Node* n, const Row& row, Results& out) {
  for (const SaveItem& item : row.saves)
    if (item.result >= 0 && wanted(n->d, row, item))
      node::save(n, out[item.result], true, uint32_t(item.result), item.geometry);
}

void record(const Row& row, const Value* args, Results& out) {
  NodeRef n = make_node(row, args);
  save_arguments(n.get(), row, args, nullptr);
  {
    GradGuard off(false);
    straight(row, args, out);
  }
  bool any = false;
  for (int i = 0; i < out.size(); ++i) any = any || carries_gradient(row, out[i], i);
  if (!any) return;
  for (int i = 0; i < out.size(); ++i) {
    if (carries_gradient(row, out[i], i)) {
      out[i]->flags &= ~uint32_t(kViewNoGrad);  // set because straight() runs with recording off
      tape::set_history(out[i], n);
    } else if (out[i].defined()) {
      node::add_output(n.get(), out[i]);
    } else {
      n->d.outputs.push({});
    }
  }
  save_results(n.get(), row, out);
}

}  // namespace

void check_written_once(const TensorImpl* t) {
  for (int i = 0; i < t->ndim; ++i)
    KG_CHECK(t->sizes[i] < 2 || t->strides()[i] != 0,
             "unsupported operation: more than one element of the written-to tensor refers to a "
             "single memory location. Please clone() the tensor before performing the operation.");
}

void resize_output(TensorImpl* t, Ints sizes) {
  impl::grow_storage(
      t, bytes_reached(sizes, contiguous_strides(sizes), t->offset, itemsize(t->dtype)));
  impl::set_sizes(t, sizes);
}

void invoke(const Row& row, const Value* args, Results& out) {
  if (row.has_mutated) {
    bool grads = any_requires_grad(row, args);
    for (int i = 0; i < row.sig.count; ++i) {
      if (!row.sig.params[size_t(i)].mutated) continue;
      if (args[i].tag == Value::Tag::tensor) tape::check_inplace(args[i].t, grads);
      if (args[i].tag == Value::Tag::tensors)
        for (uint32_t k = 0; k < args[i].n; ++k)
          if (args[i].ts[k]) tape::check_inplace(args[i].ts[k], grads);
    }
    KG_CHECK(!(grads && grad_mode.enabled),
             "writes its arguments and has no derivative; call it under kagari.no_grad()");
    straight(row, args, out);
    for (int i = 0; i < row.sig.count; ++i) {
      if (!row.sig.params[size_t(i)].mutated) continue;
      auto wrote = [&](TensorImpl* t) {
        if (!t) return;
        t->bump_version();
        node::note_write(t, row.cname);
      };
      if (args[i].tag == Value::Tag::tensor) wrote(args[i].t);
      if (args[i].tag == Value::Tag::tensors)
        for (uint32_t k = 0; k < args[i].n; ++k) wrote(args[i].ts[k]);
    }
    return;
  }
  if ((argument_flags(row, args) & kRequiresGrad) && grad_mode.enabled && row.facts.grad.fn) {
    record(row, args, out);
    return;
  }
  straight(row, args, out);
}

void invoke_into(const Row& row, const Value* args, TensorImpl* const* into, int n, bool inplace,
                 Results& out) {
  bool grads = any_requires_grad(row, args) && grad_mode.enabled;
  for (int i = 0; i < n; ++i)
    if (into[i]->is(kSparse)) refuse_sparse(row);
  for (int i = 0; i < n; ++i) tape::check_inplace(into[i], (grads || into[i]->is(kRequiresGrad)));
  if (!inplace) {
    bool target = false;
    for (int i = 0; i < n; ++i) target = target || into[i]->is(kRequiresGrad);
    KG_CHECK(!((grads || target) && grad_mode.enabled),
             "functions with out=... arguments don't support automatic differentiation, but one of "
             "the arguments requires grad; use the "
             "result, or wrap the call in kagari.no_grad()");
    straight_into(row, args, into, n, false, out);
    return;
  }
  if (!grads) {
    straight_into(row, args, into, n, true, out);
    node::note_write(into[0], row.cname, true);
    return;
  }
  KG_CHECK(row.facts.grad.fn, "is not differentiable (", row.facts.grad.why,
           ") and cannot overwrite a tensor while gradients are recorded; "
           "use the out-of-place form, or kagari.no_grad()");
  KG_CHECK(is_differentiable(into[0]->dtype), "cannot record a gradient into a tensor of dtype ",
           into[0]->dtype);
  NodeRef node = make_node(row, args);
  save_arguments(node.get(), row, args, into[0]);
  {
    GradGuard off(false);
    straight_into(row, args, into, n, true, out);
  }
  node::note_write(into[0], row.cname, true);
  tape::rebase_history(Tensor::borrow(into[0]), node);
  save_results(node.get(), row, out);
}

GilRelease::GilRelease(bool worth_it) {
  if (!worth_it) return;
  state_ = PyEval_SaveThread();
}
GilRelease::~GilRelease() {
  if (state_) PyEval_RestoreThread(state_);
}

}  // namespace kagari
