// The bodies for AVX2 + FMA. Empty on other architectures.
#include "../engine/prelude.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace eat::avx2 {
#include "../vec/avx2.h"
#include "../engine/kernels.inl"
extern const KernelTable table = make_table("avx2");
}  // namespace eat::avx2
#pragma GCC pop_options
#endif
