// The pointwise class in float32.
#include "cpu/pointwise.h"
#include "cpu/pointwise_kernels.h"

namespace kagari::KG_ISA {
const SpanTable pointwise_f32 = make_table<float>();
}
