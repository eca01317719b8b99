// Storage: one block of memory shared by a tensor and its views.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/device.h"
#include "core/gil.h"

struct _object;

namespace kagari {

// Counts change only under the GIL, so they are plain integers.
struct Storage {
  using Deleter = void (*)(Storage*);  // frees `data` (with `context`), not the Storage

  char* data = nullptr;
  size_t bytes = 0;
  uint32_t refs = 1;
  Device device;
  bool resizable = true;
  bool read_only = false;  // e.g. a read-only buffer or mapping: writing kernels refuse it
  bool exported_writable =
      false;            // the pointer left the library: nothing derived may be cached against it
  bool shared = false;  // lies in memory shared with other processes
  uint64_t epoch = 0;   // bumped by every writing kernel, through whatever alias
  Deleter deleter = nullptr;
  void* context = nullptr;
  _object* wrapper = nullptr;  // the Python storage object while one exists (borrowed)
  void* share_handle = nullptr;

  // Memory from the caching allocator of the device; throws out_of_memory.
  static Storage* allocate(size_t bytes, Device device);
  // Foreign memory; `deleter` is called once with the storage when the last reference goes.
  static Storage* wrap(void* data, size_t bytes, Device device, Deleter deleter, void* context);
  void retain() {
    check_gil();
    ++refs;
  }
  void release() {
    check_gil();
    if (--refs == 0) destroy(this);
  }
  void resize(size_t new_bytes);  // keeps the common prefix
 private:
  static void destroy(Storage* s);
};

// The CPU's caching allocator. Blocks are 64-byte aligned. Safe from any thread.
namespace allocator {
struct Stats {
  size_t allocated;  // bytes handed out now
  size_t reserved;   // bytes held from the system
  size_t peak_allocated;
  size_t peak_reserved;
  uint64_t allocations;
  uint64_t cache_hits;
};
void* allocate(size_t bytes);         // throws out_of_memory; never returns nullptr for bytes > 0
void release(void* p, size_t bytes);  // bytes as requested
void empty_cache();
Stats stats();
void reset_peak();
}  // namespace allocator

// A block from the allocator for the length of a scope: workspace inside kernels.
class Workspace {
 public:
  explicit Workspace(size_t bytes)
      : bytes_(bytes), data_(bytes ? allocator::allocate(bytes) : nullptr) {}
  ~Workspace() {
    if (data_) allocator::release(data_, bytes_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  template <class T>
  T* as() {
    return static_cast<T*>(data_);
  }

 private:
  size_t bytes_;
  void* data_;
};

}  // namespace kagari
