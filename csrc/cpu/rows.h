// Rows of any dtype and stride as contiguous vectors of float or double, for the fused row-wise
// ops.
#pragma once
#include <algorithm>
#include <memory>

#include "core/parallel.h"
#include "core/tensor.h"
#include "cpu/convert.h"
#include "cpu/rows_table.h"

namespace kagari {

inline const RowsTable& rows_loops() {
  static const RowsTable& t = KG_PICK(rows_table);
  return t;
}
template <class T>
const RowLoops<T>& row_loops() {
  if constexpr (std::is_same_v<T, float>)
    return rows_loops().f32;
  else
    return rows_loops().f64;
}

// Calls f.operator()<T>() with the type that a result of this dtype is computed in.
template <class F>
void visit_row_type(Dtype d, F&& f) {
  if (d == Dtype::f64)
    f.template operator()<double>();
  else
    f.template operator()<float>();
}

// One line of a tensor along a dimension, read into or written from a contiguous buffer of T when
// it does not lie so.
template <class T>
class Lines {
 public:
  Lines(const Tensor& t, int64_t dim) : t_(t.get()), dim_(t.dim() ? dim : 0) {
    n_ = t.dim() ? t.sizes()[dim_] : 1;
    step_ = t.dim() ? t.strides()[dim_] : 1;
    direct_ = t.dtype() == dtype_of<T> && (step_ == 1 || n_ == 1);
    size_ = kagari::itemsize(t.dtype());
  }
  bool direct() const { return direct_; }
  // Bytes of scratch that read and write need: whole cache lines, so that what follows is aligned.
  int64_t scratch() const {
    return direct_ ? 0 : (n_ * (int64_t(sizeof(T)) + size_) + 191) / 64 * 64;
  }
  char* at(int64_t row) const {
    int64_t offset = 0;
    for (int64_t d = t_->ndim - 1; d >= 0; --d) {
      if (d == dim_) continue;
      offset += row % t_->sizes[d] * t_->strides()[d];
      row /= t_->sizes[d];
    }
    return t_->data + offset * size_;
  }
  const T* read(int64_t row, char* scratch) const {
    char* p = at(row);
    if (direct_) return reinterpret_cast<T*>(p);
    T* out = reinterpret_cast<T*>(scratch);
    char* raw = scratch + (n_ * int64_t(sizeof(T)) + 63) / 64 * 64;
    if (step_ == 0) {
      convert_block(out, dtype_of<T>, p, t_->dtype, 1);
      std::fill_n(out + 1, n_ - 1, *out);
      return out;
    }
    if (step_ != 1) {
      gather(raw, p, step_ * size_, size_, n_);
      p = raw;
    }
    convert_block(out, dtype_of<T>, p, t_->dtype, n_);
    return out;
  }
  // Where to compute a line that write() will put in its place.
  T* room(int64_t row, char* scratch) const {
    return direct_ ? reinterpret_cast<T*>(at(row)) : reinterpret_cast<T*>(scratch);
  }
  void write(int64_t row, char* scratch) const {
    if (direct_) return;
    char* p = at(row);
    char* raw = scratch + (n_ * int64_t(sizeof(T)) + 63) / 64 * 64;
    if (step_ == 1) {
      convert_block(p, t_->dtype, scratch, dtype_of<T>, n_);
    } else {
      convert_block(raw, t_->dtype, scratch, dtype_of<T>, n_);
      scatter(p, step_ * size_, raw, size_, n_);
    }
  }

 private:
  const TensorImpl* t_;
  int64_t dim_, n_, step_, size_;
  bool direct_;
};

// A whole tensor as contiguous T. Results that lie otherwise are computed in a copy, which store()
// writes back.
template <class T>
class Whole {
 public:
  explicit Whole(const Tensor& t, bool read = true) : Whole(t.get(), read) {}
  explicit Whole(const TensorImpl* t, bool read = true) : t_(t) {
    if (t->dtype == dtype_of<T> && t->is(kContiguous)) {
      p_ = reinterpret_cast<T*>(t->data);
      return;
    }
    copy_ = std::make_unique<Workspace>(size_t(t->numel) * sizeof(T));
    p_ = copy_->as<T>();
    if (read) move(true);
  }
  T* get() const { return p_; }
  void store() {
    if (copy_) move(false);
  }

 private:
  void move(bool read) {
    int64_t geometry[2 * kMaxDims], step = 1;
    for (int64_t i = t_->ndim - 1; i >= 0; --i) {
      geometry[i] = t_->sizes[i];
      geometry[t_->ndim + i] = step;
      step *= t_->sizes[i];
    }
    TensorImpl mine{};
    mine.data = reinterpret_cast<char*>(p_);
    mine.dtype = dtype_of<T>;
    mine.ndim = t_->ndim;
    mine.sizes = geometry;
    mine.numel = t_->numel;
    mine.flags = kContiguous;
    if (read)
      convert(&mine, t_);
    else
      convert(t_, &mine);
  }
  const TensorImpl* t_;
  T* p_;
  std::unique_ptr<Workspace> copy_;
};

}  // namespace kagari
