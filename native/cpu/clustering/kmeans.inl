// kmeans: Lloyd's iteration on the assignment of kmeans_assign.inl and the sums of kmeans_sums.inl, kept up to date by the rows
// whose label changed.

struct Lloyd : Assigner {
  index_t n, k, d;
  LabelSums totals;

  Lloyd(const Run& run, const KMeans& p, index_t problem)
      : Assigner(run, p.points.data + problem / p.starts * p.points.rows * p.points.cols, p.points.rows, p.k, p.points.cols,
                 p.centroids + problem * p.k * p.points.cols, p.labels + problem * p.points.rows, p.pruning),
        n(p.points.rows), k(p.k), d(p.points.cols), totals(n, k, d) {}

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

  double inertia() const {
    double sum = 0;
    for (const double distance : own_distances()) sum += distance;
    return sum;
  }

  // Each empty cluster takes the point farthest from its centroid, out of a cluster that keeps another.
  bool fill_empty() {
    std::vector<index_t> empty;
    for (index_t c = 0; c < k; c++) if (totals.counts[static_cast<size_t>(c)] == 0) empty.push_back(c);
    if (empty.empty()) return false;
    const std::vector<double> distance = own_distances();
    std::vector<index_t> order(static_cast<size_t>(n));
    for (index_t i = 0; i < n; i++) order[static_cast<size_t>(i)] = i;
    std::stable_sort(order.begin(), order.end(), [&](index_t a, index_t b) {
      return distance[static_cast<size_t>(a)] > distance[static_cast<size_t>(b)];
    });
    auto next = order.begin();
    for (const index_t c : empty) {
      while (next != order.end() && totals.counts[static_cast<size_t>(labels[*next])] <= 1) ++next;
      if (next == order.end() || distance[static_cast<size_t>(*next)] <= 0) return true;
      const float* x = points + *next * d;
      add_row(totals.sums.data() + labels[*next] * d, x, d, -1);
      totals.counts[static_cast<size_t>(labels[*next])] -= 1;
      for (index_t j = 0; j < d; j++) totals.sums[static_cast<size_t>(c * d + j)] = x[j];
      totals.counts[static_cast<size_t>(c)] = 1;
      ++next;
    }
    return true;
  }

  // Assigns every row and brings the sums up to date: built anew every 16 iterations, where the last one changed much, and after
  // rows were given to empty clusters, in the assignment's own pass where it looks at every row; else by the rows that moved.
  Outcome assign_and_sum(index_t iteration) {
    const bool anew = stale || iteration % 16 == 0;
    const Outcome outcome = assign(anew ? &totals : nullptr);
    if (!outcome.finite) return outcome;
    if (!anew) totals.move(run, points, previous.data(), labels);
    else if (!outcome.summed) totals.rebuild(run, points, labels);
    stale = outcome.changed > n / 4;
    return outcome;
  }

  // New centroids from the sums; returns the summed squared shift. A cluster that stays empty keeps its centroid.
  double update() {
    stale = fill_empty() || stale;
    std::vector<double> shifts(static_cast<size_t>(k), 0.0);
    const index_t block = std::max<index_t>(1, 4096 / d);
    parallel_for(run, ceil_div(k, block), [&](index_t task) {
      for (index_t c = task * block; c < std::min(k, (task + 1) * block); c++) {
        const double count = totals.counts[static_cast<size_t>(c)], *sum = totals.sums.data() + c * d;
        double shift = 0;
        for (index_t j = 0; count > 0 && j < d; j++) {
          const float moved = static_cast<float>(sum[j] / count);
          const double step = static_cast<double>(moved) - centroids[c * d + j];
          shift += step * step;
          centroids[c * d + j] = moved;
        }
        shifts[static_cast<size_t>(c)] = shift;
      }
    });
    double shift = 0;
    for (const double of_one : shifts) shift += of_one;
    return shift;
  }

 private:
  bool stale = true;  // the sums are far from those of the labels
};

inline void kmeans_problem(const Run& run, const KMeans& p, index_t problem) {
  const index_t n = p.points.rows, k = p.k;
  Lloyd lloyd(run, p, problem);
  bool strict = false, settled = false;
  index_t iteration = 0;
  while (iteration < p.max_iterations && !strict && !settled) {
    const auto assigned = lloyd.assign_and_sum(iteration);
    if (!assigned.finite) {
      throw_first_not_finite(p.points, "points");
      throw_first_not_finite({p.centroids, p.points.batch * p.starts, k, p.points.cols}, "init");
    }
    const double inertia = p.on_iteration ? lloyd.inertia() : 0;
    const double shift = lloyd.update();
    iteration++;
    strict = assigned.changed == 0;
    settled = shift <= p.tolerance;
    if (p.on_iteration) p.on_iteration({problem, iteration, assigned.changed, inertia});
  }
  if (!strict) lloyd.assign(nullptr);
  p.inertia[problem] = lloyd.inertia();
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
