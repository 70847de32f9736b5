// Work that is launched again and again as one: recorded from a stream once, then launched as a CUDA graph. Where nothing can be
// recorded (the emulator, or a driver that refuses) the work is simply done again.
#pragma once

#include <atomic>

#include "stream.h"

namespace eat::cuda {

// Launches of graphs in this process: a test can tell that work was recorded, and not done plainly.
inline std::atomic<unsigned long long>& graph_launches() {
  static std::atomic<unsigned long long> count{0};
  return count;
}

// Declared before the work of a call that is recorded: when that is over, the memory that graphs reserved goes back to the device.
struct GraphMemory {
  GraphMemory() = default;
  GraphMemory(const GraphMemory&) = delete;
  GraphMemory& operator=(const GraphMemory&) = delete;
  ~GraphMemory() {
    if (cuda_graph_trim() != Status{}) cuda_get_last_error();  // the next call may find less memory, and no more than that
  }
};

template <class Work>
class RepeatedWork {
 public:
  // `work` only launches and allocates on `stream`; it never waits for it.
  RepeatedWork(Stream& stream, Work work) : stream_(stream), work_(work) {}
  RepeatedWork(const RepeatedWork&) = delete;
  RepeatedWork& operator=(const RepeatedWork&) = delete;
  ~RepeatedWork() {
    // The stream may still run it.
    cuda_stream_synchronize(stream_.handle());
    if (state_ == State::recorded) cuda_graph_destroy(graph_);
  }

  // The first time plainly, which loads the kernels; the second time it is recorded.
  void run() {
    if (state_ == State::loaded) record();
    if (state_ == State::recorded) return launch_graph();
    work_();
    if (state_ == State::fresh) state_ = kEmulated ? State::plain : State::loaded;
  }

 private:
  enum class State { fresh, loaded, recorded, plain };

  void launch_graph() {
    stream_.clock().before_launch(stream_.handle());
    check(cuda_graph_launch(graph_, stream_.handle()), "graph launch");
    stream_.clock().after_launch(stream_.handle());
    graph_launches()++;
  }

  void record() {
    state_ = State::plain;
    if (cuda_graph_begin(stream_.handle()) != Status{}) {
      cuda_get_last_error();
      return;
    }
    bool launched = true;
    stream_.clock().pause();
    try {
      work_();
    } catch (const std::exception&) {
      launched = false;  // what cannot be recorded is met again, and thrown, when it is done plainly
    }
    stream_.clock().go_on();
    const Status ended = cuda_graph_end(stream_.handle(), &graph_);
    if (ended != Status{}) cuda_get_last_error();
    else if (launched) state_ = State::recorded;
    else cuda_graph_destroy(graph_);
  }

  Stream& stream_;
  Work work_;
  GraphHandle graph_{};
  State state_ = State::fresh;
};

}  // namespace eat::cuda
