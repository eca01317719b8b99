// Scaled dot-product attention in tiles: scores are never stored as a whole. Kernels forward and
// backward; the formula when the backward itself is recorded.
#include "ops/attention.h"

#include <algorithm>
#include <limits>

#include "ops/creation.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "ops/views.h"

namespace kagari {

// A head's scores are dropped where `kept`, of bools, is false; weights that stay are divided by
// 1 - dropped.
struct Dropping {
  const Tensor& kept;
  double dropped;
};
static void check_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask,
                            const Dropping& drop) {
  KG_CHECK_IMPLEMENTED(q.dtype() == Dtype::f32 || q.dtype() == Dtype::f64,
                       "expected float32 or float64, got ", q.dtype(), "; convert with .float()");
  for (const Tensor* t : {&k, &v})
    KG_CHECK(t->dtype() == q.dtype(), "expected query, key and value of one dtype, got ", q.dtype(),
             " and ", t->dtype());
  bool fits = q.dim() == 4 && k.dim() == 4 && v.dim() == 4;
  if (fits) {
    Ints a = q.sizes(), b = k.sizes(), c = v.sizes();
    fits = a[0] == b[0] && b[0] == c[0] && b[1] == c[1] && b[2] == c[2] && a[3] == b[3] &&
           (b[1] ? a[1] % b[1] == 0 : a[1] == 0);
  }
  KG_CHECK(fits, "expected query (B, G H, L, E), key (B, H, S, E) and value (B, H, S, F), got ",
           q.sizes(), ", ", k.sizes(), " and ", v.sizes());
  Dims scores{q.sizes()[0], q.sizes()[1], q.sizes()[2], k.sizes()[2]};
  if (drop.kept.defined())
    KG_CHECK(drop.kept.dtype() == Dtype::boolean && drop.kept.sizes() == Ints(scores) &&
                 drop.kept.is_contiguous(),
             "expected `kept` of contiguous bools of shape ", Ints(scores), ", got ",
             drop.kept.sizes(), " of ", drop.kept.dtype());
  KG_CHECK(drop.dropped >= 0 && drop.dropped < 1, "expected 0 <= dropped < 1, got ", drop.dropped);
  if (!mask.defined()) return;
  KG_CHECK(mask.dtype() == q.dtype() && mask.sizes() == Ints(scores), "expected a mask of shape ",
           Ints(scores), " and dtype ", q.dtype(), ", got ", mask.sizes(), " and ", mask.dtype());
  KG_CHECK(mask.strides()[3] == 1 || k.sizes()[2] <= 1, "expected a mask with contiguous rows");
}

// A result of t's shape with contiguous rows, and with t's order of dimensions where that allows.
static void rows_like(Infer& o, const Tensor& t) {
  int64_t last = t.dim() - 1;
  if (!t.is_contiguous() && t.strides()[last] == 1) {
    Spec& s = o.like(t);
    if (!s.has_strides || s.strides[last] == 1) return;
    s.has_strides = false;
    return;
  }
  o.out(t.sizes(), t.dtype());
}

static void attention_infer(Infer& o, const Tensor& q, const Tensor& k, const Tensor& v,
                            const Tensor& mask, double, bool, const Tensor& kept, double dropped) {
  check_attention(q, k, v, mask, {kept, dropped});
  Ints a = q.sizes();
  if (v.sizes()[3] == a[3])
    rows_like(o, q);
  else
    o.out(Dims{a[0], a[1], a[2], v.sizes()[3]}, q.dtype());
  o.out(Dims{a[0], a[1], a[2]}, q.dtype());
}

namespace {

struct AttentionGradients {
  Tensor q, k, v;
};

// Weights (B, H, G, L, S) from queries (B, H, G, L, E) and keys (B, H, 1, S, E).
Tensor attention_weights(const Tensor& q, const Tensor& k, const Tensor& mask, double scale,
                         bool causal) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  Tensor scores = matmul(q * scale, transpose(k, -2, -1));
  int64_t n = scores.dim();
  if (mask.defined()) scores = scores + reshape(mask, scores.sizes());
  if (causal) {
    Dims square{scores.sizes()[n - 2], scores.sizes()[n - 1]};
    scores =
        where(call(rows::tril, ones(square, Dtype::boolean, q.device()), int64_t(0)), scores, -inf);
  }
  // A row without any place left gives zeros, as the kernel's does.
  Tensor hidden = eq(amax(scores, {-1}, true), -inf);
  return where(hidden, 0.0, softmax(where(hidden, 0.0, scores), -1));
}

AttentionGradients attention_formula(const Tensor& g, const Tensor& q, const Tensor& k,
                                     const Tensor& v, const Tensor& mask, double scale, bool causal,
                                     const Dropping& drop) {
  Ints a = q.sizes(), b = k.sizes();
  if (q.numel() == 0 || k.numel() == 0 || v.numel() == 0)
    return {zeros_like(q), zeros_like(k), zeros_like(v)};
  int64_t groups = a[1] / b[1], f = v.sizes()[3];
  Tensor q5 = reshape(q, Dims{a[0], b[1], groups, a[2], a[3]}), k5 = unsqueeze(k, 2),
         v5 = unsqueeze(v, 2), g5 = reshape(g, Dims{a[0], b[1], groups, a[2], f});
  Tensor w = attention_weights(q5, k5, mask, scale, causal);
  Tensor gw = matmul(g5, transpose(v5, -2, -1)), left = w;
  if (drop.kept.defined()) {
    Tensor factor = where(reshape(drop.kept, w.sizes()), 1 / (1 - drop.dropped), zeros_like(w));
    left = w * factor, gw = gw * factor;
  }
  Tensor gs = w * (gw - sum(gw * w, {-1}, true)) * scale;
  return {reshape(matmul(gs, k5), a), sum(matmul(transpose(gs, -2, -1), q5), {2}),
          sum(matmul(transpose(left, -2, -1), g5), {2})};
}

}  // namespace

// Whether query, key and value lie side by side in one tensor, as parts of one projection do.
static bool side_by_side(const Tensor& q, const Tensor& k, const Tensor& v) {
  if (q.sizes() != k.sizes() || q.sizes() != v.sizes() || q.strides() != k.strides() ||
      q.strides() != v.strides() || q.numel() == 0 || q.strides()[3] != 1 || !q->storage ||
      q->storage != k->storage || q->storage != v->storage)
    return false;
  int64_t at[3] = {q.offset(), k.offset(), v.offset()};
  std::sort(at, at + 3);
  int64_t step = at[1] - at[0];
  if (step == 0 || at[2] - at[1] != step) return false;
  Dims sizes(q.sizes()), strides(q.strides());
  sizes.push_back(3), strides.push_back(step);
  return is_non_overlapping_and_dense(sizes, strides);
}
static bool to_leaf(const Vjp& v, int param) {
  return v.node().d.edges[v.node().d.first_edge[param]].node->d.variable;
}

static void attention_vjp(Vjp& v, const Tensor& query, const Tensor& key, const Tensor& value,
                          const Tensor& mask, double scale, bool causal, const Tensor& kept,
                          double dropped) {
  bool want_q = v.needs(0), want_k = v.needs(1), want_v = v.needs(2);
  AttentionGradients d;
  if (grad_mode.enabled) {
    d = attention_formula(v.g(), query, key, value, mask, scale, causal, {kept, dropped});
  } else {
    Tensor g = v.g().strides()[3] == 1 ? v.g() : clone(v.g(), MemoryFormat::contiguous);
    // Gradients that go on to one tensor lie side by side as it does, so that nothing has to join
    // them. A leaf owns its gradient's memory alone.
    bool joined = want_q && want_k && want_v && !to_leaf(v, 0) && !to_leaf(v, 1) &&
                  !to_leaf(v, 2) && side_by_side(query, key, value);
    Results r = call_all(rows::attention_backward, g, query, key, value, mask, v.out(0), v.out(1),
                         scale, causal, want_q, want_k || want_v, kept, dropped, joined);
    if (joined) {
      int64_t first = std::min({query.offset(), key.offset(), value.offset()});
      auto part = [&](const Tensor& t) {
        return alias(r[0], t.sizes(), t.strides(), t.offset() - first);
      };
      d = {part(query), part(key), part(value)};
    } else {
      d = {std::move(r[0]), std::move(r[1]), std::move(r[2])};
    }
  }
  if (want_q) v.set(0, std::move(d.q));
  if (want_k) v.set(1, std::move(d.k));
  if (want_v) v.set(2, std::move(d.v));
}
KG_ROW(attention,
       "_attention(Tensor query, Tensor key, Tensor value, Tensor? mask, float scale, bool "
       "is_causal, Tensor? kept=None, float dropped=0.0) -> (Tensor output, Tensor lse)",
       .grad = vjp<&attention_vjp>("query key value mask kept output lse", 1),
       .infer = infer<&attention_infer>, .as = kInternal,
       .doc =
           "softmax(scale Q K^T + mask) V, and the logarithm of each row's sum of exponentials; "
           "the mask carries no gradient. Weights are dropped where kept is false, the others "
           "divided by 1 - dropped.")

static void attention_backward_infer(Infer& o, const Tensor& g, const Tensor& q, const Tensor& k,
                                     const Tensor& v, const Tensor& mask, const Tensor& out,
                                     const Tensor& lse, double, bool, bool need_q, bool need_kv,
                                     const Tensor& kept, double dropped, bool joined) {
  check_attention(q, k, v, mask, {kept, dropped});
  KG_CHECK(g.sizes() == out.sizes() && g.dtype() == q.dtype() && out.dtype() == q.dtype(),
           "expected a gradient and an output of one shape and of dtype ", q.dtype(), ", got ",
           g.sizes(), " and ", out.sizes());
  Ints a = q.sizes();
  KG_CHECK(out.dim() == 4 && out.sizes() == Ints(Dims{a[0], a[1], a[2], v.sizes()[3]}) &&
               lse.sizes() == Ints(Dims{a[0], a[1], a[2]}) && lse.dtype() == q.dtype() &&
               lse.is_contiguous(),
           "expected what the forward pass has given, got an output ", out.sizes(), " and lse ",
           lse.sizes());
  KG_CHECK(g.strides()[3] == 1 && out.strides()[3] == 1,
           "expected contiguous rows of the gradient and the output");
  Dims none{0};
  if (joined) {
    KG_CHECK(need_q && need_kv && side_by_side(q, k, v),
             "expected query, key and value side by side in one tensor");
    o.out(Dims{3 * q.numel()}, q.dtype());
    o.out(none, q.dtype());
    o.out(none, q.dtype());
    return;
  }
  if (need_q)
    rows_like(o, q);
  else
    o.out(none, q.dtype());
  for (const Tensor* t : {&k, &v})
    if (need_kv)
      rows_like(o, *t);
    else
      o.out(none, q.dtype());
}
KG_ROW(attention_backward,
       "_attention_backward(Tensor grad, Tensor query, Tensor key, Tensor value, Tensor? mask, "
       "Tensor output, Tensor lse, float scale, bool is_causal, bool need_query, bool need_key, "
       "Tensor? kept=None, float dropped=0.0, bool joined=False) -> (Tensor dq, Tensor dk, Tensor "
       "dv)",
       .grad = nondiff("recorded backward passes use the formula"),
       .infer = infer<&attention_backward_infer>, .as = kInternal,
       .doc =
           "The gradients of _attention by query, key and value. Joined they are one result, in "
           "whose memory they lie as query, key and value lie in theirs.")

}  // namespace kagari
