// The suite of what compares, chooses, picks and ranks. Included by driver.cc, after its helpers.
#pragma once

// Values on a coarse grid, so that most are ties, with some NaN.
Floats coarse_floats(index_t size, unsigned seed) {
  Floats v = random_floats(size, seed);
  for (float& x : v) x = x > 0.97f ? NAN : std::round(x * 4) / 4;
  return v;
}

Outputs comparisons(const Run& run, bool judge) {
  Outputs all;
  for (const index_t size : {1, 7, 33, 1000, 70001}) {
    const size_t n = static_cast<size_t>(size);
    const Floats a = coarse_floats(size, 20), b = coarse_floats(size, 21);
    std::vector<std::uint8_t> less(n), differs(n), both(n);
    CompareValues p{CompareOp::less, a.data(), b.data(), {1, 1, 1, size}, {0, 0, 0, 1}, {0, 0, 0, 1}, less.data()};
    kernels().compare_values(run, p);
    p.op = CompareOp::not_equal;
    p.out = differs.data();
    kernels().compare_values(run, p);
    kernels().logical(run, {LogicalOp::logical_and, less.data(), differs.data(), size, both.data()});
    Floats chosen(n), powers(n);
    kernels().select(run, {both.data(), a.data(), b.data(), size, 1, chosen.data()});
    Binary pow{BinaryOp::pow, a.data(), b.data(), {1, 1, 1, size}, {0, 0, 0, 1}, {0, 0, 0, 1}, powers.data()};
    kernels().binary(run, pow);
    for (size_t i = 0; judge && i < n; i++) {
      check(less[i] == (a[i] < b[i]) && differs[i] == (a[i] != b[i]), "compare_values");
      const float expected = a[i] < b[i] ? a[i] : b[i];
      check(std::memcmp(&chosen[i], &expected, sizeof expected) == 0, "logical and select");
    }
    all.insert(all.end(), {chosen, powers});
  }
  return all;
}

Outputs rankings(const Run& run, bool judge) {
  Outputs all;
  for (const auto [rows, cols, inner] : kShapes) {
    const size_t size = static_cast<size_t>(rows * inner);
    const Floats x = coarse_floats(rows * cols * inner, 22);
    std::vector<std::int32_t> places(size), along(static_cast<size_t>(rows)), top(static_cast<size_t>(rows * 2));
    kernels().arg_reduce(run, {ArgReduceOp::max, x.data(), rows, cols, inner, places.data()});
    kernels().arg_reduce(run, {ArgReduceOp::min, x.data(), rows, cols * inner, 1, along.data()});
    for (size_t e = 0; judge && e < size; e++) {
      const auto value = [&](index_t r) {
        return x[static_cast<size_t>((static_cast<index_t>(e) / inner * cols + r) * inner + static_cast<index_t>(e) % inner)];
      };
      index_t best = 0;
      for (index_t r = 1; r < cols; r++) if (value(r) > value(best)) best = r;
      check(places[e] == best, "arg_reduce");
    }
    const index_t k = std::min<index_t>(2, cols * inner);
    Floats values(static_cast<size_t>(rows * 2)), shares(x.size());
    kernels().top_k(run, {x.data(), rows, cols * inner, k, values.data(), top.data()});
    kernels().softmax(run, {x.data(), rows, cols * inner, shares.data()});
    all.insert(all.end(), {as_floats(places), as_floats(along), as_floats(top), values, shares});
  }
  return all;
}

Outputs picks(const Run& run, bool judge) {
  Outputs all;
  for (const auto [count, size, inner] : kShapes) {
    const Floats x = random_floats(size * inner, 23);
    std::vector<std::int32_t> indices(static_cast<size_t>(count));
    for (index_t i = 0; i < count; i++) indices[static_cast<size_t>(i)] = static_cast<std::int32_t>(i * 7 % (size + 1));
    Floats rows(static_cast<size_t>(count * inner)), sums(x.size()), hot(static_cast<size_t>(count * size));
    // One index in size + 1 is out of range: zeros, a row that counts nowhere, a row of off.
    kernels().gather(run, {x.data(), indices.data(), 1, 1, size, inner, count, rows.data()});
    kernels().segment_sum(run, {rows.data(), indices.data(), count, inner, size, sums.data()});
    kernels().one_hot(run, {indices.data(), count, size, 1, 0, hot.data()});
    for (index_t e = 0; judge && e < size * inner; e++) {
      double sum = 0;
      for (index_t i = 0; i < count; i++) {
        sum += static_cast<double>(hot[static_cast<size_t>(i * size + e / inner)]) * rows[static_cast<size_t>(i * inner + e % inner)];
      }
      check(near(sums[static_cast<size_t>(e)], sum, 1e-6, 1), "segment_sum is one_hot times the gathered rows");
    }
    all.insert(all.end(), {rows, sums, hot});
  }
  return all;
}
