// binary: rows of the innermost axis, each operand of which is read lane by lane or repeated.

// How an operand is read along a row: stride 1 or 0.
template <int Stride>
EAT_ALWAYS_INLINE F operand(const float* p, index_t i) { return Stride == 1 ? load(p + i) : set1(*p); }

template <int Stride>
EAT_ALWAYS_INLINE F operand_partial(const float* p, index_t i, int n) {
  return Stride == 1 ? load_partial(p + i, n) : set1(*p);
}

template <int A, int B, class Op>
EAT_ALWAYS_INLINE void binary_row(const float* a, const float* b, float* out, index_t size, Op& op) {
  index_t i = 0;
  for (; i + W <= size; i += W) store(out + i, op(operand<A>(a, i), operand<B>(b, i)));
  const int left = static_cast<int>(size - i);
  if (left > 0) store_partial(out + i, op(operand_partial<A>(a, i, left), operand_partial<B>(b, i, left)), left);
}

// row(a, b, i, size) for the rows that make up elements [first, last) of an output; a and b: where the operands' values begin.
template <class P, class Row>
inline void for_broadcast_rows(const P& p, index_t first, index_t last, Row&& row) {
  const index_t inner = p.shape[3];
  index_t r = first / inner, column = first % inner;
  index_t at[3] = {r / p.shape[2] / p.shape[1], r / p.shape[2] % p.shape[1], r % p.shape[2]};
  for (index_t i = first; i < last;) {
    const index_t size = std::min(inner - column, last - i);
    index_t a = column * p.a_stride[3], b = column * p.b_stride[3];
    for (int axis = 0; axis < 3; axis++) {
      a += at[axis] * p.a_stride[axis];
      b += at[axis] * p.b_stride[axis];
    }
    row(p.a + a, p.b + b, i, size);
    i += size;
    column = 0;
    for (int axis = 2; axis >= 0 && ++at[axis] == p.shape[axis] && axis > 0; axis--) at[axis] = 0;
  }
}

template <int A, int B, class Op>
inline void binary_range(const Binary& p, index_t first, index_t last, Op& op) {
  for_broadcast_rows(p, first, last, [&](const float* a, const float* b, index_t i, index_t size) {
    binary_row<A, B>(a, b, p.out + i, size, op);
  });
}

template <class Op>
inline void binary_lanes(const Run& run, const Binary& p, Op&& op) {
  const index_t size = p.shape[0] * p.shape[1] * p.shape[2] * p.shape[3];
  for_ranges(run, size, [&](index_t first, index_t last) {
    if (p.a_stride[3] == 0 && p.b_stride[3] == 0) return binary_range<0, 0>(p, first, last, op);
    if (p.a_stride[3] == 0) return binary_range<0, 1>(p, first, last, op);
    if (p.b_stride[3] == 0) return binary_range<1, 0>(p, first, last, op);
    return binary_range<1, 1>(p, first, last, op);
  });
}

// As JavaScript's: NaN where b is NaN, and where |a| is 1 and b infinite.
inline float power(float a, float b) {
  if (b != b || (std::fabs(a) == 1 && std::isinf(b))) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(std::pow(static_cast<double>(a), static_cast<double>(b)));
}

inline F power_lanes(F a, F b) {
  float x[W], y[W];
  store(x, a);
  store(y, b);
  for (int lane = 0; lane < W; lane++) x[lane] = power(x[lane], y[lane]);
  return load(x);
}

inline void binary(const Run& run, const Binary& p) {
  switch (p.op) {
    case BinaryOp::add: return binary_lanes(run, p, [&](F a, F b) { return add(a, b); });
    // max gives its second operand where that is NaN.
    case BinaryOp::add_relu: return binary_lanes(run, p, [&](F a, F b) { return max(zero(), add(a, b)); });
    case BinaryOp::div: return binary_lanes(run, p, [&](F a, F b) { return div(a, b); });
    // max and min give b where either is NaN.
    case BinaryOp::maximum: return binary_lanes(run, p, [&](F a, F b) { return select(eq(a, a), max(a, b), a); });
    case BinaryOp::minimum: return binary_lanes(run, p, [&](F a, F b) { return select(eq(a, a), min(a, b), a); });
    case BinaryOp::mul: return binary_lanes(run, p, [&](F a, F b) { return mul(a, b); });
    case BinaryOp::pow: return binary_lanes(run, p, [&](F a, F b) { return power_lanes(a, b); });
    case BinaryOp::relu_grad: return binary_lanes(run, p, [&](F a, F b) { return select(lt(zero(), b), a, zero()); });
    case BinaryOp::relu6_grad:
      return binary_lanes(run, p, [&](F a, F b) { return select(mask_and(lt(zero(), b), lt(b, set1(6.0f))), a, zero()); });
    case BinaryOp::squared_difference:
      return binary_lanes(run, p, [&](F a, F b) { const F d = sub(a, b); return mul(d, d); });
    case BinaryOp::sub: return binary_lanes(run, p, [&](F a, F b) { return sub(a, b); });
  }
}
