// The CUDA kernels as a table like those of the instruction sets; what has no kernel here stays null and is not exported.
#include "../../contracts/kernel_table.h"
#include "device_matrix.h"

namespace eat {
namespace cuda {

void attack_step(const Run&, const AttackStep&);
void centroid_means(const Run&, const CentroidMeans&);
void kmeans(const Run&, const KMeans&);
void kmeans_plus_plus(const Run&, const KMeansPlusPlus&);
void nearest_centroid(const Run&, const NearestCentroid&);
void nearest_neighbors(const Run&, const NearestNeighbors&);
void pairwise_distance(const Run&, const PairwiseDistance&);
void project_perturbation(const Run&, const ProjectPerturbation&);

}  // namespace cuda

namespace {

KernelTable make_table() {
  static const std::string device = cuda::device_description();
  KernelTable table{};
  table.isa = device.c_str();
  table.attack_step = cuda::attack_step;
  table.centroid_means = cuda::centroid_means;
  table.kmeans = cuda::kmeans;
  table.kmeans_plus_plus = cuda::kmeans_plus_plus;
  table.nearest_centroid = cuda::nearest_centroid;
  table.nearest_neighbors = cuda::nearest_neighbors;
  table.pairwise_distance = cuda::pairwise_distance;
  table.project_perturbation = cuda::project_perturbation;
  return table;
}

}  // namespace

// Throws where there is no device: the addon then does not load, and the message says why.
const KernelTable& kernels() {
  static const KernelTable table = make_table();
  return table;
}

}  // namespace eat
