// Greedy k-means++ and, where `block` centroids are drawn per round, k-means|| (Bahmani et al. 2012) ending at exactly k.
// Sums run over fixed chunks of rows, so that they do not depend on the number of threads.

struct Seeding {
  static constexpr index_t kChunk = 1024;
  static constexpr int kTogether = 8;  // candidates whose distances one pass over a row takes
  const Run& run;
  const KMeansPlusPlus& p;
  std::vector<double> closest, chunk_sums;

  Seeding(const Run& run, const KMeansPlusPlus& p)
      : run(run), p(p), closest(static_cast<size_t>(p.points.rows), INFINITY),
        chunk_sums(static_cast<size_t>(ceil_div(p.points.rows, kChunk))) {}

  // Squared distances of x to Count candidates: x is read once, the sums stay in registers.
  template <int Count>
  static void distances_to(const float* x, const float* const* candidates, index_t d, double* out) {
    F sum[Count];
    for (int c = 0; c < Count; c++) sum[c] = zero();
    index_t k = 0;
    for (; k + W <= d; k += W) {
      const F value = load(x + k);
#pragma GCC unroll 8
      for (int c = 0; c < Count; c++) {
        const F difference = sub(value, load(candidates[c] + k));
        sum[c] = fma(difference, difference, sum[c]);
      }
    }
    for (int c = 0; c < Count; c++) {
      float lanes[W];
      store(lanes, sum[c]);
      double total = dsum(dadd(dload_floats(lanes), dload_floats(lanes + W / 2)));
      for (index_t j = k; j < d; j++) {
        const double difference = static_cast<double>(x[j]) - candidates[c][j];
        total += difference * difference;
      }
      out[c] = total;
    }
  }

  void distances(const float* x, const float* const* candidates, int count, double* out) const {
    using Distances = void (*)(const float*, const float* const*, index_t, double*);
    static constexpr Distances by_count[kTogether] = {distances_to<1>, distances_to<2>, distances_to<3>, distances_to<4>,
                                                      distances_to<5>, distances_to<6>, distances_to<7>, distances_to<8>};
    by_count[count - 1](x, candidates, p.points.cols, out);
  }

  // The potential (summed squared distance to the nearest centroid) with each of `rows` added alone.
  std::vector<double> potentials(const std::vector<index_t>& rows) const {
    const index_t n = p.points.rows, count = static_cast<index_t>(rows.size());
    const index_t chunks = static_cast<index_t>(chunk_sums.size());
    std::vector<const float*> candidates;
    for (const index_t row : rows) candidates.push_back(p.points.row(row));
    std::vector<double> sums(static_cast<size_t>(chunks * count), 0.0);
    parallel_for(run, chunks, [&](index_t task) {
      double* sum = sums.data() + task * count;
      double now[kTogether];
      for (index_t i = task * kChunk; i < std::min(n, (task + 1) * kChunk); i++) {
        for (index_t c0 = 0; c0 < count; c0 += kTogether) {
          const int some = static_cast<int>(std::min<index_t>(kTogether, count - c0));
          distances(p.points.row(i), candidates.data() + c0, some, now);
          for (int c = 0; c < some; c++) sum[c0 + c] += std::min(closest[static_cast<size_t>(i)], now[c]);
        }
      }
    });
    std::vector<double> totals(static_cast<size_t>(count), 0.0);
    for (size_t s = 0; s < sums.size(); s++) totals[s % static_cast<size_t>(count)] += sums[s];
    return totals;
  }

  // Makes `row` a centroid; returns the new potential.
  double take(index_t row) {
    const float* centroid = p.points.row(row);
    for_chunks([&](index_t i) {
      double now;
      distances(p.points.row(i), &centroid, 1, &now);
      closest[static_cast<size_t>(i)] = std::min(closest[static_cast<size_t>(i)], now);
    });
    return sum_up();
  }

  // Makes all of `rows` centroids: their nearest by the packed product, its distance exactly.
  double take_block(const std::vector<index_t>& rows) {
    const index_t n = p.points.rows, d = p.points.cols, count = static_cast<index_t>(rows.size());
    std::vector<float> block(static_cast<size_t>(count * d));
    for (index_t c = 0; c < count; c++) {
      const float* row = p.points.row(rows[static_cast<size_t>(c)]);
      std::copy(row, row + d, block.begin() + c * d);
    }
    const CentroidSet centroids(run, block.data(), count, d);
    const index_t chunk = assign_rows(n, count, d);
    parallel_for(run, ceil_div(n, chunk), [&](index_t task) {
      double norms[512];
      assign_chunk(Rows{p.points.data, d, n}, task * chunk, std::min(chunk, n - task * chunk), centroids, norms,
                   [&](index_t i, const float* x, const NearestTwo& two, bool) {
                     double& nearest = closest[static_cast<size_t>(task * chunk + i)];
                     nearest = std::min(nearest, squared_difference(x, block.data() + two.label * d, d));
                   });
    });
    return sum_up();
  }

  template <class Body>
  void for_chunks(Body&& body) const {
    parallel_for(run, static_cast<index_t>(chunk_sums.size()), [&](index_t task) {
      for (index_t i = task * kChunk; i < std::min(p.points.rows, (task + 1) * kChunk); i++) body(i);
    });
  }

  double sum_up() {
    std::fill(chunk_sums.begin(), chunk_sums.end(), 0.0);
    for_chunks([&](index_t i) { chunk_sums[static_cast<size_t>(i / kChunk)] += closest[static_cast<size_t>(i)]; });
    double total = 0;
    for (const double sum : chunk_sums) total += sum;
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
  Seeding seeding(run, p);
  p.chosen[0] = static_cast<std::int32_t>(std::min<index_t>(n - 1, static_cast<index_t>(p.uniforms[0] * static_cast<double>(n))));
  double total = seeding.take(p.chosen[0]);
  if (!std::isfinite(total)) throw_first_not_finite(p.points, "points");
  for (index_t c = 1; c < p.k;) {
    const bool greedy = p.block == 1;
    const index_t draws = greedy ? p.trials : std::min(p.block, p.k - c);
    std::vector<index_t> rows;
    for (index_t t = 0; t < draws; t++) rows.push_back(seeding.draw(p.uniforms[greedy ? c * p.trials + t : c + t] * total));
    if (greedy) {
      const std::vector<double> potentials = seeding.potentials(rows);
      rows = {rows[static_cast<size_t>(std::min_element(potentials.begin(), potentials.end()) - potentials.begin())]};
    }
    for (const index_t row : rows) p.chosen[c++] = static_cast<std::int32_t>(row);
    total = greedy ? seeding.take(rows[0]) : seeding.take_block(rows);
  }
}
