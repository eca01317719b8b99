// The tensor: a strided view of a storage, a Python object from birth, with room for the tape's
// records.
//
// Laws:
//  - A TensorImpl IS a Python object (its first words are PyObject_HEAD): one allocation, one
//  count, one identity,
//    and the collector sees every edge. This header is the one place below bind/ that includes
//    Python.h.
//  - Reference counts and the tape change only under the GIL. Code that runs without it holds raw
//  pointers whose
//    tensors the caller keeps alive.
//  - Strides are always true, in elements; `data()` already contains the offset.
#pragma once
#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "core/device.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/gil.h"
#include "core/ints.h"
#include "core/storage.h"

namespace kagari {

struct AutogradMeta;  // autograd/meta.h
class Tensor;

inline constexpr int kMaxDims = 64;
inline constexpr int kInlineDims = 5;

enum TensorFlags : uint32_t {
  // Any of these takes a call off the straight path (see ops/call.h).
  kRequiresGrad = 1 << 0,  // a leaf that requires grad, or has a grad_fn
  kOverride = 1 << 1,      // the Python type overrides __torch_function__
  kTransform = 1 << 2,     // carries a transform level (vmap, grad, jvp)
  kSlowMask = 0xff,
  // Facts about this tensor.
  kContiguous = 1 << 8,        // row-major without gaps (empty and one-element tensors too)
  kView = 1 << 9,              // differentiable view: `base` is set
  kViewNoGrad = 1 << 10,       // the view was made under no_grad
  kViewInference = 1 << 11,    // the view was made under inference_mode
  kViewMultiOutput = 1 << 12,  // one of several outputs of a view op: in-place writes raise
  kWrappedNumber = 1 << 13,    // came from a Python number: weak in promotion
  kInference = 1 << 14,        // made under inference_mode: may not be saved for backward
};

// Version of the data, shared by views and detached aliases. Allocated when first shared.
struct VersionCounter {
  uint32_t refs;
  uint32_t value;
};

struct TensorImpl {
  PyObject_HEAD PyObject* dict;
  PyObject* weakrefs;
  uint32_t flags;
  Dtype dtype;
  Device device;  // 2 bytes
  uint8_t ndim;
  uint32_t version;  // while `versions` is null
  VersionCounter* versions;
  Storage* storage;  // null for meta tensors and undefined state
  char* data;        // storage->data + offset * itemsize
  int64_t offset;    // elements from the storage's start
  int64_t numel;
  int64_t* sizes;          // ndim sizes followed by ndim strides: inline_dims or a heap block
  TensorImpl* base;        // of a differentiable view: the tensor that owns the history (strong)
  AutogradMeta* autograd;  // null until the tape or the user needs it
  void* extension;         // reserved: transform level, batch dimension, sparse layout
  int64_t inline_dims[2 * kInlineDims];

  const int64_t* strides() const { return sizes + ndim; }
  bool is(uint32_t flag) const { return flags & flag; }
  uint32_t current_version() const {
    return base ? base->current_version() : (versions ? versions->value : version);
  }
  void bump_version() {
    if (base) {
      base->bump_version();
    } else if (versions) {
      ++versions->value;
    } else {
      ++version;
    }
    if (storage) ++storage->epoch;
  }
};

// Set by bind/ when the module is initialised.
extern PyTypeObject* tensor_type;

namespace impl {
TensorImpl* make();  // an empty float32 tensor of shape (0,) without storage, from the free list
// Fills a block that Python allocated for a subclass (zeroed memory after PyObject_HEAD).
void init(TensorImpl* t);
void clear(TensorImpl* t);  // drops everything it holds (tp_clear and the first half of tp_dealloc)
void dealloc(TensorImpl* t);                                 // tp_dealloc of the base type
void set_sizes(TensorImpl* t, Ints sizes);                   // contiguous strides
void set_geometry(TensorImpl* t, Ints sizes, Ints strides);  // recomputes numel and kContiguous
// Points at a storage (takes a reference); recomputes data.
void set_storage(TensorImpl* t, Storage* s, int64_t offset);
void share_version(TensorImpl* from, TensorImpl* to);
}  // namespace impl

// A counted reference to a TensorImpl; null means "no tensor".
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor& o) : p_(o.p_) { retain(p_); }
  Tensor(Tensor&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  ~Tensor() {
    if (!p_) return;
    check_gil();
    Py_DECREF(reinterpret_cast<PyObject*>(p_));
  }
  Tensor& operator=(const Tensor& o) {
    Tensor copy(o);
    std::swap(p_, copy.p_);
    return *this;
  }
  Tensor& operator=(Tensor&& o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  static Tensor borrow(TensorImpl* p) {
    retain(p);
    return steal(p);
  }
  static Tensor steal(TensorImpl* p) {
    Tensor t;
    t.p_ = p;
    return t;
  }
  TensorImpl* release() { return std::exchange(p_, nullptr); }
  TensorImpl* get() const { return p_; }
  TensorImpl* operator->() const { return p_; }
  PyObject* object() const { return reinterpret_cast<PyObject*>(p_); }
  bool defined() const { return p_ != nullptr; }
  explicit operator bool() const = delete;

  int64_t dim() const { return p_->ndim; }
  int64_t numel() const { return p_->numel; }
  Ints sizes() const { return {p_->sizes, p_->ndim}; }
  Ints strides() const { return {p_->strides(), p_->ndim}; }
  int64_t size(int64_t d) const;  // negative counts from the end; throws index errors
  int64_t stride(int64_t d) const;
  int64_t offset() const { return p_->offset; }
  Dtype dtype() const { return p_->dtype; }
  Device device() const { return p_->device; }
  int64_t itemsize() const { return kagari::itemsize(p_->dtype); }
  int64_t nbytes() const { return numel() * itemsize(); }
  bool is_contiguous() const { return p_->flags & kContiguous; }
  bool is_meta() const { return p_->device.is_meta(); }
  bool requires_grad() const { return p_->flags & kRequiresGrad; }
  bool is_view() const { return p_->flags & kView; }
  char* data() const { return p_->data; }
  template <class T>
  T* data_as() const {
    return reinterpret_cast<T*>(p_->data);
  }
  bool same(const Tensor& o) const { return p_ == o.p_; }

 private:
  static void retain(TensorImpl* p) {
    if (!p) return;
    check_gil();
    Py_INCREF(reinterpret_cast<PyObject*>(p));
  }

  TensorImpl* p_ = nullptr;
};

// Creation without the tape. Memory is uninitialised.
Tensor empty(Ints sizes, Dtype dtype, Device device = {});
Tensor empty_strided(Ints sizes, Ints strides, Dtype dtype, Device device = {});
// Same sizes; keeps the stride order of a dense non-overlapping input (preserve_format), else
// contiguous.
Tensor empty_like(const Tensor& t);
Tensor empty_like(const Tensor& t, Dtype dtype);
// An alias of t's storage with another geometry: no history, no base; shares the version. Bounds
// are checked by the caller.
Tensor alias(const Tensor& t, Ints sizes, Ints strides, int64_t offset);
Tensor scalar_tensor(double value, Dtype dtype, Device device = {});

// Geometry helpers.
int64_t checked_numel(Ints sizes);  // throws on negative sizes and overflow
int64_t wrap_dim(int64_t dim,
                 int64_t ndim);  // "Dimension out of range (expected ... but got ...)" IndexError
Dims contiguous_strides(Ints sizes);
// The stride after a dimension of this size. It may wrap where the tensor is empty and nothing
// steps over it.
inline int64_t next_stride(int64_t stride, int64_t size) {
  return int64_t(uint64_t(stride) * uint64_t(size > 1 ? size : 1));
}
Dims broadcast_shapes(Ints a, Ints b);  // throws as PyTorch does
bool is_non_overlapping_and_dense(Ints sizes, Ints strides);
bool has_internal_overlap(
    const TensorImpl* t);  // some element is reachable through two indices (conservative)
// Whether two tensors share memory: none, full (same elements in the same order), partial.
enum class Overlap { none, full, partial, unknown };
Overlap overlap(const TensorImpl* a, const TensorImpl* b);
// Strides of a view with new sizes, if one exists (PyTorch's view rule).
bool view_strides(Ints old_sizes, Ints old_strides, Ints new_sizes, Dims& out);
std::string shape_string(Ints sizes);   // "(2, 3)"
std::string describe(const Tensor& t);  // "float32 (2, 3)"

}  // namespace kagari
