// The contract between the optimisers (cpu/optim.cpp) and their loops: n contiguous numbers of
// float or double.
#pragma once
#include <cstdint>

#include "cpu/isa.h"

namespace kagari {

struct AdamStep {
  double lr, beta1, beta2, weight_decay, eps;
  double step_size, root_correction2;  // lr / (1 - beta1^t), sqrt(1 - beta2^t)
  double inverse_scale;                // of the gradient; 1 without a grad scaler
  bool decoupled, amsgrad, maximize, scaled;
};
struct SgdStep {
  double lr, weight_decay, momentum, dampening, inverse_scale;
  bool nesterov, maximize, first, scaled;
};

struct OptimTable {
  void (*adam_f32)(const AdamStep& s, float* p, float* g, float* m, float* v, float* top,
                   int64_t n);
  void (*adam_f64)(const AdamStep& s, double* p, double* g, double* m, double* v, double* top,
                   int64_t n);
  void (*sgd_f32)(const SgdStep& s, float* p, float* g, float* b, int64_t n);
  void (*sgd_f64)(const SgdStep& s, double* p, double* g, double* b, int64_t n);
};

KG_ISA_TABLE(OptimTable, optim_table)

}  // namespace kagari
