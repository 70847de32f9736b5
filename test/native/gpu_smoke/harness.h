// What the checks of the device's kernels share: values, shapes, plain loops in double, and what was found.
#pragma once

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "../../../native/contracts/attack/attack_step.h"
#include "../../../native/contracts/attack/project_perturbation.h"
#include "../../../native/contracts/clustering/centroid_means.h"
#include "../../../native/contracts/clustering/kmeans.h"
#include "../../../native/contracts/distance/nearest_centroid.h"
#include "../../../native/contracts/distance/nearest_neighbors.h"
#include "../../../native/contracts/distance/pairwise_distance.h"
#include "../../../native/contracts/kernel_table.h"
#include "../../../native/cuda/host/device_matrix.h"

namespace gpu_smoke {

using namespace eat;
using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

// Shapes with at most a few values, around the tiles, of several tiles with more than three slices each, and as in use. `tiles` and
// below is small enough for the naive variant; `tiny` for the emulator and the sanitizers.
enum class Size { tiny, small, tiles, large };
struct Shape {
  index_t n, m, d;
};
const std::vector<Shape>& shapes(Size size);
std::string text(const Shape& shape);

// Values in [low, high), the same for the same seed and place.
Floats values(index_t size, unsigned seed, float low = -1, float high = 1);

// body(0) .. body(n - 1), on all processors.
void in_parallel(index_t n, const std::function<void(index_t)>& body);

// Counts a check, and prints what failed.
void require(bool fine, const std::string& what);
// A line that says how well something went.
void say(const char* format, ...) __attribute__((format(printf, 1, 2)));
int checks_done();
int checks_failed();

// EAT_DML_CUDA_VARIANT as it stands, "" where the kernels choose.
std::string forced_variant();

double squared_distance(const float* x, const float* y, index_t d);
struct Products {
  double dot = 0, x = 0, y = 0;  // x.y, |x|^2, |y|^2
};
Products products(const float* x, const float* y, index_t d);

// |a - b| as a share of |b|, or of `floor` where that is more; Inf where `a` is no number.
inline double share_off(double a, double b, double floor = 1e-20) {
  return std::isfinite(a) ? std::fabs(a - b) / std::max(std::fabs(b), floor) : INFINITY;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// A matrix on the device, for as long as the handle lives.
inline std::shared_ptr<cuda::DeviceMatrix> on_device(const Floats& data, index_t rows, index_t cols) {
  return cuda::upload_matrix(Run{}, {data.data(), 1, rows, cols});
}

void check_nearest(Size size);
void check_pairwise(Size size);
void check_neighbors(Size size);
void check_means(Size size);
void check_kmeans(Size size);
void check_attack(Size size);
void check_bound(Size size);

// A line of JSON for each kernel at real sizes whose name holds `filter`; `tiny` for the emulator.
void bench(const std::string& filter, bool tiny);

}  // namespace gpu_smoke
