// Variant 4 of the product of rows: tensor cores at nearly float's precision. With x = x1 + x2 + r, x1 = tf32(x), x2 = tf32(x - x1),
// x y is x1 y1 + x1 y2 + x2 y1 but for 3 * 2^-22 |x y|. The unit truncates when it adds, so that 8 dimensions at a time start from
// zero there, small terms first, and their sum is added to the accumulator by an ordinary, rounding addition.
#pragma once

#include "staged_tile.h"

namespace eat::cuda {

// 8 warps, 2 x 4, each with 64 x 32 results in 4 x 4 fragments of 16 x 8.
struct TensorCoreTile : StagedTile {
  static EAT_DEVICE int row(int i) { return warp() / 4 * 64 + i / 2 * 16 + i % 2 * 8 + lane() / 4; }
  static EAT_DEVICE int column(int j) { return warp() % 4 * 32 + j / 2 * 8 + j % 2 + lane() % 4 * 2; }
  static EAT_DEVICE int place_in_row() { return warp() % 4 * 4 + lane() % 4; }

  static EAT_DEVICE void split(float x, unsigned& high, unsigned& low) {
    high = to_tf32(x);
    low = to_tf32(x - bits_float(high));
  }

  static EAT_DEVICE void multiply8(float (&acc)[R][C], Shared<float> shared, int a, int b) {
    unsigned high[4][4], low[4][4];
#pragma unroll
    for (int f = 0; f < 4; f++) {
#pragma unroll
      for (int e = 0; e < 4; e++) split(shared[a + (16 * f + e % 2 * 8) * kPitch + e / 2 * 4], high[f][e], low[f][e]);
    }
#pragma unroll
    for (int g = 0; g < 4; g++) {
      unsigned column_high[2], column_low[2];
#pragma unroll
      for (int e = 0; e < 2; e++) split(shared[b + 8 * g * kPitch + e * 4], column_high[e], column_low[e]);
#pragma unroll
      for (int f = 0; f < 4; f++) {
        float sum[4] = {0, 0, 0, 0};
        mma_m16n8k8_tf32(sum, low[f], column_high);
        mma_m16n8k8_tf32(sum, high[f], column_low);
        mma_m16n8k8_tf32(sum, high[f], column_high);
#pragma unroll
        for (int e = 0; e < 4; e++) acc[2 * f + e / 2][2 * g + e % 2] += sum[e];
      }
    }
  }

  static EAT_DEVICE void product(float (&acc)[R][C], Shared<float> shared, const Operands& o, index_t row0, index_t column0) {
#pragma unroll
    for (int i = 0; i < R; i++) {
#pragma unroll
      for (int j = 0; j < C; j++) acc[i][j] = 0;
    }
    const int a = (warp() / 4 * 64 + lane() / 4) * kPitch + lane() % 4;
    const int b = kOperand + (warp() % 4 * 32 + lane() / 4) * kPitch + lane() % 4;
    for_slices(shared, o, row0, column0, [&](int at) {
#pragma unroll 1  // unrolled, both steps' fragments would be alive at once, which is more registers than there are
      for (int k = 0; k < kSlice; k += 8) multiply8(acc, shared, at + a + k, at + b + k);
    });
  }
};

}  // namespace eat::cuda
