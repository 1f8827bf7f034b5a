#!/usr/bin/env bash
# From a fresh machine to a first result: installs what is missing, builds, simulates one scenario and
# draws its latencies. Leaves the command at build/release/cli/tangram, the rest in build/demo/.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/steps.sh"

step "install the packages that are missing" scripts/install_dependencies.sh
step "configure build/release" cmake --preset release
step "build the command" cmake --build --preset release --target tangram
step "simulate scenarios/quickstart/two-models.json" \
  build/release/cli/tangram run scenarios/quickstart/two-models.json

# The same run again, kept for the figure; the table above needs no file.
draw() {
  mkdir -p build/demo
  build/release/cli/tangram run scenarios/quickstart/two-models.json --out build/demo/two-models.h5
  build/release/cli/tangram plot build/demo/two-models.h5 --figure latency_ccdf \
    --out build/demo/two-models.pdf
  build/release/cli/tangram report build/demo/two-models.h5 --out build/demo/two-models.html
  echo "figure: build/demo/two-models.pdf    report: build/demo/two-models.html"
}
step "draw the tail of its latencies" draw
