#include "prepared_rows.h"

namespace eat::cuda {

struct PrepareArguments {
  Span<const float> from;
  Span<float> padded;  // empty where the rows are used as they are
  Span<double> norms;
  Span<float> inverse_norms;
  Span<unsigned long long> extremes;
  index_t rows, d, depth;
};

// One warp per row.
EAT_GLOBAL_BOUNDS(kThreads, 1) void prepare_rows(PrepareArguments p) {
  const index_t row = static_cast<index_t>(block_x()) * (kThreads / kWarp) + warp();
  if (row >= p.rows) return;
  double sum = 0;
  for (index_t k = lane(); k < p.depth; k += kWarp) {
    const float x = k < p.d ? p.from[row * p.d + k] : 0.0f;
    if (p.padded.size > 0) p.padded[row * p.depth + k] = x;
    sum += static_cast<double>(x) * x;
  }
  sum = sum_of_warp(sum);
  if (lane() != 0) return;
  p.norms[row] = sum;
  p.inverse_norms[row] = !usable_norm(sum) ? NAN : sum == 0 ? 0.0f : static_cast<float>(1 / std::sqrt(sum));
  if (!(sum - sum == 0)) atomic_max(p.extremes, Extremes::not_finite, 1ull);
  if (!usable_norm(sum)) atomic_max(p.extremes, Extremes::unusable, 1ull);
  atomic_max(p.extremes, Extremes::largest, double_bits(sum));
}

void PreparedRows::prepare(Stream& stream, Span<const float> from) {
  from_ = from;
  clear(stream, extremes_.span());
  constexpr index_t per_block = kThreads / kWarp;
  const Grid grid{static_cast<unsigned>((rows + per_block - 1) / per_block), 1, 1};
  launch(prepare_rows, grid, kThreads, 0, stream, PrepareArguments{from, padded_.span(), norms_.span(), inverse_norms_.span(), extremes_.span(), rows, d, depth});
}

}  // namespace eat::cuda
