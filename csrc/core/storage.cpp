// Storages come from a free list; their memory from the device's allocator.
#include "core/storage.h"

#include <algorithm>
#include <cstring>

#include "core/caching.h"
#include "core/error.h"

namespace kagari {

namespace {
constexpr int kKept = 4096;
Storage* kept[kKept];
int kept_count = 0;
const int kept_room = allocator::kept_objects(kKept);

Storage* make() {
  if (kept_count) {
    Storage* s = kept[--kept_count];
    *s = Storage{};
    return s;
  }
  return new Storage;
}

void release_block(Storage* s) { allocator::release(s->data, s->bytes); }
}  // namespace

Storage* Storage::allocate(size_t bytes, Device device) {
  char* data = nullptr;
  if (!device.is_meta()) {
    if (!device.is_cpu()) current_queue(device);  // throws for what this build cannot use
    if (bytes) data = static_cast<char*>(allocator::allocate(bytes));
  }
  Storage* s = make();
  s->data = data;
  s->bytes = bytes;
  s->device = device;
  s->deleter = data ? release_block : nullptr;
  return s;
}

Storage* Storage::wrap(void* data, size_t bytes, Device device, Deleter deleter, void* context) {
  Storage* s = make();
  s->data = static_cast<char*>(data);
  s->bytes = bytes;
  s->device = device;
  s->deleter = deleter;
  s->context = context;
  s->resizable = false;
  return s;
}

void Storage::destroy(Storage* s) {
  if (s->deleter) s->deleter(s);
  if (kept_count < kept_room) {
    kept[kept_count++] = s;
  } else {
    delete s;
  }
}

void Storage::resize(size_t new_bytes) {
  KG_CHECK(resizable,
           "Trying to resize storage that is not resizable: its memory belongs to another library; "
           "clone() the tensor first");
  if (new_bytes == bytes) return;
  char* fresh = nullptr;
  if (!device.is_meta() && new_bytes) {
    fresh = static_cast<char*>(allocator::allocate(new_bytes));
    if (data) std::memcpy(fresh, data, std::min(bytes, new_bytes));
  }
  if (deleter) deleter(this);
  data = fresh;
  bytes = new_bytes;
  deleter = fresh ? release_block : nullptr;
  ++epoch;
}

}  // namespace kagari
