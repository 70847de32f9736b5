// gather: rows of the result, each copied from where its index says.

inline void gather(const Run& run, const Gather& p) {
  const index_t rows = p.batch * p.outer * p.count, together = std::max<index_t>(1, kElementsPerTask / p.inner);
  const size_t bytes = static_cast<size_t>(p.inner) * sizeof(float);
  parallel_for(run, ceil_div(rows, together), [&](index_t task) {
    for (index_t row = task * together; row < std::min(rows, (task + 1) * together); row++) {
      const index_t block = row / p.count;  // of [batch, outer]
      const index_t index = p.indices[block / p.outer * p.count + row % p.count];
      float* out = p.out + row * p.inner;
      if (index < 0 || index >= p.size) std::memset(out, 0, bytes);
      else std::memcpy(out, p.x + (block * p.size + index) * p.inner, bytes);
    }
  });
}
