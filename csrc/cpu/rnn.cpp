// Recurrences on the CPU. Threads share the sequences: each takes some of them through all steps,
// so that no step waits for another thread.
#include "ops/rnn.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "cpu/matmul.h"
#include "cpu/rnn_table.h"
#include "cpu/rows.h"

namespace kagari {

namespace {

const RnnTable& rnn_loops() {
  static const RnnTable& t = KG_PICK(rnn_table);
  return t;
}
template <class T>
const RnnLoops<T>& loops() {
  if constexpr (std::is_same_v<T, float>)
    return rnn_loops().f32;
  else
    return rnn_loops().f64;
}
template <class T>
constexpr provider::Kind kind =
    std::is_same_v<T, float> ? provider::Kind::f32 : provider::Kind::f64;

// Sequences per task: enough rows for the products to be worth it.
constexpr int64_t kSequences = 16;
int64_t grain_of(int64_t batch) {
  int64_t share = (batch + num_threads() - 1) / std::max(num_threads(), 1);
  return std::max(kSequences, share);
}

// The products of each step with one weight. It is packed once where there are steps enough.
template <class T>
class StepProduct {
 public:
  StepProduct(int64_t steps, int64_t k, int64_t n, const T* weight, provider::Strides strides)
      : k_(k), n_(n), weight_(weight), strides_(strides) {
    if (steps > 2) packed_.emplace(kind<T>, k, n, weight, strides);
  }
  void operator()(int64_t rows, const T* a, T* c, const provider::Epilogue& epilogue) const {
    provider::Strides as{0, k_, 1}, cs{0, n_, 1};
    if (packed_)
      provider::gemm(*packed_, rows, a, as, c, cs, epilogue);
    else
      provider::gemm(kind<T>, 1, rows, n_, k_, a, as, weight_, strides_, c, cs, epilogue);
  }

 private:
  int64_t k_, n_;
  const T* weight_;
  provider::Strides strides_;
  std::optional<provider::PackedMatrix> packed_;
};

// An optional tensor as contiguous T, or null.
template <class T>
class Maybe {
 public:
  explicit Maybe(const Tensor& t) {
    if (t.defined() && t.numel()) whole_ = std::make_unique<Whole<T>>(t);
  }
  T* get() const { return whole_ ? whole_->get() : nullptr; }

 private:
  std::unique_ptr<Whole<T>> whole_;
};

template <class T>
void scan(Results& out, const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w,
          const Tensor& b, RnnCell cell, Ints sizes, bool reverse) {
  int64_t batch = h.sizes()[0], n = h.sizes()[1], wide = w.sizes()[0];
  RnnSteps steps(sizes, x.sizes()[0], batch);
  Whole<T> input(x), h0(h), weight(w), output(out[0], false), cells(out[1], false),
      gates(out[2], false);
  Maybe<T> c0(c), bias(b);
  StepProduct<T> product(steps.length(), n, wide, weight.get(), {0, 1, n});

  parallel_for(0, batch, grain_of(batch), [&](int64_t begin, int64_t end) {
    int64_t own = end - begin;
    Workspace room(size_t(own * (n + wide)) * sizeof(T) + 64);
    T *state = room.as<T>(), *products = state + own * n;
    std::copy_n(h0.get() + begin * n, own * n, state);
    // Where each sequence's cell state lies.
    std::vector<const T*> c_at(size_t(c0.get() ? own : 0));
    for (int64_t r = 0; r < int64_t(c_at.size()); ++r) c_at[size_t(r)] = c0.get() + (begin + r) * n;
    for (int64_t k = 0; k < steps.length(); ++k) {
      int64_t t = reverse ? steps.length() - 1 - k : k;
      int64_t active = std::min(end, steps.count[size_t(t)]) - begin;
      if (active <= 0) continue;
      product(active, state, products, {.bias = bias.get()});
      for (int64_t r = 0; r < active; ++r) {
        int64_t row = steps.first[size_t(t)] + begin + r;
        const T *from = input.get() + row * wide, *p = products + r * wide;
        T *to = output.get() + row * n, *mine = state + r * n;
        if (cell == RnnCell::lstm) {
          T* c_out = cells.get() + row * n;
          loops<T>().lstm(from, p, c_at[size_t(r)], gates.get() + row * 4 * n, c_out, to, n);
          c_at[size_t(r)] = c_out;
        } else if (cell == RnnCell::gru) {
          loops<T>().gru(from, p, mine, gates.get() + row * 4 * n, to, n);
        } else {
          loops<T>().plain(from, p, to, n, cell == RnnCell::relu);
        }
        std::copy_n(to, n, mine);
      }
    }
  });
  output.store();
  cells.store();
  gates.store();
}

template <class T>
void scan_backward(Results& out, const Tensor& g_out, const Tensor& g_cells, const Tensor& g_gates,
                   const Tensor& h, const Tensor& c, const Tensor& w, const Tensor& y,
                   const Tensor& c_y, const Tensor& gates_y, RnnCell cell, Ints sizes,
                   bool reverse) {
  int64_t batch = h.sizes()[0], n = h.sizes()[1], wide = w.sizes()[0];
  RnnSteps steps(sizes, y.sizes()[0], batch);
  Whole<T> h0(h), weight(w), output(y), cells(c_y), gates(gates_y), dx(out[0], false),
      dp(out[1], false), dh(out[2], false), dc(out[3], false);
  Maybe<T> c0(c), more_h(g_out), more_c(g_cells), more_gates(g_gates);
  StepProduct<T> product(steps.length(), wide, n, weight.get(), {0, n, 1});

  parallel_for(0, batch, grain_of(batch), [&](int64_t begin, int64_t end) {
    int64_t own = end - begin;
    T *gh = dh.get() + begin * n, *gc = c0.get() ? dc.get() + begin * n : nullptr;
    std::fill_n(gh, own * n, T(0));
    if (gc) std::fill_n(gc, own * n, T(0));
    for (int64_t k = 0; k < steps.length(); ++k) {
      int64_t t = reverse ? k : steps.length() - 1 - k, before = reverse ? t + 1 : t - 1;
      int64_t active = std::min(end, steps.count[size_t(t)]) - begin;
      if (active <= 0) continue;
      // Sequences that have a step before this one; the others come from the first state.
      int64_t older = before < 0 || before >= steps.length() ? 0 : steps.count[size_t(before)];
      for (int64_t r = 0; r < active; ++r) {
        int64_t row = steps.first[size_t(t)] + begin + r;
        auto state_before = [&](const T* all, const T* start) {
          return begin + r < older ? all + (steps.first[size_t(before)] + begin + r) * n
                                   : start + (begin + r) * n;
        };
        T *gh_r = gh + r * n, *to = dx.get() + row * wide;
        if (more_h.get()) loops<T>().add(gh_r, more_h.get() + row * n, n);
        const T* more = more_gates.get() ? more_gates.get() + row * 4 * n : nullptr;
        if (cell == RnnCell::lstm) {
          if (more_c.get()) loops<T>().add(gc + r * n, more_c.get() + row * n, n);
          loops<T>().lstm_backward(gates.get() + row * 4 * n, more,
                                   state_before(cells.get(), c0.get()), cells.get() + row * n, gh_r,
                                   gc + r * n, to, n);
        } else if (cell == RnnCell::gru) {
          loops<T>().gru_backward(gates.get() + row * 4 * n, more,
                                  state_before(output.get(), h0.get()), gh_r, to,
                                  dp.get() + row * wide, n);
        } else {
          loops<T>().plain_backward(output.get() + row * n, gh_r, to, n, cell == RnnCell::relu);
        }
      }
      const T* products =
          (cell == RnnCell::gru ? dp.get() : dx.get()) + (steps.first[size_t(t)] + begin) * wide;
      product(active, products, gh, {.accumulate = cell == RnnCell::gru});
    }
  });
  dx.store();
  dp.store();
  dh.store();
  dc.store();
}

void rnn_scan_cpu(Results& out, const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w,
                  const Tensor& b, std::string_view mode, Ints sizes, bool reverse) {
  if (out[0].numel() == 0) return;
  visit_row_type(x.dtype(),
                 [&]<class T>() { scan<T>(out, x, h, c, w, b, rnn_cell(mode), sizes, reverse); });
}
void rnn_scan_backward_cpu(Results& out, const Tensor& g_out, const Tensor& g_cells,
                           const Tensor& g_gates, const Tensor& h, const Tensor& c, const Tensor& w,
                           const Tensor& y, const Tensor& cells, const Tensor& gates,
                           std::string_view mode, Ints sizes, bool reverse) {
  visit_row_type(y.dtype(), [&]<class T>() {
    scan_backward<T>(out, g_out, g_cells, g_gates, h, c, w, y, cells, gates, rnn_cell(mode), sizes,
                     reverse);
  });
}

}  // namespace

KG_KERNEL(rnn_scan, cpu, rnn_scan_cpu)
KG_KERNEL(rnn_scan_backward, cpu, rnn_scan_backward_cpu)

}  // namespace kagari
