// The ops as Python sees them: groups of overloads, the three forms of a group, and the named
// tuples of results.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "bind/parser.h"

namespace kagari {

struct Group;

// One form of a group: kagari.add, Tensor.add or Tensor.add_.
struct Callable {
  Group* group = nullptr;
  Form form = Form::function;
  std::string name;                        // "add", "add_"
  std::vector<const Overload*> overloads;  // in the fixed order
  PyObject* object = nullptr;  // what __torch_function__ sees: kagari.add, Tensor.add, Tensor.add_
  PyObject* module = nullptr;  // the __module__ of a composite; null: kagari
  std::vector<PyTypeObject*> result_types;  // beside overloads: the named tuple of each, once made
};

struct Group {
  std::string name;
  std::vector<std::unique_ptr<Overload>> all;
  Callable forms[3];
  // The row for two arguments (a tensor first) when the rest of its parameters have defaults, by
  // form.
  const Overload* binary[3] = {};

  Callable& form(Form f) { return forms[int(f)]; }
};

// Adds an overload to its group and makes the objects that it calls for: attributes of
// kagari._core.ops, methods of Tensor, and an entry of kagari._core.functions where it is public.
void add_overload(std::unique_ptr<Overload> overload);
void for_each_group(void (*visit)(void*, Group&), void* context);

PyObject* run_callable(Callable& c, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames);
// What an op's results are to Python: a tensor, a named tuple, a tuple, None.
PyObject* wrap_results(const Overload& o, Callable& c, Results& results);
// The documentation: signatures and the first overload's text.
std::string callable_doc(const Callable& c);

// A named tuple type kagari.return_types.<name>; borrowed, lives for ever.
PyTypeObject* result_type(std::string_view name, const std::vector<std::string>& fields);
// Takes the items (new references).
PyObject* make_result(PyTypeObject* type, PyObject* const* items, Py_ssize_t n);
void init_result_types(PyObject* module);

}  // namespace kagari
