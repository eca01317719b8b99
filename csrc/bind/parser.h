// The argument parser: one table-driven reader of Python calls for all ops, rows and composites
// alike.
//
// Laws:
//  - Overloads are tried in a fixed order that follows from their signatures alone; the first that
//  takes the arguments runs.
//  - Reading allocates nothing on the common path: lists go into buffers on the caller's stack.
//  - Reading says only whether the arguments fit. What is wrong with them is worked out afterwards,
//  when none fits.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bind/bind.h"
#include "ops/row.h"

namespace kagari {

struct Composite;

// One signature as the parser uses it.
struct Overload {
  const Signature* sig = nullptr;
  const Row* row = nullptr;              // either a primitive
  const Composite* composite = nullptr;  // or a Python function
  uint16_t as = 0;                       // RowAs
  const Value* defaults = nullptr;       // of a row
  bool takes_out = false;                // the function form has out=
  int8_t self = 0;                       // the parameter that the method form binds
  int8_t requires_grad = -1;     // of a factory: the parameter that is applied to the result
  int8_t factory_device = -1;    // of a function without tensor arguments: its device parameter
  int8_t positional = 0;         // parameters that can be given by position
  uint32_t required = 0;         // bits of the parameters without a default
  uint8_t order[2][kMaxParams];  // the k-th positional argument's parameter: [0] as a function, [1]
                                 // as a method
  PyObject* names[kMaxParams];   // interned
  std::vector<std::pair<PyObject*, int>> aliases;  // other names that are accepted

  Overload(const Signature& signature, uint16_t as);
  Overload(const Overload&) = delete;
  int find_name(PyObject* name) const;  // by keyword or alias; -1
};

// Where list arguments are gathered. Lives as long as the values read.
class Buffers {
 public:
  Buffers() = default;
  Buffers(const Buffers&) = delete;
  ~Buffers() {
    if (__builtin_expect(!lists_.empty() || !heap_.empty(), 0)) clear();
  }
  int64_t* ints(int64_t n);
  double* reals(int64_t n);
  TensorImpl** tensors(int64_t n);  // the entries are cleared; those set are released at the end
  void clear();

 private:
  static constexpr int kInline = 48;
  int64_t words_[kInline];
  int used_ = 0;
  std::vector<std::unique_ptr<int64_t[]>> heap_;
  std::vector<std::pair<TensorImpl**, int64_t>> lists_;
};

// What reading a call gave besides the values.
struct Parsed {
  Buffers buffers;
  PyObject* out = nullptr;  // the out= argument; borrowed, never None
  bool overridden = false;  // an argument's type overrides __torch_function__
  uint32_t flags = 0;       // of all tensors; kSparse for a sparse layout too
};

// Room for values that is not cleared first.
struct ValueRoom {
  alignas(Value) char bytes[sizeof(Value) * kMaxParams];
  Value* get() { return reinterpret_cast<Value*>(bytes); }
};

// Reads the arguments of a vectorcall; false when they do not fit. `slots` (may be null) receives
// the objects given, null where a default holds or several positional arguments were gathered.
bool parse(const Overload& o, Form form, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames,
           Value* values, PyObject** slots, Parsed& parsed);
// One object for one parameter.
bool convert(const Param& p, PyObject* object, Value& value, Parsed& parsed);

// Whether a comes before b in the fixed order.
bool tried_before(const Overload& a, const Overload& b);

// "sum(Tensor input, tuple of ints dim, bool keepdim=False, *, kagari.dtype dtype=None)"
std::string signature_text(const Overload& o, Form form, std::string_view name);
// Throws the TypeError for a call that no overload takes.
[[noreturn]] void throw_mismatch(const std::vector<const Overload*>& overloads, Form form,
                                 PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames,
                                 std::string_view name);

}  // namespace kagari
