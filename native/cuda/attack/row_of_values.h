// A row of doubles that a thread, a warp or a block works on, with sums in an order that the row's length alone decides. A source
// gives the row: value(i), a double made from its inputs, and bound(i), the float its bounds are counted from.
#pragma once

#include <cmath>

#include "../device/simt.h"

namespace eat::cuda {

struct Pair {
  double first, second;
};

// Of all of the block's threads, the same bits in each. Threads is a multiple of 32, or 1.
template <int Threads>
class BlockReduction {
 public:
  template <class Merge>
  EAT_DEVICE Pair operator()(Pair own, Merge merge) {
    if constexpr (Threads > 1) {
#pragma unroll
      for (int mask = 16; mask > 0; mask /= 2) {
        own = merge(own, Pair{shuffle_xor(own.first, mask), shuffle_xor(own.second, mask)});
      }
    }
    if constexpr (Threads > 32) own = across_warps(own, merge);
    return own;
  }

 private:
  // Two sets of places in turns: one barrier per reduction is enough.
  template <class Merge>
  EAT_DEVICE Pair across_warps(Pair own, Merge merge) {
    constexpr int warps = Threads / 32;
    EAT_SHARED(double, parts, 4 * warps);
    const int base = turn_ * 2 * warps;
    turn_ ^= 1;
    if (lane() == 0) {
      parts[base + 2 * warp()] = own.first;
      parts[base + 2 * warp() + 1] = own.second;
    }
    sync_block();
    Pair total{parts[base], parts[base + 1]};
#pragma unroll
    for (int w = 1; w < warps; w++) total = merge(total, Pair{parts[base + 2 * w], parts[base + 2 * w + 1]});
    return total;
  }

  int turn_ = 0;
};

// Per > 0: a thread keeps its Per values (Threads * Per >= d) in registers. Per == 0: it makes them anew in each pass.
template <int Threads, int Per, class Source>
class RowOfValues {
 public:
  EAT_DEVICE RowOfValues(const Source& source, index_t d, BlockReduction<Threads>& reduction)
      : source_(source), d_(d), reduction_(reduction) {
    const int count = static_cast<int>(d);  // 32 bits are enough where a row is held, and save registers
#pragma unroll
    for (int j = 0; j < Per; j++) {
      const int i = thread_x() + j * Threads;
      value_[j] = i < count ? source.value(i) : 0;
      bound_[j] = i < count ? source.bound(i) : 0;
    }
  }
  EAT_DEVICE index_t size() const { return d_; }

  // visit(i, value, bound) for the thread's elements, in order.
  template <class Visit>
  EAT_DEVICE void each(Visit visit) const {
    if constexpr (Per > 0) {
      const int count = static_cast<int>(d_);
#pragma unroll
      for (int j = 0; j < Per; j++) {
        const int i = thread_x() + j * Threads;
        if (i < count) visit(i, value_[j], bound_[j]);
      }
    } else {
      for (index_t i = Threads == 1 ? 0 : thread_x(); i < d_; i += Threads) visit(i, source_.value(i), source_.bound(i));
    }
  }

  // Two sums over the row; add(sums, value, bound) adds one element's part.
  template <class Add>
  EAT_DEVICE Pair sums(Add add) {
    Pair own{0, 0};
    each([&](index_t, double value, float bound) { add(own, value, bound); });
    return reduction_(own, [](Pair a, Pair b) { return Pair{a.first + b.first, a.second + b.second}; });
  }
  EAT_DEVICE double largest_magnitude() {
    Pair own{0, 0};
    each([&](index_t, double value, float) { own.first = fmax(own.first, fabs(value)); });
    return reduction_(own, [](Pair a, Pair b) { return Pair{fmax(a.first, b.first), 0}; }).first;
  }

 private:
  Source source_;
  index_t d_;
  BlockReduction<Threads>& reduction_;
  double value_[Per > 0 ? Per : 1];
  float bound_[Per > 0 ? Per : 1];
};

}  // namespace eat::cuda
