// The few tensor operations that the tape needs for views; ops/ fills them in, so the tape includes
// no op.
#pragma once
#include "core/tensor.h"

namespace kagari {

struct ViewOps {
  Tensor (*as_strided)(const Tensor& t, Ints sizes, Ints strides, int64_t offset);
  Tensor (*clone)(const Tensor& t);
  Tensor (*clone_strided)(const Tensor& t, Ints sizes,
                          Ints strides);  // a copy with exactly these strides
  void (*copy_)(const Tensor& to, const Tensor& from);
  void (*zero_)(const Tensor& t);
  Tensor (*add)(const Tensor& a, const Tensor& b);
  void (*add_)(const Tensor& a, const Tensor& b);
  Tensor (*sum_to)(const Tensor& t, Ints sizes);
  Tensor (*to_dtype)(const Tensor& t, Dtype dtype);
  Tensor (*ones_like)(const Tensor& t);
  bool (*any_nan)(const Tensor& t);
};
extern ViewOps view_ops;

}  // namespace kagari
