// pixel_values: a plain loop, which the compiler turns into vectors. Of a byte the quotient in float is that in double, rounded.

inline void pixel_values(const Run& run, const PixelValues& p) {
  for_ranges(run, p.size, [&](index_t first, index_t last) {
    const std::uint8_t* bytes = p.bytes;
    float* out = p.out;
    for (index_t i = first; i < last; i++) out[i] = static_cast<float>(bytes[i]) / 255.0f;
  });
}
