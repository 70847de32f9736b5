#include "kernel_name.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace eat::simt {

std::string kernel_name(const void* kernel) {
  Dl_info info{};
  if (dladdr(kernel, &info) == 0 || info.dli_sname == nullptr || info.dli_saddr != kernel) return "(local function)";
  int status = 0;
  char* readable = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : info.dli_sname;
  std::free(readable);
  if (name.rfind("void ", 0) == 0) name = name.substr(5);  // templates carry their result
  if (const size_t space = name.find("eat::cuda::"); space == 0) name = name.substr(std::strlen("eat::cuda::"));
  int depth = 0;
  for (size_t i = 0; i < name.size(); i++) {
    depth += name[i] == '<' ? 1 : name[i] == '>' ? -1 : 0;
    if (name[i] == '(' && depth == 0) return name.substr(0, i);
  }
  return name;
}

int launch_bound(const void* kernel) {
  int nops = 0;
#if defined(__aarch64__)
  const uint32_t* code = static_cast<const uint32_t*>(kernel);
  if (*code == 0xd503245fu) code++;  // bti c
  while (code[nops] == 0xd503201fu) nops++;
#elif defined(__x86_64__)
  const uint8_t* code = static_cast<const uint8_t*>(kernel);
  const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
  if (std::memcmp(code, endbr64, sizeof endbr64) == 0) code += sizeof endbr64;
  while (code[nops] == 0x90) nops++;
#endif
  return nops == 0 ? 1024 : nops * 32;
}

}  // namespace eat::simt
