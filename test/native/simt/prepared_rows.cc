// How many atomics the rows' preparation costs: a GPU does those on one address one after the other.
#include "../../../native/cuda/distance/prepared_rows.cu"

#include "harness.h"

namespace simt_test {

constexpr index_t kRows = 803, kBlocks = 101, kDimensions = 5;  // eight rows a block

// Global atomics of preparing `values`, and what `finite` says of them.
static uint64_t atomics(const std::vector<float>& values, FindExtremes find, bool finite) {
  Stream stream;
  const uint64_t before = eat::simt::global_atomics;
  PreparedRows rows(eat::Run{}, stream, values.data(), kRows, kDimensions, find);
  const uint64_t count = eat::simt::global_atomics - before;
  require(rows.finite(stream) == finite, "finite, or not, is not seen");
  if (find == FindExtremes::yes) {
    unsigned long long found[Extremes::size];
    cuda_memcpy_async(found, rows.extremes().data, sizeof found, stream.handle());
    double largest = 0;
    for (index_t i = 0; i < kRows; i++) {
      double sum = 0;
      for (index_t k = 0; k < kDimensions; k++) sum += static_cast<double>(values[i * kDimensions + k]) * values[i * kDimensions + k];
      largest = sum > largest ? sum : largest;
    }
    require(found[Extremes::largest] == double_bits(largest) && found[Extremes::unusable] == 0, "the largest norm is another");
  }
  return count;
}

static const Add prepared_row_cases[] = {
    {"extremes: an atomic per block", {}, [] { require(atomics(counting(kRows * kDimensions), FindExtremes::yes, true) == kBlocks, "not one per block"); }},
    {"extremes that nobody reads: no atomic", {}, [] { require(atomics(counting(kRows * kDimensions), FindExtremes::no, true) == 0, "not none"); }},
    {"rows that are not finite: an atomic per block", {}, [] {
       const std::vector<float> bad(kRows * kDimensions, INFINITY);
       require(atomics(bad, FindExtremes::no, false) == kBlocks, "not one per block");
     }},
};

}  // namespace simt_test
