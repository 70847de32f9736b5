// Aligned memory that is kept for the next call: a fresh mapping costs a page fault per 4 KiB.
#pragma once

#include <cstddef>

namespace eat {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes);  // 64-byte aligned, not cleared
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  template <class T>
  T* as() const { return static_cast<T*>(data_); }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace eat
