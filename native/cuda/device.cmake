# eat_dml_cuda.node (nvcc) and eat_dml_simt.node (the same .cu files as C++, under the emulator): the addon's own files and the
# little of cpu/ that they need, from sources.txt, and what cuda/sources.txt adds. In a checkout also gpu_smoke, the same kernels in a
# program without Node (test/native/gpu_smoke).
file(STRINGS cuda/sources.txt EAT_DML_DEVICE_SOURCES)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS cuda/sources.txt)
set(EAT_DML_SHARED_SOURCES ${EAT_DML_SOURCES})
list(FILTER EAT_DML_SHARED_SOURCES INCLUDE REGEX "^(addon/|tensorflow/|cpu/buffer|cpu/thread_pool)")
list(APPEND EAT_DML_SHARED_SOURCES ${EAT_DML_DEVICE_SOURCES})
set(EAT_DML_KERNEL_SOURCES ${EAT_DML_DEVICE_SOURCES})
list(FILTER EAT_DML_SHARED_SOURCES EXCLUDE REGEX "^cuda/")
list(FILTER EAT_DML_KERNEL_SOURCES INCLUDE REGEX "^cuda/")

if(EAT_DML_DEVICE STREQUAL "cuda")
  # Before the language is enabled, which would choose an architecture of its own. 120 as PTX too, for what comes after.
  if(EAT_DML_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES ${EAT_DML_CUDA_ARCHITECTURES})
  elseif(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 86-real 89-real 90a-real 100-real 120)
  endif()
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_FLAGS_RELEASE "-O3")
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
  enable_language(CUDA)
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.8)
    message(FATAL_ERROR "nvcc ${CMAKE_CUDA_COMPILER_VERSION} knows no sm_100 and sm_120: CUDA 12.8 or newer is needed, or -DCMAKE_CUDA_ARCHITECTURES.")
  endif()
  # No contraction, as on the CPU; the compiler's vectors and C++ lambdas are not needed.
  set(EAT_DML_CUDA_OPTIONS --fmad=false -lineinfo -Xcompiler=-ffp-contract=off,-fvisibility=hidden)
else()
  set(EAT_DML_CU ${EAT_DML_KERNEL_SOURCES})
  list(FILTER EAT_DML_CU INCLUDE REGEX "[.]cu$")
  set_source_files_properties(${EAT_DML_CU} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
  file(GLOB EAT_DML_EMULATOR CONFIGURE_DEPENDS simt/*.cc)
  list(APPEND EAT_DML_KERNEL_SOURCES ${EAT_DML_EMULATOR})
  set(CMAKE_CXX_FLAGS_RELEASE "-O2")
  add_compile_options(-Wno-unknown-pragmas)
endif()

# Compiled once, for the addon and for the program.
add_library(eat_dml_kernels OBJECT ${EAT_DML_KERNEL_SOURCES})
eat_dml_compile_options(eat_dml_kernels)
if(EAT_DML_DEVICE STREQUAL "cuda")
  target_compile_options(eat_dml_kernels PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:${EAT_DML_CUDA_OPTIONS}>)
else()
  # A fault names its kernel by its symbol, which a template over a hidden type would not have.
  target_compile_options(eat_dml_kernels PRIVATE -fvisibility=default)
endif()

eat_dml_addon(eat_dml_${EAT_DML_DEVICE} ${EAT_DML_SHARED_SOURCES})
target_compile_definitions(eat_dml_${EAT_DML_DEVICE} PRIVATE EAT_DML_DEVICE_ADDON)
target_link_libraries(eat_dml_${EAT_DML_DEVICE} PRIVATE eat_dml_kernels)

set(EAT_DML_SMOKE ${CMAKE_CURRENT_SOURCE_DIR}/../test/native/gpu_smoke)
if(EXISTS ${EAT_DML_SMOKE})
  file(GLOB EAT_DML_SMOKE_SOURCES CONFIGURE_DEPENDS ${EAT_DML_SMOKE}/*.cc)
  add_executable(gpu_smoke ${EAT_DML_SMOKE_SOURCES})
  eat_dml_compile_options(gpu_smoke)
  target_link_libraries(gpu_smoke PRIVATE eat_dml_kernels Threads::Threads ${CMAKE_DL_LIBS})
  # A fault of the emulator names its kernel by the symbols of the program.
  set_target_properties(gpu_smoke PROPERTIES ENABLE_EXPORTS ON RUNTIME_OUTPUT_DIRECTORY ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
endif()
