// What certified labels rest on: the product's error as a share of |x||y|, for values that make a truncating unit err the most.
#include <algorithm>

#include "../../../native/cuda/distance/error_bounds.h"
#include "harness.h"

namespace gpu_smoke {
namespace {

constexpr const char* kPatterns[] = {"positive", "mixed exponents", "mixed exponents and signs", "one large value"};
constexpr int kPatternCount = 4;

// Rows of d values in [1, 2), made adverse by the pattern.
Floats adverse(int pattern, index_t rows, index_t d, unsigned seed, bool signs) {
  Floats v = values(rows * d, seed, 1, 2);
  const Floats exponents = values(rows * d, seed + 2, -8, 8);
  for (size_t i = 0; i < v.size(); i++) {
    if (pattern == 3) v[i] = i % static_cast<size_t>(d) == 0 ? 4096.0f : 1.9999f;  // the rest is what a 24-bit sum just drops
    if (pattern == 1 || pattern == 2) v[i] = std::ldexp(v[i], static_cast<int>(exponents[i]));
    if (pattern == 2 && signs && (i * 7 + i / 3) % 2 != 0) v[i] = -v[i];
  }
  return v;
}

void check_pattern(int pattern, index_t rows, index_t d, double allowed) {
  const Floats a = adverse(pattern, rows, d, 31, true), b = adverse(pattern, rows, d, 32, false);
  Floats out(rows * rows, NAN);
  kernels().pairwise_distance(Run{}, {{a.data(), 1, rows, d}, {b.data(), 1, rows, d}, Metric::dot, out.data()});
  std::vector<double> worst(static_cast<size_t>(rows));
  in_parallel(rows, [&](index_t i) {
    for (index_t j = 0; j < rows; j++) {
      const Products p = products(&a[i * d], &b[j * d], d);
      worst[i] = std::max(worst[i], share_off(out[i * rows + j], p.dot, std::sqrt(p.x * p.y)));
    }
  });
  const double most = *std::max_element(worst.begin(), worst.end());
  say("bound d%lld, %s: error %.2f * 2^-24 of |x||y|, %.1f%% of the bound", static_cast<long long>(d), kPatterns[pattern], most * 0x1p24,
      100 * most / allowed);
  require(most <= allowed, "bound d" + std::to_string(d) + ", " + kPatterns[pattern]);
}

}  // namespace

void check_bound(Size size) {
  const std::string forced = forced_variant();
  const int variant = forced.empty() ? 4 : forced[0] - '0';  // what the kernels choose for these shapes
  const std::vector<index_t> dimensions = size == Size::tiny ? std::vector<index_t>{17, 64} : size == Size::small ? std::vector<index_t>{512} : std::vector<index_t>{2048};
  for (const index_t d : dimensions) {
    for (int pattern = 0; pattern < kPatternCount; pattern++) {
      check_pattern(pattern, size == Size::tiny ? 40 : 256, d, cuda::rounding_share(variant, d));
    }
  }
}

}  // namespace gpu_smoke
