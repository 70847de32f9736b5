// Sums and conversions rounded to one side: what keeps a projection inside by the last bit.
#pragma once

#include <cmath>

#include "simt.h"

namespace eat::cuda {

constexpr float kLargestFloat = 3.402823466e38f;

// Largest float <= x, on the host.
inline float float_below(double x) {
  const float f = static_cast<float>(x);
  return f > x ? std::nextafterf(f, -INFINITY) : f;
}

// v in [low, high]; v's own bits where it is inside: fmin and fmax may give either zero.
template <class T>
EAT_DEVICE T clamp(T v, T low, T high) {
  v = v < low ? low : v;
  return v > high ? high : v;
}

// The float next to x on zero's side where it is not x itself.
EAT_DEVICE float float_toward_zero(double x) {
  const float f = static_cast<float>(x);
  return fabs(static_cast<double>(f)) > fabs(x) ? bits_float(float_bits(f) - 1) : f;
}

// a + b rounded down: the rounding error of the sum is itself a float (Knuth's two-sum); where it is negative the sum is too big.
EAT_DEVICE float add_down(float a, float b) {
  const float s = a + b, bb = s - a;
  const float error = (a - (s - bb)) + (b - bb);
  return error < 0.0f ? bits_float(s > 0.0f ? float_bits(s) - 1 : float_bits(s) + 1) : s;
}

}  // namespace eat::cuda
