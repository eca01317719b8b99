// Tensors as the operands of the provider's products.
#pragma once
#include <memory>

#include "core/tensor.h"
#include "cpu/provider/gemm.h"

namespace kagari {

// The provider's name of a dtype that has products.
inline provider::Kind kind_of(Dtype d) {
  using provider::Kind;
  switch (d) {
    case Dtype::u8:
      return Kind::u8;
    case Dtype::i8:
      return Kind::i8;
    case Dtype::i16:
      return Kind::i16;
    case Dtype::i32:
      return Kind::i32;
    case Dtype::i64:
      return Kind::i64;
    case Dtype::f16:
      return Kind::f16;
    case Dtype::bf16:
      return Kind::bf16;
    case Dtype::f32:
      return Kind::f32;
    case Dtype::f64:
      return Kind::f64;
    case Dtype::c64:
      return Kind::c64;
    case Dtype::c128:
      return Kind::c128;
    default:
      KG_INTERNAL(false, "no products of ", d);
  }
  __builtin_unreachable();
}

// The elements of a tensor in row-major order without gaps: its own memory, or a copy. Needs no
// GIL.
class Dense {
 public:
  explicit Dense(const TensorImpl* t);
  // The elements of t broadcast to other sizes.
  Dense(const TensorImpl* t, Ints sizes);
  const char* data() const { return data_; }

 private:
  void copy(const TensorImpl* t, Ints sizes);
  std::unique_ptr<Workspace> copy_;
  const char* data_;
};

}  // namespace kagari
