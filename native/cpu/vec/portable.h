// The vector layer without an instruction set: 16 lanes by the compiler's own vectors. Included inside an ISA's namespace.
// A lane-wise layer has: W lanes; F floats, I int32, M mask, D doubles (W/2 lanes).

constexpr int W = 16;
typedef float F __attribute__((vector_size(64)));
typedef std::int32_t I __attribute__((vector_size(64)));
typedef I M;
typedef double D __attribute__((vector_size(64)));
typedef float HalfF __attribute__((vector_size(32)));

// Tile of the GEMM microkernel: MR rows by NV vectors.
constexpr int MR = 2, NV = 1;

inline F zero() { return F{}; }
inline F set1(float x) { return F{} + x; }
inline F load(const float* p) { F v; std::memcpy(&v, p, sizeof v); return v; }
inline void store(float* p, F v) { std::memcpy(p, &v, sizeof v); }
inline void stream(float* p, F v) { store(p, v); }
inline void stream_fence() {}
inline F load_partial(const float* p, int n) { F v{}; std::memcpy(&v, p, sizeof(float) * n); return v; }
inline void store_partial(float* p, F v, int n) { std::memcpy(p, &v, sizeof(float) * n); }
inline F add(F a, F b) { return a + b; }
inline F sub(F a, F b) { return a - b; }
inline F mul(F a, F b) { return a * b; }
inline F div(F a, F b) { return a / b; }
inline F fma(F a, F b, F c) { return a * b + c; }
inline F fnma(F a, F b, F c) { return c - a * b; }
inline M lt(F a, F b) { return a < b; }
inline M le(F a, F b) { return a <= b; }
inline M eq(F a, F b) { return a == b; }
inline M mask_and(M a, M b) { return a & b; }
inline M mask_or(M a, M b) { return a | b; }
inline M mask_not(M a) { return ~a; }
inline F select(M m, F yes, F no) { return m ? yes : no; }
inline F min(F a, F b) { return a < b ? a : b; }
inline F max(F a, F b) { return a > b ? a : b; }
inline F sqrt(F a) { for (int i = 0; i < W; i++) a[i] = std::sqrt(a[i]); return a; }
inline F abs(F a) { return (F)((I)a & 0x7fffffff); }
inline unsigned bits(M m) { unsigned b = 0; for (int i = 0; i < W; i++) b |= (m[i] ? 1u : 0u) << i; return b; }
inline M mask_of(unsigned bits) { M m; for (int i = 0; i < W; i++) m[i] = bits >> i & 1 ? -1 : 0; return m; }
inline I iset1(std::int32_t x) { return I{} + x; }
inline I iota() { return I{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
inline I iadd(I a, I b) { return a + b; }
inline I iselect(M m, I yes, I no) { return m ? yes : no; }
inline I iload(const std::int32_t* p) { I v; std::memcpy(&v, p, sizeof v); return v; }
inline void istore(std::int32_t* p, I v) { std::memcpy(p, &v, sizeof v); }
inline M ieq(I a, I b) { return a == b; }
inline float hmin(F a) { float m = a[0]; for (int i = 1; i < W; i++) m = a[i] < m ? a[i] : m; return m; }
inline std::int32_t ihmin(I a) { std::int32_t m = a[0]; for (int i = 1; i < W; i++) m = a[i] < m ? a[i] : m; return m; }

inline D dzero() { return D{}; }
inline D dset1(double x) { return D{} + x; }
inline D dload(const double* p) { D v; std::memcpy(&v, p, sizeof v); return v; }
inline void dstore(double* p, D v) { std::memcpy(p, &v, sizeof v); }
inline D dadd(D a, D b) { return a + b; }
inline D dsub(D a, D b) { return a - b; }
inline D dmul(D a, D b) { return a * b; }
inline D dfma(D a, D b, D c) { return a * b + c; }
inline D dmin(D a, D b) { return a < b ? a : b; }
inline D dmax(D a, D b) { return a > b ? a : b; }
inline I as_int(F a) { return (I)a; }
inline F as_float(I a) { return (F)a; }
inline D dload_floats(const float* p) { HalfF v; std::memcpy(&v, p, sizeof v); return __builtin_convertvector(v, D); }
inline double dsum(D a) { return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7])); }

// W x W in place.
inline void transpose(F (&r)[W]) {
  float t[W][W];
  for (int i = 0; i < W; i++) for (int j = 0; j < W; j++) t[j][i] = r[i][j];
  for (int i = 0; i < W; i++) r[i] = load(t[i]);
}
