#include "machine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <numeric>

#include "barrier.h"
#include "kernel_name.h"
#include "shared_memory.h"
#include "warpgroup.h"

namespace eat::simt {

Machine machine;

bool Site::operator==(const Site& other) const { return line == other.line && (file == other.file || std::strcmp(file, other.file) == 0); }

std::string Site::text() const {
  const char* slash = std::strrchr(file, '/');
  return std::string(slash == nullptr ? file : slash + 1) + ":" + std::to_string(line);
}

uint64_t Machine::random() {  // splitmix64
  uint64_t z = random_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void Machine::fault(const std::string& what) const {
  const std::string where = "(" + std::to_string(block.x) + ", " + std::to_string(block.y) + ", " + std::to_string(block.z) + ")";
  throw Fault("kernel " + kernel_name_ + ", block " + where + ", thread " + std::to_string(thread) + ": " + what +
              " (EAT_SIMT_SEED=" + std::to_string(seed_) + ")");
}

void fiber_entry() { machine.fiber_main(); }

// Never returns: a finished fiber is prepared anew before it runs again.
void Machine::fiber_main() {
  try {
    body_(context_);
  } catch (...) {
    failure_ = std::current_exception();
  }
  fibers_[thread].state = State::finished;
  finished_++;
  Context& own = fibers_[thread].fiber.context;
  for (;;) switch_context(own, scheduler_);
}

void Machine::pause(State state, Site site) {
  Thread& me = fibers_[thread];
  me.state = state;
  me.site = site;
  switch_context(me.fiber.context, scheduler_);
}

void Machine::sleep(const char* what, Site site) {
  fibers_[thread].what = what;
  pause(State::asleep, site);
}

void Machine::wake(int t) {
  fibers_[t].state = State::ready;
  ready_.push_back(t);
}

void Machine::sync_block(Site site) {
  if (barrier_arrived_ == 0) barrier_site_ = site;
  if (!(site == barrier_site_)) {
    fault("divergent barrier: waits at " + site.text() + " while other threads of the block wait at " + barrier_site_.text());
  }
  if (++barrier_arrived_ == threads) {
    barrier_arrived_ = 0;
    epoch++;
    for (int t = 0; t < threads; t++) {
      if (t != thread) wake(t);
    }
    ready_.push_back(thread);
    pause(State::ready, site);
    return;
  }
  pause(State::at_block_barrier, site);
}

const Operands& Machine::meet(const char* what, Site site, const void* operand, size_t bytes, void (*finish)(Operands&)) {
  const int first = thread / kLanes * kLanes;
  Warp& w = warps[thread / kLanes];
  if (first + kLanes > threads) fault(std::string(what) + " in a warp that has fewer than 32 threads");
  if (w.arrived == 0) w.what = what, w.site = site;
  if (!(w.site == site) || (w.what != what && std::strcmp(w.what, what) != 0)) {
    fault("divergent warp: is at " + std::string(what) + " (" + site.text() + ") while other lanes wait at " + w.what + " (" +
          w.site.text() + ")");
  }
  Operands& operands = w.operands[w.turn];
  if (bytes > 0) std::memcpy(operands.lane[thread - first], operand, bytes);
  if (++w.arrived < kLanes) {
    pause(State::at_warp_collective, site);
    return operands;
  }
  w.arrived = 0;
  w.turn ^= 1;
  if (finish != nullptr) finish(operands);
  for (int t = first; t < first + kLanes; t++) {
    if (t != thread) wake(t);
  }
  return operands;
}

// Nobody can go on: someone waits for a thread that is elsewhere.
void Machine::deadlock() {
  const auto waits = [&](State s) {
    return static_cast<int>(std::find_if(fibers_.begin(), fibers_.begin() + threads, [&](const Thread& t) { return t.state == s; }) -
                            fibers_.begin());
  };
  const int finished = waits(State::finished), at_warp = waits(State::at_warp_collective), at_block = waits(State::at_block_barrier);
  const int asleep = waits(State::asleep);
  thread = at_warp < threads ? at_warp : asleep < threads ? asleep : at_block;
  if (at_warp < threads) {
    const int first = at_warp / kLanes * kLanes;
    int other = first;
    while (fibers_[other].state == State::at_warp_collective) other++;
    const bool ended = fibers_[other].state == State::finished;
    fault("divergent warp: waits at " + std::string(warps[at_warp / kLanes].what) + " (" + fibers_[at_warp].site.text() +
          ") for thread " + std::to_string(other) + ", which " + (ended ? "has returned" : "waits at " + fibers_[other].site.text()));
  }
  if (asleep < threads) {
    fault("waits for ever at " + std::string(fibers_[asleep].what) + " (" + fibers_[asleep].site.text() + ")");
  }
  fault("divergent barrier: waits at " + fibers_[at_block].site.text() + " for thread " + std::to_string(finished) +
        ", which has returned");
}

void Machine::run_block() {
  block_serial++;
  epoch++;
  for (Warp& w : warps) w.epoch = 0, w.arrived = 0;
  shared_memory.start_block();
  barriers.start_block();
  warpgroups.start_block();
  barrier_arrived_ = finished_ = 0;
  ready_.resize(threads);
  std::iota(ready_.begin(), ready_.end(), 0);
  for (int t = 0; t < threads; t++) {
    fibers_[t].state = State::ready;
    prepare_fiber(fibers_[t].fiber, fiber_entry);
  }
  while (finished_ < threads) {
    if (ready_.empty()) deadlock();
    const uint32_t pick = random_below(static_cast<uint32_t>(ready_.size()));
    thread = ready_[pick];
    ready_[pick] = ready_.back();
    ready_.pop_back();
    switch_context(scheduler_, fibers_[thread].fiber.context);
    if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void Machine::run(const LaunchShape& shape, void (*body)(void*), void* context) {
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  const char* seed = std::getenv("EAT_SIMT_SEED");
  seed_ = random_ = seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10);
  kernel_name_ = kernel_name(shape.kernel);
  grid = shape.grid;
  block = Dim{0, 0, 0};
  thread = 0;
  threads = shape.threads;
  dynamic_shared = shape.dynamic_shared;
  body_ = body;
  context_ = context;
  shared_memory.start_launch(dynamic_shared);
  if (fibers_.size() < static_cast<size_t>(threads)) fibers_.resize(threads);
  warps.resize((threads + kLanes - 1) / kLanes);
  std::vector<uint64_t> order(uint64_t{grid.x} * grid.y * grid.z);
  std::iota(order.begin(), order.end(), 0);
  struct Running {
    Running() { machine.running = true; }
    ~Running() { machine.running = false; }
  } now;
  for (uint32_t left = static_cast<uint32_t>(order.size()); left > 0; left--) {
    std::swap(order[random_below(left)], order[left - 1]);
    const uint64_t b = order[left - 1];
    block = Dim{static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                static_cast<unsigned>(b / grid.x / grid.y)};
    run_block();
  }
}

}  // namespace eat::simt
