// Rows that make tensors from sizes and numbers, and the triangles.
#include "ops/creation.h"

#include <cmath>
#include <limits>

#include "ops/out.h"
#include "ops/views.h"

namespace kagari {

// What every factory takes last; pin_memory has no effect without a GPU, requires_grad is the
// binding's.
#define KG_OPTIONS \
  Dtype dtype, Layout layout, std::optional<Device> device, std::optional<bool>, std::optional<bool>
#define KG_OPTIONS_TEXT                                                                       \
  "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, " \
  "bool? requires_grad=None"

namespace {

void check_layout(Layout layout) {
  KG_CHECK_IMPLEMENTED(layout == Layout::strided,
                       "expected layout=strided; sparse_coo_tensor(size=...) makes an empty sparse "
                       "tensor, .to_sparse() turns a strided one into a sparse one");
}
Dtype dtype_or(Dtype given, Dtype otherwise) {
  return given == Dtype::undefined ? otherwise : given;
}

// A new tensor of these sizes.
Spec& make(Infer& o, Ints sizes, Dtype dtype, Layout layout, std::optional<Device> device,
           Device otherwise = {}) {
  check_layout(layout);
  checked_numel(sizes);
  o.device = device.value_or(otherwise);
  return o.out(sizes, dtype);
}
void set_format(Spec& s, MemoryFormat f) {
  s.strides = memory_format_strides(s.sizes, f);
  s.has_strides = true;
}

// ---- sizes --------------------------------------------------------------------------------------

void sizes_infer(Infer& o, Ints size, KG_OPTIONS) {
  make(o, size, dtype_or(dtype, default_dtype()), layout, device);
}
void empty_infer(Infer& o, Ints size, KG_OPTIONS, std::optional<MemoryFormat> memory_format) {
  Spec& s = make(o, size, dtype_or(dtype, default_dtype()), layout, device);
  if (!memory_format || *memory_format == MemoryFormat::contiguous) return;
  KG_CHECK(*memory_format != MemoryFormat::preserve,
           "preserve_format needs a tensor to follow; expected contiguous_format, channels_last or "
           "channels_last_3d");
  set_format(s, *memory_format);
}
void set_strides(Spec& s, Ints size, Ints stride) {
  KG_CHECK(size.n == stride.n, "dimensionality of sizes (", size.n,
           ") must match dimensionality of strides (", stride.n, ")");
  for (int64_t v : stride)
    KG_CHECK(v >= 0, "Negative strides are not supported at the moment, got strides: ", stride);
  s.strides = stride;
  s.has_strides = true;
}
void empty_strided_infer(Infer& o, Ints size, Ints stride, KG_OPTIONS) {
  set_strides(make(o, size, dtype_or(dtype, default_dtype()), layout, device), size, stride);
}
void empty_permuted_infer(Infer& o, Ints size, Ints physical_layout, KG_OPTIONS) {
  KG_CHECK(size.n == physical_layout.n,
           "Number of dimensions in size does not match the length of the "
           "physical_layout; i.e. len(size) = ",
           size.n, " is not equal to len(physical_layout) = ", physical_layout.n);
  Spec& s = make(o, size, dtype_or(dtype, default_dtype()), layout, device);
  s.strides = Dims(size.n);
  s.has_strides = true;
  bool seen[kMaxDims] = {};
  int64_t step = 1;
  for (int64_t i = size.n - 1; i >= 0; --i) {
    int64_t d = physical_layout[i];
    KG_CHECK(d >= 0 && d < size.n, "Dimension out of range (expected to be between 0 and ",
             size.n - 1, ", but got ", d, " at index ", i,
             ").  NB: negative dims not currently "
             "supported; file an issue if you want it.");
    KG_CHECK(!seen[d], "Duplicate dim not allowed");
    seen[d] = true;
    s.strides[d] = step;
    step *= std::max<int64_t>(size[d], 1);
  }
}
void full_infer(Infer& o, Ints size, Scalar fill_value, KG_OPTIONS) {
  make(o, size, dtype_or(dtype, fill_value.dtype()), layout, device);
}
void scalar_tensor_infer(Infer& o, Scalar, KG_OPTIONS) {
  make(o, Ints{}, dtype_or(dtype, default_dtype()), layout, device);
}

// ---- like another tensor ------------------------------------------------------------------------

void like_infer(Infer& o, const Tensor& input, KG_OPTIONS,
                std::optional<MemoryFormat> memory_format) {
  check_layout(layout);
  o.device = device.value_or(input.device());
  Dtype d = dtype_or(dtype, input.dtype());
  MemoryFormat f = memory_format.value_or(MemoryFormat::preserve);
  if (f == MemoryFormat::preserve) {
    o.like(input, d);
  } else {
    set_format(o.out(input.sizes(), d), f);
  }
}
void full_like_infer(Infer& o, const Tensor& input, Scalar, KG_OPTIONS,
                     std::optional<MemoryFormat> memory_format) {
  like_infer(o, input, dtype, layout, device, {}, {}, memory_format);
}
void new_infer(Infer& o, const Tensor& input, Ints size, KG_OPTIONS) {
  make(o, size, dtype_or(dtype, input.dtype()), layout, device, input.device());
}
void new_full_infer(Infer& o, const Tensor& input, Ints size, Scalar, KG_OPTIONS) {
  new_infer(o, input, size, dtype, layout, device, {}, {});
}
void new_strided_infer(Infer& o, const Tensor& input, Ints size, Ints stride, KG_OPTIONS) {
  set_strides(make(o, size, dtype_or(dtype, input.dtype()), layout, device, input.device()), size,
              stride);
}

// ---- ranges -------------------------------------------------------------------------------------

int64_t range_length(const Scalar& start, const Scalar& end, const Scalar& step) {
  KG_CHECK(!start.is_complex() && !end.is_complex() && !step.is_complex(),
           "expected real numbers, got a complex one");
  double a = start.to_double(), b = end.to_double(), s = step.to_double();
  KG_CHECK(s != 0, "step must be nonzero");
  KG_CHECK(std::isfinite(a) && std::isfinite(b), "unsupported range: ", a, " -> ", b);
  KG_CHECK(s > 0 ? b >= a : b <= a, "upper bound and lower bound inconsistent with step sign");
  if (start.is_integral() && end.is_integral() && step.is_integral()) {
    __int128 span = __int128(end.i) - start.i, by = step.i;
    return int64_t((span + by - (by > 0 ? 1 : -1)) / by);
  }
  double n = std::ceil((b - a) / s);
  KG_CHECK(n >= 0 && n < double(int64_t(1) << 58), "invalid size, possible overflow?");
  return int64_t(n);
}
void range_to(Infer& o, const Scalar& start, const Scalar& end, const Scalar& step, Dtype dtype,
              Layout layout, std::optional<Device> device) {
  bool integral = start.is_integral() && end.is_integral() && step.is_integral();
  Dtype d = dtype_or(dtype, integral ? Dtype::i64 : default_dtype());
  Scalar a = start, b = end, s = step;
  if (d == Dtype::i64 && !integral) {  // an int64 range truncates its bounds first, as PyTorch's
    a = Scalar(start.to_int()), b = Scalar(end.to_int()), s = Scalar(step.to_int());
  }
  make(o, Ints{range_length(a, b, s)}, d, layout, device);
}
void arange_infer(Infer& o, Scalar end, KG_OPTIONS) {
  range_to(o, Scalar(0), end, Scalar(1), dtype, layout, device);
}
void arange_start_infer(Infer& o, Scalar start, Scalar end, Scalar step, KG_OPTIONS) {
  range_to(o, start, end, step, dtype, layout, device);
}
void linspace_infer(Infer& o, Scalar start, Scalar end, int64_t steps, KG_OPTIONS) {
  KG_CHECK(steps >= 0, "number of steps must be non-negative");
  bool complex = start.is_complex() || end.is_complex();
  Dtype d = dtype_or(dtype, complex ? complex_dtype(default_dtype()) : default_dtype());
  KG_CHECK(!complex || is_complex(d), "inferred dtype ", complex_dtype(default_dtype()),
           " can't be safely cast to passed dtype ", d);
  make(o, Ints{steps}, d, layout, device);
}
void logspace_infer(Infer& o, Scalar start, Scalar end, int64_t steps, double, KG_OPTIONS) {
  linspace_infer(o, start, end, steps, dtype, layout, device, {}, {});
}

// ---- matrices -----------------------------------------------------------------------------------

void eye_infer(Infer& o, int64_t n, KG_OPTIONS) {
  KG_CHECK(n >= 0, "n must be greater or equal to 0, got ", n);
  make(o, Ints{n, n}, dtype_or(dtype, default_dtype()), layout, device);
}
void eye_m_infer(Infer& o, int64_t n, int64_t m, KG_OPTIONS) {
  KG_CHECK(n >= 0, "n must be greater or equal to 0, got ", n);
  KG_CHECK(m >= 0, "m must be greater or equal to 0, got ", m);
  make(o, Ints{n, m}, dtype_or(dtype, default_dtype()), layout, device);
}
void triangle_infer(Infer& o, const Tensor& input, int64_t) {
  KG_CHECK(input.dim() >= 2, "input tensor must have at least 2 dimensions");
  o.out(input.sizes(), input.dtype());
}
void tril_vjp(Vjp& v, const Tensor&, int64_t diagonal) {
  v.set(0, call(rows::tril, v.g(), diagonal));
}
void triu_vjp(Vjp& v, const Tensor&, int64_t diagonal) {
  v.set(0, call(rows::triu, v.g(), diagonal));
}

// How many positions (r, c) of a row-by-col matrix have c - r <= offset: the r-th row has
// clamp(r + offset + 1, 0, col) of them.
int64_t lower_count(int64_t row, int64_t col, int64_t offset) {
  using Wide = __int128;
  Wide first = std::clamp<Wide>(-Wide(offset), 0, row);              // rows before have none
  Wide full = std::clamp<Wide>(Wide(col) - offset - 1, first, row);  // rows from here have all
  Wide rising = full - first, n = rising * (first + offset + 1) + rising * (rising - 1) / 2;
  n += (row - full) * col;
  KG_CHECK(n <= (Wide(1) << 58), "a matrix of ", row, " rows and ", col,
           " columns has more elements than memory can address");
  return int64_t(n);
}
void check_indices(int64_t row, int64_t col) {
  KG_CHECK(row >= 0, "row must be non-negative, got", row);
  KG_CHECK(col >= 0, "col must be non-negative, got", col);
  int64_t all = 0;
  KG_CHECK(!__builtin_mul_overflow(row, col, &all), "a matrix of ", row, " rows and ", col,
           " columns has more elements than memory can address");
}
void tril_indices_infer(Infer& o, int64_t row, int64_t col, int64_t offset, KG_OPTIONS) {
  check_indices(row, col);
  make(o, Ints{2, lower_count(row, col, offset)}, dtype_or(dtype, Dtype::i64), layout, device);
}
void triu_indices_infer(Infer& o, int64_t row, int64_t col, int64_t offset, KG_OPTIONS) {
  check_indices(row, col);
  make(o, Ints{2, row * col - lower_count(row, col, offset == INT64_MIN ? offset : offset - 1)},
       dtype_or(dtype, Dtype::i64), layout, device);
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

KG_ROW(empty,
       "empty(int[*] size, *, " KG_OPTIONS_TEXT ", MemoryFormat? memory_format=None) -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&empty_infer>, .as = kFunction,
       .doc = "A tensor of uninitialised memory.")
KG_ROW(zeros, "zeros(int[*] size, *, " KG_OPTIONS_TEXT ") -> Tensor", .grad = nondiff("a constant"),
       .infer = infer<&sizes_infer>, .as = kFunction, .doc = "A tensor of zeros.")
KG_ROW(ones, "ones(int[*] size, *, " KG_OPTIONS_TEXT ") -> Tensor", .grad = nondiff("a constant"),
       .infer = infer<&sizes_infer>, .as = kFunction, .doc = "A tensor of ones.")
KG_ROW(full, "full(int[] size, Scalar fill_value, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&full_infer>, .as = kFunction,
       .doc = "A tensor filled with one value.")
KG_ROW(empty_strided, "empty_strided(int[] size, int[] stride, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&empty_strided_infer>,
       .as = kFunction | kNoOut, .doc = "Uninitialised memory with the given strides.")
KG_ROW(empty_permuted,
       "empty_permuted(int[] size, int[] physical_layout, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&empty_permuted_infer>, .as = kFunction,
       .doc = "Uninitialised memory whose dimensions lie in the given order.")
KG_ROW(scalar_tensor, "scalar_tensor(Scalar s, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&scalar_tensor_infer>,
       .as = kFunction | kNoOut, .doc = "A 0-dimensional tensor of one number.")
KG_ROW(empty_like,
       "empty_like(Tensor input, *, " KG_OPTIONS_TEXT
       ", MemoryFormat? memory_format=None) -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&like_infer>, .as = kFunction | kNoOut,
       .doc = "Uninitialised memory in the shape, dtype and place of another tensor.")
KG_ROW(zeros_like,
       "zeros_like(Tensor input, *, " KG_OPTIONS_TEXT
       ", MemoryFormat? memory_format=None) -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&like_infer>, .as = kFunction | kNoOut,
       .doc = "Zeros in the shape, dtype and place of another tensor.")
KG_ROW(ones_like,
       "ones_like(Tensor input, *, " KG_OPTIONS_TEXT
       ", MemoryFormat? memory_format=None) -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&like_infer>, .as = kFunction | kNoOut,
       .doc = "Ones in the shape, dtype and place of another tensor.")
KG_ROW(full_like,
       "full_like(Tensor input, Scalar fill_value, *, " KG_OPTIONS_TEXT
       ", MemoryFormat? memory_format=None) -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&full_like_infer>, .as = kFunction | kNoOut,
       .doc = "One value in the shape, dtype and place of another tensor.")
KG_ROW(new_empty, "new_empty(Tensor input, int[*] size, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&new_infer>, .as = kMethod,
       .doc = "Uninitialised memory with the dtype and place of this tensor.")
KG_ROW(new_zeros, "new_zeros(Tensor input, int[*] size, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&new_infer>, .as = kMethod,
       .doc = "Zeros with the dtype and place of this tensor.")
KG_ROW(new_ones, "new_ones(Tensor input, int[*] size, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&new_infer>, .as = kMethod,
       .doc = "Ones with the dtype and place of this tensor.")
KG_ROW(new_full,
       "new_full(Tensor input, int[1] size, Scalar fill_value, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&new_full_infer>, .as = kMethod,
       .doc = "One value with the dtype and place of this tensor.")
KG_ROW(new_empty_strided,
       "new_empty_strided(Tensor input, int[] size, int[] stride, *, " KG_OPTIONS_TEXT
       ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&new_strided_infer>, .as = kMethod,
       .doc = "Uninitialised memory with the given strides and the dtype and place of this tensor.")
KG_ROW(arange, "arange(Scalar end, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&arange_infer>, .as = kFunction,
       .doc = "The numbers from 0 to before end.")
KG_ROW(arange_start,
       "arange.start(Scalar start, Scalar end, Scalar step=1, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&arange_start_infer>, .as = kFunction,
       .doc = "The numbers from start to before end in steps.")
KG_ROW(linspace, "linspace(Scalar start, Scalar end, int steps, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&linspace_infer>, .as = kFunction,
       .doc = "Evenly spaced numbers from start to end, both included.")
KG_ROW(logspace,
       "logspace(Scalar start, Scalar end, int steps, float base=10.0, *, " KG_OPTIONS_TEXT
       ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&logspace_infer>, .as = kFunction,
       .doc = "Powers of base with evenly spaced exponents from start to end.")
KG_ROW(eye, "eye(int n, *, " KG_OPTIONS_TEXT ") -> Tensor", .grad = nondiff("a constant"),
       .infer = infer<&eye_infer>, .as = kFunction, .doc = "The identity matrix.")
KG_ROW(eye_m, "eye.m(int n, int m, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&eye_m_infer>, .as = kFunction,
       .doc = "Ones on the diagonal of an n by m matrix of zeros.")
KG_ROW(tril, "tril(Tensor input, int diagonal=0) -> Tensor", .grad = vjp<&tril_vjp>(),
       .infer = infer<&triangle_infer>, .as = kFunction | kMethod | kInplace | kExactOut,
       .doc = "The lower triangles of matrices; the rest is zero.")
KG_ROW(triu, "triu(Tensor input, int diagonal=0) -> Tensor", .grad = vjp<&triu_vjp>(),
       .infer = infer<&triangle_infer>, .as = kFunction | kMethod | kInplace | kExactOut,
       .doc = "The upper triangles of matrices; the rest is zero.")
KG_ROW(tril_indices,
       "tril_indices(int row, int col, int offset=0, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&tril_indices_infer>, .as = kFunction | kNoOut,
       .doc = "The positions of the lower triangle of a row by col matrix, as two rows.")
KG_ROW(triu_indices,
       "triu_indices(int row, int col, int offset=0, *, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff("a constant"), .infer = infer<&triu_indices_infer>, .as = kFunction | kNoOut,
       .doc = "The positions of the upper triangle of a row by col matrix, as two rows.")

// ---- for C++ ------------------------------------------------------------------------------------

Tensor full(Ints sizes, const Scalar& value, Dtype dtype, Device device) {
  return call(rows::full, sizes, value, dtype, Value(), device);
}
Tensor zeros(Ints sizes, Dtype dtype, Device device) {
  return call(rows::zeros, sizes, dtype, Value(), device);
}
Tensor ones(Ints sizes, Dtype dtype, Device device) {
  return call(rows::ones, sizes, dtype, Value(), device);
}
Tensor to(const Tensor& t, Dtype dtype, Device device, bool copy, MemoryFormat format) {
  bool same = t.dtype() == dtype && t.device() == device &&
              (format == MemoryFormat::preserve || is_contiguous_as(t.get(), format));
  return same && !copy ? t : call(rows::to_copy, t, dtype, Value(), device, Value(), false, format);
}
Tensor zeros_like(const Tensor& t) { return call(rows::zeros_like, t); }
Tensor arange(int64_t end, Device device) {
  return call(rows::arange, Scalar(end), Dtype::i64, Value(), device);
}

}  // namespace kagari
