// The pointwise class in complex numbers.
#define KG_ISA portable
#include "cpu/pointwise.h"
#include "cpu/pointwise_kernels.h"

namespace kagari::portable {
const SpanTable pointwise_c64 = make_table<std::complex<float>>();
const SpanTable pointwise_c128 = make_table<std::complex<double>>();
}  // namespace kagari::portable
