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

// Asks for huge pages where the system gives them on request: a large array in pages of 4 KiB costs a fault for each, and a walk
// of the page table for nearly every store that follows. The kernel's own stores then fault the pages in, on all of its threads:
// asking for many pages in one call (MADV_POPULATE_WRITE) is no quicker, and holds up for as long whatever else maps memory, as
// the collector of the event loop's thread does.
void use_huge_pages(void* data, size_t bytes);

// memcpy by all threads of `run`.
void copy_bytes(const Run& run, void* to, const void* from, size_t bytes);

}  // namespace eat
