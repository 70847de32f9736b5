#include "kmeans_steps.h"

#include "../distance/row_distance.h"

namespace eat::cuda {
namespace {
constexpr int kThreads = 256;

Grid blocks_for(index_t count) { return {static_cast<unsigned>((count + kThreads - 1) / kThreads), 1, 1}; }
}  // namespace

EAT_DEVICE index_t thread_of_grid() { return static_cast<index_t>(block_x()) * block_dim_x() + thread_x(); }

EAT_GLOBAL void count_changed_labels(Span<const int> labels, Span<int> previous, Span<unsigned long long> counters) {
  const index_t i = thread_of_grid();
  const bool changed = i < labels.size && labels[i] != previous[i];
  const unsigned votes = ballot(changed);
  if (changed) previous[i] = labels[i];
  if (lane() == 0 && votes != 0) atomic_add(counters, Counter::changed, static_cast<unsigned long long>(count_bits(votes)));
}

EAT_GLOBAL void count_empty_clusters(Span<const double> counts, Span<unsigned long long> counters) {
  const index_t c = thread_of_grid();
  if (c < counts.size && counts[c] == 0) atomic_add(counters, Counter::empty, 1ull);
}

EAT_GLOBAL void measure_own_distances(Span<const float> points, Span<const float> centroids, Span<const int> labels, index_t d,
                                      int lanes, Span<double> out) {
  const index_t row = row_of_group(lanes);
  const bool own = row < labels.size;
  double sum = own ? part_of_distance<double>(points, row * d, centroids, labels[own ? row : 0] * d, d, lanes) : 0.0;
  sum = sum_of_group(sum, lanes);
  if (own && (lane() & (lanes - 1)) == 0) out[row] = sum;
}

// One block per cluster.
EAT_GLOBAL void move_cluster(Span<const double> sums, Span<const double> counts, Span<const unsigned long long> counters, index_t d,
                             Span<float> centroids, Span<double> shifts) {
  EAT_SHARED(double, scratch, kThreads);
  if (counters[Counter::empty] > 0) return;
  const index_t c = static_cast<index_t>(block_x());
  const double count = counts[c];
  double shift = 0;
  for (index_t j = thread_x(); count > 0 && j < d; j += block_dim_x()) {
    const float moved = static_cast<float>(sums[c * d + j] / count);
    const double step = static_cast<double>(moved) - centroids[c * d + j];
    shift = fma(step, step, shift);
    centroids[c * d + j] = moved;
  }
  shift = sum_of_block(shift, scratch);
  if (thread_x() == 0) shifts[c] = shift;
}

EAT_DEVICE double sum_by_block(Span<const double> values, Shared<double> scratch) {
  double sum = 0;
  for (index_t i = thread_x(); i < values.size; i += block_dim_x()) sum += values[i];
  return sum_of_block(sum, scratch);
}

EAT_GLOBAL void sum_values(Span<const double> values, Span<double> out) {
  EAT_SHARED(double, scratch, kThreads);
  const double sum = sum_by_block(values, scratch);
  if (thread_x() == 0) out[0] = sum;
}

EAT_GLOBAL void write_status(Span<const double> shifts, Span<const unsigned long long> counters, Span<double> status) {
  EAT_SHARED(double, scratch, kThreads);
  const bool moved = counters[Counter::empty] == 0;
  const double shift = sum_by_block(moved ? shifts : shifts.part(0, 0), scratch);
  if (thread_x() > 0) return;
  status[0] = shift;
  status[1] = static_cast<double>(counters[Counter::changed]);
  status[2] = static_cast<double>(counters[Counter::empty]);
}

EAT_GLOBAL void move_rows(Span<const float> points, Span<const Move> moves, index_t d, Span<double> sums) {
  const index_t j = thread_of_grid();
  if (j >= d) return;
  for (index_t m = 0; m < moves.size; m++) {
    const Move move = moves[m];
    const double x = points[move.row * d + j];
    sums[move.from * d + j] = sums[move.from * d + j] - x;
    sums[move.to * d + j] = x;
  }
}

void count_changes(Stream& stream, Span<const int> labels, Span<int> previous, Span<unsigned long long> counters) {
  launch(count_changed_labels, blocks_for(labels.size), kThreads, 0, stream, labels, previous, counters);
}

void count_empty(Stream& stream, Span<const double> counts, Span<unsigned long long> counters) {
  launch(count_empty_clusters, blocks_for(counts.size), kThreads, 0, stream, counts, counters);
}

void own_distances(Stream& stream, Span<const float> points, Span<const float> centroids, Span<const int> labels, index_t d,
                   Span<double> out) {
  const int lanes = lanes_per_row(d);
  launch(measure_own_distances, grid_of_rows(labels.size, lanes), kThreads, 0, stream, points, centroids, labels, d, lanes, out);
}

void move_centroids(Stream& stream, Span<const double> sums, Span<const double> counts, Span<const unsigned long long> counters,
                    index_t d, Span<float> centroids, Span<double> shifts) {
  const Grid clusters{static_cast<unsigned>(counts.size), 1, 1};
  launch(move_cluster, clusters, kThreads, 0, stream, sums, counts, counters, d, centroids, shifts);
}

void sum_in_order(Stream& stream, Span<const double> values, Span<double> out) {
  launch(sum_values, Grid{1, 1, 1}, kThreads, 0, stream, values, out);
}

void summarise(Stream& stream, Span<const double> shifts, Span<const unsigned long long> counters, Span<double> status) {
  launch(write_status, Grid{1, 1, 1}, kThreads, 0, stream, shifts, counters, status);
}

void apply_moves(Stream& stream, Span<const float> points, Span<const Move> moves, index_t d, Span<double> sums) {
  launch(move_rows, blocks_for(d), kThreads, 0, stream, points, moves, d, sums);
}

}  // namespace eat::cuda
