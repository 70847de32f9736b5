// Batch normalisation. Statistics and gradient sums are made per block of rows and merged in order, in double.

// Mean and sum of squared deviations of one block, in two passes over rows that stay in cache.
inline void block_moments(const float* x, index_t rows, index_t channels, float* mean, float* deviation) {
  std::fill_n(mean, 2 * channels, 0.0f);
  for_row_strips(0, rows, channels, [&](auto group, index_t c, index_t first, index_t last) {
    constexpr int J = decltype(group)::vectors;
    F m[J], v[J];
    group.read(mean + c, m);
    for (index_t r = first; r < last; r++) {
      group.read(x + r * channels + c, v);
#pragma GCC unroll 4
      for (int j = 0; j < J; j++) m[j] = add(m[j], v[j]);
    }
    group.write(mean + c, m);
  });
  const float share = 1.0f / static_cast<float>(rows);
  for (index_t c = 0; c < channels; c++) mean[c] *= share;
  for_row_strips(0, rows, channels, [&](auto group, index_t c, index_t first, index_t last) {
    constexpr int J = decltype(group)::vectors;
    F m[J], s[J], v[J];
    group.read(mean + c, m);
    group.read(deviation + c, s);
    for (index_t r = first; r < last; r++) {
      group.read(x + r * channels + c, v);
#pragma GCC unroll 4
      for (int j = 0; j < J; j++) {
        const F d = sub(v[j], m[j]);
        s[j] = fma(d, d, s[j]);
      }
    }
    group.write(deviation + c, s);
  });
}

// Blocks are joined by Chan's formula: M2 = M2a + M2b + (mean_b - mean_a)^2 * n_a n_b / (n_a + n_b).
inline void batch_moments(const Run& run, const BatchMoments& p) {
  const index_t channels = p.channels, block = block_rows(channels), blocks = ceil_div(p.rows, block);
  const Buffer memory(static_cast<size_t>(blocks * 2 * channels) * sizeof(float));
  const Buffer joined(static_cast<size_t>(2 * channels) * sizeof(double));
  float* parts = memory.as<float>();
  parallel_for(run, blocks, [&](index_t b) {
    const index_t rows = std::min(block, p.rows - b * block);
    float* part = parts + b * 2 * channels;
    block_moments(p.x + b * block * channels, rows, channels, part, part + channels);
  });
  double *mean = joined.as<double>(), *deviation = mean + channels, count = 0;
  std::fill_n(mean, 2 * channels, 0.0);
  for (index_t b = 0; b < blocks; b++) {
    const double rows = static_cast<double>(std::min(block, p.rows - b * block)), total = count + rows;
    const double share = rows / total, weight = count * share;
    const float *part_mean = parts + b * 2 * channels, *part_deviation = part_mean + channels;
    for (index_t c = 0; c < channels; c++) {
      const double step = part_mean[c] - mean[c];
      deviation[c] += part_deviation[c] + step * step * weight;
      mean[c] += step * share;
    }
    count = total;
  }
  for (index_t c = 0; c < channels; c++) {
    p.mean[c] = static_cast<float>(mean[c]);
    p.variance[c] = static_cast<float>(deviation[c] / count);
  }
}

// scale / sqrt(variance + epsilon) per channel.
inline void effective_scale(const BatchNorm& p, float* out) {
  for (index_t c = 0; c < p.channels; c++) {
    out[c] = static_cast<float>(p.scale[c] / std::sqrt(static_cast<double>(p.variance[c]) + p.epsilon));
  }
}

inline void batch_norm(const Run& run, const BatchNorm& p) {
  const Buffer memory(static_cast<size_t>(p.channels) * sizeof(float));
  float* factor = memory.as<float>();
  effective_scale(p, factor);
  const index_t block = block_rows(p.channels);
  const F lowest = set1(p.activation == Activation::none ? -std::numeric_limits<float>::infinity() : 0.0f);
  const F highest = set1(p.activation == Activation::relu6 ? 6.0f : std::numeric_limits<float>::infinity());
  parallel_for(run, ceil_div(p.rows, block), [&](index_t b) {
    const index_t first = b * block, last = std::min(p.rows, first + block);
    for_row_strips(first, last, p.channels, [&](auto group, index_t c, index_t top, index_t end) {
      constexpr int J = decltype(group)::vectors;
      F mean[J], scale[J], offset[J], v[J];
      group.read(p.mean + c, mean);
      group.read(factor + c, scale);
      group.read(p.offset + c, offset);
      for (index_t r = top; r < end; r++) {
        group.read(p.x + r * p.channels + c, v);
#pragma GCC unroll 4
        for (int j = 0; j < J; j++) v[j] = min(highest, max(lowest, fma(sub(v[j], mean[j]), scale[j], offset[j])));
        group.write(p.out + r * p.channels + c, v);
      }
    });
  });
}

// What a pass over rows of the gradient needs of one group of channels.
template <int J>
struct GradientColumns {
  F mean[J], factor[J], offset[J], highest;
  bool activated;

  EAT_ALWAYS_INLINE GradientColumns(const BatchNorm& p, const float* factors, const ColumnGroup<J>& group, index_t c)
      : highest(set1(p.activation == Activation::relu6 ? 6.0f : std::numeric_limits<float>::infinity())),
        activated(p.activation != Activation::none) {
    group.read(p.mean + c, mean);
    group.read(factors + c, factor);
    group.read(p.offset + c, offset);
  }
  // dz: dy where the activation let the value pass.
  EAT_ALWAYS_INLINE F passed(F dy, F centred, int j) const {
    if (!activated) return dy;
    const F z = fma(centred, factor[j], offset[j]);
    return select(mask_and(lt(zero(), z), le(z, highest)), dy, zero());
  }
};

// Sums of dz and of dz * (x - mean) over one block of rows.
inline void block_gradient_sums(const BatchNormGradient& p, const float* factors, index_t first, index_t last, float* sums) {
  const index_t channels = p.forward.channels;
  std::fill_n(sums, 2 * channels, 0.0f);
  for_row_strips(first, last, channels, [&](auto group, index_t c, index_t top, index_t end) {
    constexpr int J = decltype(group)::vectors;
    const GradientColumns<J> columns(p.forward, factors, group, c);
    F plain[J], weighted[J], x[J], dy[J];
    group.read(sums + c, plain);
    group.read(sums + channels + c, weighted);
    for (index_t r = top; r < end; r++) {
      group.read(p.forward.x + r * channels + c, x);
      group.read(p.dy + r * channels + c, dy);
#pragma GCC unroll 4
      for (int j = 0; j < J; j++) {
        const F centred = sub(x[j], columns.mean[j]), dz = columns.passed(dy[j], centred, j);
        plain[j] = add(plain[j], dz);
        weighted[j] = fma(dz, centred, weighted[j]);
      }
    }
    group.write(sums + c, plain);
    group.write(sums + channels + c, weighted);
  });
}

// dx = factor * (dz - shift - (x - mean) * slope) over one block of rows.
inline void block_input_gradient(const BatchNormGradient& p, const float* factors, const float* shift, const float* slope,
                                 index_t first, index_t last) {
  const index_t channels = p.forward.channels;
  for_row_strips(first, last, channels, [&](auto group, index_t c, index_t top, index_t end) {
    constexpr int J = decltype(group)::vectors;
    const GradientColumns<J> columns(p.forward, factors, group, c);
    F shifts[J], slopes[J], x[J], dy[J];
    group.read(shift + c, shifts);
    group.read(slope + c, slopes);
    for (index_t r = top; r < end; r++) {
      group.read(p.forward.x + r * channels + c, x);
      group.read(p.dy + r * channels + c, dy);
#pragma GCC unroll 4
      for (int j = 0; j < J; j++) {
        const F centred = sub(x[j], columns.mean[j]), dz = columns.passed(dy[j], centred, j);
        x[j] = mul(columns.factor[j], fnma(centred, slopes[j], sub(dz, shifts[j])));
      }
      group.write(p.dx + r * channels + c, x);
    }
  });
}

inline void batch_norm_gradient(const Run& run, const BatchNormGradient& p) {
  const BatchNorm& f = p.forward;
  const index_t channels = f.channels, block = block_rows(channels), blocks = ceil_div(f.rows, block);
  const Buffer memory(static_cast<size_t>((3 + 2 * blocks) * channels) * sizeof(float));
  float *factors = memory.as<float>(), *shift = factors + channels, *slope = shift + channels, *sums = slope + channels;
  effective_scale(f, factors);
  const auto last = [&](index_t b) { return std::min(f.rows, (b + 1) * block); };
  parallel_for(run, blocks, [&](index_t b) {
    block_gradient_sums(p, factors, b * block, last(b), sums + 2 * b * channels);
  });
  const Buffer joined(static_cast<size_t>(2 * channels) * sizeof(double));
  double *plain = joined.as<double>(), *weighted = plain + channels;
  std::fill_n(plain, 2 * channels, 0.0);
  for (index_t b = 0; b < blocks; b++) {
    for (index_t c = 0; c < 2 * channels; c++) plain[c] += sums[2 * b * channels + c];
  }
  for (index_t c = 0; c < channels; c++) {
    const double variance = static_cast<double>(f.variance[c]) + f.epsilon, rows = static_cast<double>(f.rows);
    p.d_offset[c] = static_cast<float>(plain[c]);
    p.d_scale[c] = static_cast<float>(weighted[c] / std::sqrt(variance));
    shift[c] = static_cast<float>(plain[c] / rows);
    slope[c] = static_cast<float>(weighted[c] / variance / rows);
  }
  parallel_for(run, blocks, [&](index_t b) { block_input_gradient(p, factors, shift, slope, b * block, last(b)); });
}
