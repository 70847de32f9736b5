// pairwiseDistance on the device: the distance is made from the product while the tile is in registers. Where the expanded form
// cancels, the warp takes the difference of the two rows in double.
#include "pairwise_distance.h"

#include "../host/device_output.h"
#include "engines.h"
#include "split_panels.h"

namespace eat::cuda {

struct PairwiseArguments {
  Operands rows;
  Span<const double> norms_a, norms_b;
  Span<const float> inverse_a, inverse_b;
  Span<float> out;  // [rows, columns]
  Metric metric;
  bool direct;        // the engine's results are squared differences
  float direct_share;  // cancellation_share
};

// What an epilogue multiplies or adds for a row: squared norm, or inverse norm for cosine; NaN sends the pair to `exact_by_warp`.
EAT_DEVICE float distance_factor(Metric metric, Span<const double> norms, Span<const float> inverses, index_t i) {
  if (metric == Metric::cosine) return inverses[i];
  return usable_norm(norms[i]) ? static_cast<float>(norms[i]) : NAN;
}

struct Estimate {
  float value;
  bool trusted;
};

EAT_DEVICE Estimate estimate(const PairwiseArguments& p, float value, float factor_a, float factor_b) {
  if (p.metric == Metric::dot) return {value, value - value + factor_a + factor_b >= 0};
  if (p.metric == Metric::cosine) {
    value = std::fma(-value * factor_a, factor_b, 1.0f);
    value = value < 0 ? 0.0f : value > 2 ? 2.0f : value;  // NaN stays NaN
    return {value, value > p.direct_share};
  }
  const float total = factor_a + factor_b;
  if (!p.direct) value = std::fma(-2.0f, value, total);
  // Directly summed: unless a factor is NaN or squares left float's range.
  const bool trusted = p.direct ? value > kLeastSquare && total >= 0 : value > p.direct_share * total;
  value = value < 0 ? 0.0f : value;
  return {p.metric == Metric::euclidean ? std::sqrt(value) : value, trusted};
}

// By a warp, in double.
EAT_DEVICE double exact_by_warp(const PairwiseArguments& p, index_t i, index_t j) {
  const index_t depth = p.rows.depth;
  const Span<const float> x = p.rows.a.part(i * depth, depth), y = p.rows.b.part(j * depth, depth);
  if (p.metric == Metric::dot) return product_by_warp(x, y, depth);
  if (p.metric != Metric::cosine) {
    const double squared = squared_difference_by_warp(x, y, depth);
    return p.metric == Metric::euclidean ? std::sqrt(squared) : squared;
  }
  const double nx = p.norms_a[i], ny = p.norms_b[j];
  if (nx == 0 || ny == 0) return 1;
  return squared_difference_by_warp(x, y, depth, 1 / std::sqrt(nx), 1 / std::sqrt(ny)) / 2;
}

template <class Engine>
EAT_DEVICE unsigned long long store_tile(const PairwiseArguments& p, const float (&acc)[Engine::R][Engine::C], index_t row0, index_t column0) {
  float factor_b[Engine::C];
#pragma unroll
  for (int j = 0; j < Engine::C; j++) {
    const index_t column = column0 + Engine::column(j);
    factor_b[j] = column < p.rows.columns ? distance_factor(p.metric, p.norms_b, p.inverse_b, column) : 0.0f;
  }
  unsigned long long doubtful = 0;
#pragma unroll
  for (int i = 0; i < Engine::R; i++) {
    const index_t row = row0 + Engine::row(i);
    const float factor_a = row < p.rows.rows ? distance_factor(p.metric, p.norms_a, p.inverse_a, row) : 0.0f;
#pragma unroll
    for (int j = 0; j < Engine::C; j++) {
      const index_t column = column0 + Engine::column(j);
      if (row >= p.rows.rows || column >= p.rows.columns) continue;
      const Estimate e = estimate(p, acc[i][j], factor_a, factor_b[j]);
      p.out[row * p.rows.columns + column] = e.value;
      if (!e.trusted) doubtful |= 1ull << (i * Engine::C + j);
    }
  }
  return doubtful;
}

// The warp takes its lanes' doubtful pairs one after the other.
template <class Engine>
EAT_DEVICE void settle(const PairwiseArguments& p, unsigned long long doubtful, index_t row0, index_t column0) {
  while (const unsigned lanes = ballot(doubtful != 0)) {
    const int from = first_bit(lanes), bit = first_bit(doubtful | 1ull << 63);  // a lane without one is not asked
    const index_t i = shuffle(row0 + Engine::row(bit / Engine::C), from);
    const index_t j = shuffle(column0 + Engine::column(bit % Engine::C), from);
    const double value = exact_by_warp(p, i, j);
    if (lane() != from) continue;
    p.out[i * p.rows.columns + j] = static_cast<float>(value);
    doubtful &= doubtful - 1;
  }
}

template <class Engine>
EAT_GLOBAL_BOUNDS(kThreads, 1) void pairwise_tiles(PairwiseArguments p, unsigned column_tiles) {
  EAT_DYNAMIC_SHARED(float, shared);
  const index_t row0 = static_cast<index_t>(block_x() / column_tiles) * Engine::M;
  const index_t column0 = static_cast<index_t>(block_x() % column_tiles) * Engine::N;
  float acc[Engine::R][Engine::C];
  Engine::product(acc, shared, p.rows, row0, column0);
  settle<Engine>(p, store_tile<Engine>(p, acc, row0, column0), row0, column0);
}

void pairwise_on_device(Stream& stream, const PreparedRows& a, const PreparedRows& b, Metric metric, Span<float> out) {
  const int variant = choose_variant(b.rows, a.d);
  const bool direct = (metric == Metric::sqeuclidean || metric == Metric::euclidean) && sums_directly(variant, a.d);
  const SplitPanels panels_a = split_for(variant, stream, a), panels_b = split_for(variant, stream, b);
  const PairwiseArguments p{{a.values(), b.values(), a.rows, b.rows, a.depth, panels_a.view(), panels_b.view()}, a.norms(), b.norms(), a.inverse_norms(), b.inverse_norms(), out, metric, direct,
                            cancellation_share(variant, a.d)};
  with_engine(variant, direct, [&](auto engine) {
    using Engine = decltype(engine);
    const index_t column_tiles = tiles(b.rows, Engine::N);
    const Grid grid{blocks(tiles(a.rows, Engine::M) * column_tiles), 1, 1};
    launch(pairwise_tiles<Engine>, grid, kThreads, Engine::kSharedFloats * sizeof(float), stream, p, static_cast<unsigned>(column_tiles));
  });
}

void pairwise_distance(const Run& run, const PairwiseDistance& p) {
  const index_t n = p.a.rows, m = p.b.rows, d = p.a.cols;
  Stream stream;
  std::unique_ptr<PreparedRows> b;
  index_t prepared = -1;
  for_row_tiles(run, p.a.batch, n, (2 * (d + kSlice) + (run.on_device ? 0 : m)) * static_cast<index_t>(sizeof(float)), [&](index_t batch, index_t first, index_t count) {
    if (prepared != batch) {
      prepared = -1;
      b = std::make_unique<PreparedRows>(run, stream, p.b.data + batch * m * d, m, d);
      prepared = batch;
    }
    const index_t row = batch * n + first;
    PreparedRows a(run, stream, p.a.data + row * d, count, d);
    if (run.check_finite && !(a.finite(stream) && b->finite(stream))) {
      throw_first_not_finite(run, stream, p.a, "a");
      throw_first_not_finite(run, stream, p.b, "b");
    }
    DeviceOutput<float> out(run, stream, p.out + row * m, count * m);
    pairwise_on_device(stream, a, *b, p.metric, out.span());
    out.deliver(stream);
  });
}

}  // namespace eat::cuda
