// The addon's exports: one function per kernel, and info().
#include "../contracts/kernel_table.h"
#include "../cpu/engine/buffer.h"
#include "../cpu/engine/thread_pool.h"
#include "call.h"
#ifdef EAT_DML_DEVICE_ADDON
#include "../cuda/host/device_matrix.h"
#else
#include "images/turbo_jpeg.h"
#endif

namespace eat::addon {

#define EAT_DML_KERNEL(name, js_name, Arguments) Napi::Value name(const Napi::CallbackInfo&);
#include "../contracts/kernels.def"

Napi::Value upload_matrix(const Napi::CallbackInfo&);
#ifdef EAT_DML_DEVICE_ADDON
Napi::Value device_limits(const Napi::CallbackInfo&);
Napi::Value kernel_milliseconds(const Napi::CallbackInfo&);
Napi::Value register_tensorflow_kernels(const Napi::CallbackInfo&);
#else
Napi::Value register_tensorflow_ops(const Napi::CallbackInfo&);
Napi::Value tensorflow_devices(const Napi::CallbackInfo&);
Napi::Value decode_jpeg(const Napi::CallbackInfo&);
#endif

namespace {

#ifndef EAT_DML_DEVICE_ADDON
constexpr std::uintptr_t kCacheLine = 64;
#endif

struct Entry {
  const char* name;
  Binding function;
  bool (*there)();
};

// A device's table leaves out what it has no kernel for; that is not exported.
template <auto Kernel>
bool has() {
  return kernels().*Kernel != nullptr;
}

constexpr Entry kEntries[] = {
#define EAT_DML_KERNEL(name, js_name, Arguments) {#js_name, guarded<name>, has<&KernelTable::name>},
#include "../contracts/kernels.def"
};

// {isa, threads}: what runs now. Of a device addon `isa` names the device, and {graphLaunches, graphBytes} say how often this process
// launched a CUDA graph and how many bytes the device still reserves for graphs.
Napi::Value info(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object o = Napi::Object::New(env);
  o.Set("isa", kernels().isa);
  o.Set("threads", Napi::Number::New(env, default_threads()));
#ifdef EAT_DML_DEVICE_ADDON
  const cuda::GraphUse graphs = cuda::graph_use();
  o.Set("graphLaunches", Napi::Number::New(env, static_cast<double>(graphs.launches)));
  o.Set("graphBytes", Napi::Number::New(env, static_cast<double>(graphs.reserved)));
#endif
  return o;
}

#ifndef EAT_DML_DEVICE_ADDON
// {fmaGflops, triadGbytes}: what this machine can do at most; takes about a second.
Napi::Value limits(const Napi::CallbackInfo& info) {
  Run run;
  run.threads = default_threads();
  const MachineLimits limits = kernels().machine_limits(run);
  Napi::Object o = Napi::Object::New(info.Env());
  o.Set("fmaGflops", Napi::Number::New(info.Env(), limits.fma_gflops));
  o.Set("triadGbytes", Napi::Number::New(info.Env(), limits.triad_gbytes));
  return o;
}

// Whether no convolution of this process goes by Winograd from now on: false where one has gone already.
Napi::Value forbid_winograd(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), kernels().forbid_winograd());
}

// (memory: ArrayBuffer) that large arrays are to lie in, one after the other: in huge pages from its first use on. Bytes from its start to the
// next line of the cache.
Napi::Value prepare_memory(const Napi::CallbackInfo& info) {
  if (!info[0].IsArrayBuffer()) throw Napi::TypeError::New(info.Env(), "Expected an ArrayBuffer.");
  Napi::ArrayBuffer memory = info[0].As<Napi::ArrayBuffer>();
  use_huge_pages(memory.Data(), memory.ByteLength());
  const auto past = reinterpret_cast<std::uintptr_t>(memory.Data()) % kCacheLine;
  return Napi::Number::New(info.Env(), past == 0 ? 0.0 : static_cast<double>(kCacheLine - past));
}
#endif

template <Binding function>
void add(const Napi::Env& env, Napi::Object& exports, const char* name) {
  exports.Set(name, Napi::Function::New(env, guarded<function>, name));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  try {
    kernels();  // an instruction set that EAT_DML_ISA names and this processor lacks is an error of the load
  } catch (const std::exception& e) {
    throw Napi::Error::New(env, e.what());
  }
  for (const Entry& entry : kEntries) {
    if (entry.there()) exports.Set(entry.name, Napi::Function::New(env, entry.function, entry.name));
  }
  add<upload_matrix>(env, exports, "uploadMatrix");
#ifdef EAT_DML_DEVICE_ADDON
  add<device_limits>(env, exports, "deviceLimits");
  add<kernel_milliseconds>(env, exports, "kernelMilliseconds");
  add<register_tensorflow_kernels>(env, exports, "registerTensorflowKernels");
#else
  add<limits>(env, exports, "machineLimits");
  add<forbid_winograd>(env, exports, "forbidWinograd");
  add<prepare_memory>(env, exports, "prepareMemory");
  add<register_tensorflow_ops>(env, exports, "registerTensorflowOps");
  add<tensorflow_devices>(env, exports, "tensorflowDevices");
  if (has_turbo_jpeg()) add<decode_jpeg>(env, exports, "decodeJpeg");
#endif
  add<info>(env, exports, "info");
  return exports;
}

}  // namespace
}  // namespace eat::addon

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return eat::addon::init(env, exports); }
NODE_API_MODULE(eat_dml, Init)
