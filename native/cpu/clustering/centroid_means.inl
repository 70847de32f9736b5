// centroidMeans: rows are sorted by label (counting sort, stable), cut into segments of fixed length, each summed in double in
// index order; the segments of a label are added in order. Same bits for any number of threads.

constexpr index_t kSegmentRows = 1024;

struct LabelSegments {
  std::vector<index_t> order;  // row indices, label by label
  struct Segment { index_t begin, end, label; };
  std::vector<Segment> segments;
  std::vector<index_t> first;  // per label: its first segment; one more at the end

  // Rows whose label lies outside [0, k) are in no segment.
  LabelSegments(const std::int32_t* labels, index_t n, index_t k)
      : order(static_cast<size_t>(n)), first(static_cast<size_t>(k + 1)) {
    std::vector<index_t> start(static_cast<size_t>(k + 1), 0);
    const auto counts = [k](std::int32_t label) { return label >= 0 && label < k; };
    for (index_t i = 0; i < n; i++) if (counts(labels[i])) start[static_cast<size_t>(labels[i]) + 1]++;
    for (size_t c = 0; c < static_cast<size_t>(k); c++) start[c + 1] += start[c];
    std::vector<index_t> place(start.begin(), start.end() - 1);
    for (index_t i = 0; i < n; i++) if (counts(labels[i])) order[static_cast<size_t>(place[static_cast<size_t>(labels[i])]++)] = i;
    for (index_t c = 0; c < k; c++) {
      first[static_cast<size_t>(c)] = static_cast<index_t>(segments.size());
      const index_t end = start[static_cast<size_t>(c) + 1];
      for (index_t b = start[static_cast<size_t>(c)]; b < end; b += kSegmentRows) {
        segments.push_back({b, std::min(end, b + kSegmentRows), c});
      }
    }
    first[static_cast<size_t>(k)] = static_cast<index_t>(segments.size());
  }
};

inline void add_row(double* sum, const float* x, index_t d, double weight) {
  const D w = dset1(weight);
  index_t j = 0;
  for (; j + W / 2 <= d; j += W / 2) dstore(sum + j, dfma(dload_floats(x + j), w, dload(sum + j)));
  for (; j < d; j++) sum[j] += weight * x[j];
}

// sums [k,d] and counts [k] of one matrix.
inline void label_sums(const Run& run, const float* points, const std::int32_t* labels, const float* weights, index_t n,
                       index_t k, index_t d, double* sums, double* counts) {
  const LabelSegments s(labels, n, k);
  const index_t total = static_cast<index_t>(s.segments.size());
  const Buffer memory(static_cast<size_t>(std::max<index_t>(1, total) * (d + 1)) * sizeof(double));
  double* partial = memory.as<double>();
  parallel_for(run, total, [&](index_t task) {
    const auto segment = s.segments[static_cast<size_t>(task)];
    double* sum = partial + task * (d + 1);
    std::fill(sum, sum + d + 1, 0.0);
    for (index_t i = segment.begin; i < segment.end; i++) {
      const index_t row = s.order[static_cast<size_t>(i)];
      const double weight = weights == nullptr ? 1.0 : weights[row];
      add_row(sum, points + row * d, d, weight);
      sum[d] += weight;
    }
  });
  const index_t block = std::max<index_t>(1, 4096 / d);
  parallel_for(run, ceil_div(k, block), [&](index_t task) {
    for (index_t c = task * block; c < std::min(k, (task + 1) * block); c++) {
      std::fill(sums + c * d, sums + (c + 1) * d, 0.0);
      counts[c] = 0;
      for (index_t t = s.first[static_cast<size_t>(c)]; t < s.first[static_cast<size_t>(c) + 1]; t++) {
        const double* part = partial + t * (d + 1);
        for (index_t j = 0; j < d; j++) sums[c * d + j] += part[j];
        counts[c] += part[d];
      }
    }
  });
}

inline void centroid_means(const Run& run, const CentroidMeans& p) {
  const index_t n = p.points.rows, k = p.k, d = p.points.cols;
  std::vector<double> own(p.sums == nullptr ? static_cast<size_t>(k * d) : 0);
  for (index_t batch = 0; batch < p.points.batch; batch++) {
    double* sums = p.sums == nullptr ? own.data() : p.sums + batch * k * d;
    double* counts = p.counts + batch * k;
    label_sums(run, p.points.data + batch * n * d, p.labels + batch * n,
               p.weights == nullptr ? nullptr : p.weights + batch * n, n, k, d, sums, counts);
    bool finite = true;
    for (index_t e = 0; e < k * d; e++) {
      finite = finite && std::isfinite(sums[e]);
      const double count = counts[e / d];
      p.means[batch * k * d + e] = count > 0 ? static_cast<float>(sums[e] / count) : 0.0f;
    }
    if (!finite && run.check_finite) throw_first_not_finite(p.points, "points");
  }
}
