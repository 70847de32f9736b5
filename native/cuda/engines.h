// From a variant's number to its tile engine.
#pragma once

#include "register_tile.h"
#include "tensor_core_tile.h"
#include "variant.h"
#include "warpgroup_tile.h"

namespace eat::cuda {

// call(Engine{}) with an engine of products.
template <class Call>
void with_product_engine(int variant, Call&& call) {
  switch (variant) {
    case 1: return call(NaiveTile<Products>{});
    case 2: return call(SharedTile<Products>{});
    case 3: return call(RegisterTile<Products>{});
    default: return call(TensorCoreTile{});
  }
}

// The same, or with `direct` one of squared differences, which the tensor cores do not have. Here 5 is there too: the kernel's
// operands must have their panels.
template <class Call>
void with_engine(int variant, bool direct, Call&& call) {
  if (variant == 5) return call(WarpgroupTile{});
  if (!direct) return with_product_engine(variant, call);
  switch (variant) {
    case 1: return call(NaiveTile<SquaredDifferences>{});
    case 2: return call(SharedTile<SquaredDifferences>{});
    default: return call(RegisterTile<SquaredDifferences>{});
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
