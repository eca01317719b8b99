// Short lists of integers: a borrowed span (Ints) and an owning list with inline room (Dims).
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <vector>

namespace kagari {

struct Ints {
  const int64_t* p = nullptr;
  int64_t n = 0;
  Ints() = default;
  Ints(const int64_t* data, int64_t count) : p(data), n(count) {}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Winit-list-lifetime"
  // Lives to the end of the full expression: for arguments only.
  Ints(std::initializer_list<int64_t> l) : p(l.begin()), n(int64_t(l.size())) {}
#pragma GCC diagnostic pop
  Ints(const std::vector<int64_t>& v) : p(v.data()), n(int64_t(v.size())) {}
  int64_t size() const { return n; }
  bool empty() const { return n == 0; }
  int64_t operator[](int64_t i) const { return p[i]; }
  const int64_t* begin() const { return p; }
  const int64_t* end() const { return p + n; }
  const int64_t* data() const { return p; }
  bool operator==(const Ints& o) const { return n == o.n && std::equal(begin(), end(), o.begin()); }
};

class Dims {
 public:
  Dims() = default;
  explicit Dims(int64_t n, int64_t fill = 0) {
    resize(n);
    std::fill(begin(), end(), fill);
  }
  Dims(Ints v) {
    resize(v.n);
    std::copy(v.begin(), v.end(), p_);
  }
  Dims(std::initializer_list<int64_t> l) : Dims(Ints(l)) {}
  Dims(const Dims& o) : Dims(Ints(o)) {}
  Dims& operator=(const Dims& o) {
    if (this != &o) {
      resize(o.n_);
      std::copy(o.begin(), o.end(), p_);
    }
    return *this;
  }
  operator Ints() const { return {p_, n_}; }
  int64_t size() const { return n_; }
  bool empty() const { return n_ == 0; }
  int64_t* begin() { return p_; }
  int64_t* end() { return p_ + n_; }
  const int64_t* begin() const { return p_; }
  const int64_t* end() const { return p_ + n_; }
  int64_t* data() { return p_; }
  const int64_t* data() const { return p_; }
  int64_t& operator[](int64_t i) { return p_[i]; }
  int64_t operator[](int64_t i) const { return p_[i]; }
  int64_t& back() { return p_[n_ - 1]; }
  bool operator==(const Dims& o) const { return Ints(*this) == Ints(o); }
  void resize(int64_t n) {  // new elements are uninitialised
    if (n > capacity_) {
      int64_t room = std::max(n, 2 * capacity_);
      auto block = std::make_unique<int64_t[]>(size_t(room));
      std::copy(begin(), end(), block.get());
      heap_ = std::move(block);
      p_ = heap_.get();
      capacity_ = room;
    }
    n_ = n;
  }
  void push_back(int64_t v) {
    resize(n_ + 1);
    p_[n_ - 1] = v;
  }
  void insert(int64_t at, int64_t v) {
    resize(n_ + 1);
    std::move_backward(p_ + at, p_ + n_ - 1, p_ + n_);
    p_[at] = v;
  }
  void erase(int64_t at) {
    std::move(p_ + at + 1, p_ + n_, p_ + at);
    --n_;
  }

 private:
  int64_t inline_[8];
  std::unique_ptr<int64_t[]> heap_;
  int64_t* p_ = inline_;
  int64_t n_ = 0;
  int64_t capacity_ = 8;
};

std::ostream& operator<<(std::ostream& out, Ints v);  // "(2, 3)"

}  // namespace kagari
