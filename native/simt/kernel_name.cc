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

#if defined(__x86_64__)
// Bytes of the no-operation at `code`, 0 where there is none: g++ writes single bytes, clang++ the long forms.
static int nop_length(const uint8_t* code) {
  int prefixes = 0;
  while (code[prefixes] == 0x66 || code[prefixes] == 0x2e) prefixes++;
  code += prefixes;
  if (code[0] == 0x90) return prefixes + 1;
  if (code[0] != 0x0f || code[1] != 0x1f) return 0;
  const int lengths[][2] = {{0x00, 3}, {0x40, 4}, {0x44, 5}, {0x80, 7}, {0x84, 8}};  // by addressing mode
  for (const auto& [mode, length] : lengths) {
    if (code[2] == mode) return prefixes + length;
  }
  return 0;
}
#endif

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
  while (const int length = nop_length(code + nops)) nops += length;
#endif
  return nops == 0 ? 1024 : nops * 32;
}

}  // namespace eat::simt
