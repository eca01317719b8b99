// Throwing: kept out of line so that checks cost one branch.
#include "core/error.h"

namespace kagari {

void throw_python_error() { throw Error(ErrorKind::python, "a Python exception is set"); }
void throw_error(ErrorKind kind, std::string message) { throw Error(kind, std::move(message)); }
void throw_internal(const char* file, int line, const char* condition, std::string message) {
  throw Error(ErrorKind::internal,
              concat("internal error in kagari at ", file, ":", line, " (", condition, ") ",
                     message, "; this is a fault of the library, please report it"));
}

}  // namespace kagari
