// Halves, TF32 and the tensor cores' products of a warp.
#pragma once

#include <cstdint>

#include "warp.h"

namespace eat::simt {

// float32 to IEEE half, to nearest, ties to even.
uint16_t half_bits(float v);
float half_value(uint16_t bits);

// One lane's part of d += a b, as it comes to the meeting.
struct Fragments {
  float d[4];
  uint32_t a[4], b[2];
};
void multiply_tf32(Operands& warp);
void multiply_f16(Operands& warp);
// d + x y of 16 dimensions, as a tensor core adds.
float sum_of_products(float d, const float (&x)[16], const float (&y)[16]);

}  // namespace eat::simt

namespace eat::cuda {

struct half {
  uint16_t bits;
};

inline half to_half(float v) { return {simt::half_bits(v)}; }
inline float to_float(half v) { return simt::half_value(v.bits); }
inline unsigned pack_halves(half low, half high) { return static_cast<unsigned>(low.bits) | static_cast<unsigned>(high.bits) << 16; }

// To nearest, ties away from zero; Inf and NaN stay what they are.
inline unsigned to_tf32(float v) {
  const unsigned bits = float_bits(v);
  if ((bits & 0x7f800000u) == 0x7f800000u) return bits & 0xffffe000u;
  return (bits + 0x1000u) & 0xffffe000u;
}

inline void mma(const char* what, simt::Site site, float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                void (*multiply)(simt::Operands&)) {
  const simt::Fragments mine = {{d[0], d[1], d[2], d[3]}, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const int own = lane();
  const simt::Operands& warp = simt::machine.meet(what, site, &mine, sizeof mine, multiply);
  std::memcpy(d, warp.lane[own], sizeof d);
}
inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  mma("mma_m16n8k8_tf32", {file, line}, d, a, b, simt::multiply_tf32);
}
inline void mma_m16n8k16_f16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  mma("mma_m16n8k16_f16", {file, line}, d, a, b, simt::multiply_f16);
}

}  // namespace eat::cuda
