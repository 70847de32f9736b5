#include "../contracts/binary.h"

#include "../cpu/kernel_table.h"
#include "call.h"

namespace eat::addon {
namespace {

// Elements that [4] strides reach over a shape.
index_t reach(const index_t (&shape)[4], const index_t (&stride)[4]) {
  index_t last = 0;
  for (int axis = 0; axis < 4; axis++) last += (shape[axis] - 1) * stride[axis];
  return last + 1;
}

}  // namespace

// `layout`: Float64Array of the shape, the strides of a, the strides of b, 4 each.
Napi::Value binary(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    Binary p;
    p.op = args.choice<BinaryOp>("op");
    const double* layout = args.input<double>("layout", 12);
    for (int axis = 0; axis < 4; axis++) {
      p.shape[axis] = static_cast<index_t>(layout[axis]);
      p.a_stride[axis] = static_cast<index_t>(layout[4 + axis]);
      p.b_stride[axis] = static_cast<index_t>(layout[8 + axis]);
    }
    p.a = args.input<float>("a", reach(p.shape, p.a_stride));
    p.b = args.input<float>("b", reach(p.shape, p.b_stride));
    p.out = args.output<float>("out", p.shape[0] * p.shape[1] * p.shape[2] * p.shape[3]);
    return {[p](const Run& run) { kernels().binary(run, p); }, {}};
  });
}

}  // namespace eat::addon
