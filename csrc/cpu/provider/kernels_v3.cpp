// The matrix product's inner kernels for AVX2 with FMA.
#include "cpu/provider/kernels_head.h"

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx,avx2,fma,f16c,bmi,bmi2")
#define KG_SET v3
#define KG_BYTES 32
#define KG_ROWS 6
#include "cpu/provider/kernels.inc"
#pragma GCC pop_options
#endif
