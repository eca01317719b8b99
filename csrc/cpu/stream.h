// Stores around the cache, for results so large that little of them would still be there when they
// are read: the lines need not be fetched before they are written.
#pragma once
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace kagari {

// Results from this size on: half of the last cache, within what one program usually has of it.
int64_t stream_bytes();

// Whether a result of so many bytes at `to` goes around the cache.
inline bool streams(const void* to, int64_t bytes) {
  return bytes >= stream_bytes() && reinterpret_cast<uintptr_t>(to) % 16 == 0;
}

// Writes around the cache: both are aligned to 16 bytes, n is a multiple of 16.
inline void stream_out(void* to, const void* from, int64_t n) {
#if defined(__x86_64__)
  for (int64_t i = 0; i < n; i += 16)
    _mm_stream_si128(
        reinterpret_cast<__m128i*>(static_cast<char*>(to) + i),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(static_cast<const char*>(from) + i)));
#else
  std::memcpy(to, from, size_t(n));
#endif
}
// Before a range that was streamed is given to anybody else.
inline void stream_end() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// Rows that are read here and there are asked for in advance, as the processor cannot guess them:
// as many rows ahead as fill a page, of each its first page.
inline int64_t rows_ahead(int64_t bytes) {
  return bytes >= 4096 ? 1 : bytes <= 64 ? 64 : 4096 / bytes;
}
inline void prefetch_row(const void* from, int64_t bytes) {
  for (int64_t i = 0; i < (bytes < 4096 ? bytes : 4096); i += 64)
    __builtin_prefetch(static_cast<const char*>(from) + i);
}

// A copy around the cache where asked for and where the ends allow it.
inline void store_bytes(void* to, const void* from, int64_t n, bool stream) {
  if (stream && (reinterpret_cast<uintptr_t>(to) | uintptr_t(n)) % 16 == 0)
    stream_out(to, from, n);
  else
    std::memcpy(to, from, size_t(n));
}

}  // namespace kagari
