// Softmax on the CPU: a task per row.
#include "ops/softmax.h"

#include "cpu/rows.h"

namespace kagari {
namespace {

int64_t line_length(const Tensor& t, int64_t dim) { return t.dim() ? t.sizes()[dim] : 1; }
int64_t grain_for(int64_t n) { return std::max<int64_t>(1, 4096 / std::max<int64_t>(n, 1)); }

void run(const Tensor& y, const Tensor& x, int64_t dim, bool log) {
  if (x.numel() == 0) return;
  dim = wrap_dim(dim, x.dim());
  int64_t n = line_length(x, dim);
  visit_row_type(y.dtype(), [&]<class T>() {
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
