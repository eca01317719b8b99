// Fourier transforms by name, for C++.
#pragma once
#include <string_view>

#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(fft_c2c)
KG_DECLARE_ROW(fft_r2c)
KG_DECLARE_ROW(fft_c2r)

// What a transform of `count` elements is multiplied by.
double fft_scale(std::string_view scale, double count);

}  // namespace kagari
