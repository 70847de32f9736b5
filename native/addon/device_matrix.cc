// Matrices that stay on the device: uploadMatrix({matrix, checkFinite?}) gives {resident, release()}; `resident` stands for the
// matrix in the arguments of a kernel (Arguments::matrix).
#include "../cuda/device_matrix.h"

#include "call.h"

namespace eat::addon {

Napi::Value upload_matrix(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info[0].As<Napi::Object>(), false);
  Run run;
  run.check_finite = !arguments.has("checkFinite") || arguments.flag("checkFinite");
  try {
    // Held by the External and by release(), whichever goes last.
    auto holder = std::make_shared<ResidentHandle>(cuda::upload_matrix(run, arguments.matrix("matrix")));
    Napi::Object out = Napi::Object::New(env);
    out.Set("resident", Napi::External<ResidentHandle>::New(env, holder.get(), [holder](Napi::Env, ResidentHandle*) {}));
    out.Set("release", Napi::Function::New(env, [holder](const Napi::CallbackInfo&) { holder->reset(); }));
    return out;
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw to_error(env, std::current_exception());
  }
}

}  // namespace eat::addon
