#!/usr/bin/env bash
# Imports gpulet's tables: beside this script it leaves 2080ti.gpulet.h5, which the scenarios of this
# folder read. Git ignores it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../prepare_arguments.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../prepare_arguments.sh"

usage() {
  cat <<'TEXT'
usage: scenarios/gpulet/prepare.sh FOLDER

  FOLDER  holds latency*.csv (model,percent,batch,ms), and beside it UTIL.CSV, 3_224_224.txt and
          3_300_300.txt of the authors' repository (README.md here says where each comes from)

The command is build/release/cli/tangram, or what the variable TANGRAM names.
TEXT
}

prepare_arguments 1 1 "$@"
for name in UTIL.CSV 3_224_224.txt 3_300_300.txt; do
  [[ -f $1/$name ]] || fail "$1 has no $name"
done

"$tangram" profile import --from gpulet "$1" --out "$here/2080ti.gpulet.h5"
