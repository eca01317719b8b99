// kagari.UntypedStorage: the block of memory under tensors as a Python object.
#include "bind/tensor_type.h"

#include <structmember.h>

#include <cstddef>

namespace kagari {

PyTypeObject* storage_type = nullptr;

namespace {

struct StorageObject {
  PyObject_HEAD Storage* storage;  // counted
  PyObject* weakrefs;
};
Storage* storage_of(PyObject* o) { return reinterpret_cast<StorageObject*>(o)->storage; }

PyObject* make(PyTypeObject* type, Storage* s) {  // takes over the reference
  auto* o = reinterpret_cast<StorageObject*>(type->tp_alloc(type, 0));
  if (!o) {
    s->release();
    throw_python_error();
  }
  o->storage = s;
  s->wrapper = reinterpret_cast<PyObject*>(o);
  return reinterpret_cast<PyObject*>(o);
}

PyObject* storage_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  static const char* const names[] = {"size", "device", nullptr};
  PyObject *size = nullptr, *place = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$O:UntypedStorage", const_cast<char**>(names),
                                   &size, &place))
    return nullptr;
  Device device;
  if (place && place != Py_None)
    KG_CHECK_TYPE(to_device(place, device), "expected a device, got ", describe_object(place));
  int64_t n = 0;
  if (!size || to_int(size, n)) {
    KG_CHECK(n >= 0, "expected a size that is not negative, got ", n);
    return make(type, Storage::allocate(size_t(n), device));
  }
  Ref bytes = checked(PyObject_CallOneArg(reinterpret_cast<PyObject*>(&PyBytes_Type), size));
  Py_ssize_t length = PyBytes_GET_SIZE(bytes.get());
  Storage* s = Storage::allocate(size_t(length), device);
  if (length && s->data) std::memcpy(s->data, PyBytes_AS_STRING(bytes.get()), size_t(length));
  return make(type, s);
  KG_BIND_CATCH("UntypedStorage", nullptr)
}

void storage_dealloc(PyObject* self) {
  auto* o = reinterpret_cast<StorageObject*>(self);
  PyTypeObject* type = Py_TYPE(self);
  if (o->weakrefs) PyObject_ClearWeakRefs(self);
  if (Storage* s = o->storage) {
    if (s->wrapper == self) s->wrapper = nullptr;
    s->release();
  }
  type->tp_free(self);
  Py_DECREF(type);
}

Py_ssize_t storage_length(PyObject* self) { return Py_ssize_t(storage_of(self)->bytes); }

void check_readable(Storage* s) {
  KG_CHECK_IMPLEMENTED(s->device.is_cpu(), "memory on ", s->device, " cannot be read from Python");
}
void check_writable(Storage* s) {
  check_readable(s);
  KG_CHECK(!s->read_only, "the memory is read-only (it belongs to a read-only array or file)");
}

PyObject* storage_getitem(PyObject* self, PyObject* index) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  check_readable(s);
  if (PySlice_Check(index)) {
    Py_ssize_t start, stop, step;
    checked_status(PySlice_Unpack(index, &start, &stop, &step));
    Py_ssize_t n = PySlice_AdjustIndices(Py_ssize_t(s->bytes), &start, &stop, step);
    KG_CHECK(step == 1, "Trying to slice with a step of ", step,
             ", but only a step of 1 is supported");
    Storage* part = Storage::allocate(size_t(n), Device{});
    if (n) std::memcpy(part->data, s->data + start, size_t(n));
    return make(storage_type, part);
  }
  int64_t i = 0, n = int64_t(s->bytes);
  KG_CHECK_TYPE(to_int(index, i), "expected an int or a slice, got ", describe_object(index));
  KG_CHECK_INDEX(i >= -n && i < n, "index ", i, " out of range for storage of size ", n);
  return PyLong_FromLong(uint8_t(s->data[i < 0 ? i + n : i]));
  KG_BIND_CATCH("UntypedStorage", nullptr)
}
int storage_setitem(PyObject* self, PyObject* index, PyObject* value) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  check_writable(s);
  KG_CHECK_TYPE(value, "bytes of a storage cannot be deleted");
  int64_t v = 0, i = 0, n = int64_t(s->bytes);
  KG_CHECK_TYPE(to_int(value, v), "can only set storage content with a int types, but got ",
                describe_object(value));
  KG_CHECK_VALUE(v >= 0 && v < 256, "expected a byte, got ", v);
  if (PySlice_Check(index)) {
    Py_ssize_t start, stop, step;
    checked_status(PySlice_Unpack(index, &start, &stop, &step));
    Py_ssize_t count = PySlice_AdjustIndices(n, &start, &stop, step);
    for (Py_ssize_t k = 0; k < count; ++k) s->data[start + k * step] = char(v);
  } else {
    KG_CHECK_TYPE(to_int(index, i), "expected an int or a slice, got ", describe_object(index));
    KG_CHECK_INDEX(i >= -n && i < n, "index ", i, " out of range for storage of size ", n);
    s->data[i < 0 ? i + n : i] = char(v);
  }
  ++s->epoch;
  return 0;
  KG_BIND_CATCH("UntypedStorage", -1)
}

PyObject* storage_nbytes(PyObject* self, PyObject*) {
  return PyLong_FromSize_t(storage_of(self)->bytes);
}
PyObject* storage_data_ptr(PyObject* self, PyObject*) {
  storage_of(self)->exported_writable = true;
  return PyLong_FromVoidPtr(storage_of(self)->data);
}
PyObject* storage_tolist(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  check_readable(s);
  Ref list = checked(PyList_New(Py_ssize_t(s->bytes)));
  for (size_t i = 0; i < s->bytes; ++i)
    PyList_SET_ITEM(list.get(), Py_ssize_t(i),
                    PyLong_FromLong(uint8_t(s->data[i])));  // cached: cannot fail
  return list.release();
  KG_BIND_CATCH("tolist", nullptr)
}
PyObject* storage_clone(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  check_readable(s);
  Storage* copy = Storage::allocate(s->bytes, s->device);
  if (s->bytes) std::memcpy(copy->data, s->data, s->bytes);
  return make(storage_type, copy);
  KG_BIND_CATCH("clone", nullptr)
}
PyObject* storage_copy_(PyObject* self, PyObject* const* args, Py_ssize_t nargs,
                        PyObject* kwnames) {
  KG_BIND_TRY
  static const char* const names[] = {"source", "non_blocking"};
  Bound<2> a(names, 1, args, nargs, kwnames);
  KG_CHECK_TYPE(PyObject_TypeCheck(a[0], storage_type), "expected an UntypedStorage, got ",
                describe_object(a[0]));
  Storage *s = storage_of(self), *from = storage_of(a[0]);
  check_writable(s);
  check_readable(from);
  KG_CHECK(s->bytes == from->bytes, "size does not match, self was ", s->bytes,
           " bytes but src was ", from->bytes, " bytes");
  if (s->bytes) std::memmove(s->data, from->data, s->bytes);
  ++s->epoch;
  return Py_NewRef(self);
  KG_BIND_CATCH("copy_", nullptr)
}
PyObject* storage_fill_(PyObject* self, PyObject* value) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  check_writable(s);
  int64_t v = 0;
  KG_CHECK_TYPE(to_int(value, v), "expected an int, got ", describe_object(value));
  if (s->bytes) std::memset(s->data, int(v & 0xff), s->bytes);
  ++s->epoch;
  return Py_NewRef(self);
  KG_BIND_CATCH("fill_", nullptr)
}

// Tensors hold addresses into the block, so it moves only when no tensor is on it, and shrinking
// keeps it.
void release_original(Storage* s) { allocator::release(s->data, size_t(uintptr_t(s->context))); }
PyObject* storage_resize_(PyObject* self, PyObject* size) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  int64_t n = 0;
  KG_CHECK_TYPE(to_int(size, n) && n >= 0, "expected a size in bytes, got ", describe_object(size));
  KG_CHECK(s->resizable, "Trying to resize storage that is not resizable");
  if (size_t(n) == s->bytes) return Py_NewRef(self);
  if (s->refs == 1) {
    s->resize(size_t(n));
  } else {
    size_t room = s->deleter == release_original ? size_t(uintptr_t(s->context)) : s->bytes;
    KG_CHECK(size_t(n) <= room,
             "tensors look at this memory, which can shrink under them but not grow beyond its ",
             room, " bytes; resize the tensor with resize_()");
    if (s->deleter != release_original) {
      s->context = reinterpret_cast<void*>(uintptr_t(s->bytes));
      s->deleter = release_original;
    }
    s->bytes = size_t(n);
  }
  ++s->epoch;
  return Py_NewRef(self);
  KG_BIND_CATCH("resize_", nullptr)
}
PyObject* storage_share(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  Tensor t = Tensor::steal(impl::make());
  t->dtype = Dtype::u8;
  t->device = s->device;
  impl::set_sizes(t.get(), Ints{int64_t(s->bytes)});
  impl::set_storage(t.get(), s, 0);
  Ref done = checked(PyObject_CallMethod(t.object(), "share_memory_", nullptr));
  return Py_NewRef(self);
  KG_BIND_CATCH("share_memory_", nullptr)
}
PyObject* storage_is_shared(PyObject* self, PyObject*) {
  return PyBool_FromLong(storage_of(self)->shared);
}
PyObject* storage_is_pinned(PyObject*, PyObject*) { Py_RETURN_FALSE; }
PyObject* storage_resizable(PyObject* self, PyObject*) {
  return PyBool_FromLong(storage_of(self)->resizable);
}
PyObject* storage_cpu(PyObject* self, PyObject*) { return Py_NewRef(self); }
PyObject* storage_get_device_number(PyObject*, PyObject*) { return PyLong_FromLong(-1); }
PyObject* storage_bytes(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  check_readable(s);
  return PyBytes_FromStringAndSize(s->data, Py_ssize_t(s->bytes));
  KG_BIND_CATCH("UntypedStorage", nullptr)
}

PyObject* get_device(PyObject* self, void*) { return wrap(storage_of(self)->device); }
PyObject* get_is_cuda(PyObject* self, void*) {
  return PyBool_FromLong(storage_of(self)->device.type == DeviceType::cuda);
}
PyObject* get_cdata(PyObject* self, void*) { return PyLong_FromVoidPtr(storage_of(self)); }
PyObject* get_filename(PyObject*, void*) { Py_RETURN_NONE; }

PyObject* storage_repr(PyObject* self) {
  KG_BIND_TRY
  Storage* s = storage_of(self);
  std::string text;
  if (s->device.is_cpu()) {
    for (size_t i = 0; i < s->bytes && i < 100; ++i)
      text += concat(' ', int(uint8_t(s->data[i])), '\n');
    if (s->bytes > 100) text += " ...\n";
  }
  text += concat("[kagari.UntypedStorage(device=", s->device, ") of size ", s->bytes, "]");
  return PyUnicode_FromStringAndSize(text.data(), Py_ssize_t(text.size()));
  KG_BIND_CATCH("UntypedStorage", nullptr)
}
PyObject* storage_compare(PyObject* a, PyObject* b, int op) {
  if ((op != Py_EQ && op != Py_NE) || !PyObject_TypeCheck(b, storage_type))
    Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((storage_of(a) == storage_of(b)) == (op == Py_EQ));
}
Py_hash_t storage_hash(PyObject* self) {
  Py_hash_t h = Py_hash_t(uintptr_t(storage_of(self)) >> 4);
  return h == -1 ? -2 : h;
}

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(StorageObject, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef getset[] = {
    {"device", get_device, nullptr, "Where the memory lies.", nullptr},
    {"is_cuda", get_is_cuda, nullptr, "Whether the memory is a GPU's.", nullptr},
    {"_cdata", get_cdata, nullptr, nullptr, nullptr},
    {"filename", get_filename, nullptr, "The mapped file, or None.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef methods[] = {
    {"nbytes", storage_nbytes, METH_NOARGS, "The number of bytes."},
    {"size", storage_nbytes, METH_NOARGS, "The number of bytes."},
    {"data_ptr", storage_data_ptr, METH_NOARGS, "The address of the first byte."},
    {"tolist", storage_tolist, METH_NOARGS, "The bytes as a list of ints."},
    {"clone", storage_clone, METH_NOARGS, "A copy."},
    {"copy_", as_function(storage_copy_), METH_FASTCALL | METH_KEYWORDS,
     "Copies the bytes of another storage."},
    {"fill_", storage_fill_, METH_O, "Writes one byte everywhere."},
    {"resize_", storage_resize_, METH_O, "Gives the storage another number of bytes."},
    {"resizable", storage_resizable, METH_NOARGS, "Whether the storage can be resized."},
    {"share_memory_", storage_share, METH_NOARGS,
     "Moves the memory to where forked processes see it."},
    {"is_shared", storage_is_shared, METH_NOARGS, "Whether other processes see the memory."},
    {"is_pinned", storage_is_pinned, METH_NOARGS, "Whether the memory is page-locked."},
    {"cpu", storage_cpu, METH_NOARGS, "The storage itself: it is the host's."},
    {"get_device", storage_get_device_number, METH_NOARGS, "The GPU's number, -1 on the CPU."},
    {"__bytes__", storage_bytes, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyType_Slot slots[] = {{Py_tp_new, (void*)storage_new},
                       {Py_tp_dealloc, (void*)storage_dealloc},
                       {Py_tp_repr, (void*)storage_repr},
                       {Py_tp_richcompare, (void*)storage_compare},
                       {Py_tp_hash, (void*)storage_hash},
                       {Py_tp_members, members},
                       {Py_tp_getset, getset},
                       {Py_tp_methods, methods},
                       {Py_tp_doc, (void*)"A block of memory that tensors look at."},
                       {Py_mp_length, (void*)storage_length},
                       {Py_mp_subscript, (void*)storage_getitem},
                       {Py_mp_ass_subscript, (void*)storage_setitem},
                       {0, nullptr}};
PyType_Spec spec = {"kagari.UntypedStorage", sizeof(StorageObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

}  // namespace

PyObject* wrap(Storage* s) {
  if (s->wrapper) return Py_NewRef(s->wrapper);
  s->retain();
  return make(storage_type, s);
}

bool to_storage(PyObject* o, Storage*& out) {
  if (PyObject_TypeCheck(o, storage_type)) {
    out = storage_of(o);
    return true;
  }
  // TypedStorage keeps one in an attribute
  Ref inner = Ref::steal(PyObject_GetAttrString(o, "_untyped_storage"));
  if (!inner || !PyObject_TypeCheck(inner.get(), storage_type)) {
    PyErr_Clear();
    return false;
  }
  out = storage_of(inner.get());  // the attribute keeps it alive
  return true;
}

void init_storage_type(PyObject* module) { storage_type = add_type(module, &spec); }

}  // namespace kagari
