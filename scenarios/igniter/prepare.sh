#!/usr/bin/env bash
# Imports iGniter's V100 measurements and coefficients: beside this script it leaves v100.igniter.h5,
# which the scenarios of this folder read. Git ignores it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../prepare_arguments.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../prepare_arguments.sh"

usage() {
  cat <<'TEXT'
usage: scenarios/igniter/prepare.sh FOLDER

  FOLDER  holds coefficients*.json and, where they are known, *solo.csv and *colocations.csv
          (docs/reference/profile.md, importer igniter)

The command is build/release/cli/tangram, or what the variable TANGRAM names.
TEXT
}

prepare_arguments 1 1 "$@"

"$tangram" profile import --from igniter "$1" --out "$here/v100.igniter.h5"
