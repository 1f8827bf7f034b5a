#!/usr/bin/env bash
# Imports iGniter's V100 measurements and calibrates them: beside this script it leaves v100.h5, the
# calibrated v100.calibrated.h5 that v100.json reads, and the report v100.txt. Git ignores all of it.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scenarios/interference/prepare.sh FOLDER

  FOLDER  holds *solo.csv, *colocations.csv and, for kernel counts, coefficients*.json
          (docs/guide/calibrate.md lists their columns)

The command is build/release/cli/tangram, or what the variable TANGRAM names.
TEXT
}

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

case "${1-}" in
  -h | --help)
    usage
    exit 0
    ;;
esac
if [[ $# -ne 1 ]]; then
  usage >&2
  exit 2
fi

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tangram=${TANGRAM:-$here/../../build/release/cli/tangram}
command -v -- "$tangram" >/dev/null ||
  fail "no command at $tangram: build it with scripts/demo.sh, or name it in the variable TANGRAM"

"$tangram" profile import --from igniter "$1" --out "$here/v100.h5"
"$tangram" calibrate "$here/v100.h5" --out "$here/v100.calibrated.h5" --report "$here/v100.txt"
