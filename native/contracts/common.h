// Vocabulary of every kernel contract: shapes, enums, how a run is watched, what it throws.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace eat {

using index_t = std::int64_t;

enum class Metric : int { sqeuclidean = 0, euclidean = 1, cosine = 2, dot = 3 };
enum class Norm : int { linf = 0, l2 = 1, l1 = 2 };

// Row-major [batch, rows, cols].
struct MatrixView {
  const float* data = nullptr;
  index_t batch = 1, rows = 0, cols = 0;

  index_t size() const { return batch * rows * cols; }
  const float* row(index_t r) const { return data + r * cols; }  // r counts through all batches
};

// Thrown by a kernel whose input holds NaN or Inf. `row` counts through all batches.
struct NotFinite : std::runtime_error {
  NotFinite(const char* argument, index_t row)
      : std::runtime_error(argument), argument(argument), row(row) {}
  const char* argument;
  index_t row;
};

// Thrown by a kernel whose origin lies outside the box. `row` counts through all batches.
struct OutsideBox : std::runtime_error {
  OutsideBox(const char* argument, index_t row)
      : std::runtime_error(argument), argument(argument), row(row) {}
  const char* argument;
  index_t row;
};

// Thrown where the caller cancelled the run.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

// How one call runs: how many threads it may use, whether inputs are scanned, where they are, and whether it was cancelled.
struct Run {
  int threads = 1;
  bool check_finite = true;
  // All of the contract's pointers are memory of the device that the kernels run on, and results don't lie over inputs.
  // Only some kernels of cuda/ look at it: see host/device_input.h.
  bool on_device = false;
  const std::atomic<bool>* cancel = nullptr;

  bool stopped() const { return cancel != nullptr && cancel->load(std::memory_order_relaxed); }
};

}  // namespace eat
