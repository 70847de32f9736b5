// Rows as variant 5 takes them. x s = x1 + x2 + r with halves x1, x2 and a power of two s of the row's own that brings its largest
// value to [2^14, 2^15): 2 x 11 bits as with TF32, at twice its rate. 128 rows x 64 dimensions of x1, then of x2, are a panel of
// 32 KiB, in the very layout that the products read from shared memory (wgmma_operand), so that one bulk copy brings it.
#pragma once

#include "prepared_rows.h"

namespace eat::cuda {

class SplitPanels {
 public:
  SplitPanels() = default;
  SplitPanels(Stream& stream, const PreparedRows& rows);

  Panels view() const { return {values_.view(), scales_.view()}; }

 private:
  DeviceBuffer<unsigned> values_;
  DeviceBuffer<float> scales_;
};

// Empty where the variant takes rows as they are.
inline SplitPanels split_for(int variant, Stream& stream, const PreparedRows& rows) {
  return variant == 5 ? SplitPanels(stream, rows) : SplitPanels();
}

}  // namespace eat::cuda
