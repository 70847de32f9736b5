#include "planted.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "kernel_name.h"

namespace eat::simt {

static std::atomic<int> status{0};

int device_status() { return status; }

int launch_status(const void* kernel) {
  const char* text = std::getenv("EAT_SIMT_PLANT");
  if (text == nullptr || *text == 0) return status;
  const std::string planted = text, fault = planted.substr(0, planted.find(' '));
  if (fault.size() == planted.size() || (fault != "hang" && fault != "illegal_address")) {
    throw std::invalid_argument("Expected hang or illegal_address and a kernel for EAT_SIMT_PLANT but received " + planted + ".");
  }
  if (kernel_name(kernel).rfind(planted.substr(fault.size() + 1), 0) != 0) return status;
  while (fault == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
  return status = kIllegalAddress;
}

}  // namespace eat::simt
