// Reductions on the CPU: geometry, division of the work, and the folding of block results.
#include "cpu/reduce_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "ops/reduce.h"

namespace kagari {
namespace {

using OptInts = std::optional<Ints>;
const ReduceTable& table() {
  static const ReduceTable& t = KG_PICK(reduce_table);
  return t;
}

// The input as [outer, n, inner], contiguous; a copy is made when it does not lie so.
struct Plan {
  const char* data = nullptr;
  Dtype dtype;
  int64_t outer = 1, n = 1, inner = 1;
  std::unique_ptr<Workspace> copy;
};

// A tensor's description without a Python object, for convert(): it reads geometry and data only.
TensorImpl shell(char* data, Dtype dtype, int64_t ndim, int64_t* sizes_and_strides) {
  TensorImpl t{};
  t.data = data;
  t.dtype = dtype;
  t.ndim = uint8_t(ndim);
  t.sizes = sizes_and_strides;
  t.numel = 1;
  for (int64_t i = 0; i < ndim; ++i) t.numel *= sizes_and_strides[i];
  bool contiguous = true;
  int64_t step = 1;
  for (int64_t i = ndim - 1; i >= 0; --i) {
    contiguous = contiguous && (sizes_and_strides[i] == 1 || sizes_and_strides[ndim + i] == step);
    step *= sizes_and_strides[i];
  }
  t.flags = contiguous || t.numel == 0 ? uint32_t(kContiguous) : 0u;
  return t;
}

Plan plan(const Tensor& x, const Dims& dims, Dtype dtype) {
  Plan p;
  p.dtype = dtype;
  int64_t ndim = x.dim();
  bool full = dims.size() == ndim;
  for (int64_t d : dims) p.n *= ndim ? x.sizes()[d] : 1;
  bool same = dtype == x.dtype();
  if (same && full && (x.is_contiguous() || is_non_overlapping_and_dense(x.sizes(), x.strides()))) {
    p.data = x.data();  // all elements, in the order of memory
    return p;
  }
  if (same && x.is_contiguous() && dims.size() > 0) {
    int64_t first = dims[0], last = dims[dims.size() - 1];
    bool adjacent = true;  // but for dimensions of size one between them
    for (int64_t i = first, k = 0; i <= last; ++i) {
      if (k < dims.size() && dims[k] == i)
        ++k;
      else
        adjacent = adjacent && x.sizes()[i] == 1;
    }
    if (adjacent) {
      for (int64_t i = 0; i < first; ++i) p.outer *= x.sizes()[i];
      for (int64_t i = last + 1; i < ndim; ++i) p.inner *= x.sizes()[i];
      p.data = x.data();
      return p;
    }
  }
  // Kept dimensions first, then the reduced ones, copied to be contiguous.
  int64_t from_geometry[2 * kMaxDims], to_geometry[2 * kMaxDims];
  int64_t at = 0, k = 0;
  for (int64_t i = 0; i < ndim; ++i) {
    if (k < dims.size() && dims[k] == i) {
      ++k;
      continue;
    }
    from_geometry[at] = x.sizes()[i];
    from_geometry[ndim + at++] = x.strides()[i];
    p.outer *= x.sizes()[i];
  }
  for (int64_t d : dims) {
    if (ndim == 0) break;
    from_geometry[at] = x.sizes()[d];
    from_geometry[ndim + at++] = x.strides()[d];
  }
  int64_t step = 1;
  for (int64_t i = ndim - 1; i >= 0; --i) {
    to_geometry[i] = from_geometry[i];
    to_geometry[ndim + i] = step;
    step *= from_geometry[i];
  }
  p.copy = std::make_unique<Workspace>(size_t(x.numel() * itemsize(dtype)));
  TensorImpl from = shell(x.data(), x.dtype(), ndim, from_geometry),
             to = shell(p.copy->as<char>(), dtype, ndim, to_geometry);
  convert(&to, &from);
  p.data = p.copy->as<char>();
  return p;
}

// Folds the whole plan. A: accumulator. join: how block results fold. finish(accumulators, first,
// count) stores results from `first` on. `parameter`: null, or one double per result (the means of
// square_deviation).
template <class A, class Join, class Finish>
class PlanFolder {
 public:
  PlanFolder(Fold fold, const Plan& plan, A identity, double power, const double* parameter,
             Join join, Finish finish)
      : fold_(fold),
        p_(plan),
        folded_(folds_as(fold, plan.dtype)),
        identity_(identity),
        power_(power),
        parameter_(parameter),
        join_(join),
        finish_(finish) {}
  void run() {
    const int64_t results = p_.outer * p_.inner;
    if (results == 0) return;
    if (p_.n == 0) return empty();
    if (!parameter_)
      std::fill_n(same_, std::min(p_.inner > 1 ? p_.inner : kBatch, kColumnsPerTask), power_);
    if (p_.inner > 1) return columns();
    p_.n <= kRowBlock ? rows() : long_rows();
  }

 private:
  static constexpr int64_t kNarrowest = 128;         // columns of a strip
  static constexpr int64_t kBatch = 256;             // results that are stored at a time
  static constexpr int64_t kWideBytes = 128 * 1024;  // widened elements that stay in the cache

  const char* at(int64_t element) const { return p_.data + element * itemsize(p_.dtype); }

  void empty() const {
    for (int64_t i = 0; i < p_.outer * p_.inner; ++i) finish_(&identity_, i, 1);
  }

  // `count` rows of n <= kRowBlock elements that follow one another.
  void fold_rows(int64_t first, int64_t count, int64_t n, const double* p, A* out) const {
    if (folded_ == p_.dtype) {
      table().rows(fold_, p_.dtype, at(first), count, n, n, p, out);
      return;
    }
    alignas(64) char wide[kRowBlock * sizeof(int64_t)];
    const int64_t most = kRowBlock / n;
    for (int64_t row = 0; row < count; row += most) {
      const int64_t rows = std::min(most, count - row);
      convert_block(wide, folded_, at(first + row * n), p_.dtype, rows * n);
      table().rows(fold_, folded_, wide, rows, n, n, p + row, out + row);
    }
  }
  // `rows` <= kColumnBlock rows of `columns` elements, p_.inner apart.
  void fold_columns(int64_t first, int64_t rows, int64_t columns, const double* p, A* out) const {
    if (folded_ == p_.dtype) {
      table().columns(fold_, p_.dtype, at(first), rows, columns, p_.inner, p, out);
      return;
    }
    const int64_t size = itemsize(folded_), most = std::min(columns, kWideBytes / size / rows);
    Workspace memory(size_t(most * rows * size));
    char* wide = memory.as<char>();
    for (int64_t c = 0; c < columns; c += most) {
      const int64_t part = std::min(most, columns - c);
      for (int64_t r = 0; r < rows; ++r)
        convert_block(wide + r * part * size, folded_, at(first + r * p_.inner + c), p_.dtype,
                      part);
      table().columns(fold_, folded_, wide, rows, part, part, p + c, out + c);
    }
  }

  void rows() const {
    parallel_for(0, p_.outer, std::max<int64_t>(1, 16384 / p_.n), [&](int64_t begin, int64_t end) {
      A results[kBatch];
      for (int64_t row = begin; row < end; row += kBatch) {
        const int64_t count = std::min(kBatch, end - row);
        fold_rows(row * p_.n, count, p_.n, parameter_ ? parameter_ + row : same_, results);
        finish_(results, row, count);
      }
    });
  }

  // Blocks [b0, b1) of a row, all but the row's last one whole.
  void row_blocks(int64_t row, int64_t b0, int64_t b1, A* out) const {
    double same[kBatch];
    const int64_t n = p_.n - b0 * kRowBlock, whole = std::min(b1 - b0, n / kRowBlock);
    std::fill_n(same, std::min(kBatch, b1 - b0), parameter_ ? parameter_[row] : power_);
    for (int64_t b = 0; b < whole; b += kBatch)
      fold_rows(row * p_.n + (b0 + b) * kRowBlock, std::min(kBatch, whole - b), kRowBlock, same,
                out + b);
    if (whole < b1 - b0)
      fold_rows(row * p_.n + (b0 + whole) * kRowBlock, 1, n - whole * kRowBlock, same, out + whole);
  }
  void long_rows() const {
    const int64_t blocks = (p_.n + kRowBlock - 1) / kRowBlock;
    const bool many = p_.outer >= 64;                 // else the blocks are the tasks
    auto finish = [&](int64_t row, const A* parts) {  // in their order
      A a = parts[0];
      for (int64_t b = 1; b < blocks; ++b) a = join_(a, parts[b]);
      finish_(&a, row, 1);
    };
    if (many) {
      parallel_for(0, p_.outer, 1, [&](int64_t begin, int64_t end) {
        Workspace memory(size_t(blocks) * sizeof(A));
        for (int64_t row = begin; row < end; ++row) {
          row_blocks(row, 0, blocks, memory.as<A>());
          finish(row, memory.as<A>());
        }
      });
      return;
    }
    Workspace memory(size_t(p_.outer * blocks) * sizeof(A));
    A* parts = memory.as<A>();
    parallel_for(0, p_.outer * blocks, 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end;) {
        const int64_t row = i / blocks, b = i % blocks, count = std::min(end - i, blocks - b);
        row_blocks(row, b, b + count, parts + i);
        i += count;
      }
    });
    for (int64_t row = 0; row < p_.outer; ++row) finish(row, parts + row * blocks);
  }

  // A strip is strip_ columns, a block kColumnBlock rows of them.
  int64_t width(int64_t strip) const { return std::min(strip_, p_.inner - strip * strip_); }
  void column_block(int64_t outer, int64_t strip, int64_t b, A* out) const {
    const int64_t c = strip * strip_, r = b * kColumnBlock;
    fold_columns((outer * p_.n + r) * p_.inner + c, std::min(kColumnBlock, p_.n - r), width(strip),
                 parameter_ ? parameter_ + outer * p_.inner + c : same_, out);
  }
  void columns() {
    const int64_t blocks = (p_.n + kColumnBlock - 1) / kColumnBlock;
    auto count = [&] { return (p_.inner + strip_ - 1) / strip_; };
    // Few rows: narrower strips give every thread some. No column cares how wide its strip is.
    if (blocks < 8)
      while (strip_ > kNarrowest && p_.outer * count() < 8) strip_ /= 2;
    const int64_t strips = count();
    if (p_.outer * strips >= 8 || blocks < 8) {
      int64_t grain = std::max<int64_t>(1, 16384 / (p_.n * std::min(p_.inner, strip_)));
      parallel_for(0, p_.outer * strips, grain, [&](int64_t begin, int64_t end) {
        const int64_t room = std::min(p_.inner, strip_);
        alignas(64) char few[2 * kBatch * sizeof(A)];
        Workspace many(room > kBatch ? size_t(2 * room) * sizeof(A) : 0);
        A *total = room > kBatch ? many.as<A>() : reinterpret_cast<A*>(few), *part = total + room;
        for (int64_t task = begin; task < end; ++task) {
          const int64_t outer = task / strips, strip = task % strips, w = width(strip);
          column_block(outer, strip, 0, total);
          for (int64_t b = 1; b < blocks; ++b) {
            column_block(outer, strip, b, part);
            for (int64_t c = 0; c < w; ++c) total[c] = join_(total[c], part[c]);
          }
          finish_(total, outer * p_.inner + strip * strip_, w);
        }
      });
      return;
    }
    // Few columns, many rows: blocks of rows are the tasks, in the order of memory.
    Workspace partial(size_t(p_.outer * blocks * p_.inner) * sizeof(A));
    A* parts = partial.as<A>();
    parallel_for(
        0, p_.outer * blocks * strips, std::max<int64_t>(1, 4096 / p_.inner),
        [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            const int64_t strip = i % strips, b = i / strips % blocks, outer = i / strips / blocks;
            column_block(outer, strip, b, parts + (outer * blocks + b) * p_.inner + strip * strip_);
          }
        });
    for (int64_t outer = 0; outer < p_.outer; ++outer) {
      A* total = parts + outer * blocks * p_.inner;
      parallel_for(0, p_.inner, std::max<int64_t>(64, 16384 / blocks), [&](int64_t c0, int64_t c1) {
        for (int64_t b = 1; b < blocks; ++b)
          for (int64_t c = c0; c < c1; ++c) total[c] = join_(total[c], total[b * p_.inner + c]);
        finish_(total + c0, outer * p_.inner + c0, c1 - c0);
      });
    }
  }

  Fold fold_;
  const Plan& p_;
  Dtype folded_;
  A identity_;
  double power_;
  const double* parameter_;
  Join join_;
  Finish finish_;
  int64_t strip_ = kColumnsPerTask;
  double same_[kColumnsPerTask];  // the power, where every result has the same parameter
};
template <class A, class Join, class Finish>
void fold_plan(Fold fold, const Plan& p, A identity, double power, const double* parameter,
               Join join, Finish finish) {
  PlanFolder<A, Join, Finish>(fold, p, identity, power, parameter, join, finish).run();
}

template <class To, class From>
To narrow_to(From v) {
  if constexpr (std::is_same_v<From, c128>) {
    if constexpr (std::is_same_v<To, c64> || std::is_same_v<To, c128>)
      return To(typename To::value_type(v.real()), typename To::value_type(v.imag()));
    else
      return narrow_to<To>(v.real());
  } else if constexpr (std::is_same_v<To, c64> || std::is_same_v<To, c128>) {
    return To(typename To::value_type(v));
  } else if constexpr (std::is_same_v<To, f16> || std::is_same_v<To, bf16>) {
    return To(float(v));
  } else if constexpr (std::is_same_v<To, bool>) {
    return v != From(0);
  } else {
    return To(v);
  }
}

// Stores accumulators into out, which is contiguous as it was just allocated.
template <class A, class Map>
auto storing(const Tensor& out, Map map) {
  char* data = out.data();
  Dtype d = out.dtype();
  return [data, d, map](const A* a, int64_t first, int64_t count) {
    visit(d, [&]<class T>() {
      T* to = reinterpret_cast<T*>(data) + first;
      for (int64_t i = 0; i < count; ++i) to[i] = narrow_to<T>(map(a[i], first + i));
    });
  };
}

enum class Kind { real, integer, complex };
Kind kind_of(Dtype d) {
  return is_complex(d) ? Kind::complex : is_floating(d) ? Kind::real : Kind::integer;
}

// Integers are summed in their own type (the lanes are int64); everything else in the dtype of the
// result.
Dtype working_dtype(const Tensor& x, Dtype out) {
  Dtype in = x.dtype();
  if (in == out || (kind_of(in) == Kind::integer && kind_of(out) == Kind::integer)) return in;
  if (kind_of(in) == Kind::real && kind_of(out) == Kind::real && itemsize(in) >= itemsize(out))
    return in;
  return out;
}

// A contiguous real tensor reduced over dimensions before and after those that stay, as a batch norm's
// statistics or a convolution's bias are: first over the last ones, then over the others' sums.
struct Sides {
  int64_t before = 1, kept = 1, after = 1;
};
std::optional<Sides> two_sides(const Tensor& x, const Dims& dims) {
  const int64_t ndim = x.dim(), count = dims.size();
  int64_t lead = 0, trail = 0;
  while (lead < count && dims[lead] == lead) ++lead;
  while (trail < count - lead && dims[count - 1 - trail] == ndim - 1 - trail) ++trail;
  if (lead + trail < count || count == ndim || !x.is_contiguous()) return {};
  Sides s;
  for (int64_t d = 0; d < ndim; ++d)
    (d < lead ? s.before : d < ndim - trail ? s.kept : s.after) *= x.sizes()[d];
  if (s.before > 1 && s.kept > 1 && s.after > 1) return s;
  return {};
}

template <class Map>
void add_up(Fold fold, const Tensor& out, const Tensor& x, const Dims& dims, Map map) {
  Dtype dtype = working_dtype(x, out.dtype());
  bool product = fold == Fold::prod;
  auto join = [&](auto a, auto b) { return product ? a * b : a + b; };
  std::optional<Sides> sides;
  if (dtype == x.dtype() && kind_of(dtype) == Kind::real) sides = two_sides(x, dims);
  if (sides) {
    const int64_t rows = sides->before * sides->kept;
    Workspace memory(size_t(rows) * sizeof(double));
    double* parts = memory.as<double>();
    Plan lines, sums;
    lines.data = x.data();
    lines.dtype = dtype;
    lines.outer = rows;
    lines.n = sides->after;
    sums.data = memory.as<char>();
    sums.dtype = Dtype::f64;
    sums.n = sides->before;
    sums.inner = sides->kept;
    fold_plan(fold, lines, double(product), 0, nullptr, join,
              [parts](const double* a, int64_t first, int64_t count) {
                std::copy_n(a, count, parts + first);
              });
    return fold_plan(fold, sums, double(product), 0, nullptr, join, storing<double>(out, map));
  }
  Plan p = plan(x, dims, dtype);
  switch (kind_of(p.dtype)) {
    case Kind::real:
      return fold_plan(fold, p, double(product), 0, nullptr, join, storing<double>(out, map));
    case Kind::complex:
      return fold_plan(fold, p, c128(double(product)), 0, nullptr, join, storing<c128>(out, map));
    case Kind::integer:
      return fold_plan(
          fold, p, int64_t(product), 0, nullptr,
          [&](int64_t a, int64_t b) {
            return int64_t(product ? uint64_t(a) * uint64_t(b) : uint64_t(a) + uint64_t(b));
          },
          storing<int64_t>(out, map));
  }
}
constexpr auto as_is = [](auto a, int64_t) { return a; };

void sum_all_cpu(Results& out, const Tensor& x, Dtype) {
  add_up(Fold::sum, out[0], x, reduced_dims({}, x.dim()), as_is);
}
void sum_cpu(Results& out, const Tensor& x, OptInts dim, bool, Dtype) {
  add_up(Fold::sum, out[0], x, reduced_dims(dim, x.dim()), as_is);
}
void prod_all_cpu(Results& out, const Tensor& x, Dtype) {
  add_up(Fold::prod, out[0], x, reduced_dims({}, x.dim()), as_is);
}
void prod_cpu(Results& out, const Tensor& x, int64_t dim, bool, Dtype) {
  add_up(Fold::prod, out[0], x, reduced_dims(Ints{dim}, x.dim()), as_is);
}

void mean_of(Results& out, const Tensor& x, const Dims& dims) {
  double n = 1;
  for (int64_t d : dims) n *= x.dim() ? double(x.sizes()[d]) : 1.0;
  add_up(Fold::sum, out[0], x, dims, [n](auto a, int64_t) {
    if constexpr (std::is_same_v<decltype(a), int64_t>)
      return double(a) / n;
    else
      return a / n;
  });
}
void mean_all_cpu(Results& out, const Tensor& x, Dtype) {
  mean_of(out, x, reduced_dims({}, x.dim()));
}
void mean_cpu(Results& out, const Tensor& x, OptInts dim, bool, Dtype) {
  mean_of(out, x, reduced_dims(dim, x.dim()));
}

void extreme_of(bool max, Results& out, const Tensor& x, const Dims& dims) {
  Plan p = plan(x, dims, x.dtype());
  visit(x.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, c64> && !std::is_same_v<T, c128>) {
      using S = std::conditional_t<std::is_same_v<T, f16> || std::is_same_v<T, bf16>, float, T>;
      T* to = out[0].data_as<T>();
      auto join = [max](S a, S b) -> S {
        if (a != a) return a;
        if (b != b) return b;
        return max ? (b > a ? b : a) : (b < a ? b : a);
      };
      fold_plan(max ? Fold::max : Fold::min, p, S(), 0, nullptr, join,
                [to](const S* a, int64_t first, int64_t count) {
                  for (int64_t i = 0; i < count; ++i) to[first + i] = T(a[i]);
                });
    }
  });
}
void amax_cpu(Results& out, const Tensor& x, Ints dim, bool) {
  extreme_of(true, out, x, reduced_dims(dim, x.dim()));
}
void amin_cpu(Results& out, const Tensor& x, Ints dim, bool) {
  extreme_of(false, out, x, reduced_dims(dim, x.dim()));
}
void max_cpu(Results& out, const Tensor& x) { extreme_of(true, out, x, reduced_dims({}, x.dim())); }
void min_cpu(Results& out, const Tensor& x) {
  extreme_of(false, out, x, reduced_dims({}, x.dim()));
}

// values may be null. Positions count along the reduced dimensions in row-major order.
void find_extreme(bool max, const Tensor& x, const Dims& dims, char* values, int64_t* indices) {
  // Memory order is not index order: a dense input that is not row-major is copied.
  Plan p;
  if (dims.size() == x.dim() && !x.is_contiguous()) {
    int64_t from[2 * kMaxDims], to[2 * kMaxDims], step = 1;
    std::copy(x.sizes().begin(), x.sizes().end(), from);
    std::copy(x.strides().begin(), x.strides().end(), from + x.dim());
    for (int64_t i = x.dim() - 1; i >= 0; --i) {
      to[i] = x.sizes()[i];
      to[x.dim() + i] = step;
      step *= x.sizes()[i];
    }
    p.dtype = x.dtype();
    p.n = x.numel();
    p.copy = std::make_unique<Workspace>(size_t(x.nbytes()));
    p.data = p.copy->as<char>();
    TensorImpl a = shell(x.data(), x.dtype(), x.dim(), from),
               b = shell(p.copy->as<char>(), x.dtype(), x.dim(), to);
    convert(&b, &a);
  } else {
    p = plan(x, dims, x.dtype());
  }
  int64_t size = itemsize(p.dtype);
  if (p.outer * p.inner == 0) return;
  if (p.inner == 1) {
    parallel_for(0, p.outer, std::max<int64_t>(1, 8192 / std::max<int64_t>(p.n, 1)),
                 [&](int64_t begin, int64_t end) {
                   alignas(16) char value[16];
                   for (int64_t i = begin; i < end; ++i) {
                     indices[i] =
                         table().arg_row(max, p.dtype, p.data + i * p.n * size, p.n, value);
                     if (values) std::memcpy(values + i * size, value, size_t(size));
                   }
                 });
    return;
  }
  int64_t strips = (p.inner + kColumnsPerTask - 1) / kColumnsPerTask;
  parallel_for(0, p.outer * strips, 1, [&](int64_t begin, int64_t end) {
    alignas(64) char scratch[kColumnsPerTask * 16];
    for (int64_t task = begin; task < end; ++task) {
      int64_t outer = task / strips, c = task % strips * kColumnsPerTask, at = outer * p.inner + c;
      table().arg_columns(max, p.dtype, p.data + (outer * p.n * p.inner + c) * size, p.n,
                          std::min(kColumnsPerTask, p.inner - c), p.inner,
                          values ? values + at * size : scratch, indices + at);
    }
  });
}
void max_dim_cpu(Results& out, const Tensor& x, int64_t dim, bool) {
  find_extreme(true, x, reduced_dims(Ints{dim}, x.dim()), out[0].data(), out[1].data_as<int64_t>());
}
void min_dim_cpu(Results& out, const Tensor& x, int64_t dim, bool) {
  find_extreme(false, x, reduced_dims(Ints{dim}, x.dim()), out[0].data(),
               out[1].data_as<int64_t>());
}
Dims arg_dims(const Tensor& x, std::optional<int64_t> dim) {
  return dim ? reduced_dims(Ints{*dim}, x.dim()) : reduced_dims({}, x.dim());
}
void argmax_cpu(Results& out, const Tensor& x, std::optional<int64_t> dim, bool) {
  find_extreme(true, x, arg_dims(x, dim), nullptr, out[0].data_as<int64_t>());
}
void argmin_cpu(Results& out, const Tensor& x, std::optional<int64_t> dim, bool) {
  find_extreme(false, x, arg_dims(x, dim), nullptr, out[0].data_as<int64_t>());
}

void truth(Fold fold, Results& out, const Tensor& x, const Dims& dims) {
  Plan p = plan(x, dims, x.dtype());
  fold_plan(
      fold, p, int64_t(fold == Fold::all), 0, nullptr,
      [fold](int64_t a, int64_t b) {
        return fold == Fold::any ? (a | b) : fold == Fold::all ? (a & b) : a + b;
      },
      storing<int64_t>(out[0], as_is));
}
void any_cpu(Results& out, const Tensor& x) { truth(Fold::any, out, x, reduced_dims({}, x.dim())); }
void any_dim_cpu(Results& out, const Tensor& x, OptInts dim, bool) {
  truth(Fold::any, out, x, reduced_dims(dim, x.dim(), false));
}
void all_cpu(Results& out, const Tensor& x) { truth(Fold::all, out, x, reduced_dims({}, x.dim())); }
void all_dim_cpu(Results& out, const Tensor& x, OptInts dim, bool) {
  truth(Fold::all, out, x, reduced_dims(dim, x.dim(), false));
}
void count_nonzero_cpu(Results& out, const Tensor& x, OptInts dim) {
  truth(Fold::nonzero, out, x, reduced_dims(dim, x.dim()));
}

// Two passes: the mean, then the squared deviations from it.
void deviation(Results& out, const Tensor& x, OptInts dim, std::optional<Scalar> correction,
               bool root) {
  Dims dims = reduced_dims(dim, x.dim());
  Plan p = plan(x, dims, x.dtype());
  double n = double(p.n),
         denominator = std::max(0.0, n - (correction ? correction->to_double() : 1.0));
  // Real and imaginary parts are columns side by side, whose variances add up.
  const bool pairs = is_complex(p.dtype);
  if (pairs) {
    p.dtype = real_dtype(p.dtype);
    p.inner *= 2;
  }
  int64_t results = p.outer * p.inner;
  if (results == 0) return;
  Workspace means(size_t(results) * sizeof(double));
  double* mean = means.as<double>();
  auto join = [](double a, double b) { return a + b; };
  fold_plan(Fold::sum, p, 0.0, 0, nullptr, join,
            [mean, n](const double* a, int64_t first, int64_t count) {
              for (int64_t i = 0; i < count; ++i) mean[first + i] = a[i] / n;
            });
  auto store = storing<double>(out[0], [denominator, root](double a, int64_t) {
    double v = a / denominator;
    return root ? std::sqrt(v) : v;
  });
  if (!pairs) return fold_plan(Fold::square_deviation, p, 0.0, 0, mean, join, store);
  Workspace sums(size_t(results) * sizeof(double));
  double* sum = sums.as<double>();
  fold_plan(
      Fold::square_deviation, p, 0.0, 0, mean, join,
      [sum](const double* a, int64_t first, int64_t count) { std::copy_n(a, count, sum + first); });
  for (int64_t i = 0; i < results / 2; ++i) sum[i] = sum[2 * i] + sum[2 * i + 1];
  store(sum, 0, results / 2);
}
void var_cpu(Results& out, const Tensor& x, OptInts dim, std::optional<Scalar> c, bool) {
  deviation(out, x, dim, c, false);
}
void std_cpu(Results& out, const Tensor& x, OptInts dim, std::optional<Scalar> c, bool) {
  deviation(out, x, dim, c, true);
}

void norm_cpu(Results& out, const Tensor& x, Scalar ord, OptInts dim, bool, Dtype dtype) {
  Plan p = plan(x, reduced_dims(dim, x.dim()), dtype == Dtype::undefined ? x.dtype() : dtype);
  double power = ord.to_double();
  auto add = [](double a, double b) { return a + b; };
  if (power == 0) {
    fold_plan(
        Fold::nonzero, p, int64_t(0), 0, nullptr, [](int64_t a, int64_t b) { return a + b; },
        storing<int64_t>(out[0], as_is));
  } else if (power == 1) {
    fold_plan(Fold::sum_abs, p, 0.0, 0, nullptr, add, storing<double>(out[0], as_is));
  } else if (power == 2) {
    fold_plan(Fold::sum_squares, p, 0.0, 0, nullptr, add,
              storing<double>(out[0], [](double a, int64_t) { return std::sqrt(a); }));
  } else if (std::isinf(power)) {
    bool max = power > 0;
    auto join = [max](double a, double b) {
      if (a != a) return a;
      if (b != b) return b;
      return max ? std::max(a, b) : std::min(a, b);
    };
    fold_plan(max ? Fold::max_abs : Fold::min_abs, p, 0.0, 0, nullptr, join,
              storing<double>(out[0], as_is));
  } else {
    Workspace room(size_t(p.outer * p.inner) * sizeof(double) + 8);
    double* powers = room.as<double>();  // folds over columns take a parameter for each result
    std::fill_n(powers, p.outer * p.inner, power);
    fold_plan(
        Fold::sum_abs_pow, p, 0.0, power, powers, add,
        storing<double>(out[0], [power](double a, int64_t) { return std::pow(a, 1 / power); }));
  }
}

}  // namespace

KG_KERNEL(sum, cpu, sum_all_cpu)
KG_KERNEL(sum_dim, cpu, sum_cpu)
KG_KERNEL(mean, cpu, mean_all_cpu)
KG_KERNEL(mean_dim, cpu, mean_cpu)
KG_KERNEL(prod, cpu, prod_all_cpu)
KG_KERNEL(prod_dim, cpu, prod_cpu)
KG_KERNEL(amax, cpu, amax_cpu)
KG_KERNEL(amin, cpu, amin_cpu)
KG_KERNEL(max, cpu, max_cpu)
KG_KERNEL(min, cpu, min_cpu)
KG_KERNEL(max_dim, cpu, max_dim_cpu)
KG_KERNEL(min_dim, cpu, min_dim_cpu)
KG_KERNEL(argmax, cpu, argmax_cpu)
KG_KERNEL(argmin, cpu, argmin_cpu)
KG_KERNEL(any, cpu, any_cpu)
KG_KERNEL(any_dim, cpu, any_dim_cpu)
KG_KERNEL(all, cpu, all_cpu)
KG_KERNEL(all_dim, cpu, all_dim_cpu)
KG_KERNEL(count_nonzero, cpu, count_nonzero_cpu)
KG_KERNEL(var_correction, cpu, var_cpu)
KG_KERNEL(std_correction, cpu, std_cpu)
KG_KERNEL(vector_norm, cpu, norm_cpu)

}  // namespace kagari
