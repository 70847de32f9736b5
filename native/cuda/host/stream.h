// One stream per call, taken from a pool: making one, and its pinned memory, costs milliseconds. Everything a call does on the
// device is in the order of its stream; the host waits only for results.
#pragma once

#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "error.h"
#include "kernel_clock.h"

namespace eat::cuda {

// A stream and two pinned buffers, which take turns: the processor fills or empties one while the device copies the other.
struct StreamState {
  static constexpr size_t kStaging = size_t{4} << 20;
  StreamHandle handle{};
  void* pinned[2] = {nullptr, nullptr};
  EventHandle copied[2] = {};

  StreamState() {
    check(cuda_stream_create(&handle), "stream creation");
    for (int slot = 0; slot < 2; slot++) {
      check(cuda_malloc_host(&pinned[slot], kStaging), "allocation of pinned memory");
      check(cuda_event_create(&copied[slot]), "event creation");
    }
  }
};

// Streams no call is using. Never destroyed: at the end of the process the driver may be gone before static objects are.
struct StreamPool {
  static constexpr unsigned long long kKeptBytes = 2ull << 30;  // of freed device memory, for the next call
  std::mutex mutex;
  std::vector<std::unique_ptr<StreamState>> idle;

  static StreamPool& instance() {
    static StreamPool* pool = [] {
      if (cuda_keep_memory(kKeptBytes) != Status{}) cuda_get_last_error();  // slower without, and no more than that
      return new StreamPool;
    }();
    return *pool;
  }
};

class Stream {
 public:
  Stream() {
    StreamPool& pool = StreamPool::instance();
    const std::lock_guard<std::mutex> lock(pool.mutex);
    if (pool.idle.empty()) {
      state_ = std::make_unique<StreamState>();
    } else {
      state_ = std::move(pool.idle.back());
      pool.idle.pop_back();
    }
  }

  // Declared before the buffers it serves, it dies after them: what they were used for is over when the call returns, also where
  // an exception ended it. A stream that reports an error is not used again.
  ~Stream() {
    clock_.stop(state_->handle);
    if (cuda_stream_synchronize(state_->handle) != Status{}) {
      cuda_get_last_error();
      static_cast<void>(state_.release());
      return;
    }
    StreamPool& pool = StreamPool::instance();
    const std::lock_guard<std::mutex> lock(pool.mutex);
    pool.idle.push_back(std::move(state_));
  }

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  StreamHandle handle() const { return state_->handle; }
  StreamState& state() { return *state_; }
  KernelClock& clock() { return clock_; }
  void synchronize() { check(cuda_stream_synchronize(handle()), "wait for the stream"); }

 private:
  std::unique_ptr<StreamState> state_;
  KernelClock clock_;
};

template <class Kernel, class... Args>
void launch(Kernel kernel, Grid grid, int threads, size_t dynamic_shared_bytes, Stream& stream, Args... args) {
  stream.clock().before_launch(stream.handle());
  check(cuda_launch(kernel, grid, threads, dynamic_shared_bytes, stream.handle(), args...), "kernel launch");
  stream.clock().after_launch(stream.handle());
}

// Host to device by the pinned buffers. When it returns `from` may be changed; the device may still be copying.
template <class T>
void upload(Stream& stream, Span<T> to, const T* from, index_t count) {
  StreamState& s = stream.state();
  const index_t chunk = static_cast<index_t>(StreamState::kStaging / sizeof(T));
  int slot = 0;
  for (index_t at = 0; at < count; at += chunk, slot ^= 1) {
    const size_t bytes = static_cast<size_t>(count - at < chunk ? count - at : chunk) * sizeof(T);
    check(cuda_event_synchronize(s.copied[slot]), "upload");
    std::memcpy(s.pinned[slot], from + at, bytes);
    check(cuda_memcpy_async(to.data + at, s.pinned[slot], bytes, s.handle), "upload");
    check(cuda_event_record(s.copied[slot], s.handle), "upload");
  }
}

// Device to host by the pinned buffers; returns when `to` holds the values.
template <class T>
void download(Stream& stream, T* to, Span<T> from, index_t count) {
  StreamState& s = stream.state();
  const index_t chunk = static_cast<index_t>(StreamState::kStaging / sizeof(T)), chunks = (count + chunk - 1) / chunk;
  const auto bytes = [&](index_t c) { return static_cast<size_t>(c + 1 < chunks ? chunk : count - c * chunk) * sizeof(T); };
  const auto take = [&](index_t c) {
    check(cuda_event_synchronize(s.copied[c & 1]), "download");
    std::memcpy(to + c * chunk, s.pinned[c & 1], bytes(c));
  };
  for (index_t c = 0; c < chunks; c++) {
    if (c >= 2) take(c - 2);
    // An upload may still be reading this buffer; it is earlier in the same stream.
    check(cuda_memcpy_async(s.pinned[c & 1], from.data + c * chunk, bytes(c), s.handle), "download");
    check(cuda_event_record(s.copied[c & 1], s.handle), "download");
  }
  for (index_t c = chunks > 2 ? chunks - 2 : 0; c < chunks; c++) take(c);
}

}  // namespace eat::cuda
