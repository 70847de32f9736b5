// The packed GEMM engine. Operands are packed (pack.inl), a register tile of MR x NR runs over k, and an epilogue consumes the
// tile while it is in registers. Every output element is one chain of fused multiply-adds in the order of k, whatever the
// tile, the chunk or the thread: same bits for any slicing.

typedef F Accumulators[MR][NV];

#define EAT_ALWAYS_INLINE inline __attribute__((always_inline))

// What a step of k adds to an element: the product of its row and column, or the square of their difference.
struct Products {
  static EAT_ALWAYS_INLINE F add_to(F sum, F x, F y) { return fma(x, y, sum); }
};
struct SquaredDifferences {
  static EAT_ALWAYS_INLINE F add_to(F sum, F x, F y) {
    const F difference = sub(x, y);
    return fma(difference, difference, sum);
  }
};

template <class Step = Products>
EAT_ALWAYS_INLINE void multiply(Accumulators& c, const float* a, const float* b, index_t k) {
#pragma GCC unroll 4
  for (index_t step = 0; step < k; step++) {
    F row[NV];
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) row[j] = load(b + j * W);
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      const F x = set1(a[i]);
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) c[i][j] = Step::add_to(c[i][j], x, row[j]);
    }
    a += MR;
    b += NR;
  }
}

EAT_ALWAYS_INLINE void clear(Accumulators& c) {
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) c[i][j] = zero();
  }
}

EAT_ALWAYS_INLINE void load_tile(Accumulators& c, const float* tile) {
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) c[i][j] = load(tile + i * NR + j * W);
  }
}

EAT_ALWAYS_INLINE void store_tile(const Accumulators& c, float* tile) {
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) store(tile + i * NR + j * W, c[i][j]);
  }
}

// The second operand, packed once for all tasks: k-block after k-block, panel after panel, [k][NR] within.
struct PackedPanels {
  index_t columns, depth, panels;
  Buffer memory;

  PackedPanels(index_t columns, index_t depth)
      : columns(columns), depth(depth), panels(ceil_div(columns, NR)),
        memory(static_cast<size_t>(std::max<index_t>(1, panels * depth * NR)) * sizeof(float)) {}

  float* block(index_t k0, index_t kc, index_t panel) const {
    return memory.as<float>() + k0 * panels * NR + panel * kc * NR;
  }

  template <class Operand>
  void pack(const Run& run, const Operand& operand) {
    const index_t group = std::max<index_t>(1, 16384 / std::max<index_t>(1, depth * NR));
    parallel_for(run, ceil_div(panels, group), [&](index_t task) {
      for (index_t p = task * group; p < std::min(panels, (task + 1) * group); p++) {
        for (index_t k0 = 0; k0 < depth; k0 += KC) {
          const index_t kc = std::min(KC, depth - k0);
          operand.template pack<NR>(p * NR, k0, kc, block(k0, kc, p));
        }
      }
    });
  }
};

// One chunk of rows against panels [panel0, panel1). `epilogue.tile(c, local_row, column)` gets each finished tile, columns
// ascending for a given row.
template <class Step = Products, class Operand, class Epilogue>
void multiply_packed(const Operand& a, index_t row0, index_t rows, const PackedPanels& b, index_t panel0, index_t panel1,
                     Epilogue& epilogue) {
  const index_t strips = ceil_div(rows, MR), depth = b.depth;
  float* packed = scratch(0, strips * MR * depth + W);
  for (index_t k0 = 0; k0 < depth; k0 += KC) {
    const index_t kc = std::min(KC, depth - k0);
    for (index_t s = 0; s < strips; s++) a.template pack<MR>(row0 + s * MR, k0, kc, packed + k0 * strips * MR + s * MR * kc);
  }
  // As many panels as stay in L2 beside the rows; their tiles wait in `carry` while k-blocks follow each other.
  const index_t together = std::max<index_t>(1, 65536 / (NR * std::clamp<index_t>(depth, 1, KC)));
  float* carry = depth > KC ? scratch(1, strips * together * MR * NR) : nullptr;
  for (index_t p0 = panel0; p0 < panel1; p0 += together) {
    const index_t p1 = std::min(panel1, p0 + together);
    index_t k0 = 0;
    do {
      const index_t kc = std::min(KC, depth - k0);
      const bool last = k0 + kc >= depth;
      for (index_t s = 0; s < strips; s++) {
        const float* strip = packed + k0 * strips * MR + s * MR * kc;
        for (index_t p = p0; p < p1; p++) {
          float* waiting = carry + (s * together + p - p0) * MR * NR;
          Accumulators c;
          if (k0 == 0) clear(c); else load_tile(c, waiting);
          multiply<Step>(c, strip, b.block(k0, kc, p), kc);
          if (last) epilogue.tile(c, s * MR, p * NR); else store_tile(c, waiting);
        }
      }
      k0 += kc;
    } while (k0 < depth);
  }
}

// The same for any operand; patches have a way of their own (laid_patches.inl).
template <class Step = Products, class Operand, class Epilogue>
void multiply_chunk(const Operand& a, index_t row0, index_t rows, const PackedPanels& b, index_t panel0, index_t panel1,
                    Epilogue& epilogue) {
  multiply_packed<Step>(a, row0, rows, b, panel0, panel1, epilogue);
}

// Rows per task: few enough that the packed rows stay in L2 and that a task ends soon (a run is cancelled between tasks), many
// enough that panels are read seldom.
inline index_t chunk_rows(index_t rows, index_t columns, index_t depth) {
  const index_t cached = 98304 / std::max<index_t>(1, depth);
  const index_t brief = (index_t{1} << 28) / std::max<index_t>(1, columns * depth);
  const index_t shared = ceil_div(rows, 16);
  return std::max<index_t>(1, std::min({cached, brief, shared, index_t{240}}) / MR) * MR;
}

// All rows of `a` against `b`; make_epilogue(row0, rows) gives each task its own epilogue, told `finish()` at its end.
template <class Operand, class MakeEpilogue>
void multiply_rows(const Run& run, const Operand& a, index_t rows, const PackedPanels& b, MakeEpilogue&& make_epilogue) {
  const index_t chunk = chunk_rows(rows, b.columns, b.depth);
  parallel_for(run, ceil_div(rows, chunk), [&](index_t task) {
    const index_t row0 = task * chunk, count = std::min(chunk, rows - row0);
    auto epilogue = make_epilogue(row0, count);
    multiply_chunk(a, row0, count, b, 0, b.panels, epilogue);
    epilogue.finish();
  });
}

// A product's tasks where nothing ties a row's columns together: blocks of rows, and of panels too where rows are few.
struct Blocks {
  index_t chunk, chunks, panels, width, across;

  Blocks(index_t rows, index_t columns, index_t depth, index_t panels)
      : chunk(chunk_rows(rows, columns, depth)), chunks(ceil_div(rows, chunk)), panels(panels) {
    const index_t split = chunks >= 16 ? 1 : std::min(ceil_div(16, chunks), ceil_div(panels, 4));
    width = std::max<index_t>(1, ceil_div(panels, std::max<index_t>(1, split)));
    across = ceil_div(panels, width);
  }

  struct Rows { index_t first, count; };

  index_t count() const { return chunks * across; }
  // Of a product that has `rows`, at most as many as that which the blocks were cut for.
  Rows rows(index_t task, index_t rows) const {
    const index_t first = task / across * chunk;
    return {first, std::min(chunk, rows - first)};
  }
  index_t panel0(index_t task) const { return task % across * width; }
  index_t panel1(index_t task) const { return std::min(panels, panel0(task) + width); }
};

template <class Step = Products, class Operand, class MakeEpilogue>
void multiply_blocks(const Run& run, const Operand& a, index_t rows, const PackedPanels& b, MakeEpilogue&& make_epilogue) {
  const Blocks blocks(rows, b.columns, b.depth, b.panels);
  parallel_for(run, blocks.count(), [&](index_t task) {
    const auto [row0, count] = blocks.rows(task, rows);
    auto epilogue = make_epilogue(row0, count);
    multiply_chunk<Step>(a, row0, count, b, blocks.panel0(task), blocks.panel1(task), epilogue);
    epilogue.finish();
  });
}
