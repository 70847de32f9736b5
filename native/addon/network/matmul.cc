#include "../../contracts/network/matmul.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

// Sizes of [batch, rows, cols] with a stride of 0 where one matrix serves the whole batch.
Napi::Value matmul(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    MatMul p;
    p.batch = args.integer("batch");
    p.m = args.integer("m");
    p.n = args.integer("n");
    p.k = args.integer("k");
    p.a_stride = args.flag("broadcastA") ? 0 : p.m * p.k;
    p.b_stride = args.flag("broadcastB") ? 0 : p.k * p.n;
    p.a = args.input<float>("a", (p.a_stride == 0 ? 1 : p.batch) * p.m * p.k);
    p.b = args.input<float>("b", (p.b_stride == 0 ? 1 : p.batch) * p.k * p.n);
    if (args.has("bias")) p.bias = args.input<float>("bias", p.n);
    p.transpose_a = args.flag("transposeA");
    p.transpose_b = args.flag("transposeB");
    p.activation = args.choice<Activation>("activation");
    p.out = args.output<float>("out", p.batch * p.m * p.n);
    return {[p](const Run& run) { kernels().matmul(run, p); }, {}};
  });
}

}  // namespace eat::addon
