// Implicit im2col: operands of the GEMM whose rows are image patches, gathered while packing; the patch matrix never exists.
// A patch is a list of taps; tap t of row (n, y, x) reads the channels at source (n, y*step_y + t.dy, x*step_x + t.dx), or
// zeros outside the image.

struct Tap {
  index_t dy, dx;
  index_t filter;  // its place in the filter: i * filter_width + j
};

struct PatchGrid {
  const float* source;
  index_t height, width, channels;       // of the source images
  index_t rows_y, rows_x, step_y, step_x;  // rows per image, and the source pixels between them
  std::vector<Tap> taps;
  std::vector<float> zeros;

  PatchGrid(const float* source, index_t height, index_t width, index_t channels, index_t rows_y, index_t rows_x,
            index_t step_y, index_t step_x, std::vector<Tap> taps)
      : source(source), height(height), width(width), channels(channels), rows_y(rows_y), rows_x(rows_x), step_y(step_y),
        step_x(step_x), taps(std::move(taps)), zeros(static_cast<size_t>(channels) + W, 0.0f) {}

  struct Place { const float* image; index_t y, x; };  // source position of a row's patch

  Place place(index_t row) const {
    const index_t per_image = rows_y * rows_x, within = row % per_image;
    return {source + row / per_image * height * width * channels, within / rows_x * step_y, within % rows_x * step_x};
  }

  // Moves on by `count` rows that end with or within a line of the image.
  void advance(Place& p, index_t count) const {
    p.x += count * step_x;
    if (p.x < rows_x * step_x) return;
    p.x = 0;
    p.y += step_y;
    if (p.y < rows_y * step_y) return;
    p.y = 0;
    p.image += height * width * channels;
  }

  const float* at(const Place& p, const Tap& tap) const {
    const index_t y = p.y + tap.dy, x = p.x + tap.dx;
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    return inside ? p.image + (y * width + x) * channels : zeros.data();
  }
};

// Patches as rows: element (row, tap * channels + c).
struct PatchRows {
  const PatchGrid& grid;
  index_t count;
  bool cached = false;  // the images lie in a near cache: fetching ahead would only cost

  template <int P>
  void pack(index_t first, index_t k0, index_t kc, float* dst) const {
    const index_t channels = grid.channels;
    const int used = static_cast<int>(std::min<index_t>(P, count - first));
    PatchGrid::Place places[P], place = grid.place(first);
    const bool one_line = used == P && place.x + P * grid.step_x <= grid.rows_x * grid.step_x;
    for (int i = 0; i < used; i++, grid.advance(place, 1)) places[i] = place;
    for (index_t k = k0; k < k0 + kc;) {
      const Tap& tap = grid.taps[static_cast<size_t>(k / channels)];
      const index_t channel = k % channels, run = std::min(channels - channel, k0 + kc - k);
      float* to = dst + (k - k0) * P;
      k += run;
      if (run * 2 < W && one_line) {
        pack_line<P>(places[0], tap, channel, run, to);
        continue;
      }
      const float* rows[P];
      for (int i = 0; i < used; i++) rows[i] = grid.at(places[i], tap) + channel;
      if (run * 2 >= W) {
        pack_rows<P>(rows, used, run, to);
      } else {
        for (index_t c = 0; c < run; c++) {
          for (int i = 0; i < P; i++) to[c * P + i] = i < used ? rows[i][c] : 0.0f;
        }
      }
    }
  }

  // Few channels of P rows whose patches lie side by side in one line of the image: a tap there is one place that moves.
  template <int P>
  void pack_line(const PatchGrid::Place& place, const Tap& tap, index_t channel, index_t run, float* to) const {
    const index_t channels = grid.channels, step = grid.step_x, y = place.y + tap.dy, x0 = place.x + tap.dx;
    if (y < 0 || y >= grid.height) {
      std::fill(to, to + run * P, 0.0f);
      return;
    }
    const float* line = place.image + y * grid.width * channels + channel;
    const bool inside = x0 >= 0 && x0 + (P - 1) * step < grid.width;
    if (inside && channels == 1 && step == 1) {
      std::memcpy(to, line + x0, P * sizeof(float));
      return;
    }
    for (int i = 0; i < P; i++) {
      const index_t x = x0 + i * step;
      const bool there = inside || (x >= 0 && x < grid.width);
      for (index_t c = 0; c < run; c++) to[c * P + i] = there ? line[x * channels + c] : 0.0f;
    }
  }
};

// A filter with input and output channels exchanged: element (input channel, tap * out_channels + o).
struct FilterRows {
  const float* filter;
  index_t in_channels, out_channels;
  const std::vector<Tap>& taps;

  template <int P>
  void pack(index_t first, index_t k0, index_t kc, float* dst) const {
    const int used = static_cast<int>(std::min<index_t>(P, in_channels - first));
    for (index_t k = k0; k < k0 + kc;) {
      const index_t tap = taps[static_cast<size_t>(k / out_channels)].filter;
      const index_t channel = k % out_channels, run = std::min(out_channels - channel, k0 + kc - k);
      const float* rows[P];
      for (int i = 0; i < used; i++) rows[i] = filter + (tap * in_channels + first + i) * out_channels + channel;
      pack_rows<P>(rows, used, run, dst + (k - k0) * P);
      k += run;
    }
  }
};
