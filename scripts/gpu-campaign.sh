#!/usr/bin/env bash
# Everything that Tangram wants to know of a GPU, without a network, in steps that are each bounded in
# time: build, probe, tests, solo profiles, interference, block-model constants, validation. Results
# go into one folder; a step that is done is not done again, so that the script is called until it
# says that nothing is left.
#   scripts/gpu-campaign.sh [--results DIR] [--backend NAME] [--budget SECONDS] [--only STEP,...]
#                           [--skip STEP,...] [--retry] [--list]
#   --results DIR     default: campaign-results beside the sources
#   --backend NAME    cuda-green (default); cpu rehearses the whole campaign without a GPU
#   --budget SECONDS  no step begins that could end later than this; default 460
#   --only, --skip    steps by name, as --list prints them
#   --retry           also steps that failed before
# Never changes clocks, MIG layouts or compute modes. Exit code 0: nothing is left; 1: call it again;
# 2: wrong arguments; 3: nothing is left, and some steps failed (DIR/summary.txt says which).
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

results=$here/campaign-results backend=cuda-green budget=460 only="" skip="" retry=0 list=0
usage_error() {
  echo "error: $1; see scripts/gpu-campaign.sh --help" >&2
  exit 2
}
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "$0" | sed '$d'
      exit 0
      ;;
    --results | --backend | --budget | --only | --skip)
      [[ $# -ge 2 ]] || usage_error "$1 needs a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2
      ;;
    --retry | --list)
      printf -v "${1#--}" 1
      shift
      ;;
    *) usage_error "unknown argument $1" ;;
  esac
done
[[ $budget =~ ^[0-9]+$ ]] || usage_error "--budget takes whole seconds, not $budget"
[[ $backend == cpu || $backend == cuda-* ]] || usage_error "--backend is cpu or cuda-..., not $backend"

mkdir -p -- "$results/state" "$results/logs"
results=$(cd -- "$results" && pwd)
build=$results/build
export PATH=$build/cli:$build/engine:$build/engine/cuda:$PATH
export PYTHONUNBUFFERED=1
python=$(command -v python3)
[[ $backend == cpu && -x /usr/bin/python3 ]] && python=/usr/bin/python3

# --- What is measured. The rehearsal takes few of everything. -------------------------------------
if [[ $backend == cpu ]]; then
  gpu_type=cpu
  model_list=(mlp_small mobilenet_v2)
  batches=1,2,4
  counted_batches=1
  shares=(--shares 100,50)
  sample=(--repetitions 10 --min-time 0.1)
  pair_sample=(--repetitions 8 --min-time 0.05)
  duration=6
else
  gpu_type=h200
  model_list=(resnet18 resnet50 mobilenet_v2 googlenet densenet121 vgg16 mlp_large transformer_small)
  batches=1,2,4,8,16,32
  counted_batches=1,8,32
  shares=(--shares 100 --sms 16,32,48,64,96,128)
  sample=(--repetitions 30 --min-time 0.1)
  pair_sample=(--repetitions 20 --min-time 0.1)
  duration=15
fi
models=$results/models
profile=$results/$gpu_type.measured.h5
calibrated=$results/$gpu_type.calibrated.h5
fitted=$results/$gpu_type.fitted.h5

# --- Steps, the most valuable first: NAME:LIMIT_S, and a function of that name. --------------------
steps=(
  build:420 export_models:180 probe:60 gpu_tests:120 solo:450 repeat:120 pairs:300 held_out:150
  hogs:150 counters:150 block_constants:120 calibrate:60 train:60
  steady:60 bursty:60 shared:60 batching:60 overload:60 deadlines:60)

build() {
  local options=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O3 -DTANGRAM_BENCH=OFF) torch
  torch=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null || true)
  [[ -d $here/../deps ]] && options+=(-DTANGRAM_BUNDLE="$(cd -- "$here/../deps" && pwd)")
  # A distribution's LibTorch is found without a hint.
  [[ -z $torch || $backend == cpu ]] || options+=(-DCMAKE_PREFIX_PATH="$torch" -DTANGRAM_TORCH=ON)
  local targets=(tangram tangram-engine tangram-worker) jobs
  jobs=$(nproc)
  if [[ $backend == cpu ]]; then
    options+=(-DTANGRAM_TESTS=OFF)
  else
    options+=(-DTANGRAM_CUDA=ON)
    targets+=(tangram-gpu-bench tangram_gpu_test)
  fi
  # Without LibTorch the campaign goes on with the runners that need none, also where the one that
  # is there cannot be used: CMake stops when its CUDA is not the toolkit's, or has no compiler.
  local configure=(cmake -G Ninja -S "$here" -B "$build")
  "${configure[@]}" "${options[@]}" || {
    [[ " ${options[*]} " == *" -DTANGRAM_TORCH=ON "* ]] || return
    echo "once more without LibTorch"
    "${configure[@]}" "${options[@]}" -DTANGRAM_TORCH=OFF || return
  }
  cmake --build "$build" --parallel "$jobs" --target "${targets[@]}" || return
  if cmake --build "$build" --target help | grep -q '^tangram-worker-torch:'; then
    cmake --build "$build" --parallel "$jobs" --target tangram-worker-torch
  else
    echo "no LibTorch: runner torch is left out"
  fi
}
# The runner and its models: Torch where it was built, else the engine's own.
has_torch() { [[ -x $build/engine/tangram-worker-torch || -x $build/engine/torch/tangram-worker-torch ]]; }
runner_options=()
choose_runner() {
  if has_torch; then
    runner_options=(--runner torch)
    measure_models=(--models-folder "$models")
    run_models=(--models "$models")
    return
  fi
  measure_models=() run_models=()
  if [[ $backend == cpu ]]; then
    runner_options=(--runner native)
    model_list=(mlp-1024-4 mlp-1536-4)
  else
    runner_options=(--runner kernels)
    model_list=(spin:grid=66,block=256,us=200,count=8 spin:grid=264,block=256,us=50,count=20
      fma:grid=264,block=256,iterations=20000,count=4 dram:grid=264,block=512,mib=512,passes=1)
  fi
}
# each OPTION VALUE...: the option before each value. A synthetic kernel's name has commas of its own.
each() {
  local option=$1 value
  shift
  options=()
  for value in "$@"; do options+=("$option" "$value"); done
}
measure() { # OUT OPTION...
  local out=$1
  shift
  choose_runner
  tangram profile measure --backend "$backend" "${runner_options[@]}" "${measure_models[@]}" \
    --gpu "$gpu_type" --out "$out" "$@"
}

export_models() {
  if has_torch; then
    "$python" "$here/scripts/export_models.py" --out "$models" "${model_list[@]}"
  else
    echo "no LibTorch: nothing to export"
  fi
}
probe() { tangram-engine probe >"$results/probe.json" && cat "$results/probe.json"; }
gpu_tests() {
  if [[ $backend == cpu ]]; then
    echo "the rehearsal has no GPU to test"
  else
    ctest --test-dir "$build" --label-regex '^gpu$' --no-tests=error --output-on-failure
  fi
}
solo() {
  choose_runner
  each --model "${model_list[@]}"
  measure "$profile" "${options[@]}" --batches "$batches" "${shares[@]}" "${sample[@]}"
}

# Interference. The pairs of the first N models, each with each.
pairs_of() { # N
  local i j
  pair_list=()
  for ((i = 0; i < $1 && i < ${#model_list[@]}; ++i)); do
    for ((j = i + 1; j < $1 && j < ${#model_list[@]}; ++j)); do
      pair_list+=("${model_list[i]}+${model_list[j]}")
    done
  done
}
co_runs() { # OUT N OPTION...
  local out=$1 n=$2 options models_of pairs
  shift 2
  choose_runner
  each --model "${model_list[@]:0:n}"
  models_of=("${options[@]}")
  pairs_of "$n"
  each --pair "${pair_list[@]}"
  pairs=("${options[@]}")
  measure "$out" "${models_of[@]}" "${pairs[@]}" "${pair_sample[@]}" "$@"
}
# A: is a pair the same in fresh processes? Three pairs, two cuts, five times.
repeat() {
  local round
  for round in 1 2 3 4 5; do
    [[ -e $results/repeat-$round.h5 ]] ||
      co_runs "$results/repeat-$round.h5" 3 --batches 8 --shares 50 --pair-shares 20/80,50/50 ||
      return
  done
}
# C: every pair of six models, three cuts, two settings of the batches.
pairs() {
  co_runs "$results/pairs.h5" 6 --batches 4,32 --shares 20,50,80 --pair-shares 20/80,50/50,80/20 \
    --pair-batches 4/32,32/4
}
# D: what no fit sees: the same pairs at other batches and cuts, fixed here before any was measured.
held_out() {
  co_runs "$results/held-out.h5" 6 --batches 8,16 --shares 30,40,60,70 --pair-shares 40/60,70/30 \
    --pair-batches 8/16
}
# B: what kind of neighbour slows whom. Equal bytes per second by short and by long kernels tell
# kernel length from bandwidth; fma beside spin tells power and clocks.
hogs() {
  local list options models_of victim hog beside=()
  if [[ $backend == cpu ]]; then
    list=(mlp-512-3 stream-64)
    runner_options=(--runner native)
  else
    list=(spin:grid=66,block=256,us=200,count=8 spin:grid=264,block=64,us=20,count=80
      fma:grid=264,block=256,iterations=20000,count=4 l2:grid=264,block=512,mib=16,passes=20
      dram:grid=264,block=512,mib=64,passes=1,count=32 dram:grid=264,block=512,mib=2048,passes=1)
    runner_options=(--runner kernels)
  fi
  for victim in "${list[@]:0:2}"; do
    for hog in "${list[@]:1}"; do
      [[ $victim == "$hog" ]] || beside+=("$victim+$hog")
    done
  done
  each --model "${list[@]}"
  models_of=("${options[@]}")
  each --pair "${beside[@]}"
  [[ -e $results/hogs.h5 ]] ||
    tangram profile measure --backend "$backend" "${runner_options[@]}" --gpu "$gpu_type" \
      --out "$results/hogs.h5" --batches 1 --shares 50 --pair-shares 20/80,50/50 \
      "${pair_sample[@]}" "${models_of[@]}" "${options[@]}" || return
  hogs_beside_models
}
# The same neighbours beside networks: two runners, which takes a process for each partition.
hogs_beside_models() {
  local hog=dram:grid=264,block=512,mib=512,passes=1 model beside=()
  [[ $backend == cpu ]] && hog=stream-64
  choose_runner
  if ! has_torch || [[ $backend == cuda-green || $backend == cuda-streams ]]; then
    echo "no hogs beside networks: $backend, runner ${runner_options[1]}"
    return
  fi
  for model in "${model_list[@]:0:2}"; do beside+=(--pair "$model+$hog"); done
  each --model "${model_list[@]:0:2}"
  measure "$results/hogs-beside-models.h5" "${options[@]}" --hog "$hog" "${beside[@]}" --batches 1,4 \
    --shares 50 --pair-shares 50/50 "${pair_sample[@]}"
}
# DRAM use and SM occupancy of each model on the whole device: the device renews its counters ten
# times a second, so that a visit has to last longer than those of solo.
counters() {
  choose_runner
  each --model "${model_list[@]}"
  measure "$results/counters.h5" "${options[@]}" --batches "$counted_batches" --shares 100 --repetitions 10 \
    --min-time 0.6
}
block_constants() {
  if [[ $backend == cpu ]]; then
    echo "the rehearsal has no GPU whose blocks could be timed"
    return
  fi
  local queues
  for queues in 8 32; do
    tangram-gpu-bench constants --connections "$queues" --out "$results/block-constants-$queues.json" ||
      return
  done
}
calibrate() {
  tangram calibrate "$profile" "$results/pairs.h5" --out "$calibrated" \
    --report "$results/calibration.txt" && cat "$results/calibration.txt"
}

# --- Validation: the same plan and the same arrivals in both worlds. --------------------------------
# latency MODEL SHARE: measured mean of batch 1, ms, out of the table that solo printed.
latency() {
  awk -v start="$1, $2, 1 " 'index($0, start) == 1 { split(substr($0, length(start)), v, " "); print v[1]; exit }' \
    "$results/logs/solo.log"
}
# scenario NAME BUSY ARRIVALS DISPATCHER [SHARE]: two models at rates that keep the device, or each
# its part, busy for that share of the time. ARRIVALS has RATE where the rate stands. With a SHARE
# ("64 SMs", "50 %") each model has a part of its own, else all is one whole device.
scenario() {
  local name=$1 busy=$2 arrivals=$3 dispatcher=$4 share=${5-whole} part=2 planner='{"name": "exclusive"}'
  local workloads=() replicas=() model ms rate key
  [[ $share == whole ]] || part=1
  for model in "${model_list[@]:0:2}"; do
    ms=$(latency "$model" "$share")
    [[ -n $ms ]] || {
      echo "no measured latency of $model on $share" >&2
      return 1
    }
    rate=$(awk -v b="$busy" -v n="$part" -v ms="$ms" 'BEGIN { printf "%.5g", b / n / ms * 1000 }')
    workloads+=("{\"model\": \"$model\", \"slo_ms\": $(awk -v ms="$ms" 'BEGIN { printf "%.4g", 8 * ms }'),
      \"arrivals\": ${arrivals/RATE/$rate}}")
    key=sms
    [[ $share == *%* ]] && key=share_pct
    replicas+=("{\"$key\": ${share%% *}, \"replicas\": [{\"workload\": \"$model\", \"model\": \"$model\"}]}")
  done
  if [[ $share != whole ]]; then
    local mode=sm
    [[ $backend == cpu ]] && mode=cpu
    printf '{"schema": 1, "planner": "by hand", "gpus": [{"index": 0, "type": "%s", "mode": "%s",
      "partitions": [%s, %s]}]}\n' "$gpu_type" "$mode" "${replicas[@]}" >"$results/$name.plan.json"
    planner="{\"plan\": \"$name.plan.json\"}"
  fi
  printf '{"schema": 1, "name": "%s", "seed": %d, "duration_s": %s, "warmup_s": 1,
    "profiles": ["%s"], "cluster": {"gpus": [{"type": "%s"}]}, "workloads": [%s, %s],
    "planner": %s, "dispatcher": %s}\n' "$name" "$((${#name} * 101 + part))" "$duration" \
    "$(basename "$(best_profile)")" "$gpu_type" "${workloads[@]}" "$planner" "$dispatcher" \
    >"$results/$name.json"
}
best_profile() {
  local file
  for file in "$fitted" "$calibrated" "$profile"; do
    [[ ! -e $file ]] || break
  done
  echo "$file"
}
validated() { # NAME
  tangram validate "$results/$1.json" --backend "$backend" "${runner_options[@]}" "${run_models[@]}" \
    --out "$results/$1.h5" --report "$results/$1.html" | tee "$results/$1.txt"
  return "${PIPESTATUS[0]}"
}
validate_on() { # as scenario
  choose_runner
  scenario "$@" && validated "$1"
}
poisson='{"process": "poisson", "rate_rps": RATE}'
lognormal='{"process": "lognormal", "rate_rps": RATE, "sigma": 1.5}'
parts="64 SMs"
[[ $backend == cpu ]] && parts="50 %"
# The overheads of the models come from this scenario alone; the others have not been seen.
train() {
  rm -f "$fitted"
  validate_on train 0.5 "$poisson" '{"name": "eager", "params": {"max_batch": 4}}' &&
    tangram calibrate "$(best_profile)" "$results/train.h5" --out "$fitted" >"$results/overheads.txt" &&
    cat "$results/overheads.txt"
}
steady() { validate_on steady 0.45 "$poisson" '{"name": "fifo"}'; }
bursty() { validate_on bursty 0.35 "$lognormal" '{"name": "edf"}'; }
shared() { validate_on shared 0.5 "$poisson" '{"name": "eager", "params": {"max_batch": 4}}' "$parts"; }
batching() { validate_on batching 0.65 "$poisson" '{"name": "tf_serving", "params": {"max_batch": 4, "timeout_ms": 5}}'; }
overload() { validate_on overload 1.1 "$poisson" '{"name": "edf", "params": {"drop": true}}'; }
deadlines() { validate_on deadlines 0.6 "$lognormal" '{"name": "triton", "params": {"max_batch": 4, "max_queue_delay_ms": 5}}'; }

# --- The run ----------------------------------------------------------------------------------------
if ((list)); then
  printf '%s\n' "${steps[@]%%:*}"
  exit 0
fi
chosen() {
  [[ -z $only || ,$only, == *,$1,* ]] && [[ ,$skip, != *,$1,* ]]
}
for name in ${only//,/ } ${skip//,/ }; do
  [[ " ${steps[*]%%:*} " == *" $name "* ]] || usage_error "no step $name (--list)"
done

# The functions above run in a process of their own, under a limit of time.
if [[ -n ${TANGRAM_CAMPAIGN_STEP-} ]]; then
  set +e
  "$TANGRAM_CAMPAIGN_STEP"
  exit
fi

summary() {
  {
    echo "campaign on $backend, commit $(cat "$here/COMMIT" 2>/dev/null ||
      git -C "$here" describe --always --abbrev=12 --exclude='*' --dirty 2>/dev/null || echo unknown)"
    local step name
    for step in "${steps[@]}"; do
      name=${step%%:*}
      if [[ -e $results/state/$name.done ]]; then
        printf '%-18s done      %s s\n' "$name" "$(cat "$results/state/$name.done")"
      elif [[ -e $results/state/$name.failed ]]; then
        printf '%-18s FAILED    %s (logs/%s.log)\n' "$name" "$(cat "$results/state/$name.failed")" "$name"
      else
        printf '%-18s not run\n' "$name"
      fi
    done
    for name in train steady bursty shared batching overload deadlines; do
      [[ -e $results/state/$name.done ]] || continue
      echo
      cat "$results/$name.txt"
    done
  } >"$results/summary.txt.part"
  mv "$results/summary.txt.part" "$results/summary.txt"
}

began=$SECONDS left=0 failed=0
for step in "${steps[@]}"; do
  name=${step%%:*} limit=${step##*:}
  chosen "$name" || continue
  [[ -e $results/state/$name.done ]] && continue
  if [[ -e $results/state/$name.failed ]] && ((!retry)); then
    failed=1
    continue
  fi
  if ((SECONDS - began + limit > budget && SECONDS > began + 5)); then
    left=1
    break
  fi
  echo "==> $name (at most $limit s)"
  step_began=$SECONDS status=0
  rm -f "$results/state/$name.failed"
  arguments=(--results "$results" --backend "$backend")
  TANGRAM_CAMPAIGN_STEP=$name timeout --kill-after=10 "$limit" bash "$0" "${arguments[@]}" \
    >"$results/logs/$name.log" 2>&1 || status=$?
  if ((status == 0)); then
    echo $((SECONDS - step_began)) >"$results/state/$name.done"
    echo "    done in $((SECONDS - step_began)) s"
  else
    echo "exit code $status after $((SECONDS - step_began)) s" >"$results/state/$name.failed"
    echo "    FAILED with exit code $status; the end of $results/logs/$name.log:"
    tail -n 12 "$results/logs/$name.log" | sed 's/^/    /'
    failed=1
    # Nothing can be done without the programs; what was compiled when the time was over is kept.
    if [[ $name == build ]]; then
      ((status == 124)) && rm "$results/state/build.failed" && left=1
      break
    fi
  fi
  summary
done
summary
if ((left)); then
  echo "==> not all is done: call it again"
  exit 1
fi
((failed)) && exit 3
echo "==> nothing is left; see $results/summary.txt"
