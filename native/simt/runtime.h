// The calls of the CUDA runtime that host code uses (see cuda/host/runtime.h): device memory is malloc'ed, poisoned and registered;
// every call is done when it returns.
#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

#include "global_memory.h"
#include "machine.h"
#include "planted.h"

namespace eat::cuda {

using Status = int;
using StreamHandle = void*;
struct Event;
using EventHandle = Event*;

const char* status_name(Status s);
const char* status_text(Status s);
bool out_of_memory(Status s);
inline bool driver_lacks(Status, int*, int*) { return false; }

Status cuda_malloc(void** p, size_t bytes);
Status cuda_free(void* p);
Status cuda_malloc_host(void** p, size_t bytes);
Status cuda_free_host(void* p);
Status cuda_memcpy_async(void* to, const void* from, size_t bytes, StreamHandle s);
Status cuda_memset_async(void* p, int value, size_t bytes, StreamHandle s);
inline Status cuda_keep_memory(unsigned long long) { return 0; }
Status cuda_mem_get_info(size_t* free, size_t* total);
inline Status cuda_malloc_async(void** p, size_t bytes, StreamHandle) { return cuda_malloc(p, bytes); }
inline Status cuda_free_async(void* p, StreamHandle) { return cuda_free(p); }
inline Status cuda_get_last_error() { return 0; }

Status cuda_stream_create(StreamHandle* s);
Status cuda_stream_destroy(StreamHandle s);
inline Status cuda_stream_synchronize(StreamHandle) { return simt::device_status(); }

Status cuda_event_create(EventHandle* e);
Status cuda_event_destroy(EventHandle e);
Status cuda_event_record(EventHandle e, StreamHandle s);
inline Status cuda_event_synchronize(EventHandle) { return 0; }
Status cuda_event_elapsed(float* ms, EventHandle a, EventHandle b);

// Nothing is recorded here.
using GraphHandle = void*;
inline Status cuda_graph_begin(StreamHandle) { return 801; }  // cudaErrorNotSupported
inline Status cuda_graph_end(StreamHandle, GraphHandle*) { return 801; }
inline Status cuda_graph_launch(GraphHandle, StreamHandle) { return 801; }
inline Status cuda_graph_destroy(GraphHandle) { return 801; }
inline Status cuda_graph_trim() { return 0; }
inline Status cuda_graph_memory(unsigned long long* bytes) {
  *bytes = 0;
  return 0;
}

inline Status cuda_device_synchronize() { return simt::device_status(); }
// From here on kernels may use these bytes as the device's; they may lie in each other, and each begin has its end.
void foreign_memory_begins(const void* begin, size_t bytes);
void foreign_memory_ends(const void* begin);

struct DeviceInfo {
  char name[256] = "";
  int major = 0, minor = 0, multiprocessors = 0;
  size_t memory = 0, shared_per_block = 0;
};
Status cuda_device_info(DeviceInfo* info);
int cuda_capability();
inline bool has_warpgroups() { return cuda_capability() == 90; }
inline Status cuda_device_limits(double* fp32, double* bytes) {
  *fp32 = *bytes = 0;
  return 0;
}

// What a launch checks before the first block: its shape, its shared memory, that its spans lie in device memory.
void check_launch(const void* kernel, Grid grid, int threads, size_t dynamic_shared);
void check_device_memory(const void* kernel, int argument, const void* begin, size_t bytes);

template <class T>
void check_argument(const void*, int, const T&) {}
template <class T>
void check_argument(const void* kernel, int argument, const Span<T>& s) {
  if (s.size > 0) check_device_memory(kernel, argument, s.data, static_cast<size_t>(s.size) * sizeof(T));
}

template <class... P, class... A>
Status cuda_launch(void (*kernel)(P...), Grid grid, int threads, size_t dynamic_shared, StreamHandle, A&&... args) {
  const void* address = reinterpret_cast<const void*>(kernel);
  check_launch(address, grid, threads, dynamic_shared);
  struct Call {
    void (*kernel)(P...);
    std::tuple<P...> args;
  } call{kernel, std::tuple<P...>(static_cast<P>(args)...)};
  int argument = 0;
  std::apply([&](const auto&... each) { (check_argument(address, argument++, each), ...); }, call.args);
  const auto thread = [](void* context) {
    Call& c = *static_cast<Call*>(context);
    std::apply(c.kernel, c.args);
  };
  if (const Status lost = simt::launch_status(address)) return lost;
  simt::machine.run({address, {grid.x, grid.y, grid.z}, threads, dynamic_shared}, thread, &call);
  return 0;
}

}  // namespace eat::cuda
