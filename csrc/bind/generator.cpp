// kagari.Generator: the core's source of random numbers as a Python object.
#include "core/random.h"

#include <memory>

#include "bind/bind.h"
// after Python.h
#include <structmember.h>

namespace kagari {

PyTypeObject* generator_type = nullptr;

namespace {

struct GeneratorObject {
  PyObject_HEAD Generator* generator;
  PyObject* weakrefs;
};
PyObject* default_object = nullptr;

Generator& generator_of(PyObject* o) { return *reinterpret_cast<GeneratorObject*>(o)->generator; }
using Lock = std::lock_guard<std::mutex>;

PyObject* make(PyTypeObject* type, Generator* generator) {
  auto* o = reinterpret_cast<GeneratorObject*>(type->tp_alloc(type, 0));
  if (!o) throw_python_error();
  o->generator = generator;
  return reinterpret_cast<PyObject*>(o);
}

PyObject* generator_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  KG_BIND_TRY
  static const char* const names[] = {"device", nullptr};
  PyObject* where = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Generator", const_cast<char**>(names), &where))
    return nullptr;
  Device d;
  KG_CHECK_TYPE(!where || where == Py_None || to_device(where, d),
                "argument 'device' must be kagari.device, not ", describe_object(where));
  KG_CHECK(d.is_cpu(), "there are generators for the CPU only, got device ", d,
           "; use Generator('cpu')");
  auto generator = std::make_unique<Generator>();
  PyObject* made = make(type, generator.get());
  generator.release();
  return made;
  KG_BIND_CATCH("Generator", nullptr)
}

void generator_dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  auto* o = reinterpret_cast<GeneratorObject*>(self);
  if (o->weakrefs) PyObject_ClearWeakRefs(self);
  if (o->generator != &default_generator()) delete o->generator;
  type->tp_free(self);
  Py_DECREF(type);
}

// As PyTorch: any int of 64 bits, with or without a sign.
uint64_t seed_of(PyObject* o, const char* function) {
  KG_CHECK(PyLong_Check(o) && !PyBool_Check(o), function, " expected a long, but got ",
           Py_TYPE(o)->tp_name);
  int overflow = 0;
  int64_t v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (!overflow) return uint64_t(v);
  uint64_t u = overflow > 0 ? PyLong_AsUnsignedLongLong(o) : 0;
  bool fits = overflow > 0 && !(u == uint64_t(-1) && PyErr_Occurred());
  PyErr_Clear();
  KG_CHECK_VALUE(fits, "Overflow when unpacking long long: a seed has 64 bits");
  return u;
}

PyObject* manual_seed(PyObject* self, PyObject* arg) {
  KG_BIND_TRY
  uint64_t seed = seed_of(arg, "manual_seed");
  Lock lock(generator_of(self).mutex);
  generator_of(self).manual_seed(seed);
  return Py_NewRef(self);
  KG_BIND_CATCH("Generator", nullptr)
}
PyObject* seed(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Lock lock(generator_of(self).mutex);
  return PyLong_FromUnsignedLongLong(generator_of(self).seed());
  KG_BIND_CATCH("seed", nullptr)
}
PyObject* initial_seed(PyObject* self, PyObject*) {
  return PyLong_FromUnsignedLongLong(generator_of(self).initial_seed());
}

PyObject* get_state(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Tensor state = empty({Generator::kStateBytes}, Dtype::u8);
  Lock lock(generator_of(self).mutex);
  generator_of(self).get_state(state.data_as<uint8_t>());
  return wrap(std::move(state));
  KG_BIND_CATCH("get_state", nullptr)
}
PyObject* set_state(PyObject* self, PyObject* arg) {
  KG_BIND_TRY
  KG_CHECK_TYPE(is_tensor(arg), "expected a uint8 Tensor, but got ", describe_object(arg));
  const TensorImpl* t = as_impl(arg);
  KG_CHECK_TYPE(t->dtype == Dtype::u8 && t->device.is_cpu() && t->is(kContiguous),
                "RNG state must be a contiguous uint8 Tensor on the CPU, got ",
                describe_object(arg));
  KG_CHECK(t->numel == Generator::kStateBytes, "expected a state of ", Generator::kStateBytes,
           " bytes, got ", t->numel, "; pass what get_state() returned");
  Lock lock(generator_of(self).mutex);
  generator_of(self).set_state(reinterpret_cast<const uint8_t*>(t->data));
  return Py_NewRef(self);
  KG_BIND_CATCH("set_state", nullptr)
}
PyObject* clone_state(PyObject* self, PyObject*) {
  KG_BIND_TRY
  auto generator = std::make_unique<Generator>();
  {
    Lock lock(generator_of(self).mutex);
    generator->copy_state(generator_of(self));
  }
  PyObject* made = make(generator_type, generator.get());
  generator.release();
  return made;
  KG_BIND_CATCH("clone_state", nullptr)
}
PyObject* no_offset(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_RuntimeError, "CPU Generator does not use offset");
  return nullptr;
}

// Pickled as PyTorch does: the device, then (seed, offset, state).
PyObject* reduce(PyObject* self, PyObject*) {
  KG_BIND_TRY
  Ref state = checked(get_state(self, nullptr)), device = checked(wrap(Device{}));
  Ref seed = checked(initial_seed(self, nullptr));
  return Py_BuildValue("(O(O)(OOO))", Py_TYPE(self), device.get(), seed.get(), Py_None,
                       state.get());
  KG_BIND_CATCH("Generator", nullptr)
}
PyObject* setstate(PyObject* self, PyObject* arg) {
  KG_BIND_TRY
  PyObject *seed = nullptr, *offset = nullptr, *state = nullptr;
  if (!PyTuple_Check(arg) || !PyArg_ParseTuple(arg, "OOO:__setstate__", &seed, &offset, &state)) {
    KG_CHECK_TYPE(PyTuple_Check(arg), "expected (seed, offset, state), got ", describe_object(arg));
    return nullptr;
  }
  return set_state(self, state);
  KG_BIND_CATCH("Generator", nullptr)
}

PyObject* get_device(PyObject* self, void*) { return wrap(generator_of(self).device()); }

PyGetSetDef getset[] = {{"device", get_device, nullptr, "the device of its numbers", nullptr}, {}};
PyMethodDef methods[] = {
    {"manual_seed", manual_seed, METH_O,
     "manual_seed($self, seed, /)\n--\n\nSets the seed; returns the generator."},
    {"seed", seed, METH_NOARGS,
     "seed($self, /)\n--\n\nTakes a seed from the system and returns it."},
    {"initial_seed", initial_seed, METH_NOARGS,
     "initial_seed($self, /)\n--\n\nReturns the seed in use."},
    {"get_state", get_state, METH_NOARGS,
     "get_state($self, /)\n--\n\nReturns the state as a uint8 tensor of 5056 elements."},
    {"set_state", set_state, METH_O,
     "set_state($self, new_state, /)\n--\n\nTakes up a state that get_state() returned."},
    {"graphsafe_get_state", clone_state, METH_NOARGS,
     "graphsafe_get_state($self, /)\n--\n\nA generator with this state."},
    {"clone_state", clone_state, METH_NOARGS,
     "clone_state($self, /)\n--\n\nReturns a generator with the same state."},
    {"get_offset", no_offset, METH_NOARGS,
     "get_offset($self, /)\n--\n\nRaises: only generators of GPUs have an offset."},
    {"set_offset", no_offset, METH_O,
     "set_offset($self, offset, /)\n--\n\nRaises: only generators of GPUs have an offset."},
    {"__reduce__", reduce, METH_NOARGS, nullptr},
    {"__setstate__", setstate, METH_O, nullptr},
    {}};
PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(GeneratorObject, weakrefs), READONLY, nullptr}, {}};
PyType_Slot slots[] = {
    {Py_tp_new, (void*)generator_new},
    {Py_tp_dealloc, (void*)generator_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, getset},
    {Py_tp_doc, (void*)"Generator(device='cpu')\n--\n\nA source of random "
                       "numbers: mt19937, as PyTorch's on the CPU.\n"
                       "\n    >>> g = kagari.Generator().manual_seed(0)\n    >>> kagari.randn(2, "
                       "generator=g)\n    tensor([ 1.5410, -0.2934])"},
    {0, nullptr}};
PyType_Spec spec = {"kagari.Generator", sizeof(GeneratorObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

}  // namespace

bool to_generator(PyObject* o, Generator*& out) {
  if (!PyObject_TypeCheck(o, generator_type)) return false;
  out = &generator_of(o);
  return true;
}

void init_generator(PyObject* module) {
  generator_type = add_type(module, &spec);
  default_object = make(generator_type, &default_generator());
  add_object(module, "default_generator", default_object);
}

}  // namespace kagari
