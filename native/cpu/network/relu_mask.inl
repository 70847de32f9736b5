// What relu let pass, a bit per channel (contracts/network/conv_relu_stack.h), beside tiles and beside rows of values.

struct ReluMask {
  std::uint8_t* bits;
  index_t bytes;  // of a pixel

  ReluMask(std::int32_t* words, const Conv2DGeometry& g) : bits(reinterpret_cast<std::uint8_t*>(words)), bytes(passed_words(g) * 4) {}

  // A tile's NR bits of a pixel, from channel j0 on; tiles of a pixel come in order.
  EAT_ALWAYS_INLINE void put(index_t pixel, index_t j0, std::uint32_t tile) const {
    std::uint8_t* row = bits + pixel * bytes;
    if constexpr (NR == 32) {
      std::memcpy(row + j0 / 8, &tile, 4);
      return;
    }
    if (j0 == 0) std::fill(row, row + bytes, std::uint8_t{0});
    for (index_t j = j0; tile != 0; j += 4, tile >>= 4) row[j / 8] |= static_cast<std::uint8_t>((tile & 15) << j % 8);
  }

  // W bits of a pixel, from channel j on, a multiple of W; its bits are clear before.
  EAT_ALWAYS_INLINE void add(index_t pixel, index_t j, std::uint32_t vector) const {
    std::uint8_t* to = bits + pixel * bytes + j / 8;
    if constexpr (W == 16) {
      const auto both = static_cast<std::uint16_t>(vector);
      std::memcpy(to, &both, 2);
    } else {
      *to |= static_cast<std::uint8_t>(vector << (W == 4 ? j % 8 : 0));
    }
  }

  // The W bits from channel j on, a multiple of W.
  EAT_ALWAYS_INLINE M get(index_t pixel, index_t j) const {
    const std::uint8_t* from = bits + pixel * bytes + j / 8;
    if constexpr (W == 16) {
      std::uint16_t both;
      std::memcpy(&both, from, 2);
      return mask_of(both);
    } else {
      return mask_of(static_cast<unsigned>(W == 4 ? *from >> j % 8 : *from));
    }
  }

  // 0 where relu let nothing pass.
  EAT_ALWAYS_INLINE F pass(index_t pixel, index_t j, int, F value) const { return select(get(pixel, j), value, zero()); }

  // Row i of the tile, its columns from j0 on, is that pixel's: 0 where relu let nothing pass.
  EAT_ALWAYS_INLINE void apply(Accumulators& c, index_t count, index_t j0, const index_t* pixels) const {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i >= count) continue;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        if (j0 + j * W < bytes * 8) c[i][j] = select(get(pixels[i], j0 + j * W), c[i][j], zero());
      }
    }
  }

  // The same for `count` pixels from `first` on; `to` may be `from`.
  void apply(const float* from, index_t first, index_t count, index_t channels, float* to) const {
    for (index_t pixel = first; pixel < first + count; pixel++) {
      for (index_t j = 0; j < channels; j += W) {
        const int n = static_cast<int>(std::min<index_t>(W, channels - j));
        const index_t at = pixel * channels + j;
        store_partial(to + at, select(get(pixel, j), load_partial(from + at, n), zero()), n);
      }
    }
  }
};

// In ReluMask's place where all passes.
struct NoMask {
  EAT_ALWAYS_INLINE F pass(index_t, index_t, int, F value) const { return value; }
  EAT_ALWAYS_INLINE void apply(Accumulators&, index_t, index_t, const index_t*) const {}
  EAT_ALWAYS_INLINE void apply(const float*, index_t, index_t, index_t, float*) const {}
};

inline F load_lanes(const float* from, int lanes) { return lanes == W ? load(from) : load_partial(from, lanes); }

// In ReluMask's place where all passes and has another gradient added.
struct AddTo {
  const float* base;
  index_t channels;

  EAT_ALWAYS_INLINE F pass(index_t pixel, index_t j, int lanes, F value) const {
    return add(value, load_lanes(base + pixel * channels + j, lanes));
  }

  EAT_ALWAYS_INLINE void apply(Accumulators& c, index_t count, index_t j0, const index_t* pixels) const {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i >= count) continue;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t column = j0 + j * W;
        if (column < channels) c[i][j] = pass(pixels[i], column, static_cast<int>(std::min<index_t>(W, channels - column)), c[i][j]);
      }
    }
  }

  void apply(const float* from, index_t first, index_t count, index_t, float* to) const {
    for (index_t i = first * channels; i < (first + count) * channels; i++) to[i] = from[i] + base[i];
  }
};

// max(0, x + bias), or max(0, x + bias + sum), stored, and its bits.
struct ReluEpilogue {
  float* out;
  index_t rows, columns;
  const float* bias;
  const float* sum;  // like out, or none
  ReluMask mask;

  void finish() const {}

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) const {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i0 + i >= rows) continue;
      float* row = out + (i0 + i) * columns + j0;
      std::uint32_t positive = 0;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t left = columns - j0 - j * W;
        if (left <= 0) continue;
        const int n = static_cast<int>(std::min<index_t>(left, W));
        F value = add(c[i][j], load_lanes(bias + j0 + j * W, n));
        if (sum != nullptr) value = add(value, load_lanes(sum + (i0 + i) * columns + j0 + j * W, n));
        value = activate(value, Activation::relu);
        if (n == W) store(row + j * W, value); else store_partial(row + j * W, value, n);
        positive |= (bits(lt(zero(), value)) & ((1u << n) - 1)) << j * W;
      }
      mask.put(i0 + i, j0, positive);
    }
  }
};
