// The shared memory of the running block, with a shadow that knows who wrote and who read each place since the last barrier.
#pragma once

#include <type_traits>
#include <utility>

#include "global_memory.h"
#include "machine.h"

namespace eat::simt {

constexpr unsigned kStaticSharedLimit = 48 * 1024;
constexpr int kGranule = 2;  // bytes per shadow entry: the smallest type kernels share
constexpr uint16_t kMany = 0xffff;

// What is known of two bytes. Epochs are Machine::epoch and Warp::epoch at the time of the access.
struct Shadow {
  uint32_t born;  // serial of the block that wrote it; other blocks have not
  uint32_t write_epoch, write_warp_epoch, read_epoch, read_warp_epoch;
  uint16_t writer, writer_warp, reader, reader_warp;  // kMany: more than one
  bool atomic, in_flight;
  uint32_t arrival;  // of the bulk copy that wrote it, 0: none
};

class SharedMemory {
 public:
  void start_launch(size_t dynamic_bytes);
  void start_block();
  // Where the array with this tag begins; one place for all threads, given at the first call of a launch.
  uint32_t place_array(const void* tag, uint32_t bytes);

  void read(uint32_t at, uint32_t bytes, const char* name);
  enum class Write { plain, atomic, async };
  void write(uint32_t at, uint32_t bytes, const char* name, Write kind);
  unsigned char* memory() { return memory_; }

  // cp.async: what thread `t` has asked for arrives when its groups are waited for.
  void copy_async(uint32_t at, const char* name, const void* from);
  void commit();
  void wait(size_t newest);

  // Bulk copies arrive together, for those who have waited.
  uint32_t new_arrival();
  void arrive(uint32_t at, const void* from, uint32_t bytes, uint32_t arrival);
  void see(uint32_t arrival);
  // For what reads later than it is asked to.
  void require_settled(uint32_t at, uint32_t bytes);

 private:
  struct Array {
    const void* tag;
    uint32_t at;
  };
  struct Copy {
    uint32_t at;
    const void* from;  // null: zeros
    const char* name;
  };
  struct Pending {
    std::vector<std::vector<Copy>> groups;
    std::vector<Copy> open;
  };
  struct Arrival {
    uint32_t seen_epoch = 0;  // of the first who saw it
    std::vector<bool> seen;   // by each thread
  };
  void deliver(const Copy& copy);
  bool knows(uint32_t arrival);
  [[noreturn]] void race(const char* how, uint32_t at, const char* name, uint16_t other, uint16_t other_warp);

  static constexpr uint32_t kBytes = 512 * 1024;
  alignas(128) unsigned char memory_[kBytes];
  std::vector<Shadow> shadow_ = std::vector<Shadow>(kBytes / kGranule);
  std::vector<Array> arrays_;
  std::vector<Pending> pending_;
  std::vector<Arrival> arrivals_;  // number 1 first
  uint32_t used_ = 0, dynamic_ = 0;
};

extern SharedMemory shared_memory;

}  // namespace eat::simt

namespace eat::cuda {

// s[i]: reads where a value is wanted, writes where assigned.
template <class T>
class SharedPlace {
 public:
  SharedPlace(uint32_t at, const char* name) : at_(at), name_(name) {}
  operator T() const {
    simt::shared_memory.read(at_, sizeof(T), name_);
    return *memory();
  }
  const SharedPlace& operator=(T v) const {
    simt::shared_memory.write(at_, sizeof(T), name_, simt::SharedMemory::Write::plain);
    *memory() = v;
    return *this;
  }
  const SharedPlace& operator=(const SharedPlace& other) const { return *this = static_cast<T>(other); }
  SharedPlace(const SharedPlace&) = default;
  template <class U>
  const SharedPlace& operator+=(U v) const { return *this = static_cast<T>(static_cast<T>(*this) + v); }
  template <class U>
  const SharedPlace& operator-=(U v) const { return *this = static_cast<T>(static_cast<T>(*this) - v); }
  template <class U>
  const SharedPlace& operator*=(U v) const { return *this = static_cast<T>(static_cast<T>(*this) * v); }
  template <class U>
  const SharedPlace& operator|=(U v) const { return *this = static_cast<T>(static_cast<T>(*this) | v); }
  T operator++(int) const {
    const T before = *this;
    *this = static_cast<T>(before + 1);
    return before;
  }

 private:
  T* memory() const { return reinterpret_cast<T*>(simt::shared_memory.memory() + at_); }
  uint32_t at_;
  const char* name_;
};

template <class T>
struct Shared {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % simt::kGranule == 0, "the shadow knows pairs of bytes");
  uint32_t at, bytes;  // of the whole block's memory
  const char* name;

  SharedPlace<T> operator[](index_t i) const { return {place(i, 1, alignof(T)), name}; }
  Shared part(index_t offset) const {
    if (offset < 0 || static_cast<uint64_t>(offset) * sizeof(T) > bytes) {
      simt::machine.fault(std::string(name) + ": part at " + std::to_string(offset) + " of " + std::to_string(bytes / sizeof(T)));
    }
    const uint32_t skip = static_cast<uint32_t>(offset * static_cast<index_t>(sizeof(T)));
    return {at + skip, bytes - skip, name};
  }
  template <class U>
  Shared<U> as() const { return {at, bytes, name}; }

  uint32_t place(index_t i, index_t count, uint32_t alignment) const {
    if (i < 0 || static_cast<uint64_t>(i + count) * sizeof(T) > bytes) {
      simt::machine.fault("shared index " + std::string(name) + "[" + std::to_string(i) + "] of " + std::to_string(bytes / sizeof(T)));
    }
    const uint32_t where = at + static_cast<uint32_t>(i * static_cast<index_t>(sizeof(T)));
    if (where % alignment != 0) simt::machine.fault("misaligned shared access to " + std::string(name) + "[" + std::to_string(i) + "]");
    return where;
  }
};

inline Vec4 load4(Shared<float> s, index_t i) {
  const uint32_t at = s.place(i, 4, 16);
  simt::shared_memory.read(at, 16, s.name);
  return *reinterpret_cast<const Vec4*>(simt::shared_memory.memory() + at);
}
inline void store4(Shared<float> s, index_t i, Vec4 v) {
  const uint32_t at = s.place(i, 4, 16);
  simt::shared_memory.write(at, 16, s.name, simt::SharedMemory::Write::plain);
  *reinterpret_cast<Vec4*>(simt::shared_memory.memory() + at) = v;
}

// An atomic update: ordered against other atomics, not against plain reads and writes.
template <class T, class Update>
T atomic_update(Shared<T> s, index_t i, Update update) {
  static_assert(kAtomic<T>, "integers only: the order of floating atomics would show in the bits");
  const uint32_t at = s.place(i, 1, alignof(T));
  simt::shared_memory.write(at, sizeof(T), s.name, simt::SharedMemory::Write::atomic);
  T& value = *reinterpret_cast<T*>(simt::shared_memory.memory() + at);
  const T before = value;
  value = update(before);
  return before;
}
template <class T>
T atomic_add(Shared<T> s, index_t i, Exactly<T> v) { return atomic_update(s, i, [v](T old) { return static_cast<T>(old + v); }); }
template <class T>
T atomic_max(Shared<T> s, index_t i, Exactly<T> v) { return atomic_update(s, i, [v](T old) { return old < v ? v : old; }); }

template <class T>
void copy_async16(Shared<T> to, index_t i, Exactly<Span<const T>> from, index_t j, bool valid) {
  constexpr index_t count = 16 / sizeof(T);
  const uint32_t at = to.place(i, count, 16);
  simt::shared_memory.copy_async(at, to.name, valid ? global_vector<const T>(from, j, count) : nullptr);
}
inline void copy_async_commit() { simt::shared_memory.commit(); }
template <int N>
void copy_async_wait() { simt::shared_memory.wait(N); }

template <class T>
Shared<T> shared_array(const void* tag, index_t size, const char* name) {
  const uint32_t bytes = static_cast<uint32_t>(size * static_cast<index_t>(sizeof(T)));
  return {simt::shared_memory.place_array(tag, bytes), bytes, name};
}
template <class T>
Shared<T> dynamic_shared_array(const char* name) { return {0, static_cast<uint32_t>(simt::machine.dynamic_shared), name}; }

}  // namespace eat::cuda

#define EAT_SHARED(T, name, N)   \
  static const char name##_tag = 0; \
  const ::eat::cuda::Shared<T> name = ::eat::cuda::shared_array<T>(&name##_tag, N, #name)
#define EAT_DYNAMIC_SHARED(T, name) const ::eat::cuda::Shared<T> name = ::eat::cuda::dynamic_shared_array<T>(#name)
