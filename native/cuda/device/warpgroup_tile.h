// Variant 5 of the product of rows, for sm_90a: tensor cores fed from shared memory by wgmma, which only there reach their full
// rate, and shared memory filled by bulk copies of prepared panels (split_panels.h). Halves in place of TF32, as x1 y1 + x1 y2 +
// x2 y1 again; 16 dimensions at a time start from zero, small terms first, as in variant 4.
#pragma once

#include "plain_tiles.h"

namespace eat::cuda {

// 2 warpgroups, each with 64 x 128 results: one adds while the tensor cores work for the other.
struct WarpgroupTile {
  static constexpr int M = 128, N = 128, R = 2, C = 32;
  // Words of two halves. 3 stages of 64 KiB: one is computed on, two are under way.
  static constexpr int kDepth = 64, kPanel = 128 * kDepth, kStage = 2 * kPanel, kStages = 3, kAlignment = 1024;
  static constexpr int kSharedFloats = kStages * kStage + 2 * kStages + kAlignment / 4;

  static EAT_DEVICE int row(int i) { return warp() * 16 + lane() / 4 + 8 * i; }
  static EAT_DEVICE int column(int j) { return j / 2 * 8 + j % 2 + lane() % 4 * 2; }
  static EAT_DEVICE int place_in_row() { return lane() % 4; }

  // Both panels of a slice, by one thread.
  static EAT_DEVICE void copy_slice(Shared<unsigned> stages, SharedBarriers arrived, const Operands& o, index_t panel_a, index_t panel_b, index_t slice) {
    if (thread_x() != 0 || slice * kDepth >= o.depth) return;
    const int stage = static_cast<int>(slice % kStages);
    barrier_arrive_expect(arrived, stage, kStage * 4);
    copy_bulk(stages, stage * kStage, o.panels_a.values, (panel_a + slice) * kPanel, kPanel, arrived, stage);
    copy_bulk(stages, stage * kStage + kPanel, o.panels_b.values, (panel_b + slice) * kPanel, kPanel, arrived, stage);
  }

  // 16 dimensions, 8 words from the row's start per step.
  static EAT_DEVICE void multiply16(float (&acc)[R][C], float (&sum)[64], Shared<unsigned> stages, int a, int b) {
    const unsigned long long high_a = wgmma_operand(stages, a), low_a = wgmma_operand(stages, a + kPanel / 2);
    const unsigned long long high_b = wgmma_operand(stages, b), low_b = wgmma_operand(stages, b + kPanel / 2);
    wgmma_fence();
    wgmma_m64n128k16_f16(sum, low_a, high_b, false);
    wgmma_m64n128k16_f16(sum, high_a, low_b, true);
    wgmma_m64n128k16_f16(sum, high_a, high_b, true);
    wgmma_commit();
    wgmma_wait<0>(sum);
#pragma unroll
    for (int e = 0; e < 64; e++) acc[e / 2 % 2][e / 4 * 2 + e % 2] += sum[e];
  }

  static EAT_DEVICE void scale(float (&acc)[R][C], const Operands& o, index_t row0, index_t column0) {
    const float scale_a[R] = {o.panels_a.scales[row0 + row(0)], o.panels_a.scales[row0 + row(1)]};
#pragma unroll
    for (int j = 0; j < C; j++) {
      const float scale_b = o.panels_b.scales[column0 + column(j)];
#pragma unroll
      for (int i = 0; i < R; i++) acc[i][j] = acc[i][j] * scale_a[i] * scale_b;
    }
  }

  static EAT_DEVICE void product(float (&acc)[R][C], Shared<float> shared, const Operands& o, index_t row0, index_t column0) {
    const unsigned beyond = shared_address(shared) % kAlignment;
    const Shared<unsigned> stages = shared.part(beyond == 0 ? 0 : static_cast<int>(kAlignment - beyond) / 4).as<unsigned>();
    const SharedBarriers arrived = stages.part(kStages * kStage).as<unsigned long long>();
    const index_t slices = (o.depth + kDepth - 1) / kDepth, panel_a = row0 / M * slices, panel_b = column0 / N * slices;
    if (thread_x() == 0) {
      for (int stage = 0; stage < kStages; stage++) barrier_init(arrived, stage, 1);
      fence_async();
    }
    sync_block();
    copy_slice(stages, arrived, o, panel_a, panel_b, 0);
    copy_slice(stages, arrived, o, panel_a, panel_b, 1);
    float sum[64];
#pragma unroll
    for (int e = 0; e < 64; e++) acc[e / C][e % C] = sum[e] = 0;
#pragma unroll 1
    for (index_t slice = 0; slice < slices; slice++) {
      const int stage = static_cast<int>(slice % kStages) * kStage, own = stage + warp() / 4 * 64 * (kDepth / 2);
      barrier_wait(arrived, static_cast<int>(slice % kStages), static_cast<unsigned>(slice / kStages % 2));
      sync_block();  // none still computes on the stage that is filled next
      copy_slice(stages, arrived, o, panel_a, panel_b, slice + 2);
      sync_warp();  // wgmma takes whole warps, and thread 0 may still be behind
      const int left = static_cast<int>(o.depth - slice * kDepth < kDepth ? o.depth - slice * kDepth : kDepth);
#pragma unroll 1
      for (int k = 0; k < left; k += 16) multiply16(acc, sum, stages, own + k / 2, stage + kPanel + k / 2);
    }
    sync_block();
    if (thread_x() == 0) {
      for (int stage = 0; stage < kStages; stage++) barrier_invalidate(arrived, stage);
    }
    scale(acc, o, row0, column0);
  }
};

}  // namespace eat::cuda
