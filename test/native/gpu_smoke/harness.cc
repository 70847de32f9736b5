#include "harness.h"

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace gpu_smoke {

const std::vector<Shape>& shapes(Size size) {
  static const std::vector<Shape> all[] = {
      {{1, 1, 1}, {5, 7, 3}, {130, 20, 17}},
      {{5, 7, 3}, {130, 20, 17}, {129, 129, 16}, {300, 150, 65}, {257, 131, 192}, {64, 300, 784}},
      {{129, 130, 385}, {300, 260, 513}},
      {{4096, 1000, 128}, {2000, 515, 513}, {100000, 1000, 128}, {30000, 4096, 256}},
  };
  return all[static_cast<int>(size)];
}

std::string text(const Shape& s) { return std::to_string(s.n) + "x" + std::to_string(s.m) + " d" + std::to_string(s.d); }

void in_parallel(index_t n, const std::function<void(index_t)>& body) {
  constexpr index_t kTogether = 16;
  std::atomic<index_t> next{0};
  const auto work = [&] {
    for (index_t first; (first = next.fetch_add(kTogether)) < n;) {
      for (index_t i = first; i < std::min(n, first + kTogether); i++) body(i);
    }
  };
  std::vector<std::thread> pool;
  for (unsigned t = 0; t < std::max(1u, std::thread::hardware_concurrency()); t++) pool.emplace_back(work);
  for (std::thread& thread : pool) thread.join();
}

Floats values(index_t size, unsigned seed, float low, float high) {
  Floats v(static_cast<size_t>(size));
  const index_t chunk = index_t{1} << 20;
  in_parallel((size + chunk - 1) / chunk, [&](index_t c) {
    std::uint64_t state = (static_cast<std::uint64_t>(seed) << 32 | static_cast<std::uint64_t>(c + 1)) * 0x9e3779b97f4a7c15ull;
    for (index_t i = c * chunk; i < std::min(size, (c + 1) * chunk); i++) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      v[static_cast<size_t>(i)] = low + (high - low) * static_cast<float>(static_cast<double>(state >> 40) * 0x1p-24);
    }
  });
  return v;
}

static int done = 0, failed = 0;
int checks_done() { return done; }
int checks_failed() { return failed; }

void require(bool fine, const std::string& what) {
  constexpr int kTold = 12;
  done++;
  if (!fine && failed++ < kTold) std::printf("  FAILED %s\n", what.c_str());
}

void say(const char* format, ...) {
  va_list args;
  va_start(args, format);
  std::printf("  ");
  std::vprintf(format, args);
  std::printf("\n");
  va_end(args);
}

std::string forced_variant() {
  const char* forced = std::getenv("EAT_DML_CUDA_VARIANT");
  return forced == nullptr ? "" : forced;
}

double squared_distance(const float* x, const float* y, index_t d) {
  double sum = 0;
  for (index_t k = 0; k < d; k++) {
    const double t = static_cast<double>(x[k]) - y[k];
    sum += t * t;
  }
  return sum;
}

Products products(const float* x, const float* y, index_t d) {
  Products p;
  for (index_t k = 0; k < d; k++) {
    p.dot += static_cast<double>(x[k]) * y[k];
    p.x += static_cast<double>(x[k]) * x[k];
    p.y += static_cast<double>(y[k]) * y[k];
  }
  return p;
}

}  // namespace gpu_smoke
