#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

#if defined(__x86_64__)
// System V: rbx, rbp, r12 to r15 are the callee's to keep.
asm(R"(
.text
.globl eat_simt_switch
.hidden eat_simt_switch
.type eat_simt_switch, @function
eat_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size eat_simt_switch, .-eat_simt_switch
)");
#elif defined(__aarch64__)
// AAPCS64: x19 to x30 and d8 to d15.
asm(R"(
.text
.globl eat_simt_switch
.hidden eat_simt_switch
.type eat_simt_switch, %function
eat_simt_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size eat_simt_switch, .-eat_simt_switch
)");
#endif

namespace eat::simt {

namespace {

// Below the stack lies a page that may not be touched: a kernel that overruns its stack stops there.
char* new_stack() {
  const size_t guard = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, guard + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, guard, PROT_NONE);
  return static_cast<char*>(memory) + guard;
}

// Stacks begin at different cache lines of their pages: with all at the same, a block's fibers would push each other out.
size_t next_offset() {
  static size_t made = 0;
  return ++made * 192 % 4096 / 64 * 64;
}

}  // namespace

#if defined(__x86_64__) || defined(__aarch64__)

extern "C" void eat_simt_switch(void** from, void* to);

void switch_context(Context& from, Context& to) { eat_simt_switch(&from, to); }

void prepare_fiber(Fiber& fiber, void (*entry)()) {
  if (fiber.stack == nullptr) fiber.stack = new_stack(), fiber.top = fiber.stack + kStackBytes - next_offset();
  void** top = reinterpret_cast<void**>(fiber.top);
#if defined(__x86_64__)
  // Six registers, the address `ret` goes to, and the return address of entry: a call leaves the stack 8 beyond a multiple of 16.
  top -= 8;
  for (int i = 0; i < 8; i++) top[i] = nullptr;
  top[6] = reinterpret_cast<void*>(entry);
#else
  top -= 20;
  for (int i = 0; i < 20; i++) top[i] = nullptr;
  top[11] = reinterpret_cast<void*>(entry);  // x30
#endif
  fiber.context = top;
}

#else

void switch_context(Context& from, Context& to) { swapcontext(&from, &to); }

void prepare_fiber(Fiber& fiber, void (*entry)()) {
  if (fiber.stack == nullptr) fiber.stack = new_stack(), fiber.top = fiber.stack + kStackBytes - next_offset();
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = static_cast<size_t>(fiber.top - fiber.stack);
  makecontext(&fiber.context, entry, 0);
}

#endif

}  // namespace eat::simt
