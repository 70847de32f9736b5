// The distances of k-means++: the contract's in double, and float's, which tells where those need not be made.
#pragma once

#include "../../contracts/common.h"
#include "../host/device_buffer.h"

namespace eat::cuda {

constexpr int kTogether = 8, kLanes = 8;

struct SeedingArguments {
  Span<const float> points;
  index_t n, d;
  double share, least;         // an estimate may be off by this share of it, and by what float loses below its normal range
  Span<const int> candidates;  // rows
  Span<double> closest;        // [n] squared distance to the nearest centroid so far
};

// Squared distances of a row to candidates first .. first + kTogether in float: the row is read once.
EAT_DEVICE void estimate_distances(const SeedingArguments& a, index_t row, index_t first, float (&out)[kTogether]) {
  float part[kTogether] = {};
  for (index_t j = lane() & (kLanes - 1); j < a.d; j += kLanes) {
    const float x = a.points[row * a.d + j];
    for (int t = 0; t < kTogether; t++) {
      if (first + t >= a.candidates.size) break;
      const float difference = x - a.points[a.candidates[first + t] * a.d + j];
      part[t] = fma(difference, difference, part[t]);
    }
  }
  for (int t = 0; t < kTogether; t++) out[t] = sum_of_group(part[t], kLanes);
}

// The same of one candidate, in the contract's order: a lane sums every eighth dimension, and lanes are added as a tree.
EAT_DEVICE double seeding_distance(const SeedingArguments& a, index_t row, index_t candidate) {
  double sum = 0;
  for (index_t j = lane() & (kLanes - 1); j < a.d; j += kLanes) {
    const double t = static_cast<double>(a.points[row * a.d + j]) - a.points[candidate * a.d + j];
    sum += t * t;
  }
  return sum_of_group(sum, kLanes);
}

// The lesser of `nearest` and the distance to candidate `t`, estimated at `estimated`. All lanes of the warp come along.
EAT_DEVICE double lesser_distance(const SeedingArguments& a, bool own, index_t row, index_t t, float estimated, double nearest) {
  const bool finite = estimated - estimated == 0;
  const bool open = own && !(finite && estimated * (1 - a.share) - a.least > nearest);
  if (!any(open)) return nearest;
  const double distance = seeding_distance(a, row, a.candidates[t]);
  return distance < nearest ? distance : nearest;
}

}  // namespace eat::cuda
