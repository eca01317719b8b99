// Tensor.__getitem__ and __setitem__: ints, slices, None, Ellipsis, bools, masks and lists of
// indices in any mixture.
//
// What only moves the window (ints, slices, None, Ellipsis) is gathered into one view; what chooses
// elements becomes a list with an entry per dimension of that view, for the rows index and
// index_put.
#include <limits>
#include <vector>

#include "bind/interchange.h"
#include "bind/tensor_type.h"
#include "ops/creation.h"
#include "ops/indexing.h"
#include "ops/pointwise.h"
#include "ops/views.h"

namespace kagari {

namespace {

// ---- The window ---------------------------------------------------------------------------------

// A view in the making. Where the tape has nothing to record only the geometry changes; else each
// step is a row.
class Window {
 public:
  explicit Window(const Tensor& t)
      : t_(t),
        straight_(is_straight(t.get())),
        sizes_(t.sizes()),
        strides_(t.strides()),
        offset_(t.offset()) {}

  int64_t dim() const { return straight_ ? sizes_.size() : t_.dim(); }
  int64_t size(int64_t d) const { return straight_ ? sizes_[d] : t_.sizes()[d]; }
  bool moved() const { return moved_; }

  void select(int64_t d, int64_t i) {
    int64_t n = size(d);
    KG_CHECK_INDEX(i >= -n && i < n, "index ", i, " is out of bounds for dimension ", d,
                   " with size ", n);
    moved_ = true;
    if (!straight_) {
      t_ = kagari::select(t_, d, i);
      return;
    }
    offset_ += (i < 0 ? i + n : i) * strides_[d];
    sizes_.erase(d);
    strides_.erase(d);
  }
  void slice(int64_t d, int64_t start, int64_t end, int64_t step) {
    int64_t n = size(d);
    if (start == 0 && end >= n && step == 1) return;
    moved_ = true;
    if (!straight_) {
      t_ = call(rows::slice, t_, d, start, end, step);
      return;
    }
    int64_t length = clamp_slice(n, start, end, step);
    offset_ += start * strides_[d];
    sizes_[d] = length;
    strides_[d] *= step;
  }
  void unsqueeze(int64_t d) {
    moved_ = true;
    if (!straight_) {
      t_ = kagari::unsqueeze(t_, d);
      return;
    }
    strides_.insert(d, d < sizes_.size() ? sizes_[d] * strides_[d] : 1);
    sizes_.insert(d, 1);
  }
  // Another tensor object even when nothing moved.
  Tensor view() const {
    if (straight_) return plain_view(t_.get(), sizes_, strides_, offset_);
    return moved_ ? t_ : call(rows::alias, t_);
  }
  Tensor view_or_self() const { return moved_ ? view() : t_; }

 private:
  Tensor t_;
  bool straight_, moved_ = false;
  Dims sizes_, strides_;
  int64_t offset_;
};

// ---- Reading an index ---------------------------------------------------------------------------

bool is_int_index(PyObject* o) {
  if (PyLong_Check(o)) return !PyBool_Check(o);
  return !is_tensor(o) && !is_ndarray(o) && PyIndex_Check(o);
}
int64_t int_index(PyObject* o) {
  Py_ssize_t i = PyNumber_AsSsize_t(o, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) throw_python_error();
  return i;
}
// A slice's end or start: an int, a one-element tensor, anything with __index__.
int64_t slice_bound(PyObject* o, int64_t otherwise) {
  if (o == Py_None) return otherwise;
  Py_ssize_t v = 0;
  if (!_PyEval_SliceIndex(o, &v)) throw_python_error();
  return v;
}
void read_slice(PyObject* o, int64_t& start, int64_t& end, int64_t& step) {
  auto* s = reinterpret_cast<PySliceObject*>(o);
  step = slice_bound(s->step, 1);
  KG_CHECK_VALUE(step > 0, "step must be greater than zero");
  start = slice_bound(s->start, 0);
  end = slice_bound(s->stop, std::numeric_limits<int64_t>::max());
}

[[noreturn]] void invalid_index(PyObject* o) {
  KG_CHECK_TYPE(!PyUnicode_Check(o) && !PyBytes_Check(o), "invalid index of type ",
                Py_TYPE(o)->tp_name, "; expected ints, slices, ellipsis, None or index tensors");
  KG_FAIL(index,
          "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
          "valid indices (got ",
          Py_TYPE(o)->tp_name, ")");
}

// Lists and arrays become index tensors.
Tensor index_tensor(PyObject* o) {
  if (is_tensor(o)) return as_tensor(o);
  if (is_ndarray(o)) return from_ndarray(as_ndarray(o).get(), false);
  if (!PySequence_Check(o) || PyUnicode_Check(o) || PyBytes_Check(o)) invalid_index(o);
  static PyObject* make = nullptr;
  if (!make) {
    make = PyDict_GetItemString(PyModule_GetDict(core_module), "tensor");
    KG_INTERNAL(make, "kagari._core.tensor");
  }
  Py_ssize_t n = PySequence_Size(o);
  if (n < 0) throw_python_error();
  Ref made = checked(PyObject_CallOneArg(make, o));
  Tensor t = as_tensor(made.get());
  // An empty list names no element.
  return t.numel() == 0 && is_floating(t.dtype()) ? to(t, Dtype::i64, t.device()) : t;
}

struct Item {
  PyObject* object;  // borrowed; null for a tensor
  Tensor tensor;
};

// PyTorch reads a short list that holds sequences, tensors, slices, None or Ellipsis as if it were
// a tuple.
bool reads_as_tuple(PyObject* o) {
  if (is_tensor(o) || is_ndarray(o) || PyUnicode_Check(o) || PyBytes_Check(o) ||
      !PySequence_Check(o))
    return false;
  Py_ssize_t n = PySequence_Size(o);
  if (n < 0) PyErr_Clear();
  if (n < 0 || n >= 32) return false;
  for (Py_ssize_t i = 0; i < n; ++i) {
    Ref item = checked(PySequence_GetItem(o, i));
    PyObject* e = item.get();
    if (is_tensor(e) || PySequence_Check(e) || PySlice_Check(e) || e == Py_Ellipsis || e == Py_None)
      return true;
  }
  return false;
}

// The positions of an index, with tensors made of its lists. Their objects live as long as `index`,
// which may be replaced by a tuple.
std::vector<Item> read_items(Ref& holder) {
  if (!PyTuple_Check(holder.get()) && reads_as_tuple(holder.get())) {
    warn(
        "Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] "
        "instead of x[seq], "
        "or x[kagari.tensor(seq)] for an index of several dimensions.");
    holder = checked(PySequence_Tuple(holder.get()));
  }
  PyObject* index = holder.get();
  std::vector<Item> items;
  auto add = [&](PyObject* o) {
    bool window =
        o == Py_None || o == Py_Ellipsis || PyBool_Check(o) || PySlice_Check(o) || is_int_index(o);
    items.push_back(window ? Item{o, {}} : Item{nullptr, index_tensor(o)});
  };
  if (PyTuple_Check(index)) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(index); ++i) add(PyTuple_GET_ITEM(index, i));
  } else {
    add(index);
  }
  return items;
}

int64_t dims_of(const Item& item) {
  if (item.tensor.defined()) return is_mask(item.tensor.get()) ? item.tensor.dim() : 1;
  return item.object == Py_None || item.object == Py_Ellipsis || PyBool_Check(item.object) ? 0 : 1;
}

void warn_uint8() {
  warn(
      "indexing with dtype kagari.uint8 is now deprecated, please use a dtype kagari.bool "
      "instead.");
}

// A bool chooses its new dimension's one place, or none.
Tensor one_bool(bool v) { return zeros(Ints{v ? 1 : 0}, Dtype::i64); }

// What chooses elements: an entry per dimension of the window, null where all are kept; a mask of k
// dimensions stands for k of them.
struct Chosen {
  std::vector<Tensor> entries;
  int64_t covered = 0;
  void add(int64_t dim, Tensor t) {
    for (; covered < dim; ++covered) entries.emplace_back();
    covered += is_mask(t.get()) ? t.dim() : 1;
    entries.push_back(std::move(t));
  }
  bool empty() const { return entries.empty(); }
  std::vector<TensorImpl*> list() const {
    std::vector<TensorImpl*> out;
    for (const Tensor& t : entries) out.push_back(t.get());
    return out;
  }
};

void apply(Window& w, const std::vector<Item>& items, Chosen& chosen) {
  int64_t named = 0;
  for (const Item& item : items) named += dims_of(item);
  KG_CHECK_INDEX(named <= w.dim(), "too many indices for tensor of dimension ", w.dim());
  int64_t spare = w.dim() - named, dim = 0;  // what an ellipsis stands for
  for (const Item& item : items) {
    PyObject* o = item.object;
    const Tensor& t = item.tensor;
    if (t.defined()) {
      if (t.dtype() == Dtype::u8) warn_uint8();
      if (t.dim() > 0) {
        KG_CHECK_INDEX(is_mask(t.get()) || is_integral(t.dtype()),
                       "tensors used as indices must be long, int, byte or bool tensors, got ",
                       t.dtype(), "; convert with .long()");
        Tensor index = is_mask(t.get()) || is_index(t.dtype()) ? t : to(t, Dtype::i64, t.device());
        chosen.add(dim, index);
        dim += is_mask(t.get()) ? t.dim() : 1;
      } else if (is_mask(t.get())) {
        w.unsqueeze(dim);
        chosen.add(dim++, one_bool(kagari::item(t.get()).to_bool()));
      } else {
        KG_CHECK_INDEX(is_integral(t.dtype()),
                       "tensors used as indices must be long, int, byte or bool tensors, got ",
                       t.dtype(), "; convert with .long()");
        w.select(dim, kagari::item(t.get()).i);
      }
    } else if (o == Py_None) {
      w.unsqueeze(dim++);
    } else if (o == Py_Ellipsis) {
      dim += spare;
      spare = 0;
    } else if (PyBool_Check(o)) {
      w.unsqueeze(dim);
      chosen.add(dim++, one_bool(o == Py_True));
    } else if (PySlice_Check(o)) {
      int64_t start, end, step;
      read_slice(o, start, end, step);
      w.slice(dim++, start, end, step);
    } else {
      w.select(dim, int_index(o));
    }
  }
}

// Whether the index, without looking inside lists, is one of the three that need no more than a
// window.
bool is_simple(PyObject* o) {
  return PySlice_Check(o) || o == Py_None || o == Py_Ellipsis || (is_int_index(o) && !is_tensor(o));
}
void apply_simple(Window& w, PyObject* o) {
  if (o == Py_None) {
    w.unsqueeze(0);
  } else if (PySlice_Check(o)) {
    KG_CHECK_INDEX(w.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
    int64_t start, end, step;
    read_slice(o, start, end, step);
    w.slice(0, start, end, step);
  } else if (o != Py_Ellipsis) {
    KG_CHECK_INDEX(w.dim() > 0,
                   "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor "
                   "to a number");
    w.select(0, int_index(o));
  }
}

// x[i]: the commonest of all, without a window.
Tensor first_select(TensorImpl* t, int64_t i) {
  int64_t n = t->sizes[0];
  KG_CHECK_INDEX(i >= -n && i < n, "index ", i, " is out of bounds for dimension 0 with size ", n);
  return plain_view(t, {t->sizes + 1, t->ndim - 1}, {t->strides() + 1, t->ndim - 1},
                    t->offset + (i < 0 ? i + n : i) * t->strides()[0]);
}

bool asks_override(PyObject* self, PyObject* index, PyObject* value) {
  if (needs_override(self)) return true;
  if (value && is_tensor(value) && needs_override(value)) return true;
  if (is_simple(index)) return false;
  PyObject* args[2] = {self, index};
  return any_override(args, 2);
}

// ---- Writing ------------------------------------------------------------------------------------

// The value as a tensor of the target's dtype.
Tensor value_tensor(PyObject* value, const Tensor& target) {
  if (is_tensor(value)) return as_tensor(value);
  Scalar s;
  KG_CHECK_TYPE(to_scalar(value, s), "can't assign a ", Py_TYPE(value)->tp_name, " to a ",
                target.dtype(), " tensor");
  KG_CHECK(!s.is_complex() || is_complex(target.dtype()), "value cannot be converted to type ",
           target.dtype(), " without overflow");
  return full({}, s, target.dtype(), target.device());
}

// Leading dimensions of one beyond the target's do not count.
Tensor without_lead(const Tensor& value, int64_t ndim) {
  int64_t lead = 0;
  while (value.dim() - lead > ndim && value.sizes()[lead] == 1) ++lead;
  return lead ? view(value, {value.sizes().p + lead, value.dim() - lead}) : value;
}

void write(const Tensor& target, PyObject* value) {
  if (is_tensor(value)) {
    Tensor v = without_lead(as_tensor(value), target.dim());
    bool fits = v.dim() <= target.dim();
    for (int64_t d = 0; fits && d < v.dim(); ++d) {
      int64_t a = v.sizes()[v.dim() - 1 - d];
      fits = a == 1 || a == target.sizes()[target.dim() - 1 - d];
    }
    KG_CHECK(
        fits, "The expanded size of the tensor ", target.sizes(), " must match the existing size ",
        v.sizes(),
        " at every dimension that is not one: the value does not broadcast to the indexed part");
    if (v.same(target)) return;
    call_inplace(rows::copy, target, v, false);
    return;
  }
  Scalar s;
  KG_CHECK_TYPE(to_scalar(value, s), "can't assign a ", Py_TYPE(value)->tp_name, " to a ",
                target.dtype(), " tensor");
  KG_CHECK(!s.is_complex() || is_complex(target.dtype()), "value cannot be converted to type ",
           target.dtype(), " without overflow");
  call_inplace(rows::fill, target, s);
}

// The one mask that chooses, with room for the dimensions after it; undefined when there is more to
// choose by.
Tensor one_mask(const Tensor& target, const Chosen& chosen) {
  const Tensor& mask = chosen.entries.back();
  int64_t lead = int64_t(chosen.entries.size()) - 1;
  bool fits = mask.dtype() == Dtype::boolean && lead + mask.dim() <= target.dim();
  for (int64_t i = 0; fits && i < lead; ++i) fits = !chosen.entries[size_t(i)].defined();
  for (int64_t d = 0; fits && d < mask.dim(); ++d)
    fits = mask.sizes()[d] == target.sizes()[lead + d];
  if (!fits) return {};
  Dims sizes(mask.sizes());
  while (lead + sizes.size() < target.dim()) sizes.push_back(1);
  return reshape(mask, sizes);
}

void write_chosen(const Tensor& target, const Chosen& chosen, PyObject* value) {
  Tensor v = value_tensor(value, target);
  if (Tensor mask = one_mask(target, chosen);
      mask.defined() && v.numel() == 1) {  // no list of positions is needed
    call_inplace(rows::masked_fill, target, mask, v.dim() ? reshape(v, Ints{}) : v);
    return;
  }
  auto list = chosen.list();
  TensorList indices{list.data(), int64_t(list.size())};
  int64_t ndim = index_shape(target, indices).result().size();
  call_inplace(rows::index_put, target, indices, without_lead(v, ndim), false);
}

}  // namespace

PyObject* tensor_getitem(PyObject* self, PyObject* index) {
  KG_BIND_TRY
  TensorImpl* t = as_impl(self);
  if (__builtin_expect(!needs_override(self), 1)) {
    if (PyLong_CheckExact(index) && t->ndim > 0 && is_straight(t))
      return wrap(first_select(t, int_index(index)));
  }
  if (asks_override(self, index, nullptr)) {
    PyObject* args[2] = {self, index};
    return dispatch_method("__getitem__", args, 2, nullptr);
  }
  Window w(as_tensor(self));
  if (is_simple(index)) {
    apply_simple(w, index);
    return wrap(w.view());
  }
  Chosen chosen;
  Ref holder = Ref::borrow(index);
  apply(w, read_items(holder), chosen);
  if (chosen.empty()) return wrap(w.view());
  auto list = chosen.list();
  return wrap(kagari::index(w.view_or_self(), {list.data(), int64_t(list.size())}));
  KG_BIND_CATCH(nullptr, nullptr)
}

int tensor_setitem(PyObject* self, PyObject* index, PyObject* value) {
  KG_BIND_TRY
  KG_CHECK_TYPE(value, "Tensor does not support deleting items");
  if (asks_override(self, index, value)) {
    PyObject* args[3] = {self, index, value};
    return checked(dispatch_method("__setitem__", args, 3, nullptr)) ? 0 : -1;
  }
  if (index == Py_False) return 0;
  Window w(as_tensor(self));
  if (is_simple(index)) {
    apply_simple(w, index);
    write(w.view_or_self(), value);
    return 0;
  }
  if (index == Py_True) {
    w.unsqueeze(0);
    write(w.view(), value);
    return 0;
  }
  Chosen chosen;
  Ref holder = Ref::borrow(index);
  apply(w, read_items(holder), chosen);
  if (chosen.empty())
    write(w.view_or_self(), value);
  else
    write_chosen(w.view_or_self(), chosen, value);
  return 0;
  KG_BIND_CATCH(nullptr, -1)
}

void init_indexing(PyObject*) {}

}  // namespace kagari
