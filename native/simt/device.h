// The device that the emulator claims to be. EAT_SIMT_SM names its architecture (default 80), EAT_SIMT_MEMORY its bytes.
#pragma once

#include <cstddef>

namespace eat::simt {

int architecture();        // 80, 86, 89, 90, 100, 120
size_t shared_limit();     // bytes of shared memory a block may use
size_t memory_limit();     // bytes of device memory

}  // namespace eat::simt
