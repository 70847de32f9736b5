// select: lane by lane where each value has a condition of its own, else row by row.

EAT_ALWAYS_INLINE M flags_set(const std::uint8_t* flags, int n) {
  std::int32_t lanes[W] = {};
  for (int lane = 0; lane < n; lane++) lanes[lane] = flags[lane];
  return ieq(iload(lanes), iset1(1));
}

inline void select_values(const Run& run, const Select& p) {
  for_ranges(run, p.rows, [&](index_t first, index_t last) {
    index_t i = first;
    for (; i + W <= last; i += W) store(p.out + i, select(flags_set(p.condition + i, W), load(p.t + i), load(p.e + i)));
    const int left = static_cast<int>(last - i);
    if (left == 0) return;
    const F chosen = select(flags_set(p.condition + i, left), load_partial(p.t + i, left), load_partial(p.e + i, left));
    store_partial(p.out + i, chosen, left);
  });
}

inline void select_rows(const Run& run, const Select& p) {
  const index_t together = std::max<index_t>(1, kElementsPerTask / p.inner);
  parallel_for(run, ceil_div(p.rows, together), [&](index_t task) {
    for (index_t r = task * together; r < std::min(p.rows, (task + 1) * together); r++) {
      const float* from = (p.condition[r] == 1 ? p.t : p.e) + r * p.inner;
      std::memcpy(p.out + r * p.inner, from, static_cast<size_t>(p.inner) * sizeof(float));
    }
  });
}

inline void select(const Run& run, const Select& p) {
  if (p.inner == 1) select_values(run, p); else select_rows(run, p);
}
