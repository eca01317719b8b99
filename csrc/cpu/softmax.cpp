// Softmax on the CPU: rows one by one, columns side by side.
#include "ops/softmax.h"

#include "cpu/rows.h"

namespace kagari {
namespace {

int64_t line_length(const Tensor& t, int64_t dim) { return t.dim() ? t.sizes()[dim] : 1; }
int64_t grain_for(int64_t n) { return std::max<int64_t>(1, 4096 / std::max<int64_t>(n, 1)); }

// A dimension whose elements lie apart, in tensors that lie alike without gaps: `outer` times n rows
// of `inner` columns.
struct Columns {
  int64_t outer = 0, n = 0, inner = 0;
  Columns(const Tensor& x, int64_t dim) {
    if (x.dim() == 0) return;
    n = x.sizes()[dim];
    inner = x.strides()[dim];
    if (inner > 0) outer = x.numel() / (n * inner);
  }
  static bool apply(const Tensor& x, const Tensor& y, int64_t dim) {
    if (x.dim() == 0 || x.strides() != y.strides()) return false;
    int64_t span = 1;
    for (int64_t d = 0; d < x.dim(); ++d) {
      if (x.strides()[d] < 1) return false;
      span += (x.sizes()[d] - 1) * x.strides()[d];
    }
    const int64_t step = x.strides()[dim];
    if (span != x.numel() || step < 4) return false;
    int64_t inside = 1;  // elements of the dimensions that step inside
    for (int64_t d = 0; d < x.dim(); ++d)
      if (x.sizes()[d] > 1 && x.strides()[d] < step) inside *= x.sizes()[d];
    return inside == step;
  }
  int64_t panels() const { return (inner + kColumnsTogether - 1) / kColumnsTogether; }
  // f(offset of the first element, columns) for each panel
  template <class F>
  void each(F&& f) const {
    const int64_t work = n * kColumnsTogether;
    parallel_for(0, outer * panels(), grain_for(work), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i % panels() * kColumnsTogether;
        f(i / panels() * n * inner + first, std::min(kColumnsTogether, inner - first));
      }
    });
  }
};
// A panel of a tensor in memory, or a copy as T with rows of kColumnsTogether.
template <class T>
struct Panel {
  T* data;
  int64_t step;
  Panel(const Tensor& t, int64_t offset, int64_t inner, T* room) : data(room) {
    direct_ = t.dtype() == dtype_of<T>;
    step = direct_ ? inner : kColumnsTogether;
    at_ = t.data() + offset * t.itemsize();
    row_ = inner * t.itemsize();
    dtype_ = t.dtype();
    if (direct_) data = reinterpret_cast<T*>(at_);
  }
  void read(int64_t n, int64_t columns) {
    if (direct_) return;
    for (int64_t i = 0; i < n; ++i)
      convert_block(data + i * step, dtype_of<T>, at_ + i * row_, dtype_, columns);
  }
  void write(int64_t n, int64_t columns) {
    if (direct_) return;
    for (int64_t i = 0; i < n; ++i)
      convert_block(at_ + i * row_, dtype_, data + i * step, dtype_of<T>, columns);
  }

 private:
  char* at_;
  int64_t row_;
  Dtype dtype_;
  bool direct_;
};

void run(const Tensor& y, const Tensor& x, int64_t dim, bool log) {
  if (x.numel() == 0) return;
  dim = wrap_dim(dim, x.dim());
  int64_t n = line_length(x, dim);
  visit_row_type(y.dtype(), [&]<class T>() {
    if (Columns::apply(x, y, dim)) {
      const Columns c(x, dim);
      c.each([&](int64_t at, int64_t columns) {
        Workspace room(size_t(n * kColumnsTogether) * sizeof(T));
        T* t = room.as<T>();
        Panel<T> from(x, at, c.inner, t), to(y, at, c.inner, t);
        from.read(n, columns);
        row_loops<T>().softmax_columns(from.data, from.step, to.data, to.step, t, n, columns, log);
        to.write(n, columns);
      });
      return;
    }
    Lines<T> in(x, dim), out(y, dim);
    parallel_for(0, x.numel() / n, grain_for(n), [&](int64_t begin, int64_t end) {
      Workspace scratch(size_t(in.scratch() + out.scratch()));
      char *a = scratch.as<char>(), *b = a + in.scratch();
      for (int64_t row = begin; row < end; ++row) {
        row_loops<T>().softmax(in.read(row, a), out.room(row, b), n, log);
        out.write(row, b);
      }
    });
  });
}
void softmax_cpu(Results& out, const Tensor& x, int64_t dim, Dtype) { run(out[0], x, dim, false); }
void log_softmax_cpu(Results& out, const Tensor& x, int64_t dim, Dtype) {
  run(out[0], x, dim, true);
}

void softmax_backward_cpu(Results& out, const Tensor& g, const Tensor& y, int64_t dim, bool log) {
  if (y.numel() == 0) return;
  dim = wrap_dim(dim, y.dim());
  int64_t n = line_length(y, dim);
  visit_row_type(y.dtype(), [&]<class T>() {
    if (Columns::apply(g, y, dim) && Columns::apply(y, out[0], dim)) {
      const Columns c(y, dim);
      c.each([&](int64_t at, int64_t columns) {
        Workspace room(size_t(2 * n * kColumnsTogether) * sizeof(T));
        T *t = room.as<T>(), *u = t + n * kColumnsTogether;
        Panel<T> gradient(g, at, c.inner, t), result(y, at, c.inner, u), dx(out[0], at, c.inner, t);
        gradient.read(n, columns);
        result.read(n, columns);
        const int64_t steps[] = {gradient.step, result.step, dx.step};
        row_loops<T>().softmax_backward_columns(gradient.data, result.data, dx.data, steps, t, u, n,
                                                columns, log);
        dx.write(n, columns);
      });
      return;
    }
    Lines<T> gradient(g, dim), result(y, dim), dx(out[0], dim);
    parallel_for(0, y.numel() / n, grain_for(n), [&](int64_t begin, int64_t end) {
      Workspace scratch(size_t(gradient.scratch() + result.scratch() + dx.scratch()));
      char *a = scratch.as<char>(), *b = a + gradient.scratch(), *c = b + result.scratch();
      for (int64_t row = begin; row < end; ++row) {
        row_loops<T>().softmax_backward(gradient.read(row, a), result.read(row, b), dx.room(row, c),
                                        n, log);
        dx.write(row, c);
      }
    });
  });
}

}  // namespace

KG_KERNEL(softmax, cpu, softmax_cpu)
KG_KERNEL(log_softmax, cpu, log_softmax_cpu)
KG_KERNEL(softmax_backward, cpu, softmax_backward_cpu)

}  // namespace kagari
