// Rows in tiles that fit the device's memory. Kernels give the same bits for any slicing, so a smaller tile changes the time only.
#pragma once

#include <algorithm>

#include "../../contracts/common.h"
#include "error.h"

namespace eat::cuda {

inline void throw_if_stopped(const Run& run) {
  if (run.stopped()) throw Cancelled();
}

// A tile takes at most this, however much is free: between tiles a call can be cancelled.
constexpr size_t kTileBytes = size_t{1} << 30;

// Rows of `row_bytes` device bytes each that fit in half of what is free now: other calls, and what the kernels allocate
// besides, need the rest. At least 1, at most `rows`.
inline index_t rows_that_fit(index_t rows, index_t row_bytes) {
  size_t free = 0, total = 0;
  check(cuda_mem_get_info(&free, &total), "asking for free memory");
  return std::clamp<index_t>(static_cast<index_t>(std::min(free / 2, kTileBytes)) / std::max<index_t>(1, row_bytes), 1, std::max<index_t>(1, rows));
}

// body(batch, first, count) for every matrix of the batch and every tile of its rows. Where the device runs out of memory the
// tile is halved and tried again; a tile must therefore write only its own results. Looks for cancellation between tiles.
template <class Body>
void for_row_tiles(const Run& run, index_t batch, index_t rows, index_t row_bytes, Body&& body) {
  index_t tile = rows_that_fit(rows, row_bytes);
  for (index_t b = 0; b < batch; b++) {
    for (index_t first = 0; first < rows;) {
      throw_if_stopped(run);
      const index_t count = std::min(tile, rows - first);
      try {
        body(b, first, count);
        first += count;
      } catch (const OutOfMemory&) {
        if (count == 1) throw;
        tile = (count + 1) / 2;
      }
    }
  }
}

}  // namespace eat::cuda
