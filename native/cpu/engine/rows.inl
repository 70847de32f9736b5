// What distance kernels know of rows: norms in double, exact differences, where the expanded form cancels.

// Up to this many dimensions squared differences are summed directly.
constexpr index_t kDirectDimensions = 16;

// Sum of squares in double; NaN or Inf exactly when the row holds NaN or Inf (squares of floats do not overflow a double).
inline double squared_norm(const float* x, index_t d) {
  D s0 = dzero(), s1 = dzero();
  index_t k = 0;
  for (; k + W <= d; k += W) {
    const D a = dload_floats(x + k), b = dload_floats(x + k + W / 2);
    s0 = dfma(a, a, s0);
    s1 = dfma(b, b, s1);
  }
  double s = dsum(dadd(s0, s1));
  for (; k < d; k++) s += static_cast<double>(x[k]) * x[k];
  return s;
}

// |sx*x - sy*y|^2 in double.
inline double squared_difference(const float* x, const float* y, index_t d, double sx = 1, double sy = 1) {
  const D fx = dset1(sx), fy = dset1(sy);
  D s0 = dzero(), s1 = dzero();
  index_t k = 0;
  for (; k + W <= d; k += W) {
    const D a = dsub(dmul(fx, dload_floats(x + k)), dmul(fy, dload_floats(y + k)));
    const D b = dsub(dmul(fx, dload_floats(x + k + W / 2)), dmul(fy, dload_floats(y + k + W / 2)));
    s0 = dfma(a, a, s0);
    s1 = dfma(b, b, s1);
  }
  double s = dsum(dadd(s0, s1));
  for (; k < d; k++) {
    const double t = sx * x[k] - sy * y[k];
    s += t * t;
  }
  return s;
}

// |x - y|^2 summed one by one, as the JavaScript reference does: decides near-ties exactly as it does.
inline double squared_difference_in_order(const float* x, const float* y, index_t d) {
  double s = 0;
  for (index_t k = 0; k < d; k++) {
    const double t = static_cast<double>(x[k]) - y[k];
    s += t * t;
  }
  return s;
}

inline double product_in_order(const float* x, const float* y, index_t d) {
  double s = 0;
  for (index_t k = 0; k < d; k++) s += static_cast<double>(x[k]) * y[k];
  return s;
}

// From here on squares and their sums keep float's precision: what is lost below the normal range is too little to count.
constexpr float kLeastSquare = 1e-37f;

// Whether the difference of two such values is 0 or has a square in float's normal range: it is 2^-24 of the smaller one or more.
inline bool differences_stay_normal(const Run& run, const float* values, index_t size) {
  constexpr index_t block = 16384;
  std::atomic<bool> normal{true};
  parallel_for(run, ceil_div(size, block), [&](index_t task) {
    F least = set1(1);
    const index_t end = std::min(size, (task + 1) * block);
    for (index_t i = task * block; i < end; i += W) {
      const F x = abs(i + W <= end ? load(values + i) : load_partial(values + i, static_cast<int>(end - i)));
      least = min(least, select(eq(x, zero()), least, x));
    }
    if (hmin(least) < 1e-10f) normal.store(false, std::memory_order_relaxed);
  });
  return normal.load();
}

// A squared norm as the expanded form may use it: outside float's comfortable range NaN, which sends the pair to the direct
// difference.
inline float usable_norm(double squared) {
  return squared == 0 || (squared > 1e-30 && squared < 1e30) ? static_cast<float>(squared)
                                                             : std::numeric_limits<float>::quiet_NaN();
}

// Below this share of |x|^2 + |y|^2 the expanded form's rounding error, about sqrt(d) * 2^-24 * (|x|^2 + |y|^2), may pass
// 1e-5 of the distance, and the difference is taken directly.
inline float cancellation_share(index_t d) {
  return std::max(1.0f / 32, 0.009f * std::sqrt(static_cast<float>(d)));
}

// A bound on the error of |x|^2 + |y|^2 - 2 x.y in float, as a share of |x|^2 + |y|^2: d chained fused multiply-adds.
inline double rounding_share(index_t d) { return (static_cast<double>(d) + 16) * 0x1p-24; }

// Throws for the first row, in order, of `m` that is not finite.
inline void throw_first_not_finite(const MatrixView& m, const char* name) {
  for (index_t r = 0; r < m.batch * m.rows; r++) {
    if (!std::isfinite(squared_norm(m.row(r), m.cols))) throw NotFinite(name, r);
  }
}

// Norms of rows [0, count) of one matrix, in double; false when one is not finite.
inline bool squared_norms(const Run& run, const float* data, index_t count, index_t d, double* out) {
  constexpr index_t block = 256;
  std::atomic<bool> finite{true};
  parallel_for(run, ceil_div(count, block), [&](index_t task) {
    for (index_t r = task * block; r < std::min(count, (task + 1) * block); r++) {
      out[r] = squared_norm(data + r * d, d);
      if (!std::isfinite(out[r])) finite.store(false, std::memory_order_relaxed);
    }
  });
  return finite.load();
}

// Both operands of a distance kernel, scanned in the order of its arguments.
inline void require_finite(const MatrixView& a, const char* name_a, const MatrixView& b, const char* name_b) {
  throw_first_not_finite(a, name_a);
  throw_first_not_finite(b, name_b);
}
