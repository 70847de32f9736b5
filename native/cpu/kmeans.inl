// kmeans: Lloyd's iteration on the assignment of kmeans_assign.inl and the sums of centroid_means.inl, kept up to date by the rows whose label changed.

struct Lloyd : Assigner {
  index_t n, k, d;
  std::vector<double> sums, counts;

  Lloyd(const Run& run, const KMeans& p, index_t problem)
      : Assigner(run, p.points.data + problem / p.starts * p.points.rows * p.points.cols, p.points.rows, p.k, p.points.cols,
                 p.centroids + problem * p.k * p.points.cols, p.labels + problem * p.points.rows, p.pruning),
        n(p.points.rows), k(p.k), d(p.points.cols), sums(static_cast<size_t>(k * d)), counts(static_cast<size_t>(k)) {}

  std::vector<double> own_distances() const {
    std::vector<double> out(static_cast<size_t>(n));
    constexpr index_t block = 512;
    parallel_for(run, ceil_div(n, block), [&](index_t task) {
      for (index_t i = task * block; i < std::min(n, (task + 1) * block); i++) {
        out[static_cast<size_t>(i)] = squared_difference(points + i * d, centroids + labels[i] * d, d);
      }
    });
    return out;
  }

  // Each empty cluster takes the point farthest from its centroid, out of a cluster that keeps another.
  bool fill_empty() {
    std::vector<index_t> empty;
    for (index_t c = 0; c < k; c++) if (counts[static_cast<size_t>(c)] == 0) empty.push_back(c);
    if (empty.empty()) return false;
    const std::vector<double> distance = own_distances();
    std::vector<index_t> order(static_cast<size_t>(n));
    for (index_t i = 0; i < n; i++) order[static_cast<size_t>(i)] = i;
    std::stable_sort(order.begin(), order.end(), [&](index_t a, index_t b) {
      return distance[static_cast<size_t>(a)] > distance[static_cast<size_t>(b)];
    });
    auto next = order.begin();
    for (const index_t c : empty) {
      while (next != order.end() && counts[static_cast<size_t>(labels[*next])] <= 1) ++next;
      if (next == order.end() || distance[static_cast<size_t>(*next)] <= 0) return true;
      const float* x = points + *next * d;
      add_row(sums.data() + labels[*next] * d, x, d, -1);
      counts[static_cast<size_t>(labels[*next])] -= 1;
      for (index_t j = 0; j < d; j++) sums[static_cast<size_t>(c * d + j)] = x[j];
      counts[static_cast<size_t>(c)] = 1;
      ++next;
    }
    return true;
  }

  // Moves the rows whose label changed from one sum to the other, in index order; tasks are blocks of columns.
  void move_rows() {
    std::vector<index_t> moved;
    for (index_t i = 0; i < n; i++) if (labels[i] != previous[static_cast<size_t>(i)]) moved.push_back(i);
    for (const index_t i : moved) {
      counts[static_cast<size_t>(previous[static_cast<size_t>(i)])] -= 1;
      counts[static_cast<size_t>(labels[i])] += 1;
    }
    constexpr index_t block = 64;
    parallel_for(run, ceil_div(d, block), [&](index_t task) {
      const index_t j = task * block, width = std::min(block, d - j);
      for (const index_t i : moved) {
        add_row(sums.data() + previous[static_cast<size_t>(i)] * d + j, points + i * d + j, width, -1);
        add_row(sums.data() + labels[i] * d + j, points + i * d + j, width, 1);
      }
    });
  }

  // New centroids from the labels; returns the summed squared shift. A cluster that stays empty keeps its centroid. Sums are
  // built anew every 16 iterations, where much changed, and after rows were given to empty clusters.
  double update(index_t iteration, index_t changed) {
    if (fresh || iteration % 16 == 0 || changed > n / 8) label_sums(run, points, labels, nullptr, n, k, d, sums.data(), counts.data());
    else move_rows();
    fresh = fill_empty();
    double shift = 0;
    for (index_t e = 0; e < k * d; e++) {
      const double count = counts[static_cast<size_t>(e / d)];
      if (count == 0) continue;
      const float moved = static_cast<float>(sums[static_cast<size_t>(e)] / count);
      const double step = static_cast<double>(moved) - centroids[e];
      shift += step * step;
      centroids[e] = moved;
    }
    return shift;
  }

 private:
  bool fresh = true;  // the sums are not those of the labels
};

inline void kmeans_problem(const Run& run, const KMeans& p, index_t problem) {
  const index_t n = p.points.rows, k = p.k;
  Lloyd lloyd(run, p, problem);
  bool strict = false, settled = false;
  index_t iteration = 0;
  while (iteration < p.max_iterations && !strict && !settled) {
    const auto assigned = lloyd.assign();
    if (!assigned.finite) {
      throw_first_not_finite(p.points, "points");
      throw_first_not_finite({p.centroids, p.points.batch * p.starts, k, p.points.cols}, "init");
    }
    const double shift = lloyd.update(iteration, assigned.changed);
    iteration++;
    strict = assigned.changed == 0;
    settled = shift <= p.tolerance;
    if (p.on_iteration) p.on_iteration({problem, iteration, assigned.changed, assigned.inertia});
  }
  if (!strict) lloyd.assign();
  double inertia = 0;
  for (const double distance : lloyd.own_distances()) inertia += distance;
  p.inertia[problem] = inertia;
  p.iterations[problem] = static_cast<std::int32_t>(iteration);
  p.converged[problem] = strict || settled;
  std::fill(p.counts + problem * k, p.counts + (problem + 1) * k, 0);
  for (index_t i = 0; i < n; i++) p.counts[problem * k + lloyd.labels[i]]++;
}

// Small problems side by side, a thread each; large ones one after the other, on all threads. The bits are the same.
inline void kmeans(const Run& run, const KMeans& p) {
  const index_t problems = p.points.batch * p.starts;
  const bool small = p.points.rows * p.k * p.points.cols <= index_t{1} << 24;
  if (small && problems > 1 && !p.on_iteration) {
    Run one = run;
    one.threads = 1;
    parallel_for(run, problems, [&](index_t problem) { kmeans_problem(one, p, problem); });
  } else {
    for (index_t problem = 0; problem < problems; problem++) kmeans_problem(run, p, problem);
  }
}
