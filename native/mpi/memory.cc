#include "memory.h"

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace eat::mpi {
namespace {

constexpr size_t kHeader = 64;                     // before the bytes: how many they are, and alignment
constexpr size_t kKept = size_t{1} << 20;          // from here on they are kept
constexpr size_t kKeptTogether = size_t{256} << 20;

struct Idle {
  char* block;
  size_t bytes;
};

// Never destroyed: JavaScript may give memory back as long as the process lives.
struct Pool {
  std::mutex mutex;
  std::vector<Idle> idle;
  size_t bytes = 0;
};

Pool& pool() {
  static Pool* const pool = new Pool;
  return *pool;
}

// Powers of two and the halves between them, so that near sizes meet.
size_t rounded(size_t bytes) {
  size_t size = kHeader;
  while (size < bytes) size *= 2;
  return size / 4 * 3 >= bytes ? size / 4 * 3 : size;
}

char* take(size_t bytes) {
  Pool& kept = pool();
  const std::lock_guard<std::mutex> lock(kept.mutex);
  for (size_t i = kept.idle.size(); i-- > 0;) {
    if (kept.idle[i].bytes != bytes) continue;
    char* const block = kept.idle[i].block;
    kept.bytes -= bytes;
    kept.idle.erase(kept.idle.begin() + static_cast<std::ptrdiff_t>(i));
    return block;
  }
  return nullptr;
}

char* allocate(size_t wanted) {
  const size_t bytes = rounded(wanted + kHeader);
  char* block = bytes >= kKept ? take(bytes) : nullptr;
  if (block == nullptr) block = static_cast<char*>(std::malloc(bytes));
  if (block == nullptr) throw std::bad_alloc();
  *reinterpret_cast<size_t*>(block) = bytes;
  return block + kHeader;
}

}  // namespace

Memory::Memory(std::int64_t bytes) : data_(allocate(bytes > 0 ? static_cast<size_t>(bytes) : 0)) {}

void release_memory(char* data) {
  if (data == nullptr) return;
  char* const block = data - kHeader;
  const size_t bytes = *reinterpret_cast<size_t*>(block);
  Pool& kept = pool();
  if (bytes >= kKept) {
    const std::lock_guard<std::mutex> lock(kept.mutex);
    if (kept.bytes + bytes <= kKeptTogether) {
      kept.idle.push_back({block, bytes});
      kept.bytes += bytes;
      return;
    }
  }
  std::free(block);
}

}  // namespace eat::mpi
