// Parallel loops: the caller and kagari's own workers take parts of the work until none is left.
// Work is split by size, never by the number of threads, where splitting decides bits.
#pragma once
#include <cstdint>
#include <type_traits>

namespace kagari {

int num_threads();
void set_num_threads(int n);  // for every thread that enters kagari from now on
bool in_parallel_region();    // nested loops run serially

namespace detail {
void parallel_run(int64_t begin, int64_t end, int64_t grain, void (*body)(void*, int64_t, int64_t),
                  void* context);
void run_parts(int64_t count, void (*body)(void*, int64_t), void* context);
}  // namespace detail

// Calls f(begin, end) on disjoint ranges that cover [begin, end). Ranges may depend on the number
// of threads: f must not let a range's bounds influence its results. An exception in f reaches the
// caller.
template <class F>
void parallel_for(int64_t begin, int64_t end, int64_t grain, F&& f) {
  if (end - begin <= 0) return;
  if (end - begin <= grain) {
    f(begin, end);
    return;
  }
  detail::parallel_run(
      begin, end, grain,
      [](void* c, int64_t b, int64_t e) { (*static_cast<std::remove_reference_t<F>*>(c))(b, e); },
      (void*)&f);
}

// Calls f(part) for each part < count, each on some thread; parts must not care which.
template <class F>
void parallel_parts(int64_t count, F&& f) {
  detail::run_parts(
      count, [](void* c, int64_t i) { (*static_cast<std::remove_reference_t<F>*>(c))(i); },
      (void*)&f);
}

}  // namespace kagari
