// Draws from distributions other than the uniform and the normal one, on the CPU. The order of the
// draws and the arithmetic are PyTorch's, so that the same seed gives the same numbers.
#include <cmath>
#include <limits>

#include "cpu/convert.h"
#include "cpu/pointwise_scalar.h"
#include "cpu/random.h"
#include "ops/call.h"

namespace kagari {

namespace {

// A tensor's values in the order of the given sizes, to which it broadcasts, as numbers of type T.
template <class T>
class Flat {
 public:
  Flat(const Tensor& t, Ints sizes) : room_(size_t(numel(sizes)) * sizeof(T) + 64) {
    int64_t geometry[2 * kMaxDims], step = 1;
    for (int64_t i = sizes.n - 1; i >= 0; --i) {
      geometry[i] = sizes[i];
      geometry[sizes.n + i] = step;
      step *= sizes[i];
    }
    TensorImpl mine{};
    mine.data = room_.template as<char>();
    mine.dtype = dtype_of<T>;
    mine.ndim = uint8_t(sizes.n);
    mine.sizes = geometry;
    mine.numel = step;
    mine.flags = kContiguous;
    convert(&mine, t.get());
  }
  T operator[](int64_t i) { return room_.template as<T>()[i]; }

 private:
  static int64_t numel(Ints sizes) {
    int64_t n = 1;
    for (int64_t s : sizes) n *= s;
    return n;
  }
  Workspace room_;
};

// Calls f.operator()<T, Wide>() for floating dtypes; Wide is double for double, else float.
template <class F>
void visit_floating(Dtype d, F&& f) {
  visit(d, [&]<class T>() {
    if constexpr (is_floating(dtype_of<T>))
      f.template operator()<T, std::conditional_t<std::is_same_v<T, double>, double, float>>();
  });
}

// out[i] = draw(g, a[i]) for a contiguous out, in double: the numbers are drawn in order.
template <class Draw>
void draw_each(Results& out, Generator* generator, Draw&& draw) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  visit_floating(out[0].dtype(), [&]<class T, class Wide>() {
    T* to = out[0].data_as<T>();
    for (int64_t i = 0; i < out[0].numel(); ++i) to[i] = T(Wide(draw(g, i)));
  });
}

// ---- in place -----------------------------------------------------------------------------------

void exponential_cpu(Results& out, const Tensor& x, double lambda, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  bool wide = x.dtype() == Dtype::f64;
  store_each(out[0], [&] {
    double u = uniform_double(g);
    // log1p(-u), kept away from zero so that no number is zero
    double eps = wide ? std::numeric_limits<double>::epsilon() / 2
                      : double(std::numeric_limits<float>::epsilon() / 2);
    double log = u >= 1 - eps ? -eps : std::log1p(-u);
    return -1.0 / lambda * log;
  });
}
void cauchy_cpu(Results& out, const Tensor&, double median, double sigma, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  store_each(out[0], [&] {
    double turn = 3.14159265358979323846 * (uniform_double(g) - 0.5);
    return std::fma(sigma, std::tan(turn), median);
  });
}
void log_normal_cpu(Results& out, const Tensor&, double mean, double std, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  store_each(out[0], [&] { return std::exp(one_normal(g, mean, std)); });
}
void geometric_cpu(Results& out, const Tensor&, double p, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  double log_failure = std::log1p(-p);
  store_each(out[0], [&] { return std::ceil(std::log(uniform_double(g)) / log_failure); });
}

// ---- counts -------------------------------------------------------------------------------------

// Knuth's products for small rates, Hörmann's transformed rejection (PTRS, 1993) for others.
double draw_poisson(Generator& g, double rate) {
  KG_CHECK(rate >= 0, "invalid Poisson rate, expected rate to be non-negative, got ", rate);
  if (rate == 0) return 0;
  if (rate < 10) {
    double limit = std::exp(-rate), product = 1;
    for (int64_t k = 0;; ++k) {
      product *= uniform_double(g);
      if (product <= limit) return double(k);
    }
  }
  double root = std::sqrt(rate), log_rate = std::log(rate);
  double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), box = 0.9277 - 3.6224 / (b - 2);
  while (true) {
    double u = uniform_double(g) - 0.5, v = uniform_double(g);
    double us = 0.5 - std::fabs(u), k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= box) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        -rate + k * log_rate - std::lgamma(k + 1))
      return k;
  }
}
void poisson_cpu(Results& out, const Tensor& x, Generator* generator) {
  Flat<double> rate(x, out[0].sizes());
  draw_each(out, generator, [&](Generator& g, int64_t i) { return draw_poisson(g, rate[i]); });
}

// log(k!) less Stirling's formula.
double stirling_tail(double k) {
  static constexpr double kTails[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983,
                                      0.02079067210376509, 0.0166446911898211, 0.0138761288230707,
                                      0.0118967099458917,  0.0104112652619720, 0.00925546218271273,
                                      0.00833056343336287};
  if (k <= 9) return kTails[int64_t(k)];
  double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}
// The number of successes, p at most 1/2: by geometric gaps where few are expected, else by
// Hörmann's transformed rejection (BTRS, 1993). T is the precision of the parameters.
template <class T>
T few_successes(Generator& g, T count, T p) {
  double log_failure = std::log1p(-double(p)), sum = 0;
  for (T successes = 0;; successes = successes + 1) {
    sum += std::ceil(std::log(uniform_double(g)) / log_failure);
    if (sum > count) return successes;
  }
}
template <class T>
T many_successes(Generator& g, T count, T p) {
  double spread = std::sqrt(count * p * (1 - p));
  double b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * double(p);
  double c = double(count * p) + 0.5, box = 0.92 - 4.2 / b, odds = double(p / (1 - p));
  double alpha = (2.83 + 5.1 / b) * spread, m = std::floor((count + 1) * p);
  while (true) {
    double u = uniform_double(g) - 0.5, v = uniform_double(g);
    double us = 0.5 - std::fabs(u);
    T k = T(std::floor((2 * a / us + b) * u + c));
    if (k < 0 || k > count) continue;
    if (us >= 0.07 && v <= box) return k;
    double n = double(count), j = double(k);
    v = std::log(v * alpha / (a / (us * us) + b));
    double bound = (m + 0.5) * std::log((m + 1) / (odds * (n - m + 1))) +
                   (n + 1) * std::log((n - m + 1) / (n - j + 1)) +
                   (j + 0.5) * std::log(odds * (n - j + 1) / (j + 1)) + stirling_tail(m) +
                   stirling_tail(n - m) - stirling_tail(j) - stirling_tail(n - j);
    if (v <= bound) return k;
  }
}
template <class T>
T draw_binomial(Generator& g, T count, T p) {
  if (count <= 0 || p <= 0) return 0;
  if (p >= 1) return count;
  if (!(p == p && count == count)) return std::numeric_limits<T>::quiet_NaN();
  T rare = p <= T(0.5) ? p : T(1.0 - p);
  T successes = count * rare >= 10 ? many_successes(g, count, rare) : few_successes(g, count, rare);
  return p <= T(0.5) ? successes : count - successes;
}
void binomial_cpu(Results& out, const Tensor& count, const Tensor& prob, Generator* generator) {
  visit_floating(out[0].dtype(), [&]<class T, class Wide>() {
    Flat<Wide> n(count, out[0].sizes()), p(prob, out[0].sizes());
    draw_each(out, generator,
              [&](Generator& g, int64_t i) { return draw_binomial<Wide>(g, n[i], p[i]); });
  });
}

void multinomial_cpu(Results& out, const Tensor& x, int64_t draws, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  int64_t classes = x.sizes()[x.dim() - 1], lines = x.numel() / classes;
  visit_floating(x.dtype(), [&]<class T, class Wide>() {
    Flat<Wide> weights(x, x.sizes());
    Workspace room(size_t(classes) * sizeof(Wide));
    Wide* below = room.as<Wide>();
    int64_t* to = out[0].data_as<int64_t>();
    for (int64_t line = 0; line < lines; ++line) {
      Wide sum = 0;
      for (int64_t c = 0; c < classes; ++c) below[c] = sum += weights[line * classes + c];
      for (int64_t c = 0; c < classes; ++c) below[c] /= sum;
      below[classes - 1] = 1;
      for (int64_t k = 0; k < draws; ++k) {
        double u = uniform_double(g);
        int64_t left = 0, right = classes;
        while (left < right) {
          int64_t middle = left + (right - left) / 2;
          if (double(below[middle]) < u)
            left = middle + 1;
          else
            right = middle;
        }
        *to++ = std::min(left, classes - 1);
      }
    }
  });
}

// ---- gamma and Dirichlet ------------------------------------------------------------------------

// Marsaglia and Tsang 2000; a shape below one is raised by one and the number scaled back.
template <class T>
double draw_gamma(Generator& g, T shape) {
  double scale = 1;
  if (shape < 1) {
    if (shape == 0) return 0;
    scale *= std::pow(1 - uniform_double(g), double(1.0f / shape));
    shape += 1;
  }
  const double d = shape - 1.0f / 3.0f, c = 1.0f / std::sqrt(9.0f * d);
  while (true) {
    double x, y;
    do {
      x = one_normal(g, 0, 1);
      y = 1.0f + c * x;
    } while (y <= 0);
    double v = y * y * y, u = 1 - uniform_double(g), square = x * x;
    if (u < 1.0f - 0.0331f * square * square) return scale * d * v;
    if (std::log(u) < 0.5f * square + d * (1.0f - v + std::log(v))) return scale * d * v;
  }
}
template <class T>
double smallest() {
  return std::is_same_v<T, double> ? std::numeric_limits<double>::min()
         : std::is_same_v<T, f16>  ? 0x1p-14
                                   : double(std::numeric_limits<float>::min());
}
void standard_gamma_cpu(Results& out, const Tensor& x, Generator* generator) {
  visit_floating(out[0].dtype(), [&]<class T, class Wide>() {
    Flat<Wide> shape(x, out[0].sizes());
    draw_each(out, generator, [&](Generator& g, int64_t i) {
      return std::max(smallest<T>(), double(Wide(draw_gamma<Wide>(g, shape[i]))));
    });
  });
}
void sample_dirichlet_cpu(Results& out, const Tensor& x, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  int64_t classes = x.sizes()[x.dim() - 1];
  if (x.numel() == 0) return;
  Flat<double> concentration(x, x.sizes());
  Workspace room(size_t(x.numel()) * sizeof(double));
  double* drawn = room.as<double>();
  for (int64_t i = 0; i < x.numel(); ++i)
    drawn[i] =
        std::max(std::numeric_limits<double>::min(), draw_gamma<double>(g, concentration[i]));
  visit_floating(x.dtype(), [&]<class T, class Wide>() {
    T* to = out[0].data_as<T>();
    // no share is zero or one: their logarithms are taken
    const double low = smallest<T>(), high = std::is_same_v<T, double>  ? 1 - 0x1p-53
                                             : std::is_same_v<T, float> ? 1 - 0x1p-24
                                             : std::is_same_v<T, f16>   ? 1 - 0x1p-11
                                                                        : 1 - 0x1p-8;
    for (int64_t line = 0; line < x.numel(); line += classes) {
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c) sum += drawn[line + c];
      for (int64_t c = 0; c < classes; ++c)
        to[line + c] = T(Wide(std::min(high, std::max(low, drawn[line + c] / sum))));
    }
  });
}

// ---- derivatives of drawn numbers by a parameter, at a fixed probability ------------------------
//
// A draw x with distribution function F(x; a) moves by dx/da = -(dF/da) / (dF/dx). The series and
// continued fractions of F are evaluated on numbers that carry their derivative by a, so the
// results are exact to rounding.

struct Dual {
  double v, d;  // value, derivative
};
Dual operator+(Dual a, Dual b) { return {a.v + b.v, a.d + b.d}; }
Dual operator-(Dual a, Dual b) { return {a.v - b.v, a.d - b.d}; }
Dual operator*(Dual a, Dual b) { return {a.v * b.v, a.d * b.v + a.v * b.d}; }
Dual operator/(Dual a, Dual b) {
  double q = a.v / b.v;
  return {q, (a.d - q * b.d) / b.v};
}
Dual constant(double v) { return {v, 0}; }

constexpr int kMostTerms = 100000;
constexpr double kTiny = 1e-300;
bool settled(Dual change) { return std::fabs(change.v) + std::fabs(change.d) < 1e-16; }

// Lentz's evaluation of a continued fraction: multiply() takes the next two coefficients.
struct Lentz {
  Dual c = constant(1 / kTiny), d, h;
  explicit Lentz(Dual b) : d(constant(1) / b), h(d) {}
  Lentz(Dual first, Dual b) : c(first), d(constant(1) / b), h(d) {}
  bool multiply(Dual a, Dual b) {
    Dual below = a * d + b;
    if (std::fabs(below.v) < kTiny) below.v = kTiny;
    d = constant(1) / below;
    c = b + a / c;
    if (std::fabs(c.v) < kTiny) c.v = kTiny;
    Dual factor = d * c;
    h = h * factor;
    return settled(factor - constant(1));
  }
};

double gamma_shape_derivative(double a, double x) {
  if (!(a > 0 && x > 0)) return a == 0 || x == 0 ? 0 : std::numeric_limits<double>::quiet_NaN();
  if (a >
      1e5) {  // Cornish and Fisher: x = a + z sqrt(a) + (z^2 - 1) / 3 + (z^3 - 7z) / (36 sqrt(a))
    double root = std::sqrt(a), z = (x - a) / root;
    for (int i = 0; i < 3; ++i)
      z = (x - a - (z * z - 1) / 3 - (z * z * z - 7 * z) / (36 * root)) / root;
    return 1 + z / (2 * root) - (z * z * z - 7 * z) / (72 * root * a);
  }
  Dual shape{a, 1};
  if (x < a + 1) {
    Dual term = constant(1), sum = term;
    for (int n = 1; n < kMostTerms; ++n) {
      term = term * constant(x) / (shape + constant(n));
      sum = sum + term;
      if (settled({term.v / sum.v, term.d / sum.v})) break;
    }
    return -x / a * (sum.v * (std::log(x) - scalar::digamma(a + 1)) + sum.d);
  }
  Lentz f(constant(x + 1) - shape);
  for (int n = 1; n < kMostTerms; ++n)
    if (f.multiply(constant(-n) * (constant(n) - shape), constant(x + 1 + 2 * n) - shape)) break;
  return x * (f.h.v * (std::log(x) - scalar::digamma(a)) + f.h.d);
}

// The continued fraction of the incomplete beta function.
Dual beta_fraction(Dual a, Dual b, double x) {
  Dual one = constant(1), y = constant(x), total = a + b, up = a + one, down = a - one;
  Lentz f(one, one - total * y / up);
  for (int m = 1; m < kMostTerms; ++m) {
    Dual k = constant(m), twice = constant(2 * m);
    f.multiply(k * (b - k) * y / ((down + twice) * (a + twice)), one);
    if (f.multiply(constant(-1) * (a + k) * (total + k) * y / ((a + twice) * (up + twice)), one))
      break;
  }
  return f.h;
}
// By the concentration, over 1 - x: x is a share with concentration a, b those of all others.
double dirichlet_derivative(double x, double a, double b) {
  if (!(a > 0 && b > 0 && x > 0 && x < 1)) return x == 0 || x == 1 ? 0 : x - x + a - a + b - b;
  double logs = std::log(x) - scalar::digamma(a) + scalar::digamma(a + b);
  if (x < (a + 1) / (a + b + 2)) {
    Dual f = beta_fraction({a, 1}, {b, 0}, x);
    return -x / a * (f.v * (logs - 1 / a) + f.d);
  }
  Dual f = beta_fraction({b, 0}, {a, 1}, 1 - x);
  return x / b * (f.v * logs + f.d);
}

void standard_gamma_grad_cpu(Results& out, const Tensor& shape, const Tensor& drawn) {
  Flat<double> a(shape, out[0].sizes()), x(drawn, out[0].sizes());
  visit_floating(out[0].dtype(), [&]<class T, class Wide>() {
    T* to = out[0].data_as<T>();
    for (int64_t i = 0; i < out[0].numel(); ++i)
      to[i] = T(Wide(gamma_shape_derivative(a[i], x[i])));
  });
}
void dirichlet_grad_cpu(Results& out, const Tensor& x, const Tensor& alpha, const Tensor& total) {
  Flat<double> share(x, out[0].sizes()), a(alpha, out[0].sizes()), all(total, out[0].sizes());
  visit_floating(out[0].dtype(), [&]<class T, class Wide>() {
    T* to = out[0].data_as<T>();
    for (int64_t i = 0; i < out[0].numel(); ++i)
      to[i] = T(Wide(dirichlet_derivative(share[i], a[i], all[i] - a[i])));
  });
}

void rrelu_cpu(Results& out, const Tensor& x, double lower, double upper, Generator* generator) {
  Generator& g = pick(generator);
  std::lock_guard hold(g.mutex);
  visit_floating(x.dtype(), [&]<class T, class Wide>() {
    Flat<T> in(x, x.sizes());
    T *y = out[0].data_as<T>(), *noise = out[1].data_as<T>();
    const double low = Wide(lower), high = Wide(upper);
    for (int64_t i = 0; i < x.numel(); ++i) {
      T v = in[i];
      if (Wide(v) <= 0) {
        Wide slope = Wide(uniform_double(g) * (high - low) + low);
        noise[i] = T(slope);
        y[i] = T(Wide(v) * slope);
      } else {
        noise[i] = T(1.0f);
        y[i] = v;
      }
    }
  });
}

}  // namespace

KG_KERNEL(exponential, cpu, exponential_cpu)
KG_KERNEL(cauchy, cpu, cauchy_cpu)
KG_KERNEL(log_normal, cpu, log_normal_cpu)
KG_KERNEL(geometric, cpu, geometric_cpu)
KG_KERNEL(poisson, cpu, poisson_cpu)
KG_KERNEL(binomial, cpu, binomial_cpu)
KG_KERNEL(multinomial_replaced, cpu, multinomial_cpu)
KG_KERNEL(standard_gamma, cpu, standard_gamma_cpu)
KG_KERNEL(standard_gamma_grad, cpu, standard_gamma_grad_cpu)
KG_KERNEL(sample_dirichlet, cpu, sample_dirichlet_cpu)
KG_KERNEL(dirichlet_grad, cpu, dirichlet_grad_cpu)
KG_KERNEL(rrelu_noise, cpu, rrelu_cpu)

}  // namespace kagari
