#!/usr/bin/env bash
# One shard of a sweep per task of a Slurm job array; the last task to finish merges them.
#   sbatch --array=0-7 [--cpus-per-task=8] scripts/slurm-sweep.sh SWEEP.json OUT_FOLDER
# Leaves OUT_FOLDER/sweep.h5. A task that was killed goes on where it stood when submitted again.
set -euo pipefail
if [[ $# -ne 2 || -z ${SLURM_ARRAY_TASK_ID-} || -z ${SLURM_ARRAY_TASK_COUNT-} ]]; then
  sed -n '2,4s/^# //p' "$0" >&2
  echo "(submit it as a job array that begins at 0)" >&2
  exit 2
fi
sweep=$1 out=$2
# Slurm runs a copy of this script: the command is found from the folder of submission or in PATH.
tangram=${TANGRAM:-${SLURM_SUBMIT_DIR:-.}/build/release/cli/tangram}
[[ -x $tangram ]] || tangram=$(command -v tangram)

mkdir -p -- "$out"
shard=$out/shard-$SLURM_ARRAY_TASK_ID.h5
resume=()
[[ -e $shard.journal ]] && resume=(--resume)
if [[ ! -e $shard ]]; then
  "$tangram" sweep "$sweep" --out "$shard" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
    --jobs "${SLURM_CPUS_PER_TASK:-1}" "${resume[@]}"
fi

# Whoever finds all shards there merges them; two who do so write the same bytes.
shards=()
for ((i = 0; i < SLURM_ARRAY_TASK_COUNT; ++i)); do
  [[ -e $out/shard-$i.h5 ]] || exit 0
  shards+=("$out/shard-$i.h5")
done
"$tangram" merge "${shards[@]}" --out "$out/sweep.h5"
