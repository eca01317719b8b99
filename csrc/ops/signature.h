// Signatures: the text `sum.dim(Tensor input, int[1]? dim, bool keepdim=False) -> Tensor`, read at
// compile time.
//
// A signature that does not read is a compile error whose text names the fault. From the one text
// follow the argument parser, the error messages, the stub, the docs page and the check that a
// row's C++ functions take these arguments.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/value.h"

namespace kagari {

enum class ArgType : uint8_t {
  tensor,   // Tensor
  tensors,  // Tensor[] or Tensor?[]
  operand,  // Operand: a tensor or a number
  scalar,   // Scalar: a number
  integer,  // int
  real,     // float
  boolean,  // bool
  ints,  // int[], int[2] (an int is repeated), int[*] (may be spread over the positional arguments)
  reals,          // float[]
  dtype,          // ScalarType
  device,         // Device
  memory_format,  // MemoryFormat
  layout,         // Layout
  string,         // str
  generator,      // Generator
  any,            // Any: any Python object; Python composites only
};

struct Param {
  std::string_view name;
  std::string_view default_text;  // empty: required
  ArgType type = ArgType::tensor;
  bool optional = false;           // Tensor?: None is accepted
  bool elements_optional = false;  // Tensor?[]
  bool keyword_only = false;
  bool mutated = false;  // Tensor(a!)
  bool has_default = false;
  bool spread = false;  // int[*]
  int8_t repeat = 0;    // int[2]: an int stands for 2 of it; int[1]: for a list of one
};

inline constexpr int kMaxParams = 20;
inline constexpr int kMaxResults = 5;

struct Signature {
  std::string_view text;
  std::string_view name;      // "sum"
  std::string_view overload;  // "dim", or empty
  std::array<Param, kMaxParams> params{};
  std::array<std::string_view, kMaxResults> results{};  // names, empty where unnamed
  int count = 0;
  int result_count = 0;
  bool result_list = false;  // -> Tensor[]

  constexpr int find(std::string_view param) const {
    for (int i = 0; i < count; ++i)
      if (params[size_t(i)].name == param) return i;
    return -1;
  }
  constexpr int find_result(std::string_view result) const {
    if (result == "result" && result_count == 1) return 0;
    for (int i = 0; i < result_count; ++i)
      if (results[size_t(i)] == result) return i;
    return -1;
  }
};

namespace detail {

struct Reader {
  std::string_view s;
  size_t at = 0;

  constexpr void spaces() {
    while (at < s.size() && s[at] == ' ') ++at;
  }
  constexpr bool take(std::string_view word) {
    if (s.substr(at, word.size()) != word) return false;
    at += word.size();
    return true;
  }
  static constexpr bool word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  constexpr std::string_view word() {
    size_t begin = at;
    while (at < s.size() && word_char(s[at])) ++at;
    if (begin == at) throw "signature: a name is missing";
    return s.substr(begin, at - begin);
  }
};

constexpr ArgType read_type_name(std::string_view w) {
  if (w == "Tensor") return ArgType::tensor;
  if (w == "Operand") return ArgType::operand;
  if (w == "Scalar") return ArgType::scalar;
  if (w == "int") return ArgType::integer;
  if (w == "float") return ArgType::real;
  if (w == "bool") return ArgType::boolean;
  if (w == "ScalarType") return ArgType::dtype;
  if (w == "Device") return ArgType::device;
  if (w == "MemoryFormat") return ArgType::memory_format;
  if (w == "Layout") return ArgType::layout;
  if (w == "str") return ArgType::string;
  if (w == "Generator") return ArgType::generator;
  if (w == "Any") return ArgType::any;
  throw "signature: unknown type; the types stand in ArgType (ops/signature.h)";
}

constexpr Param read_param(Reader& r) {
  Param p;
  p.type = read_type_name(r.word());
  if (r.take("(")) {  // alias annotation: (a) or (a!)
    r.word();
    p.mutated = r.take("!");
    if (!r.take(")")) throw "signature: ')' is missing after the alias annotation";
  }
  bool element_optional = r.take("?");
  if (r.take("[")) {
    if (p.type == ArgType::tensor) {
      p.type = ArgType::tensors;
    } else if (p.type == ArgType::integer) {
      p.type = ArgType::ints;
    } else if (p.type == ArgType::real) {
      p.type = ArgType::reals;
    } else {
      throw "signature: lists hold Tensor, int or float";
    }
    p.elements_optional = element_optional;
    if (r.take("*")) {
      p.spread = true;
    } else {
      while (r.s[r.at] >= '0' && r.s[r.at] <= '9')
        p.repeat = int8_t(p.repeat * 10 + (r.s[r.at++] - '0'));
    }
    if (!r.take("]")) throw "signature: ']' is missing";
    p.optional = r.take("?");
  } else {
    p.optional = element_optional;
  }
  r.spaces();
  p.name = r.word();
  if (r.take("=")) {
    p.has_default = true;
    size_t begin = r.at;
    int depth = 0;
    while (r.at < r.s.size() && (depth > 0 || (r.s[r.at] != ',' && r.s[r.at] != ')'))) {
      depth += r.s[r.at] == '[' ? 1 : r.s[r.at] == ']' ? -1 : 0;
      ++r.at;
    }
    p.default_text = r.s.substr(begin, r.at - begin);
    if (p.default_text.empty()) throw "signature: a default is missing after '='";
    if (p.default_text == "None" && !p.optional)
      throw "signature: None is the default of a type without '?'";
  }
  return p;
}

}  // namespace detail

constexpr Signature read_signature(std::string_view text) {
  detail::Reader r{text};
  Signature sig;
  sig.text = text;
  sig.name = r.word();
  if (r.take(".")) sig.overload = r.word();
  if (!r.take("(")) throw "signature: '(' is missing after the name";
  bool keyword_only = false, seen_default = false;
  r.spaces();
  while (!r.take(")")) {
    if (r.take("*")) {
      keyword_only = true;
    } else {
      if (sig.count == kMaxParams) throw "signature: too many parameters; raise kMaxParams";
      Param p = detail::read_param(r);
      p.keyword_only = keyword_only;
      if (!keyword_only && seen_default && !p.has_default)
        throw "signature: a required parameter follows one with a default";
      seen_default = seen_default || p.has_default;
      if (sig.find(p.name) >= 0) throw "signature: a parameter's name occurs twice";
      sig.params[size_t(sig.count++)] = p;
    }
    r.spaces();
    if (!r.take(",") && (r.at >= r.s.size() || r.s[r.at] != ')'))
      throw "signature: ',' or ')' is missing";
    r.spaces();
  }
  r.spaces();
  if (!r.take("->")) throw "signature: '->' and the results are missing";
  r.spaces();
  auto one = [&] {
    if (!r.take("Tensor"))
      throw "signature: results are Tensor, (Tensor a, Tensor b), Tensor[] or ()";
    if (r.take("(")) {
      r.word();
      r.take("!");
      if (!r.take(")")) throw "signature: ')' is missing after the alias annotation";
    }
    if (r.take("[]")) sig.result_list = true;
    r.spaces();
    std::string_view name;
    if (r.at < r.s.size() && detail::Reader::word_char(r.s[r.at])) name = r.word();
    sig.results[size_t(sig.result_count++)] = name;
  };
  if (r.take("(")) {
    while (!r.take(")")) {
      if (sig.result_count == kMaxResults) throw "signature: too many results; raise kMaxResults";
      one();
      r.take(",");
      r.spaces();
    }
  } else {
    one();
  }
  if (r.at != text.size()) throw "signature: text is left after the results";
  return sig;
}

// Which signature types a C++ parameter type stands for.
template <class T>
struct Accepts;
#define KG_ACCEPTS(T, ...)                                           \
  template <>                                                        \
  struct Accepts<T> {                                                \
    static constexpr bool ok(const Param& p) { return __VA_ARGS__; } \
  }
KG_ACCEPTS(const Tensor&, p.type == ArgType::tensor);
KG_ACCEPTS(TensorList, p.type == ArgType::tensors);
KG_ACCEPTS(Operand, p.type == ArgType::operand);
KG_ACCEPTS(Scalar, p.type == ArgType::scalar && !p.optional);
KG_ACCEPTS(int64_t, p.type == ArgType::integer && !p.optional);
KG_ACCEPTS(double, p.type == ArgType::real && !p.optional);
KG_ACCEPTS(bool, p.type == ArgType::boolean && !p.optional);
KG_ACCEPTS(Ints, p.type == ArgType::ints && !p.optional);
KG_ACCEPTS(Reals, p.type == ArgType::reals && !p.optional);
KG_ACCEPTS(Dtype, p.type == ArgType::dtype);
KG_ACCEPTS(std::optional<Device>, p.type == ArgType::device);
KG_ACCEPTS(MemoryFormat, p.type == ArgType::memory_format);
KG_ACCEPTS(Layout, p.type == ArgType::layout);
KG_ACCEPTS(std::string_view, p.type == ArgType::string);
KG_ACCEPTS(Generator*, p.type == ArgType::generator);
KG_ACCEPTS(std::optional<MemoryFormat>, p.type == ArgType::memory_format && p.optional);
KG_ACCEPTS(std::optional<Scalar>, p.type == ArgType::scalar && p.optional);
KG_ACCEPTS(std::optional<int64_t>, p.type == ArgType::integer && p.optional);
KG_ACCEPTS(std::optional<double>, p.type == ArgType::real && p.optional);
KG_ACCEPTS(std::optional<bool>, p.type == ArgType::boolean && p.optional);
KG_ACCEPTS(std::optional<Ints>, p.type == ArgType::ints && p.optional);
KG_ACCEPTS(std::optional<Reals>, p.type == ArgType::reals && p.optional);
#undef KG_ACCEPTS

}  // namespace kagari
