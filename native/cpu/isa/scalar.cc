// The portable bodies: whatever the compiler makes of them for the baseline processor.
#include "../engine/prelude.h"

#pragma GCC diagnostic ignored "-Wpsabi"

namespace eat::scalar {
#include "../vec/portable.h"
#include "../engine/kernels.inl"
extern const KernelTable table = make_table("scalar");
}  // namespace eat::scalar
