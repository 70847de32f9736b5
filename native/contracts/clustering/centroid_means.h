// centroidMeans: per label the weighted sum, total weight and mean of its rows; sums in double, rows in index order.
// A label without rows has sum 0, count 0, mean 0.
#pragma once

#include "../common.h"

namespace eat {

struct CentroidMeans {
  MatrixView points;                     // [B,n,d]
  const std::int32_t* labels = nullptr;  // [B,n], each in [0,k)
  const float* weights = nullptr;        // [B,n], >= 0; null means 1
  index_t k = 1;
  double* sums = nullptr;    // [B,k,d]; may be null
  double* counts = nullptr;  // [B,k]
  float* means = nullptr;    // [B,k,d]
};

}  // namespace eat
