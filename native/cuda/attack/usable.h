// The scan of attacks' inputs, by the kernel that reads them anyway: per argument the first entry that is NaN or Inf, and the
// first place outside the box.
#pragma once

#include <algorithm>
#include <vector>

#include "../../contracts/common.h"
#include "../host/device_buffer.h"

namespace eat::cuda {

constexpr int kMaxScanned = 4;

// worst[a] = max over bad entries of argument a of size - index, so that the first wins in any order; 0 where all are fine.
struct Scan {
  Span<unsigned long long> worst;
  index_t size;
  bool finite;  // whether NaN and Inf are looked for

  EAT_DEVICE void note(int argument, index_t i) const { atomic_max(worst, argument, static_cast<unsigned long long>(size - i)); }
  EAT_DEVICE void require_finite(int argument, index_t i, float value) const {
    if (finite && !(value - value == 0.0f)) note(argument, i);
  }
};

// One tile's scan, and the exception it ends in. `arguments` are names in the order in which they are complained about, `boxed`
// is the last one's: it must lie in the box.
class ScanResult {
 public:
  ScanResult(Stream& stream, const Run& run, index_t size) : worst_(stream, kMaxScanned), size_(size), finite_(run.check_finite) {
    clear(stream, worst_.span());
  }
  Scan scan() { return {worst_.span(), size_, finite_}; }

  // Waits for the stream. Arguments 0 to count - 1 are finite or not, argument kMaxScanned - 1 is in the box or not.
  void check(Stream& stream, const char* const* arguments, int count, const char* boxed, index_t cols, index_t first_row) {
    unsigned long long found[kMaxScanned];
    download(stream, found, worst_.span(), kMaxScanned);
    const auto row = [&](int a) { return first_row + (size_ - static_cast<index_t>(found[a])) / cols; };
    for (int a = 0; a < count; a++) {
      if (found[a] > 0) throw NotFinite(arguments[a], row(a));
    }
    if (found[kMaxScanned - 1] > 0) throw OutsideBox(boxed, row(kMaxScanned - 1));
  }

 private:
  DeviceBuffer<unsigned long long> worst_;
  index_t size_;
  bool finite_;
};

// Where tiles put their results. Over an input they wait on the host until the last tile's scan is over: a call that throws
// leaves its inputs as they were.
class TiledOutput {
 public:
  TiledOutput(float* out, index_t size, bool over_input) : out_(out), size_(size), over_input_(over_input) {}
  float* place(index_t offset, index_t count) {
    if (!over_input_ || count == size_) return out_ + offset;
    held_.resize(static_cast<size_t>(size_));
    return held_.data() + offset;
  }
  void finish() { std::copy(held_.begin(), held_.end(), out_); }

 private:
  float* out_;
  index_t size_;
  bool over_input_;
  std::vector<float> held_;
};

}  // namespace eat::cuda
