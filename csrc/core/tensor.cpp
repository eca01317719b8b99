// Tensors: the free list, geometry, and creation without the tape.
#include "core/tensor.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/caching.h"
#include "core/geometry.h"
#include "core/sparse.h"
#include "core/value.h"

namespace kagari {

PyTypeObject* tensor_type = nullptr;
Tensor (*sparse_call)(const char*, const Tensor&, const Tensor&, Dtype) = nullptr;
Tensor (*sparse_gradient)(const char*, const Tensor&, const Tensor&, Ints, int64_t) = nullptr;

// Defined by autograd/: frees what the tape keeps on a tensor.
namespace tape {
void drop_meta(TensorImpl* t);
}

namespace {

constexpr int kKept = 2048;
TensorImpl* kept[kKept];
int kept_count = 0;
const int kept_room = allocator::kept_objects(kKept);

void free_sizes(TensorImpl* t) {
  if (t->sizes != t->inline_dims) delete[] t->sizes;
  t->sizes = t->inline_dims;
}

// Everything but the Python header and the inline dimensions.
void reset(TensorImpl* t) {
  t->dict = nullptr;
  t->weakrefs = nullptr;
  t->flags = kContiguous;
  t->dtype = Dtype::f32;
  t->device = Device{};
  t->ndim = 1;
  t->version = 0;
  t->versions = nullptr;
  t->storage = nullptr;
  t->data = nullptr;
  t->offset = 0;
  t->numel = 0;
  t->sizes = t->inline_dims;
  t->base = nullptr;
  t->autograd = nullptr;
  t->extension = nullptr;
  t->inline_dims[0] = 0;
  t->inline_dims[1] = 1;
}

void release_versions(VersionCounter* v) {
  if (v && --v->refs == 0) delete v;
}

// Reserves room for ndim sizes and strides.
void reserve_dims(TensorImpl* t, int64_t ndim) {
  KG_CHECK(ndim <= kMaxDims, "tensors have at most ", kMaxDims, " dimensions, got ", ndim);
  if (ndim != t->ndim) {
    int64_t* fresh = ndim > kInlineDims ? new int64_t[size_t(2 * ndim)] : nullptr;
    free_sizes(t);
    if (fresh) t->sizes = fresh;
    t->ndim = uint8_t(ndim);
  }
}

void update_contiguous(TensorImpl* t) {
  bool contiguous = true;
  int64_t expected = 1;
  if (t->numel > 0) {
    for (int i = t->ndim - 1; i >= 0; --i) {
      if (t->sizes[i] == 1) continue;
      if (t->strides()[i] != expected) {
        contiguous = false;
        break;
      }
      expected *= t->sizes[i];
    }
  }
  t->flags = contiguous ? t->flags | kContiguous : t->flags & ~uint32_t(kContiguous);
}

}  // namespace

#ifdef KG_SANITIZE
void check_gil() {
  if (PyGILState_Check()) return;
  fputs("kagari: a reference was counted without the GIL\n", stderr);
  abort();
}
#endif

namespace impl {

TensorImpl* make() {
  check_gil();
  TensorImpl* t;
  if (kept_count) {
    t = kept[--kept_count];
    _Py_NewReference(reinterpret_cast<PyObject*>(t));
  } else {
    t = PyObject_GC_New(TensorImpl, tensor_type);
    if (!t) throw_python_error();
  }
  reset(t);
  return t;
}

void init(TensorImpl* t) { reset(t); }

void clear(TensorImpl* t) {
  if (t->autograd) tape::drop_meta(t);
  if (TensorImpl* base = std::exchange(t->base, nullptr))
    Py_DECREF(reinterpret_cast<PyObject*>(base));
  Py_CLEAR(t->dict);
  if (t->is(kSparse)) Py_XDECREF(static_cast<PyObject*>(std::exchange(t->extension, nullptr)));
  if (VersionCounter* v = std::exchange(t->versions, nullptr)) release_versions(v);
  if (Storage* s = std::exchange(t->storage, nullptr)) s->release();
  t->data = nullptr;
}

void dealloc(TensorImpl* t) {
  PyObject* o = reinterpret_cast<PyObject*>(t);
  if (PyObject_GC_IsTracked(o)) PyObject_GC_UnTrack(o);
  if (t->weakrefs) PyObject_ClearWeakRefs(o);
  clear(t);
  free_sizes(t);
  PyTypeObject* type = Py_TYPE(o);
  if (type == tensor_type && kept_count < kept_room) {
    kept[kept_count++] = t;  // keeps its reference to the type
    return;
  }
  type->tp_free(o);
  Py_DECREF(type);
}

void set_sizes(TensorImpl* t, Ints sizes) {
  int64_t numel = checked_numel(sizes);
  reserve_dims(t, sizes.n);
  int64_t* strides = t->sizes + sizes.n;
  int64_t step = 1;
  for (int64_t i = sizes.n - 1; i >= 0; --i) {
    t->sizes[i] = sizes[i];
    strides[i] = step;
    step = next_stride(step, sizes[i]);
  }
  t->numel = numel;
  t->flags |= kContiguous;
}

void set_geometry(TensorImpl* t, Ints sizes, Ints strides) {
  int64_t numel = checked_numel(sizes);
  Dims own_sizes(sizes), own_strides(strides);  // the arguments may point into t
  reserve_dims(t, own_sizes.size());
  std::copy(own_sizes.begin(), own_sizes.end(), t->sizes);
  std::copy(own_strides.begin(), own_strides.end(), t->sizes + t->ndim);
  t->numel = numel;
  update_contiguous(t);
}

void set_storage(TensorImpl* t, Storage* s, int64_t offset) {
  if (s) s->retain();
  if (t->storage) t->storage->release();
  t->storage = s;
  t->offset = offset;
  t->data = s && s->data ? s->data + offset * itemsize(t->dtype) : nullptr;
}

Storage* grow_storage(TensorImpl* t, size_t bytes) {
  Storage* s = t->storage;
  if (!s) {
    t->storage = Storage::allocate(bytes, t->device);
  } else if (s->bytes < bytes) {
    KG_CHECK(s->resizable,
             "Trying to resize storage that is not resizable: its memory belongs to another "
             "library; clone() the tensor first");
    if (s->refs <= 1u + (s->wrapper != nullptr)) {
      s->resize(bytes);
    } else {
      Storage* larger = Storage::allocate(bytes, s->device);
      if (s->bytes && s->data && larger->data) std::memcpy(larger->data, s->data, s->bytes);
      t->storage = larger;
      s->release();
    }
  }
  t->data = t->storage->data ? t->storage->data + t->offset * itemsize(t->dtype) : nullptr;
  return t->storage;
}

void share_version(TensorImpl* from, TensorImpl* to) {
  while (from->base) from = from->base;
  if (!from->versions) from->versions = new VersionCounter{1, from->version};
  ++from->versions->refs;
  if (to->versions) release_versions(to->versions);
  to->versions = from->versions;
}

}  // namespace impl

int64_t Tensor::size(int64_t d) const { return p_->sizes[wrap_dim(d, p_->ndim)]; }
int64_t Tensor::stride(int64_t d) const { return p_->strides()[wrap_dim(d, p_->ndim)]; }

int64_t checked_numel(Ints sizes) {
  int64_t n = 1;
  bool overflow = false, zero = false;
  for (int64_t s : sizes) {
    KG_CHECK(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", sizes);
    zero = zero || s == 0;
    if (s != 0) overflow = __builtin_mul_overflow(n, s, &n) || overflow;
  }
  KG_CHECK(zero || (!overflow && n <= (int64_t(1) << 58)), "a tensor of shape ", sizes,
           " has more elements than memory can address");
  return zero ? 0 : n;
}

int64_t wrap_dim(int64_t dim, int64_t ndim) {
  int64_t range = std::max<int64_t>(ndim, 1);
  KG_CHECK_INDEX(dim >= -range && dim < range,
                 "Dimension out of range (expected to be in range of [", -range, ", ", range - 1,
                 "], but got ", dim, ")");
  return dim < 0 ? dim + range : dim;
}

int64_t extent(Ints sizes, Ints strides) {
  int64_t last = 0;
  bool overflow = false;
  for (int64_t d = 0; d < sizes.n; ++d) {
    if (sizes[d] == 0) return 0;
    int64_t span = 0;
    overflow = __builtin_mul_overflow(sizes[d] - 1, strides[d], &span) ||
               __builtin_add_overflow(last, span, &last) || overflow;
  }
  return overflow || last == INT64_MAX ? INT64_MAX : last + 1;
}

size_t bytes_reached(Ints sizes, Ints strides, int64_t offset, int64_t itemsize) {
  int64_t reach = extent(sizes, strides), end = 0, bytes = 0;
  if (reach == 0) return 0;
  bool overflow = reach == INT64_MAX || __builtin_add_overflow(offset, reach, &end) ||
                  __builtin_mul_overflow(end, itemsize, &bytes);
  return overflow ? SIZE_MAX : size_t(bytes);
}

Dims contiguous_strides(Ints sizes) {
  Dims strides(sizes.n);
  int64_t step = 1;
  for (int64_t i = sizes.n - 1; i >= 0; --i) {
    strides[i] = step;
    step = next_stride(step, sizes[i]);
  }
  return strides;
}

Dims broadcast_shapes(Ints a, Ints b) {
  int64_t n = std::max(a.n, b.n);
  Dims out(n);
  for (int64_t i = 0; i < n; ++i) {
    int64_t ia = a.n - 1 - i, ib = b.n - 1 - i;
    int64_t x = ia >= 0 ? a[ia] : 1, y = ib >= 0 ? b[ib] : 1;
    KG_CHECK(x == y || x == 1 || y == 1, "The size of tensor a (", x,
             ") must match the size of tensor b (", y, ") at non-singleton dimension ", n - 1 - i,
             ": shapes ", a, " and ", b, " do not broadcast");
    out[n - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

bool is_non_overlapping_and_dense(Ints sizes, Ints strides) {
  int64_t n = sizes.n;
  Dims order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    if (sizes[a] < 2) return false;  // size-one dimensions last
    if (sizes[b] < 2) return true;
    return strides[a] < strides[b];
  });
  int64_t expected = 1;
  for (int64_t d : order) {
    if (sizes[d] == 0) return true;
    if (sizes[d] < 2) return true;
    if (strides[d] != expected) return false;
    expected *= sizes[d];
  }
  return true;
}

bool has_internal_overlap(const TensorImpl* t) {
  if (t->flags & kContiguous) return false;
  if (t->numel <= 1) return false;
  // Sorted by stride, each dimension must step over everything the smaller ones span.
  Dims order;
  for (int64_t i = 0; i < t->ndim; ++i)
    if (t->sizes[i] > 1) order.push_back(i);
  const int64_t* st = t->strides();
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return st[a] < st[b]; });
  int64_t span = 0;
  for (int64_t d : order) {
    if (st[d] <= span) return true;
    span += st[d] * (t->sizes[d] - 1);
  }
  return false;
}

Overlap overlap(const TensorImpl* a, const TensorImpl* b) {
  if (a == b) return Overlap::full;
  if (!a->storage || a->storage != b->storage || a->numel == 0 || b->numel == 0)
    return Overlap::none;
  auto range = [](const TensorImpl* t) {
    int64_t last = 0;
    for (int i = 0; i < t->ndim; ++i) last += t->strides()[i] * (t->sizes[i] - 1);
    return std::pair(t->data, t->data + (last + 1) * itemsize(t->dtype));
  };
  auto [a0, a1] = range(a);
  auto [b0, b1] = range(b);
  if (a1 <= b0 || b1 <= a0) return Overlap::none;
  if (a0 == b0 && a->dtype == b->dtype && a->ndim == b->ndim &&
      std::equal(a->sizes, a->sizes + 2 * a->ndim, b->sizes))
    return Overlap::full;
  bool dense = is_non_overlapping_and_dense({a->sizes, a->ndim}, {a->strides(), a->ndim}) &&
               is_non_overlapping_and_dense({b->sizes, b->ndim}, {b->strides(), b->ndim});
  return dense ? Overlap::partial : Overlap::unknown;
}

bool view_strides(Ints old_sizes, Ints old_strides, Ints new_sizes, Dims& out) {
  int64_t numel = 1;
  for (int64_t s : old_sizes) numel *= s;
  if (numel == 0) {
    out = old_sizes == new_sizes ? Dims(old_strides) : contiguous_strides(new_sizes);
    return true;
  }
  out.resize(new_sizes.n);
  int64_t v = new_sizes.n - 1;
  if (old_sizes.n == 0) {
    std::fill(out.begin(), out.end(), 1);
    return true;
  }
  // Walk chunks of old dimensions that are contiguous with each other; new dimensions must divide
  // them.
  int64_t chunk_stride = old_strides[old_sizes.n - 1], old_count = 1, new_count = 1;
  for (int64_t d = old_sizes.n - 1; d >= 0; --d) {
    old_count *= old_sizes[d];
    if (d == 0 || (old_sizes[d - 1] != 1 && old_strides[d - 1] != old_count * chunk_stride)) {
      while (v >= 0 && (new_count < old_count || new_sizes[v] == 1)) {
        out[v] = new_count * chunk_stride;
        new_count *= new_sizes[v];
        --v;
      }
      if (new_count != old_count) return false;
      if (d > 0) {
        chunk_stride = old_strides[d - 1];
        old_count = new_count = 1;
      }
    }
  }
  return v == -1;
}

std::ostream& operator<<(std::ostream& out, Ints v) {
  out << '(';
  for (int64_t i = 0; i < v.n; ++i) out << (i ? ", " : "") << v[i];
  return out << (v.n == 1 ? ",)" : ")");
}

std::string shape_string(Ints sizes) { return concat(sizes); }
std::string describe(const Tensor& t) {
  return t.defined() ? concat(t.dtype(), " ", t.sizes()) : "None";
}

namespace {
Tensor with_memory(TensorImpl* raw, Dtype dtype, Device device, int64_t elements) {
  Tensor t = Tensor::steal(raw);
  raw->dtype = dtype;
  raw->device = device;
  size_t bytes = 0;
  KG_CHECK(!__builtin_mul_overflow(size_t(elements), size_t(itemsize(dtype)), &bytes),
           "a tensor of ", elements, " elements of ", dtype,
           " has more bytes than memory can address");
  Storage* s = Storage::allocate(bytes, device);
  raw->storage = s;
  raw->data = s->data;
  return t;
}
}  // namespace

Tensor empty(Ints sizes, Dtype dtype, Device device) {
  Tensor t = Tensor::steal(impl::make());
  impl::set_sizes(t.get(), sizes);
  return with_memory(t.release(), dtype, device, checked_numel(sizes));
}

Tensor empty_strided(Ints sizes, Ints strides, Dtype dtype, Device device) {
  KG_CHECK(sizes.n == strides.n, "sizes and strides must have the same length, got ", sizes,
           " and ", strides);
  Tensor t = Tensor::steal(impl::make());
  impl::set_geometry(t.get(), sizes, strides);
  int64_t extent = t.numel() ? 1 : 0;
  for (int64_t i = 0; i < sizes.n && extent; ++i) {
    int64_t span = 0;
    KG_CHECK(strides[i] >= 0, "strides must not be negative, got ", strides);
    bool bad = __builtin_mul_overflow(strides[i], sizes[i] - 1, &span) ||
               __builtin_add_overflow(extent, span, &extent);
    KG_CHECK(!bad && extent <= (int64_t(1) << 58), "sizes ", sizes, " with strides ", strides,
             " span more than memory can address");
  }
  return with_memory(t.release(), dtype, device, extent);
}

Tensor empty_like(const Tensor& t) { return empty_like(t, t.dtype()); }

Tensor empty_like(const Tensor& t, Dtype dtype) {
  if (t.is_contiguous()) return empty(t.sizes(), dtype, t.device());
  if (is_non_overlapping_and_dense(t.sizes(), t.strides()))
    return empty_strided(t.sizes(), t.strides(), dtype, t.device());
  // Not dense: keep the order of the dimensions by their strides.
  int64_t n = t.dim();
  Dims order(n), strides(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    int64_t sa = t.strides()[a], sb = t.strides()[b];
    if (sa == 0 || sb == 0) return a < b;
    return sa != sb ? sa > sb : t.sizes()[a] > t.sizes()[b];
  });
  int64_t step = 1;
  for (int64_t i = n - 1; i >= 0; --i) {
    strides[order[i]] = step;
    step = next_stride(step, t.sizes()[order[i]]);
  }
  return empty_strided(t.sizes(), strides, dtype, t.device());
}

Tensor alias(const Tensor& t, Ints sizes, Ints strides, int64_t offset) {
  Tensor r = Tensor::steal(impl::make());
  r->dtype = t.dtype();
  r->device = t.device();
  impl::set_geometry(r.get(), sizes, strides);
  impl::set_storage(r.get(), t->storage, offset);
  if (is_sparse(t)) {
    r->extension = Py_XNewRef(sparse_parts(t.get()));
    r->flags |= kSparse;
    PyObject_GC_Track(r.object());
  }
  return r;
}

Tensor scalar_tensor(double value, Dtype dtype, Device device) {
  Tensor t = empty({}, dtype, device);
  if (t.is_meta()) return t;
  visit(dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>) {
      *t.data_as<T>() = value != 0;
    } else if constexpr (std::is_integral_v<T>) {
      *t.data_as<T>() = T(int64_t(value));
    } else if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
      *t.data_as<T>() = T(typename T::value_type(value));
    } else {
      *t.data_as<T>() = T(value);
    }
  });
  return t;
}

}  // namespace kagari
