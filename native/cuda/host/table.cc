// The CUDA kernels as a table like those of the instruction sets; what has no kernel here stays null and is not exported.
#include "../../contracts/kernel_table.h"
#include "device_matrix.h"

namespace eat {
namespace cuda {

#define EAT_DML_MISSION_ALONE
#define EAT_DML_KERNEL(name, js_name, Arguments) void name(const Run&, const Arguments&);
#include "../../contracts/kernels.def"

}  // namespace cuda

namespace {

KernelTable make_table() {
  static const std::string device = cuda::device_description();
  KernelTable table{};
  table.isa = device.c_str();
#define EAT_DML_KERNEL(name, js_name, Arguments) table.name = cuda::name;
#include "../../contracts/kernels.def"
  return table;
}

}  // namespace

// Throws where there is no device: the addon then does not load, and the message says why.
const KernelTable& kernels() {
  static const KernelTable table = make_table();
  return table;
}

}  // namespace eat
