// Where a kernel writes: memory of this call, which is then brought to the host, or, where the run says that the contract's
// pointers are the device's, the place itself.
#pragma once

#include "device_buffer.h"
#include "foreign_memory.h"

namespace eat::cuda {

template <class T>
class DeviceOutput {
 public:
  // `to` may be null: not wanted.
  DeviceOutput(const Run& run, Stream& stream, T* to, index_t size) : to_(to), size_(to == nullptr ? 0 : size), in_place_(run.on_device) {
    if (size_ == 0) return;
    if (in_place_) foreign_ = ForeignMemory(to, static_cast<size_t>(size) * sizeof(T));
    else buffer_ = DeviceBuffer<T>(stream, size);
  }
  Span<T> span() { return in_place_ ? Span<T>{to_, size_} : buffer_.span(); }

  // Waits for the stream; the values are then where they were asked for.
  void deliver(Stream& stream) {
    if (in_place_) stream.synchronize();
    else if (size_ > 0) download(stream, to_, buffer_.span(), size_);
  }

 private:
  T* to_;
  index_t size_;
  bool in_place_;
  ForeignMemory foreign_;
  DeviceBuffer<T> buffer_;
};

}  // namespace eat::cuda
