// The operations themselves, cut into chunks: MPI counts by int, and what is received on the way has to stay small.
#include <algorithm>
#include <limits>

#include "communicator.h"

namespace eat::mpi {
namespace {

MPI_Datatype datatype(Type type) {
  switch (type) {
    case Type::int32: return MPI_INT32_T;
    case Type::float32: return MPI_FLOAT;
    case Type::float64: return MPI_DOUBLE;
    default: return MPI_UINT8_T;
  }
}

// Values that are summed at once: 16 MiB of float32 are received meanwhile.
constexpr std::int64_t kSumChunk = std::int64_t{1} << 22;
// Values of one call of MPI.
constexpr std::int64_t kChunk = std::int64_t{1} << 26;

template <typename T>
void add_to(T* sum, const T* other, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i++) sum[i] += other[i];
}

// Rank `first` has the sum of `ranks` of them: that of the left half plus that of the right, the left one being the largest power of two
// that leaves something.
template <typename T>
void add_as_tree(T* from, std::int64_t count, int first, int ranks) {
  if (ranks == 1) return;
  int half = 1;
  while (half * 2 < ranks) half *= 2;
  add_as_tree(from, count, first, half);
  add_as_tree(from, count, first + half, ranks - half);
  add_to(from + first * count, from + (first + half) * count, count);
}

// into[i] = from[0][i] + from[1][i] + ..., from[r] being rank r's values, which it may change. Integers wrap around.
template <typename T>
void add_ranks(void* into, void* from, std::int64_t count, int ranks, bool tree) {
  T* sum = static_cast<T*>(into);
  T* part = static_cast<T*>(from);
  if (tree) add_as_tree(part, count, 0, ranks);
  std::copy(part, part + count, sum);
  for (int r = 1; r < ranks && !tree; r++) add_to(sum, part + r * count, count);
}

void add_ranks(const Operation& o, void* into, void* from, std::int64_t count, int ranks) {
  const bool tree = o.argument == kTree;
  if (o.type == Type::float64) add_ranks<double>(into, from, count, ranks, tree);
  else if (o.type == Type::float32) add_ranks<float>(into, from, count, ranks, tree);
  else add_ranks<std::uint32_t>(into, from, count, ranks, tree);
}

// The share of every rank in `count` values, and where it begins.
struct Shares {
  std::vector<int> counts, begins;

  Shares(std::int64_t count, int ranks) : counts(static_cast<size_t>(ranks)), begins(static_cast<size_t>(ranks)) {
    for (size_t r = 0; r < counts.size(); r++) {
      const std::int64_t begin = count * static_cast<std::int64_t>(r) / ranks, end = count * (static_cast<std::int64_t>(r) + 1) / ranks;
      begins[r] = static_cast<int>(begin);
      counts[r] = static_cast<int>(end - begin);
    }
  }
};

}  // namespace

void Communicator::all_reduce(Operation& o) const {
  if (o.argument == kAnyOrder) sum_in_any_order(o);
  else sum_in_fixed_order(o);
}

// Every rank sums its share of each chunk, in the order of ranks or as their tree, and all gather the shares: as much to send as any sum
// takes, and the same bits whatever MPI does.
void Communicator::sum_in_fixed_order(Operation& o) const {
  const std::int64_t width = size_of(o.type), chunk = std::min(kSumChunk, o.count);
  const Memory received((chunk / size_ + 1) * size_ * width);
  for (std::int64_t first = 0; first < o.count; first += chunk) {
    const Shares shares(std::min(chunk, o.count - first), size_);
    const int mine = shares.counts[static_cast<size_t>(rank_)];
    std::vector<int> counts(static_cast<size_t>(size_), mine), begins(static_cast<size_t>(size_));
    for (size_t r = 0; r < begins.size(); r++) begins[r] = static_cast<int>(r) * mine;
    char* values = o.values.data() + first * width;
    MPI_Request request;
    check(MPI_Ialltoallv(values, shares.counts.data(), shares.begins.data(), datatype(o.type), received.data(), counts.data(), begins.data(),
                         datatype(o.type), comm_, &request),
          "MPI_Ialltoallv");
    wait(&request, 1);
    add_ranks(o, values + shares.begins[static_cast<size_t>(rank_)] * width, received.data(), mine, size_);
    check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, shares.counts.data(), shares.begins.data(), datatype(o.type), comm_,
                          &request),
          "MPI_Iallgatherv");
    wait(&request, 1);
  }
}

void Communicator::sum_in_any_order(Operation& o) const {
  for (std::int64_t first = 0; first < o.count; first += kChunk) {
    const int count = static_cast<int>(std::min(kChunk, o.count - first));
    MPI_Request request;
    check(MPI_Iallreduce(MPI_IN_PLACE, o.values.data() + first * size_of(o.type), count, datatype(o.type), MPI_SUM, comm_, &request),
          "MPI_Iallreduce");
    wait(&request, 1);
  }
}

void Communicator::all_gather(Operation& o) const {
  std::int64_t total = 0;
  std::vector<int> counts, begins;
  o.counts.clear();
  for (const Header& header : headers_) {
    o.counts.push_back(header.count);
    begins.push_back(static_cast<int>(total));
    total += header.count;
    if (total > std::numeric_limits<int>::max()) {
      throw Failure("limit", "Expected at most 2147483647 values to be gathered but received more.");
    }
    counts.push_back(static_cast<int>(header.count));
  }
  Memory all(total * size_of(o.type));
  MPI_Request request;
  check(MPI_Iallgatherv(o.values.data(), static_cast<int>(o.count), datatype(o.type), all.data(), counts.data(), begins.data(),
                        datatype(o.type), comm_, &request),
        "MPI_Iallgatherv");
  wait(&request, 1);
  o.values = std::move(all);
  o.count = total;
}

void Communicator::broadcast(Operation& o) const {
  for (std::int64_t first = 0; first < o.count; first += kChunk) {
    const int count = static_cast<int>(std::min(kChunk, o.count - first));
    MPI_Request request;
    check(MPI_Ibcast(o.values.data() + first * size_of(o.type), count, datatype(o.type), static_cast<int>(o.argument), comm_, &request),
          "MPI_Ibcast");
    wait(&request, 1);
  }
}

}  // namespace eat::mpi
