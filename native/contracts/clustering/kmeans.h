// kmeans: Lloyd's iteration from given centroids (batched), as scikit-learn counts it: an iteration assigns, then updates;
// it stops where no label changes (strict), or where the squared centroid shift is <= tolerance; otherwise after max_iterations.
// Labels are those of the returned centroids. An empty cluster takes the point farthest from its centroid, farthest first.
#pragma once

#include <functional>

#include "../common.h"

namespace eat {

// Each matrix may have several starts; every start of every matrix is a problem of its own, with its own result. P = B * starts,
// the starts of a matrix next to each other.
struct KMeansProgress {
  index_t problem, iteration, changed;
  double inertia;  // of the assignment, before the update
};

struct KMeans {
  MatrixView points;        // [B,n,d]
  index_t k = 1, starts = 1;
  index_t max_iterations = 300;
  double tolerance = 0;     // on the summed squared shift of the centroids
  float* centroids = nullptr;        // [P,k,d], start in, result out
  std::int32_t* labels = nullptr;    // [P,n]
  std::int32_t* counts = nullptr;    // [P,k]
  double* inertia = nullptr;         // [P]
  std::int32_t* iterations = nullptr;  // [P]
  std::uint8_t* converged = nullptr;   // [P]
  bool pruning = true;  // skip centroids that a lower bound rules out; the result is the same
  std::function<void(const KMeansProgress&)> on_iteration;  // called on the thread that called the kernel
};

// The start of k-means. With block 1, greedy k-means++: `uniforms` holds k * trials numbers in [0,1); entry 0 draws the first
// centroid (floor(u * n)), and for centroid c >= 1 each of the entries c * trials .. (32 at most) draws a candidate by D^2 sampling; the
// one that lowers the potential most stays, the first at a tie. With block > 1, k-means||: that many centroids are drawn by D^2
// sampling per round, entry c for centroid c, and all stay. `chosen` [k] are row indices.
// All of it is in double and in one order, so that every device draws the same rows. A squared distance: eight sums, of every eighth
// dimension each, then their tree (the upper half is added to the lower one until one is left); products are rounded before they
// are added. A sum over rows: in chunks of 1024 rows, each of 256 sums of every 256th row and their tree; then the chunks in order.
// A draw takes chunks from u * potential while it is not less than they are, then rows of the chunk likewise, but never the last.
struct KMeansPlusPlus {
  MatrixView points;  // [1,n,d]
  index_t k = 1, trials = 1, block = 1;
  const double* uniforms = nullptr;  // [k * trials]
  std::int32_t* chosen = nullptr;
};

}  // namespace eat
