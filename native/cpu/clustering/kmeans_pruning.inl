// Exact pruning for k-means. Points and centroids are projected once onto a subspace of `kept` orthonormal directions that hold
// much of the variance. With x = (y, r), the rest r known by its length alone, Cauchy-Schwarz gives
//   |x - c|^2 >= |y - q|^2 + (|r| - |s|)^2,
// which is a squared distance in kept + 1 coordinates: one short product decides which centroids can still be nearest. Those
// are compared in full, so labels are Lloyd's.

struct Subspace {
  index_t d, kept;
  std::vector<float> basis;  // [d, kept], orthonormal columns

  // Directions by one round of subspace iteration on up to 1024 evenly spaced rows. Any orthonormal basis is correct; this one
  // prunes well.
  Subspace(const Run& run, const float* points, index_t n, index_t d, index_t kept)
      : d(d), kept(kept), basis(static_cast<size_t>(d * kept)) {
    const index_t rows = std::min<index_t>(n, 1024);
    std::vector<float> sample(static_cast<size_t>(rows * d)), image(static_cast<size_t>(rows * kept));
    std::vector<double> mean(static_cast<size_t>(d), 0.0);
    for (index_t i = 0; i < rows; i++) {
      const float* x = points + i * n / rows * d;
      for (index_t j = 0; j < d; j++) {
        sample[static_cast<size_t>(i * d + j)] = x[j];
        mean[static_cast<size_t>(j)] += static_cast<double>(x[j]) / static_cast<double>(rows);
      }
    }
    for (index_t i = 0; i < rows; i++) {
      for (index_t j = 0; j < d; j++) sample[static_cast<size_t>(i * d + j)] -= static_cast<float>(mean[static_cast<size_t>(j)]);
    }
    std::uint64_t state = 0x9e3779b97f4a7c15ull;
    for (float& value : basis) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      value = static_cast<float>(static_cast<double>(state >> 40) / 0x1p23 - 1);
    }
    product(run, sample.data(), basis.data(), image.data(), rows, kept, d, false);
    product(run, sample.data(), image.data(), basis.data(), d, kept, rows, true);
    orthonormalize();
  }

  static void product(const Run& run, const float* a, const float* b, float* out, index_t m, index_t n, index_t k, bool transpose_a) {
    MatMul p;
    p.a = a, p.b = b, p.out = out, p.batch = 1, p.m = m, p.n = n, p.k = k, p.transpose_a = transpose_a;
    matmul(run, p);
  }

  // Gram-Schmidt, twice for orthogonality to rounding; a direction that vanishes becomes a unit vector first.
  void orthonormalize() {
    std::vector<double> columns(static_cast<size_t>(kept * d));
    for (index_t e = 0; e < d * kept; e++) columns[static_cast<size_t>(e % kept * d + e / kept)] = basis[static_cast<size_t>(e)];
    const auto dot = [this](const double* a, const double* b) {
      D s = dzero();
      index_t j = 0;
      for (; j + W / 2 <= d; j += W / 2) s = dfma(dload(a + j), dload(b + j), s);
      double sum = dsum(s);
      for (; j < d; j++) sum += a[j] * b[j];
      return sum;
    };
    for (index_t c = 0; c < kept; c++) {
      double* v = columns.data() + c * d;
      if (!(dot(v, v) > 1e-60)) std::fill(v, v + d, 0.0), v[c] = 1;
      for (int pass = 0; pass < 2; pass++) {
        for (index_t b = 0; b < c; b++) {
          const double* u = columns.data() + b * d;
          const double along = dot(u, v);
          for (index_t j = 0; j < d; j++) v[j] -= along * u[j];
        }
        const double length = std::sqrt(dot(v, v));
        for (index_t j = 0; j < d; j++) v[j] = length > 1e-30 ? v[j] / length : 0;
      }
    }
    for (index_t e = 0; e < d * kept; e++) basis[static_cast<size_t>(e)] = static_cast<float>(columns[static_cast<size_t>(e % kept * d + e / kept)]);
  }
};

// Rows in kept + 1 coordinates: the projection, and the length of the rest.
struct Projected {
  index_t width;
  Buffer memory;
  float* rows;
  std::vector<double> norms;   // |x|^2
  std::vector<double> errors;  // how far the last coordinate may be off
  double largest = 0, largest_error = 0;

  Projected(const Run& run, const Subspace& subspace, const float* points, index_t n)
      : width(subspace.kept + 1), memory(static_cast<size_t>(n * width) * sizeof(float)), rows(memory.as<float>()),
        norms(static_cast<size_t>(n)), errors(static_cast<size_t>(n)) {
    const index_t d = subspace.d, kept = subspace.kept;
    PackedPanels panels(kept, d);
    panels.pack(run, Columns{subspace.basis.data(), kept, kept});
    multiply_rows(run, Rows{points, d, n}, n, panels, [&](index_t row0, index_t count) {
      return StoreEpilogue{rows + row0 * width, width, count, kept, nullptr, Activation::none};
    });
    constexpr index_t block = 256;
    parallel_for(run, ceil_div(n, block), [&](index_t task) {
      for (index_t i = task * block; i < std::min(n, (task + 1) * block); i++) {
        const double norm = squared_norm(points + i * d, d);
        const double rest = std::max(0.0, norm - squared_norm(rows + i * width, kept));
        const double slack = 4 * rounding_share(d) * norm;  // of the squared length
        rows[i * width + kept] = static_cast<float>(std::sqrt(rest));
        norms[static_cast<size_t>(i)] = norm;
        errors[static_cast<size_t>(i)] = slack == 0 ? 0 : slack / std::max(std::sqrt(rest), std::sqrt(slack));
      }
    });
    for (index_t i = 0; i < n; i++) {
      largest = std::max(largest, norms[static_cast<size_t>(i)]);
      largest_error = std::max(largest_error, errors[static_cast<size_t>(i)]);
    }
  }
};

// Notes, per row, the columns whose lower bound does not exceed the row's limit, and the least bound of the others; a row with
// more than kMost columns is given up.
struct SurvivorEpilogue {
  static constexpr std::int32_t kMost = 12;
  const float* squared;   // |q|^2 by column, padded with +Inf
  const float* limits;    // by local row, on |q|^2 - 2 y.q
  std::int32_t* columns;  // [rows, kMost]
  std::int32_t* counts;   // [rows]; kMost + 1: given up
  float* least;           // [rows, W], by lane
  index_t rows;

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i0 + i >= rows) continue;
      const F limit = set1(limits[i0 + i]);
      F others = load(least + (i0 + i) * W);
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const F bound = fnma(set1(2.0f), c[i][j], load(squared + j0 + j * W));
        const M survives = le(bound, limit);
        others = min(others, select(survives, others, bound));
        if (const unsigned lanes = bits(survives); __builtin_expect(lanes != 0, 0)) note(lanes, i0 + i, j0 + j * W);
      }
      store(least + (i0 + i) * W, others);
    }
  }

  __attribute__((noinline)) void note(unsigned lanes, index_t i, index_t j) {
    for (; lanes != 0 && counts[i] <= kMost; lanes &= lanes - 1) {
      if (counts[i] < kMost) columns[i * kMost + counts[i]] = static_cast<std::int32_t>(j + __builtin_ctz(lanes));
      counts[i]++;
    }
  }
};

struct NearestOfSome {
  std::int32_t label;
  double best, second;  // squared distances; second +Inf where there was one
};

// The nearest of some centroids: by sums of lanes, and where these are within rounding, by the reference's own order.
inline NearestOfSome nearest_of(const float* x, const float* centroids, index_t d, const std::int32_t* some, index_t count) {
  NearestOfSome of{some[0], squared_difference(x, centroids + some[0] * d, d), INFINITY};
  for (index_t s = 1; s < count; s++) {
    if (some[s] == of.label) continue;
    const double distance = squared_difference(x, centroids + some[s] * d, d);
    bool nearer = distance < of.best;
    if (std::fabs(distance - of.best) <= 1e-12 * of.best) {
      const double a = squared_difference_in_order(x, centroids + some[s] * d, d);
      const double b = squared_difference_in_order(x, centroids + of.label * d, d);
      nearer = a < b || (a == b && some[s] < of.label);
    }
    if (nearer) {
      of = {some[s], distance, of.best};
    } else {
      of.second = std::min(of.second, distance);
    }
  }
  return of;
}
