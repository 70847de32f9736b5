// uploadMatrix({matrix, checkFinite?}) gives {resident, release(), values()}; `resident` stands for the matrix in the arguments of a
// kernel (Arguments::matrix).
#include "resident.h"

#include <cstring>
#include <string>

#include "../cpu/engine/thread_pool.h"
#include "call.h"

namespace eat::addon {
namespace {

// Null once released.
using Handle = std::shared_ptr<ResidentMatrix>;

// Another addon's External holds something else: its tag says whose it is.
#ifdef EAT_DML_DEVICE_ADDON
constexpr napi_type_tag kTag = {0x7c1d0f5ae2b94d31ull, 0x9a60b3c8d1f2e407ull};
#else
constexpr napi_type_tag kTag = {0x2f8e4b7196c05ad3ull, 0xb35d81e0f4729c6aull};
#endif

Handle keep(const Run& run, const MatrixView& matrix) {
#ifdef EAT_DML_DEVICE_ADDON
  return cuda::upload_matrix(run, matrix);
#else
  auto kept = std::make_shared<ResidentMatrix>();
  const size_t bytes = static_cast<size_t>(matrix.size()) * sizeof(float);
  kept->memory = std::make_unique<Buffer>(bytes);
  copy_bytes(run, kept->memory->as<void>(), matrix.data, bytes);
  kept->view = matrix;
  kept->view.data = kept->memory->as<float>();
  return kept;
#endif
}

}  // namespace

std::shared_ptr<ResidentMatrix> uploaded_matrix(const Napi::Value& resident, const char* name) {
  bool ours = false;
  if (!resident.IsExternal() || napi_check_object_type_tag(resident.Env(), resident, &kTag, &ours) != napi_ok || !ours) return nullptr;
  const Handle matrix = *resident.As<Napi::External<Handle>>().Data();
  if (matrix == nullptr) {
    throw Napi::TypeError::New(resident.Env(), std::string("Expected a matrix for ") + name + " but received one that is disposed.");
  }
  return matrix;
}

Napi::Value upload_matrix(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "Expected an object of arguments.");
  Arguments arguments(info[0].As<Napi::Object>(), false);
  Run run;
  run.threads = default_threads();
  run.check_finite = !arguments.has("checkFinite") || arguments.flag("checkFinite");
  // Held by the External and by release(), whichever goes last.
  auto holder = std::make_shared<Handle>(keep(run, arguments.matrix("matrix")));
  Napi::Object out = Napi::Object::New(env);
  const auto resident = Napi::External<Handle>::New(env, holder.get(), [holder](Napi::Env, Handle*) {});
  if (napi_type_tag_object(env, resident, &kTag) != napi_ok) throw Napi::Error::New(env);
  out.Set("resident", resident);
  out.Set("release", Napi::Function::New(env, [holder](const Napi::CallbackInfo&) { holder->reset(); }));
#ifndef EAT_DML_DEVICE_ADDON
  // Writes the values into the Float32Array it is given.
  out.Set("values", Napi::Function::New(env, [holder](const Napi::CallbackInfo& call) {
    Napi::Float32Array to = call[0].As<Napi::Float32Array>();
    if (*holder != nullptr && static_cast<index_t>(to.ElementLength()) == (*holder)->view.size()) {
      std::memcpy(to.Data(), (*holder)->view.data, to.ByteLength());
    }
  }));
#endif
  return out;
}

#ifdef EAT_DML_DEVICE_ADDON
// {fp32Tflops, gbytes}: by the device's clocks.
Napi::Value device_limits(const Napi::CallbackInfo& info) {
  const cuda::DeviceLimits limits = cuda::device_limits();
  Napi::Object out = Napi::Object::New(info.Env());
  out.Set("fp32Tflops", Napi::Number::New(info.Env(), limits.fp32_flops / 1e12));
  out.Set("gbytes", Napi::Number::New(info.Env(), limits.bytes / 1e9));
  return out;
}

// Milliseconds of device time since it was last asked; needs EAT_DML_CUDA_TIMING.
Napi::Value kernel_milliseconds(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), cuda::take_kernel_milliseconds());
}
#endif

}  // namespace eat::addon
