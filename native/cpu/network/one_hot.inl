// one_hot: rows are filled, then one value of each is set.

inline void one_hot(const Run& run, const OneHot& p) {
  const index_t together = std::max<index_t>(1, kElementsPerTask / p.depth);
  parallel_for(run, ceil_div(p.rows, together), [&](index_t task) {
    const index_t first = task * together, last = std::min(p.rows, first + together);
    std::fill(p.out + first * p.depth, p.out + last * p.depth, p.off);
    for (index_t r = first; r < last; r++) {
      if (p.indices[r] >= 0 && p.indices[r] < p.depth) p.out[r * p.depth + p.indices[r]] = p.on;
    }
  });
}
