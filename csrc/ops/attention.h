// Fused attention by name, for C++.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(attention)
KG_DECLARE_ROW(attention_backward)

}  // namespace kagari
