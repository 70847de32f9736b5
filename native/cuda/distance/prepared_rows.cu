#include "prepared_rows.h"

namespace eat::cuda {

struct PrepareArguments {
  Span<const float> from;
  Span<float> padded;  // empty where the rows are used as they are
  Span<double> norms;
  Span<float> inverse_norms;
  Span<unsigned long long> extremes;
  index_t rows, d, depth;
  bool find_extremes;
};

// By a warp: the row's squared norm in double; pads the row where it is to be padded.
EAT_DEVICE double squared_norm(const PrepareArguments& p, index_t row) {
  double sum = 0;
  for (index_t k = lane(); k < p.depth; k += kWarp) {
    const float x = k < p.d ? p.from[row * p.d + k] : 0.0f;
    if (p.padded.size > 0) p.padded[row * p.depth + k] = x;
    sum += static_cast<double>(x) * x;
  }
  return sum_of_warp(sum);
}

// One warp per row. What the block's rows are like goes out at once, and only where it was asked for or is bad.
EAT_GLOBAL_BOUNDS(kThreads, 1) void prepare_rows(PrepareArguments p) {
  EAT_SHARED(unsigned long long, found, Extremes::size);
  if (thread_x() < Extremes::size) found[thread_x()] = 0;
  sync_block();
  const index_t row = static_cast<index_t>(block_x()) * (kThreads / kWarp) + warp();
  if (row < p.rows) {
    const double sum = squared_norm(p, row);
    if (lane() == 0) {
      p.norms[row] = sum;
      p.inverse_norms[row] = !usable_norm(sum) ? NAN : sum == 0 ? 0.0f : static_cast<float>(1 / std::sqrt(sum));
      if (!(sum - sum == 0)) atomic_max(found, Extremes::not_finite, 1ull);
      if (p.find_extremes && !usable_norm(sum)) atomic_max(found, Extremes::unusable, 1ull);
      if (p.find_extremes) atomic_max(found, Extremes::largest, double_bits(sum));
    }
  }
  sync_block();
  if (thread_x() >= Extremes::size) return;
  const unsigned long long most = found[thread_x()];
  if (most > 0) atomic_max(p.extremes, thread_x(), most);
}

void PreparedRows::prepare(Stream& stream, Span<const float> from) {
  from_ = from;
  clear(stream, extremes_.span());
  constexpr index_t per_block = kThreads / kWarp;
  const Grid grid{static_cast<unsigned>((rows + per_block - 1) / per_block), 1, 1};
  launch(prepare_rows, grid, kThreads, 0, stream,
         PrepareArguments{from, padded_.span(), norms_.span(), inverse_norms_.span(), extremes_.span(), rows, d, depth, find_ == FindExtremes::yes});
}

}  // namespace eat::cuda
