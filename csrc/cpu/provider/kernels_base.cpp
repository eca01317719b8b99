// The matrix product's inner kernels for the baseline: vectors of 16 bytes.
#include "cpu/provider/kernels_head.h"

#define KG_SET base
#define KG_BYTES 16
#define KG_ROWS 6
#include "cpu/provider/kernels.inc"
