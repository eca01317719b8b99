// Convolutions against a naive reference in every layout, and the law of bits: threads and batch
// leave every bit alone.
//
// tests/csrc/test_programs.py builds and runs it.
#include <cmath>

#include "cpu/provider/conv.h"
#include "harness.h"

namespace kagari::test {
namespace {

using namespace provider;

template <class T>
struct Tensor {
  std::vector<T> data;
  ImageStrides s{};
  int64_t at(int64_t n, int64_t c, const int64_t* p) const {
    return n * s.batch + c * s.channel + p[0] * s.space[0] + p[1] * s.space[1] + p[2] * s.space[2];
  }
};

enum Layout { kFirst, kLast, kOdd };

template <class T>
Tensor<T> make_tensor(int64_t batch, int64_t channels, const int64_t* space, Layout layout) {
  Tensor<T> t;
  t.s = layout == kFirst ? channels_first(channels, space) : channels_last(channels, space);
  int64_t size = batch * t.s.batch;
  if (layout == kOdd) {  // every stride above one
    t.s = channels_first(channels, space);
    t.s.batch = t.s.batch * 2 + 1;
    t.s.channel *= 2;
    for (int64_t& x : t.s.space) x *= 2;
    size = batch * t.s.batch + 1;
  }
  t.data = random_vector<T>(size);
  return t;
}

template <class T>
struct Problem {
  ConvShape s;
  Tensor<T> x, y;
  std::vector<T> w, bias;
  WeightStrides ws;

  Problem(const ConvShape& shape, Layout x_layout, Layout y_layout, bool weight_last) : s(shape) {
    x = make_tensor<T>(s.batch, s.in_channels, s.in, x_layout);
    y = make_tensor<T>(s.batch, s.out_channels, s.out, y_layout);
    ws = contiguous_weight(s);
    int64_t group_in = s.in_channels / s.groups;
    if (weight_last) {
      ws.in = 1;
      ws.kernel[2] = group_in;
      ws.kernel[1] = group_in * s.kernel[2];
      ws.kernel[0] = ws.kernel[1] * s.kernel[1];
    }
    w = random_vector<T>(s.out_channels * group_in * s.kernel[0] * s.kernel[1] * s.kernel[2]);
    bias = random_vector<T>(std::max(s.in_channels, s.out_channels));
  }
  WeightRef ref(WeightCache* cache = nullptr) const { return {w.data(), ws, cache, 7}; }

  // visit(x index, w index, y index, out channel) of every product of the convolution.
  template <class F>
  void each(F&& f) const {
    int64_t group_in = s.in_channels / s.groups, group_out = s.out_channels / s.groups;
    int64_t p[3], k[3], q[3];
    for (int64_t n = 0; n < s.batch; ++n)
      for (int64_t o = 0; o < s.out_channels; ++o)
        for (p[0] = 0; p[0] < s.out[0]; ++p[0])
          for (p[1] = 0; p[1] < s.out[1]; ++p[1])
            for (p[2] = 0; p[2] < s.out[2]; ++p[2])
              for (int64_t c = 0; c < group_in; ++c)
                for (k[0] = 0; k[0] < s.kernel[0]; ++k[0])
                  for (k[1] = 0; k[1] < s.kernel[1]; ++k[1])
                    for (k[2] = 0; k[2] < s.kernel[2]; ++k[2]) {
                      bool inside = true;
                      for (int i = 0; i < 3; ++i) {
                        q[i] = p[i] * s.stride[i] + k[i] * s.dilation[i] - s.padding[i];
                        inside &= q[i] >= 0 && q[i] < s.in[i];
                      }
                      if (inside)
                        f(x.at(n, o / group_out * group_in + c, q),
                          o * ws.out + c * ws.in + k[0] * ws.kernel[0] + k[1] * ws.kernel[1] +
                              k[2] * ws.kernel[2],
                          y.at(n, o, p), o);
                    }
  }
};

template <class T>
struct Reference {
  std::vector<typename Wide<T>::type> sum;
  std::vector<double> size;
  explicit Reference(size_t n) : sum(n), size(n) {}
  void add(int64_t at, T a, T b) {
    auto product = widen(a) * widen(b);
    sum[size_t(at)] += product;
    size[size_t(at)] += double(std::abs(product));
  }
  // Elements of `out` that the reference never met must be what `before` says.
  bool agrees(const std::vector<T>& out, double depth) const {
    double chain = sizeof(T) == 2 ? 1.2e-7 : kEps<T>;
    for (size_t i = 0; i < sum.size(); ++i)
      if (!(double(std::abs(widen(out[i]) - sum[i])) <=
            chain * (4 + 0.5 * std::sqrt(depth)) * (size[i] + 1) +
                kEps<T> * double(std::abs(sum[i]))))
        return false;
    return true;
  }
};

ConvShape random_shape(int dims) {
  ConvShape s;
  s.groups = below(4) == 0 ? 1 + below(3) : 1;
  s.batch = 1 + below(4);
  int64_t most = dims == 3 ? 6 : 20;
  s.in_channels = s.groups * (1 + below(below(2) ? 4 : most));
  s.out_channels = s.groups * (1 + below(below(2) ? 5 : 2 * most));
  if (below(5) == 0) {  // channel by channel, or nearly
    s.groups = 1 + below(40);
    s.in_channels = s.groups * (1 + (below(3) == 0));
    s.out_channels = s.groups * (1 + (below(3) == 0) * below(3));
  }
  for (int i = 3 - dims; i < 3; ++i) {
    s.kernel[i] = 1 + below(below(2) ? 3 : 5);
    s.stride[i] = 1 + (below(3) == 0) * below(3);
    s.dilation[i] = 1 + (below(4) == 0) * below(2);
    int64_t reach = (s.kernel[i] - 1) * s.dilation[i];
    s.padding[i] = below(reach + 2);
    s.in[i] = 1 + below(dims == 3 ? 7 : dims == 1 ? 90 : 18);
    while (s.in[i] + 2 * s.padding[i] < reach + 1) ++s.in[i];
    s.out[i] = (s.in[i] + 2 * s.padding[i] - reach - 1) / s.stride[i] + 1;
  }
  return s;
}

std::string text(const ConvShape& s) {
  char line[300];
  std::snprintf(line, sizeof line,
                "batch %lld groups %lld channels %lld>%lld in %lld,%lld,%lld out %lld,%lld,%lld "
                "kernel %lld,%lld,%lld "
                "stride %lld,%lld,%lld dilation %lld padding %lld,%lld,%lld",
                (long long)s.batch, (long long)s.groups, (long long)s.in_channels,
                (long long)s.out_channels, (long long)s.in[0], (long long)s.in[1],
                (long long)s.in[2], (long long)s.out[0], (long long)s.out[1], (long long)s.out[2],
                (long long)s.kernel[0], (long long)s.kernel[1], (long long)s.kernel[2],
                (long long)s.stride[0], (long long)s.stride[1], (long long)s.stride[2],
                (long long)s.dilation[2], (long long)s.padding[0], (long long)s.padding[1],
                (long long)s.padding[2]);
  return line;
}

Layout dense() { return below(2) ? kFirst : kLast; }

template <class T>
void values(int cases) {
  for (int i = 0; i < cases; ++i) {
    ConvShape s = random_shape(1 + int(below(3)));
    const char* kind = name_of(kind_of<T>());
    bool with_bias = below(2);
    double depth = double(s.in_channels * s.kernel[0] * s.kernel[1] * s.kernel[2]);

    Problem<T> f(s, Layout(below(3)), dense(), below(2));
    Reference<T> fy(f.y.data.size());
    f.each([&](int64_t x, int64_t w, int64_t y, int64_t) {
      fy.add(y, f.x.data[size_t(x)], f.w[size_t(w)]);
    });
    if (with_bias)
      for (int64_t n = 0; n < s.batch; ++n)
        for (int64_t o = 0; o < s.out_channels; ++o) {
          int64_t p[3];
          for (p[0] = 0; p[0] < s.out[0]; ++p[0])
            for (p[1] = 0; p[1] < s.out[1]; ++p[1])
              for (p[2] = 0; p[2] < s.out[2]; ++p[2])
                fy.sum[size_t(f.y.at(n, o, p))] += widen(f.bias[size_t(o)]);
        }
    WeightCache cache;
    for (int round = 0; round < 2; ++round) {
      conv_forward(kind_of<T>(), s, f.x.data.data(), f.x.s, f.ref(&cache),
                   with_bias ? f.bias.data() : nullptr, f.y.data.data(), f.y.s);
      EXPECT(fy.agrees(f.y.data, depth), "%s forward %s", kind, text(s).c_str());
    }

    Problem<T> d(s, dense(), Layout(below(3)), below(2));
    Reference<T> dx(d.x.data.size());
    d.each([&](int64_t x, int64_t w, int64_t y, int64_t) {
      dx.add(x, d.y.data[size_t(y)], d.w[size_t(w)]);
    });
    for (int round = 0; round < 2; ++round) {
      conv_backward_data(kind_of<T>(), s, d.y.data.data(), d.y.s, d.ref(round ? &cache : nullptr),
                         nullptr, d.x.data.data(), d.x.s);
      EXPECT(dx.agrees(d.x.data, double(s.out_channels) * depth), "%s backward data %s", kind,
             text(s).c_str());
    }

    Problem<T> g(s, Layout(below(3)), Layout(below(3)), below(2));
    Reference<T> dw(g.w.size()), db(size_t(s.out_channels));
    T one = T(1);
    g.each([&](int64_t x, int64_t w, int64_t y, int64_t) {
      dw.add(w, g.x.data[size_t(x)], g.y.data[size_t(y)]);
    });
    for (int64_t n = 0; n < s.batch; ++n)
      for (int64_t o = 0; o < s.out_channels; ++o) {
        int64_t p[3];
        for (p[0] = 0; p[0] < s.out[0]; ++p[0])
          for (p[1] = 0; p[1] < s.out[1]; ++p[1])
            for (p[2] = 0; p[2] < s.out[2]; ++p[2])
              db.add(o, g.y.data[size_t(g.y.at(n, o, p))], one);
      }
    std::vector<T> db_out(size_t(s.out_channels));
    conv_backward_weight(kind_of<T>(), s, g.x.data.data(), g.x.s, g.y.data.data(), g.y.s,
                         g.w.data(), g.ws, with_bias ? db_out.data() : nullptr);
    double pixels = double(s.batch * s.out[0] * s.out[1] * s.out[2]);
    EXPECT(dw.agrees(g.w, pixels), "%s backward weight %s", kind, text(s).c_str());
    if (with_bias) EXPECT(db.agrees(db_out, pixels), "%s backward bias %s", kind, text(s).c_str());
  }
}

template <class T>
bool same(const std::vector<T>& x, const std::vector<T>& y) {
  return std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0;
}

template <class T>
void invariance(int cases) {
  for (int i = 0; i < cases; ++i) {
    ConvShape s = random_shape(1 + int(below(3)));
    if (i % 3 == 0) s.batch *= 5;
    const Layout layout = dense();
    Problem<T> p(s, layout, layout, below(2));
    const Kind kind = kind_of<T>();
    std::vector<T> y, dx, dw, db;
    for (int threads : {1, 2, 3, 4, 8}) {
      set_num_threads(threads);
      Problem<T> q = p;
      std::vector<T> b(size_t(s.out_channels));
      conv_forward(kind, s, p.x.data.data(), p.x.s, p.ref(), p.bias.data(), q.y.data.data(), p.y.s);
      conv_backward_data(kind, s, p.y.data.data(), p.y.s, p.ref(), nullptr, q.x.data.data(), p.x.s);
      conv_backward_weight(kind, s, p.x.data.data(), p.x.s, p.y.data.data(), p.y.s, q.w.data(),
                           p.ws, b.data());
      if (threads == 1) {
        y = q.y.data, dx = q.x.data, dw = q.w, db = b;
        continue;
      }
      EXPECT(same(y, q.y.data), "%s forward threads %d %s", name_of(kind), threads,
             text(s).c_str());
      EXPECT(same(dx, q.x.data), "%s backward data threads %d %s", name_of(kind), threads,
             text(s).c_str());
      EXPECT(same(dw, q.w), "%s backward weight threads %d %s", name_of(kind), threads,
             text(s).c_str());
      EXPECT(same(db, b), "%s backward bias threads %d %s", name_of(kind), threads,
             text(s).c_str());
    }
    set_num_threads(2);
    ConvShape alone = s;
    alone.batch = 1;
    int64_t n = below(s.batch);
    std::vector<T> y1(size_t(p.y.s.batch)), dx1(size_t(p.x.s.batch));
    conv_forward(kind, alone, &p.x.data[size_t(n * p.x.s.batch)], p.x.s, p.ref(), p.bias.data(),
                 y1.data(), p.y.s);
    conv_backward_data(kind, alone, &p.y.data[size_t(n * p.y.s.batch)], p.y.s, p.ref(), nullptr,
                       dx1.data(), p.x.s);
    EXPECT(std::memcmp(y1.data(), &y[size_t(n * p.y.s.batch)], y1.size() * sizeof(T)) == 0,
           "%s image alone %s", name_of(kind), text(s).c_str());
    EXPECT(std::memcmp(dx1.data(), &dx[size_t(n * p.x.s.batch)], dx1.size() * sizeof(T)) == 0,
           "%s image's gradient alone %s", name_of(kind), text(s).c_str());
  }
}

void edges() {
  ConvShape s;
  s.batch = 0, s.in_channels = 3, s.out_channels = 2, s.in[2] = 5, s.out[2] = 5;
  float x[15] = {}, y[10] = {}, w[6] = {1, 2, 3, 4, 5, 6}, db[2] = {9, 9};
  WeightStrides ws = contiguous_weight(s);
  conv_forward(Kind::f32, s, x, channels_first(3, s.in), {w, ws}, nullptr, y,
               channels_first(2, s.out));
  conv_backward_weight(Kind::f32, s, x, channels_first(3, s.in), y, channels_first(2, s.out), w, ws,
                       db);
  EXPECT(w[0] == 0 && w[5] == 0 && db[1] == 0, "an empty batch has no gradient");
  s.batch = 1, s.in_channels = 0;
  float bias[2] = {3, 4};
  conv_forward(Kind::f32, s, x, channels_first(0, s.in), {w, contiguous_weight(s)}, bias, y,
               channels_first(2, s.out));
  EXPECT(y[0] == 3 && y[9] == 4, "no channels leave the bias");
}

}  // namespace
}  // namespace kagari::test

int main(int argc, char** argv) {
  using namespace kagari::test;
  using kagari::bf16, kagari::f16, kagari::c64, kagari::c128;
  int scale = argc > 1 ? std::atoi(argv[1]) : 1;
  edges();
  values<float>(60 * scale);
  values<bf16>(40 * scale);
  values<double>(40 * scale);
  values<f16>(20 * scale);
  values<c64>(30 * scale);
  values<c128>(20 * scale);
  invariance<float>(30 * scale);
  invariance<bf16>(20 * scale);
  invariance<double>(20 * scale);
  invariance<int32_t>(10 * scale);
  invariance<c64>(10 * scale);
  return report("test_conv");
}
