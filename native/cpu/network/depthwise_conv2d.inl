// depthwise_conv2d and its gradients: channels in lanes, a pixel's taps one after the other.

inline void depthwise_conv2d(const Run& run, const DepthwiseConv2D& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t channels = g.in_channels;
  parallel_for(run, g.batch * g.out_height, [&](index_t task) {
    const float* image = p.input + task / g.out_height * g.in_height * g.in_width * channels;
    float* out = p.out + task * g.out_width * channels;
    const index_t top = task % g.out_height * g.stride_height - g.pad_top;
    for_column_groups(channels, [&](auto group, index_t c) {
      constexpr int J = decltype(group)::vectors;
      F bias[J] = {};
      if (p.bias != nullptr) group.read(p.bias + c, bias);
      for (index_t ox = 0; ox < g.out_width; ox++) {
        F sum[J] = {}, x[J], w[J];
        for (index_t i = 0; i < g.filter_height; i++) {
          const index_t y = top + i * g.dilation_height;
          if (y < 0 || y >= g.in_height) continue;
          for (index_t j = 0; j < g.filter_width; j++) {
            const index_t column = ox * g.stride_width - g.pad_left + j * g.dilation_width;
            if (column < 0 || column >= g.in_width) continue;
            group.read(image + (y * g.in_width + column) * channels + c, x);
            group.read(p.filter + (i * g.filter_width + j) * channels + c, w);
#pragma GCC unroll 4
            for (int v = 0; v < J; v++) sum[v] = fma(x[v], w[v], sum[v]);
          }
        }
#pragma GCC unroll 4
        for (int v = 0; v < J; v++) sum[v] = activate(add(sum[v], bias[v]), p.activation);
        group.write(out + ox * channels + c, sum);
      }
    });
  });
}

// Each input pixel gathers the outputs whose windows hold it.
inline void depthwise_conv2d_backprop_input(const Run& run, const DepthwiseConv2DBackpropInput& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t channels = g.in_channels;
  parallel_for(run, g.batch * g.in_height, [&](index_t task) {
    const float* dy = p.dy + task / g.in_height * g.out_height * g.out_width * channels;
    float* out = p.out + task * g.in_width * channels;
    const index_t row = task % g.in_height + g.pad_top;
    for_column_groups(channels, [&](auto group, index_t c) {
      constexpr int J = decltype(group)::vectors;
      for (index_t x = 0; x < g.in_width; x++) {
        F sum[J] = {}, d[J], w[J];
        for (index_t i = 0; i < g.filter_height; i++) {
          const index_t y = row - i * g.dilation_height, oy = y / g.stride_height;
          if (y < 0 || y % g.stride_height != 0 || oy >= g.out_height) continue;
          for (index_t j = 0; j < g.filter_width; j++) {
            const index_t column = x + g.pad_left - j * g.dilation_width, ox = column / g.stride_width;
            if (column < 0 || column % g.stride_width != 0 || ox >= g.out_width) continue;
            group.read(dy + (oy * g.out_width + ox) * channels + c, d);
            group.read(p.filter + (i * g.filter_width + j) * channels + c, w);
#pragma GCC unroll 4
            for (int v = 0; v < J; v++) sum[v] = fma(d[v], w[v], sum[v]);
          }
        }
        group.write(out + x * channels + c, sum);
      }
    });
  });
}

// Adds one image's share of the gradient at one tap.
template <class Group>
EAT_ALWAYS_INLINE void add_depthwise_tap(const DepthwiseConv2DBackpropFilter& p, index_t image, index_t tap, Group group,
                                         index_t c, float* sums) {
  constexpr int J = Group::vectors;
  const Conv2DGeometry& g = p.geometry;
  const index_t channels = g.in_channels;
  const float* input = p.input + image * g.in_height * g.in_width * channels + c;
  const float* dy = p.dy + image * g.out_height * g.out_width * channels + c;
  F sum[J], x[J], d[J];
  group.read(sums, sum);
  for (index_t oy = 0; oy < g.out_height; oy++) {
    const index_t y = oy * g.stride_height - g.pad_top + tap / g.filter_width * g.dilation_height;
    if (y < 0 || y >= g.in_height) continue;
    for (index_t ox = 0; ox < g.out_width; ox++) {
      const index_t column = ox * g.stride_width - g.pad_left + tap % g.filter_width * g.dilation_width;
      if (column < 0 || column >= g.in_width) continue;
      group.read(input + (y * g.in_width + column) * channels, x);
      group.read(dy + (oy * g.out_width + ox) * channels, d);
#pragma GCC unroll 4
      for (int v = 0; v < J; v++) sum[v] = fma(x[v], d[v], sum[v]);
    }
  }
  group.write(sums, sum);
}

// Ranges of images have sums of their own, added in order.
inline void depthwise_conv2d_backprop_filter(const Run& run, const DepthwiseConv2DBackpropFilter& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t taps = g.filter_height * g.filter_width, size = taps * g.in_channels;
  const index_t images = ceil_div(g.batch, 16), ranges = ceil_div(g.batch, images);
  const Buffer memory(static_cast<size_t>(ranges * size) * sizeof(float));
  parallel_for(run, ranges, [&](index_t r) {
    float* sums = memory.as<float>() + r * size;
    std::fill(sums, sums + size, 0.0f);
    for (index_t n = r * images; n < std::min(g.batch, (r + 1) * images); n++) {
      for_column_groups(g.in_channels, [&](auto group, index_t c) {
        for (index_t t = 0; t < taps; t++) add_depthwise_tap(p, n, t, group, c, sums + t * g.in_channels + c);
      });
    }
  });
  for (index_t i = 0; i < size; i++) {
    float sum = 0;
    for (index_t r = 0; r < ranges; r++) sum += memory.as<float>()[r * size + i];
    p.out[i] = sum;
  }
}
