// projectPerturbation: the Euclidean projection of each row of delta onto the ball of `norm` with radius epsilon and,
// with `around`, onto ball ∩ {d : lo <= around + d <= hi}, exactly (not one after the other).
// What is returned never leaves either set by one ulp: |d| <= epsilon in exact arithmetic, and around + d rounded to float
// lies in [lo, hi]. Every row of `around` lies in the box.
#pragma once

#include "../common.h"

namespace eat {

struct ProjectPerturbation {
  MatrixView delta;
  Norm norm = Norm::linf;
  double epsilon = 0;
  const float* around = nullptr;  // the shape of delta; null: no box
  float lo = 0, hi = 1;
  float* out = nullptr;           // may be delta's own memory
};

}  // namespace eat
