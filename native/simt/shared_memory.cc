#include "shared_memory.h"

#include <algorithm>
#include <cstring>

#include "device.h"

namespace eat::simt {

SharedMemory shared_memory;

void SharedMemory::start_launch(size_t dynamic_bytes) {
  arrays_.clear();
  dynamic_ = used_ = static_cast<uint32_t>((dynamic_bytes + 127) / 128 * 128);
  pending_.assign(machine.threads, Pending{});
}

// 0xff is a NaN and an index out of every range, should anything slip past the shadow.
void SharedMemory::start_block() {
  std::memset(memory_, 0xff, used_);
  arrivals_.clear();
  for (Pending& p : pending_) p.groups.clear(), p.open.clear();
}

uint32_t SharedMemory::place_array(const void* tag, uint32_t bytes) {
  for (const Array& a : arrays_) {
    if (a.tag == tag) return a.at;
  }
  const uint32_t at = used_;
  used_ += (bytes + 15) / 16 * 16;
  if (used_ - dynamic_ > kStaticSharedLimit) machine.fault("more than 48 KiB of static shared memory");
  if (used_ > shared_limit()) machine.fault("more shared memory than a block of this device has");
  std::memset(memory_ + at, 0xff, used_ - at);
  arrays_.push_back({tag, at});
  return at;
}

void SharedMemory::race(const char* how, uint32_t at, const char* name, uint16_t other, uint16_t other_warp) {
  const std::string who = other != kMany        ? "thread " + std::to_string(other)
                          : other_warp != kMany ? "threads of warp " + std::to_string(other_warp)
                                                : "threads of several warps";
  machine.fault(std::string("race on shared array ") + name + " (byte " + std::to_string(at) + " of the block): " + how + " " + who +
                " with no barrier between");
}

void SharedMemory::read(uint32_t at, uint32_t bytes, const char* name) {
  const uint16_t t = static_cast<uint16_t>(machine.thread), w = t / kLanes;
  const uint32_t epoch = machine.epoch, warp_epoch = machine.warps[w].epoch;
  for (uint32_t g = at / kGranule; g < (at + bytes) / kGranule; g++) {
    Shadow& s = shadow_[g];
    if (s.born != machine.block_serial) machine.fault(std::string("reads shared array ") + name + " where nothing has been written");
    if (s.in_flight) machine.fault(std::string("reads shared array ") + name + " where an async copy has not been waited for");
    if (!knows(s.arrival)) machine.fault(std::string("reads shared array ") + name + " with no wait for the barrier of the bulk copy that wrote it");
    if (s.write_epoch == epoch && s.writer != t && !(s.writer_warp == w && s.write_warp_epoch < warp_epoch)) {
      race("reads what was written by", at, name, s.writer, s.writer_warp);
    }
    if (s.read_epoch != epoch) {
      s.read_epoch = epoch, s.read_warp_epoch = warp_epoch, s.reader = t, s.reader_warp = w;
    } else if (s.reader_warp != w) {
      s.reader_warp = s.reader = kMany;
    } else if (s.read_warp_epoch != warp_epoch) {
      s.read_warp_epoch = warp_epoch, s.reader = t;
    } else if (s.reader != t) {
      s.reader = kMany;
    }
  }
}

void SharedMemory::write(uint32_t at, uint32_t bytes, const char* name, Write kind) {
  const uint16_t t = static_cast<uint16_t>(machine.thread), w = t / kLanes;
  const uint32_t epoch = machine.epoch, warp_epoch = machine.warps[w].epoch;
  const bool atomic = kind == Write::atomic;
  for (uint32_t g = at / kGranule; g < (at + bytes) / kGranule; g++) {
    Shadow& s = shadow_[g];
    const bool born = s.born == machine.block_serial;
    if (atomic && !born) machine.fault(std::string("atomic on shared array ") + name + " where nothing has been written");
    if (born && s.in_flight) machine.fault(std::string("writes shared array ") + name + " where an async copy is under way");
    if (born && !knows(s.arrival)) machine.fault(std::string("writes shared array ") + name + " with no wait for the barrier of the bulk copy that wrote it");
    const bool written = born && s.write_epoch == epoch, both_atomic = atomic && s.atomic;
    if (written && s.writer != t && !both_atomic && !(s.writer_warp == w && s.write_warp_epoch < warp_epoch)) {
      race("writes what was written by", at, name, s.writer, s.writer_warp);
    }
    const bool other_read = s.reader_warp != w || (s.read_warp_epoch == warp_epoch && s.reader != t);
    if (s.read_epoch == epoch && other_read) race("writes what was read by", at, name, s.reader, s.reader_warp);
    const bool shared = written && both_atomic;
    s.writer = shared && s.writer != t ? kMany : t;
    s.writer_warp = shared && s.writer_warp != w ? kMany : w;
    s.born = machine.block_serial, s.write_epoch = epoch, s.write_warp_epoch = warp_epoch;
    s.atomic = atomic, s.in_flight = kind == Write::async, s.arrival = 0;
  }
}

void SharedMemory::copy_async(uint32_t at, const char* name, const void* from) {
  write(at, 16, name, Write::async);
  pending_[machine.thread].open.push_back({at, from, name});
}

void SharedMemory::commit() {
  Pending& p = pending_[machine.thread];
  p.groups.push_back(std::move(p.open));
  p.open.clear();
}

void SharedMemory::wait(size_t newest) {
  std::vector<std::vector<Copy>>& groups = pending_[machine.thread].groups;
  if (groups.size() <= newest) return;
  const auto end = groups.end() - static_cast<std::ptrdiff_t>(newest);
  for (auto group = groups.begin(); group != end; ++group) {
    for (const Copy& copy : *group) deliver(copy);
  }
  groups.erase(groups.begin(), end);
}

uint32_t SharedMemory::new_arrival() {
  arrivals_.push_back({0, std::vector<bool>(machine.threads)});
  return static_cast<uint32_t>(arrivals_.size());
}

void SharedMemory::arrive(uint32_t at, const void* from, uint32_t bytes, uint32_t arrival) {
  std::memcpy(memory_ + at, from, bytes);
  for (uint32_t g = at / kGranule; g < (at + bytes) / kGranule; g++) {
    Shadow& s = shadow_[g];
    s.in_flight = false, s.arrival = arrival, s.write_epoch = 0;  // what orders it is the wait, not an epoch
  }
}

void SharedMemory::see(uint32_t arrival) {
  Arrival& a = arrivals_[arrival - 1];
  a.seen[machine.thread] = true;
  if (a.seen_epoch == 0) a.seen_epoch = machine.epoch;
}

bool SharedMemory::knows(uint32_t arrival) {
  if (arrival == 0) return true;
  const Arrival& a = arrivals_[arrival - 1];
  return a.seen[machine.thread] || (a.seen_epoch != 0 && a.seen_epoch < machine.epoch);
}

void SharedMemory::require_settled(uint32_t at, uint32_t bytes) {
  for (uint32_t g = at / kGranule; g < (at + bytes) / kGranule; g++) {
    if (shadow_[g].in_flight) machine.fault("a copy goes to shared memory (byte " + std::to_string(at) + " of the block) that wgmma still reads");
  }
}

// Counts as this thread's write now, so that other threads need a barrier after the wait.
void SharedMemory::deliver(const Copy& copy) {
  if (copy.from == nullptr) std::memset(memory_ + copy.at, 0, 16);
  else std::memcpy(memory_ + copy.at, copy.from, 16);
  for (uint32_t g = copy.at / kGranule; g < (copy.at + 16) / kGranule; g++) shadow_[g].in_flight = false;
  write(copy.at, 16, copy.name, Write::plain);
}

}  // namespace eat::simt
