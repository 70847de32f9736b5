// 3 x 3 convolutions of stride 1 by Winograd (transforms.inl): tiles of the images and the filter are transformed, for each
// point of a tile a product over channels follows, and sums are transformed back where they are stored. An element of a product is
// one chain of fused multiply-adds in the order of channels, and a tile knows nothing of others: same bits for any slicing.

// Floats that a task keeps in L2: of transformed tiles, and of their sums; of transformed tiles that all tasks share; of a transformed
// filter that is read again for every few tiles.
constexpr index_t kWinogradTiles = 147456, kWinogradSums = 131072, kWinogradShared = index_t{1} << 21, kWinogradFilter = index_t{1} << 21;

// A convolution that reads `source` [batch, height, width, channels] and gives [batch, out_height, out_width, columns].
struct WinogradShape {
  const float* source;
  index_t batch, height, width, channels, out_height, out_width, columns, pad_y, pad_x;
};

// How maps fall into tiles.
template <int O>
struct WinogradTiles {
  static constexpr int P = O + 2, points = P * P;
  const WinogradShape& s;
  index_t tiles_y, tiles_x;
  std::vector<float> zeros;

  explicit WinogradTiles(const WinogradShape& s)
      : s(s), tiles_y(ceil_div(s.out_height, O)), tiles_x(ceil_div(s.out_width, O)),
        zeros(static_cast<size_t>(std::max(s.channels, s.columns)) + W, 0.0f) {}

  index_t tiles() const { return s.batch * tiles_y * tiles_x; }

  struct Place { index_t image, y, x; };  // of a tile's first output
  Place place(index_t tile) const {
    const index_t line = tile / tiles_x;
    return {line / tiles_y, line % tiles_y * O, tile % tiles_x * O};
  }

  // Point e of what the tile reads goes to to + e * step.
  void transform_tile(index_t tile, float* to, index_t step) const {
    const Place at = place(tile);
    const float* image = s.source + at.image * s.height * s.width * s.channels;
    const float* pixels[points];
    for (int i = 0; i < P; i++) {
      const index_t y = at.y - s.pad_y + i;
      for (int j = 0; j < P; j++) {
        const index_t x = at.x - s.pad_x + j;
        const bool inside = y >= 0 && y < s.height && x >= 0 && x < s.width;
        pixels[i * P + j] = inside ? image + (y * s.width + x) * s.channels : zeros.data();
      }
    }
    index_t c = 0;
    for (; c + W <= s.channels; c += W) transform_input<O, true>(pixels, c, W, to + c, step);
    if (c < s.channels) transform_input<O, false>(pixels, c, static_cast<int>(s.channels - c), to + c, step);
  }
};

template <int O, class Filter>
struct Winograd : WinogradTiles<O> {
  using Tiles = WinogradTiles<O>;
  using Tiles::P, Tiles::points, Tiles::s, Tiles::tiles, Tiles::place;
  const Filter& filter;
  index_t strips, panels;
  index_t row, strip;    // floats of a tile's point, and of MR tiles: [points][MR][row]
  index_t point, panel;  // floats of a panel's point, and of a panel: [points][channels][NR]

  Winograd(const WinogradShape& s, const Filter& filter)
      : Tiles(s), filter(filter), strips(ceil_div(tiles(), MR)), panels(ceil_div(s.columns, NR)),
        row(ceil_div(s.channels, W) * W + W), strip(points * MR * row), point((s.channels + 1) * NR), panel(points * point) {}

  // Of strip `index` of all; what stands behind the last tile is left as it was.
  void transform_strip(index_t index, float* to) const {
    const index_t count = std::min<index_t>(MR, tiles() - index * MR);
    for (index_t i = 0; i < count; i++) this->transform_tile(index * MR + i, to + i * row, MR * row);
  }

  void transform_panel(index_t index, float* to) const {
    filter.each(index, [&](index_t k, int j, const F (&g)[9]) { transform_filter<O>(g, to + k * NR + j * W, point); });
  }

  // sums [strip][points][MR][NR] of `count` transformed strips and one panel.
  void multiply_strips(const float* v, index_t count, const float* u, float* sums) const {
    for (index_t e = 0; e < points; e++) {
      for (index_t i = 0; i < count; i++) {
        Accumulators c;
        clear(c);
        multiply_strided(c, v + i * strip + e * MR * row, row, u + e * point, s.channels);
        store_tile(c, sums + (i * points + e) * MR * NR);
      }
    }
  }

  // store(pixel, column, lanes, value) gets what the sums of strips [first, first + count) and panel `index` give.
  template <class Store>
  void store_strips(index_t first, index_t count, index_t index, const float* sums, const Store& store) const {
    for (index_t tile = first * MR; tile < std::min(tiles(), (first + count) * MR); tile++) {
      const index_t within = tile - first * MR;
      const float* from = sums + (within / MR * points * MR + within % MR) * NR;
      const auto at = place(tile);
      const index_t high = std::min<index_t>(O, s.out_height - at.y), wide = std::min<index_t>(O, s.out_width - at.x);
      for (int j = 0; j < NV && index * NR + j * W < s.columns; j++) {
        const index_t column = index * NR + j * W, pixel = (at.image * s.out_height + at.y) * s.out_width + at.x;
        const int lanes = static_cast<int>(std::min<index_t>(W, s.columns - column));
        F y[O][O];
        transform_output<O>(from + j * W, MR * NR, y);
#pragma GCC unroll 4
        for (int i = 0; i < O; i++) {
          if (i >= high) continue;
#pragma GCC unroll 4
          for (int k = 0; k < O; k++) {
            if (k < wide) store(pixel + i * s.out_width + k, column, lanes, y[i][k]);
          }
        }
      }
    }
  }

  // A task takes a few strips through all panels: little filter, many tiles.
  template <class Store>
  void by_tiles(const Run& run, const Store& store) const {
    const Buffer filters(static_cast<size_t>(panels * panel) * sizeof(float));
    parallel_for(run, panels, [&](index_t p) { transform_panel(p, filters.as<float>() + p * panel); });
    const index_t together = std::max<index_t>(1, std::min(kWinogradTiles / strip, kWinogradSums / 2 / (points * MR * NR)));
    parallel_for(run, ceil_div(strips, together), [&](index_t task) {
      const index_t first = task * together, count = std::min(together, strips - first);
      float *v = scratch(0, count * strip), *sums = scratch(1, count * points * MR * NR);
      for (index_t i = 0; i < count; i++) transform_strip(first + i, v + i * strip);
      for (index_t p = 0; p < panels; p++) {
        multiply_strips(v, count, filters.as<float>() + p * panel, sums);
        store_strips(first, count, p, sums, store);
      }
    });
  }

  // A task takes a panel, which it transforms, through many strips: much filter, few tiles. Panels that are too few for the threads are
  // taken several times.
  template <class Store>
  void by_panels(const Run& run, const Store& store) const {
    const index_t group = std::min(strips, std::max<index_t>(1, kWinogradShared / strip));
    const index_t together = std::min<index_t>(group, kWinogradSums / (points * MR * NR));
    const Buffer shared(static_cast<size_t>(group * strip) * sizeof(float));
    for (index_t first = 0; first < strips; first += group) {
      const index_t count = std::min(group, strips - first);
      float* v = shared.as<float>();
      parallel_for(run, count, [&](index_t i) { transform_strip(first + i, v + i * strip); });
      const index_t times = std::min<index_t>(count, ceil_div(run.threads, panels)), share = ceil_div(count, times);
      parallel_for(run, panels * times, [&](index_t task) {
        const index_t p = task / times, begin = task % times * share, end = std::min(count, begin + share);
        if (begin >= end) return;
        float *u = scratch(0, panel), *sums = scratch(1, together * points * MR * NR);
        transform_panel(p, u);
        for (index_t i = begin; i < end; i += together) {
          const index_t some = std::min(together, end - i);
          multiply_strips(v + i * strip, some, u, sums);
          store_strips(first + i, some, p, sums, store);
        }
      });
    }
  }
};

// Whether Winograd may run is settled once, for what one part of a kernel plans another part relies on: by forbid_winograd or, if that comes
// too late, by EAT_DML_WINOGRAD at the first convolution that could use it.
enum class WinogradChoice { open, allowed, forbidden };

inline WinogradChoice settle_winograd(WinogradChoice wanted) {
  static std::atomic<WinogradChoice> choice{WinogradChoice::open};
  WinogradChoice found = choice.load(std::memory_order_relaxed);
  if (found == WinogradChoice::open && choice.compare_exchange_strong(found, wanted)) found = wanted;
  return found;
}

inline bool winograd_allowed() {
  static const WinogradChoice choice = [] {
    const char* text = std::getenv("EAT_DML_WINOGRAD");
    const bool off = text != nullptr && std::strcmp(text, "off") == 0;
    return settle_winograd(off ? WinogradChoice::forbidden : WinogradChoice::allowed);
  }();
  return choice == WinogradChoice::allowed;
}

// False where a convolution has run by it already.
inline bool forbid_winograd() { return settle_winograd(WinogradChoice::forbidden) == WinogradChoice::forbidden; }

// Where Winograd runs: by the image's size and the channels alone, so that neither batch nor threads change an image's bits. Outputs of
// a tile's side, or 0 where the direct product is quicker. A point of a tile costs a product and, as measured, a share of transforms;
// tiles of 4 have larger errors, and are to be a tenth quicker.
inline int winograd_outputs(const Conv2DGeometry& g) {
  const bool fits = g.filter_height == 3 && g.filter_width == 3 && g.stride_height == 1 && g.stride_width == 1 &&
                    g.dilation_height == 1 && g.dilation_width == 1;
  if (!fits || std::min(g.in_channels, g.out_channels) < 8 || !winograd_allowed()) return 0;
  const auto tiles = [&](index_t side) { return static_cast<double>(ceil_div(g.out_height, side) * ceil_div(g.out_width, side)); };
  const double direct = 9 * tiles(1), two = 16 * 1.15 * tiles(2), four = 36 * 1.33 * tiles(4);
  if (direct <= std::min(two, four)) return 0;
  return four < 0.9 * two ? 4 : 2;
}

template <int O, class Filter, class Store>
inline void winograd_of(const Run& run, const WinogradShape& s, const Filter& filter, const Store& store) {
  const Winograd<O, Filter> w(s, filter);
  if (Store::by_panels && w.panels * w.panel > kWinogradFilter) w.by_panels(run, store); else w.by_tiles(run, store);
}

template <class Filter, class Store>
inline void winograd(const Run& run, int outputs, const WinogradShape& s, const Filter& filter, const Store& store) {
  if (outputs == 4) winograd_of<4>(run, s, filter, store); else winograd_of<2>(run, s, filter, store);
}
