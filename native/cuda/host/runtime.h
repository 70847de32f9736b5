// The calls of the CUDA runtime that host code uses, by the names that the emulator has too (../simt/runtime.h).
// Included by simt.h.
#pragma once

#include <cuda_runtime.h>

namespace eat::cuda {

using Status = cudaError_t;
using StreamHandle = cudaStream_t;
using EventHandle = cudaEvent_t;

inline const char* status_name(Status s) { return cudaGetErrorName(s); }
inline const char* status_text(Status s) { return cudaGetErrorString(s); }
inline bool out_of_memory(Status s) { return s == cudaErrorMemoryAllocation; }
// The runtime reports a driver that is not there as one that is too old. Returns whether `s` is that report, and the newest CUDA that
// the driver knows, as in 12080; 0 where there is none.
inline bool driver_lacks(Status s, int* knows, int* needed) {
  if (s != cudaErrorInsufficientDriver) return false;
  if (cudaDriverGetVersion(knows) != cudaSuccess) *knows = 0;
  *needed = CUDART_VERSION;
  return true;
}

inline Status cuda_malloc(void** p, size_t bytes) { return cudaMalloc(p, bytes); }
inline Status cuda_free(void* p) { return cudaFree(p); }
inline Status cuda_malloc_async(void** p, size_t bytes, StreamHandle s) { return cudaMallocAsync(p, bytes, s); }
inline Status cuda_free_async(void* p, StreamHandle s) { return cudaFreeAsync(p, s); }
inline Status cuda_malloc_host(void** p, size_t bytes) { return cudaMallocHost(p, bytes); }
inline Status cuda_free_host(void* p) { return cudaFreeHost(p); }
inline Status cuda_memcpy_async(void* to, const void* from, size_t bytes, StreamHandle s) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, s);
}
inline Status cuda_memset_async(void* p, int value, size_t bytes, StreamHandle s) { return cudaMemsetAsync(p, value, bytes, s); }
// Freed stream-ordered memory up to `bytes` stays with the process for its next call; else all of it goes back at every wait.
inline Status cuda_keep_memory(unsigned long long bytes) {
  int device = 0;
  cudaMemPool_t pool{};
  Status s = cudaGetDevice(&device);
  if (s == cudaSuccess) s = cudaDeviceGetDefaultMemPool(&pool, device);
  if (s == cudaSuccess) s = cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &bytes);
  return s;
}
inline Status cuda_mem_get_info(size_t* free, size_t* total) { return cudaMemGetInfo(free, total); }
inline Status cuda_get_last_error() { return cudaGetLastError(); }

inline Status cuda_stream_create(StreamHandle* s) { return cudaStreamCreateWithFlags(s, cudaStreamNonBlocking); }
inline Status cuda_stream_destroy(StreamHandle s) { return cudaStreamDestroy(s); }
inline Status cuda_stream_synchronize(StreamHandle s) { return cudaStreamSynchronize(s); }

inline Status cuda_event_create(EventHandle* e) { return cudaEventCreate(e); }
inline Status cuda_event_destroy(EventHandle e) { return cudaEventDestroy(e); }
inline Status cuda_event_record(EventHandle e, StreamHandle s) { return cudaEventRecord(e, s); }
inline Status cuda_event_synchronize(EventHandle e) { return cudaEventSynchronize(e); }
inline Status cuda_event_elapsed(float* ms, EventHandle a, EventHandle b) { return cudaEventElapsedTime(ms, a, b); }

// A recorded stream, ready to launch.
using GraphHandle = cudaGraphExec_t;
inline Status cuda_graph_begin(StreamHandle s) { return cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal); }
inline Status cuda_graph_end(StreamHandle s, GraphHandle* out) {
  cudaGraph_t graph = nullptr;
  Status status = cudaStreamEndCapture(s, &graph);
  if (status == cudaSuccess) status = cudaGraphInstantiate(out, graph, 0);
  if (graph != nullptr) cudaGraphDestroy(graph);
  return status;
}
inline Status cuda_graph_launch(GraphHandle graph, StreamHandle s) { return cudaGraphLaunch(graph, s); }
inline Status cuda_graph_destroy(GraphHandle graph) { return cudaGraphExecDestroy(graph); }
// What graphs allocate stays reserved for them, beyond the pool's threshold, until it is trimmed.
inline Status cuda_graph_trim() {
  int device = 0;
  const Status s = cudaGetDevice(&device);
  return s == cudaSuccess ? cudaDeviceGraphMemTrim(device) : s;
}
inline Status cuda_graph_memory(unsigned long long* bytes) {
  int device = 0;
  const Status s = cudaGetDevice(&device);
  return s == cudaSuccess ? cudaDeviceGetGraphMemAttribute(device, cudaGraphMemAttrReservedMemCurrent, bytes) : s;
}

inline Status cuda_device_synchronize() { return cudaDeviceSynchronize(); }
// Device memory that was not allocated by the calls above; the emulator has to be told.
inline void foreign_memory_begins(const void*, size_t) {}
inline void foreign_memory_ends(const void*) {}

struct DeviceInfo {
  char name[256] = "";
  int major = 0, minor = 0, multiprocessors = 0;
  size_t memory = 0, shared_per_block = 0;  // bytes; shared as a kernel may opt in to
};

inline Status cuda_device_info(DeviceInfo* info) {
  int device = 0;
  Status s = cudaGetDevice(&device);
  cudaDeviceProp properties{};
  if (s == cudaSuccess) s = cudaGetDeviceProperties(&properties, device);
  if (s != cudaSuccess) return s;
  for (size_t i = 0; i + 1 < sizeof info->name && properties.name[i] != 0; i++) info->name[i] = properties.name[i];
  info->major = properties.major, info->minor = properties.minor, info->multiprocessors = properties.multiProcessorCount;
  info->memory = properties.totalGlobalMem, info->shared_per_block = properties.sharedMemPerBlockOptin;
  return s;
}

// Major and minor as one number, 0 where it cannot be told. Cheap.
inline int cuda_capability() {
  int device = 0, major = 0, minor = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return 0;
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  return 10 * major + minor;
}

// Whether wgmma runs on the current device. Built for "90" without the "a", kernels that use it trap.
inline bool has_warpgroups() {
#ifdef EAT_DML_SM90A
  return cuda_capability() == 90;
#else
  return false;
#endif
}

// What the clocks and widths of the current device give at most: fp32 operations on the plain cores, and bytes of its memory, per
// second.
inline Status cuda_device_limits(double* fp32, double* bytes) {
  DeviceInfo info;
  Status s = cuda_device_info(&info);
  int device = 0, core_khz = 0, memory_khz = 0, bus_bits = 0;
  if (s == cudaSuccess) s = cudaGetDevice(&device);
  if (s == cudaSuccess) s = cudaDeviceGetAttribute(&core_khz, cudaDevAttrClockRate, device);
  if (s == cudaSuccess) s = cudaDeviceGetAttribute(&memory_khz, cudaDevAttrMemoryClockRate, device);
  if (s == cudaSuccess) s = cudaDeviceGetAttribute(&bus_bits, cudaDevAttrGlobalMemoryBusWidth, device);
  const double cores = info.major == 8 && info.minor == 0 ? 64 : 128;  // of a multiprocessor
  *fp32 = 2 * cores * info.multiprocessors * core_khz * 1e3;
  *bytes = 2.0 * memory_khz * 1e3 * bus_bits / 8;  // two transfers a clock
  return s;
}

template <class... P, class... A>
Status cuda_launch(void (*kernel)(P...), Grid grid, int threads, size_t dynamic_shared, StreamHandle stream, A&&... args) {
  if (dynamic_shared > 48 * 1024) {  // more must be asked for
    const Status s = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(dynamic_shared));
    if (s != cudaSuccess) return s;
  }
  kernel<<<dim3(grid.x, grid.y, grid.z), static_cast<unsigned>(threads), dynamic_shared, stream>>>(static_cast<P>(args)...);
  return cudaGetLastError();
}

}  // namespace eat::cuda
