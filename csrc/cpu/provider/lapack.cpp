// LAPACK's Fortran interface behind plain functions: copies to column-major order, workspace
// queries, one thread.
#include "cpu/provider/lapack.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "cpu/provider/small.h"

// The library's symbols carry its build's prefix.
#ifndef BLAS_SYMBOL_PREFIX
#define BLAS_SYMBOL_PREFIX
#endif
#define KG_JOIN_(a, b) a##b
#define KG_JOIN(a, b) KG_JOIN_(a, b)
#define KG_LAPACK(name) KG_JOIN(BLAS_SYMBOL_PREFIX, name##_)

namespace kagari::provider {

using Int = int32_t;
using c64 = std::complex<float>;
using c128 = std::complex<double>;

// Lengths of character arguments follow the others, as Fortran compilers pass them.
extern "C" {
void KG_JOIN(BLAS_SYMBOL_PREFIX, openblas_set_num_threads)(int);

#define KG_DECLARE_COMMON(T, R, p, orgqr_name)                                                    \
  void KG_LAPACK(p##getrf)(const Int*, const Int*, T*, const Int*, Int*, Int*);                   \
  void KG_LAPACK(p##getrs)(const char*, const Int*, const Int*, const T*, const Int*, const Int*, \
                           T*, const Int*, Int*, size_t);                                         \
  void KG_LAPACK(p##trsm)(const char*, const char*, const char*, const char*, const Int*,         \
                          const Int*, const T*, const T*, const Int*, T*, const Int*, size_t,     \
                          size_t, size_t, size_t);                                                \
  void KG_LAPACK(p##sytrf)(const char*, const Int*, T*, const Int*, Int*, T*, const Int*, Int*,   \
                           size_t);                                                               \
  void KG_LAPACK(p##sytrs)(const char*, const Int*, const Int*, const T*, const Int*, const Int*, \
                           T*, const Int*, Int*, size_t);                                         \
  void KG_LAPACK(p##potrf)(const char*, const Int*, T*, const Int*, Int*, size_t);                \
  void KG_LAPACK(p##geqrf)(const Int*, const Int*, T*, const Int*, T*, T*, const Int*, Int*);     \
  void KG_LAPACK(orgqr_name)(const Int*, const Int*, const Int*, T*, const Int*, const T*, T*,    \
                             const Int*, Int*);
KG_DECLARE_COMMON(float, float, s, sorgqr)
KG_DECLARE_COMMON(double, double, d, dorgqr)
KG_DECLARE_COMMON(c64, float, c, cungqr)
KG_DECLARE_COMMON(c128, double, z, zungqr)
#undef KG_DECLARE_COMMON

#define KG_DECLARE_REAL(T, p)                                                                      \
  void KG_LAPACK(p##gesdd)(const char*, const Int*, const Int*, T*, const Int*, T*, T*,            \
                           const Int*, T*, const Int*, T*, const Int*, Int*, Int*, size_t);        \
  void KG_LAPACK(p##syevd)(const char*, const char*, const Int*, T*, const Int*, T*, T*,           \
                           const Int*, Int*, const Int*, Int*, size_t, size_t);                    \
  void KG_LAPACK(p##geev)(const char*, const char*, const Int*, T*, const Int*, T*, T*, T*,        \
                          const Int*, T*, const Int*, T*, const Int*, Int*, size_t, size_t);       \
  void KG_LAPACK(p##gelsd)(const Int*, const Int*, const Int*, T*, const Int*, T*, const Int*, T*, \
                           const T*, Int*, T*, const Int*, Int*, Int*);                            \
  void KG_LAPACK(p##gelsy)(const Int*, const Int*, const Int*, T*, const Int*, T*, const Int*,     \
                           Int*, const T*, Int*, T*, const Int*, Int*);
KG_DECLARE_REAL(float, s)
KG_DECLARE_REAL(double, d)
#undef KG_DECLARE_REAL

#define KG_DECLARE_COMPLEX(T, R, p)                                                                \
  void KG_LAPACK(p##hetrf)(const char*, const Int*, T*, const Int*, Int*, T*, const Int*, Int*,    \
                           size_t);                                                                \
  void KG_LAPACK(p##hetrs)(const char*, const Int*, const Int*, const T*, const Int*, const Int*,  \
                           T*, const Int*, Int*, size_t);                                          \
  void KG_LAPACK(p##gesdd)(const char*, const Int*, const Int*, T*, const Int*, R*, T*,            \
                           const Int*, T*, const Int*, T*, const Int*, R*, Int*, Int*, size_t);    \
  void KG_LAPACK(p##heevd)(const char*, const char*, const Int*, T*, const Int*, R*, T*,           \
                           const Int*, R*, const Int*, Int*, const Int*, Int*, size_t, size_t);    \
  void KG_LAPACK(p##geev)(const char*, const char*, const Int*, T*, const Int*, T*, T*,            \
                          const Int*, T*, const Int*, T*, const Int*, R*, Int*, size_t, size_t);   \
  void KG_LAPACK(p##gelsd)(const Int*, const Int*, const Int*, T*, const Int*, T*, const Int*, R*, \
                           const R*, Int*, T*, const Int*, R*, Int*, Int*);                        \
  void KG_LAPACK(p##gelsy)(const Int*, const Int*, const Int*, T*, const Int*, T*, const Int*,     \
                           Int*, const R*, Int*, T*, const Int*, R*, Int*);
KG_DECLARE_COMPLEX(c64, float, c)
KG_DECLARE_COMPLEX(c128, double, z)
#undef KG_DECLARE_COMPLEX
}

namespace {

template <class T>
struct Real {
  using type = T;
};
template <class R>
struct Real<std::complex<R>> {
  using type = R;
};
template <class T>
constexpr bool kComplex = !std::is_same_v<T, typename Real<T>::type>;

// The four kinds' functions under one name each.
template <class T>
struct Lapack;
#define KG_FUNCTIONS(T, p, orgqr_name, syevd_name, h)                             \
  template <>                                                                     \
  struct Lapack<T> {                                                              \
    static constexpr auto getrf = &KG_LAPACK(p##getrf);                           \
    static constexpr auto getrs = &KG_LAPACK(p##getrs);                           \
    static constexpr auto trsm = &KG_LAPACK(p##trsm);                             \
    static constexpr auto sytrf = &KG_LAPACK(p##sytrf);                           \
    static constexpr auto sytrs = &KG_LAPACK(p##sytrs);                           \
    static constexpr auto hetrf = &KG_LAPACK(h##trf); /* of a real kind: sytrf */ \
    static constexpr auto hetrs = &KG_LAPACK(h##trs);                             \
    static constexpr auto potrf = &KG_LAPACK(p##potrf);                           \
    static constexpr auto geqrf = &KG_LAPACK(p##geqrf);                           \
    static constexpr auto orgqr = &KG_LAPACK(orgqr_name);                         \
    static constexpr auto gesdd = &KG_LAPACK(p##gesdd);                           \
    static constexpr auto syevd = &KG_LAPACK(syevd_name);                         \
    static constexpr auto geev = &KG_LAPACK(p##geev);                             \
    static constexpr auto gelsd = &KG_LAPACK(p##gelsd);                           \
    static constexpr auto gelsy = &KG_LAPACK(p##gelsy);                           \
  };
KG_FUNCTIONS(float, s, sorgqr, ssyevd, ssy)
KG_FUNCTIONS(double, d, dorgqr, dsyevd, dsy)
KG_FUNCTIONS(c64, c, cungqr, cheevd, che)
KG_FUNCTIONS(c128, z, zungqr, zheevd, zhe)
#undef KG_FUNCTIONS

void one_thread() {
  static std::once_flag once;
  std::call_once(once, [] { KG_JOIN(BLAS_SYMBOL_PREFIX, openblas_set_num_threads)(1); });
}

template <class F>
int64_t with_kind(Kind kind, F&& f) {
  one_thread();
  switch (kind) {
    case Kind::f32:
      return f.template operator()<float>();
    case Kind::f64:
      return f.template operator()<double>();
    case Kind::c64:
      return f.template operator()<c64>();
    case Kind::c128:
      return f.template operator()<c128>();
    default:
      break;
  }
  KG_FAIL(type, "expected float32, float64, complex64 or complex128, got ", name_of(kind));
}

Int narrow(int64_t x) {
  KG_CHECK(x >= 0 && x <= std::numeric_limits<Int>::max(),
           "expected a matrix dimension below 2^31, got ", x);
  return Int(x);
}

template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t n) {
    KG_CHECK(n >= 0 && n <= std::numeric_limits<int64_t>::max() / int64_t(sizeof(T)) / 2,
             "expected a workspace within the address space, got ", n, " elements");
    data_.reset(new T[size_t(std::max<int64_t>(n, 1))]);
  }
  T* get() const { return data_.get(); }

 private:
  std::unique_ptr<T[]> data_;
};

// A matrix in column-major order: itself or a copy, which goes back on request. Scratch is always a
// copy, for functions that destroy what they read.
template <class T>
class Columns {
 public:
  enum Use { kInput, kOutput, kBoth, kScratch };
  Columns(const Matrix& m, Use use) : m_(m), rows_(narrow(m.rows)), cols_(narrow(m.cols)) {
    own_ = use == kScratch || !(m.row_stride == 1 || m.rows <= 1) ||
           !(m.cols <= 1 || (m.col_stride >= std::max<int64_t>(m.rows, 1) &&
                             m.col_stride <= std::numeric_limits<Int>::max()));
    if (!own_) {
      data_ = static_cast<T*>(m.data);
      lead_ =
          narrow(m.cols <= 1 ? std::max<int64_t>(m.rows, 1) : std::max<int64_t>(m.col_stride, 1));
      return;
    }
    int64_t size;
    KG_CHECK(!__builtin_mul_overflow(m.rows, m.cols, &size),
             "expected a matrix within the address space");
    copy_ = std::make_unique<Buffer<T>>(size);
    data_ = copy_->get();
    lead_ = std::max<Int>(rows_, 1);
    if (use != kOutput) blocks([&](int64_t i, int64_t j) { data_[i + j * lead_] = theirs(i, j); });
  }
  T* data() const { return data_; }
  const Int* rows() const { return &rows_; }
  const Int* cols() const { return &cols_; }
  const Int* lead() const { return &lead_; }
  T& at(int64_t i, int64_t j) const { return data_[i + j * lead_]; }
  void put_back() const {
    if (own_) blocks([&](int64_t i, int64_t j) { theirs(i, j) = data_[i + j * lead_]; });
  }

 private:
  T& theirs(int64_t i, int64_t j) const {
    return static_cast<T*>(m_.data)[i * m_.row_stride + j * m_.col_stride];
  }
  // Square blocks keep both sides of a transposition in the cache.
  template <class F>
  void blocks(F&& f) const {
    constexpr int64_t side = 16;
    for (int64_t i = 0; i < m_.rows; i += side)
      for (int64_t j = 0; j < m_.cols; j += side)
        for (int64_t c = j; c < std::min(m_.cols, j + side); ++c)
          for (int64_t r = i; r < std::min(m_.rows, i + side); ++r) f(r, c);
  }

  Matrix m_;
  Int rows_, cols_, lead_ = 1;
  T* data_ = nullptr;
  std::unique_ptr<Buffer<T>> copy_;
  bool own_ = false;
};

// A workspace's length as a query reports it, in a float that may have rounded it down.
template <class T>
Int workspace(T reported) {
  using R = typename Real<T>::type;
  R length = std::real(reported);
  double up = std::ceil(double(length) * (1 + 2 * double(std::numeric_limits<R>::epsilon())));
  KG_CHECK(up >= 0 && up <= double(std::numeric_limits<Int>::max()),
           "expected a problem whose workspace counts below 2^31 elements, got ", double(length));
  return std::max<Int>(1, Int(up));
}

int64_t checked(const char* function, Int info) {
  KG_INTERNAL(info >= 0, function, " refuses its argument ", -info);
  return info;
}

}  // namespace

int64_t getrf(Kind kind, const Matrix& a, int32_t* pivots) {
  return with_kind(kind, [&]<class T>() -> int64_t {
    if (a.rows == 0 || a.cols == 0) return 0;
    if constexpr (!kComplex<T>)
      if (is_small(a)) return small_getrf<T>(a, pivots);
    Columns<T> x(a, Columns<T>::kBoth);
    Int info = 0;
    Lapack<T>::getrf(x.rows(), x.cols(), x.data(), x.lead(), pivots, &info);
    x.put_back();
    return checked("getrf", info);
  });
}

int64_t getrs(Kind kind, char transpose, const Matrix& lu, const int32_t* pivots, const Matrix& b) {
  KG_INTERNAL(lu.rows == lu.cols && b.rows == lu.rows, "getrs of ", lu.rows, " by ", lu.cols);
  return with_kind(kind, [&]<class T>() -> int64_t {
    if (b.rows == 0 || b.cols == 0) return 0;
    if constexpr (!kComplex<T>)
      if (is_small(lu)) return small_getrs<T>(transpose != 'N', lu, pivots, b);
    Columns<T> x(lu, Columns<T>::kInput), y(b, Columns<T>::kBoth);
    Int info = 0;
    Lapack<T>::getrs(&transpose, x.rows(), y.cols(), x.data(), x.lead(), pivots, y.data(), y.lead(),
                     &info, 1);
    y.put_back();
    return checked("getrs", info);
  });
}

void trsm(Kind kind, bool left, bool upper, bool unit, const Matrix& a, const Matrix& b) {
  KG_INTERNAL(a.rows == a.cols && a.rows == (left ? b.rows : b.cols), "trsm of ", a.rows, " by ",
              a.cols);
  with_kind(kind, [&]<class T>() -> int64_t {
    if (b.rows == 0 || b.cols == 0) return 0;
    if constexpr (!kComplex<T>)
      if (is_small(a)) return small_trsm<T>(left, upper, unit, a, b);
    // A row-major A is the transpose of a column-major one.
    bool turned = a.row_stride != 1 && a.col_stride == 1;
    Matrix stored = turned ? Matrix{a.data, a.cols, a.rows, a.col_stride, a.row_stride} : a;
    Columns<T> x(stored, Columns<T>::kInput), y(b, Columns<T>::kBoth);
    char side = left ? 'L' : 'R', triangle = upper != turned ? 'U' : 'L';
    char transpose = turned ? 'T' : 'N', diagonal = unit ? 'U' : 'N';
    T one(1);
    Lapack<T>::trsm(&side, &triangle, &transpose, &diagonal, y.rows(), y.cols(), &one, x.data(),
                    x.lead(), y.data(), y.lead(), 1, 1, 1, 1);
    y.put_back();
    return 0;
  });
}

int64_t sytrf(Kind kind, bool hermitian, const Matrix& a, int32_t* pivots) {
  KG_INTERNAL(a.rows == a.cols, "sytrf of ", a.rows, " by ", a.cols);
  return with_kind(kind, [&]<class T>() -> int64_t {
    if (a.rows == 0) return 0;
    Columns<T> x(a, Columns<T>::kBoth);
    auto factor = Lapack<T>::sytrf;
    if constexpr (kComplex<T>)
      if (hermitian) factor = Lapack<T>::hetrf;
    Int info = 0, length = -1;
    T wanted{};
    char lower = 'L';
    factor(&lower, x.rows(), x.data(), x.lead(), pivots, &wanted, &length, &info, 1);
    length = workspace(wanted);
    Buffer<T> work(length);
    factor(&lower, x.rows(), x.data(), x.lead(), pivots, work.get(), &length, &info, 1);
    x.put_back();
    return checked("sytrf", info);
  });
}

int64_t sytrs(Kind kind, bool hermitian, const Matrix& ld, const int32_t* pivots, const Matrix& b) {
  KG_INTERNAL(ld.rows == ld.cols && b.rows == ld.rows, "sytrs of ", ld.rows, " by ", ld.cols);
  return with_kind(kind, [&]<class T>() -> int64_t {
    if (b.rows == 0 || b.cols == 0) return 0;
    Columns<T> x(ld, Columns<T>::kInput), y(b, Columns<T>::kBoth);
    auto solve = Lapack<T>::sytrs;
    if constexpr (kComplex<T>)
      if (hermitian) solve = Lapack<T>::hetrs;
    Int info = 0;
    char lower = 'L';
    solve(&lower, x.rows(), y.cols(), x.data(), x.lead(), pivots, y.data(), y.lead(), &info, 1);
    y.put_back();
    return checked("sytrs", info);
  });
}

int64_t potrf(Kind kind, bool upper, const Matrix& a) {
  KG_INTERNAL(a.rows == a.cols, "potrf of ", a.rows, " by ", a.cols);
  return with_kind(kind, [&]<class T>() -> int64_t {
    if (a.rows == 0) return 0;
    if constexpr (!kComplex<T>)
      if (is_small(a) && small_potrf<T>(upper, a)) return 0;
    Columns<T> x(a, Columns<T>::kBoth);
    Int info = 0;
    char triangle = upper ? 'U' : 'L';
    Lapack<T>::potrf(&triangle, x.rows(), x.data(), x.lead(), &info, 1);
    for (int64_t j = 0; j < a.cols; ++j)
      for (int64_t i = upper ? j + 1 : 0; i < (upper ? a.rows : j); ++i) x.at(i, j) = T(0);
    x.put_back();
    // A pivot that is not a number is not positive either, which not every LAPACK sees.
    for (int64_t j = 0; info == 0 && j < a.cols; ++j)
      if (x.at(j, j) != x.at(j, j)) info = Int(j + 1);
    return checked("potrf", info);
  });
}

int64_t geqrf(Kind kind, const Matrix& a, void* tau) {
  return with_kind(kind, [&]<class T>() -> int64_t {
    if (a.rows == 0 || a.cols == 0) return 0;
    T* t = static_cast<T*>(tau);
    if constexpr (!kComplex<T>)
      if (is_small(a) && small_geqrf<T>(a, t)) return 0;
    Columns<T> x(a, Columns<T>::kBoth);
    Int info = 0, length = -1;
    T wanted{};
    Lapack<T>::geqrf(x.rows(), x.cols(), x.data(), x.lead(), t, &wanted, &length, &info);
    length = workspace(wanted);
    Buffer<T> work(length);
    Lapack<T>::geqrf(x.rows(), x.cols(), x.data(), x.lead(), t, work.get(), &length, &info);
    x.put_back();
    return checked("geqrf", info);
  });
}

int64_t orgqr(Kind kind, const Matrix& a, int64_t reflectors, const void* tau) {
  KG_INTERNAL(a.cols <= a.rows && reflectors <= a.cols, "orgqr of ", a.rows, " by ", a.cols);
  return with_kind(kind, [&]<class T>() -> int64_t {
    if (a.rows == 0 || a.cols == 0) return 0;
    const T* t = static_cast<const T*>(tau);
    if constexpr (!kComplex<T>)
      if (is_small(a)) return small_orgqr<T>(a, reflectors, t);
    Columns<T> x(a, Columns<T>::kBoth);
    Int info = 0, length = -1, count = narrow(reflectors);
    T wanted{};
    Lapack<T>::orgqr(x.rows(), x.cols(), &count, x.data(), x.lead(), t, &wanted, &length, &info);
    length = workspace(wanted);
    Buffer<T> work(length);
    Lapack<T>::orgqr(x.rows(), x.cols(), &count, x.data(), x.lead(), t, work.get(), &length, &info);
    x.put_back();
    return checked("orgqr", info);
  });
}

int64_t gesdd(Kind kind, char job, const Matrix& a, void* s, const Matrix& u, const Matrix& vh) {
  return with_kind(kind, [&]<class T>() -> int64_t {
    using R = typename Real<T>::type;
    int64_t least = std::min(a.rows, a.cols), most = std::max(a.rows, a.cols);
    if (least == 0) {
      // Bases of nothing: identities where all vectors are asked for.
      for (const Matrix* m : {&u, &vh})
        for (int64_t i = 0; job == 'A' && i < m->rows; ++i)
          for (int64_t j = 0; j < m->cols; ++j)
            static_cast<T*>(m->data)[i * m->row_stride + j * m->col_stride] = T(i == j);
      return 0;
    }
    Columns<T> x(a, Columns<T>::kScratch);
    Matrix none{nullptr, 1, 1, 1, 1};
    Columns<T> left(job == 'N' ? none : u, Columns<T>::kOutput);
    Columns<T> right(job == 'N' ? none : vh, Columns<T>::kOutput);
    Buffer<Int> integers(8 * least);
    R* values = static_cast<R*>(s);
    Int info = 0, length = -1;
    T wanted{};
    auto run = [&](T* work) {
      if constexpr (kComplex<T>) {
        Buffer<R> reals(length < 0   ? 1
                        : job == 'N' ? 7 * least
                                     : least * std::max(5 * least + 7, 2 * most + 2 * least + 1));
        Lapack<T>::gesdd(&job, x.rows(), x.cols(), x.data(), x.lead(), values, left.data(),
                         left.lead(), right.data(), right.lead(), work, &length, reals.get(),
                         integers.get(), &info, 1);
      } else {
        Lapack<T>::gesdd(&job, x.rows(), x.cols(), x.data(), x.lead(), values, left.data(),
                         left.lead(), right.data(), right.lead(), work, &length, integers.get(),
                         &info, 1);
      }
    };
    run(&wanted);
    length = workspace(wanted);
    Buffer<T> work(length);
    run(work.get());
    if (job != 'N') {
      left.put_back();
      right.put_back();
    }
    return checked("gesdd", info);
  });
}

int64_t syevd(Kind kind, bool vectors, bool upper, const Matrix& a, void* values_) {
  KG_INTERNAL(a.rows == a.cols, "syevd of ", a.rows, " by ", a.cols);
  return with_kind(kind, [&]<class T>() -> int64_t {
    using R = typename Real<T>::type;
    if (a.rows == 0) return 0;
    Columns<T> x(a, vectors ? Columns<T>::kBoth : Columns<T>::kScratch);
    char job = vectors ? 'V' : 'N', triangle = upper ? 'U' : 'L';
    R* values = static_cast<R*>(values_);
    Int info = 0, length = -1, reals = -1, integers = -1;
    auto run = [&](T* work, R* real_work, Int* integer_work) {
      if constexpr (kComplex<T>)
        Lapack<T>::syevd(&job, &triangle, x.rows(), x.data(), x.lead(), values, work, &length,
                         real_work, &reals, integer_work, &integers, &info, 1, 1);
      else
        Lapack<T>::syevd(&job, &triangle, x.rows(), x.data(), x.lead(), values, work, &length,
                         integer_work, &integers, &info, 1, 1);
    };
    T wanted{};
    R wanted_reals{};
    Int wanted_integers = 0;
    run(&wanted, &wanted_reals, &wanted_integers);
    length = workspace(wanted);
    reals = workspace(wanted_reals);
    integers = std::max<Int>(1, wanted_integers);
    Buffer<T> work(length);
    Buffer<R> real_work(reals);
    Buffer<Int> integer_work(integers);
    run(work.get(), real_work.get(), integer_work.get());
    if (vectors) x.put_back();
    return checked("syevd", info);
  });
}

int64_t geev(Kind kind, const Matrix& a, void* values_, const Matrix* vectors) {
  KG_INTERNAL(a.rows == a.cols, "geev of ", a.rows, " by ", a.cols);
  return with_kind(kind, [&]<class T>() -> int64_t {
    using R = typename Real<T>::type;
    using C = std::complex<R>;
    int64_t n = a.rows;
    if (n == 0) return 0;
    Columns<T> x(a, Columns<T>::kScratch);
    C* values = static_cast<C*>(values_);
    char no = 'N', job = vectors ? 'V' : 'N';
    Buffer<T> right(vectors ? n * n : 1);
    Int info = 0, length = -1, one = 1, lead = vectors ? narrow(n) : 1;
    T unused{}, wanted{};
    Buffer<R> parts(2 * n);  // real and imaginary parts of the values, or real workspace
    auto run = [&](T* work) {
      if constexpr (kComplex<T>)
        Lapack<T>::geev(&no, &job, x.rows(), x.data(), x.lead(), values, &unused, &one, right.get(),
                        &lead, work, &length, parts.get(), &info, 1, 1);
      else
        Lapack<T>::geev(&no, &job, x.rows(), x.data(), x.lead(), parts.get(), parts.get() + n,
                        &unused, &one, right.get(), &lead, work, &length, &info, 1, 1);
    };
    run(&wanted);
    length = workspace(wanted);
    Buffer<T> work(length);
    run(work.get());
    auto put = [&](int64_t i, int64_t j, C v) {
      static_cast<C*>(vectors->data)[i * vectors->row_stride + j * vectors->col_stride] = v;
    };
    const T* r = right.get();
    if constexpr (kComplex<T>) {
      for (int64_t j = 0; vectors && j < n; ++j)
        for (int64_t i = 0; i < n; ++i) put(i, j, r[i + j * n]);
    } else {
      const R* re = parts.get();
      const R* im = re + n;
      for (int64_t j = 0; j < n; ++j) values[j] = C(re[j], im[j]);
      // A conjugate pair's vectors share two columns: real and imaginary part.
      for (int64_t j = 0; vectors && j < n; ++j) {
        bool pair = im[j] != 0 && j + 1 < n;
        for (int64_t i = 0; i < n; ++i) {
          if (!pair) {
            put(i, j, C(r[i + j * n], 0));
          } else {
            put(i, j, C(r[i + j * n], r[i + (j + 1) * n]));
            put(i, j + 1, C(r[i + j * n], -r[i + (j + 1) * n]));
          }
        }
        j += pair;
      }
    }
    return checked("geev", info);
  });
}

namespace {

// f(work, its length, reals, integers): asked for the sizes of its workspaces first.
template <class T, class F>
void in_workspaces(int64_t reals, int64_t integers, F&& f) {
  using R = typename Real<T>::type;
  T wanted{};
  R wanted_reals{};
  Int wanted_integers = 0;
  f(&wanted, -1, &wanted_reals, &wanted_integers);
  const Int length = workspace(wanted);
  Buffer<T> work(length);
  Buffer<R> more(std::max<int64_t>(reals, workspace(wanted_reals)));
  Buffer<Int> whole(std::max<int64_t>(integers, wanted_integers));
  f(work.get(), length, more.get(), whole.get());
}

}  // namespace

int64_t least_squares(Kind kind, const Matrix& a, const Matrix& b, void* s, double rcond,
                      int64_t* rank) {
  KG_INTERNAL(b.rows == std::max(a.rows, a.cols), "least squares with ", b.rows, " rows of B");
  return with_kind(kind, [&]<class T>() -> int64_t {
    using R = typename Real<T>::type;
    *rank = 0;
    if (a.rows == 0 || a.cols == 0) {
      for (int64_t i = 0; i < b.rows; ++i)
        for (int64_t j = 0; a.rows == 0 && j < b.cols; ++j)
          static_cast<T*>(b.data)[i * b.row_stride + j * b.col_stride] = T(0);
      return 0;
    }
    if (b.cols == 0) {  // LAPACK prints a complaint; the rank and the singular values are wanted
      std::vector<T> zeros(size_t(b.rows), T(0));
      return least_squares(kind, a, {zeros.data(), b.rows, 1, 1, b.rows}, s, rcond, rank);
    }
    Columns<T> x(a, Columns<T>::kScratch), y(b, Columns<T>::kBoth);
    Int info = 0, found = 0;
    const R limit = rcond < 0 && !s ? std::numeric_limits<R>::epsilon() : R(rcond);
    if (s) {
      R* values = static_cast<R*>(s);
      in_workspaces<T>(1, 1, [&](T* work, Int length, R* reals, Int* integers) {
        if constexpr (kComplex<T>)
          Lapack<T>::gelsd(x.rows(), x.cols(), y.cols(), x.data(), x.lead(), y.data(), y.lead(),
                           values, &limit, &found, work, &length, reals, integers, &info);
        else
          Lapack<T>::gelsd(x.rows(), x.cols(), y.cols(), x.data(), x.lead(), y.data(), y.lead(),
                           values, &limit, &found, work, &length, integers, &info);
      });
    } else {
      std::vector<Int> order(size_t(a.cols), 0);  // every column may be exchanged
      in_workspaces<T>(2 * a.cols, 1, [&](T* work, Int length, R* reals, Int*) {
        if constexpr (kComplex<T>)
          Lapack<T>::gelsy(x.rows(), x.cols(), y.cols(), x.data(), x.lead(), y.data(), y.lead(),
                           order.data(), &limit, &found, work, &length, reals, &info);
        else
          Lapack<T>::gelsy(x.rows(), x.cols(), y.cols(), x.data(), x.lead(), y.data(), y.lead(),
                           order.data(), &limit, &found, work, &length, &info);
      });
    }
    y.put_back();
    *rank = found;
    return checked(s ? "gelsd" : "gelsy", info);
  });
}

}  // namespace kagari::provider
