// Winograd's transforms for 3 x 3 filters: O x O outputs from (O + 2) x (O + 2) inputs, a product per point of the tile. A line of a
// tile is a polynomial, taken at 0, at infinity and between them at 1 and -1 (O = 2), or at 5/8, -5/8, 3/2 and -3/2 (O = 4): sums stay
// short and factors near 1, so that the error is a third of that of the usual 1, -1, 2 and -2.

template <int O>
struct WinogradLine;

template <>
struct WinogradLine<2> {
  static EAT_ALWAYS_INLINE void input(F (&d)[4]) {
    const F d1 = d[1], d2 = d[2];
    d[0] = sub(d[0], d2);
    d[1] = add(d2, d1);
    d[2] = sub(d2, d1);
    d[3] = sub(d[3], d1);
  }

  static EAT_ALWAYS_INLINE void filter(const F (&g)[3], F (&u)[4]) {
    const F half = set1(0.5f), even = mul(half, add(g[0], g[2])), odd = mul(half, g[1]);
    u[0] = g[0];
    u[1] = add(even, odd);
    u[2] = sub(even, odd);
    u[3] = g[2];
  }

  static EAT_ALWAYS_INLINE void output(const F (&m)[4], F (&y)[2]) {
    y[0] = add(m[0], add(m[1], m[2]));
    y[1] = add(m[3], sub(m[1], m[2]));
  }

  static EAT_ALWAYS_INLINE void upstream(const F (&g)[2], F (&u)[4]) {
    const F half = set1(0.5f);
    u[0] = g[0];
    u[1] = mul(half, add(g[0], g[1]));
    u[2] = mul(half, sub(g[0], g[1]));
    u[3] = g[1];
  }

  static EAT_ALWAYS_INLINE void taps(const F (&m)[4], F (&w)[3]) {
    const F even = add(m[1], m[2]);
    w[0] = add(m[0], even);
    w[1] = sub(m[1], m[2]);
    w[2] = add(m[3], even);
  }
};

template <>
struct WinogradLine<4> {
  static constexpr float a = 0.625f, b = 1.5f, a2 = a * a, b2 = b * b;  // all exact
  // One by the product of a point's distances from the others: 0, a and -a, b and -b.
  static constexpr float origin = static_cast<float>(1 / (1.0 * a2 * b2)), near = static_cast<float>(1 / (2.0 * a2 * (a2 - b2))),
                         far = static_cast<float>(1 / (2.0 * b2 * (b2 - a2)));

  static EAT_ALWAYS_INLINE void input(F (&d)[6]) {
    const F d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4], ends = set1(a2 * b2), middle = set1(a2 + b2);
    d[0] = fma(ends, d[0], fnma(middle, d2, d4));
    d[5] = fma(ends, d1, fnma(middle, d3, d[5]));
    pair(fnma(set1(b2), d2, d4), fnma(set1(b2), d1, d3), a, d[1], d[2]);
    pair(fnma(set1(a2), d2, d4), fnma(set1(a2), d1, d3), b, d[3], d[4]);
  }

  static EAT_ALWAYS_INLINE void filter(const F (&g)[3], F (&u)[6]) {
    u[0] = mul(set1(origin), g[0]);
    u[5] = g[2];
    pair(mul(set1(near), fma(set1(a2), g[2], g[0])), mul(set1(near), g[1]), a, u[1], u[2]);
    pair(mul(set1(far), fma(set1(b2), g[2], g[0])), mul(set1(far), g[1]), b, u[3], u[4]);
  }

  static EAT_ALWAYS_INLINE void output(const F (&m)[6], F (&y)[4]) {
    const F even = add(m[1], m[2]), far_even = add(m[3], m[4]), odd = sub(m[1], m[2]), far_odd = sub(m[3], m[4]);
    y[0] = add(m[0], add(even, far_even));
    y[1] = fma(set1(a), odd, mul(set1(b), far_odd));
    y[2] = fma(set1(a2), even, mul(set1(b2), far_even));
    y[3] = fma(set1(a2 * a), odd, fma(set1(b2 * b), far_odd, m[5]));
  }

  static EAT_ALWAYS_INLINE void upstream(const F (&g)[4], F (&u)[6]) {
    u[0] = mul(set1(origin), g[0]);
    u[5] = g[3];
    pair(mul(set1(near), fma(set1(a2), g[2], g[0])), mul(set1(near), fma(set1(a2), g[3], g[1])), a, u[1], u[2]);
    pair(mul(set1(far), fma(set1(b2), g[2], g[0])), mul(set1(far), fma(set1(b2), g[3], g[1])), b, u[3], u[4]);
  }

  static EAT_ALWAYS_INLINE void taps(const F (&m)[6], F (&w)[3]) {
    const F even = add(m[1], m[2]), far_even = add(m[3], m[4]), odd = sub(m[1], m[2]), far_odd = sub(m[3], m[4]);
    w[0] = add(m[0], add(even, far_even));
    w[1] = fma(set1(a), odd, mul(set1(b), far_odd));
    w[2] = fma(set1(a2), even, fma(set1(b2), far_even, m[5]));
  }

 private:
  // At p and -p: even + p * odd and even - p * odd.
  static EAT_ALWAYS_INLINE void pair(F even, F odd, float p, F& plus, F& minus) {
    plus = fma(set1(p), odd, even);
    minus = fnma(set1(p), odd, even);
  }
};

// W channels of a tile; `at` has its pixels' places, rows in order. Point e goes to to + e * step.
template <int O, bool Whole>
EAT_ALWAYS_INLINE void transform_input(const float* const* at, index_t channel, int lanes, float* to, index_t step) {
  constexpr int P = O + 2;
  F t[P][P];
#pragma GCC unroll 6
  for (int j = 0; j < P; j++) {
    F line[P];
#pragma GCC unroll 6
    for (int i = 0; i < P; i++) {
      const float* from = at[i * P + j] + channel;
      line[i] = Whole ? load(from) : load_partial(from, lanes);
    }
    WinogradLine<O>::input(line);
#pragma GCC unroll 6
    for (int i = 0; i < P; i++) t[i][j] = line[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < P; i++) {
    WinogradLine<O>::input(t[i]);
#pragma GCC unroll 6
    for (int j = 0; j < P; j++) store(to + (i * P + j) * step, t[i][j]);
  }
}

// g: the nine taps of W pairs of channels.
template <int O>
EAT_ALWAYS_INLINE void transform_filter(const F (&g)[9], float* to, index_t step) {
  constexpr int P = O + 2;
  F t[P][3];
#pragma GCC unroll 3
  for (int j = 0; j < 3; j++) {
    const F line[3] = {g[j], g[3 + j], g[6 + j]};
    F u[P];
    WinogradLine<O>::filter(line, u);
#pragma GCC unroll 6
    for (int i = 0; i < P; i++) t[i][j] = u[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < P; i++) {
    F u[P];
    WinogradLine<O>::filter(t[i], u);
#pragma GCC unroll 6
    for (int j = 0; j < P; j++) store(to + (i * P + j) * step, u[j]);
  }
}

// Point e of W sums stands at from + e * step.
template <int O>
EAT_ALWAYS_INLINE void transform_output(const float* from, index_t step, F (&y)[O][O]) {
  constexpr int P = O + 2;
  F t[O][P];
#pragma GCC unroll 6
  for (int j = 0; j < P; j++) {
    F line[P], sums[O];
#pragma GCC unroll 6
    for (int i = 0; i < P; i++) line[i] = load(from + (i * P + j) * step);
    WinogradLine<O>::output(line, sums);
#pragma GCC unroll 4
    for (int i = 0; i < O; i++) t[i][j] = sums[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < O; i++) WinogradLine<O>::output(t[i], y[i]);
}

// For the filter's gradient: W channels of the upstream gradient of a tile, as transform_input.
template <int O, bool Whole>
EAT_ALWAYS_INLINE void transform_upstream(const float* const* at, index_t channel, int lanes, float* to, index_t step) {
  constexpr int P = O + 2;
  F t[P][O];
#pragma GCC unroll 4
  for (int j = 0; j < O; j++) {
    F line[O], u[P];
#pragma GCC unroll 4
    for (int i = 0; i < O; i++) {
      const float* from = at[i * O + j] + channel;
      line[i] = Whole ? load(from) : load_partial(from, lanes);
    }
    WinogradLine<O>::upstream(line, u);
#pragma GCC unroll 6
    for (int i = 0; i < P; i++) t[i][j] = u[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < P; i++) {
    F u[P];
    WinogradLine<O>::upstream(t[i], u);
#pragma GCC unroll 6
    for (int j = 0; j < P; j++) store(to + (i * P + j) * step, u[j]);
  }
}

// The nine taps of W sums; sum(e) is point e.
template <int O, class Sum>
EAT_ALWAYS_INLINE void transform_taps(const Sum& sum, F (&w)[3][3]) {
  constexpr int P = O + 2;
  F t[3][P];
#pragma GCC unroll 6
  for (int j = 0; j < P; j++) {
    F line[P], taps[3];
#pragma GCC unroll 6
    for (int i = 0; i < P; i++) line[i] = sum(i * P + j);
    WinogradLine<O>::taps(line, taps);
#pragma GCC unroll 3
    for (int i = 0; i < 3; i++) t[i][j] = taps[i];
  }
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++) WinogradLine<O>::taps(t[i], w[i]);
}
