// Work that is launched again and again as one: recorded from a stream once, then launched as a CUDA graph. Where nothing can be
// recorded (the emulator, or a driver that refuses) the work is simply done again.
#pragma once

#include "stream.h"

namespace eat::cuda {

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
    if (state_ == State::recorded) return check(cuda_graph_launch(graph_, stream_.handle()), "graph launch");
    work_();
    // Launches in a graph cannot be timed one by one.
    if (state_ == State::fresh) state_ = kEmulated || KernelClock::wanted() ? State::plain : State::loaded;
  }

 private:
  enum class State { fresh, loaded, recorded, plain };

  void record() {
    state_ = State::plain;
    if (cuda_graph_begin(stream_.handle()) != Status{}) {
      cuda_get_last_error();
      return;
    }
    bool launched = true;
    try {
      work_();
    } catch (const std::exception&) {
      launched = false;  // what cannot be recorded is met again, and thrown, when it is done plainly
    }
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
