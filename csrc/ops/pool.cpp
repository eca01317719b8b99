// Pooling: maxima with their places, means, and their adaptive forms.
//
// Given the places, taking maxima is a choice of elements, so pool_gather and pool_scatter carry
// every derivative of it; a mean and its gradient are linear and each other's gradients.
#include "ops/pool.h"

#include <algorithm>

#include "ops/conv.h"
#include "ops/views.h"

namespace kagari {
namespace {

std::string bracketed(Ints sizes) {
  std::string s = "[";
  for (int64_t i = 0; i < sizes.n; ++i) s += (i ? ", " : "") + std::to_string(sizes[i]);
  return s + "]";
}
std::string by(Ints sizes) {
  std::string s;
  for (int64_t i = 0; i < sizes.n; ++i) {
    if (i) s += 'x';
    s += std::to_string(sizes[i]);
  }
  return s;
}

Dims spread(Ints v, int64_t dims, const char* what) {
  if (v.n == dims) return v;
  static const char* const words[] = {"one int", "two ints", "three ints"};
  KG_CHECK(v.n == 1, what, " must either be a single int, or a tuple of ", words[dims - 1],
           ", got ", bracketed(v));
  return Dims(dims, v[0]);
}
Ints last(Ints sizes, int64_t dims) { return {sizes.p + sizes.n - dims, dims}; }

// Sizes of x with other spatial sizes, lying as x lies where `follows`: PyTorch's means and
// adaptive forms over volumes do not.
void image(Infer& o, const Tensor& x, Ints spatial, Dtype dtype, bool follows = true) {
  Dims sizes(x.sizes());
  for (int64_t i = 0; i < spatial.n; ++i) sizes[sizes.size() - spatial.n + i] = spatial[i];
  Spec& s = o.out(sizes, dtype);
  if (!follows || spatial.n < 2 || x.dim() != spatial.n + 2 || !suggests_channels_last(x)) return;
  s.strides = memory_format_strides(
      sizes, spatial.n == 2 ? MemoryFormat::channels_last : MemoryFormat::channels_last_3d);
  s.has_strides = true;
}

void check_input(const Tensor& x, int64_t dims) {
  bool fits = x.dim() == dims + 1 || x.dim() == dims + 2;
  for (int64_t i = x.dim() == dims + 2; fits && i < x.dim(); ++i) fits = x.sizes()[i] > 0;
  KG_CHECK(fits, "Expected ", dims + 1, "D or ", dims + 2,
           "D (batch mode) tensor with optional 0 dim batch size for input, but got: ",
           bracketed(x.sizes()));
}
void check_max_dtype(Dtype d) {
  KG_CHECK_IMPLEMENTED(d < Dtype::c32 && !is_complex(d) && d != Dtype::boolean &&
                           !(d >= Dtype::u16 && d <= Dtype::u64),
                       "is not implemented for ", d,
                       "; convert the input, for instance with .to(kagari.float32)");
}
void check_mean_dtype(Dtype d) {
  KG_CHECK_IMPLEMENTED((is_floating(d) && !is_storage_only(d)) || d == Dtype::i64,
                       "is not implemented for ", d,
                       "; convert the input, for instance with .to(kagari.float32)");
}

constexpr int64_t kLargest = INT32_MAX;  // of kernels and steps: their products fit 64 bits

int64_t windows(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                bool ceil_mode) {
  int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
  int64_t n = (room >= 0 ? room / stride : -((-room + stride - 1) / stride)) + 1;
  if (ceil_mode && (n - 1) * stride >= in + padding)
    --n;  // the last window starts inside the input or its left padding
  return n;
}
// How many windows there are along each dimension of images of the spatial sizes `in`.
Dims window_counts(Ints in, const PoolSizes& p, bool ceil_mode) {
  for (int64_t i = 0; i < in.n; ++i) {
    KG_CHECK(p.kernel[i] > 0, "kernel size should be greater than zero, but got ",
             bracketed(p.kernel));
    KG_CHECK(p.stride[i] > 0, "stride should be greater than zero, but got ", bracketed(p.stride));
    KG_CHECK(p.dilation[i] > 0, "dilation should be greater than zero, but got ",
             bracketed(p.dilation));
    KG_CHECK(p.padding[i] >= 0, "pad must be non-negative, but got pad: ", p.padding[i]);
    KG_CHECK(std::max({p.kernel[i], p.stride[i], p.dilation[i]}) <= kLargest,
             "expected a kernel, strides and dilations below 2**31, got kernel_size=",
             bracketed(p.kernel), ", stride=", bracketed(p.stride),
             ", dilation=", bracketed(p.dilation));
    KG_CHECK(p.padding[i] <= ((p.kernel[i] - 1) * p.dilation[i] + 1) / 2,
             "pad should be at most half of effective kernel size, but got pad=", p.padding[i],
             ", kernel_size=", p.kernel[i], " and dilation=", p.dilation[i],
             "; pad the input itself for more");
  }
  Dims out(in.n);
  for (int64_t i = 0; i < in.n; ++i)
    out[i] = windows(in[i], p.kernel[i], p.stride[i], p.padding[i], p.dilation[i], ceil_mode);
  return out;
}
Dims pooled(const Tensor& x, int64_t dims, const PoolSizes& p, bool ceil_mode) {
  check_input(x, dims);
  Ints in = last(x.sizes(), dims);
  Dims out = window_counts(in, p, ceil_mode);
  bool fits = std::all_of(out.begin(), out.end(), [](int64_t n) { return n > 0; });
  int64_t channels = x.sizes()[x.dim() - dims - 1];
  KG_CHECK(fits, "Given input size: (", channels, "x", by(in), "). Calculated output size: (",
           channels, "x", by(out),
           "). Output size is too small; use a smaller kernel or more padding");
  return out;
}

}  // namespace

PoolSizes pool_sizes(int64_t dims, Ints kernel, std::optional<Ints> stride, Ints padding,
                     Ints dilation) {
  PoolSizes p;
  p.kernel = spread(kernel, dims, "kernel_size");
  p.stride = stride && stride->n ? spread(*stride, dims, "stride") : p.kernel;
  p.padding = spread(padding, dims, "padding");
  p.dilation = spread(dilation, dims, "dilation");
  return p;
}

namespace {

// ---- maxima -------------------------------------------------------------------------------------

template <int dims>
void max_infer(Infer& o, const Tensor& x, Ints kernel, std::optional<Ints> stride, Ints padding,
               Ints dilation, bool ceil_mode) {
  Dims out = pooled(x, dims, pool_sizes(dims, kernel, stride, padding, dilation), ceil_mode);
  check_max_dtype(x.dtype());
  image(o, x, out, x.dtype());
  image(o, x, out, Dtype::i64);
}
void max_values_infer(Infer& o, const Tensor& x, Ints kernel, std::optional<Ints> stride,
                      Ints padding, Ints dilation, bool ceil_mode) {
  KG_CHECK(kernel.n >= 1 && kernel.n <= 3, "expected a kernel of 1 to 3 sizes, got ",
           bracketed(kernel));
  Dims out =
      pooled(x, kernel.n, pool_sizes(kernel.n, kernel, stride, padding, dilation), ceil_mode);
  check_max_dtype(x.dtype());
  image(o, x, out, x.dtype());
}
void choice_vjp(Vjp& v, int64_t dims) {
  if (v.g().defined()) v.set(0, call(rows::pool_scatter, v.g(), v.out(1), last(v.sizes(0), dims)));
}
template <int dims>
void max_vjp(Vjp& v, const Tensor&, Ints, std::optional<Ints>, Ints, Ints, bool) {
  choice_vjp(v, dims);
}

void check_places(const Tensor& image, const Tensor& indices, int64_t dims) {
  KG_CHECK(dims >= 1 && dims <= 3, "expected 1 to 3 spatial dimensions, got ", dims);
  KG_CHECK(indices.dtype() == Dtype::i64, "expected places of dtype int64, got ", indices.dtype());
  check_input(indices, dims);
  check_max_dtype(image.dtype());
  int64_t outer = indices.dim() - dims;
  KG_CHECK(image.dim() == indices.dim() &&
               Ints(image.sizes().p, outer) == Ints(indices.sizes().p, outer),
           "an image of shape ", image.sizes(), " has no places of shape ", indices.sizes());
}
void scatter_infer(Infer& o, const Tensor& g, const Tensor& indices, Ints size) {
  check_places(g, indices, size.n);
  KG_CHECK(g.sizes() == indices.sizes(), "expected a gradient of shape ", indices.sizes(), ", got ",
           g.sizes());
  image(o, indices, size, g.dtype());
}
void scatter_vjp(Vjp& v, const Tensor&, const Tensor& indices, Ints size) {
  v.set(0, call(rows::pool_gather, v.g(), indices, int64_t(size.n)));
}
void gather_infer(Infer& o, const Tensor& x, const Tensor& indices, int64_t dims) {
  check_places(x, indices, dims);
  image(o, indices, last(indices.sizes(), dims), x.dtype());
}
void gather_vjp(Vjp& v, const Tensor&, const Tensor& indices, int64_t dims) {
  v.set(0, call(rows::pool_scatter, v.g(), indices, last(v.sizes(0), dims)));
}

// The values alone where no gradient will ask for their places.
template <int dims>
void max_direct(const Row&, const Value* v, Results& out, TensorImpl*) {
  const Tensor& x = as_tensor(v[0].t);
  auto list = [&](int i) { return Ints{v[i].ints, v[i].n}; };
  std::optional<Ints> stride;
  if (!v[2].is_none()) stride = list(2);
  bool ceil_mode = v[5].i;
  const Row* rows[] = {&rows::max_pool1d_with_indices, &rows::max_pool2d_with_indices,
                       &rows::max_pool3d_with_indices};
  if (grad_mode.enabled && x.requires_grad() && is_differentiable(x.dtype())) {
    out.add(call(*rows[dims - 1], x, list(1), stride, list(3), list(4), ceil_mode));
    return;
  }
  out.add(call(rows::max_pool_values, x, spread(list(1), dims, "kernel_size"), stride, list(3),
               list(4), ceil_mode));
}

// ---- means --------------------------------------------------------------------------------------

const Row& avg_row(int64_t dims) {
  return dims == 1 ? rows::avg_pool1d : dims == 2 ? rows::avg_pool2d : rows::avg_pool3d;
}

void avg_to(Infer& o, const Tensor& x, int64_t dims, Ints kernel, std::optional<Ints> stride,
            Ints padding, bool ceil_mode, std::optional<int64_t> divisor) {
  KG_CHECK(!divisor || *divisor != 0, "divisor must be not zero");
  Dims out = pooled(x, dims, pool_sizes(dims, kernel, stride, padding, {1}), ceil_mode);
  check_mean_dtype(x.dtype());
  image(o, x, out, x.dtype(), dims == 2);
}
void avg_infer1(Infer& o, const Tensor& x, Ints kernel, std::optional<Ints> stride, Ints padding,
                bool ceil_mode, bool) {
  avg_to(o, x, 1, kernel, stride, padding, ceil_mode, {});
}
template <int dims>
void avg_infer(Infer& o, const Tensor& x, Ints kernel, std::optional<Ints> stride, Ints padding,
               bool ceil_mode, bool, std::optional<int64_t> divisor) {
  avg_to(o, x, dims, kernel, stride, padding, ceil_mode, divisor);
}
void avg_gradient(Vjp& v, int64_t dims, Ints kernel, std::optional<Ints> stride, Ints padding,
                  bool ceil_mode, bool include, std::optional<int64_t> divisor) {
  PoolSizes p = pool_sizes(dims, kernel, stride, padding, {1});
  v.set(0, call(rows::avg_pool_backward, v.g(), last(v.sizes(0), dims), p.kernel, p.stride,
                p.padding, ceil_mode, include, divisor));
}
void avg_vjp1(Vjp& v, const Tensor&, Ints kernel, std::optional<Ints> stride, Ints padding,
              bool ceil_mode, bool include) {
  avg_gradient(v, 1, kernel, stride, padding, ceil_mode, include, {});
}
template <int dims>
void avg_vjp(Vjp& v, const Tensor&, Ints kernel, std::optional<Ints> stride, Ints padding,
             bool ceil_mode, bool include, std::optional<int64_t> divisor) {
  avg_gradient(v, dims, kernel, stride, padding, ceil_mode, include, divisor);
}
// The gradient of images of spatial sizes `size` that were pooled to `expected`.
void check_pooled(const Tensor& g, Ints size, const Dims& expected) {
  KG_CHECK(last(g.sizes(), size.n) == Ints(expected), "expected a gradient of spatial sizes ",
           bracketed(expected), ", got shape ", bracketed(g.sizes()));
  check_mean_dtype(g.dtype());
}
void check_spatial(const Tensor& g, Ints size) {
  KG_CHECK(size.n >= 1 && size.n <= 3, "expected 1 to 3 spatial sizes, got ", bracketed(size));
  KG_CHECK(g.dim() == size.n + 1 || g.dim() == size.n + 2, "expected a gradient of ", size.n + 1,
           " or ", size.n + 2, " dimensions, got shape ", bracketed(g.sizes()));
  for (int64_t s : size) KG_CHECK(s >= 0, "expected sizes of at least 0, got ", bracketed(size));
}
void avg_backward_infer(Infer& o, const Tensor& g, Ints size, Ints kernel, Ints stride,
                        Ints padding, bool ceil_mode, bool, std::optional<int64_t> divisor) {
  check_spatial(g, size);
  KG_CHECK(!divisor || *divisor != 0, "divisor must be not zero");
  check_pooled(g, size,
               window_counts(size, pool_sizes(size.n, kernel, stride, padding, {1}), ceil_mode));
  image(o, g, size, g.dtype());
}
void avg_backward_vjp(Vjp& v, const Tensor&, Ints size, Ints kernel, Ints stride, Ints padding,
                      bool ceil_mode, bool include, std::optional<int64_t> divisor) {
  const Row& row = avg_row(size.n);
  v.set(0, size.n == 1 ? call(row, v.g(), kernel, stride, padding, ceil_mode, include)
                       : call(row, v.g(), kernel, stride, padding, ceil_mode, include, divisor));
}

// ---- adaptive forms -----------------------------------------------------------------------------

Dims adaptive_sizes(const Tensor& x, int64_t dims, Ints size) {
  bool fits = x.dim() == dims + 1 || x.dim() == dims + 2;
  for (int64_t i = x.dim() == dims + 2; fits && i < x.dim(); ++i) fits = x.sizes()[i] > 0;
  KG_CHECK(
      fits, "Expected input to have ", dims + 1, " or ", dims + 2,
      " dimensions with non-zero size for non-batch dimensions, but got: ", bracketed(x.sizes()));
  Dims out = spread(size, dims, "output_size");
  for (int64_t s : out)
    KG_CHECK(s >= 0, "elements of output_size must be greater than or equal to 0 but received ",
             bracketed(out));
  return out;
}
template <int dims>
void adaptive_avg_infer(Infer& o, const Tensor& x, Ints size) {
  Dims out = adaptive_sizes(x, dims, size);
  check_mean_dtype(x.dtype());
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()), "is not implemented for ", x.dtype(),
                       "; convert the input with .float()");
  image(o, x, out, x.dtype(), dims == 2);
}
template <int dims>
void adaptive_avg_vjp(Vjp& v, const Tensor&, Ints) {
  v.set(0, call(rows::adaptive_avg_pool_backward, v.g(), last(v.sizes(0), dims)));
}
void adaptive_backward_infer(Infer& o, const Tensor& g, Ints size) {
  check_spatial(g, size);
  check_mean_dtype(g.dtype());
  image(o, g, size, g.dtype());
}
void adaptive_backward_vjp(Vjp& v, const Tensor&, Ints size) {
  const Row& row = size.n == 1   ? rows::adaptive_avg_pool1d
                   : size.n == 2 ? rows::adaptive_avg_pool2d
                                 : rows::adaptive_avg_pool3d;
  v.set(0, call(row, v.g(), last(v.sizes(0), size.n)));
}
template <int dims>
void adaptive_max_infer(Infer& o, const Tensor& x, Ints size) {
  Dims out = adaptive_sizes(x, dims, size);
  check_max_dtype(x.dtype());
  image(o, x, out, x.dtype(), dims == 2);
  image(o, x, out, Dtype::i64, dims == 2);
}
template <int dims>
void adaptive_max_vjp(Vjp& v, const Tensor&, Ints) {
  choice_vjp(v, dims);
}

}  // namespace

// ---- the rows -----------------------------------------------------------------------------------

#define KG_POOL(D)                                                                                \
  KG_ROW(max_pool##D##d,                                                                          \
         "max_pool" #D "d(Tensor input, int[" #D "] kernel_size, int[" #D                         \
         "]? stride=None, int[" #D "] padding=0, int[" #D                                         \
         "] dilation=1, bool ceil_mode=False) -> Tensor",                                         \
         .grad = nondiff("is composed of its form with indices"), .direct = &max_direct<D>,       \
         .as = kFunction | kNoOut, .autocast = D == 3 ? Autocast::fp32 : Autocast::none,          \
         .doc = "The maximum of each window.")                                                    \
  KG_ROW(max_pool##D##d_with_indices,                                                             \
         "max_pool" #D "d_with_indices(Tensor input, int[" #D "] kernel_size, int[" #D            \
         "]? stride=None, int[" #D "] padding=0, int[" #D                                         \
         "] dilation=1, bool ceil_mode=False) -> (Tensor output, Tensor indices)",                \
         .grad = vjp<&max_vjp<D>>("indices", 1), .infer = infer<&max_infer<D>>,                   \
         .as = D == 1 ? kFunction : kInternal,                                                    \
         .autocast = D == 3 ? Autocast::fp32 : Autocast::none,                                    \
         .doc = "The maximum of each window and its place in the flattened image.")               \
  KG_ROW(adaptive_avg_pool##D##d,                                                                 \
         "adaptive_avg_pool" #D "d(Tensor input, int[" #D "] output_size) -> Tensor",             \
         .grad = vjp<&adaptive_avg_vjp<D>>(), .infer = infer<&adaptive_avg_infer<D>>,             \
         .as = D == 1 ? kFunction : kInternal,                                                    \
         .autocast = D == 3 ? Autocast::fp32 : Autocast::none,                                    \
         .doc = "The means of windows that divide the input into output_size parts.")             \
  KG_ROW(                                                                                         \
      adaptive_max_pool##D##d,                                                                    \
      "adaptive_max_pool" #D "d(Tensor input, int[" #D                                            \
      "] output_size) -> (Tensor output, Tensor indices)",                                        \
      .grad = vjp<&adaptive_max_vjp<D>>("indices", 1), .infer = infer<&adaptive_max_infer<D>>,    \
      .as = D == 1 ? kFunction : kInternal, .autocast = D == 3 ? Autocast::fp32 : Autocast::none, \
      .doc =                                                                                      \
          "The maxima of windows that divide the input into output_size parts, and their places.")
KG_POOL(1)
KG_POOL(2)
KG_POOL(3)
#undef KG_POOL

KG_ROW(avg_pool1d,
       "avg_pool1d(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool "
       "ceil_mode=False, bool count_include_pad=True) "
       "-> Tensor",
       .grad = vjp<&avg_vjp1>(), .infer = infer<&avg_infer1>, .as = kFunction,
       .doc = "The mean of each window.")
#define KG_AVG_POOL(D)                                                               \
  KG_ROW(avg_pool##D##d,                                                             \
         "avg_pool" #D "d(Tensor input, int[" #D "] kernel_size, int[" #D            \
         "]? stride=None, int[" #D                                                   \
         "] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? "     \
         "divisor_override=None) -> Tensor",                                         \
         .grad = vjp<&avg_vjp<D>>(), .infer = infer<&avg_infer<D>>, .as = kInternal, \
         .autocast = D == 3 ? Autocast::fp32 : Autocast::none, .doc = "The mean of each window.")
KG_AVG_POOL(2)
KG_AVG_POOL(3)
#undef KG_AVG_POOL

KG_ROW(max_pool_values,
       "max_pool_values(Tensor input, int[] kernel_size, int[]? stride, int[] padding, int[] "
       "dilation, bool ceil_mode) -> Tensor",
       .grad = nondiff("calls that record take the form with indices"),
       .infer = infer<&max_values_infer>, .as = kInternal,
       .doc = "The maximum of each window, without its place.")
KG_ROW(pool_scatter, "pool_scatter(Tensor grad, Tensor indices, int[] size) -> Tensor",
       .grad = vjp<&scatter_vjp>("indices"), .infer = infer<&scatter_infer>, .as = kInternal,
       .doc = "Images of zeros of the spatial sizes `size` with grad added at its places.")
KG_ROW(pool_gather, "pool_gather(Tensor input, Tensor indices, int dims) -> Tensor",
       .grad = vjp<&gather_vjp>("indices"), .infer = infer<&gather_infer>, .as = kInternal,
       .doc = "The elements at given places of images of `dims` spatial dimensions.")
KG_ROW(avg_pool_backward,
       "avg_pool_backward(Tensor grad, int[] size, int[] kernel_size, int[] stride, int[] padding, "
       "bool ceil_mode, bool count_include_pad, "
       "int? divisor_override) -> Tensor",
       .grad = vjp<&avg_backward_vjp>(), .infer = infer<&avg_backward_infer>, .as = kInternal,
       .doc = "The gradient of a mean over windows.")
KG_ROW(adaptive_avg_pool_backward, "adaptive_avg_pool_backward(Tensor grad, int[] size) -> Tensor",
       .grad = vjp<&adaptive_backward_vjp>(), .infer = infer<&adaptive_backward_infer>,
       .as = kInternal, .doc = "The gradient of adaptive means.")

}  // namespace kagari
