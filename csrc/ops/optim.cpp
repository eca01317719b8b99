// Optimisers: one update for all parameters of a group.
#include "ops/call.h"

namespace kagari {

static constexpr const char* kUpdate =
    "an optimiser's step is not differentiated; its differentiable=True form is";

static void check_lists(TensorList params,
                        std::initializer_list<std::pair<const char*, TensorList>> others,
                        bool may_be_empty) {
  for (auto& [name, list] : others) {
    if (list.n == 0 && may_be_empty) continue;
    KG_CHECK(list.n == params.n, "expected as many ", name, " as parameters (", params.n, "), got ",
             list.n);
    for (int64_t i = 0; i < params.n; ++i)
      KG_CHECK(list[i].sizes() == params[i].sizes() && list[i].dtype() == params[i].dtype(),
               "parameter ", i, " is ", describe(params[i]), ", but its entry in ", name, " is ",
               describe(list[i]), "; load a state that belongs to these parameters");
  }
  for (int64_t i = 0; i < params.n; ++i)
    KG_CHECK_IMPLEMENTED(is_floating(params[i].dtype()), "parameter ", i, " has dtype ",
                         params[i].dtype(), "; expected a floating point dtype");
}
static void check_steps(TensorList params, TensorList steps) {
  KG_CHECK(steps.n == params.n, "expected as many state_steps as parameters (", params.n, "), got ",
           steps.n);
  for (int64_t i = 0; i < steps.n; ++i)
    KG_CHECK(steps[i].numel() == 1 && is_floating(steps[i].dtype()),
             "state_steps hold one floating point number each, got ", describe(steps[i]));
}

static void adam_infer(Infer&, TensorList params, TensorList grads, TensorList means,
                       TensorList squares, TensorList maxima, TensorList steps, double, double,
                       double, double, double, bool amsgrad, bool, const Tensor&, const Tensor&) {
  check_lists(params, {{"grads", grads}, {"exp_avgs", means}, {"exp_avg_sqs", squares}}, false);
  check_lists(params, {{"max_exp_avg_sqs", maxima}}, !amsgrad);
  check_steps(params, steps);
}
#define KG_ADAM_TEXT                                                                          \
  "(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] exp_avgs, Tensor(d!)[] exp_avg_sqs, " \
  "Tensor(e!)[] max_exp_avg_sqs, Tensor[] "                                                   \
  "state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps, bool "  \
  "amsgrad, bool maximize, Tensor? grad_scale=None, "                                         \
  "Tensor? found_inf=None) -> ()"
KG_ROW(fused_adam, "_fused_adam_" KG_ADAM_TEXT, .grad = nondiff(kUpdate),
       .infer = infer<&adam_infer>, .as = kFunction | kNoOut,
       .doc = "One step of Adam for all parameters; weight decay is added to the gradient.")
KG_ROW(fused_adamw, "_fused_adamw_" KG_ADAM_TEXT, .grad = nondiff(kUpdate),
       .infer = infer<&adam_infer>, .as = kFunction | kNoOut,
       .doc = "One step of AdamW for all parameters; weight decay shrinks the parameter.")

static void sgd_infer(Infer&, TensorList params, TensorList grads, TensorList buffers, double,
                      double momentum, double, double, bool, bool, bool, const Tensor&,
                      const Tensor&) {
  check_lists(params, {{"grads", grads}}, false);
  check_lists(params, {{"momentum_buffer_list", buffers}}, momentum == 0);
}
KG_ROW(fused_sgd,
       "_fused_sgd_(Tensor(a!)[] self, Tensor(b!)[] grads, Tensor(c!)[] momentum_buffer_list, *, "
       "float weight_decay, float momentum, float lr, float "
       "dampening, bool nesterov, bool maximize, bool is_first_step, Tensor? grad_scale=None, "
       "Tensor? found_inf=None) -> ()",
       .grad = nondiff(kUpdate), .infer = infer<&sgd_infer>, .as = kFunction | kNoOut,
       .doc = "One step of SGD for all parameters.")

}  // namespace kagari
