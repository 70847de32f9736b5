// A failed call of the CUDA runtime as an exception that names it. Out of memory is a std::bad_alloc of its own, so that a
// launcher can try again with smaller tiles and the addon reports it like any other lack of memory.
#pragma once

#include <new>
#include <stdexcept>
#include <string>

#include "simt.h"

namespace eat::cuda {

struct CudaError : std::runtime_error {
  CudaError(Status status, const char* during)
      : std::runtime_error(std::string("CUDA: ") + status_name(status) + " during " + during + " (" + status_text(status) + ")"),
        status(status) {}
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
