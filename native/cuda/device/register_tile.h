// Variant 3 of the product of rows: 8 x 8 results per thread, so that 16 values read from shared memory serve 64 multiply-adds.
#pragma once

#include "staged_tile.h"

namespace eat::cuda {

template <class Step>
struct RegisterTile : StagedTile {
  static EAT_DEVICE int row(int i) { return thread_x() / 16 + 16 * i; }
  static EAT_DEVICE int column(int j) { return thread_x() % 16 + 16 * j; }
  static EAT_DEVICE int place_in_row() { return thread_x() % 16; }

  static EAT_DEVICE void product(float (&acc)[R][C], Shared<float> shared, const Operands& o, index_t row0, index_t column0) {
#pragma unroll
    for (int i = 0; i < R; i++) {
#pragma unroll
      for (int j = 0; j < C; j++) acc[i][j] = 0;
    }
    for_slices(shared, o, row0, column0, [&](int at) {
#pragma unroll 1  // unrolled, the values of four steps would be alive at once and take every register there is
      for (int k = 0; k < kSlice; k += 4) step(acc, shared, at + k);
    });
  }

 private:
  static EAT_DEVICE void step(float (&acc)[R][C], Shared<float> shared, int at) {
    Vec4 y[C];
#pragma unroll
    for (int j = 0; j < C; j++) y[j] = load4(shared, at + kOperand + column(j) * kPitch);
#pragma unroll
    for (int i = 0; i < R; i++) {
      const Vec4 x = load4(shared, at + row(i) * kPitch);
#pragma unroll
      for (int j = 0; j < C; j++) {
        acc[i][j] = Step::add_to(acc[i][j], x.x, y[j].x);
        acc[i][j] = Step::add_to(acc[i][j], x.y, y[j].y);
        acc[i][j] = Step::add_to(acc[i][j], x.z, y[j].z);
        acc[i][j] = Step::add_to(acc[i][j], x.w, y[j].w);
      }
    }
  }
};

}  // namespace eat::cuda
