// Residual blocks. Included by driver.cc.

// A stack with a sum, which is its input, is its layers with the sum before the last relu, to the bit, and so is its gradient.
// `channels` outside, `inner` inside, filters of `side`.
Outputs residual_block(const Run& run, bool judge, index_t channels, index_t inner, index_t side) {
  Conv2DGeometry g[2];
  for (Conv2DGeometry& each : g) {
    each.batch = 5, each.in_height = each.out_height = 9, each.in_width = each.out_width = 8;
    each.filter_height = each.filter_width = side, each.pad_top = each.pad_left = side / 2;
  }
  g[0].in_channels = g[1].out_channels = channels, g[0].out_channels = g[1].in_channels = inner;
  const index_t outer = 5 * 9 * 8 * channels, middle = 5 * 9 * 8 * inner, filter = side * side * channels * inner;
  const Floats x = random_floats(outer, 50), w1 = random_floats(filter, 51), w2 = random_floats(filter, 52);
  const Floats b1 = random_floats(inner, 53), b2 = random_floats(channels, 54), dy = random_floats(outer, 55);
  const std::vector<ConvReluLayer> layers = {{g[0], w1.data(), b1.data()}, {g[1], w2.data(), b2.data()}};
  std::vector<std::int32_t> passed(static_cast<size_t>(passed_size(g[0]) + passed_size(g[1])), -1);
  Floats out(x.size()), gradient(x.size()), masked(x.size()), alone(x.size()), y1(static_cast<size_t>(middle)), y2(x.size()), d1(y1.size()), dx(x.size());
  kernels().conv_relu_stack(run, {layers, x.data(), out.data(), passed.data(), x.data()});
  kernels().conv_relu_stack_backprop_input(run, {layers, dy.data(), passed.data(), gradient.data(), true});
  kernels().conv_relu_stack_backprop_input(run, {layers, dy.data(), passed.data(), alone.data(), false, masked.data()});
  kernels().conv2d(run, {g[0], x.data(), w1.data(), b1.data(), Activation::relu, y1.data()});
  kernels().conv2d(run, {g[1], y1.data(), w2.data(), b2.data(), Activation::none, y2.data()});
  Floats d2 = dy;
  for (size_t i = 0; i < y2.size(); i++) {
    y2[i] = std::max(0.0f, y2[i] + x[i]);
    if (!(y2[i] > 0)) d2[i] = 0;
  }
  kernels().conv2d_backprop_input(run, {g[1], d2.data(), w2.data(), d1.data()});
  for (size_t i = 0; i < y1.size(); i++) d1[i] = y1[i] > 0 ? d1[i] : 0;
  kernels().conv2d_backprop_input(run, {g[0], d1.data(), w1.data(), dx.data()});
  Floats both = dx;
  for (size_t i = 0; i < both.size(); i++) both[i] += d2[i];
  if (judge) check(same_bits({out, gradient, alone, masked}, {y2, both, dx, d2}), "a residual block is its layers and its sum");
  return {out, gradient, alone, masked, as_floats(passed)};
}

// Tiled, not tiled, gathered.
Outputs residual_blocks(const Run& run, bool judge) {
  Outputs all;
  for (const auto& [channels, inner, side] : {std::array<index_t, 3>{35, 12, 3}, {64, 35, 1}, {2, 16, 3}}) {
    for (Floats& values : residual_block(run, judge, channels, inner, side)) all.push_back(std::move(values));
  }
  return all;
}
