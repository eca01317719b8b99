// Counting elements by value on the CPU.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/lines.h"
#include "ops/call.h"

namespace kagari {

namespace {

constexpr int64_t kBlock = 65536;  // elements counted into one table

// The largest element; throws on negative ones.
int64_t largest(const int64_t* x, int64_t n) {
  int64_t top = -1, bottom = 0;
  for (int64_t i = 0; i < n; ++i) {
    top = std::max(top, x[i]);
    bottom = std::min(bottom, x[i]);
  }
  KG_CHECK(top < std::numeric_limits<int64_t>::max(), "the largest element, ", top,
           ", is too large to count up to");
  KG_CHECK(bottom >= 0, "only supports 1-d non-negative integral inputs, got ", bottom);
  return top;
}

// Counts are exact in any order: blocks count into tables of their own where these are small.
void count(int64_t* to, int64_t bins, const int64_t* x, int64_t n) {
  std::fill_n(to, bins, 0);
  int64_t tables = std::min<int64_t>(n / kBlock, 16);
  if (tables < 2 || bins > kBlock / 4) {
    for (int64_t i = 0; i < n; ++i) ++to[x[i]];
    return;
  }
  Workspace room(size_t(tables * bins) * sizeof(int64_t));
  int64_t* table = room.as<int64_t>();
  parallel_for(0, tables, 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      int64_t* own = table + t * bins;
      std::fill_n(own, bins, 0);
      for (int64_t i = n * t / tables; i < n * (t + 1) / tables; ++i) ++own[x[i]];
    }
  });
  for (int64_t t = 0; t < tables; ++t)
    for (int64_t b = 0; b < bins; ++b) to[b] += table[t * bins + b];
}

void bincount_cpu(Results& out, const Tensor& x, const Tensor& weights, int64_t minlength) {
  Lines values(x, Dtype::i64);
  const int64_t* v = values.as<int64_t>();
  int64_t n = values.n, bins = std::max(minlength, largest(v, n) + 1);
  if (!weights.defined() || (n == 0 && minlength == 0)) {
    out.add(empty(Ints{bins}, Dtype::i64, x.device()));
    count(out[0].data_as<int64_t>(), bins, v, n);
    return;
  }
  bool single = weights.dtype() == Dtype::f32;
  out.add(empty(Ints{bins}, single ? Dtype::f32 : Dtype::f64, x.device()));
  // Weights are added in the order they stand in, whatever the number of threads.
  auto add = [&]<class T>(T* to) {
    Lines w(weights, dtype_of<T>);
    std::fill_n(to, bins, T(0));
    for (int64_t i = 0; i < n; ++i) to[v[i]] += w.as<T>()[i];
  };
  single ? add(out[0].data_as<float>()) : add(out[0].data_as<double>());
}

void histc_cpu(Results& out, const Tensor& x, int64_t bins, Scalar from, Scalar to) {
  Lines values(x, Dtype::f64);
  const double* v = values.as<double>();
  double low = from.to_double(), high = to.to_double();
  if (low == high && values.n > 0) {
    low = high = v[0];
    for (int64_t i = 0; i < values.n; ++i) {
      if (v[i] < low || v[i] != v[i]) low = v[i];
      if (v[i] > high || v[i] != v[i]) high = v[i];
    }
  }
  KG_CHECK(std::isfinite(low) && std::isfinite(high), "range of [", low, ", ", high,
           "] is not finite");
  if (low == high) {
    low -= 1;
    high += 1;
  }
  // Each step rounds in the input's dtype: the bin of an element at an edge hangs on it.
  auto rounded = [&](double value) -> double {
    switch (x.dtype()) {
      case Dtype::f16:
        return float(f16(float(value)));
      case Dtype::bf16:
        return float(bf16(float(value)));
      case Dtype::f32:
        return float(value);
      default:
        return value;
    }
  };
  low = rounded(low), high = rounded(high);
  double width = rounded(high - low);
  // Elements outside the range and NaN are not counted; the last bin includes its upper edge.
  Workspace room(size_t(values.n) * sizeof(int64_t)), counted(size_t(bins) * sizeof(int64_t));
  int64_t* place = room.as<int64_t>();
  int64_t n = 0;
  for (int64_t i = 0; i < values.n; ++i)
    if (v[i] >= low && v[i] <= high)
      place[n++] = std::min(
          int64_t(rounded(rounded(rounded(v[i] - low) * rounded(double(bins))) / width)), bins - 1);
  count(counted.as<int64_t>(), bins, place, n);
  convert_block(out[0].data(), x.dtype(), counted.as<int64_t>(), Dtype::i64, bins);
}

}  // namespace

KG_KERNEL(histc, cpu, histc_cpu)
KG_KERNEL(bincount, cpu, bincount_cpu)

}  // namespace kagari
