#include "buffer.h"

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace eat {
namespace {

constexpr size_t kKeptBytes = size_t{64} << 20;  // of idle memory, over all threads

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
  data_ = std::aligned_alloc(64, bytes_);
  if (data_ == nullptr) throw std::bad_alloc();
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

}  // namespace eat
