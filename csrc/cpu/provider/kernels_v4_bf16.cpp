// The matrix product's inner kernels for bfloat16 where the processor multiplies pairs of them
// (AVX512_BF16).
#include "cpu/provider/kernels_head.h"

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target( \
    "avx,avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx512bf16")
#define KG_SET v4_bf16
#define KG_BYTES 64
#define KG_ROWS 12
#define KG_PAIRS 1
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // undefined vectors inside the intrinsics
#include "cpu/provider/kernels.inc"
#pragma GCC pop_options
#endif
