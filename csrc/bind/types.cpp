// The small types of the API: dtype, layout and memory_format (singletons), device (also a
// context), and Size.
#include "bind/types.h"
#include "bind/bind.h"

#include <cstddef>
#include <vector>

namespace kagari {

PyTypeObject* dtype_type = nullptr;
PyTypeObject* device_type = nullptr;
PyTypeObject* layout_type = nullptr;
PyTypeObject* memory_format_type = nullptr;
PyTypeObject* size_type = nullptr;

constinit thread_local ThreadState thread_state __attribute__((tls_model("initial-exec")));

namespace {

// A singleton that stands for one value of an enumeration and is found in `kagari` by its name.
struct NamedObject {
  PyObject_HEAD int value;
  const char* name;
};
NamedObject* named(PyObject* o) { return reinterpret_cast<NamedObject*>(o); }

struct DeviceObject {
  PyObject_HEAD Device device;
};

constexpr int kLayouts = 6, kFormats = 4;
constexpr const char* layout_names[kLayouts] = {"strided",    "sparse_coo", "sparse_csr",
                                                "sparse_csc", "sparse_bsr", "sparse_bsc"};
constexpr const char* format_names[kFormats] = {"contiguous_format", "preserve_format",
                                                "channels_last", "channels_last_3d"};
PyObject* dtype_objects[kDtypes];
PyObject* layout_objects[kLayouts];
PyObject* format_objects[kFormats];
PyObject* plain_devices[kDeviceTypes];  // without an index

PyObject* make_named(PyTypeObject* type, int value, const char* name) {
  auto* o = PyObject_New(NamedObject, type);
  if (!o) throw_python_error();
  o->value = value;
  o->name = name;
  return reinterpret_cast<PyObject*>(o);
}

PyObject* named_repr(PyObject* self) {
  return PyUnicode_FromFormat("kagari.%s", named(self)->name);
}
PyObject* named_reduce(PyObject* self, PyObject*) {
  return PyUnicode_FromString(named(self)->name);
}

void plain_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// ---- dtype --------------------------------------------------------------------------------------

Dtype dtype_of_object(PyObject* o) { return Dtype(named(o)->value); }

PyObject* dtype_is_floating(PyObject* self, void*) {
  return PyBool_FromLong(is_floating(dtype_of_object(self)));
}
PyObject* dtype_is_complex(PyObject* self, void*) {
  return PyBool_FromLong(is_complex(dtype_of_object(self)));
}
PyObject* dtype_is_signed(PyObject* self, void*) {
  return PyBool_FromLong(is_signed(dtype_of_object(self)));
}
PyObject* dtype_itemsize(PyObject* self, void*) {
  return PyLong_FromLongLong(itemsize(dtype_of_object(self)));
}
PyObject* dtype_to_real(PyObject* self, PyObject*) {
  return wrap(real_dtype(dtype_of_object(self)));
}
PyObject* dtype_to_complex(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Dtype d = dtype_of_object(self);
  KG_CHECK(is_complex(d) || (is_floating(d) && !is_storage_only(d)),
           "no complex dtype has parts of ", d, "; convert to a floating dtype first");
  return wrap(complex_dtype(d));
  KG_BIND_CATCH("to_complex", nullptr)
}

PyGetSetDef dtype_getset[] = {
    {"is_floating_point", dtype_is_floating, nullptr, "whether it is a real floating-point type",
     nullptr},
    {"is_complex", dtype_is_complex, nullptr, "whether it is a complex type", nullptr},
    {"is_signed", dtype_is_signed, nullptr, "whether it holds negative values", nullptr},
    {"itemsize", dtype_itemsize, nullptr, "bytes of one element", nullptr},
    {}};
PyMethodDef dtype_methods[] = {
    {"to_real", dtype_to_real, METH_NOARGS, "The dtype of a complex dtype's parts, else itself."},
    {"to_complex", dtype_to_complex, METH_NOARGS, "The complex dtype whose parts have this dtype."},
    {"__reduce__", named_reduce, METH_NOARGS, nullptr},
    {}};
PyType_Slot dtype_slots[] = {
    {Py_tp_repr, (void*)named_repr},
    {Py_tp_dealloc, (void*)plain_dealloc},
    {Py_tp_getset, dtype_getset},
    {Py_tp_methods, dtype_methods},
    {Py_tp_doc, (void*)"The type of a tensor's elements.\n"
                       "\n    >>> kagari.ones(2).dtype, kagari.int64.itemsize, "
                       "kagari.float32.is_floating_point\n    (kagari.float32, 8, True)"},
    {0, nullptr}};
constexpr unsigned kSingleton =
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE;
PyType_Spec dtype_spec = {"kagari.dtype", sizeof(NamedObject), 0, kSingleton, dtype_slots};

// ---- layout, memory_format ----------------------------------------------------------------------

PyMethodDef named_methods[] = {{"__reduce__", named_reduce, METH_NOARGS, nullptr}, {}};
PyType_Slot layout_slots[] = {
    {Py_tp_repr, (void*)named_repr},
    {Py_tp_dealloc, (void*)plain_dealloc},
    {Py_tp_methods, named_methods},
    {Py_tp_doc, (void*)"How a tensor's elements are kept: strided or sparse.\n"
                       "\n    >>> kagari.ones(2).layout\n    kagari.strided"},
    {0, nullptr}};
PyType_Spec layout_spec = {"kagari.layout", sizeof(NamedObject), 0, kSingleton, layout_slots};
PyType_Slot format_slots[] = {
    {Py_tp_repr, (void*)named_repr},
    {Py_tp_dealloc, (void*)plain_dealloc},
    {Py_tp_methods, named_methods},
    {Py_tp_doc,
     (void*)"The order in which the strides of a dense tensor grow.\n"
            "\n    >>> x = kagari.ones(1, 2, 3, 3).to(memory_format=kagari.channels_last)\n    >>> "
            "x.stride()\n    (18, 1, 6, 2)"},
    {0, nullptr}};
PyType_Spec format_spec = {"kagari.memory_format", sizeof(NamedObject), 0, kSingleton,
                           format_slots};

// ---- device -------------------------------------------------------------------------------------

constexpr const char* device_names[kDeviceTypes] = {"cpu", "meta", "cuda"};

Device device_of(PyObject* o) { return reinterpret_cast<DeviceObject*>(o)->device; }

PyObject* make_device(PyTypeObject* type, Device d) {
  auto* o = reinterpret_cast<DeviceObject*>(type->tp_alloc(type, 0));
  if (!o) throw_python_error();
  o->device = d;
  return reinterpret_cast<PyObject*>(o);
}

PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  static const char* const names[] = {"type", "index", nullptr};
  PyObject *kind = nullptr, *index = nullptr;
  // PyTorch also takes the first argument as `device`.
  Ref renamed;
  if (kwargs && PyTuple_GET_SIZE(args) == 0) {
    if (PyObject* value = PyDict_GetItemString(kwargs, "device")) {
      renamed = checked(PyDict_Copy(kwargs));
      checked_status(PyDict_SetItemString(renamed.get(), "type", value));
      checked_status(PyDict_DelItemString(renamed.get(), "device"));
      kwargs = renamed.get();
    }
  }
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names), &kind,
                                   &index))
    return nullptr;
  Device d;
  KG_CHECK_TYPE(to_device(kind, d), "expected a device, a str such as 'cpu' or an index, got ",
                describe_object(kind));
  if (index && index != Py_None) {
    KG_CHECK(PyUnicode_Check(kind),
             "an index goes with the name of a device type, as in device('cuda', 1); got ",
             describe_object(kind));
    KG_CHECK(d.index < 0,
             "type (string) must not include an index because index was passed explicitly: ", d);
    int64_t i = 0;
    KG_CHECK_TYPE(to_int(index, i, false), "argument 'index' must be int, not ",
                  describe_object(index));
    KG_CHECK(i >= 0, "Device index must not be negative, got ", i);
    KG_CHECK(i < 128, "device indices end at 127, got ", i);
    d.index = int8_t(i);
  }
  return wrap(d);
  KG_BIND_CATCH("device", nullptr)
}

PyObject* device_repr(PyObject* self) {
  Device d = device_of(self);
  const char* kind = device_names[int(d.type)];
  if (d.index < 0) return PyUnicode_FromFormat("device(type='%s')", kind);
  return PyUnicode_FromFormat("device(type='%s', index=%d)", kind, int(d.index));
}
PyObject* device_str(PyObject* self) {
  Device d = device_of(self);
  const char* kind = device_names[int(d.type)];
  if (d.index < 0) return PyUnicode_FromString(kind);
  return PyUnicode_FromFormat("%s:%d", kind, int(d.index));
}
Py_hash_t device_hash(PyObject* self) {
  Device d = device_of(self);
  return (Py_hash_t(d.type) << 16) | uint8_t(d.index);
}
PyObject* device_compare(PyObject* a, PyObject* b, int op) {
  if (!Py_IS_TYPE(a, device_type) || !Py_IS_TYPE(b, device_type) || (op != Py_EQ && op != Py_NE))
    Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((device_of(a) == device_of(b)) == (op == Py_EQ));
}
PyObject* device_get_type(PyObject* self, void*) {
  return PyUnicode_FromString(device_names[int(device_of(self).type)]);
}
PyObject* device_get_index(PyObject* self, void*) {
  Device d = device_of(self);
  if (d.index < 0) Py_RETURN_NONE;
  return PyLong_FromLong(d.index);
}
PyObject* device_reduce(PyObject* self, PyObject*) {
  Device d = device_of(self);
  const char* kind = device_names[int(d.type)];
  if (d.index < 0) return Py_BuildValue("(O(s))", device_type, kind);
  return Py_BuildValue("(O(si))", device_type, kind, int(d.index));
}

// `with device(...)`: what held before is kept on a stack of the thread.
struct SavedDefault {
  bool set;
  Device device;
};
thread_local std::vector<SavedDefault> saved_defaults;

void set_default(bool set, Device d) {
  thread_state.flags =
      set ? thread_state.flags | kDefaultDevice : thread_state.flags & ~uint32_t(kDefaultDevice);
  thread_state.default_device = d;
}
PyObject* device_enter(PyObject* self, PyObject*) {
  KG_BIND_TRY
  saved_defaults.push_back(
      {(thread_state.flags & kDefaultDevice) != 0, thread_state.default_device});
  set_default(true, device_of(self));
  return Py_NewRef(self);
  KG_BIND_CATCH("device", nullptr)
}
PyObject* device_exit(PyObject*, PyObject*) {
  KG_BIND_TRY
  KG_CHECK(!saved_defaults.empty(), "__exit__ without __enter__; use it as `with device(...):`");
  SavedDefault before = saved_defaults.back();
  saved_defaults.pop_back();
  set_default(before.set, before.device);
  Py_RETURN_NONE;
  KG_BIND_CATCH("device", nullptr)
}

PyGetSetDef device_getset[] = {
    {"type", device_get_type, nullptr, "'cpu', 'meta' or 'cuda'", nullptr},
    {"index", device_get_index, nullptr, "its number, or None", nullptr},
    {}};
PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr},
                                {"__enter__", device_enter, METH_NOARGS, nullptr},
                                {"__exit__", device_exit, METH_VARARGS, nullptr},
                                {}};
constexpr const char* device_doc =
    "device(type, index=None)\n--\n\n"
    "Where a tensor's memory lies. As a context manager it is where factories put new tensors.\n\n"
    "    >>> kagari.device('cpu')\n    device(type='cpu')\n"
    "    >>> with kagari.device('meta'):\n    ...     kagari.empty(3).is_meta\n    True\n";
PyType_Slot device_slots[] = {{Py_tp_new, (void*)device_new},
                              {Py_tp_repr, (void*)device_repr},
                              {Py_tp_str, (void*)device_str},
                              {Py_tp_hash, (void*)device_hash},
                              {Py_tp_richcompare, (void*)device_compare},
                              {Py_tp_dealloc, (void*)plain_dealloc},
                              {Py_tp_getset, device_getset},
                              {Py_tp_methods, device_methods},
                              {Py_tp_doc, (void*)device_doc},
                              {0, nullptr}};
PyType_Spec device_spec = {"kagari.device", sizeof(DeviceObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, device_slots};

PyObject* set_default_device_py(PyObject*, PyObject* arg) {
  KG_BIND_TRY
  Device d;
  if (arg == Py_None) {
    set_default(false, d);
    Py_RETURN_NONE;
  }
  KG_CHECK_TYPE(to_device(arg, d), "expected a device, a str such as 'cpu' or None, got ",
                describe_object(arg));
  set_default(true, d);
  Py_RETURN_NONE;
  KG_BIND_CATCH("set_default_device", nullptr)
}
PyObject* get_default_device_py(PyObject*, PyObject*) { return wrap(default_device()); }

PyMethodDef device_functions[] = {
    {"set_default_device", set_default_device_py, METH_O,
     "set_default_device($module, device, /)\n--\n\nSets where factories put new tensors; None "
     "means the CPU."},
    {"get_default_device", get_default_device_py, METH_NOARGS,
     "get_default_device($module, /)\n--\n\nReturns where factories put new tensors.\n"
     "\n    >>> kagari.get_default_device()\n    device(type='cpu')"},
    {}};

// ---- Size ---------------------------------------------------------------------------------------

// Holds ints only, so it can be part of no cycle and stays out of the collector's lists.
PyObject* size_alloc(Py_ssize_t n) {
  auto* t = PyObject_GC_NewVar(PyTupleObject, size_type, n);
  if (!t) throw_python_error();
  for (Py_ssize_t i = 0; i < n; ++i) t->ob_item[i] = nullptr;
  return reinterpret_cast<PyObject*>(t);
}

void size_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  PyObject_GC_UnTrack(self);
  for (Py_ssize_t i = Py_SIZE(self); --i >= 0;) Py_XDECREF(PyTuple_GET_ITEM(self, i));
  type->tp_free(self);
  Py_DECREF(type);
}
int size_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  for (Py_ssize_t i = Py_SIZE(self); --i >= 0;) Py_VISIT(PyTuple_GET_ITEM(self, i));
  return 0;
}

// A Size of what the tuple holds.
PyObject* size_from_tuple(PyObject* tuple) {
  if (!tuple) return nullptr;
  Ref source = Ref::steal(tuple);
  Py_ssize_t n = PyTuple_GET_SIZE(tuple);
  PyObject* size = size_alloc(n);
  for (Py_ssize_t i = 0; i < n; ++i)
    PyTuple_SET_ITEM(size, i, Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
  return size;
}

PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  KG_CHECK_TYPE(!kwargs || PyDict_GET_SIZE(kwargs) == 0, "takes no keyword arguments");
  Py_ssize_t given = PyTuple_GET_SIZE(args);
  KG_CHECK_TYPE(given <= 1, "expected one iterable of ints, got ", given,
                " arguments; write Size((2, 3))");
  Ref items =
      given ? checked(PySequence_Tuple(PyTuple_GET_ITEM(args, 0))) : checked(PyTuple_New(0));
  Py_ssize_t n = PyTuple_GET_SIZE(items.get());
  Ref made = checked(type->tp_alloc(type, n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = PyTuple_GET_ITEM(items.get(), i);
    int64_t value = 0;
    KG_CHECK_TYPE(to_int(item, value), "takes an iterable of 'int' (item ", i, " is '",
                  Py_TYPE(item)->tp_name, "')");
    PyTuple_SET_ITEM(made.get(), i, checked(PyLong_FromLongLong(value)).release());
  }
  return made.release();
  KG_BIND_CATCH("Size", nullptr)
}

PyObject* size_repr(PyObject* self) {
  std::string text = "kagari.Size([";
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
    Ref item = Ref::steal(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
    if (!item) return nullptr;
    const char* s = PyUnicode_AsUTF8(item.get());
    if (!s) return nullptr;
    text += (i ? ", " : "") + std::string(s);
  }
  text += "])";
  return PyUnicode_FromStringAndSize(text.data(), Py_ssize_t(text.size()));
}

PyObject* size_numel(PyObject* self, PyObject*) {
  KG_BIND_TRY
  int64_t n = 1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
    int64_t v = PyLong_AsLongLong(PyTuple_GET_ITEM(self, i));
    if (v == -1 && PyErr_Occurred()) return nullptr;
    KG_CHECK(!__builtin_mul_overflow(n, v, &n), "the number of elements does not fit 64 bits");
  }
  return PyLong_FromLongLong(n);
  KG_BIND_CATCH("numel", nullptr)
}
PyObject* size_reduce(PyObject* self, PyObject*) {
  Ref plain = Ref::steal(PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self)));  // an exact tuple
  return plain ? Py_BuildValue("(O(O))", size_type, plain.get()) : nullptr;
}
PyObject* size_add(PyObject* a, PyObject* b) {
  KG_BIND_TRY
  if (!PyTuple_Check(a) || !PyTuple_Check(b)) {
    PyObject* other = PyTuple_Check(a) ? b : a;
    KG_FAIL(type, "can only concatenate tuple (not ", Py_TYPE(other)->tp_name, ") to kagari.Size");
  }
  Py_ssize_t na = PyTuple_GET_SIZE(a), nb = PyTuple_GET_SIZE(b);
  for (Py_ssize_t i = 0; i < na + nb; ++i) {
    PyObject* item = i < na ? PyTuple_GET_ITEM(a, i) : PyTuple_GET_ITEM(b, i - na);
    KG_CHECK_TYPE(PyLong_Check(item), "holds ints only, got ", describe_object(item));
  }
  PyObject* size = size_alloc(na + nb);
  for (Py_ssize_t i = 0; i < na; ++i) PyTuple_SET_ITEM(size, i, Py_NewRef(PyTuple_GET_ITEM(a, i)));
  for (Py_ssize_t i = 0; i < nb; ++i)
    PyTuple_SET_ITEM(size, na + i, Py_NewRef(PyTuple_GET_ITEM(b, i)));
  return size;
  KG_BIND_CATCH("Size", nullptr)
}
PyObject* size_multiply(PyObject* a, PyObject* b) {
  PyObject* tuple = PyTuple_Check(a) ? a : b;
  PyObject* times = tuple == a ? b : a;
  if (!PyIndex_Check(times)) Py_RETURN_NOTIMPLEMENTED;
  KG_BIND_TRY
  Py_ssize_t n = PyNumber_AsSsize_t(times, PyExc_OverflowError);
  if (n == -1 && PyErr_Occurred()) return nullptr;
  return size_from_tuple(PyTuple_Type.tp_as_sequence->sq_repeat(tuple, n));
  KG_BIND_CATCH("Size", nullptr)
}
PyObject* size_subscript(PyObject* self, PyObject* key) {
  PyObject* result = PyTuple_Type.tp_as_mapping->mp_subscript(self, key);
  if (!PySlice_Check(key) || !result) return result;
  KG_BIND_TRY
  return size_from_tuple(result);
  KG_BIND_CATCH("Size", nullptr)
}

PyMethodDef size_methods[] = {
    {"numel", size_numel, METH_NOARGS, "The number of elements: the product of the sizes."},
    {"__reduce__", size_reduce, METH_NOARGS, nullptr},
    {}};
PyType_Slot size_slots[] = {
    {Py_tp_new, (void*)size_new},
    {Py_tp_repr, (void*)size_repr},
    {Py_tp_dealloc, (void*)size_dealloc},
    {Py_tp_traverse, (void*)size_traverse},
    {Py_nb_add, (void*)size_add},
    {Py_nb_multiply, (void*)size_multiply},
    {Py_mp_subscript, (void*)size_subscript},
    {Py_tp_methods, size_methods},
    {Py_tp_doc, (void*)"Size(iterable=())\n--\n\nThe sizes of a tensor: a tuple of ints.\n"
                       "\n    >>> kagari.Size([2, 3]).numel()\n    6\n    >>> kagari.ones(2, "
                       "3).shape == (2, 3)\n    True"},
    {0, nullptr}};
PyType_Spec size_spec = {"kagari.Size", 0, 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, size_slots};

}  // namespace

// ---- From the core to Python --------------------------------------------------------------------

PyObject* dtype_object(Dtype d) { return d == Dtype::undefined ? Py_None : dtype_objects[int(d)]; }
PyObject* layout_object(Layout l) { return layout_objects[int(l)]; }
PyObject* memory_format_object(MemoryFormat f) { return format_objects[int(f)]; }
PyObject* wrap(Dtype d) { return Py_NewRef(dtype_object(d)); }
PyObject* wrap(Layout l) { return Py_NewRef(layout_object(l)); }
PyObject* wrap(MemoryFormat f) { return Py_NewRef(memory_format_object(f)); }
PyObject* wrap(Device d) {
  if (d.index < 0) return Py_NewRef(plain_devices[int(d.type)]);
  return make_device(device_type, d);
}
PyObject* wrap_size(Ints sizes) {
  PyObject* size = size_alloc(sizes.n);
  for (int64_t i = 0; i < sizes.n; ++i) {
    PyObject* v = PyLong_FromLongLong(sizes[i]);
    if (!v) {
      Py_DECREF(size);
      throw_python_error();
    }
    PyTuple_SET_ITEM(size, i, v);
  }
  return size;
}
PyObject* wrap_ints(Ints values) {
  Ref tuple = checked(PyTuple_New(values.n));
  for (int64_t i = 0; i < values.n; ++i)
    PyTuple_SET_ITEM(tuple.get(), i, checked(PyLong_FromLongLong(values[i])).release());
  return tuple.release();
}

bool to_layout(PyObject* o, Layout& out) {
  if (!Py_IS_TYPE(o, layout_type)) return false;
  out = Layout(named(o)->value);
  return true;
}
bool to_memory_format(PyObject* o, MemoryFormat& out) {
  if (!Py_IS_TYPE(o, memory_format_type)) return false;
  out = MemoryFormat(named(o)->value);
  return true;
}
bool to_device(PyObject* o, Device& out) {
  if (Py_IS_TYPE(o, device_type)) {
    out = device_of(o);
    return true;
  }
  if (PyUnicode_Check(o)) {
    Py_ssize_t n = 0;
    const char* s = PyUnicode_AsUTF8AndSize(o, &n);
    if (!s) throw_python_error();
    out = parse_device({s, size_t(n)});
    return true;
  }
  int64_t index = 0;
  if (!PyLong_Check(o) || PyBool_Check(o) || !to_int(o, index, false)) return false;
  KG_CHECK(index >= 0 && index < 128, "Device index must not be negative and ends at 127, got ",
           index);
  out = {DeviceType::cuda, int8_t(index)};
  return true;
}
bool to_dtype_object(PyObject* o, Dtype& out) {
  if (!Py_IS_TYPE(o, dtype_type)) return false;
  out = dtype_of_object(o);
  return true;
}

void init_types(PyObject* module) {
  dtype_type = add_type(module, &dtype_spec);
  for (int i = 0; i < kDtypes; ++i) {
    dtype_objects[i] = make_named(dtype_type, i, dtype_facts[i].name);
    add_object(module, dtype_facts[i].name, dtype_objects[i]);
    if (dtype_facts[i].alias) add_object(module, dtype_facts[i].alias, dtype_objects[i]);
  }
  layout_type = add_type(module, &layout_spec);
  for (int i = 0; i < kLayouts; ++i) {
    layout_objects[i] = make_named(layout_type, i, layout_names[i]);
    add_object(module, layout_names[i], layout_objects[i]);
  }
  memory_format_type = add_type(module, &format_spec);
  for (int i = 0; i < kFormats; ++i) {
    format_objects[i] = make_named(memory_format_type, i, format_names[i]);
    add_object(module, format_names[i], format_objects[i]);
  }
  device_type = add_type(module, &device_spec);
  for (int i = 0; i < kDeviceTypes; ++i)
    plain_devices[i] = make_device(device_type, {DeviceType(i), -1});
  Ref bases = checked(PyTuple_Pack(1, &PyTuple_Type));
  size_type = add_type(module, &size_spec, bases.get());
  add_functions(module, device_functions);
  init_type_info(module);
}

}  // namespace kagari
