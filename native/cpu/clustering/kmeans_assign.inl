// The assignment step of k-means over its iterations. The first is nearest_centroid.inl's. Later ones leave rows alone that
// cannot change and look at the others ever closer; labels are those of the full comparison, always:
//   1. the bounds of kmeans_bounds.inl: most rows keep their label, or can only go to a centroid that moved far;
//   2. the short product of kmeans_short.inl, where rows are many and long;
//   3. the full product for what is left.

struct Assigner {
  struct Outcome { index_t changed; bool finite, summed; };

  const Run& run;
  const float* points;
  index_t n, k, d;
  float* centroids;
  std::int32_t* labels;
  std::vector<std::int32_t> previous;

  Assigner(const Run& run, const float* points, index_t n, index_t k, index_t d, float* centroids, std::int32_t* labels, bool pruning)
      : run(run), points(points), n(n), k(k), d(d), centroids(centroids), labels(labels), previous(static_cast<size_t>(n)),
        pruning(pruning && k > 1), bounds(run, n, k, d), brief(run, points, n, d, bounds, pruning && d >= 256 && k >= 64 && n >= 1024) {
    std::fill(labels, labels + n, -1);
  }

  // Where the pass looks at every row in full, `sums` (or null) are built on the way.
  Outcome assign(LabelSums* sums) {
    std::copy(labels, labels + n, previous.begin());
    std::vector<index_t> open = bounded ? narrow() : every_row();
    const bool summed = sums != nullptr && sums->parts > 0 && static_cast<index_t>(open.size()) == n;
    if (summed) sums->start(run);
    bounded = pruning && pause == 0;
    if (pause > 0) pause--;
    const bool finite = compare_fully(open, summed ? sums : nullptr);
    if (summed && finite) sums->finish(run, labels);
    if (bounded) bounds.set(centroids);
    Outcome outcome{0, finite, summed};
    for (index_t i = 0; i < n; i++) outcome.changed += labels[i] != previous[static_cast<size_t>(i)];
    return outcome;
  }

 private:
  const bool pruning;
  bool bounded = false;         // the bounds hold for the present labels
  index_t pause = 0, wait = 1;  // passes until bounds are made again, and how long the last pause was
  DistanceBounds bounds;
  ShortProduct brief;

  // Looking after the bounds of a row costs about as much as this many of the full product's distances.
  static constexpr index_t kBoundsCost = 40;

  std::vector<index_t> every_row() const {
    std::vector<index_t> all(static_cast<size_t>(n));
    for (index_t i = 0; i < n; i++) all[static_cast<size_t>(i)] = i;
    return all;
  }

  // The rows that neither bounds nor the short product settle. Where bounds spare less than they cost they rest, ever longer.
  std::vector<index_t> narrow() {
    DistanceBounds::Doubt doubt = bounds.doubt(points, centroids, labels, brief.useful() ? ShortProduct::kPrice : 1);
    compare_with_far(doubt);
    const index_t settled = static_cast<index_t>(doubt.settled.size()), open = static_cast<index_t>(doubt.open.size());
    const index_t spared = (n - open) * k - settled * static_cast<index_t>(doubt.far.size());
    if (brief.useful() && open > n / 8) return brief.settle(doubt.open, centroids, k, labels);
    if (spared < n * kBoundsCost) pause = wait *= 2;
    return std::move(doubt.open);
  }

  // Compares rows that only a centroid which moved far can take with these.
  void compare_with_far(const DistanceBounds::Doubt& doubt) {
    const index_t count = static_cast<index_t>(doubt.settled.size()), some = static_cast<index_t>(doubt.far.size());
    if (count == 0 || some == 0) return;
    std::vector<float> subset(static_cast<size_t>(some * d));
    for (index_t j = 0; j < some; j++) {
      const float* from = centroids + doubt.far[static_cast<size_t>(j)] * d;
      std::copy(from, from + d, subset.begin() + j * d);
    }
    const CentroidSet c(run, subset.data(), some, d);
    const index_t chunk = assign_rows(count, c.k, d);
    parallel_for(run, ceil_div(count, chunk), [&](index_t task) {
      const index_t first = task * chunk, rows = std::min(chunk, count - first);
      const PickedRows picked{points, d, count, doubt.settled.data()};
      double norms[512];
      assign_chunk(picked, first, rows, c, norms, [&](index_t i, const float* x, const NearestTwo& two, bool) {
        const index_t row = doubt.settled[static_cast<size_t>(first + i)];
        const size_t at = static_cast<size_t>(row);
        const auto rival = static_cast<std::int32_t>(doubt.far[static_cast<size_t>(two.label)]);
        double others = std::max(0.0, (rival == labels[row] ? two.second : two.best) - two.error);
        if (rival != labels[row] && !(others > bounds.own[at] * kUp)) {
          const std::int32_t pair[2] = {labels[row], rival};
          const NearestOfSome of = nearest_of(x, centroids, d, pair, 2);
          others = std::min(of.second, std::max(0.0, two.second - two.error));
          labels[row] = of.label;
          bounds.own[at] = of.best;
        }
        bounds.lower[at] = std::min(bounds.lower[at], std::sqrt(others) * kDown);
      });
    });
  }

  // The full product; false where a row or a centroid is not finite. Rows are summed while they are in cache.
  bool compare_fully(const std::vector<index_t>& open, LabelSums* sums) {
    const index_t count = static_cast<index_t>(open.size());
    if (count == 0) return true;
    const CentroidSet c(run, centroids, k, d);
    const index_t chunk = assign_rows(count, c.k, d);
    std::atomic<bool> finite{c.finite()};
    parallel_for(run, ceil_div(count, chunk), [&](index_t task) {
      const index_t first = task * chunk, rows = std::min(chunk, count - first);
      double norms[512];
      const PickedRows picked{points, d, count, open.data()};
      assign_chunk(picked, first, rows, c, norms, [&](index_t i, const float* x, const NearestTwo& two, bool) {
        const index_t row = open[static_cast<size_t>(first + i)];
        if (!std::isfinite(norms[i])) finite.store(false, std::memory_order_relaxed);
        labels[row] = static_cast<std::int32_t>(two.label);
        if (!bounded) return;
        bounds.own[static_cast<size_t>(row)] = squared_difference(x, centroids + two.label * d, d);
        bounds.lower[static_cast<size_t>(row)] = std::sqrt(std::max(0.0, two.second - two.error)) * kDown;
      });
      if (sums != nullptr) sums->ready(task, points, labels);
    });
    return finite.load();
  }
};
