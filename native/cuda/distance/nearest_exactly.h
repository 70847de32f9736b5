// The rows of nearestCentroid that float could not decide, or whose distances it could not give, in double. A row of which the
// labels are open takes a block, as it is compared with all centroids; of others two distances are missing, which takes a warp.
#pragma once

#include "../device/plain_tiles.h"
#include "distance_rows.h"

namespace eat::cuda {

struct CentroidArguments {
  Operands rows;  // a: points, b: centroids
  Span<const double> norms, centroid_norms;
  Span<const unsigned long long> extremes;  // of the centroids
  bool direct;          // the engine's results are squared differences
  double share;         // rounding_share
  double direct_share;  // cancellation_share
  Span<std::int32_t> labels, second_labels;
  Span<float> distances, seconds;  // empty where not wanted
  Span<index_t> list;              // [rows], in any order: from the front rows whose labels are open, from the end those of which
                                   // only distances are missing
  Span<unsigned> listed;           // [2]: how many of each
};

struct ExactTwo {
  double best = INFINITY, second = INFINITY;
  int label = 0;

  // In any order of columns.
  EAT_DEVICE void see(double value, int column) {
    if (value < best || (value == best && column < label)) {
      second = best;
      best = value;
      label = column;
    } else if (value < second) {
      second = value;
    }
  }
};

// By a warp: about |x - c|^2 of centroids `first` to `first` + 31, of lane's own in each lane. Four at a time, so that their loads and
// sums overlap.
EAT_DEVICE double near_by_warp(const Operands& o, Span<const float> x, index_t first) {
  constexpr int together = 4;
  double near = INFINITY;
  for (int c = 0; c < kWarp && first + c < o.columns; c += together) {
    double sum[together] = {};
    for (index_t k = lane(); k < o.depth; k += kWarp) {
#pragma unroll
      for (int e = 0; e < together; e++) {
        const index_t column = first + c + e < o.columns ? first + c + e : o.columns - 1;
        const double t = static_cast<double>(x[k]) - o.b[column * o.depth + k];
        sum[e] += t * t;
      }
    }
#pragma unroll
    for (int e = 0; e < together; e++) {
      const double value = sum_of_warp(sum[e]);
      if (lane() == c + e && first + c + e < o.columns) near = value;
    }
  }
  return near;
}

// By a block, its warps taking turns: the answer of the JavaScript reference, bit for bit, in each thread. A warp's sums differ from
// those in order by a few roundings, so only the centroids that may be among the best two are summed in order, up to 32 at once, one
// per lane.
EAT_DEVICE ExactTwo nearest_by_block(const Operands& o, Span<const float> x, Shared<double> values, Shared<int> labels) {
  constexpr int warps = kThreads / kWarp;
  const double slack = 1 + static_cast<double>(o.depth + 16) * 0x1p-50;
  ExactTwo own;
  for (index_t first = warp() * kWarp; first < o.columns; first += kThreads) {
    const bool open = near_by_warp(o, x, first) <= own.second * slack && first + lane() < o.columns;
    if (!any(open)) continue;
    const double exact = open ? squared_difference_in_order(x, o.b.part((first + lane()) * o.depth, o.depth), o.depth) : INFINITY;
    for (int c = 0; c < kWarp; c++) own.see(shuffle(exact, c), static_cast<int>(first) + c);
  }
  if (lane() == 0) {
    values[2 * warp()] = own.best;
    values[2 * warp() + 1] = own.second;
    labels[warp()] = own.label;
  }
  sync_block();
  ExactTwo two;
  for (int w = 0; w < warps; w++) {
    two.see(values[2 * w], labels[w]);
    two.see(values[2 * w + 1], INT32_MAX);
  }
  sync_block();  // the next row's go to the same place
  return two;
}

EAT_DEVICE void settle(const CentroidArguments& p, index_t row, const ExactTwo& two) {
  p.labels[row] = two.label;
  if (p.distances.size > 0) p.distances[row] = static_cast<float>(two.best);
  if (p.seconds.size > 0) p.seconds[row] = static_cast<float>(two.second);
}

// By a warp: the distances to the centroids that are known to be the nearest two.
EAT_DEVICE ExactTwo distances_by_warp(const CentroidArguments& p, index_t row) {
  const Operands& o = p.rows;
  const Span<const float> x = o.a.part(row * o.depth, o.depth);
  ExactTwo two;
  two.label = p.labels[row];
  two.best = squared_difference_by_warp(x, o.b.part(two.label * o.depth, o.depth), o.depth);
  if (o.columns > 1) two.second = squared_difference_by_warp(x, o.b.part(p.second_labels[row] * o.depth, o.depth), o.depth);
  return two;
}

}  // namespace eat::cuda
