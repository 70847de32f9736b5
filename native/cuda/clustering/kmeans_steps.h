// What one iteration of k-means does on the device besides assigning and summing.
#pragma once

#include "../host/device_buffer.h"
#include "kmeans_moves.h"

namespace eat::cuda {

// Places of the counters of an iteration.
struct Counter {
  static constexpr int changed = 0, empty = 1, size = 2;
};
// What the host reads after an iteration.
struct Status3 {
  double shift = 0, changed = 0, empty = 0;
};

// Counts the labels that differ from `previous`, and keeps them there.
void count_changes(Stream&, Span<const int> labels, Span<int> previous, Span<unsigned long long> counters);
// Counts the clusters without rows.
void count_empty(Stream&, Span<const double> counts, Span<unsigned long long> counters);
// Squared distance of each row to the centroid of its label, in double.
void own_distances(Stream&, Span<const float> points, Span<const float> centroids, Span<const int> labels, index_t d, Span<double> out);
// New centroids, and by how much each moved, squared; nothing where the counters tell of an empty cluster. A cluster whose count is
// 0 then stays where it is.
void move_centroids(Stream&, Span<const double> sums, Span<const double> counts, Span<const unsigned long long> counters, index_t d,
                    Span<float> centroids, Span<double> shifts);
// out[0] = the sum of the values, in an order that their number alone decides.
void sum_in_order(Stream&, Span<const double> values, Span<double> out);
// Shift, changed and empty, for the host.
void summarise(Stream&, Span<const double> shifts, Span<const unsigned long long> counters, Span<double> status);
// sums[from] -= row, sums[to] = row, one after the other.
void apply_moves(Stream&, Span<const float> points, Span<const Move> moves, index_t d, Span<double> sums);

}  // namespace eat::cuda
