// The scan for NaN and Inf: the first bad row of a matrix on the device becomes a NotFinite.
#pragma once

#include "../../contracts/common.h"
#include "device_buffer.h"

namespace eat::cuda {

// worst[0] = max over bad elements of size - index, so that the first bad element wins in any order; 0 where all are finite.
template <int = 0>  // defined in many files
EAT_GLOBAL void find_not_finite(Span<const float> values, Span<unsigned long long> worst) {
  const index_t step = static_cast<index_t>(grid_dim_x()) * block_dim_x();
  for (index_t i = static_cast<index_t>(block_x()) * block_dim_x() + thread_x(); i < values.size; i += step) {
    const float value = values[i];
    if (!(value - value == 0.0f)) atomic_max(worst, 0, static_cast<unsigned long long>(values.size - i));
  }
}

// `first_row`: the row of the whole argument at which `values` begins. Waits for the stream.
inline void check_finite(const Run& run, Stream& stream, Span<const float> values, index_t cols, index_t first_row,
                         const char* argument) {
  if (!run.check_finite || values.size == 0) return;
  DeviceBuffer<unsigned long long> worst(stream, 1);
  clear(stream, worst.span());
  const index_t blocks = (values.size + 1023) / 1024;
  launch(find_not_finite<>, Grid{static_cast<unsigned>(blocks < 1024 ? blocks : 1024), 1, 1}, 256, 0, stream, values, worst.span());
  unsigned long long found = 0;
  download(stream, &found, worst.span(), 1);
  if (found > 0) throw NotFinite(argument, first_row + (values.size - static_cast<index_t>(found)) / cols);
}

}  // namespace eat::cuda
