// Device memory that somebody else allocated, for as long as a call uses it.
#pragma once

#include <utility>

#include "../device/simt.h"

namespace eat::cuda {

class ForeignMemory {
 public:
  ForeignMemory() = default;
  ForeignMemory(const void* begin, size_t bytes) : begin_(begin) { foreign_memory_begins(begin, bytes); }
  ForeignMemory(ForeignMemory&& other) noexcept { std::swap(begin_, other.begin_); }
  ForeignMemory& operator=(ForeignMemory&& other) noexcept {
    std::swap(begin_, other.begin_);
    return *this;
  }
  ~ForeignMemory() {
    if (begin_ != nullptr) foreign_memory_ends(begin_);
  }

 private:
  const void* begin_ = nullptr;
};

}  // namespace eat::cuda
