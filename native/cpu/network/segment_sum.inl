// segment_sum: rows sorted by segment and cut into pieces as in centroid_means, each summed in double in the order of its rows. A
// segment of one piece is written at once, those of several are merged in order.

struct SegmentPieces {
  LabelSegments pieces;
  std::vector<index_t> slot;  // per segment: where the partial sums of its pieces begin; one more at the end

  explicit SegmentPieces(const SegmentSum& p) : pieces(p.ids, p.rows, p.segments), slot(static_cast<size_t>(p.segments) + 1) {
    for (size_t s = 0; s + 1 < slot.size(); s++) slot[s + 1] = slot[s] + (count(s) > 1 ? count(s) : 0);
  }
  index_t count(size_t segment) const { return pieces.first[segment + 1] - pieces.first[segment]; }
};

inline void round_row(const double* sum, float* out, index_t size) {
  for (index_t i = 0; i < size; i++) out[i] = static_cast<float>(sum[i]);
}

inline void sum_pieces(const Run& run, const SegmentSum& p, const SegmentPieces& s, double* partial) {
  const index_t total = static_cast<index_t>(s.pieces.segments.size());
  // Pieces of a task: about as many values as any other kernel's.
  const index_t together = std::max<index_t>(1, total * kElementsPerTask / (p.rows * p.inner));
  parallel_for(run, ceil_div(total, together), [&](index_t task) {
    const Buffer memory(static_cast<size_t>(p.inner) * sizeof(double));
    for (index_t at = task * together; at < std::min(total, (task + 1) * together); at++) {
      const auto [begin, end, label] = s.pieces.segments[static_cast<size_t>(at)];
      const size_t segment = static_cast<size_t>(label);
      const bool alone = s.count(segment) == 1;
      double* sum = alone ? memory.as<double>() : partial + (s.slot[segment] + at - s.pieces.first[segment]) * p.inner;
      std::fill(sum, sum + p.inner, 0.0);
      for (index_t i = begin; i < end; i++) add_row(sum, p.x + s.pieces.order[static_cast<size_t>(i)] * p.inner, p.inner, 1);
      if (alone) round_row(sum, p.out + label * p.inner, p.inner);
    }
  });
}

inline void segment_sum(const Run& run, const SegmentSum& p) {
  std::fill(p.out, p.out + p.segments * p.inner, 0.0f);
  const SegmentPieces s(p);
  const Buffer memory(static_cast<size_t>(s.slot.back() * p.inner) * sizeof(double));
  double* partial = memory.as<double>();
  sum_pieces(run, p, s, partial);
  for (index_t segment = 0; segment < p.segments; segment++) {
    double* sum = partial + s.slot[static_cast<size_t>(segment)] * p.inner;
    const index_t count = s.count(static_cast<size_t>(segment));
    if (count < 2) continue;
    for (index_t piece = 1; piece < count; piece++) {
      for (index_t i = 0; i < p.inner; i++) sum[i] += sum[piece * p.inner + i];
    }
    round_row(sum, p.out + segment * p.inner, p.inner);
  }
}
