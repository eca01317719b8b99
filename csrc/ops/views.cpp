// The views: rows whose results share their input's memory, and the copies that complete them.
#include "ops/views.h"
#include "core/sparse.h"

#include <limits>
#include <sstream>
#include <tuple>

#include "core/geometry.h"
#include "core/sparse.h"
#include "ops/creation.h"
#include "ops/joining.h"

namespace kagari {

KG_DECLARE_ROW(sum_dim)
KG_DECLARE_ROW(div)

// ---- geometry -----------------------------------------------------------------------------------

namespace {

std::string list_string(Ints v) {
  std::ostringstream out;
  out << '[';
  for (int64_t i = 0; i < v.n; ++i) out << (i ? ", " : "") << v[i];
  out << ']';
  return std::move(out).str();
}

struct Geometry {
  Dims sizes, strides;
  int64_t offset;
  explicit Geometry(const Tensor& t) : sizes(t.sizes()), strides(t.strides()), offset(t.offset()) {}
};

Spec& view_of(Infer& o, const Tensor& input, const Geometry& g) {
  return o.view(input, g.sizes, g.strides, g.offset);
}

}  // namespace

Dims infer_size(Ints shape, int64_t numel) {
  Dims out(shape);
  int64_t hole = -1, rest = 1;
  for (int64_t i = 0; i < shape.n; ++i) {
    if (shape[i] == -1) {
      KG_CHECK(hole < 0, "only one dimension can be inferred");
      hole = i;
    } else {
      KG_CHECK(shape[i] >= 0, "invalid shape dimension ", shape[i]);
      KG_CHECK(!__builtin_mul_overflow(rest, shape[i], &rest), "shape '", list_string(shape),
               "' is invalid for input of size ", numel);
    }
  }
  if (hole >= 0 && rest != 0 && numel % rest == 0) {
    out[hole] = numel / rest;
    return out;
  }
  if (hole >= 0 && rest == 0) {
    KG_CHECK(numel != 0, "shape '", list_string(shape), "' is invalid for input of size ", numel);
    KG_FAIL(runtime, "cannot reshape tensor of 0 elements into shape ", list_string(shape),
            " because the unspecified dimension size -1 can be any value and is ambiguous");
  }
  KG_CHECK(hole < 0 && rest == numel, "shape '", list_string(shape),
           "' is invalid for input of size ", numel);
  return out;
}

Dims memory_format_strides(Ints sizes, MemoryFormat f) {
  if (f == MemoryFormat::contiguous || f == MemoryFormat::preserve)
    return contiguous_strides(sizes);
  int64_t n = f == MemoryFormat::channels_last ? 4 : 5;
  KG_CHECK(sizes.n == n, "required rank ", n, " tensor to use ",
           n == 4 ? "channels_last" : "channels_last_3d", " format");
  Dims strides(n);
  int64_t step = 1;
  strides[1] = step;
  step = next_stride(step, sizes[1]);
  for (int64_t d = n - 1; d >= 2; --d) {
    strides[d] = step;
    step = next_stride(step, sizes[d]);
  }
  strides[0] = step;
  return strides;
}

bool is_contiguous_as(const TensorImpl* t, MemoryFormat f) {
  if (f == MemoryFormat::contiguous || f == MemoryFormat::preserve) return t->is(kContiguous);
  int n = f == MemoryFormat::channels_last ? 4 : 5;
  if (t->ndim != n) return false;
  int64_t expected = 1;
  auto fits = [&](int d) {
    if (t->sizes[d] != 1) {
      if (t->strides()[d] != expected) return false;
      expected *= t->sizes[d];
    }
    return true;
  };
  if (!fits(1)) return false;
  for (int d = n - 1; d >= 2; --d)
    if (!fits(d)) return false;
  return fits(0);
}

Tensor contiguous(const Tensor& x, MemoryFormat format) {
  KG_CHECK(format != MemoryFormat::preserve,
           "preserve memory format is unsupported by the contiguous operator");
  return is_contiguous_as(x.get(), format) ? x : clone(x, format);
}

int64_t clamp_slice(int64_t size, int64_t& start, int64_t& end, int64_t step) {
  if (start < 0) start += size;
  if (end < 0) end += size;
  start = std::clamp<int64_t>(start, 0, size);
  end = std::clamp<int64_t>(end, start, size);
  return (end - start) / step + ((end - start) % step != 0);
}

// More tensors than that would fill the memory before there is anything to see.
static void check_pieces(int64_t n) {
  KG_CHECK(n <= (int64_t(1) << 26), "expected at most 2**26 pieces, got ", n);
}

std::vector<int64_t> chunk_sizes(int64_t size, int64_t chunks) {
  int64_t each = size / chunks + (size % chunks != 0);
  if (each == 0) {
    check_pieces(chunks);
    return std::vector<int64_t>(size_t(chunks), 0);
  }
  std::vector<int64_t> sizes;
  for (int64_t at = 0; at < size; at += each) sizes.push_back(std::min(each, size - at));
  return sizes;
}

Tensor sum_to(const Tensor& g, Ints sizes) {
  if (g.sizes() == sizes) return g;
  Dims over;
  int64_t lead = g.dim() - sizes.n;
  for (int64_t d = 0; d < g.dim(); ++d)
    if (d < lead || (sizes[d - lead] == 1 && g.sizes()[d] != 1)) over.push_back(d);
  Tensor r = over.empty() ? g : call(rows::sum_dim, g, Ints(over), true);
  return lead > 0 ? reshape(r, sizes) : r;
}

namespace {

// ---- shape --------------------------------------------------------------------------------------

void view_infer(Infer& o, const Tensor& input, Ints size) {
  Dims shape = infer_size(size, input.numel()), strides;
  KG_CHECK(
      view_strides(input.sizes(), input.strides(), shape, strides),
      "view size is not compatible with input tensor's size and stride (at least one dimension "
      "spans across two contiguous subspaces). Use .reshape(...) instead.");
  o.view(input, shape, strides, input.offset());
}

// A view where the strides allow one, else room for a row-major copy.
void reshape_to(Infer& o, const Tensor& input, Ints shape) {
  Dims strides;
  if (view_strides(input.sizes(), input.strides(), shape, strides)) {
    o.view(input, shape, strides, input.offset());
  } else {
    o.out(shape, input.dtype());
  }
}
void reshape_infer(Infer& o, const Tensor& input, Ints shape) {
  reshape_to(o, input, infer_size(shape, input.numel()));
}

// One rule for every row that keeps the elements and their order.
void back_to_shape(Vjp& v) { v.set(0, reshape(v.g(), v.sizes(0))); }
template <class... Args>
void shape_vjp(Vjp& v, const Tensor&, Args...) {
  back_to_shape(v);
}

Dims flat_shape(const Tensor& input, int64_t start, int64_t end) {
  start = wrap_dim(start, input.dim());
  end = wrap_dim(end, input.dim());
  KG_CHECK(start <= end, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (input.dim() == 0) return Dims{1};
  Dims shape;
  for (int64_t d = 0; d < input.dim(); ++d) {
    if (d > start && d <= end) {
      shape.back() *= input.sizes()[d];
    } else {
      shape.push_back(input.sizes()[d]);
    }
  }
  return shape;
}
void flatten_infer(Infer& o, const Tensor& input, int64_t start_dim, int64_t end_dim) {
  reshape_to(o, input, flat_shape(input, start_dim, end_dim));
}
void ravel_infer(Infer& o, const Tensor& input) {
  if (input.is_contiguous())
    reshape_to(o, input, Dims{input.numel()});
  else
    o.out(Ints{input.numel()}, input.dtype());
}

void unflatten_infer(Infer& o, const Tensor& input, int64_t dim, Ints sizes) {
  dim = wrap_dim(dim, input.dim());
  KG_CHECK(!sizes.empty(), "sizes must be non-empty");
  int64_t size = input.sizes()[dim], product = 1, hole = -1;
  bool fits = true;
  for (int64_t i = 0; i < sizes.n; ++i) {
    if (sizes[i] == -1)
      hole = i;
    else
      fits = fits && !__builtin_mul_overflow(product, sizes[i], &product);
  }
  fits = fits && (hole >= 0 ? product != 0 && size % product == 0 : product == size);
  KG_CHECK(fits, "Provided sizes ", list_string(sizes), " don't multiply up to the size of dim ",
           dim, " (", size, ") in the input tensor");
  Dims inner = infer_size(sizes, size), shape, strides;
  for (int64_t d = 0; d < input.dim(); ++d) {
    if (d != dim) {
      shape.push_back(input.sizes()[d]);
      strides.push_back(input.strides()[d]);
      continue;
    }
    Dims inner_strides = contiguous_strides(inner);
    for (int64_t i = 0; i < inner.size(); ++i) {
      shape.push_back(inner[i]);
      strides.push_back(inner_strides[i] * input.strides()[d]);
    }
  }
  o.view(input, shape, strides, input.offset());
}

void squeeze_infer(Infer& o, const Tensor& input) {
  Geometry g(input);
  for (int64_t d = input.dim() - 1; d >= 0; --d)
    if (g.sizes[d] == 1) g.sizes.erase(d), g.strides.erase(d);
  view_of(o, input, g);
}
void squeeze_dim_infer(Infer& o, const Tensor& input, int64_t dim) {
  Geometry g(input);
  dim = wrap_dim(dim, input.dim());
  if (input.dim() > 0 && g.sizes[dim] == 1) g.sizes.erase(dim), g.strides.erase(dim);
  view_of(o, input, g);
}
void squeeze_dims_infer(Infer& o, const Tensor& input, Ints dim) {
  Geometry g(input);
  bool wanted[kMaxDims] = {};
  for (int64_t d : dim) {
    int64_t w = wrap_dim(d, input.dim());
    KG_CHECK(!wanted[w], "dim ", w, " appears multiple times in the list of dims");
    wanted[w] = true;
  }
  for (int64_t d = input.dim() - 1; d >= 0; --d)
    if (wanted[d] && g.sizes[d] == 1) g.sizes.erase(d), g.strides.erase(d);
  view_of(o, input, g);
}
void unsqueeze_infer(Infer& o, const Tensor& input, int64_t dim) {
  Geometry g(input);
  dim = wrap_dim(dim, input.dim() + 1);
  g.strides.insert(dim, dim < input.dim() ? g.sizes[dim] * g.strides[dim] : 1);
  g.sizes.insert(dim, 1);
  view_of(o, input, g);
}

void expand_to(Infer& o, const Tensor& input, Ints size) {
  KG_CHECK(size.n >= input.dim(), "the number of sizes provided (", size.n,
           ") must be greater or equal to the number of dimensions in the tensor (", input.dim(),
           ")");
  Dims shape(size), strides(size.n);
  int64_t lead = size.n - input.dim();
  for (int64_t d = size.n - 1; d >= 0; --d) {
    int64_t own = d < lead ? 1 : input.sizes()[d - lead];
    int64_t stride =
        d < lead ? (d + 1 < size.n ? shape[d + 1] * strides[d + 1] : 1) : input.strides()[d - lead];
    if (shape[d] == -1) {
      KG_CHECK(d >= lead,
               "The expanded size of the tensor (-1) isn't allowed in a leading, "
               "non-existing dimension ",
               d);
      shape[d] = own;
    }
    KG_CHECK(shape[d] >= 0, "The expanded size of the tensor (", shape[d],
             ") isn't allowed to be negative in dimension ", d);
    if (shape[d] != own) {
      KG_CHECK(own == 1, "The expanded size of the tensor (", shape[d],
               ") must match the existing size (", own, ") at non-singleton dimension ", d,
               ".  Target sizes: ", list_string(size),
               ".  Tensor sizes: ", list_string(input.sizes()));
      stride = 0;
    }
    strides[d] = stride;
  }
  o.view(input, shape, strides, input.offset());
}
void expand_infer(Infer& o, const Tensor& input, Ints size, bool) { expand_to(o, input, size); }
void expand_vjp(Vjp& v, const Tensor&, Ints, bool) { v.set(0, sum_to(v.g(), v.sizes(0))); }
void broadcast_to_infer(Infer& o, const Tensor& input, Ints size) { expand_to(o, input, size); }
void broadcast_to_vjp(Vjp& v, const Tensor&, Ints) { v.set(0, sum_to(v.g(), v.sizes(0))); }

// ---- order of dimensions ------------------------------------------------------------------------

void permute_to(Infer& o, const Tensor& input, Ints order) {  // order: wrapped and checked
  Dims sizes(order.n), strides(order.n);
  for (int64_t d = 0; d < order.n; ++d) {
    sizes[d] = input.sizes()[order[d]];
    strides[d] = input.strides()[order[d]];
  }
  o.view(input, sizes, strides, input.offset());
}
Dims wrapped_order(Ints dims, int64_t ndim) {
  KG_CHECK(dims.n == ndim,
           "number of dimensions in the tensor input does not match the length of the desired "
           "ordering of dimensions i.e. input.dim() = ",
           ndim, " is not equal to len(dims) = ", dims.n);
  Dims order(ndim);
  bool seen[kMaxDims] = {};
  for (int64_t i = 0; i < ndim; ++i) {
    order[i] = wrap_dim(dims[i], ndim);
    KG_CHECK(!seen[order[i]], "duplicate dims are not allowed.");
    seen[order[i]] = true;
  }
  return order;
}
Dims inverse(const Dims& order) {
  Dims back(order.size());
  for (int64_t i = 0; i < order.size(); ++i) back[order[i]] = i;
  return back;
}
void permute_infer(Infer& o, const Tensor& input, Ints dims) {
  permute_to(o, input, wrapped_order(dims, input.dim()));
}
void permute_vjp(Vjp& v, const Tensor&, Ints dims) {
  v.set(0, permute(v.g(), inverse(wrapped_order(dims, v.g().dim()))));
}

void transpose_infer(Infer& o, const Tensor& input, int64_t dim0, int64_t dim1) {
  Geometry g(input);
  dim0 = wrap_dim(dim0, input.dim());
  dim1 = wrap_dim(dim1, input.dim());
  if (dim0 != dim1) {
    std::swap(g.sizes[dim0], g.sizes[dim1]);
    std::swap(g.strides[dim0], g.strides[dim1]);
  }
  view_of(o, input, g);
}
void transpose_vjp(Vjp& v, const Tensor&, int64_t dim0, int64_t dim1) {
  v.set(0, transpose(v.g(), dim0, dim1));
}

void t_infer(Infer& o, const Tensor& input) {
  KG_CHECK(input.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", input.dim(),
           "D");
  transpose_infer(o, input, 0, input.dim() < 2 ? 0 : 1);
}
void t_vjp(Vjp& v, const Tensor&) { v.set(0, v.g().dim() < 2 ? v.g() : transpose(v.g(), 0, 1)); }

// Places the dimensions `from` at `to`; the others keep their order.
Dims moved_order(int64_t ndim, Ints from, Ints to) {
  KG_CHECK(from.n == to.n, "Invalid source or destination dims: source (", list_string(from),
           " dims ) should contain the same number of dims as destination (", list_string(to),
           " dims)");
  Dims order(ndim, -1);
  bool taken[kMaxDims] = {};
  for (int64_t i = 0; i < from.n; ++i) {
    int64_t source = wrap_dim(from[i], ndim), target = wrap_dim(to[i], ndim);
    if (ndim == 0) return order;
    KG_CHECK(!taken[source], "repeated dim in `source` (", list_string(from), ")");
    KG_CHECK(order[target] < 0, "repeated dim in `destination` (", list_string(to), ")");
    order[target] = source;
    taken[source] = true;
  }
  int64_t next = 0;
  for (int64_t d = 0; d < ndim; ++d) {
    if (order[d] >= 0) continue;
    while (taken[next]) ++next;
    order[d] = next++;
  }
  return order;
}
void movedim_infer(Infer& o, const Tensor& input, Ints source, Ints destination) {
  permute_to(o, input, moved_order(input.dim(), source, destination));
}
void movedim_vjp(Vjp& v, const Tensor&, Ints source, Ints destination) {
  v.set(0, permute(v.g(), inverse(moved_order(v.g().dim(), source, destination))));
}
void movedim_int_infer(Infer& o, const Tensor& input, int64_t source, int64_t destination) {
  movedim_infer(o, input, Ints{source}, Ints{destination});
}
void movedim_int_vjp(Vjp& v, const Tensor& input, int64_t source, int64_t destination) {
  movedim_vjp(v, input, Ints{source}, Ints{destination});
}

// ---- windows ------------------------------------------------------------------------------------
// The gradient of each is embed(): the window's geometry in a row-major tensor of the input's
// sizes.

void select_infer(Infer& o, const Tensor& input, int64_t dim, int64_t index) {
  KG_CHECK_INDEX(input.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
  Geometry g(input);
  dim = wrap_dim(dim, input.dim());
  int64_t size = g.sizes[dim];
  KG_CHECK_INDEX(index >= -size && index < size, "index ", index,
                 " out of range for tensor of size ", list_string(input.sizes()), " at dimension ",
                 dim);
  g.offset += (index < 0 ? index + size : index) * g.strides[dim];
  g.sizes.erase(dim);
  g.strides.erase(dim);
  view_of(o, input, g);
}
void select_vjp(Vjp& v, const Tensor&, int64_t dim, int64_t index) {
  Ints sizes = v.sizes(0);
  Dims strides = contiguous_strides(sizes);
  dim = wrap_dim(dim, sizes.n);
  int64_t offset = (index < 0 ? index + sizes[dim] : index) * strides[dim];
  strides.erase(dim);
  v.set(0, embed(v.g(), sizes, strides, offset));
}

void slice_to(Infer& o, const Tensor& input, int64_t dim, int64_t start, int64_t end,
              int64_t step) {
  Geometry g(input);
  int64_t length = clamp_slice(g.sizes[dim], start, end, step);
  g.offset += start * g.strides[dim];
  g.sizes[dim] = length;
  g.strides[dim] *= step;
  view_of(o, input, g);
}
void slice_infer(Infer& o, const Tensor& input, int64_t dim, std::optional<int64_t> start,
                 std::optional<int64_t> end, int64_t step) {
  KG_CHECK(input.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  KG_CHECK(step > 0, "slice step must be positive");
  dim = wrap_dim(dim, input.dim());
  slice_to(o, input, dim, start.value_or(0), end.value_or(std::numeric_limits<int64_t>::max()),
           step);
}
void slice_vjp(Vjp& v, const Tensor&, int64_t dim, std::optional<int64_t> start,
               std::optional<int64_t> end, int64_t step) {
  Ints sizes = v.sizes(0);
  Dims strides = contiguous_strides(sizes);
  dim = wrap_dim(dim, sizes.n);
  int64_t from = start.value_or(0), to = end.value_or(std::numeric_limits<int64_t>::max());
  clamp_slice(sizes[dim], from, to, step);
  int64_t offset = from * strides[dim];
  strides[dim] *= step;
  v.set(0, embed(v.g(), sizes, strides, offset));
}

int64_t narrow_start(int64_t size, int64_t start, int64_t length) {
  KG_CHECK(length >= 0, "length must be non-negative.");
  KG_CHECK_INDEX(start >= -size && start <= size,
                 "Dimension out of range (expected to be in range of [", -size, ", ", size,
                 "], but got ", start, ")");
  if (start < 0) start += size;
  KG_CHECK(start <= size - length, "start (", start, ") + length (", length,
           ") exceeds dimension size (", size, ").");
  return start;
}
void narrow_infer(Infer& o, const Tensor& input, int64_t dim, int64_t start, int64_t length) {
  KG_CHECK(input.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  dim = wrap_dim(dim, input.dim());
  start = narrow_start(input.sizes()[dim], start, length);
  slice_to(o, input, dim, start, start + length, 1);
}
void narrow_vjp(Vjp& v, const Tensor& input, int64_t dim, int64_t start, int64_t length) {
  Ints sizes = v.sizes(0);
  start = narrow_start(sizes[wrap_dim(dim, sizes.n)], start, length);
  slice_vjp(v, input, dim, start, start + length, 1);
}

// What one diagonal is of a tensor with these sizes and strides; moves `offset` to its first
// element.
void diagonal_geometry(Dims& sizes, Dims& strides, int64_t& at, int64_t offset, int64_t dim1,
                       int64_t dim2) {
  int64_t n = sizes.size();
  int64_t d1 = wrap_dim(dim1, n), d2 = wrap_dim(dim2, n);
  KG_CHECK(d1 != d2, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  int64_t length = offset >= 0 ? std::min(sizes[d1], sizes[d2] - offset)
                               : std::min(sizes[d1] + offset, sizes[d2]);
  length = std::max<int64_t>(length, 0);
  if (length > 0) at += offset >= 0 ? offset * strides[d2] : -offset * strides[d1];
  int64_t step = strides[d1] + strides[d2];
  sizes.erase(std::max(d1, d2)), strides.erase(std::max(d1, d2));
  sizes.erase(std::min(d1, d2)), strides.erase(std::min(d1, d2));
  sizes.push_back(length), strides.push_back(step);
}
void diagonal_infer(Infer& o, const Tensor& input, int64_t offset, int64_t dim1, int64_t dim2) {
  Geometry g(input);
  diagonal_geometry(g.sizes, g.strides, g.offset, offset, dim1, dim2);
  view_of(o, input, g);
}
void diagonal_vjp(Vjp& v, const Tensor&, int64_t offset, int64_t dim1, int64_t dim2) {
  Dims sizes(v.sizes(0)), strides = contiguous_strides(sizes);
  int64_t at = 0;
  diagonal_geometry(sizes, strides, at, offset, dim1, dim2);
  v.set(0, embed(v.g(), v.sizes(0), strides, at));
}

void unfold_geometry(Dims& sizes, Dims& strides, int64_t dimension, int64_t size, int64_t step) {
  int64_t d = wrap_dim(dimension, sizes.size());
  int64_t room = sizes.empty() ? 1 : sizes[d];
  KG_CHECK(size >= 0, "size is ", size, " but must be >= 0");
  KG_CHECK(size <= room, "maximum size for tensor at dimension ", d, " is ", room, " but size is ",
           size);
  KG_CHECK(step > 0, "step is ", step, " but must be > 0");
  int64_t stride = sizes.empty() ? 1 : strides[d];
  if (!sizes.empty()) {
    sizes[d] = (room - size) / step + 1;
    strides[d] = step * stride;
  }
  sizes.push_back(size);
  strides.push_back(stride);
}
void unfold_infer(Infer& o, const Tensor& input, int64_t dimension, int64_t size, int64_t step) {
  Geometry g(input);
  unfold_geometry(g.sizes, g.strides, dimension, size, step);
  view_of(o, input, g);
}
void unfold_vjp(Vjp& v, const Tensor&, int64_t dimension, int64_t size, int64_t step) {
  Dims sizes(v.sizes(0)), strides = contiguous_strides(sizes);
  unfold_geometry(sizes, strides, dimension, size, step);
  v.set(0, embed(v.g(), v.sizes(0), strides, 0));
}

void as_strided_infer(Infer& o, const Tensor& input, Ints size, Ints stride,
                      std::optional<int64_t> storage_offset) {
  KG_CHECK(size.n == stride.n, "mismatch in length of strides and shape");
  for (int64_t s : stride)
    KG_CHECK(s >= 0, "Negative strides are not supported at the moment, got strides: ",
             list_string(stride));
  int64_t at = storage_offset.value_or(input.offset());
  KG_CHECK(at >= 0, "Tensor: invalid storage offset ", at);
  checked_numel(size);
  if (input->storage) {
    size_t needed = bytes_reached(size, stride, at, input.itemsize());
    KG_CHECK(needed <= input->storage->bytes, "setStorage: sizes ", list_string(size), ", strides ",
             list_string(stride), ", storage offset ", at, ", and itemsize ", input.itemsize(),
             " requiring a storage size of ", needed, " are out of bounds for storage of size ",
             input->storage->bytes);
  }
  o.view(input, size, stride, at);
}
// The gradient is that of reading a flat stretch of memory which the input's own geometry had
// filled; elements that the input itself reaches several times share it evenly.
void as_strided_vjp(Vjp& v, const Tensor& input, Ints size, Ints stride,
                    std::optional<int64_t> storage_offset) {
  int64_t in_at = input.offset(), out_at = storage_offset.value_or(in_at);
  int64_t low = std::min(in_at, out_at);
  Dims in_strides(input.strides());
  int64_t room = std::max(in_at - low + extent(input.sizes(), in_strides),
                          out_at - low + extent(size, stride));
  Tensor flat = embed(v.g(), Ints{room}, stride, out_at - low);
  if (has_internal_overlap(input.get())) {
    Tensor ones = full(input.sizes(), 1.0, v.g().dtype(), v.g().device());
    Tensor count = embed(ones, Ints{room}, in_strides, in_at - low);
    flat = call(rows::div, flat, count);  // what the input does not reach is not read below
  }
  v.set(0, as_strided(flat, input.sizes(), in_strides, in_at - low));
}

// ---- several views ------------------------------------------------------------------------------

void pieces_infer(Infer& o, const Tensor& input, int64_t dim, const std::vector<int64_t>& lengths) {
  Geometry g(input);
  for (int64_t length : lengths) {
    g.sizes[dim] = length;
    view_of(o, input, g);
    g.offset += length * g.strides[dim];
  }
}
// Missing gradients are zeros.
Tensor output_gradient(Vjp& v, int i) {
  if (v.g(i).defined()) return v.g(i);
  const OutputMeta& m = v.node().d.outputs[i];
  return zeros(m.sizes, m.dtype, m.device);
}
// The dimensions of a tensor from the outermost in memory to the innermost; none where that is their
// own order, or where elements share memory.
Dims memory_order(const Tensor& t) {
  Dims order;
  for (int64_t d = 0; d < t.dim(); ++d) {
    if (t.sizes()[d] > 1 && t.strides()[d] <= 0) return {};
    order.push_back(d);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return t.strides()[a] > t.strides()[b]; });
  return std::is_sorted(order.begin(), order.end()) ? Dims() : order;
}
// Pieces that lie side by side in memory that nobody else sees, as the one tensor that they are;
// undefined where they do not.
Tensor joined_in_place(const std::vector<Tensor>& pieces, int64_t dim, bool stacked) {
  if (grad_mode.enabled || pieces.size() < 2) return {};
  const Tensor& first = pieces[0];
  if (is_sparse(first) || !first->storage) return {};
  Geometry g(first);
  int64_t step = stacked ? pieces[1].offset() - g.offset : g.strides[dim], length = 0, owners = 0;
  if (step <= 0) return {};
  for (const Tensor& piece : pieces) {
    Geometry p(piece);
    if (piece->storage != first->storage || piece.dtype() != first.dtype() ||
        p.offset != g.offset + length * step || Ints(p.strides) != Ints(g.strides))
      return {};
    length += stacked ? 1 : p.sizes[dim];
    if (!stacked) p.sizes[dim] = g.sizes[dim];
    if (Ints(p.sizes) != Ints(g.sizes)) return {};
    // The engine and we hold a piece, the piece holds the tensor that it is a view of.
    if (Py_REFCNT(piece.object()) > 2) return {};
    owners += 1;
    if (!piece->is(kView)) continue;
    if (Py_REFCNT(reinterpret_cast<PyObject*>(piece->base)) > 1) return {};
    owners += 1;
  }
  if (int64_t(first->storage->refs) != owners) return {};
  if (stacked) {
    g.sizes.insert(dim, length), g.strides.insert(dim, step);
  } else {
    g.sizes[dim] = length;
  }
  if (!is_non_overlapping_and_dense(g.sizes, g.strides)) return {};
  return alias(first, g.sizes, g.strides, g.offset);
}
// The gradients of the pieces in one tensor, whose memory is ordered as that of the tensor that was
// cut: where that was a view, its source's gradient is a view again instead of a copy.
Tensor join_as(const Tensor& input, std::vector<Tensor> pieces, int64_t dim, bool stacked) {
  if (Tensor whole = joined_in_place(pieces, dim, stacked); whole.defined()) return whole;
  Dims order = memory_order(input), of_piece, back(input.dim(), 0);
  int64_t place = dim;
  if (order.size()) {
    for (int i = 0; i < order.size(); ++i) {
      back[int(order[i])] = i;
      if (order[i] == dim) place = i;
      if (!stacked || order[i] != dim) of_piece.push_back(order[i] - (stacked && order[i] > dim));
    }
    for (Tensor& piece : pieces) piece = permute(piece, of_piece);
  }
  Tensor joined = stacked ? stack(pieces, place) : cat(pieces, place);
  return order.size() ? permute(joined, back) : joined;
}
void pieces_vjp(Vjp& v, const Tensor& input, int64_t dim) {
  std::vector<Tensor> gradients;
  int n = v.node().d.outputs.size();
  if (n == 0) return v.set(0, zeros(v.sizes(0), v.dtype(0)));
  for (int i = 0; i < n; ++i) gradients.push_back(output_gradient(v, i));
  v.set(0, join_as(input, std::move(gradients), dim, false));
}
template <class... Args>
void pieces_last_vjp(Vjp& v, const Tensor& input, Args... args) {
  int64_t dim = std::get<sizeof...(Args) - 1>(std::tuple<Args...>(args...));
  pieces_vjp(v, input, wrap_dim(dim, v.sizes(0).n));
}

void split_infer(Infer& o, const Tensor& input, int64_t split_size, int64_t dim) {
  KG_CHECK(input.dim() > 0, "split expects at least a 1-dimensional tensor");
  KG_CHECK(split_size >= 0,
           "split expects split_size be non-negative, but got split_size=", split_size);
  dim = wrap_dim(dim, input.dim());
  int64_t size = input.sizes()[dim];
  KG_CHECK(split_size > 0 || size == 0,
           "split_size can only be 0 if dimension size is 0, but got "
           "dimension size of ",
           size);
  std::vector<int64_t> lengths;
  for (int64_t at = 0; at < size; at += split_size)
    lengths.push_back(std::min(split_size, size - at));
  if (lengths.empty()) lengths.push_back(0);
  pieces_infer(o, input, dim, lengths);
}
void split_sizes_infer(Infer& o, const Tensor& input, Ints split_sizes, int64_t dim) {
  KG_CHECK(input.dim() > 0, "split_with_sizes expects at least a 1-dimensional tensor");
  dim = wrap_dim(dim, input.dim());
  int64_t size = input.sizes()[dim], total = 0;
  for (int64_t s : split_sizes) {
    KG_CHECK(s >= 0,
             "split_with_sizes expects split_sizes have only non-negative entries, but got "
             "split_sizes=",
             list_string(split_sizes));
    total += s;
  }
  KG_CHECK(total == size, "split_with_sizes expects split_sizes to sum exactly to ", size,
           " (input tensor's size at dimension ", dim,
           "), but got split_sizes=", list_string(split_sizes));
  pieces_infer(o, input, dim, {split_sizes.begin(), split_sizes.end()});
}
void chunk_infer(Infer& o, const Tensor& input, int64_t chunks, int64_t dim) {
  KG_CHECK(input.dim() > 0, "chunk expects at least a 1-dimensional tensor");
  KG_CHECK(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
  dim = wrap_dim(dim, input.dim());
  pieces_infer(o, input, dim, chunk_sizes(input.sizes()[dim], chunks));
}
void tensor_split_infer(Infer& o, const Tensor& input, int64_t sections, int64_t dim) {
  KG_CHECK(input.dim() > 0,
           "tensor_split expected at least a 1-dimensional tensor, but got a tensor "
           "with ",
           input.dim(), " dims");
  dim = wrap_dim(dim, input.dim());
  KG_CHECK(sections > 0, "number of sections must be larger than 0, got ", sections);
  check_pieces(sections);
  int64_t size = input.sizes()[dim];
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < sections; ++i) lengths.push_back(size / sections + (i < size % sections));
  pieces_infer(o, input, dim, lengths);
}
void tensor_split_at_infer(Infer& o, const Tensor& input, Ints indices, int64_t dim) {
  KG_CHECK(input.dim() > 0,
           "tensor_split expected at least a 1-dimensional tensor, but got a tensor "
           "with ",
           input.dim(), " dims");
  dim = wrap_dim(dim, input.dim());
  Geometry g(input);
  int64_t size = g.sizes[dim], start = 0;
  for (int64_t i = 0; i <= indices.n; ++i) {
    int64_t from = start, to = i < indices.n ? indices[i] : size;
    start = to;
    clamp_slice(size, from, to, 1);
    g.sizes[dim] = to - from;
    g.offset = input.offset() + from * g.strides[dim];
    view_of(o, input, g);
  }
}
// Pieces of unordered indices may overlap or leave gaps: each is embedded by itself.
void tensor_split_at_vjp(Vjp& v, const Tensor& input, Ints indices, int64_t dim) {
  Ints sizes = v.sizes(0);
  dim = wrap_dim(dim, sizes.n);
  bool ordered = true;
  for (int64_t i = 0; i < indices.n; ++i)
    ordered = ordered && indices[i] >= (i ? indices[i - 1] : 0) && indices[i] <= sizes[dim];
  if (ordered) return pieces_vjp(v, input, dim);
  Dims strides = contiguous_strides(sizes);
  int64_t start = 0;
  std::vector<Tensor> parts;
  for (int64_t i = 0; i <= indices.n; ++i) {
    int64_t from = start, to = i < indices.n ? indices[i] : sizes[dim];
    start = to;
    clamp_slice(sizes[dim], from, to, 1);
    if (!v.g(int(i)).defined()) continue;
    parts.push_back(embed(v.g(int(i)), sizes, strides, from * strides[dim]));
  }
  v.set(0,
        parts.empty() ? zeros(sizes, v.dtype(0)) : call(rows::sum_dim, stack(parts, 0), Ints{0}));
}
void unbind_infer(Infer& o, const Tensor& input, int64_t dim) {
  KG_CHECK_INDEX(input.dim() > 0, "Dimension specified as ", dim, " but tensor has no dimensions");
  Geometry g(input);
  dim = wrap_dim(dim, input.dim());
  int64_t size = g.sizes[dim], stride = g.strides[dim];
  g.sizes.erase(dim);
  g.strides.erase(dim);
  for (int64_t i = 0; i < size; ++i, g.offset += stride) view_of(o, input, g);
}
void unbind_vjp(Vjp& v, const Tensor& input, int64_t dim) {
  int n = v.node().d.outputs.size();
  std::vector<Tensor> gradients;
  for (int i = 0; i < n; ++i) gradients.push_back(output_gradient(v, i));
  v.set(0, join_as(input, std::move(gradients), wrap_dim(dim, v.sizes(0).n), true));
}

// ---- the same bits, otherwise read --------------------------------------------------------------

void view_dtype_infer(Infer& o, const Tensor& input, Dtype dtype) {
  Geometry g(input);
  int64_t from = input.itemsize(), to = itemsize(dtype);
  if (from > to) {
    int64_t ratio = from / to;
    KG_CHECK(input.dim() > 0, "self.dim() cannot be 0 to view ", input.dtype(), " as ", dtype,
             " (different element sizes)");
    KG_CHECK(g.strides[input.dim() - 1] == 1, "self.stride(-1) must be 1 to view ", input.dtype(),
             " as ", dtype, " (different element sizes), but got ", g.strides[input.dim() - 1]);
    for (int64_t d = 0; d + 1 < input.dim(); ++d) g.strides[d] *= ratio;
    g.sizes.back() *= ratio;
    g.offset *= ratio;
  } else if (from < to) {
    int64_t ratio = to / from, last = input.dim() - 1;
    KG_CHECK(input.dim() > 0, "self.dim() cannot be 0 to view ", input.dtype(), " as ", dtype,
             " (different element sizes)");
    KG_CHECK(g.strides[last] == 1, "self.stride(-1) must be 1 to view ", input.dtype(), " as ",
             dtype, " (different element sizes), but got ", g.strides[last]);
    KG_CHECK(g.sizes[last] % ratio == 0, "self.size(-1) must be divisible by ", ratio, " to view ",
             input.dtype(), " as ", dtype, " (different element sizes), but got ", g.sizes[last]);
    KG_CHECK(g.offset % ratio == 0, "self.storage_offset() must be divisible by ", ratio,
             " to view ", input.dtype(), " as ", dtype, " (different element sizes), but got ",
             g.offset);
    for (int64_t d = 0; d < last; ++d) {
      KG_CHECK(g.strides[d] % ratio == 0, "self.stride(", d, ") must be divisible by ", ratio,
               " to view ", input.dtype(), " as ", dtype, " (different element sizes), but got ",
               g.strides[d]);
      g.strides[d] /= ratio;
    }
    g.sizes[last] /= ratio;
    g.offset /= ratio;
  }
  view_of(o, input, g).dtype = dtype;
}

void parts_infer(Infer& o, const Tensor& input, bool imaginary) {
  Geometry g(input);
  for (int64_t& s : g.strides) s *= 2;
  g.offset = g.offset * 2 + imaginary;
  view_of(o, input, g).dtype = real_dtype(input.dtype());
}
void real_infer(Infer& o, const Tensor& input) {
  if (is_complex(input.dtype())) return parts_infer(o, input, false);
  view_of(o, input, Geometry(input));
}
void imag_infer(Infer& o, const Tensor& input) {
  KG_CHECK(is_complex(input.dtype()),
           "imag is not implemented for tensors with non-complex dtypes.");
  parts_infer(o, input, true);
}
// A complex tensor from a real gradient of its real or imaginary part.
Tensor complex_from_part(const Tensor& g, bool imaginary) {
  Tensor zero = zeros(g.sizes(), g.dtype(), g.device());
  std::vector<Tensor> parts = {imaginary ? zero : g, imaginary ? g : zero};
  return call(rows::view_as_complex, stack(parts, -1));
}
void real_vjp(Vjp& v, const Tensor&) {
  v.set(0, is_complex(v.dtype(0)) ? complex_from_part(v.g(), false) : v.g());
}
void imag_vjp(Vjp& v, const Tensor&) { v.set(0, complex_from_part(v.g(), true)); }

void view_as_real_infer(Infer& o, const Tensor& input) {
  KG_CHECK(is_complex(input.dtype()), "view_as_real is only supported for complex tensors");
  Geometry g(input);
  for (int64_t& s : g.strides) s *= 2;
  g.sizes.push_back(2);
  g.strides.push_back(1);
  g.offset *= 2;
  view_of(o, input, g).dtype = real_dtype(input.dtype());
}
void view_as_real_vjp(Vjp& v, const Tensor&) {
  v.set(0, call(rows::view_as_complex, contiguous(v.g())));
}
void view_as_complex_infer(Infer& o, const Tensor& input) {
  Dtype d = input.dtype();
  KG_CHECK(
      d == Dtype::f32 || d == Dtype::f64 || d == Dtype::f16,
      "view_as_complex is only supported for half, float and double tensors, but got a tensor of "
      "scalar type: ",
      d);
  KG_CHECK(input.dim() > 0, "Input tensor must have one or more dimensions");
  Geometry g(input);
  int64_t last = input.dim() - 1;
  KG_CHECK(g.sizes[last] == 2, "Tensor must have a last dimension of size 2");
  KG_CHECK(g.strides[last] == 1, "Tensor must have a last dimension with stride 1");
  g.sizes.erase(last);
  g.strides.erase(last);
  for (int64_t& s : g.strides) {
    KG_CHECK(s % 2 == 0, "Tensor must have a stride divisible by 2 for all but last dimension");
    s /= 2;
  }
  KG_CHECK(g.offset % 2 == 0, "Tensor must have a storage_offset divisible by 2");
  g.offset /= 2;
  view_of(o, input, g).dtype = complex_dtype(d);
}
void view_as_complex_vjp(Vjp& v, const Tensor&) { v.set(0, call(rows::view_as_real, v.g())); }

void alias_infer(Infer& o, const Tensor& input) { view_of(o, input, Geometry(input)); }
void through_vjp(Vjp& v, const Tensor&) { v.set(0, v.g()); }

// ---- copies -------------------------------------------------------------------------------------

void clone_infer(Infer& o, const Tensor& input, std::optional<MemoryFormat> memory_format) {
  MemoryFormat f = memory_format.value_or(MemoryFormat::preserve);
  if (f == MemoryFormat::preserve) {
    o.like(input);
    return;
  }
  Spec& s = o.out(input.sizes(), input.dtype());
  s.strides = memory_format_strides(input.sizes(), f);
  s.has_strides = true;
}
void clone_vjp(Vjp& v, const Tensor&, std::optional<MemoryFormat>) { v.set(0, v.g()); }

void embed_infer(Infer& o, const Tensor& input, Ints size, Ints stride, int64_t offset) {
  KG_CHECK(stride.n == input.dim(), "mismatch in length of strides and shape");
  for (int64_t s : stride) KG_CHECK(s >= 0, "strides must not be negative, got ", stride);
  KG_CHECK(offset >= 0, "expected an offset of at least 0, got ", offset);
  size_t room = size_t(checked_numel(size));
  KG_CHECK(bytes_reached(input.sizes(), stride, offset, 1) <= room, "a window of sizes ",
           input.sizes(), " and strides ", stride, " at ", offset, " reaches beyond ", size);
  o.out(size, input.dtype());
}
void embed_vjp(Vjp& v, const Tensor&, Ints, Ints stride, int64_t offset) {
  Tensor g = contiguous(v.g());
  v.set(0, as_strided(g, v.sizes(0), stride, g.offset() + offset));
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

KG_ROW(view, "view(Tensor input, int[*] size) -> Tensor", .grad = vjp<&shape_vjp<Ints>>(),
       .infer = infer<&view_infer>, .as = kMethod, .doc = "The same memory under another shape.")
KG_ROW(view_dtype, "view.dtype(Tensor input, ScalarType dtype) -> Tensor",
       .grad = nondiff("reads the bits as another dtype"), .infer = infer<&view_dtype_infer>,
       .as = kMethod, .doc = "The same bits read as another dtype.")
KG_ROW(_unsafe_view, "_unsafe_view(Tensor input, int[] size) -> Tensor",
       .grad = vjp<&shape_vjp<Ints>>(), .infer = infer<&view_infer>, .as = kFunction | kNoOut,
       .doc = "A view of a tensor that nothing else refers to.")
KG_ROW(
    reshape, "reshape(Tensor input, int[*] shape) -> Tensor", .grad = vjp<&shape_vjp<Ints>>(),
    .infer = infer<&reshape_infer>, .as = kFunction | kMethod | kNoOut,
    .doc =
        "The same elements under another shape: a view where the strides allow one, else a copy.")
KG_ROW(flatten, "flatten(Tensor input, int start_dim=0, int end_dim=-1) -> Tensor",
       .grad = vjp<&shape_vjp<int64_t, int64_t>>(), .infer = infer<&flatten_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc = "Merges the dimensions from start_dim to end_dim into one.")
KG_ROW(ravel, "ravel(Tensor input) -> Tensor", .grad = vjp<&shape_vjp<>>(),
       .infer = infer<&ravel_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "Merges all dimensions into one.")
KG_ROW(unflatten, "unflatten(Tensor input, int dim, int[*] sizes) -> Tensor",
       .grad = vjp<&shape_vjp<int64_t, Ints>>(), .infer = infer<&unflatten_infer>,
       .as = kFunction | kMethod | kNoOut, .doc = "Splits one dimension into several.")
KG_ROW(squeeze, "squeeze(Tensor input) -> Tensor", .grad = vjp<&shape_vjp<>>(),
       .infer = infer<&squeeze_infer>, .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "Drops every dimension of size one.")
KG_ROW(squeeze_dim, "squeeze.dim(Tensor input, int dim) -> Tensor",
       .grad = vjp<&shape_vjp<int64_t>>(), .infer = infer<&squeeze_dim_infer>,
       .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "Drops one dimension if its size is one.")
KG_ROW(squeeze_dims, "squeeze.dims(Tensor input, int[] dim) -> Tensor",
       .grad = vjp<&shape_vjp<Ints>>(), .infer = infer<&squeeze_dims_infer>,
       .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "Drops those of the given dimensions whose size is one.")
KG_ROW(unsqueeze, "unsqueeze(Tensor input, int dim) -> Tensor", .grad = vjp<&shape_vjp<int64_t>>(),
       .infer = infer<&unsqueeze_infer>, .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "Inserts a dimension of size one.")
KG_ROW(expand, "expand(Tensor input, int[*] size, *, bool implicit=False) -> Tensor",
       .grad = vjp<&expand_vjp>(), .infer = infer<&expand_infer>, .as = kMethod,
       .doc = "Repeats dimensions of size one without copying.")
KG_ROW(broadcast_to, "broadcast_to(Tensor input, int[] size) -> Tensor",
       .grad = vjp<&broadcast_to_vjp>(), .infer = infer<&broadcast_to_infer>,
       .as = kFunction | kMethod | kNoOut, .doc = "Expands to a shape by broadcasting.")
KG_ROW(permute, "permute(Tensor input, int[*] dims) -> Tensor", .grad = vjp<&permute_vjp>(),
       .infer = infer<&permute_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "The dimensions in another order.")
KG_ROW(transpose, "transpose(Tensor input, int dim0, int dim1) -> Tensor",
       .grad = vjp<&transpose_vjp>(), .infer = infer<&transpose_infer>,
       .as = kFunction | kMethod | kInplace | kNoOut, .doc = "Exchanges two dimensions.")
KG_ROW(swapaxes, "swapaxes(Tensor input, int axis0, int axis1) -> Tensor",
       .grad = vjp<&transpose_vjp>(), .infer = infer<&transpose_infer>,
       .as = kFunction | kMethod | kInplace | kNoOut, .doc = "Exchanges two dimensions.")
KG_ROW(swapdims, "swapdims(Tensor input, int dim0, int dim1) -> Tensor",
       .grad = vjp<&transpose_vjp>(), .infer = infer<&transpose_infer>,
       .as = kFunction | kMethod | kInplace | kNoOut, .doc = "Exchanges two dimensions.")
KG_ROW(t, "t(Tensor input) -> Tensor", .grad = vjp<&t_vjp>(), .infer = infer<&t_infer>,
       .as = kFunction | kMethod | kInplace | kNoOut, .doc = "The transpose of a matrix.")
KG_ROW(movedim, "movedim(Tensor input, int[] source, int[] destination) -> Tensor",
       .grad = vjp<&movedim_vjp>(), .infer = infer<&movedim_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc = "Moves dimensions to new places; the others keep their order.")
KG_ROW(movedim_int, "movedim.int(Tensor input, int source, int destination) -> Tensor",
       .grad = vjp<&movedim_int_vjp>(), .infer = infer<&movedim_int_infer>,
       .as = kFunction | kMethod | kNoOut, .doc = "Moves one dimension to a new place.")
KG_ROW(moveaxis, "moveaxis(Tensor input, int[] source, int[] destination) -> Tensor",
       .grad = vjp<&movedim_vjp>(), .infer = infer<&movedim_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc = "Moves dimensions to new places; the others keep their order.")
KG_ROW(moveaxis_int, "moveaxis.int(Tensor input, int source, int destination) -> Tensor",
       .grad = vjp<&movedim_int_vjp>(), .infer = infer<&movedim_int_infer>,
       .as = kFunction | kMethod | kNoOut, .doc = "Moves one dimension to a new place.")
KG_ROW(select, "select(Tensor input, int dim, int index) -> Tensor", .grad = vjp<&select_vjp>(),
       .infer = infer<&select_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "The slice at one index of a dimension.")
KG_ROW(slice,
       "slice(Tensor input, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor",
       .grad = vjp<&slice_vjp>(), .infer = infer<&slice_infer>, .as = kInternal,
       .doc = "Every step-th element of a dimension from start to before end.")
KG_ROW(narrow, "narrow(Tensor input, int dim, int start, int length) -> Tensor",
       .grad = vjp<&narrow_vjp>(), .infer = infer<&narrow_infer>,
       .as = kFunction | kMethod | kNoOut, .doc = "A stretch of one dimension.")
KG_ROW(diagonal, "diagonal(Tensor input, int offset=0, int dim1=0, int dim2=1) -> Tensor",
       .grad = vjp<&diagonal_vjp>(), .infer = infer<&diagonal_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc = "The diagonals of the matrices that two dimensions span.")
KG_ROW(unfold, "unfold(Tensor input, int dimension, int size, int step) -> Tensor",
       .grad = vjp<&unfold_vjp>(), .infer = infer<&unfold_infer>, .as = kMethod,
       .doc = "All windows of a size along a dimension.")
KG_ROW(as_strided,
       "as_strided(Tensor input, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
       .grad = vjp<&as_strided_vjp>("#input"), .infer = infer<&as_strided_infer>,
       .as = kFunction | kMethod | kInplace | kNoOut,
       .doc = "A view of the storage with any geometry.")
KG_ROW(split, "split(Tensor tensor, int split_size_or_sections, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<int64_t, int64_t>>("#tensor"), .infer = infer<&split_infer>,
       .multi_view = true, .as = kFunction | kNoOut, .doc = "Pieces of a size along a dimension.")
KG_ROW(split_sizes,
       "split.sizes(Tensor tensor, int[] split_size_or_sections, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<Ints, int64_t>>("#tensor"), .infer = infer<&split_sizes_infer>,
       .multi_view = true, .as = kFunction | kNoOut,
       .doc = "Pieces of the given sizes along a dimension.")
KG_ROW(split_method, "split.method(Tensor input, int split_size, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<int64_t, int64_t>>("#input"), .infer = infer<&split_infer>,
       .multi_view = true, .as = kMethod, .doc = "Pieces of a size along a dimension.")
KG_ROW(split_method_sizes,
       "split.method_sizes(Tensor input, int[] split_size, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<Ints, int64_t>>("#input"), .infer = infer<&split_sizes_infer>,
       .multi_view = true, .as = kMethod, .doc = "Pieces of the given sizes along a dimension.")
KG_ROW(split_with_sizes, "split_with_sizes(Tensor input, int[] split_sizes, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<Ints, int64_t>>("#input"), .infer = infer<&split_sizes_infer>,
       .multi_view = true, .as = kFunction | kMethod | kNoOut,
       .doc = "Pieces of the given sizes along a dimension.")
KG_ROW(chunk, "chunk(Tensor input, int chunks, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<int64_t, int64_t>>("#input"), .infer = infer<&chunk_infer>,
       .multi_view = true, .as = kFunction | kMethod | kNoOut,
       .doc = "About equal pieces along a dimension, at most `chunks` of them.")
KG_ROW(tensor_split, "tensor_split(Tensor input, int sections, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<int64_t, int64_t>>("#input"),
       .infer = infer<&tensor_split_infer>, .multi_view = true, .as = kFunction | kMethod | kNoOut,
       .doc = "Pieces along a dimension whose sizes differ by at most one.")
KG_ROW(tensor_split_at, "tensor_split.indices(Tensor input, int[] indices, int dim=0) -> Tensor[]",
       .grad = vjp<&tensor_split_at_vjp>("#input"), .infer = infer<&tensor_split_at_infer>,
       .multi_view = true, .as = kFunction | kMethod | kNoOut,
       .doc = "Pieces along a dimension, cut at the given indices.")
KG_ROW(unsafe_split, "unsafe_split(Tensor input, int split_size, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<int64_t, int64_t>>("#input"), .infer = infer<&split_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc = "split() whose pieces may be written in place while nothing else uses the input.")
KG_ROW(unsafe_chunk, "unsafe_chunk(Tensor input, int chunks, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<int64_t, int64_t>>("#input"), .infer = infer<&chunk_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc = "chunk() whose pieces may be written in place while nothing else uses the input.")
KG_ROW(unsafe_split_with_sizes,
       "unsafe_split_with_sizes(Tensor input, int[] split_sizes, int dim=0) -> Tensor[]",
       .grad = vjp<&pieces_last_vjp<Ints, int64_t>>("#input"), .infer = infer<&split_sizes_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc =
           "split_with_sizes() whose pieces may be written in place while nothing else uses the "
           "input.")
KG_ROW(unbind, "unbind(Tensor input, int dim=0) -> Tensor[]", .grad = vjp<&unbind_vjp>("#input"),
       .infer = infer<&unbind_infer>, .multi_view = true, .as = kFunction | kMethod | kNoOut,
       .doc = "The slices along a dimension.")
KG_ROW(alias, "alias(Tensor input) -> Tensor", .grad = vjp<&through_vjp>(),
       .infer = infer<&alias_infer>, .as = kInternal, .doc = "Another tensor on the same memory.")
KG_ROW(real, "real(Tensor input) -> Tensor", .grad = vjp<&real_vjp>(), .infer = infer<&real_infer>,
       .as = kFunction | kNoOut, .doc = "The real parts, on the same memory.")
KG_ROW(imag, "imag(Tensor input) -> Tensor", .grad = vjp<&imag_vjp>(), .infer = infer<&imag_infer>,
       .as = kFunction | kNoOut, .doc = "The imaginary parts, on the same memory.")
KG_ROW(view_as_real, "view_as_real(Tensor input) -> Tensor", .grad = vjp<&view_as_real_vjp>(),
       .infer = infer<&view_as_real_infer>, .as = kFunction | kNoOut,
       .doc = "A complex tensor as a real one with a last dimension of two.")
KG_ROW(view_as_complex, "view_as_complex(Tensor input) -> Tensor",
       .grad = vjp<&view_as_complex_vjp>(), .infer = infer<&view_as_complex_infer>,
       .as = kFunction | kNoOut,
       .doc = "A real tensor with a last dimension of two as a complex one.")
KG_ROW(clone, "clone(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor",
       .grad = vjp<&clone_vjp>(), .infer = infer<&clone_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "A copy with its own memory.")
KG_ROW(embed, "embed(Tensor input, int[] size, int[] stride, int offset) -> Tensor",
       .grad = vjp<&embed_vjp>(), .infer = infer<&embed_infer>, .as = kInternal,
       .doc = "Zeros of a size with the input added at a strided window.")

}  // namespace kagari
