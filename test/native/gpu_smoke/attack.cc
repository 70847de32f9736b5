#include <algorithm>
#include <atomic>

#include "harness.h"

namespace gpu_smoke {
namespace {

using Doubles = std::vector<double>;
constexpr const char* kNames[] = {"linf", "l2", "l1"};

double length(Norm norm, const Doubles& v) {
  double sum = 0, most = 0;
  for (const double x : v) sum += norm == Norm::l2 ? x * x : std::fabs(x), most = std::max(most, std::fabs(x));
  return norm == Norm::linf ? most : norm == Norm::l2 ? std::sqrt(sum) : sum;
}

// What the Lagrangian's multiplier makes of `v`, inside the box [0, 1] around x0.
Doubles shrunk(Norm norm, const Doubles& v, double multiplier, const float* x0) {
  Doubles out(v.size());
  for (size_t i = 0; i < v.size(); i++) {
    const double less = norm == Norm::l2 ? v[i] / (1 + multiplier) : std::copysign(std::max(std::fabs(v[i]) - multiplier, 0.0), v[i]);
    out[i] = std::clamp(less, 0.0 - x0[i], 1.0 - x0[i]);
  }
  return out;
}

// The projection of `v` onto ball and box, by bisection of the multiplier.
Doubles projection(Norm norm, const Doubles& v, double epsilon, const float* x0) {
  if (norm == Norm::linf) {
    Doubles out(v.size());
    for (size_t i = 0; i < v.size(); i++) out[i] = std::clamp(std::clamp(v[i], -epsilon, epsilon), 0.0 - x0[i], 1.0 - x0[i]);
    return out;
  }
  if (length(norm, shrunk(norm, v, 0, x0)) <= epsilon) return shrunk(norm, v, 0, x0);
  double low = 0, high = 1;
  while (length(norm, shrunk(norm, v, high, x0)) > epsilon) high *= 2;
  for (int i = 0; i < 60; i++) {
    const double middle = (low + high) / 2;
    (length(norm, shrunk(norm, v, middle, x0)) > epsilon ? low : high) = middle;
  }
  return shrunk(norm, v, high, x0);
}

// A row's step along the gradient, from `current`, as seen from `origin`.
Doubles stepped(Norm norm, const float* origin, const float* current, const float* gradient, index_t d, double size) {
  const Doubles g(gradient, gradient + d);
  const double scale = norm == Norm::linf ? size : size / length(norm, g);
  Doubles out(static_cast<size_t>(d));
  for (index_t i = 0; i < d; i++) {
    const double along = norm == Norm::linf ? (g[i] > 0) - (g[i] < 0) : g[i];
    out[i] = current[i] + scale * along - origin[i];
  }
  return out;
}

struct Images {
  index_t n, d;
  Floats origin, current, gradient;
};

struct Ball {
  Norm norm;
  double epsilon, step;
};

Ball ball_of(Norm norm, index_t d) {
  constexpr double kEpsilon = 0.1;
  if (norm == Norm::linf) return {norm, kEpsilon, 0.03};
  const double dimensions = static_cast<double>(d), radius = kEpsilon * (norm == Norm::l2 ? std::sqrt(dimensions) : dimensions / 4);
  return {norm, radius, radius / 4};
}

// Per row the result `row(i)` must lie in the ball and the box, and be `expected(i)` but for rounding.
void judge(const std::string& what, const Images& m, const Ball& ball, const std::function<Doubles(index_t)>& row, const std::function<Doubles(index_t)>& expected) {
  std::atomic<int> outside{0}, far{0};
  std::vector<double> worst(static_cast<size_t>(m.n));
  in_parallel(m.n, [&](index_t r) {
    const Doubles found = row(r), wanted = expected(r);
    for (index_t i = 0; i < m.d; i++) {
      const double at = static_cast<float>(m.origin[r * m.d + i] + found[i]);
      outside += !(at >= 0 && at <= 1);
      worst[r] = std::max(worst[r], std::isfinite(found[i]) ? std::fabs(found[i] - wanted[i]) : INFINITY);
    }
    far += !(length(ball.norm, found) <= ball.epsilon);
  });
  const double most = *std::max_element(worst.begin(), worst.end());
  say("%s %s %lldx%lld: off by %.1e, %d outside the box, %d outside the ball", what.c_str(), kNames[static_cast<int>(ball.norm)],
      static_cast<long long>(m.n), static_cast<long long>(m.d), most, outside.load(), far.load());
  require(outside == 0 && far == 0 && most < 1e-6, what + " " + kNames[static_cast<int>(ball.norm)] + " d" + std::to_string(m.d));
}

void check_step(const Images& m, const Ball& ball) {
  Floats out(m.n * m.d, NAN), again(m.n * m.d, NAN);
  AttackStep p;
  p.origin = {m.origin.data(), 1, m.n, m.d}, p.current = {m.current.data(), 1, m.n, m.d}, p.gradient = {m.gradient.data(), 1, m.n, m.d};
  p.norm = ball.norm, p.epsilon = ball.epsilon, p.step_size = ball.step, p.has_box = true;
  for (Floats* result : {&out, &again}) {
    p.out = result->data();
    kernels().attack_step(Run{}, p);
  }
  require(same_bits(out, again), "attack step: the same bits twice");
  const auto moved = [&](index_t r) {
    Doubles delta(static_cast<size_t>(m.d));
    for (index_t i = 0; i < m.d; i++) delta[i] = static_cast<double>(out[r * m.d + i]) - m.origin[r * m.d + i];
    return delta;
  };
  const auto expected = [&](index_t r) {
    const float* origin = &m.origin[r * m.d];
    return projection(ball.norm, stepped(ball.norm, origin, &m.current[r * m.d], &m.gradient[r * m.d], m.d, ball.step), ball.epsilon, origin);
  };
  judge("attack step", m, ball, moved, expected);
}

void check_projection(const Images& m, const Ball& ball) {
  Floats out(m.n * m.d, NAN);
  ProjectPerturbation p;
  p.delta = {m.gradient.data(), 1, m.n, m.d}, p.norm = ball.norm, p.epsilon = ball.epsilon, p.around = m.origin.data(), p.out = out.data();
  kernels().project_perturbation(Run{}, p);
  const auto row = [&](const Floats& of, index_t r) { return Doubles(of.begin() + r * m.d, of.begin() + (r + 1) * m.d); };
  judge("projection", m, ball, [&](index_t r) { return row(out, r); },
        [&](index_t r) { return projection(ball.norm, row(m.gradient, r), ball.epsilon, &m.origin[r * m.d]); });
}

}  // namespace

// d around the lengths at which a row is given to more threads (native/cuda/attack/row_variants.h).
void check_attack(Size size) {
  const std::vector<index_t> kOf[] = {{1, 7, 129}, {3, 128, 784, 1025}, {3072, 3073}, {12288, 150528}};
  for (const index_t d : kOf[static_cast<int>(size)]) {
    const index_t n = size == Size::tiny ? 5 : 33;
    const Images images{n, d, values(n * d, 9, 0, 1), values(n * d, 11, 0, 1), values(n * d, 10)};
    for (const Norm norm : {Norm::linf, Norm::l2, Norm::l1}) {
      check_step(images, ball_of(norm, d));
      check_projection(images, ball_of(norm, d));
    }
  }
}

}  // namespace gpu_smoke
