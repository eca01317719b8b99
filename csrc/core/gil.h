// Where counts change the GIL is held: builds with sanitizers look, others trust.
#pragma once

namespace kagari {

#ifdef KG_SANITIZE
void check_gil();  // aborts where the GIL is not held
#else
inline void check_gil() {}
#endif

}  // namespace kagari
