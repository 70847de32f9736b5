#include "buffer.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "thread_pool.h"

namespace eat {
namespace {

constexpr size_t kKeptBytes = size_t{256} << 20;  // of idle memory, over all threads
constexpr size_t kChunk = size_t{1} << 20;       // of memory, to one thread at a time
constexpr size_t kHugePage = size_t{2} << 20;    // of x86-64 and of most AArch64 systems
constexpr size_t kLarge = 2 * kHugePage;

struct Idle {
  void* data;
  size_t bytes;
};

std::mutex mutex;
std::vector<Idle>& idle() {
  static auto* list = new std::vector<Idle>;
  return *list;
}
size_t idle_bytes = 0;

// Powers of two and the halves between them, so that calls of near sizes meet.
size_t rounded(size_t bytes) {
  size_t size = 4096;
  while (size < bytes) size *= 2;
  return size >= 8192 && size / 4 * 3 >= bytes ? size / 4 * 3 : size;
}

}  // namespace

void use_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] size_t bytes) {
#ifdef __linux__
  const auto begin = (reinterpret_cast<std::uintptr_t>(data) + kHugePage - 1) / kHugePage * kHugePage;
  const auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) / kHugePage * kHugePage;
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

Buffer::Buffer(size_t bytes) : bytes_(rounded(bytes)) {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    auto& list = idle();
    for (size_t i = list.size(); i-- > 0;) {
      if (list[i].bytes != bytes_) continue;
      data_ = list[i].data;
      idle_bytes -= bytes_;
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
  }
  const bool large = bytes_ >= kLarge;
  data_ = std::aligned_alloc(large ? kHugePage : 64, bytes_);
  if (data_ == nullptr) throw std::bad_alloc();
  if (large) use_huge_pages(data_, bytes_);
}

Buffer::~Buffer() {
  if (data_ == nullptr) return;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (idle_bytes + bytes_ <= kKeptBytes) {
      idle().push_back({data_, bytes_});
      idle_bytes += bytes_;
      return;
    }
  }
  std::free(data_);
}

void copy_bytes(const Run& run, void* to, const void* from, size_t bytes) {
  parallel_for(run, static_cast<index_t>((bytes + kChunk - 1) / kChunk), [&](index_t task) {
    const size_t at = static_cast<size_t>(task) * kChunk;
    std::memcpy(static_cast<char*>(to) + at, static_cast<const char*>(from) + at, std::min(kChunk, bytes - at));
  });
}

}  // namespace eat
