#!/usr/bin/env bash
# Installs a build into a scratch folder, moves it, and runs it from there: it must find its own
# profiles, figures, engine and workers, not those of the source tree.
# Usage: install_test.sh CMAKE BUILD_FOLDER
set -euo pipefail
cmake=$1 build=$2
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
unset TANGRAM_PLOTS

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$scratch/first" >"$scratch/log" || {
  cat "$scratch/log" >&2
  fail "cmake --install"
}
mv "$scratch/first" "$scratch/moved"
prefix=$scratch/moved
tangram=$prefix/bin/tangram

# A profile that is nowhere but in the installed folder.
mv "$prefix/share/tangram/profiles/a100-80gb.analytic.h5" "$prefix/share/tangram/profiles/installed.h5"
cat >"$scratch/s.json" <<'JSON'
{"schema": 1, "duration_s": 1, "profiles": ["installed.h5"],
 "cluster": {"gpus": [{"type": "a100-80gb"}]},
 "workloads": [{"model": "resnet50", "slo_ms": 100, "arrivals": {"process": "poisson", "rate_rps": 50}}],
 "outputs": {"timeline": true}}
JSON
"$tangram" run "$scratch/s.json" --out "$scratch/r.h5" >/dev/null || fail "the installed profile is not found"
"$tangram" describe models | grep -q installed.h5 || fail "describe models lists other profiles"
"$tangram" run "$prefix/share/tangram/scenarios/quickstart/own-profile.json" >/dev/null || fail "quickstart"

# The figures' own table, with a name that only the installed copy has.
sed -i 's/"latency_cdf"/"installed_cdf"/' "$prefix/share/tangram/plots/tangram_plots/figures.json"
"$tangram" describe figures | grep -q installed_cdf || fail "the installed figures are not found"
sed -i 's/"installed_cdf"/"latency_cdf"/' "$prefix/share/tangram/plots/tangram_plots/figures.json"
if "${TANGRAM_PYTHON:-/usr/bin/python3}" -c 'import matplotlib, h5py, pandas' 2>/dev/null; then
  "$tangram" plot "$scratch/r.h5" --figure latency_cdf --out "$scratch/f.svg" || fail "plot"
  [[ -s $scratch/f.svg ]] || fail "no figure"
fi

# The engine with its worker processes beside it.
"$prefix/bin/tangram-engine" run "$scratch/s.json" --backend emulated --out "$scratch/e.h5" >/dev/null ||
  fail "the installed engine does not run"
[[ -x $prefix/bin/tangram-worker ]] || fail "no worker"
echo "installed and moved: profiles, figures and engine are found"
