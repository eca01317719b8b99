// THE TABLE: what a row of it is. Everything about a primitive stands in one row.
//
//   KG_ROW(sum_dim, "sum.dim(Tensor input, int[1]? dim, bool keepdim=False) -> Tensor",
//          .grad = vjp<&sum_vjp>("#input"), .infer = infer<&sum_infer>, .as = kFunction | kMethod,
//          .doc = "Sums over the given dimensions.")
//
//   void sum_infer(Infer& o, const Tensor& input, std::optional<Ints> dim, bool keepdim)
//       says dtypes and shapes of the results
//   void sum_cpu(Results& out, const Tensor& input, std::optional<Ints> dim, bool keepdim)
//       stands in cpu/, given to the row by KG_KERNEL(sum_dim, cpu, sum_cpu)
//   void sum_vjp(Vjp& v, const Tensor& input, std::optional<Ints> dim, bool keepdim)
//       sets the gradients; tensors that were not saved are undefined
//
// A primitive is infer -> allocate -> run: kernels never allocate their outputs (but for shapes
// that depend on data). A row says `.grad`: vjp<...>(saves) or nondiff(why). One that says neither
// does not compile. saves: names of arguments or results; "#x" keeps only x's geometry; "x:y" keeps
// x only when y needs a gradient.
#pragma once
#include <string>
#include <type_traits>

#include "autograd/meta.h"
#include "ops/signature.h"

namespace kagari {

struct Row;

// The outputs of a call: inline room for the common one to three.
class Results {
 public:
  Tensor& operator[](int i) { return p()[i]; }
  const Tensor& operator[](int i) const { return const_cast<Results*>(this)->p()[i]; }
  int size() const { return n_; }
  Tensor& add(Tensor t = {}) {
    if (n_ == kInline && many_.empty()) {
      many_.reserve(8);
      for (auto& e : few_) many_.push_back(std::move(e));
    }
    if (n_ >= kInline) {
      many_.push_back(std::move(t));
      ++n_;
      return many_.back();
    }
    few_[n_] = std::move(t);
    return few_[n_++];
  }
  void clear() {
    for (auto& e : few_) e = Tensor();
    many_.clear();
    n_ = 0;
  }

 private:
  static constexpr int kInline = 3;
  Tensor* p() { return n_ > kInline ? many_.data() : few_; }
  Tensor few_[kInline];
  std::vector<Tensor> many_;
  int n_ = 0;
};

// What infer says of one output.
struct Spec {
  Dims sizes;
  Dims strides;  // used when has_strides
  Dtype dtype = Dtype::f32;
  bool has_strides = false;
  int8_t view_of = -1;  // parameter whose storage it shares
  int64_t offset = 0;   // of a view: elements from the storage's start
};

class Infer {
 public:
  Device device;                // common device of the tensor arguments (or cpu); factories set it
  bool data_dependent = false;  // the kernel allocates: sizes follow from data

  Spec& out(Ints sizes, Dtype dtype) {
    Spec& s = specs_.push({});
    s.sizes = sizes;
    s.dtype = dtype;
    return s;
  }
  // A view of parameter 0 (or `param`).
  Spec& view(const Tensor& of, Ints sizes, Ints strides, int64_t offset, int param = 0) {
    Spec& s = out(sizes, of.dtype());
    s.strides = strides;
    s.has_strides = true;
    s.view_of = int8_t(param);
    s.offset = offset;
    return s;
  }
  // Same sizes and stride order as t.
  Spec& like(const Tensor& t, Dtype dtype);
  Spec& like(const Tensor& t) { return like(t, t.dtype()); }
  int size() const { return specs_.size(); }
  Spec& operator[](int i) { return specs_[i]; }

 private:
  Few<Spec, 2> specs_;
};

// What a gradient rule sees.
class Vjp {
 public:
  Vjp(Node& node, Tensor* grads, Tensor* results) : node_(node), grads_(grads), results_(results) {}
  const Tensor& g(int i = 0) const {
    return grads_[i];
  }  // may be undefined when the row has several outputs
  // Whether anybody asked for this gradient, in the run that is under way.
  bool needs(int param, int element = 0) const {
    const auto [first, last] = node_.d.edges_of(param);
    const int i = first + element;
    return i < last && node_.d.edges[i].node && WantedEdges::has(node_, i);
  }
  void set(int param, Tensor gradient) { results_[edge(param, 0)] = std::move(gradient); }
  void set_element(int param, int element, Tensor gradient) {
    results_[edge(param, element)] = std::move(gradient);
  }
  // Of an input that needs a gradient.
  Ints sizes(int param, int element = 0) const { return meta(param, element).sizes; }
  Dtype dtype(int param, int element = 0) const { return meta(param, element).dtype; }
  Tensor out(int i) const;  // a saved result
  Node& node() const { return node_; }

 private:
  int edge(int param, int element) const {
    const auto [first, last] = node_.d.edges_of(param);
    KG_INTERNAL(first + element < last, "parameter ", param, " has no gradient ", element);
    return first + element;
  }
  const OutputMeta& meta(int param, int element) const {
    const Edge& e = node_.d.edges[edge(param, element)];
    return e.node->d.outputs[int(e.slot)];
  }
  Node& node_;
  Tensor* grads_;
  Tensor* results_;
};

using InferFn = void (*)(Infer&, const Value*);
using RunFn = void (*)(Results&, const Value*);
using VjpFn = void (*)(Vjp&, const Value*);
// Rows of the pointwise class bring their own straight path. `into`: the tensor to write (in-place
// and out=), or null.
using DirectFn = void (*)(const Row&, const Value*, Results&, TensorImpl* into);

// ---- typed functions to boxed ones --------------------------------------------------------------

namespace detail {
template <class F>
struct FunctionOf;
template <class First, class... Args>
struct FunctionOf<void (*)(First, Args...)> {
  static constexpr int arity = sizeof...(Args);
  static constexpr bool matches(const Signature& sig) {
    if (sig.count != arity) return false;
    int i = 0;
    return (Accepts<Args>::ok(sig.params[size_t(i++)]) && ...);
  }
  template <auto f, class FirstRef, size_t... I>
  static void call(FirstRef& first, const Value* v, std::index_sequence<I...>) {
    f(first, Unbox<Args>::get(v[I])...);
  }
  template <auto f, class FirstRef>
  static void call(FirstRef& first, const Value* v) {
    call<f>(first, v, std::make_index_sequence<sizeof...(Args)>());
  }
};
}  // namespace detail

using MatchFn = bool (*)(const Signature&);
struct InferRule {
  InferFn fn = nullptr;
  MatchFn matches = nullptr;
};
template <auto f>
inline constexpr InferRule infer{
    [](Infer& o, const Value* v) { detail::FunctionOf<decltype(f)>::template call<f>(o, v); },
    &detail::FunctionOf<decltype(f)>::matches};

namespace detail {
// Whether every "name", "#name" and "name:name" of `saves` is a parameter or a result.
constexpr bool saves_known(std::string_view saves, const Signature& sig) {
  while (!saves.empty()) {
    std::string_view item = saves.substr(0, saves.find(' '));
    saves.remove_prefix(item.size() < saves.size() ? item.size() + 1 : item.size());
    if (!item.empty() && item[0] == '#') item.remove_prefix(1);
    std::string_view what = item.substr(0, item.find(':'));
    if (sig.find(what) < 0 && sig.find_result(what) < 0) return false;
    if (what.size() < item.size() && sig.find(item.substr(what.size() + 1)) < 0) return false;
  }
  return true;
}
}  // namespace detail

// The gradient of a row. There is no default: a row that forgets it does not compile.
struct Grad {
  VjpFn fn = nullptr;
  MatchFn matches = nullptr;
  const char* saves = "";
  const char* why = nullptr;    // of a row without a gradient
  uint32_t diff_outputs = ~0u;  // bit i: output i carries a gradient
  constexpr Grad() = default;   // says nothing: KG_ROW refuses it
  // `f` may be a rule shared by a class of rows; it finds the row as v.node().d.rule.
  consteval Grad(VjpFn f, MatchFn m, const char* s, uint32_t outputs)
      : fn(f), matches(m), saves(s), diff_outputs(outputs) {}
  consteval explicit Grad(const char* reason) : why(reason), diff_outputs(0) {}
};
template <auto f>
consteval Grad vjp(const char* saves = "", uint32_t diff_outputs = ~0u) {
  return Grad(
      [](Vjp& v, const Value* values) {
        detail::FunctionOf<decltype(f)>::template call<f>(v, values);
      },
      &detail::FunctionOf<decltype(f)>::matches, saves, diff_outputs);
}
consteval Grad nondiff(const char* why) { return Grad(why); }

enum RowAs : uint16_t {
  kFunction = 1,  // kagari.name
  kMethod = 2,    // Tensor.name
  kInplace = 4,   // Tensor.name_ (and kagari.name_ when it is a function)
  kInternal = 8,  // only kagari._core.ops.name (all rows are there)
  kNoOut = 16,    // no out= although it is a function
};

enum class Autocast : uint8_t { none, lower, fp32, promote };

struct RowFacts {
  Grad grad;
  InferRule infer = {};
  DirectFn direct = nullptr;    // own straight path instead of infer/allocate/run
  const void* extra = nullptr;  // what `direct` needs
  int8_t starts_as = -1;        // output 0 starts as a copy of this parameter (and is it, in place)
  bool multi_view = false;      // several views of one tensor
  uint16_t as = kFunction;
  Autocast autocast = Autocast::none;
  const char* doc = "";
};

struct SaveItem {
  int16_t param = -1;      // >= 0: a parameter
  int16_t result = -1;     // >= 0: a result
  int16_t condition = -1;  // parameter that must need a gradient
  bool geometry = false;
};

struct Row : Rule {
  Signature sig;
  RowFacts facts;
  RunFn kernels[kDeviceTypes] = {};
  const char* cname;
  Row* next = nullptr;  // the registry
  std::string name_storage;
  std::vector<SaveItem> saves;
  std::vector<Value> defaults;  // parsed default_text; lists point into the fields below
  std::vector<std::vector<int64_t>> default_ints;
  bool has_tensor_list = false;
  bool has_mutated = false;  // some parameter is Tensor(a!): the row writes its arguments

  Row(const char* id, const Signature& s, const RowFacts& f);
};

Row* first_row();  // all rows, in no particular order; links kernels on the first call
const Row* row_of(const Rule* rule);         // null for rules that are no rows
const Row& find_row(std::string_view name);  // "sum.dim" or the C++ identifier; throws internal

// Rows and kernels live in different files, whose initialisation order is unspecified: kernels wait
// in a list until first_row() links them.
struct KernelEntry {
  Row* row;
  DeviceType device;
  RunFn fn;
  MatchFn matches;
  KernelEntry* next;
  KernelEntry(Row& r, DeviceType d, RunFn f, MatchFn m);
};

// Another public name of everything that `of` names: its function, method and in-place forms, with
// all overloads.
struct NameAlias {
  const char* name;
  const char* of;
  NameAlias* next;
  static inline NameAlias* first = nullptr;
  NameAlias(const char* n, const char* o) : name(n), of(o), next(first) { first = this; }
};

}  // namespace kagari

// KG_ALIAS(multiply, mul)
#define KG_ALIAS(name, of) static ::kagari::NameAlias name##_alias(#name, #of);

#define KG_ROW(id, signature, ...)                                                           \
  namespace rows {                                                                           \
  static constexpr ::kagari::Signature id##_signature = ::kagari::read_signature(signature); \
  static constexpr ::kagari::RowFacts id##_facts{__VA_ARGS__};                               \
  static_assert(id##_facts.grad.fn || id##_facts.grad.why,                                   \
                #id ": say .grad = vjp<...>(saves) or .grad = nondiff(why)");                \
  static_assert(::kagari::detail::saves_known(id##_facts.grad.saves, id##_signature),        \
                #id ": .grad saves a name that is neither a parameter nor a result");        \
  static_assert(!id##_facts.infer.fn || id##_facts.infer.matches(id##_signature),            \
                #id ": the parameters of its infer function differ from its signature");     \
  static_assert(!id##_facts.grad.matches || id##_facts.grad.matches(id##_signature),         \
                #id ": the parameters of its vjp function differ from its signature");       \
  ::kagari::Row id(#id, id##_signature, id##_facts);                                         \
  }
// Declares a row that another file defines.
#define KG_DECLARE_ROW(id) \
  namespace rows {         \
  extern ::kagari::Row id; \
  }
// Gives a row its kernel on a device: KG_KERNEL(sum_dim, cpu, sum_cpu). Stands in namespace kagari.
#define KG_KERNEL(id, device, function)                                                      \
  namespace rows {                                                                           \
  extern ::kagari::Row id;                                                                   \
  static ::kagari::KernelEntry kernel_of_##id##_on_##device(                                 \
      id, ::kagari::DeviceType::device,                                                      \
      [](::kagari::Results& out, const ::kagari::Value* v) {                                 \
        ::kagari::detail::FunctionOf<decltype(&function)>::template call<&function>(out, v); \
      },                                                                                     \
      &::kagari::detail::FunctionOf<decltype(&function)>::matches);                          \
  }
