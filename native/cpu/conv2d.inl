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
  parallel_for(run, g.batch, [&](index_t image) {
    float* products = scratch(2, pixels * taps * channels);
    tap_products(g, p.filter, p.dy + image * pixels * g.out_channels, products);
    float* dx = p.out + image * g.in_height * g.in_width * channels;
    std::fill(dx, dx + g.in_height * g.in_width * channels, 0.0f);
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
