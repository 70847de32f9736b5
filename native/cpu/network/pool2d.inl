// Pooling: a window's positions one after the other, channels in lanes.

// Rows and columns of the window at output (y, x) that lie inside the image: [first, last) in steps of the dilation.
struct PoolWindow {
  index_t row0, row1, column0, column1;

  PoolWindow(const Conv2DGeometry& g, index_t y, index_t x) {
    inside(y * g.stride_height - g.pad_top, g.filter_height, g.dilation_height, g.in_height, row0, row1);
    inside(x * g.stride_width - g.pad_left, g.filter_width, g.dilation_width, g.in_width, column0, column1);
  }
  static void inside(index_t corner, index_t taps, index_t dilation, index_t size, index_t& first, index_t& last) {
    first = corner < 0 ? corner + ceil_div(-corner, dilation) * dilation : corner;
    last = std::min(size, corner + (taps - 1) * dilation + 1);
  }
  // body(offset of the position's channels in the image).
  template <class Body>
  EAT_ALWAYS_INLINE void each(const Conv2DGeometry& g, Body&& body) const {
    for (index_t r = row0; r < row1; r += g.dilation_height) {
      for (index_t c = column0; c < column1; c += g.dilation_width) body((r * g.in_width + c) * g.in_channels);
    }
  }
};

EAT_ALWAYS_INLINE void pool_pixel(const Pool2D& p, const PoolWindow& window, const float* image, float* out) {
  const Conv2DGeometry& g = p.geometry;
  for (index_t c = 0; c < g.in_channels; c += W) {
    const ColumnGroup<1> group{static_cast<int>(std::min<index_t>(W, g.in_channels - c))};
    F acc[1] = {p.op == PoolOp::max ? set1(-std::numeric_limits<float>::infinity()) : zero()}, v[1];
    index_t count = 0;
    window.each(g, [&](index_t offset) {
      group.read(image + offset + c, v);
      acc[0] = p.op == PoolOp::max ? select(lt(acc[0], v[0]), v[0], acc[0]) : add(acc[0], v[0]);
      count++;
    });
    if (p.op == PoolOp::average) acc[0] = div(acc[0], set1(static_cast<float>(count)));
    group.write(out + c, acc);
  }
}

inline void pool2d(const Run& run, const Pool2D& p) {
  const Conv2DGeometry& g = p.geometry;
  parallel_for(run, g.batch * g.out_height, [&](index_t task) {
    const float* image = p.x + task / g.out_height * g.in_height * g.in_width * g.in_channels;
    float* out = p.out + task * g.out_width * g.in_channels;
    for (index_t x = 0; x < g.out_width; x++) {
      pool_pixel(p, PoolWindow(g, task % g.out_height, x), image, out + x * g.in_channels);
    }
  });
}

// Adds one output pixel's gradient to the positions of its window that it came from.
EAT_ALWAYS_INLINE void pool_pixel_gradient(const Pool2DGradient& p, const PoolWindow& window, const float* image,
                                           const float* dy, float* dx) {
  const Conv2DGeometry& g = p.geometry;
  const F share = set1(1.0f / static_cast<float>(g.filter_height * g.filter_width));
  for (index_t c = 0; c < g.in_channels; c += W) {
    const ColumnGroup<1> group{static_cast<int>(std::min<index_t>(W, g.in_channels - c))};
    F upstream[1], best = set1(-std::numeric_limits<float>::infinity()), v[1];
    I chosen = iset1(-1);
    group.read(dy + c, upstream);
    std::int32_t position = 0;
    if (p.op == PoolOp::max) {
      window.each(g, [&](index_t offset) {
        group.read(image + offset + c, v);
        chosen = iselect(lt(best, v[0]), iset1(position++), chosen);
        best = select(lt(best, v[0]), v[0], best);
      });
      position = 0;
    }
    window.each(g, [&](index_t offset) {
      group.read(dx + offset + c, v);
      const F given = p.op == PoolOp::max ? select(ieq(chosen, iset1(position++)), upstream[0], zero()) : mul(upstream[0], share);
      v[0] = add(v[0], given);
      group.write(dx + offset + c, v);
    });
  }
}

// One task per image: windows overlap within an image only.
inline void pool2d_gradient(const Run& run, const Pool2DGradient& p) {
  const Conv2DGeometry& g = p.geometry;
  const index_t in_size = g.in_height * g.in_width * g.in_channels, out_size = g.out_height * g.out_width * g.in_channels;
  parallel_for(run, g.batch, [&](index_t n) {
    const float* image = p.op == PoolOp::max ? p.x + n * in_size : nullptr;
    float* dx = p.dx + n * in_size;
    std::fill(dx, dx + in_size, 0.0f);
    for (index_t y = 0; y < g.out_height; y++) {
      for (index_t x = 0; x < g.out_width; x++) {
        const float* dy = p.dy + n * out_size + (y * g.out_width + x) * g.in_channels;
        pool_pixel_gradient(p, PoolWindow(g, y, x), image, dy, dx);
      }
    }
  });
}
