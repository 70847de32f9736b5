// Shared memory: bounds, alignment, values never written, races, cp.async.
#include "harness.h"

namespace simt_test {

// A race is told by whoever comes second; a reader who comes before the first write reads what nobody has written.

// Reverses a block's values; each flag leaves one thing out or spoils it.
enum Bug { none, no_barrier, never_written, past_end, before_start };

template <int B>
EAT_GLOBAL void reversed(Span<const float> in, Span<float> out) {
  EAT_SHARED(float, tile, 64);
  const int t = thread_x();
  if (B != never_written || t != 5) tile[t + (B == past_end ? 1 : 0) - (B == before_start ? 1 : 0)] = in[t];
  if (B != no_barrier) sync_block();
  const float value = tile[63 - t];
  out[t] = value;
}

template <int B>
void run_reversed() {
  Memory<float> in(counting(64)), out(64);
  run(reversed<B>, 1, 64, 0, Span<const float>(in.span()), out.span());
  for (int i = 0; i < 64; i++) require(out.values()[i] == 63 - i, "not reversed");
}

EAT_GLOBAL void overwritten_too_soon(Span<float> out) {  // the barrier at the end of the loop is missing
  EAT_SHARED(float, tile, 64);
  float sum = 0;
  for (int i = 0; i < 2; i++) {
    tile[thread_x()] = static_cast<float>(i);
    sync_block();
    const float other = tile[63 - thread_x()];
    sum += other;
  }
  out[thread_x()] = sum;
}
EAT_GLOBAL void same_place_written(Span<float> out) {
  EAT_SHARED(float, tile, 1);
  tile[0] = 1;
  sync_block();
  out[thread_x()] = tile[0];
}
template <bool Ordered>
EAT_GLOBAL void within_warp(Span<float> out) {
  EAT_SHARED(float, tile, 64);
  tile[thread_x()] = static_cast<float>(thread_x());
  if (Ordered) sync_warp();
  out[thread_x()] = tile[thread_x() ^ 1];
}
EAT_GLOBAL void across_warps(Span<float> out) {  // sync_warp does not order warps
  EAT_SHARED(float, tile, 64);
  tile[thread_x()] = 1;
  sync_warp();
  out[thread_x()] = tile[63 - thread_x()];
}
EAT_GLOBAL void halves_of_a_word(Span<float> out) {  // neighbours in one word do not race
  EAT_SHARED(half, tile, 64);
  tile[thread_x()] = to_half(static_cast<float>(thread_x()));
  sync_block();
  const half value = tile[63 - thread_x()];
  out[thread_x()] = to_float(value);
}
template <bool Cleared, bool Waited>
EAT_GLOBAL void histogram(Span<float> out) {
  EAT_SHARED(int, counts, 4);
  if (Cleared && thread_x() < 4) counts[thread_x()] = 0;
  sync_block();
  atomic_add(counts, thread_x() % 4, 1);
  if (Waited) sync_block();
  const int count = counts[thread_x() % 4];
  out[thread_x()] = static_cast<float>(count);
}
EAT_GLOBAL void misaligned_vector(Span<float> out) {
  EAT_SHARED(float, tile, 68);
  store4(tile, thread_x() % 4 * 16 + 1, Vec4{1, 2, 3, 4});
  out[thread_x()] = 0;
}
EAT_GLOBAL void dynamic_parts(Span<float> out, int ints) {
  EAT_DYNAMIC_SHARED(float, memory);
  const Shared<int> indices = memory.part(block_dim_x()).as<int>();
  memory[thread_x()] = 2;
  indices[thread_x()] = ints;
  sync_block();
  const float value = memory[63 - thread_x()];
  const int index = indices[63 - thread_x()];
  out[thread_x()] = value + static_cast<float>(index);
}

template <class... A>
std::function<void()> launched(void (*kernel)(Span<float>, A...), int dynamic_shared, float expected, A... args) {
  return [=] {
    Memory<float> out(64);
    run(kernel, 1, 64, dynamic_shared, out.span(), args...);
    if (expected >= 0) require(out.values()[63] == expected, "wrong value");
  };
}

static const Add shared_cases[] = {
    {"a tile reversed", {}, run_reversed<none>},
    {"a missing barrier", {"kernel simt_test::reversed<1>", "shared array tile"}, run_reversed<no_barrier>},
    {"a place nobody wrote", {"reads shared array tile where nothing has been written"}, run_reversed<never_written>},
    {"past the end of an array", {"thread 63", "shared index tile[64] of 64"}, run_reversed<past_end>},
    {"before the start of an array", {"thread 0", "shared index tile[-1] of 64"}, run_reversed<before_start>},
    {"a tile overwritten while others read", {"race on shared array tile"}, launched(overwritten_too_soon, 0, -1)},
    {"two threads write one place", {"race on shared array tile", "writes what was written by thread"}, launched(same_place_written, 0, -1)},
    {"sync_warp orders a warp", {}, launched(within_warp<true>, 0, 62)},
    {"a warp without sync_warp", {"shared array tile"}, launched(within_warp<false>, 0, -1)},
    {"sync_warp between warps", {"shared array tile"}, launched(across_warps, 0, -1)},
    {"halves in one word", {}, launched(halves_of_a_word, 0, 0)},
    {"shared atomics", {}, launched(histogram<true, true>, 0, 16)},
    {"atomics on what nobody cleared", {"atomic on shared array counts where nothing has been written"}, launched(histogram<false, true>, 0, -1)},
    {"counts read before the barrier", {"race on shared array counts"}, launched(histogram<true, false>, 0, -1)},
    {"a misaligned vector", {"misaligned shared access to tile["}, launched(misaligned_vector, 0, -1)},
    {"dynamic shared memory in parts", {}, launched(dynamic_parts, 512, 9, 7)},
    {"too little dynamic shared memory", {"shared index"}, launched(dynamic_parts, 508, -1, 7)},
};

}  // namespace simt_test
