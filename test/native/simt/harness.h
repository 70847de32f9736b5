// A table of kernels, each with what must happen: that a planted bug is reported in these words, or that a correct kernel gives
// the right values.
#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "../../../native/cuda/device/simt.h"

namespace simt_test {

using namespace eat::cuda;
using eat::index_t;

struct Case {
  std::string name;
  std::vector<std::string> expected;  // parts of the fault's sentence; none: no fault
  std::function<void()> run;
};

std::vector<Case>& cases();

struct Add {
  Add(std::string name, std::vector<std::string> expected, std::function<void()> run) {
    cases().push_back({std::move(name), std::move(expected), std::move(run)});
  }
};

// Device memory of a test, with its values on the host.
template <class T>
struct Memory {
  explicit Memory(index_t size) : size(size) { cuda_malloc(&data, static_cast<size_t>(size) * sizeof(T)); }
  explicit Memory(const std::vector<T>& values) : Memory(static_cast<index_t>(values.size())) {
    cuda_memcpy_async(data, values.data(), values.size() * sizeof(T), nullptr);
  }
  ~Memory() { cuda_free(data); }
  Memory(const Memory&) = delete;

  Span<T> span() const { return {static_cast<T*>(data), size}; }
  std::vector<T> values() const {
    std::vector<T> result(static_cast<size_t>(size));
    cuda_memcpy_async(result.data(), data, result.size() * sizeof(T), nullptr);
    return result;
  }

  void* data = nullptr;
  index_t size;
};

inline std::vector<float> counting(int n) {
  std::vector<float> values(n);
  for (int i = 0; i < n; i++) values[i] = static_cast<float>(i);
  return values;
}

template <class... P, class... A>
void run(void (*kernel)(P...), int blocks, int threads, int dynamic_shared, A... args) {
  cuda_launch(kernel, Grid{static_cast<unsigned>(blocks), 1, 1}, threads, static_cast<size_t>(dynamic_shared), nullptr, args...);
}

inline void require(bool right, const std::string& what) {
  if (!right) throw std::logic_error(what);
}

}  // namespace simt_test
