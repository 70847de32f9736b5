// A stack of convolutions with relu by images, not by layers: a task takes a few images through all of them, so that each layer finds
// in its processor's L2 what the one before left there. What lies between layers is never written to memory but as bits of relu.

// As many images as keep two neighbouring layers in L2, and no more than leave four tasks to a thread.
inline index_t stack_images(const Run& run, const std::vector<ConvReluLayer>& layers) {
  index_t largest = 1;
  for (const ConvReluLayer& layer : layers) {
    const Conv2DGeometry& g = layer.geometry;
    largest = std::max(largest, g.in_height * g.in_width * g.in_channels + g.out_height * g.out_width * g.out_channels);
  }
  return std::max<index_t>(1, std::min(98304 / largest, layers[0].geometry.batch / (4 * run.threads)));
}

// The geometry of a task's images.
inline Conv2DGeometry of_images(Conv2DGeometry g, index_t count) {
  g.batch = count;
  return g;
}

inline index_t input_floats(const Conv2DGeometry& g) { return g.in_height * g.in_width * g.in_channels; }
inline index_t output_floats(const Conv2DGeometry& g) { return g.out_height * g.out_width * g.out_channels; }

// Two places that layers take turns in: where layer `l` leaves its values.
inline float* stack_scratch(size_t l, const std::vector<ConvReluLayer>& layers, index_t images) {
  index_t size = 0;
  for (const ConvReluLayer& layer : layers) size = std::max(size, images * output_floats(layer.geometry));
  return scratch(4 + static_cast<int>(l % 2), size);
}

// Bits of relu, `bytes` of them to a pixel.
struct PassedBits {
  std::uint8_t* words;
  index_t bytes;

  PassedBits(const std::int32_t* words, const Conv2DGeometry& g)
      : words(reinterpret_cast<std::uint8_t*>(const_cast<std::int32_t*>(words))), bytes(passed_words(g) * 4) {}

  // A tile's NR bits of a pixel, from channel j0 on; tiles of a pixel come in order.
  EAT_ALWAYS_INLINE void put(index_t pixel, index_t j0, std::uint32_t bits) const {
    std::uint8_t* row = words + pixel * bytes;
    if constexpr (NR == 32) {
      std::memcpy(row + j0 / 8, &bits, 4);
      return;
    }
    if (j0 == 0) std::fill(row, row + bytes, std::uint8_t{0});
    for (index_t j = j0; bits != 0; j += 4, bits >>= 4) row[j / 8] |= static_cast<std::uint8_t>((bits & 15) << j % 8);
  }

  EAT_ALWAYS_INLINE M get(index_t pixel, index_t j) const {
    const std::uint8_t* from = words + pixel * bytes + j / 8;
    if constexpr (W == 16) {
      std::uint16_t both;
      std::memcpy(&both, from, 2);
      return mask_of(both);
    } else {
      return mask_of(static_cast<unsigned>(W == 4 ? *from >> j % 8 : *from));
    }
  }

  // In each chosen tile, 0 where a bit is not set.
  EAT_ALWAYS_INLINE void operator()(Accumulators& c, index_t count, index_t j0, const index_t* pixels) const {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i >= count) continue;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        if (j0 + j * W < bytes * 8) c[i][j] = select(get(pixels[i], j0 + j * W), c[i][j], zero());
      }
    }
  }
};

// max(0, x + bias), stored, and its bits.
struct ReluEpilogue {
  float* out;
  index_t rows, columns;
  const float* bias;
  PassedBits passed;

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) const {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i0 + i >= rows) continue;
      float* row = out + (i0 + i) * columns + j0;
      std::uint32_t open = 0;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t left = columns - j0 - j * W;
        if (left <= 0) continue;
        const int n = static_cast<int>(std::min<index_t>(left, W));
        const F value = max(zero(), add(c[i][j], n == W ? load(bias + j0 + j * W) : load_partial(bias + j0 + j * W, n)));
        if (n == W) store(row + j * W, value); else store_partial(row + j * W, value, n);
        open |= (bits(lt(zero(), value)) & ((1u << n) - 1)) << j * W;
      }
      passed.put(i0 + i, j0, open);
    }
  }
};

inline void conv_relu_stack(const Run& run, const ConvReluStack& p) {
  const index_t batch = p.layers[0].geometry.batch, together = stack_images(run, p.layers);
  std::deque<PackedPanels> filters;
  for (const ConvReluLayer& layer : p.layers) {
    const Conv2DGeometry& g = layer.geometry;
    filters.emplace_back(g.out_channels, g.filter_height * g.filter_width * g.in_channels);
    filters.back().pack(run, Columns{layer.filter, g.out_channels, g.out_channels});
  }
  parallel_for(run, ceil_div(batch, together), [&](index_t task) {
    const index_t first = task * together, count = std::min(together, batch - first);
    const float* x = p.input + first * input_floats(p.layers[0].geometry);
    const std::int32_t* passed = p.passed;
    for (size_t l = 0; l < p.layers.size(); l++) {
      const Conv2DGeometry g = of_images(p.layers[l].geometry, count);
      const bool last = l + 1 == p.layers.size();
      float* y = last ? p.out + first * output_floats(g) : stack_scratch(l, p.layers, together);
      const index_t pixels = g.out_height * g.out_width, rows = count * pixels;
      const index_t chunk = chunk_rows(rows, g.out_channels, filters[l].depth);
      const PatchGrid grid = forward_grid(g, x);
      for (index_t row0 = 0; row0 < rows; row0 += chunk) {
        const index_t some = std::min(chunk, rows - row0);
        const PassedBits here(passed + (first * pixels + row0) * passed_words(g), g);
        ReluEpilogue epilogue{y + row0 * g.out_channels, some, g.out_channels, p.layers[l].bias, here};
        multiply_chunk(PatchRows{grid, rows, l > 0}, row0, some, filters[l], 0, filters[l].panels, epilogue);
      }
      passed += passed_size(p.layers[l].geometry);
      x = y;
    }
  });
}

// `to` is `from` where the bit is set, else 0; of whole pixels.
inline void let_pass(const float* from, const PassedBits& passed, index_t pixels, index_t channels, float* to) {
  for (index_t pixel = 0; pixel < pixels; pixel++) {
    for (index_t j = 0; j < channels; j += W) {
      const int n = static_cast<int>(std::min<index_t>(W, channels - j));
      const index_t at = pixel * channels + j;
      store_partial(to + at, select(passed.get(pixel, j), load_partial(from + at, n), zero()), n);
    }
  }
}

// The gradient by a layer's input, 0 where `below`, the bits of the layer under it, says so.
struct StackGradient {
  Conv2DGeometry g;
  const float *filter, *dy;
  float* dx;

  template <class Shut>
  void by_phases(const std::deque<InputPhase>& phases, const Shut& shut) const {
    for (const InputPhase& phase : phases) {
      const PatchGrid grid = phase.patches(g, dy);
      const index_t rows = phase.rows(g), chunk = chunk_rows(rows, g.in_channels, phase.panels.depth);
      for (index_t row0 = 0; row0 < rows; row0 += chunk) {
        const index_t some = std::min(chunk, rows - row0);
        InputRows<Shut> epilogue{g, phase, row0, some, dx, shut};
        multiply_chunk(PatchRows{grid, rows, true}, row0, some, phase.panels, 0, phase.panels.panels, epilogue);
      }
    }
  }

  void by_gathering() const {
    for (index_t i = 0; i < g.batch; i++) input_by_gathering(g, filter, dy + i * output_floats(g), dx + i * input_floats(g));
  }
};

inline void conv_relu_stack_backprop_input(const Run& run, const ConvReluStackBackpropInput& p) {
  const index_t batch = p.layers[0].geometry.batch, together = stack_images(run, p.layers);
  std::deque<std::deque<InputPhase>> phases;
  std::vector<const std::int32_t*> passed;
  for (const ConvReluLayer& layer : p.layers) {
    const Conv2DGeometry& g = layer.geometry;
    phases.push_back(few_input_channels(g) ? std::deque<InputPhase>{} : input_phases(run, g, layer.filter));
    passed.push_back(passed.empty() ? p.passed : passed.back() + passed_size(p.layers[passed.size() - 1].geometry));
  }
  parallel_for(run, ceil_div(batch, together), [&](index_t task) {
    const index_t first = task * together, count = std::min(together, batch - first);
    // Where layer l's gradient lies, and its bits.
    const auto bits_of = [&](size_t l) {
      const Conv2DGeometry& g = p.layers[l].geometry;
      return PassedBits(passed[l] + first * g.out_height * g.out_width * passed_words(g), g);
    };
    const size_t top = p.layers.size() - 1;
    float* d = stack_scratch(top, p.layers, together);
    const Conv2DGeometry& out = p.layers[top].geometry;
    let_pass(p.dy + first * output_floats(out), bits_of(top), count * out.out_height * out.out_width, out.out_channels, d);
    for (size_t l = top + 1; l-- > 0;) {
      const Conv2DGeometry g = of_images(p.layers[l].geometry, count);
      float* dx = l == 0 ? p.out + first * input_floats(g) : stack_scratch(l - 1, p.layers, together);
      const StackGradient gradient{g, p.layers[l].filter, d, dx};
      if (few_input_channels(g)) {
        gradient.by_gathering();
        if (l > 0) let_pass(dx, bits_of(l - 1), count * g.in_height * g.in_width, g.in_channels, dx);
      } else if (l > 0) {
        gradient.by_phases(phases[l], bits_of(l - 1));
      } else {
        gradient.by_phases(phases[l], NothingShut{});
      }
      d = dx;
    }
  });
}
