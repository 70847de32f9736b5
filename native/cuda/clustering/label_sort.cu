#include "label_sort.h"

namespace eat::cuda {
namespace {
constexpr int kThreads = 256, kEach = 8, kScan = kThreads * kEach;  // values a block scans
}

// Cells: how many rows of a chunk have a label. Sums of ones are the same in any order.
EAT_GLOBAL void count_labels(Span<const int> labels, Span<int> cells, index_t chunk, index_t chunks) {
  const index_t row = static_cast<index_t>(block_x()) * block_dim_x() + thread_x();
  if (row < labels.size) atomic_add(cells, labels[row] * chunks + row / chunk, 1);
}

// Sum over the threads before this one, and over all in `total`. Two barriers.
EAT_DEVICE int scan_of_block(int value, Shared<int> of_warps, int& total) {
  int sum = value;
  for (int step = 1; step < kWarp; step *= 2) {
    const int before = shuffle_up(sum, step);
    if (lane() >= step) sum += before;
  }
  if (lane() == kWarp - 1) of_warps[warp()] = sum;
  sync_block();
  int before = 0;
  total = 0;
  for (int w = 0; w < kThreads / kWarp; w++) {
    const int of_warp = of_warps[w];
    if (w < warp()) before += of_warp;
    total += of_warp;
  }
  sync_block();  // of_warps may be written again
  return before + sum - value;
}

// Each block's values become the sums of those before them in the block; its total goes to `totals`.
EAT_GLOBAL void scan_blocks(Span<int> values, Span<int> totals) {
  EAT_SHARED(int, of_warps, kThreads / kWarp);
  const index_t begin = static_cast<index_t>(block_x()) * kScan + thread_x() * kEach;
  int own[kEach], sum = 0, total = 0;
  for (int i = 0; i < kEach; i++) {
    own[i] = begin + i < values.size ? values[begin + i] : 0;
    sum += own[i];
  }
  int running = scan_of_block(sum, of_warps, total);
  for (int i = 0; i < kEach; i++) {
    if (begin + i < values.size) values[begin + i] = running;
    running += own[i];
  }
  if (thread_x() == 0) totals[block_x()] = total;
}

// One block; the totals become the sums of those before them.
EAT_GLOBAL void scan_totals(Span<int> totals) {
  EAT_SHARED(int, of_warps, kThreads / kWarp);
  int carried = 0;
  for (index_t begin = 0; begin < totals.size; begin += kThreads) {
    const index_t i = begin + thread_x();
    int total = 0;
    const int before = scan_of_block(i < totals.size ? totals[i] : 0, of_warps, total);
    if (i < totals.size) totals[i] = carried + before;
    carried += total;
  }
}

// One block: where each label begins, and how many segments are before its own.
EAT_GLOBAL void find_ranges(Span<const int> cells, Span<const int> offsets, index_t n, index_t k, index_t chunks, Span<int> starts,
                            Span<int> first_segment) {
  EAT_SHARED(int, of_warps, kThreads / kWarp);
  const auto start_of = [&](index_t label) {
    return label < k ? cells[label * chunks] + offsets[label * chunks / kScan] : static_cast<int>(n);
  };
  int carried = 0;
  for (index_t begin = 0; begin < k + 1; begin += kThreads) {
    const index_t label = begin + thread_x();
    const int start = label <= k ? start_of(label) : 0;
    constexpr int rows = static_cast<int>(LabelSort::kSegmentRows);
    const int segments = label < k ? (start_of(label + 1) - start + rows - 1) / rows : 0;
    int total = 0;
    const int before = scan_of_block(segments, of_warps, total);
    if (label <= k) {
      starts[label] = start;
      first_segment[label] = carried + before;
    }
    carried += total;
  }
}

// One warp per chunk takes its rows in order, 32 at a time: a row's place is its cell's next, after the lanes before it that have
// the same label.
EAT_GLOBAL void place_rows(Span<const int> labels, Span<int> cells, Span<const int> offsets, index_t chunk, index_t chunks,
                           Span<int> order) {
  const index_t own = static_cast<index_t>(block_x());
  const index_t end = (own + 1) * chunk < labels.size ? (own + 1) * chunk : labels.size;
  for (index_t begin = own * chunk; begin < end; begin += kWarp) {
    const index_t row = begin + lane();
    const int label = row < end ? labels[row] : -1;
    int rank = 0, same = 0;
    for (int other = 0; other < kWarp; other++) {
      const bool equal = shuffle(label, other) == label;
      same += equal ? 1 : 0;
      rank += equal && other < lane() ? 1 : 0;
    }
    const index_t cell = label < 0 ? 0 : label * chunks + own;
    const int place = label < 0 ? 0 : cells[cell] + offsets[cell / kScan] + rank;
    sync_warp();
    if (label >= 0) order[place] = static_cast<int>(row);
    if (label >= 0 && rank == same - 1) cells[cell] = cells[cell] + same;
    sync_warp();
  }
}

LabelSort::LabelSort(Stream& stream, index_t n, index_t k)
    // At least 256 rows a chunk, and at most about 2^24 cells.
    : n_(n), k_(k), chunk_(n * k >> 24 > 256 ? n * k >> 24 : 256), chunks_((n + chunk_ - 1) / chunk_),
      cells_(stream, k * chunks_), offsets_(stream, (k * chunks_ + kScan - 1) / kScan), order_(stream, n), starts_(stream, k + 1),
      first_segment_(stream, k + 1) {}

LabelRanges LabelSort::sort(Stream& stream, Span<const int> labels) {
  const auto blocks = [](index_t count) { return Grid{static_cast<unsigned>(count), 1, 1}; };
  clear(stream, cells_.span());
  launch(count_labels, blocks((n_ + kThreads - 1) / kThreads), kThreads, 0, stream, labels, cells_.span(), chunk_, chunks_);
  launch(scan_blocks, blocks(offsets_.size()), kThreads, 0, stream, cells_.span(), offsets_.span());
  launch(scan_totals, blocks(1), kThreads, 0, stream, offsets_.span());
  launch(find_ranges, blocks(1), kThreads, 0, stream, cells_.view(), offsets_.view(), n_, k_, chunks_, starts_.span(),
         first_segment_.span());
  launch(place_rows, blocks(chunks_), kWarp, 0, stream, labels, cells_.span(), offsets_.view(), chunk_, chunks_, order_.span());
  return {order_.view(), starts_.view(), first_segment_.view()};
}

}  // namespace eat::cuda
