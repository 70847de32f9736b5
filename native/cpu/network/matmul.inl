// matmul, and the epilogue that stores a product: bias and activation while the tile is in registers.

inline F activate(F x, Activation activation) {
  if (activation == Activation::none) return x;
  x = max(zero(), x);  // in this order NaN stays NaN
  return activation == Activation::relu6 ? min(set1(6.0f), x) : x;
}

// Rows of the output are `stride` apart, or stand where `places` says (one pointer per row of the chunk).
struct StoreEpilogue {
  float* out;
  index_t stride, rows, columns;
  const float* bias;
  Activation activation;
  float* const* places = nullptr;

  void finish() {}

  EAT_ALWAYS_INLINE void tile(Accumulators& c, index_t i0, index_t j0) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      if (i0 + i >= rows) continue;
      float* row = (places == nullptr ? out + (i0 + i) * stride : places[i0 + i]) + j0;
#pragma GCC unroll 4
      for (int j = 0; j < NV; j++) {
        const index_t left = columns - j0 - j * W;
        if (left <= 0) continue;
        F value = c[i][j];
        if (left >= W) {
          if (bias != nullptr) value = add(value, load(bias + j0 + j * W));
          store(row + j * W, activate(value, activation));
        } else {
          const int n = static_cast<int>(left);
          if (bias != nullptr) value = add(value, load_partial(bias + j0 + j * W, n));
          store_partial(row + j * W, activate(value, activation), n);
        }
      }
    }
  }
};

template <class A, class B>
inline void matmul_one(const Run& run, const MatMul& p, const A& a, const B& b, float* out) {
  const auto epilogue = [&](index_t row0, index_t rows) {
    return StoreEpilogue{out + row0 * p.n, p.n, rows, p.n, p.bias, p.activation};
  };
  if (p.k >= 4096 && p.m * p.n <= (index_t{1} << 18)) return multiply_split(run, a, p.m, b, p.n, p.k, epilogue);
  PackedPanels panels(p.n, p.k);
  panels.pack(run, b);
  multiply_blocks(run, a, p.m, panels, epilogue);
}

inline void matmul(const Run& run, const MatMul& p) {
  for (index_t batch = 0; batch < p.batch; batch++) {
    const float *a = p.a + batch * p.a_stride, *b = p.b + batch * p.b_stride;
    float* out = p.out + batch * p.m * p.n;
    const Rows a_rows{a, p.k, p.m}, b_rows{b, p.k, p.n};
    const Columns a_columns{a, p.m, p.m}, b_columns{b, p.n, p.n};
    if (p.transpose_a && p.transpose_b) matmul_one(run, p, a_columns, b_rows, out);
    else if (p.transpose_a) matmul_one(run, p, a_columns, b_columns, out);
    else if (p.transpose_b) matmul_one(run, p, a_rows, b_rows, out);
    else matmul_one(run, p, a_rows, b_columns, out);
  }
}
