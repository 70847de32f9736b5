#include "../../contracts/network/adam_w.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value adam_w(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    AdamW p;
    p.size = args.integer("size");
    p.weights = args.input<float>("weights", p.size);
    p.gradient = args.input<float>("gradient", p.size);
    p.first = args.input<float>("first", p.size);
    p.second = args.input<float>("second", p.size);
    p.beta1 = args.number("beta1");
    p.beta2 = args.number("beta2");
    p.kept = static_cast<float>(args.number("kept"));
    p.rate = static_cast<float>(args.number("rate"));
    p.floor = static_cast<float>(args.number("floor"));
    p.out_weights = args.output<float>("outWeights", p.size);
    p.out_first = args.output<float>("outFirst", p.size);
    p.out_second = args.output<float>("outSecond", p.size);
    return {[p](const Run& run) { kernels().adam_w(run, p); }, {}};
  });
}

}  // namespace eat::addon
