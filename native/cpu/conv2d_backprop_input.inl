// The gradient of conv2d by its input. The input pixels y = phase_y + stride_height * t, x likewise, meet the same taps: each phase is
// a dense product over patches of dy.
struct InputPhase {
  index_t y, x, rows_y, rows_x;
  PatchGrid grid;
  PackedPanels panels;

  InputPhase(const Run& run, const Conv2DBackpropInput& p, index_t y, index_t x)
      : y(y), x(x), rows_y(ceil_div(p.geometry.in_height - y, p.geometry.stride_height)),
        rows_x(ceil_div(p.geometry.in_width - x, p.geometry.stride_width)),
        grid(p.dy, p.geometry.out_height, p.geometry.out_width, p.geometry.out_channels, rows_y, rows_x, 1, 1,
             taps(p.geometry, y, x)),
        panels(p.geometry.in_channels, static_cast<index_t>(grid.taps.size()) * p.geometry.out_channels) {
    panels.pack(run, FilterRows{p.filter, p.geometry.in_channels, p.geometry.out_channels, grid.taps});
  }

  static std::vector<Tap> taps(const Conv2DGeometry& g, index_t phase_y, index_t phase_x) {
    std::vector<Tap> taps;
    for (index_t i = 0; i < g.filter_height; i++) {
      for (index_t j = 0; j < g.filter_width; j++) {
        const index_t y = phase_y + g.pad_top - i * g.dilation_height, x = phase_x + g.pad_left - j * g.dilation_width;
        if (y % g.stride_height == 0 && x % g.stride_width == 0) {
          taps.push_back({y / g.stride_height, x / g.stride_width, i * g.filter_width + j});
        }
      }
    }
    return taps;
  }

  index_t rows(const Conv2DGeometry& g) const { return g.batch * rows_y * rows_x; }
};

// Stores a phase's rows where they belong among the input's pixels, and of them only what the gate lets through.
struct InputRows {
  const Conv2DBackpropInput& p;
  const InputPhase& phase;
  index_t row0, rows;

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) const {
    float* places[MR];
    const index_t count = std::min<index_t>(MR, rows - i0);
    place_rows(row0 + i0, count, places);
    if (p.gate != nullptr) shut(c, count, j0, places);
    StoreEpilogue{nullptr, 0, count, p.geometry.in_channels, nullptr, Activation::none, places}.tile(c, 0, j0);
  }

  void place_rows(index_t row, index_t count, float** places) const {
    const Conv2DGeometry& g = p.geometry;
    const index_t line = row / phase.rows_x;
    index_t image = line / phase.rows_y, y = line % phase.rows_y, x = row % phase.rows_x;
    for (index_t i = 0; i < count; i++) {
      const index_t pixel = (image * g.in_height + phase.y + y * g.stride_height) * g.in_width + phase.x + x * g.stride_width;
      places[i] = p.out + pixel * g.in_channels;
      if (++x < phase.rows_x) continue;
      x = 0;
      if (++y < phase.rows_y) continue;
      y = 0;
      image++;
    }
  }

  EAT_ALWAYS_INLINE void shut(Accumulators& c, index_t count, index_t j0, float* const* places) const {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i >= count) continue;
      const float* row = p.gate + (places[i] - p.out) + j0;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t left = p.geometry.in_channels - j0 - j * W;
        if (left <= 0) continue;
        const F open = left >= W ? load(row + j * W) : load_partial(row + j * W, static_cast<int>(left));
        c[i][j] = select(lt(zero(), open), c[i][j], zero());
      }
    }
  }
};

// A task takes its share of every phase in turn: they read the same dy and write between each other's pixels, in cache.
inline void input_by_phases(const Run& run, const Conv2DBackpropInput& p) {
  const Conv2DGeometry& g = p.geometry;
  std::deque<InputPhase> phases;
  index_t depth = 0;
  for (index_t y = 0; y < std::min(g.stride_height, g.in_height); y++) {
    for (index_t x = 0; x < std::min(g.stride_width, g.in_width); x++) {
      depth = std::max(depth, phases.emplace_back(run, p, y, x).panels.depth);
    }
  }
  const index_t panels = phases[0].panels.panels;
  const Blocks blocks(phases[0].rows(g), g.in_channels, depth, panels);
  parallel_for(run, blocks.count(), [&](index_t task) {
    for (const InputPhase& phase : phases) {
      const auto [row0, rows] = blocks.rows(task, phase.rows(g));
      if (rows <= 0) continue;
      InputRows epilogue{p, phase, row0, rows};
      multiply_chunk(PatchRows{phase.grid, row0 + rows}, row0, rows, phase.panels, blocks.panel0(task), blocks.panel1(task), epilogue);
    }
  });
}

// out[column, pixel] = sum over o of filter[column, o] * dy[pixel, o], a column being a tap and an input channel. In pieces, whose
// packed pixels stay in L2.
inline void tap_products(const Conv2DGeometry& g, const float* filter, const float* dy, float* out) {
  const index_t columns = g.filter_height * g.filter_width * g.in_channels, pixels = g.out_height * g.out_width;
  const index_t piece = std::max<index_t>(1, 24576 / (std::max<index_t>(1, g.out_channels) * NR)) * NR;
  for (index_t first = 0; first < pixels; first += piece) {
    const index_t count = std::min(piece, pixels - first);
    PackedPanels panels(count, g.out_channels);
    panels.pack(Run{}, Rows{dy + first * g.out_channels, g.out_channels, count});
    StoreEpilogue epilogue{out + first, pixels, columns, count, nullptr, Activation::none};
    multiply_chunk(Rows{filter, g.out_channels, columns}, 0, columns, panels, 0, panels.panels, epilogue);
  }
}

// Few input channels would leave most of a panel empty: per image the product of filter and dy over all taps at once, then each
// input pixel gathers its taps (col2im), in a fixed order.
inline void input_by_gathering(const Run& run, const Conv2DBackpropInput& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t taps = g.filter_height * g.filter_width, channels = g.in_channels, pixels = g.out_height * g.out_width;
  const index_t size = g.in_height * g.in_width * channels;
  parallel_for(run, g.batch, [&](index_t image) {
    float* products = scratch(2, pixels * taps * channels);
    tap_products(g, p.filter, p.dy + image * pixels * g.out_channels, products);
    float* dx = p.out + image * size;
    std::fill(dx, dx + size, 0.0f);
    for (index_t row = 0; row < taps * channels; row++) {
      const index_t t = row / channels, c = row % channels;
      const index_t dy0 = t / g.filter_width * g.dilation_height - g.pad_top;
      const index_t dx0 = t % g.filter_width * g.dilation_width - g.pad_left;
      // The places ox whose input column x = ox * stride + dx0 is inside.
      const index_t from = std::max<index_t>(0, ceil_div(-dx0, g.stride_width));
      const index_t to = std::min(g.out_width, ceil_div(g.in_width - dx0, g.stride_width));
      const index_t step = g.stride_width * channels;
      for (index_t oy = 0; oy < g.out_height; oy++) {
        const index_t y = oy * g.stride_height + dy0;
        if (y < 0 || y >= g.in_height) continue;
        const float* values = products + row * pixels + oy * g.out_width;
        float* line = dx + (y * g.in_width + dx0) * channels + c;
        if (step == 1) {
          for (index_t ox = from; ox < to; ox++) line[ox] += values[ox];
        } else {
          for (index_t ox = from; ox < to; ox++) line[ox * step] += values[ox];
        }
      }
    }
    if (p.gate == nullptr) return;
    for (index_t i = 0; i < size; i++) {
      if (!(p.gate[image * size + i] > 0)) dx[i] = 0;
    }
  });
}

inline void conv2d_backprop_input(const Run& run, const Conv2DBackpropInput& p) {
  const Conv2DGeometry& g = p.geometry;
  if (g.in_channels * 2 < W || g.in_channels < 4) return input_by_gathering(run, p);
  input_by_phases(run, p);
}
