#include "../../contracts/attack/project_perturbation.h"

#include "../../contracts/kernel_table.h"
#include "../call.h"

namespace eat::addon {

Napi::Value project_perturbation(const Napi::CallbackInfo& info) {
  return call(info, [](const Napi::Env&, Arguments& args) -> Prepared {
    ProjectPerturbation p;
    p.delta = args.matrix("delta");
    p.norm = args.choice<Norm>("norm");
    p.epsilon = args.number("epsilon");
    if (args.has("around")) {
      p.around = args.input<float>("around", p.delta.size());
      p.lo = static_cast<float>(args.number("lo"));
      p.hi = static_cast<float>(args.number("hi"));
    }
    p.out = args.output<float>("out", p.delta.size());
    return {[p](const Run& run) { kernels().project_perturbation(run, p); }, {}};
  });
}

}  // namespace eat::addon
