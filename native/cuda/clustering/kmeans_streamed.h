// k-means of points that do not fit the device: it assigns and sums them tile by tile in every iteration, by the kernels
// nearest_centroid and centroid_means, and the rest is done on the host. The labels are the same.
#pragma once

#include "../../contracts/clustering/kmeans.h"

namespace eat::cuda {

void streamed_kmeans(const Run& run, const KMeans& p, index_t problem);

}  // namespace eat::cuda
