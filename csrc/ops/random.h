// Random numbers by name, for C++.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(uniform)
KG_DECLARE_ROW(normal)
KG_DECLARE_ROW(bernoulli)
KG_DECLARE_ROW(dropout)

}  // namespace kagari
