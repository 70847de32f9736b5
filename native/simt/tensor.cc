#include "tensor.h"

#include <algorithm>
#include <cmath>

namespace eat::simt {

using cuda::bits_double;
using cuda::bits_float;
using cuda::double_bits;
using cuda::float_bits;

uint16_t half_bits(float v) {
  const uint32_t bits = float_bits(v);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  const float size = std::fabs(v);
  if (std::isnan(v)) return 0x7fff;
  if (size >= 65520.0f) return static_cast<uint16_t>(sign | 0x7c00u);
  // Below 2^-14 halves are multiples of 2^-24; adding 1/2 (whose last place is 2^-24) rounds to them.
  if (size < 0x1p-14f) return static_cast<uint16_t>(sign | (float_bits(size + 0.5f) - float_bits(0.5f)));
  uint32_t kept = float_bits(size);
  kept += 0xfffu + (kept >> 13 & 1u);
  return static_cast<uint16_t>(sign | ((kept >> 13) - (112u << 10)));
}

float half_value(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1fu, fraction = bits & 0x3ffu;
  if (exponent == 31) return bits_float(sign | 0x7f800000u | fraction << 13);
  if (exponent == 0) return (sign != 0 ? -1.0f : 1.0f) * static_cast<float>(fraction) * 0x1p-24f;
  return bits_float(sign | (exponent + 112) << 23 | fraction << 13);
}

namespace {

float toward_zero(double v) {
  const float f = static_cast<float>(v);
  return std::fabs(static_cast<double>(f)) > std::fabs(v) ? std::nextafterf(f, 0.0f) : f;
}

// One step of a tensor core: products are exact, all terms are cut off below 2^-24 of the largest one's power of two, added
// exactly, and the sum is cut to a float. (Fasi et al., "Numerical behavior of NVIDIA tensor cores", 2021: cards differ in
// guard bits, none rounds; this is the least of those of sm_80 and later.)
template <int Terms>
float fused_sum(float d, const double (&products)[Terms]) {
  double largest = std::fabs(static_cast<double>(d));
  double plain = d;
  for (const double p : products) largest = std::max(largest, std::fabs(p)), plain += p;
  if (largest == 0 || !std::isfinite(plain)) return static_cast<float>(plain);
  const uint64_t exponent = (double_bits(largest) >> 52) - 24;  // biased by 1023; largest >= 2^-298: no underflow
  const double unit = bits_double(exponent << 52), per_unit = bits_double((2046 - exponent) << 52);
  int64_t sum = static_cast<int64_t>(d * per_unit);
  for (const double p : products) sum += static_cast<int64_t>(p * per_unit);
  return toward_zero(static_cast<double>(sum) * unit);
}

Fragments& lane_of(Operands& warp, int lane) { return *reinterpret_cast<Fragments*>(warp.lane[lane]); }

// d[16][8] += a[16][K] b[K][8], Block products at a time.
template <int K, int Block>
void multiply(Operands& warp, const float (&a)[16][K], const float (&b)[K][8]) {
  for (int row = 0; row < 16; row++) {
    for (int col = 0; col < 8; col++) {
      float& d = lane_of(warp, row % 8 * 4 + col / 2).d[row / 8 * 2 + col % 2];
      for (int k = 0; k < K; k += Block) {
        double products[Block];
        for (int i = 0; i < Block; i++) products[i] = static_cast<double>(a[row][k + i]) * b[k + i][col];
        d = fused_sum(d, products);
      }
    }
  }
}

}  // namespace

float sum_of_products(float d, const float (&x)[16], const float (&y)[16]) {
  for (int k = 0; k < 16; k += 8) {
    double products[8];
    for (int i = 0; i < 8; i++) products[i] = static_cast<double>(x[k + i]) * y[k + i];
    d = fused_sum(d, products);
  }
  return d;
}

// The hardware reads only the upper 19 bits of a TF32 operand.
void multiply_tf32(Operands& warp) {
  float a[16][8], b[8][8];
  const auto value = [](uint32_t bits) { return bits_float(bits & 0xffffe000u); };
  for (int lane = 0; lane < kLanes; lane++) {
    const Fragments& f = lane_of(warp, lane);
    const int group = lane / 4, t = lane % 4;
    for (int i = 0; i < 4; i++) a[group + i % 2 * 8][t + i / 2 * 4] = value(f.a[i]);
    for (int i = 0; i < 2; i++) b[t + i * 4][group] = value(f.b[i]);
  }
  multiply<8, 4>(warp, a, b);
}

void multiply_f16(Operands& warp) {
  float a[16][16], b[16][8];
  const auto value = [](uint32_t pair, int which) { return half_value(static_cast<uint16_t>(pair >> which * 16)); };
  for (int lane = 0; lane < kLanes; lane++) {
    const Fragments& f = lane_of(warp, lane);
    const int group = lane / 4, t = lane % 4;
    for (int which = 0; which < 2; which++) {
      for (int i = 0; i < 4; i++) a[group + i % 2 * 8][t * 2 + which + i / 2 * 8] = value(f.a[i], which);
      for (int i = 0; i < 2; i++) b[t * 2 + which + i * 8][group] = value(f.b[i], which);
    }
  }
  multiply<16, 8>(warp, a, b);
}

}  // namespace eat::simt
