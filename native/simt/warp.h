// What the lanes of a full warp do together, and small functions on bits.
#pragma once

#include <cmath>
#include <cstring>

#include "machine.h"

namespace eat::cuda {

using std::fma;
using std::sqrt;

template <class T>
T shuffle_from(const char* what, T v, int from, simt::Site site) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  const int own = lane();
  const simt::Operands& all = simt::machine.meet(what, site, &v, sizeof v);
  T result;
  std::memcpy(&result, all.lane[from < 0 || from >= kWarp ? own : from], sizeof result);
  return result;
}

inline void sync_warp(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  simt::machine.meet("sync_warp", {file, line}, nullptr, 0, [](simt::Operands&) { simt::machine.warps[warp()].epoch++; });
}
template <class T>
T shuffle(T v, int from, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return shuffle_from("shuffle", v, from & (kWarp - 1), {file, line});
}
template <class T>
T shuffle_xor(T v, int mask, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return shuffle_from("shuffle_xor", v, lane() ^ mask, {file, line});
}
// A lane whose source would lie outside the warp keeps its own value.
template <class T>
T shuffle_down(T v, int n, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return shuffle_from("shuffle_down", v, lane() + n, {file, line});
}
template <class T>
T shuffle_up(T v, int n, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return shuffle_from("shuffle_up", v, lane() - n, {file, line});
}

inline unsigned ballot(bool p, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  const simt::Operands& votes = simt::machine.meet("vote", {file, line}, &p, sizeof p);
  unsigned bits = 0;
  for (int i = 0; i < kWarp; i++) bits |= static_cast<unsigned>(votes.lane[i][0] != 0) << i;
  return bits;
}
inline bool any(bool p, const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return ballot(p, file, line) != 0; }
inline bool all(bool p, const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return ballot(p, file, line) == kAllLanes; }

inline int count_bits(unsigned v) { return __builtin_popcount(v); }
// The lowest bit set, -1 where none is.
inline int first_bit(unsigned v) { return __builtin_ffs(static_cast<int>(v)) - 1; }
inline int first_bit(unsigned long long v) { return __builtin_ffsll(static_cast<long long>(v)) - 1; }

template <class To, class From>
To same_bits(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  std::memcpy(&result, &v, sizeof result);
  return result;
}
inline unsigned float_bits(float v) { return same_bits<unsigned>(v); }
inline float bits_float(unsigned v) { return same_bits<float>(v); }
inline unsigned long long double_bits(double v) { return same_bits<unsigned long long>(v); }
inline double bits_double(unsigned long long v) { return same_bits<double>(v); }

}  // namespace eat::cuda
