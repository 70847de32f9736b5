// The device's kernels without Node: held to plain loops in double, and timed. One process per kernel and variant
// (EAT_DML_CUDA_VARIANT): an error of CUDA that loses the device costs no other.
//   gpu_smoke info                       the device and what it could do by its clocks
//   gpu_smoke check KERNEL SIZE...       KERNEL: all, nearest, pairwise, neighbors, means, kmeans, attack, bound
//                                        SIZE: tiny, small, tiles, large; in this order
//   gpu_smoke bench|bench-tiny [FILTER]  lines of JSON; EAT_DML_CUDA_TIMING=1 for the device's time
// Ends with 0 where all is well, 1 where a result is wrong, 2 where it was called wrongly, 3 where the device is not there or lost.
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "harness.h"

namespace {

using namespace gpu_smoke;
enum Exit { kFine = 0, kWrong = 1, kUsage = 2, kDevice = 3 };

constexpr std::pair<const char*, void (*)(Size)> kChecks[] = {
    {"nearest", check_nearest}, {"pairwise", check_pairwise}, {"neighbors", check_neighbors}, {"means", check_means},
    {"kmeans", check_kmeans},   {"attack", check_attack},     {"bound", check_bound},
};
constexpr std::pair<const char*, Size> kSizes[] = {{"tiny", Size::tiny}, {"small", Size::small}, {"tiles", Size::tiles}, {"large", Size::large}};

template <class Table>
bool holds(const Table& table, const std::string& word) {
  for (const auto& [name, _] : table) if (word == name) return true;
  return false;
}

bool understood(const std::vector<std::string>& words) {
  if (words[0] == "info") return words.size() == 1;
  if (words[0] == "bench" || words[0] == "bench-tiny") return words.size() <= 2;
  if (words[0] != "check" || words.size() < 3) return false;
  for (size_t i = 2; i < words.size(); i++) if (!holds(kSizes, words[i])) return false;
  return words[1] == "all" || holds(kChecks, words[1]);
}

int info() {
  const cuda::DeviceLimits limits = cuda::device_limits();
  std::printf("%s; by its clocks %.1f fp32 TFLOP/s and %.0f GB/s\n", kernels().isa, limits.fp32_flops / 1e12, limits.bytes / 1e9);
  return kFine;
}

int check(const std::vector<std::string>& words) {
  for (size_t i = 2; i < words.size(); i++) {
    for (const auto& [size_name, size] : kSizes) {
      if (words[i] != size_name) continue;
      for (const auto& [name, run] : kChecks) {
        if (words[1] != "all" && words[1] != name) continue;
        std::printf("%s, %s\n", name, size_name);  // the last such line in the log is what did not end
        run(size);
      }
    }
  }
  std::printf("%s: %d checks, %d failed\n", checks_failed() > 0 ? "FAIL" : "PASS", checks_done(), checks_failed());
  return checks_failed() > 0 ? kWrong : kFine;
}

int run(const std::vector<std::string>& words) {
  if (words[0] == "info") return info();
  std::printf("%s, variant %s\n", kernels().isa, forced_variant().empty() ? "chosen by shape" : forced_variant().c_str());
  if (words[0] == "check") return check(words);
  bench(words.size() > 1 ? words[1] : "", words[0] == "bench-tiny");
  return kFine;
}

}  // namespace

int main(int count, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::vector<std::string> words = count > 1 ? std::vector<std::string>(arguments + 1, arguments + count) : std::vector<std::string>{"info"};
  if (!understood(words)) {
    std::printf("Expected info, check KERNEL SIZE... or bench [FILTER]; see test/native/gpu_smoke/main.cc.\n");
    return kUsage;
  }
  try {
    return run(words);
  } catch (const std::invalid_argument& e) {  // a variant that this device has not
    std::printf("FAIL: %s\n", e.what());
    return kUsage;
  } catch (const cuda::DeviceError& e) {
    std::printf("LOST after %d checks, %d failed: %s\n", checks_done(), checks_failed(), e.what());
    return kDevice;
  } catch (const std::exception& e) {  // memory, or a fault of the emulator
    std::printf("FAIL after %d checks, %d failed: %s\n", checks_done(), checks_failed(), e.what());
    return kWrong;
  }
}
