// A matrix that stays on the device for many calls. No CUDA in here: the addon's C++ files include it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "../../contracts/common.h"

namespace eat::cuda {

// What CUDA reports, or that there is no device: after most of its errors this process has none any more.
struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct DeviceMatrix {
  MatrixView view;  // of device memory
  virtual ~DeviceMatrix() = default;
};

// Copies `matrix` to the device; throws NotFinite("matrix", row) as a kernel would. Kernels know its memory when they see it.
std::shared_ptr<DeviceMatrix> upload_matrix(const Run& run, const MatrixView& matrix);

// Name and compute capability of the device in use; throws CudaError where there is none.
std::string device_description();

// Waits for everything that was asked of the device, by whomever in this process.
void wait_for_device();

// Whether it is the emulator.
bool emulated();

// What the device could do at most by its clocks, per second: fp32 operations without tensor cores, bytes of its memory.
struct DeviceLimits {
  double fp32_flops = 0, bytes = 0;
};
DeviceLimits device_limits();

// Launches of CUDA graphs by this process, and the bytes that the device still reserves for graphs; both 0 under the emulator, which
// has none.
struct GraphUse {
  unsigned long long launches = 0, reserved = 0;
};
GraphUse graph_use();

// Milliseconds the kernels launched since the last call of this took on the device, where EAT_DML_CUDA_TIMING is set; for
// bench:gpu.
double take_kernel_milliseconds();

}  // namespace eat::cuda
