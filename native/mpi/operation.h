// One call of a group, from JavaScript to the settled promise. Its memory is its own: nothing that becomes of the caller's arrays meanwhile
// reaches the communication thread.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "memory.h"

namespace eat::mpi {

enum class Kind : std::int64_t { begin, all_reduce, all_gather, broadcast, barrier, split, finalize };
enum class Type : std::int64_t { none, uint8, int32, float32, float64 };

// Orders of allReduce beside that of ranks, which is 0.
constexpr std::int64_t kAnyOrder = 1, kTree = 2;

constexpr std::int64_t size_of(Type type) {
  return type == Type::float64 ? 8 : type == Type::uint8 || type == Type::none ? 1 : 4;
}

// What the launcher says of the job; `variable` is the name of the variable that says so.
struct Launch {
  std::int64_t size = 1, stall_seconds = 60;
  std::string variable, launcher;
};

struct Operation {
  Kind kind = Kind::barrier;
  Type type = Type::none;
  std::int64_t group = 0;
  std::int64_t count = 0;     // values of this rank
  std::int64_t argument = 0;  // broadcast: the root; allReduce: its order; equal on every rank
  std::int64_t color = 0, key = 0;  // split
  Launch launch;                    // begin
  Memory values;                    // of this rank; then the result

  // Results.
  std::vector<std::int64_t> counts;  // allGather: values of each rank
  std::int64_t rank = 0, size = 0;   // begin, split: in the new group, whose number is `group`
  std::exception_ptr error;
};

// An error that names what was expected and received; `kind` is what TypeScript tells it by.
struct Failure : std::runtime_error {
  Failure(const char* kind, const std::string& message) : std::runtime_error(message), kind(kind) {}
  const char* kind;
};

// "allReduce of 4 float32 values", "broadcast of 2 int32 values from rank 1", "barrier".
std::string describe(Kind kind, Type type, std::int64_t count, std::int64_t argument);

}  // namespace eat::mpi
