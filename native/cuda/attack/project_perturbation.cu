// projectPerturbation on the device: linf entry by entry (elementwise.h), l2 and l1 by rows in double (ball.h, row_variants.h),
// rounded toward zero.
#include "../../contracts/attack/project_perturbation.h"

#include "../device/rounding.h"
#include "../host/device_input.h"
#include "../host/device_output.h"
#include "../host/tiles.h"
#include "ball.h"
#include "elementwise.h"
#include "row_variants.h"
#include "usable.h"

namespace eat::cuda {

struct ProjectionInput {
  Span<const float> delta, around;  // around is empty without a box
  Span<float> out;
  float lo, hi;
  Scan scan;

  EAT_DEVICE bool boxed() const { return around.size > 0; }
  EAT_DEVICE void check(index_t i, float delta, float x) const {
    scan.require_finite(0, i, delta);
    if (boxed() && !(x >= lo && x <= hi)) scan.note(kMaxScanned - 1, i);
  }
};

// The ball and the box are intervals, whose float ends lie inside them.
struct LinfProjection {
  ProjectionInput in;
  float radius;

  EAT_HOST_DEVICE index_t size() const { return in.delta.size; }
  EAT_DEVICE float project(index_t i, float delta, float x) const {
    in.check(i, delta, x);
    const float v = clamp(delta, -radius, radius);
    return in.boxed() ? clamp(v, -add_down(x, -in.lo), add_down(in.hi, -x)) : v;
  }
  EAT_DEVICE void one(index_t i) const { in.out[i] = project(i, in.delta[i], in.boxed() ? in.around[i] : 0.0f); }
  EAT_DEVICE void four(index_t i) const {
    const Vec4 delta = load4(in.delta, i), x = in.boxed() ? load4(in.around, i) : Vec4{0, 0, 0, 0};
    store4(in.out, i, Vec4{project(i, delta.x, x.x), project(i + 1, delta.y, x.y), project(i + 2, delta.z, x.z), project(i + 3, delta.w, x.w)});
  }
};

struct PerturbationRow {
  Span<const float> delta, around;

  EAT_DEVICE double value(index_t i) const { return delta[i]; }
  EAT_DEVICE float bound(index_t i) const { return around.size > 0 ? around[i] : 0.0f; }
};

template <Norm N>
struct RowProjection {
  ProjectionInput in;
  index_t d;
  double epsilon;

  EAT_DEVICE index_t rows() const { return in.delta.size / d; }
  template <int Threads, int Per>
  EAT_DEVICE void row(index_t r) const {
    const PerturbationRow source{in.delta.part(r * d, d), in.boxed() ? in.around.part(r * d, d) : in.around};
    const Span<float> out = in.out.part(r * d, d);
    BlockReduction<Threads> reduction;
    RowOfValues<Threads, Per, PerturbationRow> row(source, d, reduction);
    row.each([&](index_t i, double value, float x) { in.check(r * d + i, static_cast<float>(value), x); });
    project_row<N>(row, epsilon, Box{in.boxed(), in.lo, in.hi}, [&](index_t i, double entry) { out[i] = float_toward_zero(entry); });
  }
};

namespace {

void project_tile(const Run& run, const ProjectPerturbation& p, index_t first_row, index_t rows, TiledOutput& results) {
  const index_t d = p.delta.cols, size = rows * d, offset = first_row * d;
  Stream stream;
  const DeviceInput<float> delta(run, stream, p.delta.data + offset, size);
  const DeviceInput<float> around(run, stream, p.around == nullptr ? nullptr : p.around + offset, size);
  DeviceOutput<float> out(run, stream, results.place(offset, size), size);
  ScanResult result(stream, run, size);
  const ProjectionInput in{delta.span(), around.span(), out.span(), p.lo, p.hi, result.scan()};
  if (p.norm == Norm::linf) {
    launch_elementwise(stream, LinfProjection{in, float_below(p.epsilon)}, aligned16(in.delta.data) && aligned16(in.around.data) && aligned16(in.out.data));
  } else if (p.norm == Norm::l2) {
    launch_by_rows(stream, RowProjection<Norm::l2>{in, d, p.epsilon}, rows, d);
  } else {
    launch_by_rows(stream, RowProjection<Norm::l1>{in, d, p.epsilon}, rows, d);
  }
  const char* const arguments[] = {"delta"};
  result.check(stream, arguments, 1, "around", d, first_row);
  out.deliver(stream);
}

}  // namespace

void project_perturbation(const Run& run, const ProjectPerturbation& p) {
  if (p.delta.size() == 0) return;
  TiledOutput results(p.out, p.delta.size(), p.out == p.delta.data);
  for_row_tiles(run, 1, p.delta.batch * p.delta.rows, attack_row_bytes(run.on_device ? 0 : 3, p.delta.cols),
                [&](index_t, index_t first, index_t count) { project_tile(run, p, first, count, results); });
  results.finish();
}

}  // namespace eat::cuda
