#include "split_panels.h"

#include "../device/warpgroup_tile.h"

namespace eat::cuda {

struct SplitArguments {
  Span<const float> from;
  Span<unsigned> values;
  Span<float> scales;
  index_t rows, depth, slices;
};

// The exponent of the row's largest value. Rows beyond 2^-100 and 2^100 have no usable norm: what becomes of them is not looked at.
EAT_DEVICE int exponent_of_row(Span<const float> row, index_t depth) {
  int bits = 0;
  for (index_t k = lane(); k < depth; k += kWarp) {
    const int size = static_cast<int>(float_bits(row[k]) & 0x7fffffffu);
    bits = size > bits ? size : bits;
  }
#pragma unroll
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const int other = shuffle_xor(bits, mask);
    bits = other > bits ? other : bits;
  }
  const int exponent = (bits >> 23) - 127;
  return exponent < -100 ? -100 : exponent > 100 ? 100 : exponent;
}

EAT_DEVICE float power_of_two(int exponent) { return bits_float(static_cast<unsigned>(exponent + 127) << 23); }

// One warp per row, rows of zeros up to the next panel; a lane takes two dimensions, which are a word of the panel.
EAT_GLOBAL_BOUNDS(kThreads, 1) void split_panels(SplitArguments p) {
  const index_t row = static_cast<index_t>(block_x()) * (kThreads / kWarp) + warp();
  const bool real = row < p.rows;
  const Span<const float> from = p.from.part(real ? row * p.depth : 0, p.depth);
  const int exponent = real ? exponent_of_row(from, p.depth) : 0, r = static_cast<int>(row % WarpgroupTile::M);
  const float scale = power_of_two(14 - exponent);
  if (lane() == 0) p.scales[row] = power_of_two(exponent - 14);
  for (index_t slice = 0; slice < p.slices; slice++) {
    const index_t k = slice * WarpgroupTile::kDepth + 2 * lane();
    half high[2], low[2];
    for (int e = 0; e < 2; e++) {
      const float x = real && k + e < p.depth ? from[k + e] * scale : 0.0f;
      high[e] = to_half(x);
      low[e] = to_half(x - to_float(high[e]));
    }
    const index_t panel = (row / WarpgroupTile::M * p.slices + slice) * WarpgroupTile::kPanel;
    const index_t at = panel + r * 32 + (((lane() / 4) ^ (r % 8)) * 4 + lane() % 4);
    p.values[at] = pack_halves(high[0], high[1]);
    p.values[at + WarpgroupTile::kPanel / 2] = pack_halves(low[0], low[1]);
  }
}

SplitPanels::SplitPanels(Stream& stream, const PreparedRows& rows) {
  const index_t panels = (rows.rows + WarpgroupTile::M - 1) / WarpgroupTile::M;
  const index_t slices = (rows.depth + WarpgroupTile::kDepth - 1) / WarpgroupTile::kDepth;
  values_ = DeviceBuffer<unsigned>(stream, panels * slices * WarpgroupTile::kPanel);
  scales_ = DeviceBuffer<float>(stream, panels * WarpgroupTile::M);
  const Grid grid{static_cast<unsigned>(panels * WarpgroupTile::M / (kThreads / kWarp)), 1, 1};
  launch(split_panels, grid, kThreads, 0, stream, SplitArguments{rows.values(), values_.span(), scales_.span(), rows.rows, rows.depth, slices});
}

}  // namespace eat::cuda
