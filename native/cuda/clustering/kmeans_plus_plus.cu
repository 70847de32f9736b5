// The start of k-means: greedy k-means++ and k-means||, wholly on the device with the contract's uniforms. Its sums in double have
// the contract's order, so that it draws the rows that the other devices draw; float tells where they need not be made.
#include <algorithm>

#include "../../contracts/clustering/kmeans.h"
#include "../distance/distance_rows.h"
#include "../distance/row_distance.h"
#include "../host/device_input.h"
#include "../host/finite.h"
#include "../host/tiles.h"
#include "seeding_distance.h"

namespace eat::cuda {
namespace {

constexpr int kThreads = 256;
constexpr index_t kChunk = 1024;

Grid blocks_for(index_t count) { return {static_cast<unsigned>((count + kThreads - 1) / kThreads), 1, 1}; }

}  // namespace

// closest = min(closest, distance to each candidate): they are centroids now.
EAT_GLOBAL void take_candidates(SeedingArguments a) {
  const index_t place = row_of_group(kLanes), row = place < a.n ? place : 0;
  double nearest = place < a.n ? a.closest[row] : 0;
  for (index_t first = 0; first < a.candidates.size; first += kTogether) {
    float now[kTogether];
    estimate_distances(a, row, first, now);
    for (int t = 0; t < kTogether && first + t < a.candidates.size; t++) {
      nearest = lesser_distance(a, place < a.n, row, first + t, now[t], nearest);
    }
  }
  if (place < a.n && (lane() & (kLanes - 1)) == 0) a.closest[row] = nearest;
}

// with_candidates[t, row] = what closest would be with candidate t alone.
EAT_GLOBAL void try_candidates(SeedingArguments a, Span<double> with_candidates) {
  const index_t place = row_of_group(kLanes), row = place < a.n ? place : 0;
  const double nearest = place < a.n ? a.closest[row] : 0;
  for (index_t first = 0; first < a.candidates.size; first += kTogether) {
    float now[kTogether];
    estimate_distances(a, row, first, now);
    for (int t = 0; t < kTogether && first + t < a.candidates.size; t++) {
      const double lesser = lesser_distance(a, place < a.n, row, first + t, now[t], nearest);
      if (place < a.n && (lane() & (kLanes - 1)) == 0) with_candidates[(first + t) * a.n + row] = lesser;
    }
  }
}

// Block (chunk, list): the sum of a chunk of one list in the contract's order, a sum per thread and then the block's tree.
EAT_GLOBAL void sum_chunks(Span<const double> values, index_t n, Span<double> sums) {
  EAT_SHARED(double, scratch, kThreads);
  const index_t list = static_cast<index_t>(block_y()), begin = static_cast<index_t>(block_x()) * kChunk;
  double sum = 0;
  for (index_t i = begin + thread_x(); i < begin + kChunk && i < n; i += kThreads) sum += values[list * n + i];
  sum = sum_of_block(sum, scratch);
  if (thread_x() == 0) sums[list * grid_dim_x() + block_x()] = sum;
}

// The first place where the running sum of values [begin, end) passes `target`, and what is left of the target there; the whole
// block comes along, since it reads `kThreads` values at a time for all draws.
EAT_DEVICE index_t pass(Span<const double> values, index_t begin, index_t end, double& target, Shared<double> shared) {
  index_t at = begin;
  bool found = false;
  for (index_t tile = begin; tile < end; tile += kThreads) {
    sync_block();
    if (tile + thread_x() < end) shared[thread_x()] = values[tile + thread_x()];
    sync_block();
    for (int i = 0; i < kThreads && !found && tile + i + 1 < end; i++) {
      const double value = shared[i];
      found = target < value;
      if (!found) {
        target -= value;
        at = tile + i + 1;
      }
    }
  }
  return at;
}

struct DrawArguments {
  Span<const double> closest, chunk_sums, uniforms;  // a uniform per draw
  index_t n;
  Span<int> drawn;
};

// One block, a thread per draw: rows by D^2 sampling.
EAT_GLOBAL void draw_rows(DrawArguments a) {
  EAT_SHARED(double, shared, kThreads);
  EAT_SHARED(double, potential, 1);
  const index_t chunks = a.chunk_sums.size;
  if (thread_x() == 0) {
    double total = 0;
    for (index_t c = 0; c < chunks; c++) total += a.chunk_sums[c];
    potential[0] = total;
  }
  sync_block();
  const double total = potential[0];
  for (index_t first = 0; first < a.drawn.size; first += kThreads) {
    const index_t draw = first + thread_x();
    const bool own = draw < a.drawn.size;
    double target = own ? a.uniforms[draw] * total : 0.0;
    const index_t begin = pass(a.chunk_sums, 0, chunks, target, shared) * kChunk;
    // Draws fall into different chunks: each walks through its own.
    const index_t end = begin + kChunk < a.n ? begin + kChunk : a.n;
    index_t row = begin;
    while (own && row + 1 < end && target >= a.closest[row]) target -= a.closest[row++];
    if (own) a.drawn[draw] = static_cast<int>(row);
  }
}

// One block: the candidate of the smallest potential, the first at a tie, becomes chosen[place].
EAT_GLOBAL void choose_candidate(Span<const double> sums, index_t chunks, Span<const int> candidates, Span<int> chosen) {
  EAT_SHARED(double, potentials, kThreads);
  const index_t own = thread_x();
  if (own < candidates.size) {
    double total = 0;
    for (index_t c = 0; c < chunks; c++) total += sums[own * chunks + c];
    potentials[thread_x()] = total;
  }
  sync_block();
  if (thread_x() > 0) return;
  int best = 0;
  double lowest = potentials[0];
  for (int t = 1; t < candidates.size; t++) {
    const double potential = potentials[t];
    if (potential < lowest) {
      lowest = potential;
      best = t;
    }
  }
  chosen[0] = candidates[best];
}

EAT_GLOBAL void fill_doubles(Span<double> values, double value) {
  const index_t i = static_cast<index_t>(block_x()) * block_dim_x() + thread_x();
  if (i < values.size) values[i] = value;
}

namespace {

class Seeding {
 public:
  Seeding(Stream& stream, const KMeansPlusPlus& p, Span<const float> points)
      : stream_(stream), p_(p), n_(p.points.rows), chunks_((n_ + kChunk - 1) / kChunk), points_(points), uniforms_(stream, p.uniforms, p.k * p.trials), chosen_(stream, p.k), candidates_(stream, p.trials),
        closest_(stream, n_), with_candidates_(stream, p.block == 1 ? n_ * p.trials : 0), chunk_sums_(stream, chunks_),
        candidate_sums_(stream, chunks_ * p.trials) {
    launch(fill_doubles, blocks_for(n_), kThreads, 0, stream_, closest_.span(), static_cast<double>(INFINITY));
  }

  void take_first() {
    const double at = p_.uniforms[0] * static_cast<double>(n_);
    const int first = static_cast<int>(std::min<index_t>(n_ - 1, static_cast<index_t>(at)));
    upload(stream_, chosen_.span(), &first, 1);
    take(0, 1);
  }

  // Candidates for centroid c, of which the best stays.
  void take_best(index_t c) {
    draw(candidates_.span(), uniforms_.view().part(c * p_.trials, p_.trials));
    launch(try_candidates, grid_of_rows(n_, kLanes), kThreads, 0, stream_, arguments(candidates_.view()), with_candidates_.span());
    sum(with_candidates_.view(), p_.trials, candidate_sums_.span());
    launch(choose_candidate, Grid{1, 1, 1}, kThreads, 0, stream_, candidate_sums_.view(), chunks_, candidates_.view(),
           chosen_.span().part(c, 1));
    take(c, 1);
  }

  // Centroids c .. c + count, all drawn before any counts.
  void take_drawn(index_t c, index_t count) {
    draw(chosen_.span().part(c, count), uniforms_.view().part(c, count));
    take(c, count);
  }

  void finish() { download(stream_, p_.chosen, chosen_.span(), p_.k); }

 private:
  SeedingArguments arguments(Span<const int> candidates) {
    const index_t d = p_.points.cols;
    return {points_, n_, d, rounding_share(1, d), static_cast<double>(d) * 0x1p-149, candidates, closest_.span()};
  }
  void draw(Span<int> into, Span<const double> uniforms) {
    launch(draw_rows, Grid{1, 1, 1}, kThreads, 0, stream_, DrawArguments{closest_.view(), chunk_sums_.view(), uniforms, n_, into});
  }
  void take(index_t c, index_t count) {
    launch(take_candidates, grid_of_rows(n_, kLanes), kThreads, 0, stream_, arguments(chosen_.view().part(c, count)));
    sum(closest_.view(), 1, chunk_sums_.span());
  }
  void sum(Span<const double> values, index_t lists, Span<double> into) {
    const Grid grid{static_cast<unsigned>(chunks_), static_cast<unsigned>(lists), 1};
    launch(sum_chunks, grid, kThreads, 0, stream_, values, n_, into);
  }

  Stream& stream_;
  const KMeansPlusPlus& p_;
  index_t n_, chunks_;
  Span<const float> points_;
  DeviceBuffer<double> uniforms_;
  DeviceBuffer<int> chosen_, candidates_;
  DeviceBuffer<double> closest_, with_candidates_, chunk_sums_, candidate_sums_;
};

}  // namespace

void kmeans_plus_plus(const Run& run, const KMeansPlusPlus& p) {
  if (p.block == 1 && p.trials > kThreads) throw std::invalid_argument("Expected at most 256 trials.");
  Run scan = run;
  scan.check_finite = true;  // a start drawn among NaN would mean nothing
  Stream stream;
  const DeviceInput<float> points(run, stream, p.points.data, p.points.size());
  check_finite(scan, stream, points.span(), p.points.cols, 0, "points");
  Seeding seeding(stream, p, points.span());
  seeding.take_first();
  for (index_t c = 1; c < p.k;) {
    // The host runs ahead of the device; it waits now and then, so that a cancelled call ends soon.
    if (c % 64 == 0) stream.synchronize();
    throw_if_stopped(run);
    const index_t count = p.block == 1 ? 1 : std::min(p.block, p.k - c);
    if (p.block == 1) seeding.take_best(c); else seeding.take_drawn(c, count);
    c += count;
  }
  seeding.finish();
}

}  // namespace eat::cuda
