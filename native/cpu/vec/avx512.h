// The vector layer for AVX-512 F/DQ/BW/VL: 16 lanes. Included inside namespace eat::avx512, within its target region.

constexpr int W = 16;
typedef __m512 F;
typedef __m512i I;
typedef __mmask16 M;
typedef __m512d D;
constexpr int MR = 14, NV = 2;

inline F zero() { return _mm512_setzero_ps(); }
inline F set1(float x) { return _mm512_set1_ps(x); }
inline F load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, F v) { _mm512_storeu_ps(p, v); }
// Past the caches; p on a line of memory.
inline void stream(float* p, F v) { _mm512_stream_ps(p, v); }
inline void stream_fence() { _mm_sfence(); }
inline M lanes_below(int n) { return static_cast<M>((1u << n) - 1); }
inline F load_partial(const float* p, int n) { return _mm512_maskz_loadu_ps(lanes_below(n), p); }
inline void store_partial(float* p, F v, int n) { _mm512_mask_storeu_ps(p, lanes_below(n), v); }
inline F add(F a, F b) { return _mm512_add_ps(a, b); }
inline F sub(F a, F b) { return _mm512_sub_ps(a, b); }
inline F mul(F a, F b) { return _mm512_mul_ps(a, b); }
inline F div(F a, F b) { return _mm512_div_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
inline M lt(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
inline M le(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
inline M eq(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
inline M mask_and(M a, M b) { return a & b; }
inline M mask_or(M a, M b) { return a | b; }
inline M mask_not(M a) { return static_cast<M>(~a); }
inline F select(M m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }
inline F min(F a, F b) { return _mm512_min_ps(a, b); }
inline F max(F a, F b) { return _mm512_max_ps(a, b); }
inline F sqrt(F a) { return _mm512_sqrt_ps(a); }
inline F abs(F a) { return _mm512_abs_ps(a); }
inline unsigned bits(M m) { return m; }
inline M mask_of(unsigned bits) { return static_cast<M>(bits); }
inline I iset1(std::int32_t x) { return _mm512_set1_epi32(x); }
inline I iota() { return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
inline I iadd(I a, I b) { return _mm512_add_epi32(a, b); }
inline I iselect(M m, I yes, I no) { return _mm512_mask_blend_epi32(m, no, yes); }
inline I iload(const std::int32_t* p) { return _mm512_loadu_si512(p); }
inline void istore(std::int32_t* p, I v) { _mm512_storeu_si512(p, v); }
inline M ieq(I a, I b) { return _mm512_cmpeq_epi32_mask(a, b); }
inline float hmin(F a) { return _mm512_reduce_min_ps(a); }
inline std::int32_t ihmin(I a) { return _mm512_reduce_min_epi32(a); }

inline D dzero() { return _mm512_setzero_pd(); }
inline D dset1(double x) { return _mm512_set1_pd(x); }
inline D dload(const double* p) { return _mm512_loadu_pd(p); }
inline void dstore(double* p, D v) { _mm512_storeu_pd(p, v); }
inline D dadd(D a, D b) { return _mm512_add_pd(a, b); }
inline D dsub(D a, D b) { return _mm512_sub_pd(a, b); }
inline D dmul(D a, D b) { return _mm512_mul_pd(a, b); }
inline D dfma(D a, D b, D c) { return _mm512_fmadd_pd(a, b, c); }
inline D dmin(D a, D b) { return _mm512_min_pd(a, b); }
inline D dmax(D a, D b) { return _mm512_max_pd(a, b); }
inline I as_int(F a) { return _mm512_castps_si512(a); }
inline F as_float(I a) { return _mm512_castsi512_ps(a); }
inline D dload_floats(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
inline double dsum(D a) { return _mm512_reduce_add_pd(a); }

inline void transpose(F (&r)[W]) {
  F a[W], b[W];
  for (int i = 0; i < W; i += 2) {
    a[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < W; i += 4) {
    b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    a[i] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88);
    a[i + 4] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xdd);
    a[i + 8] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88);
    a[i + 12] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0xdd);
  }
}
