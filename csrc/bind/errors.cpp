// Exceptions at the boundary: the core's errors become Python's, with the op's name in front of the
// message.
#include "bind/bind.h"

#include <new>

namespace kagari {

PyObject* out_of_memory_error = nullptr;
PyObject* linalg_error = nullptr;

namespace {

PyObject* python_class(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::runtime:
      return PyExc_RuntimeError;
    case ErrorKind::value:
      return PyExc_ValueError;
    case ErrorKind::type:
      return PyExc_TypeError;
    case ErrorKind::index:
      return PyExc_IndexError;
    case ErrorKind::not_implemented:
      return PyExc_NotImplementedError;
    case ErrorKind::out_of_memory:
      return out_of_memory_error;
    case ErrorKind::internal:
      return PyExc_RuntimeError;
    case ErrorKind::python:
      break;
  }
  return PyExc_RuntimeError;
}

// _nll_loss is called for nn.functional.nll_loss: its errors go by that name.
void set_exception(PyObject* type, const char* op, const char* message) {
  if (op && op[0] == '_' && op[1] != '_') ++op;
  if (op && *op) {
    PyErr_Format(type, "%s: %s", op, message);
  } else {
    PyErr_SetString(type, message);
  }
}

}  // namespace

void translate_exception(const char* op) noexcept {
  try {
    throw;
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::python) {
      set_exception(python_class(e.kind()), op, e.what());
    } else if (!PyErr_Occurred()) {
      PyErr_SetString(PyExc_SystemError, "kagari: an error was announced but no exception was set");
    }
  } catch (const std::bad_alloc&) {
    set_exception(out_of_memory_error, op, "out of memory");
  } catch (const std::exception& e) {
    set_exception(PyExc_RuntimeError, op, e.what());
  } catch (const char* message) {  // the reader of signatures, when it runs at run time
    set_exception(PyExc_ValueError, op, message);
  } catch (...) {
    set_exception(PyExc_RuntimeError, op, "an unknown C++ exception");
  }
}

void init_errors(PyObject* module) {
  // Both a RuntimeError, as PyTorch's, and a MemoryError, as Python's.
  Ref bases = checked(PyTuple_Pack(2, PyExc_RuntimeError, PyExc_MemoryError));
  out_of_memory_error =
      checked(PyErr_NewExceptionWithDoc("kagari.OutOfMemoryError",
                                        "Raised when memory for a tensor cannot be had.",
                                        bases.get(), nullptr))
          .release();
  linalg_error = checked(PyErr_NewExceptionWithDoc(
                             "kagari.linalg.LinAlgError",
                             "Raised when a matrix has no such decomposition or inverse.",
                             PyExc_RuntimeError, nullptr))
                     .release();
  add_object(module, "OutOfMemoryError", out_of_memory_error);
  add_object(module, "LinAlgError", linalg_error);
}

}  // namespace kagari
