// The projection of one row in double onto the l2 or l1 ball, alone or intersected with bounds that hold 0: cpu/attack/ball.inl, over a
// row that a thread, a warp or a block holds. Both need one number, found without sorting: the scale of l2, the threshold of l1.
#pragma once

#include "../device/rounding.h"
#include "row_of_values.h"

namespace eat::cuda {

// What a float result may lose to any order of summation: keeps it inside the ball by every reader's arithmetic.
EAT_DEVICE double inside(double epsilon, index_t d) { return epsilon * (1 - 1e-12 - 3e-16 * static_cast<double>(d)); }

struct Box {
  bool present;
  double lo, hi;

  EAT_DEVICE double clip(double v, float x) const { return present ? clamp(v, lo - x, hi - x) : v; }
  // v >= 0 on the side of `sign`.
  EAT_DEVICE double clip_magnitude(double v, double sign, float x) const { return present ? fmin(v, sign < 0 ? x - lo : hi - x) : v; }
};

// The threshold `base` - `shift` of the l1 ball. Above half of the largest magnitude it is counted from that one: |v| - base is exact
// there, and what is left of large entries in a small ball is not lost in the threshold's own rounding.
struct Threshold {
  double base = 0, shift = 0;

  // Of v: min(max(|v| - threshold, 0), bound on v's side).
  EAT_DEVICE double left(double v, float x, const Box& box) const { return box.clip_magnitude(fmax(fabs(v) - base + shift, 0.0), v, x); }
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

// Sum of what is left, and how many entries rise with the shift.
template <class Row>
EAT_DEVICE Pair thresholded_sum(Row& row, const Threshold& threshold, const Box& box) {
  return row.sums([&](Pair& s, double value, float x) {
    const double left = threshold.left(value, x, box);
    s.first += left;
    s.second += left == fabs(value) - threshold.base + threshold.shift ? 1 : 0;
  });
}

// The one at which epsilon is left, where more is at 0, `sum`. Newton on an increasing piecewise linear function of the shift,
// bisection where it leaves the bracket; its aim is as far below epsilon as sums are off. Should it miss, down by roundings until
// the sum is not above epsilon.
template <class Row>
EAT_DEVICE Threshold l1_threshold(Row& row, double epsilon, const Box& box, double sum) {
  const double largest = row.largest_magnitude();
  Threshold at;
  double low = -largest, high = 0;
  Pair found;
  const auto try_shift = [&](double shift) {
    at.shift = shift;
    if (at.base == 0 && shift < -largest / 2) {  // from here on counted from the largest
      at = {largest, largest + shift};
      low += largest;
      high += largest;
    }
    found = thresholded_sum(row, at, box);
  };
  const double slack = 1e-13 * epsilon, aim = epsilon - slack;
  // In a small ball little is left of any but the largest.
  const double start = sum > 16 * epsilon ? -largest / 2 : 0.0;
  try_shift(fmin(start, (aim - sum) / static_cast<double>(row.size())));
  for (int round = 0; round < 200 && fabs(found.first - aim) > slack; round++) {
    if (found.first > aim) high = at.shift; else low = at.shift;
    double next = found.second > 0 ? at.shift + (aim - found.first) / found.second : -INFINITY;
    if (!(next >= low && next <= high)) next = low + (high - low) / 2;
    if (next == at.shift) break;
    try_shift(next);
  }
  for (double down = fmax(fabs(at.shift) * 0x1p-53, 0x1p-1074); found.first > epsilon; down *= 2) try_shift(at.shift - down);
  return at;
}

template <class Row>
EAT_DEVICE Threshold project_l1(Row& row, double epsilon, const Box& box) {
  const double sum = thresholded_sum(row, {}, box).first;
  return sum <= epsilon ? Threshold{} : l1_threshold(row, inside(epsilon, row.size()), box, sum);
}
EAT_DEVICE double l1_entry(double value, const Threshold& threshold, float x, const Box& box) {
  return copysign(threshold.left(value, x, box), value);
}

// store(i, entry) for the thread's elements of the projected row.
template <Norm N, class Row, class Store>
EAT_DEVICE void project_row(Row& row, double epsilon, const Box& box, Store store) {
  if constexpr (N == Norm::l2) {
    const double scale = project_l2(row, epsilon, box);
    row.each([&](index_t i, double value, float x) { store(i, l2_entry(value, scale, x, box)); });
  } else {
    const Threshold threshold = project_l1(row, epsilon, box);
    row.each([&](index_t i, double value, float x) { store(i, l1_entry(value, threshold, x, box)); });
  }
}

}  // namespace eat::cuda
