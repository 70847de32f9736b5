// Which instruction set runs: a table by priority, or the one EAT_DML_ISA names.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "../../contracts/kernel_table.h"

namespace eat {
namespace scalar { extern const KernelTable table; }
#if defined(__x86_64__)
namespace avx2 { extern const KernelTable table; }
namespace avx512 { extern const KernelTable table; }
#elif defined(__aarch64__)
namespace neon { extern const KernelTable table; }
#endif

namespace {

struct Choice {
  const KernelTable* table;
  bool (*supported)();  // by the processor and, through XGETBV, by the operating system
};

// First supported wins.
const Choice kChoices[] = {
#if defined(__x86_64__)
    {&avx512::table, [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
     }},
    {&avx2::table, [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#elif defined(__aarch64__)
    {&neon::table, [] { return true; }},
#endif
    {&scalar::table, [] { return true; }},
};

const KernelTable& choose() {
  const char* forced = std::getenv("EAT_DML_ISA");
  std::string names;
  for (const Choice& choice : kChoices) {
    const bool supported = choice.supported();
    if (forced == nullptr || *forced == 0) {
      if (supported) return *choice.table;
    } else if (std::strcmp(forced, choice.table->isa) == 0) {
      if (supported) return *choice.table;
      throw std::invalid_argument("Expected an instruction set this processor has in EAT_DML_ISA but received " +
                                  std::string(forced) + ".");
    }
    names += (names.empty() ? "" : ", ") + std::string(choice.table->isa);
  }
  throw std::invalid_argument("Expected one of " + names + " in EAT_DML_ISA but received " + std::string(forced) + ".");
}

}  // namespace

const KernelTable& kernels() {
  static const KernelTable& table = choose();
  return table;
}

}  // namespace eat
