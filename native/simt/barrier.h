// Barriers in shared memory and the bulk copies they wait for. A copy's values come when its phase ends, not before, and only a
// thread that has waited for that phase, or is behind a sync_block with one that has, may touch them.
#pragma once

#include "shared_memory.h"

namespace eat::simt {

class Barriers {
 public:
  void start_block();
  void init(uint32_t at, int arrivals);
  void invalidate(uint32_t at);
  void arrive_expect(uint32_t at, uint32_t bytes);
  void wait(uint32_t at, unsigned parity, Site site);
  void copy(uint32_t at, uint32_t to, const char* name, const void* from, uint32_t bytes);

 private:
  struct Copy {
    uint32_t to, bytes;
    const void* from;
    const char* name;
  };
  struct Barrier {
    uint32_t at, serial;  // where, and the epoch it was made in
    int maker, arrivals, pending;
    uint64_t expected = 0;  // bytes, of this phase
    uint32_t phases = 0;    // that are over
    uint32_t arrival = 0;   // what SharedMemory calls the last phase
    std::vector<Copy> copies;
    std::vector<int> waiting;
  };
  Barrier& find(uint32_t at, const char* what);
  void try_complete(Barrier& b);

  std::vector<Barrier> barriers_;
};

extern Barriers barriers;

}  // namespace eat::simt

namespace eat::cuda {

using SharedBarriers = Shared<unsigned long long>;

template <class T>
unsigned shared_address(Shared<T> s) { return s.at; }
inline void barrier_init(SharedBarriers b, int i, int arrivals) { simt::barriers.init(b.place(i, 1, 8), arrivals); }
inline void barrier_invalidate(SharedBarriers b, int i) { simt::barriers.invalidate(b.place(i, 1, 8)); }
inline void barrier_arrive_expect(SharedBarriers b, int i, unsigned bytes) { simt::barriers.arrive_expect(b.place(i, 1, 8), bytes); }
inline void barrier_wait(SharedBarriers b, int i, unsigned parity, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  simt::barriers.wait(b.place(i, 1, 8), parity, {file, line});
}
template <class T>
void copy_bulk(Shared<T> to, int i, Exactly<Span<const T>> from, index_t j, int count, SharedBarriers b, int k) {
  const uint32_t at = to.place(i, count, 16), bytes = static_cast<uint32_t>(count * sizeof(T));
  if (bytes == 0 || bytes % 16 != 0) simt::machine.fault("a bulk copy of " + std::to_string(bytes) + " bytes, which is no multiple of 16");
  const T* first = &from[j];
  static_cast<void>(&from[j + count - 1]);  // both ends are looked at
  if (reinterpret_cast<uintptr_t>(first) % 16 != 0) simt::machine.fault("a bulk copy from a place that is not 16-byte aligned");
  simt::barriers.copy(b.place(k, 1, 8), at, to.name, first, bytes);
}
inline void fence_async() {}

}  // namespace eat::cuda
