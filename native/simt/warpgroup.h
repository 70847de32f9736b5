// Products of a warpgroup, 128 threads that all call them. They read shared memory when they are waited for, at the latest moment a
// GPU may, and what they read must not be written in between; their accumulators are NaN until then.
#pragma once

#include "shared_memory.h"
#include "tensor.h"

namespace eat::simt {

constexpr int kGroup = 128, kGroupColumns = 128;

class Warpgroups {
 public:
  void start_block() { groups_.assign((machine.threads + kGroup - 1) / kGroup, Group{}); }
  void fence(Site site);
  void multiply(float (&d)[64], uint64_t a, uint64_t b, bool accumulate, Site site);
  void commit(Site site);
  void wait(size_t newest, Site site);

 private:
  struct Call {
    float* d = nullptr;
    uint64_t a = 0, b = 0;
    bool accumulate = false;
  };
  struct Product {
    float* d[kGroup];
    uint64_t a, b;
    bool accumulate;
  };
  struct Accumulators {
    float* d[kGroup];
    float value[kGroup][64];
  };
  struct Group {
    int arrived = 0;
    const char* what = "";
    Site site;
    bool fenced = false;
    Call calls[kGroup];
    std::vector<Product> open;
    std::vector<std::vector<Product>> committed;
    std::vector<Accumulators> accumulators;  // of products under way
  };
  // Waits for all 128; the last one to come does `finish`.
  void meet(const char* what, Site site, const Call& call, void (Warpgroups::*finish)(Group&, size_t), size_t argument = 0);
  void do_fence(Group& g, size_t);
  void do_multiply(Group& g, size_t);
  void do_commit(Group& g, size_t);
  void do_wait(Group& g, size_t newest);
  static void run(Group& g, const Product& p);

  std::vector<Group> groups_;
};

extern Warpgroups warpgroups;

}  // namespace eat::simt

namespace eat::cuda {

inline unsigned long long wgmma_operand(Shared<unsigned> s, int i) {
  return (s.place(i, 4, 16) & 0x3ffffull) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
}
inline void wgmma_fence(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { simt::warpgroups.fence({file, line}); }
inline void wgmma_commit(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { simt::warpgroups.commit({file, line}); }
template <int N>
void wgmma_wait(float (&)[64], const char* file = __builtin_FILE(), int line = __builtin_LINE()) { simt::warpgroups.wait(N, {file, line}); }
inline void wgmma_m64n128k16_f16(float (&d)[64], unsigned long long a, unsigned long long b, bool accumulate,
                                 const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  simt::warpgroups.multiply(d, a, b, accumulate, {file, line});
}

}  // namespace eat::cuda
