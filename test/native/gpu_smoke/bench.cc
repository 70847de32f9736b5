// Device and wall time of the kernels at real sizes, matrices already there.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "harness.h"

namespace gpu_smoke {
namespace {

struct Bench {
  std::string filter;
  bool tiny;

  index_t scaled(index_t size) const { return tiny ? 64 : size; }
  void time(const std::string& name, double flops, double bytes, const std::function<void()>& run) const;
  void distances() const;
  void clusters(const Shape& s, const std::shared_ptr<cuda::DeviceMatrix>& points, const Floats& host) const;
  void neighbors() const;
  void attacks() const;
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// The median of up to nine runs in three seconds, after one that loads the kernels. Device time is 0 without EAT_DML_CUDA_TIMING.
void Bench::time(const std::string& name, double flops, double bytes, const std::function<void()>& run) const {
  if (name.find(filter) == std::string::npos) return;
  const int most = tiny ? 1 : 9, least = tiny ? 1 : 3;
  constexpr double kMilliseconds = 3000;
  run();
  cuda::take_kernel_milliseconds();
  std::vector<double> device, wall;
  double spent = 0;
  for (int i = 0; i < most && (i < least || spent < kMilliseconds); i++) {
    const auto start = std::chrono::steady_clock::now();
    run();
    wall.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    device.push_back(cuda::take_kernel_milliseconds());
    spent += wall.back();
  }
  const bool timed = std::getenv("EAT_DML_CUDA_TIMING") != nullptr;
  const double ms = timed ? median(device) : median(wall);
  const std::string variant = forced_variant();
  std::printf("{\"name\":\"%s\",\"variant\":\"%s\",\"by\":\"%s\",\"ms\":%.4f,\"wall_ms\":%.4f,\"runs\":%zu", name.c_str(),
              variant.empty() ? "chosen" : variant.c_str(), timed ? "events" : "wall", ms, median(wall), wall.size());
  if (flops > 0) std::printf(",\"tflops\":%.2f", flops / ms / 1e9);
  if (bytes > 0) std::printf(",\"gbytes_s\":%.1f", bytes / ms / 1e6);
  std::printf("}\n");
}

void Bench::distances() const {
  for (const Shape& full : {Shape{1000000, 1000, 128}, Shape{500000, 4096, 256}, Shape{500000, 4096, 512}}) {
    const Shape s{scaled(full.n), scaled(full.m), full.d};
    const Floats points = values(s.n * s.d, 1, -0.5, 0.5), centroids = values(s.m * s.d, 2, -0.5, 0.5);
    const auto x = on_device(points, s.n, s.d), c = on_device(centroids, s.m, s.d);
    Ints labels(s.n);
    time("nearest " + text(s), 2.0 * s.n * s.m * s.d, 0, [&] { kernels().nearest_centroid(Run{}, {x->view, c->view, labels.data(), nullptr, nullptr}); });
    if (s.d == 128) clusters(s, x, points);
  }
}

// k-means of 2 and of 12 iterations: their difference is ten, without the upload of the start and the first, plain iteration.
void Bench::clusters(const Shape& s, const std::shared_ptr<cuda::DeviceMatrix>& points, const Floats& host) const {
  Ints labels(s.n), sizes(s.m);
  for (const index_t rounds : {index_t{2}, index_t{12}}) {
    time("kmeans " + text(s) + " iterations " + std::to_string(rounds), 2.0 * s.n * s.m * s.d * (rounds + 1), 0, [&] {
      Floats centroids(host.begin(), host.begin() + s.m * s.d);
      double inertia = 0;
      std::int32_t iterations = 0;
      std::uint8_t converged = 0;
      KMeans p;
      p.points = points->view, p.k = s.m, p.max_iterations = rounds;
      p.centroids = centroids.data(), p.labels = labels.data(), p.counts = sizes.data();
      p.inertia = &inertia, p.iterations = &iterations, p.converged = &converged;
      kernels().kmeans(Run{}, p);
    });
  }
  for (index_t i = 0; i < s.n; i++) labels[i] = static_cast<int>(i * 7919 % s.m);
  std::vector<double> counts(s.m);
  Floats means(s.m * s.d);
  time("means " + text(s), 0, 4.0 * s.n * (s.d + 1), [&] {
    kernels().centroid_means(Run{}, {points->view, labels.data(), nullptr, s.m, nullptr, counts.data(), means.data()});
  });
}

void Bench::neighbors() const {
  const index_t n = scaled(16384), d = 256, k = 10;
  const auto a = on_device(values(n * d, 3), n, d), b = on_device(values(n * d, 4), n, d);
  Floats out(n * n), distances(n * k);
  Ints indices(n * k);
  const std::string shape = text({n, n, d});
  time("pairwise " + shape, 2.0 * n * n * d, 0, [&] { kernels().pairwise_distance(Run{}, {a->view, b->view, Metric::sqeuclidean, out.data()}); });
  time("neighbors " + shape + " k10", 2.0 * n * n * d, 0, [&] {
    kernels().nearest_neighbors(Run{}, {a->view, a->view, k, Metric::sqeuclidean, true, indices.data(), distances.data()});
  });
}

// Three arrays of their own: with current = origin a third of the reads would come from the cache.
void Bench::attacks() const {
  const index_t n = tiny ? 2 : 256, d = tiny ? 3072 : 150528;
  const auto origin = on_device(values(n * d, 5, 0, 1), n, d), current = on_device(values(n * d, 6, 0, 1), n, d), gradient = on_device(values(n * d, 7), n, d);
  Floats out(n * d);
  constexpr std::pair<const char*, Norm> kNorms[] = {{"linf", Norm::linf}, {"l2", Norm::l2}, {"l1", Norm::l1}};
  for (const auto& [name, norm] : kNorms) {
    AttackStep step;
    step.origin = origin->view, step.current = current->view, step.gradient = gradient->view;
    step.norm = norm, step.epsilon = norm == Norm::linf ? 0.1 : 10, step.step_size = step.epsilon / 5, step.has_box = true, step.out = out.data();
    const std::string tail = std::string(name) + " " + std::to_string(n) + "x" + std::to_string(d);
    time("attack_step " + tail, 0, 16.0 * n * d, [&] { kernels().attack_step(Run{}, step); });
    ProjectPerturbation p;
    p.delta = gradient->view, p.norm = norm, p.epsilon = step.epsilon, p.around = origin->view.data, p.out = out.data();
    time("project " + tail, 0, 12.0 * n * d, [&] { kernels().project_perturbation(Run{}, p); });
  }
}

}  // namespace

void bench(const std::string& filter, bool tiny) {
  const Bench b{filter, tiny};
  b.distances();
  b.neighbors();
  b.attacks();
}

}  // namespace gpu_smoke
