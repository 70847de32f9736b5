// Filters of Winograd's convolutions (products.inl): each(panel, to) calls to(channel, vector, taps) for every channel and every vector
// of the panel's NR columns, with the nine taps of W columns; columns that there are not are zero.

// A filter as conv2d reads it.
struct ForwardFilter {
  const float* filter;
  index_t channels, columns;

  template <class To>
  void each(index_t panel, const To& to) const {
    for (index_t k = 0; k < channels; k++) {
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t column = panel * NR + j * W;
        const int lanes = static_cast<int>(std::clamp<index_t>(columns - column, 0, W));
        F g[9];
#pragma GCC unroll 9
        for (int tap = 0; tap < 9; tap++) {
          const float* from = filter + (tap * channels + k) * columns + column;
          g[tap] = lanes == W ? load(from) : lanes == 0 ? zero() : load_partial(from, lanes);
        }
        to(k, j, g);
      }
    }
  }
};

// The same filter turned around, input and output channels exchanged: what conv2d's gradient by its input is the convolution with.
struct BackwardFilter {
  const float* filter;
  index_t channels, columns;  // of the gradient that is read, and of that which is written

  template <class To>
  void each(index_t panel, const To& to) const {
    for (index_t k0 = 0; k0 < channels; k0 += W) {
      const int deep = static_cast<int>(std::min<index_t>(W, channels - k0));
      for (int j = 0; j < NV; j++) {
        const index_t column = panel * NR + j * W;
        F taps[9][W];
        for (int tap = 0; tap < 9; tap++) {
          for (int i = 0; i < W; i++) {
            const float* from = filter + ((8 - tap) * columns + column + i) * channels + k0;
            taps[tap][i] = column + i >= columns ? zero() : deep == W ? load(from) : load_partial(from, deep);
          }
          transpose(taps[tap]);
        }
        for (int k = 0; k < deep; k++) {
          F g[9];
          for (int tap = 0; tap < 9; tap++) g[tap] = taps[tap][k];
          to(k0 + k, j, g);
        }
      }
    }
  }
};
