// Device time of every launch, by events before and after it; for bench:gpu, where EAT_DML_CUDA_TIMING is set, else nothing. A
// graph's launch counts as one; while it is recorded nothing runs, and nothing is timed.
#pragma once

#include <cstdlib>
#include <mutex>
#include <vector>

#include "../device/simt.h"

namespace eat::cuda {

class KernelClock {
 public:
  static bool wanted() {
    static const bool wanted = std::getenv("EAT_DML_CUDA_TIMING") != nullptr;
    return wanted;
  }

  // Milliseconds of all clocks that were stopped since this was last asked.
  static double take() {
    const std::lock_guard<std::mutex> lock(total().mutex);
    const double milliseconds = total().milliseconds;
    total().milliseconds = 0;
    return milliseconds;
  }

  void before_launch(StreamHandle stream) { mark(stream); }
  void after_launch(StreamHandle stream) { mark(stream); }
  void pause() { paused_ = true; }
  void go_on() { paused_ = false; }

  // Adds up this stream's launches, and waits for them.
  void stop(StreamHandle stream) {
    if (marks_.empty()) return;
    double sum = 0;
    if (cuda_stream_synchronize(stream) == Status{}) {
      for (size_t i = 0; i + 1 < marks_.size(); i += 2) {
        float milliseconds = 0;
        if (cuda_event_elapsed(&milliseconds, marks_[i], marks_[i + 1]) == Status{}) sum += milliseconds;
      }
    }
    for (const EventHandle mark : marks_) cuda_event_destroy(mark);
    marks_.clear();
    const std::lock_guard<std::mutex> lock(total().mutex);
    total().milliseconds += sum;
  }

 private:
  struct Total {
    std::mutex mutex;
    double milliseconds = 0;
  };
  static Total& total() {
    static Total total;
    return total;
  }

  void mark(StreamHandle stream) {
    if (!wanted() || paused_) return;
    EventHandle event{};
    if (cuda_event_create(&event) != Status{}) return;
    cuda_event_record(event, stream);
    marks_.push_back(event);
  }

  std::vector<EventHandle> marks_;
  bool paused_ = false;
};

}  // namespace eat::cuda
