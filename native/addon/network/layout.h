// How two broadcast operands travel from JavaScript: [4] axes of a shape and of the strides of each.
#pragma once

#include "../call.h"

namespace eat::addon {

// Elements that [4] strides reach over a shape.
inline index_t reach(const index_t (&shape)[4], const index_t (&stride)[4]) {
  index_t last = 0;
  for (int axis = 0; axis < 4; axis++) last += (shape[axis] - 1) * stride[axis];
  return last + 1;
}

// `layout`: Float64Array of the shape, the strides of a, the strides of b, 4 each; then a and b.
template <class P>
void read_operands(Arguments& args, P& p) {
  const double* layout = args.input<double>("layout", 12);
  for (int axis = 0; axis < 4; axis++) {
    p.shape[axis] = static_cast<index_t>(layout[axis]);
    p.a_stride[axis] = static_cast<index_t>(layout[4 + axis]);
    p.b_stride[axis] = static_cast<index_t>(layout[8 + axis]);
  }
  p.a = args.input<float>("a", reach(p.shape, p.a_stride));
  p.b = args.input<float>("b", reach(p.shape, p.b_stride));
}

}  // namespace eat::addon
