// The rows of nearestCentroid that float could not decide, or whose distances it could not give: one warp per row, in double.
#pragma once

#include "distance_rows.h"
#include "plain_tiles.h"

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
  Span<index_t> list;              // rows to settle, in any order: 2 row + (whether the labels are open, too)
  Span<unsigned> listed;           // [1]
};

struct ExactTwo {
  double best = INFINITY, second = INFINITY;
  int label = 0;

  EAT_DEVICE void see(double value, int column) {
    if (value < best) {
      second = best;
      best = value;
      label = column;
    } else if (value < second) {
      second = value;
    }
  }
};

// The answer of the JavaScript reference, bit for bit. The warp's sums differ from those in order by a few roundings, so only the
// centroids that may be among the best two are summed in order, up to 32 at once, one per lane.
EAT_DEVICE ExactTwo nearest_by_warp(const Operands& o, Span<const float> x) {
  const double slack = 1 + static_cast<double>(o.depth + 16) * 0x1p-50;
  ExactTwo two;
  for (index_t first = 0; first < o.columns; first += kWarp) {
    double near = INFINITY;
    for (int c = 0; c < kWarp && first + c < o.columns; c++) {
      const double value = squared_difference_by_warp(x, o.b.part((first + c) * o.depth, o.depth), o.depth);
      if (lane() == c) near = value;
    }
    const bool open = first + lane() < o.columns && near <= two.second * slack;
    if (!any(open)) continue;
    const double exact = open ? squared_difference_in_order(x, o.b.part((first + lane()) * o.depth, o.depth), o.depth) : INFINITY;
    for (int c = 0; c < kWarp; c++) two.see(shuffle(exact, c), static_cast<int>(first) + c);
  }
  return two;
}

EAT_DEVICE void settle_row(const CentroidArguments& p, index_t row, bool open) {
  const Operands& o = p.rows;
  const Span<const float> x = o.a.part(row * o.depth, o.depth);
  ExactTwo two;
  if (open) {
    two = nearest_by_warp(o, x);
  } else {
    two.label = p.labels[row];
    two.best = squared_difference_by_warp(x, o.b.part(two.label * o.depth, o.depth), o.depth);
    if (o.columns > 1) two.second = squared_difference_by_warp(x, o.b.part(p.second_labels[row] * o.depth, o.depth), o.depth);
  }
  if (lane() != 0) return;
  p.labels[row] = two.label;
  if (p.distances.size > 0) p.distances[row] = static_cast<float>(two.best);
  if (p.seconds.size > 0) p.seconds[row] = static_cast<float>(two.second);
}

}  // namespace eat::cuda
