// Methods of kagari.Tensor that are no ops: geometry, conversion, storage, subclasses.
#include "bind/tensor_type.h"

#include <sys/mman.h>

#include "core/geometry.h"
#include "ops/creation.h"
#include "ops/views.h"

namespace kagari {

namespace {

TensorImpl* impl_of(PyObject* self) { return as_impl(self); }
Ints sizes_of(const TensorImpl* t) { return {t->sizes, t->ndim}; }
Ints strides_of(const TensorImpl* t) { return {t->strides(), t->ndim}; }
constexpr int kFast = METH_FASTCALL | METH_KEYWORDS;

#define KG_METHOD(function) \
  PyObject* function(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames)
// A method without arguments; the body sees `t`.
#define KG_PLAIN(name, ...)                            \
  PyObject* tensor_##name(PyObject* self, PyObject*) { \
    KG_BIND_TRY                                        \
    KG_OVERRIDE0(#name);                               \
    [[maybe_unused]] TensorImpl* t = impl_of(self);    \
    __VA_ARGS__;                                       \
    KG_BIND_CATCH(#name, nullptr)                      \
  }
// The same for what does not depend on the layout.
#define KG_PLAIN_FACT(name, ...)                       \
  PyObject* tensor_##name(PyObject* self, PyObject*) { \
    KG_BIND_TRY                                        \
    KG_FACT_OVERRIDE0(#name);                          \
    [[maybe_unused]] TensorImpl* t = impl_of(self);    \
    __VA_ARGS__;                                       \
    KG_BIND_CATCH(#name, nullptr)                      \
  }

// ---- Geometry -----------------------------------------------------------------------------------

PyObject* size_or_stride(PyObject* self, const char* name, PyObject* const* args, Py_ssize_t nargs,
                         PyObject* kwnames, const int64_t* values, bool as_size) {
  TensorImpl* t = impl_of(self);
  static const char* const names[] = {"dim"};
  Bound<1> a(names, 0, args, nargs, kwnames);
  if (!a.given(0)) return as_size ? wrap_size({values, t->ndim}) : wrap_ints({values, t->ndim});
  int64_t dim = 0;
  KG_CHECK_TYPE(to_int(a[0], dim), "argument 'dim' must be int, not ", describe_object(a[0]));
  KG_CHECK_INDEX(t->ndim > 0, "Dimension specified as ", dim, " but tensor has no dimensions");
  (void)name;
  return PyLong_FromLongLong(values[wrap_dim(dim, t->ndim)]);
}
KG_METHOD(tensor_size) {
  KG_BIND_TRY
  KG_FACT_OVERRIDE("size");
  return size_or_stride(self, "size", args, nargs, kwnames, impl_of(self)->sizes, true);
  KG_BIND_CATCH("size", nullptr)
}
KG_METHOD(tensor_stride) {
  KG_BIND_TRY
  KG_OVERRIDE("stride");
  return size_or_stride(self, "stride", args, nargs, kwnames, impl_of(self)->strides(), false);
  KG_BIND_CATCH("stride", nullptr)
}
KG_PLAIN_FACT(dim, return PyLong_FromLong(t->ndim))
KG_PLAIN_FACT(numel, return PyLong_FromLongLong(t->numel))
KG_PLAIN(storage_offset, return PyLong_FromLongLong(t->offset))
KG_PLAIN_FACT(element_size, return PyLong_FromLongLong(itemsize(t->dtype)))
KG_PLAIN_FACT(is_floating_point, return PyBool_FromLong(is_floating(t->dtype)))
KG_PLAIN_FACT(is_complex, return PyBool_FromLong(is_complex(t->dtype)))
KG_PLAIN_FACT(is_signed, return PyBool_FromLong(is_signed(t->dtype)))
KG_PLAIN_FACT(is_conj, Py_RETURN_FALSE)
KG_PLAIN_FACT(is_neg, Py_RETURN_FALSE)
KG_PLAIN_FACT(is_pinned, Py_RETURN_FALSE)
KG_PLAIN_FACT(is_shared, return PyBool_FromLong(t->storage && t->storage->shared))
KG_PLAIN_FACT(get_device,
              return PyLong_FromLong(t->device.is_cpu() || t->device.is_meta() ? -1
                                                                               : t->device.index))
KG_PLAIN(data_ptr, {
  if (t->storage) t->storage->exported_writable = true;
  return PyLong_FromVoidPtr(t->numel ? t->data : nullptr);
})
KG_PLAIN(const_data_ptr, return PyLong_FromVoidPtr(t->numel ? t->data : nullptr))
KG_PLAIN(item, return wrap(item(t)))
KG_PLAIN(is_nonzero, {
  KG_CHECK(t->numel == 1, "Boolean value of Tensor with ",
           t->numel == 0 ? "no values" : "more than one value", " is ambiguous");
  return PyBool_FromLong(item(t).to_bool());
})
KG_PLAIN_FACT(detach, {
  if (is_tensor_exact(self) || !type_overrides(Py_TYPE(self)))
    return wrap(tape::detach(as_tensor(self)));
  return as_type(tape::detach(as_tensor(self)), Py_TYPE(self));
})
KG_PLAIN_FACT(resolve_conj, return Py_NewRef(self))
KG_PLAIN_FACT(resolve_neg, return Py_NewRef(self))

MemoryFormat format_argument(PyObject* o, MemoryFormat otherwise) {
  if (!o || o == Py_None) return otherwise;
  MemoryFormat f;
  KG_CHECK_TYPE(to_memory_format(o, f),
                "argument 'memory_format' must be kagari.memory_format, not ", describe_object(o));
  return f;
}
KG_METHOD(tensor_is_contiguous) {
  KG_BIND_TRY
  KG_OVERRIDE("is_contiguous");
  static const char* const names[] = {"memory_format"};
  Bound<1> a(names, 0, args, nargs, kwnames);
  return PyBool_FromLong(
      is_contiguous_as(impl_of(self), format_argument(a[0], MemoryFormat::contiguous)));
  KG_BIND_CATCH("is_contiguous", nullptr)
}
KG_METHOD(tensor_contiguous) {
  KG_BIND_TRY
  KG_OVERRIDE("contiguous");
  static const char* const names[] = {"memory_format"};
  Bound<1> a(names, 0, args, nargs, kwnames);
  MemoryFormat f = format_argument(a[0], MemoryFormat::contiguous);
  if (f != MemoryFormat::preserve && is_contiguous_as(impl_of(self), f)) return Py_NewRef(self);
  return wrap(contiguous(as_tensor(self), f));
  KG_BIND_CATCH("contiguous", nullptr)
}

const Tensor other_tensor(PyObject* o) {
  KG_CHECK_TYPE(is_tensor(o), "argument 'other' must be Tensor, not ", describe_object(o));
  return as_tensor(o);
}
bool overridden(PyObject* self, PyObject* other) {
  return needs_override(self) || (other && is_tensor(other) && needs_override(other));
}
#define KG_AS_OTHER(name, row)                                                             \
  KG_METHOD(tensor_##name) {                                                               \
    KG_BIND_TRY                                                                            \
    static const char* const names[] = {"other"};                                          \
    Bound<1> a(names, 1, args, nargs, kwnames);                                            \
    if (overridden(self, a[0])) return override_method(#name, self, args, nargs, kwnames); \
    return wrap(call(rows::row, as_tensor(self), other_tensor(a[0]).sizes()));             \
    KG_BIND_CATCH(#name, nullptr)                                                          \
  }
KG_AS_OTHER(view_as, view)
KG_AS_OTHER(reshape_as, reshape)
KG_AS_OTHER(expand_as, expand)

PyObject* tensor_is_same_size(PyObject* self, PyObject* other) {
  KG_BIND_TRY
  if (fact_needs_override(self) || (is_tensor(other) && fact_needs_override(other)))
    return override_method("is_same_size", self, &other, 1, nullptr);
  return PyBool_FromLong(sizes_of(impl_of(self)) == other_tensor(other).sizes());
  KG_BIND_CATCH("is_same_size", nullptr)
}
PyObject* tensor_is_set_to(PyObject* self, PyObject* other) {
  KG_BIND_TRY
  if (overridden(self, other)) return override_method("is_set_to", self, &other, 1, nullptr);
  Tensor o = other_tensor(other);
  TensorImpl* t = impl_of(self);
  return PyBool_FromLong(t->storage == o->storage && t->offset == o->offset &&
                         sizes_of(t) == o.sizes() && strides_of(t) == o.strides());
  KG_BIND_CATCH("is_set_to", nullptr)
}

// The dimensions from the one with the largest stride to the one with the smallest.
KG_METHOD(tensor_dim_order) {
  KG_BIND_TRY
  KG_OVERRIDE("dim_order");
  static const char* const names[] = {"ambiguity_check"};
  Bound<1> a(names, 0, args, nargs, kwnames, 0);
  TensorImpl* t = impl_of(self);
  Dims order(t->ndim);
  for (int d = 0; d < t->ndim; ++d) order[d] = d;
  const int64_t* s = t->strides();
  std::stable_sort(order.begin(), order.end(), [&](int64_t x, int64_t y) {
    return s[x] != s[y] ? s[x] > s[y] : t->sizes[x] > t->sizes[y] && t->sizes[y] == 1;
  });
  if (a[0] && PyObject_IsTrue(a[0]) == 1) {
    for (int d = 1; d < t->ndim; ++d)
      KG_CHECK(s[order[d]] != s[order[d - 1]],
               "The tensor does not have unique dim order, or cannot map "
               "to exact one of the given memory formats.");
  }
  return wrap_ints(order);
  KG_BIND_CATCH("dim_order", nullptr)
}

// ---- Conversion ---------------------------------------------------------------------------------

// What converts a subclass with __torch_function__ disabled (Parameter) gives a plain tensor,
// unless nothing changes.
PyObject* converted(PyObject* self, Dtype dtype, Device device, bool copy, MemoryFormat format) {
  return wrap(to(as_tensor(self), dtype, device, copy, format));
}
bool flag(PyObject* o, const char* name) {
  if (!o || o == Py_None) return false;
  KG_CHECK_TYPE(PyBool_Check(o), "argument '", name, "' must be bool, not ", describe_object(o));
  return o == Py_True;
}
Dtype dtype_argument(PyObject* o, Dtype otherwise) {
  if (!o || o == Py_None) return otherwise;
  Dtype d;
  KG_CHECK_TYPE(to_dtype(o, d), "argument 'dtype' must be kagari.dtype, not ", describe_object(o));
  return d;
}
Device device_argument(PyObject* o, Device otherwise) {
  if (!o || o == Py_None) return otherwise;
  Device d;
  KG_CHECK_TYPE(to_device(o, d), "argument 'device' must be kagari.device, not ",
                describe_object(o));
  if (d.is_cpu() || d.is_meta()) d.index = -1;
  return d;
}

KG_METHOD(tensor_to) {
  KG_BIND_TRY
  KG_OVERRIDE("to");
  TensorImpl* t = impl_of(self);
  PyObject* first = nargs ? args[0] : nullptr;
  bool by_other = first && is_tensor(first);
  if (!first && kwnames)
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(kwnames); ++k)
      by_other =
          by_other || PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, k), "other") == 0;
  Dtype d;
  if (by_other) {
    static const char* const names[] = {"other", "non_blocking", "copy", "memory_format"};
    Bound<4> a(names, 1, args, nargs, kwnames, 3);
    Tensor o = other_tensor(a[0]);
    flag(a[1], "non_blocking");
    return converted(self, o.dtype(), o.device(), flag(a[2], "copy"),
                     format_argument(a[3], MemoryFormat::preserve));
  }
  if (first && to_dtype(first, d)) {
    static const char* const names[] = {"dtype", "non_blocking", "copy", "memory_format"};
    Bound<4> a(names, 1, args, nargs, kwnames, 3);
    flag(a[1], "non_blocking");
    return converted(self, d, t->device, flag(a[2], "copy"),
                     format_argument(a[3], MemoryFormat::preserve));
  }
  static const char* const names[] = {"device", "dtype", "non_blocking", "copy", "memory_format"};
  Bound<5> a(names, 0, args, nargs, kwnames, 4);
  flag(a[2], "non_blocking");
  return converted(self, dtype_argument(a[1], t->dtype), device_argument(a[0], t->device),
                   flag(a[3], "copy"), format_argument(a[4], MemoryFormat::preserve));
  KG_BIND_CATCH("to", nullptr)
}

template <Dtype dtype>
PyObject* cast(const char* name, PyObject* self, PyObject* const* args, Py_ssize_t nargs,
               PyObject* kwnames) {
  KG_BIND_TRY
  KG_OVERRIDE(name);
  static const char* const names[] = {"memory_format"};
  Bound<1> a(names, 0, args, nargs, kwnames);
  return converted(self, dtype, impl_of(self)->device, false,
                   format_argument(a[0], MemoryFormat::preserve));
  KG_BIND_CATCH(name, nullptr)
}
#define KG_CAST(name, dtype) \
  KG_METHOD(tensor_##name) { return cast<Dtype::dtype>(#name, self, args, nargs, kwnames); }
KG_CAST(float, f32)
KG_CAST(double, f64)
KG_CAST(half, f16)
KG_CAST(bfloat16, bf16)
KG_CAST(int, i32)
KG_CAST(long, i64)
KG_CAST(short, i16)
KG_CAST(char, i8)
KG_CAST(byte, u8)
KG_CAST(bool, boolean)
KG_CAST(cfloat, c64)
KG_CAST(cdouble, c128)
KG_CAST(chalf, c32)

KG_METHOD(tensor_cpu) {
  KG_BIND_TRY
  KG_OVERRIDE("cpu");
  static const char* const names[] = {"memory_format"};
  Bound<1> a(names, 0, args, nargs, kwnames);
  return converted(self, impl_of(self)->dtype, Device{}, false,
                   format_argument(a[0], MemoryFormat::preserve));
  KG_BIND_CATCH("cpu", nullptr)
}
KG_METHOD(tensor_cuda) {
  KG_BIND_TRY
  KG_OVERRIDE("cuda");
  static const char* const names[] = {"device", "non_blocking", "memory_format"};
  Bound<3> a(names, 0, args, nargs, kwnames);
  return converted(self, impl_of(self)->dtype, device_argument(a[0], {DeviceType::cuda, -1}), false,
                   format_argument(a[2], MemoryFormat::preserve));
  KG_BIND_CATCH("cuda", nullptr)
}

constexpr const char* legacy_names[] = {"Bool",   "Byte",         "Char",          "Short",
                                        "Int",    "Long",         "UInt16",        "UInt32",
                                        "UInt64", "Half",         "BFloat16",      "Float",
                                        "Double", "ComplexFloat", "ComplexDouble", "ComplexHalf"};
Dtype legacy_dtype(std::string_view name) {
  if (name.starts_with("kagari.")) name.remove_prefix(7);
  if (name.starts_with("torch.")) name.remove_prefix(6);
  if (name.ends_with("Tensor")) {
    std::string_view stem = name.substr(0, name.size() - 6);
    if (stem.empty()) return default_dtype();
    for (int d = 0; d < int(std::size(legacy_names)); ++d)
      if (stem == legacy_names[d]) return Dtype(d);
  }
  return Dtype::undefined;
}
KG_METHOD(tensor_type_method) {
  KG_BIND_TRY
  KG_OVERRIDE("type");
  static const char* const names[] = {"dtype", "non_blocking"};
  Bound<2> a(names, 0, args, nargs, kwnames);
  TensorImpl* t = impl_of(self);
  if (!a.given(0)) {
    if (is_storage_only(t->dtype) && t->dtype != Dtype::c32)
      return PyUnicode_FromFormat("kagari.%sTensor", dtype_facts[int(t->dtype)].name);
    return PyUnicode_FromFormat("kagari.%sTensor", legacy_names[int(t->dtype)]);
  }
  Dtype d = Dtype::undefined;
  Ref name = Ref::borrow(a[0]);
  if (!PyUnicode_Check(a[0]) && !to_dtype(a[0], d)) {
    // A legacy type such as kagari.FloatTensor
    Ref own = Ref::steal(PyObject_GetAttrString(a[0], "dtype"));
    PyErr_Clear();
    KG_CHECK_TYPE(own && to_dtype(own.get(), d), "invalid type object: ", describe_object(a[0]));
  } else if (PyUnicode_Check(a[0])) {
    const char* text = PyUnicode_AsUTF8(a[0]);
    if (!text) throw_python_error();
    d = legacy_dtype(text);
    KG_CHECK_VALUE(d != Dtype::undefined, "invalid type: '", text, "'");
  }
  return converted(self, d, t->device, false, MemoryFormat::preserve);
  KG_BIND_CATCH("type", nullptr)
}
PyObject* tensor_type_as(PyObject* self, PyObject* other) {
  KG_BIND_TRY
  if (overridden(self, other)) return override_method("type_as", self, &other, 1, nullptr);
  Tensor o = other_tensor(other);
  return converted(self, o.dtype(), o.device(), false, MemoryFormat::preserve);
  KG_BIND_CATCH("type_as", nullptr)
}
KG_METHOD(tensor_pin_memory) {
  KG_BIND_TRY
  KG_OVERRIDE("pin_memory");
  KG_FAIL(runtime,
          "Cannot access accelerator device when none is available: page-locked memory serves "
          "copies to a GPU; leave pin_memory out on a machine without one");
  KG_BIND_CATCH("pin_memory", nullptr)
}

// ---- Storage ------------------------------------------------------------------------------------

KG_PLAIN(untyped_storage, {
  KG_CHECK_IMPLEMENTED(t->storage, "Cannot access storage of a tensor without one");
  return wrap(t->storage);
})

// Points t at a storage with the given geometry, growing the storage where that is needed.
void point_at(TensorImpl* t, Storage* s, int64_t offset, Ints sizes, Ints strides) {
  KG_CHECK(offset >= 0, "Tensor: invalid storage offset ", offset);
  KG_CHECK(sizes.n == strides.n, "mismatch in length of strides and shape");
  for (int64_t d = 0; d < sizes.n; ++d) {
    KG_CHECK(strides[d] >= 0,
             "Negative strides are not supported at the moment, got strides: ", strides);
  }
  checked_numel(sizes);
  size_t needed = bytes_reached(sizes, strides, offset, itemsize(t->dtype));
  if (needed > s->bytes) {
    auto out_of_bounds = [&] {
      KG_FAIL(runtime, "setStorage: sizes ", sizes, ", strides ", strides, ", storage offset ",
              offset, ", and itemsize ", itemsize(t->dtype), " requiring a storage size of ",
              needed, " are out of bounds for storage of size ", s->bytes);
    };
    if (needed == SIZE_MAX) out_of_bounds();
    if (t->storage == s) {
      s = impl::grow_storage(t, needed);
    } else if (s->refs <= (s->wrapper != nullptr)) {
      s->resize(needed);
    } else {
      out_of_bounds();
    }
  }
  impl::set_geometry(t, sizes, strides);
  impl::set_storage(t, s, offset);
}

KG_METHOD(tensor_set_) {
  KG_BIND_TRY
  static const char* const names[] = {"source", "storage_offset", "size", "stride"};
  Bound<4> a(names, 0, args, nargs, kwnames);
  if (overridden(self, a[0])) return override_method("set_", self, args, nargs, kwnames);
  TensorImpl* t = impl_of(self);
  tape::check_inplace(t, t->is(kRequiresGrad));
  KG_CHECK_TYPE(a.given(2) || !(a.given(1) || a.given(3)),
                "expected a size beside storage_offset and stride: set_(source, storage_offset, "
                "size, stride)");
  Storage* s = nullptr;
  if (!a[0]) {
    Storage* none = Storage::allocate(0, t->device);
    impl::set_sizes(t, Ints{0});
    impl::set_storage(t, none, 0);
    none->release();
  } else if (is_tensor(a[0])) {
    TensorImpl* o = impl_of(a[0]);
    KG_CHECK(o->dtype == t->dtype, "Could not set tensor of type ", o->dtype,
             " to a tensor of type ", t->dtype);
    if (!a[2]) {
      impl::set_geometry(t, sizes_of(o), strides_of(o));
      impl::set_storage(t, o->storage, o->offset);
    } else {
      s = o->storage;
    }
  } else {
    KG_CHECK_TYPE(to_storage(a[0], s), "expected a Tensor or a Storage as source, got ",
                  describe_object(a[0]));
  }
  if (s) {
    int64_t offset = 0;
    Dims sizes, strides;
    if (a.given(1))
      KG_CHECK_TYPE(to_int(a[1], offset), "argument 'storage_offset' must be int, not ",
                    describe_object(a[1]));
    if (a.given(2)) {
      int64_t n = 0;
      if (to_int(a[2], n))
        sizes = Dims{n};
      else
        KG_CHECK_TYPE(to_dims(a[2], sizes), "argument 'size' must be tuple of ints, not ",
                      describe_object(a[2]));
    } else {
      sizes = Dims{int64_t(s->bytes) / itemsize(t->dtype)};
    }
    strides = contiguous_strides(sizes);
    if (a.given(3))
      KG_CHECK_TYPE(to_dims(a[3], strides), "argument 'stride' must be tuple of ints, not ",
                    describe_object(a[3]));
    point_at(t, s, offset, sizes, strides);
  }
  t->bump_version();
  return Py_NewRef(self);
  KG_BIND_CATCH("set_", nullptr)
}

PyObject* resize_to(PyObject* self, Ints sizes, MemoryFormat format) {
  TensorImpl* t = impl_of(self);
  KG_CHECK(!t->is(kRequiresGrad), "cannot resize variables that require grad");
  if (sizes == sizes_of(t) && format == MemoryFormat::contiguous) return Py_NewRef(self);
  checked_numel(sizes);
  if (!t->storage) {
    Storage* s = Storage::allocate(0, t->device);
    impl::set_storage(t, s, 0);
    s->release();
  }
  point_at(t, t->storage, t->offset, sizes, memory_format_strides(sizes, format));
  t->bump_version();
  return Py_NewRef(self);
}
KG_METHOD(tensor_resize_) {
  KG_BIND_TRY
  KG_OVERRIDE("resize_");
  Dims sizes;
  PyObject* format = nullptr;
  Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  bool by_name = false;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    PyObject* key = PyTuple_GET_ITEM(kwnames, k);
    if (PyUnicode_CompareWithASCIIString(key, "memory_format") == 0) {
      format = args[nargs + k];
    } else {
      KG_CHECK_TYPE(PyUnicode_CompareWithASCIIString(key, "size") == 0 && nargs == 0 &&
                        to_dims(args[nargs + k], sizes),
                    "expected sizes as ints or as one tuple of ints");
      by_name = true;
    }
  }
  if (!by_name && !(nargs == 1 && to_dims(args[0], sizes))) {
    for (Py_ssize_t i = 0; i < nargs; ++i) {
      int64_t n = 0;
      KG_CHECK_TYPE(to_int(args[i], n), "expected sizes as ints or as one tuple of ints, got ",
                    describe_object(args[i]));
      sizes.push_back(n);
    }
  }
  return resize_to(self, sizes, format_argument(format, MemoryFormat::contiguous));
  KG_BIND_CATCH("resize_", nullptr)
}
PyObject* tensor_resize_as_(PyObject* self, PyObject* other) {
  KG_BIND_TRY
  if (overridden(self, other)) return override_method("resize_as_", self, &other, 1, nullptr);
  return resize_to(self, other_tensor(other).sizes(), MemoryFormat::contiguous);
  KG_BIND_CATCH("resize_as_", nullptr)
}

void unmap(Storage* s) { munmap(s->data, std::max<size_t>(s->bytes, 1)); }

// Moves the storage into memory that forked processes see as well.
KG_PLAIN(share_memory_, {
  Storage* s = t->storage;
  KG_CHECK(s && t->device.is_cpu(), "expected a CPU tensor");
  if (s->shared) return Py_NewRef(self);
  KG_CHECK(s->refs <= 1u + (s->wrapper != nullptr),
           "other tensors look at this memory, which would move; share "
           "the tensor before making views of it");
  void* block = mmap(nullptr, std::max<size_t>(s->bytes, 1), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  KG_CHECK_AS(out_of_memory, block != MAP_FAILED, "no shared memory for ", s->bytes, " bytes");
  if (s->bytes) std::memcpy(block, s->data, s->bytes);
  if (s->deleter) s->deleter(s);
  s->data = static_cast<char*>(block);
  s->deleter = unmap;
  s->context = nullptr;
  s->shared = true;
  s->resizable = false;
  s->exported_writable = true;
  impl::set_storage(t, s, t->offset);
  return Py_NewRef(self);
})

// ---- Subclasses ---------------------------------------------------------------------------------

PyTypeObject* subclass_argument(PyObject* o) {
  KG_CHECK_TYPE(PyType_Check(o), "cls must be a type (got ", Py_TYPE(o)->tp_name, ")");
  auto* type = reinterpret_cast<PyTypeObject*>(o);
  KG_CHECK_TYPE(PyType_IsSubtype(type, tensor_type), "cls ", type->tp_name,
                " must be a subclass of Tensor");
  return type;
}
PyObject* tensor_make_subclass(PyObject*, PyObject* const* args, Py_ssize_t nargs,
                               PyObject* kwnames) {
  KG_BIND_TRY
  static const char* const names[] = {"cls",
                                      "data",
                                      "require_grad",
                                      "dispatch_sizes_strides",
                                      "dispatch_device",
                                      "device_for_backend_keys"};
  Bound<6> a(names, 2, args, nargs, kwnames, 3);
  PyTypeObject* type = subclass_argument(a[0]);
  KG_CHECK_TYPE(is_tensor(a[1]), "argument 'data' must be Tensor, not ", describe_object(a[1]));
  KG_CHECK_IMPLEMENTED(
      !flag(a[3], "dispatch_sizes_strides") && !flag(a[4], "dispatch_device") && !a.given(5),
      "expected no __torch_dispatch__ options: sizes and device are always the tensor's own");
  Ref made = checked(as_type(tape::detach(as_tensor(a[1])), type));
  tape::set_requires_grad(as_impl(made.get()), a[2] && PyObject_IsTrue(a[2]) == 1);
  return made.release();
  KG_BIND_CATCH("_make_subclass", nullptr)
}
// A tensor that has a shape and a dtype but no memory of its own: what it wraps stands in its
// attributes.
PyObject* tensor_make_wrapper(PyObject*, PyObject* const* args, Py_ssize_t nargs,
                              PyObject* kwnames) {
  KG_BIND_TRY
  static const char* const names[] = {"cls",
                                      "size",
                                      "strides",
                                      "storage_offset",
                                      "memory_format",
                                      "dtype",
                                      "layout",
                                      "device",
                                      "pin_memory",
                                      "requires_grad",
                                      "dispatch_sizes_strides_policy",
                                      "dispatch_device",
                                      "dispatch_layout",
                                      "storage_size"};
  Bound<14> a(names, 2, args, nargs, kwnames);
  PyTypeObject* type = subclass_argument(a[0]);
  Dims sizes, strides;
  KG_CHECK_TYPE(to_dims(a[1], sizes), "argument 'size' must be tuple of ints, not ",
                describe_object(a[1]));
  strides = memory_format_strides(sizes, format_argument(a[4], MemoryFormat::contiguous));
  if (a.given(2))
    KG_CHECK_TYPE(to_dims(a[2], strides), "argument 'strides' must be tuple of ints, not ",
                  describe_object(a[2]));
  Tensor t = Tensor::steal(impl::make());
  t->dtype = dtype_argument(a[5], default_dtype());
  t->device = device_argument(a[7], Device{});
  impl::set_geometry(t.get(), sizes, strides);
  if (a.given(3))
    KG_CHECK_TYPE(to_int(a[3], t->offset), "argument 'storage_offset' must be int, not ",
                  describe_object(a[3]));
  // Without data only meta kernels may see it: there are none on the CPU that would not read.
  t->device = Device{DeviceType::meta, -1};
  Ref made = checked(as_type(std::move(t), type));
  if (a.given(9)) tape::set_requires_grad(as_impl(made.get()), flag(a[9], "requires_grad"));
  return made.release();
  KG_BIND_CATCH("_make_wrapper_subclass", nullptr)
}
PyObject* tensor_as_subclass(PyObject* self, PyObject* cls) {
  KG_BIND_TRY
  KG_OVERRIDE1("as_subclass", cls);
  PyTypeObject* type = subclass_argument(cls);
  return as_type(call(rows::alias, as_tensor(self)), type);
  KG_BIND_CATCH("as_subclass", nullptr)
}

}  // namespace

PyMethodDef tensor_methods[] = {
    {"size", as_function(tensor_size), kFast,
     "size(dim=None)\n--\n\nThe sizes, or the size of one dimension."},
    {"stride", as_function(tensor_stride), kFast,
     "stride(dim=None)\n--\n\nThe strides in elements, or one of them."},
    {"dim", tensor_dim, METH_NOARGS, "The number of dimensions."},
    {"ndimension", tensor_dim, METH_NOARGS, "The number of dimensions."},
    {"numel", tensor_numel, METH_NOARGS, "The number of elements."},
    {"nelement", tensor_numel, METH_NOARGS, "The number of elements."},
    {"storage_offset", tensor_storage_offset, METH_NOARGS,
     "Elements from the storage's start to the first one."},
    {"element_size", tensor_element_size, METH_NOARGS, "Bytes of one element."},
    {"data_ptr", tensor_data_ptr, METH_NOARGS, "The address of the first element."},
    {"const_data_ptr", tensor_const_data_ptr, METH_NOARGS,
     "The address of the first element, to read from."},
    {"is_contiguous", as_function(tensor_is_contiguous), kFast,
     "Whether the elements lie in order without gaps."},
    {"contiguous", as_function(tensor_contiguous), kFast,
     "The tensor itself when it is contiguous, else a copy that is."},
    {"is_floating_point", tensor_is_floating_point, METH_NOARGS,
     "Whether the dtype is a real floating one."},
    {"is_complex", tensor_is_complex, METH_NOARGS, "Whether the dtype is complex."},
    {"is_signed", tensor_is_signed, METH_NOARGS, "Whether the dtype holds negative values."},
    {"is_conj", tensor_is_conj, METH_NOARGS, "False: conjugation is never lazy."},
    {"is_neg", tensor_is_neg, METH_NOARGS, "False: negation is never lazy."},
    {"is_pinned", tensor_is_pinned, METH_NOARGS, "Whether the memory is page-locked."},
    {"is_shared", tensor_is_shared, METH_NOARGS, "Whether other processes see the memory."},
    {"resolve_conj", tensor_resolve_conj, METH_NOARGS,
     "The tensor itself: conjugation is never lazy."},
    {"resolve_neg", tensor_resolve_neg, METH_NOARGS, "The tensor itself: negation is never lazy."},
    {"get_device", tensor_get_device, METH_NOARGS, "The GPU's number, -1 on the CPU."},
    {"item", tensor_item, METH_NOARGS, "The one element as a Python number."},
    {"is_nonzero", tensor_is_nonzero, METH_NOARGS, "Whether the one element is not zero."},
    {"tolist", tensor_tolist, METH_NOARGS, "The elements as nested lists."},
    {"detach", tensor_detach, METH_NOARGS, "The same memory without history."},
    {"view_as", as_function(tensor_view_as), kFast, "A view with the other tensor's sizes."},
    {"reshape_as", as_function(tensor_reshape_as), kFast,
     "The elements with the other tensor's sizes."},
    {"expand_as", as_function(tensor_expand_as), kFast,
     "A view expanded to the other tensor's sizes."},
    {"is_same_size", tensor_is_same_size, METH_O, "Whether both have the same sizes."},
    {"is_set_to", tensor_is_set_to, METH_O, "Whether both see the same memory in the same way."},
    {"dim_order", as_function(tensor_dim_order), kFast,
     "The dimensions from the outermost in memory to the innermost."},
    {"to", as_function(tensor_to), kFast,
     "to(dtype | device | other, ...)\n--\n\nThe tensor with another dtype or in another place."},
    {"float", as_function(tensor_float), kFast, "to(kagari.float32)"},
    {"double", as_function(tensor_double), kFast, "to(kagari.float64)"},
    {"half", as_function(tensor_half), kFast, "to(kagari.float16)"},
    {"bfloat16", as_function(tensor_bfloat16), kFast, "to(kagari.bfloat16)"},
    {"int", as_function(tensor_int), kFast, "to(kagari.int32)"},
    {"long", as_function(tensor_long), kFast, "to(kagari.int64)"},
    {"short", as_function(tensor_short), kFast, "to(kagari.int16)"},
    {"char", as_function(tensor_char), kFast, "to(kagari.int8)"},
    {"byte", as_function(tensor_byte), kFast, "to(kagari.uint8)"},
    {"bool", as_function(tensor_bool), kFast, "to(kagari.bool)"},
    {"cfloat", as_function(tensor_cfloat), kFast, "to(kagari.complex64)"},
    {"cdouble", as_function(tensor_cdouble), kFast, "to(kagari.complex128)"},
    {"chalf", as_function(tensor_chalf), kFast, "to(kagari.complex32)"},
    {"cpu", as_function(tensor_cpu), kFast, "The tensor in the memory of the host."},
    {"cuda", as_function(tensor_cuda), kFast, "The tensor in the memory of a GPU."},
    {"type", as_function(tensor_type_method), kFast,
     "The name of the type, or the tensor cast to a type."},
    {"type_as", tensor_type_as, METH_O, "The tensor with the other's dtype and device."},
    {"pin_memory", as_function(tensor_pin_memory), kFast, "A copy in page-locked memory."},
    {"untyped_storage", tensor_untyped_storage, METH_NOARGS,
     "The block of memory under the tensor."},
    {"set_", as_function(tensor_set_), kFast, "Points the tensor at another storage."},
    {"resize_", as_function(tensor_resize_), kFast,
     "Gives the tensor other sizes, growing its storage when needed."},
    {"resize_as_", tensor_resize_as_, METH_O, "Gives the tensor the other's sizes."},
    {"share_memory_", tensor_share_memory_, METH_NOARGS,
     "Moves the memory to where forked processes see it."},
    {"_make_subclass", as_function(tensor_make_subclass), kFast | METH_STATIC,
     "An object of a subclass on the memory of a tensor."},
    {"_make_wrapper_subclass", as_function(tensor_make_wrapper), kFast | METH_STATIC,
     "An object of a subclass with a shape but no memory."},
    {"as_subclass", tensor_as_subclass, METH_O, "The tensor as an object of a subclass."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace kagari
