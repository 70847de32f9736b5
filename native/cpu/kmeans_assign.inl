// The assignment step of k-means over its iterations. The first is nearest_centroid.inl's. Later ones leave rows alone that
// cannot change and look at the others ever closer; labels are those of the full comparison, always:
//   1. bounds (Hamerly 2010): every other centroid is at least `lower` away, less what centroids moved since; a row nearer than
//      that to its own keeps it;
//   2. activity: where its own centroid is no farther than before, only centroids that moved can have come nearer;
//   3. the short product of kmeans_pruning.inl, where rows are many and long;
//   4. the full product for what is left.

struct Assigner {
  struct Outcome { index_t changed; double inertia; bool finite; };

  const Run& run;
  const float* points;
  index_t n, k, d;
  float* centroids;
  std::int32_t* labels;
  std::vector<std::int32_t> previous;

  Assigner(const Run& run, const float* points, index_t n, index_t k, index_t d, float* centroids, std::int32_t* labels, bool pruning)
      : run(run), points(points), n(n), k(k), d(d), centroids(centroids), labels(labels), previous(static_cast<size_t>(n)),
        bounded(pruning && k > 1), projecting(pruning && d >= 256 && k >= 64 && n >= 1024), lower(static_cast<size_t>(n)),
        own(static_cast<size_t>(n)) {
    std::fill(labels, labels + n, -1);
  }

  Outcome assign() {
    std::copy(labels, labels + n, previous.begin());
    std::vector<index_t> open;
    if (!bounded || labels[0] < 0) {
      open.resize(static_cast<size_t>(n));
      for (index_t i = 0; i < n; i++) open[static_cast<size_t>(i)] = i;
    } else {
      Doubt doubt = rows_in_doubt();
      compare_with_moved(doubt);
      open = std::move(doubt.open);
      if (projecting && static_cast<index_t>(open.size()) > n / 8) open = compare_shortly(open);
    }
    const bool finite = compare_fully(open);
    if (bounded) before.assign(centroids, centroids + k * d);
    Outcome outcome{0, 0, finite};
    for (index_t i = 0; i < n; i++) {
      outcome.changed += labels[i] != previous[static_cast<size_t>(i)];
      outcome.inertia += own[static_cast<size_t>(i)];
    }
    return outcome;
  }

 private:
  const bool bounded;
  bool projecting;
  std::vector<double> lower;  // by row: no other centroid is nearer than this (a distance, not squared)
  std::vector<double> own;    // by row: the squared distance to its centroid
  std::vector<float> before;  // the centroids that `own` and `lower` are about
  std::unique_ptr<Subspace> subspace;
  std::unique_ptr<Projected> projected;

  static constexpr double kDown = 1 - 1e-12, kUp = 1 + 1e-12;  // against the rounding of bounds in double

  struct Doubt {
    std::vector<index_t> moved;    // centroids that moved
    std::vector<index_t> settled;  // rows that only a moved centroid can take
    std::vector<index_t> open;     // rows that any centroid can take
  };

  // Rows whose own centroid may not be the nearest any more; brings `own` and `lower` up to date for all but `settled`, whose
  // `lower` still is about the centroids that did not move.
  Doubt rows_in_doubt() {
    Doubt doubt;
    std::vector<double> moved(static_cast<size_t>(k));
    index_t farthest = 0;
    double most = 0, next = 0;
    for (index_t j = 0; j < k; j++) {
      const double step = std::sqrt(squared_difference(before.data() + j * d, centroids + j * d, d)) * kUp;
      moved[static_cast<size_t>(j)] = step;
      if (step > 0) doubt.moved.push_back(j);
      if (step > most) next = most, most = step, farthest = j; else next = std::max(next, step);
    }
    const bool few = static_cast<index_t>(doubt.moved.size()) * 2 <= k;
    constexpr index_t block = 1024;
    std::vector<Doubt> found(static_cast<size_t>(ceil_div(n, block)));
    parallel_for(run, static_cast<index_t>(found.size()), [&](index_t task) {
      for (index_t i = task * block; i < std::min(n, (task + 1) * block); i++) {
        const size_t at = static_cast<size_t>(i);
        const double last = own[at];
        if (moved[static_cast<size_t>(labels[i])] > 0) own[at] = squared_difference(points + i * d, centroids + labels[i] * d, d);
        const double still = lower[at] * kDown - (labels[i] == farthest ? next : most);
        if (std::sqrt(own[at]) * kUp < still) {
          lower[at] = still;
        } else if (few && own[at] <= last) {
          found[static_cast<size_t>(task)].settled.push_back(i);
        } else {
          lower[at] = still;
          found[static_cast<size_t>(task)].open.push_back(i);
        }
      }
    });
    for (const Doubt& some : found) {
      doubt.settled.insert(doubt.settled.end(), some.settled.begin(), some.settled.end());
      doubt.open.insert(doubt.open.end(), some.open.begin(), some.open.end());
    }
    return doubt;
  }

  // Compares the rows in `settled` with the centroids that moved.
  void compare_with_moved(const Doubt& doubt) {
    const index_t count = static_cast<index_t>(doubt.settled.size()), some = static_cast<index_t>(doubt.moved.size());
    if (count == 0 || some == 0) return;
    std::vector<float> subset(static_cast<size_t>(some * d));
    for (index_t j = 0; j < some; j++) {
      const float* from = centroids + doubt.moved[static_cast<size_t>(j)] * d;
      std::copy(from, from + d, subset.begin() + j * d);
    }
    const CentroidSet c(run, subset.data(), some, d);
    const index_t chunk = assign_rows(count, c.k, d);
    parallel_for(run, ceil_div(count, chunk), [&](index_t task) {
      const index_t first = task * chunk, rows = std::min(chunk, count - first);
      const PickedRows picked{points, d, count, doubt.settled.data()};
      double norms[512];
      assign_chunk(picked, first, rows, c, norms, [&](index_t i, const float* x, const NearestTwo& two, bool exact) {
        const index_t row = doubt.settled[static_cast<size_t>(first + i)];
        const size_t at = static_cast<size_t>(row);
        const double slack = exact ? 0 : rounding_share(d) * (norms[i] + c.largest);
        const auto rival = static_cast<std::int32_t>(doubt.moved[static_cast<size_t>(two.label)]);
        double others = std::max(0.0, (rival == labels[row] ? two.second : two.best) - slack);
        if (rival != labels[row] && !(others > own[at] * kUp)) {
          const std::int32_t pair[2] = {labels[row], rival};
          const NearestOfSome of = nearest_of(x, centroids, d, pair, 2);
          others = std::min(of.second, std::max(0.0, two.second - slack));
          labels[row] = of.label;
          own[at] = of.best;
        }
        lower[at] = std::min(lower[at], std::sqrt(others) * kDown);
      });
    });
  }

  // Settles the rows that the short product can settle, and returns the others. Stops for good where these are most.
  std::vector<index_t> compare_shortly(const std::vector<index_t>& open) {
    if (!subspace) {
      subspace = std::make_unique<Subspace>(run, points, n, d, d / 4 - 1);
      projected = std::make_unique<Projected>(run, *subspace, points, n);
    }
    if (!(projected->largest < 1e30 && projected->largest > 1e-30)) return projecting = false, open;
    const Projected c(run, *subspace, centroids, k);
    PackedPanels panels(k, c.width);
    panels.pack(run, Rows{c.rows, c.width, k});
    std::vector<float> squared(static_cast<size_t>(panels.panels * NR), INFINITY);
    for (index_t j = 0; j < k; j++) squared[static_cast<size_t>(j)] = static_cast<float>(squared_norm(c.rows + j * c.width, c.width));
    const index_t count = static_cast<index_t>(open.size()), chunk = chunk_rows(count, k, c.width);
    std::vector<std::vector<index_t>> left(static_cast<size_t>(ceil_div(count, chunk)));
    parallel_for(run, static_cast<index_t>(left.size()), [&](index_t task) {
      const index_t first = task * chunk;
      shorten_chunk(open.data() + first, std::min(chunk, count - first), c, panels, squared.data(), left[static_cast<size_t>(task)]);
    });
    std::vector<index_t> hard;
    for (const auto& some : left) hard.insert(hard.end(), some.begin(), some.end());
    projecting = hard.size() * 2 <= open.size();
    return hard;
  }

  // Centroids whose bound is not above the row's own distance are compared in full; the least bound of the others is the row's
  // new lower bound.
  void shorten_chunk(const index_t* rows, index_t count, const Projected& c, const PackedPanels& panels, const float* squared,
                     std::vector<index_t>& hard) {
    constexpr std::int32_t most = SurvivorEpilogue::kMost;
    const PickedRows picked{projected->rows, c.width, count, rows};
    float limits[256], *least = scratch(2, count * W);
    double margins[256];
    std::int32_t columns[256 * most], counts[256] = {};
    std::fill(least, least + count * W, INFINITY);
    for (index_t i = 0; i < count; i++) {
      const size_t at = static_cast<size_t>(rows[i]);
      const double total = projected->norms[at] + c.largest;
      margins[i] = 8 * rounding_share(d) * total + 2 * std::sqrt(total) * (projected->errors[at] + c.largest_error);
      const double limit = (own[at] + margins[i]) * (1 + 1e-5) - squared_norm(picked.row(i), c.width);
      limits[i] = static_cast<float>(limit + std::fabs(limit) * 1e-6);
    }
    SurvivorEpilogue epilogue{squared, limits, columns, counts, least, count};
    multiply_chunk(picked, 0, count, panels, 0, panels.panels, epilogue);
    for (index_t i = 0; i < count; i++) {
      const index_t row = rows[i];
      const size_t at = static_cast<size_t>(row);
      if (counts[i] > most) {
        hard.push_back(row);
        continue;
      }
      std::int32_t some[most + 1] = {labels[row]};
      std::copy(columns + i * most, columns + i * most + counts[i], some + 1);
      const NearestOfSome of = nearest_of(points + row * d, centroids, d, some, counts[i] + 1);
      const double bound = (hmin(load(least + i * W)) + squared_norm(picked.row(i), c.width)) * (1 - 1e-5) - margins[i];
      lower[at] = std::sqrt(std::max(0.0, std::min(of.second, bound))) * kDown;
      labels[row] = of.label;
      own[at] = of.best;
    }
  }

  // The full product; false where a row or a centroid is not finite.
  bool compare_fully(const std::vector<index_t>& open) {
    const index_t count = static_cast<index_t>(open.size());
    if (count == 0) return true;
    const CentroidSet c(run, centroids, k, d);
    const index_t chunk = assign_rows(count, c.k, d);
    const double share = rounding_share(d);
    std::atomic<bool> finite{c.finite()};
    parallel_for(run, ceil_div(count, chunk), [&](index_t task) {
      const index_t first = task * chunk, rows = std::min(chunk, count - first);
      double norms[512];
      const PickedRows picked{points, d, count, open.data()};
      assign_chunk(picked, first, rows, c, norms, [&](index_t i, const float* x, const NearestTwo& two, bool exact) {
        const index_t row = open[static_cast<size_t>(first + i)];
        const double slack = exact ? 0 : share * (norms[i] + c.largest);
        if (!std::isfinite(norms[i])) finite.store(false, std::memory_order_relaxed);
        labels[row] = static_cast<std::int32_t>(two.label);
        own[static_cast<size_t>(row)] = bounded ? squared_difference(x, centroids + two.label * d, d) : std::max(0.0, two.best);
        lower[static_cast<size_t>(row)] = std::sqrt(std::max(0.0, two.second - slack)) * kDown;
      });
    });
    return finite.load();
  }
};
