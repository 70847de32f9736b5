// The sums of k-means++ in the one order that every device keeps (contracts/clustering/kmeans.h), and what float tells of them beforehand.

constexpr index_t kSeedingChunk = 1024;

// |x - y|^2: eight sums, of every eighth dimension each, then their tree. No fused multiply-add: JavaScript has none.
inline double seeding_distance(const float* x, const float* y, index_t d) {
  constexpr int vectors = 8 / (W / 2);
  D sum[vectors];
  for (int v = 0; v < vectors; v++) sum[v] = dzero();
  index_t k = 0;
  for (; k + 8 <= d; k += 8) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) {
      const D t = dsub(dload_floats(x + k + v * (W / 2)), dload_floats(y + k + v * (W / 2)));
      sum[v] = dadd(sum[v], dmul(t, t));
    }
  }
  double part[8];
  for (int v = 0; v < vectors; v++) dstore(part + v * (W / 2), sum[v]);
  for (; k < d; k++) {
    const double t = static_cast<double>(x[k]) - y[k];
    part[k % 8] += t * t;
  }
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

// The sum of value(i) over [begin, end), at most a chunk: 256 sums, of every 256th value each, then their tree.
template <class Value>
inline double seeding_sum(index_t begin, index_t end, Value&& value) {
  double part[256] = {};
  for (index_t i = begin; i < end; i++) part[(i - begin) % 256] += value(i);
  for (int half = 128; half >= 1; half /= 2) {
    for (int i = 0; i < half; i++) part[i] += part[i + half];
  }
  return part[0];
}

// Squared distances of x to Count candidates in float: x is read once, the sums stay in registers.
template <int Count>
inline void estimate_some(const float* x, const float* const* candidates, index_t d, float* out) {
  F sum[Count];
  for (int c = 0; c < Count; c++) sum[c] = zero();
  index_t k = 0;
  for (; k + W <= d; k += W) {
    const F value = load(x + k);
#pragma GCC unroll 8
    for (int c = 0; c < Count; c++) {
      const F difference = sub(value, load(candidates[c] + k));
      sum[c] = fma(difference, difference, sum[c]);
    }
  }
  for (int c = 0; c < Count; c++) {
    float lanes[W];
    store(lanes, sum[c]);
    double total = dsum(dadd(dload_floats(lanes), dload_floats(lanes + W / 2)));
    for (index_t j = k; j < d; j++) {
      const double difference = static_cast<double>(x[j]) - candidates[c][j];
      total += difference * difference;
    }
    out[c] = static_cast<float>(total);
  }
}

// For up to 8 candidates.
inline void estimate_distances(const float* x, const float* const* candidates, int count, index_t d, float* out) {
  using Estimate = void (*)(const float*, const float* const*, index_t, float*);
  static constexpr Estimate by_count[8] = {estimate_some<1>, estimate_some<2>, estimate_some<3>, estimate_some<4>,
                                           estimate_some<5>, estimate_some<6>, estimate_some<7>, estimate_some<8>};
  by_count[count - 1](x, candidates, d, out);
}

// How far an estimate may be off: a share of it, and what float loses below its normal range. An estimate that is not finite tells
// nothing.
struct FloatError {
  double share, least;

  explicit FloatError(index_t d) : share(rounding_share(d)), least(static_cast<double>(d) * 0x1p-149) {}

  // Whether what was estimated is not less than `bound`.
  bool surely_above(double estimated, double bound) const {
    return std::isfinite(estimated) && estimated * (1 - share) - least > bound;
  }
  // Of a sum over `count` rows of the smaller of a distance and a known one.
  double of_sum(double sum, index_t count) const { return (2 * share + 1e-12) * sum + static_cast<double>(count) * least; }
};
