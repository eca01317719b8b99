// Joining and element movement by name, for C++: each records on the tape when grad mode is on.
#pragma once
#include <vector>

#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(cat)
KG_DECLARE_ROW(stack)
KG_DECLARE_ROW(block_diag)
KG_DECLARE_ROW(constant_pad_nd)
KG_DECLARE_ROW(pad_inside)
KG_DECLARE_ROW(pad_inside_backward)
KG_DECLARE_ROW(flip)
KG_DECLARE_ROW(roll)
KG_DECLARE_ROW(repeat)

// A borrowed list of tensors for call().
class Tensors {
 public:
  Tensors(const std::vector<Tensor>& v) {
    p_.reserve(v.size());
    for (const Tensor& t : v) p_.push_back(t.get());
  }
  operator TensorList() const { return {p_.data(), int64_t(p_.size())}; }
  operator Value() const { return TensorList(*this); }

 private:
  std::vector<TensorImpl*> p_;
};

inline Tensor cat(const std::vector<Tensor>& tensors, int64_t dim = 0) {
  return call(rows::cat, TensorList(Tensors(tensors)), dim);
}
inline Tensor stack(const std::vector<Tensor>& tensors, int64_t dim = 0) {
  return call(rows::stack, TensorList(Tensors(tensors)), dim);
}
inline Tensor flip(const Tensor& x, Ints dims) { return call(rows::flip, x, dims); }

}  // namespace kagari
