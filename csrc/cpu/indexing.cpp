// CPU kernels that choose elements by index or mask, and that write them.
//
// One loop serves them all: `Along` pairs an indexed tensor with another one whose element (row, k,
// column) belongs to the indexed tensor's element (row, index[row, k, column], column). Writes to
// one place happen in the order of k whatever the number of threads: work is split by row, by
// column, or by place, never by k.
#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/joining.h"
#include "cpu/stream.h"
#include "ops/indexing.h"

namespace kagari {

namespace {

Ints sizes_of(const TensorImpl* t) { return {t->sizes, t->ndim}; }
Ints strides_of(const TensorImpl* t) { return {t->strides(), t->ndim}; }
constexpr int64_t kGrain = 16384;

// ---- the loop -----------------------------------------------------------------------------------

struct Along {
  Dims rows, big_rows, other_rows, index_rows;  // sizes and strides of what is walked row by row
  int64_t n = 1, big_step = 1, other_step = 0, index_step = 1;  // along the index
  int64_t cols = 1, big_col = 0, other_col = 0, index_col = 0;  // innermost
  int64_t places = 0;                                           // how many values an index takes

  // A dimension outside the index, outermost first; merged with the one before where strides allow.
  void add_dim(int64_t size, int64_t big, int64_t other, int64_t index) {
    if (size == 1) return;
    int64_t last = rows.size() - 1;
    if (last >= 0 && big_rows[last] == big * size && other_rows[last] == other * size &&
        index_rows[last] == index * size) {
      rows[last] *= size;
      big_rows[last] = big;
      other_rows[last] = other;
      index_rows[last] = index;
      return;
    }
    rows.push_back(size);
    big_rows.push_back(big);
    other_rows.push_back(other);
    index_rows.push_back(index);
  }
  // The last dimension after the index becomes the column.
  void take_column(int64_t first_inner) {
    int64_t last = rows.size() - 1;
    if (last < first_inner) return;
    cols = rows[last];
    big_col = big_rows[last];
    other_col = other_rows[last];
    index_col = index_rows[last];
    rows.erase(last), big_rows.erase(last), other_rows.erase(last), index_rows.erase(last);
  }
  int64_t row_count() const {
    int64_t c = 1;
    for (int64_t s : rows) c *= s;
    return c;
  }
  void row(int64_t r, int64_t& big, int64_t& other, int64_t& index) const {
    big = other = index = 0;
    for (int64_t d = rows.size() - 1; d >= 0; --d) {
      int64_t at = r % rows[d];
      r /= rows[d];
      big += at * big_rows[d];
      other += at * other_rows[d];
      index += at * index_rows[d];
    }
  }
};

// The pair's second becomes its first. Whole rows may be written around the cache.
struct Load {
  bool stream = false;
  template <class T>
  void operator()(T& big, T& other) const {
    other = big;
  }
};

template <class T, class Op>
void run_cols(T* b, int64_t bs, T* o, int64_t os, int64_t n, const Op& op) {
  if (bs == 1 && os == 1) {
    if constexpr (std::is_same_v<Op, Load>)
      if (n * int64_t(sizeof(T)) >= 64) return store_bytes(o, b, n * int64_t(sizeof(T)), op.stream);
    for (int64_t j = 0; j < n; ++j) op(b[j], o[j]);
  } else if (bs == 1 && os == 0) {
    T v = *o;
    for (int64_t j = 0; j < n; ++j) op(b[j], v);
  } else {
    for (int64_t j = 0; j < n; ++j) op(b[j * bs], o[j * os]);
  }
}

// k from k0 to k1, columns from j0 to j1 of one row; only indices in [low, high).
template <class T, class Op>
void run_row(const Along& a, T* big, T* other, const int64_t* index, int64_t k0, int64_t k1,
             int64_t j0, int64_t j1, int64_t low, int64_t high, const Op& op) {
  bool all = low <= 0 && high >= a.places;
  if (a.index_col == 0 && a.cols > 1) {
    const int64_t bytes = a.big_col == 1 ? (j1 - j0) * int64_t(sizeof(T)) : 0;
    const int64_t ahead = rows_ahead(bytes);
    for (int64_t k = k0; k < k1; ++k) {
      int64_t i = index[k * a.index_step];
      if (all && k + ahead < k1)
        prefetch_row(big + index[(k + ahead) * a.index_step] * a.big_step + j0 * a.big_col, bytes);
      if (!all && (i < low || i >= high)) continue;
      run_cols(big + i * a.big_step + j0 * a.big_col, a.big_col,
               other + k * a.other_step + j0 * a.other_col, a.other_col, j1 - j0, op);
    }
    return;
  }
  if (a.cols == 1 && all) {
    const int64_t* at = index + k0 * a.index_step;
    T* o = other + k0 * a.other_step;
    int64_t n = k1 - k0, bs = a.big_step, os = a.other_step, is = a.index_step;
    if (bs == 1 && os == 1 && is == 1) {
      for (int64_t k = 0; k < n; ++k) op(big[at[k]], o[k]);
    } else {
      for (int64_t k = 0; k < n; ++k) op(big[at[k * is] * bs], o[k * os]);
    }
    return;
  }
  for (int64_t k = k0; k < k1; ++k) {
    for (int64_t j = j0; j < j1; ++j) {
      int64_t i = index[k * a.index_step + j * a.index_col];
      if (!all && (i < low || i >= high)) continue;
      op(big[i * a.big_step + j * a.big_col], other[k * a.other_step + j * a.other_col]);
    }
  }
}

// Reads of the indexed tensor: any split is the same.
template <class T, class Op>
void run_reads(const Along& a, T* big, T* other, const int64_t* index, const Op& op) {
  int64_t rows = a.row_count();
  parallel_for(0, rows * a.n, std::max<int64_t>(kGrain / std::max<int64_t>(a.cols, 1), 1),
               [&](int64_t begin, int64_t end) {
                 while (begin < end) {
                   int64_t r = begin / a.n, k0 = begin % a.n, k1 = std::min(a.n, k0 + end - begin),
                           b, o, i;
                   a.row(r, b, o, i);
                   run_row(a, big + b, other + o, index + i, k0, k1, 0, a.cols, 0, a.places, op);
                   begin += k1 - k0;
                 }
                 if constexpr (std::is_same_v<Op, Load>)
                   if (op.stream) stream_end();
               });
}

// Writes to the indexed tensor.
template <class T, class Op>
void run_writes(const Along& a, T* big, T* other, const int64_t* index, const Op& op) {
  int64_t rows = a.row_count(), work = rows * a.n * a.cols, threads = num_threads();
  int64_t pieces = rows >= threads ? 1 : std::min<int64_t>((a.cols + 15) / 16, threads);
  if (work < 2 * kGrain) pieces = 1;
  if (rows * pieces < threads && work >= 4 * kGrain && a.places > 4 * threads) {  // by place
    parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
      int64_t low = a.places * begin / threads, high = a.places * end / threads;
      for (int64_t r = 0; r < rows; ++r) {
        int64_t b, o, i;
        a.row(r, b, o, i);
        run_row(a, big + b, other + o, index + i, 0, a.n, 0, a.cols, low, high, op);
      }
    });
    return;
  }
  int64_t each = std::max<int64_t>(work / std::max<int64_t>(rows * pieces, 1), 1);
  parallel_for(0, rows * pieces, std::max<int64_t>(kGrain / each, 1),
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   int64_t b, o, i, piece = u % pieces;
                   a.row(u / pieces, b, o, i);
                   run_row(a, big + b, other + o, index + i, 0, a.n, a.cols * piece / pieces,
                           a.cols * (piece + 1) / pieces, 0, a.places, op);
                 }
               });
}

// ---- operations on a pair of elements -----------------------------------------------------------

template <class T>
inline constexpr bool kSmallFloat = std::is_same_v<T, f16> || std::is_same_v<T, bf16>;
template <class T>
inline constexpr bool kComplexType = std::is_same_v<T, c64> || std::is_same_v<T, c128>;

struct Store {
  template <class T>
  void operator()(T& big, T& other) const {
    big = other;
  }
};
struct Add {
  template <class T>
  void operator()(T& a, T& b) const {
    if constexpr (std::is_same_v<T, bool>)
      a = a || b;
    else if constexpr (kSmallFloat<T>)
      a = T(float(a) + float(b));
    else
      a = T(a + b);
  }
};
struct Multiply {
  template <class T>
  void operator()(T& a, T& b) const {
    if constexpr (std::is_same_v<T, bool>)
      a = a && b;
    else if constexpr (kSmallFloat<T>)
      a = T(float(a) * float(b));
    else
      a = T(a * b);
  }
};
template <bool greater>
struct Extreme {
  template <class T>
  void operator()(T& a, T& b) const {
    if constexpr (kComplexType<T>) {
      (void)a, (void)b;
    } else if constexpr (kSmallFloat<T>) {
      float x = a, y = b;
      if (y != y || (x == x && (greater ? y > x : y < x))) a = b;
    } else {
      if (b != b || (a == a && (greater ? b > a : b < a))) a = b;
    }
  }
};

template <class T>
T lowest() {
  if constexpr (kSmallFloat<T>)
    return T(-std::numeric_limits<float>::infinity());
  else if constexpr (std::is_floating_point_v<T>)
    return -std::numeric_limits<T>::infinity();
  else if constexpr (kComplexType<T>)
    return T(0);
  else
    return std::numeric_limits<T>::lowest();
}
template <class T>
T highest() {
  if constexpr (kSmallFloat<T>)
    return T(std::numeric_limits<float>::infinity());
  else if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::infinity();
  else if constexpr (kComplexType<T>)
    return T(0);
  else
    return std::numeric_limits<T>::max();
}

// ---- indices ------------------------------------------------------------------------------------

// Counts negative indices from the end and notes whether one lies outside; the caller says which
// one.
inline int64_t wrapped(int64_t v, int64_t size, bool wrap, uint64_t& bad) {
  if (wrap) v += (v >> 63) & size;
  // The sign bit of either: vectors compare such numbers slowly.
  bad |= (uint64_t(v) | (uint64_t(size) - 1 - uint64_t(v))) >> 63;
  return v;
}
[[noreturn]] void out_of_bounds(int64_t v, int64_t size, int64_t dim, bool index_error) {
  KG_CHECK_INDEX(!index_error, "index ", v, " is out of bounds for dimension ", dim, " with size ",
                 size);
  KG_FAIL(runtime, "index ", v, " is out of bounds for dimension ", dim, " with size ", size);
}

// An index tensor's elements in row-major order as int64: borrowed where they are that already.
class Int64s {
 public:
  explicit Int64s(const TensorImpl* t)
      : own_(t->dtype == Dtype::i64 && t->is(kContiguous)
                 ? 0
                 : size_t(std::max<int64_t>(t->numel, 1)) * 8) {
    data = reinterpret_cast<int64_t*>(t->data);
    if (!own_.as<char>()) return;
    data = own_.as<int64_t>();
    Dims dense = contiguous_strides(sizes_of(t));
    if (t->dtype == Dtype::i64) {
      move_elements(sizes_of(t), own_.as<char>(), dense, t->data, strides_of(t), 8);
      return;
    }
    Workspace packed(t->is(kContiguous) ? 0 : size_t(t->numel * itemsize(t->dtype)));
    const char* from = t->data;
    if (!t->is(kContiguous)) {
      move_elements(sizes_of(t), packed.as<char>(), dense, from, strides_of(t), itemsize(t->dtype));
      from = packed.as<char>();
    }
    convert_block(data, Dtype::i64, from, t->dtype, t->numel);
  }
  int64_t* data;
  bool owned() const { return const_cast<Int64s*>(this)->own_.as<char>() != nullptr; }

 private:
  Workspace own_;
};

// The same, checked before anything is written; wrap: negative values count from the end.
class Index {
 public:
  Index(const TensorImpl* t, int64_t size, bool wrap, int64_t dim, bool index_error)
      : values_(t),
        wrapped_(wrap && !values_.owned() ? size_t(std::max<int64_t>(t->numel, 1)) * 8 : 0) {
    strides = contiguous_strides(sizes_of(t));
    const int64_t* from = values_.data;
    int64_t* to = wrapped_.as<char>() ? wrapped_.as<int64_t>() : values_.data;
    parallel_for(0, t->numel, 1 << 16, [&](int64_t b, int64_t e) {
      uint64_t bad = 0;
      if (wrap) {
        for (int64_t i = b; i < e; ++i) to[i] = wrapped(from[i], size, true, bad);
      } else {
        for (int64_t i = b; i < e; ++i) wrapped(from[i], size, false, bad);
      }
      if (!bad) return;
      for (int64_t i = b; i < e; ++i) {
        bool fits = from[i] < size && from[i] >= (wrap && to != from ? -size : 0);
        if (!fits)
          out_of_bounds(from[i] < 0 && to == from && wrap ? from[i] - size : from[i], size, dim,
                        index_error);
      }
    });
    data = to;
  }
  int64_t* data;
  Dims strides;

 private:
  Int64s values_;
  Workspace wrapped_;
};

// x is indexed along dim by a tensor of the index's shape; `other` has that shape as well. Strides
// of a 0-d tensor count as one dimension of size one.
Along along(Ints x_sizes, Ints x_strides, int64_t dim, Ints index_sizes, Ints index_strides,
            Ints other_strides) {
  Along a;
  auto at = [](Ints v, int64_t d) { return d < v.n ? v[d] : 0; };
  a.n = index_sizes.n ? index_sizes[dim] : 1;
  a.places = x_sizes.n ? x_sizes[dim] : 1;
  a.big_step = x_sizes.n ? x_strides[dim] : 1;
  a.other_step = at(other_strides, dim);
  a.index_step = at(index_strides, dim);
  for (int64_t d = 0; d < dim; ++d)
    a.add_dim(index_sizes[d], at(x_strides, d), at(other_strides, d), at(index_strides, d));
  int64_t first_inner = a.rows.size();
  // the index stands between: dimensions after it must not merge with those before
  Along inner;
  for (int64_t d = dim + 1; d < index_sizes.n; ++d)
    inner.add_dim(index_sizes[d], at(x_strides, d), at(other_strides, d), at(index_strides, d));
  for (int64_t i = 0; i < inner.rows.size(); ++i) {
    a.rows.push_back(inner.rows[i]);
    a.big_rows.push_back(inner.big_rows[i]);
    a.other_rows.push_back(inner.other_rows[i]);
    a.index_rows.push_back(inner.index_rows[i]);
  }
  a.take_column(first_inner);
  return a;
}

Along along(const TensorImpl* x, int64_t dim, Ints index_sizes, Ints index_strides,
            Ints other_strides) {
  return along(sizes_of(x), strides_of(x), dim, index_sizes, index_strides, other_strides);
}

// The same for a 1-d index along dim of x: it is the same for all rows and columns.
Along along_list(Ints x_sizes, Ints x_strides, int64_t dim, int64_t n, Ints other_sizes,
                 Ints other_strides) {
  Dims sizes(other_sizes), index_strides(other_sizes.n, 0);
  if (other_sizes.n) {
    sizes[dim] = n;
    index_strides[dim] = 1;
  }
  return along(x_sizes, x_strides, dim, sizes, index_strides, other_strides);
}
Along along_list(const TensorImpl* x, int64_t dim, int64_t n, Ints other_sizes,
                 Ints other_strides) {
  return along_list(sizes_of(x), strides_of(x), dim, n, other_sizes, other_strides);
}

// ---- gather and scatter -------------------------------------------------------------------------

void gather_cpu(Results& out, const Tensor& input, int64_t dim, const Tensor& index, bool) {
  if (index.numel() == 0) return;
  dim = wrap_dim(dim, input.dim());
  Index idx(index.get(), input.dim() ? input.sizes()[dim] : 1, false, dim, false);
  Along a = along(input.get(), dim, index.sizes(), idx.strides, strides_of(out[0].get()));
  visit_size(input.dtype(), [&]<class T>() {
    run_reads(a, input.data_as<T>(), out[0].data_as<T>(), idx.data, Load());
  });
}

template <class F>
void scatter_with(TensorImpl* out, int64_t dim, const Tensor& index, Ints other_strides, F&& f) {
  if (index.numel() == 0) return;
  dim = wrap_dim(dim, out->ndim);
  Index idx(index.get(), out->ndim ? out->sizes[dim] : 1, false, dim, false);
  f(along(out, dim, index.sizes(), idx.strides, other_strides), idx.data);
}
// Of a source tensor (the sizes of whose corner are the index's).
template <class Op>
void scatter_source(TensorImpl* out, int64_t dim, const Tensor& index, const Tensor& src,
                    const Op& op) {
  scatter_with(out, dim, index, src.strides(), [&](const Along& a, const int64_t* idx) {
    if constexpr (std::is_same_v<Op, Store>) {
      visit_size(out->dtype, [&]<class T>() {
        run_writes(a, reinterpret_cast<T*>(out->data), src.data_as<T>(), idx, op);
      });
    } else {
      visit(out->dtype, [&]<class T>() {
        run_writes(a, reinterpret_cast<T*>(out->data), src.data_as<T>(), idx, op);
      });
    }
  });
}
template <class Op>
void scatter_number(TensorImpl* out, int64_t dim, const Tensor& index, const void* one,
                    const Op& op) {
  Dims none(index.dim(), 0);
  scatter_with(out, dim, index, none, [&](const Along& a, const int64_t* idx) {
    visit(out->dtype, [&]<class T>() {
      T v;
      std::memcpy(&v, one, sizeof(T));
      run_writes(a, reinterpret_cast<T*>(out->data), &v, idx, op);
    });
  });
}

void scatter_src_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                     const Tensor& src) {
  scatter_source(out[0].get(), dim, index, src, Store());
}
void scatter_add_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                     const Tensor& src) {
  scatter_source(out[0].get(), dim, index, src, Add());
}
void scatter_value_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                       Scalar value) {
  alignas(16) char one[16] = {};
  store_scalar(one, out[0].dtype(), value);
  scatter_number(out[0].get(), dim, index, one, Store());
}
void scatter_src_reduce_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                            const Tensor& src, std::string_view reduce) {
  if (reduce == "add")
    scatter_source(out[0].get(), dim, index, src, Add());
  else
    scatter_source(out[0].get(), dim, index, src, Multiply());
}
void scatter_value_reduce_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                              Scalar value, std::string_view reduce) {
  alignas(16) char one[16] = {};
  store_scalar(one, out[0].dtype(), value);
  if (reduce == "add")
    scatter_number(out[0].get(), dim, index, one, Add());
  else
    scatter_number(out[0].get(), dim, index, one, Multiply());
}

// What a place that does not count itself starts from.
template <class T>
T identity(std::string_view reduce) {
  if (reduce == "prod") return T(1);
  if (reduce == "amax") return lowest<T>();
  if (reduce == "amin") return highest<T>();
  return T(0);
}

// Divides each place by how many values it holds; places nothing was written to keep theirs.
template <class T>
void divide_by_counts(TensorImpl* out, const int64_t* counts, Ints count_strides) {
  int64_t rows = out->numel;
  parallel_for(0, rows, kGrain, [&](int64_t b, int64_t e) {
    for (int64_t i = b; i < e; ++i) {
      int64_t rest = i, at = 0, c = 0;
      for (int d = out->ndim - 1; d >= 0; --d) {
        int64_t k = rest % out->sizes[d];
        rest /= out->sizes[d];
        at += k * out->strides()[d];
        c += k * count_strides[d];
      }
      int64_t n = std::max<int64_t>(counts[c], 1);
      T& v = reinterpret_cast<T*>(out->data)[at];
      if constexpr (std::is_same_v<T, bool>)
        v = v;
      else if constexpr (kSmallFloat<T>)
        v = T(float(v) / float(n));
      else if constexpr (kComplexType<T>)
        v = v / typename T::value_type(n);
      else if constexpr (std::is_floating_point_v<T>)
        v = v / T(n);
      else if constexpr (std::is_signed_v<T>)
        v = T(int64_t(v) / n - (int64_t(v) % n != 0 && v < 0));
      else
        v = T(uint64_t(v) / uint64_t(n));
    }
  });
}

// a describes the pairing of out with src; `counted` the same with a tensor of counts in out's
// place.
void reduce_into(TensorImpl* out, const Along& a, const Along& counted, const Tensor& src,
                 const int64_t* idx, std::string_view reduce, bool include_self) {
  visit(out->dtype, [&]<class T>() {
    T* big = reinterpret_cast<T*>(out->data);
    if (!include_self) {
      T start = identity<T>(reduce);
      Along fresh = a;
      fresh.other_step = fresh.other_col = 0;
      for (int64_t& s : fresh.other_rows) s = 0;
      run_writes(fresh, big, &start, idx, Store());
    }
    if (reduce == "prod")
      run_writes(a, big, src.data_as<T>(), idx, Multiply());
    else if (reduce == "amax")
      run_writes(a, big, src.data_as<T>(), idx, Extreme<true>());
    else if (reduce == "amin")
      run_writes(a, big, src.data_as<T>(), idx, Extreme<false>());
    else
      run_writes(a, big, src.data_as<T>(), idx, Add());
    if (reduce != "mean") return;
    Workspace counts(size_t(out->numel) * 8);
    int64_t* c = counts.as<int64_t>();
    std::fill(c, c + out->numel, include_self ? 1 : 0);
    Along tally = counted;
    int64_t one = 1;
    tally.other_step = tally.other_col = 0;
    for (int64_t& s : tally.other_rows) s = 0;
    run_writes(tally, c, &one, idx, Add());
    divide_by_counts<T>(out, c, contiguous_strides(sizes_of(out)));
  });
}
void check_ordered(std::string_view reduce, Dtype d) {
  KG_CHECK_IMPLEMENTED(!is_complex(d) || (reduce != "amax" && reduce != "amin"), reduce,
                       " is not defined for ", d);
}

void scatter_reduce_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                        const Tensor& src, std::string_view reduce, bool include_self) {
  TensorImpl* o = out[0].get();
  reduce = reduce == "max" ? "amax" : reduce == "min" ? "amin" : reduce;
  check_ordered(reduce, o->dtype);
  if (index.numel() == 0) return;
  dim = wrap_dim(dim, o->ndim);
  Index idx(index.get(), o->ndim ? o->sizes[dim] : 1, false, dim, false);
  Dims dense = contiguous_strides(sizes_of(o));
  reduce_into(o, along(o, dim, index.sizes(), idx.strides, src.strides()),
              along(sizes_of(o), dense, dim, index.sizes(), idx.strides, src.strides()), src,
              idx.data, reduce, include_self);
}

// ---- a list of indices along one dimension ------------------------------------------------------

void index_select_cpu(Results& out, const Tensor& input, int64_t dim, const Tensor& index) {
  TensorImpl* o = out[0].get();
  dim = wrap_dim(dim, input.dim());
  int64_t size = input.dim() ? input.sizes()[dim] : 1;
  Index idx(index.get(), size, false, dim, true);
  if (o->numel == 0) return;
  Along a = along_list(input.get(), dim, index.numel(), sizes_of(o), strides_of(o));
  visit_size(input.dtype(), [&]<class T>() {
    const bool stream = o->is(kContiguous) && streams(o->data, o->numel * int64_t(sizeof(T)));
    run_reads(a, input.data_as<T>(), reinterpret_cast<T*>(o->data), idx.data, Load{stream});
  });
}

template <class F>
void list_source(TensorImpl* out, int64_t dim, const Tensor& index, const Tensor& source,
                 bool index_error, F&& f) {
  dim = wrap_dim(dim, out->ndim);
  Index idx(index.get(), out->ndim ? out->sizes[dim] : 1, false, dim, index_error);
  if (source.numel() == 0 || out->numel == 0) return;
  Ints sizes = source.sizes(), strides = source.strides();
  Dims one{1};
  if (source.dim() == 0 && out->ndim > 0) sizes = one, strides = one;
  if (out->ndim == 0) sizes = Ints{}, strides = Ints{};
  f(along_list(out, dim, index.numel(), sizes, strides), idx.data, dim);
}
void index_add_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                   const Tensor& source, Scalar alpha) {
  TensorImpl* o = out[0].get();
  if (o->ndim > 1 && o->numel == 0) return;  // no place is looked at, as in PyTorch
  // PyTorch's class of error, which there follows from the path that a call takes.
  dim = wrap_dim(dim, o->ndim);
  bool outer = o->ndim > 1 && (dim == 0 || dim == o->ndim - 1);
  bool index_error = !(outer && alpha.equals(1) && index.dtype() == Dtype::i64);
  list_source(o, dim, index, source, index_error, [&](const Along& a, const int64_t* idx, int64_t) {
    visit(o->dtype, [&]<class T>() {
      T* big = reinterpret_cast<T*>(o->data);
      if (alpha.equals(1)) return run_writes(a, big, source.data_as<T>(), idx, Add());
      T factor;
      store_scalar(&factor, o->dtype, alpha);
      run_writes(a, big, source.data_as<T>(), idx, [factor](T& x, T& y) {
        if constexpr (std::is_same_v<T, bool>)
          x = x || (factor && y);
        else if constexpr (kSmallFloat<T>)
          x = T(float(x) + float(factor) * float(y));
        else
          x = T(x + factor * y);
      });
    });
  });
}
void index_copy_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                    const Tensor& source) {
  TensorImpl* o = out[0].get();
  list_source(o, dim, index, source, true, [&](const Along& a, const int64_t* idx, int64_t) {
    visit_size(o->dtype, [&]<class T>() {
      run_writes(a, reinterpret_cast<T*>(o->data), source.data_as<T>(), idx, Store());
    });
  });
}
void index_fill_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index, Operand value) {
  TensorImpl* o = out[0].get();
  dim = wrap_dim(dim, o->ndim);
  Index idx(index.get(), o->ndim ? o->sizes[dim] : 1, true, dim, true);
  if (o->numel == 0 || index.numel() == 0) return;
  alignas(16) char one[16] = {};
  if (value.is_tensor())
    convert_block(one, o->dtype, value.v.t->data, value.v.t->dtype, 1);
  else
    store_scalar(one, o->dtype, value.scalar());
  Dims none(o->ndim, 0);
  Along a = along_list(o, dim, index.numel(), sizes_of(o), none);
  visit_size(o->dtype, [&]<class T>() {
    run_writes(a, reinterpret_cast<T*>(o->data), reinterpret_cast<T*>(one), idx.data, Store());
  });
}
void index_reduce_cpu(Results& out, const Tensor&, int64_t dim, const Tensor& index,
                      const Tensor& source, std::string_view reduce, bool include_self) {
  TensorImpl* o = out[0].get();
  check_ordered(reduce, o->dtype);
  Dims dense = contiguous_strides(sizes_of(o));
  list_source(o, dim, index, source, true, [&](const Along& a, const int64_t* idx, int64_t d) {
    reduce_into(o, a,
                along_list(sizes_of(o), dense, d, index.numel(), source.sizes(), source.strides()),
                source, idx, reduce, include_self);
  });
}

// ---- positions in the flattened tensor ----------------------------------------------------------

// Checked positions as element offsets.
void flat_offsets(const TensorImpl* x, const Tensor& index, int64_t* p) {
  const int64_t* from = p;
  if (index.is_contiguous())
    from = index.data_as<const int64_t>();
  else
    move_elements(index.sizes(), reinterpret_cast<char*>(p), contiguous_strides(index.sizes()),
                  index.data(), index.strides(), 8);
  const int64_t n = x->numel;
  parallel_for(0, index.numel(), 1 << 15, [&](int64_t b, int64_t e) {
    uint64_t bad = 0;
    for (int64_t k = b; k < e; ++k) p[k] = wrapped(from[k], n, true, bad);
    for (int64_t k = b; bad && k < e; ++k) {
      const int64_t v = from == p && p[k] < 0 ? p[k] - n : from[k];
      KG_CHECK_INDEX(p[k] >= 0 && p[k] < n, "out of range: tried to access index ", v,
                     " on a tensor of ", n, " elements.");
    }
    if (x->is(kContiguous)) return;
    for (int64_t k = b; k < e; ++k) {
      int64_t rest = p[k], at = 0;
      for (int d = x->ndim - 1; d >= 0; --d) {
        at += rest % x->sizes[d] * x->strides()[d];
        rest /= x->sizes[d];
      }
      p[k] = at;
    }
  });
}
// Element offsets index x's memory; `places` bounds them for the split by place.
Along along_offsets(int64_t n, int64_t places) {
  Along a;
  a.n = n;
  a.other_step = 1;
  a.places = places;
  return a;
}
int64_t extent(const TensorImpl* x) {
  int64_t last = 0;
  for (int d = 0; d < x->ndim; ++d) last += (x->sizes[d] - 1) * x->strides()[d];
  return last + 1;
}

void take_cpu(Results& out, const Tensor& input, const Tensor& index) {
  if (index.numel() == 0) return;
  Workspace offsets(size_t(index.numel()) * 8);
  flat_offsets(input.get(), index, offsets.as<int64_t>());
  Along a = along_offsets(index.numel(), extent(input.get()));
  visit_size(input.dtype(), [&]<class T>() {
    run_reads(a, input.data_as<T>(), out[0].data_as<T>(), offsets.as<int64_t>(), Load());
  });
}
void put_cpu(Results& out, const Tensor&, const Tensor& index, const Tensor& source,
             bool accumulate) {
  TensorImpl* o = out[0].get();
  if (index.numel() == 0) return;
  Workspace offsets(size_t(index.numel()) * 8);
  flat_offsets(o, index, offsets.as<int64_t>());
  Along a = along_offsets(index.numel(), extent(o));
  Workspace values(source.is_contiguous() ? 0 : size_t(source.nbytes()));
  char* from = source.data();
  if (!source.is_contiguous()) {
    from = values.as<char>();
    move_elements(source.sizes(), from, contiguous_strides(source.sizes()), source.data(),
                  source.strides(), source.itemsize());
  }
  if (accumulate) {
    visit(o->dtype, [&]<class T>() {
      run_writes(a, reinterpret_cast<T*>(o->data), reinterpret_cast<T*>(from),
                 offsets.as<int64_t>(), Add());
    });
  } else {
    visit_size(o->dtype, [&]<class T>() {
      run_writes(a, reinterpret_cast<T*>(o->data), reinterpret_cast<T*>(from),
                 offsets.as<int64_t>(), Store());
    });
  }
}

// ---- lists of indices and masks -----------------------------------------------------------------

// Positions where n elements are not zero, in order. Counted by fixed blocks, so that blocks can be
// filled in parallel.
class Positions {
 public:
  Positions(const TensorImpl* t) : numel_(t->numel) {
    int64_t size = itemsize(t->dtype);
    Workspace dense(t->is(kContiguous) ? 0 : size_t(t->numel * size));
    const char* data = t->data;
    if (!t->is(kContiguous)) {
      move_elements(sizes_of(t), dense.as<char>(), contiguous_strides(sizes_of(t)), data,
                    strides_of(t), size);
      data = dense.as<char>();
    }
    Workspace bytes(t->dtype == Dtype::boolean || t->dtype == Dtype::u8 ? 0 : size_t(t->numel));
    auto* truth = reinterpret_cast<const uint8_t*>(data);
    if (bytes.as<char>()) {
      auto* b = bytes.as<uint8_t>();
      truth = b;
      visit(t->dtype, [&]<class T>() {
        auto* x = reinterpret_cast<const T*>(data);
        parallel_for(0, numel_, kBlock, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            if constexpr (kSmallFloat<T>)
              b[i] = float(x[i]) != 0;
            else
              b[i] = x[i] != T(0);
          }
        });
      });
    }
    int64_t blocks = (numel_ + kBlock - 1) / kBlock;
    starts_.assign(size_t(blocks) + 1, 0);
    parallel_for(0, blocks, 16, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        uint32_t c = 0;
        int64_t last = std::min(numel_, (k + 1) * kBlock);
        for (int64_t i = k * kBlock; i < last; ++i) c += truth[i] != 0;
        starts_[size_t(k) + 1] = c;
      }
    });
    for (int64_t k = 0; k < blocks; ++k) starts_[size_t(k) + 1] += starts_[size_t(k)];
    at_ = std::make_unique<Workspace>(size_t(std::max<int64_t>(count(), 1)) * 8);
    parallel_for(0, blocks, 16, [&](int64_t begin, int64_t end) {
      int64_t found[kBlock + 1];  // written without branches, one place too far at the end
      for (int64_t k = begin; k < end; ++k) {
        int64_t n = 0, last = std::min(numel_, (k + 1) * kBlock);
        for (int64_t i = k * kBlock; i < last; ++i) {
          found[n] = i;
          n += truth[i] != 0;
        }
        std::memcpy(at_->as<int64_t>() + starts_[size_t(k)], found, size_t(n) * 8);
      }
    });
  }
  int64_t count() const { return starts_.back(); }
  const int64_t* data() const { return at_->as<int64_t>(); }

 private:
  static constexpr int64_t kBlock = 1 << 12;
  int64_t numel_;
  std::vector<int64_t> starts_;
  std::unique_ptr<Workspace> at_;
};

// What indexing x with a list comes to: for each element of the block an offset into x.
class Plan {
 public:
  IndexShape shape;
  int64_t count = 1;  // elements of the block
  int64_t* offsets = nullptr;

  Plan(const Tensor& x, TensorList indices) {
    std::vector<Positions> masks;
    Dims counts;
    for (int64_t i = 0; i < indices.n; ++i) {
      if (!indices.at(i) || !is_mask(indices.at(i))) continue;
      masks.emplace_back(indices.at(i));
      counts.push_back(masks.back().count());
    }
    shape = index_shape(x, indices, counts);
    for (int64_t s : shape.block) count *= s;
    if (count == 0) return;
    if (Dims all = shape.result(); checked_numel(all) == 0) {  // nothing is looked up
      for (int64_t i = 0, d = 0; i < indices.n; ++i) {
        const TensorImpl* t = indices.at(i);
        KG_CHECK_INDEX(!t || is_mask(t) || x.sizes()[d] > 0,
                       "index is out of bounds for dimension with size 0");
        d += t && is_mask(t) ? t->ndim : 1;
      }
      return;
    }
    room_ = std::make_unique<Workspace>(size_t(count) * 8);
    offsets = room_->as<int64_t>();
    int64_t dim = 0;
    size_t mask = 0;
    bool first = true;
    for (int64_t i = 0; i < indices.n; ++i) {
      const TensorImpl* t = indices.at(i);
      if (!t) {
        ++dim;
        continue;
      }
      if (is_mask(t)) {
        add_mask(x, masks[mask++], t->ndim, dim, first);
        dim += t->ndim;
      } else {
        add_index(x, t, dim++, first);
      }
      first = false;
    }
  }

 private:
  std::unique_ptr<Workspace> room_;

  // at(k) is index k's contribution; the first one finds the offsets uninitialised.
  template <class F>
  void add(bool first, const F& at) {
    parallel_for(0, count, kGrain, [&](int64_t b, int64_t e) {
      if (first) {
        for (int64_t k = b; k < e; ++k) offsets[k] = at(k);
      } else {
        for (int64_t k = b; k < e; ++k) offsets[k] += at(k);
      }
    });
  }
  void add_mask(const Tensor& x, const Positions& mask, int64_t ndim, int64_t dim, bool first) {
    int64_t columns = shape.block[shape.block.size() - 1];
    bool one = mask.count() != columns;  // one position for all
    const int64_t* positions = mask.data();
    if (ndim == 1 && columns == count && !one) {
      int64_t stride = x.strides()[dim];
      return add(first, [=](int64_t k) { return positions[k] * stride; });
    }
    Ints sizes = x.sizes(), strides = x.strides();
    bool flat = true;  // the masked dimensions are walked by one stride
    for (int64_t d = dim; d + 1 < dim + ndim; ++d)
      flat = flat && strides[d] == strides[d + 1] * sizes[d + 1];
    if (flat) {
      int64_t stride = strides[dim + ndim - 1];
      return add(first, [=](int64_t k) { return positions[one ? 0 : k % columns] * stride; });
    }
    add(first, [&](int64_t k) {
      int64_t rest = positions[one ? 0 : k % columns], at = 0;
      for (int64_t d = dim + ndim - 1; d >= dim; --d) {
        at += rest % sizes[d] * strides[d];
        rest /= sizes[d];
      }
      return at;
    });
  }
  void add_index(const Tensor& x, const TensorImpl* t, int64_t dim, bool first) {
    int64_t stride = x.strides()[dim], size = x.sizes()[dim];
    if (t->numel == count) {  // in the block's own order
      Int64s values(t);
      const int64_t* v = values.data;
      parallel_for(0, count, kGrain, [&](int64_t b, int64_t e) {
        uint64_t bad = 0;
        if (first) {
          for (int64_t k = b; k < e; ++k) offsets[k] = wrapped(v[k], size, true, bad) * stride;
        } else {
          for (int64_t k = b; k < e; ++k) offsets[k] += wrapped(v[k], size, true, bad) * stride;
        }
        if (!bad) return;
        for (int64_t k = b; k < e; ++k)
          if (v[k] < -size || v[k] >= size) out_of_bounds(v[k], size, dim, true);
      });
      return;
    }
    Index idx(t, size, true, dim, true);
    int64_t lead = shape.block.size() - t->ndim;
    add(first, [&](int64_t k) {
      int64_t rest = k, at = 0;
      for (int64_t d = shape.block.size() - 1; d >= lead; --d) {
        int64_t c = rest % shape.block[d];
        rest /= shape.block[d];
        if (t->sizes[d - lead] != 1) at += c * idx.strides[d - lead];
      }
      return idx.data[at] * stride;
    });
  }
};

// Pairs x with a tensor of the result's shape, whose block is dense.
Along along_plan(const TensorImpl* x, const Plan& plan, Ints pre_strides, int64_t block_stride,
                 Ints post_strides) {
  Along a;
  const IndexShape& s = plan.shape;
  for (int64_t i = 0; i < s.pre.size(); ++i)
    a.add_dim(s.pre[i], x->strides()[s.pre_dims[i]], pre_strides[i], 0);
  int64_t first_inner = a.rows.size();
  Along inner;
  for (int64_t i = 0; i < s.post.size(); ++i)
    inner.add_dim(s.post[i], x->strides()[s.post_dims[i]], post_strides[i], 0);
  for (int64_t i = 0; i < inner.rows.size(); ++i) {
    a.rows.push_back(inner.rows[i]);
    a.big_rows.push_back(inner.big_rows[i]);
    a.other_rows.push_back(inner.other_rows[i]);
    a.index_rows.push_back(0);
  }
  a.take_column(first_inner);
  a.n = plan.count;
  a.other_step = block_stride;
  a.places = extent(x);
  return a;
}
Along along_result(const TensorImpl* x, const Plan& plan, Ints strides) {
  int64_t pre = plan.shape.pre.size(), block = plan.shape.block.size();
  return along_plan(x, plan, {strides.p, pre}, block ? strides[pre + block - 1] : 0,
                    {strides.p + pre + block, strides.n - pre - block});
}

void index_cpu(Results& out, const Tensor& input, TensorList indices) {
  Plan plan(input, indices);
  if (out.size() == 0) out.add(kagari::empty(plan.shape.result(), input.dtype(), input.device()));
  TensorImpl* o = out[0].get();
  if (o->numel == 0) return;
  Along a = along_result(input.get(), plan, contiguous_strides(sizes_of(o)));
  visit_size(input.dtype(), [&]<class T>() {
    run_reads(a, input.data_as<T>(), reinterpret_cast<T*>(o->data), plan.offsets, Load());
  });
}

void index_put_cpu(Results& out, const Tensor&, TensorList indices, const Tensor& values,
                   bool accumulate) {
  const Tensor& x = out[0];
  Plan plan(x, indices);
  Dims result = plan.shape.result();
  int64_t n = 1;
  for (int64_t s : result) n *= s;
  bool fits = values.dim() <= result.size();
  for (int64_t i = 0; fits && i < values.dim(); ++i) {
    int64_t a = values.sizes()[values.dim() - 1 - i];
    fits = a == 1 || a == result[result.size() - 1 - i];
  }
  KG_CHECK(fits, "shape mismatch: value tensor of shape ", values.sizes(),
           " cannot be broadcast to indexing result of shape ", Ints(result));
  if (n == 0) return;
  // One value for all needs no room; else the values are laid out like the result.
  Dims strides(result.size(), 0);
  Workspace own(values.numel() == 1 || (values.is_contiguous() && values.numel() == n)
                    ? 0
                    : size_t(n * values.itemsize()));
  char* from = values.data();
  if (values.numel() != 1) strides = contiguous_strides(result);
  if (own.as<char>()) {
    Dims spread(result.size(), 0);
    for (int64_t i = 0; i < values.dim(); ++i)
      if (values.sizes()[i] != 1) spread[result.size() - values.dim() + i] = values.strides()[i];
    from = own.as<char>();
    move_elements(result, from, strides, values.data(), spread, values.itemsize());
  }
  Along a = along_result(x.get(), plan, strides);
  if (accumulate) {
    visit(x.dtype(), [&]<class T>() {
      run_writes(a, x.data_as<T>(), reinterpret_cast<T*>(from), plan.offsets, Add());
    });
  } else {
    visit_size(x.dtype(), [&]<class T>() {
      run_writes(a, x.data_as<T>(), reinterpret_cast<T*>(from), plan.offsets, Store());
    });
  }
}

// A column per dimension, each contiguous: indexing takes them apart.
void nonzero_cpu(Results& out, const Tensor& input) {
  Positions p(input.get());
  int64_t n = p.count(), dims = input.dim();
  out.add(
      empty_strided(Ints{n, dims}, Ints{1, std::max<int64_t>(n, 1)}, Dtype::i64, input.device()));
  int64_t* to = out[0].data_as<int64_t>();
  Ints sizes = input.sizes();
  parallel_for(0, n, kGrain, [&](int64_t b, int64_t e) {
    for (int64_t k = b; k < e; ++k) {
      int64_t rest = p.data()[k];
      for (int64_t d = dims - 1; d > 0; --d) {
        int64_t q = rest / sizes[d];
        to[d * n + k] = rest - q * sizes[d];
        rest = q;
      }
      if (dims) to[k] = rest;
    }
  });
}

// ---- masks --------------------------------------------------------------------------------------

// A tensor's elements laid out for given sizes: borrowed where they already are, else an expanded
// copy.
class Laid {
 public:
  Laid(const TensorImpl* t, Ints sizes) : own_(fits(t, sizes) ? 0 : bytes(t, sizes)) {
    data = t->data;
    if (!own_.as<char>()) return;
    Dims spread(sizes.n, 0);
    for (int d = 0; d < t->ndim; ++d)
      if (t->sizes[d] != 1) spread[sizes.n - t->ndim + d] = t->strides()[d];
    data = own_.as<char>();
    move_elements(sizes, data, contiguous_strides(sizes), t->data, spread, itemsize(t->dtype));
  }
  char* data;

 private:
  static bool fits(const TensorImpl* t, Ints sizes) {
    return t->is(kContiguous) && sizes_of(t) == sizes;
  }
  static size_t bytes(const TensorImpl* t, Ints sizes) {
    return size_t(checked_numel(sizes) * itemsize(t->dtype));
  }
  Workspace own_;
};

// The target of a write, laid out densely; what was written goes back when it was not.
template <class F>
void on_dense(TensorImpl* t, F&& f) {
  if (t->is(kContiguous)) return f(t->data);
  int64_t size = itemsize(t->dtype);
  Dims dense = contiguous_strides(sizes_of(t));
  Workspace own(size_t(t->numel * size));
  move_elements(sizes_of(t), own.as<char>(), dense, t->data, strides_of(t), size);
  f(own.as<char>());
  move_elements(sizes_of(t), t->data, strides_of(t), own.as<char>(), dense, size);
}

void masked_fill_cpu(Results& out, const Tensor&, const Tensor& mask, Operand value) {
  TensorImpl* o = out[0].get();
  if (o->numel == 0) return;
  Laid m(mask.get(), sizes_of(o));
  alignas(16) char one[16] = {};
  if (value.is_tensor())
    convert_block(one, o->dtype, value.v.t->data, value.v.t->dtype, 1);
  else
    store_scalar(one, o->dtype, value.scalar());
  auto* truth = reinterpret_cast<const uint8_t*>(m.data);
  on_dense(o, [&](char* data) {
    visit_size(o->dtype, [&]<class T>() {
      T v, *x = reinterpret_cast<T*>(data);
      std::memcpy(&v, one, sizeof(T));
      parallel_for(0, o->numel, kGrain * 2, [&](int64_t b, int64_t e) {
        if constexpr (std::is_same_v<T, Bytes16>) {
          for (int64_t i = b; i < e; ++i)
            if (truth[i]) x[i] = v;
        } else {  // by bits: branches on a random mask would cost more than the memory
          for (int64_t i = b; i < e; ++i) {
            T m = T(0) - T(truth[i] != 0);
            x[i] = T((x[i] & T(~m)) | (v & m));
          }
        }
      });
    });
  });
}

void masked_select_cpu(Results& out, const Tensor& input, const Tensor& mask) {
  Dims sizes = broadcast_shapes(input.sizes(), mask.sizes());
  if (checked_numel(sizes) == 0) {
    out.add(kagari::empty(Ints{0}, input.dtype(), input.device()));
    return;
  }
  Laid m(mask.get(), sizes), x(input.get(), sizes);
  Tensor truth = kagari::alias(mask, mask.sizes(), mask.strides(), mask.offset());
  impl::set_sizes(truth.get(), sizes);
  truth->data = m.data;
  Positions p(truth.get());
  out.add(kagari::empty(Ints{p.count()}, input.dtype(), input.device()));
  Along a = along_offsets(p.count(), checked_numel(sizes));
  visit_size(input.dtype(), [&]<class T>() {
    run_reads(a, reinterpret_cast<T*>(x.data), out[0].data_as<T>(), p.data(), Load());
  });
}

void masked_scatter_cpu(Results& out, const Tensor&, const Tensor& mask, const Tensor& source) {
  TensorImpl* o = out[0].get();
  if (o->numel == 0) return;
  Laid m(mask.get(), sizes_of(o)), s(source.get(), source.sizes());
  auto* truth = reinterpret_cast<const uint8_t*>(m.data);
  int64_t ones = 0;
  for (int64_t i = 0; i < o->numel; ++i) ones += truth[i] != 0;
  KG_CHECK(ones <= source.numel(),
           "Number of elements of source < number of ones in mask: ", source.numel(), " < ", ones);
  on_dense(o, [&](char* data) {
    visit_size(o->dtype, [&]<class T>() {
      T* x = reinterpret_cast<T*>(data);
      auto* from = reinterpret_cast<const T*>(s.data);
      for (int64_t i = 0; i < o->numel; ++i)
        if (truth[i]) x[i] = *from++;
    });
  });
}

void repeat_index_cpu(Results& out, const Tensor& repeats, std::optional<int64_t> output_size) {
  int64_t n = repeats.numel(), total = 0;
  std::vector<int64_t> counts(static_cast<size_t>(n));
  Laid laid(repeats.get(), repeats.sizes());
  convert_block(counts.data(), Dtype::i64, laid.data, repeats.dtype(), n);
  for (int64_t c : counts) {
    KG_CHECK(c >= 0, "repeats can not be negative");
    total += c;
  }
  KG_CHECK(!output_size || *output_size == total,
           "allocated size does not match required size: expected ", total, ", got ",
           output_size.value_or(total));
  out.add(kagari::empty(Ints{total}, Dtype::i64, repeats.device()));
  int64_t* to = out[0].data_as<int64_t>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < counts[size_t(i)]; ++k) *to++ = i;
}

}  // namespace

KG_KERNEL(index, cpu, index_cpu)
KG_KERNEL(index_put, cpu, index_put_cpu)
KG_KERNEL(nonzero, cpu, nonzero_cpu)
KG_KERNEL(argwhere, cpu, nonzero_cpu)
KG_KERNEL(masked_fill, cpu, masked_fill_cpu)
KG_KERNEL(masked_select, cpu, masked_select_cpu)
KG_KERNEL(masked_scatter, cpu, masked_scatter_cpu)
KG_KERNEL(gather, cpu, gather_cpu)
KG_KERNEL(scatter_src, cpu, scatter_src_cpu)
KG_KERNEL(scatter_value, cpu, scatter_value_cpu)
KG_KERNEL(scatter_src_reduce, cpu, scatter_src_reduce_cpu)
KG_KERNEL(scatter_value_reduce, cpu, scatter_value_reduce_cpu)
KG_KERNEL(scatter_add, cpu, scatter_add_cpu)
KG_KERNEL(scatter_reduce, cpu, scatter_reduce_cpu)
KG_KERNEL(index_select, cpu, index_select_cpu)
KG_KERNEL(index_add, cpu, index_add_cpu)
KG_KERNEL(index_copy, cpu, index_copy_cpu)
KG_KERNEL(index_fill, cpu, index_fill_cpu)
KG_KERNEL(index_reduce, cpu, index_reduce_cpu)
KG_KERNEL(take, cpu, take_cpu)
KG_KERNEL(put, cpu, put_cpu)
KG_KERNEL(repeat_interleave_index, cpu, repeat_index_cpu)

}  // namespace kagari
