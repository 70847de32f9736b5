// A matrix that stays on the device for many calls. No CUDA in here: the addon's C++ files include it.
#pragma once

#include <memory>
#include <string>

#include "../contracts/common.h"

namespace eat::cuda {

struct DeviceMatrix {
  MatrixView view;  // of device memory
  virtual ~DeviceMatrix() = default;
};

// Copies `matrix` to the device; throws NotFinite("matrix", row) as a kernel would. Kernels know its memory when they see it.
std::shared_ptr<DeviceMatrix> upload_matrix(const Run& run, const MatrixView& matrix);

// Name and compute capability of the device in use; throws CudaError where there is none.
std::string device_description();

}  // namespace eat::cuda
