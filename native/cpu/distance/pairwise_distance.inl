// pairwiseDistance: the distance is made from the product while the tile is in registers, and written once. Up to 16 dimensions
// euclidean distances are summed directly.

template <bool Direct>
struct DistanceEpilogue {
  const PairwiseDistance& p;
  const float *a, *b;        // this batch's rows; a from the chunk's first row on
  const float *factor_a, *factor_b;  // squared norms; inverse norms for cosine
  float* out;                // the chunk's first row
  index_t rows;
  bool streaming;
  index_t lead;  // columns that the packed panels have before the first of b, which are nobody's
  float least;  // above this direct sums can be trusted
  float share;  // of the norms, above which a distance can be trusted

  void finish() { if (streaming) stream_fence(); }

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) {
    const index_t column = j0 - lead;
    if (column >= 0 && column + NR <= p.b.rows && i0 + MR <= rows) {
      if (streaming ? whole<true>(c, i0, column) : whole<false>(c, i0, column)) return;
    }
    part(c, i0, column);
  }

  template <bool Streaming>
  EAT_ALWAYS_INLINE bool whole(Accumulators& c, index_t i0, index_t column) const {
    switch (p.metric) {
      case Metric::sqeuclidean: return whole<Streaming, Metric::sqeuclidean>(c, i0, column);
      case Metric::euclidean: return whole<Streaming, Metric::euclidean>(c, i0, column);
      case Metric::dot: return !Direct && whole<Streaming, Metric::dot>(c, i0, column);
      case Metric::cosine: break;
    }
    return !Direct && whole<Streaming, Metric::cosine>(c, i0, column);
  }

  // Of rows and columns that are all there; false where not all distances can be trusted, and `part` has to make them once more.
  template <bool Streaming, Metric metric>
  EAT_ALWAYS_INLINE bool whole(Accumulators& c, index_t i0, index_t column) const {
    const index_t m = p.b.rows;
    M fine = le(zero(), zero());
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      const F fa = set1(factor_a[i0 + i]);
      float* row = out + (i0 + i) * m + column;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        M trusted;
        const F value = distance<metric>(c[i][j], fa, load(factor_b + column + j * W), trusted);
        fine = mask_and(fine, trusted);
        if (Streaming) stream(row + j * W, value);
        else store(row + j * W, value);
      }
    }
    return bits(fine) == (1ull << W) - 1;
  }

  EAT_ALWAYS_INLINE void part(Accumulators& c, index_t i0, index_t column) const {
    const index_t m = p.b.rows;
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i0 + i >= rows) continue;
      const F fa = set1(factor_a[i0 + i]);
      float* row = out + (i0 + i) * m;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t first = column + j * W, left = m - first;
        if (left <= 0) continue;
        M trusted;
        const F value = distance(c[i][j], fa, load(factor_b + first), trusted);
        const unsigned lanes = static_cast<unsigned>(((left >= W ? (1ull << W) : (1ull << left)) - 1) & ~(first < 0 ? (1ull << -first) - 1 : 0));
        const unsigned direct = ~bits(trusted) & lanes;
        if (first < 0) store_lanes(row + first, value, lanes);
        else if (left >= W) store(row + first, value);
        else store_partial(row + first, value, static_cast<int>(left));
        if (__builtin_expect(direct != 0, 0)) fix(direct, i0 + i, first, row + first);
      }
    }
  }

  EAT_ALWAYS_INLINE F distance(F sum, F fa, F fb, M& trusted) const {
    switch (p.metric) {
      case Metric::sqeuclidean: return distance<Metric::sqeuclidean>(sum, fa, fb, trusted);
      case Metric::euclidean: return distance<Metric::euclidean>(sum, fa, fb, trusted);
      case Metric::dot: return distance<Metric::dot>(sum, fa, fb, trusted);
      case Metric::cosine: break;
    }
    return distance<Metric::cosine>(sum, fa, fb, trusted);
  }

  // Of a product, or of the sum of squared differences where Direct, and whether it can be trusted.
  template <Metric metric>
  EAT_ALWAYS_INLINE F distance(F sum, F fa, F fb, M& trusted) const {
    if (metric == Metric::cosine) {
      const F value = min(set1(2.0f), max(zero(), fnma(mul(sum, fa), fb, set1(1.0f))));  // in this order NaN stays NaN
      trusted = lt(set1(share), value);
      return value;
    }
    const F total = add(fa, fb);
    if (metric == Metric::dot) {
      // What left float's range on the way, or may have, has NaN in this sum.
      trusted = le(zero(), add(sub(sum, sum), total));
      return sum;
    }
    // A direct sum is taken again only where its squares may leave float's range, which NaN in the factors tells too.
    const F value = max(zero(), Direct ? sum : fnma(set1(2.0f), sum, total));
    trusted = lt(Direct ? fma(zero(), total, set1(least)) : mul(set1(share), total), value);
    return metric == Metric::euclidean ? sqrt(value) : value;
  }

  __attribute__((noinline)) static void store_lanes(float* row, F value, unsigned lanes) {
    float values[W];
    store(values, value);
    for (; lanes != 0; lanes &= lanes - 1) row[__builtin_ctz(lanes)] = values[__builtin_ctz(lanes)];
  }

  __attribute__((noinline)) void fix(unsigned lanes, index_t i, index_t j, float* row) const {
    const index_t d = p.a.cols;
    for (; lanes != 0; lanes &= lanes - 1) {
      const int lane = __builtin_ctz(lanes);
      const float *x = a + i * d, *y = b + (j + lane) * d;
      row[lane] = static_cast<float>(direct(x, y, d));
    }
  }

  double direct(const float* x, const float* y, index_t d) const {
    switch (p.metric) {
      case Metric::sqeuclidean: return squared_difference(x, y, d);
      case Metric::euclidean: return std::sqrt(squared_difference(x, y, d));
      case Metric::dot: return product_in_order(x, y, d);
      case Metric::cosine: break;
    }
    const double nx = squared_norm(x, d), ny = squared_norm(y, d);
    if (nx == 0 || ny == 0) return 1;
    return squared_difference(x, y, d, 1 / std::sqrt(nx), 1 / std::sqrt(ny)) / 2;
  }
};

// Per row what the epilogue multiplies or adds: squared norm, or inverse norm for cosine; NaN sends the row to `direct`.
inline void distance_factors(Metric metric, const double* squared, index_t count, float* out) {
  for (index_t i = 0; i < count; i++) {
    const float norm = usable_norm(squared[i]);
    if (metric != Metric::cosine) out[i] = norm;
    else out[i] = norm == 0 ? 0.0f : static_cast<float>(1 / std::sqrt(squared[i])) * (norm / norm);
  }
}

constexpr index_t kLine = 16;  // floats of a line of memory

// Packs the rows of b, after `lead` columns that are nobody's.
inline void pack_after(const Run& run, index_t lead, const Rows& b, PackedPanels& panels) {
  if (lead == 0) return panels.pack(run, b);
  std::vector<index_t> places(static_cast<size_t>(b.count + lead));
  for (index_t i = lead; i < b.count + lead; i++) places[static_cast<size_t>(i)] = i - lead;
  panels.pack(run, PickedRows{b.data, b.stride, b.count + lead, places.data()});
}

// A large result is written past the caches. Tiles then have to lie on whole lines of memory, else every line is written twice, by parts;
// as JavaScript's own arrays begin 16 bytes into a line, the first tile of a row has less of it than others.
inline void pairwise_distance(const Run& run, const PairwiseDistance& p) {
  const index_t n = p.a.rows, m = p.b.rows, d = p.a.cols;
  const Buffer norms(static_cast<size_t>(n + m) * sizeof(double));
  const Buffer factors(static_cast<size_t>(n + m + 3 * NR) * sizeof(float));
  double* squared = norms.as<double>();
  float *factor_a = factors.as<float>(), *factor_b = factor_a + n + NR;
  for (index_t batch = 0; batch < p.a.batch; batch++) {
    const float *a = p.a.data + batch * n * d, *b = p.b.data + batch * m * d;
    const bool finite = squared_norms(run, a, n, d, squared) & squared_norms(run, b, m, d, squared + n);
    if (!finite && run.check_finite) require_finite(p.a, "a", p.b, "b");
    distance_factors(p.metric, squared, n, factor_a);
    distance_factors(p.metric, squared + n, m, factor_b);
    float* out = p.out + batch * n * m;
    const bool streaming = n * m > (index_t{1} << 22) && m % kLine == 0;
    const index_t lead = streaming ? static_cast<index_t>(reinterpret_cast<std::uintptr_t>(out) / sizeof(float) % kLine) : 0;
    PackedPanels panels(m + lead, d);
    pack_after(run, lead, Rows{b, d, m}, panels);
    const bool euclidean = p.metric == Metric::sqeuclidean || p.metric == Metric::euclidean, direct = euclidean && d <= kDirectDimensions;
    const bool normal = direct && differences_stay_normal(run, a, n * d) && differences_stay_normal(run, b, m * d);
    const float share = cancellation_share(d);
    const float least = normal ? -1.0f : kLeastSquare;
    const auto compute = [&](auto direct) {
      constexpr bool Direct = decltype(direct)::value;
      using Step = std::conditional_t<Direct, SquaredDifferences, Products>;
      multiply_blocks<Step>(run, Rows{a, d, n}, n, panels, [&](index_t row0, index_t rows) {
        return DistanceEpilogue<Direct>{p, a + row0 * d, b, factor_a + row0, factor_b, out + row0 * m, rows, streaming, lead, least, share};
      });
    };
    if (direct) compute(std::true_type{}); else compute(std::false_type{});
  }
}
