// A tensor as lines along one dimension, each contiguous: what sorts, scans and searches walk.
#pragma once
#include <memory>

#include "core/tensor.h"

namespace kagari {

// Reads: [count, n] in a given dtype, borrowed where the tensor already lies so, else copied.
class Lines {
 public:
  Lines(const TensorImpl* x, int64_t dim, Dtype dtype);
  Lines(const Tensor& x, int64_t dim) : Lines(x.get(), dim, x.dtype()) {}
  explicit Lines(const Tensor& x, Dtype dtype);  // all elements as one line
  explicit Lines(const Tensor& x) : Lines(x, x.dtype()) {}

  int64_t count = 1, n = 1;
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }
  template <class T>
  const T* line(int64_t i) const {
    return as<T>() + i * n;
  }

 private:
  const char* data_ = nullptr;
  std::unique_ptr<Workspace> own_;
};

// Writes: the same for a result; store() brings the lines to where they belong.
class LinesOut {
 public:
  LinesOut(const Tensor& y, int64_t dim);
  void store();

  int64_t count = 1, n = 1;
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  T* line(int64_t i) const {
    return as<T>() + i * n;
  }

 private:
  TensorImpl* to_;
  int64_t dim_;
  char* data_ = nullptr;
  std::unique_ptr<Workspace> own_;
};

}  // namespace kagari
