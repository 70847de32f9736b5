// The bodies for NEON, part of every AArch64. Empty on other architectures.
#include "../engine/prelude.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace eat::neon {
#include "../vec/neon.h"
#include "../engine/kernels.inl"
extern const KernelTable table = make_table("neon");
}  // namespace eat::neon
#endif
