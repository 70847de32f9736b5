#include <algorithm>

#include "harness.h"

namespace gpu_smoke {
namespace {

void check_label_means(const Shape& s) {
  const auto [n, k, d] = s;
  const Floats points = values(n * d, 7);
  Ints labels(n);
  for (index_t i = 0; i < n; i++) labels[i] = static_cast<int>(i * 7919 % k);
  std::vector<double> sums(k * d, NAN), again(k * d, NAN), counts(k, NAN), expected(k * d);
  Floats means(k * d, NAN);
  for (std::vector<double>* out : {&sums, &again}) {
    kernels().centroid_means(Run{}, {{points.data(), 1, n, d}, labels.data(), nullptr, k, out->data(), counts.data(), means.data()});
  }
  for (index_t i = 0; i < n; i++) {
    for (index_t j = 0; j < d; j++) expected[labels[i] * d + j] += points[i * d + j];
  }
  double worst = 0, worst_mean = 0;
  for (index_t e = 0; e < k * d; e++) {
    worst = std::max(worst, share_off(sums[e], expected[e], 1));
    worst_mean = std::max(worst_mean, share_off(means[e], counts[e / d] > 0 ? expected[e] / counts[e / d] : 0, 1e-2));
  }
  say("means %s: sums off by %.2e, means by %.2e", text(s).c_str(), worst, worst_mean);
  require(worst < 1e-10 && worst_mean < 1e-5, "means " + text(s));
  require(same_bits(sums, again), "means: the same bits twice, " + text(s));
}

struct Clusters {
  Floats centroids;
  Ints labels, counts;
  double inertia = 0;
  std::int32_t iterations = 0;
  std::uint8_t converged = 0;
};

// From the first k rows on.
Clusters cluster(const float* points, const Floats& start, const Shape& s, std::function<void(const KMeansProgress&)> watch = {}) {
  const auto [n, k, d] = s;
  Clusters c{Floats(start.begin(), start.begin() + k * d), Ints(n, -7), Ints(k, -7)};
  KMeans p;
  p.points = {points, 1, n, d};
  p.k = k, p.max_iterations = 20;
  p.centroids = c.centroids.data(), p.labels = c.labels.data(), p.counts = c.counts.data();
  p.inertia = &c.inertia, p.iterations = &c.iterations, p.converged = &c.converged, p.on_iteration = std::move(watch);
  kernels().kmeans(Run{}, p);
  return c;
}

bool same(const Clusters& a, const Clusters& b) { return same_bits(a.labels, b.labels) && same_bits(a.centroids, b.centroids); }

// Labels are those of the returned centroids, counts and inertia those of the labels.
void check_result(const Clusters& c, const Floats& points, const Shape& s) {
  const auto [n, k, d] = s;
  int wrong = 0;
  for (index_t i = 0; i < std::min<index_t>(n, 2000); i++) {
    double best = INFINITY;
    for (index_t j = 0; j < k; j++) best = std::min(best, squared_distance(&points[i * d], &c.centroids[j * d], d));
    wrong += squared_distance(&points[i * d], &c.centroids[c.labels[i] * d], d) > best;
  }
  Ints counts(k);
  double inertia = 0;
  for (index_t i = 0; i < n; i++) {
    counts[c.labels[i]]++;
    inertia += squared_distance(&points[i * d], &c.centroids[c.labels[i] * d], d);
  }
  say("kmeans %s: %d iterations, inertia %.6g, off by %.1e; %d labels not of the nearest centroid", text(s).c_str(), c.iterations, c.inertia,
      share_off(c.inertia, inertia), wrong);
  require(wrong == 0 && counts == c.counts && share_off(c.inertia, inertia) < 1e-9, "kmeans " + text(s));
}

// k-means++ gives distinct rows, the same twice.
void check_start(const Floats& points, const Shape& s) {
  const auto [n, k, d] = s;
  std::vector<double> uniforms(k * 3);
  for (size_t i = 0; i < uniforms.size(); i++) uniforms[i] = std::fmod(0.37 + 0.61803398875 * static_cast<double>(i), 1.0);
  Ints one(k, -7), two(k, -7);
  for (Ints* chosen : {&one, &two}) {
    KMeansPlusPlus p;
    p.points = {points.data(), 1, n, d};
    p.k = k, p.trials = 3, p.block = 1, p.uniforms = uniforms.data(), p.chosen = chosen->data();
    kernels().kmeans_plus_plus(Run{}, p);
  }
  require(same_bits(one, two), "kmeans++: the same rows twice");
  std::sort(one.begin(), one.end());
  const bool distinct = std::adjacent_find(one.begin(), one.end()) == one.end();
  require(one[0] >= 0 && one.back() < n && distinct, "kmeans++: distinct rows");
}

}  // namespace

void check_means(Size size) {
  for (const Shape& s : shapes(size)) check_label_means(s);
}

// Watched, twice unwatched, and from the device's matrix: the same bits. A GPU does all but the first iteration as a graph.
void check_kmeans(Size size) {
  constexpr Shape kOf[] = {{200, 11, 19}, {3000, 11, 19}, {3000, 130, 400}, {100000, 100, 64}};
  const Shape s = kOf[static_cast<int>(size)];
  const Floats points = values(s.n * s.d, 8);
  const unsigned long long launches = cuda::graph_use().launches;
  double last = INFINITY;
  int rises = 0;
  const Clusters watched = cluster(points.data(), points, s, [&](const KMeansProgress& at) {
    rises += at.inertia > last * (1 + 1e-6);
    last = at.inertia;
  });
  const Clusters one = cluster(points.data(), points, s), two = cluster(points.data(), points, s);
  const auto there = on_device(points, s.n, s.d);
  require(rises == 0, "kmeans: the inertia rises");
  require(same(watched, one) && same(one, two) && same(one, cluster(there->view.data, points, s)), "kmeans: the same bits watched, twice, and from the device's matrix");
  check_result(one, points, s);
  check_start(points, s);
  if (cuda::emulated()) return;
  const cuda::GraphUse use = cuda::graph_use();
  say("kmeans: %llu launches of graphs, %llu bytes still reserved for them", use.launches - launches, use.reserved);
  require(use.launches > launches, "kmeans: iterations are launched as a graph");
  require(use.reserved == 0, "kmeans: the memory that graphs reserved is given back");
}

}  // namespace gpu_smoke
