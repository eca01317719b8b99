// Rows that join, repeat and reorder elements.
#include "ops/joining.h"

#include "ops/creation.h"
#include "ops/out.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

namespace {

// ---- cat and stack ------------------------------------------------------------------------------

// PyTorch lets an empty 1-d tensor stand in any list.
bool legacy_empty(const TensorImpl* t) { return t->ndim == 1 && t->numel == 0; }
Ints sizes_of(const TensorImpl* t) { return {t->sizes, t->ndim}; }

bool all_channels_last(TensorList tensors, MemoryFormat f) {
  for (int64_t i = 0; i < tensors.n; ++i)
    if (tensors.at(i)->is(kContiguous) || !is_contiguous_as(tensors.at(i), f)) return false;
  return true;
}
Dtype common_dtype(TensorList tensors) {
  Dtype d = tensors.at(0)->dtype;
  for (int64_t i = 1; i < tensors.n; ++i)
    if (tensors.at(i)->dtype != d) d = promote(d, tensors.at(i)->dtype);
  return d;
}

void cat_infer(Infer& o, TensorList tensors, int64_t dim) {
  KG_CHECK_VALUE(tensors.n > 0, "expected a non-empty list of Tensors");
  const TensorImpl* shape = nullptr;
  for (int64_t i = 0; i < tensors.n; ++i) {
    KG_CHECK(tensors.at(i)->ndim > 0, "zero-dimensional tensor (at position ", i,
             ") cannot be concatenated");
    if (!shape && !legacy_empty(tensors.at(i))) shape = tensors.at(i);
  }
  Dtype dtype = common_dtype(tensors);
  if (!shape) {
    wrap_dim(dim, 1);
    o.out(Ints{0}, dtype);
    return;
  }
  dim = wrap_dim(dim, shape->ndim);
  Dims sizes(sizes_of(shape));
  sizes[dim] = 0;
  for (int64_t i = 0; i < tensors.n; ++i) {
    const TensorImpl* t = tensors.at(i);
    if (legacy_empty(t)) continue;
    KG_CHECK(t->ndim == shape->ndim, "Tensors must have same number of dimensions: got ",
             int(shape->ndim), " and ", int(t->ndim));
    for (int d = 0; d < t->ndim; ++d)
      KG_CHECK(d == dim || t->sizes[d] == shape->sizes[d],
               "Sizes of tensors must match except in dimension ", dim, ". Expected size ",
               shape->sizes[d], " but got size ", t->sizes[d], " for tensor number ", i,
               " in the list.");
    sizes[dim] += t->sizes[dim];
  }
  Spec& s = o.out(sizes, dtype);
  MemoryFormat f = sizes.size() == 5 ? MemoryFormat::channels_last_3d : MemoryFormat::channels_last;
  if ((sizes.size() == 4 || sizes.size() == 5) && all_channels_last(tensors, f)) {
    s.strides = memory_format_strides(sizes, f);
    s.has_strides = true;
  }
}
void cat_vjp(Vjp& v, TensorList tensors, int64_t dim) {
  dim = wrap_dim(dim, v.g().dim());
  int64_t at = 0;
  for (int64_t i = 0; i < tensors.n; ++i) {
    const TensorImpl* t = tensors.at(i);
    bool empty = legacy_empty(t) && v.g().dim() != 1;
    int64_t length = empty ? 0 : t->sizes[dim];
    if (v.needs(0, int(i)))
      v.set_element(0, int(i),
                    empty ? zeros(Ints{0}, t->dtype, t->device)
                          : to_dtype(narrow(v.g(), dim, at, length), t->dtype));
    at += length;
  }
}

// What a tensor of at most two dimensions is as a block.
struct Block {
  int64_t rows = 1, columns = 1;
  explicit Block(const TensorImpl* t) {
    if (t->ndim > 0) columns = t->sizes[t->ndim - 1];
    if (t->ndim > 1) rows = t->sizes[0];
  }
};
void block_diag_infer(Infer& o, TensorList tensors) {
  KG_CHECK(tensors.n > 0, "expected a non-empty list of Tensors");
  int64_t rows = 0, columns = 0;
  for (int64_t i = 0; i < tensors.n; ++i) {
    KG_CHECK(tensors.at(i)->ndim <= 2, "expected at most 2 dimensions, got ",
             int(tensors.at(i)->ndim), " of tensor ", i);
    const Block b(tensors.at(i));
    rows += b.rows;
    columns += b.columns;
  }
  o.out({rows, columns}, common_dtype(tensors));
}
void block_diag_vjp(Vjp& v, TensorList tensors) {
  int64_t row = 0, column = 0;
  for (int64_t i = 0; i < tensors.n; ++i) {
    const TensorImpl* t = tensors.at(i);
    const Block b(t);
    if (v.needs(0, int(i))) {
      const Tensor g = narrow(narrow(v.g(), 0, row, b.rows), 1, column, b.columns);
      v.set_element(0, int(i), to_dtype(t->ndim == 2 ? g : reshape(g, sizes_of(t)), t->dtype));
    }
    row += b.rows;
    column += b.columns;
  }
}

void stack_infer(Infer& o, TensorList tensors, int64_t dim) {
  KG_CHECK(tensors.n > 0, "expected a non-empty list of Tensors");
  const TensorImpl* first = tensors.at(0);
  dim = wrap_dim(dim, first->ndim + 1);
  for (int64_t i = 1; i < tensors.n; ++i)
    KG_CHECK(sizes_of(tensors.at(i)) == sizes_of(first),
             "expects each tensor to be equal size, but got ", sizes_of(first), " at entry 0 and ",
             sizes_of(tensors.at(i)), " at entry ", i);
  Dims sizes(sizes_of(first));
  sizes.insert(dim, tensors.n);
  o.out(sizes, common_dtype(tensors));
}
void stack_vjp(Vjp& v, TensorList, int64_t dim) {
  dim = wrap_dim(dim, v.g().dim());
  for (int64_t i = 0; i < v.g().sizes()[dim]; ++i)
    if (v.needs(0, int(i)))
      v.set_element(0, int(i), to_dtype(select(v.g(), dim, i), v.dtype(0, int(i))));
}

// ---- padding ------------------------------------------------------------------------------------

void pad_infer(Infer& o, const Tensor& input, Ints pad, Scalar) {
  KG_CHECK(pad.n % 2 == 0, "Length of pad must be even but instead it equals ", pad.n);
  KG_CHECK(pad.n / 2 <= input.dim(),
           "Length of pad should be no more than twice the number of dimensions of the "
           "input. Pad length is ",
           pad.n, " while the input has ", input.dim(), " dimensions.");
  Dims sizes(input.sizes());
  for (int64_t i = 0; i < pad.n / 2; ++i) {
    int64_t d = input.dim() - 1 - i;
    bool huge = __builtin_add_overflow(sizes[d], pad[2 * i], &sizes[d]) ||
                __builtin_add_overflow(sizes[d], pad[2 * i + 1], &sizes[d]);
    KG_CHECK(!huge, "The input size ", input.sizes()[d], " with padding ", pad[2 * i], " and ",
             pad[2 * i + 1], " is more than a dimension can have; pad less in dimension ", d);
    KG_CHECK(sizes[d] >= 0, "The input size ", input.sizes()[d], ", plus negative padding ",
             pad[2 * i], " and ", pad[2 * i + 1],
             " resulted in a negative output size, which is invalid. Check dimension ", d,
             " of your input.");
  }
  Spec& s = o.out(sizes, input.dtype());
  MemoryFormat f = sizes.size() == 5 ? MemoryFormat::channels_last_3d : MemoryFormat::channels_last;
  if (!input.is_contiguous() && (sizes.size() == 4 || sizes.size() == 5) &&
      is_contiguous_as(input.get(), f)) {
    s.strides = memory_format_strides(sizes, f);
    s.has_strides = true;
  }
}
void pad_vjp(Vjp& v, const Tensor&, Ints pad, Scalar) {
  Dims crop(pad);
  for (int64_t& p : crop) p = -p;
  v.set(0, call(rows::constant_pad_nd, v.g(), crop, Scalar(0)));
}

// With elements of the input, as the mode says where they come from. `turn`: 1 to pad, -1 to go back
// to the sizes of the input.
Dims sizes_padded_inside(const Tensor& t, Ints pad, std::string_view mode, int64_t turn) {
  KG_CHECK(mode == "reflect" || mode == "replicate" || mode == "circular",
           "expected the mode reflect, replicate or circular, got ", mode);
  KG_CHECK(pad.n % 2 == 0 && pad.n > 0 && pad.n / 2 <= t.dim(),
           "expected two numbers for each of at most ", t.dim(), " dimensions, got ", pad.n);
  Dims sizes(t.sizes());
  for (int64_t i = 0; i < pad.n / 2; ++i) {
    int64_t d = t.dim() - 1 - i, more;
    bool huge = __builtin_add_overflow(pad[2 * i], pad[2 * i + 1], &more) ||
                __builtin_mul_overflow(more, turn, &more) ||
                __builtin_add_overflow(sizes[d], more, &sizes[d]);
    KG_CHECK(!huge && sizes[d] >= 0, "expected a result of at least 0 elements at dimension ", d,
             ", got padding (", pad[2 * i], ", ", pad[2 * i + 1], ") of ", t.sizes());
  }
  return sizes;
}
void pad_inside_infer(Infer& o, const Tensor& input, Ints pad, std::string_view mode) {
  Dims sizes = sizes_padded_inside(input, pad, mode, 1);
  for (int64_t i = 0; i < pad.n / 2; ++i) {
    const int64_t d = input.dim() - 1 - i;
    KG_CHECK(input.sizes()[d] > 0 || sizes[d] == 0, "expected elements to pad with in dimension ",
             d, ", got an input of shape ", input.sizes());
  }
  o.out(sizes, input.dtype());
}
void pad_inside_vjp(Vjp& v, const Tensor&, Ints pad, std::string_view mode) {
  v.set(0, call(rows::pad_inside_backward, v.g(), pad, mode));
}
void pad_inside_backward_infer(Infer& o, const Tensor& g, Ints pad, std::string_view mode) {
  o.out(sizes_padded_inside(g, pad, mode, -1), g.dtype());
}
void pad_inside_backward_vjp(Vjp& v, const Tensor&, Ints pad, std::string_view mode) {
  v.set(0, call(rows::pad_inside, v.g(), pad, mode));
}

// ---- order and repetition -----------------------------------------------------------------------

void flip_infer(Infer& o, const Tensor& input, Ints dims) {
  bool seen[kMaxDims] = {};
  for (int64_t d : dims) {
    int64_t w = wrap_dim(d, input.dim());
    KG_CHECK(!seen[w], "dim ", w, " appears multiple times in the list of dims");
    seen[w] = true;
  }
  o.like(input);
}
void flip_vjp(Vjp& v, const Tensor&, Ints dims) { v.set(0, flip(v.g(), dims)); }
void fliplr_infer(Infer& o, const Tensor& input) {
  KG_CHECK(input.dim() >= 2, "Input must be >= 2-d.");
  o.like(input);
}
void fliplr_vjp(Vjp& v, const Tensor&) { v.set(0, flip(v.g(), Ints{1})); }
void flipud_infer(Infer& o, const Tensor& input) {
  KG_CHECK(input.dim() >= 1, "Input must be >= 1-d.");
  o.like(input);
}
void flipud_vjp(Vjp& v, const Tensor&) { v.set(0, flip(v.g(), Ints{0})); }

void roll_infer(Infer& o, const Tensor& input, Ints shifts, Ints dims) {
  KG_CHECK(!shifts.empty(), "`shifts` required");
  KG_CHECK(dims.empty() ? shifts.n == 1 : shifts.n == dims.n,
           "shifts and dimensions must align. shifts: ", shifts.n, ", dims:", dims.n);
  KG_CHECK_INDEX(dims.empty() || input.dim() > 0, "Dimension specified as ", dims[0],
                 " but tensor has no dimensions");
  for (int64_t d : dims) wrap_dim(d, input.dim());
  o.out(input.sizes(), input.dtype());
}
void roll_vjp(Vjp& v, const Tensor&, Ints shifts, Ints dims) {
  Dims back(shifts);
  for (int64_t& s : back) s = -s;
  v.set(0, call(rows::roll, v.g(), back, dims));
}

Dims repeated_sizes(const Tensor& input, Ints repeats) {
  KG_CHECK(repeats.n >= input.dim(),
           "Number of dimensions of repeat dims can not be smaller than number of "
           "dimensions of tensor");
  Dims sizes(repeats);
  int64_t lead = repeats.n - input.dim();
  for (int64_t d = 0; d < repeats.n; ++d) {
    KG_CHECK(repeats[d] >= 0, "Trying to create tensor with negative dimension ", repeats[d], ": ",
             repeats);
    bool huge = d >= lead && __builtin_mul_overflow(sizes[d], input.sizes()[d - lead], &sizes[d]);
    KG_CHECK(!huge, "Repeating a dimension of size ", input.sizes()[d - lead], " ", repeats[d],
             " times is more than a dimension can have; repeat it less often");
  }
  return sizes;
}
void repeat_infer(Infer& o, const Tensor& input, Ints repeats) {
  o.out(repeated_sizes(input, repeats), input.dtype());
}
// Every dimension of g splits into (repetition, place); the repetitions are summed.
void repeat_vjp(Vjp& v, const Tensor&, Ints repeats) {
  Ints sizes = v.sizes(0);
  int64_t lead = repeats.n - sizes.n;
  if (v.g().numel() == 0) return v.set(0, zeros(sizes, v.dtype(0), v.g().device()));
  Dims split, over;
  for (int64_t d = 0; d < repeats.n; ++d) {
    over.push_back(split.size());
    split.push_back(repeats[d]);
    if (d >= lead) split.push_back(sizes[d - lead]);
  }
  v.set(0, over.empty() ? v.g() : sum(reshape(v.g(), split), over));
}
Dims padded_with_ones(Ints dims, int64_t ndim) {
  Dims out(std::max<int64_t>(ndim - dims.n, 0), 1);
  for (int64_t d : dims) out.push_back(d);
  return out;
}
void tile_infer(Infer& o, const Tensor& input, Ints dims) {
  repeat_infer(o, input, padded_with_ones(dims, input.dim()));
}
void tile_vjp(Vjp& v, const Tensor& input, Ints dims) {
  repeat_vjp(v, input, padded_with_ones(dims, v.sizes(0).n));
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

KG_ROW(cat, "cat(Tensor[] tensors, int dim=0) -> Tensor", .grad = vjp<&cat_vjp>("#tensors"),
       .infer = infer<&cat_infer>, .as = kFunction | kApart, .autocast = Autocast::promote,
       .doc = "Joins tensors along a dimension.")
KG_ROW(concat, "concat(Tensor[] tensors, int dim=0) -> Tensor", .grad = vjp<&cat_vjp>("#tensors"),
       .infer = infer<&cat_infer>, .as = kFunction | kApart, .autocast = Autocast::promote,
       .doc = "Joins tensors along a dimension.")
KG_ROW(concatenate, "concatenate(Tensor[] tensors, int dim=0) -> Tensor",
       .grad = vjp<&cat_vjp>("#tensors"), .infer = infer<&cat_infer>, .as = kFunction | kApart,
       .autocast = Autocast::promote, .doc = "Joins tensors along a dimension.")
KG_ROW(stack, "stack(Tensor[] tensors, int dim=0) -> Tensor", .grad = vjp<&stack_vjp>(),
       .infer = infer<&stack_infer>, .as = kFunction | kApart, .autocast = Autocast::promote,
       .doc = "Joins tensors of equal shape along a new dimension.")
KG_ROW(block_diag, "_block_diag(Tensor[] tensors) -> Tensor",
       .grad = vjp<&block_diag_vjp>("#tensors"), .infer = infer<&block_diag_infer>, .as = kInternal,
       .doc = "Tensors of at most two dimensions along the diagonal of a matrix of zeros.")
KG_ROW(constant_pad_nd, "constant_pad_nd(Tensor input, int[] pad, Scalar value=0) -> Tensor",
       .grad = vjp<&pad_vjp>(), .infer = infer<&pad_infer>, .as = kFunction | kNoOut,
       .doc = "Surrounds the last dimensions with a value; negative padding crops.")
KG_ROW(
    pad_inside, "_pad_inside(Tensor input, int[] pad, str mode) -> Tensor",
    .grad = vjp<&pad_inside_vjp>(), .infer = infer<&pad_inside_infer>, .as = kInternal,
    .doc = "Surrounds the last dimensions with their own elements: reflect, replicate, circular.")
KG_ROW(pad_inside_backward, "_pad_inside_backward(Tensor grad, int[] pad, str mode) -> Tensor",
       .grad = vjp<&pad_inside_backward_vjp>(), .infer = infer<&pad_inside_backward_infer>,
       .as = kInternal, .doc = "The transpose of _pad_inside.")
KG_ROW(flip, "flip(Tensor input, int[*] dims) -> Tensor", .grad = vjp<&flip_vjp>(),
       .infer = infer<&flip_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "Reverses the order along the given dimensions.")
KG_ROW(fliplr, "fliplr(Tensor input) -> Tensor", .grad = vjp<&fliplr_vjp>(),
       .infer = infer<&fliplr_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "Reverses the order of the columns.")
KG_ROW(flipud, "flipud(Tensor input) -> Tensor", .grad = vjp<&flipud_vjp>(),
       .infer = infer<&flipud_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "Reverses the order of the rows.")
KG_ROW(
    roll, "roll(Tensor input, int[1] shifts, int[1] dims=[]) -> Tensor", .grad = vjp<&roll_vjp>(),
    .infer = infer<&roll_infer>, .as = kFunction | kMethod | kNoOut,
    .doc = "Moves the elements along dimensions; what leaves at the end comes back at the start.")
KG_ROW(repeat, "repeat(Tensor input, int[*] repeats) -> Tensor", .grad = vjp<&repeat_vjp>(),
       .infer = infer<&repeat_infer>, .as = kMethod, .doc = "Copies of the tensor side by side.")
KG_ROW(tile, "tile(Tensor input, int[*] dims) -> Tensor", .grad = vjp<&tile_vjp>(),
       .infer = infer<&tile_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "Copies of the tensor side by side; missing repetitions count as one.")

}  // namespace kagari
