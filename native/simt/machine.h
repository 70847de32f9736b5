// The block that is running: its threads as fibers, its barriers, the seeded random order in which threads go on.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "../contracts/common.h"
#include "fiber.h"

namespace eat::simt {

// What a GPU would have left undefined: which kernel, block and thread did what.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A place in a kernel's source.
struct Site {
  const char* file = "";
  int line = 0;
  bool operator==(const Site& other) const;
  std::string text() const;
};

constexpr int kLanes = 32;
constexpr int kOperandBytes = 64;

// What the lanes of a warp bring to a collective.
struct Operands {
  alignas(16) unsigned char lane[kLanes][kOperandBytes];
};

struct Warp {
  uint32_t epoch = 0;  // sync_warps passed
  int arrived = 0, turn = 0;
  const char* what = "";
  Site site;
  Operands operands[2];  // in turns: a lane may start the next collective before others have read this one
};

enum class State : uint8_t { ready, at_block_barrier, at_warp_collective, asleep, finished };

struct Thread {
  Fiber fiber;
  State state = State::ready;
  Site site;
  const char* what = "";  // where it sleeps
};

struct Dim {
  unsigned x = 1, y = 1, z = 1;
};

struct LaunchShape {
  const void* kernel;
  Dim grid;
  int threads;
  size_t dynamic_shared;
};

struct Machine {
  // Read by the kernel's thread_x() and the like.
  int thread = 0, threads = 0;
  Dim block, grid;
  bool running = false;

  uint32_t block_serial = 0;  // of all blocks ever run
  uint32_t epoch = 0;         // barriers passed, over all blocks
  std::vector<Warp> warps;
  size_t dynamic_shared = 0;

  // Runs every block of a launch; `body(context)` is one thread. Throws Fault. One launch at a time: others wait.
  void run(const LaunchShape& shape, void (*body)(void*), void* context);
  void sync_block(Site site);
  // A collective of the thread's warp: waits for all lanes, then gives what they brought. The last to come calls `finish`.
  const Operands& meet(const char* what, Site site, const void* operand, size_t bytes, void (*finish)(Operands&) = nullptr);
  // The running thread, until another one rouses it.
  void sleep(const char* what, Site site);
  void rouse(int thread) { wake(thread); }
  [[noreturn]] void fault(const std::string& what) const;

 private:
  void run_block();
  void fiber_main();
  void pause(State state, Site site);
  void wake(int thread);
  [[noreturn]] void deadlock();
  uint64_t random();
  uint32_t random_below(uint32_t n) { return static_cast<uint32_t>((random() >> 32) * n >> 32); }
  friend void fiber_entry();

  std::vector<Thread> fibers_;
  std::vector<int> ready_;
  Context scheduler_{};
  int barrier_arrived_ = 0, finished_ = 0;
  Site barrier_site_;
  void (*body_)(void*) = nullptr;
  void* context_ = nullptr;
  std::string kernel_name_;
  uint64_t seed_ = 1, random_ = 1;
  std::exception_ptr failure_;
};

extern Machine machine;

}  // namespace eat::simt

namespace eat::cuda {

constexpr bool kEmulated = true;
constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

struct Grid {
  unsigned x = 1, y = 1, z = 1;
};

inline int thread_x() { return simt::machine.thread; }
inline int block_dim_x() { return simt::machine.threads; }
inline unsigned block_x() { return simt::machine.block.x; }
inline unsigned block_y() { return simt::machine.block.y; }
inline unsigned block_z() { return simt::machine.block.z; }
inline unsigned grid_dim_x() { return simt::machine.grid.x; }
inline unsigned grid_dim_y() { return simt::machine.grid.y; }
inline unsigned grid_dim_z() { return simt::machine.grid.z; }
inline int lane() { return thread_x() & (kWarp - 1); }
inline int warp() { return thread_x() / kWarp; }

inline void sync_block(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { simt::machine.sync_block({file, line}); }

}  // namespace eat::cuda
