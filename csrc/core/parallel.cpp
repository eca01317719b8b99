// OpenMP loops. libgomp's thread count is per thread, so it is set whenever a thread enters with
// another setting.
#include "core/parallel.h"

#include <omp.h>
#include <pthread.h>

#include <atomic>
#include <mutex>

#include "core/error.h"

namespace kagari {

namespace {
std::atomic<int> wanted_threads{0};  // 0: OpenMP's own default
std::atomic<bool> forked{false};     // libgomp's workers do not survive fork: a child runs serially

struct ForkHandler {
  ForkHandler() {
    pthread_atfork(nullptr, nullptr, [] {
      forked = true;
      omp_set_num_threads(1);
    });
  }
} fork_handler;
}  // namespace

int num_threads() {
  if (forked) return 1;
  int n = wanted_threads;
  return n ? n : omp_get_max_threads();
}

void set_num_threads(int n) {
  KG_CHECK(n > 0, "expected a positive number of threads, got ", n);
  wanted_threads = n;
  if (!forked) omp_set_num_threads(n);
}

void enter_thread() {
  static thread_local int applied = 0;
  int wanted = forked ? 1 : int(wanted_threads);
  if (wanted && applied != wanted) {
    omp_set_num_threads(wanted);
    applied = wanted;
  }
}

bool in_parallel_region() { return omp_in_parallel(); }

namespace detail {

void parallel_run(int64_t begin, int64_t end, int64_t grain, void (*body)(void*, int64_t, int64_t),
                  void* context) {
  int64_t chunks = grain > 0 ? (end - begin + grain - 1) / grain : end - begin;
  int threads = int(std::min<int64_t>(num_threads(), chunks));
  if (threads <= 1 || omp_in_parallel()) {
    body(context, begin, end);
    return;
  }
  std::exception_ptr fault;
  std::mutex fault_lock;
  int64_t per = ((end - begin + threads - 1) / threads + grain - 1) / grain *
                grain;  // whole grains: aligned bounds
#pragma omp parallel num_threads(threads)
  {
    int64_t b = begin + omp_get_thread_num() * per;
    int64_t e = std::min(end, b + per);
    if (b < e) {
      try {
        body(context, b, e);
      } catch (...) {
        std::lock_guard hold(fault_lock);
        fault = std::current_exception();
      }
    }
  }
  if (fault) std::rethrow_exception(fault);
}

}  // namespace detail
}  // namespace kagari
