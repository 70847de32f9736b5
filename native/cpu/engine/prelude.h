// Everything the kernel bodies use from outside, included before any target region so that no std inline is compiled for it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "buffer.h"
#include "../../contracts/kernel_table.h"
#include "thread_pool.h"
