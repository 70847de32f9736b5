// The bodies for AVX-512 F, DQ, BW, VL. Empty on other architectures.
#include "../engine/prelude.h"

#if defined(__x86_64__)
#include <immintrin.h>

// GCC's own intrinsics start from undefined registers on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,fma,prefer-vector-width=512")
namespace eat::avx512 {
#include "../vec/avx512.h"
#include "../engine/kernels.inl"
extern const KernelTable table = make_table("avx512");
}  // namespace eat::avx512
#pragma GCC pop_options
#endif
