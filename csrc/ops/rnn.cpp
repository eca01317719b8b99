// The recurrences of LSTM, GRU and plain RNN over a whole sequence in one direction: a fused kernel
// forward and backward, the formula when the backward itself is recorded.
//
// The products of all inputs are taken before, in one matrix product, and the gradient of the
// weights after, in another: what is left here is what one step must wait for the other for. A
// cell is a sequence of one step.
#include "ops/rnn.h"

#include "ops/creation.h"
#include "ops/joining.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/views.h"

namespace kagari {

RnnCell rnn_cell(std::string_view mode) {
  if (mode == "lstm") return RnnCell::lstm;
  if (mode == "gru") return RnnCell::gru;
  if (mode == "tanh") return RnnCell::tanh;
  KG_CHECK(mode == "relu", "expected mode 'lstm', 'gru', 'tanh' or 'relu', got '", mode, "'");
  return RnnCell::relu;
}
static int64_t gates_of(RnnCell cell) {
  return cell == RnnCell::lstm ? 4 : cell == RnnCell::gru ? 3 : 1;
}

RnnSteps::RnnSteps(Ints sizes, int64_t rows, int64_t batch) {
  if (sizes.n == 0) {  // all sequences have the same length
    for (int64_t at = 0; batch && at < rows; at += batch) {
      first.push_back(at);
      count.push_back(batch);
    }
    return;
  }
  int64_t at = 0;
  for (int64_t n : sizes) {
    first.push_back(at);
    count.push_back(n);
    at += n;
  }
}

static void check_scan(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w,
                       const Tensor& b, RnnCell cell, Ints sizes) {
  KG_CHECK_IMPLEMENTED(is_floating(x.dtype()) && !is_storage_only(x.dtype()),
                       "expected floating point tensors, got ", x.dtype(),
                       "; convert with .float()");
  KG_CHECK(x.dim() == 2 && h.dim() == 2 && w.dim() == 2,
           "expected matrices, got an input of shape ", x.sizes(), ", a hidden state ", h.sizes(),
           " and a weight ", w.sizes());
  int64_t n = h.sizes()[1], wide = gates_of(cell) * n, batch = h.sizes()[0];
  KG_CHECK(x.sizes()[1] == wide && w.sizes()[0] == wide && w.sizes()[1] == n,
           "expected input products (rows, ", wide, ") and a weight (", wide, ", ", n, ") for ", n,
           " hidden units, got ", x.sizes(), " and ", w.sizes());
  KG_CHECK(c.defined() == (cell == RnnCell::lstm), "a cell state belongs to lstm alone");
  if (c.defined())
    KG_CHECK(c.sizes() == h.sizes(), "expected a cell state of shape ", h.sizes(), ", got ",
             c.sizes());
  if (b.defined())
    KG_CHECK(b.dim() == 1 && b.numel() == wide, "expected a bias (", wide, "), got ", b.sizes());
  for (const Tensor* t : {&h, &c, &w, &b})
    if (t->defined())
      KG_CHECK(t->dtype() == x.dtype(), "expected all tensors of dtype ", x.dtype(), ", got ",
               t->dtype());
  if (sizes.n == 0) {
    KG_CHECK(batch ? x.sizes()[0] % batch == 0 : x.sizes()[0] == 0, "expected a multiple of ",
             batch, " rows, got ", x.sizes()[0]);
    return;
  }
  int64_t before = batch, total = 0;
  for (int64_t k : sizes) {
    KG_CHECK(k > 0 && k <= before, "expected batch sizes that fall from ", batch, " to 1, got ",
             sizes);
    before = k;
    total += k;
  }
  KG_CHECK(sizes[0] == batch && total == x.sizes()[0], "expected batch sizes that start with ",
           batch, " and sum to ", x.sizes()[0], ", got ", sizes);
}

static void scan_infer(Infer& o, const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w,
                       const Tensor& b, std::string_view mode, Ints sizes, bool) {
  RnnCell cell = rnn_cell(mode);
  check_scan(x, h, c, w, b, cell, sizes);
  int64_t rows = x.sizes()[0], n = h.sizes()[1];
  o.out(Dims{rows, n}, x.dtype());
  o.out(Dims{cell == RnnCell::lstm ? rows : 0, n}, x.dtype());
  o.out(Dims{cell == RnnCell::lstm || cell == RnnCell::gru ? rows : 0, 4 * n}, x.dtype());
}

// The state that each row started from: that of the step before, or the first one.
static Tensor states_before(const Tensor& states, const Tensor& start, const RnnSteps& steps,
                            bool reverse) {
  if (steps.length() == 1) return start;
  std::vector<Tensor> parts;
  if (!reverse) {
    parts.push_back(start);
    for (int64_t t = 1; t < steps.length(); ++t)
      parts.push_back(narrow(states, 0, steps.first[size_t(t - 1)], steps.count[size_t(t)]));
  } else {
    for (int64_t t = 0; t < steps.length(); ++t) {
      int64_t next = t + 1 < steps.length() ? steps.count[size_t(t + 1)] : 0;
      if (next) parts.push_back(narrow(states, 0, steps.first[size_t(t + 1)], next));
      if (next < steps.count[size_t(t)])
        parts.push_back(narrow(start, 0, next, steps.count[size_t(t)] - next));
    }
  }
  return parts.empty() ? start : cat(parts);
}

// ---- the formula --------------------------------------------------------------------------------

namespace {

struct ScanGradients {
  Tensor x, p, h, c;  // p: of the hidden products where they differ from x
};

// One step of a cell backward. gh and gc come as gradients of the new state and leave as those of
// the old one, but for what flows through the hidden products.
struct StepGradients {
  Tensor x, p, gh, gc;
};
StepGradients lstm_step(const Tensor& gates, const Tensor& more, const Tensor& c_in,
                        const Tensor& c_out, const Tensor& gh, const Tensor& gc) {
  int64_t n = c_in.sizes()[1];
  auto part = [&](const Tensor& t, int64_t k) { return narrow(t, 1, k * n, n); };
  auto with = [&](Tensor g, int64_t k) { return more.defined() ? g + part(more, k) : g; };
  Tensor i = part(gates, 0), f = part(gates, 1), g = part(gates, 2), o = part(gates, 3),
         t = tanh(c_out);
  Tensor c = gh * o * (1 - t * t);
  if (gc.defined()) c = c + gc;
  Tensor x = cat({with(c * g, 0) * i * (1 - i), with(c * c_in, 1) * f * (1 - f),
                  with(c * i, 2) * (1 - g * g), with(gh * t, 3) * o * (1 - o)},
                 1);
  return {x, x, Tensor(), c * f};
}
StepGradients gru_step(const Tensor& gates, const Tensor& more, const Tensor& h_in,
                       const Tensor& gh) {
  int64_t n = h_in.sizes()[1];
  auto part = [&](const Tensor& t, int64_t k) { return narrow(t, 1, k * n, n); };
  auto with = [&](Tensor g, int64_t k) { return more.defined() ? g + part(more, k) : g; };
  Tensor r = part(gates, 0), z = part(gates, 1), t = part(gates, 2), q = part(gates, 3);
  Tensor dt = with(gh * (1 - z), 2) * (1 - t * t), dr = with(dt * q, 0) * r * (1 - r),
         dz = with(gh * (h_in - t), 1) * z * (1 - z), dq = with(dt * r, 3);
  return {cat({dr, dz, dt}, 1), cat({dr, dz, dq}, 1), gh * z, Tensor()};
}
StepGradients plain_step(const Tensor& h_out, const Tensor& gh, bool relu) {
  Tensor x = relu ? where(gt(h_out, 0.0), gh, 0.0) : gh * (1 - h_out * h_out);
  return {x, x, Tensor(), Tensor()};
}

// The rows of a step out of all rows, undefined staying so.
Tensor rows_of(const Tensor& all, int64_t first, int64_t count) {
  return all.defined() ? narrow(all, 0, first, count) : all;
}
// The first rows replaced.
Tensor put_first(const Tensor& all, const Tensor& first) {
  int64_t n = first.sizes()[0], rest = all.sizes()[0] - n;
  return rest ? cat({first, narrow(all, 0, n, rest)}) : first;
}

ScanGradients scan_formula(const Tensor& g_out, const Tensor& g_cells, const Tensor& g_gates,
                           const Tensor& h, const Tensor& c, const Tensor& w, const Tensor& out,
                           const Tensor& cells, const Tensor& gates, RnnCell cell,
                           const RnnSteps& steps, bool reverse) {
  Tensor gh = zeros_like(h), gc = c.defined() ? zeros_like(c) : Tensor();
  Tensor h_in = states_before(out, h, steps, reverse),
         c_in = c.defined() ? states_before(cells, c, steps, reverse) : Tensor();
  std::vector<Tensor> x(size_t(steps.length())), p(size_t(steps.length()));
  for (int64_t k = 0; k < steps.length(); ++k) {
    int64_t t = reverse ? k : steps.length() - 1 - k;
    int64_t first = steps.first[size_t(t)], count = steps.count[size_t(t)];
    auto at = [&](const Tensor& all) { return rows_of(all, first, count); };
    Tensor gh_t = narrow(gh, 0, 0, count), gc_t = rows_of(gc, 0, count);
    if (g_out.defined()) gh_t = gh_t + at(g_out);
    if (gc_t.defined() && g_cells.defined()) gc_t = gc_t + at(g_cells);
    StepGradients s = cell == RnnCell::lstm
                          ? lstm_step(at(gates), at(g_gates), at(c_in), at(cells), gh_t, gc_t)
                      : cell == RnnCell::gru ? gru_step(at(gates), at(g_gates), at(h_in), gh_t)
                                             : plain_step(at(out), gh_t, cell == RnnCell::relu);
    Tensor through = mm(s.p, w);
    gh = put_first(gh, s.gh.defined() ? s.gh + through : through);
    if (gc.defined()) gc = put_first(gc, s.gc);
    x[size_t(t)] = s.x;
    p[size_t(t)] = s.p;
  }
  Tensor all = cat(x);
  return {all, cell == RnnCell::gru ? cat(p) : all, gh, gc};
}

}  // namespace

static void scan_vjp(Vjp& v, const Tensor&, const Tensor& h, const Tensor& c, const Tensor& w,
                     const Tensor& b, std::string_view mode, Ints sizes, bool reverse) {
  RnnCell cell = rnn_cell(mode);
  bool gated = cell == RnnCell::lstm || cell == RnnCell::gru;
  Tensor out = v.out(0), cells = v.out(1), gates = v.out(2);
  int64_t rows = out.sizes()[0];
  if (rows == 0) {
    for (int k = 0; k < 5; ++k)
      if ((k != 2 || c.defined()) && (k != 4 || b.defined()) && v.needs(k))
        v.set(k, zeros(v.sizes(k), v.dtype(k), out.device()));
    return;
  }
  RnnSteps steps(sizes, rows, h.sizes()[0]);
  const Tensor &g_cells = c.defined() ? v.g(1) : no_tensor, &g_gates = gated ? v.g(2) : no_tensor;
  ScanGradients s;
  if (grad_mode.enabled) {
    s = scan_formula(v.g(0), g_cells, g_gates, h, c, w, out, cells, gates, cell, steps, reverse);
  } else {
    Results r = call_all(rows::rnn_scan_backward, v.g(0), g_cells, g_gates, h, c, w, out, cells,
                         gates, mode, sizes, reverse);
    s = {r[0], cell == RnnCell::gru ? r[1] : r[0], r[2], r[3]};
  }
  if (v.needs(0)) v.set(0, s.x);
  if (v.needs(1)) v.set(1, s.h);
  if (c.defined() && v.needs(2)) v.set(2, s.c);
  if (v.needs(3)) v.set(3, mm(transpose(s.p, 0, 1), states_before(out, h, steps, reverse)));
  if (b.defined() && v.needs(4)) v.set(4, sum(s.p, {0}));
}
KG_ROW(rnn_scan,
       "_rnn_scan(Tensor input, Tensor h, Tensor? c, Tensor weight, Tensor? bias, str mode, int[] "
       "sizes, bool reverse) -> (Tensor output, Tensor cells, Tensor gates)",
       .grad = vjp<&scan_vjp>("#input h c weight #bias output cells gates"),
       .infer = infer<&scan_infer>, .as = kInternal, .autocast = Autocast::lower,
       .doc =
           "A recurrent layer in one direction from the products of its inputs; sizes are the "
           "sequences at each step, none where all have one length.")

static void scan_backward_infer(Infer& o, const Tensor&, const Tensor&, const Tensor&,
                                const Tensor& h, const Tensor& c, const Tensor& w,
                                const Tensor& out, const Tensor&, const Tensor&,
                                std::string_view mode, Ints, bool) {
  int64_t rows = out.sizes()[0], wide = w.sizes()[0];
  o.out(Dims{rows, wide}, out.dtype());
  o.out(Dims{rnn_cell(mode) == RnnCell::gru ? rows : 0, wide}, out.dtype());
  o.out(h.sizes(), out.dtype());
  o.out(Dims{c.defined() ? h.sizes()[0] : 0, h.sizes()[1]}, out.dtype());
}
KG_ROW(
    rnn_scan_backward,
    "_rnn_scan_backward(Tensor? grad_output, Tensor? grad_cells, Tensor? grad_gates, Tensor h, "
    "Tensor? c, Tensor weight, Tensor output, Tensor cells, Tensor gates, str mode, int[] sizes, "
    "bool reverse) -> (Tensor input, Tensor products, Tensor h_grad, Tensor c_grad)",
    .grad = nondiff("recorded backward passes use the formula"),
    .infer = infer<&scan_backward_infer>, .as = kInternal,
    .doc = "The gradients of a recurrence, but for those of its weight and bias.")

}  // namespace kagari
