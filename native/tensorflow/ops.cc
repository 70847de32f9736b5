#include "ops.h"

#include <mutex>

#include "../contracts/attack/attack_step.h"
#include "../contracts/attack/project_perturbation.h"
#include "../contracts/distance/nearest_centroid.h"
#include "../contracts/distance/pairwise_distance.h"
#include "../contracts/kernel_table.h"
#include "../cpu/engine/thread_pool.h"
#include "context.h"

namespace eat::tensorflow {
namespace {

// Of a device addon, once it has registered its kernels; else the kernels run on the CPU.
Placement placement{"CPU", 0, nullptr};

Run run() {
  Run run;
  run.threads = default_threads();
  run.on_device = placement.fence != nullptr;
  return run;
}

void require_same(const MatrixView& a, const MatrixView& b, bool rows_too) {
  const bool same = a.cols == b.cols && a.batch == b.batch && (!rows_too || a.rows == b.rows);
  if (!same || a.size() == 0 || b.size() == 0) throw std::invalid_argument("expected tensors of fitting shapes that are not empty");
}

void attack_step(const Call& call) {
  const Tensor origin = call.input(0), current = call.input(1), gradient = call.input(2);
  const auto [norm, epsilon, step_size, has_box, lo, hi] = call.settings<6>(3).at;
  AttackStep p;
  p.origin = origin.rows();
  p.current = current.rows();
  p.gradient = gradient.rows();
  require_same(p.origin, p.current, true);
  require_same(p.origin, p.gradient, true);
  p.norm = static_cast<Norm>(static_cast<int>(norm));
  p.epsilon = epsilon;
  p.step_size = step_size;
  p.has_box = has_box != 0;
  p.lo = static_cast<float>(lo);
  p.hi = static_cast<float>(hi);
  const Tensor out = call.output(0, kFloat, origin.shape());
  p.out = out.data<float>();
  kernels().attack_step(run(), p);
}

void project_perturbation(const Call& call) {
  const Tensor delta = call.input(0), around = call.input(1);
  const auto [norm, epsilon, has_box, lo, hi] = call.settings<5>(2).at;
  ProjectPerturbation p;
  p.delta = delta.rows();
  require_same(p.delta, around.rows(), true);
  p.norm = static_cast<Norm>(static_cast<int>(norm));
  p.epsilon = epsilon;
  p.around = has_box != 0 ? around.data<const float>() : nullptr;
  p.lo = static_cast<float>(lo);
  p.hi = static_cast<float>(hi);
  const Tensor out = call.output(0, kFloat, delta.shape());
  p.out = out.data<float>();
  kernels().project_perturbation(run(), p);
}

void pairwise_distance(const Call& call) {
  const Tensor a = call.input(0), b = call.input(1);
  const auto [metric] = call.settings<1>(2).at;
  PairwiseDistance p;
  p.a = a.matrix();
  p.b = b.matrix();
  require_same(p.a, p.b, false);
  p.metric = static_cast<Metric>(static_cast<int>(metric));
  auto shape = a.shape();
  shape.back() = p.b.rows;
  const Tensor out = call.output(0, kFloat, shape);
  p.out = out.data<float>();
  kernels().pairwise_distance(run(), p);
}

void nearest_centroid(const Call& call) {
  const Tensor points = call.input(0), centroids = call.input(1);
  NearestCentroid p;
  p.points = points.matrix();
  p.centroids = centroids.matrix();
  require_same(p.points, p.centroids, false);
  auto shape = points.shape();
  shape.pop_back();
  const Tensor labels = call.output(0, kInt32, shape), nearest = call.output(1, kFloat, shape);
  const Tensor second = call.output(2, kFloat, shape);
  p.labels = labels.data<std::int32_t>();
  p.distances = nearest.data<float>();
  p.second_distances = second.data<float>();
  kernels().nearest_centroid(run(), p);
}

// Exceptions must not pass through TensorFlow. The messages with "eat-dml" are read by src/tfjs/custom-ops.ts.
template <void (*body)(const Call&)>
void compute(void*, TF_OpKernelContext* context) {
  const Call call(context);
  const auto located = [](const char* kind, const char* argument, index_t row) {
    return std::string("eat-dml ") + kind + " " + argument + " " + std::to_string(row);
  };
  try {
    if (placement.fence != nullptr) placement.fence();
    body(call);
  } catch (const NotFinite& e) {
    call.fail(kInvalidArgument, located("notFinite", e.argument, e.row));
  } catch (const OutsideBox& e) {
    call.fail(kInvalidArgument, located("outsideBox", e.argument, e.row));
  } catch (const std::invalid_argument& e) {
    call.fail(kInvalidArgument, e.what());
  } catch (const std::exception& e) {
    call.fail(kInternal, e.what());
  }
}

void shape_of_first(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = api().NewShapeHandle();
  api().ShapeInferenceContextGetInput(context, 0, shape, status);
  if (api().GetCode(status) == kOk) api().ShapeInferenceContextSetOutput(context, 0, shape, status);
  api().DeleteShapeHandle(shape);
}

void shape_unknown(TF_ShapeInferenceContext* context, TF_Status* status) {
  api().ShapeInferenceContextSetUnknownShape(context, status);
}

constexpr const char* kSettings = "settings: int32";

struct Op {
  const char* name;
  std::vector<const char*> inputs, outputs;
  void (*shape)(TF_ShapeInferenceContext*, TF_Status*);
  void (*compute)(void*, TF_OpKernelContext*);
};

const std::vector<Op>& ops() {
  static const std::vector<Op> list = {
      {"EatDmlAttackStep", {"origin: float", "current: float", "gradient: float", kSettings}, {"result: float"},
       shape_of_first, compute<attack_step>},
      {"EatDmlProjectPerturbation", {"delta: float", "around: float", kSettings}, {"result: float"}, shape_of_first,
       compute<project_perturbation>},
      {"EatDmlPairwiseDistance", {"a: float", "b: float", kSettings}, {"distances: float"}, shape_unknown,
       compute<pairwise_distance>},
      {"EatDmlNearestCentroid", {"points: float", "centroids: float"},
       {"labels: int32", "distances: float", "second_distances: float"}, shape_unknown, compute<nearest_centroid>},
  };
  return list;
}

void register_op(const Op& op) {
  const Status status;
  TF_OpDefinitionBuilder* definition = api().NewOpDefinitionBuilder(op.name);
  for (const char* input : op.inputs) api().OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : op.outputs) api().OpDefinitionBuilderAddOutput(definition, output);
  api().OpDefinitionBuilderSetShapeInferenceFunction(definition, op.shape);
  api().RegisterOpDefinition(definition, status);  // takes the builder
  status.require();
}

// Settings are read here and not by the device. Without a kernel for the GPU TensorFlow copies to and from the CPU's.
void register_kernel(const Op& op) {
  const Status status;
  TF_KernelBuilder* builder = api().NewKernelBuilder(op.name, placement.device, nullptr, op.compute, nullptr);
  for (const char* input : op.inputs) {
    if (std::strcmp(input, kSettings) == 0) api().KernelBuilder_HostMemory(builder, "settings");
  }
  api().KernelBuilder_Priority(builder, placement.priority);
  api().RegisterKernelBuilder(op.name, builder, status);  // takes the builder
  status.require();
}

// A worker thread's copy of the addon shares this: an op or a kernel registered twice ends the process.
std::once_flag registered;

}  // namespace

void register_ops() {
  std::call_once(registered, [] {
    for (const Op& op : ops()) {
      register_op(op);
      register_kernel(op);
    }
  });
}

void register_device_kernels(const Placement& where) {
  std::call_once(registered, [&] {
    placement = where;
    for (const Op& op : ops()) register_kernel(op);
  });
}

const char* version() { return api().Version(); }

std::vector<Device> devices() {
  const Status status;
  TFE_ContextOptions* options = api().eager.NewContextOptions();
  TFE_Context* context = api().eager.NewContext(options, status);
  api().eager.DeleteContextOptions(options);
  status.require();
  TF_DeviceList* list = api().eager.ContextListDevices(context, status);
  std::vector<Device> found;
  const int count = api().GetCode(status) == kOk ? api().DeviceListCount(list) : 0;
  for (int i = 0; i < count; i++) found.push_back({api().DeviceListName(list, i, status), api().DeviceListType(list, i, status)});
  if (count > 0) api().DeleteDeviceList(list);
  api().eager.DeleteContext(context);
  status.require();
  return found;
}

}  // namespace eat::tensorflow
