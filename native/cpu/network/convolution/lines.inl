// Convolutions of images with few channels (a network's first layer). The patches of an output line are, tap row by tap row, runs of
// an input line, a fixed stride apart: the kernel reads them where they lie, in lines that were copied once with their margins of
// zeros. The chain of fused multiply-adds of an element is that of gemm.inl: same bits.

struct ConvolvedLines {
  const Conv2D& p;
  const Conv2DGeometry& g;
  index_t run, step, width, line;  // floats: of a tap row, between patches, of an input line, of one with its margins
  index_t band, bands;             // output lines to a task; tasks of one image

  static bool serves(const Conv2DGeometry& g) {
    if (g.in_channels > 4 || g.dilation_height != 1 || g.dilation_width != 1 || g.out_width < MR) return false;
    // A stride may make a line far longer than the image's.
    const double length = static_cast<double>(g.out_width + MR) * static_cast<double>(g.stride_width * g.in_channels);
    return length * static_cast<double>(g.filter_height + g.stride_height) <= 262144;
  }

  explicit ConvolvedLines(const Conv2D& p)
      : p(p), g(p.geometry), run(g.filter_width * g.in_channels), step(g.stride_width * g.in_channels),
        width(g.in_width * g.in_channels), line((ceil_div(g.out_width, MR) * MR - 1) * step + run + W),
        band(std::clamp<index_t>(16384 / (line * g.stride_height), 1, g.out_height)), bands(ceil_div(g.out_height, band)) {}

  // Input line y as output lines meet it; zeros outside the image.
  void copy_line(const float* image, index_t y, float* to) const {
    const index_t margin = g.pad_left * g.in_channels;
    const index_t from = std::max<index_t>(0, -margin), end = std::min(width, line - margin);
    if (y < 0 || y >= g.in_height || from >= end) {
      std::fill_n(to, line, 0.0f);
      return;
    }
    std::fill(to, to + from + margin, 0.0f);
    std::copy(image + y * width + from, image + y * width + end, to + from + margin);
    std::fill(to + end + margin, to + line, 0.0f);
  }

  // Input lines that so many output lines meet.
  index_t lines_of(index_t outputs) const { return (outputs - 1) * g.stride_height + g.filter_height; }

  void convolve_band(index_t task, const PackedPanels& panels) const {
    const index_t image = task / bands, first = task % bands * band, last = std::min(g.out_height, first + band);
    const index_t count = lines_of(last - first);
    float* lines = scratch(0, lines_of(band) * line);
    for (index_t i = 0; i < count; i++) {
      copy_line(p.input + image * g.in_height * width, first * g.stride_height - g.pad_top + i, lines + i * line);
    }
    for (index_t y = first; y < last; y++) {
      StoreEpilogue epilogue{p.out + (image * g.out_height + y) * g.out_width * g.out_channels,
                             g.out_channels, g.out_width, g.out_channels, p.bias, p.activation};
      for (index_t panel = 0; panel < panels.panels; panel++) {
        for (index_t x = 0; x < g.out_width; x += MR) {
          Accumulators c;
          clear(c);
          const float* from = lines + (y - first) * g.stride_height * line + x * step;
          for (index_t i = 0; i < g.filter_height; i++) {
            multiply_strided(c, from + i * line, step, panels.block(0, panels.depth, panel) + i * run * NR, run);
          }
          epilogue.tile(c, x, panel * NR);
        }
      }
    }
  }
};

inline void conv2d_lines(const Run& run, const Conv2D& p, const PackedPanels& panels) {
  const ConvolvedLines lines(p);
  parallel_for(run, p.geometry.batch * lines.bands, [&](index_t task) { lines.convolve_band(task, panels); });
}
