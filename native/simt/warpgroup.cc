#include "warpgroup.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace eat::simt {

Warpgroups warpgroups;

namespace {

// What a matrix descriptor of the PTX manual says, as far as it is offered here: K-major, 128-byte swizzle.
struct Descriptor {
  uint32_t start, stride;

  explicit Descriptor(uint64_t bits) : start(static_cast<uint32_t>(bits & 0x3fff) << 4), stride(static_cast<uint32_t>(bits >> 32 & 0x3fff) << 4) {
    if (bits >> 62 != 1) machine.fault("a wgmma descriptor without the 128-byte swizzle");
    if ((bits >> 49 & 7) != 0) machine.fault("a wgmma descriptor with a base offset");
    // Rows of 128 bytes; the start may be one of the four steps of 16 halves within the first.
    if (start % 1024 >= 128 || start % 32 != 0) machine.fault("a wgmma operand at byte " + std::to_string(start) + ", not at a 1024-byte boundary");
    if (stride % 1024 != 0) machine.fault("a wgmma descriptor with a stride of " + std::to_string(stride) + " bytes");
  }
  // Of 8 halves: the swizzle exchanges bits 4 to 6 of the address by bits 7 to 9.
  uint32_t piece(int row, int k) const {
    const uint32_t at = start + static_cast<uint32_t>(row / 8) * stride + static_cast<uint32_t>(row % 8 * 128 + k * 2);
    return at ^ (at >> 3 & 0x70);
  }
  void check(int row) const {
    for (int k = 0; k < 16; k += 8) shared_memory.read(piece(row, k), 16, "read by wgmma");
  }
  void read(int row, float (&values)[16]) const {
    for (int k = 0; k < 16; k += 8) {
      const uint32_t at = piece(row, k);
      shared_memory.require_settled(at, 16);
      uint16_t halves[8];
      std::memcpy(halves, shared_memory.memory() + at, 16);
      for (int i = 0; i < 8; i++) values[k + i] = half_value(halves[i]);
    }
  }
};

}  // namespace

void Warpgroups::meet(const char* what, Site site, const Call& call, void (Warpgroups::*finish)(Group&, size_t), size_t argument) {
  const int first = machine.thread / kGroup * kGroup;
  if (first + kGroup > machine.threads) machine.fault(std::string(what) + " in a warpgroup that has fewer than 128 threads");
  Group& g = groups_[first / kGroup];
  if (g.arrived == 0) g.what = what, g.site = site;
  if (!(g.site == site)) {
    machine.fault("divergent warpgroup: is at " + std::string(what) + " (" + site.text() + ") while others wait at " + g.what + " (" + g.site.text() + ")");
  }
  g.calls[machine.thread - first] = call;
  if (++g.arrived < kGroup) return machine.sleep(what, site);
  g.arrived = 0;
  (this->*finish)(g, argument);
  for (int t = first; t < first + kGroup; t++) {
    if (t != machine.thread) machine.rouse(t);
  }
}

void Warpgroups::fence(Site site) { meet("wgmma_fence", site, {}, &Warpgroups::do_fence); }
void Warpgroups::commit(Site site) { meet("wgmma_commit", site, {}, &Warpgroups::do_commit); }
void Warpgroups::wait(size_t newest, Site site) { meet("wgmma_wait", site, {}, &Warpgroups::do_wait, newest); }

// Each thread answers for a row of b and half of them for one of a: all must know that these have come.
void Warpgroups::multiply(float (&d)[64], uint64_t a, uint64_t b, bool accumulate, Site site) {
  const int t = machine.thread % kGroup;
  if (t < 64) Descriptor(a).check(t);
  Descriptor(b).check(t);
  meet("wgmma", site, {d, a, b, accumulate}, &Warpgroups::do_multiply);
}

void Warpgroups::do_fence(Group& g, size_t) { g.fenced = true; }

void Warpgroups::do_commit(Group& g, size_t) {
  g.committed.push_back(std::move(g.open));
  g.open.clear();
}

void Warpgroups::do_multiply(Group& g, size_t) {
  const Call& one = g.calls[0];
  if (!g.fenced) machine.fault("wgmma with no wgmma_fence since its registers may have been touched");
  Product p{{}, one.a, one.b, one.accumulate};
  for (int t = 0; t < kGroup; t++) {
    const Call& c = g.calls[t];
    if (c.a != one.a || c.b != one.b || c.accumulate != one.accumulate) machine.fault("the threads of a warpgroup give wgmma different operands");
    p.d[t] = c.d;
  }
  g.open.push_back(p);
  const auto known = [&](const Accumulators& acc) { return acc.d[0] == p.d[0]; };
  if (std::any_of(g.accumulators.begin(), g.accumulators.end(), known)) return;
  Accumulators& acc = g.accumulators.emplace_back();
  for (int t = 0; t < kGroup; t++) {
    acc.d[t] = p.d[t];
    std::copy(p.d[t], p.d[t] + 64, acc.value[t]);
    std::fill(p.d[t], p.d[t] + 64, NAN);
  }
}

void Warpgroups::run(Group& g, const Product& p) {
  const auto acc = std::find_if(g.accumulators.begin(), g.accumulators.end(), [&](const Accumulators& each) { return each.d[0] == p.d[0]; });
  const Descriptor a(p.a), b(p.b);
  float rows[64][16], columns[kGroupColumns][16];
  for (int r = 0; r < 64; r++) a.read(r, rows[r]);
  for (int c = 0; c < kGroupColumns; c++) b.read(c, columns[c]);
  for (int r = 0; r < 64; r++) {
    for (int c = 0; c < kGroupColumns; c++) {
      float& d = acc->value[r / 16 * kLanes + r % 8 * 4 + c % 8 / 2][c / 8 * 4 + r / 8 % 2 * 2 + c % 2];
      d = sum_of_products(p.accumulate ? d : 0.0f, rows[r], columns[c]);
    }
  }
}

// Registers come back when nothing that writes them is under way any more.
void Warpgroups::do_wait(Group& g, size_t newest) {
  while (g.committed.size() > newest) {
    for (const Product& p : g.committed.front()) run(g, p);
    g.committed.erase(g.committed.begin());
  }
  const auto busy = [&](const Accumulators& acc) {
    const auto same = [&](const Product& p) { return p.d[0] == acc.d[0]; };
    return std::any_of(g.open.begin(), g.open.end(), same) ||
           std::any_of(g.committed.begin(), g.committed.end(), [&](const auto& group) { return std::any_of(group.begin(), group.end(), same); });
  };
  for (const Accumulators& acc : g.accumulators) {
    if (busy(acc)) continue;
    for (int t = 0; t < kGroup; t++) std::copy(acc.value[t], acc.value[t] + 64, acc.d[t]);
  }
  g.accumulators.erase(std::remove_if(g.accumulators.begin(), g.accumulators.end(), [&](const Accumulators& acc) { return !busy(acc); }), g.accumulators.end());
  g.fenced = false;
}

}  // namespace eat::simt
