#include "runtime.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "device.h"
#include "kernel_name.h"

namespace eat::simt {

namespace {

size_t number_from(const char* variable, size_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr || *text == 0 ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

int architecture() { return static_cast<int>(number_from("EAT_SIMT_SM", 80)); }

size_t shared_limit() {
  const int sm = architecture();
  return sm == 90 || sm == 100 ? 227 * 1024 : sm == 80 ? 163 * 1024 : 99 * 1024;
}

size_t memory_limit() { return number_from("EAT_SIMT_MEMORY", size_t{4} << 30); }

namespace {

// Live allocations: begin -> bytes.
struct Registry {
  std::mutex mutex;
  std::map<const char*, size_t> device;
  std::vector<std::pair<const char*, size_t>> foreign;  // lent: begin, bytes
  size_t used = 0;

  // The allocation that holds `address`, or end.
  std::map<const char*, size_t>::iterator holding(const void* address) {
    auto after = device.upper_bound(static_cast<const char*>(address));
    if (after == device.begin()) return device.end();
    --after;
    return static_cast<const char*>(address) < after->first + after->second ? after : device.end();
  }
  bool overruns(const void* begin, size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto block = holding(begin);
    return block != device.end() && static_cast<const char*>(begin) + bytes > block->first + block->second;
  }
};

Registry& registry() {
  static Registry* r = new Registry;
  return *r;
}

}  // namespace

std::atomic<uint64_t> frees{0}, global_atomics{0};

KnownMemory find_device_memory(const void* p) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  const auto block = r.holding(p);
  if (block != r.device.end()) return {block->first, block->first + block->second, frees.load()};
  const char* at = static_cast<const char*>(p);
  for (const auto& [begin, bytes] : r.foreign) {
    if (at >= begin && at < begin + bytes) return {begin, begin + bytes, frees.load()};
  }
  return {};
}

}  // namespace eat::simt

namespace eat::cuda {

namespace {

using simt::Registry;
using simt::registry;

constexpr Status kInvalidValue = 1, kOutOfMemory = 2;

}  // namespace

const char* status_name(Status s) {
  if (s == simt::kIllegalAddress) return "cudaErrorIllegalAddress";
  return s == 0 ? "cudaSuccess" : s == kOutOfMemory ? "cudaErrorMemoryAllocation" : "cudaErrorInvalidValue";
}
const char* status_text(Status s) {
  if (s == simt::kIllegalAddress) return "an illegal memory access was encountered";
  return s == 0 ? "no error" : s == kOutOfMemory ? "out of memory" : "invalid argument";
}
bool out_of_memory(Status s) { return s == kOutOfMemory; }

// Poisoned with 0xff: floats are NaN, integers -1.
Status cuda_malloc(void** p, size_t bytes) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  *p = nullptr;
  if (const Status lost = simt::device_status()) return lost;
  if (bytes == 0) return 0;
  if (r.used + bytes > simt::memory_limit()) return kOutOfMemory;
  *p = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*p == nullptr) return kOutOfMemory;
  std::memset(*p, 0xff, bytes);
  r.device[static_cast<const char*>(*p)] = bytes;
  r.used += bytes;
  return 0;
}

Status cuda_free(void* p) {
  if (p == nullptr) return 0;
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  const auto block = r.device.find(static_cast<const char*>(p));
  if (block == r.device.end()) return kInvalidValue;
  simt::frees++;
  r.used -= block->second;
  r.device.erase(block);
  std::free(p);
  return 0;
}

void foreign_memory_begins(const void* begin, size_t bytes) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  r.foreign.emplace_back(static_cast<const char*>(begin), bytes);
}

void foreign_memory_ends(const void* begin) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  simt::frees++;
  for (auto block = r.foreign.begin(); block != r.foreign.end(); ++block) {
    if (block->first != begin) continue;
    r.foreign.erase(block);
    return;
  }
}

Status cuda_malloc_host(void** p, size_t bytes) {
  *p = std::malloc(bytes);
  return *p == nullptr ? kOutOfMemory : 0;
}
Status cuda_free_host(void* p) {
  std::free(p);
  return 0;
}

Status cuda_memcpy_async(void* to, const void* from, size_t bytes, StreamHandle) {
  if (const Status lost = simt::device_status()) return lost;
  if (registry().overruns(to, bytes) || registry().overruns(from, bytes)) return kInvalidValue;
  std::memcpy(to, from, bytes);
  return 0;
}
Status cuda_memset_async(void* p, int value, size_t bytes, StreamHandle) {
  if (const Status lost = simt::device_status()) return lost;
  if (registry().overruns(p, bytes)) return kInvalidValue;
  std::memset(p, value, bytes);
  return 0;
}
Status cuda_mem_get_info(size_t* free, size_t* total) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  *total = simt::memory_limit();
  *free = *total > r.used ? *total - r.used : 0;
  return 0;
}

Status cuda_stream_create(StreamHandle* s) {
  *s = std::malloc(1);
  return 0;
}
Status cuda_stream_destroy(StreamHandle s) {
  std::free(s);
  return 0;
}

struct Event {
  std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
};
Status cuda_event_create(EventHandle* e) {
  *e = new Event;
  return 0;
}
Status cuda_event_destroy(EventHandle e) {
  delete e;
  return 0;
}
Status cuda_event_record(EventHandle e, StreamHandle) {
  e->at = std::chrono::steady_clock::now();
  return 0;
}
Status cuda_event_elapsed(float* ms, EventHandle a, EventHandle b) {
  *ms = std::chrono::duration<float, std::milli>(b->at - a->at).count();
  return 0;
}

Status cuda_device_info(DeviceInfo* info) {
  const int sm = simt::architecture();
  std::snprintf(info->name, sizeof info->name, "simt emulator");
  info->major = sm / 10, info->minor = sm % 10, info->multiprocessors = 4;
  info->memory = simt::memory_limit(), info->shared_per_block = simt::shared_limit();
  return 0;
}

int cuda_capability() { return simt::architecture(); }

void check_launch(const void* kernel, Grid grid, int threads, size_t dynamic_shared) {
  const auto refuse = [&](const std::string& what) { throw simt::Fault("launch of kernel " + simt::kernel_name(kernel) + ": " + what); };
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) refuse("the grid is empty");
  if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535) refuse("the grid is larger than 2^31-1 x 65535 x 65535");
  if (threads < 1 || threads > 1024) refuse(std::to_string(threads) + " threads per block");
  const int bound = simt::launch_bound(kernel);
  if (threads > bound) refuse(std::to_string(threads) + " threads where its launch bound is " + std::to_string(bound));
  if (dynamic_shared > simt::shared_limit()) refuse(std::to_string(dynamic_shared) + " bytes of shared memory are more than a block has");
}

void check_device_memory(const void* kernel, int argument, const void* begin, size_t bytes) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  const auto block = r.holding(begin);
  const bool inside = block != r.device.end() && static_cast<const char*>(begin) + bytes <= block->first + block->second;
  if (!inside) {
    throw simt::Fault("launch of kernel " + simt::kernel_name(kernel) + ": argument " + std::to_string(argument) +
                      " is a span that does not lie in one allocation of device memory");
  }
}

}  // namespace eat::cuda
