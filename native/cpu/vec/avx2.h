// The vector layer for AVX2 + FMA: 8 lanes. Included inside namespace eat::avx2, within its target region.

constexpr int W = 8;
typedef __m256 F;
typedef __m256i I;
typedef __m256 M;
typedef __m256d D;
constexpr int MR = 6, NV = 2;

inline F zero() { return _mm256_setzero_ps(); }
inline F set1(float x) { return _mm256_set1_ps(x); }
inline F load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, F v) { _mm256_storeu_ps(p, v); }
// Past the caches; p at a multiple of 32 bytes.
inline void stream(float* p, F v) { _mm256_stream_ps(p, v); }
inline void stream_fence() { _mm_sfence(); }
inline I lanes_below(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline F load_partial(const float* p, int n) { return _mm256_maskload_ps(p, lanes_below(n)); }
inline void store_partial(float* p, F v, int n) { _mm256_maskstore_ps(p, lanes_below(n), v); }
inline F add(F a, F b) { return _mm256_add_ps(a, b); }
inline F sub(F a, F b) { return _mm256_sub_ps(a, b); }
inline F mul(F a, F b) { return _mm256_mul_ps(a, b); }
inline F div(F a, F b) { return _mm256_div_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
inline F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }
inline M lt(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
inline M le(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
inline M eq(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
inline M mask_and(M a, M b) { return _mm256_and_ps(a, b); }
inline M mask_or(M a, M b) { return _mm256_or_ps(a, b); }
inline M mask_not(M a) { return _mm256_xor_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(-1))); }
inline F select(M m, F yes, F no) { return _mm256_blendv_ps(no, yes, m); }
inline F min(F a, F b) { return _mm256_min_ps(a, b); }
inline F max(F a, F b) { return _mm256_max_ps(a, b); }
inline F sqrt(F a) { return _mm256_sqrt_ps(a); }
inline F abs(F a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
inline unsigned bits(M m) { return static_cast<unsigned>(_mm256_movemask_ps(m)); }
inline M mask_of(unsigned bits) {
  const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), lane), lane));
}
inline I iset1(std::int32_t x) { return _mm256_set1_epi32(x); }
inline I iota() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
inline I iadd(I a, I b) { return _mm256_add_epi32(a, b); }
inline I iselect(M m, I yes, I no) { return _mm256_blendv_epi8(no, yes, _mm256_castps_si256(m)); }
inline I iload(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void istore(std::int32_t* p, I v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
inline M ieq(I a, I b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
inline float hmin(F a) {
  __m128 m = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  m = _mm_min_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_min_ss(m, _mm_shuffle_ps(m, m, 1)));
}
inline std::int32_t ihmin(I a) {
  __m128i m = _mm_min_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
  return _mm_cvtsi128_si32(_mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1)));
}

inline D dzero() { return _mm256_setzero_pd(); }
inline D dset1(double x) { return _mm256_set1_pd(x); }
inline D dload(const double* p) { return _mm256_loadu_pd(p); }
inline void dstore(double* p, D v) { _mm256_storeu_pd(p, v); }
inline D dadd(D a, D b) { return _mm256_add_pd(a, b); }
inline D dsub(D a, D b) { return _mm256_sub_pd(a, b); }
inline D dmul(D a, D b) { return _mm256_mul_pd(a, b); }
inline D dfma(D a, D b, D c) { return _mm256_fmadd_pd(a, b, c); }
inline D dmin(D a, D b) { return _mm256_min_pd(a, b); }
inline D dmax(D a, D b) { return _mm256_max_pd(a, b); }
inline I as_int(F a) { return _mm256_castps_si256(a); }
inline F as_float(I a) { return _mm256_castsi256_ps(a); }
inline D dload_floats(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
inline double dsum(D a) {
  const __m128d h = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  return _mm_cvtsd_f64(h) + _mm_cvtsd_f64(_mm_unpackhi_pd(h, h));
}

inline void transpose(F (&r)[W]) {
  const F a0 = _mm256_unpacklo_ps(r[0], r[1]), a1 = _mm256_unpackhi_ps(r[0], r[1]);
  const F a2 = _mm256_unpacklo_ps(r[2], r[3]), a3 = _mm256_unpackhi_ps(r[2], r[3]);
  const F a4 = _mm256_unpacklo_ps(r[4], r[5]), a5 = _mm256_unpackhi_ps(r[4], r[5]);
  const F a6 = _mm256_unpacklo_ps(r[6], r[7]), a7 = _mm256_unpackhi_ps(r[6], r[7]);
  const F b0 = _mm256_shuffle_ps(a0, a2, 0x44), b1 = _mm256_shuffle_ps(a0, a2, 0xee);
  const F b2 = _mm256_shuffle_ps(a1, a3, 0x44), b3 = _mm256_shuffle_ps(a1, a3, 0xee);
  const F b4 = _mm256_shuffle_ps(a4, a6, 0x44), b5 = _mm256_shuffle_ps(a4, a6, 0xee);
  const F b6 = _mm256_shuffle_ps(a5, a7, 0x44), b7 = _mm256_shuffle_ps(a5, a7, 0xee);
  r[0] = _mm256_permute2f128_ps(b0, b4, 0x20); r[4] = _mm256_permute2f128_ps(b0, b4, 0x31);
  r[1] = _mm256_permute2f128_ps(b1, b5, 0x20); r[5] = _mm256_permute2f128_ps(b1, b5, 0x31);
  r[2] = _mm256_permute2f128_ps(b2, b6, 0x20); r[6] = _mm256_permute2f128_ps(b2, b6, 0x31);
  r[3] = _mm256_permute2f128_ps(b3, b7, 0x20); r[7] = _mm256_permute2f128_ps(b3, b7, 0x31);
}
