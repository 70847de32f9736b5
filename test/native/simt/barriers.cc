// Barriers and warp collectives that not everybody reaches.
#include "harness.h"

namespace simt_test {

EAT_GLOBAL void barrier_in_branch(Span<float> out) {
  if (thread_x() < 40) sync_block();
  out[thread_x()] = 1;
}
EAT_GLOBAL void return_before_barrier(Span<float> out, int n) {
  if (thread_x() >= n) return;
  sync_block();
  out[thread_x()] = 1;
}
EAT_GLOBAL void two_barriers(Span<float> out) {
  if (thread_x() % 64 < 32) {
    sync_block();
  } else {
    sync_block();
  }
  out[thread_x()] = 1;
}
EAT_GLOBAL void shuffle_in_branch(Span<float> out) {
  if (lane() < 16) out[thread_x()] = shuffle_down(1.0f, 1);
}
EAT_GLOBAL void shuffle_against_barrier(Span<float> out) {
  if (lane() == 3) sync_block();
  out[thread_x()] = shuffle(1.0f, 0);
  if (lane() != 3) sync_block();
}
EAT_GLOBAL void vote_against_shuffle(Span<float> out) {
  if (lane() < 8) out[thread_x()] = any(true);
  else out[thread_x()] = shuffle(1.0f, 0);
}
EAT_GLOBAL void shuffle_anywhere(Span<float> out) { out[thread_x()] = shuffle(1.0f, 0); }

// Threads meet at a barrier each round; the loop's length is the same for all.
EAT_GLOBAL void many_barriers(Span<float> out, int rounds) {
  EAT_SHARED(float, values, 96);
  values[thread_x()] = 0;
  sync_block();
  for (int i = 0; i < rounds; i++) {
    const float next = values[(thread_x() + 1) % block_dim_x()];
    sync_block();
    values[thread_x()] = next + 1;
    sync_block();
  }
  const float value = values[thread_x()];
  out[thread_x()] = value;
}

template <class... A>
std::function<void()> launched(void (*kernel)(Span<float>, A...), int threads, A... args) {
  return [=] {
    Memory<float> out(1024);
    run(kernel, 1, threads, 0, out.span(), args...);
  };
}

static const Add barrier_cases[] = {
    {"a barrier in a branch", {"kernel simt_test::barrier_in_branch, block (0, 0, 0), thread ", "divergent barrier: waits at barriers.cc", "which has returned"},
     launched(barrier_in_branch, 64)},
    {"an early return before a barrier", {"divergent barrier", "which has returned"}, launched(return_before_barrier, 128, 100)},
    {"nobody returns early", {}, launched(return_before_barrier, 128, 128)},
    {"two barriers for one", {"divergent barrier", "while other threads of the block wait at"}, launched(two_barriers, 64)},
    {"a shuffle in a branch", {"divergent warp", "shuffle_down"}, launched(shuffle_in_branch, 64)},
    {"a lane at a barrier, the others at a shuffle", {"divergent"}, launched(shuffle_against_barrier, 64)},
    {"a vote against a shuffle", {"divergent warp", "vote", "shuffle"}, launched(vote_against_shuffle, 32)},
    {"a shuffle in a warp that is not full", {"fewer than 32 threads"}, launched(shuffle_anywhere, 40)},
    {"many barriers", {}, [] {
       Memory<float> out(96);
       run(many_barriers, 1, 96, 0, out.span(), 5);
       for (float v : out.values()) require(v == 5, "rounds counted wrong");
     }},
};

}  // namespace simt_test
