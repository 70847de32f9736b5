// What kernel code is written against. The only file that knows whether it is compiled by nvcc, for a GPU, or by a host compiler,
// for the emulator (../simt), which gives the same names and checks what a GPU leaves undefined.
#pragma once

#if !defined(__CUDACC__)
#include "../../simt/emulator.h"
#else

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../../contracts/common.h"

#define EAT_GLOBAL __global__
#define EAT_GLOBAL_BOUNDS(threads, min_blocks) __global__ __launch_bounds__(threads, min_blocks)
#define EAT_DEVICE __device__ __forceinline__
#define EAT_HOST_DEVICE __host__ __device__ __forceinline__
// 16-byte aligned; seen by the kernel as Shared<T>.
#define EAT_SHARED(T, name, N)                  \
  __shared__ __align__(16) T name##_memory[N]; \
  const ::eat::cuda::Shared<T> name { name##_memory }
// Carved by .part(offset) and .as<U>(); 128-byte aligned.
#define EAT_DYNAMIC_SHARED(T, name)                                        \
  extern __shared__ __align__(128) unsigned char eat_dynamic_shared[]; \
  const ::eat::cuda::Shared<T> name { reinterpret_cast<T*>(eat_dynamic_shared) }

namespace eat::cuda {

constexpr bool kEmulated = false;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

using std::fma;
using std::sqrt;
using Vec4 = float4;
using half = __half;

EAT_DEVICE int thread_x() { return static_cast<int>(threadIdx.x); }
EAT_DEVICE int block_dim_x() { return static_cast<int>(blockDim.x); }
EAT_DEVICE unsigned block_x() { return blockIdx.x; }
EAT_DEVICE unsigned block_y() { return blockIdx.y; }
EAT_DEVICE unsigned block_z() { return blockIdx.z; }
EAT_DEVICE unsigned grid_dim_x() { return gridDim.x; }
EAT_DEVICE unsigned grid_dim_y() { return gridDim.y; }
EAT_DEVICE unsigned grid_dim_z() { return gridDim.z; }
EAT_DEVICE int lane() { return thread_x() & (kWarp - 1); }
EAT_DEVICE int warp() { return thread_x() / kWarp; }

// An argument that is converted, while another one says what T is.
template <class T>
using Exactly = std::common_type_t<T>;

// Global memory.
template <class T>
struct Span {
  T* data;
  index_t size;

  EAT_HOST_DEVICE T& operator[](index_t i) const { return data[i]; }
  EAT_HOST_DEVICE Span part(index_t offset, index_t count) const { return {data + offset, count}; }
  template <class U = T, class = std::enable_if_t<!std::is_const_v<U>>>
  EAT_HOST_DEVICE operator Span<const U>() const {
    return {data, size};
  }
};

// Shared memory of a block. Read a value into a variable of its type (`float v = s[i]`): in the emulator s[i] is a proxy.
template <class T>
struct Shared {
  T* data;

  EAT_DEVICE T& operator[](int i) const { return data[i]; }
  EAT_DEVICE Shared part(int offset) const { return {data + offset}; }
  template <class U>
  EAT_DEVICE Shared<U> as() const {
    return {reinterpret_cast<U*>(data)};
  }
};

// Four floats at once, from a place that is a multiple of four floats from a 16-byte boundary.
EAT_DEVICE Vec4 load4(Span<const float> s, index_t i) { return *reinterpret_cast<const float4*>(s.data + i); }
EAT_DEVICE void store4(Span<float> s, index_t i, Vec4 v) { *reinterpret_cast<float4*>(s.data + i) = v; }
EAT_DEVICE Vec4 load4(Shared<float> s, int i) { return *reinterpret_cast<const float4*>(s.data + i); }
EAT_DEVICE void store4(Shared<float> s, int i, Vec4 v) { *reinterpret_cast<float4*>(s.data + i) = v; }

EAT_DEVICE void sync_block() { __syncthreads(); }
EAT_DEVICE void sync_warp() { __syncwarp(); }

// Collectives of a full warp: all 32 lanes call them, at one place.
template <class T>
EAT_DEVICE T shuffle(T v, int from) { return __shfl_sync(kAllLanes, v, from); }
template <class T>
EAT_DEVICE T shuffle_xor(T v, int mask) { return __shfl_xor_sync(kAllLanes, v, mask); }
template <class T>
EAT_DEVICE T shuffle_down(T v, int n) { return __shfl_down_sync(kAllLanes, v, n); }
template <class T>
EAT_DEVICE T shuffle_up(T v, int n) { return __shfl_up_sync(kAllLanes, v, n); }
EAT_DEVICE unsigned ballot(bool p) { return __ballot_sync(kAllLanes, p); }
EAT_DEVICE bool any(bool p) { return __any_sync(kAllLanes, p) != 0; }
EAT_DEVICE bool all(bool p) { return __all_sync(kAllLanes, p) != 0; }

// Integers only: floating atomics would make the bits depend on the order. Each gives the value before.
template <class T>
EAT_DEVICE T atomic_add(Span<T> s, index_t i, Exactly<T> v) { return atomicAdd(s.data + i, v); }
template <class T>
EAT_DEVICE T atomic_max(Span<T> s, index_t i, Exactly<T> v) { return atomicMax(s.data + i, v); }
template <class T>
EAT_DEVICE T atomic_min(Span<T> s, index_t i, Exactly<T> v) { return atomicMin(s.data + i, v); }
template <class T>
EAT_DEVICE T atomic_cas(Span<T> s, index_t i, Exactly<T> expected, Exactly<T> v) { return atomicCAS(s.data + i, expected, v); }
template <class T>
EAT_DEVICE T atomic_add(Shared<T> s, int i, Exactly<T> v) { return atomicAdd(s.data + i, v); }
template <class T>
EAT_DEVICE T atomic_max(Shared<T> s, int i, Exactly<T> v) { return atomicMax(s.data + i, v); }

EAT_DEVICE int count_bits(unsigned v) { return __popc(v); }
// The lowest bit set, -1 where none is.
EAT_DEVICE int first_bit(unsigned v) { return __ffs(static_cast<int>(v)) - 1; }
EAT_DEVICE int first_bit(unsigned long long v) { return __ffsll(static_cast<long long>(v)) - 1; }
EAT_DEVICE unsigned float_bits(float v) { return __float_as_uint(v); }
EAT_DEVICE float bits_float(unsigned v) { return __uint_as_float(v); }
EAT_DEVICE unsigned long long double_bits(double v) { return static_cast<unsigned long long>(__double_as_longlong(v)); }
EAT_DEVICE double bits_double(unsigned long long v) { return __longlong_as_double(static_cast<long long>(v)); }
EAT_DEVICE half to_half(float v) { return __float2half_rn(v); }
EAT_DEVICE float to_float(half v) { return __half2float(v); }
EAT_DEVICE unsigned pack_halves(half low, half high) {
  return static_cast<unsigned>(__half_as_ushort(low)) | static_cast<unsigned>(__half_as_ushort(high)) << 16;
}

// cp.async: 16 bytes from global place j to shared place i (in elements, both 16-byte aligned), zeros where not `valid`. They
// have arrived for this thread after copy_async_wait, for the others after the barrier that follows it.
template <class T>
EAT_DEVICE void copy_async16(Shared<T> to, int i, Exactly<Span<const T>> from, index_t j, bool valid) {
  const unsigned place = static_cast<unsigned>(__cvta_generic_to_shared(to.data + i));
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(place), "l"(from.data + (valid ? j : 0)), "r"(bytes) : "memory");
}
EAT_DEVICE void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Until at most N of this thread's newest groups are under way.
template <int N>
EAT_DEVICE void copy_async_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory"); }

// To nearest, ties away from zero; the low 13 bits are 0.
EAT_DEVICE unsigned to_tf32(float v) {
  unsigned result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(v));
  return result & 0xffffe000u;
}

// d += a b of a warp, in the fragment layouts of the PTX manual.
EAT_DEVICE void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
EAT_DEVICE void mma_m16n8k16_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

}  // namespace eat::cuda

#include "../host/runtime.h"
#include "warpgroup.h"

#endif
