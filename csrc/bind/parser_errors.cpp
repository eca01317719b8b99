// What is said when no signature takes the arguments: which argument is wrong, what is accepted,
// and the way out.
#include <algorithm>

#include "bind/parser.h"

namespace kagari {
namespace {

std::string type_text(const Param& p) {
  switch (p.type) {
    case ArgType::tensor:
      return "Tensor";
    case ArgType::tensors:
      return "tuple of Tensors";
    case ArgType::operand:
      return "Tensor or Number";
    case ArgType::scalar:
      return "Number";
    case ArgType::integer:
      return "int";
    case ArgType::real:
      return "float";
    case ArgType::boolean:
      return "bool";
    case ArgType::ints:
      return p.repeat || p.spread ? "int or tuple of ints" : "tuple of ints";
    case ArgType::reals:
      return p.repeat || p.spread ? "float or tuple of floats" : "tuple of floats";
    case ArgType::dtype:
      return "kagari.dtype";
    case ArgType::device:
      return "kagari.device";
    case ArgType::memory_format:
      return "kagari.memory_format";
    case ArgType::layout:
      return "kagari.layout";
    case ArgType::string:
      return "str";
    case ArgType::generator:
      return "kagari.Generator";
    case ArgType::any:
      return "object";
  }
  return "?";
}

// Why one signature does not take a call, and how far reading came.
struct Reason {
  int matched = 0;  // twice the arguments that fit, and one more when only a type is wrong
  std::string text;
};

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = int(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = int(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      int above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// The parameter that an unknown keyword was likely meant to be.
std::string suggestion(const Overload& o, std::string_view keyword) {
  std::string best;
  int distance = std::max<int>(2, int(keyword.size()) / 3) + 1;
  auto offer = [&](std::string_view name) {
    int d = edit_distance(keyword, name);
    if (d >= distance) return;
    distance = d;
    best = name;
  };
  for (int i = 0; i < o.sig->count; ++i) offer(o.sig->params[size_t(i)].name);
  if (o.takes_out) offer("out");
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

// How to turn what came into what was expected.
std::string way_out(const Param& p, PyObject* o) {
  std::string_view type = Py_TYPE(o)->tp_name;
  bool wants_tensor = p.type == ArgType::tensor || p.type == ArgType::operand;
  if (wants_tensor && type == "numpy.ndarray") return "; convert it with kagari.from_numpy(...)";
  if (wants_tensor && (PyList_Check(o) || PyTuple_Check(o) || PyFloat_Check(o) || PyLong_Check(o)))
    return "; convert it with kagari.tensor(...)";
  if (p.type == ArgType::integer && PyFloat_Check(o)) return "; convert it with int(...)";
  if (p.type == ArgType::boolean && PyLong_Check(o)) return "; write True or False";
  if (p.type == ArgType::tensors && is_tensor(o))
    return "; put the tensors into a list, or use .unbind()";
  if (p.type == ArgType::dtype && PyUnicode_Check(o)) return "; write kagari.float32, for instance";
  if (o == Py_None && p.has_default) return "; leave it out for its default";
  return "";
}

std::string wrong_type(const Param& p, int position, PyObject* o) {
  std::string text = "argument '" + std::string(p.name) + "'";
  if (position > 0) text += " (position " + std::to_string(position) + ")";
  return text + " must be " + type_text(p) + (p.optional ? " or None" : "") + ", not " +
         describe_object(o) + way_out(p, o);
}

// As parse(), but says what is wrong.
Reason explain(const Overload& o, Form form, PyObject* const* args, Py_ssize_t nargs,
               PyObject* kwnames) {
  Reason r;
  const auto& params = o.sig->params;
  int bound = form != Form::function;
  const uint8_t* order = o.order[bound];
  uint32_t given = 0;
  Parsed parsed;
  Value value;
  for (Py_ssize_t k = 0; k < nargs; ++k) {
    if (k >= o.positional) {
      int most = o.positional - bound;
      r.text = "takes " + std::string(most ? "at most " : "") + std::to_string(most) +
               " positional argument" + (most == 1 ? "" : "s") + ", got " +
               std::to_string(nargs - bound);
      if (o.sig->count > o.positional)
        r.text += "; '" + std::string(params[size_t(o.positional)].name) + "' is given by keyword";
      return r;
    }
    int i = order[k];
    const Param& p = params[size_t(i)];
    given |= 1u << i;
    bool spread =
        p.spread && !PyTuple_Check(args[k]) && !PyList_Check(args[k]) && args[k] != Py_None;
    Py_ssize_t last = spread ? nargs : k + 1;
    for (Py_ssize_t j = k; j < last; ++j) {
      Param element = p;
      if (spread && p.type == ArgType::tensors) element.type = ArgType::tensor;
      if (!convert(element, args[j], value, parsed)) {
        r.text = wrong_type(p, int(j) + 1 - bound, args[j]);
        ++r.matched;
        return r;
      }
      r.matched += 2;
    }
    if (spread) break;
  }
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
    PyObject* name = PyTuple_GET_ITEM(kwnames, k);
    const char* text = PyUnicode_AsUTF8(name);
    if (!text) throw_python_error();
    int i = o.find_name(name);
    if (i < 0) {
      if (o.takes_out && form == Form::function && std::string_view(text) == "out") continue;
      bool is_out = std::string_view(text) == "out";
      r.text = "got an unexpected keyword argument '" + std::string(text) + "'" +
               (is_out ? "; it has no out= form here" : suggestion(o, text));
      return r;
    }
    const Param& p = params[size_t(i)];
    if (given & (1u << i)) {
      r.text = "got multiple values for argument '" + std::string(p.name) + "'";
      return r;
    }
    given |= 1u << i;
    if (!convert(p, args[nargs + k], value, parsed)) {
      r.text = wrong_type(p, 0, args[nargs + k]);
      ++r.matched;
      return r;
    }
    r.matched += 2;
  }
  std::string missing;
  for (int i = 0; i < o.sig->count; ++i)
    if (o.required & ~given & (1u << i))
      missing += (missing.empty() ? "'" : ", '") + std::string(params[size_t(i)].name) + "'";
  if (!missing.empty()) r.text = "missing required argument " + missing;
  return r;
}

std::string call_text(Form form, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  std::string text = "(";
  int bound = form != Form::function;
  for (Py_ssize_t k = bound; k < nargs; ++k)
    text += (k > bound ? ", " : "") + describe_object(args[k]);
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
    const char* name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k));
    if (!name) throw_python_error();
    text +=
        (text.size() > 1 ? ", " : "") + std::string(name) + "=" + describe_object(args[nargs + k]);
  }
  return text + ")";
}

}  // namespace

std::string signature_text(const Overload& o, Form form, std::string_view name) {
  std::string text = std::string(name) + "(";
  const auto& params = o.sig->params;
  bool first = true, keyword_only = false;
  auto separate = [&] {
    if (!first) text += ", ";
    first = false;
  };
  for (int i = 0; i < o.sig->count; ++i) {
    const Param& p = params[size_t(i)];
    if (form != Form::function && i == o.self) continue;
    separate();
    if (p.keyword_only && !keyword_only) {
      text += "*, ";
      keyword_only = true;
    }
    text += type_text(p) + " " + std::string(p.name);
    if (p.has_default) text += "=" + std::string(p.default_text);
  }
  if (o.takes_out && form == Form::function) {
    separate();
    if (!keyword_only) text += "*, ";
    text += "Tensor out=None";
  }
  return text + ")";
}

void throw_mismatch(const std::vector<const Overload*>& overloads, Form form, PyObject* const* args,
                    Py_ssize_t nargs, PyObject* kwnames, std::string_view name) {
  KG_CHECK_AS(not_implemented, !overloads.empty(), "no such operation is available");
  if (overloads.size() == 1) {
    Reason r = explain(*overloads[0], form, args, nargs, kwnames);
    KG_FAIL(type, r.text, "\n    ", signature_text(*overloads[0], form, name));
  }
  const Overload* nearest = nullptr;
  Reason best;
  std::string forms;
  for (const Overload* o : overloads) {
    Reason r = explain(*o, form, args, nargs, kwnames);
    if (!nearest || r.matched > best.matched) {
      nearest = o;
      best = r;
    }
    forms += "\n    " + signature_text(*o, form, name);
  }
  KG_FAIL(type, "received an invalid combination of arguments - got ",
          call_text(form, args, nargs, kwnames), ", but expected one of:", forms, "\nclosest is ",
          signature_text(*nearest, form, name), ": ", best.text);
}

}  // namespace kagari
