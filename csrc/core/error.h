// Errors: the user's fault (KG_CHECK and its kin) and our own fault (KG_INTERNAL) are two different
// calls.
#pragma once
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <ostream>
#include <string>

namespace kagari {

// The Python class an error becomes at the boundary.
enum class ErrorKind : uint8_t {
  runtime,
  value,
  type,
  index,
  not_implemented,
  out_of_memory,
  internal,
  python,  // a Python exception is already set
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
  std::string message_;
};

// Thrown when a Python exception is set and only has to be carried to the boundary.
[[noreturn]] void throw_python_error();
[[noreturn]] void throw_error(ErrorKind kind, std::string message);

// A piece of a message: where the value lies and how it is written. Messages are put together in
// one place: hundreds of checks would each bring their own code for it otherwise, most of a file.
class Piece {
 public:
  Piece(const char* text) : value_(text), write_(&write_text) {}
  template <class T>
  Piece(const T& value) : value_(&value), write_(&write<T>) {}
  void to(std::ostream& out) const { write_(out, value_); }

 private:
  static void write_text(std::ostream& out, const void* text);
  template <class T>
  static void write(std::ostream& out, const void* value) {
    out << *static_cast<const T*>(value);
  }
  const void* value_;
  void (*write_)(std::ostream&, const void*);
};
using Pieces = std::initializer_list<Piece>;

std::string join_pieces(Pieces pieces);
[[noreturn]] void throw_pieces(ErrorKind kind, Pieces pieces);
[[noreturn]] void throw_internal(const char* file, int line, const char* condition, Pieces pieces);

template <class... Parts>
std::string concat(const Parts&... parts) {
  return join_pieces({parts...});
}

}  // namespace kagari

// Messages say what was expected, what came and the way out. The binding puts "op: " in front of
// each.
#define KG_FAIL(kind, ...) ::kagari::throw_pieces(::kagari::ErrorKind::kind, {__VA_ARGS__})
#define KG_CHECK_AS(kind, condition, ...)                              \
  do {                                                                 \
    if (__builtin_expect(!(condition), 0)) KG_FAIL(kind, __VA_ARGS__); \
  } while (0)
#define KG_CHECK(condition, ...) KG_CHECK_AS(runtime, condition, __VA_ARGS__)
#define KG_CHECK_VALUE(condition, ...) KG_CHECK_AS(value, condition, __VA_ARGS__)
#define KG_CHECK_TYPE(condition, ...) KG_CHECK_AS(type, condition, __VA_ARGS__)
#define KG_CHECK_INDEX(condition, ...) KG_CHECK_AS(index, condition, __VA_ARGS__)
#define KG_CHECK_IMPLEMENTED(condition, ...) KG_CHECK_AS(not_implemented, condition, __VA_ARGS__)
#define KG_INTERNAL(condition, ...)                                            \
  do {                                                                         \
    if (__builtin_expect(!(condition), 0))                                     \
      ::kagari::throw_internal(__FILE__, __LINE__, #condition, {__VA_ARGS__}); \
  } while (0)
