// Projections of one row in double: onto the l2 or l1 ball, alone or intersected with bounds lo_i <= d_i <= hi_i that hold 0.
// Both need one number, found without sorting: the scale t of the l2 ball, the threshold of the l1 ball.

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

// The threshold `base` - `shift` of the l1 ball. Above half of the largest magnitude it is counted from that one: |v| - base is exact
// there, and what is left of large entries in a small ball is not lost in the threshold's own rounding.
struct Threshold {
  double base = 0, shift = 0;

  // How far |v| is above it.
  double above(double v) const { return std::fabs(v) - base + shift; }
  // What is left of entry i: min(max(|v| - threshold, 0), bound on v's side).
  double left(double v, index_t i, const Bounds& bounds) const {
    return std::min(std::max(above(v), 0.0), v < 0 ? -bounds.low(i) : bounds.high(i));
  }
};

struct ThresholdedSum { double sum, slope; };

// What is left in all, and how many entries rise with the shift. Four sums side by side.
template <bool Bounded>
inline ThresholdedSum thresholded_sum(const double* delta, index_t d, const Threshold threshold, const Bounds& bounds) {
  double sums[4] = {};
  index_t rising = 0;
  const auto see = [&](index_t i, double& sum) {
    const double above = threshold.above(delta[i]), left = Bounded ? threshold.left(delta[i], i, bounds) : std::max(above, 0.0);
    sum += left;
    rising += left == above;
  };
  index_t i = 0;
  for (; i + 4 <= d; i += 4) {
#pragma GCC unroll 4
    for (int e = 0; e < 4; e++) see(i + e, sums[e]);
  }
  for (; i < d; i++) see(i, sums[0]);
  return {(sums[0] + sums[1]) + (sums[2] + sums[3]), static_cast<double>(rising)};
}

inline ThresholdedSum thresholded_sum(const double* delta, index_t d, const Threshold& threshold, const Bounds& bounds) {
  return bounds.x == nullptr ? thresholded_sum<false>(delta, d, threshold, bounds) : thresholded_sum<true>(delta, d, threshold, bounds);
}

// The one at which epsilon is left, where more is at 0, `sum`. Newton on an increasing piecewise linear function of the shift,
// bisection where it leaves the bracket; its aim is as far below epsilon as sums are off. Should it miss, down by roundings until
// the sum is not above epsilon.
inline Threshold l1_threshold(const double* delta, index_t d, double epsilon, const Bounds& bounds, double sum) {
  double largest = 0;
  for (index_t i = 0; i < d; i++) largest = std::max(largest, std::fabs(delta[i]));
  Threshold at;
  double low = -largest, high = 0;
  ThresholdedSum found;
  const auto try_shift = [&](double shift) {
    at.shift = shift;
    if (at.base == 0 && shift < -largest / 2) {  // from here on counted from the largest
      at = {largest, largest + shift};
      low += largest, high += largest;
    }
    found = thresholded_sum(delta, d, at, bounds);
  };
  const double slack = 1e-13 * epsilon, aim = epsilon - slack;
  // In a small ball little is left of any but the largest.
  const double start = sum > 16 * epsilon ? -largest / 2 : 0.0;
  try_shift(std::min(start, (aim - sum) / static_cast<double>(d)));
  for (int round = 0; round < 200 && std::fabs(found.sum - aim) > slack; round++) {
    if (found.sum > aim) high = at.shift; else low = at.shift;
    double next = found.slope > 0 ? at.shift + (aim - found.sum) / found.slope : -INFINITY;
    if (!(next >= low && next <= high)) next = low + (high - low) / 2;
    if (next == at.shift) break;
    try_shift(next);
  }
  constexpr double least = std::numeric_limits<double>::denorm_min();
  for (double down = std::max(std::fabs(at.shift) * 0x1p-53, least); found.sum > epsilon; down *= 2) try_shift(at.shift - down);
  return at;
}

inline void project_l1(double* delta, index_t d, double epsilon, const Bounds& bounds) {
  double sum = sum_of_magnitudes(delta, d);
  if (sum > epsilon && bounds.x != nullptr) sum = thresholded_sum(delta, d, {}, bounds).sum;
  const Threshold threshold = sum <= epsilon ? Threshold{} : l1_threshold(delta, d, inside(epsilon, d), bounds, sum);
  for (index_t i = 0; i < d; i++) delta[i] = std::copysign(threshold.left(delta[i], i, bounds), delta[i]);
}

inline void project_row(Norm norm, double* delta, index_t d, double epsilon, const Bounds& bounds) {
  if (norm == Norm::l2) project_l2(delta, d, epsilon, bounds);
  else project_l1(delta, d, epsilon, bounds);
}
