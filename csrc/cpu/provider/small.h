// Factorisations of small real matrices on the stack, where LAPACK's calls take longer than their
// arithmetic. They follow LAPACK's unblocked forms: the same pivots, signs and info.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/provider/lapack.h"

namespace kagari::provider {

inline constexpr int kSmall = 16;

inline bool is_small(const Matrix& m) { return m.rows <= kSmall && m.cols <= kSmall; }

template <class T>
struct FourOf;
template <>
struct FourOf<float> {
  using type = float __attribute__((vector_size(16)));
};
template <>
struct FourOf<double> {
  using type = double __attribute__((vector_size(32)));
};

// A copy with rows of kSmall; what lies beyond the matrix is zero, so that loops may run over whole
// rows. Rows are read and written as vectors: a number stored by itself would hold up the next read.
template <class T>
class Small {
 public:
  explicit Small(const Matrix& m) : Small(m, 0, m.cols) {}
  // Room for numbers.
  Small(int rows_, int cols_) : rows(rows_), cols(cols_), wide(0) {}
  // Columns first .. first + cols.
  Small(const Matrix& m, int64_t first, int64_t cols)
      : m_(m),
        p_(static_cast<T*>(m.data) + first * m.col_stride),
        rows(int(m.rows)),
        cols(int(cols)) {
    wide = (this->cols + kLanes - 1) / kLanes * kLanes;
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < this->cols; ++j) x[i][j] = p_[i * m.row_stride + j * m.col_stride];
      for (int j = this->cols; j < wide; ++j) x[i][j] = T(0);
    }
  }
  void put_back() const {
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < cols; ++j) p_[i * m_.row_stride + j * m_.col_stride] = x[i][j];
  }
  // x[i] -= factor * row, and x[i] /= by, over whole rows.
  void subtract(int i, T factor, const T* row) {
    for (int j = 0; j < wide; j += kLanes) {
      V a, b;
      std::memcpy(&a, x[i] + j, sizeof a);
      std::memcpy(&b, row + j, sizeof b);
      a -= factor * b;
      std::memcpy(x[i] + j, &a, sizeof a);
    }
  }
  void divide(int i, T by) {
    for (int j = 0; j < wide; j += kLanes) {
      V a;
      std::memcpy(&a, x[i] + j, sizeof a);
      a /= by;
      std::memcpy(x[i] + j, &a, sizeof a);
    }
  }
  void exchange(int i, int k) {
    for (int j = 0; j < wide; j += kLanes) {
      V a, b;
      std::memcpy(&a, x[i] + j, sizeof a);
      std::memcpy(&b, x[k] + j, sizeof b);
      std::memcpy(x[i] + j, &b, sizeof b);
      std::memcpy(x[k] + j, &a, sizeof a);
    }
  }

 private:
  static constexpr int kLanes = 4;
  using V = typename FourOf<T>::type;
  Matrix m_;
  T* p_ = nullptr;

 public:
  int rows, cols, wide;
  alignas(64) T x[kSmall][kSmall];
};

// f(columns) for the columns of B, up to kSmall at a time; they are put back.
template <class T, class F>
void by_columns(const Matrix& b, F&& f) {
  for (int64_t first = 0; first < b.cols; first += kSmall) {
    Small<T> some(b, first, std::min<int64_t>(kSmall, b.cols - first));
    f(some);
    some.put_back();
  }
}

template <class T>
int64_t small_getrf(const Matrix& a, int32_t* pivots) {
  Small<T> s(a), lower(s.rows, s.cols);
  const int least = std::min(s.rows, s.cols);
  int64_t info = 0;
  for (int k = 0; k < least; ++k) {
    int at = k;
    for (int i = k + 1; i < s.rows; ++i)
      if (std::abs(s.x[i][k]) > std::abs(s.x[at][k])) at = i;
    pivots[k] = at + 1;
    const T pivot = s.x[at][k];
    if (at != k) {
      s.exchange(at, k);
      for (int j = 0; j < k; ++j) std::swap(lower.x[at][j], lower.x[k][j]);
    }
    if (pivot == 0) {
      if (info == 0) info = k + 1;
      for (int i = k + 1; i < s.rows; ++i) lower.x[i][k] = s.x[i][k];
      continue;
    }
    // Columns up to k of the rows below are not read again.
    for (int i = k + 1; i < s.rows; ++i) {
      const T factor = lower.x[i][k] = s.x[i][k] / pivot;
      s.subtract(i, factor, s.x[k]);
    }
  }
  for (int i = 1; i < s.rows; ++i)
    for (int j = 0; j < std::min(i, least); ++j) s.x[i][j] = lower.x[i][j];
  s.put_back();
  return info;
}

// X of T X = B, where at(i, k) is an element of a triangle.
template <class T, class At>
void substitute(Small<T>& b, bool upper, bool unit, At&& at) {
  const int n = b.rows;
  for (int step = 0; step < n; ++step) {
    const int k = upper ? n - 1 - step : step;
    if (!unit) b.divide(k, at(k, k));
    for (int i = upper ? 0 : k + 1; i < (upper ? k : n); ++i) b.subtract(i, at(i, k), b.x[k]);
  }
}

template <class T>
int64_t small_getrs(bool transposed, const Matrix& lu, const int32_t* pivots, const Matrix& b) {
  const Small<T> f(lu);
  auto at = [&](int i, int k) { return f.x[i][k]; };
  auto turned = [&](int i, int k) { return f.x[k][i]; };
  auto exchange = [&](Small<T>& s, int i) {
    if (pivots[i] == i + 1) return;
    s.exchange(i, pivots[i] - 1);
  };
  by_columns<T>(b, [&](Small<T>& s) {
    if (!transposed) {
      for (int i = 0; i < s.rows; ++i) exchange(s, i);
      substitute(s, false, true, at);
      substitute(s, true, false, at);
    } else {
      substitute(s, false, false, turned);
      substitute(s, true, true, turned);
      for (int i = s.rows - 1; i >= 0; --i) exchange(s, i);
    }
  });
  return 0;
}

template <class T>
int64_t small_trsm(bool left, bool upper, bool unit, const Matrix& a, const Matrix& b) {
  const Small<T> f(a);
  if (left) {
    by_columns<T>(b, [&](Small<T>& s) {
      substitute(s, upper, unit, [&](int i, int k) { return f.x[i][k]; });
    });
  } else {  // of the transposes
    by_columns<T>({b.data, b.cols, b.rows, b.col_stride, b.row_stride}, [&](Small<T>& s) {
      substitute(s, !upper, unit, [&](int i, int k) { return f.x[k][i]; });
    });
  }
  return 0;
}

// False, and nothing done, where the matrix is not positive: LAPACK leaves what it leaves.
template <class T>
bool small_potrf(bool upper, const Matrix& a) {
  const Matrix stored{a.data, a.rows, a.cols, upper ? a.col_stride : a.row_stride,
                      upper ? a.row_stride : a.col_stride};
  Small<T> s(stored), lower(s.rows, s.cols);
  for (int k = 0; k < s.rows; ++k) {
    if (!(s.x[k][k] > 0)) return false;
    const T d = lower.x[k][k] = std::sqrt(s.x[k][k]);
    alignas(64) T column[kSmall] = {};
    for (int i = k + 1; i < s.rows; ++i) column[i] = s.x[i][k] / d;
    for (int i = k + 1; i < s.rows; ++i) {
      s.subtract(i, column[i], column);
      lower.x[i][k] = column[i];
    }
  }
  for (int i = 0; i < s.rows; ++i)
    for (int j = 0; j < s.cols; ++j) s.x[i][j] = j <= i ? lower.x[i][j] : T(0);
  s.put_back();
  return true;
}

// tau's reflectors on the rows from k on and the columns from `from` on: x -= tau v (v' x).
template <class T>
void reflect(Small<T>& s, int k, T tau, const T* v, int from) {
  alignas(64) T sums[kSmall] = {};
  for (int i = k; i < s.rows; ++i)
    for (int j = 0; j < s.wide; ++j) sums[j] += v[i] * s.x[i][j];
  std::fill_n(sums, from, T(0));
  for (int i = k; i < s.rows; ++i) s.subtract(i, tau * v[i], sums);
}

// False, and nothing done, where a column's length is out of the numbers' range.
template <class T>
bool small_geqrf(const Matrix& a, T* tau) {
  Small<T> s(a);
  for (int k = 0; k < std::min(s.rows, s.cols); ++k) {
    double squares = 0;
    for (int i = k + 1; i < s.rows; ++i) squares += double(s.x[i][k]) * double(s.x[i][k]);
    tau[k] = T(0);
    if (squares == 0) {
      for (int i = k + 1; i < s.rows; ++i)
        if (s.x[i][k] != 0) return false;
      continue;
    }
    const double alpha = double(s.x[k][k]), length = std::sqrt(alpha * alpha + squares);
    if (!(length > 0x1p-100 && length < 0x1p100)) return false;
    const double beta = -std::copysign(length, alpha);
    tau[k] = T((beta - alpha) / beta);
    T v[kSmall];
    v[k] = T(1);
    for (int i = k + 1; i < s.rows; ++i) v[i] = s.x[i][k] = T(double(s.x[i][k]) / (alpha - beta));
    s.x[k][k] = T(beta);
    reflect(s, k, tau[k], v, k + 1);
  }
  s.put_back();
  return true;
}

template <class T>
int64_t small_orgqr(const Matrix& a, int64_t reflectors, const T* tau) {
  Small<T> s(a);
  for (int j = int(reflectors); j < s.cols; ++j)
    for (int i = 0; i < s.rows; ++i) s.x[i][j] = T(i == j);
  for (int k = int(reflectors) - 1; k >= 0; --k) {
    T v[kSmall];
    v[k] = T(1);
    for (int i = k + 1; i < s.rows; ++i) v[i] = s.x[i][k];
    reflect(s, k, tau[k], v, k + 1);
    for (int i = 0; i < s.rows; ++i)
      s.x[i][k] = i < k ? T(0) : i == k ? T(1) - tau[k] : -tau[k] * v[i];
  }
  s.put_back();
  return 0;
}

}  // namespace kagari::provider
