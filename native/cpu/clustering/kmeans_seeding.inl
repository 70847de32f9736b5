// Greedy k-means++ and, where `block` centroids are drawn per round, k-means|| (Bahmani et al. 2012) ending at exactly k. Rows are
// drawn by the contract's sums in double (seeding_distance.inl). Of a candidate only the rows count that it is nearer to than any
// centroid: float tells for most rows that it is not, and what the few others gain tells for most rounds which candidate is the best.

struct Seeding {
  using Mask = std::uint32_t;  // a bit for each candidate
  static constexpr index_t kMost = 32;
  const Run& run;
  const KMeansPlusPlus& p;
  const index_t n, d, chunks;
  const FloatError error;
  std::vector<double> closest, chunk_sums;
  std::vector<float> limits;    // what an estimate is above where it is surely no less than `closest`
  std::vector<Mask> nearer;     // [n] the candidates of the last round that are nearer than `closest`
  std::vector<Mask> of_chunks;  // [chunks] those that are nearer to any of its rows

  Seeding(const Run& run, const KMeansPlusPlus& p)
      : run(run), p(p), n(p.points.rows), d(p.points.cols), chunks(ceil_div(n, kSeedingChunk)), error(d),
        closest(static_cast<size_t>(n), INFINITY), chunk_sums(static_cast<size_t>(chunks)), limits(static_cast<size_t>(n)),
        nearer(static_cast<size_t>(n)), of_chunks(static_cast<size_t>(chunks)) {}

  index_t end_of(index_t chunk) const { return std::min(n, (chunk + 1) * kSeedingChunk); }

  // The sum of a chunk's values of value(row).
  template <class Value>
  double sum_of_chunk(index_t chunk, Value&& value) const {
    return seeding_sum(chunk * kSeedingChunk, end_of(chunk), value);
  }

  void sum_again(index_t chunk) {
    chunk_sums[static_cast<size_t>(chunk)] = sum_of_chunk(chunk, [&](index_t i) { return closest[static_cast<size_t>(i)]; });
  }

  double distance(index_t i, index_t row) const { return seeding_distance(p.points.row(i), p.points.row(row), d); }

  double total() const {
    double sum = 0;
    for (const double of_chunk : chunk_sums) sum += of_chunk;
    return sum;
  }

  // Makes row(s) centroids, whose distance to row i is new_distance(i); returns the new potential.
  template <class Distance>
  double take(Distance&& new_distance) {
    parallel_for(run, chunks, [&](index_t chunk) {
      for (index_t i = chunk * kSeedingChunk; i < end_of(chunk); i++) come_closer(i, new_distance(i));
      sum_again(chunk);
    });
    return total();
  }

  void come_closer(index_t i, double distance) {
    double& nearest = closest[static_cast<size_t>(i)];
    if (distance < nearest) nearest = distance, limits[static_cast<size_t>(i)] = error.limit(distance);
  }

  double take_first(index_t row) {
    return take([&](index_t i) { return distance(i, row); });
  }

  // Of the rows drawn the one with which the potential (the sum of `closest`) is lowest, the first at a tie; it becomes a centroid.
  double take_best(const std::vector<index_t>& rows, double potential, std::int32_t& chosen) {
    const std::vector<index_t> open = contenders(rows, gains(rows), potential);
    size_t best = 0;
    if (open.size() > 1) {
      const std::vector<double> potentials = exact_potentials(rows, open);
      best = static_cast<size_t>(std::min_element(potentials.begin(), potentials.end()) - potentials.begin());
    }
    const index_t candidate = open[best], row = rows[static_cast<size_t>(candidate)];
    chosen = static_cast<std::int32_t>(row);
    const Mask bit = Mask{1} << candidate;
    parallel_for(run, chunks, [&](index_t chunk) {
      if (!(of_chunks[static_cast<size_t>(chunk)] & bit)) return;
      for (index_t i = chunk * kSeedingChunk; i < end_of(chunk); i++) {
        if (nearer[static_cast<size_t>(i)] & bit) come_closer(i, distance(i, row));
      }
      sum_again(chunk);
    });
    return total();
  }

  // By how much each of `rows`, added alone, would lower the potential; fills `nearer`.
  std::vector<double> gains(const std::vector<index_t>& rows) {
    const index_t count = static_cast<index_t>(rows.size());
    const float* candidates[kMost];
    for (index_t c = 0; c < count; c++) candidates[c] = p.points.row(rows[static_cast<size_t>(c)]);
    const SeedingCandidates packed(candidates, count, d);
    std::vector<double> gained(static_cast<size_t>(chunks * count), 0.0);
    parallel_for(run, chunks, [&](index_t chunk) {
      double* gain = gained.data() + chunk * count;
      Mask of_chunk = 0;
      const auto look = [&](auto rows_at_once, index_t i) {
        constexpr int Rows = decltype(rows_at_once)::value;
        const float* x[Rows];
        Mask* masks = nearer.data() + i;
        for (int r = 0; r < Rows; r++) x[r] = p.points.row(i + r);
        maybe_nearer<Rows>(x, packed, limits.data() + i, masks);
        for (int r = 0; r < Rows; r++) of_chunk |= masks[r] = surely_nearer(x[r], i + r, masks[r], candidates, gain);
      };
      index_t i = chunk * kSeedingChunk;
      for (; i + 2 <= end_of(chunk); i += 2) look(std::integral_constant<int, 2>(), i);
      if (i < end_of(chunk)) look(std::integral_constant<int, 1>(), i);
      of_chunks[static_cast<size_t>(chunk)] = of_chunk;
    });
    std::vector<double> totals(static_cast<size_t>(count), 0.0);
    for (size_t s = 0; s < gained.size(); s++) totals[s % static_cast<size_t>(count)] += gained[s];
    return totals;
  }

  // Of the candidates in `maybe` those that are nearer to row i than any centroid; adds to their gains.
  Mask surely_nearer(const float* x, index_t i, Mask maybe, const float* const* candidates, double* gain) const {
    Mask mask = maybe;
    for (Mask left = maybe; left != 0; left &= left - 1) {
      const index_t c = __builtin_ctz(left);
      const double less = closest[static_cast<size_t>(i)] - seeding_distance(x, candidates[c], d);
      if (less > 0) gain[c] += less;
      else mask &= ~(Mask{1} << c);
    }
    return mask;
  }

  // Places of the candidates that may be the best, for all that the order of double sums may change; a row drawn twice is there once.
  std::vector<index_t> contenders(const std::vector<index_t>& rows, const std::vector<double>& gains, double potential) const {
    const double most = *std::max_element(gains.begin(), gains.end());
    const double slack = 8 * static_cast<double>(chunks + 1024) * 0x1p-53 * potential;
    std::vector<index_t> open;
    for (auto row = rows.begin(); row != rows.end(); ++row) {
      const bool beaten = gains[static_cast<size_t>(row - rows.begin())] < most - slack;
      if (!beaten && std::find(rows.begin(), row, *row) == row) open.push_back(row - rows.begin());
    }
    return open;
  }

  std::vector<double> exact_potentials(const std::vector<index_t>& rows, const std::vector<index_t>& open) const {
    const index_t some = static_cast<index_t>(open.size());
    std::vector<double> sums(static_cast<size_t>(chunks * some));
    parallel_for(run, chunks * some, [&](index_t task) {
      const index_t candidate = open[static_cast<size_t>(task % some)], row = rows[static_cast<size_t>(candidate)];
      const Mask bit = Mask{1} << candidate;
      sums[static_cast<size_t>(task)] = sum_of_chunk(task / some, [&](index_t i) {
        return nearer[static_cast<size_t>(i)] & bit ? distance(i, row) : closest[static_cast<size_t>(i)];
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
  if (p.block == 1 && p.trials > Seeding::kMost) throw std::invalid_argument("Expected at most 32 trials.");
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
      total = seeding.take_best(rows, total, p.chosen[c++]);
    } else {
      for (const index_t row : rows) p.chosen[c++] = static_cast<std::int32_t>(row);
      total = seeding.take_block(rows);
    }
  }
}
