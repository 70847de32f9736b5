// attackStep on the device: linf in one pass over memory (elementwise.h), l2 and l1 by rows in double (ball.h, row_variants.h),
// rounded toward the origin.
#include "../../contracts/attack/attack_step.h"

#include "../device/rounding.h"
#include "../host/device_input.h"
#include "../host/device_output.h"
#include "../host/tiles.h"
#include "ball.h"
#include "elementwise.h"
#include "row_variants.h"
#include "usable.h"

namespace eat::cuda {

struct StepInput {
  Span<const float> origin, current, gradient;
  Span<float> out;
  bool boxed;
  float lo, hi;
  Scan scan;

  EAT_DEVICE void check(index_t i, float x0, float x, float g) const {
    scan.require_finite(0, i, x0);
    scan.require_finite(1, i, x);
    scan.require_finite(2, i, g);
    if (boxed && !(x0 >= lo && x0 <= hi)) scan.note(kMaxScanned - 1, i);
  }
};

struct LinfStep {
  StepInput in;
  float radius, step;

  EAT_HOST_DEVICE index_t size() const { return in.origin.size; }
  EAT_DEVICE float moved(index_t i, float x0, float x, float g) const {
    in.check(i, x0, x, g);
    const float to = x + (g > 0.0f ? step : g < 0.0f ? -step : 0.0f);
    // A step never leaves the floats.
    const float hi = in.boxed ? in.hi : kLargestFloat, lo = in.boxed ? in.lo : -kLargestFloat;
    const float upper = add_down(x0, radius), lower = -add_down(-x0, radius);
    return clamp(to, lower < lo ? lo : lower, upper > hi ? hi : upper);
  }
  EAT_DEVICE void one(index_t i) const { in.out[i] = moved(i, in.origin[i], in.current[i], in.gradient[i]); }
  EAT_DEVICE void four(index_t i) const {
    const Vec4 x0 = load4(in.origin, i), x = load4(in.current, i), g = load4(in.gradient, i);
    store4(in.out, i, Vec4{moved(i, x0.x, x.x, g.x), moved(i + 1, x0.y, x.y, g.y), moved(i + 2, x0.z, x.z, g.z), moved(i + 3, x0.w, x.w, g.w)});
  }
};

struct GradientRow {
  Span<const float> gradient;

  EAT_DEVICE double value(index_t i) const { return gradient[i]; }
  EAT_DEVICE float bound(index_t) const { return 0.0f; }
};

// The perturbation after the step, before it is projected.
struct SteppedRow {
  Span<const float> origin, current, gradient;
  double factor;

  EAT_DEVICE double value(index_t i) const { return static_cast<double>(current[i]) - origin[i] + factor * gradient[i]; }
  EAT_DEVICE float bound(index_t i) const { return origin[i]; }
};

template <Norm N>
struct RowStep {
  StepInput in;
  index_t d;
  double epsilon, step_size;

  EAT_DEVICE index_t rows() const { return in.origin.size / d; }
  template <int Threads, int Per>
  EAT_DEVICE void row(index_t r) const {
    const index_t begin = r * d;
    BlockReduction<Threads> reduction;
    RowOfValues<Threads, Per, GradientRow> gradient({in.gradient.part(begin, d)}, d, reduction);
    const double size = gradient.sums([](Pair& s, double g, float) { s.first += N == Norm::l2 ? g * g : fabs(g); }).first;
    const double length = N == Norm::l2 ? sqrt(size) : size, factor = length > 0 ? step_size / length : 0;
    const SteppedRow source{in.origin.part(begin, d), in.current.part(begin, d), in.gradient.part(begin, d), factor};
    RowOfValues<Threads, Per, SteppedRow> row(source, d, reduction);
    row.each([&](index_t i, double, float x0) { in.check(begin + i, x0, source.current[i], source.gradient[i]); });
    const Span<float> out = in.out.part(begin, d);
    project_row<N>(row, epsilon, Box{in.boxed, in.lo, in.hi}, [&](index_t i, double entry) {
      const float x0 = source.origin[i], to = static_cast<float>(x0 + entry);
      out[i] = fabs(static_cast<double>(to) - x0) > fabs(entry) ? nextafterf(to, x0) : to;
    });
  }
};

namespace {

void step_tile(const Run& run, const AttackStep& p, index_t first_row, index_t rows, TiledOutput& results) {
  const index_t d = p.origin.cols, size = rows * d, offset = first_row * d;
  Stream stream;
  const DeviceInput<float> origin(run, stream, p.origin.data + offset, size), current(run, stream, p.current.data + offset, size),
      gradient(run, stream, p.gradient.data + offset, size);
  DeviceOutput<float> out(run, stream, results.place(offset, size), size);
  ScanResult result(stream, run, size);
  const StepInput in{origin.span(), current.span(), gradient.span(), out.span(), p.has_box, p.lo, p.hi, result.scan()};
  if (p.norm == Norm::linf) {
    const bool aligned = aligned16(in.origin.data) && aligned16(in.current.data) && aligned16(in.gradient.data) && aligned16(in.out.data);
    launch_elementwise(stream, LinfStep{in, float_below(p.epsilon), static_cast<float>(p.step_size)}, aligned);
  } else if (p.norm == Norm::l2) {
    launch_by_rows(stream, RowStep<Norm::l2>{in, d, p.epsilon, p.step_size}, rows, d);
  } else {
    launch_by_rows(stream, RowStep<Norm::l1>{in, d, p.epsilon, p.step_size}, rows, d);
  }
  const char* const arguments[] = {"origin", "current", "gradient"};
  result.check(stream, arguments, 3, "origin", d, first_row);
  out.deliver(stream);
}

}  // namespace

void attack_step(const Run& run, const AttackStep& p) {
  if (p.origin.size() == 0) return;
  const bool over_input = p.out == p.current.data || p.out == p.origin.data || p.out == p.gradient.data;
  TiledOutput results(p.out, p.origin.size(), over_input);
  for_row_tiles(run, 1, p.origin.batch * p.origin.rows, attack_row_bytes(run.on_device ? 0 : 4, p.origin.cols),
                [&](index_t, index_t first, index_t count) { step_tile(run, p, first, count, results); });
  results.finish();
}

}  // namespace eat::cuda
