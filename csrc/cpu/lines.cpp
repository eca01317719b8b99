// Lines along a dimension: geometry, and copies where a tensor does not lie so.
#include "cpu/lines.h"

#include "cpu/convert.h"

namespace kagari {

namespace {

// A tensor's description without a Python object, for convert(): it reads geometry and data only.
struct Shell {
  TensorImpl t{};
  int64_t geometry[2 * kMaxDims];
};

// `dim` moved to the end, over the given memory: strided as x, or contiguous.
void describe_lines(Shell& s, const TensorImpl* x, int64_t dim, char* data, Dtype dtype,
                    bool contiguous) {
  int n = x->ndim, at = 0;
  for (int i = 0; i < n; ++i) {
    if (i == dim) continue;
    s.geometry[at] = x->sizes[i];
    s.geometry[n + at++] = x->strides()[i];
  }
  if (n) {
    s.geometry[at] = x->sizes[dim];
    s.geometry[n + at] = x->strides()[dim];
  }
  bool dense = true;
  int64_t step = 1;
  for (int i = n - 1; i >= 0; --i) {
    if (contiguous) s.geometry[n + i] = step;
    dense = dense && (s.geometry[i] == 1 || s.geometry[n + i] == step);
    step *= s.geometry[i];
  }
  s.t.data = data;
  s.t.dtype = dtype;
  s.t.ndim = uint8_t(n);
  s.t.sizes = s.geometry;
  s.t.numel = x->numel;
  s.t.flags = dense || x->numel == 0 ? uint32_t(kContiguous) : 0u;
}

int64_t length(const TensorImpl* x, int64_t dim) { return x->ndim ? x->sizes[dim] : 1; }

}  // namespace

Lines::Lines(const TensorImpl* x, int64_t dim, Dtype dtype) {
  n = length(x, dim);
  count = n ? x->numel / n : 0;
  Shell from;
  describe_lines(from, x, dim, x->data, x->dtype, false);
  data_ = x->data;
  if (x->numel == 0 || (from.t.is(kContiguous) && dtype == x->dtype)) return;
  own_ = std::make_unique<Workspace>(size_t(x->numel * itemsize(dtype)));
  data_ = own_->as<char>();
  Shell to;
  describe_lines(to, x, dim, own_->as<char>(), dtype, true);
  convert(&to.t, &from.t);
}

Lines::Lines(const Tensor& x, Dtype dtype) : Lines(x.get(), x.dim() ? x.dim() - 1 : 0, dtype) {
  n = x.numel();
  count = 1;
}

LinesOut::LinesOut(const Tensor& y, int64_t dim) : to_(y.get()), dim_(dim) {
  n = length(to_, dim);
  count = n ? to_->numel / n : 0;
  Shell s;
  describe_lines(s, to_, dim, to_->data, to_->dtype, false);
  data_ = to_->data;
  if (to_->numel == 0 || s.t.is(kContiguous)) return;
  own_ = std::make_unique<Workspace>(size_t(y.nbytes()));
  data_ = own_->as<char>();
}

void LinesOut::store() {
  if (!own_) return;
  Shell to, from;
  describe_lines(to, to_, dim_, to_->data, to_->dtype, false);
  describe_lines(from, to_, dim_, data_, to_->dtype, true);
  convert(&to.t, &from.t);
}

}  // namespace kagari
