// The tensor operations that the tape asks for: fills view_ops (autograd/view_ops.h) with rows.
#include "autograd/view_ops.h"

#include "ops/creation.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

KG_DECLARE_ROW(copy)

namespace {

struct Fill {
  Fill() {
    view_ops.as_strided = [](const Tensor& t, Ints sizes, Ints strides, int64_t offset) {
      return as_strided(t, sizes, strides, offset);
    };
    view_ops.clone = [](const Tensor& t) { return clone(t); };
    view_ops.clone_strided = [](const Tensor& t, Ints sizes, Ints strides) {
      // A fresh tensor with exactly these strides; the copy is recorded when the tape is on.
      Tensor r = empty_strided(sizes, strides, t.dtype(), t.device());
      call_inplace(rows::copy, r, t, false);
      return r;
    };
    view_ops.copy_ = [](const Tensor& to, const Tensor& from) {
      call_inplace(rows::copy, to, from, false);
    };
    view_ops.zero_ = [](const Tensor& t) {
      Tensor zero = scalar_tensor(0, t.dtype(), t.device());
      call_inplace(rows::copy, t, zero, false);
    };
    view_ops.add = [](const Tensor& a, const Tensor& b) { return a + b; };
    view_ops.add_ = [](const Tensor& a, const Tensor& b) { call_inplace(rows::add, a, b); };
    view_ops.sum_to = [](const Tensor& t, Ints sizes) { return sum_to(t, sizes); };
    view_ops.to_dtype = [](const Tensor& t, Dtype dtype) {
      // A complex gradient of a real tensor: its real part.
      return to(is_complex(t.dtype()) && !is_complex(dtype) ? call(rows::real, t) : t, dtype);
    };
    view_ops.ones_like = [](const Tensor& t) { return ones(t.sizes(), t.dtype(), t.device()); };
    view_ops.any_nan = [](const Tensor& t) {
      if (t.is_meta() || t.numel() == 0) return false;
      GradGuard off(false);
      Tensor nan = ne(t, t);
      return *call(rows::any, nan).data_as<bool>();
    };
  }
} fill;

}  // namespace
}  // namespace kagari
