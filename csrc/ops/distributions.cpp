// Draws from distributions other than the uniform and the normal one: rows and shapes.
#include "ops/call.h"
#include "ops/creation.h"
#include "ops/pointwise.h"

namespace kagari {

KG_DECLARE_ROW(standard_gamma_grad)

static constexpr const char* kRandom = "random numbers have no derivative";

static void check_continuous(const char* name, Dtype d) {
  KG_CHECK(is_floating(d), "the ", name,
           " distribution is a continuous probability distribution: expected a floating point "
           "dtype, got ",
           d);
}
static void check_floating(Dtype d) {
  KG_CHECK_IMPLEMENTED(is_floating(d), "not implemented for '", d,
                       "': expected a floating point dtype such as float32");
}

// ---- in place: what is drawn does not depend on what was there, so its gradient is zero ---------

static void overwrite_vjp(Vjp& v) { v.set(0, zeros(v.sizes(0), v.dtype(0))); }

static void exponential_infer(Infer& o, const Tensor& x, double lambd, Generator*) {
  check_continuous("exponential", x.dtype());
  KG_CHECK(lambd > 0, "exponential_ expects lambda > 0.0, but found lambda=", lambd);
  o.like(x);
}
static void exponential_vjp(Vjp& v, const Tensor&, double, Generator*) { overwrite_vjp(v); }
KG_ROW(exponential,
       "exponential(Tensor input, float lambd=1, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&exponential_vjp>(), .infer = infer<&exponential_infer>, .starts_as = 0,
       .as = kInplace | kNoOut,
       .doc = "Fills with numbers drawn from the exponential distribution.")

static void cauchy_infer(Infer& o, const Tensor& x, double, double sigma, Generator*) {
  check_continuous("Cauchy", x.dtype());
  KG_CHECK(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
  o.like(x);
}
static void two_numbers_vjp(Vjp& v, const Tensor&, double, double, Generator*) { overwrite_vjp(v); }
KG_ROW(cauchy,
       "cauchy(Tensor input, float median=0, float sigma=1, *, Generator? generator=None) -> "
       "Tensor",
       .grad = vjp<&two_numbers_vjp>(), .infer = infer<&cauchy_infer>, .starts_as = 0,
       .as = kInplace | kNoOut, .doc = "Fills with numbers drawn from the Cauchy distribution.")

static void log_normal_infer(Infer& o, const Tensor& x, double, double std, Generator*) {
  check_floating(x.dtype());
  KG_CHECK(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
  o.like(x);
}
KG_ROW(log_normal,
       "log_normal(Tensor input, float mean=1, float std=2, *, Generator? generator=None) -> "
       "Tensor",
       .grad = vjp<&two_numbers_vjp>(), .infer = infer<&log_normal_infer>, .starts_as = 0,
       .as = kInplace | kNoOut,
       .doc = "Fills with numbers whose logarithms are drawn from the normal distribution.")

static void geometric_infer(Infer& o, const Tensor& x, double p, Generator*) {
  KG_CHECK(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
  KG_CHECK_IMPLEMENTED(!is_complex(x.dtype()) && x.dtype() != Dtype::boolean,
                       "not implemented for '", x.dtype(), "'");
  o.like(x);
}
static void geometric_vjp(Vjp& v, const Tensor&, double, Generator*) { overwrite_vjp(v); }
KG_ROW(geometric, "geometric(Tensor input, float p, *, Generator? generator=None) -> Tensor",
       .grad = vjp<&geometric_vjp>(), .infer = infer<&geometric_infer>, .starts_as = 0,
       .as = kInplace | kNoOut,
       .doc = "Fills with the number of trials of probability p until the first success.")

// ---- parameters in tensors ----------------------------------------------------------------------

static void one_tensor_infer(Infer& o, const Tensor& x, Generator*) {
  check_floating(x.dtype());
  o.out(x.sizes(), x.dtype());
}
static void poisson_vjp(Vjp& v, const Tensor&, Generator*) { overwrite_vjp(v); }
KG_ROW(poisson, "poisson(Tensor input, Generator? generator=None) -> Tensor",
       .grad = vjp<&poisson_vjp>(), .infer = infer<&one_tensor_infer>, .as = kFunction | kNoOut,
       .doc = "Draws from Poisson distributions with the rates that the input gives.")

static void binomial_infer(Infer& o, const Tensor& count, const Tensor& prob, Generator*) {
  check_floating(count.dtype());
  KG_CHECK(count.dtype() == prob.dtype(), "expected count and prob of one dtype, got ",
           count.dtype(), " and ", prob.dtype());
  o.out(broadcast_shapes(count.sizes(), prob.sizes()), count.dtype());
}
static void binomial_vjp(Vjp& v, const Tensor&, const Tensor&, Generator*) {
  for (int i = 0; i < 2; ++i)
    if (v.needs(i)) v.set(i, zeros(v.sizes(i), v.dtype(i)));
}
KG_ROW(binomial, "binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor",
       .grad = vjp<&binomial_vjp>(), .infer = infer<&binomial_infer>, .as = kFunction | kNoOut,
       .doc = "The number of successes in count trials of probability prob, drawn for each pair.")

static void standard_gamma_vjp(Vjp& v, const Tensor& x, Generator*) {
  v.set(0, v.g() * call(rows::standard_gamma_grad, x, v.out(0)));
}
KG_ROW(standard_gamma, "_standard_gamma(Tensor input, Generator? generator=None) -> Tensor",
       .grad = vjp<&standard_gamma_vjp>("input result"), .infer = infer<&one_tensor_infer>,
       .as = kFunction | kNoOut,
       .doc = "Draws from gamma distributions of rate one with the shapes that the input gives.")

static void same_shape_infer(Infer& o, const Tensor& a, const Tensor& b) {
  check_floating(a.dtype());
  KG_CHECK(a.dtype() == b.dtype(), "expected tensors of one dtype, got ", a.dtype(), " and ",
           b.dtype());
  o.out(broadcast_shapes(a.sizes(), b.sizes()), a.dtype());
}
KG_ROW(standard_gamma_grad, "_standard_gamma_grad(Tensor input, Tensor output) -> Tensor",
       .grad = nondiff("the derivative of a drawn number is not differentiated again"),
       .infer = infer<&same_shape_infer>, .as = kFunction | kNoOut,
       .doc =
           "The derivative of a number drawn by _standard_gamma by its shape, at a fixed "
           "probability.")

static void sample_dirichlet_infer(Infer& o, const Tensor& x, Generator* g) {
  KG_CHECK(x.dim() > 0, "expected concentrations of at least one dimension, got a 0-d tensor");
  one_tensor_infer(o, x, g);
}
KG_ROW(sample_dirichlet, "_sample_dirichlet(Tensor input, Generator? generator=None) -> Tensor",
       .grad = nondiff(kRandom), .infer = infer<&sample_dirichlet_infer>, .as = kFunction | kNoOut,
       .doc = "Draws from Dirichlet distributions with the concentrations of the last dimension.")

static void dirichlet_grad_infer(Infer& o, const Tensor& x, const Tensor& alpha,
                                 const Tensor& total) {
  same_shape_infer(o, x, alpha);
  KG_CHECK(alpha.dtype() == total.dtype() && x.sizes() == alpha.sizes() &&
               alpha.sizes() == total.sizes(),
           "expected x, alpha and total of one shape and dtype, got ", x.sizes(), ", ",
           alpha.sizes(), " and ", total.sizes());
}
KG_ROW(dirichlet_grad, "_dirichlet_grad(Tensor x, Tensor alpha, Tensor total) -> Tensor",
       .grad = nondiff("the derivative of a drawn number is not differentiated again"),
       .infer = infer<&dirichlet_grad_infer>, .as = kFunction | kNoOut,
       .doc =
           "The derivative of a share drawn by _sample_dirichlet by its concentration, over "
           "1 - x.")

static void multinomial_infer(Infer& o, const Tensor& x, int64_t num_samples, Generator*) {
  check_floating(x.dtype());
  KG_CHECK(x.dim() >= 1 && x.sizes()[x.dim() - 1] > 0,
           "expected weights of at least one class, got shape ", x.sizes());
  Dims sizes(x.sizes());
  sizes[x.dim() - 1] = num_samples;
  o.out(sizes, Dtype::i64);
}
KG_ROW(multinomial_replaced,
       "_multinomial(Tensor input, int num_samples, *, Generator? generator=None) -> Tensor",
       .grad = nondiff("its results are indices"), .infer = infer<&multinomial_infer>,
       .as = kInternal,
       .doc =
           "Draws indices with replacement by the weights of the last "
           "dimension.")

static void rrelu_infer(Infer& o, const Tensor& x, double lower, double upper, Generator*) {
  check_floating(x.dtype());
  KG_CHECK(lower <= upper, "Lower bound should be less than or equal to the upper bound, got ",
           lower, " and ", upper);
  o.out(x.sizes(), x.dtype());
  o.out(x.sizes(), x.dtype());
}
static void rrelu_vjp(Vjp& v, const Tensor&, double, double, Generator*) {
  if (v.g(0).defined()) v.set(0, v.g(0) * v.out(1));
}
KG_ROW(rrelu_noise,
       "_rrelu(Tensor input, float lower, float upper, *, Generator? generator=None) -> (Tensor "
       "output, Tensor noise)",
       .grad = vjp<&rrelu_vjp>("noise", 1), .infer = infer<&rrelu_infer>, .as = kInternal,
       .doc = "Multiplies what is not positive by slopes drawn uniformly from [lower, upper).")

}  // namespace kagari
