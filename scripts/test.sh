#!/usr/bin/env bash
# Every check of the project, from a fresh machine: installs what is missing, then the quick checks,
# the sanitizer builds, the fuzzers (FUZZ_SECONDS each, default 20), and last the tests of the release
# build, whose summary ends the output. The first failure ends the script.
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/steps.sh"
jobs=$(nproc)

# ThreadSanitizer of older compilers needs a memory layout that kernels with more address-space
# randomisation rarely give; where it is permitted, its tests run without randomisation.
fixed_layout=()
if setarch "$(uname -m)" -R true 2>/dev/null; then
  fixed_layout=(setarch "$(uname -m)" -R)
fi

step "install the packages that are missing" scripts/install_dependencies.sh --tests
step "check the format" scripts/format.sh --check
step "report the sizes of the sources" /usr/bin/python3 tests/layout/report_sizes.py .

step "configure build/release" cmake --preset release
step "build the release" cmake --build --preset release
step "build each header alone" \
  cmake --build --preset release --target all_verify_interface_header_sets

step "configure build/dev (address and undefined-behaviour sanitizers)" cmake --preset dev
step "build build/dev" cmake --build --preset dev
step "test with these sanitizers" ctest --preset dev --parallel "$jobs"

step "configure build/tsan (thread sanitizer)" cmake --preset tsan
step "build the threaded tests" cmake --build --preset tsan
step "test with the thread sanitizer" \
  "${fixed_layout[@]}" ctest --preset tsan --parallel "$jobs"

step "fuzz every reader for ${FUZZ_SECONDS:-20} s" scripts/fuzz.sh

step "test the release" ctest --preset release --parallel "$jobs"
