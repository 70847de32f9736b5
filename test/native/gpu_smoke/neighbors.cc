#include <algorithm>
#include <atomic>
#include <utility>

#include "harness.h"

namespace gpu_smoke {
namespace {

// The k nearest points of one query by double loops, nearest first, the lowest index first at a tie.
std::vector<std::pair<double, int>> nearest_points(const float* query, const Floats& points, const Shape& s, index_t k, index_t without) {
  std::vector<std::pair<double, int>> all;
  for (index_t j = 0; j < s.m; j++) {
    if (j != without) all.push_back({squared_distance(query, &points[j * s.d], s.d), static_cast<int>(j)});
  }
  std::partial_sort(all.begin(), all.begin() + k, all.end());
  all.resize(static_cast<size_t>(k));
  return all;
}

// `among` queries and points are the same rows, and none is its own neighbour.
void check_search(const Shape& s, const Floats& queries, const Floats& points, bool among) {
  const index_t k = std::min<index_t>(s.m - (among ? 1 : 0), 5);
  if (k < 1) return;
  Ints indices(s.n * k, -7);
  Floats distances(s.n * k, NAN);
  kernels().nearest_neighbors(Run{}, {{queries.data(), 1, s.n, s.d}, {points.data(), 1, s.m, s.d}, k, Metric::sqeuclidean, among, indices.data(), distances.data()});
  std::atomic<int> wrong{0};
  const index_t rows = std::min<index_t>(s.n, 300);
  in_parallel(rows, [&](index_t place) {
    const index_t i = place * (s.n / rows);
    const auto expected = nearest_points(&queries[i * s.d], points, s, k, among ? i : -1);
    for (index_t c = 0; c < k; c++) {
      if (indices[i * k + c] != expected[c].second || share_off(distances[i * k + c], expected[c].first) > 1e-6) wrong++;
    }
  });
  const std::string what = "neighbors " + text(s) + " k" + std::to_string(k) + (among ? " among themselves" : "");
  say("%s: %d wrong", what.c_str(), wrong.load());
  require(wrong == 0, what);
}

}  // namespace

void check_neighbors(Size size) {
  for (Shape s : shapes(size)) {
    s.n = std::min<index_t>(s.n, 3000);
    const Floats queries = values(s.n * s.d, 5);
    check_search(s, queries, values(s.m * s.d, 6), false);
    check_search({s.n, s.n, s.d}, queries, queries, true);
  }
}

}  // namespace gpu_smoke
