// Convolutions and transposed convolutions in one, two and three dimensions.
//
// Three bilinear maps are each other's gradients, so every order of derivative is made of them:
//   convolution  y  = x ⋆ w
//   conv_input   dx from dy and w: also a transposed convolution
//   conv_weight  dw from dy and x
#include "ops/conv.h"

#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

bool suggests_channels_last(const Tensor& t) {
  int64_t n = t.dim();
  if (n != 4 && n != 5) return false;
  const int64_t *sizes = t.sizes().p, *strides = t.strides().p;
  if (strides[1] == 0) return false;
  int64_t least = 0;
  for (int64_t step = 0; step < n; ++step) {
    int64_t d = step == 0 ? 1 : step == n - 1 ? 0 : n - step;
    if (sizes[d] == 0 || strides[d] < least) return false;
    if (d == 0 && least == strides[1]) return false;  // one channel of one pixel: row-major
    least = strides[d];
    if (sizes[d] > 1) least *= sizes[d];
  }
  return true;
}

namespace {

std::string bracketed(Ints sizes) {
  std::string s = "[";
  for (int64_t i = 0; i < sizes.n; ++i) s += (i ? ", " : "") + std::to_string(sizes[i]);
  return s + "]";
}
std::string by(Ints sizes) {
  std::string s;
  for (int64_t i = 0; i < sizes.n; ++i) s += (i ? " x " : "") + std::to_string(sizes[i]);
  return s;
}

// One number stands for all dimensions.
Dims spread(Ints v, int64_t dims, const char* what) {
  if (v.n == dims) return v;
  KG_CHECK(v.n == 1, "expected ", what, " to be a single integer value or a list of ", dims,
           " values to match the convolution dimensions, but got ", what, "=", bracketed(v));
  return Dims(dims, v[0]);
}
Ints spatial(Ints sizes) { return {sizes.p + 2, sizes.n - 2}; }

void check_dtype(const Tensor& x, const Tensor& w, const Tensor& b) {
  Dtype d = x.dtype();
  KG_CHECK(d == w.dtype(), "Input type (", d, ") and weight type (", w.dtype(),
           ") should be the same; convert one with .to(dtype)");
  if (b.defined())
    KG_CHECK(d == b.dtype(), "Input type (", d, ") and bias type (", b.dtype(),
             ") should be the same; convert one with .to(dtype)");
  bool has = d < Dtype::c32 && d != Dtype::boolean && !(d >= Dtype::u16 && d <= Dtype::u64);
  KG_CHECK_IMPLEMENTED(has, "convolutions are not implemented for ", d,
                       "; convert the operands, for instance with .to(kagari.float32)");
}

void check_attributes(int64_t dims, Ints stride, Ints padding, Ints dilation, Ints output_padding,
                      int64_t groups) {
  KG_CHECK(groups > 0, "non-positive groups is not supported, got groups=", groups);
  for (int64_t i = 0; i < dims; ++i) {
    KG_CHECK(padding[i] >= 0, "negative padding is not supported, got padding=", bracketed(padding),
             "; slice the input instead");
    KG_CHECK(
        output_padding[i] >= 0,
        "negative output_padding is not supported, got output_padding=", bracketed(output_padding));
    KG_CHECK(stride[i] > 0, "non-positive stride is not supported, got stride=", bracketed(stride));
    KG_CHECK(dilation[i] > 0,
             "dilation should be greater than zero, got dilation=", bracketed(dilation));
    KG_CHECK(std::max({padding[i], output_padding[i], stride[i], dilation[i]}) <= INT32_MAX,
             "expected strides, paddings and dilations below 2**31, got stride=", bracketed(stride),
             ", padding=", bracketed(padding), ", output_padding=", bracketed(output_padding),
             ", dilation=", bracketed(dilation));
  }
}

void check_shapes(const Tensor& x, const Tensor& w, const Tensor& b, int64_t groups,
                  bool transposed) {
  KG_CHECK(x.dim() == w.dim(), "Expected ", w.dim(), "-dimensional input for ", w.dim(),
           "-dimensional weight ", bracketed(w.sizes()), ", but got ", x.dim(),
           "-dimensional input of size ", bracketed(x.sizes()), " instead");
  KG_CHECK(w.sizes()[0] >= groups, "Given groups=", groups, ", expected weight to be at least ",
           groups, " at dimension 0, but got weight of size ", bracketed(w.sizes()), " instead");
  KG_CHECK(w.sizes()[0] % groups == 0, "Given groups=", groups,
           ", expected weight to be divisible by ", groups,
           " at dimension 0, but got weight of size ", bracketed(w.sizes()), " instead");
  int64_t expected = transposed ? w.sizes()[0] : w.sizes()[1] * groups,
          out = transposed ? w.sizes()[1] * groups : w.sizes()[0];
  KG_CHECK(x.sizes()[1] == expected, "Given ",
           transposed ? "transposed=" : "groups=", transposed ? 1 : groups, ", weight of size ",
           bracketed(w.sizes()), ", expected input", bracketed(x.sizes()), " to have ", expected,
           " channels, but got ", x.sizes()[1], " channels instead");
  if (b.defined())
    KG_CHECK(b.dim() == 1 && b.sizes()[0] == out, "Given ", transposed ? "transposed=1, " : "",
             "weight of size ", bracketed(w.sizes()), ", expected bias to be 1-dimensional with ",
             out, " elements, but got bias of size ", bracketed(b.sizes()), " instead");
}

// The result lies as its operands do.
void image(Infer& o, const Dims& sizes, Dtype dtype, bool channels_last) {
  Spec& s = o.out(sizes, dtype);
  if (!channels_last || (sizes.size() != 4 && sizes.size() != 5)) return;
  s.strides = memory_format_strides(
      sizes, sizes.size() == 4 ? MemoryFormat::channels_last : MemoryFormat::channels_last_3d);
  s.has_strides = true;
}

void convolution_infer(Infer& o, const Tensor& x, const Tensor& w, const Tensor& b, Ints stride_,
                       Ints padding_, Ints dilation_, bool transposed, Ints output_padding_,
                       int64_t groups) {
  int64_t dims = w.dim() - 2;
  KG_CHECK(dims >= 1 && dims <= 3, "expected a weight of 3, 4 or 5 dimensions, got ",
           bracketed(w.sizes()));
  Dims stride = spread(stride_, dims, "stride"), padding = spread(padding_, dims, "padding"),
       dilation = spread(dilation_, dims, "dilation"),
       output_padding = spread(output_padding_, dims, "output_padding");
  check_attributes(dims, stride, padding, dilation, output_padding, groups);
  check_shapes(x, w, b, groups, transposed);
  check_dtype(x, w, b);
  Dims sizes{x.sizes()[0], transposed ? w.sizes()[1] * groups : w.sizes()[0]};
  Ints in = spatial(x.sizes()), kernel = spatial(w.sizes());
  Dims padded(dims), reach(dims);
  bool fits = true;
  for (int64_t i = 0; i < dims; ++i) {
    reach[i] = dilation[i] * (kernel[i] - 1) + 1;
    KG_CHECK(kernel[i] > 0, "expected a kernel of at least one element, got weight of size ",
             bracketed(w.sizes()));
    if (transposed) {
      KG_CHECK(
          output_padding[i] < stride[i] || output_padding[i] < dilation[i],
          "output padding must be smaller than either stride or dilation, but got output_padding=",
          bracketed(output_padding), ", stride=", bracketed(stride),
          ", dilation=", bracketed(dilation));
      sizes.push_back((in[i] - 1) * stride[i] - 2 * padding[i] + reach[i] + output_padding[i]);
      fits = fits && sizes.back() >= 0;
    } else {
      padded[i] = in[i] + 2 * padding[i];
      fits = fits && padded[i] >= reach[i];
      sizes.push_back((padded[i] - reach[i]) / stride[i] + 1);
    }
  }
  if (transposed) {
    KG_CHECK(fits, "Given input size per channel: (", by(in),
             "). Calculated output size per channel: (", by(spatial(sizes)),
             "). Output size is too small; use less padding");
  } else {
    KG_CHECK(fits, "Calculated padded input size per channel: (", by(padded), "). Kernel size: (",
             by(reach), "). Kernel size can't be greater than actual input size");
  }
  image(o, sizes, x.dtype(), suggests_channels_last(x) || suggests_channels_last(w));
}

// A convolution of images of the spatial sizes `in` with `kernel` has (at least) the positions of
// the gradient's `out`: fewer where a transposed convolution had output_padding.
void check_positions(const Tensor& g, const Tensor& other, Ints in, Ints kernel, Ints out,
                     Ints stride, Ints padding, Ints dilation, int64_t groups) {
  int64_t dims = g.dim() - 2;
  KG_CHECK(dims >= 1 && dims <= 3 && other.dim() == g.dim(),
           "expected operands of 3, 4 or 5 dimensions each, got ", describe(g), " and ",
           describe(other));
  KG_CHECK(in.n == dims && kernel.n == dims && stride.n == dims && padding.n == dims &&
               dilation.n == dims,
           "expected ", dims, " sizes, strides, paddings and dilations");
  check_attributes(dims, stride, padding, dilation, Dims(dims), groups);
  check_dtype(g, other, Tensor());
  for (int64_t i = 0; i < dims; ++i) {
    KG_CHECK(in[i] >= 0 && kernel[i] > 0, "expected sizes of images and a kernel, got ",
             bracketed(in), " and ", bracketed(kernel));
    KG_CHECK(out[i] == 0 || (out[i] - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 <=
                                in[i] + 2 * padding[i],
             "a kernel ", bracketed(kernel), " on images ", bracketed(in),
             " has fewer positions than ", bracketed(out));
  }
}
void conv_input_infer(Infer& o, const Tensor& g, const Tensor& w, Ints size, Ints stride,
                      Ints padding, Ints dilation, int64_t groups) {
  check_positions(g, w, size, w.dim() > 2 ? spatial(w.sizes()) : Ints(),
                  g.dim() > 2 ? spatial(g.sizes()) : Ints(), stride, padding, dilation, groups);
  KG_CHECK(g.sizes()[1] == w.sizes()[0] && g.sizes()[1] % groups == 0, "a gradient ", describe(g),
           " does not belong to a weight ", describe(w), " and groups=", groups);
  Dims sizes{g.sizes()[0], w.sizes()[1] * groups};
  for (int64_t s : size) sizes.push_back(s);
  image(o, sizes, g.dtype(), suggests_channels_last(g) || suggests_channels_last(w));
}
void conv_weight_infer(Infer& o, const Tensor& g, const Tensor& x, Ints kernel, Ints stride,
                       Ints padding, Ints dilation, int64_t groups, bool bias) {
  check_positions(g, x, x.dim() > 2 ? spatial(x.sizes()) : Ints(), kernel,
                  g.dim() > 2 ? spatial(g.sizes()) : Ints(), stride, padding, dilation, groups);
  KG_CHECK(g.sizes()[0] == x.sizes()[0] && g.sizes()[1] % groups == 0 && x.sizes()[1] % groups == 0,
           "a gradient ", describe(g), " does not belong to an input ", describe(x),
           " and groups=", groups);
  Dims sizes{g.sizes()[1], x.sizes()[1] / groups};
  for (int64_t s : kernel) sizes.push_back(s);
  o.out(sizes, g.dtype());
  o.out({bias ? g.sizes()[1] : 0}, g.dtype());
}

Tensor input_of(const Tensor& g, const Tensor& w, Ints size, Ints stride, Ints padding,
                Ints dilation, int64_t groups) {
  return call(rows::conv_input, g, conj(w), size, stride, padding, dilation, groups);
}
Tensor weight_of(const Tensor& g, const Tensor& x, Ints kernel, Ints stride, Ints padding,
                 Ints dilation, int64_t groups) {
  return call(rows::conv_weight, g, conj(x), kernel, stride, padding, dilation, groups, false);
}
Tensor convolved(const Tensor& x, const Tensor& w, Ints stride, Ints padding, Ints dilation,
                 int64_t groups) {
  return call(rows::convolution, x, w, Tensor(), stride, padding, dilation, false, Dims(stride.n),
              groups);
}
// The results of a convolution that belong to an image of these sizes: a transposed convolution
// padded by a stride or more has an output that further results could be read from.
Tensor fitted(Tensor y, Ints sizes) {
  for (int64_t i = 2; i < y.dim(); ++i)
    if (y.size(i) > sizes[i]) y = narrow(y, i, 0, sizes[i]);
  return y;
}
Dims all_but_channels(int64_t ndim) {
  Dims d{0};
  for (int64_t i = 2; i < ndim; ++i) d.push_back(i);
  return d;
}

void convolution_vjp(Vjp& v, const Tensor& x, const Tensor& w, const Tensor&, Ints stride_,
                     Ints padding_, Ints dilation_, bool transposed, Ints, int64_t groups) {
  const Tensor& g = v.g();
  int64_t dims = g.dim() - 2;
  Dims stride = spread(stride_, dims, "stride"), padding = spread(padding_, dims, "padding"),
       dilation = spread(dilation_, dims, "dilation");
  bool bias = v.needs(2);
  if (v.needs(0))
    v.set(0, transposed
                 ? fitted(convolved(g, conj(w), stride, padding, dilation, groups), v.sizes(0))
                 : input_of(g, w, spatial(v.sizes(0)), stride, padding, dilation, groups));
  if (v.needs(1)) {
    Ints kernel = spatial(v.sizes(1));
    if (transposed) {
      v.set(1,
            call(rows::conv_weight, conj(x), g, kernel, stride, padding, dilation, groups, false));
    } else if (bias && !grad_mode.enabled) {  // the bias's sum comes with one pass
      Results r =
          call_all(rows::conv_weight, g, conj(x), kernel, stride, padding, dilation, groups, true);
      v.set(1, std::move(r[0]));
      v.set(2, std::move(r[1]));
      bias = false;
    } else {
      v.set(1, weight_of(g, x, kernel, stride, padding, dilation, groups));
    }
  }
  if (bias) v.set(2, sum(g, all_but_channels(g.dim())));
}
void conv_input_vjp(Vjp& v, const Tensor& g, const Tensor& w, Ints, Ints stride, Ints padding,
                    Ints dilation, int64_t groups) {
  const Tensor& h = v.g();
  if (v.needs(0))
    v.set(0, fitted(convolved(h, conj(w), stride, padding, dilation, groups), v.sizes(0)));
  if (v.needs(1))
    v.set(1, call(rows::conv_weight, conj(g), h, spatial(v.sizes(1)), stride, padding, dilation,
                  groups, false));
}
void conv_weight_vjp(Vjp& v, const Tensor& g, const Tensor& x, Ints, Ints stride, Ints padding,
                     Ints dilation, int64_t groups, bool) {
  const Tensor& h = v.g();
  if (!h.defined()) return;
  if (v.needs(0))
    v.set(0, fitted(convolved(conj(x), h, stride, padding, dilation, groups), v.sizes(0)));
  if (v.needs(1))
    v.set(1, call(rows::conv_input, conj(g), h, spatial(v.sizes(1)), stride, padding, dilation,
                  groups));
}

// ---- the public forms ---------------------------------------------------------------------------

// With a leading batch dimension; `single` says that one was added.
Tensor batched(const Tensor& x, int64_t dims, const char* name, bool& single) {
  KG_CHECK(x.dim() == dims + 1 || x.dim() == dims + 2, "Expected ", dims + 1, "D (unbatched) or ",
           dims + 2, "D (batched) input to ", name, dims,
           "d, but got input of size: ", bracketed(x.sizes()));
  single = x.dim() == dims + 1;
  return single ? unsqueeze(x, 0) : x;
}
void check_weight(const Tensor& w, int64_t dims, const char* name) {
  KG_CHECK(w.dim() == dims + 2, "expected a weight of ", dims + 2, " dimensions for ", name, dims,
           "d, got size ", bracketed(w.sizes()));
}
Tensor give(Tensor y, bool single) { return single ? squeeze(y, 0) : y; }

// Rows composed of others: what they call records itself.
template <int dims>
void conv_direct(const Row&, const Value* v, Results& out, TensorImpl*) {
  const Tensor &x = as_tensor(v[0].t), &w = as_tensor(v[1].t), &b = Unbox<const Tensor&>::get(v[2]);
  bool single;
  Tensor input = batched(x, dims, "conv", single);
  check_weight(w, dims, "conv");
  Dims none(dims);
  out.add(give(call(rows::convolution, input, w, b, Ints{v[3].ints, v[3].n},
                    Ints{v[4].ints, v[4].n}, Ints{v[5].ints, v[5].n}, false, none, v[6].i),
               single));
}
template <int dims>
void conv_padding_direct(const Row&, const Value* v, Results& out, TensorImpl*) {
  const Tensor &x = as_tensor(v[0].t), &w = as_tensor(v[1].t), &b = Unbox<const Tensor&>::get(v[2]);
  bool single;
  Tensor input = batched(x, dims, "conv", single);
  check_weight(w, dims, "conv");
  Dims stride = spread({v[3].ints, v[3].n}, dims, "stride"),
       dilation = spread({v[5].ints, v[5].n}, dims, "dilation"), padding(dims), none(dims);
  std::string_view text = Unbox<std::string_view>::get(v[4]);
  KG_CHECK(text == "same" || text == "valid", "Invalid padding string: '", text,
           "'; expected 'valid' or 'same'");
  bool uneven = false;
  if (text == "same") {
    for (int i = 0; i < dims; ++i) {
      KG_CHECK(
          stride[i] == 1,
          "padding='same' is not supported for strided convolutions; give the padding as numbers");
      int64_t total = dilation[i] * (w.sizes()[i + 2] - 1);
      padding[i] = total - total / 2;
      uneven = uneven || total % 2;
    }
  }
  Tensor y = call(rows::convolution, input, w, b, stride, padding, dilation, false, none, v[6].i);
  // An even kernel needs one element more behind than in front: its results begin one later.
  if (uneven) {
    for (int i = 0; i < dims; ++i)
      y = narrow(y, i + 2, y.size(i + 2) - input.size(i + 2), input.size(i + 2));
    y = clone(y);
  }
  out.add(give(std::move(y), single));
}
template <int dims>
void conv_transpose_direct(const Row&, const Value* v, Results& out, TensorImpl*) {
  const Tensor &x = as_tensor(v[0].t), &w = as_tensor(v[1].t), &b = Unbox<const Tensor&>::get(v[2]);
  bool single;
  Tensor input = batched(x, dims, "conv_transpose", single);
  check_weight(w, dims, "conv_transpose");
  out.add(
      give(call(rows::convolution, input, w, b, Ints{v[3].ints, v[3].n}, Ints{v[4].ints, v[4].n},
                Ints{v[7].ints, v[7].n}, true, Ints{v[5].ints, v[5].n}, v[6].i),
           single));
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

KG_ROW(
    convolution,
    "convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] "
    "dilation, bool transposed, int[] output_padding, "
    "int groups) -> Tensor",
    .grad = vjp<&convolution_vjp>("input:weight weight:input"), .infer = infer<&convolution_infer>,
    .as = kFunction | kNoOut, .autocast = Autocast::lower,
    .doc = "The convolution (cross-correlation) or transposed convolution of images with kernels.")
KG_ROW(conv_input,
       "conv_input(Tensor grad, Tensor weight, int[] size, int[] stride, int[] padding, int[] "
       "dilation, int groups) -> Tensor",
       .grad = vjp<&conv_input_vjp>("grad:weight weight:grad"), .infer = infer<&conv_input_infer>,
       .as = kInternal,
       .doc = "The gradient of a convolution to its input of the spatial sizes `size`.")
KG_ROW(conv_weight,
       "conv_weight(Tensor grad, Tensor input, int[] kernel, int[] stride, int[] padding, int[] "
       "dilation, int groups, bool need_bias) -> "
       "(Tensor dw, Tensor db)",
       .grad = vjp<&conv_weight_vjp>("grad:input input:grad", 1),
       .infer = infer<&conv_weight_infer>, .as = kInternal,
       .doc =
           "The gradients of a convolution to its weight, whose spatial sizes are `kernel`, and "
           "its bias.")

#define KG_CONV(dims)                                                                              \
  KG_ROW(conv##dims##d,                                                                            \
         "conv" #dims "d(Tensor input, Tensor weight, Tensor? bias=None, int[" #dims               \
         "] stride=1, int[" #dims "] padding=0, int[" #dims                                        \
         "] dilation=1, int groups=1) -> Tensor",                                                  \
         .grad = nondiff("is composed of convolution"), .direct = &conv_direct<dims>,              \
         .as = kFunction | kNoOut, .autocast = Autocast::lower,                                    \
         .doc =                                                                                    \
             "The convolution of images (N, C, ...) or (C, ...) with kernels (C_out, C / groups, " \
             "...).")                                                                              \
  KG_ROW(conv##dims##d_padding,                                                                    \
         "conv" #dims "d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[" #dims       \
         "] stride=1, str padding='valid', int[" #dims "] dilation=1, int groups=1) -> Tensor",    \
         .grad = nondiff("is composed of convolution"), .direct = &conv_padding_direct<dims>,      \
         .as = kFunction | kNoOut, .autocast = Autocast::lower,                                    \
         .doc =                                                                                    \
             "The convolution with padding 'same', which keeps the input's size, or 'valid', "     \
             "which is none.")
KG_CONV(1)
KG_CONV(2)
KG_CONV(3)
#undef KG_CONV

#define KG_CONV_TRANSPOSE(dims, name)                                                             \
  KG_ROW(                                                                                         \
      conv_transpose##dims##d,                                                                    \
      name "(Tensor input, Tensor weight, Tensor? bias=None, int[" #dims "] stride=1, int[" #dims \
           "] padding=0, int[" #dims "] output_padding=0, int groups=1, int[" #dims               \
           "] dilation=1) -> Tensor",                                                             \
      .grad = nondiff("is composed of convolution"), .direct = &conv_transpose_direct<dims>,      \
      .as = kFunction | kNoOut, .autocast = Autocast::lower,                                      \
      .doc =                                                                                      \
          "The transposed convolution: the gradient of a convolution as an operation of its own.")
KG_CONV_TRANSPOSE(1, "conv_transpose1d")
KG_CONV_TRANSPOSE(2, "conv_transpose2d.input")
KG_CONV_TRANSPOSE(3, "conv_transpose3d.input")
#undef KG_CONV_TRANSPOSE

}  // namespace kagari
