// What a kernel's address says about it.
#pragma once

#include <string>

namespace eat::simt {

// The demangled name without its parameters; where the symbol is local, "(local function)".
std::string kernel_name(const void* kernel);

// The bound of EAT_GLOBAL_BOUNDS in threads, 1024 where there is none.
int launch_bound(const void* kernel);

}  // namespace eat::simt
