// Products whose k is long and whose output is small: fixed ranges of k, cut by the shape alone, give partial sums that are added in
// order. Blocks of both operands are packed step by step of k, and lie in L2 with the tiles that they add to; meanwhile the next
// step's values are fetched.

// One product, cut into ranges of k and blocks of MR-row strips and NR-column panels.
template <class A, class B>
struct Split {
  static constexpr index_t tile = MR * NR, step = KC / 2;
  static constexpr index_t side = 256;  // rows and columns of a block, at most

  const A& a;
  const B& b;
  index_t rows, columns, depth, strips, panels, high, wide, down, across, range, ranges;

  Split(const A& a, index_t rows, const B& b, index_t columns, index_t depth)
      : a(a), b(b), rows(rows), columns(columns), depth(depth), strips(ceil_div(rows, MR)), panels(ceil_div(columns, NR)) {
    high = ceil_div(strips, ceil_div(strips * MR, side));
    wide = ceil_div(panels, ceil_div(panels * NR, side));
    down = ceil_div(strips, high);
    across = ceil_div(panels, wide);
    // Sixteen tasks or more, where partial sums are few beside what is read.
    const index_t cheap = std::max<index_t>(1, (rows + columns) * depth / (8 * rows * columns));
    const index_t wanted = std::min(ceil_div(16, down * across), cheap);
    range = ceil_div(ceil_div(depth, wanted), step) * step;
    ranges = ceil_div(depth, range);
  }

  index_t tasks() const { return ranges * down * across; }
  index_t size() const { return strips * panels * tile; }
  index_t place(index_t strip, index_t panel) const { return (panel * strips + strip) * tile; }

  // Adds the product over one range of k into `tiles`; the last step's sums go to `done(c, strip, panel)`.
  template <class Done>
  void accumulate(index_t task, float* tiles, Done&& done) const {
    const index_t r = task / (down * across), strip0 = task / across % down * high, panel0 = task % across * wide;
    const index_t strip1 = std::min(strips, strip0 + high), panel1 = std::min(panels, panel0 + wide);
    const index_t first = r * range, end = std::min(depth, first + range);
    float* packed_a = scratch(0, (strip1 - strip0) * MR * step + W);
    float* packed_b = scratch(1, (panel1 - panel0) * NR * step + W);
    const index_t calls = (strip1 - strip0) * (panel1 - panel0);
    for (index_t k0 = first; k0 < end; k0 += step) {
      const index_t kc = std::min(step, end - k0);
      for (index_t s = strip0; s < strip1; s++) a.template pack<MR>(s * MR, k0, kc, packed_a + (s - strip0) * MR * kc);
      for (index_t p = panel0; p < panel1; p++) b.template pack<NR>(p * NR, k0, kc, packed_b + (p - panel0) * NR * kc);
      index_t call = 0;
      const index_t next = std::min(step, end - k0 - kc);
      for (index_t p = panel0; p < panel1; p++) {
        for (index_t s = strip0; s < strip1; s++, call++) {
          for (index_t k = call * next / calls; k < (call + 1) * next / calls; k++) {
            a.fetch(strip0 * MR, strip1 * MR, k0 + kc + k);
            b.fetch(panel0 * NR, panel1 * NR, k0 + kc + k);
          }
          Accumulators c;
          if (k0 == first) clear(c); else load_tile(c, tiles + place(s, p));
          multiply(c, packed_a + (s - strip0) * MR * kc, packed_b + (p - panel0) * NR * kc, kc);
          if (k0 + kc == end) done(c, s, p); else store_tile(c, tiles + place(s, p));
        }
      }
    }
  }
};

// make_epilogue(0, rows) gives each task its own epilogue, told `finish()` at its end.
template <class A, class B, class MakeEpilogue>
void multiply_split(const Run& run, const A& a, index_t rows, const B& b, index_t columns, index_t depth,
                    MakeEpilogue&& make_epilogue) {
  const Split<A, B> split(a, rows, b, columns, depth);
  const index_t size = split.size();
  const Buffer memory(static_cast<size_t>(split.ranges * size) * sizeof(float));
  parallel_for(run, split.tasks(), [&](index_t task) {
    float* tiles = memory.as<float>() + task / (split.down * split.across) * size;
    if (split.ranges > 1) {
      split.accumulate(task, tiles, [&](Accumulators& c, index_t s, index_t p) { store_tile(c, tiles + split.place(s, p)); });
    } else {
      auto epilogue = make_epilogue(0, rows);
      split.accumulate(task, tiles, [&](Accumulators& c, index_t s, index_t p) { epilogue.tile(c, s * MR, p * NR); });
      epilogue.finish();
    }
  });
  if (split.ranges == 1) return;
  parallel_for(run, split.panels, [&](index_t panel) {
    auto epilogue = make_epilogue(0, rows);
    for (index_t s = 0; s < split.strips; s++) {
      float* sum = memory.as<float>() + split.place(s, panel);
      for (index_t r = 1; r < split.ranges; r++) {
        for (int e = 0; e < split.tile; e += W) store(sum + e, add(load(sum + e), load(sum + r * size + e)));
      }
      Accumulators c;
      load_tile(c, sum);
      epilogue.tile(c, s * MR, panel * NR);
    }
    epilogue.finish();
  });
}
