// Shuffles, votes, halves, TF32 and the tensor cores' products, against plain arithmetic.
#include <cmath>

#include "harness.h"

namespace simt_test {

EAT_GLOBAL void shuffles(Span<int> out) {
  const int v = thread_x();
  out[v] = shuffle(v, 3);
  out[64 + v] = shuffle_xor(v, 5);
  out[128 + v] = shuffle_down(v, 4);
  out[192 + v] = shuffle_up(v, 4);
  out[256 + v] = static_cast<int>(ballot(v % 3 == 0));
  out[320 + v] = any(v == 40);
  out[384 + v] = all(v >= 32);
  double wide = v;
  for (int step = 16; step > 0; step /= 2) wide += shuffle_xor(wide, step);
  out[448 + v] = static_cast<int>(wide);
}

void check_shuffles() {
  Memory<int> out(512);
  run(shuffles, 1, 64, 0, out.span());
  const std::vector<int> got = out.values();
  for (int v = 0; v < 64; v++) {
    const int lane = v % 32, first = v - lane;
    unsigned votes = 0;
    for (int i = 0; i < 32; i++) votes |= static_cast<unsigned>((first + i) % 3 == 0) << i;
    const int expected[8] = {first + 3, first + (lane ^ 5), lane + 4 < 32 ? v + 4 : v, lane >= 4 ? v - 4 : v,
                             static_cast<int>(votes), first == 32, first == 32, first * 32 + 496};
    for (int i = 0; i < 8; i++) require(got[i * 64 + v] == expected[i], "collective " + std::to_string(i) + " at thread " + std::to_string(v));
  }
}

// Every half, and floats between each two: the nearest, at a tie the even one.
void check_halves() {
  for (unsigned bits = 0; bits < 0x7c00; bits++) {
    const half h{static_cast<uint16_t>(bits)}, next{static_cast<uint16_t>(bits + 1)};
    const float value = to_float(h), above = bits + 1 < 0x7c00 ? to_float(next) : 65536.0f, middle = (value + above) / 2;
    require(to_half(value).bits == bits, "a half does not come back");
    require(to_half(-value).bits == (bits | 0x8000u), "sign");
    require(to_half(middle).bits == (bits + bits % 2), "a tie goes to even");
    require(to_half(std::nextafterf(middle, 0)).bits == bits && to_half(std::nextafterf(middle, 1e9f)).bits == bits + 1, "nearest");
  }
  require(to_half(INFINITY).bits == 0x7c00 && std::isnan(to_float(to_half(NAN))), "Inf and NaN");
}

void check_tf32() {
  const float step = std::ldexp(1.0f, -10);
  require(bits_float(to_tf32(1 + step / 2)) == 1 + step && bits_float(to_tf32(-1 - step / 2)) == -1 - step, "a tie goes away from zero");
  require(bits_float(to_tf32(1 + step * 0.4999f)) == 1.0f, "nearest");
  require(bits_float(to_tf32(INFINITY)) == INFINITY && std::isnan(bits_float(to_tf32(NAN))), "Inf and NaN");
}

// One 16 x 8 product from matrices in global memory, by the layouts of the PTX manual.
EAT_GLOBAL void product_tf32(Span<const float> a, Span<const float> b, Span<float> out) {
  const int group = lane() / 4, t = lane() % 4;
  const unsigned fa[4] = {to_tf32(a[group * 8 + t]), to_tf32(a[(group + 8) * 8 + t]), to_tf32(a[group * 8 + t + 4]),
                          to_tf32(a[(group + 8) * 8 + t + 4])};
  const unsigned fb[2] = {to_tf32(b[t * 8 + group]), to_tf32(b[(t + 4) * 8 + group])};
  float d[4] = {1, 1, 1, 1};
  mma_m16n8k8_tf32(d, fa, fb);
  for (int i = 0; i < 4; i++) out[(group + i / 2 * 8) * 8 + t * 2 + i % 2] = d[i];
}
EAT_GLOBAL void product_f16(Span<const float> a, Span<const float> b, Span<float> out) {
  const int group = lane() / 4, t = lane() % 4;
  unsigned fa[4], fb[2];
  for (int i = 0; i < 4; i++) {
    const int at = (group + i % 2 * 8) * 16 + t * 2 + i / 2 * 8;
    fa[i] = pack_halves(to_half(a[at]), to_half(a[at + 1]));
  }
  for (int i = 0; i < 2; i++) {
    const int k = t * 2 + i * 8;
    fb[i] = pack_halves(to_half(b[k * 8 + group]), to_half(b[(k + 1) * 8 + group]));
  }
  float d[4] = {1, 1, 1, 1};
  mma_m16n8k16_f16(d, fa, fb);
  for (int i = 0; i < 4; i++) out[(group + i / 2 * 8) * 8 + t * 2 + i % 2] = d[i];
}

// Small integers: every sum is exact, so any wrong place shows.
void check_product(void (*kernel)(Span<const float>, Span<const float>, Span<float>), int k) {
  std::vector<float> a(16 * k), b(k * 8);
  for (int i = 0; i < 16 * k; i++) a[i] = static_cast<float>(i * 7 % 23 - 11);
  for (int i = 0; i < k * 8; i++) b[i] = static_cast<float>(i * 5 % 19 - 9);
  Memory<float> da(a), db(b), out(128);
  run(kernel, 1, 32, 0, Span<const float>(da.span()), Span<const float>(db.span()), out.span());
  for (int i = 0; i < 128; i++) {
    float expected = 1;
    for (int j = 0; j < k; j++) expected += a[i / 8 * k + j] * b[j * 8 + i % 8];
    require(out.values()[i] == expected, "element " + std::to_string(i));
  }
}

static const Add warp_cases[] = {
    {"shuffles and votes", {}, check_shuffles},
    {"halves", {}, check_halves},
    {"tf32", {}, check_tf32},
    {"mma m16n8k8 tf32", {}, [] { check_product(product_tf32, 8); }},
    {"mma m16n8k16 f16", {}, [] { check_product(product_f16, 16); }},
};

}  // namespace simt_test
