#!/bin/sh
# A stand-in for trtexec, for tests on machines without a GPU; never shipped. It does what the real one does outside the GPU: prints the
# banner and help of a version, refuses options that version does not have, "builds" and "loads" engine files, takes as long as it says,
# exports times and prints a log in the version's form. How it behaves is in trtexec.conf beside it (see trtexec-stand-in.ts); it needs
# nothing but a shell, cat and sleep.
here=${0%/*}
. "$here/trtexec.conf"
line() { echo "[01/02/2026-03:04:05] $*"; }
banner=""
[ -n "$NUMBER" ] && banner=" [TensorRT v$NUMBER]"
echo "$$ $*" >>"$here/trtexec.calls"
echo "&&&& RUNNING TensorRT.trtexec$banner # $0 $*"
help=$(cat "$here/trtexec.help")
fail() {
  line "[E] Engine set up failed" >&2
  echo "&&&& FAILED TensorRT.trtexec$banner # $0"
  exit 1
}
onnx= save= load= cache= times= warmup=200 duration=3 iterations=10 stop=
for word in "$@"; do
  name=${word%%=*}
  value=${word#*=}
  if [ "$name" = --help ]; then
    echo "$help"
    echo "&&&& PASSED TensorRT.trtexec$banner # $0 $*"
    exit 0
  fi
  case "$help" in
    *"  $name"*) ;;
    *)
      line "[E] Unknown option: $word" >&2
      fail
      ;;
  esac
  case "$name" in
    --onnx) onnx=$value ;;
    --saveEngine) save=$value ;;
    --loadEngine) load=$value ;;
    --timingCacheFile) cache=$value ;;
    --exportTimes) times=$value ;;
    --warmUp) warmup=$value ;;
    --duration) duration=$value ;;
    --iterations) iterations=$value ;;
    --buildOnly | --skipInference) stop=yes ;;
  esac
done
line "[I] === Device Information ==="
line "[I] Selected Device: $GPU"
line "[I] Compute Capability: 8.7"
line "[I]"
line "[I] TensorRT version: $VERSION"
if [ -n "$onnx" ]; then
  line "[I] Start parsing network model"
  if [ ! -f "$onnx" ] || [ "$FAIL" = build ]; then
    line "[E] [TRT] parsers/onnx/ModelImporter.cpp:961: While parsing node number 3 [$FAIL_OP -> \"y\"]:" >&2
    line "[E] Failed to parse onnx file" >&2
    fail
  fi
  line "[W] [TRT] onnx2trt_utils.cpp:375: Your ONNX model has been generated with INT64 weights, while TensorRT does not natively support INT64. Attempting to cast down to INT32." >&2
  [ "$FAIL" = memory ] && {
    line "[E] Error[2]: [virtualMemoryBuffer.cpp::resizePhysical::140] Error Code 2: OutOfMemory (no further information)" >&2
    fail
  }
  sleep "$BUILD_SECONDS"
  if [ -n "$cache" ]; then
    [ -f "$cache" ] && line "[I] Loaded $(cat "$cache") of timing cache from $cache"
    echo "timings of $VERSION" >>"$cache"
  fi
  line "[I] Engine built in 1.5 sec."
  line "[I] Created engine with size: 2.25 MiB"
  [ "$FAIL" = nothing ] || echo "engine $VERSION of $GPU for $*" >"$save"
  if [ -n "$stop" ]; then
    line "[I] Skipped inference phase since --buildOnly is added."
    echo "&&&& PASSED TensorRT.trtexec$banner # $0 $*"
    exit 0
  fi
fi
if [ -n "$load" ]; then
  read -r word found of rest <"$load"
  if [ "$word $found" != "engine $VERSION" ]; then
    line "[E] Error[1]: [stdArchiveReader.cpp::StdArchiveReader::42] Error Code 1: Serialization (Serialization assertion stdVersionRead == serializationVersion failed.Version tag does not match.)" >&2
    line "[E] Engine deserialization failed." >&2
    fail
  fi
  line "[I] [TRT] Loaded engine size: 2 MiB"
  line "[I] Engine loaded in 0.0625 sec."
fi
line "[I] Starting inference"
[ "$FAIL" = timing ] && {
  line "[E] Error[1]: [cudaDriverHelpers.cpp::operator()::51] Error Code 1: Cuda Driver (an illegal memory access was encountered)" >&2
  fail
}
# Every query takes PERIOD microseconds; the GPU computes for 3/4 of that, a little more in every third.
whole=${duration%%.*}
warm=$(((warmup * 1000 + PERIOD - 1) / PERIOD))
count=$((whole * 1000000 / PERIOD))
[ "$duration" = "$whole" ] || count=$((count + 500000 / PERIOD))
[ "$count" -lt "$iterations" ] && count=$iterations
micros=$(((warm + count) * PERIOD))
sleep "$((micros / 1000000)).$(printf %06d $((micros % 1000000)))"
if [ -n "$times" ]; then
  in=$((PERIOD / 16))
  out=$((PERIOD / 32))
  i=0
  [ "$LISTS_WARMUP" = yes ] || i=$warm
  separator=" "
  echo "[" >"$times"
  while [ "$i" -lt $((warm + count)) ]; do
    start=$((i * PERIOD))
    compute=$((PERIOD * 3 / 4 + PERIOD / 32 * (i % 3)))
    begin=$((start + in))
    end=$((begin + compute))
    done=$((end + out))
    latency=$((in + compute + out))
    printf '%s { "startEnqMs" : %d.%03d, "endEnqMs" : %d.%03d, "%s" : %d.%03d, "startComputeMs" : %d.%03d, "endComputeMs" : %d.%03d, "%s" : %d.%03d, "%s" : %d.%03d, "computeMs" : %d.%03d, "%s" : %d.%03d, "latencyMs" : %d.%03d }\n' "$separator" \
      $((start / 1000)) $((start % 1000)) $((begin / 1000)) $((begin % 1000)) "$IN" $((start / 1000)) $((start % 1000)) \
      $((begin / 1000)) $((begin % 1000)) $((end / 1000)) $((end % 1000)) "$OUT" $((done / 1000)) $((done % 1000)) \
      "$IN_LENGTH" $((in / 1000)) $((in % 1000)) $((compute / 1000)) $((compute % 1000)) \
      "$OUT_LENGTH" $((out / 1000)) $((out % 1000)) $((latency / 1000)) $((latency % 1000))
    separator=","
    i=$((i + 1))
  done >>"$times"
  echo "]" >>"$times"
fi
line "[I] Warmup completed $warm queries over $warmup ms"
line "[I] Timing trace has $count queries over $((micros / 1000000)).$(printf %03d $((micros / 1000 % 1000))) s"
line "[I]"
line "[I] === Performance summary ==="
line "[I] Throughput: $((1000000 / PERIOD)).5 qps"
line "[W] * GPU compute time is unstable, with coefficient of variance = 2.9%." >&2
line "[W]   If not already in use, locking GPU clock frequency or adding --useSpinWait may improve the stability." >&2
echo "&&&& PASSED TensorRT.trtexec$banner # $0 $*"
