// Steps of a block that picks the k smallest: the k-th smallest key by radix selection, and a bitonic sort of candidates.
#pragma once

#include "neighbor_keys.h"

namespace eat::cuda {

constexpr int kDigits = 256;

// Shared: [0, 256) counts of digits, [256, 264) sums of warps, [264] the digit, [265] the rank that is left.
constexpr int kSelectWords = kDigits + 10;

// The digit at which the running count reaches `rank` (from 1), and the rank among those with this digit.
EAT_DEVICE void find_digit(Shared<unsigned> s, unsigned rank) {
  const unsigned count = s[thread_x()];
  unsigned running = count;
#pragma unroll
  for (int n = 1; n < kWarp; n *= 2) {
    const unsigned below = shuffle_up(running, n);
    if (lane() >= n) running += below;
  }
  if (lane() == kWarp - 1) s[kDigits + warp()] = running;
  sync_block();
  for (int w = 0; w < warp(); w++) {
    const unsigned sum = s[kDigits + w];
    running += sum;
  }
  if (running >= rank && running - count < rank) {
    s[kDigits + 8] = static_cast<unsigned>(thread_x());
    s[kDigits + 9] = rank - (running - count);
  }
  sync_block();
}

// The k-th smallest of `keys`, leaving out place `self`, in the order of `ordered`. Four passes, 8 bits each, from the top.
EAT_DEVICE unsigned kth_smallest(Shared<unsigned> s, Span<const float> keys, index_t self, index_t k) {
  unsigned prefix = 0, rank = static_cast<unsigned>(k);
  for (int shift = 24; shift >= 0; shift -= 8) {
    s[thread_x()] = 0u;
    sync_block();
    for (index_t j = thread_x(); j < keys.size; j += kThreads) {
      const unsigned key = ordered(keys[j]);
      const bool counts = j != self && (shift == 24 || key >> (shift + 8) == prefix);
      if (counts) atomic_add(s, static_cast<int>(key >> shift & 255u), 1u);
    }
    sync_block();
    find_digit(s, rank);
    const unsigned digit = s[kDigits + 8], left = s[kDigits + 9];
    prefix = prefix << 8 | digit;
    rank = left;
    sync_block();
  }
  return prefix;
}

// Ranks with their points, in shared or global memory.
template <class Ranks, class Points>
struct Candidates {
  Ranks rank;
  Points point;

  // NaN counts as +Inf.
  EAT_DEVICE void put(int i, double value, int index) const {
    rank[i] = value == value ? value : static_cast<double>(INFINITY);
    point[i] = index;
  }

  EAT_DEVICE void order(int i, int j, bool ascending) const {
    const double a = rank[i], b = rank[j];
    const int p = point[i], q = point[j];
    const bool after = a > b || (a == b && p > q);
    if (after != ascending) return;
    rank[i] = b;
    rank[j] = a;
    point[i] = q;
    point[j] = p;
  }

  // By (rank, point); `size` a power of two. The block has synchronised before, and does so at the end.
  EAT_DEVICE void sort(int size) const {
    for (int run = 2; run <= size; run *= 2) {
      for (int step = run / 2; step > 0; step /= 2) {
        for (int t = thread_x(); t < size / 2; t += kThreads) {
          const int i = 2 * t - (t & (step - 1));
          order(i, i + step, (i & run) == 0);
        }
        sync_block();
      }
    }
  }
};

}  // namespace eat::cuda
