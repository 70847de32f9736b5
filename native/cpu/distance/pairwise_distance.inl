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
  float least;  // above this direct sums can be trusted
  float share;  // of the norms, above which a distance can be trusted

  void finish() { if (streaming) stream_fence(); }

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) {
    const index_t m = p.b.rows;
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i0 + i >= rows) continue;
      const F fa = set1(factor_a[i0 + i]);
      float* row = out + (i0 + i) * m + j0;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t left = m - j0 - j * W;
        if (left <= 0) continue;
        const F fb = load(factor_b + j0 + j * W);
        F value = c[i][j];
        M trusted;
        if (p.metric == Metric::cosine) {
          value = fnma(mul(value, fa), fb, set1(1.0f));
          value = min(set1(2.0f), max(zero(), value));  // in this order NaN stays NaN
          trusted = lt(set1(share), value);
        } else if (p.metric == Metric::dot) {
          // What left float's range on the way, or may have, has NaN in this sum.
          trusted = le(zero(), add(sub(value, value), add(fa, fb)));
        } else {
          const F total = add(fa, fb);
          // A direct sum is taken again only where its squares may leave float's range, which NaN in the factors tells too.
          value = max(zero(), Direct ? value : fnma(set1(2.0f), value, total));
          trusted = lt(Direct ? fma(zero(), total, set1(least)) : mul(set1(share), total), value);
        }
        unsigned direct = ~bits(trusted) & ((left >= W ? (1ull << W) : (1ull << left)) - 1);
        if (p.metric == Metric::euclidean) value = sqrt(value);
        if (streaming && left >= W) stream(row + j * W, value);
        else if (left >= W) store(row + j * W, value);
        else store_partial(row + j * W, value, static_cast<int>(left));
        if (__builtin_expect(direct != 0, 0)) fix(direct, i0 + i, j0 + j * W, row + j * W);
      }
    }
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

// Rows are written past the caches where all begin at a multiple of so many floats. A tile that is no wider than a line of memory has to lie
// on one: else every line is written twice, by parts. JavaScript's own arrays begin 16 bytes into a line.
constexpr index_t kStreamed = NR <= 16 ? 16 : 4;

inline void pairwise_distance(const Run& run, const PairwiseDistance& p) {
  const index_t n = p.a.rows, m = p.b.rows, d = p.a.cols;
  const Buffer norms(static_cast<size_t>(n + m) * sizeof(double));
  const Buffer factors(static_cast<size_t>(n + m + 2 * NR) * sizeof(float));
  double* squared = norms.as<double>();
  float *factor_a = factors.as<float>(), *factor_b = factor_a + n;
  for (index_t batch = 0; batch < p.a.batch; batch++) {
    const float *a = p.a.data + batch * n * d, *b = p.b.data + batch * m * d;
    const bool finite = squared_norms(run, a, n, d, squared) & squared_norms(run, b, m, d, squared + n);
    if (!finite && run.check_finite) require_finite(p.a, "a", p.b, "b");
    distance_factors(p.metric, squared, n, factor_a);
    distance_factors(p.metric, squared + n, m, factor_b);
    PackedPanels panels(m, d);
    panels.pack(run, Rows{b, d, m});
    float* out = p.out + batch * n * m;
    const bool streaming = n * m > (index_t{1} << 22) && m % kStreamed == 0 && reinterpret_cast<std::uintptr_t>(out) % (4 * kStreamed) == 0;
    const bool euclidean = p.metric == Metric::sqeuclidean || p.metric == Metric::euclidean, direct = euclidean && d <= kDirectDimensions;
    const bool normal = direct && differences_stay_normal(run, a, n * d) && differences_stay_normal(run, b, m * d);
    const float share = cancellation_share(d);
    const float least = normal ? -1.0f : kLeastSquare;
    const auto compute = [&](auto direct) {
      constexpr bool Direct = decltype(direct)::value;
      using Step = std::conditional_t<Direct, SquaredDifferences, Products>;
      multiply_blocks<Step>(run, Rows{a, d, n}, n, panels, [&](index_t row0, index_t rows) {
        return DistanceEpilogue<Direct>{p, a + row0 * d, b, factor_a + row0, factor_b, out + row0 * m, rows, streaming, least, share};
      });
    };
    if (direct) compute(std::true_type{}); else compute(std::false_type{});
  }
}
