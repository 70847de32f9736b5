// Products over patches (patches.inl) of whole vectors of channels. Packing transposes them, which with few output channels costs
// as much as multiplying: these are copied as they lie, and the kernel reads its rows a stride apart. The chain of fused
// multiply-adds of an element is that of gemm.inl: same bits.

// Deepest patch that is laid: a strip of MR stays in L1. A product of more elements of `b` than stay in L2 is packed.
constexpr index_t kLaidDepth = 640, kLaidPanels = 131072;

// As multiply, with row i of `a` at a + i * stride. Bases three rows apart, as many as registers hold.
template <class Step = Products>
EAT_ALWAYS_INLINE void multiply_strided(Accumulators& c, const float* a, index_t stride, const float* b, index_t k) {
  constexpr int bases = (MR + 2) / 3;
  const float* base[bases];
#pragma GCC unroll 8
  for (int g = 0; g < bases; g++) base[g] = a + 3 * g * stride;
#pragma GCC unroll 4
  for (index_t step = 0; step < k; step++) {
    F row[NV];
#pragma GCC unroll 4
    for (int j = 0; j < NV; j++) row[j] = load(b + j * W);
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      const F x = set1(base[i / 3][i % 3 * stride]);
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) c[i][j] = Step::add_to(c[i][j], x, row[j]);
    }
#pragma GCC unroll 8
    for (int g = 0; g < bases; g++) base[g]++;
    b += NR;
  }
}

// Copies, and may ask for what stands `ahead`: lines of an image in strides are no stream that the processor would foresee.
template <bool Fetch>
EAT_ALWAYS_INLINE void lay_channels(float* to, const float* from, index_t channels, index_t ahead) {
  for (index_t k = 0; k < channels; k += W) {
    store(to + k, load(from + k));
    if (Fetch) __builtin_prefetch(from + k + ahead);
  }
}

// `run` patches that lie side by side in one line of the image, `stride` apart.
template <bool Fetch>
inline void lay_line(const PatchGrid& grid, PatchGrid::Place place, index_t run, index_t stride, float* to) {
  const index_t step = grid.step_x, ahead = grid.step_y * grid.width * grid.channels;
  for (const Tap& tap : grid.taps) {
    const index_t y = place.y + tap.dy, x = place.x + tap.dx;
    // The patches [from, end) whose tap is inside.
    index_t from = std::clamp<index_t>(ceil_div(-x, step), 0, run), end = std::clamp<index_t>(ceil_div(grid.width - x, step), from, run);
    if (y < 0 || y >= grid.height) from = end = run;
    for (index_t i = 0; i < run; i++) {
      const bool inside = i >= from && i < end;
      const float* source = inside ? place.image + (y * grid.width + x + i * step) * grid.channels : grid.zeros.data();
      lay_channels<Fetch>(to + i * stride, source, grid.channels, ahead);
    }
    to += grid.channels;
  }
}

// The patches of rows [first, first + MR) that there are; what stands behind the last is left as it was.
inline void lay_strip(const PatchRows& a, index_t first, index_t stride, float* to) {
  const PatchGrid& grid = a.grid;
  PatchGrid::Place place = grid.place(first);
  for (index_t left = std::min<index_t>(MR, a.count - first); left > 0;) {
    const index_t run = std::min(left, grid.rows_x - place.x / grid.step_x);
    if (a.cached) lay_line<false>(grid, place, run, stride, to); else lay_line<true>(grid, place, run, stride, to);
    grid.advance(place, run);
    to += run * stride;
    left -= run;
  }
}

template <class Step = Products, class Epilogue>
void multiply_chunk(const PatchRows& a, index_t row0, index_t rows, const PackedPanels& b, index_t panel0, index_t panel1,
                    Epilogue& epilogue) {
  const index_t depth = b.depth;
  if (a.grid.channels % W != 0 || depth > kLaidDepth || (panel1 - panel0) * NR * depth > kLaidPanels) {
    return multiply_packed<Step>(a, row0, rows, b, panel0, panel1, epilogue);
  }
  const index_t stride = depth + W;  // odd in lines of the cache: the rows of a strip fall into different sets
  float* laid = scratch(0, MR * stride);
  for (index_t s = 0; s < rows; s += MR) {
    lay_strip(a, row0 + s, stride, laid);
    for (index_t p = panel0; p < panel1; p++) {
      Accumulators c;
      clear(c);
      for (index_t k0 = 0; k0 < depth; k0 += KC) {
        const index_t kc = std::min(KC, depth - k0);
        multiply_strided<Step>(c, laid + k0, stride, b.block(k0, kc, p), kc);
      }
      epilogue.tile(c, s, p * NR);
    }
  }
}
