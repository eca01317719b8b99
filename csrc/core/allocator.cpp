// The CPU's caching allocator: fresh pages cost more than most kernels, so blocks are kept and used
// again.
//
// Small requests (up to 256 KiB) come from size classes with a cache per thread over central lists;
// large ones from a best-fit list of kept mappings with huge pages where they pay.
// KAGARI_ALLOCATOR=system and sanitizer builds bypass every cache, or use-after-free would stay
// hidden. Kept large blocks never exceed the high-water mark of what was in use.
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "core/caching.h"
#include "core/error.h"
#include "core/storage.h"

#if defined(__SANITIZE_ADDRESS__) || defined(KG_SANITIZE)
#define KG_ALWAYS_SYSTEM 1
#else
#define KG_ALWAYS_SYSTEM 0
#endif

namespace kagari::allocator {
namespace {

constexpr size_t kAlign = 64;
constexpr size_t kSmallLimit = size_t(256) << 10;
constexpr size_t kHugePage = size_t(2) << 20;
constexpr size_t kCheckLimit =
    size_t(64) << 20;  // larger mappings are checked against the memory that is left
constexpr size_t kThreadCacheBytes = size_t(1) << 20;  // per class chunk kept by a thread
constexpr size_t kSlab = size_t(256) << 10;

// Classes: multiples of 64 up to 1 KiB, then eight steps per doubling up to 256 KiB.
constexpr int kFine = 16;
constexpr int kClasses = kFine + 8 * 8;
int class_of(size_t bytes) {
  if (bytes <= 1024) return int((bytes + 63) / 64) - 1;
  int log = std::bit_width(bytes - 1) - 1;  // 2^log < bytes <= 2^(log+1)
  size_t step = size_t(1) << (log - 3);
  return kFine + (log - 10) * 8 + int((bytes - (size_t(1) << log) + step - 1) / step) - 1;
}
size_t class_bytes(int c) {
  if (c < kFine) return size_t(c + 1) * 64;
  int log = 10 + (c - kFine) / 8;
  return (size_t(1) << log) + size_t((c - kFine) % 8 + 1) * (size_t(1) << (log - 3));
}

struct FreeBlock {
  FreeBlock* next;
};
// A count that its own thread changes and others may read: no locked instruction.
template <class T>
struct OwnCount {
  std::atomic<T> value{0};
  void add(T n) {
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  T get() const { return value.load(std::memory_order_relaxed); }
};
struct ThreadCache {
  FreeBlock* head[kClasses] = {};
  uint32_t count[kClasses] = {};
  // What this thread has handed out and taken back: negative where it frees for others.
  OwnCount<int64_t> allocated;
  OwnCount<uint64_t> allocations, refills;
  ThreadCache *before = nullptr, *after = nullptr;  // in Central's list
};

struct Central {
  std::mutex lock;
  FreeBlock* head[kClasses] = {};
  char* slab = nullptr;
  size_t slab_left = 0;
  std::multimap<size_t, void*> large;  // kept mappings by size
  size_t large_cached = 0;
  size_t large_in_use = 0;
  ThreadCache* threads = nullptr;
  int64_t small_of_gone = 0;  // the counts of threads that have ended
  Stats stats{};              // `allocated` and the counts: without what live threads hold
};
Central& central() {
  static Central* c = new Central;  // never destroyed: tensors may be freed while the process exits
  return *c;
}

bool use_system() {
  static const bool system = [] {
    const char* e = getenv("KAGARI_ALLOCATOR");
    return KG_ALWAYS_SYSTEM || (e && std::strcmp(e, "system") == 0);
  }();
  return system;
}

// Small blocks are counted by thread, so their part of the peak is seen only when somebody looks:
// at a refill, a large allocation, a question.
Stats look(Central& c) {
  Stats s = c.stats;
  int64_t small = c.small_of_gone;
  for (ThreadCache* t = c.threads; t; t = t->after) {
    small += t->allocated.get();
    s.allocations += t->allocations.get();
    s.cache_hits += t->allocations.get() - t->refills.get();
  }
  s.allocated += size_t(std::max<int64_t>(small, 0));
  c.stats.peak_allocated = s.peak_allocated = std::max(s.peak_allocated, s.allocated);
  return s;
}

void count_in(Central& c, size_t bytes, bool hit) {
  c.stats.allocated += bytes;
  ++c.stats.allocations;
  c.stats.cache_hits += hit;
  look(c);
}

[[noreturn]] void out_of_memory(size_t bytes, const char* why) {
  char text[256];
  snprintf(text, sizeof text,
           "out of memory: tried to allocate %.2f GiB%s; use smaller tensors or batches, or free "
           "tensors first",
           double(bytes) / (1 << 30), why);
  throw_error(ErrorKind::out_of_memory, text);
}

size_t read_number(const char* path, const char* key) {
  FILE* f = fopen(path, "re");
  if (!f) return SIZE_MAX;
  char line[256];
  size_t value = SIZE_MAX;
  while (fgets(line, sizeof line, f)) {
    const char* at = line;
    if (key) {
      if (std::strncmp(line, key, std::strlen(key)) != 0) continue;
      at += std::strlen(key);
    }
    unsigned long long v;
    if (sscanf(at, " %llu", &v) == 1) value = size_t(v);
    break;
  }
  fclose(f);
  return value;
}

// Overcommit would mean a kill instead of an exception, so large requests are compared with what is
// left.
size_t memory_left() {
  size_t left = read_number("/proc/meminfo", "MemAvailable:");
  if (left != SIZE_MAX) left *= 1024;
  size_t limit = read_number("/sys/fs/cgroup/memory.max", nullptr);
  size_t used = read_number("/sys/fs/cgroup/memory.current", nullptr);
  if (limit == SIZE_MAX) {
    limit = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", nullptr);
    used = read_number("/sys/fs/cgroup/memory/memory.usage_in_bytes", nullptr);
  }
  if (limit != SIZE_MAX && used != SIZE_MAX) {
    // Page cache counts as used but is given back under pressure.
    size_t cache = read_number("/sys/fs/cgroup/memory.stat", "file ");
    if (cache != SIZE_MAX && cache < used) used -= cache;
    left = std::min(left, limit > used ? limit - used : 0);
  }
  return left;
}

size_t large_bytes(size_t bytes) {
  size_t unit = bytes >= 4 * kHugePage ? kHugePage : size_t(64) << 10;
  return (bytes + unit - 1) / unit * unit;
}

void unmap(void* p, size_t bytes) { munmap(p, bytes); }

void trim_large(Central& c, size_t keep) {
  while (c.large_cached > keep && !c.large.empty()) {
    auto it = std::prev(c.large.end());
    c.large_cached -= it->first;
    c.stats.reserved -= it->first;
    unmap(it->second, it->first);
    c.large.erase(it);
  }
}

void* map_large(Central& c, size_t bytes) {
  if (bytes >= kCheckLimit && bytes > memory_left()) {
    trim_large(c, 0);
    if (bytes > memory_left()) out_of_memory(bytes, ", more than the memory that is left");
  }
  size_t extra = bytes >= kHugePage ? kHugePage : 0;
  void* p =
      mmap(nullptr, bytes + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) {
    trim_large(c, 0);
    p = mmap(nullptr, bytes + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) out_of_memory(bytes, "");
  }
  if (extra) {  // align to a huge page and give the ends back
    uintptr_t at = reinterpret_cast<uintptr_t>(p),
              aligned = (at + kHugePage - 1) / kHugePage * kHugePage;
    if (aligned > at) munmap(p, aligned - at);
    if (at + extra > aligned)
      munmap(reinterpret_cast<void*>(aligned + bytes), at + extra - aligned);
    p = reinterpret_cast<void*>(aligned);
    madvise(p, bytes, MADV_HUGEPAGE);  // small pages remain at its end alone
  }
  c.stats.reserved += bytes;
  c.stats.peak_reserved = std::max(c.stats.peak_reserved, c.stats.reserved);
  return p;
}

void* allocate_large(size_t request) {
  if (request > (size_t(1) << 47)) out_of_memory(request, ", more than the address space holds");
  size_t bytes = large_bytes(request);
  Central& c = central();
  std::lock_guard hold(c.lock);
  c.large_in_use += bytes;
  auto it =
      c.large.find(bytes);  // exact: freed blocks are filed by the size they will be freed with
  if (it != c.large.end()) {
    void* p = it->second;
    c.large.erase(it);
    c.large_cached -= bytes;
    count_in(c, bytes, true);
    return p;
  }
  try {
    // Keep at most as much unused memory as is in use: a change of shapes must not double the
    // process.
    trim_large(c, std::max(c.large_in_use, size_t(64) << 20));
    void* p = map_large(c, bytes);
    count_in(c, bytes, false);
    return p;
  } catch (...) {
    c.large_in_use -= bytes;
    throw;
  }
}

void release_large(void* p, size_t request) {
  size_t bytes = large_bytes(request);
  Central& c = central();
  std::lock_guard hold(c.lock);
  c.stats.allocated -= bytes;
  c.large_in_use -= bytes;
  c.large.emplace(bytes, p);
  c.large_cached += bytes;
  trim_large(c, std::max(c.stats.peak_allocated, size_t(64) << 20));
}

void* carve(Central& c, size_t bytes) {
  if (bytes > kSlab / 8) {
    void* p = aligned_alloc(kAlign, (bytes + kAlign - 1) / kAlign * kAlign);
    if (!p) out_of_memory(bytes, "");
    c.stats.reserved += bytes;
    return p;
  }
  if (c.slab_left < bytes) {
    c.slab = static_cast<char*>(aligned_alloc(kAlign, kSlab));
    if (!c.slab) {
      c.slab_left = 0;
      out_of_memory(kSlab, "");
    }
    c.slab_left = kSlab;
    c.stats.reserved += kSlab;
  }
  void* p = c.slab;
  c.slab += bytes;
  c.slab_left -= bytes;
  return p;
}

void drain(ThreadCache* cache, int cls, uint32_t keep) {
  Central& c = central();
  std::lock_guard hold(c.lock);
  while (cache->count[cls] > keep) {
    FreeBlock* b = cache->head[cls];
    cache->head[cls] = b->next;
    --cache->count[cls];
    b->next = c.head[cls];
    c.head[cls] = b;
  }
}

__attribute__((tls_model("initial-exec"))) thread_local ThreadCache* thread_cache = nullptr;
struct CacheOwner {
  ~CacheOwner() {
    ThreadCache* cache = thread_cache;
    thread_cache = nullptr;
    if (!cache) return;
    for (int i = 0; i < kClasses; ++i) drain(cache, i, 0);
    Central& c = central();
    {
      std::lock_guard hold(c.lock);
      c.small_of_gone += cache->allocated.get();
      c.stats.allocations += cache->allocations.get();
      c.stats.cache_hits += cache->allocations.get() - cache->refills.get();
      (cache->before ? cache->before->after : c.threads) = cache->after;
      if (cache->after) cache->after->before = cache->before;
    }
    delete cache;
  }
};
thread_local CacheOwner cache_owner;

__attribute__((noinline)) ThreadCache* make_thread_cache() {
  auto* cache = new ThreadCache;
  {
    Central& c = central();
    std::lock_guard hold(c.lock);
    cache->after = c.threads;
    if (c.threads) c.threads->before = cache;
    c.threads = cache;
  }
  thread_cache = cache;
  (void)&cache_owner;  // registers the destructor for this thread
  static_cast<void>(*reinterpret_cast<volatile char*>(&cache_owner));
  return thread_cache;
}

__attribute__((noinline)) void* refill(ThreadCache* cache, int cls) {
  size_t bytes = class_bytes(cls);
  int batch = int(std::clamp<size_t>(size_t(16384) / bytes, 1, 16));
  Central& c = central();
  std::lock_guard hold(c.lock);
  look(c);
  void* first = nullptr;
  for (int i = 0; i < batch; ++i) {
    FreeBlock* b = c.head[cls];
    if (b) {
      c.head[cls] = b->next;
    } else if (i == 0 || bytes <= 1024) {
      b = static_cast<FreeBlock*>(carve(c, bytes));
    } else {
      break;
    }
    if (!first) {
      first = b;
    } else {
      b->next = cache->head[cls];
      cache->head[cls] = b;
      ++cache->count[cls];
    }
  }
  return first;
}

struct ForkHandler {
  ForkHandler() {
    pthread_atfork([] { central().lock.lock(); }, [] { central().lock.unlock(); },
                   [] { central().lock.unlock(); });
  }
} fork_handler;

}  // namespace

void* allocate(size_t bytes) {
  if (bytes == 0) bytes = 1;
  if (use_system()) {
    if (bytes >= kCheckLimit && bytes > memory_left())
      out_of_memory(bytes, ", more than the memory that is left");
    void* p = bytes > (size_t(1) << 47)
                  ? nullptr
                  : aligned_alloc(kAlign, (bytes + kAlign - 1) / kAlign * kAlign);
    if (!p) out_of_memory(bytes, "");
    return p;
  }
  if (bytes > kSmallLimit) return allocate_large(bytes);
  int cls = class_of(bytes);
  ThreadCache* cache = thread_cache;
  if (!cache) cache = make_thread_cache();
  FreeBlock* b = cache->head[cls];
  if (b) {
    cache->head[cls] = b->next;
    --cache->count[cls];
  } else {
    b = static_cast<FreeBlock*>(refill(cache, cls));
    cache->refills.add(1);
  }
  cache->allocated.add(int64_t(class_bytes(cls)));
  cache->allocations.add(1);
  return b;
}

void release(void* p, size_t bytes) {
  if (!p) return;
  if (bytes == 0) bytes = 1;
  if (use_system()) {
    free(p);
    return;
  }
  if (bytes > kSmallLimit) {
    release_large(p, bytes);
    return;
  }
  int cls = class_of(bytes);
  ThreadCache* cache = thread_cache;
  if (!cache) cache = make_thread_cache();
  auto* b = static_cast<FreeBlock*>(p);
  b->next = cache->head[cls];
  cache->head[cls] = b;
  size_t block = class_bytes(cls);
  cache->allocated.add(-int64_t(block));
  if (++cache->count[cls] * block > kThreadCacheBytes && cache->count[cls] > 4)
    drain(cache, cls, cache->count[cls] / 2);
}

int kept_objects(int wanted) { return use_system() ? 0 : wanted; }

void empty_cache() {
  Central& c = central();
  std::lock_guard hold(c.lock);
  trim_large(c, 0);
}

Stats stats() {
  Central& c = central();
  std::lock_guard hold(c.lock);
  return look(c);
}

void reset_peak() {
  Central& c = central();
  std::lock_guard hold(c.lock);
  c.stats.peak_allocated = 0;
  look(c);
  c.stats.peak_reserved = c.stats.reserved;
}

}  // namespace kagari::allocator
