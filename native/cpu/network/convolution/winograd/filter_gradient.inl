// The gradient of 3 x 3 filters by Winograd: tiles of the input and of the upstream gradient are transformed, for each point
// [channels, columns] sums of their products over all tiles follow, and those are transformed to the nine taps. A sum is a chain in the
// order of tiles, or of ranges of tiles that the shape alone cuts.

// Sums [GR][GV * W] of channels from v on by columns from y on, over tiles that lie a row apart.
EAT_ALWAYS_INLINE void add_tile_products(const float* v, index_t v_row, const float* y, index_t y_row, index_t tiles, bool fresh,
                                         float* sums) {
  F c[GR][GV];
#pragma GCC unroll 8
  for (int i = 0; i < GR; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < GV; j++) c[i][j] = fresh ? zero() : load(sums + (i * GV + j) * W);
  }
  for (index_t t = 0; t < tiles; t++, v += v_row, y += y_row) {
    F up[GV];
#pragma GCC unroll 2
    for (int j = 0; j < GV; j++) up[j] = load(y + j * W);
#pragma GCC unroll 8
    for (int i = 0; i < GR; i++) {
      const F x = set1(v[i]);
#pragma GCC unroll 2
      for (int j = 0; j < GV; j++) c[i][j] = fma(x, up[j], c[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < GR; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < GV; j++) store(sums + (i * GV + j) * W, c[i][j]);
  }
}

template <int O>
struct WinogradFilterGradient : WinogradTiles<O> {
  using Tiles = WinogradTiles<O>;
  using Tiles::points, Tiles::s, Tiles::tiles, Tiles::place;
  static constexpr index_t block = GR * GV * W;  // floats of a register tile's sums
  // Floats, as measured: of the most sums that ranges have each, and all together; of tiles that a range takes at a time; of a block's sums.
  static constexpr index_t kSums = 700000, kAllSums = index_t{1} << 22, kTiles = 655360, kNear = 73728;
  const float* dy;
  float* out;
  index_t x_row, dy_row;  // floats of a tile's point
  index_t high, wide;     // register tiles over channels, and over columns

  WinogradFilterGradient(const WinogradShape& s, const float* dy, float* out)
      : Tiles(s), dy(dy), out(out), x_row(ceil_div(s.channels, W) * W + W), dy_row((ceil_div(s.columns, GV * W) * GV + 1) * W),
        high(ceil_div(s.channels, GR)), wide(ceil_div(s.columns, GV * W)) {}

  // Room for `count` transformed tiles, [points][count][row], points an odd number of lines apart.
  index_t x_point(index_t count) const { return count * x_row + (count * x_row / W % 2 == 0 ? W : 0); }
  index_t dy_point(index_t count) const { return count * dy_row + (count * dy_row / W % 2 == 0 ? W : 0); }

  void transform_upstream_tile(index_t tile, float* to, index_t step) const {
    const auto at = place(tile);
    const float* pixels[O * O];
    for (int i = 0; i < O; i++) {
      for (int j = 0; j < O; j++) {
        const bool inside = at.y + i < s.out_height && at.x + j < s.out_width;
        const index_t pixel = (at.image * s.out_height + at.y + i) * s.out_width + at.x + j;
        pixels[i * O + j] = inside ? dy + pixel * s.columns : this->zeros.data();
      }
    }
    index_t c = 0;
    for (; c + W <= s.columns; c += W) transform_upstream<O, true>(pixels, c, W, to + c, step);
    if (c < s.columns) transform_upstream<O, false>(pixels, c, static_cast<int>(s.columns - c), to + c, step);
  }

  // Transformed tiles of a group, and what follows from them.
  struct Group {
    float *x, *dy;
    index_t size;   // the most that it has room for
    index_t first, count;
  };

  void transform(const Group& group, index_t i) const {
    this->transform_tile(group.first + i, group.x + i * x_row, x_point(group.size));
    transform_upstream_tile(group.first + i, group.dy + i * dy_row, dy_point(group.size));
  }

  // Adds to sums [points][columns' tiles][channels' tiles][block] of the given register tiles.
  void add_group(const Group& group, index_t across0, index_t across1, index_t down0, index_t down1, bool fresh, float* sums) const {
    for (index_t e = 0; e < points; e++) {
      const float *x = group.x + e * x_point(group.size), *up = group.dy + e * dy_point(group.size);
      for (index_t a = across0; a < across1; a++) {
        for (index_t d = down0; d < down1; d++, sums += block) {
          add_tile_products(x + d * GR, x_row, up + a * GV * W, dy_row, group.count, fresh, sums);
        }
      }
    }
  }

  // The taps of one register tile, whose points are `step` apart in each of `ranges` sums, `range` apart.
  void finish(index_t across, index_t down, const float* sums, index_t step, index_t ranges, index_t range) const {
    for (index_t i = 0; i < std::min<index_t>(GR, s.channels - down * GR); i++) {
      for (index_t j = 0; j < GV; j++) {
        const index_t column = (across * GV + j) * W;
        const int lanes = static_cast<int>(std::min<index_t>(W, s.columns - column));
        if (lanes <= 0) continue;
        F w[3][3];
        transform_taps<O>([&](int e) {
          const float* from = sums + e * step + (i * GV + j) * W;
          F sum = load(from);
          for (index_t r = 1; r < ranges; r++) sum = add(sum, load(from + r * range));
          return sum;
        }, w);
        for (int tap = 0; tap < 9; tap++) {
          float* to = out + (tap * s.channels + down * GR + i) * s.columns + column;
          if (lanes == W) store(to, w[tap / 3][tap % 3]); else store_partial(to, w[tap / 3][tap % 3], lanes);
        }
      }
    }
  }

  // Little filter: a task takes a range of tiles, so many at a time that reading and writing its sums is little.
  void by_ranges(const Run& run) const {
    const index_t size = points * wide * high * block, most = std::clamp<index_t>(kTiles / (points * (x_row + dy_row)), 8, 64);
    const index_t ranges = std::clamp<index_t>(tiles() / most, 1, std::min<index_t>(16, kAllSums / size));
    const index_t range = ceil_div(tiles(), ranges), together = ceil_div(range, ceil_div(range, most));
    const Buffer memory(static_cast<size_t>(ranges * size) * sizeof(float));
    parallel_for(run, ranges, [&](index_t r) {
      Group group{scratch(0, points * x_point(together)), scratch(1, points * dy_point(together)), together, 0, 0};
      const index_t end = std::min(tiles(), (r + 1) * range);
      float* sums = memory.as<float>() + r * size;
      if (r * range >= end) std::fill(sums, sums + size, 0.0f);
      for (index_t first = r * range; first < end; first += together) {
        group.first = first, group.count = std::min(together, end - first);
        for (index_t i = 0; i < group.count; i++) transform(group, i);
        add_group(group, 0, wide, 0, high, first == r * range, sums);
      }
    });
    parallel_for(run, wide * high, [&](index_t tile) {
      finish(tile / high, tile % high, memory.as<float>() + tile * block, wide * high * block, ranges, size);
    });
  }

  // Much filter: all tasks share the transformed tiles, and one takes a block of the filter's sums through them.
  void by_blocks(const Run& run) const {
    const index_t room = std::min(tiles(), std::max<index_t>(16, 2 * kWinogradShared / (points * (x_row + dy_row))));
    const index_t deep = std::max<index_t>(1, kNear / (points * block)), downs = ceil_div(high, deep), size = points * deep * block;
    const Buffer x(static_cast<size_t>(points * x_point(room)) * sizeof(float));
    const Buffer up(static_cast<size_t>(points * dy_point(room)) * sizeof(float));
    const bool once = room == tiles();
    const Buffer memory(once ? 1 : static_cast<size_t>(wide * downs * size) * sizeof(float));
    for (index_t first = 0; first < tiles(); first += room) {
      const Group group{x.as<float>(), up.as<float>(), room, first, std::min(room, tiles() - first)};
      parallel_for(run, ceil_div(group.count, 4), [&](index_t task) {
        for (index_t i = task * 4; i < std::min(group.count, task * 4 + 4); i++) transform(group, i);
      });
      parallel_for(run, wide * downs, [&](index_t task) {
        const index_t across = task / downs, down0 = task % downs * deep, down1 = std::min(high, down0 + deep);
        float* sums = once ? scratch(0, size) : memory.as<float>() + task * size;
        add_group(group, across, across + 1, down0, down1, first == 0, sums);
        if (first + group.count < tiles()) return;
        for (index_t d = down0; d < down1; d++) finish(across, d, sums + (d - down0) * block, (down1 - down0) * block, 1, 0);
      });
    }
  }

  void run(const Run& run) const {
    if (points * wide * high * block <= kSums) by_ranges(run); else by_blocks(run);
  }
};

inline void winograd_filter(const Run& run, const Conv2DBackpropFilter& p, int outputs) {
  const Conv2DGeometry& g = p.geometry;
  const WinogradShape shape{p.input, g.batch, g.in_height, g.in_width, g.in_channels, g.out_height, g.out_width, g.out_channels,
                            g.pad_top, g.pad_left};
  if (outputs == 4) WinogradFilterGradient<4>(shape, p.dy, p.out).run(run); else WinogradFilterGradient<2>(shape, p.dy, p.out).run(run);
}
