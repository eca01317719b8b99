// Throwing: kept out of line so that checks cost one branch.
#include "core/error.h"

#include <sstream>

namespace kagari {

void Piece::write_text(std::ostream& out, const void* text) {
  out << static_cast<const char*>(text);
}

std::string join_pieces(Pieces pieces) {
  std::ostringstream out;
  out << std::boolalpha;
  for (const Piece& piece : pieces) piece.to(out);
  return std::move(out).str();
}

void throw_python_error() { throw Error(ErrorKind::python, "a Python exception is set"); }
void throw_error(ErrorKind kind, std::string message) { throw Error(kind, std::move(message)); }
void throw_pieces(ErrorKind kind, Pieces pieces) { throw Error(kind, join_pieces(pieces)); }
void throw_internal(const char* file, int line, const char* condition, Pieces pieces) {
  throw Error(ErrorKind::internal,
              concat("internal error in kagari at ", file, ":", line, " (", condition, ") ",
                     join_pieces(pieces), "; this is a fault of the library, please report it"));
}

}  // namespace kagari
