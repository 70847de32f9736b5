// The projection of one row in double onto the l2 or l1 ball, alone or intersected with bounds that hold 0: cpu/ball.inl, over a
// row that a thread, a warp or a block holds. Both need one number, found without sorting: the scale of l2, the threshold of l1.
#pragma once

#include "rounding.h"
#include "row_of_values.h"

namespace eat::cuda {

// What a float result may lose to any order of summation: keeps it inside the ball by every reader's arithmetic.
EAT_DEVICE double inside(double epsilon, index_t d) { return epsilon * (1 - 1e-12 - 3e-16 * static_cast<double>(d)); }

struct Box {
  bool present;
  double lo, hi;

  EAT_DEVICE double clip(double v, float x) const { return present ? clamp(v, lo - x, hi - x) : v; }
  // What is left of v at threshold theta: min(max(|v| - theta, 0), bound on v's side).
  EAT_DEVICE double thresholded(double v, double theta, float x) const {
    const double left = fmax(fabs(v) - theta, 0.0);
    return present ? fmin(left, v < 0 ? x - lo : hi - x) : left;
  }
};

// The t with sum clip(t v)^2 = epsilon^2. From the left, with clipped entries fixed, t^2 = (epsilon^2 - clipped) / free never
// overshoots, and the set of clipped entries only grows: a few rounds.
template <class Row>
EAT_DEVICE double l2_scale(Row& row, double epsilon, const Box& box, double norm) {
  double t = epsilon / norm;
  for (int round = 0; box.present && round < 100; round++) {
    const Pair part = row.sums([&](Pair& s, double value, float x) {
      const double v = t * value, c = box.clip(v, x);
      if (v == c) s.first += value * value; else s.second += c * c;
    });
    if (part.first == 0) break;
    const double next = sqrt(fmax(0.0, epsilon * epsilon - part.second) / part.first);
    if (!(next > t * (1 + 1e-15))) break;
    t = next;
  }
  return fmin(t, 1.0);
}

// The number by which `l2_entry` projects.
template <class Row>
EAT_DEVICE double project_l2(Row& row, double epsilon, const Box& box) {
  const Pair squares = row.sums([&](Pair& s, double value, float x) {
    const double kept = box.clip(value, x);
    s.first += value * value;
    s.second += kept * kept;
  });
  const double norm = sqrt(squares.first);
  if (!(norm > epsilon) || !(sqrt(squares.second) > epsilon)) return 1;
  return l2_scale(row, inside(epsilon, row.size()), box, norm);
}
EAT_DEVICE double l2_entry(double value, double scale, float x, const Box& box) { return box.clip(scale * value, x); }

// Sum of what is left at theta, and how many entries go on falling with it.
template <class Row>
EAT_DEVICE Pair thresholded_sum(Row& row, double theta, const Box& box) {
  return row.sums([&](Pair& s, double value, float x) {
    const double left = box.thresholded(value, theta, x);
    s.first += left;
    s.second += left > 0 && left == fabs(value) - theta ? 1 : 0;
  });
}

// The theta with sum thresholded = epsilon: Newton on a decreasing piecewise linear function, bisection where it leaves the
// bracket; then up by roundings until the sum is not above epsilon.
template <class Row>
EAT_DEVICE double l1_threshold(Row& row, double epsilon, const Box& box) {
  double low = 0, high = row.largest_magnitude(), theta = 0;
  for (int round = 0; round < 200; round++) {
    const Pair at = thresholded_sum(row, theta, box);
    if (at.first > epsilon) low = theta; else high = theta;
    double next = at.second > 0 ? theta + (at.first - epsilon) / at.second : -1;
    if (!(next >= low && next <= high)) next = low + (high - low) / 2;
    if (next == theta || fabs(at.first - epsilon) <= 1e-15 * epsilon) break;
    theta = next;
  }
  for (double up = fmax(theta * 0x1p-53, 0x1p-1074); thresholded_sum(row, theta, box).first > epsilon; up *= 2) theta += up;
  return theta;
}

template <class Row>
EAT_DEVICE double project_l1(Row& row, double epsilon, const Box& box) {
  return thresholded_sum(row, 0, box).first <= epsilon ? 0 : l1_threshold(row, inside(epsilon, row.size()), box);
}
EAT_DEVICE double l1_entry(double value, double theta, float x, const Box& box) { return copysign(box.thresholded(value, theta, x), value); }

// store(i, entry) for the thread's elements of the projected row.
template <Norm N, class Row, class Store>
EAT_DEVICE void project_row(Row& row, double epsilon, const Box& box, Store store) {
  if constexpr (N == Norm::l2) {
    const double scale = project_l2(row, epsilon, box);
    row.each([&](index_t i, double value, float x) { store(i, l2_entry(value, scale, x, box)); });
  } else {
    const double theta = project_l1(row, epsilon, box);
    row.each([&](index_t i, double value, float x) { store(i, l1_entry(value, theta, x, box)); });
  }
}

}  // namespace eat::cuda
