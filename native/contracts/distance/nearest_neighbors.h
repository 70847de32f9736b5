// nearestNeighbors: per query the k nearest points by (distance, index), nearest first. Exact: candidates are ranked in double.
// With exclude_self, query i never gets point i (queries and points are then the same set, row for row).
#pragma once

#include "../common.h"

namespace eat {

struct NearestNeighbors {
  MatrixView queries, points;  // [B,q,d], [B,n,d]
  index_t k = 1;
  Metric metric = Metric::sqeuclidean;  // for dot, the largest product is the nearest
  bool exclude_self = false;
  std::int32_t* indices = nullptr;  // [B,q,k]
  float* distances = nullptr;       // [B,q,k]
};

}  // namespace eat
