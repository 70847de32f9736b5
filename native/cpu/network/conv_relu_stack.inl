// A stack of convolutions with relu by images, not by layers: a task takes a few images through all of them, so that each layer finds
// in its processor's L2 what the one before left there, and nothing between two layers but bits of relu goes to memory. Where an
// image is too large for that, the images are too few for the threads, or Winograd runs, these share the rows of each layer instead.

// How a stack is cut: `images` at a time, by one thread or (`shared`) by all.
struct StackCut {
  index_t batch, images;
  index_t largest;  // output of a layer, of one image
  bool shared;

  StackCut(const Run& run, const std::vector<ConvReluLayer>& layers) : batch(layers[0].geometry.batch), largest(1) {
    constexpr index_t cached = 98304;  // floats that L2 holds beside the filters
    index_t neighbours = 1;
    bool tiled = false;  // by Winograd: the tiles of a few images would leave its products half empty
    for (const ConvReluLayer& layer : layers) {
      const Conv2DGeometry& g = layer.geometry;
      neighbours = std::max(neighbours, input_floats(g) + output_floats(g));
      largest = std::max(largest, output_floats(g));
      tiled |= winograd_outputs(g) != 0;
    }
    shared = tiled || neighbours > 2 * cached || batch < 2 * run.threads;
    const index_t together = shared ? (index_t{1} << 22) / largest : std::min(cached / neighbours, batch / (4 * run.threads));
    images = std::clamp<index_t>(together, 1, batch);
  }

  static index_t input_floats(const Conv2DGeometry& g) { return g.in_height * g.in_width * g.in_channels; }
  static index_t output_floats(const Conv2DGeometry& g) { return g.out_height * g.out_width * g.out_channels; }

  // Calls through(run, first image, count, three places for values between layers) until all images are through.
  template <class Through>
  void each(const Run& run, const Through& through) const {
    const index_t size = images * largest;
    if (shared) {
      const Buffer memory(static_cast<size_t>(3 * size) * sizeof(float));
      float* const places[3] = {memory.as<float>(), memory.as<float>() + size, memory.as<float>() + 2 * size};
      for (index_t first = 0; first < batch; first += images) through(run, first, std::min(images, batch - first), places);
      return;
    }
    Run alone = run;
    alone.threads = 1;
    parallel_for(run, ceil_div(batch, images), [&](index_t task) {
      float* const places[3] = {scratch(4, size), scratch(5, size), scratch(6, size)};
      through(alone, task * images, std::min(images, batch - task * images), places);
    });
  }
};

// The geometry of `count` of the images, and the bits of layer `l` for those from `first` on.
inline Conv2DGeometry of_images(Conv2DGeometry g, index_t count) {
  g.batch = count;
  return g;
}

inline ReluMask mask_of_images(const std::vector<ConvReluLayer>& layers, const std::int32_t* passed, size_t l, index_t first) {
  for (size_t below = 0; below < l; below++) passed += passed_size(layers[below].geometry);
  const Conv2DGeometry& g = layers[l].geometry;
  return {const_cast<std::int32_t*>(passed) + passed_size(of_images(g, first)), g};
}

// One layer; `filter` is packed where Winograd does not run, `sum` is like y, or none.
inline void relu_layer(const Run& run, const ConvReluLayer& layer, const float* x, bool cached, const PackedPanels& filter,
                       const float* sum, float* y, const ReluMask& mask) {
  const Conv2DGeometry& g = layer.geometry;
  const index_t pixels = g.batch * g.out_height * g.out_width;
  if (const int outputs = winograd_outputs(g)) {
    std::fill(mask.bits, mask.bits + pixels * mask.bytes, std::uint8_t{0});
    return winograd_forward(run, g, outputs, x, layer.filter, WinogradReluStore{y, g.out_channels, layer.bias, sum, mask});
  }
  const PatchGrid grid = forward_grid(g, x);
  multiply_rows(run, PatchRows{grid, pixels, cached}, pixels, filter, [&](index_t row0, index_t rows) {
    ReluMask here = mask;
    here.bits += row0 * mask.bytes;
    const float* added = sum == nullptr ? nullptr : sum + row0 * g.out_channels;
    return ReluEpilogue{y + row0 * g.out_channels, rows, g.out_channels, layer.bias, added, here};
  });
}

inline void conv_relu_stack(const Run& run, const ConvReluStack& p) {
  const StackCut cut(run, p.layers);
  std::deque<PackedPanels> filters;
  for (const ConvReluLayer& layer : p.layers) {
    const Conv2DGeometry& g = layer.geometry;
    const bool packed = winograd_outputs(g) == 0;
    filters.emplace_back(packed ? g.out_channels : 0, packed ? g.filter_height * g.filter_width * g.in_channels : 0);
    if (packed) filters.back().pack(run, Columns{layer.filter, g.out_channels, g.out_channels});
  }
  cut.each(run, [&](const Run& inner, index_t first, index_t count, float* const* places) {
    const float* x = p.input + first * StackCut::input_floats(p.layers[0].geometry);
    for (size_t l = 0; l < p.layers.size(); l++) {
      const Conv2DGeometry g = of_images(p.layers[l].geometry, count);
      const bool last = l + 1 == p.layers.size();
      const float* sum = last && p.sum != nullptr ? p.sum + first * StackCut::output_floats(g) : nullptr;
      float* y = last ? p.out + first * StackCut::output_floats(g) : places[l % 2];
      const ReluMask mask = mask_of_images(p.layers, p.passed, l, first);
      relu_layer(inner, {g, p.layers[l].filter, p.layers[l].bias}, x, !cut.shared && l > 0, filters[l], sum, y, mask);
      x = y;
    }
  });
}

inline void conv_relu_stack_backprop_input(const Run& run, const ConvReluStackBackpropInput& p) {
  const StackCut cut(run, p.layers);
  std::deque<std::deque<InputPhase>> phases;
  for (const ConvReluLayer& layer : p.layers) phases.push_back(input_phases(run, layer.geometry, layer.filter));
  cut.each(run, [&](const Run& inner, index_t first, index_t count, float* const* places) {
    const size_t top = p.layers.size() - 1;
    const Conv2DGeometry& out = p.layers[top].geometry;
    const index_t pixels = out.out_height * out.out_width;
    const float* dy = p.dy + first * StackCut::output_floats(out);
    float* const masked = p.masked != nullptr ? p.masked + first * StackCut::output_floats(out) : places[2];
    const ReluMask last = mask_of_images(p.layers, p.passed, top, first);
    parallel_for(inner, count, [&](index_t image) { last.apply(dy, image * pixels, pixels, out.out_channels, masked); });
    const float* d = masked;
    for (size_t l = top; l > 0; l--) {
      const Conv2DBackpropInput layer{of_images(p.layers[l].geometry, count), d, p.layers[l].filter, places[l % 2]};
      input_gradient(inner, layer, phases[l], mask_of_images(p.layers, p.passed, l - 1, first), !cut.shared);
      d = layer.out;
    }
    const Conv2DGeometry g = of_images(p.layers[0].geometry, count);
    const Conv2DBackpropInput bottom{g, d, p.layers[0].filter, p.out + first * StackCut::input_floats(g)};
    if (p.residual) input_gradient(inner, bottom, phases[0], AddTo{masked, g.in_channels}, !cut.shared);
    else input_gradient(inner, bottom, phases[0], NoMask{}, !cut.shared);
  });
}
