// The gradient of a convolution by its filter: out[tap, c, o] = sum over output pixels of x[pixel + tap, c] * dy[pixel, o].
// A register tile of GR elements of a patch by up to GV vectors of output channels runs over pairs (place of x, place of dy)
// and reads both where they lie: nothing is packed. Pixels whose tap is outside the image are not in the tap's list.

constexpr int GR = MR >= 8 ? 8 : MR >= 4 ? 4 : MR, GV = NV >= 2 ? 2 : 1;

struct PixelPair { index_t x, dy; };  // offsets in floats

// A list of pairs, and the offsets of a tile's rows from a pair's place in x.
struct FilterTile {
  index_t tap;            // which list
  index_t row;            // first row: place in the filter as [taps * channels, out_channels]
  int rows;               // rows in use; the offsets of the others repeat the first
  bool contiguous;        // offsets are the first one and those after it
  index_t offsets[GR];
};

template <int V, bool Contiguous>
EAT_ALWAYS_INLINE void accumulate_pairs(const PixelPair* pairs, size_t count, const float* x, const float* dy,
                                        const FilterTile& tile, int tail, float* sums) {
  F c[GR][V];
#pragma GCC unroll 8
  for (int i = 0; i < GR; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < V; j++) c[i][j] = load(sums + (i * V + j) * W);
  }
  const float* base = x + tile.offsets[0];
  for (size_t p = 0; p < count; p++) {
    const float* from = (Contiguous ? base : x) + pairs[p].x;
    const float* up = dy + pairs[p].dy;
    F d[V];
#pragma GCC unroll 2
    for (int j = 0; j < V; j++) d[j] = V == 1 && tail < W ? load_partial(up, tail) : load(up + j * W);
#pragma GCC unroll 8
    for (int i = 0; i < GR; i++) {
      const F value = set1(from[Contiguous ? i : tile.offsets[i]]);
#pragma GCC unroll 2
      for (int j = 0; j < V; j++) c[i][j] = fma(value, d[j], c[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < GR; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < V; j++) store(sums + (i * V + j) * W, c[i][j]);
  }
}

// One call's plan: tiles, bands of pixels, ranges of images with partial sums of their own. All by the shape alone.
struct FilterGradient {
  const Conv2DBackpropFilter& p;
  const Conv2DGeometry& g;
  index_t taps, pixels, padded_width, padded_size;
  bool padded;  // few channels: all taps share one list over images with a margin of zeros, where that is not too large
  index_t band, together;  // output pixels per band; images per band where one has fewer
  index_t groups, columns;  // groups of GV vectors of output channels; those with padding
  std::vector<FilterTile> tiles;

  explicit FilterGradient(const Conv2DBackpropFilter& p) : p(p), g(p.geometry) {
    taps = g.filter_height * g.filter_width;
    pixels = g.out_height * g.out_width;
    padded_width = (g.out_width - 1) * g.stride_width + (g.filter_width - 1) * g.dilation_width + 1;
    const index_t padded_height = (g.out_height - 1) * g.stride_height + (g.filter_height - 1) * g.dilation_height + 1;
    // Strides and dilations may make the margin far larger than the image.
    const double size = static_cast<double>(padded_height) * static_cast<double>(padded_width * g.in_channels);
    const double image = static_cast<double>(g.in_height * g.in_width * g.in_channels);
    padded = g.in_channels < GR && size <= std::max(16 * image, 1048576.0);
    padded_size = padded ? padded_height * padded_width * g.in_channels : 0;
    band = std::min(pixels, std::clamp<index_t>(8192 / g.out_channels, 64, 512));
    together = padded ? 1 : std::clamp<index_t>(band / pixels, 1, g.batch);
    groups = ceil_div(g.out_channels, GV * W);
    columns = groups * GV * W;
    if (padded) make_padded_tiles(); else make_tiles();
  }

  void make_tiles() {
    for (index_t t = 0; t < taps; t++) {
      for (index_t c = 0; c < g.in_channels; c += GR) {
        FilterTile tile{t, t * g.in_channels + c, static_cast<int>(std::min<index_t>(GR, g.in_channels - c)), false, {}};
        tile.contiguous = tile.rows == GR;
        for (int i = 0; i < GR; i++) tile.offsets[i] = c + (i < tile.rows ? i : 0);
        tiles.push_back(tile);
      }
    }
  }

  void make_padded_tiles() {
    const index_t rows = taps * g.in_channels;
    for (index_t row = 0; row < rows; row += GR) {
      FilterTile tile{0, row, static_cast<int>(std::min<index_t>(GR, rows - row)), false, {}};
      for (int i = 0; i < GR; i++) {
        const index_t element = row + (i < tile.rows ? i : 0), t = element / g.in_channels;
        const index_t y = t / g.filter_width * g.dilation_height, x = t % g.filter_width * g.dilation_width;
        tile.offsets[i] = (y * padded_width + x) * g.in_channels + element % g.in_channels;
      }
      tiles.push_back(tile);
    }
  }

  // The pairs of one tap for output pixels [first, last) of `images` images that follow each other.
  void list_pairs(index_t tap, index_t first, index_t last, index_t images, std::vector<PixelPair>& pairs) const {
    const index_t width = padded ? padded_width : g.in_width, height = padded ? g.out_height * g.stride_height : g.in_height;
    const index_t dy0 = padded ? 0 : tap / g.filter_width * g.dilation_height - g.pad_top;
    const index_t dx0 = padded ? 0 : tap % g.filter_width * g.dilation_width - g.pad_left;
    const index_t image_size = g.in_height * g.in_width * g.in_channels;
    pairs.clear();
    for (index_t image = 0; image < images; image++) {
      for (index_t pixel = first; pixel < last; pixel++) {
        const index_t y = pixel / g.out_width * g.stride_height + dy0, x = pixel % g.out_width * g.stride_width + dx0;
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        pairs.push_back({image * image_size + (y * width + x) * g.in_channels, (image * pixels + pixel) * g.out_channels});
      }
    }
  }

  // Image n with its margin of zeros, in thread-local memory.
  const float* with_margin(index_t n) const {
    float* to = scratch(2, padded_size);
    std::fill(to, to + padded_size, 0.0f);
    const index_t height = padded_size / (padded_width * g.in_channels);
    const index_t x0 = std::max<index_t>(0, -g.pad_left), x1 = std::min(g.in_width, padded_width - g.pad_left);
    for (index_t y = std::max<index_t>(0, -g.pad_top); y < std::min(g.in_height, height - g.pad_top) && x0 < x1; y++) {
      const float* from = p.input + ((n * g.in_height + y) * g.in_width + x0) * g.in_channels;
      std::copy(from, from + (x1 - x0) * g.in_channels,
                to + ((y + g.pad_top) * padded_width + x0 + g.pad_left) * g.in_channels);
    }
    return to;
  }

  typedef std::vector<std::vector<PixelPair>> Lists;

  // Adds what images [first, last) give to the sums of tiles [tile0, tile1).
  void add_images(index_t first, index_t last, index_t tile0, index_t tile1, float* sums) const {
    if (padded) {
      for (index_t n = first; n < last; n++) add_padded_image(n, tile0, tile1, sums);
      return;
    }
    Lists pairs(static_cast<size_t>(taps));
    for (index_t start = 0; start < pixels; start += band) {
      index_t listed = 0;
      for (index_t n = first; n < last; n += together) {
        const index_t images = std::min(together, last - n);
        if (images != listed) {
          for (index_t t = tiles[tile0].tap; t <= tiles[tile1 - 1].tap; t++) {
            list_pairs(t, start, std::min(pixels, start + band), images, pairs[static_cast<size_t>(t)]);
          }
          listed = images;
        }
        add_band(pairs, p.input + n * g.in_height * g.in_width * g.in_channels, n, tile0, tile1, sums);
      }
    }
  }

  // The margin is made once for all bands.
  void add_padded_image(index_t n, index_t tile0, index_t tile1, float* sums) const {
    const float* x = with_margin(n);
    Lists pairs(1);
    for (index_t start = 0; start < pixels; start += band) {
      list_pairs(0, start, std::min(pixels, start + band), 1, pairs[0]);
      add_band(pairs, x, n, tile0, tile1, sums);
    }
  }

  void add_band(const Lists& pairs, const float* x, index_t n, index_t tile0, index_t tile1, float* sums) const {
    const float* dy = p.dy + n * pixels * g.out_channels;
    for (index_t t = tile0; t < tile1; t++) {
      add_tile(tiles[t], pairs[static_cast<size_t>(tiles[t].tap)], x, dy, sums + t * GR * columns);
    }
  }

  void add_tile(const FilterTile& tile, const std::vector<PixelPair>& pairs, const float* x, const float* dy, float* sums) const {
    for (index_t o = 0; o < g.out_channels;) {
      if (o + GV * W <= g.out_channels) {
        add_vectors<GV>(tile, pairs, x, dy + o, W, sums + o * GR);
        o += GV * W;
      } else {
        add_vectors<1>(tile, pairs, x, dy + o, static_cast<int>(std::min<index_t>(W, g.out_channels - o)), sums + o * GR);
        o += W;
      }
    }
  }

  template <int V>
  void add_vectors(const FilterTile& tile, const std::vector<PixelPair>& pairs, const float* x, const float* dy, int tail,
                   float* sums) const {
    if (tile.contiguous) accumulate_pairs<V, true>(pairs.data(), pairs.size(), x, dy, tile, tail, sums);
    else accumulate_pairs<V, false>(pairs.data(), pairs.size(), x, dy, tile, tail, sums);
  }

  // Element (i, o) of a tile's sums: blocks of GV vectors, the last ones of one vector, [GR][vectors * W] within.
  index_t place(int i, index_t o) const {
    const index_t wide = g.out_channels / (GV * W) * (GV * W);
    const index_t width = o < wide ? GV * W : W;
    return o / width * width * GR + i * width + o % width;
  }

  void run(const Run& run) const {
    const index_t count = static_cast<index_t>(tiles.size()), size = count * GR * columns;
    const index_t ranges = std::clamp<index_t>((index_t{1} << 21) / size, 1, std::min<index_t>(8, g.batch));
    const index_t images = ceil_div(g.batch, ranges), used = ceil_div(g.batch, images);
    const index_t width = ceil_div(count, std::min(count, ceil_div(32, used)));
    const index_t parts = ceil_div(count, width);
    const Buffer memory(static_cast<size_t>(used * size) * sizeof(float));
    parallel_for(run, used * parts, [&](index_t task) {
      const index_t r = task / parts, tile0 = task % parts * width, tile1 = std::min(count, tile0 + width);
      float* sums = memory.as<float>() + r * size;
      std::fill(sums + tile0 * GR * columns, sums + tile1 * GR * columns, 0.0f);
      add_images(r * images, std::min(g.batch, (r + 1) * images), tile0, tile1, sums);
    });
    parallel_for(run, count, [&](index_t t) {
      float* sum = memory.as<float>() + t * GR * columns;
      for (index_t r = 1; r < used; r++) {
        for (index_t e = 0; e < GR * columns; e += W) store(sum + e, add(load(sum + e), load(sum + r * size + e)));
      }
      for (int i = 0; i < tiles[t].rows; i++) {
        for (index_t o = 0; o < g.out_channels; o++) p.out[(tiles[t].row + i) * g.out_channels + o] = sum[place(i, o)];
      }
    });
  }
};
