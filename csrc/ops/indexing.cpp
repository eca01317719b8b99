// Rows that choose elements by index or mask, and rows that write them.
#include "ops/indexing.h"

#include "core/sparse.h"
#include "ops/creation.h"
#include "ops/joining.h"
#include "ops/out.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

Dims IndexShape::result() const {
  Dims out(pre);
  for (int64_t s : block) out.push_back(s);
  for (int64_t s : post) out.push_back(s);
  return out;
}

IndexShape index_shape(const Tensor& x, TensorList indices, const Dims& mask_counts) {
  IndexShape s;
  bool taken[kMaxDims + 1] = {};
  int64_t dim = 0, masks = 0, first = -1, last = -1;
  bool adjacent = true;
  auto take = [&](int64_t d) {
    taken[d] = true;
    adjacent = adjacent && (last < 0 || last == d - 1);
    if (first < 0) first = d;
    last = d;
  };
  auto broadcast = [&](Ints sizes) {
    for (int64_t i = 0; i < std::min(sizes.n, s.block.size()); ++i) {
      int64_t a = sizes[sizes.n - 1 - i], b = s.block[s.block.size() - 1 - i];
      if (a == b || a == 1 || b == 1 || a < 0 || b < 0) continue;
      std::string shapes;
      for (int64_t k = 0; k < indices.n; ++k)
        if (indices.at(k))
          shapes += (shapes.empty() ? "" : ", ") +
                    shape_string({indices.at(k)->sizes, indices.at(k)->ndim});
      KG_FAIL(index,
              "shape mismatch: indexing tensors could not be broadcast together with shapes ",
              shapes);
    }
    while (s.block.size() < sizes.n) s.block.insert(0, 1);
    for (int64_t i = 0; i < sizes.n; ++i) {
      int64_t& b = s.block[s.block.size() - sizes.n + i];
      if (b == 1) b = sizes[i];
    }
  };
  for (int64_t i = 0; i < indices.n; ++i) {
    const TensorImpl* t = indices.at(i);
    if (!t) {
      KG_CHECK_INDEX(dim < x.dim(), "too many indices for tensor of dimension ", x.dim());
      ++dim;
      continue;
    }
    if (is_mask(t)) {
      s.has_mask = true;
      KG_CHECK_INDEX(t->ndim > 0 && dim + t->ndim <= x.dim(),
                     "too many indices for tensor of dimension ", x.dim());
      for (int d = 0; d < t->ndim; ++d) {
        KG_CHECK_INDEX(t->sizes[d] == x.sizes()[dim + d], "The shape of the mask ",
                       Ints(t->sizes, t->ndim), " at index ", d,
                       " does not match the shape of the indexed tensor ", x.sizes(), " at index ",
                       dim + d);
        take(dim + d);
      }
      broadcast(Ints{masks < mask_counts.size() ? mask_counts[masks] : -1});
      ++masks;
      dim += t->ndim;
      continue;
    }
    KG_CHECK_INDEX(is_index(t->dtype),
                   "tensors used as indices must be long, int, byte or bool tensors, got ",
                   t->dtype, "; convert with .long()");
    KG_CHECK_INDEX(dim < x.dim(), "too many indices for tensor of dimension ", x.dim());
    take(dim++);
    broadcast({t->sizes, t->ndim});
  }
  KG_CHECK_INDEX(first >= 0, "at least one index must be a tensor");
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (taken[d]) continue;
    bool before = adjacent && d < first;
    (before ? s.pre : s.post).push_back(x.sizes()[d]);
    (before ? s.pre_dims : s.post_dims).push_back(d);
  }
  return s;
}

namespace {

// ---- index and index_put ------------------------------------------------------------------------

void index_infer(Infer& o, const Tensor& input, TensorList indices) {
  IndexShape s = index_shape(input, indices);
  if (s.has_mask) {
    o.data_dependent = true;
  } else {
    o.out(s.result(), input.dtype());
  }
}
void index_vjp(Vjp& v, const Tensor&, TensorList indices) {
  v.set(0,
        call(rows::index_put, zeros(v.sizes(0), v.dtype(0), v.g().device()), indices, v.g(), true));
}

void index_put_infer(Infer& o, const Tensor& input, TensorList indices, const Tensor& values,
                     bool) {
  KG_CHECK(input.dtype() == values.dtype(),
           "Index put requires the source and destination dtypes match, got ", input.dtype(),
           " for the destination and ", values.dtype(), " for the source.");
  IndexShape s = index_shape(input, indices);
  if (!s.has_mask) {
    Dims result = s.result();
    bool fits = values.dim() <= result.size();
    for (int64_t i = 0; fits && i < values.dim(); ++i) {
      int64_t a = values.sizes()[values.dim() - 1 - i];
      fits = a == 1 || a == result[result.size() - 1 - i];
    }
    KG_CHECK(fits, "shape mismatch: value tensor of shape ", values.sizes(),
             " cannot be broadcast to indexing result of shape ", Ints(result));
  }
  o.like(input);
}
void index_put_vjp(Vjp& v, const Tensor&, TensorList indices, const Tensor& values,
                   bool accumulate) {
  if (v.needs(0)) {
    Tensor zero = zeros({}, v.g().dtype(), v.g().device());
    v.set(0, accumulate ? v.g() : call(rows::index_put, v.g(), indices, zero, false));
  }
  if (v.needs(2)) v.set(2, sum_to(index(v.g(), indices), values.sizes()));
}

// ---- masks --------------------------------------------------------------------------------------

void nonzero_infer(Infer& o, const Tensor& input) {
  (void)input;
  o.data_dependent = true;
}
void argwhere_infer(Infer& o, const Tensor&) { o.data_dependent = true; }

void check_mask(const Tensor& mask, const char* op) {
  KG_CHECK(mask.dtype() == Dtype::boolean, op,
           " only supports boolean masks, but got mask with dtype ", mask.dtype());
}

void masked_fill_infer(Infer& o, const Tensor& input, const Tensor& mask, Operand value) {
  check_mask(mask, "masked_fill");
  if (value.is_tensor()) {
    KG_CHECK(value.v.t->ndim == 0,
             "masked_fill only supports a 0-dimensional value tensor, but got tensor with ",
             int(value.v.t->ndim), " dimension(s).");
    KG_CHECK(can_cast(value.v.t->dtype, input.dtype()) || !is_complex(value.v.t->dtype),
             "value of dtype ", value.v.t->dtype, " cannot be converted to ", input.dtype());
  } else {
    KG_CHECK(!value.scalar().is_complex() || is_complex(input.dtype()),
             "value cannot be converted to type ", input.dtype(), " without overflow");
  }
  if (input.sizes() == mask.sizes()) {
    o.like(input);
    return;
  }
  Dims sizes = broadcast_shapes(input.sizes(), mask.sizes());
  if (Ints(sizes) == input.sizes())
    o.like(input);
  else
    o.out(sizes, input.dtype());
}
// Whether a value is a tensor that needs a gradient. A number has no edge to look at.
bool needs_value(const Vjp& v, int param, Operand value) {
  return value.v.is_none() && v.needs(param);
}
void masked_fill_vjp(Vjp& v, const Tensor&, const Tensor& mask, Operand value) {
  if (v.needs(0)) v.set(0, sum_to(call(rows::masked_fill, v.g(), mask, Scalar(0)), v.sizes(0)));
  if (needs_value(v, 2, value)) {
    Tensor kept = call(rows::masked_fill, v.g(), logical_not(mask), Scalar(0));
    v.set(2, to_dtype(sum(kept), v.dtype(2)));
  }
}

void masked_select_infer(Infer& o, const Tensor& input, const Tensor& mask) {
  check_mask(mask, "masked_select");
  broadcast_shapes(input.sizes(), mask.sizes());
  o.data_dependent = true;
}
void masked_select_vjp(Vjp& v, const Tensor&, const Tensor& mask) {
  Dims sizes = broadcast_shapes(v.sizes(0), mask.sizes());
  Tensor zero = zeros(sizes, v.dtype(0), v.g().device());
  v.set(0, sum_to(call(rows::masked_scatter, zero, mask, v.g()), v.sizes(0)));
}

void masked_scatter_infer(Infer& o, const Tensor& input, const Tensor& mask, const Tensor& source) {
  check_mask(mask, "masked_scatter");
  KG_CHECK(input.dtype() == source.dtype(), "expected self and source to have same dtypes but got ",
           input.dtype(), " and ", source.dtype());
  Dims sizes = broadcast_shapes(input.sizes(), mask.sizes());
  if (Ints(sizes) == input.sizes())
    o.like(input);
  else
    o.out(sizes, input.dtype());
}
void masked_scatter_vjp(Vjp& v, const Tensor&, const Tensor& mask, const Tensor&) {
  if (v.needs(0)) v.set(0, sum_to(call(rows::masked_fill, v.g(), mask, Scalar(0)), v.sizes(0)));
  if (v.needs(2)) {
    Tensor taken = masked_select(v.g(), mask);
    int64_t n = 1;
    for (int64_t s : v.sizes(2)) n *= s;
    if (taken.numel() < n)
      taken = cat({taken, zeros(Ints{n - taken.numel()}, v.g().dtype(), v.g().device())});
    v.set(2, view(taken, v.sizes(2)));
  }
}

// What follows the last element of t is zero: t in the corner of a tensor of these sizes.
Tensor pad_to(const Tensor& t, Ints sizes) {
  if (t.sizes() == sizes) return t;
  if (t.dim() != sizes.n) return reshape(t, sizes);
  Dims pad;
  for (int64_t d = sizes.n - 1; d >= 0; --d) {
    pad.push_back(0);
    pad.push_back(sizes[d] - t.sizes()[d]);
  }
  return call(rows::constant_pad_nd, t, pad, Scalar(0));
}

// ---- along one dimension ------------------------------------------------------------------------

void check_index_dtype(const Tensor& index, const char* op) {
  KG_CHECK(is_index(index.dtype()) || index.numel() == 0, op,
           "(): Expected dtype int32/int64 for index but got: ", index.dtype(),
           "; convert with .long()");
}
// index.size(d) <= x.size(d) for all d (but `dim` when asked).
void check_covered(const Tensor& index, const Tensor& x, int64_t dim, const char* what) {
  int64_t ni = std::max<int64_t>(index.dim(), 1), nx = std::max<int64_t>(x.dim(), 1);
  if (index.numel() == 0) return;
  KG_CHECK(ni == nx, "Index tensor must have the same number of dimensions as ", what, " tensor");
  for (int64_t d = 0; d < index.dim() && d < x.dim(); ++d)
    KG_CHECK(d == dim || index.sizes()[d] <= x.sizes()[d], "Expected index ", index.sizes(),
             " to be no larger than ", what, " ", x.sizes(),
             dim >= 0 ? concat(" apart from dimension ", dim) : std::string());
}

void gather_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index, bool) {
  dim = wrap_dim(dim, input.dim());
  check_index_dtype(index, "gather");
  check_covered(index, input, dim, "input");
  o.out(index.sizes(), input.dtype());
}
void gather_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index, bool sparse) {
  if (!v.needs(0)) return;  // an empty index may be of a floating dtype, and require grad
  if (sparse) {
    v.set(0, sparse_gradient("gather_gradient", v.g(), index, v.sizes(0), dim));
    return;
  }
  v.set(0, scatter_add(zeros(v.sizes(0), v.dtype(0), v.g().device()), dim, index, v.g()));
}

void scatter_checks(const Tensor& input, int64_t dim, const Tensor& index, const Tensor* src) {
  dim = wrap_dim(dim, input.dim());
  check_index_dtype(index, "scatter");
  check_covered(index, input, dim, "self");
  if (!src) return;
  check_covered(index, *src, -1, "src");
  KG_CHECK(input.dtype() == src->dtype(),
           "scatter(): Expected self.dtype to be equal to src.dtype");
}
void scatter_src_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                       const Tensor& src) {
  scatter_checks(input, dim, index, &src);
  o.like(input);
}
void scatter_src_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index, const Tensor&) {
  if (v.needs(0)) v.set(0, call(rows::scatter_value, v.g(), dim, index, Scalar(0)));
  if (!v.needs(3)) return;
  v.set(3, pad_to(gather(v.g(), dim, index), v.sizes(3)));
}
void scatter_value_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                         Scalar value) {
  scatter_checks(input, dim, index, nullptr);
  KG_CHECK(!value.is_complex() || is_complex(input.dtype()), "value cannot be converted to type ",
           input.dtype(), " without overflow");
  o.like(input);
}
void scatter_value_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index, Scalar) {
  v.set(0, call(rows::scatter_value, v.g(), dim, index, Scalar(0)));
}
void scatter_src_reduce_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                              const Tensor& src, std::string_view reduce) {
  scatter_checks(input, dim, index, &src);
  KG_CHECK(reduce == "add" || reduce == "multiply",
           "reduce argument must be either add or multiply.");
  o.like(input);
}
void scatter_value_reduce_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                                Scalar value, std::string_view reduce) {
  scatter_value_infer(o, input, dim, index, value);
  KG_CHECK(reduce == "add" || reduce == "multiply",
           "reduce argument must be either add or multiply.");
}
void scatter_add_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index, const Tensor&) {
  if (v.needs(0)) v.set(0, v.g());
  if (v.needs(3)) v.set(3, pad_to(gather(v.g(), dim, index), v.sizes(3)));
}

// PyTorch takes max and min for amax and amin.
std::string_view reduce_name(std::string_view reduce) {
  return reduce == "max" ? "amax" : reduce == "min" ? "amin" : reduce;
}
void check_reduce(std::string_view reduce) {
  reduce = reduce_name(reduce);
  KG_CHECK(reduce == "sum" || reduce == "prod" || reduce == "mean" || reduce == "amax" ||
               reduce == "amin",
           "reduce argument must be either sum, prod, mean, amax or amin, got ", reduce, ".");
}
void scatter_reduce_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                          const Tensor& src, std::string_view reduce, bool) {
  scatter_checks(input, dim, index, &src);
  check_reduce(reduce);
  o.like(input);
}

// The gradients of a reduction into chosen places. `into(base, source, how)` reduces a
// source-shaped tensor into a copy of an input-shaped one, `pick(y)` gathers from the input's
// shape, `clear(y, value)` overwrites the chosen places.
template <class Into, class Pick, class Clear>
void reduce_vjp(Vjp& v, const Tensor& input, const Tensor& src, const Tensor& result,
                std::string_view reduce, bool include_self, int src_param, Into into, Pick pick,
                Clear clear) {
  const Tensor& g = v.g();
  auto self_or = [&](const Tensor& y, double value) { return include_self ? y : clear(y, value); };
  auto or_one = [&](const Tensor& count) {
    return call(rows::masked_fill, count, eq(count, 0), Scalar(1));
  };
  Tensor for_input, for_src;
  if (reduce == "sum") {
    for_input = g;
    for_src = pick(g);
  } else if (reduce == "mean") {
    Tensor count = self_or(ones(g.sizes(), g.dtype(), g.device()), 0);
    for_input = g / or_one(into(count, ones(src.sizes(), g.dtype(), g.device()), "sum"));
    for_src = pick(for_input);
  } else if (reduce == "prod") {
    // A factor that is not zero gets g times the product over itself. A zero gets the product of
    // the factors that are not, if it is alone at its place; beside one other zero that product
    // times the other one (which is zero too, but differentiable); else nothing.
    Tensor zero_src = eq(src, 0), zero_in = eq(input, 0);
    Tensor unit_src = call(rows::masked_fill, src, zero_src, Scalar(1));
    Tensor unit_in = call(rows::masked_fill, input, zero_in, Scalar(1));
    Tensor gp = g * into(self_or(unit_in, 1), unit_src, "prod");
    Tensor nil_in = to_dtype(zero_in, g.dtype()), nil_src = to_dtype(zero_src, g.dtype());
    Tensor nil = into(self_or(nil_in, 0), nil_src, "sum");
    Tensor zeros_of = into(self_or(input * nil_in, 0), src * nil_src, "sum");
    auto share = [](const Tensor& x, const Tensor& zero, const Tensor& unit, const Tensor& whole,
                    const Tensor& others, const Tensor& count, const Tensor& nothing) {
      Tensor beside = where(eq(count, 2), others * (nothing - x), zeros_like(others));
      return where(zero, where(eq(count, 1), others, beside), whole / unit);
    };
    Tensor whole = g * result;
    for_input = share(input, zero_in, unit_in, whole, gp, nil, zeros_of);
    for_src = share(src, zero_src, unit_src, pick(whole), pick(gp), pick(nil), pick(zeros_of));
  } else {  // amax, amin: shared evenly among equals
    Tensor hit_in = to_dtype(eq(input, result), g.dtype()),
           hit_src = to_dtype(eq(src, pick(result)), g.dtype());
    Tensor share = g / or_one(into(self_or(hit_in, 0), hit_src, "sum"));
    for_input = share * hit_in;
    for_src = pick(share) * hit_src;
  }
  if (v.needs(0)) v.set(0, self_or(for_input, 0));
  if (v.needs(src_param)) v.set(src_param, pad_to(for_src, v.sizes(src_param)));
}

void scatter_reduce_vjp(Vjp& v, const Tensor& input, int64_t dim, const Tensor& index,
                        const Tensor& src, std::string_view reduce, bool include_self) {
  reduce = reduce_name(reduce);
  Tensor corner = src;  // where index is smaller than src, the rest of src is not read
  if (index.sizes() != src.sizes())
    for (int64_t d = 0; d < src.dim(); ++d) corner = narrow(corner, d, 0, index.sizes()[d]);
  auto into = [&](const Tensor& base, const Tensor& source, const char* how) {
    return call(rows::scatter_reduce, base, dim, index, source, how, true);
  };
  auto pick = [&](const Tensor& y) { return gather(y, dim, index); };
  auto clear = [&](const Tensor& y, double value) {
    return call(rows::scatter_value, y, dim, index, Scalar(value));
  };
  bool uses_result = reduce == "amax" || reduce == "amin" || reduce == "prod";
  Tensor result = uses_result ? v.out(0) : Tensor();
  reduce_vjp(v, input, corner, result, reduce, include_self, 3, into, pick, clear);
}

// Places of a 1-d index along dim, for the rows below.
void check_1d_index(const Tensor& index, const char* op) {
  KG_CHECK_INDEX(index.dim() <= 1, op,
                 "(): Index is supposed to be a vector, but got dim: ", index.dim());
  KG_CHECK(is_index(index.dtype()), op,
           "(): Expected dtype int32 or int64 for index but got: ", index.dtype(),
           "; convert with .long()");
}
void index_select_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index) {
  dim = wrap_dim(dim, input.dim());
  check_1d_index(index, "index_select");
  Dims sizes(input.sizes());
  KG_CHECK(input.dim() == 0 || input.sizes()[dim] > 0 || index.numel() == 0,
           "index_select(): self indexing axis dim should be positive");
  if (input.dim() > 0)
    sizes[dim] = index.numel();
  else
    KG_CHECK_INDEX(index.numel() == 1,
                   "index_select(): Index to scalar can have only 1 value, got ", index.numel(),
                   " value(s)");
  o.out(sizes, input.dtype());
}
void index_select_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index) {
  v.set(0, index_add(zeros(v.sizes(0), v.dtype(0), v.g().device()), dim, index, v.g()));
}

void check_source(const Tensor& input, int64_t dim, const Tensor& index, const Tensor& source,
                  const char* op) {
  check_1d_index(index, op);
  KG_CHECK(input.dtype() == source.dtype(), op, "(): self (", input.dtype(), ") and source (",
           source.dtype(), ") must have the same scalar type");
  int64_t n = source.dim() == 0 ? 1 : source.sizes()[wrap_dim(dim, source.dim())];
  std::string count = concat(op, "(): Number of indices (", index.numel(),
                             ") should be equal to source.size(dim): (", n, "), for dim: ", dim);
  if (op == std::string_view("index_add"))
    KG_CHECK(index.numel() == n, count);
  else
    KG_CHECK_INDEX(index.numel() == n, count);
  if (input.dim() == 0 || source.dim() == 0) return;
  bool same = input.dim() == source.dim();
  int64_t at = wrap_dim(dim, input.dim());
  for (int64_t d = 0; same && d < input.dim(); ++d)
    same = d == at || input.sizes()[d] == source.sizes()[d];
  KG_CHECK(same, op,
           "(): source tensor shape must match self tensor shape, excluding the specified "
           "dimension. Got self.shape = ",
           input.sizes(), " source.shape = ", source.sizes());
}
void index_add_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                     const Tensor& source, Scalar) {
  wrap_dim(dim, input.dim());
  check_source(input, dim, index, source, "index_add");
  o.like(input);
}
void index_add_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index, const Tensor&,
                   Scalar alpha) {
  if (v.needs(0)) v.set(0, v.g());
  if (!v.needs(3)) return;
  Tensor g = reshape(index_select(v.g(), dim, index), v.sizes(3));
  v.set(3, alpha.equals(1) ? g : g * alpha);
}
void index_copy_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                      const Tensor& source) {
  wrap_dim(dim, input.dim());
  check_source(input, dim, index, source, "index_copy");
  o.like(input);
}
void index_copy_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index, const Tensor&) {
  if (v.needs(0)) v.set(0, call(rows::index_fill, v.g(), dim, index, Scalar(0)));
  if (v.needs(3)) v.set(3, reshape(index_select(v.g(), dim, index), v.sizes(3)));
}
void index_fill_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                      Operand value) {
  wrap_dim(dim, input.dim());
  KG_CHECK_INDEX(index.dtype() == Dtype::i64 || index.dtype() == Dtype::i32,
                 "index_fill_(): Expected dtype int64 for index.");
  KG_CHECK(index.dim() <= 1, "Index has to be a vector/scalar");
  if (value.is_tensor())
    KG_CHECK(value.v.t->ndim == 0, "Only supports 0-dimensional value tensor, but got tensor with ",
             int(value.v.t->ndim), " dimension(s).");
  bool complex = value.is_tensor() ? is_complex(value.v.t->dtype) : value.scalar().is_complex();
  KG_CHECK(!complex || is_complex(input.dtype()),
           "index_fill_(): Converting complex Scalar to non-complex type is not supported");
  o.like(input);
}
void index_fill_vjp(Vjp& v, const Tensor&, int64_t dim, const Tensor& index, Operand value) {
  if (v.needs(0)) v.set(0, call(rows::index_fill, v.g(), dim, index, Scalar(0)));
  if (!needs_value(v, 3, value)) return;
  // An index that occurs twice fills once: sum where something was filled.
  Ints sizes = v.g().sizes();
  dim = wrap_dim(dim, sizes.n);
  Dims line(sizes.n, 1);
  if (sizes.n) line[dim] = sizes[dim];
  Tensor kept = full(line, Scalar(true), Dtype::boolean, v.g().device());
  kept = call(rows::index_fill, kept, dim, index, Scalar(false));
  v.set(3, to_dtype(sum(call(rows::masked_fill, v.g(), kept, Scalar(0))), v.dtype(3)));
}
void index_reduce_infer(Infer& o, const Tensor& input, int64_t dim, const Tensor& index,
                        const Tensor& source, std::string_view reduce, bool) {
  wrap_dim(dim, input.dim());
  check_source(input, dim, index, source, "index_reduce");
  KG_CHECK(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
           "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ", reduce,
           ".");
  o.like(input);
}
void index_reduce_vjp(Vjp& v, const Tensor& input, int64_t dim, const Tensor& index,
                      const Tensor& source, std::string_view reduce, bool include_self);

void take_infer(Infer& o, const Tensor& input, const Tensor& index) {
  KG_CHECK(index.dtype() == Dtype::i64, "take(): Expected a long tensor for index, but got ",
           index.dtype());
  KG_CHECK_INDEX(input.numel() > 0 || index.numel() == 0,
                 "take(): tried to take from an empty tensor");
  o.out(index.sizes(), input.dtype());
}
void take_vjp(Vjp& v, const Tensor&, const Tensor& index) {
  v.set(0, call(rows::put, zeros(v.sizes(0), v.dtype(0), v.g().device()), index, v.g(), true));
}
void put_infer(Infer& o, const Tensor& input, const Tensor& index, const Tensor& source, bool) {
  KG_CHECK(index.dtype() == Dtype::i64, "put_(): Expected a long tensor for index, but got ",
           index.dtype());
  KG_CHECK(input.dtype() == source.dtype(),
           "put_(): self and source expected to have the same dtype, but got self.dtype = ",
           input.dtype(), " and source.dtype = ", source.dtype());
  KG_CHECK_INDEX(index.numel() == source.numel(),
                 "put_(): Expected source and index to have the same number of elements, but got "
                 "source.numel() = ",
                 source.numel(), ", index.numel() = ", index.numel());
  KG_CHECK_INDEX(input.numel() > 0 || index.numel() == 0,
                 "put_(): Tried to put elements into an empty tensor");
  o.like(input);
}
void put_vjp(Vjp& v, const Tensor&, const Tensor& index, const Tensor&, bool accumulate) {
  if (v.needs(0)) {
    Tensor none = zeros(index.sizes(), v.g().dtype(), v.g().device());
    v.set(0, accumulate ? v.g() : call(rows::put, v.g(), index, none, false));
  }
  if (v.needs(2)) v.set(2, reshape(call(rows::take, v.g(), index), v.sizes(2)));
}

// ---- repetition by counts -----------------------------------------------------------------------

void repeat_index_infer(Infer& o, const Tensor& repeats, std::optional<int64_t>) {
  KG_CHECK(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  KG_CHECK(is_index(repeats.dtype()), "repeats has to be Long or Int tensor");
  o.data_dependent = true;
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

KG_ROW(index, "index(Tensor input, Tensor?[] indices) -> Tensor",
       .grad = vjp<&index_vjp>("indices"), .infer = infer<&index_infer>, .as = kInternal,
       .doc = "The elements that lists of indices or masks name.")
KG_ROW(index_put,
       "index_put(Tensor input, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
       .grad = vjp<&index_put_vjp>("indices #values"), .infer = infer<&index_put_infer>,
       .starts_as = 0, .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "Writes or adds values at the elements that lists of indices or masks name.")
KG_ROW(nonzero, "nonzero(Tensor input) -> Tensor", .grad = nondiff("gives positions"),
       .infer = infer<&nonzero_infer>, .as = kFunction | kMethod | kExactOut,
       .doc = "The positions of the elements that are not zero, a row each.")
KG_ROW(argwhere, "argwhere(Tensor input) -> Tensor", .grad = nondiff("gives positions"),
       .infer = infer<&argwhere_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "The positions of the elements that are not zero, a row each.")
KG_ROW(masked_fill, "masked_fill(Tensor input, Tensor mask, Operand value) -> Tensor",
       .grad = vjp<&masked_fill_vjp>("mask"), .infer = infer<&masked_fill_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "The value where the mask is true, the input elsewhere.")
KG_ROW(masked_select, "masked_select(Tensor input, Tensor mask) -> Tensor",
       .grad = vjp<&masked_select_vjp>("mask"), .infer = infer<&masked_select_infer>,
       .as = kFunction | kMethod | kExactOut | kApart,
       .doc = "The elements where the mask is true, in one dimension.")
KG_ROW(masked_scatter, "masked_scatter(Tensor input, Tensor mask, Tensor source) -> Tensor",
       .grad = vjp<&masked_scatter_vjp>("mask"), .infer = infer<&masked_scatter_infer>,
       .starts_as = 0, .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "The source's elements in order where the mask is true, the input elsewhere.")
KG_ROW(gather, "gather(Tensor input, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
       .grad = vjp<&gather_vjp>("index"), .infer = infer<&gather_infer>,
       .as = kFunction | kMethod | kExactOut | kApart,
       .doc = "out[i][j] = input[index[i][j]][j] along a dimension.")
KG_ROW(scatter_src, "scatter.src(Tensor input, int dim, Tensor index, Tensor src) -> Tensor",
       .grad = vjp<&scatter_src_vjp>("index"), .infer = infer<&scatter_src_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc = "Writes src[i][j] to out[index[i][j]][j] along a dimension.")
KG_ROW(scatter_value, "scatter.value(Tensor input, int dim, Tensor index, Scalar value) -> Tensor",
       .grad = vjp<&scatter_value_vjp>("index"), .infer = infer<&scatter_value_infer>,
       .starts_as = 0, .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc = "Writes a value to out[index[i][j]][j] along a dimension.")
KG_ROW(scatter_src_reduce,
       "scatter.reduce(Tensor input, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
       .grad = nondiff("use scatter_reduce, which has a gradient"),
       .infer = infer<&scatter_src_reduce_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc = "Adds or multiplies src[i][j] into out[index[i][j]][j] along a dimension.")
KG_ROW(scatter_value_reduce,
       "scatter.value_reduce(Tensor input, int dim, Tensor index, Scalar value, *, str reduce) -> "
       "Tensor",
       .grad = nondiff("use scatter_reduce, which has a gradient"),
       .infer = infer<&scatter_value_reduce_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc = "Adds or multiplies a value into out[index[i][j]][j] along a dimension.")
KG_ROW(scatter_add, "scatter_add(Tensor input, int dim, Tensor index, Tensor src) -> Tensor",
       .grad = vjp<&scatter_add_vjp>("index"), .infer = infer<&scatter_src_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc = "Adds src[i][j] to out[index[i][j]][j] along a dimension.")
KG_ROW(scatter_reduce,
       "scatter_reduce(Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool "
       "include_self=True) -> Tensor",
       .grad = vjp<&scatter_reduce_vjp>("input index src result"),
       .infer = infer<&scatter_reduce_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc =
           "Reduces src[i][j] into out[index[i][j]][j] along a dimension: sum, prod, mean, amax or "
           "amin.")
KG_ROW(index_select, "index_select(Tensor input, int dim, Tensor index) -> Tensor",
       .grad = vjp<&index_select_vjp>("index"), .infer = infer<&index_select_infer>,
       .as = kFunction | kMethod | kExactOut | kApart,
       .doc = "The slices of a dimension that a list of indices names.")
KG_ROW(index_add,
       "index_add(Tensor input, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
       .grad = vjp<&index_add_vjp>("index"), .infer = infer<&index_add_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc = "Adds slices of source, times alpha, to the slices that a list of indices names.")
KG_ROW(index_copy, "index_copy(Tensor input, int dim, Tensor index, Tensor source) -> Tensor",
       .grad = vjp<&index_copy_vjp>("index"), .infer = infer<&index_copy_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc = "Writes slices of source to the slices that a list of indices names.")
KG_ROW(index_fill, "index_fill(Tensor input, int dim, Tensor index, Operand value) -> Tensor",
       .grad = vjp<&index_fill_vjp>("index"), .infer = infer<&index_fill_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "Writes a value to the slices that a list of indices names.")
KG_ROW(index_reduce,
       "index_reduce(Tensor input, int dim, Tensor index, Tensor source, str reduce, *, bool "
       "include_self=True) -> Tensor",
       .grad = vjp<&index_reduce_vjp>("input index source result"),
       .infer = infer<&index_reduce_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kExactOut | kApart,
       .doc =
           "Reduces slices of source into the slices that a list of indices names: prod, mean, "
           "amax or amin.")
KG_ROW(take, "take(Tensor input, Tensor index) -> Tensor", .grad = vjp<&take_vjp>("index"),
       .infer = infer<&take_infer>, .as = kFunction | kMethod | kExactOut | kApart,
       .doc = "Elements by their position in the flattened input.")
KG_ROW(put, "put(Tensor input, Tensor index, Tensor source, bool accumulate=False) -> Tensor",
       .grad = vjp<&put_vjp>("index"), .infer = infer<&put_infer>, .starts_as = 0,
       .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "Writes or adds elements by their position in the flattened input.")
KG_ROW(repeat_interleave_index,
       "repeat_interleave.Tensor(Tensor repeats, *, int? output_size=None) -> Tensor",
       .grad = nondiff("gives positions"), .infer = infer<&repeat_index_infer>,
       .as = kFunction | kNoOut, .doc = "Each position as often as its count says.")

namespace {

void index_reduce_vjp(Vjp& v, const Tensor& input, int64_t dim, const Tensor& index,
                      const Tensor& source, std::string_view reduce, bool include_self) {
  auto into = [&](const Tensor& base, const Tensor& src, const char* how) {
    return how == std::string_view("sum")
               ? index_add(base, dim, index, src)
               : call(rows::index_reduce, base, dim, index, src, how, true);
  };
  auto pick = [&](const Tensor& y) { return index_select(y, dim, index); };
  auto clear = [&](const Tensor& y, double value) {
    return call(rows::index_fill, y, dim, index, Scalar(value));
  };
  bool uses_result = reduce == "amax" || reduce == "amin" || reduce == "prod";
  Tensor result = uses_result ? v.out(0) : Tensor();
  reduce_vjp(v, input, source, result, reduce, include_self, 3, into, pick, clear);
}

}  // namespace
}  // namespace kagari
