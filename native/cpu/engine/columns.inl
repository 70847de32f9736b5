// Per-channel passes over [rows, channels]: channels in groups of vectors that stay in registers while rows go by.

// Rows of one block: about 32 KiB, so that a second pass over the block reads L1 or L2.
inline index_t block_rows(index_t channels) { return std::max<index_t>(1, 8192 / std::max<index_t>(1, channels)); }

// J vectors of channels side by side; the last one holds `tail` channels, W for a full one.
template <int J>
struct ColumnGroup {
  static constexpr int vectors = J;
  int tail;

  EAT_ALWAYS_INLINE void read(const float* p, F (&v)[J]) const {
#pragma GCC unroll 4
    for (int j = 0; j < J; j++) v[j] = J == 1 && tail < W ? load_partial(p, tail) : load(p + j * W);
  }
  EAT_ALWAYS_INLINE void write(float* p, const F (&v)[J]) const {
#pragma GCC unroll 4
    for (int j = 0; j < J; j++) {
      if (J == 1 && tail < W) store_partial(p, v[j], tail); else store(p + j * W, v[j]);
    }
  }
};

// body(group, first_channel) for groups of 4, 2 and 1 vectors that cover all channels.
template <class Body>
EAT_ALWAYS_INLINE void for_column_groups(index_t channels, Body&& body) {
  index_t c = 0;
  for (; c + 4 * W <= channels; c += 4 * W) body(ColumnGroup<4>{W}, c);
  if (c + 2 * W <= channels) body(ColumnGroup<2>{W}, c), c += 2 * W;
  for (; c < channels; c += W) body(ColumnGroup<1>{static_cast<int>(std::min<index_t>(W, channels - c))}, c);
}

// body(group, first_channel, first_row, last_row): all channels of a few rows, then those of the next few, so that memory is read in
// streams. What a body sums up over rows it keeps in (near) memory in between.
template <class Body>
EAT_ALWAYS_INLINE void for_row_strips(index_t first, index_t last, index_t channels, Body&& body) {
  constexpr index_t strip = 8;
  for (index_t r = first; r < last; r += strip) {
    const index_t end = std::min(last, r + strip);
    for_column_groups(channels, [&](auto group, index_t c) { body(group, c, r, end); });
  }
}
