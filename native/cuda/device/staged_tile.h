// Slices of both operands of a 128 x 128 tile on their way to shared memory, by cp.async in three stages: while one slice is
// computed on, the next two are under way, and one barrier per slice suffices.
#pragma once

#include "plain_tiles.h"

namespace eat::cuda {

struct StagedTile {
  static constexpr int M = 128, N = 128, R = 8, C = 8;
  // 20 words from row to row: 16-byte aligned, and 8 rows' quads (variant 3) as well as 8 rows x 4 words (variant 4) lie in
  // different banks.
  static constexpr int kPitch = kSlice + 4, kOperand = 128 * kPitch, kStage = 2 * kOperand, kStages = 3;
  static constexpr int kSharedFloats = kStages * kStage;

  // One slice of 128 rows from `first` on; rows beyond `rows` become zeros.
  static EAT_DEVICE void copy(Shared<float> shared, int to, Span<const float> from, index_t first, index_t rows, index_t depth, index_t k0) {
#pragma unroll
    for (int piece = thread_x(); piece < 128 * kSlice / 4; piece += kThreads) {
      const int r = piece / (kSlice / 4), quad = 4 * (piece % (kSlice / 4));
      const bool valid = first + r < rows;
      copy_async16(shared, to + r * kPitch + quad, from, valid ? (first + r) * depth + k0 + quad : 0, valid);
    }
  }

  static EAT_DEVICE void copy_slice(Shared<float> shared, const Operands& o, index_t row0, index_t column0, index_t slice) {
    if (slice * kSlice < o.depth) {
      const int to = static_cast<int>(slice % kStages) * kStage;
      copy(shared, to, o.a, row0, o.rows, o.depth, slice * kSlice);
      copy(shared, to + kOperand, o.b, column0, o.columns, o.depth, slice * kSlice);
    }
    copy_async_commit();  // also where there is nothing left, so that counting groups stays simple
  }

  // compute(offset) for every slice; its rows lie at shared[offset], its columns kOperand further.
  template <class Compute>
  static EAT_DEVICE void for_slices(Shared<float> shared, const Operands& o, index_t row0, index_t column0, Compute&& compute) {
    copy_slice(shared, o, row0, column0, 0);
    copy_slice(shared, o, row0, column0, 1);
    for (index_t slice = 0; slice * kSlice < o.depth; slice++) {
      copy_async_wait<1>();
      sync_block();  // the slice is there for all, and none still computes on the stage that is filled next
      copy_slice(shared, o, row0, column0, slice + 2);
      compute(static_cast<int>(slice % kStages) * kStage);
    }
    copy_async_wait<0>();
    sync_block();  // the next tile's first slices go where this one's last were
  }
};

}  // namespace eat::cuda
