// Global memory and launches.
#include "harness.h"

namespace simt_test {

EAT_GLOBAL void copied(Span<const float> in, Span<float> out) {
  const index_t i = static_cast<index_t>(block_x()) * block_dim_x() + thread_x();
  out[i] = in[i];
}
EAT_GLOBAL void copied_in_fours(Span<const float> in, Span<float> out, int from) {
  store4(out, 0, load4(in, from));
}
EAT_GLOBAL_BOUNDS(64, 1) void at_most_64(Span<float> out) { out[thread_x()] = 1; }
struct Wrapped {
  Span<float> out;
};
EAT_GLOBAL void written_through_struct(Wrapped w) { w.out[thread_x()] = 1; }
EAT_GLOBAL void big_static(Span<float> out) {
  EAT_SHARED(float, large, 12 * 1024 + 4);
  large[thread_x()] = 1;
  out[thread_x()] = 1;
}
EAT_GLOBAL void ticket(Span<int> next, Span<int> taken) {
  if (thread_x() == 0) taken[atomic_add(next, 0, 1)] = static_cast<int>(block_x());
}
EAT_GLOBAL void maximum(Span<unsigned long long> best) {
  atomic_max(best, 0, static_cast<unsigned long long>(block_x() * 64 + thread_x()));
}
EAT_GLOBAL void read_poison(Span<const float> never_written, Span<float> out) { out[thread_x()] = never_written[thread_x()] * 0.0f; }

void copy(int blocks, index_t in_size, index_t out_size) {
  Memory<float> in(counting(128)), out(128);
  run(copied, blocks, 64, 0, Span<const float>{static_cast<float*>(in.data), in_size}, Span<float>{static_cast<float*>(out.data), out_size});
  require(out.values() == counting(128), "not copied");
}
void copy_fours(int from, int shift) {
  Memory<float> in(counting(128)), out(128);
  run(copied_in_fours, 1, 1, 0, Span<const float>{static_cast<float*>(in.data) + shift, 120}, out.span(), from);
  require(out.values()[3] == static_cast<float>(from + shift + 3), "not copied");
}
template <class K>
void launch_with(K kernel, int threads, int dynamic_shared) {
  Memory<float> out(1024);
  run(kernel, 1, threads, dynamic_shared, out.span());
}

static const Add global_cases[] = {
    {"a copy", {}, [] { copy(2, 128, 128); }},
    {"a block too many", {"kernel simt_test::copied, block (2, 0, 0)", "of a span of 128"}, [] { copy(3, 128, 128); }},
    {"a span shorter than its memory", {"global index 127 of a span of 127"}, [] { copy(2, 128, 127); }},
    {"a span longer than its memory", {"argument 0 is a span that does not lie in one allocation"}, [] { copy(2, 129, 128); }},
    {"vectors", {}, [] { copy_fours(8, 4); }},
    {"a misaligned vector of a span", {"16-byte access to global index 6 is misaligned"}, [] { copy_fours(6, 0); }},
    {"a vector of a misaligned span", {"16-byte access to global index 4 is misaligned"}, [] { copy_fours(4, 1); }},
    {"a vector over the end", {"global elements 120 to 123 of a span of 120"}, [] { copy_fours(120, 0); }},
    {"host memory passed to a kernel", {"argument 0 is a span that does not lie"}, [] {
       std::vector<float> host(64);
       run(at_most_64, 1, 64, 0, Span<float>{host.data(), 64});
     }},
    {"host memory passed inside a struct", {"reads or writes memory that is not the device's"}, [] {
       std::vector<float> host(64);
       run(written_through_struct, 1, 64, 0, Wrapped{{host.data(), 64}});
     }},
    {"memory already freed", {"argument 0 is a span that does not lie"}, [] {
       Memory<float> out(64);
       const Span<float> span = out.span();
       cuda_free(out.data);
       out.data = nullptr;
       run(at_most_64, 1, 64, 0, span);
     }},
    {"the host reads device memory", {"the host reads or writes device memory"}, [] { Memory<float>(4).span()[0] = 1; }},
    {"the launch bound", {}, [] { launch_with(at_most_64, 64, 0); }},
    {"more threads than the launch bound", {"at_most_64", "96 threads where its launch bound is 64"}, [] { launch_with(at_most_64, 96, 0); }},
    {"too many threads", {"1056 threads per block"}, [] { launch_with(big_static, 1056, 0); }},
    {"too much static shared memory", {"more than 48 KiB of static shared memory"}, [] { launch_with(big_static, 32, 0); }},
    {"too much dynamic shared memory", {"more than a block has"}, [] { launch_with(at_most_64, 32, 228 * 1024); }},
    {"memory that was not written is NaN", {}, [] {
       Memory<float> in(32), out(32);
       run(read_poison, 1, 32, 0, Span<const float>(in.span()), out.span());
       for (float v : out.values()) require(v != v, "a number from nowhere");
     }},
    {"atomics of many blocks", {}, [] {
       Memory<unsigned long long> best(std::vector<unsigned long long>{0});
       run(maximum, 5, 64, 0, best.span());
       require(best.values()[0] == 5 * 64 - 1, "not the maximum");
     }},
    {"blocks run in an order of the seed", {}, [] {
       std::vector<std::vector<int>> orders;
       for (const char* seed : {"1", "2", "2"}) {
         setenv("EAT_SIMT_SEED", seed, 1);
         Memory<int> next(std::vector<int>{0}), taken(16);
         run(ticket, 16, 32, 0, next.span(), taken.span());
         orders.push_back(taken.values());
       }
       require(orders[0] != orders[1], "seed 1 and 2 give the same order");
       require(orders[1] == orders[2], "one seed gives two orders");
     }},
};

}  // namespace simt_test
