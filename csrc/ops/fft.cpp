// Discrete Fourier transforms: complex to complex, real to spectrum, half a spectrum to real; each
// is linear, and the others are its derivatives. Kernels: cpu/fft.cpp.
#include "ops/fft.h"

#include <cmath>

#include "ops/creation.h"
#include "ops/pointwise.h"
#include "ops/views.h"

namespace kagari {

double fft_scale(std::string_view scale, double count) {
  if (scale == "none") return 1;
  if (scale == "root") return 1 / std::sqrt(count);
  KG_CHECK(scale == "full", "expected scale none, root or full, got ", scale);
  return 1 / count;
}

namespace {

void check_dtype(const Tensor& x, bool complex) {
  bool fits = complex ? x.dtype() == Dtype::c64 || x.dtype() == Dtype::c128
                      : x.dtype() == Dtype::f32 || x.dtype() == Dtype::f64;
  KG_CHECK(fits, "expected ", complex ? "complex64 or complex128" : "float32 or float64", ", got ",
           x.dtype(), "; convert the tensor first");
}
void check_dims(const Tensor& x, Ints dim) {
  KG_CHECK(!dim.empty(), "expected a dimension to transform, got none");
  for (int64_t i = 0; i < dim.n; ++i) {
    int64_t d = wrap_dim(dim[i], x.dim());
    KG_CHECK(x.dim() > 0 && x.sizes()[d] > 0, "Invalid number of data points (",
             x.dim() ? x.sizes()[d] : 0, ") specified");
    for (int64_t k = 0; k < i; ++k)
      KG_CHECK(wrap_dim(dim[k], x.dim()) != d, "FFT dims must be unique");
  }
}

// Multiplies those elements of half a spectrum of n that stand for two of the whole.
Tensor weighed(const Tensor& x, int64_t dim, int64_t n, double weight) {
  if (n <= 2) return x;
  int64_t d = wrap_dim(dim, x.dim()), m = n / 2 + 1;
  Dims sizes(x.dim(), 1);
  sizes[d] = m;
  Tensor w = full(sizes, weight, real_dtype(x.dtype()), x.device());
  if (!x.is_meta()) {
    auto single = [&](int64_t at) {
      if (w.dtype() == Dtype::f32)
        w.data_as<float>()[at] = 1;
      else
        w.data_as<double>()[at] = 1;
    };
    single(0);
    if (n % 2 == 0) single(m - 1);
  }
  return x * w;
}

void c2c_infer(Infer& o, const Tensor& x, Ints dim, std::string_view scale, bool) {
  check_dtype(x, true);
  check_dims(x, dim);
  fft_scale(scale, 1);
  o.out(x.sizes(), x.dtype());
}
void c2c_vjp(Vjp& v, const Tensor&, Ints dim, std::string_view scale, bool inverse) {
  v.set(0, call(rows::fft_c2c, v.g(), dim, scale, !inverse));
}

void r2c_infer(Infer& o, const Tensor& x, Ints dim, std::string_view scale, bool onesided) {
  check_dtype(x, false);
  check_dims(x, dim);
  fft_scale(scale, 1);
  Dims sizes(x.sizes());
  int64_t last = wrap_dim(dim[dim.n - 1], x.dim());
  if (onesided) sizes[last] = sizes[last] / 2 + 1;
  o.out(sizes, complex_dtype(x.dtype()));
}
void r2c_vjp(Vjp& v, const Tensor&, Ints dim, std::string_view scale, bool onesided) {
  Tensor g = v.g();
  if (!onesided) {
    // A copy: the gradient does not keep the imaginary parts.
    v.set(0, contiguous(call(rows::real, call(rows::fft_c2c, g, dim, scale, true))));
    return;
  }
  int64_t last = dim[dim.n - 1], n = v.sizes(0)[wrap_dim(last, g.dim())];
  if (dim.n > 1) g = call(rows::fft_c2c, g, Ints(dim.p, dim.n - 1), scale, true);
  v.set(0, call(rows::fft_c2r, weighed(g, last, n, 0.5), last, n, scale));
}

void c2r_infer(Infer& o, const Tensor& x, int64_t dim, int64_t n, std::string_view scale) {
  check_dtype(x, true);
  KG_CHECK(n >= 1, "Invalid number of data points (", n, ") specified");
  check_dims(x, {dim});
  fft_scale(scale, 1);
  Dims sizes(x.sizes());
  int64_t d = wrap_dim(dim, x.dim());
  KG_CHECK(sizes[d] == n / 2 + 1, "expected ", n / 2 + 1, " elements of a spectrum of ", n,
           ", got ", sizes[d]);
  sizes[d] = n;
  o.out(sizes, real_dtype(x.dtype()));
}
void c2r_vjp(Vjp& v, const Tensor&, int64_t dim, int64_t n, std::string_view scale) {
  v.set(0, weighed(call(rows::fft_r2c, v.g(), Ints{dim}, scale, true), dim, n, 2));
}

}  // namespace

KG_ROW(fft_c2c, "_fft_c2c(Tensor input, int[] dim, str scale, bool inverse) -> Tensor",
       .grad = vjp<&c2c_vjp>(), .infer = infer<&c2c_infer>, .as = kInternal,
       .doc =
           "The Fourier transform of complex numbers over dimensions. scale: none, root or full, "
           "a division by nothing, the root of the number of elements, or that number.")
KG_ROW(fft_r2c, "_fft_r2c(Tensor input, int[] dim, str scale, bool onesided) -> Tensor",
       .grad = vjp<&r2c_vjp>("#input"), .infer = infer<&r2c_infer>, .as = kInternal,
       .doc =
           "The Fourier transform of real numbers over dimensions, whole or without the negative "
           "frequencies of the last one.")
KG_ROW(fft_c2r, "_fft_c2r(Tensor input, int dim, int n, str scale) -> Tensor",
       .grad = vjp<&c2r_vjp>(), .infer = infer<&c2r_infer>, .as = kInternal,
       .doc = "The n real numbers whose inverse transform's spectrum begins with the input.")

}  // namespace kagari
