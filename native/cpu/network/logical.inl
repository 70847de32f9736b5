// logical: plain loops over bytes, which the compiler turns into vectors.

inline void logical(const Run& run, const Logical& p) {
  for_ranges(run, p.size, [&](index_t first, index_t last) {
    const std::uint8_t *a = p.a, *b = p.b;
    std::uint8_t* out = p.out;
    switch (p.op) {
      case LogicalOp::logical_and: for (index_t i = first; i < last; i++) out[i] = a[i] & b[i]; break;
      case LogicalOp::logical_not: for (index_t i = first; i < last; i++) out[i] = a[i] ^ 1; break;
      case LogicalOp::logical_or: for (index_t i = first; i < last; i++) out[i] = a[i] | b[i]; break;
    }
  });
}
