// A failed call of the CUDA runtime as an exception that names it. Out of memory is a std::bad_alloc of its own, so that a
// launcher can try again with smaller tiles and the addon reports it like any other lack of memory.
#pragma once

#include <new>
#include <string>

#include "../device/simt.h"
#include "device_matrix.h"

namespace eat::cuda {

// In words. CUDA's own number for a version: 1000 times the major one, 10 times the minor one.
inline std::string error_text(Status status, const char* during) {
  int knows = 0, needed = 0;
  if (!driver_lacks(status, &knows, &needed)) return std::string("CUDA: ") + status_name(status) + " during " + during + " (" + status_text(status) + ")";
  if (knows == 0) return "there is no NVIDIA driver";
  const auto version = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
  return "the NVIDIA driver is too old: it knows CUDA up to " + version(knows) + ", and " + version(needed) + " is needed";
}

struct CudaError : DeviceError {
  CudaError(Status status, const char* during) : DeviceError(error_text(status, during)), status(status) {}
  Status status;
};

struct OutOfMemory : std::bad_alloc {
  const char* what() const noexcept override { return "out of device memory"; }
};

// `during` names the call, as in "kernel launch".
inline void check(Status status, const char* during) {
  if (status == Status{}) return;
  cuda_get_last_error();  // an error that is not sticky must not be met again by the next call
  if (out_of_memory(status)) throw OutOfMemory();
  throw CudaError(status, during);
}

}  // namespace eat::cuda
