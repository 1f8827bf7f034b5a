#!/usr/bin/env bash
# Imports iGniter's V100 measurements and calibrates them: beside this script it leaves v100.h5, the
# calibrated v100.calibrated.h5 that v100.json reads, and the report v100.txt. Git ignores all of it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../prepare_arguments.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../prepare_arguments.sh"

usage() {
  cat <<'TEXT'
usage: scenarios/interference/prepare.sh FOLDER

  FOLDER  holds *solo.csv, *colocations.csv and, for kernel counts, coefficients*.json
          (docs/guide/calibrate.md lists their columns)

The command is build/release/cli/tangram, or what the variable TANGRAM names.
TEXT
}

prepare_arguments 1 1 "$@"

"$tangram" profile import --from igniter "$1" --out "$here/v100.h5"
"$tangram" calibrate "$here/v100.h5" --out "$here/v100.calibrated.h5" --report "$here/v100.txt"
