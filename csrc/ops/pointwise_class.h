// What the pointwise class knows of a formula beyond its numbers, and the seam to the devices that
// compute it.
#pragma once
#include <array>

#include "ops/call.h"
#include "ops/pointwise_formulas.h"

namespace kagari::pointwise {

inline constexpr uint16_t kAll = kFunction | kMethod | kInplace;
inline constexpr uint16_t kFree = kFunction | kMethod;
inline constexpr uint16_t kActivation = kFunction | kInplace;
inline constexpr uint16_t kLayer = kInternal | kInplace;  // nn.functional's own

// ---- one call -----------------------------------------------------------------------------------

struct Plan;
// Looks at a call before its dtype is settled: checks it, takes another formula, changes operands
// or attributes.
using ChooseFn = void (*)(Plan& plan, const Value* args);

// What a row of the class carries in `extra`.
struct Facts {
  Id formula = Id::count;
  ChooseFn choose = nullptr;
  int8_t operands[kMaxOperands] = {-1, -1, -1};  // parameters
  int8_t count = 0;
  int8_t attribute[kMaxAttributes] = {-1, -1, -1, -1};
  int8_t attributes = 0;
};

struct Plan {
  Id formula;
  Dtype common;  // of the operands; integers not yet promoted to floats
  int count;
  const Value* operand[kMaxOperands];
  int attributes;
  Scalar attribute[kMaxAttributes];
};

// ---- the seam to devices ------------------------------------------------------------------------

struct Input {
  const TensorImpl* tensor = nullptr;  // or a number
  Scalar number;
  Dtype want = Dtype::undefined;  // what the kernel computes in
  Dtype via = Dtype::undefined;   // rounded to this first
};

struct Launch {
  TensorImpl* out;
  Dtype out_want;  // what the kernel produces
  int count = 0;
  Input in[kMaxOperands + 2];
  Span span = nullptr;
  int lanes = 0;
  Pad pad = nullptr;
  const void* attributes = nullptr;
  void use(const SpanTable& table, Span s) {
    span = s;
    lanes = table.lanes;
    pad = table.pad;
  }
};

// Filled by cpu/ when the library is loaded.
struct CpuPointwise {
  const SpanTable* tables[kComputeDtypes] = {};  // by computing dtype; bool's computes on bytes
  Span select[5] =
      {};  // where(), by log2 of the element size: bytes that select, then two operands
  int select_lanes[5] = {};
  void (*run)(const Launch&) = nullptr;
  // n contiguous elements in computing dtypes; sizes: bytes per element, the output's first; bit k
  // of `single`: input k is a vector of one value.
  void (*run_contiguous)(const SpanTable& table, Span span, void* out, const void* const* in,
                         const int64_t* sizes, int count, uint32_t single, const void* attributes,
                         int64_t n) = nullptr;
};
extern CpuPointwise cpu_pointwise;

// ---- from formulas to rows ----------------------------------------------------------------------

// The positions of a row's operands and of the attributes that its formula names.
template <class F>
consteval Facts read_facts(const Signature& sig, ChooseFn choose) {
  Facts f;
  f.formula = F::id;
  f.choose = choose;
  for (int i = 0; i < sig.count; ++i) {
    ArgType t = sig.params[size_t(i)].type;
    if (t != ArgType::tensor && t != ArgType::operand) continue;
    if (f.count == kMaxOperands)
      throw "pointwise.def: a signature has more than three Tensor or Operand parameters";
    f.operands[f.count++] = int8_t(i);
  }
  if (f.count != F::arity)
    throw "pointwise.def: UNARY, BINARY and TERNARY rows have one, two, three Tensor or Operand parameters";
  std::string_view names = F::attribute_names;
  while (!names.empty()) {
    size_t comma = names.find(',');
    std::string_view one = names.substr(0, comma);
    names = comma == std::string_view::npos ? std::string_view() : names.substr(comma + 1);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    int at = sig.find(one);
    if (at < 0)
      throw "pointwise.def: a formula names an attribute that is no parameter of the row's signature";
    f.attribute[f.attributes++] = int8_t(at);
  }
  return f;
}

// "other:input input:other result:input": each operand (and the result) for every derivative in
// which it occurs.
template <class F>
struct Saves {
  char list[256] = {};
  consteval explicit Saves(const Signature& sig) {
    int n = 0;
    auto put = [&](std::string_view s) {
      for (char c : s) {
        if (n == 255) throw "pointwise.def: too much to save; raise the length of Saves";
        list[n++] = c;
      }
    };
    Facts f = read_facts<F>(sig, nullptr);
    constexpr unsigned uses[kMaxOperands] = {Uses<0>::value, Uses<1>::value, Uses<2>::value};
    for (int i = 0; i < F::arity; ++i)
      for (int k = 0; k <= F::arity; ++k) {
        if (!(uses[i] >> k & 1)) continue;
        if (n) put(" ");
        put(k == F::arity ? std::string_view("result") : sig.params[size_t(f.operands[k])].name);
        put(":");
        put(sig.params[size_t(f.operands[i])].name);
      }
  }

 private:
  template <int i>
  struct Uses {
    static consteval unsigned find() {
      if constexpr (i < F::arity)
        return Derivative<F, i>::uses;
      else
        return 0;
    }
    static constexpr unsigned value = find();
  };
};

void direct(const Row& row, const Value* args, Results& out, TensorImpl* into);
void backward(Vjp& v, const Value* values);

// Rows without any derivative say why.
template <class F>
consteval Grad read_grad(const char* saves) {
  bool any = Derivative<F, 0>::exists;
  if constexpr (F::arity > 1) any = any || Derivative<F, 1>::exists;
  if constexpr (F::arity > 2) any = any || Derivative<F, 2>::exists;
  if (any) return Grad(&backward, nullptr, saves, ~0u);
  if constexpr (!Derivative<F, 0>::exists)
    return nondiff(Derivative<F, 0>::probe().why);
  else
    return nondiff("");
}

}  // namespace kagari::pointwise
