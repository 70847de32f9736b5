#include "device_matrix.h"

#include "device_input.h"
#include "finite.h"
#include "graph.h"

namespace eat::cuda {
namespace {

// Memory of its own, not of a stream's pool: it outlives the call that made it.
struct Resident : DeviceMatrix {
  void* memory = nullptr;

  explicit Resident(index_t size) {
    check(cuda_malloc(&memory, static_cast<size_t>(size) * sizeof(float)), "allocation");
    ResidentMemory::instance().add(memory, static_cast<size_t>(size) * sizeof(float));
  }
  // A call that uses it holds it, and ends when its stream is idle: nothing reads it any more.
  ~Resident() override {
    ResidentMemory::instance().remove(memory);
    cuda_free(memory);
  }
};

}  // namespace

std::shared_ptr<DeviceMatrix> upload_matrix(const Run& run, const MatrixView& matrix) {
  auto resident = std::make_shared<Resident>(matrix.size());
  Stream stream;
  const Span<float> values{static_cast<float*>(resident->memory), matrix.size()};
  upload(stream, values, matrix.data, matrix.size());
  check_finite(run, stream, Span<const float>{values.data, values.size}, matrix.cols, 0, "matrix");
  stream.synchronize();
  resident->view = matrix;
  resident->view.data = values.data;
  return resident;
}

std::string device_description() {
  DeviceInfo device;
  check(cuda_device_info(&device), "asking for the device");
  if (kEmulated) return device.name;
  return std::string(device.name) + ", sm_" + std::to_string(device.major) + std::to_string(device.minor);
}

void wait_for_device() { check(cuda_device_synchronize(), "wait for the device"); }

bool emulated() { return kEmulated; }

DeviceLimits device_limits() {
  DeviceLimits limits;
  check(cuda_device_limits(&limits.fp32_flops, &limits.bytes), "asking for the device's clocks");
  return limits;
}

GraphUse graph_use() {
  GraphUse use{graph_launches(), 0};
  if (cuda_graph_memory(&use.reserved) != Status{}) cuda_get_last_error();  // a lost device still has a name to be told
  return use;
}

double take_kernel_milliseconds() { return KernelClock::take(); }

}  // namespace eat::cuda
