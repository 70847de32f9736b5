// nearestCentroid: |x-c|^2 = |x|^2 + (|c|^2 - 2 x.c); the bracket alone decides, so the epilogue keeps per lane the best two of
// it. Up to 16 dimensions |x-c|^2 itself is summed, which costs no more and does not cancel. Where the two are closer than the
// rounding bound the row is decided again in double.

struct CentroidSet {
  const float* data;
  index_t k, d;
  PackedPanels panels;
  std::vector<float> squared;  // |c|^2
  std::vector<float> offsets;  // what the epilogue adds per column: |c|^2, or 0 where distances are direct; +Inf beyond k
  double largest = 0;

  CentroidSet(const Run& run, const float* data, index_t k, index_t d)
      : data(data), k(k), d(d), panels(k, d), squared(static_cast<size_t>(k)), offsets(static_cast<size_t>(panels.panels * NR), INFINITY) {
    for (index_t j = 0; j < k; j++) {
      const double norm = squared_norm(data + j * d, d);
      squared[static_cast<size_t>(j)] = static_cast<float>(norm);
      offsets[static_cast<size_t>(j)] = direct() ? 0 : static_cast<float>(norm);
      largest = norm > largest || std::isnan(norm) ? norm : largest;
    }
    panels.pack(run, Rows{data, d, k});
  }

  bool direct() const { return d <= kDirectDimensions; }
  bool finite() const { return std::isfinite(largest); }
};

struct NearestTwo {
  index_t label, second_label;
  double best, second;  // squared distances
  double third;         // no other centroid is nearer than this, as far as float tells
  double error = 0;     // how far best and second may be off
};

// The exact answer for one row: a float pass keeps the candidates within the bound, these are compared in double.
__attribute__((noinline)) inline NearestTwo nearest_exactly(const float* x, double norm, const CentroidSet& c) {
  float* approximate = scratch(3, c.k);
  const double bound = rounding_share(c.d) * (norm + c.largest);
  const bool trust = norm + c.largest < 1e30 && bound > 1e-36;
  float best = INFINITY, second = INFINITY;
  for (index_t j = 0; trust && j < c.k; j++) {
    F s = zero();
    const float* y = c.data + j * c.d;
    index_t k = 0;
    for (; k + W <= c.d; k += W) s = fma(load(x + k), load(y + k), s);
    if (k < c.d) s = fma(load_partial(x + k, static_cast<int>(c.d - k)), load_partial(y + k, static_cast<int>(c.d - k)), s);
    float lanes[W], dot = 0;
    store(lanes, s);
    for (float lane : lanes) dot += lane;
    const float value = c.squared[static_cast<size_t>(j)] - 2 * dot;
    approximate[j] = value;
    if (value < best) second = best, best = value; else second = std::min(second, value);
  }
  NearestTwo result{0, 0, INFINITY, INFINITY, INFINITY};
  for (index_t j = 0; j < c.k; j++) {
    if (trust && approximate[j] > second + 2 * bound) continue;
    const double exact = squared_difference_in_order(x, c.data + j * c.d, c.d);
    if (exact < result.best) {
      result.second = result.best;
      result.second_label = result.label;
      result.best = exact;
      result.label = j;
    } else if (exact < result.second) {
      result.second = exact;
      result.second_label = j;
    }
  }
  return result;
}

// Per row and lane: best value and its column, second-best value and its column. With Direct the accumulators are distances,
// else products.
template <bool Direct>
struct ArgminEpilogue {
  static constexpr int kState = 4 * W;
  const CentroidSet& c;
  float* state;
  const float* offsets;

  // The state of `rows` rows lives in scratch slot 2.
  ArgminEpilogue(const CentroidSet& c, index_t rows)
      : c(c), state(scratch(2, ceil_div(rows, MR) * MR * kState)), offsets(c.offsets.data()) {
    for (index_t i = 0; i < ceil_div(rows, MR) * MR; i++) {
      float* row = state + i * kState;
      store(row, set1(INFINITY));
      store(row + W, set1(INFINITY));
      istore(columns(row), iset1(0));
      istore(columns(row) + W, iset1(0));
    }
  }

  static std::int32_t* columns(float* row) { return reinterpret_cast<std::int32_t*>(row + 2 * W); }

  EAT_ALWAYS_INLINE void tile(Accumulators& acc, index_t i0, index_t j0) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      float* row = state + (i0 + i) * kState;
      F best = load(row), second = load(row + W);
      I best_column = iload(columns(row)), second_column = iload(columns(row) + W);
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const F offset = load(offsets + j0 + j * W);
        const F value = Direct ? add(acc[i][j], offset) : fnma(set1(2.0f), acc[i][j], offset);
        const I column = iadd(iota(), iset1(static_cast<std::int32_t>(j0 + j * W)));
        const M better = lt(value, best), runner_up = lt(value, second);
        second = min(max(best, value), second);  // in these orders NaN never wins
        second_column = iselect(better, best_column, iselect(runner_up, column, second_column));
        best_column = iselect(better, column, best_column);
        best = min(value, best);
      }
      store(row, best);
      store(row + W, second);
      istore(columns(row), best_column);
      istore(columns(row) + W, second_column);
    }
  }

  // The best two of row i (local), as far as float tells: values of |c|^2 - 2 x.c, lowest column at a tie.
  NearestTwo reduce(index_t i) const {
    float* row = state + i * kState;
    const F best = load(row), second = load(row + W);
    const I best_column = iload(columns(row)), second_column = iload(columns(row) + W), none = iset1(INT32_MAX);
    const float least = hmin(best);
    const M least_lanes = eq(best, set1(least));
    const std::int32_t label = ihmin(iselect(least_lanes, best_column, none));
    // Without the winner each lane's best, in the winner's lane its second, may be the runner-up.
    const M winner = mask_and(least_lanes, ieq(best_column, iset1(label)));
    const F rest = select(winner, second, best);
    const float next = hmin(rest);
    const I rest_column = iselect(winner, second_column, best_column);
    const std::int32_t next_label = ihmin(iselect(eq(rest, set1(next)), rest_column, none));
    // A lane that held both has forgotten its third, which may be as near as the second.
    const M runner_up = mask_and(eq(rest, set1(next)), ieq(rest_column, iset1(next_label)));
    const float third = hmin(select(runner_up, select(winner, rest, second), rest));
    return {label, next_label, least, next, third};
  }
};

// The nearest two centroids of rows [row0, row0 + count) of `points`; emit(row, x, NearestTwo, exact) for each in order.
// `norms` gets their squared norms. With `exact` false the distances are the expanded form's and may have cancelled.
template <bool Direct, class Points, class Emit>
inline void assign_chunk_by(const Points& points, index_t row0, index_t count, const CentroidSet& c, double* norms, Emit&& emit) {
  for (index_t i = 0; i < count; i++) norms[i] = squared_norm(points.row(row0 + i), c.d);
  ArgminEpilogue<Direct> epilogue(c, count);
  multiply_chunk<std::conditional_t<Direct, SquaredDifferences, Products>>(points, row0, count, c.panels, 0, c.panels.panels, epilogue);
  const double share = rounding_share(c.d);
  for (index_t i = 0; i < count; i++) {
    const float* x = points.row(row0 + i);
    NearestTwo two = epilogue.reduce(i);
    const double total = norms[i] + c.largest;
    const bool in_range = total < 1e30 && total > 1e-30;
    two.error = share * (!Direct ? total : c.k > 1 ? two.second : two.best);
    const bool clear = c.k == 1 || (two.second - two.best > 2 * two.error && !(Direct && two.second < kLeastSquare));
    if (!in_range || !clear) {
      emit(i, x, nearest_exactly(x, norms[i], c), true);
    } else if (Direct) {
      if (two.best < kLeastSquare) two.best = squared_difference(x, c.data + two.label * c.d, c.d);
      emit(i, x, two, true);
    } else {
      two.best += norms[i];
      two.second += norms[i];
      two.third += norms[i];
      emit(i, x, two, false);
    }
  }
}

template <class Points, class Emit>
inline void assign_chunk(const Points& points, index_t row0, index_t count, const CentroidSet& c, double* norms, Emit&& emit) {
  if (c.direct()) assign_chunk_by<true>(points, row0, count, c, norms, emit);
  else assign_chunk_by<false>(points, row0, count, c, norms, emit);
}

// The second-best distance by direct difference; where a third centroid may be it, by looking at all.
inline double exact_second(const float* x, double norm, const CentroidSet& c, const NearestTwo& two) {
  const bool certain = two.third - two.second > 2 * rounding_share(c.d) * (norm + c.largest);
  return certain ? squared_difference(x, c.data + two.second_label * c.d, c.d) : nearest_exactly(x, norm, c).second;
}

// Rows per task of an assignment; fixed by the shape alone.
inline index_t assign_rows(index_t n, index_t k, index_t d) { return chunk_rows(n, k, d); }

inline void nearest_centroid(const Run& run, const NearestCentroid& p) {
  const index_t n = p.points.rows, k = p.centroids.rows, d = p.points.cols;
  const float direct_share = cancellation_share(d);
  for (index_t batch = 0; batch < p.points.batch; batch++) {
    const float* points = p.points.data + batch * n * d;
    const CentroidSet c(run, p.centroids.data + batch * k * d, k, d);
    std::atomic<bool> finite{c.finite()};
    const index_t chunk = assign_rows(n, k, d);
    parallel_for(run, ceil_div(n, chunk), [&](index_t task) {
      const index_t row0 = task * chunk, count = std::min(chunk, n - row0);
      double norms[512];
      assign_chunk(Rows{points, d, n}, row0, count, c, norms, [&](index_t i, const float* x, NearestTwo two, bool exact) {
        const index_t at = batch * n + row0 + i;
        if (!std::isfinite(norms[i])) finite.store(false, std::memory_order_relaxed);
        p.labels[at] = static_cast<std::int32_t>(two.label);
        if (p.distances == nullptr) return;
        if (!exact) {
          const double limit = direct_share * (norms[i] + c.largest);
          if (k == 1 || !(two.best > limit)) two.best = squared_difference(x, c.data + two.label * d, d);
          if (k > 1 && !(two.second > limit)) two.second = exact_second(x, norms[i], c, two);
        }
        p.distances[at] = static_cast<float>(two.best);
        if (p.second_distances != nullptr) p.second_distances[at] = k == 1 ? INFINITY : static_cast<float>(two.second);
      });
    });
    if (!finite.load() && run.check_finite) require_finite(p.points, "points", p.centroids, "centroids");
  }
}
