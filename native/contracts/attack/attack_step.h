// attackStep: x' = proj(origin, current + step(gradient)), per row (a row is a sample).
// step: linf stepSize*sign(g), with sign(0) = 0; l2 stepSize*g/|g|_2; l1 stepSize*g/|g|_1; a zero gradient is no step.
// proj: onto the ball around origin and, with has_box, the box, exactly; |x' - origin| <= epsilon in exact arithmetic.
#pragma once

#include "../common.h"

namespace eat {

struct AttackStep {
  MatrixView origin, current, gradient;
  Norm norm = Norm::linf;
  double epsilon = 0, step_size = 0;
  bool has_box = false;
  float lo = 0, hi = 1;
  float* out = nullptr;  // may be current's own memory
};

}  // namespace eat
