// Memory that JavaScript may take over, and gives back by release_memory.
#pragma once

#include <cstdint>
#include <memory>

namespace eat::mpi {

// Frees what Memory::release() gave, from any thread.
void release_memory(char* data);

// Of no bytes it is not null. What is large is kept when it is freed, for the next one of about its size: new memory costs a fault for each
// page, which took longer than what is sent.
class Memory {
 public:
  explicit Memory(std::int64_t bytes = 0);
  char* data() const { return data_.get(); }
  char* release() { return data_.release(); }

 private:
  struct Release {
    void operator()(char* data) const { release_memory(data); }
  };
  std::unique_ptr<char, Release> data_;
};

}  // namespace eat::mpi
