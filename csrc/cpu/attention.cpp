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
constexpr int64_t kKeys = 128;           // of any tile
constexpr int64_t kBackQueries = kKeys;  // of a backward tile: the diagonal begins at its corner
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
  // Rows [from, from + depth) of a packed B.
  struct Packed {
    const T* data;
    int64_t depth, from = 0;
  };
  struct Result {
    T* data;
    int64_t row;
    bool whole;  // rows have room for whole vectors
    bool add;
  };
  // C (m, n) = or += A B, of whose depth `part(i, rows, j)` gives what is not zero in rows
  // [i, i + rows) and columns from j on: [first, last). Where it gives less than nothing, C stays.
  template <class Part>
  void run(int64_t m, int64_t n, const T* a, int64_t a_row, int64_t a_col, const Packed& packed,
           const Result& c, Part&& part) const {
    const T* b = packed.data;
    for (int64_t j = 0; j < n; j += width, b += pitch(packed.depth)) {
      int vectors = n - j <= k.vector ? 1 : 2;
      int64_t w = vectors * k.vector, columns = c.whole ? w : std::min(w, n - j);
      for (int64_t i = 0; i < m; i += k.rows) {
        int64_t rows = std::min<int64_t>(k.rows, m - i);
        auto [first, last] = part(i, rows, j);
        if (first > last) continue;
        k.micro[vectors - 1][rows - 1](last - first, a + i * a_row + first * a_col, a_row, a_col,
                                       b + (packed.from + first) * w, w, c.data + i * c.row + j,
                                       c.row, columns, c.add);
      }
    }
  }
};

// Which keys of a block the queries of a tile see: row i the first seen + i, at most all.
struct Sight {
  int64_t seen, queries, keys;
  struct Depth {
    int64_t first, last;
  };
  // Of products of queries by keys: all of the depth, or nothing where all of it is hidden.
  auto scores(int64_t depth) const {
    return [*this, depth](int64_t i, int64_t rows, int64_t j) {
      return Depth{0, j < seen + i + rows - 1 ? depth : -1};
    };
  }
  // Of products that sum over keys, and over queries.
  auto over_keys() const {
    return [*this](int64_t i, int64_t rows, int64_t) {
      return Depth{0, std::min(keys, seen + i + rows - 1)};
    };
  }
  auto over_queries() const {
    return [*this](int64_t c, int64_t, int64_t) {
      return Depth{std::max<int64_t>(0, c + 1 - seen), queries};
    };
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
  template <class To>
  RowsOf<To> rows(int64_t b, int64_t h, int64_t i) const {
    return {at(b, h, i), row};
  }
};

template <class T>
struct Shapes {
  int64_t batch, heads, shared, queries, keys, depth, values;
  T scale, share;
  bool causal;
  Heads<T> q, k, v, mask;
  const uint8_t* kept;
  Products<T> products;

  Shapes(const Tensor& q_, const Tensor& k_, const Tensor& v_, const Tensor& mask_, double s,
         bool c, const Tensor& kept_, double dropped)
      : scale(T(s)),
        share(T(1 / (1 - dropped))),
        causal(c),
        q(q_),
        k(k_),
        v(v_),
        mask(mask_),
        kept(kept_.defined() ? reinterpret_cast<const uint8_t*>(kept_.data()) : nullptr) {
    batch = q_.sizes()[0], heads = q_.sizes()[1], queries = q_.sizes()[2], depth = q_.sizes()[3];
    shared = k_.sizes()[1], keys = k_.sizes()[2], values = v_.sizes()[3];
  }
  int64_t group() const { return heads / shared; }
  double work() const {
    return double(batch) * double(heads) * double(queries) * double(keys) * double(depth + values);
  }
  // Rows of scores: a line longer than the keys, or columns would meet in few places of the cache.
  int64_t pitch() const { return products.row(kKeys) + 64 / int64_t(sizeof(T)); }
  ScoreTile<T> tile(T* scores, int64_t b, int64_t h, int64_t i, int64_t j, const Sight& x) const {
    const T* m = mask.data ? mask.at(b, h, i) + j : nullptr;
    const uint8_t* r = kept ? kept + ((b * heads + h) * queries + i) * keys + j : nullptr;
    return {scores, pitch(), x.queries, x.keys, scale, m, mask.row, x.seen, provider::kMaxRows,
            r,      keys,    keys - j,  share};
  }
  // What scores of so many of n packed keys take: whole panels.
  int64_t panels(int64_t seen, int64_t n) const { return std::min(n, up(seen, products.width)); }
  // What `rows` queries from i on see of n keys from j on; those that none of them sees are left out.
  Sight sight(int64_t i, int64_t rows, int64_t j, int64_t n) const {
    if (!causal) return {n, rows, n};
    return {i + 1 - j, rows, std::min(n, i + rows - j)};
  }
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
               std::min(kQueries, chunk) * s.pitch(),
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
    for (int64_t j = 0; j < s_.keys; j += kKeys) {
      Sight all = s_.sight(first, rows, j, std::min(kKeys, s_.keys - j));
      if (all.keys <= 0) break;
      keys_of_block(b, h, first, rows, j, all.keys);
    }
    loops<T>().finish(rows, {sums_, pitch}, total_, s_.kept ? s_.share : T(1),
                      out_.template rows<T>(b, h, first), s_.values);
    loops<T>().log_sums(top_, total_, lse_ + (b * s_.heads + h) * s_.queries + first, rows);
  }

 private:
  void keys_of_block(int64_t b, int64_t h, int64_t first, int64_t rows, int64_t j, int64_t n) {
    const auto& p = s_.products;
    int64_t shared = h / s_.group(), pitch = p.row(s_.values);
    p.pack(s_.k.at(b, shared, j), s_.k.col, s_.k.row, s_.depth, n, keys_);
    p.pack(s_.v.at(b, shared, j), s_.v.row, s_.v.col, n, s_.values, values_);
    int64_t start = s_.causal ? std::max<int64_t>(0, j - first) : 0;
    for (int64_t i = start; i < rows; i += kQueries) {
      Sight x = s_.sight(first + i, std::min(kQueries, rows - i), j, n);
      p.run(x.queries, s_.panels(x.keys, n), s_.q.at(b, h, first + i), s_.q.row, s_.q.col,
            {keys_, s_.depth}, {scores_, s_.pitch(), true, false}, x.scores(s_.depth));
      loops<T>().weigh(s_.tile(scores_, b, h, first + i, j, x), top_ + i, total_ + i,
                       sums_ + i * pitch, pitch, pitch);
      p.run(x.queries, s_.values, scores_, s_.pitch(), 1, {values_, n},
            {sums_ + i * pitch, pitch, true, true}, x.over_keys());
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
                   const Tensor& mask, double scale, bool causal, const Tensor& kept,
                   double dropped) {
  visit_row_type(q.dtype(), [&]<class T>() {
    forward<T>(out, Shapes<T>(q, k, v, mask, scale, causal, kept, dropped));
  });
}

// ---- backward -----------------------------------------------------------------------------------

// What a pass computes: gradients of queries, or of keys and values, or both at once.
struct Range {
  int64_t first_head, last_head;  // of the group that shares keys
  int64_t first_query, last_query, first_key, last_key;
  bool queries, keys;
};

template <class T>
struct Gradients {
  Heads<T> q, k, v;
};

template <class T>
class Backward {
 public:
  Backward(const Shapes<T>& s, const Gradients<T>& grads, const Tensor& g, const Tensor& out,
           const Tensor& lse, int64_t heads, int64_t queries, bool keeps_rows)
      : s_(s),
        g_(g),
        out_(out),
        dq_(grads.q),
        dk_(grads.k),
        dv_(grads.v),
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
               rows_ * s.pitch(),
               rows_ * s.pitch(),
               heads * queries},
        rooms_(sizes_) {
    T** at[8] = {&key_columns_, &value_columns_, &key_rows_, &query_rows_,
                 &grad_rows_,   &scores_,        &slopes_,   &dot_};
    for (int i = 0; i < 8; ++i) *at[i] = rooms_.next(sizes_[i]);
  }

  void run(int64_t b, int64_t shared, const Range& r) {
    int64_t rows = r.last_query - r.first_query;
    for (int64_t e = r.first_head; e < r.last_head; ++e) {
      int64_t h = head(shared, e);
      loops<T>().dots(rows, g_.template rows<const T>(b, h, r.first_query),
                      out_.template rows<const T>(b, h, r.first_query), s_.values,
                      dot_ + (e - r.first_head) * rows);
    }
    if (keeps_rows_ && r.keys)
      each_block(r, [&](int64_t e, int64_t i, int64_t m, int64_t block) {
        pack_rows(b, head(shared, e), i, m, block);
      });
    for (int64_t j = r.first_key; j < r.last_key; j += kKeys) keys_of_block(b, shared, r, j);
    if (r.queries && r.first_key >= r.last_key)
      for (int64_t e = r.first_head; e < r.last_head; ++e)
        clear(dq_, b, head(shared, e), r.first_query, r.last_query, s_.depth);
  }

 private:
  int64_t head(int64_t shared, int64_t e) const { return shared * s_.group() + e; }
  static void clear(const Heads<T>& d, int64_t b, int64_t h, int64_t from, int64_t to, int64_t n) {
    for (int64_t i = from; i < to; ++i) std::fill_n(d.at(b, h, i), n, T(0));
  }

  // The gradients are summed where they lie: what comes first is stored, what follows is added.
  void keys_of_block(int64_t b, int64_t shared, const Range& r, int64_t j) {
    const auto& p = s_.products;
    int64_t n = std::min(kKeys, s_.keys - j), begun = 0;
    p.pack(s_.k.at(b, shared, j), s_.k.col, s_.k.row, s_.depth, n, key_columns_);
    p.pack(s_.v.at(b, shared, j), s_.v.col, s_.v.row, s_.values, n, value_columns_);
    if (r.queries) p.pack(s_.k.at(b, shared, j), s_.k.row, s_.k.col, n, s_.depth, key_rows_);
    each_block(r, [&](int64_t e, int64_t i, int64_t m, int64_t block) {
      Sight x = s_.sight(i, m, j, n);
      if (x.keys <= 0) return;
      if (!keeps_rows_) block = 0;
      if (!keeps_rows_ && r.keys) pack_rows(b, head(shared, e), i, m, block);
      tile(b, shared, r, Rows{e, i, block}, j, n, x, begun > 0);
      // The first block of queries that sees any of these keys sees as many as all the others.
      begun = std::max(begun, x.keys);
    });
    if (!r.keys) return;
    clear(dk_, b, shared, j + begun, j + n, s_.depth);
    clear(dv_, b, shared, j + begun, j + n, s_.values);
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

  struct Rows {
    int64_t head, first, block;
  };
  void tile(int64_t b, int64_t shared, const Range& r, const Rows& q, int64_t j, int64_t n,
            const Sight& x, bool more) {
    const auto& p = s_.products;
    int64_t h = head(shared, q.head), i = q.first, m = x.queries, pitch = s_.pitch();
    int64_t at = (q.head - r.first_head) * (r.last_query - r.first_query) + i - r.first_query;
    p.run(m, s_.panels(x.keys, n), s_.q.at(b, h, i), s_.q.row, s_.q.col, {key_columns_, s_.depth},
          {scores_, pitch, true, false}, x.scores(s_.depth));
    p.run(m, s_.panels(x.keys, n), g_.at(b, h, i), g_.row, g_.col, {value_columns_, s_.values},
          {slopes_, pitch, true, false}, x.scores(s_.values));
    loops<T>().weigh_backward(s_.tile(scores_, b, h, i, j, x), slopes_,
                              lse_ + (b * s_.heads + h) * s_.queries + i, dot_ + at);
    if (r.keys) {
      p.run(x.keys, s_.values, scores_, 1, pitch, {grad_rows_ + q.block * grad_step_, m},
            {dv_.at(b, shared, j), dv_.row, false, more}, x.over_queries());
      p.run(x.keys, s_.depth, slopes_, 1, pitch, {query_rows_ + q.block * query_step_, m},
            {dk_.at(b, shared, j), dk_.row, false, more}, x.over_queries());
    }
    if (r.queries)
      p.run(m, s_.depth, slopes_, pitch, 1, {key_rows_, n},
            {dq_.at(b, h, i), dq_.row, false, j > 0}, x.over_keys());
  }

  const Shapes<T>& s_;
  Heads<T> g_, out_, dq_, dk_, dv_;
  const T* lse_;
  int64_t block_, rows_;
  bool keeps_rows_;
  int64_t query_step_, grad_step_, sizes_[8];
  Rooms<T> rooms_;
  T *key_columns_, *value_columns_, *key_rows_, *query_rows_, *grad_rows_, *scores_, *slopes_,
      *dot_;
};

template <class T>
void backward(const Gradients<T>& grads, const Shapes<T>& s, const Tensor& g, const Tensor& out,
              const Tensor& lse, bool need_q, bool need_k) {
  int64_t heads = s.batch * s.shared;
  if (heads == 0) return;
  // Where heads do not occupy the threads, blocks of keys and then blocks of queries are tasks. Each
  // sum has the same order either way.
  bool whole = heads >= num_threads() || in_parallel_region() || s.work() < kSerialWork;
  auto pass = [&](int64_t tasks, int64_t most_heads, int64_t most_queries, bool keeps_rows,
                  auto&& range) {
    if (tasks == 0) return;
    parallel_for(0, tasks, grain_of(2.5 * s.work(), tasks), [&](int64_t begin, int64_t end) {
      Backward<T> f(s, grads, g, out, lse, most_heads, most_queries, keeps_rows);
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
    pass(heads, group, s.queries, need_k && keeps_rows,
         [&](int64_t t) { return Task{t, {0, group, 0, s.queries, 0, s.keys, need_q, need_k}}; });
    return;
  }
  int64_t key_blocks = parts(s.keys, kKeys), query_blocks = parts(s.queries, kBackQueries);
  if (need_k)
    pass(heads * key_blocks, group, s.queries, false, [&](int64_t t) {
      int64_t j = t % key_blocks * kKeys;
      return Task{t / key_blocks,
                  {0, group, 0, s.queries, j, std::min(s.keys, j + kKeys), false, true}};
    });
  if (need_q)
    pass(heads * group * query_blocks, 1, kBackQueries, false, [&](int64_t t) {
      int64_t i = t % query_blocks * kBackQueries, e = t / query_blocks % group;
      int64_t last = std::min(s.queries, i + kBackQueries);
      return Task{t / query_blocks / group, {e, e + 1, i, last, 0, s.keys, true, false}};
    });
}

void attention_backward_cpu(Results& grads, const Tensor& g, const Tensor& q, const Tensor& k,
                            const Tensor& v, const Tensor& mask, const Tensor& out,
                            const Tensor& lse, double scale, bool causal, bool need_q, bool need_k,
                            const Tensor& kept, double dropped, bool joined) {
  visit_row_type(q.dtype(), [&]<class T>() {
    Shapes<T> shapes(q, k, v, mask, scale, causal, kept, dropped);
    Gradients<T> d{Heads<T>(grads[0]), Heads<T>(grads[1]), Heads<T>(grads[2])};
    if (joined) {
      d = {shapes.q, shapes.k, shapes.v};
      const T* first = std::min({d.q.data, d.k.data, d.v.data});
      for (Heads<T>* part : {&d.q, &d.k, &d.v})
        part->data = grads[0].data_as<T>() + (part->data - first);
    }
    backward<T>(d, shapes, g, out, lse, need_q, need_k);
  });
}

}  // namespace

KG_KERNEL(attention, cpu, attention_cpu)
KG_KERNEL(attention_backward, cpu, attention_backward_cpu)

}  // namespace kagari
