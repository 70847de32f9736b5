// The kernels as TensorFlow ops, on TensorFlow's own memory.
//   EatDmlAttackStep(origin, current, gradient, settings) -> result
//   EatDmlProjectPerturbation(delta, around, settings) -> result; around is not read where settings say so
//   EatDmlPairwiseDistance(a, b, settings) -> distances
//   EatDmlNearestCentroid(points, centroids) -> labels, distances, second_distances
// Tensors are float32 [n, ...] (a row per sample) or, for the last two, [n, d] or [batch, n, d]. `settings` are doubles, each as
// two int32: an attribute would be rounded to float32, and every value of one leaves a compiled kernel in TensorFlow's cache.
#pragma once

#include <string>
#include <vector>

namespace eat::tensorflow {

// Registers ops and CPU kernels, once per process. Throws std::runtime_error where that cannot be done.
void register_ops();

// Where the kernels of a device addon run.
struct Placement {
  const char* device;     // TensorFlow's name for it
  int priority;           // above 0: taken before another kernel of the same op and device
  void (*fence)();        // waits until the device has done what TensorFlow asked of it: such ops are given no stream to queue on
};

// Registers this addon's kernels, on the device's own pointers, with the ops that the CPU addon has registered.
void register_device_kernels(const Placement& placement);

struct Device {
  std::string name, type;
};

// What the loaded libtensorflow is and where it computes.
const char* version();
std::vector<Device> devices();

}  // namespace eat::tensorflow
