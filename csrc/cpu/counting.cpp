// Counting elements by value on the CPU.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/lines.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(histogram)

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

// ---- histograms ---------------------------------------------------------------------------------

constexpr int64_t kPart = 16384;    // elements that are counted in one piece
constexpr int64_t kParts = 32;      // at most: pieces grow with the work
constexpr int64_t kTogether = 256;  // elements whose places are computed at a time

// Pieces by size, never by threads: sums of weights depend on them.
struct Parts {
  int64_t n, count;
  Parts(int64_t elements, int64_t cells) : n(elements), count(1) {
    if (cells <= kPart / 4) count = std::clamp<int64_t>(n / kPart, 1, kParts);
  }
  // f(part, its first element, its end)
  template <class F>
  void each(F&& f) const {
    parallel_parts(count, [&](int64_t p) { f(p, n * p / count, n * (p + 1) / count); });
  }
};

// Tables of the parts, added up in their order: `cells` sums, and one that is thrown away.
template <class A>
class Tables {
 public:
  Tables(const Parts& parts, int64_t cells)
      : parts_(parts.count), pitch_(cells + 1), room_(size_t(parts_ * pitch_) * sizeof(A)) {
    std::fill_n(room_.as<A>(), parts_ * pitch_, A(0));
  }
  A* of(int64_t part) { return room_.as<A>() + part * pitch_; }
  A* sum() {
    A* to = of(0);
    for (int64_t p = 1; p < parts_; ++p)
      for (int64_t b = 0; b + 1 < pitch_; ++b) to[b] += of(p)[b];
    return to;
  }

 private:
  int64_t parts_, pitch_;
  Workspace room_;
};

struct Range {
  double low, high;
};
// Of the elements; NaN where one of them is.
template <class T>
Range range_of(const T* x, const Parts& parts) {
  Range found[kParts];
  parts.each([&](int64_t p, int64_t i, int64_t end) {
    T low[16], high[16];
    std::fill_n(low, 16, x[i]);
    std::fill_n(high, 16, x[i]);
    auto take = [&](int64_t k, T v) {
      low[k] = v < low[k] || v != v ? v : low[k];
      high[k] = v > high[k] || v != v ? v : high[k];
    };
    for (; i + 16 <= end; i += 16)
      for (int64_t k = 0; k < 16; ++k) take(k, x[i + k]);
    for (; i < end; ++i) take(0, x[i]);
    for (int64_t k = 1; k < 16; ++k) {
      if (low[k] < low[0] || low[k] != low[k]) low[0] = low[k];
      if (high[k] > high[0] || high[k] != high[k]) high[0] = high[k];
    }
    found[p] = {double(low[0]), double(high[0])};
  });
  Range all = found[0];
  for (int64_t p = 1; p < parts.count; ++p) {
    if (found[p].low < all.low || found[p].low != found[p].low) all.low = found[p].low;
    if (found[p].high > all.high || found[p].high != found[p].high) all.high = found[p].high;
  }
  return all;
}

// rounded(): what a step's result becomes in the input's dtype. The bin of an element at an edge hangs
// on it.
template <class T, class Rounded>
void histc_of(Results& out, const T* v, int64_t n, int64_t bins, double low, double high,
              Rounded rounded) {
  const Parts parts(n, bins);
  if (low == high && n > 0) {
    const Range range = range_of(v, parts);
    low = range.low, high = range.high;
  }
  KG_CHECK(std::isfinite(low) && std::isfinite(high), "range of [", low, ", ", high,
           "] is not finite");
  if (low == high) {
    low -= 1;
    high += 1;
  }
  const T from = rounded(T(low)), to = rounded(T(high)), width = rounded(to - from),
          scale = rounded(T(bins));
  Tables<int64_t> tables(parts, bins);
  // Elements outside the range and NaN are not counted; the last bin includes its upper edge.
  parts.each([&](int64_t p, int64_t i, int64_t end) {
    int64_t* own = tables.of(p);
    T place[kTogether];
    const T last = T(bins - 1);
    while (i < end) {
      const int64_t some = std::min(kTogether, end - i);
      for (int64_t k = 0; k < some; ++k) {
        const T x = v[i + k], at = rounded(rounded(rounded(x - from) * scale) / width);
        place[k] = x >= from && x <= to ? (at < last ? at : last) : T(-1);
      }
      for (int64_t k = 0; k < some; ++k) ++own[place[k] >= 0 ? int64_t(place[k]) : bins];
      i += some;
    }
  });
  convert_block(out[0].data(), out[0].dtype(), tables.sum(), Dtype::i64, bins);
}

void histc_cpu(Results& out, const Tensor& x, int64_t bins, Scalar min, Scalar max) {
  const double low = min.to_double(), high = max.to_double();
  auto as_is = [](auto v) { return v; };
  if (x.dtype() == Dtype::f64) {
    const Lines values(x);
    return histc_of(out, values.as<double>(), values.n, bins, low, high, as_is);
  }
  const Lines values(x, Dtype::f32);
  const float* v = values.as<float>();
  if (x.dtype() == Dtype::f16)
    histc_of(out, v, values.n, bins, low, high, [](float s) { return float(f16(s)); });
  else if (x.dtype() == Dtype::bf16)
    histc_of(out, v, values.n, bins, low, high, [](float s) { return float(bf16(s)); });
  else
    histc_of(out, v, values.n, bins, low, high, as_is);
}

// The bins between one dimension's edges.
template <class T>
struct Edges {
  const T* e;
  int64_t bins;
  T low, high, scale;
  Edges(const T* edges, int64_t n)
      : e(edges), bins(n - 1), low(edges[0]), high(edges[n - 1]), scale(T(bins) / (high - low)) {}
  // The last edge that is not above v, found from where it would be among equally spaced ones. The
  // last bin has both of its edges; -1: in none.
  int64_t bin(T v) const {
    if (!(v >= low && v <= high)) return -1;
    if (v == high) return bins - 1;
    const T guess = (v - low) * scale;
    int64_t at = guess >= 0 && guess < T(bins) ? int64_t(guess) : 0;
    for (int step = 0; step < 3; ++step) {
      if (v < e[at]) {
        if (at == 0) return -1;
        --at;
      } else if (at + 1 < bins && v >= e[at + 1]) {
        ++at;
      } else {
        return at;
      }
    }
    return std::min<int64_t>(std::upper_bound(e, e + bins + 1, v) - e, bins) - 1;
  }
};

void histogram_cpu(Results& out, const Tensor& points, TensorList edges, const Tensor& weight) {
  const int64_t n = points.sizes()[0], dims = points.sizes()[1], cells = out[0].numel();
  auto count = [&]<class T>() {
    const Lines in(points, dtype_of<T>);
    std::vector<std::unique_ptr<Lines>> lines;
    std::vector<Edges<T>> axes;
    for (int64_t d = 0; d < dims; ++d) {
      lines.push_back(std::make_unique<Lines>(edges.at(d), 0, dtype_of<T>));
      axes.emplace_back(lines.back()->template as<T>(), lines.back()->n);
    }
    const T* x = in.template as<T>();
    const Parts parts(n, cells);
    auto fill = [&](auto& tables, auto amount) {
      parts.each([&](int64_t p, int64_t i, int64_t end) {
        auto* own = tables.of(p);
        for (; i < end; ++i) {
          int64_t cell = 0;
          for (int64_t d = 0; d < dims; ++d) {
            const int64_t bin = axes[size_t(d)].bin(x[i * dims + d]);
            if (bin < 0) {
              cell = cells;
              break;
            }
            cell = cell * axes[size_t(d)].bins + bin;
          }
          own[cell] += amount(i);
        }
      });
      using A = std::remove_pointer_t<decltype(tables.sum())>;
      convert_block(out[0].data(), out[0].dtype(), tables.sum(), dtype_of<A>, cells);
    };
    if (weight.defined()) {
      const Lines weights(weight, dtype_of<T>);
      const T* w = weights.template as<T>();
      Tables<double> tables(parts, cells);
      fill(tables, [w](int64_t i) { return double(w[i]); });
    } else {
      Tables<int64_t> tables(parts, cells);
      fill(tables, [](int64_t) { return 1; });
    }
  };
  if (points.dtype() == Dtype::f64)
    count.template operator()<double>();
  else
    count.template operator()<float>();
}

}  // namespace

KG_KERNEL(histc, cpu, histc_cpu)
KG_KERNEL(histogram, cpu, histogram_cpu)
KG_KERNEL(bincount, cpu, bincount_cpu)

}  // namespace kagari
