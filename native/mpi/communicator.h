// What runs on the communication thread, and there alone: MPI's requests, awaited by looks at them, so that a wait can be left, named when
// it is long, and takes no processor from those who compute.
#pragma once

// The C interface alone: MPI's own C++ one is gone from the standard, and would have to be linked.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <atomic>
#include <functional>

#include "operation.h"

namespace eat::mpi {

// Throws Failure where MPI returned an error.
void check(int status, const char* call);

// "Open MPI v4.1.4", "MPICH Version: 4.0.2": what is loaded; known before MPI is begun.
std::string library_name();

class Communicator {
 public:
  // `leaving`: set by another thread, the job is aborted at the next look.
  Communicator(MPI_Comm comm, std::int64_t stall_seconds, const std::atomic<bool>& leaving);

  int rank() const { return rank_; }
  int size() const { return size_; }
  MPI_Comm comm() const { return comm_; }

  // Finds out whether all ranks call the same, and throws one Failure on all of them where they do not.
  void agree(const Operation& operation);
  // Of the operation that all agreed on.
  void all_reduce(Operation& operation) const;
  void all_gather(Operation& operation) const;
  void broadcast(Operation& operation) const;

 private:
  struct Header {
    std::int64_t kind, type, count, argument;
  };

  // Until all are complete. `missing` says in a stall for whom it waits.
  void wait(MPI_Request* requests, int count, const std::function<std::string()>& missing = {}) const;
  void warn(double seconds, const std::string& missing) const;
  std::string absent(const std::vector<MPI_Request>& arrivals) const;
  bool same(const Header& a, const Header& b) const;
  std::string difference() const;
  void sum_in_fixed_order(Operation& operation) const;
  void sum_in_any_order(Operation& operation) const;

  MPI_Comm comm_;
  int rank_ = 0, size_ = 1;
  std::int64_t stall_seconds_;
  const std::atomic<bool>& leaving_;
  std::int64_t sequence_ = 0;  // operations so far
  std::string now_;            // the one that runs, in words
  std::vector<Header> headers_;  // of every rank
};

// Ends the whole job, this process too.
[[noreturn]] void abort_job(MPI_Comm comm);

}  // namespace eat::mpi
