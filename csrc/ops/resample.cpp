// Resampling of images: other sizes, and reading at places that a grid gives.
//
// A change of size is a sparse matrix per axis, so it and its transpose are each other's gradients.
//
// Reading at a grid is y = sum_i w_i(grid) x_i, the w_i products of one weight per axis. With
// sample^k for the same sum over the k-th derivatives of the weights (k counts per grid component)
// and splat^k for its transpose, every derivative is again one of three rows:
//
//   sample^k(x, grid)    by x: splat^k(g, grid)      by grid: slope^k(g, x, grid)
//   splat^k(g, grid)     by g: sample^k(h, grid)     by grid: slope^k(g, h, grid)
//   slope^k(g, x, grid)  is sum over channels of g sample^(k + e_j)(x, grid) for each component j;
//                        with h its own gradient,
//                        by g: sum_j h_j sample^(k + e_j)(x, grid)
//                        by x: sum_j splat^(k + e_j)(h_j g, grid)
//                        by grid: sum_j slope^(k + e_j)(h_j g, x, grid)
#include "ops/resample.h"

#include "ops/conv.h"
#include "ops/pointwise.h"
#include "ops/views.h"

namespace kagari {
namespace {

Ints last(Ints sizes, int64_t dims) { return {sizes.p + sizes.n - dims, dims}; }

void image(Infer& o, const Tensor& x, Ints spatial) {
  Dims sizes(x.sizes());
  for (int64_t i = 0; i < spatial.n; ++i) sizes[sizes.size() - spatial.n + i] = spatial[i];
  Spec& s = o.out(sizes, x.dtype());
  if (spatial.n < 2 || x.dim() != spatial.n + 2 || !suggests_channels_last(x)) return;
  s.strides = memory_format_strides(
      sizes, spatial.n == 2 ? MemoryFormat::channels_last : MemoryFormat::channels_last_3d);
  s.has_strides = true;
}

// ---- other sizes --------------------------------------------------------------------------------

void resize_check(const Tensor& x, Ints size, std::string_view mode, bool antialias) {
  int64_t dims = size.n;
  KG_CHECK(x.dim() == dims + 2 && dims >= 1 && dims <= 3, "expected a tensor of ", dims + 2,
           " dimensions and ", dims, " sizes, got ", x.sizes());
  bool fits = true;
  for (int64_t i = 1; i < x.dim(); ++i) fits = fits && (x.sizes()[i] > 0 || x.numel() > 0);
  Ints in = last(x.sizes(), dims);
  for (int64_t i = 0; i < dims; ++i) fits = fits && in[i] > 0 && size[i] > 0;
  KG_CHECK(fits, "Input and output sizes should be greater than 0, but got input ", in, " output ",
           size);
  Dtype d = x.dtype();
  bool plain = d == Dtype::f32 || d == Dtype::f64 || d == Dtype::u8;
  KG_CHECK_IMPLEMENTED(plain || (!antialias && is_floating(d) && !is_storage_only(d)),
                       "is not implemented for ", d,
                       antialias ? " with antialias=True; convert the input with .float()"
                                 : "; convert the input with .float()");
  bool known = mode == "linear" || mode == "cubic" ||
               (antialias ? mode == "lanczos" : mode == "nearest" || mode == "nearest-exact");
  KG_CHECK(known,
           "expected mode nearest, nearest-exact, linear or cubic, or with antialias linear, "
           "cubic or lanczos, got ",
           mode);
}
void resize_infer(Infer& o, const Tensor& x, Ints size, std::string_view mode, bool, Reals,
                  bool antialias) {
  resize_check(x, size, mode, antialias);
  image(o, x, size);
}
void resize_vjp(Vjp& v, const Tensor&, Ints size, std::string_view mode, bool align_corners,
                Reals scales, bool antialias) {
  v.set(0, call(rows::image_resize_backward, v.g(), last(v.sizes(0), size.n), mode, align_corners,
                scales, antialias));
}
void resize_backward_infer(Infer& o, const Tensor& g, Ints size, std::string_view mode, bool, Reals,
                           bool antialias) {
  resize_check(g, size, mode, antialias);
  image(o, g, size);
}
void resize_backward_vjp(Vjp& v, const Tensor&, Ints size, std::string_view mode,
                         bool align_corners, Reals scales, bool antialias) {
  v.set(0, call(rows::image_resize, v.g(), last(v.sizes(0), size.n), mode, align_corners, scales,
                antialias));
}

// ---- places of a grid ---------------------------------------------------------------------------

void check_grid(const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, Ints order) {
  int64_t dims = x.dim() - 2;
  KG_CHECK(dims == 2 || dims == 3, "expected 4D or 5D input, but got input with sizes ", x.sizes());
  KG_CHECK(grid.dim() == x.dim(),
           "expected grid and input to have the same number of dimensions, but got input with "
           "sizes ",
           x.sizes(), " and grid with sizes ", grid.sizes());
  KG_CHECK(grid.dtype() == x.dtype(), "expected input and grid to have same dtype, but input has ",
           x.dtype(), " and grid has ", grid.dtype());
  KG_CHECK(grid.sizes()[0] == x.sizes()[0],
           "expected grid and input to have same batch size, but got input with sizes ", x.sizes(),
           " and grid with sizes ", grid.sizes());
  KG_CHECK(grid.sizes()[dims + 1] == dims, "expected grid to have size ", dims,
           " in last dimension, but got grid with sizes ", grid.sizes());
  KG_CHECK(mode >= 0 && mode <= 2 && padding >= 0 && padding <= 2,
           "expected interpolation_mode and padding_mode to be 0, 1 or 2, got ", mode, " and ",
           padding);
  KG_CHECK(dims == 2 || mode != int64_t(GridMode::bicubic),
           "bicubic interpolation only supports 4D input");
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()) && !is_storage_only(x.dtype()),
                       "is not implemented for ", x.dtype(), "; convert the input with .float()");
  KG_CHECK(order.n == dims, "expected an order of derivatives for each of ", dims,
           " components, but got ", order.n);
  for (int64_t k : order)
    KG_CHECK(k >= 0 && k < 64, "expected orders of derivatives from 0 to 63, but got ", k);
}
// The gradient of a sample has its places where the grid has them.
void check_places(const Tensor& g, const Tensor& grid) {
  bool fits = g.dim() == grid.dim() && g.sizes()[0] == grid.sizes()[0];
  for (int64_t i = 2; fits && i < g.dim(); ++i) fits = g.sizes()[i] == grid.sizes()[i - 1];
  KG_CHECK(fits, "expected a gradient for each place of the grid, but got gradients with sizes ",
           g.sizes(), " and a grid with sizes ", grid.sizes());
  KG_CHECK(g.dtype() == grid.dtype(), "expected gradient and grid to have same dtype, but got ",
           g.dtype(), " and ", grid.dtype());
}
void sample_infer(Infer& o, const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding,
                  bool, Ints order) {
  check_grid(x, grid, mode, padding, order);
  for (int64_t i = 2; i < x.dim(); ++i)
    KG_CHECK(x.sizes()[i] > 0,
             "expected input to have non-empty spatial dimensions, but input has sizes ", x.sizes(),
             " with dimension ", i, " being empty");
  Dims sizes(x.sizes());
  for (int64_t i = 2; i < x.dim(); ++i) sizes[i] = grid.sizes()[i - 1];
  o.out(sizes, x.dtype());
}
void sample_vjp(Vjp& v, const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding,
                bool align, Ints order) {
  if (v.needs(0))
    v.set(0, call(rows::grid_splat, v.g(), grid, last(v.sizes(0), order.n), mode, padding, align,
                  order));
  if (v.needs(1)) v.set(1, call(rows::grid_slope, v.g(), x, grid, mode, padding, align, order));
}
void splat_infer(Infer& o, const Tensor& g, const Tensor& grid, Ints size, int64_t mode,
                 int64_t padding, bool, Ints order) {
  check_grid(g, grid, mode, padding, order);
  check_places(g, grid);
  KG_CHECK(size.n == g.dim() - 2, "expected a size for each of ", g.dim() - 2,
           " components, but got ", size.n);
  for (int64_t n : size) KG_CHECK(n > 0, "expected sizes above zero, but got ", size);
  Dims sizes(g.sizes());
  for (int64_t i = 2; i < g.dim(); ++i) sizes[i] = size[i - 2];
  o.out(sizes, g.dtype());
}
void splat_vjp(Vjp& v, const Tensor& g, const Tensor& grid, Ints, int64_t mode, int64_t padding,
               bool align, Ints order) {
  if (v.needs(0)) v.set(0, call(rows::grid_sample, v.g(), grid, mode, padding, align, order));
  if (v.needs(1)) v.set(1, call(rows::grid_slope, g, v.g(), grid, mode, padding, align, order));
}
void slope_infer(Infer& o, const Tensor& g, const Tensor& x, const Tensor& grid, int64_t mode,
                 int64_t padding, bool, Ints order) {
  check_grid(x, grid, mode, padding, order);
  check_places(g, grid);
  KG_CHECK(g.sizes()[1] == x.sizes()[1],
           "expected as many channels in gradient and input, but got ", g.sizes()[1], " and ",
           x.sizes()[1]);
  for (int64_t i = 2; i < x.dim(); ++i)
    KG_CHECK(x.sizes()[i] > 0,
             "expected input to have non-empty spatial dimensions, but got sizes ", x.sizes());
  o.out(grid.sizes(), grid.dtype());
}
void slope_vjp(Vjp& v, const Tensor& g, const Tensor& x, const Tensor& grid, int64_t mode,
               int64_t padding, bool align, Ints order) {
  Tensor by_g, by_x, by_grid;
  auto add_up = [](Tensor& sum, Tensor term) { sum = sum.defined() ? sum + term : term; };
  for (int64_t j = 0; j < order.n; ++j) {
    Dims next(order);
    ++next[j];
    Tensor h = unsqueeze(select(v.g(), -1, j), 1);
    if (v.needs(0)) add_up(by_g, h * call(rows::grid_sample, x, grid, mode, padding, align, next));
    if (v.needs(1))
      add_up(by_x, call(rows::grid_splat, h * g, grid, last(v.sizes(1), order.n), mode, padding,
                        align, next));
    if (v.needs(2))
      add_up(by_grid, call(rows::grid_slope, h * g, x, grid, mode, padding, align, next));
  }
  if (v.needs(0)) v.set(0, by_g);
  if (v.needs(1)) v.set(1, by_x);
  if (v.needs(2)) v.set(2, by_grid);
}

}  // namespace

KG_ROW(image_resize,
       "_resize(Tensor input, int[] size, str mode, bool align_corners, float[] scales, bool "
       "antialias) -> Tensor",
       .grad = vjp<&resize_vjp>(), .infer = infer<&resize_infer>, .as = kInternal,
       .doc = "Images at another size; a scale of 0 follows from the sizes.")
KG_ROW(image_resize_backward,
       "_resize_backward(Tensor grad, int[] size, str mode, bool align_corners, float[] scales, "
       "bool antialias) -> Tensor",
       .grad = vjp<&resize_backward_vjp>(), .infer = infer<&resize_backward_infer>, .as = kInternal,
       .doc = "The transpose of _resize.")
KG_ROW(grid_sample,
       "_grid_sample(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
       "align_corners, int[] order) -> Tensor",
       .grad = vjp<&sample_vjp>("input:grid grid"), .infer = infer<&sample_infer>, .as = kInternal,
       .doc = "The input at the places of a grid, by the order-th derivatives of the weights.")
KG_ROW(grid_splat,
       "_grid_splat(Tensor grad, Tensor grid, int[] size, int interpolation_mode, int "
       "padding_mode, bool align_corners, int[] order) -> Tensor",
       .grad = vjp<&splat_vjp>("grad:grid grid"), .infer = infer<&splat_infer>, .as = kInternal,
       .doc = "The transpose of _grid_sample by its input.")
KG_ROW(grid_slope,
       "_grid_slope(Tensor grad, Tensor input, Tensor grid, int interpolation_mode, int "
       "padding_mode, bool align_corners, int[] order) -> Tensor",
       .grad = vjp<&slope_vjp>("grad input grid"), .infer = infer<&slope_infer>, .as = kInternal,
       .doc = "The gradient of _grid_sample by the grid.")

}  // namespace kagari
