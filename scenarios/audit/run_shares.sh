#!/usr/bin/env bash
# The audit of planners of MPS shares, the second part of docs/model/audit.md:
#   scenarios/audit/run_shares.sh IGNITERS_FILES GPULETS_FILES --out FOLDER [--quick] [--jobs N]
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH=$here/../../plots:$here/..${PYTHONPATH:+:$PYTHONPATH}
exec "${TANGRAM_PYTHON:-/usr/bin/python3}" "$here/shares.py" "$@"
