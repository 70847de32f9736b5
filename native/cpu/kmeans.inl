// kmeans: Lloyd's iteration on the assignment of nearest_centroid.inl and the sums of centroid_means.inl.

struct Lloyd {
  const Run& run;
  const float* points;
  index_t n, k, d;
  float* centroids;
  std::int32_t* labels;
  std::vector<double> sums, counts;

  struct Assignment { index_t changed; double inertia; bool finite; };

  // Labels of the nearest centroids; inertia by the expanded form, clamped at 0 per row.
  Assignment assign() {
    const CentroidSet c(run, centroids, k, d);
    const index_t chunk = assign_rows(n, d), chunks = ceil_div(n, chunk);
    std::vector<Assignment> parts(static_cast<size_t>(chunks));
    parallel_for(run, chunks, [&](index_t task) {
      const index_t row0 = task * chunk, count = std::min(chunk, n - row0);
      double norms[512];
      Assignment part{0, 0, true};
      assign_chunk(points, row0, count, c, norms, [&](index_t i, const float*, const NearestTwo& two, bool) {
        std::int32_t& label = labels[row0 + i];
        part.changed += label != two.label;
        part.inertia += std::max(0.0, two.best);
        part.finite = part.finite && std::isfinite(norms[i]);
        label = static_cast<std::int32_t>(two.label);
      });
      parts[static_cast<size_t>(task)] = part;
    });
    Assignment total{0, 0, c.finite()};
    for (const auto& part : parts) {
      total.changed += part.changed;
      total.inertia += part.inertia;
      total.finite = total.finite && part.finite;
    }
    return total;
  }

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
  void fill_empty() {
    std::vector<index_t> empty;
    for (index_t c = 0; c < k; c++) if (counts[static_cast<size_t>(c)] == 0) empty.push_back(c);
    if (empty.empty()) return;
    const std::vector<double> distance = own_distances();
    std::vector<index_t> order(static_cast<size_t>(n));
    for (index_t i = 0; i < n; i++) order[static_cast<size_t>(i)] = i;
    std::stable_sort(order.begin(), order.end(), [&](index_t a, index_t b) {
      return distance[static_cast<size_t>(a)] > distance[static_cast<size_t>(b)];
    });
    auto next = order.begin();
    for (const index_t c : empty) {
      while (next != order.end() && counts[static_cast<size_t>(labels[*next])] <= 1) ++next;
      if (next == order.end() || distance[static_cast<size_t>(*next)] <= 0) return;
      const float* x = points + *next * d;
      add_row(sums.data() + labels[*next] * d, x, d, -1);
      counts[static_cast<size_t>(labels[*next])] -= 1;
      for (index_t j = 0; j < d; j++) sums[static_cast<size_t>(c * d + j)] = x[j];
      counts[static_cast<size_t>(c)] = 1;
      ++next;
    }
  }

  // New centroids from the labels; returns the summed squared shift. A cluster that stays empty keeps its centroid.
  double update() {
    label_sums(run, points, labels, nullptr, n, k, d, sums.data(), counts.data());
    fill_empty();
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
};

inline void kmeans(const Run& run, const KMeans& p) {
  const index_t n = p.points.rows, k = p.k, d = p.points.cols;
  for (index_t batch = 0; batch < p.points.batch; batch++) {
    Lloyd lloyd{run, p.points.data + batch * n * d, n, k, d, p.centroids + batch * k * d, p.labels + batch * n,
                std::vector<double>(static_cast<size_t>(k * d)), std::vector<double>(static_cast<size_t>(k))};
    std::fill(lloyd.labels, lloyd.labels + n, -1);
    bool strict = false, settled = false;
    index_t iteration = 0;
    while (iteration < p.max_iterations && !strict && !settled) {
      const auto assigned = lloyd.assign();
      if (!assigned.finite) {
        throw_first_not_finite(p.points, "points");
        throw_first_not_finite({p.centroids, p.points.batch, k, d}, "init");
      }
      const double shift = lloyd.update();
      iteration++;
      strict = assigned.changed == 0;
      settled = shift <= p.tolerance;
      if (p.on_iteration) p.on_iteration({batch, iteration, assigned.changed, assigned.inertia});
    }
    if (!strict) lloyd.assign();
    double inertia = 0;
    for (const double distance : lloyd.own_distances()) inertia += distance;
    p.inertia[batch] = inertia;
    p.iterations[batch] = static_cast<std::int32_t>(iteration);
    p.converged[batch] = strict || settled;
    std::fill(p.counts + batch * k, p.counts + (batch + 1) * k, 0);
    for (index_t i = 0; i < n; i++) p.counts[batch * k + lloyd.labels[i]]++;
  }
}

// D^2 sampling over fixed chunks, so that sums do not depend on the number of threads.
struct PlusPlus {
  static constexpr index_t kChunk = 1024;
  const Run& run;
  const KMeansPlusPlus& p;
  std::vector<double> closest, chunk_sums;

  PlusPlus(const Run& run, const KMeansPlusPlus& p)
      : run(run), p(p), closest(static_cast<size_t>(p.points.rows), INFINITY),
        chunk_sums(static_cast<size_t>(ceil_div(p.points.rows, kChunk))) {}

  // The potential if `row` became a centroid; with `keep`, it becomes one.
  double potential(index_t row, bool keep) {
    const index_t n = p.points.rows, d = p.points.cols;
    std::vector<double> sums(chunk_sums.size());
    parallel_for(run, static_cast<index_t>(sums.size()), [&](index_t task) {
      double sum = 0;
      for (index_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); i++) {
        double& nearest = closest[static_cast<size_t>(i)];
        const double now = std::min(nearest, squared_difference(p.points.row(i), p.points.row(row), d));
        if (keep) nearest = now;
        sum += now;
      }
      sums[static_cast<size_t>(task)] = sum;
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    if (keep) chunk_sums = sums;
    return total;
  }

  // The row in which the running sum of the closest distances first passes `target`.
  index_t draw(double target) const {
    const index_t n = p.points.rows;
    size_t chunk = 0;
    while (chunk + 1 < chunk_sums.size() && target >= chunk_sums[chunk]) target -= chunk_sums[chunk++];
    index_t i = static_cast<index_t>(chunk) * kChunk;
    const index_t end = std::min(n, i + kChunk);
    while (i + 1 < end && target >= closest[static_cast<size_t>(i)]) target -= closest[static_cast<size_t>(i++)];
    return i;
  }
};

inline void kmeans_plus_plus(const Run& run, const KMeansPlusPlus& p) {
  const index_t n = p.points.rows;
  PlusPlus search(run, p);
  p.chosen[0] = static_cast<std::int32_t>(std::min<index_t>(n - 1, static_cast<index_t>(p.uniforms[0] * static_cast<double>(n))));
  double total = search.potential(p.chosen[0], true);
  if (!std::isfinite(total)) throw_first_not_finite(p.points, "points");
  for (index_t c = 1; c < p.k; c++) {
    index_t best_row = 0;
    double best = INFINITY;
    for (index_t t = 0; t < p.trials; t++) {
      const index_t row = search.draw(p.uniforms[c * p.trials + t] * total);
      const double value = search.potential(row, false);
      if (value < best) best = value, best_row = row;
    }
    p.chosen[c] = static_cast<std::int32_t>(best_row);
    total = search.potential(best_row, true);
  }
}
