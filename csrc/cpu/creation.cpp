// CPU kernels that write numbers from nothing: fills, ranges, identities, triangles.
#include <cmath>

#include "core/parallel.h"
#include "cpu/joining.h"
#include "ops/row.h"

namespace kagari {

#define KG_OPTIONS Dtype, Layout, std::optional<Device>, std::optional<bool>, std::optional<bool>

namespace {

// The number as an element.
template <class T>
T element(const Scalar& s) {
  if constexpr (std::is_same_v<T, bool>) {
    return s.to_bool();
  } else if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
    c128 z = s.to_complex();
    using R = typename T::value_type;
    return T(R(z.real()), R(z.imag()));
  } else if constexpr (std::is_integral_v<T>) {
    return T(s.to_int());
  } else {
    return T(s.to_double());
  }
}

Ints sizes_of(const TensorImpl* t) { return {t->sizes, t->ndim}; }
Ints strides_of(const TensorImpl* t) { return {t->strides(), t->ndim}; }

void fill(TensorImpl* t, const Scalar& value) {
  alignas(16) char one[16] = {};
  bool zero = value.equals(0) && !(value.kind == Scalar::Kind::real && std::signbit(value.d)) &&
              !(value.is_complex() && (std::signbit(value.d) || std::signbit(value.imag)));
  if (zero && t->is(kContiguous)) return zero_bytes(t->data, t->numel * itemsize(t->dtype));
  if (!zero) {
    visit(t->dtype, [&]<class T>() {
      T v = element<T>(value);
      std::memcpy(one, &v, sizeof(T));
    });
  }
  Dims none(t->ndim, 0);
  move_elements(sizes_of(t), t->data, strides_of(t), one, none, itemsize(t->dtype));
}

// Element i of a 1-d result.
template <class T, class F>
void each(TensorImpl* t, F&& f) {
  T* to = reinterpret_cast<T*>(t->data);
  int64_t stride = t->strides()[0];
  parallel_for(0, t->numel, 1 << 14, [&](int64_t b, int64_t e) {
    if (stride == 1) {
      for (int64_t i = b; i < e; ++i) to[i] = f(i);
    } else {
      for (int64_t i = b; i < e; ++i) to[i * stride] = f(i);
    }
  });
}

// ---- fills --------------------------------------------------------------------------------------

void empty_cpu(Results&, Ints, KG_OPTIONS, std::optional<MemoryFormat>) {}
void empty_strided_cpu(Results&, Ints, Ints, KG_OPTIONS) {}
void zeros_cpu(Results& out, Ints, KG_OPTIONS) { fill(out[0].get(), Scalar(0)); }
void ones_cpu(Results& out, Ints, KG_OPTIONS) { fill(out[0].get(), Scalar(1)); }
void full_cpu(Results& out, Ints, Scalar value, KG_OPTIONS) { fill(out[0].get(), value); }
void scalar_tensor_cpu(Results& out, Scalar s, KG_OPTIONS) { fill(out[0].get(), s); }
void empty_like_cpu(Results&, const Tensor&, KG_OPTIONS, std::optional<MemoryFormat>) {}
void zeros_like_cpu(Results& out, const Tensor&, KG_OPTIONS, std::optional<MemoryFormat>) {
  fill(out[0].get(), Scalar(0));
}
void ones_like_cpu(Results& out, const Tensor&, KG_OPTIONS, std::optional<MemoryFormat>) {
  fill(out[0].get(), Scalar(1));
}
void full_like_cpu(Results& out, const Tensor&, Scalar value, KG_OPTIONS,
                   std::optional<MemoryFormat>) {
  fill(out[0].get(), value);
}
void new_empty_cpu(Results&, const Tensor&, Ints, KG_OPTIONS) {}
void new_zeros_cpu(Results& out, const Tensor&, Ints, KG_OPTIONS) { fill(out[0].get(), Scalar(0)); }
void new_ones_cpu(Results& out, const Tensor&, Ints, KG_OPTIONS) { fill(out[0].get(), Scalar(1)); }
void new_full_cpu(Results& out, const Tensor&, Ints, Scalar value, KG_OPTIONS) {
  fill(out[0].get(), value);
}
void new_empty_strided_cpu(Results&, const Tensor&, Ints, Ints, KG_OPTIONS) {}

// ---- ranges -------------------------------------------------------------------------------------
// float32 and float64 ranges are PyTorch's bit for bit: blocks of lanes start at the rounded value
// of their first element, and what does not fill two blocks is computed element by element.

template <class T>
constexpr int64_t kLanes = 32 / int64_t(sizeof(T));
template <class T, class At, class Lane>
void each_block(TensorImpl* t, const At& at, const Lane& lane) {
  T* to = reinterpret_cast<T*>(t->data);
  int64_t n = t->numel, stride = t->strides()[0], whole = n - n % (2 * kLanes<T>);
  parallel_for(0, whole / kLanes<T>, (1 << 14) / kLanes<T>, [&](int64_t b, int64_t e) {
    for (int64_t k = b; k < e; ++k) {
      int64_t i = k * kLanes<T>;
      T first = at(i);
      if (stride == 1) {
        for (int64_t l = 0; l < kLanes<T>; ++l) to[i + l] = lane(first, l);
      } else {
        for (int64_t l = 0; l < kLanes<T>; ++l) to[(i + l) * stride] = lane(first, l);
      }
    }
  });
  for (int64_t i = whole; i < n; ++i) to[i * stride] = at(i);
}

void range_of(TensorImpl* t, const Scalar& start, const Scalar& step) {
  visit(t->dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
      KG_FAIL(not_implemented, "not implemented for ", t->dtype);
    } else if constexpr (std::is_integral_v<T>) {
      uint64_t a = uint64_t(start.to_int()), s = uint64_t(step.to_int());
      each<T>(t, [=](int64_t i) { return T(a + s * uint64_t(i)); });
    } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
      double a = start.to_double(), s = step.to_double();
      each_block<T>(
          t, [=](int64_t i) { return T(a + s * double(i)); },
          [=](T first, int64_t lane) { return T(double(first) + double(lane) * s); });
    } else {
      float a = float(start.to_double()), s = float(step.to_double());
      each_block<T>(
          t, [=](int64_t i) { return T(a + s * float(i)); },
          [=](T first, int64_t lane) { return T(float(first) + float(lane) * s); });
    }
  });
}
void arange_cpu(Results& out, Scalar, KG_OPTIONS) { range_of(out[0].get(), Scalar(0), Scalar(1)); }
void arange_start_cpu(Results& out, Scalar start, Scalar, Scalar step, KG_OPTIONS) {
  range_of(out[0].get(), start, step);
}

// The i-th of n numbers from a to b, counted from the nearer end so that both are exact. Every
// operation rounds to T, as PyTorch's do for 16-bit numbers.
template <class T>
inline constexpr bool kIsWide = std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T>
auto steps_between(T a, T b, int64_t n) {
  auto number = [](int64_t i) { return T(float(i)); };
  if constexpr (kIsWide<T>) {
    T s = (b - a) / T(n - 1);
    return [=](int64_t i) { return i < n / 2 ? a + s * T(i) : b - s * T(n - i - 1); };
  } else {
    T s = T(float(T(float(b) - float(a))) / float(number(n - 1)));
    auto times = [=](int64_t i) { return float(T(float(s) * float(number(i)))); };
    return [=](int64_t i) {
      return i < n / 2 ? T(float(a) + times(i)) : T(float(b) - times(n - i - 1));
    };
  }
}

void linspace_cpu(Results& out, Scalar start, Scalar end, int64_t, KG_OPTIONS) {
  TensorImpl* t = out[0].get();
  int64_t n = t->numel, half = n / 2;
  visit(t->dtype, [&]<class T>() {
    T a = element<T>(start), b = element<T>(end);
    if (n == 1) return each<T>(t, [=](int64_t) { return a; });
    if constexpr (std::is_same_v<T, bool>) {
      KG_FAIL(not_implemented, "not implemented for bool");
    } else if constexpr (std::is_integral_v<T>) {
      double s = (double(b) - double(a)) / double(n - 1);
      each<T>(t, [=](int64_t i) {
        return i < half ? T(int64_t(double(a) + s * double(i)))
                        : T(int64_t(double(b) - s * double(n - i - 1)));
      });
    } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
      T s = (b - a) / T(n - 1);
      auto at = steps_between(a, b, n);
      each_block<T>(t, at, [=](T first, int64_t lane) { return first + T(lane) * s; });
    } else if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
      using R = typename T::value_type;
      T s = (b - a) / R(n - 1);
      each<T>(t, [=](int64_t i) { return i < half ? a + s * R(i) : b - s * R(n - i - 1); });
    } else {
      each<T>(t, steps_between(a, b, n));
    }
  });
}

void logspace_cpu(Results& out, Scalar start, Scalar end, int64_t, double base, KG_OPTIONS) {
  TensorImpl* t = out[0].get();
  int64_t n = t->numel, half = n / 2;
  visit(t->dtype, [&]<class T>() {
    if constexpr (std::is_same_v<T, bool>) {
      KG_FAIL(not_implemented, "not implemented for bool");
    } else if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
      c128 a = start.to_complex(), b = end.to_complex(),
           s = (b - a) / double(std::max<int64_t>(n - 1, 1));
      each<T>(t, [=](int64_t i) {
        c128 v = std::pow(base, i < half || n == 1 ? a + s * double(i) : b - s * double(n - i - 1));
        using R = typename T::value_type;
        return T(R(v.real()), R(v.imag()));
      });
    } else if constexpr (std::is_integral_v<T>) {
      double a = std::trunc(start.to_double()), b = std::trunc(end.to_double());
      double s = (b - a) / double(std::max<int64_t>(n - 1, 1));
      each<T>(t, [=](int64_t i) {
        return T(int64_t(
            std::pow(base, i < half || n == 1 ? a + s * double(i) : b - s * double(n - i - 1))));
      });
    } else {
      T a = element<T>(start), b = element<T>(end);
      auto exponent = steps_between(a, b, std::max<int64_t>(n, 2));
      each<T>(t, [=](int64_t i) { return T(std::pow(base, double(n == 1 ? a : exponent(i)))); });
    }
  });
}

// ---- matrices -----------------------------------------------------------------------------------

void identity(TensorImpl* t) {
  fill(t, Scalar(0));
  int64_t n = std::min(t->sizes[0], t->sizes[1]), step = t->strides()[0] + t->strides()[1];
  visit(t->dtype, [&]<class T>() {
    T* to = reinterpret_cast<T*>(t->data);
    for (int64_t i = 0; i < n; ++i) to[i * step] = element<T>(Scalar(1));
  });
}
void eye_cpu(Results& out, int64_t, KG_OPTIONS) { identity(out[0].get()); }
void eye_m_cpu(Results& out, int64_t, int64_t, KG_OPTIONS) { identity(out[0].get()); }

// Row r of a matrix keeps the columns from `begin(r)` to before `end(r)`.
template <bool lower>
void triangle(TensorImpl* to, const TensorImpl* from, int64_t diagonal) {
  if (to->numel == 0) return;
  int n = to->ndim;
  int64_t rows = to->sizes[n - 2], cols = to->sizes[n - 1], batch = to->numel / (rows * cols);
  visit_size(to->dtype, [&]<class T>() {
    T* t0 = reinterpret_cast<T*>(to->data);
    const T* f0 = reinterpret_cast<const T*>(from->data);
    int64_t tc = to->strides()[n - 1], fc = from->strides()[n - 1];
    parallel_for(0, batch * rows, std::max<int64_t>(16384 / cols, 1), [&](int64_t b, int64_t e) {
      for (int64_t i = b; i < e; ++i) {
        int64_t r = i % rows, rest = i / rows;
        T* t = t0 + r * to->strides()[n - 2];
        const T* f = f0 + r * from->strides()[n - 2];
        for (int d = n - 3; d >= 0; --d) {
          int64_t at = rest % to->sizes[d];
          rest /= to->sizes[d];
          t += at * to->strides()[d];
          f += at * from->strides()[d];
        }
        int64_t edge = std::clamp<int64_t>(r + diagonal + (lower ? 1 : 0), 0, cols);
        int64_t keep0 = lower ? 0 : edge, keep1 = lower ? edge : cols;
        if (t != f || tc != fc)
          for (int64_t c = keep0; c < keep1; ++c) t[c * tc] = f[c * fc];
        for (int64_t c = lower ? keep1 : 0; c < (lower ? cols : keep0); ++c) t[c * tc] = T{};
      }
    });
  });
}
void tril_cpu(Results& out, const Tensor& input, int64_t diagonal) {
  triangle<true>(out[0].get(), input.get(), diagonal);
}
void triu_cpu(Results& out, const Tensor& input, int64_t diagonal) {
  triangle<false>(out[0].get(), input.get(), diagonal);
}

void write_indices(TensorImpl* t, int64_t row, int64_t col, int64_t offset, bool lower) {
  visit(t->dtype, [&]<class T>() {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      T* rows = reinterpret_cast<T*>(t->data);
      T* cols = rows + t->strides()[0];
      int64_t step = t->strides()[1], k = 0, total = t->sizes[1];
      // The rows before have no place below the diagonal; behind the last place there are none.
      int64_t first = lower ? std::clamp<int64_t>(offset == INT64_MIN ? row : -offset, 0, row) : 0;
      for (int64_t r = first; r < row && k < total; ++r) {
        __int128 place = __int128(r) + offset + (lower ? 1 : 0);
        int64_t edge = int64_t(std::clamp<__int128>(place, 0, col));
        for (int64_t c = lower ? 0 : edge; c < (lower ? edge : col); ++c, ++k) {
          rows[k * step] = T(r);
          cols[k * step] = T(c);
        }
      }
    } else {
      KG_FAIL(runtime, "expected an integer dtype, got ", t->dtype);
    }
  });
}
void tril_indices_cpu(Results& out, int64_t row, int64_t col, int64_t offset, KG_OPTIONS) {
  write_indices(out[0].get(), row, col, offset, true);
}
void triu_indices_cpu(Results& out, int64_t row, int64_t col, int64_t offset, KG_OPTIONS) {
  write_indices(out[0].get(), row, col, offset, false);
}

}  // namespace

KG_KERNEL(empty, cpu, empty_cpu)
KG_KERNEL(empty_strided, cpu, empty_strided_cpu)
KG_KERNEL(empty_permuted, cpu, empty_strided_cpu)
KG_KERNEL(zeros, cpu, zeros_cpu)
KG_KERNEL(ones, cpu, ones_cpu)
KG_KERNEL(full, cpu, full_cpu)
KG_KERNEL(scalar_tensor, cpu, scalar_tensor_cpu)
KG_KERNEL(empty_like, cpu, empty_like_cpu)
KG_KERNEL(zeros_like, cpu, zeros_like_cpu)
KG_KERNEL(ones_like, cpu, ones_like_cpu)
KG_KERNEL(full_like, cpu, full_like_cpu)
KG_KERNEL(new_empty, cpu, new_empty_cpu)
KG_KERNEL(new_zeros, cpu, new_zeros_cpu)
KG_KERNEL(new_ones, cpu, new_ones_cpu)
KG_KERNEL(new_full, cpu, new_full_cpu)
KG_KERNEL(new_empty_strided, cpu, new_empty_strided_cpu)
KG_KERNEL(arange, cpu, arange_cpu)
KG_KERNEL(arange_start, cpu, arange_start_cpu)
KG_KERNEL(linspace, cpu, linspace_cpu)
KG_KERNEL(logspace, cpu, logspace_cpu)
KG_KERNEL(eye, cpu, eye_cpu)
KG_KERNEL(eye_m, cpu, eye_m_cpu)
KG_KERNEL(tril, cpu, tril_cpu)
KG_KERNEL(triu, cpu, triu_cpu)
KG_KERNEL(tril_indices, cpu, tril_indices_cpu)
KG_KERNEL(triu_indices, cpu, triu_indices_cpu)

}  // namespace kagari
