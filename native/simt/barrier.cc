#include "barrier.h"

#include <algorithm>
#include <cstring>

namespace eat::simt {

Barriers barriers;

void Barriers::start_block() { barriers_.clear(); }

Barriers::Barrier& Barriers::find(uint32_t at, const char* what) {
  const auto b = std::find_if(barriers_.begin(), barriers_.end(), [&](const Barrier& each) { return each.at == at; });
  if (b == barriers_.end()) machine.fault(std::string(what) + " at byte " + std::to_string(at) + ", where no barrier has been made");
  if (b->serial == machine.epoch && b->maker != machine.thread) {
    machine.fault(std::string(what) + " with no sync_block since thread " + std::to_string(b->maker) + " made the barrier");
  }
  return *b;
}

void Barriers::init(uint32_t at, int arrivals) {
  for (const Barrier& b : barriers_) {
    if (b.at == at) machine.fault("makes a barrier where there is one");
  }
  Barrier b;
  b.at = at, b.serial = machine.epoch, b.maker = machine.thread, b.arrivals = b.pending = arrivals;
  barriers_.push_back(b);
}

void Barriers::invalidate(uint32_t at) {
  Barrier& b = find(at, "barrier_invalidate");
  if (!b.copies.empty() || !b.waiting.empty()) machine.fault("ends a barrier that copies or threads are still on their way to");
  barriers_.erase(barriers_.begin() + (&b - barriers_.data()));
}

void Barriers::arrive_expect(uint32_t at, uint32_t bytes) {
  Barrier& b = find(at, "barrier_arrive_expect");
  b.expected += bytes;
  if (b.pending-- == 0) machine.fault("more arrivals at a barrier than its phase has");
  try_complete(b);
}

// A phase ends as late as it can: when somebody waits for it.
void Barriers::try_complete(Barrier& b) {
  uint64_t bytes = 0;
  for (const Copy& c : b.copies) bytes += c.bytes;
  if (bytes > b.expected && b.pending == 0) machine.fault("more bytes come to a barrier than it was told of");
  if (b.waiting.empty() || b.pending > 0 || bytes != b.expected) return;
  b.arrival = shared_memory.new_arrival();
  for (const Copy& c : b.copies) shared_memory.arrive(c.to, c.from, c.bytes, b.arrival);
  b.copies.clear();
  b.phases++, b.expected = 0, b.pending = b.arrivals;
  for (const int t : b.waiting) {
    if (t != machine.thread) machine.rouse(t);
  }
  b.waiting.clear();
}

void Barriers::wait(uint32_t at, unsigned parity, Site site) {
  if (parity > 1) machine.fault("a barrier's parity is 0 or 1, not " + std::to_string(parity));
  const uint32_t before = find(at, "barrier_wait").phases;
  if (before % 2 == parity) {
    find(at, "barrier_wait").waiting.push_back(machine.thread);
    try_complete(find(at, "barrier_wait"));
    if (find(at, "barrier_wait").phases == before) machine.sleep("barrier_wait", site);
  }
  const uint32_t arrival = find(at, "barrier_wait").arrival;
  if (arrival != 0) shared_memory.see(arrival);
}

void Barriers::copy(uint32_t at, uint32_t to, const char* name, const void* from, uint32_t bytes) {
  Barrier& b = find(at, "copy_bulk");
  shared_memory.write(to, bytes, name, SharedMemory::Write::async);
  b.copies.push_back({to, bytes, from, name});
  try_complete(b);
}

}  // namespace eat::simt
