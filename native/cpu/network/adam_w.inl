// adam_w: one pass over all operands.

inline void adam_w(const Run& run, const AdamW& p) {
  const F beta1 = set1(static_cast<float>(p.beta1)), rest1 = set1(static_cast<float>(1 - p.beta1));
  const F beta2 = set1(static_cast<float>(p.beta2)), rest2 = set1(static_cast<float>(1 - p.beta2));
  const F kept = set1(p.kept), rate = set1(p.rate), floor = set1(p.floor);
  for_ranges(run, p.size, [&](index_t begin, index_t end) {
    for (index_t i = begin; i < end; i += W) {
      const int n = static_cast<int>(std::min<index_t>(W, end - i));
      const F g = load_partial(p.gradient + i, n);
      const F first = fma(rest1, g, mul(beta1, load_partial(p.first + i, n)));
      const F second = fma(rest2, mul(g, g), mul(beta2, load_partial(p.second + i, n)));
      const F direction = div(first, add(sqrt(second), floor));
      store_partial(p.out_weights + i, fnma(rate, direction, mul(kept, load_partial(p.weights + i, n))), n);
      store_partial(p.out_first + i, first, n);
      store_partial(p.out_second + i, second, n);
    }
  });
}
