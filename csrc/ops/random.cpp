// Random numbers: rows and shapes. The same seed gives PyTorch's numbers (cpu/random.cpp says how).
#include "ops/random.h"

#include <cmath>
#include <limits>

#include "ops/creation.h"
#include "ops/pointwise.h"

namespace kagari {

#define KG_OPTIONS \
  Dtype dtype, Layout layout, std::optional<Device> device, std::optional<bool>, std::optional<bool>
#define KG_OPTIONS_TEXT                                                                       \
  "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, " \
  "bool? requires_grad=None"
static constexpr const char* kRandom = "random numbers have no derivative";

static void check_layout(Layout layout) {
  KG_CHECK_IMPLEMENTED(layout == Layout::strided,
                       "expected layout=strided, the only layout there is");
}
static Dtype dtype_or(Dtype given, Dtype otherwise) {
  return given == Dtype::undefined ? otherwise : given;
}
static void check_floating(Dtype d) {
  KG_CHECK_IMPLEMENTED(is_floating(d) && !is_storage_only(d), "not implemented for '", d,
                       "': expected a floating point dtype such as float32");
}

static void check_inexact(Dtype d) {
  if (!is_complex(d) || is_storage_only(d)) check_floating(d);
}

// ---- in place: what is drawn does not depend on what was there, so its gradient is zero ---------

static void overwrite_vjp(Vjp& v) { v.set(0, zeros(v.sizes(0), v.dtype(0))); }

static void uniform_infer(Infer& o, const Tensor& x, double from, double to, Generator*) {
  check_inexact(x.dtype());
  KG_CHECK(from <= to, "expects to return a [from, to) range, but found from=", from, " > to=", to);
  Dtype d = real_dtype(x.dtype());
  double limit = d == Dtype::f64   ? std::numeric_limits<double>::max()
                 : d == Dtype::f16 ? 65504.0
                                   : double(std::numeric_limits<float>::max());
  KG_CHECK(from >= -limit && to <= limit && to - from <= limit,
           "expected bounds inside of the range of ", x.dtype(), ", got from=", from,
           " and to=", to);
  o.like(x);
}
static void uniform_vjp(Vjp& v, const Tensor&, double, double, Generator*) { overwrite_vjp(v); }
KG_ROW(uniform,
       "uniform(Tensor input, float from=0, float to=1, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&uniform_vjp>(), .infer = infer<&uniform_infer>, .starts_as = 0,
       .as = kInplace | kNoOut, .doc = "Fills with numbers drawn uniformly from [from, to).")

static void normal_infer(Infer& o, const Tensor& x, double, double std, Generator*) {
  check_inexact(x.dtype());
  KG_CHECK(std >= 0, "expects std >= 0.0, but found std ", std);
  o.like(x);
}
static void normal_vjp(Vjp& v, const Tensor&, double, double, Generator*) { overwrite_vjp(v); }
KG_ROW(normal,
       "normal.inplace(Tensor input, float mean=0, float std=1, *, Generator? generator=None) -> "
       "Tensor",
       .grad = vjp<&normal_vjp>(), .infer = infer<&normal_infer>, .starts_as = 0,
       .as = kInplace | kNoOut, .doc = "Fills with numbers drawn from the normal distribution.")

static void bernoulli_p_infer(Infer& o, const Tensor& x, double p, Generator*) {
  KG_CHECK(p >= 0 && p <= 1, "expects p to be in [0, 1], but got p=", p);
  KG_CHECK_IMPLEMENTED(!is_complex(x.dtype()), "is not defined for complex numbers");
  o.like(x);
}
static void bernoulli_p_vjp(Vjp& v, const Tensor&, double, Generator*) { overwrite_vjp(v); }
KG_ROW(bernoulli_p,
       "bernoulli.p(Tensor input, float p=0.5, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&bernoulli_p_vjp>(), .infer = infer<&bernoulli_p_infer>, .starts_as = 0,
       .as = kInplace | kNoOut, .doc = "Fills with ones, with probability p, and zeros.")
static void bernoulli_tensor_infer(Infer& o, const Tensor& x, const Tensor& p, Generator*) {
  KG_CHECK_IMPLEMENTED(!is_complex(x.dtype()), "is not defined for complex numbers");
  KG_CHECK(is_floating(p.dtype()), "expected probabilities of a floating point dtype, got ",
           p.dtype(), "; convert them with .float()");
  KG_CHECK(Ints(broadcast_shapes(x.sizes(), p.sizes())) == x.sizes(), "expected p of shape ",
           p.sizes(), " to broadcast to the shape ", x.sizes());
  o.like(x);
}
static void bernoulli_tensor_vjp(Vjp& v, const Tensor&, const Tensor&, Generator*) {
  overwrite_vjp(v);
  if (v.needs(1)) v.set(1, zeros(v.sizes(1), v.dtype(1)));
}
KG_ROW(bernoulli_tensor,
       "bernoulli.tensor_p(Tensor input, Tensor p, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&bernoulli_tensor_vjp>(), .infer = infer<&bernoulli_tensor_infer>,
       .starts_as = 0, .as = kInplace | kNoOut,
       .doc = "Fills with ones, with the probabilities given for each element, and zeros.")
static void bernoulli_infer(Infer& o, const Tensor& x, Generator*) {
  check_floating(x.dtype());
  o.out(x.sizes(), x.dtype());
}
static void bernoulli_vjp(Vjp& v, const Tensor&, Generator*) { overwrite_vjp(v); }
KG_ROW(bernoulli, "bernoulli(Tensor input, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&bernoulli_vjp>(), .infer = infer<&bernoulli_infer>, .as = kFunction | kMethod,
       .doc = "Ones with the probabilities that the input gives, and zeros.")

static void random_infer(Infer& o, const Tensor& x, Generator*) {
  KG_CHECK_IMPLEMENTED(!is_complex(x.dtype()), "is not defined for complex numbers");
  o.like(x);
}
static void random_vjp(Vjp& v, const Tensor&, Generator*) { overwrite_vjp(v); }
KG_ROW(random, "random(Tensor input, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&random_vjp>(), .infer = infer<&random_infer>, .starts_as = 0,
       .as = kInplace | kNoOut,
       .doc = "Fills with integers drawn uniformly from all that the dtype holds.")
// Of integer dtypes both ends must lie inside; floats round what they cannot hold.
static void check_bounds(Dtype d, int64_t from, int64_t last) {
  if (is_floating(d) || is_complex(d) || d == Dtype::i64) return;
  int bits = d == Dtype::boolean ? 1 : int(8 * itemsize(d)) - (is_signed(d) ? 1 : 0);
  int64_t high = bits >= 63 ? std::numeric_limits<int64_t>::max() : (int64_t(1) << bits) - 1;
  int64_t low = is_signed(d) ? -high - 1 : 0;
  KG_CHECK(from >= low && from <= high, "from is out of bounds for ", d, ": ", from, " is not in [",
           low, ", ", high, "]");
  KG_CHECK(last >= low && last <= high, "to - 1 is out of bounds for ", d, ": ", last,
           " is not in [", low, ", ", high, "]");
}
static void random_to_infer(Infer& o, const Tensor& x, int64_t to, Generator* g) {
  KG_CHECK(to > 0, "expects 'from' to be less than 'to', but got from=0 >= to=", to);
  check_bounds(x.dtype(), 0, to - 1);
  random_infer(o, x, g);
}
static void random_to_vjp(Vjp& v, const Tensor&, int64_t, Generator*) { overwrite_vjp(v); }
KG_ROW(random_to, "random.to(Tensor input, int to, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&random_to_vjp>(), .infer = infer<&random_to_infer>, .starts_as = 0,
       .as = kInplace | kNoOut, .doc = "Fills with integers drawn uniformly from [0, to).")
static void random_from_infer(Infer& o, const Tensor& x, int64_t from, std::optional<int64_t> to,
                              Generator* g) {
  KG_CHECK(!to || from < *to, "expects 'from' to be less than 'to', but got from=", from,
           " >= to=", to.value_or(0));
  check_bounds(x.dtype(), from, to ? *to - 1 : from);
  random_infer(o, x, g);
}
static void random_from_vjp(Vjp& v, const Tensor&, int64_t, std::optional<int64_t>, Generator*) {
  overwrite_vjp(v);
}
KG_ROW(random_from,
       "random.from(Tensor input, int from, int? to, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&random_from_vjp>(), .infer = infer<&random_from_infer>, .starts_as = 0,
       .as = kInplace | kNoOut, .doc = "Fills with integers drawn uniformly from [from, to).")

// ---- factories ----------------------------------------------------------------------------------

static void make(Infer& o, Ints size, Dtype dtype, Layout layout, std::optional<Device> device) {
  check_layout(layout);
  o.device = device.value_or(Device{});
  o.out(size, dtype);
}
static void rand_infer(Infer& o, Ints size, Generator*, KG_OPTIONS) {
  Dtype d = dtype_or(dtype, default_dtype());
  check_inexact(d);
  make(o, size, d, layout, device);
}
KG_ROW(rand, "rand(int[*] size, *, Generator? generator=None, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&rand_infer>,
       .doc = "Numbers drawn uniformly from [0, 1).")
KG_ROW(randn, "randn(int[*] size, *, Generator? generator=None, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&rand_infer>,
       .doc = "Numbers drawn from the standard normal distribution.")

static void check_range(Dtype d, int64_t low, int64_t high) {
  KG_CHECK(low < high, "expects 'from' to be less than 'to', but got from=", low, " >= to=", high);
  check_bounds(d, low, high - 1);
}
static void randint_infer(Infer& o, int64_t low, int64_t high, Ints size, Generator*, KG_OPTIONS) {
  Dtype d = dtype_or(dtype, Dtype::i64);
  check_range(d, low, high);
  make(o, size, d, layout, device);
}
KG_ROW(randint_low,
       "randint.low(int low, int high, int[] size, *, Generator? generator=None, " KG_OPTIONS_TEXT
       ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&randint_infer>,
       .doc = "Integers drawn uniformly from [low, high).")
static void randint_high_infer(Infer& o, int64_t high, Ints size, Generator*, KG_OPTIONS) {
  Dtype d = dtype_or(dtype, Dtype::i64);
  check_range(d, 0, high);
  make(o, size, d, layout, device);
}
KG_ROW(randint,
       "randint(int high, int[] size, *, Generator? generator=None, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&randint_high_infer>,
       .doc = "Integers drawn uniformly from [0, high).")
static void randperm_infer(Infer& o, int64_t n, Generator*, KG_OPTIONS) {
  KG_CHECK(n >= 0, "n must be non-negative, got ", n);
  Dtype d = dtype_or(dtype, Dtype::i64);
  KG_CHECK_IMPLEMENTED(d != Dtype::boolean && !is_complex(d), "not implemented for '", d, "'");
  int bits = d == Dtype::f64    ? 53
             : d == Dtype::f32  ? 24
             : d == Dtype::f16  ? 11
             : d == Dtype::bf16 ? 63
                                : int(8 * itemsize(d)) - (is_signed(d) ? 1 : 0);
  int64_t most = bits >= 63 ? std::numeric_limits<int64_t>::max()
                            : (int64_t(1) << bits) + (is_floating(d) ? 1 : -1);
  KG_CHECK(n <= most, "n cannot be greater than ", most, " for dtype ", d, ", got ", n);
  make(o, {n}, d, layout, device);
}
KG_ROW(randperm, "randperm(int n, *, Generator? generator=None, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&randperm_infer>,
       .doc = "A random permutation of the integers from 0 to n - 1.")

#define KG_LIKE_TEXT KG_OPTIONS_TEXT ", MemoryFormat? memory_format=None, Generator? generator=None"
static void make_like(Infer& o, const Tensor& x, Dtype d, Layout layout,
                      std::optional<Device> device, std::optional<MemoryFormat> f) {
  check_layout(layout);
  if (device) o.device = *device;
  if (f && *f == MemoryFormat::contiguous)
    o.out(x.sizes(), d);
  else
    o.like(x, d);
}
static void rand_like_infer(Infer& o, const Tensor& x, KG_OPTIONS, std::optional<MemoryFormat> f,
                            Generator*) {
  Dtype d = dtype_or(dtype, x.dtype());
  check_inexact(d);
  make_like(o, x, d, layout, device, f);
}
KG_ROW(rand_like, "rand_like(Tensor input, *, " KG_LIKE_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&rand_like_infer>, .as = kFunction | kNoOut,
       .doc = "As rand, with the size of the input.")
KG_ROW(randn_like, "randn_like(Tensor input, *, " KG_LIKE_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&rand_like_infer>, .as = kFunction | kNoOut,
       .doc = "As randn, with the size of the input.")
static void randint_like_infer(Infer& o, const Tensor& x, int64_t low, int64_t high, KG_OPTIONS,
                               std::optional<MemoryFormat> f, Generator*) {
  Dtype d = dtype_or(dtype, x.dtype());
  check_range(d, low, high);
  make_like(o, x, d, layout, device, f);
}
KG_ROW(randint_like_low,
       "randint_like.low(Tensor input, int low, int high, *, " KG_LIKE_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&randint_like_infer>, .as = kFunction | kNoOut,
       .doc = "As randint, with the size of the input.")
static void randint_like_high_infer(Infer& o, const Tensor& x, int64_t high, KG_OPTIONS,
                                    std::optional<MemoryFormat> f, Generator*) {
  Dtype d = dtype_or(dtype, x.dtype());
  check_range(d, 0, high);
  make_like(o, x, d, layout, device, f);
}
KG_ROW(randint_like, "randint_like(Tensor input, int high, *, " KG_LIKE_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&randint_like_high_infer>, .as = kFunction | kNoOut,
       .doc = "As randint, with the size of the input.")

static void normal_sized_infer(Infer& o, double, double std, Ints size, Generator*, KG_OPTIONS) {
  KG_CHECK(std >= 0, "expects std >= 0.0, but found std ", std);
  Dtype d = dtype_or(dtype, default_dtype());
  check_inexact(d);
  make(o, size, d, layout, device);
}
KG_ROW(normal_sized,
       "normal.float_float(float mean, float std, int[] size, *, Generator? "
       "generator=None, " KG_OPTIONS_TEXT ") -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&normal_sized_infer>,
       .doc = "Numbers drawn from the normal distribution.")

// ---- dropout ------------------------------------------------------------------------------------

static void dropout_infer(Infer& o, const Tensor& x, double p, bool) {
  KG_CHECK(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
  KG_CHECK(is_floating(x.dtype()) || is_complex(x.dtype()), "result type ", default_dtype(),
           " can't be cast to the desired output type ", x.dtype(),
           "; convert the input with .float()");
  check_floating(x.dtype());
  o.like(x);
  o.like(x, x.dtype());
}
static void dropout_vjp(Vjp& v, const Tensor&, double, bool) {
  if (v.g(0).defined()) v.set(0, v.g(0) * v.out(1));
}
KG_ROW(dropout_mask, "_dropout(Tensor input, float p, bool train) -> (Tensor output, Tensor mask)",
       .grad = vjp<&dropout_vjp>("mask", 1), .infer = infer<&dropout_infer>, .as = kInternal,
       .doc = "Zeroes elements with probability p and scales the others by 1 / (1 - p).")

}  // namespace kagari
