// Variants 1 and 2 of the product of rows: one result per thread. A tile engine gives `product`, which fills a thread's
// accumulators [R][C], the places row(i), column(j) of these within the block's tile M x N, and the thread's number among the N / C
// that share its rows, so that every epilogue is written once for all engines. Every result is one chain of fused multiply-adds in the order of k.
#pragma once

#include <cmath>

#include "../../contracts/common.h"
#include "simt.h"

namespace eat::cuda {

// The two operands of a tile: rows of `depth` values each, zero-padded to a multiple of kSlice and 16-byte aligned.
// Variant 5 takes its rows from `panels_a`, `panels_b` (split_panels.h), which are empty for the others.
struct Panels {
  Span<const unsigned> values{};
  Span<const float> scales{};
};
struct Operands {
  Span<const float> a, b;
  index_t rows, columns, depth;
  Panels panels_a{}, panels_b{};
};

constexpr int kSlice = 16;
constexpr int kThreads = 256;

// What a step of k adds to a result: the product of its row and column, or the square of their difference.
struct Products {
  static EAT_DEVICE float add_to(float sum, float x, float y) { return std::fma(x, y, sum); }
};
struct SquaredDifferences {
  static EAT_DEVICE float add_to(float sum, float x, float y) {
    const float difference = x - y;
    return std::fma(difference, difference, sum);
  }
};

// 16 x 16 results, one per thread: what the engines below must agree with, bit for bit but for the tensor cores.
struct OneEach {
  static constexpr int M = 16, N = 16, R = 1, C = 1;
  static EAT_DEVICE int row(int) { return thread_x() / 16; }
  static EAT_DEVICE int column(int) { return thread_x() % 16; }
  static EAT_DEVICE int place_in_row() { return thread_x() % 16; }
};

// 1: every thread reads its row and its column from global memory; 2 loads per multiply-add.
template <class Step>
struct NaiveTile : OneEach {
  static constexpr int kSharedFloats = 0;

  static EAT_DEVICE void product(float (&acc)[R][C], Shared<float>, const Operands& o, index_t row0, index_t column0) {
    const index_t i = row0 + row(0), j = column0 + column(0);
    acc[0][0] = 0;
    if (i >= o.rows || j >= o.columns) return;
    for (index_t k = 0; k < o.depth; k++) acc[0][0] = Step::add_to(acc[0][0], o.a[i * o.depth + k], o.b[j * o.depth + k]);
  }
};

// 2: 16 values of 16 rows and 16 columns go through shared memory, so that each is read from global memory once per block and
// not 16 times; the pitch of 17 keeps the column reads free of bank conflicts. For few columns: the tile is small.
template <class Step>
struct SharedTile : OneEach {
  static constexpr int kPitch = kSlice + 1;
  static constexpr int kSharedFloats = 2 * 16 * kPitch;

  static EAT_DEVICE void product(float (&acc)[R][C], Shared<float> shared, const Operands& o, index_t row0, index_t column0) {
    const int r = thread_x() / 16, c = thread_x() % 16, second = 16 * kPitch;
    const index_t i = row0 + r, j = column0 + r;
    acc[0][0] = 0;
    for (index_t k0 = 0; k0 < o.depth; k0 += kSlice) {
      shared[r * kPitch + c] = i < o.rows ? o.a[i * o.depth + k0 + c] : 0.0f;
      shared[second + r * kPitch + c] = j < o.columns ? o.b[j * o.depth + k0 + c] : 0.0f;
      sync_block();
#pragma unroll
      for (int k = 0; k < kSlice; k++) {
        const float x = shared[r * kPitch + k], y = shared[second + c * kPitch + k];
        acc[0][0] = Step::add_to(acc[0][0], x, y);
      }
      sync_block();
    }
  }
};

}  // namespace eat::cuda
