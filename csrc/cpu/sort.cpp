// Sorting and what follows from it: sort, unique elements, modes.
#include "cpu/sort.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/parallel.h"
#include "cpu/lines.h"
#include "ops/call.h"

namespace kagari {

// ---- radix sort ---------------------------------------------------------------------------------

namespace {

constexpr int64_t kInsertion = 40;        // entries that insertion sorts faster
constexpr int64_t kShort = 4096;          // entries below which small counters win
constexpr int64_t kParallelSort = 65536;  // entries from which threads share one line
constexpr int64_t kLineWork = 8192;       // elements per task

template <class E>
void insertion_sort(E* a, int64_t n) {
  for (int64_t i = 1; i < n; ++i) {
    E e = a[i];
    int64_t k = i;
    for (; k > 0 && e < a[k - 1]; --k) a[k] = a[k - 1];
    a[k] = e;
  }
}

// From the lowest digit up; digits that all entries share are left out.
template <int B, class E>
E* radix_sort(E* a, E* room, int64_t n, int bits) {
  constexpr int64_t kBuckets = int64_t(1) << B;
  int passes = (bits + B - 1) / B;
  Workspace memory(size_t(passes * kBuckets) * sizeof(int64_t));
  int64_t* counts = memory.as<int64_t>();
  std::fill_n(counts, passes * kBuckets, 0);
  for (int64_t i = 0; i < n; ++i) {
    uint64_t key = key_of(a[i]);
    for (int p = 0; p < passes; ++p)
      ++counts[p * kBuckets + int64_t(key >> (p * B) & (kBuckets - 1))];
  }
  for (int p = 0; p < passes; ++p) {
    int64_t* at = counts + p * kBuckets;
    if (at[key_of(a[0]) >> (p * B) & (kBuckets - 1)] == n) continue;
    int64_t sum = 0;
    for (int64_t b = 0; b < kBuckets; ++b) sum += std::exchange(at[b], sum);
    for (int64_t i = 0; i < n; ++i) room[at[key_of(a[i]) >> (p * B) & (kBuckets - 1)]++] = a[i];
    std::swap(a, room);
  }
  return a;
}

// The same with the entries of each pass divided among threads: those of a block keep their order
// and follow the earlier blocks' of the same digit.
template <int B, class E>
E* parallel_radix_sort(E* a, E* room, int64_t n, int bits) {
  constexpr int64_t kBuckets = int64_t(1) << B;
  int64_t blocks = num_threads();
  Workspace memory(size_t(blocks * kBuckets) * sizeof(int64_t));
  int64_t* counts = memory.as<int64_t>();
  for (int shift = 0; shift < bits; shift += B) {
    parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        int64_t* own = counts + t * kBuckets;
        std::fill_n(own, kBuckets, 0);
        for (int64_t i = n * t / blocks; i < n * (t + 1) / blocks; ++i)
          ++own[key_of(a[i]) >> shift & (kBuckets - 1)];
      }
    });
    int64_t sum = 0, largest = 0;
    for (int64_t b = 0; b < kBuckets; ++b) {
      int64_t before = sum;
      for (int64_t t = 0; t < blocks; ++t) sum += std::exchange(counts[t * kBuckets + b], sum);
      largest = std::max(largest, sum - before);
    }
    if (largest == n) continue;
    parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        int64_t* at = counts + t * kBuckets;
        for (int64_t i = n * t / blocks; i < n * (t + 1) / blocks; ++i)
          room[at[key_of(a[i]) >> shift & (kBuckets - 1)]++] = a[i];
      }
    });
    std::swap(a, room);
  }
  return a;
}

}  // namespace

template <class E>
E* sort_entries(E* a, E* room, int64_t n, int bits) {
  if (n <= kInsertion) {
    insertion_sort(a, n);
    return a;
  }
  if (n <= kShort) return radix_sort<8>(a, room, n, bits);
  if (n >= kParallelSort && num_threads() > 1 && !in_parallel_region())
    return parallel_radix_sort<11>(a, room, n, bits);
  return radix_sort<11>(a, room, n, bits);
}
template Packed* sort_entries(Packed*, Packed*, int64_t, int);
template Wide* sort_entries(Wide*, Wide*, int64_t, int);

namespace {

// f(line's number, entries of its elements in sorted order); lines are divided among threads, or
// threads share a line when there are few.
template <class T, class F>
void each_sorted(const Lines& x, bool descending, F&& f) {
  using O = Order<T>;
  with_entry<T>(x.n, [&]<class E>() {
    auto lines = [&](int64_t begin, int64_t end) {
      Workspace memory(size_t(2 * x.n) * sizeof(E));
      E *a = memory.as<E>(), *room = a + x.n;
      typename O::Key flip = descending ? O::kAll : 0;
      for (int64_t i = begin; i < end; ++i) {
        const T* line = x.line<T>(i);
        parallel_for(0, x.n, kParallelSort, [&](int64_t b, int64_t e) {
          for (int64_t k = b; k < e; ++k)
            a[k] = entry<E>(typename O::Key(O::key(line[k]) ^ flip), k);
        });
        f(i, static_cast<const E*>(sort_entries(a, room, x.n, O::kBits)));
      }
    };
    if (x.n >= kParallelSort && x.count < 2 * num_threads())
      lines(0, x.count);
    else
      parallel_for(0, x.count, std::max<int64_t>(1, kLineWork / std::max<int64_t>(x.n, 1)), lines);
  });
}

// ---- sort ---------------------------------------------------------------------------------------

void sort(Results& out, const Tensor& x, int64_t dim, bool descending) {
  if (x.numel() == 0) return;
  dim = wrap_dim(dim, x.dim());
  Lines from(x, dim);
  LinesOut values(out[0], dim), indices(out[1], dim);
  visit_ordered(x.dtype(), [&]<class T>() {
    using O = Order<T>;
    typename O::Key flip = descending ? O::kAll : 0;
    each_sorted<T>(from, descending, [&]<class E>(int64_t i, const E* sorted) {
      const T* line = from.line<T>(i);
      T* v = values.line<T>(i);
      int64_t* at = indices.line<int64_t>(i);
      parallel_for(0, from.n, kParallelSort, [&](int64_t b, int64_t e) {
        for (int64_t k = b; k < e; ++k) {
          at[k] = place_of(sorted[k]);
          auto key = typename O::Key(typename O::Key(key_of(sorted[k])) ^ flip);
          v[k] = O::exact(key) ? O::value(key) : line[at[k]];
        }
      });
    });
  });
  values.store();
  indices.store();
}
void sort_cpu(Results& out, const Tensor& x, int64_t dim, bool descending) {
  sort(out, x, dim, descending);
}
void sort_stable_cpu(Results& out, const Tensor& x, std::optional<bool>, int64_t dim,
                     bool descending) {
  sort(out, x, dim, descending);
}

// ---- mode ---------------------------------------------------------------------------------------

// The longest run of the sorted line; of equally long ones the first, and of it the last place.
void mode_cpu(Results& out, const Tensor& x, int64_t dim, bool) {
  if (x.numel() == 0) return;
  Lines from(x, wrap_dim(dim, x.dim()));
  visit_ordered(x.dtype(), [&]<class T>() {
    T* values = out[0].data_as<T>();
    int64_t* indices = out[1].data_as<int64_t>();
    each_sorted<T>(from, false, [&]<class E>(int64_t i, const E* sorted) {
      int64_t longest = 0, run = 0;
      for (int64_t k = 0; k < from.n; ++k) {
        run = k && key_of(sorted[k]) == key_of(sorted[k - 1]) ? run + 1 : 1;
        if (run > longest) {
          longest = run;
          indices[i] = place_of(sorted[k]);
          values[i] = from.line<T>(i)[indices[i]];
        }
      }
    });
  });
}

// ---- unique elements ----------------------------------------------------------------------------

// Groups of equal elements that follow each other in `order`: fills the inverse and the counts, and
// returns the first place of each group.
template <class Place, class Same>
std::vector<int64_t> groups(Results& out, Ints inverse_sizes, int64_t n, bool inverse, bool counts,
                            Device device, Place place, Same same) {
  std::vector<int64_t> firsts, lengths;
  out[1] = empty(inverse ? inverse_sizes : Ints{0}, Dtype::i64, device);
  int64_t* group = inverse ? out[1].data_as<int64_t>() : nullptr;
  for (int64_t k = 0; k < n; ++k) {
    if (k == 0 || !same(k - 1, k)) {
      firsts.push_back(place(k));
      if (counts) lengths.push_back(0);
    }
    if (counts) ++lengths.back();
    if (group) group[place(k)] = int64_t(firsts.size()) - 1;
  }
  out[2] = empty(Ints{counts ? int64_t(firsts.size()) : 0}, Dtype::i64, device);
  std::copy(lengths.begin(), lengths.end(), out[2].data_as<int64_t>());
  return firsts;
}

void three(Results& out) {
  out.add();
  out.add();
  out.add();
}

void unique_cpu(Results& out, const Tensor& x, bool, bool inverse, bool counts) {
  three(out);
  Lines all(x);
  visit_ordered(x.dtype(), [&]<class T>() {
    auto finish = [&](auto place, auto same) {
      auto firsts = groups(out, x.sizes(), all.n, inverse, counts, x.device(), place, same);
      out[0] = empty(Ints{int64_t(firsts.size())}, x.dtype(), x.device());
      T* to = out[0].data_as<T>();
      for (size_t i = 0; i < firsts.size(); ++i) to[i] = all.as<T>()[firsts[i]];
    };
    if (all.n == 0) {
      finish([](int64_t k) { return k; }, [](int64_t, int64_t) { return true; });
      return;
    }
    each_sorted<T>(all, false, [&]<class E>(int64_t, const E* sorted) {
      finish([sorted](int64_t k) { return place_of(sorted[k]); },
             [sorted](int64_t a, int64_t b) {
               return key_of(sorted[a]) == key_of(sorted[b]) &&
                      !Order<T>::nan(typename Order<T>::Key(key_of(sorted[b])));
             });
    });
  });
}

// Slices of x along dim, each laid out in one piece: [n, size of a slice].
struct Slices {
  Slices(const Tensor& x, int64_t dim) : n(x.sizes()[dim]), whole(x, dim) {
    each = whole.count;
    // Lines run along dim: the slices are their columns.
    if (x.numel() == 0) return;
    own = std::make_unique<Workspace>(size_t(x.nbytes()));
    visit_size(x.dtype(), [&]<class T>() {
      T* to = own->as<T>();
      for (int64_t i = 0; i < each; ++i)
        for (int64_t k = 0; k < n; ++k) to[k * each + i] = whole.line<T>(i)[k];
    });
  }
  template <class T>
  const T* slice(int64_t k) const {
    return own->as<T>() + k * each;
  }
  int64_t n, each = 0;
  Lines whole;
  std::unique_ptr<Workspace> own;
};

// Puts the chosen slices along dim into a fresh result.
Tensor take_slices(const Tensor& x, int64_t dim, const Slices& from,
                   const std::vector<int64_t>& places) {
  Dims sizes(x.sizes());
  sizes[dim] = int64_t(places.size());
  Tensor y = empty(sizes, x.dtype(), x.device());
  LinesOut to(y, dim);
  visit_size(x.dtype(), [&]<class T>() {
    for (int64_t i = 0; i < to.count; ++i)
      for (int64_t k = 0; k < to.n; ++k) to.line<T>(i)[k] = from.slice<T>(places[size_t(k)])[i];
  });
  to.store();
  return y;
}

void unique_slices(Results& out, const Tensor& x, int64_t dim, bool sort_first, bool inverse,
                   bool counts) {
  three(out);
  Slices s(x, dim);
  std::vector<int64_t> order(size_t(s.n));
  std::iota(order.begin(), order.end(), 0);
  visit_ordered(x.dtype(), [&]<class T>() {
    using O = Order<T>;
    if (sort_first && s.each > 0)
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        const T *p = s.slice<T>(a), *q = s.slice<T>(b);
        for (int64_t i = 0; i < s.each; ++i)
          if (O::key(p[i]) != O::key(q[i])) return O::key(p[i]) < O::key(q[i]);
        return false;
      });
    auto firsts = groups(
        out, Ints{s.n}, s.n, inverse, counts, x.device(),
        [&](int64_t k) { return order[size_t(k)]; },
        [&](int64_t a, int64_t b) {
          if (s.each == 0) return true;
          const T *p = s.slice<T>(order[size_t(a)]), *q = s.slice<T>(order[size_t(b)]);
          for (int64_t i = 0; i < s.each; ++i)
            if (O::key(p[i]) != O::key(q[i]) || O::nan(O::key(p[i]))) return false;
          return true;
        });
    out[0] = take_slices(x, dim, s, firsts);
  });
}
void unique_dim_cpu(Results& out, const Tensor& x, int64_t dim, bool, bool inverse, bool counts) {
  unique_slices(out, x, wrap_dim(dim, x.dim()), true, inverse, counts);
}

constexpr int64_t kRunPart = 16384;  // elements whose runs are found in one task
constexpr int64_t kRunPiece = 256;   // of them that are collected at a time

void unique_consecutive_cpu(Results& out, const Tensor& x, bool inverse, bool counts,
                            std::optional<int64_t> dim) {
  if (dim) {
    unique_slices(out, x, wrap_dim(*dim, x.dim()), false, inverse, counts);
    return;
  }
  three(out);
  Lines all(x);
  const int64_t n = all.n, parts = (n + kRunPart - 1) / kRunPart;
  std::vector<int64_t> before(size_t(parts) + 1);  // the runs that begin before each part
  visit_ordered(x.dtype(), [&]<class T>() {
    const T* from = all.as<T>();
    auto each = [&](auto&& f) {  // f(part, its first element, its end)
      parallel_for(0, parts, 1, [&](int64_t p, int64_t end) {
        for (; p < end; ++p) f(p, p * kRunPart, std::min(n, (p + 1) * kRunPart));
      });
    };
    each([&](int64_t p, int64_t i, int64_t end) {
      int64_t starts = i == 0;
      for (i += i == 0; i < end; ++i) starts += !(from[i - 1] == from[i]);
      before[size_t(p) + 1] = starts;
    });
    for (size_t p = 0; p < size_t(parts); ++p) before[p + 1] += before[p];
    const int64_t runs = before.back();
    out[0] = empty(Ints{runs}, x.dtype(), x.device());
    out[1] = empty(inverse ? x.sizes() : Ints{0}, Dtype::i64, x.device());
    out[2] = empty(Ints{counts ? runs : 0}, Dtype::i64, x.device());
    T* to = out[0].data_as<T>();
    int64_t *group = inverse ? out[1].data_as<int64_t>() : nullptr,
            *length = counts ? out[2].data_as<int64_t>() : nullptr;
    auto fill = [&]<bool kLengths, bool kGroups>() {
      each([&](int64_t p, int64_t i, int64_t end) {
        // Runs are put into a piece of their own first, where what begins no run does no harm.
        T first[kRunPiece + 1];
        int64_t start[kRunPiece + 1];
        int64_t run = before[size_t(p)];
        while (i < end) {
          const int64_t stop = std::min(end, i + kRunPiece);
          int64_t found = 0;
          for (; i < stop; ++i) {
            first[found] = from[i];
            if constexpr (kLengths) start[found] = i;
            found += i == 0 || !(from[i - 1] == from[i]);
            if constexpr (kGroups) group[i] = run + found - 1;
          }
          std::copy_n(first, found, to + run);
          if constexpr (kLengths) std::copy_n(start, found, length + run);
          run += found;
        }
      });
    };
    if (length)
      group ? fill.template operator()<true, true>() : fill.template operator()<true, false>();
    else
      group ? fill.template operator()<false, true>() : fill.template operator()<false, false>();
    if (!length) return;
    for (int64_t r = 0; r + 1 < runs; ++r) length[r] = length[r + 1] - length[r];
    if (runs) length[runs - 1] = n - length[runs - 1];
  });
}

}  // namespace

KG_KERNEL(sort, cpu, sort_cpu)
KG_KERNEL(sort_stable, cpu, sort_stable_cpu)
KG_KERNEL(mode, cpu, mode_cpu)
KG_KERNEL(unique2, cpu, unique_cpu)
KG_KERNEL(unique_dim, cpu, unique_dim_cpu)
KG_KERNEL(unique_consecutive, cpu, unique_consecutive_cpu)

}  // namespace kagari
