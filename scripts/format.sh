#!/usr/bin/env bash
# Formats every C++ file of the project; with --check, fails instead when a file would change.
# Formatting differs between versions of clang-format: version 14 is the one that counts.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

mode=(-i)
[[ ${1-} == --check ]] && mode=(--dry-run --Werror)

find . \( -path ./build -o -path ./.git \) -prune -o -type f \( -name '*.h' -o -name '*.cpp' \) -print0 |
  xargs -0 -r clang-format-14 --style=file "${mode[@]}"
