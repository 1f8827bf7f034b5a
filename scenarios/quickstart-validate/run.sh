#!/usr/bin/env bash
# How far is the simulation from this machine? Measures models on one core, runs a training scenario
# and four others for real, in rounds, so that a machine whose speed drifts drifts under all of them
# alike; fits the overheads of batches on the training scenario's runs; and compares the others with
# simulations that use the fit. Needs the release build with its engine; takes about eight minutes;
# wants an otherwise idle machine.
#
#   scenarios/quickstart-validate/run.sh [OUT]        OUT: a new folder; default validate-out
#
# DURATION=20 (seconds of a run) and ROUNDS=3 are the defaults; ONLY=turns compares that one scenario
# (after measuring and training). MODELS_FOLDER names models that scripts/export_models.py wrote;
# without it they are exported into OUT (random weights, nothing is downloaded).
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$here/../.." && pwd)
out=${1:-validate-out}
duration=${DURATION:-20}
rounds=${ROUNDS:-3}
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

# Each scenario with the share of the time for which it keeps the core busy.
scenarios=(train:0.5)
for held_out in steady:0.45 bursty:0.4 heavy:0.65 turns:0.5; do
  [[ -n ${ONLY:-} && ${held_out%:*} != "$ONLY" ]] || scenarios+=("$held_out")
done

# validate NAME BUSY OUT OPTION...
validate() {
  local name=$1 busy=$2 validation=$3 set
  shift 3
  mapfile -t set < <(rates "$name" "$busy")
  "$tangram" validate "$name.json" --out "$validation" --set "/duration_s=$duration" "${set[@]}" "$@"
}

for ((round = 1; round <= rounds; ++round)); do
  for scenario in "${scenarios[@]}"; do
    name=${scenario%:*}
    echo "==> round $round of $rounds, $name: the core is busy for about ${scenario#*:} of the time"
    seed=$(sed -n 's/^ *"seed": \([0-9]*\),$/\1/p' "$name.json")
    validate "$name" "${scenario#*:}" "$name.$round.h5" --backend cpu --models "$folder" \
      --seed $((seed + round)) >"$name.$round.txt"
  done
done

echo "==> calibrate: the overhead of each model's batches, fitted on train"
"$tangram" calibrate train.*.h5 --out calibrated.h5 | tee calibrate.txt

# The same real runs beside simulations that know the overheads; their policies believe what those of
# the real runs believed.
for scenario in "${scenarios[@]}"; do
  name=${scenario%:*} real=()
  for file in "$name".*.h5; do real+=(--real "$file"); done
  echo "==> compare $name"
  validate "$name" "${scenario#*:}" "$name.h5" "${real[@]}" --report "$name.html" \
    --set '/profiles/0="calibrated.h5"' --set '/beliefs=["cpu.h5"]' | tee "$name.txt"
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
  echo "execution beyond the measured profile in each round, ms a batch: where a row differs in itself by more"
  echo "than a few percent of a batch, the machine changed its speed, and the errors above are its own"
  for scenario in "${scenarios[@]}"; do
    printf '%-10s' "${scenario%:*}"
    sed -n 's/^overhead.* \([-+][0-9.e+-]*\) ms beyond the profile.*/\1/p' "${scenario%:*}".[0-9]*.txt | awk '{ printf " %9.3f", $1 } END { print "" }'
  done
} | tee summary.txt
