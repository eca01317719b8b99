// Normalisation by name, for C++.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(layer_norm)
KG_DECLARE_ROW(rms_norm)
KG_DECLARE_ROW(group_norm)
KG_DECLARE_ROW(layer_norm_backward)
KG_DECLARE_ROW(group_norm_backward)
KG_DECLARE_ROW(batch_norm_train)
KG_DECLARE_ROW(batch_norm_train_backward)
KG_DECLARE_ROW(batch_norm_eval)

}  // namespace kagari
