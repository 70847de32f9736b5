// Projections of one row in double: onto the l2 or l1 ball, alone or intersected with bounds lo_i <= d_i <= hi_i that hold 0.
// Both need one number, found without sorting: the scale t of the l2 ball, the threshold theta of the l1 ball.

// What a float result may lose to any order of summation: keeps it inside the ball by every reader's arithmetic.
inline double inside(double epsilon, index_t d) { return epsilon * (1 - 1e-12 - 3e-16 * static_cast<double>(d)); }

// Largest float <= x, smallest float >= x, the float next to x on zero's side.
inline float float_below(double x) {
  const float f = static_cast<float>(x);
  return f > x ? std::nextafterf(f, -INFINITY) : f;
}
inline float float_above(double x) { return -float_below(-x); }
inline float float_toward_zero(double x) {
  const float f = static_cast<float>(x);
  std::int32_t bits;
  std::memcpy(&bits, &f, sizeof bits);
  bits -= std::fabs(f) > std::fabs(x);  // one less in magnitude
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// The float below x where `where`: one step of its bits. x is not 0 there.
inline F step_down(F x, M where) {
  const I step = iselect(lt(zero(), x), iset1(-1), iset1(1));
  return as_float(iadd(as_int(x), iselect(where, step, iset1(0))));
}

// a + b rounded down: the rounding error of the sum is itself a float (Knuth's two-sum); where it is negative the sum is too big.
inline F add_down(F a, F b) {
  const F s = add(a, b), bb = sub(s, a);
  const F error = add(sub(a, sub(s, bb)), sub(b, bb));
  return step_down(s, lt(error, zero()));
}

// Bounds of a row: the distances from x to the box, or none.
struct Bounds {
  const float* x;  // null: no bounds
  double lo, hi;

  double low(index_t i) const { return x == nullptr ? -INFINITY : lo - x[i]; }
  double high(index_t i) const { return x == nullptr ? INFINITY : hi - x[i]; }
  double clip(index_t i, double v) const { return x == nullptr ? v : std::min(std::max(v, lo - x[i]), hi - x[i]); }
  D clip(index_t i, D v) const {
    if (x == nullptr) return v;
    const D origin = dload_floats(x + i);
    return dmin(dmax(v, dsub(dset1(lo), origin)), dsub(dset1(hi), origin));
  }
};

constexpr int DW = W / 2;
inline D dabs(D a) { return dmax(a, dsub(dzero(), a)); }

inline double sum_of_squares(const double* v, index_t d) {
  D s = dzero();
  index_t i = 0;
  for (; i + DW <= d; i += DW) s = dfma(dload(v + i), dload(v + i), s);
  double total = dsum(s);
  for (; i < d; i++) total += v[i] * v[i];
  return total;
}

inline double sum_of_magnitudes(const double* v, index_t d) {
  D s = dzero();
  index_t i = 0;
  for (; i + DW <= d; i += DW) s = dadd(s, dabs(dload(v + i)));
  double total = dsum(s);
  for (; i < d; i++) total += std::fabs(v[i]);
  return total;
}

// delta[i] = clip(scale * delta[i]).
inline void scale_and_clip(double* delta, index_t d, double scale, const Bounds& bounds) {
  const D factor = dset1(scale);
  index_t i = 0;
  for (; i + DW <= d; i += DW) dstore(delta + i, bounds.clip(i, dmul(factor, dload(delta + i))));
  for (; i < d; i++) delta[i] = bounds.clip(i, scale * delta[i]);
}

// The t with sum clip(t d_i)^2 = epsilon^2. From the left, with clipped entries fixed, t^2 = (epsilon^2 - clipped) / free
// never overshoots, and the set of clipped entries only grows: a few rounds.
inline double l2_scale(const double* delta, index_t d, double epsilon, const Bounds& bounds, double norm) {
  double t = epsilon / norm;
  if (bounds.x == nullptr) return t;
  for (int round = 0; round < 100; round++) {
    double fixed = 0, open = 0;
    for (index_t i = 0; i < d; i++) {
      const double v = t * delta[i], c = bounds.clip(i, v);
      if (v == c) open += delta[i] * delta[i]; else fixed += c * c;
    }
    if (open == 0) break;
    const double next = std::sqrt(std::max(0.0, epsilon * epsilon - fixed) / open);
    if (!(next > t * (1 + 1e-15))) break;
    t = next;
  }
  return std::min(t, 1.0);
}

inline void project_l2(double* delta, index_t d, double epsilon, const Bounds& bounds) {
  const double norm = std::sqrt(sum_of_squares(delta, d));
  if (norm > epsilon) {
    double kept = norm;
    if (bounds.x != nullptr) {
      kept = 0;
      for (index_t i = 0; i < d; i++) kept += bounds.clip(i, delta[i]) * bounds.clip(i, delta[i]);
      kept = std::sqrt(kept);
    }
    if (kept > epsilon) {
      scale_and_clip(delta, d, l2_scale(delta, d, inside(epsilon, d), bounds, norm), bounds);
      return;
    }
  }
  scale_and_clip(delta, d, 1, bounds);
}

// What is left of entry i at threshold theta: min(max(|v| - theta, 0), bound on v's side).
inline double thresholded(double v, double theta, index_t i, const Bounds& bounds) {
  const double left = std::max(std::fabs(v) - theta, 0.0);
  return std::min(left, v < 0 ? -bounds.low(i) : bounds.high(i));
}

struct ThresholdedSum { double sum, slope; };

inline ThresholdedSum thresholded_sum(const double* delta, index_t d, double theta, const Bounds& bounds) {
  ThresholdedSum at{0, 0};
  for (index_t i = 0; i < d; i++) {
    const double left = thresholded(delta[i], theta, i, bounds);
    at.sum += left;
    at.slope += left > 0 && left == std::fabs(delta[i]) - theta;
  }
  return at;
}

// The theta with sum thresholded = epsilon: Newton on a decreasing piecewise linear function, bisection where it leaves the
// bracket; then up by roundings until the sum is not above epsilon.
inline double l1_threshold(const double* delta, index_t d, double epsilon, const Bounds& bounds) {
  double low = 0, high = 0;
  for (index_t i = 0; i < d; i++) high = std::max(high, std::fabs(delta[i]));
  double theta = 0;
  for (int round = 0; round < 200; round++) {
    const auto [sum, slope] = thresholded_sum(delta, d, theta, bounds);
    if (sum > epsilon) low = theta; else high = theta;
    double next = slope > 0 ? theta + (sum - epsilon) / slope : -1;
    if (!(next >= low && next <= high)) next = low + (high - low) / 2;
    if (next == theta || std::fabs(sum - epsilon) <= 1e-15 * epsilon) break;
    theta = next;
  }
  constexpr double least = std::numeric_limits<double>::denorm_min();
  for (double up = std::max(theta * 0x1p-53, least); thresholded_sum(delta, d, theta, bounds).sum > epsilon; up *= 2) theta += up;
  return theta;
}

inline void project_l1(double* delta, index_t d, double epsilon, const Bounds& bounds) {
  double sum = sum_of_magnitudes(delta, d);
  if (sum > epsilon && bounds.x != nullptr) {
    sum = 0;
    for (index_t i = 0; i < d; i++) sum += thresholded(delta[i], 0, i, bounds);
  }
  const bool inner = sum <= epsilon;
  const double theta = inner ? 0 : l1_threshold(delta, d, inside(epsilon, d), bounds);
  for (index_t i = 0; i < d; i++) delta[i] = std::copysign(thresholded(delta[i], theta, i, bounds), delta[i]);
}

inline void project_row(Norm norm, double* delta, index_t d, double epsilon, const Bounds& bounds) {
  if (norm == Norm::l2) project_l2(delta, d, epsilon, bounds);
  else project_l1(delta, d, epsilon, bounds);
}
