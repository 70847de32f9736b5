// Convolutions that Winograd takes, forward and back, and in a stack. Included by driver.cc.
#pragma once

struct MapShape { index_t batch, height, width, in, out, pad, tile; };
// Tiles of 4 and of 2, channels that vectors do not divide; many tiles; filters so large that tasks go by their columns, many or few.
const MapShape kMaps[] = {{3, 9, 14, 19, 37, 1, 4}, {5, 5, 6, 8, 16, 1, 2}, {3, 8, 7, 16, 40, 2, 2},
                          {9, 30, 28, 8, 24, 1, 4}, {2, 4, 4, 256, 260, 1, 4}, {9, 4, 4, 2048, 32, 1, 4}};

Conv2DGeometry geometry_of(const MapShape& m) {
  Conv2DGeometry g;
  g.batch = m.batch, g.in_height = m.height, g.in_width = m.width, g.in_channels = m.in, g.out_channels = m.out;
  g.out_height = m.height + 2 * m.pad - 2, g.out_width = m.width + 2 * m.pad - 2;
  g.filter_height = g.filter_width = 3, g.pad_top = g.pad_left = m.pad;
  return g;
}

enum class Pass { forward, input, filter };

// The largest error of a pass's `out` as a share of the root mean square.
double error_of(const Conv2DGeometry& g, const Floats& from, const Floats& w, const Floats& dy, const Floats& out, Pass pass) {
  std::vector<double> sums(out.size(), 0.0);
  const index_t in = g.in_channels, o = g.out_channels;
  for (index_t pixel = 0; pixel < g.batch * g.out_height * g.out_width; pixel++) {
    for (index_t tap = 0; tap < 9; tap++) {
      const index_t n = pixel / (g.out_height * g.out_width), y = pixel / g.out_width % g.out_height + tap / 3 - g.pad_top;
      const index_t x = pixel % g.out_width + tap % 3 - g.pad_left;
      if (y < 0 || y >= g.in_height || x < 0 || x >= g.in_width) continue;
      const index_t source = (n * g.in_height + y) * g.in_width + x;
      for (index_t c = 0; c < in; c++) {
        const size_t at = static_cast<size_t>((tap * in + c) * o), to = static_cast<size_t>(source * in + c);
        for (index_t k = 0; k < o; k++) {
          const size_t y = static_cast<size_t>(pixel * o + k), tap_of = at + static_cast<size_t>(k);
          if (pass == Pass::forward) sums[y] += static_cast<double>(w[tap_of]) * from[to];
          if (pass == Pass::input) sums[to] += static_cast<double>(w[tap_of]) * dy[y];
          if (pass == Pass::filter) sums[tap_of] += static_cast<double>(from[to]) * dy[y];
        }
      }
    }
  }
  double worst = 0, squares = 0;
  for (size_t i = 0; i < sums.size(); i++) {
    worst = std::max(worst, std::fabs(out[i] - sums[i]));
    squares += sums[i] * sums[i];
  }
  return worst / std::sqrt(squares / static_cast<double>(sums.size()));
}

Outputs maps(const Run& run, bool judge) {
  Outputs all;
  for (const MapShape& m : kMaps) {
    const Conv2DGeometry g = geometry_of(m);
    const Floats x = random_floats(g.batch * g.in_height * g.in_width * m.in, 30), w = random_floats(9 * m.in * m.out, 31);
    const Floats dy = random_floats(g.batch * g.out_height * g.out_width * g.out_channels, 32);
    Floats y(dy.size()), dx(x.size()), dw(w.size());
    kernels().conv2d(run, {g, x.data(), w.data(), nullptr, Activation::none, y.data()});
    kernels().conv2d_backprop_input(run, {g, dy.data(), w.data(), dx.data()});
    kernels().conv2d_backprop_filter(run, {g, x.data(), dy.data(), dw.data()});
    const double bound = m.tile == 2 ? 1e-5 : 5e-5;
    const auto fine = [&](const Floats& values, Pass pass) { return error_of(g, x, w, dy, values, pass) <= bound; };
    if (judge) check(fine(y, Pass::forward) && fine(dx, Pass::input) && fine(dw, Pass::filter), "Winograd's errors");
    all.insert(all.end(), {y, dx, dw});
  }
  return all;
}

// Two layers of tiles and one of stride 2 between them are, in a stack, what they are one after the other.
Outputs tiled_stack(const Run& run, bool judge) {
  Conv2DGeometry g[3] = {geometry_of({5, 10, 12, 8, 40, 1, 4}), geometry_of({5, 10, 12, 40, 48, 1, 4}), geometry_of({5, 5, 6, 48, 33, 1, 2})};
  g[1].stride_height = g[1].stride_width = 2, g[1].pad_top = g[1].pad_left = 0, g[1].out_height = 5, g[1].out_width = 6;
  std::vector<ConvReluLayer> layers;
  Floats filters[3], biases[3], values[4] = {random_floats(5 * 10 * 12 * 8, 33)};
  index_t words = 0;
  for (int l = 0; l < 3; l++) {
    filters[l] = random_floats(9 * g[l].in_channels * g[l].out_channels, 34 + l), biases[l] = random_floats(g[l].out_channels, 37 + l);
    values[l + 1].resize(static_cast<size_t>(5 * g[l].out_height * g[l].out_width * g[l].out_channels));
    layers.push_back({g[l], filters[l].data(), biases[l].data()});
    words += passed_size(g[l]);
    kernels().conv2d(run, {g[l], values[l].data(), filters[l].data(), biases[l].data(), Activation::relu, values[l + 1].data()});
  }
  const Floats dy = random_floats(static_cast<index_t>(values[3].size()), 40);
  Floats out(values[3].size()), gradient(values[0].size()), d = dy;
  // What is not written shows: bits are of what there is, and words are full.
  std::vector<std::int32_t> passed(static_cast<size_t>(words), -1);
  kernels().conv_relu_stack(run, {layers, values[0].data(), out.data(), passed.data()});
  kernels().conv_relu_stack_backprop_input(run, {layers, dy.data(), passed.data(), gradient.data()});
  for (int l = 2; l >= 0; l--) {
    for (size_t i = 0; i < d.size(); i++) d[i] = values[l + 1][i] > 0 ? d[i] : 0;
    Floats below(values[l].size());
    kernels().conv2d_backprop_input(run, {g[l], d.data(), filters[l].data(), below.data()});
    d = below;
  }
  if (judge) check(same_bits({out, gradient}, {values[3], d}), "a stack with Winograd is its layers");
  return {out, gradient, as_floats(passed)};
}
