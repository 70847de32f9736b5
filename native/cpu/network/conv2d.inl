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

// The product of all pixels' channels, transposed, and their upstream gradients; in ranges of pixels where these are many.
inline void pointwise_filter(const Run& run, const Conv2DBackpropFilter& p) {
  const index_t rows = p.geometry.in_channels, columns = p.geometry.out_channels;
  const index_t pixels = p.geometry.batch * p.geometry.out_height * p.geometry.out_width;
  const Columns x{p.input, rows, rows}, dy{p.dy, columns, columns};
  if (pixels > 8192) return multiply_split(run, x, rows, dy, columns, pixels, p.out);
  PackedPanels panels(columns, pixels);
  panels.pack(run, dy);
  multiply_blocks(run, x, rows, panels, [&](index_t row0, index_t count) {
    return StoreEpilogue{p.out + row0 * columns, columns, count, columns, nullptr, Activation::none};
  });
}

inline void conv2d_backprop_filter(const Run& run, const Conv2DBackpropFilter& p) {
  if (const int outputs = winograd_outputs(p.geometry)) return winograd_filter(run, p, outputs);
  if (pointwise(p.geometry)) return pointwise_filter(run, p);
  FilterGradient(p).run(run);
}
