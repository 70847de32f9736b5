// What sm_90a adds for kernels: bulk copies that a barrier in shared memory waits for, and products of a warpgroup (128 threads).
// The emulator has the same names (../simt/barrier.h, ../simt/warpgroup.h). Included by simt.h. A kernel that uses these is
// compiled for every architecture and traps on the others; the host does not launch it there.
#pragma once

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define EAT_SM90A(...) asm volatile(__VA_ARGS__)
#else
#define EAT_SM90A(...) __trap()
#endif

namespace eat::cuda {

// Barriers in shared memory. A phase ends when `arrivals` threads have arrived and all bytes they told of have come.
using SharedBarriers = Shared<unsigned long long>;

template <class T>
EAT_DEVICE unsigned shared_address(Shared<T> s) { return static_cast<unsigned>(__cvta_generic_to_shared(s.data)); }

// By one thread; the others may use it behind fence_async() of that thread and a sync_block.
EAT_DEVICE void barrier_init(SharedBarriers b, int i, int arrivals) {
  EAT_SM90A("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b.part(i))), "r"(arrivals) : "memory");
}
// When nobody waits any more: the place may then be used for anything.
EAT_DEVICE void barrier_invalidate(SharedBarriers b, int i) {
  EAT_SM90A("mbarrier.inval.shared::cta.b64 [%0];" ::"r"(shared_address(b.part(i))) : "memory");
}
// Arrives and tells how many bytes are to come in this phase.
EAT_DEVICE void barrier_arrive_expect(SharedBarriers b, int i, unsigned bytes) {
  EAT_SM90A("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(b.part(i))), "r"(bytes) : "memory");
}
// Until the phase of this parity is over: 0 for the first, 1 for the second, 0 for the third.
EAT_DEVICE void barrier_wait(SharedBarriers b, int i, unsigned parity) {
  unsigned done = 0;
  while (done == 0) {
    EAT_SM90A("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
              : "=r"(done)
              : "r"(shared_address(b.part(i))), "r"(parity)
              : "memory");
  }
}
// `count` values from global place j to shared place i, both 16-byte aligned, a multiple of 16 bytes; they count for barrier b[k].
template <class T>
EAT_DEVICE void copy_bulk(Shared<T> to, int i, Exactly<Span<const T>> from, index_t j, int count, SharedBarriers b, int k) {
  EAT_SM90A("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(shared_address(to.part(i))),
            "l"(from.data + j), "r"(static_cast<unsigned>(count * sizeof(T))), "r"(shared_address(b.part(k)))
            : "memory");
}
// Orders what this thread did to shared memory before what bulk copies and warpgroup products do to it.
EAT_DEVICE void fence_async() { EAT_SM90A("fence.proxy.async.shared::cta;" ::: "memory"); }

// Rows of 64 halves, each 128 bytes, whose 16-byte pieces c lie at c ^ (row % 8), from a 1024-byte boundary on; `i` is a multiple
// of 16 halves in the first row. (PTX ISA, "Matrix descriptor", K-major, 128-byte swizzle: 1024 bytes from 8 rows to the next 8.)
EAT_DEVICE unsigned long long wgmma_operand(Shared<unsigned> s, int i) {
  return (shared_address(s.part(i)) & 0x3ffffull) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

// Of all 128 threads, each. A fence before the first product and whenever registers of d were touched since.
EAT_DEVICE void wgmma_fence() { EAT_SM90A("wgmma.fence.sync.aligned;" ::: "memory"); }
EAT_DEVICE void wgmma_commit() { EAT_SM90A("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Until at most N of the newest groups are under way; d may be read then, which the compiler must not do before.
template <int N>
EAT_DEVICE void wgmma_wait(float (&d)[64]) {
  EAT_SM90A("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
#pragma unroll
  for (int e = 0; e < 64; e++) asm volatile("" : "+f"(d[e])::"memory");
}

#define EAT_D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define EAT_D16(i) EAT_D4(i), EAT_D4(i + 4), EAT_D4(i + 8), EAT_D4(i + 12)
// d = a b, or d += a b: 64 rows of a, 128 columns of b, 16 dimensions. d[4 g + 2 h + e] is at row 16 (warp % 4) + lane / 4 + 8 h,
// column 8 g + 2 (lane % 4) + e.
EAT_DEVICE void wgmma_m64n128k16_f16(float (&d)[64], unsigned long long a, unsigned long long b, bool accumulate) {
  EAT_SM90A(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,"
      "%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, "
      "%64, %65, p, 1, 1, 0, 0;\n}"
      : EAT_D16(0), EAT_D16(16), EAT_D16(32), EAT_D16(48)
      : "l"(a), "l"(b), "r"(static_cast<int>(accumulate)));
}
#undef EAT_D16
#undef EAT_D4

}  // namespace eat::cuda

#undef EAT_SM90A
