// The blocked loop nest: cache blocks, chunk and panel sums, and the split of C over threads, which
// never touches bits.
#include "cpu/provider/blocks.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>

#include "core/parallel.h"

namespace kagari::provider {

namespace {

constexpr int64_t kBlockBytes =
    2048;  // of one packed row of a block of B: with kChunk rows it fills half of a common L2
constexpr int64_t kBlockRows = 768;         // of C between two packings of B
constexpr int64_t kPanelGap = 128;          // keeps equal places of B's panels out of one cache set
constexpr int64_t kSweepRows = 3;           // fewer rows than these stream through B in place
constexpr int64_t kFewGroups = 6;           // of rows: no more share the packing of a small B
constexpr double kSharedWork = 8e6;         // operations from which threads share a packed B
constexpr int64_t kSharedBytes = 16 << 20;  // of it, at most
constexpr int64_t kSharedJobs = 2;          // for each thread: evens out what else the machine does
constexpr int64_t kSplitBytes = 1 << 20;    // of sums, at most, where threads share chunks of depth
constexpr int64_t kFinishElements = 1 << 14;  // of sums that a job adds
constexpr double kSerialWork = 400e3;         // operations below which a second thread does not pay

constexpr int64_t up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }
constexpr int64_t parts(int64_t x, int64_t of) { return (x + of - 1) / of; }

struct Free {
  void operator()(void* p) const { std::free(p); }
};
struct Rooms {
  std::unique_ptr<void, Free> data[kRooms];
  int64_t bytes[kRooms] = {};
};
thread_local Rooms rooms;

char* offset(void* p, int64_t bytes) { return static_cast<char*>(p) + bytes; }
const char* offset(const void* p, int64_t bytes) { return static_cast<const char*>(p) + bytes; }

// Reading B in place pays where few rows of A would share its packing, unless rows far apart would
// be visited in turn.
bool reads_b_in_place(const Product& p, int64_t rows) {
  if (!p.b_plain) return false;
  double bytes = double(p.depth) * double(p.n) * p.kernels->compute_size;
  return rows <= kSweepRows || (rows <= kFewGroups * p.kernels->rows && bytes <= 256e3) ||
         bytes <= 24e3;
}

// Rows of A that are read in place next: fetched little by little while those of `now` are
// multiplied, in `times` steps.
class Ahead {
 public:
  Ahead() = default;
  Ahead(const RowBlock& now, int64_t rows_now, int64_t rows, int64_t depth, int64_t times,
        int64_t size)
      : data_(offset(now.data, rows_now * now.row * size)),
        row_(now.row * size),
        rows_(rows),
        bytes_(depth * size),
        step_(up(parts(bytes_, times), 64)) {}
  void fetch() {
    for (int64_t to = std::min(bytes_, at_ + step_); at_ < to; at_ += 64)
      for (int64_t i = 0; i < rows_; ++i) __builtin_prefetch(data_ + i * row_ + at_);
  }

 private:
  const char* data_;
  int64_t row_, rows_, bytes_, step_, at_ = 0;
};

// One block of C, at most kBlockRows × the block's columns, all of its depth or one panel of it.
class Tile {
 public:
  Tile(const Product& p, int64_t row, int64_t rows, int64_t col, int64_t cols)
      : p_(p),
        k_(*p.kernels),
        row_(row),
        rows_(rows),
        col_(col),
        cols_(cols),
        width_(2 * k_.vector) {
    in_place_b_ = !p.b_panels && reads_b_in_place(p, rows);
    dots_ = p.b_columns && rows <= kDotRows;
    sweeps_ = in_place_b_ && rows <= kSweepRows && cols >= 4 * width_;
    pitch_ = panel_pitch(k_, p.depth);
    room_a_ = room(Room::a, p.groups_a * k_.rows * (kChunk + 32) * int64_t(k_.compute_size));
    if (!p.b_panels)
      room_b_ = room(Room::b, (in_place_b_ || dots_ ? 1 : parts(cols, width_)) * pitch_);
  }

  // All panels, then C.
  void run() {
    bool one_chunk = p_.depth <= kChunk;
    bool finish = p_.bias || p_.relu || (p_.accumulate && !one_chunk) || !k_.sums_in_place;
    bool direct = k_.sums_in_place && !(p_.accumulate && finish);
    void* total = c_at(0);
    int64_t total_row = p_.c_row;
    if (!direct) {
      total_row = up(cols_, k_.vector);
      total = room(Room::sums, (one_chunk ? k_.rows : rows_) * total_row * k_.sum_size);
    }
    int64_t part_row = up(cols_, k_.vector);
    for (int64_t from = 0; from == 0 || from < p_.depth; from += kPanel) {
      int64_t to = std::min(p_.depth, from + kPanel);
      bool last = to == p_.depth;
      void* sums = total;
      int64_t sums_row = total_row;
      if (from > 0) {
        sums = room(Room::part, rows_ * part_row * k_.sum_size);
        sums_row = part_row;
      }
      panel(from, to, sums, sums_row, !direct && one_chunk, direct && p_.accumulate,
            [&](int64_t i, int64_t rows, void* group) {
              void* whole = from > 0 ? offset(total, i * total_row * k_.sum_size) : group;
              if (from > 0) k_.add(whole, total_row, group, sums_row, rows, cols_);
              if (last && finish) finish_rows(whole, total_row, i, rows);
            });
    }
  }

  // One panel's sums alone, for run_products to add.
  void run_panel(int64_t from, int64_t to, void* sums, int64_t sums_row) {
    panel(from, to, sums, sums_row, false, false, [](int64_t, int64_t, void*) {});
  }

 private:
  void* c_at(int64_t i) const {
    return offset(p_.c, ((row_ + i) * p_.c_row + col_) * int64_t(k_.source_size / k_.per_column));
  }

  void finish_rows(void* sums, int64_t sums_row, int64_t i, int64_t rows) {
    const void* bias = p_.bias;
    int64_t item = k_.source_size;
    if (bias)
      bias = offset(bias, p_.bias_by_row ? (row_ + i) * item : col_ * (item / k_.per_column));
    k_.finish(sums, sums_row, c_at(i), p_.c_row, rows, cols_, bias, p_.bias_by_row, p_.accumulate,
              p_.relu);
  }

  // sums = the chunks of [from, to) added in order (on top of what is there with `onto`); done(i,
  // rows, sums of these rows) follows each group of rows in its last chunk. `reuse`: one group's
  // sums lie where the previous group's were.
  template <class Done>
  void panel(int64_t from, int64_t to, void* sums, int64_t sums_row, bool reuse, bool onto,
             Done&& done) {
    const int64_t step = dots_ ? kPanel : kChunk;
    for (int64_t at = from; at == from || at < to; at += step) {
      int64_t depth = std::min(step, to - at);
      bool add = onto || at > from;
      bool last = at + step >= to;
      pack_b(at, depth);
      RowBlock a{};
      for (int64_t i = 0, packed = 0; i < rows_; i += k_.rows) {
        int64_t rows = std::min<int64_t>(k_.rows, rows_ - i);
        void* group = reuse ? sums : offset(sums, i * sums_row * k_.sum_size);
        if (i == packed) {
          int64_t count = std::min(p_.groups_a * k_.rows, rows_ - i);
          a = p_.source->a(row_ + i, count, at, depth, room_a_);
          packed += count;
        } else {
          a.data = offset(a.data, a.group * k_.compute_size);
        }
        Ahead next;
        const bool more = p_.rows_in_place && i + rows < rows_;
        if (more)
          next = Ahead(a, rows, std::min<int64_t>(k_.rows, rows_ - i - rows), depth,
                       parts(cols_, width_), k_.compute_size);
        multiply(a, rows, at, depth, group, sums_row, add, more ? &next : nullptr);
        if (last) done(i, rows, group);
      }
    }
  }

  void pack_b(int64_t at, int64_t depth) {
    if (dots_ || p_.b_panels) return;
    int64_t whole = in_place_b_ ? cols_ / k_.vector * k_.vector : 0;  // columns read in place
    if (whole < cols_) p_.source->b(at, depth, col_ + whole, cols_ - whole, pitch_, room_b_);
  }

  void multiply(const RowBlock& a, int64_t rows, int64_t at, int64_t depth, void* sums,
                int64_t sums_row, bool add, Ahead* ahead) {
    const Micro wide = k_.micro[1][rows - 1], narrow = k_.micro[0][rows - 1];
    int64_t size = k_.compute_size, sum_size = k_.sum_size;
    int64_t j = 0;
    if (dots_) {
      k_.dots[rows - 1](depth, kChunk, a.data, a.row, a.col,
                        offset(p_.b_columns, (at + col_ * p_.b_col) * size), p_.b_col, sums,
                        sums_row, cols_, add);
      return;
    }
    if (in_place_b_) {
      const char* b = offset(p_.b_plain, (at * p_.b_row + col_) * size);
      if (sweeps_) {
        j = cols_ / k_.vector * k_.vector;
        for (int64_t i = 0; i < rows; ++i)
          k_.sweep(depth, offset(a.data, i * a.row * size), a.col, b, p_.b_row,
                   offset(sums, i * sums_row * sum_size), j, add);
      }
      for (; j + width_ <= cols_; j += width_) {
        if (ahead) ahead->fetch();
        wide(depth, a.data, a.row, a.col, offset(b, j * size), p_.b_row, offset(sums, j * sum_size),
             sums_row, width_, add);
      }
      for (; j + k_.vector <= cols_; j += k_.vector)
        narrow(depth, a.data, a.row, a.col, offset(b, j * size), p_.b_row,
               offset(sums, j * sum_size), sums_row, k_.vector, add);
    }
    const char* b = static_cast<const char*>(room_b_);
    if (p_.b_panels)  // blocks of C begin at whole panels
      b = offset(p_.b_panels, (at / kChunk * parts(p_.n, width_) + col_ / width_) * pitch_);
    for (; j < cols_; j += width_, b += pitch_) {
      if (ahead) ahead->fetch();
      int64_t n = std::min<int64_t>(width_, cols_ - j);
      bool slim = n <= k_.vector;
      (slim ? narrow : wide)(depth, a.data, a.row, a.col, b, slim ? k_.vector : width_,
                             offset(sums, j * sum_size), sums_row, n, add);
    }
  }

  const Product& p_;
  const Kernels& k_;
  int64_t row_, rows_, col_, cols_, width_;
  bool in_place_b_, sweeps_, dots_;
  int64_t pitch_;  // bytes between the panels of B
  void* room_a_;
  void* room_b_ = nullptr;
};

bool packs_b(const Product& p, int64_t rows) {
  return !p.b_panels && !reads_b_in_place(p, rows) && !(p.b_columns && rows <= kDotRows);
}

int64_t block_columns(const Product& p, int64_t rows) {
  int64_t bytes = kBlockBytes;
  if (rows <= p.kernels->rows && reads_b_in_place(p, rows)) bytes *= 4;
  return bytes / p.kernels->compute_size;
}

template <class F>
void each_block(const Product& p, int64_t row, int64_t rows, int64_t col, int64_t cols, F&& f) {
  int64_t step = block_columns(p, rows);
  for (int64_t i = 0; i < rows; i += kBlockRows)
    for (int64_t j = 0; j < cols; j += step) {
      Tile tile(p, row + i, std::min(kBlockRows, rows - i), col + j, std::min(step, cols - j));
      f(tile, row + i, col + j);
    }
}

// How C is cut into jobs: a grid of tiles, and panels of depth where C alone is too small for the
// threads.
struct Plan {
  int64_t tile_rows, tile_cols, grid_rows, grid_cols;
};

Plan plan_tiles(const Product& p, int64_t wanted) {
  int64_t unit_rows = p.kernels->rows, unit_cols = 2 * p.kernels->vector;
  int64_t row_units = parts(p.m, unit_rows), col_units = parts(p.n, unit_cols);
  Plan best{};
  double best_cost = 0;
  for (int64_t g = 1; g <= std::min(wanted, row_units); ++g) {
    int64_t h = std::min(parts(wanted, g), col_units);
    int64_t rows = parts(row_units, g) * unit_rows, cols = parts(col_units, h) * unit_cols;
    Plan plan{rows, cols, parts(p.m, rows), parts(p.n, cols)};
    // Packing an element costs about as much as ten multiplications; jobs run in rounds of
    // `wanted`.
    double rounds = double(parts(plan.grid_rows * plan.grid_cols, wanted));
    double cost = rounds * (double(rows) * double(cols) + 10.0 * double(rows + cols));
    if (best_cost == 0 || cost < best_cost) {
      best = plan;
      best_cost = cost;
    }
  }
  return best;
}

}  // namespace

void* room(Room which, int64_t bytes) {
  Rooms& all = rooms;
  int i = int(which);
  if (bytes > all.bytes[i]) {
    int64_t wanted = up(std::max(bytes, 2 * all.bytes[i]), 4096);
    all.bytes[i] = 0;
    all.data[i].reset();
    // A little more than asked for: whole vectors may be read at the end.
    void* p = std::aligned_alloc(4096, size_t(wanted + 4096));
    if (!p) throw std::bad_alloc();
    all.data[i].reset(p);
    all.bytes[i] = wanted;
  }
  return all.data[i].get();
}

int64_t panel_pitch(const Kernels& kernels, int64_t depth) {
  return std::min(kChunk, depth) * 2 * kernels.vector * kernels.compute_size + kPanelGap;
}

int64_t panels_bytes(const Kernels& kernels, int64_t depth, int64_t n) {
  return std::max<int64_t>(1, parts(depth, kChunk)) * parts(n, 2 * kernels.vector) *
         panel_pitch(kernels, depth);
}

void pack_panels(const Kernels& kernels, const Source& source, int64_t depth, int64_t n,
                 void* panels) {
  const int64_t width = 2 * kernels.vector, pitch = panel_pitch(kernels, depth);
  const int64_t chunks = std::max<int64_t>(1, parts(depth, kChunk));
  // Long rows of B at once, unless that leaves threads without a part.
  int64_t step = kBlockBytes / kernels.compute_size;
  const int64_t wanted = parts(threads_available(), chunks);
  if (parts(n, step) < wanted) step = up(parts(n, wanted), width);
  const int64_t blocks = parts(n, step);
  run_jobs(chunks * blocks, [&](int64_t job) {
    int64_t chunk = job / blocks, col = job % blocks * step;
    source.b(chunk * kChunk, std::min(kChunk, depth - chunk * kChunk), col, std::min(step, n - col),
             pitch, offset(panels, (chunk * parts(n, width) + col / width) * pitch));
  });
}

int threads_available() { return in_parallel_region() ? 1 : num_threads(); }

void run_jobs(int64_t count, void (*f)(void*, int64_t), void* context) {
  detail::run_parts(count, f, context);
}

void run_tile(const Product& p, int64_t row, int64_t rows, int64_t col, int64_t cols) {
  each_block(p, row, rows, col, cols, [](Tile& tile, int64_t, int64_t) { tile.run(); });
  if (p.beside && col == 0) run_tile(*p.beside, 0, 1, row, rows);
}

namespace {

// Sums of the parts of one product's depth, apart from each other.
class Parts {
 public:
  Parts(const Product& p, int64_t length, Room where)
      : p_(p), k_(*p.kernels), length_(length), count_(parts(p.depth, length)) {
    pitch_ = up(p.n, k_.vector);
    bytes_ = p.m * pitch_ * k_.sum_size;
    sums_ = static_cast<char*>(room(where, count_ * bytes_));
  }
  int64_t count() const { return count_; }

  void run(int64_t part, int64_t row, int64_t rows, int64_t col, int64_t cols) const {
    each_block(p_, row, rows, col, cols, [&](Tile& tile, int64_t i, int64_t j) {
      tile.run_panel(part * length_, std::min(p_.depth, (part + 1) * length_),
                     sums_ + part * bytes_ + (i * pitch_ + j) * k_.sum_size, pitch_);
    });
  }
  // Rows of C: the parts in the order in which a single thread adds them.
  void finish(int64_t row, int64_t rows) const {
    char* total = sums_ + row * pitch_ * k_.sum_size;
    for (int64_t i = 1; i < count_; ++i)
      k_.add(total, pitch_, total + i * bytes_, pitch_, rows, p_.n);
    const void* bias = p_.bias;
    if (bias && p_.bias_by_row) bias = offset(bias, row * int64_t(k_.source_size));
    k_.finish(total, pitch_, offset(p_.c, row * p_.c_row * int64_t(k_.source_size / k_.per_column)),
              p_.c_row, rows, p_.n, bias, p_.bias_by_row, p_.accumulate, p_.relu);
  }

 private:
  const Product& p_;
  const Kernels& k_;
  int64_t length_, count_, pitch_, bytes_;
  char* sums_;
};

// Threads share the depth instead of C: panels of it or, where one panel is all, its chunks.
void run_split(const Product& p, const Plan& plan) {
  const int64_t length = p.depth > kPanel ? kPanel : kChunk,
                tiles = plan.grid_rows * plan.grid_cols;
  const Parts split(p, length, Room::split);
  std::optional<Parts> beside;
  if (p.beside) beside.emplace(*p.beside, length, Room::split_beside);
  run_jobs(split.count() * tiles, [&](int64_t job) {
    int64_t part = job / tiles, tile = job % tiles;
    int64_t row = tile / plan.grid_cols * plan.tile_rows,
            col = tile % plan.grid_cols * plan.tile_cols;
    int64_t rows = std::min(plan.tile_rows, p.m - row);
    split.run(part, row, rows, col, std::min(plan.tile_cols, p.n - col));
    if (beside && col == 0) beside->run(part, 0, 1, row, rows);
  });
  // Some rows for each job: fewer would not repay it.
  const int64_t unit = p.kernels->rows,
                step = up(std::max<int64_t>(1, kFinishElements / (split.count() * p.n)), unit);
  run_jobs(parts(p.m, step), [&](int64_t job) {
    int64_t last = std::min(p.m, (job + 1) * step);
    for (int64_t row = job * step; row < last; row += unit)
      split.finish(row, std::min(unit, last - row));
  });
  if (beside) beside->finish(0, 1);
}

// Whether threads better share the chunks of a product whose operands both lie along k, than C:
// each then packs rows of A and B once and alone, those that the same thread has seen in the ops
// before. Sums are added once more, so they are to be few.
bool splits_chunks(const Product& p, int threads) {
  const int64_t chunks = parts(p.depth, kChunk);
  return p.groups_a > 1 && p.depth <= kPanel && chunks >= threads &&
         double(parts(chunks, threads) * threads * kChunk) <= 1.15 * double(p.depth) &&
         chunks * p.m * p.n * p.kernels->sum_size <= kSplitBytes;
}

// Tiles one above the other would each pack the same columns of B: all of B is packed once, by all
// threads.
void run_shared(const Product& p, int threads) {
  const Kernels& k = *p.kernels;
  Product packed = p;
  void* panels = room(Room::panels, panels_bytes(k, p.depth, p.n));
  pack_panels(k, *p.source, p.depth, p.n, panels);
  packed.b_panels = panels;
  const int64_t groups = parts(p.m, k.rows),
                jobs = std::min<int64_t>(groups, kSharedJobs * threads);
  run_jobs(jobs, [&](int64_t job) {
    int64_t first = groups * job / jobs * k.rows, last = groups * (job + 1) / jobs * k.rows;
    run_tile(packed, first, std::min(last, p.m) - first, 0, p.n);
  });
}

}  // namespace

void run_products(const Product& shape, int64_t count, ProductAt at, const void* context) {
  double work = 2.0 * double(shape.m) * double(shape.n) * double(shape.depth);
  int threads = threads_available();
  auto whole = [&](int64_t i) {
    at(context, i, [](const Product& p, void*) { run_tile(p, 0, p.m, 0, p.n); }, nullptr);
  };
  if (threads <= 1 || work * double(count) < kSerialWork) {
    for (int64_t i = 0; i < count; ++i) whole(i);
    return;
  }
  if (count >= 4 * threads) {
    // Enough products for everyone: several to a job where they are small.
    int64_t per =
        std::clamp<int64_t>(int64_t(kSerialWork / (work + 1)), 1, parts(count, 4 * threads));
    run_jobs(parts(count, per), [&](int64_t job) {
      for (int64_t i = job * per; i < std::min(count, (job + 1) * per); ++i) whole(i);
    });
    return;
  }
  // Large tiles pay for more jobs than threads, which evens out what else the machine does.
  int64_t wanted = parts(threads, count);
  if (work / double(wanted) > 2e9) wanted *= 2;
  Plan plan = plan_tiles(shape, wanted);
  int64_t tiles = plan.grid_rows * plan.grid_cols;
  if (count == 1 && splits_chunks(shape, threads))
    return run_split(shape, {shape.m, shape.n, 1, 1});
  if (tiles * count < threads && shape.depth > kPanel) {
    struct Use {
      const Plan& plan;
    } use{plan};
    for (int64_t i = 0; i < count; ++i)
      at(
          context, i, [](const Product& p, void* u) { run_split(p, static_cast<Use*>(u)->plan); },
          &use);
    return;
  }
  double bytes = double(shape.depth) * double(shape.n) * shape.kernels->compute_size;
  if (count == 1 && plan.grid_rows > 1 && work >= kSharedWork && bytes <= kSharedBytes &&
      packs_b(shape, plan.tile_rows))
    return run_shared(shape, threads);
  struct Job {
    const Plan& plan;
    int64_t tile;
  };
  run_jobs(tiles * count, [&](int64_t job) {
    Job mine{plan, job % tiles};
    at(
        context, job / tiles,
        [](const Product& p, void* argument) {
          const Job& j = *static_cast<Job*>(argument);
          int64_t row = j.tile / j.plan.grid_cols * j.plan.tile_rows;
          int64_t col = j.tile % j.plan.grid_cols * j.plan.tile_cols;
          run_tile(p, row, std::min(j.plan.tile_rows, p.m - row), col,
                   std::min(j.plan.tile_cols, p.n - col));
        },
        &mine);
  });
}

}  // namespace kagari::provider
