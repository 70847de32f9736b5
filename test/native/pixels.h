// The suite of images on their way into a network. Included by driver.cc, after its helpers.
#pragma once

// Each of `count` places takes up to three pixels of `size`, the last place the last pixel; weights add up to 2^22.
std::vector<std::int32_t> resampled_places(index_t size, index_t count) {
  std::vector<std::int32_t> places;
  for (index_t i = 0; i < count; i++) {
    const index_t taps = std::min<index_t>(1 + i % 3, size);
    const index_t first = i + 1 == count ? size - taps : i * 7 % (size - taps + 1);
    const std::int32_t share = (1 << 22) / static_cast<std::int32_t>(taps);
    for (const index_t number : {first, taps}) places.push_back(static_cast<std::int32_t>(number));
    for (index_t k = 0; k < 3; k++) places.push_back(share + (k == 0 ? (1 << 22) % static_cast<std::int32_t>(taps) : 0));
  }
  return places;
}

Outputs pixels(const Run& run, bool judge) {
  constexpr index_t kStep = 5;
  Outputs all;
  for (const auto [height, width, side] : {std::array<index_t, 3>{1, 1, 2}, {2, 3, 7}, {17, 9, 5}, {40, 61, 47}}) {
    for (const index_t channels : {3, 4}) {
      std::vector<std::uint8_t> image(static_cast<size_t>(height * width * channels));
      for (size_t i = 0; i < image.size(); i++) image[i] = static_cast<std::uint8_t>(i * 2654435761u >> 11);
      const std::vector<std::int32_t> across = resampled_places(width, side), down = resampled_places(height, side + 1);
      std::vector<std::uint8_t> out(static_cast<size_t>((side + 1) * side * 3));
      kernels().resample(run, {image.data(), height, width, channels, {side, kStep, across.data()}, {side + 1, kStep, down.data()}, out.data()});
      const auto weighted = [&](const std::int32_t* place, auto&& pixel) {
        std::int64_t sum = 1 << 21;
        for (std::int32_t k = 0; k < place[1]; k++) sum += static_cast<std::int64_t>(place[2 + k]) * pixel(place[0] + k);
        return static_cast<std::uint8_t>(sum >> 22);
      };
      for (index_t e = 0; judge && e < static_cast<index_t>(out.size()); e++) {
        const std::int32_t* columns = across.data() + e / 3 % side * kStep;
        const std::uint8_t expected = weighted(down.data() + e / 3 / side * kStep, [&](index_t y) {
          return weighted(columns, [&](index_t x) { return image[static_cast<size_t>((y * width + x) * channels + e % 3)]; });
        });
        check(out[static_cast<size_t>(e)] == expected, "resample");
      }
      all.push_back(Floats(out.begin(), out.end()));
      Floats values(image.size());
      kernels().pixel_values(run, {image.data(), static_cast<index_t>(image.size()), values.data()});
      for (size_t e = 0; judge && e < image.size(); e++) check(values[e] == static_cast<float>(image[e] / 255.0), "pixel_values");
      all.push_back(values);
    }
  }
  return all;
}
