// The pointwise class: its rows, the straight path from arguments to result, and the gradient that
// all rows share.
#include "ops/pointwise.h"

#include <cmath>
#include <limits>

#include "ops/out.h"
#include "ops/pointwise_class.h"
#include "ops/pointwise_tensor.h"
#include "ops/views.h"

namespace kagari {

namespace pointwise {

CpuPointwise cpu_pointwise;

namespace {

constexpr int64_t kReleaseAt = 32768;  // elements from which the GIL is given up

// ---- facts by formula ---------------------------------------------------------------------------

struct DerivativeFacts {
  bool exists = false;
  unsigned uses = 0;
  TensorDerivative on_tensors = nullptr;
};
struct FormulaFacts {
  DtypeRule rule;
  int arity;
  DerivativeFacts d[kMaxOperands];
};

template <class F, int i>
constexpr DerivativeFacts derivative_facts() {
  if constexpr (i < F::arity) {
    if constexpr (Derivative<F, i>::exists)
      return {true, Derivative<F, i>::uses, &tensor_derivative<F, i>};
  }
  return {};
}
template <class F>
constexpr FormulaFacts formula_facts() {
  return {F::rule,
          F::arity,
          {derivative_facts<F, 0>(), derivative_facts<F, 1>(), derivative_facts<F, 2>()}};
}
constexpr FormulaFacts facts[kFormulas] = {
#define KG_ENTRY(id, ...) formula_facts<formulas::id##_f>(),
#define KG_UNARY KG_ENTRY
#define KG_BINARY KG_ENTRY
#define KG_TERNARY KG_ENTRY
#define KG_UNARY_FORMULA KG_ENTRY
#define KG_BINARY_FORMULA KG_ENTRY
#define KG_TERNARY_FORMULA KG_ENTRY
#include "ops/pointwise.def"
#undef KG_ENTRY
};

// ---- dtypes -------------------------------------------------------------------------------------

bool is_number(const Value& v) {
  return v.tag == Value::Tag::scalar || v.tag == Value::Tag::integer || v.tag == Value::Tag::real ||
         v.tag == Value::Tag::boolean;
}

Dtype combine_categories(Dtype higher, Dtype lower) {
  if (is_complex(higher)) return higher;
  if (is_floating(higher)) return is_complex(lower) ? complex_dtype(higher) : higher;
  if (is_complex(lower)) return lower;
  if (higher == Dtype::boolean || is_floating(lower)) return promote(higher, lower);
  return higher != Dtype::undefined ? higher : lower;
}

Dtype number_dtype(const Scalar& s) {
  switch (s.kind) {
    case Scalar::Kind::boolean:
      return Dtype::boolean;
    case Scalar::Kind::integer:
      return Dtype::i64;
    case Scalar::Kind::real:
      return default_dtype();
    default:
      return complex_dtype(default_dtype());
  }
}

// The common dtype: dimensioned tensors first, then 0-d tensors, then Python's numbers, each only
// by category.
Dtype result_type(const Value* const* operands, int n) {
  Dtype dimensioned = Dtype::undefined, zero_dim = Dtype::undefined, numbers = Dtype::undefined;
  for (int i = 0; i < n; ++i) {
    const Value& v = *operands[i];
    if (!v.is_tensor()) {
      numbers = promote(numbers, number_dtype(v.scalar()));
    } else if (v.t->is(kWrappedNumber)) {
      Dtype d = is_complex(v.t->dtype)    ? complex_dtype(default_dtype())
                : is_floating(v.t->dtype) ? default_dtype()
                                          : v.t->dtype;
      numbers = promote(numbers, d);
    } else if (v.t->ndim == 0) {
      zero_dim = promote(zero_dim, v.t->dtype);
    } else {
      dimensioned = promote(dimensioned, v.t->dtype);
    }
  }
  return combine_categories(dimensioned, combine_categories(zero_dim, numbers));
}

Dtype compute_dtype(const DtypeRule& r, Dtype common) {
  switch (common) {
    case Dtype::boolean:
      return r.kinds & kBool ? Dtype::boolean : r.bool_as_int ? Dtype::i32 : Dtype::undefined;
    case Dtype::u8:
    case Dtype::i8:
    case Dtype::i16:
    case Dtype::u16:
    case Dtype::i32:
      return r.kinds & kInts ? Dtype::i32 : Dtype::undefined;
    case Dtype::u32:
    case Dtype::i64:
      return r.kinds & kInts ? Dtype::i64 : Dtype::undefined;
    case Dtype::u64:
      return r.kinds & kInts ? Dtype::u64 : Dtype::undefined;
    case Dtype::f16:
    case Dtype::bf16:
    case Dtype::f32:
      return r.kinds & kFloats ? Dtype::f32 : Dtype::undefined;
    case Dtype::f64:
      return r.kinds & kFloats ? Dtype::f64 : Dtype::undefined;
    case Dtype::c64:
    case Dtype::c128:
      return r.kinds & kComplex ? common : Dtype::undefined;
    default:
      return Dtype::undefined;
  }
}

Dtype out_dtype(const DtypeRule& r, Dtype dtype) {
  return r.out == Out::boolean                     ? Dtype::boolean
         : r.out == Out::real && is_complex(dtype) ? real_dtype(dtype)
                                                   : dtype;
}

int64_t integer_of(double d) {
  return d >= -9223372036854775808.0 && d < 9223372036854775808.0
             ? int64_t(d)
             : std::numeric_limits<int64_t>::min();
}

// A number as an element of a computing dtype.
void pack(void* to, Dtype compute, const Scalar& s) {
  auto put = [&](auto v) { std::memcpy(to, &v, sizeof v); };
  int64_t whole = s.is_integral() ? s.i : integer_of(s.d);
  switch (compute) {
    case Dtype::f32:
      return put(float(s.to_double()));
    case Dtype::f64:
      return put(s.to_double());
    case Dtype::i32:
      return put(int32_t(whole));
    case Dtype::i64:
      return put(whole);
    case Dtype::u64:
      return put(uint64_t(whole));
    case Dtype::boolean:
      return put(uint8_t(s.to_bool()));
    case Dtype::c64:
      return put(c64(s.to_complex()));
    case Dtype::c128:
      return put(s.to_complex());
    default:
      KG_INTERNAL(false, "no computing dtype: ", compute);
  }
}

// ---- geometry -----------------------------------------------------------------------------------

// Result strides as PyTorch's iterator gives them: those of the inputs where they agree, their
// order of dimensions otherwise.
Tensor allocate(Ints sizes, const TensorImpl* const* inputs, int n, Dtype dtype, Device device) {
  bool plain = true, alike = n > 0;
  for (int i = 0; i < n; ++i) {
    plain = plain && inputs[i]->is(kContiguous);
    alike =
        alike && Ints(inputs[i]->sizes, inputs[i]->ndim) == sizes &&
        Ints(inputs[i]->strides(), inputs[i]->ndim) == Ints(inputs[0]->strides(), inputs[0]->ndim);
  }
  if (plain || n == 0) return empty(sizes, dtype, device);
  Ints first(inputs[0]->strides(), inputs[0]->ndim);
  if (alike && is_non_overlapping_and_dense(sizes, first))
    return empty_strided(sizes, first, dtype, device);
  // Insertion sort, fastest dimension first; a comparison that no input decides leaves two
  // dimensions in their order.
  const int ndim = int(sizes.n);
  auto stride = [&](const TensorImpl* t, int d) {
    int e = d - (ndim - t->ndim);
    return e < 0 || (t->sizes[e] == 1 && sizes[d] != 1) ? int64_t(0) : t->strides()[e];
  };
  auto slower = [&](int a, int b) {  // 1: a is slower than b; -1: faster; 0: undecided
    for (int i = 0; i < n; ++i) {
      int64_t x = stride(inputs[i], a), y = stride(inputs[i], b);
      if (x == 0 || y == 0) continue;
      if (x != y) return x < y ? -1 : 1;
      if (sizes[a] > sizes[b]) return 1;
    }
    return 0;
  };
  int order[kMaxDims];
  for (int d = 0; d < ndim; ++d) order[d] = ndim - 1 - d;
  for (int i = 1; i < ndim; ++i) {
    int at = i;
    for (int j = i - 1; j >= 0; --j) {
      int c = slower(order[j], order[at]);
      if (c > 0) {
        std::swap(order[j], order[at]);
        at = j;
      } else if (c < 0) {
        break;
      }
    }
  }
  bool usual = true;
  for (int d = 0; d < ndim; ++d) usual = usual && order[d] == ndim - 1 - d;
  if (usual) return empty(sizes, dtype, device);
  Dims strides(ndim);
  int64_t step = 1;
  for (int d = 0; d < ndim; ++d) {
    strides[order[d]] = step;
    step *= sizes[order[d]];
  }
  return empty_strided(sizes, strides, dtype, device);
}

Device common_device(const Value* const* operands, int n) {
  const TensorImpl* first = nullptr;
  for (int i = 0; i < n; ++i) {
    if (!operands[i]->is_tensor()) continue;
    const TensorImpl* t = operands[i]->t;
    if (!first ||
        (first->ndim == 0 && first->device.is_cpu() && t->device.type != first->device.type)) {
      first = t;
      continue;
    }
    KG_CHECK(t->device.type == first->device.type || (t->ndim == 0 && t->device.is_cpu()),
             "Expected all tensors to be on the same device, but found at least two devices, ",
             first->device, " and ", t->device, "; move one with .to(device)");
  }
  return first ? first->device : Device{};
}

// Readies the tensor that receives the result; inputs that share memory with it in another order
// are copied.
void prepare_target(TensorImpl* into, Ints sizes, Dtype result, Launch& launch, Tensor* copies) {
  KG_CHECK(can_cast(result, into->dtype), "result type ", result,
           " can't be cast to the desired output type ", into->dtype);
  if (Ints(into->sizes, into->ndim) != sizes) {
    for (int i = 0; i < launch.count; ++i)
      KG_CHECK(launch.in[i].tensor != into, "output with shape ", Ints(into->sizes, into->ndim),
               " doesn't match the broadcast shape ", sizes);
    if (into->numel != 0 &&
        PyErr_WarnFormat(
            PyExc_UserWarning, 1,
            "An output with one or more elements was resized since it had shape %s, which does not "
            "match the required output "
            "shape %s. This behavior is deprecated; resize it with t.resize_(0) before reusing it.",
            shape_string({into->sizes, into->ndim}).c_str(), shape_string(sizes).c_str()) < 0)
      throw_python_error();
    resize_output(into, sizes);
  }
  KG_CHECK(!into->storage || !into->storage->read_only,
           "the tensor to write lies in read-only memory; clone it first");
  KG_CHECK(!has_internal_overlap(into),
           "unsupported operation: more than one element of the written-to tensor refers to a "
           "single memory location. Please clone() the "
           "tensor before performing the operation.");
  for (int i = 0; i < launch.count; ++i) {
    const TensorImpl* t = launch.in[i].tensor;
    if (!t || t == into) continue;
    Overlap o = overlap(into, t);
    KG_CHECK(o != Overlap::partial,
             "unsupported operation: some elements of the input tensor and the written-to tensor "
             "refer to a single memory location. Please "
             "clone() the tensor before performing the operation.");
    if (o == Overlap::unknown) {
      GradGuard off(false);
      copies[i] = clone(Tensor::borrow(const_cast<TensorImpl*>(t)));
      launch.in[i].tensor = copies[i].get();
    }
  }
}

void run(const Launch& launch) {
  if (launch.out->device.is_meta() || launch.out->numel == 0) return;
  KG_INTERNAL(cpu_pointwise.run, "no pointwise kernels are linked");
  GilRelease release(launch.out->numel >= kReleaseAt);
  cpu_pointwise.run(launch);
}

[[noreturn]] void throw_not_implemented(Dtype common) {
  KG_FAIL(not_implemented, "not implemented for ", common,
          "; convert the operands to a dtype that it computes in");
}

Dims broadcast(const Launch& launch) {
  Dims sizes;
  bool first = true;
  for (int i = 0; i < launch.count; ++i) {
    const TensorImpl* t = launch.in[i].tensor;
    if (!t) continue;
    Ints s(t->sizes, t->ndim);
    if (first) {
      sizes = Dims(s);
      first = false;
    } else if (!(Ints(sizes) == s)) {
      sizes = broadcast_shapes(sizes, s);
    }
  }
  return sizes;
}

// Shape, memory, overlap: everything between settled dtypes and the kernel. Returns the result.
Tensor finish(Launch& launch, Dtype result, Device device, TensorImpl* into) {
  Dims sizes = broadcast(launch);
  if (into) {
    KG_CHECK(into->device.type == device.type,
             "Expected all tensors to be on the same device, but found at least two devices, ",
             into->device, " and ", device, "; move one with .to(device)");
    Tensor copies[kMaxOperands + 2];
    prepare_target(into, sizes, result, launch, copies);
    launch.out = into;
    run(launch);
    return Tensor::borrow(into);
  }
  const TensorImpl* tensors[kMaxOperands + 2];
  int n = 0;
  for (int i = 0; i < launch.count; ++i)
    if (launch.in[i].tensor) tensors[n++] = launch.in[i].tensor;
  Tensor out = allocate(sizes, tensors, n, result, device);
  launch.out = out.get();
  run(launch);
  return out;
}

void fill_plan(Plan& plan, const Facts& f, const Value* args) {
  plan.formula = f.formula;
  plan.count = 0;
  for (int i = 0; i < f.count; ++i)
    if (const Value& v = args[f.operands[i]]; !v.is_none()) plan.operand[plan.count++] = &v;
  plan.attributes = f.attributes;
  for (int i = 0; i < f.attributes; ++i) plan.attribute[i] = args[f.attribute[i]].scalar();
}

// Operands that already are what the kernel wants: same dtype and sizes, contiguous, small; numbers
// beside them.
bool straight(const Plan& plan, Dtype common, Dtype compute, Dtype result, Results& out,
              TensorImpl* into) {
  if (common != compute) return false;
  const TensorImpl* first = nullptr;
  for (int i = 0; i < plan.count; ++i) {
    const Value& v = *plan.operand[i];
    if (!v.is_tensor()) continue;
    const TensorImpl* t = v.t;
    if (t->dtype != common || !t->is(kContiguous) || !t->device.is_cpu()) return false;
    if (!first) {
      if (t->numel >= kReleaseAt || t->numel == 0) return false;
      first = t;
    } else if (t != first &&
               (t->ndim != first->ndim || !std::equal(t->sizes, t->sizes + t->ndim, first->sizes) ||
                (into && t != into && t->storage == into->storage))) {
      return false;
    }
  }
  if (!first) return false;
  if (into && (into != first || into->dtype != result || into->storage->read_only)) return false;
  const SpanTable& table = *cpu_pointwise.tables[int(compute)];
  const Span span = table.formulas[int(plan.formula)].value;
  alignas(64) char splats[kMaxOperands][64];
  alignas(16) char attributes[kMaxAttributes * 16];
  const void* in[kMaxOperands];
  int64_t sizes[kMaxOperands + 1] = {itemsize(result)};
  uint32_t single = 0;
  const int64_t size = itemsize(compute);
  for (int i = 0; i < plan.count; ++i) {
    sizes[i + 1] = size;
    const Value& v = *plan.operand[i];
    if (v.is_tensor()) {
      in[i] = v.t->data;
      continue;
    }
    pack(splats[i], compute, v.scalar());
    for (int64_t have = size; have < 64; have *= 2)
      std::memcpy(splats[i] + have, splats[i], size_t(have));
    in[i] = splats[i];
    single |= 1u << i;
  }
  for (int i = 0; i < plan.attributes; ++i) pack(attributes + i * size, compute, plan.attribute[i]);
  Tensor target = into ? Tensor::borrow(into) : empty({first->sizes, first->ndim}, result);
  cpu_pointwise.run_contiguous(table, span, target->data, in, sizes, plan.count, single, attributes,
                               first->numel);
  out.add(std::move(target));
  return true;
}

}  // namespace

void direct(const Row& row, const Value* args, Results& out, TensorImpl* into) {
  const Facts& f = *static_cast<const Facts*>(row.facts.extra);
  Plan plan;
  fill_plan(plan, f, args);
  const Value& a = *plan.operand[0];
  if (plan.count == 1 && a.is_tensor()) {
    plan.common = a.t->dtype;
  } else if (plan.count == 2 && a.is_tensor() && plan.operand[1]->is_tensor() &&
             a.t->dtype == plan.operand[1]->t->dtype) {
    plan.common = a.t->dtype;
  } else {
    plan.common = result_type(plan.operand, plan.count);
  }
  if (f.choose) f.choose(plan, args);
  const FormulaFacts& formula = facts[int(plan.formula)];
  const DtypeRule& rule = formula.rule;
  Dtype common = plan.common;
  if (common == Dtype::c32 && rule.out == Out::boolean) common = Dtype::c64;
  if (rule.ints_to_float && !is_differentiable(common)) common = default_dtype();
  const Dtype compute = compute_dtype(rule, common);
  if (compute == Dtype::undefined) throw_not_implemented(common);
  const Dtype result = out_dtype(rule, common);
  if (straight(plan, common, compute, result, out, into)) return;

  bool any_tensor = false;
  Launch launch;
  for (int i = 0; i < plan.count; ++i) {
    Input& in = launch.in[launch.count++];
    const Value& v = *plan.operand[i];
    in.want = compute;
    bool one = true;
    if (v.is_tensor()) {
      in.tensor = v.t;
      one = v.t->numel == 1;
      any_tensor = true;
    } else {
      in.number = v.scalar();
    }
    // Numbers keep their precision beside half floats, unless the op compares them.
    if (common != compute && (!one || rule.round_numbers || !is_floating(common))) in.via = common;
  }
  KG_CHECK_TYPE(any_tensor, "expected at least one tensor, got only numbers");
  alignas(16) char attributes[kMaxAttributes * 16];
  for (int i = 0; i < plan.attributes; ++i)
    pack(attributes + i * itemsize(compute), compute, plan.attribute[i]);
  if (const SpanTable* table = cpu_pointwise.tables[int(compute)])
    launch.use(*table, table->formulas[int(plan.formula)].value);
  launch.attributes = attributes;
  launch.out_want = out_dtype(rule, compute);
  out.add(finish(launch, result, common_device(plan.operand, plan.count), into));
}

// ---- gradients ----------------------------------------------------------------------------------

namespace {

// Makes a gradient fit its input: real part, sum over broadcast dimensions, dtype.
Tensor fit(Tensor g, Ints sizes, Dtype dtype) {
  if (is_complex(g.dtype()) && !is_complex(dtype)) g = call(rows::real, g);
  if (g.sizes() != sizes) g = sum_to(g, sizes);
  return to(g, dtype);
}

struct Backward {
  const Plan& plan;
  Dtype compute;
  const Tensor& g;
  const Tensor& y;

  // One pass over memory, when nothing of it has to be recorded.
  Tensor in_lanes(int i, unsigned uses, Ints sizes, Dtype dtype) const {
    const int arity = facts[int(plan.formula)].arity;
    Launch launch;
    auto next = [&]() -> Input& {
      Input& in = launch.in[launch.count++];
      in.want = compute;
      return in;
    };
    next().tensor = g.get();
    for (int k = 0; k < arity; ++k) {
      if (!(uses >> k & 1)) continue;
      const Value& v = *plan.operand[k];
      Input& in = next();
      if (v.is_tensor())
        in.tensor = v.t;
      else
        in.number = v.scalar();
    }
    if (uses >> arity & 1) next().tensor = y.get();
    alignas(16) char attributes[kMaxAttributes * 16];
    for (int k = 0; k < plan.attributes; ++k)
      pack(attributes + k * itemsize(compute), compute, plan.attribute[k]);
    if (const SpanTable* table = cpu_pointwise.tables[int(compute)])
      launch.use(*table, table->formulas[int(plan.formula)].gradient[i]);
    launch.attributes = attributes;
    launch.out_want = compute;
    // Stored in the input's dtype at once, unless it is summed first.
    Dtype stored = g.sizes() == sizes                          ? dtype
                   : is_complex(compute) && !is_complex(dtype) ? real_dtype(compute)
                                                               : compute;
    return finish(launch, stored, g.device(), nullptr);
  }

  // The same formula on tensors, recorded by the tape.
  Tensor on_tensors(int i) const {
    const FormulaFacts& f = facts[int(plan.formula)];
    On v[kMaxOperands + 1], at[kMaxAttributes];
    Dtype real = is_complex(compute) ? real_dtype(compute) : compute;
    for (int k = 0; k < f.arity; ++k) {
      const Value& o = *plan.operand[k];
      v[k] = o.is_tensor() ? On(Tensor::borrow(o.t), real) : On(o.scalar(), real);
    }
    v[f.arity] = On(y, real);
    for (int k = 0; k < plan.attributes; ++k) at[k] = On(plan.attribute[k], real);
    return f.d[i].on_tensors(v, at, g);
  }
};

bool has_edge(const NodeData& d, int param) {
  const auto [first, last] = d.edges_of(param);
  return first < last && d.edges[first].node;
}

}  // namespace

void backward(Vjp& v, const Value* values) {
  const Row& row = *static_cast<const Row*>(v.node().d.rule);
  const Facts& f = *static_cast<const Facts*>(row.facts.extra);
  if (!v.g().defined()) return;
  const NodeData& d = v.node().d;
  // Operands that were not saved stand as empty tensors; their places matter.
  Plan plan;
  fill_plan(plan, f, values);
  int position[kMaxOperands];  // of the plan's operands: parameters
  plan.count = 0;
  static const Value unsaved;
  for (int i = 0; i < f.count; ++i) {
    const Value& o = values[f.operands[i]];
    bool given = !o.is_none() || has_edge(d, f.operands[i]) ||
                 !row.sig.params[size_t(f.operands[i])].optional;
    if (!given) continue;
    position[plan.count] = f.operands[i];
    plan.operand[plan.count++] = o.is_none() ? &unsaved : &o;
  }
  plan.common = d.outputs[0].dtype;
  for (int i = 0; i < f.count; ++i)
    if (has_edge(d, f.operands[i]) && is_complex(v.dtype(f.operands[i])) &&
        !is_complex(plan.common))
      plan.common = complex_dtype(plan.common);
  if (f.choose) f.choose(plan, values);
  const FormulaFacts& formula = facts[int(plan.formula)];
  const Dtype compute = compute_dtype(formula.rule, plan.common);
  if (compute == Dtype::undefined) throw_not_implemented(plan.common);

  Tensor y;
  for (const SaveItem& item : row.saves)
    if (item.result == 0 && !y.defined() && has_edge(d, item.condition)) y = v.out(0);
  bool recorded = grad_mode.enabled;
  if (recorded) {
    recorded = v.g().requires_grad() || (y.defined() && y.requires_grad());
    for (int i = 0; i < plan.count; ++i)
      recorded =
          recorded || (plan.operand[i]->is_tensor() && plan.operand[i]->t->is(kRequiresGrad));
  }
  Backward b{plan, compute, v.g(), y};
  for (int i = 0; i < plan.count; ++i) {
    const int param = position[i];
    if (!has_edge(d, param) || !v.needs(param)) continue;
    const DerivativeFacts& df = formula.d[i];
    KG_CHECK_IMPLEMENTED(df.exists, "the derivative with respect to '",
                         row.sig.params[size_t(param)].name, "' is not implemented");
    Tensor r;
    if (df.uses == 0 || recorded) {
      r = b.on_tensors(i);
    } else {
      r = b.in_lanes(i, df.uses, v.sizes(param), v.dtype(param));
    }
    v.set(param, fit(std::move(r), v.sizes(param), v.dtype(param)));
  }
}

// ---- choices ------------------------------------------------------------------------------------

namespace {

const Scalar& alpha(const Plan& plan) { return plan.attribute[0]; }

void check_alpha(const Plan& plan) {
  const Scalar& a = alpha(plan);
  KG_CHECK(a.kind != Scalar::Kind::boolean || plan.common == Dtype::boolean,
           "Boolean alpha only supported for Boolean results.");
  KG_CHECK(is_differentiable(plan.common) || a.is_integral(),
           "For integral input tensors, argument alpha must not be a floating point number.");
  KG_CHECK(is_complex(plan.common) || !a.is_complex(),
           "For non-complex input tensors, argument alpha must not be a complex number.");
}

void take(Plan& plan, Id formula) {
  plan.formula = formula;
  plan.attributes = 0;
}

void choose_add(Plan& plan, const Value*) {
  if (alpha(plan).kind == Scalar::Kind::integer && alpha(plan).i == 1)
    return take(plan, Id::add_plain);
  check_alpha(plan);
}

bool is_bool(const Value& v) {
  return v.is_tensor() ? v.t->dtype == Dtype::boolean : v.scalar().kind == Scalar::Kind::boolean;
}

void check_no_bool(const Plan& plan) {
  int bools = 0;
  for (int i = 0; i < plan.count; ++i)
    bools += !plan.operand[i]->is_none() && is_bool(*plan.operand[i]);
  KG_CHECK(bools < 2,
           "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
           "`logical_xor()` operator instead.");
  KG_CHECK(bools < 1,
           "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
           "to invert a mask, use the `~` or "
           "`logical_not()` operator instead.");
}

void choose_sub(Plan& plan, const Value*) {
  check_no_bool(plan);
  if (alpha(plan).kind == Scalar::Kind::integer && alpha(plan).i == 1)
    return take(plan, Id::sub_plain);
  check_alpha(plan);
}
void choose_rsub(Plan& plan, const Value*) {
  check_no_bool(plan);
  check_alpha(plan);
}

void choose_div(Plan& plan, const Value* args) {
  if (args[2].is_none()) return;
  std::string_view mode = Unbox<std::string_view>::get(args[2]);
  KG_CHECK(mode == "trunc" || mode == "floor",
           "expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", mode, "'");
  plan.formula = mode == "trunc" ? Id::div_trunc : Id::div_floor;
}

void choose_pow(Plan& plan, const Value*) {
  KG_CHECK_IMPLEMENTED(plan.common != Dtype::boolean,
                       "not implemented for bool; convert with .int()");
  if (!is_number(*plan.operand[1])) return;
  Scalar e = plan.operand[1]->scalar();
  KG_CHECK(is_differentiable(plan.common) || e.to_double() >= 0,
           "Integers to negative integer powers are not allowed.");
  auto one = [&](Id id) {
    plan.formula = id;
    plan.count = 1;
  };
  if (e.equals(2)) return one(Id::pow_square);
  if (e.equals(3)) return one(Id::pow_cube);
  if (!is_differentiable(plan.common)) return;
  if (e.equals(0.5)) return one(Id::pow_half);
  if (e.equals(-1)) return one(Id::pow_minus_one);
}

void choose_square(Plan& plan, const Value*) {
  if (plan.common == Dtype::boolean) plan.common = Dtype::i64;
}

void choose_neg(Plan& plan, const Value*) {
  KG_CHECK(plan.common != Dtype::boolean,
           "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
           "invert a mask, use "
           "the `~` or `logical_not()` operator instead.");
}
void choose_relu(Plan& plan, const Value*) {
  KG_CHECK(plan.common != Dtype::boolean, "Boolean inputs not supported for relu");
}

void choose_addcdiv(Plan& plan, const Value*) {
  KG_CHECK(is_differentiable(plan.common),
           "Integer division with addcdiv is no longer supported; divide with torch.div(tensor1, "
           "tensor2, "
           "rounding_mode='trunc'), or convert the tensors to float first");
}

void choose_logit(Plan& plan, const Value* args) {
  if (args[1].is_none()) return;
  plan.formula = Id::logit_clamped;
  plan.attributes = 1;
  plan.attribute[0] = args[1].scalar();
}

void choose_round(Plan& plan, const Value* args) {
  int64_t decimals = args[1].i;
  if (decimals == 0) return;
  plan.formula = decimals > 0 ? Id::round_up : Id::round_down;
  plan.attributes = 1;
  plan.attribute[0] = Scalar(std::pow(10.0, double(std::abs(decimals))));
}

void choose_nan_to_num(Plan& plan, const Value* args) {
  if (!is_differentiable(plan.common)) return take(plan, Id::nan_to_num_ints);
  const Dtype real = is_complex(plan.common) ? real_dtype(plan.common) : plan.common;
  const double largest = real == Dtype::f64   ? std::numeric_limits<double>::max()
                         : real == Dtype::f32 ? double(std::numeric_limits<float>::max())
                         : real == Dtype::f16 ? 65504.0
                                              : 3.3895313892515355e38;
  plan.attribute[0] = args[1].is_none() ? Scalar(0.0) : args[1].scalar();
  plan.attribute[1] = args[2].is_none() ? Scalar(largest) : args[2].scalar();
  plan.attribute[2] = args[3].is_none() ? Scalar(-largest) : args[3].scalar();
}

void choose_clamp(Plan& plan, const Value* args) {
  KG_CHECK(plan.count > 1, "torch.clamp: At least one of 'min' or 'max' must not be None");
  if (plan.count == 3) return;
  plan.formula = args[1].is_none() && plan.operand[1] != &args[1] ? Id::clamp_max : Id::clamp_min;
}

void choose_heaviside(Plan& plan, const Value*) {
  const Value &a = *plan.operand[0], &b = *plan.operand[1];
  KG_CHECK(!a.is_tensor() || !b.is_tensor() || a.t->dtype == b.t->dtype,
           "heaviside is not yet implemented for tensors with different dtypes.");
}

void choose_gelu(Plan& plan, const Value* args) {
  std::string_view form = Unbox<std::string_view>::get(args[1]);
  KG_CHECK(form == "none" || form == "tanh",
           "approximate argument must be either none or tanh, got '", form, "'");
  if (form == "tanh") plan.formula = Id::gelu_tanh;
}

void choose_celu(Plan& plan, const Value*) {
  KG_CHECK(plan.attribute[0].to_double() != 0, "expected an alpha other than 0, got ",
           plan.attribute[0].to_double(), "; the limit of a small alpha is relu");
}
void choose_huber(Plan& plan, const Value*) {
  KG_CHECK(plan.attribute[0].to_double() > 0,
           "huber_loss does not support non-positive values for delta.");
}
void choose_smooth_l1(Plan& plan, const Value*) {
  double beta = plan.attribute[0].to_double();
  KG_CHECK(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  if (beta == 0) take(plan, Id::absolute_error);
}
void choose_polygamma(Plan& plan, const Value*) {
  KG_CHECK(plan.attribute[0].to_int() >= 0, "polygamma(n, x) does not support negative n.");
}
void choose_polynomial(Plan& plan, const Value*) {
  int64_t kind = plan.attribute[0].to_int(), order = plan.attribute[1].to_int();
  KG_CHECK(kind >= 0 && kind < 12, "expected a kind of polynomial from 0 to 11, got ", kind);
  KG_CHECK_IMPLEMENTED(order >= 0 && order < kMaxDerivatives,
                       "derivatives of orthogonal polynomials are implemented up to order ",
                       kMaxDerivatives, ", got order ", order);
}
void choose_softshrink(Plan& plan, const Value*) {
  KG_CHECK(plan.attribute[0].to_double() >= 0,
           "lambda must be greater or equal to 0, but found to be ", plan.attribute[0].to_double(),
           ".");
}

void choose_lerp(Plan& plan, const Value*) {
  Dtype dtype = Dtype::undefined;
  for (int i = 0; i < 3; ++i) {
    if (!plan.operand[i]->is_tensor())
      continue;  // a number, or a tensor that backward does not need
    if (dtype == Dtype::undefined) dtype = plan.operand[i]->t->dtype;
    KG_CHECK(plan.operand[i]->t->dtype == dtype, "expected dtype ", dtype, " for `",
             i == 1 ? "end" : "weight", "` but got dtype ", plan.operand[i]->t->dtype);
  }
  if (dtype != Dtype::undefined) plan.common = dtype;
}
void choose_nextafter(Plan& plan, const Value*) {
  if (plan.common == Dtype::f16) plan.formula = Id::nextafter_f16;
  if (plan.common == Dtype::bf16) plan.formula = Id::nextafter_bf16;
}

consteval ChooseFn choose_for(Id id) {
  switch (id) {
    case Id::add:
      return choose_add;
    case Id::sub:
      return choose_sub;
    case Id::rsub:
      return choose_rsub;
    case Id::div:
      return choose_div;
    case Id::pow:
      return choose_pow;
    case Id::lerp:
      return choose_lerp;
    case Id::nextafter:
      return choose_nextafter;
    case Id::square:
      return choose_square;
    case Id::neg:
      return choose_neg;
    case Id::relu:
      return choose_relu;
    case Id::addcdiv:
      return choose_addcdiv;
    case Id::logit:
      return choose_logit;
    case Id::round:
      return choose_round;
    case Id::nan_to_num:
      return choose_nan_to_num;
    case Id::clamp:
      return choose_clamp;
    case Id::heaviside:
      return choose_heaviside;
    case Id::gelu:
      return choose_gelu;
    case Id::celu:
      return choose_celu;
    case Id::huber:
      return choose_huber;
    case Id::smooth_l1:
      return choose_smooth_l1;
    case Id::polygamma:
      return choose_polygamma;
    case Id::polynomial:
      return choose_polynomial;
    case Id::softshrink:
      return choose_softshrink;
    default:
      return nullptr;
  }
}

}  // namespace

// where(): the selected element, moved without looking at it.
void direct_where(const Row&, const Value* args, Results& out, TensorImpl* into) {
  const TensorImpl* condition = args[0].t;
  KG_CHECK(condition->dtype == Dtype::boolean || condition->dtype == Dtype::u8,
           "where expected condition to be a boolean tensor, but got a tensor with dtype ",
           condition->dtype, "; convert with .bool()");
  const Value* operands[3] = {&args[0], &args[1], &args[2]};
  Dtype common = result_type(operands + 1, 2);
  Launch launch;
  launch.count = 3;
  launch.in[0].tensor = condition;
  launch.in[0].want = Dtype::boolean;
  for (int i = 1; i < 3; ++i) {
    if (args[i].is_tensor())
      launch.in[i].tensor = args[i].t;
    else
      launch.in[i].number = args[i].scalar();
    launch.in[i].want = common;
  }
  int log = 0;
  while ((int64_t(1) << log) < itemsize(common)) ++log;
  launch.span = cpu_pointwise.select[log];
  launch.lanes = cpu_pointwise.select_lanes[log];
  launch.out_want = common;
  out.add(finish(launch, common, common_device(operands, 3), into));
}

}  // namespace pointwise

namespace {

// ---- rules of the rows that are no formula ------------------------------------------------------

void where_vjp(Vjp& v, const Tensor& condition, Operand, Operand) {
  for (int i = 1; i < 3; ++i) {
    if (!pointwise::has_edge(v.node().d, i)) continue;
    Tensor g = i == 1 ? where(condition, v.g(), 0) : where(condition, 0, v.g());
    v.set(i, pointwise::fit(std::move(g), v.sizes(i), v.dtype(i)));
  }
}

// Complex: the part of g across x, divided by |x|. Real: the sign does not change.
void sgn_vjp(Vjp& v, const Tensor& input) {
  if (!is_complex(v.dtype(0))) {
    v.set(0, v.g() * 0);
    return;
  }
  Tensor m = abs(input), s = sgn(input);
  Tensor along = call(rows::real, v.g() * conj(s));
  Tensor zero = call(rows::eq, m, 0);
  v.set(0, where(zero, 0.0, (v.g() - along * s) / where(zero, 1.0, m)));
}

void conj_vjp(Vjp& v, const Tensor&) {
  v.set(0, pointwise::fit(conj(v.g()), v.sizes(0), v.dtype(0)));
}

void copy_infer(Infer& o, const Tensor& input, const Tensor& src, bool) {
  if (src.sizes() != input.sizes()) {
    bool fits = src.dim() <= input.dim();
    for (int64_t d = 1; fits && d <= src.dim(); ++d) {
      int64_t s = src.sizes()[src.dim() - d];
      fits = s == 1 || s == input.sizes()[input.dim() - d];
    }
    KG_CHECK(fits, "The expanded size of the tensor ", input.sizes(),
             " must match the existing size ", src.sizes(),
             ": the source does not broadcast to the destination");
  }
  KG_CHECK(!input->storage || !input->storage->read_only,
           "the tensor to write lies in read-only memory; clone it first");
  KG_CHECK_IMPLEMENTED(!src.is_meta() || input.is_meta(),
                       "Cannot copy out of meta tensor; no data!");
  o.like(input);
  o.device = input.device();
}
void copy_vjp(Vjp& v, const Tensor&, const Tensor&, bool) {
  if (v.needs(0)) v.set(0, v.g() * 0);
  if (v.needs(1)) v.set(1, pointwise::fit(v.g(), v.sizes(1), v.dtype(1)));
}

void to_copy_infer(Infer& o, const Tensor& input, Dtype dtype, Layout layout,
                   std::optional<Device> device, std::optional<bool>, bool,
                   std::optional<MemoryFormat> format) {
  KG_CHECK(layout == Layout::strided, "only the strided layout is supported");
  Dtype to = dtype == Dtype::undefined ? input.dtype() : dtype;
  o.device = device.value_or(input.device());
  KG_CHECK_IMPLEMENTED(!input.is_meta() || o.device.is_meta(),
                       "Cannot copy out of meta tensor; no data!");
  if (!format || *format == MemoryFormat::preserve) {
    o.like(input, to);
  } else {
    Spec& s = o.out(input.sizes(), to);
    s.strides = memory_format_strides(input.sizes(), *format);
    s.has_strides = true;
  }
}
void to_copy_vjp(Vjp& v, const Tensor&, Dtype, Layout, std::optional<Device>, std::optional<bool>,
                 bool, std::optional<MemoryFormat>) {
  v.set(0, pointwise::fit(v.g(), v.sizes(0), v.dtype(0)));
}

void fill_infer(Infer& o, const Tensor& input, Operand value) {
  KG_CHECK(!value.is_tensor() || value.v.t->ndim == 0,
           "fill_ only supports 0-dimension value tensor but got tensor with ",
           value.is_tensor() ? int(value.v.t->ndim) : 0, " dimensions.");
  KG_CHECK(!input->storage || !input->storage->read_only,
           "the tensor to write lies in read-only memory; clone it first");
  o.like(input);
}
void fill_vjp(Vjp& v, const Tensor&, Operand) {
  if (v.needs(0)) v.set(0, v.g() * 0);
  if (pointwise::has_edge(v.node().d, 1)) v.set(1, pointwise::fit(v.g(), {}, v.dtype(1)));
}
void zero_infer(Infer& o, const Tensor& input) {
  KG_CHECK(!input->storage || !input->storage->read_only,
           "the tensor to write lies in read-only memory; clone it first");
  o.like(input);
}
void zero_vjp(Vjp& v, const Tensor&) { v.set(0, v.g() * 0); }

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

#define KG_POINTWISE_ROW(id, text, as_, doc_)                                                \
  namespace rows {                                                                           \
  static constexpr Signature id##_signature = read_signature(text);                          \
  static constexpr pointwise::Facts id##_extra =                                             \
      pointwise::read_facts<pointwise::formulas::id##_f>(                                    \
          id##_signature, pointwise::choose_for(pointwise::Id::id));                         \
  static constexpr pointwise::Saves<pointwise::formulas::id##_f> id##_saves(id##_signature); \
  static constexpr RowFacts id##_facts{                                                      \
      .grad = pointwise::read_grad<pointwise::formulas::id##_f>(id##_saves.list),            \
      .direct = &pointwise::direct,                                                          \
      .extra = &id##_extra,                                                                  \
      .as = as_,                                                                             \
      .doc = doc_};                                                                          \
  Row id(#id, id##_signature, id##_facts);                                                   \
  }

using namespace pointwise;  // kAll and its kin
#define KG_UNARY(id, text, as, doc, ...) KG_POINTWISE_ROW(id, text, as, doc)
#define KG_BINARY(id, text, as, doc, ...) KG_POINTWISE_ROW(id, text, as, doc)
#define KG_TERNARY(id, text, as, doc, ...) KG_POINTWISE_ROW(id, text, as, doc)
#define KG_ALIASES(name, of) KG_ALIAS(name, of)
#include "ops/pointwise.def"
KG_POINTWISE_ROW(polygamma, "polygamma(int n, Tensor input) -> Tensor", kAll,
                 "The n-th derivative of digamma.")

static constexpr Facts sgn_extra =
    read_facts<formulas::sgn_f>(read_signature("sgn(Tensor input) -> Tensor"), nullptr);
KG_ROW(sgn, "sgn(Tensor input) -> Tensor", .grad = vjp<&sgn_vjp>("input"),
       .direct = &pointwise::direct, .extra = &sgn_extra, .as = kAll,
       .doc = "x / |x|, and 0 at 0: the sign of real numbers, the direction of complex ones.")
static constexpr Facts conj_extra =
    read_facts<formulas::conj_f>(read_signature("conj_physical(Tensor input) -> Tensor"), nullptr);
KG_ROW(conj, "conj_physical(Tensor input) -> Tensor", .grad = vjp<&conj_vjp>(),
       .direct = &pointwise::direct, .extra = &conj_extra, .as = kAll,
       .doc = "The complex conjugate, computed at once.")
KG_ROW(where, "where(Tensor condition, Operand input, Operand other) -> Tensor",
       .grad = vjp<&where_vjp>("condition"), .direct = &direct_where, .as = kFree,
       .doc = "Elements of `input` where the condition holds, of `other` elsewhere.")
KG_ROW(copy, "copy(Tensor input, Tensor src, bool non_blocking=False) -> Tensor",
       .grad = vjp<&copy_vjp>(), .infer = infer<&copy_infer>, .starts_as = 0,
       .as = kInternal | kInplace | kWritingMethod,
       .doc = "Copies `src` into the tensor, broadcasting and converting it.")
KG_ROW(to_copy,
       "_to_copy(Tensor input, *, ScalarType? dtype=None, Layout? layout=None, Device? "
       "device=None, bool? pin_memory=None, "
       "bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
       .grad = vjp<&to_copy_vjp>(), .infer = infer<&to_copy_infer>, .as = kInternal,
       .doc = "A copy with another dtype, device or memory format.")
KG_ROW(fill, "fill(Tensor input, Operand value) -> Tensor", .grad = vjp<&fill_vjp>(),
       .infer = infer<&fill_infer>, .starts_as = 0, .as = kFunction | kInplace | kWritingMethod,
       .doc = "Sets all elements to one value.")
KG_ROW(zero, "zero(Tensor input) -> Tensor", .grad = vjp<&zero_vjp>(), .infer = infer<&zero_infer>,
       .starts_as = 0, .as = kFunction | kInplace | kWritingMethod,
       .doc = "Sets all elements to zero.")

}  // namespace kagari
