// The addon's exports: one function per kernel, and info().
#include "../contracts/kernel_table.h"
#include "../cpu/engine/thread_pool.h"
#include "call.h"
#ifdef EAT_DML_DEVICE_ADDON
#include "../cuda/host/device_matrix.h"
#endif

namespace eat::addon {

Napi::Value pairwise_distance(const Napi::CallbackInfo&);
Napi::Value nearest_centroid(const Napi::CallbackInfo&);
Napi::Value nearest_neighbors(const Napi::CallbackInfo&);
Napi::Value centroid_means(const Napi::CallbackInfo&);
Napi::Value kmeans(const Napi::CallbackInfo&);
Napi::Value kmeans_plus_plus(const Napi::CallbackInfo&);
Napi::Value project_perturbation(const Napi::CallbackInfo&);
Napi::Value attack_step(const Napi::CallbackInfo&);
Napi::Value matmul(const Napi::CallbackInfo&);
Napi::Value conv2d(const Napi::CallbackInfo&);
Napi::Value conv2d_backprop_input(const Napi::CallbackInfo&);
Napi::Value conv2d_backprop_filter(const Napi::CallbackInfo&);
Napi::Value conv_relu_stack(const Napi::CallbackInfo&);
Napi::Value conv_relu_stack_backprop_input(const Napi::CallbackInfo&);
Napi::Value unary(const Napi::CallbackInfo&);
Napi::Value binary(const Napi::CallbackInfo&);
Napi::Value reduce(const Napi::CallbackInfo&);
Napi::Value batch_moments(const Napi::CallbackInfo&);
Napi::Value batch_norm(const Napi::CallbackInfo&);
Napi::Value batch_norm_gradient(const Napi::CallbackInfo&);
Napi::Value pool2d(const Napi::CallbackInfo&);
Napi::Value pool2d_gradient(const Napi::CallbackInfo&);
Napi::Value depthwise_conv2d(const Napi::CallbackInfo&);
Napi::Value depthwise_conv2d_backprop_input(const Napi::CallbackInfo&);
Napi::Value depthwise_conv2d_backprop_filter(const Napi::CallbackInfo&);
Napi::Value strided_copy(const Napi::CallbackInfo&);
Napi::Value adam_w(const Napi::CallbackInfo&);
Napi::Value compare_values(const Napi::CallbackInfo&);
Napi::Value logical(const Napi::CallbackInfo&);
Napi::Value select(const Napi::CallbackInfo&);
Napi::Value gather(const Napi::CallbackInfo&);
Napi::Value segment_sum(const Napi::CallbackInfo&);
Napi::Value one_hot(const Napi::CallbackInfo&);
Napi::Value arg_reduce(const Napi::CallbackInfo&);
Napi::Value top_k(const Napi::CallbackInfo&);
Napi::Value softmax(const Napi::CallbackInfo&);
Napi::Value upload_matrix(const Napi::CallbackInfo&);
#ifdef EAT_DML_DEVICE_ADDON
Napi::Value device_limits(const Napi::CallbackInfo&);
Napi::Value kernel_milliseconds(const Napi::CallbackInfo&);
Napi::Value register_tensorflow_kernels(const Napi::CallbackInfo&);
#else
Napi::Value register_tensorflow_ops(const Napi::CallbackInfo&);
Napi::Value tensorflow_devices(const Napi::CallbackInfo&);
#endif

namespace {

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
    {"pairwiseDistance", guarded<pairwise_distance>, has<&KernelTable::pairwise_distance>},
    {"nearestCentroid", guarded<nearest_centroid>, has<&KernelTable::nearest_centroid>},
    {"nearestNeighbors", guarded<nearest_neighbors>, has<&KernelTable::nearest_neighbors>},
    {"centroidMeans", guarded<centroid_means>, has<&KernelTable::centroid_means>},
    {"kmeans", guarded<kmeans>, has<&KernelTable::kmeans>},
    {"kmeansPlusPlus", guarded<kmeans_plus_plus>, has<&KernelTable::kmeans_plus_plus>},
    {"projectPerturbation", guarded<project_perturbation>, has<&KernelTable::project_perturbation>},
    {"attackStep", guarded<attack_step>, has<&KernelTable::attack_step>},
    {"matmul", guarded<matmul>, has<&KernelTable::matmul>},
    {"conv2d", guarded<conv2d>, has<&KernelTable::conv2d>},
    {"conv2dBackpropInput", guarded<conv2d_backprop_input>, has<&KernelTable::conv2d_backprop_input>},
    {"conv2dBackpropFilter", guarded<conv2d_backprop_filter>, has<&KernelTable::conv2d_backprop_filter>},
    {"convReluStack", guarded<conv_relu_stack>, has<&KernelTable::conv_relu_stack>},
    {"convReluStackBackpropInput", guarded<conv_relu_stack_backprop_input>, has<&KernelTable::conv_relu_stack_backprop_input>},
    {"unary", guarded<unary>, has<&KernelTable::unary>},
    {"binary", guarded<binary>, has<&KernelTable::binary>},
    {"reduce", guarded<reduce>, has<&KernelTable::reduce>},
    {"batchMoments", guarded<batch_moments>, has<&KernelTable::batch_moments>},
    {"batchNorm", guarded<batch_norm>, has<&KernelTable::batch_norm>},
    {"batchNormGradient", guarded<batch_norm_gradient>, has<&KernelTable::batch_norm_gradient>},
    {"pool2d", guarded<pool2d>, has<&KernelTable::pool2d>},
    {"pool2dGradient", guarded<pool2d_gradient>, has<&KernelTable::pool2d_gradient>},
    {"depthwiseConv2d", guarded<depthwise_conv2d>, has<&KernelTable::depthwise_conv2d>},
    {"depthwiseConv2dBackpropInput", guarded<depthwise_conv2d_backprop_input>, has<&KernelTable::depthwise_conv2d_backprop_input>},
    {"depthwiseConv2dBackpropFilter", guarded<depthwise_conv2d_backprop_filter>, has<&KernelTable::depthwise_conv2d_backprop_filter>},
    {"stridedCopy", guarded<strided_copy>, has<&KernelTable::strided_copy>},
    {"adamW", guarded<adam_w>, has<&KernelTable::adam_w>},
    {"compareValues", guarded<compare_values>, has<&KernelTable::compare_values>},
    {"logical", guarded<logical>, has<&KernelTable::logical>},
    {"select", guarded<select>, has<&KernelTable::select>},
    {"gather", guarded<gather>, has<&KernelTable::gather>},
    {"segmentSum", guarded<segment_sum>, has<&KernelTable::segment_sum>},
    {"oneHot", guarded<one_hot>, has<&KernelTable::one_hot>},
    {"argReduce", guarded<arg_reduce>, has<&KernelTable::arg_reduce>},
    {"topK", guarded<top_k>, has<&KernelTable::top_k>},
    {"softmax", guarded<softmax>, has<&KernelTable::softmax>},
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
  add<register_tensorflow_ops>(env, exports, "registerTensorflowOps");
  add<tensorflow_devices>(env, exports, "tensorflowDevices");
#endif
  add<info>(env, exports, "info");
  return exports;
}

}  // namespace
}  // namespace eat::addon

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return eat::addon::init(env, exports); }
NODE_API_MODULE(eat_dml, Init)
