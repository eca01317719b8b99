// Measures the vectorised mathematics: the largest error in units in the last place, the special
// values, independence of a lane from its neighbours, scalar against lanes, and throughput.
//
//   accuracy [--step N] [--only name] [--isa v4] [--f64 N] [--speed]
//   accuracy --judge name [f64]      x and y pairs on stdin, the largest error on stdout
//
// --step 1 walks every float; the default step is for continuous integration.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "reference.h"
#include "subjects.h"

#ifdef KG_TEST_V2
kagari_test::Build build_v2();
#endif
#ifdef KG_TEST_V3
kagari_test::Build build_v3();
#endif
#ifdef KG_TEST_V4
kagari_test::Build build_v4();
#endif
#ifdef KG_TEST_PLAIN
kagari_test::Build build_plain();
#endif

namespace kagari_test {
namespace {

struct Options {
  std::uint64_t step = 4093;
  std::string only, isa;
  std::size_t doubles = 20000;
  bool speed = false;
};

struct Worst {
  double ulps = 0;
  double x = 0, y = 0, got = 0, want = 0;
};

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, __float128>;

// |got - want| in units of the last place of T at want. Results that must be NaN or infinite count
// as an infinite error when they are not, and a wrong sign of zero too.
template <class T>
double error_in_ulps(T got, Wide<T> want, double floor = 0) {
  constexpr int digits = std::is_same_v<T, float> ? 24 : 53;
  constexpr int min_exponent = std::is_same_v<T, float> ? -125 : -1021;
  const T rounded = static_cast<T>(want);
  if (want != want) return got != got ? 0 : HUGE_VAL;
  if (std::isinf(rounded) || std::isinf(got)) {
    if (got == rounded) return 0;
    // One side just past the largest number: measure as if the range went on.
    if (got != got || std::isinf(static_cast<double>(want)) || (want < 0) != (got < 0))
      return HUGE_VAL;
    const Wide<T> unit = std::ldexp(1.0, std::is_same_v<T, float> ? 104 : 971);
    const Wide<T> end = std::ldexp(1.0, std::is_same_v<T, float> ? 127 : 1023) * Wide<T>(2);
    const Wide<T> g = std::isinf(got) ? (got > 0 ? end : -end) : Wide<T>(got);
    const Wide<T> d = g > want ? g - want : want - g;
    return static_cast<double>(d / unit);
  }
  if (got != got) return HUGE_VAL;
  if (want == 0 && floor == 0) {
    if (got != 0) return HUGE_VAL;
    const bool minus = std::is_same_v<T, float> ? std::signbit(static_cast<double>(want))
                                                : signbitq(static_cast<__float128>(want)) != 0;
    return minus == std::signbit(got) ? 0 : HUGE_VAL;
  }
  const Wide<T> size = std::max<Wide<T>>(want < 0 ? -want : want, floor);
  int e;
  if constexpr (std::is_same_v<T, float>) {
    std::frexp(size, &e);
  } else {
    frexpq(size, &e);
  }
  if (e < min_exponent) e = min_exponent;
  const Wide<T> d = got > want ? Wide<T>(got) - want : want - Wide<T>(got);
  if constexpr (std::is_same_v<T, float>) {
    return std::ldexp(d, digits - e);
  } else {
    return static_cast<double>(ldexpq(d, digits - e));
  }
}

// The usual case of the above for floats, quickly: a finite result near a normal reference.
double quick_error(float got, double want) {
  const double size = std::fabs(want);
  std::uint64_t b;
  std::memcpy(&b, &size, sizeof b);
  b = (std::uint64_t(2 * 1023 + 23) << 52) - (b & 0x7ff0000000000000ull);
  double per_unit;
  std::memcpy(&per_unit, &b, sizeof b);
  return std::fabs(double(got) - want) * per_unit;
}

template <class T>
void judge(const Reference& ref, const T* x, const T* y, const T* got, std::size_t n,
           Worst& worst) {
  for (std::size_t i = 0; i < n; ++i) {
    Wide<T> want;
    if constexpr (std::is_same_v<T, float>) {
      want = ref.r64(x[i], y[i]);
    } else {
      want = ref.r128(x[i], y[i]);
    }
    if constexpr (std::is_same_v<T, float>) {
      const double size = std::fabs(want);
      if (size > 0x1p-125 && size < 0x1p127 && quick_error(got[i], want) <= worst.ulps) continue;
    }
    const double e =
        error_in_ulps<T>(got[i], want, std::is_same_v<T, float> ? ref.floor32 : ref.floor64);
    if (e > worst.ulps) worst = {e, double(x[i]), double(y[i]), double(got[i]), double(want)};
  }
}

template <class T>
void run(const Subject& s, const T* x, const T* y, T* out, std::size_t n) {
  if constexpr (std::is_same_v<T, float>) {
    s.f32(x, y, out, n);
  } else {
    s.f64(x, y, out, n);
  }
}

float float_of(std::uint32_t b) {
  float f;
  std::memcpy(&f, &b, sizeof f);
  return f;
}

template <class T>
std::vector<T> edges() {
  using L = std::numeric_limits<T>;
  std::vector<T> v = {0,
                      1,
                      2,
                      3,
                      4,
                      8,
                      T(0.5),
                      T(0.25),
                      T(1.5),
                      T(2.5),
                      T(0.1),
                      T(10),
                      T(100),
                      T(1e5),
                      T(1e10),
                      T(1e22),
                      T(1e30),
                      L::min(),
                      L::denorm_min(),
                      L::min() / 4,
                      L::max(),
                      L::max() / 2,
                      L::epsilon(),
                      L::epsilon() / 2,
                      L::infinity(),
                      T(M_PI),
                      T(M_PI_2),
                      T(M_PI_4),
                      T(M_LN2),
                      T(M_E),
                      T(88.72284),
                      T(87.33655),
                      T(103.97208),
                      T(709.78271),
                      T(745.13322),
                      T(708.39642),
                      T(9.19455),
                      T(27.2),
                      T(26.5),
                      T(0.41421357),
                      T(710.4758),
                      T(89.41599)};
  for (std::size_t i = 0, n = v.size(); i < n; ++i) {
    v.push_back(std::nextafter(v[i], T(0)));
    v.push_back(std::nextafter(v[i], L::infinity()));
  }
  for (std::size_t i = 0, n = v.size(); i < n; ++i) v.push_back(-v[i]);
  v.push_back(L::quiet_NaN());
  return v;
}

// Numbers across all magnitudes, with the ranges where functions are interesting more densely.
template <class T>
T sample(std::mt19937_64& rng) {
  const auto uniform = [&](double a, double b) {
    return T(a + (b - a) * double(rng() >> 11) * 0x1p-53);
  };
  switch (rng() % 8) {
    case 0:
      return uniform(-1, 1);
    case 1:
      return uniform(0, 2);
    case 2:
      return uniform(-10, 10);
    case 3:
      return uniform(-120, 120);
    case 4:
      return uniform(-760, 760);
    case 5:
      return T(std::ldexp(uniform(-1, 1), int(rng() % 80) - 40));
    case 6:
      return T(1) + T(std::ldexp(uniform(-1, 1), -int(rng() % 40)));
    default:
      if constexpr (std::is_same_v<T, float>) {
        return float_of(std::uint32_t(rng()));
      } else {
        const std::uint64_t b = rng();
        double d;
        std::memcpy(&d, &b, sizeof d);
        return d;
      }
  }
}

template <class T>
Worst measure_samples(const Subject& s, const Reference& ref, std::size_t count) {
  Worst worst;
  std::mt19937_64 rng(20240607);
  const std::vector<T> special = edges<T>();
  std::vector<T> x, y;
  if (s.arity == 1) {
    x = special;
    y.assign(x.size(), T(0));
  } else {
    for (T a : special) {
      for (T b : special) x.push_back(a), y.push_back(b);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    x.push_back(sample<T>(rng));
    y.push_back(s.arity == 1 ? T(0) : rng() % 4 == 0 ? x.back() * sample<T>(rng) : sample<T>(rng));
  }
  std::vector<T> out(x.size());
  run(s, x.data(), y.data(), out.data(), x.size());
  judge(ref, x.data(), y.data(), out.data(), x.size(), worst);
  return worst;
}

Worst measure_all_floats(const Subject& s, const Reference& ref, std::uint64_t step) {
  Worst worst;
  constexpr std::size_t block = 4096;
  std::vector<float> x(block), y(block, 0.0f), out(block);
  std::size_t n = 0;
  for (std::uint64_t b = 0; b < (std::uint64_t(1) << 32); b += step) {
    x[n++] = float_of(std::uint32_t(b));
    if (n == block || b + step >= (std::uint64_t(1) << 32)) {
      s.f32(x.data(), y.data(), out.data(), n);
      judge(ref, x.data(), y.data(), out.data(), n, worst);
      n = 0;
    }
  }
  return worst;
}

// A number's result among random neighbours, in any lane, alone, and from the scalar overload.
template <class T>
bool independent(const Subject& s) {
  std::mt19937_64 rng(7);
  std::vector<T> x = edges<T>(), y;
  for (int i = 0; i < 3000; ++i) x.push_back(sample<T>(rng));
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(sample<T>(rng));
  std::vector<T> base(x.size()), out(x.size());
  run(s, x.data(), y.data(), base.data(), x.size());
  const auto same = [](T a, T b) { return std::memcmp(&a, &b, sizeof a) == 0; };
  for (std::size_t shift : {1u, 3u, 5u}) {
    std::vector<T> xs(x.size()), ys(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      xs[i] = x[(i * 7 + shift) % x.size()], ys[i] = y[(i * 7 + shift) % x.size()];
    }
    run(s, xs.data(), ys.data(), out.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!same(out[i], base[(i * 7 + shift) % x.size()])) {
        std::printf("%s: %a gives other bits among other neighbours\n", s.name, double(xs[i]));
        return false;
      }
    }
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    T one, scalar;
    run(s, &x[i], &y[i], &one, 1);
    if constexpr (std::is_same_v<T, float>) {
      scalar = s.s32(x[i], y[i]);
    } else {
      scalar = s.s64(x[i], y[i]);
    }
    if (!same(one, base[i]) || !same(scalar, base[i])) {
      std::printf("%s: %a gives %a in lanes, %a alone, %a as a scalar\n", s.name, double(x[i]),
                  double(base[i]), double(one), double(scalar));
      return false;
    }
  }
  return true;
}

// Elements per second, in thousands of millions, on 2,048 numbers in the first-level cache.
template <class T>
double throughput(const Subject& s) {
  constexpr std::size_t n = 2048;
  std::vector<T> x(n), y(n), out(n);
  std::mt19937_64 rng(3);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = T(0.01) + T(0.98) * T(double(rng() >> 11) * 0x1p-53);
    if (std::strcmp(s.name, "acosh") == 0) x[i] += 1;
    y[i] = T(0.5) + T(double(rng() >> 11) * 0x1p-53);
  }
  double best = 0;
  for (int trial = 0; trial < 12; ++trial) {
    const auto start = std::chrono::steady_clock::now();
    double seconds;
    int rounds = 0;
    do {
      for (int k = 0; k < 10; ++k) run(s, x.data(), y.data(), out.data(), n);
      rounds += 10;
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    } while (seconds < 0.003);
    best = std::max(best, double(n) * rounds / seconds * 1e-9);
  }
  return best;
}

bool report(const char* isa, const Subject& s, const char* type, const Worst& w, double bound) {
  const bool ok = w.ulps <= bound;
  std::printf("%-4s %-12s %s  %9.5f ulp (bound %.3f)%s", isa, s.name, type, w.ulps, bound,
              ok ? "" : "  FAIL");
  if (!ok || w.ulps > 0.55) {
    std::printf("  x=%a (%.9g) y=%.9g got %.17g want %.17g", w.x, w.x, w.y, w.got, w.want);
  }
  std::printf("\n");
  std::fflush(stdout);
  return ok;
}

bool test_build(const Build& build, const Options& o) {
  bool ok = true;
  for (int i = 0; i < build.count; ++i) {
    const Subject& s = build.subjects[i];
    if (!o.only.empty() && o.only != s.name) continue;
    if (o.speed) {
      const double f = throughput<float>(s), d = throughput<double>(s);
      std::printf("%-4s %-12s f32 %6.2f G/s  f64 %6.2f G/s\n", build.isa, s.name, f, d);
      std::fflush(stdout);
      continue;
    }
    const Reference* ref = find_reference(s.name);
    if (ref == nullptr) {
      std::printf("%s has no reference\n", s.name);
      ok = false;
      continue;
    }
    Worst w = measure_samples<float>(s, *ref, 20000);
    if (s.arity == 1) {
      const Worst all = measure_all_floats(s, *ref, o.step);
      if (all.ulps > w.ulps) w = all;
    }
    ok &= report(build.isa, s, "f32", w, ref->bound32);
    ok &= report(build.isa, s, "f64", measure_samples<double>(s, *ref, o.doubles), ref->bound64);
    ok &= independent<float>(s);
    ok &= independent<double>(s);
  }
  return ok;
}

// Judges somebody else's results: records of x and f(x), as float or double.
template <class T>
int judge_stdin(const Reference& ref) {
  Worst worst;
  std::vector<T> buffer(1 << 17), x, got;
  const std::vector<T> zero(buffer.size(), T(0));
  std::size_t n;
  while ((n = std::fread(buffer.data(), 2 * sizeof(T), buffer.size() / 2, stdin)) > 0) {
    x.clear(), got.clear();
    for (std::size_t i = 0; i < n; ++i)
      x.push_back(buffer[2 * i]), got.push_back(buffer[2 * i + 1]);
    judge(ref, x.data(), zero.data(), got.data(), n, worst);
  }
  std::printf("%.5f %a %a %a\n", worst.ulps, worst.x, worst.got, worst.want);
  return 0;
}

int main_with(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    const auto value = [&]() -> const char* {
      if (++i < argc) return argv[i];
      std::fprintf(stderr, "accuracy: %s expects a value\n", a.c_str());
      std::exit(2);
    };
    if (a == "--step") {
      o.step = std::strtoull(value(), nullptr, 10);
    } else if (a == "--only") {
      o.only = value();
    } else if (a == "--isa") {
      o.isa = value();
    } else if (a == "--f64") {
      o.doubles = std::strtoull(value(), nullptr, 10);
    } else if (a == "--speed") {
      o.speed = true;
    } else if (a == "--judge") {
      const Reference* ref = find_reference(value());
      if (ref == nullptr) return 2;
      const bool wide = i + 1 < argc && std::string(argv[i + 1]) == "f64";
      return wide ? judge_stdin<double>(*ref) : judge_stdin<float>(*ref);
    } else {
      std::fprintf(stderr, "accuracy: unknown option %s\n", a.c_str());
      return 2;
    }
  }
  if (o.step == 0) {
    std::fprintf(stderr, "accuracy: --step expects a positive number\n");
    return 2;
  }
  bool ok = true;
  [[maybe_unused]] const auto wanted = [&](const char* isa) {
    return o.isa.empty() || o.isa == isa;
  };
#ifdef KG_TEST_V2
  if (wanted("v2")) ok &= test_build(build_v2(), o);
#endif
#ifdef KG_TEST_V3
  if (wanted("v3") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    ok &= test_build(build_v3(), o);
  }
#endif
#ifdef KG_TEST_V4
  if (wanted("v4") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    ok &= test_build(build_v4(), o);
  }
#endif
#ifdef KG_TEST_PLAIN
  if (wanted("plain")) ok &= test_build(build_plain(), o);
#endif
  std::printf(ok ? "all within bounds\n" : "FAILED\n");
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace kagari_test

int main(int argc, char** argv) { return kagari_test::main_with(argc, argv); }
