// How many threads work on a row of d values, and where they keep them.
//   1  a thread per row: the reference. Neighbouring threads read far apart, and few threads run.
//   2  a warp or a block per row, reading side by side, its values in registers over all rounds (up to 3072; beyond that they are
//      read again in each round, mostly from the caches).
#pragma once

#include "../host/stream.h"
#include "../host/variant.h"

namespace eat::cuda {

// operation.row<Threads, Per>(r) is what the threads of row r do.
template <class Operation>
EAT_GLOBAL void thread_per_row(Operation operation) {
  const index_t row = static_cast<index_t>(block_x()) * block_dim_x() + thread_x();
  if (row < operation.rows()) operation.template row<1, 0>(row);
}
template <int Threads, int Per, class Operation>
EAT_GLOBAL_BOUNDS(Threads, 1) void threads_per_row(Operation operation) {
  operation.template row<Threads, Per>(block_x());
}

template <class Operation>
void launch_by_rows(Stream& stream, const Operation& operation, index_t rows, index_t d) {
  const Grid per_row{static_cast<unsigned>(rows), 1, 1};
  if (forced_variant() == 1) {
    launch(thread_per_row<Operation>, Grid{static_cast<unsigned>((rows + 127) / 128), 1, 1}, 128, 0, stream, operation);
  } else if (d <= 32 * 4) {
    launch(threads_per_row<32, 4, Operation>, per_row, 32, 0, stream, operation);
  } else if (d <= 128 * 8) {
    launch(threads_per_row<128, 8, Operation>, per_row, 128, 0, stream, operation);
  } else if (d <= 384 * 8) {  // 512 x 8 leaves 128 registers, too few on sm_100
    launch(threads_per_row<384, 8, Operation>, per_row, 384, 0, stream, operation);
  } else {
    launch(threads_per_row<512, 0, Operation>, per_row, 512, 0, stream, operation);
  }
}

// Device bytes of a row in `arrays` arrays of d floats, never so few that a tile had more rows than a grid has blocks.
inline index_t attack_row_bytes(index_t arrays, index_t d) { return std::max<index_t>(64, arrays * d * static_cast<index_t>(sizeof(float))); }

}  // namespace eat::cuda
