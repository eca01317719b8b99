// The registry of rows: default values and what to save are read from the row's texts once, when
// the library is loaded.
#include "ops/row.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace kagari {

namespace {

Row*& registry() {
  static Row* first = nullptr;
  return first;
}

[[noreturn]] void bad_row(const Row& row, const std::string& why) {
  fprintf(stderr, "kagari: row %s: %s\n", row.cname, why.c_str());
  abort();  // a wrong row is found when the library is built and first loaded, never by a user
}

std::string node_name_of(std::string_view name) {
  std::string out;
  bool upper = true;
  for (char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      out += upper && c >= 'a' && c <= 'z' ? char(c - 32) : c;
      upper = false;
    }
  }
  return out + "Backward0";
}

double read_real(std::string_view text) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  double v = 0;
  std::from_chars(text.data(), text.data() + text.size(), v);
  return v;
}
int64_t read_int(std::string_view text) {
  int64_t v = 0;
  std::from_chars(text.data(), text.data() + text.size(), v);
  return v;
}
bool looks_real(std::string_view t) { return t.find_first_of(".einf") != std::string_view::npos; }

Value read_default(Row& row, const Param& p) {
  std::string_view t = p.default_text;
  if (t.empty() || t == "None") return {};
  switch (p.type) {
    case ArgType::boolean:
      return Value(t == "True");
    case ArgType::integer:
      return Value(read_int(t));
    case ArgType::real:
      return Value(read_real(t));
    case ArgType::operand:
    case ArgType::scalar:
      if (t == "True" || t == "False") return Value(Scalar(t == "True"));
      return looks_real(t) ? Value(Scalar(read_real(t))) : Value(Scalar(read_int(t)));
    case ArgType::ints: {
      std::vector<int64_t> list;
      if (t[0] == '[') {
        std::string_view rest = t.substr(1, t.size() - 2);
        while (!rest.empty()) {
          size_t comma = std::min(rest.find(','), rest.size());
          std::string_view item = rest.substr(0, comma);
          while (!item.empty() && item[0] == ' ') item.remove_prefix(1);
          list.push_back(read_int(item));
          rest = rest.substr(std::min(comma + 1, rest.size()));
        }
      } else {
        list.assign(size_t(std::max<int>(p.repeat, 1)), read_int(t));
      }
      row.default_ints.push_back(std::move(list));
      return Value(Ints(row.default_ints.back()));
    }
    case ArgType::string:
      if (t.size() >= 2 && (t[0] == '\'' || t[0] == '"')) t = t.substr(1, t.size() - 2);
      return Value(t);
    case ArgType::memory_format:
      if (t == "contiguous_format") return Value(MemoryFormat::contiguous);
      if (t == "preserve_format") return Value(MemoryFormat::preserve);
      break;
    case ArgType::dtype:
      for (int d = 0; d < kDtypes; ++d)
        if (t == dtype_facts[d].name || (dtype_facts[d].alias && t == dtype_facts[d].alias))
          return Value(Dtype(d));
      break;
    case ArgType::layout:
      if (t == "strided") return Value(Layout::strided);
      break;
    default:
      break;
  }
  bad_row(row,
          "the default '" + std::string(t) + "' of '" + std::string(p.name) + "' does not read");
}

SaveItem read_save(const Row& row, std::string_view text) {
  SaveItem item;
  if (text[0] == '#') {
    item.geometry = true;
    text.remove_prefix(1);
  }
  size_t colon = text.find(':');
  std::string_view what = text.substr(0, colon);
  item.param = int16_t(row.sig.find(what));
  if (item.param < 0) item.result = int16_t(row.sig.find_result(what));
  if (item.param < 0 && item.result < 0)
    bad_row(row, "saves '" + std::string(what) + "', which is neither an argument nor a result");
  if (colon != std::string_view::npos) {
    item.condition = int16_t(row.sig.find(text.substr(colon + 1)));
    if (item.condition < 0)
      bad_row(row, "the condition in '" + std::string(text) + "' is not an argument");
  }
  return item;
}

// Rows apply their gradient rule with the saved arguments put back in their places.
void apply_row(Node& n, Tensor* grads, Tensor* results) {
  const Row& row = *static_cast<const Row*>(n.d.rule);
  Value values[kMaxParams];
  Tensor held[kMaxParams];
  std::vector<Tensor> held_lists;
  std::vector<std::vector<TensorImpl*>> lists;
  lists.reserve(2);
  for (int i = 0; i < n.d.values.size(); ++i) {
    Value v = n.d.values[i];
    if (v.tag == Value::Tag::tensor) {
      held[i] = node::unpack(&n, int(v.i));
      v.t = held[i].get();
    } else if (v.tag == Value::Tag::tensors) {
      auto& list = lists.emplace_back();
      for (uint32_t k = 0; k < v.n; ++k) {
        held_lists.push_back(n.d.saved[int(v.i) + int(k)].tensor ||
                                     n.d.saved[int(v.i) + int(k)].packed
                                 ? node::unpack(&n, int(v.i) + int(k))
                                 : Tensor());
        list.push_back(held_lists.back().get());
      }
      v.ts = list.data();
    }
    values[i] = v;
  }
  Vjp vjp(n, grads, results);
  row.facts.grad.fn(vjp, values);
}

}  // namespace

Row::Row(const char* id, const Signature& s, const RowFacts& f) : sig(s), facts(f), cname(id) {
  name_storage = node_name_of(s.name);
  node_name = name_storage.c_str();
  apply = apply_row;
  default_ints.reserve(kMaxParams);  // values point into the lists
  for (int i = 0; i < s.count; ++i) {
    const Param& p = s.params[size_t(i)];
    defaults.push_back(read_default(*this, p));
    has_tensor_list = has_tensor_list || p.type == ArgType::tensors;
    has_mutated = has_mutated || p.mutated;
  }
  std::string_view rest = f.grad.saves;
  while (!rest.empty()) {
    size_t space = std::min(rest.find(' '), rest.size());
    if (space > 0) saves.push_back(read_save(*this, rest.substr(0, space)));
    rest = rest.substr(std::min(space + 1, rest.size()));
  }
  next = registry();
  registry() = this;
}

namespace {
KernelEntry*& waiting_kernels() {
  static KernelEntry* first = nullptr;
  return first;
}
}  // namespace

KernelEntry::KernelEntry(Row& r, DeviceType d, RunFn f, MatchFn m)
    : row(&r), device(d), fn(f), matches(m), next(waiting_kernels()) {
  waiting_kernels() = this;
}

Row* first_row() {
  while (KernelEntry* k = waiting_kernels()) {
    KG_INTERNAL(k->matches(k->row->sig), k->row->cname,
                ": the parameters of its kernel differ from its signature ", k->row->sig.text);
    k->row->kernels[int(k->device)] = k->fn;
    waiting_kernels() = k->next;
  }
  return registry();
}

const Row* row_of(const Rule* rule) {
  return rule->apply == apply_row ? static_cast<const Row*>(rule) : nullptr;
}

const Row& find_row(std::string_view name) {
  for (Row* r = first_row(); r; r = r->next) {
    if (name == r->cname) return *r;
    if (r->sig.overload.empty() ? name == r->sig.name
                                : name.size() == r->sig.name.size() + 1 + r->sig.overload.size() &&
                                      name.substr(0, r->sig.name.size()) == r->sig.name &&
                                      name.substr(r->sig.name.size() + 1) == r->sig.overload)
      return *r;
  }
  KG_INTERNAL(false, "no row is called ", name);
  __builtin_unreachable();
}

Spec& Infer::like(const Tensor& t, Dtype dtype) {
  Spec& s = out(t.sizes(), dtype);
  if (!t.is_contiguous()) {
    // The layout that empty_like gives, without its memory.
    if (is_non_overlapping_and_dense(t.sizes(), t.strides())) {
      s.strides = t.strides();
    } else {
      s.strides = empty_like(tape::detach(t), dtype).strides();
    }
    s.has_strides = true;
  }
  return s;
}

Tensor Vjp::out(int i) const {
  for (int k = 0; k < node_.d.saved.size(); ++k)
    if (node_.d.saved[k].is_output && int(node_.d.saved[k].output_slot) == i)
      return node::unpack(&node_, k);
  KG_INTERNAL(false, node_.d.rule->node_name, " asks for result ", i,
              ", which its row does not save");
  __builtin_unreachable();
}

}  // namespace kagari
