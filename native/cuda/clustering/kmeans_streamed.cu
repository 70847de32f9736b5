#include "kmeans_streamed.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "../../contracts/clustering/centroid_means.h"
#include "../../contracts/distance/nearest_centroid.h"
#include "../host/tiles.h"
#include "kmeans_moves.h"

namespace eat::cuda {

void nearest_centroid(const Run& run, const NearestCentroid& p);
void centroid_means(const Run& run, const CentroidMeans& p);

std::vector<Move> choose_moves(const double* distance, const std::int32_t* label, index_t n, std::vector<double>& count) {
  std::vector<int> empty;
  for (size_t c = 0; c < count.size(); c++) if (count[c] == 0) empty.push_back(static_cast<int>(c));
  std::vector<int> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return distance[a] > distance[b]; });
  std::vector<Move> moves;
  auto next = order.begin();
  for (const int c : empty) {
    while (next != order.end() && count[static_cast<size_t>(label[*next])] <= 1) ++next;
    if (next == order.end() || distance[*next] <= 0) break;
    count[static_cast<size_t>(label[*next])] -= 1;
    count[static_cast<size_t>(c)] = 1;
    moves.push_back({*next, label[*next], c});
    ++next;
  }
  return moves;
}

namespace {

class StreamedLloyd {
 public:
  StreamedLloyd(const Run& run, const KMeans& p, index_t problem)
      : run_(run), problem_(problem), batch_(problem / p.starts), n_(p.points.rows), k_(p.k), d_(p.points.cols),
        points_(p.points.data + batch_ * n_ * d_),
        centroids_(p.centroids + problem * k_ * d_), labels_(p.labels + problem * n_), previous_(static_cast<size_t>(n_), -1),
        sums_(static_cast<size_t>(k_ * d_)), counts_(static_cast<size_t>(k_)), distances_(static_cast<size_t>(n_)),
        means_(static_cast<size_t>(k_ * d_)) {
    // NaN is told of, whatever the caller asked for: a result without an error never holds it.
    run_.check_finite = true;
  }

  // Returns how many labels changed.
  index_t assign() {
    NearestCentroid p;
    p.points = {points_, 1, n_, d_};
    p.centroids = {centroids_, 1, k_, d_};
    p.labels = labels_;
    try {
      nearest_centroid(run_, p);
    } catch (const NotFinite& e) {  // as k-means names its arguments, and their rows through all problems
      const bool points = std::strcmp(e.argument, "points") == 0;
      throw NotFinite(points ? "points" : "init", e.row + (points ? batch_ * n_ : problem_ * k_));
    }
    index_t changed = 0;
    for (index_t i = 0; i < n_; i++) changed += previous_[static_cast<size_t>(i)] != labels_[i];
    std::copy(labels_, labels_ + n_, previous_.begin());
    return changed;
  }

  // Returns the summed squared shift.
  double update() {
    CentroidMeans p;
    p.points = {points_, 1, n_, d_};
    p.labels = labels_;
    p.k = k_;
    p.sums = sums_.data();
    p.counts = counts_.data();
    p.means = means_.data();
    centroid_means(run_, p);
    if (std::find(counts_.begin(), counts_.end(), 0.0) != counts_.end()) fill_empty();
    double shift = 0;
    for (index_t e = 0; e < k_ * d_; e++) {
      const double count = counts_[static_cast<size_t>(e / d_)];
      if (count == 0) continue;
      const float moved = static_cast<float>(sums_[static_cast<size_t>(e)] / count);
      const double step = static_cast<double>(moved) - centroids_[e];
      shift += step * step;
      centroids_[e] = moved;
    }
    return shift;
  }

  // Measures every row; returns the sum.
  double inertia() {
    double total = 0;
    for (index_t i = 0; i < n_; i++) {
      double sum = 0;
      for (index_t j = 0; j < d_; j++) {
        const double difference = static_cast<double>(points_[i * d_ + j]) - centroids_[labels_[i] * d_ + j];
        sum += difference * difference;
      }
      distances_[static_cast<size_t>(i)] = sum;
      total += sum;
    }
    return total;
  }

 private:
  void fill_empty() {
    inertia();
    for (const Move& move : choose_moves(distances_.data(), labels_, n_, counts_)) {
      for (index_t j = 0; j < d_; j++) {
        const double x = points_[move.row * d_ + j];
        sums_[static_cast<size_t>(move.from * d_ + j)] -= x;
        sums_[static_cast<size_t>(move.to * d_ + j)] = x;
      }
    }
  }

  Run run_;
  index_t problem_, batch_, n_, k_, d_;
  const float* points_;
  float* centroids_;
  std::int32_t* labels_;
  std::vector<std::int32_t> previous_;
  std::vector<double> sums_, counts_, distances_;
  std::vector<float> means_;
};

}  // namespace

void streamed_kmeans(const Run& run, const KMeans& p, index_t problem) {
  StreamedLloyd lloyd(run, p, problem);
  bool strict = false, settled = false;
  index_t iteration = 0;
  while (iteration < p.max_iterations && !strict && !settled) {
    throw_if_stopped(run);
    const index_t changed = lloyd.assign();
    const double inertia = p.on_iteration ? lloyd.inertia() : 0;
    settled = lloyd.update() <= p.tolerance;
    strict = changed == 0;
    iteration++;
    if (p.on_iteration) p.on_iteration({problem, iteration, changed, inertia});
  }
  if (!strict) lloyd.assign();
  p.inertia[problem] = lloyd.inertia();
  p.iterations[problem] = static_cast<std::int32_t>(iteration);
  p.converged[problem] = strict || settled ? 1 : 0;
  std::int32_t* counts = p.counts + problem * p.k;
  std::fill(counts, counts + p.k, 0);
  for (index_t i = 0; i < p.points.rows; i++) counts[p.labels[problem * p.points.rows + i]]++;
}

}  // namespace eat::cuda
