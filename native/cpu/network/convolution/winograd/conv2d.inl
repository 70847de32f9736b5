// conv2d and its gradient by its input by Winograd, and what they store.

// With bias and activation.
struct WinogradStore {
  static constexpr bool by_panels = true;
  float* out;
  index_t columns;
  const float* bias;
  Activation activation;

  EAT_ALWAYS_INLINE void operator()(index_t pixel, index_t column, int lanes, F value) const {
    float* to = out + pixel * columns + column;
    if (lanes == W) {
      if (bias != nullptr) value = add(value, load(bias + column));
      store(to, activate(value, activation));
    } else {
      if (bias != nullptr) value = add(value, load_partial(bias + column, lanes));
      store_partial(to, activate(value, activation), lanes);
    }
  }
};

// max(0, x + bias), or max(0, x + bias + sum), and its bits, which are clear before.
struct WinogradReluStore {
  static constexpr bool by_panels = NR % 8 == 0;  // else two panels may share a byte
  float* out;
  index_t columns;
  const float* bias;
  const float* sum;
  ReluMask mask;

  EAT_ALWAYS_INLINE void operator()(index_t pixel, index_t column, int lanes, F value) const {
    float* to = out + pixel * columns + column;
    value = add(value, load_lanes(bias + column, lanes));
    if (sum != nullptr) value = add(value, load_lanes(sum + pixel * columns + column, lanes));
    value = activate(value, Activation::relu);
    if (lanes == W) store(to, value); else store_partial(to, value, lanes);
    mask.add(pixel, column, bits(lt(zero(), value)) & ((1u << lanes) - 1));
  }
};

// What the mask lets pass.
template <class Mask>
struct WinogradMaskStore {
  static constexpr bool by_panels = true;
  float* out;
  index_t columns;
  const Mask& mask;

  EAT_ALWAYS_INLINE void operator()(index_t pixel, index_t column, int lanes, F value) const {
    float* to = out + pixel * columns + column;
    value = mask.pass(pixel, column, lanes, value);
    if (lanes == W) store(to, value); else store_partial(to, value, lanes);
  }
};

template <class Store>
inline void winograd_forward(const Run& run, const Conv2DGeometry& g, int outputs, const float* input, const float* filter,
                             const Store& store) {
  const WinogradShape shape{input, g.batch, g.in_height, g.in_width, g.in_channels, g.out_height, g.out_width, g.out_channels,
                            g.pad_top, g.pad_left};
  winograd(run, outputs, shape, ForwardFilter{filter, g.in_channels, g.out_channels}, store);
}

template <class Store>
inline void winograd_backward(const Run& run, const Conv2DGeometry& g, int outputs, const float* dy, const float* filter,
                              const Store& store) {
  const WinogradShape shape{dy, g.batch, g.out_height, g.out_width, g.out_channels, g.in_height, g.in_width, g.in_channels,
                            2 - g.pad_top, 2 - g.pad_left};
  winograd(run, outputs, shape, BackwardFilter{filter, g.out_channels, g.in_channels}, store);
}
