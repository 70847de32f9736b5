// Sums by label on the device: the same segments of 1024 rows as on the CPU, each in double and in the order of its rows, then
// the segments of a label in order. No sum depends on the grid, so the bits never change.
#pragma once

#include "label_sort.h"

namespace eat::cuda {

// Columns [offset, offset + width) of rows that are `stride` values apart.
struct Columns {
  Span<const float> values;
  index_t stride, offset, width;
};

class LabelMeans {
 public:
  LabelMeans(Stream& stream, index_t n, index_t k, index_t width);

  // sums [k, width], counts [k] and, unless empty, means [k, width]; empty weights mean 1.
  void compute(Stream& stream, Columns points, Span<const int> labels, Span<const float> weights, Span<double> sums,
               Span<double> counts, Span<float> means);

  // Device bytes per column and besides, at most.
  static index_t bytes_per_column(index_t n, index_t k) { return n * 4 + (n / LabelSort::kSegmentRows + 3 * k) * 8; }

 private:
  index_t k_, width_;
  LabelSort sort_;
  DeviceBuffer<double> parts_, part_weights_;
};

}  // namespace eat::cuda
