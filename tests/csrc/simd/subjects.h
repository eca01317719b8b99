// What the accuracy program asks of one instruction set's build: functions over arrays, by name.
#pragma once

#include <cstddef>

namespace kagari_test {

struct Subject {
  const char* name;
  int arity;
  void (*f32)(const float* x, const float* y, float* out, std::size_t n);
  void (*f64)(const double* x, const double* y, double* out, std::size_t n);
  // The scalar overloads, which must give the lanes' bits.
  float (*s32)(float x, float y);
  double (*s64)(double x, double y);
};

struct Build {
  const char* isa;
  const Subject* subjects;
  int count;
};

}  // namespace kagari_test
