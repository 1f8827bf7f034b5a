#!/usr/bin/env bash
# Installs the distribution's packages that Tangram needs and this machine lacks (Debian, Ubuntu).
# A second call finds everything there and changes nothing.
#   scripts/install_dependencies.sh           what the build and the demonstration need
#   scripts/install_dependencies.sh --engine  the same, and LibTorch for the engine's runner "torch"
#   scripts/install_dependencies.sh --tests   all of that, and what scripts/test.sh needs besides
set -euo pipefail

build_packages=(
  g++ cmake ninja-build python3
  nlohmann-json3-dev libfmt-dev libcli11-dev libhdf5-dev libboost-dev coinor-libcbc-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  python3-matplotlib python3-h5py python3-pandas)  # tangram plot, tangram report
# The fuzzers need clang and its run-time library; the format check needs exactly this clang-format.
test_packages=(clang libclang-rt-dev clang-format-14)

# OpenBLAS: on the reference BLAS, a network of convolutions takes seven times as long.
engine_packages=(libtorch-dev libopenblas0-serial python3-torch python3-torchvision)

usage() {
  sed -n '2,6s/^# //p' "$0"
}

packages=("${build_packages[@]}")
case "${1-}" in
  "") ;;
  --engine) packages+=("${engine_packages[@]}") ;;
  --tests) packages+=("${engine_packages[@]}" "${test_packages[@]}") ;;
  -h | --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  {
    echo "error: this script installs packages with apt-get, which this system does not have."
    echo "Install what these Debian packages contain, then build with \"cmake --preset release\":"
    printf '  %s\n' "${packages[@]}"
  } >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
  # One line per architecture that is installed, without a line end between them.
  [[ $status == installed* ]] || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "all ${#packages[@]} packages are installed"
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "error: not root, and there is no sudo; as root, run:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "installing: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install --yes -qq --no-install-recommends "${missing[@]}" >/dev/null
