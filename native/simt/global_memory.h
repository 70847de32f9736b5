// Device memory as a kernel sees it: every access inside its span, every span inside an allocation of the device.
#pragma once

#include <atomic>
#include <type_traits>

#include "machine.h"

namespace eat::simt {

// An allocation met lately; out of date once any memory has been freed.
struct KnownMemory {
  const char *begin = nullptr, *end = nullptr;
  uint64_t frees = 0;
};
extern std::atomic<uint64_t> frees;
extern std::atomic<uint64_t> global_atomics;  // that kernels did, of all launches
KnownMemory find_device_memory(const void* p);  // begin == end where none holds p

// Spans inside a kernel's structs are met only here: a launch sees those that are arguments themselves.
inline void require_device_memory(const void* p, size_t bytes) {
  static KnownMemory known[16];
  const char* at = static_cast<const char*>(p);
  KnownMemory& k = known[reinterpret_cast<std::uintptr_t>(p) >> 16 & 15];
  if (at >= k.begin && at + bytes <= k.end && k.frees == frees.load(std::memory_order_relaxed)) return;
  k = find_device_memory(p);
  if (at + bytes > k.end) machine.fault("reads or writes memory that is not the device's");
}

}  // namespace eat::simt

namespace eat::cuda {

// An argument that is converted, while another one says what T is.
template <class T>
using Exactly = std::common_type_t<T>;

struct alignas(16) Vec4 {
  float x, y, z, w;
};

template <class T>
struct Span {
  T* data;
  index_t size;

  T& operator[](index_t i) const {
    simt::Machine& m = simt::machine;
    if (!m.running) throw simt::Fault("the host reads or writes device memory");
    if (i < 0 || i >= size) m.fault("global index " + std::to_string(i) + " of a span of " + std::to_string(size));
    if (reinterpret_cast<std::uintptr_t>(data) % alignof(T) != 0) m.fault("global memory is not aligned for its type");
    simt::require_device_memory(data + i, sizeof(T));
    return data[i];
  }
  Span part(index_t offset, index_t count) const {
    if (offset < 0 || count < 0 || offset > size || count > size - offset) {
      simt::machine.fault("part [" + std::to_string(offset) + ", +" + std::to_string(count) + ") of a span of " + std::to_string(size));
    }
    return {data + offset, count};
  }
  template <class U = T, class = std::enable_if_t<!std::is_const_v<U>>>
  operator Span<const U>() const {
    return {data, size};
  }
};

// `count` elements from i on, which must begin at a multiple of 16 bytes.
template <class T>
T* global_vector(const Span<T>& s, index_t i, index_t count) {
  simt::Machine& m = simt::machine;
  if (i < 0 || i + count > s.size) {
    m.fault("global elements " + std::to_string(i) + " to " + std::to_string(i + count - 1) + " of a span of " + std::to_string(s.size));
  }
  if (reinterpret_cast<std::uintptr_t>(s.data + i) % 16 != 0) m.fault("16-byte access to global index " + std::to_string(i) + " is misaligned");
  simt::require_device_memory(s.data + i, 16);
  return s.data + i;
}

inline Vec4 load4(Span<const float> s, index_t i) {
  const float* p = global_vector(s, i, 4);
  return {p[0], p[1], p[2], p[3]};
}
inline void store4(Span<float> s, index_t i, Vec4 v) {
  float* p = global_vector(s, i, 4);
  p[0] = v.x, p[1] = v.y, p[2] = v.z, p[3] = v.w;
}

template <class T>
constexpr bool kAtomic = std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;

// The place an atomic works on; counted, as many on one address take turns on a GPU.
template <class T>
T& atomic_place(Span<T> s, index_t i) {
  static_assert(kAtomic<T>, "integers only: the order of floating atomics would show in the bits");
  simt::global_atomics++;
  return s[i];
}

template <class T>
T atomic_add(Span<T> s, index_t i, Exactly<T> v) {
  T& place = atomic_place(s, i);
  const T before = place;
  place = before + v;
  return before;
}
template <class T>
T atomic_max(Span<T> s, index_t i, Exactly<T> v) {
  T& place = atomic_place(s, i);
  const T before = place;
  place = before < v ? v : before;
  return before;
}
template <class T>
T atomic_min(Span<T> s, index_t i, Exactly<T> v) {
  T& place = atomic_place(s, i);
  const T before = place;
  place = v < before ? v : before;
  return before;
}
template <class T>
T atomic_cas(Span<T> s, index_t i, Exactly<T> expected, Exactly<T> v) {
  T& place = atomic_place(s, i);
  const T before = place;
  if (before == expected) place = v;
  return before;
}

}  // namespace eat::cuda
