// Which points of a row may be among its k nearest: every key lies within `bound` of what it stands for, so these are the points
// whose key is at most the k-th smallest plus twice that.
#pragma once

#include "../device/plain_tiles.h"
#include "distance_rows.h"

namespace eat::cuda {

struct NeighborArguments {
  Operands rows;  // a: queries, b: points
  Span<const double> query_norms, point_norms;
  Span<const float> inverse_norms;  // of the points
  Span<const unsigned long long> extremes;  // of the points
  index_t k;
  Metric metric;
  double share;        // rounding_share
  index_t first_query;  // the number of query 0 among all of its matrix
  bool exclude_self;
  Span<float> keys;  // [rows, columns]
  Span<std::int32_t> indices;
  Span<float> distances;  // [rows, k]
};

// Keys rank the points of one query: |y|^2 - 2 x.y, -x.y/|y| or -x.y.
EAT_DEVICE float key_of(Metric metric, float product, float factor) {
  if (metric == Metric::dot) return -product;
  return metric == Metric::cosine ? -product * factor : std::fma(-2.0f, product, factor);
}

EAT_DEVICE float key_factor(const NeighborArguments& p, index_t j) {
  return p.metric == Metric::cosine ? p.inverse_norms[j] : static_cast<float>(p.point_norms[j]);
}

// The largest error of a key of query i; Inf where float's range does not do, which makes every point a candidate.
EAT_DEVICE double key_bound(const NeighborArguments& p, index_t i) {
  const double norm = p.query_norms[i], largest = largest_norm(p.extremes);
  if (!usable_norm(norm) || p.extremes[Extremes::unusable] != 0) return INFINITY;
  if (p.metric == Metric::cosine) return 4 * p.share * std::sqrt(norm);
  return p.share * (p.metric == Metric::dot ? std::sqrt(norm * largest) : norm + largest);
}

// By one thread, in double, as the JavaScript reference does it: what points are ranked by.
EAT_DEVICE double rank_of(const NeighborArguments& p, index_t i, index_t j) {
  const index_t depth = p.rows.depth;
  const Span<const float> x = p.rows.a.part(i * depth, depth), y = p.rows.b.part(j * depth, depth);
  if (p.metric == Metric::dot) return -product_in_order(x, y, depth);
  if (p.metric != Metric::cosine) return squared_difference_in_order(x, y, depth);
  const double nx = squared_norm_in_order(x, depth), ny = squared_norm_in_order(y, depth);
  if (nx == 0 || ny == 0) return 1;
  return squared_difference_in_order(x, y, depth, 1 / std::sqrt(nx), 1 / std::sqrt(ny)) / 2;
}

// Unsigned numbers in the order of the floats; NaN above all.
EAT_DEVICE unsigned ordered(float v) {
  const unsigned bits = float_bits(v);
  if (!(v == v)) return 0xffffffffu;
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
EAT_DEVICE float from_ordered(unsigned o) { return bits_float(o & 0x80000000u ? o & 0x7fffffffu : ~o); }

}  // namespace eat::cuda
