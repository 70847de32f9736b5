#include "communicator.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace eat::mpi {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Between two looks. At first the thread looks again at once; then it sleeps, and never yields: who yields to a busy program waits until its
// time is over, milliseconds at a time, and who sleeps goes before it. So a rank that waits for another's computation leaves it the
// processor, too.
void pause(double waited) {
  if (waited < 20e-6) return;
  std::this_thread::sleep_for(std::chrono::microseconds(waited < 200e-6 ? 1 : waited < 1 ? 20 : 1000));
}

const char* name_of(Type type) {
  switch (type) {
    case Type::uint8: return "uint8";
    case Type::int32: return "int32";
    case Type::float32: return "float32";
    case Type::float64: return "float64";
    default: return "no";
  }
}

std::string ranks_text(const std::vector<int>& ranks) {
  constexpr size_t most = 8;
  std::string text = ranks.size() > 1 ? "ranks " : "rank ";
  for (size_t i = 0; i < ranks.size() && i < most; i++) text += (i > 0 ? ", " : "") + std::to_string(ranks[i]);
  return ranks.size() > most ? text + " and " + std::to_string(ranks.size() - most) + " more" : text;
}

}  // namespace

std::string describe(Kind kind, Type type, std::int64_t count, std::int64_t argument) {
  const std::string values = " of " + std::to_string(count) + " " + name_of(type) + " values";
  switch (kind) {
    case Kind::begin: return "begin";
    case Kind::all_reduce: return "allReduce" + values + (argument == kAnyOrder ? " in any order" : argument == kTree ? " as a tree" : "");
    case Kind::all_gather: return "allGather" + values;
    case Kind::broadcast: return "broadcast" + values + " from rank " + std::to_string(argument);
    case Kind::barrier: return "barrier";
    case Kind::split: return "split";
    case Kind::finalize: return "finalize";
  }
  return "an unknown operation";
}

void check(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(status, text, &length);
  throw Failure("mpi", std::string(call) + " failed: " + std::string(text, static_cast<size_t>(length)));
}

std::string library_name() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  check(MPI_Get_library_version(text, &length), "MPI_Get_library_version");
  std::string name(text);
  name.erase(std::min(name.size(), name.find_first_of(",\n")));
  std::replace(name.begin(), name.end(), '\t', ' ');
  return name;
}

void abort_job(MPI_Comm comm) {
  MPI_Abort(comm, 1);
  _exit(1);
}

Communicator::Communicator(MPI_Comm comm, std::int64_t stall_seconds, const std::atomic<bool>& leaving)
    : comm_(comm), stall_seconds_(stall_seconds), leaving_(leaving) {
  check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(comm, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &size_), "MPI_Comm_size");
  headers_.resize(static_cast<size_t>(size_));
}

void Communicator::wait(MPI_Request* requests, int count, const std::function<std::string()>& missing) const {
  const Clock::time_point begin = Clock::now();
  double warning = static_cast<double>(stall_seconds_);
  for (;;) {
    int done = 0;
    check(MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE), "MPI_Testall");
    if (done) return;
    if (leaving_) abort_job(comm_);
    const double waited = seconds_since(begin);
    if (waited >= warning) {
      warn(waited, missing ? missing() : "the other ranks");
      warning += static_cast<double>(stall_seconds_);
    }
    pause(waited);
  }
}

void Communicator::warn(double seconds, const std::string& missing) const {
  std::fprintf(stderr, "eat-dml: rank %d of %d has waited %.0f s for %s in %s (operation %lld of its group)\n", rank_, size_, seconds,
               missing.c_str(), now_.c_str(), static_cast<long long>(sequence_));
}

// Rank 0 hears from each rank by itself, so that it can say who is missing, and tells all of them what everyone calls.
void Communicator::agree(const Operation& o) {
  const Header mine{static_cast<std::int64_t>(o.kind), static_cast<std::int64_t>(o.type), o.count, o.argument};
  constexpr int words = sizeof(Header) / sizeof(std::int64_t), tag = 0;
  sequence_++;
  now_ = describe(o.kind, o.type, o.count, o.argument);
  headers_[static_cast<size_t>(rank_)] = mine;
  std::vector<MPI_Request> arrivals;
  for (int r = 1; rank_ == 0 && r < size_; r++) {
    arrivals.emplace_back();
    check(MPI_Irecv(&headers_[static_cast<size_t>(r)], words, MPI_INT64_T, r, tag, comm_, &arrivals.back()), "MPI_Irecv");
  }
  if (rank_ != 0) {
    arrivals.emplace_back();
    check(MPI_Isend(&mine, words, MPI_INT64_T, 0, tag, comm_, &arrivals.back()), "MPI_Isend");
  }
  wait(arrivals.data(), static_cast<int>(arrivals.size()), [&] { return absent(arrivals); });
  MPI_Request told;
  check(MPI_Ibcast(headers_.data(), words * size_, MPI_INT64_T, 0, comm_, &told), "MPI_Ibcast");
  wait(&told, 1, [] { return "rank 0, or whom it waits for,"; });
  for (const Header& other : headers_) {
    if (!same(mine, other)) throw Failure("mismatch", difference());
  }
}

std::string Communicator::absent(const std::vector<MPI_Request>& arrivals) const {
  if (rank_ != 0) return "rank 0";
  std::vector<int> missing;
  for (size_t i = 0; i < arrivals.size(); i++) {
    int there = 0;
    check(MPI_Request_get_status(arrivals[i], &there, MPI_STATUS_IGNORE), "MPI_Request_get_status");
    if (!there) missing.push_back(static_cast<int>(i) + 1);
  }
  return missing.empty() ? "the other ranks" : ranks_text(missing);
}

// Only what is gathered may have another length on every rank.
bool Communicator::same(const Header& a, const Header& b) const {
  const bool lengths = a.count == b.count || a.kind == static_cast<std::int64_t>(Kind::all_gather);
  return a.kind == b.kind && a.type == b.type && a.argument == b.argument && lengths;
}

std::string Communicator::difference() const {
  std::string text;
  std::vector<bool> told(headers_.size());
  for (size_t r = 0; r < headers_.size(); r++) {
    if (told[r]) continue;
    const Header& h = headers_[r];
    std::vector<int> ranks;
    for (size_t other = r; other < headers_.size(); other++) {
      if (told[other] || !same(h, headers_[other])) continue;
      told[other] = true;
      ranks.push_back(static_cast<int>(other));
    }
    text += (text.empty() ? "" : "; ") + ranks_text(ranks) + ": " +
            describe(static_cast<Kind>(h.kind), static_cast<Type>(h.type), h.count, h.argument);
  }
  return "Expected the same operation on every rank but received, as operation " + std::to_string(sequence_) + " of the group, " + text + ".";
}

}  // namespace eat::mpi
