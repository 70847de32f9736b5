// nearestCentroid: per row the label of the nearest centroid, its squared distance and the second-best squared distance.
// Lowest index wins ties. With one centroid the second distance is +Inf. n x k is never materialised.
// Labels are those of float64 arithmetic: rows whose two best are closer than the rounding bound are decided in double.
#pragma once

#include "../common.h"

namespace eat {

struct NearestCentroid {
  MatrixView points, centroids;     // [B,n,d], [B,k,d]
  std::int32_t* labels = nullptr;   // [B,n]
  float* distances = nullptr;       // [B,n]; may be null
  float* second_distances = nullptr;  // [B,n]; may be null
};

}  // namespace eat
