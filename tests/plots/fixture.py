"""Results made by the real command, for the tests of the figures. Without matplotlib, h5py or pandas
the tests end with 77: skipped."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import h5py
    import matplotlib  # noqa: F401
    import pandas
except ImportError as missing:
    print(f"skipped: {sys.executable}: {missing}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "plots"))
COMMAND = os.environ["TANGRAM_COMMAND"]

# One GPU that takes 5 + n ms for n requests: at most 8 in 13 ms, 615 requests/s.
SCENARIO = {
    "schema": 1, "name": "two on one", "seed": 3, "duration_s": 6, "warmup_s": 1,
    "profiles": [{"model": "unit", "gpu": "ideal",
                  "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 8}}],
    "cluster": {"gpus": [{"type": "ideal", "count": 1}]},
    "workloads": [
        {"name": "tight", "model": "unit", "slo_ms": 60,
         "arrivals": {"process": "poisson", "rate_rps": 100}},
        {"name": "loose", "model": "unit", "slo_ms": 500,
         "arrivals": {"process": "gamma", "cv": 2, "rate_rps": 50}}],
    "dispatcher": {"name": "fixed_batch", "params": {"batch": 8, "timeout_ms": 10}}}
RATE = "/workloads/0/arrivals/rate_rps"
BATCH = "/dispatcher/params/batch"
SWEEP = {"schema": 1, "scenario": SCENARIO, "replications": 3,
         "axes": [{"pointer": RATE, "values": [100, 300, 500]},
                  {"pointer": BATCH, "values": [4, 8]}]}
SEARCH = {"schema": 1, "scenario": SCENARIO, "axes": [{"pointer": BATCH, "values": [8, 1]}],
          "search": {"pointer": RATE, "low": 50, "high": 800, "probes": 3, "tolerance": 0.1,
                     "target": {"metric": "/workloads/*/slo_attainment", "at_least": 0.99}}}


def tangram(*arguments, check=True, **environment):
    """Runs the command in the folder of the results."""
    done = subprocess.run([COMMAND, *arguments], cwd=FOLDER, capture_output=True, text=True,
                          env={**os.environ, **environment}, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"tangram {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
    return done


def path(name):
    return os.path.join(FOLDER, name)


def table(file, group):
    """A table of a result as docs/reference/result.md says to read it."""
    with h5py.File(path(file)) as data:
        return pandas.DataFrame({name: column[:] for name, column in data[group].items()})


def _write(name, content):
    pathlib.Path(path(name)).write_text(json.dumps(content), encoding="utf-8")


_temporary = tempfile.TemporaryDirectory(prefix="tangram-plots-")
FOLDER = _temporary.name
_write("scenario.json", SCENARIO)
_write("sweep.json", SWEEP)
_write("search.json", SEARCH)
tangram("run", "scenario.json", "--out", "run.h5", "--set", "/outputs/timeline=true")
tangram("run", "scenario.json", "--out", "runs.h5", "--replications", "3")
tangram("sweep", "sweep.json", "--out", "sweep.h5", "--jobs", "2")
tangram("plan", "scenario.json", "--out", "plan.json")
tangram("sweep", "search.json", "--out", "search.h5", "--jobs", "2")
# What each figure can be drawn from.
FILE_OF = {"latency_cdf": "run.h5", "latency_ccdf": "sweep.h5", "load_latency": "sweep.h5",
           "load_attainment": "sweep.h5", "load_goodput": "search.h5", "load_curve": "search.h5",
           "capacity": "search.h5", "workload_bars": "runs.h5", "partition_map": "run.h5",
           "gantt": "run.h5", "timeline_rate": "run.h5"}
