// Matrix products: checks, normalised strides, and how plain operands feed the blocked loop nest.
#include "cpu/provider/gemm.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "core/error.h"
#include "cpu/provider/blocks.h"

namespace kagari::provider {

namespace {

struct KindFacts {
  const char* name;
  int64_t size;
};
constexpr KindFacts kind_facts[kKinds] = {{"uint8", 1},     {"int8", 1},       {"int16", 2},
                                          {"int32", 4},     {"int64", 8},      {"float16", 2},
                                          {"bfloat16", 2},  {"float32", 4},    {"float64", 8},
                                          {"complex64", 8}, {"complex128", 16}};

bool is_complex(Kind kind) { return kind == Kind::c64 || kind == Kind::c128; }

const Kernels* choose(Kind kind) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("f16c");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  // KAGARI_ISA lowers the set, as it does for every other kernel.
  const char* wanted = std::getenv("KAGARI_ISA");
  if (wanted && wanted[0] == 'v') {
    v3 = v3 && wanted[1] >= '3';
    v4 = v4 && wanted[1] >= '4';
  }
  if (v4 && kind == Kind::bf16 && __builtin_cpu_supports("avx512bf16")) return v4_bf16::kernels;
  if (v4) return v4::kernels + int(kind);
  if (v3) return v3::kernels + int(kind);
#endif
  return base::kernels + int(kind);
}

struct Chosen {
  const Kernels* of[kKinds];
  Chosen() {
    for (int i = 0; i < kKinds; ++i) of[i] = choose(Kind(i));
  }
};

// A and B of one product, at any strides.
class Plain final : public KindSource {
 public:
  const char* a_data = nullptr;
  const char* b_data = nullptr;
  Strides a_strides{}, b_strides{};
  bool in_place_a = false;  // A is read where it lies

  RowBlock a(int64_t row, int64_t rows, int64_t from, int64_t depth, void* room) const override {
    int64_t first = first_of(from);
    const char* at = a_data + (row * a_strides.row + first * a_strides.col) * kernels->source_size;
    if (in_place_a) return {at, a_strides.row, a_strides.col};
    int64_t steps[2];
    kernels->pack_a(at, a_strides.row, a_strides.col, rows, length_of(first, depth), room, steps);
    return {room, steps[0], steps[1], group_step(kernels->rows, length_of(first, depth))};
  }

  void b(int64_t from, int64_t depth, int64_t col, int64_t n, int64_t pitch,
         void* room) const override {
    int64_t first = first_of(from);
    const char* at = b_data + (first * b_strides.row + col / kernels->per_column * b_strides.col) *
                                  kernels->source_size;
    kernels->pack_b(at, b_strides.row, b_strides.col, length_of(first, depth),
                    n / kernels->per_column, pitch, room);
  }
};

// Whether rows × cols elements at these strides stay within what a pointer can reach.
void check_extent(const char* what, int64_t size, int64_t batch, int64_t rows, int64_t cols,
                  const Strides& s) {
  int64_t total = 0;
  const int64_t counts[3] = {batch, rows, cols}, steps[3] = {s.batch, s.row, s.col};
  bool bad = false;
  for (int i = 0; i < 3; ++i) {
    int64_t reach;
    int64_t step = steps[i] < 0 ? -steps[i] : steps[i];
    bad |= __builtin_mul_overflow(counts[i] - 1, step, &reach) ||
           __builtin_add_overflow(total, reach, &total);
  }
  bad |= __builtin_mul_overflow(total + 1, size, &total);
  KG_CHECK(!bad, "expected ", what, " within the address space, got ", batch, " matrices of ", rows,
           " by ", cols, " elements at strides (", s.batch, ", ", s.row, ", ", s.col, ")");
}

struct Batch {
  Product product;
  Plain source;
  Strides a, b, c;
  const char *a_data, *b_data;
  char* c_data;
};

const void* one_of(Kind kind) {
  static constexpr float narrow = 1;
  static constexpr double wide = 1;
  KG_INTERNAL(kind == Kind::f32 || kind == Kind::f64, "sums of rows of ", name_of(kind));
  return kind == Kind::f32 ? static_cast<const void*>(&narrow) : &wide;
}

void product_at(const void* context, int64_t i, void (*use)(const Product&, void*),
                void* argument) {
  const Batch& batch = *static_cast<const Batch*>(context);
  if (i == 0) return use(batch.product, argument);
  Plain source = batch.source;
  Product product = batch.product;
  int64_t size = source.kernels->source_size;
  source.a_data = batch.a_data + i * batch.a.batch * size;
  source.b_data = batch.b_data + i * batch.b.batch * size;
  product.source = &source;
  product.c = batch.c_data + i * batch.c.batch * size;
  if (product.b_plain) product.b_plain = source.b_data;
  if (product.b_columns) product.b_columns = source.b_data;
  use(product, argument);
}

}  // namespace

int64_t size_of(Kind kind) { return kind_facts[int(kind)].size; }
const char* name_of(Kind kind) { return kind_facts[int(kind)].name; }

const Kernels& kernels_of(Kind kind) {
  static const Chosen chosen;
  return *chosen.of[int(kind)];
}

void gemm(Kind kind, int64_t batch, int64_t m, int64_t n, int64_t k, const void* a, Strides as,
          const void* b, Strides bs, void* c, Strides cs, const Epilogue& epilogue) {
  KG_CHECK(batch >= 0 && m >= 0 && n >= 0 && k >= 0, "expected sizes of at least zero, got batch ",
           batch, ", m ", m, ", n ", n, ", k ", k);
  void* row_sums = epilogue.row_sums;
  if (row_sums && (as.row != 1 || m <= 1 || n <= 1)) {
    gemm(kind, 1, 1, m, k, one_of(kind), {0, 0, 0}, a, {0, as.col, as.row}, row_sums, {0, m, 1});
    row_sums = nullptr;
  }
  if (batch == 0 || m == 0 || n == 0) return;
  KG_INTERNAL(!row_sums || batch == 1, "sums of rows of ", batch, " products");
  KG_INTERNAL(n == 1 || cs.col == 1, "the columns of C are ", cs.col, " apart");
  KG_INTERNAL(!(epilogue.relu && is_complex(kind)), "relu of ", name_of(kind));

  const Kernels& kernels = kernels_of(kind);
  int64_t size = kernels.source_size;
  // A stride that is never stepped over becomes the one that keeps fast paths open.
  if (m == 1) as.row = k, cs.row = n;
  if (k <= 1) as.col = 1, bs.row = n;
  if (n == 1) bs.col = 1, cs.col = 1;
  if (batch == 1) as.batch = bs.batch = cs.batch = 0;
  check_extent("A", size, batch, m, std::max<int64_t>(k, 1), as);
  check_extent("B", size, batch, std::max<int64_t>(k, 1), n, bs);
  check_extent("C", size, batch, m, n, cs);
  // One B for the whole batch: a single product with more rows.
  if (batch > 1 && bs.batch == 0 && as.batch == m * as.row && cs.batch == m * cs.row) {
    m *= batch;
    batch = 1;
    as.batch = cs.batch = 0;
  }

  // A matrix times a vector: the vector times the transposed matrix fills the lanes. Products
  // commute, so the bits agree; a complex product's two halves would change places.
  const void* bias = epilogue.bias;
  if (n == 1 && m > 1 && cs.row == 1 && !is_complex(kind)) {
    std::swap(a, b);
    std::swap(m, n);
    Strides was = as;
    as = {bs.batch, 1, bs.row};
    bs = {was.batch, was.col, was.row};
    as.row = k;
    cs = {cs.batch, n, 1};
    if (bias) {
      char* spread = static_cast<char*>(room(Room::bias, n * size));
      for (int64_t i = 0; i < n; ++i) std::memcpy(spread + i * size, bias, size_t(size));
      bias = spread;
    }
  }

  Batch all{};
  all.a = as, all.b = bs, all.c = cs;
  all.a_data = static_cast<const char*>(a);
  all.b_data = static_cast<const char*>(b);
  all.c_data = static_cast<char*>(c);
  Plain& source = all.source;
  source.kernels = &kernels;
  source.a_data = all.a_data;
  source.b_data = all.b_data;
  source.a_strides = as;
  source.b_strides = bs;
  source.k = k;
  // Few columns do not repay a copy of A's rows. Where columns are contiguous instead, a few of
  // each are read, far from the next: only while the first-level cache holds them all.
  const bool near = m * k * size <= 32 << 10;
  const int64_t few = as.col == 1 ? 12 : near ? 8 : 2;
  source.in_place_a = kernels.plain && (as.col == 1 || as.row == 1) &&
                      (n <= few * kernels.vector || m <= kernels.rows);

  Product& product = all.product;
  product.kernels = &kernels;
  product.source = &source;
  product.rows_in_place = source.in_place_a && as.col == 1 && !near;
  if (kernels.plain && bs.col == 1) {
    product.b_plain = b;
    product.b_row = bs.row;
  } else if (kernels.dots[0] && source.in_place_a && bs.row == 1) {
    product.b_columns = b;
    product.b_col = bs.col;
  }
  // Columns of A that are contiguous: a few of them alone would use little of what is fetched.
  if (!source.in_place_a && as.row == 1 && as.col != 1 && kernels.per_depth_num == 1 &&
      kernels.per_depth_den == 1)
    product.groups_a = kGroups;
  product.m = m;
  product.n = n * kernels.per_column;
  product.depth = packed_depth(kernels, k);
  product.c = c;
  product.c_row = cs.row * kernels.per_column;
  product.bias = bias;
  product.accumulate = epilogue.accumulate;
  product.relu = epilogue.relu;
  if (!row_sums) return run_products(product, batch, &product_at, &all);
  // A row of ones times the transposed A.
  Plain ones;
  ones.kernels = &kernels;
  ones.k = k;
  ones.a_data = static_cast<const char*>(one_of(kind));
  ones.in_place_a = true;
  ones.b_data = all.a_data;
  ones.b_strides = {0, as.col, 1};
  Product sums;
  sums.kernels = &kernels;
  sums.source = &ones;
  sums.b_plain = a;
  sums.b_row = as.col;
  sums.m = 1;
  sums.n = m;
  sums.depth = product.depth;
  sums.c = row_sums;
  sums.c_row = m;
  product.beside = &sums;
  run_products(product, batch, &product_at, &all);
}

PackedMatrix::PackedMatrix(Kind kind, int64_t k, int64_t n, const void* b, Strides strides)
    : kind_(kind), k_(k), n_(n) {
  KG_INTERNAL(!is_complex(kind), "a packed matrix of ", name_of(kind));
  const Kernels& kernels = kernels_of(kind);
  const int64_t depth = packed_depth(kernels, k);
  check_extent("B", kernels.source_size, 1, std::max<int64_t>(k, 1), n, strides);
  // A little more than is packed: whole vectors may be read at the end.
  int64_t bytes = (panels_bytes(kernels, depth, n) + 8191) / 4096 * 4096;
  panels_.reset(std::aligned_alloc(4096, size_t(bytes)));
  if (!panels_) throw std::bad_alloc();
  Plain source;
  source.kernels = &kernels;
  source.b_data = static_cast<const char*>(b);
  source.b_strides = strides;
  source.k = k;
  pack_panels(kernels, source, depth, n, panels_.get());
}

void gemm(const PackedMatrix& b, int64_t m, const void* a, Strides as, void* c, Strides cs,
          const Epilogue& epilogue) {
  KG_INTERNAL(!epilogue.row_sums, "sums of rows beside a packed matrix");
  if (m == 0 || b.n_ == 0) return;
  KG_INTERNAL(cs.col == 1, "the columns of C are ", cs.col, " apart");
  const Kernels& kernels = kernels_of(b.kind_);
  as.batch = cs.batch = 0;
  check_extent("A", kernels.source_size, 1, m, std::max<int64_t>(b.k_, 1), as);
  check_extent("C", kernels.source_size, 1, m, b.n_, cs);
  Batch all{};
  all.a = as, all.c = cs;
  Plain& source = all.source;
  source.kernels = &kernels;
  source.a_data = all.a_data = static_cast<const char*>(a);
  source.a_strides = as;
  source.k = b.k_;
  source.in_place_a = kernels.plain && as.col == 1;
  Product& product = all.product;
  product.kernels = &kernels;
  product.source = &source;
  product.rows_in_place = source.in_place_a;
  product.b_panels = b.panels_.get();
  product.m = m;
  product.n = b.n_;
  product.depth = packed_depth(kernels, b.k_);
  product.c = c;
  product.c_row = cs.row;
  product.bias = epilogue.bias;
  product.accumulate = epilogue.accumulate;
  product.relu = epilogue.relu;
  run_products(product, 1, &product_at, &all);
}

}  // namespace kagari::provider
