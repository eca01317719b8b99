// Embedding on the CPU. Backward: the table's rows are shared among the threads, and each is added up
// in the order of the indices.
#include <cstring>
#include <vector>

#include "cpu/rows.h"
#include "cpu/stream.h"
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(embedding)
KG_DECLARE_ROW(embedding_backward)
KG_DECLARE_ROW(bag_sum)
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

// Which tokens stand for which row of the table: the first for each row, the next for each token,
// in the order of the tokens; -1 ends a list.
struct Tokens {
  std::vector<int64_t> first, next, count;
  Tokens(const std::vector<int64_t>& at, int64_t rows, int64_t padding)
      : first(size_t(rows), -1), next(at.size()), count(size_t(rows), 0) {
    for (size_t i = at.size(); i-- > 0;) {
      const size_t r = size_t(at[i]);
      ++count[r];
      if (at[i] == padding) continue;
      next[i] = first[r];
      first[r] = int64_t(i);
    }
  }
  // The table in parts of about the same work: the rows where they begin, and the end.
  std::vector<int64_t> split(int64_t parts) const {
    const int64_t rows = int64_t(first.size()), total = rows + int64_t(next.size());
    std::vector<int64_t> bounds{0};
    int64_t done = 0;
    for (int64_t r = 0; r < rows; ++r) {
      if (done >= total * int64_t(bounds.size()) / parts) bounds.push_back(r);
      done += 1 + count[size_t(r)];
    }
    bounds.push_back(rows);
    return bounds;
  }
};

void embedding_backward_cpu(Results& out, const Tensor& g, const Tensor& indices, int64_t rows,
                            int64_t padding, bool scale) {
  std::vector<int64_t> at = read_indices(indices);
  check_range(at, rows);
  const int64_t width = g.sizes()[g.dim() - 1];
  if (rows * width == 0) return;
  const Tokens tokens(at, rows, padding);
  // No two threads write one row, and each is written once.
  const std::vector<int64_t> bounds =
      tokens.split((int64_t(at.size()) + rows) * width < 65536 ? 1 : 64);
  visit_row_type(g.dtype(), [&]<class T>() {
    const Lines<T> grads(g, g.dim() - 1);
    Whole<T> sums(out[0], false);
    const bool stream = streams(sums.get(), rows * width * int64_t(sizeof(T)));
    parallel_for(0, int64_t(bounds.size()) - 1, 1, [&](int64_t begin, int64_t end) {
      std::vector<char> scratch(size_t(grads.scratch()));
      std::vector<T> sum(static_cast<size_t>(width));
      for (int64_t r = bounds[size_t(begin)]; r < bounds[size_t(end)]; ++r) {
        std::fill(sum.begin(), sum.end(), T(0));
        const T factor = scale ? T(1) / T(tokens.count[size_t(r)]) : T(1);
        for (int64_t i = tokens.first[size_t(r)]; i >= 0; i = tokens.next[size_t(i)]) {
          const T* from = grads.read(i, scratch.data());
          for (int64_t k = 0; k < width; ++k) sum[size_t(k)] += from[k] * factor;
        }
        store_bytes(sums.get() + r * width, sum.data(), width * int64_t(sizeof(T)), stream);
      }
      if (stream) stream_end();
    });
    sums.store();
  });
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
      std::vector<char> room(size_t(table.scratch()));
      for (int64_t b = begin; b < end; ++b) {
        T* sum = sums.get() + b * width;
        std::fill_n(sum, width, T(0));
        for (int64_t i = bag[size_t(b)]; i < bag[size_t(b) + 1]; ++i) {
          if (at[size_t(i)] == padding) continue;
          const T* row = table_row(table, at[size_t(i)], room);
          if (factor) {
            T f = factor->get()[i];
            for (int64_t k = 0; k < width; ++k) sum[k] += f * row[k];
          } else {
            for (int64_t k = 0; k < width; ++k) sum[k] += row[k];
          }
        }
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
KG_KERNEL(bag_argmax, cpu, bag_argmax_cpu)

}  // namespace kagari
