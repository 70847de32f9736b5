// Matrices that uploadMatrix keeps: on the device in a device's addon, in memory of their own in the CPU's.
#pragma once

#include <napi.h>

#include <memory>

#include "../contracts/common.h"
#ifdef EAT_DML_DEVICE_ADDON
#include "../cuda/host/device_matrix.h"
#else
#include "../cpu/engine/buffer.h"
#endif

namespace eat::addon {

#ifdef EAT_DML_DEVICE_ADDON
using ResidentMatrix = cuda::DeviceMatrix;
#else
struct ResidentMatrix {
  std::unique_ptr<Buffer> memory;
  MatrixView view;
};
#endif

// What `resident` of uploadMatrix stands for; null where the value is none of this addon's. Throws where it was released.
std::shared_ptr<ResidentMatrix> uploaded_matrix(const Napi::Value& resident, const char* name);

}  // namespace eat::addon
