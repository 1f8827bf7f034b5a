#!/usr/bin/env bash
# The study of docs/model/majula.md, from plans to tables and figure, in one command:
#   scenarios/majula/run.sh --out FOLDER [--quick] [--jobs N]
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH=$here/../../plots:$here/..${PYTHONPATH:+:$PYTHONPATH}
exec "${TANGRAM_PYTHON:-/usr/bin/python3}" "$here/majula.py" "$@"
