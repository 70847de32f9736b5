// Values a kernel reads: uploaded for this call, or there already, as those of a device matrix (device_matrix.h: registered by the
// range of their addresses) and, where the run says so, all of the contract's.
#pragma once

#include <map>
#include <mutex>

#include "device_buffer.h"
#include "foreign_memory.h"

namespace eat::cuda {

// Address ranges of the device matrices of this process.
class ResidentMemory {
 public:
  static ResidentMemory& instance() {
    static ResidentMemory* memory = new ResidentMemory;
    return *memory;
  }
  void add(const void* begin, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ranges_[static_cast<const char*>(begin)] = bytes;
  }
  void remove(const void* begin) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ranges_.erase(static_cast<const char*>(begin));
  }
  bool holds(const void* address) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto after = ranges_.upper_bound(static_cast<const char*>(address));
    if (after == ranges_.begin()) return false;
    --after;
    return static_cast<const char*>(address) < after->first + after->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<const char*, size_t> ranges_;
};

template <class T>
class DeviceInput {
 public:
  DeviceInput() = default;
  DeviceInput(const Run& run, Stream& stream, const T* from, index_t size) {
    if (from == nullptr) return;
    if (run.on_device) foreign_ = ForeignMemory(from, static_cast<size_t>(size) * sizeof(T));
    if (run.on_device || ResidentMemory::instance().holds(from)) {
      values_ = {from, size};
    } else {
      owned_ = DeviceBuffer<T>(stream, from, size);
      values_ = owned_.view();
    }
  }
  Span<const T> span() const { return values_; }

 private:
  ForeignMemory foreign_;
  DeviceBuffer<T> owned_;
  Span<const T> values_{nullptr, 0};
};

}  // namespace eat::cuda
