#!/usr/bin/env bash
# Puts what the scenarios of this folder read beside them: the profile store, imported by the tangram
# command, and copies of the authors' deployment maps and of a recorded trace. Git ignores all of it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../prepare_arguments.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../prepare_arguments.sh"

usage() {
  cat <<'TEXT'
usage: scenarios/parvagpu/prepare.sh PATH_TO_PARVAGPU [PATH_TO_AZURE_TRACE]

  PATH_TO_PARVAGPU     a clone of the authors' repository (prof_data/*.csv,
                       deployment/SLOk/SLOk_ParvaGPU_deploy.csv), or a folder that keeps the same
                       files in profiles/ and deployments/
  PATH_TO_AZURE_TRACE  AzureLLMInferenceTrace_conv.csv of the Azure public dataset, or the folder
                       that holds it; only s2-azure.json reads it

The command is build/release/cli/tangram, or what the variable TANGRAM names.
TEXT
}

prepare_arguments 1 2 "$@"
trace_name=AzureLLMInferenceTrace_conv.csv

[[ -d $1 ]] || fail "$1 is not a folder"

# Everything is looked for before anything is written.
profiles=
for folder in "$1/prof_data" "$1/profiles"; do
  [[ -d $folder ]] && profiles=$folder && break
done
[[ -n $profiles ]] || fail "$1 has neither prof_data/ nor profiles/: is it ParvaGPU's repository?"

maps=()
for k in 1 2 3 4 5 6; do
  name=SLO${k}_ParvaGPU_deploy.csv
  for file in "$1/deployment/SLO$k/$name" "$1/deployments/$name"; do
    [[ -f $file ]] && maps+=("$file") && break
  done
  [[ ${#maps[@]} -eq $k ]] || fail "$1 has neither deployment/SLO$k/$name nor deployments/$name"
done

trace=${2-}
if [[ -n $trace ]]; then
  [[ -d $trace ]] && trace=$trace/$trace_name
  [[ -f $trace ]] || fail "there is no file $trace"
fi

"$tangram" profile import --from parvagpu "$profiles" --out "$here/a100-80gb.parvagpu.h5"
for file in "${maps[@]}"; do
  install -m 644 -- "$file" "$here/$(basename -- "$file")"
done
echo "${#maps[@]} deployment maps copied"
if [[ -n $trace ]]; then
  install -m 644 -- "$trace" "$here/$trace_name"
  echo "$trace_name copied"
else
  echo "no trace given: s2-azure.json cannot run yet"
fi
