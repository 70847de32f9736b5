// nearestNeighbors on the device. A product tile writes keys; then a block per query finds the k-th smallest by radix selection,
// takes every point that the keys' error bound allows among the k nearest, ranks these in double and sorts them. Exact for any k
// and any ties: where the keys say little there are only more candidates.
#include "../../contracts/distance/nearest_neighbors.h"

#include "engines.h"
#include "neighbor_keys.h"
#include "prepared_rows.h"
#include "select_smallest.h"
#include "split_panels.h"

namespace eat::cuda {

// Candidates that a block has room for in shared memory.
constexpr int kCandidatesInShared = 1024;

template <class Engine>
EAT_GLOBAL_BOUNDS(kThreads, 1) void neighbor_key_tiles(NeighborArguments p, unsigned column_tiles) {
  EAT_DYNAMIC_SHARED(float, shared);
  const index_t row0 = static_cast<index_t>(block_x() / column_tiles) * Engine::M;
  const index_t column0 = static_cast<index_t>(block_x() % column_tiles) * Engine::N;
  float acc[Engine::R][Engine::C];
  Engine::product(acc, shared, p.rows, row0, column0);
#pragma unroll
  for (int j = 0; j < Engine::C; j++) {
    const index_t column = column0 + Engine::column(j);
    if (column >= p.rows.columns) continue;
    const float factor = key_factor(p, column);
#pragma unroll
    for (int i = 0; i < Engine::R; i++) {
      const index_t row = row0 + Engine::row(i);
      if (row < p.rows.rows) p.keys[row * p.rows.columns + column] = key_of(p.metric, acc[i][j], factor);
    }
  }
}

struct SelectArguments {
  NeighborArguments p;
  index_t room;              // candidates there is room for
  Span<double> ranks;        // [blocks, room], in global memory
  Span<std::int32_t> points;
  Span<index_t> crowded;     // rows with more candidates than there was room for
  Span<unsigned> listed;     // [1]
  bool from_list;            // those rows only
};

// Collects the candidates of a row, in any order; their number, which may be larger than `room`, is left in s[0].
template <class List>
EAT_DEVICE int collect(const SelectArguments& a, index_t row, Shared<unsigned> s, const List& list) {
  const NeighborArguments& p = a.p;
  const index_t n = p.rows.columns, self = p.exclude_self ? p.first_query + row : -1;
  const Span<const float> keys = Span<const float>(p.keys).part(row * n, n);
  const unsigned kth = kth_smallest(s, keys, self, p.k);
  const bool all = kth == 0xffffffffu;  // NaN
  const double limit = from_ordered(kth) + 2 * key_bound(p, row);
  if (thread_x() == 0) s[0] = 0u;
  sync_block();
  for (index_t j = thread_x(); j < n; j += kThreads) {
    if (j == self || !(all || static_cast<double>(keys[j]) <= limit || limit - limit != 0)) continue;
    const int at = static_cast<int>(atomic_add(s, 0, 1u));
    if (at < a.room) list.put(at, rank_of(p, row, j), static_cast<int>(j));
  }
  sync_block();
  const unsigned found = s[0];
  sync_block();
  return static_cast<int>(found);
}

template <class List>
EAT_DEVICE void select_row(const SelectArguments& a, index_t row, Shared<unsigned> s, const List& list) {
  const NeighborArguments& p = a.p;
  const int found = collect(a, row, s, list);
  if (found > a.room) {  // the same for the whole block
    if (thread_x() == 0) a.crowded[atomic_add(a.listed, 0, 1u)] = row;
    return;
  }
  int size = 1;
  while (size < found) size *= 2;
  for (int i = found + thread_x(); i < size; i += kThreads) list.put(i, INFINITY, INT32_MAX);
  sync_block();
  list.sort(size);
  for (int c = thread_x(); c < static_cast<int>(p.k); c += kThreads) {
    const double rank = list.rank[c];
    p.indices[row * p.k + c] = list.point[c];
    p.distances[row * p.k + c] = static_cast<float>(p.metric == Metric::dot ? -rank : p.metric == Metric::euclidean ? sqrt(rank) : rank);
  }
  sync_block();  // the next row's candidates go to the same place
}

template <bool InShared>
EAT_GLOBAL_BOUNDS(kThreads, 1) void select_neighbors(SelectArguments a) {
  EAT_SHARED(unsigned, s, kSelectWords);
  EAT_SHARED(double, ranks, InShared ? kCandidatesInShared : 1);
  EAT_SHARED(int, points, InShared ? kCandidatesInShared : 1);
  const index_t rows = a.from_list ? a.listed[0] : a.p.rows.rows;
  for (index_t i = block_x(); i < rows; i += grid_dim_x()) {
    const index_t row = a.from_list ? a.crowded[i] : i;
    if constexpr (InShared) {
      select_row(a, row, s, Candidates<Shared<double>, Shared<int>>{ranks, points});
    } else {
      const index_t first = block_x() * a.room;
      select_row(a, row, s, Candidates<Span<double>, Span<int>>{a.ranks.part(first, a.room), a.points.part(first, a.room)});
    }
  }
}

namespace {

index_t power_of_two_from(index_t size) {
  index_t power = 1;
  while (power < size) power *= 2;
  return power;
}

// First with as much room as k candidates and a few more need, then, for the rows that had more, with room for all.
void select(Stream& stream, const NeighborArguments& p) {
  const index_t rows = p.rows.rows, n = p.rows.columns, all = power_of_two_from(n);
  const index_t room = std::min(all, std::max<index_t>(kCandidatesInShared, power_of_two_from(2 * p.k)));
  DeviceBuffer<index_t> crowded(stream, rows);
  DeviceBuffer<unsigned> listed(stream, 1);
  clear(stream, listed.span());
  const auto pass = [&](index_t space, index_t most_blocks, bool from_list) {
    const bool shared = space <= kCandidatesInShared;
    const index_t count = std::min(rows, most_blocks);
    DeviceBuffer<double> ranks(stream, shared ? 0 : count * space);
    DeviceBuffer<std::int32_t> points(stream, shared ? 0 : count * space);
    const SelectArguments a{p, space, ranks.span(), points.span(), crowded.span(), listed.span(), from_list};
    launch(shared ? select_neighbors<true> : select_neighbors<false>, Grid{blocks(count), 1, 1}, kThreads, 0, stream, a);
  };
  pass(room, room <= kCandidatesInShared ? 4096 : 512, false);
  if (room < all) pass(all, 16, true);
}

void search(Stream& stream, const PreparedRows& queries, const PreparedRows& points, NeighborArguments p) {
  const int variant = choose_variant(points.rows, points.d);
  const SplitPanels query_panels = split_for(variant, stream, queries), point_panels = split_for(variant, stream, points);
  p.rows.panels_a = query_panels.view();
  p.rows.panels_b = point_panels.view();
  p.share = rounding_share(variant, points.d);
  with_engine(variant, false, [&](auto engine) {
    using Engine = decltype(engine);
    const index_t column_tiles = tiles(points.rows, Engine::N);
    const Grid grid{blocks(tiles(queries.rows, Engine::M) * column_tiles), 1, 1};
    launch(neighbor_key_tiles<Engine>, grid, kThreads, Engine::kSharedFloats * sizeof(float), stream, p, static_cast<unsigned>(column_tiles));
  });
  select(stream, p);
}

}  // namespace

void nearest_neighbors(const Run& run, const NearestNeighbors& p) {
  const index_t q = p.queries.rows, n = p.points.rows, d = p.points.cols;
  Stream stream;
  std::unique_ptr<PreparedRows> points;
  index_t prepared = -1;
  const index_t row_bytes = (2 * (d + kSlice) + n + 2 * p.k) * static_cast<index_t>(sizeof(float)) + 16;
  for_row_tiles(run, p.queries.batch, q, row_bytes, [&](index_t batch, index_t first, index_t count) {
    if (prepared != batch) {
      prepared = -1;
      points = std::make_unique<PreparedRows>(run, stream, p.points.data + batch * n * d, n, d, FindExtremes::yes);
      prepared = batch;
    }
    const index_t row = batch * q + first;
    PreparedRows queries(run, stream, p.queries.data + row * d, count, d);
    if (run.check_finite && !(queries.finite(stream) && points->finite(stream))) {
      throw_first_not_finite(run, stream, p.queries, "queries");
      throw_first_not_finite(run, stream, p.points, "points");
    }
    DeviceBuffer<float> keys(stream, count * n), distances(stream, count * p.k);
    DeviceBuffer<std::int32_t> indices(stream, count * p.k);
    search(stream, queries, *points,
           {{queries.values(), points->values(), count, n, queries.depth}, queries.norms(), points->norms(), points->inverse_norms(),
            points->extremes(), p.k, p.metric, 0, first, p.exclude_self, keys.span(), indices.span(), distances.span()});
    download(stream, p.indices + row * p.k, indices.span(), count * p.k);
    download(stream, p.distances + row * p.k, distances.span(), count * p.k);
  });
}

}  // namespace eat::cuda
