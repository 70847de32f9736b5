// Aligned memory that is kept for the next call: a fresh mapping costs a page fault per 4 KiB.
#pragma once

#include <cstddef>

#include "../../contracts/common.h"

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

// Makes the pages of memory that nobody has touched yet present, by all threads of `run`, many at a time: several times quicker
// than a fault for each. Does nothing where the system has no such call.
void fault_in(const Run& run, void* data, size_t bytes);

// memcpy by all threads of `run`.
void copy_bytes(const Run& run, void* to, const void* from, size_t bytes);

}  // namespace eat
