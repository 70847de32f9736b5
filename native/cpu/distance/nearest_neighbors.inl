// nearestNeighbors: the epilogue keeps per row a heap of the k best keys and a few more; these are ranked in double. A row whose
// k-th distance is not clear of what the heap dropped, by the rounding bound, is ranked over all points.

struct Candidate {
  float key;
  std::int32_t index;
  bool operator<(const Candidate& o) const { return key < o.key || (key == o.key && index < o.index); }
};

struct Neighbor {
  double distance;
  std::int32_t index;
  bool operator<(const Neighbor& o) const { return distance < o.distance || (distance == o.distance && index < o.index); }
};

constexpr index_t kSpareCandidates = 8;

// Keys rank the points of one query: |y|^2 - 2 x.y, -x.y/|y| or -x.y.
struct TopEpilogue {
  const float* column_factor;  // |y|^2 (padded with +Inf), 1/|y|
  Metric metric;
  index_t columns, first_row, keep;
  bool exclude_self;
  float* worst;                // per row: the largest kept key once the heap is full
  Candidate* heaps;
  index_t* sizes;
  index_t rows;

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i0 + i >= rows) continue;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const F factor = load(column_factor + j0 + j * W);
        F key = sub(zero(), c[i][j]);
        if (metric == Metric::cosine) key = mul(key, factor);
        else if (metric != Metric::dot) key = fnma(set1(2.0f), c[i][j], factor);
        const unsigned lanes = bits(lt(key, set1(worst[i0 + i])));
        if (lanes != 0) push(lanes, key, i0 + i, j0 + j * W);
      }
    }
  }

  __attribute__((noinline)) void push(unsigned lanes, F keys, index_t i, index_t j) {
    float key[W];
    store(key, keys);
    Candidate* heap = heaps + i * keep;
    for (; lanes != 0; lanes &= lanes - 1) {
      const int lane = __builtin_ctz(lanes);
      const index_t column = j + lane;
      if (column >= columns || (exclude_self && column == first_row + i) || !(key[lane] < worst[i])) continue;
      if (sizes[i] == keep) std::pop_heap(heap, heap + sizes[i]--);
      heap[sizes[i]++] = {key[lane], static_cast<std::int32_t>(column)};
      std::push_heap(heap, heap + sizes[i]);
      if (sizes[i] == keep) worst[i] = heap[0].key;
    }
  }
};

inline double neighbor_distance(Metric metric, const float* x, double nx, const float* y, double ny, index_t d) {
  if (metric == Metric::dot) return -product_in_order(x, y, d);
  if (metric != Metric::cosine) return squared_difference_in_order(x, y, d);
  if (nx == 0 || ny == 0) return 1;
  const double sx = 1 / std::sqrt(nx), sy = 1 / std::sqrt(ny);
  double s = 0;
  for (index_t k = 0; k < d; k++) {
    const double t = sx * x[k] - sy * y[k];
    s += t * t;
  }
  return s / 2;
}

// Squared norms as the JavaScript reference sums them, several rows side by side.
inline void squared_norms_in_order(const Run& run, const float* data, index_t count, index_t d, double* out) {
  constexpr index_t together = 8;
  parallel_for(run, ceil_div(count, together), [&](index_t task) {
    const index_t first = task * together, rows = std::min(together, count - first);
    double sums[together] = {};
    for (index_t k = 0; k < d; k++) {
      for (index_t r = 0; r < rows; r++) {
        const double x = data[(first + r) * d + k];
        sums[r] += x * x;
      }
    }
    std::copy(sums, sums + rows, out + first);
  });
}

struct NeighborSearch {
  const NearestNeighbors& p;
  const float *queries, *points;  // of this batch
  const double *query_norms, *point_norms;
  const PackedPanels& panels;
  const float* column_factor;
  double largest_norm;
  bool trusted;  // norms are in float's comfortable range

  double distance(index_t q, index_t j) const {
    const index_t d = p.points.cols;
    return neighbor_distance(p.metric, queries + q * d, query_norms[q], points + j * d, point_norms[j], d);
  }

  // The error of a key, as a difference of distances.
  double bound(index_t q) const {
    const double share = rounding_share(p.points.cols);
    if (p.metric == Metric::cosine) return 4 * share;
    if (p.metric == Metric::dot) return share * std::sqrt(query_norms[q] * largest_norm);
    return share * (query_norms[q] + largest_norm);
  }

  double key_to_distance(index_t q, double key) const {
    if (p.metric == Metric::cosine) return query_norms[q] == 0 ? 1 : 1 + key / std::sqrt(query_norms[q]);
    return p.metric == Metric::dot ? key : key + query_norms[q];
  }

  void rank(index_t q, const Candidate* heap, index_t size, double worst, std::vector<Neighbor>& found) const {
    found.clear();
    for (index_t c = 0; c < size; c++) found.push_back({distance(q, heap[c].index), heap[c].index});
    const auto kth = found.begin() + p.k - 1;
    const bool complete = size == p.points.rows - (p.exclude_self ? 1 : 0);
    if (!complete) {
      if (size >= p.k) std::nth_element(found.begin(), kth, found.end());
      if (size < p.k || !trusted || !(kth->distance < key_to_distance(q, worst) - 2 * bound(q))) {
        found.clear();
        for (index_t j = 0; j < p.points.rows; j++) {
          if (!(p.exclude_self && j == q)) found.push_back({distance(q, j), static_cast<std::int32_t>(j)});
        }
      }
    }
    std::partial_sort(found.begin(), found.begin() + p.k, found.end());
  }

  void write(index_t q, index_t batch, const std::vector<Neighbor>& found) const {
    const index_t at = (batch * p.queries.rows + q) * p.k;
    for (index_t c = 0; c < p.k; c++) {
      const double value = found[static_cast<size_t>(c)].distance;
      p.indices[at + c] = found[static_cast<size_t>(c)].index;
      p.distances[at + c] = static_cast<float>(p.metric == Metric::euclidean ? std::sqrt(value)
                                               : p.metric == Metric::dot     ? -value
                                                                             : value);
    }
  }

  void search(index_t row0, index_t count, index_t batch) const {
    const index_t keep = std::min(p.points.rows, p.k + kSpareCandidates);
    std::vector<Candidate> heaps(static_cast<size_t>(count * keep));
    std::vector<float> worst(static_cast<size_t>(count), INFINITY);
    std::vector<index_t> sizes(static_cast<size_t>(count), 0);
    TopEpilogue epilogue{column_factor, p.metric, p.points.rows, row0,         keep, p.exclude_self,
                         worst.data(),  heaps.data(), sizes.data(), count};
    multiply_chunk(Rows{queries, p.points.cols, row0 + count}, row0, count, panels, 0, panels.panels, epilogue);
    std::vector<Neighbor> found;
    for (index_t i = 0; i < count; i++) {
      const size_t at = static_cast<size_t>(i);
      rank(row0 + i, heaps.data() + i * keep, sizes[at], worst[at], found);
      write(row0 + i, batch, found);
    }
  }
};

inline void nearest_neighbors(const Run& run, const NearestNeighbors& p) {
  const index_t q = p.queries.rows, n = p.points.rows, d = p.points.cols;
  std::vector<double> norms(static_cast<size_t>(q + n));
  double *query_norms = norms.data(), *point_norms = norms.data() + q;
  for (index_t batch = 0; batch < p.points.batch; batch++) {
    const float *queries = p.queries.data + batch * q * d, *points = p.points.data + batch * n * d;
    const bool finite = squared_norms(run, queries, q, d, query_norms) & squared_norms(run, points, n, d, point_norms);
    if (!finite && run.check_finite) require_finite(p.queries, "queries", p.points, "points");
    if (p.metric == Metric::cosine) {  // ranked by these
      squared_norms_in_order(run, queries, q, d, query_norms);
      squared_norms_in_order(run, points, n, d, point_norms);
    }
    PackedPanels panels(n, d);
    panels.pack(run, Rows{points, d, n});
    std::vector<float> factor(static_cast<size_t>(panels.panels * NR), INFINITY);
    double largest = 0;
    bool trusted = true;
    const auto usable = [](double norm) { return norm == 0 || (norm > 1e-30 && norm < 1e30); };
    for (index_t j = 0; j < n; j++) {
      largest = std::max(largest, point_norms[j]);
      trusted = trusted && usable(point_norms[j]);
      const double inverse = point_norms[j] == 0 ? 0 : 1 / std::sqrt(point_norms[j]);
      factor[static_cast<size_t>(j)] = static_cast<float>(p.metric == Metric::cosine ? inverse : point_norms[j]);
    }
    for (index_t i = 0; i < q; i++) trusted = trusted && usable(query_norms[i]);
    const NeighborSearch search{p, queries, points, query_norms, point_norms, panels, factor.data(), largest, trusted};
    const index_t chunk = chunk_rows(q, n, d);
    parallel_for(run, ceil_div(q, chunk), [&](index_t task) {
      search.search(task * chunk, std::min(chunk, q - task * chunk), batch);
    });
  }
}
