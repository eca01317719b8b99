// Selecting by order without sorting everything: topk, kthvalue, medians, searches.
#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/lines.h"
#include "cpu/sort.h"
#include "ops/call.h"

namespace kagari {

namespace {

constexpr int64_t kLineWork = 8192;  // elements per task

int64_t line_grain(int64_t n) { return std::max<int64_t>(1, kLineWork / std::max<int64_t>(n, 1)); }

// ---- the k smallest keys ------------------------------------------------------------------------

// The smallest key of each W elements.
template <int W, class T>
void chunk_minima(const T* line, int64_t n, typename Order<T>::Key flip,
                  typename Order<T>::Key* least) {
  using O = Order<T>;
  using Key = typename O::Key;
  parallel_for(0, (n + W - 1) / W, 262144 / W, [=](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const T* from = line + c * W;
      Key low = O::kAll;
      if (n - c * W >= W) {
        for (int i = 0; i < W; ++i) low = std::min(low, Key(O::key(from[i]) ^ flip));
      } else {
        for (int64_t i = 0; i < n - c * W; ++i) low = std::min(low, Key(O::key(from[i]) ^ flip));
      }
      least[c] = low;
    }
  });
}

// The k first entries of a line in order, in the caller's room. Keys are flipped for the largest.
//
// The k-th smallest of the chunks' smallest keys bounds the k-th smallest of all: one pass that
// reads the line finds it, and only chunks that reach below it are looked at again.
template <class T, class E>
void smallest(const T* line, int64_t n, int64_t k, typename Order<T>::Key flip, bool sorted,
              std::vector<typename Order<T>::Key>& least, std::vector<E>& found) {
  using O = Order<T>;
  using Key = typename O::Key;
  found.clear();
  if (k == 0) return;
  auto key = [&](int64_t i) { return Key(O::key(line[i]) ^ flip); };
  int64_t width = n >= 128 * k ? 64 : n >= 32 * k ? 16 : 0;  // twice as many chunks as wanted
  if (width == 0) {
    for (int64_t i = 0; i < n; ++i) found.push_back(entry<E>(key(i), i));
  } else {
    int64_t chunks = (n + width - 1) / width;
    least.resize(size_t(2 * chunks));
    width == 64 ? chunk_minima<64>(line, n, flip, least.data())
                : chunk_minima<16>(line, n, flip, least.data());
    auto copy = least.begin() + chunks;
    std::copy(least.begin(), copy, copy);
    std::nth_element(copy, copy + (k - 1), least.end());
    Key bound = copy[k - 1];
    for (int64_t c = 0; c < chunks; ++c) {
      if (least[size_t(c)] > bound) continue;
      for (int64_t i = c * width; i < std::min(n, (c + 1) * width); ++i)
        if (key(i) <= bound) found.push_back(entry<E>(key(i), i));
    }
  }
  if (int64_t(found.size()) > k)
    std::nth_element(found.begin(), found.begin() + (k - 1), found.end());
  found.resize(size_t(k));
  if (sorted) std::sort(found.begin(), found.end());
}

void topk_cpu(Results& out, const Tensor& x, int64_t k, int64_t dim, bool largest, bool sorted) {
  dim = wrap_dim(dim, x.dim());
  if (x.numel() == 0 || (k == 0 && x.dim() > 0)) return;
  if (x.dim() == 0) k = 1;
  Lines from(x, dim);
  LinesOut values(out[0], dim), indices(out[1], dim);
  visit_ordered(x.dtype(), [&]<class T>() {
    using O = Order<T>;
    typename O::Key flip = largest ? O::kAll : 0;
    with_entry<T>(from.n, [&]<class E>() {
      parallel_for(0, from.count, line_grain(from.n), [&](int64_t begin, int64_t end) {
        std::vector<E> found;
        std::vector<typename O::Key> least;
        for (int64_t i = begin; i < end; ++i) {
          const T* line = from.line<T>(i);
          smallest<T, E>(line, from.n, k, flip, sorted, least, found);
          for (int64_t j = 0; j < k; ++j) {
            int64_t at = place_of(found[size_t(j)]);
            indices.line<int64_t>(i)[j] = at;
            values.line<T>(i)[j] = line[at];
          }
        }
      });
    });
  });
  values.store();
  indices.store();
}

// ---- the k-th smallest --------------------------------------------------------------------------

// The place of the k-th smallest element (from 0), the first of equal ones in order.
//
// Counting the keys' leading digits leaves one digit's elements to be ordered.
template <class T, class E>
int64_t select(const T* line, int64_t n, int64_t k, std::vector<E>& room) {
  using O = Order<T>;
  constexpr int kShift = std::max(O::kBits - 11, 0);
  room.clear();
  if (n < 4096) {
    for (int64_t i = 0; i < n; ++i) room.push_back(entry<E>(O::key(line[i]), i));
  } else {
    std::vector<int64_t> counts(2048);
    for (int64_t i = 0; i < n; ++i) ++counts[size_t(O::key(line[i]) >> kShift)];
    size_t digit = 0;
    for (; counts[digit] <= k; ++digit) k -= counts[digit];
    for (int64_t i = 0; i < n; ++i)
      if (size_t(O::key(line[i]) >> kShift) == digit) room.push_back(entry<E>(O::key(line[i]), i));
  }
  std::nth_element(room.begin(), room.begin() + k, room.end());
  return place_of(room[size_t(k)]);
}

// choose(line) gives the rank to select, or minus one less the place to take.
template <class Choose>
void select_lines(Tensor& values, int64_t* indices, const Lines& from, Choose choose) {
  visit_ordered(values.dtype(), [&]<class T>() {
    with_entry<T>(from.n, [&]<class E>() {
      parallel_for(0, from.count, line_grain(from.n), [&](int64_t begin, int64_t end) {
        std::vector<E> room;
        for (int64_t i = begin; i < end; ++i) {
          const T* line = from.line<T>(i);
          int64_t rank = choose(line);
          int64_t at = rank < 0 ? -1 - rank : select<T, E>(line, from.n, rank, room);
          if (indices) indices[i] = at;
          values.data_as<T>()[i] = line[at];
        }
      });
    });
  });
}

void kthvalue_cpu(Results& out, const Tensor& x, int64_t k, int64_t dim, bool) {
  if (x.numel() == 0) return;
  Lines from(x, wrap_dim(dim, x.dim()));
  select_lines(out[0], out[1].data_as<int64_t>(), from, [&](const auto*) { return k - 1; });
}

// NaN stand last, so they do not move the ranks of the others.
template <bool ignore_nan>
void median(Tensor& values, int64_t* indices, const Lines& from) {
  select_lines(values, indices, from, [n = from.n]<class T>(const T* line) -> int64_t {
    if constexpr (!is_floating(dtype_of<T>)) return (n - 1) / 2;
    int64_t nans = 0, first = -1;
    for (int64_t i = 0; i < n; ++i)
      if (Order<T>::nan(Order<T>::key(line[i]))) {
        if (first < 0) first = i;
        ++nans;
      }
    if (nans == n || (nans && !ignore_nan)) return -1 - first;
    return (n - nans - 1) / 2;
  });
}
void median_dim_cpu(Results& out, const Tensor& x, int64_t dim, bool) {
  if (x.numel()) median<false>(out[0], out[1].data_as<int64_t>(), Lines(x, wrap_dim(dim, x.dim())));
}
void nanmedian_dim_cpu(Results& out, const Tensor& x, int64_t dim, bool) {
  if (x.numel()) median<true>(out[0], out[1].data_as<int64_t>(), Lines(x, wrap_dim(dim, x.dim())));
}

// Of nothing: NaN, or the smallest integer, which NaN becomes on x86.
bool median_of_nothing(Results& out, const Tensor& x) {
  if (x.numel()) return false;
  double nan = std::numeric_limits<double>::quiet_NaN();
  Scalar value =
      is_floating(x.dtype()) ? Scalar(nan)
      : x.dtype() == Dtype::i64 || x.dtype() == Dtype::i32
          ? Scalar(x.dtype() == Dtype::i64 ? std::numeric_limits<int64_t>::min()
                                           : int64_t(std::numeric_limits<int32_t>::min()))
          : Scalar(int64_t(0));
  store_scalar(out[0].data(), x.dtype(), value);
  return true;
}
void median_cpu(Results& out, const Tensor& x) {
  if (!median_of_nothing(out, x)) median<false>(out[0], nullptr, Lines(x));
}
void nanmedian_cpu(Results& out, const Tensor& x) {
  if (!median_of_nothing(out, x)) median<true>(out[0], nullptr, Lines(x));
}

// ---- searching ----------------------------------------------------------------------------------

// The first place whose element is not below the value (right: is above it). NaN count as below.
template <class T>
int64_t search(const T* line, const int64_t* order, int64_t n, T value, bool right) {
  int64_t low = 0;
  for (int64_t rest = n; rest > 0;) {
    int64_t half = rest / 2;
    T x = line[order ? order[low + half] : low + half];
    bool below = right ? !(x > value) : !(x >= value);
    low = below ? low + half + 1 : low;
    rest = below ? rest - half - 1 : half;
  }
  return low;
}

void search_all(Results& out, const Tensor& boundaries, Operand values, bool right,
                const Tensor& sorter) {
  const Tensor& y = out[0];
  if (y.numel() == 0) return;
  int64_t last = boundaries.dim() - 1, n = boundaries.sizes()[last];
  double number[2] = {};
  Dtype number_dtype = Dtype::f64;
  if (!values.is_tensor()) {
    number_dtype = values.scalar().is_integral() ? Dtype::i64 : Dtype::f64;
    store_scalar(number, number_dtype, values.scalar());
  }
  // A number or a 0-d value is compared in the boundaries' kind where that can hold it.
  Dtype common;
  if (!values.is_tensor()) {
    common = is_floating(boundaries.dtype()) ? boundaries.dtype() : number_dtype;
  } else {
    const Tensor& v = values.tensor();
    common = v.dim() == 0 && is_floating(v.dtype()) && is_floating(boundaries.dtype())
                 ? boundaries.dtype()
                 : promote(boundaries.dtype(), v.dtype());
  }
  Lines edges(boundaries.get(), last, common);
  std::optional<Lines> orders;
  if (sorter.defined()) {
    orders.emplace(sorter, last);
    const int64_t* o = orders->as<int64_t>();
    for (int64_t i = 0; i < sorter.numel(); ++i)
      KG_CHECK(o[i] >= 0 && o[i] < n, "sorter index out of range: ", o[i], " of ", n);
  }
  std::optional<Lines> wanted;
  Workspace one(16);
  if (values.is_tensor())
    wanted.emplace(values.tensor().get(), std::max<int64_t>(values.tensor().dim() - 1, 0), common);
  else
    convert_block(one.as<char>(), common, number, number_dtype, 1);
  int64_t per_line = wanted && boundaries.dim() > 1 ? wanted->n : y.numel();
  LinesOut places(y, std::max<int64_t>(y.dim() - 1, 0));
  visit_ordered(common, [&]<class T>() {
    const T* v = wanted ? wanted->as<T>() : one.as<T>();
    auto write = [&](auto* to) {
      parallel_for(0, y.numel(), 1024, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          int64_t row = i / per_line;
          to[i] = std::remove_reference_t<decltype(*to)>(search(
              edges.line<T>(row), orders ? orders->line<int64_t>(row) : nullptr, n, v[i], right));
        }
      });
    };
    y.dtype() == Dtype::i32 ? write(places.as<int32_t>()) : write(places.as<int64_t>());
  });
  places.store();
}
void searchsorted_cpu(Results& out, const Tensor& boundaries, Operand values, bool, bool right,
                      std::string_view side, const Tensor& sorter) {
  search_all(out, boundaries, values, right || side == "right", sorter);
}
void bucketize_cpu(Results& out, Operand values, const Tensor& boundaries, bool, bool right) {
  search_all(out, boundaries, values, right, no_tensor);
}

}  // namespace

KG_KERNEL(topk, cpu, topk_cpu)
KG_KERNEL(kthvalue, cpu, kthvalue_cpu)
KG_KERNEL(median, cpu, median_cpu)
KG_KERNEL(median_dim, cpu, median_dim_cpu)
KG_KERNEL(nanmedian, cpu, nanmedian_cpu)
KG_KERNEL(nanmedian_dim, cpu, nanmedian_dim_cpu)
KG_KERNEL(searchsorted, cpu, searchsorted_cpu)
KG_KERNEL(bucketize, cpu, bucketize_cpu)

}  // namespace kagari
