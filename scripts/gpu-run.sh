#!/usr/bin/env bash
# The kernels on this machine's GPU: checks, times and sanitizers, each step a process of its own with a limit, a log and one line.
# The machine needs no Node, no npm and no network: `npm run gpu:pack` makes the kit, with this file in it as run.sh.
#   bash .gpu-kit/run.sh PLAN       in a checkout with a kit also: scripts/gpu-run.sh PLAN
# PLAN is all, check, bench, sanitize, v5 or webgpu (scripts/gpu-plans.sh), or: step NAME COMMAND...  with $SMOKE, $NODE and $JS of the kit.
#   OUT            folder of the results (gpu-out): summary.txt, logs.tar, and what was measured as JSON
#   KIT_SECONDS    ends the whole in time (530)     KIT_STEP_SECONDS   no step takes longer
#   KIT_ONLY       a pattern: only the steps whose names match it
# Ends with 0 where every step passed, 1 where one did not, 2 where the kit is called wrongly or broken, 3 where there is no usable
# device or it is lost for good. No setting of the GPU is changed.
set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KIT=$HERE
[ -e "$KIT/app.tar.xz" ] || [ -d "$KIT/app" ] || KIT=$HERE/../.gpu-kit
OUT=${OUT:-$PWD/gpu-out}
ALL=${KIT_SECONDS:-530}
PHASE_END=$ALL
SECONDS=0
FAILED=0 SKIPPED=0 PASSED=0 DEVICE_GONE=0
unset EAT_DML_CUDA_VARIANT EAT_DML_CUDA_TIMING
. "$HERE/gpu-plans.sh"

say() { echo "$*" | tee -a "$SUMMARY"; }
line() { say "$(printf '%-32s %-13s %4s  %s' "$@")"; }
save_logs() { tar -C "$WORK" -cf "$OUT/logs.tar.new" logs && mv "$OUT/logs.tar.new" "$OUT/logs.tar"; }

# limited LIMIT LOG COMMAND...: for at most LIMIT seconds, then TERM, and KILL 3 s later. What even KILL does not end hangs in the
# driver: it is left behind.
limited() {
  local limit=$1 log=$2 pid until
  shift 2
  timeout -k 3 "$limit" "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  until=$((SECONDS + limit + 10))
  while kill -0 "$pid" 2>/dev/null; do
    [ "$SECONDS" -le "$until" ] || return 137
    sleep 0.1
  done
  wait "$pid" 2>/dev/null # without bash's own word on a process that was killed
}

word_of() { # EXIT_STATUS LIMIT
  case $1 in
    0) echo PASS ;;
    3) echo LOST ;;
    124 | 137) echo "TIMEOUT(${2}s)" ;;
    1[3-9][0-9]) echo "CRASH($(($1 - 128)))" ;;
    *) echo "FAIL($1)" ;;
  esac
}

# step NAME LIMIT COMMAND...: 0 where it passed. The last line that it printed says what it was at.
step() {
  local name=$1 limit=$2 log=$WORK/logs/$1.log begun=$SECONDS left status word
  shift 2
  [[ $name =~ ${KIT_ONLY:-} ]] || return 0
  if [ "$DEVICE_GONE" = 1 ]; then skip "$name" 'the device is gone'; return 1; fi
  left=$((PHASE_END - SECONDS - 5))
  if [ "$left" -lt 4 ]; then skip "$name" 'no time is left for it'; return 1; fi
  [ "$limit" -le "${KIT_STEP_SECONDS:-$limit}" ] || limit=$KIT_STEP_SECONDS
  [ "$limit" -le "$left" ] || limit=$left
  limited "$limit" "$log" "$@"
  status=$?
  word=$(word_of "$status" "$limit")
  line "$name" "$word" "$((SECONDS - begun))s" "$(grep -v '^ *$' "$log" | tail -1 | cut -c1-160)"
  if [ "$status" = 0 ]; then PASSED=$((PASSED + 1)); else FAILED=$((FAILED + 1)); tail -12 "$log" | cut -c1-200 | sed 's/^/    | /' | tee -a "$SUMMARY"; fi
  case $word in LOST | TIMEOUT* | CRASH*) require_device "$name" ;; esac
  save_logs
  return "$status"
}

# A step of the plan that could not be done counts against it.
skip() { # NAME WHY
  [[ $1 =~ ${KIT_ONLY:-} ]] || return 0
  SKIPPED=$((SKIPPED + 1))
  line "$1" skipped '' "$2"
}

# What this machine cannot do is said, and is no failure.
left_out() { # NAME WHY
  if [[ $1 =~ ${KIT_ONLY:-} ]]; then line "$1" 'left out' '' "$2"; fi
}

# After a step that took the device with it: is it there for the next process?
require_device() {
  local log=$WORK/logs/device-after-$1.log
  limited 20 "$log" "$SMOKE" info && return
  DEVICE_GONE=1
  say "THE DEVICE IS GONE after $1: $(tail -1 "$log" | cut -c1-160)"
}

require_first_device() {
  local log=$WORK/logs/device.log
  if limited 60 "$log" "$SMOKE" info; then
    DEVICE_NAME=$(tail -1 "$log")
  else
    say "FAIL: no usable CUDA device: $(tail -1 "$log" | sed 's/^LOST after 0 checks, 0 failed: //')"
    exit 3
  fi
}

# The steps until PERCENT of the whole time has passed: a slow part leaves the next one its share.
until_share() { PHASE_END=$((ALL * $1 / 100)); }

# One file of the kit, whatever this machine can unpack with.
unpacked() {
  if command -v xz >/dev/null; then xz -dc "$1"; else python3 -c 'import lzma, shutil, sys
shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$1"; fi
}

# The parts of the kit: from its archives, or as they lie there (npm run test:gpu).
open_kit() {
  APP=$KIT/app
  if [ -e "$KIT/app.tar.xz" ]; then
    APP=$WORK/app
    mkdir -p "$APP" && unpacked "$KIT/app.tar.xz" | tar -C "$APP" -xf - || return 1
  fi
  DEVICE=$(cat "$APP/device") && [ -x "$APP/bin/gpu_smoke" ] || return 1
  export SMOKE=$APP/bin/gpu_smoke JS=$APP/js
  export EAT_DML_NATIVE_PATH=$APP/addon/eat_dml.node EAT_DML_CUDA_PATH=$APP/addon/eat_dml_$DEVICE.node
}

# Dawn looks for the Vulkan loader by its name, and the loader for a driver where distributions put it; NVIDIA's container runtime has
# places of its own. What is set already stays.
open_webgpu() {
  local icd
  [ -d "$APP/node_modules/webgpu" ] || return 1
  export LD_LIBRARY_PATH=$APP/vulkan${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-$WORK}
  for icd in /usr/local/nvidia/share/vulkan/icd.d /usr/share/vulkan/icd.d /etc/vulkan/icd.d; do
    [ -z "${VK_DRIVER_FILES:-}" ] && [ -e "$icd/nvidia_icd.json" ] && export VK_DRIVER_FILES=$icd/nvidia_icd.json
  done
  # Beside the emulator there may be no driver at all.
  [ "$DEVICE" = cuda ] || [ -n "${VK_DRIVER_FILES:-}" ]
}

# Node is unpacked once a device is there: it takes seconds. Where it does not run here, the steps that need it are left out.
open_node() {
  export NODE=${KIT_NODE:-$WORK/node}
  [ -n "${KIT_NODE:-}" ] || { unpacked "$KIT/node.xz" >"$NODE" && chmod +x "$NODE"; }
  NODE_RUNS=1
  step node 20 bash -c '"$NODE" --version || { ldd "$NODE"; exit 1; }' || NODE_RUNS=0
}

finish() {
  if [ -s "$OUT/bench-native.jsonl" ]; then
    say 'times (ms: the device by events, else by the wall clock):'
    sed 's/[{}"]//g; s/,/  /g; s/^/  /' "$OUT/bench-native.jsonl" | tee -a "$SUMMARY"
  fi
  save_logs
  say "$PASSED passed, $FAILED failed, $SKIPPED skipped; $SECONDS s"
  [ "$DEVICE_GONE" = 0 ] || exit 3
  [ $((FAILED + SKIPPED)) = 0 ] || exit 1
  exit 0
}

broken() { say "FAIL: $*"; exit 2; }

main() {
  local plan=${1:-all}
  [ $# = 0 ] || shift
  mkdir -p "$OUT" || exit 2
  SUMMARY=$OUT/summary.txt
  : >"$SUMMARY"
  rm -f "$OUT/bench-native.jsonl"
  case $plan in all | check | bench | sanitize | v5 | webgpu) ;; step) [ $# -ge 2 ] || broken 'expected: step NAME COMMAND...' ;; *) broken "expected all, check, bench, sanitize, v5, webgpu or step but received $plan" ;; esac
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/gpu-kit.XXXXXX") || exit 2
  trap 'rm -rf "$WORK"' EXIT
  mkdir -p "$WORK/logs"
  open_kit || broken "there is no kit in $KIT, or it cannot be unpacked: npm run gpu:pack makes one"
  say "plan $plan, $ALL s, $(nproc) processors, Linux $(uname -r), commit $(head -1 "$APP/commit" 2>/dev/null)"
  require_first_device
  say "device: $DEVICE_NAME"
  open_node
  if [ "$plan" = step ]; then step "$1" "$ALL" "${@:2}"; cat "$WORK/logs/$1.log" 2>/dev/null; else "plan_$plan"; fi
  finish
}

main "$@"
