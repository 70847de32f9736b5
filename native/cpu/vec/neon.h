// The vector layer for NEON (AArch64): 4 lanes. Included inside namespace eat::neon.

constexpr int W = 4;
typedef float32x4_t F;
typedef int32x4_t I;
typedef uint32x4_t M;
typedef float64x2_t D;
constexpr int MR = 8, NV = 3;

inline F zero() { return vdupq_n_f32(0); }
inline F set1(float x) { return vdupq_n_f32(x); }
inline F load(const float* p) { return vld1q_f32(p); }
inline void store(float* p, F v) { vst1q_f32(p, v); }
inline void stream(float* p, F v) { vst1q_f32(p, v); }
inline void stream_fence() {}
inline F load_partial(const float* p, int n) {
  float lanes[W] = {};
  for (int i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
}
inline void store_partial(float* p, F v, int n) {
  float lanes[W];
  store(lanes, v);
  for (int i = 0; i < n; i++) p[i] = lanes[i];
}
inline F add(F a, F b) { return vaddq_f32(a, b); }
inline F sub(F a, F b) { return vsubq_f32(a, b); }
inline F mul(F a, F b) { return vmulq_f32(a, b); }
inline F div(F a, F b) { return vdivq_f32(a, b); }
inline F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
inline F fnma(F a, F b, F c) { return vfmsq_f32(c, a, b); }
inline M lt(F a, F b) { return vcltq_f32(a, b); }
inline M le(F a, F b) { return vcleq_f32(a, b); }
inline M eq(F a, F b) { return vceqq_f32(a, b); }
inline M mask_and(M a, M b) { return vandq_u32(a, b); }
inline M mask_or(M a, M b) { return vorrq_u32(a, b); }
inline M mask_not(M a) { return vmvnq_u32(a); }
inline F select(M m, F yes, F no) { return vbslq_f32(m, yes, no); }
// As on x86: the second operand where either is NaN.
inline F min(F a, F b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
inline F max(F a, F b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
inline F sqrt(F a) { return vsqrtq_f32(a); }
inline F abs(F a) { return vabsq_f32(a); }
inline unsigned bits(M m) {
  const std::uint32_t weights[W] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(m, vld1q_u32(weights)));
}
inline M mask_of(unsigned bits) {
  const std::uint32_t weights[W] = {1, 2, 4, 8};
  return vtstq_u32(vdupq_n_u32(bits), vld1q_u32(weights));
}
inline I iset1(std::int32_t x) { return vdupq_n_s32(x); }
inline I iload(const std::int32_t* p) { return vld1q_s32(p); }
inline void istore(std::int32_t* p, I v) { vst1q_s32(p, v); }
inline I iota() {
  const std::int32_t lanes[W] = {0, 1, 2, 3};
  return iload(lanes);
}
inline I iadd(I a, I b) { return vaddq_s32(a, b); }
inline I iselect(M m, I yes, I no) { return vbslq_s32(m, yes, no); }
inline M ieq(I a, I b) { return vceqq_s32(a, b); }
inline float hmin(F a) { return vminvq_f32(a); }
inline std::int32_t ihmin(I a) { return vminvq_s32(a); }
inline I as_int(F a) { return vreinterpretq_s32_f32(a); }
inline F as_float(I a) { return vreinterpretq_f32_s32(a); }

inline D dzero() { return vdupq_n_f64(0); }
inline D dset1(double x) { return vdupq_n_f64(x); }
inline D dload(const double* p) { return vld1q_f64(p); }
inline void dstore(double* p, D v) { vst1q_f64(p, v); }
inline D dadd(D a, D b) { return vaddq_f64(a, b); }
inline D dsub(D a, D b) { return vsubq_f64(a, b); }
inline D dmul(D a, D b) { return vmulq_f64(a, b); }
inline D dfma(D a, D b, D c) { return vfmaq_f64(c, a, b); }
inline D dmin(D a, D b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
inline D dmax(D a, D b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
inline D dload_floats(const float* p) { return vcvt_f64_f32(vld1_f32(p)); }
inline double dsum(D a) { return vaddvq_f64(a); }

inline void transpose(F (&r)[W]) {
  const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}
