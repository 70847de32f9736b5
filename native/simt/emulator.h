// The host's side of cuda/device/simt.h: the same names, run by fibers on the CPU, with every access and every barrier checked.
#pragma once

#define EAT_GLOBAL __attribute__((visibility("default"), noinline))
// The bound travels as that many nops / 32 at the kernel's entry, where cuda_launch reads it.
#define EAT_GLOBAL_BOUNDS(threads, min_blocks) \
  __attribute__((visibility("default"), noinline, patchable_function_entry((threads) / 32)))
#define EAT_DEVICE inline
#define EAT_HOST_DEVICE inline

#include "machine.h"
#include "global_memory.h"
#include "shared_memory.h"
#include "warp.h"
#include "tensor.h"
#include "barrier.h"
#include "warpgroup.h"
#include "runtime.h"
