// compare_values: rows of the innermost axis as in binary; a mask of lanes becomes bytes of 0 and 1.

// The first n lanes of a mask as bytes. Byte j of the product with 0x0101... holds all of 8 lanes' bits, of which its own is kept
// and carried down to bit 0.
EAT_ALWAYS_INLINE void store_flags(std::uint8_t* p, M m, int n) {
  const unsigned lanes = bits(m);
  for (int j = 0; j < n; j += 8) {
    std::uint64_t flags = (lanes >> j & 0xff) * 0x0101010101010101u & 0x8040201008040201u;
    flags = (flags + 0x7f7f7f7f7f7f7f7fu) >> 7 & 0x0101010101010101u;
    std::memcpy(p + j, &flags, static_cast<size_t>(std::min(8, n - j)));
  }
}

template <int A, int B, class Op>
EAT_ALWAYS_INLINE void compare_row(const float* a, const float* b, std::uint8_t* out, index_t size, Op& op) {
  index_t i = 0;
  for (; i + W <= size; i += W) store_flags(out + i, op(operand<A>(a, i), operand<B>(b, i)), W);
  const int left = static_cast<int>(size - i);
  if (left > 0) store_flags(out + i, op(operand_partial<A>(a, i, left), operand_partial<B>(b, i, left)), left);
}

template <int A, int B, class Op>
inline void compare_range(const CompareValues& p, index_t first, index_t last, Op& op) {
  for_broadcast_rows(p, first, last, [&](const float* a, const float* b, index_t i, index_t size) {
    compare_row<A, B>(a, b, p.out + i, size, op);
  });
}

template <class Op>
inline void compare_lanes(const Run& run, const CompareValues& p, Op&& op) {
  const index_t size = p.shape[0] * p.shape[1] * p.shape[2] * p.shape[3];
  for_ranges(run, size, [&](index_t first, index_t last) {
    if (p.a_stride[3] == 0 && p.b_stride[3] == 0) return compare_range<0, 0>(p, first, last, op);
    if (p.a_stride[3] == 0) return compare_range<0, 1>(p, first, last, op);
    if (p.b_stride[3] == 0) return compare_range<1, 0>(p, first, last, op);
    return compare_range<1, 1>(p, first, last, op);
  });
}

inline void compare_values(const Run& run, const CompareValues& p) {
  switch (p.op) {
    case CompareOp::equal: return compare_lanes(run, p, [&](F a, F b) { return eq(a, b); });
    case CompareOp::greater: return compare_lanes(run, p, [&](F a, F b) { return lt(b, a); });
    case CompareOp::greater_equal: return compare_lanes(run, p, [&](F a, F b) { return le(b, a); });
    case CompareOp::less: return compare_lanes(run, p, [&](F a, F b) { return lt(a, b); });
    case CompareOp::less_equal: return compare_lanes(run, p, [&](F a, F b) { return le(a, b); });
    case CompareOp::not_equal: return compare_lanes(run, p, [&](F a, F b) { return mask_not(eq(a, b)); });
  }
}
