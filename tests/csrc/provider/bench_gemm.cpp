// GFLOP/s of products next to the figures they are held to; two threads unless an argument says
// another number.
//
// Built as test_gemm.cpp is, with -O3.
#include "harness.h"

namespace kagari::test {
namespace {

struct Row {
  const char* what;
  int64_t batch, m, n, k;
  int layout;
  double target;
};

template <class T>
void bench(const Row& r) {
  provider::Strides a =
      r.layout & 1 ? provider::Strides{r.m * r.k, 1, r.m} : provider::Strides{r.m * r.k, r.k, 1};
  provider::Strides b =
      r.layout & 2 ? provider::Strides{r.n * r.k, 1, r.k} : provider::Strides{r.n * r.k, r.n, 1};
  auto x = random_vector<T>(r.batch * r.m * r.k), y = random_vector<T>(r.batch * r.n * r.k);
  std::vector<T> z(size_t(r.batch * r.m * r.n));
  double t = seconds([&] {
    provider::gemm(kind_of<T>(), r.batch, r.m, r.n, r.k, x.data(), a, y.data(), b, z.data(),
                   {r.m * r.n, r.n, 1});
  });
  double flops =
      (is_complex_v<T> ? 8.0 : 2.0) * double(r.batch) * double(r.m) * double(r.n) * double(r.k);
  std::printf("%-10s %-28s %4lld x %5lld x %5lld x %5lld %s %10.2f us %8.1f GFLOP/s",
              provider::name_of(kind_of<T>()), r.what, (long long)r.batch, (long long)r.m,
              (long long)r.n, (long long)r.k,
              r.layout == 0   ? "NN"
              : r.layout == 1 ? "TN"
              : r.layout == 2 ? "NT"
                              : "TT",
              t * 1e6, flops / t * 1e-9);
  if (r.target > 0) std::printf("  (target %.0f)", r.target);
  std::printf("\n");
}

}  // namespace
}  // namespace kagari::test

int main(int argc, char** argv) {
  using namespace kagari::test;
  omp_set_num_threads(argc > 1 ? std::atoi(argv[1]) : 2);
  const Row f32[] = {{"square", 1, 1024, 1024, 1024, 0, 200},
                     {"square", 1, 1024, 1024, 1024, 2, 200},
                     {"square", 1, 1024, 1024, 1024, 1, 200},
                     {"square", 1, 512, 512, 512, 0, 0},
                     {"square", 1, 2048, 2048, 2048, 0, 200},
                     {"square", 1, 128, 128, 128, 0, 0},
                     {"square", 1, 64, 64, 64, 0, 0},
                     {"small", 1, 16, 16, 16, 0, 0},
                     {"small", 1, 16, 16, 16, 2, 0},
                     {"small", 1, 4, 16, 16, 0, 0},
                     {"tiny", 1, 2, 3, 4, 0, 0},
                     {"linear 64-128, batch 64", 1, 64, 128, 64, 2, 0},
                     {"its weight gradient", 1, 128, 64, 64, 1, 0},
                     {"linear 784-10", 1, 60000, 10, 784, 2, 0},
                     {"its weight gradient", 1, 10, 784, 60000, 1, 0},
                     {"linear 4096-1", 1, 4096, 1, 4096, 2, 0},
                     {"one row, weight (out, in)", 1, 1, 4096, 4096, 2, 0},
                     {"one row, plain", 1, 1, 4096, 4096, 0, 0},
                     {"eight rows, (out, in)", 1, 8, 4096, 4096, 2, 0},
                     {"matrix-vector", 1, 1024, 1, 1024, 0, 0},
                     {"attention scores", 96, 128, 128, 64, 2, 0},
                     {"many small", 512, 16, 16, 16, 0, 0},
                     {"transformer feed-forward", 1, 512, 2048, 512, 2, 0}};
  for (const Row& r : f32) bench<float>(r);
  const Row rest[] = {{"square", 1, 512, 512, 512, 0, 95}, {"square", 1, 512, 512, 512, 2, 95}};
  for (const Row& r : rest) bench<double>(r);
  const Row half[] = {{"square", 1, 1024, 1024, 1024, 0, 400},
                      {"square", 1, 1024, 1024, 1024, 2, 400},
                      {"square", 1, 1024, 1024, 1024, 1, 400},
                      {"square", 1, 2048, 2048, 2048, 2, 400}};
  for (const Row& r : half) bench<kagari::bf16>(r);
  const Row other = {"square", 1, 512, 512, 512, 0, 0};
  bench<kagari::f16>(other);
  bench<kagari::c64>(other);
  bench<kagari::c128>(other);
  bench<int32_t>(other);
  bench<int64_t>(other);
  bench<int8_t>(other);
  return 0;
}
