// Runs every case under several orders of threads and blocks; a line per case that fails, and a count. Exit status 1 where any did.
#include <cstdio>
#include <cstdlib>

#include "harness.h"

namespace simt_test {

std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

// What went wrong, or "".
static std::string failure(const Case& c) {
  std::string said;
  try {
    c.run();
  } catch (const eat::simt::Fault& fault) {
    said = fault.what();
  } catch (const std::exception& e) {
    return e.what();
  }
  if (c.expected.empty()) return said;
  if (said.empty()) return "no fault";
  for (const std::string& part : c.expected) {
    if (said.find(part) == std::string::npos) return "expected '" + part + "' in: " + said;
  }
  return "";
}

}  // namespace simt_test

int main(int argc, char** argv) {
  const int orders = argc > 1 ? std::atoi(argv[1]) : 20;
  int failed = 0, bugs = 0;
  for (const simt_test::Case& c : simt_test::cases()) {
    bugs += !c.expected.empty();
    std::string wrong;
    for (int seed = 1; seed <= orders && wrong.empty(); seed++) {
      setenv("EAT_SIMT_SEED", std::to_string(seed).c_str(), 1);
      wrong = simt_test::failure(c);
    }
    if (!wrong.empty()) std::printf("FAILED %s: %s\n", c.name.c_str(), wrong.c_str());
    failed += !wrong.empty();
  }
  const int count = static_cast<int>(simt_test::cases().size());
  std::printf("simt: %d of %d cases pass (%d planted bugs, %d correct kernels), %d orders each\n", count - failed, count, bugs, count - bugs, orders);
  return failed > 0;
}
