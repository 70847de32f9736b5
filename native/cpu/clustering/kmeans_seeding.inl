// Greedy k-means++ and, where `block` centroids are drawn per round, k-means|| (Bahmani et al. 2012) ending at exactly k. Rows are
// drawn by the contract's sums in double (seeding_distance.inl), but most are never made: float tells for most rows that a
// candidate is no nearer than a centroid, and for most rounds which candidate is the best.

struct Seeding {
  static constexpr int kTogether = 8;  // candidates whose distances one pass over a row takes
  const Run& run;
  const KMeansPlusPlus& p;
  const index_t n, d, chunks;
  const FloatError error;
  std::vector<double> closest, chunk_sums;
  std::vector<float> estimates;  // [n, candidates] of the last round

  Seeding(const Run& run, const KMeansPlusPlus& p)
      : run(run), p(p), n(p.points.rows), d(p.points.cols), chunks(ceil_div(n, kSeedingChunk)), error(d),
        closest(static_cast<size_t>(n), INFINITY), chunk_sums(static_cast<size_t>(chunks)),
        estimates(static_cast<size_t>(p.block == 1 ? n * p.trials : 0)) {}

  // The sum of a chunk's values of value(row).
  template <class Value>
  double sum_of_chunk(index_t chunk, Value&& value) const {
    return seeding_sum(chunk * kSeedingChunk, std::min(n, (chunk + 1) * kSeedingChunk), value);
  }

  // Makes row(s) centroids, whose distance to row i is distance(i) where that may be less; returns the new potential.
  template <class Distance>
  double take(Distance&& distance) {
    parallel_for(run, chunks, [&](index_t chunk) {
      chunk_sums[static_cast<size_t>(chunk)] = sum_of_chunk(chunk, [&](index_t i) {
        double& nearest = closest[static_cast<size_t>(i)];
        return nearest = std::min(nearest, distance(i));
      });
    });
    double total = 0;
    for (const double sum : chunk_sums) total += sum;
    return total;
  }

  double take_first(index_t row) {
    return take([&](index_t i) { return seeding_distance(p.points.row(i), p.points.row(row), d); });
  }

  // Of the rows drawn the one with which the potential (the sum of `closest`) is lowest, the first at a tie; it becomes a centroid.
  double take_best(const std::vector<index_t>& rows, std::int32_t& chosen) {
    const index_t count = static_cast<index_t>(rows.size());
    std::vector<index_t> open = contenders(rows, estimate(rows));
    size_t best = 0;
    if (open.size() > 1) {
      const std::vector<double> potentials = exact_potentials(rows, open);
      best = static_cast<size_t>(std::min_element(potentials.begin(), potentials.end()) - potentials.begin());
    }
    const index_t candidate = open[best], row = rows[static_cast<size_t>(candidate)];
    chosen = static_cast<std::int32_t>(row);
    return take([&](index_t i) { return distance_if_less(i, row, candidate, count); });
  }

  // The squared distance of row i to candidate `row`, or its nearest centroid's where that is no more.
  double distance_if_less(index_t i, index_t row, index_t candidate, index_t count) const {
    const double nearest = closest[static_cast<size_t>(i)], estimated = estimates[static_cast<size_t>(i * count + candidate)];
    return error.surely_above(estimated, nearest) ? nearest : seeding_distance(p.points.row(i), p.points.row(row), d);
  }

  // The potential with each of `rows` added alone, as float tells, and `estimates`; +Inf where it tells nothing.
  std::vector<double> estimate(const std::vector<index_t>& rows) {
    const index_t count = static_cast<index_t>(rows.size());
    std::vector<const float*> candidates;
    for (const index_t row : rows) candidates.push_back(p.points.row(row));
    std::vector<double> sums(static_cast<size_t>(chunks * count), 0.0);
    parallel_for(run, chunks, [&](index_t chunk) {
      double* sum = sums.data() + chunk * count;
      for (index_t i = chunk * kSeedingChunk; i < std::min(n, (chunk + 1) * kSeedingChunk); i++) {
        float* now = estimates.data() + i * count;
        for (index_t c = 0; c < count; c += kTogether) {
          estimate_distances(p.points.row(i), candidates.data() + c, static_cast<int>(std::min<index_t>(kTogether, count - c)), d, now + c);
        }
        const double nearest = closest[static_cast<size_t>(i)];
        for (index_t c = 0; c < count; c++) sum[c] += std::isfinite(now[c]) ? std::min<double>(nearest, now[c]) : INFINITY;
      }
    });
    std::vector<double> totals(static_cast<size_t>(count), 0.0);
    for (size_t s = 0; s < sums.size(); s++) totals[s % static_cast<size_t>(count)] += sums[s];
    return totals;
  }

  // Places of the candidates that may be the best; a row drawn twice is there once.
  std::vector<index_t> contenders(const std::vector<index_t>& rows, const std::vector<double>& potentials) const {
    double least = INFINITY;
    for (const double potential : potentials) least = std::min(least, potential + error.of_sum(potential, n));
    std::vector<index_t> open;
    for (auto row = rows.begin(); row != rows.end(); ++row) {
      const double potential = potentials[static_cast<size_t>(row - rows.begin())];
      const bool beaten = std::isfinite(potential) && potential - error.of_sum(potential, n) > least;
      if (!beaten && std::find(rows.begin(), row, *row) == row) open.push_back(row - rows.begin());
    }
    return open;
  }

  std::vector<double> exact_potentials(const std::vector<index_t>& rows, const std::vector<index_t>& open) const {
    const index_t count = static_cast<index_t>(rows.size()), some = static_cast<index_t>(open.size());
    std::vector<double> sums(static_cast<size_t>(chunks * some));
    parallel_for(run, chunks * some, [&](index_t task) {
      const index_t candidate = open[static_cast<size_t>(task % some)], row = rows[static_cast<size_t>(candidate)];
      sums[static_cast<size_t>(task)] = sum_of_chunk(task / some, [&](index_t i) {
        return std::min(closest[static_cast<size_t>(i)], distance_if_less(i, row, candidate, count));
      });
    });
    std::vector<double> totals(static_cast<size_t>(some), 0.0);
    for (size_t s = 0; s < sums.size(); s++) totals[s % static_cast<size_t>(some)] += sums[s];
    return totals;
  }

  // Makes all of `rows` centroids: the packed product finds their nearest.
  double take_block(const std::vector<index_t>& rows) {
    const index_t count = static_cast<index_t>(rows.size());
    std::vector<float> block(static_cast<size_t>(count * d));
    for (index_t c = 0; c < count; c++) {
      const float* row = p.points.row(rows[static_cast<size_t>(c)]);
      std::copy(row, row + d, block.begin() + c * d);
    }
    const CentroidSet centroids(run, block.data(), count, d);
    std::vector<double> nearest(static_cast<size_t>(n));
    const index_t chunk = assign_rows(n, count, d);
    parallel_for(run, ceil_div(n, chunk), [&](index_t task) {
      double norms[512];
      assign_chunk(Rows{p.points.data, d, n}, task * chunk, std::min(chunk, n - task * chunk), centroids, norms,
                   [&](index_t i, const float* x, const NearestTwo& two, bool) {
                     nearest[static_cast<size_t>(task * chunk + i)] = nearest_in_block(x, two, block.data(), count);
                   });
    });
    return take([&](index_t i) { return nearest[static_cast<size_t>(i)]; });
  }

  // Orders of summation may disagree about the nearest where two are as near but for the last bits.
  double nearest_in_block(const float* x, const NearestTwo& two, const float* block, index_t count) const {
    double nearest = seeding_distance(x, block + two.label * d, d);
    const bool clear = count == 1 || two.second > two.best * (1 + static_cast<double>(d + 16) * 0x1p-50);
    for (index_t c = 0; c < count && !clear; c++) nearest = std::min(nearest, seeding_distance(x, block + c * d, d));
    return nearest;
  }

  // The row in which the running sum of the closest distances first passes `target`.
  index_t draw(double target) const {
    size_t chunk = 0;
    while (chunk + 1 < chunk_sums.size() && target >= chunk_sums[chunk]) target -= chunk_sums[chunk++];
    index_t i = static_cast<index_t>(chunk) * kSeedingChunk;
    const index_t end = std::min(n, i + kSeedingChunk);
    while (i + 1 < end && target >= closest[static_cast<size_t>(i)]) target -= closest[static_cast<size_t>(i++)];
    return i;
  }
};

inline void kmeans_plus_plus(const Run& run, const KMeansPlusPlus& p) {
  const index_t n = p.points.rows;
  Seeding seeding(run, p);
  p.chosen[0] = static_cast<std::int32_t>(std::min<index_t>(n - 1, static_cast<index_t>(p.uniforms[0] * static_cast<double>(n))));
  double total = seeding.take_first(p.chosen[0]);
  if (!std::isfinite(total)) throw_first_not_finite(p.points, "points");
  for (index_t c = 1; c < p.k;) {
    const bool greedy = p.block == 1;
    const index_t draws = greedy ? p.trials : std::min(p.block, p.k - c);
    std::vector<index_t> rows;
    for (index_t t = 0; t < draws; t++) rows.push_back(seeding.draw(p.uniforms[greedy ? c * p.trials + t : c + t] * total));
    if (greedy) {
      total = seeding.take_best(rows, p.chosen[c++]);
    } else {
      for (const index_t row : rows) p.chosen[c++] = static_cast<std::int32_t>(row);
      total = seeding.take_block(rows);
    }
  }
}
