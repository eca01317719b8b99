// Sorting, order statistics, searching and unique elements: rows, shapes and gradients. Kernels:
// cpu/sort.cpp, cpu/order.cpp.
#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/joining.h"
#include "ops/out.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

static void check_ordered(const Tensor& x) {
  KG_CHECK(!is_complex(x.dtype()), "does not support complex dtypes (", x.dtype(),
           "): complex numbers have no order; sort x.real or x.abs()");
}
static void check_order_statistic(const Tensor& x, bool boolean = false) {
  KG_CHECK_IMPLEMENTED(!is_complex(x.dtype()), "not implemented for ", x.dtype(),
                       ": complex numbers have no order; use x.real or x.abs()");
  KG_CHECK_IMPLEMENTED(boolean || x.dtype() != Dtype::boolean,
                       "not implemented for bool; convert with .to(kagari.uint8)");
}

// ---- sort ---------------------------------------------------------------------------------------

static void sort_infer(Infer& o, const Tensor& x, int64_t dim, bool) {
  check_ordered(x);
  wrap_dim(dim, x.dim());
  o.like(x);
  o.like(x, Dtype::i64);
}
static void sort_vjp(Vjp& v, const Tensor&, int64_t dim, bool) {
  if (v.g(0).defined()) v.set(0, scatter_selected(v.g(0), v.out(1), v.sizes(0), dim, true));
}
KG_ROW(sort,
       "sort(Tensor input, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)",
       .grad = vjp<&sort_vjp>("indices", 1), .infer = infer<&sort_infer>, .as = kFunction | kMethod,
       .doc =
           "The elements along a dimension in order, equal ones as they stood, NaN last, and "
           "where each was.")
static void sort_stable_infer(Infer& o, const Tensor& x, std::optional<bool>, int64_t dim,
                              bool descending) {
  sort_infer(o, x, dim, descending);
}
static void sort_stable_vjp(Vjp& v, const Tensor& x, std::optional<bool>, int64_t dim,
                            bool descending) {
  sort_vjp(v, x, dim, descending);
}
KG_ROW(sort_stable,
       "sort.stable(Tensor input, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor "
       "values, Tensor indices)",
       .grad = vjp<&sort_stable_vjp>("indices", 1), .infer = infer<&sort_stable_infer>,
       .as = kFunction | kMethod, .doc = "As sort, which always keeps the order of equal elements.")

static void topk_infer(Infer& o, const Tensor& x, int64_t k, int64_t dim, bool, bool) {
  check_ordered(x);
  KG_CHECK(x.dtype() != Dtype::boolean,
           "does not support bool dtypes; convert with .to(kagari.uint8)");
  int64_t d = wrap_dim(dim, x.dim());
  KG_CHECK(k >= 0 && k <= (x.dim() ? x.sizes()[d] : 1), "selected index k out of range: k = ", k,
           ", dimension ", d, " of shape ", x.sizes());
  Dims sizes(x.sizes());
  if (x.dim()) sizes[d] = k;
  o.out(sizes, x.dtype());
  o.out(sizes, Dtype::i64);
}
static void topk_vjp(Vjp& v, const Tensor&, int64_t, int64_t dim, bool, bool) {
  if (v.g(0).defined()) v.set(0, scatter_selected(v.g(0), v.out(1), v.sizes(0), dim, true));
}
KG_ROW(topk,
       "topk(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor "
       "values, Tensor indices)",
       .grad = vjp<&topk_vjp>("indices", 1), .infer = infer<&topk_infer>, .as = kFunction | kMethod,
       .doc =
           "The k largest or smallest elements along a dimension in order, the first of equal "
           "ones, and where they stand.")

// ---- order statistics ---------------------------------------------------------------------------

static void selected_infer(Infer& o, const Tensor& x, int64_t dim, bool keepdim) {
  Dims dims = reduced_dims(Ints{dim}, x.dim());
  KG_CHECK_INDEX(x.dim() == 0 || x.sizes()[dims[0]] != 0, "Expected reduction dim ", dims[0],
                 " to have non-zero size; got shape ", x.sizes());
  Dims sizes = reduced_sizes(x.sizes(), dims, keepdim);
  o.out(sizes, x.dtype());
  o.out(sizes, Dtype::i64);
}
static void selected_vjp(Vjp& v, const Tensor&, int64_t dim, bool keepdim) {
  if (v.g(0).defined()) v.set(0, scatter_selected(v.g(0), v.out(1), v.sizes(0), dim, keepdim));
}
static void kthvalue_infer(Infer& o, const Tensor& x, int64_t k, int64_t dim, bool keepdim) {
  check_order_statistic(x);
  selected_infer(o, x, dim, keepdim);
  int64_t d = wrap_dim(dim, x.dim());
  KG_CHECK(k >= 1 && k <= (x.dim() ? x.sizes()[d] : 1),
           "selected number k out of range for dimension ", d, ": k = ", k, ", shape ", x.sizes());
}
static void kthvalue_vjp(Vjp& v, const Tensor& x, int64_t, int64_t dim, bool keepdim) {
  selected_vjp(v, x, dim, keepdim);
}
KG_ROW(kthvalue,
       "kthvalue(Tensor input, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor "
       "indices)",
       .grad = vjp<&kthvalue_vjp>("indices", 1), .infer = infer<&kthvalue_infer>,
       .as = kFunction | kMethod | kApart,
       .doc = "The k-th smallest element along a dimension and where it stands.")

static void median_infer(Infer& o, const Tensor& x, int64_t dim, bool keepdim) {
  check_order_statistic(x);
  selected_infer(o, x, dim, keepdim);
}
KG_ROW(median_dim,
       "median.dim(Tensor input, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
       .grad = vjp<&selected_vjp>("indices", 1), .infer = infer<&median_infer>,
       .as = kFunction | kMethod,
       .doc = "The median along a dimension, the lower of two, and where it stands.")
KG_ROW(nanmedian_dim,
       "nanmedian.dim(Tensor input, int dim, bool keepdim=False) -> (Tensor values, Tensor "
       "indices)",
       .grad = vjp<&selected_vjp>("indices", 1), .infer = infer<&median_infer>,
       .as = kFunction | kMethod,
       .doc = "The median of the elements that are not NaN along a dimension, and where it stands.")
static void median_all_infer(Infer& o, const Tensor& x) {
  check_order_statistic(x);
  o.out({}, x.dtype());
}
// Shared evenly among the elements that equal the median.
static void median_all_vjp(Vjp& v, const Tensor& x) {
  Tensor m = v.out(0), equal = where(ne(m, m), ne(x, x), eq(x, m));
  Tensor mask = to(equal, v.g().dtype());
  v.set(0, mask * (v.g() / sum(mask)));
}
KG_ROW(median, "median(Tensor input) -> Tensor", .grad = vjp<&median_all_vjp>("input result"),
       .infer = infer<&median_all_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "The median of all elements, the lower of two.")
KG_ROW(nanmedian, "nanmedian(Tensor input) -> Tensor", .grad = vjp<&median_all_vjp>("input result"),
       .infer = infer<&median_all_infer>, .as = kFunction | kMethod | kNoOut,
       .doc = "The median of all elements that are not NaN, the lower of two.")

static void mode_infer(Infer& o, const Tensor& x, int64_t dim, bool keepdim) {
  check_order_statistic(x, true);
  selected_infer(o, x, dim, keepdim);
}
KG_ROW(mode,
       "mode(Tensor input, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
       .grad = vjp<&selected_vjp>("indices", 1), .infer = infer<&mode_infer>,
       .as = kFunction | kMethod,
       .doc =
           "The most frequent element along a dimension, the smallest of several, and where it "
           "stands last.")

// ---- unique elements ----------------------------------------------------------------------------

static void unique_infer(Infer& o, const Tensor& x, bool, bool, bool) {
  check_order_statistic(x, true);
  o.data_dependent = true;
}
KG_ROW(unique2,
       "_unique2(Tensor input, bool sorted=True, bool return_inverse=False, bool "
       "return_counts=False) -> (Tensor, Tensor, Tensor)",
       .grad = nondiff("gives a set"), .infer = infer<&unique_infer>, .as = kFunction | kNoOut,
       .doc = "The distinct elements in order, the place of each element among them, and counts.")
static void unique_dim_infer(Infer& o, const Tensor& x, int64_t dim, bool, bool, bool) {
  check_order_statistic(x, true);
  KG_CHECK_INDEX(x.dim() > 0, "Dimension specified as ", dim, " but tensor has no dimensions");
  int64_t d = wrap_dim(dim, x.dim()), none = 0;
  for (int64_t s : x.sizes()) none += s == 0;
  KG_CHECK(none <= 1,
           "Number of zero sized dimensions is more than one, so unique cannot be applied; got "
           "shape ",
           x.sizes());
  KG_CHECK(none == 0 || x.sizes()[d] == 0,
           "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied; "
           "got shape ",
           x.sizes());
  o.data_dependent = true;
}
KG_ROW(unique_dim,
       "unique_dim(Tensor input, int dim, bool sorted=True, bool return_inverse=False, bool "
       "return_counts=False) -> (Tensor, Tensor, Tensor)",
       .grad = nondiff("gives a set"), .infer = infer<&unique_dim_infer>, .as = kInternal,
       .doc = "The distinct slices along a dimension in lexicographic order.")
static void unique_consecutive_infer(Infer& o, const Tensor& x, bool, bool,
                                     std::optional<int64_t> dim) {
  if (dim)
    unique_dim_infer(o, x, *dim, true, false, false);
  else
    unique_infer(o, x, true, false, false);
}
KG_ROW(unique_consecutive,
       "_unique_consecutive(Tensor input, bool return_inverse=False, bool return_counts=False, "
       "int? dim=None) -> (Tensor, Tensor, Tensor)",
       .grad = nondiff("gives a set"), .infer = infer<&unique_consecutive_infer>, .as = kInternal,
       .doc = "The first of each run of equal elements or slices.")

static void isin_infer(Infer& o, const Tensor& x, const Tensor& tests, bool) {
  for (const Tensor* t : {&x, &tests})
    KG_CHECK(!is_complex(t->dtype()) && t->dtype() != Dtype::boolean,
             "Unsupported input type encountered for isin(): ", t->dtype(),
             "; expected real numbers");
  KG_CHECK(x.dtype() == tests.dtype(), "expected elements of one dtype, got ", x.dtype(), " and ",
           tests.dtype());
  o.out(x.sizes(), Dtype::boolean);
}
KG_ROW(isin, "_isin(Tensor elements, Tensor test_elements, bool invert) -> Tensor",
       .grad = nondiff("truth has no derivative"), .infer = infer<&isin_infer>, .as = kInternal,
       .doc = "Whether each element occurs, or does not occur, among others.")

// ---- searching ----------------------------------------------------------------------------------

static void search_infer(Infer& o, const Tensor& boundaries, Operand values, bool out_int32,
                         bool right, std::string_view side, const Tensor& sorter) {
  KG_CHECK(boundaries.dim() > 0,
           "boundaries tensor should have positive dimension, but got 0 dimension");
  KG_CHECK(side.empty() || side == "left" || side == "right",
           "side can only be 'left' or 'right' but got ", side);
  KG_CHECK(side.empty() || !right || side == "right",
           "side and right can't be set to opposites, got side of ", side, " while right was True");
  check_order_statistic(boundaries);
  Ints sizes;
  if (values.is_tensor()) {
    const Tensor& x = values.tensor();
    check_order_statistic(x);
    sizes = x.sizes();
    KG_CHECK(x.dim() > 0 || boundaries.dim() == 1,
             "input value can be a scalar only when boundaries tensor dimension is 1, but we got "
             "boundaries tensor dim(",
             boundaries.dim(), ") and input value's dim(", x.dim(), ") numel(", x.numel(), ")");
    bool match = boundaries.dim() == 1 || boundaries.dim() == x.dim();
    for (int64_t i = 0; match && boundaries.dim() > 1 && i < x.dim() - 1; ++i)
      match = boundaries.sizes()[i] == x.sizes()[i];
    KG_CHECK(match,
             "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
             "tensor and input value tensor must match, but we got boundaries tensor ",
             boundaries.sizes(), " and input value tensor ", x.sizes());
  } else {
    KG_CHECK(boundaries.dim() == 1,
             "input value can be a scalar only when boundaries tensor dimension is 1, but we got "
             "boundaries tensor dim(",
             boundaries.dim(), ") and input value's dim(0) numel(1)");
    KG_CHECK_IMPLEMENTED(!values.scalar().is_complex(),
                         "not implemented for complex numbers: they have no order");
  }
  if (sorter.defined()) {
    KG_CHECK(sorter.dtype() == Dtype::i64, "sorter must be a tensor of long dtype but got dtype ",
             sorter.dtype());
    KG_CHECK(sorter.sizes() == boundaries.sizes(),
             "boundary and sorter must have the same size, but got boundary tensor ",
             boundaries.sizes(), " and got sorter tensor ", sorter.sizes());
  }
  KG_CHECK(!out_int32 || boundaries.sizes()[boundaries.dim() - 1] < (int64_t(1) << 31),
           "the size of the boundaries' last dimension should be less than ", INT32_MAX,
           " when out_int32 is true, but we got ", boundaries.sizes()[boundaries.dim() - 1]);
  o.out(sizes, out_int32 ? Dtype::i32 : Dtype::i64);
}
KG_ROW(searchsorted,
       "searchsorted(Tensor sorted_sequence, Operand input, *, bool out_int32=False, bool "
       "right=False, str? side=None, Tensor? sorter=None) -> Tensor",
       .grad = nondiff("gives positions"), .infer = infer<&search_infer>, .as = kFunction,
       .doc = "Where each value would have to be put into a sorted sequence to keep its order.")
static void bucketize_infer(Infer& o, Operand values, const Tensor& boundaries, bool out_int32,
                            bool right) {
  KG_CHECK(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim(",
           boundaries.dim(), ")");
  search_infer(o, boundaries, values, out_int32, right, {}, no_tensor);
}
KG_ROW(bucketize,
       "bucketize(Operand input, Tensor boundaries, *, bool out_int32=False, bool right=False) -> "
       "Tensor",
       .grad = nondiff("gives positions"), .infer = infer<&bucketize_infer>, .as = kFunction,
       .doc = "The number of the bucket between sorted boundaries that each value falls into.")

}  // namespace kagari
