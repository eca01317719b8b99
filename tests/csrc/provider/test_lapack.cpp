// Factorisations against what they must multiply back to, in row-major and column-major order, and
// the same bits from any thread count.
//
// tests/csrc/test_programs.py builds and runs it.
#include "cpu/provider/lapack.h"

#include <cmath>

#include "harness.h"

namespace kagari::test {
namespace {

using namespace provider;

template <class T>
struct RealOf {
  using type = T;
};
template <class R>
struct RealOf<std::complex<R>> {
  using type = R;
};

template <class T>
struct Dense {
  int64_t rows, cols;
  bool by_column;
  std::vector<T> data;
  Dense(int64_t r, int64_t c, bool column)
      : rows(r), cols(c), by_column(column), data(size_t(r * c)) {}
  T& operator()(int64_t i, int64_t j) {
    return data[size_t(by_column ? i + j * rows : i * cols + j)];
  }
  Matrix ref() { return {data.data(), rows, cols, by_column ? 1 : cols, by_column ? rows : 1}; }
};

template <class T>
Dense<T> random_matrix(int64_t r, int64_t c, bool column) {
  Dense<T> m(r, c, column);
  m.data = random_vector<T>(r * c);
  return m;
}
template <class T>
T conj(T x) {
  if constexpr (is_complex_v<T>)
    return std::conj(x);
  else
    return x;
}
template <class A, class B>
auto times(A a, B b) {
  using C = decltype(a.data[0] * b.data[0]);
  Dense<C> out(a.rows, b.cols, false);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < b.cols; ++j) {
      C s{};
      for (int64_t k = 0; k < a.cols; ++k) s += a(i, k) * b(k, j);
      out(i, j) = s;
    }
  return out;
}
template <class T>
Dense<T> adjoint(Dense<T> a) {
  Dense<T> out(a.cols, a.rows, a.by_column);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < a.cols; ++j) out(j, i) = conj(a(i, j));
  return out;
}
template <class A, class B>
double distance(A a, B b) {
  double d = a.rows == b.rows && a.cols == b.cols ? 0 : 1e9;
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < a.cols; ++j) d = std::max(d, double(std::abs(a(i, j) - b(i, j))));
  return d;
}

template <class T>
void factorisations(int64_t m, int64_t n, bool column) {
  constexpr Kind kind = kind_of<T>();
  using R = typename RealOf<T>::type;
  double bound = kEps<T> * 40 * double(m + n);
  int64_t least = std::min(m, n);
  Dense<T> a = random_matrix<T>(m, n, column);

  Dense<T> qr = a;
  std::vector<T> tau(size_t(least) + 1);
  EXPECT(geqrf(kind, qr.ref(), tau.data()) == 0, "geqrf");
  Dense<T> q(m, least, column), r(least, n, column);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < least; ++j) q(i, j) = qr(i, j);
  for (int64_t i = 0; i < least; ++i)
    for (int64_t j = i; j < n; ++j) r(i, j) = qr(i, j);
  EXPECT(orgqr(kind, q.ref(), least, tau.data()) == 0, "orgqr");
  EXPECT(distance(times(q, r), a) < bound, "%s qr %lld %lld", name_of(kind), (long long)m,
         (long long)n);

  for (char job : {'N', 'S', 'A'}) {
    Dense<T> x = a, u(m, job == 'A' ? m : least, column), vh(job == 'A' ? n : least, n, column);
    std::vector<R> s(size_t(least) + 1);
    EXPECT(gesdd(kind, job, x.ref(), s.data(), u.ref(), vh.ref()) == 0, "gesdd");
    if (job == 'N') continue;
    Dense<T> us(m, least, column), v(least, n, column);
    for (int64_t j = 0; j < least; ++j) {
      for (int64_t i = 0; i < m; ++i) us(i, j) = u(i, j) * s[size_t(j)];
      for (int64_t i = 0; i < n; ++i) v(j, i) = vh(j, i);
    }
    EXPECT(distance(times(us, v), a) < bound, "%s svd %lld %lld", name_of(kind), (long long)m,
           (long long)n);
    Dense<T> identity(u.cols, u.cols, false);
    for (int64_t i = 0; i < u.cols; ++i) identity(i, i) = T(1);
    EXPECT(distance(times(adjoint(u), u), identity) < bound, "%s svd vectors", name_of(kind));
  }

  // A tall system of full rank has a residual orthogonal to the columns.
  if (m >= n) {
    Dense<T> x = a, b = random_matrix<T>(m, 3, !column), rest = b;
    std::vector<R> s(size_t(least) + 1);
    int64_t rank = -1;
    EXPECT(least_squares(kind, x.ref(), b.ref(), s.data(), -1, &rank) == 0 && rank == n, "gelsd");
    Dense<T> solution(n, 3, column);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < 3; ++j) solution(i, j) = b(i, j);
    auto reached = times(a, solution);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < 3; ++j) rest(i, j) -= reached(i, j);
    EXPECT(distance(times(adjoint(a), rest), Dense<T>(n, 3, false)) < bound * 50,
           "%s gelsd %lld %lld", name_of(kind), (long long)m, (long long)n);
  }
}

template <class T>
void square(int64_t n, bool column) {
  constexpr Kind kind = kind_of<T>();
  using R = typename RealOf<T>::type;
  double bound = kEps<T> * 100 * double(n + 4);
  Dense<T> a = random_matrix<T>(n, n, column), lu = a, b = random_matrix<T>(n, 2, !column), x = b;
  for (int64_t i = 0; i < n; ++i) a(i, i) += T(3), lu(i, i) += T(3);
  std::vector<int32_t> pivots(size_t(n) + 1);
  EXPECT(getrf(kind, lu.ref(), pivots.data()) == 0, "getrf");
  EXPECT(getrs(kind, 'N', lu.ref(), pivots.data(), x.ref()) == 0, "getrs");
  EXPECT(distance(times(a, x), b) < bound, "%s solve %lld", name_of(kind), (long long)n);
  x = b;
  EXPECT(getrs(kind, 'C', lu.ref(), pivots.data(), x.ref()) == 0, "getrs");
  EXPECT(distance(times(adjoint(a), x), b) < bound, "%s solve adjoint %lld", name_of(kind),
         (long long)n);

  auto positive = times(a, adjoint(a));
  Dense<T> h(n, n, column);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) h(i, j) = positive(i, j) / T(R(n + 1));
  for (bool upper : {false, true}) {
    Dense<T> l = h;
    EXPECT(potrf(kind, upper, l.ref()) == 0, "potrf");
    EXPECT(distance(upper ? times(adjoint(l), l) : times(l, adjoint(l)), h) < bound * 4,
           "%s cholesky %lld", name_of(kind), (long long)n);
    Dense<T> v = h;
    std::vector<R> w(size_t(n) + 1), only(size_t(n) + 1);
    EXPECT(syevd(kind, true, upper, v.ref(), w.data()) == 0, "syevd");
    Dense<T> vw = v, hv = times(h, v), copy = h;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) vw(i, j) *= w[size_t(j)];
    EXPECT(distance(hv, vw) < bound * 4, "%s syevd %lld", name_of(kind), (long long)n);
    EXPECT(syevd(kind, false, upper, copy.ref(), only.data()) == 0, "syevd");
    double gap = 0;
    for (int64_t i = 0; i < n; ++i)
      gap = std::max(gap, double(std::abs(w[size_t(i)] - only[size_t(i)])));
    EXPECT(gap < bound * 4, "%s syevd values %lld", name_of(kind), (long long)n);
  }
  if (n > 1) {
    Dense<T> l = h;
    l(n - 1, n - 1) = T(-5);
    EXPECT(potrf(kind, false, l.ref()) == n, "potrf names the minor that is not positive");
  }

  using C = std::complex<R>;
  Dense<T> work = a;
  Dense<C> v(n, n, !column);
  std::vector<C> w(size_t(n) + 1);
  Matrix vectors = v.ref();
  EXPECT(geev(kind, work.ref(), w.data(), &vectors) == 0, "geev");
  Dense<C> wide(n, n, column), vw = v;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) wide(i, j) = C(a(i, j)), vw(i, j) *= w[size_t(j)];
  EXPECT(distance(times(wide, v), vw) < bound * 4, "%s geev %lld", name_of(kind), (long long)n);
}

// Sizes from which the library would use several threads if it were let.
template <class T>
void threads() {
  constexpr Kind kind = kind_of<T>();
  constexpr int64_t n = 300;
  Dense<T> a = random_matrix<T>(n, n, false);
  std::vector<T> first;
  for (int count : {1, 2, 4}) {
    set_num_threads(count);
    Dense<T> lu = a, v = a;
    std::vector<int32_t> pivots(n);
    std::vector<double> w(n);
    getrf(kind, lu.ref(), pivots.data());
    syevd(kind, true, false, v.ref(), w.data());
    std::vector<T> all = lu.data;
    all.insert(all.end(), v.data.begin(), v.data.end());
    if (first.empty()) first = all;
    EXPECT(std::memcmp(first.data(), all.data(), all.size() * sizeof(T)) == 0, "%s threads %d",
           name_of(kind), count);
  }
}

template <class T>
void all() {
  for (bool column : {false, true}) {
    for (int64_t m : {1, 5, 17, 40})
      for (int64_t n : {1, 4, 17, 33}) factorisations<T>(m, n, column);
    for (int64_t n : {0, 1, 2, 3, 16, 37}) square<T>(n, column);
  }
  threads<T>();
}

}  // namespace
}  // namespace kagari::test

int main() {
  using namespace kagari::test;
  all<float>();
  all<double>();
  all<kagari::c64>();
  all<kagari::c128>();
  return report("test_lapack");
}
