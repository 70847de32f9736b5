// Own thread pool: persistent workers that sleep when idle, shared by every call of the process.
#pragma once

#include <type_traits>

#include "../../contracts/common.h"

namespace eat {

// Threads a call may use: EAT_DML_THREADS, else the processors of this process's affinity mask within its cgroup's quota.
int default_threads();

// Runs task(context, 0 .. tasks-1), each once, on at most run.threads threads, the caller's included. The first exception
// (by task index) is thrown again here. Throws Cancelled when run was cancelled. A task never waits for another.
void run_tasks(const Run& run, index_t tasks, void (*task)(void*, index_t), void* context);

template <class Body>
void parallel_for(const Run& run, index_t tasks, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  run_tasks(run, tasks, [](void* context, index_t i) { (*static_cast<Plain*>(context))(i); },
            const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace eat
