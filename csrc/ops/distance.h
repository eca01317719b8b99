// Rows of the distances between rows of matrices.
#pragma once
#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(cdist_forward)
KG_DECLARE_ROW(cdist_backward)
KG_DECLARE_ROW(pdist_forward)
KG_DECLARE_ROW(pdist_backward)
KG_DECLARE_ROW(cosines)
KG_DECLARE_ROW(cosines_backward)
KG_DECLARE_ROW(distances)
KG_DECLARE_ROW(distances_backward)

}  // namespace kagari
