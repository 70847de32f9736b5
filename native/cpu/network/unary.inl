// unary: one pass, a lane at a time; transcendental functions go through the C library value by value.

constexpr index_t kElementsPerTask = 32768;

// body(first, last) over fixed ranges of [0, size).
template <class Body>
inline void for_ranges(const Run& run, index_t size, Body&& body) {
  parallel_for(run, ceil_div(size, kElementsPerTask), [&](index_t task) {
    body(task * kElementsPerTask, std::min(size, (task + 1) * kElementsPerTask));
  });
}

template <class Op>
inline void unary_lanes(const Run& run, const Unary& p, Op&& op) {
  for_ranges(run, p.size, [&](index_t first, index_t last) {
    index_t i = first;
    for (; i + W <= last; i += W) store(p.out + i, op(load(p.x + i)));
    const int left = static_cast<int>(last - i);
    if (left > 0) store_partial(p.out + i, op(load_partial(p.x + i, left)), left);
  });
}

template <class Op>
inline void unary_values(const Run& run, const Unary& p, Op&& op) {
  for_ranges(run, p.size, [&](index_t first, index_t last) {
    for (index_t i = first; i < last; i++) p.out[i] = op(p.x[i]);
  });
}

// The lanes' lambdas capture, if only by form: without a capture the compiler adds a function pointer outside the target region.
inline void unary(const Run& run, const Unary& p) {
  const F zeros = zero(), ones = set1(1.0f), alpha = set1(p.alpha), beta = set1(p.beta);
  // max(constant, x) and min(constant, x) give x where x is NaN.
  switch (p.op) {
    case UnaryOp::abs: return unary_lanes(run, p, [&](F x) { return abs(x); });
    case UnaryOp::clip: return unary_lanes(run, p, [=](F x) { return min(beta, max(alpha, x)); });
    case UnaryOp::exp: return unary_values(run, p, [](float x) { return std::exp(x); });
    case UnaryOp::leaky_relu: return unary_lanes(run, p, [=](F x) { return select(lt(x, zeros), mul(alpha, x), x); });
    case UnaryOp::log: return unary_values(run, p, [](float x) { return std::log(x); });
    case UnaryOp::log1p: return unary_values(run, p, [](float x) { return std::log1p(x); });
    case UnaryOp::neg: return unary_lanes(run, p, [=](F x) { return mul(x, set1(-1.0f)); });
    case UnaryOp::reciprocal: return unary_lanes(run, p, [=](F x) { return div(ones, x); });
    case UnaryOp::relu: return unary_lanes(run, p, [=](F x) { return max(zeros, x); });
    case UnaryOp::relu6: return unary_lanes(run, p, [=](F x) { return min(set1(6.0f), max(zeros, x)); });
    case UnaryOp::rsqrt: return unary_lanes(run, p, [=](F x) { return div(ones, sqrt(x)); });
    case UnaryOp::sigmoid: return unary_values(run, p, [](float x) { return 1 / (1 + std::exp(-x)); });
    case UnaryOp::sign:
      return unary_lanes(run, p, [=](F x) { return select(lt(zeros, x), ones, select(lt(x, zeros), set1(-1.0f), zeros)); });
    case UnaryOp::sqrt: return unary_lanes(run, p, [&](F x) { return sqrt(x); });
    case UnaryOp::square: return unary_lanes(run, p, [&](F x) { return mul(x, x); });
    case UnaryOp::step:
      return unary_lanes(run, p, [=](F x) { return select(lt(zeros, x), ones, select(eq(x, x), alpha, x)); });
    case UnaryOp::tanh: return unary_values(run, p, [](float x) { return std::tanh(x); });
  }
}
