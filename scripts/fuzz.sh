#!/usr/bin/env bash
# Builds the libFuzzer targets and runs each for FUZZ_SECONDS (default 20), one per processor at a
# time. Input that was found interesting stays in build/fuzz/corpus, input that failed in
# build/fuzz/failures; a failing target's log is printed. Arguments select targets (default: all).
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

cmake --preset fuzz
cmake --build --preset fuzz

programs=build/fuzz/tests/fuzz
mkdir -p build/fuzz/{corpus,failures,logs}

fuzz_one() {
  local name=$1 log=build/fuzz/logs/$1.log options=() corpora=("build/fuzz/corpus/$1")
  # One dictionary serves the targets of one format: profile_csv_parvagpu -> profile_csv.dict.
  for dictionary in tests/fuzz/*.dict; do
    [[ $name == "$(basename "$dictionary" .dict)"* ]] && options+=("-dict=$dictionary")
  done
  mkdir -p "${corpora[0]}"
  # libFuzzer writes to the first folder and only reads the others.
  for seeds in {tests/fuzz,"$programs"}"/corpus/$name"; do
    [[ -d $seeds ]] && corpora+=("$seeds")
  done
  if "$programs/${name}_fuzz" -max_total_time="${FUZZ_SECONDS:-20}" -timeout=10 -rss_limit_mb=2048 \
    -max_len=16384 -print_final_stats=1 -artifact_prefix="build/fuzz/failures/$name-" \
    "${options[@]}" "${corpora[@]}" >"$log" 2>&1; then
    printf '  %-22s %9d runs, no failure\n' "$name" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    printf '  %-22s FAILED, see %s:\n' "$name" "$log"
    tail -n 60 "$log"
    return 1
  fi
}
export -f fuzz_one
export programs

if [[ $# -gt 0 ]]; then
  names=("$@")
else
  names=()
  for program in "$programs"/*_fuzz; do
    names+=("$(basename "$program" _fuzz)")
  done
fi
printf '%s\0' "${names[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'fuzz_one "$1"' fuzz_one
