// The pointwise class in float64.
#include "cpu/pointwise.h"
#include "cpu/pointwise_kernels.h"

namespace kagari::KG_ISA {
const SpanTable pointwise_f64 = make_table<double>();
}
