// Connectionist temporal classification: the sums over alignments and their gradient, for one
// derivative; more of them come from the same recurrence in tensor operations.
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(ctc_alpha)
KG_DECLARE_ROW(ctc_grad)

namespace {

void check_lengths(const Tensor& log_probs, const Tensor& targets, Ints input_lengths,
                   Ints target_lengths, int64_t blank) {
  KG_CHECK(log_probs.dim() == 3 && targets.dim() == 2 && targets.dtype() == Dtype::i64,
           "expected log_probs (T, N, C) and int64 targets (N, S), got ", describe(log_probs),
           " and ", describe(targets));
  KG_CHECK_IMPLEMENTED(log_probs.dtype() == Dtype::f32 || log_probs.dtype() == Dtype::f64,
                       "is not implemented for ", log_probs.dtype(),
                       "; convert log_probs with .float()");
  int64_t time = log_probs.sizes()[0], batch = log_probs.sizes()[1];
  KG_CHECK(batch == targets.sizes()[0] && batch == input_lengths.n && batch == target_lengths.n,
           "expected as many targets and lengths as sequences, got ", batch, " sequences, ",
           targets.sizes()[0], " targets, ", input_lengths.n, " and ", target_lengths.n,
           " lengths");
  for (int64_t n = 0; n < batch; ++n) {
    KG_CHECK(input_lengths[n] >= 0 && input_lengths[n] <= time,
             "expected input_lengths to have value at most ", time, ", but got value ",
             input_lengths[n]);
    KG_CHECK(target_lengths[n] >= 0 && target_lengths[n] <= targets.sizes()[1],
             "expected target_lengths to have value at most ", targets.sizes()[1],
             ", but got value ", target_lengths[n]);
  }
  KG_CHECK(blank >= 0 && blank < log_probs.sizes()[2], "blank must be in label range, got ", blank,
           " of ", log_probs.sizes()[2], " classes");
}
void alpha_infer(Infer& o, const Tensor& log_probs, const Tensor& targets, Ints input_lengths,
                 Ints target_lengths, int64_t blank) {
  check_lengths(log_probs, targets, input_lengths, target_lengths, blank);
  int64_t time = log_probs.sizes()[0], batch = log_probs.sizes()[1];
  o.out({batch}, log_probs.dtype());
  o.out({batch, time, 2 * targets.sizes()[1] + 1}, log_probs.dtype());
}
void grad_infer(Infer& o, const Tensor& grad, const Tensor& log_probs, const Tensor& targets,
                Ints input_lengths, Ints target_lengths, int64_t blank, const Tensor& loss,
                const Tensor& log_alpha, bool) {
  check_lengths(log_probs, targets, input_lengths, target_lengths, blank);
  KG_INTERNAL(grad.sizes() == loss.sizes() && grad.dtype() == log_probs.dtype() &&
                  log_alpha.dim() == 3 && log_alpha.sizes()[2] == 2 * targets.sizes()[1] + 1,
              "the arguments are not of one call");
  o.out(log_probs.sizes(), log_probs.dtype());
}

}  // namespace

KG_ROW(ctc_alpha,
       "_ctc_alpha(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, "
       "int blank) -> (Tensor loss, Tensor log_alpha)",
       .grad = nondiff("the op that calls it says its gradient"), .infer = infer<&alpha_infer>,
       .as = kInternal,
       .doc = "Losses, and log probabilities of the beginnings that end at each label.")
KG_ROW(ctc_grad,
       "_ctc_grad(Tensor grad, Tensor log_probs, Tensor targets, int[] input_lengths, int[] "
       "target_lengths, int blank, Tensor loss, Tensor log_alpha, bool zero_infinity) -> Tensor",
       .grad = nondiff("the op that calls it says its gradient"), .infer = infer<&grad_infer>,
       .as = kInternal, .doc = "The gradient of the losses by log_probs.")

}  // namespace kagari
