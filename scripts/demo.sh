#!/usr/bin/env bash
# From a fresh machine to a first result: installs what is missing, builds, simulates one scenario.
# Leaves the command at build/release/cli/tangram.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/steps.sh"

step "install the packages that are missing" scripts/install_dependencies.sh
step "configure build/release" cmake --preset release
step "build the command" cmake --build --preset release --target tangram
step "simulate scenarios/quickstart/two-models.json" \
  build/release/cli/tangram run scenarios/quickstart/two-models.json
