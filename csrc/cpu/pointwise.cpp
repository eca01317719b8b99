// The CPU's side of the pointwise class: the tables for this processor, and the rows that only move
// or set elements.
#include "cpu/pointwise.h"

#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/loops.h"
#include "ops/pointwise_class.h"

namespace kagari {

namespace {

using pointwise::cpu_pointwise;
using pointwise::Input;
using pointwise::Launch;
using pointwise::Span;

// A number waits in memory as the dtype that holds it exactly.
Dtype unpack(const Scalar& s, char* to) {
  auto put = [&](auto v, Dtype d) {
    std::memcpy(to, &v, sizeof v);
    return d;
  };
  switch (s.kind) {
    case Scalar::Kind::boolean:
      return put(uint8_t(s.i != 0), Dtype::boolean);
    case Scalar::Kind::integer:
      return put(s.i, s.is_u64 ? Dtype::u64 : Dtype::i64);
    case Scalar::Kind::real:
      return put(s.d, Dtype::f64);
    default:
      return put(s.to_complex(), Dtype::c128);
  }
}

// neg and abs of 16-bit floats, by what they do to the sign.
Span on_signs(const Launch& launch) {
  if (launch.count != 1 || launch.out_want != Dtype::f32 || !launch.in[0].tensor) return nullptr;
  const Dtype dtype = launch.out->dtype;
  if ((dtype != Dtype::f16 && dtype != Dtype::bf16) || launch.in[0].tensor->dtype != dtype)
    return nullptr;
  const auto& formulas = cpu_pointwise.tables[int(Dtype::f32)]->formulas;
  const SelectTable& signs = KG_PICK(select_table);
  if (launch.span == formulas[int(pointwise::Id::neg)].value) return signs.neg16;
  if (launch.span == formulas[int(pointwise::Id::abs)].value) return signs.abs16;
  return nullptr;
}

// The span that does the same on floats of 16 bits without a pass for every conversion; null where
// there is none, or where some operand has another dtype.
Span on_shorts(const Launch& launch) {
  const Dtype dtype = launch.out->dtype;
  if ((dtype != Dtype::f16 && dtype != Dtype::bf16) || launch.out_want != Dtype::f32)
    return nullptr;
  for (int i = 0; i < launch.count; ++i) {
    const Input& in = launch.in[i];
    if (in.want != Dtype::f32) return nullptr;
    if (in.tensor && in.tensor->dtype != dtype && (in.tensor->numel != 1 || launch.out->numel == 1))
      return nullptr;
  }
  struct Pair {
    Span wide, bf16, f16;
  };
  static const std::vector<Pair> pairs = [] {
    const ShortTable& table = KG_PICK(short_table);
    std::vector<Pair> all;
    for (int i = 0; i < table.count; ++i) {
      const ShortSpan& s = table.spans[i];
      const auto& spans = cpu_pointwise.tables[int(Dtype::f32)]->formulas[int(s.id)];
      const Span wide = s.gradient < 0 ? spans.value : spans.gradient[s.gradient];
      if (wide) all.push_back({wide, s.bf16, s.f16});
    }
    return all;
  }();
  for (const Pair& p : pairs)
    if (p.wide == launch.span) return dtype == Dtype::bf16 ? p.bf16 : p.f16;
  return nullptr;
}

void run(const Launch& launch) {
  KG_INTERNAL(launch.span, "a formula has no kernel for its computing dtype");
  if (const Span span = on_signs(launch)) {
    Loop loop;
    loop.shape({launch.out->sizes, launch.out->ndim});
    loop.add(launch.out, launch.out->dtype);
    loop.add(launch.in[0].tensor, launch.out->dtype);
    run_loop(loop, {span, 2 * launch.lanes, launch.pad});
    return;
  }
  const Span narrow = on_shorts(launch);
  auto want = [&](Dtype d) { return narrow ? launch.out->dtype : d; };
  Loop loop;
  loop.shape({launch.out->sizes, launch.out->ndim});
  loop.add(launch.out, want(launch.out_want));
  alignas(16) char numbers[Loop::kMaxOperands][16];
  for (int i = 0; i < launch.count; ++i) {
    const Input& in = launch.in[i];
    LoopOperand* o;
    if (in.tensor) {
      o = &loop.add(in.tensor, want(in.want));
    } else {
      Dtype d = unpack(in.number, numbers[i]);
      o = &loop.add_number(numbers[i], want(in.want));
      o->dtype = d;
    }
    o->via = in.via;
    if (narrow) o->splat = in.want;
  }
  run_loop(loop, {narrow ? narrow : launch.span, launch.lanes, launch.pad, launch.attributes});
}

void run_contiguous(const pointwise::SpanTable& table, Span span, void* out, const void* const* in,
                    const int64_t* sizes, int count, uint32_t single, const void* attributes,
                    int64_t n) {
  run_span({span, table.lanes, table.pad, attributes}, out, in, sizes, count + 1, single, n);
}

SpanTable with_lanes(SpanTable table, const ComplexSpans& spans) {
  using pointwise::Id;
  auto put = [&](Id id, Span span) { table.formulas[int(id)].value = span; };
  put(Id::add_plain, spans.add);
  put(Id::sub_plain, spans.sub);
  put(Id::mul, spans.mul);
  put(Id::abs, spans.abs);
  put(Id::angle, spans.angle);
  return table;
}

const struct Tables {
  SpanTable complex[2];
  Tables() {
    auto& t = cpu_pointwise.tables;
    t[int(Dtype::f32)] = &KG_PICK(pointwise_f32);
    t[int(Dtype::f64)] = &KG_PICK(pointwise_f64);
    t[int(Dtype::i32)] = &KG_PICK(pointwise_i32);
    t[int(Dtype::i64)] = &KG_PICK(pointwise_i64);
    t[int(Dtype::u64)] = &KG_PICK(pointwise_u64);
    t[int(Dtype::boolean)] = &KG_PICK(pointwise_u8);
    complex[0] = with_lanes(portable::pointwise_c64, KG_PICK(complex_f32));
    complex[1] = with_lanes(portable::pointwise_c128, KG_PICK(complex_f64));
    t[int(Dtype::c64)] = &complex[0];
    t[int(Dtype::c128)] = &complex[1];
    const SelectTable& select = KG_PICK(select_table);
    for (int i = 0; i < 5; ++i) {
      cpu_pointwise.select[i] = select.by_size[i];
      cpu_pointwise.select_lanes[i] = select.lanes[i];
    }
    cpu_pointwise.run = run;
    cpu_pointwise.run_contiguous = run_contiguous;
  }
} tables;

// ---- rows without arithmetic --------------------------------------------------------------------

void copy_cpu(Results& out, const Tensor&, const Tensor& src, bool) {
  const TensorImpl* to = out[0].get();
  if (overlap(to, src.get()) == Overlap::none ||
      (to->data == src->data && to->dtype == src.dtype() && to->ndim == src->ndim &&
       std::equal(to->sizes, to->sizes + 2 * to->ndim, src->sizes))) {
    convert(to, src.get());
    return;
  }
  // Overlapping memory: through a copy of the source. A view that names no tensor of Python's is
  // enough for that.
  int64_t n = src.numel(), size = src.itemsize();
  Workspace room(size_t(n * size));
  TensorImpl dense = *src.get();
  Dims both(src.sizes());
  Dims strides = contiguous_strides(src.sizes());
  for (int64_t s : strides) both.push_back(s);
  dense.data = room.as<char>();
  dense.sizes = both.data();
  dense.flags |= kContiguous;
  convert(&dense, src.get());
  convert(to, &dense);
}

void to_copy_cpu(Results& out, const Tensor& input, Dtype, Layout, std::optional<Device>,
                 std::optional<bool>, bool, std::optional<MemoryFormat>) {
  convert(out[0].get(), input.get());
}

void fill_with(const TensorImpl* t, const void* value, Dtype dtype) {
  if (t->numel == 0) return;
  if (is_storage_only(t->dtype)) throw_storage_only(t->dtype);
  Loop loop;
  loop.shape({t->sizes, t->ndim});
  loop.add(t, t->dtype);
  alignas(16) char one[16];
  convert_block(one, t->dtype, value, dtype, 1);
  loop.add_number(one, t->dtype);
  run_loop(loop, {copy_span(), int(64 / itemsize(t->dtype))});
}

void fill_cpu(Results& out, const Tensor&, Operand value) {
  alignas(16) char number[16];
  if (value.is_tensor()) {
    std::memcpy(number, value.v.t->data, size_t(itemsize(value.v.t->dtype)));
    fill_with(out[0].get(), number, value.v.t->dtype);
  } else {
    Dtype d = unpack(value.scalar(), number);
    fill_with(out[0].get(), number, d);
  }
}

void zero_cpu(Results& out, const Tensor&) {
  const uint8_t zero = 0;
  fill_with(out[0].get(), &zero, Dtype::boolean);
}

}  // namespace

KG_KERNEL(copy, cpu, copy_cpu)
KG_KERNEL(to_copy, cpu, to_copy_cpu)
KG_KERNEL(fill, cpu, fill_cpu)
KG_KERNEL(zero, cpu, zero_cpu)

}  // namespace kagari
