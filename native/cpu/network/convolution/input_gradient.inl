// The gradient of conv2d by its input. The input pixels y = phase_y + stride_height * t, x likewise, meet the same taps: each phase is
// a dense product over patches of dy.
struct InputPhase {
  index_t y, x, rows_y, rows_x;  // its first pixel, and its pixels per image
  std::vector<Tap> taps;
  PackedPanels panels;

  InputPhase(const Run& run, const Conv2DGeometry& g, const float* filter, index_t y, index_t x)
      : y(y), x(x), rows_y(ceil_div(g.in_height - y, g.stride_height)), rows_x(ceil_div(g.in_width - x, g.stride_width)),
        taps(taps_of(g, y, x)), panels(g.in_channels, static_cast<index_t>(taps.size()) * g.out_channels) {
    panels.pack(run, FilterRows{filter, g.in_channels, g.out_channels, taps});
  }

  static std::vector<Tap> taps_of(const Conv2DGeometry& g, index_t phase_y, index_t phase_x) {
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
  PatchGrid patches(const Conv2DGeometry& g, const float* dy) const {
    return {dy, g.out_height, g.out_width, g.out_channels, rows_y, rows_x, 1, 1, taps};
  }
};

// Few input channels would leave most of a panel empty.
inline bool few_input_channels(const Conv2DGeometry& g) { return g.in_channels * 2 < W || g.in_channels < 4; }

// None where there are few input channels, or Winograd does without.
inline std::deque<InputPhase> input_phases(const Run& run, const Conv2DGeometry& g, const float* filter) {
  std::deque<InputPhase> phases;
  if (few_input_channels(g) || winograd_outputs(g) != 0) return phases;
  for (index_t y = 0; y < std::min(g.stride_height, g.in_height); y++) {
    for (index_t x = 0; x < std::min(g.stride_width, g.in_width); x++) phases.emplace_back(run, g, filter, y, x);
  }
  return phases;
}

// Stores of a phase's rows what the mask (relu_mask.inl) lets pass, where they belong among the input's pixels.
template <class Mask>
struct InputRows {
  const Conv2DGeometry& g;
  const InputPhase& phase;
  index_t row0, rows;
  float* out;
  const Mask& mask;

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) const {
    index_t pixels[MR];
    float* places[MR];
    const index_t count = std::min<index_t>(MR, rows - i0);
    find_pixels(row0 + i0, count, pixels);
    for (index_t i = 0; i < count; i++) places[i] = out + pixels[i] * g.in_channels;
    mask.apply(c, count, j0, pixels);
    StoreEpilogue{nullptr, 0, count, g.in_channels, nullptr, Activation::none, places}.tile(c, 0, j0);
  }

  void find_pixels(index_t row, index_t count, index_t* pixels) const {
    const index_t line = row / phase.rows_x;
    index_t image = line / phase.rows_y, y = line % phase.rows_y, x = row % phase.rows_x;
    for (index_t i = 0; i < count; i++) {
      pixels[i] = (image * g.in_height + phase.y + y * g.stride_height) * g.in_width + phase.x + x * g.stride_width;
      if (++x < phase.rows_x) continue;
      x = 0;
      if (++y < phase.rows_y) continue;
      y = 0;
      image++;
    }
  }
};

// A task takes its share of every phase in turn: they read the same dy and write between each other's pixels, in cache.
template <class Mask>
inline void input_by_phases(const Run& run, const Conv2DBackpropInput& p, const std::deque<InputPhase>& phases, const Mask& mask,
                            bool cached) {
  const Conv2DGeometry& g = p.geometry;
  std::deque<PatchGrid> grids;
  index_t depth = 0;
  for (const InputPhase& phase : phases) {
    grids.push_back(phase.patches(g, p.dy));
    depth = std::max(depth, phase.panels.depth);
  }
  const Blocks blocks(phases[0].rows(g), g.in_channels, depth, phases[0].panels.panels);
  parallel_for(run, blocks.count(), [&](index_t task) {
    for (size_t i = 0; i < phases.size(); i++) {
      const auto [row0, rows] = blocks.rows(task, phases[i].rows(g));
      if (rows <= 0) continue;
      InputRows<Mask> epilogue{g, phases[i], row0, rows, p.out, mask};
      const PatchRows patches{grids[i], row0 + rows, cached};
      multiply_chunk(patches, row0, rows, phases[i].panels, blocks.panel0(task), blocks.panel1(task), epilogue);
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

// Of one image: the product of filter and dy over all taps at once, then each input pixel gathers its taps (col2im), in a fixed order.
inline void gather_image(const Conv2DGeometry& g, const float* filter, const float* dy, float* dx) {
  const index_t taps = g.filter_height * g.filter_width, channels = g.in_channels, pixels = g.out_height * g.out_width;
  float* products = scratch(2, pixels * taps * channels);
  tap_products(g, filter, dy, products);
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
}

template <class Mask>
inline void input_by_gathering(const Run& run, const Conv2DBackpropInput& p, const Mask& mask) {
  const Conv2DGeometry& g = p.geometry;
  const index_t dy_size = g.out_height * g.out_width * g.out_channels, pixels = g.in_height * g.in_width;
  parallel_for(run, g.batch, [&](index_t image) {
    gather_image(g, p.filter, p.dy + image * dy_size, p.out + image * pixels * g.in_channels);
    mask.apply(p.out, image * pixels, pixels, g.in_channels, p.out);
  });
}

// `phases`: input_phases of p's geometry, of any batch; `cached` as in PatchRows.
template <class Mask>
inline void input_gradient(const Run& run, const Conv2DBackpropInput& p, const std::deque<InputPhase>& phases, const Mask& mask,
                           bool cached) {
  const Conv2DGeometry& g = p.geometry;
  if (const int outputs = winograd_outputs(g)) {
    return winograd_backward(run, g, outputs, p.dy, p.filter, WinogradMaskStore<Mask>{p.out, g.in_channels, mask});
  }
  if (phases.empty()) input_by_gathering(run, p, mask); else input_by_phases(run, p, phases, mask, cached);
}

inline void conv2d_backprop_input(const Run& run, const Conv2DBackpropInput& p) {
  input_gradient(run, p, input_phases(run, p.geometry, p.filter), NoMask{}, false);
}
