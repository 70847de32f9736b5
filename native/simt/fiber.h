// A fiber: a stack of its own and a switch that saves the callee-saved registers, without a system call.
#pragma once

#include <cstddef>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <ucontext.h>
#endif

namespace eat::simt {

#if defined(__x86_64__) || defined(__aarch64__)
using Context = void*;  // the stack pointer; registers lie on the stack
#else
using Context = ucontext_t;
#endif

struct Fiber {
  Context context{};
  char *stack = nullptr, *top = nullptr;  // lowest address and where it begins; kept between uses
};

constexpr size_t kStackBytes = 128 * 1024;

// Makes `fiber` start in `entry`, which must never return, at the next switch to it.
void prepare_fiber(Fiber& fiber, void (*entry)());
// Saves where we are in `from` and goes on in `to`.
void switch_context(Context& from, Context& to);

}  // namespace eat::simt
