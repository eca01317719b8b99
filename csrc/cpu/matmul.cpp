// Matrix products on the CPU: geometry for the provider, which splits the work so that bits depend
// on neither batch nor threads.
#include "cpu/matmul.h"

#include <algorithm>
#include <type_traits>

#include "core/parallel.h"
#include "cpu/convert.h"
#include "cpu/rows.h"
#include "cpu/wrap.h"
#include "ops/matmul.h"

namespace kagari {

using provider::gemm;
using provider::Strides;

// ---- dense copies -------------------------------------------------------------------------------

Dense::Dense(const TensorImpl* t) : Dense(t, Ints{t->sizes, t->ndim}) {}
Dense::Dense(const TensorImpl* t, Ints sizes) : data_(t->data) {
  if (!t->is(kContiguous) || !(Ints(t->sizes, t->ndim) == sizes)) copy(t, sizes);
}
void Dense::copy(const TensorImpl* t, Ints sizes) {
  int64_t geometry[2 * kMaxDims], numel = 1;
  for (int64_t d = sizes.n - 1; d >= 0; --d) {
    geometry[d] = sizes[d];
    geometry[sizes.n + d] = numel;
    numel *= sizes[d];
  }
  copy_ = std::make_unique<Workspace>(size_t(numel * itemsize(t->dtype)));
  TensorImpl mine{};
  mine.flags = kContiguous;
  mine.dtype = t->dtype;
  mine.ndim = uint8_t(sizes.n);
  mine.data = copy_->as<char>();
  mine.numel = numel;
  mine.sizes = geometry;
  convert(&mine, t);
  data_ = mine.data;
}

namespace {

// ---- batches ------------------------------------------------------------------------------------

struct Factor {
  const char* data;
  int64_t row, col;
  int64_t batch[kMaxDims];  // strides, 0 where broadcast
};

struct Batches {
  int n = 0;
  int64_t sizes[kMaxDims];
};

// Drops dimensions of one and joins those that both factors step through evenly.
void join(Batches& b, Factor& x, Factor& y) {
  int kept = 0;
  for (int d = 0; d < b.n; ++d) {
    if (b.sizes[d] == 1) continue;
    if (kept > 0 && x.batch[kept - 1] == x.batch[d] * b.sizes[d] &&
        y.batch[kept - 1] == y.batch[d] * b.sizes[d]) {
      b.sizes[kept - 1] *= b.sizes[d];
      x.batch[kept - 1] = x.batch[d];
      y.batch[kept - 1] = y.batch[d];
      continue;
    }
    b.sizes[kept] = b.sizes[d];
    x.batch[kept] = x.batch[d];
    y.batch[kept] = y.batch[d];
    ++kept;
  }
  b.n = kept;
}

// C, contiguous, = X times Y for each element of the batch.
void products(Dtype dtype, Batches batches, int64_t m, int64_t n, int64_t k, Factor x, Factor y,
              char* c, const provider::Epilogue& epilogue = {}) {
  provider::Kind kind = kind_of(dtype);
  if (batches.n) join(batches, x, y);
  int inner = batches.n - 1;
  int64_t last = inner >= 0 ? batches.sizes[inner] : 1, outer = 1;
  for (int d = 0; d < inner; ++d) outer *= batches.sizes[d];
  Strides xs{inner >= 0 ? x.batch[inner] : 0, x.row, x.col},
      ys{inner >= 0 ? y.batch[inner] : 0, y.row, y.col}, cs{m * n, n, 1};
  if (outer == 1) return gemm(kind, last, m, n, k, x.data, xs, y.data, ys, c, cs, epilogue);
  int64_t size = itemsize(dtype);
  auto some = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t rest = i, at_x = 0, at_y = 0;
      for (int d = inner - 1; d >= 0; --d) {
        int64_t place = rest % batches.sizes[d];
        rest /= batches.sizes[d];
        at_x += place * x.batch[d];
        at_y += place * y.batch[d];
      }
      gemm(kind, last, m, n, k, x.data + at_x * size, xs, y.data + at_y * size, ys,
           c + i * last * m * n * size, cs, epilogue);
    }
  };
  // Threads share the outer products when there are enough of them, else the provider shares each
  // one.
  double work = double(last) * double(m) * double(n) * double(k);
  if (outer >= 2 * num_threads() && work * double(outer) > 2e5) {
    parallel_for(0, outer, 1, some);
  } else {
    some(0, outer);
  }
}

Factor matrix(const Tensor& t) {
  return {t.data(), t.strides()[t.dim() - 2], t.strides()[t.dim() - 1], {}};
}
Factor row_vector(const Tensor& t) { return {t.data(), 0, t.strides()[0], {}}; }
Factor column_vector(const Tensor& t) { return {t.data(), t.strides()[0], 0, {}}; }

// The batch strides of t, whose batch dimensions are aligned with the last of `sizes`.
void batch_strides(Factor& f, const Tensor& t, const Batches& b) {
  int64_t have = std::max<int64_t>(t.dim() - 2, 0), lead = b.n - have;
  for (int64_t d = 0; d < b.n; ++d)
    f.batch[d] = d < lead || t.sizes()[d - lead] == 1 ? 0 : t.strides()[d - lead];
}

void matmul_cpu(Results& out, const Tensor& a, const Tensor& b) {
  Factor x = a.dim() == 1 ? row_vector(a) : matrix(a),
         y = b.dim() == 1 ? column_vector(b) : matrix(b);
  int64_t m = a.dim() == 1 ? 1 : a.sizes()[a.dim() - 2],
          n = b.dim() == 1 ? 1 : b.sizes()[b.dim() - 1];
  int64_t k = a.sizes()[a.dim() - 1];
  Batches batches;
  int64_t lead = out[0].dim() - (a.dim() > 1) - (b.dim() > 1);
  if (lead > 0) {
    batches.n = int(lead);
    std::copy_n(out[0].sizes().p, lead, batches.sizes);
    batch_strides(x, a, batches);
    batch_strides(y, b, batches);
  }
  if (out[0].numel() == 0) return;
  products(a.dtype(), batches, m, n, k, x, y, out[0].data());
}

// ---- linear -------------------------------------------------------------------------------------

// All dimensions but the last as rows; a copy where they do not lie evenly.
class Rows {
 public:
  explicit Rows(const Tensor& t) {
    int64_t d = t.dim();
    cols = t.sizes()[d - 1];
    rows = 1;
    factor = {t.data(), cols, t.strides()[d - 1], {}};
    bool even = true;
    for (int64_t i = d - 2; i >= 0; --i) {
      if (t.sizes()[i] == 1) continue;
      if (rows == 1) factor.row = t.strides()[i];
      even = even && t.strides()[i] == factor.row * rows;
      rows *= t.sizes()[i];
    }
    if (even) return;
    copy_ = std::make_unique<Dense>(t.get());
    factor = {copy_->data(), cols, 1, {}};
  }
  int64_t rows, cols;
  Factor factor;
  Factor transposed() const { return {factor.data, factor.col, factor.row, {}}; }

 private:
  std::unique_ptr<Dense> copy_;
};

void linear_cpu(Results& out, const Tensor& x, const Tensor& w, const Tensor& bias) {
  int64_t n = w.dim() == 2 ? w.sizes()[0] : 1;
  Rows rows(x);
  Factor y{w.data(), w.strides()[w.dim() - 1], w.dim() == 2 ? w.strides()[0] : 0, {}};
  if (out[0].numel() == 0) return;
  provider::Epilogue epilogue;
  std::unique_ptr<Dense> spread;
  if (bias.defined()) {
    if (bias.numel() != n || !bias.is_contiguous())
      spread = std::make_unique<Dense>(bias.get(), Ints{n});
    epilogue.bias = spread ? spread->data() : bias.data();
  }
  gemm(kind_of(x.dtype()), 1, rows.rows, n, rows.cols, rows.factor.data,
       {0, rows.factor.row, rows.factor.col}, y.data, {0, y.row, y.col}, out[0].data(), {0, n, 1},
       epilogue);
}

void linear_backward_cpu(Results& out, const Tensor& g, const Tensor& x, const Tensor& w, int64_t,
                         bool dx, bool dw, bool db) {
  provider::Kind kind = kind_of(g.dtype());
  Rows rows(g);
  int64_t n = rows.cols, m = rows.rows;
  Strides gs{0, rows.factor.row, rows.factor.col}, gt{0, rows.factor.col, rows.factor.row};
  // Complex factors are conjugated.
  std::unique_ptr<Workspace> conjugated;
  auto conjugate = [&](const Factor& f, int64_t r, int64_t c) -> Factor {
    if (!is_complex(g.dtype())) return f;
    conjugated = std::make_unique<Workspace>(size_t(r * c * g.itemsize()));
    visit(g.dtype(), [&]<class T>() {
      if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
        const T* from = reinterpret_cast<const T*>(f.data);
        T* to = conjugated->as<T>();
        for (int64_t i = 0; i < r; ++i)
          for (int64_t j = 0; j < c; ++j) to[i * c + j] = std::conj(from[i * f.row + j * f.col]);
      }
    });
    return {conjugated->as<char>(), c, 1, {}};
  };
  if (dx && out[0].numel()) {
    int64_t k = w.sizes()[1];
    Factor y = conjugate(matrix(w), n, k);
    gemm(kind, 1, m, k, n, rows.factor.data, gs, y.data, {0, y.row, y.col}, out[0].data(),
         {0, k, 1});
  }
  // A row of ones times the gradient: sums as products do, in blocks of fixed length.
  provider::Epilogue beside;
  if (dw && out[1].numel()) {
    Rows input(x);
    int64_t k = input.cols;
    Factor y = conjugate(input.factor, m, k);
    if (db && (g.dtype() == Dtype::f32 || g.dtype() == Dtype::f64)) beside.row_sums = out[2].data();
    gemm(kind, 1, n, k, m, rows.factor.data, gt, y.data, {0, y.row, y.col}, out[1].data(),
         {0, k, 1}, beside);
  }
  if (db && n && !beside.row_sums) {
    char one[16];
    store_scalar(one, g.dtype(), Scalar(1));
    gemm(kind, 1, 1, n, m, one, {0, 0, 0}, rows.factor.data, gs, out[2].data(), {0, n, 1});
  }
}

// ---- sums with a product ------------------------------------------------------------------------

template <class T>
void combine(T* y, const T* input, int64_t n, Scalar beta, Scalar alpha) {
  using Wide = std::conditional_t<std::is_same_v<T, f16> || std::is_same_v<T, bf16>, float, T>;
  Wide a, b;
  if constexpr (std::is_same_v<T, c64> || std::is_same_v<T, c128>) {
    a = Wide(alpha.to_complex());
    b = Wide(beta.to_complex());
  } else if constexpr (std::is_integral_v<T>) {
    a = Wide(alpha.to_int());
    b = Wide(beta.to_int());
  } else {
    a = Wide(alpha.to_double());
    b = Wide(beta.to_double());
  }
  parallel_for(0, n, 32768, [&](int64_t begin, int64_t end) {
    if (!input) {
      for (int64_t i = begin; i < end; ++i) y[i] = T(wrap_mul(a, Wide(y[i])));
    } else {
      for (int64_t i = begin; i < end; ++i)
        y[i] = T(wrap_add(wrap_mul(b, Wide(input[i])), wrap_mul(a, Wide(y[i]))));
    }
  });
}

// out = beta * input + alpha * product; the product adds to what lies in out when it is told to.
template <class Product>
void sum_with(const Tensor& out, const Tensor& input, Scalar beta, Scalar alpha,
              Product&& product) {
  if (out.numel() == 0) return;
  if (beta.equals(1) && alpha.equals(1)) {
    // One addend for all rows is a bias.
    int64_t n = out.sizes()[out.dim() - 1];
    if (out.dim() > 1 && input.numel() == n && input.dim() >= 1 &&
        input.sizes()[input.dim() - 1] == n && (n == 1 || input.strides()[input.dim() - 1] == 1)) {
      provider::Epilogue epilogue;
      epilogue.bias = input.data();
      return product(epilogue);
    }
    convert(out.get(), input.get());
    provider::Epilogue epilogue;
    epilogue.accumulate = true;
    return product(epilogue);
  }
  product(provider::Epilogue{});
  bool ignored = beta.equals(0);  // then NaN in the input does not reach the result
  Dense addend(input.get(), ignored ? input.sizes() : out.sizes());
  visit(out.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>)
      combine<T>(out.data_as<T>(), ignored ? nullptr : reinterpret_cast<const T*>(addend.data()),
                 out.numel(), beta, alpha);
  });
}
void addmm_cpu(Results& out, const Tensor& input, const Tensor& a, const Tensor& b, Scalar beta,
               Scalar alpha) {
  sum_with(out[0], input, beta, alpha, [&](const provider::Epilogue& e) {
    products(a.dtype(), {}, a.sizes()[0], b.sizes()[1], a.sizes()[1], matrix(a), matrix(b),
             out[0].data(), e);
  });
}
void baddbmm_cpu(Results& out, const Tensor& input, const Tensor& a, const Tensor& b, Scalar beta,
                 Scalar alpha) {
  sum_with(out[0], input, beta, alpha, [&](const provider::Epilogue& e) {
    Factor x = matrix(a), y = matrix(b);
    Batches batches;
    batches.n = 1;
    batches.sizes[0] = a.sizes()[0];
    batch_strides(x, a, batches);
    batch_strides(y, b, batches);
    products(a.dtype(), batches, a.sizes()[1], b.sizes()[2], a.sizes()[2], x, y, out[0].data(), e);
  });
}
void addmv_cpu(Results& out, const Tensor& input, const Tensor& mat, const Tensor& vec, Scalar beta,
               Scalar alpha) {
  sum_with(out[0], input, beta, alpha, [&](const provider::Epilogue& e) {
    products(mat.dtype(), {}, mat.sizes()[0], 1, mat.sizes()[1], matrix(mat), column_vector(vec),
             out[0].data(), e);
  });
}

// ---- two vectors --------------------------------------------------------------------------------

// Products are added up in lanes over blocks of fixed length, and these in their order.
template <class T>
void dot_of(const T* a, const T* b, int64_t n, T* to) {
  constexpr int64_t block = 16'384;
  const int64_t blocks = (n + block - 1) / block;
  auto sum = [&](int64_t i) {
    double ones, products;
    row_loops<T>().normalize_sums(a + i * block, b + i * block, std::min(block, n - i * block), 0,
                                  1, &ones, &products);
    return products;
  };
  double total = 0;
  if (blocks <= 1) {
    if (blocks) total = sum(0);
  } else {
    Workspace sums(size_t(blocks) * sizeof(double));
    parallel_parts(blocks, [&](int64_t i) { sums.as<double>()[i] = sum(i); });
    for (int64_t i = 0; i < blocks; ++i) total += sums.as<double>()[i];
  }
  *to = T(total);
}
void dot_cpu(Results& out, const Tensor& a, const Tensor& b) {
  if (a.dtype() != Dtype::f32 && a.dtype() != Dtype::f64) return matmul_cpu(out, a, b);
  visit_row_type(a.dtype(), [&]<class T>() {
    Whole<T> x(a), y(b);
    dot_of(x.get(), y.get(), a.numel(), out[0].data_as<T>());
  });
}

}  // namespace

KG_KERNEL(mm, cpu, matmul_cpu)
KG_KERNEL(bmm, cpu, matmul_cpu)
KG_KERNEL(mv, cpu, matmul_cpu)
KG_KERNEL(dot, cpu, dot_cpu)
KG_KERNEL(matmul, cpu, matmul_cpu)
KG_KERNEL(linear, cpu, linear_cpu)
KG_KERNEL(linear_backward, cpu, linear_backward_cpu)
KG_KERNEL(addmm, cpu, addmm_cpu)
KG_KERNEL(baddbmm, cpu, baddbmm_cpu)
KG_KERNEL(addmv, cpu, addmv_cpu)

}  // namespace kagari
