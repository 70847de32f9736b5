// strided_copy: rows of the last axis; bits are moved, never interpreted.

inline void copy_row(const float* x, index_t x_stride, float* out, index_t out_stride, index_t size) {
  if (x_stride == 1 && out_stride == 1) {
    std::memcpy(out, x, static_cast<size_t>(size) * sizeof(float));
  } else {
    for (index_t i = 0; i < size; i++) std::memcpy(out + i * out_stride, x + i * x_stride, sizeof(float));
  }
}

inline void strided_copy(const Run& run, const StridedCopy& p) {
  constexpr int last = StridedCopy::axes - 1;
  index_t rows = 1;
  for (int axis = 0; axis < last; axis++) rows *= p.shape[axis];
  const index_t width = p.shape[last];
  // A long row is cut too: its pieces are tasks of their own.
  const index_t piece = std::min(width, kElementsPerTask), pieces = ceil_div(width, piece);
  const index_t together = std::max<index_t>(1, kElementsPerTask / width);
  parallel_for(run, ceil_div(rows, together) * pieces, [&](index_t task) {
    const index_t first = task / pieces * together, start = task % pieces * piece;
    for (index_t row = first; row < std::min(rows, first + together); row++) {
      index_t from = p.x_offset + start * p.x_stride[last], to = p.out_offset + start * p.out_stride[last], rest = row;
      for (int axis = last - 1; axis >= 0; axis--) {
        from += rest % p.shape[axis] * p.x_stride[axis];
        to += rest % p.shape[axis] * p.out_stride[axis];
        rest /= p.shape[axis];
      }
      copy_row(p.x + from, p.x_stride[last], p.out + to, p.out_stride[last], std::min(piece, width - start));
    }
  });
}
