#include "../../contracts/attack/attack_step.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value attack_step(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    AttackStep p;
    p.origin = args.matrix("origin");
    p.current = args.matrix("current");
    p.gradient = args.matrix("gradient");
    p.norm = args.choice<Norm>("norm");
    p.epsilon = args.number("epsilon");
    p.step_size = args.number("stepSize");
    p.has_box = args.has("lo");
    if (p.has_box) {
      p.lo = static_cast<float>(args.number("lo"));
      p.hi = static_cast<float>(args.number("hi"));
    }
    p.out = args.output<float>("out", p.origin.size());
    return {[p](const Run& run) { kernels().attack_step(run, p); }, {}};
  });
}

}  // namespace eat::addon
