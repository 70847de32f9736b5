// Kernels over independent elements, bound by memory. An operation has size(), one(i) and four(i) (four elements from i on, a
// multiple of 4, by 16-byte accesses).
//   1  one element per thread: the reference.
//   2  four per thread: a quarter of the load and store instructions, so that enough bytes are under way to fill the memory bus.
#pragma once

#include "../host/stream.h"
#include "../host/variant.h"

namespace eat::cuda {

template <class Operation>
EAT_GLOBAL void each_element(Operation operation) {
  const index_t i = static_cast<index_t>(block_x()) * block_dim_x() + thread_x();
  if (i < operation.size()) operation.one(i);
}

template <class Operation>
EAT_GLOBAL_BOUNDS(256, 4) void four_elements(Operation operation) {
  const index_t first = (static_cast<index_t>(block_x()) * block_dim_x() + thread_x()) * 4, size = operation.size();
  if (first + 4 <= size) {
    operation.four(first);
  } else {
    for (index_t i = first; i < size; i++) operation.one(i);
  }
}

inline bool aligned16(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

// `aligned`: all of the operation's arrays begin at a multiple of 16 bytes (a tile of resident rows may not).
template <class Operation>
void launch_elementwise(Stream& stream, const Operation& operation, bool aligned) {
  const index_t size = operation.size();
  const bool by_four = aligned && forced_variant() != 1;
  const index_t blocks = by_four ? (size + 1023) / 1024 : (size + 255) / 256;
  const Grid grid{static_cast<unsigned>(blocks), 1, 1};
  if (by_four) launch(four_elements<Operation>, grid, 256, 0, stream, operation);
  else launch(each_element<Operation>, grid, 256, 0, stream, operation);
}

}  // namespace eat::cuda
