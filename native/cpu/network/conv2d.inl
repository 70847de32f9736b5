// conv2d and its gradients as products over patches (patches.inl), or by Winograd.

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
  if (const int outputs = winograd_outputs(g)) {
    return winograd_forward(run, g, outputs, p.input, p.filter, WinogradStore{p.out, g.out_channels, p.bias, p.activation});
  }
  const index_t pixels = g.batch * g.out_height * g.out_width;
  const index_t depth = g.filter_height * g.filter_width * g.in_channels, columns = g.out_channels;
  PackedPanels panels(columns, depth);
  panels.pack(run, Columns{p.filter, columns, columns});
  if (ConvolvedLines::serves(g) && depth <= KC) return conv2d_lines(run, p, panels);
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

// The product of a tap's pixels, transposed, and the upstream gradients that they met.
template <class X, class Dy>
void filter_of_tap(const Run& run, const Conv2DBackpropFilter& p, index_t tap, const X& x, const Dy& dy, index_t pixels) {
  const index_t rows = p.geometry.in_channels, columns = p.geometry.out_channels;
  float* out = p.out + tap * rows * columns;
  if (pixels == 0) return std::fill_n(out, rows * columns, 0.0f), void();
  multiply_split(run, x, rows, dy, columns, pixels, [&](index_t row0, index_t count) {
    return StoreEpilogue{out + row0 * columns, columns, count, columns, nullptr, Activation::none};
  });
}

inline void filter_by_taps(const Run& run, const Conv2DBackpropFilter& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t outputs = g.out_height * g.out_width;
  if (pointwise(g)) {
    return filter_of_tap(run, p, 0, Columns{p.input, g.in_channels, g.in_channels}, Columns{p.dy, g.out_channels, g.out_channels},
                         g.batch * outputs);
  }
  std::vector<index_t> met, places;
  for (const Tap& tap : forward_taps(g)) {
    met.clear(), places.clear();
    for (index_t pixel = 0; pixel < g.batch * outputs; pixel++) {
      const index_t y = pixel % outputs / g.out_width * g.stride_height + tap.dy, x = pixel % g.out_width * g.stride_width + tap.dx;
      if (y < 0 || y >= g.in_height || x < 0 || x >= g.in_width) continue;
      met.push_back(((pixel / outputs * g.in_height + y) * g.in_width + x) * g.in_channels);
      places.push_back(pixel * g.out_channels);
    }
    filter_of_tap(run, p, tap.filter, PickedColumns{p.input, met.data(), g.in_channels},
                  PickedColumns{p.dy, places.data(), g.out_channels}, static_cast<index_t>(met.size()));
  }
}

inline void conv2d_backprop_filter(const Run& run, const Conv2DBackpropFilter& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t taps = g.filter_height * g.filter_width;
  // Of maps of two by two, Winograd's products are as many as those of the taps inside.
  const bool tiny = g.out_height * g.out_width <= 4, wide = g.in_channels >= 256;
  if (const int outputs = winograd_outputs(g); outputs && !(tiny && wide)) return winograd_filter(run, p, outputs);
  if (taps == 1 || wide) return filter_by_taps(run, p);
  FilterGradient(p).run(run);
}
