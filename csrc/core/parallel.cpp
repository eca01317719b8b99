// The workers and how they share a loop.
//
// Every thread that may take part has a share: a run of parts, and one word that says which loop
// they belong to and how many of them have been taken. Threads take from their own share first, so
// that a thread meets the same range again in the next op over the same tensor, and then from the
// others'. The caller takes part itself and waits for nothing but parts that a worker has begun: a
// worker that is late, asleep, or kept off its processor by other programs costs what it would have
// done, not a wait.
#include "core/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/error.h"

namespace kagari {

namespace {

constexpr int kMostThreads = 256;
constexpr int64_t kPartsPerThread = 4;  // of a loop over a range: evens out what the machine does
constexpr int64_t kMostParts = (1 << 16) - 1;  // of one share
// How long a worker looks for the next loop before it sleeps: longer than Python needs between two
// ops, shorter than what other programs would notice.
constexpr auto kPatience = std::chrono::microseconds(1000);

std::atomic<int> wanted_threads{0};  // 0: the default
std::atomic<bool> forked{false};     // workers do not survive fork: a child runs serially
thread_local bool inside = false;    // this thread runs a part

struct ForkHandler {
  ForkHandler() {
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
  }
} fork_handler;

int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, int(std::thread::hardware_concurrency()));
}

// OMP_NUM_THREADS, which users set for every numerical library, or a thread for each processor.
int default_threads() {
  static const int n = [] {
    const char* text = std::getenv("OMP_NUM_THREADS");
    long asked = text ? std::strtol(text, nullptr, 10) : 0;
    return asked > 0 ? int(std::min<long>(asked, kMostThreads)) : processors();
  }();
  return n;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// One loop, on its caller's stack.
struct Loop {
  void (*body)(void*, int64_t);
  void* context;
  int64_t count, threads;
  std::atomic<bool> failed{false};
  std::mutex lock{};
  std::exception_ptr fault{};

  int64_t first(int64_t share) const { return count * share / threads; }
  void run(int64_t part) {
    if (failed.load(std::memory_order_relaxed)) return;
    try {
      body(context, part);
    } catch (...) {
      std::lock_guard hold(lock);
      if (!fault) fault = std::current_exception();
      failed = true;
    }
  }
};

struct alignas(128) Share {
  // Loop's number (32 bits), parts of the share (16), parts taken of them (16).
  std::atomic<uint64_t> word{0};
  std::atomic<int> asleep{0};
};

uint64_t word_of(uint32_t number, int64_t parts) {
  return uint64_t(number) << 32 | uint64_t(parts) << 16;
}
uint32_t number_of(uint64_t word) { return uint32_t(word >> 32); }

class Pool {
 public:
  // False where the caller should run the loop alone.
  bool run(Loop& loop) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;  // another caller's loop
    loop.threads = std::min<int64_t>(loop.threads, 1 + start(int(loop.threads) - 1));
    if (loop.threads <= 1 || (loop.count - 1) / loop.threads >= kMostParts) {
      busy_.store(false, std::memory_order_release);
      return false;
    }
    publish(loop);
    inside = true;
    take_parts(0, number_, loop.threads);
    inside = false;
    for (int spins = 0; left_.load(std::memory_order_acquire) > 0; ++spins) {
      pause();
      if (spins % 1024 == 1023) std::this_thread::yield();
    }
    busy_.store(false, std::memory_order_release);
    return true;
  }

 private:
  void publish(Loop& loop) {
    if (++number_ == 0) ++number_;  // what a worker has seen before its first loop
    loop_.store(&loop, std::memory_order_relaxed);
    threads_.store(int(loop.threads), std::memory_order_relaxed);
    patient_.store(loop.threads <= processors_, std::memory_order_relaxed);
    left_.store(loop.count, std::memory_order_relaxed);
    for (int64_t i = 0; i < loop.threads; ++i)
      shares_[i].word.store(word_of(number_, loop.first(i + 1) - loop.first(i)),
                            std::memory_order_release);
    // Either a worker that goes to sleep sees its new word, or it is seen asleep here.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (int64_t i = 1; i < loop.threads; ++i)
      if (shares_[i].asleep.load(std::memory_order_relaxed)) {
        shares_[i].asleep.store(0, std::memory_order_relaxed);
        shares_[i].asleep.notify_one();
      }
  }

  // Runs parts of loop `number`, of the thread's own share first. What is read of the loop stays
  // as it is while a part that was taken has not been counted as done.
  void take_parts(int64_t self, uint32_t number, int64_t threads) {
    for (int64_t k = 0; k < threads; ++k) {
      int64_t at = (self + k) % threads, done = 0;
      for (int64_t i; (i = take(shares_[at], number)) >= 0; ++done) {
        Loop& loop = *loop_.load(std::memory_order_relaxed);
        loop.run(loop.first(at) + i);
      }
      if (done) left_.fetch_sub(done, std::memory_order_acq_rel);
    }
  }
  static int64_t take(Share& share, uint32_t number) {
    uint64_t word = share.word.load(std::memory_order_acquire);
    while (number_of(word) == number && (word & 0xffff) < (word >> 16 & 0xffff))
      if (share.word.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel,
                                           std::memory_order_acquire))
        return int64_t(word & 0xffff);
    return -1;
  }

  // Starts workers up to `wanted`; how many there are.
  int start(int wanted) {
    if (started_ >= wanted) return started_;
    sigset_t all, before;  // signals are for the program's own threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; started_ < wanted; ++started_)
        std::thread([this, self = started_ + 1] { work(self); }).detach();
    } catch (const std::system_error&) {  // no more threads: those that are there do the work
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started_;
  }

  [[noreturn]] void work(int self) {
    inside = true;
    Share& own = shares_[self];
    for (uint32_t seen = 0;;) {
      wait_for(own, seen);
      seen = number_of(own.word.load(std::memory_order_acquire));
      int threads = threads_.load(std::memory_order_relaxed);
      // A newer loop with fewer threads may have been published since: its parts bear another
      // number.
      if (self < threads) take_parts(self, seen, threads);
    }
  }
  void wait_for(Share& own, uint32_t seen) {
    auto arrived = [&] { return number_of(own.word.load(std::memory_order_acquire)) != seen; };
    if (patient_.load(std::memory_order_relaxed)) {
      auto start = std::chrono::steady_clock::now();
      do {
        for (int i = 0; i < 64; ++i) {
          if (arrived()) return;
          pause();
        }
      } while (std::chrono::steady_clock::now() - start < kPatience);
    }
    while (!arrived()) {
      own.asleep.store(1, std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (!arrived()) own.asleep.wait(1, std::memory_order_relaxed);
    }
    own.asleep.store(0, std::memory_order_relaxed);
  }

  std::atomic<bool> busy_{false};
  // Written by the thread that is busy.
  uint32_t number_ = 0;
  int started_ = 0;
  const int processors_ = processors();
  std::atomic<Loop*> loop_{nullptr};
  std::atomic<int> threads_{0};
  std::atomic<bool> patient_{true};
  alignas(128) std::atomic<int64_t> left_{0};  // parts that are not done
  Share shares_[kMostThreads];
};

Pool& pool() {
  static Pool* p = new Pool;  // never destroyed: workers outlive what ends a program
  return *p;
}

}  // namespace

int num_threads() {
  if (forked.load(std::memory_order_relaxed)) return 1;
  int n = wanted_threads.load(std::memory_order_relaxed);
  return n ? n : default_threads();
}

void set_num_threads(int n) {
  KG_CHECK(n > 0, "expected a positive number of threads, got ", n);
  wanted_threads = n;
}

bool in_parallel_region() { return inside; }

namespace detail {

void run_parts(int64_t count, void (*body)(void*, int64_t), void* context) {
  int64_t threads = std::min<int64_t>({num_threads(), count, kMostThreads});
  if (threads > 1 && !inside) {
    Loop loop{.body = body, .context = context, .count = count, .threads = threads};
    // A share counts no further: the loop's parts are runs of the caller's.
    struct Runs {
      void (*body)(void*, int64_t);
      void* context;
      int64_t count, length;
    } runs{body, context, count, (count - 1) / (threads * kMostParts) + 1};
    if (runs.length > 1) {
      loop.body = [](void* c, int64_t run) {
        const Runs& r = *static_cast<const Runs*>(c);
        int64_t end = std::min(r.count, (run + 1) * r.length);
        for (int64_t i = run * r.length; i < end; ++i) r.body(r.context, i);
      };
      loop.context = &runs;
      loop.count = (count - 1) / runs.length + 1;
    }
    if (pool().run(loop)) {
      if (loop.fault) std::rethrow_exception(loop.fault);
      return;
    }
  }
  for (int64_t i = 0; i < count; ++i) body(context, i);
}

void parallel_run(int64_t begin, int64_t end, int64_t grain, void (*body)(void*, int64_t, int64_t),
                  void* context) {
  int64_t grains = grain > 0 ? (end - begin - 1) / grain + 1 : end - begin;
  int64_t threads = std::min<int64_t>(num_threads(), grains);
  if (threads <= 1 || inside) {
    body(context, begin, end);
    return;
  }
  struct Range {
    void (*body)(void*, int64_t, int64_t);
    void* context;
    int64_t begin, end, length;
  } range{body, context, begin, end, 0};
  int64_t parts = std::min(grains, threads * kPartsPerThread);
  range.length =
      ((grains - 1) / parts + 1) * std::max<int64_t>(grain, 1);  // whole grains: aligned bounds
  run_parts((end - begin - 1) / range.length + 1,
            [](void* c, int64_t part) {
              const Range& r = *static_cast<const Range*>(c);
              int64_t from = r.begin + part * r.length;
              r.body(r.context, from, std::min(r.end, from + r.length));
            },
            &range);
}

}  // namespace detail
}  // namespace kagari
