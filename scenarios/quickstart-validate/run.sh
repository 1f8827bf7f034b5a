#!/usr/bin/env bash
# How far is the simulation from this machine? Measures models on one core, fits the overheads of
# batches on a training scenario, and compares on scenarios that the fit has not seen. Needs the
# release build with its engine; takes about seven minutes; wants an otherwise idle machine.
#
#   scenarios/quickstart-validate/run.sh [OUT]        OUT: a new folder; default validate-out
#
# DURATION=20 shortens every run; ONLY=turns runs that one comparison (after measuring and training).
# MODELS_FOLDER names models that scripts/export_models.py wrote;
# without it they are exported into OUT (random weights, nothing is downloaded).
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
out=${1:-validate-out}
duration=${DURATION:-60}
tangram=$root/build/release/cli/tangram
models=(mobilenet_v2 transformer_small resnet18)

[[ -x $tangram && -x $root/build/release/engine/tangram-worker-torch ]] || {
  echo "needs build/release with tangram, tangram-engine and tangram-worker-torch" >&2
  exit 2
}
folder=${MODELS_FOLDER:+$(realpath -- "$MODELS_FOLDER")}
mkdir -- "$out"
cp -- "$here"/*.json "$out"
cd -- "$out"
folder=${folder:-$PWD/models}
read -r load _ </proc/loadavg
awk -v load="$load" 'BEGIN { exit load < 0.5 }' &&
  echo "note: the machine is busy (load $load): the figures will not be about the simulation" >&2
[[ -n ${MODELS_FOLDER:-} ]] || /usr/bin/python3 "$root/scripts/export_models.py" --out models "${models[@]}"

names=$(IFS=,; echo "${models[*]}")
echo "==> measure $names on one core"
"$tangram" profile measure --backend cpu --models "$names" --models-folder "$folder" \
  --batches 1,2,4 --repetitions 50 --min-time 3 --out cpu.h5 | tee measure.txt

# rates NAME BUSY: those that keep the core busy for a given share of the time, the same share for
# each model of the scenario.
rates() {
  local i own
  mapfile -t own < <(sed -n 's/.*{"model": "\([^"]*\)".*/\1/p' "$1.json")
  for i in "${!own[@]}"; do
    awk -v model="${own[$i]}," -v busy="$2" -v n="${#own[@]}" -v i="$i" \
      '$1 == model && $3 == 1 { printf "--set\n/workloads/%d/arrivals/rate_rps=%.4g\n", i, busy / n / $4 * 1000 }' \
      measure.txt
  done
}

# validate NAME BUSY [OPTION...]
validate() {
  local name=$1 busy=$2 set
  shift 2
  mapfile -t set < <(rates "$name" "$busy")
  echo "==> $name: the core is busy for about $busy of the time"
  "$tangram" validate "$name.json" --backend cpu --models "$folder" --out "$name.h5" \
    --report "$name.html" --set "/duration_s=$duration" "${set[@]}" "$@" | tee "$name.txt"
}

validate train 0.5
echo "==> calibrate: the overhead of each model's batches, fitted on train"
"$tangram" calibrate train.h5 --out calibrated.h5 | tee calibrate.txt
for held_out in "steady 0.45" "bursty 0.4" "heavy 0.65" "turns 0.5"; do
  [[ -z ${ONLY:-} || ${held_out% *} == "$ONLY" ]] || continue
  # shellcheck disable=SC2086
  validate $held_out --set '/profiles/0="calibrated.h5"'
done

{
  "$tangram" version
  echo "$(date -u '+%Y-%m-%d %H:%M UTC'); $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "$(nproc) cores, $(uname -sr), load $load before"
  echo "errors of the simulation, (simulated - real) / real; profiles calibrated on train"
  printf '%-10s %-20s %10s %10s %10s %10s %10s\n' scenario model throughput mean p50 p95 p99
  for name in train steady bursty heavy turns; do
    [[ -e $name.txt ]] || continue
    awk -v scenario="$name" '
      / real / { model = $1; sub(/,$/, "", model) }
      $1 == "error" { printf "%-10s %-20s %8s %% %8s %% %8s %% %8s %% %8s %%\n",
                      scenario, model, $4, $8, $10, $12, $14 }' "$name.txt"
  done
} | tee summary.txt
