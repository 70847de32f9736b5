// What a device offers: a function per line of kernels.def. Whoever calls one includes its contract.
#pragma once

#include "common.h"
#include "machine_limits.h"

namespace eat {

#define EAT_DML_KERNEL(name, js_name, Arguments) struct Arguments;
#include "kernels.def"

// What a device has no kernel for stays null.
struct KernelTable {
  const char* isa;
#define EAT_DML_KERNEL(name, js_name, Arguments) void (*name)(const Run&, const Arguments&);
#include "kernels.def"
  MachineLimits (*machine_limits)(const Run&);
  bool (*forbid_winograd)();  // for this process, before its first convolution; whether it did
};

// The table in use: EAT_DML_ISA by name, else the first that this processor runs. Throws std::invalid_argument where
// EAT_DML_ISA names one that is unknown or not supported here.
const KernelTable& kernels();

}  // namespace eat
