// The tensor operations that the tape asks for: fills view_ops (autograd/view_ops.h) with rows.
#include "autograd/view_ops.h"
#include "core/sparse.h"
#include "ops/creation.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

KG_DECLARE_ROW(copy)

namespace {

// The answer of kagari.sparse when a or b is sparse; undefined when both are dense.
Tensor sparse_answer(const char* what, const Tensor& a, const Tensor& b = {},
                     Dtype dtype = Dtype::f32) {
  bool sparse = is_sparse(a) || (b.defined() && is_sparse(b));
  return __builtin_expect(sparse, 0) ? sparse_call(what, a, b, dtype) : Tensor();
}

struct Fill {
  Fill() {
    view_ops.as_strided = [](const Tensor& t, Ints sizes, Ints strides, int64_t offset) {
      return as_strided(t, sizes, strides, offset);
    };
    view_ops.clone = [](const Tensor& t) {
      Tensor sparse = sparse_answer("clone", t);
      return sparse.defined() ? sparse : clone(t);
    };
    view_ops.clone_strided = [](const Tensor& t, Ints sizes, Ints strides) {
      if (Tensor sparse = sparse_answer("clone", t); sparse.defined()) return sparse;
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
    view_ops.add = [](const Tensor& a, const Tensor& b) {
      Tensor sparse = sparse_answer("add", a, b);
      return sparse.defined() ? sparse : a + b;
    };
    view_ops.add_ = [](const Tensor& a, const Tensor& b) {
      if (!sparse_answer("add_", a, b).defined()) call_inplace(rows::add, a, b);
    };
    view_ops.sum_to = [](const Tensor& t, Ints sizes) {
      Tensor dense = sparse_answer("to_dense", t);
      return sum_to(dense.defined() ? dense : t, sizes);
    };
    view_ops.to_dtype = [](const Tensor& t, Dtype dtype) {
      if (Tensor sparse = sparse_answer("to_dtype", t, {}, dtype); sparse.defined()) return sparse;
      // A complex gradient of a real tensor: its real part.
      return to(is_complex(t.dtype()) && !is_complex(dtype) ? call(rows::real, t) : t, dtype);
    };
    view_ops.ones_like = [](const Tensor& t) { return ones(t.sizes(), t.dtype(), t.device()); };
    view_ops.any_nan = [](const Tensor& t) {
      if (t.is_meta() || t.numel() == 0) return false;
      GradGuard off(false);
      Tensor values = sparse_answer("values", t);
      Tensor nan = values.defined() ? ne(values, values) : ne(t, t);
      return *call(rows::any, nan).data_as<bool>();
    };
  }
} fill;

}  // namespace
}  // namespace kagari
