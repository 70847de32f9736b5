// pairwiseDistance: out[b,i,j] = metric(a[b,i,:], b[b,j,:]).
// sqeuclidean |x-y|^2; euclidean |x-y|; cosine 1 - x.y/(|x||y|), a zero row counting as orthogonal to all; dot x.y.
// The first three are >= 0, and 1e-5 relative against float64 also where the expanded form cancels.
#pragma once

#include "../common.h"

namespace eat {

struct PairwiseDistance {
  MatrixView a, b;  // [B,n,d], [B,m,d]
  Metric metric = Metric::sqeuclidean;
  float* out = nullptr;  // [B,n,m]
};

}  // namespace eat
