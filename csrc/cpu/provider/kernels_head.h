// What the kernels include, before a file switches the compiler's target: inline functions of the
// standard library must be compiled for the baseline, since the linker keeps one copy of each.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/dtype.h"
#include "cpu/provider/kernels.h"
