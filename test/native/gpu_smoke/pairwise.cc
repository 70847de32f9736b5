#include <algorithm>

#include "harness.h"

namespace gpu_smoke {
namespace {

constexpr Metric kMetrics[] = {Metric::sqeuclidean, Metric::euclidean, Metric::cosine, Metric::dot};
constexpr const char* kNames[] = {"sqeuclidean", "euclidean", "cosine", "dot"};

// By how much `value` is off what the metric is in double: a product by the lengths it is of, a cosine distance from 1e-3 on.
double metric_off(double value, Metric metric, const float* x, const float* y, index_t d) {
  const double squared = squared_distance(x, y, d);
  if (metric == Metric::sqeuclidean) return share_off(value, squared);
  if (metric == Metric::euclidean) return share_off(value, std::sqrt(squared));
  const Products p = products(x, y, d);
  const double lengths = std::sqrt(p.x * p.y);
  if (metric == Metric::dot) return share_off(value, p.dot, lengths);
  return share_off(value, lengths > 0 ? 1 - p.dot / lengths : 1, 1e-3);
}

void check_metric(const Shape& s, const Floats& a, const Floats& b, Metric metric) {
  Floats out(s.n * s.m, NAN);
  kernels().pairwise_distance(Run{}, {{a.data(), 1, s.n, s.d}, {b.data(), 1, s.m, s.d}, metric, out.data()});
  const index_t rows = std::min<index_t>(s.n, 300);
  std::vector<double> worst(static_cast<size_t>(rows));
  in_parallel(rows, [&](index_t place) {
    const index_t i = place * (s.n / rows);
    for (index_t j = 0; j < s.m; j++) {
      worst[place] = std::max(worst[place], metric_off(out[i * s.m + j], metric, &a[i * s.d], &b[j * s.d], s.d));
    }
  });
  const std::string what = "pairwise " + text(s) + " " + kNames[static_cast<int>(metric)];
  const double most = *std::max_element(worst.begin(), worst.end());
  say("%s: off by %.2e", what.c_str(), most);
  require(most < 1e-5, what);
}

}  // namespace

void check_pairwise(Size size) {
  for (Shape s : shapes(size)) {
    s.n = std::min<index_t>(s.n, 5000);
    const Floats a = values(s.n * s.d, 1), b = values(s.m * s.d, 2);
    for (const Metric metric : kMetrics) check_metric(s, a, b, metric);
  }
}

}  // namespace gpu_smoke
