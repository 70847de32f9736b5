// The communication thread. It alone calls MPI, from Init to Finalize, and takes operations one after the other: overlapping collectives of
// one communicator give wrong sums without an error.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "communicator.h"

namespace eat::mpi {

class Engine {
 public:
  // The one of the process.
  static Engine& instance();

  // Before begin; throws where another has claimed it.
  void claim();

  // Queues an operation; `done` gets it back on the communication thread, and must not throw. The first one is begin, with what is
  // called there at the very end.
  using Done = std::function<void(std::unique_ptr<Operation>)>;
  void submit(std::unique_ptr<Operation> operation, Done done, std::function<void()> over = {});

  // Called where the environment that began it ends, or the process. A job that was not finalized is aborted: the other ranks would
  // wait for this one for ever, or, under some launchers, end as if all were well. Of one that was finalized it returns once the
  // communication thread has let go of the environment.
  void leave();

 private:
  // over: nothing is taken any more; gone: the thread touches no event loop any more.
  enum class State { idle, claimed, running, over, gone };
  struct Entry {
    std::unique_ptr<Operation> operation;
    Done done;
  };

  Engine() = default;
  void run();
  bool next(Entry& entry);
  void perform(Operation& operation);
  void begin(Operation& operation);
  void split(Operation& operation);
  void finalize();
  MPI_Comm world() const { return groups_.empty() ? MPI_COMM_WORLD : groups_.front()->comm(); }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> queue_;
  State state_ = State::idle;
  std::string name_ = "a rank";  // as it is told of when it leaves
  std::atomic<bool> leaving_{false};
  // The communication thread's own.
  std::function<void()> over_;
  bool initialized_ = false;
  std::int64_t stall_seconds_ = 60;
  std::vector<std::unique_ptr<Communicator>> groups_;  // by number; 0 is the world
};

}  // namespace eat::mpi
