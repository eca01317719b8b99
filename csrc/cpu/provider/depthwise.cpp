// Channel by channel: rows of pixels cut into runs that are seen through the same taps.
#include "cpu/provider/depthwise.h"

#include <algorithm>
#include <vector>

#include "cpu/provider/blocks.h"

namespace kagari::provider {

namespace {

constexpr int64_t kRowBytes = 64 << 10;  // of results in a job
constexpr int64_t kLongest = 256;        // pixels in a chain of a weight's gradient
constexpr int64_t kWeightJobs = 16;
constexpr double kSerialWork = 200e3;

constexpr int64_t parts_of(int64_t x, int64_t of) { return (x + of - 1) / of; }

// Which taps a run of pixels sees, and where, from the pixel's own place in its row on.
struct Taps {
  std::vector<int64_t> at, row;
};

class Rows {
 public:
  explicit Rows(const Window& w) : w_(w) {
    int64_t low = 0, high = 0;
    for (const Tap& tap : w.taps) {
      low = std::min(low, tap.offset[2]);
      high = std::max(high, tap.offset[2]);
    }
    // Pixels [left_, right_) of a row see all taps.
    left_ = std::min(w.grid[2], parts_of(-low, w.step[2]));
    int64_t inside = w.size[2] - high;
    right_ = inside <= 0 ? left_ : std::clamp(parts_of(inside, w.step[2]), left_, w.grid[2]);
  }

  int64_t count() const { return w_.grid[0] * w_.grid[1]; }

  // use(x, n, taps) for each run of row `row` of the grid.
  template <class F>
  void runs(int64_t row, Taps& taps, F&& use) const {
    int64_t z = row / w_.grid[1], y = row % w_.grid[1];
    for (int64_t x = 0; x < left_; ++x) run(z, y, x, 1, taps, use);
    if (right_ > left_) run(z, y, left_, right_ - left_, taps, use);
    for (int64_t x = right_; x < w_.grid[2]; ++x) run(z, y, x, 1, taps, use);
  }

 private:
  template <class F>
  void run(int64_t z, int64_t y, int64_t x, int64_t n, Taps& taps, F&& use) const {
    taps.at.clear();
    taps.row.clear();
    const int64_t from[3] = {z * w_.step[0], y * w_.step[1], x * w_.step[2]};
    for (size_t t = 0; t < w_.taps.size(); ++t) {
      const Tap& tap = w_.taps[t];
      int64_t at = 0;
      bool inside = true;
      for (int i = 0; i < 3; ++i) {
        int64_t place = from[i] + tap.offset[i];
        inside = inside && place >= 0 && place < w_.size[i];
        at += place * w_.strides.space[i];
      }
      if (!inside) continue;
      taps.at.push_back(at);
      taps.row.push_back(int64_t(t));
    }
    use(x, n, taps);
  }

  const Window& w_;
  int64_t left_, right_;
};

template <class T>
void forward(const DepthwiseCall& c) {
  const Window& w = *c.window;
  const DirectKernels& kernels = *kernels_of(c.kind).direct;
  const Rows rows(w);
  const ImageStrides& s = c.result_strides;
  auto row = [&](int64_t i, Taps& taps) {
    int64_t n = i / rows.count(), z = i % rows.count() / w.grid[1], y = i % w.grid[1];
    T* to = reinterpret_cast<T*>(c.result) + n * s.batch + z * s.space[0] + y * s.space[1];
    rows.runs(i % rows.count(), taps, [&](int64_t x, int64_t count, const Taps& seen) {
      DepthwiseRow r;
      r.x = reinterpret_cast<const T*>(c.image) + n * w.strides.batch;
      r.x_step = w.step[2] * w.strides.space[2];
      r.at = seen.at.data();
      r.row = seen.row.data();
      r.taps = int64_t(seen.at.size());
      r.w = c.weights;
      r.y = to + x * s.space[2];
      r.y_step = s.space[2];
      r.n = count;
      r.channels = c.channels;
      r.bias = c.bias;
      r.relu = c.relu;
      kernels.depthwise(r);
    });
  };
  int64_t all = c.batch * rows.count();
  int64_t per = std::clamp<int64_t>(
      kRowBytes / std::max<int64_t>(1, w.grid[2] * c.channels * int64_t(sizeof(T))), 1,
      std::max<int64_t>(1, all / (4 * threads_available())));
  auto job = [&](int64_t i) {
    Taps taps;
    for (int64_t r = i * per; r < std::min(all, (i + 1) * per); ++r) row(r, taps);
  };
  int64_t jobs = parts_of(all, per);
  if (double(all) * double(w.grid[2] * c.channels) * double(w.taps.size()) < kSerialWork)
    for (int64_t i = 0; i < jobs; ++i) job(i);
  else
    run_jobs(jobs, job);
}

template <class T>
void gradient(const DepthwiseWeightCall& c) {
  const Window& w = *c.window;
  const DirectKernels& kernels = *kernels_of(c.kind).direct;
  const Rows rows(w);
  const ImageStrides& s = c.dy_strides;
  const std::vector<T> ones(size_t(c.channels), T(1));
  int64_t taps = int64_t(w.taps.size()), size = (taps + 1) * c.channels;
  // Not by the number of threads: where the sums are split decides bits.
  int64_t all = c.batch * rows.count(), jobs = std::min(all, kWeightJobs);
  auto* sums = static_cast<double*>(room(Room::split, jobs * size * int64_t(sizeof(double))));
  run_jobs(jobs, [&](int64_t job) {
    double* to = sums + job * size;
    std::fill_n(to, size, 0.0);
    Taps seen;
    for (int64_t i = job * all / jobs; i < (job + 1) * all / jobs; ++i) {
      int64_t n = i / rows.count(), z = i % rows.count() / w.grid[1], y = i % w.grid[1];
      const T* from =
          reinterpret_cast<const T*>(c.dy) + n * s.batch + z * s.space[0] + y * s.space[1];
      auto add = [&](int64_t x, int64_t count, const T* image, int64_t step, const int64_t* at,
                     const int64_t* row, int64_t number) {
        for (int64_t first = 0; first < count; first += kLongest)
          kernels.depthwise_weight({image + first * step, step, at, row, number,
                                    from + (x + first) * s.space[2], s.space[2],
                                    std::min(kLongest, count - first), c.channels, to});
      };
      rows.runs(i % rows.count(), seen, [&](int64_t x, int64_t count, const Taps& t) {
        add(x, count, reinterpret_cast<const T*>(c.image) + n * w.strides.batch,
            w.step[2] * w.strides.space[2], t.at.data(), t.row.data(), int64_t(t.at.size()));
      });
      const int64_t none = 0;
      if (c.bias_sums) add(0, w.grid[2], ones.data(), 0, &none, &taps, 1);
    }
  });
  for (int64_t i = 0; i < size; ++i) {
    double total = 0;
    for (int64_t job = 0; job < jobs; ++job) total += sums[job * size + i];
    if (i < taps * c.channels)
      c.sums[i] = total;
    else if (c.bias_sums)
      c.bias_sums[i - taps * c.channels] = total;
  }
}

}  // namespace

bool depthwise_serves(Kind kind, const ConvShape& s) {
  const Kernels& kernels = kernels_of(kind);
  return kernels.direct && s.groups == s.in_channels && s.groups == s.out_channels &&
         s.groups >= kernels.vector;
}

void run_depthwise(const DepthwiseCall& c) {
  if (c.kind == Kind::f32)
    forward<float>(c);
  else
    forward<double>(c);
}

void run_depthwise_weight(const DepthwiseWeightCall& c) {
  if (c.kind == Kind::f32)
    gradient<float>(c);
  else
    gradient<double>(c);
}

}  // namespace kagari::provider
