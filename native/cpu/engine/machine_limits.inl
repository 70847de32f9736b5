// machineLimits: the best of several short runs each.

// Independent chains, enough to fill the pipelines of every processor this runs on.
constexpr int kChains = W == 4 ? 24 : MR * NV < 12 ? 8 : 12;

__attribute__((noinline)) inline float multiply_add_chains(index_t steps) {
  F chain[kChains];
  for (int i = 0; i < kChains; i++) chain[i] = set1(1.0f + static_cast<float>(i));
  const F factor = set1(0.999f), term = set1(0.001f);
  for (index_t s = 0; s < steps; s++) {
#pragma GCC unroll 24
    for (int i = 0; i < kChains; i++) chain[i] = fma(chain[i], factor, term);
  }
  float lanes[W], sum = 0;
  for (int i = 0; i < kChains; i++) {
    store(lanes, chain[i]);
    sum += lanes[0];
  }
  return sum;
}

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double fma_gflops(const Run& run) {
  constexpr index_t steps = 2000000;
  double best = 0;
  for (int round = 0; round < 7; round++) {
    std::atomic<float> sink{0};
    const auto start = std::chrono::steady_clock::now();
    parallel_for(run, run.threads, [&](index_t) { sink.store(multiply_add_chains(steps)); });
    best = std::max(best, 2.0 * W * kChains * static_cast<double>(steps) * run.threads / seconds_since(start) / 1e9);
  }
  return best;
}

inline double triad_gbytes(const Run& run) {
  constexpr index_t size = index_t{1} << 24, block = 16384;  // 64 MiB each
  const Buffer memory(3 * size * sizeof(float));
  float *a = memory.as<float>(), *b = a + size, *c = b + size;
  std::fill(a, a + 3 * size, 1.0f);
  double best = 0;
  for (int round = 0; round < 7; round++) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(run, size / block, [&](index_t task) {
      for (index_t i = task * block; i < (task + 1) * block; i += W) {
        stream(a + i, fma(set1(0.5f), load(c + i), load(b + i)));
      }
      stream_fence();
    });
    best = std::max(best, 12.0 * static_cast<double>(size) / seconds_since(start) / 1e9);
  }
  return best;
}

inline MachineLimits machine_limits(const Run& run) { return {fma_gflops(run), triad_gbytes(run)}; }
