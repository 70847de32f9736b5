// conv2d and its gradients as products over patches (patches.inl).

inline std::vector<Tap> forward_taps(const Conv2DGeometry& g) {
  std::vector<Tap> taps;
  for (index_t i = 0; i < g.filter_height; i++) {
    for (index_t j = 0; j < g.filter_width; j++) {
      taps.push_back({i * g.dilation_height - g.pad_top, j * g.dilation_width - g.pad_left, i * g.filter_width + j});
    }
  }
  return taps;
}

inline PatchGrid forward_grid(const Conv2DGeometry& g, const float* input) {
  return {input, g.in_height, g.in_width, g.in_channels, g.out_height, g.out_width, g.stride_height, g.stride_width,
          forward_taps(g)};
}

inline bool pointwise(const Conv2DGeometry& g) {
  return g.filter_height == 1 && g.filter_width == 1 && g.stride_height == 1 && g.stride_width == 1 && g.pad_top == 0 &&
         g.pad_left == 0 && g.in_height == g.out_height && g.in_width == g.out_width;
}

inline void conv2d(const Run& run, const Conv2D& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t pixels = g.batch * g.out_height * g.out_width;
  const index_t depth = g.filter_height * g.filter_width * g.in_channels, columns = g.out_channels;
  PackedPanels panels(columns, depth);
  panels.pack(run, Columns{p.filter, columns, columns});
  const auto epilogue = [&](index_t row0, index_t rows) {
    return StoreEpilogue{p.out + row0 * columns, columns, rows, columns, p.bias, p.activation};
  };
  if (pointwise(g)) {
    multiply_blocks(run, Rows{p.input, depth, pixels}, pixels, panels, epilogue);
  } else {
    const PatchGrid grid = forward_grid(g, p.input);
    multiply_blocks(run, PatchRows{grid, pixels}, pixels, panels, epilogue);
  }
}

// The input pixels y = phase_y + stride * t, x likewise, meet the same taps: per phase one dense product over patches of dy.
inline void input_phase(const Run& run, const Conv2DBackpropInput& p, index_t phase_y, index_t phase_x) {
  const Conv2DGeometry& g = p.geometry;
  std::vector<Tap> taps;
  for (index_t i = 0; i < g.filter_height; i++) {
    for (index_t j = 0; j < g.filter_width; j++) {
      const index_t y = phase_y + g.pad_top - i * g.dilation_height, x = phase_x + g.pad_left - j * g.dilation_width;
      if (y % g.stride_height == 0 && x % g.stride_width == 0) {
        taps.push_back({y / g.stride_height, x / g.stride_width, i * g.filter_width + j});
      }
    }
  }
  const index_t rows_y = ceil_div(g.in_height - phase_y, g.stride_height);
  const index_t rows_x = ceil_div(g.in_width - phase_x, g.stride_width);
  const index_t rows = g.batch * rows_y * rows_x, depth = static_cast<index_t>(taps.size()) * g.out_channels;
  const PatchGrid grid(p.dy, g.out_height, g.out_width, g.out_channels, rows_y, rows_x, 1, 1, std::move(taps));
  PackedPanels panels(g.in_channels, depth);
  panels.pack(run, FilterRows{p.filter, g.in_channels, g.out_channels, grid.taps});

  struct ScatteredRows : StoreEpilogue {
    float* row_places[256];
    explicit ScatteredRows(StoreEpilogue base) : StoreEpilogue(base) {}
    EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) {
      places = row_places;  // set here: the epilogue may have been moved since it was made
      StoreEpilogue::tile(c, i0, j0);
    }
  };
  multiply_blocks(run, PatchRows{grid, rows}, rows, panels, [&](index_t row0, index_t count) {
    ScatteredRows epilogue(StoreEpilogue{nullptr, 0, count, g.in_channels, nullptr, Activation::none});
    for (index_t i = 0; i < count; i++) {
      const index_t row = row0 + i, image = row / (rows_y * rows_x), within = row % (rows_y * rows_x);
      const index_t y = phase_y + within / rows_x * g.stride_height, x = phase_x + within % rows_x * g.stride_width;
      epilogue.row_places[i] = p.out + ((image * g.in_height + y) * g.in_width + x) * g.in_channels;
    }
    return epilogue;
  });
}

// Few input channels would leave most of a panel empty: per image the product dy x filter^T over all taps at once, then each
// input pixel gathers its taps (col2im), in a fixed order.
inline void input_by_gathering(const Run& run, const Conv2DBackpropInput& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t taps = g.filter_height * g.filter_width, columns = taps * g.in_channels;
  const index_t pixels = g.out_height * g.out_width;
  PackedPanels panels(columns, g.out_channels);
  panels.pack(run, Rows{p.filter, g.out_channels, columns});
  parallel_for(run, g.batch, [&](index_t image) {
    const float* dy = p.dy + image * pixels * g.out_channels;
    float* products = scratch(2, pixels * columns);
    const index_t chunk = chunk_rows(pixels, columns, g.out_channels);
    for (index_t row0 = 0; row0 < pixels; row0 += chunk) {
      const index_t rows = std::min(chunk, pixels - row0);
      StoreEpilogue epilogue{products + row0 * columns, columns, rows, columns, nullptr, Activation::none};
      multiply_chunk(Rows{dy, g.out_channels, pixels}, row0, rows, panels, 0, panels.panels, epilogue);
    }
    float* dx = p.out + image * g.in_height * g.in_width * g.in_channels;
    std::fill(dx, dx + g.in_height * g.in_width * g.in_channels, 0.0f);
    for (index_t t = 0; t < taps; t++) {
      const index_t dy0 = t / g.filter_width * g.dilation_height - g.pad_top;
      const index_t dx0 = t % g.filter_width * g.dilation_width - g.pad_left;
      for (index_t oy = 0; oy < g.out_height; oy++) {
        const index_t y = oy * g.stride_height + dy0;
        if (y < 0 || y >= g.in_height) continue;
        for (index_t ox = 0; ox < g.out_width; ox++) {
          const index_t x = ox * g.stride_width + dx0;
          if (x < 0 || x >= g.in_width) continue;
          const float* from = products + (oy * g.out_width + ox) * columns + t * g.in_channels;
          float* to = dx + (y * g.in_width + x) * g.in_channels;
          for (index_t c = 0; c < g.in_channels; c++) to[c] += from[c];
        }
      }
    }
  });
}

inline void conv2d_backprop_input(const Run& run, const Conv2DBackpropInput& p) {
  const Conv2DGeometry& g = p.geometry;
  if (g.in_channels * 2 < W || g.in_channels < 4) return input_by_gathering(run, p);
  for (index_t y = 0; y < std::min(g.stride_height, g.in_height); y++) {
    for (index_t x = 0; x < std::min(g.stride_width, g.in_width); x++) input_phase(run, p, y, x);
  }
}

inline void conv2d_backprop_filter(const Run& run, const Conv2DBackpropFilter& p) { FilterGradient(p).run(run); }
