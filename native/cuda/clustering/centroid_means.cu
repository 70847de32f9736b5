#include "centroid_means.h"

#include <cmath>
#include <vector>

#include "../../contracts/clustering/centroid_means.h"
#include "../host/device_input.h"
#include "../host/finite.h"
#include "../host/tiles.h"

namespace eat::cuda {
namespace {
constexpr int kColumns = 128;  // of a block, one per thread
}

struct SegmentArguments {
  Columns points;
  Span<const float> weights;
  Span<const int> order, starts, first_segment;
  index_t k;
  Span<double> parts, part_weights;
};

// The label whose segments hold `segment`.
EAT_DEVICE index_t label_of_segment(Span<const int> first_segment, index_t k, int segment) {
  index_t low = 0, high = k - 1;
  while (low < high) {
    const index_t middle = (low + high + 1) / 2;
    if (first_segment[middle] <= segment) low = middle; else high = middle - 1;
  }
  return low;
}

// Block (segment, columns): a thread sums one column of the segment's rows.
EAT_GLOBAL void sum_segments(SegmentArguments a) {
  const int segment = static_cast<int>(block_x());
  if (segment >= a.first_segment[a.k]) return;
  const index_t label = label_of_segment(a.first_segment, a.k, segment);
  constexpr int rows = static_cast<int>(LabelSort::kSegmentRows);
  const int begin = a.starts[label] + (segment - a.first_segment[label]) * rows, last = a.starts[label + 1];
  const int end = begin + rows < last ? begin + rows : last;
  const index_t column = static_cast<index_t>(block_y()) * kColumns + thread_x();
  const bool weighted = a.weights.size > 0, own = column < a.points.width;
  double sum = 0, weight = 0;
  for (int at = begin; at < end; at++) {
    const index_t row = a.order[at];
    const double w = weighted ? a.weights[row] : 1.0f;
    if (own) sum = fma(static_cast<double>(a.points.values[row * a.points.stride + a.points.offset + column]), w, sum);
    weight += w;
  }
  if (own) a.parts[segment * a.points.width + column] = sum;
  if (column == 0) a.part_weights[segment] = weight;
}

// A thread per label and column adds the segments in order.
EAT_GLOBAL void merge_segments(Span<const double> parts, Span<const double> part_weights, Span<const int> first_segment,
                               index_t width, Span<double> sums, Span<double> counts, Span<float> means) {
  const index_t e = static_cast<index_t>(block_x()) * block_dim_x() + thread_x();
  if (e >= sums.size) return;
  const index_t label = e / width, column = e - label * width;
  double sum = 0, count = 0;
  for (int segment = first_segment[label]; segment < first_segment[label + 1]; segment++) {
    sum += parts[segment * width + column];
    count += part_weights[segment];
  }
  sums[e] = sum;
  if (column == 0) counts[label] = count;
  if (means.size > 0) means[e] = count > 0 ? static_cast<float>(sum / count) : 0.0f;
}

LabelMeans::LabelMeans(Stream& stream, index_t n, index_t k, index_t width)
    : k_(k), width_(width), sort_(stream, n, k), parts_(stream, sort_.segments() * width), part_weights_(stream, sort_.segments()) {}

void LabelMeans::compute(Stream& stream, Columns points, Span<const int> labels, Span<const float> weights, Span<double> sums,
                         Span<double> counts, Span<float> means) {
  const LabelRanges ranges = sort_.sort(stream, labels);
  const Grid segments{static_cast<unsigned>(sort_.segments()), static_cast<unsigned>((width_ + kColumns - 1) / kColumns), 1};
  launch(sum_segments, segments, kColumns, 0, stream,
         SegmentArguments{points, weights, ranges.order, ranges.starts, ranges.first_segment, k_, parts_.span(), part_weights_.span()});
  launch(merge_segments, Grid{static_cast<unsigned>((k_ * width_ + 255) / 256), 1, 1}, 256, 0, stream, parts_.view(),
         part_weights_.view(), ranges.first_segment, width_, sums, counts, means);
}

namespace {

// One matrix of the contract, columns [first, first + width) of it: all, where these fit.
class MeansOfMatrix {
 public:
  MeansOfMatrix(const Run& run, const CentroidMeans& p, index_t batch) : run_(run), p_(p), batch_(batch) {}

  void columns(index_t first, index_t width) {
    const index_t n = p_.points.rows, k = p_.k, d = p_.points.cols;
    const float* rows = p_.points.data + batch_ * n * d;
    Stream stream;
    const bool whole = width == d || ResidentMemory::instance().holds(rows);
    const DeviceInput<float> points =
        whole ? DeviceInput<float>(run_, stream, rows, n * d) : DeviceInput<float>(run_, stream, gather(rows, first, width), n * width);
    const Columns columns{points.span(), whole ? d : width, whole ? first : 0, width};
    if (whole) check_finite(run_, stream, points.span(), d, batch_ * n, "points");
    const DeviceInput<std::int32_t> labels(run_, stream, p_.labels + batch_ * n, n);
    const DeviceInput<float> weights(run_, stream, p_.weights == nullptr ? nullptr : p_.weights + batch_ * n, n);
    DeviceBuffer<double> sums(stream, k * width), counts(stream, k);
    DeviceBuffer<float> means(stream, k * width);
    LabelMeans(stream, n, k, width).compute(stream, columns, labels.span(), weights.span(), sums.span(), counts.span(), means.span());
    if (p_.sums != nullptr) take(stream, sums, p_.sums + batch_ * k * d, first, width);
    take(stream, means, p_.means + batch_ * k * d, first, width);
    download(stream, p_.counts + batch_ * k, counts.span(), k);
  }

 private:
  // Some columns of rows that are on the host; scanned here, since a row's other columns are elsewhere.
  const float* gather(const float* rows, index_t first, index_t width) {
    const index_t n = p_.points.rows, d = p_.points.cols;
    gathered_.resize(static_cast<size_t>(n * width));
    for (index_t i = 0; i < n; i++) {
      for (index_t j = 0; run_.check_finite && first == 0 && j < d; j++) {
        if (!std::isfinite(rows[i * d + j])) throw NotFinite("points", batch_ * n + i);
      }
      std::copy(rows + i * d + first, rows + i * d + first + width, gathered_.begin() + i * width);
    }
    return gathered_.data();
  }

  // Columns of a result into the host's [k, d].
  template <class T>
  void take(Stream& stream, DeviceBuffer<T>& from, T* to, index_t first, index_t width) {
    const index_t k = p_.k, d = p_.points.cols;
    if (width == d) return download(stream, to, from.span(), k * d);
    std::vector<T> values(static_cast<size_t>(k * width));
    download(stream, values.data(), from.span(), k * width);
    for (index_t c = 0; c < k; c++) std::copy_n(values.begin() + c * width, width, to + c * d + first);
  }

  const Run& run_;
  const CentroidMeans& p_;
  index_t batch_;
  std::vector<float> gathered_;
};

}  // namespace

// Tiles are of columns: those of rows would change the order of the sums.
void centroid_means(const Run& run, const CentroidMeans& p) {
  const index_t bytes = LabelMeans::bytes_per_column(p.points.rows, p.k);
  for_row_tiles(run, p.points.batch, p.points.cols, bytes,
                [&](index_t batch, index_t first, index_t width) { MeansOfMatrix(run, p, batch).columns(first, width); });
}

}  // namespace eat::cuda
