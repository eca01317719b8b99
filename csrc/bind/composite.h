// Python functions declared with a signature: how the call machinery sees them.
#pragma once
#include <string>
#include <vector>

#include "bind/parser.h"

namespace kagari {

struct Composite {
  std::string text;      // the signature as given; `signature` points into it
  std::string readable;  // the same with its results replaced by Tensor
  std::string returns;   // what stood after ->
  // Of `-> (Tensor values, Tensor indices)`: a plain tuple that the function returns becomes one
  // with these names.
  std::vector<std::string> fields;
  PyTypeObject* result_type = nullptr;
  std::string doc;
  Signature signature;
  Autocast autocast = Autocast::none;
  PyObject* function = nullptr;
  PyObject* defaults[kMaxParams] = {};
};

// Calls the Python function with the arguments in the signature's order. `slots` as parse() left
// them.
PyObject* call_composite(const Overload& o, Form form, const Value* values, PyObject* const* slots,
                         PyObject* out);

}  // namespace kagari
