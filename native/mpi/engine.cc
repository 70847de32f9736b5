#include "engine.h"

#include <dlfcn.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

namespace eat::mpi {
namespace {

// Loads what holds `symbol` once more, in another way.
void load_again(void* symbol, int flags) {
  Dl_info info{};
  if (dladdr(symbol, &info) != 0 && info.dli_fname != nullptr) dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | flags);
}

Failure finalized() { return Failure("state", "Expected a group that is not finalized."); }

}  // namespace

Engine& Engine::instance() {
  // Never destroyed: its thread may outlive every static.
  static Engine* engine = new Engine;
  return *engine;
}

void Engine::claim() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (state_ != State::idle) throw Failure("state", "Expected MPI to be begun once in a process, but it was begun before.");
  state_ = State::claimed;
}

void Engine::submit(std::unique_ptr<Operation> operation, Done done, std::function<void()> over) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool begins = operation->kind == Kind::begin;
  if (state_ != (begins ? State::claimed : State::running)) throw finalized();
  queue_.push_back({std::move(operation), std::move(done)});
  if (begins) {
    over_ = std::move(over);
    std::thread([this] { run(); }).detach();
    std::atexit([] { instance().leave(); });
    state_ = State::running;
  }
  changed_.notify_all();
}

// The communication thread aborts at its next look. Where it is inside MPI_Init or finds no end, this process ends without it, and
// its launcher sees that it failed.
void Engine::leave() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return state_ != State::over; });
  // Once: MPI_Abort may end this process by exit, which comes here again.
  if (state_ != State::running || leaving_.exchange(true)) return;
  std::fprintf(stderr, "eat-dml: %s ends without finalize() of its group; the job is aborted\n", name_.c_str());
  changed_.notify_all();
  changed_.wait_for(lock, std::chrono::seconds(1), [this] { return state_ == State::gone; });
  _exit(1);
}

void Engine::run() {
#ifdef __linux__
  // Its sleeps are short: by default they take 50 microseconds more.
  prctl(PR_SET_TIMERSLACK, 1000UL);
#endif
  Entry entry;
  while (next(entry)) {
    try {
      perform(*entry.operation);
    } catch (...) {
      entry.operation->error = std::current_exception();
    }
    const bool ends = !initialized_;
    std::deque<Entry> left;
    if (ends) {
      const std::lock_guard<std::mutex> lock(mutex_);
      state_ = State::over;
      left.swap(queue_);
      changed_.notify_all();
    }
    entry.done(std::move(entry.operation));
    for (Entry& late : left) {
      late.operation->error = std::make_exception_ptr(finalized());
      late.done(std::move(late.operation));
    }
    if (ends) break;
  }
  over_();
  const std::lock_guard<std::mutex> lock(mutex_);
  state_ = State::gone;
  changed_.notify_all();
}

// Waits for an operation; false where there is none because the process leaves. Meanwhile it looks in at MPI, which goes on with messages
// that it still holds only while it is called.
bool Engine::next(Entry& entry) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (queue_.empty() && !leaving_) {
    changed_.wait_for(lock, std::chrono::milliseconds(10));
    if (!queue_.empty() || !initialized_) continue;
    lock.unlock();
    int there = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, world(), &there, MPI_STATUS_IGNORE);
    lock.lock();
  }
  if (leaving_) {
    lock.unlock();
    if (initialized_) abort_job(world());
    return false;
  }
  entry = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void Engine::perform(Operation& o) {
  if (o.kind == Kind::begin) return begin(o);
  Communicator& group = *groups_.at(static_cast<size_t>(o.group));
  group.agree(o);
  switch (o.kind) {
    case Kind::all_reduce: return group.all_reduce(o);
    case Kind::all_gather: return group.all_gather(o);
    case Kind::broadcast: return group.broadcast(o);
    case Kind::split: return split(o);
    case Kind::finalize: return finalize();
    default: return;  // a barrier: all have come
  }
}

void Engine::begin(Operation& o) {
  // An MPI that loads plugins wants its own names to be seen by them, and Node loads an addon with names of its own.
  load_again(reinterpret_cast<void*>(&MPI_Init_thread), RTLD_GLOBAL);
  // Node unloads an addon with the last thread of JavaScript that uses it, but this thread's code has to stay.
  load_again(reinterpret_cast<void*>(&Engine::instance), RTLD_NODELETE);
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  initialized_ = true;
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  int size = 0;
  check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  if (provided < MPI_THREAD_FUNNELED || size != o.launch.size) {
    const std::string name = library_name();
    MPI_Finalize();
    initialized_ = false;
    if (provided < MPI_THREAD_FUNNELED) throw Failure("world", "Expected an MPI that may run on a thread of its own, but " + name + " may not.");
    throw Failure("world", "Expected " + std::to_string(o.launch.size) + " ranks, as " + o.launch.launcher + " says in " + o.launch.variable +
                               ", but " + name + ", which the addon was built against, finds " + std::to_string(size) +
                               ": the launcher belongs to another MPI.");
  }
  stall_seconds_ = o.launch.stall_seconds;
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "MPI_Comm_dup");
  groups_.push_back(std::make_unique<Communicator>(comm, stall_seconds_, leaving_));
  o.rank = groups_[0]->rank();
  o.size = groups_[0]->size();
  const std::lock_guard<std::mutex> lock(mutex_);
  name_ = "rank " + std::to_string(o.rank) + " of " + std::to_string(o.size);
}

void Engine::split(Operation& o) {
  MPI_Comm comm = MPI_COMM_NULL;
  const MPI_Comm parent = groups_.at(static_cast<size_t>(o.group))->comm();
  check(MPI_Comm_split(parent, static_cast<int>(o.color), static_cast<int>(o.key), &comm), "MPI_Comm_split");
  groups_.push_back(std::make_unique<Communicator>(comm, stall_seconds_, leaving_));
  o.group = static_cast<std::int64_t>(groups_.size()) - 1;
  o.rank = groups_.back()->rank();
  o.size = groups_.back()->size();
}

void Engine::finalize() {
  for (auto group = groups_.rbegin(); group != groups_.rend(); ++group) {
    MPI_Comm comm = (*group)->comm();
    MPI_Comm_free(&comm);
  }
  groups_.clear();
  check(MPI_Finalize(), "MPI_Finalize");
  initialized_ = false;
}

}  // namespace eat::mpi
