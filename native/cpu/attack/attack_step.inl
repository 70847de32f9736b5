// attackStep: linf in one pass over memory; l2 and l1 per row in double (ball.inl), rounded toward the origin.

struct LinfStep {
  F radius, step, minus_step, lo, hi;

  EAT_ALWAYS_INLINE F operator()(F origin, F current, F gradient) const {
    const F move = select(lt(zero(), gradient), step, select(lt(gradient, zero()), minus_step, zero()));
    const F upper = min(add_down(origin, radius), hi);
    const F lower = max(sub(zero(), add_down(sub(zero(), origin), radius)), lo);
    return min(max(add(current, move), lower), upper);
  }
};

// Lanes where a is NaN, Inf or (origin) outside the box; any bit set means the range is looked at again, slowly.
inline M not_usable(F origin, F current, F gradient, const LinfStep& s) {
  const F top = set1(std::numeric_limits<float>::max());
  const M fine = mask_and(mask_and(le(abs(origin), top), le(abs(current), top)), le(abs(gradient), top));
  return mask_not(mask_and(fine, mask_and(le(s.lo, origin), le(origin, s.hi))));
}

// Elements [i, i + count), count <= W; true when every input was usable.
inline bool linf_part(const AttackStep& p, const LinfStep& s, index_t i, int count) {
  const F origin = load_partial(p.origin.data + i, count), current = load_partial(p.current.data + i, count),
          gradient = load_partial(p.gradient.data + i, count);
  store_partial(p.out + i, s(origin, current, gradient), count);
  return (bits(not_usable(origin, current, gradient, s)) & ((1ull << count) - 1)) == 0;
}

constexpr index_t kAhead = 1536;  // elements; the best of 256 to 2048

// Steps [begin, end), past the caches where Streaming, from an aligned place on; true when every input was usable.
template <bool Streaming>
inline bool linf_range(const AttackStep& p, const LinfStep& s, index_t begin, index_t end) {
  const float *x0 = p.origin.data, *x = p.current.data, *g = p.gradient.data;
  unsigned unusable = 0;
  bool fine = true;
  index_t i = begin;
  if (Streaming) {
    const index_t lead = std::min(end - begin, static_cast<index_t>(-reinterpret_cast<std::uintptr_t>(p.out + i) / sizeof(float) % W));
    if (lead > 0) fine = linf_part(p, s, i, static_cast<int>(lead)), i += lead;
  }
  for (; i + W <= end; i += W) {
    if (Streaming) {  // the processor's own prefetcher stops at every page
      __builtin_prefetch(x0 + i + kAhead);
      __builtin_prefetch(x + i + kAhead);
      __builtin_prefetch(g + i + kAhead);
    }
    const F origin = load(x0 + i), current = load(x + i), gradient = load(g + i);
    unusable |= bits(not_usable(origin, current, gradient, s));
    if (Streaming) stream(p.out + i, s(origin, current, gradient));
    else store(p.out + i, s(origin, current, gradient));
  }
  if (Streaming) stream_fence();
  if (i < end) fine = linf_part(p, s, i, static_cast<int>(end - i)) && fine;
  return fine && unusable == 0;
}

inline void require_usable(const Run& run, const AttackStep& p) {
  if (run.check_finite) {
    throw_first_not_finite(p.origin, "origin");
    throw_first_not_finite(p.current, "current");
    throw_first_not_finite(p.gradient, "gradient");
  }
  for (index_t i = 0; p.has_box && i < p.origin.size(); i++) {
    if (!(p.origin.data[i] >= p.lo && p.origin.data[i] <= p.hi)) throw OutsideBox("origin", i / p.origin.cols);
  }
}

// One row for l2 and l1. The result is rounded toward the origin, so its distance never exceeds the projected one.
inline void ball_step(const AttackStep& p, index_t row) {
  const index_t d = p.origin.cols;
  const float *x0 = p.origin.row(row), *x = p.current.row(row), *g = p.gradient.row(row);
  double* delta = reinterpret_cast<double*>(scratch(0, 2 * d));
  for (index_t i = 0; i < d; i++) delta[i] = g[i];
  const double length = p.norm == Norm::l2 ? std::sqrt(sum_of_squares(delta, d)) : sum_of_magnitudes(delta, d);
  const double factor = length > 0 ? p.step_size / length : 0;
  for (index_t i = 0; i < d; i++) delta[i] = static_cast<double>(x[i]) - x0[i] + factor * g[i];
  project_row(p.norm, delta, d, p.epsilon, Bounds{p.has_box ? x0 : nullptr, p.lo, p.hi});
  for (index_t i = 0; i < d; i++) {
    float moved = static_cast<float>(x0[i] + delta[i]);
    if (std::fabs(static_cast<double>(moved) - x0[i]) > std::fabs(delta[i])) moved = std::nextafterf(moved, x0[i]);
    p.out[row * d + i] = moved;
  }
}

inline void attack_step(const Run& run, const AttackStep& p) {
  const index_t size = p.origin.size(), d = p.origin.cols, rows = size / d;
  if (p.norm != Norm::linf) {
    require_usable(run, p);
    parallel_for(run, rows, [&](index_t row) { ball_step(p, row); });
    return;
  }
  const float step = static_cast<float>(p.step_size);
  constexpr float top = std::numeric_limits<float>::max();  // a step never leaves the floats
  const LinfStep s{set1(float_below(p.epsilon)), set1(step), set1(-step), set1(p.has_box ? p.lo : -top), set1(p.has_box ? p.hi : top)};
  // Inputs are scanned on the way. Where the output lies over an input, that is too late to tell the row: scanned first.
  const bool over_input = p.out == p.current.data || p.out == p.origin.data || p.out == p.gradient.data;
  if (over_input) require_usable(run, p);
  constexpr index_t block = 16384;
  const bool streaming = size > (index_t{1} << 21) && !over_input && reinterpret_cast<std::uintptr_t>(p.out) % 16 == 0;
  std::atomic<bool> usable{true};
  parallel_for(run, ceil_div(size, block), [&](index_t task) {
    const index_t begin = task * block, end = std::min(size, begin + block);
    const bool fine = streaming ? linf_range<true>(p, s, begin, end) : linf_range<false>(p, s, begin, end);
    if (!fine) usable.store(false, std::memory_order_relaxed);
  });
  if (!usable.load()) require_usable(run, p);
}
