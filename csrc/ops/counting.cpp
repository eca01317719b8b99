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

}  // namespace kagari
