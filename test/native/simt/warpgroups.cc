// sm_90a: bulk copies that a barrier waits for, and products of a warpgroup from what they brought.
#include <cmath>

#include "harness.h"

namespace simt_test {

enum CopyBug {
  right, unwaited, wrong_parity, too_few_told, too_many_told, odd_size, misaligned_source, no_sync_after_init, made_twice, not_made, refilled_too_soon
};

// Two tiles of 256 values through one place; thread 0 copies, 64 threads read.
template <int B>
EAT_GLOBAL void bulk_copies(Span<const float> in, Span<float> out) {
  EAT_SHARED(float, tile, 256);
  EAT_SHARED(unsigned long long, done, 2);
  const int t = thread_x();
  if (t == 0 && B != not_made) barrier_init(done, 0, 1);
  if (t == 0 && B == made_twice) barrier_init(done, 0, 1);
  fence_async();
  if (B != no_sync_after_init) sync_block();
  for (int i = 0; i < 2; i++) {
    if (t == 0) {
      barrier_arrive_expect(done, 0, B == too_few_told ? 1008 : B == too_many_told ? 1040 : 1024);
      copy_bulk(tile, 0, in, i * 256 + (B == misaligned_source ? 1 : 0), B == odd_size ? 255 : 256, done, 0);
    }
    if (B != unwaited || t != 17) barrier_wait(done, 0, static_cast<unsigned>(B == wrong_parity ? 1 - i : i));
    if (B == refilled_too_soon) sync_block();  // all have waited, but not read
    const float value = tile[255 - t];
    out[i * 64 + t] = value;
    if (B != refilled_too_soon) sync_block();
  }
  sync_block();
  if (t == 0) barrier_invalidate(done, 0);
}

template <int B>
void run_copies() {
  Memory<float> in(counting(520)), out(128);
  run(bulk_copies<B>, 1, 64, 0, Span<const float>(in.span()), out.span());
  for (int i = 0; i < 128; i++) require(out.values()[i] == static_cast<float>(i / 64 * 256 + 255 - i % 64), "wrong value");
}

// What thread 0 has waited for, the others may read behind a barrier.
EAT_GLOBAL void waited_for_by_one(Span<const float> in, Span<float> out) {
  EAT_SHARED(float, tile, 64);
  EAT_SHARED(unsigned long long, done, 1);
  if (thread_x() == 0) {
    barrier_init(done, 0, 1);
    fence_async();
    barrier_arrive_expect(done, 0, 256);
    copy_bulk(tile, 0, in, 0, 64, done, 0);
    barrier_wait(done, 0, 0);
  }
  sync_block();
  const float value = tile[thread_x()];
  out[thread_x()] = value;
}

enum ProductBug { exact, no_fence, read_before_wait, one_warp_missing, other_operands, off_boundary, changed_under_way, not_waited_for, plain_layout };

// out[64][128] = a[64][64] b[128][64]', operands as words of two halves, already laid out, in one copy.
template <int B>
EAT_GLOBAL void products(Span<const unsigned> in, Span<float> out) {
  EAT_DYNAMIC_SHARED(unsigned, tile);
  const SharedBarriers done = tile.part(192 * 32 + 32).template as<unsigned long long>();
  const int t = thread_x(), a = B == off_boundary ? 32 : 0, b = 64 * 32;
  if (t == 0) {
    barrier_init(done, 0, 1);
    fence_async();
    barrier_arrive_expect(done, 0, 192 * 128);
    copy_bulk(tile, 0, in, 0, 192 * 32, done, 0);
  }
  sync_block();
  if (B != not_waited_for || t != 70) barrier_wait(done, 0, 0);
  if (B == one_warp_missing && warp() == 2) return;
  float d[64] = {};
  if (B != no_fence) wgmma_fence();
  for (int k = 0; k < 32; k += 8) wgmma_m64n128k16_f16(d, wgmma_operand(tile, a + k), wgmma_operand(tile, b + k), k > 0 || (B == other_operands && t == 9));
  wgmma_commit();
  if (B == changed_under_way && t == 70) tile[100] = 0u;
  if (B != read_before_wait) wgmma_wait<0>(d);
  for (int i = 0; i < 64; i++) out[(warp() * 16 + lane() / 4 + i / 2 % 2 * 8) * 128 + i / 4 * 8 + lane() % 4 * 2 + i % 2] = d[i];
}

float operand(int row, int k) { return static_cast<float>((row * 7 + k * 3) % 11 - 5); }

template <int B>
void run_products() {
  std::vector<unsigned> words(192 * 32);
  for (int row = 0; row < 192; row++) {
    for (int k = 0; k < 64; k += 2) {
      const int piece = B == plain_layout ? k / 8 : (k / 8) ^ (row % 8);
      words[row * 32 + piece * 4 + k % 8 / 2] = pack_halves(to_half(operand(row, k)), to_half(operand(row, k + 1)));
    }
  }
  Memory<unsigned> in(words);
  Memory<float> out(64 * 128);
  run(products<B>, 1, 128, 192 * 128 + 256, Span<const unsigned>(in.span()), out.span());
  const std::vector<float> got = out.values();
  for (int i = 0; i < 64 * 128; i++) {
    float sum = 0;
    for (int k = 0; k < 64; k++) sum += operand(i / 128, k) * operand(64 + i % 128, k);
    if (B == read_before_wait) require(std::isnan(got[i]), "an accumulator before its wait");
    else if (got[i] != sum) throw eat::simt::Fault("wrong product");
  }
}

static const Add warpgroup_cases[] = {
    {"bulk copies", {}, run_copies<right>},
    {"a thread that does not wait for a bulk copy", {"thread 17", "shared array tile"}, run_copies<unwaited>},
    {"a wait for the wrong parity", {"tile"}, run_copies<wrong_parity>},
    {"fewer bytes told than come", {"more bytes come to a barrier than it was told of"}, run_copies<too_few_told>},
    {"more bytes told than come", {"waits for ever at barrier_wait"}, run_copies<too_many_told>},
    {"a bulk copy of 1020 bytes", {"1020 bytes, which is no multiple of 16"}, run_copies<odd_size>},
    {"a bulk copy from a misaligned place", {"not 16-byte aligned"}, run_copies<misaligned_source>},
    {"a barrier used before the block knows it", {"barrier"}, run_copies<no_sync_after_init>},
    {"a barrier made twice", {"makes a barrier where there is one"}, run_copies<made_twice>},
    {"a barrier never made", {"where no barrier has been made"}, run_copies<not_made>},
    {"a bulk copy to where others read", {"shared array tile"}, run_copies<refilled_too_soon>},
    {"a wait by one thread, a barrier for the others", {}, [] {
       Memory<float> in(counting(64)), out(64);
       run(waited_for_by_one, 1, 64, 0, Span<const float>(in.span()), out.span());
       require(out.values() == counting(64), "not copied");
     }},
    {"products of a warpgroup", {}, run_products<exact>},
    {"wgmma without a fence", {"with no wgmma_fence"}, run_products<no_fence>},
    {"accumulators before the wait are NaN", {}, run_products<read_before_wait>},
    {"a warp that leaves its warpgroup", {"waits for ever at wgmma_fence"}, run_products<one_warp_missing>},
    {"threads of a warpgroup that disagree", {"different operands"}, run_products<other_operands>},
    {"an operand off its boundary", {"not at a 1024-byte boundary"}, run_products<off_boundary>},
    {"an operand written under way", {"race on shared array"}, run_products<changed_under_way>},
    {"an operand not waited for", {"thread 70", "no wait for the barrier"}, run_products<not_waited_for>},
    {"operands without the swizzle", {"wrong product"}, run_products<plain_layout>},
};

}  // namespace simt_test
