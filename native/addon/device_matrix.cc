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

// {fp32Tflops, gbytes}: by the device's clocks.
Napi::Value device_limits(const Napi::CallbackInfo& info) {
  try {
    const cuda::DeviceLimits limits = cuda::device_limits();
    Napi::Object out = Napi::Object::New(info.Env());
    out.Set("fp32Tflops", Napi::Number::New(info.Env(), limits.fp32_flops / 1e12));
    out.Set("gbytes", Napi::Number::New(info.Env(), limits.bytes / 1e9));
    return out;
  } catch (...) {
    throw to_error(info.Env(), std::current_exception());
  }
}

// Milliseconds of device time since it was last asked; needs EAT_DML_CUDA_TIMING.
Napi::Value kernel_milliseconds(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), cuda::take_kernel_milliseconds());
}

}  // namespace eat::addon
