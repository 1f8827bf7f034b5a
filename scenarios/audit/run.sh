#!/usr/bin/env bash
# The audit of docs/model/audit.md, from profiles and plans to tables and figure, in one command:
#   scenarios/audit/run.sh PATH_TO_PARVAGPU --out FOLDER [--quick] [--jobs N]
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH=$here/../../plots:$here/..${PYTHONPATH:+:$PYTHONPATH}
exec "${TANGRAM_PYTHON:-/usr/bin/python3}" "$here/audit.py" "$@"
