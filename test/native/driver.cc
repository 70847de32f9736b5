// The kernels without Node, for sanitizers and emulators: every instruction set of this processor against plain double loops,
// on 1 and 3 threads with equal bits, from several threads at once, and cancelled midway. Prints what ran; exits 1 on a failure.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "../../native/cpu/engine/prelude.h"

namespace {

using namespace eat;
using Floats = std::vector<float>;

#include "judging.h"

struct Shape { index_t n, m, d; };
const Shape kShapes[] = {{1, 1, 1}, {5, 7, 3}, {14, 33, 16}, {64, 20, 17}, {300, 40, 31}, {33, 65, 129}, {20, 9, 700}};

Outputs distances(const Run& run, bool judge) {
  Outputs all;
  for (const auto [n, m, d] : kShapes) {
    const Floats a = random_floats(n * d, 1), b = random_floats(m * d, 2);
    Floats out(static_cast<size_t>(n * m));
    kernels().pairwise_distance(run, {{a.data(), 1, n, d}, {b.data(), 1, m, d}, Metric::sqeuclidean, out.data()});
    for (index_t e = 0; judge && e < n * m; e++) {
      check(near(out[static_cast<size_t>(e)], squared(&a[static_cast<size_t>(e / m * d)], &b[static_cast<size_t>(e % m * d)], d), 1e-5), "pairwise_distance");
    }
    all.push_back(out);
  }
  return all;
}

Outputs nearest(const Run& run, bool judge) {
  Outputs all;
  for (const auto [n, k, d] : kShapes) {
    const Floats x = random_floats(n * d, 3), c = random_floats(k * d, 4);
    std::vector<std::int32_t> labels(static_cast<size_t>(n)), first(static_cast<size_t>(n));
    Floats best(static_cast<size_t>(n)), second(static_cast<size_t>(n)), distance(static_cast<size_t>(n));
    kernels().nearest_centroid(run, {{x.data(), 1, n, d}, {c.data(), 1, k, d}, labels.data(), best.data(), second.data()});
    kernels().nearest_neighbors(run, {{x.data(), 1, n, d}, {c.data(), 1, k, d}, 1, Metric::sqeuclidean, false, first.data(), distance.data()});
    for (index_t i = 0; judge && i < n; i++) {
      index_t label = 0;
      for (index_t j = 1; j < k; j++) {
        if (squared(&x[static_cast<size_t>(i * d)], &c[static_cast<size_t>(j * d)], d) < squared(&x[static_cast<size_t>(i * d)], &c[static_cast<size_t>(label * d)], d)) label = j;
      }
      check(labels[static_cast<size_t>(i)] == label, "nearest_centroid label");
      check(first[static_cast<size_t>(i)] == label, "nearest_neighbors index");
      check(near(best[static_cast<size_t>(i)], squared(&x[static_cast<size_t>(i * d)], &c[static_cast<size_t>(label * d)], d), 1e-5), "nearest_centroid distance");
    }
    all.insert(all.end(), {as_floats(labels), best, second, as_floats(first), distance});
  }
  return all;
}

Outputs clusters(const Run& run, bool judge) {
  const index_t n = 2500, d = 19, k = 11;
  const Floats x = random_floats(n * d, 5);
  Floats centroids(x.begin(), x.begin() + k * d), sums(static_cast<size_t>(k * d), 0.0f);
  std::vector<std::int32_t> labels(static_cast<size_t>(n)), counts(static_cast<size_t>(k));
  double inertia = 0, last = INFINITY;
  std::int32_t iterations = 0;
  std::uint8_t converged = 0;
  KMeans p;
  p.points = {x.data(), 1, n, d};
  p.k = k;
  p.centroids = centroids.data();
  p.labels = labels.data();
  p.counts = counts.data();
  p.inertia = &inertia;
  p.iterations = &iterations;
  p.converged = &converged;
  p.on_iteration = [&](const KMeansProgress& at) {
    if (judge) check(at.inertia <= last * (1 + 1e-6), "kmeans inertia never rises");
    last = at.inertia;
  };
  kernels().kmeans(run, p);
  double expected = 0;
  for (index_t i = 0; i < n; i++) expected += squared(&x[static_cast<size_t>(i * d)], &centroids[static_cast<size_t>(labels[static_cast<size_t>(i)] * d)], d);
  if (judge) check(near(inertia, expected, 1e-9) && converged, "kmeans inertia");
  return {as_floats(labels), centroids, {static_cast<float>(inertia), static_cast<float>(iterations)}};
}

Outputs steps(const Run& run, bool judge) {
  Outputs all;
  const index_t rows = 5, d = 3001;
  Floats origin = random_floats(rows * d, 6), gradient = random_floats(rows * d, 8);
  for (float& x : origin) x = std::fabs(x);
  for (const Norm norm : {Norm::linf, Norm::l2, Norm::l1}) {
    Floats out(origin.size());
    AttackStep p{{origin.data(), 1, rows, d}, {origin.data(), 1, rows, d}, {gradient.data(), 1, rows, d}, norm, 0.1, 0.3, true, 0, 1, out.data()};
    kernels().attack_step(run, p);
    for (index_t r = 0; judge && r < rows; r++) {
      double size = 0;
      for (index_t i = r * d; i < (r + 1) * d; i++) {
        const double moved = std::fabs(static_cast<double>(out[static_cast<size_t>(i)]) - origin[static_cast<size_t>(i)]);
        size = norm == Norm::linf ? std::max(size, moved) : size + (norm == Norm::l2 ? moved * moved : moved);
        check(out[static_cast<size_t>(i)] >= 0 && out[static_cast<size_t>(i)] <= 1, "attack_step box");
      }
      check((norm == Norm::l2 ? std::sqrt(size) : size) <= 0.1, "attack_step ball");
    }
    all.push_back(out);
  }
  return all;
}

struct ConvolutionCase { index_t batch, height, width, in_channels, out_channels, filter, stride; };

Outputs convolution(const Run& run, bool judge, const ConvolutionCase& of) {
  Conv2DGeometry g;
  g.batch = of.batch, g.in_height = of.height, g.in_width = of.width, g.in_channels = of.in_channels, g.out_channels = of.out_channels;
  g.out_height = (of.height + of.stride - 1) / of.stride, g.out_width = (of.width + of.stride - 1) / of.stride;
  g.filter_height = g.filter_width = of.filter, g.stride_height = g.stride_width = of.stride, g.pad_top = of.filter / 2;
  const Floats x = random_floats(g.batch * g.in_height * g.in_width * g.in_channels, 9);
  const Floats w = random_floats(of.filter * of.filter * g.in_channels * g.out_channels, 10);
  const Floats dy = random_floats(g.batch * g.out_height * g.out_width * g.out_channels, 11);
  Floats y(dy.size()), dx(x.size()), dw(w.size());
  kernels().conv2d(run, {g, x.data(), w.data(), nullptr, Activation::none, y.data()});
  kernels().conv2d_backprop_input(run, {g, dy.data(), w.data(), dx.data()});
  kernels().conv2d_backprop_filter(run, {g, x.data(), dy.data(), dw.data()});
  // <dy, conv(x)> = <dx, x> = <dw, w>: the three are each other's adjoints.
  const auto dot = [](const Floats& a, const Floats& b) {
    double s = 0;
    for (size_t i = 0; i < a.size(); i++) s += static_cast<double>(a[i]) * b[i];
    return s;
  };
  if (judge) check(near(dot(dx, x), dot(dy, y), 1e-4, 1) && near(dot(dw, w), dot(dy, y), 1e-4, 1), "conv2d gradients are adjoint");
  return {y, dx, dw};
}

Outputs products(const Run& run, bool judge) {
  const ConvolutionCase cases[] = {
      // Channels that are packed, that are laid as whole vectors, and so few that they are gathered.
      {3, 9, 8, 17, 10, 3, 2}, {3, 9, 8, 16, 32, 3, 2}, {3, 9, 8, 2, 16, 3, 2},
      // Lines of a first layer.
      {3, 9, 61, 3, 40, 7, 2}, {2, 7, 95, 1, 5, 5, 3},
      // The filter's gradient in ranges of pixels, and tap by tap, where some have few.
      {20, 12, 12, 20, 70, 1, 1}, {2, 5, 5, 300, 290, 1, 2}, {2, 7, 6, 270, 9, 3, 2}, {3, 2, 2, 256, 20, 3, 1}};
  Outputs all;
  for (const ConvolutionCase& of : cases) {
    for (Floats& values : convolution(run, judge, of)) all.push_back(std::move(values));
  }
  return all;
}

// Two layers in a stack, `inner` channels between them, are the two one after the other, to the bit, and so are their gradients.
Outputs stack_of(const Run& run, bool judge, index_t inner) {
  Conv2DGeometry first, second;
  first.batch = 13, first.in_height = first.out_height = 9, first.in_width = first.out_width = 8, first.in_channels = 2;
  first.out_channels = inner, first.filter_height = first.filter_width = 3, first.pad_top = first.pad_left = 1;
  second = first;
  second.in_channels = inner, second.out_channels = 16, second.out_height = 5, second.out_width = 4;
  second.stride_height = second.stride_width = 2, second.pad_left = 0;
  const Floats x = random_floats(13 * 9 * 8 * 2, 14), w1 = random_floats(9 * 2 * inner, 15), w2 = random_floats(9 * inner * 16, 16);
  const Floats b1 = random_floats(inner, 17), b2 = random_floats(16, 18), dy = random_floats(13 * 5 * 4 * 16, 19);
  const std::vector<ConvReluLayer> layers = {{first, w1.data(), b1.data()}, {second, w2.data(), b2.data()}};
  Floats y1(static_cast<size_t>(13 * 9 * 8 * inner)), y2(dy.size()), d1(y1.size()), dx(x.size()), out(y2.size()), gradient(x.size());
  std::vector<std::int32_t> passed(static_cast<size_t>(passed_size(first) + passed_size(second)));
  kernels().conv_relu_stack(run, {layers, x.data(), out.data(), passed.data()});
  kernels().conv_relu_stack_backprop_input(run, {layers, dy.data(), passed.data(), gradient.data()});
  kernels().conv2d(run, {first, x.data(), w1.data(), b1.data(), Activation::relu, y1.data()});
  kernels().conv2d(run, {second, y1.data(), w2.data(), b2.data(), Activation::relu, y2.data()});
  Floats d2 = dy;
  for (size_t i = 0; i < y2.size(); i++) d2[i] = y2[i] > 0 ? dy[i] : 0;
  kernels().conv2d_backprop_input(run, {second, d2.data(), w2.data(), d1.data()});
  for (size_t i = 0; i < y1.size(); i++) d1[i] = y1[i] > 0 ? d1[i] : 0;
  kernels().conv2d_backprop_input(run, {first, d1.data(), w1.data(), dx.data()});
  if (judge) check(same_bits({out, gradient}, {y2, dx}), "a stack is its layers");
  return {out, gradient, as_floats(passed)};
}

// Channels inside: more than a word of bits and no whole vectors, so few that they are gathered, so many that a product goes in blocks.
Outputs stack(const Run& run, bool judge) {
  Outputs all;
  for (const index_t inner : {35, 3, 64}) {
    for (Floats& values : stack_of(run, judge, inner)) all.push_back(std::move(values));
  }
  return all;
}

#include "selections.h"
#include "pixels.h"
#include "winograd.h"
#include "residual.h"

void cancelled() {
  std::atomic<bool> cancel{false};
  Run run;
  run.threads = 2;
  run.cancel = &cancel;
  const index_t n = 4000, d = 64;
  const Floats x = random_floats(n * d, 12);
  Floats out(static_cast<size_t>(n * n));
  std::thread stopper([&] { cancel = true; });
  bool thrown = false;
  try {
    for (int i = 0; i < 1000 && !thrown; i++) kernels().pairwise_distance(run, {{x.data(), 1, n, d}, {x.data(), 1, n, d}, Metric::euclidean, out.data()});
  } catch (const Cancelled&) {
    thrown = true;
  }
  stopper.join();
  check(thrown, "a cancelled run throws");
}

void not_finite() {
  Floats x = random_floats(40 * 8, 13), out(40 * 40);
  x[5 * 8 + 2] = NAN;
  index_t row = -1;
  try {
    kernels().pairwise_distance(Run{}, {{x.data(), 1, 40, 8}, {x.data(), 1, 40, 8}, Metric::cosine, out.data()});
  } catch (const NotFinite& e) {
    row = e.row;
  }
  check(row == 5, "the first row that is not finite is named");
}

}  // namespace

int main() {
  const std::vector<std::function<Outputs(const Run&, bool)>> suites = {distances, nearest, clusters, steps, products, stack, maps,
                                                                        tiled_stack, residual_blocks, comparisons, rankings, picks,
                                                                        pixels};
  Run one, three;
  three.threads = 3;
  for (const auto& suite : suites) check(same_bits(suite(one, true), suite(three, false)), "same bits on 1 and 3 threads");
  std::vector<std::thread> callers;
  std::vector<char> agreed(suites.size());
  for (size_t i = 0; i < suites.size(); i++) {
    callers.emplace_back([&, i] { agreed[i] = same_bits(suites[i](three, false), suites[i](three, false)); });
  }
  for (std::thread& caller : callers) caller.join();
  for (const char fine : agreed) check(fine != 0, "same bits from concurrent calls");
  cancelled();
  not_finite();
  std::printf("%s: %d checks, %d failed\n", kernels().isa, checks, failures);
  std::fflush(stdout);
  std::_Exit(failures == 0 ? 0 : 1);  // the pool's workers still sleep
}
