// The custom ops' registration; the ops themselves are called by TensorFlow.
#include "../cuda/host/device_matrix.h"
#include "../tensorflow/ops.h"

#include <napi.h>

namespace eat::addon {

#ifdef EAT_DML_DEVICE_ADDON

// TensorFlow's name of the device that this addon's kernels are registered for, beside the CPU addon's. The emulator's, for tests,
// take the CPU addon's place. Throws where that cannot be done.
Napi::Value register_tensorflow_kernels(const Napi::CallbackInfo& info) {
  try {
    const bool emulated = cuda::emulated();
    const tensorflow::Placement placement{emulated ? "CPU" : "GPU", emulated ? 1 : 0, cuda::wait_for_device};
    tensorflow::register_device_kernels(placement);
    return Napi::String::New(info.Env(), placement.device);
  } catch (const std::exception& e) {
    throw Napi::Error::New(info.Env(), e.what());
  }
}

#else

// Its version: registers the ops with the libtensorflow that this process has loaded. Throws where that cannot be done.
Napi::Value register_tensorflow_ops(const Napi::CallbackInfo& info) {
  try {
    tensorflow::register_ops();
    return Napi::String::New(info.Env(), tensorflow::version());
  } catch (const std::exception& e) {
    throw Napi::Error::New(info.Env(), e.what());
  }
}

// [{name, type}]: the devices of the loaded libtensorflow.
Napi::Value tensorflow_devices(const Napi::CallbackInfo& info) {
  try {
    Napi::Array list = Napi::Array::New(info.Env());
    for (const tensorflow::Device& device : tensorflow::devices()) {
      Napi::Object o = Napi::Object::New(info.Env());
      o.Set("name", device.name);
      o.Set("type", device.type);
      list.Set(list.Length(), o);
    }
    return list;
  } catch (const std::exception& e) {
    throw Napi::Error::New(info.Env(), e.what());
  }
}

#endif

}  // namespace eat::addon
