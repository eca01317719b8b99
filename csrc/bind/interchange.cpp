// Memory shared with others: NumPy arrays, DLPack, the buffer protocol; and nested lists of
// numbers.
#include "bind/interchange.h"

#include <memory>

#include "bind/tensor_type.h"
#include "ops/views.h"

namespace kagari {

void warn(const char* text) {
  if (PyErr_WarnEx(PyExc_UserWarning, text, 1) < 0) throw_python_error();
}

// ---- NumPy's C interface
// --------------------------------------------------------------------------------------- Its
// layout and function numbers are part of NumPy 2's stable ABI; reading them directly spares the
// build NumPy's headers and the import its start-up time.

namespace {

struct ArrayObject {
  PyObject_HEAD char* data;
  int ndim;
  Py_ssize_t* sizes;
  Py_ssize_t* strides;  // in bytes
  PyObject* base;
  PyObject* descr;
  int flags;
};
struct DescrObject {
  PyObject_HEAD PyTypeObject* typeobj;
  char kind;
  char type;
  char byteorder;
  char former_flags;
  int type_num;
};
constexpr int kAligned = 0x0100, kWriteable = 0x0400;
constexpr int kTypeNums[kComputeDtypes] = {0, 2, 1, 3, 5, 7, 4, 6, 8, 23, -1, 11, 12, 14, 15};

struct NumPy {
  PyTypeObject* array = nullptr;
  PyObject* module = nullptr;
  PyObject* (*make)(PyTypeObject*, int, const Py_ssize_t*, int, const Py_ssize_t*, void*, int, int,
                    PyObject*) = nullptr;
  int (*set_base)(PyObject*, PyObject*) = nullptr;
};
NumPy numpy_api;

// Imports NumPy when first needed.
const NumPy& numpy() {
  if (numpy_api.array) return numpy_api;
  Ref module = checked(PyImport_ImportModule("numpy"));
  Ref inner = checked(PyImport_ImportModule("numpy._core._multiarray_umath"));
  Ref capsule = checked(PyObject_GetAttrString(inner.get(), "_ARRAY_API"));
  void** table = static_cast<void**>(PyCapsule_GetPointer(capsule.get(), nullptr));
  if (!table) throw_python_error();
  numpy_api.make = reinterpret_cast<decltype(numpy_api.make)>(table[93]);
  numpy_api.set_base = reinterpret_cast<decltype(numpy_api.set_base)>(table[282]);
  numpy_api.module = module.release();
  numpy_api.array = static_cast<PyTypeObject*>(table[2]);
  return numpy_api;
}

const ArrayObject* as_array(PyObject* o) { return reinterpret_cast<const ArrayObject*>(o); }

Dtype dtype_of_array(PyObject* array) {
  auto* d = reinterpret_cast<const DescrObject*>(as_array(array)->descr);
  int n = d->type_num == 9 ? 7 : d->type_num == 10 ? 8 : d->type_num;  // long long is long
  for (int i = 0; i < kComputeDtypes; ++i)
    if (kTypeNums[i] == n) return Dtype(i);
  Ref name = checked(PyObject_GetAttrString(as_array(array)->descr, "name"));
  const char* text = PyUnicode_AsUTF8(name.get());
  KG_FAIL(
      type, "can't convert np.ndarray of type numpy.", text ? text : "?",
      "_. The only supported types "
      "are: float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, "
      "uint32, uint16, uint8, and bool.");
}

void release_object(Storage* s) { Py_DECREF(static_cast<PyObject*>(s->context)); }

// A tensor whose storage is [low, high) of foreign memory that `owner` (a new reference) keeps
// alive.
Tensor on_memory(char* data, Ints sizes, Ints strides, Dtype dtype, bool read_only,
                 PyObject* owner) {
  int64_t last = 0, size = itemsize(dtype);
  bool any = true;
  for (int64_t d = 0; d < sizes.n; ++d) {
    any = any && sizes[d] > 0;
    last += (sizes[d] - 1) * strides[d];
  }
  Storage* s =
      Storage::wrap(data, any ? size_t((last + 1) * size) : 0, Device{}, release_object, owner);
  s->read_only = read_only;
  s->resizable = false;
  s->exported_writable = !read_only;
  Tensor t = Tensor::steal(impl::make());
  t->dtype = dtype;
  impl::set_geometry(t.get(), sizes, strides);
  impl::set_storage(t.get(), s, 0);
  s->release();
  return t;
}

}  // namespace

bool is_ndarray(PyObject* o) {
  if (numpy_api.array) return PyObject_TypeCheck(o, numpy_api.array);
  // An array can only exist when NumPy is loaded; its class says so itself.
  if (std::string_view(Py_TYPE(o)->tp_name) != "numpy.ndarray") {
    Ref modules = Ref::borrow(PyImport_GetModuleDict());
    if (!PyDict_GetItemString(modules.get(), "numpy")) return false;
  }
  return PyObject_TypeCheck(o, numpy().array);
}

int array_ndim(PyObject* array) { return as_array(array)->ndim; }

Tensor from_ndarray(PyObject* array, bool warn_read_only) {
  const ArrayObject* a = as_array(array);
  bool read_only = !(a->flags & kWriteable);
  if (read_only && warn_read_only) {
    static bool warned = false;
    if (!warned)
      warn(
          "The given NumPy array is not writable. Writing to a tensor on its memory is refused: "
          "copy the "
          "array first, or use kagari.tensor(array), which copies. This type of warning will be "
          "suppressed "
          "for the rest of this program.");
    warned = true;
  }
  Dtype dtype = dtype_of_array(array);
  int64_t size = itemsize(dtype);
  auto* descr = reinterpret_cast<const DescrObject*>(a->descr);
  KG_CHECK_VALUE(descr->byteorder != '>',
                 "given numpy array has byte order different from the native byte "
                 "order. Conversion between byte orders is currently not supported.");
  KG_CHECK(a->ndim <= kMaxDims, "tensors have at most ", kMaxDims, " dimensions, got ", a->ndim);
  Dims sizes(a->ndim), strides(a->ndim);
  for (int d = 0; d < a->ndim; ++d) {
    sizes[d] = a->sizes[d];
    KG_CHECK_VALUE(
        a->strides[d] >= 0 || sizes[d] < 2,
        "At least one stride in the given numpy array is negative, and tensors with negative "
        "strides are not currently supported. (You can probably work around this by making a "
        "copy of your array  with array.copy().) ");
    KG_CHECK_VALUE(a->strides[d] % size == 0,
                   "given numpy array strides not a multiple of the element byte "
                   "size. Copy the numpy array to reallocate the memory.");
    strides[d] = std::max<int64_t>(a->strides[d] / size, 0);
  }
  KG_CHECK_VALUE(
      reinterpret_cast<uintptr_t>(a->data) % uintptr_t(std::min<int64_t>(size, 8)) == 0,
      "given numpy array is not aligned to its element size. Copy the numpy array to reallocate "
      "the memory.");
  return on_memory(a->data, sizes, strides, dtype, read_only, Py_NewRef(array));
}

Ref as_ndarray(PyObject* o) {
  Ref array = checked(PyObject_CallMethod(numpy().module, "asarray", "O", o));
  bool odd = !(as_array(array.get())->flags & kAligned) ||
             reinterpret_cast<const DescrObject*>(as_array(array.get())->descr)->byteorder == '>';
  for (int d = 0; d < as_array(array.get())->ndim; ++d) {
    Py_ssize_t stride = as_array(array.get())->strides[d];
    odd = odd || stride < 0 || stride % itemsize(dtype_of_array(array.get())) != 0;
  }
  if (!odd) return array;
  Ref descr = Ref::borrow(as_array(array.get())->descr);
  Ref native = checked(PyObject_CallMethod(descr.get(), "newbyteorder", "s", "="));
  return checked(PyObject_CallMethod(array.get(), "astype", "O", native.get()));
}

namespace {

// ---- To NumPy -----------------------------------------------------------------------------------

PyObject* to_ndarray(PyObject* self) {
  TensorImpl* t = as_impl(self);
  KG_CHECK_TYPE(
      t->device.is_cpu(), "can't convert ", t->device,
      " device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.");
  KG_CHECK(!(t->is(kRequiresGrad)),
           "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  int num = int(t->dtype) < kComputeDtypes ? kTypeNums[int(t->dtype)] : -1;
  KG_CHECK_TYPE(num >= 0, "Got unsupported ScalarType ", t->dtype,
                "; NumPy has no such dtype, convert with "
                ".float() first");
  const NumPy& np = numpy();
  Py_ssize_t sizes[kMaxDims], strides[kMaxDims];
  for (int d = 0; d < t->ndim; ++d) {
    sizes[d] = t->sizes[d];
    strides[d] = t->strides()[d] * itemsize(t->dtype);
  }
  bool read_only = t->storage && t->storage->read_only;
  Ref array = checked(np.make(np.array, t->ndim, sizes, num, t->data ? strides : nullptr, t->data,
                              0, kAligned | (read_only ? 0 : kWriteable), nullptr));
  if (t->data) {
    t->storage->exported_writable = !read_only || t->storage->exported_writable;
    t->storage->resizable = false;
    if (np.set_base(array.get(), Py_NewRef(self)) < 0) throw_python_error();
  }
  return array.release();
}

PyObject* tensor_numpy(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  KG_OVERRIDE("numpy");
  static const char* const names[] = {"force"};
  Bound<1> a(names, 0, args, nargs, kwnames, 0);
  if (a[0] && PyObject_IsTrue(a[0]) == 1)
    return to_ndarray(to(tape::detach(as_tensor(self)), as_impl(self)->dtype, Device{}).object());
  return to_ndarray(self);
  KG_BIND_CATCH("numpy", nullptr)
}

PyObject* tensor_array(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  KG_OVERRIDE("__array__");
  static const char* const names[] = {"dtype", "copy"};
  Bound<2> a(names, 0, args, nargs, kwnames);
  Ref array = checked(to_ndarray(self));
  bool must = a[1] == Py_True, never = a[1] == Py_False;
  if (!a.given(0) && !must) return array.release();
  Ref dtype = a.given(0) ? Ref::borrow(a[0]) : Ref::borrow(as_array(array.get())->descr);
  Ref keywords = checked(Py_BuildValue("{s:O}", "copy", must ? Py_True : Py_False));
  Ref astype = checked(PyObject_GetAttrString(array.get(), "astype"));
  Ref one = checked(PyTuple_Pack(1, dtype.get()));
  Ref made = checked(PyObject_Call(astype.get(), one.get(), keywords.get()));
  KG_CHECK_VALUE(!never || made.get() == array.get(),
                 "Unable to avoid copy while creating an array as requested.");
  return made.release();
  KG_BIND_CATCH("__array__", nullptr)
}

// What NumPy's functions computed from a tensor becomes a tensor again.
PyObject* tensor_array_wrap(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                            PyObject* kwnames) {
  KG_BIND_TRY
  KG_OVERRIDE("__array_wrap__");
  static const char* const names[] = {"array", "context", "return_scalar"};
  Bound<3> a(names, 1, args, nargs, kwnames);
  Ref array = is_ndarray(a[0]) ? Ref::borrow(a[0]) : as_ndarray(a[0]);
  return wrap(from_ndarray(array.get()));
  KG_BIND_CATCH("__array_wrap__", nullptr)
}

// ---- The buffer protocol ------------------------------------------------------------------------

constexpr const char* kFormats[kComputeDtypes] = {"?", "B", "b",     "h", "i", "q",  "H", "I",
                                                  "Q", "e", nullptr, "f", "d", "Zf", "Zd"};

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  KG_BIND_TRY
  TensorImpl* t = as_impl(self);
  const char* format = int(t->dtype) < kComputeDtypes ? kFormats[int(t->dtype)] : nullptr;
  const char* why = nullptr;
  bool read_only = t->storage && t->storage->read_only;
  if (!is_tensor_exact(self) && type_overrides(Py_TYPE(self)))
    why = "a subclass with __torch_function__ has no buffer";
  else if (t->is(kSparse))
    why = "a sparse tensor has no buffer; call .to_dense() first";
  else if (!t->device.is_cpu())
    why = "only memory of the host has a buffer; call .cpu() first";
  else if (t->is(kRequiresGrad))
    why = "a tensor that requires grad has no buffer; call .detach() first";
  else if (!format)
    why = "the dtype has no buffer format; convert with .float() first";
  else if (read_only && (flags & PyBUF_WRITABLE))
    why = "the memory is read-only";
  else if (!t->is(kContiguous) && (flags & PyBUF_STRIDES) != PyBUF_STRIDES)
    why = "the tensor is not contiguous";
  else if (!t->is(kContiguous) && ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS ||
                                   (flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS))
    why = "the tensor is not contiguous";
  if (why) {
    PyErr_Format(PyExc_BufferError, "Tensor: %s", why);
    return -1;
  }
  auto* shape =
      static_cast<Py_ssize_t*>(PyMem_Malloc(sizeof(Py_ssize_t) * size_t(2 * t->ndim + 1)));
  if (!shape) {
    PyErr_NoMemory();
    return -1;
  }
  Py_ssize_t size = itemsize(t->dtype);
  for (int d = 0; d < t->ndim; ++d) {
    shape[d] = t->sizes[d];
    shape[t->ndim + d] = t->strides()[d] * size;
  }
  static char nothing[16];
  view->buf = t->data ? t->data : nothing;
  view->obj = Py_NewRef(self);
  view->len = t->numel * size;
  view->itemsize = size;
  view->readonly = read_only;
  view->ndim = t->ndim;
  view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format) : nullptr;
  view->shape = flags & PyBUF_ND ? shape : nullptr;
  view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? shape + t->ndim : nullptr;
  view->suboffsets = nullptr;
  view->internal = shape;
  if (t->storage) {
    t->storage->exported_writable = t->storage->exported_writable || !read_only;
    t->storage->resizable = false;
  }
  return 0;
  KG_BIND_CATCH("Tensor", -1)
}
void release_buffer(PyObject*, Py_buffer* view) { PyMem_Free(view->internal); }

PyBufferProcs buffer_procs = {get_buffer, release_buffer};

void release_view(Storage* s) {
  auto* view = static_cast<Py_buffer*>(s->context);
  PyBuffer_Release(view);
  delete view;
}

// ---- DLPack -------------------------------------------------------------------------------------
// The exchange structures of DLPack 1.0 (https://dmlc.github.io/dlpack); the older, unversioned
// capsule differs in the managing record only.

struct DLDevice {
  int32_t type;  // 1: CPU
  int32_t id;
};
struct DLDataType {
  uint8_t code;  // 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool
  uint8_t bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
};
struct DLManaged {
  DLTensor tensor;
  void* context;
  void (*deleter)(DLManaged*);
};
struct DLManagedVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DLManagedVersioned*);
  uint64_t flags;  // 1: read-only, 2: is a copy
  DLTensor tensor;
};
constexpr uint64_t kReadOnly = 1, kCopied = 2;

DLDataType dl_dtype(Dtype d) {
  uint8_t bits = uint8_t(itemsize(d) * 8);
  if (d == Dtype::boolean) return {6, 8, 1};
  if (d == Dtype::bf16) return {4, 16, 1};
  if (is_complex(d)) return {5, bits, 1};
  if (is_integral(d)) return {uint8_t(is_signed(d) ? 0 : 1), bits, 1};
  KG_CHECK_AS(type, is_floating(d) && !is_storage_only(d), d,
              " has no DLPack dtype; convert with .float() first");
  return {2, bits, 1};
}
Dtype from_dl_dtype(DLDataType d) {
  KG_CHECK(d.lanes == 1, "expected a DLPack dtype of one lane, got ", d.lanes);
  for (int i = 0; i <= int(Dtype::c128); ++i) {
    DLDataType own = dl_dtype(Dtype(i));
    if (own.code == d.code && own.bits == d.bits) return Dtype(i);
  }
  KG_FAIL(runtime, "unsupported DLPack dtype: code ", int(d.code), ", ", int(d.bits), " bits");
}

// One record for both forms: the tensor it keeps alive and room for the geometry.
template <class M>
struct Export {
  M managed;
  PyObject* tensor;
  int64_t geometry[2 * kMaxDims];
};
template <class M>
void drop_export(M* m) {
  auto* e = static_cast<Export<M>*>(m->context);
  PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(e->tensor);
  PyGILState_Release(state);
  delete e;
}
template <class M>
M* make_export(const Tensor& t) {
  DLDataType dtype = dl_dtype(t.dtype());
  auto* e = new Export<M>{};
  e->tensor = Py_NewRef(t.object());
  for (int64_t d = 0; d < t.dim(); ++d) {
    e->geometry[d] = t.sizes()[d];
    e->geometry[t.dim() + d] = t.sizes()[d] == 1 ? 1 : t.strides()[d];
  }
  e->managed.tensor = {
      t.data(), {1, 0}, int32_t(t.dim()), dtype, e->geometry, e->geometry + t.dim(), 0};
  e->managed.context = e;
  e->managed.deleter = drop_export<M>;
  return &e->managed;
}
template <class M>
void drop_capsule(PyObject* capsule) {
  constexpr const char* name = std::is_same_v<M, DLManaged> ? "dltensor" : "dltensor_versioned";
  if (!PyCapsule_IsValid(capsule, name)) return;  // a consumer took it over and renamed it
  auto* m = static_cast<M*>(PyCapsule_GetPointer(capsule, name));
  if (m->deleter) m->deleter(m);
}

PyObject* tensor_dlpack(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                        PyObject* kwnames) {
  KG_BIND_TRY
  KG_OVERRIDE("__dlpack__");
  static const char* const names[] = {"stream", "max_version", "dl_device", "copy"};
  Bound<4> a(names, 0, args, nargs, kwnames, 0);
  Tensor t = as_tensor(self);
  const char* why = nullptr;
  if (t.requires_grad())
    why = "Can't export tensors that require gradient, use tensor.detach()";
  else if (!t.device().is_cpu())
    why = "Can't export tensors that have no memory on the host";
  if (why) {
    PyErr_SetString(PyExc_BufferError, why);
    return nullptr;
  }
  if (a.given(0)) {
    int64_t stream = 0;
    KG_CHECK_TYPE(to_int(a[0], stream), "stream must be int or none");
    KG_CHECK(stream == -1, "a CPU tensor has no stream, expected None, got ", stream);
  }
  if (a.given(2)) {
    Dims device;
    KG_CHECK_TYPE(to_dims(a[2], device) && device.size() == 2,
                  "dl_device must be a tuple of two ints");
    if (device[0] != 1) {
      PyErr_SetString(PyExc_BufferError,
                      "Can't export a CPU tensor to another device; move it first");
      return nullptr;
    }
  }
  bool copied = a[3] == Py_True;
  if (copied) t = clone(t);
  bool versioned = false;
  if (a.given(1)) {
    Dims version;
    KG_CHECK_TYPE(to_dims(a[1], version) && version.size() >= 1,
                  "max_version must be a tuple of two ints");
    versioned = version[0] >= 1;
  }
  bool read_only = t->storage->read_only;
  if (!versioned && read_only) {
    PyErr_SetString(PyExc_BufferError,
                    "Can't export read-only memory without DLPack 1.0; pass max_version=(1, 0)");
    return nullptr;
  }
  t->storage->exported_writable = t->storage->exported_writable || !read_only;
  t->storage->resizable = false;
  if (!versioned) {
    DLManaged* m = make_export<DLManaged>(t);
    PyObject* capsule = PyCapsule_New(m, "dltensor", drop_capsule<DLManaged>);
    if (!capsule) m->deleter(m);
    return capsule;
  }
  auto* m = make_export<DLManagedVersioned>(t);
  m->major = 1;
  m->minor = 0;
  m->flags = (read_only ? kReadOnly : 0) | (copied ? kCopied : 0);
  PyObject* capsule = PyCapsule_New(m, "dltensor_versioned", drop_capsule<DLManagedVersioned>);
  if (!capsule) m->deleter(m);
  return capsule;
  KG_BIND_CATCH("__dlpack__", nullptr)
}
PyObject* tensor_dlpack_device(PyObject* self, PyObject*) {
  KG_BIND_TRY
  KG_OVERRIDE0("__dlpack_device__");
  KG_CHECK_VALUE(as_impl(self)->device.is_cpu(), "Unknown device type ", as_impl(self)->device,
                 " for Dlpack");
  return Py_BuildValue("(ii)", 1, 0);
  KG_BIND_CATCH("__dlpack_device__", nullptr)
}

template <class M>
void release_managed(Storage* s) {
  auto* m = static_cast<M*>(s->context);
  if (m->deleter) m->deleter(m);
}
template <class M>
Tensor import_managed(M* m, bool read_only) {
  const DLTensor& d = m->tensor;
  KG_CHECK(d.device.type == 1,
           "expected memory of the host (DLPack device type 1), got device type ", d.device.type);
  KG_CHECK(d.ndim >= 0 && d.ndim <= kMaxDims, "expected at most ", kMaxDims, " dimensions, got ",
           d.ndim);
  Dtype dtype = from_dl_dtype(d.dtype);
  Ints sizes(d.shape, d.ndim);
  Dims strides = d.strides ? Dims(Ints(d.strides, d.ndim)) : contiguous_strides(sizes);
  int64_t last = 0;
  bool any = checked_numel(sizes) > 0;
  for (int64_t i = 0; i < sizes.n; ++i) {
    KG_CHECK(strides[i] >= 0 || sizes[i] < 2, "expected strides that are not negative, got ",
             Ints(strides));
    strides[i] = std::max<int64_t>(strides[i], 0);
    last += (sizes[i] - 1) * strides[i];
  }
  char* data = static_cast<char*>(d.data) + d.byte_offset;
  KG_CHECK(
      !any ||
          reinterpret_cast<uintptr_t>(data) % uintptr_t(std::min<int64_t>(itemsize(dtype), 8)) == 0,
      "the memory is not aligned to the element size; copy it first");
  Storage* s = Storage::wrap(data, any ? size_t((last + 1) * itemsize(dtype)) : 0, Device{},
                             release_managed<M>, m);
  s->resizable = false;
  s->read_only = read_only;
  s->exported_writable = !read_only;
  Tensor t = Tensor::steal(impl::make());
  t->dtype = dtype;
  impl::set_geometry(t.get(), sizes, strides);
  impl::set_storage(t.get(), s, 0);
  s->release();
  return t;
}
Tensor import_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
    auto* m = static_cast<DLManagedVersioned*>(PyCapsule_GetPointer(capsule, "dltensor_versioned"));
    KG_CHECK(m->major == 1, "expected DLPack version 1, got ", m->major, ".", m->minor);
    Tensor t = import_managed(m, m->flags & kReadOnly);
    checked_status(PyCapsule_SetName(capsule, "used_dltensor_versioned"));
    return t;
  }
  KG_CHECK(PyCapsule_IsValid(capsule, "dltensor"),
           "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed "
           "only once, "
           "so you might have already constructed a tensor from it once.");
  Tensor t =
      import_managed(static_cast<DLManaged*>(PyCapsule_GetPointer(capsule, "dltensor")), false);
  checked_status(PyCapsule_SetName(capsule, "used_dltensor"));
  return t;
}

// ---- Lists --------------------------------------------------------------------------------------

template <class T>
PyObject* number(T v) {
  if constexpr (std::is_same_v<T, bool>)
    return Py_NewRef(v ? Py_True : Py_False);
  else if constexpr (std::is_same_v<T, uint64_t>)
    return PyLong_FromUnsignedLongLong(v);
  else if constexpr (std::is_integral_v<T>)
    return PyLong_FromLongLong(v);
  else if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>)
    return PyComplex_FromDoubles(v.real(), v.imag());
  else if constexpr (std::is_same_v<T, double>)
    return PyFloat_FromDouble(v);
  else
    return PyFloat_FromDouble(double(float(v)));
}
// What lies uninitialised in a tensor of bools may be any byte.
template <class T>
T element_at(const T* p) {
  if constexpr (std::is_same_v<T, bool>)
    return *reinterpret_cast<const uint8_t*>(p) != 0;
  else
    return *p;
}
template <class T>
Ref nested(const TensorImpl* t, int dim, const T* at) {
  if (dim == t->ndim) return checked(number(element_at(at)));
  int64_t n = t->sizes[dim], stride = t->strides()[dim];
  Ref list = checked(PyList_New(n));
  for (int64_t i = 0; i < n; ++i) {
    PyObject* element = dim + 1 == t->ndim ? number(element_at(at + i * stride))
                                           : nested(t, dim + 1, at + i * stride).release();
    if (!element) throw_python_error();
    PyList_SET_ITEM(list.get(), i, element);
  }
  return list;
}

}  // namespace

PyBufferProcs* const tensor_buffer = &buffer_procs;

PyObject* tensor_tolist(PyObject* self, PyObject*) {
  KG_BIND_TRY
  KG_OVERRIDE0("tolist");
  TensorImpl* t = as_impl(self);
  KG_CHECK_IMPLEMENTED(!t->device.is_meta(), "Cannot copy out of meta tensor; no data!");
  if (is_storage_only(t->dtype)) {
    Tensor wide =
        to_dtype(tape::detach(as_tensor(self)), t->dtype == Dtype::c32 ? Dtype::c64 : Dtype::f32);
    return tensor_tolist(wide.object(), nullptr);
  }
  return visit(t->dtype, [&]<class T>() {
    return nested(t, 0, reinterpret_cast<const T*>(t->data)).release();
  });
  KG_BIND_CATCH("tolist", nullptr)
}

Tensor from_dlpack(PyObject* source, PyObject* device, PyObject* copy) {
  if (PyCapsule_CheckExact(source)) return import_capsule(source);
  Ref place = Ref::steal(PyObject_CallMethod(source, "__dlpack_device__", nullptr));
  if (!place) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw_python_error();
    PyErr_Clear();
    KG_FAIL(runtime, "expected a DLPack capsule or an object with __dlpack__, got ",
            describe_object(source));
  }
  Ref method = checked(PyObject_GetAttrString(source, "__dlpack__"));
  Ref keywords = checked(PyDict_New());
  Ref version = checked(Py_BuildValue("(ii)", 1, 0));
  checked_status(PyDict_SetItemString(keywords.get(), "max_version", version.get()));
  if (copy && copy != Py_None) checked_status(PyDict_SetItemString(keywords.get(), "copy", copy));
  if (device && device != Py_None) {
    Device d;
    KG_CHECK_TYPE(to_device(device, d), "argument 'device' must be kagari.device, not ",
                  describe_object(device));
    KG_CHECK_IMPLEMENTED(d.is_cpu(), "expected the CPU as device, got ", d);
    Ref pair = checked(Py_BuildValue("(ii)", 1, 0));
    checked_status(PyDict_SetItemString(keywords.get(), "dl_device", pair.get()));
  }
  Ref none = checked(PyTuple_New(0));
  Ref capsule = Ref::steal(PyObject_Call(method.get(), none.get(), keywords.get()));
  if (!capsule) {  // from before DLPack 1.0: it takes no such arguments
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw_python_error();
    PyErr_Clear();
    capsule = checked(PyObject_CallNoArgs(method.get()));
    Tensor t = import_capsule(capsule.get());
    return copy == Py_True ? clone(t) : t;
  }
  return import_capsule(capsule.get());
}

Tensor from_buffer(PyObject* source, Dtype dtype, int64_t count, int64_t offset,
                   bool warn_read_only) {
  auto view = std::make_unique<Py_buffer>();
  bool read_only = false;
  if (PyObject_GetBuffer(source, view.get(), PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    checked_status(PyObject_GetBuffer(source, view.get(), PyBUF_SIMPLE));
    read_only = true;
  }
  int64_t size = itemsize(dtype), length = view->len;
  char* data = static_cast<char*>(view->buf);
  std::string fault;
  if (length <= 0 || count == 0) {
    fault = concat("both buffer length (", length, ") and count (", count, ") must not be 0");
  } else if (offset < 0 || offset >= length) {
    fault = concat("offset (", offset,
                   " bytes) must be non-negative and no greater than buffer length (", length,
                   " bytes) minus 1");
  } else if (count < 0 && (length - offset) % size != 0) {
    fault = concat("buffer length (", length - offset, " bytes) after offset (", offset,
                   " bytes) must be a multiple of element size (", size, ")");
  } else if (count > 0 && count > (length - offset) / size) {
    fault =
        concat("requested buffer length (", count, " * ", size, " bytes) after offset (", offset,
               " bytes) must not be greater than actual buffer length (", length, " bytes)");
  } else if (reinterpret_cast<uintptr_t>(data + offset) % uintptr_t(std::min<int64_t>(size, 8)) !=
             0) {
    fault = concat("the buffer's memory after offset (", offset,
                   " bytes) is not aligned to the element size (", size, ")");
  }
  if (!fault.empty()) {
    PyBuffer_Release(view.get());
    KG_FAIL(value, fault);
  }
  data += offset;
  if (read_only && warn_read_only) {
    try {
      warn(
          "The given buffer is not writable. Writing to a tensor on its memory is refused: copy "
          "the buffer "
          "(for example into a bytearray) first.");
    } catch (...) {
      PyBuffer_Release(view.get());
      throw;
    }
  }
  int64_t n = count > 0 ? count : (length - offset) / size;
  Storage* s = Storage::wrap(data, size_t(n * size), Device{}, release_view, view.release());
  s->read_only = read_only;
  s->resizable = false;
  s->exported_writable = !read_only;
  Tensor t = Tensor::steal(impl::make());
  t->dtype = dtype;
  impl::set_sizes(t.get(), Ints{n});
  impl::set_storage(t.get(), s, 0);
  s->release();
  return t;
}

PyMethodDef interchange_methods[] = {
    {"numpy", as_function(tensor_numpy), METH_FASTCALL | METH_KEYWORDS,
     "numpy(*, force=False)\n--\n\nA NumPy array on the same memory."},
    {"__array__", as_function(tensor_array), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {"__array_wrap__", as_function(tensor_array_wrap), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {"__dlpack__", as_function(tensor_dlpack), METH_FASTCALL | METH_KEYWORDS,
     "A DLPack capsule on the same memory."},
    {"__dlpack_device__", tensor_dlpack_device, METH_NOARGS, "The DLPack device (type, number)."},
    {nullptr, nullptr, 0, nullptr}};

namespace {
PyObject* from_numpy_py(PyObject*, PyObject* array) {
  KG_BIND_TRY
  KG_CHECK_TYPE(is_ndarray(array), "expected np.ndarray (got ", Py_TYPE(array)->tp_name, ")");
  return wrap(from_ndarray(array));
  KG_BIND_CATCH("from_numpy", nullptr)
}
PyObject* from_dlpack_py(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  static const char* const names[] = {"ext_tensor", "device", "copy"};
  Bound<3> a(names, 1, args, nargs, kwnames, 1);
  return wrap(from_dlpack(a[0], a[1], a[2]));
  KG_BIND_CATCH("from_dlpack", nullptr)
}
PyObject* to_dlpack_py(PyObject*, PyObject* tensor) {
  KG_BIND_TRY
  KG_CHECK_TYPE(is_tensor(tensor), "expected a Tensor, got ", describe_object(tensor));
  return tensor_dlpack(tensor, nullptr, 0, nullptr);
  KG_BIND_CATCH("to_dlpack", nullptr)
}
PyObject* frombuffer_py(PyObject*, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  KG_BIND_TRY
  static const char* const names[] = {"buffer", "dtype", "count", "offset", "requires_grad"};
  Bound<5> a(names, 2, args, nargs, kwnames, 1);
  Dtype dtype;
  int64_t count = -1, offset = 0;
  KG_CHECK_TYPE(to_dtype(a[1], dtype), "argument 'dtype' must be kagari.dtype, not ",
                describe_object(a[1]));
  if (a.given(2))
    KG_CHECK_TYPE(to_int(a[2], count), "argument 'count' must be int, not ", describe_object(a[2]));
  if (a.given(3))
    KG_CHECK_TYPE(to_int(a[3], offset), "argument 'offset' must be int, not ",
                  describe_object(a[3]));
  KG_CHECK_VALUE(PyObject_CheckBuffer(a[0]), "object does not implement Python buffer protocol.");
  Tensor t = from_buffer(a[0], dtype, count, offset, true);
  if (a.given(4)) tape::set_requires_grad(t.get(), PyObject_IsTrue(a[4]) == 1);
  return wrap(std::move(t));
  KG_BIND_CATCH("frombuffer", nullptr)
}
PyMethodDef functions[] = {
    {"from_numpy", from_numpy_py, METH_O,
     "from_numpy($module, ndarray, /)\n--\n\nA tensor on the memory of a NumPy array; both see "
     "each other's writes.\n\n"
     "    >>> import numpy\n    >>> kagari.from_numpy(numpy.array([1.0, 2.0]))\n    tensor([1., "
     "2.], dtype=kagari.float64)"},
    {"from_dlpack", as_function(from_dlpack_py), METH_FASTCALL | METH_KEYWORDS,
     "from_dlpack($module, ext_tensor, *, device=None, copy=None)\n--\n\nA tensor on the memory of "
     "another library's array.\n"
     "\n    >>> import numpy\n    >>> kagari.from_dlpack(numpy.array([1, 2]))\n    tensor([1, 2])"},
    {"to_dlpack", to_dlpack_py, METH_O,
     "to_dlpack($module, tensor, /)\n--\n\nA DLPack capsule on the tensor's memory.\n"
     "\n    >>> x = kagari.ones(2)\n    >>> kagari.from_dlpack(kagari.to_dlpack(x)).data_ptr() == "
     "x.data_ptr()\n    True"},
    {"frombuffer", as_function(frombuffer_py), METH_FASTCALL | METH_KEYWORDS,
     "frombuffer($module, buffer, *, dtype, count=-1, offset=0, requires_grad=False)\n--\n\n"
     "A 1-d tensor on the memory of a buffer.\n\n    >>> kagari.frombuffer(bytearray(b'ab'), "
     "dtype=kagari.uint8)\n"
     "    tensor([97, 98], dtype=kagari.uint8)"},
    {nullptr, nullptr, 0, nullptr}};
}  // namespace

void init_interchange(PyObject* module) { add_functions(module, functions); }

}  // namespace kagari
