// arg_reduce: as reduce, blocks of the reduced axis merged in order. Every block starts from the value at r = 0, so that what a
// NaN there decides is decided in all of them.

struct LargerOf {
  static EAT_ALWAYS_INLINE M lanes(F best, F x) { return lt(best, x); }
  static bool value(float best, float x) { return x > best; }
};
struct SmallerOf {
  static EAT_ALWAYS_INLINE M lanes(F best, F x) { return lt(x, best); }
  static bool value(float best, float x) { return x < best; }
};

struct Found {
  float value;
  index_t at;
};

// Of values [first, last) of one contiguous run, or 0.
template <class Op>
inline index_t arg_run(const float* x, index_t first, index_t last) {
  Found best = {x[0], 0};
  index_t r = first;
  if (last - first >= 4 * W) {
    F values = set1(x[0]);
    I places = iset1(0), here = iadd(iota(), iset1(static_cast<std::int32_t>(first)));
    for (; r + W <= last; r += W) {
      const F v = load(x + r);
      const M better = Op::lanes(values, v);
      values = select(better, v, values);
      places = iselect(better, here, places);
      here = iadd(here, iset1(W));
    }
    float value[W];
    std::int32_t place[W];
    store(value, values);
    istore(place, places);
    for (int lane = 0; lane < W; lane++) {
      const bool tie = value[lane] == best.value && place[lane] < best.at;
      if (tie || Op::value(best.value, value[lane])) best = {value[lane], place[lane]};
    }
  }
  for (; r < last; r++) {
    if (Op::value(best.value, x[r])) best = {x[r], r};
  }
  return best.at;
}

// Of rows [first, last) of `inner` values each, column by column.
template <class Op>
inline void arg_rows(const float* x, index_t first, index_t last, index_t inner, std::int32_t* out) {
  for_column_groups(inner, [&](auto group, index_t c) {
    constexpr int J = decltype(group)::vectors;
    F best[J], v[J];
    I places[J];
    group.read(x + c, best);
    for (int j = 0; j < J; j++) places[j] = iset1(0);
    for (index_t r = first; r < last; r++) {
      group.read(x + r * inner + c, v);
      const I here = iset1(static_cast<std::int32_t>(r));
#pragma GCC unroll 4
      for (int j = 0; j < J; j++) {
        const M better = Op::lanes(best[j], v[j]);
        best[j] = select(better, v[j], best[j]);
        places[j] = iselect(better, here, places[j]);
      }
    }
    for (int j = 0; j < J; j++) {
      std::int32_t place[W];
      istore(place, places[j]);
      std::memcpy(out + c + j * W, place, static_cast<size_t>(std::min<index_t>(W, inner - c - j * W)) * sizeof *place);
    }
  });
}

template <class Op>
inline void arg_reduce_as(const Run& run, const ArgReduce& p) {
  const index_t block = p.inner == 1 ? kElementsPerTask : block_rows(p.inner);
  const index_t blocks = ceil_div(p.reduced, block), size = p.reduced * p.inner;
  const index_t together = blocks > 1 ? 1 : std::max<index_t>(1, kElementsPerTask / size);
  const Buffer memory(blocks > 1 ? static_cast<size_t>(p.outer * blocks * p.inner) * sizeof(std::int32_t) : 0);
  std::int32_t* partial = blocks > 1 ? memory.as<std::int32_t>() : p.out;
  parallel_for(run, ceil_div(p.outer, together) * blocks, [&](index_t task) {
    const index_t r0 = task % blocks * block, r1 = std::min(p.reduced, r0 + block);
    const index_t first = task / blocks * together, last = std::min(p.outer, first + together);
    for (index_t o = first; o < last; o++) {
      const float* x = p.x + o * size;
      std::int32_t* out = partial + (o * blocks + task % blocks) * p.inner;
      if (p.inner == 1) *out = static_cast<std::int32_t>(arg_run<Op>(x, r0, r1)); else arg_rows<Op>(x, r0, r1, p.inner, out);
    }
  });
  if (blocks == 1) return;
  for (index_t o = 0; o < p.outer; o++) {
    for (index_t i = 0; i < p.inner; i++) {
      const float* x = p.x + o * size + i;
      std::int32_t best = partial[o * blocks * p.inner + i];
      for (index_t b = 1; b < blocks; b++) {
        const std::int32_t place = partial[(o * blocks + b) * p.inner + i];
        if (Op::value(x[best * p.inner], x[place * p.inner])) best = place;
      }
      p.out[o * p.inner + i] = best;
    }
  }
}

inline void arg_reduce(const Run& run, const ArgReduce& p) {
  if (p.op == ArgReduceOp::max) arg_reduce_as<LargerOf>(run, p); else arg_reduce_as<SmallerOf>(run, p);
}
