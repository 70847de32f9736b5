// From a variant's number to its tile engine.
#pragma once

#include "../device/register_tile.h"
#include "../device/tensor_core_tile.h"
#include "../device/warpgroup_tile.h"
#include "../host/variant.h"

namespace eat::cuda {

// call(Engine{}) with an engine of products, with `direct` of squared differences, which the tensor cores do not have. For 5 the
// operands must have their panels (split_panels.h).
template <class Call>
void with_engine(int variant, bool direct, Call&& call) {
  if (direct) {
    switch (variant) {
      case 1: return call(NaiveTile<SquaredDifferences>{});
      case 2: return call(SharedTile<SquaredDifferences>{});
      default: return call(RegisterTile<SquaredDifferences>{});
    }
  }
  switch (variant) {
    case 1: return call(NaiveTile<Products>{});
    case 2: return call(SharedTile<Products>{});
    case 3: return call(RegisterTile<Products>{});
    case 4: return call(TensorCoreTile{});
    default: return call(WarpgroupTile{});
  }
}

// Whether a variant takes squared differences over d dimensions.
inline bool sums_directly(int variant, index_t d) { return variant < 4 && d <= kDirectDimensions; }

inline index_t tiles(index_t size, index_t tile) { return (size + tile - 1) / tile; }

// Blocks of a grid along x, which a launch may have 2^31 - 1 of.
inline unsigned blocks(index_t count) {
  if (count > 0x7fffffff) throw std::length_error("Too many tiles for one launch.");
  return static_cast<unsigned>(count);
}

}  // namespace eat::cuda
