#!/usr/bin/env bash
# Packs everything that a machine without a network needs to build and run Tangram: the committed
# sources and the libraries that they use (headers, static HDF5, GoogleTest), in one archive.
#   scripts/bundle.sh [OUT.tar.xz]      default: build/tangram-bundle.tar.xz
# There: tar xf OUT.tar.xz && tangram-bundle/tangram/scripts/gpu-campaign.sh, or build by hand with
#   cmake --preset release -DTANGRAM_BUNDLE=$PWD/../deps -DTANGRAM_BENCH=OFF
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

case "${1-}" in
  -h | --help)
    sed -n '2,6s/^# //p' "$0"
    exit 0
    ;;
  -*)
    echo "error: unknown option $1; see scripts/bundle.sh --help" >&2
    exit 2
    ;;
esac
out=${1:-build/tangram-bundle.tar.xz}
limit_mib=60

# Where this distribution keeps what the bundle needs.
library_folder=/usr/lib/$(gcc -dumpmachine)
hdf5_library=$library_folder/hdf5/serial/libhdf5.a
needed=(/usr/include/boost/graph/adjacency_list.hpp /usr/include/nlohmann/json.hpp /usr/include/CLI/CLI.hpp /usr/include/fmt/format.h
  /usr/include/hdf5/serial/hdf5.h "$hdf5_library" "$library_folder"/lib{sz,aec,z}.a
  /usr/src/googletest/CMakeLists.txt)
missing=()
for file in "${needed[@]}"; do
  [[ -e $file ]] || missing+=("$file")
done
if [[ ${#missing[@]} -gt 0 ]]; then
  {
    echo "error: the bundle needs files that this machine lacks:"
    printf '  %s\n' "${missing[@]}"
    echo "install them with: scripts/install_dependencies.sh"
  } >&2
  exit 1
fi

stage=$(mktemp -d)
trap 'rm -rf -- "$stage"' EXIT
root=$stage/tangram-bundle
deps=$root/deps
mkdir -p "$root/tangram" "$deps/include/hdf5" "$deps/lib" "$deps/licences"

git archive HEAD | tar x -C "$root/tangram"
git describe --always --abbrev=12 --exclude='*' >"$root/tangram/COMMIT"
if [[ -n $(git status --porcelain) ]]; then
  echo "note: the bundle holds the last commit, without the changes of the working tree" >&2
fi

# -L: the distribution's library names are links.
cp -rL /usr/include/nlohmann /usr/include/CLI /usr/include/fmt "$deps/include/"
cp -rL /usr/include/hdf5/serial/. "$deps/include/hdf5/"
cp -L "$hdf5_library" "$library_folder"/lib{sz,aec,z}.a "$deps/lib/"
# Of Boost what Boost.Graph reads, and what another compiler would read in its place.
(
  cd /usr/include
  g++ -std=c++20 -M -I"$OLDPWD" "$OLDPWD/workloads/application.cpp" | tr -s ' \\' '\n' |
    sed -n 's:^/usr/include/\(boost/.*\):\1:p' | sort -u | xargs cp -L --parents -t "$deps/include"
  find boost/config boost/mpl/aux_ boost/preprocessor boost/predef -name '*.h*' -print0 |
    xargs -0 cp -L --parents -t "$deps/include"
)
cp -rL /usr/src/googletest "$deps/googletest"
for package in nlohmann-json3-dev libcli11-dev libfmt-dev libhdf5-dev libboost-dev libaec-dev zlib1g-dev \
  googletest; do
  cp -L "/usr/share/doc/$package/copyright" "$deps/licences/$package"
done

mkdir -p -- "$(dirname -- "$out")"
tar -C "$stage" --owner=0 --group=0 --sort=name -cJf "$out.part" tangram-bundle
mv -- "$out.part" "$out"
bytes=$(stat -c %s -- "$out")
echo "$out: $((bytes / 1024)) KiB, commit $(cat "$root/tangram/COMMIT")"
if ((bytes > limit_mib * 1024 * 1024)); then
  echo "error: larger than $limit_mib MiB" >&2
  exit 1
fi
