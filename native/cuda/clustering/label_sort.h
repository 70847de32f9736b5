// Rows in the order of their labels, rows of a label in their own order: a counting sort whose cells are (label, chunk of rows).
#pragma once

#include "../host/device_buffer.h"

namespace eat::cuda {

// Where rows, labels and segments lie; see LabelSort.
struct LabelRanges {
  Span<const int> order;          // [n] rows, label by label
  Span<const int> starts;         // [k + 1] first place in `order` of each label
  Span<const int> first_segment;  // [k + 1] segments of kSegmentRows rows before each label's
};

class LabelSort {
 public:
  static constexpr index_t kSegmentRows = 1024;

  LabelSort(Stream& stream, index_t n, index_t k);
  LabelRanges sort(Stream& stream, Span<const int> labels);

  // At most; how many there are is known on the device only.
  index_t segments() const { return n_ / kSegmentRows + k_; }

 private:
  index_t n_, k_, chunk_, chunks_;
  DeviceBuffer<int> cells_, offsets_, order_, starts_, first_segment_;
};

}  // namespace eat::cuda
