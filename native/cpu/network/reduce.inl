// reduce: per task one block of the reduced axis (or several short outer rows); blocks are merged in order.

struct SumOf {
  static constexpr float start = 0;
  static EAT_ALWAYS_INLINE F lanes(F acc, F x) { return add(acc, x); }
  static double value(double acc, double x) { return acc + x; }
};
struct MaxOf {
  static constexpr float start = -std::numeric_limits<float>::infinity();
  static EAT_ALWAYS_INLINE F lanes(F acc, F x) { return select(mask_or(lt(acc, x), mask_not(eq(x, x))), x, acc); }
  static double value(double acc, double x) { return acc < x || x != x ? x : acc; }
};
struct MinOf {
  static constexpr float start = std::numeric_limits<float>::infinity();
  static EAT_ALWAYS_INLINE F lanes(F acc, F x) { return select(mask_or(lt(x, acc), mask_not(eq(x, x))), x, acc); }
  static double value(double acc, double x) { return x < acc || x != x ? x : acc; }
};

// One contiguous run of values.
template <class Op>
inline double reduce_run(const float* x, index_t size) {
  double result = Op::start;
  index_t i = 0;
  if (size >= 4 * W) {
    F acc[4] = {set1(Op::start), set1(Op::start), set1(Op::start), set1(Op::start)};
    for (; i + 4 * W <= size; i += 4 * W) {
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) acc[j] = Op::lanes(acc[j], load(x + i + j * W));
    }
    float lanes[W];
    store(lanes, Op::lanes(Op::lanes(acc[0], acc[1]), Op::lanes(acc[2], acc[3])));
    for (int lane = 0; lane < W; lane++) result = Op::value(result, lanes[lane]);
  }
  for (; i < size; i++) result = Op::value(result, x[i]);
  return result;
}

// `rows` rows of `inner` values, row by row into one.
template <class Op>
inline void reduce_rows(const float* x, index_t rows, index_t inner, float* out) {
  for_column_groups(inner, [&](auto group, index_t c) {
    constexpr int J = decltype(group)::vectors;
    F acc[J], v[J];
    for (int j = 0; j < J; j++) acc[j] = set1(Op::start);
    for (index_t r = 0; r < rows; r++) {
      group.read(x + r * inner + c, v);
#pragma GCC unroll 4
      for (int j = 0; j < J; j++) acc[j] = Op::lanes(acc[j], v[j]);
    }
    group.write(out + c, acc);
  });
}

template <class Op>
inline void reduce_block(const float* x, index_t rows, index_t inner, float* out) {
  if (inner == 1) *out = static_cast<float>(reduce_run<Op>(x, rows)); else reduce_rows<Op>(x, rows, inner, out);
}

template <class Op>
inline void reduce_as(const Run& run, const Reduce& p, double factor) {
  const index_t block = p.inner == 1 ? kElementsPerTask : block_rows(p.inner);
  const index_t blocks = ceil_div(p.reduced, block), size = p.reduced * p.inner;
  const index_t together = blocks > 1 ? 1 : std::max<index_t>(1, kElementsPerTask / size);
  const Buffer memory(blocks > 1 ? static_cast<size_t>(p.outer * blocks * p.inner) * sizeof(float) : 0);
  float* partial = blocks > 1 ? memory.as<float>() : p.out;
  parallel_for(run, ceil_div(p.outer, together) * blocks, [&](index_t task) {
    const index_t r0 = task % blocks * block, rows = std::min(block, p.reduced - r0);
    const index_t first = task / blocks * together, last = std::min(p.outer, first + together);
    for (index_t o = first; o < last; o++) {
      const index_t place = o * blocks + task % blocks;
      reduce_block<Op>(p.x + o * size + r0 * p.inner, rows, p.inner, partial + place * p.inner);
    }
  });
  if (blocks == 1 && factor == 1) return;
  for (index_t o = 0; o < p.outer; o++) {
    for (index_t i = 0; i < p.inner; i++) {
      const float* parts = partial + o * blocks * p.inner + i;
      double result = Op::start;
      for (index_t b = 0; b < blocks; b++) result = Op::value(result, parts[b * p.inner]);
      p.out[o * p.inner + i] = static_cast<float>(result * factor);
    }
  }
}

inline void reduce(const Run& run, const Reduce& p) {
  switch (p.op) {
    case ReduceOp::max: return reduce_as<MaxOf>(run, p, 1);
    case ReduceOp::mean: return reduce_as<SumOf>(run, p, 1 / static_cast<double>(p.reduced));
    case ReduceOp::min: return reduce_as<MinOf>(run, p, 1);
    case ReduceOp::sum: return reduce_as<SumOf>(run, p, 1);
  }
}
