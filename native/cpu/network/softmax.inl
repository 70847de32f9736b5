// softmax: row by row; exponentials through the C library, value by value.

inline void softmax_row(const float* x, float* out, index_t cols) {
  const float largest = static_cast<float>(reduce_run<MaxOf>(x, cols));
  double sum = 0;
  for (index_t c = 0; c < cols; c++) {
    out[c] = std::exp(x[c] - largest);
    sum += out[c];
  }
  const F total = set1(static_cast<float>(sum));
  index_t c = 0;
  for (; c + W <= cols; c += W) store(out + c, div(load(out + c), total));
  const int left = static_cast<int>(cols - c);
  if (left > 0) store_partial(out + c, div(load_partial(out + c, left), total), left);
}

inline void softmax(const Run& run, const Softmax& p) {
  // An exponential costs about as much as ten other values.
  const index_t together = std::max<index_t>(1, kElementsPerTask / 8 / p.cols);
  parallel_for(run, ceil_div(p.rows, together), [&](index_t task) {
    for (index_t r = task * together; r < std::min(p.rows, (task + 1) * together); r++) {
      softmax_row(p.x + r * p.cols, p.out + r * p.cols, p.cols);
    }
  });
}
