// resample: a pixel's red, green and blue are lanes of one vector across; down, bytes of a row are.

typedef std::int32_t Pixel __attribute__((vector_size(16)));

constexpr int kWeightBits = 22;
constexpr std::int32_t kHalfWeight = 1 << (kWeightBits - 1);

// `wide` has room for the row and one value more, `sums` for the places and one value more: a pixel of three is a vector of four.
inline void resample_across(const std::uint8_t* row, index_t values, index_t channels, const ResampledSide& side, std::int32_t* wide,
                            std::int32_t* sums, std::uint8_t* out) {
  for (index_t i = 0; i < values; i++) wide[i] = row[i];
  for (index_t i = 0; i < side.count; i++) {
    const std::int32_t* place = side.at(i);
    const std::int32_t* from = wide + place[0] * channels;
    Pixel sum = Pixel{} + kHalfWeight;
    for (std::int32_t k = 0; k < place[1]; k++, from += channels) {
      Pixel pixel;
      std::memcpy(&pixel, from, sizeof pixel);
      sum += pixel * place[2 + k];
    }
    std::memcpy(sums + 3 * i, &sum, sizeof sum);
  }
  for (index_t i = 0; i < 3 * side.count; i++) out[i] = static_cast<std::uint8_t>(sums[i] >> kWeightBits);
}

inline void resample_down(const std::uint8_t* rows, index_t line, const std::int32_t* place, std::uint8_t* out) {
  constexpr index_t kBlock = 128;
  std::int32_t sums[kBlock];
  for (index_t x = 0; x < line; x += kBlock) {
    const index_t n = std::min(kBlock, line - x);
    std::fill_n(sums, n, kHalfWeight);
    for (std::int32_t k = 0; k < place[1]; k++) {
      const std::uint8_t* from = rows + k * line + x;
      const std::int32_t weight = place[2 + k];
      for (index_t j = 0; j < n; j++) sums[j] += from[j] * weight;
    }
    for (index_t j = 0; j < n; j++) out[x + j] = static_cast<std::uint8_t>(sums[j] >> kWeightBits);
  }
}

inline void resample(const Run&, const Resample& p) {
  index_t first = p.height, last = 0;
  for (index_t i = 0; i < p.down.count; i++) {
    const std::int32_t* place = p.down.at(i);
    first = std::min<index_t>(first, place[0]);
    last = std::max<index_t>(last, place[0] + place[1]);
  }
  const index_t line = 3 * p.across.count, values = p.width * p.channels;
  std::vector<std::uint8_t> middle((last - first) * line);
  std::vector<std::int32_t> wide(values + 1), sums(line + 1);
  for (index_t y = first; y < last; y++) {
    std::uint8_t* out = middle.data() + (y - first) * line;
    resample_across(p.pixels + y * values, values, p.channels, p.across, wide.data(), sums.data(), out);
  }
  for (index_t i = 0; i < p.down.count; i++) {
    const std::int32_t* place = p.down.at(i);
    resample_down(middle.data() + (place[0] - first) * line, line, place, p.out + i * line);
  }
}
