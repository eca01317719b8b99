// Whether freed objects may be kept and handed out again.
#pragma once

namespace kagari::allocator {
// How many freed objects a list may keep: none where every cache is bypassed (sanitizer builds and
// KAGARI_ALLOCATOR=system), since an object that is handed out again at once hides a use after
// free.
int kept_objects(int wanted);
}  // namespace kagari::allocator
