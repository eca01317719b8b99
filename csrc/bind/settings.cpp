// Settings and statistics of the process: threads and the allocator's memory.
#include "bind/bind.h"
#include "core/parallel.h"

namespace kagari {
namespace {

// The pools between ops have one thread: ops run in their caller's.
int interop_threads = 1;

int count_argument(PyObject* arg, const char* function) {
  int64_t n = 0;
  KG_CHECK_TYPE(to_int(arg, n, false), function, " expects an int, but got ", describe_object(arg));
  KG_CHECK(n > 0 && n <= 4096, "expected a positive number of threads, got ", n);
  return int(n);
}

PyObject* get_num_threads(PyObject*, PyObject*) { return PyLong_FromLong(num_threads()); }
PyObject* set_num_threads_py(PyObject*, PyObject* arg) {
  KG_BIND_TRY
  set_num_threads(count_argument(arg, "set_num_threads"));
  Py_RETURN_NONE;
  KG_BIND_CATCH("set_num_threads", nullptr)
}
PyObject* get_num_interop_threads(PyObject*, PyObject*) { return PyLong_FromLong(interop_threads); }
PyObject* set_num_interop_threads(PyObject*, PyObject* arg) {
  KG_BIND_TRY
  interop_threads = count_argument(arg, "set_num_interop_threads");
  Py_RETURN_NONE;
  KG_BIND_CATCH("set_num_interop_threads", nullptr)
}

PyObject* memory_stats(PyObject*, PyObject*) {
  KG_BIND_TRY
  allocator::Stats s = allocator::stats();
  return Py_BuildValue("{snsnsnsnsKsK}", "allocated", Py_ssize_t(s.allocated), "reserved",
                       Py_ssize_t(s.reserved), "peak_allocated", Py_ssize_t(s.peak_allocated),
                       "peak_reserved", Py_ssize_t(s.peak_reserved), "allocations",
                       (unsigned long long)s.allocations, "cache_hits",
                       (unsigned long long)s.cache_hits);
  KG_BIND_CATCH("memory_stats", nullptr)
}
PyObject* empty_cache(PyObject*, PyObject*) {
  KG_BIND_TRY
  allocator::empty_cache();
  Py_RETURN_NONE;
  KG_BIND_CATCH("empty_cache", nullptr)
}
PyObject* reset_peak(PyObject*, PyObject*) {
  KG_BIND_TRY
  allocator::reset_peak();
  Py_RETURN_NONE;
  KG_BIND_CATCH("reset_peak_memory_stats", nullptr)
}

PyMethodDef functions[] = {
    {"get_num_threads", get_num_threads, METH_NOARGS,
     "get_num_threads($module, /)\n--\n\nReturns how many threads an op may use.\n"
     "\n    >>> kagari.get_num_threads() >= 1\n    True"},
    {"set_num_threads", set_num_threads_py, METH_O,
     "set_num_threads($module, num, /)\n--\n\nSets how many threads an op may use; results do not "
     "depend on it.\n"
     "\n    >>> kagari.set_num_threads(kagari.get_num_threads())"},
    {"get_num_interop_threads", get_num_interop_threads, METH_NOARGS,
     "get_num_interop_threads($module, /)\n--\n\nReturns what set_num_interop_threads was given; "
     "ops run in their caller's thread.\n"
     "\n    >>> kagari.get_num_interop_threads() >= 1\n    True"},
    {"set_num_interop_threads", set_num_interop_threads, METH_O,
     "set_num_interop_threads($module, num, /)\n--\n\nKept for programs that call it: ops run in "
     "their caller's thread."},
    {"_memory_stats", memory_stats, METH_NOARGS,
     "_memory_stats($module, /)\n--\n\nThe allocator's counts, in bytes."},
    {"_empty_cache", empty_cache, METH_NOARGS,
     "_empty_cache($module, /)\n--\n\nGives cached memory back to the system."},
    {"_reset_peak_memory_stats", reset_peak, METH_NOARGS,
     "_reset_peak_memory_stats($module, /)\n--\n\nForgets the peaks."},
    {}};

}  // namespace

void init_settings(PyObject* module) { add_functions(module, functions); }

}  // namespace kagari
