// Rows of a matrix as the distance kernels take them: zero-padded to a multiple of 16 dimensions, where they are not of such a
// length already, with their squared norms in double and what the whole matrix is like.
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>

#include "../device/plain_tiles.h"
#include "../host/device_input.h"
#include "../host/finite.h"
#include "../host/tiles.h"
#include "distance_rows.h"

namespace eat::cuda {

// Whether `extremes()` of the rows will be read by a kernel: of those that others are compared with, which are few. Of a million
// points nobody asks for the largest norm, and finding it costs every block an atomic on one address.
enum class FindExtremes { no, yes };

class PreparedRows {
 public:
  // `from`: a contract's rows, on the host or on the device.
  PreparedRows(const Run& run, Stream& stream, const float* from, index_t rows, index_t d, FindExtremes find = FindExtremes::no)
      : PreparedRows(stream, DeviceInput<float>(run, stream, from, rows * d), rows, d, find) {}
  PreparedRows(Stream& stream, DeviceInput<float> from, index_t rows, index_t d, FindExtremes find)
      : PreparedRows(stream, from.span(), rows, d, find) {
    if (padded_.size() == 0) owned_ = std::move(from);
  }
  // Rows that are on the device and stay there as long as this.
  PreparedRows(Stream& stream, Span<const float> from, index_t rows, index_t d, FindExtremes find = FindExtremes::no)
      : rows(rows), d(d), depth((d + kSlice - 1) / kSlice * kSlice), find_(find), from_(from), norms_(stream, rows),
        inverse_norms_(stream, rows), extremes_(stream, Extremes::size) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(from.data) % 16 == 0;
    if (depth != d || !aligned) padded_ = DeviceBuffer<float>(stream, rows * depth);
    prepare(stream, from);
  }

  // Again, for other values in the same place and number.
  void prepare(Stream& stream, Span<const float> from);

  Span<const float> values() const { return padded_.size() > 0 ? padded_.view() : from_; }
  Span<const double> norms() const { return norms_.view(); }
  // For cosine: 1 / |x|, 0 for a zero row, NaN where float's range does not do. Once per row: double is slow on most GPUs.
  Span<const float> inverse_norms() const { return inverse_norms_.view(); }
  Span<const unsigned long long> extremes() const {
    if (find_ == FindExtremes::no) throw std::logic_error("The extremes of these rows were not asked for.");
    return extremes_.view();
  }

  // Waits for the device.
  bool finite(Stream& stream) {
    unsigned long long found[Extremes::size];
    download(stream, found, extremes_.span(), Extremes::size);
    return found[Extremes::not_finite] == 0;
  }

  index_t rows, d, depth;

 private:
  FindExtremes find_;
  DeviceInput<float> owned_;
  DeviceBuffer<float> padded_;
  Span<const float> from_;
  DeviceBuffer<double> norms_;
  DeviceBuffer<float> inverse_norms_;
  DeviceBuffer<unsigned long long> extremes_;
};

// Throws for the first row, in order, of `m` that is not finite; for when one is known to be among the arguments.
inline void throw_first_not_finite(const Run& run, Stream& stream, const MatrixView& m, const char* name) {
  for (index_t b = 0; b < m.batch; b++) {
    const DeviceInput<float> matrix(run, stream, m.data + b * m.rows * m.cols, m.rows * m.cols);
    check_finite(run, stream, matrix.span(), m.cols, b * m.rows, name);
  }
}

}  // namespace eat::cuda
