// kmeans: Lloyd's iteration with the points on the device from the first iteration to the last. Per iteration the host reads three
// numbers; the rest of it is one graph. Points that do not fit go through it in tiles (kmeans_streamed.h).
#include "../../contracts/clustering/kmeans.h"

#include <algorithm>
#include <vector>

#include "../distance/nearest_centroid.h"
#include "../host/device_input.h"
#include "../host/graph.h"
#include "../host/tiles.h"
#include "centroid_means.h"
#include "kmeans_moves.h"
#include "kmeans_steps.h"
#include "kmeans_streamed.h"

namespace eat::cuda {
namespace {

// The starts of one matrix take turns on the same memory.
class Lloyd {
 public:
  Lloyd(const Run& run, Stream& stream, const KMeans& p, const PreparedRows& prepared, Span<const float> points)
      : run_(run), stream_(stream), p_(p), n_(p.points.rows), k_(p.k), d_(p.points.cols), prepared_(prepared), points_(points),
        centroids_(zeros(stream, k_ * d_)), prepared_centroids_(stream, centroids_.view(), k_, d_, FindExtremes::yes), means_(stream, n_, k_, d_),
        labels_(stream, n_), previous_(stream, n_), sums_(stream, k_ * d_), counts_(stream, k_), shifts_(stream, k_),
        distances_(stream, n_), status_(stream, 3), inertia_(stream, 1), counters_(stream, Counter::size) {}

  void solve(index_t problem) {
    upload(stream_, centroids_.span(), p_.centroids + problem * k_ * d_, k_ * d_);
    Run scan = run_;
    scan.check_finite = true;  // a result without an error never holds NaN
    check_finite(scan, stream_, centroids_.view(), d_, problem * k_, "init");
    check(cuda_memset_async(previous_.span().data, 0xff, static_cast<size_t>(n_) * sizeof(int), stream_.handle()), "clearing");
    bool strict = false, settled = false;
    index_t iteration = 0;
    RepeatedWork step(stream_, [this] { iterate(); });
    while (iteration < p_.max_iterations && !strict && !settled) {
      throw_if_stopped(run_);
      step.run();
      const Status3 status = finish_iteration();
      iteration++;
      strict = status.changed == 0;
      settled = status.shift <= p_.tolerance;
      if (p_.on_iteration) p_.on_iteration({problem, iteration, static_cast<index_t>(status.changed), read(inertia_)});
    }
    if (!strict) assign();
    take_results(problem, iteration, strict || settled);
  }

 private:
  static DeviceBuffer<float> zeros(Stream& stream, index_t size) {
    DeviceBuffer<float> buffer(stream, size);
    clear(stream, buffer.span());
    return buffer;
  }

  void assign() {
    prepared_centroids_.prepare(stream_, centroids_.view());
    assign_on_device(stream_, prepared_, prepared_centroids_, labels_.span(), {nullptr, 0}, {nullptr, 0});
  }

  void measure() {
    own_distances(stream_, points_, centroids_.view(), labels_.view(), d_, distances_.span());
    sum_in_order(stream_, distances_.view(), inertia_.span());
  }

  // No waiting in here: it is recorded.
  void iterate() {
    clear(stream_, counters_.span());
    assign();
    count_changes(stream_, labels_.view(), previous_.span(), counters_.span());
    if (p_.on_iteration) measure();
    means_.compute(stream_, {points_, d_, 0, d_}, labels_.view(), {nullptr, 0}, sums_.span(), counts_.span(), {nullptr, 0});
    count_empty(stream_, counts_.view(), counters_.span());
    move();
  }

  void move() {
    move_centroids(stream_, sums_.view(), counts_.view(), counters_.view(), d_, centroids_.span(), shifts_.span());
    summarise(stream_, shifts_.view(), counters_.view(), status_.span());
  }

  Status3 finish_iteration() {
    Status3 status = read_status();
    if (status.empty == 0) return status;
    fill_empty();
    const double changed = status.changed;
    clear(stream_, counters_.span());
    move();
    status = read_status();
    status.changed = changed;
    return status;
  }

  // Each empty cluster takes the point farthest from its centroid, farthest first, out of a cluster that keeps another.
  void fill_empty() {
    own_distances(stream_, points_, centroids_.view(), labels_.view(), d_, distances_.span());
    const std::vector<double> distance = read_all(distances_);
    const std::vector<int> label = read_all(labels_);
    std::vector<double> count = read_all(counts_);
    const std::vector<Move> moves = choose_moves(distance.data(), label.data(), n_, count);
    if (moves.empty()) return;
    upload(stream_, counts_.span(), count.data(), k_);
    const DeviceBuffer<Move> list(stream_, moves.data(), static_cast<index_t>(moves.size()));
    apply_moves(stream_, points_, list.view(), d_, sums_.span());
  }

  void take_results(index_t problem, index_t iterations, bool converged) {
    measure();
    p_.inertia[problem] = read(inertia_);
    download(stream_, p_.centroids + problem * k_ * d_, centroids_.span(), k_ * d_);
    std::int32_t* labels = p_.labels + problem * n_;
    download(stream_, labels, labels_.span(), n_);
    std::int32_t* counts = p_.counts + problem * k_;
    std::fill(counts, counts + k_, 0);
    for (index_t i = 0; i < n_; i++) counts[labels[i]]++;
    p_.iterations[problem] = static_cast<std::int32_t>(iterations);
    p_.converged[problem] = converged ? 1 : 0;
  }

  double read(DeviceBuffer<double>& value) {
    double out = 0;
    download(stream_, &out, value.span(), 1);
    return out;
  }

  Status3 read_status() {
    double values[3];
    download(stream_, values, status_.span(), 3);
    return {values[0], values[1], values[2]};
  }

  template <class T>
  std::vector<T> read_all(DeviceBuffer<T>& values) {
    std::vector<T> out(static_cast<size_t>(values.size()));
    download(stream_, out.data(), values.span(), values.size());
    return out;
  }

  const Run& run_;
  Stream& stream_;
  const KMeans& p_;
  index_t n_, k_, d_;
  const PreparedRows& prepared_;
  Span<const float> points_;
  DeviceBuffer<float> centroids_;
  PreparedRows prepared_centroids_;
  LabelMeans means_;
  DeviceBuffer<int> labels_, previous_;
  DeviceBuffer<double> sums_, counts_, shifts_, distances_, status_, inertia_;
  DeviceBuffer<unsigned long long> counters_;
};

void resident_kmeans(const Run& run, const KMeans& p, index_t batch) {
  const index_t n = p.points.rows, d = p.points.cols;
  Run scan = run;
  scan.check_finite = true;
  const GraphMemory given_back;
  Stream stream;
  const DeviceInput<float> points(run, stream, p.points.data + batch * n * d, n * d);
  check_finite(scan, stream, points.span(), d, batch * n, "points");
  const PreparedRows prepared(stream, points.span(), n, d);
  Lloyd lloyd(run, stream, p, prepared, points.span());
  for (index_t start = 0; start < p.starts; start++) lloyd.solve(batch * p.starts + start);
}

}  // namespace

void kmeans(const Run& run, const KMeans& p) {
  for (index_t batch = 0; batch < p.points.batch; batch++) {
    // A matrix of the device cannot be read by the host, and needs no memory besides.
    const bool on_host = !ResidentMemory::instance().holds(p.points.data);
    const std::vector<float> start(p.centroids, p.centroids + (on_host ? p.points.batch * p.starts * p.k * p.points.cols : 0));
    try {
      resident_kmeans(run, p, batch);
    } catch (const OutOfMemory&) {
      if (!on_host) throw;
      const index_t values = p.starts * p.k * p.points.cols;
      std::copy_n(start.begin() + batch * values, values, p.centroids + batch * values);
      for (index_t s = 0; s < p.starts; s++) streamed_kmeans(run, p, batch * p.starts + s);
    }
  }
}

}  // namespace eat::cuda
