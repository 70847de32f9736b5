#include "thread_pool.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace eat {
namespace {

struct Job {
  index_t tasks;
  void (*task)(void*, index_t);
  void* context;
  const Run* run;
  int helpers_wanted;
  std::atomic<index_t> next{0};
  int helpers_inside = 0;  // under Pool::mutex
  std::condition_variable left;
  std::mutex error_mutex;
  index_t error_task = -1;
  std::exception_ptr error;

  void work() {
    for (;;) {
      if (run->stopped()) return;
      const index_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= tasks) return;
      try {
        task(context, i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(error_mutex);
        if (error_task < 0 || i < error_task) error_task = i, error = std::current_exception();
      }
    }
  }
};

class Pool {
 public:
  void run(Job& job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      while (static_cast<int>(workers_) < job.helpers_wanted && spawn()) {}
      jobs_.push_back(&job);
    }
    if (job.helpers_wanted == 1) wake_.notify_one(); else wake_.notify_all();
    job.work();
    std::unique_lock<std::mutex> lock(mutex_);
    jobs_.remove(&job);  // no helper enters any more
    job.left.wait(lock, [&] { return job.helpers_inside == 0; });
  }

 private:
  // False where the system gives no more threads: those that there are do the work, the caller's at least.
  bool spawn() {
    try {
      std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    workers_++;
    return true;
  }

  Job* open_job() {
    for (Job* job : jobs_) {
      if (job->helpers_inside < job->helpers_wanted && job->next.load(std::memory_order_relaxed) < job->tasks) return job;
    }
    return nullptr;
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      Job* job = nullptr;
      wake_.wait(lock, [&] { return (job = open_job()) != nullptr; });
      job->helpers_inside++;
      lock.unlock();
      job->work();
      lock.lock();
      if (--job->helpers_inside == 0) job->left.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::list<Job*> jobs_;
  size_t workers_ = 0;
};

// Never destroyed: workers may still wait in it while the process exits.
Pool& pool() {
  static Pool* instance = new Pool;
  return *instance;
}

// Processors that the cgroup (v2, else v1) grants, rounded up; 0 when unlimited or unknown.
int cgroup_processors() {
  double quota = 0, period = 0;
  if (FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    if (std::fscanf(f, "%lf %lf", &quota, &period) != 2) quota = 0;
    std::fclose(f);
  } else {
    FILE* q = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r");
    FILE* p = std::fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r");
    if (q == nullptr || p == nullptr || std::fscanf(q, "%lf", &quota) != 1 || std::fscanf(p, "%lf", &period) != 1) quota = 0;
    if (q != nullptr) std::fclose(q);
    if (p != nullptr) std::fclose(p);
  }
  return quota > 0 && period > 0 ? static_cast<int>(std::ceil(quota / period)) : 0;
}

int available_processors() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
  const int granted = cgroup_processors();
  return std::max(1, granted > 0 ? std::min(count, granted) : count);
}

}  // namespace

int default_threads() {
  if (const char* text = std::getenv("EAT_DML_THREADS")) {
    const int asked = std::atoi(text);
    if (asked >= 1) return std::min(asked, 1024);
  }
  static const int processors = available_processors();
  return processors;
}

void run_tasks(const Run& run, index_t tasks, void (*task)(void*, index_t), void* context) {
  Job job;
  job.tasks = tasks;
  job.task = task;
  job.context = context;
  job.run = &run;
  job.helpers_wanted = static_cast<int>(std::min<index_t>(run.threads, tasks)) - 1;
  if (job.helpers_wanted > 0) pool().run(job); else job.work();
  if (job.error) std::rethrow_exception(job.error);
  if (run.stopped()) throw Cancelled();
}

}  // namespace eat
