// The short product of k-means: rows and centroids in the few coordinates of kmeans_pruning.inl, one product a quarter as long.
// Centroids whose bound is not above the row's own distance are compared in full; a row with too many of them is given up.

class ShortProduct {
 public:
  ShortProduct(const Run& run, const float* points, index_t n, index_t d, DistanceBounds& bounds, bool wanted)
      : run(run), points(points), n(n), d(d), bounds(bounds), wanted(wanted) {}

  bool useful() const { return wanted; }

  // What a row costs that it settles, as a share of the full product.
  static constexpr double kPrice = 0.3;

  // Settles the rows that it can settle, and returns the others. Is not useful any more where these are most; whether it will
  // be is first tried on some of the rows.
  std::vector<index_t> settle(const std::vector<index_t>& open, const float* centroids, index_t k, std::int32_t* labels) {
    if (!subspace) subspace = std::make_unique<Subspace>(run, points, n, d, d / 4 - 1);
    const Operands c(run, *subspace, centroids, k);
    if (!projected && !(wanted = promises(open, c, labels))) return open;
    if (!projected) projected = std::make_unique<Projected>(run, *subspace, points, n);
    if (!(wanted = in_range(*projected, c))) return open;
    const index_t count = static_cast<index_t>(open.size()), chunk = chunk_rows(count, k, c.of.width);
    std::vector<std::vector<index_t>> left(static_cast<size_t>(ceil_div(count, chunk)));
    parallel_for(run, static_cast<index_t>(left.size()), [&](index_t task) {
      const index_t first = task * chunk, rows = std::min(chunk, count - first);
      settle_chunk(*projected, open.data() + first, open.data() + first, rows, c, labels, left[static_cast<size_t>(task)]);
    });
    std::vector<index_t> hard;
    for (const auto& some : left) hard.insert(hard.end(), some.begin(), some.end());
    wanted = pays(hard.size(), open.size());
    return hard;
  }

 private:
  const Run& run;
  const float* points;
  index_t n, d;
  DistanceBounds& bounds;
  bool wanted;
  std::unique_ptr<Subspace> subspace;
  std::unique_ptr<Projected> projected;

  // Centroids, projected and packed.
  struct Operands {
    const float* data;
    Projected of;
    PackedPanels panels;
    std::vector<float> squared;

    Operands(const Run& run, const Subspace& subspace, const float* centroids, index_t k)
        : data(centroids), of(run, subspace, centroids, k), panels(k, of.width), squared(static_cast<size_t>(panels.panels * NR), INFINITY) {
      panels.pack(run, Rows{of.rows, of.width, k});
      for (index_t j = 0; j < k; j++) squared[static_cast<size_t>(j)] = static_cast<float>(squared_norm(of.rows + j * of.width, of.width));
    }
  };

  static bool pays(size_t hard, size_t rows) { return static_cast<double>(rows - hard) > kPrice * static_cast<double>(rows); }

  // Whether float holds the products; the bounds' margins are for those.
  static bool in_range(const Projected& x, const Operands& c) { return std::max(x.largest, c.of.largest) < 1e30 && x.largest > 1e-30; }

  bool promises(const std::vector<index_t>& open, const Operands& c, std::int32_t* labels) const {
    const index_t count = static_cast<index_t>(open.size()), some = std::min<index_t>(count, 240);
    std::vector<float> sample(static_cast<size_t>(some * d));
    std::vector<index_t> rows(static_cast<size_t>(some)), places(static_cast<size_t>(some)), hard;
    for (index_t i = 0; i < some; i++) {
      places[static_cast<size_t>(i)] = i;
      rows[static_cast<size_t>(i)] = open[static_cast<size_t>(i * count / some)];
      const float* x = points + rows[static_cast<size_t>(i)] * d;
      std::copy(x, x + d, sample.data() + i * d);
    }
    const Projected few(run, *subspace, sample.data(), some);
    if (!in_range(few, c)) return false;
    settle_chunk(few, places.data(), rows.data(), some, c, labels, hard);
    return pays(hard.size(), rows.size());
  }

  // Rows `rows`, which lie at `places` of `x`. Centroids that survive are compared in full; the least bound of the others is the
  // row's new lower bound.
  void settle_chunk(const Projected& x, const index_t* places, const index_t* rows, index_t count, const Operands& c,
                    std::int32_t* labels, std::vector<index_t>& hard) const {
    constexpr std::int32_t most = SurvivorEpilogue::kMost;
    const PickedRows picked{x.rows, x.width, count, places};
    float limits[256], *least = scratch(2, count * W);
    double margins[256];
    std::int32_t columns[256 * most], counts[256] = {};
    std::fill(least, least + count * W, INFINITY);
    for (index_t i = 0; i < count; i++) {
      const size_t place = static_cast<size_t>(places[i]);
      const double total = x.norms[place] + c.of.largest;
      margins[i] = 8 * rounding_share(d) * total + static_cast<double>(d) * 0x1p-146 + 2 * std::sqrt(total) * (x.errors[place] + c.of.largest_error);
      const double limit = (bounds.own[static_cast<size_t>(rows[i])] + margins[i]) * (1 + 1e-5) - squared_norm(picked.row(i), x.width);
      limits[i] = static_cast<float>(limit + std::fabs(limit) * 1e-6);
    }
    SurvivorEpilogue epilogue{c.squared.data(), limits, columns, counts, least, count};
    multiply_chunk(picked, 0, count, c.panels, 0, c.panels.panels, epilogue);
    for (index_t i = 0; i < count; i++) {
      const index_t row = rows[i];
      const size_t at = static_cast<size_t>(row);
      if (counts[i] > most) {
        hard.push_back(row);
        continue;
      }
      std::int32_t some[most + 1] = {labels[row]};
      std::copy(columns + i * most, columns + i * most + counts[i], some + 1);
      const NearestOfSome of = nearest_of(points + row * d, c.data, d, some, counts[i] + 1);
      const double bound = (hmin(load(least + i * W)) + squared_norm(picked.row(i), x.width)) * (1 - 1e-5) - margins[i];
      bounds.lower[at] = std::sqrt(std::max(0.0, std::min(of.second, bound))) * kDown;
      labels[row] = of.label;
      bounds.own[at] = of.best;
    }
  }
};
