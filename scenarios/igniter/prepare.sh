#!/usr/bin/env bash
# Imports iGniter's V100 measurements and coefficients: beside this script it leaves v100.igniter.h5,
# which the scenarios of this folder read. Git ignores it.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scenarios/igniter/prepare.sh FOLDER

  FOLDER  holds coefficients*.json and, where they are known, *solo.csv and *colocations.csv
          (docs/reference/profile.md, importer igniter)

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

"$tangram" profile import --from igniter "$1" --out "$here/v100.igniter.h5"
