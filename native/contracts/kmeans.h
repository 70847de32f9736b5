// kmeans: Lloyd's iteration from given centroids (batched), as scikit-learn counts it: an iteration assigns, then updates;
// it stops where no label changes (strict), or where the squared centroid shift is <= tolerance; otherwise after max_iterations.
// Labels are those of the returned centroids. An empty cluster takes the point farthest from its centroid, farthest first.
#pragma once

#include <functional>

#include "common.h"

namespace eat {

struct KMeansProgress {
  index_t batch, iteration, changed;
  double inertia;  // of the assignment, before the update
};

struct KMeans {
  MatrixView points;        // [B,n,d]
  index_t k = 1;
  index_t max_iterations = 300;
  double tolerance = 0;     // on the summed squared shift of the centroids
  float* centroids = nullptr;        // [B,k,d], start in, result out
  std::int32_t* labels = nullptr;    // [B,n]
  std::int32_t* counts = nullptr;    // [B,k]
  double* inertia = nullptr;         // [B]
  std::int32_t* iterations = nullptr;  // [B]
  std::uint8_t* converged = nullptr;   // [B]
  bool pruning = true;  // skip centroids that a lower bound rules out; the result is the same
  std::function<void(const KMeansProgress&)> on_iteration;
};

// The start of k-means. With block 1, greedy k-means++: `uniforms` holds k * trials numbers in [0,1); entry 0 draws the first
// centroid (floor(u * n)), and for centroid c >= 1 each of the entries c * trials .. draws a candidate by D^2 sampling; the
// one that lowers the potential most stays, the first at a tie. With block > 1, k-means||: that many centroids are drawn by D^2
// sampling per round, entry c for centroid c, and all stay. `chosen` [k] are row indices.
struct KMeansPlusPlus {
  MatrixView points;  // [1,n,d]
  index_t k = 1, trials = 1, block = 1;
  const double* uniforms = nullptr;  // [k * trials]
  std::int32_t* chosen = nullptr;
};

}  // namespace eat
