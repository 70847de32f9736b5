// The communication thread without Node, for the sanitizers: under mpirun, `driver ROUNDS` has 100 operations in flight, round after round,
// and one that differs between ranks. Ends with 0 where all results are right.
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "../../native/mpi/engine.h"

using namespace eat::mpi;

namespace {

// What came back, from the communication thread.
struct Results {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::unique_ptr<Operation>> done;

  void add(std::unique_ptr<Operation> operation) {
    const std::lock_guard<std::mutex> lock(mutex);
    done.push_back(std::move(operation));
    changed.notify_all();
  }

  std::vector<std::unique_ptr<Operation>> take(size_t count) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return done.size() == count; });
    return std::move(done);
  }
};

Results results;
bool over = false;

void submit(std::unique_ptr<Operation> o) {
  Engine::instance().submit(
      std::move(o), [](std::unique_ptr<Operation> done) { results.add(std::move(done)); }, [] { over = true; });
}

std::unique_ptr<Operation> operation(Kind kind, std::int64_t count = 0, float value = 0, std::int64_t argument = 0) {
  auto o = std::make_unique<Operation>();
  o->kind = kind;
  o->argument = argument;
  if (kind != Kind::all_reduce && kind != Kind::all_gather) return o;
  o->type = Type::float32;
  o->count = count;
  o->values = Memory(count * 4);
  for (std::int64_t i = 0; i < count; i++) reinterpret_cast<float*>(o->values.data())[i] = value;
  return o;
}

std::unique_ptr<Operation> call(std::unique_ptr<Operation> o) {
  submit(std::move(o));
  return std::move(results.take(1)[0]);
}

// Sums of i and gathers of each rank's own length.
int wrong_in_round(std::int64_t rank, std::int64_t size, int round) {
  for (int i = 0; i < 100; i++) {
    const bool sums = i % 10 != 9;
    const std::int64_t count = sums ? 1 + (i * 37 + round) % 500 : rank;
    submit(operation(sums ? Kind::all_reduce : Kind::all_gather, count, static_cast<float>(i), sums ? i % 3 : 0));
  }
  int wrong = 0, i = 0;
  for (const auto& o : results.take(100)) {
    const float expected = o->kind == Kind::all_reduce ? static_cast<float>(i * size) : static_cast<float>(i);
    bool right = !o->error && o->count == (o->kind == Kind::all_reduce ? 1 + (i * 37 + round) % 500 : size * (size - 1) / 2);
    for (std::int64_t at = 0; right && at < o->count; at++) right = reinterpret_cast<const float*>(o->values.data())[at] == expected;
    wrong += !right;
    i++;
  }
  return wrong;
}

}  // namespace

int main(int, char** arguments) {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE") ? std::getenv("OMPI_COMM_WORLD_SIZE") : std::getenv("PMI_SIZE");
  auto begin = operation(Kind::begin);
  begin->launch = {std::atoll(size), 60, "size", "mpirun"};
  Engine::instance().claim();
  begin = call(std::move(begin));
  if (begin->error) return 2;
  int wrong = 0;
  for (int round = 0; round < std::atoi(arguments[1]); round++) wrong += wrong_in_round(begin->rank, begin->size, round);
  const auto differs = call(begin->rank == 0 ? operation(Kind::barrier) : operation(Kind::all_reduce, 3));
  wrong += !differs->error;
  submit(operation(Kind::finalize));
  submit(operation(Kind::barrier));  // too late
  const auto last = results.take(2);
  wrong += last[0]->error != nullptr || last[1]->error == nullptr;
  Engine::instance().leave();  // waits for the thread
  std::printf("%d wrong, %s\n", wrong, over ? "over" : "not over");
  return wrong == 0 && over ? 0 : 1;
}
