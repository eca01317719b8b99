// Convolutions on the CPU: tensors as the provider's images and weights.
#include <cstring>

#include "cpu/matmul.h"
#include "cpu/provider/conv.h"
#include "ops/conv.h"

namespace kagari {
namespace {

using provider::ConvShape;
using provider::ImageStrides;
using provider::WeightStrides;

// Space is three axes for the provider; fewer are led by axes of one.
ConvShape shape_of(Ints x, Ints y, Ints w, Ints stride, Ints padding, Ints dilation,
                   int64_t groups) {
  ConvShape s;
  s.batch = x[0];
  s.groups = groups;
  s.in_channels = x[1];
  s.out_channels = y[1];
  int64_t dims = x.n - 2;
  for (int64_t i = 0; i < dims; ++i) {
    int64_t axis = 3 - dims + i;
    auto of = [&](Ints v) { return v[v.n == 1 ? 0 : i]; };
    s.in[axis] = x[i + 2];
    s.out[axis] = y[i + 2];
    s.kernel[axis] = w[i + 2];
    s.stride[axis] = of(stride);
    s.padding[axis] = of(padding);
    s.dilation[axis] = of(dilation);
  }
  return s;
}
void space_strides(const Tensor& t, int64_t* to) {
  int64_t dims = t.dim() - 2;
  for (int64_t axis = 2; axis >= 0; --axis) {
    int64_t d = axis - (3 - dims);
    to[axis] = d >= 0 ? t.strides()[d + 2]
                      : to[axis + 1] *
                            (axis + 1 - (3 - dims) >= 0 ? t.sizes()[axis + 1 - (3 - dims) + 2] : 1);
  }
}
ImageStrides image_strides(const Tensor& t) {
  ImageStrides s{t.strides()[0], t.strides()[1], {}};
  space_strides(t, s.space);
  return s;
}
WeightStrides weight_strides(const Tensor& t) {
  WeightStrides s{t.strides()[0], t.strides()[1], {}};
  space_strides(t, s.kernel);
  return s;
}
provider::WeightRef weight_of(const Tensor& w) { return {w.data(), weight_strides(w)}; }

void clear(const Tensor& t) { std::memset(t.data(), 0, size_t(t.nbytes())); }

void convolution_cpu(Results& out, const Tensor& x, const Tensor& w, const Tensor& bias,
                     Ints stride, Ints padding, Ints dilation, bool transposed, Ints,
                     int64_t groups) {
  const Tensor& y = out[0];
  if (y.numel() == 0) return;
  std::unique_ptr<Dense> b;
  if (bias.defined()) b = std::make_unique<Dense>(bias.get());
  const void* added = b ? b->data() : nullptr;
  provider::Kind kind = kind_of(x.dtype());
  if (transposed) {
    provider::conv_backward_data(
        kind, shape_of(y.sizes(), x.sizes(), w.sizes(), stride, padding, dilation, groups),
        x.data(), image_strides(x), weight_of(w), added, y.data(), image_strides(y));
  } else {
    provider::conv_forward(
        kind, shape_of(x.sizes(), y.sizes(), w.sizes(), stride, padding, dilation, groups),
        x.data(), image_strides(x), weight_of(w), added, y.data(), image_strides(y));
  }
}
void conv_input_cpu(Results& out, const Tensor& g, const Tensor& w, Ints, Ints stride, Ints padding,
                    Ints dilation, int64_t groups) {
  const Tensor& dx = out[0];
  if (dx.numel() == 0) return;
  if (g.numel() == 0) return clear(dx);
  provider::conv_backward_data(
      kind_of(g.dtype()),
      shape_of(dx.sizes(), g.sizes(), w.sizes(), stride, padding, dilation, groups), g.data(),
      image_strides(g), weight_of(w), nullptr, dx.data(), image_strides(dx));
}
void conv_weight_cpu(Results& out, const Tensor& g, const Tensor& x, Ints, Ints stride,
                     Ints padding, Ints dilation, int64_t groups, bool bias) {
  const Tensor &dw = out[0], &db = out[1];
  if (g.numel() == 0 || x.numel() == 0) {
    clear(dw);
    return clear(db);
  }
  provider::conv_backward_weight(
      kind_of(g.dtype()),
      shape_of(x.sizes(), g.sizes(), dw.sizes(), stride, padding, dilation, groups), x.data(),
      image_strides(x), g.data(), image_strides(g), dw.data(), weight_strides(dw),
      bias ? db.data() : nullptr);
}

}  // namespace

KG_KERNEL(convolution, cpu, convolution_cpu)
KG_KERNEL(conv_input, cpu, conv_input_cpu)
KG_KERNEL(conv_weight, cpu, conv_weight_cpu)

}  // namespace kagari
