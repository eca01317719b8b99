// Counting elements by value: rows and shapes. Kernels: cpu/counting.cpp.
#include "ops/call.h"

namespace kagari {

static void bincount_infer(Infer& o, const Tensor& x, const Tensor& weights, int64_t minlength) {
  KG_CHECK_IMPLEMENTED(is_integral(x.dtype()), "\"bincount_cpu\" not implemented for '", x.dtype(),
                       "': expected a tensor of an integer dtype; convert with .long()");
  KG_CHECK(minlength >= 0, "minlength should be >= 0, got ", minlength);
  KG_CHECK(x.dim() == 1, "only supports 1-d non-negative integral inputs, got shape ", x.sizes(),
           "; flatten it first");
  KG_CHECK(!weights.defined() || (weights.dim() == 1 && weights.numel() == x.numel()),
           "weights should be 1-d and have the same length as input (", x.numel(), "), got shape ",
           weights.defined() ? weights.sizes() : Ints{});
  o.data_dependent = true;
}
KG_ROW(bincount, "bincount(Tensor input, Tensor? weights=None, int minlength=0) -> Tensor",
       .grad = nondiff("counts have no derivative"), .infer = infer<&bincount_infer>,
       .as = kFunction | kMethod | kNoOut,
       .doc = "How often each of 0, 1, ... occurs, or the sum of the weights at its places.")

static void histogram_infer(Infer& o, const Tensor& points, TensorList edges,
                            const Tensor& weight) {
  KG_CHECK(points.dim() == 2 && points.sizes()[1] == edges.n, "expected ", edges.n,
           " coordinates of each point, got ", points.sizes());
  KG_CHECK(is_floating(points.dtype()), "expected floating point numbers, got ", points.dtype());
  KG_CHECK(!weight.defined() || (is_floating(weight.dtype()) && weight.dim() == 1 &&
                                 weight.numel() == points.sizes()[0]),
           "expected a floating point weight for each of ", points.sizes()[0], " points, got ",
           weight.defined() ? weight.sizes() : Ints{});
  Dims bins;
  for (int64_t d = 0; d < edges.n; ++d) {
    const TensorImpl* e = edges.at(d);
    KG_CHECK(e->ndim == 1 && e->sizes[0] >= 2 && is_floating(e->dtype),
             "expected two floating point edges or more along each dimension, but those of "
             "dimension ",
             d, " do not fit");
    bins.push_back(e->sizes[0] - 1);
  }
  o.out(bins, points.dtype());
}
KG_ROW(histogram, "_histogram(Tensor points, Tensor[] edges, Tensor? weight=None) -> Tensor",
       .grad = nondiff("counts have no derivative"), .infer = infer<&histogram_infer>,
       .as = kInternal,
       .doc = "How many points, or how much weight, lie in each cell between edges.")

static void histc_infer(Infer& o, const Tensor& x, int64_t bins, Scalar min, Scalar max) {
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()), "\"histogram_cpu\" not implemented for '", x.dtype(),
                       "'; convert with .float()");
  KG_CHECK(bins > 0, "bins must be > 0, but got ", bins);
  KG_CHECK(min.to_double() <= max.to_double() || min.to_double() != min.to_double() ||
               max.to_double() != max.to_double(),
           "max must be larger than min, got min=", min.to_double(), " and max=", max.to_double());
  o.out(Ints{bins}, x.dtype());
}
KG_ROW(histc, "histc(Tensor input, int bins=100, Scalar min=0, Scalar max=0) -> Tensor",
       .grad = nondiff("counts have no derivative"), .infer = infer<&histc_infer>,
       .as = kFunction | kMethod,
       .doc =
           "How many elements fall into each of equally wide bins from min to max, or over the "
           "elements' range when both are equal.")

}  // namespace kagari
