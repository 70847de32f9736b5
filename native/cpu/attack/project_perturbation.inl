// projectPerturbation: linf entry by entry; l2 and l1 per row in double (ball.inl), rounded toward zero.

// linf of one row: the ball and the box are intervals, whose float ends lie inside them.
inline void project_linf(const float* delta, index_t d, float radius, const Bounds& bounds, float* out) {
  const F top = set1(radius), bottom = set1(-radius);
  const F hi = set1(static_cast<float>(bounds.hi)), minus_lo = set1(-static_cast<float>(bounds.lo));
  for (index_t i = 0; i < d; i += W) {
    const int left = static_cast<int>(std::min<index_t>(W, d - i));
    F v = min(top, max(bottom, left == W ? load(delta + i) : load_partial(delta + i, left)));
    if (bounds.x != nullptr) {
      const F x = left == W ? load(bounds.x + i) : load_partial(bounds.x + i, left);
      v = min(add_down(hi, sub(zero(), x)), max(sub(zero(), add_down(x, minus_lo)), v));
    }
    if (left == W) store(out + i, v); else store_partial(out + i, v, left);
  }
}

inline void project_perturbation(const Run& run, const ProjectPerturbation& p) {
  const index_t rows = p.delta.batch * p.delta.rows, d = p.delta.cols;
  const float radius = float_below(p.epsilon);
  std::atomic<index_t> outside{rows}, bad{rows};
  const auto note = [](std::atomic<index_t>& first, index_t row) {
    index_t seen = first.load();
    while (row < seen && !first.compare_exchange_weak(seen, row)) {}
  };
  const index_t block = std::max<index_t>(1, 16384 / d);
  parallel_for(run, ceil_div(rows, block), [&](index_t task) {
    for (index_t r = task * block; r < std::min(rows, (task + 1) * block); r++) {
      const float *delta = p.delta.data + r * d, *x = p.around == nullptr ? nullptr : p.around + r * d;
      float* out = p.out + r * d;
      const Bounds bounds{x, p.lo, p.hi};
      if (run.check_finite && !std::isfinite(squared_norm(delta, d))) { note(bad, r); continue; }
      bool in_box = true;
      for (index_t i = 0; x != nullptr && i < d; i++) in_box = in_box && x[i] >= p.lo && x[i] <= p.hi;
      if (!in_box) { note(outside, r); continue; }
      if (p.norm == Norm::linf) {
        project_linf(delta, d, radius, bounds, out);
        continue;
      }
      double* work = reinterpret_cast<double*>(scratch(0, 2 * d));
      for (index_t i = 0; i < d; i++) work[i] = delta[i];
      project_row(p.norm, work, d, p.epsilon, bounds);
      for (index_t i = 0; i < d; i++) out[i] = float_toward_zero(work[i]);
    }
  });
  if (bad.load() < rows) throw NotFinite("delta", bad.load());
  if (outside.load() < rows) throw OutsideBox("around", outside.load());
}
