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

// Candidates for estimates in float, in groups of about one size: of each group vectors of the first W dimensions, then of the next, 0 past
// the last dimension. So they lie together, wherever their rows are.
struct SeedingCandidates {
  static constexpr index_t kGroup = W < 6 ? W : 6;
  index_t count, d, steps, groups;
  std::vector<float> values;

  SeedingCandidates(const float* const* rows, index_t count, index_t d)
      : count(count), d(d), steps(ceil_div(d, W)), groups(ceil_div(count, kGroup)), values(static_cast<size_t>(steps * W * count)) {
    for (index_t g = 0; g < groups; g++) {
      for (index_t c = first(g); c < first(g + 1); c++) {
        for (index_t k = 0; k < d; k++) at(g)[(k / W * size(g) + c - first(g)) * W + k % W] = rows[c][k];
      }
    }
  }

  index_t first(index_t group) const { return count * group / groups; }
  index_t size(index_t group) const { return first(group + 1) - first(group); }
  float* at(index_t group) { return values.data() + first(group) * steps * W; }
  const float* at(index_t group) const { return values.data() + first(group) * steps * W; }
};

// Rows whose values are fetched ahead: what lies between main memory and a row of 2 KB is more than a processor foresees by itself.
constexpr index_t kRowsAhead = 8;

// Squared distances in float of Rows rows to a group of Count candidates, one candidate in each lane of a row's result.
template <int Rows, int Count>
inline void estimate_group(const float* const* x, const float* group, index_t d, F* out) {
  F sum[Rows][W];
  for (int r = 0; r < Rows; r++) for (int c = 0; c < W; c++) sum[r][c] = zero();
  const auto add_up = [&](const F (&values)[Rows]) {
#pragma GCC unroll 8
    for (int c = 0; c < Count; c++, group += W) {
      const F candidate = load(group);
#pragma GCC unroll 2
      for (int r = 0; r < Rows; r++) {
        const F difference = sub(candidate, values[r]);  // read once: x86 takes its second operand from memory
        sum[r][c] = fma(difference, difference, sum[r][c]);
      }
    }
  };
  F values[Rows];
  index_t k = 0;
  for (; k + W <= d; k += W) {
    for (int r = 0; r < Rows; r++) {
      values[r] = load(x[r] + k);
      __builtin_prefetch(x[r] + k + kRowsAhead * d, 0, 2);
    }
    add_up(values);
  }
  if (k < d) {
    for (int r = 0; r < Rows; r++) values[r] = load_partial(x[r] + k, static_cast<int>(d - k));
    add_up(values);
  }
  for (int r = 0; r < Rows; r++) {
    transpose(sum[r]);
    for (int half = W / 2; half >= 1; half /= 2) {
      for (int w = 0; w < half; w++) sum[r][w] = add(sum[r][w], sum[r][w + half]);
    }
    out[r] = sum[r][0];
  }
}

using EstimateGroup = void (*)(const float* const*, const float*, index_t, F*);

template <int Rows, int... Less>
inline EstimateGroup estimate_of(index_t count, std::integer_sequence<int, Less...>) {
  static constexpr EstimateGroup by_count[] = {estimate_group<Rows, Less + 1>...};
  return by_count[count - 1];
}

// For each of Rows rows a bit for each candidate (32 at most) whose distance, as float tells, is not above the row's limit.
template <int Rows>
inline void maybe_nearer(const float* const* x, const SeedingCandidates& candidates, const float* limits, std::uint32_t* open) {
  for (int r = 0; r < Rows; r++) open[r] = 0;
  for (index_t g = 0; g < candidates.groups; g++) {
    F estimates[Rows];
    const index_t size = candidates.size(g);
    const auto counts = std::make_integer_sequence<int, static_cast<int>(SeedingCandidates::kGroup)>();
    estimate_of<Rows>(size, counts)(x, candidates.at(g), candidates.d, estimates);
    for (int r = 0; r < Rows; r++) {
      const unsigned above = bits(lt(set1(limits[r]), estimates[r]));
      open[r] |= static_cast<std::uint32_t>(~above & ((1u << size) - 1)) << candidates.first(g);
    }
  }
}

// How far an estimate may be off: a share of it, and what float loses below its normal range.
struct FloatError {
  double share, least;

  explicit FloatError(index_t d) : share(rounding_share(d)), least(static_cast<double>(d) * 0x1p-149) {}

  // An estimate above it is of a distance that is no less than `distance`; an overflow is none where float holds the limit.
  float limit(double distance) const {
    const double most = (distance + least) / (1 - share);
    return most < std::numeric_limits<float>::max() ? std::nextafter(static_cast<float>(most), INFINITY) : INFINITY;
  }
};
