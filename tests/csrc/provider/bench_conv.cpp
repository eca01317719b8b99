// GFLOP/s of convolutions, forward and both backward passes, next to the figures they are held to.
//
// Built as test_conv.cpp is, with -O3; two threads unless an argument says another number.
#include "cpu/provider/conv.h"
#include "harness.h"

namespace kagari::test {
namespace {

using namespace provider;

struct Row {
  const char* what;
  int64_t batch, in, out, size, kernel, stride, groups;
  double target;
};

template <class T>
void bench(const Row& r, bool last) {
  ConvShape s;
  s.batch = r.batch, s.groups = r.groups, s.in_channels = r.in, s.out_channels = r.out;
  for (int i = 1; i < 3; ++i) {
    s.in[i] = r.size, s.kernel[i] = r.kernel, s.stride[i] = r.stride, s.padding[i] = r.kernel / 2;
    s.out[i] = (r.size + 2 * s.padding[i] - r.kernel) / r.stride + 1;
  }
  auto layout = last ? &channels_last : &channels_first;
  ImageStrides xs = layout(r.in, s.in), ys = layout(r.out, s.out);
  auto x = random_vector<T>(r.batch * xs.batch), y = random_vector<T>(r.batch * ys.batch);
  auto w = random_vector<T>(r.out * r.in / r.groups * r.kernel * r.kernel), dw = w;
  auto x2 = x, y2 = y, b = random_vector<T>(r.out);
  WeightStrides ws = contiguous_weight(s);
  double t[3];
  t[0] = seconds([&] {
    conv_forward(kind_of<T>(), s, x.data(), xs, {w.data(), ws}, b.data(), y2.data(), ys);
  });
  t[1] = seconds([&] {
    conv_backward_data(kind_of<T>(), s, y.data(), ys, {w.data(), ws}, nullptr, x2.data(), xs);
  });
  t[2] = seconds([&] {
    conv_backward_weight(kind_of<T>(), s, x.data(), xs, y.data(), ys, dw.data(), ws, b.data());
  });
  double flops =
      2.0 * double(r.batch * ys.batch) * double(r.in / r.groups * r.kernel * r.kernel) * 1e-9;
  std::printf("%-9s %-22s %-4s %8.1f GFLOP/s (%8.3f ms)", name_of(kind_of<T>()), r.what,
              last ? "NHWC" : "NCHW", flops / t[0], t[0] * 1e3);
  std::printf("  data %8.1f (%8.3f ms)  weight %8.1f (%8.3f ms)  all %7.3f ms", flops / t[1],
              t[1] * 1e3, flops / t[2], t[2] * 1e3, (t[0] + t[1] + t[2]) * 1e3);
  if (r.target > 0) std::printf("  (forward target %.0f)", r.target);
  std::printf("\n");
}

}  // namespace
}  // namespace kagari::test

int main(int argc, char** argv) {
  using namespace kagari::test;
  omp_set_num_threads(argc > 1 ? std::atoi(argv[1]) : 2);
  const Row rows[] = {{"3x3 64-64 56", 16, 64, 64, 56, 3, 1, 1, 160},
                      {"1x1 64-256 56", 16, 64, 256, 56, 1, 1, 1, 0},
                      {"3x3 256-256 14", 16, 256, 256, 14, 3, 1, 1, 0},
                      {"3x3 512-512 7", 16, 512, 512, 7, 3, 1, 1, 0},
                      {"3x3/2 128-256 28", 16, 128, 256, 28, 3, 2, 1, 0},
                      {"7x7/2 3-64 224", 4, 3, 64, 224, 7, 2, 1, 0},
                      {"5x5 1-32 28", 64, 1, 32, 28, 5, 1, 1, 0},
                      {"3x3 32-64 14", 64, 32, 64, 14, 3, 1, 1, 0},
                      {"3x3 32 groups 128", 16, 128, 128, 28, 3, 1, 32, 0},
                      {"depthwise 3x3 128 56", 16, 128, 128, 56, 3, 1, 128, 0},
                      {"3x3 512-512 7, one", 1, 512, 512, 7, 3, 1, 1, 0}};
  for (const Row& r : rows)
    for (bool last : {false, true}) bench<float>(r, last);
  for (const Row& r : {rows[0], rows[1], rows[2]})
    for (bool last : {false, true}) bench<kagari::bf16>(r, last);
  bench<double>(rows[2], false);
  return 0;
}
