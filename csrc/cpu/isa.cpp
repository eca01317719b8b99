// Asks the processor once which kernels it can run.
#include "cpu/isa.h"

#include <cstdlib>
#include <cstring>

namespace kagari {

namespace {
int detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  int level = __builtin_cpu_supports("x86-64-v4") ? 4 : __builtin_cpu_supports("x86-64-v3") ? 3 : 2;
  if (const char* wish = std::getenv("KAGARI_ISA")) {
    for (int lower = 2; lower < level; ++lower) {
      const char text[] = {'v', char('0' + lower), 0};
      if (std::strcmp(wish, text) == 0) return lower;
    }
  }
  return level;
#else
  return 0;
#endif
}
}  // namespace

int isa_level() {
  static const int level = detect();
  return level;
}

}  // namespace kagari
