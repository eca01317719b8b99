// Attention on the CPU, in tiles of queries by keys that stay in the cache.
//
// A query's row sees the blocks of keys in ascending order, whose bounds depend on nothing, and each
// element of a product is a chain over the block's depth: neither the rows beside it, nor the batch,
// nor the number of threads takes part in its bits. Keys that causality hides add exact zeros, so
// that whole blocks of them are left out. Gradients of keys add blocks of queries in ascending
// order, head after head where heads share keys.
#include "ops/attention.h"

#include <algorithm>
#include <limits>

#include "core/parallel.h"
#include "core/tensor.h"
#include "cpu/attention_table.h"
#include "cpu/provider/kernels.h"
#include "cpu/rows.h"
#include "cpu/stream.h"

namespace kagari {
namespace {

template <class T>
const AttentionLoops<T>& loops() {
  static const AttentionTable& t = KG_PICK(attention_table);
  if constexpr (std::is_same_v<T, float>)
    return t.f32;
  else
    return t.f64;
}

constexpr int64_t kQueries = 48;         // of a forward tile: whole micro kernels of 6 or 12 rows
constexpr int64_t kChunk = 192;          // queries that share the packed keys
constexpr int64_t kWideChunk = 768;      // likewise where heads alone occupy the threads
constexpr int64_t kKeys = 96;            // of any tile
constexpr int64_t kBackQueries = 96;     // of a backward tile
constexpr int64_t kKeptBytes = 1 << 20;  // of packed queries and gradients that wait for more keys
constexpr double kSerialWork = 1 << 17;  // multiplications below which a second thread costs more

int64_t up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }
int64_t parts(int64_t x, int64_t of) { return (x + of - 1) / of; }

// Products of matrices in the cache. B is packed into panels, rows of C take whole vectors.
template <class T>
struct Products {
  const provider::Kernels& k =
      provider::kernels_of(std::is_same_v<T, float> ? provider::Kind::f32 : provider::Kind::f64);
  int64_t width = 2 * k.vector;

  int64_t pitch(int64_t depth) const { return depth * width + 128 / int64_t(sizeof(T)); }
  int64_t packed(int64_t depth, int64_t n) const { return parts(n, width) * pitch(depth); }
  int64_t row(int64_t n) const { return up(n, width); }
  // Element (p, j) of B lies at p * row + j * col.
  void pack(const T* b, int64_t row, int64_t col, int64_t depth, int64_t n, T* to) const {
    k.pack_b(b, row, col, depth, n, pitch(depth) * int64_t(sizeof(T)), to);
  }
  // C (m, n) = or += A (m, depth) times rows [from, from + depth) of a packed B.
  struct Packed {
    const T* data;
    int64_t depth, from = 0;
  };
  void run(int64_t m, int64_t n, int64_t depth, const T* a, int64_t a_row, int64_t a_col,
           const Packed& packed, T* c, int64_t c_row, bool add) const {
    const T* b = packed.data;
    for (int64_t j = 0; j < n; j += width, b += pitch(packed.depth)) {
      int vectors = n - j <= k.vector ? 1 : 2;
      int64_t w = vectors * k.vector;
      for (int64_t i = 0; i < m; i += k.rows) {
        int64_t rows = std::min<int64_t>(k.rows, m - i);
        k.micro[vectors - 1][rows - 1](depth, a + i * a_row, a_row, a_col, b + packed.from * w, w,
                                       c + i * c_row + j, c_row, w, add);
      }
    }
  }
};

// A (B, H, N, D) operand: its head as a matrix.
template <class T>
struct Heads {
  T* data = nullptr;
  int64_t batch = 0, head = 0, row = 0, col = 0;
  Heads() = default;
  explicit Heads(const Tensor& t) {
    if (!t.defined() || t.dim() != 4) return;
    data = t.data_as<T>();
    batch = t.strides()[0], head = t.strides()[1], row = t.strides()[2], col = t.strides()[3];
  }
  T* at(int64_t b, int64_t h, int64_t i = 0) const { return data + b * batch + h * head + i * row; }
  // Heads side by side leave a row's pieces far apart: what a head needs is asked for in advance.
  void ask(int64_t b, int64_t h, int64_t from, int64_t to, int64_t n) const {
    if (col != 1) return;
    for (int64_t i = from; i < to; ++i) prefetch_row(at(b, h, i), n * int64_t(sizeof(T)));
  }
};

template <class T>
struct Shapes {
  int64_t batch, heads, shared, queries, keys, depth, values;
  T scale;
  bool causal;
  Heads<T> q, k, v, mask;
  Products<T> products;

  Shapes(const Tensor& q_, const Tensor& k_, const Tensor& v_, const Tensor& mask_, double s,
         bool c)
      : scale(T(s)), causal(c), q(q_), k(k_), v(v_), mask(mask_) {
    batch = q_.sizes()[0], heads = q_.sizes()[1], queries = q_.sizes()[2], depth = q_.sizes()[3];
    shared = k_.sizes()[1], keys = k_.sizes()[2], values = v_.sizes()[3];
  }
  int64_t group() const { return heads / shared; }
  double work() const {
    return double(batch) * double(heads) * double(queries) * double(keys) * double(depth + values);
  }
  ScoreTile<T> tile(T* scores, int64_t b, int64_t h, int64_t i, int64_t rows, int64_t j,
                    int64_t n) const {
    const T* m = mask.data ? mask.at(b, h, i) + j : nullptr;
    return {scores, products.row(kKeys), rows, n, scale, m, mask.row, causal ? i + 1 - j : n};
  }
  // Of n keys from j on, those that the queries before `end` see, in whole panels: the products
  // leave the others out.
  int64_t seen(int64_t j, int64_t n, int64_t end) const {
    return causal ? std::min(n, up(end - j, products.width)) : n;
  }
  // Keys from j on that the queries before `end` see, of one block.
  int64_t block(int64_t j, int64_t end) const { return seen(j, std::min(kKeys, keys - j), end); }
};

int64_t grain_of(double work, int64_t tasks) {
  return std::max<int64_t>(1, int64_t(kSerialWork / (work / double(tasks) + 1)));
}

// Parts of one workspace, each on a cache line of its own.
template <class T>
class Rooms {
 public:
  template <int n>
  explicit Rooms(const int64_t (&sizes)[n]) : all_(bytes(sizes)) {}
  T* next(int64_t n) {
    T* p = all_.as<T>() + at_;
    at_ += up(n, 64);
    return p;
  }

 private:
  template <int n>
  static size_t bytes(const int64_t (&sizes)[n]) {
    int64_t sum = 0;
    for (int64_t size : sizes) sum += up(size, 64);
    return size_t(sum) * sizeof(T);
  }
  Workspace all_;
  int64_t at_ = 0;
};

// ---- forward ------------------------------------------------------------------------------------

template <class T>
class Forward {
 public:
  Forward(const Shapes<T>& s, const Tensor& out, const Tensor& lse, int64_t chunk)
      : s_(s),
        out_(out),
        lse_(lse.data_as<T>()),
        block_(std::min(kKeys, s.keys)),
        sizes_{s.products.packed(s.depth, block_),
               s.products.packed(block_, s.values),
               std::min(kQueries, chunk) * s.products.row(kKeys),
               chunk * s.products.row(s.values),
               chunk,
               chunk},
        rooms_(sizes_) {
    T** at[6] = {&keys_, &values_, &scores_, &sums_, &top_, &total_};
    for (int i = 0; i < 6; ++i) *at[i] = rooms_.next(sizes_[i]);
  }

  // Queries [first, first + rows) of one head.
  void run(int64_t b, int64_t h, int64_t first, int64_t rows) {
    int64_t pitch = s_.products.row(s_.values);
    std::fill_n(sums_, rows * pitch, T(0));
    std::fill_n(top_, rows, -std::numeric_limits<T>::infinity());
    std::fill_n(total_, rows, T(0));
    ask_keys(b, h, 0);
    s_.q.ask(b, h, first, first + std::min(rows, kQueries), s_.depth);
    for (int64_t j = 0; j < s_.keys; j += kKeys) {
      int64_t n = s_.block(j, first + rows);
      if (n <= 0) break;
      keys_of_block(b, h, first, rows, j, n);
    }
    for (int64_t i = 0; i < rows; ++i)
      loops<T>().finish(sums_ + i * pitch, total_[i], out_.at(b, h, first + i), s_.values);
    loops<T>().log_sums(top_, total_, lse_ + (b * s_.heads + h) * s_.queries + first, rows);
  }

 private:
  void ask_keys(int64_t b, int64_t h, int64_t j) {
    int64_t end = std::min(s_.keys, j + kKeys), shared = h / s_.group();
    s_.k.ask(b, shared, j, end, s_.depth);
    s_.v.ask(b, shared, j, end, s_.values);
  }
  void keys_of_block(int64_t b, int64_t h, int64_t first, int64_t rows, int64_t j, int64_t n) {
    const auto& p = s_.products;
    int64_t shared = h / s_.group(), pitch = p.row(s_.values);
    p.pack(s_.k.at(b, shared, j), s_.k.col, s_.k.row, s_.depth, n, keys_);
    p.pack(s_.v.at(b, shared, j), s_.v.row, s_.v.col, n, s_.values, values_);
    ask_keys(b, h, j + kKeys);
    int64_t start = s_.causal ? std::max<int64_t>(0, j - first) : 0;
    for (int64_t i = start; i < rows; i += kQueries) {
      int64_t m = std::min(kQueries, rows - i), seen = s_.seen(j, n, first + i + m);
      s_.q.ask(b, h, first + i + m, first + std::min(rows, i + m + kQueries), s_.depth);
      ScoreTile<T> tile = s_.tile(scores_, b, h, first + i, m, j, seen);
      p.run(m, seen, s_.depth, s_.q.at(b, h, first + i), s_.q.row, s_.q.col, {keys_, s_.depth},
            scores_, tile.pitch, false);
      loops<T>().weigh(tile, top_ + i, total_ + i, sums_ + i * pitch, pitch, pitch);
      p.run(m, s_.values, seen, scores_, tile.pitch, 1, {values_, n}, sums_ + i * pitch, pitch,
            true);
    }
  }

  const Shapes<T>& s_;
  Heads<T> out_;
  T* lse_;
  int64_t block_, sizes_[6];
  Rooms<T> rooms_;
  T *keys_, *values_, *scores_, *sums_, *top_, *total_;
};

template <class T>
void forward(Results& out, const Shapes<T>& s) {
  // Longer chunks pack the keys less often, more of them occupy more threads.
  int64_t heads = s.batch * s.heads;
  int64_t wide = kWideChunk * 64 / up(s.values, 64) / kQueries * kQueries;
  int64_t chunk = std::min(heads >= 4 * num_threads() ? std::max(kChunk, wide) : kChunk, s.queries);
  if (chunk == 0) return;
  int64_t chunks = parts(s.queries, chunk), tasks = heads * chunks;
  parallel_for(0, tasks, grain_of(s.work(), tasks), [&](int64_t begin, int64_t end) {
    Forward<T> f(s, out[0], out[1], chunk);
    for (int64_t task = begin; task < end; ++task) {
      int64_t head = task / chunks, first = task % chunks * chunk;
      f.run(head / s.heads, head % s.heads, first, std::min(chunk, s.queries - first));
    }
  });
}

void attention_cpu(Results& out, const Tensor& q, const Tensor& k, const Tensor& v,
                   const Tensor& mask, double scale, bool causal) {
  visit_row_type(q.dtype(),
                 [&]<class T>() { forward<T>(out, Shapes<T>(q, k, v, mask, scale, causal)); });
}

// ---- backward -----------------------------------------------------------------------------------

// What a pass computes: gradients of queries, or of keys and values, or both at once.
struct Range {
  int64_t first_head, last_head;  // of the group that shares keys
  int64_t first_query, last_query, first_key, last_key;
  bool queries, keys;
};

template <class T>
class Backward {
 public:
  Backward(const Shapes<T>& s, const Results& grads, const Tensor& g, const Tensor& out,
           const Tensor& lse, int64_t heads, int64_t queries, bool sums_queries, bool keeps_rows)
      : s_(s),
        g_(g),
        out_(out),
        dq_(grads[0]),
        dk_(grads[1]),
        dv_(grads[2]),
        lse_(lse.data_as<T>()),
        block_(std::min(kKeys, s.keys)),
        rows_(std::min(kBackQueries, s.queries)),
        keeps_rows_(keeps_rows),
        query_step_(s.products.packed(rows_, s.depth)),
        grad_step_(s.products.packed(rows_, s.values)),
        sizes_{s.products.packed(s.depth, block_),
               s.products.packed(s.values, block_),
               s.products.packed(block_, s.depth),
               query_step_ * (keeps_rows ? heads * parts(queries, kBackQueries) : 1),
               grad_step_ * (keeps_rows ? heads * parts(queries, kBackQueries) : 1),
               rows_ * s.products.row(kKeys),
               rows_ * s.products.row(kKeys),
               block_ * s.products.row(s.depth),
               block_ * s.products.row(s.values),
               sums_queries ? heads * queries * s.products.row(s.depth) : 0,
               heads * queries},
        rooms_(sizes_) {
    T** at[11] = {&key_columns_, &value_columns_, &key_rows_, &query_rows_, &grad_rows_, &scores_,
                  &slopes_,      &sum_k_,         &sum_v_,    &sum_q_,      &dot_};
    for (int i = 0; i < 11; ++i) *at[i] = rooms_.next(sizes_[i]);
  }

  void run(int64_t b, int64_t shared, const Range& r) {
    int64_t rows = r.last_query - r.first_query, pitch = s_.products.row(s_.depth);
    ask_keys(b, shared, r.first_key, r.last_key);
    for (int64_t e = r.first_head; e < r.last_head; ++e) weigh_outputs(b, shared, r, e);
    if (r.queries) std::fill_n(sum_q_, (r.last_head - r.first_head) * rows * pitch, T(0));
    if (keeps_rows_ && r.keys)
      each_block(r, [&](int64_t e, int64_t i, int64_t m, int64_t block) {
        pack_rows(b, head(shared, e), i, m, block);
      });
    for (int64_t j = r.first_key; j < r.last_key; j += kKeys) keys_of_block(b, shared, r, j);
    if (!r.queries) return;
    for (int64_t e = r.first_head; e < r.last_head; ++e)
      for (int64_t i = 0; i < rows; ++i)
        std::copy_n(sum_q_ + ((e - r.first_head) * rows + i) * pitch, s_.depth,
                    dq_.at(b, head(shared, e), r.first_query + i));
  }

 private:
  int64_t head(int64_t shared, int64_t e) const { return shared * s_.group() + e; }
  void ask_keys(int64_t b, int64_t shared, int64_t j, int64_t last) {
    int64_t end = std::min(last, j + kKeys);
    s_.k.ask(b, shared, j, end, s_.depth);
    s_.v.ask(b, shared, j, end, s_.values);
  }

  // The products of outputs with their gradients. Queries, which are read next, are on their way.
  void weigh_outputs(int64_t b, int64_t shared, const Range& r, int64_t e) {
    constexpr int64_t kAhead = 8;
    int64_t h = head(shared, e), rows = r.last_query - r.first_query;
    T* dot = dot_ + (e - r.first_head) * rows;
    auto ask = [&](int64_t from, int64_t to) {
      g_.ask(b, h, from, to, s_.values);
      out_.ask(b, h, from, to, s_.values);
    };
    ask(r.first_query, std::min(r.last_query, r.first_query + kAhead));
    for (int64_t i = r.first_query; i < r.last_query; ++i) {
      ask(i + kAhead, std::min(r.last_query, i + kAhead + 1));
      s_.q.ask(b, h, i, i + 1, s_.depth);
      dot[i - r.first_query] = loops<T>().dot(g_.at(b, h, i), out_.at(b, h, i), s_.values);
    }
  }

  void keys_of_block(int64_t b, int64_t shared, const Range& r, int64_t j) {
    const auto& p = s_.products;
    int64_t n = std::min(kKeys, s_.keys - j);
    p.pack(s_.k.at(b, shared, j), s_.k.col, s_.k.row, s_.depth, n, key_columns_);
    p.pack(s_.v.at(b, shared, j), s_.v.col, s_.v.row, s_.values, n, value_columns_);
    if (r.queries) p.pack(s_.k.at(b, shared, j), s_.k.row, s_.k.col, n, s_.depth, key_rows_);
    ask_keys(b, shared, j + kKeys, r.last_key);
    int64_t pitch_k = p.row(s_.depth), pitch_v = p.row(s_.values);
    if (r.keys) {
      std::fill_n(sum_k_, n * pitch_k, T(0));
      std::fill_n(sum_v_, n * pitch_v, T(0));
    }
    each_block(r, [&](int64_t e, int64_t i, int64_t m, int64_t block) {
      if (s_.causal && i + m <= j) return;
      if (!keeps_rows_) block = 0;
      if (!keeps_rows_ && r.keys) pack_rows(b, head(shared, e), i, m, block);
      // Where the diagonal crosses, smaller tiles leave more of the hidden keys out.
      int64_t step = s_.causal && i < j + n ? kQueries : kBackQueries;
      for (int64_t at = 0; at < m; at += step)
        tile(b, shared, r, e, Rows{i + at, std::min(step, m - at), block, at, m}, j, n);
    });
    if (!r.keys) return;
    for (int64_t c = 0; c < n; ++c) {
      std::copy_n(sum_k_ + c * pitch_k, s_.depth, dk_.at(b, shared, j + c));
      std::copy_n(sum_v_ + c * pitch_v, s_.values, dv_.at(b, shared, j + c));
    }
  }

  // Calls f(head, first query, queries, number) for the blocks of queries. Their bounds, like those
  // of blocks of keys, are multiples of the same length: the diagonal begins at a block's corner.
  template <class F>
  void each_block(const Range& r, F&& f) {
    static_assert(kBackQueries == kKeys);
    int64_t block = 0;
    for (int64_t e = r.first_head; e < r.last_head; ++e)
      for (int64_t i = r.first_query; i < r.last_query; i += kBackQueries)
        f(e, i, std::min(kBackQueries, r.last_query - i), block++);
  }
  void pack_rows(int64_t b, int64_t h, int64_t i, int64_t m, int64_t block) {
    const auto& p = s_.products;
    p.pack(g_.at(b, h, i), g_.row, g_.col, m, s_.values, grad_rows_ + block * grad_step_);
    p.pack(s_.q.at(b, h, i), s_.q.row, s_.q.col, m, s_.depth, query_rows_ + block * query_step_);
  }

  // Queries of a tile, which are `count` of the `packed` in a block, from the `at`-th on.
  struct Rows {
    int64_t first, count, block, at, packed;
  };
  void tile(int64_t b, int64_t shared, const Range& r, int64_t e, const Rows& q, int64_t j,
            int64_t n) {
    const auto& p = s_.products;
    int64_t h = head(shared, e), pitch = p.row(kKeys), rows = r.last_query - r.first_query;
    int64_t i = q.first, m = q.count, seen = s_.seen(j, n, i + m);
    int64_t at = (e - r.first_head) * rows + i - r.first_query;
    p.run(m, seen, s_.depth, s_.q.at(b, h, i), s_.q.row, s_.q.col, {key_columns_, s_.depth},
          scores_, pitch, false);
    p.run(m, seen, s_.values, g_.at(b, h, i), g_.row, g_.col, {value_columns_, s_.values}, slopes_,
          pitch, false);
    loops<T>().weigh_backward(s_.tile(scores_, b, h, i, m, j, seen), slopes_,
                              lse_ + (b * s_.heads + h) * s_.queries + i, dot_ + at);
    if (r.keys) {
      p.run(seen, s_.values, m, scores_, 1, pitch,
            {grad_rows_ + q.block * grad_step_, q.packed, q.at}, sum_v_, p.row(s_.values), true);
      p.run(seen, s_.depth, m, slopes_, 1, pitch,
            {query_rows_ + q.block * query_step_, q.packed, q.at}, sum_k_, p.row(s_.depth), true);
    }
    if (r.queries)
      p.run(m, s_.depth, seen, slopes_, pitch, 1, {key_rows_, n}, sum_q_ + at * p.row(s_.depth),
            p.row(s_.depth), true);
  }

  const Shapes<T>& s_;
  Heads<T> g_, out_, dq_, dk_, dv_;
  const T* lse_;
  int64_t block_, rows_;
  bool keeps_rows_;
  int64_t query_step_, grad_step_, sizes_[11];
  Rooms<T> rooms_;
  T *key_columns_, *value_columns_, *key_rows_, *query_rows_, *grad_rows_, *scores_, *slopes_,
      *sum_k_, *sum_v_, *sum_q_, *dot_;
};

template <class T>
void backward(Results& grads, const Shapes<T>& s, const Tensor& g, const Tensor& out,
              const Tensor& lse, bool need_q, bool need_k) {
  int64_t heads = s.batch * s.shared;
  if (heads == 0) return;
  // Where heads do not occupy the threads, blocks of keys and then blocks of queries are tasks. Each
  // sum has the same order either way.
  bool whole = heads >= num_threads() || in_parallel_region() || s.work() < kSerialWork;
  auto pass = [&](int64_t tasks, int64_t most_heads, int64_t most_queries, bool sums_queries,
                  bool keeps_rows, auto&& range) {
    if (tasks == 0) return;
    parallel_for(0, tasks, grain_of(2.5 * s.work(), tasks), [&](int64_t begin, int64_t end) {
      Backward<T> f(s, grads, g, out, lse, most_heads, most_queries, sums_queries, keeps_rows);
      for (int64_t task = begin; task < end; ++task) {
        auto [head, r] = range(task);
        f.run(head / s.shared, head % s.shared, r);
      }
    });
  };
  struct Task {
    int64_t head;
    Range range;
  };
  int64_t group = s.group();
  if (whole) {
    bool keeps_rows = s.keys > kKeys &&
                      group * s.queries * (s.depth + s.values) * int64_t(sizeof(T)) <= kKeptBytes;
    pass(heads, group, s.queries, need_q, need_k && keeps_rows,
         [&](int64_t t) { return Task{t, {0, group, 0, s.queries, 0, s.keys, need_q, need_k}}; });
    return;
  }
  int64_t key_blocks = parts(s.keys, kKeys), query_blocks = parts(s.queries, kBackQueries);
  if (need_k)
    pass(heads * key_blocks, group, s.queries, false, false, [&](int64_t t) {
      int64_t j = t % key_blocks * kKeys;
      return Task{t / key_blocks,
                  {0, group, 0, s.queries, j, std::min(s.keys, j + kKeys), false, true}};
    });
  if (need_q)
    pass(heads * group * query_blocks, 1, kBackQueries, true, false, [&](int64_t t) {
      int64_t i = t % query_blocks * kBackQueries, e = t / query_blocks % group;
      int64_t last = std::min(s.queries, i + kBackQueries);
      return Task{t / query_blocks / group, {e, e + 1, i, last, 0, s.keys, true, false}};
    });
}

void attention_backward_cpu(Results& grads, const Tensor& g, const Tensor& q, const Tensor& k,
                            const Tensor& v, const Tensor& mask, const Tensor& out,
                            const Tensor& lse, double scale, bool causal, bool need_q,
                            bool need_k) {
  visit_row_type(q.dtype(), [&]<class T>() {
    backward<T>(grads, Shapes<T>(q, k, v, mask, scale, causal), g, out, lse, need_q, need_k);
  });
}

}  // namespace

KG_KERNEL(attention, cpu, attention_cpu)
KG_KERNEL(attention_backward, cpu, attention_backward_cpu)

}  // namespace kagari
