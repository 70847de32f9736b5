#include "../../contracts/network/strided_copy.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {
namespace {

// Whether every place that an offset and strides reach over a shape lies in [0, size).
bool inside(const index_t* shape, const index_t* stride, index_t offset, index_t size) {
  index_t low = offset, high = offset;
  for (int axis = 0; axis < StridedCopy::axes; axis++) {
    const index_t far = (shape[axis] - 1) * stride[axis];
    if (far < 0) low += far; else high += far;
  }
  return low >= 0 && high < size;
}

}  // namespace

// `layout`: Float64Array of the shape, the strides of x, the strides of out, 6 each, then both offsets.
Napi::Value strided_copy(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env& env, Arguments& args) -> Prepared {
    constexpr int axes = StridedCopy::axes;
    StridedCopy p;
    const double* layout = args.input<double>("layout", 3 * axes + 2);
    for (int axis = 0; axis < axes; axis++) {
      p.shape[axis] = static_cast<index_t>(layout[axis]);
      p.x_stride[axis] = static_cast<index_t>(layout[axes + axis]);
      p.out_stride[axis] = static_cast<index_t>(layout[2 * axes + axis]);
    }
    p.x_offset = static_cast<index_t>(layout[3 * axes]);
    p.out_offset = static_cast<index_t>(layout[3 * axes + 1]);
    const index_t x_size = args.integer("xSize"), out_size = args.integer("outSize");
    if (!inside(p.shape, p.x_stride, p.x_offset, x_size) || !inside(p.shape, p.out_stride, p.out_offset, out_size)) {
      throw Napi::TypeError::New(env, "Expected strides that stay inside x and out.");
    }
    p.x = args.input<float>("x", x_size);
    p.out = args.output<float>("out", out_size);
    return {[p](const Run& run) { kernels().strided_copy(run, p); }, {}};
  });
}

}  // namespace eat::addon
