// The call path: every use of a primitive, from Python or from C++, goes through invoke(). No
// kernel is reachable otherwise.
#pragma once
#include "ops/row.h"

namespace kagari {

// Runs a row on parsed arguments. When a flag of an argument or of the thread asks for it:
// transforms, autograd, anomaly records; otherwise straight to infer, allocate, run.
void invoke(const Row& row, const Value* args, Results& out);
// `into` receives the result: the in-place form (record = true) and out= (record = false).
void invoke_into(const Row& row, const Value* args, TensorImpl* const* into, int n, bool inplace,
                 Results& out);

// From C++: call(rows::sum_dim, x, Ints{0}, true) packs its arguments and fills the defaults.
template <class... Args>
Tensor call(const Row& row, const Args&... args) {
  Value v[kMaxParams];
  int n = 0;
  ((v[n++] = Value(args)), ...);
  for (; n < row.sig.count; ++n) v[n] = row.defaults[size_t(n)];
  Results out;
  invoke(row, v, out);
  return std::move(out[0]);
}
template <class... Args>
Results call_all(const Row& row, const Args&... args) {
  Value v[kMaxParams];
  int n = 0;
  ((v[n++] = Value(args)), ...);
  for (; n < row.sig.count; ++n) v[n] = row.defaults[size_t(n)];
  Results out;
  invoke(row, v, out);
  return out;
}
template <class... Args>
void call_inplace(const Row& row, const Tensor& self, const Args&... args) {
  Value v[kMaxParams];
  int n = 0;
  v[n++] = Value(self);
  ((v[n++] = Value(args)), ...);
  for (; n < row.sig.count; ++n) v[n] = row.defaults[size_t(n)];
  TensorImpl* into[1] = {self.get()};
  Results out;
  invoke_into(row, v, into, 1, true, out);
}

// Gives an out= tensor new sizes, contiguous, growing its storage when needed.
void resize_output(TensorImpl* t, Ints sizes);

// Releases the GIL for a scope when the work is worth it. Tensors used inside must be kept alive by
// the caller, counts must not change, and errors are thrown only after the scope.
class GilRelease {
 public:
  explicit GilRelease(bool worth_it);
  ~GilRelease();
  GilRelease(const GilRelease&) = delete;

 private:
  PyThreadState* state_ = nullptr;
};

}  // namespace kagari
