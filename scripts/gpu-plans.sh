# What each plan of gpu-run.sh runs, the surest first. Sourced by it; `step`, `skip` and the kit's paths are there.
# The emulator's kit (npm run gpu:pack -- --emulator) runs the same steps at sizes that an emulator can do.

label() { [ "$1" = chosen ] && echo chosen || echo "v$1"; }

# The words for `env` that force a variant; `chosen` leaves it to the kernels.
forced() {
  [ "$1" = chosen ] || echo "EAT_DML_CUDA_VARIANT=$1"
  [ "$DEVICE" = cuda ] || echo EAT_SIMT_SM=90
}

# One process per kernel and variant, without Node; `tiles` is several tiles of more than three slices each. The naive variant at large
# sizes would cost time and show nothing new.
smoke() { # VARIANT KERNEL...
  local variant=$1 kernel sizes='tiny small tiles large'
  shift
  [ "$variant" != 1 ] || sizes='tiny small tiles'
  for kernel in "$@"; do
    [ "$DEVICE" = cuda ] || { [ "$kernel" = nearest ] && sizes='tiny tiles' || sizes=tiny; }
    step "smoke-$(label "$variant")-$kernel" 60 env $(forced "$variant") "$SMOKE" check "$kernel" $sizes
  done
}

# The case table of test/kernels/cases against the double-precision reference, the references kept from step to step.
table() { # VARIANT KERNEL...
  local variant=$1 kernel first=
  shift
  [ "$DEVICE" = cuda ] || first='--first 6'
  [ "$NODE_RUNS" = 1 ] || return 0
  for kernel in "$@"; do
    step "table-$(label "$variant")-$kernel" 90 env $(forced "$variant") "$NODE" "$JS/parity.mjs" "$kernel" --references "$WORK/references.bin" $first
  done
}

# Tests that hold on every device, as vitest runs them.
shared() { # NAME VARIANT FILE [PATTERN]
  [ "$NODE_RUNS" = 1 ] || return 0
  step "$1" 90 env $(forced "$2") "$NODE" "$JS/suite.mjs" "$3" "${4:-}"
}

# Labels that float cannot decide, and sizes as in use; not for an emulator's patience.
hard() { # VARIANT KERNEL...
  local variant=$1 kernel
  shift
  [ "$DEVICE" = cuda ] || return 0
  for kernel in "$@"; do
    case $variant-$kernel in
      chosen-* | *-kmeans) ;;
      *) shared "ties-v$variant-$kernel" chosen cuda-variants "cuda variant $variant $kernel" ;;
    esac
    [ "$kernel" = nearestNeighbors ] || shared "large-$(label "$variant")-$kernel" "$variant" large "large $kernel"
  done
}

plan_check() {
  smoke chosen nearest pairwise neighbors means kmeans attack bound
  table chosen pairwiseDistance nearestCentroid nearestNeighbors centroidMeans kmeans attackStep projectPerturbation
  for variant in 4 3; do smoke $variant nearest pairwise neighbors kmeans bound; done
  for variant in 2 1; do smoke $variant nearest pairwise neighbors kmeans attack bound; done
  for file in bad-input abort goldens; do shared "shared-$file" chosen $file; done
  shared shared-unknown-variant chosen cuda-variants '^an unknown variant'
  hard chosen nearestCentroid kmeans
  for variant in 4 3 2 1; do
    table $variant pairwiseDistance nearestCentroid nearestNeighbors kmeans
    hard $variant nearestCentroid nearestNeighbors kmeans
  done
  for variant in 2 1; do table $variant attackStep projectPerturbation; done
}

# Device times by events (EAT_DML_CUDA_TIMING), wall times beside them.
bench_native() { # VARIANT FILTER
  local name size=bench
  name=bench-$(label "$1")${2:+-$2}
  [ "$DEVICE" = cuda ] || size=bench-tiny
  step "$name" 100 env $(forced "$1") EAT_DML_CUDA_TIMING=1 "$SMOKE" $size "$2"
  grep -hs '^{' "$WORK/logs/$name.log" >>"$OUT/bench-native.jsonl"
}

# What torch and cuBLAS give on this card, then bench:gpu with that beside its rows.
bench_with_ceilings() {
  local tiny= torch=$OUT/ceilings.json
  rm -f "$torch"
  if [ "$DEVICE" = simt ]; then
    tiny=--tiny
  elif python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' 2>/dev/null; then
    step ceilings 100 bash -c 'python3 "$JS/gpu.py" >"$0"' "$torch"
  else
    left_out ceilings 'python3 has no torch'
  fi
  [ "$NODE_RUNS" = 1 ] || return 0
  step bench-gpu 150 env $(forced chosen) bash -c '"$NODE" "$JS/bench-gpu.mjs" "${@:2}" >"$1"' bench-gpu "$OUT/bench-gpu.json" --torch "$torch" $tiny
}

# What a kernel waits for, by NVIDIA's profiler; its clocks are left alone.
profile() { # NAME VARIANT KERNEL_PATTERN FILTER
  command -v ncu >/dev/null || return 0
  step "ncu-$1" 60 env EAT_DML_CUDA_VARIANT="$2" ncu --clock-control none -k "regex:$3" -c 1 --section SpeedOfLight --section ComputeWorkloadAnalysis \
    --section MemoryWorkloadAnalysis --section WarpStateStats --section Occupancy "$SMOKE" bench "$4"
}

plan_bench() {
  bench_native chosen ''
  bench_with_ceilings
  bench_native 3 nearest
  if [ "$DEVICE" = cuda ]; then
    profile v4 4 nearest_two_tiles 'nearest 500000x4096 d256'
    profile linf 2 four_elements 'attack_step linf'
  fi
}

# The variant that compute capability 9.0 gets. Were a descriptor read otherwise than meant it would give wrong numbers, and a barrier
# that is never met would hang.
plan_v5() {
  case $DEVICE_NAME in *sm_90* | *emulator*) ;; *) left_out v5 'it needs compute capability 9.0'; return 0 ;; esac
  step smoke-v5-first 25 env $(forced 5) "$SMOKE" check nearest tiny || return 0
  smoke 5 nearest pairwise neighbors kmeans bound
  table 5 pairwiseDistance nearestCentroid nearestNeighbors kmeans
  hard 5 nearestCentroid nearestNeighbors kmeans
  sanitize memcheck nearest 5 40 tiny
  for kernel in nearest pairwise neighbors kmeans; do bench_native 5 $kernel; done
  [ "$DEVICE" = simt ] || profile v5 5 nearest_two_tiles 'nearest 500000x4096 d256'
}

sanitizer() {
  command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer /opt/nvidia/*/compute-sanitizer 2>/dev/null | head -1
}

sanitize() { # TOOL KERNEL VARIANT LIMIT SIZE...
  local tool=$1 kernel=$2 variant=$3 limit=$4 program
  shift 4
  [ "$DEVICE" = cuda ] || return 0
  program=$(sanitizer)
  [ -n "$program" ] || return 0
  step "$tool-$(label "$variant")-$kernel" "$limit" env $(forced "$variant") "$program" --tool "$tool" --error-exitcode 9 --print-limit 20 "$SMOKE" check "$kernel" "$@"
}

plan_sanitize() {
  [ "$DEVICE" = cuda ] || left_out sanitizers 'the emulator looks for races and wrong accesses in every step'
  [ "$DEVICE" = simt ] || [ -n "$(sanitizer)" ] || left_out sanitizers 'compute-sanitizer is not installed'
  sanitize memcheck all chosen 60 tiny small
  sanitize racecheck all chosen 60 tiny
  sanitize synccheck all chosen 30 tiny
  sanitize initcheck all chosen 45 tiny
  for variant in 3 2 1; do
    sanitize memcheck all $variant 40 tiny
    sanitize racecheck all $variant 60 tiny
  done
}

# WebGPU on this card, by Dawn and Vulkan: what it finds, the case table, times, and steps of a network beside PyTorch's on CUDA.
plan_webgpu() {
  local kernel first=
  [ "$NODE_RUNS" = 1 ] || return 0
  open_webgpu || { left_out webgpu 'the kit was packed without it, or no driver for Vulkan is here'; return 0; }
  [ "$DEVICE" = cuda ] || first='--first 3'
  for kernel in pairwiseDistance nearestCentroid nearestNeighbors centroidMeans kmeans attackStep projectPerturbation; do
    step "webgpu-$kernel" 90 "$NODE" "$JS/parity.mjs" "$kernel" --device webgpu --references "$WORK/references.bin" $first
  done
  [ "$DEVICE" = cuda ] || return 0
  step webgpu-bench 120 bash -c '"$NODE" "$JS/bench-webgpu.mjs" >"$0"' "$OUT/bench-webgpu.json"
  step webgpu-steps 60 env EAT_DML_TORCH_DEVICE=cuda bash -c '"$NODE" "$JS/training-step.mjs" resnet18 3 webgpu >"$0"' "$OUT/training-step-webgpu.txt"
}

# The GPU's state is read at the start and after the times, where nvidia-smi is.
state() { # NAME
  command -v nvidia-smi >/dev/null || return 0
  step "$1" 20 bash -c 'nvidia-smi; nvidia-smi -q -d CLOCK,POWER,PERFORMANCE | head -70
    nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,clocks.max.mem,clocks.sm,clocks.mem,temperature.gpu,power.draw,memory.used --format=csv,noheader'
}

plan_all() {
  state nvidia-smi-before
  until_share 55
  plan_check
  until_share 78
  plan_bench
  state nvidia-smi-after
  until_share 86
  plan_v5
  until_share 93
  plan_webgpu
  until_share 100
  plan_sanitize
}
