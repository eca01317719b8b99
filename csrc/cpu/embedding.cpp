// Embedding on the CPU. Backward: the table's rows are shared among the threads, and each is added up
// in the order of the indices.
#include <cstring>
#include <utility>
#include <vector>

#include "cpu/rows.h"
#include "cpu/stream.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(embedding)
KG_DECLARE_ROW(embedding_backward)
KG_DECLARE_ROW(bag_sum)
KG_DECLARE_ROW(bag_sum_backward)
KG_DECLARE_ROW(bag_argmax)

namespace {

// Indices as int64, in row-major order.
std::vector<int64_t> read_indices(const Tensor& t) {
  std::vector<int64_t> out(static_cast<size_t>(t.numel()));
  for (int64_t i = 0; i < t.numel(); ++i) {
    int64_t rest = i, at = 0;
    if (t.is_contiguous()) {
      at = i;
    } else {
      for (int64_t d = t.dim() - 1; d >= 0; --d) {
        at += rest % t.sizes()[d] * t.strides()[d];
        rest /= t.sizes()[d];
      }
    }
    out[size_t(i)] = t.dtype() == Dtype::i64 ? t.data_as<int64_t>()[at] : t.data_as<int32_t>()[at];
  }
  return out;
}
void check_range(const std::vector<int64_t>& indices, int64_t rows) {
  for (int64_t i : indices)
    KG_CHECK_INDEX(i >= 0 && i < rows, "index out of range in self: ", i, " in a table of ", rows,
                   " rows");
}

void embedding_cpu(Results& out, const Tensor& weight, const Tensor& indices, int64_t, bool, bool) {
  std::vector<int64_t> at = read_indices(indices);
  check_range(at, weight.sizes()[0]);
  int64_t width = weight.sizes()[1], size = weight.itemsize(), row = width * size;
  bool whole_rows = weight.strides()[1] == 1 || width <= 1;
  bool stream = whole_rows && streams(out[0].data(), int64_t(at.size()) * row);
  parallel_for(0, int64_t(at.size()), std::max<int64_t>(1, 32768 / std::max<int64_t>(row, 1)),
               [&](int64_t begin, int64_t end) {
                 auto line = [&](int64_t i) {
                   return weight.data() + at[size_t(i)] * weight.strides()[0] * size;
                 };
                 const int64_t ahead = rows_ahead(row);
                 for (int64_t i = begin; i < end; ++i) {
                   const char* from = line(i);
                   if (whole_rows && i + ahead < end) prefetch_row(line(i + ahead), row);
                   if (whole_rows)
                     store_bytes(out[0].data() + i * row, from, row, stream);
                   else
                     gather(out[0].data() + i * row, from, weight.strides()[1] * size, size, width);
                 }
                 if (stream) stream_end();
               });
}

// Which tokens stand for which row of the table, in the order of the tokens: those of row r lie from
// first[r] to first[r + 1]. The padding row has none.
struct Tokens {
  std::vector<int64_t> first, order;
  Tokens(const std::vector<int64_t>& at, int64_t rows, int64_t padding)
      : first(size_t(rows) + 1, 0), order(at.size()) {
    for (int64_t r : at) first[size_t(r) + 1] += r != padding;
    for (size_t r = 0; r < size_t(rows); ++r) first[r + 1] += first[r];
    std::vector<int64_t> next(first.begin(), first.end() - 1);
    for (size_t i = 0; i < at.size(); ++i)
      if (at[i] != padding) order[size_t(next[size_t(at[i])]++)] = int64_t(i);
  }
  int64_t count(int64_t r) const { return first[size_t(r) + 1] - first[size_t(r)]; }
  // The table in parts of about the same work: the rows where they begin, and the end.
  std::vector<int64_t> split(int64_t parts) const {
    const int64_t rows = int64_t(first.size()) - 1, total = rows + first.back();
    std::vector<int64_t> bounds{0};
    int64_t done = 0;
    for (int64_t r = 0; r < rows; ++r) {
      if (done >= total * int64_t(bounds.size()) / parts) bounds.push_back(r);
      done += 1 + count(r);
    }
    bounds.push_back(rows);
    return bounds;
  }
};

// Adds lines of a tensor, one after the other; several share a pass over the sum.
template <class T>
class LineSum {
 public:
  LineSum(const Lines<T>& lines, int64_t width, bool scaled)
      : lines_(lines), width_(width), scaled_(scaled), room_(size_t(kTogether * lines.scratch())) {}
  void start(T* sum) {
    sum_ = sum;
    std::fill_n(sum, width_, T(0));
  }
  void add(int64_t line, T factor) {
    from_[n_] = lines_.read(line, room_.data() + n_ * lines_.scratch());
    factors_[n_] = factor;
    if (++n_ == kTogether) flush();
  }
  void finish() { flush(); }

 private:
  static constexpr int64_t kTogether = 8;

  void flush() {
    const int64_t n = std::exchange(n_, 0);
    if (n < kTogether) {
      for (int64_t i = 0; i < n; ++i) add_one(sum_, from_[i], factors_[i]);
    } else if (scaled_) {
      add_all<true>(sum_, from_, factors_, width_);
    } else {
      add_all<false>(sum_, from_, factors_, width_);
    }
  }
  void add_one(T* __restrict sum, const T* from, T factor) const {
    for (int64_t k = 0; k < width_; ++k) sum[k] += from[k] * factor;
  }
  template <bool scaled>
  static void add_all(T* __restrict sum, const T* const* from, const T* factors, int64_t width) {
    const T *a = from[0], *b = from[1], *c = from[2], *d = from[3], *e = from[4], *f = from[5],
            *g = from[6], *h = from[7];
    const T x[kTogether] = {factors[0], factors[1], factors[2], factors[3],
                            factors[4], factors[5], factors[6], factors[7]};
    auto by = [&](T v, int i) { return scaled ? v * x[i] : v; };
    for (int64_t k = 0; k < width; ++k) {
      T s = (((sum[k] + by(a[k], 0)) + by(b[k], 1)) + by(c[k], 2)) + by(d[k], 3);
      sum[k] = (((s + by(e[k], 4)) + by(f[k], 5)) + by(g[k], 6)) + by(h[k], 7);
    }
  }

  const Lines<T>& lines_;
  const int64_t width_;
  const bool scaled_;
  std::vector<char> room_;
  T* sum_ = nullptr;
  int64_t n_ = 0;
  const T* from_[kTogether];
  T factors_[kTogether];
};

// The table's gradient: token i adds line lines[i] (i itself where there are none) of g, times
// factors[i], to the row at[i].
void add_to_table(const Tensor& table, const Tensor& g, const std::vector<int64_t>& at,
                  const std::vector<int64_t>* lines, const Tensor& factors, int64_t padding,
                  bool scale) {
  const int64_t rows = table.sizes()[0], width = table.sizes()[1];
  check_range(at, rows);
  if (rows * width == 0) return;
  const Tokens tokens(at, rows, padding);
  // No two threads write one row, and each is written once.
  const std::vector<int64_t> bounds =
      tokens.split((int64_t(at.size()) + rows) * width < 65536 ? 1 : 64);
  visit_row_type(g.dtype(), [&]<class T>() {
    const Lines<T> grads(g, g.dim() - 1);
    Whole<T> sums(table, false);
    std::unique_ptr<Whole<T>> factor;
    if (factors.defined()) factor = std::make_unique<Whole<T>>(factors);
    const bool stream = streams(sums.get(), rows * width * int64_t(sizeof(T)));
    parallel_for(0, int64_t(bounds.size()) - 1, 1, [&](int64_t begin, int64_t end) {
      LineSum<T> adder(grads, width, scale || factor);
      std::vector<T> sum(static_cast<size_t>(width));
      for (int64_t r = bounds[size_t(begin)]; r < bounds[size_t(end)]; ++r) {
        adder.start(sum.data());
        const T each = scale ? T(1) / T(tokens.count(r)) : T(1);
        for (int64_t k = tokens.first[size_t(r)]; k < tokens.first[size_t(r) + 1]; ++k) {
          const int64_t i = tokens.order[size_t(k)];
          adder.add(lines ? (*lines)[size_t(i)] : i, factor ? factor->get()[i] * each : each);
        }
        adder.finish();
        store_bytes(sums.get() + r * width, sum.data(), width * int64_t(sizeof(T)), stream);
      }
      if (stream) stream_end();
    });
    sums.store();
  });
}
void embedding_backward_cpu(Results& out, const Tensor& g, const Tensor& indices, int64_t,
                            int64_t padding, bool scale) {
  add_to_table(out[0], g, read_indices(indices), nullptr, Tensor(), padding, scale);
}
void bag_sum_backward_cpu(Results& out, const Tensor& g, const Tensor& indices, const Tensor&,
                          const Tensor& bags, const Tensor& factors, int64_t, int64_t padding,
                          bool scale) {
  const std::vector<int64_t> bag = read_indices(bags);
  check_range(bag, g.sizes()[0]);
  add_to_table(out[0], g, read_indices(indices), &bag, factors, padding, scale);
}

// ---- bags ---------------------------------------------------------------------------------------

std::vector<int64_t> read_offsets(const Tensor& offsets, int64_t count) {
  std::vector<int64_t> at = read_indices(offsets);
  KG_CHECK(at.front() == 0,
           "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has "
           "to start from position 0. However, got ",
           at.front());
  for (size_t i = 0; i + 1 < at.size(); ++i)
    KG_CHECK(at[i] <= at[i + 1], "expected offsets that do not fall, got ", at[i], " before ",
             at[i + 1]);
  KG_CHECK(at.back() <= count, "offsets[-1] can not be greater than input's length (", count,
           "), got ", at.back());
  return at;
}

// A row of the table as T: its own memory or a copy in `room`.
template <class T>
const T* table_row(const Lines<T>& lines, int64_t row, std::vector<char>& room) {
  return lines.read(row, room.data());
}

void bag_sum_cpu(Results& out, const Tensor& weight, const Tensor& indices, const Tensor& offsets,
                 const Tensor&, const Tensor& factors, int64_t padding, bool, bool) {
  std::vector<int64_t> at = read_indices(indices), bag = read_offsets(offsets, indices.numel());
  check_range(at, weight.sizes()[0]);
  int64_t width = weight.sizes()[1], bags = int64_t(bag.size()) - 1;
  if (out[0].numel() == 0) return;
  visit_row_type(weight.dtype(), [&]<class T>() {
    Lines<T> table(weight, 1);
    Whole<T> sums(out[0], false);
    std::unique_ptr<Whole<T>> factor;
    if (factors.defined()) factor = std::make_unique<Whole<T>>(factors);
    int64_t work = std::max<int64_t>(1, indices.numel() / bags * width);
    parallel_for(0, bags, std::max<int64_t>(1, 16384 / work), [&](int64_t begin, int64_t end) {
      LineSum<T> adder(table, width, factor != nullptr);
      for (int64_t b = begin; b < end; ++b) {
        adder.start(sums.get() + b * width);
        for (int64_t i = bag[size_t(b)]; i < bag[size_t(b) + 1]; ++i)
          if (at[size_t(i)] != padding) adder.add(at[size_t(i)], factor ? factor->get()[i] : T(1));
        adder.finish();
      }
    });
    sums.store();
  });
}

void bag_argmax_cpu(Results& out, const Tensor& weight, const Tensor& indices,
                    const Tensor& offsets, int64_t padding) {
  std::vector<int64_t> at = read_indices(indices), bag = read_offsets(offsets, indices.numel());
  check_range(at, weight.sizes()[0]);
  int64_t width = weight.sizes()[1], bags = int64_t(bag.size()) - 1;
  if (out[0].numel() == 0) return;
  visit_row_type(weight.dtype(), [&]<class T>() {
    Lines<T> table(weight, 1);
    parallel_for(0, bags, 16, [&](int64_t begin, int64_t end) {
      std::vector<char> room(size_t(table.scratch()));
      std::vector<T> best(static_cast<size_t>(width));
      for (int64_t b = begin; b < end; ++b) {
        int64_t* place = out[0].data_as<int64_t>() + b * width;
        std::fill_n(place, width, int64_t(-1));
        for (int64_t i = bag[size_t(b)]; i < bag[size_t(b) + 1]; ++i) {
          if (at[size_t(i)] == padding) continue;
          const T* row = table_row(table, at[size_t(i)], room);
          for (int64_t k = 0; k < width; ++k)
            if (place[k] < 0 || row[k] > best[size_t(k)]) {
              best[size_t(k)] = row[k];
              place[k] = at[size_t(i)];
            }
        }
      }
    });
  });
}

}  // namespace

KG_KERNEL(embedding, cpu, embedding_cpu)
KG_KERNEL(embedding_backward, cpu, embedding_backward_cpu)
KG_KERNEL(bag_sum, cpu, bag_sum_cpu)
KG_KERNEL(bag_sum_backward, cpu, bag_sum_backward_cpu)
KG_KERNEL(bag_argmax, cpu, bag_argmax_cpu)

}  // namespace kagari
