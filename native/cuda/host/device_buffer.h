// Device memory of one call: allocated and freed in the order of its stream, from CUDA's own pool. Not cleared.
#pragma once

#include "../../contracts/common.h"
#include "stream.h"

namespace eat::cuda {

template <class T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  // The stream must outlive the buffer.
  DeviceBuffer(Stream& stream, index_t size) : stream_(stream.handle()), size_(size) {
    void* memory = nullptr;
    if (size > 0) check(cuda_malloc_async(&memory, static_cast<size_t>(size) * sizeof(T), stream_), "allocation");
    data_ = static_cast<T*>(memory);
  }
  // Filled from the host.
  DeviceBuffer(Stream& stream, const T* from, index_t size) : DeviceBuffer(stream, size) { upload(stream, span(), from, size); }
  DeviceBuffer(DeviceBuffer&& other) noexcept { swap(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceBuffer() {
    if (data_ != nullptr) cuda_free_async(data_, stream_);
  }

  index_t size() const { return size_; }
  Span<T> span() { return {data_, size_}; }
  Span<const T> span() const { return {data_, size_}; }
  Span<const T> view() const { return {data_, size_}; }

 private:
  void swap(DeviceBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(stream_, other.stream_);
    std::swap(size_, other.size_);
  }

  T* data_ = nullptr;
  StreamHandle stream_{};
  index_t size_ = 0;
};

template <class T>
void clear(Stream& stream, Span<T> memory) {
  if (memory.size > 0) check(cuda_memset_async(memory.data, 0, static_cast<size_t>(memory.size) * sizeof(T), stream.handle()), "clearing");
}

}  // namespace eat::cuda
