// Products against a naive reference, and the law of bits: threads, batch, layout and place leave
// every bit alone.
//
// tests/csrc/test_programs.py builds and runs it.
#include <cmath>

#include "cpu/provider/kernels.h"
#include "harness.h"

namespace kagari::test {
namespace {

using provider::Epilogue;
using provider::gemm;
using provider::Kind;
using provider::Strides;

template <class T>
struct Case {
  int64_t batch, m, n, k;
  Strides a, b, c;
  std::vector<T> a_data, b_data, c_data, bias;

  // layout: bit 0 A transposed, bit 1 B transposed, bit 2 odd pitches, bit 3 both strides above one
  Case(int64_t batch_, int64_t m_, int64_t n_, int64_t k_, int layout)
      : batch(batch_), m(m_), n(n_), k(k_) {
    int64_t pad = layout & 4 ? 3 : 0, step = layout & 8 ? 2 : 1;
    a = layout & 1 ? Strides{0, step, m * step + pad} : Strides{0, k * step + pad, step};
    b = layout & 2 ? Strides{0, step, k * step + pad} : Strides{0, n * step + pad, step};
    c = {0, n + pad, 1};
    a.batch = (layout & 1 ? k * a.col : m * a.row) + pad;
    b.batch = (layout & 2 ? n * b.col : k * b.row) + pad;
    c.batch = m * c.row + pad;
    a_data = random_vector<T>(a.batch * batch + 1);
    b_data = random_vector<T>(b.batch * batch + 1);
    c_data = random_vector<T>(c.batch * batch + 1);
    bias = random_vector<T>(n);
  }
  std::vector<T> run(const Epilogue& e) const {
    std::vector<T> out = c_data;
    gemm(kind_of<T>(), batch, m, n, k, a_data.data(), a, b_data.data(), b, out.data(), c, e);
    return out;
  }
};

template <class T>
bool same(const std::vector<T>& x, const std::vector<T>& y) {
  return x.size() == y.size() &&
         (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0);
}

template <class T>
bool relu_possible = !is_complex_v<T>;

template <class T>
void check_values(int64_t batch, int64_t m, int64_t n, int64_t k, int layout, bool bias,
                  bool accumulate, bool relu) {
  Case<T> x(batch, m, n, k, layout);
  relu = relu && relu_possible<T>;
  std::vector<T> out = x.run({bias ? x.bias.data() : nullptr, accumulate, relu});
  std::vector<char> touched(out.size(), 0);
  bool good = true;
  for (int64_t q = 0; q < batch; ++q)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        int64_t at = q * x.c.batch + i * x.c.row + j;
        touched[size_t(at)] = 1;
        if constexpr (std::is_integral_v<T>) {
          uint64_t s = 0;
          for (int64_t p = 0; p < k; ++p)
            s += uint64_t(x.a_data[size_t(q * x.a.batch + i * x.a.row + p * x.a.col)]) *
                 uint64_t(x.b_data[size_t(q * x.b.batch + p * x.b.row + j * x.b.col)]);
          if (bias) s += uint64_t(x.bias[size_t(j)]);
          if (accumulate) s += uint64_t(x.c_data[size_t(at)]);
          if (!relu || sizeof(T) >= 4) {  // narrow integers: relu sees 32 bits, as documented by
                                          // "wrap once, at the end"
            T want = T(s);
            if (relu && std::is_signed_v<T> && want < 0) want = 0;
            good &= out[size_t(at)] == want;
          }
        } else {
          using W = typename Wide<T>::type;
          W s{};
          double size = 0;
          for (int64_t p = 0; p < k; ++p) {
            W product = widen(x.a_data[size_t(q * x.a.batch + i * x.a.row + p * x.a.col)]) *
                        widen(x.b_data[size_t(q * x.b.batch + p * x.b.row + j * x.b.col)]);
            s += product;
            size += double(std::abs(product));
          }
          if (bias) s += widen(x.bias[size_t(j)]);
          if (accumulate) s += widen(x.c_data[size_t(at)]);
          if constexpr (!is_complex_v<T>)
            if (relu && s < 0) s = 0;
          // Sums of 16-bit kinds are float; their result rounds once.
          double chain = sizeof(T) == 2 ? 1.2e-7 : kEps<T>;
          double bound =
              chain * (4 + 0.5 * std::sqrt(double(k))) * (size + 2) + kEps<T> * double(std::abs(s));
          good &= double(std::abs(widen(out[size_t(at)]) - s)) <= bound;
        }
      }
  for (size_t i = 0; i < out.size(); ++i)
    if (!touched[i]) good &= std::memcmp(&out[i], &x.c_data[i], sizeof(T)) == 0;
  EXPECT(good, "%s batch %lld m %lld n %lld k %lld layout %d bias %d accumulate %d relu %d",
         name_of(kind_of<T>()), (long long)batch, (long long)m, (long long)n, (long long)k, layout,
         bias, accumulate, relu);
}

int64_t some_size(int64_t most) {
  switch (below(4)) {
    case 0:
      return 1 + below(5);
    case 1:
      return 1 + below(40);
    case 2:
      return 1 + below(std::min<int64_t>(most, 140));
    default:
      return 1 + below(most);
  }
}

template <class T>
void values(int cases) {
  for (int i = 0; i < cases; ++i)
    check_values<T>(1 + below(3), some_size(70), some_size(90), some_size(700), int(below(16)),
                    below(2), below(2), below(2));
  for (int64_t zero = 0; zero < 4; ++zero)
    check_values<T>(zero == 0 ? 0 : 2, zero == 1 ? 0 : 3, zero == 2 ? 0 : 5, zero == 3 ? 0 : 4, 0,
                    true, false, false);
  check_values<T>(1, 3, 20, 2 * 2048 + 300, 2, true, true, false);
}

// The law spelled out: chains of fma over 256, sums of eight chains, sums of those.
template <class T>
void exact(int cases) {
  bool fused = provider::kernels_of(Kind::f32).vector > 4;
  for (int q = 0; q < cases; ++q) {
    Case<T> x(1, some_size(40), some_size(70), q % 10 ? some_size(900) : 1 + below(9000),
              int(below(16)));
    std::vector<T> out = x.run({});
    bool good = true;
    for (int64_t i = 0; i < x.m; ++i)
      for (int64_t j = 0; j < x.n; ++j) {
        T total{};
        for (int64_t panel = 0; panel < x.k; panel += 2048) {
          T part{};
          for (int64_t chunk = panel; chunk < std::min(x.k, panel + 2048); chunk += 256) {
            T s{};
            for (int64_t p = chunk; p < std::min(x.k, chunk + 256); ++p) {
              T a = x.a_data[size_t(i * x.a.row + p * x.a.col)],
                b = x.b_data[size_t(p * x.b.row + j * x.b.col)];
              s = fused ? std::fma(a, b, s) : s + a * b;
            }
            part = chunk == panel ? s : part + s;
          }
          total = panel == 0 ? part : total + part;
        }
        good &= std::memcmp(&total, &out[size_t(i * x.c.row + j)], sizeof(T)) == 0;
      }
    EXPECT(good, "%s m %lld n %lld k %lld", name_of(kind_of<T>()), (long long)x.m, (long long)x.n,
           (long long)x.k);
  }
}

template <class T>
void invariance(int cases, int64_t most) {
  const int threads[] = {2, 3, 4, 8};
  for (int q = 0; q < cases; ++q) {
    int64_t k = q % 6 == 0 ? 1 + below(12000) : some_size(most);
    int64_t m = k > 4000 ? 1 + below(20) : some_size(most),
            n = k > 4000 ? 1 + below(70) : some_size(most);
    Case<T> x(1 + (below(3) == 0) * below(6), m, n, k, int(below(16)));
    Epilogue e{below(2) ? x.bias.data() : nullptr, bool(below(2)), relu_possible<T> && below(2)};
    set_num_threads(1);
    std::vector<T> one = x.run(e);
    for (int t : threads) {
      set_num_threads(t);
      EXPECT(same(one, x.run(e)), "%s threads %d batch %lld m %lld n %lld k %lld",
             name_of(kind_of<T>()), t, (long long)x.batch, (long long)m, (long long)n,
             (long long)k);
    }
    set_num_threads(2);
    // A few rows alone, and one column alone.
    for (int r = 0; r < 3; ++r) {
      int64_t batch = below(x.batch), row = below(m), rows = 1 + below(m - row);
      rows = r == 0 ? 1 : rows;
      std::vector<T> out(x.c_data);
      int64_t at = batch * x.c.batch + row * x.c.row;
      gemm(kind_of<T>(), 1, rows, n, k, &x.a_data[size_t(batch * x.a.batch + row * x.a.row)], x.a,
           &x.b_data[size_t(batch * x.b.batch)], x.b, &out[size_t(at)], x.c, e);
      bool good = true;
      for (int64_t i = 0; i < rows; ++i)
        good &= std::memcmp(&out[size_t(at + i * x.c.row)], &one[size_t(at + i * x.c.row)],
                            size_t(n) * sizeof(T)) == 0;
      EXPECT(good, "%s rows %lld of m %lld n %lld k %lld", name_of(kind_of<T>()), (long long)rows,
             (long long)m, (long long)n, (long long)k);
      int64_t col = below(n);
      Epilogue shifted = e;
      if (e.bias) shifted.bias = &x.bias[size_t(col)];
      std::vector<T> slim(x.c_data);
      at = batch * x.c.batch + col;
      gemm(kind_of<T>(), 1, m, 1, k, &x.a_data[size_t(batch * x.a.batch)], x.a,
           &x.b_data[size_t(batch * x.b.batch + col * x.b.col)], x.b, &slim[size_t(at)], x.c,
           shifted);
      good = true;
      for (int64_t i = 0; i < m; ++i)
        good &= std::memcmp(&slim[size_t(at + i * x.c.row)], &one[size_t(at + i * x.c.row)],
                            sizeof(T)) == 0;
      EXPECT(good, "%s column of m %lld n %lld k %lld", name_of(kind_of<T>()), (long long)m,
             (long long)n, (long long)k);
    }
  }
}

void named_shapes() {
  struct Shape {
    int64_t m, n, k;
  };
  // Linear(64, 64) on 4,096 rows and its weight gradient, Linear(4096, 1), Linear(784, 10) on
  // 60,000 rows, a float64 shape, and weight gradients whose chunks of depth the threads share.
  const Shape shapes[] = {{4096, 64, 64}, {64, 64, 4096}, {512, 1, 4096}, {10, 784, 6000},
                          {33, 65, 777},  {1, 10, 784},   {256, 64, 512}, {64, 70, 1024}};
  for (const Shape& s : shapes)
    for (int layout = 0; layout < 4; ++layout) {
      Case<float> x(1, s.m, s.n, s.k, layout);
      Case<double> y(1, s.m, s.n, s.k, layout);
      set_num_threads(1);
      std::vector<float> f = x.run({});
      std::vector<double> d = y.run({});
      for (int t : {2, 3, 4, 8}) {
        set_num_threads(t);
        EXPECT(same(f, x.run({})), "float32 %lld %lld %lld", (long long)s.m, (long long)s.n,
               (long long)s.k);
        EXPECT(same(d, y.run({})), "float64 %lld %lld %lld", (long long)s.m, (long long)s.n,
               (long long)s.k);
      }
    }
  set_num_threads(2);
}

// Sums of A's rows beside a product: those of a product with ones, and the product as without them.
template <class T>
void row_sums() {
  struct Shape {
    int64_t m, n, k;
  };
  const Shape shapes[] = {{256, 64, 512}, {64, 70, 1024}, {130, 33, 1500}, {300, 200, 256},
                          {10, 784, 64},  {65, 3, 5000},  {1, 5, 40},      {7, 1, 300},
                          {5, 0, 9},      {4, 4, 0}};
  for (const Shape& s : shapes)
    for (int layout : {0, 1, 3, 5, 9}) {
      Case<T> x(1, s.m, s.n, s.k, layout);
      set_num_threads(1);
      std::vector<T> product = x.run({}), sums(size_t(s.m), T(7));
      const T one = 1;
      gemm(kind_of<T>(), 1, 1, s.m, s.k, &one, {0, 0, 0}, x.a_data.data(), {0, x.a.col, x.a.row},
           sums.data(), {0, s.m, 1});
      for (int t : {1, 2, 3, 4, 8}) {
        set_num_threads(t);
        std::vector<T> beside(size_t(s.m), T(7));
        Epilogue e;
        e.row_sums = beside.data();
        EXPECT(same(product, x.run(e)) && same(sums, beside),
               "%s threads %d layout %d m %lld n %lld k %lld", name_of(kind_of<T>()), t, layout,
               (long long)s.m, (long long)s.n, (long long)s.k);
      }
    }
  set_num_threads(2);
}

template <class... T>
void all(int scale) {
  (values<T>(60 * scale), ...);
  (invariance<T>(25 * scale, 200), ...);
}

}  // namespace
}  // namespace kagari::test

int main(int argc, char** argv) {
  using namespace kagari::test;
  using kagari::bf16, kagari::f16, kagari::c64, kagari::c128;
  int scale = argc > 1 ? std::atoi(argv[1]) : 1;
  exact<float>(60 * scale);
  exact<double>(40 * scale);
  all<uint8_t, int8_t, int16_t, int32_t, int64_t, f16, bf16, float, double, c64, c128>(scale);
  invariance<float>(60 * scale, 400);
  named_shapes();
  row_sums<float>();
  row_sums<double>();
  return report("test_gemm");
}
