#include <algorithm>
#include <atomic>

#include "harness.h"

namespace gpu_smoke {
namespace {

struct Nearest {
  Ints labels;
  Floats best, second;
};

Nearest assign(const float* points, index_t n, const Floats& centroids, index_t k, index_t d) {
  Nearest r{Ints(n, -7), Floats(n, NAN), Floats(n, NAN)};
  kernels().nearest_centroid(Run{}, {{points, 1, n, d}, {centroids.data(), 1, k, d}, r.labels.data(), r.best.data(), r.second.data()});
  return r;
}

bool same(const Nearest& a, const Nearest& b) {
  return same_bits(a.labels, b.labels) && same_bits(a.best, b.best) && same_bits(a.second, b.second);
}

Nearest slice(const Nearest& r, index_t from) {
  return {Ints(r.labels.begin() + from, r.labels.end()), Floats(r.best.begin() + from, r.best.end()), Floats(r.second.begin() + from, r.second.end())};
}

// The same bits twice, for some of the rows alone, and for rows that are on the device already.
void check_bits(const Nearest& r, const Floats& points, const Floats& centroids, const Shape& s) {
  require(same(r, assign(points.data(), s.n, centroids, s.m, s.d)), "nearest: the same bits twice, " + text(s));
  const index_t part = std::min<index_t>(s.n, 37), from = s.n - part;
  require(same(slice(r, from), assign(&points[from * s.d], part, centroids, s.m, s.d)), "nearest: the same bits in a slice, " + text(s));
  const auto there = on_device(points, s.n, s.d);
  require(same(r, assign(there->view.data, s.n, centroids, s.m, s.d)), "nearest: the same bits from the device's matrix, " + text(s));
}

// Labels and distances of up to `sample` rows against double loops.
void check_values(const Nearest& r, const Floats& points, const Floats& centroids, const Shape& s, index_t sample) {
  sample = std::min(sample, s.n);
  std::atomic<int> wrong{0};
  std::vector<double> worst(static_cast<size_t>(sample));
  in_parallel(sample, [&](index_t place) {
    const index_t i = place * (s.n / sample);
    double best = INFINITY, second = INFINITY;
    int label = 0;
    for (index_t j = 0; j < s.m; j++) {
      const double value = squared_distance(&points[i * s.d], &centroids[j * s.d], s.d);
      if (value < best) {
        second = best, best = value, label = static_cast<int>(j);
      } else if (value < second) {
        second = value;
      }
    }
    if (r.labels[i] != label) wrong++;
    worst[place] = std::max(share_off(r.best[i], best), s.m > 1 ? share_off(r.second[i], second) : 0);
  });
  const double most = *std::max_element(worst.begin(), worst.end());
  say("nearest %s: %d of %lld labels wrong, distances off by %.2e", text(s).c_str(), wrong.load(), static_cast<long long>(sample), most);
  require(wrong == 0 && most < 1e-5, "nearest " + text(s));
}

}  // namespace

void check_nearest(Size size) {
  for (const Shape& s : shapes(size)) {
    const Floats points = values(s.n * s.d, 3), centroids = values(s.m * s.d, 4);
    const Nearest r = assign(points.data(), s.n, centroids, s.m, s.d);
    check_bits(r, points, centroids, s);
    check_values(r, points, centroids, s, 2048);
  }
}

}  // namespace gpu_smoke
