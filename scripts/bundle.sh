#!/usr/bin/env bash
# Packs everything that a machine without a network needs to build and run Tangram: the committed
# sources and the libraries that they use (headers, static HDF5 and CBC, GoogleTest), in one archive.
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

# CBC, which the planners that solve integer programs need, is packed where this machine has it as
# archives. They want LU factorisation from LAPACK: of its archives, which are large and need a
# Fortran library, only the routines behind those two names are taken, with the error handler in C
# that the BLAS has. What was packed is linked and run before it counts.
pack_cbc() {
  local name part=$stage/cbc
  mkdir -p "$part"/{lib,include,licences} || return
  for name in CbcSolver Cbc Cgl OsiClp Clp Osi CoinUtils bz2; do
    cp -L "$library_folder/lib$name.a" "$part/lib/" || return
  done
  ld -r -o "$part/lu.o" -u xerbla_ -u dgetrf_ -u dgetrs_ "$library_folder/blas/libblas.a" --start-group \
    "$library_folder/lapack/liblapack.a" "$library_folder/blas/libblas.a" --end-group &&
    ar rcs "$part/lib/libcbclapack.a" "$part/lu.o" || return
  cat >"$part/probe.c" <<'C' || return
#include <coin/Cbc_C_Interface.h>
int main(void) {
  Cbc_Model* model = Cbc_newModel();
  Cbc_addCol(model, "x", 0, 2, -1, 1, 0, 0, 0);  // largest integer up to 2
  Cbc_setLogLevel(model, 0);
  return Cbc_solve(model) == 0 && Cbc_getObjValue(model) < -1.5 ? 0 : 1;
}
C
  (
    cd /usr/include
    gcc -M "$part/probe.c" | tr -s ' \\' '\n' | sed -n 's:^/usr/include/\(coin/.*\):\1:p' | sort -u |
      xargs cp -L --parents -t "$part/include"
  ) &&
    gcc -isystem "$part/include" -c "$part/probe.c" -o "$part/probe.o" &&
    g++ "$part/probe.o" "$part"/lib/lib{CbcSolver,Cbc,Cgl,OsiClp,Clp,Osi,CoinUtils,bz2}.a "$deps/lib/libz.a" \
      "$part/lib/libcbclapack.a" -o "$part/probe" &&
    "$part/probe" >/dev/null || return
  for name in coinor-lib{cbc,cgl,clp,osi,coinutils}-dev libbz2-dev libblas-dev liblapack-dev; do
    cp -L "/usr/share/doc/$name/copyright" "$part/licences/$name" || return
  done
  cp -r "$part"/{lib,include,licences} "$deps/"
}
cbc="with CBC"
if ! pack_cbc 2>"$stage/cbc.log"; then
  cbc="without CBC"
  {
    echo "note: the bundle has no CBC: the planners optimal and tangram will have no answer there."
    echo "  $(grep -m1 -v '^$' "$stage/cbc.log" || echo "the program linked with it failed")"
    echo "  for CBC install coinor-libcbc-dev (scripts/install_dependencies.sh)"
  } >&2
fi

mkdir -p -- "$(dirname -- "$out")"
tar -C "$stage" --owner=0 --group=0 --sort=name -cJf "$out.part" tangram-bundle
mv -- "$out.part" "$out"
bytes=$(stat -c %s -- "$out")
echo "$out: $((bytes / 1024)) KiB, commit $(cat "$root/tangram/COMMIT"), $cbc"
if ((bytes > limit_mib * 1024 * 1024)); then
  echo "error: larger than $limit_mib MiB" >&2
  exit 1
fi
