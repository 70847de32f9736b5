// The best two columns of a row, and how a block finds them: per thread while the tiles go by, then over the threads of a row.
#pragma once

#include "../device/simt.h"

namespace eat::cuda {

struct NearestTwo {
  float best = INFINITY, second = INFINITY;
  int label = 0, second_label = 0;

  // Columns come in ascending order, so that the lowest stays at a tie. NaN never wins.
  EAT_DEVICE void see(float value, int column) {
    if (value < best) {
      second = best;
      second_label = label;
      best = value;
      label = column;
    } else if (value < second) {
      second = value;
      second_label = column;
    }
  }

  // In any order: by (value, column).
  EAT_DEVICE void merge(float value, int column) {
    if (value < best || (value == best && column < label)) {
      second = best;
      second_label = label;
      best = value;
      label = column;
    } else if (value < second || (value == second && column < second_label)) {
      second = value;
      second_label = column;
    }
  }
};

// Room in shared memory for what the threads of a tile found; the tile's own room is used again.
template <class Engine>
struct NearestTwoExchange {
  static constexpr int kPerRow = Engine::N / Engine::C, kEntries = Engine::M * kPerRow;
  static constexpr int kSharedFloats = 4 * kEntries;

  // The threads of a row leave theirs at row * kPerRow + which of them; `column(0)` tells them apart.
  static EAT_DEVICE void write(Shared<float> shared, const NearestTwo (&found)[Engine::R]) {
    const Shared<int> labels = shared.part(2 * kEntries).template as<int>();
#pragma unroll
    for (int i = 0; i < Engine::R; i++) {
      const int at = Engine::row(i) * kPerRow + Engine::place_in_row();
      shared[at] = found[i].best;
      shared[kEntries + at] = found[i].second;
      labels[at] = found[i].label;
      labels[kEntries + at] = found[i].second_label;
    }
  }

  // After a barrier.
  static EAT_DEVICE NearestTwo read(Shared<float> shared, int row) {
    const Shared<int> labels = shared.part(2 * kEntries).template as<int>();
    NearestTwo two;
    for (int i = 0; i < kPerRow; i++) {
      const int at = row * kPerRow + (i + row) % kPerRow;  // neighbours start at different banks
      const float best = shared[at], second = shared[kEntries + at];
      const int label = labels[at], second_label = labels[kEntries + at];
      two.merge(best, label);
      two.merge(second, second_label);
    }
    return two;
  }
};

}  // namespace eat::cuda
