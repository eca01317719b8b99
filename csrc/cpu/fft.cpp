// Fourier transforms on the CPU: plans, and the lines of tensors shared among threads.
//
// The length of a line alone says how it is computed. Products of small primes take passes over the
// line, a long one is split into two batches of shorter ones, and lengths with a large prime factor
// become a convolution (Bluestein 1970) of a length that has none.
#include "ops/fft.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <memory>
#include <mutex>
#include <numbers>
#include <vector>

#include "core/parallel.h"
#include "cpu/fft_table.h"

namespace kagari {

namespace {

constexpr int64_t kLong = 16384;            // lines longer than this are split
constexpr int64_t kShortConvolution = 512;  // longer ones are convolved by themselves
constexpr int64_t kTaskWork = 8192;         // elements per task
constexpr size_t kCacheBytes = size_t(64) << 20;

const FftTable& fft_loops() {
  static const FftTable& t = KG_PICK(fft_table);
  return t;
}
template <class T>
const FftLoops<T>& loops() {
  if constexpr (std::is_same_v<T, float>)
    return fft_loops().f32;
  else
    return fft_loops().f64;
}

// ---- roots of unity -----------------------------------------------------------------------------

// exp(-2 pi i j / n): products of two tables within an eighth of the circle, and its symmetries.
class Roots {
 public:
  explicit Roots(int64_t n) : n_(n) {
    // Angles are counted in quarters of 1 / n of the circle, up to n / 2 of them.
    while ((int64_t(1) << (2 * shift_)) < n / 2 + 1) ++shift_;
    for (int64_t j = 0; j < int64_t(1) << shift_; ++j) fine_.push_back(at(j));
    for (int64_t j = 0; j <= (n / 2) >> shift_; ++j) coarse_.push_back(at(j << shift_));
  }
  template <class T>
  void put(int64_t j, T* to) const {
    int64_t b = 4 * (j % n_);
    bool below = b > 2 * n_;
    if (below) b = 4 * n_ - b;
    bool left = b > n_;
    if (left) b = 2 * n_ - b;
    bool steep = 2 * b > n_;
    if (steep) b = n_ - b;
    Point f = fine_[size_t(b & ((int64_t(1) << shift_) - 1))], c = coarse_[size_t(b >> shift_)];
    long double x = f.x * c.x - f.y * c.y, y = f.x * c.y + f.y * c.x;
    if (steep) std::swap(x, y);
    to[0] = T(left ? -x : x);
    to[1] = T(below ? y : -y);
  }

 private:
  struct Point {
    long double x, y;
  };
  Point at(int64_t j) const {
    long double angle = std::numbers::pi_v<long double> * (long double)(j) / (long double)(2 * n_);
    return {std::cos(angle), std::sin(angle)};
  }
  int64_t n_;
  int shift_ = 0;
  std::vector<Point> fine_, coarse_;
};

// ---- plans --------------------------------------------------------------------------------------

enum class Way : uint8_t { passes, split, convolved };

template <class T>
struct Plan {
  Way way = Way::passes;
  int64_t n = 0;
  FftPlan<T> line;
  std::vector<T> tables;  // what `line` points into
  // split: n = first * second, and what multiplies between them, in blocks of lines.
  std::shared_ptr<const Plan> first, second;
  std::vector<T> rotate;
  // convolved
  std::shared_ptr<const Plan> inner;
  std::vector<T> chirp, filter;
  size_t bytes() const {
    return sizeof(Plan) +
           (tables.size() + rotate.size() + chirp.size() + filter.size()) * sizeof(T);
  }
};
// exp(-pi i k / h) / 2, which real transforms of 2 h elements need beside the plan of h.
template <class T>
struct Halves {
  std::vector<T> values;
  size_t bytes() const { return sizeof(Halves) + values.size() * sizeof(T); }
};

// The most recently used of something, as far as they have room.
template <class Made>
class Cache {
 public:
  template <class Make>
  std::shared_ptr<const Made> get(int64_t key, Make&& make) {
    {
      std::lock_guard lock(mutex_);
      for (auto i = kept_.begin(); i != kept_.end(); ++i) {
        if (i->first != key) continue;
        kept_.splice(kept_.begin(), kept_, i);
        return i->second;
      }
    }
    std::shared_ptr<const Made> made = make();
    std::lock_guard lock(mutex_);
    kept_.emplace_front(key, made);
    bytes_ += made->bytes();
    while (bytes_ > kCacheBytes || kept_.size() > 64) {
      bytes_ -= kept_.back().second->bytes();
      kept_.pop_back();
    }
    return made;
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<int64_t, std::shared_ptr<const Made>>> kept_;
  size_t bytes_ = 0;
};

// The radices of n in the order of the passes: 8 or 4 first, 8, 4 or 2 last where there are such.
// Empty where a prime factor is too large.
std::vector<int64_t> radices(int64_t n) {
  std::vector<int64_t> even, odd;
  int64_t twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  for (; twos >= 5 || twos == 3; twos -= 3) even.push_back(8);
  for (; twos >= 2; twos -= 2) even.push_back(4);
  if (twos) even.push_back(2);
  for (int64_t p = 3; p <= kFftMaxRadix; p += 2)
    for (; n % p == 0; n /= p) odd.push_back(p);
  if (n > 1) return {};
  if (even.size() < 2) {
    std::vector<int64_t> all = even;
    all.insert(all.end(), odd.begin(), odd.end());
    return all;
  }
  // The last pass has no twiddles: the larger the better.
  std::vector<int64_t> all{even[0]};
  all.insert(all.end(), even.begin() + 2, even.end());
  all.insert(all.end(), odd.begin(), odd.end());
  all.push_back(even[1]);
  return all;
}

int64_t good_length(int64_t least) {
  int64_t best = 0;
  for (int64_t odd : {1, 3, 5, 9, 15}) {
    int64_t n = odd * 64;
    while (n < least) n *= 2;
    if (!best || n < best) best = n;
  }
  return best;
}

template <class T>
void make_passes(Plan<T>& plan, int64_t n, const std::vector<int64_t>& radix) {
  FftPlan<T>& line = plan.line;
  KG_INTERNAL(radix.size() <= kFftMaxPasses, "too many passes for ", n);
  const Roots roots(n);
  const int64_t lanes = loops<T>().lanes;
  line.count = int(radix.size());
  std::vector<std::pair<size_t, size_t>> places;  // of twiddles and roots in the tables
  std::vector<T>& tables = plan.tables;
  int64_t s = 1;
  for (int64_t r : radix) {
    int64_t m = n / (s * r);
    places.emplace_back(tables.size(), 0);
    if (m > 1) {
      tables.reserve(tables.size() + size_t(2 * m * (r - 1)));
      for (int64_t p = 0; p < m; ++p)
        for (int64_t k = 1; k < r; ++k) {
          T w[2];
          roots.put(p * k * s, w);
          tables.insert(tables.end(), w, w + 2);
        }
    }
    places.back().second = tables.size();
    for (int64_t k = 0; k < r; ++k) {
      T w[2];
      roots.put(k * (n / r), w);
      tables.push_back(w[0]);
      tables.push_back(-w[1]);
    }
    s *= r;
  }
  // A line by itself: radix 8 whose butterflies fill vectors, and an end that knows memory.
  bool alone = radix.size() >= 2 && radix[0] == 8 && 8 % lanes == 0 && n / 8 % lanes == 0 &&
               radix.back() % 2 == 0;
  size_t first = tables.size();
  if (alone) {
    tables.resize(first + size_t(n / 8 * 7 * 2));
    const T* w = tables.data() + places[0].first;
    T* to = tables.data() + first;
    for (int64_t p = 0; p < n / 8; ++p)
      for (int64_t k = 0; k < 7; ++k)
        for (int64_t part = 0; part < 2; ++part)
          to[((p / lanes * 7 + k) * 2 + part) * lanes + p % lanes] = w[(p * 7 + k) * 2 + part];
  }
  s = 1;
  for (size_t i = 0; i < radix.size(); ++i) {
    line.passes[i] = {radix[i], s, n / (s * radix[i]), tables.data() + places[i].first,
                      tables.data() + places[i].second};
    s *= radix[i];
  }
  line.first = alone ? tables.data() + first : nullptr;
}

// room: what room_of says, or null.
template <class T>
void transform_line(const Plan<T>& plan, const T* in, int64_t in_step, T* out, int64_t out_step,
                    bool swap, T scale, T* room = nullptr);

template <class T>
std::shared_ptr<const Plan<T>> plan_of(int64_t n, bool piece = false);

// chirp: exp(-pi i j^2 / n); filter: the spectrum of its conjugate, wrapped around at `padded`, and
// divided by it.
template <class T>
void make_chirp(int64_t n, int64_t padded, T* chirp, T* filter) {
  const Roots roots(2 * n);
  std::vector<double> b(size_t(2 * padded)), spectrum(size_t(2 * padded));
  int64_t square = 0;  // j^2 mod 2 n
  for (int64_t j = 0; j < n; ++j) {
    roots.put(square, chirp + 2 * j);
    roots.put(square, b.data() + 2 * j);
    b[size_t(2 * j + 1)] = -b[size_t(2 * j + 1)];
    if (j) std::copy_n(b.data() + 2 * j, 2, b.data() + 2 * (padded - j));
    square = (square + 2 * j + 1) % (2 * n);
  }
  transform_line<double>(*plan_of<double>(padded), b.data(), 2, spectrum.data(), 2, false,
                         1 / double(padded));
  std::copy(spectrum.begin(), spectrum.end(), filter);
}

template <class T>
std::shared_ptr<const Plan<T>> make_plan(int64_t n, bool piece) {
  auto plan = std::make_shared<Plan<T>>();
  plan->n = n;
  FftPlan<T>& line = plan->line;
  line.n = n;
  std::vector<int64_t> radix = radices(n);
  const int64_t lanes = loops<T>().lanes;
  if (radix.empty() && n > 1) {
    int64_t padded = good_length(2 * n - 1);
    if (n <= kShortConvolution) {
      make_passes(*plan, padded, radices(padded));
      line.padded = padded;
      line.room = padded;
      line.first = nullptr;
      plan->chirp.resize(size_t(2 * n));
      plan->filter.resize(size_t(2 * padded));
      make_chirp(n, padded, plan->chirp.data(), plan->filter.data());
      line.chirp = plan->chirp.data();
      line.filter = plan->filter.data();
    } else {
      plan->way = Way::convolved;
      plan->inner = plan_of<T>(padded);
      plan->chirp.resize(size_t(2 * n));
      plan->filter.resize(size_t(2 * padded));
      make_chirp(n, padded, plan->chirp.data(), plan->filter.data());
    }
  } else if (n <= kLong || piece) {
    make_passes(*plan, n, radix);
    line.room = n + 1;
  } else {
    plan->way = Way::split;
    int64_t a = 1;  // the largest divisor up to the root, and a multiple of 8 before others
    for (int64_t i = 1; i * i <= n; ++i)
      if (n % i == 0 && (i % 8 == 0 || a % 8 != 0 || i > 8 * a)) a = i;
    int64_t b = n / a;
    plan->first = plan_of<T>(a, true);
    plan->second = plan_of<T>(b, true);
    // Element k1 of the line j2 is multiplied by exp(-2 pi i j2 k1 / n).
    const Roots roots(n);
    plan->rotate.resize(size_t((b + lanes - 1) / lanes * a * 2 * lanes));
    T* to = plan->rotate.data();
    parallel_for(0, (b + lanes - 1) / lanes, std::max<int64_t>(1, kTaskWork / (a * lanes)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t g = begin; g < end; ++g)
                     for (int64_t k = 0; k < a; ++k)
                       for (int64_t l = 0; l < lanes; ++l) {
                         T w[2];
                         roots.put((g * lanes + l) * k, w);
                         T* at = to + (g * a + k) * 2 * lanes + l;
                         at[0] = w[0];
                         at[lanes] = w[1];
                       }
                 });
  }
  return plan;
}

template <class T>
std::shared_ptr<const Plan<T>> plan_of(int64_t n, bool piece) {
  static auto& cache = *new Cache<Plan<T>>;
  return cache.get(2 * n + piece, [&] { return make_plan<T>(n, piece); });
}
template <class T>
std::shared_ptr<const Halves<T>> halves_of(int64_t h) {
  static auto& cache = *new Cache<Halves<T>>;
  return cache.get(h, [&] {
    auto made = std::make_shared<Halves<T>>();
    made->values.resize(size_t(2 * (h + 1)));
    const Roots roots(2 * h);
    for (int64_t k = 0; k <= h; ++k) roots.put(k, made->values.data() + 2 * k);
    for (T& v : made->values) v *= T(0.5);
    return std::shared_ptr<const Halves<T>>(made);
  });
}

// ---- one line -----------------------------------------------------------------------------------

template <class T>
int64_t block_room(const Plan<T>& plan) {
  return 4 * plan.line.room * loops<T>().lanes;
}
// Lines of a block from one place and one distance.
template <class T>
void place_lines(FftBlock<T>& b, int lanes, const T* in, int64_t in_line, T* out,
                 int64_t out_line) {
  b.lanes = lanes;
  for (int k = 0; k < kFftMaxLanes; ++k) {
    b.in[k] = in + (k < lanes ? k * in_line : 0);
    b.out[k] = out + (k < lanes ? k * out_line : 0);
  }
}

// Two batches of shorter lines. The line is a matrix of first.n rows: its columns are transformed,
// multiplied and kept; their rows, transformed, are the columns of the result.
template <class T>
void transform_split(const Plan<T>& plan, const T* in, int64_t in_step, T* out, int64_t out_step,
                     bool swap, T scale) {
  const int64_t a = plan.first->n, b = plan.second->n, lanes = loops<T>().lanes;
  Workspace between(size_t(2 * plan.n) * sizeof(T));
  T* middle = between.as<T>();
  auto each_block = [&](const Plan<T>& piece, int64_t lines, auto&& f) {
    int64_t blocks = (lines + lanes - 1) / lanes;
    parallel_for(0, blocks, std::max<int64_t>(1, kTaskWork / (piece.n * lanes)),
                 [&](int64_t begin, int64_t end) {
                   Workspace room(size_t(block_room(piece)) * sizeof(T));
                   for (int64_t i = begin; i < end; ++i) {
                     FftBlock<T> block;
                     block.swap = swap;
                     f(block, i * lanes, int(std::min(lanes, lines - i * lanes)));
                     loops<T>().block(piece.line, block, room.as<T>());
                   }
                 });
  };
  each_block(*plan.first, b, [&](FftBlock<T>& block, int64_t i, int count) {
    place_lines(block, count, in + i * in_step, in_step, middle + 2 * i, 2);
    block.in_step = in_step * b;
    block.out_step = 2 * b;
    block.in_beside = in_step == 2;
    block.out_beside = true;
    block.rotate = plan.rotate.data() + i * a * 2;
  });
  each_block(*plan.second, a, [&](FftBlock<T>& block, int64_t i, int count) {
    place_lines(block, count, middle + 2 * b * i, 2 * b, out + i * out_step, out_step);
    block.in_step = 2;
    block.out_step = out_step * a;
    block.out_beside = out_step == 2;
    block.scale = scale;
  });
}

template <class T>
void transform_convolved(const Plan<T>& plan, const T* in, int64_t in_step, T* out,
                         int64_t out_step, bool swap, T scale) {
  const int64_t n = plan.n, padded = plan.inner->n;
  const FftLoops<T>& f = loops<T>();
  Workspace memory(size_t(2 * padded) * sizeof(T));
  T* x = memory.as<T>();
  if (in_step != 2) {
    for (int64_t j = 0; j < n; ++j) std::copy_n(in + j * in_step, 2, x + 2 * j);
    in = x;
  }
  f.multiply(in, plan.chirp.data(), x, n, swap, false, T(1));
  std::fill(x + 2 * n, x + 2 * padded, T(0));
  transform_line<T>(*plan.inner, x, 2, x, 2, false, T(1));
  f.multiply(x, plan.filter.data(), x, padded, false, true, T(1));
  transform_line<T>(*plan.inner, x, 2, x, 2, false, T(1));
  f.multiply(x, plan.chirp.data(), out_step == 2 ? out : x, n, true, swap, scale);
  if (out_step != 2)
    for (int64_t j = 0; j < n; ++j) std::copy_n(x + 2 * j, 2, out + j * out_step);
}

// Numbers that transform_line needs beside the line; the longer ways take what they need.
template <class T>
int64_t room_of(const Plan<T>& plan) {
  return plan.way == Way::passes ? std::max(4 * plan.n, block_room(plan)) : 0;
}
template <class T>
void transform_line(const Plan<T>& plan, const T* in, int64_t in_step, T* out, int64_t out_step,
                    bool swap, T scale, T* room) {
  if (plan.way == Way::split) return transform_split(plan, in, in_step, out, out_step, swap, scale);
  if (plan.way == Way::convolved)
    return transform_convolved(plan, in, in_step, out, out_step, swap, scale);
  Workspace own(room ? 0 : size_t(room_of(plan)) * sizeof(T));
  if (!room) room = own.as<T>();
  if (plan.line.first && in_step == 2 && out_step == 2)
    return loops<T>().line(plan.line, in, out, swap, scale, room);
  FftBlock<T> block;
  place_lines(block, 1, in, 0, out, 0);
  block.in_step = in_step;
  block.out_step = out_step;
  block.swap = swap;
  block.scale = scale;
  loops<T>().block(plan.line, block, room);
}

// ---- lines of a tensor --------------------------------------------------------------------------

// Sizes and strides of all dimensions but one; the first moves fastest.
class Walk {
 public:
  Walk(Ints sizes, Ints in, Ints out, int64_t without) {
    std::vector<int64_t> order;
    for (int64_t d = 0; d < sizes.n; ++d)
      if (d != without && sizes[d] != 1) order.push_back(d);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return out[a] < out[b]; });
    for (int64_t d : order) {
      count *= sizes[d];
      size_t last = size_.size() - 1;
      if (!size_.empty() && in_[last] * size_[last] == in[d] &&
          out_[last] * size_[last] == out[d]) {
        size_[last] *= sizes[d];
        continue;
      }
      size_.push_back(sizes[d]);
      in_.push_back(in[d]);
      out_.push_back(out[d]);
    }
  }
  void at(int64_t i, int64_t& in, int64_t& out) const {
    in = out = 0;
    for (size_t d = 0; d < size_.size(); ++d) {
      int64_t index = d + 1 == size_.size() ? i : i % size_[d];
      i = d + 1 == size_.size() ? 0 : i / size_[d];
      in += index * in_[d];
      out += index * out_[d];
    }
  }
  int64_t count = 1;

 private:
  std::vector<int64_t> size_, in_, out_;
};

// Strides in numbers: those of complex tensors count twice.
template <class T>
struct Lines {
  const Walk& walk;
  FftKind kind;
  const T* in;
  int64_t in_step;
  T* out;
  int64_t out_step;
  bool swap;
  T scale;
  const Plan<T>& plan;
  const T* halves;  // of the even kinds
  bool mirrored;    // real_even, alone, dense: the other half of the spectrum follows

  bool real_in() const { return kind == FftKind::real_even || kind == FftKind::real_odd; }
  bool real_out() const {
    return kind == FftKind::hermitian_even || kind == FftKind::hermitian_odd;
  }
  int64_t in_unit() const { return real_in() ? 1 : 2; }
  int64_t out_unit() const { return real_out() ? 1 : 2; }
  bool dense() const { return in_step == in_unit() && out_step == out_unit(); }
};

// Real transforms of a line by itself. Numbers, pairs of them or half a spectrum are brought
// together where they are not. beside_line: the numbers that these take from `room` before the
// line's own.
template <class T>
int64_t beside_line(const Lines<T>& l) {
  const int64_t n = l.plan.n;
  if (l.kind == FftKind::complex) return 0;
  if (l.kind == FftKind::real_even)
    return 2 * (n + 1) + (l.in_step == 1 ? 0 : 2 * n) + (l.out_step == 2 ? 0 : 2 * (n + 1));
  return l.kind == FftKind::hermitian_even ? 2 * (n + 1) + 2 * n : 2 * n;
}
template <class T>
void real_even_line(const Lines<T>& l, const T* in, T* out, T* z, T* room) {
  const int64_t h = l.plan.n;
  T* more = z + 2 * (h + 1);
  if (l.in_step != 1) {
    for (int64_t j = 0; j < 2 * h; ++j) more[j] = in[j * l.in_step];
    in = more;
    more += 2 * h;
  }
  T* to = l.out_step == 2 ? out : more;
  transform_line<T>(l.plan, in, 2, z, 2, false, T(1), room);
  std::copy_n(z, 2, z + 2 * h);
  parallel_for(0, h / 2 + 1, kTaskWork, [&](int64_t begin, int64_t end) {
    loops<T>().untangle(z, to, h, begin, end, l.halves, l.scale);
  });
  if (to != out)
    for (int64_t k = 0; k <= h; ++k) std::copy_n(to + 2 * k, 2, out + k * l.out_step);
  else if (l.mirrored)
    loops<T>().conjugate(out + 2 * (h - 1), out + 2 * (h + 1), h - 1, true);
}
template <class T>
void hermitian_even_line(const Lines<T>& l, const T* in, T* out, T* x, T* room) {
  const int64_t h = l.plan.n;
  T *z = x + 2 * (h + 1), *to = l.out_step == 1 ? out : z;
  if (l.in_step != 2) {
    for (int64_t k = 0; k <= h; ++k) std::copy_n(in + k * l.in_step, 2, x + 2 * k);
    in = x;
  }
  // The ends are real by symmetry, whatever was given.
  z[0] = in[0] + in[2 * h];
  z[1] = in[0] - in[2 * h];
  parallel_for(1, h / 2 + 1, kTaskWork, [&](int64_t begin, int64_t end) {
    loops<T>().tangle(in, z, h, begin, end, l.halves);
  });
  transform_line<T>(l.plan, z, 2, to, 2, true, l.scale, room);
  if (to != out)
    for (int64_t j = 0; j < 2 * h; ++j) out[j * l.out_step] = z[j];
}
template <class T>
void odd_line(const Lines<T>& l, const T* in, T* out, T* x, T* room) {
  const int64_t n = l.plan.n;
  if (l.real_in()) {
    for (int64_t j = 0; j < n; ++j) {
      x[2 * j] = in[j * l.in_step];
      x[2 * j + 1] = 0;
    }
  } else {
    x[0] = in[0];
    x[1] = 0;
    for (int64_t k = 1; k <= n / 2; ++k) {
      const T* c = in + k * l.in_step;
      x[2 * k] = x[2 * (n - k)] = c[0];
      x[2 * k + 1] = c[1];
      x[2 * (n - k) + 1] = -c[1];
    }
  }
  transform_line<T>(l.plan, x, 2, x, 2, l.real_out(), l.scale, room);
  if (l.real_in())
    for (int64_t k = 0; k <= n / 2; ++k) std::copy_n(x + 2 * k, 2, out + k * l.out_step);
  else
    for (int64_t j = 0; j < n; ++j) out[j * l.out_step] = x[2 * j];
}

template <class T>
void run_alone(const Lines<T>& l) {
  // Few lines leave the threads to each of them; many share them.
  const int64_t n = l.plan.n;
  const bool share = l.walk.count > 1 &&
                     (l.plan.way == Way::passes || n <= kLong || l.walk.count >= 4 * num_threads());
  int64_t grain = share ? std::max<int64_t>(1, kTaskWork / n) : l.walk.count;
  const int64_t beside = beside_line(l), own = room_of(l.plan);
  parallel_for(0, l.walk.count, grain, [&](int64_t begin, int64_t end) {
    Workspace memory(size_t(beside + own) * sizeof(T));
    T *more = memory.as<T>(), *room = own ? more + beside : nullptr;
    for (int64_t i = begin; i < end; ++i) {
      int64_t a, b;
      l.walk.at(i, a, b);
      const T* in = l.in + a;
      T* out = l.out + b;
      if (l.kind == FftKind::complex)
        transform_line<T>(l.plan, in, l.in_step, out, l.out_step, l.swap, l.scale, room);
      else if (l.kind == FftKind::real_even)
        real_even_line(l, in, out, more, room);
      else if (l.kind == FftKind::hermitian_even)
        hermitian_even_line(l, in, out, more, room);
      else
        odd_line(l, in, out, more, room);
    }
  });
}

template <class T>
void run_blocks(const Lines<T>& l) {
  const int64_t lanes = loops<T>().lanes, blocks = (l.walk.count + lanes - 1) / lanes;
  int64_t grain = std::max<int64_t>(1, kTaskWork / (lanes * l.plan.n));
  parallel_for(0, blocks, grain, [&](int64_t begin, int64_t end) {
    Workspace room(size_t(block_room(l.plan)) * sizeof(T));
    FftBlock<T> block;
    block.kind = l.kind;
    block.in_step = l.in_step;
    block.out_step = l.out_step;
    block.swap = l.swap;
    block.scale = l.scale;
    block.halves = l.halves;
    for (int64_t i = begin; i < end; ++i) {
      block.lanes = int(std::min(lanes, l.walk.count - i * lanes));
      block.in_beside = block.out_beside = true;
      int64_t first_in = 0, first_out = 0;
      for (int k = 0; k < kFftMaxLanes; ++k) {
        int64_t a, b;
        l.walk.at(i * lanes + (k < block.lanes ? k : 0), a, b);
        if (k == 0) {
          first_in = a;
          first_out = b;
        }
        block.in[k] = l.in + a;
        block.out[k] = l.out + b;
        if (k < block.lanes) {
          block.in_beside = block.in_beside && a == first_in + k * l.in_unit();
          block.out_beside = block.out_beside && b == first_out + k * l.out_unit();
        }
      }
      loops<T>().block(l.plan.line, block, room.as<T>());
    }
  });
}

// n elements (real ones where there are such) along `dim` of what `sizes` says of the other
// dimensions. Whether the spectrum of real numbers has been mirrored, as was asked.
template <class T>
bool transform(FftKind kind, int64_t n, Ints sizes, int64_t dim, const T* in, Ints in_strides,
               T* out, Ints out_strides, bool swap, double scale, bool mirrored = false) {
  Walk walk(sizes, in_strides, out_strides, dim);
  const bool half = kind == FftKind::real_even || kind == FftKind::hermitian_even;
  auto plan = plan_of<T>(half ? n / 2 : n);
  auto halves = half ? halves_of<T>(n / 2) : nullptr;
  Lines<T> l{walk,  kind,
             in,    in_strides[dim],
             out,   out_strides[dim],
             swap,  T(scale),
             *plan, halves ? halves->values.data() : nullptr,
             false};
  const bool alone = plan->way != Way::passes || (plan->line.first && l.dense());
  l.mirrored = mirrored && alone && kind == FftKind::real_even && l.out_step == 2;
  alone ? run_alone(l) : run_blocks(l);
  return l.mirrored;
}

Dims strides_in_numbers(const Tensor& x) {
  Dims strides(x.strides());
  if (is_complex(x.dtype()))
    for (int64_t& s : strides) s *= 2;
  return strides;
}

// What follows of the spectrum of real numbers: the element at -k is the conjugate of that at k.
// Sizes and strides have the last transformed dimension first, then the others, the fastest last.
template <class T>
void mirror(const Tensor& out, Ints dim, Ints strides, T* data) {
  const int64_t last = wrap_dim(dim[dim.n - 1], out.dim()), n = out.sizes()[last], h = n / 2 + 1;
  std::vector<int64_t> order;
  for (int64_t d = 0; d < out.dim(); ++d)
    if (out.sizes()[d] > 1 || d == last) order.push_back(d);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return strides[a] > strides[b]; });
  std::vector<bool> turns(size_t(out.dim()), false);
  for (int64_t d : dim) turns[size_t(wrap_dim(d, out.dim()))] = true;
  const int64_t inner = order.back();
  order.pop_back();
  auto length = [&](int64_t d) { return d == last ? n - h : out.sizes()[d]; };
  int64_t count = 1;
  for (int64_t d : order) count *= length(d);
  const int64_t size = out.sizes()[inner], step = strides[inner], own = length(inner);
  parallel_for(0, count, std::max<int64_t>(1, kTaskWork / std::max<int64_t>(own, 1)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   int64_t rest = i, to = 0, from = 0;
                   for (size_t k = order.size(); k-- > 0;) {
                     int64_t d = order[k], j = rest % length(d) + (d == last ? h : 0);
                     rest /= length(d);
                     to += j * strides[d];
                     from += (turns[size_t(d)] && j ? out.sizes()[d] - j : j) * strides[d];
                   }
                   int64_t j = inner == last ? h : 0;
                   T* y = data + to + j * step;
                   if (step == 2) {
                     if (j == 0) {  // of a dimension that turns, its own mirror image
                       loops<T>().conjugate(data + from, y, 1, false);
                       j = 1;
                       y += step;
                     }
                     int64_t count = own - (inner == last ? 0 : 1);
                     int64_t source = turns[size_t(inner)] ? size - j : j;
                     loops<T>().conjugate(data + from + 2 * source, y, count, turns[size_t(inner)]);
                     continue;
                   }
                   for (int64_t k = 0; k < own; ++k, ++j, y += step) {
                     int64_t source = turns[size_t(inner)] && j ? size - j : j;
                     const T* x = data + from + source * step;
                     y[0] = x[0];
                     y[1] = -x[1];
                   }
                 }
               });
}

double scale_of(const Tensor& x, Ints dim, std::string_view scale) {
  double count = 1;
  for (int64_t d : dim) count *= double(x.sizes()[wrap_dim(d, x.dim())]);
  return fft_scale(scale, count);
}

template <class F>
void in_precision(Dtype dtype, F&& f) {
  if (real_dtype(dtype) == Dtype::f32)
    f.template operator()<float>();
  else
    f.template operator()<double>();
}

// Each dimension in turn: the first reads the input, the others the result so far.
void c2c_cpu(Results& out, const Tensor& x, Ints dim, std::string_view scale, bool inverse) {
  if (x.numel() == 0) return;
  Dims in = strides_in_numbers(x), to = strides_in_numbers(out[0]);
  double by = scale_of(x, dim, scale);
  in_precision(x.dtype(), [&]<class T>() {
    T* y = out[0].data_as<T>();
    for (int64_t i = dim.n; i-- > 0;) {
      int64_t d = wrap_dim(dim[i], x.dim());
      bool first = i == dim.n - 1;
      transform<T>(FftKind::complex, x.sizes()[d], x.sizes(), d, first ? x.data_as<T>() : y,
                   first ? in : to, y, to, inverse, i == 0 ? by : 1);
    }
  });
}

void r2c_cpu(Results& out, const Tensor& x, Ints dim, std::string_view scale, bool onesided) {
  if (x.numel() == 0) return;
  Dims in = strides_in_numbers(x), to = strides_in_numbers(out[0]), half(x.sizes());
  double by = scale_of(x, dim, scale);
  int64_t last = wrap_dim(dim[dim.n - 1], x.dim()), n = x.sizes()[last];
  half[last] = n / 2 + 1;
  in_precision(x.dtype(), [&]<class T>() {
    T* y = out[0].data_as<T>();
    bool mirrored = transform<T>(n % 2 ? FftKind::real_odd : FftKind::real_even, n, x.sizes(), last,
                                 x.data_as<T>(), in, y, to, false, dim.n == 1 ? by : 1,
                                 !onesided && dim.n == 1);
    for (int64_t i = dim.n - 1; i-- > 0;) {
      int64_t d = wrap_dim(dim[i], x.dim());
      transform<T>(FftKind::complex, half[d], half, d, y, to, y, to, false, i == 0 ? by : 1);
    }
    if (!onesided && n > 2 && !mirrored) mirror<T>(out[0], dim, to, y);
  });
}

void c2r_cpu(Results& out, const Tensor& x, int64_t dim, int64_t n, std::string_view scale) {
  if (x.numel() == 0) return;
  Dims in = strides_in_numbers(x), to = strides_in_numbers(out[0]);
  int64_t d = wrap_dim(dim, x.dim());
  in_precision(x.dtype(), [&]<class T>() {
    transform<T>(n % 2 ? FftKind::hermitian_odd : FftKind::hermitian_even, n, x.sizes(), d,
                 x.data_as<T>(), in, out[0].data_as<T>(), to, false, fft_scale(scale, double(n)));
  });
}

}  // namespace

KG_KERNEL(fft_c2c, cpu, c2c_cpu)
KG_KERNEL(fft_r2c, cpu, r2c_cpu)
KG_KERNEL(fft_c2r, cpu, c2r_cpu)

}  // namespace kagari
