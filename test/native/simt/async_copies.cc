// cp.async: what a copy brings is there after the wait for its group, and for other threads after a barrier behind that.
#include "harness.h"

namespace simt_test {

enum AsyncBug { correct, no_wait, waits_for_older, no_barrier_behind, barrier_before_wait, not_committed, buffer_reused };

// Two stages: while a tile is summed, the next one is on its way.
template <int B>
EAT_GLOBAL void two_stages(Span<const float> in, Span<float> out, int tiles) {
  EAT_SHARED(float, stage, 2 * 128);
  const int t = thread_x();
  const auto fetch = [&](int tile) {
    copy_async16(stage, tile % 2 * 128 + t * 4, in, tile * 128 + t * 4, tile < tiles);
    if (B != not_committed) copy_async_commit();
  };
  float sum = 0;
  if (tiles > 0) fetch(0);
  for (int i = 0; i < tiles; i++) {
    fetch(i + 1);
    if (B == barrier_before_wait) sync_block();
    if (B == waits_for_older) copy_async_wait<2>();
    else if (B != no_wait) copy_async_wait<1>();
    if (B != no_barrier_behind && B != barrier_before_wait) sync_block();
    for (int j = 0; j < 4; j++) {
      const float value = stage[i % 2 * 128 + (t + j * 32 + 1) % 128];
      sum += value;
    }
    if (B != buffer_reused) sync_block();
  }
  out[t] = sum;
}

template <int B>
void run_stages() {
  Memory<float> in(counting(3 * 128)), out(32);
  run(two_stages<B>, 1, 32, 0, Span<const float>(in.span()), out.span(), 3);
  for (int t = 0; t < 32; t++) {
    float sum = 0;
    for (int i = 0; i < 12; i++) sum += static_cast<float>(i / 4 * 128 + (t + i % 4 * 32 + 1) % 128);
    require(out.values()[t] == sum, "wrong sum");
  }
}

EAT_GLOBAL void zero_filled(Span<const float> in, Span<float> out) {
  EAT_SHARED(float, stage, 128);
  copy_async16(stage, thread_x() * 4, in, 1 << 30, false);  // the source is not looked at
  copy_async_commit();
  copy_async_wait<0>();
  out[thread_x()] = stage[thread_x() * 4 + 3];
}
EAT_GLOBAL void out_of_source(Span<const float> in, Span<float> out) {
  EAT_SHARED(float, stage, 128);
  copy_async16(stage, thread_x() * 4, in, thread_x() * 4 + 4, true);
  copy_async_commit();
  copy_async_wait<0>();
  out[thread_x()] = stage[thread_x() * 4];
}

template <class K>
void run_once(K kernel) {
  Memory<float> in(counting(128)), out(32);
  run(kernel, 1, 32, 0, Span<const float>(in.span()), out.span());
  require(out.values()[7] == 0, "not zero");
}

static const Add async_cases[] = {
    {"two stages", {}, run_stages<correct>},
    {"no wait", {"where an async copy has not been waited for"}, run_stages<no_wait>},
    {"a wait for older groups only", {"where an async copy has not been waited for"}, run_stages<waits_for_older>},
    {"no barrier behind the wait", {"stage"}, run_stages<no_barrier_behind>},
    {"a barrier before the wait", {"stage"}, run_stages<barrier_before_wait>},
    {"copies never committed", {"stage", "async copy"}, run_stages<not_committed>},
    {"a stage fetched while others read it", {"shared array stage"}, run_stages<buffer_reused>},
    {"zeros for what is not valid", {}, [] { run_once(zero_filled); }},
    {"a copy from behind the source", {"thread 31", "global elements 128 to 131 of a span of 128"}, [] { run_once(out_of_source); }},
};

}  // namespace simt_test
