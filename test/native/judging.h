// What every suite judges by. Included by driver.cc.
#pragma once

int failures = 0, checks = 0;

void check(bool fine, const std::string& what) {
  checks++;
  if (fine) return;
  failures++;
  std::printf("FAILED %s: %s\n", kernels().isa, what.c_str());
}

Floats random_floats(index_t size, unsigned seed) {
  Floats v(static_cast<size_t>(size));
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (float& x : v) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    x = static_cast<float>(static_cast<double>(state >> 40) / 0x1p23 - 1);
  }
  return v;
}

double squared(const float* x, const float* y, index_t d) {
  double s = 0;
  for (index_t k = 0; k < d; k++) s += (static_cast<double>(x[k]) - y[k]) * (static_cast<double>(x[k]) - y[k]);
  return s;
}

bool near(double a, double b, double relative, double floor = 1e-20) {
  return std::fabs(a - b) <= relative * std::max(std::fabs(b), floor);
}

// What one run wrote, to compare bit by bit between runs.
using Outputs = std::vector<Floats>;

bool same_bits(const Outputs& a, const Outputs& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); i++) {
    if (a[i].size() != b[i].size() || std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)) != 0) return false;
  }
  return true;
}

Floats as_floats(const std::vector<std::int32_t>& v) { return Floats(v.begin(), v.end()); }
