// nearestCentroid on the device: |x-c|^2 = |x|^2 + (|c|^2 - 2 x.c). A block takes M points and goes through all centroids, tile by
// tile; each thread keeps the best two of the bracket, so that n x k is never written. Labels are certified: where the best two are
// closer than the product's error bound the row is settled in double (nearest_exactly.h).
#include "nearest_centroid.h"

#include "../host/device_output.h"
#include "engines.h"
#include "nearest_exactly.h"
#include "nearest_two.h"
#include "split_panels.h"

namespace eat::cuda {

template <class Engine>
EAT_DEVICE void see_tile(const CentroidArguments& p, const float (&acc)[Engine::R][Engine::C], index_t column0, NearestTwo (&found)[Engine::R]) {
#pragma unroll
  for (int j = 0; j < Engine::C; j++) {
    const index_t column = column0 + Engine::column(j);
    const float offset = column >= p.rows.columns ? INFINITY : p.direct ? 0.0f : static_cast<float>(p.centroid_norms[column]);
#pragma unroll
    for (int i = 0; i < Engine::R; i++) {
      found[i].see(p.direct ? acc[i][j] + offset : std::fma(-2.0f, acc[i][j], offset), static_cast<int>(column));
    }
  }
}

// Writes what is certain, and lists the row where something is not.
EAT_DEVICE void conclude(const CentroidArguments& p, index_t row, const NearestTwo& two) {
  const bool only = p.rows.columns == 1, wanted = p.distances.size > 0 || p.seconds.size > 0;
  const double norm = p.norms[row], total = norm + largest_norm(p.extremes), shift = p.direct ? 0 : norm;
  const double best = two.best + shift, second = two.second + shift, limit = p.direct ? 0 : p.direct_share * total;
  const bool usable = total < 1e30 && total > 1e-30;
  const double bound = 2 * p.share * (p.direct ? second : total);
  const bool clear = static_cast<double>(two.second) - two.best > bound && !(p.direct && second < kLeastSquare);
  bool open = !only && !(usable && clear);
  // So small a second distance may belong to a third centroid, which is the second but for an error that counts.
  open = open || (wanted && !only && !p.direct && !(second > limit / 16));
  const bool inexact = wanted && (only || !(best > limit && second > limit) || !usable || (p.direct && best < kLeastSquare));
  p.labels[row] = two.label;
  p.second_labels[row] = two.second_label;
  if (p.distances.size > 0) p.distances[row] = static_cast<float>(best);
  if (p.seconds.size > 0) p.seconds[row] = static_cast<float>(second);
  if (open) {
    p.list[atomic_add(p.listed, 0, 1u)] = row;
  } else if (inexact) {
    p.list[p.rows.rows - 1 - atomic_add(p.listed, 1, 1u)] = row;
  }
}

template <class Engine>
EAT_GLOBAL_BOUNDS(kThreads, 1) void nearest_two_tiles(CentroidArguments p) {
  EAT_DYNAMIC_SHARED(float, shared);
  using Exchange = NearestTwoExchange<Engine>;
  const index_t row0 = static_cast<index_t>(block_x()) * Engine::M;
  NearestTwo found[Engine::R];
  for (index_t column0 = 0; column0 < p.rows.columns; column0 += Engine::N) {
    float acc[Engine::R][Engine::C];
    Engine::product(acc, shared, p.rows, row0, column0);
    see_tile<Engine>(p, acc, column0, found);
  }
  Exchange::write(shared, found);
  sync_block();
  const index_t row = row0 + thread_x();
  if (thread_x() < Engine::M && row < p.rows.rows) conclude(p, row, Exchange::read(shared, thread_x()));
}

EAT_GLOBAL_BOUNDS(kThreads, 1) void settle_rows(CentroidArguments p) {
  constexpr index_t per_block = kThreads / kWarp;
  EAT_SHARED(double, values, 2 * per_block);
  EAT_SHARED(int, labels, per_block);
  const index_t open = p.listed[0], inexact = p.listed[1];
  for (index_t i = block_x(); i < open; i += grid_dim_x()) {
    const index_t row = p.list[i];
    const ExactTwo two = nearest_by_block(p.rows, p.rows.a.part(row * p.rows.depth, p.rows.depth), values, labels);
    if (thread_x() == 0) settle(p, row, two);
  }
  for (index_t i = block_x() * per_block + warp(); i < inexact; i += grid_dim_x() * per_block) {
    const index_t row = p.list[p.rows.rows - 1 - i];
    const ExactTwo two = distances_by_warp(p, row);
    if (lane() == 0) settle(p, row, two);
  }
}

void assign_on_device(Stream& stream, const PreparedRows& points, const PreparedRows& centroids, Span<std::int32_t> labels,
                      Span<float> distances, Span<float> seconds) {
  const index_t n = points.rows, k = centroids.rows, d = points.d;
  const int variant = choose_variant(k, d);
  const bool direct = sums_directly(variant, d);
  DeviceBuffer<std::int32_t> second_labels(stream, n);
  DeviceBuffer<index_t> list(stream, n);
  DeviceBuffer<unsigned> listed(stream, 2);
  clear(stream, listed.span());
  const SplitPanels point_panels = split_for(variant, stream, points), centroid_panels = split_for(variant, stream, centroids);
  const CentroidArguments p{{points.values(), centroids.values(), n, k, points.depth, point_panels.view(), centroid_panels.view()}, points.norms(), centroids.norms(), centroids.extremes(),
                            direct, rounding_share(variant, d), cancellation_share(variant, d), labels, second_labels.span(),
                            distances, seconds, list.span(), listed.span()};
  with_engine(variant, direct, [&](auto engine) {
    using Engine = decltype(engine);
    constexpr int floats = std::max(Engine::kSharedFloats, NearestTwoExchange<Engine>::kSharedFloats);
    launch(nearest_two_tiles<Engine>, Grid{blocks(tiles(n, Engine::M)), 1, 1}, kThreads, floats * sizeof(float), stream, p);
  });
  // As many blocks as keep a large GPU busy; how many rows wait for them only the device knows.
  const Grid grid{static_cast<unsigned>(std::min<index_t>(tiles(n, kThreads / kWarp), 1024)), 1, 1};
  launch(settle_rows, grid, kThreads, 0, stream, p);
}

void assign_on_device(Stream& stream, Span<const float> points, index_t n, index_t d, Span<const float> centroids, index_t k,
                      Span<std::int32_t> labels, Span<float> distances, Span<float> seconds) {
  const PreparedRows x(stream, points, n, d), c(stream, centroids, k, d, FindExtremes::yes);
  assign_on_device(stream, x, c, labels, distances, seconds);
}

namespace {

// One tile of points of one matrix against its centroids.
void assign_tile(const Run& run, Stream& stream, const NearestCentroid& p, const PreparedRows& points, const PreparedRows& centroids, index_t row) {
  const index_t n = points.rows;
  const auto place = [&](float* all) { return all == nullptr ? nullptr : all + row; };
  DeviceOutput<std::int32_t> labels(run, stream, p.labels + row, n);
  DeviceOutput<float> distances(run, stream, place(p.distances), n), seconds(run, stream, place(p.second_distances), n);
  assign_on_device(stream, points, centroids, labels.span(), distances.span(), seconds.span());
  labels.deliver(stream);
  distances.deliver(stream);
  seconds.deliver(stream);
}

}  // namespace

void nearest_centroid(const Run& run, const NearestCentroid& p) {
  const index_t n = p.points.rows, k = p.centroids.rows, d = p.points.cols;
  Stream stream;
  std::unique_ptr<PreparedRows> centroids;
  index_t prepared = -1;
  for_row_tiles(run, p.points.batch, n, 2 * (d + kSlice) * static_cast<index_t>(sizeof(float)) + 32, [&](index_t batch, index_t first, index_t count) {
    if (prepared != batch) {
      prepared = -1;
      centroids = std::make_unique<PreparedRows>(run, stream, p.centroids.data + batch * k * d, k, d, FindExtremes::yes);
      prepared = batch;
    }
    const index_t row = batch * n + first;
    PreparedRows points(run, stream, p.points.data + row * d, count, d);
    if (run.check_finite && !(points.finite(stream) && centroids->finite(stream))) {
      throw_first_not_finite(run, stream, p.points, "points");
      throw_first_not_finite(run, stream, p.centroids, "centroids");
    }
    assign_tile(run, stream, p, points, *centroids, row);
  });
}

}  // namespace eat::cuda
